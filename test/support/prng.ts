// A small seeded generator for tests (xorshift128 with a splitmix start): the same seed gives the
// same run everywhere. Not for anything secret.

export class Prng {
  readonly seed: number;
  #state: [number, number, number, number];

  constructor(seed: number) {
    this.seed = seed >>> 0;
    let word = this.seed;
    const next = () => {
      word = (word + 0x9e3779b9) >>> 0;
      let mixed = word;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return (mixed ^ (mixed >>> 16)) >>> 0;
    };
    this.#state = [next(), next(), next(), next() | 1];
  }

  /** 32 unsigned bits. */
  u32(): number {
    const s = this.#state;
    let t = s[3];
    t ^= t << 11;
    t ^= t >>> 8;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = (t ^ s[0] ^ (s[0] >>> 19)) >>> 0;
    return s[0];
  }

  /** An integer in 0 … below-1. */
  below(below: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * below);
  }

  /** An integer in from … to, both included. */
  range(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  /** True once in `outOf` calls on average. */
  once(outOf: number): boolean {
    return this.below(outOf) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(count: number): Buffer {
    const out = Buffer.alloc(count);
    for (let i = 0; i < count; i++) out[i] = this.u32() & 255;
    return out;
  }
}

const SEED = 20_261_121;

/**
 * The seed of a run: always the same, so that a red run says something about the change and not
 * about luck. RESPITE_SEED names another, RESPITE_SEED=new draws one. Print it with every failure.
 */
export function runSeed(): number {
  const given = process.env.RESPITE_SEED;
  if (given === 'new') return (Date.now() ^ (process.pid << 8)) >>> 0;
  return given === undefined ? SEED : Number(given) >>> 0;
}
