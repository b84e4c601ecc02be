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
  'clientsInTimeoutTable',
  'blockingKeys',
  'blockingKeysOnNokey',
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
  'expiredFields',
] as const;

/** Counters and gauges of a core; sizes in bytes. */
export type CoreStatistics = Record<(typeof NAMES)[number], number>;

/** Facts of one database. */
export interface DatabaseStatistics {
  keys: number;
  expires: number;
  avgTtlMs: number;
  /** Bytes of the table of keys, and of that of keys with an expiry. */
  tableBytes: number;
  expiresBytes: number;
  /** Hashes with fields that expire. */
  subexpiry: number;
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
  const numbers = core.doubles(core.x.databaseStatistics(index) >>> 0, 6);
  return {
    keys: numbers[0]!,
    expires: numbers[1]!,
    avgTtlMs: numbers[2]!,
    tableBytes: numbers[3]!,
    expiresBytes: numbers[4]!,
    subexpiry: numbers[5]!,
  };
}

/** Totals whose growth INFO shows; much cheaper to read than all. */
export function readTraffic(core: Core): {
  commands: number;
  inputBytes: number;
  outputBytes: number;
  replInputBytes: number;
} {
  const numbers = core.doubles(core.x.trafficStatistics() >>> 0, 4);
  return {
    commands: numbers[0]!,
    inputBytes: numbers[1]!,
    outputBytes: numbers[2]!,
    replInputBytes: numbers[3]!,
  };
}
