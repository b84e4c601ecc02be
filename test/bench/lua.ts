// Scripts: in this process by LuaEngine, ns per call of a cached script, and EVALSHA over TCP
// beside redis-server with redis-benchmark (50 clients, pipelines of 1 and 16; throughput and CPU
// per operation of the server process). Rounds alternate between the servers; medians.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { ROOT, type Server, startServer } from '../support/servers.js';
import {
  type BenchOptions,
  type BenchResult,
  contenders,
  cpuSec,
  median,
  putMedians,
  type Row,
  type Shot,
} from './measure.js';

const REQUESTS: Record<number, number> = { 1: 100_000, 16: 400_000 };
const IN_PROCESS_CALLS = 300_000;
const KEY = 'key:000000000001';
const VALUE = 'x'.repeat(64);
const ENTRY = `${ROOT}build/js/lua-node.js`;
const run = promisify(execFile);

interface Script {
  readonly name: string;
  readonly source: string;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** By what the number of calls is divided. */
  readonly weight: number;
}

const SCRIPTS: readonly Script[] = [
  { name: 'return 1', source: 'return 1', keys: [], args: [], weight: 1 },
  {
    name: 'one GET',
    source: "return redis.call('GET', KEYS[1])",
    keys: [KEY],
    args: [],
    weight: 1,
  },
  {
    name: 'ten calls',
    source: "local n = 0 for i = 1, 10 do n = n + #redis.call('GET', KEYS[1]) end return n",
    keys: [KEY],
    args: [],
    weight: 4,
  },
  {
    name: 'cjson 1 KiB',
    source: 'return cjson.encode(cjson.decode(ARGV[1]))',
    keys: [],
    args: [document()],
    weight: 8,
  },
];

/** JSON of a kibibyte, as services store it: names, numbers, flags, a list. */
function document(): string {
  const items = Array.from({ length: 8 }, (_, i) => ({
    id: 1000 + i,
    name: `item number ${i}`,
    price: 9.75 + i,
    tags: ['alpha', 'beta', 'gamma'],
    isActive: i % 2 === 0,
  }));
  const whole = { user: 'someone@example.com', total: 12345.5, items, note: '' };
  const short = 1024 - JSON.stringify(whole).length;
  return JSON.stringify({ ...whole, note: 'n'.repeat(Math.max(0, short)) });
}

type Load = (path: string) => Promise<typeof import('../../host/lua-node.js')>;

async function shoot(server: Server, words: string[], pipeline: number, count: number) {
  const beforeSec = cpuSec(server.pid);
  const { stdout } = await run('redis-benchmark', [
    ...['-p', String(server.port), '-P', String(pipeline), '-n', String(count)],
    ...['-c', '50', '--csv', ...words],
  ]);
  const usedSec = cpuSec(server.pid) - beforeSec;
  const perSec = Number(/","([\d.]+)"/.exec(stdout.trim().split('\n').at(-1)!)?.[1]);
  if (!(perSec > 0)) throw new Error(`redis-benchmark ${words.join(' ')} said: ${stdout}`);
  return { perSec, cpuUs: (usedSec * 1e6) / count };
}

/** The words of EVALSHA for each script, which a server knows from now on. */
async function prepare(server: Server): Promise<string[][]> {
  const connection = await server.connect();
  await connection.call('SET', KEY, VALUE);
  const commands: string[][] = [];
  for (const { source, keys, args } of SCRIPTS) {
    const sha = String(await connection.call('SCRIPT', 'LOAD', source));
    commands.push(['EVALSHA', sha, String(keys.length), ...keys, ...args]);
  }
  connection.close();
  return commands;
}

async function overTcp({ rounds, scale }: BenchOptions): Promise<Row[]> {
  const servers: Server[] = [];
  const shots = new Map<string, Shot[]>();
  try {
    for (const kind of contenders()) servers.push(await startServer(kind));
    let commands: string[][] = [];
    for (const server of servers) {
      commands = await prepare(server);
      for (const words of commands) await shoot(server, words, 16, Math.round(40_000 * scale));
    }
    for (const [pipeline, requests] of Object.entries(REQUESTS)) {
      for (const [i, { name, weight }] of SCRIPTS.entries()) {
        const count = Math.max(1000, Math.round((requests * scale) / weight));
        for (let round = 0; round < rounds; round++) {
          for (const server of round % 2 ? [...servers].reverse() : servers) {
            const key = `${name} P${pipeline}/${server.kind}`;
            const shot = await shoot(server, commands[i]!, Number(pipeline), count);
            shots.set(key, [...(shots.get(key) ?? []), shot]);
          }
        }
      }
    }
  } finally {
    for (const server of servers) await server.stop();
  }
  return Object.keys(REQUESTS).flatMap((pipeline) =>
    SCRIPTS.map(({ name }) => tcpRow(servers, shots, name, pipeline)),
  );
}

function tcpRow(
  servers: readonly Server[],
  shots: ReadonlyMap<string, Shot[]>,
  script: string,
  pipeline: string,
): Row {
  const row: Row = { script, pipeline };
  const kinds = servers.map(({ kind }) => kind);
  putMedians(row, kinds, (kind) => shots.get(`${script} P${pipeline}/${kind}`) ?? []);
  return row;
}

/** ns per call of LuaEngine, on data in this process. */
async function inProcess({ rounds, scale }: BenchOptions, load: Load): Promise<Row[]> {
  if (!existsSync(ENTRY)) return [{ script: 'build/js is not built: npm run build' }];
  const { createStorage, LuaEngine } = await load(ENTRY);
  const storage = await createStorage();
  storage.set(KEY, VALUE);
  const engine = new LuaEngine(storage);
  const rows = SCRIPTS.map(({ name, source, keys, args, weight }) => {
    const sha = engine.loadScript(source);
    const count = Math.max(1000, Math.round((IN_PROCESS_CALLS * scale) / weight));
    const nsEach: number[] = [];
    const cpuNsEach: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const startMs = performance.now();
      const before = process.cpuUsage();
      for (let i = 0; i < count; i++) engine.evalSha(sha, keys, args);
      const { user, system } = process.cpuUsage(before);
      if (round < 0) continue;
      nsEach.push(((performance.now() - startMs) * 1e6) / count);
      cpuNsEach.push(((user + system) * 1000) / count);
    }
    return {
      script: name,
      pipeline: 'in process',
      'ns each': Math.round(median(nsEach)),
      'CPU ns each': Math.round(median(cpuNsEach)),
    };
  });
  engine.close();
  return rows;
}

/** `load` imports a module as Node.js does: this file's own `import` goes through Vite. */
export async function lua(options: BenchOptions, load: Load): Promise<BenchResult> {
  return { name: 'lua', rows: [...(await inProcess(options, load)), ...(await overTcp(options))] };
}
