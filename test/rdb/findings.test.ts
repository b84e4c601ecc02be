// Findings: each occurs where it should, with the numbers behind it, and not just beside that.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type AnalyzeOptions,
  analyzeRdb,
  type Finding,
  type FindingId,
  htmlReport,
} from '../../host/rdb/index.js';
import { type MadeKey, madeRdb } from '../support/rdb-file.js';
import { ROOT } from '../support/servers.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

async function findings(keys: MadeKey[], options: AnalyzeOptions = {}): Promise<Finding[]> {
  return (await analyzeRdb(madeRdb(keys), { nowMs: NOW, ...options })).findings;
}
async function find(id: FindingId, keys: MadeKey[], options?: AnalyzeOptions) {
  return (await findings(keys, options)).find((one) => one.id === id);
}
const many = <T>(n: number, make: (i: number) => T) => Array.from({ length: n }, (_, i) => make(i));

test('an ordinary keyspace has none', async () => {
  const keys: MadeKey[] = [
    { name: 'a', value: 'text' },
    { name: 'n', value: '12345' },
    { name: 'l', value: { list: ['1', '2'] } },
    { name: 'h', value: { hash: [['f', 'v']] }, expireAtMs: NOW + HOUR },
  ];
  expect(await findings(keys)).toEqual([]);
  expect(await findings([])).toEqual([]);
});

test('large keys', async () => {
  const limits = { findings: { largeBytes: 10_000 } };
  const one = await find('large-keys', [{ name: 'big', value: 'x'.repeat(12_000) }], limits);
  expect(one).toMatchObject({ keys: 1, severity: 'warning', numbers: { largeBytes: 10_000 } });
  expect(one!.examples).toMatchObject([{ name: { text: 'big' }, kind: 'key', db: 0 }]);
  expect(
    await find('large-keys', [{ name: 'b', value: 'x'.repeat(8000) }], limits),
  ).toBeUndefined();
});

test('many elements, and huge ones', async () => {
  const limits = { findings: { manyElements: 100, elementBytes: 1000 } };
  const list = (n: number, bytes: number): MadeKey[] => [
    { name: 'l', value: { list: many(n, () => 'x'.repeat(bytes)) } },
  ];
  const one = await find('many-elements', list(100, 1), limits);
  expect(one).toMatchObject({ keys: 1, numbers: { elements: 100 } });
  expect(await find('many-elements', list(99, 1), limits)).toBeUndefined();
  const huge = await find('huge-elements', list(2, 1000), limits);
  expect(huge!.examples[0]!.numbers).toMatchObject({ largest: 1000 });
  expect(await find('huge-elements', list(2, 999), limits)).toBeUndefined();
  const string: MadeKey[] = [{ name: 's', value: 'x'.repeat(5000) }];
  expect(await find('huge-elements', string, limits)).toBeUndefined();
});

test('keys without expiry where the others have one', async () => {
  const keys = (without: number) =>
    many(200, (i): MadeKey => {
      const key = { name: `session:${i}`, value: 'x' };
      return i < without ? key : { ...key, expireAtMs: NOW + i * HOUR * 100 };
    });
  const one = await find('missing-expiry', keys(10));
  expect(one).toMatchObject({ keys: 10, severity: 'warning', numbers: { prefixes: 1 } });
  expect(one!.examples).toMatchObject([
    { name: { text: 'session:' }, kind: 'prefix', numbers: { without: 10, expires: 190 } },
  ]);
  expect(one!.memoryBytes).toBe(one!.examples[0]!.numbers.memoryBytes);
  expect(await find('missing-expiry', keys(0))).toBeUndefined();
  expect(await find('missing-expiry', keys(150))).toBeUndefined();
});

test('expired keys', async () => {
  const at = (ms: number): MadeKey[] => [{ name: 'k', value: 'x', expireAtMs: NOW + ms }];
  expect(await find('expired-keys', at(-1))).toMatchObject({ keys: 1, severity: 'info' });
  expect(await find('expired-keys', at(0))).toBeUndefined();
});

