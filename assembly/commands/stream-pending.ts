/** XPENDING: what a group has delivered and nobody acknowledged, summed up or entry by entry. */
import { nowMs } from '../keyspace/state';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyBulkInt,
  replyDeferred,
  replyDeferredArrayEnd,
  replyInt,
  replyNull,
  replyNullArray,
} from '../resp/reply';
import { argEndIdOrReply, argStartIdOrReply, idMs, idSeq, replyId } from '../resp/stream-id';
import {
  consumerPending,
  groupConsumers,
  groupPending,
  nameLen,
  namePtr,
  pendingDeliveries,
  pendingTimeMs,
} from '../types/stream-layout';
import { namesAt, namesCount, namesFind } from '../types/stream-names';
import { idCompare } from '../types/stream-offsets';
import {
  CURSOR_SIZE,
  treeCount,
  treeFirst,
  treeLast,
  treeMs,
  treeNext,
  treeSeek,
  treeSeq,
  treeValue,
} from '../types/stream-tree';
import { group, lookupGroup, lookupStream, replyNoGroup, replyOwner } from './stream-common';

const cursor = memory.data(<i32>CURSOR_SIZE, 8);

let minIdleMs: i64 = 0;
let pendingCount: i64 = 0;
let startMs: u64 = 0;
let startSeq: u64 = 0;
let endMs: u64 = 0;
let endSeq: u64 = 0;
/** Index of the consumer's name, 0 = none given. */
let consumerArg: u32 = 0;

export function cmdXpending(): void {
  if (argc != 3 && (argc < 6 || argc > 9)) {
    replySyntaxError();
    return;
  }
  if (argc > 3 && !pendingArgsOrReply()) return;
  if (!lookupStream(1)) return;
  lookupGroup(2);
  if (group == 0) {
    replyNoGroup(1, 2, "'");
  } else if (argc == 3) {
    replyPendingSummary();
  } else {
    replyPendingRange();
  }
}

function pendingArgsOrReply(): bool {
  let at: u32 = 3;
  minIdleMs = 0;
  if (argIs(3, 'idle')) {
    if (!argI64OrReply(4)) return false;
    minIdleMs = argInt;
    if (argc < 8) {
      replySyntaxError();
      return false;
    }
    at = 5;
  }
  if (!argI64OrReply(at + 2)) return false;
  pendingCount = max(argInt, 0);
  if (!argStartIdOrReply(at)) return false;
  startMs = idMs;
  startSeq = idSeq;
  if (!argEndIdOrReply(at + 1)) return false;
  endMs = idMs;
  endSeq = idSeq;
  consumerArg = at + 3 < argc ? at + 3 : 0;
  return true;
}

function replyPendingSummary(): void {
  const tree = groupPending(group);
  replyArray(4);
  replyInt(treeCount(tree));
  if (!treeFirst(cursor, tree)) {
    replyNull();
    replyNull();
    replyNullArray();
    return;
  }
  replyId(treeMs(cursor), treeSeq(cursor));
  treeLast(cursor, tree);
  replyId(treeMs(cursor), treeSeq(cursor));
  const header = replyDeferred();
  let n: i64 = 0;
  const consumers = groupConsumers(group);
  for (let i: u32 = 0; i < namesCount(consumers); i++) {
    const consumer = namesAt(consumers, i);
    if (treeCount(consumerPending(consumer)) == 0) continue;
    replyArray(2);
    replyBulk(namePtr(consumer), nameLen(consumer));
    replyBulkInt(treeCount(consumerPending(consumer)));
    n++;
  }
  replyDeferredArrayEnd(header, n);
}

function replyPendingRange(): void {
  let tree = groupPending(group);
  if (consumerArg != 0) {
    const consumer = namesFind(groupConsumers(group), argPtr(consumerArg), argLen(consumerArg));
    if (consumer == 0) {
      replyArray(0);
      return;
    }
    tree = consumerPending(consumer);
  }
  const header = replyDeferred();
  let n: i64 = 0;
  let more = treeSeek(cursor, tree, startMs, startSeq);
  while (more && n < pendingCount) {
    if (idCompare(treeMs(cursor), treeSeq(cursor), endMs, endSeq) > 0) break;
    const pending = treeValue(cursor);
    const idle = nowMs - pendingTimeMs(pending);
    if (minIdleMs == 0 || idle >= minIdleMs) {
      replyArray(4);
      replyId(treeMs(cursor), treeSeq(cursor));
      replyOwner(pending);
      replyInt(max(idle, 0));
      replyInt(<i64>pendingDeliveries(pending));
      n++;
    }
    more = treeNext(cursor);
  }
  replyDeferredArrayEnd(header, n);
}
