/**
 * Waiting for keys: who waits for which key to appear, and which of those keys have.
 *
 * Each database has a table of waited-for keys; an item's value (PTR) is a `WaitedKey` with its
 * waiters in the order in which they came. Whoever waits (a blocked client, clients/blocked.ts) is
 * an opaque owner here: an address whose first word is the list of its own waiters, so both ends
 * find them.
 *
 *   WaitedKey                                      waiter
 *   +0  u32 head, +4 u32 tail  its waiters         +0  u32 next, +4 u32 prev   of the same key
 *   +8  u32 item   in the table                    +8  u32 sibling   next one of the same owner
 *   +12 u32 db     address of the database         +12 u32 key       its WaitedKey
 *   +16 u32 next   in the queue of ready keys      +16 u32 owner
 *   +20 u32 state  KEY_*                           +20 u32 kind      TYPE_*, with WAIT_STRICT
 *   +24 u32 strict waiters with WAIT_STRICT
 *
 * A key that gets a value of a type that can be waited for, or (streams) more of it, is queued,
 * once; the queue is served after the command, transaction or script that did it is over
 * (commands/unblock.ts), in the order in which the keys became ready. Redis: a stream that goes
 * away also counts, for those who wait in a consumer group of it (WAIT_STRICT), and only for them.
 */
import { alloc, free } from '../base/alloc';
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
  itemKeyLen,
  itemKeyPtr,
  itemMeta,
  itemNew,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import { siphash } from '../base/siphash';
import { metaType, TYPE_LIST, TYPE_STREAM, TYPE_ZSET } from '../types/object';
import { dbFindRaw, dbWaiting, keyHash } from './db';

/** Added to a waiter's type: wants to know when the key is deleted or becomes something else. */
export const WAIT_STRICT: u32 = 0x100;

const OFF_TAIL: usize = 4;
const OFF_ITEM: usize = 8;
const OFF_DB: usize = 12;
const OFF_NEXT_READY: usize = 16;
const OFF_STATE: usize = 20;
const OFF_STRICT: usize = 24;
const KEY_SIZE: usize = 32;

const OFF_PREV: usize = 4;
const OFF_SIBLING: usize = 8;
const OFF_KEY: usize = 12;
const OFF_OWNER: usize = 16;
const OFF_KIND: usize = 20;
const WAITER_SIZE: usize = 24;

/** In the queue of ready keys. */
const KEY_QUEUED: u32 = 1;
/** Being served: stays although its last waiter goes. */
const KEY_SERVED: u32 = 2;

/** Keys that are waited for, over all databases. */
export let waitedKeys: u32 = 0;
/** … by someone with WAIT_STRICT. */
export let strictKeys: u32 = 0;
/** Keys in the queue: what every command looks at when it is over. */
export let readyKeyCount: u32 = 0;
let readyHead: usize = 0;
let readyTail: usize = 0;
/** Waiters by type. Redis: a type that nobody waits for makes no key ready. */
const waitersOfType = memory.data(16 * 4, 16);

// @ts-ignore: decorator
@inline function ofType(type: u32): usize {
  return waitersOfType + (<usize>type << 2);
}

// ---- waiting

/** The WaitedKey of a key, made when there is none; 0 without memory. */
function waitedKey(db: usize, keyPtr: usize, keyLen: u32): usize {
  const table = dbWaiting(db);
  const hash = siphash(keyPtr, keyLen);
  const slot = htFind(table, keyPtr, keyLen, hash);
  if (slot != 0) return itemValue(htItem(slot));
  const key = alloc(KEY_SIZE);
  const item: usize = key == 0 ? 0 : itemNew(ITEM_PTR, keyPtr, keyLen, 0);
  const fresh: usize = item == 0 ? 0 : htInsertSlot(table, hash);
  if (fresh == 0) {
    free(item);
    free(key);
    return 0;
  }
  itemSetValue(item, key);
  htSetItem(fresh, item);
  memory.fill(key, 0, KEY_SIZE);
  store<u32>(key, <u32>item, OFF_ITEM);
  store<u32>(key, <u32>db, OFF_DB);
  waitedKeys++;
  return key;
}

