/**
 * Expiries of fields (Redis 7.4): HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT, HTTL HPTTL HEXPIRETIME
 * HPEXPIRETIME, HPERSIST.
 *
 * Redis: a time that is not after the present deletes the field at once, on a master. Followers get
 * HPEXPIREAT with the fields that got the expiry, or HDEL.
 */
import { alloc, free } from '../base/alloc';
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
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom } from '../resp/errors';
import { replyArray, replyInt } from '../resp/reply';
import { ADD_OOM, elExpire } from '../types/element';
import { hashDelete, hashGet, hashSetExpire, hashToTriples } from '../types/hash';
import {
  dropIfEmpty,
  enterExpiry,
  expireTimeOrReply,
  fieldsOrReply,
  findField,
  hash,
  hashOrReply,
  hashToWriteOrReply,
  isPast,
  noteChanged,
  settle,
  target,
  targetBegin,
  targetDone,
  targetFailed,
} from './hash-common';

/** What is answered for a field. */
const NO_FIELD: i32 = -2;
const NO_EXPIRY: i32 = -1;
const NOT_MET: i32 = 0;
const DONE: i32 = 1;
const DELETED: i32 = 2;

const NX: u32 = 1;
const XX: u32 = 2;
const GT: u32 = 3;
const LT: u32 = 4;

/** An item with a long value moves to get its expiry. */
const MOVED_BYTES: u64 = 2048;

/** The answers, a byte each, until all of them are known. */
const LOCAL_MAX: u32 = 256;
const local = memory.data(<i32>LOCAL_MAX);

let condition: u32 = 0;
let firstField: u32 = 0;
let fieldCount: u32 = 0;
let answers: usize = 0;

function readCondition(): void {
  if (argIs(3, 'nx')) condition = NX;
  else if (argIs(3, 'xx')) condition = XX;
  else if (argIs(3, 'gt')) condition = GT;
  else if (argIs(3, 'lt')) condition = LT;
  else condition = 0;
}

/** Whether the condition lets `when` take the place of the expiry just read; none = for ever. */
function isMet(when: i64): bool {
  const has = elExpire >= 0;
  if (condition == NX) return !has;
  if (condition == XX) return has;
  if (condition == GT) return has && when > elExpire;
  return condition != LT || !has || when < elExpire;
}

/** Sets or deletes one field of `obj`; the answer, or below NO_FIELD: out of memory. */
function expireField(obj: usize, arg: u32, when: i64, past: bool): i32 {
  const field = argPtr(arg);
  const len = argLen(arg);
  if (!hashGet(obj, field, len)) return NO_FIELD;
  if (!isMet(when)) return NOT_MET;
  if (past) {
    effectHdel(client.db, hash, field, len);
    hashDelete(obj, field, len);
    return DELETED;
  }
  return hashSetExpire(obj, field, len, max<i64>(when, 1)) == ADD_OOM ? NO_FIELD - 1 : DONE;
}

/** The fields go at once: how many. */
function deleteFields(when: i64): void {
  let deleted: u32 = 0;
  for (let i: u32 = 0; i < fieldCount; i++) {
    const answer = expireField(hash, firstField + i, when, true);
    store<i8>(answers + i, <i8>answer);
    if (answer == DELETED) deleted++;
  }
  replyAnswers();
  if (deleted == 0) return;
  effectNone();
  noteChanged('hdel', deleted);
  dropIfEmpty();
}

/** HPEXPIREAT with the fields among the first `count` that got the expiry. */
function effectExpire(when: i64, updated: u32, count: u32): void {
  effectBegin(client.db, firstField - 2 + 2 + updated);
  effectLiteral('HPEXPIREAT');
  effectArg(argPtr(1), argLen(1));
  effectInt(when);
  for (let i: u32 = 3; i < firstField - 1; i++) effectArg(argPtr(i), argLen(i));
  effectInt(updated);
  for (let i: u32 = 0; i < count; i++) {
    if (load<i8>(answers + i) != DONE) continue;
    effectArg(argPtr(firstField + i), argLen(firstField + i));
  }
}

