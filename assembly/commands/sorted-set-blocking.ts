/**
 * BZPOPMIN BZPOPMAX BZMPOP: pops that wait until there is a member to take. Followers are told the
 * form that does not wait. What is done to the sets is in sorted-set-pop.ts, who waits and is
 * served in clients/blocked.ts.
 */
import { blockForKeys, canBlock, isKeyServed } from '../clients/blocked';
import { client } from '../clients/client';
import { timeoutMs, timeoutSecondsOrReply } from '../clients/timeout';
import { dbAt, entryType, lookupWrite } from '../keyspace/db';
import { effectArg, effectBegin, effectLiteral } from '../keyspace/effects';
import { argc, argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import { replyNullArray } from '../resp/reply';
import { TYPE_ZSET } from '../types/object';
import {
  POP_KEY_FLAT,
  POP_KEY_PAIRS,
  popArgsOrReply,
  popCount,
  popEffect,
  popFirstKey,
  popIsMax,
  popKeyCount,
  popMembers,
} from './sorted-set-pop';

/** The sorted set found by `firstSetOrWait`, and the argument that names it. */
let set: usize = 0;
let setArg: u32 = 0;

/**
 * Finds the first sorted set among `count` keys from argument `first` on; waits for one, or answers
 * that there is none. False: nothing is left to do.
 */
function firstSetOrWait(first: u32, count: u32): bool {
  const db = dbAt(client.db);
  for (let i = first; i < first + count; i++) {
    if (!isKeyServed(i)) continue;
    set = lookupWrite(db, argPtr(i), argLen(i));
    setArg = i;
    if (set == 0) continue;
    if (entryType(set) == TYPE_ZSET) return true;
    replyWrongType();
    return false;
  }
  if (canBlock()) blockForKeys(TYPE_ZSET, first, 1, count, timeoutMs);
  else replyNullArray();
  return false;
}

function blockingPop(isMax: bool): void {
  if (!timeoutSecondsOrReply(argc - 1)) return;
  if (!firstSetOrWait(1, argc - 2)) return;
  popMembers(client.db, set, isMax, 1, POP_KEY_FLAT);
  effectBegin(client.db, 2);
  effectLiteral(isMax ? 'ZPOPMAX' : 'ZPOPMIN');
  effectArg(argPtr(setArg), argLen(setArg));
}

export function cmdBzpopmin(): void {
  blockingPop(false);
}

export function cmdBzpopmax(): void {
  blockingPop(true);
}

export function cmdBzmpop(): void {
  if (!popArgsOrReply(2) || !timeoutSecondsOrReply(1)) return;
  if (!firstSetOrWait(popFirstKey, popKeyCount)) return;
  const taken = popMembers(client.db, set, popIsMax, <u64>popCount, POP_KEY_PAIRS);
  popEffect(client.db, argPtr(setArg), argLen(setArg), taken);
}
