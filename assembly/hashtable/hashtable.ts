/**
 * The open-addressed table: what databases, large sets and large hashes are made of.
 *
 * How it works. The top `bits` bits of an item's 64-bit hash index a directory of segments
 * (extendible hashing). A segment is a run of 64-byte groups (see group.ts); the 32 hash bits below
 * its own depth choose the home group, a full group passes items on to the next. When a segment is
 * 27/32 full it is split in two by the next hash bit and nothing else moves: no operation ever
 * rehashes more than one segment, about 640 items. A table of one segment starts with one group and
 * doubles until it has 63. Neighbours that became sparse are merged again.
 *
 *   segment block (4096 bytes when full grown)
 *   +0  u32 count    items in it
 *   +64 groups       1, 3, 7, 15, 31 or 63 of them
 *
 *   directory entry (u32): address of the block, its low six bits:
 *     0..31   63 groups; the value is the segment's depth
 *     32+k    2^k - 1 groups, depth 0 (only while the table is a single segment)
 *
 * Home groups follow the hash from the top bit down, so walking segments and groups in order is
 * walking the hash space in order, and a split refines that order without changing it. A scan
 * cursor is therefore just a position in hash space (52 bits), valid across any growth or merge:
 * an item present during the whole scan is returned at least once.
 *
 * Limits. It stores addresses of items and knows only their keys (item.ts); who owns an item frees
 * it. Addresses of slots are valid until the next insertion or deletion. Running out of memory
 * during a split is no error while the segment has free slots.
 *
 * Sources: extendible hashing (Fagin et al., 1979); F14 overflow counting; order-preserving cursor
 * is this project's own.
 */
import { alloc, free, usableSize } from '../base/alloc';
import { siphash } from '../base/siphash';
import { prngBelow, prngU32 } from '../base/prng';
import {
  GROUP_MASK,
  GROUP_SIZE,
  GROUP_SLOTS,
  groupClear,
  groupForeign,
  groupMatch,
  groupOverflow,
  groupPass,
  groupSlot,
  groupTake,
  groupUnpass,
  groupUsed,
} from './group';
import { itemKeyEquals, itemKeyLen, itemKeyPtr } from './item';

const SEGMENT_HEADER: usize = 64;
const FULL_LOG: u32 = 6;
const FULL_GROUPS: u32 = (1 << FULL_LOG) - 1;
const SMALL_TAG: u32 = 32;
const ENTRY_MASK: u32 = 63;
/** Splits happen at this many items in a full-grown segment: 27/32 of its slots. */
const SPLIT_COUNT: u32 = (FULL_GROUPS * GROUP_SLOTS * 27) / 32;
/** Buddies are merged when both together hold at most this many. */
const MERGE_COUNT: u32 = (FULL_GROUPS * GROUP_SLOTS * 10) / 32;
/** 2^20 segments of 470 items are more than 4 GiB can hold. */
const DEPTH_MAX: u32 = 20;
/** A scan cursor is the top 52 bits of a hash, so it is exact in a JavaScript number as well. */
const CURSOR_SHIFT: u64 = 12;

/** Head of a table; lives wherever its owner puts it (HT_SIZE bytes). */
@unmanaged
export class HashTable {
  /** Directory of 2^bits segment entries; 0 = nothing was ever inserted. */
  dir: u32;
  /** log2 of the directory's length, the depth of the deepest segment. */
  bits: u32;
  /** Items in the table. */
  count: u32;
  /** Segments in the table. */
  segments: u32;
  /** > 0: deletions do not merge segments (a walk is going on). */
  pauseMerge: u32;
}
export const HT_SIZE: usize = offsetof<HashTable>();

/** Makes raw memory an empty table. */
export function htInit(t: HashTable): void {
  t.dir = 0;
  t.bits = 0;
  t.count = 0;
  t.segments = 0;
  t.pauseMerge = 0;
}

// @ts-ignore: decorator
@inline export function htHash(ptr: usize, len: u32): u64 {
  return siphash(ptr, len);
}

// @ts-ignore: decorator
@inline function entryFor(t: HashTable, hash: u64): u32 {
  return load<u32>(<usize>t.dir + (<usize>((hash >>> 1) >>> (63 - <u64>t.bits)) << 2));
}

