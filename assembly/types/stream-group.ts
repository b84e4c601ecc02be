/**
 * Consumer groups: their consumers and their pending entries.
 *
 * What it is: the operations behind XGROUP, XREADGROUP, XACK, XCLAIM and XPENDING, and the ones an
 * RDB loader needs, with the invariants kept here: a pending record is in the tree of its group and
 * in that of its owner. What it is not: it does not read entries of the stream, and knows no time
 * but what it is told. Layouts are in stream-layout.ts; behaviour as observed on redis 7.0.15.
 *
 * Every function that allocates leaves everything as it was when memory runs out.
 */
import { alloc, free } from '../base/alloc';
import {
  CONSUMER_SIZE,
  consumerPending,
  consumerSetActiveMs,
  consumerSetSeenMs,
  ENTRIES_READ_UNKNOWN,
  GROUP_SIZE,
  groupConsumers,
  groupEntriesRead,
  groupLastMs,
  groupLastSeq,
  groupPending,
  groupSetEntriesRead,
  groupSetLast,
  nameLen,
  namePtr,
  PENDING_SIZE,
  pendingConsumer,
  pendingSetConsumer,
  pendingSetDeliveries,
  pendingSetTimeMs,
  streamEntriesAdded,
  streamGroups,
  STREAM_BAD_OWNER,
  STREAM_BAD_PENDING,
  STREAM_EXISTS,
  STREAM_OK,
  STREAM_OOM,
} from './stream-layout';
import {
  namesAt,
  namesCount,
  namesFind,
  namesFree,
  namesIndex,
  namesPut,
  namesRemove,
  namesReserve,
  recordFree,
  recordNew,
} from './stream-names';
import { idCompare, streamEstimateRead, streamHasTombstonesFrom } from './stream-offsets';
import {
  TREE_EXISTS,
  TREE_INSERTED,
  treeCount,
  treeFind,
  treeInsert,
  treeLast,
  treeMs,
  treePop,
  treeRemove,
  treeSeq,
} from './stream-tree';

/** Why the last function here that returns an address returned 0. */
export let groupStatus: i32 = STREAM_OK;

const walk = memory.data(8, 8);

// ---- groups

/** The group with this name, 0 = none. */
export function streamGroup(s: usize, ptr: usize, len: u32): usize {
  return namesFind(streamGroups(s), ptr, len);
}

/**
 * Creates a group whose last delivered id is given; entries_read is unknown
 * (`groupSetEntriesRead`). 0: groupStatus says STREAM_EXISTS or STREAM_OOM. May grow memory.
 */
export function streamGroupCreate(s: usize, ptr: usize, len: u32, ms: u64, seq: u64): usize {
  const group = createNamed(streamGroups(s), GROUP_SIZE, ptr, len);
  if (group == 0) return 0;
  groupSetLast(group, ms, seq);
  groupSetEntriesRead(group, ENTRIES_READ_UNKNOWN);
  return group;
}

function createNamed(names: usize, size: usize, ptr: usize, len: u32): usize {
  if (namesFind(names, ptr, len) != 0) {
    groupStatus = STREAM_EXISTS;
    return 0;
  }
  groupStatus = STREAM_OOM;
  if (!namesReserve(names)) return 0;
  const record = recordNew(size, ptr, len);
  if (record == 0) return 0;
  groupStatus = STREAM_OK;
  namesPut(names, record);
  return record;
}

/** Removes a group with all it holds. O(its consumers and pending entries). */
export function streamGroupDestroy(s: usize, group: usize): void {
  if (namesFind(streamGroups(s), namePtr(group), nameLen(group)) != group) return;
  namesRemove(streamGroups(s), namesIndex);
  groupStepsLeft = i32.MAX_VALUE;
  groupFreeStep(group);
}

/** Work that `groupFreeStep` may still do; the caller sets it, it counts down. */
export let groupStepsLeft: i32 = 0;

/** Sets the budget of `groupFreeStep`. */
export function groupSetSteps(n: i32): void {
  groupStepsLeft = n;
}

/**
 * Frees a group that is in no stream any more, at most `groupStepsLeft` elements at a time. True
 * when it is gone.
 */
