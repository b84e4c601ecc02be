/**
 * The object: what the functions of types/ work on.
 *
 * An object is an item (hashtable/item.ts) with META and PTR: META says type and encoding, PTR is
 * the value. A keyspace entry of a collection is such an item, so commands pass the entry itself;
 * a change of encoding or a moved block is written back into it, and nobody needs to care. Items do
 * not move when their value does.
 *
 * Values that are not in a database yet (a load, RESTORE, the result of a STORE command) stand in a
 * *holder*: an object without a key, in static memory. When it is complete, its value goes into the
 * keyspace: `dbAdd(db, key, len, objKind(holder), objValue(holder))`.
 *
 *   holder   flags u8 | 0 u8 | 0 u16 | META u32 | PTR u32        (12 bytes, an item without a key)
 *
 * Ownership: the object owns its value. Nothing here frees a value.
 */
import {
  ITEM_META,
  ITEM_PTR,
  itemMeta,
  itemSetMeta,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import { metaClock, metaEncoding, metaOf, metaType } from './object';

const HOLDER_SIZE: usize = 16;
/** Holders there are: `holder(0)` … `holder(HOLDER_COUNT - 1)`. */
export const HOLDER_COUNT: u32 = 8;
const holders = memory.data(128, 8);

/** One of the static holders, as it was left. `objMake` gives it a value. */
export function holder(index: u32): usize {
  const at = holders + <usize>index * HOLDER_SIZE;
  store<u8>(at, <u8>(ITEM_META | ITEM_PTR));
  return at;
}

/** Makes the object a value of this type and encoding; the clock stays. */
// @ts-ignore: decorator
@inline export function objMake(obj: usize, type: u32, encoding: u32, value: usize): void {
  itemSetMeta(obj, metaOf(type, encoding, metaClock(itemMeta(obj))));
  itemSetValue(obj, value);
}

/** Another encoding and value, type and clock stay. */
// @ts-ignore: decorator
@inline export function objChange(obj: usize, encoding: u32, value: usize): void {
  const meta = itemMeta(obj);
  itemSetMeta(obj, metaOf(metaType(meta), encoding, metaClock(meta)));
  itemSetValue(obj, value);
}

/** The value moved, all else is as it was. */
// @ts-ignore: decorator
@inline export function objMoved(obj: usize, value: usize): void {
  itemSetValue(obj, value);
}

// @ts-ignore: decorator
@inline export function objType(obj: usize): u32 {
  return metaType(itemMeta(obj));
}

// @ts-ignore: decorator
@inline export function objEncoding(obj: usize): u32 {
  return metaEncoding(itemMeta(obj));
}

/** Type and encoding as `dbAdd` wants them: META without a clock. */
// @ts-ignore: decorator
@inline export function objKind(obj: usize): u32 {
  return itemMeta(obj) & 0xff;
}

// @ts-ignore: decorator
@inline export function objValue(obj: usize): usize {
  return itemValue(obj);
}
