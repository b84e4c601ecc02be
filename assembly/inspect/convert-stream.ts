/**
 * Streams for older servers: the same nodes, and of groups and consumers what the older type holds.
 * Layouts: RDB.md section 5; what the records mean: rdb/streams.ts.
 *
 * Entries are not touched. Before type 27 a pending entry without an owner has no place: servers
 * refuse a file where an entry of a group belongs to nobody. Which these are stands behind the
 * consumers, so of a group of type 27 the pending entries (32 bytes each) and the consumers are
 * kept until it is whole.
 */
import { alloc, free, realloc } from '../base/alloc';
import { sort32 } from '../base/sort';
import { RdbReader } from '../rdb/input';
import {
  REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL, REC_STREAM_GROUP, REC_STREAM_IDMP,
  REC_STREAM_IDMP_END, REC_STREAM_IDMP_ENTRY, REC_STREAM_IDMP_PRODUCER, REC_STREAM_META,
  REC_STREAM_NACK, REC_STREAM_NODE, REC_STREAM_PEL, TYPE_STREAM, TYPE_STREAM_3, TYPE_STREAM_4,
  TYPE_STREAM_5,
} from '../rdb/opcodes';
import {
  LOSS_ACTIVE_TIME, LOSS_IDEMPOTENCE, LOSS_STREAM_OFFSETS, LOSS_UNOWNED, lossNote,
} from './convert-loss';
import {
  partHold, partIsHeld, partMark, partPlace, partRelease, partTakeBack, putBytes, putDone, putRoom,
} from './convert-parts';
import { putByte, putLength, putSlot, putString, putU64 } from './convert-put';
import { outFail } from './out';

let asType: u32 = TYPE_STREAM;
/** The current group: open, its number of consumers written. */
let inGroup: bool = false;
let hasConsumers: bool = false;
/** Pending entries wait for those without an owner; the part was held before. */
let waits: bool = false;
let wasHeld: bool = false;
/** Where in the part the group's pending entries go. */
let pendingMark: usize = 0;
/** Kept entries: id, time, deliveries as four u64; ids without owner: two u64. */
let pending: usize = 0;
let pendingLen: usize = 0;
let pendingCap: usize = 0;
let unowned: usize = 0;
let unownedLen: usize = 0;
let unownedCap: usize = 0;

/** The head of a value of that type with so many nodes was written up to its count. */
export function streamBegin(type: u32, nodes: u64): void {
  asType = type;
  inGroup = false;
  putLength(nodes);
}

/** Any record of the stream. */
export function streamRecord(r: RdbReader, kind: i32): void {
  switch (kind) {
    case REC_STREAM_NODE:
      putByte(16);
      putId(r.n0, r.n1);
      putString(r.b.ptr, r.b.len, r.b.form);
      break;
    case REC_STREAM_META:
      meta(r);
      break;
    case REC_STREAM_GROUP:
      group(r);
      break;
    case REC_STREAM_PEL:
      if (waits) keepPending(r);
      else putPending(r.n0, r.n1, r.n2, r.n3);
      break;
    case REC_STREAM_CONSUMER:
      consumer(r);
      break;
    case REC_STREAM_CONSUMER_PEL:
      putId(r.n0, r.n1);
      break;
    case REC_STREAM_NACK:
      keepUnowned(r);
      break;
    default:
      endGroup();
      producers(r, kind);
  }
}

/** The value is whole. */
export function streamEnd(): void {
  endGroup();
}

/** The value was given up. */
export function streamDrop(): void {
  if (inGroup && waits && !wasHeld) partRelease();
  inGroup = false;
}

/** 16 bytes, as ids stand in lists of pending entries. */
function putId(ms: u64, seq: u64): void {
  const at = putRoom(16);
  if (at == 0) return;
  store<u64>(at, bswap<u64>(ms));
  store<u64>(at, bswap<u64>(seq), 8);
  putDone(16);
}

function putPending(ms: u64, seq: u64, time: u64, deliveries: u64): void {
  putId(ms, seq);
  putU64(time);
  putLength(deliveries);
}

function meta(r: RdbReader): void {
  putLength(r.n0);
  putLength(r.n1);
  putLength(r.n2);
  if (asType == TYPE_STREAM) {
    if (r.n7 != r.n0 || (r.n5 | r.n6) != 0) lossNote(LOSS_STREAM_OFFSETS, 1);
  } else {
    putLength(r.n3);
    putLength(r.n4);
    putLength(r.n5);
    putLength(r.n6);
    putLength(r.n7);
  }
  putLength(r.count);
}

function group(r: RdbReader): void {
  endGroup();
  inGroup = true;
  hasConsumers = false;
  putSlot(r.a);
  putLength(r.n0);
  putLength(r.n1);
  if (asType != TYPE_STREAM) putLength(r.n2);
  else if (r.n2 != u64.MAX_VALUE) lossNote(LOSS_STREAM_OFFSETS, 1);
  waits = r.type == TYPE_STREAM_5 && asType != TYPE_STREAM_5 && r.count != 0;
  if (!waits) {
    putLength(r.count);
    return;
  }
  wasHeld = partIsHeld();
  partHold();
  pendingMark = partMark();
  pendingLen = 0;
  unownedLen = 0;
}

