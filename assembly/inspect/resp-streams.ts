/**
 * Streams as commands, as Redis' own AOF rewrite writes them:
 *
 *   XADD key id field value ...           every entry; of an empty stream: MAXLEN 0 0-1 x y
 *   XSETID key last ENTRIESADDED n MAXDELETEDID id
 *   XGROUP CREATE key group id ENTRIESREAD n
 *   XGROUP CREATECONSUMER key group consumer
 *   XCLAIM key group consumer 0 id TIME ms RETRYCOUNT n JUSTID FORCE      every pending entry
 *   XNACK key group FAIL IDS 1 id RETRYCOUNT n FORCE      pending, without a consumer (8.8)
 *   XCFGSET key IDMP-DURATION s IDMP-MAXSIZE n            if not what servers have anyway (8.6)
 *   XIDMPRECORD key producer iid id                       what an idempotent producer added (8.8)
 *
 * What no command can say: the times of a consumer, pending entries whose stream entry was deleted
 * (XCLAIM passes them over), how often idempotent producers tried. XNACK and XIDMPRECORD are
 * written after the documentation of Redis 8.8: no server that has them was at hand.
 *
 * A consumer lists ids only; time and count stand in the list of its group, which comes before it
 * and is kept: 32 bytes for each pending entry of one group, the one thing here that grows with the
 * data.
 *
 *   pending   +0 u64 ms, +8 u64 seq, +16 u64 delivery time, +24 u64 deliveries      by id
 */
import { alloc, realloc } from '../base/alloc';
import { RdbReader } from '../rdb/input';
import {
  REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL, REC_STREAM_GROUP, REC_STREAM_IDMP,
  REC_STREAM_IDMP_ENTRY, REC_STREAM_IDMP_PRODUCER, REC_STREAM_META, REC_STREAM_NACK,
  REC_STREAM_PEL, TYPE_STREAM,
} from '../rdb/opcodes';
import {
  argument, argumentId, argumentInt, argumentWord, batchArguments, batchDrop, batchId, batchString,
  commandBegin,
} from './command';
import { evLen, evMs, evPtr, evSeq, evValueLen, evValuePtr } from './event';
import { LEFT_DETAIL, leftOut } from './left-out';
import { outFail } from './out';
import { respFlush, respName, respOpen } from './resp';
import { LEVEL_FUNCTIONS, LEVEL_IDMP, LEVEL_NACK, LEVEL_PXAT, has } from './target';

/** Entries read. */
let count: u64 = 0;
/** Identity of the first of them. */
let firstMs: u64 = 0;
let firstSeq: u64 = 0;
/** Facts of the stream, for groups of files that do not know how far they have read. */
let added: u64 = 0;
let lastMs: u64 = 0;
let lastSeq: u64 = 0;

/** The current group's pending entries. */
let pending: usize = 0;
let pendingCap: usize = 0;
let pendingCount: usize = 0;
const PENDING: usize = 32;
/** Above this the list is given back when the next stream begins. */
const RETAIN_MAX: usize = 1 << 20;

/** Copies of names that are repeated: of the group, of the consumer. (ptr, cap, len) */
const groupName = memory.data(24, 8);
const consumerName = memory.data(24, 8);

function keepName(to: usize, ptr: usize, len: usize): void {
  if (len > load<usize>(to, 8)) {
    const moved = load<usize>(to) == 0 ? alloc(len) : realloc(load<usize>(to), len);
    if (moved == 0) {
      outFail();
      return;
    }
    store<usize>(to, moved);
    store<usize>(to, len, 8);
  }
  memory.copy(load<usize>(to), ptr, len);
  store<usize>(to, len, 16);
}

function argumentName(name: usize): void {
  argument(load<usize>(name), load<usize>(name, 16));
}

export function streamKey(): void {
  count = 0;
  pendingCount = 0;
  if (pendingCap * PENDING <= RETAIN_MAX) return;
  const smaller = realloc(pending, RETAIN_MAX);
  if (smaller == 0) return;
  pending = smaller;
  pendingCap = RETAIN_MAX / PENDING;
}

