/**
 * Streams: an append-only log of entries, each a list of fields and values under a 128-bit id.
 *
 * What it is: appending, deleting, trimming and the metadata, with nodes that are byte for byte
 * those redis 7.0.15 makes of the same operations, so that DUMP is the same. What it is not: groups
 * (stream-group.ts), reading (stream-iter.ts), loading (stream-load.ts), freeing and copying
 * (stream-life.ts). Layout: stream-layout.ts; nodes: stream-node.ts.
 *
 * Nodes are listpacks in an id tree. A node takes entries until its bytes or their number reach the
 * limits; deleting marks; a node without live entries goes.
 *
 * Every function that allocates leaves the stream as it was when memory runs out.
 */
import { alloc, realloc, usableSize } from '../base/alloc';
import {
  LP_COUNT_UNKNOWN,
  LP_EOF,
  LP_HEADER,
  lpBytes,
  lpCompare,
  lpFirst,
  lpFree,
  lpNew,
  lpNext,
  lpReplaceInt,
  lpShrinkToFit,
} from '../encoding/listpack';
import { lpStageBytes, lpStageInt, lpStageWrite } from '../encoding/listpack-entry';
import {
  STREAM_ID_EXHAUSTED,
  STREAM_ID_SMALL,
  STREAM_MISSING,
  STREAM_OK,
  STREAM_OOM,
  STREAM_SIZE,
  STREAM_TOO_LARGE,
  streamEntriesAdded,
  streamFirstMs,
  streamFirstSeq,
  streamLastMs,
  streamLastSeq,
  streamLength,
  streamMaxDeletedMs,
  streamMaxDeletedSeq,
  streamNodeBytes,
  streamNodes,
  streamSetEntriesAdded,
  streamSetFirst,
  streamSetLast,
  streamSetLength,
  streamSetMaxDeleted,
  streamSetNodeBytes,
} from './stream-layout';
import {
  ENTRY_DELETED,
  ENTRY_SAMEFIELDS,
  entryFlags,
  entryMarkDeleted,
  entryMs,
  entryNext,
  entryPrev,
  entryRead,
  entrySeq,
  nodeCountDeleted,
  nodeDeleted,
  nodeFields,
  nodeFieldsAt,
  nodeLastEntry,
  nodeLive,
  nodeLiveCount,
  nodeRead,
  nodeReadMaster,
} from './stream-node';
import { idCompare } from './stream-offsets';
import {
  TREE_INSERTED,
  treeFirst,
  treeInsert,
  treeLast,
  treeMs,
  treeNext,
  treePrev,
  treeRemove,
  treeSeekBack,
  treeSeq,
  treeSetValue,
  treeValid,
  treeValue,
} from './stream-tree';

/** Redis: no node grows beyond 1 GiB, whatever the configuration. */
const NODE_BYTES_LIMIT: u64 = 1 << 30;

/** stream-node-max-bytes and stream-node-max-entries; 0 = no limit (1 GiB). */
export let streamNodeMaxBytes: u64 = 4096;
export let streamNodeMaxEntries: i64 = 100;

/** The id made by `streamNextId`, `streamNextSeq` or found by `streamEdge`. */
export let streamIdMs: u64 = 0;
export let streamIdSeq: u64 = 0;

/** Entries removed by the last `streamTrim…`. */
export let streamTrimmed: u64 = 0;

const cursor = memory.data(8, 8);

/** Sets the configuration. */
export function streamSetLimits(nodeMaxBytes: u64, nodeMaxEntries: i64): void {
  streamNodeMaxBytes = nodeMaxBytes;
  streamNodeMaxEntries = nodeMaxEntries;
}

/** A new empty stream; 0 when memory ran out. Freed by `streamFree`. May grow memory. */
export function streamNew(): usize {
  const s = alloc(STREAM_SIZE);
  if (s != 0) memory.fill(s, 0, STREAM_SIZE);
  return s;
}

// ---- ids

/**
 * The id an entry added now gets: the time, or the successor of the last id where the time is not
 * beyond it. In `streamIdMs`, `streamIdSeq`; STREAM_OK or STREAM_ID_EXHAUSTED.
 */
export function streamNextId(s: usize, nowMs: u64): i32 {
  const ms = streamLastMs(s);
  const seq = streamLastSeq(s);
  if (nowMs > ms) {
    streamIdMs = nowMs;
    streamIdSeq = 0;
  } else if (seq != u64.MAX_VALUE) {
    streamIdMs = ms;
    streamIdSeq = seq + 1;
  } else {
    if (ms == u64.MAX_VALUE) return STREAM_ID_EXHAUSTED;
    streamIdMs = ms + 1;
    streamIdSeq = 0;
  }
  return STREAM_OK;
}

