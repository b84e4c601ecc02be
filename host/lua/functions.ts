// Function libraries: compiled from the sources the core keeps, again whenever those have changed
// behind our back (an RDB file, a full synchronisation).

import type { Core } from '../core/core.js';
import { prototypeBytes } from './footprint.js';
import type { Arguments } from './lib/arguments.js';
import { lock, strictMeta } from './lock.js';
import { makeLibraryTable, raise } from './redis-api.js';
import { type LogSink, Session } from './session.js';
import { FLAG_NAMES, ScriptProblem } from './shebang.js';
import { bytesToText, textToBytes } from './vm/bytes.js';
import type { Tick } from './vm/machine.js';
import { isCallable, toText } from './vm/operations.js';
import { compile } from './vm/prototype.js';
import {
  LuaError,
  LuaFunction,
  LuaTable,
  type LuaValue,
  NONE,
  type Results,
  Upvalue,
} from './vm/value.js';

const LOG_WARNING = 3;
/** What is kept for a library or a function besides its texts. */
const ENTRY_BYTES = 96;
/** A library may take so long to load, ms; Redis: LOAD_TIMEOUT_MS. */
const LOAD_MS = 500;
const NAME = /^[A-Za-z0-9_]+$/;
const NAMES_RULE =
  'Library names can only contain letters, numbers, or underscores(_) and must be at least one ' +
  'character long';

export interface FunctionEntry {
  readonly name: string;
  readonly fn: LuaValue;
  readonly flags: number;
  readonly description: string | undefined;
  readonly library: string;
}

export interface Library {
  readonly name: string;
  readonly code: string;
  readonly functions: readonly FunctionEntry[];
}

export class Functions {
  readonly #core: Core;
  readonly #log: LogSink;
  readonly #tick: Tick;
  #session: Session | undefined;
  #libraries = new Map<string, Library>();
  /** By name in lower case. */
  #functions = new Map<string, FunctionEntry>();
  #version = 0;
  /** Of the library being loaded. */
  #loading: { library: string; found: FunctionEntry[]; untilMs: number } | undefined;

  constructor(core: Core, log: LogSink, tick: Tick) {
    this.#core = core;
    this.#log = log;
    this.#tick = tick;
  }

  get session(): Session {
    if (this.#session === undefined) {
      this.#session = new Session(this.#core, this.#log, true);
      this.#session.machine.tick = (maySuspend) => this.#look(maySuspend);
    }
    return this.#session;
  }

  close(): void {
    this.#session?.close();
  }

  #look(maySuspend: boolean): number {
    if (this.#loading === undefined) return this.#tick(maySuspend);
    if (performance.now() < this.#loading.untilMs) return 0;
    throw new LuaError('FUNCTION LOAD timeout');
  }

  // ---- what there is

  find(name: string): FunctionEntry | undefined {
    this.#refresh();
    return this.#functions.get(name.toLowerCase());
  }

  get libraries(): Iterable<Library> {
    this.#refresh();
    return this.#libraries.values();
  }

  get libraryCount(): number {
    this.#refresh();
    return this.#libraries.size;
  }

  get functionCount(): number {
    this.#refresh();
    return this.#functions.size;
  }

  /** Whether there is a machine for functions: the first of them makes it. */
  get isUsed(): boolean {
    return this.#session !== undefined;
  }

  /** Bytes of the libraries as they are kept: codes and names. */
  get sourceBytes(): number {
    let bytes = 0;
    for (const { code, functions, name } of this.libraries) {
      bytes += name.length + code.length + ENTRY_BYTES;
      for (const entry of functions) {
        bytes += entry.name.length + (entry.description?.length ?? 0) + ENTRY_BYTES;
      }
    }
    return bytes;
  }

  /** Bytes of what was compiled from them. */
  get codeBytes(): number {
    let bytes = 0;
    for (const { functions } of this.libraries) {
      for (const { fn } of functions) {
        if (fn instanceof LuaFunction) bytes += prototypeBytes(fn.proto);
      }
    }
    return bytes;
  }

  /** Compiles what the core has, if it is not what was compiled. */
  #refresh(): void {
    const version = this.#core.x.functionVersion();
    if (version === this.#version) return;
    this.#libraries = new Map();
    this.#functions = new Map();
    const { x } = this.#core;
    for (let at = x.functionFirst() >>> 0; at !== 0; at = x.functionNext(at) >>> 0) {
      const length = this.#core.word(at + 12);
      const code = bytesToText(this.#core.bytes, at + 16, at + 16 + length);
      try {
        this.#enter(this.compile(code));
      } catch (error) {
        if (!(error instanceof ScriptProblem)) throw error;
        this.#log(LOG_WARNING, `A function library was not loaded: ${error.message}`);
      }
    }
    this.#version = version;
  }

  #enter(library: Library): void {
    this.#libraries.set(library.name, library);
    for (const entry of library.functions) this.#functions.set(entry.name.toLowerCase(), entry);
  }

  #forget(name: string): void {
    const library = this.#libraries.get(name);
    for (const entry of library?.functions ?? []) this.#functions.delete(entry.name.toLowerCase());
    this.#libraries.delete(name);
  }

