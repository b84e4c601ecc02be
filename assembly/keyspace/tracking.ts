/**
 * Client-side caching: which clients were given which keys, and telling them when a key changes.
 *
 *   tracked key   item in `keys` (of all databases at once, as in Redis): META 0, PTR = its readers
 *   readers       u32 count, then the addresses of refs (invalidation.ts), sorted
 *
 * Broadcasting mode needs no memory of what was read: prefixes.ts keeps who wants to hear of which
 * prefix. Not here: the commands, and which keys a command reads (commands/client-tracking.ts).
 */
import { alloc, free, realloc, usableSize } from '../base/alloc';
import { siphash } from '../base/siphash';
import {
  HashTable,
  htFind,
  htInsertSlot,
  htItem,
  htRandom,
  htRemove,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_META,
  ITEM_PTR,
  itemKeyLen,
  itemKeyPtr,
  itemNew,
  itemSetMeta,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import {
  Outbox,
  PUSH_BCAST,
  PUSH_BROKEN_REDIRECT,
  PUSH_CACHING,
  PUSH_NOLOOP,
  PUSH_OPTIN,
  PUSH_OPTOUT,
  PUSH_TRACKING,
} from '../resp/outbox';
import {
  invalidationOfAll,
  invalidationOfKey,
  invalidationSend,
  redirectDrop,
  redirectSet,
  refClient,
  refCountKey,
  refDropKeys,
  refForget,
  refOf,
} from './invalidation';
import {
  prefixCount,
  prefixesKeyChanged,
  prefixesLeave,
  prefixesPending,
  prefixesSend,
} from './prefixes';
import { isRunning, observersChange, pushFlags } from './push';
import { freeTableLater } from './value';

/** All that CLIENT TRACKING sets. */
const MODES: u32 =
  PUSH_TRACKING |
  PUSH_BCAST |
  PUSH_OPTIN |
  PUSH_OPTOUT |
  PUSH_NOLOOP |
  PUSH_CACHING |
  PUSH_BROKEN_REDIRECT;

/** Keys taken out per round when there are too many; the next round takes more. */
const EVICT_EFFORT: u32 = 100;

const keys = changetype<HashTable>(memory.data(32, 8));
/** First of the clients that track. */
let first: usize = 0;
let keysMax: u32 = 0;
let evictRounds: u32 = 0;

/** Clients with CLIENT TRACKING ON. */
export let trackingClients: u32 = 0;
/** Pairs of a tracked key and a client that read it. */
export let trackedPairs: u32 = 0;
/** Not 0 while a changed key may have to be told to somebody. */
export let trackingInterest: u32 = 0;

export function trackedKeys(): u32 {
  return keys.count;
}

/** tracking-table-max-keys; 0 = no limit. */
export function trackingConfigure(max: u32): void {
  keysMax = max;
}

/** Must follow when prefixes or tracked keys came or went. */
export function trackingNoteInterest(): void {
  trackingInterest = keys.count | prefixCount;
}

// ---- on and off

/**
 * Turns tracking on, or changes it. `modes` are PUSH_BCAST and its like, `target` who gets the
 * invalidations (address 0: the client), `id` that client's id. False: no memory, nothing changed.
 */
export function trackingStart(o: Outbox, modes: u32, target: Outbox, id: u64): bool {
  if (refOf(o) == 0 || !redirectSet(o, target, id)) return false;
  if ((o.push & PUSH_TRACKING) == 0) {
    trackingClients++;
    observersChange(1);
    const at = <u32>changetype<usize>(o);
    o.trackPrev = 0;
    o.trackNext = <u32>first;
    if (first != 0) changetype<Outbox>(first).trackPrev = at;
    first = at;
  }
  const kept = o.push & PUSH_CACHING;
  pushFlags(o, PUSH_TRACKING | modes | kept, MODES);
  trackingNoteInterest();
  return true;
}

export function trackingStop(o: Outbox): void {
  if ((o.push & PUSH_TRACKING) == 0) return;
  prefixesLeave(o);
  redirectDrop(o);
  trackingClients--;
  observersChange(-1);
  if (o.trackPrev != 0) changetype<Outbox>(<usize>o.trackPrev).trackNext = o.trackNext;
  else first = o.trackNext;
  if (o.trackNext != 0) changetype<Outbox>(<usize>o.trackNext).trackPrev = o.trackPrev;
  pushFlags(o, 0, MODES);
  trackingNoteInterest();
}

/** The client goes away. */
export function trackingForget(o: Outbox): void {
  trackingStop(o);
  refForget(o);
}

// ---- what was read

/** Index of a ref among sorted ones, or where it belongs: then -1 - index. */
function search(readers: usize, ref: usize): i32 {
  let low: i32 = 0;
  let high = <i32>load<u32>(readers) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at: usize = load<u32>(readers + 4 + (<usize>middle << 2));
    if (at == ref) return middle;
    if (at < ref) low = middle + 1;
    else high = middle - 1;
  }
  return -1 - low;
}

