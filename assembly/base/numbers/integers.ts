/**
 * Integers as text: the strict parsing Redis uses everywhere, and fast printing.
 *
 * What it is: string2ll, string2ull, ll2string with Redis' acceptance rules. What it is not:
 * lenient: "+1", " 1", "01", "-0", "" and anything out of range are no integers.
 *
 * Results wider than a boolean are left in module globals. No function reads outside the text.
 */

/** Value of the last successful string2ll. */
export let llValue: i64 = 0;

/** Value of the last successful string2ull or parseU64. */
export let ullValue: u64 = 0;

/** Longest text of an i64 or u64, sign included: room every buffer must offer. */
export const INT_CHARS_MAX: usize = 20;

const ZEROS: u64 = 0x3030303030303030;

/** "00" "01" … "99". Filled at first use, as it costs less code than data. */
const PAIRS: usize = memory.data(200, 8);
let hasPairs: bool = false;

function buildPairs(): void {
  for (let i: u32 = 0; i < 100; i++) {
    store<u16>(PAIRS + (<usize>i << 1), <u16>(0x3030 + i / 10 + ((i % 10) << 8)));
  }
  hasPairs = true;
}

/** Whether all eight bytes of a loaded word are '0'-'9'. */
// @ts-ignore: decorator
@inline
export function isEightDigits(x: u64): bool {
  return ((x & 0xf0f0f0f0f0f0f0f0) | (((x + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4))
    == 0x3333333333333333;
}

/** The number written by the eight digits of a loaded word. */
// @ts-ignore: decorator
@inline
export function eightDigits(x: u64): u64 {
  x -= ZEROS;
  x = x * 10 + (x >> 8);
  return (((x & 0x000000ff000000ff) * 0x000f424000000064)
    + (((x >> 16) & 0x000000ff000000ff) * 0x0000271000000001)) >> 32;
}

/**
 * Reads up to 19 digits (which cannot overflow) into ullValue; false if a byte is no digit.
 */
// @ts-ignore: decorator
@inline
function digits19(ptr: usize, end: usize): bool {
  let value: u64 = 0;
  while (end - ptr >= 8) {
    const x = load<u64>(ptr);
    if (!isEightDigits(x)) return false;
    value = value * 100000000 + eightDigits(x);
    ptr += 8;
  }
  while (ptr < end) {
    const digit = <u32>load<u8>(ptr) - 0x30;
    if (digit > 9) return false;
    value = value * 10 + <u64>digit;
    ptr++;
  }
  ullValue = value;
  return true;
}

/**
 * Whether the text is a canonical i64 in decimal, as Redis' string2ll: an optional '-', no leading
 * zero but for "0" itself, in range, nothing else. The value is left in llValue (unchanged if not).
 */
export function string2ll(ptr: usize, len: usize): bool {
  if (len == 0 || len > 20) return false;
  const end = ptr + len;
  const isNegative = load<u8>(ptr) == 0x2d;
  if (isNegative) ptr++;
  const digits = end - ptr;
  if (digits == 0 || digits > 19) return false;
  if (load<u8>(ptr) == 0x30) {
    if (len != 1) return false;
    llValue = 0;
    return true;
  }
  if (!digits19(ptr, end)) return false;
  const value = ullValue;
  if (isNegative) {
    if (value > 0x8000000000000000) return false;
    llValue = <i64>(0 - value);
  } else {
    if (value > 0x7fffffffffffffff) return false;
    llValue = <i64>value;
  }
  return true;
}

/**
 * Whether the text is a canonical u64 in decimal: digits only, no leading zero but for "0", in
 * range. The value is left in ullValue.
 */
export function parseU64(ptr: usize, len: usize): bool {
  if (len == 0 || len > 20) return false;
  if (load<u8>(ptr) == 0x30 && len > 1) return false;
  if (len < 20) return digits19(ptr, ptr + len);
  const last = <u32>load<u8>(ptr + 19) - 0x30;
  if (last > 9 || !digits19(ptr, ptr + 19)) return false;
  const value = ullValue;
  if (value > 1844674407370955161 || (value == 1844674407370955161 && last > 5)) return false;
  ullValue = value * 10 + <u64>last;
  return true;
}

/**
 * Redis' string2ull (stream IDs): a canonical non-negative i64, or whatever C's strtoull takes as a
 * whole. Redis: so "007", "+5" and " 5" are 7, 5 and 5; "-5" is refused, and yet "-05" is 2^64 - 5.
 * The value is left in ullValue.
 */
export function string2ull(ptr: usize, len: usize): bool {
  if (string2ll(ptr, len)) {
    ullValue = <u64>llValue;
    return llValue >= 0;
  }
  const end = ptr + len;
  while (ptr < end && isSpace(load<u8>(ptr))) ptr++;
  if (ptr == end) return false;
  const sign = load<u8>(ptr);
  if (sign == 0x2d || sign == 0x2b) ptr++;
  if (ptr == end) return false;
  let value: u64 = 0;
  for (; ptr < end; ptr++) {
    const digit = <u64>load<u8>(ptr) - 0x30;
    if (digit > 9) return false;
    if (value > 1844674407370955161 || (value == 1844674407370955161 && digit > 5)) return false;
    value = value * 10 + digit;
  }
  ullValue = sign == 0x2d ? 0 - value : value;
  return true;
}

/** C's isspace in the C locale. */
// @ts-ignore: decorator
@inline
export function isSpace(c: u32): bool {
  return c == 0x20 || c - 9 < 5;
}

/**
 * Decimal digits of `value`: 1 for 0.
 */
export function digits10(value: u64): u32 {
  let digits: u32 = 1;
  while (value >= 10000) {
    value /= 10000;
    digits += 4;
  }
  const rest = <u32>value;
  return digits + <u32>(rest >= 10) + <u32>(rest >= 100) + <u32>(rest >= 1000);
}

/**
 * Characters ll2string would write: digits and sign.
 */
export function llChars(value: i64): u32 {
  return value < 0 ? 1 + digits10(0 - <u64>value) : digits10(<u64>value);
}

/** Two digits of a number below 100. */
// @ts-ignore: decorator
@inline
function putPair(out: usize, value: u32): void {
  store<u16>(out, load<u16>(PAIRS + (<usize>value << 1)));
}

/** Exactly eight digits of a number below 10^8, zeros in front. */
function putEight(out: usize, value: u32): void {
  const high = value / 10000;
  const low = value % 10000;
  putPair(out, high / 100);
  putPair(out + 2, high % 100);
  putPair(out + 4, low / 100);
  putPair(out + 6, low % 100);
}

/** The digits of a number below 10^8, as many as it has; returns how many. */
function putShort(out: usize, value: u32): u32 {
  const count = 1 + <u32>(value >= 10) + <u32>(value >= 100) + <u32>(value >= 1000)
    + <u32>(value >= 10000) + <u32>(value >= 100000) + <u32>(value >= 1000000)
    + <u32>(value >= 10000000);
  let end = out + <usize>count;
  while (value >= 100) {
    end -= 2;
    putPair(end, value % 100);
    value /= 100;
  }
  if (value >= 10) putPair(out, value);
  else store<u8>(out, <u8>(0x30 + value));
  return count;
}

/**
 * Writes `value` in decimal at `out` (room for INT_CHARS_MAX bytes); returns the length.
 */
export function ull2string(value: u64, out: usize): u32 {
  if (!hasPairs) buildPairs();
  if (value < 100000000) return putShort(out, <u32>value);
  const high = value / 100000000;
  const low = <u32>(value - high * 100000000);
  let len: u32;
  if (high < 100000000) {
    len = putShort(out, <u32>high);
  } else {
    const top = high / 100000000;
    len = putShort(out, <u32>top);
    putEight(out + <usize>len, <u32>(high - top * 100000000));
    len += 8;
  }
  putEight(out + <usize>len, low);
  return len + 8;
}

/**
 * Writes `value` in decimal at `out` (room for INT_CHARS_MAX bytes); returns the length.
 */
export function ll2string(value: i64, out: usize): u32 {
  if (value >= 0) return ull2string(<u64>value, out);
  store<u8>(out, 0x2d);
  return 1 + ull2string(0 - <u64>value, out + 1);
}

/**
 * Writes exactly `width` digits of `value` at `out`, zeros in front; higher digits are lost.
 */
export function putDigits(value: u64, width: u32, out: usize): void {
  for (let i = <usize>width; i > 0; i--) {
    store<u8>(out + i - 1, <u8>(0x30 + value % 10));
    value /= 10;
  }
}
