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

/**
 * A compiled module (`WebAssembly.Module`), good for any number of instances. Its own type is one
 * of the DOM's, and so empty that anything fits it; only what is as empty fits this one.
 */
export interface CoreModule {
  readonly byteLength?: undefined;
}

/** Memory of an instance (`WebAssembly.Memory`). */
export interface CoreMemory {
  readonly buffer: ArrayBuffer;
}

/** What can be given for one of our .wasm files: its bytes, or the module compiled of them. */
export type WasmSource = ArrayBuffer | ArrayBufferView | CoreModule;

/** Whether it is a module, of this realm or another (a frame, a context of node:vm). */
function isModule(value: unknown): boolean {
  try {
    return WebAssembly.Module.customSections(value as WebAssembly.Module, '').length === 0;
  } catch {
    return false;
  }
}

/** The bytes of a buffer or view of any realm, in one of ours. */
function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const isBuffer = Object.prototype.toString.call(value) === '[object ArrayBuffer]';
  return isBuffer ? new Uint8Array(value as ArrayBuffer) : undefined;
}

/** Whether `moduleOf` takes it, as far as can be told without compiling. */
export function isWasmSource(value: unknown): value is WasmSource {
  return ArrayBuffer.isView(value) || bytesOf(value) !== undefined || isModule(value);
}

/** What the option `wasm` was given, compiled. Throws ERR_RESPITE_INVALID_CONFIG. */
export function moduleOf(wasm: WasmSource): CoreModule {
  if (isModule(wasm)) return wasm as CoreModule;
  const bytes = bytesOf(wasm);
  if (bytes === undefined) throw wrongWasm('must be the bytes of a .wasm, or a WebAssembly.Module');
  try {
    return compileCore(bytes);
  } catch (cause) {
    throw wrongWasm(`does not compile: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

export function wrongWasm(reason: string, cause?: unknown): RespiteError {
  const details = { option: 'wasm', reason };
  return new RespiteError('ERR_RESPITE_INVALID_CONFIG', `wasm: ${reason}`, { cause, details });
}

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
  memory: CoreMemory;
  /** True: the memory never moves, views live for ever. */
  reserved: boolean;
}

export interface MemoryOptions {
  /** Most bytes the core may use; default 4 GiB. */
  memoryBytesMax?: number;
  /** False: start small and grow, as in browsers. Default true. */
  reserve?: boolean;
}

function makeMemory(options: MemoryOptions): { memory: CoreMemory; reserved: boolean } {
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
