// Throughput and CPU per operation with redis-benchmark: SET, GET, INCR, MSET of 10, a million
// random keys, 64-byte values, 50 clients, pipelines of 1, 16 and 100. Rounds alternate between
// the servers, which all stay up; medians of the rounds.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Server, startServer } from '../support/servers.js';
import {
  type BenchOptions,
  type BenchResult,
  contenders,
  cpuSec,
  loadKeys,
  median,
  type Shot,
} from './measure.js';

const KEYS = 1_000_000;
const TESTS = ['set', 'get', 'incr', 'mset'];
const REQUESTS: Record<number, number> = { 1: 200_000, 16: 1_000_000, 100: 3_000_000 };
const run = promisify(execFile);

async function shoot(server: Server, test: string, pipeline: number, count: number): Promise<Shot> {
  const beforeSec = cpuSec(server.pid);
  const { stdout } = await run('redis-benchmark', [
    ...['-p', String(server.port), '-t', test, '-P', String(pipeline), '-n', String(count)],
    ...['-r', String(KEYS), '-d', '64', '-c', '50', '--csv'],
  ]);
  const usedSec = cpuSec(server.pid) - beforeSec;
  const line = stdout.split('\n').find((one) => /^"(SET|GET|INCR|MSET)/.test(one));
  if (line === undefined) throw new Error(`redis-benchmark -t ${test} said: ${stdout}`);
  return {
    perSec: Number(line.split(',')[1]!.replaceAll('"', '')),
    cpuUs: (usedSec * 1e6) / count,
  };
}

export async function throughput({ rounds, scale }: BenchOptions): Promise<BenchResult> {
  const servers: Server[] = [];
  const shots = new Map<string, Shot[]>();
  try {
    for (const kind of contenders()) servers.push(await startServer(kind));
    for (const server of servers) {
      await loadKeys(server.port, { count: Math.round(KEYS * scale), valueBytes: 64 });
      for (const test of TESTS) await shoot(server, test, 16, Math.round(200_000 * scale));
    }
    for (const [pipeline, requests] of Object.entries(REQUESTS)) {
      for (const test of TESTS) {
        const count = Math.max(1000, Math.round((requests * scale) / (test === 'mset' ? 8 : 1)));
        for (let round = 0; round < rounds; round++) {
          for (const server of round % 2 ? [...servers].reverse() : servers) {
            const name = `${test.toUpperCase()} P${pipeline}/${server.kind}`;
            const shot = await shoot(server, test, Number(pipeline), count);
            shots.set(name, [...(shots.get(name) ?? []), shot]);
          }
        }
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return { name: 'throughput', rows: table(servers, shots) };
}

function table(servers: Server[], shots: Map<string, Shot[]>) {
  return Object.keys(REQUESTS).flatMap((pipeline) =>
    TESTS.map((test) => {
      const row: Record<string, string | number> = { test: test.toUpperCase(), pipeline };
      const perSec = (kind: string, what: keyof Shot) =>
        median((shots.get(`${row.test} P${pipeline}/${kind}`) ?? []).map((shot) => shot[what]));
      for (const { kind } of servers) {
        row[`${kind} op/s`] = Math.round(perSec(kind, 'perSec'));
        row[`${kind} µs`] = Number(perSec(kind, 'cpuUs').toFixed(2));
        if (kind === 'redis') continue;
        row[`${kind}/redis`] = Number(
          (perSec(kind, 'perSec') / perSec('redis', 'perSec')).toFixed(2),
        );
      }
      return row;
    }),
  );
}
