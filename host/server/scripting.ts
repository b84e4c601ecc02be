// EVAL and its like for a server: what must hold before a script runs, where its arguments come
// from, and what becomes of one that takes longer than it should.

import type { Core } from '../core/core.js';
import {
  busyText,
  bytesToText,
  flagRefusal,
  LIMITED_USER,
  type MadeReply,
  onlyReads,
  READ_ONLY_REPLICA,
  type Run,
  ScriptEngine,
  ScriptProblem,
  UNKNOWN_FUNCTION,
  UNKNOWN_SCRIPT,
} from '../lua/index.js';
import type { Redirect } from './context.js';
import { redirect } from './redirect.js';

const PAIR = 8;
/** Command, script, number of keys come first. */
const KEYS_AT = 3;
const NO_WORDS: readonly string[] = [];
const LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const;
const NUMKEYS = /^(0|-?[1-9]\d*)$/;
const encoder = new TextEncoder();

/** What scripts need of whoever runs the commands: a server, or the page's console. */
export interface ScriptHost {
  readonly core: Core;
  readonly config: { int(name: 'busy-reply-threshold' | 'script-memory-limit'): number };
  readonly platform: { readonly clock: { monotonicMs(): number; defer(task: () => void): void } };
  readonly log: Record<(typeof LEVELS)[number], (text: string) => void>;
  /** Write redirection, where it is on. */
  readonly redirect?: Redirect | undefined;
  /** Gives whether the client is still there. */
  watchClient(handle: number): () => boolean;
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

/** Finds it; undefined: it is not known. May throw a ScriptProblem. */
export type Finder = (engine: ScriptEngine, words: Words) => Callable | undefined;

/** The words of the command that runs now, where they lie in linear memory. */
export class Words {
  readonly core: Core;
  count = 0;
  #pairs = 0;

  constructor(core: Core) {
    this.core = core;
  }

  take(count: number): this {
    this.count = count;
    this.#pairs = this.core.x.commandArgv() >>> 0;
    return this;
  }

  at(i: number): number {
    return this.core.word(this.#pairs + i * PAIR);
  }

  length(i: number): number {
    return this.core.word(this.#pairs + i * PAIR + 4);
  }

  /** A word as a Lua string. */
  text(i: number): string {
    const at = this.at(i);
    return bytesToText(this.core.bytes, at, at + this.length(i));
  }

  texts(from: number, to: number): string[] {
    if (to <= from) return [];
    // Not by pushing into an empty array: that would make room for 17.
    const out = [this.text(from)];
    for (let i = from + 1; i < to; i++) out.push(this.text(i));
    return out;
  }

  /** Whether a word has the bytes of a string. */
  is(i: number, text: string): boolean {
    const n = text.length;
    if (this.length(i) !== n) return false;
    const { bytes } = this.core;
    const at = this.at(i);
    for (let k = 0; k < n; k++) if (bytes[at + k] !== text.charCodeAt(k)) return false;
    return true;
  }
}

export class Scripting {
  readonly engine: ScriptEngine;
  readonly #server: ScriptHost;
  readonly #words: Words;

  constructor(server: ScriptHost) {
    this.#server = server;
    const { config, platform } = server;
    this.engine = new ScriptEngine({
      core: server.core,
      log: (level, text) => server.log[LEVELS[level] ?? 'warning'](text),
      now: () => platform.clock.monotonicMs(),
      limitMs: () => config.int('busy-reply-threshold'),
      memoryLimit: () => config.int('script-memory-limit'),
    });
    this.#words = new Words(server.core);
  }

  /** Runs what the command in the arguments asks for; a promise: the answer comes later. */
  run(handle: number, kind: CallKind, find: Finder): Promise<void> | undefined {
    const { x } = this.#server.core;
    const facts = x.scriptFacts(handle);
    const state = (facts >>> 2) & 31;
    const words = this.#words.take(facts >>> 7);
    const keyCount = keyCountOf(words, kind.isFunction);
    const hasProblem = typeof keyCount === 'string';
    if (hasProblem && !kind.isFunction) return this.#answer(handle, keyCount);
    const target = found(find, this.engine, words);
    const mayWait = (facts & 2) !== 0;
    const request = hasProblem || !mayWait ? undefined : this.#redirection(state, kind, target);
    if (request !== undefined) return redirect(this.#server, handle, request);
    if (target === undefined) {
      return this.#answer(handle, kind.isFunction ? UNKNOWN_FUNCTION : UNKNOWN_SCRIPT);
    }
    if (typeof target === 'string') return this.#answer(handle, target);
    if (hasProblem) return this.#answer(handle, keyCount);
    const refusal = flagRefusal(state, target.flags, kind.isReadOnly);
    if (refusal !== undefined) return this.#answer(handle, refusal);
    return this.#start(handle, {
      name: target.name,
      fn: target.fn,
      flags: target.flags,
      isFunction: kind.isFunction,
      isReadOnly: kind.isReadOnly,
      keys: words.texts(KEYS_AT, KEYS_AT + keyCount),
      args: words.texts(KEYS_AT + keyCount, words.count),
      protocol: facts & 1 ? 3 : 2,
      maySuspend: mayWait,
      command: NO_WORDS,
    });
  }

  /**
   * What takes a script that may write, or that is not known here, to the master: whole, before
   * anything of it ran. Not a limited user's, whose rights the master would not look at.
   */
  #redirection(
    state: number,
    kind: CallKind,
    target: Callable | string | undefined,
  ): Redirect | undefined {
    if (kind.isReadOnly || typeof target === 'string') return undefined;
    if ((state & (READ_ONLY_REPLICA | LIMITED_USER)) !== READ_ONLY_REPLICA) return undefined;
    const staysHere = target !== undefined && onlyReads(target.flags);
    return staysHere ? undefined : this.#server.redirect;
  }

