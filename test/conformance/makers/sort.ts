// Random SORTs. Where equal weights or the members of a hash table leave the order open, replies
// are compared as sorted (random.ts) and nothing of it is limited or stored.

import type { Prng } from '../../support/prng.js';
import { edge, key, type Make, maybe, times, type Weighted } from './common.js';

/** Keys of these patterns come from the common space: elements are 0 … 11, a, b, c. */
const pattern = (r: Prng) =>
  r.pick(['k*', 'k1*', '*', 'k*->a', 'k*->1', '*->', 'k*->', 'k**', 'k*->->', '#', 'x', '']);
const order: Make = (r) => maybe(r, r.pick(['ASC', 'DESC', 'asc', 'desc']));
const limit: Make = (r) =>
  r.once(3) ? ['LIMIT', r.once(4) ? edge(r) : `${r.below(4)}`, r.once(4) ? edge(r) : '3'] : [];
const gets: Make = (r) => times(r, 2, (p) => ['GET', pattern(p)]).flat();
const store: Make = (r) => (r.once(3) ? ['STORE', key(r)] : []);
const name = (r: Prng) => (r.once(4) ? 'SORT_RO' : 'SORT');
const number = (r: Prng) => r.pick([`${r.below(12)}`, '1.5', '-3', '1e3', 'inf', '0x10', ' 7', '']);
const word = (r: Prng) => r.pick([`${r.below(12)}`, 'a', 'b', 'B', 'ab', 'a\0b', '']);

export const SORT: Weighted[] = [
  [2, (r) => ['RPUSH', key(r), ...[0, 1, 2, 3].map(() => number(r))]],
  [1, (r) => ['RPUSH', key(r), ...[0, 1, 2, 3].map(() => word(r))]],
  [4, (r) => [name(r), key(r), ...order(r), ...maybe(r, 'ALPHA'), ...limit(r), ...gets(r)]],
  [2, (r) => ['SORT', key(r), ...order(r), ...maybe(r, 'ALPHA'), ...limit(r), ...store(r)]],
  [2, (r) => ['SORT', key(r), 'BY', 'k*', ...order(r), ...limit(r), ...gets(r), ...store(r)]],
  [2, (r) => ['SORT', key(r), 'BY', pattern(r), ...order(r), ...maybe(r, 'ALPHA'), ...gets(r)]],
  [1, (r) => [name(r), key(r), 'BY', 'nosort', ...order(r), ...gets(r)]],
  [1, (r) => [name(r), key(r), ...order(r), r.pick(['LIMIT', 'BY', 'GET', 'STORE', 'x'])]],
];
