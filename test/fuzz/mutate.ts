// Damage for bytes: the mutations every fuzzer of a byte format uses.

import type { Prng } from '../support/prng.js';

const LOUD = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xfe, 0xff, 10, 13, 36, 42];

function splice(bytes: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}

function once(random: Prng, bytes: Buffer, words: readonly Buffer[], at: number): Buffer {
  const out = Buffer.from(bytes);
  switch (random.below(8)) {
    case 0:
      out[at] = random.below(256);
      return out;
    case 1:
      out[at] = out[at]! ^ (1 << random.below(8));
      return out;
    case 2:
      out[at] = random.pick(LOUD);
      return out;
    case 3:
      return splice(out, at, random.below(16), Buffer.alloc(0));
    case 4:
      return splice(out, at, 0, random.bytes(1 + random.below(9)));
    case 5:
      return out.subarray(0, at);
    case 6: {
      const from = random.below(out.length);
      return splice(out, at, 0, out.subarray(from, from + random.below(64)));
    }
    default:
      return splice(out, at, random.below(4), random.pick(words));
  }
}

/** Bytes with one to four mutations; `words` are pieces of the format worth inserting. */
export function mutate(random: Prng, bytes: Buffer, words: readonly Buffer[], from = 0): Buffer {
  let out = bytes;
  for (let times = random.range(1, 4); times > 0; times--) {
    if (out.length <= from) return out;
    // One in ten may hit the part in front, where all would end at once.
    const low = random.once(10) ? 0 : from;
    out = once(random, out, words, low + random.below(out.length - low));
  }
  return out;
}
