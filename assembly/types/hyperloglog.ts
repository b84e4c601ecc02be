/**
 * HyperLogLog: registers in Redis' two representations, byte for byte, and the estimate.
 *
 * What it is: hashing of elements, reading and changing registers, merging, counting. What it is
 * not: keys and strings. A HyperLogLog is the bytes of a string; changes that may need room are
 * made in a copy (`hllEditBegin` … `hllEditEnd`) that the caller then puts in the string's place.
 *
 *   header (16 bytes)   "HYLL" | u8 encoding | 3 bytes unused | u64 LE last estimate; its top bit
 *                       set: out of date
 *   dense (0)           16384 registers of 6 bits, the first in the lowest bits of the first byte
 *   sparse (1)          runs of equal registers:
 *                       00nnnnnn           n+1 registers of 0
 *                       01nnnnnn nnnnnnnn  n+1 registers of 0 (high bits first)
 *                       1vvvvvnn           n+1 registers of v+1
 *
 * A sparse one becomes dense when a register exceeds 32 or a run would take it beyond
 * hll-sparse-max-bytes, header included. Bytes come from SET too: whatever they are, nothing
 * outside them is touched, and runs that are not 16384 registers long are reported.
 *
 * Sources: Flajolet and others, "HyperLogLog", 2007; Heule and others, "HyperLogLog in Practice",
 * 2013; Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017 (the
 * estimator). Where and when runs are joined was observed on redis 7.0.15 through GET.
 */
import { alloc, free } from '../base/alloc';
import { murmur64a } from '../base/murmur';
import { hllSparseMaxBytes } from './limits';

export const HLL_DENSE: i32 = 0;
export const HLL_SPARSE: i32 = 1;
/** What `hllKind` says of other bytes. */
export const HLL_NONE: i32 = -1;

export const HLL_REGISTERS: u32 = 16384;
export const HLL_HEADER: u32 = 16;
export const HLL_DENSE_SIZE: u32 = HLL_HEADER + HLL_REGISTERS * 6 / 8;
const OFF_ENCODING: usize = 4;
const OFF_CARD: usize = 8;
const MAGIC: u32 = 0x4c4c5948;
const CARD_STALE: u64 = 1 << 63;

const SEED: u64 = 0xadc83b19;
const INDEX_BITS: u64 = 14;
/** Bits of the hash behind the index: the highest rank is one more. */
const RANK_BITS: u64 = 50;
const ALPHA_INF: f64 = 0.721347520444481703680;

const SPARSE_VALUE_MAX: u32 = 32;
const SPARSE_VALUE_RUN_MAX: u32 = 4;
const SPARSE_ZERO_RUN_MAX: u32 = 64;
/** Bytes that replacing a run cut by the end may write behind it. */
const CUT_MAX: u64 = 1;
/** Runs looked at for joining after a change. */
const JOIN_SCAN: u32 = 5;

// ---- elements and header

/** Register of the element last hashed, and the rank its hash asks for (1 … 51). */
export let hllIndex: u32 = 0;
export let hllRank: u32 = 0;

export function hllHash(ptr: usize, len: u32): void {
  const hash = murmur64a(ptr, len, SEED);
  hllIndex = <u32>hash & (HLL_REGISTERS - 1);
  hllRank = <u32>ctz((hash >> INDEX_BITS) | (1 << RANK_BITS)) + 1;
}

/** HLL_DENSE, HLL_SPARSE, or HLL_NONE where the bytes are no HyperLogLog. */
export function hllKind(ptr: usize, len: u32): i32 {
  if (len < HLL_HEADER || load<u32>(ptr) != MAGIC) return HLL_NONE;
  const encoding = <i32>load<u8>(ptr, OFF_ENCODING);
  if (encoding == HLL_DENSE) return len == HLL_DENSE_SIZE ? HLL_DENSE : HLL_NONE;
  return encoding == HLL_SPARSE ? HLL_SPARSE : HLL_NONE;
}

/** Whether the estimate in the header is up to date. */
export function hllIsFresh(ptr: usize): bool {
  return (load<u64>(ptr, OFF_CARD) & CARD_STALE) == 0;
}

/** The estimate in the header. */
export function hllCached(ptr: usize): u64 {
  return load<u64>(ptr, OFF_CARD);
}

export function hllSetCached(ptr: usize, estimate: u64): void {
  store<u64>(ptr, estimate, OFF_CARD);
}

/** Marks the estimate as out of date. */
export function hllSetStale(ptr: usize): void {
  store<u64>(ptr, load<u64>(ptr, OFF_CARD) | CARD_STALE, OFF_CARD);
}

