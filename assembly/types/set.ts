/**
 * Sets: members without order.
 *
 *   ENC_INTSET     all members are integers, at most set-max-intset-entries of them
 *   ENC_LISTPACK   few short members (Redis 7.2; `set-max-listpack-entries 0` is Redis 7.0)
 *   ENC_HT         Set: a hash table of items without value
 *
 *   Set (20 bytes)   +0 HashTable members
 *
 * A set only ever moves down this list. Everything that may convert does so at the same element as
 * Redis. What was found is in elPtr, elLen (element.ts).
 */
import { alloc, free, usableSize } from '../base/alloc';
import { llChars, llValue, string2ll } from '../base/numbers/integers';
import { prngBelow } from '../base/prng';
import {
  intsetAdd,
  intsetChanged,
  intsetDup,
  intsetFind,
  intsetGet,
  intsetLen,
  intsetMax,
  intsetMin,
  intsetNew,
  intsetRemove,
} from '../encoding/intset';
import {
  lpAppend,
  lpDelete,
  lpDup,
  lpFind,
  lpFirst,
  lpLength,
  lpNew,
  lpNext,
  lpSafeToAdd,
  lpSeek,
  lpShrinkToFit,
} from '../encoding/listpack';
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
import { itemKeyLen, itemKeyPtr, itemNew } from '../hashtable/item';
import {
  ADD_NEW,
  ADD_OLD,
  ADD_OOM,
  BLOB_TAKEN,
  elIsPrinted,
  elLen,
  elPtr,
  elSet,
  elSetEntry,
  elSetInt,
} from './element';
import { objChange, objEncoding, objMake, objMoved, objValue } from './holder';
import { setMaxIntsetEntries, setMaxListpackEntries, setMaxListpackValue } from './limits';
import { ENC_HT, ENC_INTSET, ENC_LISTPACK, TYPE_SET } from './object';

/** Redis: an intset never holds more, whatever the directive says. */
const INTSET_LIMIT: u32 = 1 << 30;

// @ts-ignore: decorator
@inline function members(value: usize): HashTable {
  return changetype<HashTable>(value);
}

/** An empty value of an encoding; 0: out of memory. */
function create(encoding: u32): usize {
  if (encoding == ENC_INTSET) return intsetNew();
  if (encoding == ENC_LISTPACK) return lpNew(0);
  const value = alloc(HT_SIZE);
  if (value != 0) htInit(members(value));
  return value;
}

function make(obj: usize, encoding: u32): bool {
  const value = create(encoding);
  if (value == 0) return false;
  objMake(obj, TYPE_SET, encoding, value);
  return true;
}

// @ts-ignore: decorator
@inline function intsetMost(): u32 {
  return min(setMaxIntsetEntries, INTSET_LIMIT);
}

/**
 * Makes `obj` an empty set for a first member and about `count` in all. Redis: SADD passes how many
 * members it was given. False: out of memory.
 */
export function setNew(obj: usize, ptr: usize, len: u32, count: u64): bool {
  if (count <= <u64>setMaxIntsetEntries && string2ll(ptr, len)) return make(obj, ENC_INTSET);
  return make(obj, count <= <u64>setMaxListpackEntries ? ENC_LISTPACK : ENC_HT);
}

/**
 * Makes `obj` an empty set for a result that is built up: of integers as long as it can be
 * (`fromInts`), or a listpack, which takes members at its end without searching for their place.
 * False: out of memory.
 */
export function setResultBegin(obj: usize, fromInts: bool): bool {
  return make(obj, fromInts ? ENC_INTSET : ENC_LISTPACK);
}

/** Makes `obj` an empty set in the encoding for a load of `count` elements. False: no memory. */
export function setLoadBegin(obj: usize, count: u64): bool {
  return make(obj, count <= <u64>intsetMost() ? ENC_INTSET : ENC_HT);
}

/** Number of members. */
export function setLen(obj: usize): u32 {
  return setCount(objEncoding(obj), objValue(obj));
}

export function setCount(encoding: u32, value: usize): u32 {
  if (encoding == ENC_HT) return members(value).count;
  return encoding == ENC_INTSET ? intsetLen(value) : lpLength(value);
}

// ---- adding

/**
 * Adds a member: ADD_NEW, ADD_OLD (it was one; a duplicate, for a loader) or ADD_OOM (nothing
 * changed but perhaps the encoding). May grow memory.
 */
export function setAdd(obj: usize, ptr: usize, len: u32): i32 {
  const encoding = objEncoding(obj);
  if (encoding == ENC_HT) return tableAdd(objValue(obj), ptr, len);
  if (encoding == ENC_INTSET) return intsetPut(obj, ptr, len);
  return packedAdd(obj, ptr, len);
}

