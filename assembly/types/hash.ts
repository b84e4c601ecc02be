/**
 * Hashes: fields with values, and since Redis 7.4 an expiry per field.
 *
 *   ENC_LISTPACK      field, value, field, value … as they came
 *   ENC_LISTPACK_EX   field, value, expiry (unix ms, 0 = none) …, those that expire first in order
 *                     of expiry, the others behind them as they came (hash-packed.ts)
 *   ENC_HT            Hash: a hash table of items; value inline up to ITEM_INLINE_MAX bytes, else a
 *                     blob (PTR); an expiry is the item's NUM (hash-table.ts)
 *
 * What it is not: it knows no clock. A field whose expiry has passed is a field like any other
 * here; commands hide it (elExpire), and `hashTakeExpired` removes it when they say so.
 *
 * Conversions happen at the same fields as in Redis; there is no way back to a smaller encoding.
 * What was found is left in elPtr/elLen (field), valPtr/valLen, elExpire (element.ts).
 */
import { free } from '../base/alloc';
import { prngBelow } from '../base/prng';
import {
  lpAppend,
  lpAppendInt,
  lpBytes,
  lpCheckMultiple,
  lpDeleteRangeAt,
  lpFind,
  lpFirst,
  lpGetText,
  lpLength,
  lpNew,
  lpNext,
  lpReplace,
  lpSafeToAdd,
  lpSeek,
  lpShrinkToFit,
  lpSkip,
  lpValInt,
  lpValLen,
  lpGetInt,
} from '../encoding/listpack';
import {
  ADD_NEW,
  ADD_OLD,
  ADD_OOM,
  BLOB_BAD,
  BLOB_TAKEN,
  elExpire,
  elLen,
  elPtr,
  elSetEntry,
  elSetExpire,
  valLen,
  valPtr,
  valSetEntry,
} from './element';
import { exIsOrdered, exOrder, exSetExpire } from './hash-packed';
import {
  tableCount,
  tableCreate,
  tableExpired,
  tableFind,
  tableMinExpire,
  tablePut,
  tableRandom,
  tableRemove,
  tableFreeStep,
  tableKeepExpiry,
  tableScan,
  tableSetExpire,
  tableTakeExpired,
} from './hash-table';
import { objChange, objEncoding, objMake, objMoved, objValue } from './holder';
import { hashMaxListpackEntries, hashMaxListpackValue } from './limits';
import { ENC_HT, ENC_LISTPACK, ENC_LISTPACK_EX, TYPE_HASH } from './object';

/** Entries a field takes in a compact encoding. */
// @ts-ignore: decorator
@inline function stepOf(encoding: u32): u32 {
  return encoding == ENC_LISTPACK_EX ? 3 : 2;
}

/** Makes `obj` an empty hash. False: out of memory. */
export function hashNew(obj: usize): bool {
  const lp = lpNew(0);
  if (lp == 0) return false;
  objMake(obj, TYPE_HASH, ENC_LISTPACK, lp);
  return true;
}

/**
 * Makes `obj` an empty hash in the encoding for a load of `count` fields; `expiring`: fields may
 * have an expiry (HASH_METADATA). False: no memory.
 */
export function hashLoadBegin(obj: usize, count: u64, expiring: bool): bool {
  if (count <= <u64>hashMaxListpackEntries) {
    if (!hashNew(obj)) return false;
    if (expiring) objChange(obj, ENC_LISTPACK_EX, objValue(obj));
    return true;
  }
  const value = tableCreate();
  if (value == 0) return false;
  objMake(obj, TYPE_HASH, ENC_HT, value);
  return true;
}

/** Number of fields, expired ones included. */
export function hashLen(obj: usize): u32 {
  return hashCount(objEncoding(obj), objValue(obj));
}

export function hashCount(encoding: u32, value: usize): u32 {
  if (encoding == ENC_HT) return tableCount(value);
  return lpLength(value) / stepOf(encoding);
}

