// The sections of INFO: fields in Redis' names and order, as far as there is something true to say.
// Fields about what does not exist here (a compiler, an allocator's arenas, cores of a child
// process) are left out; what exists and has not happened is 0.

import { COMMAND_NAMES } from '../commands/generated/table.js';
import { REDIS_VERSION } from '../config/index.js';
import { percentileNs, readCommandStatistics, readErrorStatistics } from '../core/command-stats.js';
import { readLoadFacts } from '../core/load-facts.js';
import { type CoreStatistics, readDatabaseStatistics } from '../core/statistics.js';
import type { InfoFields, ServerContext } from './context.js';
import { humanBytes, memoryFacts } from './memory.js';
import { RESPITE_VERSION } from './version.js';

export type Section = (server: ServerContext, stats: CoreStatistics) => InfoFields;

const KIB = 1024;

function listenerFields(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  for (const [i, { host, port, path }] of server.addresses.entries()) {
    fields[`listener${i}`] =
      path === undefined ? `name=tcp,bind=${host},port=${port}` : `name=unix,bind=${path}`;
  }
  return fields;
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
    tcp_port: server.addresses.find(({ port }) => port > 0)?.port ?? config.int('port'),
    server_time_usec: platform.clock.nowUs(),
    uptime_in_seconds: uptimeSec,
    uptime_in_days: Math.floor(uptimeSec / 86400),
    hz: config.int('hz'),
    configured_hz: config.int('hz'),
    lru_clock: Math.floor(server.nowMs() / 1000) & 0xffffff,
    executable: platform.process.executable,
    config_file: config.configFile ?? '',
    io_threads_active: 0,
    ...listenerFields(server),
  };
}

function clientsSection(server: ServerContext, stats: CoreStatistics): InfoFields {
  return {
    connected_clients: stats.clients,
    cluster_connections: 0,
    maxclients: server.config.int('maxclients'),
    client_recent_max_input_buffer: stats.clientInputMax,
    client_recent_max_output_buffer: stats.clientOutputMax,
    blocked_clients: stats.blockedClients,
    tracking_clients: stats.trackingClients,
    clients_in_timeout_table: stats.clientsInTimeoutTable,
    // Redis: these two since 7.2.
    total_blocking_keys: stats.blockingKeys,
    total_blocking_keys_on_nokey: stats.blockingKeysOnNokey,
  };
}

function memorySection(server: ServerContext, stats: CoreStatistics): InfoFields {
  const facts = memoryFacts(server, stats);
  const total = server.platform.process.totalMemoryBytes;
  const max = server.config.int('maxmemory');
  const lua = server.scripting.engine.memory();
  return {
    used_memory: facts.used,
    used_memory_human: humanBytes(facts.used),
    used_memory_rss: facts.rss,
    used_memory_rss_human: humanBytes(facts.rss),
    used_memory_peak: facts.peak,
    used_memory_peak_human: humanBytes(facts.peak),
    used_memory_peak_perc: `${facts.peakPercent.toFixed(2)}%`,
    used_memory_overhead: facts.overhead,
    used_memory_startup: facts.startup,
    used_memory_dataset: facts.dataset,
    used_memory_dataset_perc: `${facts.datasetPercent.toFixed(2)}%`,
    allocator_allocated: facts.used,
    allocator_active: facts.heap,
    allocator_resident: facts.heap,
    total_system_memory: total,
    total_system_memory_human: humanBytes(total),
    used_memory_lua: lua.vmEval,
    used_memory_vm_eval: lua.vmEval,
    used_memory_lua_human: humanBytes(lua.vmEval),
    used_memory_scripts_eval: lua.scripts,
    number_of_cached_scripts: server.scripting.engine.scriptCount,
    number_of_functions: server.scripting.engine.functions.functionCount,
    number_of_libraries: facts.libraries,
    used_memory_vm_functions: lua.vmFunctions,
    used_memory_vm_total: lua.vmEval + lua.vmFunctions,
    used_memory_vm_total_human: humanBytes(lua.vmEval + lua.vmFunctions),
    used_memory_functions: lua.functions,
    used_memory_scripts: lua.scripts + lua.functions,
    used_memory_scripts_human: humanBytes(lua.scripts + lua.functions),
    maxmemory: max,
    maxmemory_human: humanBytes(max),
    maxmemory_policy: server.config.str('maxmemory-policy'),
    allocator_frag_ratio: facts.fragmentRatio.toFixed(2),
    allocator_frag_bytes: facts.heap - facts.used,
    allocator_rss_ratio: '1.00',
    allocator_rss_bytes: 0,
    rss_overhead_ratio: facts.rssRatio.toFixed(2),
    rss_overhead_bytes: facts.rss - facts.heap,
    mem_fragmentation_ratio: facts.ratio.toFixed(2),
    mem_fragmentation_bytes: facts.rss - facts.used,
    mem_not_counted_for_evict: 0,
    mem_replication_backlog: 0,
    mem_total_replication_buffers: 0,
    mem_clients_slaves: 0,
    mem_clients_normal: stats.clientMemory,
    mem_cluster_links: 0,
    mem_aof_buffer: 0,
    mem_overhead_db_hashtable: stats.tableBytes,
    mem_allocator: 'respite',
    wasm_memory_bytes: stats.memoryBytes,
    active_defrag_running: 0,
    lazyfree_pending_objects: stats.lazyfreePending,
    lazyfreed_objects: stats.lazyfreed,
  };
}

