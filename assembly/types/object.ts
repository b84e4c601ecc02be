/**
 * Types and encodings, with the numbers Redis gives them: they appear in RDB files, in DEBUG OBJECT
 * and in the META word of every keyspace entry.
 *
 *   META  bits 0..3 type, 4..7 encoding, 8..31 clock (LRU seconds, or LFU minutes and counter)
 */

export const TYPE_STRING: u32 = 0;
export const TYPE_LIST: u32 = 1;
export const TYPE_SET: u32 = 2;
export const TYPE_ZSET: u32 = 3;
export const TYPE_HASH: u32 = 4;
export const TYPE_STREAM: u32 = 6;

export const ENC_RAW: u32 = 0;
export const ENC_INT: u32 = 1;
export const ENC_HT: u32 = 2;
export const ENC_INTSET: u32 = 6;
export const ENC_SKIPLIST: u32 = 7;
export const ENC_EMBSTR: u32 = 8;
export const ENC_QUICKLIST: u32 = 9;
export const ENC_STREAM: u32 = 10;
export const ENC_LISTPACK: u32 = 11;
/** Redis 7.4: a hash in a listpack of field, value and expiry triples. */
export const ENC_LISTPACK_EX: u32 = 12;

// @ts-ignore: decorator
@inline export function metaOf(type: u32, encoding: u32, clock: u32): u32 {
  return type | (encoding << 4) | (clock << 8);
}

// @ts-ignore: decorator
@inline export function metaType(meta: u32): u32 {
  return meta & 15;
}

// @ts-ignore: decorator
@inline export function metaEncoding(meta: u32): u32 {
  return (meta >>> 4) & 15;
}

// @ts-ignore: decorator
@inline export function metaClock(meta: u32): u32 {
  return meta >>> 8;
}