// @ts-ignore: decorator
@inline function packedFind(obj: usize, field: usize, fieldLen: u32): usize {
  const lp = objValue(obj);
  return lpFind(lp, lpFirst(lp), field, fieldLen, stepOf(objEncoding(obj)) - 1);
}

// ---- setting

/**
 * Redis: HSET converts for all its arguments before it sets the first: `pairs` of them, `longest`
 * and `total` of their lengths. False: out of memory, nothing changed.
 */
export function hashPrepare(obj: usize, pairs: u32, longest: u32, total: u64): bool {
  if (objEncoding(obj) == ENC_HT) return true;
  const fits = longest <= hashMaxListpackValue && pairs <= hashMaxListpackEntries
    && total < <u64>u32.MAX_VALUE && lpSafeToAdd(objValue(obj), <u32>total);
  return fits || hashToTable(obj);
}

/** The next `put` leaves an old field's expiry alone. */
let keepExpiry: bool = false;
/** The next `put` leaves an old field alone altogether. */
let onlyNew: bool = false;

/**
 * Sets a field; an expiry it had is dropped. ADD_NEW, ADD_OLD (it has another value now) or ADD_OOM
 * (nothing changed but perhaps the encoding). `value` must not lie inside this hash. May grow
 * memory. O(1), O(n) in a listpack.
 */
export function hashSet(obj: usize, field: usize, fieldLen: u32, value: usize, valueLen: u32): i32 {
  return put(obj, field, fieldLen, value, valueLen);
}

/** The same, keeping an expiry the field has (HINCRBY, HSETEX KEEPTTL). */
export function hashUpdate(
  obj: usize,
  field: usize,
  fieldLen: u32,
  value: usize,
  valueLen: u32,
): i32 {
  keepExpiry = true;
  const result = put(obj, field, fieldLen, value, valueLen);
  keepExpiry = false;
  return result;
}

/** Adds a field that must be new: ADD_NEW, ADD_OLD (a duplicate, nothing changed) or ADD_OOM. */
export function hashAdd(obj: usize, field: usize, fieldLen: u32, value: usize, valueLen: u32): i32 {
  onlyNew = true;
  const result = put(obj, field, fieldLen, value, valueLen);
  onlyNew = false;
  return result;
}

function put(obj: usize, field: usize, fieldLen: u32, value: usize, valueLen: u32): i32 {
  if (objEncoding(obj) != ENC_HT) {
    const p = packedFind(obj, field, fieldLen);
    if (p != 0 && onlyNew) return ADD_OLD;
    const count = hashLen(obj) + (p == 0 ? 1 : 0);
    const fits = fieldLen <= hashMaxListpackValue && valueLen <= hashMaxListpackValue
      && count <= hashMaxListpackEntries
      && lpSafeToAdd(objValue(obj), fieldLen + valueLen);
    if (fits) return p != 0 ? packedReplace(obj, p, value, valueLen)
      : packedAppend(obj, field, fieldLen, value, valueLen);
    if (!hashToTable(obj)) return ADD_OOM;
  }
  const table = objValue(obj);
  if (onlyNew && tableFind(table, field, fieldLen)) return ADD_OLD;
  tableKeepExpiry(keepExpiry);
  const result = tablePut(table, field, fieldLen, value, valueLen);
  tableKeepExpiry(false);
  return result;
}

function packedReplace(obj: usize, p: usize, value: usize, valueLen: u32): i32 {
  const lp = objValue(obj);
  const off = <u32>(p - lp);
  const valueAt = lpNext(lp, p);
  const expires = objEncoding(obj) == ENC_LISTPACK_EX && !keepExpiry && tripleExpiry(lp, p) != 0;
  let moved = lpReplace(lp, valueAt, value, valueLen);
  if (moved == 0) return ADD_OOM;
  // Taking the expiry off never needs memory.
  if (expires) moved = exSetExpire(moved, moved + off, 0);
  objMoved(obj, moved);
  return ADD_OLD;
}

