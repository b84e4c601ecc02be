// The loop of the random comparisons that anybody can run for as long as wanted: one seed after the
// other on a redis-server and on respite, until there is a difference.

import { runnerImport } from 'vite';

/** A TypeScript module of the tests, by its path from this folder. */
export async function load(path) {
  const file = new URL(path, import.meta.url).pathname;
  return (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;
}

/**
 * Calls `compare(oracle, subject, seed)` for `runs` seeds from the first on; what it finds is
 * printed as `describe(seed, found)` and ends the process with 1.
 */
export async function compareSeeds({ seed: first, runs }, compare, describe) {
  const { startServer } = await load('../support/servers.ts');
  const oracle = await startServer('redis');
  const subject = await startServer('respite');
  let failed = false;
  for (let run = 0; run < Number(runs) && !failed; run++) {
    const seed = Number(first) + run;
    const startMs = performance.now();
    const found = await compare(oracle, subject, seed);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    failed = found !== undefined;
    console.log(failed ? describe(seed, found) : `seed ${seed}: same (${seconds} s)`);
  }
  await oracle.stop();
  await subject.stop();
  process.exit(failed ? 1 : 0);
}
