/**
 * What the commands on streams share: finding a stream and its group, answering with entries, and
 * the effects that tell followers of a group's changes.
 *
 * Redis: what a group did is told by commands that may be run twice: XCLAIM with every field of the
 * pending entry, XGROUP SETID with the position, XGROUP CREATECONSUMER.
 */
import { lpGetText, lpValLen } from '../encoding/listpack';
import { client } from '../clients/client';
import { dbAt, entryType, lookupQuiet, lookupRead, lookupWrite } from '../keyspace/db';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { NOTIFY_STREAM, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty, nowMs } from '../keyspace/state';
import { itemValue } from '../hashtable/item';
import { argIs, argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredArrayEnd,
} from '../resp/reply';
import { ID_TEXT_MAX, idFormat, replyId } from '../resp/stream-id';
import { TYPE_STREAM } from '../types/object';
import { streamDelete } from '../types/stream';
import {
  groupConsumer,
  groupConsumerCreate,
  groupPendingFind,
  groupPendingRemove,
  streamGroup,
} from '../types/stream-group';
import { iterBegin, iterLimit, iterNext, iterNode, ITER_SIZE } from '../types/stream-iter';
import {
  consumerSetSeenMs,
  groupEntriesRead,
  groupLastMs,
  groupLastSeq,
  nameLen,
  namePtr,
  pendingConsumer,
  pendingDeliveries,
  pendingTimeMs,
  STREAM_OK,
  streamGroups,
} from '../types/stream-layout';
import { namesAt, namesCount } from '../types/stream-names';
import {
  entryFields,
  entryMs,
  entrySeq,
  pairField,
  pairsBegin,
  pairsNext,
  pairValue,
} from '../types/stream-node';
import { idCompare } from '../types/stream-offsets';

/** The stream looked up last, 0 = no such key. */
export let stream: usize = 0;
/** The group looked up last, 0 = none. */
export let group: usize = 0;

const single = memory.data(<i32>ITER_SIZE, 8);
const idText = memory.data(<i32>ID_TEXT_MAX);

// ---- looking up

function take(item: usize): bool {
  stream = 0;
  if (item == 0) return true;
  if (entryType(item) != TYPE_STREAM) {
    replyWrongType();
    return false;
  }
  stream = itemValue(item);
  return true;
}

/** Looks a key up for reading; false: it holds another type, and that has been said. */
export function lookupStream(keyArg: u32): bool {
  return take(lookupRead(dbAt(client.db), argPtr(keyArg), argLen(keyArg)));
}

/** The same where it is known to be a stream, or none, and only something of it is asked. */
export function peekStream(keyArg: u32): void {
  const item = lookupQuiet(dbAt(client.db), argPtr(keyArg), argLen(keyArg));
  stream = item == 0 ? 0 : itemValue(item);
}

/** The same for changing it. */
export function lookupStreamWrite(keyArg: u32): bool {
  return take(lookupWrite(dbAt(client.db), argPtr(keyArg), argLen(keyArg)));
}

/** Looks up the group of the stream found last. */
export function lookupGroup(groupArg: u32): void {
  group = stream == 0 ? 0 : streamGroup(stream, argPtr(groupArg), argLen(groupArg));
}

/** NOGROUP for commands that want key and group to be there; `tail` ends the sentence. */
export function replyNoGroup(keyArg: u32, groupArg: u32, tail: string): void {
  errorBegin("NOGROUP No such key '");
  errorBytes(argPtr(keyArg), argLen(keyArg), u32.MAX_VALUE);
  errorText("' or consumer group '");
  errorBytes(argPtr(groupArg), argLen(groupArg), u32.MAX_VALUE);
  errorText(tail);
  errorEnd();
}

/** NOGROUP for commands on a key that is there. */
export function replyNoGroupOfKey(keyArg: u32, groupArg: u32): void {
  errorBegin("NOGROUP No such consumer group '");
  errorBytes(argPtr(groupArg), argLen(groupArg), u32.MAX_VALUE);
  errorText("' for key name '");
  errorBytes(argPtr(keyArg), argLen(keyArg), u32.MAX_VALUE);
  errorText("'");
  errorEnd();
}

