// Random Lua programs on redis-server and respite for as long as wanted:
//   node test/conformance/script-random.mjs [--seed N] [--programs N] [--runs N]
// Prints the first difference and exits 1; each run uses the next seed.

import { parseArgs } from 'node:util';
import { compareSeeds, load } from './seeds.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    programs: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '1' },
  },
});
const { runScriptRandom, describeScript } = await load('./script-random.ts');
const programs = Number(values.programs);
await compareSeeds(
  values,
  (oracle, subject, seed) => runScriptRandom(oracle, subject, { seed, programs }),
  (_seed, found) => describeScript(found),
);
