// The cmsgpack library (Salvatore Sanfilippo's lua-cmsgpack 0.4.0).

import type { Machine } from '../vm/machine.js';
import { rawSet } from '../vm/operations.js';
import { LuaTable, type LuaValue, Results } from '../vm/value.js';
import { type Arguments, library } from './arguments.js';

const MAX_NESTING = 16;
/** Redis: more do not fit on its stack. */
const RESULTS_MAX = 7990;
const scratch = new DataView(new ArrayBuffer(8));

function bigEndian(value: number, size: number): string {
  let out = '';
  for (let i = size - 1; i >= 0; i--) {
    out += String.fromCharCode(Math.floor(value / 2 ** (8 * i)) & 255);
  }
  return out;
}

function scratchText(size: number): string {
  let out = '';
  for (let i = 0; i < size; i++) out += String.fromCharCode(scratch.getUint8(i));
  return out;
}

function head(code: number): string {
  return String.fromCharCode(code);
}

function packInteger(n: number): string {
  if (n >= 0) {
    if (n <= 127) return head(n);
    if (n <= 0xff) return head(0xcc) + bigEndian(n, 1);
    if (n <= 0xffff) return head(0xcd) + bigEndian(n, 2);
    if (n <= 0xffffffff) return head(0xce) + bigEndian(n, 4);
    scratch.setBigUint64(0, BigInt(n));
    return head(0xcf) + scratchText(8);
  }
  if (n >= -32) return head(n & 255);
  if (n >= -128) return head(0xd0) + head(n & 255);
  if (n >= -32768) return head(0xd1) + bigEndian(n + 65536, 2);
  if (n >= -2147483648) return head(0xd2) + bigEndian(n + 4294967296, 4);
  scratch.setBigInt64(0, BigInt(n));
  return head(0xd3) + scratchText(8);
}

function packNumber(n: number): string {
  const isInteger = Number.isInteger(n) && n >= -(2 ** 63) && n < 2 ** 63;
  if (isInteger && !Object.is(n, -0)) return packInteger(n);
  if (isInteger) return packInteger(0);
  if (Math.fround(n) === n) {
    scratch.setFloat32(0, n);
    return head(0xca) + scratchText(4);
  }
  scratch.setFloat64(0, n);
  // x86 makes negative NaNs.
  if (Number.isNaN(n)) scratch.setUint8(0, 0xff);
  return head(0xcb) + scratchText(8);
}

function packHead(
  n: number,
  ...[fix, most, c8, c16, c32]: [number, number, number, number, number]
): string {
  if (n < most) return head(fix | n);
  if (c8 !== 0 && n <= 0xff) return head(c8) + bigEndian(n, 1);
  return n <= 0xffff ? head(c16) + bigEndian(n, 2) : head(c32) + bigEndian(n, 4);
}

function isArray(m: Machine, table: LuaTable): boolean {
  m.work(table.array.length + (table.map?.size ?? 0));
  let count = 0;
  let most = 0;
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    if (typeof key !== 'number' || key <= 0 || !Number.isInteger(key)) return false;
    count++;
    if (key > most) most = key;
  }
  return most === count;
}

function packTable(m: Machine, table: LuaTable, depth: number): string {
  if (isArray(m, table)) {
    const n = table.length();
    let out = packHead(n, 0x90, 16, 0, 0xdc, 0xdd);
    for (let i = 1; i <= n; i++) {
      out += packValue(m, table.get(i), depth + 1);
      m.made(0, out.length);
    }
    return out;
  }
  let count = 0;
  let out = '';
  for (let key = table.next(undefined); key !== undefined; key = table.next(key)) {
    count++;
    out += packValue(m, key, depth + 1) + packValue(m, table.get(key), depth + 1);
    m.made(0, out.length);
  }
  return packHead(count, 0x80, 16, 0, 0xde, 0xdf) + out;
}

function packValue(m: Machine, value: LuaValue, depth: number): string {
  switch (typeof value) {
    case 'string':
      m.made(value.length);
      return packHead(value.length, 0xa0, 32, 0xd9, 0xda, 0xdb) + value;
    case 'number':
      return packNumber(value);
    case 'boolean':
      return head(value ? 0xc3 : 0xc2);
    default:
      // Redis: what is nested too deep is nil, as is whatever cannot be packed.
      if (!(value instanceof LuaTable) || depth === MAX_NESTING) return head(0xc0);
      return packTable(m, value, depth);
  }
}

function pack(a: Arguments): string {
  if (a.count === 0) a.fail(0, 'MessagePack pack needs input.');
  let out = '';
  for (let i = 1; i <= a.count; i++) {
    out += packValue(a.machine, a.get(i), 0);
    a.machine.made(0, out.length);
  }
  return out;
}

class Unpacker {
  readonly #m: Machine;
  readonly #data: string;
  at: number;

  constructor(m: Machine, data: string, at: number) {
    this.#m = m;
    this.#data = data;
    this.at = at;
  }

  get left(): number {
    return this.#data.length - this.at;
  }

