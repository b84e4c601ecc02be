// diffRdb: what differs between two files, whatever their encodings and the order of elements.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DiffOptions, DiffPrefixes, diffRdb } from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { type MadeKey, madeRdb } from '../support/rdb-file.js';
import { DATA, hasData } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

async function diff(a: Uint8Array, b: Uint8Array, options: DiffOptions = {}) {
  const found = diffRdb(
    () => a,
    () => b,
    options,
  );
  const lines: string[] = [];
  const prefixes = new DiffPrefixes();
  for await (const entry of found) {
    lines.push(`${entry.kind} ${entry.db} ${Buffer.from(entry.key).toString('latin1')}`);
    prefixes.add(entry);
  }
  return { lines: lines.sort(), counts: found.counts, prefixes: prefixes.rows() };
}
const made = (a: MadeKey[], b: MadeKey[], options?: DiffOptions) =>
  diff(madeRdb(a), madeRdb(b), options);

describe('constructed pairs', () => {
  const base: MadeKey[] = [
    { name: 's:1', value: 'text' },
    { name: 's:2', value: 'text', expireAtMs: 1e12 },
    { name: 'l', value: { list: ['a', 'b', 'a'] } },
    { name: 'set', value: { set: ['x', 'y', 'z'] } },
    { name: 'h', value: { hash: [['f', 'v'], ['g', 'w']] } }, // biome-ignore format: pairs
    { name: 'z', value: { zset: [['m', 1], ['n', 0]] } }, // biome-ignore format: pairs
    { name: 'far', value: 'text', db: 7 },
  ];
  const change = (name: string, to: Partial<MadeKey>) =>
    base.map((key) => (key.name === name ? { ...key, ...to } : key));

  test('the same', async () => {
    const { lines, counts } = await made(base, base);
    expect(lines).toEqual([]);
    expect(counts).toEqual({ removed: 0, added: 0, changed: 0, expiry: 0, same: 7 });
  });

  test('added, removed, changed, other expiry, other database', async () => {
    const next: MadeKey[] = [
      { name: 's:1', value: 'other' },
      { name: 's:2', value: 'text', expireAtMs: 1e12 + 1 },
      ...base.slice(2, 6),
      { name: 'new:1', value: 'x' },
      { name: 'far', value: 'text', db: 8 },
    ];
    const { lines, counts, prefixes } = await made(base, next);
    expect(lines).toEqual(
      ['added 0 new:1', 'added 8 far', 'changed 0 s:1', 'expiry 0 s:2', 'removed 7 far'].sort(),
    );
    expect(counts).toEqual({ removed: 1, added: 2, changed: 1, expiry: 1, same: 4 });
    const row = (text: string) => prefixes.find(({ prefix }) => prefix.text === text);
    expect(row('s:')).toMatchObject({ changed: 1, expiry: 1, added: 0, removed: 0 });
    expect(row('new:')).toMatchObject({ added: 1 });
    expect(row('')).toMatchObject({ added: 1, removed: 1 });
  });

  test('order counts in lists alone', async () => {
    const same: MadeKey[] = [
      { name: 'set', value: { set: ['z', 'x', 'y'] } },
      { name: 'h', value: { hash: [['g', 'w'], ['f', 'v']] } }, // biome-ignore format: pairs
      { name: 'z', value: { zset: [['n', -0], ['m', 1]] } }, // biome-ignore format: pairs
    ];
    for (const { name, value } of same) {
      expect((await made(base, change(name, { value }))).lines).toEqual([]);
    }
    const list = change('l', { value: { list: ['b', 'a', 'a'] } });
    expect((await made(base, list)).lines).toEqual(['changed 0 l']);
  });

  test.each([
    ['l', { list: ['a', 'b'] }],
    ['l', { list: ['ab', 'a'] }],
    ['l', { set: ['a', 'b', 'a'] }],
    ['set', { set: ['x', 'y'] }],
    ['set', { set: ['x', 'y', 'zz'] }],
    ['h', { hash: [['f', 'w'], ['g', 'v']] }], // biome-ignore format: pairs
    ['h', { hash: [['fv', ''], ['g', 'w']] }], // biome-ignore format: pairs
    ['z', { zset: [['m', 0], ['n', 1]] }], // biome-ignore format: pairs
    ['z', { zset: [['m', 1], ['n', 1e-300]] }], // biome-ignore format: pairs
    ['s:1', ''],
    ['s:1', { list: ['text'] }],
  ] as [string, MadeKey['value']][])('%s changed to %j', async (name, value) => {
    expect((await made(base, change(name, { value }))).lines).toEqual([`changed 0 ${name}`]);
  });

  test('filters hold for both', async () => {
    const { lines } = await made(base, [], { filter: { match: 's:*' } });
    expect(lines).toEqual(['removed 0 s:1', 'removed 0 s:2']);
    const empty = await made([], base, { filter: { type: 'string', db: 0 } });
    expect(empty.lines).toEqual(['added 0 s:1', 'added 0 s:2']);
  });
});

