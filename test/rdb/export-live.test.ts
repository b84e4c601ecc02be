// Exported commands of data with every type, encoding and edge value, as a live redis-server saves
// them, fed to another: onto nothing, onto other data, as an append-only file.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandExportOptions, exportCommands, type LeftOut } from '../../host/rdb/index.js';
import { runRdb } from '../cli/rdb/harness.js';
import type { Arg } from '../support/bytes.js';
import type { RawConnection } from '../support/connection.js';
import {
  differences,
  pipe,
  type Snapshot,
  sameDump,
  sameValue,
  snapshot,
} from '../support/export-oracle.js';
import { available, type Server, startServer } from '../support/servers.js';

const MANIFEST = 'appendonlydir/appendonly.aof.manifest';
const FAR = 4_000_000_000_000;
const BIG = Buffer.alloc(200_000, 'x\0\r\n\xff', 'latin1');
const many = <T>(n: number, make: (i: number) => T[]): T[] =>
  Array.from({ length: n }, (_, i) => make(i)).flat();
/** Every byte there is, so that nothing is taken for text. */
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const SCORES = [
  ...['inf', '-inf', '0', '5e-324', '-5e-324', '2.2250738585072011e-308', '1.7976931348623157e308'],
  ...['0.1', '3.0000000000000004', '9007199254740993', '-9223372036854775808', '1e21', '123456789'],
];
const INTS = [
  ...['0', '-1', '12', '-128', '255', '32767', '-32768', '2147483647', '-2147483648', '4294967296'],
  ...['9223372036854775807', '-9223372036854775808', '9223372036854775808', '007', '+5', '-0', ''],
];

function* commands(): Generator<Arg[]> {
  for (const [i, int] of INTS.entries()) yield ['SET', `int:${i}`, int];
  yield ['SET', 'empty', ''];
  yield ['SET', '', 'the empty key'];
  yield ['SET', BINARY, BINARY];
  yield ['SET', 'big', BIG];
  yield ['SET', Buffer.concat([Buffer.from('bigkey'), BIG]), 'a key of 200 kB'];
  yield ['SET', 'packed', 'abc'.repeat(5000)];
  yield ['SET', 'expires', 'v', 'PXAT', FAR];
  yield ['SET', 'expires:odd', 'v', 'PXAT', FAR + 123];
  for (const size of [1, 2, 63, 64, 65, 128, 129, 1000]) {
    yield ['RPUSH', `list:${size}`, ...many(size, (i) => [`e${i}`])];
    yield ['SADD', `intset:${size}`, ...many(size, (i) => [i * 7 - 100])];
    yield ['SADD', `set:${size}`, ...many(size, (i) => [`m${i}`])];
    yield ['HSET', `hash:${size}`, ...many(size, (i) => [`f${i}`, `v${i}`])];
    yield ['ZADD', `zset:${size}`, ...many(size, (i) => [`${i / 8 - 3}`, `m${i}`])];
  }
  yield ['SADD', 'intset:64bit', '9223372036854775807', '-9223372036854775808', '1'];
  yield ['RPUSH', 'list:ints', ...INTS];
  yield ['RPUSH', 'list:large', 'a', BIG, 'b', BIG, BINARY];
  yield ['HSET', 'hash:large', 'a', BIG, BIG, 'b', BIG.subarray(1), BIG, BINARY, BINARY];
  yield ['HSET', 'hash:ints', ...many(INTS.length, (i) => [INTS[i]!, INTS[i]!])];
  yield ['SADD', 'set:large', 'a', BIG, BINARY];
  yield ['ZADD', 'zset:large', 1, BIG, 2, BINARY, 3, 'c'];
  yield ['ZADD', 'zset:scores', ...many(SCORES.length, (i) => [SCORES[i]!, `m${i}`])];
  yield [
    ...['ZADD', 'zset:scores:skiplist', ...many(SCORES.length, (i) => [SCORES[i]!, `m${i}`])],
    ...['-0', 'negative zero', ...many(200, (i) => [`${i}.5`, `x${i}`])],
  ];
  yield ['PFADD', 'hll', ...many(300, (i) => [`x${i}`])];
  yield ['SETBIT', 'bits', 100, 1];
  for (const key of ['list:65', 'set:65', 'hash:129', 'zset:2', 'intset:64']) {
    yield ['PEXPIREAT', key, FAR + 7];
  }
  yield* streams();
  yield ['SELECT', 3];
  yield ['SET', 'db3', 'v'];
  yield ['HSET', 'list:1', 'another', 'type'];
  yield ['SELECT', 15];
  yield ['ZADD', 'db15', 1.5, 'm'];
  yield ['SELECT', 0];
  const library = '#!lua name=lib\nredis.register_function("f", function() return 1 end)';
  yield ['FUNCTION', 'LOAD', library];
}

