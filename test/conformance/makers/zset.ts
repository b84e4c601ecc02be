// Random commands over sorted sets. Ranges by bytes go to keys of their own whose scores are all
// equal: otherwise a skiplist answers by how it was built. No random choice, no ZSCAN of tables.

import type { Prng } from '../../support/prng.js';
import { edge, type Make, maybe, key as sharedKey, times, type Weighted } from './common.js';

const SCORES = [
  ...['0', '-0', '1', '-1', '2', '3', '0.1', '-0.1', '1e3', '1e17', '-2.5e-7', '1e308', '-1e308'],
  ...['inf', '-inf', '+inf', '0x10', '5e-324', '9007199254740993', '9223372036854775807'],
];
const BAD_SCORES = ['nan', 'x', '', ' 1', '1e309', '1e-400', '1.'];
const MEMBERS = ['', '1', '-1', '01', '1.0', '9223372036854775807', '\x00', '\xff', 'x'.repeat(65)];

/** Mostly a key that only these makers write, or nearly all would answer WRONGTYPE. */
const key = (r: Prng) => (r.once(4) ? sharedKey(r) : `k${r.range(30, 36)}`);
const score = (r: Prng): string => {
  if (r.once(40)) return r.pick(BAD_SCORES);
  return r.once(2) ? r.pick(SCORES) : String(r.once(4) ? r.range(-400, 400) / 8 : r.range(-9, 9));
};
const member = (r: Prng): string => {
  if (r.once(12)) return r.pick(MEMBERS);
  return r.once(60) ? 'y'.repeat(r.range(60, 70)) : `m${r.below(40)}`;
};
const pairs: Make = (r) => times(r, 6, (p) => [score(p), member(p)]).flat();
const pair: Make = (r) => [score(r), member(r)];
const addOption: Make = (r) =>
  maybe(r, r.pick(['NX', 'XX', 'GT', 'LT', 'CH', 'INCR', 'ch', 'FOO']));
const bound = (r: Prng) => {
  if (r.once(4)) return r.pick(['-inf', '+inf', '(-inf', '(inf', 'inf', 'x', '(', '']);
  return maybe(r, '(').concat(score(r)).join('');
};
const limit: Make = (r) => ['LIMIT', edge(r), edge(r)];
const numbered = (r: Prng, keys: string[]) => [
  String(r.once(25) ? r.range(-1, 5) : keys.length),
  ...keys,
];
const inputs: Make = (r) => numbered(r, [key(r), ...times(r, 3, key)]);
const weighed: Make = (r) => {
  const keys = [key(r), ...times(r, 2, key)];
  return [
    ...numbered(r, keys),
    ...(r.once(2) ? ['WEIGHTS', ...keys.map(() => score(r))] : []),
    ...maybe(r, 'AGGREGATE', r.pick(['SUM', 'MIN', 'MAX', 'max', 'x'])),
  ];
};
const withScores: Make = (r) => maybe(r, 'WITHSCORES');
const rangeOption: Make = (r) => maybe(r, r.pick(['REV', 'BYSCORE', 'BYLEX', 'FOO', 'rev']));
const which = (r: Prng) => r.pick(['MIN', 'MAX', 'min', 'x']);

const lexKey = (r: Prng) => `k${r.range(20, 23)}`;
const lexBound = (r: Prng): string => {
  if (r.once(4)) return r.pick(['-', '+', '[', '(', 'x', '']);
  return r.pick(['[', '(']) + member(r);
};

