// Fuzzer `commands`: every command of the table with random and extreme arguments. Each must be
// answered by exactly one well-formed reply (or a closed connection), whatever its arguments.

import { COMMAND_NAMES } from '../../host/commands/generated/table.js';
import { encodeCommand } from '../support/bytes.js';
import type { Prng } from '../support/prng.js';
import { FrameReader, parseReply } from '../support/resp.js';
import { type Case, type Fuzzer, HostUnderTest } from './fuzzer.js';

type Arg = string | Buffer;

/**
 * Commands that end the server, close the client, take replies away, or answer when another server
 * does: not for this fuzzer.
 */
const LEFT_OUT = new Set([
  ...['shutdown', 'quit', 'client|reply', 'client|kill', 'replicaof', 'slaveof', 'psync', 'sync'],
  ...['replconf', 'monitor', 'subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe'],
  ...['punsubscribe', 'sunsubscribe', 'debug', 'failover', 'config|set'],
  'migrate',
]);
const NAMES = COMMAND_NAMES.filter((name) => !LEFT_OUT.has(name));

const NUMBERS = [
  ...['0', '1', '-1', '2', '10', '255', '256', '65535', '65536', '2147483647', '2147483648'],
  ...['-2147483648', '-2147483649', '4294967295', '4294967296', '536870911', '536870912'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808'],
  ...['18446744073709551615', '18446744073709551616', '99999999999999999999999999'],
  ...['1.5', '-0', '00', '+1', ' 1', '1 ', '1e400', 'inf', '-inf', 'nan', '0x10', '1e-400'],
];
const WORDS = [
  ...['EX', 'PX', 'EXAT', 'PXAT', 'NX', 'XX', 'GT', 'LT', 'GET', 'KEEPTTL', 'PERSIST', 'MATCH'],
  ...['COUNT', 'TYPE', 'BIT', 'BYTE', 'AND', 'OR', 'XOR', 'NOT', 'SET', 'INCRBY', 'OVERFLOW'],
  ...['WRAP', 'SAT', 'FAIL', 'u63', 'i64', 'u64', 'i1', '#0', '#1', '#-1', 'IDX', 'LEN'],
  ...['MINMATCHLEN', 'WITHMATCHLEN', 'REPLACE', 'ABSTTL', 'IDLETIME', 'FREQ', 'DB', 'ASYNC'],
  ...['SYNC', 'TO', 'string', 'list', 'ID', 'LIMIT', 'REV', 'BYSCORE', 'BYLEX', 'WITHSCORES'],
  ...['STREAMS', 'GROUP', '$', '>', '*', '0-0', '-', '+', '[a', '(a', '(1', 'LEFT', 'RIGHT'],
  ...['BEFORE', 'AFTER', 'WEIGHTS', 'AGGREGATE', 'SUM', 'MAXLEN', '~', '=', 'MKSTREAM', 'SAMPLES'],
];
const GLOBS = ['*', '?', '[a-', '[^', '\\', '[]', '*a*a*a*a*a*b', '**', '[z-a]', '\\x', ''];

const HAN = 'k\u0000\r\n'.padEnd(9, 'é');

function key(r: Prng): Arg {
  return r.once(10) ? r.pick(['', HAN, 'x'.repeat(300), r.bytes(r.below(20))]) : `k${r.below(20)}`;
}

function argument(r: Prng): Arg {
  switch (r.below(9)) {
    case 0:
    case 1:
      return r.pick(NUMBERS);
    case 2:
    case 3:
      return r.pick(WORDS);
    case 4:
      return r.pick(GLOBS);
    case 5:
      return r.bytes(r.below(r.once(20) ? 5000 : 60));
    case 6:
      return String(r.range(-50, 200));
    default:
      return key(r);
  }
}

function one(r: Prng): Arg[] {
  if (r.once(40)) return ['*'.repeat(r.range(1, 3)), argument(r)];
  const name = r.pick(NAMES);
  const args: Arg[] = name.split('|');
  if (r.once(4)) args[0] = (args[0] as string).toUpperCase();
  const count = r.once(30) ? r.below(60) : r.below(7);
  for (let i = 0; i < count; i++) args.push(i === 0 && !r.once(4) ? key(r) : argument(r));
  return args;
}

/** Values to work on, so that commands meet more than missing keys. */
function filled(r: Prng): Arg[] {
  return r.once(3)
    ? ['SET', key(r), argument(r)]
    : ['SET', `k${r.below(20)}`, r.bytes(r.below(90))];
}

export function randomCommands(r: Prng, count: number): Arg[][] {
  return Array.from({ length: count }, () => (r.once(4) ? filled(r) : one(r)));
}

/** One reply for each command; fewer only if the core closes the client. */
function countReplies(bytes: Buffer, commands: number, isClosing: boolean): void {
  const frames = new FrameReader();
  frames.push(bytes);
  let count = 0;
  for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
    if (parseReply(frame).type === 'push') continue;
    count++;
  }
  if (frames.pending.length > 0) throw new Error(`bytes behind the last reply: ${frames.pending}`);
  if (count === commands || (isClosing && count < commands)) return;
  throw new Error(`${commands} commands were answered by ${count} replies`);
}

export const commands: Fuzzer = {
  name: 'commands',
  about: 'random commands with extreme arguments: one well-formed reply each',
  make(r) {
    const steps: Case = [];
    for (let i = r.range(10, 60); i > 0; i--) {
      const client = r.below(2);
      const afterMs = r.below(2000);
      const batch = randomCommands(r, r.once(3) ? r.range(1, 40) : 1);
      for (const [n, args] of batch.entries()) {
        const bytes = encodeCommand(args);
        // One step a command, so that each can be left out; `extra`: the next goes along.
        if (n + 1 < batch.length) steps.push({ client, bytes, extra: 1 });
        else steps.push({ client, bytes, afterMs });
      }
    }
    return steps;
  },
  async run(steps, seed) {
    const test = new HostUnderTest(seed);
    const batch: Buffer[] = [];
    for (const [i, { client: index = 0, bytes, afterMs, extra }] of steps.entries()) {
      batch.push(bytes);
      if (extra === 1 && steps[i + 1]?.client === index) continue;
      const client = test.client(index);
      const replies = await client.ask(Buffer.concat(batch));
      countReplies(replies, batch.length, client.isClosing);
      batch.length = 0;
      test.after(afterMs ?? 0);
    }
    test.finish();
  },
};
