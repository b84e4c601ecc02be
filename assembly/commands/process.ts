/**
 * From a parsed request to its effect: the checks every command goes through, the transaction
 * queue, and the call itself. Refusals are in reject.ts, pipelines in batch.ts.
 */
import { usedMemory } from '../base/alloc';
import { clockForget, clockMarked, clockNs } from '../base/clock';
import {
  client,
  CLIENT_AUTHENTICATED,
  CLIENT_BLOCKED,
  CLIENT_DIRTY_EXEC,
  CLIENT_HOST_BUSY,
  CLIENT_IN_EXEC,
  CLIENT_INTERNAL,
  CLIENT_LIMITED,
  CLIENT_LISTENS,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_OUTPUT_FULL,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  CLIENT_REPLY_SKIP_NEXT,
  clientQueue,
} from '../clients/client';
import { mustWait, postpone } from '../clients/pause';
import {
  effectsCommandStart,
  effectsPending,
  effectVerbatim,
  effectWritten,
} from '../keyspace/effects';
import { readyKeyCount } from '../keyspace/ready-keys';
import {
  countCommand,
  dirty,
  isReplica,
  isSpecial,
  loading,
  loadingAsync,
  masterDown,
  maxMemory,
  paused,
  redirects,
  replicaReadOnly,
  SCRIPT_SUSPENDED,
  scriptIsFunction,
  scriptState,
} from '../keyspace/state';
import { observers, pushMark, pushRelease } from '../keyspace/push';
import { argc, argLen, argPtr, argv, setArgs } from '../resp/args';
import { PUSH_CACHING, PUSH_MONITOR, PUSH_PUBSUB } from '../resp/outbox';
import { replyErrors, replySimple } from '../resp/reply';
import { accessIsOpen } from '../clients/acl-user';
import { ACL_OK, ACL_OOM, aclCheckCurrent, aclContext, aclNote } from './acl-check';
import { endCaching, trackReads } from './client-tracking';
import { callEnded, callWeight, countCall, countFailed } from './command-stats';
import { dispatch } from './generated/dispatch';
import {
  CMD_DISCARD,
  CMD_EXEC,
  CMD_MULTI,
  CMD_PING,
  CMD_PSUBSCRIBE,
  CMD_PUNSUBSCRIBE,
  CMD_QUIT,
  CMD_RESET,
  CMD_SSUBSCRIBE,
  CMD_SUBSCRIBE,
  CMD_SUNSUBSCRIBE,
  CMD_UNSUBSCRIBE,
  CMD_WATCH,
  CMDFLAG_ALLOW_BUSY,
  CMDFLAG_BLOCKING,
  CMDFLAG_DENYOOM,
  CMDFLAG_LOADING,
  CMDFLAG_MAY_REPLICATE,
  CMDFLAG_NO_ASYNC_LOADING,
  CMDFLAG_NO_AUTH,
  CMDFLAG_NO_MULTI,
  CMDFLAG_READONLY,
  CMDFLAG_STALE,
  CMDFLAG_WRITE,
} from './generated/ids';
import {
  cmdArityOk,
  cmdFlags,
  cmdHasSubcommands,
  lookupSubcommand,
} from './generated/table';
import { cmdHost } from './host-call';
import { monitorAfter, monitorBefore } from './monitor';
import {
  applyProblem,
  reject,
  rejectArity,
  rejectDenied,
  rejectOom,
  rejectSubcommand,
  rejectSubscriber,
  rejectUnknown,
} from './reject';
import { applyMute } from './turn';
import { commitFor, serveReadyKeys } from './unblock';

/** A pipeline is interrupted at this much output, so that replies never pile up by the chunk. */
const OUTPUT_MAX: u32 = 4 << 20;
/** Client flags that take a command off the straight path. */
export const UNUSUAL: u32 =
  CLIENT_MULTI |
  CLIENT_REPLY_OFF |
  CLIENT_REPLY_SKIP |
  CLIENT_REPLY_SKIP_NEXT |
  CLIENT_MASTER |
  CLIENT_LIMITED |
  CLIENT_LISTENS;

// ---- one command

/**
 * Runs the command in the arguments for the current client, without any checks, and writes its
 * effect. EXEC and scripts use it too; the unit's end is theirs then.
 */
export function call(id: i32): void {
  const words = argc;
  const pairs = argv;
  const weight = callWeight(id);
  const began: f64 = weight != 0 ? clockNs() : 0;
  clockForget();
  countCommand();
  execute(id, observers != 0);
  countCall(id);
  if (weight != 0 || clockMarked != 0) callEnded(id, weight, began, words, pairs);
}

/** The command of a blocked client that is served: it was counted and shown when it came. */
export function callAgain(id: i32): void {
  execute(id, false);
}

// @ts-ignore: decorator
@inline function execute(id: i32, isObserved: bool): void {
  const before = dirty;
  const db = client.db;
  effectsCommandStart();
  if (isObserved) dispatchObserved(id);
  else dispatch(id);
  if (dirty != before && !effectWritten) effectVerbatim(db);
}

