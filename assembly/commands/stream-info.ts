/** XINFO: what a stream, its groups and their consumers are made of. */
import { nowMs } from '../keyspace/state';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyNoSuchKey } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyBulkLiteral,
  replyDeferred,
  replyDeferredArrayEnd,
  replyInt,
  replyLines,
  replyMap,
  replyNull,
} from '../resp/reply';
import { replyId } from '../resp/stream-id';
import { iterBegin, iterNext, ITER_SIZE } from '../types/stream-iter';
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
import { namesAt, namesCount } from '../types/stream-names';
import { groupLag, groupLagKnown } from '../types/stream-offsets';
import {
  CURSOR_SIZE,
  treeCount,
  treeFirst,
  treeMs,
  treeNext,
  treeRadixNodes,
  treeSeq,
  treeValue,
} from '../types/stream-tree';
import {
  group,
  lookupGroup,
  lookupStream,
  replyEntries,
  replyEntry,
  replyNoGroupOfKey,
  replyOwner,
  stream,
} from './stream-common';

/** Entries and pending entries that XINFO STREAM FULL shows without COUNT. */
const FULL_COUNT: i64 = 10;

const iter = memory.data(<i32>ITER_SIZE, 8);
const cursor = memory.data(<i32>CURSOR_SIZE, 8);

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
  if (stream != 0) return true;
  replyNoSuchKey();
  return false;
}

export function cmdXinfoConsumers(): void {
  if (!lookupInfo()) return;
  lookupGroup(3);
  if (group == 0) {
    replyNoGroupOfKey(2, 3);
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
function replyPosition(s: usize, g: usize): void {
  replyBulkLiteral('last-delivered-id');
  replyId(groupLastMs(g), groupLastSeq(g));
  replyBulkLiteral('entries-read');
  const read = groupEntriesRead(g);
  if (read == ENTRIES_READ_UNKNOWN) replyNull();
  else replyInt(read);
  replyBulkLiteral('lag');
  const lag = groupLag(s, g);
  if (groupLagKnown) replyInt(lag);
  else replyNull();
}

export function cmdXinfoGroups(): void {
  if (!lookupInfo()) return;
  const groups = streamGroups(stream);
  replyArray(namesCount(groups));
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const one = namesAt(groups, i);
    replyMap(6);
    replyName(one);
    replyBulkLiteral('consumers');
    replyInt(namesCount(groupConsumers(one)));
    replyBulkLiteral('pending');
    replyInt(treeCount(groupPending(one)));
    replyPosition(stream, one);
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
  const s = stream;
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
  replyEntries(iter, count);
  replyBulkLiteral('groups');
  const groups = streamGroups(s);
  replyArray(namesCount(groups));
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const one = namesAt(groups, i);
    replyMap(7);
    replyName(one);
    replyPosition(s, one);
    replyPendingList(groupPending(one), count, true);
    const consumers = groupConsumers(one);
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

/** The first or last entry, or null. */
function replyEdge(s: usize, last: bool): void {
  iterBegin(iter, s, last, last ? u64.MAX_VALUE : 0, last ? u64.MAX_VALUE : 0);
  if (iterNext(iter)) replyEntry(iter);
  else replyNull();
}
