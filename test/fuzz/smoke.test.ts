// The fuzzers for a few seconds each, with a fixed seed: what everybody runs before every change.
// Longer runs with other seeds: npm run fuzz -- NAME. Repro files of past finds are run again.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { faultOf, makeCase, readCase } from './fuzzer.js';
import { FUZZERS, fuzz, fuzzerNamed, repeat } from './run.js';

/** Cases a run holds × runs: 20,000 mutated pipelines and 20,000 mutated dumps. */
const RUNS: Record<string, number> = {
  resp: 400,
  rdb: 800,
  'rdb-tool': 60,
  commands: 400,
  pushes: 400,
  restore: 250,
};
const SEED = 20_261_121;
const OUT = new URL('../../build/out/', import.meta.url).pathname;
const FOUND = new URL('./found/', import.meta.url).pathname;

describe('smoke', () => {
  for (const [name, runs] of Object.entries(RUNS)) {
    const missing = fuzzerNamed(name).missing?.();
    test.skipIf(missing !== undefined)(
      `${name}: ${missing ?? `${runs} runs`}`,
      { timeout: 300_000 },
      async () => {
        const { find, runs: done } = await fuzz(name, SEED, runs);
        if (find !== undefined) {
          mkdirSync(OUT, { recursive: true });
          const file = `${OUT}fuzz-${name}-${find.seed}.json`;
          writeFileSync(file, find.text);
          expect.fail(`seed ${find.seed}, ${find.steps.length} steps in ${file}: ${find.fault}`);
        }
        expect(done).toBe(runs);
      },
    );
  }

  test('canary: a planted bug is found, and shrunk to one step', async () => {
    const { find } = await fuzz('canary', SEED, 500);
    expect(find?.fault).toMatch(/unreachable/);
    expect(find?.steps.length).toBe(1);
    const fault = await repeat(find?.text ?? '');
    expect(fault).toBeInstanceOf(WebAssembly.RuntimeError);
  });

  test('the same seed makes the same case', () => {
    for (const fuzzer of FUZZERS) {
      if (fuzzer.missing?.() !== undefined) continue;
      expect(makeCase(fuzzer, 7)).toEqual(makeCase(fuzzer, 7));
    }
  });
});

describe('past finds', () => {
  const files = existsSync(FOUND) ? readdirSync(FOUND).filter((n) => n.endsWith('.json')) : [];
  test.each(files.length === 0 ? ['none yet'] : files)('%s', async (name) => {
    if (name === 'none yet') return;
    const { fuzzer, seed, steps } = readCase(readFileSync(`${FOUND}${name}`, 'utf8'));
    expect(await faultOf(fuzzerNamed(fuzzer), steps, seed)).toBeUndefined();
  });
});