/** Runs a command while somebody monitors or tracks. */
function dispatchObserved(id: i32): void {
  const count = argc;
  const pairs = argv;
  monitorBefore(id);
  dispatch(id);
  setArgs(count, pairs);
  trackReads(id);
  monitorAfter(id);
}

/** The same for a command that may be anything: failures are counted, a master's are reported. */
function callUnusual(id: i32): void {
  const errors = replyErrors;
  queuedErrors = 0;
  call(id);
  // What failed inside EXEC was dealt with there, under its own name.
  if (replyErrors == errors + queuedErrors) return;
  countFailed(id);
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}

/** Errors of commands that the EXEC running now has run. */
let queuedErrors: u32 = 0;

/** Runs a queued command for EXEC; as `callUnusual`. */
export function callQueued(id: i32): void {
  const errors = replyErrors;
  call(id);
  if (replyErrors == errors) return;
  queuedErrors += replyErrors - errors;
  countFailed(id);
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}

/** The command that `resolve` found in the arguments last, whatever became of it; -1 = none. */
let named: i32 = -1;

/** The id of the command in the arguments, subcommands resolved; below 0: refused and answered. */
function resolve(id: i32): i32 {
  named = -1;
  if (id < 0) {
    rejectUnknown();
    return -1;
  }
  if (cmdHasSubcommands(id) && argc > 1) {
    const sub = lookupSubcommand(id, argPtr(1), argLen(1));
    if (sub < 0) {
      rejectSubcommand(id);
      return -1;
    }
    id = sub;
  }
  named = id;
  if (!cmdArityOk(id, <i32>argc)) {
    rejectArity(id);
    return -1;
  }
  return id;
}

/** Flags that decide whether a command may run now; EXEC is judged by what it would run. */
function effectiveFlags(id: i32): u32 {
  const flags = cmdFlags(id);
  return id == CMD_EXEC
    ? flags | (client.queueFlags & (CMDFLAG_WRITE | CMDFLAG_DENYOOM))
    : flags;
}

/** The state of the server forbids the command: answered, true. */
function isForbidden(id: i32): bool {
  const flags = effectiveFlags(id);
  const unauthenticated = (client.flags & (CLIENT_AUTHENTICATED | CLIENT_MASTER)) == 0;
  if (unauthenticated && (flags & CMDFLAG_NO_AUTH) == 0 && !accessIsOpen()) {
    reject(id, 'NOAUTH Authentication required.');
    return true;
  }
  if (client.flags & CLIENT_MASTER) return false;
  if (client.flags & CLIENT_MULTI && flags & CMDFLAG_NO_MULTI) {
    reject(id, 'ERR Command not allowed inside a transaction');
    return true;
  }
  if (client.flags & CLIENT_LIMITED && isDenied(id)) return true;
  const needsMemory = (flags & CMDFLAG_DENYOOM) != 0 || isQueueing(id);
  if (maxMemory != 0 && needsMemory && usedMemory > maxMemory && !isReplica) {
    rejectOom(id);
    return true;
  }
  if (isReplica && replicaReadOnly && flags & CMDFLAG_WRITE) {
    if (redirects && mayRedirect(flags)) cmdHost(id | REDIRECTED);
    else reject(id, "READONLY You can't write against a read only replica.");
    return true;
  }
  if (client.push & PUSH_PUBSUB && client.resp == 2 && !isForSubscriber(id)) {
    rejectSubscriber(id);
    return true;
  }
  if (masterDown && (flags & CMDFLAG_STALE) == 0) {
    reject(
      id,
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    );
    return true;
  }
  if (loading && !loadingAsync && (flags & CMDFLAG_LOADING) == 0) {
    reject(id, 'LOADING Redis is loading the dataset in memory');
    return true;
  }
  if (loadingAsync && flags & CMDFLAG_NO_ASYNC_LOADING) {
    reject(id, 'LOADING Redis is loading the dataset in memory');
    return true;
  }
  if (scriptState == SCRIPT_SUSPENDED && (flags & CMDFLAG_ALLOW_BUSY) == 0) {
    rejectBusy(id);
    return true;
  }
  if (client.push & PUSH_MONITOR && touchesKeyspace(id)) {
    reject(id, "ERR Replica can't interact with the keyspace");
    return true;
  }
  return false;
}

/** Marks the id of a command that the host sends to the master. */
const REDIRECTED: i32 = 1 << 16;

/** A command by itself, which keeps nobody waiting, of a client that can wait for the host. */
function mayRedirect(flags: u32): bool {
  if (flags & CMDFLAG_BLOCKING) return false;
  return (client.flags & (CLIENT_MULTI | CLIENT_IN_EXEC | CLIENT_INTERNAL)) == 0;
}

/** A script has been running for too long. */
function rejectBusy(id: i32): void {
  if (scriptIsFunction) reject(id, BUSY_FUNCTION);
  else reject(id, BUSY_SCRIPT);
}

const BUSY_SCRIPT: string =
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.';
const BUSY_FUNCTION: string =
  'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.';

