// Files of newer servers than the one installed: respite loads them, and what their commands make
// of an empty respite is compared with it, field expiries included. The same on the servers of
// RESPITE_SERVERS_DIR, each with the files it reads.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportCommands, type LeftOut } from '../../host/rdb/index.js';
import type { RawConnection } from '../support/connection.js';
import {
  differences,
  type KeyView,
  pipe,
  type Snapshot,
  snapshot,
} from '../support/export-oracle.js';
import { DATA, hasData } from '../support/rdb-harness.js';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';

type Counts = LeftOut['counts'];
/** What commands leave out, and RESTORE does not. */
const FILES: [string, Counts][] = [
  ['servers/types-redis8.0.6-rdb12.rdb', { module: 3 }],
  ['servers/types-redis8.6.3-rdb13.rdb', { module: 3, detail: 2 }],
  ['servers/types-valkey8.0.1-rdb11.rdb', {}],
  ['servers/types-valkey9.1.2-rdb80.rdb', {}],
  ['servers/cluster-redis8.0.6-rdb12.rdb', {}],
  ['servers/policy-allkeys-lfu-redis8.0.6-rdb12.rdb', {}],
  ['fixtures/hdt3213-rdb/cases/hash_with_hfe.rdb', {}],
  ['fixtures/hdt3213-rdb/cases/valkey_hash2_with_hfe.rdb', {}],
  ['fixtures/librdb/test/dumps/hash_lp_with_hexpire_v12.rdb', {}],
  ['fixtures/librdb/test/dumps/hash_with_expire_v12.rdb', {}],
];

const HFE = /redis8|hash_with_hfe|hash_lp_with_hexpire|hash_with_expire/;
const SERVERS: [kind: ServerKind, reads: RegExp][] = [
  ['respite', /./],
  ['redis80', /8\.0\.6|fixtures(?!.*valkey)/],
  ['redis86', HFE],
  ['valkey80', /valkey8\.0/],
  ['valkey91', /valkey/],
];

describe.each(SERVERS)('newer formats: %s', (kind, reads) => {
  const { ok, why } = available(kind);
  const canRun = hasData && ok && available('redis').ok;
  const test = it.skipIf(!canRun);
  let to: Server;
  let b: RawConnection;

  beforeAll(async () => {
    if (!canRun) return;
    to = await startServer(kind);
    b = await to.connect();
  });
  afterAll(async () => {
    b?.close();
    await to?.stop();
  });

  /** When every field of every hash expires, by database and name. */
  async function fieldTimes(server: RawConnection, of: Snapshot): Promise<Map<string, unknown>> {
    const times = new Map<string, unknown>();
    for (const [name, { type, value }] of of) {
      if (type !== 'hash') continue;
      const at = name.indexOf(':');
      const fields = (value as string[]).map((pair) => (JSON.parse(pair) as string[])[0]!);
      await server.call('SELECT', name.slice(0, at));
      const key = name.slice(at + 1);
      times.set(name, await server.call('HPEXPIRETIME', key, 'FIELDS', fields.length, ...fields));
    }
    await server.call('SELECT', 0);
    return times;
  }

  const title = ok ? '%s' : `%s (skipped: ${why})`;
  test.each(FILES.filter(([name]) => reads.test(name)))(title, async (name, left) => {
    const dir = mkdtempSync(join(tmpdir(), 'respite-newer-'));
    copyFileSync(join(DATA, name), join(dir, 'dump.rdb'));
    const from = await startServer(kind, { dir });
    try {
      const a = await from.connect();
      const expected = await snapshot(a);
      const times = await fieldTimes(a, expected);
      a.close();
      for (const form of ['commands', 'restore'] as const) {
        await b.call('FLUSHALL');
        const options = { form, functions: false };
        const run = exportCommands(readFileSync(join(DATA, name)), options);
        const parts: Buffer[] = [];
        for await (const part of run) parts.push(Buffer.from(part));
        const { errors } = pipe(to.port, Buffer.concat(parts));
        const got = await snapshot(b);
        // data of modules are none that commands can say
        const isSaid = ({ type }: KeyView) => form === 'restore' || type !== 'vectorset';
        const said = new Map([...expected].filter(([, view]) => isSaid(view)));
        expect(differences(said, got), form).toEqual([]);
        expect(await fieldTimes(b, got), form).toEqual(times);
        const isRestore = form === 'restore';
        // what has expired by now depends on the day
        const { expired: _, empty: __, ...counts } = run.leftOut.counts;
        expect(counts).toEqual(isRestore ? {} : left);
        // payloads of modules that the server does not have
        expect(errors).toBe(isRestore && kind === 'respite' ? (left.module ?? 0) : 0);
      }
    } finally {
      await from.stop();
      rmSync(dir, { recursive: true });
    }
  });
});
