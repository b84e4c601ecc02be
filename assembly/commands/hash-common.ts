/**
 * What the commands on hashes share: the lookup, and changes of fields that happen as a whole.
 *
 * A change goes to `target`: a new hash that is not in the database yet, or what whole-change.ts
 * says.
 *
 *   if (!targetBegin(bytes, parts)) …       no memory, nothing changed, answered
 *   … change `target`; failed: targetFailed(); else targetDone() …
 */
import { client } from '../clients/client';
import {
  dbAdd,
  dbAt,
  dbDeleteFound,
  dbFindRaw,
  dbTickets,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { fieldIsHidden, fieldsSettle } from '../keyspace/hash-fields';
import { ticketEnter } from '../keyspace/hash-tickets';
import { NOTIFY_GENERIC, NOTIFY_HASH, notifyKeyspaceEvent } from '../keyspace/notify';
import { isReplica, loading, markDirty, nowMs } from '../keyspace/state';
import { resultDiscard } from '../keyspace/store-result';
import { changeBegin, changeDone, changeFailed } from '../keyspace/whole-change';
import { argI64OrReply, argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyInvalidExpire, replyOom, replyWrongType } from '../resp/errors';
import { replyError } from '../resp/reply';
import { ADD_OOM } from '../types/element';
import {
  hashGet,
  hashLen,
  hashNew,
  hashPrepare,
  hashSet,
  hashSetExpire,
  hashToTriples,
  hashUpdate,
} from '../types/hash';
import { holder, objKind, objValue } from '../types/holder';
import { TYPE_HASH } from '../types/object';

/** The hash in argument 1, 0 = there is none. */
export let hash: usize = 0;

function isHashOrReply(): bool {
  if (hash == 0 || entryType(hash) == TYPE_HASH) return true;
  replyWrongType();
  return false;
}

/** Looks argument 1 up; false: it is something else, answered. */
export function hashOrReply(): bool {
  hash = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  return isHashOrReply();
}

/** The same for a change. */
export function hashToWriteOrReply(): bool {
  hash = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  return isHashOrReply();
}

/** Removes what has expired of the fields in arguments `first`, `first + step` …: hash-fields.ts */
// @ts-ignore: decorator
@inline export function settle(first: u32, step: u32, write: bool): void {
  hash = fieldsSettle(client.db, hash, first, step, write);
}

/** Finds the field in an argument, if it is to be seen: value and expiry are read. */
// @ts-ignore: decorator
@inline export function findField(arg: u32): bool {
  return hash != 0 && hashGet(hash, argPtr(arg), argLen(arg)) && !fieldIsHidden();
}

/** Whether `FIELDS n field …` from argument `at` on is well-formed; false: answered. */
export function fieldsOrReply(at: u32, numberText: string): bool {
  if (!argIs(at, 'fields')) {
    replyError('ERR Mandatory argument FIELDS is missing or not at the right position');
    return false;
  }
  if (!argRangeOrReplyText(at + 1, 1, i64.MAX_VALUE, numberText)) return false;
  if (argInt == <i64>argc - at - 2) return true;
  replyError('ERR The `numfields` parameter must match the number of arguments');
  return false;
}

/** No field's time is beyond this (unix ms). */
const EXPIRE_MAX: i64 = 0x3fffffffffff;

/**
 * The unix time in ms that argument `arg` says, counted from `base`; below 0: it is none, answered.
 * `name` is the command's in lower case.
 */
export function expireTimeOrReply(arg: u32, base: i64, seconds: bool, name: string): i64 {
  if (!argI64OrReply(arg)) return -1;
  if (argInt < 0) {
    replyError('ERR invalid expire time, must be >= 0');
    return -1;
  }
  const unit: i64 = seconds ? 1000 : 1;
  if (argInt > EXPIRE_MAX / unit || argInt * unit > EXPIRE_MAX - base) {
    replyInvalidExpire(name);
    return -1;
  }
  return argInt * unit + base;
}

/** Whether fields that get this time go at once. Redis: a replica leaves that to its master. */
export function isPast(ms: i64): bool {
  return ms <= nowMs && !loading && !isReplica;
}

// ---- changes

/** The object that is changed. */
export let target: usize = 0;
let isFresh: bool = false;

/** Begins a change of `parts` parts and `bytes` in all. False: out of memory, answered. */
export function targetBegin(bytes: u64, parts: u32): bool {
  isFresh = hash == 0;
  if (isFresh) {
    target = holder(1);
    if (hashNew(target)) return true;
  } else {
    target = changeBegin(hash, bytes, parts);
    if (target != 0) return true;
  }
  replyOom();
  return false;
}

/** A part of the change found no memory, answered. True: nothing has changed. */
export function targetFailed(): bool {
  replyOom();
  if (!isFresh) return changeFailed();
  resultDiscard(target);
  return true;
}

/** The change is complete; a new hash goes into the database. False: out of memory, answered. */
export function targetDone(): bool {
  if (!isFresh) {
    changeDone(hash);
    return true;
  }
  hash = dbAdd(dbAt(client.db), argPtr(1), argLen(1), objKind(target), objValue(target));
  if (hash != 0) return true;
  targetFailed();
  return false;
}

/** What becomes of the expiry of a field that gets a value: it is taken off, it stays, */
export const EXPIRE_DROP: i64 = -1;
export const EXPIRE_KEEP: i64 = 0;
// or it is a unix time in ms above 0.

/** Sets a field of the target: ADD_NEW, ADD_OLD or ADD_OOM. */
export function putField(arg: u32, value: usize, len: u32, expire: i64): i32 {
  const field = argPtr(arg);
  const fieldLen = argLen(arg);
  if (expire == EXPIRE_DROP) return hashSet(target, field, fieldLen, value, len);
  const result = hashUpdate(target, field, fieldLen, value, len);
  if (expire == EXPIRE_KEEP || result == ADD_OOM) return result;
  return hashSetExpire(target, field, fieldLen, expire) == ADD_OOM ? ADD_OOM : result;
}

/** Sees to a ticket for an expiry that fields of the hash are to get. False: out of memory. */
export function enterExpiry(ms: i64): bool {
  return ticketEnter(dbTickets(dbAt(client.db)), argPtr(1), argLen(1), ms);
}

/** Bytes of the arguments from `first` on, and the longest of them, for `preparePairs`. */
let pairBytes: u64 = 0;
let pairLongest: u32 = 0;

function measurePairs(first: u32): void {
  pairBytes = 0;
  pairLongest = 0;
  for (let i = first; i < argc; i++) {
    const len = argLen(i);
    pairBytes += len;
    if (len > pairLongest) pairLongest = len;
  }
}

/** Pairs that stay although `putPairs` failed; followers must hear of them. */
export let pairsKept: u32 = 0;

/**
 * Sets the fields and values in arguments `first` on, or none of them (see `pairsKept`). How many
 * fields are new; below 0: out of memory, answered.
 */
export function putPairs(first: u32, expire: i64): i32 {
  const pairs = (argc - first) / 2;
  pairsKept = 0;
  measurePairs(first);
  if (!targetBegin(pairBytes, pairs)) return -1;
  let i = first;
  let added: i32 = 0;
  let ok = hashPrepare(target, pairs, pairLongest, pairBytes);
  if (ok && expire > 0) ok = enterExpiry(expire) && hashToTriples(target);
  for (; ok && i < argc; i += 2) {
    const result = putField(i, argPtr(i + 1), argLen(i + 1), expire);
    ok = result != ADD_OOM;
    added += result;
  }
  if (ok) return targetDone() ? added : -1;
  if (!targetFailed() && i > first) pairsKept = (i - 2 - first) / 2;
  return -1;
}

/** The hash has changed in `count` fields. */
export function noteChanged(event: string, count: u32): void {
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_HASH, event, client.db, argPtr(1), argLen(1));
  markDirty(count);
}

/** Deletes the hash if it has no field left. */
export function dropIfEmpty(): void {
  if (hash == 0 || hashLen(hash) != 0) return;
  const db = dbAt(client.db);
  dbFindRaw(db, argPtr(1), argLen(1));
  dbDeleteFound(db);
  hash = 0;
  notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(1), argLen(1));
}