/** The expiry of the triple at `p`; 0 = none. */
function tripleExpiry(lp: usize, p: usize): i64 {
  lpGetInt(lpNext(lp, lpNext(lp, p)));
  return lpValInt;
}

function packedAppend(obj: usize, field: usize, fieldLen: u32, value: usize, valueLen: u32): i32 {
  let lp = objValue(obj);
  const off = lpBytes(lp) - 1;
  let moved = lpAppend(lp, field, fieldLen);
  if (moved == 0) return ADD_OOM;
  lp = moved;
  moved = lpAppend(lp, value, valueLen);
  if (moved != 0 && objEncoding(obj) == ENC_LISTPACK_EX) {
    lp = moved;
    moved = lpAppendInt(lp, 0);
  }
  objMoved(obj, moved != 0 ? moved : lpDeleteRangeAt(lp, lp + off, 3));
  return moved != 0 ? ADD_NEW : ADD_OOM;
}

// ---- encodings

/** Turns a compact hash into a table; false: out of memory, nothing changed. */
export function hashToTable(obj: usize): bool {
  const encoding = objEncoding(obj);
  const lp = objValue(obj);
  const table = tableCreate();
  if (table == 0) return false;
  let p = lpFirst(lp);
  while (p != 0) {
    const valueAt = lpNext(lp, p);
    elSetEntry(p);
    valSetEntry(valueAt);
    let last = valueAt;
    let expiry: i64 = 0;
    if (encoding == ENC_LISTPACK_EX) {
      last = lpNext(lp, valueAt);
      lpGetInt(last);
      expiry = lpValInt;
    }
    // A field that occurs twice in a foreign listpack keeps its last value.
    let ok = tablePut(table, elPtr, elLen, valPtr, valLen) != ADD_OOM;
    if (ok && expiry != 0) ok = tableSetExpire(table, elPtr, elLen, expiry) != ADD_OOM;
    if (!ok) {
      tableFreeStep(table, u32.MAX_VALUE);
      return false;
    }
    p = lpNext(lp, last);
  }
  free(lp);
  objChange(obj, ENC_HT, table);
  return true;
}

/**
 * Makes room for expiries: turns pairs into triples without expiry. Redis: a command that may set
 * an expiry does that whether it sets one or not. False: out of memory, nothing changed.
 */
export function hashToTriples(obj: usize): bool {
  if (objEncoding(obj) != ENC_LISTPACK) return true;
  const lp = objValue(obj);
  let to = lpNew(lpBytes(lp) + lpLength(lp));
  let p = lpFirst(lp);
  let n: u32 = 0;
  while (to != 0 && p != 0) {
    const text = lpGetText(p);
    let grown = lpAppend(to, text, lpValLen);
    if (grown != 0 && (n & 1) != 0) {
      to = grown;
      grown = lpAppendInt(to, 0);
    }
    if (grown == 0) free(to);
    to = grown;
    p = lpNext(lp, p);
    n++;
  }
  if (to == 0) return false;
  free(lp);
  objChange(obj, ENC_LISTPACK_EX, to);
  return true;
}

/**
 * Makes `obj` a hash of the valid owned listpack of pairs, converted when it is beyond the limit.
 * BLOB_TAKEN, BLOB_BAD (not pairs) or ADD_OOM; the listpack stays the caller's unless taken.
 * Duplicates are for the caller: lpCheckUnique(lp, 2).
 */
export function hashFromListpack(obj: usize, lp: usize): i32 {
  return hashFromZipmap(obj, lp, 0);
}

