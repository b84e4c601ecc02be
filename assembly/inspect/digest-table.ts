/**
 * Digests of keys by the hash of their names: 24 bytes a key in open addressing, in 256 parts that
 * grow by half on their own, so that growing never takes much at once; 28 to 43 bytes a key in all.
 *
 *   entry   u64 hash of database and name (0: empty), u64 digest (bit 0: seen), i64 expiry in ms
 */
import { alloc, free } from '../base/alloc';

export const ENTRY: usize = 24;
const PARTS: u32 = 256;
const PART_MIN: u32 = 16;
/** Each: u32 block, cap, entries. */
const parts = memory.data(3072, 8);
export let digestEntries: u64 = 0;

export function digestsClear(): void {
  for (let i: u32 = 0; i < PARTS; i++) free(load<u32>(parts + <usize>i * 12));
  memory.fill(parts, 0, 3072);
  digestEntries = 0;
}

/** The entry of that hash, or the empty one for it; 0: the part has none yet. */
export function digestFind(hash: u64): usize {
  const part = parts + <usize>(hash >> 56) * 12;
  const cap = load<u32>(part, 4);
  return cap == 0 ? 0 : placeIn(load<u32>(part), cap, hash);
}

function placeIn(block: usize, cap: u32, hash: u64): usize {
  let i = <u32>(((hash & 0xffffffff) * cap) >> 32);
  while (true) {
    const at = block + <usize>i * ENTRY;
    const here = load<u64>(at);
    if (here == hash || here == 0) return at;
    if (++i == cap) i = 0;
  }
}

/** Keeps the digest of a key; the last one of a name counts. False when memory is short. */
export function digestPut(hash: u64, digest: u64, expireMs: i64): bool {
  const part = parts + <usize>(hash >> 56) * 12;
  const cap = load<u32>(part, 4);
  const entries = load<u32>(part, 8);
  if (<u64>(entries + 1) * 20 > <u64>cap * 17 && !grow(part)) return false;
  const at = placeIn(load<u32>(part), load<u32>(part, 4), hash);
  if (load<u64>(at) == 0) {
    store<u32>(part, entries + 1, 8);
    digestEntries++;
  }
  store<u64>(at, hash);
  store<u64>(at, digest & ~1, 8);
  store<i64>(at, expireMs, 16);
  return true;
}

function grow(part: usize): bool {
  const old: usize = load<u32>(part);
  const oldCap = load<u32>(part, 4);
  const cap = max(oldCap + (oldCap >> 1), PART_MIN);
  const block = alloc(<usize>cap * ENTRY);
  if (block == 0) return false;
  memory.fill(block, 0, <usize>cap * ENTRY);
  for (let i: u32 = 0; i < oldCap; i++) {
    const from = old + <usize>i * ENTRY;
    if (load<u64>(from) != 0) memory.copy(placeIn(block, cap, load<u64>(from)), from, ENTRY);
  }
  free(old);
  store<u32>(part, <u32>block);
  store<u32>(part, cap, 4);
  return true;
}
