// Lua values as JavaScript values: nil is undefined; booleans and numbers are themselves; a string
// is a JavaScript string in which every character is one byte (0 to 255), so equality, order,
// concatenation and table keys are the engine's own; tables, functions and coroutines are objects.

import type { Coroutine } from './coroutine.js';
import type { Prototype } from './prototype.js';

export type LuaValue =
  | undefined
  | boolean
  | number
  | string
  | LuaTable
  | LuaFunction
  | NativeFunction
  | Coroutine
  | LightUserdata;

/** A pointer that means something to whoever made it: cjson.null. */
export class LightUserdata {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What a script throws and pcall catches. */
export class LuaError {
  readonly value: LuaValue;
  /** Where Lua code was when it was thrown; set when it is first looked at. */
  source: string | undefined;
  line = 0;
  constructor(value: LuaValue) {
    this.value = value;
  }
}

/** A variable that outlives its function's frame: an element of a stack, or of an own array. */
export class Upvalue {
  slots: LuaValue[];
  index: number;
  constructor(slots: LuaValue[], index: number) {
    this.slots = slots;
    this.index = index;
  }
}

export class LuaFunction {
  readonly proto: Prototype;
  readonly upvalues: Upvalue[];
  constructor(proto: Prototype, upvalues: Upvalue[]) {
    this.proto = proto;
    this.upvalues = upvalues;
  }
}

/** Calls that the machine does itself, because they enter or leave Lua code. */
export const SPECIAL_NONE = 0;
export const SPECIAL_PCALL = 1;
export const SPECIAL_XPCALL = 2;
export const SPECIAL_RESUME = 3;
export const SPECIAL_WRAPPED = 4;
export const SPECIAL_YIELD = 5;

/**
 * A function of ours. The arguments are `args[at]` … `args[at + count - 1]`; the result is a value,
 * or NONE, or `results(…)` for several.
 */
export type Native = (args: LuaValue[], at: number, count: number) => LuaValue | Results;

export class NativeFunction {
  readonly call: Native;
  readonly special: number;
  /** With SPECIAL_WRAPPED. */
  readonly coroutine: Coroutine | undefined;
  constructor(call: Native, special = SPECIAL_NONE, coroutine?: Coroutine) {
    this.call = call;
    this.special = special;
    this.coroutine = coroutine;
  }
}

/** Several results, or none. */
export class Results {
  values: LuaValue[];
  constructor(values: LuaValue[]) {
    this.values = values;
  }
}

export const NONE = new Results([]);

export function results(...values: LuaValue[]): Results {
  return new Results(values);
}

const NO_KEYS: LuaValue[] = [];
const NAN_KEY = 'table index is NaN';

/**
 * A table: values of keys 1 … n in an array as long as they come in order, all others in a Map.
 * `next` walks a list of keys made when a walk begins, so fields may be cleared meanwhile.
 */
export class LuaTable {
  array: LuaValue[];
  map: Map<LuaValue, LuaValue> | undefined;
  metatable: LuaTable | undefined;
  isReadOnly = false;
  /** The array has nils in it. */
  #hasHoles = false;
  /** Keys of a walk, and where it is. */
  #keys: LuaValue[] = NO_KEYS;
  #keyAt = 0;

  /** A table whose keys 1 … n have the values of an array, which is its own from now on. */
  constructor(array: LuaValue[] = []) {
    this.array = array;
  }

  /** An empty table again, but for an array's values: as the constructor makes it. */
  renew(array: LuaValue[]): void {
    this.array = array;
    this.map = undefined;
    this.metatable = undefined;
    this.isReadOnly = false;
    this.#hasHoles = false;
    this.#keys = NO_KEYS;
    this.#keyAt = 0;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number' && key >= 1 && key <= this.array.length) {
      const value = this.array[key - 1];
      if (value !== undefined) return value;
    }
    return this.map === undefined ? undefined : this.map.get(key);
  }

  getText(key: string): LuaValue {
    return this.map === undefined ? undefined : this.map.get(key);
  }

  /** Sets a field; the key is neither nil nor NaN. */
  set(key: LuaValue, value: LuaValue): void {
    if (typeof key === 'number') {
      const { array } = this;
      const at = key - 1;
      if (at >= 0 && at < array.length && Number.isInteger(at)) {
        array[at] = value;
        if (value === undefined) this.#cleared(at);
        return;
      }
      if (at === array.length && value !== undefined) {
        array.push(value);
        if (this.map !== undefined && this.map.size > 0) this.#pull(key);
        return;
      }
    }
    if (value === undefined) {
      this.map?.delete(key);
      return;
    }
    this.map ??= new Map();
    this.map.set(key, value);
  }

