/**
 * WATCH: which clients watch which keys.
 *
 * Each database has a table of watched keys; an item's value (PTR) is the first node of a list of
 * watchers. Each client has the list of its own nodes, so both ends find them.
 *
 *   watch node
 *   +0  u32 next     next watcher of the same key
 *   +4  u32 sibling  next key of the same client
 *   +8  u32 item     the watched-key item
 *   +12 u32 db       address of the database
 *   +16 u32 flag     address of the client's dirty flag (a byte; 1 = a watched key changed)
 *   +20 u32 expired  the key had already expired when it was watched
 */
import { alloc, free } from '../base/alloc';
import { siphash } from '../base/siphash';
import {
  htFind,
  htInsertSlot,
  htItem,
  htRemove,
  htScan,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_PTR,
  itemKeyEquals,
  itemKeyLen,
  itemKeyPtr,
  itemNew,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import { dbAt, dbCount, dbFindRaw, dbWatched, isExpired } from './db';

const OFF_SIBLING: usize = 4;
const OFF_ITEM: usize = 8;
const OFF_DB: usize = 12;
const OFF_FLAG: usize = 16;
const OFF_EXPIRED: usize = 20;
const NODE_SIZE: usize = 24;

/**
 * Adds a key to the client's watch list (`head` is its first node, 0 = empty; `flag` its dirty
 * byte). Returns the new head, or 0 when memory ran out. Watching twice is once.
 */
export function watchAdd(head: usize, flag: usize, db: usize, keyPtr: usize, keyLen: u32): usize {
  for (let n = head; n != 0; n = load<u32>(n, OFF_SIBLING)) {
    if (<usize>load<u32>(n, OFF_DB) != db) continue;
    if (itemKeyEquals(load<u32>(n, OFF_ITEM), keyPtr, keyLen)) return head;
  }
  const node = alloc(NODE_SIZE);
  if (node == 0) return 0;
  const table = dbWatched(db);
  const hash = siphash(keyPtr, keyLen);
  const slot = htFind(table, keyPtr, keyLen, hash);
  let item = slot == 0 ? <usize>0 : htItem(slot);
  if (item == 0) {
    item = itemNew(ITEM_PTR, keyPtr, keyLen, 0);
    const fresh = item == 0 ? <usize>0 : htInsertSlot(table, hash);
    if (fresh == 0) {
      free(item);
      free(node);
      return 0;
    }
    itemSetValue(item, 0);
    htSetItem(fresh, item);
  }
  const entry = dbFindRaw(db, keyPtr, keyLen);
  store<u32>(node, <u32>itemValue(item));
  store<u32>(node, <u32>head, OFF_SIBLING);
  store<u32>(node, <u32>item, OFF_ITEM);
  store<u32>(node, <u32>db, OFF_DB);
  store<u32>(node, <u32>flag, OFF_FLAG);
  store<u32>(node, entry != 0 && isExpired(entry) ? 1 : 0, OFF_EXPIRED);
  itemSetValue(item, node);
  return node;
}

/** Drops all of a client's watches. */
export function watchClear(head: usize): void {
  while (head != 0) {
    const next: usize = load<u32>(head, OFF_SIBLING);
    unlink(head);
    free(head);
    head = next;
  }
}

function unlink(node: usize): void {
  const item: usize = load<u32>(node, OFF_ITEM);
  const first = itemValue(item);
  if (first == node) {
    itemSetValue(item, load<u32>(node));
  } else {
    let n = first;
    while (<usize>load<u32>(n) != node) n = load<u32>(n);
    store<u32>(n, load<u32>(node));
  }
  if (itemValue(item) != 0) return;
  const table = dbWatched(load<u32>(node, OFF_DB));
  const hash = siphash(itemKeyPtr(item), itemKeyLen(item));
  htRemove(table, htFind(table, itemKeyPtr(item), itemKeyLen(item), hash), hash);
  free(item);
}

/**
 * Whether a key the client watches has expired since: EXEC must fail although nobody has met the
 * key yet.
 */
export function watchExpired(head: usize): bool {
  for (let n = head; n != 0; n = load<u32>(n, OFF_SIBLING)) {
    if (load<u32>(n, OFF_EXPIRED) != 0) continue;
    const item: usize = load<u32>(n, OFF_ITEM);
    const entry = dbFindRaw(load<u32>(n, OFF_DB), itemKeyPtr(item), itemKeyLen(item));
    if (entry != 0 && isExpired(entry)) return true;
  }
  return false;
}

/** A key changed: raises the dirty flag of everyone who watches it. */
export function touchWatched(db: usize, keyPtr: usize, keyLen: u32, hash: u64): void {
  const table = dbWatched(db);
  if (table.count == 0) return;
  const slot = htFind(table, keyPtr, keyLen, hash);
  if (slot == 0) return;
  const item = htItem(slot);
  const entry = dbFindRaw(db, keyPtr, keyLen);
  for (let n: usize = itemValue(item); n != 0; n = load<u32>(n)) {
    if (load<u32>(n, OFF_EXPIRED) != 0) {
      // Redis: a key that was expired when watched and is now deleted has not changed for EXEC.
      if (entry == 0 || isExpired(entry)) {
        if (entry == 0) store<u32>(n, 0, OFF_EXPIRED);
        continue;
      }
      store<u32>(n, 0, OFF_EXPIRED);
    }
    store<u8>(<usize>load<u32>(n, OFF_FLAG), 1);
  }
}

let sweepOther: usize = 0;
let sweepDb: usize = 0;
function sweepOne(item: usize, _arg: usize): void {
  const ptr = itemKeyPtr(item);
  const len = itemKeyLen(item);
  const here = dbFindRaw(sweepDb, ptr, len) != 0;
  const there: usize = sweepOther == 0 ? 0 : dbFindRaw(sweepOther, ptr, len);
  if (!here && there == 0) return;
  const comesExpired = there != 0 && isExpired(there);
  for (let n: usize = itemValue(item); n != 0; n = load<u32>(n)) {
    if (load<u32>(n, OFF_EXPIRED) != 0) {
      // Redis: what had expired when it was watched has not changed by going, or by staying so.
      if (there == 0) store<u32>(n, 0, OFF_EXPIRED);
      if (there == 0 || comesExpired) continue;
    } else if (!here && comesExpired) {
      // A key that was not there is replaced by one that nobody will see.
      store<u32>(n, 1, OFF_EXPIRED);
      continue;
    }
    store<u8>(<usize>load<u32>(n, OFF_FLAG), 1);
  }
}

/**
 * A database is about to be emptied, or to be exchanged with `other` (0 = none): whoever watches a
 * key that exists in either must know.
 */
export function touchWatchedAll(db: usize, other: usize): void {
  const table = dbWatched(db);
  if (table.count == 0) return;
  sweepDb = db;
  sweepOther = other;
  let cursor: u64 = 0;
  do {
    cursor = htScan(table, cursor, sweepOne, 0);
  } while (cursor != 0);
}

/** Watched keys over all databases (INFO watching_clients counts clients; this is for tests). */
export function watchedKeys(): u32 {
  let n: u32 = 0;
  for (let i: u32 = 0; i < dbCount; i++) n += dbWatched(dbAt(i)).count;
  return n;
}
