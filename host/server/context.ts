// What the parts of the server share: nothing but interfaces, so that none needs the whole.

import type { Config } from '../config/index.js';
import type { Core } from '../core/core.js';
import type { Logger } from '../log.js';
import type { ListenerAddress, Platform } from '../platform/platform.js';
import type { LatencyMonitor } from './latency.js';
import type { Rates } from './rates.js';
import type { Scripting } from './scripting.js';
import type { Slowlog } from './slowlog.js';

/** One field of an INFO section; values that are not set are left out. */
export type InfoFields = Record<string, string | number | undefined>;

/** Facts of a replica, for INFO and ROLE. */
export interface ReplicationFacts {
  /** False: the server is a master, and the rest must not be asked. */
  readonly isReplica: boolean;
  /** Fields of INFO replication, `role` first. */
  info(): InfoFields;
  /** Bytes that came over the link, the data set included. */
  readonly bytesReceived?: number;
  /** The reply of ROLE: nested arrays of texts and numbers. */
  role(): RoleReply;
}

/** Runs a request at the master, in a database and a protocol; the reply as it came. */
export type Redirect = (db: number, protocol: number, request: Uint8Array) => Promise<Uint8Array>;

/** The link to a master, as far as the core's calls concern it. */
export interface ServerLink {
  /** REPLCONF of the master's stream; undefined: the command is a client's. */
  hostCommand(handle: number): number | undefined;
  /** A command of the stream was not applied. */
  applyProblem(id: number): void;
  /** A host command is done. True: the handle was the stream's. */
  resume(handle: number): boolean;
  /** The core wants attention for a client. True: it was the stream's. */
  attend(handle: number): boolean;
  /** REPLICAOF. */
  follow(master: { host: string; port: number } | undefined): void;
  /** Write redirection, where it is on: what a read-only replica refuses goes there. */
  readonly redirect: Redirect | undefined;
  close(): void;
}

export type RoleReply = readonly (string | number | readonly RoleReply[])[];

export interface ServerCounters {
  connectionsReceived: number;
  rejectedConnections: number;
  /** Chunks received from clients, writes to their sockets. */
  reads: number;
  writes: number;
  /** Time spent in the clean-up of expired keys. */
  expireCycleMs: number;
}

export interface ServerContext {
  readonly core: Core;
  readonly config: Config;
  readonly platform: Platform;
  readonly log: Logger;
  readonly counters: ServerCounters;
  readonly slowlog: Slowlog;
  readonly scripting: Scripting;
  readonly latency: LatencyMonitor;
  readonly rates: Rates;
  readonly addresses: readonly ListenerAddress[];
  readonly startedMs: number;
  /** Bytes in use before the first client and key. */
  readonly startupMemory: number;
  /** Unix time of the last save, of the start if there was none. */
  readonly lastSaveSec: number;
  /** 40 hex digits, new at every start. */
  readonly runId: string;
  /** 40 hex digits: the name of this data set's history. */
  readonly replId: string;
  /** DEBUG CHANGE-REPL-ID. */
  newReplId(): void;
  /** DEBUG PAUSE-CRON. */
  isCronPaused: boolean;
  readonly replication: ReplicationFacts | undefined;
  /** Facts about a load that is going on, or the last one, for INFO persistence. */
  loadingInfo(): InfoFields;
  nowMs(): number;
  /** In-process calls may have made output for clients. */
  drainSoon(): void;
  /** Write redirection, where it is on. */
  readonly redirect: Redirect | undefined;
  /** A host command of this client is done. */
  resumeClient(handle: number): void;
  /** For who answers later: tells whether the handle is still the same client's. */
  watchClient(handle: number): () => boolean;
  /** Ends the server; resolves when everything is closed. */
  shutdown(reason: string): Promise<void>;
  /** REPLICAOF: follows a master, or (undefined) none any more. */
  follow(master: { host: string; port: number } | undefined): void;
}
