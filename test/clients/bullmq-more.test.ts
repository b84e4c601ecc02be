// BullMQ's flows, job schedulers, deduplication, events, recovery and house-keeping: the same tests
// on a real redis-server and on respite.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FlowJob, type Job, Queue, WaitingChildrenError } from 'bullmq';
import { createClient } from 'redis';
import { describe, expect, test } from 'vitest';
import { RawConnection } from '../support/connection.js';
import { available } from '../support/servers.js';
import { BULLMQ_KINDS, completed, LONG_MS, staged, until } from './bullmq.js';

const VICTIM = new URL('bullmq-victim.mjs', import.meta.url).pathname;

describe.each(BULLMQ_KINDS)('BullMQ on %s', (kind) => {
  describe.skipIf(!available(kind).ok)('more', () => {
    const stage = staged(kind);

    test('a flow: children before parents, results handed up', async () => {
      const [parents, children] = [stage.queue(), stage.queue()];
      const flows = stage.flows();
      const ran: string[] = [];
      const process = async (job: Job) => {
        const values = Object.values(await job.getChildrenValues<number>());
        ran.push(job.name);
        return values.reduce((sum, value) => sum + value, job.data.own);
      };
      const leaf = (name: string, own: number): FlowJob => ({
        ...{ name, queueName: children.name, data: { own } },
      });
      const tree = await flows.add({
        ...{ name: 'root', queueName: parents.name, data: { own: 1000 } },
        children: [
          leaf('a', 1),
          { ...leaf('b', 10), children: [leaf('ba', 2), leaf('bb', 3)] },
          { ...leaf('c', 20), children: [{ ...leaf('ca', 30), children: [leaf('caa', 40)] }] },
        ],
      });
      expect(await tree.job.getState()).toBe('waiting-children');
      expect(await parents.getWaitingChildrenCount()).toBe(1);
      expect(await tree.job.getDependenciesCount()).toMatchObject({ unprocessed: 3 });
      stage.worker(children, process, { concurrency: 4 });
      stage.worker(parents, process);
      await completed(parents, 1);
      await completed(children, 7);
      expect((await parents.getJob(tree.job.id!))!.returnvalue).toBe(1106);
      expect(ran.at(-1)).toBe('root');
      for (const [child, parent] of ['ba b', 'bb b', 'ca c', 'caa ca'].map((s) => s.split(' '))) {
        expect(ran.indexOf(child!)).toBeLessThan(ran.indexOf(parent!));
      }
      const seen = await flows.getFlow({ id: tree.job.id!, queueName: parents.name });
      expect(seen.children!.map(({ job }) => job.name).sort()).toEqual(['a', 'b', 'c']);
      const dependencies = await tree.job.getDependencies();
      expect(Object.values(dependencies.processed!).sort()).toEqual([1, 15, 90]);
    });

    test('flows whose children fail, in all four ways', async () => {
      const [parents, children] = [stage.queue(), stage.queue()];
      const flows = stage.flows();
      const flow = (name: string, opts: FlowJob['opts']): FlowJob => ({
        ...{ name, queueName: parents.name },
        children: ['bad', 'good'].map((child) => ({
          ...{ name: child, queueName: children.name, opts },
        })),
      });
      const added = await flows.addBulk([
        flow('fail', { failParentOnFailure: true }),
        flow('ignore', { ignoreDependencyOnFailure: true }),
        flow('remove', { removeDependencyOnFailure: true }),
        flow('continue', { continueParentOnFailure: true }),
        flow('stuck', {}),
      ]);
      const left: Record<string, unknown> = {};
      stage.worker(children, async (job) => {
        if (job.name === 'bad') throw new Error('broken');
        return 'fine';
      });
      stage.worker(parents, async (job) => {
        const ignored = Object.values(await job.getIgnoredChildrenFailures());
        left[job.name] = { ignored, values: Object.values(await job.getChildrenValues()) };
      });
      await completed(parents, 3);
      await until('the failed parent', async () => (await parents.getFailedCount()) === 1);
      await completed(children, 5);
      const [fail, , , , stuck] = added;
      expect(left).toMatchObject({
        ignore: { ignored: ['broken'], values: ['fine'] },
        remove: { ignored: [], values: ['fine'] },
        continue: { ignored: ['broken'] },
      });
      expect((await parents.getJob(fail!.job.id!))!.failedReason).toMatch(/child .* failed/);
      expect(await stuck!.job.getState()).toBe('waiting-children');
      expect(await stuck!.job.getDependenciesCount()).toMatchObject({
        processed: 1,
        unprocessed: 1,
      });
      await stuck!.job.remove({ removeChildren: true });
      expect(await children.getCompletedCount()).toBe(4);
      expect(await children.getFailedCount()).toBe(4);
    });

    test('a job that adds children of its own while it runs', async () => {
      const [queue, children] = [stage.queue(), stage.queue()];
      stage.worker(children, async (job) => job.data.n * 2, { concurrency: 5 });
      const worker = stage.worker(queue, async (job, token) => {
        if (job.data.step === undefined) {
          const parent = { id: job.id!, queue: job.queueQualifiedName };
          for (let n = 1; n <= 3; n++) await children.add('child', { n }, { parent });
          await job.updateData({ step: 'wait' });
        }
        if (await job.moveToWaitingChildren(token!)) throw new WaitingChildrenError();
        return Object.values(await job.getChildrenValues<number>()).sort();
      });
      const job = await queue.add('parent', {});
      await completed(queue, 1);
      expect((await queue.getJob(job.id!))!.returnvalue).toEqual([2, 4, 6]);
      expect(worker.isRunning()).toBe(true);
    });

    test('job schedulers: every, pattern, limits, changes', async () => {
      const queue = stage.queue();
      const template = { name: 'tick', data: { of: 'clock' }, opts: { attempts: 2 } };
      await queue.upsertJobScheduler('often', { every: 40, limit: 4 }, template);
      await queue.upsertJobScheduler('seconds', { pattern: '* * * * * *', limit: 1 }, template);
      await queue.upsertJobScheduler('rare', { pattern: '0 0 1 1 *', tz: 'Asia/Tokyo' }, template);
      await queue.upsertJobScheduler('rare', { every: LONG_MS }, { name: 'changed' });
      const rare = await queue.getJobScheduler('rare');
      expect(rare).toMatchObject({ key: 'rare', name: 'changed', every: LONG_MS });
      const ids: string[] = [];
      stage.worker(queue, async (job) => {
        ids.push(job.repeatJobKey!);
        return job.data;
      });
      const ran = (id: string) => ids.filter((one) => one === id).length;
      await until('the ticks', () => ran('often') === 4 && ran('seconds') === 1);
      await until('their ends', async () => (await queue.getCompletedCount()) >= 5);
      expect(ran('rare')).toBeLessThanOrEqual(1);
      const tick = (await queue.getCompleted()).find((job) => job.repeatJobKey === 'often')!;
      expect([tick.name, tick.data, tick.opts.attempts]).toEqual(['tick', { of: 'clock' }, 2]);
      const schedulers = await queue.getJobSchedulers();
      expect(schedulers.map(({ key }) => key)).toContain('rare');
      expect(await queue.removeJobScheduler('rare')).toBe(true);
      expect(await queue.removeJobScheduler('rare')).toBe(false);
      expect(await queue.getJobScheduler('rare')).toBeUndefined();
    });

    test('deduplication: ids, simple, throttled, debounced, kept last', async () => {
      const queue = stage.queue();
      const events = await stage.events(queue);
      const heard: string[] = [];
      events.on('duplicated', ({ jobId }) => heard.push(`duplicated ${jobId}`));
      events.on('deduplicated', ({ deduplicationId }) => heard.push(`again ${deduplicationId}`));
      await queue.add('own', { n: 1 }, { jobId: 'own' });
      await queue.add('own', { n: 2 }, { jobId: 'own' });
      expect((await queue.getJob('own'))!.data).toEqual({ n: 1 });

      const simple = { deduplication: { id: 'simple' } };
      const first = await queue.add('simple', { n: 1 }, simple);
      expect((await queue.add('simple', { n: 2 }, simple)).id).toBe(first.id);
      expect(await queue.getDeduplicationJobId('simple')).toBe(first.id);
      const throttle = { deduplication: { id: 'throttle', ttl: LONG_MS } };
      await queue.add('throttled', { n: 1 }, throttle);
      await queue.add('throttled', { n: 2 }, throttle);
      const debounce = { id: 'debounce', ttl: LONG_MS, extend: true, replace: true };
      for (let n = 1; n <= 5; n++) {
        await queue.add('debounced', { n }, { deduplication: debounce, delay: LONG_MS });
      }
      const delayed = await queue.getDelayed();
      expect(delayed.map((job) => job.data)).toEqual([{ n: 5 }]);
      await delayed[0]!.promote();

      const last = { deduplication: { id: 'last', keepLastIfActive: true } };
      const ran: string[] = [];
      const process = async (job: Job) => {
        ran.push(`${job.name} ${job.data.n}`);
        if (job.name === 'last' && job.data.n === 1) {
          for (let n = 2; n <= 4; n++) await queue.add('last', { n }, last);
        }
      };
      await queue.add('last', { n: 1 }, last);
      stage.worker(queue, process);
      await completed(queue, 6);
      expect(ran.sort()).toEqual([
        ...['debounced 5', 'last 1', 'last 4', 'own 1', 'simple 1', 'throttled 1'],
      ]);
      expect(await queue.getDeduplicationJobId('simple')).toBeNull();
      expect(await queue.removeDeduplicationKey('throttle')).toBe(1);
      const wanted = ['duplicated own', 'again simple', 'again throttle', 'again debounce'];
      await until('the events', () => wanted.every((event) => heard.includes(event)));
    });

    test('events, in their order', async () => {
      const queue = stage.queue();
      const events = await stage.events(queue);
      const heard: string[] = [];
      for (const name of [
        'added',
        'waiting',
        'active',
        'completed',
        'failed',
        'delayed',
      ] as const) {
        events.on(name, ({ jobId }: { jobId: string }) => heard.push(`${jobId} ${name}`));
      }
      events.on('progress', ({ jobId, data }) => heard.push(`${jobId} progress ${data}`));
      events.on('removed', ({ jobId, prev }) => heard.push(`${jobId} removed ${prev}`));
      events.on('cleaned', ({ count }) => heard.push(`cleaned ${count}`));
      for (const name of ['paused', 'resumed', 'drained'] as const) {
        events.on(name, () => heard.push(name));
      }
      const worker = stage.worker(queue, async (job) => {
        await job.updateProgress(50);
        if (job.name === 'bad') throw new Error('bad');
      });
      const opts = { jobId: 'one' };
      await (await queue.add('good', {}, opts)).waitUntilFinished(events);
      const two = await queue.add('bad', {}, { jobId: 'two', delay: 5 });
      await two.waitUntilFinished(events).catch(() => {});
      await worker.close();
      await queue.pause();
      await queue.resume();
      const three = await queue.add('x', {}, { jobId: 'three' });
      await three.remove();
      await queue.clean(0, 10, 'completed');
      await queue.drain();
      await until('the last event', () => heard.includes('cleaned 1'));
      const of = (id: string) => heard.filter((line) => line.startsWith(`${id} `));
      expect(of('one').map((line) => line.slice(4))).toEqual([
        ...['added', 'waiting', 'active', 'progress 50', 'completed'],
      ]);
      expect(of('two').map((line) => line.slice(4))).toEqual([
        ...['added', 'delayed', 'waiting', 'active', 'progress 50', 'failed'],
      ]);
      expect(of('three').map((line) => line.slice(6))).toEqual([
        ...['added', 'waiting', 'removed wait'],
      ]);
      const rest = heard.filter((line) => !/^(one|two|three) /.test(line));
      expect(rest.filter((line) => line !== 'drained')).toEqual(['paused', 'resumed', 'cleaned 1']);
      expect(rest).toContain('drained');
    });

    test('a worker is killed: others take over its jobs', async () => {
      const queue = stage.queue();
      const events = await stage.events(queue);
      const stalled: string[] = [];
      events.on('stalled', ({ jobId }) => stalled.push(jobId));
      for (const jobId of ['j1', 'j2', 'j3', 'j4']) await queue.add('x', {}, { jobId });
      const args = [VICTIM, String(stage.port), queue.name, '1000'];
      const victim = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      stage.atEnd(() => victim.kill('SIGKILL'));
      const gone = once(victim, 'exit');
      let said = '';
      victim.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      await until('three jobs to be taken', () => said.match(/took/g)?.length === 3);
      expect(await queue.getActiveCount()).toBe(3);
      victim.kill('SIGKILL');
      await gone;
      const ran: string[] = [];
      const heard: string[] = [];
      const worker = stage.worker(queue, async (job) => void ran.push(job.id!), {
        stalledInterval: 150,
      });
      worker.on('stalled', (id) => heard.push(id));
      await completed(queue, 4);
      expect(ran.sort()).toEqual(['j1', 'j2', 'j3', 'j4']);
      await until('the events', () => stalled.length === 3);
      expect(stalled.sort()).toEqual(['j1', 'j2', 'j3']);
      expect(heard.sort()).toEqual(['j1', 'j2', 'j3']);
    });

    test('a job that stalls too often fails; its worker learns that the lock is lost', async () => {
      const queue = stage.queue();
      const errors: string[] = [];
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const loser = stage.worker(queue, () => held, {
        ...{ lockDuration: 100, skipLockRenewal: true, skipStalledCheck: true },
      });
      loser.removeAllListeners('error');
      loser.on('error', (error) => errors.push(error.message));
      const job = await queue.add('x', {});
      await until('the job to run', () => job.isActive());
      stage.worker(queue, async () => {}, { stalledInterval: 100, maxStalledCount: 0 });
      await until('the job to fail', () => job.isFailed());
      release();
      await until('the loser to notice', () => errors.length > 0);
      expect(errors[0]).toMatch(/Missing lock|not in the active/);
      const reason = (await queue.getJob(job.id!))!.failedReason;
      expect(reason).toBe('job stalled more than allowable limit');
    });

    test('house-keeping: counts, pages, clean, drain, obliterate, metrics', async () => {
      const queue = stage.queue();
      const metrics = { maxDataPoints: 10 };
      const worker = stage.worker(
        queue,
        async (job) => {
          if (job.name === 'bad') throw new Error('bad');
        },
        { metrics, concurrency: 10, removeOnFail: { count: 15 } },
      );
      const add = (name: string, count: number, opts = {}) =>
        queue.addBulk(Array.from({ length: count }, () => ({ name, data: {}, opts })));
      await add('good', 30);
      await add('bad', 20);
      await add('gone', 5, { removeOnComplete: true });
      const done = async () => {
        const meta = await Promise.all([queue.getMetrics('completed'), queue.getMetrics('failed')]);
        return meta.map((one) => one.meta.count).join();
      };
      await until('all to be done', async () => (await done()) === '35,20');
      await worker.close();
      await add('delayed', 4, { delay: LONG_MS });
      await add('high', 3, { priority: 3 });
      await add('wait', 6);
      expect(await queue.getJobCounts()).toMatchObject({
        ...{ completed: 30, failed: 15, delayed: 4, prioritized: 3, waiting: 6, active: 0 },
      });
      expect(await queue.count()).toBe(13);
      const pages = [await queue.getJobs(['wait', 'delayed'], 0, 3), await queue.getCompleted(25)];
      expect(pages.map((page) => page.length)).toEqual([8, 5]);
      expect((await queue.clean(0, 10, 'completed')).length).toBe(10);
      expect((await queue.clean(LONG_MS, 10, 'completed')).length).toBe(0);
      expect((await queue.clean(0, 0, 'failed')).length).toBe(15);
      expect(await queue.getCompletedCount()).toBe(20);
      await queue.promoteJobs();
      expect(await queue.getDelayedCount()).toBe(0);
      await queue.drain();
      expect(await queue.count()).toBe(0);
      await queue.trimEvents(0);
      expect(await queue.exportPrometheusMetrics()).toMatch(/state="completed"} 20/);
      await expect(queue.obliterate()).resolves.toBeUndefined();
      const client = await RawConnection.open(stage.port);
      const left = (await client.call('KEYS', `bull:${queue.name}:*`)) as string[];
      client.close();
      expect(left.filter((key) => !/:(meta|id|marker)$/.test(key))).toEqual([]);
    });

    test('over node-redis instead of ioredis', async () => {
      const { port } = stage;
      const name = stage.name();
      const open = async () => {
        const client = createClient({ socket: { host: '127.0.0.1', port } });
        await client.connect();
        stage.atEnd(() => client.isOpen && client.destroy());
        return client;
      };
      const queue = new Queue(name, { connection: await open() });
      const ran: number[] = [];
      stage.worker(queue, async (job) => void ran.push(job.data.n), {
        ...{ connection: await open(), concurrency: 5 },
      });
      await queue.addBulk(Array.from({ length: 100 }, (_, n) => ({ name: 'x', data: { n } })));
      await completed(queue, 100);
      expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
      await queue.close();
    });
  });
});
