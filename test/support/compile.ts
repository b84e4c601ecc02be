// AssemblyScript for tests: an entry is compiled once for all test files that want it, as they run
// in processes of their own. The results lie in build/out/test-wasm under the hash of all that is
// in them; what an hour has not asked for goes.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './servers.js';

export const SIMD: readonly string[] = ['--enable', 'simd'];
export const SCALAR: readonly string[] = ['--disable', 'simd'];
/** Allocations that fail on demand, see assembly/base/alloc.ts. */
export const FAULTS: readonly string[] = [...SIMD, '--use', 'ALLOC_FAULTS=1'];

const CACHE = join(ROOT, 'build/out/test-wasm');
const KEPT_MS = 3_600_000;
const WAIT_MS = 200;
/** The product's options, but optimised only as far as fuzzers need: a sixth of the time. */
export const CONFIG = 'test/support/asconfig.json';

const modules = new Map<string, WebAssembly.Module>();

/**
 * The module of an entry (a path from the repository's root), compiled with `flags`. `replace`
 * names a file and the one to read in its place. Throws asc's messages.
 */
export function compileWasm(
  entry: string,
  flags: readonly string[] = SIMD,
  replace: readonly [file: string, by: string] = ['', ''],
): WebAssembly.Module {
  const args = [...replace, entry, '--config', CONFIG, ...flags];
  const file = join(CACHE, `${sourcesHash(entry, args)}.wasm`);
  const known = modules.get(file);
  if (known !== undefined) return known;
  mkdirSync(CACHE, { recursive: true });
  for (let bytes = cached(file); ; bytes = cached(file)) {
    if (bytes !== undefined) {
      const module = new WebAssembly.Module(bytes);
      modules.set(file, module);
      return module;
    }
    compileOrWait(file, args);
  }
}

/** All of assembly/, and what lies beside the entry. */
function sourcesHash(entry: string, args: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(args));
  for (const dir of ['assembly', dirname(entry)]) {
    for (const name of readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' }).sort()) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      hash.update(`\0${name}\0`).update(readFileSync(join(ROOT, dir, name)));
    }
  }
  for (const name of ['asconfig.json', CONFIG, 'node_modules/assemblyscript/package.json']) {
    hash.update(readFileSync(join(ROOT, name)));
  }
  return hash.digest('hex').slice(0, 32);
}

function cached(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = new Uint8Array(readFileSync(file));
    const now = new Date();
    utimesSync(file, now, now);
    return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whoever makes the lock compiles; everybody else waits a little and looks again. */
function compileOrWait(file: string, args: readonly string[]): void {
  const lock = `${file}.lock`;
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isHeld(lock)) rmSync(lock, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    return;
  }
  try {
    dropOld();
    const fresh = `${file}.${process.pid}`;
    const script = join(ROOT, 'test/support/asc.mjs');
    const done = spawnSync(process.execPath, [script, ...args, '--outFile', fresh], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (done.status !== 0) {
      throw new Error(`asc ended by ${done.signal ?? done.status}: ${done.error ?? done.stderr}`);
    }
    renameSync(fresh, file);
  } finally {
    rmSync(lock, { force: true });
  }
}

/** A test run that was killed leaves its lock. */
function isHeld(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function dropOld(): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > KEPT_MS) rmSync(path, { force: true });
  }
}