// ---- entries

export function streamEntry(): void {
  if (count == 0) {
    firstMs = evMs;
    firstSeq = evSeq;
  }
  batchId(evMs, evSeq);
}

export function streamEntryField(): void {
  batchString(evPtr, evLen);
  batchString(evValuePtr, evValueLen);
}

export function streamEntryEnd(): void {
  // an entry without fields is none that a server would take
  if (batchArguments == 1) {
    batchDrop();
    return;
  }
  count++;
  respFlush();
}

// ---- what stands behind them

export function streamRecord(r: RdbReader, kind: i32): void {
  switch (kind) {
    case REC_STREAM_META:
      meta(r);
      break;
    case REC_STREAM_GROUP:
      group(r);
      break;
    case REC_STREAM_PEL:
      notePending(r);
      break;
    case REC_STREAM_CONSUMER:
      consumer(r);
      break;
    case REC_STREAM_CONSUMER_PEL:
      claim(r);
      break;
    case REC_STREAM_NACK:
      release(r);
      break;
    case REC_STREAM_IDMP:
      idempotence(r);
      break;
    case REC_STREAM_IDMP_PRODUCER:
      keepName(consumerName, r.a.ptr, r.a.len);
      if (!has(LEVEL_NACK)) leftOut(r, LEFT_DETAIL);
      break;
    case REC_STREAM_IDMP_ENTRY:
      produced(r);
      break;
    default: break;
  }
}

function meta(r: RdbReader): void {
  respOpen();
  if (count == 0) {
    // Redis: the only way to an empty stream
    commandBegin(7, 'XADD');
    respName();
    argumentWord('MAXLEN');
    argumentInt(0);
    argumentId(0, 1);
    argumentWord('x');
    argumentWord('y');
  }
  lastMs = r.n1;
  lastSeq = r.n2;
  added = r.n7;
  const isTold = r.type != TYPE_STREAM && has(LEVEL_FUNCTIONS);
  // before version 2 the count is that of the entries; an empty stream's is not 1
  const hasCounters = isTold || (count == 0 && has(LEVEL_FUNCTIONS));
  commandBegin(hasCounters ? 7 : 3, 'XSETID');
  respName();
  argumentId(r.n1, r.n2);
  if (!hasCounters) return;
  argumentWord('ENTRIESADDED');
  argumentInt(r.n7);
  argumentWord('MAXDELETEDID');
  argumentId(r.n5, r.n6);
}

function below(ms: u64, seq: u64, otherMs: u64, otherSeq: u64): bool {
  return ms < otherMs || (ms == otherMs && seq < otherSeq);
}

/**
 * How far a group has read that was written before servers counted, -1 unknown. Redis:
 * streamEstimateDistanceFromFirstEverEntry of a stream from which nothing was deleted.
 */
function readOfOldGroup(ms: u64, seq: u64): i64 {
  if (added == 0) return 0;
  if (ms == lastMs && seq == lastSeq) return added;
  if (below(lastMs, lastSeq, ms, seq)) return -1;
  if (count == 0) return added;
  if (below(ms, seq, firstMs, firstSeq)) return 0;
  return ms == firstMs && seq == firstSeq ? 1 : -1;
}

function group(r: RdbReader): void {
  keepName(groupName, r.a.ptr, r.a.len);
  pendingCount = 0;
  const hasRead = has(LEVEL_FUNCTIONS);
  commandBegin(hasRead ? 7 : 5, 'XGROUP');
  argumentWord('CREATE');
  respName();
  argumentName(groupName);
  argumentId(r.n0, r.n1);
  if (!hasRead) return;
  argumentWord('ENTRIESREAD');
  argumentInt(r.type == TYPE_STREAM ? readOfOldGroup(r.n0, r.n1) : <i64>r.n2);
}

