/**
 * Sorting only what will be looked at: the records of places 0 … `wanted` - 1 of an array of u32.
 *
 * What it is: Bentley and McIlroy's quicksort ("Engineering a Sort Function", 1993: median of three
 * or of nine, equal records gathered at both ends, insertion sort below seven), leaving parts alone
 * that lie behind the wanted places. Redis sorts so for COUNT and LIMIT, and where records compare
 * equal their order is that of this very algorithm. What it is not: stable, nor safe from bad input
 * by itself: a part that is reached by too many bad pivots is sorted by sort.ts instead.
 *
 * The comparator is as in sort.ts.
 */
import { sort32 } from './sort';

const INSERTION_BELOW: u32 = 7;
const NINE_ABOVE: u32 = 40;
/**
 * Parts waiting to be sorted: from, to, depth. At most one for each level of splitting, and a part
 * deeper than DEPTH_MAX is not split any more: good pivots never get there.
 */
const DEPTH_MAX: u32 = 256;
const stack = memory.data(256 * 12, 4);

let order: u32 = 0;

// @ts-ignore: decorator
@inline function slot(array: usize, i: u32): usize {
  return array + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline function compare(array: usize, i: u32, k: u32): i32 {
  return call_indirect<i32>(order, load<u32>(slot(array, i)), load<u32>(slot(array, k)));
}

// @ts-ignore: decorator
@inline function swap(array: usize, i: u32, k: u32): void {
  const t = load<u32>(slot(array, i));
  store<u32>(slot(array, i), load<u32>(slot(array, k)));
  store<u32>(slot(array, k), t);
}

/** Exchanges `n` records from `i` on with those from `k` on. */
function swapRuns(array: usize, i: u32, k: u32, n: u32): void {
  for (let done: u32 = 0; done < n; done++) swap(array, i + done, k + done);
}

function median(array: usize, a: u32, b: u32, c: u32): u32 {
  if (compare(array, a, b) < 0) {
    if (compare(array, b, c) < 0) return b;
    return compare(array, a, c) < 0 ? c : a;
  }
  if (compare(array, b, c) > 0) return b;
  return compare(array, a, c) < 0 ? a : c;
}

function insertionSort(array: usize, from: u32, to: u32): void {
  for (let m = from + 1; m < to; m++) {
    for (let l = m; l > from && compare(array, l - 1, l) > 0; l--) swap(array, l, l - 1);
  }
}

/** The place of the pivot for the part [from, to). */
function pivot(array: usize, from: u32, to: u32): u32 {
  const n = to - from;
  let middle = from + (n >>> 1);
  if (n == INSERTION_BELOW) return middle;
  let low = from;
  let high = to - 1;
  if (n > NINE_ABOVE) {
    const d = n >>> 3;
    low = median(array, low, low + d, low + 2 * d);
    middle = median(array, middle - d, middle, middle + d);
    high = median(array, high - 2 * d, high - d, high);
  }
  return median(array, low, middle, high);
}

/** Bounds of the records equal to the pivot after `partition`. */
let lessEnd: u32 = 0;
let moreStart: u32 = 0;

/** Splits [from, to) into less than, equal to and more than its pivot. */
function partition(array: usize, from: u32, to: u32): void {
  swap(array, from, pivot(array, from, to));
  // [from, pa) and (pd, to) are equal, [pa, pb) less, (pc, pd] more.
  let pa = from + 1;
  let pb = pa;
  let pc = to - 1;
  let pd = pc;
  for (;;) {
    while (pb <= pc) {
      const c = compare(array, pb, from);
      if (c > 0) break;
      if (c == 0) {
        swap(array, pa, pb);
        pa++;
      }
      pb++;
    }
    while (pb <= pc) {
      const c = compare(array, pc, from);
      if (c < 0) break;
      if (c == 0) {
        swap(array, pc, pd);
        pd--;
      }
      pc--;
    }
    if (pb > pc) break;
    swap(array, pb, pc);
    pb++;
    pc--;
  }
  const left = min(pa - from, pb - pa);
  swapRuns(array, from, pb - left, left);
  const right = min(pd - pc, to - pd - 1);
  swapRuns(array, pb, to - right, right);
  lessEnd = from + (pb - pa);
  moreStart = to - (pd - pc);
}

/**
 * Sorts the `count` u32 records at `array` so far that the first `wanted` (> 0) are in place.
 * O(count + wanted log wanted) in general, O(count log count) always.
 */
export function sortFirst32(array: usize, count: u32, wanted: u32, cmp: u32): void {
  order = cmp;
  let top = stack;
  let from: u32 = 0;
  let to = count;
  let depth: u32 = 0;
  for (;;) {
    while (to - from >= INSERTION_BELOW && depth < DEPTH_MAX) {
      partition(array, from, to);
      depth++;
      if (to - moreStart > 1 && moreStart < wanted) {
        store<u32>(top, moreStart);
        store<u32>(top, to, 4);
        store<u32>(top, depth, 8);
        top += 12;
      }
      to = lessEnd;
    }
    if (to - from >= INSERTION_BELOW) sort32(slot(array, from), to - from, cmp);
    else insertionSort(array, from, to);
    if (top == stack) return;
    top -= 12;
    from = load<u32>(top);
    to = load<u32>(top, 4);
    depth = load<u32>(top, 8);
  }
}
