/**
 * What adds entries to a stream and removes them: XADD XDEL XTRIM XSETID.
 *
 * Redis: a trimming that need not be exact goes to followers as the exact one that has the same
 * result, an id made here as the id it became.
 */
import { client } from '../clients/client';
import { dbAdd, dbAt, signalModified } from '../keyspace/db';
import {
  effectArg,
  effectBegin,
  effectInt,
  effectLiteral,
  effectNone,
  effectsOn,
} from '../keyspace/effects';
import { NOTIFY_STREAM, notifyKeyspaceEvent } from '../keyspace/notify';
import { signalKeyAsReady } from '../keyspace/ready-keys';
import { fromMaster, markDirty, nowMs } from '../keyspace/state';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr, argv } from '../resp/args';
import { replyNoSuchKey, replyOom, replySyntaxError, replyWrongArgs } from '../resp/errors';
import { replyError, replyInt, replyNull, replyOk } from '../resp/reply';
import {
  argIsChar,
  argNewIdOrReply,
  argStrictIdOrReply,
  idHasSeq,
  idMs,
  idSeq,
  replyId,
  STAR,
} from '../resp/stream-id';
import { ENC_STREAM, metaOf, TYPE_STREAM } from '../types/object';
import {
  streamAppend,
  streamDelete,
  streamEdge,
  streamFirstKept,
  streamIdMs,
  streamIdSeq,
  streamNew,
  streamNextId,
  streamNextSeq,
  streamNodeMaxEntries,
  streamPlanId,
  streamPlanLength,
  streamTrimId,
  streamTrimLength,
  streamTrimmed,
} from '../types/stream';
import {
  STREAM_ID_EXHAUSTED,
  STREAM_ID_SMALL,
  STREAM_MISSING,
  STREAM_OK,
  STREAM_OOM,
  streamLastMs,
  streamLastSeq,
  streamLength,
  streamSetEntriesAdded,
  streamSetLast,
  streamSetMaxDeleted,
} from '../types/stream-layout';
import { iterBegin, iterNext, ITER_SIZE } from '../types/stream-iter';
import { streamFree } from '../types/stream-life';
import { entryMs, entrySeq } from '../types/stream-node';
import { idCompare } from '../types/stream-offsets';
import {
  argIsRefs,
  argRefs,
  deleteEntry,
  dropReferences,
  effectId,
  isReferenced,
  lookupStreamWrite,
  peekStream,
  REFS_ACKED,
  REFS_DROP,
  REFS_KEEP,
  stream,
} from './stream-common';

const iter = memory.data(<i32>ITER_SIZE, 8);

const EQUALS: u32 = 0x3d;
const TILDE: u32 = 0x7e;

const TRIM_NONE: u32 = 0;
const TRIM_LENGTH: u32 = 1;
const TRIM_ID: u32 = 2;
/** Redis: an inexact trimming without LIMIT ends after this many nodes' worth of entries. */
const LIMIT_NODES: i64 = 100;
const LIMIT_MOST: i64 = 1000000;
/** The same where nodes have no limit of entries. */
const LIMIT_NO_NODES: i64 = 10000;

// ---- options of XADD and XTRIM, as `optionsOrReply` read them

let trimBy: u32 = TRIM_NONE;
/** Only whole nodes are removed. */
let trimApprox: bool = false;
let trimLength: i64 = 0;
let trimMs: u64 = 0;
let trimSeq: u64 = 0;
/** Entries to be removed at most, 0 = no limit. */
let trimLimit: i64 = 0;
/** The argument that is the threshold. */
let trimArg: u32 = 0;
/** What becomes of groups' references, and whether that was said. */
let refs: u32 = REFS_KEEP;
let isRefsGiven: bool = false;
let noMkstream: bool = false;
/** The argument that is the id (argc: none); whether it is no "*", whether no "ms-*" either. */
let idArg: u32 = 0;
let idGiven: bool = false;
let idComplete: bool = false;

