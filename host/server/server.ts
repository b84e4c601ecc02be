// The server: one core, its listeners and connections, the clock that drives them. It knows the
// order of starting and ending; what a command does is the core's or a host command's business.

import type { Config } from '../config/index.js';
import { Core, STATUS_BLOCKED, STATUS_LISTENS } from '../core/core.js';
import { CoreCron } from '../core/cron.js';
import type { CoreModule } from '../core/load.js';
import { readTraffic } from '../core/statistics.js';
import { RespiteError } from '../errors.js';
import type { Logger } from '../log.js';
import type { Connection, ListenerAddress, Platform, TimerHandle } from '../platform/platform.js';
import { startAcl } from './acl.js';
import { applyToCore, watchConfig } from './apply-config.js';
import { ClientConnection, type ConnectionOwner } from './connection.js';
import type {
  InfoFields,
  Redirect,
  ReplicationFacts,
  ServerContext,
  ServerCounters,
  ServerLink,
} from './context.js';
import { Deadlines } from './deadlines.js';
import { HostCommands, type HostHandler } from './host-commands.js';
import { LatencyMonitor } from './latency.js';
import { Listeners } from './listeners.js';
import { Rates } from './rates.js';
import { Scripting } from './scripting.js';
import { Slowlog } from './slowlog.js';
import { RESPITE_VERSION } from './version.js';

const SHUTDOWN_GRACE_MS = 2000;
/** Flags of the core's `slowCommand`. */
const SLOW_UNLOGGED = 1;
const SLOW_FAST = 2;
const MAX_CLIENTS = new TextEncoder().encode('-ERR max number of clients reached\r\n');
const DENIED = new TextEncoder().encode(
  '-DENIED Redis is running in protected mode because protected mode is enabled and no ' +
    'password is set for the default user. In this mode connections are only accepted from the ' +
    'loopback interface. If you want to connect from external computers to Redis you may adopt ' +
    "one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG " +
    "SET protected-mode no' from the loopback interface by connecting to Redis from the same " +
    'host the server is running, however MAKE SURE Redis is not publicly accessible from ' +
    'internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively ' +
    'you can just disable the protected mode by editing the Redis configuration file, and ' +
    "setting the protected mode option to 'no', and then restarting the server. 3) If you " +
    "started the server manually just for testing, restart it with the '--protected-mode no' " +
    'option. 4) Setup a an authentication password for the default user. NOTE: You only need to ' +
    'do one of the above things in order for the server to start accepting connections from the ' +
    'outside.\r\n',
);

export interface ServerOptions {
  config: Config;
  platform: Platform;
  log: Logger;
  /** Compiled core.wasm. */
  module: CoreModule;
  /** A core made by somebody else (the replica library) instead of an own one. */
  core?: Core;
  /** Host commands beside the built-in ones. */
  commands?: Readonly<Record<string, HostHandler>>;
  /** Makes the link to a master; without it REPLICAOF is refused. */
  makeLink?: (server: RespiteServer) => ServerLink & ReplicationFacts;
}

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');

/** Loopback addresses, as protected mode understands them. */
function isLocal(socket: Connection): boolean {
  const host = socket.remoteHost;
  return socket.isUnix || host === '::1' || host.replace('::ffff:', '').startsWith('127.');
}

export class RespiteServer implements ServerContext, ConnectionOwner {
  readonly core: Core;
  readonly config: Config;
  readonly platform: Platform;
  readonly log: Logger;
  readonly counters: ServerCounters = {
    connectionsReceived: 0,
    rejectedConnections: 0,
    reads: 0,
    writes: 0,
    expireCycleMs: 0,
  };
  readonly rates = new Rates();
  readonly slowlog: Slowlog;
  readonly latency: LatencyMonitor;
  readonly startedMs: number;
  readonly startupMemory: number;
  readonly runId: string;
  replId = '';
  isCronPaused = false;
  readonly #link: (ServerLink & ReplicationFacts) | undefined;
  /** Resolves when the server has ended. */
  readonly done: Promise<void>;
  readonly #options: ServerOptions;
  readonly #connections = new Map<number, ClientConnection>();
  readonly #listeners: Listeners;
  readonly #hostCommands: HostCommands;
  readonly #deadlines: Deadlines;
  readonly #coreCron: CoreCron;
  #cron: TimerHandle | undefined;
  #scripting: Scripting | undefined;
  /** `drainReady` is going to be called. */
  #isDraining = false;
  #load: { startedMs: number; done: number; total: number } | undefined;
  #closing: Promise<void> | undefined;
  #markDone: () => void = () => undefined;
  #markFailed: (error: Error) => void = () => undefined;

