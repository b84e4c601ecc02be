/**
 * What the files of each RDB version can hold: the rules of rewriting, without the writing.
 *
 * Source: RDB.md sections 1, 3 and 4. Redis' versions are 1 to 15; Valkey's 80 shares the types up
 * to 21 and has a hash with field expiries of its own (22).
 */
import { RdbReader } from '../rdb/input';
import {
  RDB_VALKEY_VERSION, RDB_VERSION_MAX, TYPE_ARRAY, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_EX,
  TYPE_HASH_LISTPACK_EX_PRE_GA, TYPE_HASH_META, TYPE_HASH_META_PRE_GA, TYPE_HASH_ZIPLIST,
  TYPE_HASH_ZIPMAP, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2, TYPE_LIST_ZIPLIST, TYPE_MODULE_2,
  TYPE_SET_INTSET, TYPE_SET_LISTPACK, TYPE_STREAM, TYPE_STREAM_2, TYPE_STREAM_3, TYPE_STREAM_4,
  TYPE_STREAM_5, TYPE_ZSET, TYPE_ZSET_2, TYPE_ZSET_LISTPACK, TYPE_ZSET_ZIPLIST,
} from '../rdb/opcodes';
import { isTemplateType } from '../rdb/templates';

/** The version that is written. Valkey's is 80. */
export let target: u32 = 0;
export let targetIsValkey: bool = false;
/** Integers in ziplists as before RDB 6. */
export let targetHasOldInts: bool = false;

/** First versions that have what the name says. */
export const SINCE_EXPIRE_MS: u32 = 3;
export const SINCE_CHECKSUM: u32 = 5;
const SINCE_SMALL_INTS: u32 = 6;
export const SINCE_AUX: u32 = 7;
export const SINCE_MODULES: u32 = 8;
export const SINCE_MODULE_AUX: u32 = 9;
export const SINCE_STREAMS: u32 = 9;
export const SINCE_EVICTION: u32 = 9;
export const SINCE_FUNCTIONS: u32 = 10;
export const SINCE_VECTOR_SETS: u32 = 12;
export const SINCE_SLOT_INFO: u32 = 12;
export const SINCE_KEY_META: u32 = 13;
const NEVER: u32 = 0xffff;

/** Sets the version; 0: that of the file, or the newest known below it. */
export function targetSet(r: RdbReader, version: u32, isValkey: bool): void {
  if (version == 0) {
    targetIsValkey = r.isValkey;
    target = r.isValkey ? RDB_VALKEY_VERSION : min(r.version, RDB_VERSION_MAX);
  } else {
    targetIsValkey = isValkey;
    target = isValkey ? RDB_VALKEY_VERSION : version;
  }
  targetHasOldInts = target < SINCE_SMALL_INTS;
}

/** Redis' first version that reads the type. */
function sinceOf(type: u32): u32 {
  switch (type) {
    case TYPE_ZSET_2: return 8;
    case TYPE_MODULE_2: return SINCE_MODULES;
    case TYPE_HASH_ZIPMAP:
    case TYPE_LIST_ZIPLIST:
    case TYPE_SET_INTSET:
    case TYPE_ZSET_ZIPLIST: return 2;
    case TYPE_HASH_ZIPLIST: return 4;
    case TYPE_LIST_QUICKLIST: return 7;
    case TYPE_STREAM: return SINCE_STREAMS;
    case TYPE_HASH_LISTPACK:
    case TYPE_ZSET_LISTPACK:
    case TYPE_LIST_QUICKLIST_2:
    case TYPE_STREAM_2: return 10;
    case TYPE_SET_LISTPACK:
    case TYPE_STREAM_3: return 11;
    case TYPE_HASH_META:
    case TYPE_HASH_LISTPACK_EX: return 12;
    case TYPE_STREAM_4: return 13;
    case TYPE_STREAM_5:
    case TYPE_ARRAY: return 14;
    default: return type < TYPE_ZSET_2 ? 1 : NEVER;
  }
}

/** Whether servers of the target read a type of that number (as they mean it). */
export function targetHas(type: u32): bool {
  if (!targetIsValkey) return target >= sinceOf(type);
  return type == TYPE_HASH_META_PRE_GA || sinceOf(type) <= 11;
}

/** Whether the current value's bytes may stand in the target as they are. */
export function canCopy(r: RdbReader): bool {
  const type = r.type;
  // templates are declared in front of the file, for keys that may go elsewhere
  if (isTemplateType(type) || type == TYPE_HASH_LISTPACK_EX_PRE_GA) return false;
  if (type == TYPE_HASH_META_PRE_GA) return r.isValkey && targetIsValkey;
  const isZiplist = type == TYPE_LIST_ZIPLIST || type == TYPE_ZSET_ZIPLIST
    || type == TYPE_HASH_ZIPLIST;
  if (isZiplist && targetHasOldInts && r.version >= SINCE_SMALL_INTS) return false;
  return targetHas(type);
}

/** The newest type of a stream that the target has. */
export function streamTarget(): u32 {
  if (targetHas(TYPE_STREAM_5)) return TYPE_STREAM_5;
  if (targetHas(TYPE_STREAM_4)) return TYPE_STREAM_4;
  if (targetHas(TYPE_STREAM_3)) return TYPE_STREAM_3;
  return targetHas(TYPE_STREAM_2) ? TYPE_STREAM_2 : TYPE_STREAM;
}

/** How a sorted set is written member by member. */
export function plainZset(): u32 {
  return targetHas(TYPE_ZSET_2) ? TYPE_ZSET_2 : TYPE_ZSET;
}
