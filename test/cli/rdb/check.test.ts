// `respite rdb check` and redis-check-rdb (7.0.15, RDB 1 to 10) are of one mind on good and damaged
// files; --salvage; precise offsets.

import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { checkRdb } from '../../../host/rdb/check.js';
import { mutate } from '../../fuzz/mutate.js';
import { Prng, runSeed } from '../../support/prng.js';
import { len, listpack, str } from '../../support/rdb-build.js';
import { DATA, hasData } from '../../support/rdb-harness.js';
import { ROOT, startServer } from '../../support/servers.js';
import { runRdb } from './harness.js';

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-check-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function made(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name));
}

/** A file of a version that redis-check-rdb 7.0.15 reads. */
function isKnownToBoth(path: string): boolean {
  const head = readFileSync(path).subarray(0, 9).toString('latin1');
  return /^REDIS00(0\d|10)$/.test(head);
}

/** What redis-check-rdb says: undefined, or why it refuses. */
async function refusal(path: string): Promise<string | undefined> {
  try {
    await run('redis-check-rdb', [path], { timeout: 30_000 });
    return undefined;
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  }
}

/** Differences on purpose. */
const DIFFER: Record<string, string> = {
  // Redis: walks a zipmap with a length of 254 wrongly; the file is what its test data says
  'zipmap_big_len.rdb': 'good',
};

const own = filesBelow(join(ROOT, 'test/rdb/data')).filter((path) => path.endsWith('.rdb'));
const files = [...own, ...(hasData && existsSync(DATA) ? filesBelow(DATA) : [])].filter(
  isKnownToBoth,
);

describe('of one mind with redis-check-rdb', () => {
  test(`on ${files.length} files`, { timeout: 120_000 }, async () => {
    for (const path of files) {
      const theirs = await refusal(path);
      const ours = await runRdb(['check', path]);
      const name = path.split('/').at(-1)!;
      if (DIFFER[name] === 'good') expect([name, ours.code]).toEqual([name, 0]);
      else
        expect([name, ours.code, ours.err]).toEqual([name, theirs === undefined ? 0 : 1, ours.err]);
    }
  });

  test('on seeded damage, with and without a checksum', { timeout: 300_000 }, async () => {
    // what compression hides in one string stands in the open here
    const server = await startServer('redis', { directives: { rdbcompression: 'no' } });
    const source = join(ROOT, 'test/rdb/data/diskless-redis7.0.15-rdb10.rdb');
    const { bytes } = await runRdb(['resp', source]);
    execFileSync('redis-cli', ['-p', String(server.port), '--pipe'], { input: bytes });
    const connection = await server.connect();
    await connection.call('SAVE');
    connection.close();
    const whole = readFileSync(join(server.dir, 'dump.rdb'));
    await server.stop();
    const r = new Prng(runSeed());
    const words = [[0xff], [0xc3, 1], [0x80, 0, 0, 0, 9]].map((one) => Buffer.from(one));
    let refused = 0;
    for (let i = 0; i < 120; i++) {
      const isSummed = r.once(4);
      let bytes = Buffer.from(mutate(r, whole, words, 9));
      if (!isSummed && bytes.length > 17) bytes = Buffer.from(bytes).fill(0, bytes.length - 8);
      const path = made('damaged.rdb', bytes);
      const theirs = await refusal(path);
      const ours = await checkRdb(bytes).then(
        () => undefined,
        (error) => error.message as string,
      );
      // a type that came after the version in the head: read here, unknown there
      if (ours === undefined && /Invalid object type: (2\d)/.test(theirs ?? '')) continue;
      expect([i, ours === undefined, ours, theirs]).toEqual([
        i,
        theirs === undefined,
        ours,
        theirs,
      ]);
      if (ours !== undefined) refused++;
    }
    expect(refused).toBeGreaterThan(60);
  });
});

describe('offsets', () => {
  const whole = readFileSync(join(ROOT, 'test/rdb/data/nochecksum-redis8.0.6-rdb12.rdb'));

  test('where the file ends too early', async () => {
    for (const end of [0, 5, 9, 100, 1000, whole.length - 9, whole.length - 1]) {
      const failure = await checkRdb(whole.subarray(0, end)).catch((error) => error);
      expect([end, failure.details?.offset]).toEqual([end, end]);
    }
  });

  test('of an unknown opcode, of a wrong checksum', async () => {
    const summed = Buffer.from(readFileSync(own.find((path) => /nocompress/.test(path))!));
    summed[200] = summed[200]! ^ 1;
    const wrong = await checkRdb(summed).catch((error) => error);
    expect(wrong.code).toBe('ERR_RESPITE_RDB_FORMAT');
    const file = Buffer.concat([Buffer.from('REDIS0010\xfe\x00\xee', 'latin1')]);
    const unknown = await checkRdb(file).catch((error) => error);
    expect(unknown.details.offset).toBe(11);
  });
});

describe('--salvage', () => {
  const key = (name: string, type: number, ...value: Uint8Array[]) =>
    Buffer.concat([Buffer.from([type]), str(name), ...value]);
  const broken = Buffer.from(listpack(['f', 'v']));
  broken[6] = 0xf4;
  const file = Buffer.concat([
    Buffer.from('REDIS0010', 'latin1'),
    key('before', 0, str('1')),
    key('broken', 16, str(broken)),
    key('empty', 1, len(0)),
    key('after', 0, str('2')),
    Buffer.from([0xff]),
    Buffer.alloc(8),
  ]);

  test('without it the first damaged value is the end', async () => {
    const { code, err } = await runRdb(['check', made('broken.rdb', file)]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/offset 19, key "broken" in database 0/),
    ]);
    const csv = await runRdb(['csv', join(dir, 'broken.rdb')]);
    expect([csv.code, csv.out]).toEqual([1, expect.stringContaining('before')]);
  });

  test('with it all others are there, and the code is 1', async () => {
    const path = made('broken.rdb', file);
    const checked = await runRdb(['check', '--salvage', path]);
    expect([checked.code, checked.out]).toEqual([1, expect.stringMatching(/4 keys.*: damaged/)]);
    expect(checked.err).toContain('2 damaged values were left out');
    const json = await runRdb(['json', '--salvage', path]);
    expect(json.code).toBe(1);
    for (const name of ['before', 'after']) expect(json.out).toContain(`"${name}"`);
  });
});
