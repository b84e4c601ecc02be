// BullMQ: 5,000 jobs that do nothing through one worker with concurrency 50, and the same added
// before. Jobs per second as a producer and a worker in this process see them, and CPU per job of
// the server. Rounds alternate between the servers; medians of the rounds.

import { Queue, Worker } from 'bullmq';
import { type Server, startServer } from '../support/servers.js';
import {
  type BenchOptions,
  type BenchResult,
  contenders,
  cpuSec,
  median,
  type Row,
  type Shot,
} from './measure.js';

const JOBS = 5000;
const BULK = 500;
const CONCURRENCY = 50;

async function timed(server: Server, count: number, work: () => Promise<void>): Promise<Shot> {
  const [beforeSec, startMs] = [cpuSec(server.pid), performance.now()];
  await work();
  const seconds = (performance.now() - startMs) / 1000;
  return { perSec: count / seconds, cpuUs: ((cpuSec(server.pid) - beforeSec) * 1e6) / count };
}

async function addAll(queue: Queue, count: number): Promise<void> {
  for (let from = 0; from < count; from += BULK) {
    const size = Math.min(BULK, count - from);
    await queue.addBulk(Array.from({ length: size }, (_, i) => ({ name: 'x', data: { i } })));
  }
}

function workAll(name: string, connection: { port: number }, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    const worker = new Worker(name, async () => {}, { connection, concurrency: CONCURRENCY });
    worker.on('error', reject);
    worker.on('completed', () => {
      if (--left === 0) worker.close().then(resolve, reject);
    });
  });
}

async function shoot(server: Server, count: number): Promise<{ added: Shot; worked: Shot }> {
  const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null };
  const queue = new Queue('bench', { connection });
  await queue.waitUntilReady();
  const added = await timed(server, count, () => addAll(queue, count));
  const worked = await timed(server, count, () => workAll('bench', connection, count));
  const { completed } = await queue.getJobCounts('completed');
  if (completed !== count) throw new Error(`${server.kind}: ${completed} of ${count} jobs done`);
  await queue.obliterate({ force: true });
  await queue.close();
  return { added, worked };
}

export async function bullmq({ rounds, scale }: BenchOptions): Promise<BenchResult> {
  const servers: Server[] = [];
  const shots = new Map<string, Shot[]>();
  const keep = (what: string, { kind }: Server, shot: Shot) => {
    const name = `${what}/${kind}`;
    shots.set(name, [...(shots.get(name) ?? []), shot]);
  };
  const count = Math.max(100, Math.round(JOBS * scale));
  try {
    for (const kind of contenders()) servers.push(await startServer(kind));
    for (const server of servers) await shoot(server, Math.ceil(count / 5));
    for (let round = 0; round < rounds; round++) {
      for (const server of round % 2 ? [...servers].reverse() : servers) {
        const { added, worked } = await shoot(server, count);
        keep('add in bulk', server, added);
        keep('work off', server, worked);
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return { name: `BullMQ, ${count} jobs, concurrency ${CONCURRENCY}`, rows: rowsOf(shots) };
}

function rowsOf(shots: ReadonlyMap<string, Shot[]>): Row[] {
  const figure = (name: string, of: keyof Shot) => median(shots.get(name)!.map((shot) => shot[of]));
  return [...shots.keys()].map((name) => {
    const base = `${name.split('/')[0]}/redis`;
    const perSec = figure(name, 'perSec');
    return {
      what: name,
      'jobs/s': Math.round(perSec),
      'of redis': (perSec / figure(base, 'perSec')).toFixed(2),
      'CPU µs/job': figure(name, 'cpuUs').toFixed(0),
    };
  });
}
