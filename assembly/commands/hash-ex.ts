/**
 * Values and expiries of fields in one go (Redis 8.0): HGETEX HSETEX HGETDEL.
 *
 * Followers get what was done: HPEXPIREAT, HPERSIST or HDEL for HGETEX, HDEL for HGETDEL; HSETEX as
 * it came with its time as PXAT, or HDEL where that time has passed.
 */
import { client } from '../clients/client';
import {
  effectArg,
  effectBegin,
  effectHdel,
  effectInt,
  effectLiteral,
  effectNone,
} from '../keyspace/effects';
import { nowMs } from '../keyspace/state';
import { argBytes } from '../keyspace/whole-change';
import { argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replyWrongArgs } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  replyArray,
  replyBulk,
  replyError,
  replyInt,
  replyNull,
} from '../resp/reply';
import { ADD_OOM, elExpire, valLen, valPtr } from '../types/element';
import { hashDelete, hashGet, hashSetExpire, hashToTriples } from '../types/hash';
import {
  dropIfEmpty,
  enterExpiry,
  EXPIRE_DROP,
  EXPIRE_KEEP,
  expireTimeOrReply,
  fieldsOrReply,
  findField,
  hash,
  hashToWriteOrReply,
  isPast,
  noteChanged,
  pairsKept,
  putPairs,
  settle,
  target,
  targetBegin,
  targetDone,
  targetFailed,
} from './hash-common';

/** An item with a long value moves to get its expiry. */
const MOVED_BYTES: u64 = 2048;
const NUMBER_TEXT = 'ERR Number of fields must be a positive integer';

/** The time that was asked for, unix ms. */
let when: i64 = 0;
let firstField: u32 = 0;

/** Whether argument `at` is EX, PX, EXAT or PXAT. */
function isTimeOption(at: u32): bool {
  return argIs(at, 'ex') || argIs(at, 'px') || argIs(at, 'exat') || argIs(at, 'pxat');
}

/** Reads the time behind the option in argument `at` into `when`; false: answered. */
function timeOrReply(at: u32, name: string): bool {
  const isRelative = argIs(at, 'ex') || argIs(at, 'px');
  const seconds = argIs(at, 'ex') || argIs(at, 'exat');
  when = expireTimeOrReply(at + 1, isRelative ? nowMs : 0, seconds, name);
  return when >= 0;
}

function replyFieldOrNull(arg: u32): bool {
  if (findField(arg)) {
    replyBulk(valPtr, valLen);
    return true;
  }
  replyNull();
  return false;
}

function replyFields(): void {
  replyArray(argc - firstField);
  for (let i = firstField; i < argc; i++) replyFieldOrNull(i);
}

/** An effect whose last arguments are the fields, and FIELDS with their number. */
function effectFields(name: string, hasTime: bool): void {
  effectBegin(client.db, argc - firstField + (hasTime ? 5 : 4));
  effectLiteral(name);
  effectArg(argPtr(1), argLen(1));
  if (hasTime) effectInt(when);
  effectLiteral('FIELDS');
  effectInt(argc - firstField);
  for (let i = firstField; i < argc; i++) effectArg(argPtr(i), argLen(i));
}

/** Answers with the fields and deletes them; how many there were. */
function replyAndDelete(tell: bool): u32 {
  let deleted: u32 = 0;
  replyArray(argc - firstField);
  for (let i = firstField; i < argc; i++) {
    if (!replyFieldOrNull(i)) continue;
    if (tell) effectHdel(client.db, hash, argPtr(i), argLen(i));
    hashDelete(hash, argPtr(i), argLen(i));
    deleted++;
  }
  return deleted;
}

export function cmdHgetdel(): void {
  if (!hashToWriteOrReply() || !fieldsOrReply(2, NUMBER_TEXT)) return;
  firstField = 4;
  settle(firstField, 1, true);
  const deleted = replyAndDelete(false);
  if (deleted == 0) return;
  effectBegin(client.db, argc - firstField + 2);
  effectLiteral('HDEL');
  effectArg(argPtr(1), argLen(1));
  for (let i = firstField; i < argc; i++) effectArg(argPtr(i), argLen(i));
  noteChanged('hdel', deleted);
  dropIfEmpty();
}

// ---- HGETEX

function getAndPersist(): void {
  let persisted: u32 = 0;
  replyArray(argc - firstField);
  for (let i = firstField; i < argc; i++) {
    if (!replyFieldOrNull(i) || elExpire < 0) continue;
    hashSetExpire(hash, argPtr(i), argLen(i), 0);
    persisted++;
  }
  if (persisted == 0) return;
  effectFields('HPERSIST', false);
  noteChanged('hpersist', persisted);
}

function getAndDelete(): void {
  const deleted = replyAndDelete(true);
  if (deleted == 0) return;
  effectNone();
  noteChanged('hdel', deleted);
  dropIfEmpty();
}

function getAndExpire(): void {
  const count = argc - firstField;
  if (!targetBegin(argBytes(firstField) + <u64>count * MOVED_BYTES, count)) return;
  let updated: u32 = 0;
  let ok = enterExpiry(when) && hashToTriples(target);
  for (let i = firstField; ok && i < argc; i++) {
    if (!hashGet(target, argPtr(i), argLen(i))) continue;
    ok = hashSetExpire(target, argPtr(i), argLen(i), max<i64>(when, 1)) != ADD_OOM;
    if (ok) updated++;
  }
  if (ok) {
    targetDone();
    replyFields();
  } else if (targetFailed()) {
    return;
  }
  if (updated == 0) return;
  // Were it cut short, followers would give the time to the rest as well: the client may repeat it.
  effectFields('HPEXPIREAT', true);
  noteChanged('hexpire', updated);
}

