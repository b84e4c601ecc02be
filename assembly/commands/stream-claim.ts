/** XCLAIM and XAUTOCLAIM: pending entries that change hands. */
import { alloc, free, realloc, usableSize } from '../base/alloc';
import { effectNone } from '../keyspace/effects';
import { markDirty, nowMs } from '../keyspace/state';
import { argI64OrReplyText, argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
} from '../resp/reply';
import {
  argStartIdOrReply,
  argStrictIdOrReply,
  idMs,
  idParse,
  idSeq,
  replyId,
} from '../resp/stream-id';
import {
  groupConsumerDelete,
  groupPendingAdd,
  groupPendingAssign,
  groupPendingFind,
  groupPendingRemove,
} from '../types/stream-group';
import { streamHas } from '../types/stream-iter';
import {
  consumerSetActiveMs,
  groupLastMs,
  groupLastSeq,
  groupPending,
  groupSetLast,
  pendingConsumer,
  pendingDeliveries,
  pendingSetDeliveries,
  pendingSetTimeMs,
  pendingTimeMs,
  STREAM_OK,
} from '../types/stream-layout';
import { idCompare } from '../types/stream-offsets';
import {
  CURSOR_SIZE,
  treeMs,
  treeSeek,
  treeSeq,
  treeValue,
} from '../types/stream-tree';
import {
  consumerIsNew,
  consumerMade,
  consumerNamed,
  effectClaim,
  effectGone,
  effectGroupId,
  group,
  lookupGroup,
  lookupStream,
  replyEntryOfId,
  replyNoGroup,
  stream,
} from './stream-common';

const cursor = memory.data(<i32>CURSOR_SIZE, 8);

let minIdleMs: i64 = 0;
let justId: bool = false;
/** The consumer that claims, 0 = not looked up yet: it is made when it gets its first entry. */
let claimer: usize = 0;

/** Redis: a negative idle time is none. */
function minIdleOrReply(text: string): bool {
  if (!argI64OrReplyText(4, text)) return false;
  minIdleMs = max(argInt, 0);
  return true;
}

/** Whether a pending entry has been idle for long enough to be claimed. */
function isIdle(pending: usize): bool {
  return minIdleMs == 0 || nowMs - pendingTimeMs(pending) >= minIdleMs;
}

/** Gives a pending entry to the claimer. False: no memory, nothing changed. */
function assign(pending: usize, ms: u64, seq: u64): bool {
  let isNew = false;
  if (claimer == 0) {
    claimer = consumerNamed(3);
    if (claimer == 0) return false;
    isNew = consumerIsNew;
  }
  if (groupPendingAssign(pending, claimer, ms, seq) != STREAM_OK) {
    if (isNew) groupConsumerDelete(group, claimer);
    return false;
  }
  if (isNew) consumerMade(1);
  consumerSetActiveMs(claimer, nowMs);
  return true;
}

/** The entry is not in the stream any more: it is not pending any more either. */
function dropGone(pending: usize, ms: u64, seq: u64): void {
  effectGone(1, 2, pending, ms, seq);
  markDirty(1);
  groupPendingRemove(group, ms, seq);
}

// ---- what is answered

/** Ids to be answered with, 16 bytes each: those claimed, those found gone. */
let claimedIds: usize = 0;
let claimedCount: u32 = 0;
let goneIds: usize = 0;
let goneCount: u32 = 0;

/** Room for one more id in a list of `n`; the list, 0: no memory, the old list is good still. */
function roomForId(list: usize, n: u32): usize {
  const need = <usize>(n + 1) << 4;
  if (need > 1 << 30) return 0;
  if (list != 0 && need <= usableSize(list)) return list;
  return list == 0 ? alloc(64) : realloc(list, need * 2);
}

function noteId(list: usize, n: u32, ms: u64, seq: u64): void {
  store<u64>(list + (<usize>n << 4), ms);
  store<u64>(list + (<usize>n << 4), seq, 8);
}

function replyIds(list: usize, n: u32): void {
  replyArray(n);
  for (let i: u32 = 0; i < n; i++) {
    const at = list + (<usize>i << 4);
    replyId(load<u64>(at), load<u64>(at, 8));
  }
}

