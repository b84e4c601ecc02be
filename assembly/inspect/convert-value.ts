/**
 * Lists, sets, sorted sets and hashes in a form that the target reads: from listpacks to ziplists,
 * from containers to elements, from hashes with field expiries to those without.
 *
 * A container that is small becomes one container; a large one, or one the target has no form for,
 * is written element by element while the driver walks it. Its number of elements stands first: it
 * is counted by a walk before. A list of several containers has its number set right behind its
 * last element, so it is held till then (before RDB 7 there is no other form).
 */
import { string2ll, llValue } from '../base/numbers/integers';
import { lpAppend, lpAppendInt, lpBytes, lpFree, lpNew } from '../encoding/listpack';
import {
  zlBegin, zlBytes, zlFinish, zlHeader, zlLongAt, zlLongLen, zlLongPtr, zlLongs, zlOut, zlOutFailed,
  zlOutLen, zlPutInt, zlPutLong, zlPutString, zlStringHead,
} from '../encoding/ziplist-write';
import { RdbReader } from '../rdb/input';
import {
  FORM_LZF, FORM_RAW, TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_EX,
  TYPE_HASH_LISTPACK_EX_PRE_GA, TYPE_HASH_META, TYPE_HASH_META_PRE_GA, TYPE_HASH_ZIPLIST,
  TYPE_LIST, TYPE_LIST_QUICKLIST, TYPE_LIST_ZIPLIST, TYPE_SET, TYPE_ZSET, TYPE_ZSET_2,
  TYPE_ZSET_ZIPLIST,
} from '../rdb/opcodes';
import { isTemplateType } from '../rdb/templates';
import { BlobWalk, walkNext, walkOpen } from '../rdb/values';
import { writeLength32 } from '../rdb/write';
import { keyHead } from './convert-key';
import { LOSS_FIELD_EXPIRY, lossNote } from './convert-loss';
import {
  partHold, partIsHeld, partMark, partPlace, partRelease, putBytes, putDone, putRoom,
} from './convert-parts';
import {
  FORM_ANY, FORM_ANY_LZF, putByte, putLength, putLengthLater, putOldScore, putString, putU64,
} from './convert-put';
import { plainZset, targetHas, targetHasOldInts, targetIsValkey } from './convert-target';
import {
  SHAPE_LIST, SHAPE_SET, SHAPE_ZSET, evExpireMs, evLen, evPtr, evScore, evValueLen,
  evValuePtr,
} from './event';
import { facts } from './facts';
import { outFail } from './out';

/** What `valueBlob` answers: the driver is to walk the container, it is written, it is damaged. */
export const BLOB_WALK: i32 = 0;
export const BLOB_TAKEN: i32 = 1;
export const BLOB_DAMAGED: i32 = -1;

/** Larger containers are written element by element. */
const CONTAINER_MAX: usize = 1 << 20;
/** More entries than the header of a ziplist can count: legal, but asked of nobody. */
const ENTRIES_MAX: i64 = 65534;
const NO_TYPE: u32 = 255;

/** The type the value is written as; NO_TYPE: nothing was written yet. */
let type: u32 = NO_TYPE;
/** Form of strings that come out of the container in hand. */
let hint: u32 = FORM_ANY;
let isWalking: bool = false;
/** Elements of a list whose number is set right at its end, and where. */
let countsLater: bool = false;
let counted: u32 = 0;
let countMark: usize = 0;
let wasHeld: bool = false;
/** WALK_SIZE bytes, and some. */
const walk: BlobWalk = changetype<BlobWalk>(memory.data(128, 8));

/** A value to be rewritten comes next. */
export function valueBegin(): void {
  type = NO_TYPE;
  isWalking = false;
  countsLater = false;
}

function begin(r: RdbReader, asType: u32): void {
  type = asType;
  keyHead(r, asType);
}

// ---- containers

