/**
 * SORT and SORT_RO: arguments, patterns, replies, STORE. The vector and its order are in
 * types/sort-vector.ts.
 *
 * Redis: patterns and texts are C strings where they are searched, converted or collated: what
 * follows a NUL does not count there.
 */
import { alloc, free } from '../base/alloc';
import { bytesFind } from '../base/bytes';
import { doubleValue, string2d } from '../base/numbers/double';
import { isSpace, llValue, string2ll } from '../base/numbers/integers';
import { SCAN_HEX, scanExp2, scanHi, scanLo, scanNumber } from '../base/numbers/scan';
import { client, CLIENT_LIMITED } from '../clients/client';
import { dbAt, dbDelete, entryType, lookupRead, signalModified } from '../keyspace/db';
import { entryNew, entryPut } from '../keyspace/entries';
import { NOTIFY_GENERIC, NOTIFY_LIST, notifyKeyspaceEvent } from '../keyspace/notify';
import { loading, markDirty, nowMs } from '../keyspace/state';
import { stringRead, strLen, strPtr } from '../keyspace/strings';
import { freeValue } from '../keyspace/value';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import { replyArray, replyBulk, replyError, replyInt, replyNull } from '../resp/reply';
import { elExpire, valLen, valPtr } from '../types/element';
import { hashGet } from '../types/hash';
import { holder, objEncoding, objKind, objValue } from '../types/holder';
import { listLen, listNew, listPush } from '../types/list';
import {
  ENC_LISTPACK,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STRING,
  TYPE_ZSET,
} from '../types/object';
import { setLen } from '../types/set';
import {
  vecAddList,
  vecAddSet,
  vecAddZset,
  vecBegin,
  vecCount,
  vecFree,
  vecLen,
  vecPtr,
  vecRead,
  vecSetScore,
  vecSetText,
  vecSort,
} from '../types/sort-vector';
import { zsetLen, zsetToTree } from '../types/zset';
import { aclMayReadAnyKey } from './acl-check';
import { CMD_SORT, CMD_SORT_RO } from './generated/ids';

// ---- arguments

let isDescending: bool = false;
let isAlpha: bool = false;
/** The collection's own order is wanted: BY a pattern without a star. */
let isUnsorted: bool = false;
let limitStart: i64 = 0;
let limitCount: i64 = -1;
/** Arguments that hold the pattern of BY and the key of STORE, 0 = none. */
let byArg: u32 = 0;
let storeArg: u32 = 0;
/** Number of GETs; they are found again by `nextGet`. */
let gets: u32 = 0;

/** Patterns name keys that are not among the arguments. */
function mayReadAnyKey(readOnly: bool): bool {
  if ((client.flags & CLIENT_LIMITED) == 0) return true;
  return aclMayReadAnyKey(readOnly ? CMD_SORT_RO : CMD_SORT);
}

