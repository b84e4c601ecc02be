/**
 * Values as RDB: type byte and body, for DUMP and for RDB files.
 *
 * What it is. `saveBegin` writes the type byte and starts a value; `saveStep` writes on until the
 * sink holds so many bytes; a large collection is written in as many steps as the caller likes, and
 * must not change in between. `saveAll` does it in one go. For compact encodings, lists and sorted
 * sets the bytes are those of redis 7.0.15; for tables (sets, hashes) up to the order of elements.
 * What it is not: keys, expiries, opcodes and checksums of a file; DUMP's trailer is dumpValue's.
 *
 * The lowest RDB version that can hold the value is chosen: 10 for all of Redis 7.0's types. What
 * needs a later form: hash field expiries (12). A listpack set is written as one (version 11) only
 * where `rdbVersionMax` allows it, else element by element. `saveVersion` tells what was needed.
 *
 * Source: RDB.md; redis 7.0.15 and 7.4 observed through DUMP.
 */
import { free } from '../base/alloc';
import { blobLen, blobPtr } from '../base/blob';
import { crc64 } from '../base/crc64';
import { intsetBytes } from '../encoding/intset';
import {
  lpAppend,
  lpBytes,
  lpFirst,
  lpGetText,
  lpNew,
  lpNext,
  lpValLen,
} from '../encoding/listpack';
import { htScan, HashTable } from '../hashtable/hashtable';
import { itemKeyLen, itemKeyPtr, itemScore } from '../hashtable/item';
import {
  elExpire,
  elLen,
  elPtr,
  valLen,
  valPtr,
} from '../types/element';
import { hashCount, hashValueMinExpire } from '../types/hash';
import { tableMinExpire, tableExpiring, tableRead } from '../types/hash-table';
import { List, nodeAt, nodeBytes, nodeIsPlain } from '../types/list-node';
import {
  ENC_INTSET,
  ENC_LISTPACK,
  ENC_LISTPACK_EX,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../types/object';
import { leafItem, leafLen, leafPrev } from '../types/rank-tree';
import { setCount } from '../types/set';
import { zsetCount, zsetLastLeaf } from '../types/zset';
import {
  rdbVersionMax,
  sinkByte,
  sinkFailed,
  sinkLen,
  sinkLength,
  sinkPtr,
  sinkString,
  sinkU16,
  sinkU64,
} from './save-sink';
import {
  streamSaveBegin,
  streamSaveStep,
  streamSaveType,
  streamSaveVersion,
} from './save-stream';

const RDB_STRING: u32 = 0;
const RDB_SET: u32 = 2;
const RDB_HASH: u32 = 4;
const RDB_ZSET_2: u32 = 5;
const RDB_SET_INTSET: u32 = 11;
const RDB_HASH_LISTPACK: u32 = 16;
const RDB_ZSET_LISTPACK: u32 = 17;
const RDB_LIST_QUICKLIST_2: u32 = 18;
const RDB_SET_LISTPACK: u32 = 20;
const RDB_HASH_METADATA: u32 = 24;
const RDB_HASH_LISTPACK_EX: u32 = 25;
/** Containers of a list's nodes. */
const NODE_PLAIN: u32 = 1;
const NODE_PACKED: u32 = 2;
/** Version of Redis 7.0, that of listpack sets, that of hash field expiries. */
const VERSION_BASE: u32 = 10;
const VERSION_SET_LISTPACK: u32 = 11;
const VERSION_FIELD_EXPIRY: u32 = 12;

/** The RDB version the value begun last needs. */
export let saveVersion: u32 = VERSION_BASE;

/** For what goes into the sink beside values: the trailer then says the oldest version. */
export function saveVersionReset(): void {
  saveVersion = VERSION_BASE;
}

// How the value under way goes on.
const MODE_DONE: u32 = 0;
const MODE_LIST: u32 = 1;
const MODE_TREE: u32 = 2;
const MODE_TABLE: u32 = 3;
const MODE_SET_ENTRIES: u32 = 4;
const MODE_STREAM: u32 = 5;

let mode: u32 = MODE_DONE;
/** The next node, leaf or entry; the table. */
let at: usize = 0;
let listpack: usize = 0;
let cursor: u64 = 0;
let visitOne: (item: usize, arg: usize) => void = putMember;
/** The expiry that those of MODE_TABLE's fields are written relative to; 0 = none are written. */
let leastExpire: i64 = 0;

// ---- beginning

/**
 * Writes the type byte and the start of the body. `value` is the address of the value, as an
 * entry's PTR has it (for strings: saveString). False: there is no such type.
 */
export function saveBegin(type: u32, encoding: u32, value: usize): bool {
  saveVersion = VERSION_BASE;
  mode = MODE_DONE;
  switch (type) {
    case TYPE_STRING:
      saveString(blobPtr(value), blobLen(value));
      return true;
    case TYPE_LIST:
      beginList(value);
      return true;
    case TYPE_SET:
      beginSet(encoding, value);
      return true;
    case TYPE_HASH:
      beginHash(encoding, value);
      return true;
    case TYPE_ZSET:
      beginZset(encoding, value);
      return true;
    case TYPE_STREAM:
      beginStream(value);
      return true;
    default:
      return false;
  }
}

function beginStream(value: usize): void {
  const rdbType = streamSaveType(value, rdbVersionMax);
  saveVersion = streamSaveVersion(rdbType);
  sinkByte(rdbType);
  streamSaveBegin(value, rdbType);
  mode = MODE_STREAM;
}

/** A whole string value: type byte and body. */
export function saveString(ptr: usize, len: u32): void {
  saveVersion = VERSION_BASE;
  mode = MODE_DONE;
  sinkByte(RDB_STRING);
  sinkString(ptr, len);
}

function beginList(value: usize): void {
  const list = changetype<List>(value);
  sinkByte(RDB_LIST_QUICKLIST_2);
  sinkLength(list.nodes);
  at = list.head;
  mode = MODE_LIST;
}

function beginSet(encoding: u32, value: usize): void {
  if (encoding == ENC_INTSET) {
    sinkByte(RDB_SET_INTSET);
    sinkString(value, intsetBytes(value));
    return;
  }
  if (encoding == ENC_LISTPACK && rdbVersionMax >= VERSION_SET_LISTPACK) {
    saveVersion = VERSION_SET_LISTPACK;
    sinkByte(RDB_SET_LISTPACK);
    sinkString(value, lpBytes(value));
    return;
  }
  sinkByte(RDB_SET);
  sinkLength(setCount(encoding, value));
  if (encoding == ENC_LISTPACK) {
    listpack = value;
    at = lpFirst(value);
    mode = MODE_SET_ENTRIES;
  } else {
    beginTable(value, putMember);
  }
}

function beginTable(value: usize, put: (item: usize, arg: usize) => void): void {
  at = value;
  cursor = 0;
  visitOne = put;
  mode = changetype<HashTable>(value).count == 0 ? MODE_DONE : MODE_TABLE;
}

function beginHash(encoding: u32, value: usize): void {
  if (encoding == ENC_LISTPACK) {
    sinkByte(RDB_HASH_LISTPACK);
    sinkString(value, lpBytes(value));
    return;
  }
  if (encoding == ENC_LISTPACK_EX) {
    beginTriples(value);
    return;
  }
  if (tableExpiring(value) == 0) {
    sinkByte(RDB_HASH);
    sinkLength(hashCount(encoding, value));
    beginTable(value, putField);
    return;
  }
  saveVersion = VERSION_FIELD_EXPIRY;
  leastExpire = tableMinExpire(value);
  sinkByte(RDB_HASH_METADATA);
  sinkU64(<u64>leastExpire);
  sinkLength(hashCount(encoding, value));
  beginTable(value, putExpiringField);
}

/** A listpack of triples; without any expiry (and with memory for it) as pairs. */
function beginTriples(value: usize): void {
  const least = hashValueMinExpire(ENC_LISTPACK_EX, value);
  if (least < 0) {
    const pairs = toPairs(value);
    if (pairs != 0) {
      sinkByte(RDB_HASH_LISTPACK);
      sinkString(pairs, lpBytes(pairs));
      free(pairs);
      return;
    }
  }
  saveVersion = VERSION_FIELD_EXPIRY;
  sinkByte(RDB_HASH_LISTPACK_EX);
  sinkU64(least < 0 ? 0 : <u64>least);
  sinkString(value, lpBytes(value));
}

/** A listpack without every third entry; 0: out of memory. */
function toPairs(triples: usize): usize {
  let to = lpNew(lpBytes(triples));
  let n: u32 = 0;
  for (let p = lpFirst(triples); p != 0 && to != 0; p = lpNext(triples, p)) {
    if (++n == 3) {
      n = 0;
      continue;
    }
    const text = lpGetText(p);
    const grown = lpAppend(to, text, lpValLen);
    if (grown == 0) free(to);
    to = grown;
  }
  return to;
}

function beginZset(encoding: u32, value: usize): void {
  if (encoding == ENC_LISTPACK) {
    sinkByte(RDB_ZSET_LISTPACK);
    sinkString(value, lpBytes(value));
    return;
  }
  sinkByte(RDB_ZSET_2);
  sinkLength(zsetCount(encoding, value));
  at = zsetLastLeaf(value);
  mode = MODE_TREE;
}

// ---- going on

/**
 * Writes on until the sink holds at least `bytesMax` bytes or the value is complete; true: complete
 * (also when the sink failed: see sinkFailed). One element is never divided.
 */
export function saveStep(bytesMax: usize): bool {
  while (mode != MODE_DONE && sinkLen < bytesMax && !sinkFailed) {
    switch (mode) {
      case MODE_LIST:
        stepList();
        break;
      case MODE_TREE:
        stepTree();
        break;
      case MODE_TABLE:
        cursor = htScan(changetype<HashTable>(at), cursor, visitOne, 0);
        if (cursor == 0) mode = MODE_DONE;
        break;
      case MODE_SET_ENTRIES:
        stepEntries();
        break;
      case MODE_STREAM:
        if (streamSaveStep()) mode = MODE_DONE;
        break;
      default:
        mode = MODE_DONE;
    }
  }
  return mode == MODE_DONE || sinkFailed;
}

/** A whole value; false: see saveBegin. */
export function saveAll(type: u32, encoding: u32, value: usize): bool {
  if (!saveBegin(type, encoding, value)) return false;
  saveStep(usize.MAX_VALUE);
  return true;
}

function stepList(): void {
  if (at == 0) {
    mode = MODE_DONE;
    return;
  }
  const node = nodeAt(at);
  const plain = nodeIsPlain(node);
  sinkLength(plain ? NODE_PLAIN : NODE_PACKED);
  sinkString(plain ? blobPtr(node.body) : node.body, nodeBytes(node));
  at = node.next;
}

/** One leaf, from its end: Redis writes high scores first, so that a load inserts at the head. */
function stepTree(): void {
  if (at == 0) {
    mode = MODE_DONE;
    return;
  }
  for (let i = leafLen(at); i > 0; i--) {
    const item = leafItem(at, i - 1);
    sinkString(itemKeyPtr(item), itemKeyLen(item));
    sinkU64(reinterpret<u64>(itemScore(item)));
  }
  at = leafPrev(at);
}

function stepEntries(): void {
  if (at == 0) {
    mode = MODE_DONE;
    return;
  }
  const text = lpGetText(at);
  sinkString(text, lpValLen);
  at = lpNext(listpack, at);
}

function putMember(item: usize, _arg: usize): void {
  sinkString(itemKeyPtr(item), itemKeyLen(item));
}

function putField(item: usize, _arg: usize): void {
  tableRead(item);
  sinkString(elPtr, elLen);
  sinkString(valPtr, valLen);
}

function putExpiringField(item: usize, _arg: usize): void {
  tableRead(item);
  sinkLength(elExpire < 0 ? 0 : <u64>(elExpire - leastExpire + 1));
  sinkString(elPtr, elLen);
  sinkString(valPtr, valLen);
}

// ---- DUMP

/** Adds what DUMP has behind the value that begins the sink: version and checksum. */
export function saveDumpTrailer(): void {
  sinkU16(saveVersion);
  if (!sinkFailed) sinkU64(crc64(0, sinkPtr, sinkLen));
}
