// `respite rdb json`, `csv` and `keys`: options reach the library, exit codes, output to files.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { exportCsv, exportJson, exportKeys, type JsonOptions } from '../../../host/rdb/index.js';
import { key, len64, moduleId, str } from '../../support/rdb-build.js';
import { keysOf, recordsOf, textOf } from '../../support/rdb-export.js';
import { ROOT } from '../../support/servers.js';
import { runRdb } from './harness.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const bytes = readFileSync(FILE);
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-exports-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('json', () => {
  const cases: [args: string[], options: JsonOptions][] = [
    [[], {}],
    [['--ndjson'], { form: 'lines' }],
    [['--flat'], { form: 'flat' }],
    [
      ['--escape', 'base64', '--keys-only', '--sizes'],
      { escape: 'base64', keysOnly: true, sizes: true },
    ],
    [['--match', 'h:*', '--type', 'hash'], { filter: { match: 'h:*', type: 'hash' } }],
    [['--min-size', '200'], { filter: { minBytes: 200 } }],
  ];
  test.each(cases)('%j', async (args, options) => {
    const { code, bytes: out, err } = await runRdb(['json', ...args, FILE]);
    expect([code, err]).toEqual([0, '']);
    expect(out.toString()).toBe(await textOf(exportJson(bytes, options)));
  });

  test('usage', async () => {
    for (const args of [
      ['--flat', '--ndjson'],
      ['--escape', 'none'],
    ]) {
      expect((await runRdb(['json', FILE, ...args])).code).toBe(2);
    }
  });

  test('a damaged file: exit code 1, the offset, and valid JSON up to it', async () => {
    const cut = join(dir, 'cut.rdb');
    writeFileSync(cut, bytes.subarray(0, 3000));
    const { code, out, err } = await runRdb(['json', cut]);
    expect(code).toBe(1);
    expect(err).toMatch(/damaged at offset 3000/);
    expect(recordsOf(out).at(-1)).toMatchObject({ type: 'error', offset: 3000 });
    const to = join(dir, 'cut.json');
    expect((await runRdb(['json', '-o', to, cut])).code).toBe(1);
    expect(readFileSync(to, 'latin1')).toBe(out);
  });

  test('--salvage counts what was left out', async () => {
    const broken = Buffer.from(bytes);
    broken[bytes.indexOf('h:20') + 4 + 1 + 6] = 0xff;
    const file = join(dir, 'broken.rdb');
    writeFileSync(file, broken);
    const { code, out, err } = await runRdb(['json', '--salvage', '--no-checksum', file]);
    expect(code).toBe(1);
    expect(err).toContain('1 damaged values were left out');
    expect(keysOf(recordsOf(out)).filter((one) => one.damaged)).toHaveLength(1);
  });
});

test('json names what it does not tell; --strict exits with 4', async () => {
  const module = key(7, 'm', len64(moduleId('test-type', 3)), [2, 5, 0]);
  const parts = [Buffer.from('REDIS0009'), module, key(0, 's', str('v')), Buffer.of(255)];
  const file = join(dir, 'module.rdb');
  writeFileSync(file, Buffer.concat([...parts, Buffer.alloc(8)]));
  const { code, out, err } = await runRdb(['json', '--keys-only', file]);
  expect([code, err]).toEqual([0, 'respite: left out: 1 values of modules\n']);
  expect(recordsOf(out)).toEqual([
    { db: 0, key: 'm', type: 'module', module: 'test-type', moduleVersion: 3, skipped: true },
    { db: 0, key: 's', type: 'string', value: 'v', encoding: 'embstr' },
  ]);
  expect((await runRdb(['json', '--strict', file])).code).toBe(4);
  expect((await runRdb(['json', '--strict', '--type', 'string', file])).code).toBe(0);
  const flat = await runRdb(['json', '--flat', file]);
  expect(JSON.parse(flat.out)).toEqual([{ m: null, s: 'v' }]);
});

test('csv', async () => {
  const go = await runRdb(['csv', '--columns', 'go', '--no-header', FILE]);
  expect(go.out).toBe(await textOf(exportCsv(bytes, { columns: 'go', header: false })));
  const to = join(dir, 'report.csv');
  expect((await runRdb(['csv', '-o', to, FILE])).code).toBe(0);
  expect(readFileSync(to, 'utf8')).toBe(await textOf(exportCsv(bytes)));
});

test('keys', async () => {
  const plain = await runRdb(['keys', '--match', 'key:?', FILE]);
  expect(plain.out).toBe(await textOf(exportKeys(bytes, { filter: { match: 'key:?' } })));
  const nul = await runRdb(['keys', '-0', '--limit', '3', FILE]);
  expect(nul.out).toMatch(/^([^\0]+\0){3}$/);
  const repr = await runRdb(['keys', '--escape', 'repr', '--with-db', FILE]);
  expect(repr.out).toBe(await textOf(exportKeys(bytes, { escape: 'repr', db: true })));
});

test.each(['json', 'csv', 'keys'])('%s --help has examples', async (name) => {
  const { code, out } = await runRdb([name, '--help']);
  expect(code).toBe(0);
  expect(out).toContain('Examples:');
});
