// Benchmarks inside one process: request framing and the table in the bare core (micro-entry.ts),
// GET and SET by function call as the library makes them. `micro` gets the options of
// build/bench.mjs and returns rows for its table; `scale` multiplies the million keys.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Runs `work` (which does `count` operations) once to warm up and `rounds` times; the median. */
export async function timed(what, count, rounds, work) {
  await work();
  const seconds = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    await work();
    seconds.push((performance.now() - startMs) / 1000);
  }
  const middle = seconds.sort((a, b) => a - b)[seconds.length >> 1];
  return {
    what,
    'per second': Math.round(count / middle),
    'ns each': Number(((middle * 1e9) / count).toFixed(1)),
  };
}

const ROOT = new URL('../../', import.meta.url);

/** Compiles the loops of micro-entry.ts and instantiates them. */
function bareCore() {
  const out = new URL('build/out/micro.wasm', ROOT).pathname;
  execFileSync(
    new URL('node_modules/.bin/asc', ROOT).pathname,
    [...['test/bench/micro-entry.ts', '-o', out, '--enable', 'simd']],
    { cwd: ROOT.pathname },
  );
  const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
  const module = new WebAssembly.Module(readFileSync(out));
  const { exports } = new WebAssembly.Instance(module, {
    env: {
      memory,
      abort() {},
      hostCommand: () => 0,
      applyProblem() {},
      clockNs: () => 1,
      slowCommand() {},
    },
  });
  exports.init();
  return { x: exports, memory };
}

async function coreRows(keys, rounds) {
  const { x, memory } = bareCore();
  const set = `*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$64\r\n${'x'.repeat(64)}\r\n`;
  const block = Buffer.from(set.repeat(500));
  const ptr = x.room(block.length) >>> 0;
  new Uint8Array(memory.buffer).set(block, ptr);
  const rows = [
    await timed('RESP framing of SET', 500 * 2000, rounds, () => x.frames(ptr, block.length, 2000)),
  ];
  x.fill(keys);
  const count = 1 << 20;
  x.shuffle(keys, count);
  rows.push(
    await timed('table get, batch of 32', count, rounds, () => x.getsBatched(count)),
    await timed('table get, one by one', count, rounds, () => x.gets(count)),
    await timed('table set, one by one', count, rounds, () => x.sets(count)),
  );
  return rows;
}

/** GET and SET by function call on a core in this process, as the library's `storage` does. */
async function localRows(keys, rounds) {
  const { Core } = await import(new URL('build/js/core/core.js', ROOT));
  const { LocalClient } = await import(new URL('build/js/core/local.js', ROOT));
  const { compileCore } = await import(new URL('build/js/core/load.js', ROOT));
  const core = new Core(
    compileCore(readFileSync(new URL('build/core.wasm', ROOT))),
    { hostCommand: () => 0, applyProblem() {} },
    { seed: new Uint8Array(16) },
  );
  const local = new LocalClient(core, { nowMs: () => Date.now(), defer: (fn) => setImmediate(fn) });
  const names = Array.from({ length: keys }, (_, i) => `key:${String(i).padStart(12, '0')}`);
  const value = Buffer.alloc(64, 'x');
  for (const name of names) local.call('SET', name, value);
  const count = 1e6;
  const at = (i) => names[(i * 7919) % keys];
  return [
    await timed('in-process GET', count, rounds, () => {
      for (let i = 0; i < count; i++) local.get(at(i));
    }),
    await timed('in-process SET', count, rounds, () => {
      for (let i = 0; i < count; i++) local.call('SET', at(i), value);
    }),
  ];
}

export async function micro({ rounds = 3, scale = 1 } = {}) {
  if (!existsSync(new URL('build/js/index.js', ROOT))) {
    return { name: 'micro', rows: [{ what: 'build/js is not built: npm run build' }] };
  }
  const keys = Math.max(1000, Math.round(1e6 * scale));
  return {
    name: 'micro',
    rows: [...(await coreRows(keys, rounds)), ...(await localRows(keys, rounds))],
  };
}
