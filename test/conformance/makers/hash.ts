// Random commands over hashes, and over the expiry of their fields. Random fields are asked for
// only where all of them are the answer; times are far away or past, never from now.

import type { Prng } from '../../support/prng.js';
import {
  EDGES,
  edge,
  FAR,
  FAR_MS,
  FLOATS,
  key,
  type Make,
  maybe,
  times,
  value,
  type Weighted,
} from './common.js';

/** More fields than any hash here has. */
const ALL = '100000';

const field = (r: Prng): string | Buffer => {
  switch (r.below(14)) {
    case 0:
      return value(r);
    case 1:
      return r.pick(EDGES);
    case 2:
      return `field:${r.below(700)}`;
    default:
      return `f${r.below(14)}`;
  }
};
const content = (r: Prng) => (r.once(3) ? value(r) : String(r.range(-3, 1000)));
const pair: Make = (r) => [field(r), content(r)];
const pairs: Make = (r) => [...pair(r), ...times(r, r.once(25) ? 300 : 4, pair).flat()];
const fields: Make = (r) => [field(r), ...times(r, 4, field)];
const scanOptions: Make = (r) => [
  ...maybe(r, 'MATCH', r.pick(['*', 'f*', 'f?', '[0-9]*'])),
  ...(r.once(15) ? ['COUNT', r.pick(['0', '-1', 'x', ''])] : ['COUNT', ALL]),
];
const someCount = (r: Prng) => r.pick([ALL, ALL, '0', 'x', '9223372036854775807', '-0']);

export const HASH: Weighted[] = [
  [
    9,
    (r) => [r.pick(['HSET', 'HSET', 'HMSET']), key(r), ...pairs(r), ...(r.once(12) ? ['x'] : [])],
  ],
  [2, (r) => ['HSETNX', key(r), ...pair(r)]],
  [4, (r) => ['HGET', key(r), field(r)]],
  [3, (r) => ['HMGET', key(r), ...fields(r)]],
  [3, (r) => ['HGETALL', key(r)]],
  [2, (r) => [r.pick(['HKEYS', 'HVALS']), key(r)]],
  [2, (r) => ['HLEN', key(r)]],
  [2, (r) => [r.pick(['HSTRLEN', 'HEXISTS']), key(r), field(r)]],
  [5, (r) => ['HDEL', key(r), ...fields(r)]],
  [3, (r) => ['HINCRBY', key(r), field(r), edge(r)]],
  [3, (r) => ['HINCRBYFLOAT', key(r), field(r), r.pick(FLOATS)]],
  [2, (r) => ['HRANDFIELD', key(r), someCount(r), ...maybe(r, r.pick(['WITHVALUES', 'FOO']))]],
  [2, (r) => ['HSCAN', key(r), '0', ...scanOptions(r)]],
  [1, (r) => [r.pick(['HSET', 'HGET', 'HDEL', 'HINCRBY', 'HSETNX', 'HRANDFIELD', 'HSCAN'])]],
];

const FIELD_TIMES = ['70368744177', '70368744178', '-1', 'x', '9223372036854775807', '1.5', ''];
const time = (r: Prng) =>
  r.once(10) ? r.pick(FIELD_TIMES) : r.once(12) ? r.pick(['0', '1']) : r.pick(FAR);
const timeMs = (r: Prng) =>
  r.once(10)
    ? r.pick([...FIELD_TIMES, '70368744177663', '70368744177664'])
    : r.once(12)
      ? r.pick(['0', '1'])
      : r.pick(FAR_MS);
const named = (r: Prng, list: readonly (string | Buffer)[], width = 1): (string | Buffer)[] => [
  r.once(20) ? r.pick(['FOO', 'fields']) : 'FIELDS',
  r.once(15) ? r.pick(['0', '-1', 'x', '1', '2', '9999999999']) : String(list.length / width),
  ...list,
];
const when: Make = (r) => maybe(r, r.pick(['NX', 'XX', 'GT', 'LT', 'lt', 'FOO']));
const at: Make = (r) => (r.once(2) ? ['EXAT', time(r)] : ['PXAT', timeMs(r)]);
/** An option in its place, or one that is not: twice, unknown, without a time. */
const getOption: Make = (r) =>
  r.once(8) ? [...at(r), ...r.pick([['PERSIST'], ['EXAT'], ['KEEPTTL'], []])] : at(r);
const setOptions: Make = (r) => [
  ...maybe(r, r.pick(['FNX', 'FXX', 'fxx'])),
  ...(r.once(2) ? at(r) : maybe(r, 'KEEPTTL')),
  ...(r.once(15) ? [r.pick(['FNX', 'KEEPTTL', 'PERSIST', 'EXAT', 'FOO'])] : []),
];
const smallPairs: Make = (r) => [...pair(r), ...times(r, 4, pair).flat()];

/** For an oracle of Redis 8.0 and later. */
export const HASH_EXPIRE: Weighted[] = [
  [6, (r) => ['HEXPIREAT', key(r), time(r), ...when(r), ...named(r, fields(r))]],
  [6, (r) => ['HPEXPIREAT', key(r), timeMs(r), ...when(r), ...named(r, fields(r))]],
  [
    1,
    (r) => [
      r.pick(['HEXPIRE', 'HPEXPIRE']),
      key(r),
      r.pick(['0', '-1', 'x']),
      ...when(r),
      ...named(r, fields(r)),
    ],
  ],
  [4, (r) => [r.pick(['HEXPIRETIME', 'HPEXPIRETIME']), key(r), ...named(r, fields(r))]],
  [3, (r) => ['HPERSIST', key(r), ...named(r, fields(r))]],
  [2, (r) => ['HGETDEL', key(r), ...named(r, fields(r))]],
  [3, (r) => ['HGETEX', key(r), ...getOption(r), ...named(r, fields(r))]],
  [1, (r) => ['HGETEX', key(r), ...maybe(r, 'PERSIST'), ...named(r, fields(r))]],
  [6, (r) => ['HSETEX', key(r), ...setOptions(r), ...named(r, smallPairs(r), 2)]],
  [1, (r) => ['HSCAN', key(r), '0', 'COUNT', ALL, 'NOVALUES']],
  [1, (r) => ['HTTL', key(r), ...named(r, [`gone${r.below(9)}`])]],
];
