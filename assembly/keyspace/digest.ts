/**
 * The digest of the data set that DEBUG DIGEST and DIGEST-VALUE tell: equal data, equal digest,
 * whatever the encodings and the order of unordered things. Redis' own construction over SHA-1, so
 * that two servers can be compared by it.
 *
 *   add(d, x)  d ^= sha1(x)                    order does not matter
 *   mix(d, x)  d ^= sha1(x); d = sha1(d)       order matters
 *
 * Redis: the type (big-endian) is mixed into a value's digest first, "!!expire!!" added last where
 * the key has an expiry; elements of sets, fields of hashes and members of sorted sets are added.
 */
import { sha1Raw } from '../base/sha1';
import { formatG17 } from '../base/numbers/format';
import { ull2string } from '../base/numbers/integers';
import { htScan } from '../hashtable/hashtable';
import { ITEM_NUM, itemFlags, itemKeyLen, itemKeyPtr, itemValue } from '../hashtable/item';
import { elLen, elPtr, elScore, elSetEntry, valLen, valPtr } from '../types/element';
import { hashScan } from '../types/hash';
import { ListPos, listRead, listSeek, listStep } from '../types/list';
import {
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from '../types/object';
import { setScan } from '../types/set';
import { iterBegin, iterNext, iterNode } from '../types/stream-iter';
import {
  entryMs,
  entrySeq,
  pairField,
  pairsBegin,
  pairsNext,
  pairValue,
} from '../types/stream-node';
import { zsetScan } from '../types/zset';
import { dbAt, dbCount, dbKeys, entryType } from './db';
import { stringRead, strLen, strPtr } from './strings';

const DIGEST_SIZE: usize = 20;
/** Of the data set, of a value, of an element. */
const total = memory.data(32, 8);
const value = memory.data(32, 8);
const element = memory.data(32, 8);
const scratch = memory.data(32, 8);
const hex = memory.data(48, 8);
const number = memory.data(64, 8);
const expireMark = memory.data<u8>([33, 33, 101, 120, 112, 105, 114, 101, 33, 33]);
const listPos = changetype<ListPos>(memory.data(64, 8));
const iterator = memory.data(64, 8);
/** Which digest `digestHex` shows. */
let shown: usize = total;

function clear(d: usize): void {
  memory.fill(d, 0, DIGEST_SIZE);
}

function xor(d: usize, other: usize): void {
  store<u64>(d, load<u64>(d) ^ load<u64>(other));
  store<u64>(d, load<u64>(d, 8) ^ load<u64>(other, 8), 8);
  store<u32>(d, load<u32>(d, 16) ^ load<u32>(other, 16), 16);
}

function add(d: usize, ptr: usize, len: usize): void {
  sha1Raw(ptr, len, scratch);
  xor(d, scratch);
}

function mix(d: usize, ptr: usize, len: usize): void {
  add(d, ptr, len);
  sha1Raw(d, DIGEST_SIZE, d);
}

function mixNumber(d: usize, n: u32): void {
  store<u32>(number, bswap<u32>(n));
  mix(d, number, 4);
}

function addMember(_arg: usize): void {
  add(value, elPtr, elLen);
}

function addField(_arg: usize): void {
  clear(element);
  mix(element, elPtr, elLen);
  mix(element, valPtr, valLen);
  add(value, element, DIGEST_SIZE);
}

function addScored(_arg: usize): void {
  clear(element);
  mix(element, elPtr, elLen);
  mix(element, number, formatG17(elScore, number));
  add(value, element, DIGEST_SIZE);
}

function mixList(item: usize): void {
  let more = listSeek(item, 0, listPos);
  while (more) {
    listRead(listPos);
    mix(value, elPtr, elLen);
    more = listStep(listPos, true);
  }
}

function mixScanned(item: usize, type: u32): void {
  let cursor: u64 = 0;
  do {
    if (type == TYPE_SET) cursor = setScan(item, cursor, addMember, 0);
    else if (type == TYPE_HASH) cursor = hashScan(item, cursor, addField, 0);
    else cursor = zsetScan(item, cursor, addScored, 0);
  } while (cursor != 0);
}

/** Entries with id and fields in their order; consumer groups do not count. */
function mixStream(item: usize): void {
  iterBegin(iterator, itemValue(item), false, 0, 0);
  while (iterNext(iterator)) {
    const head = ull2string(entryMs, number);
    store<u8>(number + head, 46);
    mix(value, number, head + 1 + ull2string(entrySeq, number + head + 1));
    pairsBegin();
    while (pairsNext(iterNode(iterator))) {
      elSetEntry(pairField);
      mix(value, elPtr, elLen);
      elSetEntry(pairValue);
      mix(value, elPtr, elLen);
    }
  }
}

/** Adds an entry's type, content and expiry to the digest `value`. O(bytes). */
function digestEntry(item: usize): void {
  const type = entryType(item);
  mixNumber(value, type);
  if (type == TYPE_STRING) {
    stringRead(item);
    mix(value, strPtr, strLen);
  } else if (type == TYPE_LIST) {
    mixList(item);
  } else if (type == TYPE_SET || type == TYPE_HASH || type == TYPE_ZSET) {
    mixScanned(item, type);
  } else if (type == TYPE_STREAM) {
    mixStream(item);
  }
  if (itemFlags(item) & ITEM_NUM) add(value, expireMark, 10);
}

/** The digest of one entry's value, for `digestHex`; all zero for 0. */
export function digestValue(item: usize): void {
  clear(value);
  shown = value;
  if (item != 0) digestEntry(item);
}

function addEntry(item: usize, _arg: usize): void {
  clear(value);
  mix(value, itemKeyPtr(item), itemKeyLen(item));
  digestEntry(item);
  add(total, value, DIGEST_SIZE);
}

/** The digest of all databases, for `digestHex`. O(bytes of the data set): for tests. */
export function digestAll(): void {
  clear(total);
  shown = total;
  for (let i: u32 = 0; i < dbCount; i++) {
    const keys = dbKeys(dbAt(i));
    if (keys.count == 0) continue;
    mixNumber(total, i);
    let cursor: u64 = 0;
    do {
      cursor = htScan(keys, cursor, addEntry, 0);
    } while (cursor != 0);
  }
}

/** The last digest as 40 hex digits. */
export function digestHex(): usize {
  for (let i: usize = 0; i < DIGEST_SIZE; i++) {
    const b: u32 = load<u8>(shown + i);
    store<u8>(hex + i * 2, <u8>digit(b >>> 4));
    store<u8>(hex + i * 2 + 1, <u8>digit(b & 15));
  }
  return hex;
}

function digit(n: u32): u32 {
  return n < 10 ? 48 + n : 87 + n;
}
