// cjson.decode: the parser of lua-cjson, token by token, since its errors name tokens.

import { utf8Text } from '../vm/bytes.js';
import type { Machine } from '../vm/machine.js';
import { textToNumber } from '../vm/number.js';
import { LuaTable, type LuaValue } from '../vm/value.js';
import { JSON_NULL, type JsonConfig } from './cjson.js';

/** What strtod takes. */
const HEX = '0x[0-9a-f]+';
const DECIMAL = '(?:\\d+\\.?\\d*|\\.\\d+)(?:e[+-]?\\d+)?';
const NUMBER = new RegExp(`[+-]?(?:${HEX}|${DECIMAL}|inf(?:inity)?|nan)`, 'iy');
const PLAIN = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING_PART = /[^"\\\0]*/y;
const INVALID = /-?(?:0[xX\d]|inf|nan)|\+/iy;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ '"': '"', '\\': '\\', '/': '/' },
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
};

const NAMES: Readonly<Record<string, string>> = {
  ...{ '{': 'T_OBJ_BEGIN', '}': 'T_OBJ_END', '[': 'T_ARR_BEGIN', ']': 'T_ARR_END' },
  ...{ ':': 'T_COLON', ',': 'T_COMMA', end: 'T_END', s: 'T_STRING', n: 'T_NUMBER' },
  ...{ b: 'T_BOOLEAN', z: 'T_NULL' },
};

export class JsonParser {
  readonly #m: Machine;
  readonly #config: JsonConfig;
  readonly #text: string;
  #at = 0;
  #depth = 0;
  /** The token: its kind (a key of NAMES, or 'error'), where it is, what it holds. */
  #kind = '';
  #from = 0;
  #value: LuaValue;

  constructor(m: Machine, config: JsonConfig, text: string) {
    this.#m = m;
    this.#config = config;
    this.#text = text;
  }

  parse(): LuaValue {
    const text = this.#text;
    if (text.length >= 2 && (text.charCodeAt(0) === 0 || text.charCodeAt(1) === 0)) {
      throw this.#m.error('JSON parser does not support UTF-16 or UTF-32');
    }
    this.#next();
    const value = this.#parseValue();
    this.#next();
    if (!this.#is('end')) this.#fail('the end');
    return value;
  }

  #fail(expected: string): never {
    const found = this.#kind === 'error' ? String(this.#value) : NAMES[this.#kind];
    throw this.#m.error(`Expected ${expected} but found ${found} at character ${this.#from + 1}`);
  }

