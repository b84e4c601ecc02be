/**
 * A large hash (ENC_HT): a hash table of items whose key is the field.
 *
 *   Hash (24 bytes)      +0 HashTable fields   +20 u32 expiries, 0 = no field has one
 *   Expiries (24 bytes)  +0 RankTree order     +16 u32 count
 *
 *   item   flags [NUM: expiry] [PTR: blob] field [INLINE: value]
 *
 * The fields with an expiry stand in a rank tree as well (rank-tree.ts), so the next to expire is
 * found at once and what has expired can be counted and removed without walking over the rest. The
 * tree orders by f64; an expiry's bits, read as one, are a number too, and those of positive
 * integers are in the order of the integers. It must stay below EXPIRE_BEYOND, where the bits stop
 * being numbers.
 */
import { alloc, free, goodSize, usableSize } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import {
  HashTable,
  HT_SIZE,
  htClearStep,
  htFind,
  htHash,
  htInit,
  htInsertSlot,
  htItem,
  htOverhead,
  htRandomSlot,
  htRemove,
  htScan,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_INLINE,
  ITEM_INLINE_MAX,
  ITEM_LONG,
  ITEM_NUM,
  ITEM_PTR,
  itemExpire,
  itemFlags,
  itemInlineLen,
  itemInlinePtr,
  itemKeyLen,
  itemKeyPtr,
  itemNew,
  itemReshape,
  itemSetExpire,
  itemSetInlineLen,
  itemSetValue,
  itemSize,
  itemValue,
} from '../hashtable/item';
import { ADD_NEW, ADD_OLD, ADD_OOM, elSet, elSetExpire, valSet } from './element';
import {
  leafItem,
  RankTree,
  TREE_SIZE,
  treeCountScore,
  treeFreeStep,
  treeInit,
  treeInsert,
  treeMove,
  treeOverhead,
  treeRemove,
  treeReplace,
} from './rank-tree';

const OFF_EXPIRIES: usize = HT_SIZE;
const HASH_SIZE: usize = 24;
const OFF_EXPIRING: usize = TREE_SIZE;
const EXPIRIES_SIZE: usize = 24;
/** Infinity's bits: from here on they are no number's. */
const EXPIRE_BEYOND: i64 = 0x7ff0000000000000;

// @ts-ignore: decorator
@inline function fields(value: usize): HashTable {
  return changetype<HashTable>(value);
}

/** The expiries of a hash, 0 = none. */
// @ts-ignore: decorator
@inline function expiriesOf(value: usize): usize {
  return load<u32>(value, OFF_EXPIRIES);
}

// @ts-ignore: decorator
@inline function orderOf(expiries: usize): RankTree {
  return changetype<RankTree>(expiries);
}

/** An empty table; 0: out of memory. */
export function tableCreate(): usize {
  const value = alloc(HASH_SIZE);
  if (value == 0) return 0;
  htInit(fields(value));
  store<u32>(value, 0, OFF_EXPIRIES);
  return value;
}

export function tableCount(value: usize): u32 {
  return fields(value).count;
}

/** Fields that have an expiry. */
export function tableExpiring(value: usize): u32 {
  const expiries = expiriesOf(value);
  return expiries == 0 ? 0 : load<u32>(expiries, OFF_EXPIRING);
}

/** See hashMinExpire. */
// @ts-ignore: decorator
@inline export function tableMinExpire(value: usize): i64 {
  const expiries = expiriesOf(value);
  return expiries == 0 ? -1 : itemExpire(leafItem(orderOf(expiries).first, 0));
}

/** Fields whose expiry is before `nowMs`. O(log n). */
export function tableExpired(value: usize, nowMs: i64): u32 {
  const expiries = expiriesOf(value);
  return expiries == 0 ? 0 : treeCountScore(orderOf(expiries), reinterpret<f64>(nowMs), false);
}

/** Enters an item whose expiry is set. False: out of memory, nothing changed. */
function noteExpire(value: usize, item: usize): bool {
  let expiries = expiriesOf(value);
  const isFirst = expiries == 0;
  if (isFirst) {
    expiries = alloc(EXPIRIES_SIZE);
    if (expiries == 0) return false;
    treeInit(orderOf(expiries));
    store<u32>(expiries, 0, OFF_EXPIRING);
  }
  if (!treeInsert(orderOf(expiries), item)) {
    if (isFirst) free(expiries);
    return false;
  }
  store<u32>(value, <u32>expiries, OFF_EXPIRIES);
  store<u32>(expiries, load<u32>(expiries, OFF_EXPIRING) + 1, OFF_EXPIRING);
  return true;
}

/** An item is about to go, or its expiry. */
// @ts-ignore: decorator
@inline function forgetExpire(value: usize, item: usize): void {
  if (itemFlags(item) & ITEM_NUM) dropExpire(value, item);
}

