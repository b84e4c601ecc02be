/**
 * x86's 80-bit extended numbers in software: what INCRBYFLOAT and HINCRBYFLOAT calculate with.
 *
 * What it is: C's long double on x86-64, bit for bit: strtold, one addition, and "%.17Lf" with the
 * zeros (and the point) at the end trimmed, which is Redis' ld2string for people. What it is not: a
 * floating-point library.
 *
 * A number is a 16-byte record, owned by the caller (EXT_BYTES):
 *
 *   +0  u64  mant   value = mant × 2^exp; top bit set unless subnormal or zero; 0 for inf and NaN
 *   +8  i32  exp    -16445 (also for subnormals and zero) to 16320
 *   +12 u8   neg    1 if negative
 *   +13 u8   kind   0 finite, 1 infinite, 2 NaN
 *   +14 u16  unused
 *
 * Rounding is to nearest, ties to even, always. Exact: decimal texts that the fast paths (38
 * digits, small powers of ten) do not cover go through big integers (decimal.ts).
 */

import { BIG_A, bigDivSmall, bigSet, bigShl } from './bigint';
import { decimalToWide, wideExp, wideHi, wideLo } from './decimal';
import { putDigits, ull2string } from './integers';
import {
  SCAN_DECIMAL, SCAN_HEX, SCAN_INF, scanCount, scanDigits, scanDigitsEnd, scanExp, scanExp2, scanHi,
  scanIsLong, scanLastExp, scanLo, scanMant, scanNeg, scanNumber
} from './scan';
import { div128, divRemainder, mulHi } from './wide';

/** Size of a record. */
export const EXT_BYTES: usize = 16;

/** Longest text extFormat writes: sign, 4933 digits, point, 17 digits. Redis' own limit is 5120. */
export const EXT_CHARS_MAX: usize = 4960;

/** Texts as long as this are no long doubles to Redis (MAX_LONG_DOUBLE_CHARS). */
const TEXT_LIMIT: usize = 5120;

const EXP_MIN: i32 = -16445;
const EXP_MAX: i32 = 16320;
const TOP: u64 = 0x8000000000000000;
const TEN17: u64 = 100000000000000000;

@unmanaged
class Ext {
  mant: u64;
  exp: i32;
  neg: u8;
  kind: u8;
  unused: u16;
}

function put(out: usize, mant: u64, exp: i32, neg: bool, kind: u8): void {
  const ext = changetype<Ext>(out);
  ext.mant = mant;
  ext.exp = exp;
  ext.neg = <u8>neg;
  ext.kind = kind;
}

/** Rounds (hi + rest / 2^64) × 2^exp2 into `out`; hi has its top bit set, rest's relation to 0 and
 * one half is exact. */
function putRounded(out: usize, hi: u64, rest: u64, exp2: i64, neg: bool): void {
  if (exp2 < <i64>EXP_MIN) {
    const shift = <i64>EXP_MIN - exp2;
    if (shift > 64) {
      put(out, 0, EXP_MIN, neg, 0);
      return;
    }
    const sticky: u64 = rest != 0 ? 1 : 0;
    rest = shift == 64 ? hi : hi << <u64>(64 - shift);
    hi = shift == 64 ? 0 : hi >> <u64>shift;
    rest |= sticky;
    exp2 = <i64>EXP_MIN;
  }
  if (rest > TOP || (rest == TOP && (hi & 1) != 0)) {
    hi++;
    if (hi == 0) {
      hi = TOP;
      exp2++;
    }
  }
  if (exp2 > <i64>EXP_MAX) put(out, 0, 0, neg, 1);
  else put(out, hi, <i32>exp2, neg, 0);
}

/** 5^k, k at most 27. */
function pow5(k: u32): u64 {
  let power: u64 = 1;
  let square: u64 = 5;
  for (; k; k >>= 1) {
    if (k & 1) power *= square;
    square *= square;
  }
  return power;
}

