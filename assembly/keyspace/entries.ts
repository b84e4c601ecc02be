/**
 * Entries as wholes: given another key, copied, put in a database in place of what was there. For
 * RENAME, COPY, MOVE and RESTORE, whose values come from elsewhere and fit any type.
 *
 * An entry made here is in no table until `entryPut`. Until then whoever made it frees it, with
 * `free` where it shares its value with another entry, with `freeEntry` where it owns one.
 */
import { free } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import {
  ITEM_INLINE,
  ITEM_LONG,
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
  itemSetMeta,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import { ENC_INT, metaClock, metaEncoding, metaType, TYPE_STRING } from '../types/object';
import { valueDup } from '../types/value';
import {
  dbAddItem,
  dbFindRaw,
  dbReplaceFound,
  dbSetExpire,
  dbTickets,
  entryEncoding,
  foundHash,
  initialClock,
  isExpired,
  lruClock,
  notifyNew,
} from './db';
import { signalEntryAdded, waitedKeys } from './ready-keys';
import { ticketEnterItem } from './hash-tickets';
import { fromMaster, maxMemory, policyLfu } from './state';
import { stringInt } from './strings';

/** Integers of 0 … 9999 are shared objects in Redis, and say so by this count. */
const SHARED_INTS: u64 = 10000;
const SHARED_REFCOUNT: i64 = 2147483647;
const CLOCK_MASK: u32 = 0xffffff;

/** Whether a reader must not see an entry met in a walk: it has expired and is still there. */
export function entryIsHidden(item: usize): bool {
  return isExpired(item) && !fromMaster;
}

/**
 * A new entry with another key and everything else as `item` has it. A value out of line is shared
 * by both: one of them must go without its value. 0 when memory ran out. May grow memory.
 */
export function entryRekeyed(item: usize, key: usize, keyLen: u32): usize {
  const flags = itemFlags(item) & ~ITEM_LONG;
  const inline: u32 = flags & ITEM_INLINE ? itemInlineLen(item) : 0;
  const fresh = itemNew(flags, key, keyLen, inline);
  if (fresh == 0) return 0;
  itemSetMeta(fresh, itemMeta(item));
  if (flags & ITEM_NUM) itemSetExpire(fresh, itemExpire(item));
  if (flags & ITEM_PTR) itemSetValue(fresh, itemValue(item));
  if (inline != 0) memory.copy(itemInlinePtr(fresh), itemInlinePtr(item), inline);
  return fresh;
}

/**
 * An independent copy of an entry under another key, expiry included, with a new access clock. 0
 * when memory ran out. O(bytes of the value). May grow memory.
 */
export function entryCopied(item: usize, key: usize, keyLen: u32): usize {
  const fresh = entryRekeyed(item, key, keyLen);
  if (fresh == 0) return 0;
  const meta = itemMeta(item);
  itemSetMeta(fresh, (meta & 0xff) | (initialClock() << 8));
  if ((itemFlags(item) & ITEM_PTR) == 0) return fresh;
  const value = itemValue(item);
  const type = metaType(meta);
  const copy =
    type == TYPE_STRING
      ? blobNew(blobPtr(value), blobLen(value))
      : valueDup(type, metaEncoding(meta), value);
  if (copy == 0) {
    free(fresh);
    return 0;
  }
  itemSetValue(fresh, copy);
  return fresh;
}

/**
 * A new entry without expiry around a value out of line, which it owns. 0 when memory ran out: the
 * value is still the caller's. May grow memory.
 */
export function entryNew(key: usize, keyLen: u32, typeAndEncoding: u32, value: usize): usize {
  const fresh = itemNew(ITEM_META | ITEM_PTR, key, keyLen, 0);
  if (fresh == 0) return 0;
  itemSetMeta(fresh, typeAndEncoding | (initialClock() << 8));
  itemSetValue(fresh, value);
  return fresh;
}

/** Whether the last `entryPut` found another entry in its place. */
let wasThere: bool = false;

/**
 * Makes a ready entry the one of its key, freeing what was there. False when memory ran out:
 * nothing changed, the entry is still the caller's. Leaves `foundSlot` at it. May grow memory.
 */
export function entryPut(db: usize, fresh: usize): bool {
  const expires = (itemFlags(fresh) & ITEM_NUM) != 0;
  const old = dbFindRaw(db, itemKeyPtr(fresh), itemKeyLen(fresh));
  wasThere = old != 0;
  if (old == 0) return dbAddItem(db, fresh, foundHash);
  if (!ticketEnterItem(dbTickets(db), fresh)) return false;
  // The old entry gets the place in the expires table; from there on nothing can fail.
  if (expires && (itemFlags(old) & ITEM_NUM) == 0) {
    if (dbSetExpire(db, itemExpire(fresh)) == 0) return false;
  }
  dbReplaceFound(db, fresh, false);
  return true;
}

/**
 * The same for commands that (Redis:) delete what is there first, so that the key is a new one:
 * only then are those who wait for it told.
 */
export function entryPutNew(db: usize, fresh: usize): bool {
  if (!entryPut(db, fresh)) return false;
  if (wasThere) {
    notifyNew(db, fresh);
    if (waitedKeys != 0) signalEntryAdded(db, fresh, foundHash);
  }
  return true;
}

/** Reference count as Redis would tell it; no value is shared here. */
export function entryRefcount(item: usize): i64 {
  // Redis: under an LRU or LFU policy every entry needs a clock of its own, so nothing is shared.
  const shares = maxMemory == 0 || !policyLfu;
  if (!shares || entryEncoding(item) != ENC_INT) return 1;
  return <u64>stringInt(item) < SHARED_INTS ? SHARED_REFCOUNT : 1;
}

/** Seconds since the last access. */
export function entryIdle(item: usize): u32 {
  return (lruClock() - metaClock(itemMeta(item))) & CLOCK_MASK;
}