function dropExpire(value: usize, item: usize): void {
  const expiries = expiriesOf(value);
  treeRemove(orderOf(expiries), item);
  const left = load<u32>(expiries, OFF_EXPIRING) - 1;
  store<u32>(expiries, left, OFF_EXPIRING);
  if (left != 0) return;
  free(expiries);
  store<u32>(value, 0, OFF_EXPIRIES);
}

/** Leaves value and expiry of an item in valPtr, valLen, elExpire. */
function readValue(item: usize): void {
  const flags = itemFlags(item);
  if (flags & ITEM_PTR) valSet(blobPtr(itemValue(item)), blobLen(itemValue(item)));
  else valSet(itemInlinePtr(item), itemInlineLen(item));
  elSetExpire(itemExpire(item));
}

/** Leaves all of an item in the globals of element.ts. */
export function tableRead(item: usize): void {
  elSet(itemKeyPtr(item), itemKeyLen(item));
  readValue(item);
}

/** Whether there is such a field; its value and expiry are read. */
export function tableFind(value: usize, field: usize, fieldLen: u32): bool {
  const slot = htFind(fields(value), field, fieldLen, htHash(field, fieldLen));
  if (slot == 0) return false;
  readValue(htItem(slot));
  return true;
}

function freeItem(item: usize): void {
  if (itemFlags(item) & ITEM_PTR) free(itemValue(item));
  free(item);
}

/** Whether `tablePut` leaves an old field's expiry alone; it takes it off otherwise. */
let keepExpiry: bool = false;
export function tableKeepExpiry(on: bool): void {
  keepExpiry = on;
}

/** Sets a field: ADD_NEW, ADD_OLD or ADD_OOM (nothing changed). */
export function tablePut(
  value: usize,
  field: usize,
  fieldLen: u32,
  src: usize,
  len: u32,
): i32 {
  const table = fields(value);
  const hash = htHash(field, fieldLen);
  let slot = htFind(table, field, fieldLen, hash);
  const old: usize = slot == 0 ? <usize>0 : htItem(slot);
  const oldFlags: u32 = old == 0 ? 0 : itemFlags(old);
  const inlined = len <= ITEM_INLINE_MAX;
  let flags: u32 = inlined ? ITEM_INLINE : ITEM_PTR;
  if (keepExpiry) flags |= oldFlags & ITEM_NUM;
  if (old != 0 && (oldFlags & ~ITEM_LONG) == flags && putInPlace(old, src, len)) return ADD_OLD;
  const fresh = itemNew(flags, field, fieldLen, inlined ? len : 0);
  if (fresh == 0) return ADD_OOM;
  if (inlined) {
    memory.copy(itemInlinePtr(fresh), src, len);
  } else {
    const blob = blobNew(src, len);
    if (blob == 0) {
      free(fresh);
      return ADD_OOM;
    }
    itemSetValue(fresh, blob);
  }
  if (flags & ITEM_NUM) itemSetExpire(fresh, itemExpire(old));
  if (old == 0) {
    slot = htInsertSlot(table, hash);
    if (slot == 0) {
      freeItem(fresh);
      return ADD_OOM;
    }
    htSetItem(slot, fresh);
    return ADD_NEW;
  }
  if (flags & ITEM_NUM) treeReplace(orderOf(expiriesOf(value)), old, fresh);
  else forgetExpire(value, old);
  htSetItem(slot, fresh);
  freeItem(old);
  return ADD_OLD;
}

/** Overwrites a value of the same kind if the item's block is just right for it. */
function putInPlace(item: usize, src: usize, len: u32): bool {
  const flags = itemFlags(item);
  if ((flags & ITEM_PTR) != 0) return false;
  if (goodSize(itemSize(flags, itemKeyLen(item), len)) != usableSize(item)) return false;
  memory.copy(itemInlinePtr(item), src, len);
  itemSetInlineLen(item, len);
  return true;
}

/** Removes a field; false if there is none. */
export function tableRemove(value: usize, field: usize, fieldLen: u32): bool {
  const table = fields(value);
  const hash = htHash(field, fieldLen);
  const slot = htFind(table, field, fieldLen, hash);
  if (slot == 0) return false;
  const item = htItem(slot);
  forgetExpire(value, item);
  htRemove(table, slot, hash);
  freeItem(item);
  return true;
}

/** See hashSetExpire. */
export function tableSetExpire(value: usize, field: usize, fieldLen: u32, ms: i64): i32 {
  const slot = htFind(fields(value), field, fieldLen, htHash(field, fieldLen));
  if (slot == 0) return ADD_OLD;
  const item = htItem(slot);
  const flags = itemFlags(item);
  if (ms == 0) {
    if ((flags & ITEM_NUM) == 0) return ADD_NEW;
    forgetExpire(value, item);
    htSetItem(slot, itemReshape(item, flags & ~ITEM_NUM));
    return ADD_NEW;
  }
  if (ms >= EXPIRE_BEYOND) ms = EXPIRE_BEYOND - 1;
  if (flags & ITEM_NUM) {
    const order = orderOf(expiriesOf(value));
    return treeMove(order, item, reinterpret<f64>(ms)) ? ADD_NEW : ADD_OOM;
  }
  const target = itemReshape(item, flags | ITEM_NUM);
  if (target == 0) return ADD_OOM;
  itemSetExpire(target, ms);
  if (noteExpire(value, target)) {
    htSetItem(slot, target);
    return ADD_NEW;
  }
  // Dropping a part never needs memory.
  htSetItem(slot, itemReshape(target, flags));
  return ADD_OOM;
}

