/*
 * Streams (types 15, 19, 21, 26, 27): the one value with a structure of its own, RDB.md section 5.
 *
 *   nodes      n x (16-byte id, listpack)                              STREAM_NODE
 *   meta       lengths and identities, count of groups                 STREAM_META
 *   group      name, last id, [read], pending n x (id, time, count)    STREAM_GROUP, _PEL
 *              consumers n x (name, times, n x id)                 STREAM_CONSUMER, _CONSUMER_PEL
 *              version 5: n x id without an owner                      STREAM_NACK
 *   version 4  idempotent producers, after all groups                  STREAM_IDMP, _PRODUCER, ...
 *
 * The reader does not relate them: that a consumer's pending ids are in its group's list is for the
 * consumer of the records to check. Node listpacks are delivered unread (values.ts walks them).
 */
import {
  RdbReader, commit, failAt, readString, readStringAlways, unitHas, unitLength, unitStop,
} from './input';
import { lenValue } from './length';
import {
  BLOB_LISTPACK, ERR_STREAM_ID, REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL, REC_STREAM_GROUP,
  REC_STREAM_IDMP, REC_STREAM_IDMP_END, REC_STREAM_IDMP_ENTRY, REC_STREAM_IDMP_PRODUCER,
  REC_STREAM_META, REC_STREAM_NACK, REC_STREAM_NODE, REC_STREAM_PEL, REC_VALUE_END, TYPE_STREAM,
  TYPE_STREAM_2, TYPE_STREAM_3, TYPE_STREAM_4, TYPE_STREAM_5,
} from './opcodes';

/** Sections of a stream: the high bits of r.part. The low bit: a first string is already read. */
const AT_NODES: u32 = 0;
const AT_META: u32 = 2;
const AT_GROUPS: u32 = 4;
const AT_PEL: u32 = 6;
const AT_CONSUMERS: u32 = 8;
const AT_CONSUMER_PEL: u32 = 10;
const AT_NACKS: u32 = 12;
const AT_IDMP: u32 = 14;
const AT_PRODUCERS: u32 = 16;
const AT_PRODUCER: u32 = 18;
const AT_IDMP_END: u32 = 20;
const AT_END: u32 = 22;

/** 1-5 for the types above, 0 for any other. */
export function streamVersion(type: u32): u32 {
  if (type == TYPE_STREAM) return 1;
  if (type == TYPE_STREAM_2) return 2;
  if (type == TYPE_STREAM_3) return 3;
  if (type == TYPE_STREAM_4) return 4;
  return type == TYPE_STREAM_5 ? 5 : 0;
}

/**
 * The next record of the stream; r.left counts down what the section has left, r.sub the groups
 * (then the producers), r.n7 the consumers of a group.
 */
export function streamValue(r: RdbReader): i32 {
  while (true) {
    const section = r.part & ~1;
    if (section == AT_NODES) {
      if (r.left) return nodeRecord(r);
      r.part = AT_META;
    } else if (section == AT_META) {
      return metaRecord(r);
    } else if (section == AT_GROUPS) {
      if (r.sub) return groupRecord(r);
      r.part = streamVersion(r.type) >= 4 ? AT_IDMP : AT_END;
    } else if (section == AT_PEL) {
      if (r.left) return pelRecord(r);
      const done = consumerCount(r);
      if (done <= 0) return done;
    } else if (section == AT_CONSUMERS) {
      if (r.n7) return consumerRecord(r);
      const done = nackCount(r);
      if (done <= 0) return done;
    } else if (section == AT_CONSUMER_PEL) {
      if (r.left) return idRecord(r, REC_STREAM_CONSUMER_PEL);
      r.part = AT_CONSUMERS;
    } else if (section == AT_NACKS) {
      if (r.left) return idRecord(r, REC_STREAM_NACK);
      r.sub--;
      r.part = AT_GROUPS;
    } else {
      return idempotence(r, section);
    }
  }
}

