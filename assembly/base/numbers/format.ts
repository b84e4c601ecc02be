/**
 * Doubles as text: "%.17g" (Redis 7.0) and the shortest text that reads back the same (Redis 7.2).
 *
 * What it is: the two forms Redis prints scores and doubles in, exact in every case. What it is
 * not: printf: there is no width, no other precision.
 *
 * Digits:
 *  - 17 digits: the 64-bit mantissa times a 128-bit power of ten gives digits and fraction; if the
 *    truncation of the power could matter for the rounding, big integers compare exactly. Ties go
 *    to the even digit, as in C.
 *  - shortest: Schubfach (Giulietti, 2020): the decimal of fewest digits inside the rounding
 *    interval, the closest to the value if there are several.
 *
 * Both leave 17 or fewer digits as an integer in digitsValue and its power of ten in digitsExp.
 *
 * Redis: 7.2 and later print by Grisu2 (fpconv), which is known to give a digit more than needed
 * now and then; here the shortest is always found. The layout is fpconv's.
 */

import { BIG_A, BIG_B, bigCompare, bigMulPow5, bigSet, bigShl } from './bigint';
import { digits10, ll2string, putDigits } from './integers';
import { powEnsure, powExponent, powHi, powIsExact, powLo } from './powers';
import { mulHi } from './wide';

/** Room that either form needs at most: sign, 17 digits, point, "e-308". */
export const DOUBLE_CHARS_MAX: usize = 32;

/** Integral value of the last double2ll that returned true. */
export let doubleLl: i64 = 0;

/** value = digitsValue × 10^digitsExp. */
let digitsValue: u64 = 0;
let digitsExp: i32 = 0;

/** |value| = mant × 2^exp2 of the double in hand. */
let mant: u64 = 0;
let exp2: i32 = 0;

const TEN16: u64 = 10000000000000000;
const TEN17: u64 = 100000000000000000;

/** Takes a finite, nonzero double apart into mant and exp2. */
function split(value: f64): void {
  const bits = reinterpret<u64>(value);
  const biased = <i32>((bits >> 52) & 0x7ff);
  mant = bits & 0x000fffffffffffff;
  if (biased) mant |= 0x0010000000000000;
  exp2 = (biased ? biased : 1) - 1075;
}

/** floor(log10(2^e)), exact for |e| <= 1500. */
// @ts-ignore: decorator
@inline
function log10Pow2(e: i32): i32 {
  return (e * 1262611) >> 22;
}

/** Whether the value in hand × 10^q is below (-1), exactly (0) or above (1) digits + 1/2. */
function compareHalf(digits: u64, q: i32): i32 {
  bigSet(BIG_A, mant);
  bigSet(BIG_B, digits * 2 + 1);
  if (q >= 0) bigMulPow5(BIG_A, <u32>q);
  else bigMulPow5(BIG_B, <u32>-q);
  const shift = exp2 + q + 1;
  if (shift >= 0) bigShl(BIG_A, <u32>shift);
  else bigShl(BIG_B, <u32>-shift);
  return bigCompare(BIG_A, BIG_B);
}

/** The value in hand × 10^q as an integer, rounded exactly; its size is 10^16 to 10^18. */
function scaled(q: i32): u64 {
  const zeros = clz<u64>(mant);
  const w = mant << zeros;
  const powerHi = powHi(q);
  const powerLo = powLo(q);
  let hi = mulHi(w, powerHi);
  let mid = w * powerHi;
  const low = w * powerLo;
  const carry = mulHi(w, powerLo);
  mid += carry;
  if (mid < carry) hi++;
  // value × 10^q = (hi : mid : low) × 2^(exp2 - zeros + powExponent - 127); the integer is in hi
  const shift = <u64>(<i32>zeros - exp2 - powExponent(q) - 1);
  const digits = hi >> shift;
  const half = <u64>1 << (shift - 1);
  const tail = hi & ((half << 1) - 1);
  if (powIsExact(q)) {
    const isUp = tail > half || (tail == half && ((mid | low) != 0 || (digits & 1) != 0));
    return digits + <u64>isUp;
  }
  // a truncated power: the true product is above, by less than w in the lowest word
  if (tail == half - 1 && mid == 0xffffffffffffffff) {
    const order = compareHalf(digits, q);
    return digits + <u64>(order > 0 || (order == 0 && (digits & 1) != 0));
  }
  return digits + <u64>(tail >= half);
}

