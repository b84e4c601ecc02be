/**
 * Commands on hashes: those that read.
 *
 * A field whose expiry has passed is not shown (on a master it is about to be removed, on a replica
 * the master will say so). Redis: HLEN counts it until then.
 */
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { loading, nowMs } from '../keyspace/state';
import { argRangeOrReplyText, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredMapEnd,
  replyError,
  replyInt,
  replyMap,
  replyNull,
} from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanNoValues,
  scanOptionsOrReply,
} from '../resp/scan-args';
import { elExpire, elLen, elPtr, valLen, valPtr } from '../types/element';
import { hashGet, hashLen, hashMinExpire, hashScan } from '../types/hash';
import { TYPE_HASH } from '../types/object';

/** What HPEXPIRETIME answers for a field that is not there, and for one without expiry. */
const NO_FIELD: i64 = -2;
const NO_EXPIRY: i64 = -1;

/** The hash in argument 1, 0 where there is none; false: it is something else, answered. */
let hash: usize = 0;
function hashOrReply(): bool {
  hash = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (hash == 0 || entryType(hash) == TYPE_HASH) return true;
  replyWrongType();
  return false;
}

/** Whether the field looked at has expired. */
// @ts-ignore: decorator
@inline function isFieldHidden(): bool {
  return elExpire >= 0 && elExpire < nowMs && !loading;
}

/** Finds a field that is to be seen; value and expiry are read. */
function findField(arg: u32): bool {
  return hash != 0 && hashGet(hash, argPtr(arg), argLen(arg)) && !isFieldHidden();
}

export function cmdHlen(): void {
  if (hashOrReply()) replyInt(hash == 0 ? 0 : hashLen(hash));
}

export function cmdHget(): void {
  if (!hashOrReply()) return;
  if (findField(2)) replyBulk(valPtr, valLen);
  else replyNull();
}

let shown: u32 = 0;

function replyPair(_arg: usize): void {
  if (isFieldHidden()) return;
  replyBulk(elPtr, elLen);
  replyBulk(valPtr, valLen);
  shown++;
}

export function cmdHgetall(): void {
  if (!hashOrReply()) return;
  if (hash == 0) {
    replyMap(0);
    return;
  }
  // Only where a field may have expired the number of pairs is not known beforehand.
  const least = hashMinExpire(hash);
  const known = least < 0 || least >= nowMs;
  let head: usize = 0;
  if (known) replyMap(hashLen(hash));
  else head = replyDeferred();
  shown = 0;
  let cursor: u64 = 0;
  do {
    cursor = hashScan(hash, cursor, replyPair, 0);
  } while (cursor != 0);
  if (!known) replyDeferredMapEnd(head, shown);
}

function showMatching(): u32 {
  if (isFieldHidden() || !scanMatches(elPtr, elLen)) return 0;
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

export function cmdHpexpiretime(): void {
  if (!hashOrReply()) return;
  if (!argIs(2, 'fields')) {
    replyError('ERR Mandatory argument FIELDS is missing or not at the right position');
    return;
  }
  const text = 'ERR Number of fields must be a positive integer';
  if (!argRangeOrReplyText(3, 1, i64.MAX_VALUE, text)) return;
  if (argInt != <i64>argc - 4) {
    replyError('ERR The `numfields` parameter must match the number of arguments');
    return;
  }
  replyArray(argInt);
  for (let i: u32 = 4; i < argc; i++) {
    if (!findField(i)) replyInt(NO_FIELD);
    else replyInt(elExpire < 0 ? NO_EXPIRY : elExpire);
  }
}
