/**
 * Which hashes of a database have fields that expire, and when the next of them does: a sorted set
 * of the names of their keys by that time. The clean-up cycle (hash-fields.ts) takes the earliest.
 *
 * A ticket is never too late: it is entered before a field gets its expiry. It may be too early,
 * because nobody moves it when a field loses its expiry or goes; the cycle that meets such a ticket
 * writes the right time on it, or drops it. It goes with its key (db.ts calls here wherever an
 * entry comes or goes), so there are at most as many tickets as hashes.
 *
 *   Tickets (12 bytes, part of a database): a holder (types/holder.ts), PTR 0 = never used
 */
import {
  ITEM_META,
  ITEM_PTR,
  itemKeyLen,
  itemKeyPtr,
  itemMeta,
  itemValue,
} from '../hashtable/item';
import { ADD_OOM, elScore } from '../types/element';
import { hashValueMinExpire } from '../types/hash';
import { objEncoding, objType, objValue } from '../types/holder';
import { metaEncoding, metaType, TYPE_HASH } from '../types/object';
import {
  zsetAdd,
  zsetEdge,
  zsetLen,
  zsetNew,
  zsetRemove,
  zsetRemoveEdge,
  zsetScore,
} from '../types/zset';
import { freeValue } from './value';

export const TICKETS_SIZE: usize = 12;

/** Number of tickets. */
// @ts-ignore: decorator
@inline export function ticketsCount(tickets: usize): u32 {
  return isUsed(tickets) ? zsetLen(tickets) : 0;
}

// @ts-ignore: decorator
@inline function isUsed(tickets: usize): bool {
  return load<u8>(tickets) != 0;
}

/**
 * Sees to a ticket of `ms` or earlier for the hash under a key. False: out of memory, nothing
 * changed. May grow memory. O(log n).
 */
export function ticketEnter(tickets: usize, key: usize, keyLen: u32, ms: i64): bool {
  if (!isUsed(tickets)) {
    store<u8>(tickets, <u8>(ITEM_META | ITEM_PTR));
    // A count that is too much for a listpack: changes must not cost O(n).
    if (!zsetNew(tickets, u64.MAX_VALUE, keyLen)) {
      store<u8>(tickets, 0);
      return false;
    }
  } else if (zsetScore(tickets, key, keyLen) && elScore <= <f64>ms) {
    return true;
  }
  return zsetAdd(tickets, <f64>ms, key, keyLen) != ADD_OOM;
}

/** The same for an entry that is to come, whatever it holds. */
// @ts-ignore: decorator
@inline export function ticketEnterItem(tickets: usize, item: usize): bool {
  return metaType(itemMeta(item)) != TYPE_HASH || enterHash(tickets, item);
}

function enterHash(tickets: usize, item: usize): bool {
  const least = hashValueMinExpire(metaEncoding(itemMeta(item)), itemValue(item));
  return least < 0 || ticketEnter(tickets, itemKeyPtr(item), itemKeyLen(item), least);
}

/** Takes the ticket of an entry away, if it has one. */
// @ts-ignore: decorator
@inline export function ticketDrop(tickets: usize, item: usize): void {
  if (isUsed(tickets)) zsetRemove(tickets, itemKeyPtr(item), itemKeyLen(item));
}

/** Reads the earliest ticket: the key in elPtr, elLen; its time, -1 = there are no tickets. */
export function ticketFirst(tickets: usize): i64 {
  if (ticketsCount(tickets) == 0) return -1;
  zsetEdge(tickets, false);
  return <i64>elScore;
}

/** Takes the earliest ticket away. */
export function ticketDropFirst(tickets: usize): void {
  zsetRemoveEdge(tickets, false);
}

/** Writes a later time on an entry's ticket; without memory for that it stays as it is. */
export function ticketPostpone(tickets: usize, item: usize, ms: i64): void {
  zsetAdd(tickets, <f64>ms, itemKeyPtr(item), itemKeyLen(item));
}

/** Takes all tickets away; their memory is freed later. */
export function ticketsClear(tickets: usize): void {
  if (!isUsed(tickets)) return;
  freeValue(objType(tickets), objEncoding(tickets), objValue(tickets));
  store<u8>(tickets, 0);
}
