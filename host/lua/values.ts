// What scripts get from JavaScript and give back, when there is no protocol between: the same
// conversions as through a reply, without its bytes.

import type { Argument } from '../core/local.js';
import { type ReplyValue, replyError } from '../core/resp-value.js';
import { RespiteError } from '../errors.js';
import { integerText } from './replies.js';
import type { Session } from './session.js';
import { bytesToText, textToBytes, utf8Text, writeText } from './vm/bytes.js';
import { LuaTable, type LuaValue } from './vm/value.js';

/** Nesting that JavaScript's stack bears wherever it is called from; Redis: some 2,600 levels. */
const DEPTH_MAX = 1000;
/** Values between two looks at the time: a table may hold itself many times over. */
const LOOK_EVERY = 4096;

/** Strings in between share slabs, as Node's small Buffers do: allocating is what costs. */
const OWN_MAX = 16;
const POOLED_MAX = 4096;
const SLAB_BYTES = 64 * 1024;

const NOT_ASCII = /[^\0-\x7f]/;
const decoder = new TextDecoder();

/** A key or an argument as Lua has it: a string of bytes; text is UTF-8. */
export function argumentOf(value: Argument): string {
  if (typeof value === 'string') return NOT_ASCII.test(value) ? utf8Text(value) : value;
  return typeof value === 'object' ? bytesToText(value) : String(value);
}

/** Text that a string of bytes is, read as UTF-8. */
export function utf8Of(bytes: string): string {
  return NOT_ASCII.test(bytes) ? decoder.decode(textToBytes(bytes)) : bytes;
}

/** A reply with its bulk strings as text. */
export function withText(value: ReplyValue): ReplyValue {
  if (value instanceof Uint8Array) return decoder.decode(value);
  if (Array.isArray(value)) return value.map(withText);
  if (!(value instanceof Map)) return value;
  return new Map([...value].map(([key, one]) => [withText(key), withText(one)]));
}

/** Makes results of scripts JavaScript values. */
export class ResultReader {
  /** How strings come: text, or bytes. */
  isText = false;
  #hasBooleans = false;
  #left = LOOK_EVERY;
  #session: Session | undefined;
  #slab = new Uint8Array(0);
  #slabUsed = SLAB_BYTES;

  /** An error table at the top is thrown; inside of others it is a value. */
  read(value: LuaValue, session: Session): ReplyValue {
    if (typeof value === 'string') return this.#string(value);
    // Redis: booleans are such only for scripts that asked for RESP3.
    this.#hasBooleans = session.resp === 3;
    this.#session = session;
    this.#left = LOOK_EVERY;
    const result = this.#value(value, 0);
    if (result instanceof RespiteError) throw result;
    return result;
  }

  #string(value: string): string | Uint8Array {
    return this.isText ? utf8Of(value) : this.#bytes(value);
  }

  #bytes(value: string): Uint8Array {
    const { length } = value;
    if (length <= OWN_MAX || length > POOLED_MAX) return textToBytes(value);
    if (this.#slabUsed + length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const from = this.#slabUsed;
    this.#slabUsed = writeText(this.#slab, from, value);
    return this.#slab.subarray(from, this.#slabUsed);
  }

  #value(value: LuaValue, depth: number): ReplyValue {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        return integerOf(value);
      case 'boolean':
        if (this.#hasBooleans) return value;
        return value ? 1 : null;
      default:
        return value instanceof LuaTable ? this.#table(value, depth) : null;
    }
  }

  #table(table: LuaTable, depth: number): ReplyValue {
    if (depth > DEPTH_MAX) return replyError('ERR reached lua stack limit');
    if (table.map !== undefined) {
      const special = this.#special(table, depth);
      if (special !== undefined) return special;
    }
    const out: ReplyValue[] = [];
    for (let i = 1; ; i++) {
      const value = table.get(i);
      if (value === undefined) return out;
      if (--this.#left === 0) this.#look();
      out.push(this.#value(value, depth + 1));
    }
  }

  #look(): void {
    this.#left = LOOK_EVERY;
    this.#session?.machine.tick(false);
  }

  /** What a table stands for; undefined: it is an array. */
  #special(table: LuaTable, depth: number): ReplyValue | undefined {
    const error = table.getText('err');
    if (typeof error === 'string') return replyError(oneLine(error));
    const ok = table.getText('ok');
    if (typeof ok === 'string') return oneLine(ok);
    const number = table.getText('double');
    if (typeof number === 'number') return number;
    const map = table.getText('map');
    if (map instanceof LuaTable) return this.#map(map, depth);
    const set = table.getText('set');
    if (set instanceof LuaTable) return [...this.#map(set, depth).keys()];
    const big = table.getText('big_number');
    if (typeof big === 'string') return /^[+-]?\d+$/.test(big) ? BigInt(big) : utf8Of(big);
    const verbatim = table.getText('verbatim_string');
    if (!(verbatim instanceof LuaTable)) return undefined;
    const text = verbatim.getText('string');
    return typeof text === 'string' ? this.#string(text) : undefined;
  }

  #map(table: LuaTable, depth: number): Map<ReplyValue, ReplyValue> {
    const out = new Map<ReplyValue, ReplyValue>();
    for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
      if (--this.#left === 0) this.#look();
      const name = typeof key === 'string' ? utf8Of(key) : this.#value(key, depth + 1);
      out.set(name, this.#value(table.get(key), depth + 1));
    }
    return out;
  }
}

function oneLine(text: string): string {
  return utf8Of(text).replace(/[\r\n]/g, ' ');
}

/** Redis: a number becomes an integer, as C casts it. */
function integerOf(n: number): number | bigint {
  const whole = Math.trunc(n);
  if (Number.isSafeInteger(whole)) return whole + 0;
  return BigInt(integerText(n));
}
