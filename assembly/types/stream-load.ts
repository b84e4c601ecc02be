/**
 * Building a stream from foreign parts: what the RDB loader and RESTORE call, in the order the
 * parts come. Everything is checked; what is refused leaves a stream that `streamFree` takes back.
 *
 *   streamNew
 *   streamLoadNode …                        ascending, bytes copied
 *   streamLoadMeta, then streamSetFirst, streamSetMaxDeleted, streamSetEntriesAdded
 *     or (type 15, which has none of the three) streamLoadLegacy
 *   streamLoadNodesEnd
 *   per group: streamGroupCreate, groupSetEntriesRead (type 15: groupLoadLegacy)
 *     groupLoadPending …, per consumer: groupConsumerCreate, consumerSetActiveMs
 *       (before type 21: = seen), consumerLoadPending …
 *     groupLoadUnowned … (type 27), groupLoadEnd
 *   idmpBegin … (types 26, 27; stream-idmp.ts)
 */
import { alloc, free } from '../base/alloc';
import {
  groupLastMs,
  groupLastSeq,
  groupSetEntriesRead,
  STREAM_BAD_LAST_ID,
  STREAM_BAD_LENGTH,
  STREAM_BAD_ORDER,
  STREAM_OK,
  STREAM_OOM,
  streamLastMs,
  streamLastSeq,
  streamLength,
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
  entryMs,
  entryRead,
  entrySeq,
  nodeLastEntry,
  nodeLiveCount,
  nodeRead,
  streamNodeValidate,
} from './stream-node';
import { idCompare, streamEstimateRead } from './stream-offsets';
import { streamEdge, streamIdMs, streamIdSeq } from './stream';
import {
  TREE_INSERTED,
  treeFirst,
  treeInsert,
  treeLast,
  treeMs,
  treeNext,
  treeSeq,
  treeValue,
} from './stream-tree';

const cursor = memory.data(8, 8);

/**
 * Adds a node: its key and its listpack, checked (`streamNodeValidate`) and copied. Nodes come in
 * ascending order; one must begin beyond the end of the one before. STREAM_OK, STREAM_OOM or a
 * STREAM_BAD_* code. O(len). May grow memory.
 */
export function streamLoadNode(s: usize, ms: u64, seq: u64, ptr: usize, len: u32): i32 {
  if (treeLast(cursor, streamNodes(s))) {
    const before = treeValue(cursor);
    let endMs = treeMs(cursor);
    let endSeq = treeSeq(cursor);
    nodeRead(before);
    const p = nodeLastEntry(before);
    if (p != 0) {
      entryRead(before, p, endMs, endSeq);
      endMs = entryMs;
      endSeq = entrySeq;
    }
    if (idCompare(ms, seq, endMs, endSeq) <= 0) return STREAM_BAD_ORDER;
  }
  const status = streamNodeValidate(ptr, len, ms, seq);
  if (status != STREAM_OK) return status;
  const lp = alloc(len);
  if (lp == 0) return STREAM_OOM;
  memory.copy(lp, ptr, len);
  if (treeInsert(streamNodes(s), ms, seq, lp) != TREE_INSERTED) {
    free(lp);
    return STREAM_OOM;
  }
  streamSetNodeBytes(s, streamNodeBytes(s) + len);
  return STREAM_OK;
}

/** Sets length and last id. */
export function streamLoadMeta(s: usize, length: u64, lastMs: u64, lastSeq: u64): void {
  streamSetLength(s, length);
  streamSetLast(s, lastMs, lastSeq);
}

/**
 * After `streamLoadMeta`, for the type without offsets: no tombstones known, as many entries added
 * as there are, first id looked up.
 */
export function streamLoadLegacy(s: usize): void {
  streamSetMaxDeleted(s, 0, 0);
  streamSetEntriesAdded(s, streamLength(s));
  streamEdge(s, true);
  streamSetFirst(s, streamIdMs, streamIdSeq);
}

/** entries_read of a group, for the type that does not store it: estimated from its last id. */
export function groupLoadLegacy(s: usize, group: usize): void {
  groupSetEntriesRead(group, streamEstimateRead(s, groupLastMs(group), groupLastSeq(group)));
}

/**
 * Checks nodes and metadata together: STREAM_OK, STREAM_BAD_LENGTH or STREAM_BAD_LAST_ID. O(nodes).
 */
export function streamLoadNodesEnd(s: usize): i32 {
  let live: u64 = 0;
  let more = treeFirst(cursor, streamNodes(s));
  while (more) {
    live += nodeLiveCount(treeValue(cursor));
    more = treeNext(cursor);
  }
  if (live != streamLength(s)) return STREAM_BAD_LENGTH;
  if (!streamEdge(s, false)) return STREAM_OK;
  const order = idCompare(streamIdMs, streamIdSeq, streamLastMs(s), streamLastSeq(s));
  return order > 0 ? STREAM_BAD_LAST_ID : STREAM_OK;
}
