/**
 * Any decimal text to 128 exact leading bits: the slow path of parsing.
 *
 * What it is: exact for every text that scan.ts called long, or whose power of ten is out of reach
 * of the fast paths. What it is not: fast (0.2-2 µs for 20 digits, up to about half a millisecond
 * for five thousand), nor a rounding: the caller rounds to its own precision.
 *
 * Method: the digits become the integer D, so the value is D × 10^e.
 *  - e >= 0: the leading bits of D × 5^e.
 *  - e <  0: D is aligned to 5^-e so that the quotient lies in [1, 2), and 64 quotient bits are
 *    made by shift and subtract; what remains is only compared with one half.
 */

import {
  BIG_A, BIG_B, bigBits, bigBits64, bigCompare, bigHasLowBits, bigMulAdd, bigMulPow5, bigSet,
  bigShl, bigSub
} from './bigint';
import { scanCount, scanDigits, scanExp, scanIsLong, scanLastExp, scanMant } from './scan';

/** Result: value = (wideHi + wideLo / 2^64) × 2^wideExp, wideHi with its top bit set. wideLo is
 * exact in its relation to 0 and to 2^63 (one half), which is all that rounding asks. */
export let wideHi: u64 = 0;
export let wideLo: u64 = 0;
export let wideExp: i32 = 0;

/**
 * Significant digits looked at one by one; a nonzero digit behind them counts as one more '1'.
 * More than any decision for a double needs (767), and than Redis lets a long double have (5119).
 */
const DIGITS_MAX: i64 = 5119;

/** Reads the digits of the scanned number into BIG_A; returns the power of ten of the last. */
function readDigits(): i64 {
  if (!scanIsLong) {
    bigSet(BIG_A, scanMant);
    return scanExp;
  }
  bigSet(BIG_A, 0);
  const taken = scanCount < DIGITS_MAX ? scanCount : DIGITS_MAX;
  let ptr = scanDigits;
  let part: u32 = 0;
  let scale: u32 = 1;
  for (let i: i64 = 0; i < taken; ptr++) {
    const c = <u32>load<u8>(ptr) - 0x30;
    if (c > 9) continue;
    part = part * 10 + c;
    scale *= 10;
    i++;
    if (scale == 1000000000 || i == taken) {
      bigMulAdd(BIG_A, scale, part);
      part = 0;
      scale = 1;
    }
  }
  let lastExp = scanLastExp + (scanCount - taken);
  for (let i = taken; i < scanCount; ptr++) {
    const c = <u32>load<u8>(ptr) - 0x30;
    if (c > 9) continue;
    i++;
    if (c) {
      bigMulAdd(BIG_A, 10, 1);
      lastExp--;
      break;
    }
  }
  return lastExp;
}

/**
 * Converts the number in the scan globals (decimal, not zero) to wideHi, wideLo, wideExp.
 * Assumes its decimal exponent is within ±5000, which the callers have checked.
 */
export function decimalToWide(): void {
  const exp10 = <i32>readDigits();
  if (exp10 >= 0) {
    bigMulPow5(BIG_A, <u32>exp10);
    const bits = bigBits(BIG_A);
    wideHi = bigBits64(BIG_A, bits - 64);
    wideLo = bigBits64(BIG_A, bits - 128) | <u64>bigHasLowBits(BIG_A, bits - 128);
    wideExp = bits - 64 + exp10;
    return;
  }
  bigSet(BIG_B, 1);
  bigMulPow5(BIG_B, <u32>-exp10);
  // value = A / B × 2^exp10; scale so that B <= A < 2 B
  let shift = bigBits(BIG_B) - bigBits(BIG_A);
  if (shift > 0) bigShl(BIG_A, <u32>shift);
  else if (shift < 0) bigShl(BIG_B, <u32>-shift);
  if (bigCompare(BIG_A, BIG_B) < 0) {
    bigShl(BIG_A, 1);
    shift++;
  }
  let quotient: u64 = 0;
  for (let i = 0; i < 64; i++) {
    quotient <<= 1;
    if (bigCompare(BIG_A, BIG_B) >= 0) {
      bigSub(BIG_A, BIG_B);
      quotient |= 1;
    }
    bigShl(BIG_A, 1);
  }
  // A now holds twice the remainder
  const half = bigCompare(BIG_A, BIG_B);
  wideHi = quotient;
  wideLo = half > 0 ? 0x8000000000000001 : half == 0 ? 0x8000000000000000 : bigBits(BIG_A) ? 1 : 0;
  wideExp = exp10 - shift - 63;
}