const LEX: Weighted[] = [
  [4, (r) => ['ZADD', lexKey(r), ...maybe(r, 'CH'), '0', member(r), '0', member(r)]],
  [1, (r) => ['ZREM', lexKey(r), member(r)]],
  [2, (r) => ['ZRANGEBYLEX', lexKey(r), lexBound(r), lexBound(r), ...(r.once(2) ? limit(r) : [])]],
  [
    1,
    (r) => ['ZREVRANGEBYLEX', lexKey(r), lexBound(r), lexBound(r), ...(r.once(2) ? limit(r) : [])],
  ],
  [1, (r) => ['ZRANGE', lexKey(r), lexBound(r), lexBound(r), 'BYLEX', ...maybe(r, 'REV')]],
  [1, (r) => ['ZLEXCOUNT', lexKey(r), lexBound(r), lexBound(r)]],
  [1, (r) => ['ZREMRANGEBYLEX', lexKey(r), lexBound(r), lexBound(r)]],
  [1, (r) => ['ZRANGESTORE', lexKey(r), lexKey(r), lexBound(r), lexBound(r), 'BYLEX', ...limit(r)]],
];

const READ: Weighted[] = [
  [2, (r) => [r.pick(['ZSCORE', 'ZRANK', 'ZREVRANK']), key(r), member(r)]],
  [1, (r) => ['ZMSCORE', key(r), ...times(r, 4, member)]],
  [1, (r) => ['ZCARD', key(r)]],
  [2, (r) => ['ZRANGE', key(r), edge(r), edge(r), ...withScores(r), ...rangeOption(r)]],
  [2, (r) => ['ZRANGE', key(r), bound(r), bound(r), 'BYSCORE', ...rangeOption(r), ...limit(r)]],
  [1, (r) => ['ZREVRANGE', key(r), edge(r), edge(r), ...withScores(r)]],
  [
    3,
    (r) => [
      r.pick(['ZRANGEBYSCORE', 'ZREVRANGEBYSCORE']),
      ...[key(r), bound(r), bound(r), ...withScores(r)],
      ...(r.once(3) ? limit(r) : []),
    ],
  ],
  [2, (r) => ['ZCOUNT', key(r), bound(r), bound(r)]],
  [3, (r) => [r.pick(['ZUNION', 'ZINTER']), ...weighed(r), ...withScores(r)]],
  [2, (r) => ['ZDIFF', ...inputs(r), ...withScores(r)]],
  [1, (r) => ['ZINTERCARD', ...inputs(r), ...maybe(r, 'LIMIT', edge(r))]],
  [1, (r) => ['ZRANDMEMBER', key(r), r.pick(['0', '100000', 'x']), ...withScores(r)]],
];

export const ZSET: Weighted[] = [
  ...LEX,
  ...READ,
  [8, (r) => ['ZADD', key(r), ...addOption(r), ...pairs(r), ...pair(r)]],
  [2, (r) => ['ZADD', key(r), ...addOption(r), ...addOption(r), ...addOption(r), ...pair(r)]],
  [1, (r) => ['ZADD', key(r), '3', ...times(r, 140, member).flatMap((m) => [m, score(r)]), 'last']],
  [3, (r) => ['ZINCRBY', key(r), score(r), member(r)]],
  [2, (r) => ['ZREM', key(r), ...times(r, 4, member)]],
  [1, (r) => ['ZREMRANGEBYRANK', key(r), edge(r), edge(r)]],
  [1, (r) => ['ZREMRANGEBYSCORE', key(r), bound(r), bound(r)]],
  [2, (r) => [r.pick(['ZPOPMIN', 'ZPOPMAX']), key(r), ...maybe(r, edge(r))]],
  [1, (r) => ['ZMPOP', ...inputs(r), which(r), ...maybe(r, 'COUNT', edge(r))]],
  [2, (r) => ['ZRANGESTORE', key(r), key(r), edge(r), edge(r), ...maybe(r, 'REV')]],
  [1, (r) => ['ZRANGESTORE', key(r), key(r), bound(r), bound(r), 'BYSCORE', ...rangeOption(r)]],
  [2, (r) => [r.pick(['ZUNIONSTORE', 'ZINTERSTORE']), key(r), ...weighed(r)]],
  [1, (r) => ['ZDIFFSTORE', key(r), ...inputs(r)]],
];
