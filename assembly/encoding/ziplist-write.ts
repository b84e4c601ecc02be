// Writing ziplists: for files that servers before listpacks (RDB versions 2 to 9) are to read.
//
// What it is: appending entries to one ziplist at a time, in a buffer that is used again.
// What it is not: a structure to live in; reading is ziplist.ts, which has the layout too.
//
//   zlBegin(old);  zlPutString(ptr, len) or zlPutInt(n) …;  zlFinish();  then zlOut, zlOutLen
//
// A long string may stay where it is (`zlPutLong`): then the bytes of the ziplist are those of
// zlOut with, at each `zlLongAt`, those of the string between; `zlBytes` counts all of them.
//
// Integers are written as Redis writes them: the shortest of 4, 8, 16, 24, 32 or 64 bits; before
// RDB 6 (`old`) there were only 16, 32 and 64. A string stays a string: who wants an integer's form
// says so.

import { alloc, realloc } from '../base/alloc';
import { storeBe32 } from '../base/bytes';

const HEADER: usize = 10;
const END: u32 = 0xff;
/** An entry's head at most: five bytes of the one before, five of its own length. */
const HEAD_MAX: usize = 10;
const INITIAL_CAP: usize = 4096;
const COUNT_UNKNOWN: u32 = 65535;

/** The finished ziplist; valid until the next `zlBegin`. */
export let zlOut: usize = 0;
export let zlOutLen: usize = 0;
export let zlBytes: usize = 0;
/** Memory was short: the ziplist is not whole. */
export let zlOutFailed: bool = false;

/** Strings that stayed: u32 place in zlOut, address, length. */
const longs = memory.data(96, 4);
const LONGS_MAX: u32 = 6;
export let zlLongs: u32 = 0;
/** Their bytes. */
let outside: usize = 0;

let cap: usize = 0;
let isOld: bool = false;
let count: u32 = 0;
/** Offset and bytes of the last entry. */
let tail: usize = HEADER;
let previous: usize = 0;

/** Starts an empty ziplist. `old`: integers as before RDB 6. */
export function zlBegin(old: bool): void {
  isOld = old;
  count = 0;
  tail = HEADER;
  previous = 0;
  zlOutFailed = false;
  zlOutLen = HEADER;
  zlLongs = 0;
  outside = 0;
  if (zlOut == 0) {
    zlOut = alloc(INITIAL_CAP);
    cap = INITIAL_CAP;
    if (zlOut == 0) {
      cap = 0;
      zlOutFailed = true;
    }
  }
}

/** Address for an entry with `len` bytes of data, its `prevlen` written; 0 without memory. */
function begin(len: usize): usize {
  const want = <u64>zlOutLen + len + HEAD_MAX + 1;
  if (want > <u64>cap) {
    const roomy = max<u64>(want, <u64>cap * 2);
    const moved: usize = want > 0x7fffffff ? <usize>0 : realloc(zlOut, <usize>roomy);
    if (moved == 0) {
      zlOutFailed = true;
      return 0;
    }
    zlOut = moved;
    cap = <usize>roomy;
  }
  let at = zlOut + zlOutLen;
  if (previous < 254) {
    store<u8>(at++, <u8>previous);
  } else {
    store<u8>(at, 254);
    store<u32>(at, <u32>previous, 1);
    at += 5;
  }
  return at;
}

/** The entry whose bytes end at `end` is whole, with `more` bytes outside. */
function commit(end: usize, more: usize = 0): void {
  tail = zlOutLen + outside;
  previous = end - zlOut - zlOutLen + more;
  zlOutLen = end - zlOut;
  outside += more;
  count++;
}

/** The head of a string entry of `len` bytes at `at`; the address behind it. */
export function zlStringHead(at: usize, len: usize): usize {
  if (len < 64) {
    store<u8>(at, <u8>len);
    return at + 1;
  }
  if (len < 16384) {
    store<u8>(at, <u8>(0x40 | (len >> 8)));
    store<u8>(at, <u8>len, 1);
    return at + 2;
  }
  store<u8>(at, 0x80);
  storeBe32(at + 1, <u32>len);
  return at + 5;
}

/** Appends a string. May grow memory. */
export function zlPutString(ptr: usize, len: usize): void {
  let at = begin(len);
  if (at == 0) return;
  at = zlStringHead(at, len);
  memory.copy(at, ptr, len);
  commit(at + len);
}

/** Appends a string that stays where it is; more than a few are copied. May grow memory. */
export function zlPutLong(ptr: usize, len: usize): void {
  if (zlLongs == LONGS_MAX) {
    zlPutString(ptr, len);
    return;
  }
  let at = begin(0);
  if (at == 0) return;
  at = zlStringHead(at, len);
  const long = longs + <usize>zlLongs * 12;
  store<u32>(long, <u32>(at - zlOut));
  store<u32>(long, <u32>ptr, 4);
  store<u32>(long, <u32>len, 8);
  zlLongs++;
  commit(at, len);
}

/** Of the string `i` that stayed: its place in zlOut, its address, its length. */
export function zlLongAt(i: u32): usize {
  return load<u32>(longs + <usize>i * 12);
}
export function zlLongPtr(i: u32): usize {
  return load<u32>(longs + <usize>i * 12, 4);
}
export function zlLongLen(i: u32): usize {
  return load<u32>(longs + <usize>i * 12, 8);
}

/** Appends an integer. May grow memory. */
export function zlPutInt(n: i64): void {
  const at = begin(8);
  if (at == 0) return;
  if (n == <i64>(<i16>n) && (isOld || n != <i64>(<i8>n))) {
    store<u8>(at, 0xc0);
    store<i16>(at, <i16>n, 1);
    commit(at + 3);
  } else if (n == <i64>(<i8>n)) {
    if (n >= 0 && n <= 12) {
      store<u8>(at, <u8>(0xf1 + n));
      commit(at + 1);
    } else {
      store<u8>(at, 0xfe);
      store<i8>(at, <i8>n, 1);
      commit(at + 2);
    }
  } else if (!isOld && n >= -8388608 && n <= 8388607) {
    store<u8>(at, 0xf0);
    store<u16>(at, <u16>n, 1);
    store<u8>(at, <u8>(n >> 16), 3);
    commit(at + 4);
  } else if (n == <i64>(<i32>n)) {
    store<u8>(at, 0xd0);
    store<i32>(at, <i32>n, 1);
    commit(at + 5);
  } else {
    store<u8>(at, 0xe0);
    store<i64>(at, n, 1);
    commit(at + 9);
  }
}

/** Header and terminator. */
export function zlFinish(): void {
  if (zlOutFailed) return;
  store<u8>(zlOut + zlOutLen, END);
  zlOutLen++;
  zlBytes = zlOutLen + outside;
  zlHeader(zlOut, <u32>zlBytes, <u32>tail, min(count, COUNT_UNKNOWN));
}

/** The ten bytes in front of a ziplist. */
export function zlHeader(at: usize, bytes: u32, tailOffset: u32, entries: u32): void {
  store<u32>(at, bytes);
  store<u32>(at, tailOffset, 4);
  store<u16>(at, entries, 8);
}
