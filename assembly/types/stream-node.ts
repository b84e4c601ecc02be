/**
 * One node of a stream: a listpack of entries that share a master entry.
 *
 * Source of the format: RDB.md §5, as redis 7.0.15 writes it. What it is: walking, reading, marking
 * and checking the entries of one node. What it is not: the stream (stream.ts).
 *
 *   master   live, deleted, n fields, field 1 … field n, 0
 *   entry    flags, ms delta, seq delta, values 1 … n, count          with SAMEFIELDS
 *            flags, ms delta, seq delta, m, (field, value) × m, count  without
 *
 * Deltas are to the id the node is keyed by and wrap at 2^64. A deleted entry keeps its place and
 * gets the flag. `count` is how many elements stand before it in its entry, so that one can walk
 * backwards; the master's closing 0 stops that walk.
 *
 * `p` is always the address of a listpack element: an entry is named by that of its flags.
 */
import {
  lpFirst,
  lpGetInt,
  lpLast,
  lpNext,
  lpPrev,
  lpReplaceInt,
  lpSkip,
  lpValidate,
  lpValInt,
} from '../encoding/listpack';
import { STREAM_BAD_LISTPACK, STREAM_BAD_NODE, STREAM_BAD_ORDER, STREAM_OK } from './stream-layout';
import { idCompare } from './stream-offsets';

export const ENTRY_DELETED: u32 = 1;
export const ENTRY_SAMEFIELDS: u32 = 2;

/** What `nodeRead` found: counts, number of master fields, the first of them. */
export let nodeLive: i64 = 0;
export let nodeDeleted: i64 = 0;
export let nodeFields: u32 = 0;
export let nodeFieldsAt: usize = 0;

/** What `entryRead` found: flags, id, number of fields, first field (or first value). */
export let entryFlags: u32 = 0;
export let entryMs: u64 = 0;
export let entrySeq: u64 = 0;
export let entryFields: u32 = 0;
export let entryAt: usize = 0;

/** What `entryPair` found: the elements of one field and its value. */
export let pairField: usize = 0;
export let pairValue: usize = 0;
let pairMaster: usize = 0;
let pairEntry: usize = 0;
let pairLeft: u32 = 0;

/** Ids of the last entry and of the last live one, as `nodeValidate` found them. */
export let nodeLastMs: u64 = 0;
export let nodeLastSeq: u64 = 0;

// ---- reading nodes that were checked or built here

// @ts-ignore: decorator
@inline function intAt(p: usize): i64 {
  const b: u32 = load<u8>(p);
  if (b < 128) return b;
  return wideInt(p);
}

function wideInt(p: usize): i64 {
  lpGetInt(p);
  return lpValInt;
}

/** Reads the master entry. O(1). */
export function nodeReadMaster(lp: usize): void {
  let p = lpFirst(lp);
  nodeLive = intAt(p);
  p = lpNext(lp, p);
  nodeDeleted = intAt(p);
  p = lpNext(lp, p);
  nodeFields = <u32>intAt(p);
  nodeFieldsAt = lpNext(lp, p);
}

/** The same; the address of the first entry, 0 if there is none. O(fields). */
export function nodeRead(lp: usize): usize {
  nodeReadMaster(lp);
  return lpSkip(lp, nodeFieldsAt, nodeFields + 1);
}

/** Makes a master entry read before the current one again; for interleaved walks. */
// @ts-ignore: decorator
@inline export function nodeRestore(fields: u32, fieldsAt: usize): void {
  nodeFields = fields;
  nodeFieldsAt = fieldsAt;
}

/** Live entries of a node. */
export function nodeLiveCount(lp: usize): i64 {
  return intAt(lpFirst(lp));
}

/**
 * Reads flags, id and field count of the entry at `p`; the node's master was read by `nodeRead`,
 * `ms` and `seq` are its key.
 */
export function entryRead(lp: usize, p: usize, ms: u64, seq: u64): void {
  entryFlags = <u32>intAt(p);
  p = lpNext(lp, p);
  entryMs = ms + <u64>intAt(p);
  p = lpNext(lp, p);
  entrySeq = seq + <u64>intAt(p);
  p = lpNext(lp, p);
  if (entryFlags & ENTRY_SAMEFIELDS) {
    entryFields = nodeFields;
  } else {
    entryFields = <u32>intAt(p);
    p = lpNext(lp, p);
  }
  entryAt = p;
}

/** After `entryRead`: the address of the next entry, 0 if that was the last. O(fields). */
export function entryNext(lp: usize): usize {
  const n = entryFlags & ENTRY_SAMEFIELDS ? entryFields : entryFields * 2;
  return lpSkip(lp, entryAt, n + 1);
}

/** The last entry of a node, 0 if it has none. */
export function nodeLastEntry(lp: usize): usize {
  return entryOfCount(lp, lpLast(lp));
}

/** The entry before the one at `p`, 0 if that is the first. O(fields). */
export function entryPrev(lp: usize, p: usize): usize {
  return entryOfCount(lp, lpPrev(lp, p));
}

/** The entry that ends with the count at `p`. */
function entryOfCount(lp: usize, p: usize): usize {
  let count = intAt(p);
  if (count == 0) return 0;
  while (count-- > 0) p = lpPrev(lp, p);
  return p;
}

/** Begins the pairs of the entry just read (`nodeRead`, `entryRead`). */
export function pairsBegin(): void {
  pairLeft = entryFields;
  pairMaster = nodeFieldsAt;
  pairEntry = entryAt;
}

