/** XREAD and XREADGROUP. */
import { client } from '../clients/client';
import { effectNone } from '../keyspace/effects';
import { markDirty, nowMs } from '../keyspace/state';
import { argI64OrReply, argI64OrReplyText, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError } from '../resp/errors';
import {
  errorBegin,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredArrayEnd,
  replyDeferredMapEnd,
  replyError,
  replyNullArray,
  respVersion,
} from '../resp/reply';
import { argIsChar, argStrictIdOrReply, idMs, idSeq, replyId } from '../resp/stream-id';
import { streamEdge, streamIdMs, streamIdSeq } from '../types/stream';
import { groupAdvance, groupDeliver, groupPendingFind } from '../types/stream-group';
import { iterBegin, iterNext, ITER_SIZE } from '../types/stream-iter';
import {
  consumerPending,
  consumerSetActiveMs,
  groupLastMs,
  groupLastSeq,
  pendingDeliveries,
  pendingSetDeliveries,
  pendingSetTimeMs,
  STREAM_OK,
  streamLastMs,
  streamLastSeq,
  streamLength,
} from '../types/stream-layout';
import { entryMs, entrySeq } from '../types/stream-node';
import { idCompare } from '../types/stream-offsets';
import {
  CURSOR_SIZE,
  treeMs,
  treeNext,
  treeSeek,
  treeSeq,
  treeValue,
} from '../types/stream-tree';
import {
  consumerIsNew,
  consumerNamed,
  effectClaim,
  effectConsumer,
  effectGroupId,
  group,
  lookupGroup,
  lookupStream,
  replyEntries,
  replyEntry,
  replyEntryOfId,
  replyNoGroup,
  stream,
} from './stream-common';

const DOLLAR: u32 = 0x24;
const GREATER: u32 = 0x3e;
const PLUS: u32 = 0x2b;

const iter = memory.data(<i32>ITER_SIZE, 8);
const cursor = memory.data(<i32>CURSOR_SIZE, 8);

// ---- options, as `optionsOrReply` read them

let isGroup: bool = false;
/** BLOCK in ms, -1 = not given. */
let timeoutMs: i64 = -1;
/** Entries of each stream, 0 = all. */
let count: i64 = 0;
let noAck: bool = false;
/** Arguments: the first key, how many there are, the group, the consumer behind it. */
let keysArg: u32 = 0;
let keyCount: u32 = 0;
let groupArg: u32 = 0;

function groupOnlyOrReply(option: string): bool {
  if (isGroup) return true;
  errorBegin('ERR The ');
  errorText(option);
  errorText(' option is only supported by XREADGROUP. You called XREAD instead.');
  errorEnd();
  return false;
}

function streamsOrReply(i: u32): bool {
  keysArg = i;
  keyCount = (argc - i) >> 1;
  if (((argc - i) & 1) == 0) return true;
  // Redis: these words for XREADGROUP too.
  replyError(
    "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
  );
  return false;
}

/** Reads all before the keys; false: answered. */
function optionsOrReply(): bool {
  timeoutMs = -1;
  count = 0;
  noAck = false;
  keysArg = 0;
  groupArg = 0;
  for (let i: u32 = 1; i < argc && keysArg == 0; i++) {
    const left = argc - i - 1;
    if (left != 0 && argIs(i, 'block')) {
      if (!timeoutOrReply(++i)) return false;
    } else if (left != 0 && argIs(i, 'count')) {
      if (!argI64OrReply(++i)) return false;
      count = max(argInt, 0);
    } else if (left != 0 && argIs(i, 'streams')) {
      if (!streamsOrReply(i + 1)) return false;
    } else if (left > 1 && argIs(i, 'group')) {
      if (!groupOnlyOrReply('GROUP')) return false;
      groupArg = i + 1;
      i += 2;
    } else if (argIs(i, 'noack')) {
      if (!groupOnlyOrReply('NOACK')) return false;
      noAck = true;
    } else {
      replySyntaxError();
      return false;
    }
  }
  if (keysArg == 0) {
    replySyntaxError();
    return false;
  }
  if (!isGroup || groupArg != 0) return true;
  replyError('ERR Missing GROUP option for XREADGROUP');
  return false;
}

