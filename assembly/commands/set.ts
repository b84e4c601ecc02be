/** Commands on sets: those that read. */
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import { replyBulk, replyInt, replySet } from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanOptionsOrReply,
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

function showMatching(): u32 {
  if (!scanMatches(elPtr, elLen)) return 0;
  replyBulk(elPtr, elLen);
  return 1;
}

export function cmdSscan(): void {
  if (!scanCursorOrReply(2) || !setOrReply()) return;
  if (set == 0) {
    replyScanEmpty();
    return;
  }
  if (scanOptionsOrReply(3, false)) replyScan(set, setScan, showMatching, 1);
}
