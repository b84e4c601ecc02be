// The cjson library (Mark Pulford's lua-cjson 2.1.0 as Redis embeds it): its options, its rules for
// arrays, its messages.

import type { Machine } from '../vm/machine.js';
import { typeName } from '../vm/names.js';
import { formatG, notFinite, numberToText } from '../vm/number.js';
import { LightUserdata, LuaTable, type LuaValue, type Results, results } from '../vm/value.js';
import { type Arguments, type Body, register } from './arguments.js';
import { JsonParser } from './json-parser.js';
import { byPieces } from './pieces.js';

const LARGEST = 0x7fffffff;

/** cjson.null: the null pointer. */
export const JSON_NULL = new LightUserdata('(nil)');

/** Settings of one cjson table. */
export class JsonConfig {
  convertSparse = false;
  sparseRatio = 2;
  sparseSafe = 10;
  encodeDepth = 1000;
  decodeDepth = 1000;
  precision = 14;
  keepBuffer = true;
  /** 0 error, 1 as C prints it, 2 null. */
  encodeInvalid = 0;
  decodeInvalid = true;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be escaped
const ESCAPED = /[\0-\x1f"\\/\x7f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above
const ESCAPED_ALL = /[\0-\x1f"\\/\x7f]/g;
const SHORT: Readonly<Record<string, string>> = {
  ...{ '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r' },
  ...{ '"': '\\"', '\\': '\\\\', '/': '\\/' },
};

function escapeOf(c: string): string {
  return SHORT[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function escaped(text: string): string {
  return ESCAPED.test(text) ? text.replace(ESCAPED_ALL, escapeOf) : text;
}

class Encoder {
  readonly #m: Machine;
  readonly #config: JsonConfig;
  #length = 0;

  constructor(m: Machine, config: JsonConfig) {
    this.#m = m;
    this.#config = config;
  }

  #fail(value: LuaValue, why: string): never {
    throw this.#m.error(`Cannot serialise ${typeName(value)}: ${why}`);
  }

  value(value: LuaValue, depth: number): string {
    this.#m.work(1);
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'number':
        return this.#number(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'undefined':
        return 'null';
      default:
        if (value instanceof LuaTable) return this.#table(value, depth + 1);
        if (value === JSON_NULL) return 'null';
        return this.#fail(value, 'type not supported');
    }
  }

  #text(value: string): string {
    const text = `"${byPieces(this.#m, value, escaped)}"`;
    this.#length += text.length;
    this.#m.made(text.length, this.#length);
    return text;
  }

  #number(n: number): string {
    const { encodeInvalid, precision } = this.#config;
    if (notFinite(n) !== undefined) {
      if (encodeInvalid === 0) this.#fail(n, 'must not be NaN or Inf');
      if (encodeInvalid === 2) return 'null';
    }
    return precision === 14 ? numberToText(n) : formatG(n, precision, false);
  }

  /** Elements of a table that is an array, -1 for an object. */
  #arrayLength(table: LuaTable): number {
    let most = table.length();
    let items = most;
    const { map } = table;
    if ((map !== undefined && map.size > 0) || most !== table.array.length) {
      most = 0;
      items = 0;
      this.#m.work((map?.size ?? 0) >> 2);
      for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
        if (typeof key !== 'number' || key < 1 || !Number.isInteger(key)) return -1;
        // C's cast to int: what does not fit is the smallest.
        if (key > most) most = key > LARGEST ? -LARGEST - 1 : key;
        items++;
      }
    }
    const { sparseRatio, sparseSafe, convertSparse } = this.#config;
    if (sparseRatio > 0 && most > items * sparseRatio && most > sparseSafe) {
      if (!convertSparse) this.#fail(table, 'excessively sparse array');
      return -1;
    }
    return most;
  }

  #table(table: LuaTable, depth: number): string {
    if (depth > this.#config.encodeDepth) {
      throw this.#m.error(`Cannot serialise, excessive nesting (${depth})`);
    }
    const length = this.#arrayLength(table);
    return length > 0 ? this.#array(table, length, depth) : this.#object(table, depth);
  }

  #array(table: LuaTable, length: number, depth: number): string {
    let out = '[';
    for (let i = 1; i <= length; i++) {
      if (i > 1) out += ',';
      out += this.value(table.get(i), depth);
    }
    return `${out}]`;
  }

  #object(table: LuaTable, depth: number): string {
    let out = '';
    const add = (key: LuaValue, value: LuaValue): void => {
      if (out !== '') out += ',';
      out += `${this.#key(key)}:${this.value(value, depth)}`;
    };
    table.array.forEach((value, i) => {
      if (value !== undefined) add(i + 1, value);
    });
    if (table.map !== undefined) for (const [key, value] of table.map) add(key, value);
    return `{${out}}`;
  }

  #key(key: LuaValue): string {
    if (typeof key === 'string') return this.#text(key);
    if (typeof key === 'number') return `"${this.#number(key)}"`;
    return this.#fail(key, 'table key must be a number or string');
  }
}

