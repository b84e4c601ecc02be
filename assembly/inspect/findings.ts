/**
 * What might be worth a look: counts, memory and possible savings of the keys of each finding, and
 * the largest of them as examples (top.ts). What only sums can tell (prefixes, slots, waves of
 * expiry) is judged by the host from the other tables.
 */
import { RdbReader } from '../rdb/input';
import {
  HASH_LISTPACK_ENTRIES, INTSET_ENTRIES, LISTPACK_VALUE, LIST_NODE_BYTES,
  SET_LISTPACK_ENTRIES, ZSET_LISTPACK_ENTRIES, estimateBlob, estimateIntset, estimateKey,
} from './estimate';
import {
  SHAPE_HASH, SHAPE_LIST, SHAPE_SET, SHAPE_STRING, SHAPE_ZSET, evLen, evPtr,
} from './event';
import { AS_HASHTABLE, AS_INT, AS_SKIPLIST, facts } from './facts';
import {
  TOP_BARELY, TOP_DIGITS, TOP_ELEMENT, TOP_EXPIRED, TOP_IDLE, TOP_INTS, TOP_NAME, TOP_PENDING,
  topAdd,
} from './top';

export const FIND_LARGE: u32 = 0;
export const FIND_LONG: u32 = 1;
export const FIND_ELEMENT: u32 = 2;
export const FIND_EXPIRED: u32 = 3;
/** Barely not compact: hashes, sets, sorted sets, lists. */
export const FIND_BARELY_HASH: u32 = 4;
export const FIND_BARELY_SET: u32 = 5;
export const FIND_BARELY_ZSET: u32 = 6;
export const FIND_BARELY_LIST: u32 = 7;
export const FIND_INTS: u32 = 8;
export const FIND_DIGITS: u32 = 9;
export const FIND_NAME: u32 = 10;
export const FIND_IDLE: u32 = 11;
export const FIND_PENDING: u32 = 12;
/** Of FIND_BARELY_*: those with too many elements; the others have too long ones. */
export const FIND_BARELY_COUNT: u32 = 13;
export const FINDINGS: u32 = 14;

/** Each: u64 keys, memory, saving, and one number of its own. */
const cells = memory.data(448, 8);

// ---- from where on
export let largeBytes: u64 = 0;
export let manyElements: u64 = 0;
export let elementBytes: u64 = 0;
export let nameBytes: u64 = 0;
export let idleSec: i64 = 0;
export let pendingMin: u64 = 0;
let now: i64 = 0;

/** `nowMs`: the time expiry is judged at. */
export function findingsBegin(nowMs: i64): void {
  memory.fill(cells, 0, 448);
  now = nowMs;
}

export function findingLimits(large: u64, many: u64, element: u64): void {
  largeBytes = large;
  manyElements = many;
  elementBytes = element;
}
export function findingLimits2(name: u64, idle: i64, pending: u64): void {
  nameBytes = name;
  idleSec = idle;
  pendingMin = pending;
}

export function findingCell(which: u32): usize {
  return cells + (<usize>which << 5);
}

function note(which: u32, saving: u64, own: u64): void {
  const at = findingCell(which);
  store<u64>(at, load<u64>(at) + 1);
  store<u64>(at, load<u64>(at, 8) + facts.memory, 8);
  store<u64>(at, load<u64>(at, 16) + saving, 16);
  store<u64>(at, load<u64>(at, 24) + own, 24);
}

/** The current string's bytes are there: is it a number that is stored as text? */
export function findingsString(r: RdbReader): void {
  const len = evLen;
  if (len == 0 || len > 20 || evPtr == 0 || facts.encoding == AS_INT) return;
  const first: u32 = load<u8>(evPtr);
  let at = evPtr;
  const end = evPtr + len;
  if (first == 0x2d || first == 0x2b) at++;
  if (at == end) return;
  for (; at < end; at++) {
    if (<u32>load<u8>(at) - 0x30 > 9) return;
  }
  note(FIND_DIGITS, 0, len);
  topAdd(TOP_DIGITS, r, <f64>len);
}

/** The current key with all its facts. */
export function findingsKey(r: RdbReader): void {
  const bytes = facts.memory;
  if (bytes >= largeBytes) note(FIND_LARGE, 0, 0);
  if (r.hasExpire && r.expireMs < now) {
    note(FIND_EXPIRED, bytes, 0);
    topAdd(TOP_EXPIRED, r, <f64>bytes);
  }
  if (<u64>r.key.len >= nameBytes) {
    note(FIND_NAME, 0, r.key.len);
    topAdd(TOP_NAME, r, <f64>r.key.len);
  }
  if (r.idleSec >= idleSec) {
    note(FIND_IDLE, 0, 0);
    topAdd(TOP_IDLE, r, <f64>bytes);
  }
  if (facts.shape == SHAPE_STRING) return;
  if (facts.count >= manyElements) note(FIND_LONG, 0, facts.count);
  if (facts.largest >= elementBytes) {
    note(FIND_ELEMENT, 0, facts.largest);
    topAdd(TOP_ELEMENT, r, <f64>facts.largest);
  }
  if (facts.pending >= pendingMin) {
    note(FIND_PENDING, 0, facts.pending);
    topAdd(TOP_PENDING, r, <f64>facts.pending);
  }
  if (facts.shape == SHAPE_LIST) list(r);
  else if (facts.encoding == AS_HASHTABLE || facts.encoding == AS_SKIPLIST) table(r);
}

/** Redis from 7.2 on keeps a list that fits one node without the quicklist around it. */
function list(r: RdbReader): void {
  if (facts.nodes != 2 || facts.payload + facts.count * 2 >= 2 * LIST_NODE_BYTES) return;
  barely(r, FIND_BARELY_LIST, 0, facts.longest <= LIST_NODE_BYTES);
}

/** Tables: how far are they from being compact? */
function table(r: RdbReader): void {
  const count = facts.count;
  const shape = facts.shape;
  if (shape == SHAPE_SET && facts.ints == count && count > INTSET_ENTRIES) {
    const compact = estimateIntset(count, facts.longest) + estimateKey(r.key.len);
    const saving = facts.memory > compact ? facts.memory - compact : 0;
    note(FIND_INTS, saving, count);
    topAdd(TOP_INTS, r, <f64>saving);
    return;
  }
  let most = HASH_LISTPACK_ENTRIES;
  let which = FIND_BARELY_HASH;
  if (shape == SHAPE_ZSET) {
    most = ZSET_LISTPACK_ENTRIES;
    which = FIND_BARELY_ZSET;
  } else if (shape == SHAPE_SET) {
    most = SET_LISTPACK_ENTRIES;
    which = FIND_BARELY_SET;
  } else if (shape != SHAPE_HASH) {
    return;
  }
  const isMany = count > most;
  const isLong = facts.longest > LISTPACK_VALUE;
  // just one limit is crossed, and by no more than its double
  if (isMany == isLong || count > most * 2 || facts.longest > LISTPACK_VALUE * 2) return;
  const packed: u64 = facts.nodes != 0 ? facts.nodeBytes : facts.packed + 7;
  const compact = estimateBlob(packed) + estimateKey(r.key.len);
  barely(r, which, facts.memory > compact ? facts.memory - compact : 0, isMany);
}

function barely(r: RdbReader, which: u32, saving: u64, isMany: bool): void {
  note(which, saving, facts.count);
  if (isMany) note(FIND_BARELY_COUNT, saving, 0);
  topAdd(TOP_BARELY, r, <f64>saving);
}
