/*
 * Walkers that turn a BLOB or a STREAM_NODE of the reader into its elements, for consumers that
 * want elements (inspector, exporters, tests). Every byte is checked as the walk reaches it: no
 * validation pass first, and no input makes a walk leave its blob. A damaged blob gives what stands
 * before the damage and then -1.
 *
 * Not here: building or changing containers, and the validate-then-trust walk of the loader
 * (encoding/). Sources: RDB.md "listpack", "ziplist", types 9 and 11, section 5; the limits of a
 * listpack's back length were measured on redis-server 7.0.15 (16383 takes three bytes, not two).
 *
 *   listpack  u32 bytes | u16 count | (encoding+data, backlen)* | FF
 *   ziplist   u32 bytes | u32 tail | u16 count | (prevlen, encoding+data)* | FF
 *   intset    u32 width | u32 count | count * width bytes, little-endian
 *   zipmap    u8 count | (len field, len free value, free bytes)* | FF   len: u8 < 254, or 254+u32
 */
import { INT_CHARS_MAX, ll2string } from '../base/numbers/integers';
import { BLOB_INTSET, BLOB_LISTPACK, BLOB_ZIPLIST, BLOB_ZIPMAP } from './opcodes';

/** 16-bit counts of this value mean: walk to know. */
const COUNT_UNKNOWN: u32 = 0xffff;

/** A walk over one blob. Plain memory: copy it (walkCopy) to remember a place. */
@unmanaged
export class BlobWalk {
  /** The current element; integers as their decimal text inside this object. */
  ptr: usize;
  len: usize;
  isInt: bool;
  /** The number, valid if isInt. */
  int: i64;
  /** Elements delivered. */
  index: u32;
  /** Elements the blob declares, 0xffffffff if it does not tell (zipmap: none). */
  count: u32;
  kind: u32;
  /** Next byte, and the closing FF (intset: the end). */
  at: usize;
  end: usize;
  /** Ziplist: bytes of the entry before. Zipmap: 1 when a value is next. Intset: width. */
  aux: usize;
  // INT_CHARS_MAX bytes of text follow
}

/** Bytes a BlobWalk takes. */
// @ts-ignore: decorator
@inline
export const WALK_SIZE: usize = (offsetof<BlobWalk>() + INT_CHARS_MAX + 7) & ~7;

/** Begin to walk the `kind` (BLOB_*) at [ptr, ptr + len). False when its frame is damaged. */
export function walkOpen(w: BlobWalk, kind: u32, ptr: usize, len: usize): bool {
  w.kind = kind;
  w.ptr = 0;
  w.len = 0;
  w.isInt = false;
  w.index = 0;
  w.aux = 0;
  w.count = u32.MAX_VALUE;
  if (kind == BLOB_INTSET) return openIntset(w, ptr, len);
  const head: usize = kind == BLOB_LISTPACK ? 6 : kind == BLOB_ZIPLIST ? 10 : 1;
  if (len < head + 1 || load<u8>(ptr + len - 1) != 0xff) return false;
  w.at = ptr + head;
  w.end = ptr + len - 1;
  if (kind == BLOB_ZIPMAP) return true;
  if (<usize>load<u32>(ptr) != len) return false;
  const count: u32 = load<u16>(ptr + head - 2);
  if (count != COUNT_UNKNOWN) w.count = count;
  return kind == BLOB_LISTPACK || kind == BLOB_ZIPLIST;
}

function openIntset(w: BlobWalk, ptr: usize, len: usize): bool {
  if (len < 8) return false;
  const width = load<u32>(ptr);
  const count = load<u32>(ptr, 4);
  if (width != 2 && width != 4 && width != 8) return false;
  if (<u64>count * width + 8 != <u64>len) return false;
  w.count = count;
  w.aux = width;
  w.at = ptr + 8;
  w.end = ptr + len;
  return true;
}

/**
 * Step to the next element: 1 with ptr, len (and isInt, int) set, 0 at the proper end, -1 when the
 * blob is damaged here. The element is valid while the blob is and until the next step.
 */
