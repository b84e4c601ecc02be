// The text of INFO: sections and fields in Redis' names and order, as far as they exist here.

import { COMMAND_NAMES } from '../commands/generated/table.js';
import { REDIS_VERSION } from '../config/index.js';
import { type CoreStatistics, readDatabaseStatistics, readStatistics } from '../core/statistics.js';
import type { InfoFields, ServerContext } from './context.js';
import { RESPITE_VERSION } from './version.js';

type Section = (server: ServerContext, stats: CoreStatistics) => InfoFields;

/** `1.50M`, as Redis prints sizes for people. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const units = ['K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(2)}${units[unit]}`;
}

function serverSection(server: ServerContext): InfoFields {
  const { platform, config } = server;
  const uptimeSec = Math.floor((server.nowMs() - server.startedMs) / 1000);
  return {
    redis_version: REDIS_VERSION,
    redis_git_sha1: '00000000',
    redis_git_dirty: 0,
    redis_build_id: '0',
    redis_mode: 'standalone',
    respite_version: RESPITE_VERSION,
    node_version: platform.process.runtimeVersion,
    os: platform.process.os,
    arch_bits: 32,
    monotonic_clock: 'performance.now',
    multiplexing_api: 'libuv',
    process_id: platform.process.pid,
    process_supervised: 'no',
    run_id: server.runId,
    tcp_port: config.int('port'),
    server_time_usec: platform.clock.nowUs(),
    uptime_in_seconds: uptimeSec,
    uptime_in_days: Math.floor(uptimeSec / 86400),
    hz: config.int('hz'),
    configured_hz: config.int('hz'),
    lru_clock: Math.floor(server.nowMs() / 1000) & 0xffffff,
    executable: platform.process.executable,
    config_file: config.configFile ?? '',
    io_threads_active: 0,
  };
}

function clientsSection(server: ServerContext, stats: CoreStatistics): InfoFields {
  return {
    connected_clients: stats.clients,
    cluster_connections: 0,
    maxclients: server.config.int('maxclients'),
    client_recent_max_input_buffer: 0,
    client_recent_max_output_buffer: 0,
    blocked_clients: stats.blockedClients,
    tracking_clients: stats.trackingClients,
    clients_in_timeout_table: 0,
  };
}

function memorySection(server: ServerContext, stats: CoreStatistics): InfoFields {
  const rss = server.platform.process.rssBytes();
  const total = server.platform.process.totalMemoryBytes;
  const max = server.config.int('maxmemory');
  const peakPercent = (100 * stats.usedMemory) / Math.max(1, stats.usedMemoryPeak);
  return {
    used_memory: stats.usedMemory,
    used_memory_human: humanBytes(stats.usedMemory),
    used_memory_rss: rss,
    used_memory_rss_human: humanBytes(rss),
    used_memory_peak: stats.usedMemoryPeak,
    used_memory_peak_human: humanBytes(stats.usedMemoryPeak),
    used_memory_peak_perc: `${peakPercent.toFixed(2)}%`,
    used_memory_overhead: stats.tableBytes + stats.queryBytes,
    used_memory_startup: 0,
    used_memory_dataset: stats.usedMemory - stats.tableBytes - stats.queryBytes,
    allocator_allocated: stats.usedMemory,
    allocator_active: stats.heapBytes,
    allocator_resident: stats.heapBytes,
    total_system_memory: total,
    total_system_memory_human: humanBytes(total),
    used_memory_lua: 0,
    used_memory_vm_total: 0,
    maxmemory: max,
    maxmemory_human: humanBytes(max),
    maxmemory_policy: server.config.str('maxmemory-policy'),
    mem_fragmentation_ratio: (rss / Math.max(1, stats.usedMemory)).toFixed(2),
    mem_fragmentation_bytes: rss - stats.usedMemory,
    mem_clients_normal: stats.queryBytes,
    mem_overhead_db_hashtable: stats.tableBytes,
    mem_allocator: 'respite',
    wasm_memory_bytes: stats.memoryBytes,
    active_defrag_running: 0,
    lazyfree_pending_objects: stats.lazyfreePending,
    lazyfreed_objects: stats.lazyfreed,
  };
}

function persistenceSection(server: ServerContext, stats: CoreStatistics): InfoFields {
  return {
    ...server.loadingInfo(),
    rdb_changes_since_last_save: stats.dirty,
    rdb_bgsave_in_progress: 0,
    rdb_last_bgsave_status: 'ok',
    aof_enabled: 0,
    aof_rewrite_in_progress: 0,
  };
}

function statsSection(server: ServerContext, stats: CoreStatistics): InfoFields {
  return {
    total_connections_received: server.counters.connectionsReceived,
    total_commands_processed: stats.commands,
    total_net_input_bytes: stats.netInputBytes,
    total_net_output_bytes: stats.netOutputBytes,
    rejected_connections: server.counters.rejectedConnections,
    expired_keys: stats.expiredKeys,
    evicted_keys: 0,
    keyspace_hits: stats.keyspaceHits,
    keyspace_misses: stats.keyspaceMisses,
    pubsub_channels: stats.pubsubChannels,
    pubsub_patterns: stats.pubsubPatterns,
    pubsubshard_channels: stats.pubsubShardChannels,
    latest_fork_usec: 0,
    tracking_total_keys: stats.trackedKeys,
    tracking_total_items: stats.trackedItems,
    tracking_total_prefixes: stats.trackingPrefixes,
    total_error_replies: stats.errorReplies,
    replica_apply_errors: stats.applyErrors,
  };
}

function replicationSection(server: ServerContext): InfoFields {
  return (
    server.replication?.info() ?? {
      role: 'master',
      connected_slaves: 0,
      master_replid: server.runId,
      master_replid2: '0'.repeat(40),
      master_repl_offset: 0,
      second_repl_offset: -1,
      repl_backlog_active: 0,
      repl_backlog_size: server.config.int('repl-backlog-size'),
      repl_backlog_first_byte_offset: 0,
      repl_backlog_histlen: 0,
    }
  );
}

function cpuSection(server: ServerContext): InfoFields {
  const { userUs, systemUs } = server.platform.process.cpuUsage();
  return {
    used_cpu_sys: (systemUs / 1e6).toFixed(6),
    used_cpu_user: (userUs / 1e6).toFixed(6),
  };
}

function commandstatsSection(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  const { x } = server.core;
  for (let id = 0; id < x.commandCount(); id++) {
    const calls = x.commandCallCount(id);
    const failed = x.commandFailedCount(id);
    const rejected = x.commandRejectedCount(id);
    if (calls === 0 && rejected === 0) continue;
    fields[`cmdstat_${COMMAND_NAMES[id]}`] =
      `calls=${calls},rejected_calls=${rejected},failed_calls=${failed}`;
  }
  return fields;
}

function keyspaceSection(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  for (let db = 0; db < server.config.int('databases'); db++) {
    const { keys, expires, avgTtlMs } = readDatabaseStatistics(server.core, db);
    if (keys > 0) fields[`db${db}`] = `keys=${keys},expires=${expires},avg_ttl=${avgTtlMs}`;
  }
  return fields;
}

const SECTIONS: Readonly<Record<string, Section>> = {
  Server: serverSection,
  Clients: clientsSection,
  Memory: memorySection,
  Persistence: persistenceSection,
  Stats: statsSection,
  Replication: replicationSection,
  CPU: cpuSection,
  Modules: () => ({}),
  Commandstats: commandstatsSection,
  Cluster: () => ({ cluster_enabled: 0 }),
  Keyspace: keyspaceSection,
};
/** Sections that plain INFO leaves out. */
const EXTRA = new Set(['Commandstats']);

/** The text of INFO for the given section names (lower case; none = the default ones). */
export function infoText(server: ServerContext, wanted: readonly string[]): string {
  const stats = readStatistics(server.core);
  const all = wanted.includes('all') || wanted.includes('everything');
  const defaults = wanted.length === 0 || wanted.includes('default');
  const parts: string[] = [];
  for (const [name, section] of Object.entries(SECTIONS)) {
    const isWanted = all || wanted.includes(name.toLowerCase()) || (defaults && !EXTRA.has(name));
    if (!isWanted) continue;
    const lines = [`# ${name}`];
    for (const [field, value] of Object.entries(section(server, stats))) {
      if (value !== undefined) lines.push(`${field}:${value}`);
    }
    parts.push(`${lines.join('\r\n')}\r\n`);
  }
  return parts.join('\r\n');
}
