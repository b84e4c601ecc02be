// core.wasm for tests in this process: what the build made, built when it is missing.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './servers.js';

export function coreModule(): WebAssembly.Module {
  const path = join(ROOT, 'build/core.wasm');
  if (!existsSync(path)) execFileSync(process.execPath, [join(ROOT, 'build/build.mjs'), 'core']);
  return new WebAssembly.Module(readFileSync(path));
}