export function walkNext(w: BlobWalk): i32 {
  if (w.at == w.end) {
    if (w.kind == BLOB_ZIPMAP) return w.aux ? -1 : 0;
    return w.count == u32.MAX_VALUE || w.count == w.index ? 0 : -1;
  }
  w.isInt = false;
  let isGood: bool;
  if (w.kind == BLOB_LISTPACK) isGood = nextListpack(w);
  else if (w.kind == BLOB_ZIPLIST) isGood = nextZiplist(w);
  else if (w.kind == BLOB_INTSET) isGood = nextIntset(w);
  else isGood = nextZipmap(w);
  if (!isGood) return -1;
  w.index++;
  return 1;
}

/** Make `to` stand where `from` stands. */
export function walkCopy(to: BlobWalk, from: BlobWalk): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), WALK_SIZE);
}

function setInt(w: BlobWalk, value: i64): void {
  w.isInt = true;
  w.int = value;
  w.ptr = changetype<usize>(w) + offsetof<BlobWalk>();
  w.len = ll2string(value, w.ptr);
}

function nextIntset(w: BlobWalk): bool {
  const width = w.aux;
  let value: i64;
  if (width == 2) value = load<i16>(w.at);
  else if (width == 4) value = load<i32>(w.at);
  else value = load<i64>(w.at);
  setInt(w, value);
  w.at += width;
  return true;
}

// ---- listpack

function nextListpack(w: BlobWalk): bool {
  const at = w.at;
  const room = w.end - at;
  const b: u32 = load<u8>(at);
  let size: usize = 1;
  if (b < 0x80) {
    setInt(w, b);
  } else if (b < 0xc0) {
    size = setString(w, at, 1, b & 0x3f, room);
  } else if (b < 0xe0) {
    if (room < 2) return false;
    const u = ((b & 0x1f) << 8) | <u32>load<u8>(at, 1);
    setInt(w, u >= 4096 ? <i64>u - 8192 : <i64>u);
    size = 2;
  } else if (b < 0xf0) {
    if (room < 2) return false;
    size = setString(w, at, 2, ((b & 0x0f) << 8) | <u32>load<u8>(at, 1), room);
  } else if (b == 0xf0) {
    if (room < 5) return false;
    size = setString(w, at, 5, load<u32>(at, 1), room);
  } else {
    size = listpackInt(w, at, b, room);
  }
  if (!size) return false;
  const back = checkBacklen(at + size, w.end, size);
  if (!back) return false;
  w.at = at + size + back;
  return true;
}

/** The string of `len` bytes behind a head of `head`. Returns both sizes, 0 if there is no room. */
function setString(w: BlobWalk, at: usize, head: usize, len: usize, room: usize): usize {
  if (len > room - head) return 0;
  w.ptr = at + head;
  w.len = len;
  return head + len;
}

/** F1 i16, F2 i24, F3 i32, F4 i64. Returns the entry's size, 0 if damaged. */
function listpackInt(w: BlobWalk, at: usize, b: u32, room: usize): usize {
  if (b > 0xf4) return 0;
  const bytes: usize = b == 0xf4 ? 8 : b - 0xef;
  if (room < bytes + 1) return 0;
  if (b == 0xf1) setInt(w, load<i16>(at, 1));
  else if (b == 0xf2) setInt(w, load24(at + 1));
  else if (b == 0xf3) setInt(w, load<i32>(at, 1));
  else setInt(w, load<i64>(at, 1));
  return bytes + 1;
}

function load24(at: usize): i64 {
  return <i64>((<i32>load<u16>(at) | (<i32>load<i8>(at, 2) << 16)));
}

/** Bytes of a right back length for an entry of `size` bytes at `at`, 0 if it is another. */
export function checkBacklen(at: usize, end: usize, size: usize): usize {
  let bytes: usize = 5;
  if (size < 128) bytes = 1;
  else if (size < 16383) bytes = 2;
  else if (size < 2097151) bytes = 3;
  else if (size < 268435455) bytes = 4;
  if (end - at < bytes) return 0;
  let value: u64 = load<u8>(at);
  if (value > 127) return 0;
  for (let i: usize = 1; i < bytes; i++) {
    const b: u64 = load<u8>(at + i);
    if (b < 128) return 0;
    value = (value << 7) | (b & 127);
  }
  return value == <u64>size ? bytes : 0;
}

