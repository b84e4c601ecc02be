// `respite rdb stats`, `memory`, `top`, `prefixes`, `diff`.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RdbAnalysis } from '../../../host/rdb/index.js';
import { type MadeKey, madeRdb } from '../../support/rdb-file.js';
import { ROOT } from '../../support/servers.js';
import { runRdb } from './harness.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-analysis-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
function made(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}
const cut = made('cut.rdb', readFileSync(FILE).subarray(0, 3000));
const lines = (out: string) => out.trimEnd().split('\n');

describe('stats', () => {
  test('tables for people', async () => {
    const { code, out, err } = await runRdb(['stats', FILE]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^RDB 12, written by 8\.0\.6\n124 keys, 247 elements, /);
    for (const head of ['type ', 'encoding ', 'expiry ', 'prefix ', 'key ']) {
      expect(lines(out).some((line) => line.startsWith(head))).toBe(true);
    }
    expect(out).toMatch(/\nhash +41 +3\.2 KiB/);
  });

  test('JSON for machines, of filtered keys', async () => {
    const { code, out } = await runRdb(['stats', '--json', '--type', 'hash', '--top', '3', FILE]);
    const analysis = JSON.parse(out) as RdbAnalysis;
    expect([code, analysis.total.keys, analysis.topBySize.length]).toEqual([0, 41, 3]);
    expect(analysis.types.map(({ type }) => type)).toEqual(['hash']);
  });

  test('an HTML report', async () => {
    const html = join(dir, 'report.html');
    const { code, out } = await runRdb(['stats', '--html', html, FILE]);
    expect([code, out]).toEqual([0, '']);
    expect(readFileSync(html, 'utf8')).toMatch(
      /^<!doctype html>[\s\S]*nocompress[\s\S]*<\/html>\n$/,
    );
  });

  test('a damaged file: what came before, the offset, exit code 1', async () => {
    for (const args of [['--json'], []]) {
      const { code, out, err } = await runRdb(['stats', ...args, cut]);
      expect([code, out.length > 500]).toEqual([1, true]);
      expect(err).toMatch(/^respite: The RDB is damaged at offset 3000/);
    }
    const none = await runRdb(['stats', join(dir, 'nosuch.rdb')]);
    expect(none.code).toBe(3);
  });

  test('nothing at all', async () => {
    const { code, out } = await runRdb(['stats', made('empty.rdb', madeRdb([]))]);
    expect([code, lines(out)[1]]).toEqual([0, expect.stringMatching(/^0 keys, 0 elements/)]);
  });
});

describe('memory', () => {
  const keys: MadeKey[] = [
    { name: 'a,"b"', value: 'text', expireAtMs: 1_767_225_600_123 },
    { name: '\xff\n', value: { list: ['1', '22'] }, idleSec: 7, db: 3 },
    { name: 'f', value: '12', freq: 9, db: 3 },
  ];
  const file = made('memory.rdb', madeRdb(keys));

  test('CSV', async () => {
    const { code, out } = await runRdb(['memory', file]);
    expect(code).toBe(0);
    const [head, ...rows] = lines(out);
    expect(head).toMatch(/^database,type,key,encoding,memory_bytes,file_bytes,elements,largest/);
    expect(rows).toEqual([
      '0,string,"a,""b""",embstr,64,21,4,4,2026-01-01T00:00:00.123000Z,,',
      expect.stringMatching(/^3,list,\\xFF\\x0A,quicklist,\d+,12,2,2,,7,$/),
      expect.stringMatching(/^3,string,f,int,48,8,2,2,,,9$/),
    ]);
    const bare = await runRdb(['memory', '--no-header', '--db', '3', file]);
    expect(lines(bare.out)).toHaveLength(2);
  });

  test('NDJSON', async () => {
    const { out } = await runRdb(['memory', '--format', 'ndjson', file]);
    const [a, b, c] = lines(out).map((line) => JSON.parse(line));
    expect(a).toMatchObject({ key: 'a,"b"', type: 'string', expireAtMs: 1_767_225_600_123 });
    expect(b).toMatchObject({ db: 3, type: 'list', count: 2, largest: 2, idleSec: 7, freq: null });
    expect(c).toMatchObject({ freq: 9, expireAtMs: null });
  });

  test('a damaged file', async () => {
    const { code, out } = await runRdb(['memory', cut]);
    expect(code).toBe(1);
    expect(lines(out).length).toBeGreaterThan(20);
  });
});