/**
 * A random field, uniformly, read. A number above 0 that no other field has until the hash changes.
 */
export function tableRandom(value: usize): u32 {
  const item = htItem(htRandomSlot(fields(value)));
  tableRead(item);
  return <u32>item;
}

// ---- walks

let scanVisit: (arg: usize) => void = ignore;
function ignore(_arg: usize): void {}

function visitItem(item: usize, arg: usize): void {
  tableRead(item);
  scanVisit(arg);
}

export function tableScan(
  value: usize,
  cursor: u64,
  visit: (arg: usize) => void,
  arg: usize,
): u64 {
  const outer = scanVisit;
  scanVisit = visit;
  const next = htScan(fields(value), cursor, visitItem, arg);
  scanVisit = outer;
  return next;
}

/** See hashTakeExpired. */
export function tableTakeExpired(
  value: usize,
  nowMs: i64,
  limit: u32,
  visit: (arg: usize) => void,
  arg: usize,
): u32 {
  let taken: u32 = 0;
  for (; taken < limit; taken++) {
    const least = tableMinExpire(value);
    if (least < 0 || least >= nowMs) break;
    const item = leafItem(orderOf(expiriesOf(value)).first, 0);
    tableRead(item);
    visit(arg);
    tableRemove(value, itemKeyPtr(item), itemKeyLen(item));
  }
  return taken;
}

// ---- the whole

/** Frees about `budget` fields; true when the value is gone. */
export function tableFreeStep(value: usize, budget: u32): bool {
  const expiries = expiriesOf(value);
  if (expiries != 0) {
    if (!treeFreeStep(orderOf(expiries), max(budget >>> 3, 1))) return false;
    free(expiries);
    store<u32>(value, 0, OFF_EXPIRIES);
  }
  if (!htClearStep(fields(value), freeItem, max(budget >>> 3, 1))) return false;
  free(value);
  return true;
}

let copyTo: usize = 0;
let copyFailed: bool = false;

function copyOne(item: usize, _arg: usize): void {
  if (copyFailed) return;
  copyFailed = !copyInto(item);
}

function copyInto(item: usize): bool {
  const ptr = itemKeyPtr(item);
  const len = itemKeyLen(item);
  const flags = itemFlags(item);
  const inlineLen: u32 = flags & ITEM_INLINE ? itemInlineLen(item) : 0;
  const fresh = itemNew(flags, ptr, len, inlineLen);
  if (fresh == 0) return false;
  if (flags & ITEM_PTR) {
    const from = itemValue(item);
    const blob = blobNew(blobPtr(from), blobLen(from));
    if (blob == 0) {
      free(fresh);
      return false;
    }
    itemSetValue(fresh, blob);
  }
  memory.copy(itemInlinePtr(fresh), itemInlinePtr(item), inlineLen);
  const slot = htInsertSlot(fields(copyTo), htHash(ptr, len));
  if (slot == 0) {
    freeItem(fresh);
    return false;
  }
  htSetItem(slot, fresh);
  if ((flags & ITEM_NUM) == 0) return true;
  itemSetExpire(fresh, itemExpire(item));
  return noteExpire(copyTo, fresh);
}

/** A copy; 0: out of memory. */
export function tableDup(value: usize): usize {
  copyTo = tableCreate();
  if (copyTo == 0) return 0;
  copyFailed = false;
  let cursor: u64 = 0;
  do {
    cursor = htScan(fields(value), cursor, copyOne, 0);
  } while (cursor != 0 && !copyFailed);
  if (!copyFailed) return copyTo;
  tableFreeStep(copyTo, u32.MAX_VALUE);
  return 0;
}

let measured: u64 = 0;
let measuredCount: u32 = 0;
function measureItem(item: usize, _arg: usize): void {
  measured += usableSize(item);
  if (itemFlags(item) & ITEM_PTR) measured += usableSize(itemValue(item));
  measuredCount++;
}

/** Bytes of memory, estimated from `samples` fields (0 = all). */
export function tableMemory(value: usize, samples: u32): usize {
  measured = 0;
  measuredCount = 0;
  let cursor: u64 = 0;
  do {
    cursor = htScan(fields(value), cursor, measureItem, 0);
  } while (cursor != 0 && (samples == 0 || measuredCount < samples));
  if (measuredCount != 0) measured = measured * tableCount(value) / measuredCount;
  const expiries = expiriesOf(value);
  if (expiries != 0) {
    measured += usableSize(expiries) + treeOverhead(orderOf(expiries), tableExpiring(value));
  }
  return usableSize(value) + htOverhead(fields(value)) + <usize>measured;
}
