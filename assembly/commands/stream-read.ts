/**
 * XREAD and XREADGROUP.
 *
 * A client that waits has its command run again for each key that got something: what is checked
 * and answered is then that key alone. Ids that mean "from now on" were made ids when it began.
 */
import { alloc, free } from '../base/alloc';
import { blockForKeys, canBlock, isBeingServed, isKeyServed } from '../clients/blocked';
import { timeoutMs, timeoutMsOrReply } from '../clients/timeout';
import { effectNone } from '../keyspace/effects';
import { WAIT_STRICT } from '../keyspace/ready-keys';
import { markDirty, nowMs } from '../keyspace/state';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr, argv } from '../resp/args';
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
import {
  argIsChar,
  argStrictIdOrReply,
  ID_TEXT_MAX,
  idFormat,
  idMs,
  idSeq,
  replyId,
} from '../resp/stream-id';
import { TYPE_STREAM } from '../types/object';
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
  consumerMade,
  consumerNamed,
  effectClaim,
  effectConsumer,
  effectGroupId,
  group,
  lookupGroup,
  lookupStream,
  peekStream,
  replyEntries,
  replyEntry,
  replyEntryOfId,
  replyNoGroup,
  stream,
} from './stream-common';

const DOLLAR: u32 = 0x24;
const GREATER: u32 = 0x3e;
const PLUS: u32 = 0x2b;

/** Redis: entries that a client gets at most when it waited and gave no COUNT. */
const COUNT_BLOCKED: i64 = 1000;
/** Room for an argument's place and the text of an id instead of it. */
const SLOT: usize = 8 + ID_TEXT_MAX;
const GROUP_GONE: string =
  'NOGROUP the consumer group this client was blocked on no longer exists';

const iter = memory.data(<i32>ITER_SIZE, 8);
const cursor = memory.data(<i32>CURSOR_SIZE, 8);

// ---- options, as `optionsOrReply` read them

let isGroup: bool = false;
/** BLOCK was given, for `blockMs` (0 = for ever). */
let isBlocking: bool = false;
let blockMs: i64 = 0;
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
  isBlocking = false;
  count = 0;
  noAck = false;
  keysArg = 0;
  groupArg = 0;
  for (let i: u32 = 1; i < argc && keysArg == 0; i++) {
    const left = argc - i - 1;
    if (left != 0 && argIs(i, 'block')) {
      isBlocking = true;
      // Who waits already was asked about the time when it began.
      if (!isBeingServed() && !timeoutMsOrReply(++i)) return false;
      if (isBeingServed()) i++;
      blockMs = timeoutMs;
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

// ---- ids

/** Checks key, group and id of stream number `n` before anything is done; false: answered. */
function checkOrReply(n: u32): bool {
  const key = keysArg + n;
  const id = key + keyCount;
  if (!lookupStream(key)) return false;
  if (isGroup) {
    lookupGroup(groupArg);
    if (group == 0) {
      if (!isBeingServed()) replyNoGroup(key, groupArg, "' in XREADGROUP with GROUP option");
      else replyError(GROUP_GONE);
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
    errorBegin('ERR The > ID can be specified only when calling XREADGROUP using the GROUP ');
    errorText('<group> <consumer> option.');
    errorEnd();
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
  if (n == 0) {
    if (consumerIsNew && !noAck) effectConsumer(key, groupArg, groupArg + 1);
  } else {
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
    if (!isKeyServed(keysArg + n)) continue;
    lookupStream(keysArg + n);
    if (stream == 0) continue;
    if (isGroup) lookupGroup(groupArg);
    readFrom(keysArg + keyCount + n);
    if (!isHistory && !hasNews()) continue;
    let consumer: usize = 0;
    if (isGroup) {
      consumer = consumerNamed(groupArg + 1);
      if (consumer == 0) {
        if (shown != 0) break;
        replyOom();
        return true;
      }
      if (consumerIsNew) consumerMade(keysArg + n);
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

/**
 * Points the ids that mean "from now on" at ids in `slots` (SLOT bytes each), or back; which of the
 * two is told by `isBack`.
 */
function resolveIds(slots: usize, isBack: bool): void {
  for (let n: u32 = 0; n < keyCount; n++) {
    const slot = slots + <usize>n * SLOT;
    const pair = argv + (<usize>(keysArg + keyCount + n) << 3);
    if (isBack) {
      if (load<u64>(slot) != 0) store<u64>(pair, load<u64>(slot));
      continue;
    }
    store<u64>(slot, 0);
    const id = keysArg + keyCount + n;
    if (!argIsChar(id, DOLLAR) && !argIsChar(id, PLUS)) continue;
    store<u64>(slot, load<u64>(pair));
    peekStream(keysArg + n);
    const ms = stream == 0 ? <u64>0 : streamLastMs(stream);
    const seq = stream == 0 ? <u64>0 : streamLastSeq(stream);
    store<u32>(pair, <u32>slot + 8);
    store<u32>(pair, idFormat(ms, seq, slot + 8), 4);
  }
}

/** Waits for the keys to get something. */
function block(): void {
  if (isGroup) {
    blockForKeys(TYPE_STREAM | WAIT_STRICT, keysArg, 1, keyCount, blockMs);
    return;
  }
  const slots = alloc(<usize>keyCount * SLOT);
  if (slots == 0) {
    replyOom();
    return;
  }
  resolveIds(slots, false);
  blockForKeys(TYPE_STREAM, keysArg, 1, keyCount, blockMs);
  resolveIds(slots, true);
  free(slots);
}

function read(): void {
  if (!optionsOrReply()) return;
  if (isBeingServed() && count == 0) count = COUNT_BLOCKED;
  for (let n: u32 = 0; n < keyCount; n++) {
    if (isKeyServed(keysArg + n) && !checkOrReply(n)) return;
  }
  if (isGroup) effectNone();
  if (replyStreams()) return;
  if (isBlocking && canBlock()) block();
  else replyNullArray();
}

export function cmdXread(): void {
  isGroup = false;
  read();
}

export function cmdXreadgroup(): void {
  isGroup = true;
  read();
}
