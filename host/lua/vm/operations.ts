// Operations on values that are not simply numbers, strings or plain tables: metatables, coercions,
// and the errors, worded as in 5.1.

import type { Frame } from './coroutine.js';
import type { Machine } from './machine.js';
import {
  described,
  operandName,
  registerName,
  typeName,
  upvalueName,
  type VariableName,
} from './names.js';
import { numberToText, textToNumber } from './number.js';
import * as op from './opcodes.js';
import { STEP } from './prototype.js';
import {
  badKey,
  LightUserdata,
  LuaError,
  LuaFunction,
  LuaTable,
  type LuaValue,
  NativeFunction,
} from './value.js';

const META_LOOPS_MAX = 100;
/** Shorter strings are not worth counting. */
const LONG = 1024;

const EVENTS: Readonly<Record<number, string>> = {
  [op.OP_ADD]: '__add',
  [op.OP_SUB]: '__sub',
  [op.OP_MUL]: '__mul',
  [op.OP_MOD]: '__mod',
  [op.OP_POW]: '__pow',
  [op.OP_DIV]: '__div',
};

export function isCallable(value: LuaValue): boolean {
  return value instanceof LuaFunction || value instanceof NativeFunction;
}

/** A number, or a string that is one; undefined: neither. */
export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? textToNumber(value) : undefined;
}

function running(m: Machine): { proto: LuaFunction['proto']; pc: number } {
  const frame = m.co.frames[m.co.depth - 1] as Frame;
  return { proto: (frame.fn as LuaFunction).proto, pc: frame.pc - 1 };
}

function typeError(
  m: Machine,
  value: LuaValue,
  what: string,
  variable: VariableName | undefined,
): LuaError {
  if (variable === undefined) return m.error(`attempt to ${what} a ${typeName(value)} value`);
  return m.error(`attempt to ${what}${described(variable)} (a ${typeName(value)} value)`);
}

/** B or C of the running instruction, whichever `isSecond` says, by name. */
function operand(m: Machine, isSecond: boolean): VariableName | undefined {
  const { proto, pc } = running(m);
  return operandName(proto, pc, proto.code[pc * STEP + (isSecond ? 3 : 2)] as number);
}

// ---- arithmetic

function modulo(x: number, y: number): number {
  // As 5.1: a - floor(a/b)*b.
  return x - Math.floor(x / y) * y;
}

function compute(operation: number, x: number, y: number): number {
  switch (operation) {
    case op.OP_ADD:
      return x + y;
    case op.OP_SUB:
      return x - y;
    case op.OP_MUL:
      return x * y;
    case op.OP_DIV:
      return x / y;
    case op.OP_MOD:
      return modulo(x, y);
    default:
      return power(x, y);
  }
}

/** C's pow: 1 to any power is 1, also where JavaScript says NaN. */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y))) return 1;
  if (Number.isInteger(y) && Math.abs(y) <= POWER_EXACT) return wholePower(x, y);
  return x ** y;
}

const POWER_EXACT = 512;

/** x to a whole power with twice a double's digits, as exact as C's; JavaScript's is not. */
function wholePower(x: number, y: number): number {
  let [high, low] = [1, 0];
  let [baseHigh, baseLow] = [x, 0];
  for (let left = Math.abs(y); left > 0; left >>>= 1) {
    if (left & 1) [high, low] = product(high, low, baseHigh, baseLow);
    if (left > 1) [baseHigh, baseLow] = product(baseHigh, baseLow, baseHigh, baseLow);
  }
  const result = high + low;
  // Beyond what the halves can be split in.
  if (!Number.isFinite(result) || Math.abs(result) < 1e-270) return x ** y;
  if (y > 0) return result;
  const inverse = 1 / result;
  if (Math.abs(inverse) < 1e-270 || Math.abs(result) > 1e270) return x ** y;
  // What its product with the power lacks of 1, once more.
  const [whole, rest] = product(inverse, 0, high, low);
  return inverse + inverse * (1 - whole - rest);
}

const SPLIT = 2 ** 27 + 1;

function halves(x: number): [number, number] {
  const big = SPLIT * x;
  const high = big - (big - x);
  return [high, x - high];
}

function product(...[a, aLow, b, bLow]: [number, number, number, number]): [number, number] {
  const p = a * b;
  const [ah, al] = halves(a);
  const [bh, bl] = halves(b);
  const error = ah * bh - p + ah * bl + al * bh + al * bl + a * bLow + aLow * b;
  const high = p + error;
  return [high, p - high + error];
}

