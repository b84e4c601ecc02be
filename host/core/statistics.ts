// The statistics block of the core by name. The order is that of assembly/statistics.ts.

import type { Core } from './core.js';

const NAMES = [
  'usedMemory',
  'usedMemoryPeak',
  'heapBytes',
  'memoryBytes',
  'clients',
  'queryBytes',
  'dirty',
  'commands',
  'keyspaceHits',
  'keyspaceMisses',
  'expiredKeys',
  'netInputBytes',
  'netOutputBytes',
  'errorReplies',
  'lazyfreePending',
  'lazyfreed',
  'applyErrors',
  'effectsOffset',
  'watchedKeys',
  'tableBytes',
  'blockedClients',
  'pubsubChannels',
  'pubsubPatterns',
  'pubsubShardChannels',
  'trackingClients',
  'trackedKeys',
  'trackedItems',
  'trackingPrefixes',
  'clientInputMax',
  'clientOutputMax',
  'clientMemory',
  'masterMemory',
  'netReplInputBytes',
  'expiredStaleShare',
] as const;

/** Counters and gauges of a core; sizes in bytes. */
export type CoreStatistics = Record<(typeof NAMES)[number], number>;

/** Facts of one database. */
export interface DatabaseStatistics {
  keys: number;
  expires: number;
  avgTtlMs: number;
}

export function readStatistics(core: Core): CoreStatistics {
  const count = core.x.statisticsCount();
  if (count !== NAMES.length) throw new Error('core.wasm and host/core/statistics.ts differ');
  const numbers = core.doubles(core.x.statistics() >>> 0, count);
  const out = {} as CoreStatistics;
  for (const [i, name] of NAMES.entries()) out[name] = numbers[i] as number;
  return out;
}

export function readDatabaseStatistics(core: Core, index: number): DatabaseStatistics {
  const [keys, expires, avgTtlMs] = core.doubles(core.x.databaseStatistics(index) >>> 0, 3);
  return { keys: keys as number, expires: expires as number, avgTtlMs: avgTtlMs as number };
}

/** Totals whose growth INFO shows; much cheaper to read than all. */
export function readTraffic(core: Core): {
  commands: number;
  inputBytes: number;
  outputBytes: number;
  replInputBytes: number;
} {
  const numbers = core.doubles(core.x.trafficStatistics() >>> 0, 4);
  const [commands, inputBytes, outputBytes, replInputBytes] = numbers as unknown as number[];
  return {
    commands: commands!,
    inputBytes: inputBytes!,
    outputBytes: outputBytes!,
    replInputBytes: replInputBytes!,
  };
}
