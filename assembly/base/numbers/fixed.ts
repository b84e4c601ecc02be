/**
 * Doubles as text with a fixed number of digits behind the point: C's "%.4f" (distances), "%f"
 * (coordinates in errors) and "%.17Lf" without the zeros at the end (coordinates in replies).
 *
 * What it is: exact in every case, ties to the even digit as in C. What it is not: short. A large
 * number has up to 309 digits before the point.
 *
 * value × 10^decimals is an integer product of 53 + 57 bits, shifted: two words in most cases, big
 * integers where the digits do not fit one word.
 */

import { BIG_A, bigBits64, bigDivSmall, bigHasLowBits, bigMulAdd, bigMulPow5, bigSet, bigShl }
  from './bigint';
import { putDigits, ull2string } from './integers';
import { mulHi } from './wide';

/** Room for any double: sign, 309 digits, point, 17 digits. */
export const FIXED_CHARS_MAX: usize = 328;
/** Digits behind the point at most. */
const DECIMALS_MAX: u32 = 17;

const text = memory.data(512);

/** The integer of value × 10^decimals, rounded; false: it does not fit 64 bits. */
let scaled: u64 = 0;
function scale(mant: u64, exp2: i32, decimals: u32): bool {
  let power: u64 = 1;
  for (let i: u32 = 0; i < decimals; i++) power *= 10;
  const hi = mulHi(mant, power);
  const lo = mant * power;
  if (exp2 >= 0) {
    if (hi != 0 || <u64>exp2 >= clz<u64>(lo)) return false;
    scaled = lo << <u64>exp2;
    return true;
  }
  const shift = <u64>-exp2;
  // Below a quarter of the last digit whatever the bits are.
  if (shift >= 126) {
    scaled = 0;
    return true;
  }
  let half: bool;
  let rest: bool;
  if (shift > 64) {
    const s = shift - 64;
    scaled = hi >> s;
    half = ((hi >> (s - 1)) & 1) != 0;
    rest = lo != 0 || (hi & (((<u64>1) << (s - 1)) - 1)) != 0;
  } else if (shift == 64) {
    scaled = hi;
    half = lo >> 63 != 0;
    rest = lo << 1 != 0;
  } else {
    if (hi >> shift != 0) return false;
    scaled = (hi << (64 - shift)) | (lo >> shift);
    half = ((lo >> (shift - 1)) & 1) != 0;
    rest = (lo & (((<u64>1) << (shift - 1)) - 1)) != 0;
  }
  if (scaled == u64.MAX_VALUE) return false;
  if (half && (rest || (scaled & 1) != 0)) scaled++;
  return true;
}

/** Digits of a large value × 10^decimals from the end of `text`; returns where they begin. */
function largeDigits(mant: u64, exp2: i32, decimals: u32): usize {
  bigSet(BIG_A, mant);
  bigMulPow5(BIG_A, decimals);
  const shift = exp2 + <i32>decimals;
  if (shift >= 0) {
    bigShl(BIG_A, <u32>shift);
  } else {
    // Whatever does not fit 64 bits before is shifted by less than 64 bits here.
    const half = (bigBits64(BIG_A, -shift - 1) & 1) != 0;
    const isOdd = (bigBits64(BIG_A, -shift) & 1) != 0;
    const isUp = half && (isOdd || bigHasLowBits(BIG_A, -shift - 1));
    for (let left = -shift; left > 0; left -= 16) bigDivSmall(BIG_A, <u32>1 << min(left, 16));
    if (isUp) bigMulAdd(BIG_A, 1, 1);
  }
  let at = text + 512;
  while (load<u32>(BIG_A) != 0) {
    at -= 9;
    putDigits(bigDivSmall(BIG_A, 1000000000), 9, at);
  }
  while (at < text + 511 && load<u8>(at) == 0x30) at++;
  return at;
}

/** Writes "inf", "-nan" and their like; 0: it is a finite number. Redis: NaN as x86 makes it. */
function special(value: f64, out: usize): u32 {
  if (abs<f64>(value) < Infinity) return 0;
  const isNegative = value != value || value < 0;
  if (isNegative) store<u8>(out++, 0x2d);
  store<u16>(out, value != value ? 0x616e : 0x6e69);
  store<u8>(out + 2, value != value ? 0x6e : 0x66);
  return isNegative ? 4 : 3;
}

/**
 * Writes the double as C's "%.<decimals>f" at `out`, room for FIXED_CHARS_MAX; returns the length.
 * `decimals` is 1 to 17. Not re-entrant.
 */
export function formatFixed(value: f64, decimals: u32, out: usize): u32 {
  assert(decimals - 1 < DECIMALS_MAX);
  const odd = special(value, out);
  if (odd) return odd;
  const start = out;
  const bits = reinterpret<u64>(value);
  if (bits >> 63) store<u8>(out++, 0x2d);
  const biased = <i32>((bits >> 52) & 0x7ff);
  let mant = bits & 0x000fffffffffffff;
  if (biased) mant |= 0x0010000000000000;
  const exp2 = (biased ? biased : 1) - 1075;
  let digits = text;
  let count: u32;
  if (scale(mant, exp2, decimals)) {
    count = ull2string(scaled, text);
  } else {
    digits = largeDigits(mant, exp2, decimals);
    count = <u32>(text + 512 - digits);
  }
  let whole: u32 = 0;
  if (count > decimals) {
    whole = count - decimals;
    memory.copy(out, digits, whole);
    out += whole;
  } else {
    store<u8>(out++, 0x30);
  }
  store<u8>(out++, 0x2e);
  const zeros = decimals - (count - whole);
  memory.fill(out, 0x30, zeros);
  memory.copy(out + zeros, digits + whole, count - whole);
  return <u32>(out - start) + decimals;
}

/** The same with 17 digits, zeros and a lonely point at the end left away, -0 as 0. */
export function formatHuman(value: f64, out: usize): u32 {
  let len = formatFixed(value, DECIMALS_MAX, out);
  if (abs<f64>(value) >= Infinity || value != value) return len;
  while (load<u8>(out + len - 1) == 0x30) len--;
  if (load<u8>(out + len - 1) == 0x2e) len--;
  if (len == 2 && load<u16>(out) == 0x302d) {
    store<u8>(out, 0x30);
    return 1;
  }
  return len;
}