/** Passes over "=" or "~" in front of a threshold at `i`; where the threshold is. */
function thresholdAt(i: u32): u32 {
  trimApprox = false;
  if (i + 1 == argc) return i;
  if (argIsChar(i, TILDE)) trimApprox = true;
  else if (!argIsChar(i, EQUALS)) return i;
  return i + 1;
}

/** Reads the threshold of MAXLEN or MINID, `i` is behind the word; where it stands, 0: answered. */
function thresholdOrReply(i: u32, by: u32): u32 {
  if (trimBy != TRIM_NONE) {
    replyError(
      'ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
    );
    return 0;
  }
  i = thresholdAt(i);
  if (by == TRIM_LENGTH) {
    if (!argI64OrReply(i)) return 0;
    if (argInt < 0) {
      replyError('ERR The MAXLEN argument must be >= 0.');
      return 0;
    }
    trimLength = argInt;
  } else {
    if (!argStrictIdOrReply(i, 0)) return 0;
    trimMs = idMs;
    trimSeq = idSeq;
  }
  trimBy = by;
  trimArg = i;
  return i;
}

/** Reads what stands between key and fields; false: answered. */
function optionsOrReply(isAdd: bool): bool {
  trimBy = TRIM_NONE;
  trimApprox = false;
  trimLimit = 0;
  refs = REFS_KEEP;
  isRefsGiven = false;
  noMkstream = false;
  idGiven = false;
  idComplete = false;
  let isLimited = false;
  let i: u32 = 2;
  for (; i < argc; i++) {
    const isLast = i + 1 == argc;
    if (isAdd && argIsChar(i, STAR)) break;
    if (!isLast && argIs(i, 'maxlen')) {
      i = thresholdOrReply(i + 1, TRIM_LENGTH);
      if (i == 0) return false;
    } else if (!isLast && argIs(i, 'minid')) {
      i = thresholdOrReply(i + 1, TRIM_ID);
      if (i == 0) return false;
    } else if (!isLast && argIs(i, 'limit')) {
      if (!limitOrReply(++i)) return false;
      isLimited = true;
    } else if (isAdd && argIs(i, 'nomkstream')) {
      noMkstream = true;
    } else if (!isRefsGiven && argIsRefs(i)) {
      // Redis 8.2
      isRefsGiven = true;
      refs = argRefs;
    } else if (isAdd) {
      if (!argNewIdOrReply(i)) return false;
      idGiven = true;
      idComplete = idHasSeq;
      break;
    } else {
      replySyntaxError();
      return false;
    }
  }
  idArg = i;
  return strategyOrReply(isAdd, isLimited);
}

function limitOrReply(i: u32): bool {
  if (!argI64OrReply(i)) return false;
  trimLimit = argInt;
  if (argInt >= 0) return true;
  replyError('ERR The LIMIT argument must be >= 0.');
  return false;
}

/** Whether the trimming options go together; false: answered. Settles `trimLimit`. */
function strategyOrReply(isAdd: bool, isLimited: bool): bool {
  if (trimBy == TRIM_NONE && trimLimit != 0) {
    replyError(
      'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy',
    );
    return false;
  }
  if (!isAdd && trimBy == TRIM_NONE) {
    replyError('ERR syntax error, XTRIM must be called with a trimming strategy');
    return false;
  }
  if (fromMaster) {
    // The threshold was made exact where the command came from; the LIMIT is only a remainder.
    trimLimit = 0;
    return true;
  }
  if (isLimited) {
    if (trimApprox) return true;
    replyError('ERR syntax error, LIMIT cannot be used without the special ~ option');
    return false;
  }
  if (trimApprox) {
    const limit = streamNodeMaxEntries * LIMIT_NODES;
    trimLimit = limit <= 0 ? LIMIT_NO_NODES : min(limit, LIMIT_MOST);
  }
  return true;
}

/** Trims as the options say; STREAM_OK or STREAM_OOM, `streamTrimmed` entries went. */
function trim(s: usize): i32 {
  if (trimBy == TRIM_LENGTH) return streamTrimLength(s, trimLength, trimApprox, trimLimit);
  return streamTrimId(s, trimMs, trimSeq, trimApprox, trimLimit);
}