export function groupFreeStep(group: usize): bool {
  const consumers = groupConsumers(group);
  while (namesCount(consumers) != 0) {
    const last = namesCount(consumers) - 1;
    const consumer = namesAt(consumers, last);
    while (treeCount(consumerPending(consumer)) != 0) {
      if (groupStepsLeft-- <= 0) return false;
      treePop(consumerPending(consumer));
    }
    namesRemove(consumers, last);
    recordFree(consumer);
  }
  while (treeCount(groupPending(group)) != 0) {
    if (groupStepsLeft-- <= 0) return false;
    free(treePop(groupPending(group)));
  }
  namesFree(consumers);
  recordFree(group);
  return true;
}

/**
 * Notes that a consumer has been given the entry: the group's last id and entries_read move on, as
 * XREADGROUP with `>` does. Nothing happens for an id that is not beyond the last. Redis: the count
 * goes on by one while no tombstone lies ahead, else it is estimated anew.
 */
export function groupAdvance(s: usize, group: usize, ms: u64, seq: u64): bool {
  if (idCompare(ms, seq, groupLastMs(group), groupLastSeq(group)) <= 0) return false;
  const read = groupEntriesRead(group);
  if (read != ENTRIES_READ_UNKNOWN && !streamHasTombstonesFrom(s, ms, seq)) {
    groupSetEntriesRead(group, read + 1);
  } else if (streamEntriesAdded(s) != 0) {
    groupSetEntriesRead(group, streamEstimateRead(s, ms, seq));
  }
  groupSetLast(group, ms, seq);
  return true;
}

// ---- consumers

/** The consumer with this name, 0 = none. */
export function groupConsumer(group: usize, ptr: usize, len: u32): usize {
  return namesFind(groupConsumers(group), ptr, len);
}

/**
 * Creates a consumer, seen at `nowMs` and never active. 0: groupStatus says STREAM_EXISTS or
 * STREAM_OOM. May grow memory.
 */
export function groupConsumerCreate(group: usize, ptr: usize, len: u32, nowMs: i64): usize {
  const consumer = createNamed(groupConsumers(group), CONSUMER_SIZE, ptr, len);
  if (consumer == 0) return 0;
  consumerSetSeenMs(consumer, nowMs);
  consumerSetActiveMs(consumer, -1);
  return consumer;
}

/**
 * Removes a consumer and its pending entries, from the group too; returns how many there were.
 * O(m log n).
 */
export function groupConsumerDelete(group: usize, consumer: usize): u32 {
  const names = groupConsumers(group);
  if (namesFind(names, namePtr(consumer), nameLen(consumer)) != consumer) return 0;
  const index = namesIndex;
  const mine = consumerPending(consumer);
  const n = treeCount(mine);
  while (treeLast(walk, mine)) {
    free(treeRemove(groupPending(group), treeMs(walk), treeSeq(walk)));
    treePop(mine);
  }
  namesRemove(names, index);
  recordFree(consumer);
  return n;
}

// ---- pending entries

/** The pending record of an id, 0 = none. O(log n). */
export function groupPendingFind(group: usize, ms: u64, seq: u64): usize {
  return treeFind(groupPending(group), ms, seq);
}

/**
 * Makes an id pending, owned by a consumer or (0) by none. Returns the record, its time and count 0
 * for the caller to set; 0: groupStatus says STREAM_EXISTS or STREAM_OOM. May grow memory.
 */
export function groupPendingAdd(group: usize, consumer: usize, ms: u64, seq: u64): usize {
  groupStatus = STREAM_OOM;
  const pending = alloc(PENDING_SIZE);
  if (pending == 0) return 0;
  memory.fill(pending, 0, PENDING_SIZE);
  const added = treeInsert(groupPending(group), ms, seq, pending);
  if (added != TREE_INSERTED) {
    if (added == TREE_EXISTS) groupStatus = STREAM_EXISTS;
    free(pending);
    return 0;
  }
  if (consumer != 0) {
    if (treeInsert(consumerPending(consumer), ms, seq, pending) != TREE_INSERTED) {
      treeRemove(groupPending(group), ms, seq);
      free(pending);
      return 0;
    }
    pendingSetConsumer(pending, consumer);
  }
  groupStatus = STREAM_OK;
  return pending;
}