/** The next pair of the entry: `pairField`, `pairValue`. False: no more. */
export function pairsNext(lp: usize): bool {
  if (pairLeft == 0) return false;
  pairLeft--;
  if (entryFlags & ENTRY_SAMEFIELDS) {
    pairField = pairMaster;
    pairMaster = lpNext(lp, pairMaster);
  } else {
    pairField = pairEntry;
    pairEntry = lpNext(lp, pairEntry);
  }
  pairValue = pairEntry;
  pairEntry = lpNext(lp, pairEntry);
  return true;
}

// ---- changing

/**
 * Moves `n` entries from live to deleted in the counts. Returns the (perhaps new) address, 0 when
 * memory ran out (nothing changed). May grow memory.
 */
export function nodeCountDeleted(lp: usize, n: i64): usize {
  let p = lpFirst(lp);
  const live = intAt(p);
  const deleted = intAt(lpNext(lp, p));
  // The greater number may need room; the smaller never does, so nothing has to be undone.
  const grown = lpReplaceInt(lp, lpNext(lp, p), deleted + n);
  if (grown == 0) return 0;
  p = lpFirst(grown);
  return lpReplaceInt(grown, p, live - n);
}

/** Sets the deleted flag of the entry at `p`. Flags are one byte (checked on load). */
export function entryMarkDeleted(p: usize): void {
  store<u8>(p, load<u8>(p) | <u8>ENTRY_DELETED);
}

// ---- checking foreign nodes

let checkAt: usize = 0;

/** The element at `checkAt` as an integer in `lpValInt`, moving on; false if it is none. */
function takeInt(lp: usize): bool {
  if (checkAt == 0 || !lpGetInt(checkAt)) return false;
  const value = lpValInt;
  checkAt = lpNext(lp, checkAt);
  checkInt = value;
  return true;
}
let checkInt: i64 = 0;

/** Passes over `n` elements, all of which must be there. */
function takeMany(lp: usize, n: i64): bool {
  while (n > 0) {
    if (checkAt == 0) return false;
    checkAt = lpNext(lp, checkAt);
    n--;
  }
  return true;
}

/**
 * Checks `len` foreign bytes as a node keyed by the id `ms`-`seq`: a well-formed listpack, counts
 * that are true, ids that ascend strictly from the key on, nothing left over. STREAM_OK,
 * STREAM_BAD_LISTPACK, STREAM_BAD_NODE or STREAM_BAD_ORDER. On success nodeLive, nodeDeleted,
 * nodeFields, nodeLastMs and nodeLastSeq are set. Reads nothing outside. O(len).
 */
export function streamNodeValidate(ptr: usize, len: u32, ms: u64, seq: u64): i32 {
  if (!lpValidate(ptr, len)) return STREAM_BAD_LISTPACK;
  checkAt = lpFirst(ptr);
  if (!takeInt(ptr)) return STREAM_BAD_NODE;
  nodeLive = checkInt;
  if (!takeInt(ptr)) return STREAM_BAD_NODE;
  nodeDeleted = checkInt;
  if (!takeInt(ptr)) return STREAM_BAD_NODE;
  const fields = checkInt;
  // An entry takes at least 4 elements, a field 1: larger numbers are lies.
  if (nodeLive < 0 || nodeDeleted < 0 || max(nodeLive, nodeDeleted) > <i64>len) {
    return STREAM_BAD_NODE;
  }
  if (fields < 0 || fields > <i64>len || !takeMany(ptr, fields)) return STREAM_BAD_NODE;
  if (!takeInt(ptr) || checkInt != 0) return STREAM_BAD_NODE;
  nodeFields = <u32>fields;
  nodeLastMs = ms;
  nodeLastSeq = seq;
  let live: i64 = 0;
  let deleted: i64 = 0;
  for (let i: i64 = 0, n = nodeLive + nodeDeleted; i < n; i++) {
    const status = takeEntry(ptr, ms, seq, i == 0);
    if (status != STREAM_OK) return status;
    if (entryFlags & ENTRY_DELETED) deleted++;
    else live++;
  }
  if (checkAt != 0 || live != nodeLive || deleted != nodeDeleted) return STREAM_BAD_NODE;
  return STREAM_OK;
}

/** Checks one entry and moves behind it. */
function takeEntry(lp: usize, ms: u64, seq: u64, isFirst: bool): i32 {
  // Flags must be one byte: they are changed in place.
  if (checkAt == 0 || load<u8>(checkAt) >= 128 || !takeInt(lp)) return STREAM_BAD_NODE;
  entryFlags = <u32>checkInt;
  if (!takeInt(lp)) return STREAM_BAD_NODE;
  const entryTime = ms + <u64>checkInt;
  if (!takeInt(lp)) return STREAM_BAD_NODE;
  const entryNumber = seq + <u64>checkInt;
  const order = idCompare(entryTime, entryNumber, nodeLastMs, nodeLastSeq);
  if (order < 0 || (order == 0 && !isFirst)) return STREAM_BAD_ORDER;
  nodeLastMs = entryTime;
  nodeLastSeq = entryNumber;
  let elements: i64 = nodeFields;
  let count: i64 = 3 + elements;
  if ((entryFlags & ENTRY_SAMEFIELDS) == 0) {
    if (!takeInt(lp) || checkInt < 0 || checkInt > <i64>u32.MAX_VALUE) return STREAM_BAD_NODE;
    elements = checkInt * 2;
    count = 4 + elements;
  }
  if (!takeMany(lp, elements)) return STREAM_BAD_NODE;
  return takeInt(lp) && checkInt == count ? STREAM_OK : STREAM_BAD_NODE;
}
