// Seeded random commands for two servers: small key space, mixed types, wrong arities, wrong
// types and extreme numbers. Replies are compared raw, whole keyspaces at the end. Only commands
// whose replies are determined are made (no RANDOMKEY, no order
// of KEYS, no short TTLs, no DBSIZE, which counts keys that are expired and not yet removed).
// From the command line: node test/conformance/random.mjs --seed N --ops N

import { encodeCommand, show } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { compareKeyspaces } from '../support/keyspace.js';
import { Prng } from '../support/prng.js';
import { parseReply } from '../support/resp.js';
import { payload } from './lines.js';
import type { Endpoint } from './runner.js';

export interface RandomOptions {
  seed: number;
  ops: number;
  /** Commands in one write, at most. */
  batchMax?: number;
}

const PAYLOADS = [
  ...['str', 'str_int', 'str_lzf', 'list', 'list_big', 'set_int16', 'set', 'hash', 'hash_big'],
  ...['zset', 'zset_big', 'stream', 'stream_groups', 'hll'],
];
const EDGES = [
  ...['0', '1', '-1', '2', '7', '8', '10', '63', '64', '100', '-100', '127', '128', '255', '256'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '4294967296'],
  ...['2147483647', '2147483648', '1.5', '-0.1', '1e3', 'abc', '', ' 1', '01', 'inf', 'nan'],
];
const EXPIRY_EDGES = [
  ...['0', '-1', '100000000', '9223372036854775807', '-9223372036854775808', '1.5', 'abc', ''],
  ...['9223372036854775808', '9223372036854775', '9223372036854776', '01'],
];
const FLOATS = ['0.1', '-3.75', '1e10', '2.5e-5', '100', '-1', '1e300', 'inf', 'nan', 'x', '0'];
const FAR = ['4102444800', '4102444801', '5000000000', '4000000000'];
const SOLE = ['NX', 'XX', 'nx', 'FOO'];
const FAR_MS = ['4102444800000', '4102444800001', '5000000000123'];

type Make = (r: Prng) => (string | Buffer)[];

const key = (r: Prng) => `k${r.below(12)}`;
const offset = (r: Prng) => String(r.once(12) ? r.pick(['-1', 'x', '4294967296']) : r.below(200));
const edge = (r: Prng) => (r.once(3) ? r.pick(EDGES) : String(r.range(-20, 60)));
const maybe = (r: Prng, ...words: string[]) => (r.once(2) ? words : []);
const times = <T>(r: Prng, max: number, make: (r: Prng) => T): T[] =>
  Array.from({ length: r.below(max + 1) }, () => make(r));

function value(r: Prng): string | Buffer {
  switch (r.below(8)) {
    case 0:
      return r.pick(EDGES);
    case 1:
      return String(r.u32());
    case 2:
      return r.bytes(r.below(40));
    case 3:
      return 'ab'.repeat(r.below(300));
    case 4:
      return 'x'.repeat(r.range(40, 70));
    default:
      return `value:${r.below(1000)}`;
  }
}

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

const MAKERS: [weight: number, make: Make][] = [
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
const ROULETTE = MAKERS.flatMap(([weight, make]) => Array<Make>(weight).fill(make));

/** DUMP of a hash table has no defined order, so it is not asked for in random runs. */
const UNORDERED = new Set([2, 4]);

export interface RandomDifference {
  index: number;
  command: string;
  oracle: string;
  subject: string;
  /** The commands before it that name one of its keys, oldest first. */
  history: string[];
}

/** Runs and stops at the first difference; undefined when there was none. */
export async function runRandom(
  oracle: Endpoint,
  subject: Endpoint,
  { seed, ops, batchMax = 40 }: RandomOptions,
): Promise<RandomDifference | undefined> {
  const prng = new Prng(seed);
  const [a, b] = await Promise.all([
    RawConnection.open(oracle.port),
    RawConnection.open(subject.port),
  ]);
  const log: (string | Buffer)[][] = [];
  const difference = (index: number, left: string, right: string): RandomDifference => ({
    index,
    command: text(log[index] ?? ['(keyspaces)']),
    oracle: left,
    subject: right,
    history: historyOf(log, index),
  });
  try {
    for (const connection of [a, b]) await connection.pipeline([['FLUSHALL'], ['SELECT', '0']]);
    while (log.length < ops) {
      const start = log.length;
      const size = prng.range(1, batchMax);
      const batch = Array.from({ length: size }, () => prng.pick(ROULETTE)(prng));
      log.push(...batch);
      const [left, right] = await Promise.all([a.pipeline(batch), b.pipeline(batch)]);
      for (const [i, reply] of left.entries()) {
        if (reply.equals(right[i]!) || isUnorderedDump(batch[i]!, reply, right[i]!)) continue;
        return difference(start + i, show(reply), show(right[i]));
      }
    }
    for (const connection of [a, b]) await connection.pipeline([['DISCARD'], ['SELECT', '0']]);
    const why = await compareKeyspaces(a, b, { databases: 3 });
    return why.length > 0 ? difference(log.length, why.join('\n'), '') : undefined;
  } finally {
    a.close();
    b.close();
  }
}

function isUnorderedDump(args: (string | Buffer)[], left: Buffer, right: Buffer): boolean {
  if (!['DUMP', 'EXEC'].includes(String(args[0])) || left.length !== right.length) return false;
  const [a, b] = [parseReply(left), parseReply(right)];
  const pairs = 'items' in a && 'items' in b ? a.items.map((x, i) => [x, b.items[i]!]) : [[a, b]];
  return pairs.every(([x, y]) => {
    if (JSON.stringify(x, bigints) === JSON.stringify(y, bigints)) return true;
    if (x?.type !== 'bulk' || y?.type !== 'bulk' || x.text.length !== y.text.length) return false;
    return UNORDERED.has(x.text.charCodeAt(0)) && x.text[0] === y.text[0];
  });
}

const bigints = (_: string, item: unknown) => (typeof item === 'bigint' ? String(item) : item);

function text(args: (string | Buffer)[]): string {
  return args
    .map((arg) => show(Buffer.isBuffer(arg) ? arg : Buffer.from(arg, 'latin1'), 60) || '""')
    .join(' ');
}

function historyOf(log: (string | Buffer)[][], index: number): string[] {
  const isKey = (arg: string | Buffer) => typeof arg === 'string' && /^k\d+$/.test(arg);
  const keys = new Set((log[index] ?? []).filter(isKey));
  return log
    .slice(0, index)
    .filter(
      (args) => args.some((arg) => keys.has(arg)) || /^(SWAP|SEL|MUL|EX|DIS)/.test(`${args[0]}`),
    )
    .slice(-25)
    .map(text);
}

/** Bytes of a run's commands, for replaying them by other means. */
export function recordRandom({ seed, ops }: RandomOptions): Buffer {
  const prng = new Prng(seed);
  return Buffer.concat(Array.from({ length: ops }, () => encodeCommand(prng.pick(ROULETTE)(prng))));
}

export function describeRandom(seed: number, found: RandomDifference): string {
  const { index, command, oracle, subject, history } = found;
  return [
    `seed ${seed}, command ${index}: ${command}`,
    `    redis:   ${oracle}`,
    `    subject: ${subject}`,
    '  after (same keys):',
    ...history.map((line) => `    ${line}`),
  ].join('\n');
}
