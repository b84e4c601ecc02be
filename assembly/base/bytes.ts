/**
 * Plain byte work on linear memory: equality, order, ASCII case, big-endian words.
 *
 * What it is: the handful of loops every other layer would otherwise write itself, done eight
 * bytes at a time with overlapping tail loads. What it is not: search (see glob.ts), hashing (see
 * siphash.ts), or anything that knows about locales: case means ASCII 'A'-'Z' only, as in Redis.
 *
 * No function reads outside [ptr, ptr + len). None allocates, none may grow memory.
 */

/** One in every byte's top bit. */
const TOPS: u64 = 0x8080808080808080;

/** One in every byte's lowest bit. */
const ONES: u64 = 0x0101010101010101;

/**
 * Lower-cases the eight ASCII letters a word may hold; other bytes, also above 0x7f, are kept.
 */
// @ts-ignore: decorator
@inline
export function toLower64(x: u64): u64 {
  const low7 = x & ~TOPS;
  const fromA = low7 + (0x80 - 0x41) * ONES; // top bit set where byte >= 'A'
  const afterZ = low7 + (0x7f - 0x5a) * ONES; // top bit set where byte > 'Z'
  const upper = ~x & TOPS & (fromA ^ afterZ);
  return x | (upper >> 2);
}

/**
 * Lower-cases one byte value (0-255); everything but 'A'-'Z' comes back as it was.
 */
// @ts-ignore: decorator
@inline
export function toLower(c: u32): u32 {
  return c - 0x41 < 26 ? c | 0x20 : c;
}

/**
 * Equality of two byte strings, lengths included. O(len), eight bytes a step.
 */
// @ts-ignore: decorator
@inline
export function bytesEqual(a: usize, aLen: usize, b: usize, bLen: usize): bool {
  return aLen == bLen && bytesSame(a, b, aLen);
}

/**
 * Equality of two strings already known to be `len` bytes long. O(len).
 */
export function bytesSame(a: usize, b: usize, len: usize): bool {
  if (len >= 8) {
    const aTail = a + len - 8;
    const bTail = b + len - 8;
    while (a < aTail) {
      if (load<u64>(a) != load<u64>(b)) return false;
      a += 8;
      b += 8;
    }
    return load<u64>(aTail) == load<u64>(bTail);
  }
  if (len >= 4) {
    return load<u32>(a) == load<u32>(b) && load<u32>(a + len - 4) == load<u32>(b + len - 4);
  }
  if (len == 0) return true;
  const half = len >> 1;
  return (
    load<u8>(a) == load<u8>(b) &&
    load<u8>(a + half) == load<u8>(b + half) &&
    load<u8>(a + len - 1) == load<u8>(b + len - 1)
  );
}

/**
 * Order of two byte strings as memcmp then length (Redis: sdscmp, ZRANGEBYLEX, SORT ALPHA in the C
 * locale). Returns -1, 0 or 1. O(min(aLen, bLen)).
 */
export function bytesCompare(a: usize, aLen: usize, b: usize, bLen: usize): i32 {
  const least = aLen < bLen ? aLen : bLen;
  const wordsEnd = a + (least & ~7);
  const end = a + least;
  while (a < wordsEnd) {
    const x = load<u64>(a);
    const y = load<u64>(b);
    if (x != y) return bswap<u64>(x) < bswap<u64>(y) ? -1 : 1;
    a += 8;
    b += 8;
  }
  while (a < end) {
    const x = <u32>load<u8>(a);
    const y = <u32>load<u8>(b);
    if (x != y) return x < y ? -1 : 1;
    a++;
    b++;
  }
  return aLen == bLen ? 0 : aLen < bLen ? -1 : 1;
}

/**
 * Whether `ptr` holds the ASCII text at `lower` (same length, `lower` already in lower case) in
 * any mixture of cases: how option words and command names are recognised. O(len).
 */
