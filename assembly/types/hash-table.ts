/**
 * A large hash (ENC_HT): a hash table of items whose key is the field.
 *
 *   Hash (32 bytes)
 *   +0  HashTable fields
 *   +20 u32 expiring     fields that have an expiry
 *   +24 i64 least        no field expires before this; valid while expiring > 0
 *
 *   item   flags [NUM: expiry] [PTR: blob] field [INLINE: value]
 *
 * `least` is a lower bound: it is lowered by every expiry set, and made exact by a walk over the
 * whole table (tableTakeExpired, tableExactMin).
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
  htRandom,
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

const OFF_EXPIRING: usize = HT_SIZE;
const OFF_LEAST: usize = 24;
const HASH_SIZE: usize = 32;

// @ts-ignore: decorator
@inline function fields(value: usize): HashTable {
  return changetype<HashTable>(value);
}

/** An empty table; 0: out of memory. */
export function tableCreate(): usize {
  const value = alloc(HASH_SIZE);
  if (value == 0) return 0;
  htInit(fields(value));
  store<u32>(value, 0, OFF_EXPIRING);
  store<i64>(value, -1, OFF_LEAST);
  return value;
}

export function tableCount(value: usize): u32 {
  return fields(value).count;
}

/** Fields that have an expiry. */
export function tableExpiring(value: usize): u32 {
  return load<u32>(value, OFF_EXPIRING);
}

/** See hashMinExpire. */
export function tableMinExpire(value: usize): i64 {
  return tableExpiring(value) == 0 ? -1 : load<i64>(value, OFF_LEAST);
}

function noteExpire(value: usize, ms: i64): void {
  const count = load<u32>(value, OFF_EXPIRING);
  store<u32>(value, count + 1, OFF_EXPIRING);
  if (count == 0 || ms < load<i64>(value, OFF_LEAST)) store<i64>(value, ms, OFF_LEAST);
}

/** An expiry is about to go with its item. */
// @ts-ignore: decorator
@inline function forgetExpire(value: usize, item: usize): void {
  if (itemFlags(item) & ITEM_NUM) {
    store<u32>(value, load<u32>(value, OFF_EXPIRING) - 1, OFF_EXPIRING);
  }
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
  if (!keepExpiry) forgetExpire(value, old);
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
  let target = item;
  if ((flags & ITEM_NUM) == 0) {
    target = itemReshape(item, flags | ITEM_NUM);
    if (target == 0) return ADD_OOM;
    htSetItem(slot, target);
  } else {
    forgetExpire(value, item);
  }
  itemSetExpire(target, ms);
  noteExpire(value, ms);
  return ADD_NEW;
}

/** A random field, read. */
export function tableRandom(value: usize): void {
  tableRead(htRandom(fields(value)));
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

/** Expired items found by a walk, removed behind it. */
const DUE_MAX: u32 = 256;
const due = memory.data(<i32>DUE_MAX * 4);
let dueCount: u32 = 0;
let dueLimit: u32 = 0;
let dueNow: i64 = 0;
let leastLeft: i64 = 0;

function collectDue(item: usize, _arg: usize): void {
  const ms = itemExpire(item);
  if (ms < 0) return;
  if (ms < dueNow && dueCount < dueLimit) {
    store<u32>(due + (<usize>dueCount << 2), <u32>item);
    dueCount++;
  } else if (ms < leastLeft) {
    leastLeft = ms;
  }
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
  let more = true;
  while (more) {
    dueNow = nowMs;
    dueCount = 0;
    dueLimit = min(limit - taken, DUE_MAX);
    leastLeft = i64.MAX_VALUE;
    let cursor: u64 = 0;
    do {
      cursor = htScan(fields(value), cursor, collectDue, 0);
    } while (cursor != 0);
    const full = dueCount == DUE_MAX;
    store<i64>(value, leastLeft, OFF_LEAST);
    for (let i: u32 = 0; i < dueCount; i++) {
      const item: usize = load<u32>(due + (<usize>i << 2));
      tableRead(item);
      visit(arg);
      tableRemove(value, itemKeyPtr(item), itemKeyLen(item));
    }
    taken += dueCount;
    more = full && taken < limit;
  }
  return taken;
}

function collectLeast(item: usize, _arg: usize): void {
  const ms = itemExpire(item);
  if (ms >= 0 && ms < leastLeft) leastLeft = ms;
}

/** The lowest expiry, exactly; -1 = none. O(n). */
export function tableExactMin(value: usize): i64 {
  if (tableExpiring(value) == 0) return -1;
  leastLeft = i64.MAX_VALUE;
  let cursor: u64 = 0;
  do {
    cursor = htScan(fields(value), cursor, collectLeast, 0);
  } while (cursor != 0);
  store<i64>(value, leastLeft, OFF_LEAST);
  return leastLeft;
}

// ---- the whole

/** Frees about `budget` fields; true when the value is gone. */
export function tableFreeStep(value: usize, budget: u32): bool {
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
  if (flags & ITEM_NUM) {
    itemSetExpire(fresh, itemExpire(item));
    noteExpire(copyTo, itemExpire(item));
  }
  return true;
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
  return usableSize(value) + htOverhead(fields(value)) + <usize>measured;
}
