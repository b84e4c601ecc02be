/**
 * Commands that a script runs. The script itself runs in the host (host/lua), inside the host
 * command (EVAL, FCALL …) of the client it belongs to; `scriptRun` is its redis.call.
 *
 * The commands run as that client, with a reply list of their own and its protocol and database
 * put back at the end, so users, tracking and watched keys need no copies. CLIENT_IN_EXEC makes
 * sure that none of them blocks or is answered later.
 *
 * A script that runs for too long is suspended: the host goes back to its sockets, everybody else
 * is told BUSY (process.ts), time stands still for the script, and its effects stay one unit.
 */
import { usedMemory } from '../base/alloc';
import {
  Client,
  client,
  clientAt,
  CLIENT_IN_EXEC,
  CLIENT_INTERNAL,
  CLIENT_LIMITED,
  CLIENT_MASTER,
  clientList,
  setCurrentClient,
} from '../clients/client';
import { monitorScript } from '../clients/monitors';
import { effectNone, effectsSilence } from '../keyspace/effects';
import { limitWhileWriting, pushRunning } from '../keyspace/push';
import {
  isReplica,
  masterDown,
  maxMemory,
  nowMs,
  replicaReadOnly,
  SCRIPT_IDLE,
  SCRIPT_RUNS,
  SCRIPT_SUSPENDED,
  scriptState,
  setNow,
  setScriptState,
} from '../keyspace/state';
import { argc, argLen, argPtr, argv, setArgs } from '../resp/args';
import {
  replyBegin,
  replyClear,
  replyEnd,
  replyErrors,
  replyErrorsSet,
  replyFailed,
  replyLimit,
  ReplyList,
} from '../resp/reply';
import { ACL_OK, ACL_OOM, aclCheck, aclCheckCurrent, aclNote } from './acl-check';
import { CONTEXT_SCRIPT } from './acl-log';
import { countFailed } from './command-stats';
import {
  CMDFLAG_DENYOOM,
  CMDFLAG_NOSCRIPT,
  CMDFLAG_STALE,
  CMDFLAG_WRITE,
} from './generated/ids';
import {
  cmdArityOk,
  cmdFlags,
  cmdHasSubcommands,
  lookupCommand,
  lookupSubcommand,
} from './generated/table';
import { call } from './process';
import { applyMute } from './turn';
import { User } from '../clients/acl-user';

/** What scriptRun answers; all but 0 are refusals, whose texts the host knows. */
export const SCRIPT_OK: i32 = 0;
export const SCRIPT_UNKNOWN: i32 = 1;
export const SCRIPT_ARITY: i32 = 2;
export const SCRIPT_NOT_ALLOWED: i32 = 3;
export const SCRIPT_STALE: i32 = 4;
/** 5 + ACL_DENIED_*: 6 command, 7 key, 8 channel. */
export const SCRIPT_DENIED: i32 = 5;
export const SCRIPT_READONLY: i32 = 9;
export const SCRIPT_REPLICA: i32 = 10;
export const SCRIPT_OOM: i32 = 11;
/** The reply was lost for want of memory. */
export const SCRIPT_FAILED: i32 = 12;

/** Flags of scriptRun. */
const RUN_READONLY: u32 = 1;
const RUN_ALLOW_OOM: u32 = 2;
/** redis.set_repl(REPL_NONE). */
const RUN_SILENT: u32 = 4;

/** Replies of the script's commands, one at a time. */
const replies = changetype<ReplyList>(memory.data(16, 8));

let owner: Client = changetype<Client>(0);
let ownerDb: u32 = 0;
let ownerResp: u32 = 0;
let ownerFlags: u32 = 0;
let ownerArgc: u32 = 0;
let ownerArgv: usize = 0;
let ownerErrors: u32 = 0;
/** The time all of it runs at. */
let startedMs: i64 = 0;
/** Memory was short when it began. */
let wasShort: bool = false;
let hasWritten: bool = false;
/** Its connection went while it was suspended. */
let isOrphan: bool = false;

/** The current client's script begins. */
export function scriptBegin(): void {
  owner = client;
  ownerDb = client.db;
  ownerResp = client.resp;
  ownerFlags = client.flags & CLIENT_IN_EXEC;
  ownerArgc = argc;
  ownerArgv = argv;
  ownerErrors = replyErrors;
  startedMs = nowMs;
  wasShort = maxMemory != 0 && usedMemory > maxMemory && !isReplica;
  hasWritten = false;
  isOrphan = false;
  client.flags |= CLIENT_IN_EXEC;
  client.resp = 2;
  setScriptState(SCRIPT_RUNS);
  monitorScript(true);
  replyEnd();
}

/** It is over: what comes now is the reply of the command it was. False: nobody is there for it. */
export function scriptEnd(): bool {
  replyClear(replies);
  owner.db = ownerDb;
  owner.resp = ownerResp;
  owner.flags = (owner.flags & ~CLIENT_IN_EXEC) | ownerFlags;
  setArgs(ownerArgc, ownerArgv);
  replyErrorsSet(ownerErrors);
  setScriptState(SCRIPT_IDLE);
  monitorScript(false);
  ownerReplies();
  effectNone();
  return !isOrphan;
}

function ownerReplies(): void {
  replyBegin(clientList(owner), owner.resp, false);
  replyLimit(limitWhileWriting(owner));
  applyMute();
}

/** Leaves the script in the middle: the host command goes on being the owner's. */
export function scriptSuspend(): void {
  replyClear(replies);
  setScriptState(SCRIPT_SUSPENDED);
  monitorScript(false);
  replyErrorsSet(ownerErrors);
  ownerReplies();
  effectNone();
}

