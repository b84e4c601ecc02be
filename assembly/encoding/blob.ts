// Owned byte blobs: the growth policy and the byte helpers shared by listpack and intset.
//
// A blob is one allocation whose used size its own header knows. The allocation may be larger (its
// usable size), and that slack is what makes appends cheap: memory is asked for only when the blob
// outgrows the block. Slack is never part of what is saved or sent.

import { realloc, usableSize } from '../base/alloc';

/** Growth asks for an eighth more than needed, but never for more than this on top. */
const SLACK_MAX: u32 = 2048;

/** A block is cut down when less than half of it is used and at least this much would come back. */
const TRIM_MIN: usize = 128;

/**
 * Makes the block at `ptr` hold `size` bytes. Returns the address of the block (moved or not), or 0
 * when memory is out: then the old block is valid and unchanged. May grow memory.
 */
export function blobGrow(ptr: usize, size: u32): usize {
  if (<usize>size <= usableSize(ptr)) return ptr;
  let slack = size >> 3;
  if (slack > SLACK_MAX) slack = SLACK_MAX;
  if (size <= u32.MAX_VALUE - slack) {
    const roomy = realloc(ptr, size + slack);
    if (roomy != 0) return roomy;
  }
  return realloc(ptr, size);
}

/** Gives memory back after a blob shrank to `size` bytes, if worth it. Never fails. */
export function blobTrim(ptr: usize, size: u32): usize {
  const usable = usableSize(ptr);
  if (usable >> 1 < <usize>size || usable - size < TRIM_MIN) return ptr;
  return blobFit(ptr, size);
}

/** Cuts the block down to `size` bytes where the allocator can. Never fails. */
export function blobFit(ptr: usize, size: u32): usize {
  if (usableSize(ptr) <= <usize>size) return ptr;
  const cut = realloc(ptr, size);
  return cut != 0 ? cut : ptr;
}

/** True if the `len` bytes at `a` and `b` are equal. */
export function bytesSame(a: usize, b: usize, len: u32): bool {
  while (len >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    len -= 8;
  }
  if (len >= 4) {
    if (load<u32>(a) != load<u32>(b)) return false;
    a += 4;
    b += 4;
    len -= 4;
  }
  while (len != 0) {
    if (load<u8>(a) != load<u8>(b)) return false;
    a++;
    b++;
    len--;
  }
  return true;
}

/**
 * Copies `len` bytes between ranges that do not overlap. Short copies are done inline: a bulk
 * memory.copy costs more than the few loads and stores of a typical element.
 */
export function bytesCopy(dst: usize, src: usize, len: u32): void {
  if (len > 64) {
    memory.copy(dst, src, len);
    return;
  }
  while (len >= 8) {
    store<u64>(dst, load<u64>(src));
    dst += 8;
    src += 8;
    len -= 8;
  }
  if (len >= 4) {
    store<u32>(dst, load<u32>(src));
    dst += 4;
    src += 4;
    len -= 4;
  }
  while (len != 0) {
    store<u8>(dst, load<u8>(src));
    dst++;
    src++;
    len--;
  }
}
