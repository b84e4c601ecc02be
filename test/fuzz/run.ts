// Runs a named fuzzer: run i of a seed is the case of seed + i, so a find is repeated by
// `npm run fuzz -- NAME --seed S --runs 1`. The first fault ends it; the case is shrunk first.

import { canary } from './canary.js';
import { commands } from './commands.js';
import { type Case, caseText, type Fuzzer, faultOf, makeCase, readCase, shrink } from './fuzzer.js';
import { pushes } from './pushes.js';
import { rdb } from './rdb.js';
import { rdbTool } from './rdb-tool.js';
import { resp } from './resp.js';
import { restore } from './restore.js';

export const FUZZERS: readonly Fuzzer[] = [
  ...[resp, commands, pushes, rdb, rdbTool, restore, canary],
];

export interface Find {
  fuzzer: string;
  seed: number;
  fault: string;
  stepsBefore: number;
  steps: Case;
  /** What a repro file holds. */
  text: string;
}

export interface Outcome {
  runs: number;
  steps: number;
  find?: Find;
}

export function fuzzerNamed(name: string): Fuzzer {
  const found = FUZZERS.find((one) => one.name === name);
  if (found === undefined) {
    throw new Error(`no fuzzer ${name}; there are: ${FUZZERS.map((one) => one.name).join(', ')}`);
  }
  return found;
}

export function caseOf(name: string, seed: number): string {
  return caseText(name, seed, makeCase(fuzzerNamed(name), seed));
}

export async function fuzz(
  name: string,
  seed: number,
  runs: number,
  onRun: (seed: number) => void = () => {},
): Promise<Outcome> {
  const fuzzer = fuzzerNamed(name);
  const outcome: Outcome = { runs: 0, steps: 0 };
  for (let i = 0; i < runs; i++) {
    const at = seed + i;
    onRun(at);
    const steps = makeCase(fuzzer, at);
    const fault = await faultOf(fuzzer, steps, at);
    outcome.runs++;
    outcome.steps += steps.length;
    if (fault === undefined) continue;
    const small = await shrink(fuzzer, steps, at);
    outcome.find = {
      fuzzer: name,
      seed: at,
      fault: fault.stack ?? fault.message,
      stepsBefore: steps.length,
      steps: small,
      text: caseText(name, at, small),
    };
    break;
  }
  return outcome;
}

/** Runs a repro file's text; the fault if it still shows. */
export async function repeat(text: string): Promise<Error | undefined> {
  const { fuzzer, seed, steps } = readCase(text);
  return faultOf(fuzzerNamed(fuzzer), steps, seed);
}