const ownText = memory.data(32);

/** Adds the element read last (elPtr, elLen), which may be another set's; results as setAdd. */
export function setAddElement(obj: usize): i32 {
  const len = elLen;
  if (!elIsPrinted()) return setAdd(obj, elPtr, len);
  // A change of encoding reads elements too.
  memory.copy(ownText, elPtr, len);
  return setAdd(obj, ownText, len);
}

function tableAdd(value: usize, ptr: usize, len: u32): i32 {
  const table = members(value);
  const hash = htHash(ptr, len);
  if (htFind(table, ptr, len, hash) != 0) return ADD_OLD;
  const item = itemNew(0, ptr, len, 0);
  if (item == 0) return ADD_OOM;
  const slot = htInsertSlot(table, hash);
  if (slot == 0) {
    free(item);
    return ADD_OOM;
  }
  htSetItem(slot, item);
  return ADD_NEW;
}

function packedAdd(obj: usize, ptr: usize, len: u32): i32 {
  const lp = objValue(obj);
  if (lpFind(lp, lpFirst(lp), ptr, len, 0) != 0) return ADD_OLD;
  const fits = lpLength(lp) < setMaxListpackEntries && len <= setMaxListpackValue
    && lpSafeToAdd(lp, len);
  if (fits) {
    const moved = lpAppend(lp, ptr, len);
    if (moved == 0) return ADD_OOM;
    objMoved(obj, moved);
    return ADD_NEW;
  }
  if (!setConvert(obj, ENC_HT)) return ADD_OOM;
  return tableAdd(objValue(obj), ptr, len);
}

function intsetPut(obj: usize, ptr: usize, len: u32): i32 {
  const is = objValue(obj);
  if (string2ll(ptr, len)) {
    const number = llValue;
    if (intsetFind(is, number)) return ADD_OLD;
    // Redis: the set is converted after the addition that takes it beyond the limit.
    if (intsetLen(is) >= intsetMost()) {
      if (!setConvert(obj, ENC_HT)) return ADD_OOM;
      return tableAdd(objValue(obj), ptr, len);
    }
    const moved = intsetAdd(is, number);
    if (moved == 0) return ADD_OOM;
    objMoved(obj, moved);
    return intsetChanged ? ADD_NEW : ADD_OLD;
  }
  if (!setConvert(obj, packsWith(is, len) ? ENC_LISTPACK : ENC_HT)) return ADD_OOM;
  return setAdd(obj, ptr, len);
}

/** Whether an intset and one more string of `len` bytes make a listpack. */
function packsWith(is: usize, len: u32): bool {
  const count = intsetLen(is);
  if (count >= setMaxListpackEntries || len > setMaxListpackValue) return false;
  if (count == 0) return lpSafeToAdd(0, len);
  const longest = max(llChars(intsetMax(is)), llChars(intsetMin(is)));
  return longest <= setMaxListpackValue;
}

// ---- encodings

/**
 * Redis: a set that is to get more members than a compact encoding takes becomes a table before
 * any of them is added, whether they are new or not. False: out of memory, nothing changed.
 */
export function setPrepare(obj: usize, adding: u32): bool {
  const encoding = objEncoding(obj);
  const isTooMany = encoding == ENC_LISTPACK ? adding > setMaxListpackEntries
    : encoding == ENC_INTSET && adding > setMaxIntsetEntries;
  return !isTooMany || setConvert(obj, ENC_HT);
}

/** Turns a set of integers alone into an intset if it can be one. False: out of memory. */
export function setToIntset(obj: usize): bool {
  const encoding = objEncoding(obj);
  if (encoding == ENC_INTSET || setLen(obj) > intsetMost()) return true;
  const is = intsetNew();
  if (is == 0) return false;
  gathered = is;
  gatherFailed = false;
  gatherStopped = false;
  let cursor: u64 = 0;
  do {
    cursor = setScan(obj, cursor, gatherInt, 0);
  } while (cursor != 0 && !gatherStopped);
  if (gatherStopped) {
    free(gathered);
    return !gatherFailed;
  }
  setFreeStep(encoding, objValue(obj), u32.MAX_VALUE);
  objChange(obj, ENC_INTSET, gathered);
  return true;
}

/** The intset being gathered; it ends at the first member that is no integer. */
let gathered: usize = 0;
let gatherStopped: bool = false;
let gatherFailed: bool = false;
function gatherInt(_arg: usize): void {
  if (gatherStopped) return;
  if (!string2ll(elPtr, elLen)) {
    gatherStopped = true;
    return;
  }
  const moved = intsetAdd(gathered, llValue);
  gatherFailed = moved == 0;
  gatherStopped = gatherFailed;
  if (!gatherFailed) gathered = moved;
}