test('collections that are barely not compact', async () => {
  const hash = (n: number, bytes = 4): MadeKey => ({
    name: `h${n}.${bytes}`,
    value: { hash: many(n, (i) => [`f${i}`, i === 0 ? 'v'.repeat(bytes) : 'v'] as const) },
  });
  const zset = (n: number, bytes = 4): MadeKey => ({
    name: `z${n}.${bytes}`,
    value: { zset: many(n, (i) => [i === 0 ? 'm'.repeat(bytes) : `m${i}`, i] as const) },
  });
  const found = await find('barely-not-compact', [
    ...[hash(513), hash(1024), hash(10, 65), hash(10, 128)],
    ...[zset(129), zset(256), zset(100, 65)],
  ]);
  expect(found!.numbers).toMatchObject({ keys: 7, byCount: 4, byLength: 3, hashes: 4, zsets: 3 });
  expect(found!.savingBytes).toBeGreaterThan(50_000);
  const beside = [hash(512), hash(1025), hash(10, 64), hash(10, 129), zset(128), zset(257)];
  expect(await find('barely-not-compact', [...beside, hash(600, 65)])).toBeUndefined();
});

test('sets of numbers in tables', async () => {
  const set = (n: number, make = (i: number) => String(i)): MadeKey[] => [
    { name: 's', value: { set: many(n, make) } },
  ];
  // integers stand as such in a file that Redis wrote; here they are made of their form
  const file = (n: number) => {
    const bytes = [Buffer.from('REDIS0009\xfe\x00\x02\x01s', 'latin1')];
    bytes.push(Buffer.from([0x40 | (n >> 8), n & 255]));
    for (let i = 0; i < n; i++) bytes.push(Buffer.from([0xc1, i & 255, i >> 8]));
    return Buffer.concat([...bytes, Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0])]);
  };
  const of = async (n: number) =>
    (await analyzeRdb(file(n))).findings.find(({ id }) => id === 'integer-sets-as-tables');
  expect(await of(513)).toMatchObject({ keys: 1, numbers: { members: 513 } });
  expect((await of(1000))!.savingBytes).toBeGreaterThan(20_000);
  expect(await of(512)).toBeUndefined();
  expect(
    await find(
      'integer-sets-as-tables',
      set(600, (i) => `m${i}`),
    ),
  ).toBeUndefined();
});

test('small strings that a hash would hold cheaper', async () => {
  const keys = (n: number, bytes: number, expireAtMs?: number) =>
    many(n, (i): MadeKey => {
      const key = { name: `c:${i}`, value: 'x'.repeat(bytes) };
      return expireAtMs === undefined ? key : { ...key, expireAtMs };
    });
  const one = await find('small-strings', keys(1000, 8));
  expect(one).toMatchObject({ keys: 1000, examples: [{ name: { text: 'c:' } }] });
  expect(one!.savingBytes).toBeGreaterThan(one!.memoryBytes / 2);
  expect(await find('small-strings', keys(999, 8))).toBeUndefined();
  expect(await find('small-strings', keys(1000, 65))).toBeUndefined();
  expect(await find('small-strings', keys(1000, 8, NOW + HOUR))).toBeUndefined();
});

test('digits that are no numbers, and names that are long', async () => {
  const digits = ['007', '+5', '-0', '12345678901234567890', '00'];
  const others = ['1x', '-', '', ' 1', '1.5', '123456789012345678901', 'abc'];
  const keys = (values: string[]) => values.map((value, i) => ({ name: `k${i}`, value }));
  const one = await find('almost-integers', [...keys(digits), ...keys(others)]);
  expect(one).toMatchObject({ keys: digits.length });
  expect(await find('almost-integers', keys(others))).toBeUndefined();
  const long = await find('long-names', [{ name: 'n'.repeat(128), value: 'x' }]);
  expect(long).toMatchObject({ keys: 1, numbers: { bytesOfNames: 128 } });
  expect(await find('long-names', [{ name: 'n'.repeat(127), value: 'x' }])).toBeUndefined();
});

