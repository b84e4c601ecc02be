// The world as configuration loading sees it, on top of a platform.

import type { Platform } from '../platform/platform.js';
import type { ConfigSource } from './load.js';

const decoder = new TextDecoder();

export function platformSource(platform: Platform): ConfigSource {
  const { fs, process } = platform;
  return {
    readText: (path) => decoder.decode(fs.readFileSync(path)),
    readStdin: () => process.readStdin(),
    env: process.env,
    resolveDirectory: (path) => {
      const full = fs.resolve(path);
      return fs.statSync(full)?.isDirectory === true ? full : undefined;
    },
  };
}
