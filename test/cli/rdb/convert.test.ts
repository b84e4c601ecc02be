// `respite rdb convert`, `filter`, `split`, `merge`: command lines, files, exit codes.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { versionValue } from '../../../host/cli/rdb/rewrite.js';
import { i64, key, len, listpack, rdb, str } from '../../support/rdb-build.js';
import { RdbHarness } from '../../support/rdb-harness.js';
import { keysOf, plainKeys } from '../../support/rdb-logical.js';
import { available, ROOT } from '../../support/servers.js';
import { runRdb } from './harness.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-convert-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const h = new RdbHarness();
const T = 1_900_000_000_000;
const KEPT = 'is needed again: kept in';
const select = (db: number) => Buffer.concat([Buffer.from([254]), len(db)]);
function made(name: string, ...parts: Buffer[]): string {
  const path = join(dir, name);
  writeFileSync(path, rdb(h, 'REDIS0012', ...parts));
  return path;
}
const small = made(
  'small.rdb',
  ...[select(0), key(0, 'user:1', str('a')), key(0, 'user:2', str('b'))],
  key(25, 'h', i64(T), str(listpack(['f', 'v', T]))),
  ...[select(4), key(0, 'user:1', str('c'))],
);
const at = async (bytes: Uint8Array) => (await keysOf(bytes)).map((one) => one.at);

describe('convert', () => {
  test('to standard output and to a file, by version and by server', async () => {
    const { code, bytes } = await runRdb(['convert', '--rdb-version', '9', FILE]);
    expect([code, bytes.subarray(0, 9).toString()]).toEqual([0, 'REDIS0009']);
    const out = join(dir, 'out.rdb');
    const args = ['convert', '--rdb-version', 'redis6.2', '-o', out, FILE];
    expect(await runRdb(args)).toMatchObject({ code: 0, out: '' });
    expect(readFileSync(out).equals(bytes)).toBe(true);
    expect(plainKeys(await keysOf(bytes))).toEqual(plainKeys(await keysOf(readFileSync(FILE))));
  });

  test('what is lost: said, listed, refused', async () => {
    const losses = join(dir, 'losses');
    const args = ['convert', '--rdb-version', '11', small];
    const said = await runRdb([...args, '--losses', losses]);
    expect([said.code, said.err]).toEqual([
      0,
      'respite: left out: 1 hashes with expiries of fields (the fields stay)\n',
    ]);
    const line = { kind: 'fieldExpiry', db: 0, key: 'h', rdbType: 25, count: 1 };
    expect(readFileSync(losses, 'utf8')).toBe(`${JSON.stringify(line)}\n`);
    expect((await runRdb([...args, '--strict'])).code).toBe(4);
    const out = join(dir, 'refused.rdb');
    const refused = await runRdb([...args, '--refuse-loss', '-o', out]);
    expect([refused.code, existsSync(out)]).toEqual([4, false]);
    expect(refused.err).toContain('Key "h" of database 0 cannot be kept as it is: fieldExpiry');
  });

  test('damaged: exit code 1; with --salvage the file is whole', async () => {
    const cut = join(dir, 'cut.rdb');
    writeFileSync(cut, readFileSync(FILE).subarray(0, 3000));
    const plain = await runRdb(['convert', '--rdb-version', '9', cut]);
    expect([plain.code, plain.err]).toEqual([1, expect.stringContaining('offset 3000')]);
    const salvaged = await runRdb(['convert', '--rdb-version', '9', '--salvage', cut]);
    expect(salvaged.code).toBe(1);
    expect((await at(salvaged.bytes)).length).toBeGreaterThan(20);
    // without it the same keys, but no end that a server would take
    const names = async (args: string[]) => (await runRdb(['keys', ...args])).out;
    for (const [name, { bytes }] of Object.entries({ plain, salvaged })) {
      writeFileSync(join(dir, name), bytes);
      if (available('redis').ok) {
        const check = spawnSync('redis-check-rdb', [join(dir, name)], { encoding: 'utf8' });
        expect([name, check.status]).toEqual([name, name === 'plain' ? 1 : 0]);
      }
      expect(await names([join(dir, name)])).toBe(await names([cut]));
    }
    const parts = join(dir, 'cut-{}.rdb');
    const split = await runRdb(['split', '--by-type', '-o', parts, cut]);
    const keys = [...split.out.matchAll(/: (\d+) keys/g)].map((match) => Number(match[1]));
    expect([split.code, keys.reduce((sum, n) => sum + n, 0)]).toEqual([
      1,
      (await at(salvaged.bytes)).length,
    ]);
  });

  test('usage', async () => {
    for (const args of [
      ['convert', FILE],
      ['convert', '--rdb-version', 'nine', FILE],
      ['convert', '--rdb-version', '16', FILE],
      ['filter', '--map-db', '1', FILE],
      ['split', FILE],
      ['split', '--by-db', '-o', 'plain.rdb', FILE],
      ['split', '--by-db', '--parts', '2', '-o', '{}.rdb', FILE],
      ['split', '-o', '{}.rdb', FILE],
      ['merge'],
    ]) {
      expect([args, (await runRdb(args)).code]).toEqual([args, 2]);
    }
  });

  test('versions by release', () => {
    const releases = ['redis2.2', 'redis2.8', 'redis3.2', 'redis4.0', 'redis6.2', 'redis7.0'];
    const newer = ['redis7.2', 'redis-7.4.1', 'redis 8.4', 'redis8.6', 'redis8.8', 'redis8.10'];
    const valkey = ['valkey7.2', 'valkey8.1', 'Valkey9.0', '80', '12'];
    const want = [1, 6, 7, 8, 9, 10, 11, 12, 12, 13, 14, 15, 11, 11, 80, 80, 12];
    expect([...releases, ...newer, ...valkey].map(versionValue)).toEqual(want);
  });
});

