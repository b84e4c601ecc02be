// The build: command table, core.wasm in its builds, host TypeScript. `build/build.mjs [core|dev]`.
// `core` makes core.wasm only; `dev` makes both unoptimised (4 s instead of 50) and the host: for
// working on the code, never for measuring it.
//
//   build/core.wasm         SIMD; what every current engine runs
//   build/core-scalar.wasm  without SIMD; host/core/load.ts picks it where SIMD does not validate
//   build/js/               the host, compiled by tsc, with type declarations

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateCommands } from './gen-commands.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => path.join(ROOT, 'node_modules', '.bin', name);

/** The artefacts: source entry, output, extra flags of asc. */
const ARTEFACTS = [
  { entry: 'assembly/index.ts', out: 'build/core.wasm', flags: ['--enable', 'simd'] },
  { entry: 'assembly/index.ts', out: 'build/core-scalar.wasm', flags: ['--disable', 'simd'] },
];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Newest change below a folder, ms. */
function newest(dir) {
  let at = 0;
  for (const entry of fs.readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    at = Math.max(at, fs.statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  }
  return at;
}

function isFresh(out, since) {
  return fs.existsSync(out) && fs.statSync(out).mtimeMs > since;
}

const only = process.argv[2];
generateCommands({ docs: true });
const changed = Math.max(
  newest(path.join(ROOT, 'assembly')),
  fs.statSync(path.join(ROOT, 'asconfig.json')).mtimeMs,
);
for (const { entry, out, flags } of ARTEFACTS) {
  if (only === 'core' && out !== 'build/core.wasm') continue;
  if (isFresh(path.join(ROOT, out), changed)) continue;
  run(bin('asc'), [
    entry,
    '-o',
    out,
    ...flags,
    ...(only === 'dev' ? ['--optimizeLevel', '0'] : []),
  ]);
  // so that any other build makes it again, optimised
  if (only === 'dev') fs.utimesSync(path.join(ROOT, out), new Date(0), new Date(0));
}
if (only !== 'core') run(bin('tsc'), ['-p', 'tsconfig.json']);