// @ts-ignore: decorator
@inline function entrySegment(entry: u32): usize {
  return <usize>(entry & ~ENTRY_MASK);
}

// @ts-ignore: decorator
@inline function entryDepth(entry: u32): u32 {
  const low = entry & ENTRY_MASK;
  return low < SMALL_TAG ? low : 0;
}

// @ts-ignore: decorator
@inline function entryGroups(entry: u32): u32 {
  const low = entry & ENTRY_MASK;
  return low < SMALL_TAG ? FULL_GROUPS : (1 << (low - SMALL_TAG)) - 1;
}

/** Home group of a hash within a segment. */
// @ts-ignore: decorator
@inline function homeGroup(hash: u64, depth: u32, groups: u32): u32 {
  const fraction = (hash << <u64>depth) >>> 32;
  return <u32>((fraction * <u64>groups) >>> 32);
}

// @ts-ignore: decorator
@inline function tagOf(hash: u64): u32 {
  const tag = <u32>hash & 0xff;
  return tag == 0 ? 1 : tag;
}

// @ts-ignore: decorator
@inline function groupAt(segment: usize, index: u32): usize {
  return segment + SEGMENT_HEADER + <usize>index * GROUP_SIZE;
}

// @ts-ignore: decorator
@inline function groupOfSlot(slot: usize): usize {
  return slot & ~(GROUP_SIZE - 1);
}

/** The item in a slot. */
// @ts-ignore: decorator
@inline export function htItem(slot: usize): usize {
  return load<u32>(slot);
}

/** Puts another item with the same key in a slot (after a reallocation). */
// @ts-ignore: decorator
@inline export function htSetItem(slot: usize, item: usize): void {
  store<u32>(slot, <u32>item);
}

/** The slot of a key, or 0. O(1). */
export function htFind(t: HashTable, keyPtr: usize, keyLen: u32, hash: u64): usize {
  if (t.count == 0) return 0;
  const entry = entryFor(t, hash);
  const groups = entryGroups(entry);
  const segment = entrySegment(entry);
  const tag = tagOf(hash);
  let index = homeGroup(hash, entryDepth(entry), groups);
  for (let n: u32 = 0; n < groups; n++) {
    const group = groupAt(segment, index);
    let hits = groupMatch(group, tag);
    while (hits != 0) {
      const slot = groupSlot(group, ctz(hits));
      if (itemKeyEquals(load<u32>(slot), keyPtr, keyLen)) return slot;
      hits &= hits - 1;
    }
    if (groupOverflow(group) == 0) return 0;
    if (++index == groups) index = 0;
  }
  return 0;
}

/**
 * Loads the home groups of `count` hashes (u64 each). The loop does nothing else, so that as many
 * cache misses as possible are under way at once. A hint: it changes nothing.
 */
export function htTouchGroups(t: HashTable, hashes: usize, count: u32): void {
  if (t.count == 0) return;
  let sum: u32 = 0;
  const end = hashes + (<usize>count << 3);
  for (let at = hashes; at < end; at += 8) sum += load<u8>(homeOfHash(t, load<u64>(at)));
  touchSink = sum;
}

/**
 * Loads the items whose tags fit those hashes; to be called after `htTouchGroups`. `reach` is the
 * offset of a second load, 0 = none: for tables whose items are longer than a cache line.
 */
export function htTouchItems(t: HashTable, hashes: usize, count: u32, reach: usize): void {
  if (t.count == 0) return;
  let sum: u32 = 0;
  const end = hashes + (<usize>count << 3);
  for (let at = hashes; at < end; at += 8) {
    const hash = load<u64>(at);
    const group = homeOfHash(t, hash);
    // Without a match some slot is taken: stale or 0, its address is always inside the memory.
    const hits = groupMatch(group, tagOf(hash)) | (1 << (GROUP_SLOTS - 1));
    const item = <usize>load<u32>(groupSlot(group, ctz(hits)));
    sum += load<u8>(item) + load<u8>(item + reach);
  }
  touchSink = sum;
}

