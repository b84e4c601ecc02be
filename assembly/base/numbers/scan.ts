/**
 * The grammar of strtod and strtold: finds out what a number text says, without rounding anything.
 *
 *   [+-] digits [. digits] [e [+-] digits]          at least one digit before the 'e'
 *   [+-] 0x hexdigits [. hexdigits] [p [+-] digits] at least one hex digit before the 'p'
 *   [+-] inf | infinity | nan                       in any case
 *
 * What it is: a scanner that demands the whole text (Redis does: a number followed by anything,
 * also an incomplete exponent or a NUL, is none) and no space before. What it is not: a converter:
 * double.ts and extended.ts round what is left in the scan… globals.
 *
 * Redis: "nan(…)" is a NaN to C too; as Redis refuses every NaN, it is simply no number here.
 */

import { eightDigits, isEightDigits } from './integers';

/** What scanNumber found. */
export const SCAN_NONE: i32 = 0;
export const SCAN_DECIMAL: i32 = 1;
export const SCAN_HEX: i32 = 2;
export const SCAN_INF: i32 = 3;
export const SCAN_NAN: i32 = 4;

/** Whether a '-' came first. Valid unless SCAN_NONE. */
export let scanNeg: bool = false;

/** Decimal: the first (at most 19) significant digits as a number. 0 iff the value is zero. */
export let scanMant: u64 = 0;

/** Decimal: the power of ten that belongs to scanMant, counted from its last digit. */
export let scanExp: i64 = 0;

/** Decimal: whether there are more than 19 significant digits (trailing zeros count). */
export let scanIsLong: bool = false;

/** Decimal, long: address of the first significant digit and behind the last digit; one '.' may be
 * in between. */
export let scanDigits: usize = 0;
export let scanDigitsEnd: usize = 0;

/** Decimal, long: how many significant digits, and the power of ten of the last one. */
export let scanCount: i64 = 0;
export let scanLastExp: i64 = 0;

/** Hex: value = (scanHi + scanLo / 2^64) × 2^scanExp2, scanHi with its top bit set or 0 for zero;
 * bits that do not fit are or-ed into the lowest bit of scanLo. */
export let scanHi: u64 = 0;
export let scanLo: u64 = 0;
export let scanExp2: i64 = 0;

/** Exponents are cut off here: far beyond what any digits could make up for. */
const EXP_LIMIT: i64 = 1000000000000;

/** The exponent's value once read, 0 if there is none. */
let exponent: i64 = 0;

/**
 * Scans the whole text; returns SCAN_… and fills the globals. O(len).
 */
export function scanNumber(ptr: usize, len: usize): i32 {
  const end = ptr + len;
  if (len == 0) return SCAN_NONE;
  const first = <u32>load<u8>(ptr);
  scanNeg = first == 0x2d;
  if (first == 0x2d || first == 0x2b) {
    ptr++;
    if (ptr == end) return SCAN_NONE;
  }
  const c = <u32>load<u8>(ptr);
  if (c - 0x30 > 9 && c != 0x2e) return scanWord(ptr, end);
  if (c == 0x30 && ptr + 1 < end && (load<u8>(ptr + 1) | 0x20) == 0x78) {
    return scanHex(ptr + 2, end);
  }
  return scanDecimal(ptr, end);
}

/** "inf", "infinity" or "nan". */
function scanWord(ptr: usize, end: usize): i32 {
  const len = end - ptr;
  if (len == 3) {
    const word = (<u32>load<u16>(ptr) | (<u32>load<u8>(ptr + 2) << 16)) | 0x202020;
    if (word == 0x666e69) return SCAN_INF;
    if (word == 0x6e616e) return SCAN_NAN;
  } else if (len == 8) {
    if ((load<u64>(ptr) | 0x2020202020202020) == 0x7974696e69666e69) return SCAN_INF;
  }
  return SCAN_NONE;
}

/** Reads [+-] digits up to `end`, which they must reach; the value is left in `exponent`. */
function scanExponent(ptr: usize, end: usize): bool {
  if (ptr == end) return false;
  const sign = <u32>load<u8>(ptr);
  if (sign == 0x2d || sign == 0x2b) ptr++;
  if (ptr == end) return false;
  let value: i64 = 0;
  for (; ptr < end; ptr++) {
    const digit = <u32>load<u8>(ptr) - 0x30;
    if (digit > 9) return false;
    if (value < EXP_LIMIT) value = value * 10 + <i64>digit;
  }
  exponent = sign == 0x2d ? -value : value;
  return true;
}