/** The client's user may not run the command in the arguments: answered and noted, true. */
function isDenied(id: i32): bool {
  const result = aclCheckCurrent(id);
  if (result == ACL_OK) return false;
  if (result == ACL_OOM) {
    rejectOom(id);
    return true;
  }
  aclNote(result, id, aclContext());
  rejectDenied(result, id);
  return true;
}

/** What a RESP2 client with subscriptions may still say. */
function isForSubscriber(id: i32): bool {
  return (
    id == CMD_SUBSCRIBE ||
    id == CMD_UNSUBSCRIBE ||
    id == CMD_PSUBSCRIBE ||
    id == CMD_PUNSUBSCRIBE ||
    id == CMD_SSUBSCRIBE ||
    id == CMD_SUNSUBSCRIBE ||
    id == CMD_PING ||
    id == CMD_QUIT ||
    id == CMD_RESET
  );
}

/** Whether a command may change something, here or at followers, or (EXEC) would run such ones. */
function mayChange(id: i32): bool {
  const flags = cmdFlags(id) | (id == CMD_EXEC ? client.queueFlags : 0);
  return (flags & (CMDFLAG_WRITE | CMDFLAG_MAY_REPLICATE)) != 0;
}

/** Redis: a client in MONITOR mode counts as a replica, which leaves the data alone. */
function touchesKeyspace(id: i32): bool {
  const flags = cmdFlags(id) | (id == CMD_EXEC ? client.queueFlags : 0);
  return (flags & (CMDFLAG_WRITE | CMDFLAG_READONLY | CMDFLAG_MAY_REPLICATE)) != 0;
}

/** Redis: in a transaction what is queued takes memory, whatever it is. */
function isQueueing(id: i32): bool {
  return (
    (client.flags & (CLIENT_MULTI | CLIENT_IN_EXEC)) == CLIENT_MULTI &&
    id != CMD_EXEC &&
    id != CMD_DISCARD &&
    id != CMD_QUIT &&
    id != CMD_RESET
  );
}

function isQueued(id: i32): bool {
  if ((client.flags & CLIENT_MULTI) == 0 || client.flags & CLIENT_IN_EXEC) return false;
  return (
    id != CMD_EXEC &&
    id != CMD_DISCARD &&
    id != CMD_MULTI &&
    id != CMD_WATCH &&
    id != CMD_QUIT &&
    id != CMD_RESET
  );
}

function queueCommand(id: i32): void {
  // What EXEC will not run need not be kept.
  const isLost = (client.flags & CLIENT_DIRTY_EXEC) != 0 || (client.dirtyCas & 0xff) != 0;
  if (!isLost && !clientQueue(client, id, cmdFlags(id), argc, argv)) {
    rejectOom(id);
    return;
  }
  replySimple('QUEUED');
}

/** Whether anything about server or client needs the careful path. */
// @ts-ignore: decorator
@inline function isPlain(): bool {
  return (
    (client.flags & (UNUSUAL | CLIENT_AUTHENTICATED)) == CLIENT_AUTHENTICATED && !isSpecial
  );
}

/** Checks and runs the command in the arguments; `id` is what `lookupCommand` said. */
export function processCommand(id: i32): void {
  if (isPlain()) {
    if (id >= 0 && !cmdHasSubcommands(id) && cmdArityOk(id, <i32>argc)) {
      client.lastCmd = id;
      const errors = replyErrors;
      call(id);
      if (replyErrors != errors) countFailed(id);
    } else {
      runChecked(id);
    }
  } else {
    beginUnusual();
    runChecked(id);
    endUnusual();
  }
  if (scriptState != SCRIPT_SUSPENDED) {
    if (effectsPending()) commitFor(client);
    if (readyKeyCount != 0) serveReadyKeys();
  }
  if (client.replyBytes > OUTPUT_MAX && (client.flags & CLIENT_INTERNAL) == 0) {
    client.flags |= CLIENT_OUTPUT_FULL;
  }
}

/** Answers a request that was thrown away because memory is full; `id` below 0 = not known. */
export function refuseCommand(id: i32): void {
  beginUnusual();
  rejectOom(id);
  endUnusual();
}

function runChecked(id: i32): void {
  id = resolve(id);
  if (id < 0) return;
  client.lastCmd = id;
  if (isForbidden(id)) return;
  if (paused != 0 && mustWait(client, mayChange(id))) {
    postpone(client);
    return;
  }
  if (isQueued(id)) queueCommand(id);
  else callUnusual(id);
}

function beginUnusual(): void {
  if (client.flags & CLIENT_REPLY_SKIP_NEXT) {
    client.flags = (client.flags & ~CLIENT_REPLY_SKIP_NEXT) | CLIENT_REPLY_SKIP;
  }
  applyMute();
  pushMark();
}

function endUnusual(): void {
  // The reply of one that is blocked, or waits for the host, is yet to come.
  if ((client.flags & (CLIENT_BLOCKED | CLIENT_HOST_BUSY)) == 0) {
    client.flags &= ~CLIENT_REPLY_SKIP;
  }
  applyMute();
  pushRelease();
  if (client.push & PUSH_CACHING) endCaching(named);
}
