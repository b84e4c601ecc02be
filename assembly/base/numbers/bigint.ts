/**
 * Unsigned big integers in static scratch, for the rare exact decisions.
 *
 * What it is: the few operations that exact decimal ↔ binary conversion needs. What it is not: an
 * arithmetic library: no allocation, no sign, two numbers in all, fixed capacity.
 *
 *   +0  u32 count   limbs in use, no leading zero limb (0 for the number 0)
 *   +4  u32 × count limbs, least significant first
 *
 * Capacity: the largest number any caller makes is 5^10071 (5119 digits after the point of a number
 * near 1e-4951) with a numerator shifted to the same size: 23,386 bits, 731 limbs. BIG_LIMBS leaves
 * room above that; callers bound digits and exponents before they come here.
 *
 * Not re-entrant: BIG_A and BIG_B belong to the conversion in progress.
 */

/** Limbs a number can hold. */
const BIG_LIMBS: usize = 800;

/** The two numbers. */
export const BIG_A: usize = memory.data(4 + 800 * 4, 8);
export const BIG_B: usize = memory.data(4 + 800 * 4, 8);

/** Sets `a` to `value`. */
export function bigSet(a: usize, value: u64): void {
  store<u32>(a, value == 0 ? 0 : value >> 32 ? 2 : 1);
  store<u64>(a + 4, value);
}

/** a = a × factor + addend. O(limbs). */
export function bigMulAdd(a: usize, factor: u32, addend: u32): void {
  const count = <usize>load<u32>(a);
  let carry = <u64>addend;
  let limb = a + 4;
  const end = limb + (count << 2);
  for (; limb < end; limb += 4) {
    carry += <u64>load<u32>(limb) * <u64>factor;
    store<u32>(limb, <u32>carry);
    carry >>= 32;
  }
  if (carry) {
    assert(count < BIG_LIMBS);
    store<u32>(limb, <u32>carry);
    store<u32>(a, <u32>count + 1);
  }
}

/** a = a × 5^power. O(limbs × power / 13). */
export function bigMulPow5(a: usize, power: u32): void {
  for (; power >= 13; power -= 13) bigMulAdd(a, 1220703125, 0);
  let factor: u32 = 1;
  for (; power > 0; power--) factor *= 5;
  if (factor > 1) bigMulAdd(a, factor, 0);
}

/** a = a × 2^bits. O(limbs). */
export function bigShl(a: usize, bits: u32): void {
  const count = <usize>load<u32>(a);
  if (count == 0 || bits == 0) return;
  const limbs = <usize>(bits >> 5);
  const shift = <u64>(bits & 31);
  assert(count + limbs < BIG_LIMBS);
  const base = a + 4;
  let above: u64 = 0;
  for (let i = count; i > 0; i--) {
    const limb = <u64>load<u32>(base + ((i - 1) << 2));
    store<u32>(base + ((i + limbs) << 2), <u32>(above | ((limb << shift) >> 32)));
    above = <u64>(<u32>(limb << shift));
  }
  store<u32>(base + (limbs << 2), <u32>above);
  memory.fill(base, 0, limbs << 2);
  const top = count + limbs;
  store<u32>(a, <u32>(load<u32>(base + (top << 2)) ? top + 1 : top));
}

/** Bits in `a`: 1 + floor(log2 a), 0 for 0. */
export function bigBits(a: usize): i32 {
  const count = load<u32>(a);
  if (count == 0) return 0;
  return <i32>(count << 5) - <i32>clz<u32>(load<u32>(a + (<usize>count << 2)));
}

/** Order of two numbers: -1, 0 or 1. O(limbs), usually O(1). */
export function bigCompare(a: usize, b: usize): i32 {
  const aCount = <usize>load<u32>(a);
  const bCount = <usize>load<u32>(b);
  if (aCount != bCount) return aCount < bCount ? -1 : 1;
  for (let i = aCount; i > 0; i--) {
    const x = load<u32>(a + (i << 2));
    const y = load<u32>(b + (i << 2));
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

/** a = a - b, which must not be negative. O(limbs). */
export function bigSub(a: usize, b: usize): void {
  const count = <usize>load<u32>(a);
  const bCount = <usize>load<u32>(b);
  let borrow: u64 = 0;
  for (let i: usize = 1; i <= count; i++) {
    const y: u64 = i <= bCount ? <u64>load<u32>(b + (i << 2)) : 0;
    const diff = <u64>load<u32>(a + (i << 2)) - y - borrow;
    store<u32>(a + (i << 2), <u32>diff);
    borrow = diff >> 63;
  }
  trim(a, count);
}

/** a = floor(a / divisor); returns the remainder. O(limbs). */
export function bigDivSmall(a: usize, divisor: u32): u32 {
  const count = <usize>load<u32>(a);
  let rest: u64 = 0;
  for (let i = count; i > 0; i--) {
    const part = (rest << 32) | <u64>load<u32>(a + (i << 2));
    const quotient = part / <u64>divisor;
    store<u32>(a + (i << 2), <u32>quotient);
    rest = part - quotient * <u64>divisor;
  }
  trim(a, count);
  return <u32>rest;
}

/** Sets the count of `a` to `count` without leading zero limbs. */
function trim(a: usize, count: usize): void {
  while (count > 0 && load<u32>(a + (count << 2)) == 0) count--;
  store<u32>(a, <u32>count);
}

/** The 32 bits of `a` from bit position `bit` up; bits below 0 or above the number are zero. */
function bits32(a: usize, bit: i32): u32 {
  const count = <i32>load<u32>(a);
  const limb = bit >> 5;
  const low: u64 = limb >= 0 && limb < count ? <u64>load<u32>(a + 4 + (<usize>limb << 2)) : 0;
  const next = limb + 1;
  const high: u64 = next >= 0 && next < count ? <u64>load<u32>(a + 4 + (<usize>next << 2)) : 0;
  return <u32>(((high << 32) | low) >> <u64>(bit & 31));
}

/** The 64 bits of `a` from bit position `bit` up; bits below 0 or above the number are zero. */
export function bigBits64(a: usize, bit: i32): u64 {
  return (<u64>bits32(a, bit + 32) << 32) | <u64>bits32(a, bit);
}

/** Whether any of the lowest `bits` bits of `a` is set. O(limbs). */
export function bigHasLowBits(a: usize, bits: i32): bool {
  const count = <i32>load<u32>(a);
  for (let limb = 0; limb < count && bits > 0; limb++, bits -= 32) {
    const value = load<u32>(a + 4 + (<usize>limb << 2));
    if (bits >= 32 ? value : value << (32 - <u32>bits)) return true;
  }
  return false;
}
