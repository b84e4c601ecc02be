// The bit library (Mike Pall's Lua BitOp 1.0.2): 32-bit operations on numbers.

import type { Machine } from '../vm/machine.js';
import { type Arguments, type Body, library } from './arguments.js';

/** A number modulo 2^32, rounded to the nearest even first, as the library's trick with doubles. */
export function toBits(n: number): number {
  // Adding 2^52 + 2^51 leaves the integer, rounded, in the low bits of the mantissa.
  scratch.setFloat64(0, n + 6755399441055744);
  return scratch.getInt32(4);
}

const scratch = new DataView(new ArrayBuffer(8));

function bits(a: Arguments, i: number): number {
  return toBits(a.number(i));
}

function fold(combine: (x: number, y: number) => number): Body {
  return (a) => {
    let out = bits(a, 1);
    // From the last on, which shows in errors.
    for (let i = a.count; i > 1; i--) out = combine(out, bits(a, i));
    return out | 0;
  };
}

function shift(by: (x: number, n: number) => number): Body {
  return (a) => by(bits(a, 1), bits(a, 2) & 31) | 0;
}

function toHex(a: Arguments): string {
  const value = bits(a, 1) >>> 0;
  let digits = a.isNone(2) ? 8 : bits(a, 2);
  const isUpper = digits < 0;
  if (isUpper) digits = -digits;
  if (digits > 8 || digits < 0) digits = 8;
  const text = digits === 0 ? '' : value.toString(16).padStart(8, '0').slice(-digits);
  return isUpper ? text.toUpperCase() : text;
}

function swap(x: number): number {
  return (x >>> 24) | ((x >>> 8) & 0xff00) | ((x & 0xff00) << 8) | (x << 24);
}

export function addBit(m: Machine): void {
  library(m, 'bit', {
    arshift: shift((x, n) => x >> n),
    band: fold((x, y) => x & y),
    bnot: (a) => ~bits(a, 1),
    bor: fold((x, y) => x | y),
    bswap: (a) => swap(bits(a, 1)) | 0,
    bxor: fold((x, y) => x ^ y),
    lshift: shift((x, n) => x << n),
    rol: shift((x, n) => (x << n) | (x >>> ((32 - n) & 31))),
    ror: shift((x, n) => (x >>> n) | (x << ((32 - n) & 31))),
    rshift: shift((x, n) => x >>> n),
    tobit: (a) => bits(a, 1),
    tohex: toHex,
  });
}