/** Finds the 17 significant digits, without zeros at the end. */
function digits17(value: f64): void {
  powEnsure();
  split(value);
  let k = log10Pow2(exp2 + 63 - <i32>clz<u64>(mant)); // floor(log10(value)) or one less
  let digits = scaled(16 - k);
  if (digits > TEN17) {
    k++;
    digits = scaled(16 - k);
  }
  if (digits == TEN17) {
    k++;
    digits = TEN16;
  }
  digitsValue = digits;
  digitsExp = k - 16;
  trimZeros();
}

/** Moves the zeros at the end of digitsValue into digitsExp. */
function trimZeros(): void {
  let digits = digitsValue;
  let exp = digitsExp;
  while (true) {
    const next = digits / 100000000;
    if (next * 100000000 != digits) break;
    digits = next;
    exp += 8;
  }
  while (true) {
    const next = digits / 10;
    if (next * 10 != digits) break;
    digits = next;
    exp++;
  }
  digitsValue = digits;
  digitsExp = exp;
}

/** The upper 64 bits of cp × (128-bit power) / 2^64, or-ed with 1 if anything lies below. */
// @ts-ignore: decorator
@inline
function roundToOdd(powerHi: u64, powerLo: u64, cp: u64): u64 {
  const high = mulHi(powerHi, cp);
  const low = powerHi * cp;
  const sum = low + mulHi(powerLo, cp);
  const carry: u64 = sum < low ? 1 : 0;
  return (high + carry) | <u64>(sum > 1);
}

/** Finds the shortest digits that round to the double: Schubfach. */
function digitsShortest(value: f64): void {
  powEnsure();
  split(value);
  const isOdd = mant & 1;
  // at a power of two the gap below is half the gap above
  const isUneven = mant == 0x0010000000000000 && exp2 > -1074;
  const four = mant << 2;
  const left = isUneven ? four - 1 : four - 2;
  // floor(log10(2^exp2)), or of 3/4 of that
  const k = isUneven ? (exp2 * 1262611 - 524031) >> 22 : log10Pow2(exp2);
  const h = <u64>(exp2 + powExponent(-k) + 1);
  // rounded up; no entry of the table has a low word of all ones, so nothing carries (tested)
  const powerLo = powLo(-k) + <u64>!powIsExact(-k);
  const powerHi = powHi(-k);
  const lower = roundToOdd(powerHi, powerLo, left << h) + isOdd;
  const middle = roundToOdd(powerHi, powerLo, four << h);
  const upper = roundToOdd(powerHi, powerLo, (four + 2) << h) - isOdd;
  const s = middle >> 2;
  digitsExp = k;
  if (s >= 10) {
    const tens = s / 10;
    const isLowIn = lower <= tens * 40;
    const isHighIn = tens * 40 + 40 <= upper;
    if (isLowIn != isHighIn) {
      digitsValue = tens + <u64>isHighIn;
      digitsExp = k + 1;
      trimZeros();
      return;
    }
  }
  const isLowIn = lower <= s << 2;
  const isHighIn = (s << 2) + 4 <= upper;
  if (isLowIn != isHighIn) {
    digitsValue = s + <u64>isHighIn;
  } else {
    const half = (s << 2) + 2;
    digitsValue = s + <u64>(middle > half || (middle == half && (s & 1) != 0));
  }
  trimZeros();
}

/**
 * Whether the double is an integer that Redis' double2ll converts (|value| <= 2^62); it is left in
 * doubleLl. -0 counts as 0.
 */
export function double2ll(value: f64): bool {
  if (!(value >= -4611686018427387904.0 && value <= 4611686018427387904.0)) return false;
  const whole = <i64>value;
  if (<f64>whole != value) return false;
  doubleLl = whole;
  return true;
}

/** "nan", "inf", "-inf", "0" or "-0"; returns the length, 0 for other values. */
function formatSpecial(value: f64, out: usize): u32 {
  if (value != value) {
    store<u16>(out, 0x616e);
    store<u8>(out + 2, 0x6e);
    return 3;
  }
  if (value != 0 && abs<f64>(value) != Infinity) return 0;
  const neg = <u32>(reinterpret<u64>(value) >> 63);
  if (neg) store<u8>(out++, 0x2d);
  if (value == 0) {
    store<u8>(out, 0x30);
    return neg + 1;
  }
  store<u16>(out, 0x6e69);
  store<u8>(out + 2, 0x66);
  return neg + 3;
}

