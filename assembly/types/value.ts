/**
 * What can be done with a value of any type without knowing which: free it, say how much work that
 * is, copy it, count and measure it.
 *
 * A value is named by type, encoding and address, as an entry's META and PTR give them. Strings out
 * of line are blobs (inline ones are part of the entry and never come here); the other types have a
 * file each.
 */
import { free, usableSize } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { lpDup } from '../encoding/listpack';
import { hashCount } from './hash';
import { tableCount, tableDup, tableFreeStep, tableMemory } from './hash-table';
import { listCount, listDup, listEffort, listFreeStep, listMemory } from './list';
import {
  ENC_HT,
  ENC_SKIPLIST,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from './object';
import { setCount, setDup, setFreeStep, setMemory } from './set';
import { streamLength } from './stream-layout';
import { streamDup, streamFreeEffort, streamFreeStep, streamMemory } from './stream-life';
import { zsetCount, zsetDup, zsetFreeStep, zsetMemory } from './zset';

/** Frees a value and all it owns. O(elements). */
export function valueFree(type: u32, encoding: u32, value: usize): void {
  while (!valueFreeStep(type, encoding, value, u32.MAX_VALUE)) {}
}

/** How many separate blocks freeing would touch, about; 1 = it is one block. O(1). */
export function valueFreeEffort(type: u32, encoding: u32, value: usize): u32 {
  if (type == TYPE_LIST) return listEffort(value);
  if (type == TYPE_SET && encoding == ENC_HT) return setCount(encoding, value);
  if (type == TYPE_HASH && encoding == ENC_HT) return tableCount(value);
  if (type == TYPE_ZSET && encoding == ENC_SKIPLIST) return zsetCount(encoding, value);
  if (type == TYPE_STREAM) return streamFreeEffort(value);
  return 1;
}

/**
 * Frees about `budget` elements (at least one segment of a table, some 600); true when the value
 * is gone. Once begun, nothing else may be done with the value.
 */
export function valueFreeStep(type: u32, encoding: u32, value: usize, budget: u32): bool {
  if (type == TYPE_LIST) return listFreeStep(value, budget);
  if (type == TYPE_SET) return setFreeStep(encoding, value, budget);
  if (type == TYPE_HASH && encoding == ENC_HT) return tableFreeStep(value, budget);
  if (type == TYPE_ZSET) return zsetFreeStep(encoding, value, budget);
  if (type == TYPE_STREAM) return streamFreeStep(value, budget);
  free(value);
  return true;
}

/** An independent copy of a value in the same encoding; 0 when memory ran out. O(bytes). */
export function valueDup(type: u32, encoding: u32, value: usize): usize {
  switch (type) {
    case TYPE_STRING:
      return blobNew(blobPtr(value), blobLen(value));
    case TYPE_LIST:
      return listDup(value);
    case TYPE_SET:
      return setDup(encoding, value);
    case TYPE_HASH:
      return encoding == ENC_HT ? tableDup(value) : lpDup(value);
    case TYPE_ZSET:
      return zsetDup(encoding, value);
    case TYPE_STREAM:
      return streamDup(value);
    default:
      return 0;
  }
}

/** Number of elements; for a string the bytes. */
export function valueLength(type: u32, encoding: u32, value: usize): u32 {
  switch (type) {
    case TYPE_STRING:
      return blobLen(value);
    case TYPE_LIST:
      return listCount(value);
    case TYPE_SET:
      return setCount(encoding, value);
    case TYPE_HASH:
      return hashCount(encoding, value);
    case TYPE_ZSET:
      return zsetCount(encoding, value);
    case TYPE_STREAM:
      return <u32>min<u64>(streamLength(value), u32.MAX_VALUE);
    default:
      return 0;
  }
}

/** Bytes of memory a value takes, estimated from `samples` elements (0 = all of them). */
export function valueMemory(type: u32, encoding: u32, value: usize, samples: u32): usize {
  switch (type) {
    case TYPE_LIST:
      return listMemory(value, samples);
    case TYPE_SET:
      return setMemory(encoding, value, samples);
    case TYPE_HASH:
      return encoding == ENC_HT ? tableMemory(value, samples) : usableSize(value);
    case TYPE_ZSET:
      return zsetMemory(encoding, value, samples);
    case TYPE_STREAM:
      return streamMemory(value);
    default:
      return usableSize(value);
  }
}
