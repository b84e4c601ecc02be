/**
 * What is known of the current key: from its head at once, from its value as it passes. Containers
 * are measured as a whole (measure.ts), other elements one by one.
 */
import { string2ll } from '../base/numbers/integers';
import { RdbReader } from '../rdb/input';
import {
  BLOB_INTSET, BLOB_LISTPACK, FORM_INT, REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL,
  REC_STREAM_GROUP, REC_STREAM_PEL, TYPE_ARRAY, TYPE_HASH, TYPE_HASH_LISTPACK,
  TYPE_HASH_LISTPACK_EX, TYPE_HASH_LISTPACK_EX_PRE_GA, TYPE_HASH_META, TYPE_HASH_META_PRE_GA,
  TYPE_HASH_TMPL_ARRAY, TYPE_HASH_TMPL_ARRAY_REF, TYPE_HASH_TMPL_LP, TYPE_HASH_TMPL_LP_REF,
  TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP, TYPE_LIST, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST, TYPE_MODULE_2, TYPE_MODULE_PRE_GA, TYPE_SET, TYPE_SET_INTSET,
  TYPE_SET_LISTPACK, TYPE_STREAM, TYPE_STREAM_2, TYPE_STREAM_3, TYPE_STREAM_4, TYPE_STREAM_5,
  TYPE_STRING, TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
} from '../rdb/opcodes';
import { rdbOffset } from '../rdb/reader';
import { BlobWalk, StreamWalk, walkNext, walkOpen } from '../rdb/values';
import {
  EMBSTR_MAX, HASH_LISTPACK_ENTRIES, INTSET_ENTRIES, LISTPACK_VALUE, LIST_NODE_BYTES,
  SET_LISTPACK_ENTRIES, ZSET_LISTPACK_ENTRIES, allocated, estimateBlob, estimateContainer,
  estimateIntset, estimateKey, estimateQuicklist, estimateStream, estimateString, estimateTable,
  estimateZset, listpackEntry, sdsBytes,
} from './estimate';
import {
  SHAPE_HASH, SHAPE_LIST, SHAPE_OTHER, SHAPE_SET, SHAPE_STREAM, SHAPE_STRING, SHAPE_ZSET,
  evExpireMs, evIsInt, evLen, evPtr, evValueLen,
} from './event';
import {
  GROUP_PAIR, GROUP_PLAIN, GROUP_SCORED, GROUP_TRIPLE, measureBlob, measureStream, measuredCount,
  measuredExpiring, measuredLargest, measuredLongest, measuredPacked, measuredPayload,
} from './measure';
import { raxAdd, raxBegin, raxBytes } from './rax';

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
  /** Bytes of the longest single string. */
  longest: u64;
  /** Bytes of all elements together. */
  payload: u64;
  /** Bytes in the file, the key's prefixes included. */
  fileBytes: u64;
  /** Estimated bytes in memory; see estimate.ts. */
  memory: u64;
  /** Fields that expire on their own. */
  expiring: u64;
  /** Containers and their allocated bytes. */
  nodes: u64;
  nodeBytes: u64;
  /** Elements told one by one: sum of sdsBytes of all strings; bytes of all as a listpack. */
  strings: u64;
  packed: u64;
  /** A stream's trees, groups, consumers and pending entries. */
  groupBytes: u64;
  pending: u64;
  /** Elements that stand as numbers in the file. */
  ints: u64;
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
  if (facts.shape == SHAPE_STREAM) raxBegin();
}

export function factsString(r: RdbReader): void {
  // Redis: loading makes an int of a longer number that the file has as text
  const isInt = r.a.form == FORM_INT || (evLen <= 20 && string2ll(evPtr, evLen));
  facts.count = evLen;
  facts.payload = evLen;
  facts.largest = evLen;
  facts.longest = evLen;
  facts.encoding = isInt ? AS_INT : <u64>evLen <= EMBSTR_MAX ? AS_EMBSTR : AS_RAW;
  facts.memory = estimateString(evLen, isInt);
}

// ---- elements told one by one

function single(len: u64, isInt: bool): void {
  if (len > facts.longest) facts.longest = len;
  facts.strings += sdsBytes(len);
  if (isInt) facts.ints++;
  facts.packed += listpackEntry(len, isInt, i32.MAX_VALUE);
}

function group(len: u64): void {
  facts.count++;
  facts.payload += len;
  if (len > facts.largest) facts.largest = len;
}