/** A container of the value, in r.a: BLOB_*. */
export function valueBlob(r: RdbReader): i32 {
  hint = r.a.form == FORM_LZF ? FORM_ANY_LZF : FORM_ANY;
  isWalking = true;
  switch (facts.shape) {
    case SHAPE_LIST: return listBlob(r);
    case SHAPE_SET: return plainBlob(r, TYPE_SET, 1);
    case SHAPE_ZSET: return zsetBlob(r);
    default: return hashBlob(r);
  }
}

/** Entries of the container, -1 if it is damaged. O(n) where its header does not tell. */
function entries(r: RdbReader): i64 {
  if (!walkOpen(walk, r.container, r.a.ptr, r.a.len)) return -1;
  let n: i64 = 0;
  let step = walkNext(walk);
  for (; step > 0; step = walkNext(walk)) n++;
  return step < 0 ? <i64>-1 : n;
}

/** The driver walks it; `step` entries make one element. */
function plainBlob(r: RdbReader, asType: u32, step: i64): i32 {
  const n = entries(r);
  if (n < 0 || n % step != 0) return BLOB_DAMAGED;
  begin(r, asType);
  putLength(n / step);
  return BLOB_WALK;
}

function isSmall(r: RdbReader): bool {
  return r.a.len <= CONTAINER_MAX;
}

function listBlob(r: RdbReader): i32 {
  if (targetHas(TYPE_LIST_QUICKLIST)) {
    beginQuicklist(r);
    return putZiplist(r, 1, 1) ? BLOB_TAKEN : BLOB_DAMAGED;
  }
  if (type != NO_TYPE) return BLOB_WALK;
  if (r.type != TYPE_LIST_ZIPLIST && r.count != 1) {
    beginLater(r);
    return BLOB_WALK;
  }
  if (!targetHas(TYPE_LIST_ZIPLIST) || !isSmall(r)) return plainBlob(r, TYPE_LIST, 1);
  begin(r, TYPE_LIST_ZIPLIST);
  return putZiplist(r, 1, 1) ? BLOB_TAKEN : BLOB_DAMAGED;
}

function beginQuicklist(r: RdbReader): void {
  if (type != NO_TYPE) return;
  begin(r, TYPE_LIST_QUICKLIST);
  putLength(r.count);
}

/** A plain list whose number of elements is not known yet. */
function beginLater(r: RdbReader): void {
  begin(r, TYPE_LIST);
  wasHeld = partIsHeld();
  partHold();
  countsLater = true;
  counted = 0;
  countMark = partMark();
  putLengthLater();
}

function zsetBlob(r: RdbReader): i32 {
  if (!targetHas(TYPE_ZSET_ZIPLIST) || !isSmall(r)) return plainBlob(r, plainZset(), 2);
  const n = entries(r);
  if (n < 0 || n & 1) return BLOB_DAMAGED;
  if (n > ENTRIES_MAX) return plainBlob(r, plainZset(), 2);
  begin(r, TYPE_ZSET_ZIPLIST);
  return putZiplist(r, 2, 2) ? BLOB_TAKEN : BLOB_DAMAGED;
}

function hashBlob(r: RdbReader): i32 {
  const isEx = r.type == TYPE_HASH_LISTPACK_EX || r.type == TYPE_HASH_LISTPACK_EX_PRE_GA;
  const step = isEx ? 3 : 2;
  if (isEx && targetIsValkey) return plainBlob(r, TYPE_HASH_META_PRE_GA, 3);
  if (isEx && targetHas(TYPE_HASH_LISTPACK_EX)) return exBlob(r);
  const n = entries(r);
  if (n < 0 || n % step != 0) return BLOB_DAMAGED;
  const hasPack = targetHas(TYPE_HASH_LISTPACK);
  if (!isSmall(r) || n > ENTRIES_MAX || !(hasPack || targetHas(TYPE_HASH_ZIPLIST))) {
    return plainBlob(r, TYPE_HASH, step);
  }
  begin(r, hasPack ? TYPE_HASH_LISTPACK : TYPE_HASH_ZIPLIST);
  const isDone = hasPack ? putPairs(r) : putZiplist(r, step, 2);
  return isDone ? BLOB_TAKEN : BLOB_DAMAGED;
}