/**
 * Gives a pending entry to a consumer, away from whoever had it: STREAM_OK or STREAM_OOM (nothing
 * changed). Time and count are the caller's to set. May grow memory.
 */
export function groupPendingAssign(pending: usize, consumer: usize, ms: u64, seq: u64): i32 {
  const owner = pendingConsumer(pending);
  if (owner == consumer) return STREAM_OK;
  if (treeInsert(consumerPending(consumer), ms, seq, pending) != TREE_INSERTED) return STREAM_OOM;
  if (owner != 0) treeRemove(consumerPending(owner), ms, seq);
  pendingSetConsumer(pending, consumer);
  return STREAM_OK;
}

/** Takes an entry off the pending ones (XACK); false if it was not pending. O(log n). */
export function groupPendingRemove(group: usize, ms: u64, seq: u64): bool {
  const pending = treeRemove(groupPending(group), ms, seq);
  if (pending == 0) return false;
  const owner = pendingConsumer(pending);
  if (owner != 0) treeRemove(consumerPending(owner), ms, seq);
  free(pending);
  return true;
}

/**
 * Makes an entry pending for a consumer as a delivery at `nowMs` does: one that was pending already
 * changes hands, its count starts anew at 1. STREAM_OK or STREAM_OOM. May grow memory.
 */
export function groupDeliver(
  group: usize,
  consumer: usize,
  ms: u64,
  seq: u64,
  nowMs: i64,
): i32 {
  let pending = groupPendingFind(group, ms, seq);
  if (pending == 0) {
    pending = groupPendingAdd(group, consumer, ms, seq);
    if (pending == 0) return groupStatus;
  } else if (groupPendingAssign(pending, consumer, ms, seq) != STREAM_OK) {
    return STREAM_OOM;
  }
  pendingSetTimeMs(pending, nowMs);
  pendingSetDeliveries(pending, 1);
  return STREAM_OK;
}

// ---- for the loader

/**
 * A pending entry of the group's list, not yet owned. STREAM_OK, STREAM_OOM, or STREAM_EXISTS for
 * an id that came twice. May grow memory.
 */
export function groupLoadPending(
  group: usize,
  ms: u64,
  seq: u64,
  timeMs: i64,
  deliveries: u64,
): i32 {
  const pending = groupPendingAdd(group, 0, ms, seq);
  if (pending == 0) return groupStatus;
  pendingSetTimeMs(pending, timeMs);
  pendingSetDeliveries(pending, deliveries);
  return STREAM_OK;
}

/**
 * An entry of a consumer's list. STREAM_OK, STREAM_OOM, STREAM_BAD_PENDING (the group has no such
 * pending entry) or STREAM_BAD_OWNER (it has an owner already). May grow memory.
 */
export function consumerLoadPending(group: usize, consumer: usize, ms: u64, seq: u64): i32 {
  const pending = groupPendingFind(group, ms, seq);
  if (pending == 0) return STREAM_BAD_PENDING;
  if (pendingConsumer(pending) != 0) return STREAM_BAD_OWNER;
  return groupPendingAssign(pending, consumer, ms, seq);
}

/**
 * An id of the unowned zone (type 27): STREAM_OK, STREAM_BAD_PENDING or STREAM_BAD_OWNER. Entries
 * are unowned until a consumer lists them, so this only checks.
 */
export function groupLoadUnowned(group: usize, ms: u64, seq: u64): i32 {
  const pending = groupPendingFind(group, ms, seq);
  if (pending == 0) return STREAM_BAD_PENDING;
  return pendingConsumer(pending) == 0 ? STREAM_OK : STREAM_BAD_OWNER;
}

/** Pending entries without an owner. O(pending). */
export function groupUnowned(group: usize): u32 {
  let n: u32 = treeCount(groupPending(group));
  const consumers = groupConsumers(group);
  for (let i: u32 = 0; i < namesCount(consumers); i++) {
    n -= treeCount(consumerPending(namesAt(consumers, i)));
  }
  return n;
}

/**
 * After the last consumer of a group (and the unowned zone of `unowned` distinct ids): STREAM_OK,
 * or STREAM_BAD_OWNER when an entry has no owner that should.
 */
export function groupLoadEnd(group: usize, unowned: u32): i32 {
  return groupUnowned(group) == unowned ? STREAM_OK : STREAM_BAD_OWNER;
}
