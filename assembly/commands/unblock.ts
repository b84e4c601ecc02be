/**
 * Clients that waited are served, or told why not: keys became ready, time ran out, another client
 * said so, the server's role changed. What they wait for is in clients/blocked.ts.
 *
 * Serving runs the waiting command again for its client, as a unit of its own: it is not counted
 * as another call, its effects follow those of the command that made the key ready, and the keys
 * it makes ready in turn are queued behind the others.
 */
import {
  Blocked,
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
  CLIENT_MASTER,
  CLIENT_NO_TOUCH,
  clientAt,
  clientList,
  clientTop,
  setCurrentClient,
} from '../clients/client';
import { deadlineFirst, deadlineFirstRecord } from '../clients/deadlines';
import { entryType, lookupQuiet } from '../keyspace/db';
import { effectsCommit } from '../keyspace/effects';
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
import { fromMaster, noTouch, setFromMaster, setNoTouch } from '../keyspace/state';
import { setArgs } from '../resp/args';
import {
  replyBegin,
  replyCurrent,
  replyEnd,
  replyError,
  replyErrors,
  replyFailed,
  replyNullArray,
} from '../resp/reply';
import { countFailed } from './command-stats';
import { applyMute, callAgain } from './process';

const ROLE_CHANGED: string =
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)';
const NO_TYPE: u32 = u32.MAX_VALUE;

// ---- speaking for another client

/** The interrupted client, 0 = none was being served. */
let outer: usize = 0;
let outerFromMaster: bool = false;
let outerNoTouch: bool = false;

/** Leaves the current client for a while. */
function interrupt(): void {
  outer = replyCurrent() == 0 ? 0 : changetype<usize>(client);
  outerFromMaster = fromMaster;
  outerNoTouch = noTouch;
  if (outer != 0) stopReply(client);
}

/** Goes back to the client that was interrupted. */
function goBack(): void {
  if (outer == 0) return;
  startReply(changetype<Client>(outer));
  setFromMaster(outerFromMaster);
  setNoTouch(outerNoTouch);
}

function startReply(c: Client): void {
  setCurrentClient(c);
  replyBegin(clientList(c), c.resp, false);
  applyMute();
}

function stopReply(c: Client): void {
  replyEnd();
  if (replyFailed) c.flags |= CLIENT_CLOSE_NOW;
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
  setFromMaster(false);
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
  startReply(c);
  setNoTouch((c.flags & CLIENT_NO_TOUCH) != 0);
  setArgs(record.argc, blockedArgv(record));
  servingBegin(record, readyKeyPtr(key), readyKeyLen(key));
  const errors = replyErrors;
  callAgain(record.cmd);
  if (replyErrors != errors) countFailed(record.cmd);
  const isServed = servingEnd();
  stopReply(c);
  effectsCommit();
  if (isServed) unblock(c);
}

// ---- without what they waited for

/** Answers a blocked client with an error and lets it go on. Not while another one is served. */
function unblockWithError(c: Client, text: string): void {
  startReply(c);
  replyError(text);
  stopReply(c);
  countFailed(changetype<Blocked>(<usize>c.blocked).cmd);
  unblock(c);
}

/** Answers a blocked client as if its time had run out. */
function unblockWithNothing(c: Client): void {
  startReply(c);
  replyNullArray();
  stopReply(c);
  unblock(c);
}

/** Ends the waiting of everyone whose deadline has come. Between commands only. */
export function serveTimeouts(steadyMs: f64): void {
  while (deadlineFirst() <= steadyMs) {
    const record = deadlineFirstRecord();
    unblockWithNothing(blockedOwner(record));
  }
}

/** CLIENT UNBLOCK: ends a client's waiting; `isError` says how. */
export function unblockByOrder(c: Client, isError: bool): void {
  interrupt();
  if (isError) unblockWithError(c, 'UNBLOCKED client unblocked via CLIENT UNBLOCK');
  else unblockWithNothing(c);
  goBack();
}

/** This server follows a master now: what the blocked wait for will not happen here. */
export function disconnectAllBlocked(): void {
  interrupt();
  for (let handle: u32 = 0; handle < clientTop; handle++) {
    const c = clientAt(handle);
    if (changetype<usize>(c) == 0 || c.blocked == 0) continue;
    unblockWithError(c, ROLE_CHANGED);
    c.flags |= CLIENT_CLOSE_AFTER_REPLY;
  }
  goBack();
}