test('keys that nobody uses', async () => {
  const month = 30 * 86_400;
  const idle = (idleSec: number): MadeKey[] => [{ name: 'k', value: 'x', idleSec }];
  expect(await find('idle-keys', idle(month))).toMatchObject({ keys: 1 });
  expect(await find('idle-keys', idle(month - 1))).toBeUndefined();
  expect(await find('idle-keys', [{ name: 'k', value: 'x' }])).toBeUndefined();
});

test('waves of expiry', async () => {
  const keys = (inOne: number) =>
    many(1000, (i) => ({
      ...{ name: `k${i}`, value: 'x' },
      expireAtMs: NOW + (i < inOne ? 5 * HOUR + i : (i % 100) * 2 * HOUR),
    }));
  const one = await find('expiry-wave', keys(300));
  expect(one).toMatchObject({ numbers: { hour: 5 } });
  expect(one!.keys).toBeGreaterThanOrEqual(300);
  expect(await find('expiry-wave', keys(0))).toBeUndefined();
});

test('slots with too much', async () => {
  const keys = many(2000, (i): MadeKey => ({ name: `k${i}`, value: 'x'.repeat(1000) }));
  const heavy = many(2000, (i): MadeKey => ({ name: `{tag}${i}`, value: 'x'.repeat(1000) }));
  const one = await find('slot-skew', [...keys, ...heavy]);
  expect(one).toMatchObject({ keys: 2000, numbers: { slots: 1 } });
  expect(await find('slot-skew', keys)).toBeUndefined();
  expect(await find('slot-skew', heavy)).toBeUndefined();
});

test('the report is whole, harmless HTML', async () => {
  const keys: MadeKey[] = [
    ...many(300, (i) => ({ name: `<script>alert(${i})</script>:${i}`, value: '007' })),
    { name: 'a"b&c:1', value: 'x', expireAtMs: NOW - 1 },
  ];
  const analysis = await analyzeRdb(madeRdb(keys), { nowMs: NOW });
  const html = htmlReport(analysis, { title: '<dump>' });
  expect(html).not.toMatch(/<script/);
  expect(html).not.toMatch(/(src|href)=|url\(|@import|https?:/);
  expect(html).toContain('&lt;dump&gt;');
  expect(html).toContain("default-src 'none'");
  for (const tag of ['div', 'table', 'tr', 'td', 'svg', 'g', 'section', 'article', 'ul', 'li']) {
    const count = (pattern: string) => html.match(new RegExp(pattern, 'g'))?.length ?? 0;
    expect([tag, count(`<${tag}[ >]`)]).toEqual([tag, count(`</${tag}>`)]);
  }
  const own = readFileSync(join(ROOT, 'test/rdb/data/policy-allkeys-lfu-redis8.0.6-rdb12.rdb'));
  const cut = await analyzeRdb(own.subarray(0, own.length / 2), { partial: true });
  expect(htmlReport(cut)).toContain('damaged at offset');
  expect(htmlReport(await analyzeRdb(madeRdb([])))).toContain('None.');
  const odd = await analyzeRdb(madeRdb([]));
  odd.file.aux.ctime = '<99999999999999999999>';
  expect(htmlReport(odd)).toContain('<dd>&lt;99999999999999999999&gt;</dd>');
});

test('an example of a key has what is known of it, its place too', async () => {
  const name = 'n'.repeat(700);
  const keys: MadeKey[] = [{ name, value: 'x' }];
  const row = (await find('long-names', keys))?.examples[0]?.row;
  expect(row).toMatchObject({ keyBytes: 700, type: 'string', encoding: 'embstr', count: 1 });
  expect(row?.key.text).toBe(name.slice(0, 512));
  expect(madeRdb(keys).indexOf(name) - (row?.offset ?? 0)).toBeLessThan(5);
});
