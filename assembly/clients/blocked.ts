/**
 * Blocked clients: what each waits for, and the command it waits in.
 *
 * A command that finds nothing to take calls `blockForKeys`; its arguments are copied, the client
 * is entered under each of its keys (keyspace/ready-keys.ts) and nothing more of it is run. When
 * one of the keys becomes ready, commands/unblock.ts runs the command again, for that key only; it
 * is served when it replies, and stays where it is when it calls `blockForKeys` again. What a
 * command with several keys must do about it:
 *
 *   for (each key argument i) {
 *     if (!isKeyServed(i)) continue;
 *     … reply and return if there is something …
 *   }
 *   if (canBlock()) blockForKeys(TYPE_LIST, first, step, count, timeoutMs);
 *   else … reply that there is nothing …
 *
 * The copy is of the arguments as they are then: a command may point one at other bytes first (the
 * `$` of XREAD at the id it stands for).
 *
 *   record   fields of `Blocked`, then argc pairs (ptr, len), then the bytes
 */
import { free } from '../base/alloc';
import { dbAt } from '../keyspace/db';
import { waitAdd, waitClear } from '../keyspace/ready-keys';
import { argc, argLen, argPtr, argv } from '../resp/args';
import { replyOom } from '../resp/errors';
import {
  Client,
  client,
  CLIENT_BLOCKED,
  CLIENT_IN_EXEC,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_REPLY_SKIP,
  CLIENT_RESUME,
  clientId,
  copyArguments,
} from './client';
import { deadlineAdd, deadlineRemove } from './deadlines';
import { readyAdd } from '../resp/outbox';

/** Waits for keys, */
export const BLOCKED_KEYS: u32 = 0;
/** for replicas and disks to confirm what it wrote. */
export const BLOCKED_ACKS: u32 = 1;

@unmanaged
export class Blocked {
  /** First waiter of keyspace/ready-keys.ts; must be the first field. */
  waiters: u32;
  /** Address of the client. */
  owner: u32;
  /** The command, and the number of its copied arguments. */
  cmd: i32;
  argc: u32;
  /** Place in the heap of deadlines + 1, 0 = waits for ever (deadlines.ts). */
  place: u32;
  /** BLOCKED_*. */
  kind: u32;
  /** With BLOCKED_ACKS: confirmations wanted, and whether they are those of disks (WAITAOF). */
  replicas: u32;
  local: u32;
  onDisk: u32;
  unused: u32;
}

/** Clients that wait for keys or for replicas (INFO blocked_clients). */
export let blockedClients: u32 = 0;
/** … of them, for replicas or disks: the host asks replicas for acknowledgements meanwhile. */
export let ackWaiters: u32 = 0;
/** The record whose command runs again now, 0 = none. */
let serving: usize = 0;
let servedPtr: usize = 0;
let servedLen: u32 = 0;
let isStillBlocked: bool = false;

// ---- for commands

/** Whether the running command may wait: not in a transaction, a script or a call in-process. */
export function canBlock(): bool {
  return (client.flags & (CLIENT_IN_EXEC | CLIENT_INTERNAL | CLIENT_MASTER)) == 0;
}

/** Whether argument `index`, a key, is to be looked at: all are, the first time. */
// @ts-ignore: decorator
@inline export function isKeyServed(index: u32): bool {
  return serving == 0 || isServedKey(index);
}

function isServedKey(index: u32): bool {
  if (argLen(index) != servedLen) return false;
  return memory.compare(argPtr(index), servedPtr, servedLen) == 0;
}

/** Whether the running command had been blocked and is being served. */
export function isBeingServed(): bool {
  return serving != 0;
}

/**
 * Makes the current client wait until one of `count` keys, from argument `first` in steps of
 * `step`, holds a value of `type` (TYPE_*, with WAIT_STRICT where it wants to know of the key's
 * end). `timeoutMs` 0 = for ever. Without memory it answers so.
 */
export function blockForKeys(
  type: u32,
  first: u32,
  step: u32,
  count: u32,
  timeoutMs: i64,
): void {
  if (serving != 0) {
    isStillBlocked = true;
    return;
  }
  const record = newRecord(timeoutMs);
  let isDone = record != 0;
  const db = dbAt(client.db);
  for (let n: u32 = 0; isDone && n < count; n++) {
    const i = first + n * step;
    isDone = waitAdd(record, db, type, argPtr(i), argLen(i));
  }
  if (isDone) {
    enter(record);
    return;
  }
  if (record != 0) discard(changetype<Blocked>(record));
  replyOom();
}

/** A record with the running command; 0 when memory ran out. */
function newRecord(timeoutMs: i64): usize {
  const ptr = copyArguments(offsetof<Blocked>(), argc, argv);
  if (ptr == 0) return 0;
  const record = changetype<Blocked>(ptr);
  record.waiters = 0;
  record.owner = <u32>changetype<usize>(client);
  record.cmd = client.lastCmd;
  record.argc = argc;
  record.place = 0;
  record.kind = BLOCKED_KEYS;
  if (timeoutMs == 0 || deadlineAdd(record, <f64>timeoutMs, clientId(client))) return ptr;
  free(ptr);
  return 0;
}

function enter(record: usize): void {
  client.blocked = <u32>record;
  client.flags |= CLIENT_BLOCKED;
  blockedClients++;
}

/**
 * Makes the current client wait for confirmations of what it wrote (acks.ts). Without memory it
 * answers so.
 */
export function blockForAcks(local: u32, replicas: u32, onDisk: bool, timeoutMs: i64): void {
  const ptr = newRecord(timeoutMs);
  if (ptr == 0) {
    replyOom();
    return;
  }
  const record = changetype<Blocked>(ptr);
  record.kind = BLOCKED_ACKS;
  record.local = local;
  record.replicas = replicas;
  record.onDisk = onDisk ? 1 : 0;
  ackWaiters++;
  enter(ptr);
}

function discard(record: Blocked): void {
  if (record.kind == BLOCKED_ACKS) ackWaiters--;
  waitClear(changetype<usize>(record));
  deadlineRemove(record);
  free(changetype<usize>(record));
}

// ---- for who serves them

export function blockedOwner(record: Blocked): Client {
  return changetype<Client>(<usize>record.owner);
}

/** The copied arguments' pairs. */
export function blockedArgv(record: Blocked): usize {
  return changetype<usize>(record) + offsetof<Blocked>();
}

/** The record's command is about to run again, for this key. */
export function servingBegin(record: Blocked, keyPtr: usize, keyLen: u32): void {
  serving = changetype<usize>(record);
  servedPtr = keyPtr;
  servedLen = keyLen;
  isStillBlocked = false;
}

/** It has run; true: it has replied and is to be unblocked. */
export function servingEnd(): bool {
  serving = 0;
  return !isStillBlocked;
}

/** Ends a client's waiting; what it was to be told is in its replies. The host goes on with it. */
export function unblock(c: Client): void {
  discard(changetype<Blocked>(<usize>c.blocked));
  c.blocked = 0;
  c.flags &= ~(CLIENT_BLOCKED | CLIENT_REPLY_SKIP);
  if (c.qlen != 0) c.flags |= CLIENT_RESUME;
  blockedClients--;
  readyAdd(c);
}

/** A client is going away. */
export function blockedForget(c: Client): void {
  if (c.blocked == 0) return;
  discard(changetype<Blocked>(<usize>c.blocked));
  c.blocked = 0;
  blockedClients--;
}