/** The same for what was a zipmap. Redis: only there the longest element counts as well. */
export function hashFromZipmap(obj: usize, lp: usize, longest: u32): i32 {
  if (!lpCheckMultiple(lp, 2)) return BLOB_BAD;
  const fits = lpLength(lp) / 2 <= hashMaxListpackEntries && longest <= hashMaxListpackValue;
  objMake(obj, TYPE_HASH, ENC_LISTPACK, fits ? lpShrinkToFit(lp) : lp);
  return fits || hashToTable(obj) ? BLOB_TAKEN : ADD_OOM;
}

/**
 * The same for triples field, value, expiry (0 = none), put into order where they are not.
 * BLOB_BAD also if an expiry is no number or negative. Duplicates: lpCheckUnique(lp, 3).
 */
export function hashFromListpackEx(obj: usize, lp: usize): i32 {
  if (!lpCheckMultiple(lp, 3)) return BLOB_BAD;
  for (let p = lpFirst(lp); p != 0; ) {
    const expiryAt = lpNext(lp, lpNext(lp, p));
    if (!lpGetInt(expiryAt) || lpValInt < 0) return BLOB_BAD;
    p = lpNext(lp, expiryAt);
  }
  const fits = lpLength(lp) / 3 <= hashMaxListpackEntries;
  objMake(obj, TYPE_HASH, ENC_LISTPACK_EX, fits ? lpShrinkToFit(lp) : lp);
  if (!fits) return hashToTable(obj) ? BLOB_TAKEN : ADD_OOM;
  if (!exIsOrdered(objValue(obj))) exOrder(objValue(obj));
  return BLOB_TAKEN;
}

// ---- getting and deleting

/** Whether there is such a field; its value is in valPtr, valLen, its expiry in elExpire. */
export function hashGet(obj: usize, field: usize, fieldLen: u32): bool {
  if (objEncoding(obj) == ENC_HT) return tableFind(objValue(obj), field, fieldLen);
  const p = packedFind(obj, field, fieldLen);
  if (p == 0) return false;
  readValue(objEncoding(obj), objValue(obj), p);
  return true;
}

/** Reads value and expiry behind the field `p`; returns the triple's or pair's last entry. */
function readValue(encoding: u32, lp: usize, p: usize): usize {
  const valueAt = lpNext(lp, p);
  valSetEntry(valueAt);
  elSetExpire(-1);
  if (encoding != ENC_LISTPACK_EX) return valueAt;
  const expiryAt = lpNext(lp, valueAt);
  lpGetInt(expiryAt);
  elSetExpire(lpValInt != 0 ? lpValInt : -1);
  return expiryAt;
}

/** Removes a field; false if there is none. Never needs memory. */
export function hashDelete(obj: usize, field: usize, fieldLen: u32): bool {
  const encoding = objEncoding(obj);
  if (encoding == ENC_HT) return tableRemove(objValue(obj), field, fieldLen);
  const p = packedFind(obj, field, fieldLen);
  if (p == 0) return false;
  objMoved(obj, lpDeleteRangeAt(objValue(obj), p, stepOf(encoding)));
  return true;
}

/**
 * A random field, uniformly, with value and expiry; the hash is not empty. A number above 0 that no
 * other field has until the hash changes.
 */
export function hashRandom(obj: usize): u32 {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) return tableRandom(value);
  const index = prngBelow(hashLen(obj));
  const p = lpSeek(value, <i32>(index * stepOf(encoding)));
  elSetEntry(p);
  readValue(encoding, value, p);
  return index + 1;
}

// ---- expiries

/**
 * Gives a field an expiry in unix ms (> 0), or with 0 takes it off. ADD_NEW: done; ADD_OLD: no such
 * field; ADD_OOM: nothing changed but perhaps the encoding. May grow memory (0 does not).
 */