/**
 * Trims the stream looked up last with regard to the groups, and tells followers so in commands
 * they all know; how many entries went. Ends early when memory runs out.
 */
function trimReferenced(): u64 {
  if (refs == REFS_ACKED) return trimAcknowledged();
  if (refs == REFS_DROP) {
    let going = trimBy == TRIM_LENGTH
      ? streamPlanLength(stream, trimLength, trimApprox, trimLimit)
      : streamPlanId(stream, trimMs, trimSeq, trimApprox, trimLimit);
    iterBegin(iter, stream, false, 0, 0);
    for (; going != 0 && iterNext(iter); going--) dropReferences(1, entryMs, entrySeq);
  }
  trim(stream);
  if (streamTrimmed == 0) return 0;
  effectBegin(client.db, 5);
  effectLiteral('XTRIM');
  effectArg(argPtr(1), argLen(1));
  effectLiteral('MAXLEN');
  effectLiteral('=');
  effectInt(<i64>streamLength(stream));
  return streamTrimmed;
}

/** Deletes the oldest of the entries that no group refers to, one by one. */
function trimAcknowledged(): u64 {
  let removed: u64 = 0;
  let ms: u64 = 0;
  let seq: u64 = 0;
  iterBegin(iter, stream, false, 0, 0);
  while (iterNext(iter)) {
    if (trimBy == TRIM_LENGTH && streamLength(stream) <= <u64>trimLength) break;
    if (trimBy == TRIM_ID && idCompare(entryMs, entrySeq, trimMs, trimSeq) >= 0) break;
    if (trimLimit != 0 && removed == <u64>trimLimit) break;
    ms = entryMs;
    seq = entrySeq;
    if (isReferenced(ms, seq)) continue;
    if (deleteEntry(1, ms, seq) != STREAM_OK) break;
    removed++;
    // The node may be gone.
    iterBegin(iter, stream, false, ms, seq);
  }
  return removed;
}

/** XADD without what trims, for followers that are told of the trimming in other words. */
function effectAdded(s: usize): void {
  effectBegin(client.db, argc - idArg + 2);
  effectLiteral('XADD');
  effectArg(argPtr(1), argLen(1));
  effectId(streamLastMs(s), streamLastSeq(s));
  for (let i = idArg + 1; i < argc; i++) effectArg(argPtr(i), argLen(i));
}

/** Whether argument `i` is the word LIMIT among the options. */
function isLimitWord(i: u32): bool {
  return i > 1 && i < idArg && argIs(i, 'limit');
}

/**
 * The running command with a new id, or a threshold as the stream is now, or both. Redis: a LIMIT
 * stays although it means nothing beside an exact threshold; here it goes, so that the effect is a
 * command anyone may send.
 */
function effectRewritten(s: usize, withId: bool, withThreshold: bool): void {
  if (!effectsOn) {
    effectNone();
    return;
  }
  let count = argc;
  if (withThreshold) for (let i: u32 = 2; i < idArg; i++) if (isLimitWord(i)) count -= 2;
  effectBegin(client.db, count);
  for (let i: u32 = 0; i < argc; i++) {
    if (withId && i == idArg) {
      effectId(streamLastMs(s), streamLastSeq(s));
    } else if (withThreshold && isLimitWord(i)) {
      i++;
    } else if (withThreshold && i == trimArg) {
      effectThreshold(s);
    } else if (withThreshold && trimApprox && i == trimArg - 1) {
      effectLiteral('=');
    } else {
      effectArg(argPtr(i), argLen(i));
    }
  }
}

/** The threshold that leaves the stream as it is. */
function effectThreshold(s: usize): void {
  if (trimBy == TRIM_LENGTH) {
    effectInt(<i64>streamLength(s));
    return;
  }
  streamFirstKept(s);
  effectId(streamIdMs, streamIdSeq);
}

// ---- XADD

/** Finds the id of the new entry (`streamIdMs`, `streamIdSeq`); false: answered. */
function newIdOrReply(s: usize, givenMs: u64): bool {
  const status = idGiven ? streamNextSeq(s, givenMs) : streamNextId(s, <u64>nowMs);
  if (status == STREAM_OK) return true;
  replyAppendError(status);
  return false;
}

