/**
 * What is known about a load: one block in memory that the host may read at any time, and the
 * errors a loader has beyond the reader's.
 *
 * Layout (LOAD_INFO_SIZE bytes; little-endian; f64 where a number may pass 32 bits; pointers are
 * addresses valid until the next loadBegin):
 *
 *   +0   u32 phase           LOAD_IDLE 0, LOAD_RUNNING 1, LOAD_DONE 2, LOAD_FAILED 3
 *   +4   i32 error code      0 none; ERR_* of opcodes.ts (1-28), LOAD_ERR_* below (64-); 11 = OOM
 *   +8   f64 error offset    place in the file of the unit, string or key at fault
 *   +16  u32 reason ptr      ASCII text
 *   +20  u32 reason len
 *   +24  u32 key ptr         key at fault, its first KEY_SHOWN_MAX bytes; 0 = none
 *   +28  u32 key len
 *   +32  u32 db              database at fault, else the one loaded into last
 *   +36  u32 rdb version     0 until the header is read
 *   +40  u32 valkey          1: the magic is Valkey's
 *   +44  u32 checksum        CRC_* of opcodes.ts, valid with LOAD_DONE
 *   +48  f64 bytes done      of the RDB, its header and checksum counted
 *   +56  f64 keys loaded
 *   +64  f64 keys loaded that have an expiry
 *   +72  f64 expired keys skipped
 *   +80  f64 empty keys skipped (collections without elements)
 *   +88  f64 values skipped that this engine cannot hold
 *   +96  u32 skipped lines   number of lines at the next address:
 *   +100 u32 lines ptr       { u32 type, u32 name length, f64 count, 16 bytes name } * lines
 *   +104 f64 module auxiliary fields skipped
 *   +112 u32 functions       libraries loaded
 *   +116 u32 is preamble     1: the writer made it as the head (or base) of an AOF
 *   +120 u32 repl-id ptr, +124 u32 len            0 = absent
 *   +128 f64 repl-offset                          -1 = absent
 *   +136 i32 repl-stream-db                       -2 = absent, -1 = none selected
 *   +140 u32 server version ptr, +144 u32 len     redis-ver or valkey-ver, 0 = absent
 *   +152 f64 ctime (s), +160 f64 used-mem         -1 = absent
 *   +168 f64 keys announced by RESIZEDB so far (a hint)
 *   +176 f64 error argument  the number the error is about (opcode, type, version ...)
 *   +184 f64 hash fields skipped because they had expired
 */
import { free } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { string2ll, llValue } from '../base/numbers/integers';
import { equalsLiteral, writeLiteral } from '../base/literal';
import { ERROR_TEXT_MAX, rdbErrorText } from './errors';
import { RdbReader, Slot } from './input';
import { TYPE_ARRAY, TYPE_MODULE_2 } from './opcodes';
import { rdbModuleName, rdbSkippedLine } from './skip';

export const LOAD_IDLE: u32 = 0;
export const LOAD_RUNNING: u32 = 1;
export const LOAD_DONE: u32 = 2;
export const LOAD_FAILED: u32 = 3;

// ---- errors beyond those of the reader
export const LOAD_ERR_DUPLICATE_KEY: i32 = 64;
export const LOAD_ERR_DB: i32 = 65;
export const LOAD_ERR_LISTPACK: i32 = 66;
export const LOAD_ERR_ZIPLIST: i32 = 67;
export const LOAD_ERR_INTSET: i32 = 68;
export const LOAD_ERR_ZIPMAP: i32 = 69;
export const LOAD_ERR_DUPLICATE_ELEMENT: i32 = 70;
export const LOAD_ERR_NAN: i32 = 71;
/** A compact hash or sorted set that is no list of pairs, or holds a duplicate or no score. */
export const LOAD_ERR_BLOB: i32 = 72;
export const LOAD_ERR_STREAM: i32 = 73;
export const LOAD_ERR_FUNCTION: i32 = 74;
export const LOAD_ERR_FUNCTION_EXISTS: i32 = 75;
export const LOAD_ERR_FUNCTION_PRE_GA: i32 = 76;
/** Payloads only: a module's value or an array. */
export const LOAD_ERR_UNSUPPORTED: i32 = 77;
/** Payloads only: a collection without elements. */
export const LOAD_ERR_EMPTY: i32 = 78;
export const LOAD_ERR_EXPIRE: i32 = 79;