// ---- ziplist

function nextZiplist(w: BlobWalk): bool {
  const start = w.at;
  let at = start;
  let previous: usize = load<u8>(at++);
  if (previous == 254) {
    if (w.end - at < 4) return false;
    previous = load<u32>(at);
    at += 4;
  } else if (previous == 255) {
    return false;
  }
  if (previous != w.aux || at >= w.end) return false;
  const room = w.end - at;
  const b: u32 = load<u8>(at);
  let size: usize = 0;
  if (b < 0x40) {
    size = setString(w, at, 1, b, room);
  } else if (b < 0x80) {
    if (room < 2) return false;
    size = setString(w, at, 2, ((b & 0x3f) << 8) | <u32>load<u8>(at, 1), room);
  } else if (b < 0xc0) {
    if (b != 0x80 || room < 5) return false;
    size = setString(w, at, 5, bswap<u32>(load<u32>(at, 1)), room);
  } else {
    size = ziplistInt(w, at, b, room);
  }
  if (!size) return false;
  w.at = at + size;
  w.aux = w.at - start;
  return true;
}

function ziplistInt(w: BlobWalk, at: usize, b: u32, room: usize): usize {
  if (b >= 0xf1 && b <= 0xfd) {
    setInt(w, b - 0xf1);
    return 1;
  }
  let bytes: usize = 0;
  if (b == 0xc0) bytes = 2;
  else if (b == 0xd0) bytes = 4;
  else if (b == 0xe0) bytes = 8;
  else if (b == 0xf0) bytes = 3;
  else if (b == 0xfe) bytes = 1;
  if (!bytes || room < bytes + 1) return 0;
  if (bytes == 1) setInt(w, load<i8>(at, 1));
  else if (bytes == 2) setInt(w, load<i16>(at, 1));
  else if (bytes == 3) setInt(w, load24(at + 1));
  else if (bytes == 4) setInt(w, load<i32>(at, 1));
  else setInt(w, load<i64>(at, 1));
  return bytes + 1;
}

// ---- zipmap

function nextZipmap(w: BlobWalk): bool {
  let at = w.at;
  let len: usize = load<u8>(at++);
  if (len == 254) {
    if (w.end - at < 4) return false;
    len = load<u32>(at);
    at += 4;
  } else if (len == 255) {
    return false;
  }
  let unused: usize = 0;
  if (w.aux) {
    if (at >= w.end) return false;
    unused = load<u8>(at++);
  }
  if (len > w.end - at || unused > w.end - at - len) return false;
  w.ptr = at;
  w.len = len;
  w.at = at + len + unused;
  w.aux ^= 1;
  return true;
}

// ---- stream nodes

/**
 * A walk over a stream node: entries, then the fields of each.
 *
 *   node listpack   count, deleted, n, field * n, 0,
 *                   (flags, ms delta, seq delta, [m, (field, value) * m | value * n], items)*
 *   flags: 1 deleted, 2 same fields as the node's first
 */
@unmanaged
export class StreamWalk {
  /** Identity of the current entry. */
  ms: u64;
  seq: u64;
  flags: u32;
  isSame: bool;
  /** Fields of the current entry that streamField has not delivered. */
  left: u64;
  /** The current field and its value. */
  fieldPtr: usize;
  fieldLen: usize;
  valuePtr: usize;
  valueLen: usize;
  /** Entries the node declares, live and deleted, and those seen. */
  live: u64;
  deleted: u64;
  liveSeen: u64;
  deletedSeen: u64;
  /** Master entry: identity, number of fields. */
  baseMs: u64;
  baseSeq: u64;
  baseFields: u64;
  /** List items the current entry takes before its item count. */
  items: u64;
  /** Where the node is; where the master's first field is; its next field for this entry. */
  walk: BlobWalk;
  first: BlobWalk;
  field: BlobWalk;
  // three BlobWalks follow
}