// @ts-ignore: decorator
@inline function homeOfHash(t: HashTable, hash: u64): usize {
  const entry = entryFor(t, hash);
  const index = homeGroup(hash, entryDepth(entry), entryGroups(entry));
  return groupAt(entrySegment(entry), index);
}

function newSegment(groups: u32): usize {
  const size = SEGMENT_HEADER + <usize>groups * GROUP_SIZE;
  const segment = alloc(size);
  if (segment != 0) memory.fill(segment, 0, size);
  return segment;
}

/** Puts an item into a segment that has a free slot; returns the slot. */
function place(segment: usize, groups: u32, home: u32, tag: u32): usize {
  let index = home;
  let group = groupAt(segment, index);
  let empty = groupMatch(group, 0);
  while (empty == 0) {
    groupPass(group);
    if (++index == groups) index = 0;
    group = groupAt(segment, index);
    empty = groupMatch(group, 0);
  }
  const at = ctz(empty);
  groupTake(group, at, tag, index != home);
  store<u32>(segment, load<u32>(segment) + 1);
  return groupSlot(group, at);
}

/**
 * A slot for a key that is not in the table; the caller stores the item's address with `htSetItem`
 * before anything else touches the table. 0 when memory ran out (nothing changed). Amortised O(1),
 * at worst one segment is split. May grow memory.
 */
export function htInsertSlot(t: HashTable, hash: u64): usize {
  if (t.dir == 0 && !createFirst(t)) return 0;
  for (;;) {
    const entry = entryFor(t, hash);
    const groups = entryGroups(entry);
    const segment = entrySegment(entry);
    const count = load<u32>(segment);
    const soft = groups == FULL_GROUPS ? SPLIT_COUNT : (groups * GROUP_SLOTS * 7) >>> 3;
    if (count < soft || (groups == 1 && count < GROUP_SLOTS)) {
      t.count++;
      return place(segment, groups, homeGroup(hash, entryDepth(entry), groups), tagOf(hash));
    }
    const grown = groups == FULL_GROUPS ? splitSegment(t, hash) : enlarge(t);
    if (grown) continue;
    if (count >= groups * GROUP_SLOTS) return 0;
    t.count++;
    return place(segment, groups, homeGroup(hash, entryDepth(entry), groups), tagOf(hash));
  }
}

function createFirst(t: HashTable): bool {
  const dir = alloc(4);
  if (dir == 0) return false;
  const segment = newSegment(1);
  if (segment == 0) {
    free(dir);
    return false;
  }
  store<u32>(dir, <u32>segment | (SMALL_TAG + 1));
  t.dir = <u32>dir;
  t.bits = 0;
  t.segments = 1;
  return true;
}

/** Moves all items of one segment into one or two fresh ones, by the hash bit below `depth`. */
function redistribute(from: usize, groups: u32, depth: u32, low: usize, high: usize): void {
  const newGroups = high != 0 ? FULL_GROUPS : <u32>((usableGroups(low)));
  for (let g: u32 = 0; g < groups; g++) {
    const group = groupAt(from, g);
    touchItems(group);
    let used = groupUsed(group);
    while (used != 0) {
      const item = <usize>load<u32>(groupSlot(group, ctz(used)));
      used &= used - 1;
      const hash = siphash(itemKeyPtr(item), itemKeyLen(item));
      const upper = high != 0 && ((hash << <u64>depth) >>> 63) != 0;
      const home = homeGroup(hash, high != 0 ? depth + 1 : depth, newGroups);
      store<u32>(place(upper ? high : low, newGroups, home, tagOf(hash)), <u32>item);
    }
  }
}

/** Starts loading all items of a group before the first is needed. */
function touchItems(group: usize): void {
  let used = groupUsed(group);
  let sum: u32 = 0;
  while (used != 0) {
    sum += load<u8>(load<u32>(groupSlot(group, ctz(used))));
    used &= used - 1;
  }
  touchSink = sum;
}
/** Where touched bytes go, so that the compiler keeps the loads. */
export let touchSink: u32 = 0;

/** Groups in a block made by `newSegment`: sizes are exact classes, so the block tells. */
function usableGroups(segment: usize): u32 {
  return <u32>((usableSize(segment) - SEGMENT_HEADER) / GROUP_SIZE);
}

