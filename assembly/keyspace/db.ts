/**
 * Databases: a table of entries each, a second one of those that expire, and the lookups every
 * command goes through.
 *
 *   Db (DB_SIZE bytes)
 *   +0  HashTable keys      all entries (items with META; see hashtable/item.ts)
 *   +20 HashTable expires   the same items, those with an expiry (NUM) only
 *   +40 HashTable watched   keys some client watches (watch.ts)
 *   +60 u32 id
 *   +64 u64 expire cursor, +72 i64 average TTL ms (expire.ts)
 *   +80 HashTable waiting   keys some client is blocked for (ready-keys.ts)
 *   +100 Tickets            hashes with fields that expire (hash-tickets.ts)
 *
 * An entry that moves (it grew) is replaced in both tables here, so no one else holds its address
 * over a change. The last lookup leaves its slot and hash in `foundSlot` and `foundHash`; they are
 * good until the next insertion or deletion.
 *
 * Expiry. On a master an expired key is deleted by the lookup that meets it, and DEL goes into the
 * effects. A replica deletes nothing: readers do not see the key, the master's commands do. While
 * clients are paused nothing is deleted either, and nobody sees the key.
 */
import { alloc, free, usedMemory } from '../base/alloc';
import { siphash } from '../base/siphash';
import { prngBelow } from '../base/prng';
import {
  HashTable,
  HT_SIZE,
  htFind,
  htInsertSlot,
  htItem,
  htRandom,
  htRemove,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_META,
  ITEM_NUM,
  ITEM_PTR,
  itemExpire,
  itemFlags,
  itemKeyLen,
  itemKeyPtr,
  itemMeta,
  itemNew,
  itemReshape,
  itemSetExpire,
  itemSetMeta,
  itemSetValue,
} from '../hashtable/item';
import { metaClock, metaEncoding, metaOf, metaType, TYPE_HASH } from '../types/object';
import { ticketDrop, ticketEnterItem, TICKETS_SIZE } from './hash-tickets';
import { freeEntry } from './value';
import { effectDel } from './effects';
import { NOTIFY_EXPIRED, NOTIFY_KEY_MISS, NOTIFY_NEW, notifyKeyspaceEvent } from './notify';
import {
  countExpired,
  countHit,
  countMiss,
  fromMaster,
  isReplica,
  lfuDecayTime,
  lfuLogFactor,
  loading,
  noTouch,
  nowLru,
  nowMs,
  paused,
  policyLfu,
} from './state';
import { signalEntryAdded, signalEntryGone, strictKeys, waitedKeys } from './ready-keys';
import { trackingInterest, trackingKeyChanged } from './tracking';
import { touchWatched } from './watch';

const OFF_ID: usize = 60;
const OFF_EXPIRE_CURSOR: usize = 64;
const OFF_AVG_TTL: usize = 72;
const OFF_WAITING: usize = 80;
const OFF_TICKETS: usize = 100;
export const DB_SIZE: usize = 112;

let dbBase: usize = 0;
/** Number of databases. */
export let dbCount: u32 = 0;
/** Slot and hash of the last lookup that found something; see above. */
export let foundSlot: usize = 0;
export let foundHash: u64 = 0;
/** A hash computed ahead for the key at this address (the batch executor's). */
let hintPtr: usize = 0;
let hintHash: u64 = 0;

/** Makes `count` empty databases. False when memory ran out. */
export function dbInit(count: u32): bool {
  dbBase = alloc(<usize>count * DB_SIZE);
  if (dbBase == 0) return false;
  memory.fill(dbBase, 0, <usize>count * DB_SIZE);
  dbCount = count;
  for (let i: u32 = 0; i < count; i++) store<u32>(dbAt(i), i, OFF_ID);
  return true;
}

// ---- fields

// @ts-ignore: decorator
@inline export function dbAt(index: u32): usize {
  return dbBase + <usize>index * DB_SIZE;
}

// @ts-ignore: decorator
@inline export function dbKeys(db: usize): HashTable {
  return changetype<HashTable>(db);
}

// @ts-ignore: decorator
@inline export function dbExpires(db: usize): HashTable {
  return changetype<HashTable>(db + HT_SIZE);
}