export function cmdHgetex(): void {
  if (!hashToWriteOrReply()) return;
  const hasTime = isTimeOption(2);
  const isPersist = argIs(2, 'persist');
  if (hasTime && !timeOrReply(2, 'hgetex')) return;
  const at: u32 = hasTime ? 4 : isPersist ? 3 : 2;
  if (at + 1 >= argc) {
    replyWrongArgs('hgetex');
    return;
  }
  if (!fieldsOrReply(at, NUMBER_TEXT)) return;
  firstField = at + 2;
  settle(firstField, 1, true);
  if (hash == 0 || at == 2) replyFields();
  else if (hasTime && !isPast(when)) getAndExpire();
  else if (!hashToTriples(hash)) replyOom();
  else if (hasTime) getAndDelete();
  else getAndPersist();
}

// ---- HSETEX

const ANY: u32 = 0;
const FNX: u32 = 1;
const FXX: u32 = 2;

let fieldCondition: u32 = ANY;
/** EXPIRE_DROP, EXPIRE_KEEP, or the argument that names the time's option. */
let expireMode: i64 = EXPIRE_DROP;
let timeAt: u32 = 0;

function expiryTwice(): bool {
  if (expireMode == EXPIRE_DROP && timeAt == 0) return false;
  replyError('ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified');
  return true;
}

/** Reads `FIELDS n` in argument `at`, which must be the last option. */
function pairsOrReply(at: u32): bool {
  if (at + 3 >= argc) {
    replyWrongArgs('hsetex');
    return false;
  }
  const text = 'ERR invalid number of fields';
  if (!argRangeOrReplyText(at + 1, 1, i32.MAX_VALUE, text)) return false;
  firstField = at + 2;
  if (argInt * 2 == <i64>(argc - firstField)) return true;
  replyWrongArgs('hsetex');
  return false;
}

/** One option in argument `at`: how many arguments it takes, 0 = answered. */
function optionOrReply(at: u32): u32 {
  if (argIs(at, 'fnx') || argIs(at, 'fxx')) {
    if (fieldCondition != ANY) {
      replyError('ERR Only one of FXX or FNX arguments can be specified');
      return 0;
    }
    fieldCondition = argIs(at, 'fnx') ? FNX : FXX;
    return 1;
  }
  if (argIs(at, 'keepttl')) {
    if (expiryTwice()) return 0;
    expireMode = EXPIRE_KEEP;
    return 1;
  }
  if (!isTimeOption(at)) {
    errorBegin('ERR unknown argument: ');
    errorBytes(argPtr(at), argLen(at), argLen(at));
    errorEnd();
    return 0;
  }
  if (expiryTwice()) return 0;
  if (at + 1 >= argc) {
    replyError('ERR missing expire time');
    return 0;
  }
  timeAt = at;
  return timeOrReply(at, 'hsetex') ? 2 : 0;
}

function optionsOrReply(): bool {
  fieldCondition = ANY;
  expireMode = EXPIRE_DROP;
  timeAt = 0;
  for (let i: u32 = 2; i < argc; ) {
    if (argIs(i, 'fields')) return pairsOrReply(i);
    const taken = optionOrReply(i);
    if (taken == 0) return false;
    i += taken;
  }
  replyError('ERR missing FIELDS argument');
  return false;
}

/** Whether the fields are all there (FXX) or all not (FNX), if that was asked for. */
function isConditionMet(): bool {
  if (fieldCondition == ANY) return true;
  for (let i = firstField; i < argc; i += 2) {
    if (findField(i) != (fieldCondition == FXX)) return false;
  }
  return true;
}

/** The command with its time as PXAT, and the first `pairs` pairs. */
function effectSetex(pairs: u32): void {
  effectBegin(client.db, firstField + pairs * 2);
  for (let i: u32 = 0; i < firstField - 1; i++) {
    if (timeAt != 0 && i == timeAt) {
      effectLiteral('PXAT');
      effectInt(when);
      i++;
    } else {
      effectArg(argPtr(i), argLen(i));
    }
  }
  effectInt(pairs);
  for (let i = firstField; i < firstField + pairs * 2; i++) effectArg(argPtr(i), argLen(i));
}

/** The time has passed: what was just set goes again. */
function deletePairs(): void {
  let deleted: u32 = 0;
  for (let i = firstField; i < argc; i += 2) {
    if (!hashDelete(hash, argPtr(i), argLen(i))) continue;
    effectHdel(client.db, hash, argPtr(i), argLen(i));
    deleted++;
  }
  effectNone();
  noteChanged('hdel', deleted);
  dropIfEmpty();
}

export function cmdHsetex(): void {
  if (!optionsOrReply() || !hashToWriteOrReply()) return;
  settle(firstField, 2, true);
  if (!isConditionMet()) {
    replyInt(0);
    return;
  }
  const pairs = (argc - firstField) / 2;
  if (putPairs(firstField, timeAt != 0 ? max<i64>(when, 1) : expireMode) < 0) {
    if (pairsKept != 0) {
      effectSetex(pairsKept);
      noteChanged('hset', pairsKept);
    }
    return;
  }
  noteChanged('hset', pairs);
  if (timeAt != 0 && isPast(when)) {
    deletePairs();
  } else {
    effectSetex(pairs);
    if (timeAt != 0) noteChanged('hexpire', 0);
  }
  replyInt(1);
}
