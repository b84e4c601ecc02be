// Random clients that block, beside redis-server: a script of pushes, moves, deletions and waiting
// clients is made from a seed, run on both, and what every client received is compared. Another
// seed: RESPITE_SEED=N; longer: RESPITE_STEPS=N.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng, runSeed } from '../support/prng.js';
import { compareScenario } from '../support/scenario.js';
import { available, type Server, startServer } from '../support/servers.js';

const why = [available('redis'), available('respite')].find(({ ok }) => !ok)?.why ?? '';
const seed = runSeed();
const STEPS = Number(process.env.RESPITE_STEPS ?? 150);

const key = (r: Prng) => `k${r.below(5)}`;
const keys = (r: Prng) => Array.from({ length: r.range(1, 3) }, () => key(r));
const end = (r: Prng) => r.pick(['LEFT', 'RIGHT']);
const count = (r: Prng) => (r.once(2) ? ` COUNT ${r.range(1, 4)}` : '');

function waitingCommand(r: Prng): string {
  switch (r.below(7)) {
    case 0:
      return `BLMOVE ${key(r)} ${key(r)} ${end(r)} ${end(r)} 0`;
    case 1:
      return `BRPOPLPUSH ${key(r)} ${key(r)} 0`;
    case 2: {
      const some = keys(r);
      return `BLMPOP 0 ${some.length} ${some.join(' ')} ${end(r)}${count(r)}`;
    }
    case 3: {
      const some = keys(r);
      return `BZMPOP 0 ${some.length} ${some.join(' ')} ${r.pick(['MIN', 'MAX'])}${count(r)}`;
    }
    case 4:
      return `${r.pick(['BZPOPMIN', 'BZPOPMAX'])} ${keys(r).join(' ')} 0`;
    default:
      return `${r.pick(['BLPOP', 'BRPOP'])} ${keys(r).join(' ')} 0`;
  }
}

const members = (r: Prng) => Array.from({ length: r.range(1, 4) }, () => r.below(50));

function change(r: Prng): string {
  switch (r.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return `${r.pick(['RPUSH', 'LPUSH'])} ${key(r)} ${members(r).join(' ')}`;
    case 4:
    case 5:
    case 6:
      return `ZADD ${key(r)} ${members(r)
        .map((n) => `${n} m${n}`)
        .join(' ')}`;
    case 7:
      return `${r.pick(['RENAME', 'RENAMENX', 'COPY'])} ${key(r)} ${key(r)}`;
    case 8:
      return `COPY ${key(r)} ${key(r)} REPLACE`;
    case 9:
      return `LMOVE ${key(r)} ${key(r)} ${end(r)} ${end(r)}`;
    case 10:
      return `SET ${key(r)} x`;
    case 11:
      return `ZUNIONSTORE ${key(r)} 2 ${key(r)} ${key(r)}`;
    case 12:
      return `PEXPIREAT ${key(r)} 1`;
    default:
      return `DEL ${key(r)} ${key(r)}`;
  }
}

/** Clients a to h wait, or try to; d changes things, in transactions now and then. */
function makeScript(r: Prng, steps: number): string {
  const names = ['a', 'b', 'c', 'e', 'f', 'g'];
  const busy = new Set<string>();
  const lines: string[] = [];
  for (let i = 0; i < steps; i++) {
    const name = r.pick(names);
    if (r.once(2) && !busy.has(name)) {
      // Who may still be blocked is not spoken to again until it was let go.
      busy.add(name);
      lines.push(`?${name}: ${waitingCommand(r)}`);
    } else if (r.once(6) && busy.has(name)) {
      busy.delete(name);
      lines.push(`d: CLIENT UNBLOCK %id(${name}) ${r.pick(['TIMEOUT', 'ERROR'])}`);
    } else if (r.once(25) && busy.has(name)) {
      busy.delete(name);
      lines.push(`@close ${name}`);
    } else if (r.once(3)) {
      const some = Array.from({ length: r.range(1, 5) }, () => change(r));
      lines.push(`d: MULTI; ${some.join('; ')}; EXEC`);
    } else lines.push(`d: ${change(r)}`);
  }
  for (let n = 0; n < 5; n++) lines.push(`d: LRANGE k${n} 0 -1; ZRANGE k${n} 0 -1 WITHSCORES`);
  return lines.join('\n');
}

describe.skipIf(why !== '')(`random blocked clients${why && `: ${why}`}`, () => {
  let oracle: Server;
  let subject: Server;
  beforeAll(async () => {
    oracle = await startServer('redis');
    subject = await startServer('respite');
  });
  afterAll(async () => {
    await oracle?.stop();
    await subject?.stop();
  });

  test(`seed ${seed}`, { timeout: 120_000 + STEPS * 1000 }, async () => {
    const script = makeScript(new Prng(seed), STEPS);
    expect(await compareScenario(oracle.port, subject.port, script)).toBe('');
  });
});
