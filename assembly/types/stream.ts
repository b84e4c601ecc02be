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
import { alloc } from '../base/alloc';
import {
  LP_EOF,
  lpAppend,
  lpAppendInt,
  lpBytes,
  lpCompare,
  lpFree,
  lpNew,
  lpNext,
  lpFirst,
  lpReplaceInt,
  lpShrinkToFit,
} from '../encoding/listpack';
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

/** Whether a node may take another entry of so many bytes of text. */
function nodeTakes(lp: usize, bytes: u64): bool {
  let most = streamNodeMaxBytes;
  if (most == 0 || most > NODE_BYTES_LIMIT) most = NODE_BYTES_LIMIT;
  if (<u64>lpBytes(lp) + bytes >= most) return false;
  if (streamNodeMaxEntries == 0) return true;
  nodeRead(lp);
  return nodeLive + nodeDeleted < streamNodeMaxEntries;
}

/** Starts a node with this entry. False: no memory, nothing changed. */
function appendNode(s: usize, pairs: usize, fields: u32, ms: u64, seq: u64): bool {
  deltaMs = 0;
  deltaSeq = 0;
  // The node before is complete: nothing will be added to it any more.
  if (treeValid(cursor)) treeSetValue(cursor, lpShrinkToFit(treeValue(cursor)));
  let lp = lpNew(64);
  if (lp == 0) return false;
  const master = masterEntry(lp, pairs, fields);
  if (master != 0) {
    lp = master;
    const full = entryAppend(lp, pairs, fields, ENTRY_SAMEFIELDS);
    if (full != 0) {
      lp = full;
      if (treeInsert(streamNodes(s), ms, seq, lp) == TREE_INSERTED) {
        streamSetNodeBytes(s, streamNodeBytes(s) + lpBytes(lp));
        return true;
      }
    } else {
      lp = partial;
    }
  } else {
    lp = partial;
  }
  lpFree(lp);
  return false;
}

/** Where a listpack is after a failed run of appends. */
let partial: usize = 0;

function masterEntry(lp: usize, pairs: usize, fields: u32): usize {
  lp = putInt(putInt(putInt(lp, 1), 0), fields);
  for (let i: u32 = 0; i < fields; i++) lp = putText(lp, pairs, i * 2);
  return putInt(lp, 0);
}

/** Appends and passes failure (0) on, noting where the listpack was. */
function putInt(lp: usize, value: i64): usize {
  if (lp == 0) return 0;
  partial = lp;
  return lpAppendInt(lp, value);
}

function putText(lp: usize, pairs: usize, i: u32): usize {
  if (lp == 0) return 0;
  partial = lp;
  return lpAppend(lp, textPtr(pairs, i), textLen(pairs, i));
}

let deltaMs: i64 = 0;
let deltaSeq: i64 = 0;

/** The entry's elements behind the others; 0: no memory, the listpack is at `partial`. */
function entryAppend(lp: usize, pairs: usize, fields: u32, flags: u32): usize {
  const same = (flags & ENTRY_SAMEFIELDS) != 0;
  lp = putInt(putInt(putInt(lp, flags), deltaMs), deltaSeq);
  if (!same) lp = putInt(lp, fields);
  for (let i: u32 = 0; i < fields; i++) {
    if (!same) lp = putText(lp, pairs, i * 2);
    lp = putText(lp, pairs, i * 2 + 1);
  }
  return putInt(lp, same ? <i64>fields + 3 : <i64>fields * 2 + 4);
}

/** Adds the entry to the node under the cursor. False: no memory, nothing changed. */
function appendToNode(s: usize, pairs: usize, fields: u32, ms: u64, seq: u64): bool {
  const lp = treeValue(cursor);
  const bytes = lpBytes(lp);
  const elements: u32 = load<u16>(lp, 4);
  nodeRead(lp);
  const live = nodeLive;
  const flags: u32 = sameFields(lp, pairs, fields) ? ENTRY_SAMEFIELDS : 0;
  deltaMs = <i64>(ms - treeMs(cursor));
  deltaSeq = <i64>(seq - treeSeq(cursor));
  const counted = lpReplaceInt(lp, lpFirst(lp), live + 1);
  if (counted == 0) return false;
  const before = lpBytes(counted);
  const full = entryAppend(counted, pairs, fields, flags);
  if (full != 0) {
    treeSetValue(cursor, full);
    streamSetNodeBytes(s, streamNodeBytes(s) - bytes + lpBytes(full));
    return true;
  }
  // Cut off what was appended and take the count back, which never needs room.
  store<u32>(partial, before);
  store<u16>(partial, elements, 4);
  store<u8>(partial + before - 1, <u8>LP_EOF);
  treeSetValue(cursor, lpReplaceInt(partial, lpFirst(partial), live));
  return false;
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

/**
 * Removes the oldest entries until at most `lengthMax` are left (XTRIM MAXLEN). `approx`: only
 * whole nodes. `limit`: stop before more than so many entries went, 0 = none. STREAM_OK
 * (`streamTrimmed` says how many went) or STREAM_OOM and nothing changed. O(entries removed). May
 * grow memory.
 */
export function streamTrimLength(s: usize, lengthMax: u64, approx: bool, limit: u64): i32 {
  trimById = false;
  trimLengthMax = lengthMax;
  return trim(s, approx, limit);
}

/** As `streamTrimLength`, for all entries with ids below the given one (XTRIM MINID). */
export function streamTrimId(s: usize, ms: u64, seq: u64, approx: bool, limit: u64): i32 {
  trimById = true;
  trimMs = ms;
  trimSeq = seq;
  return trim(s, approx, limit);
}

function trim(s: usize, approx: bool, limit: u64): i32 {
  let length = streamLength(s);
  let removed: u64 = 0;
  let whole: u32 = 0;
  let more = treeFirst(cursor, streamNodes(s));
  while (more) {
    if (!trimById && length <= trimLengthMax) break;
    const lp = treeValue(cursor);
    const live = <u64>nodeLiveCount(lp);
    if (limit != 0 && removed + live > limit) break;
    if (!(trimById ? endsBelow(lp) : length - live >= trimLengthMax)) {
      if (approx) break;
      // The only step that may fail comes before any other change.
      const n = trimNode(s, lp, length);
      if (n < 0) return STREAM_OOM;
      removed += n;
      length -= n;
      break;
    }
    removed += live;
    length -= live;
    whole++;
    more = treeNext(cursor);
  }
  for (; whole > 0; whole--) {
    treeFirst(cursor, streamNodes(s));
    dropNode(s, treeValue(cursor));
  }
  streamSetLength(s, length);
  streamTrimmed = removed;
  if (removed != 0 || length == 0) refreshFirst(s);
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

/** Marks entries in the node under the cursor; how many, -1: no memory, nothing changed. */
function trimNode(s: usize, lp: usize, length: u64): i64 {
  let n: i64 = 0;
  for (let p = nodeRead(lp); p != 0; p = entryNext(lp)) {
    entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
    if (stays(length - n)) break;
    if ((entryFlags & ENTRY_DELETED) == 0) n++;
  }
  if (n == 0) return 0;
  const bytes = lpBytes(lp);
  lp = nodeCountDeleted(lp, n);
  if (lp == 0) return -1;
  treeSetValue(cursor, lp);
  streamSetNodeBytes(s, streamNodeBytes(s) - bytes + lpBytes(lp));
  let left = n;
  for (let p = nodeRead(lp); left > 0; p = entryNext(lp)) {
    entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
    if ((entryFlags & ENTRY_DELETED) != 0) continue;
    entryMarkDeleted(p);
    left--;
  }
  return n;
}
