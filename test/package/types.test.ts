// The type declarations of `respite/rdb` as its users compile against them: by themselves in each
// environment, with all strictness, naming nothing that cannot be imported. What the build has made
// is looked at, so no network is needed.

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../support/servers.js';

const run = promisify(execFile);
const patient = { timeout: 120_000 };
let dir = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-types-'));
  writeFileSync(join(dir, 'package.json'), '{ "private": true, "type": "module" }\n');
  mkdirSync(join(dir, 'node_modules/@types'), { recursive: true });
  symlinkSync(ROOT, join(dir, 'node_modules/respite'));
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(dir, 'node_modules', name));
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const NODE = { module: 'node16', moduleResolution: 'node16', lib: ['ES2022'], types: ['node'] };
const bundled = (lib: string) => ({
  ...{ module: 'ESNext', moduleResolution: 'bundler', types: [] },
  lib: ['ES2022', lib],
});

let projects = 0;

/** What tsc says of these files. */
async function compiled(files: Record<string, string>, options: object): Promise<string> {
  const project = join(dir, `project-${projects++}`);
  mkdirSync(project);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const compilerOptions = { strict: true, target: 'ES2022', noEmit: true, ...options };
  const config = { compilerOptions, files: Object.keys(files) };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  const args = ['-p', project, '--pretty', 'false'];
  const { stdout } = await run(tsc, args, { cwd: project }).catch((error) => error);
  return stdout;
}

const EVERYTHING = "export * from 'respite/rdb';\n";

/** Every option there is may be undefined. */
const UNDEFINED = `
import {
  analyzeRdb, checkRdb, convertRdb, diffRdb, exportCommands, exportCsv, exportJson, exportKeys,
  htmlReport, mergeRdb, readRdb, readRdbInfo, reportMemory, splitRdb, unescapeText,
} from 'respite/rdb';

/** The options of a function, whatever it has in front of them. */
type Options<F extends (...args: never[]) => unknown> =
  NonNullable<Required<Parameters<F>> extends readonly [...unknown[], infer O] ? O : never>;
/** All of them given, and undefined. */
type Unset<O> = { [K in keyof O]-?: undefined };
declare const none: <O>() => Unset<O>;

export const all = [
  none<Options<typeof readRdb>>() satisfies Options<typeof readRdb>,
  none<Options<typeof checkRdb>>() satisfies Options<typeof checkRdb>,
  none<Options<typeof readRdbInfo>>() satisfies Options<typeof readRdbInfo>,
  none<Options<typeof analyzeRdb>>() satisfies Options<typeof analyzeRdb>,
  none<Options<typeof exportJson>>() satisfies Options<typeof exportJson>,
  none<Options<typeof exportCsv>>() satisfies Options<typeof exportCsv>,
  none<Options<typeof exportKeys>>() satisfies Options<typeof exportKeys>,
  none<Options<typeof exportCommands>>() satisfies Options<typeof exportCommands>,
  none<Options<typeof reportMemory>>() satisfies Options<typeof reportMemory>,
  none<Options<typeof convertRdb>>() satisfies Options<typeof convertRdb>,
  none<Options<typeof mergeRdb>>() satisfies Options<typeof mergeRdb>,
  none<Options<typeof splitRdb>>() satisfies Options<typeof splitRdb>,
  none<Options<typeof diffRdb>>() satisfies Options<typeof diffRdb>,
  none<Options<typeof htmlReport>>() satisfies Options<typeof htmlReport>,
  unescapeText('x', undefined),
];

type Filter = NonNullable<Options<typeof readRdb>['filter']>;
type Analyze = Options<typeof analyzeRdb>;
type Prefixes = Exclude<Analyze['prefixes'], false | undefined>;
type Findings = Exclude<Analyze['findings'], false | undefined>;
export const inner = [
  none<Filter>() satisfies Filter,
  none<Prefixes>() satisfies Prefixes,
  none<Findings>() satisfies Findings,
];
// @ts-expect-error these are the options, not anything
({ limit: 'many' }) satisfies Filter;
// @ts-expect-error
({ depth: '8' }) satisfies Prefixes;
// @ts-expect-error
({ largeBytes: '1mb' }) satisfies Findings;
// @ts-expect-error
({ duplicates: 'replace' }) satisfies Options<typeof mergeRdb>;
`;

