// Scripts: their cache, one run from its beginning to its reply, and its end by force. What a run
// may do and how replies are delivered is the server's business (host/server/scripting.ts).

import type { Core } from '../core/core.js';
import { prototypeBytes, valueBytes } from './footprint.js';
import { Functions } from './functions.js';
import { HeapWatch } from './heap.js';
import { loaded } from './lib/base.js';
import { errorTable } from './redis-api.js';
import { type MadeReply, ReplyMaker } from './replies.js';
import { type LogSink, SCRATCH_BYTES, Session } from './session.js';
import { sha1Hex } from './sha1.js';
import {
  FLAG_ALLOW_OOM,
  FLAG_COMPATIBLE,
  onlyReads,
  readShebang,
  ScriptProblem,
} from './shebang.js';
import { NO_VALUES } from './vm/coroutine.js';
import { GO_ON, ScriptStopped, SUSPEND } from './vm/machine.js';
import { toText } from './vm/operations.js';
import { LuaError, type LuaFunction, LuaTable, type LuaValue } from './vm/value.js';

const RUN_READONLY = 1;
const RUN_ALLOW_OOM = 2;
/** What the cache itself has for a script. */
const ENTRY_BYTES = 96;
/** A suspended script runs for so long before others have their turn again. */
const SLICE_MS = 5;
/** Where a script cannot be suspended it is ended after its time, as much again, and this. */
const PATIENCE_MS = 1000;

export interface Script {
  /** Its SHA-1. */
  readonly name: string;
  readonly source: string;
  readonly flags: number;
  readonly fn: LuaFunction;
}

/** One call of a script or function. */
export interface Run {
  /** The script's SHA-1, or the function's name: in error messages. */
  readonly name: string;
  readonly isFunction: boolean;
  readonly fn: LuaValue;
  readonly flags: number;
  /** By a command that only reads. */
  readonly isReadOnly: boolean;
  readonly keys: string[];
  readonly args: string[];
  /** Of the client: 2 or 3. */
  readonly protocol: number;
  /** Nobody waits inside for the result: it may be suspended. */
  readonly maySuspend: boolean;
  /** The command's words, for FUNCTION STATS; there once it is suspended. */
  command: readonly string[];
}

export interface EngineOptions {
  readonly core: Core;
  readonly log: LogSink;
  /** A clock that only goes forward, ms. */
  readonly now: () => number;
  /** busy-reply-threshold, ms. */
  readonly limitMs: () => number;
  /** A script that cannot be suspended is ended after so long. Default: some time more. */
  readonly endMs?: () => number;
  /** script-memory-limit, bytes; default and 0: what JavaScript's heap has. */
  readonly memoryLimit?: () => number;
}

