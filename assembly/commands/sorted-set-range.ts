/**
 * Commands on ranges of sorted sets, by rank, score or bytes: reading, counting, removing, storing.
 * Every range becomes one of ranks: `first` … `beyond` - 1, counted from the lowest member.
 */
import { bytesCompare } from '../base/bytes';
import { doubleValue, string2d } from '../base/numbers/double';
import { isSpace } from '../base/numbers/integers';
import {
  SCAN_DECIMAL,
  SCAN_HEX,
  scanExp,
  scanExp2,
  scanNeg,
  scanNumber,
} from '../base/numbers/scan';
import { client } from '../clients/client';
import {
  dbAt,
  dbTakeFound,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { NOTIFY_GENERIC, NOTIFY_ZSET, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { freeEntry } from '../keyspace/value';
import { zsetDiscard, zsetStore } from '../keyspace/zset-store';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDouble,
  replyError,
  replyInt,
  respVersion,
} from '../resp/reply';
import { ADD_OOM, elLen, elPtr, elScore } from '../types/element';
import { holder } from '../types/holder';
import { TYPE_ZSET } from '../types/object';
import {
  zsetAdd,
  zsetEdge,
  zsetLen,
  zsetNew,
  ZsetPos,
  zsetRankOfLex,
  zsetRankOfLexDown,
  zsetRankOfScore,
  zsetRemoveRanks,
  zsetSeek,
  zsetStep,
} from '../types/zset';

const pos = changetype<ZsetPos>(memory.data(16));

/** What a range is given by; RANGE_AUTO: options say it. */
const BY_RANK: u32 = 0;
const BY_SCORE: u32 = 1;
const BY_LEX: u32 = 2;
const BY_AUTO: u32 = 3;
/** Direction. */
const FORWARD: u32 = 0;
const REVERSE: u32 = 1;
const EITHER: u32 = 2;

/** The sorted set of the command, 0 = none. */
let zset: usize = 0;

let rangeBy: u32 = BY_RANK;
let isReverse: bool = false;
let withScores: bool = false;
let limitOffset: i64 = 0;
let limitCount: i64 = -1;

/** Looks up the sorted set in argument `arg`; false: it is something else, answered. */
function zsetOrReply(arg: u32, write: bool): bool {
  const db = dbAt(client.db);
  zset = write
    ? lookupWrite(db, argPtr(arg), argLen(arg))
    : lookupRead(db, argPtr(arg), argLen(arg));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

// ---- bounds

/** One end of a range by score or bytes. */
@unmanaged
class Bound {
  score: f64;
  ptr: usize;
  len: u32;
  /** -1: below everything, 1: above everything, 0: the bytes. */
  edge: i32;
  /** The bound itself lies outside. */
  isOpen: bool;
}
const low = changetype<Bound>(memory.data(offsetof<Bound>(), 8));
const high = changetype<Bound>(memory.data(offsetof<Bound>(), 8));

/** Ranks of the range's ends if it is BY_RANK, as they were given. */
let startRank: i64 = 0;
let endRank: i64 = 0;

/** Reads `x` or `(x`. Redis: C's strtod up to a NUL, so space in front and "" are fine. */
function readScore(bound: Bound, arg: u32): bool {
  let ptr = argPtr(arg);
  let len: u32 = 0;
  while (len < argLen(arg) && load<u8>(ptr + len) != 0) len++;
  bound.isOpen = len != 0 && load<u8>(ptr) == 40;
  if (bound.isOpen) {
    ptr++;
    len--;
  }
  bound.score = 0;
  if (len == 0) return true;
  while (len != 0 && isSpace(load<u8>(ptr))) {
    ptr++;
    len--;
  }
  if (string2d(ptr, len)) {
    bound.score = doubleValue;
    return true;
  }
  // Numbers beyond what a double can tell are infinite or zero here.
  const kind = scanNumber(ptr, len);
  if (kind != SCAN_DECIMAL && kind != SCAN_HEX) return false;
  const isLarge = kind == SCAN_DECIMAL ? scanExp > 0 : scanExp2 > 0;
  const size: f64 = isLarge ? Infinity : 0;
  bound.score = scanNeg ? -size : size;
  return true;
}

/** Reads `-`, `+`, `[bytes` or `(bytes`. */
function readLex(bound: Bound, arg: u32): bool {
  const ptr = argPtr(arg);
  const len = argLen(arg);
  if (len == 0) return false;
  const c: u32 = load<u8>(ptr);
  bound.edge = 0;
  bound.isOpen = c == 40;
  if (c == 43 || c == 45) {
    bound.edge = c == 43 ? 1 : -1;
    // Redis: either edge as the minimum or maximum counts as one that lies outside.
    bound.isOpen = true;
    return len == 1;
  }
  bound.ptr = ptr + 1;
  bound.len = len - 1;
  return c == 40 || c == 91;
}

/** Reads both ends of the range from arguments `at` and `at` + 1; false: answered. */
function boundsOrReply(at: u32): bool {
  if (rangeBy == BY_RANK) {
    if (!argI64OrReply(at)) return false;
    startRank = argInt;
    if (!argI64OrReply(at + 1)) return false;
    endRank = argInt;
    return true;
  }
  // In reverse the higher bound comes first.
  const minArg = isReverse ? at + 1 : at;
  const maxArg = isReverse ? at : at + 1;
  if (rangeBy == BY_SCORE) {
    if (readScore(low, minArg) && readScore(high, maxArg)) return true;
    replyError('ERR min or max is not a float');
  } else {
    if (readLex(low, minArg) && readLex(high, maxArg)) return true;
    replyError('ERR min or max not valid string range item');
  }
  return false;
}

// ---- ranks

/** The range as ranks. */
let first: i64 = 0;
let beyond: i64 = 0;

/** Order of the member in elPtr against a bound by bytes. */
function compareTo(bound: Bound): i32 {
  if (bound.edge != 0) return -bound.edge;
  return bytesCompare(elPtr, elLen, bound.ptr, bound.len);
}

/** Whether the lowest and the highest member allow anything to be in the range by bytes. */
function mayHaveLex(): bool {
  let order = low.edge - high.edge;
  if (low.edge == 0 && high.edge == 0) order = bytesCompare(low.ptr, low.len, high.ptr, high.len);
  if (order > 0 || (order == 0 && (low.isOpen || high.isOpen))) return false;
  zsetEdge(zset, true);
  const top = compareTo(low);
  if (top < 0 || (top == 0 && low.isOpen)) return false;
  zsetEdge(zset, false);
  const bottom = compareTo(high);
  return bottom < 0 || (bottom == 0 && !high.isOpen);
}

/**
 * Ranks of a range by bytes. Redis: looked for from the end at which reading begins, which shows
 * where scores differ.
 */
function lexRange(): void {
  first = 0;
  beyond = 0;
  if (!mayHaveLex()) return;
  const count = zsetLen(zset);
  let from: u32 = 0;
  let to = count;
  if (isReverse) {
    if (high.edge == 0) to = zsetRankOfLexDown(zset, count, high.ptr, high.len, !high.isOpen);
    if (low.edge == 0) from = zsetRankOfLexDown(zset, to, low.ptr, low.len, low.isOpen);
  } else {
    if (low.edge == 0) from = zsetRankOfLex(zset, low.ptr, low.len, low.isOpen);
    if (high.edge == 0) to = zsetRankOfLex(zset, high.ptr, high.len, !high.isOpen);
  }
  first = from;
  beyond = max(from, to);
}

function scoreRange(): void {
  first = zsetRankOfScore(zset, low.score, low.isOpen);
  beyond = zsetRankOfScore(zset, high.score, !high.isOpen);
  if (first > beyond) beyond = first;
}

/** Positions from either end as ranks. */
function rankedRange(): void {
  const count: i64 = zsetLen(zset);
  const start = startRank < 0 ? max(startRank + count, 0) : startRank;
  const end = min(endRank < 0 ? endRank + count : endRank, count - 1);
  first = 0;
  beyond = 0;
  if (start > end) return;
  first = isReverse ? count - 1 - end : start;
  beyond = isReverse ? count - start : end + 1;
}

/** Finds the range in the sorted set. */
function findRange(): void {
  if (rangeBy == BY_RANK) rankedRange();
  else if (rangeBy == BY_SCORE) scoreRange();
  else lexRange();
}

/**
 * Cuts the range by LIMIT; a negative count is none, a negative offset is beyond everything. Redis:
 * a range by rank that has a count of -1 may name an offset, which means nothing.
 */
function applyLimit(): void {
  if (rangeBy == BY_RANK || (limitOffset == 0 && limitCount < 0)) return;
  const count = beyond - first;
  const skipped = limitOffset < 0 ? count : min(limitOffset, count);
  const kept = limitCount < 0 ? count - skipped : min(limitCount, count - skipped);
  if (isReverse) {
    beyond -= skipped;
    first = beyond - kept;
  } else {
    first += skipped;
    beyond = first + kept;
  }
}

// ---- ZRANGE and its like

function optionsFitOrReply(): bool {
  if (limitCount != -1 && rangeBy == BY_RANK) {
    replyError(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    );
    return false;
  }
  if (withScores && rangeBy == BY_LEX) {
    replyError('ERR syntax error, WITHSCORES not supported in combination with BYLEX');
    return false;
  }
  return true;
}

/** Reads the options from argument `i` on; what `by` and `direction` leave open is theirs. */
function optionsOrReply(i: u32, by: u32, direction: u32, store: bool): bool {
  withScores = false;
  limitOffset = 0;
  limitCount = -1;
  for (; i < argc; i++) {
    if (!store && argIs(i, 'withscores')) {
      withScores = true;
    } else if (argIs(i, 'limit') && i + 2 < argc) {
      if (!argI64OrReply(i + 1)) return false;
      limitOffset = argInt;
      if (!argI64OrReply(i + 2)) return false;
      limitCount = argInt;
      i += 2;
    } else if (direction == EITHER && argIs(i, 'rev')) {
      direction = REVERSE;
    } else if (by == BY_AUTO && argIs(i, 'bylex')) {
      by = BY_LEX;
    } else if (by == BY_AUTO && argIs(i, 'byscore')) {
      by = BY_SCORE;
    } else {
      replySyntaxError();
      return false;
    }
  }
  rangeBy = by == BY_AUTO ? BY_RANK : by;
  isReverse = direction == REVERSE;
  return optionsFitOrReply();
}

/** Answers with the members of the range. */
function replyRange(): void {
  const count = beyond - first;
  const nested = withScores && respVersion > 2;
  replyArray(withScores && !nested ? count * 2 : count);
  if (count <= 0) return;
  zsetSeek(zset, <u32>(isReverse ? beyond - 1 : first), pos);
  for (let left = count; left > 0; left--) {
    if (nested) replyArray(2);
    replyBulk(elPtr, elLen);
    if (withScores) replyDouble(elScore);
    if (left > 1) zsetStep(pos, !isReverse);
  }
}

function range(by: u32, direction: u32): void {
  if (!optionsOrReply(4, by, direction, false)) return;
  if (!boundsOrReply(2) || !zsetOrReply(1, false)) return;
  if (zset == 0) {
    replyArray(0);
    return;
  }
  findRange();
  applyLimit();
  replyRange();
}

export function cmdZrange(): void {
  range(BY_AUTO, EITHER);
}

export function cmdZrevrange(): void {
  range(BY_RANK, REVERSE);
}

export function cmdZrangebyscore(): void {
  range(BY_SCORE, FORWARD);
}

export function cmdZrevrangebyscore(): void {
  range(BY_SCORE, REVERSE);
}

export function cmdZrangebylex(): void {
  range(BY_LEX, FORWARD);
}

export function cmdZrevrangebylex(): void {
  range(BY_LEX, REVERSE);
}

// ---- ZRANGESTORE

/**
 * Copies the range into holder `h`; false: out of memory, nothing is left of it. In the order of
 * reading: a listpack forgets the sign of -0, so it shows which members came before a conversion.
 */
function copyRange(h: usize): bool {
  const count = beyond - first;
  // Redis: only of a range by rank it is known beforehand how long it is.
  if (!zsetNew(h, rangeBy == BY_RANK ? count : 1, 0)) return false;
  if (count == 0) return true;
  zsetSeek(zset, <u32>(isReverse ? beyond - 1 : first), pos);
  for (let left = count; left > 0; left--) {
    if (zsetAdd(h, elScore, elPtr, elLen) == ADD_OOM) {
      zsetDiscard(h);
      return false;
    }
    if (left > 1) zsetStep(pos, !isReverse);
  }
  return true;
}

export function cmdZrangestore(): void {
  if (!optionsOrReply(5, BY_AUTO, EITHER, true)) return;
  if (!boundsOrReply(3) || !zsetOrReply(2, false)) return;
  first = 0;
  beyond = 0;
  if (zset != 0) {
    findRange();
    applyLimit();
  }
  const h = holder(0);
  if (copyRange(h) && zsetStore(client.db, 1, h, 'zrangestore', 1)) replyInt(beyond - first);
  else replyOom();
}

// ---- counting

function countRange(by: u32): void {
  rangeBy = by;
  isReverse = false;
  if (!boundsOrReply(2) || !zsetOrReply(1, false)) return;
  if (zset == 0) {
    replyInt(0);
    return;
  }
  findRange();
  replyInt(beyond - first);
}

export function cmdZcount(): void {
  countRange(BY_SCORE);
}

export function cmdZlexcount(): void {
  countRange(BY_LEX);
}

// ---- removing

function removeRange(by: u32, event: string): void {
  rangeBy = by;
  isReverse = false;
  if (!boundsOrReply(2) || !zsetOrReply(1, true)) return;
  if (zset == 0) {
    replyInt(0);
    return;
  }
  findRange();
  const removed = beyond - first;
  replyInt(removed);
  if (removed == 0) return;
  const db = dbAt(client.db);
  const isAll = removed == <i64>zsetLen(zset);
  if (isAll) freeEntry(dbTakeFound(db));
  else zsetRemoveRanks(zset, <u32>first, <u32>beyond);
  signalModified(db, argPtr(1), argLen(1));
  markDirty(removed);
  notifyKeyspaceEvent(NOTIFY_ZSET, event, client.db, argPtr(1), argLen(1));
  if (isAll) notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(1), argLen(1));
}

export function cmdZremrangebyrank(): void {
  removeRange(BY_RANK, 'zremrangebyrank');
}

export function cmdZremrangebyscore(): void {
  removeRange(BY_SCORE, 'zremrangebyscore');
}

export function cmdZremrangebylex(): void {
  removeRange(BY_LEX, 'zremrangebylex');
}