describe('many keys', () => {
  const prng = new Prng(runSeed());
  const keyspace = () =>
    new Map(
      Array.from({ length: 6000 }, () => [`k:${prng.below(9000)}`, `v${prng.below(3)}`] as const),
    );
  const [a, b] = [keyspace(), keyspace()];
  const fileOf = (map: Map<string, string>) =>
    madeRdb([...map].map(([name, value]) => ({ name, value })));
  const [first, second] = [fileOf(a), fileOf(b)];

  test.each([
    ['in one pass', undefined, 1],
    ['in several passes', 40_000, 2],
    ['in a table that is far too small', 20_000, 30],
  ])('%s: as two maps say', async (_, tableBytes, passesMin) => {
    const { lines, counts } = await diff(first, second, { tableBytes });
    const want: string[] = [];
    for (const [name, value] of b) {
      if (!a.has(name)) want.push(`added 0 ${name}`);
      else if (a.get(name) !== value) want.push(`changed 0 ${name}`);
    }
    for (const name of a.keys()) if (!b.has(name)) want.push(`removed 0 ${name}`);
    expect(lines).toEqual(want.sort());
    const common = [...b.keys()].filter((name) => a.has(name)).length;
    expect(counts.same).toBe(common - counts.changed);
    // how often the second is opened, and whether that is foretold
    const said: boolean[] = [];
    const open = (isAgain: boolean) => {
      said.push(isAgain);
      return second;
    };
    for await (const _entry of diffRdb(() => first, open, { tableBytes })) {
    }
    expect(said.length).toBeGreaterThanOrEqual(passesMin);
    expect(said).toEqual(said.map((_said, i) => i < said.length - 1));
  });

  test('damage of the second in several passes: all that differs before it', async () => {
    const cut = second.subarray(0, second.length >> 1);
    const seen = async (tableBytes?: number) => {
      const names: string[] = [];
      const reading = async () => {
        const found = diffRdb(
          () => first,
          () => cut,
          { tableBytes },
        );
        for await (const { kind, key } of found) names.push(`${kind} ${Buffer.from(key)}`);
      };
      await expect(reading()).rejects.toMatchObject({ code: 'ERR_RESPITE_RDB_FORMAT' });
      return names.sort();
    };
    expect(await seen(40_000)).toEqual(await seen());
  });
});

test.skipIf(!hasData)('dumps of two versions of Redis with the same data', async () => {
  const read = (name: string) => readFileSync(join(DATA, 'servers', name));
  const [older, newer] = ['types-redis7.0.15-rdb10.rdb', 'types-redis8.0.6-rdb12.rdb'].map(read);
  const { counts, lines } = await diff(older!, newer!);
  expect(counts).toMatchObject({ removed: 0, changed: 0, same: 497 });
  expect(lines.filter((line) => !/^added 0 (hash:hfe|vset):/.test(line))).toEqual([
    'expiry 0 ttl:already-expired',
  ]);
});

test('damaged: an error, after what came before', async () => {
  const whole = readFileSync(join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb'));
  for (const end of [0, 5, 100, 2000, whole.length - 9]) {
    const cut = whole.subarray(0, end);
    await expect(diff(whole, cut)).rejects.toMatchObject({ code: 'ERR_RESPITE_RDB_FORMAT' });
    await expect(diff(cut, whole)).rejects.toMatchObject({ code: 'ERR_RESPITE_RDB_FORMAT' });
  }
});