  constructor(options: ServerOptions) {
    const { config, platform, log } = options;
    this.#options = options;
    this.config = config;
    this.platform = platform;
    this.log = log;
    this.startedMs = platform.clock.nowMs();
    this.runId = hex(platform.random.bytes(20));
    this.newReplId();
    this.done = new Promise((resolve, reject) => {
      this.#markDone = resolve;
      this.#markFailed = reject;
    });
    // Whoever cares looks at `done`; nobody looking must not end the process unheard.
    this.done.catch(() => undefined);
    this.core = options.core ?? this.#makeCore();
    this.startupMemory = this.core.x.replicaUsedBytes();
    this.slowlog = new Slowlog(this.core, config);
    this.latency = new LatencyMonitor(() => config.int('latency-monitor-threshold'));
    this.#coreCron = new CoreCron(this.core, platform.clock);
    this.#deadlines = new Deadlines(this.core, platform.clock, () => this.drainReady());
    this.core.onReady = () => this.drainSoon();
    this.#hostCommands = new HostCommands(this, options.commands ?? {});
    applyToCore(config, this.core);
    startAcl(this);
    this.#listeners = new Listeners(
      config,
      platform,
      (socket) => this.#accept(socket),
      (error) => log.warning(`Accepting a client failed: ${error.message}`),
    );
    watchConfig(config, this.core, this.#listeners);
    this.#link = options.makeLink?.(this);
  }

  /** Made when the first script comes. */
  get scripting(): Scripting {
    this.#scripting ??= new Scripting(this);
    return this.#scripting;
  }

  get replication(): ReplicationFacts | undefined {
    return this.#link?.isReplica ? this.#link : undefined;
  }

