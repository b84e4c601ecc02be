// ioredis, unmodified, over TCP, a unix socket and TLS.

import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait.js';
import { type Endpoint, startEndpoint, WAYS, type Way } from './endpoint.js';

let endpoint: Endpoint;
const open: Redis[] = [];

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterEach(async () => {
  for (const client of open.splice(0)) client.disconnect();
});
afterAll(() => endpoint.close());

function optionsOf(way: Way): RedisOptions {
  const { server, tlsPort, socketPath, ca } = endpoint;
  if (way === 'unix') return { path: socketPath };
  if (way === 'tls') return { host: '127.0.0.1', port: tlsPort, tls: { ca } };
  return { host: '127.0.0.1', port: server.port };
}

function connect(way: Way, more: RedisOptions = {}): Redis {
  const client = new Redis({ ...optionsOf(way), ...more });
  client.on('error', () => {});
  open.push(client);
  return client;
}

describe.each(WAYS)('ioredis over %s', (way) => {
  test('strings, numbers, binary values, expiries', async () => {
    const client = connect(way);
    await client.flushall();
    expect(await client.ping()).toBe('PONG');
    expect(await client.set('a', 'één')).toBe('OK');
    expect(await client.get('a')).toBe('één');
    expect(await client.get('none')).toBeNull();
    const binary = Buffer.from([0, 255, 13, 10, 36]);
    await client.set('bin', binary);
    expect(await client.getBuffer('bin')).toEqual(binary);
    expect(await client.incrby('n', 41)).toBe(41);
    expect(await client.incrbyfloat('n', '0.5')).toBe('41.5');
    expect(await client.mset({ x: '1', y: '2' })).toBe('OK');
    expect(await client.mget('x', 'none', 'y')).toEqual(['1', null, '2']);
    expect(await client.set('e', 'v', 'PX', 100_000, 'NX', 'GET')).toBeNull();
    expect(await client.pttl('e')).toBeGreaterThan(90_000);
    expect(await client.del('a', 'bin', 'none')).toBe(2);
    const big = 'x'.repeat(300_000);
    await client.set('big', big);
    expect(await client.get('big')).toBe(big);
  });

  test('a pipeline, errors in their places', async () => {
    const client = connect(way);
    const results = await client
      .pipeline()
      .set('p', 'text')
      .incr('p')
      .get('p')
      .call('NOSUCH', 'a')
      .strlen('p')
      .exec();
    expect(results?.map(([error, value]) => error?.message ?? value)).toEqual([
      'OK',
      'ERR value is not an integer or out of range',
      'text',
      "ERR unknown command 'NOSUCH', with args beginning with: 'a' ",
      4,
    ]);
    const many = client.pipeline();
    for (let i = 0; i < 5000; i++) many.set(`many:${i}`, String(i));
    expect(await many.exec()).toHaveLength(5000);
  });

  test('transactions, and WATCH that fails', async () => {
    const client = connect(way);
    const other = connect(way);
    const done = await client.multi().set('t', '1').incr('t').exec();
    expect(done?.map(([, value]) => value)).toEqual(['OK', 2]);
    await client.watch('t');
    await other.set('t', 'changed');
    expect(await client.multi().set('t', 'mine').exec()).toBeNull();
    expect(await client.get('t')).toBe('changed');
    await expect(client.call('EXEC')).rejects.toThrow('ERR EXEC without MULTI');
  });

  test('scan streams', async () => {
    const client = connect(way);
    await client.flushall();
    const wanted = Array.from({ length: 500 }, (_, i) => `scan:${i}`);
    await client.mset(wanted.flatMap((key) => [key, 'v']));
    await client.set('other', 'v');
    const seen = new Set<string>();
    for await (const keys of client.scanStream({ match: 'scan:*', count: 50 })) {
      for (const key of keys as string[]) seen.add(key);
    }
    expect([...seen].sort()).toEqual(wanted.sort());
  });

  test('databases, names, INFO', async () => {
    const client = connect(way, { db: 3, connectionName: 'spec' });
    await client.set('here', '3');
    expect(await client.client('GETNAME')).toBe('spec');
    expect(await client.info('server')).toMatch(/redis_version:7\./);
    expect(await connect(way).get('here')).toBeNull();
    expect(await client.call('CLIENT', 'INFO')).toMatch(/db=3/);
  });
});

test('authentication: refused, then accepted', async () => {
  const guarded = await startEndpoint({ requirepass: 'open sesame' });
  try {
    const port = guarded.server.port;
    const closed = new Redis({ host: '127.0.0.1', port, retryStrategy: () => null });
    closed.on('error', () => {});
    await expect(closed.get('a')).rejects.toThrow(/NOAUTH/);
    closed.disconnect();
    const wrong = new Redis({ port, password: 'no', retryStrategy: () => null });
    const errors: string[] = [];
    wrong.on('error', (error: Error) => errors.push(error.message));
    await expect(wrong.get('a')).rejects.toThrow();
    expect(errors.join()).toMatch(/WRONGPASS/);
    wrong.disconnect();
    const right = new Redis({ port, username: 'default', password: 'open sesame' });
    expect(await right.set('a', 'b')).toBe('OK');
    right.disconnect();
  } finally {
    await guarded.close();
  }
});

test('a killed connection comes back by itself', async () => {
  const client = connect('tcp', { retryStrategy: () => 20 });
  await client.set('kept', 'yes');
  const id = await client.client('ID');
  const other = connect('tcp');
  expect(await other.client('KILL', 'ID', id)).toBe(1);
  await waitFor(async () => (await client.client('ID')) !== id, { what: 'a new connection' });
  expect(await client.get('kept')).toBe('yes');
});
