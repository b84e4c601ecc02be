// Compiles the generated table (of all rows, implemented or not) with keyspecs.ts into a small
// Wasm module of its own, and wraps it. The sources are copied below build/out, so that the real
// generated files and the running build are left alone.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { compileWasm } from '../../support/compile.js';
import { ROOT } from '../../support/servers.js';

const GENERATOR = path.join(ROOT, 'build/gen-commands.mjs');

const ENTRY = `
import { allocInit, allocSetLimit, usedMemory } from './assembly/base/alloc';
import { keysOf, keysOfPtr } from './assembly/commands/keyspecs';
import * as table from './assembly/commands/generated/table';
const SCRATCH: usize = memory.data(262144, 8);
export function init(): void { allocInit(); }
export function setLimit(chunks: u32): void { allocSetLimit(chunks); }
export function used(): usize { return usedMemory; }
export function scratch(): usize { return SCRATCH; }
export function bench(ptr: usize, len: u32, rounds: i32): i32 {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += table.lookupCommand(ptr + (i & 7) * 32, len);
  return sum;
}
export function keys(id: i32, argc: i32, argv: usize, channels: bool): i32 {
  return keysOf(id, argc, argv, channels);
}
export function keysPtr(): usize { return keysOfPtr; }
export function lookup(ptr: usize, len: u32): i32 { return table.lookupCommand(ptr, len); }
export function lookupSub(parent: i32, ptr: usize, len: u32): i32 {
  return table.lookupSubcommand(parent, ptr, len);
}
export function arityOk(id: i32, argc: i32): bool { return table.cmdArityOk(id, argc); }
export function flags(id: i32): u32 { return table.cmdFlags(id); }
export function categories(id: i32): u32 { return table.cmdCategories(id); }
export function arity(id: i32): i32 { return table.cmdArity(id); }
export function parent(id: i32): i32 { return table.cmdParent(id); }
export function firstKey(id: i32): i32 { return table.cmdFirstKey(id); }
export function lastKey(id: i32): i32 { return table.cmdLastKey(id); }
export function keyStep(id: i32): i32 { return table.cmdKeyStep(id); }
export function namePtr(id: i32): usize { return table.cmdNamePtr(id); }
export function nameLen(id: i32): i32 { return table.cmdNameLen(id); }
export function hasSubcommands(id: i32): bool { return table.cmdHasSubcommands(id); }
export function hasKeys(id: i32): bool { return table.cmdHasKeys(id); }
export function isHost(id: i32): bool { return table.cmdIsHost(id); }
`;

type Exports = Record<
  | 'scratch'
  | 'init'
  | 'setLimit'
  | 'used'
  | 'bench'
  | 'keysPtr'
  | 'keys'
  | 'lookup'
  | 'lookupSub'
  | 'arityOk'
  | 'flags'
  | 'categories'
  | 'arity'
  | 'parent'
  | 'firstKey'
  | 'lastKey'
  | 'keyStep'
  | 'namePtr'
  | 'nameLen'
  | 'hasSubcommands'
  | 'hasKeys'
  | 'isHost',
  (...args: number[]) => number
>;

/** Runs the generator into a fresh folder below build/out; returns it. */
export function generateInto(name: string, ...options: string[]): string {
  const out = path.join(ROOT, 'build/out', name);
  fs.rmSync(out, { recursive: true, force: true });
  execFileSync(process.execPath, [GENERATOR, '--out', out, ...options], { cwd: ROOT });
  return out;
}

export class CoreTable {
  readonly core: Exports;
  #memory: WebAssembly.Memory;
  #scratch: number;

  private constructor(core: Exports, memory: WebAssembly.Memory) {
    this.core = core;
    core.init();
    this.#memory = memory;
    this.#scratch = core.scratch() >>> 0;
  }

  static async compile(name: string, ...options: string[]): Promise<CoreTable> {
    const out = generateInto(name, ...options);
    fs.cpSync(path.join(ROOT, 'assembly/base'), path.join(out, 'assembly/base'), {
      recursive: true,
    });
    fs.copyFileSync(
      path.join(ROOT, 'assembly/commands/keyspecs.ts'),
      path.join(out, 'assembly/commands/keyspecs.ts'),
    );
    const entry = path.join(out, 'entry.ts');
    fs.writeFileSync(entry, ENTRY);
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536 });
    const module = compileWasm(path.relative(ROOT, entry), []);
    const abort = () => {
      throw new Error('abort');
    };
    const instance = await WebAssembly.instantiate(module, { env: { memory, abort } });
    return new CoreTable(instance.exports as Exports, memory);
  }

  #put(at: number, text: string): void {
    new Uint8Array(this.#memory.buffer).set(Buffer.from(text, 'latin1'), at);
  }

  /** Puts the name between bytes of junk, which must not matter. */
  lookup(name: string, parent = -1): number {
    this.#put(this.#scratch, `xxxxxxxx${name}ZZZZZZZZ`);
    const at = this.#scratch + 8;
    return parent < 0
      ? this.core.lookup(at, name.length)
      : this.core.lookupSub(parent, at, name.length);
  }

  name(id: number): string {
    const at = this.core.namePtr(id) >>> 0;
    const bytes = new Uint8Array(this.#memory.buffer, at, this.core.nameLen(id));
    return Buffer.from(bytes).toString('latin1');
  }

  /** [argument index, flag bits] of each key of the line. */
  keys(id: number, line: readonly string[], channels = false): [number, number][] {
    const view = new DataView(this.#memory.buffer);
    let at = this.#scratch + line.length * 8;
    for (const [i, word] of line.entries()) {
      view.setUint32(this.#scratch + i * 8, at, true);
      view.setUint32(this.#scratch + i * 8 + 4, word.length, true);
      this.#put(at, word);
      at += word.length;
    }
    const count = this.core.keys(id, line.length, this.#scratch, channels ? 1 : 0);
    if (count < 0) throw new RangeError('OOM');
    const pairs = new DataView(this.#memory.buffer);
    const base = this.core.keysPtr() >>> 0;
    return Array.from({ length: count }, (_, i) => [
      pairs.getUint32(base + i * 8, true),
      pairs.getUint32(base + i * 8 + 4, true),
    ]);
  }
}
