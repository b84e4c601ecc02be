/**
 * The ABI of core.wasm: everything the host may call, grouped. Pointers are unsigned 32-bit
 * addresses in the shared memory; 64-bit values cross as f64 where 53 bits do (times, offsets),
 * otherwise through memory. host/core/ is the only caller.
 */
import {
  alloc,
  allocHeadroom,
  allocInit,
  allocSetLimit,
  allocUrgent,
  free,
} from './base/alloc';
import { prngSeed } from './base/prng';
import { sipSeed } from './base/siphash';
import { textLen, textPtr } from './base/text';
import {
  Client,
  CLIENT_AUTHENTICATED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_HOST_BUSY,
  CLIENT_OUTPUT_FULL,
  CLIENT_IN_EXEC,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_BLOCKED,
  CLIENT_RESUME,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  clientAt,
  clientFree,
  clientList,
  clientNew,
  clientQueryBytes,
  clientTop,
} from './clients/client';
import {
  aofSynced as noteAofSynced,
  replicaAck as noteReplicaAck,
  replicaForget,
} from './clients/acks';
import { ackWaiters, blockedForget } from './clients/blocked';
import { clientSetDefaultUser, setDefaultPassword } from './clients/acl';
import { selectorSetDefault } from './clients/acl-selector';
import { defaultUser, USER_NOPASS, usersInit } from './clients/acl-user';
import { deadlineFirst, deadlinesArm, deadlinesFresh } from './clients/deadlines';
import { pauseArm, pauseEnd, pauseEndMs, pauseForget, pauseIsFresh } from './clients/pause';
import { localPtr } from './clients/local';
import { HEADROOM, querySetMax, READ_SIZE } from './clients/query';
import { aclDeclare, aclRead, aclWrite } from './commands/acl-file';
import { aclLogSetMax } from './commands/acl-log';
import { clientFeed, clientResume } from './commands/batch';
import {
  commandStatsReset,
  commandStatsRow,
  commandStatsSettle,
  commandTiming,
} from './commands/command-stats';
import { CMD_COUNT } from './commands/generated/ids';
import { scriptEnd as scriptOver, scriptHolds, scriptOwner } from './commands/script';
import {
  commitFor,
  disconnectAllBlocked,
  serveAcks,
  serveReadyKeys,
  serveTimeouts,
} from './commands/unblock';
import { dbInit } from './keyspace/db';
import { functionsFirst, functionsNext } from './keyspace/functions';
import {
  effectsEnable,
  effectsClearLost,
  effectsForceSelect,
  effectsLen,
  effectsLost,
  effectsPtr,
  effectsTaken,
} from './keyspace/effects';
import { debugSetMode } from './keyspace/debug';
import { notifyConfigure } from './keyspace/notify';
import { limitCheck, limitConfigure, pushRunning } from './keyspace/push';
import { trackingConfigure, trackingSettle } from './keyspace/tracking';
import { expireConfigure, expireCycle } from './keyspace/expire';
import { fieldsExpireCycle } from './keyspace/hash-fields';
import { readyKeyCount } from './keyspace/ready-keys';
import {
  resetStats,
  setActiveExpire,
  setLoading,
  setMasterDown,
  setMaxMemory,
  setNow,
  setPolicy,
  setProtoMaxBulkLen,
  setRedirects,
  setRole,
  setScriptKind,
} from './keyspace/state';
import { lazyFreeStep, lazyPending } from './keyspace/value';
import { limitsSet } from './types/limits';
import { streamSetLimits } from './types/stream';
import { fillDatabase, fillStatistics, fillTraffic, STAT_COUNT } from './statistics';
import {
  loadAbort as rdbLoadAbort,
  loadBegin as rdbLoadBegin,
  loadCommit as rdbLoadCommit,
  loadConsumed as rdbLoadConsumed,
  loadFeed as rdbLoadFeed,
  loadFinish as rdbLoadFinish,
} from './rdb/load';
import { loadInfoPtr } from './rdb/load-info';
import { rdbSetCompression } from './rdb/save-sink';
import { argc, argv } from './resp/args';
import { errorCodes, errorStatsReset, errorTable } from './resp/error-stats';
import { findSecrets, secretEnd, secretFirst } from './resp/secrets';
import {
  PUSH_MONITOR,
  PUSH_OVER_LIMIT,
  PUSH_PUBSUB,
  readyAdd,
  readyCount,
  readyRemove,
  readyTake,
} from './resp/outbox';
import {
  replyBegin,
  replyEnd,
  replyFailed,
  replyMade,
  replyRaw,
  replyRecycle,
  replyTake,
} from './resp/reply';