function replyClaimed(): void {
  if (justId) {
    replyIds(claimedIds, claimedCount);
    return;
  }
  replyArray(claimedCount);
  for (let i: u32 = 0; i < claimedCount; i++) {
    const at = claimedIds + (<usize>i << 4);
    replyEntryOfId(load<u64>(at), load<u64>(at, 8));
  }
}

/** Empties the lists; at the end of each command. */
function clearIds(): void {
  free(claimedIds);
  free(goneIds);
  claimedIds = 0;
  goneIds = 0;
  claimedCount = 0;
  goneCount = 0;
}

// ---- XCLAIM

let retryCount: i64 = -1;
let deliveryMs: i64 = -1;
let isForced: bool = false;
let lastMs: u64 = 0;
let lastSeq: u64 = 0;

/** Reads the options from argument `i` on; false: answered. */
function claimOptionsOrReply(i: u32): bool {
  retryCount = -1;
  deliveryMs = -1;
  isForced = false;
  justId = false;
  lastMs = 0;
  lastSeq = 0;
  for (; i < argc; i++) {
    const isLast = i + 1 == argc;
    if (argIs(i, 'force')) {
      isForced = true;
    } else if (argIs(i, 'justid')) {
      justId = true;
    } else if (!isLast && argIs(i, 'idle')) {
      if (!argI64OrReplyText(++i, 'ERR Invalid IDLE option argument for XCLAIM')) return false;
      deliveryMs = nowMs - argInt;
    } else if (!isLast && argIs(i, 'time')) {
      if (!argI64OrReplyText(++i, 'ERR Invalid TIME option argument for XCLAIM')) return false;
      deliveryMs = argInt;
    } else if (!isLast && argIs(i, 'retrycount')) {
      const text = 'ERR Invalid RETRYCOUNT option argument for XCLAIM';
      if (!argI64OrReplyText(++i, text)) return false;
      retryCount = argInt;
    } else if (!isLast && argIs(i, 'lastid')) {
      if (!argStrictIdOrReply(++i, 0)) return false;
      lastMs = idMs;
      lastSeq = idSeq;
    } else {
      errorBegin("ERR Unrecognized XCLAIM option '");
      errorBytes(argPtr(i), argLen(i), u32.MAX_VALUE);
      errorText("'");
      errorEnd();
      return false;
    }
  }
  // Redis: a time that is none, or lies ahead, is now: clients' clocks may be a bit off.
  if (deliveryMs < 0 || deliveryMs > nowMs) deliveryMs = nowMs;
  return true;
}

/** Claims one entry if it may be. False: memory ran out, nothing changed. */
function claim(ms: u64, seq: u64): bool {
  let pending = groupPendingFind(group, ms, seq);
  if (!streamHas(stream, ms, seq)) {
    if (pending == 0) return true;
    goneCount++;
    dropGone(pending, ms, seq);
    return true;
  }
  if (pending == 0 && !isForced) return true;
  if (pending != 0 && pendingConsumer(pending) != 0 && !isIdle(pending)) return true;
  const list = roomForId(claimedIds, claimedCount);
  if (list == 0) return false;
  claimedIds = list;
  if (pending != 0) {
    if (!assign(pending, ms, seq)) return false;
  } else {
    pending = groupPendingAdd(group, 0, ms, seq);
    if (pending == 0) return false;
    pendingSetDeliveries(pending, 1);
    if (!assign(pending, ms, seq)) {
      groupPendingRemove(group, ms, seq);
      return false;
    }
  }
  noteId(list, claimedCount++, ms, seq);
  pendingSetTimeMs(pending, deliveryMs);
  if (retryCount >= 0) pendingSetDeliveries(pending, retryCount);
  else if (!justId) pendingSetDeliveries(pending, pendingDeliveries(pending) + 1);
  effectClaim(1, 2, pending, ms, seq);
  markDirty(1);
  return true;
}