/** As `streamNextId` for an id whose time is given (`<ms>-*`); STREAM_ID_SMALL if impossible. */
export function streamNextSeq(s: usize, ms: u64): i32 {
  streamIdMs = ms;
  streamIdSeq = 0;
  const lastMs = streamLastMs(s);
  if (ms < lastMs) return STREAM_ID_SMALL;
  if (ms == lastMs) {
    if (streamLastSeq(s) == u64.MAX_VALUE) return STREAM_ID_SMALL;
    streamIdSeq = streamLastSeq(s) + 1;
  }
  return STREAM_OK;
}

/**
 * Finds the first (or last) live entry: its id in `streamIdMs`, `streamIdSeq`, 0-0 and false if
 * there is none. O(log n) and the tombstones passed.
 */
export function streamEdge(s: usize, first: bool): bool {
  streamIdMs = 0;
  streamIdSeq = 0;
  let more = first ? treeFirst(cursor, streamNodes(s)) : treeLast(cursor, streamNodes(s));
  while (more) {
    if (edgeInNode(first)) return true;
    more = first ? treeNext(cursor) : treePrev(cursor);
  }
  return false;
}

/** The first or last live entry of the node under the cursor. */
function edgeInNode(first: bool): bool {
  const lp = treeValue(cursor);
  let p = nodeRead(lp);
  if (!first) p = nodeLastEntry(lp);
  while (p != 0) {
    entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
    if ((entryFlags & ENTRY_DELETED) == 0) {
      streamIdMs = entryMs;
      streamIdSeq = entrySeq;
      return true;
    }
    p = first ? entryNext(lp) : entryPrev(lp, p);
  }
  return false;
}

/**
 * Finds the first entry there is, deleted or not: its id in `streamIdMs`, `streamIdSeq`; the
 * greatest id of all and false if there is none. O(log n).
 */
export function streamFirstKept(s: usize): bool {
  const found = treeFirst(cursor, streamNodes(s));
  // A node is keyed by the id of its first entry, which keeps its place when it is deleted.
  streamIdMs = found ? treeMs(cursor) : u64.MAX_VALUE;
  streamIdSeq = found ? treeSeq(cursor) : u64.MAX_VALUE;
  return found;
}

/** Finds the first live id anew after entries went. */
function refreshFirst(s: usize): void {
  if (streamLength(s) == 0) {
    streamSetFirst(s, 0, 0);
    return;
  }
  streamEdge(s, true);
  streamSetFirst(s, streamIdMs, streamIdSeq);
}

// ---- appending

// @ts-ignore: decorator
@inline function textPtr(pairs: usize, i: u32): usize {
  return load<u32>(pairs + (<usize>i << 3));
}

// @ts-ignore: decorator
@inline function textLen(pairs: usize, i: u32): u32 {
  return load<u32>(pairs + (<usize>i << 3), 4);
}

/** Bytes that encoding, length and backlen of a listpack element take, at most. */
const ELEMENT_MOST: u64 = 11;
/** Elements of an entry, or of a master entry, besides its texts. */
const ELEMENTS_EXTRA: u64 = 5;
/** What a node needs for the new entry, at most: in a fresh one the fields come twice. */
let room: u32 = 0;
/** Bytes that a node begins with at most, unless its first entry needs more. */
const NODE_FIRST_MOST: u32 = 4096;
/** A node that grows asks for half as much again, up to this many bytes on top. */
const GROWTH_MOST: usize = 2048;

/**
 * Appends an entry of `fields` fields (at least 1). `pairs` are (u32 ptr, u32 len) descriptors as
 * in argv: field, value, field, value … STREAM_OK, STREAM_ID_SMALL, STREAM_TOO_LARGE or STREAM_OOM;
 * but for STREAM_OK nothing has changed. May grow memory.
 */