  #makeCore(): Core {
    return new Core(
      this.#options.module,
      {
        hostCommand: (handle, id) => this.runHostCommand(handle, id),
        applyProblem: (id) => this.#link?.applyProblem(id),
        slowCommand: (handle, id, us, flags) => this.slowCommand(handle, id, us, flags),
      },
      {
        seed: this.platform.random.bytes(16),
        onTrap: (error) => this.#die(error),
        databases: this.config.int('databases'),
      },
    );
  }

  /** The core's `hostCommand` import; for whoever makes the core himself. */
  runHostCommand(handle: number, id: number): number {
    return this.#link?.hostCommand(handle) ?? this.#hostCommands.run(handle, id);
  }

  /** The core's `slowCommand` import; as above. */
  slowCommand(handle: number, id: number, us: number, flags: number): void {
    const now = this.nowMs();
    if ((flags & SLOW_UNLOGGED) === 0) this.slowlog.note(handle, id, us, now);
    this.latency.add(flags & SLOW_FAST ? 'fast-command' : 'command', us / 1000, now);
  }

  defer(fn: () => void): void {
    this.platform.clock.defer(fn);
  }

  nowMs(): number {
    return this.platform.clock.nowMs();
  }

  newReplId(): void {
    this.replId = hex(this.platform.random.bytes(20));
  }

  get lastSaveSec(): number {
    return Math.floor(this.startedMs / 1000);
  }

  get addresses(): readonly ListenerAddress[] {
    return this.#listeners.addresses;
  }

  /** Opens the listeners and starts the clock. */
  async listen(): Promise<void> {
    await this.#listeners.open();
    this.startCron();
    for (const { host, port, path } of this.addresses) {
      this.log.notice(path === undefined ? `Listening on ${host}:${port}` : `Listening on ${path}`);
    }
  }

  /** Starts the periodic work; `listen` does it, a replica without listeners needs it too. */
  startCron(): void {
    if (this.#cron !== undefined) return;
    const every = Math.max(1, Math.round(1000 / this.config.int('hz')));
    this.#cron = this.platform.clock.setRepeating(every, () => this.#tick());
  }

  #tick(): void {
    // Redis: while a script runs too long, nothing but it and its clients' BUSY goes on.
    if (this.isCronPaused || this.#scripting?.engine.running !== undefined) return;
    const now = this.nowMs();
    const tookMs = this.#coreCron.tick();
    this.counters.expireCycleMs += tookMs;
    this.latency.add('expire-cycle', tookMs, now);
    if (this.core.trap !== undefined) return;
    this.rates.sample(this.platform.clock.monotonicMs(), () => readTraffic(this.core));
    if (this.core.x.readyClients() !== 0) this.drainReady();
    this.#deadlines.arm();
    const idleMs = this.config.int('timeout') * 1000;
    if (idleMs > 0) this.#closeIdle(now - idleMs);
  }

  #closeIdle(before: number): void {
    for (const connection of this.#connections.values()) {
      if (connection.lastInputMs >= before) continue;
      // Redis: who waits, for a key or for messages, is not idle.
      const waits = this.core.x.clientStatus(connection.handle) & (STATUS_BLOCKED | STATUS_LISTENS);
      if (waits === 0) connection.destroy();
    }
  }

  armDeadlines(): void {
    this.#deadlines.arm();
  }

  #accept(socket: Connection): void {
    this.counters.connectionsReceived++;
    if (this.#connections.size >= this.config.int('maxclients')) {
      this.#refuse(socket, MAX_CLIENTS);
      return;
    }
    if (this.config.bool('protected-mode') && !isLocal(socket) && this.core.x.usersOpen() !== 0) {
      this.#refuse(socket, DENIED);
      return;
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(this.config.int('tcp-keepalive'));
    try {
      const connection = new ClientConnection(this, socket);
      this.#connections.set(connection.handle, connection);
    } catch (error) {
      this.log.warning(`A client was refused: ${(error as Error).message}`);
      this.counters.rejectedConnections++;
      socket.destroy();
    }
  }

  #refuse(socket: Connection, text: Uint8Array): void {
    this.counters.rejectedConnections++;
    socket.start({ buffer: this.core.readBuffer, onRead: () => {}, onClose: () => {} });
    socket.write(text);
    socket.end();
  }

  drainReady(): void {
    for (;;) {
      const handle = this.core.x.nextReady();
      if (handle < 0) return;
      if (!this.#link?.attend(handle)) this.#connections.get(handle)?.attend();
    }
  }

  /** The same once for all that arrives in this turn: who receives much is sent to once. */
  drainSoon(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.defer(() => {
      this.#isDraining = false;
      if (this.core.trap === undefined) this.drainReady();
    });
  }

  onOutputLimit(address: string): void {
    this.log.warning(`Client ${address} closed for overcoming of output buffer limits.`);
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection.handle);
  }

  get redirect(): Redirect | undefined {
    return this.#link?.redirect;
  }

  watchClient(handle: number): () => boolean {
    const connection = this.#connections.get(handle);
    return () => this.#connections.get(handle) === connection;
  }

  resumeClient(handle: number): void {
    if (!this.#link?.resume(handle)) this.#connections.get(handle)?.resume();
  }

  loadingInfo(): InfoFields {
    const load = this.#load;
    if (load === undefined) return { loading: 0, async_loading: 0 };
    const { startedMs, done, total } = load;
    const seconds = Math.max(0.001, (this.nowMs() - startedMs) / 1000);
    return {
      loading: 1,
      async_loading: 0,
      loading_start_time: Math.floor(startedMs / 1000),
      loading_total_bytes: total,
      loading_loaded_bytes: done,
      loading_loaded_perc: ((100 * done) / Math.max(1, total)).toFixed(2),
      loading_eta_seconds: Math.round(((total - done) * seconds) / Math.max(1, done)),
    };
  }

  /** Runs a load whose progress INFO tells. */
  async watchLoad<T>(
    load: (onProgress: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T> {
    const facts = { startedMs: this.nowMs(), done: 0, total: 0 };
    this.#load = facts;
    try {
      return await load((done, total) => Object.assign(facts, { done, total }));
    } finally {
      this.#load = undefined;
    }
  }

  follow(master: { host: string; port: number } | undefined): void {
    if (this.#link === undefined) {
      throw new RespiteError('ERR_RESPITE_UNSUPPORTED', 'replication is not available here');
    }
    this.#link.follow(master);
  }

  shutdown(reason: string): Promise<void> {
    this.log.warning(`User requested shutdown (${reason})...`);
    return this.close();
  }

  /** The core met a bug of ours: it is told in full, and nothing goes on with a broken core. */
  #die(error: Error): void {
    this.log.warning('=== RESPITE BUG REPORT START: the core trapped, the server ends now ===');
    this.log.warning(`respite ${RESPITE_VERSION}, ${this.platform.process.os}`);
    this.log.warning(error.stack ?? error.message);
    this.log.warning('=== RESPITE BUG REPORT END. Please send it with the last commands sent ===');
    this.#cron?.cancel();
    this.#deadlines.cancel();
    this.#link?.close();
    for (const connection of this.#connections.values()) connection.destroy();
    void this.#listeners.close();
    const fault = new RespiteError('ERR_RESPITE_CORE', undefined, { cause: error });
    this.#markFailed(fault);
  }

  /** Ends gracefully: no new clients, replies are sent, then everything is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cron?.cancel();
    this.#deadlines.cancel();
    this.#link?.close();
    await this.#listeners.close();
    for (const connection of this.#connections.values()) connection.end();
    await this.#waitForClients();
    for (const connection of this.#connections.values()) connection.destroy();
    this.log.warning('respite is now ready to exit, bye bye...');
    this.#markDone();
  }

  #waitForClients(): Promise<void> {
    const { clock } = this.platform;
    const deadline = clock.monotonicMs() + SHUTDOWN_GRACE_MS;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#connections.size === 0 || clock.monotonicMs() > deadline) resolve();
        else clock.setTimer(10, look);
      };
      look();
    });
  }
}
