/**
 * BLPOP BRPOP BLMPOP BLMOVE BRPOPLPUSH: commands on lists that wait until there is something to
 * take. Followers are told the form that does not wait. What is done to the lists is in
 * list-elements.ts, who waits and is served in clients/blocked.ts.
 */
import { blockForKeys, canBlock, isBeingServed, isKeyServed } from '../clients/blocked';
import { client } from '../clients/client';
import { timeoutMs, timeoutSecondsOrReply } from '../clients/timeout';
import { dbAt, entryType, lookupWrite } from '../keyspace/db';
import { effectArg, effectBegin, effectLiteral } from '../keyspace/effects';
import { argc, argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import { replyArray, replyBulk, replyNull, replyNullArray } from '../resp/reply';
import { TYPE_LIST } from '../types/object';
import {
  effectListPop,
  endIsHead,
  listEndOrReply,
  listMoveOrReply,
  listMpopArgsOrReply,
  listMpopFrom,
  listPopOne,
  MOVE_FROM_HEAD,
  MOVE_TO_HEAD,
  mpopCount,
  mpopFirst,
  mpopHead,
  mpopKeys,
} from './list-elements';

/** The list found by `firstListOrReply`, 0 = none, and the argument that names it. */
let list: usize = 0;
let listArg: u32 = 0;

/**
 * Finds the first list among `count` keys from argument `first` on; waits for one, or answers that
 * there is none. False: nothing is left to do.
 */
function firstListOrWait(first: u32, count: u32): bool {
  const db = dbAt(client.db);
  for (let i = first; i < first + count; i++) {
    if (!isKeyServed(i)) continue;
    list = lookupWrite(db, argPtr(i), argLen(i));
    listArg = i;
    if (list == 0) continue;
    if (entryType(list) == TYPE_LIST) return true;
    replyWrongType();
    return false;
  }
  if (canBlock()) blockForKeys(TYPE_LIST, first, 1, count, timeoutMs);
  else replyNullArray();
  return false;
}

function blockingPop(head: bool): void {
  if (!timeoutSecondsOrReply(argc - 1)) return;
  if (!firstListOrWait(1, argc - 2)) return;
  replyArray(2);
  replyBulk(argPtr(listArg), argLen(listArg));
  effectListPop(client.db, list, head);
  listPopOne(client.db, list, head);
}

export function cmdBlpop(): void {
  blockingPop(true);
}

export function cmdBrpop(): void {
  blockingPop(false);
}

export function cmdBlmpop(): void {
  if (!listMpopArgsOrReply(2) || !timeoutSecondsOrReply(1)) return;
  if (!firstListOrWait(mpopFirst, mpopKeys)) return;
  listMpopFrom(client.db, list, mpopHead, mpopCount);
}

// ---- moving

/** The source, argument 1: a list, or waited for. False: nothing is left to do. */
function sourceOrWait(): bool {
  list = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (list != 0) {
    if (entryType(list) == TYPE_LIST) return true;
    replyWrongType();
    return false;
  }
  if (canBlock()) blockForKeys(TYPE_LIST, 1, 1, 1, timeoutMs);
  else replyNull();
  return false;
}

/** LEFT or RIGHT for followers. Redis: as the client wrote it, unless it had to wait. */
function effectEnd(arg: u32, isHead: bool): void {
  if (isBeingServed()) effectLiteral(isHead ? 'left' : 'right');
  else effectArg(argPtr(arg), argLen(arg));
}

export function cmdBlmove(): void {
  if (!listEndOrReply(3)) return;
  const from = endIsHead;
  if (!listEndOrReply(4)) return;
  const to = endIsHead;
  if (!timeoutSecondsOrReply(5) || !sourceOrWait()) return;
  const ends = (from ? MOVE_FROM_HEAD : 0) | (to ? MOVE_TO_HEAD : 0);
  if (!listMoveOrReply(client.db, list, argPtr(2), argLen(2), ends)) return;
  effectBegin(client.db, 5);
  effectLiteral('LMOVE');
  effectArg(argPtr(1), argLen(1));
  effectArg(argPtr(2), argLen(2));
  effectEnd(3, from);
  effectEnd(4, to);
}

export function cmdBrpoplpush(): void {
  if (!timeoutSecondsOrReply(3) || !sourceOrWait()) return;
  if (!listMoveOrReply(client.db, list, argPtr(2), argLen(2), MOVE_TO_HEAD)) return;
  effectBegin(client.db, 3);
  effectLiteral('RPOPLPUSH');
  effectArg(argPtr(1), argLen(1));
  effectArg(argPtr(2), argLen(2));
}