/** Doubles the only segment of a small table. */
function enlarge(t: HashTable): bool {
  const entry = load<u32>(t.dir);
  const log = (entry & ENTRY_MASK) - SMALL_TAG + 1;
  const fresh = newSegment((1 << log) - 1);
  if (fresh == 0) return false;
  redistribute(entrySegment(entry), entryGroups(entry), 0, fresh, 0);
  free(entrySegment(entry));
  store<u32>(t.dir, <u32>fresh | (log == FULL_LOG ? 0 : SMALL_TAG + log));
  return true;
}

function doubleDirectory(t: HashTable): bool {
  if (t.bits >= DEPTH_MAX) return false;
  const length: usize = <usize>1 << t.bits;
  const fresh = alloc(length << 3);
  if (fresh == 0) return false;
  for (let i: usize = 0; i < length; i++) {
    const entry = load<u32>(<usize>t.dir + (i << 2));
    store<u32>(fresh + (i << 3), entry);
    store<u32>(fresh + (i << 3), entry, 4);
  }
  free(t.dir);
  t.dir = <u32>fresh;
  t.bits++;
  return true;
}

/** Splits the segment that a hash falls into. False: out of memory, nothing changed. */
function splitSegment(t: HashTable, hash: u64): bool {
  const entry = entryFor(t, hash);
  const depth = entryDepth(entry);
  if (depth == t.bits && !doubleDirectory(t)) return false;
  const low = newSegment(FULL_GROUPS);
  if (low == 0) return false;
  const high = newSegment(FULL_GROUPS);
  if (high == 0) {
    free(low);
    return false;
  }
  redistribute(entrySegment(entry), FULL_GROUPS, depth, low, high);
  free(entrySegment(entry));
  t.segments++;
  const span: usize = <usize>1 << (t.bits - depth);
  const first = <usize>((hash >>> 1) >>> (63 - <u64>t.bits)) & ~(span - 1);
  setEntries(t, first, span >>> 1, <u32>low | (depth + 1));
  setEntries(t, first + (span >>> 1), span >>> 1, <u32>high | (depth + 1));
  return true;
}

function setEntries(t: HashTable, first: usize, length: usize, entry: u32): void {
  for (let i: usize = 0; i < length; i++) {
    store<u32>(<usize>t.dir + ((first + i) << 2), entry);
  }
}

/**
 * Takes the item in `slot`, whose key hashes to `hash`, out of the table; the item itself is the
 * caller's to free. Slots found before are no longer valid. O(1), at worst two segments merge.
 */
export function htRemove(t: HashTable, slot: usize, hash: u64): void {
  const entry = entryFor(t, hash);
  const groups = entryGroups(entry);
  const segment = entrySegment(entry);
  const target = groupOfSlot(slot);
  let index = homeGroup(hash, entryDepth(entry), groups);
  let group = groupAt(segment, index);
  while (group != target) {
    groupUnpass(group);
    if (++index == groups) index = 0;
    group = groupAt(segment, index);
  }
  groupClear(group, <u32>((slot - groupSlot(group, 0)) >>> 2));
  const count = load<u32>(segment) - 1;
  store<u32>(segment, count);
  t.count--;
  if (count < MERGE_COUNT / 4 && t.pauseMerge == 0) shrink(t, hash);
}

/** Merges a sparse segment with its buddy, as far as that goes; frees an emptied table. */
function shrink(t: HashTable, hash: u64): void {
  while (mergeBuddies(t, hash)) {}
  if (t.count == 0 && t.segments == 1) release(t);
}

function mergeBuddies(t: HashTable, hash: u64): bool {
  const entry = entryFor(t, hash);
  const depth = entryDepth(entry);
  if (depth == 0) return false;
  const span: usize = <usize>1 << (t.bits - depth);
  const first = <usize>((hash >>> 1) >>> (63 - <u64>t.bits)) & ~(span * 2 - 1);
  const low = load<u32>(<usize>t.dir + (first << 2));
  const high = load<u32>(<usize>t.dir + ((first + span) << 2));
  if (entryDepth(low) != depth || entryDepth(high) != depth) return false;
  const lowSegment = entrySegment(low);
  const highSegment = entrySegment(high);
  if (load<u32>(lowSegment) + load<u32>(highSegment) > MERGE_COUNT) return false;
  const fresh = newSegment(FULL_GROUPS);
  if (fresh == 0) return false;
  redistribute(lowSegment, FULL_GROUPS, depth - 1, fresh, 0);
  redistribute(highSegment, FULL_GROUPS, depth - 1, fresh, 0);
  free(lowSegment);
  free(highSegment);
  t.segments--;
  setEntries(t, first, span * 2, <u32>fresh | (depth - 1));
  if (t.segments == 1) collapseDirectory(t, <u32>fresh);
  return true;
}