/** Adds a ref to a key's readers; false = no memory. */
function addReader(item: usize, ref: usize): bool {
  let readers = itemValue(item);
  const index = search(readers, ref);
  if (index >= 0) return true;
  const count = load<u32>(readers);
  const need: usize = 4 + (<usize>count + 1) * 4;
  if (usableSize(readers) < need) {
    readers = realloc(readers, need + need / 2);
    if (readers == 0) return false;
    itemSetValue(item, readers);
  }
  const at = readers + 4 + (<usize>(-1 - index) << 2);
  memory.copy(at + 4, at, (<usize>count << 2) - (at - readers - 4));
  store<u32>(at, <u32>ref);
  store<u32>(readers, count + 1);
  countPair(ref, 1);
  return true;
}

function countPair(ref: usize, by: i32): void {
  refCountKey(ref, by);
  trackedPairs += by;
}

/** A key nobody tracked so far; false = no memory. */
function addKey(ref: usize, ptr: usize, len: u32, hash: u64): bool {
  const item = itemNew(ITEM_META | ITEM_PTR, ptr, len, 0);
  if (item == 0) return false;
  const readers = alloc(8);
  const slot: usize = readers == 0 ? 0 : htInsertSlot(keys, hash);
  if (slot == 0) {
    free(readers);
    free(item);
    return false;
  }
  store<u32>(readers, 1);
  store<u32>(readers, <u32>ref, 4);
  // META 0 and a block as value: lazy freeing takes it for a string entry.
  itemSetMeta(item, 0);
  itemSetValue(item, readers);
  htSetItem(slot, item);
  countPair(ref, 1);
  return true;
}

/** A client was given a key's value. Without memory to remember it is told to forget at once. */
export function trackingRemember(o: Outbox, ptr: usize, len: u32): void {
  const ref: usize = o.ref;
  const hash = siphash(ptr, len);
  const slot = htFind(keys, ptr, len, hash);
  const done = slot == 0 ? addKey(ref, ptr, len, hash) : addReader(htItem(slot), ref);
  trackingNoteInterest();
  if (done) return;
  invalidationOfKey(ptr, len);
  invalidationSend(o);
}

// ---- what changed

/** Tells all readers of a tracked key, and forgets it. */
function invalidate(item: usize): void {
  const readers = itemValue(item);
  const count = load<u32>(readers);
  invalidationOfKey(itemKeyPtr(item), itemKeyLen(item));
  for (let i: u32 = 0; i < count; i++) {
    const ref: usize = load<u32>(readers + 4 + (<usize>i << 2));
    const o = refClient(ref);
    if (changetype<usize>(o) != 0 && (o.push & (PUSH_TRACKING | PUSH_BCAST)) == PUSH_TRACKING) {
      // Redis: also when the key has just expired under the client's own hands.
      if ((o.push & PUSH_NOLOOP) == 0 || !isRunning(o)) invalidationSend(o);
    }
    countPair(ref, -1);
  }
  free(readers);
}

/** Takes a tracked key out of the table, telling its readers. */
function invalidateKey(ptr: usize, len: u32, hash: u64): void {
  const slot = htFind(keys, ptr, len, hash);
  if (slot == 0) return;
  const item = htItem(slot);
  htRemove(keys, slot, hash);
  invalidate(item);
  free(item);
}

/** A key changed, by the running client's command or (`byCommand` false) on its own. */
export function trackingKeyChanged(ptr: usize, len: u32, byCommand: bool): void {
  if (prefixCount != 0) prefixesKeyChanged(ptr, len, byCommand);
  invalidateKey(ptr, len, siphash(ptr, len));
  trackingNoteInterest();
}

/** All keys of a database are gone: whoever tracks must forget everything. O(clients that track) */
export function trackingFlushed(): void {
  invalidationOfAll();
  for (let at = first; at != 0; at = changetype<Outbox>(at).trackNext) {
    invalidationSend(changetype<Outbox>(at));
  }
  freeTableLater(keys);
  trackedPairs = 0;
  refDropKeys();
  trackingNoteInterest();
}

function evictKeys(): void {
  let effort = EVICT_EFFORT * (evictRounds + 1);
  while (keys.count > keysMax && effort-- > 0) {
    const item = htRandom(keys);
    const hash = siphash(itemKeyPtr(item), itemKeyLen(item));
    invalidateKey(itemKeyPtr(item), itemKeyLen(item), hash);
  }
  evictRounds = keys.count > keysMax ? evictRounds + 1 : 0;
  trackingNoteInterest();
}

/**
 * Between the commands of different clients: sends broadcasts, keeps the table within its limit.
 * Not while a reply is being written.
 */
// @ts-ignore: decorator
@inline export function trackingSettle(): void {
  if (prefixesPending) prefixesSend();
  if (keys.count > keysMax && keysMax != 0) evictKeys();
}