function consumer(r: RdbReader): void {
  // the reader counts down: this one is taken already
  if (!hasConsumers) putLength(r.n7 + 1);
  hasConsumers = true;
  putSlot(r.a);
  putU64(r.n0);
  if (asType >= TYPE_STREAM_3) putU64(r.n1);
  else if (r.type >= TYPE_STREAM_3) lossNote(LOSS_ACTIVE_TIME, 1);
  putLength(r.count);
}

function endGroup(): void {
  if (!inGroup) return;
  inGroup = false;
  if (!hasConsumers) putLength(0);
  if (!waits) return;
  mergePending();
  if (!wasHeld) partRelease();
}

function producers(r: RdbReader, kind: i32): void {
  if (asType < TYPE_STREAM_4) {
    if (kind == REC_STREAM_IDMP) lossNote(LOSS_IDEMPOTENCE, r.count);
    return;
  }
  switch (kind) {
    case REC_STREAM_IDMP:
      putLength(r.n0);
      putLength(r.n1);
      putLength(r.count);
      break;
    case REC_STREAM_IDMP_PRODUCER:
      putSlot(r.a);
      putLength(r.count);
      break;
    case REC_STREAM_IDMP_ENTRY:
      putSlot(r.a);
      putLength(r.n0);
      putLength(r.n1);
      break;
    case REC_STREAM_IDMP_END:
      putLength(r.n0);
      putLength(r.n1);
      break;
  }
}

// ---- entries without an owner

/** Larger by half at least; 0: no memory. */
function grown(block: usize, cap: usize): usize {
  return block == 0 ? alloc(cap) : realloc(block, cap);
}

function keepPending(r: RdbReader): void {
  if (pendingLen + 32 > pendingCap) {
    const cap = max(pendingCap + (pendingCap >> 1), 4096);
    const block = grown(pending, cap);
    if (block == 0) {
      outFail();
      return;
    }
    pending = block;
    pendingCap = cap;
  }
  const at = pending + pendingLen;
  store<u64>(at, r.n0);
  store<u64>(at, r.n1, 8);
  store<u64>(at, r.n2, 16);
  store<u64>(at, r.n3, 24);
  pendingLen += 32;
}

function keepUnowned(r: RdbReader): void {
  // a group without pending entries has none without an owner, whatever the file says
  if (!waits) return;
  if (unownedLen + 16 > unownedCap) {
    const cap = max(unownedCap + (unownedCap >> 1), 4096);
    const block = grown(unowned, cap);
    if (block == 0) {
      outFail();
      return;
    }
    unowned = block;
    unownedCap = cap;
  }
  store<u64>(unowned + unownedLen, r.n0);
  store<u64>(unowned + unownedLen, r.n1, 8);
  unownedLen += 16;
}

function compareId(aMs: u64, aSeq: u64, bMs: u64, bSeq: u64): i32 {
  if (aMs != bMs) return aMs < bMs ? -1 : 1;
  return aSeq == bSeq ? 0 : aSeq < bSeq ? -1 : 1;
}

function compareAt(a: u32, b: u32): i32 {
  return compareId(load<u64>(a), load<u64>(a, 8), load<u64>(b), load<u64>(b, 8));
}

/** Writes the kept entries that have an owner in front of the consumers. */
function mergePending(): void {
  const ids = <u32>(unownedLen >> 4);
  const order: usize = alloc(<usize>ids * 4 + 4);
  const tailLen = partMark() - pendingMark;
  const tail: usize = alloc(tailLen + 1);
  if (order == 0 || tail == 0) {
    free(order);
    free(tail);
    outFail();
    return;
  }
  for (let i: u32 = 0; i < ids; i++) store<u32>(order + <usize>i * 4, <u32>(unowned + i * 16));
  sort32(order, ids, compareAt.index);
  memory.copy(tail, partPlace(pendingMark), tailLen);
  partTakeBack(pendingMark);
  let dropped: u64 = 0;
  for (let at = pending; at < pending + pendingLen; at += 32) {
    if (hasId(order, ids, at)) dropped++;
  }
  lossNote(LOSS_UNOWNED, dropped);
  putLength(<u64>(pendingLen >> 5) - dropped);
  for (let at = pending; at < pending + pendingLen; at += 32) {
    if (hasId(order, ids, at)) continue;
    putPending(load<u64>(at), load<u64>(at, 8), load<u64>(at, 16), load<u64>(at, 24));
  }
  putBytes(tail, tailLen);
  free(order);
  free(tail);
}

function hasId(order: usize, count: u32, id: usize): bool {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const mid = (low + high) >> 1;
    const c = compareAt(load<u32>(order + <usize>mid * 4), <u32>id);
    if (c == 0) return true;
    if (c < 0) low = mid + 1;
    else high = mid;
  }
  return false;
}
