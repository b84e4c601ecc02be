// A replica under test, in this process: a core, a link to a master, and comparisons with what a
// real master holds. Nothing here is mocked but the master of the scripted tests.

import { readFileSync } from 'node:fs';
import type { Core } from '../../host/core/core.js';
import { type Logger, silentLogger } from '../../host/log.js';
import { createNodePlatform } from '../../host/platform/node.js';
import type { LinkEvents } from '../../host/replication/link.js';
import { Replica, type ReplicaOptions } from '../../host/replication/replica.js';
import type { RdbSink } from '../../host/replication/sink.js';
import type { RawConnection } from '../support/connection.js';
import { plain } from '../support/resp.js';
import { ROOT } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const wasm = new WebAssembly.Module(readFileSync(`${ROOT}build/core.wasm`));

export interface TestReplica {
  replica: Replica;
  log: string[];
  /** Names of the events so far, states left out. */
  events: string[];
  errors: Error[];
}

/** Delays short enough for tests. */
const QUICK: Partial<ReplicaOptions> = {
  reconnectMinMs: 10,
  reconnectMaxMs: 200,
  heartbeatIntervalMs: 200,
};

function keepLog(lines: string[]): Logger {
  const keep = (message: string): void => void lines.push(message);
  return {
    ...silentLogger(),
    level: 'debug',
    debug: keep,
    verbose: keep,
    notice: keep,
    warning: keep,
    setRole: () => {},
    flush: () => {},
  };
}

const open: Replica[] = [];

/** The replica started last. */
export function newest(): Replica {
  const replica = open.at(-1);
  if (replica === undefined) throw new Error('no replica yet');
  return replica;
}

export async function startReplica(
  options: ReplicaOptions,
  makeSink?: (core: Core) => RdbSink,
): Promise<TestReplica> {
  const log: string[] = [];
  const replica = new Replica(
    { ...QUICK, logger: keepLog(log), ...options },
    {
      platform: createNodePlatform(),
      loadModule: async () => wasm,
      ...(makeSink === undefined ? {} : { makeSink }),
    },
  );
  const events: string[] = [];
  const errors: Error[] = [];
  const names: (keyof LinkEvents)[] = [
    'connect',
    'disconnect',
    'syncStart',
    'progress',
    'sync',
    'diverged',
    'history',
  ];
  for (const name of names) replica.on(name, () => void events.push(name));
  replica.on('error', (error) => void errors.push(error));
  open.push(replica);
  await replica.start();
  return { replica, log, events, errors };
}

export async function closeReplicas(): Promise<void> {
  for (const replica of open.splice(0)) await replica.close();
}

/** Waits until the replica has applied all the master has written. */
export async function caughtUp(replica: Replica, master: RawConnection, timeoutMs = 15_000) {
  await waitFor(
    async () => {
      const info = String(await master.call('INFO', 'replication'));
      const offset = Number(/master_repl_offset:(\d+)/.exec(info)?.[1]);
      return replica.isConnected && replica.link.offset === offset;
    },
    { timeoutMs, everyMs: 20, what: `the replica (${replica.link.state}) to catch up` },
  );
}

/** Differences between all string keys of the master and what the replica reads in-process. */
export async function stringDifferences(
  replica: Replica,
  master: RawConnection,
  databases = [0],
): Promise<string[]> {
  const out: string[] = [];
  const { storage } = replica;
  for (const db of databases) {
    await master.call('SELECT', db);
    storage.select(db);
    const keys = (await master.call('KEYS', '*')) as string[];
    if (storage.dbsize() !== keys.length) {
      out.push(`db${db}: ${keys.length} keys and ${storage.dbsize()}`);
    }
    for (let at = 0; at < keys.length; at += 1000) {
      const page = keys.slice(at, at + 1000);
      const values = await master.pipeline(page.map((key) => ['GET', Buffer.from(key, 'latin1')]));
      for (const [i, key] of page.entries()) {
        const mine = storage.get(Buffer.from(key, 'latin1'));
        const text = mine === null ? null : Buffer.from(mine).toString('latin1');
        if (text !== plain(values[i]!)) out.push(`db${db} ${key}: ${String(text)?.slice(0, 40)}`);
      }
    }
  }
  await master.call('SELECT', 0);
  storage.select(0);
  return out.slice(0, 20);
}
