/**
 * Text to double, correctly rounded (to nearest, ties to even), with Redis' acceptance rules.
 *
 * What it is: Redis' string2d. What it is not: a prefix parser: the whole text must be the number.
 *
 *  1. up to 19 digits, value and power exact in a double (Clinger): one multiplication or division
 *  2. the 64-bit digits times a 128-bit power of ten (Eisel-Lemire): enough for nearly all texts;
 *     a text with more digits is bracketed between its first 19 and those plus one
 *  3. where the product cannot decide: big integers (decimal.ts)
 *
 * Sources: Clinger 1990; Lemire, "Number Parsing at a Gigabyte per Second", 2021. The ambiguity
 * test of step 2 is our own and does not rest on a proof about the table: it is taken whenever an
 * error of one unit in the last place of the 192-bit product could change the result.
 */

import { decimalToWide, wideExp, wideHi, wideLo } from './decimal';
import {
  POW_MAX, POW_MIN, powEnsure, powExponent, powHi, powIsExact, powLo
} from './powers';
import {
  SCAN_DECIMAL, SCAN_HEX, SCAN_INF, scanCount, scanExp, scanExp2, scanHi, scanIsLong, scanLastExp,
  scanLo, scanMant, scanNeg, scanNumber
} from './scan';
import { mulHi } from './wide';

/** Value of the last successful string2d. */
export let doubleValue: f64 = 0;

const INFINITE: u64 = 0x7ff0000000000000;

/** Eisel-Lemire's answer when it cannot decide: no magnitude has these bits. */
const UNDECIDED: u64 = 0xffffffffffffffff;

/** 10^0 to 10^22, the powers that are exact doubles. */
const EXACT_POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22
]);

/**
 * The bits of (hi + rest / 2^64) × 2^exp2 rounded to a double, hi having its top bit set and rest
 * being 0 only if nothing is left. Too large gives infinity, too small zero.
 */
export function roundToDouble(hi: u64, rest: u64, exp2: i64): u64 {
  const exponent = exp2 + 63; // of the leading bit
  if (exponent > 1023) return INFINITE;
  let shift: u64 = 11;
  if (exponent < -1022) {
    if (exponent < -1075) return 0;
    shift += <u64>(-1022 - exponent);
  }
  let mant: u64 = 0;
  let tail = hi;
  let half: u64 = 0x8000000000000000;
  if (shift < 64) {
    mant = hi >> shift;
    half = <u64>1 << (shift - 1);
    tail = hi & ((half << 1) - 1);
  }
  if (tail > half || (tail == half && (rest != 0 || (mant & 1) != 0))) mant++;
  // the carry of a mantissa that became 2^53 (or 2^52 from below) goes where it should
  return exponent < -1022 ? mant : mant + (<u64>(exponent + 1022) << 52);
}

/** w × 10^q as the bits of a double, or UNDECIDED. Assumes w != 0 and q within the table. */
function eiselLemire(w: u64, q: i32): u64 {
  const shift = clz<u64>(w);
  w <<= shift;
  const powerHi = powHi(q);
  const powerLo = powLo(q);
  let hi = mulHi(w, powerHi);
  let mid = w * powerHi;
  const low = w * powerLo;
  const carry = mulHi(w, powerLo);
  mid += carry;
  if (mid < carry) hi++;
  const isExact = powIsExact(q);
  // truncated powers: the true product is above this one by less than w in the lowest word
  if (!isExact && (mid & 0x7fffffffffffffff) == 0x7fffffffffffffff) return UNDECIDED;
  let exp2 = powExponent(q) + 1 - <i32>shift;
  if (!(hi >> 63)) {
    hi = (hi << 1) | (mid >> 63);
    mid <<= 1;
    exp2--;
  }
  return roundToDouble(hi, isExact ? mid | low : 1, exp2);
}

/** The bits of the scanned decimal number without its sign. */
function decimalBits(): u64 {
  const w = scanMant;
  if (w == 0) return 0;
  if (!scanIsLong && w <= 9007199254740992 && scanExp >= -22 && scanExp <= 22) {
    const q = <i32>scanExp;
    const value = <f64>w;
    if (q < 0) return reinterpret<u64>(value / load<f64>(EXACT_POWERS + (<usize>-q << 3)));
    return reinterpret<u64>(value * load<f64>(EXACT_POWERS + (<usize>q << 3)));
  }
  const magnitude = scanIsLong ? scanLastExp + scanCount : scanExp + 19; // value < 10^magnitude
  if (scanIsLong ? magnitude > 310 : scanExp > 310) return INFINITE;
  if (magnitude < -330) return 0;
  powEnsure();
  const q = <i32>scanExp;
  if (q >= POW_MIN && q <= POW_MAX) {
    const bits = eiselLemire(w, q);
    if (bits != UNDECIDED && (!scanIsLong || bits == eiselLemire(w + 1, q))) return bits;
  }
  decimalToWide();
  return roundToDouble(wideHi, wideLo, wideExp);
}

/**
 * Whether the text is a double as Redis takes it (scores, weights): the whole
 * text, no space, "inf"/"infinity" in any case with sign, hex floats; not NaN. Redis: a finite text
 * that rounds to infinity or (unless it says zero) to zero is refused; subnormal results are fine.
 * The value is left in doubleValue. O(len). Not re-entrant.
 */
export function string2d(ptr: usize, len: usize): bool {
  const kind = scanNumber(ptr, len);
  let bits: u64 = 0;
  if (kind == SCAN_DECIMAL) {
    bits = decimalBits();
    if (bits == INFINITE || (bits == 0 && scanMant != 0)) return false;
  } else if (kind == SCAN_HEX) {
    if (scanHi != 0) {
      bits = roundToDouble(scanHi, scanLo, scanExp2);
      if (bits == INFINITE || bits == 0) return false;
    }
  } else if (kind == SCAN_INF) {
    bits = INFINITE;
  } else {
    return false;
  }
  doubleValue = reinterpret<f64>(scanNeg ? bits | 0x8000000000000000 : bits);
  return true;
}
