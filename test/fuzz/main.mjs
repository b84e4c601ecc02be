// npm run fuzz -- NAME [--seed N] [--runs N] [--seconds N]
//   NAME   resp, commands, rdb, rdb-tool, restore, canary, or smoke (each of them for
//          --seconds, default 5)
// npm run fuzz -- --repeat FILE   runs a repro file once more
//
// The fuzzer runs in a worker; this thread watches it: a run that takes longer than 30 s is a hang
// and a find like any other. A find is printed with its seed and written to build/out/. Exit code 1
// for a find (for `canary`: for none).

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { runnerImport } from 'vite';

const HANG_MS = 30_000;
const SMOKE = ['resp', 'commands', 'rdb', 'rdb-tool', 'restore'];

async function load() {
  const file = new URL('./run.ts', import.meta.url).pathname;
  return (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;
}

async function inWorker({ name, seed, runs }) {
  const { fuzz } = await load();
  parentPort.postMessage({ isReady: true });
  const outcome = await fuzz(name, seed, runs, (at) => parentPort.postMessage({ at }));
  parentPort.postMessage({ outcome: { ...outcome, find: outcome.find && { ...outcome.find } } });
}

function write(name, seed, text) {
  const out = new URL('../../build/out/', import.meta.url);
  mkdirSync(out, { recursive: true });
  const file = new URL(`fuzz-${name}-${seed}.json`, out).pathname;
  writeFileSync(file, text);
  return relative(process.cwd(), file);
}

/** Runs in a worker until done, found, out of time or hanging. */
function watch(name, seed, runs, seconds) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { name, seed, runs } });
    let at = seed;
    let count = 0;
    // loading takes what it takes
    let last = Number.POSITIVE_INFINITY;
    const started = Date.now();
    const end = (result) => {
      clearInterval(timer);
      void worker.terminate();
      resolve({ runs: count, ...result });
    };
    const timer = setInterval(() => {
      if (Date.now() - last > HANG_MS) end({ hang: at });
      else if (count > 0 && Date.now() - started > seconds * 1000) end({});
    }, 50);
    worker.on('message', (message) => {
      last = Date.now();
      if (message.isReady) return;
      if (message.at !== undefined) {
        at = message.at;
        count++;
      } else end(message.outcome);
    });
    worker.on('error', (error) => {
      clearInterval(timer);
      reject(error);
    });
  });
}

async function one(name, { seed, runs, seconds }) {
  const { fuzzerNamed, caseOf } = await load();
  const missing = fuzzerNamed(name).missing?.();
  if (missing !== undefined) {
    console.log(`${name}: skipped: ${missing}`);
    return true;
  }
  console.log(`${name}: seed ${seed}`);
  const { runs: done, find, hang } = await watch(name, seed, runs, seconds);
  console.log(`${name}: ${done} runs`);
  if (hang !== undefined) {
    const file = write(name, hang, caseOf(name, hang));
    console.log(
      `${name}: HANG at seed ${hang}: no end after ${HANG_MS} ms; the case is in ${file}`,
    );
  } else if (find !== undefined) {
    const file = write(name, find.seed, find.text);
    console.log(`${name}: FOUND at seed ${find.seed}: ${find.fault}`);
    console.log(`${name}: ${find.stepsBefore} steps shrunk to ${find.steps.length}: ${file}`);
  }
  const found = hang !== undefined || find !== undefined;
  return name === 'canary' ? found : !found;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      repeat: { type: 'string' },
    },
  });
  if (values.repeat !== undefined) {
    const { repeat } = await load();
    const fault = await repeat(readFileSync(values.repeat, 'utf8'));
    console.log(fault?.stack ?? 'no fault');
    return fault === undefined;
  }
  const name = positionals[0] ?? 'smoke';
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  const seconds = Number(values.seconds ?? (name === 'smoke' ? 5 : Number.POSITIVE_INFINITY));
  const runs = Number(values.runs ?? (name === 'canary' ? 2000 : 1e9));
  let ok = true;
  for (const each of name === 'smoke' ? SMOKE : [name]) {
    ok = (await one(each, { seed, runs, seconds })) && ok;
  }
  return ok;
}

if (isMainThread) {
  const ok = await main().catch((error) => {
    console.error(error.message);
    return false;
  });
  process.exit(ok ? 0 : 1);
} else {
  await inWorker(workerData);
}
