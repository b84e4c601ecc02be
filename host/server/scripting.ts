// EVAL and its like for a server: what must hold before a script runs, where its arguments come
// from, and what becomes of one that takes longer than it should.

import type { Core } from '../core/core.js';
import {
  busyText,
  bytesToText,
  FLAG_ALLOW_OOM,
  FLAG_ALLOW_STALE,
  FLAG_COMPATIBLE,
  FLAG_NO_WRITES,
  type Run,
  ScriptEngine,
  ScriptProblem,
} from '../lua/index.js';

const PAIR = 8;
/** The client may wait for its answer; see `clientCanWait`. */
const LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const;
const NUMKEYS = /^(0|-?[1-9]\d*)$/;
const encoder = new TextEncoder();

/** What scripts need of whoever runs the commands: a server, or the page's console. */
export interface ScriptHost {
  readonly core: Core;
  readonly config: { int(name: 'busy-reply-threshold'): number };
  readonly platform: { readonly clock: { monotonicMs(): number; defer(task: () => void): void } };
  readonly log: Record<(typeof LEVELS)[number], (text: string) => void>;
  drainSoon(): void;
}

/** How a command runs scripts. */
export interface CallKind {
  readonly isFunction: boolean;
  readonly isReadOnly: boolean;
}

/** What is to be run, found by its text, its SHA-1 or its name. */
export interface Callable {
  readonly name: string;
  readonly fn: Run['fn'];
  readonly flags: number;
}

export class Scripting {
  readonly engine: ScriptEngine;
  readonly #server: ScriptHost;

  constructor(server: ScriptHost) {
    this.#server = server;
    const { config, platform } = server;
    this.engine = new ScriptEngine({
      core: server.core,
      log: (level, text) => server.log[LEVELS[level] ?? 'warning'](text),
      now: () => platform.clock.monotonicMs(),
      limitMs: () => config.int('busy-reply-threshold'),
    });
  }

  /** The arguments of the command that runs now, as Lua strings. */
  words(): string[] {
    const { core } = this.#server;
    const { bytes } = core;
    const count = core.x.commandArgc();
    const pairs = core.x.commandArgv() >>> 0;
    const out: string[] = [];
    for (let i = 0; i < count; i++) {
      const at = core.word(pairs + i * PAIR);
      out.push(bytesToText(bytes, at, at + core.word(pairs + i * PAIR + 4)));
    }
    return out;
  }

  /** Runs what the command in the arguments asks for; a promise: the answer comes later. */
  run(
    handle: number,
    kind: CallKind,
    find: (word: string) => Callable | string,
  ): Promise<void> | undefined {
    const words = this.words();
    const problem = numkeysProblem(words, kind.isFunction);
    if (problem !== undefined && !kind.isFunction) return this.#answer(handle, problem);
    let target: Callable | string;
    try {
      target = find(words[1] as string);
    } catch (error) {
      if (!(error instanceof ScriptProblem)) throw error;
      target = `ERR ${error.message}`;
    }
    if (typeof target === 'string') return this.#answer(handle, target);
    if (problem !== undefined) return this.#answer(handle, problem);
    const refusal = this.#refusal(handle, target.flags, kind.isReadOnly);
    if (refusal !== undefined) return this.#answer(handle, refusal);
    const keyCount = Number(words[2]);
    const { x } = this.#server.core;
    return this.#start(handle, {
      name: target.name,
      fn: target.fn,
      flags: target.flags,
      isFunction: kind.isFunction,
      isReadOnly: kind.isReadOnly,
      keys: words.slice(3, 3 + keyCount),
      args: words.slice(3 + keyCount),
      protocol: x.clientProtocol(handle),
      maySuspend: x.scriptMayWait(handle) !== 0,
      command: words,
    });
  }

  #answer(handle: number, error: string): undefined {
    this.#server.core.reply(handle, encoder.encode(`-${error.replace(/[\r\n]/g, ' ')}\r\n`));
    return undefined;
  }

  /** What a script with flags may not do in the state the server is in. */
  #refusal(handle: number, flags: number, isReadOnly: boolean): string | undefined {
    if (flags & FLAG_COMPATIBLE) return undefined;
    const { core } = this.#server;
    const state = core.x.scriptWorld(handle);
    if (state & 1 && (flags & FLAG_ALLOW_STALE) === 0) {
      return (
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no' and " +
        "'allow-stale' flag is not set on the script."
      );
    }
    if ((flags & FLAG_NO_WRITES) === 0) {
      if (state & 2) return 'READONLY Can not run script with write flag on readonly replica.';
      if (isReadOnly) return 'ERR Can not execute a script with write flag using *_ro command.';
    }
    if (state & 4 && (flags & (FLAG_ALLOW_OOM | FLAG_NO_WRITES)) === 0) {
      return (
        'OOM allow-oom flag is not set on the script, can not run it when used memory > ' +
        "'maxmemory'"
      );
    }
    return undefined;
  }

  #start(handle: number, run: Run): Promise<void> | undefined {
    const { core } = this.#server;
    const { x } = core;
    if (this.engine.running !== undefined) return this.#answer(handle, busyText(run.isFunction));
    x.scriptBegin();
    const reply = this.engine.start(run);
    if (reply !== undefined) {
      x.scriptEnd();
      core.reply(handle, reply);
      return undefined;
    }
    x.scriptKind(run.isFunction);
    x.scriptSuspend();
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (core.trap !== undefined || this.#goOn(handle)) resolve();
          else this.#server.platform.clock.defer(step);
        } catch (error) {
          reject(error);
        }
      };
      this.#server.platform.clock.defer(step);
    });
  }

  /** One more slice of a suspended script; true: it is over. */
  #goOn(handle: number): boolean {
    const { core } = this.#server;
    core.x.scriptContinue();
    const reply = this.engine.goOn();
    if (reply === undefined) {
      core.x.scriptPause();
      return false;
    }
    const bytes = reply.slice();
    core.x.scriptFinish();
    core.replyLate(handle, bytes);
    this.#server.drainSoon();
    return true;
  }
}

function numkeysProblem(words: readonly string[], isFunction: boolean): string | undefined {
  const text = words[2] as string;
  if (!NUMKEYS.test(text) || !Number.isSafeInteger(Number(text))) {
    return isFunction
      ? 'ERR Bad number of keys provided'
      : 'ERR value is not an integer or out of range';
  }
  const count = Number(text);
  if (count > words.length - 3) return "ERR Number of keys can't be greater than number of args";
  return count < 0 ? "ERR Number of keys can't be negative" : undefined;
}
