/**
 * Writing streams as RDB values: byte for byte what redis-server 7.0.15 writes as type 19, and the
 * other versions of RDB.md §5 (15 for RDB 9, 21 from RDB 11, 26 and 27 where a stream has what only
 * they can hold). It advances one node or pending entry at a time, so that a snapshot can pause in
 * a large stream, which must not change meanwhile. What it is not: the sink (save-sink.ts), which
 * compresses long strings and packs short numbers.
 *
 * What an older type cannot hold is left out: offsets in 15, active times below 21, the state of
 * idempotent producers below 26, pending entries without an owner below 27.
 */
import { storeBe64 } from '../base/bytes';
import { lpBytes } from '../encoding/listpack';
import { groupUnowned } from '../types/stream-group';
import {
  IDMP_HEADER,
  idmpAdded,
  idmpDuplicates,
  idmpDuration,
  idmpEntriesMax,
  idmpProducers,
} from '../types/stream-idmp';
import {
  consumerActiveMs,
  consumerPending,
  consumerSeenMs,
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
  streamIdmp,
  streamLastMs,
  streamLastSeq,
  streamLength,
  streamMaxDeletedMs,
  streamMaxDeletedSeq,
  streamNodes,
} from '../types/stream-layout';
import { namesAt, namesCount } from '../types/stream-names';
import { treeCount, treeFirst, treeMs, treeNext, treeSeq, treeValue } from '../types/stream-tree';
import {
  TYPE_STREAM,
  TYPE_STREAM_2,
  TYPE_STREAM_3,
  TYPE_STREAM_4,
  TYPE_STREAM_5,
} from './opcodes';
import { sinkBytes, sinkLength, sinkString, sinkU64 } from './save-sink';

const cursor = memory.data(8, 8);
const scratch = memory.data(24, 8);

/** The type a stream is written as in a file of this RDB version (or a DUMP of it). */
export function streamSaveType(s: usize, rdbVersion: u32): u32 {
  if (rdbVersion < 10) return TYPE_STREAM;
  if (rdbVersion < 11) return TYPE_STREAM_2;
  // Valkey's versions (80 on) share the types up to 21 only.
  if (rdbVersion >= 14 && rdbVersion < 80 && hasUnowned(s)) return TYPE_STREAM_5;
  if (rdbVersion >= 13 && rdbVersion < 80 && streamIdmp(s) != 0) return TYPE_STREAM_4;
  return TYPE_STREAM_3;
}

/** The least RDB version that has a type of the above. */
export function streamSaveVersion(rdbType: u32): u32 {
  if (rdbType == TYPE_STREAM_5) return 14;
  if (rdbType == TYPE_STREAM_4) return 13;
  return rdbType == TYPE_STREAM_3 ? 11 : rdbType == TYPE_STREAM_2 ? 10 : 9;
}

function hasUnowned(s: usize): bool {
  const groups = streamGroups(s);
  for (let i: u32 = 0; i < namesCount(groups); i++) {
    if (groupUnowned(namesAt(groups, i)) != 0) return true;
  }
  return false;
}

// The parts of a value in their order; where the writer is.
const AT_NODES: u32 = 0;
const AT_GROUP: u32 = 1;
const AT_PENDING: u32 = 2;
const AT_CONSUMER: u32 = 3;
const AT_OWNED: u32 = 4;
const AT_UNOWNED: u32 = 5;
const AT_IDMP: u32 = 6;

let stream: usize = 0;
let type: u32 = 0;
let part: u32 = AT_NODES;
/** Whether `cursor` is on the next element of the part. */
let more: bool = false;
let groupIndex: u32 = 0;
let consumerIndex: u32 = 0;

/**
 * Begins the value of a stream, without the type byte, as one of the types above; `streamSaveStep`
 * goes on.
 */
export function streamSaveBegin(s: usize, asType: u32): void {
  stream = s;
  type = asType;
  part = AT_NODES;
  groupIndex = 0;
  sinkLength(treeCount(streamNodes(s)));
  more = treeFirst(cursor, streamNodes(s));
}

/** Writes one element; true: that was the last. Failure is the sink's to remember. */
export function streamSaveStep(): bool {
  switch (part) {
    case AT_NODES:
      saveNode();
      return false;
    case AT_GROUP:
      if (groupIndex < namesCount(streamGroups(stream))) saveGroup(group());
      else part = AT_IDMP;
      return false;
    case AT_PENDING:
      savePending();
      return false;
    case AT_CONSUMER:
      if (consumerIndex < namesCount(groupConsumers(group()))) saveConsumer();
      else endConsumers();
      return false;
    case AT_OWNED:
      if (more) saveCursorId();
      else part = AT_CONSUMER;
      return false;
    case AT_UNOWNED:
      saveUnowned();
      return false;
    default:
      if (type == TYPE_STREAM_4 || type == TYPE_STREAM_5) saveIdmp(streamIdmp(stream));
      return true;
  }
}

