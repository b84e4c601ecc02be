// The struct library of Redis (Roberto Ierusalimschy's 0.2 with Redis' checks).

import type { Machine } from '../vm/machine.js';
import { type LuaValue, Results } from '../vm/value.js';
import { type Arguments, library, truncated } from './arguments.js';

const MAX_INT_SIZE = 32;
const MAX_ALIGN = 8;
const LARGEST = 0x7fffffff;
/** Redis: more do not fit on its stack. */
const RESULTS_MAX = 7990;

/** Reads a format: endianness and alignment change as it goes. */
class Format {
  readonly a: Arguments;
  readonly text: string;
  at = 0;
  isLittle = true;
  align = 1;

  constructor(a: Arguments) {
    this.a = a;
    this.text = a.text(1);
  }

  get isEnd(): boolean {
    return this.at >= this.text.length;
  }

  next(): string {
    this.a.machine.work(1);
    return this.text[this.at++] as string;
  }

  /** Digits of a size. */
  number(otherwise: number): number {
    let value = 0;
    const from = this.at;
    while (/\d/.test(this.text[this.at] ?? '')) {
      const digit = Number(this.text[this.at++]);
      if (value > LARGEST / 10 || value * 10 > LARGEST - digit) {
        throw this.a.machine.error('integral size overflow');
      }
      value = value * 10 + digit;
    }
    return this.at === from ? otherwise : value;
  }

  size(option: string): number {
    switch (option) {
      case 'B':
      case 'b':
        return 1;
      case 'H':
      case 'h':
        return 2;
      case 'L':
      case 'l':
      case 'T':
      case 'd':
        return 8;
      case 'f':
        return 4;
      case 'x':
        return 1;
      case 'c':
        return this.number(1);
      case 'i':
      case 'I': {
        const size = this.number(4);
        if (size > MAX_INT_SIZE) {
          throw this.a.machine.error(
            `integral size ${size} is larger than limit of ${MAX_INT_SIZE}`,
          );
        }
        return size;
      }
      default:
        return 0;
    }
  }

  /** Bytes to skip so that an item of this size is aligned. */
  padding(total: number, option: string, size: number): number {
    if (size === 0 || option === 'c') return 0;
    const align = Math.min(size, this.align);
    return align > 1 ? (align - (total & (align - 1))) & (align - 1) : 0;
  }

  control(option: string): void {
    const { machine } = this.a;
    switch (option) {
      case ' ':
        return;
      case '>':
        this.isLittle = false;
        return;
      case '<':
        this.isLittle = true;
        return;
      case '!': {
        const align = this.number(MAX_ALIGN);
        if (align === 0 || (align & (align - 1)) !== 0) {
          throw machine.error(`alignment ${align} is not a power of 2`);
        }
        this.align = align;
        return;
      }
      default:
        throw machine.badArgument(1, `invalid format option '${option}'`);
    }
  }
}

/** C's casts on x86, by which what is too large is 0. */
function wholeBits(n: number): bigint {
  if (n >= 2 ** 64) return 0n;
  return BigInt.asUintN(64, BigInt(n >= 2 ** 63 ? Math.trunc(n) : truncated(n)));
}

function integerBytes(format: Format, n: number, size: number): string {
  let value = wholeBits(n);
  let out = '';
  for (let i = 0; i < size; i++) {
    const c = String.fromCharCode(Number(value & 255n));
    out = format.isLittle ? out + c : c + out;
    value >>= 8n;
  }
  return out;
}

const scratch = new DataView(new ArrayBuffer(8));

function floatBytes(format: Format, n: number, size: number): string {
  if (size === 4) scratch.setFloat32(0, n, format.isLittle);
  else scratch.setFloat64(0, n, format.isLittle);
  let out = '';
  for (let i = 0; i < size; i++) out += String.fromCharCode(scratch.getUint8(i));
  return out;
}

