// The public entry `respite/server`: a complete server in this process, from a configuration.

import type { Config } from './config/index.js';
import type { Logger } from './log.js';
import { loadRdbFile } from './persistence/rdb-file.js';
import type { ListenerAddress, Platform } from './platform/platform.js';
import { Follower } from './replication/follower.js';
import { coreModule, RespiteServer } from './server/index.js';

export { Config, type LoadOptions, loadConfig, platformSource } from './config/index.js';
export { RespiteError } from './errors.js';
export { createLogger, type Logger, silentLogger } from './log.js';
export { createNodePlatform } from './platform/node.js';
export { RespiteServer } from './server/index.js';

/** A server that answers. */
export interface RunningServer {
  readonly server: RespiteServer;
  /** Where it listens, as Redis writes addresses; the first is the main one. */
  readonly address: readonly string[];
  /** Ends it: replies are sent, sockets closed. */
  close(): Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly done: Promise<void>;
}

function addressText({ host, port, path }: ListenerAddress): string {
  if (path !== undefined) return `${path}:0`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Loads dir/dbfilename if it is there; clients get LOADING meanwhile. A file that cannot be loaded
 * stops the start, as with Redis: an empty server in its place would look like lost data.
 */
async function loadDataSet(server: RespiteServer, follower: Follower | undefined): Promise<void> {
  const { config, platform, log, core } = server;
  const path = platform.fs.resolve(config.str('dir'), config.str('dbfilename'));
  const isReplica = config.replicaOf !== undefined;
  const startedMs = platform.clock.monotonicMs();
  core.x.setLoadingState(true, false);
  try {
    const facts = await server.watchLoad((onProgress) =>
      loadRdbFile(core, platform, path, {
        keepExpired: isReplica,
        checksum: config.bool('rdbchecksum'),
        onProgress,
      }),
    );
    if (facts === undefined) return;
    const seconds = ((platform.clock.monotonicMs() - startedMs) / 1000).toFixed(3);
    log.notice(`DB loaded from disk: ${facts.keys} keys, ${seconds} seconds`);
    for (const { name, count } of facts.skipped) {
      log.warning(`${count} values of the type ${name} cannot be held here: left out`);
    }
    const { replId, replOffset } = facts;
    if (isReplica && replId !== undefined && replOffset !== undefined) {
      follower?.resumeFrom({ replid: replId, offset: replOffset, db: facts.streamDb ?? 0 });
    }
  } finally {
    core.x.setLoadingState(false, false);
  }
}

/** Starts a server; resolves when it answers. With `replicaof` it begins to follow its master. */
export async function startServer(
  config: Config,
  platform: Platform,
  log: Logger,
): Promise<RunningServer> {
  let follower: Follower | undefined;
  const server = new RespiteServer({
    config,
    platform,
    log,
    module: coreModule(),
    makeLink: (owner) => {
      follower = new Follower({
        core: owner.core,
        config,
        platform,
        log,
        onCoreFed: () => owner.drainReady(),
        listeningPort: () => owner.addresses.find(({ port }) => port > 0)?.port ?? 0,
      });
      return follower;
    },
  });
  await server.listen();
  try {
    await loadDataSet(server, follower);
  } catch (error) {
    await server.close();
    throw error;
  }
  if (config.replicaOf === undefined) log.setRole('M');
  else server.follow(config.replicaOf);
  return {
    server,
    address: server.addresses.map(addressText),
    close: () => server.close(),
    done: server.done,
  };
}
