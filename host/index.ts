// The public entry `respite`: a live replica of a Redis or Valkey as a library on Node.js.

import { loadConfig } from './config/index.js';
import { RespiteError } from './errors.js';
import { createNodePlatform } from './platform/node.js';
import { replicaRole } from './replication/facts.js';
import { createReplica as makeReplica, type Replica } from './replication/index.js';
import type { ReplicaDeps, ReplicaOptions, ReplicaServer } from './replication/replica.js';
import { coreModule, RespiteServer } from './server/index.js';

export type { Argument } from './core/local.js';
export type { ReplyValue } from './core/resp-value.js';
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  isRespiteError,
  RespiteError,
} from './errors.js';
export type { LogFields, Logger, LogLevel } from './log.js';
export { createLogger, silentLogger } from './log.js';
export {
  type CallOptions,
  LuaEngine,
  type LuaEngineOptions,
  type LuaLibrary,
  type LuaLogLevel,
} from './lua/engine.js';
export * from './replication/index.js';

/** `:6380`, `host:port` or `[::1]:port` as directives. */
function listenDirectives(listen: string): { bind: string; port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:\s]*)):(\d{1,5})$/.exec(listen);
  if (match === null) {
    const reason = `cannot read ${JSON.stringify(listen)}: write host:port or :port`;
    throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', `listen: ${reason}`, {
      details: { option: 'listen', reason },
    });
  }
  return { bind: match[1] || match[2] || '* -::*', port: Number(match[3]) };
}

/** The read-only server of a replica: its clients are clients of the replica's core. */
async function serve(replica: Replica, options: ReplicaOptions): Promise<ReplicaServer> {
  const { bind, port } = listenDirectives(options.listen!);
  const { config } = loadConfig({
    options: {
      bind: bind.split(' '),
      port,
      databases: options.databases ?? 16,
      ...(options.listenPassword === undefined ? {} : { requirepass: options.listenPassword }),
    },
  });
  const { link, redirector } = replica;
  const server = new RespiteServer({
    config,
    platform: createNodePlatform(),
    log: replica.log,
    module: coreModule(),
    core: replica.core,
    makeLink: () => ({
      isReplica: true,
      info: () => replica.info(),
      role: () => replicaRole(link),
      // The replica asks its link before it asks the server.
      hostCommand: () => undefined,
      applyProblem: (id) => link.applyProblem(id),
      resume: (handle) => link.resume(handle),
      attend: (handle) => link.attend(handle),
      follow: () => {
        throw new RespiteError('ERR_RESPITE_UNSUPPORTED', 'this server belongs to a replica');
      },
      redirect: redirector?.request,
      close: () => {},
    }),
  });
  await server.listen();
  const address = server.addresses[0]!;
  return {
    address: `${address.host}:${address.port}`,
    hostCommand: (handle, id) => server.runHostCommand(handle, id),
    slowCommand: (...slow) => server.slowCommand(...slow),
    drainReady: () => server.drainReady(),
    close: () => server.close(),
  };
}

/** A replica that has not been started; see docs/replication.md. */
export function createReplica(options: ReplicaOptions, deps: Partial<ReplicaDeps> = {}): Replica {
  return makeReplica(options, { serve, ...deps });
}
