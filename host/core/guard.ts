// What happens when a call into the core throws: a trap, which is a bug of ours, or an exception of
// one of the imports, which left the core in the middle of something. Either way what the memory
// holds cannot be trusted any more, and the core is never entered again. Calls whose result
// somebody needs throw from then on; all others answer 0, so that whoever holds the core can put
// things away.
//
// Calls that timers make are quiet even about the fault itself: nobody is there to catch it.

import { RespiteError } from '../errors.js';
import type { CoreExports } from './exports.js';

/** As in core.ts: the client is to be closed at once. */
const STATUS_CLOSE_NOW = 4;

type Call = (...args: number[]) => number;

/** Exports without which their caller cannot go on. */
const NEEDED: ReadonlySet<string> = new Set([
  ...['feed', 'feedAt', 'localGet', 'clientOpen', 'scriptRun', 'localScriptBegin'],
  ...['loadBegin', 'loadFeed', 'loadFinish', 'loadCommit'],
]);

/** Calls of timers, and what they answer when there is a fault. `resume`: the client is closed. */
const QUIET: Readonly<Record<string, number>> = {
  cron: 0,
  lazyStep: 0,
  serveDeadlines: Number.POSITIVE_INFINITY,
  armDeadlines: Number.POSITIVE_INFINITY,
  resume: STATUS_CLOSE_NOW,
};

class Guard {
  #fault: Error | undefined;
  readonly #onFault: (error: Error) => void;

  constructor(onFault: (error: Error) => void) {
    this.#onFault = onFault;
  }

  get isDead(): boolean {
    return this.#fault !== undefined;
  }

  /** A call threw: the error for its caller. */
  failed(thrown: unknown): Error {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (this.#fault === undefined) {
      this.#fault = error;
      this.#onFault(error);
    }
    return error;
  }

  /** What a call to a dead core gives. */
  dead(name: string): number {
    if (!NEEDED.has(name)) return QUIET[name] ?? 0;
    throw new RespiteError('ERR_RESPITE_CORE', undefined, { cause: this.#fault });
  }

  /** The general form. */
  wrap(name: string, call: Call): Call {
    return (...args) => {
      if (this.isDead) return this.dead(name);
      try {
        return call(...args);
      } catch (error) {
        const fatal = this.failed(error);
        if (QUIET[name] !== undefined) return QUIET[name];
        throw fatal;
      }
    };
  }
}

/** The hot exports one by one: in the general form their call sites would be megamorphic. */
function hotExports(raw: CoreExports, guard: Guard): Partial<CoreExports> {
  return {
    feed: (handle, len, nowMs) => {
      if (guard.isDead) return guard.dead('feed');
      try {
        return raw.feed(handle, len, nowMs);
      } catch (error) {
        throw guard.failed(error);
      }
    },
    feedAt: (handle, ptr, len, nowMs) => {
      if (guard.isDead) return guard.dead('feedAt');
      try {
        return raw.feedAt(handle, ptr, len, nowMs);
      } catch (error) {
        throw guard.failed(error);
      }
    },
    scriptRun: (block, len, count, resp, how) => {
      if (guard.isDead) return guard.dead('scriptRun');
      try {
        return raw.scriptRun(block, len, count, resp, how);
      } catch (error) {
        throw guard.failed(error);
      }
    },
    scriptReply: () => (guard.isDead ? 0 : raw.scriptReply()),
    scriptBegin: () => {
      if (!guard.isDead) raw.scriptBegin();
    },
    scriptFacts: (handle) => (guard.isDead ? 0 : raw.scriptFacts(handle)),
    commandArgv: () => (guard.isDead ? 0 : raw.commandArgv()),
    scriptReturn: (ptr, len) => {
      if (guard.isDead) return;
      try {
        raw.scriptReturn(ptr, len);
      } catch (error) {
        throw guard.failed(error);
      }
    },
    // These do no more than follow pointers that the calls above left.
    takeReply: (handle) => (guard.isDead ? 0 : raw.takeReply(handle)),
    recycleReply: (block) => {
      if (!guard.isDead) raw.recycleReply(block);
    },
    readyClients: () => (guard.isDead ? 0 : raw.readyClients()),
    localValue: () => (guard.isDead ? 0 : raw.localValue()),
  };
}

/** Those of calls in the process. */
function hotLocal(raw: CoreExports, guard: Guard): Partial<CoreExports> {
  return {
    localScriptBegin: (handle, nowMs) => {
      if (guard.isDead) return guard.dead('localScriptBegin');
      try {
        return raw.localScriptBegin(handle, nowMs);
      } catch (error) {
        throw guard.failed(error);
      }
    },
    localScriptEnd: () => {
      if (guard.isDead) return;
      try {
        raw.localScriptEnd();
      } catch (error) {
        throw guard.failed(error);
      }
    },
    localGet: (db, key, keyLen, nowMs) => {
      if (guard.isDead) return guard.dead('localGet');
      try {
        return raw.localGet(db, key, keyLen, nowMs);
      } catch (error) {
        throw guard.failed(error);
      }
    },
  };
}

/** `onFault` is called once, with what was thrown; the caller of the core gets it too. */
export function guardExports(raw: CoreExports, onFault: (error: Error) => void): CoreExports {
  const guard = new Guard(onFault);
  const out: Record<string, Call> = {};
  for (const [name, call] of Object.entries(raw)) out[name] = guard.wrap(name, call as Call);
  return Object.assign(out as unknown as CoreExports, hotExports(raw, guard), hotLocal(raw, guard));
}
