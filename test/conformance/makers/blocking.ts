// Blocking commands, which wait for nothing in a transaction (makers/index.ts puts each in one).

import type { Prng } from '../../support/prng.js';
import { edge, key, type Make, maybe, times, type Weighted } from './common.js';

/** What is too large is known to differ (lines/blocking.txt). */
function timeout(r: Prng): string {
  const drawn = r.once(6) ? edge(r) : r.pick(['0', '1', '0.5', '1e-3']);
  return drawn === 'inf' || Number(drawn) > 1e12 ? '0' : drawn;
}
const keys = (r: Prng) => [key(r), ...times(r, 3, key)];
const end = (r: Prng) => (r.once(20) ? 'FOO' : r.pick(['LEFT', 'RIGHT', 'left']));
const bound = (r: Prng) => (r.once(20) ? 'FOO' : r.pick(['MIN', 'MAX', 'max']));

const pop: Make = (r) => [
  r.pick(['BLPOP', 'BRPOP', 'BZPOPMIN', 'BZPOPMAX']),
  ...keys(r),
  timeout(r),
];
const move: Make = (r) => ['BLMOVE', key(r), key(r), end(r), end(r), timeout(r)];
const rotate: Make = (r) => ['BRPOPLPUSH', key(r), key(r), timeout(r)];
const several =
  (name: string, where: (r: Prng) => string): Make =>
  (r) => {
    const some = keys(r);
    const count = r.once(12) ? edge(r) : String(some.length);
    return [name, timeout(r), count, ...some, where(r), ...maybe(r, 'COUNT', edge(r))];
  };

export const BLOCKING: Weighted[] = [
  [3, pop],
  [2, move],
  [1, rotate],
  [1, several('BLMPOP', end)],
  [1, several('BZMPOP', bound)],
];
