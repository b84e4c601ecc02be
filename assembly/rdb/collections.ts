/*
 * Strings, lists, sets, hashes and sorted sets: one record for each element as the file has it, or
 * one for each container (blob). Types and layouts: RDB.md section 4.
 *
 * Not here: streams (streams.ts), hash templates (templates.ts), what is skipped (skip.ts), and
 * looking into containers (values.ts).
 */
import { doubleValue, string2d } from '../base/numbers/double';
import {
  RdbReader, beginRaw, commit, failAt, inputOffset, readString, readStringAlways, stringPart,
  unitHas, unitLength, unitStop,
} from './input';
import { lenValue } from './length';
import {
  BLOB_INTSET, BLOB_LISTPACK, BLOB_ZIPLIST, BLOB_ZIPMAP, ERR_CONTAINER, ERR_SCORE, REC_BLOB,
  REC_ELEMENT, REC_FIELD, REC_SCORED, REC_STRING, REC_VALUE_END, TYPE_HASH, TYPE_HASH_LISTPACK,
  TYPE_HASH_LISTPACK_EX, TYPE_HASH_LISTPACK_EX_PRE_GA, TYPE_HASH_META, TYPE_HASH_META_PRE_GA,
  TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP, TYPE_LIST, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2,
  TYPE_LIST_ZIPLIST, TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK, TYPE_STRING, TYPE_ZSET,
  TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
} from './opcodes';

/** The value's next record; STRING or VALUE_END is its last. */
export function collectionValue(r: RdbReader): i32 {
  switch (r.type) {
    case TYPE_STRING: {
      const done = readString(r, r.a);
      return done <= 0 ? done : REC_STRING;
    }
    case TYPE_LIST:
    case TYPE_SET: return r.left ? elementStep(r) : REC_VALUE_END;
    case TYPE_HASH: return r.left ? fieldStep(r) : REC_VALUE_END;
    case TYPE_ZSET: return r.left ? oldScoredStep(r) : REC_VALUE_END;
    case TYPE_ZSET_2: return r.left ? scoredStep(r) : REC_VALUE_END;
    case TYPE_LIST_QUICKLIST: return r.left ? nodeStep(r) : REC_VALUE_END;
    case TYPE_LIST_QUICKLIST_2: return r.left ? node2Step(r) : REC_VALUE_END;
    case TYPE_HASH_META:
    case TYPE_HASH_META_PRE_GA: {
      if (!r.left) return REC_VALUE_END;
      return r.isValkey ? field2Step(r) : fieldMetaStep(r);
    }
    default: return blobStep(r);
  }
}

/** The container a type keeps in one string, 0 if it is built otherwise. */
function blobOf(type: u32): u32 {
  switch (type) {
    case TYPE_HASH_ZIPMAP: return BLOB_ZIPMAP;
    case TYPE_SET_INTSET: return BLOB_INTSET;
    case TYPE_LIST_ZIPLIST:
    case TYPE_ZSET_ZIPLIST:
    case TYPE_HASH_ZIPLIST: return BLOB_ZIPLIST;
    case TYPE_HASH_LISTPACK:
    case TYPE_ZSET_LISTPACK:
    case TYPE_SET_LISTPACK:
    case TYPE_HASH_LISTPACK_EX_PRE_GA:
    case TYPE_HASH_LISTPACK_EX: return BLOB_LISTPACK;
    default: return 0;
  }
}

function blobStep(r: RdbReader): i32 {
  if (r.part) return REC_VALUE_END;
  const done = readString(r, r.a);
  if (done <= 0) return done;
  r.container = blobOf(r.type);
  r.part = 1;
  return REC_BLOB;
}

function elementStep(r: RdbReader): i32 {
  const done = readString(r, r.a);
  if (done <= 0) return done;
  r.left--;
  return REC_ELEMENT;
}

function fieldStep(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  const done = readString(r, r.b);
  if (done <= 0) return done;
  r.fieldExpireMs = -1;
  r.part = 0;
  r.left--;
  return REC_FIELD;
}

/** Redis: length, field, value; the length counts from minExpireMs - 1; type 22: absolute. */
function fieldMetaStep(r: RdbReader): i32 {
  if (r.part == 0) {
    const p = unitLength(r, r.p);
    if (!p) return unitStop;
    let at: i64 = -1;
    if (lenValue) at = <i64>lenValue + (r.type == TYPE_HASH_META ? r.minExpireMs - 1 : 0);
    r.fieldExpireMs = at;
    r.part = 1;
    commit(r, p);
  }
  const second = stringPart(r, 1, r.a);
  if (second <= 0) return second;
  const done = readString(r, r.b);
  if (done <= 0) return done;
  r.part = 0;
  r.left--;
  return REC_FIELD;
}

/** Valkey: field, value, absolute time. */
function field2Step(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  if (r.part == 1) {
    const done = readString(r, r.b);
    if (done <= 0) return done;
    r.part = 2;
    r.keepsB = true;
  }
  if (!unitHas(r, r.p, 8)) return unitStop;
  r.keepsB = false;
  r.fieldExpireMs = load<i64>(r.p);
  r.part = 0;
  r.left--;
  commit(r, r.p + 8);
  return REC_FIELD;
}

function scoredStep(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  if (!unitHas(r, r.p, 8)) return unitStop;
  r.score = load<f64>(r.p);
  r.part = 0;
  r.left--;
  commit(r, r.p + 8);
  return REC_SCORED;
}

/** Length of the score's text in one byte; 253 nan, 254 and 255 the infinities. */
function oldScoredStep(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  if (r.part == 1) {
    if (!unitHas(r, r.p, 1)) return unitStop;
    const n: u32 = load<u8>(r.p);
    if (n == 0) return failAt(r, ERR_SCORE, inputOffset(r), 0);
    commit(r, r.p + 1);
    if (n >= 253) {
      r.score = n == 253 ? f64.NaN : n == 254 ? f64.POSITIVE_INFINITY : f64.NEGATIVE_INFINITY;
      r.part = 0;
      r.left--;
      return REC_SCORED;
    }
    beginRaw(r, n);
    r.part = 2;
  }
  const done = readStringAlways(r, r.b);
  if (done <= 0) return done;
  if (!string2d(r.b.ptr, r.b.len)) return failAt(r, ERR_SCORE, r.strOffset, 0);
  r.score = doubleValue;
  r.part = 0;
  r.left--;
  return REC_SCORED;
}

/** Quicklist of ziplists. */
function nodeStep(r: RdbReader): i32 {
  const done = readString(r, r.a);
  if (done <= 0) return done;
  r.container = BLOB_ZIPLIST;
  r.left--;
  return REC_BLOB;
}

/** Quicklist of listpacks (container 2) and of elements too large for one (container 1). */
function node2Step(r: RdbReader): i32 {
  if (r.part == 0) {
    const p = unitLength(r, r.p);
    if (!p) return unitStop;
    if (lenValue != 1 && lenValue != 2) return failAt(r, ERR_CONTAINER, inputOffset(r), lenValue);
    r.container = lenValue == 2 ? BLOB_LISTPACK : 0;
    r.part = 1;
    commit(r, p);
  }
  const done = readString(r, r.a);
  if (done <= 0) return done;
  r.part = 0;
  r.left--;
  return r.container ? REC_BLOB : REC_ELEMENT;
}
