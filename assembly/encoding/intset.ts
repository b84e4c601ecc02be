// The intset: a set of integers as a sorted array in one block of bytes.
//
// What it is: the compact form of small sets of integers, byte for byte as Redis writes it.
// What it is not: policy. The length at which a set leaves this form is decided in types/.
//
//   is ->  +-----------------+-----------------+--------+--------+- - -+----------+- - - -+
//          | width: u32 LE   | count: u32 LE   | int 0  | int 1  |     | int n-1  | slack |
//          +-----------------+-----------------+--------+--------+- - -+----------+- - - -+
//          0                 4                 8        ascending, signed, `width` bytes LE each
//
//   width  2, 4 or 8: enough for every member. It only ever grows: removing the one large member
//          leaves the wide form.
//
// Ownership and failure are those of listpack.ts: functions that change the size take the address
// and return the new one; 0 is out of memory with the old set unchanged.

import { alloc, free } from '../base/alloc';
import { blobGrow, blobTrim } from './blob';

const HEADER: u32 = 8;
/** Largest intset built here, in bytes. */
const BYTES_MAX: u32 = 0x7fffffff;

/** Whether the last `intsetAdd` or `intsetRemove` changed the set. */
export let intsetChanged: bool = false;

/** Index of the member found by the last `intsetFind`, or where it would be inserted. */
export let intsetPos: u32 = 0;

/** A new empty intset; 0 if out of memory. */
export function intsetNew(): usize {
  const is = alloc(HEADER);
  if (is == 0) return 0;
  store<u32>(is, 2);
  store<u32>(is, 0, 4);
  return is;
}

/** Frees an intset; 0 is allowed. */
export function intsetFree(is: usize): void {
  free(is);
}

/** An owned copy without slack of a valid intset (owned or not); 0 if out of memory. */
export function intsetDup(is: usize): usize {
  const bytes = intsetBytes(is);
  const copy = alloc(bytes);
  if (copy != 0) memory.copy(copy, is, bytes);
  return copy;
}

/**
 * True if the `len` bytes at `ptr` are an intset: known width, exact size, at least one member,
 * strictly ascending. Reads nothing outside. Redis: an empty intset is refused too.
 */
export function intsetValidate(ptr: usize, len: u32): bool {
  if (len < HEADER) return false;
  const width = load<u32>(ptr);
  if (width != 2 && width != 4 && width != 8) return false;
  const count = load<u32>(ptr, 4);
  if (count == 0 || <u64>count * width + HEADER != <u64>len) return false;
  let last = intsetGet(ptr, 0);
  for (let i: u32 = 1; i < count; i++) {
    const value = intsetGet(ptr, i);
    if (value <= last) return false;
    last = value;
  }
  return true;
}

/** Number of members. */
export function intsetLen(is: usize): u32 {
  return load<u32>(is, 4);
}

/** Bytes a member takes: 2, 4 or 8. */
export function intsetWidth(is: usize): u32 {
  return load<u32>(is);
}

/** Bytes of the whole set, without slack. */
export function intsetBytes(is: usize): u32 {
  return HEADER + load<u32>(is) * load<u32>(is, 4);
}

/** The member at `index`, which must be below the count. */
export function intsetGet(is: usize, index: u32): i64 {
  return getAt(is, load<u32>(is), index);
}

/** The smallest member; the set must not be empty. */
export function intsetMin(is: usize): i64 {
  return intsetGet(is, 0);
}

/** The largest member; the set must not be empty. */
export function intsetMax(is: usize): i64 {
  return intsetGet(is, load<u32>(is, 4) - 1);
}

/** A member chosen by `random`, any u32; the set must not be empty. */
export function intsetRandom(is: usize, random: u32): i64 {
  return intsetGet(is, <u32>((<u64>random * load<u32>(is, 4)) >> 32));
}

/** True if `value` is a member. `intsetPos` is its index or the index it would get. O(log n). */
export function intsetFind(is: usize, value: i64): bool {
  const width = load<u32>(is);
  const count = load<u32>(is, 4);
  let low: u32 = 0;
  let high = count;
  if (count != 0 && value > getAt(is, width, count - 1)) low = count; // ascending inserts
  while (low < high) {
    const mid = (low + high) >> 1;
    if (getAt(is, width, mid) < value) low = mid + 1;
    else high = mid;
  }
  intsetPos = low;
  return low < count && getAt(is, width, low) == value;
}

/**
 * Adds `value`, widening the set if needed; `intsetChanged` tells whether it was new. Returns the
 * new address, or 0 if out of memory: the set is unchanged. May grow memory. O(n).
 */
export function intsetAdd(is: usize, value: i64): usize {
  const width = load<u32>(is);
  const need = widthOf(value);
  intsetChanged = false;
  if (need > width) return widenAndAdd(is, value, need);
  if (intsetFind(is, value)) return is;
  const pos = intsetPos;
  const count = load<u32>(is, 4);
  const bytes = intsetBytes(is);
  if (bytes > BYTES_MAX - width) return 0;
  is = blobGrow(is, bytes + width);
  if (is == 0) return 0;
  const at = is + HEADER + pos * width;
  if (pos < count) memory.copy(at + width, at, (count - pos) * width);
  setAt(is, width, pos, value);
  store<u32>(is, count + 1, 4);
  intsetChanged = true;
  return is;
}

/** Removes `value`; `intsetChanged` tells whether it was there. The address, never 0. O(n). */
export function intsetRemove(is: usize, value: i64): usize {
  intsetChanged = false;
  if (!intsetFind(is, value)) return is;
  const pos = intsetPos;
  const width = load<u32>(is);
  const left = load<u32>(is, 4) - 1;
  const at = is + HEADER + pos * width;
  if (pos < left) memory.copy(at, at + width, (left - pos) * width);
  store<u32>(is, left, 4);
  intsetChanged = true;
  return blobTrim(is, HEADER + left * width);
}

/** Adds a value that needs a wider form: it is smaller or larger than every member. */
function widenAndAdd(is: usize, value: i64, width: u32): usize {
  const old = load<u32>(is);
  const count = load<u32>(is, 4);
  const bytes = <u64>HEADER + (<u64>count + 1) * width;
  if (bytes > BYTES_MAX) return 0;
  is = blobGrow(is, <u32>bytes);
  if (is == 0) return 0;
  const shift: u32 = value < 0 ? 1 : 0;
  // From the end, so that no member is overwritten before it was read.
  for (let i = count; i > 0; i--) setAt(is, width, i - 1 + shift, getAt(is, old, i - 1));
  setAt(is, width, shift != 0 ? 0 : count, value);
  store<u32>(is, width);
  store<u32>(is, count + 1, 4);
  intsetChanged = true;
  return is;
}

function widthOf(value: i64): u32 {
  if (value == <i64>(<i16>value)) return 2;
  if (value == <i64>(<i32>value)) return 4;
  return 8;
}

// @ts-ignore: decorator
@inline
function getAt(is: usize, width: u32, index: u32): i64 {
  const at = is + index * width;
  if (width == 2) return load<i16>(at, 8);
  if (width == 4) return load<i32>(at, 8);
  return load<i64>(at, 8);
}

// @ts-ignore: decorator
@inline
function setAt(is: usize, width: u32, index: u32, value: i64): void {
  const at = is + index * width;
  if (width == 2) store<i16>(at, <i16>value, 8);
  else if (width == 4) store<i32>(at, <i32>value, 8);
  else store<i64>(at, value, 8);
}