function persistenceSection(server: ServerContext, stats: CoreStatistics): InfoFields {
  const load = readLoadFacts(server.core);
  return {
    ...server.loadingInfo(),
    current_cow_peak: 0,
    current_cow_size: 0,
    current_cow_size_age: 0,
    current_fork_perc: '0.00',
    current_save_keys_processed: 0,
    current_save_keys_total: 0,
    rdb_changes_since_last_save: stats.dirty,
    rdb_bgsave_in_progress: 0,
    rdb_last_save_time: server.lastSaveSec,
    rdb_last_bgsave_status: 'ok',
    rdb_last_bgsave_time_sec: -1,
    rdb_current_bgsave_time_sec: -1,
    rdb_saves: 0,
    rdb_last_cow_size: 0,
    rdb_last_load_keys_expired: load.keysExpired,
    rdb_last_load_keys_loaded: load.keys,
    aof_enabled: 0,
    aof_rewrite_in_progress: 0,
    aof_rewrite_scheduled: 0,
    aof_last_rewrite_time_sec: -1,
    aof_current_rewrite_time_sec: -1,
    aof_last_bgrewrite_status: 'ok',
    aof_rewrites: 0,
    aof_rewrites_consecutive_failures: 0,
    aof_last_write_status: 'ok',
    aof_last_cow_size: 0,
    module_fork_in_progress: 0,
    module_fork_last_cow_size: 0,
  };
}

function trafficFields({ counters, rates, replication }: ServerContext, stats: CoreStatistics) {
  const kbps = (bytes: number): string => (bytes / KIB).toFixed(2);
  const replInput = replication?.bytesReceived ?? stats.netReplInputBytes;
  return {
    total_connections_received: counters.connectionsReceived,
    total_commands_processed: stats.commands,
    instantaneous_ops_per_sec: Math.round(rates.perSecond('commands')),
    total_net_input_bytes: stats.netInputBytes,
    total_net_output_bytes: stats.netOutputBytes,
    total_net_repl_input_bytes: replInput,
    total_net_repl_output_bytes: 0,
    instantaneous_input_kbps: kbps(rates.perSecond('inputBytes')),
    instantaneous_output_kbps: kbps(rates.perSecond('outputBytes')),
    instantaneous_input_repl_kbps: kbps(rates.perSecond('replInputBytes')),
    instantaneous_output_repl_kbps: '0.00',
    rejected_connections: counters.rejectedConnections,
  };
}

