/**
 * SipHash-1-2 (Aumasson and Bernstein, 2012, with one compression and two finalisation rounds),
 * the keyed hash Redis uses for its dictionaries, and its variant that ignores ASCII case.
 *
 * What it is: one seeded 64-bit hash of a byte string, on the hottest path of the core. What it is
 * not: a MAC (the round counts are too small for that), or a hash with a stable value across
 * processes: the seed comes from the host at start.
 *
 * The state is four 64-bit words v0..v3. Each full 8-byte word m of the input is mixed in as
 * v3 ^= m, one round, v0 ^= m. The last word is the 0-7 remaining bytes with the length mod 256 in
 * the top byte; it is put together from at most three loads that stay inside the string:
 *
 *   len >= 8:    the last 8 bytes, shifted down so that only the remaining ones are left
 *   4 <= len:    two overlapping 4-byte loads
 *   1 <= len:    first, middle and last byte
 *
 * The rounds are written out where they are used: the language has no macro, and four results of
 * an inlined function would have to pass through globals.
 *
 * Source: the SipHash paper. Checked against an independent implementation in the tests.
 */

import { toLower64 } from './bytes';

/** The 128-bit seed, first and second little-endian word. */
let seed0: u64 = 0;
let seed1: u64 = 0;

/**
 * Sets the 128-bit seed of every later hash. Tables built under another seed become unreadable, so
 * this is called once, before the first key.
 */
export function sipSeed(k0: u64, k1: u64): void {
  seed0 = k0;
  seed1 = k1;
}

/**
 * The 0-7 bytes after the last full word of [ptr, ptr + len), as a little-endian word whose unused
 * bytes are zero.
 */
// @ts-ignore: decorator
@inline
function tailWord(ptr: usize, len: usize): u64 {
  const left = len & 7;
  if (left == 0) return 0;
  if (len >= 8) return load<u64>(ptr + len - 8) >> (<u64>(8 - left) << 3);
  if (len >= 4) {
    return <u64>load<u32>(ptr) | (<u64>load<u32>(ptr + len - 4) << (<u64>(len - 4) << 3));
  }
  const half = len >> 1;
  return (
    <u64>load<u8>(ptr) |
    (<u64>load<u8>(ptr + half) << (<u64>half << 3)) |
    (<u64>load<u8>(ptr + len - 1) << (<u64>(len - 1) << 3))
  );
}

/**
 * The 64-bit SipHash-1-2 of `len` bytes at `ptr` under the current seed. O(len).
 */
export function siphash(ptr: usize, len: usize): u64 {
  return hashOf(ptr, len, false);
}

/**
 * As siphash, but of the string with 'A'-'Z' read as 'a'-'z', so strings that differ only in ASCII
 * case hash alike. O(len).
 */
export function siphashNoCase(ptr: usize, len: usize): u64 {
  return hashOf(ptr, len, true);
}

// @ts-ignore: decorator
@inline function word(m: u64, isLower: bool): u64 {
  return isLower ? toLower64(m) : m;
}

// @ts-ignore: decorator
@inline function hashOf(ptr: usize, len: usize, isLower: bool): u64 {
  let v0 = seed0 ^ 0x736f6d6570736575;
  let v1 = seed1 ^ 0x646f72616e646f6d;
  let v2 = seed0 ^ 0x6c7967656e657261;
  let v3 = seed1 ^ 0x7465646279746573;
  const last = word(tailWord(ptr, len), isLower) | (<u64>len << 56);
  const end = ptr + (len & ~7);
  for (; ptr < end; ptr += 8) {
    const m = word(load<u64>(ptr), isLower);
    v3 ^= m;
    v0 += v1; v1 = rotl<u64>(v1, 13) ^ v0; v0 = rotl<u64>(v0, 32);
    v2 += v3; v3 = rotl<u64>(v3, 16) ^ v2;
    v0 += v3; v3 = rotl<u64>(v3, 21) ^ v0;
    v2 += v1; v1 = rotl<u64>(v1, 17) ^ v2; v2 = rotl<u64>(v2, 32);
    v0 ^= m;
  }
  v3 ^= last;
  v0 += v1; v1 = rotl<u64>(v1, 13) ^ v0; v0 = rotl<u64>(v0, 32);
  v2 += v3; v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3; v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1; v1 = rotl<u64>(v1, 17) ^ v2; v2 = rotl<u64>(v2, 32);
  return sipFinish(v0 ^ last, v1, v2 ^ 0xff, v3);
}

/**
 * The two closing rounds over a state into which the last word and the 0xff mark have gone.
 */
// @ts-ignore: decorator
@inline
function sipFinish(a: u64, b: u64, c: u64, d: u64): u64 {
  let v0 = a;
  let v1 = b;
  let v2 = c;
  let v3 = d;
  v0 += v1; v1 = rotl<u64>(v1, 13) ^ v0; v0 = rotl<u64>(v0, 32);
  v2 += v3; v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3; v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1; v1 = rotl<u64>(v1, 17) ^ v2; v2 = rotl<u64>(v2, 32);
  v0 += v1; v1 = rotl<u64>(v1, 13) ^ v0; v0 = rotl<u64>(v0, 32);
  v2 += v3; v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3; v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1; v1 = rotl<u64>(v1, 17) ^ v2; v2 = rotl<u64>(v2, 32);
  return v0 ^ v1 ^ v2 ^ v3;
}