function replyAppendError(status: i32): void {
  if (status == STREAM_ID_SMALL) {
    replyError(
      'ERR The ID specified in XADD is equal or smaller than the target stream top item',
    );
  } else if (status == STREAM_ID_EXHAUSTED) {
    replyError('ERR The stream has exhausted the last possible ID, unable to add more items');
  } else if (status == STREAM_OOM) {
    replyOom();
  } else {
    replyError('ERR Elements are too large to be stored');
  }
}

function isExhausted(s: usize): bool {
  return streamLastMs(s) == u64.MAX_VALUE && streamLastSeq(s) == u64.MAX_VALUE;
}

/** Appends the running command's entry; false: answered, nothing has changed. */
function appendOrReply(s: usize, givenMs: u64, givenSeq: u64): bool {
  if (isExhausted(s)) {
    replyAppendError(STREAM_ID_EXHAUSTED);
    return false;
  }
  let ms = givenMs;
  let seq = givenSeq;
  if (!idComplete) {
    if (!newIdOrReply(s, givenMs)) return false;
    ms = streamIdMs;
    seq = streamIdSeq;
  }
  const fieldArg = idArg + 1;
  const pairs = argv + (<usize>fieldArg << 3);
  const status = streamAppend(s, pairs, (argc - fieldArg) >> 1, ms, seq);
  if (status == STREAM_OK) return true;
  replyAppendError(status);
  return false;
}

/** Makes the entry the first of a new stream in argument 1; 0: answered, nothing has changed. */
function createOrReply(givenMs: u64, givenSeq: u64): usize {
  const s = streamNew();
  if (s == 0) {
    replyOom();
    return 0;
  }
  if (appendOrReply(s, givenMs, givenSeq)) {
    const kind = metaOf(TYPE_STREAM, ENC_STREAM, 0);
    if (dbAdd(dbAt(client.db), argPtr(1), argLen(1), kind, s) != 0) return s;
    replyOom();
  }
  streamFree(s);
  return 0;
}

export function cmdXadd(): void {
  if (!optionsOrReply(true)) return;
  const givenMs = idMs;
  const givenSeq = idSeq;
  const texts = <i32>argc - <i32>idArg - 1;
  if (texts < 2 || (texts & 1) != 0) {
    replyWrongArgs('xadd');
    return;
  }
  if (idComplete && (givenMs | givenSeq) == 0) {
    replyError('ERR The ID specified in XADD must be greater than 0-0');
    return;
  }
  if (!lookupStreamWrite(1)) return;
  let s = stream;
  if (s != 0) {
    if (!appendOrReply(s, givenMs, givenSeq)) return;
  } else {
    if (noMkstream) {
      replyNull();
      return;
    }
    s = createOrReply(givenMs, givenSeq);
    if (s == 0) return;
  }
  replyId(streamLastMs(s), streamLastSeq(s));
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STREAM, 'xadd', client.db, argPtr(1), argLen(1));
  signalKeyAsReady(dbAt(client.db), argPtr(1), argLen(1), TYPE_STREAM);
  markDirty(1);
  if (isRefsGiven) {
    effectAdded(s);
    peekStream(1);
    if (trimBy != TRIM_NONE && trimReferenced() != 0) notifyTrimmed();
    return;
  }
  let isInexact = false;
  if (trimBy != TRIM_NONE) {
    // An exact trimming that found no memory trimmed less, and says how much.
    isInexact = trim(s) != STREAM_OK || trimApprox;
    if (streamTrimmed != 0) notifyTrimmed();
  }
  if (!idComplete || isInexact) effectRewritten(s, !idComplete, isInexact);
}

function notifyTrimmed(): void {
  notifyKeyspaceEvent(NOTIFY_STREAM, 'xtrim', client.db, argPtr(1), argLen(1));
}

// ---- XTRIM, XDEL, XSETID

