// The `redis` table: what a script can do besides computing.

import { type Arguments, type Body, register } from './lib/arguments.js';
import type { Session } from './session.js';
import { sha1Hex } from './sha1.js';
import { numberToText } from './vm/number.js';
import { toNumber } from './vm/operations.js';
import {
  LuaError,
  LuaTable,
  type LuaValue,
  type Native,
  NativeFunction,
  NONE,
  type Results,
} from './vm/value.js';

const REPL_ALL = 3;
const VERSION = '7.0.15';
const VERSION_NUM = 0x0007000f;
/** Levels of redis.log. */
const LOG_LEVELS = 3;

/** A table that is an error: its text without a leading dash, or with the code it lacks. */
export function errorTable(text: string): LuaTable {
  const table = new LuaTable();
  table.setText('err', text);
  return table;
}

function isText(value: LuaValue): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

/** Raises an error of Redis' own: a table, with no position in it. */
export function raise(text: string): never {
  throw new LuaError(errorTable(`ERR ${text}`));
}

function single(a: Arguments, make: (text: string) => LuaTable): LuaTable {
  const value = a.get(1);
  if (a.count !== 1 || typeof value !== 'string') {
    return errorTable('ERR wrong number or type of arguments');
  }
  return make(value);
}

/** Redis: an error's text keeps its code only behind a dash. */
function errorReply(text: string): LuaTable {
  const [whole = ''] = text.split('\0', 1);
  const message = (whole.startsWith('-') ? whole.slice(1) : whole).replace(/[\r\n]+$/, '');
  return errorTable(message.includes(' ') ? message : `ERR ${message}`);
}

function statusReply(text: string): LuaTable {
  const table = new LuaTable();
  table.setText('ok', text);
  return table;
}

function log(a: Arguments, session: Session): Results {
  if (a.count < 2) raise('redis.log() requires two arguments or more.');
  const level = a.get(1);
  if (toNumber(level) === undefined) raise('First argument must be a number (log level).');
  const number = Math.trunc(toNumber(level) as number);
  if (number < 0 || number > LOG_LEVELS) raise('Invalid debug level.');
  const words: string[] = [];
  for (let i = 2; i <= a.count; i++) {
    const value = a.get(i);
    if (isText(value)) words.push(typeof value === 'number' ? numberToText(value) : String(value));
  }
  session.log(number, words.join(' '));
  return NONE;
}

function setRepl(a: Arguments, session: Session): Results {
  if (a.count !== 1) raise('redis.set_repl() requires two arguments.');
  const flags = Math.trunc(toNumber(a.get(1)) ?? 0);
  if ((flags & ~REPL_ALL) !== 0) {
    raise('Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.');
  }
  session.setRepl(flags);
  return NONE;
}

function setResp(a: Arguments, session: Session): Results {
  if (a.count !== 1) raise('redis.setresp() requires one argument.');
  const version = Math.trunc(toNumber(a.get(1)) ?? 0);
  if (version !== 2 && version !== 3) raise('RESP version must be 2 or 3.');
  session.resp = version;
  return NONE;
}

function sha1hex(a: Arguments): string {
  if (a.count !== 1) raise('wrong number of arguments');
  return sha1Hex(isText(a.get(1)) ? a.text(1) : '');
}

/** What functions of libraries have. */
function common(session: Session): Record<string, Body> {
  return {
    error_reply: (a) => single(a, errorReply),
    status_reply: (a) => single(a, statusReply),
    sha1hex,
    log: (a) => log(a, session),
    set_repl: (a) => setRepl(a, session),
    setresp: (a) => setResp(a, session),
    acl_check_cmd: (a) => session.mayRun(a),
  };
}

const REPL_CONSTANTS = { REPL_NONE: 0, REPL_AOF: 1, REPL_SLAVE: 2, REPL_REPLICA: 2, REPL_ALL };

const LOG_CONSTANTS = { LOG_DEBUG: 0, LOG_VERBOSE: 1, LOG_NOTICE: 2, LOG_WARNING: 3 };

const SCRIPTS_ONLY: Record<string, Body> = {
  replicate_commands: () => true,
  breakpoint: () => false,
  debug: () => NONE,
};

/** Makes the table of scripts, or of functions, and everything in it. */
export function makeRedisTable(session: Session, forFunctions: boolean): LuaTable {
  const table = new LuaTable();
  // Called more than all others, so without an object for their arguments.
  const call: Native = (values, at, count) => session.call(values, at, count, true);
  const pcall: Native = (values, at, count) => session.call(values, at, count, false);
  table.setText('call', new NativeFunction(call));
  table.setText('pcall', new NativeFunction(pcall));
  register(session.machine, table, common(session));
  if (!forFunctions) register(session.machine, table, SCRIPTS_ONLY);
  return withConstants(table, { ...LOG_CONSTANTS, ...REPL_CONSTANTS });
}

/** The table that the code of a library has while it is loaded. */
export function makeLibraryTable(session: Session, registerFunction: Body): LuaTable {
  const table = new LuaTable();
  register(session.machine, table, {
    log: (a) => log(a, session),
    register_function: registerFunction,
  });
  return withConstants(table, LOG_CONSTANTS);
}

function withConstants(table: LuaTable, constants: Record<string, number>): LuaTable {
  for (const [name, value] of Object.entries(constants)) table.setText(name, value);
  table.setText('REDIS_VERSION', VERSION);
  table.setText('REDIS_VERSION_NUM', VERSION_NUM);
  return table;
}
