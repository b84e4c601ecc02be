// THE table of directives: every one of redis.conf 7.0 and 7.2, and ours. The parser of files and
// arguments, CONFIG GET and SET, the environment, --help and docs/configuration.md are made from
// it. A test compares names, defaults, bounds and error texts with a real redis-server.
//
// Defaults are those of Redis 7.0.15 with one exception: the port is 6380.

import type { Directive, Effect, Mutability, ValueType } from './directive.js';
import {
  bindType,
  directoryType,
  hostName,
  keyspaceEventsType,
  neededName,
  oomScoreType,
  outputLimitType,
  percentilesType,
  plainFileName,
  replicaOfType,
  saveType,
  shutdownFlagsType,
  titleTemplate,
} from './special.js';
import {
  bigMemoryType,
  boolType,
  enumType,
  fractionType,
  INT_MAX,
  intType,
  LONG_MAX,
  memoryOrPercentType,
  memoryType,
  octalType,
  textType,
  UINT_MAX,
} from './values.js';

/** The version of Redis whose defaults and texts these are. */
export const REDIS_VERSION = '7.0.15';

const PORT = intType(0, 65535);
const SMALL = intType(0, INT_MAX);
const POSITIVE = intType(1, INT_MAX);
const COUNT = intType(0, LONG_MAX);
const SIZE = memoryType(0);

/**
 * One row. `flags`, separated by blanks: `start` (cannot change at run time), `protected`,
 * `hidden`, `secret`, `works` or `refused` (else accepted without effect), `alias=<older name>`,
 * `since=<version>`.
 */
function row(name: string, type: ValueType, initial: string, flags = ''): Directive {
  const words = flags.split(' ');
  const has = (flag: string): boolean => words.includes(flag);
  const named = (key: string): string | undefined =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
  let mutability: Mutability = 'runtime';
  if (has('start')) mutability = 'start';
  if (has('protected')) mutability = 'protected';
  let effect: Effect = 'none';
  if (has('works')) effect = 'works';
  if (has('refused')) effect = 'refused';
  return {
    name,
    type,
    initial,
    mutability,
    effect,
    alias: named('alias'),
    since: named('since'),
    isHidden: has('hidden'),
    isSensitive: has('secret'),
  };
}

