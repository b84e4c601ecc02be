// Exported commands make an empty server what the server was that wrote the file.
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandExportOptions, exportCommands, type LeftOut } from '../../host/rdb/index.js';
import type { RawConnection } from '../support/connection.js';
import {
  differences,
  pipe,
  type Snapshot,
  sameDump,
  sameValue,
  snapshot,
} from '../support/export-oracle.js';
import { DATA, hasData } from '../support/rdb-harness.js';
import { available, type Server, startServer } from '../support/servers.js';

/** Whether redis-server 7.0.15 reads the file itself. */
const VERSION_MAX = 10;

function* filesBelow(dir: string): Generator<string> {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name.endsWith('.rdb')) yield path;
  }
}

const versionOf = (file: string) => {
  const head = readFileSync(file).subarray(0, 9).toString('latin1');
  return head.startsWith('REDIS') ? Number(head.slice(5)) : 80;
};

const files = hasData
  ? [...filesBelow(join(DATA, 'servers')), ...filesBelow(join(DATA, 'fixtures'))]
  : [];
const old = files.filter((file) => versionOf(file) <= VERSION_MAX);

async function exported(file: string, options: CommandExportOptions): Promise<[Buffer, LeftOut]> {
  const run = exportCommands(readFileSync(file), { target: '7.0', ...options });
  const parts: Buffer[] = [];
  for await (const part of run) parts.push(Buffer.from(part));
  return [Buffer.concat(parts), run.leftOut];
}

/** Damaged files, and modules that are not there. */
const REFUSED = /invalid_chksum|corrupt_ziplist|zipmap_big_len|misc_with_stream|module/;
/** The loader keeps what a zipmap was in a listpack, whatever its sizes. */
const LOOSER = /zipmap_with_big_values/;

const redis = available('redis');
describe.skipIf(!hasData || !redis.ok)('what redis-server loads, and what it is fed', () => {
  const directives = { databases: 64 };
  let from: Server;
  let to: Server;
  let a: RawConnection;
  let b: RawConnection;

  beforeAll(async () => {
    to = await startServer('redis', { directives });
    b = await to.connect();
  });
  afterAll(async () => {
    a?.close();
    b.close();
    await from?.stop();
    await to.stop();
  });

  /** What redis-server makes of the file; undefined when it refuses it (and ends). */
  async function loaded(file: string): Promise<Snapshot | undefined> {
    if (from === undefined || from.exit !== undefined) {
      from = await startServer('redis', { directives });
      a = await from.connect();
    }
    copyFileSync(file, join(from.dir, 'dump.rdb'));
    const answer = await a.call('DEBUG', 'RELOAD', 'NOSAVE').catch(() => undefined);
    if (answer === 'OK') return snapshot(a, { databases: 64, dumps: true });
    await from.stop();
    return undefined;
  }

  it.each(old.map((file) => [file.slice(DATA.length + 1), file]))('%s', async (name, file) => {
    const expected = await loaded(file);
    expect(expected === undefined, 'refused').toBe(REFUSED.test(name));
    if (expected === undefined) return;
    for (const form of ['commands', 'restore'] as const) {
      await b.call('FLUSHALL');
      const [stream, leftOut] = await exported(file, { form });
      const { errors } = pipe(to.port, stream);
      const got = await snapshot(b, { databases: 64, dumps: true });
      const same = form === 'commands' && LOOSER.test(name) ? sameValue : sameDump;
      expect(differences(expected, got, same), form).toEqual([]);
      // a list of one empty node: the server finds out only when it reads it
      const refused = form === 'restore' && name.includes('empty_keys') ? 1 : 0;
      expect(errors, form).toBe(refused);
      expect(Object.keys(leftOut.counts).filter((why) => !/expired|empty/.test(why))).toEqual([]);
    }
  });
});