function notePending(r: RdbReader): void {
  if (pendingCount == pendingCap) {
    const cap = max<usize>(pendingCap * 2, 64);
    const moved = pending == 0 ? alloc(cap * PENDING) : realloc(pending, cap * PENDING);
    if (moved == 0) {
      outFail();
      return;
    }
    pending = moved;
    pendingCap = cap;
  }
  const at = pending + pendingCount * PENDING;
  store<u64>(at, r.n0);
  store<u64>(at, r.n1, 8);
  store<u64>(at, r.n2, 16);
  store<u64>(at, r.n3, 24);
  pendingCount++;
}

/** The pending entry, 0 if the group does not list it. */
function findPending(ms: u64, seq: u64): usize {
  let low: usize = 0;
  let high = pendingCount;
  while (low < high) {
    const mid = (low + high) >> 1;
    const at = pending + mid * PENDING;
    if (below(load<u64>(at), load<u64>(at, 8), ms, seq)) low = mid + 1;
    else high = mid;
  }
  const at = pending + low * PENDING;
  return low < pendingCount && load<u64>(at) == ms && load<u64>(at, 8) == seq ? at : 0;
}

function consumer(r: RdbReader): void {
  keepName(consumerName, r.a.ptr, r.a.len);
  if (!has(LEVEL_PXAT)) {
    if (r.count == 0) leftOut(r, LEFT_DETAIL);
    return;
  }
  commandBegin(5, 'XGROUP');
  argumentWord('CREATECONSUMER');
  respName();
  argumentName(groupName);
  argumentName(consumerName);
}

function claim(r: RdbReader): void {
  const at = findPending(r.n0, r.n1);
  if (at == 0) return;
  commandBegin(12, 'XCLAIM');
  respName();
  argumentName(groupName);
  argumentName(consumerName);
  argumentInt(0);
  argumentId(r.n0, r.n1);
  argumentWord('TIME');
  argumentInt(load<i64>(at, 16));
  argumentWord('RETRYCOUNT');
  argumentInt(load<i64>(at, 24));
  argumentWord('JUSTID');
  argumentWord('FORCE');
}

/** A pending entry that a consumer gave back. */
function release(r: RdbReader): void {
  if (!has(LEVEL_NACK)) {
    leftOut(r, LEFT_DETAIL);
    return;
  }
  const at = findPending(r.n0, r.n1);
  commandBegin(10, 'XNACK');
  respName();
  argumentName(groupName);
  argumentWord('FAIL');
  argumentWord('IDS');
  argumentInt(1);
  argumentId(r.n0, r.n1);
  argumentWord('RETRYCOUNT');
  argumentInt(at == 0 ? 0 : load<i64>(at, 24));
  argumentWord('FORCE');
}

// ---- idempotent producers

/** What a server does unasked, and the most it can be told. */
const IDMP_DURATION: u64 = 100;
const IDMP_ENTRIES: u64 = 100;
const IDMP_DURATION_MAX: u64 = 86400;
const IDMP_ENTRIES_MAX: u64 = 10000;

function idempotence(r: RdbReader): void {
  if (r.n0 == IDMP_DURATION && r.n1 == IDMP_ENTRIES) return;
  const isValid = r.n0 - 1 < IDMP_DURATION_MAX && r.n1 - 1 < IDMP_ENTRIES_MAX;
  if (!isValid || !has(LEVEL_IDMP)) {
    leftOut(r, LEFT_DETAIL);
    return;
  }
  commandBegin(6, 'XCFGSET');
  respName();
  argumentWord('IDMP-DURATION');
  argumentInt(r.n0);
  argumentWord('IDMP-MAXSIZE');
  argumentInt(r.n1);
}

function produced(r: RdbReader): void {
  if (!has(LEVEL_NACK)) return;
  commandBegin(5, 'XIDMPRECORD');
  respName();
  argumentName(consumerName);
  argument(r.a.ptr, r.a.len);
  argumentId(r.n0, r.n1);
}