export function arithmetic(m: Machine, operation: number, x: LuaValue, y: LuaValue): LuaValue {
  const first = toNumber(x);
  const second = toNumber(y);
  if (first !== undefined && second !== undefined) return compute(operation, first, second);
  const handler = binaryHandler(m, x, y, EVENTS[operation] as string);
  if (handler !== undefined) return m.callMeta(handler, x, y);
  const isSecond = first !== undefined;
  const culprit = isSecond ? y : x;
  throw typeError(m, culprit, 'perform arithmetic on', operand(m, isSecond));
}

function binaryHandler(m: Machine, x: LuaValue, y: LuaValue, event: string): LuaValue {
  return m.metamethod(x, event) ?? m.metamethod(y, event);
}

export function negate(m: Machine, x: LuaValue): LuaValue {
  const value = toNumber(x);
  if (value !== undefined) return -value;
  const handler = m.metamethod(x, '__unm');
  if (handler !== undefined) return m.callMeta(handler, x, x);
  throw typeError(m, x, 'perform arithmetic on', operand(m, false));
}

export function lengthOf(m: Machine, x: LuaValue, register: number): LuaValue {
  const { proto, pc } = running(m);
  throw typeError(m, x, 'get length of', registerName(proto, pc, register));
}

// ---- concatenation

function textOf(value: LuaValue): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? numberToText(value) : undefined;
}

/** Joins the stack's slots from `first` to `last`, from the right as Lua does. */
export function concat(m: Machine, first: number, last: number): LuaValue {
  const { stack } = m.co;
  let right = stack[last];
  for (let i = last - 1; i >= first; i--) {
    const left = stack[i];
    const a = textOf(left);
    const b = textOf(right);
    if (a === undefined || b === undefined) {
      right = concatByMeta(m, left, right, a === undefined, i, i === last - 1);
      continue;
    }
    right = a + b;
    if (right.length > LONG) m.made(right.length);
  }
  return right;
}

function concatByMeta(
  m: Machine,
  left: LuaValue,
  right: LuaValue,
  ...[isLeft, slot, isFresh]: [boolean, number, boolean]
): LuaValue {
  const handler = binaryHandler(m, left, right, '__concat');
  if (handler !== undefined) return m.callMeta(handler, left, right);
  const { proto, pc } = running(m);
  const { base } = m.co.frames[m.co.depth - 1] as Frame;
  const register = (isLeft ? slot : slot + 1) - base;
  const variable = isLeft || isFresh ? registerName(proto, pc, register) : undefined;
  throw typeError(m, isLeft ? left : right, 'concatenate', variable);
}

// ---- comparison

/** Two different tables, which may say themselves that they are equal. */
export function equals(m: Machine, x: LuaTable, y: LuaTable): boolean {
  const handler = comparer(x.metatable, y.metatable, '__eq');
  if (handler === undefined) return false;
  return isTrue(m.callMeta(handler, x, y));
}

/** A handler that both sides have. */
function comparer(x: LuaTable | undefined, y: LuaTable | undefined, event: string): LuaValue {
  const first = x?.getText(event);
  if (first === undefined) return undefined;
  return x === y || y?.getText(event) === first ? first : undefined;
}

function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** `x < y`; errors tell where the instruction is, unless one of our functions compares. */
export function lessThan(m: Machine, x: LuaValue, y: LuaValue, isOurs = false): boolean {
  if (typeof x === 'number' && typeof y === 'number') return x < y;
  if (typeof x === 'string' && typeof y === 'string') return x < y;
  const handler = orderHandler(m, x, y, '__lt');
  if (handler === undefined) throw isOurs ? new LuaError(orderText(x, y)) : orderError(m, x, y);
  return isTrue(m.callMeta(handler, x, y));
}

export function lessEqual(m: Machine, x: LuaValue, y: LuaValue): boolean {
  if (typeof x === 'number' && typeof y === 'number') return x <= y;
  if (typeof x === 'string' && typeof y === 'string') return x <= y;
  const handler = orderHandler(m, x, y, '__le');
  if (handler !== undefined) return isTrue(m.callMeta(handler, x, y));
  const reverse = orderHandler(m, y, x, '__lt');
  if (reverse === undefined) throw orderError(m, x, y);
  return !isTrue(m.callMeta(reverse, y, x));
}

