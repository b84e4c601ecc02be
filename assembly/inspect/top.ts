/**
 * The largest keys by some measure: tables of a fixed number of rows, sorted, largest first; of
 * equal ones the first in the file. A key that is too small for the table costs one comparison.
 *
 *   table    block of `cap` rows; an order of u32 row numbers
 *   row      f64 measure, memory, file, count, largest, expire ms (-1 none), idle (-1), offset;
 *            +64 u32 db, shape, encoding, i32 freq; +80 u32 bytes of the name, u32 of them kept;
 *            +88 name (ROW_NAME bytes)
 */
import { alloc, free } from '../base/alloc';
import { RdbReader } from '../rdb/input';
import { facts } from './facts';

export const TOP_SIZE: u32 = 0;
export const TOP_LENGTH: u32 = 1;
/** Examples of findings. */
export const TOP_ELEMENT: u32 = 2;
export const TOP_EXPIRED: u32 = 3;
export const TOP_BARELY: u32 = 4;
export const TOP_INTS: u32 = 5;
export const TOP_DIGITS: u32 = 6;
export const TOP_NAME: u32 = 7;
export const TOP_IDLE: u32 = 8;
export const TOP_PENDING: u32 = 9;
export const TOPS: u32 = 10;

export const ROW_NAME: usize = 512;
export const ROW: usize = 600;

/** Of each table: u32 block, order, cap, rows; f64 the smallest measure that gets in. */
const tables = memory.data(240, 8);

// @ts-ignore: decorator
@inline
function table(which: u32): usize {
  return tables + <usize>which * 24;
}

/** Makes a table of `cap` rows (0: none). False when memory is short. */
export function topBegin(which: u32, cap: u32): bool {
  const t = table(which);
  free(load<u32>(t));
  memory.fill(t, 0, 24);
  if (cap == 0) return true;
  const block = alloc(<usize>cap * (ROW + 4));
  if (block == 0) return false;
  store<u32>(t, <u32>block);
  store<u32>(t, <u32>(block + <usize>cap * ROW), 4);
  store<u32>(t, cap, 8);
  return true;
}

export function topEnd(): void {
  for (let i: u32 = 0; i < TOPS; i++) topBegin(i, 0);
}

/** The current key, if its measure is among the largest. */
// @ts-ignore: decorator
@inline
export function topAdd(which: u32, r: RdbReader, measure: f64): void {
  const t = table(which);
  if (measure > load<f64>(t, 16) || load<u32>(t, 12) < load<u32>(t, 8)) insert(t, r, measure);
}

function insert(t: usize, r: RdbReader, measure: f64): void {
  const block: usize = load<u32>(t);
  const order: usize = load<u32>(t, 4);
  const cap = load<u32>(t, 8);
  let rows = load<u32>(t, 12);
  let row = rows;
  if (rows == cap) row = load<u32>(order + (<usize>(--rows) << 2));
  let low: u32 = 0;
  let high = rows;
  while (low < high) {
    const mid = (low + high) >> 1;
    const at = block + <usize>load<u32>(order + (<usize>mid << 2)) * ROW;
    if (load<f64>(at) >= measure) low = mid + 1;
    else high = mid;
  }
  const place = order + (<usize>low << 2);
  memory.copy(place + 4, place, <usize>(rows - low) << 2);
  store<u32>(place, row);
  rows++;
  store<u32>(t, rows, 12);
  fill(block + <usize>row * ROW, r, measure);
  if (rows < cap) return;
  const last = block + <usize>load<u32>(order + (<usize>(rows - 1) << 2)) * ROW;
  store<f64>(t, load<f64>(last), 16);
}

function fill(at: usize, r: RdbReader, measure: f64): void {
  store<f64>(at, measure);
  store<f64>(at, <f64>facts.memory, 8);
  store<f64>(at, <f64>facts.fileBytes, 16);
  store<f64>(at, <f64>facts.count, 24);
  store<f64>(at, <f64>facts.largest, 32);
  store<f64>(at, r.hasExpire ? <f64>r.expireMs : -1, 40);
  store<f64>(at, <f64>r.idleSec, 48);
  store<f64>(at, <f64>r.keyOffset, 56);
  store<u32>(at, r.db, 64);
  store<u32>(at, facts.shape, 68);
  store<u32>(at, facts.encoding, 72);
  store<i32>(at, r.freq, 76);
  const kept = min(r.key.len, ROW_NAME);
  store<u32>(at, <u32>r.key.len, 80);
  store<u32>(at, <u32>kept, 84);
  memory.copy(at + 88, r.key.ptr, kept);
}

export function topRows(which: u32): u32 {
  return load<u32>(table(which), 12);
}
/** Address of row `rank`, 0 the largest. */
export function topRow(which: u32, rank: u32): usize {
  const t = table(which);
  const order: usize = load<u32>(t, 4);
  return <usize>load<u32>(t) + <usize>load<u32>(order + (<usize>rank << 2)) * ROW;
}
