// biome-ignore-all lint: AssemblyScript, which knows no type imports and may assign to imports
// Compiled by asc, not by tsc: the reader's functions and fields as exports, for the tests.
import { alloc, allocFaultCountdown, allocInit, free, usedMemory } from '../../assembly/base/alloc';
import { crc64 } from '../../assembly/base/crc64';
import { rdbErrorText } from '../../assembly/rdb/errors';
import { RdbReader } from '../../assembly/rdb/input';
import { REC_EOF } from '../../assembly/rdb/opcodes';
import { rdbKeepRaw } from '../../assembly/rdb/raw';
import {
  rdbClose,
  rdbConsumed,
  rdbFeed,
  rdbFinish,
  rdbNext,
  rdbOffset,
  rdbOpen,
  rdbOpenPayload,
  rdbSetHoldMax,
  rdbSkipValue,
} from '../../assembly/rdb/reader';
import { rdbModuleName, rdbSkippedLine } from '../../assembly/rdb/skip';
import {
  BlobWalk,
  STREAM_WALK_SIZE,
  StreamWalk,
  streamField,
  streamNext,
  streamOpen,
  WALK_SIZE,
  walkNext,
  walkOpen,
} from '../../assembly/rdb/values';

export { alloc, allocInit as init, crc64, free };

function at(r: usize): RdbReader {
  return changetype<RdbReader>(r);
}

export function used(): usize {
  return usedMemory;
}
/** The allocation after `n` more fails (-1: none). */
export function failAfter(n: i32): void {
  allocFaultCountdown = n;
}
export function open(flags: u32): usize {
  return rdbOpen(flags);
}
export function openPayload(ptr: usize, len: usize, flags: u32): usize {
  return rdbOpenPayload(ptr, len, flags);
}
export function close(r: usize): void {
  rdbClose(at(r));
}
export function feed(r: usize, ptr: usize, len: usize): void {
  rdbFeed(at(r), ptr, len);
}
export function next(r: usize): i32 {
  return rdbNext(at(r));
}
export function finish(r: usize): i32 {
  return rdbFinish(at(r));
}
export function consumed(r: usize): usize {
  return rdbConsumed(at(r));
}
export function offset(r: usize): u64 {
  return rdbOffset(at(r));
}
export function skipValue(r: usize): void {
  rdbSkipValue(at(r));
}
export function holdMax(r: usize, n: u64): void {
  rdbSetHoldMax(at(r), n);
}

export function keepRaw(r: usize, max: u64, inPieces: bool): void {
  rdbKeepRaw(at(r), max, inPieces);
}
export function rawPtr(r: usize): usize {
  return at(r).rawPtr;
}
export function rawSize(r: usize): usize {
  return at(r).rawSize;
}
export function rawOffset(r: usize): u64 {
  return at(r).rawOffset;
}
export function isReplay(r: usize): bool {
  return at(r).isReplay;
}

/** All public fields at once into a block of 64-bit words; the harness knows their order. */
export function fields(r: usize, dst: usize): void {
  const o = at(r);
  store<u64>(dst, o.a.ptr, 0);
  store<u64>(dst, o.a.len, 8);
  store<u64>(dst, o.b.ptr, 16);
  store<u64>(dst, o.b.len, 24);
  store<u64>(dst, o.key.ptr, 32);
  store<u64>(dst, o.key.len, 40);
  store<u64>(dst, o.a.form, 48);
  store<u64>(dst, o.container, 56);
  store<f64>(dst, o.score, 64);
  store<i64>(dst, o.fieldExpireMs, 72);
  store<i64>(dst, o.minExpireMs, 80);
  store<u64>(dst, o.n0, 88);
  store<u64>(dst, o.n1, 96);
  store<u64>(dst, o.n2, 104);
  store<u64>(dst, o.n3, 112);
  store<u64>(dst, o.n4, 120);
  store<u64>(dst, o.n5, 128);
  store<u64>(dst, o.n6, 136);
  store<u64>(dst, o.n7, 144);
  store<u64>(dst, o.count, 152);
  store<u64>(dst, o.db, 160);
  store<u64>(dst, o.type, 168);
  store<i64>(dst, o.expireMs, 176);
  store<i64>(dst, o.idleSec, 184);
  store<i64>(dst, o.freq, 192);
  store<u64>(dst, o.keyOffset, 200);
  store<u64>(dst, o.moduleId, 208);
  store<u64>(dst, o.verdict, 216);
  store<u64>(dst, o.err, 224);
  store<u64>(dst, o.errOffset, 232);
  store<u64>(dst, o.errArg, 240);
  store<u64>(dst, o.version, 248);
  store<u64>(dst, o.isValkey ? 1 : 0, 256);
  store<u64>(dst, o.metaCount, 264);
  store<u64>(dst, o.skippedLen, 272);
}

export function errorText(code: i32, dst: usize): usize {
  return rdbErrorText(code, dst);
}
export function moduleName(dst: usize, id: u64): void {
  rdbModuleName(dst, id);
}
export function skippedCount(r: usize, i: u32): u64 {
  return rdbSkippedLine(at(r), i).count;
}
export function skippedType(r: usize, i: u32): u32 {
  return rdbSkippedLine(at(r), i).type;
}
export function skippedModule(r: usize, i: u32): u64 {
  return rdbSkippedLine(at(r), i).moduleId;
}

export function walkNew(): usize {
  return alloc(WALK_SIZE);
}
export function wOpen(w: usize, kind: u32, ptr: usize, len: usize): bool {
  return walkOpen(changetype<BlobWalk>(w), kind, ptr, len);
}
export function wNext(w: usize): i32 {
  return walkNext(changetype<BlobWalk>(w));
}
export function wPtr(w: usize): usize {
  return changetype<BlobWalk>(w).ptr;
}
export function wLen(w: usize): usize {
  return changetype<BlobWalk>(w).len;
}

export function streamNew(): usize {
  return alloc(STREAM_WALK_SIZE);
}
export function sOpen(s: usize, ms: u64, seq: u64, ptr: usize, len: usize): bool {
  return streamOpen(changetype<StreamWalk>(s), ms, seq, ptr, len);
}
export function sNext(s: usize): i32 {
  return streamNext(changetype<StreamWalk>(s));
}
export function sField(s: usize): i32 {
  return streamField(changetype<StreamWalk>(s));
}
export function sMs(s: usize): u64 {
  return changetype<StreamWalk>(s).ms;
}
export function sSeq(s: usize): u64 {
  return changetype<StreamWalk>(s).seq;
}
export function sFlags(s: usize): u32 {
  return changetype<StreamWalk>(s).flags;
}
export function sPart(s: usize, i: u32): usize {
  const o = changetype<StreamWalk>(s);
  return i === 0 ? o.fieldPtr : i === 1 ? o.fieldLen : i === 2 ? o.valuePtr : o.valueLen;
}

/** Read everything inside Wasm, as a loader would; returns the records, or minus the error. */
export function drain(r: usize, ptr: usize, len: usize, chunk: usize): i64 {
  let records: i64 = 0;
  let at: usize = 0;
  const o = changetype<RdbReader>(r);
  rdbFeed(o, ptr, min(chunk, len));
  at = min(chunk, len);
  while (true) {
    const kind = rdbNext(o);
    if (kind > 0) {
      records++;
      if (kind === REC_EOF) return records;
    } else if (kind === 0) {
      if (at === len) return -1000;
      const n = min(chunk, len - at);
      rdbFeed(o, ptr + at, n);
      at += n;
    } else {
      return -o.err;
    }
  }
}
