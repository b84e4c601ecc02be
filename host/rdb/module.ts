// Which rdb.wasm is run.

import { type CoreModule, compileCore, hasSimd } from '../core/load.js';

let embedded: CoreModule | undefined;

/** The module to run: the caller's, or the one that is part of the package. */
export async function inspectModule(wasm?: Uint8Array | CoreModule): Promise<CoreModule> {
  if (wasm !== undefined) return wasm instanceof Uint8Array ? compileCore(wasm) : wasm;
  if (embedded === undefined) {
    const { RDB_WASM } = hasSimd()
      ? await import('./generated/wasm.js')
      : await import('./generated/wasm-scalar.js');
    embedded = compileCore(Uint8Array.from(atob(RDB_WASM), (c) => c.charCodeAt(0)));
  }
  return embedded;
}
