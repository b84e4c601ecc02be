// From directives to the core: what is set at the start, and what CONFIG SET changes later.

import type { Config } from '../config/index.js';
import type { Core } from '../core/core.js';
import type { Listeners } from './listeners.js';

const LFU = new Set(['allkeys-lfu', 'volatile-lfu']);

function applyMemory(config: Config, core: Core): void {
  core.x.configureMemory(
    config.int('maxmemory'),
    LFU.has(config.str('maxmemory-policy')),
    config.int('lfu-log-factor'),
    config.int('lfu-decay-time'),
  );
}

function applyCleanup(config: Config, core: Core): void {
  const { sampleSize, maxRounds, batchSize, expiredThreshold } = config.cleanup;
  core.x.configureExpire(sampleSize, maxRounds, batchSize, expiredThreshold);
}

function applyProtocol(config: Config, core: Core): void {
  core.x.configureProtocol(
    config.int('proto-max-bulk-len'),
    config.int('client-query-buffer-limit'),
  );
}

/** Every command is timed where those below a millisecond are asked for. */
const TIME_ALL_BELOW_NS = 1e6;

function applyTiming(config: Config, core: Core): void {
  const slowerThanUs = config.int('slowlog-log-slower-than');
  const thresholdMs = config.int('latency-monitor-threshold');
  const slowNs = Math.min(
    slowerThanUs < 0 ? Number.POSITIVE_INFINITY : slowerThanUs * 1e3,
    thresholdMs === 0 ? Number.POSITIVE_INFINITY : thresholdMs * 1e6,
  );
  core.x.configureTiming(slowNs, slowNs < TIME_ALL_BELOW_NS, config.bool('latency-tracking'));
}

function applyPassword(config: Config, core: Core): void {
  const text = new TextEncoder().encode(config.str('requirepass'));
  core.withBytes(text, (ptr, len) => core.x.configurePassword(ptr, len));
}

function applyAcl(config: Config, core: Core): void {
  const allChannels = config.str('acl-pubsub-default') === 'allchannels';
  core.x.configureAcl(allChannels, config.int('acllog-max-len'));
}

/** Thresholds of encodings, in the order of LIMIT_* in assembly/types/limits.ts. */
const LIMITS = [
  'list-max-listpack-size',
  'list-compress-depth',
  undefined, // DEBUG QUICKLIST-PACKED-THRESHOLD
  'hash-max-listpack-entries',
  'hash-max-listpack-value',
  'set-max-intset-entries',
  'set-max-listpack-entries',
  'set-max-listpack-value',
  'zset-max-listpack-entries',
  'zset-max-listpack-value',
  'hll-sparse-max-bytes',
];
const STREAM_LIMITS = ['stream-node-max-bytes', 'stream-node-max-entries'];
const INT_MAX = 0x7fffffff;

function applyLimits(config: Config, core: Core): void {
  for (const [which, name] of LIMITS.entries()) {
    if (name !== undefined) core.x.configureLimit(which, Math.min(config.int(name), INT_MAX));
  }
  core.x.configureStreams(config.int(STREAM_LIMITS[0]!), config.int(STREAM_LIMITS[1]!));
}

const DEBUG_MODES = ['no', 'yes', 'local'];

function applyDebug(config: Config, core: Core): void {
  core.x.configureDebug(DEBUG_MODES.indexOf(config.str('enable-debug-command')));
  core.x.configureDump(config.bool('rdbcompression'));
}

/** Letters of notify-keyspace-events by the bit of assembly/keyspace/notify.ts; A stands apart. */
const EVENT_LETTERS = 'KEg$lshzxetm dn';

function applyNotify(config: Config, core: Core): void {
  let flags = 0;
  for (const letter of config.str('notify-keyspace-events')) {
    flags |= 1 << EVENT_LETTERS.indexOf(letter);
  }
  core.x.configureNotify(flags);
}

/** Classes of client-output-buffer-limit in the order of CLASS_* in assembly/keyspace/push.ts. */
const OUTPUT_CLASSES = ['normal', 'replica', 'pubsub'] as const;

function applyOutput(config: Config, core: Core): void {
  for (const [which, name] of OUTPUT_CLASSES.entries()) {
    const { hardBytes, softBytes, softSec } = config.outputLimits[name];
    core.x.configureOutput(which, hardBytes, softBytes, softSec);
  }
}

function applyTracking(config: Config, core: Core): void {
  core.x.configureTracking(config.int('tracking-table-max-keys'));
}

/** Everything the core must know before the first client. */
export function applyToCore(config: Config, core: Core): void {
  applyMemory(config, core);
  applyCleanup(config, core);
  applyAcl(config, core);
  applyPassword(config, core);
  applyProtocol(config, core);
  applyDebug(config, core);
  applyLimits(config, core);
  applyNotify(config, core);
  applyOutput(config, core);
  applyTracking(config, core);
  applyTiming(config, core);
}

/** Keeps the core and the listeners in step with CONFIG SET. */
export function watchConfig(config: Config, core: Core, listeners: Listeners): void {
  config.onApply(['maxmemory', 'maxmemory-policy', 'lfu-log-factor', 'lfu-decay-time'], () =>
    applyMemory(config, core),
  );
  config.onApply(
    [
      'cleanup-preset',
      'cleanup-sample-size',
      'cleanup-max-rounds',
      'cleanup-batch-size',
      'cleanup-expired-threshold',
    ],
    () => applyCleanup(config, core),
  );
  config.onApply([...LIMITS.filter((name) => name !== undefined), ...STREAM_LIMITS], () =>
    applyLimits(config, core),
  );
  config.onApply(['notify-keyspace-events'], () => applyNotify(config, core));
  config.onApply(['client-output-buffer-limit'], () => applyOutput(config, core));
  config.onApply(['tracking-table-max-keys'], () => applyTracking(config, core));
  config.onApply(['slowlog-log-slower-than', 'latency-monitor-threshold', 'latency-tracking'], () =>
    applyTiming(config, core),
  );
  config.onApply(['rdbcompression'], () => applyDebug(config, core));
  config.onApply(['requirepass'], () => applyPassword(config, core));
  config.onApply(['acl-pubsub-default', 'acllog-max-len'], () => applyAcl(config, core));
  config.onApply(['proto-max-bulk-len', 'client-query-buffer-limit'], () =>
    applyProtocol(config, core),
  );
  config.onApply(['port', 'tls-port', 'bind'], () => listeners.reopen(), true);
  config.onApply(['tls-cert-file', 'tls-key-file', 'tls-ca-cert-file'], () => {
    listeners.reloadTls();
  });
}