/** Turns the set into another encoding (ENC_LISTPACK, ENC_HT); false: out of memory, unchanged. */
export function setConvert(obj: usize, to: u32): bool {
  const from = objEncoding(obj);
  const old = objValue(obj);
  let value = create(to);
  if (value == 0) return false;
  const count = setCount(from, old);
  let p: usize = from == ENC_LISTPACK ? lpFirst(old) : 0;
  for (let i: u32 = 0; i < count; i++) {
    if (from == ENC_INTSET) {
      elSetInt(intsetGet(old, i));
    } else {
      elSetEntry(p);
      p = lpNext(old, p);
    }
    let ok: bool;
    if (to == ENC_LISTPACK) {
      const moved = lpAppend(value, elPtr, elLen);
      ok = moved != 0;
      if (ok) value = moved;
    } else {
      // A member that occurs twice in a foreign listpack is one member from here on.
      ok = tableAdd(value, elPtr, elLen) != ADD_OOM;
    }
    if (!ok) {
      setFreeStep(to, value, u32.MAX_VALUE);
      return false;
    }
  }
  free(old);
  objChange(obj, to, value);
  return true;
}

/**
 * Makes `obj` a set of the valid owned intset `is`, converted when it is beyond the limit.
 * BLOB_TAKEN or ADD_OOM (then `is` is still the caller's).
 */
export function setFromIntset(obj: usize, is: usize): i32 {
  objMake(obj, TYPE_SET, ENC_INTSET, is);
  if (intsetLen(is) <= setMaxIntsetEntries) return BLOB_TAKEN;
  return setConvert(obj, ENC_HT) ? BLOB_TAKEN : ADD_OOM;
}

/**
 * The same for a valid owned listpack. BLOB_TAKEN or ADD_OOM. Duplicates are for the caller:
 * lpCheckUnique(lp, 1).
 */
export function setFromListpack(obj: usize, lp: usize): i32 {
  const fits = lpLength(lp) <= setMaxListpackEntries;
  objMake(obj, TYPE_SET, ENC_LISTPACK, fits ? lpShrinkToFit(lp) : lp);
  return fits || setConvert(obj, ENC_HT) ? BLOB_TAKEN : ADD_OOM;
}

// ---- members

/** Whether it is a member. O(1); O(log n) in an intset, O(n) in a listpack. */
export function setHas(obj: usize, ptr: usize, len: u32): bool {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) return htFind(members(value), ptr, len, htHash(ptr, len)) != 0;
  if (encoding == ENC_INTSET) return string2ll(ptr, len) && intsetFind(value, llValue);
  return lpFind(value, lpFirst(value), ptr, len, 0) != 0;
}

/**
 * Whether the member that a scan of another set is at is a member of this one too: setHas without
 * hashing or parsing it again for each set. Only from within the scan's `visit`.
 */
export function setHasMet(obj: usize): bool {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) {
    if (metHash == 0) metHash = htHash(elPtr, elLen);
    return htFind(members(value), elPtr, elLen, metHash) != 0;
  }
  if (encoding == ENC_INTSET && metIsInt) return intsetFind(value, metInt);
  return setHas(obj, elPtr, elLen);
}

/** Removes a member; false if it is none. Never needs memory. */
export function setRemove(obj: usize, ptr: usize, len: u32): bool {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) {
    const hash = htHash(ptr, len);
    const slot = htFind(members(value), ptr, len, hash);
    if (slot == 0) return false;
    const item = htItem(slot);
    htRemove(members(value), slot, hash);
    free(item);
    return true;
  }
  if (encoding == ENC_INTSET) {
    if (!string2ll(ptr, len)) return false;
    objMoved(obj, intsetRemove(value, llValue));
    return intsetChanged;
  }
  const p = lpFind(value, lpFirst(value), ptr, len, 0);
  if (p == 0) return false;
  objMoved(obj, lpDelete(value, p));
  return true;
}

// ---- random members

/** Where the member picked last is: slot, index or listpack entry. */
let picked: usize = 0;

/**
 * Picks a member at random, uniformly; it is in elPtr, elLen, and setRemovePicked may follow. The
 * set is not empty. A number above 0 that no other member has until the set changes.
 */
export function setRandom(obj: usize): u32 {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) {
    picked = htRandomSlot(members(value));
    visitKey(htItem(picked));
    return <u32>htItem(picked);
  }
  const index = prngBelow(setCount(encoding, value));
  if (encoding == ENC_INTSET) {
    picked = index;
    elSetInt(intsetGet(value, index));
  } else {
    picked = lpSeek(value, <i32>index);
    elSetEntry(picked);
  }
  return index + 1;
}

