// Random commands over sets. Random members are asked for only where all of them are the answer.

import type { Prng } from '../../support/prng.js';
import { EDGES, edge, key, type Make, maybe, times, value, type Weighted } from './common.js';

/** More members than any set here has. */
const ALL = '100000';

/** Mostly integers, so that sets stay sets of integers for a while, and few different ones. */
function member(r: Prng): string | Buffer {
  switch (r.below(12)) {
    case 0:
      return value(r);
    case 1:
      return r.pick(EDGES);
    case 2:
    case 3:
      return `m${r.below(20)}`;
    default:
      return String(r.range(-4, 30));
  }
}

const members: Make = (r) => [member(r), ...times(r, r.once(20) ? 150 : 5, member)];
const integers: Make = (r) => [...times(r, r.once(3) ? 300 : 9, (p) => String(p.range(0, 1200)))];
const options: Make = (r) =>
  r.pick([['LIMIT', edge(r)], ['LIMIT', String(r.below(5))], ['LIMIT'], ['FOO', '1'], []]);
const scanOptions: Make = (r) => [
  ...maybe(r, 'MATCH', r.pick(['*', '[0-9]', 'm*', '?'])),
  ...(r.once(15) ? ['COUNT', r.pick(['0', '-1', 'x', ''])] : ['COUNT', ALL]),
];

export const SET: Weighted[] = [
  [9, (r) => ['SADD', key(r), ...members(r)]],
  [3, (r) => ['SADD', key(r), ...integers(r)]],
  [5, (r) => ['SREM', key(r), ...members(r)]],
  [1, (r) => ['SREM', key(r), ...integers(r)]],
  [3, (r) => ['SMOVE', key(r), key(r), member(r)]],
  [2, (r) => ['SCARD', key(r)]],
  [2, (r) => ['SISMEMBER', key(r), member(r)]],
  [2, (r) => ['SMISMEMBER', key(r), ...members(r)]],
  [3, (r) => ['SMEMBERS', key(r)]],
  [2, (r) => ['SSCAN', key(r), '0', ...scanOptions(r)]],
  [1, (r) => ['SPOP', key(r), r.pick([ALL, '0', '-1', 'x', ''])]],
  [1, (r) => ['SRANDMEMBER', key(r), r.pick([ALL, ALL, ALL, '0', 'x', '9223372036854775807'])]],
  [4, (r) => [r.pick(['SINTER', 'SUNION', 'SDIFF']), key(r), ...times(r, 4, key)]],
  [
    6,
    (r) => [
      r.pick(['SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE']),
      key(r),
      ...times(r, r.once(8) ? 40 : 3, key),
    ],
  ],
  [2, (r) => ['SINTERCARD', r.pick(['1', '2', '2', '2', edge(r)]), key(r), key(r), ...options(r)]],
  [1, (r) => [r.pick(['SADD', 'SREM', 'SMOVE', 'SCARD', 'SINTER', 'SINTERCARD', 'SSCAN'])]],
];
