// Checks of listpacks that came from outside: RDB files, DUMP payloads, a master's stream.
//
// What it is: a walk that believes nothing and reads nothing outside the given length, after which
// every function of listpack.ts may be used on the blob. Plus two properties that containers need:
// the number of entries divides by two or three, and no key occurs twice.
// Accepted is what redis 7.0.15 accepts with its deep check: encodings wider than necessary are
// allowed, backlens must say the size, the header count must be right or unknown (65535).

import { alloc, free } from '../base/alloc';
import { intParse, intParsed } from './ints';
import {
  LP_EOF,
  lpBacklenRead,
  lpBacklenSize,
  lpEntryTotal,
  lpGet,
  lpValInt,
  lpValLen,
  lpValPtr,
} from './listpack-entry';

/** Entries counted by the last `lpValidate` that returned true. */
export let lpCheckCount: u32 = 0;
/** Offset in the blob at which the last `lpValidate` that returned false gave up. */
export let lpCheckOff: u32 = 0;

/** No key occurs twice. */
export const LP_CHECK_OK: i32 = 1;
/** A key occurs twice. */
export const LP_CHECK_BAD: i32 = 0;
/** Out of memory, not known. */
export const LP_CHECK_OOM: i32 = -1;

const HEADER: u32 = 6;

/**
 * True if the `len` bytes at `ptr` are a well-formed listpack: total, terminator, every entry's
 * encoding and backlen, count. `lpCheckCount` has the number of entries. Reads nothing outside.
 */
export function lpValidate(ptr: usize, len: u32): bool {
  lpCheckOff = 0;
  if (len < HEADER + 1 || load<u32>(ptr) != len) return false;
  const end = ptr + len - 1;
  let p = ptr + HEADER;
  let count: u32 = 0;
  while (p < end) {
    const total = entryTotalWithin(p, <u32>(end - p));
    if (total == 0) {
      lpCheckOff = <u32>(p - ptr);
      return false;
    }
    p += total;
    count++;
  }
  lpCheckOff = len - 1;
  if (load<u8>(end) != LP_EOF) return false;
  const said: u32 = load<u16>(ptr, 4);
  lpCheckOff = 4;
  if (said != 65535 && said != count) return false;
  lpCheckCount = count;
  return true;
}

/**
 * Bytes of the entry at `p`, backlen included, if it is well-formed and lies within `room` bytes
 * (room > 0); else 0.
 */
function entryTotalWithin(p: usize, room: u32): u32 {
  const b: u32 = load<u8>(p);
  let size: u64;
  if (b < 0x80) size = 1;
  else if (b < 0xc0) size = 1 + (b & 0x3f);
  else if (b < 0xe0) size = 2;
  else if (b < 0xf0) {
    if (room < 2) return 0;
    size = 2 + (((b & 0x0f) << 8) | load<u8>(p, 1));
  } else if (b == 0xf0) {
    if (room < 5) return 0;
    size = 5 + <u64>load<u32>(p, 1);
  } else if (b <= 0xf3) size = b - 0xf1 + 3;
  else if (b == 0xf4) size = 9;
  else return 0;
  if (size >= <u64>room) return 0;
  const total = <u32>size + lpBacklenSize(<u32>size);
  // The backlen's at most 5 bytes end inside; to the left lie at least the 6 bytes of the header.
  if (total > room || lpBacklenRead(p + total - 1) != size) return 0;
  return total;
}

/** True if the valid listpack's entries come in groups of `step` (2: pairs, 3: triples). */
export function lpCheckMultiple(lp: usize, step: u32): bool {
  let count: u32 = load<u16>(lp, 4);
  if (count == 65535) {
    count = 0;
    const end = lp + load<u32>(lp) - 1;
    for (let p = lp + HEADER; p < end; p += lpEntryTotal(p)) count++;
  }
  return count % step == 0;
}

// ---------------------------------------------------------------------------------------------
// Duplicates. Keys are sorted, not hashed: foreign bytes cannot make a sort slow.

