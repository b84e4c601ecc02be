// The frame of `respite rdb`: sources, output, exit codes, options, help.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  dbValues,
  regexValue,
  sizeValue,
  slotValue,
  timeValue,
  typeValues,
} from '../../../host/cli/rdb/values.js';
import { createNodePlatform } from '../../../host/platform/node.js';
import type { Platform } from '../../../host/platform/platform.js';
import { FakeMaster, friendly } from '../../replication/fake-master.js';
import { ROOT } from '../../support/servers.js';
import { runRdb } from './harness.js';

const DATA = join(ROOT, 'test/rdb/data');
const FILE = join(DATA, 'nocompress-redis8.0.6-rdb12.rdb');
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-cli-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A file of the test's own. */
function made(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

describe('exit codes', () => {
  test('0: whole', async () => {
    const { code, out, err } = await runRdb(['check', FILE]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe('RDB 12, 124 keys, checksum right: whole\n');
  });

  test('1: damaged, with the offset', async () => {
    const cut = made('cut.rdb', readFileSync(FILE).subarray(0, 3000));
    const { code, out, err } = await runRdb(['check', cut]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^respite: The RDB is damaged at offset 3000, key ".*" in database 0: /);
  });

  test('1: what is no RDB at all, and an empty file', async () => {
    for (const bytes of [Buffer.from('PNG and so on, for a while'), Buffer.alloc(0)]) {
      const { code, err } = await runRdb(['check', made('other', bytes)]);
      expect(code).toBe(1);
      expect(err).toMatch(/damaged at offset \d+: /);
    }
  });

  test('2: usage', async () => {
    for (const args of [
      ['check'],
      ['nosuch'],
      ['check', FILE, '--nosuch'],
      ['check', FILE, 'another'],
    ]) {
      expect([args, (await runRdb(args)).code]).toEqual([args, 2]);
    }
  });

  test.each([
    [['aof', '--dir', join(dir, 'd'), '-o', join(dir, 'o'), FILE], 'cannot be together'],
    [['keys', 'redis://127.0.0.1:1/3', '--db', '2'], '--db says otherwise'],
    [['check', 'redis://127.0.0.1:1/3'], 'reads all of them'],
    [['json', '--flat', '--sizes', FILE], 'cannot be used with'],
    [['filter', '--map-db', '0:5,0:6', FILE], 'two things about database 0'],
    [['resp', '--map-db', '0:5,0:6', FILE], 'two things about database 0'],
    [['merge', '--map-db', '5@0:1', FILE, FILE], 'no such source'],
    [['keys', '--expires-before', '2100-02-30', FILE], 'A time is one of'],
    [['prefixes', '--separators', '本', FILE], 'ASCII'],
    [['diff', '--limit', '1', FILE, FILE], '--limit is about'],
    [[], 'Commands:'],
    [['help', 'nosuch'], 'Commands:'],
  ])('2: %j', async (args, text) => {
    const { code, err } = await runRdb(args);
    expect([code, err]).toEqual([2, expect.stringContaining(text)]);
  });

  test('diff --limit: so many lines of all that differ', async () => {
    const other = join(dir, 'other.rdb');
    expect((await runRdb(['filter', FILE, '--type', 'string', '-o', other])).code).toBe(0);
    const all = (await runRdb(['diff', '--keys', FILE, other])).out.split('\n');
    const some = (await runRdb(['diff', '--keys', '--limit', '2', FILE, other])).out.split('\n');
    const isLine = (line: string) => line.startsWith('- ');
    expect(some.filter(isLine)).toEqual(all.filter(isLine).slice(0, 2));
    expect(some.filter((line) => !isLine(line))).toEqual(all.filter((line) => !isLine(line)));
  });

  test('3: what cannot be read or written', async () => {
    const missing = await runRdb(['info', join(dir, 'nosuch')]);
    expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('no such file')]);
    const folder = await runRdb(['info', dir]);
    expect([folder.code, folder.err]).toEqual([3, expect.stringContaining('directory')]);
    const unwritable = await runRdb(['info', FILE, '-o', join(dir, 'no/such/folder')]);
    expect([unwritable.code, unwritable.err]).toEqual([3, expect.stringContaining('write')]);
  });

  test('141: nobody reads any more', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const { code, err } = await runRdb(['info', FILE], {
      write: () => {
        throw gone;
      },
    });
    expect([code, err]).toEqual([141, '']);
  });
});

