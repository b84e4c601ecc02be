/** Commands on sorted sets by member: removing, scores, ranks, and ZSCAN. */
import { DOUBLE_CHARS_MAX, formatG17 } from '../base/numbers/format';
import { client } from '../clients/client';
import {
  dbAt,
  dbTakeFound,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { NOTIFY_GENERIC, NOTIFY_ZSET, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { freeEntry } from '../keyspace/value';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError, replyWrongArgs, replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDouble,
  replyInt,
  replyNull,
  replyNullArray,
} from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanOptionsOrReply,
} from '../resp/scan-args';
import { elLen, elPtr, elScore, valLen, valPtr } from '../types/element';
import { TYPE_ZSET } from '../types/object';
import { zsetLen, zsetRank, zsetRemove, zsetScan, zsetScore } from '../types/zset';

const scoreText = memory.data(<i32>DOUBLE_CHARS_MAX);

/** The sorted set in argument 1, 0 where there is none; false: it is something else, answered. */
let zset: usize = 0;
function zsetOrReply(): bool {
  zset = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

// ---- ZREM

export function cmdZrem(): void {
  const db = dbAt(client.db);
  zset = lookupWrite(db, argPtr(1), argLen(1));
  if (zset == 0) {
    replyInt(0);
    return;
  }
  if (entryType(zset) != TYPE_ZSET) {
    replyWrongType();
    return;
  }
  let removed: u32 = 0;
  for (let i: u32 = 2; i < argc; i++) {
    if (zsetRemove(zset, argPtr(i), argLen(i))) removed++;
    if (zsetLen(zset) == 0) break;
  }
  if (removed != 0) {
    notifyKeyspaceEvent(NOTIFY_ZSET, 'zrem', client.db, argPtr(1), argLen(1));
    if (zsetLen(zset) == 0) {
      freeEntry(dbTakeFound(db));
      notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(1), argLen(1));
    }
    signalModified(db, argPtr(1), argLen(1));
    markDirty(removed);
  }
  replyInt(removed);
}

// ---- reading by member

export function cmdZcard(): void {
  if (zsetOrReply()) replyInt(zset == 0 ? 0 : zsetLen(zset));
}

export function cmdZscore(): void {
  if (zsetOrReply()) replyScoreOf(2);
}

function replyScoreOf(i: u32): void {
  if (zset != 0 && zsetScore(zset, argPtr(i), argLen(i))) replyDouble(elScore);
  else replyNull();
}

export function cmdZmscore(): void {
  if (!zsetOrReply()) return;
  replyArray(<i64>argc - 2);
  for (let i: u32 = 2; i < argc; i++) replyScoreOf(i);
}

function rank(isReverse: bool): void {
  if (argc > 4) {
    replyWrongArgs(isReverse ? 'zrevrank' : 'zrank');
    return;
  }
  const withScore = argc == 4;
  if (withScore && !argIs(3, 'withscore')) {
    replySyntaxError();
    return;
  }
  if (!zsetOrReply()) return;
  const place = zset == 0 ? -1 : zsetRank(zset, argPtr(2), argLen(2));
  if (place < 0) {
    if (withScore) replyNullArray();
    else replyNull();
    return;
  }
  if (withScore) replyArray(2);
  replyInt(isReverse ? <i64>zsetLen(zset) - 1 - place : place);
  if (withScore) replyDouble(elScore);
}

export function cmdZrank(): void {
  rank(false);
}

export function cmdZrevrank(): void {
  rank(true);
}

// ---- ZSCAN

function showMatching(): u32 {
  if (!scanMatches(elPtr, elLen)) return 0;
  replyBulk(elPtr, elLen);
  if (valPtr != 0) replyBulk(valPtr, valLen);
  else replyBulk(scoreText, formatG17(elScore, scoreText));
  return 2;
}

export function cmdZscan(): void {
  if (!scanCursorOrReply(2) || !zsetOrReply()) return;
  if (zset == 0) {
    replyScanEmpty();
    return;
  }
  if (scanOptionsOrReply(3, false)) replyScan(zset, zsetScan, showMatching, 2);
}
