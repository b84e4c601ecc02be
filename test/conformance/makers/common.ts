// What the makers of random commands share: a small key space and values at the edges.

import type { Prng } from '../../support/prng.js';

export const PAYLOADS = [
  ...['str', 'str_int', 'str_lzf', 'list', 'list_big', 'set_int16', 'set', 'hash', 'hash_big'],
  ...['zset', 'zset_big', 'stream', 'stream_groups', 'hll'],
];
export const EDGES = [
  ...['0', '1', '-1', '2', '7', '8', '10', '63', '64', '100', '-100', '127', '128', '255', '256'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '4294967296'],
  ...['2147483647', '2147483648', '1.5', '-0.1', '1e3', 'abc', '', ' 1', '01', 'inf', 'nan'],
];
export const EXPIRY_EDGES = [
  ...['0', '-1', '100000000', '9223372036854775807', '-9223372036854775808', '1.5', 'abc', ''],
  ...['9223372036854775808', '9223372036854775', '9223372036854776', '01'],
];
export const FLOATS = [
  '0.1',
  '-3.75',
  '1e10',
  '2.5e-5',
  '100',
  '-1',
  '1e300',
  'inf',
  'nan',
  'x',
  '0',
];
export const FAR = ['4102444800', '4102444801', '5000000000', '4000000000'];
export const SOLE = ['NX', 'XX', 'nx', 'FOO'];
export const FAR_MS = ['4102444800000', '4102444800001', '5000000000123'];

export type Make = (r: Prng) => (string | Buffer)[];

export const key = (r: Prng) => `k${r.below(12)}`;
export const offset = (r: Prng) =>
  String(r.once(12) ? r.pick(['-1', 'x', '4294967296']) : r.below(200));
export const edge = (r: Prng) => (r.once(3) ? r.pick(EDGES) : String(r.range(-20, 60)));
export const maybe = (r: Prng, ...words: string[]) => (r.once(2) ? words : []);
export const times = <T>(r: Prng, max: number, make: (r: Prng) => T): T[] =>
  Array.from({ length: r.below(max + 1) }, () => make(r));

export function value(r: Prng): string | Buffer {
  switch (r.below(8)) {
    case 0:
      return r.pick(EDGES);
    case 1:
      return String(r.u32());
    case 2:
      return r.bytes(r.below(40));
    case 3:
      return 'ab'.repeat(r.below(300));
    case 4:
      return 'x'.repeat(r.range(40, 70));
    default:
      return `value:${r.below(1000)}`;
  }
}

/** A maker and how often it is drawn. */
export type Weighted = [weight: number, make: Make];
