/**
 * 64 × 64 → 128 bit multiplication and 128 / 64 bit division, which Wasm lacks.
 *
 * What it is: the two primitives under correctly rounded parsing and printing. What it is not:
 * general 128-bit arithmetic. Products come back in two pieces: mulHi here, `a * b` for the low
 * half. Source of the division: Knuth, TAOCP vol. 2, 4.3.1, algorithm D on two 32-bit digits.
 */

/** Remainder of the last div128. */
export let divRemainder: u64 = 0;

/**
 * The upper 64 bits of a × b.
 */
// @ts-ignore: decorator
@inline
export function mulHi(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const cross = aHigh * bLow + ((aLow * bLow) >> 32);
  const middle = aLow * bHigh + (cross & 0xffffffff);
  return aHigh * bHigh + (cross >> 32) + (middle >> 32);
}

/**
 * The quotient of (hi × 2^64 + lo) / d; the remainder is left in divRemainder.
 * Assumes d has its top bit set and hi < d, so that the quotient fits.
 */
export function div128(hi: u64, lo: u64, d: u64): u64 {
  const dHigh = d >> 32;
  const dLow = d & 0xffffffff;
  const q1 = divDigit(hi, lo >> 32, dHigh, dLow);
  const rest = ((hi << 32) | (lo >> 32)) - q1 * d;
  const q0 = divDigit(rest, lo & 0xffffffff, dHigh, dLow);
  divRemainder = ((rest << 32) | (lo & 0xffffffff)) - q0 * d;
  return (q1 << 32) | q0;
}

/** One 32-bit digit of a quotient: floor((rest × 2^32 + next) / d), rest < d. */
// @ts-ignore: decorator
@inline
function divDigit(rest: u64, next: u64, dHigh: u64, dLow: u64): u64 {
  let q = rest / dHigh;
  let r = rest - q * dHigh;
  while (q >> 32 || q * dLow > ((r << 32) | next)) {
    q--;
    r += dHigh;
    if (r >> 32) break;
  }
  return q;
}
