/**
 * Walking the live entries of a stream from id to id, forwards or backwards.
 *
 *   iterator (56 bytes, the caller's)
 *   +0  u64 ms, +8 u64 seq    where to begin
 *   +16 u64 ms, +24 u64 seq   where to end, inclusive
 *   +32 cursor                the node
 *   +40 u32 p                 the next entry to look at, 0 = go to the next node
 *   +44 u32 backwards
 *   +48 u32, +52 u32          the node's number of fields and the first of them
 *
 * The entry found is in the globals of stream-node.ts (entryMs, entrySeq, entryFields; `pairsBegin`
 * and `pairsNext(iterNode(it))` give its fields). An iterator is dead once the stream changes.
 */
import { streamNodes } from './stream-layout';
import {
  ENTRY_DELETED,
  entryFlags,
  entryMs,
  entryNext,
  entryPrev,
  entryRead,
  entrySeq,
  nodeFields,
  nodeFieldsAt,
  nodeLastEntry,
  nodeRead,
  nodeRestore,
} from './stream-node';
import { idCompare } from './stream-offsets';
import {
  treeFirst,
  treeMs,
  treeNext,
  treePrev,
  treeSeekBack,
  treeSeq,
  treeValid,
  treeValue,
} from './stream-tree';

export const ITER_SIZE: usize = 56;
const OFF_P: usize = 40;
const OFF_BACK: usize = 44;
const OFF_FIELDS: usize = 48;
const OFF_FIELDS_AT: usize = 52;

// @ts-ignore: decorator
@inline function iterCursor(it: usize): usize {
  return it + 32;
}

/**
 * Begins at an id (inclusive; it need not exist) and, `backwards` or not, goes on to the end of the
 * stream, or to what `iterLimit` says. O(log n).
 */
export function iterBegin(it: usize, s: usize, backwards: bool, ms: u64, seq: u64): void {
  store<u64>(it, ms);
  store<u64>(it, seq, 8);
  const limit: u64 = backwards ? 0 : u64.MAX_VALUE;
  store<u64>(it, limit, 16);
  store<u64>(it, limit, 24);
  store<u32>(it, backwards ? 1 : 0, OFF_BACK);
  store<u32>(it, 0, OFF_P);
  const cursor = iterCursor(it);
  const found = treeSeekBack(cursor, streamNodes(s), ms, seq);
  if (found || (!backwards && treeFirst(cursor, streamNodes(s)))) enterNode(it);
}

/** Sets the last id, inclusive. */
export function iterLimit(it: usize, ms: u64, seq: u64): void {
  store<u64>(it, ms, 16);
  store<u64>(it, seq, 24);
}

/** The listpack of the entry found last. */
// @ts-ignore: decorator
@inline export function iterNode(it: usize): usize {
  return treeValue(iterCursor(it));
}

function enterNode(it: usize): void {
  const lp = treeValue(iterCursor(it));
  let p = nodeRead(lp);
  if (load<u32>(it, OFF_BACK) != 0) p = nodeLastEntry(lp);
  store<u32>(it, <u32>p, OFF_P);
  store<u32>(it, nodeFields, OFF_FIELDS);
  store<u32>(it, <u32>nodeFieldsAt, OFF_FIELDS_AT);
}

/** The next live entry; false: no more. O(1) amortised, plus tombstones. */
export function iterNext(it: usize): bool {
  const cursor = iterCursor(it);
  const backwards = load<u32>(it, OFF_BACK) != 0;
  while (treeValid(cursor)) {
    const lp = treeValue(cursor);
    let p: usize = load<u32>(it, OFF_P);
    nodeRestore(load<u32>(it, OFF_FIELDS), load<u32>(it, OFF_FIELDS_AT));
    while (p != 0) {
      entryRead(lp, p, treeMs(cursor), treeSeq(cursor));
      p = backwards ? entryPrev(lp, p) : entryNext(lp);
      if (entryFlags & ENTRY_DELETED) continue;
      const begun = idCompare(entryMs, entrySeq, load<u64>(it), load<u64>(it, 8));
      if (backwards ? begun > 0 : begun < 0) continue;
      const ended = idCompare(entryMs, entrySeq, load<u64>(it, 16), load<u64>(it, 24));
      if (backwards ? ended < 0 : ended > 0) {
        store<u64>(cursor, 0);
        return false;
      }
      store<u32>(it, <u32>p, OFF_P);
      return true;
    }
    if (!(backwards ? treePrev(cursor) : treeNext(cursor))) return false;
    enterNode(it);
  }
  return false;
}

const single = memory.data(56, 8);

/** Whether a live entry has this id; it is then the one just read. O(log n). */
export function streamHas(s: usize, ms: u64, seq: u64): bool {
  iterBegin(single, s, false, ms, seq);
  iterLimit(single, ms, seq);
  return iterNext(single);
}
