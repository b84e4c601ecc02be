// JSON of a dump that redis-server has just written, beside what the same server answers: every key
// of every database with value, expiry, encoding, streams with groups, functions; redis-cli's way
// of printing names.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportJson, exportKeys, type JsonEscape } from '../../host/rdb/index.js';
import type { RawConnection } from '../support/connection.js';
import { Prng, runSeed } from '../support/prng.js';
import {
  expectStream,
  type Json,
  keysOf,
  type PlainKey,
  plainRecordOf,
  recordsOf,
  scoreText,
  sortedTexts,
  textOf,
} from '../support/rdb-export.js';
import type { Plain } from '../support/resp.js';
import { available, type Server, startServer } from '../support/servers.js';

const seed = runSeed();
const { ok, why } = available('redis');
const DBS = [0, 3, 11];

/** Bytes that are text, numbers or anything. */
function blob(r: Prng, most = 60): Buffer {
  switch (r.below(5)) {
    case 0:
      return Buffer.from(String(r.range(-70_000, 70_000)));
    case 1:
      return Buffer.from('text with "quotes", \\x41 and \\xFF, \u00e9\u6771 '.slice(r.below(30)));
    case 2:
      return Buffer.alloc(r.below(most * 8), 'abc');
    default:
      return r.bytes(r.below(most));
  }
}

const SCORES = ['inf', '-inf', '0', '-0', '1', '-17', '3.25', '1e300', '5e-324', '0.1', '1e21'];
const score = (r: Prng): string =>
  r.once(2) ? r.pick(SCORES) : String((r.u32() - 2 ** 31) / r.pick([1, 7, 1000, 1e12]));

type Args = (string | Buffer | number)[];

function listOf(r: Prng): Buffer[] {
  return Array.from({ length: r.pick([1, 3, 40, 300]) }, () => blob(r, r.once(20) ? 3000 : 60));
}

/** Commands that make one key of each kind. */
const MAKERS: ((r: Prng, key: Buffer) => Args[])[] = [
  (r, key) => [['SET', key, blob(r, r.pick([10, 100, 20_000]))]],
  (r, key) => [['SET', key, r.pick(['12', '-1', '2147483648', '9223372036854775807', '007'])]],
  (r, key) => [['SET', key, Buffer.alloc(r.range(60_000, 140_000), r.bytes(77))]],
  (r, key) => [['RPUSH', key, ...listOf(r)]],
  (r, key) => [['SADD', key, ...listOf(r)]],
  (r, key) => [['SADD', key, ...Array.from({ length: 20 }, () => r.u32() * r.pick([1, -1, 9]))]],
  (r, key) => [['HSET', key, ...listOf(r).flatMap((field) => [field, blob(r)])]],
  (r, key) => [['ZADD', key, ...listOf(r).flatMap((member) => [score(r), member])]],
  (r, key) => streamOf(r, key),
];

function streamOf(r: Prng, key: Buffer): Args[] {
  const out: Args[] = [];
  const count = r.pick([1, 5, 150]);
  for (let i = 1; i <= count; i++) {
    const fields = r.once(3) ? [blob(r), blob(r), 'f', blob(r)] : ['a', blob(r), 'b', i];
    out.push(['XADD', key, `${i}-${r.below(3) + 1}`, ...fields]);
  }
  if (r.once(3)) out.push(['XTRIM', key, 'MAXLEN', r.below(count)]);
  for (const group of ['g', r.bytes(5)].slice(r.below(3))) {
    out.push(['XGROUP', 'CREATE', key, group, r.pick(['0', '$', '2-0'])]);
    out.push(['XREADGROUP', 'GROUP', group, r.bytes(4), 'COUNT', 7, 'STREAMS', key, '>']);
    out.push(['XREADGROUP', 'GROUP', group, 'two', 'COUNT', 3, 'STREAMS', key, '>']);
    out.push(['XGROUP', 'CREATECONSUMER', key, group, 'idle']);
    if (r.once(2)) out.push(['XACK', key, group, '1-1', '2-2', '3-1']);
  }
  if (r.once(3)) out.push(['XDEL', key, '1-1', '2-1', '3-1', '4-1']);
  return out;
}

async function fill(connection: RawConnection, r: Prng): Promise<void> {
  for (const db of DBS) {
    const commands: Args[] = [['SELECT', db]];
    for (let i = 0; i < 90; i++) {
      const key = r.once(8)
        ? Buffer.alloc(70_000, `${i}\\xAB\xff`, 'latin1')
        : r.bytes(r.below(12));
      const name = Buffer.concat([Buffer.from(`${i}:`), key]);
      commands.push(...MAKERS[i % MAKERS.length]!(r, name));
      if (r.once(3)) commands.push(['PEXPIREAT', name, 3_000_000_000_000 + r.below(1e9)]);
    }
    await connection.pipeline(commands);
  }
}