function scanDecimal(ptr: usize, end: usize): i32 {
  const start = ptr;
  let mant: u64 = 0; // wraps beyond 19 digits, and is then read again
  let c: u32 = 0;
  for (; ptr < end; ptr++) {
    c = <u32>load<u8>(ptr) - 0x30;
    if (c > 9) break;
    mant = mant * 10 + <u64>c;
  }
  let digits = ptr - start;
  let fraction: usize = 0;
  if (ptr < end && load<u8>(ptr) == 0x2e) {
    ptr++;
    const fractionStart = ptr;
    while (end - ptr >= 8) {
      const x = load<u64>(ptr);
      if (!isEightDigits(x)) break;
      mant = mant * 100000000 + eightDigits(x);
      ptr += 8;
    }
    for (; ptr < end; ptr++) {
      c = <u32>load<u8>(ptr) - 0x30;
      if (c > 9) break;
      mant = mant * 10 + <u64>c;
    }
    fraction = ptr - fractionStart;
    digits += fraction;
  }
  if (digits == 0) return SCAN_NONE;
  const digitsEnd = ptr;
  exponent = 0;
  if (ptr < end) {
    if ((load<u8>(ptr) | 0x20) != 0x65 || !scanExponent(ptr + 1, end)) return SCAN_NONE;
  }
  scanMant = mant;
  scanExp = exponent - <i64>fraction;
  scanIsLong = false;
  if (digits > 19) scanLong(start, digitsEnd, digits);
  return SCAN_DECIMAL;
}

/** Settles the globals when there are more than 19 digits, of which the first may be zeros. */
function scanLong(ptr: usize, end: usize, digits: usize): void {
  for (; ptr < end; ptr++) {
    const c = load<u8>(ptr);
    if (c == 0x2e) continue;
    if (c != 0x30) break;
    digits--;
  }
  if (digits <= 19) return; // the leading zeros did not disturb: mant is whole
  scanIsLong = true;
  scanDigits = ptr;
  scanDigitsEnd = end;
  scanCount = <i64>digits;
  scanLastExp = scanExp;
  let mant: u64 = 0;
  for (let i = 0; i < 19; ptr++) {
    const c = <u32>load<u8>(ptr) - 0x30;
    if (c > 9) continue;
    mant = mant * 10 + <u64>c;
    i++;
  }
  scanMant = mant;
  scanExp += <i64>digits - 19;
}

/** Value of a hex digit, or 16 and more for other bytes. */
// @ts-ignore: decorator
@inline
function hexDigit(c: u32): u32 {
  if (c - 0x30 <= 9) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}

function scanHex(ptr: usize, end: usize): i32 {
  let hi: u64 = 0;
  let lo: u64 = 0;
  let nibbles = 0; // significant ones taken so far, at most 32
  let exp2: i64 = 0;
  let isFraction = false;
  let hasDigits = false;
  for (; ptr < end; ptr++) {
    const c = <u32>load<u8>(ptr);
    if (c == 0x2e) {
      if (isFraction) return SCAN_NONE;
      isFraction = true;
      continue;
    }
    const digit = <u64>hexDigit(c);
    if (digit > 15) break;
    hasDigits = true;
    if (isFraction) exp2 -= 4;
    if (nibbles == 32) {
      exp2 += 4;
      if (digit) lo |= 1;
    } else if (nibbles > 0 || digit) {
      nibbles++;
      hi = (hi << 4) | (lo >> 60);
      lo = (lo << 4) | digit;
    }
  }
  if (!hasDigits) return SCAN_NONE;
  exponent = 0;
  if (ptr < end) {
    if ((load<u8>(ptr) | 0x20) != 0x70 || !scanExponent(ptr + 1, end)) return SCAN_NONE;
  }
  setHex(hi, lo, exp2 + exponent);
  return SCAN_HEX;
}

/** Normalises (hi × 2^64 + lo) × 2^exp2 into scanHi, scanLo, scanExp2. */
function setHex(hi: u64, lo: u64, exp2: i64): void {
  if (hi == 0) {
    hi = lo;
    lo = 0;
  } else {
    exp2 += 64;
  }
  const shift = hi == 0 ? 0 : clz<u64>(hi);
  if (shift) {
    hi = (hi << shift) | (lo >> (64 - shift));
    lo <<= shift;
  }
  scanHi = hi;
  scanLo = lo;
  scanExp2 = exp2 - <i64>shift;
}