/** A table of one segment needs one directory entry. */
function collapseDirectory(t: HashTable, entry: u32): void {
  const dir = alloc(4);
  if (dir == 0) return;
  free(t.dir);
  store<u32>(dir, entry);
  t.dir = <u32>dir;
  t.bits = 0;
}

function release(t: HashTable): void {
  free(entrySegment(load<u32>(t.dir)));
  free(t.dir);
  t.dir = 0;
  t.bits = 0;
  t.segments = 0;
}

/** Index of the first group boundary in hash space at or after group `index`. */
function groupStart(index: u32, groups: u32): u64 {
  return ((<u64>index << 32) + groups - 1) / groups;
}

/**
 * One step of a scan: calls `visit(item, arg)` for every item whose home is the group at `cursor`
 * and returns the cursor of the next group, 0 at the end. Any 64-bit number is a valid cursor.
 * The callback may delete the visited item only while `pauseMerge` is up.
 */
export function htScan(
  t: HashTable,
  cursor: u64,
  visit: (item: usize, arg: usize) => void,
  arg: usize,
): u64 {
  if (t.count == 0) return 0;
  const position = cursor << CURSOR_SHIFT;
  const entry = entryFor(t, position);
  const depth = entryDepth(entry);
  const groups = entryGroups(entry);
  const segment = entrySegment(entry);
  const home = homeGroup(position, depth, groups);
  let index = home;
  for (let n: u32 = 0; n < groups; n++) {
    const group = groupAt(segment, index);
    // In the home group all but the foreign ones belong to it, behind it only foreign ones may.
    let bits = groupUsed(group) & (n == 0 ? ~groupForeign(group) : groupForeign(group));
    while (bits != 0) {
      const item = <usize>load<u32>(groupSlot(group, ctz(bits)));
      bits &= bits - 1;
      if (n == 0 || homeOf(item, depth, groups) == home) visit(item, arg);
    }
    if (groupOverflow(group) == 0) break;
    if (++index == groups) index = 0;
  }
  return nextCursor(position, depth, home + 1, groups);
}

// @ts-ignore: decorator
@inline function homeOf(item: usize, depth: u32, groups: u32): u32 {
  return homeGroup(siphash(itemKeyPtr(item), itemKeyLen(item)), depth, groups);
}

function nextCursor(position: u64, depth: u32, group: u32, groups: u32): u64 {
  const prefix = depth == 0 ? 0 : (position >>> (64 - <u64>depth)) << (64 - <u64>depth);
  const start = groupStart(group, groups);
  // `start` reaches 2^32 behind the last group: then it carries into the prefix, or out of it.
  const next = prefix + ((start << 32 >>> <u64>depth) | (start >>> 32 != 0 ? carry(depth) : 0));
  // Rounded up to what a cursor can tell; a boundary rounded up would skip, so it is exact: depth
  // is at most 20 and the 32 bits of `start` end at bit 12.
  return next >>> CURSOR_SHIFT;
}

/** One unit above the fraction below `depth`; 0 when it falls out of 64 bits. */
function carry(depth: u32): u64 {
  return depth == 0 ? 0 : (<u64>1) << (64 - <u64>depth);
}

/** A random item, uniformly; 0 when the table is empty. */
export function htRandom(t: HashTable): usize {
  const slot = htRandomSlot(t);
  return slot == 0 ? 0 : htItem(slot);
}

