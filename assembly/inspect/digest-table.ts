/**
 * Digests of keys by the hash of their names: 16 bytes a key, in parts by the first bits of the
 * hash. Keys are appended; `digestsSort` puts each part in order, then they can be looked up.
 *
 * The table has a limit. When it is reached, the last parts are given up (`digestTo` comes down)
 * and nothing of theirs is taken any more: they are for another pass over the files. One part alone
 * may grow beyond the limit.
 *
 *   entry   u64 48 bits of the hash of database and name, below them 16 bits of the digest
 *           u64 25 more bits of the digest, 38 bits of the expiry in ms, seen
 *
 * Two expiries are taken for the same when they are a multiple of 8.7 years apart, to the ms.
 */
import { alloc, free, realloc } from '../base/alloc';

const ENTRY_SHIFT: u32 = 4;
const BLOCK_SHIFT: u32 = 6;
const BLOCK_ENTRIES: u32 = 1 << BLOCK_SHIFT;
const BLOCK: usize = 1024;
/** The first bits of the hash say which. */
export const DIGEST_PARTS: u32 = 1024;
const PART_SHIFT: u64 = 54;
/** Where the limit is unless told otherwise. */
const LIMIT: u64 = 16 << 20;

const DIGEST_LOW: u64 = 0xffff;
const EXPIRE: u64 = 0x3fffffffff;
const SEEN: u64 = 1;

export const KEY_UNKNOWN: i32 = 0;
export const KEY_SAME: i32 = 1;
export const KEY_OTHER_EXPIRY: i32 = 2;
export const KEY_OTHER_VALUE: i32 = 3;

/** Each: u32 addresses of its blocks (doubled from 4 on), u32 entries. */
const parts = memory.data(8192, 8);
/** The parts that are taken, the last not included. */
export let digestFrom: u32 = 0;
export let digestTo: u32 = DIGEST_PARTS;
let held: u64 = 0;
let limit: u64 = LIMIT;
/** Keys that are there, and how many of them were found by digestCompare. */
export let digestEntries: u64 = 0;
export let digestMatched: u64 = 0;

// @ts-ignore: decorator
@inline
function partAt(i: u32): usize {
  return parts + (<usize>i << 3);
}
// @ts-ignore: decorator
@inline
function entryAt(blocks: usize, i: u32): usize {
  const block: usize = load<u32>(blocks + ((i >> BLOCK_SHIFT) << 2));
  return block + ((i & (BLOCK_ENTRIES - 1)) << ENTRY_SHIFT);
}
// @ts-ignore: decorator
@inline
function tagOf(hash: u64): u64 {
  return hash << 10 & ~DIGEST_LOW;
}

/** An empty table for parts `from` up to `to` (0: all), in at most `bytes` (0: the usual). */
export function digestsBegin(from: u32, to: u32, bytes: u64): void {
  for (let i: u32 = 0; i < DIGEST_PARTS; i++) giveUp(i);
  digestTo = to == 0 ? DIGEST_PARTS : min(to, DIGEST_PARTS);
  digestFrom = min(from, digestTo);
  limit = bytes == 0 ? LIMIT : bytes;
  digestMatched = 0;
}

function giveUp(i: u32): void {
  const part = partAt(i);
  const blocks: usize = load<u32>(part);
  const entries = load<u32>(part, 4);
  for (let at: u32 = 0; at < entries; at += BLOCK_ENTRIES) {
    free(entryAt(blocks, at));
    held -= BLOCK;
  }
  free(blocks);
  store<u64>(part, 0);
  digestEntries -= entries;
}

/** Whether this pass is about the key of that hash. */
export function digestTakes(hash: u64): bool {
  const i = <u32>(hash >> PART_SHIFT);
  return i >= digestFrom && i < digestTo;
}

/** Keeps the digest of a key that is taken. False when memory is short. */
export function digestPut(hash: u64, digest: u64, expireMs: i64): bool {
  const part = partAt(<u32>(hash >> PART_SHIFT));
  const entries = load<u32>(part, 4);
  if ((entries & (BLOCK_ENTRIES - 1)) == 0) {
    while (held + BLOCK > limit && narrow()) {}
    while (digestTakes(hash) && !addBlock(part, entries >> BLOCK_SHIFT)) {
      if (!narrow()) return false;
    }
    if (!digestTakes(hash)) return true;
  }
  const at = entryAt(load<u32>(part), entries);
  store<u64>(at, tagOf(hash) | (digest & DIGEST_LOW));
  store<u64>(at, restOf(digest, expireMs), 8);
  store<u32>(part, entries + 1, 4);
  digestEntries++;
  return true;
}

