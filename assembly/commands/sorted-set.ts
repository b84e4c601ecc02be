/** Commands on sorted sets: those that read. */
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
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError, replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDouble,
  replyError,
  replyInt,
  replyNull,
  respVersion,
} from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanOptionsOrReply,
} from '../resp/scan-args';
import { DOUBLE_CHARS_MAX, formatG17 } from '../base/numbers/format';
import { elLen, elPtr, elScore, valLen, valPtr } from '../types/element';
import { TYPE_ZSET } from '../types/object';
import {
  zsetLen,
  ZsetPos,
  zsetRankOfLex,
  zsetRankOfScore,
  zsetScan,
  zsetScore,
  zsetSeek,
  zsetStep,
} from '../types/zset';

const pos = changetype<ZsetPos>(memory.data(16));
const scoreText = memory.data(<i32>DOUBLE_CHARS_MAX);

/** The sorted set in argument 1, 0 where there is none; false: it is something else, answered. */
let zset: usize = 0;
function zsetOrReply(): bool {
  zset = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

export function cmdZcard(): void {
  if (zsetOrReply()) replyInt(zset == 0 ? 0 : zsetLen(zset));
}

export function cmdZscore(): void {
  if (!zsetOrReply()) return;
  if (zset != 0 && zsetScore(zset, argPtr(2), argLen(2))) replyDouble(elScore);
  else replyNull();
}

// ---- ZRANGE

const BY_RANK: u32 = 0;
const BY_SCORE: u32 = 1;
const BY_LEX: u32 = 2;

let rangeBy: u32 = BY_RANK;
let isReverse: bool = false;
let withScores: bool = false;
let limitOffset: i64 = 0;
let limitCount: i64 = -1;

function rangeOptionsOrReply(): bool {
  rangeBy = BY_RANK;
  isReverse = false;
  withScores = false;
  limitOffset = 0;
  limitCount = -1;
  for (let i: u32 = 4; i < argc; i++) {
    if (argIs(i, 'withscores')) {
      withScores = true;
    } else if (argIs(i, 'limit') && i + 2 < argc) {
      if (!argI64OrReply(i + 1)) return false;
      limitOffset = argInt;
      if (!argI64OrReply(i + 2)) return false;
      limitCount = argInt;
      i += 2;
    } else if (argIs(i, 'rev') && !isReverse) {
      isReverse = true;
    } else if (argIs(i, 'bylex') && rangeBy == BY_RANK) {
      rangeBy = BY_LEX;
    } else if (argIs(i, 'byscore') && rangeBy == BY_RANK) {
      rangeBy = BY_SCORE;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return optionsFitOrReply();
}

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

/** A bound as read by `scoreBound` or `lexBound`, and whether the bound itself lies outside. */
let boundScore: f64 = 0;
let boundPtr: usize = 0;
let boundLen: u32 = 0;
let boundIsOpen: bool = false;
/** -1: below everything, 1: above everything, 0: the bytes. */
let boundEdge: i32 = 0;

/** Reads `[x` as x or `(x`. Redis: C's strtod up to a NUL, so space in front and "" are fine. */
function scoreBound(arg: u32): bool {
  let ptr = argPtr(arg);
  let len: u32 = 0;
  while (len < argLen(arg) && load<u8>(ptr + len) != 0) len++;
  boundIsOpen = len != 0 && load<u8>(ptr) == 40;
  if (boundIsOpen) {
    ptr++;
    len--;
  }
  if (len == 0) {
    boundScore = 0;
    return true;
  }
  while (len != 0 && isSpace(load<u8>(ptr))) {
    ptr++;
    len--;
  }
  if (string2d(ptr, len)) {
    boundScore = doubleValue;
    return true;
  }
  // Numbers beyond what a double can tell are infinite or zero here.
  const kind = scanNumber(ptr, len);
  if (kind != SCAN_DECIMAL && kind != SCAN_HEX) return false;
  const isLarge = kind == SCAN_DECIMAL ? scanExp > 0 : scanExp2 > 0;
  const size: f64 = isLarge ? Infinity : 0;
  boundScore = scanNeg ? -size : size;
  return true;
}

/** Reads `-`, `+`, `[bytes` or `(bytes`. */
function lexBound(arg: u32): bool {
  const ptr = argPtr(arg);
  const len = argLen(arg);
  if (len == 0) return false;
  const c: u32 = load<u8>(ptr);
  boundEdge = 0;
  boundIsOpen = c == 40;
  if (c == 43 || c == 45) {
    boundEdge = c == 43 ? 1 : -1;
    // Redis: either edge as the minimum or maximum counts as one that lies outside.
    boundIsOpen = true;
    return len == 1;
  }
  boundPtr = ptr + 1;
  boundLen = len - 1;
  return c == 40 || c == 91;
}

/** Rank of the first member inside (`isMin`) or beyond a bound just read. */
function rankOfBound(isMin: bool): u32 {
  // Below the range: what is below a closed minimum, up to an open one. Within: up to a maximum.
  const orEqual = isMin ? boundIsOpen : !boundIsOpen;
  if (rangeBy == BY_SCORE) return zsetRankOfScore(zset, boundScore, orEqual);
  if (boundEdge != 0) return boundEdge < 0 ? 0 : zsetLen(zset);
  return zsetRankOfLex(zset, boundPtr, boundLen, orEqual);
}

/** Ranks of the range, counted from the lowest member: from `first` to `beyond` - 1. */
let first: i64 = 0;
let beyond: i64 = 0;

function boundOrReply(arg: u32): bool {
  if (rangeBy == BY_SCORE) {
    if (scoreBound(arg)) return true;
    replyError('ERR min or max is not a float');
  } else {
    if (lexBound(arg)) return true;
    replyError('ERR min or max not valid string range item');
  }
  return false;
}

/** The range by score or bytes as ranks, LIMIT applied. */
function boundedRange(minArg: u32, maxArg: u32): void {
  boundOrReply(minArg);
  first = rankOfBound(true);
  boundOrReply(maxArg);
  beyond = rankOfBound(false);
  if (first > beyond) beyond = first;
  if (limitOffset == 0 && limitCount < 0) return;
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

/** Positions from either end as ranks. */
function rankedRange(start: i64, end: i64): void {
  const count: i64 = zsetLen(zset);
  if (start < 0) start = max(start + count, 0);
  if (end < 0) end += count;
  end = min(end, count - 1);
  if (start > end || start >= count) {
    first = 0;
    beyond = 0;
    return;
  }
  first = isReverse ? count - 1 - end : start;
  beyond = isReverse ? count - start : end + 1;
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

export function cmdZrange(): void {
  if (!rangeOptionsOrReply()) return;
  if (rangeBy == BY_RANK) {
    if (!argI64OrReply(2)) return;
    const start = argInt;
    if (!argI64OrReply(3)) return;
    const end = argInt;
    if (!zsetOrReply()) return;
    if (zset == 0) replyArray(0);
    else {
      rankedRange(start, end);
      replyRange();
    }
    return;
  }
  // With REV the higher bound comes first.
  const minArg: u32 = isReverse ? 3 : 2;
  const maxArg: u32 = isReverse ? 2 : 3;
  if (!boundOrReply(minArg) || !boundOrReply(maxArg) || !zsetOrReply()) return;
  if (zset == 0) {
    replyArray(0);
    return;
  }
  boundedRange(minArg, maxArg);
  replyRange();
}

// ---- ZSCAN

function showMatching(): u32 {
  if (!scanMatches(elPtr, elLen)) return 0;
  replyBulk(elPtr, elLen);
  if (valPtr != 0) replyBulk(valPtr, valLen);
  else replyBulk(scoreText, formatG17(elScore, scoreText));
  return 2;
}

export function cmdZscan(): void {
  if (!scanCursorOrReply(2) || !zsetOrReply()) return;
  if (zset == 0) {
    replyScanEmpty();
    return;
  }
  if (scanOptionsOrReply(3, false)) replyScan(zset, zsetScan, showMatching, 2);
}
