/**
 * XDELEX and XACKDEL of Redis 8.2: deleting entries with regard to the groups that refer to them.
 *
 * What they did is told in commands that every follower knows: XACK and XDEL.
 */
import { client } from '../clients/client';
import { dbAt, signalModified } from '../keyspace/db';
import { effectNone } from '../keyspace/effects';
import { NOTIFY_STREAM, notifyKeyspaceEvent } from '../keyspace/notify';
import { argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError } from '../resp/errors';
import { replyArray, replyError, replyInt } from '../resp/reply';
import { argStrictIdOrReply, idMs, idSeq } from '../resp/stream-id';
import { groupPendingFind } from '../types/stream-group';
import { streamHas } from '../types/stream-iter';
import { STREAM_MISSING, STREAM_OK, STREAM_OOM } from '../types/stream-layout';
import {
  acknowledge,
  argIsRefs,
  argRefs,
  deleteEntry,
  dropReferences,
  group,
  isReferenced,
  lookupGroup,
  lookupStreamWrite,
  REFS_ACKED,
  REFS_DROP,
  REFS_KEEP,
  stream,
} from './stream-common';

/** What is answered for each id. */
const DELETED: i64 = 1;
const STILL_REFERENCED: i64 = 2;
const NOT_THERE: i64 = -1;

let refs: u32 = REFS_KEEP;
/** The first id and how many there are. */
let idsArg: u32 = 0;
let idCount: u32 = 0;
let deleted: u32 = 0;
/** The id being dealt with. */
let ms: u64 = 0;
let seq: u64 = 0;

/** Reads policy and ids from argument `i` on, in any order; false: answered. */
function argsOrReply(i: u32): bool {
  refs = REFS_KEEP;
  idsArg = 0;
  let isRefsGiven = false;
  for (; i < argc; i++) {
    if (!isRefsGiven && argIsRefs(i)) {
      isRefsGiven = true;
      refs = argRefs;
    } else if (idsArg == 0 && argIs(i, 'ids') && i + 1 < argc) {
      const text = 'ERR Number of IDs must be a positive integer';
      if (!argRangeOrReplyText(i + 1, 1, i32.MAX_VALUE, text)) return false;
      idsArg = i + 2;
      idCount = <u32>argInt;
      if (idCount > argc - idsArg) {
        replyError('ERR The `numids` parameter must match the number of arguments');
        return false;
      }
      i = idsArg + idCount - 1;
    } else {
      replySyntaxError();
      return false;
    }
  }
  if (idsArg == 0) {
    replySyntaxError();
    return false;
  }
  for (let k: u32 = 0; k < idCount; k++) if (!argStrictIdOrReply(idsArg + k, 0)) return false;
  return true;
}

/** Deletes the entry; STREAM_OK, STREAM_MISSING or STREAM_OOM. */
function remove(): i32 {
  const status = deleteEntry(1, ms, seq);
  if (status == STREAM_OK) deleted++;
  return status;
}

function replyDeleted(): void {
  if (refs == REFS_ACKED && streamHas(stream, ms, seq) && isReferenced(ms, seq)) {
    replyInt(STILL_REFERENCED);
    return;
  }
  // Redis: also of an entry that is gone from the stream.
  if (refs == REFS_DROP) dropReferences(1, ms, seq);
  const status = remove();
  if (status == STREAM_OOM) replyOom();
  else replyInt(status == STREAM_MISSING ? NOT_THERE : DELETED);
}

function replyAcknowledged(): void {
  if (groupPendingFind(group, ms, seq) == 0) {
    replyInt(NOT_THERE);
    return;
  }
  acknowledge(1, group, ms, seq);
  if (refs == REFS_ACKED && isReferenced(ms, seq)) {
    replyInt(STILL_REFERENCED);
    return;
  }
  if (refs == REFS_DROP) dropReferences(1, ms, seq);
  if (remove() == STREAM_OOM) replyOom();
  else replyInt(DELETED);
}

/** One answer for each id; `isThere` says whether there is anything to delete from. */
function replyEach(isThere: bool, answer: () => void): void {
  deleted = 0;
  effectNone();
  replyArray(idCount);
  for (let k: u32 = 0; k < idCount; k++) {
    if (!isThere) {
      replyInt(NOT_THERE);
      continue;
    }
    argStrictIdOrReply(idsArg + k, 0);
    ms = idMs;
    seq = idSeq;
    answer();
  }
  if (deleted == 0) return;
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STREAM, 'xdel', client.db, argPtr(1), argLen(1));
}

export function cmdXdelex(): void {
  if (!argsOrReply(2) || !lookupStreamWrite(1)) return;
  replyEach(stream != 0, replyDeleted);
}

export function cmdXackdel(): void {
  if (!argsOrReply(3) || !lookupStreamWrite(1)) return;
  lookupGroup(2);
  replyEach(group != 0, replyAcknowledged);
}