function pack(a: Arguments): string {
  // Redis: the place behind the arguments holds a nil.
  if (a.count > 0) a.values[a.at + a.count++] = undefined;
  const format = new Format(a);
  let out = '';
  let argument = 2;
  while (!format.isEnd) {
    const option = format.next();
    let size = format.size(option);
    out += '\0'.repeat(format.padding(out.length, option, size));
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I':
        out += integerBytes(format, a.number(argument++), size);
        break;
      case 'x':
        out += '\0';
        break;
      case 'f':
      case 'd':
        out += floatBytes(format, a.number(argument++), size);
        break;
      case 'c':
      case 's': {
        const text = a.text(argument++);
        if (size === 0) size = text.length;
        if (text.length < size) a.fail(argument, 'string too short');
        out += text.slice(0, size);
        if (option === 's') out += '\0';
        a.machine.made(size, out.length);
        break;
      }
      default:
        format.control(option);
    }
  }
  return out;
}

function readInteger(
  format: Format,
  data: string,
  ...[at, size, isSigned]: [number, number, boolean]
): number {
  let value = 0n;
  for (let i = 0; i < size; i++) {
    const from = format.isLittle ? at + size - 1 - i : at + i;
    value = (value << 8n) | BigInt(data.charCodeAt(from));
  }
  value = BigInt.asUintN(64, value);
  if (!isSigned) return Number(value);
  return Number(size >= 8 ? BigInt.asIntN(64, value) : BigInt.asIntN(size * 8, value));
}

function readFloat(format: Format, data: string, at: number, size: number): number {
  for (let i = 0; i < size; i++) scratch.setUint8(i, data.charCodeAt(at + i));
  return size === 4
    ? scratch.getFloat32(0, format.isLittle)
    : scratch.getFloat64(0, format.isLittle);
}

function unpack(a: Arguments): Results {
  const format = new Format(a);
  const data = a.text(2);
  const start = a.optInteger(3, 1);
  // Redis: what is below 0 is very large.
  if (start === 0) a.fail(3, 'offset must be 1 or greater');
  let at = start < 0 ? LARGEST : start - 1;
  const out: LuaValue[] = [];
  while (!format.isEnd) {
    const option = format.next();
    let size = format.size(option);
    at += format.padding(at, option, size);
    if (size > data.length || at > data.length - size) a.fail(2, 'data string too short');
    if (out.length > RESULTS_MAX) throw a.machine.error('stack overflow (too many results)');
    switch (option) {
      case 'b':
      case 'B':
      case 'h':
      case 'H':
      case 'l':
      case 'L':
      case 'T':
      case 'i':
      case 'I':
        out.push(readInteger(format, data, at, size, option === option.toLowerCase()));
        break;
      case 'x':
        break;
      case 'f':
      case 'd':
        out.push(readFloat(format, data, at, size));
        break;
      case 'c': {
        if (size === 0) {
          const length = out.pop();
          if (typeof length !== 'number') {
            throw a.machine.error("format 'c0' needs a previous size");
          }
          size = length;
          if (size < 0 || size > data.length || at > data.length - size) {
            a.fail(2, 'data string too short');
          }
        }
        out.push(data.slice(at, at + size));
        break;
      }
      case 's': {
        const end = data.indexOf('\0', at);
        if (end < 0) throw a.machine.error('unfinished string in data');
        size = end - at + 1;
        a.machine.work(size >> 6);
        out.push(data.slice(at, end));
        break;
      }
      default:
        format.control(option);
    }
    at += size;
  }
  out.push(at + 1);
  return new Results(out);
}

function sizeOf(a: Arguments): number {
  const format = new Format(a);
  let total = 0;
  while (!format.isEnd) {
    const option = format.next();
    const size = format.size(option);
    total += format.padding(total, option, size);
    if (option === 's') a.fail(1, "option 's' has no fixed size");
    if (option === 'c' && size === 0) a.fail(1, "option 'c0' has no fixed size");
    // Redis: letters that mean nothing are skipped.
    if (!/[a-zA-Z0-9]/.test(option)) format.control(option);
    if (total > LARGEST - size) throw a.machine.error('struct size overflow');
    total += size;
  }
  return total;
}

export function addStruct(m: Machine): void {
  library(m, 'struct', { pack, size: sizeOf, unpack });
}
