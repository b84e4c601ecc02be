// Lua's basic functions and coroutine, as far as Redis leaves them in.

import { Coroutine } from '../vm/coroutine.js';
import type { Machine } from '../vm/machine.js';
import { typeName } from '../vm/names.js';
import { rawSet, toNumber, toText } from '../vm/operations.js';
import { compile } from '../vm/prototype.js';
import {
  LuaError,
  LuaFunction,
  LuaTable,
  type LuaValue,
  NativeFunction,
  NONE,
  Results,
  results,
  SPECIAL_PCALL,
  SPECIAL_RESUME,
  SPECIAL_WRAPPED,
  SPECIAL_XPCALL,
  SPECIAL_YIELD,
  Upvalue,
} from '../vm/value.js';
import { type Arguments, type Body, library, register } from './arguments.js';

/** Most values `unpack` may put on the stack. */
const UNPACK_MAX = 8000;
/** A coroutine takes as much memory as so many steps should. */
const COROUTINE_COST = 10;

/** A chunk as a function over the globals, or nil and the message. */
export function load(m: Machine, source: string, name: string): LuaValue | Results {
  try {
    return loaded(m, source, name);
  } catch (error) {
    if (error instanceof LuaError) return results(undefined, error.value);
    throw error;
  }
}

/** A chunk as a function over the globals; throws its LuaError. */
export function loaded(m: Machine, source: string, name: string): LuaFunction {
  return new LuaFunction(compile(source, name), [new Upvalue([m.globals], 0)]);
}

function gather(a: Arguments): string {
  const reader = a.function(1);
  let source = '';
  for (;;) {
    const piece = a.machine.call1(reader);
    if (piece === undefined || piece === '') return source;
    if (typeof piece !== 'string') throw new LuaError('reader function must return a string');
    source += piece;
    // Bytecode is refused by its first byte.
    if (source.charCodeAt(0) === 27) return source;
    a.machine.made(piece.length, source.length);
  }
}

const nextField: Body = (a) => {
  const table = a.table(1);
  let key: LuaValue;
  try {
    key = table.next(a.get(2));
  } catch {
    throw a.machine.error("invalid key to 'next'");
  }
  return key === undefined ? undefined : results(key, table.get(key));
};

function toNumberOf(a: Arguments): LuaValue {
  const base = a.optInt(2, 10);
  if (base === 10) return toNumber(a.any(1));
  const text = a.text(1);
  if (base < 2 || base > 36) a.fail(2, 'base out of range');
  return digitsToNumber(text, base);
}