export const LOAD_INFO_SIZE: usize = 192;
const KEY_SHOWN_MAX: u32 = 512;
const LINE_SIZE: usize = 32;
const NAME_MAX: usize = 16;

export const OFF_PHASE: usize = 0;
const OFF_ERROR: usize = 4;
const OFF_ERROR_OFFSET: usize = 8;
const OFF_REASON: usize = 16;
const OFF_KEY: usize = 24;
export const OFF_DB: usize = 32;
export const OFF_VERSION: usize = 36;
export const OFF_VALKEY: usize = 40;
export const OFF_VERDICT: usize = 44;
export const OFF_BYTES: usize = 48;
export const OFF_KEYS: usize = 56;
export const OFF_EXPIRES: usize = 64;
export const OFF_EXPIRED: usize = 72;
export const OFF_EMPTY: usize = 80;
const OFF_SKIPPED: usize = 88;
const OFF_LINES: usize = 96;
export const OFF_MODULE_AUX: usize = 104;
export const OFF_FUNCTIONS: usize = 112;
const OFF_PREAMBLE: usize = 116;
const OFF_REPL_ID: usize = 120;
const OFF_REPL_OFFSET: usize = 128;
const OFF_STREAM_DB: usize = 136;
const OFF_SERVER: usize = 140;
const OFF_CTIME: usize = 152;
const OFF_USED_MEM: usize = 160;
export const OFF_ANNOUNCED: usize = 168;
const OFF_ERROR_ARG: usize = 176;
export const OFF_FIELDS_EXPIRED: usize = 184;

const info = memory.data(192, 8);
const reasonText = memory.data(96);
const keyText = memory.data(512);
const lines = memory.data(1024, 8);
/** Texts kept for the host: blobs, freed at the next load. */
let replId: usize = 0;
let serverVersion: usize = 0;

/** Address of the block described above. */
export function loadInfoPtr(): usize {
  return info;
}

/** Forgets the load before. */
export function infoReset(): void {
  free(replId);
  free(serverVersion);
  replId = 0;
  serverVersion = 0;
  memory.fill(info, 0, LOAD_INFO_SIZE);
  store<f64>(info, -1, OFF_REPL_OFFSET);
  store<i32>(info, -2, OFF_STREAM_DB);
  store<f64>(info, -1, OFF_CTIME);
  store<f64>(info, -1, OFF_USED_MEM);
}

// @ts-ignore: decorator
@inline export function infoPhase(): u32 {
  return load<u32>(info);
}

// @ts-ignore: decorator
@inline export function infoSet(off: usize, value: u32): void {
  store<u32>(info + off, value);
}

// @ts-ignore: decorator
@inline export function infoSetNumber(off: usize, value: f64): void {
  store<f64>(info + off, value);
}

/** Adds to one of the f64 counters. */
// @ts-ignore: decorator
@inline export function infoAdd(off: usize, n: f64): void {
  store<f64>(info + off, load<f64>(info + off) + n);
}

// ---- errors

/** Notes what went wrong where, about the number `arg`. The key is noted by `infoKey`. */
export function infoError(code: i32, offset: u64, arg: u64): void {
  store<u32>(info, LOAD_FAILED, OFF_PHASE);
  store<i32>(info, code, OFF_ERROR);
  store<f64>(info, <f64>offset, OFF_ERROR_OFFSET);
  store<f64>(info, <f64>arg, OFF_ERROR_ARG);
  store<u32>(info, <u32>reasonText, OFF_REASON);
  store<u32>(info, loadErrorText(code, reasonText), OFF_REASON + 4);
}

/** Notes the key at fault. */
export function infoKey(ptr: usize, len: u32): void {
  const shown = min(len, KEY_SHOWN_MAX);
  memory.copy(keyText, ptr, shown);
  store<u32>(info, <u32>keyText, OFF_KEY);
  store<u32>(info, shown, OFF_KEY + 4);
}

/** Writes the reason `code` stands for at `dst` (ERROR_TEXT_MAX bytes of room); its length. */
export function loadErrorText(code: i32, dst: usize): u32 {
  if (code < LOAD_ERR_DUPLICATE_KEY) return <u32>rdbErrorText(code, dst);
  const text = reason(code);
  return text.length <= <i32>ERROR_TEXT_MAX ? writeLiteral(dst, text) : 0;
}

