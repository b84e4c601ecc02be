// A dump with a value of every type and form, made by redis-server: what the viewer has to show.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startServer } from '../support/servers.js';

const FAR_MS = 4_102_444_800_000; // 2100

/** Commands; every word is a string or bytes. */
const COMMANDS: readonly (readonly (string | Buffer | number)[])[] = [
  ['SET', 'user:1:name', 'Ada Lovelace'],
  ['SET', 'user:1:json', '{"born":1815,"tags":["math","engine"]}'],
  ['SET', 'user:2:name', 'Zoë, 東京 ☂'],
  ['SET', 'counter', 12345],
  ['SET', Buffer.from([0xff, 0x00, 0x62, 0x69, 0x6e]), Buffer.from([0, 1, 2, 254, 255])],
  ['SET', 'long', 'x'.repeat(300_000)],
  ['SET', 'session:1', 'will go', 'PXAT', FAR_MS],
  ['RPUSH', 'queue:small', 'first', 'second', 'third'],
  ['RPUSH', 'queue:large', ...Array.from({ length: 3000 }, (_, i) => `job-${i}`)],
  ['SADD', 'tags', 'red', 'green', 'blue'],
  ['SADD', 'numbers', 1, 2, 3, 5, 8],
  ['HSET', 'user:1', 'name', 'Ada', 'mail', 'ada@example.com'],
  ['HSET', 'big-hash', ...Array.from({ length: 700 }, (_, i) => [`f${i}`, `v${i}`]).flat()],
  ['ZADD', 'board', 1.5, 'alice', -3, 'bob', '+inf', 'carol'],
  ['XADD', 'events', '1-1', 'kind', 'start'],
  ['XADD', 'events', '2-1', 'kind', 'stop', 'by', 'ada'],
  ['XGROUP', 'CREATE', 'events', 'workers', '0'],
  ['XREADGROUP', 'GROUP', 'workers', 'w1', 'COUNT', 1, 'STREAMS', 'events', '>'],
  ['SELECT', 3],
  ['SET', 'other-db', 'three'],
  [
    ...['FUNCTION', 'LOAD'],
    `#!lua name=kit
redis.register_function{
  function_name = 'tell',
  callback = function(keys) return redis.call('GET', keys[1]) end,
  flags = { 'no-writes' },
}`,
  ],
];

/** Keys in the dump. */
export const RICH_KEYS = 16;

/** The bytes of the dump. */
export async function richDump(more: typeof COMMANDS = []): Promise<Buffer> {
  const server = await startServer('redis');
  const client = new Redis({ port: server.port, lazyConnect: true, retryStrategy: null });
  try {
    await client.connect();
    for (const [name, ...args] of [...COMMANDS, ...more]) await client.call(String(name), args);
    await client.save();
    return readFileSync(join(server.dir, 'dump.rdb'));
  } finally {
    client.disconnect();
    server.dispose();
  }
}
