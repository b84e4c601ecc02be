/**
 * What is known of the current key: from its head at once, from its value as the elements pass.
 */
import { string2ll } from '../base/numbers/integers';
import { RdbReader } from '../rdb/input';
import {
  FORM_INT, TYPE_ARRAY, TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_EX,
  TYPE_HASH_LISTPACK_EX_PRE_GA, TYPE_HASH_META, TYPE_HASH_META_PRE_GA, TYPE_HASH_TMPL_ARRAY,
  TYPE_HASH_TMPL_ARRAY_REF, TYPE_HASH_TMPL_LP, TYPE_HASH_TMPL_LP_REF, TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP, TYPE_LIST, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2, TYPE_LIST_ZIPLIST,
  TYPE_MODULE_2, TYPE_MODULE_PRE_GA, TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK, TYPE_STREAM,
  TYPE_STREAM_2, TYPE_STREAM_3, TYPE_STREAM_4, TYPE_STREAM_5, TYPE_STRING, TYPE_ZSET,
  TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
} from '../rdb/opcodes';
import { rdbOffset } from '../rdb/reader';
import {
  allocated, estimateBlob, estimateKey, estimateQuicklist, estimateString, estimateTable,
  estimateZset, sdsBytes,
} from './estimate';
import {
  SHAPE_HASH, SHAPE_LIST, SHAPE_OTHER, SHAPE_SET, SHAPE_STREAM, SHAPE_STRING, SHAPE_ZSET,
  evExpireMs, evLen, evPtr, evValueLen,
} from './event';

// ---- encodings, as OBJECT ENCODING names them today
export const AS_RAW: u32 = 0;
export const AS_INT: u32 = 1;
export const AS_EMBSTR: u32 = 2;
export const AS_LISTPACK: u32 = 3;
export const AS_QUICKLIST: u32 = 4;
export const AS_INTSET: u32 = 5;
export const AS_HASHTABLE: u32 = 6;
export const AS_SKIPLIST: u32 = 7;
export const AS_STREAM: u32 = 8;
export const AS_OTHER: u32 = 9;

/** The facts of one key; the reader's fields (key, db, expireMs …) complete them. */
@unmanaged
export class KeyFacts {
  /** SHAPE_* and AS_*. */
  shape: u32;
  encoding: u32;
  /** Elements, fields, members, stream entries; bytes of a string. */
  count: u64;
  /** Bytes of the longest element (of a field and its value together). */
  largest: u64;
  /** Bytes of all elements together. */
  payload: u64;
  /** Bytes in the file, the key's prefixes included. */
  fileBytes: u64;
  /** Estimated bytes in memory; see estimate.ts. */
  memory: u64;
  /** Fields that expire on their own. */
  expiring: u64;
  /** Containers and their allocated bytes; sum of sdsBytes of all strings. */
  nodes: u64;
  nodeBytes: u64;
  strings: u64;
  /** Elements were told one by one, not in a container. */
  isPlain: bool;
}

export const facts: KeyFacts = changetype<KeyFacts>(memory.data(128, 8));

export function shapeOf(type: u32): u32 {
  switch (type) {
    case TYPE_STRING: return SHAPE_STRING;
    case TYPE_LIST:
    case TYPE_LIST_ZIPLIST:
    case TYPE_LIST_QUICKLIST:
    case TYPE_LIST_QUICKLIST_2: return SHAPE_LIST;
    case TYPE_SET:
    case TYPE_SET_INTSET:
    case TYPE_SET_LISTPACK: return SHAPE_SET;
    case TYPE_ZSET:
    case TYPE_ZSET_2:
    case TYPE_ZSET_ZIPLIST:
    case TYPE_ZSET_LISTPACK: return SHAPE_ZSET;
    case TYPE_HASH:
    case TYPE_HASH_ZIPMAP:
    case TYPE_HASH_ZIPLIST:
    case TYPE_HASH_LISTPACK:
    case TYPE_HASH_LISTPACK_EX:
    case TYPE_HASH_LISTPACK_EX_PRE_GA:
    case TYPE_HASH_META:
    case TYPE_HASH_META_PRE_GA:
    case TYPE_HASH_TMPL_LP:
    case TYPE_HASH_TMPL_LP_REF:
    case TYPE_HASH_TMPL_ARRAY:
    case TYPE_HASH_TMPL_ARRAY_REF: return SHAPE_HASH;
    case TYPE_STREAM:
    case TYPE_STREAM_2:
    case TYPE_STREAM_3:
    case TYPE_STREAM_4:
    case TYPE_STREAM_5: return SHAPE_STREAM;
    default: return SHAPE_OTHER;
  }
}