function statsSection(server: ServerContext, stats: CoreStatistics): InfoFields {
  const { counters } = server;
  return {
    ...trafficFields(server, stats),
    sync_full: 0,
    sync_partial_ok: 0,
    sync_partial_err: 0,
    expired_subkeys: stats.expiredFields,
    expired_keys: stats.expiredKeys,
    expired_stale_perc: (100 * stats.expiredStaleShare).toFixed(2),
    expired_time_cap_reached_count: 0,
    expire_cycle_cpu_milliseconds: Math.floor(counters.expireCycleMs),
    evicted_keys: 0,
    evicted_clients: 0,
    total_eviction_exceeded_time: 0,
    current_eviction_exceeded_time: 0,
    keyspace_hits: stats.keyspaceHits,
    keyspace_misses: stats.keyspaceMisses,
    pubsub_channels: stats.pubsubChannels,
    pubsub_patterns: stats.pubsubPatterns,
    pubsubshard_channels: stats.pubsubShardChannels,
    latest_fork_usec: 0,
    total_forks: 0,
    migrate_cached_sockets: 0,
    slave_expires_tracked_keys: 0,
    active_defrag_hits: 0,
    active_defrag_misses: 0,
    active_defrag_key_hits: 0,
    active_defrag_key_misses: 0,
    total_active_defrag_time: 0,
    current_active_defrag_time: 0,
    tracking_total_keys: stats.trackedKeys,
    tracking_total_items: stats.trackedItems,
    tracking_total_prefixes: stats.trackingPrefixes,
    unexpected_error_replies: stats.applyErrors,
    total_error_replies: stats.errorReplies,
    dump_payload_sanitizations: 0,
    total_reads_processed: counters.reads,
    total_writes_processed: counters.writes,
    io_threaded_reads_processed: 0,
    io_threaded_writes_processed: 0,
    reply_buffer_shrinks: 0,
    reply_buffer_expands: 0,
    replica_apply_errors: stats.applyErrors,
  };
}

function replicationSection(server: ServerContext): InfoFields {
  return (
    server.replication?.info() ?? {
      role: 'master',
      connected_slaves: 0,
      master_failover_state: 'no-failover',
      master_replid: server.replId,
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
    used_cpu_sys_children: '0.000000',
    used_cpu_user_children: '0.000000',
  };
}

function commandstatsSection(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  server.core.x.commandStatisticsSettle();
  for (const [id, name] of COMMAND_NAMES.entries()) {
    const { calls, us, failed, rejected } = readCommandStatistics(server.core, id);
    if (calls === 0 && rejected === 0 && failed === 0) continue;
    const each = (calls === 0 ? 0 : us / calls).toFixed(2);
    fields[`cmdstat_${name}`] =
      `calls=${calls},usec=${us},usec_per_call=${each},` +
      `rejected_calls=${rejected},failed_calls=${failed}`;
  }
  return fields;
}

/** Redis: what would break a line of INFO becomes an underscore. */
function safe(text: string): string {
  return text.replace(/[#:\r\n]/g, '_');
}

function errorstatsSection(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  for (const [code, count] of readErrorStatistics(server.core)) {
    fields[`errorstat_${safe(code)}`] = `count=${count}`;
  }
  return fields;
}

function latencystatsSection(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  const { core, config } = server;
  if (!config.bool('latency-tracking')) return fields;
  core.x.commandStatisticsSettle();
  const percentiles = config.numbers('latency-tracking-info-percentiles');
  for (const [id, name] of COMMAND_NAMES.entries()) {
    const { histogram } = readCommandStatistics(core, id);
    if (histogram === undefined) continue;
    const parts = percentiles.map(
      (percent) => `p${percent}=${(percentileNs(histogram, percent) / 1000).toFixed(3)}`,
    );
    fields[`latency_percentiles_usec_${name}`] = parts.join(',');
  }
  return fields;
}

function keyspaceSection(server: ServerContext): InfoFields {
  const fields: InfoFields = {};
  for (let db = 0; db < server.config.int('databases'); db++) {
    const { keys, expires, avgTtlMs, subexpiry } = readDatabaseStatistics(server.core, db);
    if (keys === 0) continue;
    // Redis: 7.4 has it always; parsers of 7.0 know it not.
    const hashes = subexpiry > 0 ? `,subexpiry=${subexpiry}` : '';
    fields[`db${db}`] = `keys=${keys},expires=${expires},avg_ttl=${avgTtlMs}${hashes}`;
  }
  return fields;
}

/** In the order in which INFO prints them. */
export const SECTIONS: Readonly<Record<string, Section>> = {
  Server: serverSection,
  Clients: clientsSection,
  Memory: memorySection,
  Persistence: persistenceSection,
  Stats: statsSection,
  Replication: replicationSection,
  CPU: cpuSection,
  Modules: () => ({}),
  Commandstats: commandstatsSection,
  Errorstats: errorstatsSection,
  Latencystats: latencystatsSection,
  Cluster: () => ({ cluster_enabled: 0 }),
  Keyspace: keyspaceSection,
};
