// Fuzzer `rdb`: damaged and truncated dumps through the loader of the core. The answer is "whole"
// or an error with an offset inside the file; then nothing of a failed load may be left.

import type { Core } from '../../host/core/core.js';
import type { CoreExports } from '../../host/core/exports.js';
import { START_MS } from '../sim/memory-host.js';
import { Prng } from '../support/prng.js';
import { damagedDumps } from './dumps.js';
import { type Fuzzer, HostUnderTest } from './fuzzer.js';

interface Loader {
  loadBegin(flags: number): number;
  loadFeed(ptr: number, len: number, nowMs: number): number;
  loadFinish(): number;
  loadCommit(): number;
  loadAbort(): void;
}
const FILES = 25;
const FLAG_ASIDE = 1;
const FLAG_NO_CHECKSUM = 4;
const WORDS = [
  ...[[0xfe, 0], [0xfb, 0x81, 0xff], [0xff], [0xfc], [0xfd], [0xfa, 0, 0], [0xf9, 0x40], [0xf8]],
  ...[
    [0x80, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  ],
  ...[[0xc0, 0x80], [0xc1, 0, 0x80], [0xc2, 0, 0, 0, 0x80], [0xc3, 0x40, 0x40, 0x7f, 0xff], [0xc4]],
].map((bytes) => Buffer.from(bytes));

function loaderOf(core: Core): CoreExports & Loader {
  return core.x as CoreExports & Loader;
}

/** Feeds a file in pieces; 1 whole, -1 refused. */
function load(core: Core, file: Buffer, r: Prng): number {
  const x = loaderOf(core);
  const flags = (r.once(2) ? FLAG_ASIDE : 0) | (r.once(4) ? 0 : FLAG_NO_CHECKSUM);
  if (x.loadBegin(flags) < 0) throw new Error('loadBegin refused');
  const most = r.pick([1, 17, 4096, 1 << 20]);
  let state = 0;
  for (let at = 0; at < file.length && state === 0; ) {
    const piece = file.subarray(at, at + r.range(1, most));
    at += piece.length;
    state = core.withBytes(piece, (ptr, len) => x.loadFeed(ptr, len, START_MS));
  }
  if (state === 0) state = x.loadFinish();
  if (state === 1) x.loadCommit();
  else x.loadAbort();
  return state;
}

export const rdb: Fuzzer = {
  name: 'rdb',
  about: `${FILES} damaged or truncated dumps a run, through the loader`,
  missing() {
    const { core } = new HostUnderTest(1).host;
    return loaderOf(core).loadBegin === undefined ? 'this core has no RDB loader yet' : undefined;
  },
  make: (r) => damagedDumps(r, FILES, WORDS),
  async run(steps, seed) {
    const test = new HostUnderTest(seed);
    for (const { bytes, extra } of steps) {
      const state = load(test.host.core, bytes, new Prng(extra ?? 0));
      if (state !== 1 && state !== -1) throw new Error(`the loader ended with ${state}`);
      // What was loaded can be asked for.
      if (state === 1) await test.client(0).ask(Buffer.from('KEYS *\r\nDBSIZE\r\nRANDOMKEY\r\n'));
      test.after(100);
    }
    test.finish();
  },
};
