// Loading core.wasm: which build, how much memory.
//
// The whole address space is reserved at once where the platform lets us (Linux commits pages only
// as they are touched), because then no view of the memory ever dies. Where it does not (browsers,
// `ulimit -v`, --wasm-max-mem-pages) memory starts small and grows.

import { instantiateSync } from '@assemblyscript/loader';
import { RespiteError } from '../errors.js';
import type { CoreExports } from './exports.js';

/** Pages of 64 KiB in 4 GiB. */
const ALL_PAGES = 65536;
/** Must be what asconfig.json says. */
const INITIAL_PAGES = 32;

/** A module that validates only where SIMD is known: `v128.const; drop` in a function. */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12],
  ...new Array<number>(16).fill(0),
  ...[26, 11],
);

/** A compiled core, good for any number of instances. */
export type CoreModule = WebAssembly.Module;

/** Compiles the bytes of core.wasm. */
export function compileCore(bytes: Uint8Array): CoreModule {
  return new WebAssembly.Module(bytes as BufferSource);
}

/** Whether this engine runs the SIMD build. */
export function hasSimd(): boolean {
  return WebAssembly.validate(SIMD_PROBE);
}

/** What the core calls in the host. */
export interface CoreImports {
  /** A command marked `host`: 0 when it is done, 1 when `resume` will follow. */
  hostCommand(handle: number, id: number): number;
  /** A command of the master's stream was not applied; see assembly/commands/host-call.ts. */
  applyProblem(id: number): void;
  /** A command took as long as `configureTiming` asked for. Flags: 1 not for SLOWLOG, 2 fast. */
  slowCommand?(handle: number, id: number, us: number, flags: number): void;
  /** A stopwatch for statistics, nanoseconds. Default: that of the engine. */
  clockNs?(): number;
}

/** The clock a core gets where nobody gives it another. */
export const engineClockNs = (): number => Math.floor(performance.now() * 1e6);

export interface LoadedCore {
  exports: CoreExports;
  memory: WebAssembly.Memory;
  /** True: the memory never moves, views live for ever. */
  reserved: boolean;
}

export interface MemoryOptions {
  /** Most bytes the core may use; default 4 GiB. */
  memoryBytesMax?: number;
  /** False: start small and grow, as in browsers. Default true. */
  reserve?: boolean;
}

function makeMemory(options: MemoryOptions): { memory: WebAssembly.Memory; reserved: boolean } {
  const wanted = Math.ceil((options.memoryBytesMax ?? ALL_PAGES * 65536) / 65536);
  const pages = Math.min(Math.max(wanted, INITIAL_PAGES), ALL_PAGES);
  if (options.reserve ?? true) {
    try {
      const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
      return { memory, reserved: true };
    } catch {
      // Not enough address space: growing memory below is the answer.
    }
  }
  return {
    memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: pages }),
    reserved: false,
  };
}

/** Instantiates a core from a compiled module. */
export function instantiateCore(
  module: CoreModule,
  imports: CoreImports,
  options: MemoryOptions = {},
): LoadedCore {
  const { memory, reserved } = makeMemory(options);
  const abort = (): never => {
    throw new RespiteError('ERR_RESPITE_CORE', 'the core met a broken invariant');
  };
  const env: Record<string, unknown> = {
    memory,
    abort,
    hostCommand: (handle: number, id: number) => imports.hostCommand(handle, id),
    applyProblem: (id: number) => imports.applyProblem(id),
    slowCommand: (handle: number, id: number, us: number, flags: number) =>
      imports.slowCommand?.(handle, id, us, flags),
    clockNs: imports.clockNs === undefined ? engineClockNs : () => imports.clockNs?.(),
  };
  // The module's own exports: the loader's are wrapped for optional arguments, which ours have not,
  // at 30 ns a call.
  const { instance } = instantiateSync(module, { env });
  return { exports: instance.exports as unknown as CoreExports, memory, reserved };
}