export function streamAppend(s: usize, pairs: usize, fields: u32, ms: u64, seq: u64): i32 {
  if (idCompare(ms, seq, streamLastMs(s), streamLastSeq(s)) <= 0) return STREAM_ID_SMALL;
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < fields * 2; i++) bytes += textLen(pairs, i);
  if (bytes > NODE_BYTES_LIMIT) return STREAM_TOO_LARGE;
  const most = bytes * 2 + (<u64>fields * 3 + 2 * ELEMENTS_EXTRA) * ELEMENT_MOST;
  if (most > <u64>i32.MAX_VALUE) return STREAM_OOM;
  room = <u32>most;
  const hasNode = treeLast(cursor, streamNodes(s));
  const ok = hasNode && nodeTakes(treeValue(cursor), bytes)
    ? appendToNode(s, pairs, fields, ms, seq)
    : appendNode(s, pairs, fields, ms, seq);
  if (!ok) return STREAM_OOM;
  streamSetLength(s, streamLength(s) + 1);
  streamSetEntriesAdded(s, streamEntriesAdded(s) + 1);
  streamSetLast(s, ms, seq);
  if (streamLength(s) == 1) streamSetFirst(s, ms, seq);
  return STREAM_OK;
}

/** Whether a node may take another entry of so many bytes of text; reads the node's master. */
function nodeTakes(lp: usize, bytes: u64): bool {
  let most = streamNodeMaxBytes;
  if (most == 0 || most > NODE_BYTES_LIMIT) most = NODE_BYTES_LIMIT;
  if (<u64>lpBytes(lp) + bytes >= most) return false;
  nodeReadMaster(lp);
  return streamNodeMaxEntries == 0 || nodeLive + nodeDeleted < streamNodeMaxEntries;
}

// ---- writing elements behind each other, in a block that has the room

let at: usize = 0;

// @ts-ignore: decorator
@inline function putInt(value: i64): void {
  if (<u64>value < 128) {
    store<u8>(at, <u8>value);
    store<u8>(at, 1, 1);
    at += 2;
    return;
  }
  const total = lpStageInt(value);
  lpStageWrite(at, 0);
  at += total;
}

function putText(pairs: usize, i: u32): void {
  const ptr = textPtr(pairs, i);
  const total = lpStageBytes(ptr, textLen(pairs, i));
  lpStageWrite(at, ptr);
  at += total;
}

/** Ends the listpack at `at` and notes what was added to it. */
function putEnd(lp: usize, elements: u64): void {
  store<u8>(at, <u8>LP_EOF);
  store<u32>(lp, <u32>(at + 1 - lp));
  const count = <u64>load<u16>(lp, 4) + elements;
  store<u16>(lp, <u16>min<u64>(count, LP_COUNT_UNKNOWN), 4);
}

/** The elements of an entry; how many. */
function putEntry(pairs: usize, fields: u32, isSame: bool, deltaMs: i64, deltaSeq: i64): u64 {
  putInt(isSame ? ENTRY_SAMEFIELDS : 0);
  putInt(deltaMs);
  putInt(deltaSeq);
  if (!isSame) putInt(fields);
  for (let i: u32 = 0; i < fields; i++) {
    if (!isSame) putText(pairs, i * 2);
    putText(pairs, i * 2 + 1);
  }
  const elements: u64 = isSame ? <u64>fields + 3 : <u64>fields * 2 + 4;
  putInt(elements);
  return elements + 1;
}

/** Starts a node with this entry. False: no memory, nothing changed. */
function appendNode(s: usize, pairs: usize, fields: u32, ms: u64, seq: u64): bool {
  let size = room;
  if (treeValid(cursor)) {
    // The node before is complete: nothing will be added to it any more, and this one will be
    // about as large.
    const before = lpShrinkToFit(treeValue(cursor));
    treeSetValue(cursor, before);
    size = max(size, min(lpBytes(before), NODE_FIRST_MOST));
  }
  const lp = lpNew(size);
  if (lp == 0) return false;
  if (treeInsert(streamNodes(s), ms, seq, lp) != TREE_INSERTED) {
    lpFree(lp);
    return false;
  }
  at = lp + LP_HEADER;
  putInt(1);
  putInt(0);
  putInt(fields);
  for (let i: u32 = 0; i < fields; i++) putText(pairs, i * 2);
  putInt(0);
  const elements = putEntry(pairs, fields, true, 0, 0);
  putEnd(lp, elements + <u64>fields + 4);
  streamSetNodeBytes(s, streamNodeBytes(s) + lpBytes(lp));
  return true;
}

/** A node with room for the new entry; 0: no memory, the node is as it was. */
function nodeGrown(lp: usize): usize {
  const need = <usize>lpBytes(lp) + room;
  if (need <= usableSize(lp)) return lp;
  const grown = realloc(lp, need + min<usize>(need >> 1, GROWTH_MOST));
  return grown != 0 ? grown : realloc(lp, need);
}