  #is(kind: string): boolean {
    return this.#kind === kind;
  }

  #token(kind: string, value: LuaValue): void {
    this.#kind = kind;
    this.#value = value;
  }

  #error(text: string): void {
    this.#from = this.#at;
    this.#token('error', text);
  }

  #next(): void {
    this.#m.work(1);
    const text = this.#text;
    let c = text.charCodeAt(this.#at);
    while (c === 32 || c === 10 || c === 13 || c === 9) c = text.charCodeAt(++this.#at);
    this.#from = this.#at;
    if (Number.isNaN(c) || c === 0) {
      this.#token('end', undefined);
      return;
    }
    if (c === 34) this.#string();
    else if (c === 44 || c === 58 || c === 91 || c === 93 || c === 123 || c === 125) {
      this.#kind = text[this.#at++] as string;
    } else if (c >= 49 && c <= 57) this.#number();
    else if (c === 45 || c === 48) {
      if (!this.#config.decodeInvalid && this.#isInvalid()) this.#error('invalid number');
      else this.#number();
    } else this.#word();
  }

  #word(): void {
    const text = this.#text;
    if (text.startsWith('true', this.#at)) this.#skip(4, 'b', true);
    else if (text.startsWith('false', this.#at)) this.#skip(5, 'b', false);
    else if (text.startsWith('null', this.#at)) this.#skip(4, 'z', JSON_NULL);
    else if (this.#config.decodeInvalid && this.#isInvalid()) this.#number();
    else this.#error('invalid token');
  }

  #skip(length: number, kind: string, value: LuaValue): void {
    this.#at += length;
    this.#token(kind, value);
  }

  #isInvalid(): boolean {
    INVALID.lastIndex = this.#at;
    return INVALID.test(this.#text);
  }

  /** Up to 15 digits with nothing behind that belongs to a number; false: something else. */
  #shortInteger(): boolean {
    const text = this.#text;
    let at = this.#at;
    let value = 0;
    for (let c = text.charCodeAt(at); c >= 48 && c <= 57; c = text.charCodeAt(++at)) {
      value = value * 10 + c - 48;
    }
    const next = text.charCodeAt(at) | 32;
    const length = at - this.#at;
    if (length === 0 || length > 15 || next === 46 || next === 101 || next === 120) return false;
    this.#skip(length, 'n', value);
    return true;
  }

  #number(): void {
    if (this.#shortInteger()) return;
    PLAIN.lastIndex = this.#at;
    const plain = PLAIN.exec(this.#text);
    const next = plain === null ? 0 : this.#text.charCodeAt(PLAIN.lastIndex) | 32;
    if (plain !== null && next !== 120 && next !== 46) {
      this.#skip(plain[0].length, 'n', Number(plain[0]));
      return;
    }
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) this.#error('invalid number');
    else this.#skip(match[0].length, 'n', textToNumber(match[0]));
  }

  #string(): void {
    const text = this.#text;
    let out = '';
    this.#at++;
    for (;;) {
      STRING_PART.lastIndex = this.#at;
      STRING_PART.test(text);
      out += text.slice(this.#at, STRING_PART.lastIndex);
      this.#m.made(STRING_PART.lastIndex - this.#at);
      this.#at = STRING_PART.lastIndex;
      const c = text[this.#at];
      if (c === '"') break;
      if (c !== '\\') {
        this.#error('unexpected end of string');
        return;
      }
      const next = text[this.#at + 1] ?? '';
      if (next === 'u') {
        const unicode = this.#unicode();
        if (unicode === undefined) {
          this.#error('invalid unicode escape code');
          return;
        }
        out += unicode;
        continue;
      }
      const plain = ESCAPES[next];
      if (plain === undefined) {
        this.#error('invalid escape code');
        return;
      }
      out += plain;
      this.#at += 2;
    }
    this.#at++;
    this.#token('s', out);
  }

  #hex(at: number): number {
    const digits = this.#text.slice(at, at + 4);
    return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
  }

  /** The character of \uXXXX, two of them for a surrogate pair, as UTF-8. */
  #unicode(): string | undefined {
    let code = this.#hex(this.#at + 2);
    let length = 6;
    if (code < 0) return undefined;
    if ((code & 0xf800) === 0xd800) {
      if (code & 0x400 || !this.#text.startsWith('\\u', this.#at + 6)) return undefined;
      const low = this.#hex(this.#at + 8);
      if (low < 0 || (low & 0xfc00) !== 0xdc00) return undefined;
      code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
      length = 12;
    }
    this.#at += length;
    return code < 128 ? String.fromCharCode(code) : utf8Text(String.fromCodePoint(code));
  }

  #parseValue(): LuaValue {
    switch (this.#kind) {
      case 's':
      case 'n':
      case 'b':
      case 'z':
        return this.#value;
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      default:
        return this.#fail('value');
    }
  }

  #descend(): void {
    this.#depth++;
    if (this.#depth <= this.#config.decodeDepth) return;
    throw this.#m.error(
      `Found too many nested data structures (${this.#depth}) at character ${this.#at}`,
    );
  }

  #object(): LuaTable {
    const table = new LuaTable();
    this.#descend();
    this.#next();
    if (!this.#is('}')) {
      for (;;) {
        if (!this.#is('s')) this.#fail('object key string');
        const key = this.#value as string;
        this.#next();
        if (!this.#is(':')) this.#fail('colon');
        this.#next();
        table.setText(key, this.#parseValue());
        this.#next();
        if (this.#is('}')) break;
        if (!this.#is(',')) this.#fail('comma or object end');
        this.#next();
      }
    }
    this.#depth--;
    return table;
  }

  #array(): LuaTable {
    const table = new LuaTable();
    this.#descend();
    this.#next();
    if (!this.#is(']')) {
      for (;;) {
        table.array.push(this.#parseValue());
        this.#next();
        if (this.#is(']')) break;
        if (!this.#is(',')) this.#fail('comma or array end');
        this.#next();
      }
    }
    this.#depth--;
    return table;
  }
}
