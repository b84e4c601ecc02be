/**
 * SHA-256 (FIPS 180-4) of bytes in memory: what is kept of a password (ACL SETUSER, AUTH).
 *
 * What it is: a one-shot digest. What it is not: slow on purpose; Redis keeps plain digests, and
 * so its files and ours are interchangeable.
 *
 * Scratch (static, so a call is not re-entrant; nothing here calls out). It is wiped after each
 * digest, since it held a password:
 *
 *   words  256 bytes  the message schedule of the block in progress
 *   pad    128 bytes  the last one or two blocks: rest of the message, 0x80, zeros, bit length
 *   state   32 bytes  a to h between the blocks
 */

const WORDS: usize = memory.data(256, 8);
const PAD: usize = memory.data(128, 8);
const STATE: usize = memory.data(32, 8);

/** Length of a digest. */
export const SHA256_BYTES: u32 = 32;

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUND: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** The same of the square roots of the first 8 primes. */
const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

// @ts-ignore: decorator
@inline function schedule(i: usize): void {
  const w = WORDS + (i << 2);
  const a = load<u32>(w - 60);
  const b = load<u32>(w - 8);
  const s0 = rotr<u32>(a, 7) ^ rotr<u32>(a, 18) ^ (a >> 3);
  const s1 = rotr<u32>(b, 17) ^ rotr<u32>(b, 19) ^ (b >> 10);
  store<u32>(w, load<u32>(w - 64) + s0 + load<u32>(w - 28) + s1);
}

/** Mixes the 64-byte block at `ptr` into the state. */
function block(ptr: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(WORDS + i, bswap<u32>(load<u32>(ptr + i)));
  for (let i: usize = 16; i < 64; i++) schedule(i);
  let a = load<u32>(STATE);
  let b = load<u32>(STATE, 4);
  let c = load<u32>(STATE, 8);
  let d = load<u32>(STATE, 12);
  let e = load<u32>(STATE, 16);
  let f = load<u32>(STATE, 20);
  let g = load<u32>(STATE, 24);
  let h = load<u32>(STATE, 28);
  for (let i: usize = 0; i < 256; i += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + load<u32>(ROUND + i) + load<u32>(WORDS + i);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  add(0, a);
  add(4, b);
  add(8, c);
  add(12, d);
  add(16, e);
  add(20, f);
  add(24, g);
  add(28, h);
}

// @ts-ignore: decorator
@inline function add(at: usize, word: u32): void {
  store<u32>(STATE + at, load<u32>(STATE + at) + word);
}

/**
 * Writes the 32 bytes of the SHA-256 of `len` bytes at `ptr` to `out`, which may overlap the
 * input. O(len).
 */
export function sha256(ptr: usize, len: usize, out: usize): void {
  memory.copy(STATE, START, 32);
  const end = ptr + (len & ~63);
  for (; ptr < end; ptr += 64) block(ptr);
  const left = len & 63;
  const padLen: usize = left < 56 ? 64 : 128;
  memory.fill(PAD, 0, 128);
  memory.copy(PAD, ptr, left);
  store<u8>(PAD + left, 0x80);
  store<u64>(PAD + padLen - 8, bswap<u64>(<u64>len << 3));
  block(PAD);
  if (padLen == 128) block(PAD + 64);
  for (let i: usize = 0; i < 32; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(STATE + i)));
  memory.fill(WORDS, 0, 256);
  memory.fill(PAD, 0, 128);
  memory.fill(STATE, 0, 32);
}