/** Adds the entry to the node under the cursor, its master read. False: no memory, no change. */
function appendToNode(s: usize, pairs: usize, fields: u32, ms: u64, seq: u64): bool {
  const isSame = sameFields(treeValue(cursor), pairs, fields);
  const live = nodeLive;
  let lp = nodeGrown(treeValue(cursor));
  if (lp == 0) return false;
  const bytes = lpBytes(lp);
  at = lp + bytes - 1;
  const deltaMs = <i64>(ms - treeMs(cursor));
  putEnd(lp, putEntry(pairs, fields, isSame, deltaMs, <i64>(seq - treeSeq(cursor))));
  // The count may take a byte more, which the room allows for.
  if (live < 127) store<u8>(lp + LP_HEADER, <u8>(live + 1));
  else lp = lpReplaceInt(lp, lpFirst(lp), live + 1);
  treeSetValue(cursor, lp);
  streamSetNodeBytes(s, streamNodeBytes(s) - bytes + lpBytes(lp));
  return true;
}

/** Whether the fields are those of the master entry just read, in the same order. */
function sameFields(lp: usize, pairs: usize, fields: u32): bool {
  if (fields != nodeFields) return false;
  let p = nodeFieldsAt;
  for (let i: u32 = 0; i < fields; i++) {
    if (!lpCompare(p, textPtr(pairs, i * 2), textLen(pairs, i * 2))) return false;
    p = lpNext(lp, p);
  }
  return true;
}

// ---- deleting

/**
 * Deletes an entry (XDEL): STREAM_OK, STREAM_MISSING or STREAM_OOM (marking may need room for a
 * longer count). O(log n + entries of a node). May grow memory.
 */
export function streamDelete(s: usize, ms: u64, seq: u64): i32 {
  if (!treeSeekBack(cursor, streamNodes(s), ms, seq)) return STREAM_MISSING;
  const lp = treeValue(cursor);
  let p = nodeRead(lp);
  for (; p != 0; p = entryNext(lp)) {
    entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
    const order = idCompare(entryMs, entrySeq, ms, seq);
    if (order > 0) return STREAM_MISSING;
    if (order == 0) break;
  }
  if (p == 0 || (entryFlags & ENTRY_DELETED) != 0) return STREAM_MISSING;
  if (nodeLive == 1) {
    dropNode(s, lp);
  } else if (!markDeleted(s, lp, p)) {
    return STREAM_OOM;
  }
  streamSetLength(s, streamLength(s) - 1);
  if (idCompare(ms, seq, streamMaxDeletedMs(s), streamMaxDeletedSeq(s)) > 0) {
    streamSetMaxDeleted(s, ms, seq);
  }
  if (idCompare(ms, seq, streamFirstMs(s), streamFirstSeq(s)) == 0 || streamLength(s) == 0) {
    refreshFirst(s);
  }
  return STREAM_OK;
}

/** Removes and frees the node under the cursor. */
function dropNode(s: usize, lp: usize): void {
  streamSetNodeBytes(s, streamNodeBytes(s) - lpBytes(lp));
  treeRemove(streamNodes(s), treeMs(cursor), treeSeq(cursor));
  lpFree(lp);
}

/** Marks the entry at `p` of the node under the cursor; false: no memory, nothing changed. */
function markDeleted(s: usize, lp: usize, p: usize): bool {
  const fromEnd = lpBytes(lp) - <u32>(p - lp);
  const bytes = lpBytes(lp);
  const marked = nodeCountDeleted(lp, 1);
  if (marked == 0) return false;
  // Only the counts in front of the entry changed their size.
  entryMarkDeleted(marked + lpBytes(marked) - fromEnd);
  treeSetValue(cursor, marked);
  streamSetNodeBytes(s, streamNodeBytes(s) - bytes + lpBytes(marked));
  return true;
}

// ---- trimming

let trimById: bool = false;
let trimLengthMax: u64 = 0;
let trimMs: u64 = 0;
let trimSeq: u64 = 0;
/** What `plan` found: nodes that go whole, and entries that go from the one under the cursor. */
let planNodes: u32 = 0;
let planEntries: i64 = 0;

