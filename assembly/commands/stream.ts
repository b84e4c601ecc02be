/** Commands on streams that read. */
import { lpGetText, lpValLen } from '../encoding/listpack';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { nowMs } from '../keyspace/state';
import { itemValue } from '../hashtable/item';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { replyNoSuchKey, replySyntaxError, replyWrongType } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyBulkInt,
  replyBulkLiteral,
  replyDeferred,
  replyDeferredArrayEnd,
  replyInt,
  replyLines,
  replyMap,
  replyNull,
  replyNullArray,
} from '../resp/reply';
import { argEndIdOrReply, argStartIdOrReply, idMs, idSeq, replyId } from '../resp/stream-id';
import { TYPE_STREAM } from '../types/object';
import { streamGroup } from '../types/stream-group';
import { iterBegin, iterLimit, iterNext, iterNode } from '../types/stream-iter';
import {
  consumerPending,
  consumerSeenMs,
  ENTRIES_READ_UNKNOWN,
  groupConsumers,
  groupEntriesRead,
  groupLastMs,
  groupLastSeq,
  groupPending,
  nameLen,
  namePtr,
  pendingConsumer,
  pendingDeliveries,
  pendingTimeMs,
  streamEntriesAdded,
  streamFirstMs,
  streamFirstSeq,
  streamGroups,
  streamLastMs,
  streamLastSeq,
  streamLength,
  streamMaxDeletedMs,
  streamMaxDeletedSeq,
  streamNodes,
} from '../types/stream-layout';
import { namesAt, namesCount, namesFind } from '../types/stream-names';
import {
  entryFields,
  entryMs,
  entrySeq,
  pairField,
  pairsBegin,
  pairsNext,
  pairValue,
} from '../types/stream-node';
import { groupLag, groupLagKnown, idCompare } from '../types/stream-offsets';
import {
  treeCount,
  treeFirst,
  treeLast,
  treeMs,
  treeNext,
  treeRadixNodes,
  treeSeek,
  treeSeq,
  treeValue,
} from '../types/stream-tree';

/** Entries and pending entries that XINFO STREAM FULL shows without COUNT. */
const FULL_COUNT: i64 = 10;

const iter = memory.data(56, 8);
const cursor = memory.data(8, 8);

/** The stream looked up by `lookupStream`, 0 = no such key. */
let found: usize = 0;

/** Looks a key up for reading; false: it holds another type, and that has been said. */
function lookupStream(index: u32): bool {
  found = 0;
  const item = lookupRead(dbAt(client.db), argPtr(index), argLen(index));
  if (item == 0) return true;
  if (entryType(item) != TYPE_STREAM) {
    replyWrongType();
    return false;
  }
  found = itemValue(item);
  return true;
}

export function cmdXlen(): void {
  if (lookupStream(1)) replyInt(found == 0 ? 0 : <i64>streamLength(found));
}

// ---- ranges

export function cmdXrange(): void {
  range(false);
}

export function cmdXrevrange(): void {
  range(true);
}

function range(backwards: bool): void {
  if (!argStartIdOrReply(backwards ? 3 : 2)) return;
  const startMs = idMs;
  const startSeq = idSeq;
  if (!argEndIdOrReply(backwards ? 2 : 3)) return;
  const endMs = idMs;
  const endSeq = idSeq;
  let count: i64 = -1;
  for (let i: u32 = 4; i < argc; i += 2) {
    if (!argIs(i, 'count') || i + 1 == argc) {
      replySyntaxError();
      return;
    }
    if (!argI64OrReply(i + 1)) return;
    count = max(argInt, 0);
  }
  if (!lookupStream(1)) return;
  if (found == 0) {
    replyArray(0);
    return;
  }
  if (count == 0) {
    replyNullArray();
    return;
  }
  if (backwards) {
    iterBegin(iter, found, true, endMs, endSeq);
    iterLimit(iter, startMs, startSeq);
  } else {
    iterBegin(iter, found, false, startMs, startSeq);
    iterLimit(iter, endMs, endSeq);
  }
  replyEntries(count);
}

/** The entries of `iter`, at most `count` of them (below 1: all). */
function replyEntries(count: i64): void {
  const header = replyDeferred();
  let n: i64 = 0;
  while (n != count && iterNext(iter)) {
    replyEntry();
    n++;
  }
  replyDeferredArrayEnd(header, n);
}

