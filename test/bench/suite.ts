// redis-benchmark's whole default suite, test by test in its order, so that LPOP pops what LPUSH
// pushed: throughput and CPU per operation of the server process, without pipeline and with 16,
// -r 1000000. Rounds alternate between the servers; medians of the rounds, and geometric means.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Server, startServer } from '../support/servers.js';
import {
  type BenchOptions,
  type BenchResult,
  contenders,
  cpuSec,
  putMedians,
  type Row,
  type Shot,
} from './measure.js';

const KEYS = 1_000_000;
const REQUESTS: Record<number, number> = { 1: 100_000, 16: 1_000_000 };
const run = promisify(execFile);

/** Name, arguments of redis-benchmark, and by what the number of requests is divided. */
const TESTS: [name: string, args: string[], divisor: number][] = [
  ...['ping_inline', 'ping_mbulk', 'set', 'get', 'incr', 'lpush', 'rpush', 'lpop', 'rpop'],
  ...['sadd', 'hset', 'spop', 'zadd', 'zpopmin'],
].map((name): [string, string[], number] => [name, ['-t', name], 1]);
// what -t lrange_N does, without counting the filling of the list again every time
for (const count of [100, 300, 500, 600]) {
  TESTS.push([`lrange_${count}`, ['LRANGE', 'mylist', '0', String(count - 1)], 20]);
}
TESTS.push(['mset', ['-t', 'mset'], 4]);

async function shoot(
  { port, pid }: Server,
  args: string[],
  pipeline: number,
  count: number,
): Promise<Shot> {
  const beforeSec = cpuSec(pid);
  const { stdout } = await run('redis-benchmark', [
    ...['-p', String(port), '-P', String(pipeline), '-n', String(count), '-r', String(KEYS)],
    ...['--csv', ...args],
  ]);
  const usedSec = cpuSec(pid) - beforeSec;
  const line = stdout.trim().split('\n').at(-1)!;
  const perSec = Number(/","([\d.]+)"/.exec(line)?.[1]);
  if (!(perSec > 0)) throw new Error(`redis-benchmark ${args.join(' ')} said: ${stdout}`);
  return { perSec, cpuUs: (usedSec * 1e6) / count };
}

async function flush(server: Server): Promise<void> {
  const connection = await server.connect();
  await connection.call('FLUSHALL');
  connection.close();
}

export async function suite({ rounds, scale }: BenchOptions): Promise<BenchResult> {
  const servers: Server[] = [];
  const shots = new Map<string, Shot[]>();
  try {
    for (const kind of contenders()) servers.push(await startServer(kind));
    for (const [pipeline, requests] of Object.entries(REQUESTS)) {
      for (let round = 0; round < rounds; round++) {
        for (const server of servers) await flush(server);
        for (const [name, args, divisor] of TESTS) {
          const count = Math.max(1000, Math.round((requests * scale) / divisor));
          for (const server of round % 2 ? [...servers].reverse() : servers) {
            if (name === 'lrange_100') await shoot(server, ['-t', 'lpush'], 16, 20_000);
            const key = `${name} P${pipeline}/${server.kind}`;
            const shot = await shoot(server, args, Number(pipeline), count);
            shots.set(key, [...(shots.get(key) ?? []), shot]);
          }
        }
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return { name: 'suite', rows: Object.keys(REQUESTS).flatMap((p) => table(servers, shots, p)) };
}

function table(servers: Server[], shots: Map<string, Shot[]>, pipeline: string): Row[] {
  const ratios = new Map<string, number[]>();
  const kinds = servers.map(({ kind }) => kind);
  const rows = TESTS.map(([test]) => {
    const row: Row = { test, pipeline };
    const shotsOf = (kind: string) => shots.get(`${test} P${pipeline}/${kind}`) ?? [];
    putMedians(row, kinds, shotsOf, (name, ratio) => {
      ratios.set(name, [...(ratios.get(name) ?? []), ratio]);
    });
    return row;
  });
  const mean: Row = { test: 'geometric mean', pipeline };
  for (const [name, all] of ratios) {
    const logs = all.reduce((sum, ratio) => sum + Math.log(ratio), 0);
    mean[name] = Number(Math.exp(logs / all.length).toFixed(2));
  }
  return [...rows, mean];
}
