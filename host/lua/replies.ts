// Replies in both directions: the core's bytes as Lua values, read where they lie in linear memory,
// and Lua values as bytes for the client.

import { bytesToText, writeText } from './vm/bytes.js';
import type { Machine } from './vm/machine.js';
import { formatG } from './vm/number.js';
import { LuaTable, type LuaValue } from './vm/value.js';

const BLOCK_HEADER = 16;
/** Redis: nesting ends where Lua's stack does; an array takes one slot for what is in it. */
const SLOTS_MAX = 7995;
/** A script may answer so many bytes: Redis' proto-max-bulk-len. */
const REPLY_MAX = 512 * 1024 * 1024;
/** An error or a status may be so long. */
const LINE_MAX = 1 << 24;

/** What reading needs of the core. */
export interface Memory {
  readonly bytes: Uint8Array;
  word(ptr: number): number;
}

/** Reads one reply. */
export class ReplyReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes of the last reply. */
  size = 0;

  /** The reply that begins in a block, which may go on in others. */
  read(memory: Memory, block: number): LuaValue {
    const next = memory.word(block);
    if (next === 0) {
      this.#bytes = memory.bytes;
      this.#at = block + BLOCK_HEADER;
    } else {
      this.#bytes = gathered(memory, block);
      this.#at = 0;
    }
    const from = this.#at;
    const value = this.#value();
    this.size = this.#at - from;
    if (next !== 0) this.#bytes = memory.bytes;
    return value;
  }

  #line(): string {
    const from = this.#at;
    const end = this.#bytes.indexOf(13, from);
    this.#at = end + 2;
    return bytesToText(this.#bytes, from, end);
  }

  /** An integer of up to 19 digits; doubles are all that Lua has. */
  #number(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    const isNegative = bytes[at] === 45;
    if (isNegative) at++;
    let value = 0;
    const from = at;
    for (let c = bytes[at] as number; c !== 13; c = bytes[++at] as number) {
      value = value * 10 + c - 48;
    }
    if (at - from > 15) value = Number(bytesToText(bytes, from, at));
    this.#at = at + 2;
    return isNegative ? -value : value;
  }

  #value(): LuaValue {
    const kind = this.#bytes[this.#at++];
    switch (kind) {
      case 36: {
        const length = this.#number();
        return length < 0 ? false : this.#text(length);
      }
      case 58:
        return this.#number();
      case 42: {
        const count = this.#number();
        return count < 0 ? false : this.#array(count);
      }
      case 43:
        return field('ok', this.#line());
      case 45:
        return this.#error();
      default:
        return this.#resp3(kind as number);
    }
  }

  #text(length: number): string {
    const from = this.#at;
    this.#at = from + length + 2;
    return bytesToText(this.#bytes, from, from + length);
  }

  #array(count: number): LuaTable {
    const table = new LuaTable();
    for (let i = 1; i <= count; i++) {
      const value = this.#value();
      if (value === undefined) table.setList(i, [undefined], 0, 1);
      else table.set(i, value);
    }
    return table;
  }

  #error(): LuaTable {
    const table = field('err', this.#line());
    table.setText('ignore_error_stats_update', true);
    return table;
  }

  #resp3(kind: number): LuaValue {
    switch (kind) {
      case 95:
        this.#at += 2;
        return undefined;
      case 35:
        return this.#line() === 't';
      case 44:
        return field('double', double(this.#line()));
      case 40:
        return field('big_number', this.#line());
      case 37:
        return field('map', this.#map(this.#number()));
      case 126:
        return field('set', this.#set(this.#number()));
      case 61: {
        const text = this.#text(this.#number());
        const inner = field('format', text.slice(0, 3));
        inner.setText('string', text.slice(4));
        return field('verbatim_string', inner);
      }
      case 62:
        return this.#array(this.#number());
      default:
        // An attribute: what it is about comes behind it.
        this.#map(this.#number());
        return this.#value();
    }
  }

  #map(count: number): LuaTable {
    const table = new LuaTable();
    for (let i = 0; i < count; i++) {
      const key = this.#value();
      const value = this.#value();
      if (key !== undefined) table.set(key, value);
    }
    return table;
  }

  #set(count: number): LuaTable {
    const table = new LuaTable();
    for (let i = 0; i < count; i++) {
      const key = this.#value();
      if (key !== undefined) table.set(key, true);
    }
    return table;
  }
}

function field(name: string, value: LuaValue): LuaTable {
  const table = new LuaTable();
  table.setText(name, value);
  return table;
}

function double(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function gathered(memory: Memory, first: number): Uint8Array {
  let size = 0;
  for (let block = first; block !== 0; block = memory.word(block)) size += memory.word(block + 4);
  const out = new Uint8Array(size);
  let at = 0;
  for (let block = first; block !== 0; block = memory.word(block)) {
    const length = memory.word(block + 4);
    const from = block + BLOCK_HEADER;
    out.set(memory.bytes.subarray(from, from + length), at);
    at += length;
  }
  return out;
}

// ---- the other way

const BREAKS = /[\r\n]/g;
const INITIAL_BYTES = 512;

/** A reply that was made: bytes `from` … `to` of `bytes`, good until the next one is made. */
export interface MadeReply {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** It lies where the maker was told to begin, so it need not be copied there. */
  readonly isPlaced: boolean;
}

/** Of the script that answers. */
interface Settings {
  readonly resp: number;
  readonly machine: Machine;
}

/** A table being written. */
interface Level {
  readonly values: readonly LuaValue[];
  at: number;
  readonly count: number;
  /** Of Lua's stack, were this Redis, for each of its elements. */
  readonly slots: number;
}

/** A line break would end an error or a status; a null byte does, in C. */
function oneLine(text: string): string {
  const end = text.indexOf('\0');
  return text.slice(0, end < 0 ? LINE_MAX : Math.min(end, LINE_MAX)).replace(BREAKS, ' ');
}

/** Elements 1 to `count`, wherever the table has them. */
function listed(table: LuaTable, count: number): LuaValue[] {
  const values: LuaValue[] = [];
  for (let i = 1; i <= count; i++) values.push(table.get(i));
  return values;
}

/** Writes replies: where it is told to as long as there is room, in an array that grows then. */
export class ReplyMaker implements MadeReply {
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  to = 0;
  isPlaced = false;
  #end = 0;
  #isResp3 = false;
  #hasBooleans = false;
  /** Tables that are being written, from the outermost. */
  readonly #open: Level[] = [];

  /** The next reply is to go into `size` bytes at `at`. */
  place(bytes: Uint8Array, at: number, size: number): this {
    this.bytes = bytes;
    this.from = at;
    this.to = at;
    this.#end = at + size;
    this.isPlaced = true;
    return this;
  }

  /**
   * The reply that a script's result is, in the client's protocol. Redis: booleans are such only
   * for scripts that asked for RESP3 themselves.
   */
  make(value: LuaValue, protocol: number, script: Settings): void {
    this.#isResp3 = protocol === 3;
    this.#hasBooleans = script.resp === 3;
    this.#open.length = 0;
    this.#value(value, 0);
    for (let level = this.#open.at(-1); level !== undefined; level = this.#open.at(-1)) {
      const { count, slots, values } = level;
      script.machine.work(1);
      if (level.at === count) this.#open.pop();
      else this.#value(values[level.at++], slots);
    }
  }

  /** An error reply; the text begins with its code. */
  error(text: string): void {
    this.#line(`-${oneLine(text)}`);
  }

  #room(size: number): void {
    if (this.to + size <= this.#end) return;
    const length = this.to - this.from;
    if (length + size > REPLY_MAX) throw new RangeError('a reply beyond its limit');
    const grown = new Uint8Array(Math.max(length + size, length * 2, INITIAL_BYTES));
    grown.set(this.bytes.subarray(this.from, this.to));
    this.place(grown, 0, grown.length);
    this.to = length;
    this.isPlaced = false;
  }

  #line(text: string): void {
    this.#room(text.length + 2);
    this.#newline(writeText(this.bytes, this.to, text));
  }

  #newline(at: number): void {
    this.bytes[at] = 13;
    this.bytes[at + 1] = 10;
    this.to = at + 2;
  }

  /** A line of a sign and a small number; false: it is not small. */
  #short(sign: number, n: number): boolean {
    if (!(n >= 0 && n < 10 && Number.isInteger(n))) return false;
    this.#room(4);
    const { bytes, to } = this;
    bytes[to] = sign;
    bytes[to + 1] = 48 + n;
    this.#newline(to + 2);
    return true;
  }

  #bulk(text: string): void {
    if (!this.#short(36, text.length)) this.#line(`$${text.length}`);
    this.#line(text);
  }

  /** A value, or the beginning of a table whose elements come next. */
  #value(value: LuaValue, slots: number): void {
    switch (typeof value) {
      case 'string':
        this.#bulk(value);
        return;
      case 'number':
        if (!this.#short(58, value)) this.#line(`:${integerText(value)}`);
        return;
      case 'boolean':
        if (this.#hasBooleans) this.#boolean(value);
        else if (value) this.#line(':1');
        else this.#null();
        return;
      default:
        if (value instanceof LuaTable) this.#table(value, slots);
        else this.#null();
    }
  }

  #boolean(value: boolean): void {
    if (this.#isResp3) this.#line(value ? '#t' : '#f');
    else this.#line(value ? ':1' : ':0');
  }

  #null(): void {
    this.#line(this.#isResp3 ? '_' : '$-1');
  }

  #table(table: LuaTable, slots: number): void {
    if (slots >= SLOTS_MAX) {
      this.#line('-ERR reached lua stack limit');
      return;
    }
    if (table.map === undefined || !this.#special(table, slots)) this.#array(table, slots);
  }

  #array(table: LuaTable, slots: number): void {
    const { array } = table;
    let count = 0;
    while (count < array.length && array[count] !== undefined) count++;
    if (count === array.length) while (table.get(count + 1) !== undefined) count++;
    this.#line(`*${count}`);
    if (count === 0) return;
    const values = count <= array.length ? array : listed(table, count);
    this.#open.push({ values, at: 0, count, slots: slots + 1 });
  }

  /** A table that stands for a type of reply; false: it is none. */
  #special(table: LuaTable, slots: number): boolean {
    const error = table.getText('err');
    if (typeof error === 'string') {
      this.#line(`-${oneLine(error)}`);
      return true;
    }
    const ok = table.getText('ok');
    if (typeof ok === 'string') {
      this.#line(`+${oneLine(ok)}`);
      return true;
    }
    const number = table.getText('double');
    if (typeof number === 'number') {
      this.#double(number);
      return true;
    }
    return this.#container(table, slots) || this.#textual(table);
  }

  #container(table: LuaTable, slots: number): boolean {
    const map = table.getText('map');
    if (map instanceof LuaTable) {
      const values = [...entries(map)].flat();
      this.#line(this.#isResp3 ? `%${values.length / 2}` : `*${values.length}`);
      this.#open.push({ values, at: 0, count: values.length, slots: slots + 3 });
      return true;
    }
    const set = table.getText('set');
    if (!(set instanceof LuaTable)) return false;
    const values = [...entries(set)].map(([key]) => key);
    this.#line(`${this.#isResp3 ? '~' : '*'}${values.length}`);
    this.#open.push({ values, at: 0, count: values.length, slots: slots + 3 });
    return true;
  }

  #textual(table: LuaTable): boolean {
    const big = table.getText('big_number');
    if (typeof big === 'string') {
      const text = big.replace(BREAKS, ' ');
      if (this.#isResp3) this.#line(`(${text}`);
      else this.#bulk(text);
      return true;
    }
    const verbatim = table.getText('verbatim_string');
    if (!(verbatim instanceof LuaTable)) return false;
    const format = verbatim.getText('format');
    const text = verbatim.getText('string');
    if (typeof format !== 'string' || typeof text !== 'string') return false;
    if (this.#isResp3) {
      const name = format.padEnd(3, ' ').slice(0, 3);
      this.#line(`=${text.length + 4}`);
      this.#line(`${name}:${text}`);
    } else this.#bulk(text);
    return true;
  }

  #double(n: number): void {
    const text = formatG(n, 17, false).replace('-nan', 'nan');
    if (this.#isResp3) this.#line(`,${text}`);
    else this.#bulk(text);
  }
}

function* entries(table: LuaTable): Generator<[LuaValue, LuaValue]> {
  for (let i = 0; i < table.array.length; i++) {
    if (table.array[i] !== undefined) yield [i + 1, table.array[i]];
  }
  if (table.map !== undefined) yield* table.map;
}

const TWO_63 = 2 ** 63;

/** C's cast of a double to long long, in digits. */
export function integerText(n: number): string {
  if (Number.isSafeInteger(n)) return n === 0 ? '0' : String(n);
  const whole = Math.trunc(n);
  if (whole >= -TWO_63 && whole < TWO_63) {
    return BigInt(whole).toString();
  }
  return '-9223372036854775808';
}

/** A number as an argument of redis.call: `%.17g`. */
export function argumentText(n: number): string {
  if (Number.isInteger(n) && n > -1e16 && n < 1e16) return Object.is(n, -0) ? '-0' : String(n);
  return formatG(n, 17, false);
}
