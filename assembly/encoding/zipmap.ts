// The zipmap: the compact form of small hashes before redis 2.6 (RDB versions 1 to 3).
//
// What it is: a check, a bounded walker and a conversion to listpack. Nothing here writes a zipmap.
// Source of the format: RDB.md §4, and dumps of old servers.
//
//   +-----------+-----+-------+-----+----------+-------+----------+-----+------+
//   | count: u8 | len | field | len | free: u8 | value | (unused) | ... | 0xFF |
//   +-----------+-----+-------+-----+----------+-------+----------+-----+------+
//
//   count  number of pairs, or 254 and above: unknown, walk
//   len    u8 below 254, else 254 and u32 LE. 255 where a field is due is the end.
//   free   unused bytes after the value
//
// Redis: 7.0.15 also takes two things no server ever wrote, a value length beginning with 255 and
// bytes between the first end mark and the last byte. Here both are refused.

import { lpAppend, lpFree, lpNew } from './listpack';

const BIG: u32 = 254;
const END: u32 = 0xff;

/** The field of the pair last read by `zmNext`, inside the zipmap. */
export let zmFieldPtr: usize = 0;
export let zmFieldLen: u32 = 0;
/** Its value, inside the zipmap. */
export let zmValuePtr: usize = 0;
export let zmValueLen: u32 = 0;
/** Pairs counted by the last successful `zmValidate`. */
export let zmCheckCount: u32 = 0;
/** Offset at which the last `zmValidate` that returned false gave up. */
export let zmCheckOff: u32 = 0;

/** True if the `len` bytes at `ptr` are a well-formed zipmap. Reads nothing outside. O(n). */
export function zmValidate(ptr: usize, len: u32): bool {
  zmCheckOff = 0;
  if (len < 2 || load<u8>(ptr + len - 1) != END) return false;
  const end = ptr + len - 1;
  let p = ptr + 1;
  let count: u32 = 0;
  while (p < end) {
    zmCheckOff = <u32>(p - ptr);
    p = zmNext(p, end);
    if (p == 0) return false;
    count++;
  }
  zmCheckOff = 0;
  const said: u32 = load<u8>(ptr);
  if (said < BIG && said != count) return false;
  zmCheckCount = count;
  return true;
}

/** Where `zmNext` starts. */
export function zmFirst(zm: usize): usize {
  return zm + 1;
}

/**
 * Reads the pair at `p` into zmField*, zmValue* and returns the address after it, which is at most
 * `end` (the address of the terminator: ptr + len - 1). 0 if `p` is at the end or the pair would
 * cross it.
 *
 *   for (let p = zmFirst(zm); (p = zmNext(p, end)) != 0; ) use the pair
 */
export function zmNext(p: usize, end: usize): usize {
  p = readLength(p, end);
  if (p == 0 || <usize>lengthRead > end - p) return 0;
  zmFieldPtr = p;
  zmFieldLen = lengthRead;
  p = readLength(p + lengthRead, end);
  if (p == 0 || p >= end) return 0;
  const unused: u32 = load<u8>(p);
  p++;
  if (<u64>lengthRead + unused > <u64>(end - p)) return 0;
  zmValuePtr = p;
  zmValueLen = lengthRead;
  return p + lengthRead + unused;
}

/**
 * A new listpack f, v, f, v … of a valid zipmap of `len` bytes, owned by the caller; 0 if out of
 * memory. Duplicate fields are for the caller: lpCheckUnique(lp, 2). O(n), may grow memory.
 */
export function zmToListpack(zm: usize, len: u32): usize {
  const end = zm + len - 1;
  let lp = lpNew(len);
  let p = zmFirst(zm);
  while (lp != 0 && (p = zmNext(p, end)) != 0) {
    lp = appendOrFree(lp, zmFieldPtr, zmFieldLen);
    if (lp != 0) lp = appendOrFree(lp, zmValuePtr, zmValueLen);
  }
  return lp;
}

function appendOrFree(lp: usize, src: usize, len: u32): usize {
  const grown = lpAppend(lp, src, len);
  if (grown == 0) lpFree(lp);
  return grown;
}

let lengthRead: u32 = 0;

/** Reads a length into `lengthRead`; the address after it, or 0 if there is none before `end`. */
function readLength(p: usize, end: usize): usize {
  if (p >= end) return 0;
  const b: u32 = load<u8>(p);
  if (b < BIG) {
    lengthRead = b;
    return p + 1;
  }
  if (b == END || end - p < 5) return 0;
  lengthRead = load<u32>(p, 1);
  return p + 5;
}
