/**
 * String values: where they live and how they change.
 *
 *   ENC_INT      inline, 8 bytes: the i64
 *   ENC_EMBSTR   up to 44 bytes as OBJECT ENCODING tells it } inline up to ITEM_INLINE_MAX bytes,
 *   ENC_RAW      everything else                            } a blob (PTR) beyond
 *
 * The encoding is what Redis would say; inline or not is this engine's own business.
 */
import { free, goodSize, usableSize } from '../base/alloc';
import {
  blobAlloc,
  blobLen,
  blobPtr,
  blobResize,
} from '../base/blob';
import { ll2string, llChars, llValue, string2ll } from '../base/numbers/integers';
import { htInsertSlot, htItem, htSetItem } from '../hashtable/hashtable';
import {
  ITEM_INLINE,
  ITEM_INLINE_MAX,
  ITEM_META,
  ITEM_NUM,
  ITEM_PTR,
  itemExpire,
  itemFlags,
  itemInlineLen,
  itemInlinePtr,
  itemKeyLen,
  itemKeyPtr,
  itemMeta,
  itemNew,
  itemSetExpire,
  itemSetInlineLen,
  itemSetMeta,
  itemSetValue,
  itemSize,
  itemValue,
} from '../hashtable/item';
import {
  ENC_EMBSTR,
  ENC_INT,
  ENC_RAW,
  metaClock,
  metaEncoding,
  metaOf,
  metaType,
  TYPE_STRING,
} from '../types/object';
import {
  dbAddItem,
  dbExpires,
  dbFindRaw,
  dbReplaceFound,
  foundHash,
  foundSlot,
  initialClock,
} from './db';
import { policyLfu } from './state';
import { freeEntry } from './value';
import { argLen, argPtr } from '../resp/args';

/** Strings up to this length are `embstr`. */
const EMBSTR_MAX: u32 = 44;
/** Longest text of an i64. */
const INT_TEXT_MAX: u32 = 20;

/** The bytes of the string looked at last, by `stringRead`. */
export let strPtr: usize = 0;
export let strLen: u32 = 0;
const intText = memory.data(32);

/** Makes `strPtr` and `strLen` the bytes of a string entry; valid until the entry changes. */
// @ts-ignore: decorator
@inline export function stringRead(item: usize): void {
  const flags = itemFlags(item);
  if (flags & ITEM_PTR) {
    const blob = itemValue(item);
    strPtr = blobPtr(blob);
    strLen = blobLen(blob);
  } else if (metaEncoding(itemMeta(item)) == ENC_INT) {
    strPtr = intText;
    strLen = ll2string(load<i64>(itemInlinePtr(item)), intText);
  } else {
    strPtr = itemInlinePtr(item);
    strLen = itemInlineLen(item);
  }
}

/** Length of a string entry without making its text. */
export function stringLength(item: usize): u32 {
  const flags = itemFlags(item);
  if (flags & ITEM_PTR) return blobLen(itemValue(item));
  if (metaEncoding(itemMeta(item)) == ENC_INT) return llChars(load<i64>(itemInlinePtr(item)));
  return itemInlineLen(item);
}

/** Whether a string entry holds an integer as such; then its value is in `stringInt`. */
export function stringIsInt(item: usize): bool {
  return metaEncoding(itemMeta(item)) == ENC_INT;
}

/** The integer of an ENC_INT entry. */
export function stringInt(item: usize): i64 {
  return load<i64>(itemInlinePtr(item));
}

/** Overwrites the integer of an ENC_INT entry in place. */
export function stringSetInt(item: usize, value: i64): void {
  store<i64>(itemInlinePtr(item), value);
}

/** The encoding a value gets when it is set as a whole; for ENC_INT `llValue` holds the number. */
// @ts-ignore: decorator
@inline export function stringEncodingOf(ptr: usize, len: u32): u32 {
  if (len <= INT_TEXT_MAX && string2ll(ptr, len)) return ENC_INT;
  return len <= EMBSTR_MAX ? ENC_EMBSTR : ENC_RAW;
}

// ---- whole values
//
// A put writes the entry of `putKey`: over the entry of the last lookup, or beside it when that
// found none (`foundSlot` 0; `foundHash` is the key's hash either way). The old entry is changed in
// place where the block fits, so overwriting a value by one of about its size allocates nothing.

/** `expire` of a put: the key shall have none. */
export const EXPIRE_NONE: i64 = -1;
/** `expire` of a put: the key keeps what it has. */
export const EXPIRE_KEEP: i64 = -2;
/** Inline length that stands for "out of line". */
const OUTLINE: u32 = u32.MAX_VALUE;

let putKey: usize = 0;
let putKeyLen: u32 = 0;
let putExpire: i64 = 0;

/**
 * Sets a key, wherever it lies, to a string whatever it was before; the value gets the encoding it
 * deserves, an expiry is dropped. False when memory ran out: nothing changed. Commands use
 * `stringPut`. May grow memory.
 */
