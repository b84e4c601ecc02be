/**
 * One value: from the records of the reader to an object, and from there to an entry that is in no
 * table yet. Strings become entries at once (stringEntry); all else is built in a holder
 * (types/holder.ts) between valueBegin and valueEnd.
 *
 * Two builds can be under way: that of a load, which is spread over many feeds with commands in
 * between, and that of a RESTORE, which is such a command. Each has a state of its own:
 *
 *   ValueState   obj u32 (a holder) | isMade u8 | StreamState
 *
 * Every element is checked for being new; a duplicate, a score that is no number, or a blob that is
 * not what its type says, ends the load. Compact blobs: load-blob.ts. Streams: load-stream.ts.
 */
import { free } from '../base/alloc';
import { blobAlloc, blobPtr } from '../base/blob';
import { llValue } from '../base/numbers/integers';
import {
  ITEM_INLINE, ITEM_INLINE_MAX, ITEM_META, ITEM_NUM, ITEM_PTR, itemInlinePtr, itemNew,
  itemSetExpire, itemSetMeta, itemSetValue,
} from '../hashtable/item';
import { initialClock } from '../keyspace/db';
import { stringEncodingOf } from '../keyspace/strings';
import { freeValue } from '../keyspace/value';
import { ADD_NEW, ADD_OOM } from '../types/element';
import { hashAdd, hashLen, hashLoadBegin, hashSetExpire } from '../types/hash';
import { holder, objEncoding, objKind, objMake, objType, objValue } from '../types/holder';
import { listAppendPlain, listLen, listNew, listPush } from '../types/list';
import {
  ENC_INT, ENC_STREAM, metaOf, TYPE_HASH as OBJ_HASH, TYPE_LIST as OBJ_LIST, TYPE_SET as OBJ_SET,
  TYPE_STREAM as OBJ_STREAM, TYPE_STRING, TYPE_ZSET as OBJ_ZSET,
} from '../types/object';
import { setAdd, setLen, setLoadBegin } from '../types/set';
import { streamNew } from '../types/stream';
import { zsetAdd, zsetLen, zsetLoadBegin } from '../types/zset';
import { RdbReader } from './input';
import {
  BLOB_EMPTY, BLOB_OK, blobHash, blobHashEx, blobIntset, blobList, blobSet, blobZipmap, blobZset,
} from './load-blob';
import {
  LOAD_ERR_DUPLICATE_ELEMENT, LOAD_ERR_EXPIRE, LOAD_ERR_NAN, LOAD_ERR_UNSUPPORTED,
} from './load-info';
import { StreamState, streamStateBegin, streamStateEnd, streamStateRecord } from './load-stream';
import {
  ERR_MEMORY, FORM_INT, REC_BLOB, REC_ELEMENT, REC_FIELD, REC_SCORED, TYPE_ARRAY,
  TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_EX, TYPE_HASH_LISTPACK_EX_PRE_GA, TYPE_HASH_META,
  TYPE_HASH_META_PRE_GA, TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP, TYPE_LIST, TYPE_LIST_QUICKLIST,
  TYPE_LIST_QUICKLIST_2, TYPE_LIST_ZIPLIST, TYPE_MODULE_2, TYPE_SET, TYPE_SET_INTSET,
  TYPE_SET_LISTPACK, TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
} from './opcodes';
import { RDB_COUNT_UNKNOWN } from './reader';
import { streamVersion } from './streams';

/** What valueEnd returns instead of 0: there were no elements, the value is gone. */
export const VALUE_EMPTY: i32 = -1;
/** Redis: times of fields take 48 bits. */
const FIELD_EXPIRE_MAX: i64 = 0xffffffffffff;

@unmanaged
export class ValueState {
  obj: usize;
  /** The holder owns a value. */
  isMade: bool;
  stream: StreamState;
}

/** States: 0 of the load, 1 of RESTORE; they use the last two holders. */
const states = memory.data(128, 8);

/** One of the two states, with nothing under way. */
export function valueState(index: u32): ValueState {
  const at = states + <usize>index * 64;
  const v = changetype<ValueState>(at);
  v.obj = holder(7 - index);
  v.stream = changetype<StreamState>(at + 32);
  return v;
}

// ---- strings

/**
 * The entry of a string, in no table yet: key and value copied once. 0 when memory ran out. May
 * grow memory.
 */
