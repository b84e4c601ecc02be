// The listpack: a sequence of strings and integers in one block of bytes.
//
// What it is: the compact form of small lists, hashes, sorted sets, sets and of stream nodes, byte
// for byte as redis 7.0.15 writes it, so that loading is validate-and-copy and saving is a copy.
// What it is not: a place for policy. Limits on length and element size, and the change to a large
// structure, belong to types/. Single entries are described in listpack-entry.ts, checks of foreign
// bytes in listpack-check.ts; both are re-exported here.
// Source of the format: the listpack specification (antirez/listpack), checked against DUMP.
//
//   lp ->  +------------------+------------------+---------+-----+---------+------+- - - - -+
//          | bytes: u32 LE    | count: u16 LE    | entry 0 | ... | entry n | 0xFF |  slack   |
//          +------------------+------------------+---------+-----+---------+------+- - - - -+
//          0                  4                  6                          bytes-1  usable size
//
//   bytes  everything from lp to the 0xFF, inclusive; slack is not counted and never saved
//   count  number of entries, or 65535: unknown, walk. A count that reached 65535 stays unknown
//          through inserts and deletes until lpLength finds fewer and writes the number back.
//
// Ownership: a listpack is one block of base/alloc owned by the caller. Functions that may change
// its size take its address and return the new one; the old address is then dead. 0 means out of
// memory (or beyond LP_BYTES_MAX): the listpack is still at the old address and unchanged.
//
// Assumed everywhere: the listpack was built here or accepted by lpValidate, `p` is the address of
// an entry in it, and `src` does not point into the listpack being changed. Walkers still never
// step outside the block: lpNext and lpPrev stop at its ends.

import { alloc, free } from '../base/alloc';
import { blobFit, blobGrow, blobTrim, bytesSame } from './blob';
import { intParse, intParsed } from './ints';
import {
  LP_EOF,
  lpBacklenRead,
  lpBacklenSize,
  lpEntryTotal,
  lpGet,
  lpStageBytes,
  lpStageInt,
  lpStageWrite,
  lpValInt,
  lpValLen,
  lpValPtr,
} from './listpack-entry';

export {
  LP_EOF,
  lpBacklenRead,
  lpBacklenSize,
  lpBacklenWrite,
  lpCompare,
  lpEntrySize,
  lpEntryTotal,
  lpGet,
  lpGetInt,
  lpGetText,
  lpGetTextTo,
  lpIsString,
  lpValInt,
  lpValLen,
  lpValPtr,
} from './listpack-entry';
export {
  LP_CHECK_BAD,
  LP_CHECK_OK,
  LP_CHECK_OOM,
  lpCheckCount,
  lpCheckMultiple,
  lpCheckOff,
  lpCheckUnique,
  lpValidate,
} from './listpack-check';

/** Bytes before the first entry. */
export const LP_HEADER: u32 = 6;
/** Header value for "count unknown". */
export const LP_COUNT_UNKNOWN: u32 = 65535;
/** Largest listpack built here. Redis stops at 4 GiB, a 32-bit memory before that. */
export const LP_BYTES_MAX: u32 = 0x7fffffff;
/** Redis: types refuse to let a listpack grow beyond 1 GiB. */
const LP_SAFE_MAX: u32 = 0x40000000;

/**
 * After an insert or replace: the entry written. After a delete: the entry that followed the
 * deleted ones, or 0 if they were the last. Valid until the listpack changes.
 */
export let lpAt: usize = 0;

// ---------------------------------------------------------------------------------------------
// Life

/** A new empty listpack with room for `capacity` bytes in all; 0 if out of memory. */
export function lpNew(capacity: u32): usize {
  const lp = alloc(capacity > LP_HEADER + 1 ? capacity : LP_HEADER + 1);
  if (lp == 0) return 0;
  store<u32>(lp, LP_HEADER + 1);
  store<u16>(lp, 0, 4);
  store<u8>(lp, LP_EOF, LP_HEADER);
  return lp;
}

/** Frees a listpack; 0 is allowed. */
export function lpFree(lp: usize): void {
  free(lp);
}

/**
 * An owned copy without slack of the valid listpack at `lp`, which need not be owned: it may lie in
 * a read buffer. 0 if out of memory. O(bytes).
 */
export function lpDup(lp: usize): usize {
  const bytes = lpBytes(lp);
  const copy = alloc(bytes);
  if (copy == 0) return 0;
  memory.copy(copy, lp, bytes);
  return copy;
}

