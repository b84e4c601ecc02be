/**
 * Records for the host: what the file says, in a form that JavaScript reads without looking at
 * linear memory again (host/rdb/records.ts). All numbers little-endian.
 *
 *   record  +0 u32 bytes of the record, these included   +4 u32 kind   then by kind:
 *
 *   R_KEY     head of a key, before its value      R_END   key with facts, behind its value
 *     +8 u32 db, +12 u32 RDB type, +16 u32 shape, +20 u32 encoding, +24 f64 expire ms (-1 none),
 *     +32 f64 idle seconds (-1), +40 i32 frequency (-1), +44 u32 1: wanted, +48 f64 offset,
 *     +56 f64 count (declared in R_KEY, -1 unknown), +64 f64 largest, +72 f64 payload,
 *     +80 f64 bytes in the file, +88 f64 bytes in memory, +96 f64 expiring fields, +104 u64 module
 *     id, +112 name
 *   R_STRING  +8 bytes              R_ELEMENT  +8 bytes
 *   R_FIELD   +8 f64 expire ms (-1), +16 u32 bytes of the field, +20 field, value
 *   R_SCORED  +8 f64 score, +16 member
 *   R_ENTRY   +8 u64 ms, +16 u64 seq (its fields follow)         R_ENTRY_END
 *   R_FILE    +8 u32 REC_*, +12 u32 bytes of a, +16 eight u64 (n0 … n7), +80 count u64,
 *             +88 u32 db, +92 u32 checksum verdict, +96 a, b
 *   R_STREAM  as R_FILE, for groups, consumers, pending entries
 *   R_DAMAGE  +8 f64 offset of the key, +16 name
 *   R_DATABASE  +8 u32 db, +16 f64 keys, +24 f64 of them with expiry: counted, when it is over
 *
 * A string longer than OUT_LONG arrives in slices behind its record, whose length counts it all.
 */
import { RdbReader } from '../rdb/input';
import {
  REC_AUX, REC_EOF, REC_FUNCTION, REC_FUNCTION_PRE_GA, REC_SELECTDB, REC_SLOT_IMPORT,
  REC_STREAM_CONSUMER, REC_STREAM_GROUP, REC_STREAM_IDMP_ENTRY, REC_STREAM_IDMP_PRODUCER,
  REC_STREAM_NODE,
} from '../rdb/opcodes';
import { RDB_COUNT_UNKNOWN } from '../rdb/reader';
import {
  evExpireMs, evLen, evMs, evPtr, evScore, evSeq, evValueLen, evValuePtr,
} from './event';
import { ESCAPE_NONE } from './escape';
import { facts } from './facts';
import { outCommit, outReserve, outString } from './out';
import { tallyDb, tallyDbBegin, tallyDbExpires, tallyDbKeys } from './tally';

export const R_KEY: u32 = 1;
export const R_END: u32 = 2;
export const R_STRING: u32 = 3;
export const R_ELEMENT: u32 = 4;
export const R_FIELD: u32 = 5;
export const R_SCORED: u32 = 6;
export const R_ENTRY: u32 = 7;
export const R_ENTRY_END: u32 = 8;
export const R_FILE: u32 = 9;
export const R_STREAM: u32 = 10;
export const R_DAMAGE: u32 = 11;
export const R_DATABASE: u32 = 12;

const KEY_HEAD: usize = 112;
const FILE_HEAD: usize = 96;

/** The head of a record with `head` bytes of its own and `tail` bytes behind; 0 without memory. */
function begin(kind: u32, head: usize, tail: usize): usize {
  const at = outReserve(head);
  if (at == 0) return 0;
  store<u32>(at, <u32>(head + tail));
  store<u32>(at, kind, 4);
  return at;
}

function key(r: RdbReader, kind: u32, isWanted: bool): void {
  const at = begin(kind, KEY_HEAD, r.key.len);
  if (at == 0) return;
  const isEnd = kind == R_END;
  store<u32>(at, r.db, 8);
  store<u32>(at, r.type, 12);
  store<u32>(at, facts.shape, 16);
  store<u32>(at, facts.encoding, 20);
  store<f64>(at, r.hasExpire ? <f64>r.expireMs : -1, 24);
  store<f64>(at, <f64>r.idleSec, 32);
  store<i32>(at, r.freq, 40);
  store<u32>(at, isWanted ? 1 : 0, 44);
  store<f64>(at, <f64>r.keyOffset, 48);
  const declared: f64 = r.count == RDB_COUNT_UNKNOWN ? -1 : <f64>r.count;
  store<f64>(at, isEnd ? <f64>facts.count : declared, 56);
  store<f64>(at, <f64>facts.largest, 64);
  store<f64>(at, <f64>facts.payload, 72);
  store<f64>(at, <f64>facts.fileBytes, 80);
  store<f64>(at, <f64>facts.memory, 88);
  store<f64>(at, <f64>facts.expiring, 96);
  store<u64>(at, r.moduleId, 104);
  outCommit(KEY_HEAD);
  outString(ESCAPE_NONE, r.key.ptr, r.key.len);
}