/** Redis 7.4's release candidates: the same listpack, without the least expiry in front. */
function exBlob(r: RdbReader): i32 {
  if (!walkOpen(walk, r.container, r.a.ptr, r.a.len)) return BLOB_DAMAGED;
  let least: i64 = 0;
  let n: u32 = 0;
  let step = walkNext(walk);
  for (; step > 0; step = walkNext(walk)) {
    if (++n % 3 != 0) continue;
    const at = expiryHere();
    if (at > 0 && (least == 0 || at < least)) least = at;
  }
  if (step < 0 || n % 3 != 0) return BLOB_DAMAGED;
  begin(r, TYPE_HASH_LISTPACK_EX);
  putU64(least);
  putString(r.a.ptr, r.a.len, r.a.form);
  return BLOB_TAKEN;
}

/** The number the walk stands on, 0 if it is none. */
function expiryHere(): i64 {
  if (walk.isInt) return walk.int;
  return string2ll(walk.ptr, walk.len) ? llValue : 0;
}

/** The container as a ziplist with the first `keep` of every `step` entries. False: damaged. */
function putZiplist(r: RdbReader, step: u32, keep: u32): bool {
  if (!walkOpen(walk, r.container, r.a.ptr, r.a.len)) return false;
  zlBegin(targetHasOldInts);
  let n: u32 = 0;
  let got = walkNext(walk);
  for (; got > 0; got = walkNext(walk)) {
    if (n < keep) {
      if (walk.isInt) zlPutInt(walk.int);
      else if (walk.len > CONTAINER_MAX) zlPutLong(walk.ptr, walk.len);
      else zlPutString(walk.ptr, walk.len);
    } else if (expiryHere() != 0) {
      lossNote(LOSS_FIELD_EXPIRY, 1);
    }
    if (++n == step) n = 0;
  }
  if (got < 0 || n != 0) return false;
  zlFinish();
  if (zlOutFailed) outFail();
  else if (zlLongs != 0) putLongZiplist();
  else putString(zlOut, zlOutLen, containerForm(r));
  return true;
}

/** With the strings that stayed where they are. */
function putLongZiplist(): void {
  putLength(zlBytes);
  let from: usize = 0;
  for (let i: u32 = 0; i < zlLongs; i++) {
    const to = zlLongAt(i);
    putBytes(zlOut + from, to - from);
    putBytes(zlLongPtr(i), zlLongLen(i));
    from = to;
  }
  putBytes(zlOut + from, zlOutLen - from);
}

/** The form of bytes made out of the container in r.a. */
function containerForm(r: RdbReader): u32 {
  return r.a.form == FORM_LZF ? FORM_LZF : FORM_RAW;
}

/** The triples of a hash as a listpack of pairs. False: damaged. */
function putPairs(r: RdbReader): bool {
  if (!walkOpen(walk, r.container, r.a.ptr, r.a.len)) return false;
  let to = lpNew(<u32>r.a.len);
  let n: u32 = 0;
  let got = walkNext(walk);
  for (; got > 0 && to != 0; got = walkNext(walk)) {
    if (++n == 3) {
      n = 0;
      if (expiryHere() != 0) lossNote(LOSS_FIELD_EXPIRY, 1);
      continue;
    }
    const moved = walk.isInt ? lpAppendInt(to, walk.int) : lpAppend(to, walk.ptr, <u32>walk.len);
    if (moved == 0) lpFree(to);
    to = moved;
  }
  if (to == 0) {
    outFail();
    return true;
  }
  if (got == 0) putString(to, lpBytes(to), containerForm(r));
  lpFree(to);
  return got == 0;
}

// ---- elements

