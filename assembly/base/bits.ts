/**
 * Bit strings: counting, searching and combining. Bit 0 is the most significant bit of the first
 * byte, as in Redis' bitmaps.
 *
 * What it is: the loops behind BITCOUNT, BITPOS and BITOP, sixteen bytes at a time where the build
 * has SIMD, eight otherwise. What it is not: bounds-checked; callers pass ranges they own.
 *
 * No function allocates or may grow memory. Ranges need no alignment.
 */

/** Number of one bits in [ptr, ptr + len). O(len). */
export function bitsCount(ptr: usize, len: usize): u64 {
  const end = ptr + len;
  let sum: u64 = 0;
  if (ASC_FEATURE_SIMD) {
    while (end - ptr >= 16) {
      // 16-bit lanes take 16 per step: 4000 steps cannot overflow them.
      const steps = min<usize>((end - ptr) >> 4, 4000);
      const stop = ptr + (steps << 4);
      let lanes = i16x8.splat(0);
      while (ptr < stop) {
        const ones = i8x16.popcnt(v128.load(ptr));
        lanes = i16x8.add(lanes, i16x8.extadd_pairwise_i8x16_u(ones));
        ptr += 16;
      }
      const wide = i32x4.extadd_pairwise_i16x8_u(lanes);
      sum += <u64>(<u32>i32x4.extract_lane(wide, 0) + <u32>i32x4.extract_lane(wide, 1));
      sum += <u64>(<u32>i32x4.extract_lane(wide, 2) + <u32>i32x4.extract_lane(wide, 3));
    }
  }
  while (end - ptr >= 8) {
    sum += popcnt<u64>(load<u64>(ptr));
    ptr += 8;
  }
  while (ptr < end) {
    sum += <u64>popcnt<u32>(load<u8>(ptr));
    ptr++;
  }
  return sum;
}

/** Position of the first bit that is `bit` in [ptr, ptr + len), or len * 8. O(len). */
export function bitsFind(ptr: usize, len: usize, bit: bool): u64 {
  const start = ptr;
  const end = ptr + len;
  // Looking for a one in what differs from a run of the other bit.
  const other: u64 = bit ? 0 : u64.MAX_VALUE;
  while (end - ptr >= 8 && load<u64>(ptr) == other) ptr += 8;
  if (end - ptr >= 8) {
    const differs = bswap<u64>(load<u64>(ptr) ^ other);
    return (<u64>(ptr - start) << 3) + clz<u64>(differs);
  }
  while (ptr < end) {
    const differs = <u32>(load<u8>(ptr) ^ <u8>other);
    if (differs != 0) return (<u64>(ptr - start) << 3) + <u64>(clz<u32>(differs) - 24);
    ptr++;
  }
  return <u64>len << 3;
}

/** Kinds of `bitsCombine`. */
export const BITS_AND: u32 = 0;
export const BITS_OR: u32 = 1;
export const BITS_XOR: u32 = 2;

/** Combines `len` bytes of `src` into those at `dst`; the two may be the same. O(len). */
export function bitsCombine(kind: u32, dst: usize, src: usize, len: usize): void {
  if (kind == BITS_AND) bitsAnd(dst, src, len);
  else if (kind == BITS_OR) bitsOr(dst, src, len);
  else bitsXor(dst, src, len);
}

function bitsAnd(dst: usize, src: usize, len: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= len; i += 16) {
      v128.store(dst + i, v128.and(v128.load(dst + i), v128.load(src + i)));
    }
  }
  for (; i + 8 <= len; i += 8) store<u64>(dst + i, load<u64>(dst + i) & load<u64>(src + i));
  for (; i < len; i++) store<u8>(dst + i, load<u8>(dst + i) & load<u8>(src + i));
}

function bitsOr(dst: usize, src: usize, len: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= len; i += 16) {
      v128.store(dst + i, v128.or(v128.load(dst + i), v128.load(src + i)));
    }
  }
  for (; i + 8 <= len; i += 8) store<u64>(dst + i, load<u64>(dst + i) | load<u64>(src + i));
  for (; i < len; i++) store<u8>(dst + i, load<u8>(dst + i) | load<u8>(src + i));
}

function bitsXor(dst: usize, src: usize, len: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= len; i += 16) {
      v128.store(dst + i, v128.xor(v128.load(dst + i), v128.load(src + i)));
    }
  }
  for (; i + 8 <= len; i += 8) store<u64>(dst + i, load<u64>(dst + i) ^ load<u64>(src + i));
  for (; i < len; i++) store<u8>(dst + i, load<u8>(dst + i) ^ load<u8>(src + i));
}

/** Inverts `len` bytes in place. O(len). */
export function bitsInvert(ptr: usize, len: usize): void {
  let i: usize = 0;
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= len; i += 16) v128.store(ptr + i, v128.not(v128.load(ptr + i)));
  }
  for (; i + 8 <= len; i += 8) store<u64>(ptr + i, ~load<u64>(ptr + i));
  for (; i < len; i++) store<u8>(ptr + i, ~load<u8>(ptr + i));
}
