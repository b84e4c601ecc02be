// The ziplist: the compact form of small collections before listpacks (RDB versions 2 to 9).
//
// What it is: a check, a bounded walker and a conversion to listpack. What it is not: a structure
// to live in. Nothing here writes a ziplist.
// Source of the format: RDB.md §4 and files written by redis 2.4 to 6.2.
//
//   zl ->  +---------------+---------------+---------------+---------+-----+------+
//          | bytes: u32 LE | tail: u32 LE  | count: u16 LE | entry 0 | ... | 0xFF |
//          +---------------+---------------+---------------+---------+-----+------+
//          0               4               8               10
//
//   tail   offset of the last entry (10 when there is none)
//   count  entries, or 65535: unknown, walk
//   entry  prevlen | encoding | data
//          prevlen: bytes of the entry before, u8 below 254, else 254 and u32 LE (the long form may
//          hold small numbers too)
//          00LLLLLL str, 01LLLLLL LLLLLLLL str (BE), 10xxxxxx u32 BE str,
//          C0 i16, D0 i32, E0 i64, F0 i24 (all LE), FE i8, F1..FD the integers 0..12

import { intFormat } from './ints';
import { lpAppend, lpAppendInt, lpCheckMultiple, lpFree, lpNew } from './listpack';

const HEADER: u32 = 10;
const END: u32 = 0xff;

/** The string last read by `zlGet` (inside the ziplist); 0 if it was an integer. */
export let zlValPtr: usize = 0;
/** Its length. */
export let zlValLen: u32 = 0;
/** The integer last read by `zlGet` when it returned false. */
export let zlValInt: i64 = 0;
/** Entries counted by the last successful `zlValidate`. */
export let zlCheckCount: u32 = 0;
/** Offset at which the last `zlValidate` that returned false gave up. */
export let zlCheckOff: u32 = 0;

/** The last conversion failed because memory is out. */
export const ZL_OOM: i32 = 1;
/** The last conversion failed because the entries are not pairs. */
export const ZL_ODD: i32 = 2;
/** Why the last conversion that returned 0 failed. */
export let zlError: i32 = 0;

const textScratch: usize = memory.data(24);

// Set by `measure`: the parts of one entry.
let entryHead: u32 = 0; // bytes of prevlen and encoding
let entryData: u32 = 0; // bytes of data
let entryPrev: u32 = 0; // value of prevlen

/**
 * True if the `len` bytes at `ptr` are a well-formed ziplist: total, terminator, every prevlen and
 * encoding, tail offset, count. Reads nothing outside. O(n).
 */
export function zlValidate(ptr: usize, len: u32): bool {
  zlCheckOff = 0;
  if (len < HEADER + 1 || load<u32>(ptr) != len) return false;
  const end = ptr + len - 1;
  zlCheckOff = len - 1;
  if (load<u8>(end) != END) return false;
  let p = ptr + HEADER;
  let tail = HEADER;
  let prev: u32 = 0;
  let count: u32 = 0;
  while (p < end) {
    zlCheckOff = <u32>(p - ptr);
    const total = measure(p, <u32>(end - p));
    if (total == 0 || entryPrev != prev) return false;
    tail = zlCheckOff;
    prev = total;
    p += total;
    count++;
  }
  zlCheckOff = 4;
  if (load<u32>(ptr, 4) != tail) return false;
  const said: u32 = load<u16>(ptr, 8);
  zlCheckOff = 8;
  if (said != 65535 && said != count) return false;
  zlCheckCount = count;
  return true;
}

/** The address of the terminator: the `end` of a valid ziplist that the walkers want. */
export function zlEnd(zl: usize): usize {
  return zl + load<u32>(zl) - 1;
}

/** The first entry, or 0. */
export function zlFirst(zl: usize): usize {
  return load<u32>(zl) > HEADER + 1 ? zl + HEADER : 0;
}

/** The entry after `p`, or 0 at `end` or where an entry would cross it. */
export function zlNext(p: usize, end: usize): usize {
  const room = end - p;
  const total = measure(p, <u32>room);
  return total != 0 && <usize>total < room ? p + total : 0;
}

/** Number of entries of a valid ziplist. O(1) unless the header does not know, then a walk. */
export function zlLength(zl: usize): u32 {
  let count: u32 = load<u16>(zl, 8);
  if (count != 65535) return count;
  count = 0;
  const end = zlEnd(zl);
  for (let p = zlFirst(zl); p != 0; p = zlNext(p, end)) count++;
  return count;
}