/**
 * Removes the oldest entries until at most `lengthMax` are left (XTRIM MAXLEN). `approx`: only
 * whole nodes. `limit`: stop before more than so many entries went, 0 = none. STREAM_OK
 * (`streamTrimmed` says how many went) or STREAM_OOM and nothing changed. O(entries removed). May
 * grow memory.
 */
export function streamTrimLength(s: usize, lengthMax: u64, approx: bool, limit: u64): i32 {
  streamPlanLength(s, lengthMax, approx, limit);
  return trim(s);
}

/** As `streamTrimLength`, for all entries with ids below the given one (XTRIM MINID). */
export function streamTrimId(s: usize, ms: u64, seq: u64, approx: bool, limit: u64): i32 {
  streamPlanId(s, ms, seq, approx, limit);
  return trim(s);
}

/** How many of the oldest entries `streamTrimLength` would remove. */
export function streamPlanLength(s: usize, lengthMax: u64, approx: bool, limit: u64): u64 {
  trimById = false;
  trimLengthMax = lengthMax;
  return plan(s, approx, limit);
}

/** How many of the oldest entries `streamTrimId` would remove. */
export function streamPlanId(s: usize, ms: u64, seq: u64, approx: bool, limit: u64): u64 {
  trimById = true;
  trimMs = ms;
  trimSeq = seq;
  return plan(s, approx, limit);
}

function plan(s: usize, approx: bool, limit: u64): u64 {
  let length = streamLength(s);
  let removed: u64 = 0;
  planNodes = 0;
  planEntries = 0;
  let more = treeFirst(cursor, streamNodes(s));
  while (more) {
    if (!trimById && length <= trimLengthMax) break;
    const lp = treeValue(cursor);
    const live = <u64>nodeLiveCount(lp);
    if (limit != 0 && removed + live > limit) break;
    if (!(trimById ? endsBelow(lp) : length - live >= trimLengthMax)) {
      if (!approx) planEntries = countGoing(lp, length);
      return removed + planEntries;
    }
    removed += live;
    length -= live;
    planNodes++;
    more = treeNext(cursor);
  }
  return removed;
}

/** Does what was planned: STREAM_OK or STREAM_OOM. */
function trim(s: usize): i32 {
  let removed: u64 = planEntries;
  streamTrimmed = 0;
  // The only step that may fail comes before any other change.
  if (planEntries != 0 && !markGoing(s, treeValue(cursor))) return STREAM_OOM;
  for (; planNodes > 0; planNodes--) {
    treeFirst(cursor, streamNodes(s));
    removed += <u64>nodeLiveCount(treeValue(cursor));
    dropNode(s, treeValue(cursor));
  }
  streamSetLength(s, streamLength(s) - removed);
  streamTrimmed = removed;
  if (removed != 0 || streamLength(s) == 0) refreshFirst(s);
  return STREAM_OK;
}

/** Whether all entries of the node under the cursor, tombstones too, are below the id. */
function endsBelow(lp: usize): bool {
  nodeRead(lp);
  const p = nodeLastEntry(lp);
  if (p == 0) return idCompare(treeMs(cursor), treeSeq(cursor), trimMs, trimSeq) < 0;
  entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
  return idCompare(entryMs, entrySeq, trimMs, trimSeq) < 0;
}

/** Whether the entry just read is one that stays, and so are all behind it. */
// @ts-ignore: decorator
@inline function stays(length: u64): bool {
  if (!trimById) return length <= trimLengthMax;
  return idCompare(entryMs, entrySeq, trimMs, trimSeq) >= 0;
}

/** Live entries that are to go from the node under the cursor. */
function countGoing(lp: usize, length: u64): i64 {
  let n: i64 = 0;
  for (let p = nodeRead(lp); p != 0; p = entryNext(lp)) {
    entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
    if (stays(length - n)) break;
    if ((entryFlags & ENTRY_DELETED) == 0) n++;
  }
  return n;
}

/** Marks `planEntries` of the node under the cursor; false: no memory, nothing changed. */
function markGoing(s: usize, lp: usize): bool {
  const bytes = lpBytes(lp);
  lp = nodeCountDeleted(lp, planEntries);
  if (lp == 0) return false;
  treeSetValue(cursor, lp);
  streamSetNodeBytes(s, streamNodeBytes(s) - bytes + lpBytes(lp));
  let left = planEntries;
  for (let p = nodeRead(lp); left > 0; p = entryNext(lp)) {
    entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
    if ((entryFlags & ENTRY_DELETED) != 0) continue;
    entryMarkDeleted(p);
    left--;
  }
  return true;
}