// ---- dense registers

/** Register `i` of a dense HyperLogLog. */
export function hllDenseGet(ptr: usize, i: u32): u32 {
  const bit = i * 6;
  const at = ptr + HLL_HEADER + (bit >>> 3);
  const shift = bit & 7;
  let bits: u32 = load<u8>(at);
  if (shift > 2) bits |= <u32>load<u8>(at, 1) << 8;
  return (bits >>> shift) & 63;
}

/** Raises register `i` of a dense HyperLogLog to `rank`; false: it is that high already. */
export function hllDenseRaise(ptr: usize, i: u32, rank: u32): bool {
  if (hllDenseGet(ptr, i) >= rank) return false;
  const bit = i * 6;
  const at = ptr + HLL_HEADER + (bit >>> 3);
  const shift = bit & 7;
  store<u8>(at, (<u32>load<u8>(at) & ~(<u32>63 << shift)) | (rank << shift));
  if (shift > 2) {
    const high = 8 - shift;
    store<u8>(at, (<u32>load<u8>(at, 1) & ~(<u32>63 >>> high)) | (rank >>> high), 1);
  }
  return true;
}

// ---- sparse runs

/** The run last read: its registers' value, how many they are, its bytes. */
let runValue: u32 = 0;
let runLen: u32 = 0;
let runSize: u32 = 0;

/** Reads the run at `p`. Redis: a long run cut by the end has zeros for its low bits. */
// @ts-ignore: decorator
@inline function readRun(p: usize, end: usize): void {
  const b: u32 = load<u8>(p);
  runSize = 1;
  runValue = 0;
  if (b & 0x80) {
    runValue = ((b >>> 2) & 31) + 1;
    runLen = (b & 3) + 1;
  } else if (b & 0x40) {
    runLen = ((b & 63) << 8) + 1;
    if (p + 1 < end) runLen += load<u8>(p, 1);
    runSize = 2;
  } else {
    runLen = b + 1;
  }
}

/** Writes a run of zeros; its bytes. */
function writeZeros(at: usize, len: u32): u32 {
  if (len <= SPARSE_ZERO_RUN_MAX) {
    store<u8>(at, len - 1);
    return 1;
  }
  store<u8>(at, 0x40 | ((len - 1) >>> 8));
  store<u8>(at, len - 1, 1);
  return 2;
}

/** Writes a run of registers that are not 0: one byte. */
// @ts-ignore: decorator
@inline function writeValues(at: usize, value: u32, len: u32): void {
  store<u8>(at, 0x80 | ((value - 1) << 2) | (len - 1));
}

// ---- all registers at once

/** Scratch, one byte a register: for merging, and for turning runs into dense registers. */
const merged = memory.data(<i32>HLL_REGISTERS, 16);
const unpacked = memory.data(<i32>HLL_REGISTERS, 16);

/** Begins a merge: its registers are 0. */
export function hllMergeBegin(): void {
  memory.fill(merged, 0, HLL_REGISTERS);
}

/** A register of the merge. */
// @ts-ignore: decorator
@inline export function hllMerged(i: u32): u32 {
  return load<u8>(merged + i);
}

/** Raises the registers of the merge to those of a HyperLogLog. False: its runs are broken. */
export function hllMerge(ptr: usize, len: u32): bool {
  return unpack(merged, ptr, len);
}

// @ts-ignore: decorator
@inline function raise(at: usize, value: u32): void {
  if (value > <u32>load<u8>(at)) store<u8>(at, value);
}

/** Raises the bytes at `to` to the registers of a HyperLogLog. False: its runs are broken. */
function unpack(to: usize, ptr: usize, len: u32): bool {
  const stop = to + HLL_REGISTERS;
  if (hllKind(ptr, len) == HLL_DENSE) {
    let at = ptr + HLL_HEADER;
    for (; to < stop; to += 4) {
      const four = <u32>load<u16>(at) | (<u32>load<u8>(at, 2) << 16);
      raise(to, four & 63);
      raise(to + 1, (four >>> 6) & 63);
      raise(to + 2, (four >>> 12) & 63);
      raise(to + 3, four >>> 18);
      at += 3;
    }
    return true;
  }
  const end = ptr + len;
  for (let p = ptr + HLL_HEADER; p < end; p += runSize) {
    readRun(p, end);
    if (<usize>runLen > stop - to) return false;
    const next = to + runLen;
    if (runValue != 0) for (let at = to; at < next; at++) raise(at, runValue);
    to = next;
  }
  return to == stop;
}

