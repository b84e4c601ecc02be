// Test entry: the core with every stream function as an export, and a way to put a stream in a key.

import { free } from '../../../../assembly/base/alloc';
import { itemValue } from '../../../../assembly/hashtable/item';
import { dbAdd, dbAt, dbFindRaw, dbTakeFound } from '../../../../assembly/keyspace/db';
import { ENC_STREAM, TYPE_STREAM } from '../../../../assembly/types/object';

export { alloc, allocFaultCountdown, free, usedMemory } from '../../../../assembly/base/alloc';
export * from '../../../../assembly/index';
export * from '../../../../assembly/rdb/save-sink';
export * from '../../../../assembly/rdb/save-stream';
export { saveAll } from '../../../../assembly/rdb/save-value';
export * from '../../../../assembly/types/stream';
export * from '../../../../assembly/types/stream-group';
export * from '../../../../assembly/types/stream-idmp';
export * from '../../../../assembly/types/stream-iter';
export * from '../../../../assembly/types/stream-layout';
export * from '../../../../assembly/types/stream-life';
export * from '../../../../assembly/types/stream-load';
export * from '../../../../assembly/types/stream-names';
export * from '../../../../assembly/types/stream-node';
export * from '../../../../assembly/types/stream-offsets';
export * from '../../../../assembly/types/stream-tree';

/** Puts a stream in a key of database 0 (not there yet). */
export function keyPut(ptr: usize, len: u32, stream: usize): bool {
  dbFindRaw(dbAt(0), ptr, len);
  return dbAdd(dbAt(0), ptr, len, TYPE_STREAM | (ENC_STREAM << 4), stream) != 0;
}

/** Takes it out again; it is the caller's. */
export function keyTake(ptr: usize, len: u32): usize {
  if (!dbFindRaw(dbAt(0), ptr, len)) return 0;
  const item = dbTakeFound(dbAt(0));
  const stream = itemValue(item);
  free(item);
  return stream;
}
