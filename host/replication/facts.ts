// What INFO replication and ROLE say about a replica, in Redis' names and order.

import type { ReplicaLink } from './link.js';

export type Facts = Record<string, string | number | undefined>;

export interface ReplicaFactsOptions {
  /** replica-priority: 0 keeps Sentinel from electing us. */
  priority?: number;
  /** replica-announced. */
  isAnnounced?: boolean;
}

/** Fields of INFO replication for a replica; fields without a value are left out. */
export function replicationInfo(link: ReplicaLink, options: ReplicaFactsOptions = {}): Facts {
  const { settings, position, progress } = link;
  const isUp = link.isConnected;
  const silentMs = link.silentMs;
  const offset = Math.max(0, link.offset);
  return {
    role: 'slave',
    master_host: settings.path ?? settings.host,
    master_port: settings.port,
    master_link_status: isUp ? 'up' : 'down',
    master_last_io_seconds_ago: silentMs === undefined || !isUp ? -1 : Math.floor(silentMs / 1000),
    master_sync_in_progress: link.state === 'sync' ? 1 : 0,
    slave_read_repl_offset: Math.max(0, link.readOffset),
    slave_repl_offset: offset,
    ...(progress === undefined ? {} : syncFields(progress, silentMs ?? 0)),
    ...(isUp ? {} : { master_link_down_since_seconds: downSeconds(link) }),
    slave_priority: options.priority ?? 100,
    slave_read_only: settings.readOnly ? 1 : 0,
    replica_announced: (options.isAnnounced ?? true) ? 1 : 0,
    connected_slaves: 0,
    master_failover_state: 'no-failover',
    master_replid: position?.replid ?? NO_ID,
    master_replid2: link.replid2,
    master_repl_offset: offset,
    second_repl_offset: link.secondOffset,
    repl_backlog_active: 0,
    repl_backlog_size: 0,
    repl_backlog_first_byte_offset: 0,
    repl_backlog_histlen: 0,
    master_sync_full: link.stats.fullSyncCount,
    master_sync_partial_ok: link.stats.partialSyncCount,
    master_sync_partial_err: link.stats.partialRefusedCount,
    master_reconnects: link.stats.reconnectCount,
    replica_apply_errors: link.problemCount,
    replica_diverged: link.isDiverged ? 1 : 0,
  };
}

const NO_ID = '0'.repeat(40);

function syncFields(progress: { bytes: number; totalBytes?: number }, silentMs: number): Facts {
  const { bytes, totalBytes } = progress;
  const isKnown = totalBytes !== undefined && totalBytes > 0;
  return {
    // Redis: 0 when the master does not say how much will come, and then no share of it either.
    master_sync_total_bytes: totalBytes ?? 0,
    master_sync_read_bytes: bytes,
    master_sync_left_bytes: (totalBytes ?? 0) - bytes,
    master_sync_perc: isKnown ? ((bytes / totalBytes) * 100).toFixed(2) : '0.00',
    master_sync_last_io_seconds_ago: Math.floor(silentMs / 1000),
  };
}

function downSeconds(link: ReplicaLink): number {
  if (link.downSinceMs === undefined) return -1;
  return Math.max(0, Math.floor((link.nowMs - link.downSinceMs) / 1000));
}

/** The reply of ROLE. */
export function replicaRole(link: ReplicaLink): [string, string, number, string, number] {
  const { settings } = link;
  const offset = link.isConnected ? link.offset : -1;
  return ['slave', settings.path ?? settings.host, settings.port, link.state, offset];
}
