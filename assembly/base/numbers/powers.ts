/**
 * The 128 leading bits of the powers of ten from 10^-342 to 10^345.
 *
 * What it is: the table behind Eisel-Lemire parsing, %.17g and shortest printing. What it is not:
 * exact, but for 0 <= q <= 55, where 5^q fits: elsewhere the entry is truncated, so
 *
 *   10^q = (T + d) × 2^(powExponent(q) - 127),   2^127 <= T < 2^128,   0 <= d < 1, d = 0 iff exact
 *
 * 688 entries of 16 bytes (high u64, low u64), built at first use with big integers in well under a
 * millisecond: upwards by multiplying with five, downwards from 2^960 by dividing by five, which is
 * exact in the sense that floor(floor(x / 5) / 5) = floor(x / 25).
 */

import { BIG_A, bigBits, bigBits64, bigDivSmall, bigMulAdd, bigSet, bigShl } from './bigint';

/** The powers in the table. */
export const POW_MIN: i32 = -342;
export const POW_MAX: i32 = 345;

const TABLE: usize = memory.data(688 * 16, 8);
let isBuilt: bool = false;

function put(q: i32): void {
  const entry = TABLE + (<usize>(q - POW_MIN) << 4);
  const bits = bigBits(BIG_A);
  store<u64>(entry, bigBits64(BIG_A, bits - 64));
  store<u64>(entry, bigBits64(BIG_A, bits - 128), 8);
}

/** Builds the table. Uses BIG_A: call it before a conversion starts using the big integers. */
function build(): void {
  bigSet(BIG_A, 1);
  put(0);
  for (let q = 1; q <= POW_MAX; q++) {
    bigMulAdd(BIG_A, 5, 0);
    put(q);
  }
  bigSet(BIG_A, 1);
  bigShl(BIG_A, 960);
  for (let q = -1; q >= POW_MIN; q--) {
    bigDivSmall(BIG_A, 5);
    put(q);
  }
  isBuilt = true;
}

/** Makes sure the table is there. */
// @ts-ignore: decorator
@inline
export function powEnsure(): void {
  if (!isBuilt) build();
}

/** The upper 64 bits of the entry for 10^q. */
// @ts-ignore: decorator
@inline
export function powHi(q: i32): u64 {
  return load<u64>(TABLE + (<usize>(q - POW_MIN) << 4));
}

/** The lower 64 bits of the entry for 10^q. */
// @ts-ignore: decorator
@inline
export function powLo(q: i32): u64 {
  return load<u64>(TABLE + (<usize>(q - POW_MIN) << 4), 8);
}

/** floor(log2(10^q)), exact for |q| <= 350. */
// @ts-ignore: decorator
@inline
export function powExponent(q: i32): i32 {
  return (q * 217706) >> 16;
}

/** Whether the entry for 10^q is exact. */
// @ts-ignore: decorator
@inline
export function powIsExact(q: i32): bool {
  return <u32>q <= 55;
}