function timeoutOrReply(i: u32): bool {
  if (!argI64OrReplyText(i, 'ERR timeout is not an integer or out of range')) return false;
  timeoutMs = argInt;
  if (timeoutMs >= 0) return true;
  replyError('ERR timeout is negative');
  return false;
}

// ---- ids

/** Checks key, group and id of stream number `n` before anything is done; false: answered. */
function checkOrReply(n: u32): bool {
  const key = keysArg + n;
  const id = key + keyCount;
  if (!lookupStream(key)) return false;
  if (isGroup) {
    lookupGroup(groupArg);
    if (group == 0) {
      replyNoGroup(key, groupArg, "' in XREADGROUP with GROUP option");
      return false;
    }
  }
  if (argIsChar(id, DOLLAR) || argIsChar(id, PLUS)) {
    if (!isGroup) return true;
    replyMeaningless(argIsChar(id, DOLLAR) ? '$' : '+');
    return false;
  }
  if (argIsChar(id, GREATER)) {
    if (isGroup) return true;
    replyError(
      'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
    );
    return false;
  }
  return argStrictIdOrReply(id, 0);
}

function replyMeaningless(id: string): void {
  errorBegin('ERR The ');
  errorText(id);
  errorText(' ID is meaningless in the context of XREADGROUP: you want to read the history of ');
  errorText('this consumer by specifying a proper ID, or use the > ID to get new messages. The ');
  errorText(id);
  errorText(' ID would just return an empty result set.');
  errorEnd();
}

/** The greatest id is behind which entries of the stream are asked for, as `readFrom` found. */
let fromMs: u64 = 0;
let fromSeq: u64 = 0;
/** Only the last entry is asked for (`+`). */
let isLastOnly: bool = false;
/** XREADGROUP: a consumer's own pending entries are asked for. */
let isHistory: bool = false;

/** Finds where reading of the stream looked up begins, id in argument `id`. */
function readFrom(id: u32): void {
  isLastOnly = false;
  isHistory = false;
  if (argIsChar(id, GREATER)) {
    fromMs = groupLastMs(group);
    fromSeq = groupLastSeq(group);
  } else if (argIsChar(id, DOLLAR)) {
    fromMs = streamLastMs(stream);
    fromSeq = streamLastSeq(stream);
  } else if (argIsChar(id, PLUS)) {
    isLastOnly = true;
  } else {
    argStrictIdOrReply(id, 0);
    fromMs = idMs;
    fromSeq = idSeq;
    isHistory = isGroup;
    // Redis: the greatest id of all is what ">" stands for.
    if (isGroup && (fromMs & fromSeq) == u64.MAX_VALUE) {
      isHistory = false;
      fromMs = groupLastMs(group);
      fromSeq = groupLastSeq(group);
    }
  }
}

/** Whether the stream has what is asked for; the last live entry is then in streamIdMs, -Seq. */
function hasNews(): bool {
  if (streamLength(stream) == 0) return false;
  if (isLastOnly) return streamEdge(stream, false);
  if (idCompare(streamLastMs(stream), streamLastSeq(stream), fromMs, fromSeq) <= 0) return false;
  streamEdge(stream, false);
  return idCompare(streamIdMs, streamIdSeq, fromMs, fromSeq) > 0;
}

// ---- answering

/** The entries behind `fromMs`-`fromSeq`, or the last one. */
function replyNews(): void {
  if (isLastOnly) {
    replyArray(1);
    replyEntryOfId(streamIdMs, streamIdSeq);
    return;
  }
  beginBehind();
  replyEntries(iter, count);
}

/** Puts `iter` behind `fromMs`-`fromSeq`; there is something behind it. */
function beginBehind(): void {
  const seq = fromSeq + 1;
  iterBegin(iter, stream, false, seq == 0 ? fromMs + 1 : fromMs, seq);
}

