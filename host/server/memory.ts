// Where the memory of the server is, for INFO memory and MEMORY STATS and DOCTOR. "RSS" is the
// whole process, the JavaScript engine included; the heap is what the core's allocator has taken.

import type { CoreStatistics } from '../core/statistics.js';
import { readDatabaseStatistics } from '../core/statistics.js';
import type { ServerContext } from './context.js';

export interface MemoryFacts {
  /** Bytes in blocks that the core handed out, now, at most, and before the first key. */
  used: number;
  peak: number;
  startup: number;
  /** Bytes the allocator has taken from linear memory. */
  heap: number;
  rss: number;
  /** What is not data: the start, tables, clients. */
  overhead: number;
  dataset: number;
  /** Of `used` less `startup`. */
  datasetPercent: number;
  peakPercent: number;
  keys: number;
  bytesPerKey: number;
  /** heap / used, rss / heap, rss / used. */
  fragmentRatio: number;
  rssRatio: number;
  ratio: number;
  libraries: number;
}

/** `1.50M`, as Redis prints sizes for people. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const units = ['K', 'M', 'G', 'T', 'P'];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${units[unit]}`;
}

function countLibraries(server: ServerContext): number {
  const { x } = server.core;
  let count = 0;
  for (let at = x.functionFirst(); at !== 0; at = x.functionNext(at)) count++;
  return count;
}

function countKeys(server: ServerContext): number {
  let keys = 0;
  for (let db = 0; db < server.config.int('databases'); db++) {
    keys += readDatabaseStatistics(server.core, db).keys;
  }
  return keys;
}

export function memoryFacts(server: ServerContext, stats: CoreStatistics): MemoryFacts {
  const startup = server.startupMemory;
  const { usedMemory: used, usedMemoryPeak: peak, heapBytes: heap } = stats;
  const overhead = startup + stats.tableBytes + stats.clientMemory + stats.masterMemory;
  const dataset = Math.max(0, used - overhead);
  const net = Math.max(1, used - startup);
  const rss = server.platform.process.rssBytes();
  const keys = countKeys(server);
  return {
    ...{ used, peak, startup, heap, rss, overhead, dataset, keys },
    datasetPercent: Math.min(100, (100 * dataset) / net),
    peakPercent: (100 * used) / Math.max(1, peak),
    bytesPerKey: keys === 0 ? 0 : Math.floor(net / keys),
    fragmentRatio: heap / Math.max(1, used),
    rssRatio: rss / Math.max(1, heap),
    ratio: rss / Math.max(1, used),
    libraries: countLibraries(server),
  };
}