// ---- the parts

function group(): usize {
  return namesAt(streamGroups(stream), groupIndex);
}

function saveNode(): void {
  if (!more) {
    saveMeta(stream);
    part = AT_GROUP;
    return;
  }
  storeBe64(scratch, treeMs(cursor));
  storeBe64(scratch + 8, treeSeq(cursor));
  sinkString(scratch, 16);
  sinkString(treeValue(cursor), lpBytes(treeValue(cursor)));
  more = treeNext(cursor);
}

function saveMeta(s: usize): void {
  sinkLength(streamLength(s));
  saveId(streamLastMs(s), streamLastSeq(s));
  if (type != TYPE_STREAM) {
    saveId(streamFirstMs(s), streamFirstSeq(s));
    saveId(streamMaxDeletedMs(s), streamMaxDeletedSeq(s));
    sinkLength(streamEntriesAdded(s));
  }
  sinkLength(namesCount(streamGroups(s)));
}

/** An id as two lengths. */
function saveId(ms: u64, seq: u64): void {
  sinkLength(ms);
  sinkLength(seq);
}

/** The id under the cursor as 16 bytes; moves on. */
function saveCursorId(): void {
  storeBe64(scratch, treeMs(cursor));
  storeBe64(scratch + 8, treeSeq(cursor));
  sinkBytes(scratch, 16);
  more = treeNext(cursor);
}

function saveGroup(g: usize): void {
  sinkString(namePtr(g), nameLen(g));
  saveId(groupLastMs(g), groupLastSeq(g));
  if (type != TYPE_STREAM) sinkLength(<u64>groupEntriesRead(g));
  const unowned = type == TYPE_STREAM_5 ? 0 : groupUnowned(g);
  sinkLength(treeCount(groupPending(g)) - unowned);
  more = treeFirst(cursor, groupPending(g));
  part = AT_PENDING;
}

function savePending(): void {
  if (!more) {
    const consumers = groupConsumers(group());
    sinkLength(namesCount(consumers));
    consumerIndex = 0;
    part = AT_CONSUMER;
    return;
  }
  const pending = treeValue(cursor);
  if (type != TYPE_STREAM_5 && pendingConsumer(pending) == 0) {
    more = treeNext(cursor);
    return;
  }
  saveCursorId();
  sinkU64(<u64>pendingTimeMs(pending));
  sinkLength(pendingDeliveries(pending));
}

function saveConsumer(): void {
  const consumer = namesAt(groupConsumers(group()), consumerIndex++);
  sinkString(namePtr(consumer), nameLen(consumer));
  sinkU64(<u64>consumerSeenMs(consumer));
  if (type >= TYPE_STREAM_3) sinkU64(<u64>consumerActiveMs(consumer));
  sinkLength(treeCount(consumerPending(consumer)));
  more = treeFirst(cursor, consumerPending(consumer));
  part = AT_OWNED;
}

function endConsumers(): void {
  if (type == TYPE_STREAM_5) {
    sinkLength(groupUnowned(group()));
    more = treeFirst(cursor, groupPending(group()));
    part = AT_UNOWNED;
    return;
  }
  groupIndex++;
  part = AT_GROUP;
}

function saveUnowned(): void {
  if (!more) {
    groupIndex++;
    part = AT_GROUP;
  } else if (pendingConsumer(treeValue(cursor)) == 0) {
    saveCursorId();
  } else {
    more = treeNext(cursor);
  }
}

/** The producers' state; layout in stream-idmp.ts. A stream without any (0) writes zeros. */
function saveIdmp(idmp: usize): void {
  if (idmp == 0) {
    for (let i = 0; i < 5; i++) sinkLength(0);
    return;
  }
  sinkLength(idmpDuration(idmp));
  sinkLength(idmpEntriesMax(idmp));
  sinkLength(idmpProducers(idmp));
  let p = idmp + IDMP_HEADER;
  for (let i: u32 = 0; i < idmpProducers(idmp); i++) {
    sinkString(p + 4, load<u32>(p));
    p += 4 + load<u32>(p);
    const iids = load<u32>(p);
    sinkLength(iids);
    p += 4;
    for (let k: u32 = 0; k < iids; k++) {
      const len = load<u32>(p);
      sinkString(p + 4, len);
      saveId(load<u64>(p + 4 + len), load<u64>(p + 12 + len));
      p += len + 20;
    }
  }
  sinkLength(idmpAdded(idmp));
  sinkLength(idmpDuplicates(idmp));
}
