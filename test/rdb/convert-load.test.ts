// What is written for other servers is what they read: redis-check-rdb and redis-server 7.0.15, and
// the servers of RESPITE_SERVERS_DIR, accept every file, with every container checked, and hold the
// keys that the source has.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawConnection } from '../support/connection.js';
import {
  allFiles,
  convertWhole,
  keysOf,
  type Logical,
  plainKeys,
  readingOf,
  withoutLosses,
} from '../support/rdb-logical.js';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';

const LARGE = 200_000;
/** Refused as they are: damaged inside (or so it says), data of modules that it does not have. */
const NOT_FOR_REDIS = /corrupt_|module|misc_with_stream|zipmap_big_len/;
/** Written by hand, and as no server writes it (pending entries that nobody owns …). */
const NOT_REAL = /rare\/(?!rdb2|hash|pre-ga|stream-v5|valkey|template)/;

/** What is written for each server: all its versions, for large files some. */
const SERVERS: [kind: ServerKind, versions: number[], forLarge: number[]][] = [
  ['redis', [1, 3, 5, 6, 7, 8, 9, 10], [6, 9]],
  ['valkey80', [9, 11], [11]],
  ['redis80', [9, 12], [12]],
  ['redis86', [10, 13], [13]],
  ['valkey91', [11, 80], [80]],
];

describe.each(SERVERS)('files for %s', (kind, versions, forLarge) => {
  const { ok: isThere, why } = available(kind);
  const title = isThere ? '%s' : `%s (skipped: ${why})`;
  let server: Server;
  let client: RawConnection;

  beforeAll(async () => {
    if (!isThere) return;
    const directives = { 'sanitize-dump-payload': 'yes', databases: 64, rdbcompression: 'no' };
    server = await startServer(kind, { directives });
    client = await server.connect();
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });

  /** What the server holds after loading the file, as it then writes it itself. */
  async function loaded(bytes: Buffer): Promise<Logical[]> {
    const path = join(server.dir, 'dump.rdb');
    writeFileSync(path, bytes);
    if (kind === 'redis') {
      const check = spawnSync('redis-check-rdb', [path], { encoding: 'utf8' });
      expect(check.stdout).toContain('RDB looks OK');
    }
    await client.call('FUNCTION', 'FLUSH');
    expect([await client.call('DEBUG', 'RELOAD', 'NOSAVE'), server.output.slice(-500)]).toEqual([
      'OK',
      expect.any(String),
    ]);
    expect(await client.call('SAVE')).toBe('OK');
    return keysOf(readFileSync(path));
  }

  /** What a master keeps: no expired keys and fields, no empty collections. */
  function kept(keys: Logical[]): Map<string, unknown> {
    const now = Date.now();
    const isKept = ({ expireAtMs, value, type }: Logical) =>
      (expireAtMs === undefined || expireAtMs > now) && (value.length > 0 || type === 'string');
    return new Map(
      plainKeys(keys.filter(isKept)).map(({ at, ...key }) => [at, { ...key, value: known(key) }]),
    );
  }

  /** Not what a server makes anew: active times, counts that it estimates, the sign of zero. */
  const known = ({ value }: { value: string[] }) =>
    value
      .filter((line) => Number(/,(\d+)\]$/.exec(line)?.[1] ?? Infinity) > Date.now())
      .filter((line) => !/^(group|stream) /.test(line))
      .map((line) => line.replace(/,"activeAtMs":\d+/, '').replace(/"-0"\]$/, '"0"]'));

  /** Refused by this server as it is. */
  const isRefused = (name: string) => kind === 'valkey91' && /stream_listpacks_1/.test(name);
  const files = allFiles().filter(
    ([name]) => !NOT_FOR_REDIS.test(name) && !NOT_REAL.test(name) && !isRefused(name),
  );

  test.skipIf(!isThere).each(files)(title, { timeout: 120_000 }, async (name, read) => {
    const bytes = read();
    const options = readingOf(name);
    const source = await keysOf(bytes, options);
    for (const version of bytes.length > LARGE ? forLarge : versions) {
      const { bytes: out, losses } = await convertWhole(bytes, { ...options, version });
      const want = kept(withoutLosses(source, losses));
      const got = kept(await loaded(out));
      expect([version, [...got.keys()].sort()]).toEqual([version, [...want.keys()].sort()]);
      if (version <= 2) continue;
      for (const [at, value] of want)
        expect([version, at, got.get(at)]).toEqual([version, at, value]);
    }
  });
});
