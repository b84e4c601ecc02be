// One listpack entry: how it is laid out, measured, read and written.
//
// Source of the format: the listpack specification (antirez/listpack) as redis 7.0.15 writes it.
//
//   entry     +----------------+-----------+-----------------+
//             | encoding (1–9) |   data    |  backlen (1–5)  |
//             +----------------+-----------+-----------------+
//             |<------ size: backlen holds it ---->|
//
//   0xxxxxxx                       u7 integer
//   10LLLLLL data                  string, length 0..63
//   110xxxxx xxxxxxxx              i13 integer, big-endian, two's complement
//   1110LLLL LLLLLLLL data         string, length 0..4095, big-endian
//   F0 LLLLLLLL×4 data             string, length u32 little-endian
//   F1 F2 F3 F4                    integer of 2, 3, 4, 8 bytes little-endian
//   FF                             end of the listpack (not an entry)
//
// Backlen: 7 bits a byte, read from its last byte towards lower addresses; the byte at the highest
// address holds the lowest 7 bits; bit 7 set means "another byte to the left".
// Redis: the size that just fits (16383, 2097151, 268435455) is given one byte more than needed.
// A reader must count the same way, so this quirk is part of the format.
//
// These functions trust the entry: either it was written here or lpValidate accepted the blob.

import { intFormat, intParse, intParsed } from './ints';
import { bytesCopy, bytesSame } from './blob';

/** The byte that ends a listpack. */
export const LP_EOF: u32 = 0xff;

/** Bytes of the string last read by `lpGet` or `lpGetText`; 0 when `lpGet` read an integer. */
export let lpValPtr: usize = 0;
/** Its length in bytes. */
export let lpValLen: u32 = 0;
/** The integer last read by `lpGet` (when it returned false) or `lpGetInt` (when true). */
export let lpValInt: i64 = 0;

/** Scratch of `lpGetText`: the decimal text of the last integer it read. */
const textScratch: usize = memory.data(24);

/** The staged entry's encoding bytes: an integer entry whole, or a string's length prefix. */
const stage: usize = memory.data(16);
let stageHead: u32 = 0; // bytes in `stage`
let stageSize: u32 = 0; // encoding and data

/** Size in bytes of encoding and data, without backlen. 0 for a byte that starts no entry. */
export function lpEntrySize(p: usize): u32 {
  const b: u32 = load<u8>(p);
  if (b < 0x80) return 1;
  if (b < 0xc0) return 1 + (b & 0x3f);
  if (b < 0xe0) return 2;
  if (b < 0xf0) return 2 + (((b & 0x0f) << 8) | load<u8>(p, 1));
  switch (b) {
    case 0xf0:
      return 5 + load<u32>(p, 1);
    case 0xf1:
      return 3;
    case 0xf2:
      return 4;
    case 0xf3:
      return 5;
    case 0xf4:
      return 9;
    default:
      return 0;
  }
}

/** Bytes the backlen of an entry of `size` bytes takes: 1 to 5. */
export function lpBacklenSize(size: u32): u32 {
  if (size <= 127) return 1;
  if (size < 16383) return 2;
  if (size < 2097151) return 3;
  if (size < 268435455) return 4;
  return 5;
}

/** Writes the backlen of `size` at `dst`; returns the bytes written. */
export function lpBacklenWrite(dst: usize, size: u32): u32 {
  const count = lpBacklenSize(size);
  let at = dst + count - 1;
  while (at > dst) {
    store<u8>(at, (size & 127) | 0x80);
    size >>= 7;
    at--;
  }
  store<u8>(dst, size & 127);
  return count;
}

/**
 * Reads a backlen whose last byte is at `last`; u64.MAX_VALUE if it is longer than 5 bytes. Touches
 * at most the 5 bytes up to `last`.
 */
export function lpBacklenRead(last: usize): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  while (true) {
    const b: u64 = load<u8>(last);
    value |= (b & 127) << shift;
    if ((b & 128) == 0) return value;
    shift += 7;
    if (shift > 28) return u64.MAX_VALUE;
    last--;
  }
}

/** Bytes of the whole entry at `p`, backlen included. */
export function lpEntryTotal(p: usize): u32 {
  const size = lpEntrySize(p);
  return size + lpBacklenSize(size);
}

/** True if the entry at `p` is stored as a string. */
export function lpIsString(p: usize): bool {
  const b: u32 = load<u8>(p);
  return (b & 0xc0) == 0x80 || (b & 0xf0) == 0xe0 || b == 0xf0;
}

/**
 * Reads the entry at `p`. True: a string, its bytes inside the listpack in `lpValPtr`, `lpValLen`
 * (valid until the listpack changes). False: an integer, in `lpValInt`; `lpValPtr` is 0.
 */
