/** ZADD and ZINCRBY, and adding pairs of score and member for GEOADD. */
import { alloc, free } from '../base/alloc';
import { DOUBLE_CHARS_MAX, formatG17 } from '../base/numbers/format';
import { client } from '../clients/client';
import { dbAdd, dbAt, entryType, lookupWrite, signalModified } from '../keyspace/db';
import { effectArg, effectBegin, effectLiteral } from '../keyspace/effects';
import { NOTIFY_ZSET, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { zsetDiscard } from '../keyspace/zset-store';
import { argDouble, argF64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import { replyDouble, replyError, replyInt, replyNull } from '../resp/reply';
import { ADD_NEW, ADD_OOM, ADD_UPDATED, elScore } from '../types/element';
import { holder, objKind, objValue } from '../types/holder';
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
  zsetNew,
  zsetPut,
  zsetRemove,
  zsetScore,
} from '../types/zset';

/** Option CH, beside PUT_*: changed members count too. */
export const ADD_CH: u32 = 1 << 8;

// ---- pairs

/** Scores of a command with at most so many pairs need no memory. */
const FEW_PAIRS: u32 = 32;
const fewScores = memory.data(<i32>FEW_PAIRS * 8, 8);
/** In place of an old score: the member was not there, or nothing happened to it. NaNs, both. */
const WAS_NEW: u64 = 0x7ff8000000000001;
const WAS_KEPT: u64 = 0x7ff8000000000002;
const scoreText = memory.data(<i32>DOUBLE_CHARS_MAX);

/** The pairs: their number, the argument of the first member, arguments from one to the next. */
let pairCount: u32 = 0;
let memberAt: u32 = 0;
let memberStride: u32 = 0;
let pairScores: usize = 0;
/** PUT_* and ADD_CH. */
let how: u32 = 0;
/** What became of the pairs. */
let added: u32 = 0;
let updated: u32 = 0;
let lastResult: i32 = 0;

// @ts-ignore: decorator
@inline function scoreSlot(i: u32): usize {
  return pairScores + (<usize>i << 3);
}

/**
 * Makes room for `count` (> 0) pairs whose members are in argument `member` and every `stride`-th
 * behind it; false: out of memory, answered. `pairsDrop` must follow.
 */
export function pairsOrReply(count: u32, member: u32, stride: u32): bool {
  pairCount = count;
  memberAt = member;
  memberStride = stride;
  pairScores = count <= FEW_PAIRS ? fewScores : alloc(<usize>count << 3);
  if (pairScores != 0) return true;
  replyOom();
  return false;
}

/** Sets the score of a pair. */
export function setPairScore(i: u32, score: f64): void {
  store<f64>(scoreSlot(i), score);
}

/** Gives the pairs' memory back. */
export function pairsDrop(): void {
  if (pairScores != fewScores) free(pairScores);
}

/**
 * Puts all pairs into the sorted set `obj`. False: memory ran out and nothing changed. Meanwhile
 * the score of each pair done becomes what the member had before, or WAS_*.
 */
function putPairs(obj: usize): bool {
  const conditions = how & ~ADD_CH;
  let member = memberAt;
  for (let i: u32 = 0; i < pairCount; i++) {
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
    member += memberStride;
  }
  return true;
}

/**
 * Undoes the first `count` pairs, the last one first. A score that cannot be set back for want of
 * memory stays, and followers are told.
 */
function takeBack(obj: usize, count: u32): void {
  while (count-- != 0) {
    const member = memberAt + count * memberStride;
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
  if (!zsetNew(h, 1, argLen(memberAt))) return false;
  if (putPairs(h)) {
    const entry = dbAdd(dbAt(client.db), argPtr(1), argLen(1), objKind(h), objValue(h));
    if (entry != 0) return true;
  }
  zsetDiscard(h);
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

/**
 * Adds the pairs to the sorted set in argument 1 under the conditions PUT_* and ADD_CH, and does
 * all that a command has to do then, but for an effect of another form. Whether anything changed.
 */
export function addPairs(conditions: u32): bool {
  const db = dbAt(client.db);
  const entry = lookupWrite(db, argPtr(1), argLen(1));
  if (entry != 0 && entryType(entry) != TYPE_ZSET) {
    replyWrongType();
    return false;
  }
  how = conditions;
  added = 0;
  updated = 0;
  lastResult = PUT_NOTHING;
  let isDone = true;
  if (entry != 0) isDone = putPairs(entry);
  else if ((how & PUT_XX) == 0) isDone = putFresh();
  if (!isDone) {
    replyOom();
    return false;
  }
  replyAdded();
  if (added + updated == 0) return false;
  markDirty(added + updated);
  signalModified(db, argPtr(1), argLen(1));
  const event = how & PUT_INCR ? 'zincr' : 'zadd';
  notifyKeyspaceEvent(NOTIFY_ZSET, event, client.db, argPtr(1), argLen(1));
  return true;
}

// ---- ZADD, ZINCRBY

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

/** Whether options and `count` pairs go together; false: answered. */
function optionsFitOrReply(options: u32, count: u32): bool {
  if ((options & (PUT_NX | PUT_XX)) == (PUT_NX | PUT_XX)) {
    replyError('ERR XX and NX options at the same time are not compatible');
    return false;
  }
  if (popcnt(options & (PUT_GT | PUT_LT | PUT_NX)) > 1) {
    replyError('ERR GT, LT, and/or NX options at the same time are not compatible');
    return false;
  }
  if ((options & PUT_INCR) != 0 && count > 1) {
    replyError('ERR INCR option supports a single increment-element pair');
    return false;
  }
  return true;
}

/** Reads all scores, from argument `first` on, before anything is changed; false: answered. */
function scoresOrReply(first: u32): bool {
  for (let i: u32 = 0; i < pairCount; i++) {
    if (!argF64OrReply(first + i * 2)) return false;
    setPairScore(i, argDouble);
  }
  return true;
}

function add(options: u32): void {
  let first: u32 = 2;
  for (; first < argc; first++) {
    const option = addOption(first);
    if (option == 0) break;
    options |= option;
  }
  const rest = argc - first;
  if (rest == 0 || (rest & 1) != 0) {
    replySyntaxError();
    return;
  }
  if (!optionsFitOrReply(options, rest >>> 1)) return;
  if (!pairsOrReply(rest >>> 1, first + 1, 2)) return;
  if (scoresOrReply(first)) addPairs(options);
  pairsDrop();
}

export function cmdZadd(): void {
  add(0);
}

export function cmdZincrby(): void {
  add(PUT_INCR);
}
