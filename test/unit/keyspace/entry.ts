// Tables and the allocator, bare: items with keys of 8 bytes (a number), driven from a model in
// JavaScript. Compiled with and without SIMD, and with fault injection.
import {
  alloc,
  allocFaultCountdown,
  allocInit,
  allocSetLimit,
  free,
  heapBytes,
  realloc,
  usableSize,
  usedMemory,
} from '../../../assembly/base/alloc';
import { prngSeed } from '../../../assembly/base/prng';
import { sipSeed } from '../../../assembly/base/siphash';
import {
  HashTable,
  HT_SIZE,
  htClearStep,
  htFind,
  htFreeStructure,
  htHash,
  htInit,
  htInsertSlot,
  htItem,
  htOverhead,
  htRandom,
  htRemove,
  htScan,
  htSetItem,
  htTouchGroups,
  htTouchItems,
  touchSink,
} from '../../../assembly/hashtable/hashtable';
import { itemKeyPtr, itemNew, itemReshape } from '../../../assembly/hashtable/item';

const table = changetype<HashTable>(memory.data(64, 8));
const key = memory.data(16, 8);
const seen = memory.data(8192 * 8, 8);
let seenCount: u32 = 0;

export function setUp(seed: u64): void {
  allocInit();
  sipSeed(seed, seed * 3 + 1);
  prngSeed(seed, 7);
  htInit(table);
}
function hashOf(n: u64): u64 {
  store<u64>(key, n);
  return htHash(key, 8);
}
/** 1 added, 0 was there, -1 no memory. */
export function add(n: f64): i32 {
  const hash = hashOf(<u64>n);
  if (htFind(table, key, 8, hash) != 0) return 0;
  const item = itemNew(0, key, 8, 0);
  if (item == 0) return -1;
  const slot = htInsertSlot(table, hash);
  if (slot == 0) {
    free(item);
    return -1;
  }
  htSetItem(slot, item);
  return 1;
}
export function has(n: f64): bool {
  const slot = htFind(table, key, 8, hashOf(<u64>n));
  return slot != 0 && load<u64>(itemKeyPtr(htItem(slot))) == <u64>n;
}
export function remove(n: f64): bool {
  const hash = hashOf(<u64>n);
  const slot = htFind(table, key, 8, hash);
  if (slot == 0) return false;
  const item = htItem(slot);
  htRemove(table, slot, hash);
  free(item);
  return true;
}
const touched = memory.data(8, 8);

export function touch(n: f64): u32 {
  const hash = hashOf(<u64>n);
  store<u64>(touched, hash);
  htTouchGroups(table, touched, 1);
  htTouchItems(table, touched, 1, 64);
  return touchSink;
}
export function count(): u32 {
  return table.count;
}
export function segments(): u32 {
  return table.segments;
}
export function depth(): u32 {
  return table.bits;
}
export function overhead(): usize {
  return htOverhead(table);
}
export function pause(on: i32): void {
  table.pauseMerge = on;
}
function note(item: usize, _arg: usize): void {
  store<u64>(seen + ((<usize>seenCount & 8191) << 3), load<u64>(itemKeyPtr(item)));
  seenCount++;
}
/** One scan step; what it visited is at `seenAt`, `visited` of them. */
export function scan(cursor: f64): f64 {
  seenCount = 0;
  return <f64>htScan(table, <u64>cursor, note, 0);
}
export function visited(): u32 {
  return seenCount;
}
export function seenAt(): usize {
  return seen;
}
export function random(): f64 {
  const item = htRandom(table);
  return item == 0 ? -1 : <f64>load<u64>(itemKeyPtr(item));
}
function release(item: usize): void {
  free(item);
}
/** Takes the table down by steps; how many it took. */
export function clear(budget: u32): u32 {
  let steps: u32 = 1;
  table.pauseMerge = 0;
  while (!htClearStep(table, release, budget)) steps++;
  return steps;
}
export function freeStructure(): void {
  htFreeStructure(table);
}

// ---- the allocator

export function take(size: usize): usize {
  return alloc(size);
}
export function give(ptr: usize): void {
  free(ptr);
}
export function resize(ptr: usize, size: usize): usize {
  return realloc(ptr, size);
}
export function usable(ptr: usize): usize {
  return usableSize(ptr);
}
export function used(): usize {
  return usedMemory;
}
export function heap(): usize {
  return heapBytes;
}
export function limit(chunks: u32): void {
  allocSetLimit(chunks);
}
export function faultAfter(n: i32): void {
  allocFaultCountdown = n;
}
export function faultLeft(): i32 {
  return allocFaultCountdown;
}
/** The size of a table's head, for the layouts in db.ts. */
export function headSize(): usize {
  return HT_SIZE;
}

/** A new item with a key of `len` bytes of `fill`. */
export function item(flags: u32, len: u32, fill: u32, inlineLen: u32): usize {
  const bytes = alloc(len);
  if (bytes == 0) return 0;
  memory.fill(bytes, <u8>fill, len);
  const made = itemNew(flags, bytes, len, inlineLen);
  free(bytes);
  return made;
}
export function reshape(ptr: usize, flags: u32): usize {
  return itemReshape(ptr, flags);
}