export function bytesEqualLower(ptr: usize, len: usize, lower: usize, lowerLen: usize): bool {
  if (len != lowerLen) return false;
  if (len >= 8) {
    const tail = ptr + len - 8;
    const lowerTail = lower + len - 8;
    while (ptr < tail) {
      if (toLower64(load<u64>(ptr)) != load<u64>(lower)) return false;
      ptr += 8;
      lower += 8;
    }
    return toLower64(load<u64>(tail)) == load<u64>(lowerTail);
  }
  const end = ptr + len;
  while (ptr < end) {
    if (toLower(load<u8>(ptr)) != <u32>load<u8>(lower)) return false;
    ptr++;
    lower++;
  }
  return true;
}

/**
 * Whether two byte strings are the same but for ASCII case, neither known to be lower. O(len).
 */
export function bytesEqualNoCase(a: usize, aLen: usize, b: usize, bLen: usize): bool {
  if (aLen != bLen) return false;
  const wordsEnd = a + (aLen & ~7);
  const end = a + aLen;
  while (a < wordsEnd) {
    if (toLower64(load<u64>(a)) != toLower64(load<u64>(b))) return false;
    a += 8;
    b += 8;
  }
  while (a < end) {
    if (toLower(load<u8>(a)) != toLower(load<u8>(b))) return false;
    a++;
    b++;
  }
  return true;
}

/**
 * Writes `len` bytes of `src` in lower case at `dst`; the two may be the same address. O(len).
 */
export function bytesToLower(dst: usize, src: usize, len: usize): void {
  const wordsEnd = src + (len & ~7);
  const end = src + len;
  while (src < wordsEnd) {
    store<u64>(dst, toLower64(load<u64>(src)));
    dst += 8;
    src += 8;
  }
  while (src < end) {
    store<u8>(dst, <u8>toLower(load<u8>(src)));
    dst++;
    src++;
  }
}

/**
 * Address of the first byte equal to `c` in [ptr, ptr + len), or ptr + len. O(len).
 */
export function bytesFind(ptr: usize, len: usize, c: u32): usize {
  const end = ptr + len;
  const wordsEnd = ptr + (len & ~7);
  const wanted = <u64>c * ONES;
  while (ptr < wordsEnd) {
    const diff = load<u64>(ptr) ^ wanted;
    const zero = (diff - ONES) & ~diff & TOPS;
    if (zero) return ptr + <usize>(ctz<u64>(zero) >> 3);
    ptr += 8;
  }
  while (ptr < end && <u32>load<u8>(ptr) != c) ptr++;
  return ptr;
}

// Big-endian words (RDB lengths, stream ids, radix keys): unaligned addresses are fine.

/** The big-endian u16 at `ptr`. */
// @ts-ignore: decorator
@inline
export function loadBe16(ptr: usize): u32 {
  return <u32>bswap<u16>(load<u16>(ptr));
}

/** The big-endian u32 at `ptr`. */
// @ts-ignore: decorator
@inline
export function loadBe32(ptr: usize): u32 {
  return bswap<u32>(load<u32>(ptr));
}

/** The big-endian u64 at `ptr`. */
// @ts-ignore: decorator
@inline
export function loadBe64(ptr: usize): u64 {
  return bswap<u64>(load<u64>(ptr));
}

/** Stores the low 16 bits of `value` at `ptr`, most significant byte first. */
// @ts-ignore: decorator
@inline
export function storeBe16(ptr: usize, value: u32): void {
  store<u16>(ptr, bswap<u16>(<u16>value));
}

/** Stores `value` at `ptr`, most significant byte first. */
// @ts-ignore: decorator
@inline
export function storeBe32(ptr: usize, value: u32): void {
  store<u32>(ptr, bswap<u32>(value));
}

/** Stores `value` at `ptr`, most significant byte first. */
// @ts-ignore: decorator
@inline
export function storeBe64(ptr: usize, value: u64): void {
  store<u64>(ptr, bswap<u64>(value));
}
