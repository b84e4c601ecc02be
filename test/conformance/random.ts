// Seeded random commands for two servers: small key space, mixed types, wrong arities, wrong
// types and extreme numbers. Replies are compared raw, whole keyspaces at the end. Only commands
// whose replies are determined are made (no RANDOMKEY, no order
// of KEYS, no short TTLs, no DBSIZE, which counts keys that are expired and not yet removed).
// From the command line: node test/conformance/random.mjs --seed N --ops N

import { encodeCommand, show } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { compareKeyspaces } from '../support/keyspace.js';
import { Prng } from '../support/prng.js';
import { parseReply, type Reply } from '../support/resp.js';
import { isStream, streamDifference } from '../support/stream-dump.js';
import type { Make } from './makers/common.js';
import { drawCommands } from './makers/index.js';
import { sameTimes } from './masks.js';
import type { Endpoint } from './runner.js';

export interface RandomOptions {
  seed: number;
  ops: number;
  /** Commands in one write, at most. */
  batchMax?: number;
  /** What is drawn from; every family that redis-server 7.0 knows by default. */
  makes?: readonly Make[];
  /** The oracle writes other RDB formats: DUMP is not asked for, values are compared by a judge. */
  valuesOnly?: boolean;
}

/** DUMP of a hash table has no defined order, so it is not asked for in random runs. */
const UNORDERED = new Set([2, 4, 24]);

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
  { seed, ops, batchMax = 40, makes, valuesOnly = false }: RandomOptions,
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
      const drawn = drawCommands(prng, size, makes);
      const batch = valuesOnly ? drawn.filter(([name]) => name !== 'DUMP') : drawn;
      log.push(...batch);
      const [left, right] = await Promise.all([a.pipeline(batch), b.pipeline(batch)]);
      for (const [i, reply] of left.entries()) {
        if (reply.equals(right[i]!) || isSameUnordered(batch[i]!, reply, right[i]!)) continue;
        return difference(start + i, show(reply), show(right[i]));
      }
    }
    for (const connection of [a, b]) await connection.pipeline([['DISCARD'], ['SELECT', '0']]);
    const why = await compareKeyspaces(a, b, { databases: 3, valuesOnly });
    return why.length > 0 ? difference(log.length, why.join('\n'), '') : undefined;
  } finally {
    a.close();
    b.close();
  }
}

/** Replies whose elements may come in any order, or tell of times. */
const ANY_ORDER = new Set([
  ...['DUMP', 'EXEC', 'SORT', 'SORT_RO', 'XINFO', 'XPENDING'],
  ...['SMEMBERS', 'SINTER', 'SUNION', 'SDIFF', 'SPOP', 'SRANDMEMBER', 'SSCAN'],
  ...['HGETALL', 'HKEYS', 'HVALS', 'HRANDFIELD', 'HSCAN'],
]);

/** Whether replies differ only where Redis defines no order, or in when something happened. */
function isSameUnordered(args: (string | Buffer)[], left: Buffer, right: Buffer): boolean {
  const name = String(args[0]);
  if (!ANY_ORDER.has(name)) return false;
  const [a, b] = [parseReply(left), parseReply(right)];
  const words = args.slice(2).map((arg) => String(arg).toUpperCase());
  if (name.startsWith('SORT') && !words.includes('BY') && !words.includes('GET')) {
    return isSameSorted(a, b, words.includes('ALPHA'));
  }
  if (name !== 'EXEC') return isSamePart(a, b);
  return 'items' in a && 'items' in b && a.items.every((x, i) => isSamePart(x, b.items[i]!));
}

/** Elements that sort alike may stand in any order, and LIMIT may leave out any of them. */
function isSameSorted(a: Reply, b: Reply, isAlpha: boolean): boolean {
  if (!('items' in a && 'items' in b) || a.items.length !== b.items.length) return false;
  return a.items.every((x, i) => {
    const y = b.items[i]!;
    if (!('text' in x && 'text' in y)) return x.type === y.type;
    // Redis collates C strings: what follows a NUL does not count.
    if (isAlpha) return x.text.split('\0')[0] === y.text.split('\0')[0];
    return x.text === y.text || Number(x.text) === Number(y.text);
  });
}

/** The same for one reply: DUMPs of hash tables of one size, arrays of the same elements. */
function isSamePart(a: Reply, b: Reply): boolean {
  if (sortedText(a) === sortedText(b)) return true;
  if (a.type === 'array' && b.type === 'array') return sameTimes(a, b);
  if (a.type !== 'bulk' || b.type !== 'bulk' || a.text.length !== b.text.length) return false;
  const [x, y] = [Buffer.from(a.text, 'latin1'), Buffer.from(b.text, 'latin1')];
  if (isStream(x) && isStream(y)) return streamDifference(x, y, 'timeless') === '';
  return UNORDERED.has(x[0]!) && x[0] === y[0];
}

/** A reply as text, with the elements of all arrays in it sorted. */
function sortedText(reply: Reply): string {
  if (!('items' in reply)) return JSON.stringify(reply, bigints);
  return `${reply.type}[${reply.items.map(sortedText).sort().join()}]`;
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
  return Buffer.concat(drawCommands(prng, ops).map((args) => encodeCommand(args)));
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
