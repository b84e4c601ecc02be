/**
 * Clients that waited are served, or told why not: keys became ready, time ran out, another client
 * said so, the server's role changed. What they wait for is in clients/blocked.ts.
 *
 * Serving runs the waiting command again for its client, as a unit of its own: it is not counted
 * as another call, its effects follow those of the command that made the key ready, and the keys
 * it makes ready in turn are queued behind the others.
 */
import { clockNs } from '../base/clock';
import { hasAcks, replyAcks } from '../clients/acks';
import {
  ackWaiters,
  Blocked,
  BLOCKED_ACKS,
  blockedArgv,
  blockedOwner,
  servingBegin,
  servingEnd,
  unblock,
} from '../clients/blocked';
import {
  Client,
  client,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  clientAt,
  clientList,
  clientTop,
} from '../clients/client';
import { deadlineFirst, deadlineFirstRecord } from '../clients/deadlines';
import { entryType, lookupQuiet } from '../keyspace/db';
import { effectsCommit, effectsOffset, effectsPending } from '../keyspace/effects';
import { limitWhileWriting, pushMark, runningClient } from '../keyspace/push';
import {
  readyKeyCount,
  readyKeyDb,
  readyKeyDone,
  readyKeyLen,
  readyKeyPtr,
  readyKeyTake,
  WAIT_STRICT,
  waiterFirst,
  waiterKind,
  waiterNext,
  waiterOwner,
} from '../keyspace/ready-keys';
import { setArgs } from '../resp/args';
import {
  replyBegin,
  replyCurrent,
  replyEnd,
  replyError,
  replyErrors,
  replyFailed,
  replyLimit,
  replyNullArray,
} from '../resp/reply';
import { callServed, countFailed } from './command-stats';
import { callAgain } from './process';
import { applyMute, turnBegin, turnEnd } from './turn';

const ROLE_CHANGED: string =
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)';
const NO_TYPE: u32 = u32.MAX_VALUE;

/** The client whose turn was interrupted, 0 = it was nobody's. */
let outer: usize = 0;

/** Ends the present client's turn for a while; its command's reply is whole. */
function interrupt(): void {
  outer = runningClient();
  if (outer != 0) turnEnd(changetype<Client>(outer));
}

function goBack(): void {
  if (outer != 0) turnBegin(changetype<Client>(outer));
}

// ---- keys became ready

/** Serves those who wait for the keys that became ready, until none is left. */
export function serveReadyKeys(): void {
  interrupt();
  while (readyKeyCount != 0) {
    const key = readyKeyTake();
    serveKey(key);
    readyKeyDone(key);
    effectsCommit();
  }
  goBack();
}

/** What a ready key holds now. */
function typeOf(key: usize): u32 {
  const entry = lookupQuiet(readyKeyDb(key), readyKeyPtr(key), readyKeyLen(key));
  return entry == 0 ? NO_TYPE : entryType(entry);
}

function serveKey(key: usize): void {
  let type = typeOf(key);
  for (let waiter = waiterFirst(key); waiter != 0; ) {
    // Serving takes the waiter itself out of the list, and none of the others.
    const next = waiterNext(waiter);
    const record = changetype<Blocked>(waiterOwner(waiter));
    const kind = waiterKind(waiter);
    if (blockedOwner(record).flags & CLIENT_CLOSE_NOW) {
      // Killed, and not closed by the host yet.
    } else if ((kind & 15) == type) {
      serve(record, key);
      type = typeOf(key);
    } else if (kind & WAIT_STRICT) {
      unblockWithError(blockedOwner(record), 'UNBLOCKED the stream key no longer exists');
    }
    waiter = next;
  }
}

/** Runs a waiting command again. */
function serve(record: Blocked, key: usize): void {
  const c = blockedOwner(record);
  turnBegin(c);
  pushMark();
  setArgs(record.argc, blockedArgv(record));
  servingBegin(record, readyKeyPtr(key), readyKeyLen(key));
  const errors = replyErrors;
  const began = clockNs();
  callAgain(record.cmd);
  if (replyErrors != errors) countFailed(record.cmd);
  const isServed = servingEnd();
  if (isServed) callServed(record.cmd, clockNs() - began, record.argc, blockedArgv(record));
  turnEnd(c);
  if (effectsPending()) commitFor(c);
  if (isServed) unblock(c);
}

/** The effects of a unit are complete; they were this client's. */
export function commitFor(c: Client): void {
  effectsCommit();
  c.writeOffset = effectsOffset;
}

// ---- without what they waited for

/** Whoever is being answered is interrupted, perhaps in the middle of EXEC, to answer `c`. */
function tellBegin(c: Client): void {
  told = replyCurrent() == 0 ? 0 : changetype<usize>(client);
  if (told != 0) {
    replyEnd();
    if (replyFailed) client.flags |= CLIENT_CLOSE_NOW;
  }
  replyBegin(clientList(c), c.resp, (c.flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP)) != 0);
}
let told: usize = 0;

function tellEnd(c: Client): void {
  replyEnd();
  if (replyFailed) c.flags |= CLIENT_CLOSE_NOW;
  if (told == 0) return;
  replyBegin(clientList(client), client.resp, false);
  replyLimit(limitWhileWriting(client));
  applyMute();
}

/** Answers a blocked client with an error and lets it go on. */
function unblockWithError(c: Client, text: string): void {
  tellBegin(c);
  replyError(text);
  tellEnd(c);
  countFailed(changetype<Blocked>(<usize>c.blocked).cmd);
  unblock(c);
}

/** Answers a blocked client with what there is, as if its time had run out. */
function unblockWithNothing(c: Client): void {
  const record = changetype<Blocked>(<usize>c.blocked);
  tellBegin(c);
  if (record.kind == BLOCKED_ACKS) replyAcks(c, record.onDisk != 0);
  else replyNullArray();
  tellEnd(c);
  unblock(c);
}

/** Confirmations arrived: whoever has as many as it waited for goes on. Between commands only. */
export function serveAcks(): void {
  if (ackWaiters == 0) return;
  for (let handle: u32 = 0; handle < clientTop; handle++) {
    const c = clientAt(handle);
    if (changetype<usize>(c) == 0 || c.blocked == 0) continue;
    const record = changetype<Blocked>(<usize>c.blocked);
    if (record.kind != BLOCKED_ACKS) continue;
    if (hasAcks(c, record.local, record.replicas, record.onDisk != 0)) unblockWithNothing(c);
  }
}

/** Ends the waiting of everyone whose deadline has come. Between commands only. */
export function serveTimeouts(steadyMs: f64): void {
  while (deadlineFirst() <= steadyMs) {
    unblockWithNothing(blockedOwner(deadlineFirstRecord()));
  }
}

/** CLIENT UNBLOCK: ends a client's waiting; `isError` says how. Redis: both count as failures. */
export function unblockByOrder(c: Client, isError: bool): void {
  if (isError) {
    unblockWithError(c, 'UNBLOCKED client unblocked via CLIENT UNBLOCK');
    return;
  }
  countFailed(changetype<Blocked>(<usize>c.blocked).cmd);
  unblockWithNothing(c);
}

/** This server follows a master now: what the blocked wait for will not happen here. */
export function disconnectAllBlocked(): void {
  for (let handle: u32 = 0; handle < clientTop; handle++) {
    const c = clientAt(handle);
    if (changetype<usize>(c) == 0 || c.blocked == 0) continue;
    unblockWithError(c, ROLE_CHANGED);
    c.flags |= CLIENT_CLOSE_AFTER_REPLY;
  }
}