/** A new key: its head was read. */
export function factsKey(r: RdbReader): void {
  memory.fill(changetype<usize>(facts), 0, offsetof<KeyFacts>());
  facts.shape = shapeOf(r.type);
}

function element(len: u64): void {
  facts.count++;
  facts.payload += len;
  if (len > facts.largest) facts.largest = len;
}

export function factsString(r: RdbReader): void {
  // Redis: loading makes an int of a longer number that the file has as text
  const isInt = r.a.form == FORM_INT || (evLen <= 20 && string2ll(evPtr, evLen));
  facts.count = evLen;
  facts.payload = evLen;
  facts.largest = evLen;
  facts.encoding = isInt ? AS_INT : evLen <= 44 ? AS_EMBSTR : AS_RAW;
  facts.memory = estimateString(evLen, isInt);
}

/** A container of so many bytes comes next. */
export function factsNode(bytes: u64): void {
  facts.nodes++;
  facts.nodeBytes += allocated(bytes);
}

/** A container that was not looked into: its elements are unknown, its size is not. */
export function factsUnseen(bytes: u64): void {
  facts.payload += bytes;
}

/** Element of a list or set; entry of a stream. */
export function factsElement(): void {
  if (facts.shape == SHAPE_STREAM) {
    facts.count++;
    return;
  }
  element(evLen);
  if (facts.nodes == 0 || facts.shape == SHAPE_LIST) facts.strings += sdsBytes(evLen);
}

export function factsField(): void {
  const len = <u64>evLen + evValueLen;
  if (facts.shape == SHAPE_STREAM) {
    facts.payload += len;
    if (len > facts.largest) facts.largest = len;
    return;
  }
  element(len);
  if (evExpireMs >= 0) facts.expiring++;
  if (facts.nodes == 0) facts.strings += sdsBytes(evLen) + sdsBytes(evValueLen);
}

export function factsScored(): void {
  element(evLen);
  if (facts.nodes == 0) facts.strings += sdsBytes(evLen);
}

/** How a Redis of today holds a value of the type; of strings, factsString tells. */
export function encodingOf(type: u32): u32 {
  switch (type) {
    case TYPE_SET_INTSET: return AS_INTSET;
    case TYPE_SET: return AS_HASHTABLE;
    case TYPE_HASH:
    case TYPE_HASH_META:
    case TYPE_HASH_META_PRE_GA:
    case TYPE_HASH_TMPL_ARRAY:
    case TYPE_HASH_TMPL_ARRAY_REF: return AS_HASHTABLE;
    case TYPE_ZSET:
    case TYPE_ZSET_2: return AS_SKIPLIST;
  }
  const shape = shapeOf(type);
  if (shape == SHAPE_LIST) return AS_QUICKLIST;
  if (shape == SHAPE_STREAM) return AS_STREAM;
  return shape == SHAPE_OTHER || shape == SHAPE_STRING ? AS_OTHER : AS_LISTPACK;
}

/** Estimated bytes of the value, so far as it was read; a sum that only grows. */
function valueMemory(): u64 {
  const isBlob = facts.nodes != 0;
  switch (facts.shape) {
    case SHAPE_STRING: return facts.memory;
    case SHAPE_LIST: return estimateQuicklist(max<u64>(facts.nodes, 1), facts.nodeBytes);
    case SHAPE_SET:
    case SHAPE_HASH:
      return isBlob ? estimateBlob(facts.nodeBytes) : estimateTable(facts.count, facts.strings);
    case SHAPE_ZSET:
      return isBlob ? estimateBlob(facts.nodeBytes) : estimateZset(facts.count, facts.strings);
    case SHAPE_STREAM: return estimateQuicklist(facts.nodes, facts.nodeBytes);
    default: return facts.fileBytes;
  }
}

/** A lower bound of the memory that factsEnd will tell. */
export function factsMemorySoFar(): u64 {
  return valueMemory();
}

/** The value was read to its end. */
export function factsEnd(r: RdbReader): void {
  facts.fileBytes = rdbOffset(r) - r.keyOffset;
  if (facts.shape != SHAPE_STRING) facts.encoding = encodingOf(r.type);
  facts.memory = valueMemory() + estimateKey(r.key.len);
}

/** Types whose insides the reader passes over. */
export function isOpaque(type: u32): bool {
  return type == TYPE_MODULE_2 || type == TYPE_MODULE_PRE_GA || type == TYPE_ARRAY;
}