export function stringSet(db: usize, key: usize, keyLen: u32, ptr: usize, len: u32): bool {
  dbFindRaw(db, key, keyLen);
  putKey = key;
  putKeyLen = keyLen;
  putExpire = EXPIRE_NONE;
  return put(db, stringEncodingOf(ptr, len), ptr, len);
}

/**
 * Sets the key in argument `keyArg`, which the last lookup was for, to a string, in the encoding it
 * deserves. `expire`: unix ms, EXPIRE_NONE or EXPIRE_KEEP. False when memory ran out: nothing
 * changed. The bytes must not be the old value's. May grow memory.
 */
export function stringPut(db: usize, keyArg: u32, ptr: usize, len: u32, expire: i64): bool {
  target(keyArg, expire);
  return put(db, stringEncodingOf(ptr, len), ptr, len);
}

/** The same for a text that stays one though it may look like an integer; the expiry is kept. */
export function stringPutText(db: usize, keyArg: u32, ptr: usize, len: u32): bool {
  target(keyArg, EXPIRE_KEEP);
  return put(db, len <= EMBSTR_MAX ? ENC_EMBSTR : ENC_RAW, ptr, len);
}

/** The same for an integer, without its text; the expiry is kept. */
export function stringPutInt(db: usize, keyArg: u32, value: i64): bool {
  target(keyArg, EXPIRE_KEEP);
  llWanted = value;
  return putEncoded(db, ENC_INT, 0, 0);
}

/** The same for `len` zero bytes, raw, written through `stringBytes` afterwards; no expiry. */
export function stringPutZeros(db: usize, keyArg: u32, len: u32): bool {
  target(keyArg, EXPIRE_NONE);
  return put(db, ENC_RAW, 0, len);
}

/** The same for a blob whose bytes are ready, raw; it is the entry's afterwards. No expiry. */
export function stringPutBlob(db: usize, keyArg: u32, blob: usize): bool {
  target(keyArg, EXPIRE_NONE);
  const old = foundEntry();
  const item = itemNew(ITEM_META | ITEM_PTR, putKey, putKeyLen, 0);
  if (item == 0) return false;
  itemSetMeta(item, metaOf(TYPE_STRING, ENC_RAW, clockAfter(old)));
  itemSetValue(item, blob);
  if (settle(db, item, old)) return true;
  free(item);
  return false;
}

/** Address of the bytes of the string entry of the last put or lookup; not for ENC_INT. */
export function stringBytes(): usize {
  const item = htItem(foundSlot);
  return itemFlags(item) & ITEM_PTR ? blobPtr(itemValue(item)) : itemInlinePtr(item);
}

/**
 * A string entry that is in no table yet, as SET would make it. 0 when memory ran out. The caller
 * adds it (`dbAddItem`), puts it in another's place (`dbReplaceFound`) or frees it (`freeEntry`).
 */
export function stringNewItem(key: usize, keyLen: u32, ptr: usize, len: u32): usize {
  putKey = key;
  putKeyLen = keyLen;
  putExpire = EXPIRE_NONE;
  const encoding = stringEncodingOf(ptr, len);
  llWanted = llValue;
  const item = shape(0, inlineLength(encoding, len));
  if (item == 0 || fill(item, encoding, ptr, len)) return item;
  free(item);
  return 0;
}

/** Integer of the put in progress. */
let llWanted: i64 = 0;

// @ts-ignore: decorator
@inline function target(keyArg: u32, expire: i64): void {
  putKey = argPtr(keyArg);
  putKeyLen = argLen(keyArg);
  putExpire = expire;
}

// @ts-ignore: decorator
@inline function foundEntry(): usize {
  return foundSlot == 0 ? 0 : htItem(foundSlot);
}

// @ts-ignore: decorator
@inline function inlineLength(encoding: u32, len: u32): u32 {
  return encoding == ENC_INT ? 8 : len <= ITEM_INLINE_MAX ? len : OUTLINE;
}

/** Redis: under LFU an overwritten key keeps its counter; under LRU it is as new. */
// @ts-ignore: decorator
@inline function clockAfter(old: usize): u32 {
  return old != 0 && policyLfu ? metaClock(itemMeta(old)) : initialClock();
}

// @ts-ignore: decorator
@inline function put(db: usize, encoding: u32, ptr: usize, len: u32): bool {
  llWanted = llValue;
  return putEncoded(db, encoding, ptr, len);
}

function putEncoded(db: usize, encoding: u32, ptr: usize, len: u32): bool {
  const old = foundEntry();
  const item = shape(old, inlineLength(encoding, len));
  if (item == 0) return false;
  const meta = metaOf(TYPE_STRING, encoding, clockAfter(old));
  if (!fill(item, encoding, ptr, len)) {
    free(item);
    return false;
  }
  itemSetMeta(item, meta);
  if (item == old || settle(db, item, old)) return true;
  if (itemFlags(item) & ITEM_PTR) free(itemValue(item));
  free(item);
  return false;
}

/**
 * An item of the wanted shape for the put's key: the old one where its block fits exactly, else a
 * new one that is in no table yet. An inline value's length and the expiry are set.
 */
