// The page (host/web) as static files in build/web: one HTML file with a strict CSP, hashed scripts
// and styles, no other origin. The workers and their wasm are text inside the scripts; the
// console's, with core.wasm, is a chunk of its own.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const checks = { pluginTimings: false };
const CORE = 'virtual:core-wasm';

/** core.wasm as a module; and no scalar rdb.wasm: every browser that runs the page has SIMD. */
function wasm() {
  return {
    name: 'respite-wasm',
    enforce: 'pre',
    resolveId(id, importer) {
      if (id === CORE) return `\0${CORE}`;
      if (id.endsWith('/wasm-scalar.js')) return this.resolve('./generated/wasm.js', importer);
      return undefined;
    },
    load(id) {
      if (id !== `\0${CORE}`) return undefined;
      const bytes = fs.readFileSync(path.join(ROOT, 'build/core.wasm'));
      return `export const CORE_WASM = '${bytes.toString('base64')}';`;
    },
  };
}

/** Newest change of what the page is made of, ms. */
function newest() {
  let at = fs.statSync(fileURLToPath(import.meta.url)).mtimeMs;
  for (const folder of [
    'host/web',
    'host/core',
    'host/rdb',
    'host/config',
    'host/server',
    'host/commands',
    'host/lua',
  ]) {
    const options = { withFileTypes: true, recursive: true };
    for (const entry of fs.readdirSync(path.join(ROOT, folder), options)) {
      if (!entry.isFile()) continue;
      at = Math.max(at, fs.statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
    }
  }
  return Math.max(at, fs.statSync(path.join(ROOT, 'build/core.wasm')).mtimeMs);
}

export async function buildWeb() {
  const done = path.join(ROOT, 'build/web/index.html');
  if (fs.existsSync(done) && fs.statSync(done).mtimeMs > newest()) return;
  await build({
    configFile: false,
    root: path.join(ROOT, 'host/web'),
    base: './',
    publicDir: false,
    logLevel: 'warn',
    plugins: [wasm()],
    worker: { format: 'iife', plugins: () => [wasm()], rolldownOptions: { checks } },
    build: {
      outDir: path.join(ROOT, 'build/web'),
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 4096,
      reportCompressedSize: false,
      rolldownOptions: { checks },
    },
  });
}
