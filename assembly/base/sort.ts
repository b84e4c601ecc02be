/**
 * In-place sorting of fixed-size records by a comparator: introsort.
 *
 * What it is: quicksort (median of three, Hoare partition), insertion sort below 16 records, and
 * heapsort for a range that was split badly too often, so the worst case is O(n log n) compares and
 * O(log n) stack whatever the input. Deterministic: no random pivots. What it is not: stable; a
 * comparator that needs an order among equals must bring one.
 *
 * The comparator is a table index (`fn.index` of a function value), called as
 * `cmp(a: T, b: T): i32`, negative when a goes first. It may not touch the array. A comparator that
 * contradicts itself leaves the records in some order, but never reads or writes outside the array.
 *
 * Source: Musser, "Introspective Sorting and Selection Algorithms", 1997.
 */

/** Ranges up to this many records are left to insertion sort. */
const SMALL_MAX: usize = 16;

/**
 * Sorts `count` u32 records at `ptr` (4-byte records, any alignment) by comparator `cmp`.
 */
export function sort32(ptr: usize, count: usize, cmp: u32): void {
  sortRange<u32>(ptr, count, cmp, depthLimit(count));
}

/**
 * Sorts `count` u64 records at `ptr` (8-byte records, any alignment) by comparator `cmp`.
 */
export function sort64(ptr: usize, count: usize, cmp: u32): void {
  sortRange<u64>(ptr, count, cmp, depthLimit(count));
}

/** Twice the logarithm of the size: deeper splitting than this means bad pivots. */
function depthLimit(count: usize): i32 {
  return count < 2 ? 0 : (31 - <i32>clz<u32>(<u32>count)) << 1;
}

// @ts-ignore: decorator
@inline
function get<T>(ptr: usize, index: usize): T {
  return load<T>(ptr + index * sizeof<T>());
}

// @ts-ignore: decorator
@inline
function put<T>(ptr: usize, index: usize, value: T): void {
  store<T>(ptr + index * sizeof<T>(), value);
}

/** Whether `a` goes strictly before `b`. */
// @ts-ignore: decorator
@inline
function before<T>(cmp: u32, a: T, b: T): bool {
  return call_indirect<i32>(cmp, a, b) < 0;
}

/** Recursion goes into the smaller part only, so the stack stays logarithmic. */
function sortRange<T>(ptr: usize, count: usize, cmp: u32, depth: i32): void {
  while (count > SMALL_MAX) {
    if (depth-- <= 0) {
      heapSort<T>(ptr, count, cmp);
      return;
    }
    const left = partition<T>(ptr, count, cmp);
    const right = count - left;
    const rightPtr = ptr + left * sizeof<T>();
    if (left < right) {
      sortRange<T>(ptr, left, cmp, depth);
      ptr = rightPtr;
      count = right;
    } else {
      sortRange<T>(rightPtr, right, cmp, depth);
      count = left;
    }
  }
  insertionSort<T>(ptr, count, cmp);
}

/**
 * Splits a range so that no record of the first part goes after one of the second; returns the size
 * of the first part, 1 to count - 1. The scans are bounded, so no comparator can lead them astray.
 */
function partition<T>(ptr: usize, count: usize, cmp: u32): usize {
  const last = count - 1;
  const mid = count >> 1;
  let a = get<T>(ptr, 0);
  let b = get<T>(ptr, mid);
  let c = get<T>(ptr, last);
  if (before<T>(cmp, b, a)) { const t = a; a = b; b = t; }
  if (before<T>(cmp, c, b)) {
    const t = b; b = c; c = t;
    if (before<T>(cmp, b, a)) { const u = a; a = b; b = u; }
  }
  put<T>(ptr, 0, a);
  put<T>(ptr, mid, b);
  put<T>(ptr, last, c);
  const pivot = b;
  let i: usize = 0;
  let j: usize = last;
  while (true) {
    do i++; while (i < last && before<T>(cmp, get<T>(ptr, i), pivot));
    do j--; while (j > 0 && before<T>(cmp, pivot, get<T>(ptr, j)));
    if (i >= j) return i;
    const t = get<T>(ptr, i);
    put<T>(ptr, i, get<T>(ptr, j));
    put<T>(ptr, j, t);
  }
}

function insertionSort<T>(ptr: usize, count: usize, cmp: u32): void {
  for (let i: usize = 1; i < count; i++) {
    const value = get<T>(ptr, i);
    let j = i;
    for (; j > 0; j--) {
      const previous = get<T>(ptr, j - 1);
      if (!before<T>(cmp, value, previous)) break;
      put<T>(ptr, j, previous);
    }
    put<T>(ptr, j, value);
  }
}

function heapSort<T>(ptr: usize, count: usize, cmp: u32): void {
  for (let i = count >> 1; i > 0; i--) siftDown<T>(ptr, count, cmp, i - 1);
  for (let end = count - 1; end > 0; end--) {
    const top = get<T>(ptr, 0);
    put<T>(ptr, 0, get<T>(ptr, end));
    put<T>(ptr, end, top);
    siftDown<T>(ptr, end, cmp, 0);
  }
}

/** Moves record `root` of a heap of `count` down to where it belongs. */
function siftDown<T>(ptr: usize, count: usize, cmp: u32, root: usize): void {
  const value = get<T>(ptr, root);
  while (true) {
    let child = (root << 1) + 1;
    if (child >= count) break;
    if (child + 1 < count && before<T>(cmp, get<T>(ptr, child), get<T>(ptr, child + 1))) child++;
    if (!before<T>(cmp, value, get<T>(ptr, child))) break;
    put<T>(ptr, root, get<T>(ptr, child));
    root = child;
  }
  put<T>(ptr, root, value);
}