/** mant × 10^q with q from -27 to 27: one product or one division, exactly rounded. */
function putScaled(out: usize, mant: u64, q: i32, neg: bool): void {
  if (q >= 0) {
    const five = pow5(<u32>q);
    putNormal(out, mulHi(mant, five), mant * five, q + 64, neg);
    return;
  }
  putQuotient(out, 0, mant, q, neg);
}

/** (hi × 2^64 + lo) × 10^q, not zero, with q from -27 to 0: one division, exactly rounded. */
function putQuotient(out: usize, hi: u64, lo: u64, q: i32, neg: bool): void {
  let five = pow5(<u32>-q);
  const fiveShift = clz<u64>(five);
  let exp2 = <i64>q + <i64>fiveShift;
  if (hi == 0) {
    hi = lo;
    lo = 0;
    exp2 -= 64;
  }
  const shift = clz<u64>(hi);
  if (shift) {
    hi = (hi << shift) | (lo >> (64 - shift));
    lo <<= shift;
  }
  exp2 -= <i64>shift;
  five <<= fiveShift;
  let lost: u64 = 0;
  if (hi >= five) {
    lost = lo & 1;
    lo = (hi << 63) | (lo >> 1);
    hi >>= 1;
    exp2++;
  }
  const quotient = div128(hi, lo, five);
  const left = divRemainder; // and half a unit more if a bit was lost; five is even, so no new tie
  const right = five - left;
  let rest: u64 = (left | lost) == 0 ? 0 : 1;
  if (left >= right) rest = left == right && lost == 0 ? TOP : TOP | 1;
  putRounded(out, quotient, rest, exp2, neg);
}

/** A scanned number of 20 to 38 digits, the last worth 10^-27 to 1: what "%.17Lf" often leaves. */
function putTwoWords(out: usize, neg: bool): void {
  let low: u64 = 0;
  let scale: u64 = 1;
  let ptr = scanDigits;
  for (let i = 0; i < 19; ptr++) if (load<u8>(ptr) != 0x2e) i++;
  for (; ptr < scanDigitsEnd; ptr++) {
    const digit = <u64>load<u8>(ptr) - 0x30;
    if (digit > 9) continue;
    low = low * 10 + digit;
    scale *= 10;
  }
  const product = scanMant * scale;
  const lo = product + low;
  const hi = mulHi(scanMant, scale) + <u64>(lo < product);
  putQuotient(out, hi, lo, <i32>scanLastExp, neg);
}

/** The scanned decimal number into `out`; false if out of range. */
function putDecimal(out: usize): bool {
  const neg = scanNeg;
  if (scanMant == 0) {
    put(out, 0, EXP_MIN, neg, 0);
    return true;
  }
  if (!scanIsLong && scanExp >= -27 && scanExp <= 27) {
    putScaled(out, scanMant, <i32>scanExp, neg);
    return true;
  }
  if (scanIsLong && scanCount <= 38 && scanLastExp >= -27 && scanLastExp <= 0) {
    putTwoWords(out, neg);
    return true;
  }
  const magnitude = scanIsLong ? scanLastExp + scanCount : scanExp + 19; // value < 10^magnitude
  if (magnitude < -4960) return false;
  if (scanIsLong ? magnitude > 4940 : scanExp > 4940) return false;
  decimalToWide();
  putRounded(out, wideHi, wideLo, wideExp, neg);
  return true;
}

/**
 * Whether the text is a long double as Redis takes it: see scan.ts for the grammar; shorter than
 * 5120 bytes; not NaN. Redis: infinity by name is taken (and refused later, by the command); a
 * finite text that rounds to infinity or, unless it says zero, to zero is not. The value is stored
 * at `out` (EXT_BYTES, 8-byte aligned), which is undefined if false. Not re-entrant. At worst (5119
 * digits) about a millisecond.
 */
