/**
 * Streams: the reader's STREAM_* records into a stream, in the order types/stream-load.ts wants.
 *
 *   node ... | meta | per group: group, pending ..., per consumer: consumer, its pending ...,
 *   unowned ... | idempotent producers
 *
 * A group's end is noticed by what follows it: the next group, the producers or the value's end.
 * What is refused is refused by types/; here are only the order and the versions.
 */
import {
  groupConsumerCreate, groupLoadEnd, groupLoadPending, groupLoadUnowned, consumerLoadPending,
  groupStatus, streamGroupCreate,
} from '../types/stream-group';
import { idmpBegin, idmpEnd, idmpIid, idmpProducer } from '../types/stream-idmp';
import {
  consumerSetActiveMs, groupSetEntriesRead, STREAM_BAD_LENGTH, STREAM_OK, STREAM_OOM,
  streamLength, streamNodes, streamSetEntriesAdded, streamSetFirst, streamSetLength,
  streamSetMaxDeleted,
} from '../types/stream-layout';
import {
  groupLoadLegacy, streamLoadLegacy, streamLoadMeta, streamLoadNode, streamLoadNodesEnd,
} from '../types/stream-load';
import { nodeLiveCount } from '../types/stream-node';
import { treeCount, treeFirst, treeNext, treeValue } from '../types/stream-tree';
import { RdbReader } from './input';
import { LOAD_ERR_STREAM } from './load-info';
import {
  ERR_MEMORY, REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL, REC_STREAM_GROUP, REC_STREAM_IDMP,
  REC_STREAM_IDMP_END, REC_STREAM_IDMP_ENTRY, REC_STREAM_IDMP_PRODUCER, REC_STREAM_META,
  REC_STREAM_NACK, REC_STREAM_NODE, REC_STREAM_PEL, TYPE_STREAM,
} from './opcodes';

/** What a stream in the making remembers between records; a part of load-value.ts' state. */
@unmanaged
export class StreamState {
  stream: usize;
  /** The group and consumer being read, 0 = none. */
  group: usize;
  consumer: usize;
  /** Ids of the group's unowned zone so far. */
  unowned: u32;
  hasMeta: bool;
}

/** Bytes of a StreamState. */
export const STREAM_STATE_SIZE: usize = offsetof<StreamState>();

const cursor = memory.data(8, 8);

/** Begins with an empty stream. */
export function streamStateBegin(st: StreamState, stream: usize): void {
  st.stream = stream;
  st.group = 0;
  st.consumer = 0;
  st.unowned = 0;
  st.hasMeta = false;
}

/** The STREAM_* status behind the last LOAD_ERR_STREAM. */
export let streamStatus: i32 = 0;

/** 0 or an error, for a STREAM_* status. */
function errorOf(status: i32): i32 {
  if (status == STREAM_OK) return 0;
  streamStatus = status;
  return status == STREAM_OOM ? ERR_MEMORY : LOAD_ERR_STREAM;
}

/** One record. 0 or an error. May grow memory. */
export function streamStateRecord(st: StreamState, r: RdbReader, kind: i32): i32 {
  const s = st.stream;
  switch (kind) {
    case REC_STREAM_NODE:
      return errorOf(streamLoadNode(s, r.n0, r.n1, r.b.ptr, <u32>r.b.len));
    case REC_STREAM_META: return meta(st, r);
    case REC_STREAM_GROUP: return group(st, r);
    case REC_STREAM_PEL:
      return errorOf(groupLoadPending(st.group, r.n0, r.n1, <i64>r.n2, r.n3));
    case REC_STREAM_CONSUMER: return consumer(st, r);
    case REC_STREAM_CONSUMER_PEL:
      return errorOf(consumerLoadPending(st.group, st.consumer, r.n0, r.n1));
    case REC_STREAM_NACK: {
      st.unowned++;
      return errorOf(groupLoadUnowned(st.group, r.n0, r.n1));
    }
    case REC_STREAM_IDMP: {
      const code = groupEnd(st);
      return code != 0 ? code : errorOf(idmpBegin(s, r.n0, r.n1));
    }
    case REC_STREAM_IDMP_PRODUCER: return errorOf(idmpProducer(s, r.a.ptr, <u32>r.a.len));
    case REC_STREAM_IDMP_ENTRY: return errorOf(idmpIid(s, r.a.ptr, <u32>r.a.len, r.n0, r.n1));
    case REC_STREAM_IDMP_END: {
      idmpEnd(s, r.n0, r.n1);
      return 0;
    }
    default: return LOAD_ERR_STREAM;
  }
}

/** After the last record: 0 or an error. */
export function streamStateEnd(st: StreamState): i32 {
  return st.hasMeta ? groupEnd(st) : LOAD_ERR_STREAM;
}

function meta(st: StreamState, r: RdbReader): i32 {
  const s = st.stream;
  streamLoadMeta(s, r.n0, r.n1, r.n2);
  if (r.type == TYPE_STREAM) {
    streamLoadLegacy(s);
    // Redis: the first id of a stream without entries is made the greatest there is.
    if (r.n0 == 0) streamSetFirst(s, u64.MAX_VALUE, u64.MAX_VALUE);
  } else {
    streamSetFirst(s, r.n3, r.n4);
    streamSetMaxDeleted(s, r.n5, r.n6);
    streamSetEntriesAdded(s, r.n7);
  }
  st.hasMeta = true;
  const status = streamLoadNodesEnd(s);
  return errorOf(status == STREAM_BAD_LENGTH ? endMiscounted(s) : status);
}

/**
 * The length is not the number of live entries. Redis: such streams exist (XTRIM of 5.0 release
 * candidates made them) and are loaded, unless there is a length but no node; XLEN tells the wrong
 * length ever after. So it is here, but a length that is too small is put right: XDEL must not
 * count below zero.
 */
function endMiscounted(s: usize): i32 {
  const said = streamLength(s);
  if (treeCount(streamNodes(s)) == 0) return STREAM_BAD_LENGTH;
  let live: u64 = 0;
  let more = treeFirst(cursor, streamNodes(s));
  while (more) {
    live += <u64>nodeLiveCount(treeValue(cursor));
    more = treeNext(cursor);
  }
  streamSetLength(s, live);
  const status = streamLoadNodesEnd(s);
  if (said > live) streamSetLength(s, said);
  return status;
}

function groupEnd(st: StreamState): i32 {
  if (!st.group) return 0;
  const status = groupLoadEnd(st.group, st.unowned);
  st.group = 0;
  st.unowned = 0;
  return errorOf(status);
}

function group(st: StreamState, r: RdbReader): i32 {
  const code = groupEnd(st);
  if (code != 0) return code;
  st.group = streamGroupCreate(st.stream, r.a.ptr, <u32>r.a.len, r.n0, r.n1);
  if (!st.group) return errorOf(groupStatus);
  if (r.type == TYPE_STREAM) groupLoadLegacy(st.stream, st.group);
  else groupSetEntriesRead(st.group, <i64>r.n2);
  return 0;
}

function consumer(st: StreamState, r: RdbReader): i32 {
  st.consumer = groupConsumerCreate(st.group, r.a.ptr, <u32>r.a.len, <i64>r.n0);
  if (!st.consumer) return errorOf(groupStatus);
  consumerSetActiveMs(st.consumer, <i64>r.n1);
  return 0;
}