function* streams(): Generator<Arg[]> {
  for (let i = 0; i < 250; i++) yield ['XADD', 's:plain', `${i}-1`, 'f', `v${i}`, 'g', `${i}`];
  yield ['XADD', 's:edges', '1-18446744073709551615', BINARY, BINARY];
  yield ['XADD', 's:edges', '18446744073709551615-18446744073709551614', '', '', '5', '6'];
  yield ['XADD', 's:large', '1-1', 'f', BIG, BIG, 'v'];
  for (let i = 1; i < 40; i++) yield ['XADD', 's:gaps', `${i}-${i}`, `f${i % 3}`, `v${i}`];
  yield ['XDEL', 's:gaps', '1-1', '5-5', '20-20', '39-39'];
  yield ['XADD', 's:emptied', '7-7', 'a', 'b'];
  yield ['XDEL', 's:emptied', '7-7'];
  yield ['XGROUP', 'CREATE', 's:made', 'g', '$', 'MKSTREAM'];
  yield ['XGROUP', 'CREATE', 's:gaps', BINARY, '3-3'];
  yield ['XGROUP', 'CREATE', 's:gaps', 'known', '0', 'ENTRIESREAD', 2];
  yield ['XGROUP', 'CREATE', 's:gaps', 'g', '0'];
  yield ['XGROUP', 'CREATECONSUMER', 's:gaps', 'g', 'idle'];
  yield ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', 10, 'STREAMS', 's:gaps', '>'];
  yield ['XREADGROUP', 'GROUP', 'g', BINARY, 'COUNT', 5, 'STREAMS', 's:gaps', '>'];
  yield ['XREADGROUP', 'GROUP', 'g', 'alice', 'STREAMS', 's:gaps', '0'];
  yield ['XACK', 's:gaps', 'g', '3-3', '12-12'];
  // pending, but gone from the stream
  yield ['XDEL', 's:gaps', '4-4'];
  yield ['PEXPIREAT', 's:gaps', FAR];
}