/** As strtoul: any digits of the base; a minus wraps. */
function digitsToNumber(text: string, base: number): number | undefined {
  const match = /^[\t-\r ]*([+-]?)(0[xX](?=[0-9a-fA-F]))?([0-9a-zA-Z]+)[\t-\r ]*(\0|$)/.exec(text);
  if (match === null || (match[2] !== undefined && base !== 16)) return digitsPlain(text, base);
  let value = 0n;
  for (const c of match[3] as string) {
    const digit = Number.parseInt(c, 36);
    if (digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
  }
  return wrapped(value, match[1] === '-');
}

function digitsPlain(text: string, base: number): number | undefined {
  const match = /^[\t-\r ]*([+-]?)([0-9a-zA-Z]+)[\t-\r ]*(\0|$)/.exec(text);
  if (match === null) return undefined;
  let value = 0n;
  for (const c of match[2] as string) {
    const digit = Number.parseInt(c, 36);
    if (digit >= base) return undefined;
    value = value * BigInt(base) + BigInt(digit);
  }
  return wrapped(value, match[1] === '-');
}

function wrapped(value: bigint, isNegative: boolean): number {
  const most = 0xffffffffffffffffn;
  if (value > most) return Number(most);
  return Number(isNegative ? BigInt.asUintN(64, -value) : value);
}

function throwError(a: Arguments): never {
  const level = a.optInt(2, 1);
  const value = a.get(1);
  if (typeof value === 'string' && level > 0) throw new LuaError(a.machine.where(level) + value);
  if (typeof value === 'number' && level > 0) {
    throw new LuaError(a.machine.where(level) + String(toText(a.machine, value)));
  }
  throw new LuaError(value);
}

function setMetatable(a: Arguments): LuaValue {
  const table = a.table(1);
  const meta = a.get(2);
  if (!a.has(2) || !(meta === undefined || meta instanceof LuaTable)) {
    a.fail(2, 'nil or table expected');
  }
  if (table.isReadOnly) throw new LuaError('Attempt to modify a readonly table');
  if (table.metatable?.getText('__metatable') !== undefined) {
    throw a.machine.error('cannot change a protected metatable');
  }
  table.metatable = meta as LuaTable | undefined;
  return table;
}

function rawSetField(a: Arguments): LuaValue {
  const table = a.table(1);
  a.any(2);
  a.any(3);
  if (table.isReadOnly) throw new LuaError('Attempt to modify a readonly table');
  rawSet(a.machine, table, a.get(2), a.get(3));
  return table;
}

function select(a: Arguments): LuaValue | Results {
  a.machine.work(a.count >> 2);
  if (a.get(1) === '#') return a.count - 1;
  let from = a.int(1);
  if (from < 0) from += a.count;
  else if (from > a.count) from = a.count;
  if (from < 1) a.fail(1, 'index out of range');
  return new Results(a.slice(from + 1));
}

function unpack(a: Arguments): Results {
  const table = a.table(1);
  const from = a.optInt(2, 1);
  const to = a.isNone(3) ? table.length() : a.int(3);
  if (from > to) return NONE;
  const count = to - from + 1;
  if (count + a.count > UNPACK_MAX) throw a.machine.error('too many results to unpack');
  a.machine.work(count >> 2);
  const values: LuaValue[] = [];
  for (let i = from; i <= to; i++) values.push(table.get(i));
  return new Results(values);
}

const BASE: Readonly<Record<string, Body>> = {
  assert: (a) => {
    const value = a.any(1);
    if (value !== undefined && value !== false) return new Results(a.slice(1));
    // A C string, which a null byte ends.
    throw a.machine.error(a.optText(2, 'assertion failed!').split('\0', 1)[0] as string);
  },
  collectgarbage: (a) => {
    const option = a.optText(1, 'collect');
    const known = 'stop restart collect count step setpause setstepmul';
    if (!known.split(' ').includes(option)) a.fail(1, `invalid option '${option}'`);
    if (option === 'count') return 64;
    return option === 'step' ? false : 0;
  },
  error: throwError,
  gcinfo: () => 64,
  getmetatable: (a) => {
    const meta = a.machine.metatableOf(a.any(1));
    return meta?.getText('__metatable') ?? meta;
  },
  load: (a) => {
    const name = a.optText(2, '=(load)');
    return load(a.machine, gather(a), name);
  },
  loadstring: (a) => {
    const source = a.text(1);
    return load(a.machine, source, a.optText(2, source));
  },
  next: nextField,
  rawequal: (a) => a.any(1) === a.any(2),
  rawget: (a) => {
    const table = a.table(1);
    a.any(2);
    return table.get(a.get(2));
  },
  rawset: rawSetField,
  select,
  setmetatable: setMetatable,
  tonumber: toNumberOf,
  tostring: (a) => toText(a.machine, a.any(1)),
  type: (a) => typeName(a.any(1)),
  unpack,
};

function addIterators(m: Machine): void {
  const next = m.globals.getText('next');
  const step: Body = (a) => {
    const table = a.table(1);
    const at = a.int(2) + 1;
    const value = table.get(at);
    return value === undefined ? NONE : results(at, value);
  };
  const holder = new LuaTable();
  register(m, holder, { step });
  const iterate = holder.getText('step');
  register(m, m.globals, {
    pairs: (a) => results(next, a.table(1), undefined),
    ipairs: (a) => results(iterate, a.table(1), 0),
  });
}

function make(a: Arguments): Coroutine {
  const fn = a.get(1);
  if (!(fn instanceof LuaFunction)) return a.fail(1, 'Lua function expected');
  a.machine.work(COROUTINE_COST);
  const co = new Coroutine();
  co.start = fn;
  return co;
}

function addCoroutines(m: Machine): void {
  const table = library(m, 'coroutine', {
    create: make,
    status: (a) => {
      const co = a.get(1);
      if (!(co instanceof Coroutine)) a.fail(1, 'coroutine expected');
      return (co as Coroutine).statusName;
    },
    running: (a) => (a.machine.co.resumer === undefined ? undefined : a.machine.co),
    wrap: (a) => new NativeFunction(() => NONE, SPECIAL_WRAPPED, make(a)),
  });
  const special = (kind: number) => new NativeFunction(() => NONE, kind);
  table.setText('resume', special(SPECIAL_RESUME));
  table.setText('yield', special(SPECIAL_YIELD));
  m.globals.setText('pcall', special(SPECIAL_PCALL));
  m.globals.setText('xpcall', special(SPECIAL_XPCALL));
}

export function addBase(m: Machine): void {
  register(m, m.globals, BASE);
  m.globals.setText('_G', m.globals);
  m.globals.setText('_VERSION', 'Lua 5.1');
  addIterators(m);
  addCoroutines(m);
}