export function extParse(ptr: usize, len: usize, out: usize): bool {
  if (len >= TEXT_LIMIT) return false;
  const kind = scanNumber(ptr, len);
  if (kind == SCAN_DECIMAL) {
    if (!putDecimal(out)) return false;
    if (scanMant == 0) return true;
  } else if (kind == SCAN_HEX) {
    if (scanHi == 0) {
      put(out, 0, EXP_MIN, scanNeg, 0);
      return true;
    }
    putRounded(out, scanHi, scanLo, scanExp2, scanNeg);
  } else if (kind == SCAN_INF) {
    put(out, 0, 0, scanNeg, 1);
    return true;
  } else {
    return false;
  }
  const ext = changetype<Ext>(out);
  return ext.kind == 0 && ext.mant != 0;
}

/**
 * Stores the integer `value`, which is always exact, at `out`.
 */
export function extFromI64(value: i64, out: usize): void {
  const neg = value < 0;
  const mant = neg ? 0 - <u64>value : <u64>value;
  if (mant == 0) {
    put(out, 0, EXP_MIN, false, 0);
    return;
  }
  const shift = clz<u64>(mant);
  put(out, mant << shift, -<i32>shift, neg, 0);
}

/**
 * Whether the number is an infinity or a NaN.
 */
export function extIsNanOrInf(ext: usize): bool {
  return changetype<Ext>(ext).kind != 0;
}

/**
 * The number as a double: right to the last bit but one, infinite where it is too large.
 */
export function extToDouble(ext: usize): f64 {
  const e = changetype<Ext>(ext);
  let value: f64 = e.kind == 1 ? Infinity : e.kind == 2 ? NaN : <f64>e.mant;
  // In steps, because no double is 2^-16445.
  let exp = e.exp;
  for (; exp < -1000 && value != 0; exp += 1000) value *= 2 ** -1000;
  for (; exp > 1000 && value < Infinity; exp -= 1000) value *= 2 ** 1000;
  if (value != 0) value *= 2 ** <f64>exp;
  return e.neg ? -value : value;
}

/**
 * Stores a + b at `out`, which may be either of them. The sum is rounded once; inf - inf is NaN.
 */
export function extAdd(a: usize, b: usize, out: usize): void {
  let x = changetype<Ext>(a);
  let y = changetype<Ext>(b);
  if (x.kind | y.kind) {
    const isNan = x.kind == 2 || y.kind == 2 || (x.kind == 1 && y.kind == 1 && x.neg != y.neg);
    const neg = x.kind == 1 ? x.neg : y.neg;
    put(out, 0, 0, <bool>neg, isNan ? 2 : 1);
    return;
  }
  if (x.exp < y.exp || (x.exp == y.exp && x.mant < y.mant)) {
    const t = x;
    x = y;
    y = t;
  }
  const neg = <bool>x.neg;
  if (y.mant == 0) {
    put(out, x.mant, x.exp, x.mant == 0 ? neg && <bool>y.neg : neg, 0);
    return;
  }
  // y aligned to x: (yHi, yLo), what falls off the end is kept in the lowest bit
  const gap = <u64>(x.exp - y.exp);
  let yHi = y.mant;
  let yLo: u64 = 0;
  if (gap >= 128) {
    yHi = 0;
    yLo = 1;
  } else if (gap >= 64) {
    yHi = 0;
    const lost = gap == 64 ? 0 : y.mant << (128 - gap);
    yLo = (y.mant >> (gap - 64)) | <u64>(lost != 0);
  } else if (gap > 0) {
    yHi = y.mant >> gap;
    yLo = y.mant << (64 - gap);
  }
  let hi: u64;
  let lo = yLo;
  let exp = x.exp;
  if (x.neg == y.neg) {
    hi = x.mant + yHi;
    if (hi < x.mant) {
      lo = (hi << 63) | (lo >> 1) | (lo & 1);
      hi = TOP | (hi >> 1);
      exp++;
    }
  } else {
    hi = x.mant - yHi - <u64>(yLo != 0);
    lo = 0 - yLo;
    if ((hi | lo) == 0) {
      put(out, 0, EXP_MIN, false, 0);
      return;
    }
  }
  putNormal(out, hi, lo, exp, neg);
}

