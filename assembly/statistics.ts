/**
 * What INFO and metrics read: one block of f64 numbers, filled on request. host/core/statistics.ts
 * names the places; both lists must be kept in step (a test compares their lengths).
 */
import { allocNotePeak, heapBytes, usedMemory, usedMemoryPeak } from './base/alloc';
import { blockedClients } from './clients/blocked';
import { deadlineCount } from './clients/deadlines';
import { strictKeys, waitedKeys } from './keyspace/ready-keys';
import { clientCount, clientQueryBytes } from './clients/client';
import {
  usageClients,
  usageInputMax,
  usageMaster,
  usageOutputMax,
  usageSum,
} from './clients/usage';
import { effectsOffset } from './keyspace/effects';
import { dbAt, dbAvgTtl, dbCount, dbExpires, dbKeys, dbTickets } from './keyspace/db';
import { ticketsCount } from './keyspace/hash-tickets';
import { expireStaleShare } from './keyspace/expire';
import { htOverhead } from './hashtable/hashtable';
import {
  dirty,
  statApplyErrors,
  statCommands,
  statExpiredFields,
  statExpiredKeys,
  statKeyspaceHits,
  statKeyspaceMisses,
  statNetInput,
  statNetReplInput,
} from './keyspace/state';
import { prefixCount } from './keyspace/prefixes';
import { channelsOf, KIND_CHANNEL, KIND_PATTERN, KIND_SHARD } from './keyspace/pubsub';
import { trackedKeys, trackedPairs, trackingClients } from './keyspace/tracking';
import { lazyFreed, lazyPending } from './keyspace/value';
import { watchedKeys } from './keyspace/watch';
import { replyBytesTotal, replyErrors } from './resp/reply';

/** Numbers in the block. */
export const STAT_COUNT: u32 = 38;
const block = memory.data(<i32>STAT_COUNT * 8, 16);
let at: usize = 0;

function put(value: f64): void {
  store<f64>(at, value);
  at += 8;
}

/** Fills the block and returns its address. */
export function fillStatistics(): usize {
  allocNotePeak();
  at = block;
  put(<f64>usedMemory);
  put(<f64>usedMemoryPeak);
  put(<f64>heapBytes);
  put(<f64>(<usize>memory.size() << 16));
  put(<f64>clientCount);
  put(<f64>clientQueryBytes);
  put(<f64>dirty);
  put(<f64>statCommands);
  put(<f64>statKeyspaceHits);
  put(<f64>statKeyspaceMisses);
  put(<f64>statExpiredKeys);
  put(<f64>statNetInput);
  put(<f64>replyBytesTotal);
  put(<f64>replyErrors);
  put(<f64>lazyPending);
  put(<f64>lazyFreed);
  put(<f64>statApplyErrors);
  put(<f64>effectsOffset);
  put(<f64>watchedKeys());
  put(<f64>tablesOverhead());
  put(<f64>blockedClients);
  put(<f64>deadlineCount());
  put(<f64>waitedKeys);
  put(<f64>strictKeys);
  put(<f64>channelsOf(KIND_CHANNEL));
  put(<f64>channelsOf(KIND_PATTERN));
  put(<f64>channelsOf(KIND_SHARD));
  put(<f64>trackingClients);
  put(<f64>trackedKeys());
  put(<f64>trackedPairs);
  put(<f64>prefixCount);
  usageSum();
  put(<f64>usageInputMax);
  put(<f64>usageOutputMax);
  put(<f64>usageClients);
  put(<f64>usageMaster);
  put(<f64>statNetReplInput);
  put(expireStaleShare);
  put(<f64>statExpiredFields);
  return block;
}

/** Commands, bytes from clients, bytes to them, bytes of the master's stream: four f64. */
export function fillTraffic(): usize {
  at = block;
  put(<f64>statCommands);
  put(<f64>statNetInput);
  put(<f64>replyBytesTotal);
  put(<f64>statNetReplInput);
  return block;
}

/** Bytes of all databases' tables (INFO mem_overhead_db_hashtable). */
function tablesOverhead(): usize {
  let sum: usize = 0;
  for (let i: u32 = 0; i < dbCount; i++) {
    sum += htOverhead(dbKeys(dbAt(i))) + htOverhead(dbExpires(dbAt(i)));
  }
  return sum;
}

/**
 * Of one database: keys, keys with an expiry, average TTL ms, bytes of both tables, hashes with
 * fields that expire; six f64.
 */
export function fillDatabase(index: u32): usize {
  at = block;
  const db = dbAt(min(index, dbCount - 1));
  put(<f64>dbKeys(db).count);
  put(<f64>dbExpires(db).count);
  put(<f64>dbAvgTtl(db));
  put(<f64>htOverhead(dbKeys(db)));
  put(<f64>htOverhead(dbExpires(db)));
  put(<f64>ticketsCount(dbTickets(db)));
  return block;
}