  #need(bytes: number): void {
    if (this.left < bytes) throw this.#m.error('Missing bytes in input.');
  }

  /** The number in the bytes behind the head. */
  #unsigned(size: number): number {
    this.#need(1 + size);
    let value = 0;
    for (let i = 1; i <= size; i++) value = value * 256 + this.#data.charCodeAt(this.at + i);
    this.at += 1 + size;
    return value;
  }

  #load(size: number): void {
    this.#need(1 + size);
    for (let i = 0; i < size; i++) scratch.setUint8(i, this.#data.charCodeAt(this.at + 1 + i));
    this.at += 1 + size;
  }

  #text(length: number): string {
    this.#need(length);
    const text = this.#data.slice(this.at, this.at + length);
    this.at += length;
    return text;
  }

  /** A string whose length is behind the head. */
  #longText(size: number): string {
    const from = this.at;
    const length = this.#unsigned(size);
    if (this.left < length) {
      this.at = from;
      throw this.#m.error('Missing bytes in input.');
    }
    return this.#text(length);
  }

  #array(count: number): LuaTable {
    const table = new LuaTable();
    for (let i = 1; i <= count; i++) table.set(i, this.value());
    return table;
  }

  #map(count: number): LuaTable {
    const table = new LuaTable();
    for (let i = 0; i < count; i++) {
      const key = this.value();
      rawSet(this.#m, table, key, this.value());
    }
    return table;
  }

  value(): LuaValue {
    this.#m.work(1);
    this.#need(1);
    const code = this.#data.charCodeAt(this.at);
    if (code < 0xc0 || code >= 0xe0) return this.#short(code);
    switch (code) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        this.at++;
        return code === 0xc0 ? undefined : code === 0xc3;
      case 0xca:
        this.#load(4);
        return scratch.getFloat32(0);
      case 0xcb:
        this.#load(8);
        return scratch.getFloat64(0);
      case 0xd9:
        return this.#longText(1);
      case 0xda:
        return this.#longText(2);
      case 0xdb:
        return this.#longText(4);
      case 0xdc:
        return this.#array(this.#unsigned(2));
      case 0xdd:
        return this.#array(this.#unsigned(4));
      case 0xde:
        return this.#map(this.#unsigned(2));
      case 0xdf:
        return this.#map(this.#unsigned(4));
      default:
        return this.#integer(code);
    }
  }

  #integer(code: number): number {
    switch (code) {
      case 0xcc:
        return this.#unsigned(1);
      case 0xcd:
        return this.#unsigned(2);
      case 0xce:
        return this.#unsigned(4);
      case 0xcf:
        this.#load(8);
        return Number(scratch.getBigUint64(0));
      case 0xd0:
        return (this.#unsigned(1) << 24) >> 24;
      case 0xd1:
        return (this.#unsigned(2) << 16) >> 16;
      case 0xd2:
        return this.#unsigned(4) | 0;
      case 0xd3:
        this.#load(8);
        return Number(scratch.getBigInt64(0));
      default:
        throw this.#m.error('Bad data format in input.');
    }
  }

  #short(code: number): LuaValue {
    this.at++;
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 256;
    if (code >= 0xa0) return this.#text(code & 31);
    return code >= 0x90 ? this.#array(code & 15) : this.#map(code & 15);
  }
}

function unpack(a: Arguments, most: number, offset: number, isAll: boolean): Results {
  const { machine } = a;
  const data = a.text(1);
  if (offset < 0 || most < 0) {
    throw machine.error(
      `Invalid request to unpack with offset of ${offset} and limit of ${data.length}.`,
    );
  }
  if (offset > data.length) {
    throw machine.error(`Start offset ${offset} greater than input length ${data.length}.`);
  }
  const unpacker = new Unpacker(machine, data, offset);
  const out: LuaValue[] = [];
  while (unpacker.left > 0 && out.length < most) {
    if (out.length > RESULTS_MAX) {
      throw machine.error(
        'stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)',
      );
    }
    out.push(unpacker.value());
  }
  if (!isAll) out.unshift(unpacker.left === 0 ? -1 : unpacker.at);
  return new Results(out);
}

export function addMessagePack(m: Machine): void {
  const table = library(m, 'cmsgpack', {
    pack,
    unpack: (a) => unpack(a, Number.POSITIVE_INFINITY, 0, true),
    unpack_one: (a) => unpack(a, 1, a.optInt(2, 0), false),
    unpack_limit: (a) => {
      const [most, offset] = [a.int(2), a.optInt(3, 0)];
      // Redis: no limit and no offset means all, told as unpack tells it.
      if (most === 0 && offset === 0) return unpack(a, Number.POSITIVE_INFINITY, 0, true);
      return unpack(a, most, offset, false);
    },
  });
  table.setText('_NAME', 'cmsgpack');
  table.setText('_VERSION', 'lua-cmsgpack 0.4.0');
  table.setText('_COPYRIGHT', 'Copyright (C) 2012, Salvatore Sanfilippo');
  table.setText('_DESCRIPTION', 'MessagePack C implementation for Lua');
}