let readBase: usize = 0;

// ---- life

/** Must be the first call. False: no memory for the smallest instance. */
export function init(databases: u32, seed0: u64, seed1: u64): bool {
  allocInit();
  sipSeed(seed0, seed1);
  prngSeed(seed1, seed0);
  readBase = alloc(<usize>HEADROOM + READ_SIZE);
  return readBase != 0 && usersInit() && dbInit(databases);
}

/** Where the host puts received bytes: READ_SIZE of them, with HEADROOM in front. */
export function readBuffer(): usize {
  return readBase + HEADROOM;
}

export function readBufferSize(): u32 {
  return READ_SIZE;
}

/** Raw memory for the host's own use (arguments, names, replies). */
export function hostAlloc(size: usize): usize {
  return allocUrgent(size);
}

export function hostFree(ptr: usize): void {
  free(ptr);
}

/** Tells the time, unix ms; before every call that may look at it. */
export function setTime(ms: f64): void {
  setNow(<i64>ms);
}

// ---- clients

/**
 * Opens a client; its handle, -1 when memory ran out. It is the default user's, and authenticated
 * if that needs no password; a master's stream and internal ones may do everything.
 */
export function clientOpen(
  flags: u32,
  addr: usize,
  addrLen: u32,
  laddr: usize,
  laddrLen: u32,
): i32 {
  const c = clientNew(flags, addr, addrLen, laddr, laddrLen);
  if (changetype<usize>(c) == 0) return -1;
  if ((flags & (CLIENT_MASTER | CLIENT_INTERNAL)) == 0) {
    clientSetDefaultUser(c);
    c.flags |= flags & CLIENT_AUTHENTICATED;
  }
  return <i32>c.handle;
}

export function clientClose(handle: u32): void {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0 || scriptHolds(c)) return;
  readyRemove(c);
  blockedForget(c);
  pauseForget(c);
  replicaForget(c);
  clientFree(c);
}

/**
 * 1: has output. 2: close after it. 4: close now. 8: waits for the host. 16: resume once sent.
 * 32: is blocked. 64: was unblocked, resume. 128: call `armDeadlines`. 256: close now, for too
 * much unread output. 512: listens to channels or to MONITOR.
 */
function status(c: Client): u32 {
  let s: u32 = c.replyHead != 0 ? 1 : 0;
  if (c.flags & CLIENT_CLOSE_AFTER_REPLY) s |= 2;
  if (c.flags & CLIENT_CLOSE_NOW) s |= 4;
  if (c.flags & CLIENT_HOST_BUSY) s |= 8;
  if (c.flags & CLIENT_OUTPUT_FULL) s |= 16;
  if (c.flags & CLIENT_BLOCKED) s |= 32;
  if (c.flags & CLIENT_RESUME) s |= 64;
  if (deadlinesFresh() || pauseIsFresh()) s |= 128;
  if (c.push & PUSH_OVER_LIMIT) s |= 256;
  if (c.push & (PUSH_PUBSUB | PUSH_MONITOR)) s |= 512;
  return s;
}

