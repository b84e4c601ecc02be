/**
 * SHA-1 (FIPS 180-4) of bytes in memory, as lower-case hex: the name of a script (EVALSHA).
 *
 * What it is: a one-shot digest. What it is not: for anything that needs collision resistance.
 *
 * Scratch (static, so a call is not re-entrant; nothing here calls out):
 *
 *   words  320 bytes  the message schedule of the block in progress
 *   pad    128 bytes  the last one or two blocks: rest of the message, 0x80, zeros, bit length
 */

const WORDS: usize = memory.data(320, 8);
const PAD: usize = memory.data(128, 8);

let h0: u32 = 0;
let h1: u32 = 0;
let h2: u32 = 0;
let h3: u32 = 0;
let h4: u32 = 0;

/** Mixes the 64-byte block at `ptr` into h0..h4. */
function block(ptr: usize): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(WORDS + i, bswap<u32>(load<u32>(ptr + i)));
  for (let i: usize = 64; i < 320; i += 4) {
    const w = WORDS + i;
    const x = load<u32>(w - 12) ^ load<u32>(w - 32) ^ load<u32>(w - 56) ^ load<u32>(w - 64);
    store<u32>(w, rotl<u32>(x, 1));
  }
  let a = h0;
  let b = h1;
  let c = h2;
  let d = h3;
  let e = h4;
  for (let i: u32 = 0; i < 80; i++) {
    let f: u32 = 0;
    let k: u32 = 0;
    if (i < 20) {
      f = d ^ (b & (c ^ d));
      k = 0x5a827999;
    } else if (i < 40) {
      f = b ^ c ^ d;
      k = 0x6ed9eba1;
    } else if (i < 60) {
      f = (b & c) | (d & (b | c));
      k = 0x8f1bbcdc;
    } else {
      f = b ^ c ^ d;
      k = 0xca62c1d6;
    }
    const t = rotl<u32>(a, 5) + f + e + k + load<u32>(WORDS + (<usize>i << 2));
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = t;
  }
  h0 += a;
  h1 += b;
  h2 += c;
  h3 += d;
  h4 += e;
}

/** Writes `word` as eight hex digits at `out`. */
function hexWord(word: u32, out: usize): void {
  for (let i: usize = 0; i < 8; i++) {
    const digit = (word >> (28 - (<u32>i << 2))) & 15;
    store<u8>(out + i, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit));
  }
}

/** Leaves the digest of `len` bytes at `ptr` in h0..h4. */
function digest(ptr: usize, len: usize): void {
  h0 = 0x67452301;
  h1 = 0xefcdab89;
  h2 = 0x98badcfe;
  h3 = 0x10325476;
  h4 = 0xc3d2e1f0;
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
}

/**
 * Writes the SHA-1 of `len` bytes at `ptr` as 40 lower-case hex digits at `out`, which may overlap
 * the input. O(len).
 */
export function sha1Hex(ptr: usize, len: usize, out: usize): void {
  digest(ptr, len);
  hexWord(h0, out);
  hexWord(h1, out + 8);
  hexWord(h2, out + 16);
  hexWord(h3, out + 24);
  hexWord(h4, out + 32);
}

/** The same as the 20 bytes of the digest. */
export function sha1Raw(ptr: usize, len: usize, out: usize): void {
  digest(ptr, len);
  store<u32>(out, bswap<u32>(h0));
  store<u32>(out, bswap<u32>(h1), 4);
  store<u32>(out, bswap<u32>(h2), 8);
  store<u32>(out, bswap<u32>(h3), 12);
  store<u32>(out, bswap<u32>(h4), 16);
}
