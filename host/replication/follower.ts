// What a server does about its master: the `replicaof` directive, REPLICAOF at run time, and the
// directives the link takes its settings from. One link at a time; leaving a master keeps the data.

import { type Config, clientTlsOf } from '../config/index.js';
import type { Core } from '../core/core.js';
import type { Logger } from '../log.js';
import type { Platform } from '../platform/platform.js';
import type { Redirect, ReplicationFacts, ServerLink } from '../server/context.js';
import { replicaRole, replicationInfo } from './facts.js';
import { ReplicaLink } from './link.js';
import type { LinkOptions } from './options.js';
import type { DisklessLoad } from './policy.js';
import type { Position } from './psync.js';
import { Redirector } from './redirect.js';

export interface FollowerDeps {
  core: Core;
  config: Config;
  platform: Platform;
  log: Logger;
  /** Bytes of the stream were run: other clients may have something to be sent. */
  onCoreFed: () => void;
  /** The port masters are told, when no announce port is set. */
  listeningPort: () => number;
}

/** Directives that take effect with a new connection to the master. */
const RELINK = [
  'masteruser',
  'masterauth',
  'tls-replication',
  'repl-timeout',
  'replica-announce-ip',
  'replica-announce-port',
  'replica-serve-stale-data',
  'replica-read-only',
  'repl-diskless-load',
];

export class Follower implements ServerLink, ReplicationFacts {
  readonly #deps: FollowerDeps;
  #master: { host: string; port: number } | undefined;
  #link: ReplicaLink | undefined;
  #from: Position | undefined;
  #redirector: Redirector | undefined;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
    deps.config.onApply(['write-redirection'], () => this.#setRedirection());
    deps.config.onApply(RELINK, () => this.#relink());
  }

  get link(): ReplicaLink | undefined {
    return this.#link;
  }

  /** Follows a master, or (undefined) none any more. Following the same one again does nothing. */
  follow(master: { host: string; port: number } | undefined): void {
    const now = this.#master;
    if (master !== undefined && now?.host === master.host && now.port === master.port) return;
    this.#master = master;
    this.#link?.close();
    this.#link = undefined;
    if (master === undefined) {
      this.#setRedirection();
      this.#deps.log.notice('MASTER MODE enabled');
      this.#deps.log.setRole('M');
      return;
    }
    this.#deps.log.notice(`REPLICAOF ${master.host}:${master.port} enabled`);
    this.#deps.log.setRole('S');
    this.#deps.core.x.disconnectBlocked();
    this.#deps.onCoreFed();
    this.#start(this.#from);
    this.#from = undefined;
  }

  /** The data here is a master's at this place: the next link tries to go on from there. */
  resumeFrom(position: Position): void {
    this.#from = position;
  }

  #start(from: ReplicaLink['position']): void {
    const { core, platform, log, onCoreFed } = this.#deps;
    this.#link = new ReplicaLink({ core, platform, log, onCoreFed }, this.#options());
    this.#link.start(from);
    this.#setRedirection();
  }

  /** What redirects writes to the master of now, if that is wanted and there is one. */
  #setRedirection(): void {
    const { core, config, platform } = this.#deps;
    this.#redirector?.close();
    this.#redirector =
      this.#link !== undefined && config.bool('write-redirection')
        ? new Redirector(platform, this.#link.settings)
        : undefined;
    core.x.setRedirection(this.#redirector !== undefined);
  }

  get redirect(): Redirect | undefined {
    return this.#redirector?.request;
  }

  /** The same master with other settings; goes on where the old link was. */
  #relink(): void {
    if (this.#link === undefined) return;
    const { position } = this.#link;
    this.#link.close();
    this.#start(position);
  }

  #options(): LinkOptions {
    const { config, listeningPort } = this.#deps;
    const silenceMs = config.int('repl-timeout') * 1000;
    const tls = clientTlsOf(config);
    const options: LinkOptions = {
      master: this.#master!,
      syncTimeoutMs: silenceMs,
      readTimeoutMs: silenceMs,
      announcePort: config.int('replica-announce-port') || listeningPort(),
      disklessLoad: config.str('repl-diskless-load') as DisklessLoad,
      serveStaleData: config.bool('replica-serve-stale-data'),
      readOnly: config.bool('replica-read-only'),
    };
    if (tls !== undefined) options.tls = tls;
    const text = (name: string) => config.str(name) || undefined;
    const username = text('masteruser');
    const password = text('masterauth');
    const announceIp = text('replica-announce-ip');
    if (username !== undefined) options.username = username;
    if (password !== undefined) options.password = password;
    if (announceIp !== undefined) options.announceIp = announceIp;
    return options;
  }

  close(): void {
    this.#link?.close();
    this.#redirector?.close();
  }

  // ---- what the server asks for its clients

  get isReplica(): boolean {
    return this.#link !== undefined;
  }

  get bytesReceived(): number {
    return this.#link?.bytesReceived ?? 0;
  }

  info() {
    const { config } = this.#deps;
    return replicationInfo(this.#link!, {
      priority: config.int('replica-priority'),
      isAnnounced: config.bool('replica-announced'),
    });
  }

  role() {
    return replicaRole(this.#link!);
  }

  // ---- the core's calls that concern the link

  hostCommand(handle: number): number | undefined {
    return this.#link?.hostCommand(handle);
  }

  applyProblem(id: number): void {
    this.#link?.applyProblem(id);
  }

  resume(handle: number): boolean {
    return this.#link?.resume(handle) ?? false;
  }

  attend(handle: number): boolean {
    return this.#link?.attend(handle) ?? false;
  }
}
