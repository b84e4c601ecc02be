// Random commands over streams. Ids come from a small range or follow the last one, and times are
// so far from now that a run's own length decides nothing; what waits or asks the clock is left
// out.

import type { Prng } from '../../support/prng.js';
import { key as anyKey, edge, type Make, maybe, times, value, type Weighted } from './common.js';

const WORDS = ['-', '+', '$', '>', '*', '1-*', 'x', '', '1-1-1', '18446744073709551615'];
const LAST_IDS = ['18446744073709551615-18446744073709551615', '18446744073709551615-0'];
const AGES = ['0', '0', '0', '1000000000', '9223372036854775807', '-1', 'x'];

/** Mostly keys that other families leave alone, or nearly all would be of the wrong type. */
const key = (r: Prng): string => (r.once(4) ? anyKey(r) : `k${20 + r.below(4)}`);
/** Where most streams end: entries with this time can nearly always be added. */
const END = 60;

const id = (r: Prng): string => {
  if (r.once(40)) return r.pick(WORDS);
  if (r.once(3)) return `${END}-${r.below(30)}`;
  return r.range(1, END) + (r.once(4) ? '' : `-${r.below(4)}`);
};
const newId = (r: Prng): string => {
  if (r.once(200)) return r.pick(LAST_IDS);
  const given = r.once(4) ? id(r) : '*';
  // the clock is not asked
  return given === '*' ? `${r.once(3) ? r.range(1, END) : END}-*` : given;
};
/** For reading: "+" there is newer than the oracle. */
const readId = (r: Prng): string => {
  const given = id(r);
  return given === '+' ? '-' : given;
};
const edgeId = (r: Prng): string => (r.once(5) ? '(' : '') + id(r);
const from = (r: Prng): string => (r.once(2) ? '-' : edgeId(r));
const to = (r: Prng): string => (r.once(2) ? '+' : edgeId(r));
const group = (r: Prng): string => r.pick(['g', 'g', 'g2', 'none']);
const consumer = (r: Prng): string => r.pick(['alice', 'bob', 'c', '']);
const number = (r: Prng): string => (r.once(15) ? edge(r) : String(r.range(0, 12)));
const field = (r: Prng): string => r.pick(['f', 'g', '12', 'long field name']);
const count = (r: Prng): string[] => maybe(r, 'COUNT', number(r));

const trimming: Make = (r) => {
  const length = r.once(2);
  const sign = r.pick([[], ['='], ['~'], ['~']]);
  const threshold = length ? String(r.once(20) ? edge(r) : r.range(0, 60)) : id(r);
  const limit = r.once(4) ? ['LIMIT', number(r)] : [];
  return [length ? 'MAXLEN' : 'MINID', ...sign, threshold, ...limit];
};
/** Mostly the same fields, as logs have them. */
const fields: Make = (r) => {
  if (r.once(40)) return ['f'];
  if (r.once(4)) return times(r, 4, (p) => [field(p), value(p)]).flat();
  return ['f', value(r), 'g', String(r.below(1000))];
};
const adding: Make = (r) => [
  ...(r.once(20) ? ['NOMKSTREAM'] : []),
  ...(r.once(6) ? trimming(r) : []),
  newId(r),
  ...fields(r),
];
const read: Make = (r) => {
  const keys = [key(r), ...(r.once(4) ? [key(r)] : [])];
  return [...count(r), 'STREAMS', ...keys, ...keys.map(() => (r.once(8) ? '$' : readId(r)))];
};
const readGroup: Make = (r) => {
  const keys = [key(r), ...(r.once(6) ? [key(r)] : [])];
  const ids = keys.map(() => (r.once(4) ? readId(r) : '>'));
  return [...count(r), ...(r.once(6) ? ['NOACK'] : []), 'STREAMS', ...keys, ...ids];
};
const claimOption: Make = (r) =>
  r.pick([
    ['TIME', r.pick(['1000', '5', '-1', 'x', '4102444800000'])],
    ['IDLE', r.pick(['0', '2000000000', '3000000000', '-1', 'x'])],
    ['RETRYCOUNT', number(r)],
    ['LASTID', id(r)],
    ['FORCE'],
    ['JUSTID'],
    ['FOO'],
  ]);
const pendingRange: Make = (r) => [
  ...(r.once(3) ? ['IDLE', r.pick(AGES)] : []),
  from(r),
  to(r),
  number(r),
  ...maybe(r, consumer(r)),
];
const position: Make = (r) => [
  r.once(3) ? '$' : id(r),
  ...(r.once(6) ? ['ENTRIESREAD', edge(r)] : []),
];

export const STREAM: Weighted[] = [
  [16, (r) => ['XADD', key(r), ...adding(r)]],
  [2, (r) => ['XTRIM', key(r), ...trimming(r)]],
  [3, (r) => ['XDEL', key(r), ...times(r, 4, id)]],
  [1, (r) => ['DEL', key(r)]],
  [1, (r) => ['XLEN', key(r)]],
  [2, (r) => ['XRANGE', key(r), from(r), to(r), ...count(r)]],
  [2, (r) => ['XREVRANGE', key(r), to(r), from(r), ...count(r)]],
  [3, (r) => ['XREAD', ...read(r)]],
  [4, (r) => ['XGROUP', 'CREATE', key(r), group(r), ...position(r), ...maybe(r, 'MKSTREAM')]],
  [1, (r) => ['XGROUP', 'SETID', key(r), group(r), ...position(r)]],
  [1, (r) => ['XGROUP', r.pick(['CREATECONSUMER', 'DELCONSUMER']), key(r), group(r), consumer(r)]],
  [1, (r) => ['XGROUP', 'DESTROY', key(r), group(r)]],
  [8, (r) => ['XREADGROUP', 'GROUP', group(r), consumer(r), ...readGroup(r)]],
  [3, (r) => ['XACK', key(r), group(r), ...times(r, 4, id)]],
  [1, (r) => ['XPENDING', key(r), group(r)]],
  [2, (r) => ['XPENDING', key(r), group(r), ...pendingRange(r)]],
  [
    4,
    (r) => [
      ...['XCLAIM', key(r), group(r), consumer(r), r.pick(AGES)],
      ...times(r, 4, id),
      ...times(r, 3, claimOption).flat(),
    ],
  ],
  [
    3,
    (r) => [
      ...['XAUTOCLAIM', key(r), group(r), consumer(r), r.pick(AGES), from(r)],
      ...count(r),
      ...maybe(r, 'JUSTID'),
    ],
  ],
  [2, (r) => ['XINFO', 'STREAM', key(r), ...maybe(r, 'FULL', ...count(r))]],
  [1, (r) => ['XINFO', 'GROUPS', key(r)]],
  [1, (r) => ['XINFO', 'CONSUMERS', key(r), group(r)]],
  [
    1,
    (r) => [
      ...['XSETID', key(r), id(r)],
      ...(r.once(3) ? ['ENTRIESADDED', edge(r)] : []),
      ...(r.once(3) ? ['MAXDELETEDID', id(r)] : []),
    ],
  ],
];