  #answer(handle: number, error: string): undefined {
    this.#server.core.reply(handle, encoder.encode(`-${error.replace(/[\r\n]/g, ' ')}\r\n`));
    return undefined;
  }

  #start(handle: number, run: Run): Promise<void> | undefined {
    const { core } = this.#server;
    const { x } = core;
    if (this.engine.running !== undefined) return this.#answer(handle, busyText(run.isFunction));
    x.scriptBegin();
    let reply: MadeReply | undefined;
    try {
      reply = this.engine.start(run);
    } catch (error) {
      x.scriptEnd();
      throw error;
    }
    if (reply === undefined) return this.#suspend(handle, run);
    const { from, to } = reply;
    if (reply.isPlaced) x.scriptReturn(from, to - from);
    else {
      x.scriptEnd();
      core.reply(handle, reply.bytes.subarray(from, to));
    }
    return undefined;
  }

  #suspend(handle: number, run: Run): Promise<void> {
    const { core } = this.#server;
    // The core still has the command's words: they go when the host command returns.
    run.command = this.#words.texts(0, this.#words.count);
    core.x.scriptKind(run.isFunction);
    core.x.scriptSuspend();
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
    const bytes = reply.bytes.slice(reply.from, reply.to);
    core.x.scriptFinish();
    core.replyLate(handle, bytes);
    this.#server.drainSoon();
    return true;
  }
}

/** What the words ask for, or the error reply of a script that does not compile. */
function found(find: Finder, engine: ScriptEngine, words: Words): Callable | string | undefined {
  try {
    return find(engine, words);
  } catch (error) {
    if (error instanceof ScriptProblem) return `ERR ${error.message}`;
    throw error;
  }
}

/** How many keys there are, or what is wrong with that number. */
function keyCountOf(words: Words, isFunction: boolean): number | string {
  const most = words.count - KEYS_AT;
  const digit = (words.core.bytes[words.at(2)] as number) - 48;
  if (words.length(2) === 1 && digit >= 0 && digit <= Math.min(most, 9)) return digit;
  const text = words.text(2);
  const count = Number(text);
  if (!NUMKEYS.test(text) || !Number.isSafeInteger(count)) {
    return isFunction
      ? 'ERR Bad number of keys provided'
      : 'ERR value is not an integer or out of range';
  }
  if (count > most) return "ERR Number of keys can't be greater than number of args";
  return count < 0 ? "ERR Number of keys can't be negative" : count;
}