const pairsOf = (flat: Plain): [string, string][] =>
  (flat as string[]).flatMap((first, i, all) =>
    i % 2 ? [] : [[first, all[i + 1]!] as [string, string]],
  );

/** A key as the server tells it. */
async function told(connection: RawConnection, db: number, key: Buffer): Promise<PlainKey> {
  const ask = (...args: Args) => connection.call(...args);
  const type = (await ask('TYPE', key)) as string;
  const at = Number(await ask('PEXPIRETIME', key));
  const out: PlainKey = {
    ...{ db, key: key.toString('latin1'), type },
    encoding: (await ask('OBJECT', 'ENCODING', key)) as string,
    ...{ expireAt: at < 0 ? undefined : at, idle: undefined, freq: undefined, value: undefined },
  };
  if (type === 'string') out.value = await ask('GET', key);
  if (type === 'list') out.value = await ask('LRANGE', key, 0, -1);
  if (type === 'set') out.value = ((await ask('SMEMBERS', key)) as string[]).sort();
  if (type === 'hash') out.value = sortedTexts(pairsOf(await ask('HGETALL', key)));
  if (type === 'zset') {
    const pairs = pairsOf(await ask('ZRANGE', key, 0, -1, 'WITHSCORES'));
    const number = (text: string) => Number(text.replace('inf', 'Infinity'));
    out.value = sortedTexts(pairs.map(([member, text]) => [member, scoreText(number(text))]));
  }
  if (type === 'stream') out.value = await ask('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0);
  return out;
}

describe.skipIf(!ok)(`beside redis-server${ok ? '' : ` (skipped: ${why})`}`, () => {
  let server: Server;
  let connection: RawConnection;
  let dump: Buffer;
  beforeAll(async () => {
    server = await startServer('redis');
    connection = await server.connect();
    const library = '#!lua name=lib\nredis.register_function("f", function() return "\\255" end)';
    await connection.call('FUNCTION', 'LOAD', library);
    await fill(connection, new Prng(seed));
    expect(await connection.call('SAVE')).toBe('OK');
    dump = readFileSync(join(server.dir, 'dump.rdb'));
  }, 60_000);
  afterAll(async () => {
    connection.close();
    await server.stop();
  });

  test.each(['utf8', 'latin1', 'base64'] as JsonEscape[])('every key, %s', async (how) => {
    const records = recordsOf(await textOf(exportJson(dump, { escape: how, form: 'lines' })));
    const keys = keysOf(records).map((one) => plainRecordOf(one, how));
    for (const db of DBS) {
      await connection.call('SELECT', db);
      const mine = keys.filter((one) => one.db === db);
      const names = (await connection.call('KEYS', '*')) as string[];
      expect(mine.map(({ key }) => key).sort()).toEqual(names.sort());
      for (const one of mine) {
        const want = await told(connection, db, Buffer.from(one.key, 'latin1'));
        if (one.type === 'stream') {
          const info = want.value as Json[];
          const stream = one.value as Json;
          expect(stream.entries).toEqual(info[info.indexOf('entries') + 1]);
          expectStream(stream, info);
          want.value = one.value;
        }
        expect([seed, one]).toEqual([seed, want]);
      }
    }
    const [library] = records.filter(({ type }) => type === 'function');
    if (how !== 'base64') expect(library.code).toMatch(/^#!lua name=lib\n/);
  });

  test('LFU and LRU', async () => {
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
    await connection.call('SAVE');
    const file = () => readFileSync(join(server.dir, 'dump.rdb'));
    const withFreq = keysOf(recordsOf(await textOf(exportJson(file()))));
    for (const one of withFreq) expect(one.freq).toBeGreaterThanOrEqual(0);
    await connection.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await connection.call('SAVE');
    const withIdle = keysOf(recordsOf(await textOf(exportJson(file()))));
    for (const one of withIdle) expect(one.idle).toBeGreaterThanOrEqual(0);
    expect(withIdle.length).toBe(withFreq.length);
  });

  test('names as redis-cli prints them', async () => {
    const text = await textOf(exportKeys(dump, { escape: 'repr', filter: { db: 3 } }));
    const port = String(server.port);
    const args = ['--no-raw', '-p', port, '-n', '3', 'keys', '*'];
    const said = execFileSync('redis-cli', args, { encoding: 'latin1', maxBuffer: 1 << 28 });
    const lines = said.trimEnd().split('\n');
    expect(text.trimEnd().split('\n').sort()).toEqual(
      lines.map((line) => line.replace(/^\s*\d+\) /, '')).sort(),
    );
  });
});
