// Random ACL users on redis-server and respite for as long as wanted:
//   node test/conformance/acl-random.mjs [--seed N] [--ops N] [--runs N]
// Prints the first difference with its history and exits 1; each run uses the next seed.

import { parseArgs } from 'node:util';
import { compareSeeds, load } from './seeds.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    ops: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '1' },
  },
});
const { runAclRandom, describeAclRandom } = await load('./acl-random.ts');
const ops = Number(values.ops);
await compareSeeds(
  values,
  (oracle, subject, seed) => runAclRandom(oracle, subject, { seed, ops }),
  describeAclRandom,
);