// @ts-ignore: decorator
@inline export function dbWatched(db: usize): HashTable {
  return changetype<HashTable>(db + 2 * HT_SIZE);
}

// @ts-ignore: decorator
@inline export function dbWaiting(db: usize): HashTable {
  return changetype<HashTable>(db + OFF_WAITING);
}

/** The hashes whose fields expire; see hash-tickets.ts. */
// @ts-ignore: decorator
@inline export function dbTickets(db: usize): usize {
  return db + OFF_TICKETS;
}

export function dbId(db: usize): u32 {
  return load<u32>(db, OFF_ID);
}

export function dbExpireCursor(db: usize): u64 {
  return load<u64>(db, OFF_EXPIRE_CURSOR);
}

export function dbSetExpireCursor(db: usize, cursor: u64): void {
  store<u64>(db, cursor, OFF_EXPIRE_CURSOR);
}

export function dbAvgTtl(db: usize): i64 {
  return load<i64>(db, OFF_AVG_TTL);
}

export function dbSetAvgTtl(db: usize, ms: i64): void {
  store<i64>(db, ms, OFF_AVG_TTL);
}

/**
 * `reach` for `htTouchItems` on a database's keys: whether entries are, on average, longer than a
 * cache line. All memory counts, so it is a guess, and cheap; a wrong one costs a wasted load.
 */
// @ts-ignore: decorator
@inline export function dbTouchReach(db: usize): usize {
  return <u64>usedMemory > <u64>dbKeys(db).count * WIDE_ENTRY ? 64 : 0;
}
const WIDE_ENTRY: u64 = 72;

// ---- hashing

/** Hash of a key; free for the key the batch executor hashed ahead. */
// @ts-ignore: decorator
@inline export function keyHash(ptr: usize, len: u32): u64 {
  return ptr == hintPtr ? hintHash : siphash(ptr, len);
}

/** Tells the hash of the key at `ptr` ahead; 0 forgets it. */
// @ts-ignore: decorator
@inline export function keyHashHint(ptr: usize, hash: u64): void {
  hintPtr = ptr;
  hintHash = hash;
}

// ---- the access clock

// @ts-ignore: decorator
@inline export function lruClock(): u32 {
  return nowLru;
}

/** The clock a new entry starts with. */
// @ts-ignore: decorator
@inline export function initialClock(): u32 {
  return policyLfu ? (lfuMinutes() << 8) | LFU_INIT : lruClock();
}

/** Counter of a new entry under LFU, so that it is not the first to be evicted. */
const LFU_INIT: u32 = 5;

export function lfuMinutes(): u32 {
  return <u32>(nowMs / 60000) & 0xffff;
}

/** The LFU counter of a clock value after its decay. */
export function lfuDecayed(clock: u32): u32 {
  const counter = clock & 255;
  if (lfuDecayTime == 0) return counter;
  const periods = ((lfuMinutes() - (clock >>> 8)) & 0xffff) / lfuDecayTime;
  return periods > counter ? 0 : counter - periods;
}

function lfuTouched(clock: u32): u32 {
  let counter = lfuDecayed(clock);
  if (counter < 255) {
    const above: u32 = counter > LFU_INIT ? counter - LFU_INIT : 0;
    // Probability 1/(above*factor+1), as Redis' logarithmic counter.
    if (prngBelow(above * lfuLogFactor + 1) == 0) counter++;
  }
  return (lfuMinutes() << 8) | counter;
}

// @ts-ignore: decorator
@inline function touchClock(item: usize): void {
  const meta = itemMeta(item);
  const clock = policyLfu ? lfuTouched(metaClock(meta)) : lruClock();
  const fresh = (meta & 0xff) | (clock << 8);
  if (fresh != meta) itemSetMeta(item, fresh);
}

// ---- lookups

// @ts-ignore: decorator
@inline export function isExpired(item: usize): bool {
  return (itemFlags(item) & ITEM_NUM) != 0 && nowMs > itemExpire(item) && !loading;
}

