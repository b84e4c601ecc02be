// A replica at work, beside a redis-server replica of the same master (always a redis-server):
//   sync    full synchronisation of 2.3 million keys of 200 bytes: time, CPU, resident memory,
//           and the longest time the replica left a PING unanswered
//   stream  a backlog of SETs of 200 bytes, gathered by the master while the replica is stopped
//           (SIGSTOP), applied as fast as it goes: per second and per CPU second

import { type Server, type ServerKind, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';
import {
  type BenchOptions,
  type BenchResult,
  contenders,
  cpuSec,
  infoField,
  loadKeys,
  median,
  type Row,
  residentBytes,
  watchStalls,
} from './measure.js';

const SYNC_KEYS = 2_300_000;
const STREAM_SETS = 2_000_000;
const VALUE_BYTES = 200;
const PATIENCE_MS = 300_000;

function startMaster(): Promise<Server> {
  return startServer('redis', {
    directives: {
      'client-output-buffer-limit': ['replica', 0, 0, 0],
      'repl-diskless-sync': 'yes',
      'repl-diskless-sync-delay': 0,
      'repl-timeout': 3600,
    },
  });
}

interface Synced {
  replica: Server;
  seconds: number;
  stallMs: number;
}

/** Starts a replica of the master and waits until the link is up with all the data. */
async function syncReplica(kind: ServerKind, master: Server): Promise<Synced> {
  const startMs = performance.now();
  const directives = { replicaof: ['127.0.0.1', master.port], 'repl-timeout': 3600 };
  const replica = await startServer(kind, { directives });
  const stalls = await watchStalls(replica.port);
  await waitFor(
    async () => (await infoField(replica, 'replication', 'master_link_status')) === 'up',
    { timeoutMs: PATIENCE_MS, everyMs: 20, what: `${kind} to synchronise` },
  );
  return { replica, seconds: (performance.now() - startMs) / 1000, stallMs: stalls.stop() };
}

export async function sync({ rounds, scale }: BenchOptions): Promise<BenchResult> {
  const master = await startMaster();
  const figures = new Map<ServerKind, Record<string, number[]>>();
  const count = Math.round(SYNC_KEYS * scale);
  const note = (kind: ServerKind, what: string, figure: number) => {
    const of = figures.get(kind) ?? {};
    of[what] = [...(of[what] ?? []), figure];
    figures.set(kind, of);
  };
  try {
    await loadKeys(master.port, { count, valueBytes: VALUE_BYTES });
    for (let round = 0; round < rounds; round++) {
      const kinds = round % 2 ? contenders().reverse() : contenders();
      for (const kind of kinds) {
        const { replica, seconds, stallMs } = await syncReplica(kind, master);
        note(kind, 'seconds', seconds);
        note(kind, 'CPU seconds', cpuSec(replica.pid));
        note(kind, 'resident MB', residentBytes(replica.pid).peak / 1e6);
        note(kind, 'longest stall ms', stallMs);
        await replica.stop();
      }
    }
  } finally {
    await master.stop();
  }
  return {
    name: 'sync',
    rows: medians(figures, { 'data MB': (count * (16 + VALUE_BYTES)) / 1e6 }),
  };
}

export async function stream({ rounds, scale }: BenchOptions): Promise<BenchResult> {
  const figures = new Map<ServerKind, Record<string, number[]>>();
  const count = Math.round(STREAM_SETS * scale);
  for (let round = 0; round < rounds; round++) {
    for (const kind of round % 2 ? contenders().reverse() : contenders()) {
      const of = figures.get(kind) ?? {};
      for (const [what, figure] of Object.entries(await streamOnce(kind, count))) {
        of[what] = [...(of[what] ?? []), figure];
      }
      figures.set(kind, of);
    }
  }
  return { name: 'stream', rows: medians(figures, {}) };
}

async function streamOnce(kind: ServerKind, count: number): Promise<Record<string, number>> {
  const master = await startMaster();
  let replica: Server | undefined;
  try {
    ({ replica } = await syncReplica(kind, master));
    const { pid } = replica;
    const offset = async (server: Server, field: string) =>
      Number(await infoField(server, 'replication', field));
    const from = await offset(master, 'master_repl_offset');
    replica.signal('SIGSTOP');
    await loadKeys(master.port, { count, valueBytes: VALUE_BYTES });
    const to = await offset(master, 'master_repl_offset');
    const [startMs, startCpuSec] = [performance.now(), cpuSec(pid)];
    replica.signal('SIGCONT');
    const running = replica;
    await waitFor(async () => (await offset(running, 'slave_repl_offset')) >= to, {
      timeoutMs: PATIENCE_MS,
      everyMs: 10,
      what: `${kind} to apply the stream`,
    });
    const [seconds, usedSec] = [(performance.now() - startMs) / 1000, cpuSec(pid) - startCpuSec];
    return {
      'SETs/s': count / seconds,
      'SETs per CPU second': count / usedSec,
      'MB/s': (to - from) / 1e6 / seconds,
    };
  } finally {
    await replica?.stop();
    await master.stop();
  }
}

function medians(figures: Map<ServerKind, Record<string, number[]>>, also: Row): Row[] {
  return [...figures].map(([server, of]) => ({
    server,
    ...Object.fromEntries(
      Object.entries(of).map(([what, all]) => {
        const figure = median(all);
        return [what, Number(figure.toFixed(figure < 1000 ? 2 : 0))];
      }),
    ),
    ...also,
  }));
}
