// Everything of assembly/base in one module, for the vitest files in test/unit/base.
import { siphash as siphashOf } from '../../assembly/base/siphash';
import {
  ll2string as ll2stringOf, string2ll as string2llOf
} from '../../assembly/base/numbers/integers';
import { string2d as string2dOf } from '../../assembly/base/numbers/double';
import {
  formatG17 as formatG17Of, formatShortest as formatShortestOf
} from '../../assembly/base/numbers/format';
import {
  extFormat as extFormatOf, extParse as extParseOf
} from '../../assembly/base/numbers/extended';

export * from '../../assembly/base/bytes';
export * from '../../assembly/base/crc16';
export * from '../../assembly/base/crc64';
export * from '../../assembly/base/glob';
export * from '../../assembly/base/numbers/double';
export * from '../../assembly/base/numbers/extended';
export * from '../../assembly/base/numbers/fixed';
export * from '../../assembly/base/numbers/format';
export * from '../../assembly/base/numbers/integers';
export * from '../../assembly/base/numbers/powers';
export * from '../../assembly/base/numbers/trig';
export * from '../../assembly/base/partial-sort';
export * from '../../assembly/base/prng';
export * from '../../assembly/base/sha1';
export * from '../../assembly/base/sha256';
export * from '../../assembly/base/siphash';
export * from '../../assembly/base/sort';

let compares: u32 = 0;

function ascending32(a: u32, b: u32): i32 {
  compares++;
  return a < b ? -1 : <i32>(a > b);
}

function ascending64(a: u64, b: u64): i32 {
  compares++;
  return a < b ? -1 : <i32>(a > b);
}

function senseless32(a: u32, b: u32): i32 {
  compares++;
  return <i32>((a * 2654435761) ^ (b * 40503));
}

export function compareCount(): u32 {
  return compares;
}

export function index32(kind: u32): u32 {
  const fn = kind ? senseless32 : ascending32;
  return fn.index;
}

export function index64(): u32 {
  const fn = ascending64;
  return fn.index;
}

/** Sums hashes of `rounds` strings of `len` bytes, for timing. */
export function benchSip(ptr: usize, len: usize, rounds: u32): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < rounds; i++) {
    store<u8>(ptr, <u8>i);
    sum += siphashOf(ptr, len);
  }
  return sum;
}

/** Runs one conversion `rounds` times on the text at `ptr`, for timing. */
export function benchText(kind: u32, ptr: usize, len: usize, rounds: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < rounds; i++) {
    if (kind == 0) sum += <u32>string2llOf(ptr, len);
    else if (kind == 1) sum += <u32>string2dOf(ptr, len);
    else if (kind == 2) sum += <u32>extParseOf(ptr, len, ptr + 8192);
    else if (kind == 3) sum += ll2stringOf(load<i64>(ptr), ptr + 8192);
    else if (kind == 4) sum += formatG17Of(load<f64>(ptr), ptr + 8192);
    else if (kind == 5) sum += formatShortestOf(load<f64>(ptr), ptr + 8192);
    else sum += extFormatOf(ptr, ptr + 8192);
  }
  return sum;
}
