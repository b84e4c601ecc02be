/**
 * The item: one allocation that holds a key and what belongs to it. Keyspace entries, set members,
 * hash fields and sorted-set members are all items, so one hash table serves them all.
 *
 *   +0  u8  flags    ITEM_*: which optional parts follow
 *   +1  u8  keyLen   key length up to 254; 255 = in the LONG part
 *   +2  u16 valLen   length of the inline value (only with ITEM_INLINE)
 *   [META 4]         u32: type (4 bits), encoding (4 bits), lru or lfu clock (24 bits)
 *   [LONG 4]         u32: key length, for keys of 255 bytes and more
 *   [NUM  8]         i64 expiry in unix ms, or f64 score
 *   [PTR  4]         u32: the value, out of line
 *   key bytes
 *   [INLINE]         value bytes, valLen of them
 *
 * The parts stand in this order, so the key's offset is a function of the flags alone. A key of 16
 * bytes with a string of 64 is one block of 88 bytes.
 *
 * Items are created and freed by their owners (keyspace, types); the table only reads keys.
 */
import { alloc, free, goodSize, usableSize } from '../base/alloc';

export const ITEM_META: u32 = 1;
export const ITEM_LONG: u32 = 2;
export const ITEM_PTR: u32 = 4;
export const ITEM_NUM: u32 = 8;
export const ITEM_INLINE: u32 = 16;

const OFF_KEYLEN: usize = 1;
const OFF_VALLEN: usize = 2;
const HEADER: usize = 4;
const KEYLEN_LONG: u32 = 255;

/** Inline values are at most this long; larger ones live in a block of their own. */
export const ITEM_INLINE_MAX: u32 = 2048;

// @ts-ignore: decorator
@inline export function itemFlags(item: usize): u32 {
  return load<u8>(item);
}

/** Offset of the key bytes for given flags. */
// @ts-ignore: decorator
@inline export function itemKeyOff(flags: u32): usize {
  return HEADER + (<usize>popcnt(flags & 7) << 2) + <usize>(flags & ITEM_NUM);
}

// @ts-ignore: decorator
@inline export function itemKeyPtr(item: usize): usize {
  return item + itemKeyOff(itemFlags(item));
}

// @ts-ignore: decorator
@inline export function itemKeyLen(item: usize): u32 {
  const n: u32 = load<u8>(item, OFF_KEYLEN);
  return n != KEYLEN_LONG ? n : load<u32>(item + HEADER + ((itemFlags(item) & ITEM_META) << 2));
}

/** The u32 of type, encoding and clock; only with ITEM_META. */
// @ts-ignore: decorator
@inline export function itemMeta(item: usize): u32 {
  return load<u32>(item, HEADER);
}

// @ts-ignore: decorator
@inline export function itemSetMeta(item: usize, meta: u32): void {
  store<u32>(item, meta, HEADER);
}

// @ts-ignore: decorator
@inline function numOff(flags: u32): usize {
  return HEADER + (<usize>popcnt(flags & 3) << 2);
}

/** Expiry in unix ms, or -1 where the item has none. */
// @ts-ignore: decorator
@inline export function itemExpire(item: usize): i64 {
  const flags = itemFlags(item);
  return flags & ITEM_NUM ? load<i64>(item + numOff(flags)) : -1;
}

/** Only with ITEM_NUM. */
// @ts-ignore: decorator
@inline export function itemSetExpire(item: usize, ms: i64): void {
  store<i64>(item + numOff(itemFlags(item)), ms);
}

/** Only with ITEM_NUM. */
// @ts-ignore: decorator
@inline export function itemScore(item: usize): f64 {
  return load<f64>(item + numOff(itemFlags(item)));
}

/** Only with ITEM_NUM. */
// @ts-ignore: decorator
@inline export function itemSetScore(item: usize, score: f64): void {
  store<f64>(item + numOff(itemFlags(item)), score);
}

// @ts-ignore: decorator
@inline function ptrOff(flags: u32): usize {
  return HEADER + (<usize>popcnt(flags & 3) << 2) + <usize>(flags & ITEM_NUM);
}

/** The out-of-line value; only with ITEM_PTR. */
// @ts-ignore: decorator
@inline export function itemValue(item: usize): usize {
  return load<u32>(item + ptrOff(itemFlags(item)));
}

/** Only with ITEM_PTR. */
// @ts-ignore: decorator
@inline export function itemSetValue(item: usize, value: usize): void {
  store<u32>(item + ptrOff(itemFlags(item)), <u32>value);
}