  // ---- changes

  /** FUNCTION LOAD: the name of the library; throws a ScriptProblem. */
  load(code: string, isReplacing: boolean): string {
    this.#refresh();
    const { name } = libraryHead(code);
    if (this.#libraries.has(name) && !isReplacing) {
      throw new ScriptProblem(`Library '${name}' already exists`);
    }
    const library = this.compile(code);
    this.#checkCollisions(library, (owner) => owner === name);
    this.#keep(library);
    return name;
  }

  #checkCollisions(library: Library, isGoing: (owner: string) => boolean): void {
    for (const { name } of library.functions) {
      const there = this.#functions.get(name.toLowerCase());
      if (there !== undefined && !isGoing(there.library)) {
        throw new ScriptProblem(`Function ${name} already exists`);
      }
    }
  }

  #keep(library: Library): void {
    const result = this.#core.withBytes(textToBytes(library.code), (ptr, length) =>
      this.#core.x.functionPut(ptr, length),
    );
    if (result !== 0) throw new ScriptProblem('not enough memory to keep the library');
    this.#forget(library.name);
    this.#enter(library);
    this.#version = this.#core.x.functionVersion();
  }

  delete(name: string): boolean {
    this.#refresh();
    if (!this.#libraries.has(name)) return false;
    this.#core.withBytes(textToBytes(name), (ptr, length) =>
      this.#core.x.functionDelete(ptr, length),
    );
    this.#forget(name);
    this.#version = this.#core.x.functionVersion();
    return true;
  }

  flush(): void {
    this.#core.x.functionClear();
    this.#refresh();
  }

  /** FUNCTION RESTORE; throws a ScriptProblem with nothing changed. */
  restore(codes: readonly string[], policy: 'flush' | 'append' | 'replace'): void {
    this.#refresh();
    const incoming = codes.map((code) => this.compile(code));
    const names = new Set(incoming.map(({ name }) => name));
    for (const library of incoming) {
      if (policy === 'append' && this.#libraries.has(library.name)) {
        throw new ScriptProblem(`Library ${library.name} already exists`);
      }
      const isGoing = (owner: string): boolean =>
        policy === 'flush' || (policy === 'replace' && names.has(owner));
      this.#checkCollisions(library, isGoing);
    }
    if (policy === 'flush') this.flush();
    for (const library of incoming) this.#keep(library);
  }

  // ---- compiling

  /** Runs a library's code, which registers its functions; throws a ScriptProblem. */
  compile(code: string): Library {
    const { name, body } = libraryHead(code);
    const { machine } = this.session;
    const environment = new Upvalue([this.#loadGlobals()], 0);
    let main: LuaFunction;
    try {
      main = new LuaFunction(compile(body, '@user_function'), [environment]);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      throw new ScriptProblem(`Error compiling function: ${String(error.value)}`);
    }
    const loading = { library: name, found: [], untilMs: performance.now() + LOAD_MS };
    this.#loading = loading;
    try {
      machine.begin(main, []);
    } catch (error) {
      if (!(error instanceof LuaError)) throw error;
      throw new ScriptProblem(`Error registering functions: ${this.#message(error.value)}`);
    } finally {
      this.#loading = undefined;
      machine.reset();
    }
    if (loading.found.length === 0) throw new ScriptProblem('No functions registered');
    // From now on its code finds what functions find.
    environment.slots = [machine.globals];
    return { name, code, functions: loading.found };
  }

  #message(value: LuaValue): string {
    if (!(value instanceof LuaTable)) return `ERR ${String(toText(this.session.machine, value))}`;
    const text = value.getText('err');
    return typeof text === 'string' ? text : 'ERR unknown error';
  }

  #loadGlobals(): LuaTable {
    const { machine } = this.session;
    const globals = new LuaTable();
    const table = makeLibraryTable(this.session, (a) => this.#register(a));
    const meta = strictMeta(machine);
    table.metatable = meta;
    globals.setText('redis', table);
    globals.metatable = meta;
    lock(globals);
    return globals;
  }

  #register(a: Arguments): Results {
    const loading = this.#loading;
    if (loading === undefined) {
      raise('redis.register_function can only be called on FUNCTION LOAD command');
    }
    const entry = readFunction(a, loading.library);
    if (!NAME.test(entry.name)) raise(NAMES_RULE);
    if (loading.found.some(({ name }) => name.toLowerCase() === entry.name.toLowerCase())) {
      raise('Function already exists in the library');
    }
    loading.found.push(entry);
    return NONE;
  }
}