/** Writes the digits with a point after the first `before` of them; 0 < before < count. */
function putPoint(out: usize, digits: u64, count: i32, before: i32): void {
  putDigits(digits, <u32>count, out + 1);
  memory.copy(out, out + 1, <usize>before);
  store<u8>(out + <usize>before, 0x2e);
}

/** Writes "0.", `zeros` zeros and the digits; returns the length. */
function putSmall(out: usize, digits: u64, count: i32, zeros: i32): i32 {
  store<u16>(out, 0x2e30);
  memory.fill(out + 2, 0x30, <usize>zeros);
  putDigits(digits, <u32>count, out + 2 + <usize>zeros);
  return 2 + zeros + count;
}

/** Writes d.ddd and 'e' and the sign of the exponent; returns the length. */
function putMantissa(out: usize, digits: u64, count: i32, exponent: i32): i32 {
  let len = 1;
  if (count > 1) {
    putPoint(out, digits, count, 1);
    len = count + 1;
  } else {
    store<u8>(out, <u8>(0x30 + digits));
  }
  store<u8>(out + <usize>len, 0x65);
  store<u8>(out + <usize>len + 1, exponent < 0 ? 0x2d : 0x2b);
  return len + 2;
}

/**
 * Writes the double as C's "%.17g" (which is also what Redis 7.0 prints for scores and RESP3
 * doubles) at `out`, room for DOUBLE_CHARS_MAX; returns the length. "inf", "-inf", "nan", "-0" as
 * they are. Not re-entrant.
 */
export function formatG17(value: f64, out: usize): u32 {
  const special = formatSpecial(value, out);
  if (special) return special;
  if (abs<f64>(value) < 9007199254740992.0) {
    const whole = <i64>value;
    if (<f64>whole == value) return ll2string(whole, out);
  }
  digits17(value);
  const start = out;
  if (value < 0) store<u8>(out++, 0x2d);
  const digits = digitsValue;
  const count = <i32>digits10(digits);
  const exponent = digitsExp + count - 1;
  let len = 0;
  if (exponent < -4 || exponent >= 17) {
    len = putMantissa(out, digits, count, exponent);
    const size = <u32>abs<i32>(exponent);
    const width: u32 = size < 100 ? 2 : 3;
    putDigits(size, width, out + <usize>len);
    len += <i32>width;
  } else if (exponent < 0) {
    len = putSmall(out, digits, count, -exponent - 1);
  } else if (digitsExp < 0) {
    putPoint(out, digits, count, exponent + 1);
    len = count + 1;
  } else {
    putDigits(digits, <u32>count, out);
    memory.fill(out + <usize>count, 0x30, <usize>digitsExp);
    len = count + digitsExp;
  }
  return <u32>(out - start) + <u32>len;
}

/**
 * Writes the shortest text that reads back as the same double at `out`, room for DOUBLE_CHARS_MAX;
 * returns the length. Redis (7.2 and later): integers that double2ll takes are written plain; the
 * rest as fpconv lays it out: 0.000001, 1e-7, 1.5e+22, exponents without leading zeros.
 * Not re-entrant.
 */
export function formatShortest(value: f64, out: usize): u32 {
  const special = formatSpecial(value, out);
  if (special) return special;
  if (double2ll(value)) return ll2string(doubleLl, out);
  digitsShortest(value);
  const start = out;
  if (value < 0) store<u8>(out++, 0x2d);
  const digits = digitsValue;
  const count = <i32>digits10(digits);
  const k = digitsExp;
  const exponent = k + count - 1;
  const size = abs<i32>(exponent);
  let len = 0;
  if (k >= 0 && size < count + 7) {
    putDigits(digits, <u32>count, out);
    memory.fill(out + <usize>count, 0x30, <usize>k);
    len = count + k;
  } else if (k < 0 && (k > -7 || size < 4)) {
    if (count + k <= 0) {
      len = putSmall(out, digits, count, -(count + k));
    } else {
      putPoint(out, digits, count, count + k);
      len = count + 1;
    }
  } else {
    len = putMantissa(out, digits, count, exponent);
    const width = digits10(<u64>size);
    putDigits(<u64>size, width, out + <usize>len);
    len += <i32>width;
  }
  return <u32>(out - start) + <u32>len;
}