/**
 * Reads the entry at `p`. True: a string, in `zlValPtr` and `zlValLen`. False: an integer, in
 * `zlValInt` with `zlValPtr` 0. An entry that crosses `end` reads as the integer 0.
 */
export function zlGet(p: usize, end: usize): bool {
  zlValPtr = 0;
  zlValInt = 0;
  if (measure(p, <u32>(end - p)) == 0) return false;
  const data = p + entryHead;
  const b: u32 = load<u8>(p + prevlenSize(p));
  if (b < 0xc0) {
    zlValPtr = data;
    zlValLen = entryData;
    return true;
  }
  if (b == 0xc0) zlValInt = load<i16>(data);
  else if (b == 0xd0) zlValInt = load<i32>(data);
  else if (b == 0xe0) zlValInt = load<i64>(data);
  else if (b == 0xf0) zlValInt = <i32>load<u16>(data) | (<i32>load<i8>(data, 2) << 16);
  else if (b == 0xfe) zlValInt = load<i8>(data);
  else zlValInt = (b & 0x0f) - 1;
  return false;
}

/**
 * Reads the entry at `p` as text: its address, length in `zlValLen`. An integer's text is in static
 * scratch until the next call.
 */
export function zlGetText(p: usize, end: usize): usize {
  if (!zlGet(p, end)) {
    zlValLen = intFormat(zlValInt, textScratch);
    zlValPtr = textScratch;
  }
  return zlValPtr;
}

/**
 * A new listpack with the entries of a valid ziplist, owned by the caller; the ziplist is
 * untouched. 0 with `zlError` = ZL_OOM if out of memory. O(n), may grow memory.
 */
export function zlToListpack(zl: usize): usize {
  const end = zlEnd(zl);
  let lp = lpNew(load<u32>(zl));
  for (let p = zlFirst(zl); p != 0 && lp != 0; p = zlNext(p, end)) {
    const grown = zlGet(p, end) ? lpAppend(lp, zlValPtr, zlValLen) : lpAppendInt(lp, zlValInt);
    if (grown == 0) lpFree(lp);
    lp = grown;
  }
  zlError = lp == 0 ? ZL_OOM : 0;
  return lp;
}

/**
 * As `zlToListpack` for hashes and sorted sets: 0 with `zlError` = ZL_ODD if the number of entries
 * is odd. Duplicate keys are for the caller: lpCheckUnique(lp, 2).
 */
export function zlPairsToListpack(zl: usize): usize {
  const lp = zlToListpack(zl);
  if (lp == 0 || lpCheckMultiple(lp, 2)) return lp;
  lpFree(lp);
  zlError = ZL_ODD;
  return 0;
}

// @ts-ignore: decorator
@inline
function prevlenSize(p: usize): u32 {
  return load<u8>(p) < 254 ? 1 : 5;
}

/**
 * Total bytes of the entry at `p` if it lies within `room` bytes, else 0; its parts go into
 * entryHead, entryData, entryPrev.
 */
function measure(p: usize, room: u32): u32 {
  if (room < 2) return 0;
  const first: u32 = load<u8>(p);
  let head: u32 = 1;
  entryPrev = first;
  if (first >= 254) {
    if (first == END || room < 6) return 0;
    entryPrev = load<u32>(p, 1);
    head = 5;
  }
  const b: u32 = load<u8>(p + head);
  let data: u64 = 0;
  if (b < 0x40) {
    data = b;
    head += 1;
  } else if (b < 0x80) {
    if (room < head + 2) return 0;
    data = ((b & 0x3f) << 8) | load<u8>(p + head, 1);
    head += 2;
  } else if (b < 0xc0) {
    if (room < head + 5) return 0;
    data = bswap<u32>(load<u32>(p + head, 1));
    head += 5;
  } else {
    head += 1;
    if (b == 0xc0) data = 2;
    else if (b == 0xd0) data = 4;
    else if (b == 0xe0) data = 8;
    else if (b == 0xf0) data = 3;
    else if (b == 0xfe) data = 1;
    else if (b < 0xf1 || b > 0xfd) return 0;
  }
  if (data + head > <u64>room) return 0;
  entryHead = head;
  entryData = <u32>data;
  return head + entryData;
}
