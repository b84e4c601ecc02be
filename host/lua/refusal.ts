// What a script with flags may not do in the state its data is in, known before it runs; and what
// is said of one that is not known.

import { FLAG_ALLOW_OOM, FLAG_ALLOW_STALE, FLAG_COMPATIBLE, FLAG_NO_WRITES } from './shebang.js';

/** Bits of `scriptWorld`. */
const STALE = 1;
export const READ_ONLY_REPLICA = 2;
const NO_MEMORY = 4;
export const LIMITED_USER = 8;
const IN_TRANSACTION = 16;

const STALE_TEXT =
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'";

export const UNKNOWN_SCRIPT = 'NOSCRIPT No matching script. Please use EVAL.';
export const UNKNOWN_FUNCTION = 'ERR Function not found';

/** The error's text, for the `scriptWorld` of a client; undefined: its script may run. */
export function flagRefusal(state: number, flags: number, isReadOnly: boolean): string | undefined {
  if (flags & FLAG_COMPATIBLE) return state & STALE ? `${STALE_TEXT}.` : undefined;
  const isStale = (state & STALE) !== 0 && (flags & FLAG_ALLOW_STALE) === 0;
  const mayWrite = (flags & FLAG_NO_WRITES) === 0;
  const isOnReplica = mayWrite && (state & READ_ONLY_REPLICA) !== 0;
  const isShort = (state & NO_MEMORY) !== 0 && (flags & (FLAG_ALLOW_OOM | FLAG_NO_WRITES)) === 0;
  // Redis: its flags are the command's, and are looked at before it is queued or run.
  if ((state & IN_TRANSACTION) === 0) {
    if (isShort) return "OOM command not allowed when used memory > 'maxmemory'.";
    if (isOnReplica) return "READONLY You can't write against a read only replica.";
    if (isStale) return `${STALE_TEXT}.`;
  }
  if (isStale) return `${STALE_TEXT} and 'allow-stale' flag is not set on the script.`;
  if (isOnReplica) return 'READONLY Can not run script with write flag on readonly replica.';
  if (mayWrite && isReadOnly) {
    return 'ERR Can not execute a script with write flag using *_ro command.';
  }
  if (!isShort) return undefined;
  return (
    'OOM allow-oom flag is not set on the script, can not run it when used memory > ' +
    "'maxmemory'"
  );
}