/** Whether the last `consumerNamed` made the consumer. */
export let consumerIsNew: bool = false;

/**
 * The consumer of the group looked up last that is named by an argument, seen now, made if need be
 * (`consumerMade` is then to tell of it). 0: memory ran out, not answered.
 */
export function consumerNamed(nameArg: u32): usize {
  consumerIsNew = false;
  let consumer = groupConsumer(group, argPtr(nameArg), argLen(nameArg));
  if (consumer == 0) {
    consumer = groupConsumerCreate(group, argPtr(nameArg), argLen(nameArg), nowMs);
    if (consumer == 0) return 0;
    consumerIsNew = true;
  }
  consumerSetSeenMs(consumer, nowMs);
  return consumer;
}

/** A consumer was made that stays. */
export function consumerMade(keyArg: u32): void {
  markDirty(1);
  const key = argPtr(keyArg);
  notifyKeyspaceEvent(NOTIFY_STREAM, 'xgroup-createconsumer', client.db, key, argLen(keyArg));
}

// ---- references: what becomes of an entry's place in groups when it is deleted

/** Groups keep it. Redis: what XDEL and XTRIM have always done, and the default. */
export const REFS_KEEP: u32 = 0;
/** No group has it pending any more. */
export const REFS_DROP: u32 = 1;
/** The entry is deleted only when every group has been given it and none has it pending. */
export const REFS_ACKED: u32 = 2;

/** The policy that the last `argIsRefs` read. */
export let argRefs: u32 = REFS_KEEP;

/** Whether argument `index` is one of Redis 8.2's words for the above. */
export function argIsRefs(index: u32): bool {
  if (argIs(index, 'keepref')) argRefs = REFS_KEEP;
  else if (argIs(index, 'delref')) argRefs = REFS_DROP;
  else if (argIs(index, 'acked')) argRefs = REFS_ACKED;
  else return false;
  return true;
}

/** Whether a group of the stream looked up last waits for the entry, or has it pending. */
export function isReferenced(ms: u64, seq: u64): bool {
  const groups = streamGroups(stream);
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    const one = namesAt(groups, i);
    if (idCompare(ms, seq, groupLastMs(one), groupLastSeq(one)) > 0) return true;
    if (groupPendingFind(one, ms, seq) != 0) return true;
  }
  return false;
}

/** Takes the entry off the pending ones of a group, and tells so; false: it was not there. */
export function acknowledge(keyArg: u32, from: usize, ms: u64, seq: u64): bool {
  if (!groupPendingRemove(from, ms, seq)) return false;
  markDirty(1);
  effectBegin(client.db, 4);
  effectLiteral('XACK');
  effectArg(argPtr(keyArg), argLen(keyArg));
  effectArg(namePtr(from), nameLen(from));
  effectId(ms, seq);
  return true;
}

/** The same in all groups of the stream looked up last. */
export function dropReferences(keyArg: u32, ms: u64, seq: u64): void {
  const groups = streamGroups(stream);
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    acknowledge(keyArg, namesAt(groups, i), ms, seq);
  }
}

/**
 * Deletes an entry of the stream looked up last, and tells so as XDEL: STREAM_OK, STREAM_MISSING or
 * STREAM_OOM. Who watches the key is the caller's to tell.
 */
export function deleteEntry(keyArg: u32, ms: u64, seq: u64): i32 {
  const status = streamDelete(stream, ms, seq);
  if (status != STREAM_OK) return status;
  markDirty(1);
  effectBegin(client.db, 3);
  effectLiteral('XDEL');
  effectArg(argPtr(keyArg), argLen(keyArg));
  effectId(ms, seq);
  return status;
}

// ---- answering

