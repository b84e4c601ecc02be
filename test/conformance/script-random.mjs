// Random Lua programs on redis-server and respite for as long as wanted:
//   node test/conformance/script-random.mjs [--seed N] [--programs N] [--runs N]
// Prints the first difference and exits 1; each run uses the next seed.

import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    programs: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '1' },
  },
});
const load = async (path) => {
  const file = new URL(path, import.meta.url).pathname;
  return (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;
};
const { startServer } = await load('../support/servers.ts');
const { runScriptRandom, describeScript } = await load('./script-random.ts');

const oracle = await startServer('redis');
const subject = await startServer('respite');
let failed = false;
for (let run = 0; run < Number(values.runs) && !failed; run++) {
  const seed = Number(values.seed) + run;
  const startMs = performance.now();
  const options = { seed, programs: Number(values.programs) };
  const found = await runScriptRandom(oracle, subject, options);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  failed = found !== undefined;
  console.log(failed ? describeScript(found) : `seed ${seed}: same (${seconds} s)`);
}
await oracle.stop();
await subject.stop();
process.exit(failed ? 1 : 0);
