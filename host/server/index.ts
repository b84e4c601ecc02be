// The server folder's public face; host/serve.ts joins it with replication and persistence.

import { readFileSync } from 'node:fs';
import { type CoreModule, compileCore, hasSimd } from '../core/load.js';

export { RespiteServer, type ServerOptions } from './server.js';

let compiled: CoreModule | undefined;

/** The core for this engine, compiled once per process. */
export function coreModule(): CoreModule {
  const name = hasSimd() ? 'core.wasm' : 'core-scalar.wasm';
  compiled ??= compileCore(readFileSync(new URL(`../../${name}`, import.meta.url)));
  return compiled;
}
