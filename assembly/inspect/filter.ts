/**
 * Which keys an inspection is about: by database, type, name, slot, expiry and size. All conditions
 * must hold. What a name cannot tell in here (regular expressions) is asked of the host, and only
 * when there is such a condition.
 */
import { alloc, free } from '../base/alloc';
import { keyHashSlot } from '../base/crc16';
import { globMatch } from '../base/glob';
import { RdbReader } from '../rdb/input';
import { facts, factsMemorySoFar } from './facts';

// @ts-ignore: decorator
@external('env', 'inspectName')
declare function hostName(ptr: usize, len: usize): i32;

const NO_LIMIT: i64 = i64.MAX_VALUE;
const DBS: u32 = 4096;
const dbs = memory.data(512, 8);
let anyDb: bool = true;
/** Bits 1 << SHAPE_*; 0 = every type. */
let shapes: u32 = 0;
/** Expiry from … to (ms), keys without one are out; unless `noExpiry`, then only they are in. */
let expireFrom: i64 = i64.MIN_VALUE;
let expireTo: i64 = i64.MAX_VALUE;
let hasExpireRange: bool = false;
let noExpiry: bool = false;
/** Lists of patterns, (u32 next, u32 len, bytes)*: one of the first must match, none of `not`. */
let match: usize = 0;
let not: usize = 0;
let asksHost: bool = false;
let slotFrom: u32 = 0;
let slotTo: u32 = 16383;
let hasSlots: bool = false;
/** Estimated bytes in memory. */
let bytesMin: u64 = 0;
let left: i64 = NO_LIMIT;

export function filterReset(): void {
  memory.fill(dbs, 0, DBS / 8);
  anyDb = true;
  shapes = 0;
  expireFrom = i64.MIN_VALUE;
  expireTo = i64.MAX_VALUE;
  hasExpireRange = false;
  noExpiry = false;
  clear(match);
  clear(not);
  match = 0;
  not = 0;
  asksHost = false;
  hasSlots = false;
  bytesMin = 0;
  left = NO_LIMIT;
}

function clear(list: usize): void {
  while (list != 0) {
    const next: usize = load<u32>(list);
    free(list);
    list = next;
  }
}

export function filterDb(db: u32): void {
  anyDb = false;
  if (db >= DBS) return;
  const at = dbs + (db >> 3);
  store<u8>(at, <u8>(load<u8>(at) | (<u32>1 << (db & 7))));
}
export function filterShapes(bits: u32): void {
  shapes = bits;
}
export function filterExpiry(from: i64, to: i64): void {
  hasExpireRange = true;
  expireFrom = from;
  expireTo = to;
}
export function filterNoExpiry(): void {
  noExpiry = true;
}
export function filterSlots(from: u32, to: u32): void {
  hasSlots = true;
  slotFrom = from;
  slotTo = to;
}
export function filterBytesMin(bytes: u64): void {
  bytesMin = bytes;
}
export function filterLimit(keys: i64): void {
  left = keys;
}
export function filterAskHost(): void {
  asksHost = true;
}

const STAR: u8 = 0x2a;

function hasDb(db: u32): bool {
  return db < DBS && (load<u8>(dbs + (db >> 3)) & (<u32>1 << (db & 7))) != 0;
}

/** A glob that names must match (or must not). False when memory is short. */
export function filterPattern(ptr: usize, len: u32, isNot: bool): bool {
  const block = alloc(8 + <usize>len);
  if (block == 0) return false;
  store<u32>(block, <u32>(isNot ? not : match));
  store<u32>(block, len, 4);
  memory.copy(block + 8, ptr, len);
  if (isNot) not = block;
  else match = block;
  return true;
}

function matchesAny(list: usize, ptr: usize, len: u32): bool {
  for (let at = list; at != 0; at = load<u32>(at)) {
    if (nameMatches(at + 8, load<u32>(at, 4), ptr, len)) return true;
  }
  return false;
}

/** KEYS takes a lone star for all keys; as a pattern it does not match the empty name. */
export function nameMatches(pattern: usize, patternLen: u32, ptr: usize, len: u32): bool {
  if (patternLen == 1 && load<u8>(pattern) == STAR) return true;
  return globMatch(pattern, patternLen, ptr, len, false);
}

/** What can be told from the head of a key. */
export function filterKey(r: RdbReader): bool {
  if (left <= 0) return false;
  if (!anyDb && !hasDb(r.db)) return false;
  if (shapes != 0 && (shapes & (1 << facts.shape)) == 0) return false;
  if (noExpiry && r.hasExpire) return false;
  if (hasExpireRange && (!r.hasExpire || r.expireMs < expireFrom || r.expireMs >= expireTo)) {
    return false;
  }
  const ptr = r.key.ptr;
  const len = <u32>r.key.len;
  if (match != 0 && !matchesAny(match, ptr, len)) return false;
  if (not != 0 && matchesAny(not, ptr, len)) return false;
  if (hasSlots) {
    const slot = keyHashSlot(ptr, len);
    if (slot < slotFrom || slot > slotTo) return false;
  }
  if (asksHost && hostName(ptr, len) == 0) return false;
  if (bytesMin == 0) left--;
  return true;
}

/** Whether only the value can tell. */
export function filterNeedsValue(): bool {
  return bytesMin != 0;
}

/** Whether filterValue will say yes, so far as the value was read: estimates only grow. */
export function filterIsSure(): bool {
  return factsMemorySoFar() >= bytesMin && left > 0;
}

/** Whether filterValue will say yes to a value of at least so many bytes. */
export function filterAllows(bytes: u64): bool {
  return bytes >= bytesMin && left > 0;
}

/** What takes the whole value: a key that is too small is none of those counted by the limit. */
export function filterValue(): bool {
  if (bytesMin == 0) return true;
  if (facts.memory < bytesMin || left <= 0) return false;
  left--;
  return true;
}

/** As many keys as were asked for have been there. */
export function filterIsDone(): bool {
  return left <= 0;
}