/** Stores (hi + lo / 2^64) × 2^exp, not zero, whatever its leading zeros. */
function putNormal(out: usize, hi: u64, lo: u64, exp: i32, neg: bool): void {
  if (hi == 0) {
    hi = lo;
    lo = 0;
    exp -= 64;
  }
  const shift = clz<u64>(hi);
  if (shift) {
    hi = (hi << shift) | (lo >> (64 - shift));
    lo <<= shift;
  }
  putRounded(out, hi, lo, <i64>exp - <i64>shift, neg);
}

/**
 * Writes the number at `out` (room for EXT_CHARS_MAX) as "%.17Lf" without zeros at the end, and
 * without the point if nothing follows it; returns the length. Redis: "-0" comes out as "0".
 * "inf", "-inf" and "nan" for the others. Not re-entrant. About half a millisecond at worst.
 */
export function extFormat(ptr: usize, out: usize): u32 {
  const ext = changetype<Ext>(ptr);
  const start = out;
  if (ext.kind == 2) {
    store<u8>(out, 0x6e);
    store<u16>(out + 1, 0x6e61);
    return 3;
  }
  if (ext.neg) store<u8>(out++, 0x2d);
  if (ext.kind == 1) {
    store<u8>(out, 0x69);
    store<u16>(out + 1, 0x666e);
    return <u32>(out - start) + 3;
  }
  if (ext.exp > 0) return <u32>(out - start) + formatLarge(ext.mant, ext.exp, out);
  let whole: u64 = 0;
  let fraction: u64 = 0;
  if (ext.exp > -64) {
    const shift = <u64>-ext.exp;
    whole = ext.mant >> shift;
    const bits = shift == 0 ? 0 : ext.mant << (64 - shift);
    const rest = bits * TEN17;
    fraction = mulHi(bits, TEN17);
    if (rest > TOP || (rest == TOP && (fraction & 1) != 0)) fraction++;
    if (fraction == TEN17) {
      fraction = 0;
      whole++;
    }
  } else {
    fraction = smallFraction(ext.mant, <u32>-ext.exp);
  }
  if ((whole | fraction) == 0) {
    store<u8>(start, 0x30);
    return 1;
  }
  out += <usize>ull2string(whole, out);
  if (fraction) {
    store<u8>(out, 0x2e);
    putDigits(fraction, 17, out + 1);
    out += 18;
    while (load<u8>(out - 1) == 0x30) out--;
  }
  return <u32>(out - start);
}

/** mant × 2^-shift × 10^17, shift >= 64, rounded to an integer: 2^121 > mant × 10^17. */
function smallFraction(mant: u64, shift: u32): u64 {
  if (shift >= 122) return 0;
  const hi = mulHi(mant, TEN17);
  const lo = mant * TEN17;
  if (shift == 64) return hi + <u64>(lo > TOP || (lo == TOP && (hi & 1) != 0));
  const by = <u64>(shift - 64);
  const digits = hi >> by;
  const half = <u64>1 << (by - 1);
  const tail = hi & ((half << 1) - 1);
  const isUp = tail > half || (tail == half && (lo != 0 || (digits & 1) != 0));
  return digits + <u64>isUp;
}

/** Writes the integer mant × 2^exp; returns the length. */
function formatLarge(mant: u64, exp: i32, out: usize): u32 {
  bigSet(BIG_A, mant);
  bigShl(BIG_A, <u32>exp);
  // nine digits at a time from the right into the end of the room, then moved to the front
  const end = out + EXT_CHARS_MAX - 2;
  let ptr = end;
  while (load<u32>(BIG_A)) {
    ptr -= 9;
    putDigits(<u64>bigDivSmall(BIG_A, 1000000000), 9, ptr);
  }
  while (load<u8>(ptr) == 0x30) ptr++;
  memory.copy(out, ptr, end - ptr);
  return <u32>(end - ptr);
}
