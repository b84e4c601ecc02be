// The replica as a library on Node.js: `createReplica({ master: 'redis://…' })`.

import { createNodePlatform } from '../platform/node.js';
import { coreModule } from '../server/index.js';
import { Replica, type ReplicaDeps, type ReplicaOptions } from './replica.js';

/** A replica that has not been started. */
export function createReplica(options: ReplicaOptions, deps: Partial<ReplicaDeps> = {}): Replica {
  return new Replica(options, {
    platform: createNodePlatform(),
    loadModule: async () => coreModule(),
    ...deps,
  });
}

export { Storage } from '../storage/storage.js';
export type { LinkEvents, LinkState, SyncDone, SyncProgress } from './link.js';
export type { ApplyProblem } from './problems.js';
export { Replica, type ReplicaOptions, type SyncStatus } from './replica.js';
