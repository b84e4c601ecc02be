// Random commands over HyperLogLogs: additions of few and many elements, merges, counts.
//
// Elements are added to keys of their own (h0 …), which no command on strings touches: Redis leaves
// the first of several elements in a HyperLogLog whose runs turn out to be broken at the second,
// and tells no replica; respite adds all or none.

import type { Prng } from '../../support/prng.js';
import { key, type Make, maybe, times, value, type Weighted } from './common.js';

const own = (r: Prng) => `h${r.below(4)}`;
const any = (r: Prng) => (r.once(3) ? key(r) : own(r));

/** A thousand elements in one command now and then, so that some become dense. */
const elements: Make = (r) => {
  if (!r.once(12)) return times(r, 5, value);
  const from = r.below(100000);
  return Array.from({ length: r.below(1200) }, (_, i) => `e${from + i}`);
};
const subcommand = (r: Prng) =>
  r.pick(['GETREG', 'DECODE', 'DECODE', 'ENCODING', 'ENCODING', 'TODENSE', 'decode', 'FOO']);

export const HYPERLOGLOG: Weighted[] = [
  [6, (r) => ['PFADD', own(r), ...elements(r)]],
  [1, (r) => ['PFADD', key(r)]],
  [4, (r) => ['PFCOUNT', any(r), ...times(r, 2, any)]],
  [2, (r) => ['PFMERGE', any(r), ...times(r, 3, any)]],
  [1, (r) => ['PFDEBUG', subcommand(r), any(r)]],
  [2, (r) => ['GET', own(r)]],
  [1, (r) => [r.pick(['DEL', 'UNLINK']), own(r)]],
  [1, (r) => ['OBJECT', 'ENCODING', any(r)]],
  [1, (r) => [r.pick(['PFADD', 'PFCOUNT', 'PFMERGE', 'PFDEBUG']), ...maybe(r, any(r))]],
];