/** Length of the inline value; only with ITEM_INLINE. */
// @ts-ignore: decorator
@inline export function itemInlineLen(item: usize): u32 {
  return load<u16>(item, OFF_VALLEN);
}

/** Only with ITEM_INLINE; the block must hold the new length. */
// @ts-ignore: decorator
@inline export function itemSetInlineLen(item: usize, len: u32): void {
  store<u16>(item, <u16>len, OFF_VALLEN);
}

/** Only with ITEM_INLINE. */
// @ts-ignore: decorator
@inline export function itemInlinePtr(item: usize): usize {
  return itemKeyPtr(item) + itemKeyLen(item);
}

/** Bytes an item of this shape needs. */
// @ts-ignore: decorator
@inline export function itemSize(flags: u32, keyLen: u32, inlineLen: u32): usize {
  const f = keyLen >= KEYLEN_LONG ? flags | ITEM_LONG : flags;
  return itemKeyOff(f) + keyLen + inlineLen;
}

/**
 * A new item with the key copied in; META, NUM, PTR and the inline bytes are the caller's to set
 * (ITEM_LONG is added by itself where the key needs it). 0 when memory ran out. May grow memory.
 */
export function itemNew(flags: u32, keyPtr: usize, keyLen: u32, inlineLen: u32): usize {
  if (keyLen >= KEYLEN_LONG) flags |= ITEM_LONG;
  const keyOff = itemKeyOff(flags);
  const item = alloc(keyOff + keyLen + inlineLen);
  if (item == 0) return 0;
  store<u8>(item, <u8>flags);
  if (keyLen < KEYLEN_LONG) {
    store<u8>(item, <u8>keyLen, OFF_KEYLEN);
  } else {
    store<u8>(item, <u8>KEYLEN_LONG, OFF_KEYLEN);
    store<u32>(item + HEADER + ((flags & ITEM_META) << 2), keyLen);
  }
  store<u16>(item, <u16>inlineLen, OFF_VALLEN);
  memory.copy(item + keyOff, keyPtr, keyLen);
  return item;
}

/** Whether the item's key is these bytes. */
// @ts-ignore: decorator
@inline export function itemKeyEquals(item: usize, keyPtr: usize, keyLen: u32): bool {
  if (itemKeyLen(item) != keyLen) return false;
  return keyBytesEqual(itemKeyPtr(item), keyPtr, keyLen);
}

// @ts-ignore: decorator
@inline function keyBytesEqual(a: usize, b: usize, len: u32): bool {
  let i: u32 = 0;
  while (i + 8 <= len) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
    i += 8;
  }
  while (i < len) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
    i++;
  }
  return true;
}

/**
 * Adds or drops optional parts (NUM, PTR, META) in front of the key, keeping key and inline value;
 * the added parts hold garbage until set, those kept keep their content. The item may move: returns
 * its address, or 0 when it had to grow and memory ran out (the item is unchanged). Dropping parts
 * cannot fail. May grow memory.
 */
export function itemReshape(item: usize, flags: u32): usize {
  const old = itemFlags(item);
  const oldOff = itemKeyOff(old);
  const newOff = itemKeyOff(flags);
  const inlineLen: u32 = old & ITEM_INLINE ? itemInlineLen(item) : 0;
  const tail: usize = <usize>itemKeyLen(item) + inlineLen;
  const meta = old & ITEM_META ? itemMeta(item) : 0;
  const num: i64 = old & ITEM_NUM ? load<i64>(item + numOff(old)) : 0;
  const value: u32 = old & ITEM_PTR ? load<u32>(item + ptrOff(old)) : 0;
  const longLen = itemKeyLen(item);
  let to = item;
  const size = goodSize(newOff + tail);
  if (size != usableSize(item)) {
    const fresh = alloc(newOff + tail);
    if (fresh != 0) {
      to = fresh;
      store<u32>(to, load<u32>(item));
    } else if (newOff > oldOff && newOff + tail > usableSize(item)) {
      return 0;
    }
  }
  memory.copy(to + newOff, item + oldOff, tail);
  if (to != item) free(item);
  store<u8>(to, <u8>flags);
  if (flags & ITEM_META) itemSetMeta(to, meta);
  if (flags & ITEM_LONG) store<u32>(to + HEADER + ((flags & ITEM_META) << 2), longLen);
  if (flags & ITEM_NUM) store<i64>(to + numOff(flags), num);
  if (flags & ITEM_PTR) store<u32>(to + ptrOff(flags), value);
  return to;
}
