// A live copy of a remote Redis or Valkey in this process: the core, the link to the master, reads
// of the data, and on request a read-only server beside them. Portable: what Node provides comes in
// through `deps` (index.ts fills them in).

import { Core } from '../core/core.js';
import { CoreCron } from '../core/cron.js';
import type { CoreModule } from '../core/load.js';
import { RespiteError } from '../errors.js';
import { fromPino, type Logger, type PinoLike, silentLogger } from '../log.js';
import type { Platform, TimerHandle } from '../platform/platform.js';
import { Storage } from '../storage/storage.js';
import { type Facts, replicationInfo } from './facts.js';
import { type LinkEvents, ReplicaLink } from './link.js';
import type { LinkOptions } from './options.js';
import { Redirector } from './redirect.js';
import type { RdbSink } from './sink.js';

export interface ReplicaOptions extends LinkOptions {
  /** `:6380` or `host:port`: starts the read-only server there. None starts without it. */
  listen?: string;
  /** Password for clients of that server. */
  listenPassword?: string;
  /**
   * Writes go to the master and its replies come back, instead of READONLY: those of the server's
   * clients, and scripts by `LuaEngine`'s async calls. See docs/replication.md. Default false.
   */
  writeRedirection?: boolean;
  /** Database `storage` reads from. Default 0. */
  defaultDatabase?: number;
  /** Databases there are; a master that uses more cannot be followed. Default 16. */
  databases?: number;
  /** Most bytes of memory for the data. A set that does not fit ends the sync with an error. */
  maxMemory?: number;
  logger?: Logger | PinoLike;
}

/** What the embedded server is to the replica. */
export interface ReplicaServer {
  /** Where it listens. */
  readonly address: string;
  /** A host command of one of its clients or of an in-process call; see CoreImports. */
  hostCommand(handle: number, id: number): number;
  /** A command took long; see CoreImports. */
  slowCommand?(handle: number, id: number, us: number, flags: number): void;
  /** Clients may have output or be about to be closed. */
  drainReady(): void;
  close(): Promise<void>;
}

export type Serve = (replica: Replica, options: ReplicaOptions) => Promise<ReplicaServer>;

export interface ReplicaDeps {
  platform: Platform;
  /** core.wasm, compiled. */
  loadModule: () => Promise<CoreModule>;
  serve?: Serve;
  /** Another loader than the core's: for tests. */
  makeSink?: (core: Core) => RdbSink;
}

/** PARITY: the eight facts about the synchronisation. */
export interface SyncStatus {
  initialSyncCompleted: boolean;
  /** 0 to 1; stays 0 while a master that does not say the length sends. */
  initialSyncProgress: number;
  connected: boolean;
  masterHost: string;
  replicationOffset: number;
  /** Unix ms; absent before the first. */
  lastSyncTime?: number;
  bytesReceived: number;
  commandsProcessed: number;
}

export interface ReplicaStats {
  connectedAt?: number;
  disconnectedAt?: number;
  reconnectCount: number;
  initialSyncStart?: number;
  initialSyncEnd?: number;
  fullSyncCount: number;
  partialSyncCount: number;
  failedSyncCount: number;
  keyCount: number;
  memoryUsage: number;
  networkBytesRecv: number;
  commandsProcessed: number;
  applyErrors: number;
}

export interface WaitOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** The parts that exist from `start` on. */
interface Running {
  core: Core;
  link: ReplicaLink;
  storage: Storage;
  server: ReplicaServer | undefined;
  redirector: Redirector | undefined;
}

/** A listener given before there was a link. */
interface EarlyListener {
  event: keyof LinkEvents;
  listener: (...args: never[]) => void;
  off: () => void;
}

const NOT_YET = (): void => undefined;
const CRON_EVERY_MS = 100;

export class Replica {
  readonly options: Readonly<ReplicaOptions>;
  readonly #deps: ReplicaDeps;
  readonly log: Logger;
  #running: Running | undefined;
  #starting: Promise<void> | undefined;
  #isClosed = false;
  #cron: TimerHandle | undefined;
  #listeners: EarlyListener[] = [];

