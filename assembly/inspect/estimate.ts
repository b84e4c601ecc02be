/**
 * How many bytes a value would take in a Redis of today: what MEMORY USAGE key SAMPLES 0 of a
 * 64-bit redis-server 7 with jemalloc answers for the same data, from sums that one pass can keep.
 *
 * Sizes of structures and the arithmetic were read off redis-server 7.0.15 by asking it; size
 * classes are jemalloc's published ones (four per doubling above 128 bytes).
 */

const ROBJ: u64 = 16;
const DICT_ENTRY: u64 = 24;
const DICT: u64 = 56;
const POINTER: u64 = 8;
const QUICKLIST: u64 = 40;
const QUICKLIST_NODE: u64 = 32;
const ZSET: u64 = 16;
const SKIPLIST: u64 = 32;
/** A header with all 32 levels, in its size class. */
const SKIPLIST_HEADER: u64 = 640;
/** Most bytes of a string that shares one allocation with its object. */
const EMBSTR_MAX: u64 = 44;

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
  if (len < 256 - 4) return allocated(len + 4);
  if (len < 65536 - 6) return allocated(len + 6);
  return allocated(len + 10);
}

/** Buckets of a dict with that many entries. */
function slots(entries: u64): u64 {
  let n: u64 = 4;
  while (n < entries) n <<= 1;
  return entries == 0 ? 0 : n;
}

/** The key itself: name and place in the main dictionary. */
export function estimateKey(nameLen: u64): u64 {
  return sdsBytes(nameLen) + DICT_ENTRY;
}

export function estimateString(len: u64, isInt: bool): u64 {
  if (isInt) return ROBJ;
  if (len <= EMBSTR_MAX) return allocated(ROBJ + 3 + len + 1);
  // a long string is an sds that never has the shortest header
  return ROBJ + (len < 252 ? allocated(len + 4) : sdsBytes(len));
}

/** A listpack or an intset of that many bytes as a whole value. */
export function estimateBlob(bytes: u64): u64 {
  return ROBJ + allocated(bytes);
}

/** `nodes` listpacks of together `bytes` allocated bytes. */
export function estimateQuicklist(nodes: u64, bytes: u64): u64 {
  return ROBJ + QUICKLIST + nodes * QUICKLIST_NODE + bytes;
}

/** A set or hash: `strings` is the sum of sdsBytes of members, fields and values. */
export function estimateTable(entries: u64, strings: u64): u64 {
  return ROBJ + DICT + slots(entries) * POINTER + entries * DICT_ENTRY + strings;
}

/** A skip list node has 1.33 levels on average: 24 bytes, 16 more for each level. */
export function estimateZset(entries: u64, strings: u64): u64 {
  const head = ROBJ + ZSET + SKIPLIST + DICT + SKIPLIST_HEADER;
  return head + slots(entries) * POINTER + entries * (DICT_ENTRY + 48) + strings;
}
