// Lua 5.1's table library.

import type { Machine } from '../vm/machine.js';
import { typeName } from '../vm/names.js';
import { numberToText } from '../vm/number.js';
import { lessThan } from '../vm/operations.js';
import { LuaError, type LuaTable, type LuaValue, NONE, type Results } from '../vm/value.js';
import { type Arguments, type Body, library } from './arguments.js';

/** Moving so many elements (a power of two) costs as much as an instruction. */
const MOVED_SHIFT = 4;

function writable(table: LuaTable): LuaTable {
  if (table.isReadOnly) throw new LuaError('Attempt to modify a readonly table');
  return table;
}

function insert(a: Arguments): Results {
  const table = a.table(1);
  if (a.count === 2) writable(table).set(table.length() + 1, a.get(2));
  else if (a.count === 3) insertAt(a, writable(table), a.int(2));
  else throw a.machine.error("wrong number of arguments to 'insert'");
  return NONE;
}

function insertAt(a: Arguments, table: LuaTable, at: number): void {
  const n = table.length();
  if (at >= 1) {
    a.machine.work(Math.max(0, n - at) >> MOVED_SHIFT);
    table.insert(at, a.get(3));
    return;
  }
  // Redis: what is in front of the first element is moved too.
  for (let i = n + 1; i > at; i--) {
    a.machine.work(1);
    table.set(i, table.get(i - 1));
  }
  table.set(at, a.get(3));
}

function remove(a: Arguments): LuaValue | Results {
  const table = a.table(1);
  const n = table.length();
  const at = a.optInt(2, n);
  if (at < 1 || at > n) return NONE;
  a.machine.work((n - at) >> MOVED_SHIFT);
  return writable(table).remove(at);
}

function concat(a: Arguments): string {
  const table = a.table(1);
  const separator = a.optText(2, '');
  const from = a.optInt(3, 1);
  const to = a.isNone(4) ? table.length() : a.int(4);
  let out = '';
  for (let i = from; i <= to; i++) {
    const value = table.get(i);
    const before = out.length;
    if (typeof value === 'string') out += value;
    else if (typeof value === 'number') out += numberToText(value);
    else {
      const what = `invalid value (${typeName(value)}) at index ${i} in table for 'concat'`;
      throw a.machine.error(what);
    }
    if (i < to) out += separator;
    a.machine.made(out.length - before, out.length);
  }
  return out;
}

/** Quicksort exactly as ltablib.c has it, so that a comparison function is asked the same. */
class Sorter {
  readonly #m: Machine;
  readonly #t: LuaTable;
  readonly #compare: LuaValue;

  constructor(m: Machine, table: LuaTable, compare: LuaValue) {
    this.#m = m;
    this.#t = table;
    this.#compare = compare;
  }

  #less(x: LuaValue, y: LuaValue): boolean {
    this.#m.work(1);
    if (this.#compare === undefined) return lessThan(this.#m, x, y, true);
    const result = this.#m.call1(this.#compare, x, y);
    return result !== undefined && result !== false;
  }

  #swap(i: number, j: number): void {
    const t = this.#t;
    const x = t.get(i);
    t.set(i, t.get(j));
    t.set(j, x);
  }

  /** The middle element of three as pivot, at `high - 1`; true: there is nothing else. */
  #pivot(low: number, high: number): boolean {
    const t = this.#t;
    if (this.#less(t.get(high), t.get(low))) this.#swap(low, high);
    if (high - low === 1) return true;
    const middle = Math.floor((low + high) / 2);
    if (this.#less(t.get(middle), t.get(low))) this.#swap(middle, low);
    else if (this.#less(t.get(high), t.get(middle))) this.#swap(middle, high);
    if (high - low === 2) return true;
    this.#swap(middle, high - 1);
    return false;
  }

  #partition(low: number, high: number): number {
    const t = this.#t;
    const pivot = t.get(high - 1);
    let i = low;
    let j = high - 1;
    for (;;) {
      while (this.#less(t.get(++i), pivot)) if (i > high) throw this.#invalid();
      while (this.#less(pivot, t.get(--j))) if (j < low) throw this.#invalid();
      if (j < i) break;
      this.#swap(i, j);
    }
    this.#swap(high - 1, i);
    return i;
  }

  #invalid(): LuaError {
    return this.#m.error('invalid order function for sorting');
  }

  sort(from: number, to: number): void {
    let low = from;
    let high = to;
    while (low < high) {
      if (this.#pivot(low, high)) return;
      const i = this.#partition(low, high);
      if (i - low < high - i) {
        this.sort(low, i - 1);
        low = i + 1;
      } else {
        this.sort(i + 1, high);
        high = i - 1;
      }
    }
  }
}

function sort(a: Arguments): Results {
  const table = a.table(1);
  const compare = a.isNone(2) ? undefined : a.function(2);
  const n = table.length();
  writable(table);
  a.machine.work(n);
  const isSimple = compare === undefined && n === table.array.length;
  if (isSimple && table.array.every((v) => typeof v === 'number' && !Number.isNaN(v))) {
    table.array.sort((x, y) => (x as number) - (y as number));
  } else if (isSimple && table.array.every((v) => typeof v === 'string')) {
    table.array.sort((x, y) => ((x as string) < (y as string) ? -1 : x === y ? 0 : 1));
  } else {
    new Sorter(a.machine, table, compare).sort(1, n);
  }
  return NONE;
}

function maxn(a: Arguments): number {
  const table = a.table(1);
  let most = 0;
  a.machine.work(1 + ((table.map?.size ?? 0) >> MOVED_SHIFT));
  for (let i = table.array.length; i > 0 && most === 0; i--) {
    if (table.array[i - 1] !== undefined) most = i;
  }
  for (const key of table.map?.keys() ?? []) {
    if (typeof key === 'number' && key > most) most = key;
  }
  return most;
}

function foreachIn(a: Arguments, keys: Iterable<LuaValue>): LuaValue | Results {
  const table = a.table(1);
  const fn = a.function(2);
  for (const key of keys) {
    const result = a.machine.call1(fn, key, table.get(key));
    if (result !== undefined) return result;
  }
  return NONE;
}

function* walk(table: LuaTable): Generator<LuaValue> {
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) yield key;
}

function* count(table: LuaTable): Generator<LuaValue> {
  const n = table.length();
  for (let i = 1; i <= n; i++) yield i;
}

const TABLE: Readonly<Record<string, Body>> = {
  concat,
  foreach: (a) => {
    const table = a.table(1);
    a.function(2);
    return foreachIn(a, walk(table));
  },
  foreachi: (a) => {
    const table = a.table(1);
    a.function(2);
    return foreachIn(a, count(table));
  },
  getn: (a) => a.table(1).length(),
  insert,
  maxn,
  remove,
  setn: (a) => {
    a.table(1);
    throw a.machine.error("'setn' is obsolete");
  },
  sort,
};

export function addTable(m: Machine): void {
  library(m, 'table', TABLE);
}
