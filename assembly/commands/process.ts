/**
 * From a parsed request to its effect: command look-up, the checks every command goes through, the
 * transaction queue, the call itself; and the batch executor that runs a pipeline in phases.
 *
 * Phases of a batch. All commands of the batch are looked up and their first keys hashed, then all
 * home groups are loaded, then all entries found there; only then are the commands run, one after
 * the other, in order. The loads of a phase are independent, so the processor overlaps their cache
 * misses. They are hints: running a command looks its key up again, whatever happened meanwhile.
 */
import { usedMemory } from '../base/alloc';
import { siphash } from '../base/siphash';
import {
  BATCH,
  batchArgc,
  batchArgv,
  batchCount,
  batchEnd,
  batchFull,
  HEADROOM,
  PARSE_COMMAND,
  PARSE_EMPTY,
  PARSE_ERROR,
  PARSE_MORE,
  parseBatch,
  parseError,
  parseErrorByte,
  parseSlow,
  queryAppend,
  queryTrim,
} from '../clients/query';
import {
  Client,
  client,
  CLIENT_AUTHENTICATED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_DIRTY_EXEC,
  CLIENT_HOST_BUSY,
  CLIENT_IN_EXEC,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_NO_TOUCH,
  CLIENT_OUTPUT_FULL,
  CLIENT_INTERNAL,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  CLIENT_REPLY_SKIP_NEXT,
  clientDiscard,
  clientList,
  clientQueue,
  clientResetQuery,
  setCurrentClient,
} from '../clients/client';
import { htTouchGroups, htTouchItems } from '../hashtable/hashtable';
import { dbAt, dbKeys, dbTouchReach, keyHashHint } from '../keyspace/db';
import {
  effectsCommandStart,
  effectsCommit,
  effectVerbatim,
  effectWritten,
} from '../keyspace/effects';
import {
  countApplied,
  countApplyError,
  countCommand,
  countInput,
  dirty,
  isReplica,
  loading,
  loadingAsync,
  masterDown,
  maxMemory,
  nowMs,
  replicaReadOnly,
  setFromMaster,
  setNoTouch,
} from '../keyspace/state';
import { argc, argIs, argLen, argPtr, argv, setArgs } from '../resp/args';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyBegin,
  replyEnd,
  replyError,
  replyErrors,
  replyFailed,
  replyMute,
  replySimple,
} from '../resp/reply';
import { dispatch } from './generated/dispatch';
import {
  CMD_COUNT,
  CMD_DISCARD,
  CMD_EXEC,
  CMD_MULTI,
  CMD_QUIT,
  CMD_RESET,
  CMD_WATCH,
  CMDFLAG_DENYOOM,
  CMDFLAG_LOADING,
  CMDFLAG_NO_ASYNC_LOADING,
  CMDFLAG_NO_AUTH,
  CMDFLAG_NO_MULTI,
  CMDFLAG_STALE,
  CMDFLAG_WRITE,
} from './generated/ids';
import {
  cmdArityOk,
  cmdFirstKey,
  cmdFlags,
  cmdHasSubcommands,
  cmdNameLen,
  cmdNamePtr,
  lookupCommand,
  lookupSubcommand,
} from './generated/table';
import { reportApplyProblem } from './host-call';

/** Client flags that end the reading of commands. */
const STOPPED: u32 =
  CLIENT_CLOSE_AFTER_REPLY | CLIENT_CLOSE_NOW | CLIENT_HOST_BUSY | CLIENT_OUTPUT_FULL;
/** A pipeline is interrupted at this much output, so that replies never pile up by the chunk. */
const OUTPUT_MAX: u32 = 4 << 20;
/** Client flags that take a command off the straight path. */
const UNUSUAL: u32 =
  CLIENT_MULTI | CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_REPLY_SKIP_NEXT | CLIENT_MASTER;

/** One row per command: calls u64, failed calls u32, rejected calls u32. */
const commandStats = memory.data(<i32>CMD_COUNT * 16, 16);
/** Per batched command: hash of its first key. */
const batchHashes = memory.data(<i32>BATCH * 8, 16);
/** The same without gaps, for touching. */
const touchHashes = memory.data(<i32>BATCH * 8, 16);
const batchIds = memory.data(<i32>BATCH * 4, 16);
const batchKeys = memory.data(<i32>BATCH * 4, 16);
/** Keeps the touching loads alive. */
export let touchSink: u32 = 0;

export function commandCalls(id: i32): u64 {
  return load<u64>(commandStats + (<usize>id << 4));
}
export function commandFailed(id: i32): u32 {
  return load<u32>(commandStats + (<usize>id << 4), 8);
}
export function commandRejected(id: i32): u32 {
  return load<u32>(commandStats + (<usize>id << 4), 12);
}
export function commandStatsReset(): void {
  memory.fill(commandStats, 0, <usize>CMD_COUNT * 16);
}

