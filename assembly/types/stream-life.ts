/**
 * The life of a whole stream: freeing (also bit by bit), copying, measuring.
 */
import { free } from '../base/alloc';
import { lpDup, lpFree } from '../encoding/listpack';
import {
  CONSUMER_SIZE,
  consumerActiveMs,
  consumerPending,
  consumerSeenMs,
  consumerSetActiveMs,
  GROUP_SIZE,
  groupConsumers,
  groupEntriesRead,
  groupLastMs,
  groupLastSeq,
  groupPending,
  groupSetEntriesRead,
  nameLen,
  namePtr,
  PENDING_SIZE,
  pendingDeliveries,
  pendingTimeMs,
  STREAM_OK,
  STREAM_SIZE,
  streamGroups,
  streamIdmp,
  streamNodeBytes,
  streamNodes,
  streamSetIdmp,
  streamSetNodeBytes,
} from './stream-layout';
import {
  consumerLoadPending,
  groupConsumerCreate,
  groupFreeStep,
  groupLoadPending,
  groupSetSteps,
  groupStepsLeft,
  streamGroupCreate,
} from './stream-group';
import { idmpDup } from './stream-idmp';
import {
  namesAt,
  namesCount,
  namesFind,
  namesFree,
  namesIndex,
  namesPut,
  namesRemove,
  namesReserve,
} from './stream-names';
import { streamNew } from './stream';
import {
  TREE_INSERTED,
  treeCount,
  treeFirst,
  treeInsert,
  treeMemory,
  treeMs,
  treeNext,
  treePop,
  treeSeq,
  treeValue,
} from './stream-tree';

const cursor = memory.data(8, 8);

/** Frees a stream and all it owns; 0 is allowed. O(nodes and pending entries). */
export function streamFree(s: usize): void {
  if (s == 0) return;
  while (!streamFreeStep(s, <u32>i32.MAX_VALUE)) {}
}

/** Frees at most about `budget` nodes, consumers' and pending entries; true when all is gone. */
export function streamFreeStep(s: usize, budget: u32): bool {
  let left = <i32>min(budget, <u32>i32.MAX_VALUE);
  while (treeCount(streamNodes(s)) != 0) {
    if (left-- <= 0) return false;
    lpFree(treePop(streamNodes(s)));
  }
  const groups = streamGroups(s);
  groupSetSteps(left);
  while (namesCount(groups) != 0) {
    const last = namesCount(groups) - 1;
    groupSetSteps(groupStepsLeft - 1);
    if (!groupFreeStep(namesAt(groups, last))) return false;
    namesRemove(groups, last);
  }
  namesFree(groups);
  free(streamIdmp(s));
  free(s);
  return true;
}

/**
 * Takes a group out of a stream and puts it into a new one that has nothing else, so that it can be
 * freed bit by bit like any stream. 0: no memory, nothing changed. May grow memory.
 */
export function streamSplitGroup(s: usize, group: usize): usize {
  if (namesFind(streamGroups(s), namePtr(group), nameLen(group)) != group) return 0;
  const index = namesIndex;
  const rest = streamNew();
  if (rest == 0) return 0;
  if (!namesReserve(streamGroups(rest))) {
    streamFree(rest);
    return 0;
  }
  namesRemove(streamGroups(s), index);
  namesFind(streamGroups(rest), namePtr(group), nameLen(group));
  namesPut(streamGroups(rest), group);
  return rest;
}

/** How many blocks freeing touches, about. O(groups). */
export function streamFreeEffort(s: usize): u32 {
  let n = treeCount(streamNodes(s));
  const groups = streamGroups(s);
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    n += 1 + treeCount(groupPending(namesAt(groups, i)));
  }
  return n;
}

/** A copy (COPY); 0 when memory ran out. O(bytes, pending entries × log). May grow memory. */
export function streamDup(s: usize): usize {
  const copy = streamNew();
  if (copy == 0) return 0;
  // Ids and counters stand before everything that is owned.
  memory.copy(copy, s, 64);
  if (dupNodes(s, copy) && dupGroups(s, copy) && dupIdmp(s, copy)) return copy;
  streamFree(copy);
  return 0;
}

function dupNodes(s: usize, copy: usize): bool {
  let more = treeFirst(cursor, streamNodes(s));
  while (more) {
    const lp = lpDup(treeValue(cursor));
    if (lp == 0) return false;
    if (treeInsert(streamNodes(copy), treeMs(cursor), treeSeq(cursor), lp) != TREE_INSERTED) {
      lpFree(lp);
      return false;
    }
    more = treeNext(cursor);
  }
  streamSetNodeBytes(copy, streamNodeBytes(s));
  return true;
}

function dupIdmp(s: usize, copy: usize): bool {
  if (streamIdmp(s) == 0) return true;
  const idmp = idmpDup(streamIdmp(s));
  streamSetIdmp(copy, idmp);
  return idmp != 0;
}

function dupGroups(s: usize, copy: usize): bool {
  const groups = streamGroups(s);
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const from = namesAt(groups, i);
    const ms = groupLastMs(from);
    const to = streamGroupCreate(copy, namePtr(from), nameLen(from), ms, groupLastSeq(from));
    if (to == 0) return false;
    groupSetEntriesRead(to, groupEntriesRead(from));
    if (!dupPending(from, to)) return false;
    const consumers = groupConsumers(from);
    for (let k: u32 = 0; k < namesCount(consumers); k++) {
      if (!dupConsumer(to, namesAt(consumers, k))) return false;
    }
  }
  return true;
}

function dupPending(from: usize, to: usize): bool {
  let more = treeFirst(cursor, groupPending(from));
  while (more) {
    const p = treeValue(cursor);
    const ms = treeMs(cursor);
    const seq = treeSeq(cursor);
    if (groupLoadPending(to, ms, seq, pendingTimeMs(p), pendingDeliveries(p)) != STREAM_OK) {
      return false;
    }
    more = treeNext(cursor);
  }
  return true;
}

function dupConsumer(to: usize, from: usize): bool {
  const fresh = groupConsumerCreate(to, namePtr(from), nameLen(from), consumerSeenMs(from));
  if (fresh == 0) return false;
  consumerSetActiveMs(fresh, consumerActiveMs(from));
  let more = treeFirst(cursor, consumerPending(from));
  while (more) {
    if (consumerLoadPending(to, fresh, treeMs(cursor), treeSeq(cursor)) != STREAM_OK) return false;
    more = treeNext(cursor);
  }
  return true;
}

/** Bytes the stream takes, slack of the allocator not counted (MEMORY USAGE). O(consumers). */
export function streamMemory(s: usize): usize {
  let bytes = STREAM_SIZE + <usize>streamNodeBytes(s) + treeMemory(streamNodes(s));
  const groups = streamGroups(s);
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const group = namesAt(groups, i);
    bytes += GROUP_SIZE + 4 + nameLen(group) + treeMemory(groupPending(group));
    bytes += <usize>treeCount(groupPending(group)) * PENDING_SIZE;
    const consumers = groupConsumers(group);
    for (let k: u32 = 0; k < namesCount(consumers); k++) {
      const consumer = namesAt(consumers, k);
      bytes += CONSUMER_SIZE + 8 + nameLen(consumer) + treeMemory(consumerPending(consumer));
    }
  }
  if (streamIdmp(s) != 0) bytes += load<u32>(streamIdmp(s));
  return bytes;
}
