/**
 * A list of named records in the byte order of their names: the groups of a stream, the consumers
 * of a group. The order is that of Redis' radix tree, so it is the order of DUMP and XINFO.
 *
 *   names (12 bytes, part of its owner): +0 u32 array, +4 u32 count, +8 u32 cap
 *   array: cap × u32 record; a record begins with the u32 address of a blob, its name
 *
 * A sorted array: found by bisection; an insertion moves 4 bytes for each name behind. Groups and
 * consumers are few (thousands cost microseconds).
 */
import { alloc, free, realloc } from '../base/alloc';
import { BLOB_HEADER, blobLen, blobPtr } from '../base/blob';
import { bytesCompare } from '../base/bytes';

const OFF_COUNT: usize = 4;
const OFF_CAP: usize = 8;
const CAP_FIRST: u32 = 2;

/** Where `namesFind` found the name, or where it belongs. */
export let namesIndex: u32 = 0;

// @ts-ignore: decorator
@inline export function namesCount(names: usize): u32 {
  return load<u32>(names, OFF_COUNT);
}

/** The record at an index below the count. */
// @ts-ignore: decorator
@inline export function namesAt(names: usize, index: u32): usize {
  return load<u32>(<usize>load<u32>(names) + (<usize>index << 2));
}

/** The record with this name, 0 = none; sets `namesIndex`. O(log n). */
export function namesFind(names: usize, ptr: usize, len: u32): usize {
  let low: u32 = 0;
  let high = namesCount(names);
  while (low < high) {
    const mid = (low + high) >>> 1;
    const record = namesAt(names, mid);
    const name: usize = load<u32>(record);
    const order = bytesCompare(blobPtr(name), blobLen(name), ptr, len);
    if (order == 0) {
      namesIndex = mid;
      return record;
    }
    if (order < 0) low = mid + 1;
    else high = mid;
  }
  namesIndex = low;
  return 0;
}

/**
 * Makes room for one more, so that the next `namesPut` cannot fail. False when memory ran out. May
 * grow memory.
 */
export function namesReserve(names: usize): bool {
  const n = namesCount(names);
  const cap = load<u32>(names, OFF_CAP);
  if (n < cap) return true;
  const more = cap == 0 ? CAP_FIRST : cap * 2;
  if (more > 1 << 28) return false;
  const moved = realloc(load<u32>(names), <usize>more << 2);
  if (moved == 0) return false;
  store<u32>(names, <u32>moved);
  store<u32>(names, more, OFF_CAP);
  return true;
}

/** Puts a record at `namesIndex` of a failed find; there must be room (`namesReserve`). */
export function namesPut(names: usize, record: usize): void {
  const n = namesCount(names);
  const at = <usize>load<u32>(names) + (<usize>namesIndex << 2);
  memory.copy(at + 4, at, <usize>(n - namesIndex) << 2);
  store<u32>(at, <u32>record);
  store<u32>(names, n + 1, OFF_COUNT);
}

/** Takes the record at an index off the list, without freeing it. */
export function namesRemove(names: usize, index: u32): void {
  const n = namesCount(names) - 1;
  const at = <usize>load<u32>(names) + (<usize>index << 2);
  memory.copy(at, at + 4, <usize>(n - index) << 2);
  store<u32>(names, n, OFF_COUNT);
  if (n == 0) namesFree(names);
}

/** Frees the array (not the records). */
export function namesFree(names: usize): void {
  free(load<u32>(names));
  store<u32>(names, 0);
  store<u64>(names, 0, OFF_COUNT);
}

/**
 * A zeroed record of `size` bytes with a copy of its name; 0 when memory ran out. Freed by
 * `recordFree`.
 */
export function recordNew(size: usize, ptr: usize, len: u32): usize {
  const record = alloc(size);
  if (record == 0) return 0;
  memory.fill(record, 0, size);
  const blob = alloc(BLOB_HEADER + <usize>len);
  if (blob == 0) {
    free(record);
    return 0;
  }
  store<u32>(blob, len);
  memory.copy(blobPtr(blob), ptr, len);
  store<u32>(record, <u32>blob);
  return record;
}

/** Frees a record and its name; what else it owns is gone already. */
export function recordFree(record: usize): void {
  free(load<u32>(record));
  free(record);
}
