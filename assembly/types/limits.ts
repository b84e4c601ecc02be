/**
 * The thresholds at which collections change their encoding: redis.conf's directives, with the
 * defaults of Redis 7.2. Written by the host (`limitsSet`), read by the types.
 *
 * Redis: 7.0 has no listpack sets; `set-max-listpack-entries 0` gives exactly its behaviour.
 */

/** list-max-listpack-size: -1..-5 = 4..64 KiB a node, > 0 = elements a node (and 8 KiB). */
export let listMaxListpackSize: i32 = -2;
/** list-compress-depth. Accepted and told back; nodes are never compressed in memory here. */
export let listCompressDepth: u32 = 0;
/** Elements of at least this size get a node of their own (DEBUG QUICKLIST-PACKED-THRESHOLD). */
export let listPackedThreshold: u32 = 1 << 30;
export let hashMaxListpackEntries: u32 = 512;
export let hashMaxListpackValue: u32 = 64;
export let setMaxIntsetEntries: u32 = 512;
export let setMaxListpackEntries: u32 = 128;
export let setMaxListpackValue: u32 = 64;
export let zsetMaxListpackEntries: u32 = 128;
export let zsetMaxListpackValue: u32 = 64;
/** hll-sparse-max-bytes: a sparse HyperLogLog never grows beyond it. */
export let hllSparseMaxBytes: u32 = 3000;

export const LIMIT_LIST_SIZE: u32 = 0;
export const LIMIT_LIST_DEPTH: u32 = 1;
export const LIMIT_LIST_PACKED: u32 = 2;
export const LIMIT_HASH_ENTRIES: u32 = 3;
export const LIMIT_HASH_VALUE: u32 = 4;
export const LIMIT_SET_INTSET: u32 = 5;
export const LIMIT_SET_ENTRIES: u32 = 6;
export const LIMIT_SET_VALUE: u32 = 7;
export const LIMIT_ZSET_ENTRIES: u32 = 8;
export const LIMIT_ZSET_VALUE: u32 = 9;
export const LIMIT_HLL_SPARSE: u32 = 10;

/** Sets one of the LIMIT_*; values that are beyond 32 bits are the host's to cap. */
export function limitsSet(which: u32, value: i32): void {
  const n = <u32>value;
  switch (which) {
    // Redis: the fill factor is cut to -5 … 32767.
    case LIMIT_LIST_SIZE: listMaxListpackSize = min(max(value, -5), 32767); break;
    case LIMIT_LIST_DEPTH: listCompressDepth = n; break;
    case LIMIT_LIST_PACKED: listPackedThreshold = n; break;
    case LIMIT_HASH_ENTRIES: hashMaxListpackEntries = n; break;
    case LIMIT_HASH_VALUE: hashMaxListpackValue = n; break;
    case LIMIT_SET_INTSET: setMaxIntsetEntries = n; break;
    case LIMIT_SET_ENTRIES: setMaxListpackEntries = n; break;
    case LIMIT_SET_VALUE: setMaxListpackValue = n; break;
    case LIMIT_ZSET_ENTRIES: zsetMaxListpackEntries = n; break;
    case LIMIT_ZSET_VALUE: zsetMaxListpackValue = n; break;
    case LIMIT_HLL_SPARSE: hllSparseMaxBytes = n; break;
    default: break;
  }
}
