// Random commands over strings, bitmaps, keys and their expiry, and transactions.

import type { Prng } from '../../support/prng.js';
import { payload } from '../lines.js';
import {
  EXPIRY_EDGES,
  edge,
  FAR,
  FAR_MS,
  FLOATS,
  key,
  type Make,
  maybe,
  offset,
  PAYLOADS,
  SOLE,
  times,
  value,
  type Weighted,
} from './common.js';

const expiry: Make = (r) =>
  r.pick([
    ['EX', '100000'],
    ['PX', '100000000'],
    ['EXAT', r.pick(FAR)],
    ['PXAT', r.pick(FAR_MS)],
    ['EX', r.pick(EXPIRY_EDGES)],
    ['PXAT', r.pick(EXPIRY_EDGES)],
    ['KEEPTTL'],
    ['PERSIST'],
  ]);
const setOptions: Make = (r) => [
  ...maybe(r, r.pick(['NX', 'XX', 'nx', 'GET', 'KEEPTTL'])),
  ...(r.once(3) ? expiry(r) : []),
  ...(r.once(4) ? [r.pick(['GET', 'XX', 'NX', 'FOO'])] : []),
];
const fieldType = (r: Prng) =>
  r.once(15) ? r.pick(['u64', 'i65', 'u0', 'x8']) : r.pick(['u', 'i']) + r.range(1, 63);
const fieldOffset = (r: Prng) => (r.once(2) ? '#' : '') + (r.once(20) ? '-1' : r.below(80));
const fieldOp: Make = (r) =>
  r.pick<() => string[]>([
    () => ['GET', fieldType(r), fieldOffset(r)],
    () => ['SET', fieldType(r), fieldOffset(r), edge(r)],
    () => ['INCRBY', fieldType(r), fieldOffset(r), edge(r)],
    () => ['OVERFLOW', r.pick(['WRAP', 'SAT', 'FAIL', 'sat', 'x'])],
  ])();
const when: Make = (r) => maybe(r, r.pick(['NX', 'XX', 'GT', 'LT']));
const unit = (r: Prng) => maybe(r, r.pick(['BIT', 'BYTE', 'FOO']));

export const KEYSPACE: Weighted[] = [
  [8, (r) => ['SET', key(r), value(r), ...setOptions(r)]],
  [6, (r) => ['GET', key(r)]],
  [2, (r) => ['GETEX', key(r), ...(r.once(2) ? expiry(r) : [])]],
  [1, (r) => ['GETDEL', key(r)]],
  [1, (r) => ['GETSET', key(r), value(r)]],
  [2, (r) => ['MGET', ...times(r, 5, key)]],
  [
    2,
    (r) => ['MSET', ...times(r, 3, (p) => [key(p), value(p)]).flat(), ...(r.once(9) ? ['x'] : [])],
  ],
  [1, (r) => ['MSETNX', ...times(r, 3, (p) => [key(p), value(p)]).flat()]],
  [3, (r) => ['APPEND', key(r), value(r)]],
  [2, (r) => ['STRLEN', key(r)]],
  [3, (r) => ['SETRANGE', key(r), offset(r), value(r)]],
  [3, (r) => [r.pick(['GETRANGE', 'SUBSTR']), key(r), edge(r), edge(r)]],
  [3, (r) => [r.pick(['INCR', 'DECR']), key(r)]],
  [3, (r) => [r.pick(['INCRBY', 'DECRBY']), key(r), edge(r)]],
  [3, (r) => ['INCRBYFLOAT', key(r), r.pick(FLOATS)]],
  [1, (r) => ['SETEX', key(r), r.pick(['100000', '0', '-1', 'x']), value(r)]],
  [1, (r) => ['PSETEX', key(r), r.pick(['100000000', '0', 'x']), value(r)]],
  [1, (r) => ['SETNX', key(r), value(r)]],
  [2, (r) => ['LCS', key(r), key(r), ...maybe(r, r.pick(['LEN', 'IDX', 'WITHMATCHLEN', 'FOO']))]],
  [1, (r) => ['LCS', key(r), key(r), 'IDX', 'MINMATCHLEN', edge(r), ...maybe(r, 'WITHMATCHLEN')]],
  [3, (r) => ['SETBIT', key(r), offset(r), r.pick(['0', '1', '1', '2'])]],
  [2, (r) => ['GETBIT', key(r), offset(r)]],
  [2, (r) => ['BITCOUNT', key(r), ...(r.once(3) ? [] : [edge(r), edge(r), ...unit(r)])]],
  [2, (r) => ['BITPOS', key(r), r.pick(['0', '1', '2']), ...maybe(r, edge(r))]],
  [2, (r) => ['BITPOS', key(r), r.pick(['0', '1']), edge(r), edge(r), ...unit(r)]],
  [3, (r) => ['BITOP', r.pick(['AND', 'OR', 'XOR', 'NOT', 'x']), key(r), ...times(r, 3, key)]],
  [4, (r) => ['BITFIELD', key(r), ...times(r, 4, fieldOp).flat()]],
  [1, (r) => ['BITFIELD_RO', key(r), ...times(r, 2, fieldOp).flat()]],
  [2, (r) => [r.pick(['DEL', 'UNLINK', 'EXISTS', 'TOUCH']), ...times(r, 3, key)]],
  [2, (r) => ['TYPE', key(r)]],
  [1, (r) => ['KEYS', key(r)]],
  [2, (r) => [r.pick(['RENAME', 'RENAMENX']), key(r), key(r)]],
  [2, (r) => ['COPY', key(r), key(r), ...maybe(r, 'REPLACE'), ...(r.once(5) ? ['DB', '1'] : [])]],
  [1, (r) => ['MOVE', key(r), r.pick(['0', '1', '2', '16', 'x'])]],
  [2, (r) => [r.pick(['EXPIRE', 'PEXPIRE']), key(r), r.pick(['-1', '0', 'x']), ...when(r)]],
  // GT and LT beside a time from now would depend on the millisecond
  [2, (r) => [r.pick(['EXPIRE', 'PEXPIRE']), key(r), '100000000', ...maybe(r, r.pick(SOLE))]],
  [2, (r) => ['EXPIREAT', key(r), r.once(6) ? r.pick(EXPIRY_EDGES) : r.pick(FAR), ...when(r)]],
  [2, (r) => ['PEXPIREAT', key(r), r.once(6) ? r.pick(EXPIRY_EDGES) : r.pick(FAR_MS), ...when(r)]],
  [1, (r) => ['PERSIST', key(r)]],
  [3, (r) => ['DUMP', key(r)]],
  [4, (r) => ['RESTORE', key(r), '0', payload(r.pick(PAYLOADS)), ...maybe(r, 'REPLACE')]],
  [1, (r) => ['RESTORE', key(r), r.pick(FAR_MS), payload(r.pick(PAYLOADS)), 'REPLACE', 'ABSTTL']],
  [2, (r) => ['OBJECT', 'ENCODING', key(r)]],
  [1, (r) => ['SELECT', r.pick(['0', '0', '1', '2', 'x', '99'])]],
  [1, (r) => ['SWAPDB', r.pick(['0', '1', '2']), r.pick(['0', '1', 'x'])]],
  [1, (r) => [r.pick(['MULTI', 'EXEC', 'EXEC', 'DISCARD', 'UNWATCH'])]],
  [1, (r) => ['WATCH', key(r)]],
  [1, (r) => [r.pick(['GET', 'SET', 'NOSUCH', 'OBJECT', 'INCRBY', 'RENAME', 'PING', 'ECHO'])]],
];