function orderHandler(m: Machine, x: LuaValue, y: LuaValue, event: string): LuaValue {
  if (typeName(x) !== typeName(y)) return undefined;
  return comparer(m.metatableOf(x), m.metatableOf(y), event);
}

function orderText(x: LuaValue, y: LuaValue): string {
  const first = typeName(x);
  const second = typeName(y);
  return first === second
    ? `attempt to compare two ${first} values`
    : `attempt to compare ${first} with ${second}`;
}

function orderError(m: Machine, x: LuaValue, y: LuaValue): LuaError {
  return m.error(orderText(x, y));
}

// ---- tables

/** `object[key]`, metatables and all; register or upvalue `from` is where the object lies. */
export function index(
  m: Machine,
  object: LuaValue,
  key: LuaValue,
  ...[from, isUpvalue]: [number, boolean]
): LuaValue {
  let at = object;
  for (let loops = 0; loops < META_LOOPS_MAX; loops++) {
    let handler: LuaValue;
    if (at instanceof LuaTable) {
      const value = at.get(key);
      if (value !== undefined) return value;
      handler = at.metatable?.getText('__index');
      if (handler === undefined) return undefined;
    } else {
      handler = m.metamethod(at, '__index');
      if (handler === undefined) {
        throw typeError(m, at, 'index', at === object ? nameOf(m, from, isUpvalue) : undefined);
      }
    }
    if (isCallable(handler)) return m.callMeta(handler, at, key);
    at = handler;
  }
  throw m.error('loop in gettable');
}

function nameOf(m: Machine, from: number, isUpvalue: boolean): VariableName | undefined {
  if (from < 0) return undefined;
  const { proto, pc } = running(m);
  return isUpvalue ? upvalueName(proto, from) : registerName(proto, pc, from);
}

/** `object[key] = value`. */
export function setIndex(
  m: Machine,
  object: LuaValue,
  key: LuaValue,
  value: LuaValue,
  ...[from, isUpvalue]: [number, boolean]
): void {
  let at = object;
  for (let loops = 0; loops < META_LOOPS_MAX; loops++) {
    let handler: LuaValue;
    if (at instanceof LuaTable) {
      handler = at.metatable?.getText('__newindex');
      if (handler === undefined || at.get(key) !== undefined) {
        rawSet(m, at, key, value);
        return;
      }
    } else {
      handler = m.metamethod(at, '__newindex');
      if (handler === undefined) {
        throw typeError(m, at, 'index', at === object ? nameOf(m, from, isUpvalue) : undefined);
      }
    }
    if (isCallable(handler)) {
      m.callMeta(handler, at, key, value);
      return;
    }
    at = handler;
  }
  throw m.error('loop in settable');
}

export function rawSet(m: Machine, table: LuaTable, key: LuaValue, value: LuaValue): void {
  if (table.isReadOnly) throw m.error('Attempt to modify a readonly table');
  const problem = badKey(key);
  if (problem !== undefined) throw m.error(problem);
  table.set(key, value);
}

// ---- for

export function forPrepare(m: Machine, at: number): void {
  const { stack } = m.co;
  const start = toNumber(stack[at]);
  const limit = toNumber(stack[at + 1]);
  const step = toNumber(stack[at + 2]);
  if (start === undefined) throw m.error("'for' initial value must be a number");
  if (limit === undefined) throw m.error("'for' limit must be a number");
  if (step === undefined) throw m.error("'for' step must be a number");
  stack[at] = start - step;
  stack[at + 1] = limit;
  stack[at + 2] = step;
}

// ---- text

/** As the function tostring. */
export function toText(m: Machine, value: LuaValue): LuaValue {
  const handler = m.metamethod(value, '__tostring');
  if (handler !== undefined) return m.call1(handler, value);
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberToText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'nil';
    default:
      if (value instanceof LightUserdata) return `userdata: ${value.name}`;
      return `${typeName(value)}: ${addressOf(value)}`;
  }
}

const addresses = new WeakMap<object, string>();
let nextAddress = 0x55d0c0de1000;

/** Redis shows a pointer; here it is a number given out once. */
function addressOf(value: object): string {
  let text = addresses.get(value);
  if (text === undefined) {
    nextAddress += 32;
    text = `0x${nextAddress.toString(16)}`;
    addresses.set(value, text);
  }
  return text;
}