const redis = available('redis');
describe.skipIf(!redis.ok)('live data', () => {
  let from: Server;
  let to: Server;
  let a: RawConnection;
  let b: RawConnection;
  let file: Buffer;
  let expected: Snapshot;

  beforeAll(async () => {
    [from, to] = [await startServer('redis'), await startServer('redis')];
    [a, b] = [await from.connect(), await to.connect()];
    for (const command of commands()) await a.call(...command);
    // what was built up piece by piece takes the encoding of what is loaded
    await a.call('DEBUG', 'RELOAD');
    file = readFileSync(join(from.dir, 'dump.rdb'));
    expected = await snapshot(a, { dumps: true });
  });
  afterAll(async () => {
    a.close();
    b.close();
    await from.stop();
    await to.stop();
  });

  /** So small that most values are cut. */
  function* pieces(): Generator<Uint8Array> {
    for (let at = 0; at < file.length; at += 50) yield file.subarray(at, at + 50);
  }

  async function exported(options: CommandExportOptions): Promise<[Buffer, LeftOut]> {
    const run = exportCommands(options.payloadMax === 1 ? pieces() : file, options);
    const parts: Buffer[] = [];
    for await (const part of run) parts.push(Buffer.from(part));
    return [Buffer.concat(parts), run.leftOut];
  }

  async function fed(options: CommandExportOptions) {
    const [stream, leftOut] = await exported(options);
    return { ...pipe(to.port, stream), leftOut, got: await snapshot(b, { dumps: true }) };
  }

  it.each<[string, CommandExportOptions]>([
    ['commands', {}],
    ['commands in small batches', { batch: 3 }],
    ['commands for 6.2', { target: '6.2' }],
    ['commands, replacing nothing', { existing: 'replace' }],
    ['commands, all missing', { existing: 'keep' }],
    ['commands for 5.0, all missing', { existing: 'keep', target: '5.0' }],
    ['restore', { form: 'restore' }],
    ['restore, large values as commands', { form: 'restore', payloadMax: 1 }],
    ['an append-only file', { form: 'aof' }],
  ])('%s', async (_, options) => {
    await b.call('FLUSHALL');
    await b.call('FUNCTION', 'FLUSH');
    const { errors, got, leftOut } = await fed(options);
    const isOld = options.target !== undefined;
    const same = isOld ? withoutCounters : sameDump;
    expect(differences(expected, got, same)).toEqual([]);
    expect(errors).toBe(0);
    const left = Object.keys(leftOut.counts).filter((why) => why !== 'as-commands');
    const old = options.target === '5.0' ? ['detail', 'function'] : ['function'];
    expect(left).toEqual(isOld ? old : []);
    const libraries = (await b.call('FUNCTION', 'LIST')) as unknown[];
    expect(libraries.length).toBe(isOld ? 0 : 1);
  });

  /** Before 7.0 streams have no counters; before 6.2 no consumers without entries. */
  function withoutCounters(...[x, y]: Parameters<typeof sameValue>): string {
    if (x.type !== 'stream') return sameDump(x, y);
    const { entries, last } = x.value as Record<string, unknown>;
    const other = y.value as Record<string, unknown>;
    return sameValue(
      { ...x, value: [entries, last] },
      { ...y, value: [other.entries, other.last] },
    );
  }

  /** Other values under some names of every kind. */
  async function disturb(): Promise<Snapshot> {
    await b.call('FLUSHALL');
    for (const key of ['int:1', 'list:64', 'big', 'hash:1', 'expires', 'zset:65']) {
      await b.call('RPUSH', key, 'mine');
      await b.call('PEXPIREAT', key, FAR + 99);
    }
    await b.call('SET', 's:gaps', 'mine');
    await b.call('XADD', 'set:65', '1-1', 'mine', '1');
    await b.call('SADD', 'intset:64', 'mine');
    return snapshot(b, { dumps: true });
  }

  it.each<[string, CommandExportOptions]>([
    ['commands', {}],
    ['commands for 5.0', { target: '5.0' }],
    ['restore', { form: 'restore' }],
  ])('only missing keys: %s', async (_, options) => {
    const mine = await disturb();
    const { errors, got } = await fed({ ...options, existing: 'keep', functions: false });
    const want = new Map([...expected, ...mine]);
    const same = options.target === undefined ? sameDump : withoutCounters;
    expect(differences(want, got, same)).toEqual([]);
    // RESTORE answers BUSYKEY for each
    expect(errors).toBe(options.form === 'restore' ? mine.size : 0);
  });

  it.each<[string, CommandExportOptions]>([
    ['commands', {}],
    ['restore', { form: 'restore' }],
  ])('replacing what is there: %s', async (_, options) => {
    await disturb();
    const { errors, got } = await fed({ ...options, existing: 'replace' });
    expect([differences(expected, got, sameDump), errors]).toEqual([[], 0]);
  });

  it('databases, filters, expiry', async () => {
    await b.call('FLUSHALL');
    const databases = new Map([
      [3, 0],
      [0, 9],
    ]);
    const filter = { match: ['list:1', 'db3', 'expires*'] };
    await fed({ databases, filter, persist: true, functions: false });
    expect(await b.call('HGETALL', 'list:1')).toEqual(['another', 'type']);
    expect(await b.call('DBSIZE')).toBe(2);
    await b.call('SELECT', 9);
    expect(await b.call('LRANGE', 'list:1', 0, -1)).toEqual(['e0']);
    expect(await b.call('PTTL', 'expires')).toBe(-1);
    expect(await b.call('DBSIZE')).toBe(3);
    await b.call('SELECT', 0);
    const late = await exported({ now: FAR + 50, functions: false });
    expect(late[1].counts.expired).toBe(7);
    const kept = await exported({ now: FAR + 50, functions: false, keepExpired: true });
    expect(kept[1].counts.expired).toBeUndefined();
    for (const form of ['commands', 'restore'] as const) {
      await b.call('FLUSHALL');
      const big = await fed({ filter: { minBytes: 150_000 }, functions: false, form });
      const large = new Map([...expected].filter(([name]) => /big|large/.test(name)));
      expect(differences(large, big.got, sameDump)).toEqual([]);
    }
  });

  it('redis-server starts from the append-only file', async () => {
    const [stream] = await exported({ form: 'aof' });
    const dirs = [join(to.dir, 'single'), join(to.dir, 'parts')];
    for (const dir of dirs) mkdirSync(dir, { recursive: true });
    writeFileSync(join(dirs[0]!, 'appendonly.aof'), stream);
    const rdb = join(to.dir, 'source.rdb');
    copyFileSync(join(from.dir, 'dump.rdb'), rdb);
    const ran = await runRdb(['aof', rdb, '--dir', join(dirs[1]!, 'appendonlydir')]);
    expect([ran.code, ran.out, ran.err]).toEqual([0, '', '']);
    const checked = [join(dirs[0]!, 'appendonly.aof'), join(dirs[1]!, MANIFEST)];
    for (const path of checked) execFileSync('redis-check-aof', [path], { stdio: 'pipe' });
    for (const dir of dirs) {
      const server = await startServer('redis', { dir, directives: { appendonly: 'yes' } });
      const connection = await server.connect();
      const got = await snapshot(connection, { dumps: true });
      expect(differences(expected, got, sameDump)).toEqual([]);
      connection.close();
      await server.stop();
    }
  });
});
