// Random commands on redis-server and respite for as long as wanted:
//   node test/conformance/random.mjs [--seed N] [--ops N] [--runs N] [--subject respite|redis]
//     [--families set,hash,…]  only commands of these (makers/index.ts)
//     [--oracle redis80]       a newer server (support/servers.ts), for what 7.0 does not know
// Prints the first difference with its history and exits 1; each run uses the next seed.

import { parseArgs } from 'node:util';
import { load } from './seeds.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    ops: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '1' },
    subject: { type: 'string', default: 'respite' },
    families: { type: 'string' },
    oracle: { type: 'string', default: 'redis' },
  },
});
const { startServer } = await load('../support/servers.ts');
const { startSubject } = await load('./subject.ts');
const { runRandom, describeRandom } = await load('./random.ts');
const { roulette } = await load('./makers/index.ts');
const makes = roulette(values.families?.split(','));

let failed = false;
for (let run = 0; run < Number(values.runs) && !failed; run++) {
  const seed = Number(values.seed) + run;
  const oracle = await startServer(values.oracle);
  const valuesOnly = values.oracle !== 'redis';
  const subject = await (valuesOnly ? startServer : startSubject)(values.subject);
  const startMs = performance.now();
  const options = { seed, ops: Number(values.ops), makes, valuesOnly };
  const found = await runRandom(oracle, subject, options);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  failed = found !== undefined;
  console.log(failed ? describeRandom(seed, found) : `seed ${seed}: same (${seconds} s)`);
  await oracle.stop();
  await subject.stop();
}
process.exit(failed ? 1 : 0);