/** Gives the slack back where the allocator can; returns the (perhaps new) address, never 0. */
export function lpShrinkToFit(lp: usize): usize {
  return blobFit(lp, lpBytes(lp));
}

// ---------------------------------------------------------------------------------------------
// Size

/** Bytes of the listpack from its header to its terminator. */
// @ts-ignore: decorator
@inline
export function lpBytes(lp: usize): u32 {
  return load<u32>(lp);
}

/** Bytes the string at `src` would take as an entry. */
export function lpEntryBytes(src: usize, len: u32): u32 {
  return lpStageBytes(src, len);
}

/** False if `add` bytes more would take the listpack beyond the 1 GiB Redis allows. lp may be 0. */
export function lpSafeToAdd(lp: usize, add: u32): bool {
  const bytes: u64 = lp == 0 ? 0 : lpBytes(lp);
  return bytes + add <= LP_SAFE_MAX;
}

/**
 * Number of entries. O(1) below 65535, else a walk; as in Redis a walk that finds fewer writes the
 * count back into the header.
 */
export function lpLength(lp: usize): u32 {
  const known: u32 = load<u16>(lp, 4);
  if (known != LP_COUNT_UNKNOWN) return known;
  let count: u32 = 0;
  for (let p = lpFirst(lp); p != 0; p = lpNext(lp, p)) count++;
  if (count < LP_COUNT_UNKNOWN) store<u16>(lp, count, 4);
  return count;
}

// ---------------------------------------------------------------------------------------------
// Moving about

/** The first entry, or 0. */
export function lpFirst(lp: usize): usize {
  return lpBytes(lp) > LP_HEADER + 1 ? lp + LP_HEADER : 0;
}

/** The last entry, or 0. */
export function lpLast(lp: usize): usize {
  return lpPrev(lp, lp + lpBytes(lp) - 1);
}

/** The entry after `p`, or 0. */
export function lpNext(lp: usize, p: usize): usize {
  const last = lp + lpBytes(lp) - 1;
  const step = lpEntryTotal(p);
  return <usize>step < last - p ? p + step : 0;
}

/** The entry before `p`, or 0. `p` may be the terminator. */
export function lpPrev(lp: usize, p: usize): usize {
  const room = p - (lp + LP_HEADER);
  if (room == 0) return 0;
  const size = lpBacklenRead(p - 1);
  if (size >= <u64>room) return 0;
  const total = <u32>size + lpBacklenSize(<u32>size);
  return <usize>total <= room ? p - total : 0;
}

/**
 * The entry at `index` (0 is the first, -1 the last), or 0 if there is none. O(n), from the nearer
 * end when the count is known.
 */
export function lpSeek(lp: usize, index: i32): usize {
  const count = <i32>load<u16>(lp, 4);
  let steps = index;
  let forward = index >= 0;
  if (count != LP_COUNT_UNKNOWN) {
    if (steps < 0) steps += count;
    if (<u32>steps >= <u32>count) return 0; // negative too
    forward = steps <= count >> 1;
    if (!forward) steps -= count;
  }
  let p: usize;
  if (forward) {
    p = lpFirst(lp);
    while (steps > 0 && p != 0) {
      p = lpNext(lp, p);
      steps--;
    }
  } else {
    p = lpLast(lp);
    while (steps < -1 && p != 0) {
      p = lpPrev(lp, p);
      steps++;
    }
  }
  return p;
}

/** The entry `count` places after `p`, or 0. */
export function lpSkip(lp: usize, p: usize, count: u32): usize {
  while (count != 0 && p != 0) {
    p = lpNext(lp, p);
    count--;
  }
  return p;
}

/**
 * One pass for many positions: `indexes` is an array of `count` u32 in ascending order (repeats
 * allowed); the address of each entry goes into the same place of the u32 array `out`. Returns how
 * many were found before an index was out of range. For random picks: draw, sort, fetch.
 */
export function lpFetchSorted(lp: usize, indexes: usize, count: u32, out: usize): u32 {
  let p = lpFirst(lp);
  let at: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const index = load<u32>(indexes + (<usize>i << 2));
    p = lpSkip(lp, p, index - at);
    if (p == 0) return i;
    at = index;
    store<u32>(out + (<usize>i << 2), <u32>p);
  }
  return count;
}

/**
 * Finds the `len` bytes at `src` among the entries from `p` on (0: none), comparing `p` and then
 * every entry after `skip` others: skip 1 looks at the fields of a hash. The address or 0. O(n).
 */
