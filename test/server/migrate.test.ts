// MIGRATE between servers of both kinds, and what happens when the other side is slow, refuses, or
// a key changes while it is under way.

import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RawConnection } from '../support/connection.js';
import { freePort, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

let respite: Server;
let other: Server;
let redis: Server;
let from: RawConnection;
const connections: RawConnection[] = [];

async function open(server: Server): Promise<RawConnection> {
  const connection = await server.connect();
  connections.push(connection);
  return connection;
}

beforeAll(async () => {
  [respite, other, redis] = await Promise.all([
    startServer('respite'),
    startServer('respite'),
    startServer('redis'),
  ]);
});
afterEach(async () => {
  for (const server of [respite, other, redis]) {
    const connection = await open(server);
    await connection.call('AUTH', 'secret');
    await connection.call('CONFIG', 'SET', 'requirepass', '');
    await connection.call('FLUSHALL');
  }
  for (const connection of connections.splice(0)) connection.close();
});
afterAll(() => Promise.all([respite, other, redis].map((server) => server.stop())));

const KEYS = ['text', 'number', 'list', 'set', 'hash', 'zset', 'stream'];

async function fill(connection: RawConnection): Promise<void> {
  await connection.call('SET', 'text', Buffer.from('\0\xff\r\n bytes', 'latin1'));
  await connection.call('SET', 'number', '-42');
  await connection.call('RPUSH', 'list', 'a', 'b', 'c');
  await connection.call('SADD', 'set', '1', '2', '3');
  await connection.call('HSET', 'hash', 'f', 'v', 'g', 'w');
  await connection.call('ZADD', 'zset', '1.5', 'm', '-inf', 'n');
  await connection.call('XADD', 'stream', '1-1', 'f', 'v');
}

async function dumps(connection: RawConnection): Promise<string[]> {
  const out: string[] = [];
  for (const key of KEYS) out.push((await connection.command('DUMP', key)).toString('latin1'));
  return out;
}

describe.each([
  ['respite', 'redis', () => [respite, redis] as const],
  ['redis', 'respite', () => [redis, respite] as const],
  ['respite', 'respite', () => [respite, other] as const],
])('%s to %s', (_from, _to, servers) => {
  test('keys of every type move, one by one and together', async () => {
    const [source, target] = servers();
    from = await open(source);
    const to = await open(target);
    await fill(from);
    const before = await dumps(from);
    expect(await from.call('MIGRATE', '127.0.0.1', target.port, 'text', 0, 5000)).toBe('OK');
    const rest = KEYS.slice(1);
    const many = ['MIGRATE', '127.0.0.1', target.port, '', 0, 5000, 'KEYS', ...rest, 'missing'];
    expect(await from.call(...many)).toBe('OK');
    expect(await from.call('DBSIZE')).toBe(0);
    expect(await dumps(to)).toEqual(before);
    expect(await from.call('MIGRATE', '127.0.0.1', target.port, 'text', 0, 5000)).toBe('NOKEY');
  });

  test('COPY, REPLACE, another database, times to live, passwords', async () => {
    const [source, target] = servers();
    from = await open(source);
    const to = await open(target);
    await to.call('CONFIG', 'SET', 'requirepass', 'secret');
    await to.call('AUTH', 'secret');
    await from.call('SELECT', 2);
    await to.call('SELECT', 3);
    await from.call('SET', 'k', 'v', 'EX', 1000);
    await to.call('SET', 'k', 'old');
    const line = ['MIGRATE', '127.0.0.1', target.port, 'k', 3, 5000];
    // redis-server keeps its connections, which other tests have logged in.
    if (source.kind === 'respite') {
      expect(String(await from.call(...line))).toMatch(/replied with error: NOAUTH/);
      const wrong = String(await from.call(...line, 'AUTH', 'x'));
      expect(wrong).toMatch(/replied with error: WRONGPASS/);
    }
    expect(String(await from.call(...line, 'AUTH', 'secret'))).toMatch(
      /replied with error: BUSYKEY/,
    );
    expect(await from.call('EXISTS', 'k')).toBe(1);
    const copy = await from.call(...line, 'COPY', 'REPLACE', 'AUTH2', 'default', 'secret');
    expect(copy).toBe('OK');
    expect(await from.call('EXISTS', 'k')).toBe(1);
    expect(await to.call('GET', 'k')).toBe('v');
    const ttl = (await to.call('PTTL', 'k')) as number;
    expect(ttl).toBeGreaterThan(900_000);
    expect(ttl).toBeLessThanOrEqual(1_000_000);
    expect(await from.call(...line, 'REPLACE', 'AUTH', 'secret')).toBe('OK');
    expect(await from.call('EXISTS', 'k')).toBe(0);
  });

  test('a refused key stays, the others go', async () => {
    const [source, target] = servers();
    from = await open(source);
    const to = await open(target);
    for (const key of ['a', 'b', 'c']) await from.call('SET', key, key);
    await to.call('SET', 'b', 'busy');
    const line = ['MIGRATE', '127.0.0.1', target.port, '', 0, 5000, 'KEYS', 'a', 'b', 'c'];
    expect(String(await from.call(...line))).toMatch(/replied with error: BUSYKEY/);
    expect(await from.call('EXISTS', 'a', 'b', 'c')).toBe(1);
    expect(await to.call('MGET', 'a', 'b', 'c')).toEqual(['a', 'busy', 'c']);
  });
});

/** A server that answers what `answer` says to each write it receives. */
async function fakeTarget(answer: (socket: net.Socket, n: number) => void): Promise<net.Server> {
  let n = 0;
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => answer(socket, n++));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port;

describe('the other side', () => {
  test('is not there, says nothing, or hangs up', async () => {
    from = await open(respite);
    await from.call('SET', 'k', 'v');
    const nobody = await freePort();
    const refused = String(await from.call('MIGRATE', '127.0.0.1', nobody, 'k', 0, 5000));
    expect(refused).toMatch(/IOERR error or timeout writing to target instance/);
    const silent = await fakeTarget(() => {});
    const late = String(await from.call('MIGRATE', '127.0.0.1', portOf(silent), 'k', 0, 50));
    expect(late).toMatch(/IOERR error or timeout reading to target instance/);
    const rude = await fakeTarget((socket) => socket.destroy());
    const cut = String(await from.call('MIGRATE', '127.0.0.1', portOf(rude), 'k', 0, 5000));
    expect(cut).toMatch(/IOERR error or timeout (reading|writing) to target instance/);
    expect(await from.call('GET', 'k')).toBe('v');
    for (const server of [silent, rude]) server.close();
  });

  test('is slow: others are served, a key that changes is sent again', async () => {
    from = await open(respite);
    const writer = await open(respite);
    await from.call('SET', 'k', 'one');
    const waiting: net.Socket[] = [];
    const seen: string[] = [];
    const target = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        seen.push(chunk.toString('latin1'));
        if (chunk.includes('SELECT')) socket.write('+OK\r\n');
        else waiting.push(socket);
      });
    });
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const reply = from.call('MIGRATE', '127.0.0.1', portOf(target), 'k', 0, 20_000);
    await waitFor(() => waiting.length === 1);
    expect(await writer.call('SET', 'k', 'two')).toBe('OK');
    waiting.shift()!.write('+OK\r\n');
    await waitFor(() => waiting.length === 1);
    expect(seen.at(-1)).toMatch(/two[\s\S]*REPLACE/);
    expect(await writer.call('EXISTS', 'k')).toBe(1);
    waiting.shift()!.write('+OK\r\n');
    expect(await reply).toBe('OK');
    expect(await writer.call('EXISTS', 'k')).toBe(0);
    target.close();
  });
});