/** The entry under `iter`: its id, its fields and values. */
function replyEntry(): void {
  replyArray(2);
  replyId(entryMs, entrySeq);
  replyArray(<i64>entryFields * 2);
  const lp = iterNode(iter);
  pairsBegin();
  while (pairsNext(lp)) {
    const field = lpGetText(pairField);
    replyBulk(field, lpValLen);
    const value = lpGetText(pairValue);
    replyBulk(value, lpValLen);
  }
}

/** The first or last entry, or null. */
function replyEdge(s: usize, last: bool): void {
  iterBegin(iter, s, last, last ? u64.MAX_VALUE : 0, last ? u64.MAX_VALUE : 0);
  if (iterNext(iter)) replyEntry();
  else replyNull();
}

// ---- XINFO

const XINFO_HELP: string = `XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CONSUMERS <key> <groupname>
    Show consumers of <groupname>.
GROUPS <key>
    Show the stream consumer groups.
STREAM <key> [FULL [COUNT <count>]
    Show information about the stream.
HELP
    Prints this help.`;

export function cmdXinfoHelp(): void {
  replyLines(XINFO_HELP);
}

/** Looks up the stream of an XINFO subcommand; false: answered. */
function lookupInfo(): bool {
  if (!lookupStream(2)) return false;
  if (found != 0) return true;
  replyNoSuchKey();
  return false;
}

export function cmdXinfoConsumers(): void {
  if (!lookupInfo()) return;
  const group = streamGroup(found, argPtr(3), argLen(3));
  if (group == 0) {
    errorBegin("NOGROUP No such consumer group '");
    errorBytes(argPtr(3), argLen(3), u32.MAX_VALUE);
    errorText("' for key name '");
    errorBytes(argPtr(2), argLen(2), u32.MAX_VALUE);
    errorText("'");
    errorEnd();
    return;
  }
  const consumers = groupConsumers(group);
  replyArray(namesCount(consumers));
  for (let i: u32 = 0; i < namesCount(consumers); i++) {
    const consumer = namesAt(consumers, i);
    replyMap(3);
    replyName(consumer);
    replyBulkLiteral('pending');
    replyInt(treeCount(consumerPending(consumer)));
    replyBulkLiteral('idle');
    replyInt(max(nowMs - consumerSeenMs(consumer), 0));
  }
}

/** "name" and the name of a group or consumer. */
function replyName(groupOrConsumer: usize): void {
  replyBulkLiteral('name');
  replyBulk(namePtr(groupOrConsumer), nameLen(groupOrConsumer));
}

/** Last id, entries read and lag of a group. */
function replyPosition(s: usize, group: usize): void {
  replyBulkLiteral('last-delivered-id');
  replyId(groupLastMs(group), groupLastSeq(group));
  replyBulkLiteral('entries-read');
  const read = groupEntriesRead(group);
  if (read == ENTRIES_READ_UNKNOWN) replyNull();
  else replyInt(read);
  replyBulkLiteral('lag');
  const lag = groupLag(s, group);
  if (groupLagKnown) replyInt(lag);
  else replyNull();
}

export function cmdXinfoGroups(): void {
  if (!lookupInfo()) return;
  const groups = streamGroups(found);
  replyArray(namesCount(groups));
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const group = namesAt(groups, i);
    replyMap(6);
    replyName(group);
    replyBulkLiteral('consumers');
    replyInt(namesCount(groupConsumers(group)));
    replyBulkLiteral('pending');
    replyInt(treeCount(groupPending(group)));
    replyPosition(found, group);
  }
}

/** Redis: the key is looked up before the options are read. */
export function cmdXinfoStream(): void {
  if (!lookupInfo()) return;
  let count = FULL_COUNT;
  if (argc > 3) {
    const isFull = argIs(3, 'full') && (argc == 4 || (argc == 6 && argIs(4, 'count')));
    if (!isFull) {
      replyInfoSyntax();
      return;
    }
    if (argc == 6) {
      if (!argI64OrReply(5)) return;
      if (argInt >= 0) count = argInt;
    }
  }
  const s = found;
  replyMap(argc > 3 ? 9 : 10);
  replyCounters(s);
  if (argc > 3) {
    replyFull(s, count);
    return;
  }
  replyBulkLiteral('groups');
  replyInt(namesCount(streamGroups(s)));
  replyBulkLiteral('first-entry');
  replyEdge(s, false);
  replyBulkLiteral('last-entry');
  replyEdge(s, true);
}