function reason(code: i32): string {
  switch (code) {
    case LOAD_ERR_DUPLICATE_KEY: return 'duplicate key';
    case LOAD_ERR_DB: return 'database number beyond those configured';
    case LOAD_ERR_LISTPACK: return 'damaged listpack';
    case LOAD_ERR_ZIPLIST: return 'damaged ziplist';
    case LOAD_ERR_INTSET: return 'damaged intset';
    case LOAD_ERR_ZIPMAP: return 'damaged zipmap';
    case LOAD_ERR_DUPLICATE_ELEMENT: return 'duplicate element in a collection';
    case LOAD_ERR_NAN: return 'score is not a number';
    case LOAD_ERR_BLOB: return 'compact value holds no pairs, duplicates or a wrong score';
    case LOAD_ERR_STREAM: return 'damaged stream';
    case LOAD_ERR_FUNCTION: return 'function library without a proper first line';
    case LOAD_ERR_FUNCTION_EXISTS: return 'function library occurs twice';
    case LOAD_ERR_FUNCTION_PRE_GA: return 'function of a pre-release format';
    case LOAD_ERR_UNSUPPORTED: return 'value of a type that cannot be held';
    case LOAD_ERR_EMPTY: return 'collection without elements';
    case LOAD_ERR_EXPIRE: return 'field expiry out of range';
    default: return 'internal error';
  }
}

// ---- auxiliary fields

function keepText(old: usize, s: Slot, off: usize): usize {
  const blob = blobNew(s.ptr, <u32>s.len);
  if (!blob) return old;
  free(old);
  store<u32>(info + off, <u32>blobPtr(blob));
  store<u32>(info + off, blobLen(blob), 4);
  return blob;
}

function keepNumber(s: Slot, off: usize): void {
  if (string2ll(s.ptr, s.len)) store<f64>(info + off, <f64>llValue);
}

/** An AUX record: keeps what the host may want; unknown ones mean nothing. */
export function infoAux(r: RdbReader): void {
  const key = r.a.ptr;
  const len = <u32>r.a.len;
  const value = r.b;
  if (value.len > 1024) return;
  if (equalsLiteral(key, len, 'repl-id')) {
    replId = keepText(replId, value, OFF_REPL_ID);
  } else if (equalsLiteral(key, len, 'repl-offset')) {
    keepNumber(value, OFF_REPL_OFFSET);
  } else if (equalsLiteral(key, len, 'repl-stream-db')) {
    if (string2ll(value.ptr, value.len)) store<i32>(info, <i32>llValue, OFF_STREAM_DB);
  } else if (equalsLiteral(key, len, 'redis-ver') || equalsLiteral(key, len, 'valkey-ver')) {
    serverVersion = keepText(serverVersion, value, OFF_SERVER);
  } else if (equalsLiteral(key, len, 'ctime')) {
    keepNumber(value, OFF_CTIME);
  } else if (equalsLiteral(key, len, 'used-mem')) {
    keepNumber(value, OFF_USED_MEM);
  } else if (equalsLiteral(key, len, 'aof-preamble') || equalsLiteral(key, len, 'aof-base')) {
    if (string2ll(value.ptr, value.len)) store<u32>(info, llValue != 0 ? 1 : 0, OFF_PREAMBLE);
  }
}

// ---- skipped values

/** Copies the reader's tally of skipped values into the block. */
export function infoSkipped(r: RdbReader): void {
  let total: f64 = 0;
  const count = min<u32>(r.skippedLen, 1024 / <u32>LINE_SIZE);
  for (let i: u32 = 0; i < count; i++) {
    const from = rdbSkippedLine(r, i);
    const to = lines + <usize>i * LINE_SIZE;
    total += <f64>from.count;
    store<u32>(to, from.type);
    store<f64>(to, <f64>from.count, 8);
    store<u32>(to, skippedName(from.type, from.moduleId, to + NAME_MAX), 4);
  }
  store<f64>(info, total, OFF_SKIPPED);
  store<u32>(info, count, OFF_LINES);
  store<u32>(info, <u32>lines, OFF_LINES + 4);
}

/** Name of a kind of skipped values: the module type's, or "array". */
function skippedName(type: u32, moduleId: u64, to: usize): u32 {
  if (type == TYPE_MODULE_2) {
    rdbModuleName(to, moduleId);
    return 9;
  }
  return type == TYPE_ARRAY ? writeLiteral(to, 'array') : 0;
}