test('top', async () => {
  const { code, out } = await runRdb(['top', '--rows', '2', FILE]);
  expect([code, lines(out).length]).toEqual([0, 3]);
  expect(lines(out)[1]).toMatch(/^comp +0 +string raw +3\.0 KiB/);
  const byLength = await runRdb(['top', '--by', 'length', '--rows', '5', '--json', FILE]);
  const rows = JSON.parse(byLength.out) as { count: number; type: string }[];
  expect(rows.map(({ count, type }) => [count, type])).toEqual(Array(5).fill([3, 'list']));
  expect((await runRdb(['top', '--by', 'colour', FILE])).code).toBe(2);
});

test('prefixes', async () => {
  const { code, out } = await runRdb(['prefixes', FILE]);
  expect(code).toBe(0);
  expect(lines(out).map((line) => line.split(' ')[0])).toEqual(['prefix', 'l:', 'h:', 'key:']);
  const json = await runRdb(['prefixes', '--json', '--separators', 'k', FILE]);
  const { rows, automatic, tree } = JSON.parse(json.out);
  expect(rows.map((row: { prefix: { text: string } }) => row.prefix.text)).toEqual(['k']);
  expect([automatic.length, tree.keys]).toEqual([3, 124]);
  expect((await runRdb(['prefixes', '--automatic', FILE])).out).toMatch(/\nkey: +41 /);
});

describe('diff', () => {
  const base: MadeKey[] = [
    { name: 'a:1', value: 'x' },
    { name: 'a:2', value: 'x' },
    { name: 'b', value: 'x' },
  ];
  const first = made('first.rdb', madeRdb(base));
  const next: MadeKey[] = [
    { name: 'a:1', value: 'y' },
    { name: 'a:2', value: 'x', expireAtMs: 1e12 },
    { name: 'a:3', value: 'x' },
  ];
  const second = made('second.rdb', madeRdb(next));

  test('counts, keys, JSON', async () => {
    const { code, out } = await runRdb(['diff', '--keys', first, second]);
    expect([code, lines(out).slice(0, 5)]).toEqual([
      0,
      [
        ...['~ 0 string a:1', '@ 0 string a:2', '+ 0 string a:3', '- 0 string b'],
        '1 removed, 1 added, 1 changed, 1 expiry, 0 same',
      ],
    ]);
    expect(lines(out).at(-2)).toMatch(/^a: +1 +0 +1 +1$/);
    const json = lines((await runRdb(['diff', '--json', first, second])).out).map((line) =>
      JSON.parse(line),
    );
    expect(json.map(({ kind }) => kind)).toEqual([
      ...['changed', 'expiry', 'added', 'removed', undefined],
    ]);
    expect(json.at(-1).counts).toMatchObject({ same: 0, removed: 1 });
    expect((await runRdb(['diff', first, first])).out).toBe(
      '0 removed, 0 added, 0 changed, 0 expiry, 3 same\n',
    );
  });

  test('sources that can be read once are kept as long as they are needed', async () => {
    const before = await runRdb(['diff', '--keys', first, second]);
    const as = async (args: string[], stdinFile: string) => {
      const { code, out, err } = await runRdb(['diff', '--keys', ...args], { stdinFile });
      expect([code, out]).toEqual([0, before.out]);
      return err;
    };
    expect(await as([first, '-'], second)).toBe('');
    const told = await as(['-', second], first);
    expect(told).toMatch(/- is needed again: kept in \S+ meanwhile/);
    expect(existsSync(/kept in (\S+)/.exec(told)![1]!)).toBe(false);
    const many = Array.from({ length: 300 }, (_, i): MadeKey => ({ name: `k${i}`, value: 'x' }));
    const stdinFile = made('many.rdb', madeRdb(many));
    const run = await runRdb(['diff', '--memory', '1kb', stdinFile, '-'], { stdinFile });
    expect(run).toMatchObject({
      code: 0,
      out: '0 removed, 0 added, 0 changed, 0 expiry, 300 same\n',
      err: expect.stringContaining('needed again'),
    });
  });

  test('what differs before the damage is told', async () => {
    const whole = await runRdb(['diff', '--keys', FILE, FILE]);
    expect(whole.out).toBe('0 removed, 0 added, 0 changed, 0 expiry, 124 same\n');
    const { code, out, err } = await runRdb(['diff', '--keys', first, cut]);
    expect([code, err]).toEqual([1, expect.stringContaining('damaged at offset')]);
    expect(lines(out)).toContain('+ 0 list l:23');
    expect(out).toMatch(/\n0 removed, \d+ added, 0 changed, 0 expiry, 0 same\n/);
    expect((await runRdb(['diff', cut, first])).out).toBe('');
  });

  test('damage and misuse', async () => {
    expect((await runRdb(['diff', first, cut])).code).toBe(1);
    expect((await runRdb(['diff', cut, first])).code).toBe(1);
    expect((await runRdb(['diff', '-', '-'])).code).toBe(2);
    expect((await runRdb(['diff', first])).code).toBe(2);
  });
});
