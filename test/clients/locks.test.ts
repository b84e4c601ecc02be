// Libraries that ship Lua for locks and for rate limits, unmodified: redis-semaphore, redlock,
// rate-limiter-flexible. The same tests on a real redis-server and on respite.

import { Redis } from 'ioredis';
import {
  RateLimiterQueue,
  RateLimiterRedis,
  RateLimiterRes,
  RateLimiterUnion,
} from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { MultiSemaphore, Mutex, RedlockMutex, RedlockSemaphore, Semaphore } from 'redis-semaphore';
import Redlock from 'redlock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';
import { sleep, waitFor } from '../support/wait.js';

const KINDS: ServerKind[] = ['redis', 'respite'];
const LONG_MS = 600_000;
const PATIENCE = { timeoutMs: 50_000 };
/** For locks that are fought for: tried again soon, and as long as it takes. */
const PATIENT = {
  ...{ lockTimeout: LONG_MS, acquireTimeout: LONG_MS, retryInterval: 3 },
  refreshInterval: 0,
};
const ONCE = { ...PATIENT, acquireAttemptsLimit: 1 };

describe.each(KINDS)('locks and limits on %s', (kind) => {
  const { ok } = available(kind);
  let server: Server;
  let client: Redis;
  const open: (() => void)[] = [];

  beforeAll(async () => {
    if (ok) server = await startServer(kind);
  });
  afterAll(async () => {
    if (ok) await server.stop();
  });
  beforeEach(async () => {
    if (!ok) return;
    client = io();
    await client.flushall();
    await client.script('FLUSH');
  });
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });

  function io(db = 0): Redis {
    const one = new Redis({ host: '127.0.0.1', port: server.port, db });
    one.on('error', () => {});
    open.push(() => one.disconnect());
    return one;
  }

  /** Works in turns that must not overlap more than `limit` times; gives how many did. */
  async function contend(
    count: number,
    lockOf: (i: number) => { acquire(): Promise<void>; release(): Promise<void> },
  ): Promise<{ most: number; counted: number }> {
    let [inside, most] = [0, 0];
    const turn = async (_: unknown, i: number) => {
      const lock = lockOf(i);
      await lock.acquire();
      most = Math.max(most, ++inside);
      const value = Number(await client.get('counter'));
      await sleep(1);
      await client.set('counter', value + 1);
      inside--;
      await lock.release();
    };
    await Promise.all(Array.from({ length: count }, turn));
    return { most, counted: Number(await client.get('counter')) };
  }

  describe.skipIf(!ok)('redis-semaphore', () => {
    test('Mutex: one at a time', async () => {
      const result = await contend(25, () => new Mutex(io(), 'lock', PATIENT));
      expect(result).toEqual({ most: 1, counted: 25 });
      expect(await client.exists('mutex:lock')).toBe(0);
    });

    test('Mutex: tried, refreshed, lost', async () => {
      const lost: string[] = [];
      const options = { ...ONCE, refreshInterval: 10 };
      const mutex = new Mutex(client, 'lock', {
        ...options,
        onLockLost: (error) => lost.push(error.name),
      });
      const other = new Mutex(client, 'lock', options);
      open.push(
        () => mutex.stopRefresh(),
        () => other.stopRefresh(),
      );
      expect(await mutex.tryAcquire()).toBe(true);
      expect(await other.tryAcquire()).toBe(false);
      await client.pexpire('mutex:lock', LONG_MS / 2);
      await waitFor(async () => (await client.pttl('mutex:lock')) > LONG_MS * 0.8, {
        ...{ what: 'the refresh', ...PATIENCE },
      });
      await client.set('mutex:lock', 'taken by force');
      await waitFor(() => lost.length > 0, { what: 'the loss to be noticed', ...PATIENCE });
      await mutex.release();
      expect(await client.get('mutex:lock')).toBe('taken by force');
      await client.del('mutex:lock');
      expect(await other.tryAcquire()).toBe(true);
      await client.script('FLUSH');
      await other.release();
      expect(await client.exists('mutex:lock')).toBe(0);
    });

    test('Semaphore and MultiSemaphore: so many at a time', async () => {
      const three = await contend(15, () => new Semaphore(client, 'three', 3, PATIENT));
      expect(three.most).toBeLessThanOrEqual(3);
      expect(await client.zcard('semaphore:three')).toBe(0);
      const four = await contend(10, () => new MultiSemaphore(client, 'four', 4, 2, PATIENT));
      expect(four.most).toBeLessThanOrEqual(2);
      const big = new MultiSemaphore(client, 'four', 4, 3, ONCE);
      const small = new MultiSemaphore(client, 'four', 4, 2, ONCE);
      expect(await big.tryAcquire()).toBe(true);
      expect(await small.tryAcquire()).toBe(false);
      expect(await client.zcard('semaphore:four')).toBe(3);
      await big.release();
      expect(await small.tryAcquire()).toBe(true);
      await small.release();
    });

    test('Redlock variants over three databases', async () => {
      const clients = [io(1), io(2), io(3)];
      const mutexes = await contend(10, () => new RedlockMutex(clients, 'red', PATIENT));
      expect(mutexes).toEqual({ most: 1, counted: 10 });
      await clients[1]!.set('mutex:red', 'somebody');
      const mutex = new RedlockMutex(clients, 'red', ONCE);
      expect(await mutex.tryAcquire()).toBe(true);
      await mutex.release();
      await clients[0]!.set('mutex:red', 'somebody');
      expect(await new RedlockMutex(clients, 'red', ONCE).tryAcquire()).toBe(false);
      const semaphores = await contend(8, () => new RedlockSemaphore(clients, 'sem', 2, PATIENT));
      expect(semaphores.most).toBeLessThanOrEqual(2);
    });
  });

  describe.skipIf(!ok)('redlock', () => {
    const patient = { retryCount: 10_000, retryDelay: 3, retryJitter: 3 };

    test('contention, over three databases', async () => {
      const redlock = new Redlock([io(1), io(2), io(3)], patient);
      const errors: string[] = [];
      redlock.on('clientError', ({ message }) => errors.push(message));
      let [inside, most, turns] = [0, 0, 0];
      await Promise.all(
        Array.from({ length: 15 }, async () => {
          const lock = await redlock.lock('resource', LONG_MS);
          most = Math.max(most, ++inside);
          await sleep(1);
          turns++;
          inside--;
          await lock.unlock();
        }),
      );
      expect({ most, turns, errors }).toEqual({ most: 1, turns: 15, errors: [] });
    });

    test('several resources, extending, refusing, expiry, a flush in between', async () => {
      const redlock = new Redlock([client], { retryCount: 0 });
      const both = await redlock.lock(['a', 'b'], 100_000);
      await expect(redlock.lock('b', 1000)).rejects.toThrow(Redlock.LockError);
      await expect(redlock.lock(['c', 'a'], 1000)).rejects.toThrow('lock the resource "c,a"');
      expect(await client.exists('c')).toBe(0);
      expect(await client.get('a')).toBe(both.value);
      await client.script('FLUSH');
      const extended = await both.extend(LONG_MS);
      expect(await client.pttl('b')).toBeGreaterThan(LONG_MS / 2);
      await client.script('FLUSH');
      await extended.unlock();
      expect(await client.exists('a', 'b')).toBe(0);
      await expect(extended.unlock()).rejects.toThrow('Unable to fully release');
      const again = await redlock.lock('a', LONG_MS);
      await client.pexpire('a', 1);
      await waitFor(async () => (await client.exists('a')) === 0, { what: 'expiry', ...PATIENCE });
      await expect(again.extend(1000)).rejects.toThrow(Redlock.LockError);
    });
  });

  describe.skipIf(!ok)('rate-limiter-flexible', () => {
    const limits = { points: 5, duration: 1000 };
    const refused = async (promise: Promise<unknown>): Promise<RateLimiterRes> => {
      const result = await promise.catch((why: unknown) => why);
      expect(result).toBeInstanceOf(RateLimiterRes);
      return result as RateLimiterRes;
    };

    async function node() {
      const one = createClient({ socket: { host: '127.0.0.1', port: server.port } });
      one.on('error', () => {});
      await one.connect();
      open.push(() => one.isOpen && one.destroy());
      return one;
    }

    test.each(['ioredis', 'node-redis'] as const)('over %s', async (library) => {
      const isNode = library === 'node-redis';
      const storeClient = isNode ? await node() : client;
      const limiter = new RateLimiterRedis({
        ...{ storeClient, useRedisPackage: isNode, keyPrefix: 'rl', ...limits },
      });
      for (let used = 1; used <= 5; used++) {
        const result = await limiter.consume('me');
        expect(result).toMatchObject({ consumedPoints: used, remainingPoints: 5 - used });
        expect(result.isFirstInDuration).toBe(used === 1);
        expect(result.msBeforeNext).toBeGreaterThan(900_000);
      }
      const over = await refused(limiter.consume('me', 2));
      expect(over).toMatchObject({ consumedPoints: 7, remainingPoints: 0 });
      await client.script('FLUSH');
      expect((await limiter.penalty('me', 3)).consumedPoints).toBe(10);
      expect((await limiter.reward('me', 9)).consumedPoints).toBe(1);
      expect((await limiter.consume('me')).consumedPoints).toBe(2);
      expect((await limiter.get('me'))!.consumedPoints).toBe(2);
      expect((await limiter.consume('you', 4)).remainingPoints).toBe(1);
      await limiter.block('you', 500);
      expect((await refused(limiter.consume('you'))).msBeforeNext).toBeLessThanOrEqual(500_000);
      expect(await limiter.delete('you')).toBe(true);
      expect(await limiter.get('you')).toBeNull();
      await client.persist('rl:me');
      await limiter.consume('me');
      expect(await client.ttl('rl:me')).toBeGreaterThan(900);
    });

    test('a crowd gets exactly what there is, and more when the time is over', async () => {
      const crowd = Array.from({ length: 10 }, () => io());
      const limiters = crowd.map(
        (storeClient) => new RateLimiterRedis({ storeClient, points: 50, duration: 2000 }),
      );
      const asked = Array.from({ length: 300 }, (_, i) =>
        limiters[i % limiters.length]!.consume('all').then(
          () => true,
          () => false,
        ),
      );
      expect((await Promise.all(asked)).filter((given) => given).length).toBe(50);
      expect(Number(await client.get('rlflx:all'))).toBe(300);
      await client.pexpire('rlflx:all', 5);
      await waitFor(() => limiters[0]!.consume('all'), { what: 'a new window', ...PATIENCE });
    });

    test('united limiters and a queue in front of one', async () => {
      const of = (keyPrefix: string, points: number, duration: number) =>
        new RateLimiterRedis({ storeClient: client, keyPrefix, points, duration });
      const union = new RateLimiterUnion(of('few', 2, 1000), of('many', 9, 1000));
      expect(Object.keys(await union.consume('k')).sort()).toEqual(['few', 'many']);
      await union.consume('k');
      const why = (await union.consume('k').catch((reason) => reason)) as object;
      expect(Object.keys(why)).toEqual(['few']);
      const queue = new RateLimiterQueue(of('queue', 3, 1));
      const left = await Promise.all(Array.from({ length: 7 }, () => queue.removeTokens(1)));
      expect(left.length).toBe(7);
    });
  });
});