/**
 * Enters `owner` last among those who wait for a key; a second time for the same key changes
 * nothing, if all its keys are entered one after the other. False when memory ran out.
 */
export function waitAdd(owner: usize, db: usize, kind: u32, keyPtr: usize, keyLen: u32): bool {
  const key = waitedKey(db, keyPtr, keyLen);
  if (key == 0) return false;
  const tail: usize = load<u32>(key, OFF_TAIL);
  if (tail != 0 && <usize>load<u32>(tail, OFF_OWNER) == owner) return true;
  const waiter = alloc(WAITER_SIZE);
  if (waiter == 0) {
    dropUnused(key);
    return false;
  }
  store<u32>(waiter, 0);
  store<u32>(waiter, <u32>tail, OFF_PREV);
  store<u32>(waiter, load<u32>(owner), OFF_SIBLING);
  store<u32>(waiter, <u32>key, OFF_KEY);
  store<u32>(waiter, <u32>owner, OFF_OWNER);
  store<u32>(waiter, kind, OFF_KIND);
  store<u32>(owner, <u32>waiter);
  if (tail != 0) store<u32>(tail, <u32>waiter);
  else store<u32>(key, <u32>waiter);
  store<u32>(key, <u32>waiter, OFF_TAIL);
  count(key, kind, 1);
  return true;
}

function count(key: usize, kind: u32, by: i32): void {
  const type = ofType(kind & 15);
  store<u32>(type, load<u32>(type) + by);
  if ((kind & WAIT_STRICT) == 0) return;
  const before = load<u32>(key, OFF_STRICT);
  if (before == 0) strictKeys++;
  else if (before + by == 0) strictKeys--;
  store<u32>(key, before + by, OFF_STRICT);
}

/** `owner` waits for nothing any more. */
export function waitClear(owner: usize): void {
  let waiter: usize = load<u32>(owner);
  store<u32>(owner, 0);
  while (waiter != 0) {
    const sibling: usize = load<u32>(waiter, OFF_SIBLING);
    const key: usize = load<u32>(waiter, OFF_KEY);
    const next: usize = load<u32>(waiter);
    const prev: usize = load<u32>(waiter, OFF_PREV);
    if (next != 0) store<u32>(next, <u32>prev, OFF_PREV);
    else store<u32>(key, <u32>prev, OFF_TAIL);
    if (prev != 0) store<u32>(prev, <u32>next);
    else store<u32>(key, <u32>next);
    count(key, load<u32>(waiter, OFF_KIND), -1);
    free(waiter);
    dropUnused(key);
    waiter = sibling;
  }
}

/** Frees a WaitedKey that nobody waits for and no one else holds. */
function dropUnused(key: usize): void {
  if (load<u32>(key) != 0 || load<u32>(key, OFF_STATE) != 0) return;
  const item: usize = load<u32>(key, OFF_ITEM);
  const table = dbWaiting(load<u32>(key, OFF_DB));
  const hash = siphash(itemKeyPtr(item), itemKeyLen(item));
  htRemove(table, htFind(table, itemKeyPtr(item), itemKeyLen(item), hash), hash);
  free(item);
  free(key);
  waitedKeys--;
}

// ---- becoming ready

/** Queues a waited-for key unless it is queued already. */
function queue(key: usize): void {
  const state = load<u32>(key, OFF_STATE);
  if (state & KEY_QUEUED) return;
  store<u32>(key, state | KEY_QUEUED, OFF_STATE);
  store<u32>(key, 0, OFF_NEXT_READY);
  if (readyTail != 0) store<u32>(readyTail, <u32>key, OFF_NEXT_READY);
  else readyHead = key;
  readyTail = key;
  readyKeyCount++;
}

// @ts-ignore: decorator
@inline function isBlockingType(type: u32): bool {
  return type == TYPE_LIST || type == TYPE_ZSET || type == TYPE_STREAM;
}

