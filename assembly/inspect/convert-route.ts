/**
 * Which part a key goes to, and under which database: splitting and renumbering.
 *
 * A label says what a part stands for: the database, the type (SHAPE_*), or the place in the list
 * of ranges or patterns that was asked for (their number: what none of them takes).
 */
import { keyHashSlot } from '../base/crc16';
import { murmur64a } from '../base/murmur';
import { RdbReader } from '../rdb/input';
import { facts } from './facts';
import { nameMatches } from './filter';
import { optionNumber, optionTextLen, optionTextPtr } from './options';

export const SPLIT_NONE: u32 = 0;
export const SPLIT_DB: u32 = 1;
export const SPLIT_TYPE: u32 = 2;
/** Ranges of slots: pairs of u32, both included, in OPT_SPLIT_LIST. */
export const SPLIT_SLOTS: u32 = 3;
/** OPT_SPLIT_COUNT parts: the slots divided evenly, or keys by a hash of their name. */
export const SPLIT_BY_SLOT: u32 = 4;
export const SPLIT_BY_HASH: u32 = 5;
/** Globs, (u32 length, bytes)* in OPT_SPLIT_LIST; the first that matches. */
export const SPLIT_PATTERNS: u32 = 6;
/** A new part when one has OPT_SPLIT_COUNT bytes. */
export const SPLIT_SIZE: u32 = 7;

// ---- places of options (host/rdb/convert-frames.ts has the same)
export const OPT_VERSION: u32 = 0;
export const OPT_VALKEY: u32 = 1;
/** CONVERT_* of convert.ts. */
export const OPT_FLAGS: u32 = 2;
export const OPT_PACK: u32 = 3;
export const OPT_SPLIT: u32 = 4;
export const OPT_SPLIT_COUNT: u32 = 5;
export const OPT_SPLIT_LIST: u32 = 6;
/** Pairs of u32: database in the source, database in the output. */
export const OPT_DB_MAP: u32 = 7;
/** How often the files were read before, and bytes for the table of keys (convert-seen.ts). */
export const OPT_PASS: u32 = 8;
export const OPT_SEEN_BYTES: u32 = 9;

const SLOTS: u64 = 16384;
const SEED: u64 = 0x726573706974;

export let splitKind: u32 = SPLIT_NONE;
let splitCount: u64 = 0;

export function routeBegin(): void {
  splitKind = <u32>optionNumber(OPT_SPLIT);
  splitCount = <u64>optionNumber(OPT_SPLIT_COUNT);
}

/** Parts that exist whatever keys there are; 0: they come as keys come. */
export function fixedParts(): u32 {
  if (splitKind == SPLIT_BY_SLOT || splitKind == SPLIT_BY_HASH) return <u32>splitCount;
  if (splitKind == SPLIT_SLOTS) return <u32>(optionTextLen(OPT_SPLIT_LIST) >> 3);
  return splitKind == SPLIT_PATTERNS ? patterns() : splitKind == SPLIT_NONE ? 1 : 0;
}

/** How many parts there will be at most, for the size of their buffers. */
export function expectedParts(): u32 {
  const fixed = fixedParts();
  if (fixed != 0) return splitKind == SPLIT_NONE ? 1 : fixed + 1;
  return splitKind == SPLIT_SIZE ? 1 : 16;
}

/** A part is full: keys go to the next one. */
export function isFull(bytes: u64): bool {
  return splitKind == SPLIT_SIZE && bytes >= splitCount;
}

/** The label of the part the current key belongs to; not for SPLIT_SIZE. */
export function routeKey(r: RdbReader): u32 {
  const ptr = r.key.ptr;
  const len = <u32>r.key.len;
  switch (splitKind) {
    case SPLIT_DB: return r.db;
    case SPLIT_TYPE: return facts.shape;
    case SPLIT_SLOTS: return slotRange(keyHashSlot(ptr, len));
    case SPLIT_BY_SLOT: return <u32>(<u64>keyHashSlot(ptr, len) * splitCount / SLOTS);
    case SPLIT_BY_HASH: return <u32>(murmur64a(ptr, len, SEED) % splitCount);
    case SPLIT_PATTERNS: return patternOf(ptr, len);
    default: return 0;
  }
}

function slotRange(slot: u32): u32 {
  const list = optionTextPtr(OPT_SPLIT_LIST);
  const count = <u32>(optionTextLen(OPT_SPLIT_LIST) >> 3);
  for (let i: u32 = 0; i < count; i++) {
    const at = list + (<usize>i << 3);
    if (slot >= load<u32>(at) && slot <= load<u32>(at, 4)) return i;
  }
  return count;
}

function patterns(): u32 {
  const end = optionTextPtr(OPT_SPLIT_LIST) + optionTextLen(OPT_SPLIT_LIST);
  let count: u32 = 0;
  for (let at = optionTextPtr(OPT_SPLIT_LIST); at < end; at += 4 + <usize>load<u32>(at)) count++;
  return count;
}

function patternOf(ptr: usize, len: u32): u32 {
  const end = optionTextPtr(OPT_SPLIT_LIST) + optionTextLen(OPT_SPLIT_LIST);
  let index: u32 = 0;
  for (let at = optionTextPtr(OPT_SPLIT_LIST); at < end; at += 4 + <usize>load<u32>(at)) {
    if (nameMatches(at + 4, load<u32>(at), ptr, len)) return index;
    index++;
  }
  return index;
}

/** The database a key of `db` is written to. */
export function mapDb(db: u32): u32 {
  const list = optionTextPtr(OPT_DB_MAP);
  const end = list + (optionTextLen(OPT_DB_MAP) & ~7);
  for (let at = list; at < end; at += 8) {
    if (load<u32>(at) == db) return load<u32>(at, 4);
  }
  return db;
}
