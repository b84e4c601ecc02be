/**
 * State of idempotent producers (Redis 8.6): kept as it came so that it can be written back.
 *
 * What it is: a record of a list that the RDB types 26 and 27 carry. What it is not: the feature;
 * nothing here answers XADD … IDMP.
 *
 *   idmp: a blob of (u32 length, then)
 *   u64 duration s, u64 entries max, u64 iids added, u64 iids duplicates, u32 producers,
 *   u32 offset of the last producer's count of iids, then
 *   per producer: u32 length, name, u32 iids; per iid: u32 length, iid, u64 ms, u64 seq
 */
import { alloc, free, realloc, usableSize } from '../base/alloc';
import { STREAM_OK, STREAM_OOM, streamIdmp, streamSetIdmp } from './stream-layout';

/** Where the list of producers begins in the block. */
export const IDMP_HEADER: usize = 44;
const OFF_PRODUCERS: usize = 36;
const OFF_LAST: usize = 40;

/** Begins: STREAM_OK or STREAM_OOM. May grow memory. */
export function idmpBegin(s: usize, durationSec: u64, entriesMax: u64): i32 {
  const idmp = alloc(128);
  if (idmp == 0) return STREAM_OOM;
  memory.fill(idmp, 0, IDMP_HEADER);
  store<u32>(idmp, IDMP_HEADER);
  store<u64>(idmp, durationSec, 4);
  store<u64>(idmp, entriesMax, 12);
  free(streamIdmp(s));
  streamSetIdmp(s, idmp);
  return STREAM_OK;
}

/** Makes room for `bytes` more and returns where they go; 0 when memory ran out. */
function room(s: usize, bytes: u64): usize {
  let idmp = streamIdmp(s);
  const len = load<u32>(idmp);
  const want = <u64>len + bytes;
  if (want > usableSize(idmp)) {
    if (want * 2 > u32.MAX_VALUE) return 0;
    idmp = realloc(idmp, <usize>want * 2);
    if (idmp == 0) return 0;
    streamSetIdmp(s, idmp);
  }
  store<u32>(idmp, <u32>want);
  return idmp + len;
}

/** A producer, its iids follow: STREAM_OK or STREAM_OOM. May grow memory. */
export function idmpProducer(s: usize, ptr: usize, len: u32): i32 {
  const at = room(s, <u64>len + 8);
  if (at == 0) return STREAM_OOM;
  store<u32>(at, len);
  memory.copy(at + 4, ptr, len);
  store<u32>(at + 4 + len, 0);
  const idmp = streamIdmp(s);
  store<u32>(idmp, <u32>(at + 4 + len - idmp), OFF_LAST);
  store<u32>(idmp, load<u32>(idmp, OFF_PRODUCERS) + 1, OFF_PRODUCERS);
  return STREAM_OK;
}

/** An iid of the last producer and the entry it made: STREAM_OK or STREAM_OOM. May grow memory. */
export function idmpIid(s: usize, ptr: usize, len: u32, ms: u64, seq: u64): i32 {
  const at = room(s, <u64>len + 20);
  if (at == 0) return STREAM_OOM;
  store<u32>(at, len);
  memory.copy(at + 4, ptr, len);
  store<u64>(at + 4 + len, ms);
  store<u64>(at + 12 + len, seq);
  const count = streamIdmp(s) + load<u32>(streamIdmp(s), OFF_LAST);
  store<u32>(count, load<u32>(count) + 1);
  return STREAM_OK;
}

/** The counters at the end. */
export function idmpEnd(s: usize, added: u64, duplicates: u64): void {
  store<u64>(streamIdmp(s), added, 20);
  store<u64>(streamIdmp(s), duplicates, 28);
}

// @ts-ignore: decorator
@inline export function idmpDuration(idmp: usize): u64 {
  return load<u64>(idmp, 4);
}

// @ts-ignore: decorator
@inline export function idmpEntriesMax(idmp: usize): u64 {
  return load<u64>(idmp, 12);
}

// @ts-ignore: decorator
@inline export function idmpAdded(idmp: usize): u64 {
  return load<u64>(idmp, 20);
}

// @ts-ignore: decorator
@inline export function idmpDuplicates(idmp: usize): u64 {
  return load<u64>(idmp, 28);
}

// @ts-ignore: decorator
@inline export function idmpProducers(idmp: usize): u32 {
  return load<u32>(idmp, OFF_PRODUCERS);
}

/** A copy of the record; 0 when memory ran out. May grow memory. */
export function idmpDup(idmp: usize): usize {
  const len = load<u32>(idmp);
  const copy = alloc(len);
  if (copy != 0) memory.copy(copy, idmp, len);
  return copy;
}
