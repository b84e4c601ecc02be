/**
 * Freeing entries and their values, at once or bit by bit.
 *
 * Small values are freed where they are. A large collection, or a whole database after FLUSHALL
 * ASYNC, is only unlinked and queued here; `lazyFreeStep` takes a bounded bite of the queue and is
 * called by the host's timer and between batches. All of it is deterministic: how much is freed
 * when depends on the calls alone.
 *
 *   queue node: +0 u32 next, +4 u32 kind (0 table of entries, 1 value), +8 u32 type | enc << 4,
 *               +12 u32 value, or +8 HashTable (20 bytes)
 */
import { alloc, free } from '../base/alloc';
import {
  HashTable,
  HT_SIZE,
  htClearStep,
  htFreeStructure,
  htInit,
} from '../hashtable/hashtable';
import { ITEM_PTR, itemFlags, itemMeta, itemValue } from '../hashtable/item';
import { metaEncoding, metaType, TYPE_STRING } from '../types/object';
import { valueFree, valueFreeEffort, valueFreeStep } from '../types/value';

/** Values of more elements than this are freed lazily (as Redis' LAZYFREE_THRESHOLD). */
const LAZY_THRESHOLD: u32 = 64;
const KIND_TABLE: u32 = 0;
const KIND_VALUE: u32 = 1;
const OFF_KIND: usize = 4;
const OFF_BODY: usize = 8;
const OFF_VALUE: usize = 12;
const NODE_SIZE: usize = 32;

let queueHead: usize = 0;
let queueTail: usize = 0;
/** Objects waiting to be freed (INFO lazyfree_pending_objects). */
export let lazyPending: u32 = 0;
/** Objects freed lazily since the start (INFO lazyfreed_objects). */
export let lazyFreed: u64 = 0;

/** Frees an entry that is in no table any more, its value too. Large values go to the queue. */
export function freeEntry(item: usize): void {
  if (itemFlags(item) & ITEM_PTR) {
    const meta = itemMeta(item);
    freeValue(metaType(meta), metaEncoding(meta), itemValue(item));
  }
  free(item);
}

/** Frees a value, later if it is large. */
export function freeValue(type: u32, encoding: u32, value: usize): void {
  if (type == TYPE_STRING) {
    free(value);
    return;
  }
  if (valueFreeEffort(type, encoding, value) > LAZY_THRESHOLD) {
    const node = alloc(NODE_SIZE);
    // Without memory for a note it is freed now: slower, but freed.
    if (node != 0) {
      store<u32>(node, KIND_VALUE, OFF_KIND);
      store<u32>(node, type | (encoding << 4), OFF_BODY);
      store<u32>(node, <u32>value, OFF_VALUE);
      push(node);
      return;
    }
  }
  valueFree(type, encoding, value);
}

function push(node: usize): void {
  store<u32>(node, 0);
  if (queueTail != 0) store<u32>(queueTail, <u32>node);
  else queueHead = node;
  queueTail = node;
  lazyPending++;
}

/** Takes all entries out of a table; they are freed by the queue. The table is empty at once. */
export function freeTableLater(t: HashTable): void {
  if (t.dir == 0) return;
  const node = alloc(NODE_SIZE);
  if (node == 0) {
    freeTableNow(t);
    return;
  }
  store<u32>(node, KIND_TABLE, OFF_KIND);
  memory.copy(node + OFF_BODY, changetype<usize>(t), HT_SIZE);
  changetype<HashTable>(node + OFF_BODY).pauseMerge = 0;
  htInit(t);
  push(node);
}

/** Frees all entries of a table at once. */
export function freeTableNow(t: HashTable): void {
  t.pauseMerge = 0;
  while (!htClearStep(t, freeEntry, u32.MAX_VALUE)) {}
}

/** Forgets the entries of a table that another table owns (the expires). */
export function forgetTable(t: HashTable): void {
  htFreeStructure(t);
}

/** One bounded bite of the queue: about `groups` cache lines of a table, or so many elements. */
export function lazyFreeStep(groups: u32): void {
  const node = queueHead;
  if (node == 0) return;
  let done: bool;
  if (load<u32>(node, OFF_KIND) == KIND_TABLE) {
    done = htClearStep(changetype<HashTable>(node + OFF_BODY), freeEntry, groups);
  } else {
    const te = load<u32>(node, OFF_BODY);
    done = valueFreeStep(te & 15, te >>> 4, load<u32>(node, OFF_VALUE), groups * 8);
  }
  if (!done) return;
  queueHead = load<u32>(node);
  if (queueHead == 0) queueTail = 0;
  lazyPending--;
  lazyFreed++;
  free(node);
}