describe('sources and output', () => {
  test('- is standard input', async () => {
    const { code, out } = await runRdb(['info', '-'], { stdinFile: FILE });
    expect(code).toBe(0);
    expect(out).toContain('RDB 12');
  });

  test('-o: the file appears when it is complete, and nothing else', async () => {
    const to = join(dir, 'out.json');
    const { code, out } = await runRdb(['info', '--json', FILE, '-o', to]);
    expect([code, out]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(to, 'utf8'))).toMatchObject({ version: 12, keys: 124 });
    expect(readdirSync(dir).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  test('-o /dev/null', async () => {
    expect((await runRdb(['info', FILE, '-o', '/dev/null'])).code).toBe(0);
  });
});

describe('a signal', () => {
  test('ends waiting for a source; nothing half-written stays', async () => {
    const real = createNodePlatform();
    let interrupt = (): void => {};
    const platform: Platform = {
      ...real,
      process: {
        ...real.process,
        onSignal: (signal, fn) => {
          if (signal === 'SIGINT') interrupt = fn;
          return () => {};
        },
      },
    };
    // a server that says nothing more
    const head = Buffer.concat([
      Buffer.from('REDIS0010', 'latin1'),
      Buffer.from([0, 1, 97, 1, 98]),
    ]);
    const id = 'a'.repeat(40);
    const master = await FakeMaster.start(
      friendly((_, say) => {
        say(`+FULLRESYNC ${id} 1\r\n$1000\r\n${head.toString('latin1')}`);
        setTimeout(() => interrupt(), 100);
      }),
    );
    const to = join(dir, 'never.csv');
    try {
      const url = `redis://127.0.0.1:${master.port}`;
      const { code } = await runRdb(['csv', url, '-o', to], { platform });
      expect(code).toBe(130);
      expect(readdirSync(dir).filter((name) => /never|tmp/.test(name))).toEqual([]);
    } finally {
      master.close();
    }
  });
});

describe('help', () => {
  test.each([
    ...['info', 'check', 'stats', 'memory', 'top', 'prefixes', 'diff', 'keys', 'json', 'csv'],
    ...['resp', 'aof', 'convert', 'filter', 'split', 'merge'],
  ])('%s --help has examples and exit codes', async (name) => {
    const { code, out } = await runRdb([name, '--help']);
    expect(code).toBe(0);
    expect(out).toContain('Examples:');
    expect(out).toContain('Exit codes:');
  });
});

describe('values of options', () => {
  test('sizes', () => {
    expect(['10', '1k', '1kb', '1.5MB', '2gb'].map(sizeValue)).toEqual([
      ...[10, 1000, 1024, 1572864],
      2 * 1024 ** 3,
    ]);
    for (const bad of ['', '-1', 'x', '1 tb', '1zb']) expect(() => sizeValue(bad)).toThrow();
  });

  test('times', () => {
    expect(timeValue('1700000000')).toBe(1_700_000_000_000);
    expect(timeValue('1700000000123')).toBe(1_700_000_000_123);
    expect(timeValue('2027-01-31')).toBe(Date.UTC(2027, 0, 31));
    expect(timeValue('2027-01-31T12:00:00Z')).toBe(Date.UTC(2027, 0, 31, 12));
    expect(Math.abs(timeValue('+1d') - Date.now() - 86_400_000)).toBeLessThan(5000);
    expect(Math.abs(timeValue('-2h') - Date.now() + 7_200_000)).toBeLessThan(5000);
    for (const bad of ['', 'tomorrow', '+1y', '12x']) expect(() => timeValue(bad)).toThrow();
  });

  test('databases, types, slots, regular expressions', () => {
    expect(dbValues('0,2', [1])).toEqual([1, 0, 2]);
    expect(() => dbValues('-1', undefined)).toThrow();
    expect(typeValues('Hash,list', undefined)).toEqual(['hash', 'list']);
    expect(() => typeValues('hashes', undefined)).toThrow();
    expect([slotValue('5'), slotValue('0-16383')]).toEqual([
      [5, 5],
      [0, 16383],
    ]);
    for (const bad of ['16384', '5-4', 'a']) expect(() => slotValue(bad)).toThrow();
    expect(regexValue('/^a/i').flags).toBe('i');
    expect(regexValue('^a/b').source).toBe('^a\\/b');
    expect(() => regexValue('(')).toThrow();
  });
});

test('info of a damaged file: what it says of itself before the damage', async () => {
  const cut = join(dir, 'cut.rdb');
  writeFileSync(
    cut,
    readFileSync(join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb')).subarray(0, 2500),
  );
  const { code, out, err } = await runRdb(['info', cut]);
  expect([code, err]).toEqual([1, expect.stringContaining('damaged at offset 2500')]);
  expect(out).toMatch(/^redis-ver +8\.0\.6$/m);
  expect((await runRdb(['info', join(ROOT, 'package.json')])).out).toBe('');
});
