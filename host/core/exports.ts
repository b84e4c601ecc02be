// The raw exports of core.wasm, as assembly/index.ts documents them. Pointers come back signed:
// `>>> 0` before use.

export interface CoreExports {
  // life
  init(databases: number, seed0: bigint, seed1: bigint): number;
  readBuffer(): number;
  readBufferSize(): number;
  hostAlloc(size: number): number;
  hostFree(ptr: number): void;
  setTime(ms: number): void;
  // clients
  clientOpen(flags: number, addr: number, addrLen: number, laddr: number, laddrLen: number): number;
  clientClose(handle: number): void;
  feed(handle: number, len: number, nowMs: number): number;
  resume(handle: number, nowMs: number): number;
  clientStatus(handle: number): number;
  takeReply(handle: number): number;
  recycleReply(block: number): void;
  clientProtocol(handle: number): number;
  clientInExec(handle: number): number;
  clientOutputBytes(handle: number): number;
  clientAddress(handle: number): number;
  clientName(handle: number): number;
  clientShut(handle: number, now: boolean): void;
  nextReady(): number;
  readyClients(): number;
  queryBytes(): number;
  // host commands
  commandArgc(): number;
  commandArgv(): number;
  commandSecrets(): number;
  replyBytes(ptr: number, len: number, isMore: boolean): void;
  replyBytesLate(handle: number, ptr: number, len: number, isMore: boolean): void;
  // function libraries
  functionVersion(): number;
  functionPut(code: number, len: number): number;
  functionDelete(name: number, len: number): number;
  functionClear(): void;
  functionChanged(): void;
  functionPayloadOk(ptr: number, len: number): number;
  // scripts
  scriptBegin(): void;
  scriptEnd(): void;
  scriptReturn(ptr: number, len: number): void;
  scriptSuspend(): void;
  scriptContinue(): void;
  scriptPause(): void;
  scriptFinish(): void;
  scriptRun(block: number, len: number, count: number, resp: number, how: number): number;
  scriptReply(): number;
  scriptMayRun(block: number, len: number, count: number): number;
  scriptHasWritten(): number;
  scriptFacts(handle: number): number;
  scriptWorld(handle: number): number;
  scriptKind(isFunction: boolean): void;
  // time passing
  cron(nowMs: number): void;
  lazyStep(): number;
  armDeadlines(steadyMs: number): number;
  serveDeadlines(steadyMs: number, nowMs: number): number;
  // settings
  configureExpire(sample: number, rounds: number, batch: number, share: number): void;
  configureMemory(maxBytes: number, lfu: boolean, logFactor: number, decay: number): void;
  configureHeap(chunks: number): void;
  configureProtocol(maxBulkLen: number, maxQuery: number): void;
  configureLimit(which: number, value: number): void;
  configureStreams(nodeBytes: number, nodeEntries: number): void;
  configureDebug(mode: number): void;
  configureDump(compression: boolean): void;
  configureNotify(flags: number): void;
  configureTracking(keysMax: number): void;
  configureOutput(which: number, hard: number, soft: number, softSec: number): void;
  configureTiming(slowNs: number, all: boolean, histograms: boolean): void;
  configurePassword(ptr: number, len: number): number;
  configureAcl(allChannels: boolean, logMax: number): void;
  setReplica(replica: boolean, readOnly: boolean): void;
  setRedirection(on: boolean): void;
  disconnectBlocked(): void;
  setLoadingState(on: boolean, aside: boolean): void;
  setMasterLinkDown(down: boolean): void;
  setActiveExpiry(on: boolean): void;
  // users: results are FILE_* of assembly/commands/acl-file.ts
  usersOpen(): number;
  usersDeclare(ptr: number, len: number): number;
  usersLoad(ptr: number, len: number, name: number, nameLen: number): number;
  usersSave(): number;
  textAddress(): number;
  textLength(): number;
  // effects
  effectsFollow(on: boolean): void;
  effectsSelect(): void;
  effectsAddress(): number;
  effectsLength(): number;
  effectsDone(): void;
  effectsMissing(): number;
  replicaAck(handle: number, offset: number, aof: number): void;
  aofSynced(offset: number): void;
  waitingForAcks(): number;
  // statistics
  statistics(): number;
  statisticsCount(): number;
  trafficStatistics(): number;
  databaseStatistics(index: number): number;
  statisticsReset(): void;
  headroom(): number;
  commandCount(): number;
  commandStatistics(id: number): number;
  commandStatisticsSettle(): void;
  errorStatistics(): number;
  errorStatisticsCount(): number;

  // rdb: layout of the facts in assembly/rdb/load-info.ts
  loadBegin(flags: number): number;
  loadFeed(ptr: number, len: number, nowMs: number): number;
  loadFinish(): number;
  loadConsumed(): number;
  loadCommit(): number;
  loadAbort(): void;
  loadInfo(): number;
  functionFirst(): number;
  functionNext(library: number): number;

  // ---- replication
  /** False: no such client, or no such database. */
  masterStart(handle: number, db: number, offset: number): number;
  masterOffset(handle: number): number;
  masterReadOffset(handle: number): number;
  masterDb(handle: number): number;
  replicaApplied(): number;
  replicaUsedBytes(): number;
  replicaKeyCount(): number;
  feedAt(handle: number, ptr: number, len: number, nowMs: number): number;

  // ---- local
  /** Length of the value, or below 0 a LOCAL_* of assembly/clients/local.ts. */
  localGet(db: number, key: number, keyLen: number, nowMs: number): number;
  localValue(): number;
  localDbSize(db: number): number;
  localDb(handle: number): number;
  localSelect(handle: number, db: number): void;
  /** 0, or below 0 a LOCAL_*; see assembly/commands/local-script.ts. */
  localScriptBegin(handle: number, nowMs: number): number;
  localScriptEnd(): void;
}