export const DIRECTIVES: readonly Directive[] = [
  // Network
  row('bind', bindType, '* -::*', 'works'),
  row('bind-source-addr', textType(), '', 'works'),
  row('port', PORT, '6380', 'works'),
  row('protected-mode', boolType, 'yes', 'works'),
  row('tcp-backlog', SMALL, '511', 'start works'),
  row('tcp-keepalive', SMALL, '300', 'works'),
  row('timeout', SMALL, '0', 'works'),
  row('unixsocket', textType(), '', 'start works'),
  row('unixsocketperm', octalType, '0', 'start works'),
  row('socket-mark-id', intType(0, UINT_MAX), '0', 'start'),
  row('maxclients', intType(1, UINT_MAX), '10000', 'works'),
  row('io-threads', intType(1, 128), '1', 'start'),
  row('io-threads-do-reads', boolType, 'no', 'start'),
  // TLS
  row('tls-auth-clients', enumType('no yes optional'), 'yes', 'works'),
  row('tls-ca-cert-dir', textType(), '', 'works'),
  row('tls-ca-cert-file', textType(), '', 'works'),
  row('tls-cert-file', textType(), '', 'works'),
  row('tls-ciphers', textType(), '', 'works'),
  row('tls-ciphersuites', textType(), '', 'works'),
  row('tls-client-cert-file', textType(), '', 'works'),
  row('tls-client-key-file', textType(), '', 'works'),
  row('tls-client-key-file-pass', textType(), '', 'secret works'),
  row('tls-cluster', boolType, 'no'),
  row('tls-dh-params-file', textType(), '', 'works'),
  row('tls-key-file', textType(), '', 'works'),
  row('tls-key-file-pass', textType(), '', 'secret works'),
  row('tls-port', PORT, '0', 'works'),
  row('tls-prefer-server-ciphers', boolType, 'no', 'works'),
  row('tls-protocols', textType(), '', 'works'),
  row('tls-replication', boolType, 'no', 'works'),
  row('tls-session-cache-size', SMALL, '20480'),
  row('tls-session-cache-timeout', SMALL, '300', 'works'),
  row('tls-session-caching', boolType, 'yes', 'works'),
  // Process and logging
  row('daemonize', boolType, 'no', 'start'),
  row('supervised', enumType('upstart systemd auto no'), 'no', 'start'),
  row('pidfile', textType(), '', 'start'),
  row('loglevel', enumType('debug verbose notice warning'), 'notice', 'works'),
  row('logfile', textType(), '', 'start works'),
  row('syslog-enabled', boolType, 'no', 'start'),
  row(
    'syslog-facility',
    enumType('user local0 local1 local2 local3 local4 local5 local6 local7'),
    'local0',
    'start',
  ),
  row('syslog-ident', textType(), 'redis', 'start'),
  row('crash-log-enabled', boolType, 'yes'),
  row('crash-memcheck-enabled', boolType, 'yes'),
  row('always-show-logo', boolType, 'no', 'start'),
  row('set-proc-title', boolType, 'yes', 'start'),
  row('proc-title-template', textType(titleTemplate), '{title} {listen-addr} {server-mode}'),
  row('disable-thp', boolType, 'yes', 'start'),
  row('oom-score-adj', enumType('no yes relative absolute'), 'no'),
  row('oom-score-adj-values', oomScoreType, '0 200 800'),
  row('aof_rewrite_cpulist', textType(), '', 'start'),
  row('bgsave_cpulist', textType(), '', 'start'),
  row('bio_cpulist', textType(), '', 'start'),
  row('server_cpulist', textType(), '', 'start'),
  row('shutdown-on-sigint', shutdownFlagsType, 'default'),
  row('shutdown-on-sigterm', shutdownFlagsType, 'default'),
  row('shutdown-timeout', SMALL, '10'),
  row('ignore-warnings', textType(), ''),
  row('jemalloc-bg-thread', boolType, 'yes'),
  row(
    'hz',
    intType(0, INT_MAX, (hz) => Math.min(Math.max(hz, 1), 500)),
    '10',
    'works',
  ),
  row('dynamic-hz', boolType, 'yes'),
  row('activerehashing', boolType, 'yes'),
  // Security
  row('requirepass', textType(), '', 'secret works'),
  row('aclfile', textType(), '', 'start works'),
  row('acl-pubsub-default', enumType('allchannels resetchannels'), 'resetchannels', 'works'),
  row('acllog-max-len', COUNT, '128', 'works'),
  row('enable-debug-command', enumType('no yes local'), 'no', 'start works'),
  row('enable-module-command', enumType('no yes local'), 'no', 'start'),
  row('enable-protected-configs', enumType('no yes local'), 'no', 'start works'),
  // Memory and expiry
  row('maxmemory', bigMemoryType(), '0', 'works'),
  row('maxmemory-clients', memoryOrPercentType, '0'),
  row('maxmemory-eviction-tenacity', intType(0, 100), '10'),
  row(
    'maxmemory-policy',
    enumType(
      'volatile-lru volatile-lfu volatile-random volatile-ttl ' +
        'allkeys-lru allkeys-lfu allkeys-random noeviction',
    ),
    'noeviction',
  ),
  row('maxmemory-samples', POSITIVE, '5'),
  row('active-expire-effort', intType(1, 10), '1', 'works'),
  row('active-defrag-cycle-max', intType(1, 99), '25'),
  row('active-defrag-cycle-min', intType(1, 99), '1'),
  row('active-defrag-ignore-bytes', memoryType(1), '104857600'),
  row('active-defrag-max-scan-fields', intType(1, LONG_MAX), '1000'),
  row('active-defrag-threshold-lower', intType(0, 1000), '10'),
  row('active-defrag-threshold-upper', intType(0, 1000), '100'),
  row('activedefrag', boolType, 'no'),
  row('lazyfree-lazy-eviction', boolType, 'no'),
  row('lazyfree-lazy-expire', boolType, 'no'),
  row('lazyfree-lazy-server-del', boolType, 'no'),
  row('lazyfree-lazy-user-del', boolType, 'no'),
  row('lazyfree-lazy-user-flush', boolType, 'no'),
  row('lfu-decay-time', SMALL, '1', 'works'),
  row('lfu-log-factor', SMALL, '10', 'works'),
  // Clients and limits
  row(
    'client-output-buffer-limit',
    outputLimitType,
    'normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60',
    'works',
  ),
  row('client-query-buffer-limit', memoryType(1024 * 1024), '1073741824', 'works'),
  row('proto-max-bulk-len', memoryType(1024 * 1024), '536870912', 'works'),
  row('tracking-table-max-keys', COUNT, '1000000', 'works'),
  row('busy-reply-threshold', COUNT, '5000', 'alias=lua-time-limit'),
  // Data
  row('databases', POSITIVE, '16', 'start works'),
  row('hash-max-listpack-entries', COUNT, '512', 'works alias=hash-max-ziplist-entries'),
  row('hash-max-listpack-value', SIZE, '64', 'works alias=hash-max-ziplist-value'),
  row('list-compress-depth', SMALL, '0', 'works'),
  row(
    'list-max-listpack-size',
    intType(-INT_MAX - 1, INT_MAX),
    '-2',
    'works alias=list-max-ziplist-size',
  ),
  row('set-max-intset-entries', COUNT, '512', 'works'),
  row('zset-max-listpack-entries', COUNT, '128', 'works alias=zset-max-ziplist-entries'),
  row('zset-max-listpack-value', SIZE, '64', 'works alias=zset-max-ziplist-value'),
  row('stream-node-max-bytes', SIZE, '4096', 'works'),
  row('stream-node-max-entries', COUNT, '100', 'works'),
  row('hll-sparse-max-bytes', SIZE, '3000', 'works'),
  row('notify-keyspace-events', keyspaceEventsType, '', 'works'),
  row('sanitize-dump-payload', enumType('no yes clients'), 'no'),
  // Persistence
  row('dir', directoryType, '.', 'protected works'),
  row('dbfilename', textType(plainFileName), 'dump.rdb', 'protected works'),
  row('save', saveType, '3600 1 300 100 60 10000'),
  row('stop-writes-on-bgsave-error', boolType, 'yes'),
  row('rdb-del-sync-files', boolType, 'no'),
  row('rdb-save-incremental-fsync', boolType, 'yes'),
  row('rdbchecksum', boolType, 'yes', 'start works'),
  row('rdbcompression', boolType, 'yes'),
  row('appenddirname', textType(neededName('appenddirname', 'dirname')), 'appendonlydir', 'start'),
  row(
    'appendfilename',
    textType(neededName('appendfilename', 'filename')),
    'appendonly.aof',
    'start',
  ),
  row('appendfsync', enumType('everysec always no'), 'everysec'),
  row('appendonly', boolType, 'no'),
  row('aof-disable-auto-gc', boolType, 'no'),
  row('aof-load-truncated', boolType, 'yes'),
  row('aof-rewrite-incremental-fsync', boolType, 'yes'),
  row('aof-timestamp-enabled', boolType, 'no'),
  row('aof-use-rdb-preamble', boolType, 'yes'),
  row('auto-aof-rewrite-min-size', SIZE, '67108864'),
  row('auto-aof-rewrite-percentage', SMALL, '100'),
  row('no-appendfsync-on-rewrite', boolType, 'no'),
  // Replication
  row('replicaof', replicaOfType, '', 'start works alias=slaveof'),
  row('masteruser', textType(), '', 'secret works'),
  row('masterauth', textType(), '', 'secret works'),
  row('repl-backlog-size', memoryType(1, LONG_MAX, 16 * 1024), '1048576'),
  row('repl-backlog-ttl', COUNT, '3600'),
  row('repl-disable-tcp-nodelay', boolType, 'no', 'works'),
  row('repl-diskless-load', enumType('disabled on-empty-db swapdb'), 'disabled'),
  row('repl-diskless-sync', boolType, 'yes'),
  row('repl-diskless-sync-delay', SMALL, '5'),
  row('repl-diskless-sync-max-replicas', SMALL, '0'),
  row('repl-ping-replica-period', POSITIVE, '10', 'alias=repl-ping-slave-period'),
  row('repl-timeout', POSITIVE, '60', 'works'),
  row('replica-announce-ip', textType(), '', 'works alias=slave-announce-ip'),
  row('replica-announce-port', PORT, '0', 'works alias=slave-announce-port'),
  row('replica-announced', boolType, 'yes', 'works'),
  row('replica-ignore-disk-write-errors', boolType, 'no'),
  row('replica-ignore-maxmemory', boolType, 'yes', 'works alias=slave-ignore-maxmemory'),
  row('replica-lazy-flush', boolType, 'no', 'alias=slave-lazy-flush'),
  row('replica-priority', SMALL, '100', 'works alias=slave-priority'),
  row('replica-read-only', boolType, 'yes', 'works alias=slave-read-only'),
  row('replica-serve-stale-data', boolType, 'yes', 'works alias=slave-serve-stale-data'),
  row('min-replicas-max-lag', SMALL, '10', 'alias=min-slaves-max-lag'),
  row('min-replicas-to-write', SMALL, '0', 'alias=min-slaves-to-write'),
  row('propagation-error-behavior', enumType('ignore panic panic-on-replicas'), 'ignore'),
  // Cluster
  row('cluster-allow-pubsubshard-when-down', boolType, 'yes'),
  row('cluster-allow-reads-when-down', boolType, 'no'),
  row('cluster-allow-replica-migration', boolType, 'yes'),
  row('cluster-announce-bus-port', PORT, '0'),
  row('cluster-announce-hostname', textType(hostName), ''),
  row('cluster-announce-ip', textType(), ''),
  row('cluster-announce-port', PORT, '0'),
  row('cluster-announce-tls-port', PORT, '0'),
  row('cluster-config-file', textType(), 'nodes.conf', 'start'),
  row('cluster-enabled', boolType, 'no', 'start'),
  row('cluster-link-sendbuf-limit', bigMemoryType(), '0'),
  row('cluster-migration-barrier', SMALL, '1'),
  row('cluster-node-timeout', COUNT, '15000'),
  row('cluster-port', PORT, '0', 'start'),
  row('cluster-preferred-endpoint-type', enumType('ip hostname unknown-endpoint'), 'ip'),
  row('cluster-replica-no-failover', boolType, 'no', 'alias=cluster-slave-no-failover'),
  row('cluster-replica-validity-factor', SMALL, '10', 'alias=cluster-slave-validity-factor'),
  row('cluster-require-full-coverage', boolType, 'yes'),
  // Observation
  row('slowlog-log-slower-than', intType(-1, LONG_MAX), '10000', 'works'),
  row('slowlog-max-len', COUNT, '128', 'works'),
  row('latency-monitor-threshold', COUNT, '0', 'works'),
  row('latency-tracking', boolType, 'yes', 'works'),
  row('latency-tracking-info-percentiles', percentilesType, '50 99 99.9', 'works'),

  // Redis 7.2
  row('set-max-listpack-entries', COUNT, '128', 'works since=7.2'),
  row('set-max-listpack-value', SIZE, '64', 'works since=7.2'),
  row('locale-collate', textType(), '', 'since=7.2'),
  row('cluster-announce-human-nodename', textType(hostName), '', 'since=7.2'),

  // Hidden in Redis too
  row('watchdog-period', SMALL, '0', 'hidden'),
  row('rdb-key-save-delay', intType(-INT_MAX - 1, INT_MAX), '0', 'hidden'),
  row('key-load-delay', intType(-INT_MAX - 1, INT_MAX), '0', 'hidden'),
  row('use-exit-on-panic', boolType, 'no', 'hidden'),

  // respite's own. A number of 0 means: as the preset says.
  row(
    'cleanup-preset',
    enumType('default small-dataset medium-dataset large-dataset best-performance low-latency'),
    'default',
    'works since=respite',
  ),
  row('cleanup-sample-size', intType(0, 10000), '0', 'works since=respite'),
  row('cleanup-max-rounds', intType(0, 1000), '0', 'works since=respite'),
  row('cleanup-batch-size', intType(0, 10000), '0', 'works since=respite'),
  row('cleanup-expired-threshold', fractionType, '0', 'works since=respite'),
  row('write-redirection', boolType, 'no', 'works since=respite'),
  row('script-memory-limit', SIZE, '1073741824', 'works since=respite'),
  row('log-format', enumType('text json'), 'text', 'start works since=respite'),
];

/** Every name and alias, lower case, to its row. */
export const DIRECTIVE_BY_NAME: ReadonlyMap<string, Directive> = new Map(
  DIRECTIVES.flatMap((directive) => [
    [directive.name, directive] as const,
    ...(directive.alias === undefined ? [] : [[directive.alias, directive] as const]),
  ]),
);