/** The entry whatever its expiry, its clock untouched; sets `foundSlot`, `foundHash`. 0 = none. */
export function dbFindRaw(db: usize, keyPtr: usize, keyLen: u32): usize {
  foundHash = keyHash(keyPtr, keyLen);
  foundSlot = htFind(dbKeys(db), keyPtr, keyLen, foundHash);
  return foundSlot == 0 ? 0 : htItem(foundSlot);
}

/**
 * The entry, unless it has expired. An expired one is deleted here on a master. `touch`: the access
 * counts for LRU/LFU. 0 = none. Sets `foundSlot` and `foundHash`; the hash also when none is found.
 */
// @ts-ignore: decorator
@inline function find(db: usize, keyPtr: usize, keyLen: u32, touch: bool, write: bool): usize {
  const item = dbFindRaw(db, keyPtr, keyLen);
  if (item == 0) return 0;
  if (isExpired(item) && dbMeetExpired(db, item, write)) return 0;
  if (touch && !noTouch) touchClock(item);
  return item;
}

/**
 * What becomes of an expired entry that was met. True: the caller must not see it. Redis: a writer
 * on a writable replica deletes it as a master would, or it would be there twice.
 */
export function dbMeetExpired(db: usize, item: usize, write: bool): bool {
  if (isReplica) {
    if (fromMaster) return false;
    if (!write) {
      foundSlot = 0;
      return true;
    }
  }
  if (paused == 0) dbExpireFound(db, item);
  else foundSlot = 0;
  return true;
}

/** Deletes the entry just found because it expired: counted, and DEL goes into the effects. */
export function dbExpireFound(db: usize, item: usize): void {
  const ptr = itemKeyPtr(item);
  const len = itemKeyLen(item);
  countExpired();
  effectDel(dbId(db), ptr, len);
  touchWatched(db, ptr, len, foundHash);
  notifyKeyspaceEvent(NOTIFY_EXPIRED, 'expired', dbId(db), ptr, len);
  if (trackingInterest != 0) trackingKeyChanged(ptr, len, false);
  dbDeleteFound(db);
}

function missed(db: usize, keyPtr: usize, keyLen: u32): void {
  countMiss();
  notifyKeyspaceEvent(NOTIFY_KEY_MISS, 'keymiss', dbId(db), keyPtr, keyLen);
}

/** For reading commands: counts a hit or a miss. */
export function lookupRead(db: usize, keyPtr: usize, keyLen: u32): usize {
  const item = find(db, keyPtr, keyLen, true, false);
  if (item == 0) missed(db, keyPtr, keyLen);
  else countHit();
  return item;
}

/** For reading commands that must not disturb LRU/LFU (TYPE, TTL, OBJECT): counts as well. */
export function lookupReadNoTouch(db: usize, keyPtr: usize, keyLen: u32): usize {
  const item = find(db, keyPtr, keyLen, false, false);
  if (item == 0) missed(db, keyPtr, keyLen);
  else countHit();
  return item;
}

/** The same, and nobody is told of a miss (OBJECT). */
export function lookupReadUnnoticed(db: usize, keyPtr: usize, keyLen: u32): usize {
  const item = find(db, keyPtr, keyLen, false, false);
  if (item == 0) countMiss();
  else countHit();
  return item;
}

/** The entry as a reader sees it, but nothing is counted or touched. */
export function lookupQuiet(db: usize, keyPtr: usize, keyLen: u32): usize {
  return find(db, keyPtr, keyLen, false, false);
}

/** For writing commands. */
export function lookupWrite(db: usize, keyPtr: usize, keyLen: u32): usize {
  return find(db, keyPtr, keyLen, true, true);
}

/** For commands that answer with the value before they change it (GETDEL): counts as well. */
export function lookupReadWrite(db: usize, keyPtr: usize, keyLen: u32): usize {
  const item = find(db, keyPtr, keyLen, true, true);
  if (item == 0) missed(db, keyPtr, keyLen);
  else countHit();
  return item;
}

// ---- changes

/** The key has changed: whoever watches or caches it must know. Every write ends here. */
// @ts-ignore: decorator
@inline export function signalModified(db: usize, keyPtr: usize, keyLen: u32): void {
  if ((dbWatched(db).count | trackingInterest) != 0) tellModified(db, keyPtr, keyLen);
}