function shape(old: usize, inline: u32): usize {
  let flags = ITEM_META | (inline == OUTLINE ? ITEM_PTR : ITEM_INLINE);
  const oldFlags: u32 = old == 0 ? 0 : itemFlags(old);
  if (putExpire == EXPIRE_KEEP) flags |= oldFlags & ITEM_NUM;
  else if (putExpire != EXPIRE_NONE) flags |= ITEM_NUM;
  const inlineLen: u32 = inline == OUTLINE ? 0 : inline;
  const parts = ITEM_META | ITEM_PTR | ITEM_NUM | ITEM_INLINE;
  if ((oldFlags & parts) == flags && inline != OUTLINE) {
    if (goodSize(itemSize(flags, putKeyLen, inlineLen)) == usableSize(old)) {
      itemSetInlineLen(old, inlineLen);
      if (flags & ITEM_NUM && putExpire != EXPIRE_KEEP) itemSetExpire(old, putExpire);
      return old;
    }
  }
  const item = itemNew(flags, putKey, putKeyLen, inlineLen);
  if (item == 0 || (flags & ITEM_NUM) == 0) return item;
  itemSetExpire(item, putExpire == EXPIRE_KEEP ? itemExpire(old) : putExpire);
  return item;
}

/** Writes the value into a shaped item; `ptr` 0 stands for zeros. False: no memory for a blob. */
// @ts-ignore: decorator
@inline function fill(item: usize, encoding: u32, ptr: usize, len: u32): bool {
  itemSetMeta(item, metaOf(TYPE_STRING, encoding, initialClock()));
  if (encoding == ENC_INT) {
    store<i64>(itemInlinePtr(item), llWanted);
    return true;
  }
  let to = itemInlinePtr(item);
  if (itemFlags(item) & ITEM_PTR) {
    const blob = blobAlloc(len);
    if (blob == 0) return false;
    itemSetValue(item, blob);
    to = blobPtr(blob);
  }
  if (ptr != 0) memory.copy(to, ptr, len);
  else memory.fill(to, 0, len);
  return true;
}

/** Makes `item` the entry in place of `old` (0 = there was none). False: no memory, unchanged. */
function settle(db: usize, item: usize, old: usize): bool {
  if (old == 0) return dbAddItem(db, item, foundHash);
  if (itemFlags(item) & ITEM_NUM && (itemFlags(old) & ITEM_NUM) == 0) {
    const second = htInsertSlot(dbExpires(db), foundHash);
    if (second == 0) return false;
    htSetItem(second, item);
    htSetItem(foundSlot, item);
    freeEntry(old);
  } else {
    dbReplaceFound(db, item, false);
  }
  return true;
}

// ---- changes within a value

/**
 * Makes the string entry of the last lookup a raw one of `len` bytes, new bytes zero, that may be
 * written to in place (APPEND, SETRANGE, SETBIT). With `greedy` a growing one gets room to grow
 * further. Returns the address of its bytes, 0 when memory ran out (unchanged). Expiry and clock
 * stay. May grow memory.
 */
export function stringMutable(db: usize, len: u32, greedy: bool): usize {
  const item = htItem(foundSlot);
  const flags = itemFlags(item);
  const meta = itemMeta(item);
  const raw = metaOf(metaType(meta), ENC_RAW, metaClock(meta));
  if (flags & ITEM_PTR) {
    const blob = blobResize(itemValue(item), len, greedy);
    if (blob == 0) return 0;
    itemSetValue(item, blob);
    itemSetMeta(item, raw);
    return blobPtr(blob);
  }
  stringRead(item);
  const isInt = metaEncoding(meta) == ENC_INT;
  const need = itemSize(flags, itemKeyLen(item), len);
  if (!isInt && len <= ITEM_INLINE_MAX && need <= usableSize(item)) {
    const at = itemInlinePtr(item);
    if (len > strLen) memory.fill(at + strLen, 0, len - strLen);
    itemSetInlineLen(item, len);
    itemSetMeta(item, raw);
    return at;
  }
  return moveOut(db, item, len, greedy, raw);
}

/** Moves an inline string of the last lookup to a blob of `len` bytes. */
function moveOut(db: usize, item: usize, len: u32, greedy: bool, meta: u32): usize {
  const keep = min(strLen, len);
  let room: u64 = len;
  if (greedy) room += len < 1 << 20 ? len : 1 << 20;
  let blob = room <= 0xfffffff0 ? blobAlloc(<u32>room) : 0;
  if (blob == 0) blob = blobAlloc(len);
  if (blob == 0) return 0;
  const flags = (itemFlags(item) & ITEM_NUM) | ITEM_META | ITEM_PTR;
  const fresh = itemNew(flags, itemKeyPtr(item), itemKeyLen(item), 0);
  if (fresh == 0) {
    free(blob);
    return 0;
  }
  store<u32>(blob, len);
  memory.copy(blobPtr(blob), strPtr, keep);
  memory.fill(blobPtr(blob) + keep, 0, len - keep);
  itemSetMeta(fresh, meta);
  if (flags & ITEM_NUM) itemSetExpire(fresh, itemExpire(item));
  itemSetValue(fresh, blob);
  dbReplaceFound(db, fresh, false);
  return blobPtr(blob);
}