/** Runs `len` bytes in the read buffer for a client; see `status`. */
export function feed(handle: u32, len: u32, nowMs: f64): u32 {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return 4;
  setNow(<i64>nowMs);
  clientFeed(c, readBase + HEADROOM, len);
  return status(c);
}

/** Goes on with a client whose host command is done. */
export function resume(handle: u32, nowMs: f64): u32 {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return 4;
  setNow(<i64>nowMs);
  clientResume(c);
  return status(c);
}

export function clientStatus(handle: u32): u32 {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 4 : status(c);
}

/** First reply block of a client, 0 = none: data at +16, length (u32) at +4; see resp/reply.ts. */
export function takeReply(handle: u32): usize {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 0 : replyTake(clientList(c));
}

/** Gives a reply block back once its bytes are sent. */
export function recycleReply(block: usize): void {
  replyRecycle(block);
}

/** The next client that needs attention without having been fed; -1 = none. */
export function nextReady(): i32 {
  return readyTake();
}

export function readyClients(): u32 {
  return readyCount;
}

export function queryBytes(): usize {
  return clientQueryBytes;
}

// ---- host commands

/** Arguments of the command handed to the host. */
export function commandArgc(): u32 {
  return argc;
}

/**
 * Which of them nobody but the sender may see, as far as the core knows: the first in the low half,
 * the one behind in the high half; 0 = none.
 */
export function commandSecrets(): u32 {
  findSecrets();
  return secretFirst | (min<u32>(secretEnd, 0xffff) << 16);
}

/** Their (ptr, len) pairs. */
export function commandArgv(): usize {
  return argv;
}

/**
 * Adds ready-made reply bytes for the client whose host command runs now; `isMore`: they go on a
 * reply that was begun.
 */
export function replyBytes(ptr: usize, len: usize, isMore: bool): void {
  if (isMore) replyRaw(ptr, len);
  else replyMade(ptr, len);
}

/** The same later, for a client that waits for the host. */
export function replyBytesLate(handle: u32, ptr: usize, len: usize, isMore: bool): void {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return;
  replyBegin(clientList(c), c.resp, (c.flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP)) != 0);
  replyBytes(ptr, len, isMore);
  replyEnd();
  if (replyFailed) c.flags |= CLIENT_CLOSE_NOW;
}

/** Protocol (2 or 3) of a client. */
export function clientProtocol(handle: u32): u32 {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 2 : c.resp;
}

/** Whether the client's command runs inside EXEC: then the host must be done when it returns. */
export function clientInExec(handle: u32): bool {
  const c = clientAt(handle);
  return changetype<usize>(c) != 0 && (c.flags & CLIENT_IN_EXEC) != 0;
}

/** Bytes of replies that a client has not been sent. */
export function clientOutputBytes(handle: u32): usize {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 0 : c.replyBytes;
}

/** The peer's address and the client's name, blobs (u32 length, bytes) or 0. */
export function clientAddress(handle: u32): usize {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 0 : c.addr;
}
export function clientName(handle: u32): usize {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 0 : c.name;
}

/** Closes a client: at once, or after what was said to it. */
export function clientShut(handle: u32, now: bool): void {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return;
  c.flags |= now ? CLIENT_CLOSE_NOW : CLIENT_CLOSE_AFTER_REPLY;
  readyAdd(c);
}

// ---- function libraries: assembly/commands/function.ts

export {
  functionChanged,
  functionClear,
  functionDelete,
  functionPayloadOk,
  functionPut,
  functionVersion,
} from './commands/function';

// ---- scripts: assembly/commands/script.ts

export {
  scriptBegin,
  scriptContinue,
  scriptFacts,
  scriptHasWritten,
  scriptMayRun,
  scriptPause,
  scriptReply,
  scriptRun,
  scriptSuspend,
  scriptWorld,
} from './commands/script';

/** It is over without a reply so far. */
export function scriptEnd(): void {
  scriptOver();
}