  constructor(options: ReplicaOptions, deps: ReplicaDeps) {
    const password = options.password ?? deps.platform.process.env.RESPITE_MASTERAUTH;
    this.options = {
      loadingUntilSynced: true,
      ...options,
      ...(password === undefined ? {} : { password }),
    };
    this.#deps = deps;
    const { logger } = options;
    if (logger === undefined) this.log = silentLogger();
    else this.log = 'notice' in logger ? logger : fromPino(logger);
  }

  // ---- life

  /** Begins to follow the master; resolves when the core runs and the server listens. */
  start({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isClosed) return Promise.reject(new RespiteError('ERR_RESPITE_CLOSED'));
    if (signal?.aborted) return Promise.reject(new RespiteError('ERR_RESPITE_ABORTED'));
    signal?.addEventListener('abort', () => void this.close(), { once: true });
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { platform, loadModule, makeSink, serve } = this.#deps;
    const { options, log } = this;
    const module = await loadModule();
    if (this.#isClosed) throw new RespiteError('ERR_RESPITE_CLOSED');
    const core = new Core(
      module,
      {
        hostCommand: (handle, id) => this.#hostCommand(handle, id),
        applyProblem: (id) => this.link.applyProblem(id),
        slowCommand: (...slow) => this.#running?.server?.slowCommand?.(...slow),
      },
      {
        onTrap: (error) => log.warning(`The core trapped and is dead: ${error.stack}`),
        seed: platform.random.bytes(16),
        ...(options.databases === undefined ? {} : { databases: options.databases }),
        ...(options.maxMemory === undefined ? {} : { memoryBytesMax: options.maxMemory }),
      },
    );
    const onCoreFed = (): void => this.#drainReady();
    const sink = makeSink?.(core);
    const deps = { core, platform, log, onCoreFed, ...(sink === undefined ? {} : { sink }) };
    const link = new ReplicaLink(deps, options);
    const redirector = options.writeRedirection
      ? new Redirector(platform, link.settings)
      : undefined;
    core.x.setRedirection(redirector !== undefined && options.listen !== undefined);
    const storage = new Storage(core, platform.clock, options.defaultDatabase, {
      onReady: onCoreFed,
      forward: redirector?.forward,
    });
    this.#running = { core, link, storage, server: undefined, redirector };
    this.#moveListeners();
    if (options.listen !== undefined) {
      if (serve === undefined) {
        throw new RespiteError('ERR_RESPITE_UNSUPPORTED', 'there is no server to listen with');
      }
      this.#running.server = await serve(this, options);
    }
    if (this.#running.server === undefined) this.#startCron(core);
    if (!this.#isClosed) link.start();
  }

  /** A server does the periodic work of its core; without one it is ours. */
  #startCron(core: Core): void {
    const { clock } = this.#deps.platform;
    const cron = new CoreCron(core, clock);
    this.#cron = clock.setRepeating(CRON_EVERY_MS, () => cron.tick()).unref();
  }

  /** Leaves the master and frees everything. Harmless when repeated. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#starting?.catch(() => {});
    const running = this.#running;
    if (running === undefined) return;
    this.#cron?.cancel();
    running.link.close();
    running.redirector?.close();
    await running.server?.close();
    running.storage.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Resolves when the data is whole and the stream runs. Rejects with ERR_RESPITE_TIMEOUT (its
   * cause is the last error of the link), _ABORTED or _CLOSED.
   */
  waitForSync({ signal, timeoutMs }: WaitOptions = {}): Promise<void> {
    if (this.#running?.link.isConnected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const undo: (() => void)[] = [];
      const finish = (error?: RespiteError): void => {
        for (const fn of undo) fn();
        if (error === undefined) resolve();
        else reject(error);
      };
      const onAbort = (): void => finish(new RespiteError('ERR_RESPITE_ABORTED'));
      undo.push(
        this.on('state', (state) => {
          if (state === 'connected') finish();
          else if (state === 'none') finish(new RespiteError('ERR_RESPITE_CLOSED'));
        }),
      );
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      undo.push(() => signal?.removeEventListener('abort', onAbort));
      if (timeoutMs === undefined) return;
      const timer = this.#deps.platform.clock.setTimer(timeoutMs, () => {
        const cause = this.#running?.link.lastError;
        const details = { operation: 'sync', timeoutMs };
        finish(new RespiteError('ERR_RESPITE_TIMEOUT', undefined, { cause, details }));
      });
      undo.push(() => timer.cancel());
    });
  }

  // ---- events

  /** Returns the function that unsubscribes. Also before `start`. */
  on<E extends keyof LinkEvents>(event: E, listener: (...args: LinkEvents[E]) => void): () => void {
    const running = this.#running;
    if (running !== undefined) return running.link.events.on(event, listener);
    const entry: EarlyListener = { event, listener: listener as never, off: NOT_YET };
    entry.off = () => {
      this.#listeners = this.#listeners.filter((one) => one !== entry);
    };
    this.#listeners.push(entry);
    return () => entry.off();
  }

  /** Listeners given before there was a link. */
  #moveListeners(): void {
    const { events } = this.link;
    for (const one of this.#listeners) one.off = events.on(one.event, one.listener as never);
    this.#listeners = [];
  }

  // ---- what there is to know

  #need(): Running {
    if (this.#running === undefined) {
      throw new RespiteError('ERR_RESPITE_NOT_CONNECTED', 'the replica has not been started');
    }
    return this.#running;
  }

  get core(): Core {
    return this.#need().core;
  }
  get link(): ReplicaLink {
    return this.#need().link;
  }
  /** The data; reads answer LOADING (ERR_RESPITE_SYNC_IN_PROGRESS) until the first sync. */
  get storage(): Storage {
    return this.#need().storage;
  }
  get server(): ReplicaServer | undefined {
    return this.#running?.server;
  }
  /** Write redirection, where it is on. */
  get redirector(): Redirector | undefined {
    return this.#running?.redirector;
  }
  get isConnected(): boolean {
    return this.#running?.link.isConnected ?? false;
  }

  syncStatus(): SyncStatus {
    const { link, core } = this.#need();
    const { progress, stats, settings } = link;
    const total = progress?.totalBytes;
    const share = total ? Math.min(1, progress!.bytes / total) : 0;
    const status: SyncStatus = {
      initialSyncCompleted: link.hasSynced,
      initialSyncProgress: link.hasSynced ? 1 : share,
      connected: link.isConnected,
      masterHost: settings.path ?? settings.host,
      replicationOffset: link.offset,
      bytesReceived: link.bytesReceived,
      commandsProcessed: core.x.replicaApplied(),
    };
    if (stats.lastSyncTime !== undefined) status.lastSyncTime = stats.lastSyncTime;
    return status;
  }

  get stats(): ReplicaStats {
    const { link, core } = this.#need();
    const { lastSyncTime, partialRefusedCount, ...stats } = link.stats;
    return {
      ...stats,
      keyCount: core.x.replicaKeyCount(),
      memoryUsage: core.x.replicaUsedBytes(),
      networkBytesRecv: link.bytesReceived,
      commandsProcessed: core.x.replicaApplied(),
      applyErrors: link.problemCount,
    };
  }

  /** The fields of INFO replication. */
  info(): Facts {
    return replicationInfo(this.link);
  }

  // ---- the core's calls

  #hostCommand(handle: number, id: number): number {
    const { link, server, core } = this.#need();
    const done = link.hostCommand(handle);
    if (done !== undefined) return done;
    if (server !== undefined) return server.hostCommand(handle, id);
    if (handle === link.masterHandle) link.applyProblem(id);
    core.reply(handle, NO_SERVER);
    return 0;
  }

  #drainReady(): void {
    const running = this.#running;
    if (running === undefined) return;
    if (running.server !== undefined) {
      running.server.drainReady();
      return;
    }
    const { x } = running.core;
    while (x.readyClients() !== 0) running.link.attend(x.nextReady());
  }
}

const NO_SERVER = new TextEncoder().encode('-ERR this command needs a server\r\n');
