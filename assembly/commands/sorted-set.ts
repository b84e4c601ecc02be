/** Commands on sorted sets by member: adding, removing, scores, ranks, and ZSCAN. */
import { alloc, free } from '../base/alloc';
import { DOUBLE_CHARS_MAX, formatG17 } from '../base/numbers/format';
import { client } from '../clients/client';
import {
  dbAdd,
  dbAt,
  dbTakeFound,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { effectArg, effectBegin, effectLiteral } from '../keyspace/effects';
import { NOTIFY_GENERIC, NOTIFY_ZSET, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { freeEntry, freeValue } from '../keyspace/value';
import { argDouble, argF64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongArgs, replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDouble,
  replyError,
  replyInt,
  replyNull,
  replyNullArray,
} from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanOptionsOrReply,
} from '../resp/scan-args';
import {
  ADD_NEW,
  ADD_OOM,
  ADD_UPDATED,
  elLen,
  elPtr,
  elScore,
  valLen,
  valPtr,
} from '../types/element';
import { holder, objEncoding, objKind, objValue } from '../types/holder';
import { TYPE_ZSET } from '../types/object';
import {
  PUT_GT,
  PUT_INCR,
  PUT_LT,
  PUT_NAN,
  PUT_NOTHING,
  PUT_NX,
  PUT_XX,
  putOldScore,
  zsetAdd,
  zsetLen,
  zsetNew,
  zsetPut,
  zsetRank,
  zsetRemove,
  zsetScan,
  zsetScore,
} from '../types/zset';

const scoreText = memory.data(<i32>DOUBLE_CHARS_MAX);

/** The sorted set in argument 1, 0 where there is none; false: it is something else, answered. */
let zset: usize = 0;
function zsetOrReply(): bool {
  zset = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

/** The same for a command that writes. */
function zsetWriteOrReply(): bool {
  zset = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

// ---- ZADD, ZINCRBY

/** Option CH: changed members count too. */
const ADD_CH: u32 = 1 << 8;
/** Scores of a command with at most so many pairs need no memory. */
const FEW_PAIRS: u32 = 32;
const fewScores = memory.data(<i32>FEW_PAIRS * 8, 8);

/** The pairs: first argument and number; their scores, and PUT_* and ADD_CH. */
let pairsAt: u32 = 0;
let pairCount: u32 = 0;
let pairScores: usize = 0;
let how: u32 = 0;
/** In place of an old score: the member was not there, or nothing happened to it. NaNs, both. */
const WAS_NEW: u64 = 0x7ff8000000000001;
const WAS_KEPT: u64 = 0x7ff8000000000002;
/** What became of the pairs. */
let added: u32 = 0;
let updated: u32 = 0;
let lastResult: i32 = 0;

/** The option in argument `i` as a flag; 0: it is none. */
function addOption(i: u32): u32 {
  const len = argLen(i);
  if (len == 2) {
    if (argIs(i, 'nx')) return PUT_NX;
    if (argIs(i, 'xx')) return PUT_XX;
    if (argIs(i, 'ch')) return ADD_CH;
    if (argIs(i, 'gt')) return PUT_GT;
    if (argIs(i, 'lt')) return PUT_LT;
  }
  return len == 4 && argIs(i, 'incr') ? PUT_INCR : 0;
}

/** Options and the number of pairs; false: answered. */
function addOptionsOrReply(): bool {
  pairsAt = 2;
  while (pairsAt < argc) {
    const option = addOption(pairsAt);
    if (option == 0) break;
    how |= option;
    pairsAt++;
  }
  const rest = argc - pairsAt;
  if (rest == 0 || (rest & 1) != 0) {
    replySyntaxError();
    return false;
  }
  pairCount = rest >>> 1;
  if ((how & (PUT_NX | PUT_XX)) == (PUT_NX | PUT_XX)) {
    replyError('ERR XX and NX options at the same time are not compatible');
    return false;
  }
  if (popcnt(how & (PUT_GT | PUT_LT | PUT_NX)) > 1) {
    replyError('ERR GT, LT, and/or NX options at the same time are not compatible');
    return false;
  }
  if ((how & PUT_INCR) != 0 && pairCount > 1) {
    replyError('ERR INCR option supports a single increment-element pair');
    return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline function scoreSlot(i: u32): usize {
  return pairScores + (<usize>i << 3);
}

/** Reads all scores before anything is changed; false: answered. `dropScores` must follow. */
function scoresOrReply(): bool {
  pairScores = pairCount <= FEW_PAIRS ? fewScores : alloc(<usize>pairCount << 3);
  if (pairScores == 0) {
    replyOom();
    return false;
  }
  for (let i: u32 = 0; i < pairCount; i++) {
    if (!argF64OrReply(pairsAt + i * 2)) return false;
    store<f64>(scoreSlot(i), argDouble);
  }
  return true;
}

function dropScores(): void {
  if (pairScores != fewScores) free(pairScores);
}

/**
 * Puts all pairs into the sorted set `obj`. False: memory ran out and nothing changed. Meanwhile
 * the score of each pair done becomes what the member had before, or WAS_*.
 */
function putPairs(obj: usize): bool {
  added = 0;
  updated = 0;
  const conditions = how & ~ADD_CH;
  for (let i: u32 = 0; i < pairCount; i++) {
    const member = pairsAt + i * 2 + 1;
    const score = load<f64>(scoreSlot(i));
    lastResult = zsetPut(obj, score, argPtr(member), argLen(member), conditions);
    if (lastResult == ADD_NEW) {
      added++;
      store<u64>(scoreSlot(i), WAS_NEW);
    } else if (lastResult == ADD_UPDATED) {
      updated++;
      store<f64>(scoreSlot(i), putOldScore);
    } else if (lastResult == ADD_OOM) {
      takeBack(obj, i);
      return false;
    } else {
      store<u64>(scoreSlot(i), WAS_KEPT);
    }
  }
  return true;
}

/**
 * Undoes the first `count` pairs, the last one first. A score that cannot be set back for want of
 * memory stays, and followers are told.
 */
function takeBack(obj: usize, count: u32): void {
  while (count-- != 0) {
    const member = pairsAt + count * 2 + 1;
    const old = load<u64>(scoreSlot(count));
    if (old == WAS_KEPT) continue;
    if (old == WAS_NEW) {
      zsetRemove(obj, argPtr(member), argLen(member));
    } else if (zsetAdd(obj, load<f64>(scoreSlot(count)), argPtr(member), argLen(member)) < 0) {
      zsetScore(obj, argPtr(member), argLen(member));
      markDirty(1);
      effectBegin(client.db, 4);
      effectLiteral('ZADD');
      effectArg(argPtr(1), argLen(1));
      effectArg(scoreText, formatG17(elScore, scoreText));
      effectArg(argPtr(member), argLen(member));
    }
  }
}

/** Makes the key a sorted set of the pairs; false: memory ran out, nothing changed. */
function putFresh(): bool {
  const h = holder(0);
  if (!zsetNew(h, 1, argLen(pairsAt + 1))) return false;
  if (putPairs(h)) {
    const entry = dbAdd(dbAt(client.db), argPtr(1), argLen(1), objKind(h), objValue(h));
    if (entry != 0) return true;
  }
  freeValue(TYPE_ZSET, objEncoding(h), objValue(h));
  return false;
}

function replyAdded(): void {
  if ((how & PUT_INCR) == 0) {
    replyInt(how & ADD_CH ? added + updated : added);
  } else if (lastResult == PUT_NAN) {
    replyError('ERR resulting score is not a number (NaN)');
  } else if (lastResult == PUT_NOTHING) {
    replyNull();
  } else {
    replyDouble(elScore);
  }
}

function addScored(): void {
  if (!zsetWriteOrReply()) return;
  lastResult = PUT_NOTHING;
  added = 0;
  updated = 0;
  let isDone = true;
  if (zset != 0) isDone = putPairs(zset);
  else if ((how & PUT_XX) == 0) isDone = putFresh();
  if (!isDone) {
    replyOom();
    return;
  }
  replyAdded();
  if (added + updated == 0) return;
  markDirty(added + updated);
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  const event = how & PUT_INCR ? 'zincr' : 'zadd';
  notifyKeyspaceEvent(NOTIFY_ZSET, event, client.db, argPtr(1), argLen(1));
}

function add(flags: u32): void {
  how = flags;
  if (!addOptionsOrReply()) return;
  if (scoresOrReply()) addScored();
  dropScores();
}

export function cmdZadd(): void {
  add(0);
}

export function cmdZincrby(): void {
  add(PUT_INCR);
}

// ---- ZREM

export function cmdZrem(): void {
  if (!zsetWriteOrReply()) return;
  if (zset == 0) {
    replyInt(0);
    return;
  }
  const db = dbAt(client.db);
  let removed: u32 = 0;
  for (let i: u32 = 2; i < argc; i++) {
    if (zsetRemove(zset, argPtr(i), argLen(i))) removed++;
    if (zsetLen(zset) == 0) break;
  }
  if (removed != 0) {
    notifyKeyspaceEvent(NOTIFY_ZSET, 'zrem', client.db, argPtr(1), argLen(1));
    if (zsetLen(zset) == 0) {
      freeEntry(dbTakeFound(db));
      notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(1), argLen(1));
    }
    signalModified(db, argPtr(1), argLen(1));
    markDirty(removed);
  }
  replyInt(removed);
}

// ---- reading by member

export function cmdZcard(): void {
  if (zsetOrReply()) replyInt(zset == 0 ? 0 : zsetLen(zset));
}

export function cmdZscore(): void {
  if (zsetOrReply()) replyScoreOf(2);
}

function replyScoreOf(i: u32): void {
  if (zset != 0 && zsetScore(zset, argPtr(i), argLen(i))) replyDouble(elScore);
  else replyNull();
}

export function cmdZmscore(): void {
  if (!zsetOrReply()) return;
  replyArray(<i64>argc - 2);
  for (let i: u32 = 2; i < argc; i++) replyScoreOf(i);
}

function rank(isReverse: bool): void {
  if (argc > 4) {
    replyWrongArgs(isReverse ? 'zrevrank' : 'zrank');
    return;
  }
  const withScore = argc == 4;
  if (withScore && !argIs(3, 'withscore')) {
    replySyntaxError();
    return;
  }
  if (!zsetOrReply()) return;
  const place = zset == 0 ? -1 : zsetRank(zset, argPtr(2), argLen(2));
  if (place < 0) {
    if (withScore) replyNullArray();
    else replyNull();
    return;
  }
  if (withScore) replyArray(2);
  replyInt(isReverse ? <i64>zsetLen(zset) - 1 - place : place);
  if (withScore) replyDouble(elScore);
}

export function cmdZrank(): void {
  rank(false);
}

export function cmdZrevrank(): void {
  rank(true);
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