/** Element of a list or set. */
export function factsElement(): void {
  group(evLen);
  if (facts.shape == SHAPE_LIST) listElement();
  else single(evLen, evIsInt);
}

/** Nodes of a list are filled up to LIST_NODE_BYTES; a longer element has one for itself. */
function listElement(): void {
  if (<u64>evLen > facts.longest) facts.longest = evLen;
  const bytes = listpackEntry(evLen, evIsInt, i32.MAX_VALUE);
  if (<u64>evLen > LIST_NODE_BYTES) {
    facts.nodes++;
    facts.nodeBytes += allocated(evLen);
    return;
  }
  if (facts.packed + bytes > LIST_NODE_BYTES) {
    facts.nodes++;
    facts.nodeBytes += allocated(facts.packed + 7);
    facts.packed = 0;
  }
  facts.packed += bytes;
}

export function factsField(): void {
  group(<u64>evLen + evValueLen);
  if (evExpireMs >= 0) facts.expiring++;
  single(evLen, evIsInt);
  single(evValueLen, false);
}

export function factsScored(): void {
  group(evLen);
  single(evLen, evIsInt);
  // most scores are numbers of a few bytes
  facts.packed += 6;
}

// ---- containers

/** Most elements that stay in a container of this type when it is loaded. */
function compactMax(type: u32): u64 {
  if (type == TYPE_SET_INTSET) return INTSET_ENTRIES;
  if (facts.shape == SHAPE_HASH) return HASH_LISTPACK_ENTRIES;
  return facts.shape == SHAPE_ZSET ? ZSET_LISTPACK_ENTRIES : SET_LISTPACK_ENTRIES;
}

/** What a step through the container's elements takes together. */
function groupOf(type: u32): u32 {
  const isEx = type == TYPE_HASH_LISTPACK_EX || type == TYPE_HASH_LISTPACK_EX_PRE_GA;
  if (isEx) return GROUP_TRIPLE;
  if (facts.shape == SHAPE_HASH) return GROUP_PAIR;
  return facts.shape == SHAPE_ZSET ? GROUP_SCORED : GROUP_PLAIN;
}

/**
 * The container of the current record; `w` is used for it. False when it is damaged. One that was
 * not held because it is long has a size, but no elements.
 */
export function factsBlob(r: RdbReader, w: BlobWalk): bool {
  const ptr = r.a.ptr;
  const len = r.a.len;
  facts.nodes++;
  if (ptr == 0) {
    facts.nodeBytes += allocated(len);
    facts.payload += len;
    return true;
  }
  if (!measureBlob(w, r.container, groupOf(r.type), ptr, len)) return false;
  facts.nodeBytes += allocated(measuredPacked);
  facts.count += measuredCount;
  facts.payload += measuredPayload;
  facts.expiring += measuredExpiring;
  if (measuredLargest > facts.largest) facts.largest = measuredLargest;
  if (measuredLongest > facts.longest) facts.longest = measuredLongest;
  if (r.container == BLOB_INTSET) facts.ints = measuredCount;
  if (facts.shape == SHAPE_LIST || facts.count <= compactMax(r.type)) return true;
  return sumStrings(w, r);
}

/** A container with more elements than Redis keeps in one becomes a table: its strings. */
function sumStrings(w: BlobWalk, r: RdbReader): bool {
  if (!walkOpen(w, r.container, r.a.ptr, r.a.len)) return false;
  const period = groupOf(r.type);
  let i: u32 = u32.MAX_VALUE;
  while (true) {
    const got = walkNext(w);
    if (got <= 0) return got == 0;
    i++;
    // scores and expiries are no strings
    if (period == GROUP_SCORED && (i & 1) == 1) continue;
    if (period == GROUP_TRIPLE && i % 3 == 2) continue;
    facts.strings += sdsBytes(w.len);
  }
}

// ---- streams

/** The node that was opened for the walk. */
export function factsNode(r: RdbReader, s: StreamWalk): bool {
  facts.nodes++;
  facts.nodeBytes += allocated(r.b.len);
  raxAdd(r.n0, r.n1);
  if (r.b.ptr == 0) {
    facts.payload += r.b.len;
    return true;
  }
  if (!measureStream(s)) return false;
  facts.count += measuredCount;
  facts.payload += measuredPayload;
  if (measuredLargest > facts.largest) facts.largest = measuredLargest;
  return true;
}

const STREAM_GROUP: u64 = 40;
const STREAM_CONSUMER: u64 = 24;
const STREAM_PENDING: u64 = 24;

