/**
 * Taking members off the ends of sorted sets: ZPOPMIN ZPOPMAX ZMPOP, and the inner part that the
 * blocking forms share.
 */
import { client } from '../clients/client';
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import { dbAt, dbTakeFound, entryType, lookupWrite, signalModified } from '../keyspace/db';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { NOTIFY_GENERIC, NOTIFY_ZSET, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { freeEntry } from '../keyspace/value';
import { argInt, argPositiveOrReply, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError, replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDouble,
  replyNullArray,
  respVersion,
} from '../resp/reply';
import { elLen, elPtr, elScore } from '../types/element';
import { TYPE_ZSET } from '../types/object';
import { zsetEdge, zsetLen, zsetRemoveEdge } from '../types/zset';

/** Shapes of the reply: member, score, member, score … in one array; */
export const POP_FLAT: u32 = 0;
/** an array of pairs; */
export const POP_PAIRS: u32 = 1;
/** one array of key, member, score (BZPOPMIN); */
export const POP_KEY_FLAT: u32 = 2;
/** the key and an array of pairs (ZMPOP). */
export const POP_KEY_PAIRS: u32 = 3;

/**
 * Takes the lowest (`isMax`: highest) members off the sorted set `entry` of database `db`, at most
 * `count` (> 0), answers with them, tells who watches and listens, and deletes the key when it
 * became empty. The entry is the one of the last lookup. Returns how many were taken; the effect
 * beyond the command's own form is the caller's to write. Never needs memory (but for the reply).
 */
export function popMembers(db: u32, entry: usize, isMax: bool, count: u64, shape: u32): u32 {
  const key = itemKeyPtr(entry);
  const keyLen = itemKeyLen(entry);
  const n = <u32>min(count, <u64>zsetLen(entry));
  if (shape == POP_KEY_FLAT) {
    replyArray(<i64>n * 2 + 1);
    replyBulk(key, keyLen);
  } else if (shape == POP_KEY_PAIRS) {
    replyArray(2);
    replyBulk(key, keyLen);
    replyArray(n);
  } else {
    replyArray(shape == POP_FLAT ? <i64>n * 2 : <i64>n);
  }
  const isPaired = (shape & POP_PAIRS) != 0;
  for (let left = n; left != 0; left--) {
    zsetEdge(entry, isMax);
    if (isPaired) replyArray(2);
    replyBulk(elPtr, elLen);
    replyDouble(elScore);
    zsetRemoveEdge(entry, isMax);
  }
  markDirty(n);
  notifyKeyspaceEvent(NOTIFY_ZSET, isMax ? 'zpopmax' : 'zpopmin', db, key, keyLen);
  signalModified(dbAt(db), key, keyLen);
  if (zsetLen(entry) == 0) {
    dbTakeFound(dbAt(db));
    notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', db, key, keyLen);
    freeEntry(entry);
  }
  return n;
}

function pop(isMax: bool): void {
  if (argc > 3) {
    replySyntaxError();
    return;
  }
  let count: i64 = 1;
  if (argc == 3) {
    if (!argPositiveOrReply(2)) return;
    count = argInt;
  }
  const entry = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (entry != 0 && entryType(entry) != TYPE_ZSET) {
    replyWrongType();
    return;
  }
  if (entry == 0 || count == 0) {
    replyArray(0);
    return;
  }
  const shape = respVersion > 2 && argc == 3 ? POP_PAIRS : POP_FLAT;
  popMembers(client.db, entry, isMax, count, shape);
}

export function cmdZpopmin(): void {
  pop(false);
}

export function cmdZpopmax(): void {
  pop(true);
}

/** What `popArgsOrReply` read. */
export let popFirstKey: u32 = 0;
export let popKeyCount: u32 = 0;
export let popIsMax: bool = false;
export let popCount: i64 = 0;

/** Reads `numkeys key … MIN|MAX [COUNT n]`, numkeys in argument `at`; false: answered. */
export function popArgsOrReply(at: u32): bool {
  const keysText = 'ERR numkeys should be greater than 0';
  if (!argRangeOrReplyText(at, 1, i64.MAX_VALUE, keysText)) return false;
  // Redis: there must be a word behind the keys.
  if (argInt >= <i64>(argc - at - 1)) {
    replySyntaxError();
    return false;
  }
  popFirstKey = at + 1;
  popKeyCount = <u32>argInt;
  const where = popFirstKey + popKeyCount;
  popIsMax = argIs(where, 'max');
  if (!popIsMax && !argIs(where, 'min')) {
    replySyntaxError();
    return false;
  }
  popCount = 0;
  for (let i = where + 1; i < argc; i += 2) {
    if (popCount != 0 || !argIs(i, 'count') || i + 1 >= argc) {
      replySyntaxError();
      return false;
    }
    const countText = 'ERR count should be greater than 0';
    if (!argRangeOrReplyText(i + 1, 1, i64.MAX_VALUE, countText)) return false;
    popCount = argInt;
  }
  if (popCount == 0) popCount = 1;
  return true;
}

/** Writes the effect of a pop from the key at `key`: ZPOPMIN or ZPOPMAX with the number taken. */
export function popEffect(db: u32, key: usize, keyLen: u32, taken: u32): void {
  effectBegin(db, 3);
  effectLiteral(popIsMax ? 'ZPOPMAX' : 'ZPOPMIN');
  effectArg(key, keyLen);
  effectInt(taken);
}

/**
 * Pops from the first of the keys read by `popArgsOrReply` that is there. False: none is, not
 * answered.
 */
export function popFirstOf(): bool {
  const db = dbAt(client.db);
  for (let i = popFirstKey; i < popFirstKey + popKeyCount; i++) {
    const entry = lookupWrite(db, argPtr(i), argLen(i));
    if (entry == 0) continue;
    if (entryType(entry) != TYPE_ZSET) {
      replyWrongType();
      return true;
    }
    const taken = popMembers(client.db, entry, popIsMax, popCount, POP_KEY_PAIRS);
    popEffect(client.db, argPtr(i), argLen(i), taken);
    return true;
  }
  return false;
}

export function cmdZmpop(): void {
  if (popArgsOrReply(1) && !popFirstOf()) replyNullArray();
}