/** The entry an iterator is on: its id, its fields and values. */
export function replyEntry(it: usize): void {
  replyArray(2);
  replyId(entryMs, entrySeq);
  replyArray(<i64>entryFields * 2);
  const lp = iterNode(it);
  pairsBegin();
  while (pairsNext(lp)) {
    const field = lpGetText(pairField);
    replyBulk(field, lpValLen);
    const value = lpGetText(pairValue);
    replyBulk(value, lpValLen);
  }
}

/** The entries of an iterator, at most `count` of them (below 1: all). */
export function replyEntries(it: usize, count: i64): void {
  const header = replyDeferred();
  let n: i64 = 0;
  while (iterNext(it)) {
    replyEntry(it);
    if (++n == count) break;
  }
  replyDeferredArrayEnd(header, n);
}

/** The entry with this id of the stream looked up last; false: it is not there, not answered. */
export function replyEntryOfId(ms: u64, seq: u64): bool {
  iterBegin(single, stream, false, ms, seq);
  iterLimit(single, ms, seq);
  if (!iterNext(single)) return false;
  replyEntry(single);
  return true;
}

/** The name of a pending entry's owner; empty for one without. */
export function replyOwner(pending: usize): void {
  const owner = pendingConsumer(pending);
  if (owner == 0) replyBulk(0, 0);
  else replyBulk(namePtr(owner), nameLen(owner));
}

// ---- effects

/** An id as an argument of the effect begun last. */
export function effectId(ms: u64, seq: u64): void {
  effectArg(idText, idFormat(ms, seq, idText));
}

/** XCLAIM with all that is known of a pending entry, which has an owner, of the group looked up. */
export function effectClaim(
  keyArg: u32,
  groupArg: u32,
  pending: usize,
  ms: u64,
  seq: u64,
): void {
  const owner = pendingConsumer(pending);
  effectBegin(client.db, 14);
  effectLiteral('XCLAIM');
  effectArg(argPtr(keyArg), argLen(keyArg));
  effectArg(argPtr(groupArg), argLen(groupArg));
  effectArg(namePtr(owner), nameLen(owner));
  effectLiteral('0');
  effectId(ms, seq);
  effectLiteral('TIME');
  effectInt(pendingTimeMs(pending));
  effectLiteral('RETRYCOUNT');
  effectInt(<i64>pendingDeliveries(pending));
  effectLiteral('FORCE');
  effectLiteral('JUSTID');
  effectLiteral('LASTID');
  effectId(groupLastMs(group), groupLastSeq(group));
}

/**
 * What tells that an entry, which is no longer in the stream, is not pending any more. Redis: an
 * XCLAIM of it, which finds it gone just as it was found here.
 */
export function effectGone(
  keyArg: u32,
  groupArg: u32,
  pending: usize,
  ms: u64,
  seq: u64,
): void {
  if (pendingConsumer(pending) != 0) {
    effectClaim(keyArg, groupArg, pending, ms, seq);
    return;
  }
  // Without an owner there is nobody to claim it for.
  effectBegin(client.db, 4);
  effectLiteral('XACK');
  effectArg(argPtr(keyArg), argLen(keyArg));
  effectArg(argPtr(groupArg), argLen(groupArg));
  effectId(ms, seq);
}

/** XGROUP SETID with the position of the group looked up last. */
export function effectGroupId(keyArg: u32, groupArg: u32): void {
  effectBegin(client.db, 7);
  effectLiteral('XGROUP');
  effectLiteral('SETID');
  effectArg(argPtr(keyArg), argLen(keyArg));
  effectArg(argPtr(groupArg), argLen(groupArg));
  effectId(groupLastMs(group), groupLastSeq(group));
  effectLiteral('ENTRIESREAD');
  effectInt(groupEntriesRead(group));
}

/** XGROUP CREATECONSUMER, for one that no other effect would make. */
export function effectConsumer(keyArg: u32, groupArg: u32, nameArg: u32): void {
  effectBegin(client.db, 5);
  effectLiteral('XGROUP');
  effectLiteral('CREATECONSUMER');
  effectArg(argPtr(keyArg), argLen(keyArg));
  effectArg(argPtr(groupArg), argLen(groupArg));
  effectArg(argPtr(nameArg), argLen(nameArg));
}
