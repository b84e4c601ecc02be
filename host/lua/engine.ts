// Scripts and functions without a server: over data of one's own, or a replica's. What a script
// finds, may do and answers is what EVAL gives; only arguments and results are JavaScript's, with
// no protocol and no promise between.

import { type Argument, localError } from '../core/local.js';
import { type ReplyValue, replyError } from '../core/resp-value.js';
import { RespiteError } from '../errors.js';
import { type Storage, type StorageParts, storageParts } from '../storage/storage.js';
import type { FunctionEntry } from './functions.js';
import { flagRefusal, UNKNOWN_FUNCTION, UNKNOWN_SCRIPT } from './refusal.js';
import { type Run, type Script, ScriptEngine } from './scripts.js';
import type { Session } from './session.js';
import { FLAG_COMPATIBLE, FLAG_NAMES, onlyReads, ScriptProblem } from './shebang.js';
import { argumentOf, ResultReader, utf8Of, withText } from './values.js';
import { ScriptStopped } from './vm/machine.js';
import { LuaError, type LuaValue } from './vm/value.js';

/** Redis: busy-reply-threshold. */
const LIMIT_MS = 5000;
/** As the directive script-memory-limit. */
const MEMORY_BYTES = 1 << 30;
const SHA = /^[0-9a-f]{40}$/i;
const NONE: readonly never[] = [];
const NO_COMMAND: readonly string[] = [];
const LEVELS = ['debug', 'verbose', 'notice', 'warning'] as const;

/** What `redis.log` was called with. */
export type LuaLogLevel = (typeof LEVELS)[number];

export interface CallOptions {
  /**
   * How strings of the result come: `bytes` (Uint8Array, the default) or `text` (UTF-8). Status
   * replies are text always.
   */
  strings?: 'bytes' | 'text';
  /** As EVAL_RO and its like: commands that write are refused. */
  readOnly?: boolean;
}

export interface LuaEngineOptions {
  /** A script that runs for longer is ended with ERR_RESPITE_TIMEOUT. Default 5000. */
  limitMs?: number;
  /** A script that takes more of JavaScript's heap is ended. Default 1 GiB, or what there is. */
  memoryBytesMax?: number;
  /** Default of `CallOptions.strings`. */
  strings?: 'bytes' | 'text';
  /** Gets what scripts say by `redis.log`. Default: nobody. */
  log?: (level: LuaLogLevel, text: string) => void;
}

/** A library of functions, as FUNCTION LIST tells of it. */
export interface LuaLibrary {
  name: string;
  functions: { name: string; description: string | undefined; flags: string[] }[];
}

/** What can be run. */
type Target = Script | FunctionEntry;

/**
 * Runs Lua scripts and functions over a storage, as Redis does: same language, libraries, errors,
 * conversions. Each call is atomic. Keys and arguments are text (UTF-8), bytes or numbers.
 *
 * Results: nil and false are null, true and numbers are integers (a bigint beyond 2^53), strings
 * are bytes or text, arrays are arrays up to the first nil, `{ok=…}` is a text, `{double=…}` a
 * number, `{map=…}` a Map; booleans are such in scripts that called `redis.setresp(3)`.
 *
 * Errors are RespiteErrors with Redis' text as message: ERR_RESPITE_REPLY (among them compile
 * errors, NOSCRIPT, WRONGTYPE, what a script raised or returned), ERR_RESPITE_READ_ONLY (a write on
 * a read-only replica), ERR_RESPITE_SYNC_IN_PROGRESS (LOADING), ERR_RESPITE_TIMEOUT (the limit),
 * ERR_RESPITE_CLOSED. What a script has written before it failed stays written.
 */
export class LuaEngine {
  readonly #parts: StorageParts;
  readonly #storage: Storage;
  readonly #engine: ScriptEngine;
  readonly #results = new ResultReader();
  readonly #limitMs: number;
  readonly #isText: boolean;
  readonly #take = (value: LuaValue, session: Session): ReplyValue =>
    this.#results.read(value, session);
  #isClosed = false;

