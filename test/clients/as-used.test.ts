// ioredis and node-redis used as applications use them: queues, streams with consumer groups,
// pub/sub, optimistic transactions, leaderboards, client-side caching. The same code runs on a
// real redis-server and on respite.

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const KINDS: ServerKind[] = ['redis', 'respite'];

describe.each(KINDS)('as used, on %s', (kind) => {
  const { ok } = available(kind);
  let server: Server;
  const open: (() => void)[] = [];

  beforeAll(async () => {
    if (ok) server = await startServer(kind);
  });
  afterAll(async () => {
    if (ok) await server.stop();
  });
  beforeEach(async () => {
    if (ok) await io().flushall();
  });
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });

  function io(protocol: 2 | 3 = 3): Redis {
    const client = new Redis({ host: '127.0.0.1', port: server.port, protocol });
    client.on('error', () => {});
    open.push(() => client.disconnect());
    return client;
  }

  async function node(RESP: 2 | 3) {
    const client = createClient({ socket: { host: '127.0.0.1', port: server.port }, RESP });
    client.on('error', () => {});
    await client.connect();
    open.push(() => client.isOpen && client.destroy());
    return client;
  }

  describe.skipIf(!ok)('ioredis', () => {
    test('a work queue: blocking workers take every job once', async () => {
      const [producer, ...workers] = [io(), io(), io(), io()];
      const done: string[] = [];
      const loops = workers.map(async (worker) => {
        for (;;) {
          const job = await worker.blmove('queue', 'active', 'RIGHT', 'LEFT', 20);
          if (job === null || job === 'stop') return;
          done.push(job);
          await producer.lrem('active', 1, job);
        }
      });
      const jobs = Array.from({ length: 200 }, (_, i) => `job:${i}`);
      for (const job of jobs) await producer.lpush('queue', job);
      await producer.lpush('queue', 'stop', 'stop', 'stop');
      await Promise.all(loops);
      expect(done.sort()).toEqual(jobs.sort());
      expect(await producer.lrange('active', 0, -1)).toEqual(['stop', 'stop', 'stop']);
    });

    test('delayed jobs in a sorted set, taken by time', async () => {
      const client = io();
      await client.zadd('delayed', 30, 'c', 10, 'a', 20, 'b', 'inf', 'never');
      expect(await client.zrangebyscore('delayed', 0, 20, 'WITHSCORES')).toEqual([
        ...['a', '10', 'b', '20'],
      ]);
      expect(await client.bzpopmin('delayed', 1)).toEqual(['delayed', 'a', '10']);
      const taken = io().bzpopmax('elsewhere', 'later', 20);
      await client.zadd('later', 5, 'x');
      expect(await taken).toEqual(['later', 'x', '5']);
    });

    test('pub/sub with patterns, and a connection that only listens', async () => {
      const [listener, speaker] = [io(2), io()];
      const heard: string[] = [];
      listener.on('message', (channel, message) => heard.push(`${channel}=${message}`));
      listener.on('pmessage', (pattern, channel, message) =>
        heard.push(`${pattern}:${channel}=${message}`),
      );
      expect(await listener.subscribe('news', 'sport')).toBe(2);
      expect(await listener.psubscribe('n*')).toBe(3);

      expect(await speaker.publish('news', 'one')).toBe(2);
      expect(await speaker.publish('sport', 'two')).toBe(1);
      expect(await speaker.pubsub('NUMSUB', 'news', 'none')).toEqual(['news', 1, 'none', 0]);
      await waitFor(() => heard.length === 3, { what: 'three messages' });
      expect(heard).toEqual(['news=one', 'n*:news=one', 'sport=two']);
      expect(await listener.unsubscribe('news', 'sport')).toBe(1);
      expect(await listener.punsubscribe('n*')).toBe(0);
      expect(await listener.ping()).toBe('PONG');
    });

    test('a stream with a consumer group: nothing lost, the pending claimed', async () => {
      const [client, blocked] = [io(), io()];
      await client.xgroup('CREATE', 'orders', 'shop', '$', 'MKSTREAM');
      const waiting = blocked.xreadgroup(
        ...(['GROUP', 'shop', 'anna', 'COUNT', 10, 'BLOCK', 20_000] as const),
        ...(['STREAMS', 'orders', '>'] as const),
      );
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        ids.push((await client.xadd('orders', '*', 'n', String(i)))!);
      }
      const first = (await waiting) as [string, [string, string[]][]][];
      const taken = first[0]![1].map(([id]) => id);
      expect(taken).toEqual(ids.slice(0, taken.length));
      const rest = (await client.xreadgroup(
        ...(['GROUP', 'shop', 'anna', 'COUNT', 10] as const),
        ...(['STREAMS', 'orders', '>'] as const),
      )) as [string, [string, string[]][]][] | null;
      taken.push(...(rest ?? []).flatMap(([, entries]) => entries.map(([id]) => id)));
      expect(taken).toEqual(ids);
      expect(await client.xack('orders', 'shop', ids[0]!, ids[1]!)).toBe(2);
      expect(await client.xpending('orders', 'shop')).toEqual([
        ...[3, ids[2], ids[4]],
        [['anna', '3']],
      ]);
      const claimed = (await client.xautoclaim('orders', 'shop', 'ben', 0, '0')) as unknown[];
      expect((claimed[1] as unknown[]).length).toBe(3);
      expect(await client.xlen('orders')).toBe(5);
    });

    test('an optimistic transaction retries until it wins', async () => {
      const clients = [io(), io(), io()];
      await clients[0]!.set('stock', 100);
      const buy = async (client: Redis) => {
        for (;;) {
          await client.watch('stock');
          const left = Number(await client.get('stock'));
          const result = await client
            .multi()
            .set('stock', String(left - 1))
            .exec();
          if (result !== null) return;
        }
      };
      await Promise.all(
        clients.map(async (client) => {
          for (let i = 0; i < 20; i++) await buy(client);
        }),
      );
      expect(await clients[0]!.get('stock')).toBe('40');
    });

    test('hashes, sets and geo as objects', async () => {
      const client = io();
      expect(await client.hset('user:1', { name: 'Ada', age: 36 })).toBe(2);
      expect(await client.hgetall('user:1')).toEqual({ name: 'Ada', age: '36' });
      expect(await client.hincrby('user:1', 'age', 1)).toBe(37);
      await client.sadd('tags', 'a', 'b', 'c');
      await client.sadd('other', 'b', 'c', 'd');
      expect((await client.sinter('tags', 'other')).sort()).toEqual(['b', 'c']);
      expect(await client.smismember('tags', 'a', 'z')).toEqual([1, 0]);
      await client.geoadd(
        'sicily',
        13.361389,
        38.115556,
        'Palermo',
        15.087269,
        37.502669,
        'Catania',
      );
      expect(await client.geodist('sicily', 'Palermo', 'Catania', 'KM')).toBe('166.2742');
      expect(await client.pfadd('seen', 'a', 'b', 'c')).toBe(1);
      expect(await client.pfcount('seen')).toBe(3);
    });

    test('keyspace notifications reach a subscriber', async () => {
      const [client, listener] = [io(), io()];
      await client.config('SET', 'notify-keyspace-events', 'KEA');
      const heard: string[] = [];
      listener.on('pmessage', (_pattern, channel, message) => heard.push(`${channel} ${message}`));
      await listener.psubscribe('__key*__:*');
      await client.set('n', '1', 'EX', 100);
      await client.del('n');
      await waitFor(() => heard.length >= 6, { what: 'six notifications' });
      expect(heard).toEqual([
        ...['__keyspace@0__:n set', '__keyevent@0__:set n'],
        ...['__keyspace@0__:n expire', '__keyevent@0__:expire n'],
        ...['__keyspace@0__:n del', '__keyevent@0__:del n'],
      ]);
    });

    test('MONITOR sees what others do', async () => {
      const client = io();
      const monitor = await io().monitor();
      open.push(() => monitor.disconnect());
      const seen: string[][] = [];
      monitor.on('monitor', (_time: string, args: string[]) => seen.push(args));
      await client.set('watched', 'yes');
      await waitFor(() => seen.some((args) => args.join(' ') === 'set watched yes'), {
        what: 'the SET',
      });
    });
  });

  describe.skipIf(!ok).each([2, 3] as const)('node-redis, RESP%i', (RESP) => {
    test('leaderboards', async () => {
      const client = await node(RESP);
      await client.zAdd('board', [
        { score: 10, value: 'ada' },
        { score: 7.5, value: 'bob' },
        { score: 12, value: 'cyd' },
      ]);
      expect(await client.zRevRank('board', 'cyd')).toBe(0);
      expect(await client.zScore('board', 'bob')).toBe(7.5);
      expect(await client.zRangeWithScores('board', 0, 1, { REV: true })).toEqual([
        { value: 'cyd', score: 12 },
        { value: 'ada', score: 10 },
      ]);
      expect(await client.zPopMin('board')).toEqual({ value: 'bob', score: 7.5 });
      expect(await client.zIncrBy('board', 5, 'ada')).toBe(15);
    });

    test('a blocking queue, unblocked by a push and by time', async () => {
      const [client, waiter] = [await node(RESP), await node(RESP)];
      const got = waiter.blPop(['q1', 'q2'], 20);
      await client.rPush('q2', 'job');
      expect(await got).toEqual({ key: 'q2', element: 'job' });
      expect(await waiter.blPop('q1', 0.05)).toBeNull();
    });

    test('pub/sub and sharded pub/sub', async () => {
      const [client, listener] = [await node(RESP), await node(RESP)];
      const heard: string[] = [];
      await listener.subscribe(
        'room',
        (message, channel) => void heard.push(`${channel}:${message}`),
      );
      await listener.pSubscribe(
        'r*',
        (message, channel) => void heard.push(`p:${channel}:${message}`),
      );
      await listener.sSubscribe('shard', (message) => void heard.push(`s:${message}`));
      expect(await client.publish('room', 'hi')).toBe(2);
      expect(await client.sPublish('shard', 'ho')).toBe(1);
      await waitFor(() => heard.length === 3, { what: 'three messages' });
      expect(heard).toEqual(['room:hi', 'p:room:hi', 's:ho']);
      expect(await client.pubSubNumSub('room')).toEqual({ room: 1 });
      await listener.unsubscribe('room');
      expect(await client.publish('room', 'again')).toBe(1);
    });

    test('streams with consumer groups', async () => {
      const client = await node(RESP);
      await client.xGroupCreate('log', 'readers', '0', { MKSTREAM: true });
      const id = await client.xAdd('log', '*', { level: 'info', text: 'hello' });
      const read = (await client.xReadGroup('readers', 'me', { key: 'log', id: '>' })) as {
        messages: { id: string; message: Record<string, string> }[];
      }[];
      expect(read[0]!.messages).toMatchObject([{ id, message: { level: 'info', text: 'hello' } }]);
      expect((await client.xPending('log', 'readers')).pending).toBe(1);
      expect(await client.xAck('log', 'readers', id)).toBe(1);
      expect((await client.xInfoGroups('log'))[0]).toMatchObject({ name: 'readers', pending: 0 });
      expect((await client.xInfoStream('log')).length).toBe(1);
    });

    test('transactions with typed results', async () => {
      const client = await node(RESP);
      const result = await client.multi().hSet('h', { a: '1', b: '2' }).hGetAll('h').exec();
      expect(result.map((one) => (typeof one === 'object' ? { ...one } : one))).toEqual([
        ...[2, { a: '1', b: '2' }],
      ]);
    });
  });

  test.skipIf(!ok)('node-redis: client-side caching is invalidated by others', async () => {
    const cached = createClient({
      socket: { host: '127.0.0.1', port: server.port },
      RESP: 3,
      clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' },
    });
    cached.on('error', () => {});
    await cached.connect();
    open.push(() => cached.destroy());
    const other = io();
    await other.set('shared', 'one');
    expect(await cached.get('shared')).toBe('one');
    expect(await cached.get('shared')).toBe('one');
    await other.set('shared', 'two');
    await waitFor(async () => (await cached.get('shared')) === 'two', { what: 'the new value' });
  });

  test.skipIf(!ok)('a tracking connection with a redirect (RESP2)', async () => {
    const [listener, client, other] = [io(2), io(2), io()];
    const id = await listener.client('ID');
    const dropped: string[] = [];
    listener.on('message', (_channel, key) => dropped.push(String(key)));
    await listener.subscribe('__redis__:invalidate');
    await client.client('TRACKING', 'ON', 'REDIRECT', id);
    await client.get('seen');
    await other.set('seen', '1');
    await other.set('unseen', '1');
    await waitFor(() => dropped.length > 0, { what: 'an invalidation' });
    expect(dropped).toEqual(['seen']);
  });
});