function idempotence(r: RdbReader, section: u32): i32 {
  if (section == AT_IDMP) return idmpRecord(r);
  if (section == AT_PRODUCERS || section == AT_PRODUCER) {
    if (section == AT_PRODUCER && r.left) return idmpEntryRecord(r);
    if (r.sub) return producerRecord(r);
    r.part = AT_IDMP_END;
  }
  return r.part == AT_IDMP_END ? idmpEndRecord(r) : REC_VALUE_END;
}

/** Unit: the length goes to the place. */
// @ts-ignore: decorator
@inline
function step(r: RdbReader, p: usize): usize {
  return p ? unitLength(r, p) : 0;
}

/** The name or id in front of a record, in slot a; 1 = it is there. */
function namePart(r: RdbReader): i32 {
  if (r.part & 1) return 1;
  const done = readString(r, r.a);
  if (done > 0) r.part |= 1;
  return done;
}

function nodeRecord(r: RdbReader): i32 {
  if (!(r.part & 1)) {
    const done = readStringAlways(r, r.a);
    if (done <= 0) return done;
    if (r.a.len != 16) return failAt(r, ERR_STREAM_ID, r.strOffset, r.a.len);
    r.n0 = bswap<u64>(load<u64>(r.a.ptr));
    r.n1 = bswap<u64>(load<u64>(r.a.ptr, 8));
    r.part |= 1;
  }
  const done = readString(r, r.b);
  if (done <= 0) return done;
  r.container = BLOB_LISTPACK;
  r.part = AT_NODES;
  r.left--;
  return REC_STREAM_NODE;
}

/** n0 length, n1-n2 last, n3-n4 first, n5-n6 greatest deleted, n7 entries added, count groups. */
function metaRecord(r: RdbReader): i32 {
  let p = step(r, r.p);
  const length = lenValue;
  p = step(r, p);
  const lastMs = lenValue;
  p = step(r, p);
  const lastSeq = lenValue;
  if (!p) return unitStop;
  let firstMs: u64 = 0;
  let firstSeq: u64 = 0;
  let deletedMs: u64 = 0;
  let deletedSeq: u64 = 0;
  let added: u64 = length;
  if (streamVersion(r.type) >= 2) {
    p = step(r, p);
    firstMs = lenValue;
    p = step(r, p);
    firstSeq = lenValue;
    p = step(r, p);
    deletedMs = lenValue;
    p = step(r, p);
    deletedSeq = lenValue;
    p = step(r, p);
    added = lenValue;
  }
  p = step(r, p);
  if (!p) return unitStop;
  r.sub = lenValue;
  r.count = lenValue;
  r.n0 = length;
  r.n1 = lastMs;
  r.n2 = lastSeq;
  r.n3 = firstMs;
  r.n4 = firstSeq;
  r.n5 = deletedMs;
  r.n6 = deletedSeq;
  r.n7 = added;
  r.part = AT_GROUPS;
  commit(r, p);
  return REC_STREAM_META;
}

/** a name, n0-n1 last delivered, n2 entries read (-1: unknown), count pending entries. */
function groupRecord(r: RdbReader): i32 {
  const named = namePart(r);
  if (named <= 0) return named;
  let p = step(r, r.p);
  const ms = lenValue;
  p = step(r, p);
  const seq = lenValue;
  let read: u64 = u64.MAX_VALUE;
  if (streamVersion(r.type) >= 2) {
    p = step(r, p);
    read = lenValue;
  }
  p = step(r, p);
  if (!p) return unitStop;
  r.left = lenValue;
  r.count = lenValue;
  r.n0 = ms;
  r.n1 = seq;
  r.n2 = read;
  r.part = AT_PEL;
  commit(r, p);
  return REC_STREAM_GROUP;
}