// @ts-ignore: decorator
@inline function countCall(id: i32): void {
  const at = commandStats + (<usize>id << 4);
  store<u64>(at, load<u64>(at) + 1);
}

function countStat(id: i32, off: usize): void {
  const at = commandStats + (<usize>id << 4) + off;
  store<u32>(at, load<u32>(at) + 1);
}

// ---- one command

/**
 * Runs the command in the arguments for the current client, without any checks, and writes its
 * effect. EXEC and scripts use it too; the unit's end is theirs then.
 */
export function call(id: i32): void {
  const before = dirty;
  const db = client.db;
  countCall(id);
  countCommand();
  effectsCommandStart();
  dispatch(id);
  if (dirty != before && !effectWritten) effectVerbatim(db);
}

/** The same for a command that may be anything: failures are counted, a master's are reported. */
function callUnusual(id: i32): void {
  const errors = replyErrors;
  queuedErrors = 0;
  call(id);
  // What failed inside EXEC was dealt with there, under its own name.
  if (replyErrors == errors + queuedErrors) return;
  countStat(id, 8);
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
  countStat(id, 8);
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}

/** A command of the master's stream was not applied: this copy has diverged. */
function applyProblem(id: i32): void {
  countApplyError();
  reportApplyProblem(id);
}

function flagTransaction(): void {
  if (client.flags & CLIENT_MULTI) client.flags |= CLIENT_DIRTY_EXEC;
}

/** Answers with an error instead of running the command. */
function reject(id: i32, text: string): void {
  countStat(id, 12);
  flagTransaction();
  if (id == CMD_EXEC) {
    clientDiscard(client);
    errorBegin('EXECABORT Transaction discarded because of: ');
    errorText(text);
    errorEnd();
  } else {
    replyError(text);
  }
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}

function rejectUnknown(): void {
  // Redis: what a browser was tricked into sending ends the connection without a word.
  if (argIs(0, 'post') || argIs(0, 'host:')) {
    client.flags |= CLIENT_CLOSE_AFTER_REPLY;
    return;
  }
  flagTransaction();
  errorBegin("ERR unknown command '");
  errorBytes(argPtr(0), argLen(0), 128);
  errorText("', with args beginning with: ");
  let left: u32 = 128;
  for (let i: u32 = 1; i < argc && left > 0; i++) {
    const shown = min(argLen(i), left);
    errorText("'");
    errorBytes(argPtr(i), shown, shown);
    errorText("' ");
    left -= min(left, shown + 3);
  }
  errorEnd();
  if (client.flags & CLIENT_MASTER) applyProblem(-1);
}

function rejectSubcommand(parent: i32): void {
  flagTransaction();
  errorBegin("ERR unknown subcommand '");
  errorBytes(argPtr(1), argLen(1), 128);
  errorText("'. Try ");
  errorUpper(cmdNamePtr(parent), cmdNameLen(parent));
  errorText(' HELP.');
  errorEnd();
  if (client.flags & CLIENT_MASTER) applyProblem(-1);
}

const upperScratch = memory.data(64);
function errorUpper(ptr: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) {
    const c: u32 = load<u8>(ptr + i);
    store<u8>(upperScratch + i, <u8>(c - 97 < 26 ? c - 32 : c));
  }
  errorBytes(upperScratch, len, len);
}

/** -ERR wrong number of arguments for 'name' command; also for commands that count themselves. */
export function replyWrongArity(id: i32): void {
  errorBegin("ERR wrong number of arguments for '");
  errorBytes(cmdNamePtr(id), cmdNameLen(id), 128);
  errorText("' command");
  errorEnd();
}

function rejectArity(id: i32): void {
  countStat(id, 12);
  flagTransaction();
  if (id == CMD_EXEC) {
    clientDiscard(client);
    errorBegin("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec'");
    errorText(' command');
    errorEnd();
  } else {
    replyWrongArity(id);
  }
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}