/** Writes the unpacked registers behind the header at `ptr` and makes that a dense one. */
function writeDense(ptr: usize): void {
  store<u8>(ptr, HLL_DENSE, OFF_ENCODING);
  let at = ptr + HLL_HEADER;
  for (let i: u32 = 0; i < HLL_REGISTERS; i += 4) {
    const four = load<u32>(unpacked + i);
    const low = (four & 63) | (((four >>> 8) & 63) << 6);
    const high = ((four >>> 16) & 63) | ((four >>> 24) << 6);
    store<u16>(at, low | (high << 12));
    store<u8>(at, high >>> 4, 2);
    at += 3;
  }
}

// ---- the copy that is changed

/** The copy: its bytes, their number, and the room there is. */
export let hllEditPtr: usize = 0;
export let hllEditLen: u32 = 0;

/**
 * Makes a copy of a HyperLogLog (`ptr` 0: a new one, sparse and empty) with room for `changes`
 * calls of `hllEditRaise`. False: out of memory. May grow memory.
 */
export function hllEditBegin(ptr: usize, len: u32, changes: u32): bool {
  if (ptr == 0) len = HLL_HEADER + 2;
  // A change adds three bytes at most, and none beyond the limit.
  const most = max<u64>(len, min<u64>(<u64>len + <u64>changes * 3, hllSparseMaxBytes));
  const room = max<u64>(most, HLL_DENSE_SIZE) + CUT_MAX;
  hllEditPtr = room <= u32.MAX_VALUE ? alloc(<usize>room) : 0;
  if (hllEditPtr == 0) return false;
  hllEditLen = len;
  if (ptr != 0) {
    memory.copy(hllEditPtr, ptr, len);
    return true;
  }
  memory.fill(hllEditPtr, 0, HLL_HEADER);
  store<u32>(hllEditPtr, MAGIC);
  store<u8>(hllEditPtr, HLL_SPARSE, OFF_ENCODING);
  writeZeros(hllEditPtr + HLL_HEADER, HLL_REGISTERS);
  return true;
}

/** Frees the copy. */
export function hllEditEnd(): void {
  free(hllEditPtr);
  hllEditPtr = 0;
}

/** Makes the copy dense, if it is not. False: its runs are broken, nothing has changed. */
export function hllEditToDense(): bool {
  if (load<u8>(hllEditPtr, OFF_ENCODING) == HLL_DENSE) return true;
  memory.fill(unpacked, 0, HLL_REGISTERS);
  if (!unpack(unpacked, hllEditPtr, hllEditLen)) return false;
  writeDense(hllEditPtr);
  hllEditLen = HLL_DENSE_SIZE;
  return true;
}

/** Raises register `i` of the copy: 1 changed, 0 it is that high already, -1 runs are broken. */
export function hllEditRaise(i: u32, rank: u32): i32 {
  if (load<u8>(hllEditPtr, OFF_ENCODING) == HLL_DENSE) return hllDenseRaise(hllEditPtr, i, rank);
  return rank > SPARSE_VALUE_MAX ? promoteAndRaise(i, rank) : raiseSparse(i, rank);
}

function promoteAndRaise(i: u32, rank: u32): i32 {
  return hllEditToDense() ? <i32>hllDenseRaise(hllEditPtr, i, rank) : -1;
}

/** The runs that take the place of one. */
const runs = memory.data(8);

function raiseSparse(i: u32, rank: u32): i32 {
  const end = hllEditPtr + hllEditLen;
  let p = hllEditPtr + HLL_HEADER;
  let before = p;
  let first: u32 = 0;
  runSize = 1;
  while (p < end) {
    readRun(p, end);
    if (i - first < runLen) break;
    first += runLen;
    before = p;
    p += runSize;
  }
  if (p >= end) return -1;
  if (runValue >= rank) return 0;
  if (runLen == 1 && runSize == 1) {
    writeValues(p, rank, 1);
  } else {
    const size = splitRun(i - first, rank);
    const delta = <i32>size - <i32>runSize;
    if (delta > 0 && <u64>hllEditLen + <u64>delta > <u64>hllSparseMaxBytes) {
      return promoteAndRaise(i, rank);
    }
    // Redis: a long run that the end has cut takes a byte of what replaces it along.
    const behind = min(p + runSize, end);
    memory.copy(p + size, behind, end - behind);
    memory.copy(p, runs, size);
    hllEditLen += delta;
  }
  joinRuns(before);
  return 1;
}

