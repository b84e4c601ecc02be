// MEMORY STATS, DOCTOR, PURGE, MALLOC-STATS. MEMORY USAGE is the core's.

import { readDatabaseStatistics, readStatistics } from '../../core/statistics.js';
import type { ServerContext } from '../context.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { humanBytes, type MemoryFacts, memoryFacts } from '../memory.js';

/** A value of MEMORY STATS: whole numbers, fractions, and maps of the databases. */
type Stat = number | { double: number } | readonly (readonly [string, number])[];

function databaseStats(server: ServerContext): [string, Stat][] {
  const out: [string, Stat][] = [];
  for (let db = 0; db < server.config.int('databases'); db++) {
    const { keys, tableBytes, expiresBytes } = readDatabaseStatistics(server.core, db);
    if (keys === 0) continue;
    out.push([
      `db.${db}`,
      [
        ['overhead.hashtable.main', tableBytes],
        ['overhead.hashtable.expires', expiresBytes],
        ['overhead.hashtable.slot-to-keys', 0],
      ],
    ]);
  }
  return out;
}

function memoryStats(server: ServerContext): [string, Stat][] {
  const stats = readStatistics(server.core);
  const facts = memoryFacts(server, stats);
  const lua = server.scripting.engine.memory();
  return [
    ['peak.allocated', facts.peak],
    ['total.allocated', facts.used],
    ['startup.allocated', facts.startup],
    ['replication.backlog', 0],
    ['clients.slaves', 0],
    ['clients.normal', stats.clientMemory],
    ['cluster.links', 0],
    ['aof.buffer', 0],
    ['lua.caches', lua.scripts],
    ['functions.caches', lua.functions],
    ...databaseStats(server),
    ['overhead.total', facts.overhead],
    ['keys.count', facts.keys],
    ['keys.bytes-per-key', facts.bytesPerKey],
    ['dataset.bytes', facts.dataset],
    ['dataset.percentage', { double: facts.datasetPercent }],
    ['peak.percentage', { double: facts.peakPercent }],
    ['allocator.allocated', facts.used],
    ['allocator.active', facts.heap],
    ['allocator.resident', facts.heap],
    ['allocator-fragmentation.ratio', { double: facts.fragmentRatio }],
    ['allocator-fragmentation.bytes', facts.heap - facts.used],
    ['allocator-rss.ratio', { double: 1 }],
    ['allocator-rss.bytes', 0],
    ['rss-overhead.ratio', { double: facts.rssRatio }],
    ['rss-overhead.bytes', facts.rss - facts.heap],
    ['fragmentation', { double: facts.ratio }],
    ['fragmentation.bytes', facts.rss - facts.used],
  ];
}

function cmdMemoryStats({ out, server }: HostCall): void {
  const stats = memoryStats(server);
  out.map(stats.length);
  for (const [name, value] of stats) {
    out.bulk(name);
    if (typeof value === 'number') out.int(value);
    else if ('double' in value) out.double(value.double);
    else {
      out.map(value.length);
      for (const [field, bytes] of value) {
        out.bulk(field);
        out.int(bytes);
      }
    }
  }
}

const DOCTOR_EMPTY =
  'Hi Sam, this instance is empty or is using very little memory, my issues detector ' +
  "can't be used in these conditions. Please, leave for your mission on Earth and fill it with " +
  'some data. The new Sam and I will be back to our programming as soon as I finished rebooting.\n';
const DOCTOR_FINE =
  "Hi Sam, I can't find any memory issue in your instance. " +
  'I can only account for what occurs on this base.\n';

const EMPTY_BELOW = 5 << 20;
const FRAGMENTS_ABOVE = 10 << 20;
const CLIENT_BYTES_ABOVE = 200 << 10;

function problems(facts: MemoryFacts, clients: number, clientMemory: number): string[] {
  const out: string[] = [];
  if (facts.peak / facts.used > 1.5) {
    out.push(
      'Peak memory: In the past this instance used more than 150% the memory that is currently ' +
        'using. WebAssembly memory is not given back to the system, so the process stays as ' +
        'large as it was; the room is used again as soon as there is more data. To have it back ' +
        'at once restart the instance.',
    );
  }
  if (facts.fragmentRatio > 1.4 && facts.heap - facts.used > FRAGMENTS_ABOVE) {
    out.push(
      'High allocator fragmentation: more than 1.4 times the memory of the data is taken from ' +
        'the system. This is usually due to a large peak memory (check if there is a peak memory ' +
        'entry above in the report), or to values whose sizes changed a lot.',
    );
  }
  if (clients > 0 && clientMemory / clients > CLIENT_BYTES_ABOVE) {
    out.push(
      'Big client buffers: The clients output buffers in this instance are greater than 200K per ' +
        'client (on average). This may result from different causes, like Pub/Sub clients ' +
        'subscribed to channels but not receiving data fast enough, so that data piles on the ' +
        'Redis instance output buffer, or clients sending commands with large replies or very ' +
        'large sequences of commands in the same pipeline. Please use the CLIENT LIST command in ' +
        'order to investigate the issue if it causes problems in your instance.',
    );
  }
  return out;
}

function cmdMemoryDoctor({ out, server }: HostCall): void {
  const stats = readStatistics(server.core);
  const facts = memoryFacts(server, stats);
  if (facts.used < EMPTY_BELOW) {
    out.verbatim('txt', DOCTOR_EMPTY);
    return;
  }
  const found = problems(facts, stats.clients, stats.clientMemory);
  const text = found.map((problem) => ` * ${problem}\n\n`).join('');
  out.verbatim(
    'txt',
    found.length === 0
      ? DOCTOR_FINE
      : `Sam, I detected a few issues in this Redis instance memory implants:\n\n${text}` +
          "I'm here to keep you safe, Sam. I want to help you.\n",
  );
}

function cmdMemoryMallocStats({ out, server }: HostCall): void {
  const stats = readStatistics(server.core);
  const lines: [string, number][] = [
    ['allocated', stats.usedMemory],
    ['allocated at most', stats.usedMemoryPeak],
    ['taken from linear memory', stats.heapBytes],
    ['still to be had', server.core.x.headroom()],
    ['linear memory', stats.memoryBytes],
  ];
  const text = lines.map(([name, bytes]) => `${name}: ${bytes} (${humanBytes(bytes)})\n`).join('');
  out.verbatim('txt', `___ Begin respite allocator statistics ___\n${text}--- End ---\n`);
}

export const MEMORY_FAMILY: Readonly<Record<string, HostHandler>> = {
  'memory|stats': cmdMemoryStats,
  'memory|doctor': cmdMemoryDoctor,
  'memory|malloc-stats': cmdMemoryMallocStats,
  // Nothing can be given back to the system; what is free is used again.
  'memory|purge': (call) => call.out.simple('OK'),
};
