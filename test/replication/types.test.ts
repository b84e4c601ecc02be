// A master that holds every type in every encoding: after the synchronisation and under a load of
// string and key-space commands the replica's DUMP of each key equals the master's.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ReplyValue } from '../../host/core/resp-value.js';
import type { Replica } from '../../host/replication/replica.js';
import type { Arg } from '../support/bytes.js';
import type { RawConnection } from '../support/connection.js';
import { compareKeyspaces, stopJudge } from '../support/keyspace.js';
import { Prng } from '../support/prng.js';
import { type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';
import { caughtUp, closeReplicas, startReplica } from './harness.js';

/** The in-process calls of a replica in the shape of a connection, for the comparison. */
function asConnection({ storage }: Replica): RawConnection {
  const raw = (args: readonly Arg[]): Buffer => {
    try {
      return encode(storage.call(...(args as (string | Uint8Array)[])));
    } catch (error) {
      return Buffer.from(`-${(error as Error).message}\r\n`);
    }
  };
  const text = (value: ReplyValue): unknown => {
    if (Array.isArray(value)) return value.map(text);
    return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
  };
  return {
    call: async (...args: Arg[]) => text(storage.call(...(args as string[]))),
    pipeline: async (commands: Arg[][]) => commands.map(raw),
  } as unknown as RawConnection;
}

function encode(value: ReplyValue): Buffer {
  if (value === null) return Buffer.from('$-1\r\n');
  if (typeof value === 'number') return Buffer.from(`:${value}\r\n`);
  if (value instanceof Uint8Array) {
    return Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]);
  }
  return Buffer.from(`+${String(value)}\r\n`);
}

const many = (n: number, fn: (i: number) => Arg[]): Arg[] =>
  Array.from({ length: n }, (_, i) => fn(i)).flat();

function everyType(): Arg[][] {
  const long = 'long value '.repeat(20);
  return [
    ['SET', 'int', '-5'],
    ['SET', 'emb', 'short'],
    ['SET', 'raw', long],
    ['SET', 'lzf', 'a'.repeat(5000)],
    ['SET', 'big', Buffer.alloc(200_000, 'abc')],
    ['SET', 'bin', Buffer.from([0, 255, 13, 10, 200])],
    ['SETBIT', 'bits', 1000, 1],
    ['PFADD', 'hll', ...many(50, (i) => [`e${i}`])],
    ['RPUSH', 'list small', 'a', '2', 'c'],
    ['RPUSH', 'list large', ...many(500, (i) => [`item ${i} ${long}`])],
    ['RPUSH', 'list plain', 'x'.repeat(20_000), 'y'],
    ['SADD', 'set int', 1, 2, 300_000, '-7000000000'],
    ['SADD', 'set small', 'a', 'b'],
    ['SADD', 'set large', ...many(400, (i) => [`m${i}`])],
    ['HSET', 'hash small', 'f', 'v', 'g', '12'],
    ['HSET', 'hash large', ...many(300, (i) => [`f${i}`, `${i}`])],
    ['HSET', 'hash long', 'f', long],
    ['ZADD', 'zset small', 1, 'a', '2.5', 'b', '-inf', 'c'],
    ['ZADD', 'zset large', ...many(300, (i) => [i / 3, `m${i}`])],
    ['XADD', 'stream', '1-1', 'f', 'v'],
    ['XADD', 'stream', '1-2', 'f', 'w', 'g', 'x'],
    ['XADD', 'stream', '5-0', 'other', long],
    ['XGROUP', 'CREATE', 'stream', 'g1', '0'],
    ['XREADGROUP', 'GROUP', 'g1', 'alice', 'COUNT', 2, 'STREAMS', 'stream', '>'],
    ['XACK', 'stream', 'g1', '1-1'],
    ['XDEL', 'stream', '1-2'],
    ['XADD', 'stream large', '*', ...many(10, (i) => [`f${i}`, 'v'])],
    ['SET', 'with ttl', 'x', 'EX', 1000],
    ['HSET', 'hash ttl', 'a', 'b'],
    ['EXPIRE', 'hash ttl', 5000],
    ['SELECT', 2],
    ['RPUSH', 'in two', 'x'],
    ['SET', 'k', 'v'],
    ['SELECT', 15],
    ['SET', 'last', 'db'],
    ['SELECT', 0],
    ['FUNCTION', 'LOAD', "#!lua name=lib\nredis.register_function('f', function() return 1 end)"],
  ];
}