export class ScriptEngine {
  session: Session;
  readonly functions: Functions;
  readonly #options: EngineOptions;
  readonly #scripts = new Map<string, Script>();
  /** The same by their texts: EVAL need not compute a SHA-1 to find one. */
  readonly #bySource = new Map<string, Script>();
  readonly #maker = new ReplyMaker();
  readonly #keys = new LuaTable();
  readonly #args = new LuaTable();
  #latest: Script | undefined;
  /** Of the cached scripts: their sources, and what was compiled from them. */
  #sourceBytes = 0;
  #codeBytes = 0;
  /** Of an empty machine; 0: not counted yet. */
  #worldBytes = 0;
  readonly #heap: HeapWatch;
  #running: Run | undefined;
  /** NaN until somebody looks: most scripts are over before. */
  #startedMs = Number.NaN;
  #sliceEndMs = 0;
  #isTimedOut = false;
  #isKilled = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#heap = new HeapWatch(() => options.memoryLimit?.() ?? 0);
    this.session = this.#makeSession();
    this.functions = new Functions(options.core, options.log, (maySuspend) =>
      this.#tick(maySuspend),
    );
  }

  /** The script that runs, or is suspended. */
  get running(): Run | undefined {
    return this.#running;
  }

  get runningMs(): number {
    return Math.floor(this.#options.now() - this.#startedMs);
  }

  #makeSession(): Session {
    const session = new Session(this.#options.core, this.#options.log);
    session.machine.tick = (maySuspend) => this.#tick(maySuspend);
    session.machine.globals.setText('KEYS', this.#keys);
    session.machine.globals.setText('ARGV', this.#args);
    return session;
  }

  // ---- the cache

  get scriptCount(): number {
    return this.#scripts.size;
  }

  /** Bytes, for INFO: sources of cached scripts, and of libraries; the machines of both. */
  memory(): { scripts: number; functions: number; vmEval: number; vmFunctions: number } {
    if (this.#worldBytes === 0) this.#worldBytes = valueBytes(this.session.machine.globals);
    return {
      scripts: this.#sourceBytes,
      functions: this.functions.sourceBytes,
      vmEval: this.#worldBytes + this.#codeBytes,
      vmFunctions: this.functions.isUsed ? this.#worldBytes + this.functions.codeBytes : 0,
    };
  }

  find(sha: string): Script | undefined {
    const found = this.#scripts.get(sha) ?? this.#scripts.get(sha.toLowerCase());
    this.#latest = found ?? this.#latest;
    return found;
  }

  /** What `find` found last: often what is looked for next. */
  get latest(): Script | undefined {
    return this.#latest;
  }

  /** Compiles a script, unless it is known; throws a ScriptProblem. */
  load(source: string): Script {
    const known = this.#bySource.get(source);
    if (known !== undefined) return known;
    const { flags, body } = readShebang(source);
    const fn = this.compile(body, '@user_script');
    const script = { name: sha1Hex(source), source, flags, fn };
    this.#scripts.set(script.name, script);
    this.#bySource.set(source, script);
    this.#sourceBytes += script.name.length + source.length + ENTRY_BYTES;
    this.#codeBytes += prototypeBytes(fn.proto);
    return script;
  }

  compile(body: string, name: string): LuaFunction {
    try {
      return loaded(this.session.machine, body, name);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      throw new ScriptProblem(`Error compiling script (new function): ${String(error.value)}`);
    }
  }

  flush(): void {
    this.#scripts.clear();
    this.#bySource.clear();
    this.#latest = undefined;
    // As Redis: what scripts have set in libraries is forgotten too.
    this.session.close();
    this.session = this.#makeSession();
    this.#sourceBytes = 0;
    this.#codeBytes = 0;
  }

  /** Frees what it holds in the core. */
  close(): void {
    this.flush();
    this.session.close();
    this.functions.close();
  }

  // ---- a run

  /** Runs to its end: the reply; undefined: suspended, `goOn` continues it. */
  start(run: Run): MadeReply | undefined {
    return this.#step(run, this.#prepare(run), true);
  }

  /** Runs one that may not be suspended and hands its result to `take`. Throws its LuaError. */
  runWhole<T>(run: Run, take: (value: LuaValue, session: Session) => T): T {
    const session = this.#prepare(run);
    try {
      const values = this.#begin(run, session) as LuaValue[];
      return take(values[0], session);
    } finally {
      this.#running = undefined;
      session.machine.reset();
    }
  }

  /** Whether the last run took longer than its limit. */
  get isTimedOut(): boolean {
    return this.#isTimedOut;
  }

  #prepare(run: Run): Session {
    const session = this.#sessionOf(run);
    let how = 0;
    if (run.isReadOnly || onlyReads(run.flags)) how |= RUN_READONLY;
    if ((run.flags & (FLAG_COMPATIBLE | FLAG_ALLOW_OOM)) === FLAG_ALLOW_OOM) how |= RUN_ALLOW_OOM;
    session.begin(how);
    this.#heap.begin();
    this.#running = run;
    this.#isTimedOut = false;
    this.#isKilled = false;
    this.#startedMs = Number.NaN;
    return session;
  }

  #begin(run: Run, { machine }: Session): LuaValue[] | undefined {
    if (run.isFunction) {
      return machine.begin(run.fn, [new LuaTable(run.keys), new LuaTable(run.args)]);
    }
    // The same tables for all scripts, one after the other: nothing of a script outlives it.
    this.#keys.renew(run.keys);
    this.#args.renew(run.args);
    return machine.begin(run.fn, NO_VALUES);
  }

  #sessionOf(run: Run): Session {
    return run.isFunction ? this.functions.session : this.session;
  }

  goOn(): MadeReply | undefined {
    const run = this.#running as Run;
    this.#sliceEndMs = this.#options.now() + SLICE_MS;
    return this.#step(run, this.#sessionOf(run), false);
  }

  #step(run: Run, session: Session, isNew: boolean): MadeReply | undefined {
    try {
      const values = isNew ? this.#begin(run, session) : session.machine.goOn();
      if (values === undefined) return undefined;
      this.#placed(session).make(values[0], run.protocol, session);
    } catch (error) {
      const isLua = error instanceof LuaError;
      // What JavaScript's stack, strings or arrays have no room for.
      if (!isLua && !(error instanceof RangeError)) {
        this.#running = undefined;
        throw error;
      }
      const text = isLua ? this.describe(error, run.name) : 'ERR not enough memory for the reply';
      this.#placed(session).error(text);
    }
    this.#running = undefined;
    session.machine.reset();
    return this.#maker;
  }

  #placed(session: Session): ReplyMaker {
    const at = session.scratch();
    return this.#maker.place(session.core.bytes, at, at === 0 ? 0 : SCRATCH_BYTES);
  }

  /** The text of an error reply. */
  describe(error: LuaError, name: string): string {
    // A C string ends at a null byte.
    const [message = ''] = this.messageOf(error.value).split('\0', 1);
    if (!error.source) return message;
    return `${message} script: ${name}, on ${error.source}:${error.line}.`;
  }

  messageOf(value: LuaValue): string {
    if (!(value instanceof LuaTable)) {
      return `ERR ${value === undefined ? 'nil' : String(toText(this.session.machine, value))}`;
    }
    const text = value.getText('err');
    // Redis 7.0 ends itself when there is no text.
    return typeof text === 'string' ? text : 'ERR unknown error';
  }

  /** SCRIPT KILL and FUNCTION KILL; undefined: it will end. */
  kill(isFunction: boolean): string | undefined {
    const run = this.#running;
    if (run === undefined) return 'NOTBUSY No scripts in execution right now.';
    if (run.isFunction !== isFunction) return busyText(run.isFunction);
    if (this.#options.core.x.scriptHasWritten() !== 0) {
      return (
        'UNKILLABLE Sorry the script already executed write commands against the dataset. You ' +
        'can either wait the script termination or kill the server in a hard way using the ' +
        'SHUTDOWN NOSAVE command.'
      );
    }
    this.#isKilled = true;
    return undefined;
  }

  #logSlow(): void {
    this.session.log(
      3,
      `Slow script detected: still in execution after ${this.runningMs} milliseconds. You can ` +
        'try killing the script using the SCRIPT KILL command.',
    );
  }

  /** Now and then while a script runs. */
  #tick(maySuspend: boolean): number {
    if (this.#isKilled) {
      const kind = this.#running?.isFunction ? 'FUNCTION' : 'SCRIPT';
      throw new ScriptStopped(errorTable(`ERR Script killed by user with ${kind} KILL...`));
    }
    if (this.#heap.isFull()) throw new ScriptStopped(errorTable('ERR not enough memory'));
    const now = this.#options.now();
    if (Number.isNaN(this.#startedMs)) {
      this.#startedMs = now;
      this.#sliceEndMs = now + this.#options.limitMs();
      return GO_ON;
    }
    if (now < this.#sliceEndMs) return GO_ON;
    if (!this.#isTimedOut) {
      this.#isTimedOut = true;
      if (this.#options.endMs === undefined) this.#logSlow();
    }
    if (maySuspend && this.#running?.maySuspend) return SUSPEND;
    if (this.#isOver(now)) {
      throw new ScriptStopped(errorTable('ERR Script ran too long where it cannot be interrupted'));
    }
    return this.#running?.maySuspend ? SUSPEND : GO_ON;
  }

  /** Where it cannot be suspended. */
  #isOver(now: number): boolean {
    const { endMs, limitMs } = this.#options;
    if (endMs !== undefined) return now - this.#startedMs >= endMs();
    return now - this.#sliceEndMs > limitMs() + PATIENCE_MS;
  }
}

export function busyText(isFunction: boolean): string {
  const which = isFunction ? 'FUNCTION' : 'SCRIPT';
  return `BUSY Redis is busy running a script. You can only call ${which} KILL or SHUTDOWN NOSAVE.`;
}