/** Element of a list or set: a node of its own, or met while a container is walked. */
export function valueElement(r: RdbReader): void {
  const form = isWalking ? hint : r.a.form;
  if (type == NO_TYPE) beginElements(r);
  if (type == TYPE_LIST_QUICKLIST) {
    putSingle(evPtr, evLen, r.a.form);
    return;
  }
  counted++;
  putString(evPtr, evLen, form);
}

function beginElements(r: RdbReader): void {
  if (facts.shape == SHAPE_LIST && targetHas(TYPE_LIST_QUICKLIST)) {
    beginQuicklist(r);
  } else if (facts.shape == SHAPE_LIST && r.count != 1) {
    beginLater(r);
  } else {
    begin(r, facts.shape == SHAPE_LIST ? TYPE_LIST : TYPE_SET);
    putLength(r.count);
  }
}

/** An element too large for a listpack as a ziplist of its own. */
function putSingle(ptr: usize, len: usize, form: u32): void {
  if (len <= CONTAINER_MAX) {
    zlBegin(targetHasOldInts);
    zlPutString(ptr, len);
    zlFinish();
    if (zlOutFailed) outFail();
    else putString(zlOut, zlOutLen, form == FORM_LZF ? FORM_LZF : FORM_RAW);
    return;
  }
  // header, previous length, the entry's head of five bytes, terminator
  putLength(len + 17);
  const at = putRoom(16);
  if (at == 0) return;
  zlHeader(at, <u32>len + 17, 10, 1);
  store<u8>(at, 0, 10);
  zlStringHead(at + 11, len);
  putDone(16);
  putBytes(ptr, len);
  putByte(0xff);
}

export function valueField(r: RdbReader): void {
  if (type == NO_TYPE) beginFields(r);
  const isOwn = !isWalking && !isTemplateType(r.type);
  if (type == TYPE_HASH_META) putLength(evExpireMs > 0 ? evExpireMs : 0);
  putString(evPtr, evLen, isOwn ? r.a.form : hint);
  putString(evValuePtr, evValueLen, isOwn ? r.b.form : hint);
  if (type == TYPE_HASH_META_PRE_GA) putU64(evExpireMs > 0 ? evExpireMs : -1);
  else if (type == TYPE_HASH && evExpireMs >= 0) lossNote(LOSS_FIELD_EXPIRY, 1);
}

function beginFields(r: RdbReader): void {
  hint = FORM_ANY;
  const isMeta = r.type == TYPE_HASH_META || r.type == TYPE_HASH_META_PRE_GA;
  if (isMeta && targetIsValkey) {
    begin(r, TYPE_HASH_META_PRE_GA);
  } else if (isMeta && targetHas(TYPE_HASH_META)) {
    begin(r, TYPE_HASH_META);
    // expiries count from one before this: so they are written as they are
    putU64(1);
  } else {
    begin(r, TYPE_HASH);
  }
  putLength(r.count);
}

export function valueScored(r: RdbReader): void {
  if (type == NO_TYPE) {
    begin(r, plainZset());
    putLength(r.count);
  }
  putString(evPtr, evLen, isWalking ? hint : r.a.form);
  if (type == TYPE_ZSET_2) putU64(reinterpret<u64>(evScore));
  else putOldScore(evScore);
}

/** The value is whole. */
export function valueEnd(r: RdbReader): void {
  if (type == NO_TYPE) {
    begin(r, emptyType());
    putLength(0);
  }
  if (!countsLater) return;
  writeLength32(partPlace(countMark), counted);
  if (!wasHeld) partRelease();
}

/** The value was given up. */
export function valueDrop(): void {
  if (countsLater && !wasHeld) partRelease();
  countsLater = false;
}

function emptyType(): u32 {
  switch (facts.shape) {
    case SHAPE_LIST: return TYPE_LIST;
    case SHAPE_SET: return TYPE_SET;
    case SHAPE_ZSET: return TYPE_ZSET;
    default: return TYPE_HASH;
  }
}