export function lpFind(lp: usize, p: usize, src: usize, len: u32, skip: u32): usize {
  if (p == 0) return 0;
  const numeric = intParse(src, len);
  const value = intParsed;
  let wait: u32 = 0;
  while (p != 0) {
    if (wait == 0) {
      if (lpGet(p)) {
        if (lpValLen == len && bytesSame(lpValPtr, src, len)) return p;
      } else if (numeric && lpValInt == value) {
        return p;
      }
      wait = skip;
    } else {
      wait--;
    }
    p = lpNext(lp, p);
  }
  return 0;
}

// ---------------------------------------------------------------------------------------------
// Adding and replacing. Every function: the new address, or 0 and nothing changed; `lpAt` is the
// entry written. Strings that are canonical integers are stored as integers. May grow memory.
// O(bytes after the entry), appends O(1) amortised.

/** Adds a string after the last entry. */
export function lpAppend(lp: usize, src: usize, len: u32): usize {
  if (len > LP_BYTES_MAX) return 0;
  return putStaged(lp, lpBytes(lp) - 1, 0, src, lpStageBytes(src, len));
}

/** Adds an integer after the last entry. */
export function lpAppendInt(lp: usize, value: i64): usize {
  return putStaged(lp, lpBytes(lp) - 1, 0, 0, lpStageInt(value));
}

/** Adds a string before the first entry. */
export function lpPrepend(lp: usize, src: usize, len: u32): usize {
  if (len > LP_BYTES_MAX) return 0;
  return putStaged(lp, LP_HEADER, 0, src, lpStageBytes(src, len));
}

/** Adds an integer before the first entry. */
export function lpPrependInt(lp: usize, value: i64): usize {
  return putStaged(lp, LP_HEADER, 0, 0, lpStageInt(value));
}

/** Adds a string before the entry `p`. */
export function lpInsertBefore(lp: usize, p: usize, src: usize, len: u32): usize {
  if (len > LP_BYTES_MAX) return 0;
  return putStaged(lp, <u32>(p - lp), 0, src, lpStageBytes(src, len));
}

/** Adds an integer before the entry `p`. */
export function lpInsertIntBefore(lp: usize, p: usize, value: i64): usize {
  return putStaged(lp, <u32>(p - lp), 0, 0, lpStageInt(value));
}

/** Adds a string after the entry `p`. */
export function lpInsertAfter(lp: usize, p: usize, src: usize, len: u32): usize {
  return lpInsertBefore(lp, p + lpEntryTotal(p), src, len);
}

/** Adds an integer after the entry `p`. */
export function lpInsertIntAfter(lp: usize, p: usize, value: i64): usize {
  return lpInsertIntBefore(lp, p + lpEntryTotal(p), value);
}

/** Puts a string in the place of the entry `p`. */
export function lpReplace(lp: usize, p: usize, src: usize, len: u32): usize {
  if (len > LP_BYTES_MAX) return 0;
  return putStaged(lp, <u32>(p - lp), lpEntryTotal(p), src, lpStageBytes(src, len));
}

/** Puts an integer in the place of the entry `p`. */
export function lpReplaceInt(lp: usize, p: usize, value: i64): usize {
  return putStaged(lp, <u32>(p - lp), lpEntryTotal(p), 0, lpStageInt(value));
}

/**
 * Writes the staged entry of `total` bytes at offset `off`, over the `oldLen` bytes of the entry it
 * replaces (0: an insert).
 */
function putStaged(lp: usize, off: u32, oldLen: u32, src: usize, total: u32): usize {
  lp = splice(lp, off, oldLen, total);
  if (lp == 0) return 0;
  lpAt = lp + off;
  lpStageWrite(lpAt, src);
  if (oldLen == 0) {
    const count: u32 = load<u16>(lp, 4);
    if (count != LP_COUNT_UNKNOWN) store<u16>(lp, count + 1, 4);
  }
  return lp;
}

/**
 * Turns the `oldLen` bytes at offset `off` into `newLen` bytes of undefined content, moving what
 * follows, and sets the byte total. The new address, or 0 and nothing changed (only if newLen is
 * the larger).
 */
function splice(lp: usize, off: u32, oldLen: u32, newLen: u32): usize {
  if (oldLen == newLen) return lp;
  const bytes = lpBytes(lp);
  const total = <u64>bytes - oldLen + newLen;
  if (newLen > oldLen) {
    if (total > LP_BYTES_MAX) return 0;
    lp = blobGrow(lp, <u32>total);
    if (lp == 0) return 0;
  }
  const tail = bytes - off - oldLen;
  if (tail == 1) store<u8>(lp + off + newLen, LP_EOF);
  else memory.copy(lp + off + newLen, lp + off + oldLen, tail);
  store<u32>(lp, <u32>total);
  return newLen < oldLen ? blobTrim(lp, <u32>total) : lp;
}

