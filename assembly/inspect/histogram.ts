/**
 * Histograms by powers of two, in static memory: how many keys have a size of 0, 1, 2-3, 4-7 …, and
 * how much memory they take together.
 *
 *   histogram h, bucket b (0: the value 0; else values of b bits)    u64 keys, u64 memory
 */

export const HIST_MEMORY: u32 = 0;
export const HIST_FILE: u32 = 1;
export const HIST_NAME: u32 = 2;
/** + SHAPE_*: bytes of strings, elements of collections. */
export const HIST_SHAPE: u32 = 3;
export const HIST_LARGEST: u32 = 10;
/** Seconds since the last use; the use counter. */
export const HIST_IDLE: u32 = 11;
export const HIST_FREQ: u32 = 12;
export const HISTOGRAMS: u32 = 13;

export const HIST_BUCKETS: u32 = 65;
const CELL: usize = 16;
const cells = memory.data(13520, 8);

export function histogramsBegin(): void {
  memory.fill(cells, 0, <usize>(HISTOGRAMS * HIST_BUCKETS) * CELL);
}

// @ts-ignore: decorator
@inline
export function histogramAdd(h: u32, value: u64, bytes: u64): void {
  const at = cells + <usize>(h * HIST_BUCKETS + 64 - <u32>clz<u64>(value)) * CELL;
  store<u64>(at, load<u64>(at) + 1);
  store<u64>(at, load<u64>(at, 8) + bytes, 8);
}

export function histogramKeys(h: u32, bucket: u32): u64 {
  return load<u64>(cells + <usize>(h * HIST_BUCKETS + bucket) * CELL);
}
export function histogramBytes(h: u32, bucket: u32): u64 {
  return load<u64>(cells + <usize>(h * HIST_BUCKETS + bucket) * CELL, 8);
}
