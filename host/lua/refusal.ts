// What a script with flags may not do in the state its data is in, known before it runs.

import type { Core } from '../core/core.js';
import { FLAG_ALLOW_OOM, FLAG_ALLOW_STALE, FLAG_COMPATIBLE, FLAG_NO_WRITES } from './shebang.js';

/** Bits of `scriptWorld`. */
const STALE = 1;
const READ_ONLY_REPLICA = 2;
const NO_MEMORY = 4;

/** The error's text, for a script of the client with this handle; undefined: it may run. */
export function flagRefusal(
  core: Core,
  handle: number,
  flags: number,
  isReadOnly: boolean,
): string | undefined {
  if (flags & FLAG_COMPATIBLE) return undefined;
  const state = core.x.scriptWorld(handle);
  if (state & STALE && (flags & FLAG_ALLOW_STALE) === 0) {
    return (
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no' and " +
      "'allow-stale' flag is not set on the script."
    );
  }
  if ((flags & FLAG_NO_WRITES) === 0) {
    if (state & READ_ONLY_REPLICA) {
      return 'READONLY Can not run script with write flag on readonly replica.';
    }
    if (isReadOnly) return 'ERR Can not execute a script with write flag using *_ro command.';
  }
  if (state & NO_MEMORY && (flags & (FLAG_ALLOW_OOM | FLAG_NO_WRITES)) === 0) {
    return (
      'OOM allow-oom flag is not set on the script, can not run it when used memory > ' +
      "'maxmemory'"
    );
  }
  return undefined;
}