export function stringEntry(r: RdbReader): usize {
  const value = r.a;
  const len = <u32>value.len;
  let encoding = ENC_INT;
  let number: i64 = value.int;
  if (value.form != FORM_INT) {
    encoding = stringEncodingOf(value.ptr, len);
    number = llValue;
  }
  let inline = len;
  let shape = ITEM_META | ITEM_INLINE;
  if (encoding == ENC_INT) {
    inline = 8;
  } else if (len > ITEM_INLINE_MAX) {
    inline = 0;
    shape = ITEM_META | ITEM_PTR;
  }
  if (r.hasExpire) shape |= ITEM_NUM;
  const item = itemNew(shape, r.key.ptr, <u32>r.key.len, inline);
  if (item == 0) return 0;
  itemSetMeta(item, metaOf(TYPE_STRING, encoding, initialClock()));
  if (r.hasExpire) itemSetExpire(item, r.expireMs);
  if (encoding == ENC_INT) {
    store<i64>(itemInlinePtr(item), number);
  } else if (shape & ITEM_INLINE) {
    memory.copy(itemInlinePtr(item), value.ptr, len);
  } else {
    const blob = blobAlloc(len);
    if (blob == 0) {
      free(item);
      return 0;
    }
    memory.copy(blobPtr(blob), value.ptr, len);
    itemSetValue(item, blob);
  }
  return item;
}

// ---- life of a value

/** After KEY of anything but a string: 0 or an error. May grow memory. */
export function valueBegin(v: ValueState, r: RdbReader): i32 {
  v.isMade = false;
  const type = r.type;
  // A value of one blob is made when the blob comes, a skipped one never.
  if (isOneBlob(type) || type == TYPE_MODULE_2 || type == TYPE_ARRAY) return 0;
  const isMade = isStream(type) ? beginStream(v) : beginCollection(v.obj, r);
  v.isMade = isMade;
  return isMade ? 0 : ERR_MEMORY;
}

function isOneBlob(type: u32): bool {
  switch (type) {
    case TYPE_HASH_ZIPMAP:
    case TYPE_SET_INTSET:
    case TYPE_ZSET_ZIPLIST:
    case TYPE_HASH_ZIPLIST:
    case TYPE_HASH_LISTPACK:
    case TYPE_ZSET_LISTPACK:
    case TYPE_SET_LISTPACK:
    case TYPE_HASH_LISTPACK_EX_PRE_GA:
    case TYPE_HASH_LISTPACK_EX: return true;
    default: return false;
  }
}

// @ts-ignore: decorator
@inline function isStream(type: u32): bool {
  return streamVersion(type) != 0;
}

function beginStream(v: ValueState): bool {
  const stream = streamNew();
  if (!stream) return false;
  objMake(v.obj, OBJ_STREAM, ENC_STREAM, stream);
  streamStateBegin(v.stream, stream);
  return true;
}

function beginCollection(obj: usize, r: RdbReader): bool {
  // The count is a hint about the encoding; a value that grows beyond it is converted then.
  const count = r.count == RDB_COUNT_UNKNOWN ? 0 : r.count;
  switch (r.type) {
    case TYPE_LIST:
    case TYPE_LIST_ZIPLIST:
    case TYPE_LIST_QUICKLIST:
    case TYPE_LIST_QUICKLIST_2: return listNew(obj);
    case TYPE_SET: return setLoadBegin(obj, count);
    case TYPE_ZSET:
    case TYPE_ZSET_2: return zsetLoadBegin(obj, count);
    case TYPE_HASH_META:
    case TYPE_HASH_META_PRE_GA: return hashLoadBegin(obj, count, true);
    default: return hashLoadBegin(obj, count, false);
  }
}

/** Frees a value that will not be finished. */
export function valueDiscard(v: ValueState): void {
  if (!v.isMade) return;
  v.isMade = false;
  freeValue(objType(v.obj), objEncoding(v.obj), objValue(v.obj));
}

/**
 * After the last record: 0, then the holder `v.obj` has the value, the caller's from now on;
 * VALUE_EMPTY; or an error (nothing is left).
 */
export function valueEnd(v: ValueState): i32 {
  if (!v.isMade) return VALUE_EMPTY;
  let code: i32 = 0;
  if (objType(v.obj) == OBJ_STREAM) code = streamStateEnd(v.stream);
  else if (elementCount(v.obj) == 0) code = VALUE_EMPTY;
  if (code != 0) valueDiscard(v);
  v.isMade = false;
  return code;
}