// ---- settings

function limitArguments(a: Arguments, most: number): void {
  if (a.count > most) a.fail(most + 1, 'found too many arguments');
}

function integerOption(
  a: Arguments,
  i: number,
  ...[now, low, high]: [number, number, number]
): number {
  if (a.isNone(i)) return now;
  const value = a.int(i);
  // Redis: whichever argument it is.
  if (value < low || value > high) a.fail(1, `expected integer between ${low} and ${high}`);
  return value;
}

/** A boolean, or one of some words; its number. */
function enumOption(a: Arguments, i: number, now: number, words: readonly string[]): number {
  const value = a.get(i);
  if (value === undefined) return now;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = a.text(i);
  const found = words.indexOf(text);
  if (found < 0) a.fail(i, `invalid option '${text}'`);
  return found;
}

function settings(config: JsonConfig): Record<string, Body> {
  const integer =
    (name: 'encodeDepth' | 'decodeDepth' | 'precision', low: number, high: number): Body =>
    (a) => {
      limitArguments(a, 1);
      config[name] = integerOption(a, 1, config[name], low, high);
      return config[name];
    };
  return {
    encode_max_depth: integer('encodeDepth', 1, LARGEST),
    decode_max_depth: integer('decodeDepth', 1, LARGEST),
    encode_number_precision: integer('precision', 1, 14),
    encode_keep_buffer: (a) => {
      limitArguments(a, 1);
      config.keepBuffer = enumOption(a, 1, config.keepBuffer ? 1 : 0, ['off', 'on']) === 1;
      return config.keepBuffer;
    },
    encode_invalid_numbers: (a) => {
      limitArguments(a, 1);
      config.encodeInvalid = enumOption(a, 1, config.encodeInvalid, ['off', 'on', 'null']);
      return config.encodeInvalid === 2 ? 'null' : config.encodeInvalid === 1;
    },
    decode_invalid_numbers: (a) => {
      limitArguments(a, 1);
      config.decodeInvalid = enumOption(a, 1, config.decodeInvalid ? 1 : 0, ['off', 'on']) === 1;
      return config.decodeInvalid;
    },
    encode_sparse_array: (a): Results => {
      limitArguments(a, 3);
      config.convertSparse = enumOption(a, 1, config.convertSparse ? 1 : 0, ['off', 'on']) === 1;
      config.sparseRatio = integerOption(a, 2, config.sparseRatio, 0, LARGEST);
      config.sparseSafe = integerOption(a, 3, config.sparseSafe, 0, LARGEST);
      return results(config.convertSparse, config.sparseRatio, config.sparseSafe);
    },
  };
}

/** A cjson table with settings of its own. */
function makeJson(m: Machine): LuaTable {
  const config = new JsonConfig();
  const table = new LuaTable();
  register(m, table, {
    ...settings(config),
    encode: (a) => {
      if (a.count !== 1) a.fail(1, 'expected 1 argument');
      return new Encoder(m, config).value(a.get(1), 0);
    },
    decode: (a) => {
      if (a.count !== 1) a.fail(1, 'expected 1 argument');
      return new JsonParser(m, config, a.text(1)).parse();
    },
    new: () => makeJson(m),
  });
  table.setText('null', JSON_NULL);
  table.setText('_NAME', 'cjson');
  table.setText('_VERSION', '2.1.0');
  return table;
}

export function addJson(m: Machine): void {
  m.globals.setText('cjson', makeJson(m));
}