// ---------------------------------------------------------------------------------------------
// Removing. These never fail: they return the new address. `lpAt` is the entry that took the place
// of the first one removed, or 0 if there is none. O(bytes after the entry).

/** Removes the entry `p`. */
export function lpDelete(lp: usize, p: usize): usize {
  return cut(lp, <u32>(p - lp), lpEntryTotal(p), 1);
}

/** Removes up to `count` entries from `p` on. */
export function lpDeleteRangeAt(lp: usize, p: usize, count: u32): usize {
  const start = p;
  const end = lp + lpBytes(lp) - 1;
  let removed: u32 = 0;
  while (removed < count && p < end) {
    p += lpEntryTotal(p);
    removed++;
  }
  return cut(lp, <u32>(start - lp), <u32>(p - start), removed);
}

/** Removes up to `count` entries from `index` (negative: from the end) on; none if out of range. */
export function lpDeleteRange(lp: usize, index: i32, count: u32): usize {
  const p = lpSeek(lp, index);
  if (p == 0 || count == 0) {
    lpAt = p;
    return lp;
  }
  const known = <i32>load<u16>(lp, 4);
  if (known != LP_COUNT_UNKNOWN) {
    const from = index < 0 ? index + known : index;
    const left = <u32>(known - from);
    if (count >= left) return cut(lp, <u32>(p - lp), lpBytes(lp) - 1 - <u32>(p - lp), left);
  }
  return lpDeleteRangeAt(lp, p, count);
}

/**
 * Removes the `count` entries whose addresses are in the u32 array `ps`, ascending and distinct, in
 * one pass over the bytes. `lpAt` is not meaningful afterwards.
 */
export function lpBatchDelete(lp: usize, ps: usize, count: u32): usize {
  if (count == 0) return lp;
  const bytes = lpBytes(lp);
  let to: usize = load<u32>(ps);
  for (let i: u32 = 0; i < count; i++) {
    const p: usize = load<u32>(ps + (<usize>i << 2));
    const keep = p + lpEntryTotal(p);
    const until = i + 1 < count ? <usize>load<u32>(ps + (<usize>(i + 1) << 2)) : lp + bytes;
    memory.copy(to, keep, until - keep);
    to += until - keep;
  }
  const total = <u32>(to - lp);
  store<u32>(lp, total);
  const known: u32 = load<u16>(lp, 4);
  if (known != LP_COUNT_UNKNOWN) store<u16>(lp, known - count, 4);
  return blobTrim(lp, total);
}

/** Removes `len` bytes at offset `off`, which are `count` whole entries. */
function cut(lp: usize, off: u32, len: u32, count: u32): usize {
  lp = splice(lp, off, len, 0);
  const known: u32 = load<u16>(lp, 4);
  if (known != LP_COUNT_UNKNOWN) store<u16>(lp, known - count, 4);
  lpAt = off < lpBytes(lp) - 1 ? lp + off : 0;
  return lp;
}

// ---------------------------------------------------------------------------------------------
// Merging

/**
 * Joins two listpacks, entries of `first` then of `second`, into one of the two blocks and frees
 * the other. The address of the result; 0 if out of memory or beyond the limit: both are then valid
 * and unchanged. `first` and `second` must differ. A count of 65535 or more becomes unknown.
 */
export function lpMerge(first: usize, second: usize): usize {
  const firstBytes = lpBytes(first);
  const secondBytes = lpBytes(second);
  const total = <u64>firstBytes + secondBytes - LP_HEADER - 1;
  if (total > LP_BYTES_MAX) return 0;
  let count = lpLength(first) + lpLength(second);
  if (count > LP_COUNT_UNKNOWN) count = LP_COUNT_UNKNOWN;
  let target: usize;
  if (firstBytes >= secondBytes) {
    target = blobGrow(first, <u32>total);
    if (target == 0) return 0;
    memory.copy(target + firstBytes - 1, second + LP_HEADER, secondBytes - LP_HEADER);
    free(second);
  } else {
    target = blobGrow(second, <u32>total);
    if (target == 0) return 0;
    memory.copy(target + firstBytes - 1, target + LP_HEADER, secondBytes - LP_HEADER);
    memory.copy(target, first, firstBytes - 1);
    free(first);
  }
  store<u32>(target, <u32>total);
  store<u16>(target, count, 4);
  return target;
}
