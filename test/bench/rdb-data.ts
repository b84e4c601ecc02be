// The mixed dump of the RDB benchmarks: a million keys of every type and encoding, about 200 MB,
// written by redis-server itself. The same seed gives the same data (the order of keys in the file
// and its time are the server's). Kept under the temp folder, or RESPITE_BENCH_DIR, and made once.
// `node test/bench/rdb-data.mjs [keys] [seed]` prints its path.

import { copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prng } from '../support/prng.js';
import { startServer } from '../support/servers.js';

/** To be raised when the data changes. */
const EDITION = 1;
const SEED = 20_261_121;
const BATCH = 500;
const AHEAD_MAX = 20;
/** 2033-05-18: expiries lie within four years behind it, so that nothing expires on the way. */
const EXPIRE_FROM_MS = 2_000_000_000_000;
const EXPIRE_SPAN_SEC = 4 * 365 * 86_400;

const WORDS = (
  'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar ' +
  'papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu order invoice customer ' +
  'shipped pending address street city country payment credit price amount product category'
).split(' ');
const HEX = '0123456789abcdef';

type Command = (string | number)[];

/** Makers of one key each: weight, and the commands that make it. */
type Maker = (r: Prng, name: string) => Command[];

const word = (r: Prng) => r.pick(WORDS);
const words = (r: Prng, count: number) => Array.from({ length: count }, () => word(r)).join(' ');

function hex(r: Prng, length: number): string {
  let text = '';
  while (text.length < length) {
    let bits = r.u32();
    for (let i = 0; i < 8; i++, bits >>>= 4) text += HEX[bits & 15];
  }
  return text.slice(0, length);
}

/** A document as applications store them. */
function json(r: Prng): string {
  const lines = Array.from({ length: r.range(1, 5) }, () => {
    const price = r.below(100_000) / 100;
    return { sku: hex(r, 10), name: words(r, 3), count: r.range(1, 9), price };
  });
  const id = r.below(1e9);
  return JSON.stringify({ id, status: word(r), note: words(r, r.below(8)), total: id / 7, lines });
}

function many(count: number, each: (i: number) => Command): Command {
  return Array.from({ length: count }, (_, i) => each(i)).flat();
}

/** Members that differ: the random part alone might not. */
const member = (r: Prng, i: number) => `${word(r)}:${i}:${r.below(1e6)}`;

function stream(r: Prng, name: string): Command[] {
  const commands: Command[] = [];
  const start = 1_700_000_000_000 + r.below(1e9);
  const count = r.range(2, 24);
  for (let i = 0; i < count; i++) {
    const id = `${start + i * r.range(1, 5000)}-${i}`;
    const fields = ['type', word(r), 'user', r.below(1e6), 'text', words(r, r.range(1, 4))];
    commands.push(['XADD', name, id.replace(/^\d+/, String(start + i * 5000)), ...fields]);
  }
  if (r.once(3)) {
    commands.push(['XGROUP', 'CREATE', name, 'workers', '0']);
    const read = ['XREADGROUP', 'GROUP', 'workers', `w${r.below(4)}`, 'COUNT', r.range(1, 6)];
    commands.push([...read, 'STREAMS', name, '>']);
  }
  if (r.once(4)) commands.push(['XDEL', name, `${start}-0`]);
  return commands;
}

const MAKERS: [prefix: string, weight: number, make: Maker][] = [
  ['counter', 115, (r, name) => [['SET', name, r.below(1e9)]]],
  ['session', 90, (r, name) => [['SET', name, hex(r, r.range(32, 64))]]],
  ['cache:page', 60, (r, name) => [['SET', name, words(r, r.range(2, 7))]]],
  ['doc', 125, (r, name) => [['SET', name, json(r)]]],
  ['blob', 8, (r, name) => [['SET', name, hex(r, r.range(500, 3000))]]],
  [
    'user',
    230,
    (r, name) => {
      const own = ['id', r.below(1e7), 'name', words(r, 2), 'mail', `${hex(r, 8)}@example.com`];
      return [['HSET', name, ...own, ...many(r.below(8), (i) => [`f${i}`, r.below(1e5)])]];
    },
  ],
  ['profile', 12, (r, name) => [['HSET', name, 'about', words(r, 20), 'key', hex(r, 32)]]],
  [
    'cart',
    5,
    (r, name) => [['HSET', name, ...many(r.range(140, 260), (i) => [`i:${i}`, r.below(50)])]],
  ],
  ['queue', 80, (r, name) => [['RPUSH', name, ...many(r.range(1, 24), () => [words(r, 2)])]]],
  ['log', 4, (r, name) => [['RPUSH', name, ...many(r.range(100, 400), () => [words(r, 6)])]]],
  ['ids', 50, (r, name) => [['SADD', name, ...many(r.range(2, 40), () => [r.below(1e6)])]]],
  [
    'big:ids',
    10,
    (r, name) => [['SADD', name, ...many(9, () => [r.u32() * 4096 + r.below(4096)])]],
  ],
  ['tags', 50, (r, name) => [['SADD', name, ...many(r.range(1, 14), (i) => [member(r, i)])]]],
  [
    'rank',
    80,
    (r, name) => [
      [
        'ZADD',
        name,
        ...many(r.range(2, 24), (i) => [r.below(1e6) / (i % 2 ? 1 : 8), member(r, i)]),
      ],
    ],
  ],
  [
    'board',
    3,
    (r, name) => [
      ['ZADD', name, ...many(r.range(150, 500), (i) => [r.u32() / 1000, member(r, i)])],
    ],
  ],
  ['events', 28, stream],
  ['bits', 15, (r, name) => [['SETBIT', name, r.below(20_000), 1]]],
  [
    'tenant:{a}:x',
    15,
    (r, name) => [['SET', name, Buffer.from(hex(r, 90), 'hex').toString('latin1')]],
  ],
];
/** Every maker as often as its weight says. */
const DRAW = MAKERS.flatMap((maker) => Array<typeof maker>(maker[1]).fill(maker));

