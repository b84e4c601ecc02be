/**
 * Commands on hashes that set, get and delete fields. Counting ones are in hash-number.ts, random
 * fields in hash-random.ts, expiries in hash-expire.ts and hash-ex.ts.
 */
import { client } from '../clients/client';
import { fieldIsHidden, fieldsSeen } from '../keyspace/hash-fields';
import { effectUpTo } from '../keyspace/whole-change';
import { argc, argLen, argPtr } from '../resp/args';
import { replyWrongArgs } from '../resp/errors';
import { replyArray, replyBulk, replyInt, replyMap, replyNull, replyOk } from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanNoValues,
  scanOptionsOrReply,
} from '../resp/scan-args';
import { elLen, elPtr, valLen, valPtr } from '../types/element';
import { hashDelete, hashEach, hashLen, hashScan } from '../types/hash';
import {
  dropIfEmpty,
  EXPIRE_DROP,
  findField,
  hash,
  hashOrReply,
  hashToWriteOrReply,
  noteChanged,
  pairsKept,
  putPairs,
  settle,
} from './hash-common';

// ---- changes

/** HSET and HMSET behind their names; how many fields are new, below 0: answered. */
function setPairs(): i32 {
  if (!hashToWriteOrReply()) return -1;
  settle(2, 2, true);
  const added = putPairs(2, EXPIRE_DROP);
  if (added >= 0) {
    noteChanged('hset', (argc - 2) / 2);
  } else if (pairsKept != 0) {
    effectUpTo(client.db, 2 + pairsKept * 2);
    noteChanged('hset', pairsKept);
  }
  return added;
}

export function cmdHset(): void {
  if (argc & 1) {
    replyWrongArgs('hset');
    return;
  }
  const added = setPairs();
  if (added >= 0) replyInt(added);
}

export function cmdHmset(): void {
  if (argc & 1) replyWrongArgs('hmset');
  else if (setPairs() >= 0) replyOk();
}

export function cmdHsetnx(): void {
  if (!hashToWriteOrReply()) return;
  settle(2, 2, true);
  if (findField(2)) {
    replyInt(0);
    return;
  }
  if (putPairs(2, EXPIRE_DROP) < 0) return;
  noteChanged('hset', 1);
  replyInt(1);
}

export function cmdHdel(): void {
  if (!hashToWriteOrReply()) return;
  settle(2, 1, true);
  let deleted: u32 = 0;
  for (let i: u32 = 2; hash != 0 && i < argc && hashLen(hash) != 0; i++) {
    if (hashDelete(hash, argPtr(i), argLen(i))) deleted++;
  }
  if (deleted != 0) {
    noteChanged('hdel', deleted);
    dropIfEmpty();
  }
  replyInt(deleted);
}

// ---- one field and several

export function cmdHget(): void {
  if (!hashOrReply()) return;
  settle(2, 1, false);
  if (findField(2)) replyBulk(valPtr, valLen);
  else replyNull();
}

export function cmdHmget(): void {
  if (!hashOrReply()) return;
  settle(2, 1, false);
  replyArray(argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    if (findField(i)) replyBulk(valPtr, valLen);
    else replyNull();
  }
}

export function cmdHexists(): void {
  if (!hashOrReply()) return;
  settle(2, 1, false);
  replyInt(findField(2) ? 1 : 0);
}

export function cmdHstrlen(): void {
  if (!hashOrReply()) return;
  settle(2, 1, false);
  replyInt(findField(2) ? valLen : 0);
}

// ---- all fields

/** Redis: fields that have expired count until they are removed. */
export function cmdHlen(): void {
  if (hashOrReply()) replyInt(hash == 0 ? 0 : hashLen(hash));
}

function replyField(_arg: usize): void {
  if (!fieldIsHidden()) replyBulk(elPtr, elLen);
}

function replyValue(_arg: usize): void {
  if (!fieldIsHidden()) replyBulk(valPtr, valLen);
}

function replyPair(_arg: usize): void {
  if (fieldIsHidden()) return;
  replyBulk(elPtr, elLen);
  replyBulk(valPtr, valLen);
}

export function cmdHkeys(): void {
  if (!hashOrReply()) return;
  replyArray(hash == 0 ? 0 : fieldsSeen(hash));
  if (hash != 0) hashEach(hash, replyField, 0);
}

export function cmdHvals(): void {
  if (!hashOrReply()) return;
  replyArray(hash == 0 ? 0 : fieldsSeen(hash));
  if (hash != 0) hashEach(hash, replyValue, 0);
}

export function cmdHgetall(): void {
  if (!hashOrReply()) return;
  replyMap(hash == 0 ? 0 : fieldsSeen(hash));
  if (hash != 0) hashEach(hash, replyPair, 0);
}

function showMatching(): u32 {
  if (fieldIsHidden() || !scanMatches(elPtr, elLen)) return 0;
  replyBulk(elPtr, elLen);
  if (scanNoValues) return 1;
  replyBulk(valPtr, valLen);
  return 2;
}

export function cmdHscan(): void {
  if (!scanCursorOrReply(2) || !hashOrReply()) return;
  if (hash == 0) {
    replyScanEmpty();
    return;
  }
  if (scanOptionsOrReply(3, true)) replyScan(hash, hashScan, showMatching, scanNoValues ? 1 : 2);
}
