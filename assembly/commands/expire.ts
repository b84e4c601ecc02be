/**
 * Expiries of keys: EXPIRE PEXPIRE EXPIREAT PEXPIREAT, PERSIST, TTL PTTL EXPIRETIME PEXPIRETIME.
 *
 * Redis: an expiry that lies in the past deletes the key at once, on a master; a replica keeps it
 * until the master's DEL comes. Followers get PEXPIREAT with the options as they came, or DEL.
 */
import { client } from '../clients/client';
import {
  dbAt,
  dbDeleteFound,
  dbPersist,
  dbSetExpire,
  lookupReadNoTouch,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { NOTIFY_GENERIC, notifyKeyspaceEvent } from '../keyspace/notify';
import { isReplica, loading, markDirty, nowMs } from '../keyspace/state';
import { ITEM_NUM, itemExpire, itemFlags } from '../hashtable/item';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyInvalidExpire, replyOom } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  replyError,
  replyInt,
} from '../resp/reply';

const NX: u32 = 1;
const XX: u32 = 2;
const GT: u32 = 4;
const LT: u32 = 8;

let options: u32 = 0;

/** Reads NX, XX, GT, LT from argument 3 on; false = answered with an error. */
function optionsOrReply(): bool {
  options = 0;
  for (let i: u32 = 3; i < argc; i++) {
    if (argIs(i, 'nx')) options |= NX;
    else if (argIs(i, 'xx')) options |= XX;
    else if (argIs(i, 'gt')) options |= GT;
    else if (argIs(i, 'lt')) options |= LT;
    else {
      errorBegin('ERR Unsupported option ');
      errorBytes(argPtr(i), argLen(i), argLen(i));
      errorEnd();
      return false;
    }
  }
  if (options & NX && options & (XX | GT | LT)) {
    replyError('ERR NX and XX, GT or LT options at the same time are not compatible');
    return false;
  }
  if ((options & (GT | LT)) == (GT | LT)) {
    replyError('ERR GT and LT options at the same time are not compatible');
    return false;
  }
  return true;
}

/** Whether the options let `when` take the place of the entry's expiry; no expiry = for ever. */
function isAllowed(item: usize, when: i64): bool {
  const has = (itemFlags(item) & ITEM_NUM) != 0;
  const now = itemExpire(item);
  if (options & NX && has) return false;
  if (options & XX && !has) return false;
  if (options & GT && (!has || when <= now)) return false;
  return (options & LT) == 0 || !has || when < now;
}

/** PEXPIREAT key ms and the options, for followers. */
function effectExpire(when: i64): void {
  effectBegin(client.db, argc);
  effectLiteral('PEXPIREAT');
  effectArg(argPtr(1), argLen(1));
  effectInt(when);
  for (let i: u32 = 3; i < argc; i++) effectArg(argPtr(i), argLen(i));
}

function notify(event: string): void {
  notifyKeyspaceEvent(NOTIFY_GENERIC, event, client.db, argPtr(1), argLen(1));
}

/**
 * All four commands: the time in argument 2 counts from `base` (unix ms), in seconds or ms.
 * `verbatim`: it goes to followers as it came.
 */
function expireGeneric(base: i64, seconds: bool, verbatim: bool, name: string): void {
  if (!optionsOrReply() || !argI64OrReply(2)) return;
  let when = argInt;
  if (seconds) {
    if (when > i64.MAX_VALUE / 1000 || when < i64.MIN_VALUE / 1000) {
      replyInvalidExpire(name);
      return;
    }
    when *= 1000;
  }
  if (when > i64.MAX_VALUE - base) {
    replyInvalidExpire(name);
    return;
  }
  when += base;
  const db = dbAt(client.db);
  const item = lookupWrite(db, argPtr(1), argLen(1));
  if (item == 0 || !isAllowed(item, when)) {
    replyInt(0);
    return;
  }
  const isOver = when <= nowMs && !loading && !isReplica;
  if (isOver) {
    dbDeleteFound(db);
    effectBegin(client.db, 2);
    effectLiteral('DEL');
    effectArg(argPtr(1), argLen(1));
  } else {
    if (dbSetExpire(db, when) == 0) {
      replyOom();
      return;
    }
    if (!verbatim) effectExpire(when);
  }
  signalModified(db, argPtr(1), argLen(1));
  notify(isOver ? 'del' : 'expire');
  markDirty(1);
  replyInt(1);
}

export function cmdExpire(): void {
  expireGeneric(nowMs, true, false, 'expire');
}

export function cmdPexpire(): void {
  expireGeneric(nowMs, false, false, 'pexpire');
}

export function cmdExpireat(): void {
  expireGeneric(0, true, false, 'expireat');
}

export function cmdPexpireat(): void {
  expireGeneric(0, false, true, 'pexpireat');
}

export function cmdPersist(): void {
  const db = dbAt(client.db);
  if (lookupWrite(db, argPtr(1), argLen(1)) == 0 || !dbPersist(db)) {
    replyInt(0);
    return;
  }
  signalModified(db, argPtr(1), argLen(1));
  notify('persist');
  markDirty(1);
  replyInt(1);
}

/** Answers with the expiry counted from `base`; Redis: in seconds it is rounded to the nearest. */
function ttlGeneric(base: i64, seconds: bool): void {
  const item = lookupReadNoTouch(dbAt(client.db), argPtr(1), argLen(1));
  if (item == 0) {
    replyInt(-2);
    return;
  }
  if ((itemFlags(item) & ITEM_NUM) == 0) {
    replyInt(-1);
    return;
  }
  const left = max<i64>(itemExpire(item) - base, 0);
  // Redis: the sum does not wrap.
  replyInt(seconds ? <i64>((<u64>left + 500) / 1000) : left);
}

export function cmdTtl(): void {
  ttlGeneric(nowMs, true);
}

export function cmdPttl(): void {
  ttlGeneric(nowMs, false);
}

export function cmdExpiretime(): void {
  ttlGeneric(0, true);
}

export function cmdPexpiretime(): void {
  ttlGeneric(0, false);
}
