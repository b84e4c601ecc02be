/**
 * Keys as commands (MODE_RESP, MODE_AOF, and what MODE_RESTORE cannot say otherwise): SET, RPUSH,
 * SADD, HSET, ZADD in batches, XADD (resp-streams.ts), then the expiry.
 *
 *   [SELECT db]  [UNLINK key]  SET key value PXAT ms  |  RPUSH key element ...  PEXPIREAT key ms
 *
 * With RESP_MISSING nothing may happen to a key that exists, whatever becomes of the connection in
 * between. No command but SET and RESTORE has such a form, so other values are built under another
 * name, which then takes the key's place if that is free:
 *
 *   UNLINK tmp  RPUSH tmp element ...  PEXPIREAT tmp ms  RENAMENX tmp key  UNLINK tmp
 *
 * `tmp` hashes to the key's cluster slot (unless the key has a '}' but no hash tag).
 *
 * Options (options.ts): 0 flags RESP_*, 1 level and 2 payload version of target.ts, 3 now in ms,
 * 4 items of a batch, 5 see restore.ts; text 6 pairs of databases: (u32 from or ANY_DB, u32 to)*.
 */
import { equalsLiteral } from '../base/literal';
import { RdbReader } from '../rdb/input';
import {
  REC_AUX, REC_FUNCTION, REC_FUNCTION_PRE_GA, REC_STREAM_NODE, TYPE_ARRAY,
} from '../rdb/opcodes';
import {
  argument, argumentEnd, argumentHead, argumentInt, argumentScore, argumentWord,
  batchArguments, batchBegin, batchDrop, batchItem, batchScore, batchString, batchWrite,
  commandBegin,
} from './command';
import {
  SHAPE_HASH, SHAPE_LIST, SHAPE_OTHER, SHAPE_SET, SHAPE_STREAM, SHAPE_STRING, evExpireMs, evLen,
  evPtr, evScore, evValueLen, evValuePtr,
} from './event';
import { facts } from './facts';
import { afterDrop, afterExpiry, afterWrite } from './field-expiry';
import {
  LEFT_DETAIL, LEFT_EMPTY, LEFT_EXPIRED, LEFT_FIELD_EXPIRY, LEFT_FUNCTION, LEFT_MODULE, LEFT_NAN,
  LEFT_TYPE, leftOut, leftOutBegin, leftOutOfFile,
} from './left-out';
import { optionNumber, optionTextLen, optionTextPtr } from './options';
import { OUT_LONG, outBytes, outLiteral } from './out';
import {
  streamEntry, streamEntryEnd, streamEntryField, streamKey, streamRecord,
} from './resp-streams';
import {
  LEVEL_FIELD_EXPIRY, LEVEL_FUNCTIONS, LEVEL_PXAT, LEVEL_STREAMS, LEVEL_UNLINK, has, targetAux,
  targetBegin, targetOfFile,
} from './target';

// ---- flags of option 0
/** Only keys that the server does not have. */
export const RESP_MISSING: u32 = 1;
/** Keys that the server has are replaced. */
export const RESP_REPLACE: u32 = 2;
/** Keys and fields that are expired now are left out. */
export const RESP_DROP_EXPIRED: u32 = 4;
/** Nothing expires any more. */
export const RESP_PERSIST: u32 = 8;
/** Functions and scripts are left out. */
export const RESP_NO_FUNCTIONS: u32 = 16;

const ANY_DB: u32 = 0xffffffff;

let flags: u32 = 0;
let nowMs: i64 = 0;
/** Whether events of the current value become commands. */
export let respSpeaks: bool = false;
/** The current key is not written at all. */
export let respPasses: bool = false;
/** The current key is built under another name. */
let isAside: bool = false;
/** Its hash tag has to be added to that name. */
let needsTag: bool = false;
/** Something was written of the current key. */
let isOpen: bool = false;
/** The server's database, -1 before the first SELECT; and as it was before the current key. */
let database: i64 = -1;
let databaseBefore: i64 = -1;
let key: RdbReader = changetype<RdbReader>(0);

export function respHas(flag: u32): bool {
  return (flags & flag) != 0;
}

/** A mode that says nothing in commands. */
export function respReset(): void {
  respSpeaks = false;
}

/** False when memory is short. */
export function respBegin(): bool {
  flags = <u32>optionNumber(0);
  targetBegin(<u32>optionNumber(1), <u32>optionNumber(2));
  nowMs = <i64>optionNumber(3);
  const items = <u32>optionNumber(4);
  database = -1;
  isOpen = false;
  respSpeaks = false;
  leftOutBegin();
  afterDrop();
  return batchBegin(items == 0 ? 64 : items);
}

