// The link of a replica to its master, over any number of connections: when to connect again, from
// where to go on, what clients may see meanwhile, and what there is to tell about it.
//
// It opens no listener and knows no command: `hostCommand` and `applyProblem` are called by whoever
// holds the core's imports. Events are raised when no call of the core is running, so that a
// listener may use the core.

import { type Core, STATUS_RESUME } from '../core/core.js';
import { RespiteError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Connection, Platform, TimerHandle } from '../platform/platform.js';
import { Backoff } from './backoff.js';
import { Emitter } from './emitter.js';
import { addressText, type LinkOptions, type LinkSettings, linkSettings } from './options.js';
import { type LoadPlan, planLoad } from './policy.js';
import { type ApplyProblem, Problems } from './problems.js';
import type { Position } from './psync.js';
import { MasterSession, type SessionOwner } from './session.js';
import { CoreRdbSink, loadError, type RdbSink } from './sink.js';
import type { PayloadHeader, Transfer } from './transfer.js';

/** As ROLE says it. */
export type LinkState = 'none' | 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected';

export interface SyncProgress {
  bytes: number;
  /** Absent when the master did not say it. */
  totalBytes?: number;
}

export interface SyncDone {
  kind: 'full' | 'partial';
  replid: string;
  offset: number;
  durationMs: number;
  /** Full only: bytes of the RDB. */
  bytes?: number;
  /** Full only: values of modules and other kinds that cannot be held here. */
  skippedValues?: number;
}

export type LinkEvents = {
  state: [state: LinkState];
  connect: [address: string];
  disconnect: [error: Error | undefined];
  /** A full synchronisation begins. */
  syncStart: [];
  progress: [progress: SyncProgress];
  /** The link is up: all data is here and the stream runs. */
  sync: [done: SyncDone];
  error: [error: Error];
  /** A command of the stream could not be applied: this copy differs from the master. */
  diverged: [problem: ApplyProblem];
  /** The master's history has a new name: our own replicas must ask again. */
  history: [replid: string];
};

/** Times are unix ms, absent until it happened. */
export interface LinkStats {
  connectedAt?: number;
  disconnectedAt?: number;
  reconnectCount: number;
  initialSyncStart?: number;
  initialSyncEnd?: number;
  lastSyncTime?: number;
  fullSyncCount: number;
  partialSyncCount: number;
  /** Attempts to continue that ended in a full synchronisation. */
  partialRefusedCount: number;
  failedSyncCount: number;
  networkBytesRecv: number;
}

export interface LinkDeps {
  core: Core;
  platform: Platform;
  log: Logger;
  /** Default: the core's loader. */
  sink?: RdbSink;
  /** Called after bytes were fed: other clients may have output, followers something to send. */
  onCoreFed?: () => void;
}

const NO_HISTORY = '0'.repeat(40);
const PROGRESS_EVERY_MS = 100;
/** So long must a link hold before its next loss counts as the first. */
const STABLE_MS = 1000;

interface FullSync {
  startedMs: number;
  plan: LoadPlan | undefined;
  reportedMs: number;
}

export class ReplicaLink {
  readonly events: Emitter<LinkEvents>;
  readonly settings: LinkSettings;
  readonly address: string;
  readonly stats: LinkStats = {
    reconnectCount: 0,
    fullSyncCount: 0,
    partialSyncCount: 0,
    partialRefusedCount: 0,
    failedSyncCount: 0,
    networkBytesRecv: 0,
  };
  readonly #core: Core;
  readonly #platform: Platform;
  readonly #log: Logger;
  readonly #sink: RdbSink;
  readonly #backoff: Backoff;
  readonly #problems: Problems;
  readonly #onCoreFed: () => void;
  readonly #owner: SessionOwner;

