// A few seconds of random Lua programs on redis-server and respite. RESPITE_SEED=N repeats a run.

import { afterAll, describe, expect, test } from 'vitest';
import { runSeed } from '../support/prng.js';
import { available, type Server, startServer } from '../support/servers.js';
import { describeScript, runScriptRandom } from './script-random.js';

const PROGRAMS = Number(process.env.RESPITE_OPS ?? 2000);
const missing = [available('redis'), available('respite')].find(({ ok }) => !ok);

describe.skipIf(missing !== undefined)('random Lua programs', () => {
  const servers: Server[] = [];

  afterAll(async () => {
    for (const server of servers) await server.stop();
  });

  test.each([1, runSeed()])('seed %i: the same results and errors', async (seed) => {
    if (servers.length === 0) {
      servers.push(...(await Promise.all([startServer('redis'), startServer('respite')])));
    }
    const options = { seed, programs: PROGRAMS };
    const found = await runScriptRandom(servers[0]!, servers[1]!, options);
    if (found !== undefined) expect.fail(describeScript(found));
  });
});