/** The few large ones every real dump has. */
function* large(r: Prng): Generator<Command[]> {
  yield [['SET', 'large:text', words(r, 700_000)]];
  yield [['SET', 'large:random', hex(r, 2_000_000)]];
  for (const [command, name, count, each] of [
    ['RPUSH', 'large:list', 100_000, () => [words(r, 3)]],
    ['HSET', 'large:hash', 60_000, (i: number) => [`field:${i}`, hex(r, 20)]],
    ['ZADD', 'large:zset', 80_000, (i: number) => [r.u32() / 16, `member:${i}`]],
    ['SADD', 'large:set', 60_000, (i: number) => [`${hex(r, 8)}:${i}`]],
  ] as [string, string, number, (i: number) => Command][]) {
    for (let at = 0; at < count; at += 1000) {
      yield [[command, name, ...many(1000, (i) => each(at + i))]];
    }
  }
  for (let i = 0; i < 20_000; i++)
    yield [['XADD', 'large:stream', `${i + 1}-1`, 'n', i, 'w', word(r)]];
}

function* commands(keys: number, seed: number): Generator<Command> {
  const r = new Prng(seed);
  let db = 0;
  for (let i = 0; i < keys; i++) {
    const wanted = i < keys * 0.9 ? 0 : i < keys * 0.98 ? 1 : 5;
    if (wanted !== db) yield ['SELECT', wanted];
    db = wanted;
    const [prefix, , make] = r.pick(DRAW);
    const name = `${prefix}:${r.once(3) ? `${word(r)}:` : ''}${i}`;
    yield* make(r, name);
    const expires = prefix === 'session' || prefix.startsWith('cache') || r.once(5);
    if (expires) yield ['PEXPIREAT', name, EXPIRE_FROM_MS + r.below(EXPIRE_SPAN_SEC) * 1000];
  }
  yield ['SELECT', 0];
  for (const some of large(r)) yield* some;
  const code = "#!lua name=bench\nredis.register_function('one', function() return 1 end)";
  yield ['FUNCTION', 'LOAD', code];
}

function encode(command: Command): string {
  let text = `*${command.length}\r\n`;
  for (const one of command) {
    const plain = String(one);
    text += `$${plain.length}\r\n${plain}\r\n`;
  }
  return text;
}

/** Sends all commands in MULTI/EXEC-free batches; an ECHO behind each batch tells it is done. */
async function send(port: number, all: Generator<Command>): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  let done = 0;
  let seen = '';
  let fault: Error | undefined;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    seen = (seen + chunk.toString('latin1')).slice(-64 - chunk.length);
    const error = /(?:^|\n)(-[A-Z]+ [^\r]*)/.exec(seen);
    if (error) fault = new Error(error[1]);
    done += seen.split('batch-done').length - 1;
    // what was counted must not be counted again, its beginning at the end must be kept
    seen = seen.slice(-9).replaceAll('batch-done', '');
    wake();
  });
  socket.on('error', (error) => {
    fault = error;
    wake();
  });
  const until = async (batches: number): Promise<void> => {
    while (done < batches && fault === undefined) {
      await new Promise<void>((resolve) => (wake = resolve));
    }
    if (fault !== undefined) throw fault;
  };
  let sent = 0;
  let text = '';
  let count = 0;
  for (const command of all) {
    text += encode(command);
    if (++count % BATCH !== 0) continue;
    socket.write(`${text}ECHO batch-done\r\n`, 'latin1');
    text = '';
    await until(++sent - AHEAD_MAX);
  }
  socket.write(`${text}ECHO batch-done\r\n`, 'latin1');
  await until(sent + 1);
  socket.destroy();
}

/** The path of the dump; made when it is not there. */
export async function mixedDump(keys = 1_000_000, seed = SEED): Promise<string> {
  const folder = process.env.RESPITE_BENCH_DIR ?? join(tmpdir(), 'respite-bench');
  const path = join(folder, `mixed-${keys}-${seed}-${EDITION}.rdb`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const server = await startServer('redis');
  try {
    await send(server.port, commands(keys, seed));
    const connection = await server.connect();
    await connection.call('SAVE');
    connection.close();
    // another process may have made it meanwhile: the same
    const own = `${path}.${process.pid}`;
    copyFileSync(join(server.dir, 'dump.rdb'), own);
    renameSync(own, path);
  } finally {
    await server.stop(20_000);
  }
  return path;
}
