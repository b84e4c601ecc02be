// Random commands over lists: every command that does not block, on lists short and long.

import type { Prng } from '../../support/prng.js';
import { edge, key, type Make, maybe, times, value, type Weighted } from './common.js';

/** Few different elements, so that searches find some, and now and then any value. */
const element = (r: Prng) =>
  r.once(3) ? value(r) : r.pick(['a', 'b', 'c', '1', '2', '300', '-5000', 'x'.repeat(70)]);
const end = (r: Prng) => (r.once(25) ? 'MIDDLE' : r.pick(['LEFT', 'RIGHT', 'left', 'right']));
const many = (r: Prng) => (r.once(20) ? 300 : 6);
const place = (r: Prng) => (r.once(10) ? edge(r) : String(r.range(-12, 12)));
const elements: Make = (r) => [element(r), ...times(r, many(r), element)];
const posOption: Make = (r) => [
  r.once(20) ? 'FOO' : r.pick(['RANK', 'COUNT', 'MAXLEN', 'rank']),
  r.once(10) ? edge(r) : String(r.range(-1, 5)),
];

export const LIST: Weighted[] = [
  [8, (r) => [r.pick(['LPUSH', 'RPUSH']), key(r), ...elements(r)]],
  [2, (r) => [r.pick(['LPUSHX', 'RPUSHX']), key(r), ...elements(r)]],
  [4, (r) => [r.pick(['LPOP', 'RPOP']), key(r), ...(r.once(2) ? [place(r)] : [])]],
  [1, (r) => ['LLEN', key(r)]],
  [3, (r) => ['LRANGE', key(r), ...(r.once(2) ? ['0', '-1'] : [place(r), place(r)])]],
  [2, (r) => ['LINDEX', key(r), place(r)]],
  [3, (r) => ['LSET', key(r), place(r), element(r)]],
  [
    3,
    (r) => [
      'LINSERT',
      key(r),
      r.once(25) ? 'AT' : r.pick(['BEFORE', 'AFTER']),
      element(r),
      element(r),
    ],
  ],
  [3, (r) => ['LREM', key(r), r.once(2) ? '0' : place(r), element(r)]],
  [2, (r) => ['LTRIM', key(r), r.once(2) ? '0' : place(r), place(r)]],
  [3, (r) => ['LPOS', key(r), element(r), ...times(r, 3, posOption).flat()]],
  [4, (r) => ['LMOVE', key(r), key(r), end(r), end(r)]],
  [3, (r) => ['RPOPLPUSH', key(r), key(r)]],
  [
    3,
    (r) => {
      const keys = [key(r), ...times(r, 2, key)];
      const count = r.once(15) ? edge(r) : String(keys.length);
      return ['LMPOP', count, ...keys, end(r), ...(r.once(2) ? ['COUNT', place(r)] : [])];
    },
  ],
  [2, (r) => ['DUMP', key(r)]],
  [1, (r) => [r.pick(['LPUSH', 'LMOVE', 'LSET', 'LMPOP', 'LPOS', 'LREM']), ...maybe(r, key(r))]],
];
