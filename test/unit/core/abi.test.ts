// The contract between core.wasm and host/core: each build exports exactly what the interface in
// host/core/exports.ts declares, with as many parameters, and imports exactly what load.ts gives.
// Neither contains a language runtime: memory belongs to assembly/base/alloc.ts alone.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INPUT_REGIONS } from '../../../host/core/record.js';
import { CONFIG } from '../../support/compile.js';
import { ROOT } from '../../support/servers.js';

interface Declared {
  name: string;
  parameters: string[];
}

/** The methods of CoreExports with their parameters' names. */
function declared(): Declared[] {
  const text = readFileSync(join(ROOT, 'host/core/exports.ts'), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '');
  const body = /interface CoreExports \{([\s\S]*?)\n\}/.exec(text)![1]!;
  return [...body.matchAll(/(\w+)\s*\(([^)]*)\)\s*:/g)].map(([, name, list]) => ({
    name: name!,
    parameters: [...list!.matchAll(/(\w+)\??\s*:/g)].map((one) => one[1]!),
  }));
}

const methods = declared();
const FUNCTIONS = ['applyProblem', 'clockNs', 'hostCommand', 'slowCommand'];
const IMPORTS = [...FUNCTIONS.map((name) => `env.${name} function`), 'env.memory memory'].sort();
let dir = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-abi-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.each(['core', 'core-scalar'])('build/%s.wasm', (build) => {
  const file = join(ROOT, `build/${build}.wasm`);
  const module = new WebAssembly.Module(readFileSync(file));

  test('exports exactly the interface, functions only', () => {
    const found = WebAssembly.Module.exports(module).map(({ name, kind }) => `${name} ${kind}`);
    // The setter of optional argument counts comes with any export that has a default.
    expect(found.sort()).toEqual(methods.map(({ name }) => `${name} function`).sort());
  });

  test('takes the declared number of parameters', () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536 });
    const functions = Object.fromEntries(FUNCTIONS.map((name) => [name, () => 0]));
    const env = { memory, ...functions };
    const { exports } = new WebAssembly.Instance(module, { env });
    const counts = Object.entries(exports).map(
      ([name, f]) => `${name}/${(f as () => void).length}`,
    );
    const wanted = methods.map(({ name, parameters }) => `${name}/${parameters.length}`);
    expect(counts.sort()).toEqual(wanted.sort());
  });

  test('imports the memory and these functions', () => {
    const found = WebAssembly.Module.imports(module);
    expect(found.map((one) => `${one.module}.${one.name} ${one.kind}`).sort()).toEqual(IMPORTS);
  });

  test('has no start function that could fail, no table, no runtime', () => {
    const wat = join(dir, `${build}.wat`);
    const dis = join(ROOT, 'node_modules/.bin/wasm-dis');
    execFileSync(dis, ['--all-features', file, '-o', wat], { stdio: 'pipe' });
    const text = readFileSync(wat, 'utf8');
    expect(text).not.toMatch(/~lib\/rt\/(stub|tlsf|tcms|itcms)|__new|__pin|__collect/);
    const simd = /v128|i8x16/.test(text);
    expect(simd).toBe(build === 'core');
  });
});

test('the text form of a build shows no runtime allocator', { timeout: 120_000 }, () => {
  const wat = join(dir, 'names.wat');
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  const args = ['assembly/index.ts', '-t', wat, '--config', CONFIG, '--enable', 'simd'];
  execFileSync(process.execPath, [asc, ...args], { cwd: ROOT, stdio: 'pipe' });
  const runtime = readFileSync(wat, 'utf8').match(/\(func \$~lib\/rt\/[^\s)]+/g) ?? [];
  expect(runtime).toEqual([]);
});

test('the input log knows every export that reads memory of the host', () => {
  for (const { name, parameters } of methods) {
    const pairs = parameters.flatMap((parameter, i) => {
      const next = parameters[i + 1] ?? '';
      return /^(len|\w+Len)$/.test(next) && parameter !== 'handle' ? [[i, i + 1]] : [];
    });
    if (pairs.length > 0) expect([name, INPUT_REGIONS[name]]).toEqual([name, pairs]);
  }
});