/** Removes the member that setRandom picked; elPtr is no longer good. Never needs memory. */
export function setRemovePicked(obj: usize): void {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) {
    const item = htItem(picked);
    htRemove(members(value), picked, htHash(itemKeyPtr(item), itemKeyLen(item)));
    free(item);
  } else if (encoding == ENC_INTSET) {
    objMoved(obj, intsetRemove(value, intsetGet(value, <u32>picked)));
  } else {
    objMoved(obj, lpDelete(value, picked));
  }
}

// ---- scanning

/** The member a scan is at: its number where it came as one, its hash where it is known. */
let metIsInt: bool = false;
let metInt: i64 = 0;
let metHash: u64 = 0;

let scanVisit: (arg: usize) => void = ignore;
function ignore(_arg: usize): void {}

// @ts-ignore: decorator
@inline function visitKey(item: usize): void {
  elSet(itemKeyPtr(item), itemKeyLen(item));
}

function visitItem(item: usize, arg: usize): void {
  visitKey(item);
  metIsInt = false;
  metHash = 0;
  scanVisit(arg);
}

/**
 * One step of a scan: `visit(arg)` for each member found, which is in elPtr, elLen. Returns the
 * next cursor, 0 at the end; starting at 0 and going on to 0 visits every member once if the set
 * does not change. Redis: compact encodings are told whole, whatever the cursor. `visit` must not
 * change the set.
 */
export function setScan(obj: usize, cursor: u64, visit: (arg: usize) => void, arg: usize): u64 {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) {
    const outer = scanVisit;
    scanVisit = visit;
    const next = htScan(members(value), cursor, visitItem, arg);
    scanVisit = outer;
    return next;
  }
  if (encoding == ENC_INTSET) {
    const count = intsetLen(value);
    for (let i: u32 = 0; i < count; i++) {
      metInt = intsetGet(value, i);
      metIsInt = true;
      metHash = 0;
      elSetInt(metInt);
      visit(arg);
    }
    return 0;
  }
  for (let p = lpFirst(value); p != 0; p = lpNext(value, p)) {
    elSetEntry(p);
    metIsInt = false;
    metHash = 0;
    visit(arg);
  }
  return 0;
}

/** `visit(arg)` for every member, in elPtr, elLen. It must not change the set. O(n). */
export function setEach(obj: usize, visit: (arg: usize) => void, arg: usize): void {
  let cursor: u64 = 0;
  do {
    cursor = setScan(obj, cursor, visit, arg);
  } while (cursor != 0);
}

// ---- the value as a whole (value.ts)

function freeItem(item: usize): void {
  free(item);
}

/** Frees about `budget` members; true when the value is gone. */
export function setFreeStep(encoding: u32, value: usize, budget: u32): bool {
  if (encoding == ENC_HT && !htClearStep(members(value), freeItem, max(budget >>> 3, 1))) {
    return false;
  }
  free(value);
  return true;
}

let copyTo: usize = 0;
let copyFailed: bool = false;
function copyItem(item: usize, _arg: usize): void {
  if (copyFailed) return;
  copyFailed = tableAdd(copyTo, itemKeyPtr(item), itemKeyLen(item)) == ADD_OOM;
}

/** A copy in the same encoding; 0: out of memory. */
export function setDup(encoding: u32, value: usize): usize {
  if (encoding == ENC_INTSET) return intsetDup(value);
  if (encoding == ENC_LISTPACK) return lpDup(value);
  copyTo = create(ENC_HT);
  if (copyTo == 0) return 0;
  copyFailed = false;
  let cursor: u64 = 0;
  do {
    cursor = htScan(members(value), cursor, copyItem, 0);
  } while (cursor != 0 && !copyFailed);
  if (!copyFailed) return copyTo;
  setFreeStep(ENC_HT, copyTo, u32.MAX_VALUE);
  return 0;
}

let measured: u64 = 0;
let measuredCount: u32 = 0;
function measureItem(item: usize, _arg: usize): void {
  measured += usableSize(item);
  measuredCount++;
}

/** Bytes of memory, estimated from `samples` members (0 = all). */
export function setMemory(encoding: u32, value: usize, samples: u32): usize {
  if (encoding != ENC_HT) return usableSize(value);
  const table = members(value);
  measured = 0;
  measuredCount = 0;
  let cursor: u64 = 0;
  do {
    cursor = htScan(table, cursor, measureItem, 0);
  } while (cursor != 0 && (samples == 0 || measuredCount < samples));
  if (measuredCount != 0) measured = measured * table.count / measuredCount;
  return usableSize(value) + htOverhead(table) + <usize>measured;
}
