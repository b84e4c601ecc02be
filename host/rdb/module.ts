// Which rdb.wasm is run.

import { type CoreModule, compileCore, hasSimd, moduleOf, type WasmSource } from '../core/load.js';

let embedded: CoreModule | undefined;

/**
 * The module to run: the caller's, or the one that is part of the package. Rejects with
 * ERR_RESPITE_INVALID_CONFIG where the caller's is none.
 */
export async function inspectModule(wasm?: WasmSource): Promise<CoreModule> {
  if (wasm !== undefined) return moduleOf(wasm);
  if (embedded === undefined) {
    const { RDB_WASM } = hasSimd()
      ? await import('./generated/wasm.js')
      : await import('./generated/wasm-scalar.js');
    embedded = compileCore(bytesOf(RDB_WASM));
  }
  return embedded;
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