function elementCount(obj: usize): u32 {
  switch (objType(obj)) {
    case OBJ_LIST: return listLen(obj);
    case OBJ_SET: return setLen(obj);
    case OBJ_ZSET: return zsetLen(obj);
    case OBJ_HASH: return hashLen(obj);
    default: return 1;
  }
}

/**
 * The entry of the current key with the value just ended. 0 when memory ran out: then the value is
 * freed. May grow memory.
 */
export function valueEntry(v: ValueState, r: RdbReader): usize {
  const shape = ITEM_META | ITEM_PTR | (r.hasExpire ? ITEM_NUM : 0);
  const item = itemNew(shape, r.key.ptr, <u32>r.key.len, 0);
  if (item == 0) {
    freeValue(objType(v.obj), objEncoding(v.obj), objValue(v.obj));
    return 0;
  }
  itemSetMeta(item, objKind(v.obj) | (initialClock() << 8));
  if (r.hasExpire) itemSetExpire(item, r.expireMs);
  itemSetValue(item, objValue(v.obj));
  return item;
}

// ---- records

/** A record of the value under way: 0 or an error. May grow memory. */
export function valueRecord(v: ValueState, r: RdbReader, kind: i32): i32 {
  switch (kind) {
    case REC_BLOB: return addBlob(v, r);
    case REC_ELEMENT: return addElement(v, r);
    case REC_FIELD: return addField(v.obj, r);
    case REC_SCORED: return addScored(v.obj, r);
    default: return streamStateRecord(v.stream, r, kind);
  }
}

function addBlob(v: ValueState, r: RdbReader): i32 {
  const ptr = r.a.ptr;
  const len = <u32>r.a.len;
  if (v.isMade) return blobList(v.obj, r.type, r.container, ptr, len);
  const code = makeOfBlob(v.obj, r, ptr, len);
  v.isMade = code == BLOB_OK;
  return code == BLOB_EMPTY ? 0 : code;
}

function makeOfBlob(obj: usize, r: RdbReader, ptr: usize, len: u32): i32 {
  switch (r.type) {
    case TYPE_HASH_ZIPMAP: return blobZipmap(obj, ptr, len);
    case TYPE_SET_INTSET: return blobIntset(obj, ptr, len);
    case TYPE_SET_LISTPACK: return blobSet(obj, ptr, len);
    case TYPE_ZSET_ZIPLIST:
    case TYPE_ZSET_LISTPACK: return blobZset(obj, r.container, ptr, len);
    case TYPE_HASH_ZIPLIST:
    case TYPE_HASH_LISTPACK: return blobHash(obj, r.container, ptr, len);
    case TYPE_HASH_LISTPACK_EX_PRE_GA:
    case TYPE_HASH_LISTPACK_EX: return blobHashEx(obj, ptr, len);
    default: return LOAD_ERR_UNSUPPORTED;
  }
}

/** 0 for a new element, else the error. */
// @ts-ignore: decorator
@inline function addedError(result: i32): i32 {
  if (result == ADD_NEW) return 0;
  return result == ADD_OOM ? ERR_MEMORY : LOAD_ERR_DUPLICATE_ELEMENT;
}

function addElement(v: ValueState, r: RdbReader): i32 {
  const ptr = r.a.ptr;
  const len = <u32>r.a.len;
  if (r.type == TYPE_SET) return addedError(setAdd(v.obj, ptr, len));
  const isPlain = r.type == TYPE_LIST_QUICKLIST_2;
  const isAdded = isPlain ? listAppendPlain(v.obj, ptr, len) : listPush(v.obj, ptr, len, false);
  return isAdded ? 0 : ERR_MEMORY;
}

function addField(obj: usize, r: RdbReader): i32 {
  const field = r.a;
  const value = r.b;
  const result = hashAdd(obj, field.ptr, <u32>field.len, value.ptr, <u32>value.len);
  if (result != ADD_NEW || r.fieldExpireMs == -1) return addedError(result);
  const ms = r.fieldExpireMs;
  if (ms < 0 || ms > FIELD_EXPIRE_MAX) return LOAD_ERR_EXPIRE;
  // A time of 0 is past like any other, but 0 means "none" to the hash.
  return addedError(hashSetExpire(obj, field.ptr, <u32>field.len, max<i64>(ms, 1)));
}

function addScored(obj: usize, r: RdbReader): i32 {
  if (isNaN<f64>(r.score)) return LOAD_ERR_NAN;
  return addedError(zsetAdd(obj, r.score, r.a.ptr, <u32>r.a.len));
}
