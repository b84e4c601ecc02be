// npm run bench [-- NAME…] [-- --rounds N] [-- --scale X]: benchmarks beside redis-server.
//   throughput  redis-benchmark, CPU per operation     memory  bytes per key
//   sync        full synchronisation of a replica      stream  applying a master's stream
//   suite       redis-benchmark's default suite        collections  memory of collections
//   micro       inside one process: library and core
//   rdb         the RDB toolkit beside redis-check-rdb
//   lua         scripts: in this process, and EVALSHA beside redis-server
//   bullmq      jobs through a BullMQ worker
// All when none is named. Prints tables and keeps build/out/bench-DATE.json. Judges nothing.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const NAMES = [
  'throughput',
  'suite',
  'memory',
  'collections',
  'sync',
  'stream',
  'micro',
  'rdb',
  'lua',
  'bullmq',
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
  },
});
const unknown = positionals.find((name) => !NAMES.includes(name));
if (unknown !== undefined) {
  console.error(`no benchmark ${unknown}; there are: ${NAMES.join(', ')}`);
  process.exit(2);
}

async function load(name) {
  const file = new URL(`../test/bench/${name}`, import.meta.url).pathname;
  return (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;
}

function print({ name, rows }, seconds) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) =>
    columns.map((column) => {
      const value = row[column] ?? '';
      return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
    }),
  );
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...cells.map((line) => line[i].length)),
  );
  const line = (words) =>
    words
      .map((word, i) => (i === 0 ? word.padEnd(widths[i]) : word.padStart(widths[i])))
      .join('  ');
  console.log(`\n${name} (${seconds.toFixed(0)} s)\n${line(columns)}`);
  for (const words of cells) console.log(line(words));
}

const { throughput } = await load('throughput.ts');
const { suite } = await load('suite.ts');
const { memory, collections } = await load('memory.ts');
const { sync, stream } = await load('replica.ts');
const { rdb } = await load('rdb.ts');
const { lua } = await load('lua.ts');
const { bullmq } = await load('bullmq.ts');
const { micro } = await import('../test/bench/micro.mjs');
const luaHere = (options) => lua(options, (path) => import(path));
const benches = {
  ...{ throughput, suite, memory, collections, sync, stream, micro, rdb },
  ...{ lua: luaHere, bullmq },
};
const options = { rounds: Number(values.rounds), scale: Number(values.scale) };
const date = new Date().toISOString();
const machine = { cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem() };
const kept = { date, machine, node: process.version, options, results: [] };
const folder = new URL('out/', import.meta.url);
const file = new URL(`bench-${date.slice(0, 19).replaceAll(':', '-')}.json`, folder);
mkdirSync(folder, { recursive: true });

for (const name of positionals.length > 0 ? positionals : NAMES) {
  const startMs = performance.now();
  const result = await benches[name](options);
  const seconds = (performance.now() - startMs) / 1000;
  kept.results.push({ ...result, seconds });
  print(result, seconds);
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
}
console.log(`\nkept in ${file.pathname}`);
process.exit(0);
