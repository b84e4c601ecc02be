/**
 * MULTI, EXEC, DISCARD, WATCH, UNWATCH. The queue is the client's (clients/client.ts); what keys
 * are watched is the keyspace's (keyspace/watch.ts).
 */
import {
  Client,
  client,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_DIRTY_EXEC,
  CLIENT_IN_EXEC,
  CLIENT_LIMITED,
  CLIENT_MULTI,
  clientDiscard,
  clientUnwatch,
  queuedArgc,
  queuedArgv,
  queuedCmd,
  queuedNext,
} from '../clients/client';
import { dbAt } from '../keyspace/db';
import { effectNone } from '../keyspace/effects';
import { watchAdd, watchExpired } from '../keyspace/watch';
import { argc, argLen, argPtr, setArgs } from '../resp/args';
import { replyOom } from '../resp/errors';
import { replyArray, replyError, replyMute, replyNullArray, replyOk } from '../resp/reply';
import { ACL_OK, ACL_OOM, aclCheckCurrent, aclNote, replyDeniedInExec } from './acl-check';
import { CONTEXT_MULTI } from './acl-log';
import { callQueued } from './process';

export function cmdMulti(): void {
  if (client.flags & CLIENT_MULTI) {
    replyError('ERR MULTI calls can not be nested');
    return;
  }
  client.flags |= CLIENT_MULTI;
  replyOk();
}

export function cmdDiscard(): void {
  if ((client.flags & CLIENT_MULTI) == 0) {
    replyError('ERR DISCARD without MULTI');
    return;
  }
  clientDiscard(client);
  replyOk();
}

/** Rules may have changed since a command was queued; false: answered with an error. */
function mayStillRun(id: i32): bool {
  const result = aclCheckCurrent(id);
  if (result == ACL_OK) return true;
  if (result != ACL_OOM) aclNote(result, id, CONTEXT_MULTI);
  replyDeniedInExec(result);
  return false;
}

export function cmdExec(): void {
  if ((client.flags & CLIENT_MULTI) == 0) {
    replyError('ERR EXEC without MULTI');
    return;
  }
  const broken = (client.flags & CLIENT_DIRTY_EXEC) != 0;
  if (broken || (client.dirtyCas & 0xff) != 0 || watchExpired(client.watches)) {
    clientDiscard(client);
    if (broken) replyError('EXECABORT Transaction discarded because of previous errors.');
    else replyNullArray();
    return;
  }
  clientUnwatch(client);
  client.flags |= CLIENT_IN_EXEC;
  replyArray(client.queueCount);
  for (let node: usize = client.queueHead; node != 0; node = queuedNext(node)) {
    setArgs(queuedArgc(node), queuedArgv(node));
    const id = queuedCmd(node);
    if ((client.flags & CLIENT_LIMITED) == 0 || mayStillRun(id)) callQueued(id);
    // Redis: who ended its own connection (CLIENT KILL, ACL DELUSER) hears no more of this.
    if (client.flags & CLIENT_CLOSE_AFTER_REPLY) replyMute(true);
  }
  client.flags &= ~CLIENT_IN_EXEC;
  clientDiscard(client);
  // The queued commands wrote their own effects.
  effectNone();
}

export function cmdWatch(): void {
  if (client.flags & CLIENT_MULTI) {
    replyError('ERR WATCH inside MULTI is not allowed');
    return;
  }
  // Once a watched key has changed, EXEC fails whatever is watched besides.
  if ((client.dirtyCas & 0xff) == 0) {
    const db = dbAt(client.db);
    for (let i: u32 = 1; i < argc; i++) {
      const flag = changetype<usize>(client) + offsetof<Client>('dirtyCas');
      const head = watchAdd(client.watches, flag, db, argPtr(i), argLen(i));
      if (head == 0) {
        replyOom();
        return;
      }
      client.watches = <u32>head;
    }
  }
  replyOk();
}

export function cmdUnwatch(): void {
  clientUnwatch(client);
  replyOk();
}