/** It is over, and this is the reply. */
export function scriptReturn(ptr: usize, len: usize): void {
  scriptOver();
  replyMade(ptr, len);
}

/** The end of a script that was suspended: its effects go out, who waited for keys is served. */
export function scriptFinish(): void {
  const isWanted = scriptOver();
  replyEnd();
  const c = scriptOwner();
  pushRunning(changetype<Client>(0));
  commitFor(c);
  if (readyKeyCount != 0) serveReadyKeys();
  trackingSettle();
  if (!isWanted) clientClose(c.handle);
}

/** What others are told while a script is suspended depends on what it is. */
export function scriptKind(isFunction: bool): void {
  setScriptKind(isFunction);
}

// ---- time passing

/** The periodic work: clean-up of expired keys, bounded bites of what is to be freed. */
export function cron(nowMs: f64): void {
  setNow(<i64>nowMs);
  expireCycle();
  fieldsExpireCycle();
  if (readyKeyCount != 0) serveReadyKeys();
  trackingSettle();
  checkOutputs();
  lazyFreeStep(LAZY_GROUPS);
}

/** Soft limits of output run out with time. */
function checkOutputs(): void {
  for (let handle: u32 = 0; handle < clientTop; handle++) {
    const c = clientAt(handle);
    if (changetype<usize>(c) != 0) limitCheck(c);
  }
}

/**
 * The host's steady clock, ms: deadlines that came up since the last call begin now. The next
 * deadline in that time, infinity when there is none; then `serveDeadlines` is to be called.
 */
export function armDeadlines(steadyMs: f64): f64 {
  deadlinesArm(steadyMs);
  pauseArm(steadyMs);
  return min(deadlineFirst(), pauseEndMs());
}

/** Wakes those whose deadline has come; as `armDeadlines` for the rest. */
export function serveDeadlines(steadyMs: f64, nowMs: f64): f64 {
  setNow(<i64>nowMs);
  armDeadlines(steadyMs);
  serveTimeouts(steadyMs);
  if (pauseEndMs() <= steadyMs) pauseEnd();
  return min(deadlineFirst(), pauseEndMs());
}

/** Cache lines freed by one step, well below a millisecond. */
const LAZY_GROUPS: u32 = 512;

/** One more bite of lazy freeing; how many objects are still waiting. */
export function lazyStep(): u32 {
  lazyFreeStep(LAZY_GROUPS);
  return lazyPending;
}

// ---- settings

export function configureExpire(sample: u32, rounds: u32, batch: u32, share: f64): void {
  expireConfigure(sample, rounds, batch, share);
}

export function configureMemory(maxBytes: f64, lfu: bool, logFactor: u32, decay: u32): void {
  setMaxMemory(<usize>maxBytes);
  setPolicy(lfu, logFactor, decay);
}

/** Most chunks of 64 KiB the core may take, whatever the memory would give. */
export function configureHeap(chunks: u32): void {
  allocSetLimit(chunks);
}

export function configureProtocol(maxBulkLen: f64, maxQuery: f64): void {
  setProtoMaxBulkLen(<u64>maxBulkLen);
  querySetMax(<u64>maxQuery);
}

/** Sets the password of the default user; length 0 = none. */
export function configurePassword(ptr: usize, len: u32): bool {
  return setDefaultPassword(ptr, len);
}

/** acl-pubsub-default: whether new users may use all channels; acllog-max-len. */
export function configureAcl(allChannels: bool, logMax: f64): void {
  selectorSetDefault(allChannels);
  aclLogSetMax(<u64>logMax);
}

/** A threshold of the collections: `which` is a LIMIT_* of types/limits.ts. */
export function configureLimit(which: u32, value: i32): void {
  limitsSet(which, value);
}

/** stream-node-max-bytes and -entries. */
export function configureStreams(nodeBytes: f64, nodeEntries: f64): void {
  streamSetLimits(<u64>nodeBytes, <i64>nodeEntries);
}