/** Writes the run just read with register `at` of it raised to `rank` into `runs`; its bytes. */
function splitRun(at: u32, rank: u32): u32 {
  const behind = runLen - 1 - at;
  let size: u32 = 0;
  if (at != 0) {
    if (runValue == 0) size = writeZeros(runs, at);
    else writeValues(runs + size++, runValue, at);
  }
  writeValues(runs + size++, rank, 1);
  if (behind != 0) {
    if (runValue == 0) size += writeZeros(runs + size, behind);
    else writeValues(runs + size++, runValue, behind);
  }
  return size;
}

/** Joins neighbours of one value from `p` on, as far as Redis looks. */
function joinRuns(p: usize): void {
  let end = hllEditPtr + hllEditLen;
  for (let left = JOIN_SCAN; left != 0 && p < end; left--) {
    readRun(p, end);
    if (runValue != 0 && p + 1 < end && load<u8>(p, 1) & 0x80) {
      const value = runValue;
      const len = runLen;
      readRun(p + 1, end);
      if (runValue == value && runLen + len <= SPARSE_VALUE_RUN_MAX) {
        writeValues(p, value, runLen + len);
        memory.copy(p + 1, p + 2, end - p - 2);
        end--;
        hllEditLen--;
        continue; // the joined run may be joined again
      }
    }
    p += runSize;
  }
}

// ---- counting

/** How many registers have each value. */
const histogram = memory.data(64 * 4);

// @ts-ignore: decorator
@inline function count(value: u32, n: u32): void {
  const at = histogram + (value << 2);
  store<u32>(at, load<u32>(at) + n);
}

/** The last estimate. */
export let hllEstimate: i64 = 0;

/** Estimates the elements of a HyperLogLog into `hllEstimate`. False: its runs are broken. */
export function hllCount(ptr: usize, len: u32): bool {
  memory.fill(histogram, 0, 64 * 4);
  if (hllKind(ptr, len) == HLL_DENSE) {
    let at = ptr + HLL_HEADER;
    for (let i: u32 = 0; i < HLL_REGISTERS; i += 4) {
      const four = <u32>load<u16>(at) | (<u32>load<u8>(at, 2) << 16);
      count(four & 63, 1);
      count((four >>> 6) & 63, 1);
      count((four >>> 12) & 63, 1);
      count(four >>> 18, 1);
      at += 3;
    }
  } else {
    const end = ptr + len;
    let total: u64 = 0;
    for (let p = ptr + HLL_HEADER; p < end; p += runSize) {
      readRun(p, end);
      count(runValue, runLen);
      total += runLen;
    }
    if (total != HLL_REGISTERS) return false;
  }
  estimate();
  return true;
}

/** Estimates the elements of the merge into `hllEstimate`. */
export function hllCountMerged(): void {
  memory.fill(histogram, 0, 64 * 4);
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) count(hllMerged(i), 1);
  estimate();
}

// @ts-ignore: decorator
@inline function share(value: u32): f64 {
  return <f64>load<u32>(histogram + (value << 2));
}

/** Ertl's improved raw estimator. */
function estimate(): void {
  const m = <f64>HLL_REGISTERS;
  const top = <u32>RANK_BITS + 1;
  let z = m * tau((m - share(top)) / m);
  for (let value = top - 1; value >= 1; value--) z = (z + share(value)) * 0.5;
  z += m * sigma(share(0) / m);
  const e = ALPHA_INF * m * m / z;
  // Redis: registers beyond what a hash can give leave nothing to divide by; C then answers this.
  if (!(e < 9.2e18)) {
    hllEstimate = i64.MIN_VALUE;
    return;
  }
  const whole = floor<f64>(e);
  hllEstimate = <i64>whole + (e - whole >= 0.5 ? 1 : 0);
}

function sigma(x: f64): f64 {
  if (x == 1) return Infinity;
  let y: f64 = 1;
  let z = x;
  let last: f64;
  do {
    x *= x;
    last = z;
    z += x * y;
    y += y;
  } while (last != z);
  return z;
}

function tau(x: f64): f64 {
  if (x == 0 || x == 1) return 0;
  let y: f64 = 1;
  let z = 1 - x;
  let last: f64;
  do {
    x = sqrt<f64>(x);
    last = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (last != z);
  return z / 3;
}

// ---- PFDEBUG DECODE

/** Value and length of a run (value 0: zeros), whether it is of two bytes; read by `hllRun`. */
export let hllRunValue: u32 = 0;
export let hllRunLen: u32 = 0;
export let hllRunIsLong: bool = false;

/** Reads the run of a sparse HyperLogLog at offset `at`; the offset of the next. */
export function hllRun(ptr: usize, len: u32, at: u32): u32 {
  readRun(ptr + at, ptr + len);
  hllRunValue = runValue;
  hllRunLen = runLen;
  hllRunIsLong = runSize == 2;
  return at + runSize;
}