function tellModified(db: usize, keyPtr: usize, keyLen: u32): void {
  touchWatched(db, keyPtr, keyLen, keyHash(keyPtr, keyLen));
  if (trackingInterest != 0) trackingKeyChanged(keyPtr, keyLen, true);
}

/**
 * Adds an entry for a key that is not there (a lookup just said so; `foundHash` is its hash), with
 * a value out of line. Takes ownership of `value`. Returns the entry, 0 when memory ran out (then
 * `value` is still the caller's). May grow memory.
 */
export function dbAdd(
  db: usize,
  keyPtr: usize,
  keyLen: u32,
  typeAndEncoding: u32,
  value: usize,
): usize {
  const item = itemNew(ITEM_META | ITEM_PTR, keyPtr, keyLen, 0);
  if (item == 0) return 0;
  itemSetMeta(item, typeAndEncoding | (initialClock() << 8));
  itemSetValue(item, value);
  if (!dbAddItem(db, item, foundHash)) {
    free(item);
    return 0;
  }
  return item;
}

/** Adds a ready item whose key is not there; its NUM part decides about the expires table. */
export function dbAddItem(db: usize, item: usize, hash: u64): bool {
  if (!dbInsertItem(db, item, hash)) return false;
  notifyNew(db, item);
  return true;
}

/** An entry was put where there was none, or where what was there was deleted first. */
// @ts-ignore: decorator
@inline export function notifyNew(db: usize, item: usize): void {
  notifyKeyspaceEvent(NOTIFY_NEW, 'new', dbId(db), itemKeyPtr(item), itemKeyLen(item));
}

/** `dbAddItem` without a word to those who listen: for what is loaded. */
export function dbInsertItem(db: usize, item: usize, hash: u64): bool {
  if (!ticketEnterItem(dbTickets(db), item)) return false;
  const slot = htInsertSlot(dbKeys(db), hash);
  if (slot == 0) return false;
  htSetItem(slot, item);
  foundSlot = slot;
  foundHash = hash;
  if (itemFlags(item) & ITEM_NUM) {
    const second = htInsertSlot(dbExpires(db), hash);
    if (second == 0) {
      htRemove(dbKeys(db), slot, hash);
      return false;
    }
    htSetItem(second, item);
  }
  if (waitedKeys != 0) signalEntryAdded(db, item, hash);
  return true;
}

/** The slot of an entry in the expires table. */
function expiresSlot(db: usize, item: usize, hash: u64): usize {
  return htFind(dbExpires(db), itemKeyPtr(item), itemKeyLen(item), hash);
}

/**
 * Puts `fresh` where the entry of the last lookup was (`foundSlot`). Both have the same key; the
 * old item is freed, with its value unless `keepValue`. If `fresh` has an expiry the old one must
 * have had one too (use `dbSetExpire` to add one).
 */
export function dbReplaceFound(db: usize, fresh: usize, keepValue: bool): void {
  const old = htItem(foundSlot);
  if (strictKeys != 0) signalEntryGone(db, old, foundHash);
  if (itemFlags(old) & ITEM_NUM) {
    const second = expiresSlot(db, old, foundHash);
    if (itemFlags(fresh) & ITEM_NUM) htSetItem(second, fresh);
    else htRemove(dbExpires(db), second, foundHash);
  }
  htSetItem(foundSlot, fresh);
  // A hash that follows a hash has entered its own time, or finds one that is too early.
  if (entryType(old) == TYPE_HASH && entryType(fresh) != TYPE_HASH) ticketDrop(dbTickets(db), old);
  if (keepValue) free(old);
  else freeEntry(old);
}

/** Takes the entry of the last lookup out of the database without freeing it. */
export function dbTakeFound(db: usize): usize {
  const item = htItem(foundSlot);
  if (strictKeys != 0) signalEntryGone(db, item, foundHash);
  if (itemFlags(item) & ITEM_NUM) {
    htRemove(dbExpires(db), expiresSlot(db, item, foundHash), foundHash);
  }
  if (entryType(item) == TYPE_HASH) ticketDrop(dbTickets(db), item);
  htRemove(dbKeys(db), foundSlot, foundHash);
  foundSlot = 0;
  return item;
}