export function cmdXclaim(): void {
  if (!lookupStream(1)) return;
  lookupGroup(2);
  if (group == 0) {
    replyNoGroup(1, 2, "'");
    return;
  }
  if (!minIdleOrReply('ERR Invalid min-idle-time argument for XCLAIM')) return;
  let end: u32 = 5;
  while (end < argc && idParse(argPtr(end), argLen(end), 0, true, false)) end++;
  if (!claimOptionsOrReply(end)) return;
  const oldMs = groupLastMs(group);
  const oldSeq = groupLastSeq(group);
  const isMoved = idCompare(lastMs, lastSeq, oldMs, oldSeq) > 0;
  if (isMoved) groupSetLast(group, lastMs, lastSeq);
  claimer = 0;
  effectNone();
  let isOom = false;
  for (let i: u32 = 5; i < end && !isOom; i++) {
    idParse(argPtr(i), argLen(i), 0, true, false);
    isOom = !claim(idMs, idSeq);
  }
  const isNothing = claimedCount + goneCount == 0;
  if (isOom && isNothing) {
    groupSetLast(group, oldMs, oldSeq);
    replyOom();
  } else {
    replyClaimed();
    // Each claim told the group's last id as well.
    if (isMoved && isNothing) {
      effectGroupId(1, 2);
      markDirty(1);
    }
  }
  clearIds();
}

// ---- XAUTOCLAIM

/** Redis: pending entries looked at for each one that may be claimed. */
const ATTEMPTS: i64 = 10;
const COUNT_DEFAULT: i64 = 100;
/** Redis: no more ids than fit its address space. */
const COUNT_MAX: i64 = i64.MAX_VALUE / 16;

let count: i64 = 0;

function autoclaimOptionsOrReply(): bool {
  count = COUNT_DEFAULT;
  justId = false;
  for (let i: u32 = 6; i < argc; i++) {
    if (argIs(i, 'count') && i + 1 < argc) {
      if (!argRangeOrReplyText(++i, 1, COUNT_MAX, 'ERR COUNT must be > 0')) return false;
      count = argInt;
    } else if (argIs(i, 'justid')) {
      justId = true;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** Claims the pending entry under the cursor, or drops it. False: memory ran out. */
function autoclaim(pending: usize, ms: u64, seq: u64): bool {
  if (!streamHas(stream, ms, seq)) {
    const list = roomForId(goneIds, goneCount);
    if (list == 0) return false;
    goneIds = list;
    noteId(list, goneCount++, ms, seq);
    dropGone(pending, ms, seq);
    count--;
    return true;
  }
  if (!isIdle(pending)) return true;
  const list = roomForId(claimedIds, claimedCount);
  if (list == 0) return false;
  claimedIds = list;
  if (!assign(pending, ms, seq)) return false;
  noteId(list, claimedCount++, ms, seq);
  pendingSetTimeMs(pending, nowMs);
  if (!justId) pendingSetDeliveries(pending, pendingDeliveries(pending) + 1);
  effectClaim(1, 2, pending, ms, seq);
  markDirty(1);
  count--;
  return true;
}

export function cmdXautoclaim(): void {
  if (!minIdleOrReply('ERR Invalid min-idle-time argument for XAUTOCLAIM')) return;
  if (!argStartIdOrReply(5)) return;
  let ms = idMs;
  let seq = idSeq;
  if (!autoclaimOptionsOrReply()) return;
  if (!lookupStream(1)) return;
  lookupGroup(2);
  if (group == 0) {
    replyNoGroup(1, 2, "'");
    return;
  }
  claimer = 0;
  effectNone();
  let attempts = count * ATTEMPTS;
  let isOom = false;
  // An id is looked up anew each time, because dropping and claiming change the trees.
  let more = treeSeek(cursor, groupPending(group), ms, seq);
  while (more && attempts-- > 0 && count > 0) {
    ms = treeMs(cursor);
    seq = treeSeq(cursor);
    isOom = !autoclaim(treeValue(cursor), ms, seq);
    if (isOom) break;
    if (++seq == 0) ms++;
    more = (ms | seq) != 0 && treeSeek(cursor, groupPending(group), ms, seq);
  }
  if (isOom && claimedCount + goneCount == 0) {
    replyOom();
  } else {
    replyArray(3);
    // Where the next call goes on; memory that ran out is like a COUNT that was reached.
    if (isOom) replyId(ms, seq);
    else if (more) replyId(treeMs(cursor), treeSeq(cursor));
    else replyId(0, 0);
    replyClaimed();
    replyIds(goneIds, goneCount);
  }
  clearIds();
}
