/**
 * Which keys were written already: for files that are put together out of several.
 *
 * Names are not kept. Of each key the table has 95 bits of two hashes, so memory is 12 bytes a key
 * (15 to 30 with the table's free places), and two keys that differ are not taken for one: among a
 * hundred million that is as likely as 1 in 10^13.
 *
 * The table has a limit. Keys belong to 1024 parts by the first bits of a hash; when the limit is
 * reached, the last parts are given up (`seenTo` comes down) and their keys are left for another
 * pass over the same files. What that pass has to know of a part is how many keys had been met when
 * it was given up: those are written or were left out for good, and are only noted then.
 *
 *   table   2^n places of (u64 siphash, u32 murmur), the latter 0 = free; linear probing
 */
import { alloc, free } from '../base/alloc';
import { murmur64a } from '../base/murmur';
import { siphash } from '../base/siphash';

const INITIAL: u32 = 1024;
/** From here on it grows to its usual limit at once: what smaller tables leave is of no use. */
const STEPWISE: u32 = 1 << 16;
const PLACE: usize = 12;
/** Bytes of the table unless told otherwise, and of one part, which cannot be given up. */
const LIMIT: u64 = <u64>PLACE << 19;
const TABLE_MAX: u64 = <u64>PLACE << 26;
export const SEEN_PARTS: u32 = 1024;
const PART_SHIFT: u64 = 54;

/** What a key is in this pass: for another pass; dealt with in an earlier one; to be dealt with. */
export const TURN_OTHER: i32 = 0;
export const TURN_PAST: i32 = 1;
export const TURN_NOW: i32 = 2;
export const TURN_NO_MEMORY: i32 = -1;

let table: usize = 0;
let places: u32 = 0;
let used: u32 = 0;
let limit: u64 = LIMIT;
/** The parts of this pass, the last not included. */
let seenFrom: u32 = 0;
export let seenTo: u32 = SEEN_PARTS;
/** Keys met in this pass. */
let met: u64 = 0;
/** Of each part: how many of all keys had been met when it was given up. */
const metBefore = memory.data(8192, 8);

/** The hashes of the current key. */
let first: u64 = 0;
let second: u32 = 0;

/** Forgets everything; a first pass begins, with a table of at most so many bytes (0: usual). */
export function seenReset(bytes: u64): void {
  free(table);
  table = 0;
  places = 0;
  used = 0;
  met = 0;
  limit = bytes == 0 ? LIMIT : min(bytes, TABLE_MAX);
  seenFrom = 0;
  seenTo = SEEN_PARTS;
  memory.fill(metBefore, 0, SEEN_PARTS << 3);
}

/** Another pass begins, about parts that were given up: about as many as the last one could do. */
export function seenNextPass(): void {
  const width = seenTo - seenFrom;
  memory.fill(table, 0, <usize>places * PLACE);
  used = 0;
  met = 0;
  seenFrom = seenTo;
  seenTo = min(seenFrom + width, SEEN_PARTS);
}

/** The next key, which is the current one from now on: TURN_*. There is room for it then. */
export function seenTurn(db: u32, ptr: usize, len: usize): i32 {
  hash(db, ptr, len);
  if (isFull() && !makeRoom()) return TURN_NO_MEMORY;
  const number = met++;
  const part = <u32>(first >> PART_SHIFT);
  if (part < seenFrom || part >= seenTo) return TURN_OTHER;
  return number < load<u64>(metBefore + (<usize>part << 3)) ? TURN_PAST : TURN_NOW;
}

/**
 * Makes something that is no key the current one. It belongs to the first part, which no pass gives
 * up: it has to be noted in the first one. False: no memory.
 */
export function seenName(kind: u32, ptr: usize, len: usize): bool {
  hash(kind, ptr, len);
  first = first << 10 >> 10;
  return !isFull() || makeRoom();
}

function hash(db: u32, ptr: usize, len: usize): void {
  const mixed = (<u64>db + 1) * 0x9e3779b97f4a7c15;
  first = siphash(ptr, len) ^ mixed;
  // never 0: that is a free place
  second = <u32>murmur64a(ptr, <u32>len, mixed) | 1;
}

/** Whether the current one was noted. */
export function seenHas(): bool {
  return load<u32>(find(first, second), 8) != 0;
}

/** Notes the current one; false when it was there. */
export function seenAdd(): bool {
  const at = find(first, second);
  if (load<u32>(at, 8) != 0) return false;
  store<u64>(at, first);
  store<u32>(at, second, 8);
  used++;
  return true;
}

// @ts-ignore: decorator
@inline
function homeOf(one: u64): u32 {
  return <u32>(one >> 20) & (places - 1);
}
// @ts-ignore: decorator
@inline
function placeAt(i: u32): usize {
  return table + <usize>i * PLACE;
}

/** The place of the pair, or the free one where it belongs. */
function find(one: u64, other: u32): usize {
  let at = placeAt(homeOf(one));
  const end = placeAt(places);
  while (true) {
    const there = load<u32>(at, 8);
    if (there == 0 || (there == other && load<u64>(at) == one)) return at;
    at += PLACE;
    if (at == end) at = table;
  }
}

function isFull(): bool {
  return used >= (places >> 4) * 13;
}

function makeRoom(): bool {
  let more = places == 0 ? INITIAL : places << 1;
  if (more > STEPWISE) {
    while (<u64>more * PLACE << 1 <= min(limit, LIMIT)) more <<= 1;
  }
  if (<u64>more * PLACE <= limit || places == 0) return grow(more) || narrow();
  return narrow() || (<u64>more * PLACE <= TABLE_MAX && grow(more));
}

function grow(more: u32): bool {
  const made = alloc(<usize>more * PLACE);
  if (made == 0) return false;
  const old = table;
  const oldEnd = placeAt(places);
  memory.fill(made, 0, <usize>more * PLACE);
  table = made;
  places = more;
  for (let from = old; from < oldEnd; from += PLACE) {
    if (load<u32>(from, 8) == 0) continue;
    memory.copy(find(load<u64>(from), load<u32>(from, 8)), from, PLACE);
  }
  free(old);
  return true;
}

/** Gives up an eighth of the parts; false when there is but one, or no table. */
function narrow(): bool {
  const before = used;
  while (used == before) {
    const count = seenTo - seenFrom;
    if (count <= 1 || places == 0) return false;
    for (let n = max<u32>(count >> 3, 1); n > 0; n--) {
      const at = metBefore + (<usize>(--seenTo) << 3);
      store<u64>(at, max(load<u64>(at), met));
    }
    dropGivenUp();
  }
  return true;
}

function dropGivenUp(): void {
  for (let i: u32 = 0; i < places; ) {
    const at = placeAt(i);
    const isGone = load<u32>(at, 8) != 0 && <u32>(load<u64>(at) >> PART_SHIFT) >= seenTo;
    if (isGone) takeOut(i);
    else i++;
  }
}

/** Frees a place; what was displaced by it moves up. */
function takeOut(i: u32): void {
  const mask = places - 1;
  let hole = i;
  let j = i;
  while (true) {
    j = (j + 1) & mask;
    const at = placeAt(j);
    if (load<u32>(at, 8) == 0) break;
    // one that is nearer to its home where it stands stays
    const home = homeOf(load<u64>(at));
    if (((j - home) & mask) < ((j - hole) & mask)) continue;
    memory.copy(placeAt(hole), at, PLACE);
    hole = j;
  }
  memory.fill(placeAt(hole), 0, PLACE);
  used--;
}
