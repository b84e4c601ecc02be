/**
 * What the whole keyspace shares: the clock as the host last told it, the role, limits, counters.
 * Plain globals; each says who writes it.
 */

/** Unix time in ms, set by the host at every call; constant while a command runs. */
export let nowMs: i64 = 0;
/** The LRU clock of that time: seconds, 24 bits. */
export let nowLru: u32 = 0;
/** Changes to the data set since the start (Redis' `dirty`, never reset here). */
export let dirty: u64 = 0;
/** This instance follows a master: it expires nothing on its own. Set by the host. */
export let isReplica: bool = false;
/** replica-read-only. Set by the host. */
export let replicaReadOnly: bool = true;
/** The command running now came from the master. Set by the apply path. */
export let fromMaster: bool = false;
/** CLIENT NO-TOUCH of the running command's client: reads leave the access clock alone. */
export let noTouch: bool = false;
/** A data set is being loaded; most commands answer LOADING. Set by the host. */
export let loading: bool = false;
/** Loading happens beside the data being served (replica, same history). Set by the host. */
export let loadingAsync: bool = false;
/** The link to the master is down and stale data must not be served. Set by the host. */
export let masterDown: bool = false;
/** Clients are paused: 1 what may write, 2 all (clients/pause.ts); nothing expires meanwhile. */
export let paused: u32 = 0;
/** A script runs, or is suspended while it runs for long; only then others are answered BUSY. */
export const SCRIPT_IDLE: u32 = 0;
export const SCRIPT_RUNS: u32 = 1;
export const SCRIPT_SUSPENDED: u32 = 2;
export let scriptState: u32 = SCRIPT_IDLE;
/** The suspended script is a function. Set by the host. */
export let scriptIsFunction: bool = false;
/** The state of the server may forbid a command or make it wait: it must be looked at. */
export let isSpecial: bool = false;
/** DEBUG SET-ACTIVE-EXPIRE: also lazy expiry goes on, only the sampled cycle stops. */
export let activeExpire: bool = true;
/** maxmemory in bytes, 0 = none. Set by the host. */
export let maxMemory: usize = 0;
/** maxmemory-policy is one of the LFU ones. Set by the host. */
export let policyLfu: bool = false;
/** lfu-log-factor and lfu-decay-time. Set by the host. */
export let lfuLogFactor: u32 = 10;
export let lfuDecayTime: u32 = 1;
/** proto-max-bulk-len. Set by the host. */
export let protoMaxBulkLen: u64 = 512 << 20;

export let statKeyspaceHits: u64 = 0;
export let statKeyspaceMisses: u64 = 0;
export let statExpiredKeys: u64 = 0;
/** Fields of hashes that expired. */
export let statExpiredFields: u64 = 0;
export let statCommands: u64 = 0;
export let statNetInput: u64 = 0;
/** Bytes of the master's command stream. */
export let statNetReplInput: u64 = 0;
/** Commands in the master's stream that could not be applied; the copy has diverged. */
export let statApplyErrors: u64 = 0;
/** Commands of the master's stream that were run (queued ones included), ever. */
export let statApplied: u64 = 0;

export function setNow(ms: i64): void {
  if (ms == nowMs) return;
  nowMs = ms;
  nowLru = <u32>(ms / 1000) & 0xffffff;
}
/** What a read-only replica refuses goes to its master instead; see `setRedirection`. */
export let redirects: bool = false;
export function setRedirects(on: bool): void {
  redirects = on;
}
export function setRole(replica: bool, readOnly: bool): void {
  isReplica = replica;
  replicaReadOnly = readOnly;
  noteSpecial();
}
export function setPaused(mode: u32): void {
  paused = mode;
  noteSpecial();
}
function noteSpecial(): void {
  isSpecial = isReplica || loading || maxMemory != 0 || paused != 0;
  isSpecial = isSpecial || scriptState == SCRIPT_SUSPENDED;
}
export function setScriptState(state: u32): void {
  if (state == scriptState) return;
  const wasSuspended = scriptState == SCRIPT_SUSPENDED;
  scriptState = state;
  if (wasSuspended || state == SCRIPT_SUSPENDED) noteSpecial();
}
export function setScriptKind(isFunction: bool): void {
  scriptIsFunction = isFunction;
}
export function setFromMaster(on: bool): void {
  fromMaster = on;
}
export function setNoTouch(on: bool): void {
  noTouch = on;
}
export function setLoading(on: bool, aside: bool): void {
  loading = on;
  loadingAsync = on && aside;
  noteSpecial();
}
export function setMasterDown(on: bool): void {
  masterDown = on;
}
export function setActiveExpire(on: bool): void {
  activeExpire = on;
}
export function setMaxMemory(bytes: usize): void {
  maxMemory = bytes;
  noteSpecial();
}
export function setPolicy(lfu: bool, logFactor: u32, decayTime: u32): void {
  policyLfu = lfu;
  lfuLogFactor = logFactor;
  lfuDecayTime = decayTime;
}
export function setProtoMaxBulkLen(bytes: u64): void {
  protoMaxBulkLen = bytes;
}
/** Counts `n` changes: what decides about propagation and, later, save points. */
// @ts-ignore: decorator
@inline export function markDirty(n: u64): void {
  dirty += n;
}
export function countHit(): void {
  statKeyspaceHits++;
}
export function countMiss(): void {
  statKeyspaceMisses++;
}
export function countExpired(): void {
  statExpiredKeys++;
}
export function countExpiredFields(n: u32): void {
  statExpiredFields += n;
}
export function countCommand(): void {
  statCommands++;
}
export function countInput(bytes: u32, isMaster: bool): void {
  if (isMaster) statNetReplInput += bytes;
  else statNetInput += bytes;
}
export function countApplied(): void {
  statApplied++;
}
export function countApplyError(): void {
  statApplyErrors++;
}
export function resetStats(): void {
  statKeyspaceHits = 0;
  statKeyspaceMisses = 0;
  statExpiredKeys = 0;
  statExpiredFields = 0;
  statCommands = 0;
  statNetInput = 0;
  statNetReplInput = 0;
}