  setText(key: string, value: LuaValue): void {
    if (value === undefined) this.map?.delete(key);
    else {
      this.map ??= new Map();
      this.map.set(key, value);
    }
  }

  /** A nil was put into the array. */
  #cleared(at: number): void {
    const { array } = this;
    if (at === array.length - 1 && !this.#hasHoles) array.pop();
    else this.#hasHoles = true;
  }

  /** Key `key` is in the array now: those behind it may be in the map. */
  #pull(key: number): void {
    const map = this.map as Map<LuaValue, LuaValue>;
    map.delete(key);
    for (let next = key + 1; ; next++) {
      const value = map.get(next);
      if (value === undefined) return;
      this.array.push(value);
      map.delete(next);
    }
  }

  /** Values of a constructor: keys `from` … */
  setList(from: number, values: LuaValue[], at: number, count: number): void {
    const { array } = this;
    if (from !== array.length + 1) {
      for (let i = 0; i < count; i++) this.set(from + i, values[at + i]);
      return;
    }
    for (let i = 0; i < count; i++) {
      const value = values[at + i];
      if (value === undefined) this.#hasHoles = true;
      array.push(value);
    }
    this.map?.delete(from);
  }

  /** A border, found as Redis' Lua finds it. */
  length(): number {
    const { array } = this;
    const n = array.length;
    if (!this.#hasHoles) return n;
    if (n > 0 && array[n - 1] !== undefined) return n;
    let low = 0;
    let high = n;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (array[middle - 1] === undefined) high = middle;
      else low = middle;
    }
    return low;
  }

  /** The key behind `key` in a walk, undefined at the end; throws a text when there is no such. */
  next(key: LuaValue): LuaValue {
    const { array } = this;
    let at = 0;
    if (key !== undefined) {
      at = typeof key === 'number' && key >= 1 && key <= array.length ? key : -1;
    }
    if (at >= 0) {
      for (; at < array.length; at++) if (array[at] !== undefined) return at + 1;
      return this.#firstKey();
    }
    return this.#keyBehind(key);
  }

  #firstKey(): LuaValue {
    if (this.map === undefined || this.map.size === 0) return undefined;
    this.#keys = [...this.map.keys()];
    this.#keyAt = 0;
    return this.#keys[0];
  }

  #keyBehind(key: LuaValue): LuaValue {
    const { map } = this;
    if (map === undefined) throw new Error("invalid key to 'next'");
    if (this.#keys[this.#keyAt] !== key) {
      let at = this.#keys.indexOf(key);
      if (at < 0) {
        this.#keys = [...map.keys()];
        at = this.#keys.indexOf(key);
      }
      if (at < 0) throw new Error("invalid key to 'next'");
      this.#keyAt = at;
    }
    for (;;) {
      const next = this.#keys[++this.#keyAt];
      if (next === undefined) {
        // The walk is over; its keys are not kept alive.
        if (this.#keyAt > 64) this.#keys = NO_KEYS;
        return undefined;
      }
      if (map.has(next)) return next;
    }
  }

  /** Puts a value in front of key `at`, moving those from there on up. */
  insert(at: number, value: LuaValue): void {
    const n = this.length();
    if (at >= 1 && at <= n && n === this.array.length && value !== undefined) {
      this.array.splice(at - 1, 0, value);
      if (this.map?.has(n + 1)) this.#pull(n + 1);
      return;
    }
    for (let i = Math.max(n + 1, at); i > at; i--) this.set(i, this.get(i - 1));
    this.set(at, value);
  }

  /** Takes key `at` out, moving those behind it down. */
  remove(at: number): LuaValue {
    const n = this.length();
    const value = this.get(at);
    if (n === this.array.length && !this.#hasHoles && at <= n) {
      this.array.splice(at - 1, 1);
      return value;
    }
    for (let i = at; i < n; i++) this.set(i, this.get(i + 1));
    this.set(n, undefined);
    return value;
  }
}

/** Why a value cannot be a key, undefined: it can. */
export function badKey(key: LuaValue): string | undefined {
  if (key === undefined) return 'table index is nil';
  return typeof key === 'number' && Number.isNaN(key) ? NAN_KEY : undefined;
}