// @ts-ignore: decorator
@inline
function restOf(digest: u64, expireMs: i64): u64 {
  return digest >> 16 << 39 | (<u64>expireMs & EXPIRE) << 1;
}

/** Gives up an eighth of the parts; false when there is but one. */
function narrow(): bool {
  const count = digestTo - digestFrom;
  if (count <= 1) return false;
  for (let n = max<u32>(count >> 3, 1); n > 0; n--) giveUp(--digestTo);
  return true;
}

function addBlock(part: usize, count: u32): bool {
  if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
    const grown = realloc(load<u32>(part), <usize>max<u32>(count << 1, 4) << 2);
    if (grown == 0) return false;
    store<u32>(part, <u32>grown);
  }
  const block = alloc(BLOCK);
  if (block == 0) {
    if (count == 0) {
      free(load<u32>(part));
      store<u32>(part, 0);
    }
    return false;
  }
  store<u32>(<usize>load<u32>(part) + (<usize>count << 2), <u32>block);
  held += BLOCK;
  return true;
}

/** Makes what was put ready to be looked up. */
export function digestsSort(): void {
  for (let i = digestFrom; i < digestTo; i++) {
    sort(load<u32>(partAt(i)), load<u32>(partAt(i), 4));
  }
}

/** Shell's: in place, and hashes are in no order that could be bad for it. */
function sort(blocks: usize, count: u32): void {
  let gap: u32 = 1;
  while (gap < count / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < count; i++) {
      const from = entryAt(blocks, i);
      const one = load<u64>(from);
      const rest = load<u64>(from, 8);
      let at = i;
      while (at >= gap) {
        const before = entryAt(blocks, at - gap);
        if (load<u64>(before) <= one) break;
        const to = entryAt(blocks, at);
        store<u64>(to, load<u64>(before));
        store<u64>(to, load<u64>(before, 8), 8);
        at -= gap;
      }
      if (at == i) continue;
      const to = entryAt(blocks, at);
      store<u64>(to, one);
      store<u64>(to, rest, 8);
    }
  }
}

/** The first entry of that tag or a higher one. */
function lowerBound(blocks: usize, count: u32, tag: u64): u32 {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u64>(entryAt(blocks, middle)) < tag) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is known of a key (KEY_*), which is seen from now on. A name that was put twice is both. */
export function digestCompare(hash: u64, digest: u64, expireMs: i64): i32 {
  const part = partAt(<u32>(hash >> PART_SHIFT));
  const blocks: usize = load<u32>(part);
  const count = load<u32>(part, 4);
  const tag = tagOf(hash);
  const rest = restOf(digest, expireMs);
  let known = KEY_UNKNOWN;
  for (let i = lowerBound(blocks, count, tag); i < count; i++) {
    const at = entryAt(blocks, i);
    const one = load<u64>(at);
    if ((one & ~DIGEST_LOW) != tag) break;
    const other = load<u64>(at, 8);
    if ((other & SEEN) == 0) digestMatched++;
    store<u64>(at, other | SEEN, 8);
    const isSame = one == (tag | (digest & DIGEST_LOW)) && other >> 39 == rest >> 39;
    if (isSame && (other | SEEN) == (rest | SEEN)) return KEY_SAME;
    known = isSame ? KEY_OTHER_EXPIRY : KEY_OTHER_VALUE;
  }
  return known;
}

/** Whether the key was put and not seen since. */
export function digestIsUnseen(hash: u64): bool {
  const part = partAt(<u32>(hash >> PART_SHIFT));
  const blocks: usize = load<u32>(part);
  const count = load<u32>(part, 4);
  const tag = tagOf(hash);
  const i = lowerBound(blocks, count, tag);
  if (i == count) return false;
  const at = entryAt(blocks, i);
  return (load<u64>(at) & ~DIGEST_LOW) == tag && (load<u64>(at, 8) & SEEN) == 0;
}