/** The fields get their expiry, or none of them does. */
function setFields(when: i64): void {
  const bytes = argBytes(firstField) + <u64>fieldCount * MOVED_BYTES;
  if (!targetBegin(bytes, fieldCount)) return;
  let updated: u32 = 0;
  let i: u32 = 0;
  let ok = enterExpiry(when) && hashToTriples(target);
  for (; ok && i < fieldCount; i++) {
    const answer = expireField(target, firstField + i, when, false);
    ok = answer >= NO_FIELD;
    store<i8>(answers + i, <i8>answer);
    if (answer == DONE) updated++;
  }
  if (ok) {
    targetDone();
    replyAnswers();
  } else if (targetFailed()) {
    return;
  }
  if (updated == 0) return;
  effectExpire(when, updated, i);
  noteChanged('hexpire', updated);
}

function replyAnswers(): void {
  replyArray(fieldCount);
  for (let i: u32 = 0; i < fieldCount; i++) replyInt(load<i8>(answers + i));
}

/** The same answer for every field. */
function replySame(answer: i32): void {
  replyArray(fieldCount);
  for (let i: u32 = 0; i < fieldCount; i++) replyInt(answer);
}

/** All four commands: the time in argument 2 counts from `base` (unix ms), in seconds or ms. */
function expireGeneric(base: i64, seconds: bool, name: string): void {
  if (!hashToWriteOrReply()) return;
  const when = expireTimeOrReply(2, base, seconds, name);
  if (when < 0) return;
  readCondition();
  const at: u32 = condition == 0 ? 3 : 4;
  if (!fieldsOrReply(at, 'ERR Parameter `numFields` should be greater than 0')) return;
  firstField = at + 2;
  fieldCount = argc - firstField;
  settle(firstField, 1, true);
  if (hash == 0) {
    replySame(NO_FIELD);
    return;
  }
  answers = fieldCount <= LOCAL_MAX ? local : alloc(fieldCount);
  const past = isPast(when);
  if (answers == 0 || (past && !hashToTriples(hash))) replyOom();
  else if (past) deleteFields(when);
  else setFields(when);
  if (answers != local) free(answers);
}

export function cmdHexpire(): void {
  expireGeneric(nowMs, true, 'hexpire');
}

export function cmdHpexpire(): void {
  expireGeneric(nowMs, false, 'hpexpire');
}

export function cmdHexpireat(): void {
  expireGeneric(0, true, 'hexpireat');
}

export function cmdHpexpireat(): void {
  expireGeneric(0, false, 'hpexpireat');
}

/** Reads `FIELDS n field …` from argument 2 on. */
function namedFieldsOrReply(): bool {
  if (!fieldsOrReply(2, 'ERR Number of fields must be a positive integer')) return false;
  firstField = 4;
  fieldCount = argc - 4;
  return true;
}

/** Answers with the expiries counted from `base`; Redis: seconds are rounded up. */
function ttlGeneric(base: i64, seconds: bool): void {
  if (!hashOrReply() || !namedFieldsOrReply()) return;
  settle(firstField, 1, false);
  replyArray(fieldCount);
  for (let i = firstField; i < argc; i++) {
    if (!findField(i)) replyInt(NO_FIELD);
    else if (elExpire < 0) replyInt(NO_EXPIRY);
    else replyInt(seconds ? (elExpire - base + 999) / 1000 : elExpire - base);
  }
}

export function cmdHttl(): void {
  ttlGeneric(nowMs, true);
}

export function cmdHpttl(): void {
  ttlGeneric(nowMs, false);
}

export function cmdHexpiretime(): void {
  ttlGeneric(0, true);
}

export function cmdHpexpiretime(): void {
  ttlGeneric(0, false);
}

export function cmdHpersist(): void {
  if (!hashToWriteOrReply() || !namedFieldsOrReply()) return;
  settle(firstField, 1, true);
  let persisted: u32 = 0;
  replyArray(fieldCount);
  for (let i = firstField; i < argc; i++) {
    if (!findField(i)) {
      replyInt(NO_FIELD);
    } else if (elExpire < 0) {
      replyInt(NO_EXPIRY);
    } else {
      hashSetExpire(hash, argPtr(i), argLen(i), 0);
      persisted++;
      replyInt(DONE);
    }
  }
  if (persisted != 0) noteChanged('hpersist', persisted);
}
