// Estimated memory is what MEMORY USAGE key SAMPLES 0 of a redis-server 7.0 answers that has loaded
// the file, over random keys of all types, encodings and sizes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRdb } from '../../host/rdb/index.js';
import type { RawConnection } from '../support/connection.js';
import { Prng, runSeed } from '../support/prng.js';
import { type Server, startServer } from '../support/servers.js';

const prng = new Prng(runSeed());
const KEYS = 600;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

let server: Server;
let client: RawConnection;
beforeAll(async () => {
  server = await startServer('redis', { directives: { 'enable-debug-command': 'yes' } });
  client = await server.connect();
}, 60_000);
afterAll(async () => {
  client?.close();
  await server?.stop();
});

const text = (length: number) =>
  Array.from({ length }, () => ALPHABET[prng.below(ALPHABET.length)]).join('');
const size = () => 1 + prng.below([30, 30, 300, 1500][prng.below(4)]!);
const length = () => 1 + prng.below([30, 60, 200, 5000][prng.below(4)]!);
const some = (n: number, make: () => string[]) => Array.from({ length: n }, make).flat();

type Command = string[];
const MAKERS: ((name: string) => Command[])[] = [
  (name) => [['SET', name, prng.below(4) === 0 ? String(prng.below(1e9)) : text(length())]],
  (name) => {
    const most = length();
    return [['RPUSH', name, ...some(size() % 400, () => [text(1 + prng.below(most))]), 'end']];
  },
  (name) => [['SADD', name, ...some(size(), () => [String(prng.below(1e9))])]],
  (name) => [['SADD', name, ...some(size(), () => [text(1 + prng.below(60))])]],
  (name) => {
    const most = 1 + prng.below(100);
    return [['HSET', name, ...some(size(), () => [text(12), text(1 + prng.below(most))])]];
  },
  (name) => [['ZADD', name, ...some(size(), () => [String(prng.below(1e6) / 8), text(14)])]],
  streamOf,
];

function streamOf(name: string): Command[] {
  const commands: Command[] = [];
  let ms = 1_700_000_000_000;
  for (let n = 1 + prng.below(250); n > 0; n--) {
    ms += prng.below(300);
    commands.push(['XADD', name, `${ms}-*`, 'field', text(1 + prng.below(30))]);
  }
  if (prng.below(2) === 0) return commands;
  const read = ['XREADGROUP', 'GROUP', 'g', text(3), 'COUNT', String(1 + prng.below(100))];
  return [
    ...commands,
    ['XGROUP', 'CREATE', name, 'g', '0'],
    ...[0, 1].map(() => [...read, 'STREAMS', name, '>']),
  ];
}

test('per type and encoding', async () => {
  const commands = Array.from({ length: KEYS }, (_, i) => MAKERS[i % MAKERS.length]!(`key:${i}`));
  for (const one of commands) {
    for (const reply of await client.pipeline(one)) expect(reply[0]).not.toBe(0x2d);
  }
  expect((await client.command('DEBUG', 'RELOAD')).toString()).toBe('+OK\r\n');
  expect((await client.command('SAVE')).toString()).toBe('+OK\r\n');
  const errors = new Map<string, { real: number; told: number; parts: number[] }>();
  for await (const entry of readRdb(readFileSync(join(server.dir, 'dump.rdb')))) {
    const key = Buffer.from(entry.key);
    const usage = await client.command('MEMORY', 'USAGE', key, 'SAMPLES', '0');
    const encoding = (await client.command('OBJECT', 'ENCODING', key)).toString().split('\r\n')[1];
    expect([key.toString(), entry.encoding]).toEqual([key.toString(), encoding]);
    const real = Number(usage.toString().slice(1));
    const kind = `${entry.type} ${entry.encoding}`;
    const sums = errors.get(kind) ?? { real: 0, told: 0, parts: [] };
    sums.real += real;
    sums.told += entry.memoryBytes;
    sums.parts.push(Math.abs(entry.memoryBytes / real - 1));
    errors.set(kind, sums);
  }
  expect(errors.size).toBeGreaterThanOrEqual(10);
  for (const [kind, { real, told, parts }] of errors) {
    const mean = parts.reduce((a, b) => a + b, 0) / parts.length;
    expect([kind, Math.abs(told / real - 1) < 0.01]).toEqual([kind, true]);
    expect([kind, mean < 0.02]).toEqual([kind, true]);
  }
}, 120_000);
