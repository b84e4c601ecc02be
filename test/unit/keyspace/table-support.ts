// Compiles entry.ts and wraps an instance of it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../support/servers.js';

export type Exports = Record<string, (...args: number[]) => number> & { setUp(seed: bigint): void };

const modules = new Map<string, WebAssembly.Module>();

function compile(flags: string[]): WebAssembly.Module {
  const name = flags.join(' ');
  const known = modules.get(name);
  if (known !== undefined) return known;
  const dir = join(ROOT, 'build/out');
  mkdirSync(dir, { recursive: true });
  const out = join(dir, `table-${process.pid}-${modules.size}.wasm`);
  const asc = join(ROOT, 'node_modules/assemblyscript/bin/asc.js');
  const entry = 'test/unit/keyspace/entry.ts';
  execFileSync(process.execPath, [asc, entry, '-o', out, ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const module = new WebAssembly.Module(readFileSync(out));
  rmSync(out);
  modules.set(name, module);
  return module;
}

export const SIMD = ['--enable', 'simd'];
export const SCALAR = ['--disable', 'simd'];
export const FAULTS = ['--enable', 'simd', '--use', 'ALLOC_FAULTS=1'];

export class Bare {
  readonly x: Exports;
  readonly memory: WebAssembly.Memory;

  /** `initial` < `maximum`: the memory grows. */
  constructor(flags: string[], seed: number, initial = 2048, maximum = initial) {
    this.memory = new WebAssembly.Memory({ initial, maximum });
    const abort = () => {
      throw new Error('abort');
    };
    const instance = new WebAssembly.Instance(compile(flags), {
      env: { memory: this.memory, abort },
    });
    this.x = instance.exports as Exports;
    this.x.setUp(BigInt(seed));
  }

  /** Keys the last scan step visited. */
  seen(): number[] {
    const n = this.x.visited!();
    const view = new BigUint64Array(this.memory.buffer, this.x.seenAt!() >>> 0, n);
    return Array.from(view, Number);
  }
}
