// A few seconds of random ACL users on redis-server and respite. RESPITE_SEED=N repeats a run.

import { afterAll, describe, expect, test } from 'vitest';
import { runSeed } from '../support/prng.js';
import { available, type Server, startServer } from '../support/servers.js';
import { describeAclRandom, runAclRandom } from './acl-random.js';

const OPS = Number(process.env.RESPITE_OPS ?? 3000);
const missing = [available('redis'), available('respite')].find(({ ok }) => !ok);

describe.skipIf(missing !== undefined)('random ACL users', () => {
  const servers: Server[] = [];

  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  test.each([1, runSeed()])('seed %i: same rules, same permissions', async (seed) => {
    if (servers.length === 0) {
      servers.push(...(await Promise.all([startServer('redis'), startServer('respite')])));
    }
    const found = await runAclRandom(servers[0]!, servers[1]!, { seed, ops: OPS });
    if (found !== undefined) expect.fail(describeAclRandom(seed, found));
  });
});