export function cmdXtrim(): void {
  if (!optionsOrReply(false)) return;
  if (!lookupStreamWrite(1)) return;
  if (stream == 0) {
    replyInt(0);
    return;
  }
  let trimmed: u64 = 0;
  if (isRefsGiven) {
    effectNone();
    trimmed = trimReferenced();
  } else if (trim(stream) == STREAM_OK) {
    trimmed = streamTrimmed;
    if (trimmed != 0 && trimApprox) effectRewritten(stream, false, true);
  } else {
    replyOom();
    return;
  }
  if (trimmed != 0) {
    notifyTrimmed();
    signalModified(dbAt(client.db), argPtr(1), argLen(1));
    markDirty(trimmed);
  }
  replyInt(trimmed);
}

export function cmdXdel(): void {
  if (!lookupStreamWrite(1)) return;
  if (stream == 0) {
    replyInt(0);
    return;
  }
  for (let i: u32 = 2; i < argc; i++) if (!argStrictIdOrReply(i, 0)) return;
  let deleted: u32 = 0;
  let i: u32 = 2;
  for (; i < argc; i++) {
    argStrictIdOrReply(i, 0);
    const status = streamDelete(stream, idMs, idSeq);
    if (status == STREAM_OOM) break;
    if (status != STREAM_MISSING) deleted++;
  }
  if (deleted == 0) {
    if (i < argc) replyOom();
    else replyInt(0);
    return;
  }
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STREAM, 'xdel', client.db, argPtr(1), argLen(1));
  markDirty(deleted);
  // Memory ran out among the ids: what was deleted is what followers are told.
  if (i < argc) {
    effectBegin(client.db, i);
    for (let k: u32 = 0; k < i; k++) effectArg(argPtr(k), argLen(k));
  }
  replyInt(deleted);
}

export function cmdXsetid(): void {
  if (!argStrictIdOrReply(2, 0)) return;
  const ms = idMs;
  const seq = idSeq;
  let added: i64 = -1;
  let deletedMs: u64 = 0;
  let deletedSeq: u64 = 0;
  for (let i: u32 = 3; i < argc; i += 2) {
    const isLast = i + 1 == argc;
    if (!isLast && argIs(i, 'entriesadded')) {
      if (!argI64OrReply(i + 1)) return;
      added = argInt;
      if (added < 0) {
        replyError('ERR entries_added must be positive');
        return;
      }
    } else if (!isLast && argIs(i, 'maxdeletedid')) {
      if (!argStrictIdOrReply(i + 1, 0)) return;
      deletedMs = idMs;
      deletedSeq = idSeq;
      if (idCompare(ms, seq, deletedMs, deletedSeq) < 0) {
        replyError(
          'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id',
        );
        return;
      }
    } else {
      replySyntaxError();
      return;
    }
  }
  if (!lookupStreamWrite(1)) return;
  if (stream == 0) {
    replyNoSuchKey();
    return;
  }
  if (!lastIdFitsOrReply(ms, seq, added)) return;
  streamSetLast(stream, ms, seq);
  if (added != -1) streamSetEntriesAdded(stream, added);
  if ((deletedMs | deletedSeq) != 0) streamSetMaxDeleted(stream, deletedMs, deletedSeq);
  replyOk();
  // Redis: the entries are the same, so nobody who watches the key is told.
  markDirty(1);
  notifyKeyspaceEvent(NOTIFY_STREAM, 'xsetid', client.db, argPtr(1), argLen(1));
}

/** Whether the stream may be given this last id and this count (-1 = none); false: answered. */
function lastIdFitsOrReply(ms: u64, seq: u64, added: i64): bool {
  if (streamLength(stream) == 0) return true;
  streamEdge(stream, false);
  if (idCompare(ms, seq, streamIdMs, streamIdSeq) < 0) {
    replyError('ERR The ID specified in XSETID is smaller than the target stream top item');
    return false;
  }
  if (added != -1 && streamLength(stream) > <u64>added) {
    replyError(
      'ERR The entries_added specified in XSETID is smaller than the target stream length',
    );
    return false;
  }
  return true;
}