  constructor(storage: Storage, options: LuaEngineOptions = {}) {
    const { strings = 'bytes', log } = options;
    const limitMs = positive(options, 'limitMs', LIMIT_MS);
    const memoryBytesMax = positive(options, 'memoryBytesMax', MEMORY_BYTES);
    this.#storage = storage;
    this.#parts = storageParts(storage);
    this.#limitMs = limitMs;
    this.#isText = strings === 'text';
    this.#engine = new ScriptEngine({
      core: this.#parts.core,
      log: (level, text) => log?.(LEVELS[level] ?? 'warning', utf8Of(text)),
      now: () => performance.now(),
      limitMs: () => limitMs,
      endMs: () => limitMs,
      memoryLimit: () => memoryBytesMax,
    });
  }

  /** Frees what the engine holds in the core. The storage stays open. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#engine.close();
  }

  // ---- scripts

  /** EVAL: compiles the script unless it is known, and runs it. */
  eval(
    script: string | Uint8Array,
    keys: readonly Argument[] = NONE,
    args: readonly Argument[] = NONE,
    options?: CallOptions,
  ): ReplyValue {
    return this.#run(this.#load(script), keys, args, options);
  }

  /** EVALSHA: runs a script that `loadScript` or `eval` has seen; NOSCRIPT otherwise. */
  evalSha(
    sha: string,
    keys: readonly Argument[] = NONE,
    args: readonly Argument[] = NONE,
    options?: CallOptions,
  ): ReplyValue {
    const script = this.#engine.find(sha);
    if (script === undefined) throw noScript();
    return this.#run(script, keys, args, options);
  }

  /** SCRIPT LOAD: compiles without running; the SHA-1. */
  loadScript(script: string | Uint8Array): string {
    return this.#load(script).name;
  }

  /** SCRIPT EXISTS: for each SHA-1 whether it is known. */
  scriptExists(...shas: readonly string[]): boolean[] {
    return shas.map((sha) => this.#engine.find(sha) !== undefined);
  }

  /** SCRIPT FLUSH: forgets all scripts. */
  flushScripts(): void {
    this.#engine.flush();
  }

  #load(source: string | Uint8Array): Script {
    this.#mustBeOpen();
    return problemsAsErrors(() => this.#engine.load(argumentOf(source)));
  }

  // ---- functions

  /** FCALL: runs a function of a library; on a replica those of its master are there. */
  fcall(
    name: string,
    keys: readonly Argument[] = NONE,
    args: readonly Argument[] = NONE,
    options?: CallOptions,
  ): ReplyValue {
    return this.#run(this.#function(name), keys, args, options);
  }

  #function(name: string): Target {
    this.#mustBeOpen();
    const entry = this.#engine.functions.find(name);
    if (entry === undefined) throw replyError(UNKNOWN_FUNCTION);
    return entry;
  }

  /** FUNCTION LOAD: the library's name. Refused on a read-only replica. */
  loadLibrary(code: string | Uint8Array, options: { replace?: boolean } = {}): string {
    const isReplacing = options.replace ?? false;
    return this.#change(() => this.#engine.functions.load(argumentOf(code), isReplacing));
  }

  /** FUNCTION DELETE: false when there is no such library. */
  deleteLibrary(name: string): boolean {
    return this.#change(() => this.#engine.functions.delete(name));
  }

  /** FUNCTION LIST. */
  get libraries(): LuaLibrary[] {
    this.#mustBeOpen();
    return [...this.#engine.functions.libraries].map(({ name, functions }) => ({
      name,
      functions: functions.map(describe),
    }));
  }

  // ---- here or at the master

  /**
   * As `eval`, where the script belongs: here when it only reads (flag `no-writes`, or
   * `readOnly`), and on a replica with write redirection all others, whole, at the master, as
   * EVAL. Without redirection the same as `eval`.
   */
  async evalAsync(
    script: string | Uint8Array,
    keys: readonly Argument[] = NONE,
    args: readonly Argument[] = NONE,
    options?: CallOptions,
  ): Promise<ReplyValue> {
    const { forward } = this.#parts;
    const known = this.#load(script);
    if (forward === undefined || isForHere(known.flags, options)) {
      return this.#run(known, keys, args, options);
    }
    const words = ['EVAL', script, keys.length, ...keys, ...args];
    return this.#sent(await forward(this.#storage.currentDb, words), options);
  }

  /** The same by SHA-1. A master that does not know a script that is known here gets its text. */
  async evalShaAsync(
    sha: string,
    keys: readonly Argument[] = NONE,
    args: readonly Argument[] = NONE,
    options?: CallOptions,
  ): Promise<ReplyValue> {
    this.#mustBeOpen();
    const { forward } = this.#parts;
    const script = SHA.test(sha) ? this.#engine.find(sha) : undefined;
    const isHere =
      script === undefined ? options?.readOnly === true : isForHere(script.flags, options);
    if (forward === undefined || isHere) return this.evalSha(sha, keys, args, options);
    const rest = [keys.length, ...keys, ...args];
    const db = this.#storage.currentDb;
    try {
      return this.#sent(await forward(db, ['EVALSHA', sha, ...rest]), options);
    } catch (error) {
      if (script === undefined || !isNoScript(error)) throw error;
      const source = Uint8Array.from(script.source, (c) => c.charCodeAt(0));
      return this.#sent(await forward(db, ['EVAL', source, ...rest]), options);
    }
  }

  /** The same for a function. */
  async fcallAsync(
    name: string,
    keys: readonly Argument[] = NONE,
    args: readonly Argument[] = NONE,
    options?: CallOptions,
  ): Promise<ReplyValue> {
    this.#mustBeOpen();
    const { forward } = this.#parts;
    if (forward === undefined) return this.fcall(name, keys, args, options);
    const target = this.#function(name);
    if (isForHere(target.flags, options)) return this.#run(target, keys, args, options);
    const words = ['FCALL', name, keys.length, ...keys, ...args];
    return this.#sent(await forward(this.#storage.currentDb, words), options);
  }

  #sent(value: ReplyValue, options: CallOptions | undefined): ReplyValue {
    return this.#wantsText(options) ? withText(value) : value;
  }

  // ---- a run

  #mustBeOpen(): void {
    if (this.#isClosed) throw new RespiteError('ERR_RESPITE_CLOSED');
  }

  /** A change of the libraries, where and when a script could write. */
  #change<T>(work: () => T): T {
    this.#mustBeOpen();
    const { core, client } = this.#parts;
    const refusal = flagRefusal(core.x.scriptWorld(client.handle), 0, false);
    if (refusal !== undefined) throw replyError(refusal);
    this.#begin();
    try {
      return problemsAsErrors(work);
    } finally {
      this.#end();
    }
  }

  #begin(): void {
    const { core, client } = this.#parts;
    const began = core.x.localScriptBegin(client.handle, client.now());
    if (began < 0) throw localError(began);
  }

  #end(): void {
    this.#parts.core.x.localScriptEnd();
    this.#parts.client.settle();
  }

  #wantsText(options: CallOptions | undefined): boolean {
    const strings = options?.strings;
    return strings === undefined ? this.#isText : strings === 'text';
  }

  #run(
    target: Target,
    keys: readonly Argument[],
    args: readonly Argument[],
    options: CallOptions | undefined,
  ): ReplyValue {
    this.#mustBeOpen();
    const { core, client } = this.#parts;
    const isReadOnly = options?.readOnly ?? false;
    if ((target.flags & FLAG_COMPATIBLE) === 0) {
      const state = core.x.scriptWorld(client.handle);
      const refusal = flagRefusal(state, target.flags, isReadOnly);
      if (refusal !== undefined) throw replyError(refusal);
    }
    const run: Run = {
      name: target.name,
      isFunction: 'library' in target,
      fn: target.fn,
      flags: target.flags,
      isReadOnly,
      keys: texts(keys),
      args: texts(args),
      protocol: 2,
      maySuspend: false,
      command: NO_COMMAND,
    };
    const isText = this.#wantsText(options);
    this.#begin();
    try {
      this.#results.isText = isText;
      return this.#engine.runWhole(run, this.#take);
    } catch (error) {
      throw this.#asError(error, target.name);
    } finally {
      this.#end();
    }
  }

  #asError(thrown: unknown, name: string): unknown {
    if (thrown instanceof RangeError) {
      // a result deeper than what is left of JavaScript's stack, or too large for it
      const isStack = /call stack/i.test(thrown.message);
      return replyError(isStack ? 'ERR reached lua stack limit' : 'ERR not enough memory');
    }
    if (!(thrown instanceof LuaError)) return thrown;
    const text = utf8Of(this.#engine.describe(thrown, name)).replace(/[\r\n]/g, ' ');
    if (!(thrown instanceof ScriptStopped) || !this.#engine.isTimedOut) return replyError(text);
    const timeoutMs = this.#limitMs;
    const message = `ERR The script was ended: it ran for more than ${timeoutMs} ms`;
    return new RespiteError('ERR_RESPITE_TIMEOUT', message, {
      cause: replyError(text),
      details: { operation: 'script', timeoutMs },
    });
  }
}

function positive(
  options: LuaEngineOptions,
  option: 'limitMs' | 'memoryBytesMax',
  standard: number,
): number {
  const value = options[option] ?? standard;
  if (value > 0) return value;
  const details = { option, reason: 'must be a positive number' };
  throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', `${option}: ${details.reason}`, { details });
}

function texts(values: readonly Argument[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < values.length; i++) out.push(argumentOf(values[i] as Argument));
  return out;
}

/** Whether a script cannot write, so that a replica may run it. */
function isForHere(flags: number, options: CallOptions | undefined): boolean {
  return options?.readOnly === true || onlyReads(flags);
}

function describe({ name, description, flags }: FunctionEntry): LuaLibrary['functions'][number] {
  const names = Object.keys(FLAG_NAMES).filter((flag) => flags & (FLAG_NAMES[flag] as number));
  return { name, description: description && utf8Of(description), flags: names };
}

function noScript(): RespiteError {
  return replyError(UNKNOWN_SCRIPT);
}

function isNoScript(error: unknown): boolean {
  return error instanceof RespiteError && error.message.startsWith('NOSCRIPT');
}

function problemsAsErrors<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof ScriptProblem) throw replyError(`ERR ${utf8Of(error.message)}`);
    throw error;
  }
}