/** Sets and hashes are held as a newer Redis holds them: values are compared, not encodings. */
const SAME = { encodings: false };

/** A seeded mixture of string and key-space commands. */
function load(seed: number, count: number): Arg[][] {
  const random = new Prng(seed);
  const below = (n: number): number => random.below(n);
  const key = (): string => `s${below(60)}`;
  const kinds: (() => Arg[])[] = [
    () => ['SET', key(), `v${below(1e6)}`],
    () => ['SET', key(), below(1e6), 'PX', 100_000 + below(1e6)],
    () => ['SET', key(), 'x', 'NX', 'GET'],
    () => ['SETEX', key(), 1000, 'x'.repeat(below(100))],
    () => ['MSET', key(), 'm1', key(), 'm2'],
    () => ['MSETNX', key(), 'm1', `n${below(500)}`, 'm2'],
    () => ['GETEX', key(), 'EX', 500],
    () => ['GETDEL', key()],
    () => ['GETSET', key(), below(100)],
    () => ['DEL', key(), key()],
    () => ['UNLINK', key()],
    () => ['RENAME', key(), key()],
    () => ['RENAMENX', key(), key()],
    () => ['COPY', key(), key(), 'REPLACE'],
    () => ['COPY', key(), key(), 'DB', 1],
    () => ['MOVE', key(), 1],
    () => ['EXPIRE', key(), 1000 + below(1000), 'NX'],
    () => ['PEXPIREAT', key(), Date.now() + 500_000],
    () => ['EXPIRE', key(), -1],
    () => ['PERSIST', key()],
    () => ['SWAPDB', 3, 4],
    () => ['INCR', `c${below(5)}`],
    () => ['INCRBYFLOAT', `f${below(5)}`, '1.5'],
    () => ['APPEND', key(), 'tail'],
    () => ['SETRANGE', key(), below(50), 'mid'],
    () => ['SETBIT', `b${below(5)}`, below(3000), below(2)],
    () => ['BITFIELD', `b${below(5)}`, 'INCRBY', 'u8', below(200), 3],
    () => ['BITOP', 'XOR', key(), `b${below(5)}`, `b${below(5)}`],
    () => ['SET', 'short', 'life', 'PX', 1 + below(30)],
  ];
  return Array.from({ length: count }, () => kinds[below(kinds.length)]!());
}

for (const diskless of ['no', 'yes']) {
  describe(`every type, diskless ${diskless}`, () => {
    let master: Server;
    let connection: RawConnection;
    beforeAll(async () => {
      const directives = {
        'repl-diskless-sync': diskless,
        'repl-diskless-sync-delay': 0,
        // A core alone, without a server and its configuration, has this limit.
        'hash-max-listpack-entries': 128,
      };
      master = await startServer('redis', { directives });
      connection = await master.connect();
      await connection.pipeline(everyType());
    });
    afterEach(closeReplicas);
    afterAll(async () => {
      connection.close();
      await master.stop();
      await stopJudge();
    });

    test('the same after the synchronisation, under load, after a second full one', async () => {
      const { replica, log } = await startReplica({ master: `127.0.0.1:${master.port}` });
      await replica.waitForSync({ timeoutMs: 20_000 });
      await caughtUp(replica, connection);
      const mine = asConnection(replica);
      expect(await compareKeyspaces(connection, mine, SAME)).toEqual([]);
      for (let round = 0; round < 4; round++) {
        await connection.pipeline(load(round + 1, 1500));
        if (round === 2) await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
      }
      await caughtUp(replica, connection);
      await waitFor(async () => (await compareKeyspaces(connection, mine, SAME)).length === 0, {
        timeoutMs: 2000,
      }).catch(() => {});
      await caughtUp(replica, connection);
      expect(await compareKeyspaces(connection, mine, SAME)).toEqual([]);
      expect(log.filter((line) => line.startsWith('DIVERGED'))).toEqual([]);
      await connection.call('DEBUG', 'CHANGE-REPL-ID');
      await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
      await connection.pipeline(load(77, 500));
      await waitFor(() => replica.stats.fullSyncCount === 2, { what: 'a second full sync' });
      await caughtUp(replica, connection);
      expect(await compareKeyspaces(connection, mine, SAME)).toEqual([]);
    });
  });
}