export function hashSetExpire(obj: usize, field: usize, fieldLen: u32, ms: i64): i32 {
  if (objEncoding(obj) == ENC_HT) return tableSetExpire(objValue(obj), field, fieldLen, ms);
  let p = packedFind(obj, field, fieldLen);
  if (p == 0) return ADD_OLD;
  if (objEncoding(obj) == ENC_LISTPACK) {
    if (ms == 0) return ADD_NEW;
    if (!hashToTriples(obj)) return ADD_OOM;
    p = packedFind(obj, field, fieldLen);
  }
  const moved = exSetExpire(objValue(obj), p, ms);
  if (moved == 0) return ADD_OOM;
  objMoved(obj, moved);
  return ADD_NEW;
}

/** When the first field expires (unix ms); -1 = none does. */
// @ts-ignore: decorator
@inline export function hashMinExpire(obj: usize): i64 {
  return hashValueMinExpire(objEncoding(obj), objValue(obj));
}

// @ts-ignore: decorator
@inline export function hashValueMinExpire(encoding: u32, value: usize): i64 {
  if (encoding == ENC_HT) return tableMinExpire(value);
  return encoding == ENC_LISTPACK_EX ? packedMinExpire(value) : -1;
}

function packedMinExpire(lp: usize): i64 {
  const p = lpFirst(lp);
  const ms = p == 0 ? <i64>0 : tripleExpiry(lp, p);
  return ms != 0 ? ms : -1;
}

/** Fields whose expiry is before `nowMs`. O(log n); in a listpack as many as there are. */
export function hashExpired(obj: usize, nowMs: i64): u32 {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) return tableExpired(value, nowMs);
  if (encoding == ENC_LISTPACK) return 0;
  let count: u32 = 0;
  for (let p = lpFirst(value); p != 0; count++) {
    const ms = tripleExpiry(value, p);
    if (ms == 0 || ms >= nowMs) break;
    p = lpSkip(value, p, 3);
  }
  return count;
}

/**
 * Removes up to `limit` fields whose expiry is before `nowMs`, calling `visit(arg)` for each (field
 * in elPtr, elLen) just before. Returns how many. Redis: a field lives through the millisecond of
 * its expiry. O(removed), times O(log n) in a table. Never needs memory.
 */
export function hashTakeExpired(
  obj: usize,
  nowMs: i64,
  limit: u32,
  visit: (arg: usize) => void,
  arg: usize,
): u32 {
  const least = hashMinExpire(obj);
  if (least < 0 || least >= nowMs) return 0;
  if (objEncoding(obj) == ENC_HT) return tableTakeExpired(objValue(obj), nowMs, limit, visit, arg);
  const lp = objValue(obj);
  let taken: u32 = 0;
  for (let p = lpFirst(lp); p != 0 && taken < limit; taken++) {
    elSetEntry(p);
    const last = readValue(ENC_LISTPACK_EX, lp, p);
    if (elExpire < 0 || elExpire >= nowMs) break;
    visit(arg);
    p = lpNext(lp, last);
  }
  if (taken != 0) objMoved(obj, lpDeleteRangeAt(lp, lpFirst(lp), taken * 3));
  return taken;
}

// ---- scanning

/**
 * One step of a scan: `visit(arg)` for each field found, with value and expiry. Returns the next
 * cursor, 0 at the end. Redis: compact encodings are told whole, whatever the cursor. `visit` must
 * not change the hash.
 */
export function hashScan(obj: usize, cursor: u64, visit: (arg: usize) => void, arg: usize): u64 {
  const encoding = objEncoding(obj);
  const value = objValue(obj);
  if (encoding == ENC_HT) return tableScan(value, cursor, visit, arg);
  for (let p = lpFirst(value); p != 0; ) {
    elSetEntry(p);
    const last = readValue(encoding, value, p);
    visit(arg);
    p = lpNext(value, last);
  }
  return 0;
}

/** `visit(arg)` for every field, with value and expiry. It must not change the hash. O(n). */
export function hashEach(obj: usize, visit: (arg: usize) => void, arg: usize): void {
  let cursor: u64 = 0;
  do {
    cursor = hashScan(obj, cursor, visit, arg);
  } while (cursor != 0);
}
