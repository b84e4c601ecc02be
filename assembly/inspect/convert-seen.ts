/**
 * Which keys were written already: for files that are put together out of several.
 *
 * Names are not kept. Of each key the table has 128 bits of two hashes, so memory is 16 bytes a key
 * (23 to 46 with the table's free places) and two keys that differ are never taken for one. When
 * the table would grow beyond its limit the output fails for want of memory: nothing is guessed.
 *
 *   table   2^n places of (u64 siphash, u64 murmur), 0 0 = free; linear probing
 */
import { alloc, free } from '../base/alloc';
import { murmur64a } from '../base/murmur';
import { siphash } from '../base/siphash';

const INITIAL: u32 = 1024;
/** Bytes of the largest table: about 47 million keys. */
const TABLE_MAX: usize = 1 << 30;
const PLACE: usize = 16;

let table: usize = 0;
let places: u32 = 0;
let used: u32 = 0;

/** Forgets all keys. */
export function seenReset(): void {
  free(table);
  table = 0;
  places = 0;
  used = 0;
}

/** Whether the key was noted. */
export function seenHas(db: u32, ptr: usize, len: usize): bool {
  if (places == 0) return false;
  hash(db, ptr, len);
  return load<u64>(find(first, second), 8) != 0;
}

/** The two hashes of a key. */
let first: u64 = 0;
let second: u64 = 0;
function hash(db: u32, ptr: usize, len: usize): void {
  const mixed = (<u64>db + 1) * 0x9e3779b97f4a7c15;
  first = siphash(ptr, len) ^ mixed;
  // never 0: that is a free place
  second = murmur64a(ptr, <u32>len, mixed) | 1;
}

/** Notes a key: 1 = new, 0 = it was there, -1 = no memory for more. */
export function seenAdd(db: u32, ptr: usize, len: usize): i32 {
  if (used >= (places >> 2) * 3 && !grow()) return -1;
  hash(db, ptr, len);
  const at = find(first, second);
  if (load<u64>(at, 8) != 0) return 0;
  store<u64>(at, first);
  store<u64>(at, second, 8);
  used++;
  return 1;
}

/** The place of the pair, or the free one where it belongs. */
function find(one: u64, other: u64): usize {
  const mask = places - 1;
  let at = table + <usize>(<u32>(one >> 20) & mask) * PLACE;
  const end = table + <usize>places * PLACE;
  while (true) {
    const there = load<u64>(at, 8);
    if (there == 0 || (there == other && load<u64>(at) == one)) return at;
    at += PLACE;
    if (at == end) at = table;
  }
}

function grow(): bool {
  const old = table;
  const oldPlaces = places;
  const more: u32 = places == 0 ? INITIAL : places << 1;
  if (<u64>more * PLACE > <u64>TABLE_MAX) return false;
  const made = alloc(<usize>more * PLACE);
  if (made == 0) return false;
  memory.fill(made, 0, <usize>more * PLACE);
  table = made;
  places = more;
  for (let i: u32 = 0; i < oldPlaces; i++) {
    const from = old + <usize>i * PLACE;
    if (load<u64>(from, 8) == 0) continue;
    const at = find(load<u64>(from), load<u64>(from, 8));
    store<u64>(at, load<u64>(from));
    store<u64>(at, load<u64>(from, 8), 8);
  }
  free(old);
  return true;
}
