// Compiled by asc, not by tsc: the loader, with what tests need to look at what it made.
import { alloc, allocFaultCountdown, allocInit, free, usedMemory } from '../../assembly/base/alloc';
import { prngSeed } from '../../assembly/base/prng';
import { sipSeed } from '../../assembly/base/siphash';
import { htScan } from '../../assembly/hashtable/hashtable';
import {
  itemExpire,
  itemKeyLen,
  itemKeyPtr,
  itemMeta,
  itemValue,
} from '../../assembly/hashtable/item';
import { dbAt, dbExpires, dbInit, dbKeys } from '../../assembly/keyspace/db';
import { functionsClear } from '../../assembly/keyspace/functions';
import { liveDrop } from '../../assembly/keyspace/side';
import { setPolicy } from '../../assembly/keyspace/state';
import { stringRead, strLen, strPtr } from '../../assembly/keyspace/strings';
import { freeValue, lazyFreeStep, lazyPending } from '../../assembly/keyspace/value';
import {
  loadAbort,
  loadBegin,
  loadCommit,
  loadConsumed,
  loadFeed,
  loadFinish,
} from '../../assembly/rdb/load';
import { infoReset, loadErrorText, loadInfoPtr } from '../../assembly/rdb/load-info';
import { loadValuePayload, payloadKind, payloadValue } from '../../assembly/rdb/load-payload';
import {
  rdbSetVersionMax,
  sinkBegin,
  sinkFailed,
  sinkLen,
  sinkPtr,
} from '../../assembly/rdb/save-sink';
import { saveAll, saveDumpTrailer, saveString } from '../../assembly/rdb/save-value';
import { limitsSet } from '../../assembly/types/limits';
import { metaEncoding, metaType, TYPE_STRING } from '../../assembly/types/object';

export {
  alloc,
  free,
  infoReset,
  limitsSet,
  loadAbort,
  loadBegin,
  loadCommit,
  loadConsumed,
  loadErrorText,
  loadFeed,
  loadFinish,
  loadInfoPtr as loadInfo,
  setPolicy,
};

export function init(databases: u32): bool {
  allocInit();
  sipSeed(1, 2);
  prngSeed(3, 4);
  return dbInit(databases);
}
export function used(): usize {
  return usedMemory;
}
/** The allocation after `n` more fails (-1: none). */
export function failAfter(n: i32): void {
  // biome-ignore lint/suspicious/noImportAssign: AssemblyScript's imports are the variables
  allocFaultCountdown = n;
}
/** Empties everything and frees what waits. */
export function flush(): void {
  liveDrop();
  functionsClear(false);
  settle();
}
export function settle(): void {
  while (lazyPending) lazyFreeStep(1 << 20);
}
export function keys(db: u32): u32 {
  return dbKeys(dbAt(db)).count;
}
export function expires(db: u32): u32 {
  return dbExpires(dbAt(db)).count;
}

let listAt: usize = 0;
function note(item: usize, _arg: usize): void {
  store<u32>(listAt, <u32>item);
  listAt += 4;
}
/** Addresses of all items of a database at `to` (u32 each). */
export function items(db: u32, to: usize): void {
  listAt = to;
  let cursor: u64 = 0;
  do {
    cursor = htScan(dbKeys(dbAt(db)), cursor, note, 0);
  } while (cursor != 0);
}
export function keyPtr(item: usize): usize {
  return itemKeyPtr(item);
}
export function keyLen(item: usize): u32 {
  return itemKeyLen(item);
}
export function meta(item: usize): u32 {
  return itemMeta(item);
}
export function expire(item: usize): f64 {
  return <f64>itemExpire(item);
}

/** DUMP of an item: bytes at dumpPtr(). */
export function dump(item: usize, versionMax: u32): u32 {
  rdbSetVersionMax(versionMax);
  sinkBegin();
  const type = metaType(itemMeta(item));
  if (type == TYPE_STRING) {
    stringRead(item);
    saveString(strPtr, strLen);
  } else {
    saveAll(type, metaEncoding(itemMeta(item)), itemValue(item));
  }
  saveDumpTrailer();
  return sinkFailed ? 0 : <u32>sinkLen;
}
export function dumpPtr(): usize {
  return sinkPtr;
}

/** RESTORE's value: an error, or 0 and it is freed again. */
export function payload(ptr: usize, len: u32): i32 {
  const code = loadValuePayload(ptr, len, 0);
  if (code == 0) freeValue(payloadKind & 15, payloadKind >>> 4, payloadValue);
  return code;
}
/** The same, then its DUMP; 0 on error. */
export function payloadDump(ptr: usize, len: u32): u32 {
  if (loadValuePayload(ptr, len, 0) != 0) return 0;
  rdbSetVersionMax(13);
  sinkBegin();
  saveAll(payloadKind & 15, payloadKind >>> 4, payloadValue);
  freeValue(payloadKind & 15, payloadKind >>> 4, payloadValue);
  saveDumpTrailer();
  return <u32>sinkLen;
}