/** Any other record of a stream. */
export function factsStream(r: RdbReader, kind: i32): void {
  switch (kind) {
    case REC_STREAM_GROUP:
      facts.groupBytes += raxBytes() + STREAM_GROUP;
      raxBegin();
      break;
    case REC_STREAM_PEL:
      facts.groupBytes += STREAM_PENDING;
      facts.pending++;
      raxAdd(r.n0, r.n1);
      break;
    case REC_STREAM_CONSUMER:
      facts.groupBytes += raxBytes() + STREAM_CONSUMER + r.a.len;
      raxBegin();
      break;
    case REC_STREAM_CONSUMER_PEL: raxAdd(r.n0, r.n1);
  }
}

// ---- the end

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

/** Whether elements told one by one fit a compact encoding, and so are loaded into it. */
function isCompact(entriesMax: u64): bool {
  return facts.count <= entriesMax && facts.longest <= LISTPACK_VALUE;
}

/** The encoding the value is loaded into, and what it takes there. */
function settle(r: RdbReader): void {
  const isBlob = facts.nodes != 0;
  const shape = facts.shape;
  facts.encoding = encodingOf(r.type);
  const isTabular = shape == SHAPE_SET || shape == SHAPE_HASH || shape == SHAPE_ZSET;
  if (isTabular && isBlob && facts.strings == 0) {
    facts.memory = estimateContainer(facts.nodeBytes);
    return;
  }
  switch (shape) {
    case SHAPE_LIST:
      if (facts.packed != 0 || !isBlob) {
        facts.nodes++;
        facts.nodeBytes += allocated(facts.packed + 7);
      }
      facts.memory = estimateQuicklist(facts.nodes, facts.nodeBytes);
      return;
    case SHAPE_STREAM:
      facts.memory = estimateStream(facts.nodeBytes, facts.groupBytes + raxBytes());
      return;
    case SHAPE_OTHER:
      facts.memory = facts.fileBytes;
      return;
    case SHAPE_SET:
      if (!isBlob && facts.ints == facts.count && isCompact(INTSET_ENTRIES)) {
        facts.encoding = AS_INTSET;
        facts.memory = estimateIntset(facts.count, facts.longest);
        return;
      }
      facts.encoding = AS_HASHTABLE;
      facts.memory = estimateTable(facts.count, facts.strings);
      return;
    case SHAPE_HASH:
      if (!isBlob && isCompact(HASH_LISTPACK_ENTRIES)) return compact();
      facts.encoding = AS_HASHTABLE;
      facts.memory = estimateTable(facts.count, facts.strings);
      return;
    default:
      if (!isBlob && isCompact(ZSET_LISTPACK_ENTRIES)) return compact();
      facts.encoding = AS_SKIPLIST;
      facts.memory = estimateZset(facts.count, facts.strings);
  }
}

function compact(): void {
  facts.encoding = AS_LISTPACK;
  facts.memory = estimateBlob(facts.packed + 7);
}

/**
 * A lower bound of the memory that factsEnd will tell. Numbers take a third of their text at least;
 * entries of a stream share their names of fields.
 */
export function factsMemorySoFar(): u64 {
  if (facts.shape == SHAPE_STRING) return facts.memory;
  return facts.shape == SHAPE_STREAM ? facts.nodeBytes : facts.payload / 3;
}

/** The value was read to its end. */
export function factsEnd(r: RdbReader): void {
  facts.fileBytes = rdbOffset(r) - r.keyOffset;
  if (facts.shape != SHAPE_STRING) settle(r);
  facts.memory += estimateKey(r.key.len);
}

/** More than an empty value takes beside its name. */
const EMPTY_BYTES_MAX: u64 = 4096;

/** After factsEnd: no elements, and not because a container was too long to be looked into. */
export function isEmptyCollection(r: RdbReader): bool {
  const isShort = facts.fileBytes < <u64>r.key.len + EMPTY_BYTES_MAX;
  return facts.count == 0 && isShort && facts.shape >= SHAPE_LIST && facts.shape <= SHAPE_HASH;
}

/** Does a value of the type stand in containers, which have to be held to be measured? */
export function isContainer(type: u32): bool {
  return encodingOf(type) != AS_HASHTABLE && type != TYPE_STRING && type != TYPE_LIST
    && type != TYPE_ZSET && type != TYPE_ZSET_2;
}

/** Types whose insides the reader passes over. */
export function isOpaque(type: u32): bool {
  return type == TYPE_MODULE_2 || type == TYPE_MODULE_PRE_GA || type == TYPE_ARRAY;
}
