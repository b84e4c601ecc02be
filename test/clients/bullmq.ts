// BullMQ, unmodified, for its tests: queues, workers, events and flows that are closed at the end
// of a test and whose errors fail it. Locks are so long that no job stalls on a slow machine
// unless a test wants that.

import {
  FlowProducer,
  type Job,
  Queue,
  QueueEvents,
  type QueueOptions,
  Worker,
  type WorkerOptions,
} from 'bullmq';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

export const LONG_MS = 600_000;
export const BULLMQ_KINDS: ServerKind[] = ['redis', 'respite'];
/** For one condition, and for a whole test, on a machine that is busy with others. */
const PATIENCE_MS = 170_000;
vi.setConfig({ testTimeout: 180_000 });

/** Waits as long as a loaded machine may need. */
export function until<T>(what: string, check: () => T | Promise<T>): Promise<NonNullable<T>> {
  return waitFor(check, { what, timeoutMs: PATIENCE_MS, everyMs: 15 });
}

export class Stage {
  /** Of the server under test, on this machine. */
  port = 0;
  /** Errors that queues, workers and events reported; a test ends well with none. */
  errors: string[] = [];
  #close: (() => Promise<unknown>)[] = [];
  #last: (() => unknown)[] = [];
  #ending = false;
  #names = 0;

  get connection() {
    return { host: '127.0.0.1', port: this.port, maxRetriesPerRequest: null };
  }

  /** A name no other test of this server has. */
  name(): string {
    return `queue-${++this.#names}`;
  }

  queue(name = this.name(), options: Partial<QueueOptions> = {}): Queue {
    return this.#watch(new Queue(name, { connection: this.connection, ...options }));
  }

  worker(
    { name }: { name: string },
    process: ((job: Job, token?: string) => Promise<unknown>) | null,
    options: Partial<WorkerOptions> = {},
  ): Worker {
    const connection = this.connection;
    const locks = { lockDuration: LONG_MS, stalledInterval: LONG_MS };
    return this.#watch(new Worker(name, process, { connection, ...locks, ...options }));
  }

  async events({ name }: { name: string }): Promise<QueueEvents> {
    // from the first one on: those before its first XREAD would be missed otherwise
    const options = { connection: this.connection, lastEventId: '0-0' };
    const events = this.#watch(new QueueEvents(name, options));
    await events.waitUntilReady();
    return events;
  }

  flows(): FlowProducer {
    return this.#watch(new FlowProducer({ connection: this.connection }));
  }

  #watch<T extends Queue | Worker | QueueEvents | FlowProducer>(one: T): T {
    (one as Queue).on('error', (error: Error) => {
      if (!this.#ending) this.errors.push(`${one.constructor.name}: ${error.message}`);
    });
    this.#close.push(() => one.close());
    return one;
  }

  /** Something to end after all that. */
  atEnd(close: () => unknown): void {
    this.#last.push(close);
  }

  async end(): Promise<string[]> {
    this.#ending = true;
    await Promise.all(this.#close.splice(0).map((close) => close()));
    for (const close of this.#last.splice(0)) await close();
    this.#ending = false;
    return this.errors.splice(0);
  }
}

/** A server for the tests of a describe, and what they open on it. */
export function staged(kind: ServerKind): Stage {
  const stage = new Stage();
  const { ok } = available(kind);
  let server: Server | undefined;
  beforeAll(async () => {
    if (ok) server = await startServer(kind);
    stage.port = server?.port ?? 0;
  });
  afterEach(async () => {
    if (ok) expect(await stage.end()).toEqual([]);
  });
  afterAll(() => server?.stop());
  return stage;
}

/** Waits until so many jobs of a queue have completed. */
export function completed(queue: Queue, count: number): Promise<unknown> {
  return until(`${count} completed jobs`, async () => (await queue.getCompletedCount()) === count);
}
