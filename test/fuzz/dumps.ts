// The dumps that fuzzers damage: those of test/rdb/data, truncated or mutated.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prng } from '../support/prng.js';
import { ROOT } from '../support/servers.js';
import type { Case } from './fuzzer.js';
import { mutate } from './mutate.js';

const DATA = join(ROOT, 'test/rdb/data');
let seeds: Buffer[] | undefined;

function files(): Buffer[] {
  seeds ??= readdirSync(DATA)
    .filter((name) => name.endsWith('.rdb'))
    .map((name) => readFileSync(join(DATA, name)));
  return seeds;
}

/** `count` damaged files, `words` put into them; `extra` seeds what is done with each. */
export function damagedDumps(r: Prng, count: number, words: readonly Buffer[]): Case {
  const steps: Case = [];
  for (let i = 0; i < count; i++) {
    const file = r.pick(files());
    const bytes = r.once(5)
      ? file.subarray(0, r.below(file.length))
      : mutate(r, file, words, Math.min(9, file.length - 1));
    steps.push({ bytes, extra: r.u32() });
  }
  return steps;
}