/**
 * New entries for a consumer: they become pending and the group moves on. Ends early when memory
 * runs out, as if COUNT was reached.
 */
function replyDelivered(key: u32, consumer: usize): void {
  beginBehind();
  const header = replyDeferred();
  let n: i64 = 0;
  while (iterNext(iter)) {
    const ms = entryMs;
    const seq = entrySeq;
    if (!noAck && groupDeliver(group, consumer, ms, seq, nowMs) != STREAM_OK) break;
    groupAdvance(stream, group, ms, seq);
    replyEntry(iter);
    if (!noAck) effectClaim(key, groupArg, groupPendingFind(group, ms, seq), ms, seq);
    if (++n == count) break;
  }
  replyDeferredArrayEnd(header, n);
  if (n != 0) {
    if (!noAck) consumerSetActiveMs(consumer, nowMs);
    // Redis 7.2: also where each XCLAIM told the last id, because it does not tell the count.
    effectGroupId(key, groupArg);
  }
}

/** Entries delivered to the consumer before and not acknowledged; null for those that are gone. */
function replyHistory(consumer: usize): void {
  const header = replyDeferred();
  let n: i64 = 0;
  const seq = fromSeq + 1;
  const ms = seq == 0 ? fromMs + 1 : fromMs;
  let more = treeSeek(cursor, consumerPending(consumer), ms, seq);
  while (more) {
    const pending = treeValue(cursor);
    if (replyEntryOfId(treeMs(cursor), treeSeq(cursor))) {
      pendingSetTimeMs(pending, nowMs);
      pendingSetDeliveries(pending, pendingDeliveries(pending) + 1);
    } else {
      replyArray(2);
      replyId(treeMs(cursor), treeSeq(cursor));
      replyNullArray();
    }
    if (++n == count) break;
    more = treeNext(cursor);
  }
  replyDeferredArrayEnd(header, n);
}

/** Answers with stream number `n`, which has something, for a consumer (0 for XREAD). */
function replyStream(n: u32, consumer: usize): void {
  const key = keysArg + n;
  if (respVersion == 2) replyArray(2);
  replyBulk(argPtr(key), argLen(key));
  if (!isGroup) {
    replyNews();
    return;
  }
  // An XCLAIM makes the consumer where the effects go; nothing else does.
  if (consumerIsNew && (noAck || isHistory)) effectConsumer(key, groupArg, groupArg + 1);
  if (isHistory) replyHistory(consumer);
  else replyDelivered(key, consumer);
  markDirty(1);
}

/** Answers with all streams that have something; false: none has, not answered. */
function replyStreams(): bool {
  let header: usize = 0;
  let shown: i64 = 0;
  for (let n: u32 = 0; n < keyCount; n++) {
    lookupStream(keysArg + n);
    if (stream == 0) continue;
    if (isGroup) lookupGroup(groupArg);
    readFrom(keysArg + keyCount + n);
    if (!isHistory && !hasNews()) continue;
    let consumer: usize = 0;
    if (isGroup) {
      consumer = consumerNamed(keysArg + n, groupArg + 1);
      if (consumer == 0) {
        if (shown != 0) break;
        replyOom();
        return true;
      }
    }
    if (shown == 0) header = replyDeferred();
    replyStream(n, consumer);
    shown++;
  }
  if (shown == 0) return false;
  if (respVersion == 2) replyDeferredArrayEnd(header, shown);
  else replyDeferredMapEnd(header, shown);
  return true;
}

function read(): void {
  if (!optionsOrReply()) return;
  for (let n: u32 = 0; n < keyCount; n++) if (!checkOrReply(n)) return;
  if (isGroup) effectNone();
  if (!replyStreams()) replyNullArray();
}

export function cmdXread(): void {
  isGroup = false;
  read();
}

export function cmdXreadgroup(): void {
  isGroup = true;
  read();
}
