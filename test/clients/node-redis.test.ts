// node-redis, unmodified, with RESP2 and RESP3, over TCP, a unix socket and TLS.

import { createClient, type RedisClientOptions } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait.js';
import { type Endpoint, startEndpoint, type Way } from './endpoint.js';

let endpoint: Endpoint;
const open: { destroy(): void; isOpen: boolean }[] = [];

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterEach(() => {
  for (const client of open.splice(0)) if (client.isOpen) client.destroy();
});
afterAll(() => endpoint.close());

function socketOf(way: Way): RedisClientOptions['socket'] | { path: string } {
  const { server, tlsPort, socketPath, ca } = endpoint;
  if (way === 'unix') return { path: socketPath, tls: false } as RedisClientOptions['socket'];
  if (way === 'tls') return { host: '127.0.0.1', port: tlsPort, tls: true, ca };
  return { host: '127.0.0.1', port: server.port };
}

async function connect(way: Way, RESP: 2 | 3, more: RedisClientOptions = {}) {
  const client = createClient({ ...more, socket: socketOf(way), RESP } as RedisClientOptions);
  client.on('error', () => {});
  await client.connect();
  open.push(client);
  return client;
}

const FORMS: [Way, 2 | 3][] = [
  ['tcp', 2],
  ['tcp', 3],
  ['unix', 3],
  ['tls', 2],
  ['tls', 3],
];

describe.each(FORMS)('node-redis over %s, RESP%i', (way, RESP) => {
  test('strings, numbers, expiries', async () => {
    const client = await connect(way, RESP);
    await client.flushAll();
    expect(await client.ping()).toBe('PONG');
    expect(await client.set('a', 'één')).toBe('OK');
    expect(await client.get('a')).toBe('één');
    expect(await client.get('none')).toBeNull();
    expect(await client.incrBy('n', 41)).toBe(41);
    expect(Number(await client.incrByFloat('n', 0.5))).toBe(41.5);
    expect(await client.mSet({ x: '1', y: '2' })).toBe('OK');
    expect(await client.mGet(['x', 'none', 'y'])).toEqual(['1', null, '2']);
    expect(await client.exists(['x', 'y', 'none'])).toBe(2);
    expect(await client.expire('x', 100)).toBe(1);
    expect(await client.ttl('x')).toBeGreaterThan(90);
    expect(await client.type('x')).toBe('string');
    expect(await client.getDel('x')).toBe('1');
  });

  test('commands sent together, errors in their places', async () => {
    const client = await connect(way, RESP);
    await client.set('p', 'text');
    const settled = await Promise.allSettled([
      client.incr('p'),
      client.get('p'),
      client.sendCommand(['NOSUCH', 'a']),
      client.strLen('p'),
    ]);
    const shown = settled.map((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
    );
    expect(shown).toEqual([
      'ERR value is not an integer or out of range',
      'text',
      "ERR unknown command 'NOSUCH', with args beginning with: 'a' ",
      4,
    ]);
    const many = Array.from({ length: 5000 }, (_, i) => client.set(`many:${i}`, String(i)));
    expect(new Set(await Promise.all(many))).toEqual(new Set(['OK']));
  });

  test('transactions, and WATCH that fails', async () => {
    const client = await connect(way, RESP);
    const other = await connect(way, RESP);
    expect(await client.multi().set('t', '1').incr('t').exec()).toEqual(['OK', 2]);
    await client.watch('t');
    await other.set('t', 'changed');
    await expect(client.multi().set('t', 'mine').exec()).rejects.toThrow(/watched keys/i);
    expect(await client.get('t')).toBe('changed');
  });

  test('scan iterators', async () => {
    const client = await connect(way, RESP);
    await client.flushAll();
    const wanted = Array.from({ length: 300 }, (_, i) => `scan:${i}`);
    await client.mSet(Object.fromEntries(wanted.map((key) => [key, 'v'])));
    await client.set('other', 'v');
    const seen = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: 'scan:*', COUNT: 50 })) {
      for (const key of [keys].flat()) seen.add(String(key));
    }
    expect([...seen].sort()).toEqual(wanted.sort());
  });

  test('CONFIG, INFO, HELLO, databases and names', async () => {
    const client = await connect(way, RESP, { database: 2, name: 'spec' });
    const config = await client.configGet('maxmemory');
    expect(Object.fromEntries(Object.entries(config))).toEqual({ maxmemory: '0' });
    expect(await client.info('server')).toMatch(/redis_version:7\./);
    expect(await client.clientGetName()).toBe('spec');
    const info = await client.sendCommand(['CLIENT', 'INFO']);
    expect(String(info)).toMatch(/db=2/);
    expect(String(info)).toMatch(new RegExp(`resp=${RESP}`));
  });
});

test('authentication: refused, then accepted', async () => {
  const guarded = await startEndpoint({ requirepass: 'open sesame' });
  try {
    const socket = {
      host: '127.0.0.1',
      port: guarded.server.port,
      reconnectStrategy: false as const,
    };
    const closed = createClient({ socket });
    closed.on('error', () => {});
    await expect(closed.connect().then(() => closed.get('a'))).rejects.toThrow(/NOAUTH/);
    if (closed.isOpen) closed.destroy();
    const wrong = createClient({ socket, password: 'no' });
    wrong.on('error', () => {});
    await expect(wrong.connect()).rejects.toThrow(/WRONGPASS/);
    const right = createClient({ socket, password: 'open sesame', RESP: 3 });
    right.on('error', () => {});
    await right.connect();
    expect(await right.set('a', 'b')).toBe('OK');
    right.destroy();
  } finally {
    await guarded.close();
  }
});

test('a killed connection comes back by itself', async () => {
  const client = await connect('tcp', 3);
  await client.set('kept', 'yes');
  const id = await client.clientId();
  const other = await connect('tcp', 2);
  await other.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]);
  await waitFor(async () => (await client.clientId()) !== id, { what: 'a new connection' });
  expect(await client.get('kept')).toBe('yes');
});
