/**
 * A sorted set made bit by bit in no order, where scores still change (ZUNION): members go into the
 * hash table first, the tree is made of them at the end, so no score moves anything.
 *
 *   buildBegin(obj)  buildPut(obj, …) …  buildEnd(obj)
 *
 * Between the first and the last call the object is no sorted set: it may only be freed.
 */
import { free } from '../base/alloc';
import {
  htFind,
  htHash,
  htInsertSlot,
  htItem,
  htScan,
  htSetItem,
} from '../hashtable/hashtable';
import { ITEM_NUM, itemNew } from '../hashtable/item';
import { objValue } from './holder';
import { RankTree, treeInsert } from './rank-tree';
import { zsetNewTree, zsetOrder, zsetTable } from './zset';

/** The last `buildPut` met a new member: its score is the caller's to set. */
export let buildIsNew: bool = false;

/** Makes `obj` a set to be built. False: out of memory. */
export function buildBegin(obj: usize): bool {
  return zsetNewTree(obj);
}

/**
 * The item of a member, added if it is new; 0: out of memory. Its score may be set until buildEnd
 * (itemSetScore). May grow memory. O(1).
 */
export function buildPut(obj: usize, ptr: usize, len: u32): usize {
  const table = zsetTable(objValue(obj));
  const hash = htHash(ptr, len);
  const found = htFind(table, ptr, len, hash);
  buildIsNew = found == 0;
  if (found != 0) return htItem(found);
  const item = itemNew(ITEM_NUM, ptr, len, 0);
  if (item == 0) return 0;
  const slot = htInsertSlot(table, hash);
  if (slot == 0) {
    free(item);
    return 0;
  }
  htSetItem(slot, item);
  return item;
}

let order: RankTree = changetype<RankTree>(0);
let failed: bool = false;
function orderItem(item: usize, _arg: usize): void {
  if (!failed) failed = !treeInsert(order, item);
}

/** Makes `obj` a sorted set (a tree) of what was put. False: out of memory, to be freed. */
export function buildEnd(obj: usize): bool {
  const value = objValue(obj);
  order = zsetOrder(value);
  failed = false;
  let cursor: u64 = 0;
  do {
    cursor = htScan(zsetTable(value), cursor, orderItem, 0);
  } while (cursor != 0 && !failed);
  return !failed;
}