describe('filter, split, merge', () => {
  test('filter', async () => {
    const user = await runRdb(['filter', '--match', 'user:*', small]);
    expect(await at(user.bytes)).toEqual(['0 user:1', '0 user:2', '4 user:1']);
    const moved = await runRdb(['filter', '--db', '4', '--map-db', '4:0', small]);
    expect(await at(moved.bytes)).toEqual(['0 user:1']);
    const twice = await runRdb(['filter', '--map-db', '4:0', '-o', join(dir, 'twice'), small]);
    expect([twice.code, existsSync(join(dir, 'twice'))]).toEqual([4, false]);
    const first = ['filter', '--map-db', '4:0', '--duplicates', 'first', small];
    expect(await at((await runRdb(first)).bytes)).toEqual(['0 user:1', '0 user:2', '0 h']);
  });

  test('an RDB file is not written to a terminal', async () => {
    for (const args of [
      ['filter', small],
      ['filter', '-o', '-', small],
      ['merge', small],
    ]) {
      const ran = await runRdb(args, { outIsTerminal: true });
      expect([ran.code, ran.bytes.length]).toEqual([2, 0]);
      expect(ran.err).toContain('-o');
    }
    const out = join(dir, 'shown.rdb');
    const ran = await runRdb(['filter', '-o', out, small], { outIsTerminal: true });
    expect([ran.code, existsSync(out)]).toEqual([0, true]);
  });

  test('split', async () => {
    const by = async (...args: string[]) => {
      const folder = mkdtempSync(join(dir, 'split-'));
      const ran = await runRdb(['split', ...args, '-o', join(folder, 'x-{}.rdb'), small]);
      expect([ran.code, ran.err]).toEqual([0, '']);
      const files = readdirSync(folder).sort();
      const keys: [string, string[]][] = [];
      for (const file of files) keys.push([file, await at(readFileSync(join(folder, file)))]);
      expect(ran.out.split('\n')).toHaveLength(files.length + 1);
      return keys;
    };
    expect(await by('--by-db')).toEqual([
      ['x-db0.rdb', ['0 user:1', '0 user:2', '0 h']],
      ['x-db4.rdb', ['4 user:1']],
    ]);
    expect(await by('--by-type', '--rdb-version', '12')).toEqual([
      ['x-hash.rdb', ['0 h']],
      ['x-string.rdb', ['0 user:1', '0 user:2', '4 user:1']],
    ]);
    expect(await by('--pattern', '*:2', '--prefix', 'h').catch(() => 'refused')).toBe('refused');
    expect(await by('--prefix', 'user:', '--match', '*1')).toEqual([
      ['x-user.rdb', ['0 user:1', '4 user:1']],
    ]);
    const names = async (...args: string[]) => (await by(...args)).map(([name]) => name);
    expect(await names('--parts', '3')).toEqual(['x-part-0.rdb', 'x-part-1.rdb', 'x-part-2.rdb']);
    expect(await names('--slots', '0-9000,9001-16383')).toHaveLength(2);
    expect(await names('--size', '60', '--parts', '2').catch(() => [])).toEqual([]);
    expect((await by('--size', '20')).map(([, keys]) => keys.length)).toEqual([1, 1, 1, 1]);
  });

  test('merge', async () => {
    const other = made('other.rdb', select(0), key(0, 'user:1', str('z')));
    expect((await runRdb(['merge', small, other])).code).toBe(4);
    const last = await runRdb(['merge', '--duplicates', 'last', small, other]);
    const keys = await keysOf(last.bytes);
    expect(keys.find((one) => one.at === '0 user:1')?.value).toEqual(['"z"']);
    const mapped = await runRdb(['merge', '--map-db', '2@0:9', small, other]);
    expect(await at(mapped.bytes)).toEqual([
      ...['0 user:1', '0 user:2', '0 h', '4 user:1', '9 user:1'],
    ]);
  });

  test('merge of damaged files: which, and what there was of the others', async () => {
    const names = ['one', 'two', 'three'].map((name) =>
      made(`${name}.rdb`, key(0, name, str('v'))),
    );
    for (const path of names.slice(0, 2)) {
      const bytes = readFileSync(path);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(path, bytes);
    }
    const ran = await runRdb(['merge', '--salvage', ...names]);
    expect([ran.code, await at(ran.bytes)]).toEqual([1, ['0 one', '0 two', '0 three']]);
    const lines = ran.err.trim().split('\n').sort();
    expect(lines.map((line) => line.split(': The RDB is damaged')[0])).toEqual([
      `respite: ${names[0]}`,
      `respite: ${names[1]}`,
    ]);
  });

  test('--salvage: damage inside of what is copied is left out, listed, counted', async () => {
    const pack = Buffer.from(listpack(['f', 'v']));
    pack[pack.length - 4] = 0xbf;
    const path = made('inside.rdb', key(16, 'h', str(pack)), key(0, 's', str('v')));
    const losses = join(dir, 'inside.losses');
    const ran = await runRdb(['filter', '--salvage', '--losses', losses, path]);
    expect([ran.code, ran.err]).toEqual([1, 'respite: 1 damaged values were left out\n']);
    expect(await at(ran.bytes)).toEqual(['0 s']);
    expect(readFileSync(losses, 'utf8')).toContain('"kind":"damaged","db":0,"key":"h"');
    // the checksum, too: both are said
    const wrong = readFileSync(path);
    wrong[wrong.length - 1]! ^= 1;
    writeFileSync(path, wrong);
    const both = await runRdb(['filter', '--salvage', path]);
    expect([both.code, both.err.match(/left out|checksum mismatch/g)]).toEqual([
      1,
      ['left out', 'checksum mismatch'],
    ]);
  });

  test('--losses where an output is: refused before anything is read', async () => {
    const path = join(dir, 'both');
    for (const args of [
      ['convert', '--rdb-version', '9', '--losses', path, '-o', `${dir}/./both`, 'no such file'],
      ['filter', '--losses', '-', 'no such file'],
      ['split', '--by-db', '--losses', join(dir, 'x-db0'), '-o', join(dir, 'x-{}'), small],
    ]) {
      const ran = await runRdb(args);
      expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('--losses and -o')]);
    }
    expect(existsSync(path)).toBe(false);
  });

  test('merge in several passes, of a file, a pipe under a name, and standard input', async () => {
    const some = (name: string, from: number) =>
      made(name, ...Array.from({ length: 1500 }, (_, n) => key(0, `k${from + n}`, str(name))));
    const [file, piped, stdinFile] = [some('a', 0), some('b', 1000), some('c', 2000)] as const;
    const pipe = join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const args = ['merge', '--duplicates', 'last', '--memory', '1', file, pipe, '-'];
    const running = runRdb(args, { stdinFile });
    await promises.writeFile(pipe, readFileSync(piped));
    const { code, bytes, err } = await running;
    expect([code, err.match(/is needed again: kept in/g)]).toEqual([0, Array(2).fill(KEPT)]);
    for (const [, folder] of err.matchAll(/kept in (\S+)/g))
      expect(existsSync(folder!)).toBe(false);
    const values = (await keysOf(bytes)).map(({ at, value }) => `${at} ${value}`);
    const want = Array.from({ length: 3500 }, (_, n) => {
      return `0 k${n} "${n < 1000 ? 'a' : n < 2000 ? 'b' : 'c'}"`;
    });
    expect(values.sort()).toEqual(want.sort());
    const twice = await runRdb(['merge', '-', '-'], { stdinFile });
    expect([twice.code, twice.err]).toEqual([2, expect.stringContaining('Standard input')]);
  });
});