/** The slot of a random item, uniformly; 0 when the table is empty. */
export function htRandomSlot(t: HashTable): usize {
  if (t.count == 0) return 0;
  if (t.segments == 1) {
    const entry = load<u32>(t.dir);
    const sparse = t.count < (entryGroups(entry) * GROUP_SLOTS) >>> 3;
    if (sparse) return nthSlot(entrySegment(entry), prngBelow(t.count));
  }
  for (let tries: u32 = 0; tries < 4096; tries++) {
    const at = prngU32() & ((1 << t.bits) - 1);
    const entry = load<u32>(<usize>t.dir + (<usize>at << 2));
    // A shallow segment has many directory entries; only its first counts.
    if ((at & ((1 << (t.bits - entryDepth(entry))) - 1)) != 0) continue;
    const groups = entryGroups(entry);
    const pick = prngBelow(groups * GROUP_SLOTS);
    const group = groupAt(entrySegment(entry), pick / GROUP_SLOTS);
    const index = pick % GROUP_SLOTS;
    if (groupUsed(group) & (1 << index)) return groupSlot(group, index);
  }
  const item = firstItemFrom(t, (<u64>prngU32() << 20) | (prngU32() >>> 12));
  return htFind(t, itemKeyPtr(item), itemKeyLen(item), siphash(itemKeyPtr(item), itemKeyLen(item)));
}

/** The slot of the item before which `n` others stand in a segment. */
function nthSlot(segment: usize, n: u32): usize {
  let group = groupAt(segment, 0);
  let used = groupUsed(group);
  while (n >= popcnt(used)) {
    n -= popcnt(used);
    group += GROUP_SIZE;
    used = groupUsed(group);
  }
  while (n-- != 0) used &= used - 1;
  return groupSlot(group, ctz(used));
}

/** For tables so sparse that random probing fails: the first item at or after a position. */
function firstItemFrom(t: HashTable, cursor: u64): usize {
  foundItem = 0;
  t.pauseMerge++;
  do {
    cursor = htScan(t, cursor, keepItem, 0);
  } while (foundItem == 0);
  t.pauseMerge--;
  return foundItem;
}
let foundItem: usize = 0;
function keepItem(item: usize, _arg: usize): void {
  foundItem = item;
}

/**
 * Frees the table's own memory, not the items: `htClearStep` first, or nobody else needs them.
 */
export function htFreeStructure(t: HashTable): void {
  if (t.dir == 0) return;
  const length: usize = <usize>1 << t.bits;
  let i: usize = 0;
  while (i < length) {
    const entry = load<u32>(<usize>t.dir + (i << 2));
    free(entrySegment(entry));
    i += <usize>1 << (t.bits - entryDepth(entry));
  }
  free(t.dir);
  htInit(t);
}

/**
 * Frees items and segments from the hash space's end, at most `budget` groups of them, calling
 * `release(item)` for each item. Returns true when the table is empty and its memory freed. Used
 * on tables that nobody reads any more; between steps the table must not be used otherwise.
 */
export function htClearStep(t: HashTable, release: (item: usize) => void, budget: u32): bool {
  if (t.dir == 0) return true;
  // `pauseMerge` is of no use in a table being torn down: it counts the directory entries done.
  const length: u32 = 1 << t.bits;
  while (t.pauseMerge < length) {
    const entry = load<u32>(<usize>t.dir + (<usize>t.pauseMerge << 2));
    const groups = entryGroups(entry);
    const segment = entrySegment(entry);
    for (let g: u32 = 0; g < groups; g++) {
      const group = groupAt(segment, g);
      touchItems(group);
      let used = groupUsed(group);
      while (used != 0) {
        release(load<u32>(groupSlot(group, ctz(used))));
        used &= used - 1;
      }
    }
    t.count -= load<u32>(segment);
    free(segment);
    t.pauseMerge += 1 << (t.bits - entryDepth(entry));
    if (budget <= groups) return t.pauseMerge >= length ? clearDone(t) : false;
    budget -= groups;
  }
  return clearDone(t);
}

function clearDone(t: HashTable): bool {
  free(t.dir);
  htInit(t);
  return true;
}

/** Bytes of the directory and the segments. O(segments). */
export function htOverhead(t: HashTable): usize {
  if (t.dir == 0) return 0;
  const each: usize = usableSize(entrySegment(load<u32>(t.dir)));
  return usableSize(t.dir) + each * t.segments;
}