function optionsOrReply(readOnly: bool): bool {
  isDescending = false;
  isAlpha = false;
  isUnsorted = false;
  limitStart = 0;
  limitCount = -1;
  byArg = 0;
  storeArg = 0;
  gets = 0;
  for (let i: u32 = 2; i < argc; i++) {
    const left = argc - 1 - i;
    if (argIs(i, 'asc')) {
      isDescending = false;
    } else if (argIs(i, 'desc')) {
      isDescending = true;
    } else if (argIs(i, 'alpha')) {
      isAlpha = true;
    } else if (argIs(i, 'limit') && left >= 2) {
      if (!argI64OrReply(i + 1)) return false;
      limitStart = argInt;
      if (!argI64OrReply(i + 2)) return false;
      limitCount = argInt;
      i += 2;
    } else if (!readOnly && argIs(i, 'store') && left >= 1) {
      storeArg = ++i;
    } else if (argIs(i, 'by') && left >= 1) {
      byArg = ++i;
      if (starOf(i) == 0) {
        isUnsorted = true;
      } else if (!mayReadAnyKey(readOnly)) {
        replyError('ERR BY option of SORT denied due to insufficient ACL permissions.');
        return false;
      }
    } else if (argIs(i, 'get') && left >= 1) {
      if (!mayReadAnyKey(readOnly)) {
        replyError('ERR GET option of SORT denied due to insufficient ACL permissions.');
        return false;
      }
      gets++;
      i++;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** The argument that holds the pattern of the GET after argument `i`, which must exist. */
function nextGet(i: u32): u32 {
  while (true) {
    i++;
    if (argIs(i, 'get')) return i + 1;
    if (argIs(i, 'limit')) i += 2;
    else if (argIs(i, 'store') || argIs(i, 'by')) i++;
  }
}

// ---- patterns

/** Length of the C string in a text: up to its first NUL. */
function textLen(ptr: usize, len: u32): u32 {
  return <u32>(bytesFind(ptr, len, 0) - ptr);
}

/** Address of the first star in the pattern in argument `i`, 0 = there is none. */
function starOf(i: u32): usize {
  const len = textLen(argPtr(i), argLen(i));
  const star = bytesFind(argPtr(i), len, 42);
  return star == argPtr(i) + len ? 0 : star;
}

/** Address of "->" with a field behind it, from `ptr` on; `end` where there is none. */
function arrowOf(ptr: usize, end: usize): usize {
  const stop = ptr + textLen(ptr, <u32>(end - ptr));
  for (; ptr + 2 < stop; ptr++) {
    if (load<u16>(ptr) == 0x3e2d) return ptr;
  }
  return end;
}

const shortKey = memory.data(512);
/** What a pattern led to. */
let foundPtr: usize = 0;
let foundLen: u32 = 0;
/** There was no memory for a key. */
let isOut: bool = false;

/**
 * Finds what the pattern in argument `i` says about the element in vecPtr, vecLen: the element
 * itself for "#", the string or hash field of the key that has the element in place of the star.
 * False: nothing.
 */
function lookupPattern(i: u32): bool {
  const pattern = argPtr(i);
  if (load<u8>(pattern) == 35 && textLen(pattern, argLen(i)) == 1) {
    foundPtr = vecPtr;
    foundLen = vecLen;
    return true;
  }
  const star = starOf(i);
  if (star == 0) return false;
  const end = pattern + argLen(i);
  const arrow = arrowOf(star + 1, end);
  const before = <u32>(star - pattern);
  const behind = <u32>(arrow - star - 1);
  const size = <u64>before + vecLen + behind;
  const key = size <= 512 ? shortKey : size <= u32.MAX_VALUE ? alloc(<usize>size) : 0;
  if (key == 0) {
    isOut = true;
    return false;
  }
  memory.copy(key, pattern, before);
  memory.copy(key + before, vecPtr, vecLen);
  memory.copy(key + before + vecLen, star + 1, behind);
  const item = lookupRead(dbAt(client.db), key, <u32>size);
  if (key != shortKey) free(key);
  if (item == 0) return false;
  return arrow == end ? foundString(item) : foundField(item, arrow + 2, <u32>(end - arrow - 2));
}

function foundString(item: usize): bool {
  if (entryType(item) != TYPE_STRING) return false;
  stringRead(item);
  foundPtr = strPtr;
  foundLen = strLen;
  return true;
}

function foundField(item: usize, field: usize, fieldLen: u32): bool {
  if (entryType(item) != TYPE_HASH || !hashGet(item, field, fieldLen)) return false;
  if (elExpire >= 0 && elExpire < nowMs && !loading) return false;
  foundPtr = valPtr;
  foundLen = valLen;
  return true;
}

// ---- weights

/** The smallest normal double; below it C's strtod reports a loss where there was one. */
const LEAST_NORMAL: f64 = 2.2250738585072014e-308;

/** Reads a score as C's strtod would: space in front and an empty text are fine, a loss is not. */
function scoreOf(ptr: usize, len: u32): bool {
  if (len == 0 || load<u8>(ptr) == 0) {
    score = 0;
    return true;
  }
  if (string2ll(ptr, len)) {
    score = <f64>llValue;
    return true;
  }
  len = textLen(ptr, len);
  while (len != 0 && isSpace(load<u8>(ptr))) {
    ptr++;
    len--;
  }
  if (!string2d(ptr, len)) return false;
  score = doubleValue;
  return score == 0 || abs(score) >= LEAST_NORMAL || isExact(ptr, len);
}
let score: f64 = 0;

/** Whether a text below the normal doubles lost nothing: no decimal of sane length, hex may. */
function isExact(ptr: usize, len: u32): bool {
  return scanNumber(ptr, len) == SCAN_HEX && scanLo == 0 && scanExp2 + <i64>ctz(scanHi) >= -1074;
}

/** A score could not be read. */
let isNoNumber: bool = false;

/** Gives every element its weight. False: no memory. */
function weigh(): bool {
  for (let i: u32 = 0; i < vecCount; i++) {
    vecRead(i);
    const has = byArg == 0 || lookupPattern(byArg);
    if (isOut) return false;
    if (byArg == 0) {
      foundPtr = vecPtr;
      foundLen = vecLen;
    }
    if (isAlpha) {
      // Redis: what is stored is ordered by bytes, what is replied is collated.
      const len = storeArg != 0 ? foundLen : textLen(foundPtr, foundLen);
      if (!vecSetText(i, has ? foundPtr : 0, len)) return false;
    } else {
      const isNumber = !has || scoreOf(foundPtr, foundLen);
      if (!isNumber) isNoNumber = true;
      vecSetScore(i, has && isNumber ? score : 0);
    }
  }
  return true;
}

// ---- the result

/** The range of the vector that is the result; empty if first > last. */
let first: i64 = 0;
let last: i64 = -1;

/** Applies LIMIT to `count` elements. */
function limit(count: i64): void {
  first = min(max<i64>(limitStart, 0), count);
  const most = min(max<i64>(limitCount, -1), count);
  last = most < 0 ? count - 1 : min(first + most - 1, count - 1);
  if (first >= count) {
    first = count - 1;
    last = count - 2;
  }
}

/** Fills the vector from the collection at `obj` (0 = none). False: no memory. */
function fillVector(obj: usize): bool {
  const type = obj == 0 ? TYPE_LIST : entryType(obj);
  let count: u32 = 0;
  if (type == TYPE_SET) count = setLen(obj);
  else if (type == TYPE_ZSET) count = zsetLen(obj);
  else if (obj != 0) count = listLen(obj);
  limit(count);
  if (!isUnsorted || type == TYPE_SET) {
    if (!vecBegin(count)) return false;
    if (count == 0) return true;
    if (type == TYPE_SET) return vecAddSet(obj);
    return type == TYPE_LIST ? vecAddList(obj, 0, count, true) : vecAddZset(obj, 0, count, true);
  }
  // What is not sorted is read in the wanted direction, and no more of it than is wanted.
  const from = <u32>(isDescending ? <i64>count - 1 - first : first);
  const wanted = <u32>max<i64>(last - first + 1, 0);
  last -= first;
  first = 0;
  if (!vecBegin(wanted)) return false;
  const forward = !isDescending;
  return type == TYPE_LIST
    ? vecAddList(obj, from, wanted, forward)
    : vecAddZset(obj, from, wanted, forward);
}

function replyResult(): void {
  const count = last - first + 1;
  replyArray(gets == 0 ? count : count * gets);
  for (let i = first; i <= last; i++) {
    vecRead(<u32>i);
    if (gets == 0) replyBulk(vecPtr, vecLen);
    let arg: u32 = 1;
    for (let g: u32 = 0; g < gets; g++) {
      arg = nextGet(arg);
      if (lookupPattern(arg)) replyBulk(foundPtr, foundLen);
      else replyNull();
    }
  }
}

/** Adds the result to the list `fresh`. False: no memory. */
function fillList(fresh: usize): bool {
  for (let i = first; i <= last; i++) {
    vecRead(<u32>i);
    if (gets == 0 && !listPush(fresh, vecPtr, vecLen, false)) return false;
    let arg: u32 = 1;
    for (let g: u32 = 0; g < gets; g++) {
      arg = nextGet(arg);
      if (!lookupPattern(arg)) foundLen = 0;
      if (isOut || !listPush(fresh, foundPtr, foundLen, false)) return false;
    }
  }
  return true;
}

/** Makes the result the list at the key of STORE. False: no memory. */
function storeResult(): bool {
  const key = argPtr(storeArg);
  const keyLen = argLen(storeArg);
  const fresh = holder(0);
  if (!listNew(fresh)) return false;
  if (fillList(fresh)) {
    const entry = entryNew(key, keyLen, objKind(fresh), objValue(fresh));
    if (entry != 0 && entryPut(dbAt(client.db), entry)) return true;
    free(entry);
  }
  freeValue(TYPE_LIST, objEncoding(fresh), objValue(fresh));
  return false;
}

/** STORE: answers with the number of elements. False: no memory. */
function replyStored(): bool {
  const db = dbAt(client.db);
  const key = argPtr(storeArg);
  const keyLen = argLen(storeArg);
  const count = (last - first + 1) * max<u32>(gets, 1);
  if (count != 0) {
    if (!storeResult()) return false;
    signalModified(db, key, keyLen);
    notifyKeyspaceEvent(NOTIFY_LIST, 'sortstore', client.db, key, keyLen);
    markDirty(count);
  } else if (dbDelete(db, key, keyLen)) {
    signalModified(db, key, keyLen);
    notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, key, keyLen);
    markDirty(1);
  }
  replyInt(count);
  return true;
}

/** Everything behind the checks. False: no memory, nothing answered and nothing stored. */
function sortEntry(obj: usize): bool {
  // Redis: a sorted set that is sorted changes its encoding for good.
  const isPacked = obj != 0 && entryType(obj) == TYPE_ZSET && objEncoding(obj) == ENC_LISTPACK;
  if (isPacked && !zsetToTree(obj)) return false;
  if (!fillVector(obj)) return false;
  if (!isUnsorted && (!weigh() || !vecSort(isAlpha, isDescending))) return false;
  if (isNoNumber) replyError("ERR One or more scores can't be converted into double");
  else if (storeArg == 0) replyResult();
  else return replyStored();
  return true;
}

function sort(readOnly: bool): void {
  if (!optionsOrReply(readOnly)) return;
  const obj = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  const type = obj == 0 ? TYPE_LIST : entryType(obj);
  if (type != TYPE_LIST && type != TYPE_SET && type != TYPE_ZSET) {
    replyWrongType();
    return;
  }
  // Redis: a set has no order of its own, and what is stored must be the same everywhere.
  if (isUnsorted && type == TYPE_SET && storeArg != 0) {
    isUnsorted = false;
    isAlpha = true;
    byArg = 0;
  }
  isNoNumber = false;
  isOut = false;
  if (!sortEntry(obj)) replyOom();
  vecFree();
}

export function cmdSort(): void {
  sort(false);
}

export function cmdSortRo(): void {
  sort(true);
}
