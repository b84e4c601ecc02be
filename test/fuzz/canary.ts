// Fuzzer `canary`: cases of the fuzzer `commands` for a stand-in with a planted bug, a real trap
// when a zero byte followed by one above 0xf0 comes in. It must be found and shrunk to one step: a
// machinery that finds nothing here finds nothing anywhere.

import { commands } from './commands.js';
import type { Fuzzer } from './fuzzer.js';

/** A module with one function that does nothing but trap. */
const TRAP = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0],
  ...[10, 5, 1, 3, 0, 0, 11],
);

function isPlanted(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) {
    if ((bytes[at + 1] ?? 0) > 0xf0) return true;
  }
  return false;
}

export const canary: Fuzzer = {
  name: 'canary',
  about: 'a planted trap that must be found',
  make: (random) => commands.make(random),
  async run(steps) {
    for (const { bytes } of steps) {
      if (!isPlanted(bytes)) continue;
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(TRAP));
      (exports as { t(): void }).t();
    }
  },
};
