// The core with windows into it that the product has no use for: what an entry looks like, and
// allocations that fail on demand.
import { allocFaultCountdown, usedMemory } from '../../../../assembly/base/alloc';
import { bitsCount, bitsFind } from '../../../../assembly/base/bits';
import { itemExpire, itemMeta } from '../../../../assembly/hashtable/item';
import { dbAdd, dbAt, dbDelete, dbFindRaw } from '../../../../assembly/keyspace/db';
import { dirty } from '../../../../assembly/keyspace/state';
import { listCreate } from '../../../../assembly/types/list';
import {
  ENC_QUICKLIST,
  metaEncoding,
  metaType,
  TYPE_LIST,
} from '../../../../assembly/types/object';

export * from '../../../../assembly/index';

/** type | encoding << 8 of a key in database 0; -1 = there is none. */
export function debugKind(ptr: usize, len: u32): i32 {
  const item = dbFindRaw(dbAt(0), ptr, len);
  if (item == 0) return -1;
  const meta = itemMeta(item);
  return <i32>(metaType(meta) | (metaEncoding(meta) << 8));
}

export function debugExpire(ptr: usize, len: u32): f64 {
  const item = dbFindRaw(dbAt(0), ptr, len);
  return item == 0 ? -2 : <f64>itemExpire(item);
}

/** Makes a key of another type. */
export function debugAddList(ptr: usize, len: u32): void {
  dbDelete(dbAt(0), ptr, len);
  dbAdd(dbAt(0), ptr, len, TYPE_LIST | (ENC_QUICKLIST << 4), listCreate());
}

export function debugDelete(ptr: usize, len: u32): void {
  dbDelete(dbAt(0), ptr, len);
}

export function debugUsed(): f64 {
  return <f64>usedMemory;
}

export function debugDirty(): f64 {
  return <f64>dirty;
}

/** The allocation after `n` more fails; -1 = none does. Needs a build with ALLOC_FAULTS. */
export function debugFailAfter(n: i32): void {
  // @ts-ignore: module variables are assignable across files in AssemblyScript
  allocFaultCountdown = n;
}

export function debugCount(ptr: usize, len: usize): f64 {
  return <f64>bitsCount(ptr, len);
}

export function debugFind(ptr: usize, len: usize, bit: bool): f64 {
  return <f64>bitsFind(ptr, len, bit);
}

/** Whether the failure asked for is still to come. */
export function debugFailWaits(): bool {
  return allocFaultCountdown >= 0;
}
