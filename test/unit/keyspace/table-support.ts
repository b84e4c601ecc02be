// Compiles entry.ts and wraps an instance of it.

import { compileWasm } from '../../support/compile.js';

export type Exports = Record<string, (...args: number[]) => number> & { setUp(seed: bigint): void };

export { FAULTS, SCALAR, SIMD } from '../../support/compile.js';

export class Bare {
  readonly x: Exports;
  readonly memory: WebAssembly.Memory;

  /** `initial` < `maximum`: the memory grows. */
  constructor(flags: readonly string[], seed: number, initial = 2048, maximum = initial) {
    this.memory = new WebAssembly.Memory({ initial, maximum });
    const abort = () => {
      throw new Error('abort');
    };
    const instance = new WebAssembly.Instance(compileWasm('test/unit/keyspace/entry.ts', flags), {
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