// ---- the file

export function respFile(r: RdbReader, kind: i32): void {
  if (kind == REC_AUX) {
    targetAux(r);
    const isScript = equalsLiteral(r.a.ptr, <u32>r.a.len, 'lua');
    if (!isScript || respHas(RESP_NO_FUNCTIONS)) return;
    commandBegin(3, 'SCRIPT');
    argumentWord('LOAD');
    argument(r.b.ptr, r.b.len);
  } else if (kind == REC_FUNCTION || kind == REC_FUNCTION_PRE_GA) {
    targetOfFile(r);
    if (respHas(RESP_NO_FUNCTIONS)) return;
    if (kind == REC_FUNCTION_PRE_GA || !has(LEVEL_FUNCTIONS)) {
      leftOutOfFile(LEFT_FUNCTION);
      return;
    }
    const isReplaced = !respHas(RESP_MISSING);
    commandBegin(isReplaced ? 4 : 3, 'FUNCTION');
    argumentWord('LOAD');
    if (isReplaced) argumentWord('REPLACE');
    argument(r.a.ptr, r.a.len);
  }
}

function mapped(db: u32): u32 {
  const pairs = optionTextPtr(6);
  for (let i: usize = 0; i + 8 <= optionTextLen(6); i += 8) {
    const from = load<u32>(pairs + i);
    if (from == db || from == ANY_DB) return load<u32>(pairs + i, 4);
  }
  return db;
}

/** Makes the current key's database the server's. */
export function respSelect(r: RdbReader): void {
  const db = mapped(r.db);
  if (database == <i64>db) return;
  database = db;
  commandBegin(2, 'SELECT');
  argumentInt(db);
}

// ---- a key

/** Whether `expireMs` is past, where that matters. */
function isPast(expireMs: i64): bool {
  return respHas(RESP_DROP_EXPIRED) && !respHas(RESP_PERSIST) && expireMs <= nowMs;
}

/** Whether the key's expiry is to be written. */
export function respExpires(r: RdbReader): bool {
  return r.hasExpire && !respHas(RESP_PERSIST);
}

/** Takes note of the key, whatever way it is written. False: it is left out. */
export function respHead(r: RdbReader): bool {
  key = r;
  targetOfFile(r);
  databaseBefore = database;
  isOpen = false;
  respSpeaks = false;
  batchDrop();
  afterDrop();
  respPasses = r.hasExpire && isPast(r.expireMs);
  if (respPasses) leftOut(r, LEFT_EXPIRED);
  else if (r.metaCount != 0 && !r.isReplay) leftOut(r, LEFT_DETAIL);
  return !respPasses;
}

/** The key's value will be told in commands. */
export function respKey(r: RdbReader): void {
  const isNewer = facts.shape == SHAPE_STREAM && !has(LEVEL_STREAMS);
  if (isNewer || facts.shape == SHAPE_OTHER) {
    leftOut(r, isNewer || r.type == TYPE_ARRAY ? LEFT_TYPE : LEFT_MODULE);
    respPasses = true;
    return;
  }
  respSpeaks = true;
  isAside = respHas(RESP_MISSING);
  if (facts.shape == SHAPE_STRING && (has(LEVEL_PXAT) || !respExpires(r))) isAside = false;
  if (isAside) needsTag = !hasTag(r.key.ptr, r.key.len);
  if (facts.shape == SHAPE_STREAM) streamKey();
}

/** "{...}" with something inside. */
function hasTag(ptr: usize, len: usize): bool {
  let from: usize = 0;
  while (from < len && load<u8>(ptr + from) != 0x7b) from++;
  let to = from + 1;
  while (to < len && load<u8>(ptr + to) != 0x7d) to++;
  return to < len && to > from + 1;
}

/** The name the value is built under. */
export function respName(): void {
  if (isAside) asideName();
  else argument(key.key.ptr, key.key.len);
}

function asideName(): void {
  argumentHead(12 + key.key.len + (needsTag ? 2 : 0));
  outLiteral('respite:tmp:');
  if (needsTag) outLiteral('{');
  outBytes(key.key.ptr, key.key.len);
  if (needsTag) outLiteral('}');
  argumentEnd();
}

function unlink(): void {
  commandBegin(2, has(LEVEL_UNLINK) ? 'UNLINK' : 'DEL');
  respName();
}

/** Before the first command of the key. */
export function respOpen(): void {
  if (isOpen) return;
  isOpen = true;
  respSelect(key);
  if (isAside || (respHas(RESP_REPLACE) && facts.shape != SHAPE_STRING)) unlink();
}