  #state: LinkState = 'none';
  #isRunning = false;
  #connecting: AbortController | undefined;
  #retry: TimerHandle | undefined;
  #stable: TimerHandle | undefined;
  #session: MasterSession | undefined;
  /** Valid while no stream is open; then the stream knows better. */
  #position: Position | undefined;
  #replid2 = NO_HISTORY;
  #secondOffset = -1;
  /** What the data here was called last, also when it may not be continued. */
  #dataReplid: string | undefined;
  /** The live data set is only part of one. */
  #isIncomplete = false;
  #hasSynced = false;
  #asideFailed = false;
  #full: FullSync | undefined;
  #downSinceMs: number | undefined;
  #lastError: Error | undefined;
  #lastErrorText = '';
  readonly #queue: (() => void)[] = [];
  #isDraining = false;

  constructor(deps: LinkDeps, options: LinkOptions) {
    this.settings = linkSettings(options);
    this.address = addressText(this.settings);
    this.#core = deps.core;
    this.#platform = deps.platform;
    this.#log = deps.log;
    this.#sink = deps.sink ?? new CoreRdbSink(deps.core);
    this.#onCoreFed = deps.onCoreFed ?? (() => {});
    this.#problems = new Problems(deps.core);
    this.#backoff = new Backoff(deps.platform.random, {
      minMs: this.settings.reconnectMinMs,
      maxMs: this.settings.reconnectMaxMs,
    });
    this.events = new Emitter<LinkEvents>((error) => {
      this.#log.warning(`A listener of the replica threw: ${String(error)}`);
    });
    this.#owner = this.#makeOwner();
  }

  // ---- life

  /** Follows the master from now on. `from`: a place known from elsewhere (an RDB, a restart). */
  start(from?: Position): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    if (from !== undefined) {
      this.#position = from;
      this.#dataReplid = from.replid;
    }
    this.#core.x.setReplica(true, this.settings.readOnly);
    this.#downSinceMs = this.#now();
    this.#connect();
    this.#drain();
  }

  /** Leaves the master. The data stays, and so does the place: `start` would go on from there. */
  close(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#connecting?.abort();
    this.#connecting = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#session?.stop();
    this.#setState('none');
    this.#core.x.setReplica(false, false);
    this.#drain();
  }

  // ---- what the core's imports call

  /** REPLCONF of the master; undefined: this host command is not the link's. */
  hostCommand(handle: number): number | undefined {
    const session = this.#session;
    if (session?.stream === undefined || handle !== session.stream.handle) return undefined;
    const [name, option] = this.#core.commandArgs().map((arg) => latin1.decode(arg).toLowerCase());
    if (name !== 'replconf') return undefined;
    // The ACK carries the offset in front of this command, as Redis' does. All else a master
    // may say by REPLCONF is no business of ours.
    if (option === 'getack') session.ack();
    return 0;
  }

  /** A command of the stream was not applied; its arguments are in the core. */
  applyProblem(id: number): void {
    this.#problems.note(id, this.offset);
  }

  /** A host command of the stream is done. True: the handle was the stream's. */
  resume(handle: number): boolean {
    if (this.#session?.stream?.handle !== handle) return false;
    this.#session.resume();
    return true;
  }

  /** The core wants attention for a client (CLIENT KILL, UNPAUSE). True: it was the stream's. */
  attend(handle: number): boolean {
    if (this.#session?.stream?.handle !== handle) return false;
    if (this.#core.x.clientStatus(handle) & STATUS_RESUME) {
      this.#session.resume();
      return true;
    }
    this.#session.fail(new RespiteError('ERR_RESPITE_CLOSED', 'The link to the master was killed'));
    this.#drain();
    return true;
  }

  // ---- what there is to know

  get state(): LinkState {
    return this.#state;
  }
  get isConnected(): boolean {
    return this.#state === 'connected';
  }
  /** A whole data set has been loaded at least once. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }
  get isDiverged(): boolean {
    return this.#problems.count > 0;
  }
  get problemCount(): number {
    return this.#problems.count;
  }
  get lastError(): Error | undefined {
    return this.#lastError;
  }
  /** Where the stream stands; undefined before the first synchronisation. */
  get position(): Position | undefined {
    return this.#session?.stream?.position ?? this.#position;
  }
  /** Applied bytes of the stream, -1 when there is no data. */
  get offset(): number {
    return this.#session?.stream?.offset ?? this.#position?.offset ?? -1;
  }
  get readOffset(): number {
    return this.#session?.stream?.readOffset ?? this.offset;
  }
  get replid2(): string {
    return this.#replid2;
  }
  get secondOffset(): number {
    return this.#secondOffset;
  }
  get downSinceMs(): number | undefined {
    return this.#downSinceMs;
  }
  get bytesReceived(): number {
    return this.stats.networkBytesRecv + (this.#session?.bytesReceived ?? 0);
  }
  /** The wall clock the times of this link are of. */
  get nowMs(): number {
    return this.#now();
  }
  /** Ms since the master's last byte; undefined without a connection. */
  get silentMs(): number | undefined {
    if (this.#session === undefined) return undefined;
    return this.#platform.clock.monotonicMs() - this.#session.lastIoMs;
  }
  /** The transfer going on. */
  get progress(): SyncProgress | undefined {
    const transfer = this.#session?.transfer;
    if (transfer === undefined || this.#full === undefined) return undefined;
    return progressOf(transfer);
  }
  /** The client of the core that carries the stream. */
  get masterHandle(): number | undefined {
    return this.#session?.stream?.handle;
  }

  // ---- connecting

  #connect(): void {
    const { host, port, path, tls, connectTimeoutMs } = this.settings;
    this.#retry = undefined;
    this.#setState('connecting');
    const abort = new AbortController();
    this.#connecting = abort;
    const target = path === undefined ? { host, port } : { path };
    this.#platform.net
      .connect({ ...target, tls, timeoutMs: connectTimeoutMs, signal: abort.signal })
      .then(
        (connection) => this.#onConnected(abort, connection),
        (error: Error) => this.#onConnectFailed(abort, error),
      );
  }

  #onConnected(abort: AbortController, connection: Connection): void {
    if (this.#connecting !== abort) {
      connection.destroy();
      return;
    }
    this.#connecting = undefined;
    connection.setKeepAlive(60);
    this.stats.connectedAt = this.#now();
    this.#later('connect', this.address);
    this.#session = new MasterSession(this.#owner, connection);
    this.#setState('handshake');
    this.#session.start();
    this.#drain();
  }

  #onConnectFailed(abort: AbortController, error: Error): void {
    if (this.#connecting !== abort) return;
    this.#connecting = undefined;
    const code = (error as { code?: string }).code;
    const message = `No connection to the master ${this.address}: ${error.message}`;
    const details = { address: this.address };
    this.#tryAgain(
      code === 'ETIMEDOUT'
        ? new RespiteError('ERR_RESPITE_TIMEOUT', message, { cause: error })
        : new RespiteError('ERR_RESPITE_CONNECTION', message, { cause: error, details }),
    );
    this.#drain();
  }

  /** Tells of an error, each kind once in the log until it changes, and waits for the next try. */
  #tryAgain(error: Error): void {
    this.#lastError = error;
    if (error.message === this.#lastErrorText) this.#log.verbose(error.message);
    else this.#log.warning(error.message);
    this.#lastErrorText = error.message;
    this.#later('error', error);
    if (!this.#isRunning) return;
    if (this.#core.trap !== undefined) {
      // Nothing can be applied any more.
      this.#isRunning = false;
      this.#setState('none');
      return;
    }
    this.#setState('connect');
    const code = error instanceof RespiteError ? error.code : '';
    const isRefused = code === 'ERR_RESPITE_AUTH' || code === 'ERR_RESPITE_PSYNC_REFUSED';
    const delayMs = isRefused ? this.#backoff.longMs() : this.#backoff.nextMs();
    this.#log.verbose(`Connecting to the master again in ${delayMs} ms`);
    this.#retry = this.#platform.clock.setTimer(delayMs, () => {
      this.stats.reconnectCount++;
      this.#connect();
      this.#drain();
    });
  }

  // ---- a session's news

  #makeOwner(): SessionOwner {
    const link = this;
    return {
      core: this.#core,
      clock: this.#platform.clock,
      sink: this.#sink,
      settings: this.settings,
      get position() {
        return link.#position;
      },
      onPhase: (session) => this.#onPhase(session),
      onRdbBegin: (header, target) => this.#onRdbBegin(header, target),
      onRdbProgress: (transfer) => this.#onRdbProgress(transfer),
      onRdbEnd: (target) => this.#onRdbEnd(target),
      onContinue: (replid) => this.#onContinue(replid),
      onChunkEnd: () => {
        this.#onCoreFed();
        this.#drain();
      },
      onEnd: (session, error) => this.#onSessionEnd(session, error),
    };
  }

  #onPhase(session: MasterSession): void {
    if (session.phase === 'header') this.#onFullStart();
    else if (session.phase === 'stream') this.#onStream();
  }

  #onFullStart(): void {
    const startedMs = this.#now();
    this.#full = { startedMs, plan: undefined, reportedMs: 0 };
    this.stats.initialSyncStart ??= startedMs;
    if (this.#position !== undefined) this.stats.partialRefusedCount++;
    this.#log.notice(`Full synchronisation with the master ${this.address} begins`);
    this.#setState('sync');
    this.#later('syncStart');
  }

  #onRdbBegin(header: PayloadHeader, target: Position): void {
    const { x } = this.#core;
    const plan = planLoad({
      mode: this.settings.disklessLoad,
      oldKeys: x.replicaKeyCount(),
      usedBytes: x.replicaUsedBytes(),
      headroomBytes: x.headroom(),
      announcedBytes: header.length,
      isSameHistory: target.replid === this.#dataReplid,
      asideFailed: this.#asideFailed,
    });
    if (!this.#sink.begin(plan.aside)) throw loadError(this.#sink);
    this.#full!.plan = plan;
    if (!plan.aside) {
      // From here on there is nothing to go back to.
      this.#position = undefined;
      this.#isIncomplete = true;
    }
    this.#log.verbose(`Loading the data set ${plan.aside ? 'beside the old one' : 'in place'}`);
    this.#updateFlags();
  }

  #onRdbProgress(transfer: Transfer): void {
    const full = this.#full!;
    const now = this.#platform.clock.monotonicMs();
    if (now - full.reportedMs < PROGRESS_EVERY_MS && !transfer.isDone) return;
    full.reportedMs = now;
    this.#later('progress', progressOf(transfer));
  }

  #onRdbEnd(target: Position): Position {
    const { skipped = 0, streamDb = 0 } = this.#sink.info();
    if (!this.#sink.commit()) throw loadError(this.#sink);
    const position = { ...target, db: streamDb };
    this.#position = position;
    this.#dataReplid = position.replid;
    this.#replid2 = NO_HISTORY;
    this.#secondOffset = -1;
    this.#isIncomplete = false;
    this.#asideFailed = false;
    this.#finishSync('full', position, skipped);
    return position;
  }

  #onContinue(replid: string | undefined): Position {
    const position = this.#position!;
    if (replid !== undefined && replid !== position.replid) {
      this.#replid2 = position.replid;
      this.#secondOffset = position.offset + 1;
      position.replid = replid;
      this.#dataReplid = replid;
      this.#log.notice(`The master's replication id is now ${replid}`);
      this.#later('history', replid);
    }
    this.#finishSync('partial', position, 0);
    return position;
  }

  #finishSync(kind: SyncDone['kind'], position: Position, skippedValues: number): void {
    const now = this.#now();
    const full = this.#full;
    const bytes = this.#session?.transfer?.bytes;
    const done: SyncDone = {
      kind,
      replid: position.replid,
      offset: position.offset,
      durationMs: full === undefined ? 0 : now - full.startedMs,
    };
    if (kind === 'full') {
      this.stats.fullSyncCount++;
      Object.assign(done, { bytes, skippedValues });
    } else {
      this.stats.partialSyncCount++;
    }
    this.stats.lastSyncTime = now;
    this.stats.initialSyncEnd ??= now;
    this.#full = undefined;
    this.#hasSynced = true;
    this.#log.notice(
      kind === 'full'
        ? `Full synchronisation done: ${bytes} bytes, offset ${position.offset}`
        : `The master continues the stream behind offset ${position.offset}`,
    );
    if (skippedValues > 0) {
      this.#log.warning(`${skippedValues} values of the master cannot be held here: left out`);
    }
    this.#later('sync', done);
  }

  #onStream(): void {
    this.#downSinceMs = undefined;
    this.#lastErrorText = '';
    this.#setState('connected');
    this.#stable = this.#platform.clock.setTimer(STABLE_MS, () => this.#backoff.reset()).unref();
  }

  #onSessionEnd(session: MasterSession, error: Error | undefined): void {
    if (this.#session !== session) return;
    this.#stable?.cancel();
    const { stream } = session;
    if (stream !== undefined) {
      // Protocol errors leave no place to trust: the next synchronisation is a full one.
      this.#position = stream.isBroken ? undefined : stream.position;
      stream.close();
    }
    if (session.isLoading) this.#abandonLoad(error);
    if (session.phase === 'header' || session.phase === 'transfer') this.stats.failedSyncCount++;
    this.stats.networkBytesRecv += session.bytesReceived;
    this.stats.disconnectedAt = this.#now();
    this.#session = undefined;
    this.#full = undefined;
    this.#downSinceMs ??= this.#now();
    this.#later('disconnect', error);
    if (error !== undefined) this.#tryAgain(error);
    this.#updateFlags();
  }

  #abandonLoad(error: Error | undefined): void {
    this.#sink.abort();
    const isAside = this.#full?.plan?.aside ?? false;
    const isMemory = error instanceof RespiteError && error.code === 'ERR_RESPITE_OUT_OF_MEMORY';
    if (isAside && isMemory) this.#asideFailed = true;
    this.#log.notice(
      isAside ? 'The old data set is kept' : 'The data set is empty until the next full one',
    );
  }

  // ---- flags, state, events

  /** What clients get: LOADING while there is no whole data set, MASTERDOWN where wished. */
  #updateFlags(): void {
    const { loadingUntilSynced, serveStaleData } = this.settings;
    const clients = this.#full?.plan?.clients;
    const isWaiting = this.#isIncomplete || (loadingUntilSynced && !this.#hasSynced);
    const isLoading = clients === 'loading' || clients === 'async' || isWaiting;
    const isRunning = this.#isRunning;
    this.#core.x.setLoadingState(isRunning && isLoading, clients === 'async' && !isWaiting);
    this.#core.x.setMasterLinkDown(isRunning && !serveStaleData && this.#state !== 'connected');
  }

  #setState(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#updateFlags();
    this.#later('state', state);
  }

  #later<E extends keyof LinkEvents>(event: E, ...args: LinkEvents[E]): void {
    this.#queue.push(() => this.events.emit(event, ...args));
  }

  /** Raises the events that gathered; only called when no call of the core is running. */
  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    if (this.#problems.hasPending) this.#reportProblems();
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    this.#isDraining = false;
  }

  #reportProblems(): void {
    for (const problem of this.#problems.take()) {
      const { command, args, isUnknown, offset } = problem;
      const why = isUnknown ? 'is unknown here' : 'failed';
      this.#log.warning(
        `DIVERGED from the master: ${command} ${why} behind offset ${offset}: ${args}`,
      );
      this.#later('diverged', problem);
    }
  }

  #now(): number {
    return this.#platform.clock.nowMs();
  }
}

const latin1 = new TextDecoder('latin1');

function progressOf(transfer: Transfer): SyncProgress {
  const { length } = transfer.header;
  return length === undefined
    ? { bytes: transfer.bytes }
    : { bytes: transfer.bytes, totalBytes: length };
}