/** The id of the command in the arguments, subcommands resolved; below 0: refused and answered. */
function resolve(id: i32): i32 {
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
  if (unauthenticated && (flags & CMDFLAG_NO_AUTH) == 0) {
    reject(id, 'NOAUTH Authentication required.');
    return true;
  }
  if (client.flags & CLIENT_MASTER) return false;
  if (maxMemory != 0 && flags & CMDFLAG_DENYOOM && usedMemory > maxMemory && !isReplica) {
    reject(id, "OOM command not allowed when used memory > 'maxmemory'.");
    return true;
  }
  if (isReplica && replicaReadOnly && flags & CMDFLAG_WRITE) {
    reject(id, "READONLY You can't write against a read only replica.");
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
  return false;
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
  const flags = cmdFlags(id);
  if (flags & CMDFLAG_NO_MULTI) {
    reject(id, 'ERR Command not allowed inside a transaction');
    return;
  }
  if (!clientQueue(client, id, flags, argc, argv)) {
    reject(id, "OOM command not allowed when used memory > 'maxmemory'.");
    return;
  }
  replySimple('QUEUED');
}

/** Whether anything about server or client needs the careful path. */
// @ts-ignore: decorator
@inline function isPlain(): bool {
  return (
    (client.flags & (UNUSUAL | CLIENT_AUTHENTICATED)) == CLIENT_AUTHENTICATED &&
    !isReplica &&
    !loading &&
    maxMemory == 0
  );
}

/** Checks and runs the command in the arguments; `id` is what `lookupCommand` said. */
export function processCommand(id: i32): void {
  if (isPlain()) {
    if (id >= 0 && !cmdHasSubcommands(id) && cmdArityOk(id, <i32>argc)) {
      client.lastCmd = id;
      const errors = replyErrors;
      call(id);
      if (replyErrors != errors) countStat(id, 8);
    } else {
      runChecked(id);
    }
  } else {
    beginUnusual();
    runChecked(id);
    endUnusual();
  }
  effectsCommit();
  if (client.replyBytes > OUTPUT_MAX && (client.flags & CLIENT_INTERNAL) == 0) {
    client.flags |= CLIENT_OUTPUT_FULL;
  }
}

function runChecked(id: i32): void {
  id = resolve(id);
  if (id < 0) return;
  client.lastCmd = id;
  if (isForbidden(id)) return;
  if (isQueued(id)) queueCommand(id);
  else callUnusual(id);
}

function beginUnusual(): void {
  if (client.flags & CLIENT_REPLY_SKIP_NEXT) {
    client.flags = (client.flags & ~CLIENT_REPLY_SKIP_NEXT) | CLIENT_REPLY_SKIP;
  }
  applyMute();
}

function endUnusual(): void {
  client.flags &= ~CLIENT_REPLY_SKIP;
  applyMute();
}

/** Sets the reply writer to what the client's flags say. */
export function applyMute(): void {
  replyMute((client.flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_MASTER)) != 0);
}

// ---- batches

let lastName: u64 = 0;
let lastNameLen: u32 = 0;
let lastId: i32 = -1;

/** `lookupCommand`, remembering the last short name: pipelines repeat themselves. */
// @ts-ignore: decorator
@inline function lookupAgain(ptr: usize, len: u32): i32 {
  if (len - 1 >= 8) return lookupCommand(ptr, len);
  const name = load<u64>(ptr) << ((8 - <u64>len) << 3);
  if (name != lastName || len != lastNameLen) {
    lastName = name;
    lastNameLen = len;
    lastId = lookupCommand(ptr, len);
  }
  return lastId;
}

/** Looks up, hashes and touches what the batch will need. */
function prepareBatch(): void {
  const table = dbKeys(dbAt(client.db));
  let hashed: u32 = 0;
  for (let i: u32 = 0; i < batchCount; i++) {
    const pairs = batchArgv(i);
    const id = lookupAgain(load<u32>(pairs), load<u32>(pairs, 4));
    store<i32>(batchIds + (<usize>i << 2), id);
    const first: u32 = id >= 0 ? cmdFirstKey(id) : 0;
    if (first == 0 || first >= batchArgc(i)) {
      store<u32>(batchKeys + (<usize>i << 2), 0);
      continue;
    }
    const key: usize = load<u32>(pairs + (<usize>first << 3));
    const hash = siphash(key, load<u32>(pairs + (<usize>first << 3), 4));
    store<u32>(batchKeys + (<usize>i << 2), <u32>key);
    store<u64>(batchHashes + (<usize>i << 3), hash);
    store<u64>(touchHashes + (<usize>hashed << 3), hash);
    hashed++;
  }
  // A single command overlaps nothing.
  if (hashed < 2) return;
  touchSink = htTouchGroups(table, touchHashes, hashed);
  touchSink += htTouchItems(table, touchHashes, hashed, dbTouchReach(dbAt(client.db)));
}

/** Runs the parsed batch; returns the address behind the last command that ran. */
function runBatch(start: usize): usize {
  prepareBatch();
  const count = batchCount;
  const end = batchEnd;
  let from = start;
  for (let i: u32 = 0; i < count; i++) {
    const pairs = batchArgv(i);
    const n = batchArgc(i);
    const last = pairs + (<usize>(n - 1) << 3);
    const behind: usize = <usize>load<u32>(last) + load<u32>(last, 4) + 2;
    setArgs(n, pairs);
    keyHashHint(load<u32>(batchKeys + (<usize>i << 2)), load<u64>(batchHashes + (<usize>i << 3)));
    processCommand(load<i32>(batchIds + (<usize>i << 2)));
    if (client.flags & (STOPPED | CLIENT_MASTER)) {
      countStream(<u32>(behind - from));
      if (client.flags & STOPPED) {
        keyHashHint(0, 0);
        return behind;
      }
    }
    from = behind;
  }
  keyHashHint(0, 0);
  return end;
}