/** n0-n1 id, n2 delivery time in ms, n3 deliveries. */
function pelRecord(r: RdbReader): i32 {
  const at = r.p;
  if (!unitHas(r, at, 24)) return unitStop;
  const p = unitLength(r, at + 24);
  if (!p) return unitStop;
  r.n0 = bswap<u64>(load<u64>(at));
  r.n1 = bswap<u64>(load<u64>(at, 8));
  r.n2 = load<u64>(at, 16);
  r.n3 = lenValue;
  r.left--;
  commit(r, p);
  return REC_STREAM_PEL;
}

function consumerCount(r: RdbReader): i32 {
  const p = unitLength(r, r.p);
  if (!p) return unitStop;
  r.n7 = lenValue;
  r.part = AT_CONSUMERS;
  commit(r, p);
  return 1;
}

/** a name, n0 seen, n1 active time in ms (-1: never; before version 3 as n0), count pending. */
function consumerRecord(r: RdbReader): i32 {
  const named = namePart(r);
  if (named <= 0) return named;
  const at = r.p;
  const bytes: usize = streamVersion(r.type) >= 3 ? 16 : 8;
  if (!unitHas(r, at, bytes)) return unitStop;
  const p = unitLength(r, at + bytes);
  if (!p) return unitStop;
  r.n0 = load<u64>(at);
  r.n1 = load<u64>(at + bytes - 8);
  r.left = lenValue;
  r.count = lenValue;
  r.n7--;
  r.part = AT_CONSUMER_PEL;
  commit(r, p);
  return REC_STREAM_CONSUMER;
}

function nackCount(r: RdbReader): i32 {
  r.left = 0;
  if (streamVersion(r.type) >= 5) {
    const p = unitLength(r, r.p);
    if (!p) return unitStop;
    r.left = lenValue;
    commit(r, p);
  }
  r.part = AT_NACKS;
  return 1;
}

/** n0-n1 id. */
function idRecord(r: RdbReader, kind: i32): i32 {
  const at = r.p;
  if (!unitHas(r, at, 16)) return unitStop;
  r.n0 = bswap<u64>(load<u64>(at));
  r.n1 = bswap<u64>(load<u64>(at, 8));
  r.left--;
  commit(r, at + 16);
  return kind;
}

/** n0 duration in s, n1 most entries, count producers. */
function idmpRecord(r: RdbReader): i32 {
  let p = step(r, r.p);
  const duration = lenValue;
  p = step(r, p);
  const entriesMax = lenValue;
  p = step(r, p);
  if (!p) return unitStop;
  r.n0 = duration;
  r.n1 = entriesMax;
  r.sub = lenValue;
  r.count = lenValue;
  r.part = AT_PRODUCERS;
  commit(r, p);
  return REC_STREAM_IDMP;
}

/** a producer's id, count its entries. */
function producerRecord(r: RdbReader): i32 {
  if (!(r.part & 1)) r.part = AT_PRODUCERS;
  const named = namePart(r);
  if (named <= 0) return named;
  const p = unitLength(r, r.p);
  if (!p) return unitStop;
  r.left = lenValue;
  r.count = lenValue;
  r.sub--;
  r.part = AT_PRODUCER;
  commit(r, p);
  return REC_STREAM_IDMP_PRODUCER;
}

/** a the entry's idempotent id, n0-n1 the stream id it got. */
function idmpEntryRecord(r: RdbReader): i32 {
  const named = namePart(r);
  if (named <= 0) return named;
  let p = step(r, r.p);
  const ms = lenValue;
  p = step(r, p);
  if (!p) return unitStop;
  r.n0 = ms;
  r.n1 = lenValue;
  r.left--;
  r.part = AT_PRODUCER;
  commit(r, p);
  return REC_STREAM_IDMP_ENTRY;
}

/** n0 ids added, n1 duplicates met. */
function idmpEndRecord(r: RdbReader): i32 {
  let p = step(r, r.p);
  const added = lenValue;
  p = step(r, p);
  if (!p) return unitStop;
  r.n0 = added;
  r.n1 = lenValue;
  r.part = AT_END;
  commit(r, p);
  return REC_STREAM_IDMP_END;
}
