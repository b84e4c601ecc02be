/**
 * What DEBUG tells of structures in memory: HTSTATS, HTSTATS-KEY, LISTPACK, QUICKLIST, SDSLEN; and
 * its test of the pattern matcher.
 *
 * Redis prints its own structures; these are ours, so only the heads of the texts are alike. Each
 * function puts its text into base/text.ts; those for a key answer false when the key's value is
 * not of the kind.
 */
import { usableSize } from '../base/alloc';
import { blobCap, blobLen } from '../base/blob';
import { globMatch } from '../base/glob';
import { textAdd, textAddInt, textBegin } from '../base/text';
import { lpBytes, lpLength } from '../encoding/listpack';
import { HashTable, htOverhead } from '../hashtable/hashtable';
import { ITEM_PTR, itemFlags, itemKeyLen, itemValue } from '../hashtable/item';
import { listCount, listEffort } from '../types/list';
import {
  ENC_HT,
  ENC_INT,
  ENC_LISTPACK,
  ENC_LISTPACK_EX,
  ENC_QUICKLIST,
  ENC_SKIPLIST,
  TYPE_STRING,
} from '../types/object';
import { valueLength, valueMemory } from '../types/value';
import { dbExpires, dbKeys, entryEncoding, entryType } from './db';
import { stringRead, strLen } from './strings';

function addNumber(label: string, value: u64): void {
  textAdd(label);
  textAddInt(<i64>value);
}

function addTable(title: string, t: HashTable): void {
  textAdd(title);
  if (t.count == 0) {
    textAdd('No stats available for empty dictionaries\n');
    return;
  }
  textAdd('Hash table 0 stats (main hash table):\n');
  addNumber(' table bytes: ', htOverhead(t));
  addNumber('\n number of elements: ', t.count);
  textAdd('\n');
}

export function inspectDatabase(db: usize): void {
  textBegin();
  addTable('[Dictionary HT]\n', dbKeys(db));
  addTable('[Expires HT]\n', dbExpires(db));
}

export function inspectTable(item: usize): bool {
  const encoding = entryEncoding(item);
  if (encoding != ENC_HT && encoding != ENC_SKIPLIST) return false;
  const type = entryType(item);
  textBegin();
  textAdd('Hash table 0 stats (main hash table):\n');
  addNumber(' value bytes: ', valueMemory(type, encoding, itemValue(item), 5));
  addNumber('\n number of elements: ', valueLength(type, encoding, itemValue(item)));
  textAdd('\n');
  return true;
}

export function inspectListpack(item: usize): bool {
  const encoding = entryEncoding(item);
  if (encoding != ENC_LISTPACK && encoding != ENC_LISTPACK_EX) return false;
  textBegin();
  addNumber('listpack entries:', lpLength(itemValue(item)));
  addNumber(' bytes:', lpBytes(itemValue(item)));
  return true;
}

export function inspectQuicklist(item: usize): bool {
  if (entryEncoding(item) != ENC_QUICKLIST) return false;
  textBegin();
  addNumber('quicklist entries:', listCount(itemValue(item)));
  addNumber(' nodes:', listEffort(itemValue(item)));
  return true;
}

export function inspectString(item: usize): bool {
  if (entryType(item) != TYPE_STRING || entryEncoding(item) == ENC_INT) return false;
  const isOut = (itemFlags(item) & ITEM_PTR) != 0;
  const value = isOut ? itemValue(item) : item;
  stringRead(item);
  textBegin();
  addNumber('key_sds_len:', itemKeyLen(item));
  addNumber(', key_sds_avail:0, key_zmalloc: ', usableSize(item));
  addNumber(', val_sds_len:', strLen);
  addNumber(', val_sds_avail:', isOut ? blobCap(value) - blobLen(value) : 0);
  addNumber(', val_zmalloc: ', usableSize(value));
  return true;
}

const GLOB_ROUNDS: u32 = 20000;
const GLOB_BYTES: u32 = 32;
const globBytes = memory.data(64);

/** Matches made-up texts and patterns of the characters that matter, as DEBUG STRINGMATCH-TEST. */
export function inspectGlob(): void {
  let seed: u32 = 1;
  for (let round: u32 = 0; round < GLOB_ROUNDS; round++) {
    for (let i: u32 = 0; i < GLOB_BYTES * 2; i++) {
      seed = seed * 1664525 + 1013904223;
      // From '*' to '^', so with ? [ \\ ] - and letters.
      const c: u32 = 42 + ((seed >>> 16) % 53);
      store<u8>(globBytes + i, <u8>c);
    }
    const patternLen = (seed >>> 8) % GLOB_BYTES;
    const textLen = (seed >>> 20) % GLOB_BYTES;
    globMatch(globBytes, patternLen, globBytes + GLOB_BYTES, textLen, (seed & 64) != 0);
  }
}
