/**
 * The core without host and clients, for test/bench/micro.mjs: loops over request framing and over
 * the table, timed from outside. Keys are 16 bytes, `key:` and 12 digits, as redis-benchmark's.
 */
import { alloc, allocInit } from '../../assembly/base/alloc';
import { putDigits } from '../../assembly/base/numbers/integers';
import { prngBelow, prngSeed } from '../../assembly/base/prng';
import { sipSeed } from '../../assembly/base/siphash';
import { CLIENT_AUTHENTICATED, clientNew } from '../../assembly/clients/client';
import { batchCount, batchEnd, parseBatch } from '../../assembly/clients/query';
import { dbAt, dbInit, dbKeys, keyHashHint, lookupRead } from '../../assembly/keyspace/db';
import { htHash, htTouchGroups, htTouchItems } from '../../assembly/hashtable/hashtable';
import { stringRead, stringSet, strLen } from '../../assembly/keyspace/strings';

const KEY_LEN: u32 = 16;
let key: usize = 0;
let value: usize = 0;

export function init(): void {
  allocInit();
  sipSeed(1, 2);
  prngSeed(3, 4);
  dbInit(1);
  key = alloc(KEY_LEN);
  store<u32>(key, 0x3a79656b);
  value = alloc(64);
  memory.fill(value, 120, 64);
}

// @ts-ignore: decorator
@inline function makeKey(n: u32): void {
  putDigits(n, 12, key + 4);
}

/** SETs keys 0 … n-1 with 64-byte values. */
export function fill(n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    makeKey(i);
    stringSet(dbAt(0), key, KEY_LEN, value, 64);
  }
}

let order: usize = 0;

/** Writes down `count` random keys of n, so that making keys is not part of what is timed. */
export function shuffle(n: u32, count: u32): void {
  order = alloc(<usize>count * KEY_LEN);
  for (let i: u32 = 0; i < count; i++) {
    const at = order + (<usize>i << 4);
    store<u32>(at, 0x3a79656b);
    putDigits(prngBelow(n), 12, at + 4);
  }
}

/** GETs the first `count` of those keys; the sum of the lengths, so that the loads are kept. */
export function gets(count: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    stringRead(lookupRead(dbAt(0), order + (<usize>i << 4), KEY_LEN));
    sum += strLen;
  }
  return sum;
}

const BATCH: u32 = 32;
const batchHashes = memory.data(32 * 8, 16);

/** The same as commands run in a pipeline: hash, touch groups, touch entries, then GET. */
export function getsBatched(count: u32): u32 {
  const table = dbKeys(dbAt(0));
  let sum: u32 = 0;
  for (let done: u32 = 0; done < count; done += BATCH) {
    for (let i: u32 = 0; i < BATCH; i++) {
      const hash = htHash(order + (<usize>(done + i) << 4), KEY_LEN);
      store<u64>(batchHashes + (<usize>i << 3), hash);
    }
    htTouchGroups(table, batchHashes, BATCH);
    htTouchItems(table, batchHashes, BATCH, 64);
    for (let i: u32 = 0; i < BATCH; i++) {
      const at = order + (<usize>(done + i) << 4);
      keyHashHint(at, load<u64>(batchHashes + (<usize>i << 3)));
      stringRead(lookupRead(dbAt(0), at, KEY_LEN));
      sum += strLen;
    }
  }
  keyHashHint(0, 0);
  return sum;
}

/** SETs the first `count` of those keys. */
export function sets(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    stringSet(dbAt(0), order + (<usize>i << 4), KEY_LEN, value, 64);
  }
}

export function room(size: u32): usize {
  return alloc(size);
}

/** Frames the requests at [ptr, ptr + len) `times` times; how many there were in all. */
export function frames(ptr: usize, len: u32, times: u32): u32 {
  const c = clientNew(CLIENT_AUTHENTICATED, key, 4, key, 4);
  let found: u32 = 0;
  for (let i: u32 = 0; i < times; i++) {
    let p = ptr;
    while (p < ptr + len) {
      parseBatch(c, p, ptr + len);
      if (batchCount == 0) return 0;
      found += batchCount;
      p = batchEnd;
    }
  }
  return found;
}