function signal(db: usize, keyPtr: usize, keyLen: u32, hash: u64, type: u32): void {
  if (!isBlockingType(type) || load<u32>(ofType(type)) == 0) return;
  const slot = htFind(dbWaiting(db), keyPtr, keyLen, hash);
  if (slot != 0) queue(itemValue(htItem(slot)));
}

/** An entry was put where its key had none, or another one. To be called while `waitedKeys`. */
export function signalEntryAdded(db: usize, item: usize, hash: u64): void {
  signal(db, itemKeyPtr(item), itemKeyLen(item), hash, metaType(itemMeta(item)));
}

/** An existing key has more to give than it had (XADD), or must be looked at (XGROUP DESTROY). */
// @ts-ignore: decorator
@inline export function signalKeyAsReady(db: usize, keyPtr: usize, keyLen: u32, type: u32): void {
  if (waitedKeys != 0) signal(db, keyPtr, keyLen, keyHash(keyPtr, keyLen), type);
}

/** An entry is about to go. To be called while `strictKeys`. */
export function signalEntryGone(db: usize, item: usize, hash: u64): void {
  if (metaType(itemMeta(item)) != TYPE_STREAM) return;
  const slot = htFind(dbWaiting(db), itemKeyPtr(item), itemKeyLen(item), hash);
  if (slot == 0) return;
  const key = itemValue(htItem(slot));
  if (load<u32>(key, OFF_STRICT) != 0) queue(key);
}

let sweepDb: usize = 0;
let sweepFrom: usize = 0;

function sweepOne(waited: usize, _arg: usize): void {
  const ptr = itemKeyPtr(waited);
  const len = itemKeyLen(waited);
  const key = itemValue(waited);
  const goes = dbFindRaw(sweepDb, ptr, len);
  if (goes != 0 && metaType(itemMeta(goes)) == TYPE_STREAM && load<u32>(key, OFF_STRICT) != 0) {
    queue(key);
  }
  const comes: usize = sweepFrom == 0 ? 0 : dbFindRaw(sweepFrom, ptr, len);
  if (comes == 0) return;
  const type = metaType(itemMeta(comes));
  if (isBlockingType(type) && load<u32>(ofType(type)) != 0) queue(key);
}

/** A database is about to be emptied, or to get the contents of `from` (0 = none). */
export function signalAllKeys(db: usize, from: usize): void {
  const table = dbWaiting(db);
  if (table.count == 0) return;
  sweepDb = db;
  sweepFrom = from;
  let cursor: u64 = 0;
  do {
    cursor = htScan(table, cursor, sweepOne, 0);
  } while (cursor != 0);
}

// ---- serving

/** Takes the next ready key off the queue; it stays good until `readyKeyDone`. */
export function readyKeyTake(): usize {
  const key = readyHead;
  readyHead = load<u32>(key, OFF_NEXT_READY);
  if (readyHead == 0) readyTail = 0;
  readyKeyCount--;
  store<u32>(key, KEY_SERVED, OFF_STATE);
  return key;
}

export function readyKeyDone(key: usize): void {
  store<u32>(key, load<u32>(key, OFF_STATE) & ~KEY_SERVED, OFF_STATE);
  dropUnused(key);
}

export function readyKeyDb(key: usize): usize {
  return load<u32>(key, OFF_DB);
}
export function readyKeyPtr(key: usize): usize {
  return itemKeyPtr(load<u32>(key, OFF_ITEM));
}
export function readyKeyLen(key: usize): u32 {
  return itemKeyLen(load<u32>(key, OFF_ITEM));
}

/** First of those who wait for a key, 0 = none; the one behind a waiter. */
export function waiterFirst(key: usize): usize {
  return load<u32>(key);
}
export function waiterNext(waiter: usize): usize {
  return load<u32>(waiter);
}
export function waiterOwner(waiter: usize): usize {
  return load<u32>(waiter, OFF_OWNER);
}
export function waiterKind(waiter: usize): u32 {
  return load<u32>(waiter, OFF_KIND);
}
