/**
 * Choosing some of many at random, each selection of that size equally likely.
 *
 * Two ways: selection sampling walks over all elements once and decides at each (Knuth, TAOCP 2,
 * 3.4.2, algorithm S); for few out of many, numbers are drawn until enough different ones came,
 * and a small table remembers which.
 */
import { alloc, free } from './alloc';
import { prngBelow } from './prng';

let wanted: u32 = 0;
let left: u32 = 0;

/** Begins to choose `count` of `total` elements (count <= total). */
export function sampleBegin(count: u32, total: u32): void {
  wanted = count;
  left = total;
}

/** Whether the next element is chosen; once for each of the `total`, in any order. */
export function sampleTake(): bool {
  if (prngBelow(left--) >= wanted) return false;
  wanted--;
  return true;
}

/** The numbers drawn: open addressing, 0 = empty. */
let drawn: usize = 0;
let mask: u32 = 0;

/**
 * Begins to draw up to `count` different numbers. False: out of memory. `drawnEnd` must follow
 * otherwise. May grow memory.
 */
export function drawnBegin(count: u32): bool {
  let slots: u64 = 16;
  while (slots < <u64>count * 2) slots <<= 1;
  if (slots > 1 << 29) return false;
  drawn = alloc(<usize>slots << 2);
  if (drawn == 0) return false;
  memory.fill(drawn, 0, <usize>slots << 2);
  mask = <u32>slots - 1;
  return true;
}

/** Notes a number above 0; false: it was drawn before. */
export function drawnAdd(n: u32): bool {
  let at = (n * 0x9e3779b1) & mask;
  let there = load<u32>(drawn + (<usize>at << 2));
  while (there != 0 && there != n) {
    at = (at + 1) & mask;
    there = load<u32>(drawn + (<usize>at << 2));
  }
  if (there == n) return false;
  store<u32>(drawn + (<usize>at << 2), n);
  return true;
}

export function drawnEnd(): void {
  free(drawn);
  drawn = 0;
}