/** The value is whole, or so far as it will ever be. */
export function respEnd(r: RdbReader, isWanted: bool): void {
  if (!isWanted) database = databaseBefore;
  if (respPasses || !isWanted) {
    batchDrop();
    afterDrop();
    return;
  }
  respFlush();
  if (!isOpen) {
    leftOut(r, LEFT_EMPTY);
    return;
  }
  if (respExpires(r) && (facts.shape != SHAPE_STRING || !has(LEVEL_PXAT))) {
    commandBegin(3, 'PEXPIREAT');
    respName();
    argumentInt(r.expireMs);
  }
  if (isAside) {
    commandBegin(3, 'RENAMENX');
    respName();
    argument(r.key.ptr, r.key.len);
    unlink();
  }
  isOpen = false;
}

/** What was read of a value that is damaged inside is taken back. */
export function respDamage(): void {
  batchDrop();
  afterDrop();
  if (isOpen) unlink();
  isOpen = false;
  respSpeaks = false;
}

/** The file has no more: what there is of the current value stays. */
export function respBroken(r: RdbReader): void {
  if (!respSpeaks || !r.inValue) return;
  respSpeaks = false;
  if (facts.shape == SHAPE_STREAM) batchDrop();
  if (isOpen || batchArguments > 0) respEnd(r, true);
}

// ---- values

export function respString(): void {
  respOpen();
  const isMissing = respHas(RESP_MISSING) && !isAside;
  const isAt = respExpires(key) && has(LEVEL_PXAT);
  commandBegin(3 + (isMissing ? 1 : 0) + (isAt ? 2 : 0), 'SET');
  respName();
  argument(evPtr, evLen);
  if (isMissing) argumentWord('NX');
  if (isAt) {
    argumentWord('PXAT');
    argumentInt(max<i64>(key.expireMs, 1));
  }
}

/** The command that adds to the value, with so many arguments of elements. */
function addBegin(count: usize): void {
  respOpen();
  const shape = facts.shape;
  if (shape == SHAPE_LIST) commandBegin(2 + count, 'RPUSH');
  else if (shape == SHAPE_HASH) commandBegin(2 + count, has(LEVEL_UNLINK) ? 'HSET' : 'HMSET');
  else if (shape == SHAPE_STREAM) commandBegin(2 + count, 'XADD');
  else commandBegin(2 + count, shape == SHAPE_SET ? 'SADD' : 'ZADD');
  respName();
}

/** Writes the batch. */
export function respFlush(): void {
  if (batchArguments == 0) return;
  addBegin(batchArguments);
  batchWrite();
  afterWrite();
}

export function respElement(): void {
  if (evLen > OUT_LONG) {
    respFlush();
    addBegin(1);
    argument(evPtr, evLen);
    return;
  }
  batchString(evPtr, evLen);
  if (batchItem()) respFlush();
}

export function respScored(): void {
  if (evScore != evScore) {
    leftOut(key, LEFT_NAN);
  } else if (evLen > OUT_LONG) {
    respFlush();
    addBegin(2);
    argumentScore(evScore);
    argument(evPtr, evLen);
  } else {
    batchScore(evScore);
    batchString(evPtr, evLen);
    if (batchItem()) respFlush();
  }
}

export function respField(): void {
  let expires = evExpireMs >= 0 && !respHas(RESP_PERSIST);
  if (expires && isPast(evExpireMs)) return;
  if (expires && !has(LEVEL_FIELD_EXPIRY)) {
    leftOut(key, LEFT_FIELD_EXPIRY);
    expires = false;
  }
  if (evLen > OUT_LONG || evValueLen > OUT_LONG) {
    respFlush();
    addBegin(2);
    argument(evPtr, evLen);
    argument(evValuePtr, evValueLen);
    if (expires) fieldExpiry();
    return;
  }
  batchString(evPtr, evLen);
  batchString(evValuePtr, evValueLen);
  if (expires) afterExpiry(evExpireMs, evPtr, evLen);
  if (batchItem()) respFlush();
}

function fieldExpiry(): void {
  commandBegin(6, 'HPEXPIREAT');
  respName();
  argumentInt(evExpireMs);
  argumentWord('FIELDS');
  argumentInt(1);
  argument(evPtr, evLen);
}

export function respEntry(r: RdbReader, kind: i32): void {
  if (kind == REC_STREAM_NODE) streamEntry();
  else streamRecord(r, kind);
}
export function respEntryField(): void {
  streamEntryField();
}
export function respEntryEnd(): void {
  streamEntryEnd();
}
