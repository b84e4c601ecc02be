/**
 * MurmurHash64A by Austin Appleby (public domain): the hash of HyperLogLog's elements.
 *
 * What it is not: a hash for tables, as it is easily attacked (siphash.ts is for those).
 */

const M: u64 = 0xc6a4a7935bd1e995;
const R: u64 = 47;

/** The hash of `len` bytes, read as little-endian words. O(len). */
export function murmur64a(ptr: usize, len: u32, seed: u64): u64 {
  let h = seed ^ (<u64>len * M);
  const wordsEnd = ptr + (len & ~7);
  for (; ptr < wordsEnd; ptr += 8) {
    let k = load<u64>(ptr) * M;
    k ^= k >> R;
    h = (h ^ (k * M)) * M;
  }
  const rest = len & 7;
  if (rest != 0) {
    let tail: u64 = 0;
    for (let i: u32 = 0; i < rest; i++) tail |= <u64>load<u8>(ptr + i) << (<u64>i << 3);
    h = (h ^ tail) * M;
  }
  h = (h ^ (h >> R)) * M;
  return h ^ (h >> R);
}