/** enable-debug-command: 0 no, 1 yes, 2 local connections only. */
export function configureDebug(mode: u32): void {
  debugSetMode(mode);
}

/** notify-keyspace-events: NOTIFY_* of keyspace/notify.ts. */
export function configureNotify(flags: u32): void {
  notifyConfigure(flags);
}

/** tracking-table-max-keys; 0 = no limit. */
export function configureTracking(keysMax: f64): void {
  trackingConfigure(<u32>min<f64>(keysMax, u32.MAX_VALUE));
}

/** client-output-buffer-limit of a class: 0 normal, 1 replica, 2 pubsub. */
export function configureOutput(which: u32, hard: f64, soft: f64, softSec: f64): void {
  limitConfigure(which, hard, soft, softSec);
}

/** rdbcompression, for DUMP and files. */
export function configureDump(compression: bool): void {
  rdbSetCompression(compression);
}

/**
 * Commands of `slowNs` or more are reported through `slowCommand` (Infinity: none are); `all`:
 * every command is timed, not only samples of the short ones; whether histograms are kept.
 */
export function configureTiming(slowNs: f64, all: bool, histograms: bool): void {
  commandTiming(slowNs, all, histograms);
}

/** A master is followed from now on: whoever is blocked is told so and closed. */
export function disconnectBlocked(): void {
  disconnectAllBlocked();
}

export function setReplica(replica: bool, readOnly: bool): void {
  setRole(replica, readOnly);
}

/**
 * Writes of clients that a read-only replica refuses are handed to the host instead, as host calls
 * whose id has bit 16 set.
 */
export function setRedirection(on: bool): void {
  setRedirects(on);
}

/** A data set is being loaded; `aside`: the one being served stays meanwhile. */
export function setLoadingState(on: bool, aside: bool): void {
  setLoading(on, aside);
}

export function setMasterLinkDown(down: bool): void {
  setMasterDown(down);
}

export function setActiveExpiry(on: bool): void {
  setActiveExpire(on);
}

// ---- users: results are FILE_* of commands/acl-file.ts, texts are at `textAddress`

/** Whether clients of the default user need no password. */
export function usersOpen(): bool {
  return (defaultUser.flags & USER_NOPASS) != 0;
}

/** A `user` line: its words from the name on, each as u32 length and bytes. */
export function usersDeclare(ptr: usize, len: u32): i32 {
  return aclDeclare(ptr, len);
}

/** ACL LOAD: the text of an ACL file, and how messages call it. */
export function usersLoad(ptr: usize, len: u32, name: usize, nameLen: u32): i32 {
  return aclRead(ptr, len, name, nameLen);
}

/** ACL SAVE: leaves the text of the file; false when memory ran out. */
export function usersSave(): bool {
  return aclWrite();
}

/** The text that the last call left. */
export function textAddress(): usize {
  return textPtr;
}

export function textLength(): u32 {
  return textLen;
}

// ---- effects

export function effectsFollow(on: bool): void {
  effectsEnable(on);
}

/** The next effect names its database. */
export function effectsSelect(): void {
  effectsForceSelect();
}

export function effectsAddress(): usize {
  return effectsPtr;
}

export function effectsLength(): usize {
  return effectsLen;
}

/** The bytes were taken. */
export function effectsDone(): void {
  effectsTaken();
}

/** True once after memory ran out for effects: followers must start over. */
export function effectsMissing(): bool {
  const lost = effectsLost;
  effectsClearLost();
  return lost;
}

// ---- confirmations, for WAIT and WAITAOF

/** A replica, connected as this client, has our stream up to `offset`, and up to `aof` on disk. */
export function replicaAck(handle: u32, offset: f64, aof: f64): void {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return;
  noteReplicaAck(c, offset, aof);
  serveAcks();
}