const WASM = `
import { type CoreModule, convertRdb, readRdb, type WasmSource } from 'respite/rdb';
declare const memory: ArrayBuffer;
declare const compiled: WebAssembly.Module;
declare const later: Promise<WebAssembly.Module>;
const bytes = [new Uint8Array(3), new DataView(memory)];
export const all: readonly WasmSource[] = [memory, compiled, ...bytes];
export const core: CoreModule = compiled;
for (const wasm of all) readRdb('x', { wasm });
convertRdb('x', { wasm: compiled, mapDb: new Map([[0, 3]]) });
convertRdb('x', { mapDb: { 0: 3 } });
// @ts-expect-error a promise
readRdb('x', { wasm: later });
// @ts-expect-error a path
readRdb('x', { wasm: 'rdb.wasm' });
// @ts-expect-error an address
readRdb('x', { wasm: new URL('https://localhost/rdb.wasm') });
// @ts-expect-error a Blob
readRdb('x', { wasm: new Blob([]) });
// @ts-expect-error what fetch gives
readRdb('x', { wasm: new Response() });
// @ts-expect-error options of something else
readRdb('x', { wasm: { url: 'x' } });
// @ts-expect-error a number
readRdb('x', { wasm: 7 });
`;

describe('consumers compile', () => {
  const exact = { exactOptionalPropertyTypes: true };
  test.each([
    ['Node.js without the DOM', NODE],
    ['a page', bundled('DOM')],
    ['a worker', bundled('WebWorker')],
  ])('%s', patient, async (_, options) => {
    expect(await compiled({ 'all.ts': EVERYTHING }, { ...options, ...exact })).toBe('');
  });

  test('every option may be undefined', patient, async () => {
    expect(await compiled({ 'undefined.ts': UNDEFINED }, { ...NODE, ...exact })).toBe('');
  });

  test('wasm is bytes or a module, and nothing else', patient, async () => {
    expect(await compiled({ 'wasm.ts': WASM }, bundled('DOM'))).toBe('');
  });

  test('the examples of docs/rdb.md', patient, async () => {
    const docs = readFileSync(join(ROOT, 'docs/rdb.md'), 'utf8');
    const examples = [...docs.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
    expect(examples.length).toBeGreaterThanOrEqual(5);
    const around = `
import fs from 'node:fs';
declare const bytes: Uint8Array;
declare const source: import('respite/rdb').RdbSource;
declare const fd: number;
declare function write(block: Uint8Array): Promise<void>;
declare function write(name: string, block: Uint8Array): Promise<void>;
fs satisfies object;
`;
    const files = examples.map((code, i) => [`example-${i}.ts`, around + code]);
    expect(await compiled(Object.fromEntries(files), NODE)).toBe('');
  });
});

// ---- what is exported

const TYPES = join(ROOT, 'build/js/rdb');
const DECLARATION = /^export (?:declare )?(?:abstract )?(?:interface|type|class|function|const) /;

/** Exported declarations of a .d.ts, by name, without their comments. */
function declarationsOf(text: string): Map<string, string> {
  const bare = text.replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
  const found = new Map<string, string>();
  for (const part of bare.split(/^(?=export |import |declare |interface |type )/m)) {
    if (!DECLARATION.test(part)) continue;
    found.set(/^\w+/.exec(part.replace(DECLARATION, ''))![0], part);
  }
  return found;
}

/** Where the names come from that a .d.ts imports or hands on. */
function importsOf(text: string, path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, names, from] of text.matchAll(
    /^(?:im|ex)port (?:type )?\{(.*?)\} from '(\..*?)';/gms,
  )) {
    const file = join(dirname(path), from!.replace(/\.js$/, '.d.ts'));
    for (const name of names!.match(/\w+(?=,|\s*$)/g) ?? []) found.set(name, file);
  }
  for (const [, from] of text.matchAll(/^export (?:type )?\* from '(\..*?)';/gms)) {
    const file = join(dirname(path), from!.replace(/\.js$/, '.d.ts'));
    for (const name of declarationsOf(readFileSync(file, 'utf8')).keys()) found.set(name, file);
  }
  return found;
}

test('whatever an exported signature names can be imported', () => {
  const index = join(TYPES, 'index.d.ts');
  const offered = importsOf(readFileSync(index, 'utf8'), index);
  expect(offered.size).toBeGreaterThan(60);
  const missing: string[] = [];
  for (const [name, file] of offered) {
    const text = readFileSync(file, 'utf8');
    const declarations = declarationsOf(text);
    const known = new Map([...declarations.keys()].map((own) => [own, file]));
    for (const [own, from] of importsOf(text, file)) known.set(own, from);
    for (const word of declarations.get(name)?.match(/\b[A-Z]\w+\b/g) ?? []) {
      // numbers and tables are constants, and no part of what a user has to name
      if (!known.has(word) || /^[A-Z\d_]+$/.test(word)) continue;
      if (!offered.has(word)) missing.push(`${word}, of ${name}`);
    }
  }
  expect(missing).toEqual([]);
});