/** Between commands of others: the script goes on, at the time at which it began. */
export function scriptContinue(): void {
  setNow(startedMs);
  setCurrentClient(owner);
  pushRunning(owner);
  setScriptState(SCRIPT_RUNS);
  monitorScript(true);
}

/** … and stops again. */
export function scriptPause(): void {
  replyClear(replies);
  setScriptState(SCRIPT_SUSPENDED);
  monitorScript(false);
  pushRunning(changetype<Client>(0));
}

/** Whether a suspended script needs this client, which is to be freed later then. */
export function scriptHolds(c: Client): bool {
  if (scriptState == SCRIPT_IDLE || c != owner) return false;
  isOrphan = true;
  return true;
}

/** The client of the script that ended last. */
export function scriptOwner(): Client {
  return owner;
}

export function scriptHasWritten(): bool {
  return hasWritten;
}

/** The command in the arguments, subcommands resolved; -1 = none. */
function resolved(): i32 {
  const id = lookupCommand(argPtr(0), argLen(0));
  if (id < 0 || !cmdHasSubcommands(id) || argc < 2) return id;
  return lookupSubcommand(id, argPtr(1), argLen(1));
}

function refusal(id: i32, how: u32): i32 {
  if (id < 0) return SCRIPT_UNKNOWN;
  if (!cmdArityOk(id, <i32>argc)) return SCRIPT_ARITY;
  const flags = cmdFlags(id);
  if (flags & CMDFLAG_NOSCRIPT) return SCRIPT_NOT_ALLOWED;
  const obeys = (client.flags & CLIENT_MASTER) != 0;
  if (masterDown && !obeys && (flags & CMDFLAG_STALE) == 0) return SCRIPT_STALE;
  if (client.flags & CLIENT_LIMITED && !obeys) {
    const result = aclCheckCurrent(id);
    if (result == ACL_OOM) return SCRIPT_OOM;
    if (result != ACL_OK) {
      aclNote(result, id, CONTEXT_SCRIPT);
      return SCRIPT_DENIED + result;
    }
  }
  if (flags & CMDFLAG_WRITE) {
    if (how & RUN_READONLY) return SCRIPT_READONLY;
    if (isReplica && replicaReadOnly && !obeys) return SCRIPT_REPLICA;
  }
  const isShort = wasShort && !hasWritten && !obeys && (how & RUN_ALLOW_OOM) == 0;
  return isShort && flags & CMDFLAG_DENYOOM ? SCRIPT_OOM : SCRIPT_OK;
}

/** Words in a block: first (place in the block, length) of each, then their bytes. */
function setWords(block: usize, count: u32): void {
  for (let at = block, end = block + (<usize>count << 3); at < end; at += 8) {
    store<u32>(at, load<u32>(at) + <u32>block);
  }
  setArgs(count, block);
}

/**
 * Runs a command for the script: `count` words in a block of `len` bytes, in protocol `resp`.
 * SCRIPT_*; the reply is at `scriptReply`.
 */
export function scriptRun(block: usize, len: u32, count: u32, resp: u32, how: u32): i32 {
  if (replies.head != 0) replyClear(replies);
  setWords(block, count);
  const id = resolved();
  const no = refusal(id, how);
  if (no != SCRIPT_OK) return no;
  if (cmdFlags(id) & CMDFLAG_WRITE) hasWritten = true;
  client.resp = resp;
  replyBegin(replies, resp, false);
  const errors = replyErrors;
  if (how & RUN_SILENT) effectsSilence(true);
  call(id);
  if (how & RUN_SILENT) effectsSilence(false);
  if (replyErrors != errors) countFailed(id);
  replyEnd();
  return replyFailed ? SCRIPT_FAILED : SCRIPT_OK;
}

/** First block of the reply. */
export function scriptReply(): usize {
  return replies.head;
}

/** redis.acl_check_cmd: 1 may, 0 may not, -1 there is no such command. */
export function scriptMayRun(block: usize, len: u32, count: u32): i32 {
  setWords(block, count);
  const id = resolved();
  if (id < 0) return -1;
  if ((client.flags & CLIENT_LIMITED) == 0) return 1;
  if (!cmdArityOk(id, <i32>argc)) return 1;
  const user = changetype<User>(<usize>client.user);
  return aclCheck(user, id, argc, argv) == ACL_OK ? 1 : 0;
}

/**
 * What stands against scripts of a client: 1 stale data, 2 a read-only replica, 4 no memory. 8: its
 * user may not do everything. 16: EXEC runs it.
 */
export function scriptWorld(handle: u32): u32 {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0 || c.flags & CLIENT_MASTER) return 0;
  let world: u32 = masterDown ? 1 : 0;
  if (isReplica && replicaReadOnly) world |= 2;
  if (maxMemory != 0 && usedMemory > maxMemory && !isReplica) world |= 4;
  if (c.flags & CLIENT_LIMITED) world |= 8;
  if (c.flags & CLIENT_IN_EXEC) world |= 16;
  return world;
}

/**
 * What the host must know to run a client's script, in one call: 1 the client speaks RESP3; 2 it
 * may be answered later, so its script can be suspended; `scriptWorld` times 4; the number of
 * arguments times 128.
 */
export function scriptFacts(handle: u32): u32 {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return 0;
  let facts: u32 = (argc << 7) | (scriptWorld(handle) << 2);
  if (c.resp == 3) facts |= 1;
  if ((c.flags & (CLIENT_IN_EXEC | CLIENT_INTERNAL | CLIENT_MASTER)) == 0) facts |= 2;
  return facts;
}
