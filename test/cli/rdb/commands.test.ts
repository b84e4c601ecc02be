// `respite rdb resp` and `respite rdb aof`: options, notes, exit codes, files.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandsOf } from '../../support/commands.js';
import { rareFiles } from '../../support/rdb-build.js';
import { RdbHarness } from '../../support/rdb-harness.js';
import { ROOT } from '../../support/servers.js';
import { runRdb } from './harness.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-commands-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const rare = new Map(rareFiles(new RdbHarness()));

function made(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

const words = (bytes: Buffer) => new Set(commandsOf(bytes).map(([word]) => word));

describe('resp', () => {
  test('commands, RESTORE, only some keys, another database', async () => {
    const plain = await runRdb(['resp', FILE]);
    expect([plain.code, plain.err]).toEqual([0, '']);
    const all = commandsOf(plain.bytes);
    expect(all[0]).toEqual(['SELECT', '0']);
    expect(words(plain.bytes)).toContain('SET');
    const restore = await runRdb(['resp', '--restore', '--replace', FILE]);
    expect(words(restore.bytes)).toEqual(new Set(['SELECT', 'RESTORE']));
    expect(commandsOf(restore.bytes)[1]!.at(-1)).toBe('REPLACE');
    const some = await runRdb(['resp', '--type', 'string', '--limit', '3', '--map-db', '7', FILE]);
    expect(commandsOf(some.bytes).map(([word]) => word)).toEqual(['SELECT', 'SET', 'SET', 'SET']);
    expect(commandsOf(some.bytes)[0]).toEqual(['SELECT', '7']);
    const missing = await runRdb(['resp', '--only-missing', '--type', 'list,string', FILE]);
    expect(words(missing.bytes)).toEqual(new Set(['SELECT', 'SET', 'UNLINK', 'RPUSH', 'RENAMENX']));
    for (const command of commandsOf(missing.bytes)) {
      if (command[0] === 'SET') expect(command[3]).toBe('NX');
    }
  });

  test('what could not be said, and --strict', async () => {
    const modules = made('modules.rdb', rare.get('modules')!);
    const { code, err } = await runRdb(['resp', modules]);
    expect([code, err]).toEqual([0, expect.stringMatching(/left out: \d+ values of modules: "/)]);
    expect((await runRdb(['resp', '--strict', '--quiet', modules])).code).toBe(4);
    const fields = made('fields.rdb', rare.get('hash-meta')!);
    const old = await runRdb(['resp', '--keep-expired', '--target', '7.2', fields]);
    expect(old.err).toMatch(/left out: 2 expiries of hash fields.*: "h" …/);
    expect((await runRdb(['resp', '--strict', fields])).code).toBe(0);
  });

  test('a damaged file: whole commands, then 1', async () => {
    const cut = made('cut.rdb', readFileSync(FILE).subarray(0, 3000));
    const { code, bytes, err } = await runRdb(['resp', cut]);
    expect([code, err]).toEqual([1, expect.stringContaining('damaged at offset 3000')]);
    expect(commandsOf(bytes).length).toBeGreaterThan(10);
  });

  test('usage', async () => {
    for (const args of [
      ['--target', 'oracle'],
      ['--map-db', '1-2'],
      ['--batch', '0'],
      ['--replace', '--only-missing'],
      ['--payload-max', 'much'],
    ]) {
      expect([args, (await runRdb(['resp', FILE, ...args])).code]).toEqual([args, 2]);
    }
  });
});

describe('aof', () => {
  test('one file', async () => {
    const out = join(dir, 'appendonly.aof');
    const { code, out: text } = await runRdb(['aof', FILE, '-o', out]);
    expect([code, text]).toEqual([0, '']);
    const plain = await runRdb(['resp', FILE]);
    expect(readFileSync(out).equals(plain.bytes)).toBe(true);
  });

  test('a folder with base and manifest, which is not overwritten', async () => {
    const folder = join(dir, 'new/appendonlydir');
    expect((await runRdb(['aof', FILE, '--dir', folder])).code).toBe(0);
    const [base, manifest] = ['appendonly.aof.1.base.aof', 'appendonly.aof.manifest'];
    expect(readdirSync(folder).sort()).toEqual([base, manifest]);
    expect(readFileSync(join(folder, manifest), 'utf8')).toBe(`file ${base} seq 1 type b\n`);
    const again = await runRdb(['aof', FILE, '--dir', folder]);
    expect([again.code, again.err]).toEqual([3, expect.stringContaining('already')]);
  });

  test('a damaged file leaves what came before it; one that is not there, nothing', async () => {
    const cut = made('cut.rdb', readFileSync(FILE).subarray(0, 3000));
    const folder = join(dir, 'cut');
    const { code } = await runRdb(['aof', cut, '--dir', folder]);
    expect(code).toBe(1);
    expect(commandsOf(readFileSync(join(folder, 'appendonly.aof.1.base.aof'))).length).toBe(
      commandsOf((await runRdb(['resp', cut])).bytes).length,
    );
    const none = join(dir, 'none');
    expect((await runRdb(['aof', join(dir, 'nosuch'), '--dir', none])).code).toBe(3);
    expect(existsSync(none) ? readdirSync(none) : []).toEqual([]);
  });
});
