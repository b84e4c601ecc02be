// A few seconds of random commands, redis beside redis (the generator is sound) and respite beside
// redis. RESPITE_SEED=N repeats a run, RESPITE_OPS=N makes it longer.

import { afterAll, describe, expect, test } from 'vitest';
import { stopJudge } from '../support/keyspace.js';
import { runSeed } from '../support/prng.js';
import { available, type Server, startServer } from '../support/servers.js';
import { describeRandom, runRandom } from './random.js';
import { startSubject } from './subject.js';

const OPS = Number(process.env.RESPITE_OPS ?? 20_000);
const seed = runSeed();

describe.each([
  { kind: 'redis', ops: 5000, seed: 1 },
  { kind: 'respite', ops: OPS, seed: 1 },
  { kind: 'respite', ops: OPS, seed },
] as const)('$ops random commands, $kind beside redis, seed $seed', ({ kind, ops, seed }) => {
  const missing = [available('redis'), available(kind)].find(({ ok }) => !ok);
  const servers: Server[] = [];

  afterAll(async () => {
    await stopJudge();
    for (const server of servers) await server.stop();
  });

  test.skipIf(missing !== undefined)(`same replies, same keyspaces`, async () => {
    servers.push(await startServer('redis'), await startSubject(kind));
    const found = await runRandom(servers[0]!, servers[1]!, { seed, ops });
    if (found !== undefined) expect.fail(describeRandom(seed, found));
  });
});