function replyInfoSyntax(): void {
  errorBegin("ERR unknown subcommand or wrong number of arguments for '");
  errorBytes(argPtr(1), argLen(1), 128);
  errorText("'. Try XINFO HELP.");
  errorEnd();
}

/** The seven fields that both forms of XINFO STREAM begin with. */
function replyCounters(s: usize): void {
  replyBulkLiteral('length');
  replyInt(<i64>streamLength(s));
  replyBulkLiteral('radix-tree-keys');
  replyInt(treeCount(streamNodes(s)));
  replyBulkLiteral('radix-tree-nodes');
  replyInt(treeRadixNodes(streamNodes(s)));
  replyBulkLiteral('last-generated-id');
  replyId(streamLastMs(s), streamLastSeq(s));
  replyBulkLiteral('max-deleted-entry-id');
  replyId(streamMaxDeletedMs(s), streamMaxDeletedSeq(s));
  replyBulkLiteral('entries-added');
  replyInt(<i64>streamEntriesAdded(s));
  replyBulkLiteral('recorded-first-entry-id');
  replyId(streamFirstMs(s), streamFirstSeq(s));
}

/** Entries and groups of XINFO STREAM FULL, `count` of each list (0: all). */
function replyFull(s: usize, count: i64): void {
  if (count == 0) count = -1;
  replyBulkLiteral('entries');
  iterBegin(iter, s, false, 0, 0);
  replyEntries(count);
  replyBulkLiteral('groups');
  const groups = streamGroups(s);
  replyArray(namesCount(groups));
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const group = namesAt(groups, i);
    replyMap(7);
    replyName(group);
    replyPosition(s, group);
    replyPendingList(groupPending(group), count, true);
    const consumers = groupConsumers(group);
    replyBulkLiteral('consumers');
    replyArray(namesCount(consumers));
    for (let k: u32 = 0; k < namesCount(consumers); k++) {
      const consumer = namesAt(consumers, k);
      replyMap(4);
      replyName(consumer);
      replyBulkLiteral('seen-time');
      replyInt(consumerSeenMs(consumer));
      replyPendingList(consumerPending(consumer), count, false);
    }
  }
}

/** "pel-count" and "pending" with at most `count` entries (-1: all). */
function replyPendingList(tree: usize, count: i64, owners: bool): void {
  replyBulkLiteral('pel-count');
  replyInt(treeCount(tree));
  replyBulkLiteral('pending');
  const header = replyDeferred();
  let n: i64 = 0;
  let more = treeFirst(cursor, tree);
  while (more && n != count) {
    const pending = treeValue(cursor);
    replyArray(owners ? 4 : 3);
    replyId(treeMs(cursor), treeSeq(cursor));
    if (owners) replyOwner(pending);
    replyInt(pendingTimeMs(pending));
    replyInt(<i64>pendingDeliveries(pending));
    n++;
    more = treeNext(cursor);
  }
  replyDeferredArrayEnd(header, n);
}

/** The name of the owner; empty for an entry without one. */
function replyOwner(pending: usize): void {
  const owner = pendingConsumer(pending);
  if (owner == 0) replyBulk(0, 0);
  else replyBulk(namePtr(owner), nameLen(owner));
}

// ---- XPENDING

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
  let group: usize = 0;
  if (found != 0) group = streamGroup(found, argPtr(2), argLen(2));
  if (group == 0) {
    errorBegin("NOGROUP No such key '");
    errorBytes(argPtr(1), argLen(1), u32.MAX_VALUE);
    errorText("' or consumer group '");
    errorBytes(argPtr(2), argLen(2), u32.MAX_VALUE);
    errorText("'");
    errorEnd();
  } else if (argc == 3) {
    replyPendingSummary(group);
  } else {
    replyPendingRange(group);
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

function replyPendingSummary(group: usize): void {
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

function replyPendingRange(group: usize): void {
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