/** Bytes of a master's stream that have been run; inside MULTI they count with the EXEC. */
function countStream(bytes: u32): void {
  if ((client.flags & CLIENT_MASTER) == 0) return;
  client.readOffset += bytes;
  countApplied();
  if ((client.flags & CLIENT_MULTI) == 0) client.replOffset = client.readOffset;
}

function protocolError(): void {
  errorBegin('ERR Protocol error: ');
  errorText(parseError);
  if (parseErrorByte >= 0) {
    store<u8>(upperScratch, <u8>parseErrorByte);
    errorBytes(upperScratch, 1, 1);
    errorText("'");
  }
  errorEnd();
  client.flags |= CLIENT_CLOSE_AFTER_REPLY;
}

/** Runs what the query buffer holds, as far as it is complete. */
function runBuffered(): void {
  while ((client.flags & STOPPED) == 0) {
    const from = client.qpos;
    const found = parseSlow(client);
    if (found == PARSE_MORE) break;
    if (found == PARSE_ERROR) {
      protocolError();
      break;
    }
    if (found == PARSE_COMMAND) processCommand(lookupCommand(argPtr(0), argLen(0)));
    countStream(client.qpos - from);
    if (found == PARSE_EMPTY || client.flags & STOPPED) continue;
    // What follows is likely a pipeline again.
    runBufferedBatches();
  }
  if (client.flags & (CLIENT_CLOSE_AFTER_REPLY | CLIENT_CLOSE_NOW)) clientResetQuery(client);
  else queryTrim(client);
}

function runBufferedBatches(): void {
  do {
    const base: usize = client.qbuf;
    parseBatch(client, base + client.qpos, base + client.qlen);
    if (batchCount == 0) return;
    const more = batchFull;
    client.qpos = <u32>(runBatch(base + client.qpos) - base);
    if (!more) return;
  } while ((client.flags & STOPPED) == 0);
}

/** Runs the complete commands in [p, end), keeps the rest. */
function runDirect(p: usize, end: usize): void {
  let more = true;
  while (more && p < end && (client.flags & STOPPED) == 0) {
    parseBatch(client, p, end);
    if (batchCount == 0) break;
    more = batchFull;
    p = runBatch(p);
  }
  if (p == end || client.flags & (CLIENT_CLOSE_AFTER_REPLY | CLIENT_CLOSE_NOW)) return;
  if (!queryAppend(client, p, <u32>(end - p))) {
    client.flags |= CLIENT_CLOSE_NOW;
    return;
  }
  runBuffered();
}

/**
 * Takes `len` bytes at `ptr` from a client and runs what became complete. HEADROOM bytes in front
 * of `ptr` may be overwritten. Replies are in the client's list afterwards.
 */
export function clientFeed(c: Client, ptr: usize, len: u32): void {
  begin(c);
  countInput(len);
  c.netIn += len;
  c.lastMs = nowMs;
  if (c.flags & STOPPED) {
    const waits = (c.flags & (CLIENT_HOST_BUSY | CLIENT_OUTPUT_FULL)) != 0;
    if (waits && !queryAppend(c, ptr, len)) c.flags |= CLIENT_CLOSE_NOW;
  } else if (c.qlen == 0 && c.multibulkLeft == 0) {
    runDirect(ptr, ptr + len);
  } else if (c.multibulkLeft == 0 && c.qlen <= HEADROOM) {
    const start = ptr - c.qlen;
    memory.copy(start, c.qbuf, c.qlen);
    clientResetQuery(c);
    runDirect(start, ptr + len);
  } else if (queryAppend(c, ptr, len)) {
    runBuffered();
  } else {
    c.flags |= CLIENT_CLOSE_NOW;
  }
  finish(c);
}

/** Goes on with what was received while a client was busy, waiting or full of output. */
export function clientResume(c: Client): void {
  begin(c);
  c.flags &= ~(CLIENT_HOST_BUSY | CLIENT_OUTPUT_FULL);
  if (c.flags & STOPPED) queryTrim(c);
  else runBuffered();
  finish(c);
}

function begin(c: Client): void {
  setCurrentClient(c);
  replyBegin(clientList(c), c.resp, false);
  setFromMaster((c.flags & CLIENT_MASTER) != 0);
  setNoTouch((c.flags & CLIENT_NO_TOUCH) != 0);
  if (c.flags & UNUSUAL) applyMute();
}

function finish(c: Client): void {
  replyEnd();
  if (replyFailed) c.flags |= CLIENT_CLOSE_NOW;
  setFromMaster(false);
}