/** Deletes the entry of the last lookup and frees it. */
export function dbDeleteFound(db: usize): void {
  freeEntry(dbTakeFound(db));
}

/** Deletes a key, whatever its expiry. True if it was there. */
export function dbDelete(db: usize, keyPtr: usize, keyLen: u32): bool {
  if (dbFindRaw(db, keyPtr, keyLen) == 0) return false;
  dbDeleteFound(db);
  return true;
}

/**
 * Gives the entry of the last lookup an expiry (unix ms). The entry may move: returns its address,
 * 0 when memory ran out (nothing changed). May grow memory.
 */
export function dbSetExpire(db: usize, ms: i64): usize {
  const item = htItem(foundSlot);
  if (itemFlags(item) & ITEM_NUM) {
    itemSetExpire(item, ms);
    return item;
  }
  const second = htInsertSlot(dbExpires(db), foundHash);
  if (second == 0) return 0;
  // The slot must hold an item before anything else looks at the table.
  htSetItem(second, item);
  const moved = itemReshape(item, itemFlags(item) | ITEM_NUM);
  if (moved == 0) {
    htRemove(dbExpires(db), second, foundHash);
    return 0;
  }
  itemSetExpire(moved, ms);
  htSetItem(second, moved);
  htSetItem(foundSlot, moved);
  return moved;
}

/** Takes the expiry off the entry of the last lookup; true if it had one. The entry may move. */
export function dbPersist(db: usize): bool {
  const item = htItem(foundSlot);
  const flags = itemFlags(item);
  if ((flags & ITEM_NUM) == 0) return false;
  htRemove(dbExpires(db), expiresSlot(db, item, foundHash), foundHash);
  // Dropping a part never needs memory.
  htSetItem(foundSlot, itemReshape(item, flags & ~ITEM_NUM));
  return true;
}

/** Changes encoding (and value address) of an entry with an out-of-line value. */
export function entrySetEncoding(item: usize, encoding: u32, value: usize): void {
  const meta = itemMeta(item);
  itemSetMeta(item, metaOf(metaType(meta), encoding, metaClock(meta)));
  itemSetValue(item, value);
}

export function entryType(item: usize): u32 {
  return metaType(itemMeta(item));
}

export function entryEncoding(item: usize): u32 {
  return metaEncoding(itemMeta(item));
}

/** A random entry that has not expired; 0 when there is none. Expired ones met are deleted. */
export function dbRandom(db: usize): usize {
  const keys = dbKeys(db);
  // On a replica, or in a pause, expired keys stay; after this many of them one is returned all
  // the same.
  let tries: u32 = 100;
  let item = htRandom(keys);
  while (item != 0 && isExpired(item)) {
    if (!isReplica && paused == 0) {
      dbFindRaw(db, itemKeyPtr(item), itemKeyLen(item));
      dbExpireFound(db, item);
    } else if (tries-- == 0) {
      break;
    }
    item = htRandom(keys);
  }
  return item;
}

/** Exchanges the contents of two databases; clients and watches stay with the numbers. */
export function dbSwap(a: usize, b: usize): void {
  memory.copy(swapScratch, a, 2 * HT_SIZE);
  memory.copy(a, b, 2 * HT_SIZE);
  memory.copy(b, swapScratch, 2 * HT_SIZE);
  memory.copy(swapScratch, a + OFF_EXPIRE_CURSOR, 16);
  memory.copy(a + OFF_EXPIRE_CURSOR, b + OFF_EXPIRE_CURSOR, 16);
  memory.copy(b + OFF_EXPIRE_CURSOR, swapScratch, 16);
  memory.copy(swapScratch, a + OFF_TICKETS, TICKETS_SIZE);
  memory.copy(a + OFF_TICKETS, b + OFF_TICKETS, TICKETS_SIZE);
  memory.copy(b + OFF_TICKETS, swapScratch, TICKETS_SIZE);
}
const swapScratch = memory.data(64);
