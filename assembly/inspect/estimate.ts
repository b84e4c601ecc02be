/**
 * How many bytes a value would take in a Redis of today that has loaded the file: what MEMORY USAGE
 * key SAMPLES 0 of a 64-bit redis-server 7.0 with jemalloc answers, from sums that one pass can
 * keep. Default limits of the compact encodings are assumed.
 *
 * Sizes of structures and the arithmetic were read off redis-server 7.0.15 by asking it; size
 * classes are jemalloc's published ones (four per doubling above 128 bytes).
 */

const ROBJ: u64 = 16;
const DICT_ENTRY: u64 = 24;
const DICT: u64 = 56;
const POINTER: u64 = 8;
const QUICKLIST: u64 = 40;
const QUICKLIST_NODE: u64 = 40;
const ZSET: u64 = 16;
const SKIPLIST: u64 = 32;
const STREAM: u64 = 80;
/** A header with all 32 levels, in its size class. */
const SKIPLIST_HEADER: u64 = 640;
/** Most bytes of a string that shares one allocation with its object. */
export const EMBSTR_MAX: u64 = 44;

// ---- up to where collections stay compact
export const HASH_LISTPACK_ENTRIES: u64 = 512;
export const ZSET_LISTPACK_ENTRIES: u64 = 128;
export const SET_LISTPACK_ENTRIES: u64 = 128;
export const INTSET_ENTRIES: u64 = 512;
/** Bytes of an element. */
export const LISTPACK_VALUE: u64 = 64;
/** Bytes of a list's node. */
export const LIST_NODE_BYTES: u64 = 8192;

/** Bytes that jemalloc gives for a request. */
export function allocated(bytes: u64): u64 {
  if (bytes <= 8) return 8;
  if (bytes <= 128) return (bytes + 15) & ~15;
  // the four classes between two powers of two
  const shift = 61 - <u64>clz<u64>(bytes - 1);
  const step: u64 = (<u64>1) << shift;
  return (bytes + step - 1) & ~(step - 1);
}

/** An sds string of that length with its header and the final zero. */
export function sdsBytes(len: u64): u64 {
  if (len < 32) return allocated(len + 2);
  if (len < 256) return allocated(len + 4);
  if (len < 65536) return allocated(len + 6);
  return allocated(len + 10);
}

/** Buckets of a dict with that many entries. */
function slots(entries: u64): u64 {
  let n: u64 = 4;
  while (n < entries) n <<= 1;
  return entries == 0 ? 0 : n;
}

/** Bytes of an entry of a listpack, its back length included. */
export function listpackEntry(len: u64, isInt: bool, int: i64): u64 {
  let size: u64;
  if (isInt) {
    if (int >= 0 && int < 128) size = 1;
    else if (int >= -4096 && int < 4096) size = 2;
    else if (int >= -32768 && int < 32768) size = 3;
    else if (int >= -8388608 && int < 8388608) size = 4;
    else size = int >= -2147483648 && int < 2147483648 ? 5 : 9;
  } else {
    size = len + (len < 64 ? 1 : len < 4096 ? 2 : 5);
  }
  return size + (size < 128 ? 1 : size < 16383 ? 2 : size < 2097151 ? 3 : 4);
}

/** The key itself: name and place in the main dictionary. */
export function estimateKey(nameLen: u64): u64 {
  return sdsBytes(nameLen) + DICT_ENTRY;
}

export function estimateString(len: u64, isInt: bool): u64 {
  if (isInt) return ROBJ;
  if (len <= EMBSTR_MAX) return allocated(ROBJ + 3 + len + 1);
  return ROBJ + sdsBytes(len);
}

/** A listpack or an intset of that many bytes as a whole value. */
export function estimateBlob(bytes: u64): u64 {
  return ROBJ + allocated(bytes);
}

/** A value that is one allocation of that size. */
export function estimateContainer(bytes: u64): u64 {
  return ROBJ + bytes;
}

/** An intset of so many numbers of at most `longest` characters. */
export function estimateIntset(entries: u64, longest: u64): u64 {
  return estimateBlob(8 + entries * (longest < 5 ? 2 : longest < 10 ? 4 : 8));
}

/** `nodes` listpacks of together `bytes` allocated bytes. */
export function estimateQuicklist(nodes: u64, bytes: u64): u64 {
  return ROBJ + QUICKLIST + nodes * QUICKLIST_NODE + bytes;
}

/** A set or hash: `strings` is the sum of sdsBytes of members, fields and values. */
export function estimateTable(entries: u64, strings: u64): u64 {
  return ROBJ + DICT + slots(entries) * POINTER + entries * DICT_ENTRY + strings;
}

/** A skip list node with n levels takes 24 + 16 n bytes, 160 / 3 on average in size classes. */
export function estimateZset(entries: u64, strings: u64): u64 {
  const head = ROBJ + ZSET + SKIPLIST + DICT + SKIPLIST_HEADER;
  return head + slots(entries) * POINTER + entries * DICT_ENTRY + entries * 160 / 3 + strings;
}

/** A stream of so many bytes of nodes and of trees, groups and consumers (rax.ts, facts.ts). */
export function estimateStream(nodeBytes: u64, otherBytes: u64): u64 {
  return ROBJ + STREAM + nodeBytes + otherBytes;
}
