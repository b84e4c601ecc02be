// Masters of other makes and versions, through the whole program: `respite serve --replicaof`. They
// come from the folder that RESPITE_SERVERS_DIR names (see test/support/servers.ts), what they hold
// from the dumps such servers wrote; without folder, dumps or the comparing tool the cases skip.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const DATA = resolve(process.env.RESPITE_DATA ?? '../shared/data', 'rdb/servers');
const TOOL = resolve(process.env.RESPITE_TOOLS_DIR ?? '../shared/tools', 'compare-keyspace.mjs');

const MASTERS: readonly (readonly [kind: ServerKind, dump: string])[] = [
  ['redis', 'types-redis7.0.15-rdb10.rdb'],
  ['redis80', 'types-redis8.0.6-rdb12.rdb'],
  ['redis86', 'types-redis8.6.3-rdb13.rdb'],
  ['valkey80', 'types-valkey8.0.1-rdb11.rdb'],
  ['valkey91', 'types-valkey9.1.2-rdb80.rdb'],
];

async function isSynced(server: Server): Promise<boolean> {
  const connection = await server.connect();
  const info = String(await connection.call('INFO', 'replication'));
  connection.close();
  return info.includes('master_link_status:up');
}

/** Lines of the tool that tell of a difference, vector sets (which we cannot hold) left out. */
function differences(a: Server, b: Server): string[] {
  const args = [TOOL, '127.0.0.1', String(a.port), '127.0.0.1', String(b.port), '--wait', '3'];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === 0) return [];
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.includes(':vset:'));
  return lines.filter(
    (line) => !/ 0 value diff, 0 type diff, 0 ttl diff, [03] only in /.test(line),
  );
}

async function follow(kind: ServerKind, dump: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'respite-master-'));
  copyFileSync(join(DATA, dump), join(dir, 'dump.rdb'));
  const master = await startServer(kind, { dir, directives: { 'repl-diskless-sync-delay': 0 } });
  const replica = await startServer('respite', {
    directives: { replicaof: ['127.0.0.1', String(master.port)] },
  });
  try {
    await waitFor(() => isSynced(replica), { timeoutMs: 20_000, what: 'the first sync' });
    const connection = await master.connect();
    for (const write of ['SET w:a x EX 500', 'INCRBY w:n 5', 'APPEND w:a y', 'RENAME w:n w:m']) {
      await connection.call(...write.split(' '));
    }
    connection.close();
    expect(differences(master, replica)).toEqual([]);
  } finally {
    await replica.stop();
    await master.stop();
  }
}

describe('masters of other versions', () => {
  for (const [kind, dump] of MASTERS) {
    const isHere = available(kind).ok && existsSync(join(DATA, dump)) && existsSync(TOOL);
    test.runIf(isHere)(`${kind}: the same after the sync and after writes`, () =>
      follow(kind, dump),
    );
  }
});
