// Random commands over HyperLogLogs: additions of few and many elements, merges, counts.

import type { Prng } from '../../support/prng.js';
import { key, type Make, maybe, times, value, type Weighted } from './common.js';

/** A thousand elements in one command now and then, so that some become dense. */
const elements: Make = (r) => {
  if (!r.once(12)) return times(r, 5, value);
  const from = r.below(100000);
  return Array.from({ length: r.below(1200) }, (_, i) => `e${from + i}`);
};
const subcommand = (r: Prng) =>
  r.pick(['GETREG', 'DECODE', 'DECODE', 'ENCODING', 'ENCODING', 'TODENSE', 'decode', 'FOO']);

export const HYPERLOGLOG: Weighted[] = [
  [6, (r) => ['PFADD', key(r), ...elements(r)]],
  [4, (r) => ['PFCOUNT', key(r), ...times(r, 2, key)]],
  [2, (r) => ['PFMERGE', key(r), ...times(r, 3, key)]],
  [1, (r) => ['PFDEBUG', subcommand(r), key(r)]],
  [1, (r) => ['OBJECT', 'ENCODING', key(r)]],
  [1, (r) => [r.pick(['PFADD', 'PFCOUNT', 'PFMERGE', 'PFDEBUG']), ...maybe(r, key(r))]],
];
