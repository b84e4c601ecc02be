// What BullMQ's scripts do travels as effects: a redis-server that is sent respite's has the same
// keys, and a respite that follows a redis-server has its.

import type { Job } from 'bullmq';
import { afterEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../host/config/index.js';
import { silentLogger } from '../../host/log.js';
import { createNodePlatform } from '../../host/platform/node.js';
import { RespiteServer } from '../../host/server/server.js';
import { coreModule } from '../sim/memory-host.js';
import { RawConnection } from '../support/connection.js';
import { compareKeyspaces } from '../support/keyspace.js';
import { plain } from '../support/resp.js';
import { available, freePort, type Server, startServer } from '../support/servers.js';
import { parseCommands } from '../unit/commands/support/core-client.js';
import { completed, LONG_MS, Stage, until } from './bullmq.js';

const JOBS = 400;
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A day of work, so to speak; leaves keys of every kind behind. */
async function exercise(port: number): Promise<void> {
  const stage = new Stage();
  stage.port = port;
  const [queue, children] = [stage.queue('work'), stage.queue('children')];
  const flows = stage.flows();
  const opts = { attempts: 3, backoff: 2 };
  const add = (name: string, more: object) =>
    queue.addBulk(
      Array.from({ length: JOBS / 4 }, (_, n) => ({
        name,
        data: { n },
        opts: { ...opts, ...more },
      })),
    );
  await add('plain', {});
  await add('high', { priority: 5 });
  await add('later', { delay: 20 });
  await add('lifo', { lifo: true, removeOnComplete: true });
  await queue.add('never', {}, { delay: LONG_MS });
  const deduplication = { id: 'one', ttl: LONG_MS };
  for (let n = 1; n < 4; n++) await queue.add('once', { n }, { deduplication });
  await queue.upsertJobScheduler('tick', { every: 30, limit: 4 }, { name: 'tick' });
  await queue.upsertJobScheduler('rare', { pattern: '0 0 1 1 *' });
  const leaf = { name: 'leaf', queueName: children.name };
  await flows.add({
    ...{ name: 'parent', queueName: queue.name },
    children: [leaf, leaf, { ...leaf, name: 'bad', opts: { ignoreDependencyOnFailure: true } }],
  });
  const process = async (job: Job) => {
    if (job.name === 'bad') throw new Error('always');
    const n = job.data.n as number | undefined;
    if (n === undefined) return Object.values(await job.getChildrenValues());
    if (n % 9 === 0) await job.log(`line ${n}`);
    if (n % 11 === 0) await job.updateProgress({ n });
    if (n % 7 === 0 && job.attemptsMade < 2) throw new Error('try again');
    return n;
  };
  const metrics = { maxDataPoints: 5 };
  const limiter = { max: 200, duration: 20 };
  stage.worker(queue, process, { concurrency: 20, metrics, limiter });
  stage.worker(queue, process, { concurrency: 5 });
  stage.worker(children, process, { concurrency: 2 });
  // the lifo ones are gone; the one deduplicated, four ticks and the parent
  await completed(queue, (JOBS * 3) / 4 + 1 + 4 + 1);
  await until('the bad child', async () => (await children.getFailedCount()) === 1);
  expect(await stage.end()).toEqual([]);
  await queue.close();
}

/** Replies to what must not fail, told apart from those that may not be errors. */
async function replay(effects: Buffer, target: RawConnection): Promise<number> {
  const commands = parseCommands(effects);
  const replies = await target.pipeline(commands);
  const errors = replies.filter((reply) => reply[0] === 0x2d).map((reply) => plain(reply));
  expect(errors).toEqual([]);
  return commands.length;
}

/**
 * Waits until the limit of the queue has ended, and has its DEL written by asking for it: a replay
 * comes after the time in its PEXPIREAT, and an INCR after it leaves a key that never ends.
 */
async function limitGone(connection: RawConnection): Promise<void> {
  await until('the end of the limit', async () => {
    return (await connection.call('EXISTS', 'bull:work:limiter')) === 0;
  });
}

async function redis(): Promise<Server> {
  const directives = { 'repl-diskless-sync-delay': 0 };
  const server = await startServer('redis', { directives });
  open.push(() => server.stop());
  return server;
}

async function connect(port: number): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  open.push(() => connection.close());
  return connection;
}

describe.skipIf(!available('redis').ok || !available('respite').ok)('effects of BullMQ', () => {
  test('respite: its effects make the same of a redis-server', async () => {
    const port = await freePort();
    const server = new RespiteServer({
      config: loadConfig({ options: { bind: '127.0.0.1', port } }).config,
      ...{ platform: createNodePlatform(), log: silentLogger(), module: coreModule() },
    });
    await server.listen();
    open.push(() => server.close());
    const { core } = server;
    core.x.effectsFollow(true);
    await exercise(port);
    const ours = await connect(port);
    await limitGone(ours);
    expect(core.x.effectsMissing()).toBeFalsy();
    const [address, length] = [core.x.effectsAddress() >>> 0, core.x.effectsLength() >>> 0];
    const theirs = await connect((await redis()).port);
    expect(await replay(Buffer.from(core.copy(address, length)), theirs)).toBeGreaterThan(JOBS * 5);
    expect(await compareKeyspaces(ours, theirs)).toEqual([]);
  });

  test('redis-server: a respite that follows it has the same', async () => {
    const master = await redis();
    const directives = { replicaof: ['127.0.0.1', master.port] };
    const replica = await startServer('respite', { directives });
    open.push(() => replica.stop());
    const [theirs, ours] = [await connect(master.port), await connect(replica.port)];
    await until('the link', async () =>
      /master_link_status:up/.test(String(await ours.call('INFO', 'replication'))),
    );
    await exercise(master.port);
    await limitGone(theirs);
    expect(await theirs.call('SET', 'last', 'one')).toBe('OK');
    await until('the replica', async () => (await ours.call('GET', 'last')) === 'one');
    expect(await compareKeyspaces(theirs, ours)).toEqual([]);
  });
});