/** Up to this many keys are compared pairwise, which is quicker than sorting. */
const PAIRWISE_MAX: u32 = 12;
/** Up to this many keys are sorted in static scratch. */
const SCRATCH_MAX: u32 = 1024;
const scratch: usize = memory.data(4096);

/**
 * Whether the keys of a valid listpack, its entries 0, step, 2·step …, all differ as text:
 * LP_CHECK_OK, LP_CHECK_BAD or LP_CHECK_OOM. O(n log n) in time; more than 1024 keys need 4 bytes
 * each of temporary memory. May grow memory.
 */
export function lpCheckUnique(lp: usize, step: u32): i32 {
  const end = lp + load<u32>(lp) - 1;
  let count: u32 = 0;
  let turn: u32 = 0;
  for (let p = lp + HEADER; p < end; p += lpEntryTotal(p)) {
    if (turn == 0) count++;
    if (++turn == step) turn = 0;
  }
  let table = scratch;
  if (count > SCRATCH_MAX) {
    table = alloc(<usize>count << 2);
    if (table == 0) return LP_CHECK_OOM;
  }
  let slot = table;
  turn = 0;
  for (let p = lp + HEADER; p < end; p += lpEntryTotal(p)) {
    if (turn == 0) {
      store<u32>(slot, <u32>p);
      slot += 4;
    }
    if (++turn == step) turn = 0;
  }
  const unique = count <= PAIRWISE_MAX ? uniquePairwise(table, count) : uniqueSorted(table, count);
  if (table != scratch) free(table);
  return unique ? LP_CHECK_OK : LP_CHECK_BAD;
}

function uniquePairwise(table: usize, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) {
    for (let j: u32 = 0; j < i; j++) {
      if (order(keyAt(table, i), keyAt(table, j)) == 0) return false;
    }
  }
  return true;
}

function uniqueSorted(table: usize, count: u32): bool {
  heapSort(table, count);
  for (let i: u32 = 1; i < count; i++) {
    if (order(keyAt(table, i - 1), keyAt(table, i)) == 0) return false;
  }
  return true;
}

function heapSort(table: usize, count: u32): void {
  for (let i = count >> 1; i > 0; i--) siftDown(table, i - 1, count);
  for (let left = count - 1; left > 0; left--) {
    const top = keyAt(table, 0);
    store<u32>(table, <u32>keyAt(table, left));
    store<u32>(table + (<usize>left << 2), <u32>top);
    siftDown(table, 0, left);
  }
}

function siftDown(table: usize, root: u32, count: u32): void {
  const moving = keyAt(table, root);
  while (true) {
    let child = root * 2 + 1;
    if (child >= count) break;
    if (child + 1 < count && order(keyAt(table, child), keyAt(table, child + 1)) < 0) child++;
    if (order(keyAt(table, child), moving) <= 0) break;
    store<u32>(table + (<usize>root << 2), <u32>keyAt(table, child));
    root = child;
  }
  store<u32>(table + (<usize>root << 2), <u32>moving);
}

// @ts-ignore: decorator
@inline
function keyAt(table: usize, index: u32): usize {
  return load<u32>(table + (<usize>index << 2));
}

/**
 * A total order of entries that calls two equal exactly when they are equal as text: integers (also
 * those stored as strings) by value, before all other strings by length, then bytes.
 */
function order(a: usize, b: usize): i32 {
  const aText = !readKey(a);
  const aPtr = lpValPtr;
  const aLen = lpValLen;
  const aInt = keyInt;
  const bText = !readKey(b);
  if (aText != bText) return aText ? 1 : -1;
  if (!aText) return aInt == keyInt ? 0 : aInt < keyInt ? -1 : 1;
  if (aLen != lpValLen) return aLen < lpValLen ? -1 : 1;
  return memory.compare(aPtr, lpValPtr, aLen);
}

/** Value of the key last read by `readKey`, when that returned true. */
let keyInt: i64 = 0;

/** True if the entry is an integer as text; else its bytes are in lpValPtr, lpValLen. */
function readKey(p: usize): bool {
  if (!lpGet(p)) {
    keyInt = lpValInt;
    return true;
  }
  if (!intParse(lpValPtr, lpValLen)) return false;
  keyInt = intParsed;
  return true;
}
