// Arguments of our functions, checked and converted as Lua's own library does it (lauxlib.c).

import type { Machine } from '../vm/machine.js';
import { typeName } from '../vm/names.js';
import { numberToText } from '../vm/number.js';
import { isCallable, toNumber } from '../vm/operations.js';
import { LuaTable, type LuaValue, type Native, NativeFunction, type Results } from '../vm/value.js';

const TWO_63 = 2 ** 63;

/** C's cast of a double to a 64-bit integer, as a double. */
export function truncated(n: number): number {
  const whole = Math.trunc(n);
  // What does not fit, NaN too, becomes the smallest on x86.
  return whole >= -TWO_63 && whole < TWO_63 ? whole + 0 : -TWO_63;
}

/** C's cast to int of that: the low 32 bits. */
export function toInt(n: number): number {
  const whole = truncated(n);
  return Math.abs(whole) <= Number.MAX_SAFE_INTEGER
    ? whole | 0
    : Number(BigInt.asIntN(32, BigInt(whole)));
}

/** The arguments of one call; one object serves all calls of a machine, one after the other. */
export class Arguments {
  readonly machine: Machine;
  values: LuaValue[] = [];
  at = 0;
  count = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  set(values: LuaValue[], at: number, count: number): this {
    this.values = values;
    this.at = at;
    this.count = count;
    return this;
  }

  /** Argument `i`, from 1. */
  get(i: number): LuaValue {
    return i <= this.count ? this.values[this.at + i - 1] : undefined;
  }

  has(i: number): boolean {
    return i <= this.count;
  }

  isNone(i: number): boolean {
    return this.get(i) === undefined;
  }

  slice(from: number): LuaValue[] {
    return this.values.slice(this.at + from - 1, this.at + this.count);
  }

  typeError(i: number, expected: string): never {
    const got = this.has(i) ? typeName(this.get(i)) : 'no value';
    throw this.machine.badArgument(i, `${expected} expected, got ${got}`);
  }

  fail(i: number, message: string): never {
    throw this.machine.badArgument(i, message);
  }

  any(i: number): LuaValue {
    if (!this.has(i)) this.fail(i, 'value expected');
    return this.get(i);
  }

  text(i: number): string {
    const value = this.get(i);
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return numberToText(value);
    return this.typeError(i, 'string');
  }

  optText(i: number, otherwise: string): string {
    return this.isNone(i) ? otherwise : this.text(i);
  }

  number(i: number): number {
    const value = this.get(i);
    if (typeof value === 'number') return value;
    const number = toNumber(value);
    return number ?? this.typeError(i, 'number');
  }

  optNumber(i: number, otherwise: number): number {
    return this.isNone(i) ? otherwise : this.number(i);
  }

  /** A 64-bit integer. */
  integer(i: number): number {
    return truncated(this.number(i));
  }

  optInteger(i: number, otherwise: number): number {
    return this.isNone(i) ? otherwise : this.integer(i);
  }

  /** A 32-bit integer. */
  int(i: number): number {
    return toInt(this.number(i));
  }

  optInt(i: number, otherwise: number): number {
    return this.isNone(i) ? otherwise : this.int(i);
  }

  table(i: number): LuaTable {
    const value = this.get(i);
    return value instanceof LuaTable ? value : this.typeError(i, 'table');
  }

  function(i: number): LuaValue {
    const value = this.get(i);
    return isCallable(value) ? value : this.typeError(i, 'function');
  }
}

/** A function of ours that works on its arguments as an object. */
export type Body = (a: Arguments) => LuaValue | Results;

/** Puts functions into a table. */
export function register(
  machine: Machine,
  table: LuaTable,
  functions: Readonly<Record<string, Body>>,
): void {
  for (const [name, body] of Object.entries(functions)) {
    table.setText(name, new NativeFunction(bind(machine, body)));
  }
}

/** Each call has arguments of its own: a function may call Lua, which may call it again. */
export function bind(machine: Machine, body: Body): Native {
  const first = new Arguments(machine);
  let isBusy = false;
  return (values, at, count) => {
    if (isBusy) return body(new Arguments(machine).set(values, at, count));
    isBusy = true;
    try {
      return body(first.set(values, at, count));
    } finally {
      isBusy = false;
    }
  };
}

/** A new table of functions, as a global. */
export function library(
  machine: Machine,
  name: string,
  functions: Readonly<Record<string, Body>>,
): LuaTable {
  const table = new LuaTable();
  register(machine, table, functions);
  machine.globals.setText(name, table);
  return table;
}
