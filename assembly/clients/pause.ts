/**
 * CLIENT PAUSE: commands wait, all of them or those that may change something.
 *
 * A command that comes while it must wait is not run and not copied: it stays in its client's query
 * buffer, the client is blocked, and when the pause is over it is read again. Clients go on in the
 * order in which they were stopped. Meanwhile nothing expires (keyspace/state.ts `paused`).
 *
 * The end is a time of the host's steady clock, as for deadlines.ts. Redis: a pause can be made
 * longer and stricter, not shorter or milder, except by CLIENT UNPAUSE.
 */
import { paused, setPaused } from '../keyspace/state';
import {
  Client,
  CLIENT_BLOCKED,
  CLIENT_INTERNAL,
  CLIENT_POSTPONED,
  CLIENT_REPLICA,
  CLIENT_REPLY_SKIP,
  CLIENT_REPLY_SKIP_NEXT,
  CLIENT_RESUME,
} from './client';
import { PUSH_MONITOR, readyAdd } from '../resp/outbox';

export const PAUSE_NONE: u32 = 0;
export const PAUSE_WRITE: u32 = 1;
export const PAUSE_ALL: u32 = 2;

/** When the pause ends; valid with `isArmed`. */
let endMs: f64 = 0;
let isArmed: bool = false;
/** The longest timeout that came up since `pauseArm`, below 0 = none. */
let freshMs: f64 = -1;
/** Addresses of the clients that wait, first come first. */
let first: u32 = 0;
let last: u32 = 0;

export function pauseBegin(mode: u32, timeoutMs: f64): void {
  setPaused(max(paused, mode));
  freshMs = max(freshMs, timeoutMs);
}

/** Whether `pauseArm` is to be called. */
export function pauseIsFresh(): bool {
  return freshMs >= 0;
}

/** Tells the time: timeouts that came up since the last call begin. */
export function pauseArm(steadyMs: f64): void {
  if (freshMs < 0) return;
  const end = steadyMs + freshMs;
  endMs = isArmed ? max(endMs, end) : end;
  isArmed = true;
  freshMs = -1;
}

/** When the pause ends, infinity when there is none. */
export function pauseEndMs(): f64 {
  return isArmed ? endMs : Infinity;
}

/** The pause is over: whoever waited goes on, in order. */
export function pauseEnd(): void {
  setPaused(PAUSE_NONE);
  isArmed = false;
  freshMs = -1;
  while (first != 0) {
    const c = changetype<Client>(<usize>first);
    unlink(c);
    c.flags = (c.flags & ~CLIENT_BLOCKED) | CLIENT_RESUME;
    readyAdd(c);
  }
}

/** Whether a command must wait; `mayWrite`: it may change something. */
export function mustWait(c: Client, mayWrite: bool): bool {
  const least: u32 = mayWrite ? PAUSE_WRITE : PAUSE_ALL;
  if (paused < least) return false;
  // A call in-process cannot wait. Redis: who monitors counts as a replica, which is not paused.
  return (c.flags & (CLIENT_INTERNAL | CLIENT_REPLICA)) == 0 && (c.push & PUSH_MONITOR) == 0;
}

/** The client's present command is to be read again when the pause is over. */
export function postpone(c: Client): void {
  c.flags |= CLIENT_BLOCKED | CLIENT_POSTPONED;
  if (c.flags & CLIENT_REPLY_SKIP) {
    c.flags = (c.flags & ~CLIENT_REPLY_SKIP) | CLIENT_REPLY_SKIP_NEXT;
  }
  const at = <u32>changetype<usize>(c);
  c.postponedNext = 0;
  c.postponedPrev = last;
  if (last != 0) changetype<Client>(<usize>last).postponedNext = at;
  else first = at;
  last = at;
}

function unlink(c: Client): void {
  c.flags &= ~CLIENT_POSTPONED;
  if (c.postponedPrev != 0) {
    changetype<Client>(<usize>c.postponedPrev).postponedNext = c.postponedNext;
  } else {
    first = c.postponedNext;
  }
  if (c.postponedNext != 0) {
    changetype<Client>(<usize>c.postponedNext).postponedPrev = c.postponedPrev;
  } else {
    last = c.postponedPrev;
  }
}

/** A client is going away. */
export function pauseForget(c: Client): void {
  if (c.flags & CLIENT_POSTPONED) unlink(c);
}
