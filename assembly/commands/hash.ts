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
  replyDeferredArrayEnd,
  replyDeferredMapEnd,
  replyError,
  replyInt,
  replyMap,
  replyNull,
} from '../resp/reply';
import {
  replyScanCursor,
  replyScanEmpty,
  scanCount,
  scanCursor,
  scanCursorOrReply,
  scanMatches,
  scanNoValues,
  scanOptionsOrReply,
  scanSteps,
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
let met: i64 = 0;

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

function countPair(_arg: usize): void {
  met += scanNoValues ? 1 : 2;
}

function replyMatching(_arg: usize): void {
  if (isFieldHidden() || !scanMatches(elPtr, elLen)) return;
  replyBulk(elPtr, elLen);
  shown++;
  if (scanNoValues) return;
  replyBulk(valPtr, valLen);
  shown++;
}

export function cmdHscan(): void {
  if (!scanCursorOrReply(2) || !hashOrReply()) return;
  if (hash == 0) {
    replyScanEmpty();
    return;
  }
  if (!scanOptionsOrReply(3, true)) return;
  // As in SSCAN: the first walk finds the next cursor, the second one answers.
  const isPaired = !scanNoValues && scanCount <= i64.MAX_VALUE / 2;
  const wanted = isPaired ? scanCount * 2 : scanCount;
  let cursor = scanCursor;
  let steps: u64 = 0;
  met = 0;
  do {
    cursor = hashScan(hash, cursor, countPair, 0);
    steps++;
  } while (cursor != 0 && steps < scanSteps() && met < wanted);
  replyArray(2);
  replyScanCursor(cursor);
  shown = 0;
  const head = replyDeferred();
  cursor = scanCursor;
  while (steps-- != 0) cursor = hashScan(hash, cursor, replyMatching, 0);
  replyDeferredArrayEnd(head, shown);
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