/** Name and code of a library; throws a ScriptProblem. */
function libraryHead(code: string): { name: string; body: string } {
  if (!code.startsWith('#!')) throw new ScriptProblem('Missing library metadata');
  const end = code.indexOf('\n');
  if (end < 0) throw new ScriptProblem('Invalid library metadata');
  const [engine = '', ...options] = code
    .slice(2, end)
    .split(/[ \t\r]+/)
    .filter((s) => s !== '');
  let name: string | undefined;
  for (const option of options) {
    if (!/^name=/i.test(option)) throw new ScriptProblem(`Invalid metadata value given: ${option}`);
    if (name !== undefined) {
      throw new ScriptProblem('Invalid metadata value, name argument was given multiple times');
    }
    name = option.slice(5);
  }
  if (name === undefined) throw new ScriptProblem('Library name was not given');
  if (!NAME.test(name)) throw new ScriptProblem(NAMES_RULE);
  if (engine.toLowerCase() !== 'lua') throw new ScriptProblem(`Engine '${engine}' not found`);
  return { name, body: code.slice(end) };
}

function isText(value: LuaValue): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function readFunction(a: Arguments, library: string): FunctionEntry {
  if (a.count < 1 || a.count > 2) raise('wrong number of arguments to redis.register_function');
  if (a.count === 1) {
    const given = a.get(1);
    if (given instanceof LuaTable) return readNamed(a, given, library);
    raise(
      'calling redis.register_function with a single argument is only applicable to Lua table ' +
        '(representing named arguments).',
    );
  }
  if (!isText(a.get(1))) raise('first argument to redis.register_function must be a string');
  const fn = a.get(2);
  if (!isCallable(fn)) raise('second argument to redis.register_function must be a function');
  return { name: a.text(1), fn, flags: 0, description: undefined, library };
}

function readNamed(a: Arguments, given: LuaTable, library: string): FunctionEntry {
  let name: string | undefined;
  let description: string | undefined;
  let fn: LuaValue;
  let flags = 0;
  const text = (value: LuaValue, what: string): string => {
    if (!isText(value)) {
      raise(`${what} argument given to redis.register_function must be a string`);
    }
    return String(toText(a.machine, value));
  };
  for (let key = given.next(undefined); key !== undefined; key = given.next(key)) {
    const value = given.get(key);
    if (key === 'function_name') name = text(value, 'function_name');
    else if (key === 'description') description = text(value, 'description');
    else if (key === 'callback') {
      if (!isCallable(value)) {
        raise('callback argument given to redis.register_function must be a function');
      }
      fn = value;
    } else if (key === 'flags') flags = readFlags(value);
    else raise('unknown argument given to redis.register_function');
  }
  if (name === undefined) raise('redis.register_function must get a function name argument');
  if (fn === undefined) raise('redis.register_function must get a callback argument');
  return { name, fn, flags, description, library };
}

function readFlags(value: LuaValue): number {
  if (!(value instanceof LuaTable)) {
    raise('flags argument to redis.register_function must be a table representing function flags');
  }
  let flags = 0;
  for (let i = 1; value.get(i) !== undefined; i++) {
    const flag = value.get(i);
    const bit = typeof flag === 'string' ? FLAG_NAMES[flag] : undefined;
    if (bit === undefined) raise('unknown flag given');
    flags |= bit;
  }
  return flags;
}
