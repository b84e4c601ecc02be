/**
 * The effects: every change of the data set, in the form in which it goes to the AOF, to replicas
 * and to whoever else follows, written once as RESP commands.
 *
 * A command that changed something is written as it came, unless it said otherwise: it writes its
 * own effect with `effectBegin`, or calls `effectNone`. What one execution unit (a command, EXEC, a
 * script) did is wrapped in MULTI and EXEC if it is more than one command; a SELECT is put where
 * the database changes. The host empties the buffer after each call into the core.
 *
 * While nobody follows (`effectsOn` false) nothing is written and nothing counted, as in Redis.
 */
import { free, realloc } from '../base/alloc';
import { ll2string } from '../base/numbers/integers';
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import { argc, argLen, argPtr } from '../resp/args';
import { writeLiteral } from '../base/literal';

const INITIAL_CAP: usize = 4096;
/** A buffer that grew beyond this is not kept once it was emptied. */
const KEEP_CAP: usize = 1 << 20;
const MULTI_LEN: usize = 15;

/** Whether anyone follows. Set by the host. */
export let effectsOn: bool = false;
/** Bytes waiting for the host: address and length. */
export let effectsPtr: usize = 0;
export let effectsLen: usize = 0;
/** Bytes ever written; the offset of the stream. */
export let effectsOffset: u64 = 0;
/** A change found no memory to be written: followers must start over. The host resets it. */
export let effectsLost: bool = false;

let cap: usize = 0;
/** Where the present unit began, and how many commands it holds. */
let unitStart: usize = 0;
let unitOps: u32 = 0;
/** Database of the stream; -1 = the next effect must say it. */
let streamDb: i32 = -1;
/** The running command took care of its own effect. */
export let effectWritten: bool = false;
const digits = memory.data(32);

export function effectsEnable(on: bool): void {
  effectsOn = on;
  streamDb = -1;
}

/** Changes from here on (or no longer) are nobody's business. The stream stays as it is. */
export function effectsSilence(on: bool): void {
  if (on) {
    wasOn = effectsOn;
    effectsOn = false;
  } else {
    effectsOn = wasOn;
  }
}
let wasOn: bool = false;

/** Makes the next effect name its database (a follower starts here). */
export function effectsForceSelect(): void {
  streamDb = -1;
}

/** The host has taken all bytes. */
export function effectsTaken(): void {
  effectsLen = 0;
  unitStart = 0;
  if (cap > KEEP_CAP) {
    free(effectsPtr);
    effectsPtr = 0;
    cap = 0;
  }
}

export function effectsClearLost(): void {
  effectsLost = false;
}

function room(need: usize): bool {
  if (effectsLen + need <= cap) return true;
  if (effectsLost) return false;
  const want = max(max(cap * 2, INITIAL_CAP), effectsLen + need);
  const moved: usize = want < cap ? <usize>0 : realloc(effectsPtr, want);
  if (moved == 0) {
    effectsLost = true;
    return false;
  }
  effectsPtr = moved;
  cap = want;
  return true;
}

function header(kind: u8, n: u32): void {
  if (!room(16)) return;
  const at = effectsPtr + effectsLen;
  store<u8>(at, kind);
  const len = ll2string(n, at + 1);
  store<u16>(at + 1 + len, 0x0a0d);
  effectsLen += len + 3;
}

/** Adds an argument to the effect begun last. */
export function effectArg(ptr: usize, len: u32): void {
  if (!effectsOn) return;
  header(36, len);
  if (!room(<usize>len + 2)) return;
  const at = effectsPtr + effectsLen;
  memory.copy(at, ptr, len);
  store<u16>(at + len, 0x0a0d);
  effectsLen += <usize>len + 2;
}

export function effectLiteral(text: string): void {
  if (!effectsOn) return;
  const n = <u32>text.length;
  header(36, n);
  if (!room(n + 2)) return;
  const at = effectsPtr + effectsLen;
  writeLiteral(at, text);
  store<u16>(at + n, 0x0a0d);
  effectsLen += n + 2;
}

export function effectInt(value: i64): void {
  if (!effectsOn) return;
  effectArg(digits, ll2string(value, digits));
}

/**
 * Begins an effect of `count` arguments in database `db`; `count` calls of effectArg, effectLiteral
 * or effectInt must follow. The running command's own form is then not written.
 */
export function effectBegin(db: u32, count: u32): void {
  effectWritten = true;
  if (effectsOn) beginOp(db, count);
}

function beginOp(db: u32, count: u32): void {
  if (unitOps == 0) unitStart = effectsLen;
  else if (unitOps == 1) insertMulti();
  unitOps++;
  if (streamDb != <i32>db) {
    streamDb = <i32>db;
    const len = ll2string(db, digits);
    header(42, 2);
    effectLiteral('SELECT');
    effectArg(digits, len);
  }
  header(42, count);
}

function insertMulti(): void {
  if (!room(MULTI_LEN)) return;
  const at = effectsPtr + unitStart;
  memory.copy(at + MULTI_LEN, at, effectsLen - unitStart);
  writeLiteral(at, '*1\r\n$5\r\nMULTI\r\n');
  effectsLen += MULTI_LEN;
}

/** The running command needs no effect although it counted a change. */
export function effectNone(): void {
  effectWritten = true;
}

/** The running command as it came. */
export function effectVerbatim(db: u32): void {
  if (!effectsOn) return;
  beginOp(db, argc);
  for (let i: u32 = 0; i < argc; i++) effectArg(argPtr(i), argLen(i));
}

/** DEL key: for expired and evicted keys, whatever command met them; leaves its own form alone. */
export function effectDel(db: u32, keyPtr: usize, keyLen: u32): void {
  if (!effectsOn) return;
  beginOp(db, 2);
  effectLiteral('DEL');
  effectArg(keyPtr, keyLen);
}

/** HDEL key field: the same for fields that expired. */
export function effectHdel(db: u32, item: usize, field: usize, fieldLen: u32): void {
  if (!effectsOn) return;
  beginOp(db, 3);
  effectLiteral('HDEL');
  effectArg(itemKeyPtr(item), itemKeyLen(item));
  effectArg(field, fieldLen);
}

/** Before a command runs. */
// @ts-ignore: decorator
@inline export function effectsCommandStart(): void {
  effectWritten = false;
}

/** Whether the present unit has written anything. */
// @ts-ignore: decorator
@inline export function effectsPending(): bool {
  return unitOps != 0;
}

/** The end of an execution unit: closes the transaction if it holds more than one command. */
// @ts-ignore: decorator
@inline export function effectsCommit(): void {
  if (unitOps != 0) commit();
}

function commit(): void {
  if (unitOps > 1) {
    header(42, 1);
    effectLiteral('EXEC');
  }
  effectsOffset += effectsLen - unitStart;
  unitStart = effectsLen;
  unitOps = 0;
}
