// BullMQ's queues and workers: the same tests on a real redis-server and on respite.

import { randomUUID } from 'node:crypto';
import { type BackoffOptions, type Job, UnrecoverableError, Worker } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { available } from '../support/servers.js';
import { BULLMQ_KINDS, completed, LONG_MS, type Stage, staged, until } from './bullmq.js';

/** Runs everything that waits, one job at a time, and gives the names in the order they ran in. */
async function orderOf(stage: Stage, queue: ReturnType<Stage['queue']>, count: number) {
  const ran: string[] = [];
  stage.worker(queue, async (job) => void ran.push(job.name), { concurrency: 1 });
  await until(`${count} jobs`, () => ran.length === count);
  await completed(queue, count);
  return ran;
}

describe.each(BULLMQ_KINDS)('BullMQ on %s', (kind) => {
  describe.skipIf(!available(kind).ok)('jobs', () => {
    const stage = staged(kind);

    test('a job runs: data, progress, logs, result', async () => {
      const queue = stage.queue();
      const events = await stage.events(queue);
      stage.worker(queue, async (job) => {
        await job.updateProgress(40);
        await job.updateProgress({ half: 'done', at: 0.5 });
        await job.log('one');
        await job.log('two');
        await job.updateData({ ...job.data, seen: true });
        return { text: job.data.text.toUpperCase(), nested: { list: [1, 2.5, null, 'é'] } };
      });
      const job = await queue.add('shout', { text: 'häß', deep: { empty: {}, none: [] } });
      const result = { text: 'HÄSS', nested: { list: [1, 2.5, null, 'é'] } };
      expect(await job.waitUntilFinished(events)).toEqual(result);
      const kept = (await queue.getJob(job.id!))!;
      expect(kept.returnvalue).toEqual(result);
      expect(kept.progress).toEqual({ half: 'done', at: 0.5 });
      expect(kept.data).toEqual({ text: 'häß', deep: { empty: {}, none: [] }, seen: true });
      expect(kept.attemptsMade).toBe(1);
      expect(await queue.getJobLogs(job.id!)).toEqual({ logs: ['one', 'two'], count: 2 });
      expect(await queue.getJobLogs(job.id!, 0, 0, false)).toEqual({ logs: ['two'], count: 2 });
      expect(await kept.getState()).toBe('completed');
      expect(await queue.getJobState('none')).toBe('unknown');
      expect(await queue.getWorkersCount()).toBe(1);
    });

    test('3,000 jobs, four workers: none lost, none done twice', async () => {
      const queue = stage.queue();
      const all = 3000;
      const ran = new Map<number, number>();
      let [active, most] = [0, 0];
      const process = async (job: Job) => {
        most = Math.max(most, ++active);
        await new Promise(setImmediate);
        active--;
        const number = job.data.number as number;
        ran.set(number, (ran.get(number) ?? 0) + 1);
        if (number % 10 === 0 && job.attemptsMade === 0) throw new Error('not yet');
        return number * 2;
      };
      for (let i = 0; i < 4; i++) stage.worker(queue, process, { concurrency: 15 });
      const opts = { attempts: 2, backoff: 5 };
      for (let from = 0; from < all; from += 500) {
        const numbers = Array.from({ length: 500 }, (_, i) => from + i);
        await queue.addBulk(
          numbers.map((number) => ({ name: 'n', data: { number }, opts: { ...opts } })),
        );
      }
      await completed(queue, all);
      expect(ran.size).toBe(all);
      expect([...ran].filter(([number, times]) => times !== (number % 10 === 0 ? 2 : 1))).toEqual(
        [],
      );
      expect(most).toBeLessThanOrEqual(60);
      const counts = await queue.getJobCounts();
      expect(Object.entries(counts).filter(([, count]) => count > 0)).toEqual([['completed', all]]);
      const some = await queue.getCompleted(100, 199);
      expect(some.length).toBe(100);
      expect(some.filter((job) => job.returnvalue !== job.data.number * 2)).toEqual([]);
    });

    test('delayed jobs run in the order of their times, none too early', async () => {
      const queue = stage.queue();
      const delays = [120, 40, 200, 80, 1, 160];
      const added: Job[] = [];
      for (const delay of delays) added.push(await queue.add(`${delay}`, {}, { delay }));
      const late = await queue.add('late', {}, { delay: LONG_MS, jobId: 'late' });
      const later = await queue.add('later', {}, { delay: LONG_MS, jobId: 'later' });
      expect((await queue.getDelayed()).map((job) => job.id).slice(-2)).toEqual(['late', 'later']);
      const ran: Job[] = [];
      stage.worker(queue, async (job) => void ran.push(job));
      await until('the delayed jobs', () => ran.length === delays.length);
      const due = (job: Job) => job.timestamp + Number(job.name);
      added.sort((a, b) => due(a) - due(b));
      expect(ran.map((job) => job.name)).toEqual(added.map((job) => job.name));
      expect(ran.filter((job) => job.processedOn! < due(job))).toEqual([]);
      expect(await queue.getDelayedCount()).toBe(2);
      await late.promote();
      await later.changeDelay(1);
      await until('the late ones', () => ran.length === delays.length + 2);
      await completed(queue, delays.length + 2);
    });

    test('priorities, LIFO, and their changes', async () => {
      const queue = stage.queue();
      await queue.pause();
      for (const [name, priority] of [
        ['p9', 9],
        ['p2a', 2],
        ['first', 0],
        ['p2b', 2],
        ['p2097151', 2_097_151],
        ['second', 0],
        ['p1', 1],
      ] as const) {
        await queue.add(name, {}, { priority });
      }
      await queue.add('lifo', {}, { lifo: true });
      const up = await queue.add('p5 to 1', {}, { priority: 5 });
      const down = await queue.add('p1 to 3', {}, { priority: 1 });
      await up.changePriority({ priority: 1 });
      await down.changePriority({ priority: 3 });
      expect(await queue.getCountsPerPriority([0, 1, 2, 3, 9, 4])).toEqual({
        ...{ 0: 3, 1: 2, 2: 2, 3: 1, 9: 1, 4: 0 },
      });
      await queue.resume();
      expect(await orderOf(stage, queue, 10)).toEqual([
        ...['lifo', 'first', 'second', 'p1', 'p5 to 1', 'p2a', 'p2b', 'p1 to 3', 'p9', 'p2097151'],
      ]);
    });

    test('LIFO: the last is the first', async () => {
      const queue = stage.queue();
      for (const name of ['a', 'b', 'c', 'd']) await queue.add(name, {}, { lifo: true });
      expect(await orderOf(stage, queue, 4)).toEqual(['d', 'c', 'b', 'a']);
    });

    test('retries: fixed, exponential and own backoff; exhausted ones fail', async () => {
      const queue = stage.queue();
      const events = await stage.events(queue);
      const exhausted: string[] = [];
      events.on('retries-exhausted', ({ jobId, attemptsMade }) => {
        exhausted.push(`${jobId}: ${attemptsMade}`);
      });
      const settings = { backoffStrategy: (attempts: number) => attempts * 3 };
      stage.worker(
        queue,
        async (job) => {
          if (job.name === 'never') throw new UnrecoverableError('give up');
          if (job.attemptsMade < job.data.failures) throw new Error(`no ${job.attemptsMade}`);
          return job.attemptsMade;
        },
        { concurrency: 5, settings },
      );
      const add = (failures: number, backoff: number | BackoffOptions) =>
        queue.add('try', { failures }, { attempts: 4, backoff });
      const fixed = await add(2, { type: 'fixed', delay: 5 });
      const exponential = await add(3, { type: 'exponential', delay: 5 });
      const own = await add(1, { type: 'mine' });
      const spent = await add(4, 1);
      const never = await queue.add('never', {}, { attempts: 5 });
      expect(await fixed.waitUntilFinished(events)).toBe(2);
      expect(await exponential.waitUntilFinished(events)).toBe(3);
      expect(await own.waitUntilFinished(events)).toBe(1);
      await expect(spent.waitUntilFinished(events)).rejects.toThrow('no 3');
      await expect(never.waitUntilFinished(events)).rejects.toThrow('give up');
      const failed = (await queue.getJob(spent.id!))!;
      expect(failed.attemptsMade).toBe(4);
      expect(failed.failedReason).toBe('no 3');
      expect(failed.stacktrace!.map((trace) => trace.split('\n')[0])).toEqual([
        ...['Error: no 0', 'Error: no 1', 'Error: no 2', 'Error: no 3'],
      ]);
      await until('what is exhausted', () => exhausted.length >= 1);
      expect(exhausted).toContain(`${spent.id}: 4`);

      await failed.retry();
      await until('the retried job', async () => (await failed.getState()) === 'completed');
      await queue.retryJobs({ state: 'completed' });
      await until('all again', async () => (await queue.getCompletedCount()) === 4);
      expect(await queue.getFailedCount()).toBe(1);
    });

    test('a rate limit is kept', async () => {
      const queue = stage.queue();
      const startMs = performance.now();
      const limiter = { max: 3, duration: 150 };
      let ran = 0;
      stage.worker(queue, async () => ++ran, { concurrency: 10, limiter });
      await queue.addBulk(Array.from({ length: 9 }, () => ({ name: 'x', data: {} })));
      await completed(queue, 9);
      expect(performance.now() - startMs).toBeGreaterThan(290);
      expect(ran).toBe(9);
    });

    test('limits of the whole queue, by hand and by rule', async () => {
      const queue = stage.queue();
      let [refused, active, most] = [0, 0, 0];
      const process = async (job: Job, _token?: string, worker?: Worker) => {
        if (job.data.limited && job.attemptsStarted === 1) {
          refused++;
          await worker!.rateLimit(30);
          throw Worker.RateLimitError();
        }
        most = Math.max(most, ++active);
        await new Promise((resolve) => setTimeout(resolve, 5));
        active--;
      };
      await queue.setGlobalConcurrency(2);
      expect(await queue.getGlobalConcurrency()).toBe(2);
      const workers: Worker[] = [];
      for (let i = 0; i < 3; i++) {
        const own = (job: Job, token?: string) => process(job, token, workers[i]);
        workers.push(stage.worker(queue, own, { concurrency: 4 }));
      }
      for (let i = 0; i < 20; i++) await queue.add('x', { limited: i % 10 === 9 });
      await completed(queue, 20);
      expect(refused).toBe(2);
      expect(most).toBeLessThanOrEqual(2);
      await queue.removeGlobalConcurrency();
      await queue.rateLimit(LONG_MS);
      expect(await queue.getRateLimitTtl()).toBeGreaterThan(LONG_MS / 2);
      expect(await queue.removeRateLimitKey()).toBe(1);
      expect(await queue.getRateLimitTtl()).toBeLessThan(0);
      await queue.setGlobalRateLimit(7, 1000);
      expect(await queue.getGlobalRateLimit()).toEqual({ max: 7, duration: 1000 });
    });

    test('pause and resume: the queue, and one worker', async () => {
      const queue = stage.queue();
      const ran: string[] = [];
      const worker = stage.worker(queue, async (job) => void ran.push(job.name));
      await queue.add('before', {});
      await until('the first job', () => ran.length === 1);
      await queue.pause();
      expect(await queue.isPaused()).toBe(true);
      await queue.add('held', {});
      await queue.add('held high', {}, { priority: 1 });
      expect((await queue.getJobCounts('waiting', 'prioritized')).prioritized).toBe(1);
      expect(ran).toEqual(['before']);
      await queue.resume();
      await until('the held jobs', () => ran.length === 3);
      expect(ran.slice(1)).toEqual(['held', 'held high']);
      await worker.pause();
      await queue.add('waits', {});
      expect(await queue.getWaitingCount()).toBe(1);
      worker.resume();
      await until('the last job', () => ran.length === 4);
      await completed(queue, 4);
    });

    test('jobs taken by hand: locks, moves, lost locks', async () => {
      const queue = stage.queue();
      const worker = stage.worker(queue, null);
      const token = randomUUID();
      for (const name of ['a', 'b', 'c', 'd']) await queue.add(name, { name });
      const a = (await worker.getNextJob(token))!;
      expect(a.name).toBe('a');
      expect(await a.extendLock(token, LONG_MS)).toBe(1);
      expect(await a.getState()).toBe('active');
      await expect(a.moveToCompleted('x', 'other', false)).rejects.toThrow(/lock/i);
      const [next] = (await a.moveToCompleted('done', token)) as [{ name: string }, string];
      expect(next.name).toBe('b');
      const b = (await queue.getJob('2'))!;
      await b.moveToFailed(new Error('bad'), token, false);
      expect(await b.getState()).toBe('failed');
      const c = (await worker.getNextJob(token))!;
      await c.moveToDelayed(Date.now() + LONG_MS, token);
      expect(await c.isDelayed()).toBe(true);
      const d = (await worker.getNextJob(token))!;
      await d.moveToWait(token);
      expect(await d.isWaiting()).toBe(true);
      await expect(a.moveToCompleted('again', token, false)).rejects.toThrow('Missing lock');
      await d.remove();
      expect(await queue.getJob(d.id!)).toBeUndefined();
      await expect(d.updateProgress(1)).rejects.toThrow('Missing key for job');
      expect(await queue.getJobCounts('completed', 'failed', 'delayed', 'waiting')).toEqual({
        ...{ completed: 1, failed: 1, delayed: 1, waiting: 0 },
      });
    });
  });
});