/** Our append only file is on disk up to this offset of the stream; -1: there is none. */
export function aofSynced(offset: f64): void {
  noteAofSynced(offset);
  serveAcks();
}

/** Clients that wait for confirmations: replicas are to be asked for theirs. */
export function waitingForAcks(): u32 {
  return ackWaiters;
}

// ---- statistics

export function statistics(): usize {
  return fillStatistics();
}

export function trafficStatistics(): usize {
  return fillTraffic();
}

export function statisticsCount(): u32 {
  return STAT_COUNT;
}

export function databaseStatistics(index: u32): usize {
  return fillDatabase(index);
}

export function statisticsReset(): void {
  resetStats();
  commandStatsReset();
  errorStatsReset();
}

/** Bytes that can still be allocated. */
export function headroom(): f64 {
  return <f64>allocHeadroom();
}

export function commandCount(): u32 {
  return CMD_COUNT;
}

/** Calls, times and failures of a command: the row of assembly/commands/command-stats.ts. */
export function commandStatistics(id: i32): usize {
  return commandStatsRow(id);
}

/** Makes times and histograms speak for all calls so far; before they are read. */
export function commandStatisticsSettle(): void {
  commandStatsSettle();
}

/** Error codes answered, `errorStatisticsCount` rows of assembly/resp/error-stats.ts. */
export function errorStatistics(): usize {
  return errorTable();
}

export function errorStatisticsCount(): u32 {
  return errorCodes;
}

// ---- rdb: loading (assembly/rdb/load.ts; facts: layout in assembly/rdb/load-info.ts)

/** Flags: 1 aside until loadCommit, 2 keep expired keys (a master's file), 4 skip the checksum. */
export function loadBegin(flags: u32): i32 {
  return rdbLoadBegin(flags);
}

/** Bytes of the RDB, of any length. 0: more, 1: whole, -1: failed. Time grows with `len`. */
export function loadFeed(ptr: usize, len: u32, nowMs: f64): i32 {
  return rdbLoadFeed(ptr, len, nowMs);
}

/** No more bytes will come: 1 when the RDB was whole, else -1. */
export function loadFinish(): i32 {
  return rdbLoadFinish();
}

/** Bytes of the last feed that belong to the RDB. */
export function loadConsumed(): u32 {
  return rdbLoadConsumed();
}

/** What was loaded is the data set now. False: it is not whole. */
export function loadCommit(): bool {
  const isDone = rdbLoadCommit();
  if (readyKeyCount != 0) serveReadyKeys();
  return isDone;
}

/** Drops what was loaded. */
export function loadAbort(): void {
  rdbLoadAbort();
}

export function loadInfo(): usize {
  return loadInfoPtr();
}

/** First function library, 0 = none; the next one. Layout: keyspace/functions.ts. */
export function functionFirst(): usize {
  return functionsFirst(false);
}
export function functionNext(library: usize): usize {
  return functionsNext(library);
}

// ---- replication: the master's stream, and what a replica's clients may see

export {
  masterDb,
  masterOffset,
  masterReadOffset,
  masterStart,
  replicaApplied,
  replicaKeyCount,
  replicaUsedBytes,
} from './clients/master';

/**
 * `feed` for bytes anywhere in memory. For the read buffer's HEADROOM to serve a split command the
 * bytes must lie in the read buffer; elsewhere `ptr` needs as much free room in front unless the
 * client has nothing pending (an internal client that sends whole commands only).
 */
export function feedAt(handle: u32, ptr: usize, len: u32, nowMs: f64): u32 {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return 4;
  setNow(<i64>nowMs);
  clientFeed(c, ptr, len);
  return status(c);
}

// ---- local: reads and scripts of the embedding process

export { localDb, localDbSize, localGet, localSelect } from './clients/local';
export { localScriptBegin, localScriptEnd } from './commands/local-script';

/** Where the value of the last `localGet` lies. */
export function localValue(): usize {
  return localPtr;
}
