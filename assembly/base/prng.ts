/**
 * The core's only source of randomness: xoshiro256** (Blackman and Vigna, 2018), host-seeded.
 *
 * What it is: a fast, deterministic generator: the same seed gives the same sequence on every
 * platform, so every run can be replayed. What it is not: for secrets.
 *
 * The 256-bit state lives in four module globals; it is never all zero once seeded, because it is
 * filled by splitmix64, whose outputs in one run are distinct (and so at most one of them is 0).
 */

let s0: u64 = 0xe220a8397b1dcdaf;
let s1: u64 = 0x6e789e6aa1b965f4;
let s2: u64 = 0x06c45d188009454f;
let s3: u64 = 0xf88bb8a8724c81ec;

let splitState: u64 = 0;

/** The next output of splitmix64, the recommended filler of xoshiro states. */
function split(): u64 {
  splitState += 0x9e3779b97f4a7c15;
  let z = splitState;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/**
 * Starts the sequence that belongs to the 128-bit seed (lo, hi). Every bit of both halves counts.
 */
export function prngSeed(lo: u64, hi: u64): void {
  splitState = lo;
  const a = split();
  const b = split();
  splitState = hi ^ rotl<u64>(a, 32);
  s0 = a;
  s1 = b;
  s2 = split();
  s3 = split();
}

/**
 * The next 64 random bits.
 */
export function prngU64(): u64 {
  const result = rotl<u64>(s1 * 5, 7) * 9;
  const t = s1 << 17;
  s2 ^= s0;
  s3 ^= s1;
  s1 ^= s2;
  s0 ^= s3;
  s2 ^= t;
  s3 = rotl<u64>(s3, 45);
  return result;
}

/**
 * The next 32 random bits (the upper half of a 64-bit draw).
 */
export function prngU32(): u32 {
  return <u32>(prngU64() >> 32);
}

/**
 * A number in [0, n), each equally likely; n = 0 gives 0. Lemire's multiply-and-reject: one draw
 * nearly always, never more than a few.
 */
export function prngBelow(n: u32): u32 {
  let wide = <u64>prngU32() * <u64>n;
  if (<u32>wide < n) {
    const least: u32 = (<u32>0 - n) % n;
    while (<u32>wide < least) wide = <u64>prngU32() * <u64>n;
  }
  return <u32>(wide >> 32);
}

/**
 * A double in [0, 1), a multiple of 2^-53, each equally likely.
 */
export function prngF64(): f64 {
  return <f64>(prngU64() >> 11) * 1.1102230246251565e-16;
}
