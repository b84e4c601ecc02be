/** Commands on sets: those that read. */
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredArrayEnd,
  replyInt,
  replySet,
} from '../resp/reply';
import {
  replyScanCursor,
  replyScanEmpty,
  scanCount,
  scanCursor,
  scanCursorOrReply,
  scanMatches,
  scanOptionsOrReply,
  scanSteps,
} from '../resp/scan-args';
import { elLen, elPtr } from '../types/element';
import { TYPE_SET } from '../types/object';
import { setHas, setLen, setScan } from '../types/set';

/** The set in argument 1, 0 where there is none; false: it is something else, answered. */
let set: usize = 0;
function setOrReply(): bool {
  set = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (set == 0 || entryType(set) == TYPE_SET) return true;
  replyWrongType();
  return false;
}

export function cmdScard(): void {
  if (setOrReply()) replyInt(set == 0 ? 0 : setLen(set));
}

export function cmdSismember(): void {
  if (setOrReply()) replyInt(set != 0 && setHas(set, argPtr(2), argLen(2)) ? 1 : 0);
}

function replyMember(_arg: usize): void {
  replyBulk(elPtr, elLen);
}

export function cmdSmembers(): void {
  if (!setOrReply()) return;
  if (set == 0) {
    replySet(0);
    return;
  }
  replySet(setLen(set));
  let cursor: u64 = 0;
  do {
    cursor = setScan(set, cursor, replyMember, 0);
  } while (cursor != 0);
}

/** Members met by SSCAN and those of them that match. */
let met: i64 = 0;
let matched: u32 = 0;

function countMember(_arg: usize): void {
  met++;
}

function replyMatching(_arg: usize): void {
  if (!scanMatches(elPtr, elLen)) return;
  replyBulk(elPtr, elLen);
  matched++;
}

export function cmdSscan(): void {
  if (!scanCursorOrReply(2) || !setOrReply()) return;
  if (set == 0) {
    replyScanEmpty();
    return;
  }
  if (!scanOptionsOrReply(3, false)) return;
  // The cursor stands before the members, so the walk is made twice: first to see how far it goes.
  let cursor = scanCursor;
  let steps: u64 = 0;
  met = 0;
  do {
    cursor = setScan(set, cursor, countMember, 0);
    steps++;
  } while (cursor != 0 && steps < scanSteps() && met < scanCount);
  replyArray(2);
  replyScanCursor(cursor);
  matched = 0;
  const head = replyDeferred();
  cursor = scanCursor;
  while (steps-- != 0) cursor = setScan(set, cursor, replyMatching, 0);
  replyDeferredArrayEnd(head, matched);
}
