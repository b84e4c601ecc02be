/**
 * The vector SORT works on: elements of a list, set or sorted set, each with what it is ordered by.
 *
 * What it is not: patterns, keys, replies. There is one vector; `vecBegin` … `vecFree` enclose its
 * use, in between the collection and whatever texts were given as weights must not change.
 *
 *   record (16 bytes)   +0 u32 element, +4 u32 its length
 *                       +8 f64 score | u32 text, 0 = none, +12 u32 its length
 *
 * Short texts may be printed integers in somebody's scratch, so they are copied, into blocks of
 * their own (+0 u32 next block); longer ones stay where they are.
 *
 * Order. By score, equal scores by the elements' bytes; or by text, where none goes first. What is
 * equal then keeps the order of the collection, ascending or descending: redis' qsort is a merge
 * sort on the usual C library. (With BY, ALPHA and LIMIT at once Redis takes another algorithm and
 * leaves the order of equals open.)
 */
import { alloc, free } from '../base/alloc';
import { bytesCompare } from '../base/bytes';
import { sort32 } from '../base/sort';
import { elLen, elPtr } from './element';
import { ListPos, listSeek, listStep } from './list';
import { setScan } from './set';
import { ZsetPos, zsetSeek, zsetStep } from './zset';

const RECORD: usize = 16;
const OFF_WEIGHT: usize = 8;
/** The longest text that may be a printed integer. */
const SHORT_MAX: u32 = 20;
const BLOCK_SIZE: usize = 8192;
const BLOCK_HEADER: usize = 8;

let records: usize = 0;
/** u32 numbers of records in order; 0 = they are in order themselves. */
let order: usize = 0;
let blocks: usize = 0;
let blockPos: usize = 0;
let blockEnd: usize = 0;
/** Records filled. */
export let vecCount: u32 = 0;

const listPos = changetype<ListPos>(memory.data(16));
const zsetPos = changetype<ZsetPos>(memory.data(16));

/** Room for `count` elements. False: out of memory. May grow memory. */
export function vecBegin(count: u32): bool {
  vecCount = 0;
  const bytes = <u64>count * RECORD;
  records = bytes <= u32.MAX_VALUE ? alloc(<usize>bytes) : 0;
  return records != 0;
}

/** Frees it all; also where `vecBegin` failed or was not called. */
export function vecFree(): void {
  free(records);
  free(order);
  records = 0;
  order = 0;
  blockPos = 0;
  blockEnd = 0;
  while (blocks != 0) {
    const next: usize = load<u32>(blocks);
    free(blocks);
    blocks = next;
  }
}

// @ts-ignore: decorator
@inline function recordAt(i: u32): usize {
  return records + <usize>i * RECORD;
}

/** A text that stays: the same one, or a copy if it is short. 0: out of memory. */
function kept(ptr: usize, len: u32): usize {
  if (len > SHORT_MAX) return ptr;
  if (blockPos + len >= blockEnd) {
    const block = alloc(BLOCK_SIZE);
    if (block == 0) return 0;
    store<u32>(block, <u32>blocks);
    blocks = block;
    blockPos = block + BLOCK_HEADER;
    blockEnd = block + BLOCK_SIZE;
  }
  const at = blockPos;
  memory.copy(at, ptr, len);
  blockPos += len;
  return at;
}

// ---- elements

/** Adds the element in elPtr, elLen. False: out of memory. */
function add(): bool {
  const text = kept(elPtr, elLen);
  if (text == 0) return false;
  const at = recordAt(vecCount++);
  store<u32>(at, <u32>text);
  store<u32>(at, elLen, 4);
  return true;
}

/** Adds `count` elements of a list from `start` on, which must be there. False: no memory. */
export function vecAddList(obj: usize, start: u32, count: u32, forward: bool): bool {
  if (count != 0) listSeek(obj, start, listPos);
  for (let i: u32 = 0; i < count; i++) {
    if (i != 0) listStep(listPos, forward);
    if (!add()) return false;
  }
  return true;
}

/** The same of a sorted set, from a rank on. */
export function vecAddZset(obj: usize, rank: u32, count: u32, forward: bool): bool {
  if (count != 0) zsetSeek(obj, rank, zsetPos);
  for (let i: u32 = 0; i < count; i++) {
    if (i != 0) zsetStep(zsetPos, forward);
    if (!add()) return false;
  }
  return true;
}

let isFull: bool = false;

function addMember(_arg: usize): void {
  if (!isFull && !add()) isFull = true;
}

/** Adds all members of a set. False: no memory. */
export function vecAddSet(obj: usize): bool {
  isFull = false;
  let cursor: u64 = 0;
  do {
    cursor = setScan(obj, cursor, addMember, 0);
  } while (cursor != 0 && !isFull);
  return !isFull;
}

/** The element read by `vecRead`. */
export let vecPtr: usize = 0;
export let vecLen: u32 = 0;

/** Reads the element at a place: before `vecSort` as they were added, then in order. */
export function vecRead(i: u32): void {
  const at = recordAt(order == 0 ? i : load<u32>(order + (<usize>i << 2)));
  vecPtr = load<u32>(at);
  vecLen = load<u32>(at, 4);
}

// ---- weights

export function vecSetScore(i: u32, score: f64): void {
  store<f64>(recordAt(i), score, OFF_WEIGHT);
}

/** Sets the text an element is ordered by; `ptr` 0: it has none. False: no memory. */
export function vecSetText(i: u32, ptr: usize, len: u32): bool {
  const at = recordAt(i);
  const text: usize = ptr == 0 ? 0 : kept(ptr, len);
  store<u32>(at, <u32>text, OFF_WEIGHT);
  store<u32>(at, len, OFF_WEIGHT + 4);
  return text != 0 || ptr == 0;
}

// ---- order

/** 1, or -1 for descending. */
let direction: i32 = 1;

/** Puts the vector in order: by texts (`alpha`) or scores. False: no memory. O(n log n). */
export function vecSort(alpha: bool, descending: bool): bool {
  order = alloc(max(<usize>vecCount << 2, 4));
  if (order == 0) return false;
  for (let i: u32 = 0; i < vecCount; i++) store<u32>(order + (<usize>i << 2), i);
  direction = descending ? -1 : 1;
  const compare = alpha ? compareTexts : compareScores;
  sort32(order, vecCount, compare.index);
  return true;
}

// @ts-ignore: decorator
@inline function beforeIfEqual(result: i32, a: u32, b: u32): i32 {
  if (result != 0) return result * direction;
  return a < b ? -1 : 1;
}

function compareBytes(a: usize, b: usize): i32 {
  return bytesCompare(load<u32>(a), load<u32>(a, 4), load<u32>(b), load<u32>(b, 4));
}

function compareScores(a: u32, b: u32): i32 {
  const first = recordAt(a);
  const second = recordAt(b);
  const x = load<f64>(first, OFF_WEIGHT);
  const y = load<f64>(second, OFF_WEIGHT);
  return beforeIfEqual(x == y ? compareBytes(first, second) : x < y ? -1 : 1, a, b);
}

function compareTexts(a: u32, b: u32): i32 {
  const first = recordAt(a) + OFF_WEIGHT;
  const second = recordAt(b) + OFF_WEIGHT;
  const hasFirst = load<u32>(first) != 0;
  const hasSecond = load<u32>(second) != 0;
  if (hasFirst && hasSecond) return beforeIfEqual(compareBytes(first, second), a, b);
  return beforeIfEqual(<i32>hasFirst - <i32>hasSecond, a, b);
}
