/**
 * A blob: a length-prefixed run of bytes in one allocation, for names, long strings and copies of
 * arguments.
 *
 *   +0 u32 len
 *   +4 bytes; what the block has beyond them is room to grow
 */
import { alloc, allocUrgent, realloc, usableSize } from './alloc';

export const BLOB_HEADER: usize = 4;

/** A copy of the bytes; 0 when memory ran out. The caller frees it. May grow memory. */
export function blobNew(ptr: usize, len: u32): usize {
  const blob = blobAlloc(len);
  if (blob != 0) memory.copy(blob + BLOB_HEADER, ptr, len);
  return blob;
}

/** The same of at most some KiB for what must not fail in a full core (`allocUrgent`). */
export function blobUrgent(ptr: usize, len: u32): usize {
  const blob = allocUrgent(<usize>len + BLOB_HEADER);
  if (blob == 0) return 0;
  store<u32>(blob, len);
  memory.copy(blob + BLOB_HEADER, ptr, len);
  return blob;
}

/** A blob whose bytes the caller fills; 0 when memory ran out. */
export function blobAlloc(len: u32): usize {
  if (<u64>len + BLOB_HEADER > u32.MAX_VALUE) return 0;
  const blob = alloc(<usize>len + BLOB_HEADER);
  if (blob != 0) store<u32>(blob, len);
  return blob;
}

// @ts-ignore: decorator
@inline export function blobPtr(blob: usize): usize {
  return blob + BLOB_HEADER;
}

// @ts-ignore: decorator
@inline export function blobLen(blob: usize): u32 {
  return load<u32>(blob);
}

/** Bytes it can hold without moving. */
export function blobCap(blob: usize): usize {
  return usableSize(blob) - BLOB_HEADER;
}

/**
 * Sets the length, moving the blob if it must; new bytes are zero. With `greedy` a growing blob
 * gets room for more (as sds does: double up to 1 MiB, then 1 MiB). Returns the blob, or 0 when
 * memory ran out and the old one is unchanged.
 */
export function blobResize(blob: usize, len: u32, greedy: bool): usize {
  const old = blobLen(blob);
  if (len > <u32>blobCap(blob)) {
    let want: u64 = <u64>len + BLOB_HEADER;
    if (greedy) want += len < 1 << 20 ? len : 1 << 20;
    if (want > u32.MAX_VALUE) want = <u64>len + BLOB_HEADER;
    if (want > u32.MAX_VALUE) return 0;
    const moved = realloc(blob, <usize>want);
    if (moved == 0) return 0;
    blob = moved;
  }
  if (len > old) memory.fill(blob + BLOB_HEADER + old, 0, len - old);
  store<u32>(blob, len);
  return blob;
}
