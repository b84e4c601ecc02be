/**
 * Sizes inside a container, without its elements: what facts are made of where nobody asks for the
 * elements themselves. Integers count as their decimal text. The same damage is found as by a walk
 * (rdb/values.ts), but for scores, which are not parsed.
 *
 * Elements come in groups: one of a list or set; member and score; field, value (and expiry).
 */
import { llChars } from '../base/numbers/integers';
import { BLOB_INTSET, BLOB_LISTPACK } from '../rdb/opcodes';
import {
  BlobWalk, STREAM_FLAG_DELETED, StreamWalk, checkBacklen, streamField, streamNext, walkNext,
  walkOpen,
} from '../rdb/values';
import { listpackEntry } from './estimate';

// ---- the result
/** Groups. */
export let measuredCount: u64 = 0;
/** Bytes of all elements; of the largest group; of the longest single string. */
export let measuredPayload: u64 = 0;
export let measuredLargest: u64 = 0;
export let measuredLongest: u64 = 0;
/** Groups with an expiry of their own. */
export let measuredExpiring: u64 = 0;
/** Bytes as a listpack. */
export let measuredPacked: u64 = 0;

export const GROUP_PLAIN: u32 = 1;
export const GROUP_SCORED: u32 = 2;
export const GROUP_PAIR: u32 = 3;
export const GROUP_TRIPLE: u32 = 4;

/** Measures the `kind` (BLOB_*) at [ptr, ptr + len). False when it is damaged. */
export function measureBlob(w: BlobWalk, kind: u32, group: u32, ptr: usize, len: usize): bool {
  measuredCount = 0;
  measuredPayload = 0;
  measuredLargest = 0;
  measuredLongest = 0;
  measuredExpiring = 0;
  measuredPacked = len;
  if (!walkOpen(w, kind, ptr, len)) return false;
  if (kind == BLOB_LISTPACK) return measureListpack(w, group);
  if (kind == BLOB_INTSET) return measureIntset(w);
  return measureWalk(w, group);
}

/** Text length of a listpack's entry in the low half, bytes to the next entry in the high one. */
// @ts-ignore: decorator
@inline
function entrySizes(at: usize, end: usize): u64 {
  const b: u32 = load<u8>(at);
  if (b < 0x80) {
    if (load<u8>(at, 1) != 1) return 0;
    return (<u64>2 << 32) | (b < 10 ? 1 : b < 100 ? 2 : 3);
  }
  if (b < 0xc0) {
    const n = <usize>b & 0x3f;
    if (end - at < n + 2 || load<u8>(at + n, 1) != n + 1) return 0;
    return (<u64>(n + 2) << 32) | n;
  }
  return entrySizesLong(at, end, b);
}

function entrySizesLong(at: usize, end: usize, b: u32): u64 {
  const room = end - at;
  let size: usize;
  let text: u64;
  if (b < 0xe0) {
    if (room < 3) return 0;
    const u = ((b & 0x1f) << 8) | <u32>load<u8>(at, 1);
    text = llChars(u >= 4096 ? <i64>u - 8192 : <i64>u);
    size = 2;
  } else if (b < 0xf0) {
    if (room < 3) return 0;
    text = ((b & 0x0f) << 8) | <u32>load<u8>(at, 1);
    size = 2 + <usize>text;
  } else if (b == 0xf0) {
    if (room < 6) return 0;
    text = load<u32>(at, 1);
    if (text > room) return 0;
    size = 5 + <usize>text;
  } else {
    const bytes: usize = b == 0xf4 ? 8 : b - 0xef;
    if (b > 0xf4 || room < bytes + 2) return 0;
    let value = load<u32>(at, 1) << (32 - (<u32>bytes << 3));
    if (bytes == 8) text = llChars(load<i64>(at, 1));
    else text = llChars(<i64>(<i32>value >> <i32>(32 - (<u32>bytes << 3))));
    size = bytes + 1;
  }
  if (size > room) return 0;
  const back = checkBacklen(at + size, end, size);
  return back == 0 ? 0 : (<u64>(size + back) << 32) | text;
}

function measureListpack(w: BlobWalk, group: u32): bool {
  let at = w.at;
  const end = w.end;
  let count: u64 = 0;
  let index: u32 = 0;
  let payload: u64 = 0;
  let largest: u64 = 0;
  let longest: u64 = 0;
  while (at < end) {
    let sizes = entrySizes(at, end);
    if (sizes == 0) return false;
    at += <usize>(sizes >> 32);
    let text = sizes & 0xffffffff;
    if (text > longest) longest = text;
    index++;
    if (group != GROUP_PLAIN) {
      if (at >= end) return false;
      sizes = entrySizes(at, end);
      if (sizes == 0) return false;
      at += <usize>(sizes >> 32);
      index++;
      if (group != GROUP_SCORED) {
        const second = sizes & 0xffffffff;
        if (second > longest) longest = second;
        text += second;
        if (group == GROUP_TRIPLE) {
          if (at >= end) return false;
          if (load<u16>(at) != 0x0100) measuredExpiring++;
          sizes = entrySizes(at, end);
          if (sizes == 0) return false;
          at += <usize>(sizes >> 32);
          index++;
        }
      }
    }
    count++;
    payload += text;
    if (text > largest) largest = text;
  }
  if (at != end) return false;
  measuredCount = count;
  measuredPayload = payload;
  measuredLargest = largest;
  measuredLongest = longest;
  return w.count == u32.MAX_VALUE || w.count == index;
}

function measureIntset(w: BlobWalk): bool {
  const width = w.aux;
  for (let at = w.at; at < w.end; at += width) {
    let value: i64;
    if (width == 2) value = load<i16>(at);
    else if (width == 4) value = load<i32>(at);
    else value = load<i64>(at);
    const text: u64 = llChars(value);
    measuredPayload += text;
    if (text > measuredLargest) measuredLargest = text;
  }
  measuredLongest = measuredLargest;
  measuredCount = w.count;
  return true;
}

/** The older containers, which become listpacks when they are loaded. */
function measureWalk(w: BlobWalk, group: u32): bool {
  measuredPacked = 7;
  while (true) {
    const got = walkNext(w);
    if (got <= 0) return got == 0;
    let text: u64 = w.len;
    measuredPacked += listpackEntry(text, w.isInt, w.int);
    if (text > measuredLongest) measuredLongest = text;
    if (group != GROUP_PLAIN) {
      if (walkNext(w) != 1) return false;
      measuredPacked += listpackEntry(w.len, w.isInt, w.int);
      if (group == GROUP_PAIR) {
        if (<u64>w.len > measuredLongest) measuredLongest = w.len;
        text += w.len;
      }
    }
    measuredCount++;
    measuredPayload += text;
    if (text > measuredLargest) measuredLargest = text;
  }
}

/** Measures the stream node that was opened: live entries, and fields as elements of them. */
export function measureStream(s: StreamWalk): bool {
  measuredCount = 0;
  measuredPayload = 0;
  measuredLargest = 0;
  while (true) {
    const got = streamNext(s);
    if (got <= 0) return got == 0;
    if (s.flags & STREAM_FLAG_DELETED) continue;
    measuredCount++;
    while (s.left) {
      if (streamField(s) != 1) return false;
      const bytes = <u64>s.fieldLen + s.valueLen;
      measuredPayload += bytes;
      if (bytes > measuredLargest) measuredLargest = bytes;
    }
  }
}