export function recordsKey(r: RdbReader): void {
  key(r, R_KEY, true);
}

export function recordsEnd(r: RdbReader, isWanted: bool): void {
  key(r, R_END, isWanted);
}

function plain(kind: u32): void {
  const at = begin(kind, 8, evLen);
  if (at == 0) return;
  outCommit(8);
  outString(ESCAPE_NONE, evPtr, evLen);
}

export function recordsString(): void {
  plain(R_STRING);
}

export function recordsElement(): void {
  plain(R_ELEMENT);
}

export function recordsField(): void {
  const at = begin(R_FIELD, 20, evLen + evValueLen);
  if (at == 0) return;
  store<f64>(at, <f64>evExpireMs, 8);
  store<u32>(at, <u32>evLen, 16);
  outCommit(20);
  outString(ESCAPE_NONE, evPtr, evLen);
  outString(ESCAPE_NONE, evValuePtr, evValueLen);
}

export function recordsScored(): void {
  const at = begin(R_SCORED, 16, evLen);
  if (at == 0) return;
  store<f64>(at, evScore, 8);
  outCommit(16);
  outString(ESCAPE_NONE, evPtr, evLen);
}

export function recordsEntry(r: RdbReader, kind: i32): void {
  if (kind != REC_STREAM_NODE) {
    record(r, R_STREAM, kind);
    return;
  }
  const at = begin(R_ENTRY, 24, 0);
  if (at == 0) return;
  store<u64>(at, evMs, 8);
  store<u64>(at, evSeq, 16);
  outCommit(24);
}

export function recordsEntryEnd(): void {
  if (begin(R_ENTRY_END, 8, 0) != 0) outCommit(8);
}

export function recordsFile(r: RdbReader, kind: i32): void {
  if (kind == REC_SELECTDB || kind == REC_EOF) database();
  record(r, R_FILE, kind);
}

function database(): void {
  const at: usize = tallyDbKeys == 0 ? <usize>0 : begin(R_DATABASE, 32, 0);
  if (at != 0) {
    store<u64>(at, tallyDb, 8);
    store<f64>(at, <f64>tallyDbKeys, 16);
    store<f64>(at, <f64>tallyDbExpires, 24);
    outCommit(32);
  }
  tallyDbBegin();
}

/** Whether a record of that kind has strings a, b. */
function hasA(kind: i32): bool {
  switch (kind) {
    case REC_AUX:
    case REC_FUNCTION:
    case REC_FUNCTION_PRE_GA:
    case REC_SLOT_IMPORT:
    case REC_STREAM_GROUP:
    case REC_STREAM_CONSUMER:
    case REC_STREAM_IDMP_PRODUCER:
    case REC_STREAM_IDMP_ENTRY: return true;
    default: return false;
  }
}

function record(r: RdbReader, what: u32, kind: i32): void {
  const a = hasA(kind) ? r.a.len : 0;
  const b = kind == REC_AUX || kind == REC_FUNCTION_PRE_GA ? r.b.len : 0;
  const at = begin(what, FILE_HEAD, a + b);
  if (at == 0) return;
  store<u32>(at, <u32>kind, 8);
  store<u32>(at, <u32>a, 12);
  store<u64>(at, r.n0, 16);
  store<u64>(at, r.n1, 24);
  store<u64>(at, r.n2, 32);
  store<u64>(at, r.n3, 40);
  store<u64>(at, r.n4, 48);
  store<u64>(at, r.n5, 56);
  store<u64>(at, r.n6, 64);
  store<u64>(at, r.n7, 72);
  store<u64>(at, r.count, 80);
  store<u32>(at, r.db, 88);
  store<u32>(at, r.verdict, 92);
  outCommit(FILE_HEAD);
  if (a != 0) outString(ESCAPE_NONE, r.a.ptr, a);
  if (b != 0) outString(ESCAPE_NONE, r.b.ptr, b);
}

export function recordsDamage(r: RdbReader): void {
  const at = begin(R_DAMAGE, 16, r.key.len);
  if (at == 0) return;
  store<f64>(at, <f64>r.keyOffset, 8);
  outCommit(16);
  outString(ESCAPE_NONE, r.key.ptr, r.key.len);
}