/** Bytes a StreamWalk takes. */
// @ts-ignore: decorator
@inline
export const STREAM_WALK_SIZE: usize = ((offsetof<StreamWalk>() + 7) & ~7) + 3 * WALK_SIZE;

export const STREAM_FLAG_DELETED: u32 = 1;
const STREAM_FLAG_SAME: u32 = 2;

/** Begin to walk the node at [ptr, ptr + len) whose master is ms-seq. False when damaged. */
export function streamOpen(s: StreamWalk, ms: u64, seq: u64, ptr: usize, len: usize): bool {
  const at = changetype<usize>(s) + ((offsetof<StreamWalk>() + 7) & ~7);
  const w = changetype<BlobWalk>(at);
  s.walk = w;
  s.first = changetype<BlobWalk>(at + WALK_SIZE);
  s.field = changetype<BlobWalk>(at + 2 * WALK_SIZE);
  s.baseMs = ms;
  s.baseSeq = seq;
  s.left = 0;
  s.items = 0;
  s.liveSeen = 0;
  s.deletedSeen = 0;
  if (!walkOpen(w, BLOB_LISTPACK, ptr, len)) return false;
  if (!takeCount(w)) return false;
  s.live = w.int;
  if (!takeCount(w)) return false;
  s.deleted = w.int;
  if (!takeCount(w)) return false;
  s.baseFields = w.int;
  walkCopy(s.first, w);
  for (let i: u64 = 0; i < s.baseFields; i++) {
    if (walkNext(w) != 1) return false;
  }
  return takeCount(w) && w.int == 0;
}

/** The next item, which has to be an integer. */
function takeInt(w: BlobWalk): bool {
  return walkNext(w) == 1 && w.isInt;
}

function takeCount(w: BlobWalk): bool {
  return takeInt(w) && w.int >= 0;
}

/**
 * Step to the next entry, deleted ones too: 1 with ms, seq, flags and left set, 0 at the proper end
 * of the node, -1 when it is damaged. Fields not fetched are passed over.
 */
export function streamNext(s: StreamWalk): i32 {
  const w = s.walk;
  while (s.left) {
    if (streamField(s) != 1) return -1;
  }
  if (s.items) {
    if (!takeCount(w) || <u64>w.int != s.items) return -1;
    s.items = 0;
  }
  if (w.at == w.end) {
    const isWhole = s.liveSeen == s.live && s.deletedSeen == s.deleted;
    return isWhole && walkNext(w) == 0 ? 0 : -1;
  }
  if (!takeCount(w)) return -1;
  s.flags = <u32>w.int;
  if (!takeInt(w)) return -1;
  s.ms = s.baseMs + <u64>w.int;
  if (!takeInt(w)) return -1;
  s.seq = s.baseSeq + <u64>w.int;
  s.isSame = (s.flags & STREAM_FLAG_SAME) != 0;
  if (s.isSame) {
    s.left = s.baseFields;
    s.items = s.left + 3;
    walkCopy(s.field, s.first);
  } else {
    if (!takeCount(w)) return -1;
    s.left = w.int;
    s.items = s.left * 2 + 4;
  }
  if (s.flags & STREAM_FLAG_DELETED) s.deletedSeen++;
  else s.liveSeen++;
  return 1;
}

/** Fetch the entry's next field: 1 with field and value set, 0 when all were, -1 when damaged. */
export function streamField(s: StreamWalk): i32 {
  if (!s.left) return 0;
  const name = s.isSame ? s.field : s.walk;
  if (walkNext(name) != 1) return -1;
  if (!s.isSame) {
    // the value's step would overwrite an integer's text
    walkCopy(s.field, name);
    relocate(s.field, name);
  }
  s.fieldPtr = s.field.ptr;
  s.fieldLen = s.field.len;
  if (walkNext(s.walk) != 1) return -1;
  s.valuePtr = s.walk.ptr;
  s.valueLen = s.walk.len;
  s.left--;
  return 1;
}

/** After walkCopy: an integer's text is inside the copy now. */
function relocate(to: BlobWalk, from: BlobWalk): void {
  if (from.isInt) to.ptr = changetype<usize>(to) + offsetof<BlobWalk>();
}