export function lpGet(p: usize): bool {
  const b: u32 = load<u8>(p);
  if ((b & 0xc0) == 0x80) {
    lpValPtr = p + 1;
    lpValLen = b & 0x3f;
    return true;
  }
  if ((b & 0xf0) == 0xe0) {
    lpValPtr = p + 2;
    lpValLen = ((b & 0x0f) << 8) | load<u8>(p, 1);
    return true;
  }
  if (b == 0xf0) {
    lpValPtr = p + 5;
    lpValLen = load<u32>(p, 1);
    return true;
  }
  lpValPtr = 0;
  lpValInt = readInt(p, b);
  return false;
}

/**
 * Reads the entry at `p` as text, whatever its encoding: returns the address of the bytes, length
 * in `lpValLen` (and `lpValPtr` is the address too). An integer's text lies in static scratch and
 * is valid until the next call; a string's bytes lie inside the listpack.
 */
export function lpGetText(p: usize): usize {
  return lpGetTextTo(p, textScratch);
}

/** As `lpGetText`, with an integer's text written to `dst` (room for INT_TEXT_MAX bytes). */
export function lpGetTextTo(p: usize, dst: usize): usize {
  if (!lpGet(p)) {
    lpValLen = intFormat(lpValInt, dst);
    lpValPtr = dst;
  }
  return lpValPtr;
}

/** True if the entry at `p` is an integer or a string that reads as one; value in `lpValInt`. */
export function lpGetInt(p: usize): bool {
  if (!lpGet(p)) return true;
  if (!intParse(lpValPtr, lpValLen)) return false;
  lpValInt = intParsed;
  return true;
}

/** True if the entry at `p`, as text, equals the `len` bytes at `src`. */
export function lpCompare(p: usize, src: usize, len: u32): bool {
  if (lpGet(p)) return lpValLen == len && bytesSame(lpValPtr, src, len);
  return intParse(src, len) && intParsed == lpValInt;
}

/** The integer entry at `p` whose first byte is `b`. */
// @ts-ignore: decorator
@inline
function readInt(p: usize, b: u32): i64 {
  if (b < 0x80) return b;
  if (b < 0xe0) {
    const raw = ((b & 0x1f) << 8) | load<u8>(p, 1);
    return (<i32>raw << 19) >> 19;
  }
  if (b == 0xf1) return load<i16>(p, 1);
  if (b == 0xf2) return (<i32>load<u16>(p, 1) | (<i32>load<i8>(p, 3) << 16));
  if (b == 0xf3) return load<i32>(p, 1);
  return load<i64>(p, 1);
}

/**
 * Prepares `len` bytes at `src` (len < 2^31) as an entry in its smallest encoding; `lpStageWrite`
 * then writes it. Returns the bytes the whole entry will take, backlen included.
 */
export function lpStageBytes(src: usize, len: u32): u32 {
  if (intParse(src, len)) return lpStageInt(intParsed);
  if (len < 64) {
    store<u8>(stage, 0x80 | len);
    stageHead = 1;
  } else if (len < 4096) {
    store<u8>(stage, 0xe0 | (len >> 8));
    store<u8>(stage, len, 1);
    stageHead = 2;
  } else {
    store<u8>(stage, 0xf0);
    store<u32>(stage, len, 1);
    stageHead = 5;
  }
  stageSize = stageHead + len;
  return stageSize + lpBacklenSize(stageSize);
}

/** As `lpStageBytes`, for an integer. */
export function lpStageInt(value: i64): u32 {
  if (<u64>value < 128) {
    store<u8>(stage, <u32>value);
    stageHead = 1;
  } else if (value >= -4096 && value <= 4095) {
    const raw = <u32>value & 0x1fff;
    store<u8>(stage, 0xc0 | (raw >> 8));
    store<u8>(stage, raw, 1);
    stageHead = 2;
  } else {
    store<i64>(stage, value, 1);
    if (value == <i64>(<i16>value)) {
      store<u8>(stage, 0xf1);
      stageHead = 3;
    } else if (value >= -8388608 && value <= 8388607) {
      store<u8>(stage, 0xf2);
      stageHead = 4;
    } else if (value == <i64>(<i32>value)) {
      store<u8>(stage, 0xf3);
      stageHead = 5;
    } else {
      store<u8>(stage, 0xf4);
      stageHead = 9;
    }
  }
  stageSize = stageHead;
  return stageSize + 1;
}

/** Writes the staged entry at `dst`; `src` is the string given to `lpStageBytes`, or unused. */
export function lpStageWrite(dst: usize, src: usize): void {
  if (stageHead == 1) store<u8>(dst, load<u8>(stage));
  else bytesCopy(dst, stage, stageHead);
  const data = stageSize - stageHead;
  if (data != 0) bytesCopy(dst + stageHead, src, data);
  if (stageSize <= 127) store<u8>(dst + stageSize, stageSize);
  else lpBacklenWrite(dst + stageSize, stageSize);
}
