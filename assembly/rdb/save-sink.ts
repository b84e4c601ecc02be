/**
 * The sink: where serialised bytes go. One growing buffer that DUMP reads as a whole and that the
 * writer of RDB files (and full syncs) empties in pieces.
 *
 * What it is: append-only bytes and the primitives of the RDB format (lengths, strings, doubles).
 * What it is not: a file or a checksum; who takes the bytes sums them up.
 *
 * There is one sink at a time. `sinkBegin` starts an empty one, `sinkTaken` empties it after its
 * bytes were taken. Running out of memory sets `sinkFailed`; everything written after that is lost
 * and the caller looks once at the end.
 *
 * Source of the format: RDB as redis 7.0.15 writes it.
 */
import { alloc, free, realloc } from '../base/alloc';
import { llValue, string2ll } from '../base/numbers/integers';
import { lzfCompress } from '../encoding/lzf';
import {
  INT_FORM_MAX, INT_STRING_MAX, LENGTH_MAX, LZF_MIN, LZF_SAVES, hasIntForm, writeIntForm,
  writeLength,
} from './write';

/** Bytes written and not taken: address and length. */
export let sinkPtr: usize = 0;
export let sinkLen: usize = 0;
/** There was no memory for some bytes: what is here has a hole. */
export let sinkFailed: bool = false;
/** rdbcompression. Set by the host. */
export let rdbCompression: bool = true;
/** The highest RDB version that may be written. Set by the host. */
export let rdbVersionMax: u32 = 10;

const INITIAL_CAP: usize = 1024;
/** A buffer that grew beyond this is given back when it is emptied. */
const KEEP_CAP: usize = 1 << 20;

let cap: usize = 0;

export function rdbSetCompression(on: bool): void {
  rdbCompression = on;
}

export function rdbSetVersionMax(version: u32): void {
  rdbVersionMax = version;
}

/** Starts with nothing written. */
export function sinkBegin(): void {
  sinkLen = 0;
  sinkFailed = false;
}

/** The bytes have been taken: the sink is empty again. */
export function sinkTaken(): void {
  sinkLen = 0;
  if (cap <= KEEP_CAP) return;
  free(sinkPtr);
  sinkPtr = 0;
  cap = 0;
}

/** Makes room for `need` more bytes; false when there is none. */
function room(need: usize): bool {
  const want = <u64>sinkLen + need;
  if (want <= <u64>cap) return !sinkFailed;
  if (sinkFailed || want > 0xffff0000) return fail();
  const roomy = max(max(want, <u64>INITIAL_CAP), min(<u64>cap * 2, <u64>0xffff0000));
  let moved = realloc(sinkPtr, <usize>roomy);
  let got = <usize>roomy;
  if (moved == 0) {
    moved = realloc(sinkPtr, <usize>want);
    got = <usize>want;
  }
  if (moved == 0) return fail();
  sinkPtr = moved;
  cap = got;
  return true;
}

function fail(): bool {
  sinkFailed = true;
  return false;
}

export function sinkByte(b: u32): void {
  if (!room(1)) return;
  store<u8>(sinkPtr + sinkLen++, <u8>b);
}

export function sinkBytes(ptr: usize, len: usize): void {
  if (!room(len)) return;
  memory.copy(sinkPtr + sinkLen, ptr, len);
  sinkLen += len;
}

/** Little-endian. */
export function sinkU16(n: u32): void {
  if (!room(2)) return;
  store<u16>(sinkPtr + sinkLen, <u16>n);
  sinkLen += 2;
}

/** Little-endian; also a double's bits. */
export function sinkU64(n: u64): void {
  if (!room(8)) return;
  store<u64>(sinkPtr + sinkLen, n);
  sinkLen += 8;
}

/** A length: 6 bits, 14 bits, or big-endian 32 or 64 bits behind a byte that says so. */
export function sinkLength(n: u64): void {
  if (!room(LENGTH_MAX)) return;
  sinkLen += writeLength(sinkPtr + sinkLen, n);
}

/** An integer as a string in the short forms; false: it has none (beyond 32 bits). */
export function sinkIntString(n: i64): bool {
  if (!hasIntForm(n)) return false;
  if (!room(INT_FORM_MAX)) return true;
  sinkLen += writeIntForm(sinkPtr + sinkLen, <i32>n);
  return true;
}

/** A string in the shortest form Redis would choose: integer, LZF, or as it is. */
export function sinkString(ptr: usize, len: u32): void {
  if (len <= INT_STRING_MAX && string2ll(ptr, len) && sinkIntString(llValue)) return;
  if (rdbCompression && len > LZF_MIN && sinkLzf(ptr, len)) return;
  sinkLength(len);
  sinkBytes(ptr, len);
}

/** A compressed string; false: it does not get smaller, nothing was written. */
function sinkLzf(ptr: usize, len: u32): bool {
  const most = len - LZF_SAVES;
  // Compressed beside the sink's end first: the length in front depends on it.
  const scratch = alloc(most);
  if (scratch == 0) return false;
  const size = lzfCompress(ptr, len, scratch, most);
  if (size != 0) {
    sinkByte(0xc3);
    sinkLength(size);
    sinkLength(len);
    sinkBytes(scratch, size);
  }
  free(scratch);
  return size != 0;
}
