// Fewer keys, several files, one file out of several: filters, splitRdb, mergeRdb.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type ConvertOptions,
  type KeyFilter,
  type MergeOptions,
  mergeRdb,
  type RdbEntry,
  readRdb,
  type SplitBy,
  splitRdb,
} from '../../host/rdb/index.js';
import { key, len, listpack, rdb, str } from '../support/rdb-build.js';
import { RdbHarness } from '../support/rdb-harness.js';
import {
  allFiles,
  collected,
  convertAll,
  convertWhole,
  keysOf,
  plainKeys,
  readingOf,
  text,
} from '../support/rdb-logical.js';
import { ROOT } from '../support/servers.js';

const h = new RdbHarness();
const OWN = join(ROOT, 'test/rdb/data');
const rich = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));
const cluster = readFileSync(join(OWN, 'cluster-redis8.0.6-rdb12.rdb'));

/** `SET`s of strings by database: rdb(…, select(1), …). */
const select = (db: number) => Buffer.concat([Buffer.from([254]), len(db)]);
const strings = (...parts: (string | Buffer)[]) =>
  rdb(h, 'REDIS0010', ...parts.map((one) => (typeof one === 'string' ? pair(one) : one)));
const pair = (one: string) => key(0, one.split('=')[0]!, str(one.split('=')[1] ?? 'v'));

async function entriesOf(bytes: Uint8Array, filter?: KeyFilter): Promise<RdbEntry[]> {
  const entries: RdbEntry[] = [];
  for await (const entry of readRdb(bytes, { filter })) entries.push(entry);
  return entries;
}

describe('filters', () => {
  const filters: [string, KeyFilter][] = [
    ['match', { match: ['str:*', '*list*'] }],
    ['not', { not: 'str:*' }],
    ['regex', { regex: /[aeiou]{2}/ }],
    ['type', { type: ['hash', 'stream', 'zset'] }],
    ['noExpiry', { noExpiry: true }],
    ['expiresAfter', { expiresAfter: 1 }],
    ['minBytes 100', { minBytes: 100 }],
    ['minBytes 500', { minBytes: 500 }],
    ['slots', { slots: [0, 8191] }],
    ['limit', { limit: 5 }],
    ['limit of large ones', { limit: 3, minBytes: 200 }],
    ['none', { match: 'no such key' }],
  ];

  test.each(filters)('%s', async (_name, filter) => {
    for (const [file, read] of allFiles()) {
      const bytes = read();
      if (bytes.length > 20_000 || /corrupt|rare|module/.test(file)) continue;
      const options = readingOf(file);
      const want = plainKeys(await keysOf(bytes, { ...options, filter }));
      for (const version of [undefined, 80]) {
        const converted = await convertWhole(bytes, { ...options, filter, version });
        const lost = converted.losses.filter(({ kind }) => kind === 'key').length;
        const got = plainKeys(await keysOf(converted.bytes));
        expect([file, got.length + lost]).toEqual([file, want.length]);
        if (lost === 0) expect([file, got]).toEqual([file, want]);
        expect(converted.summary.keys).toBe(got.length);
      }
    }
  });

  test('databases, renumbered; expiries dropped', async () => {
    const source = strings(select(0), 'a', 'b', select(3), 'c', select(7), 'd');
    const at = async (options: ConvertOptions) =>
      (await keysOf((await convertWhole(source, options)).bytes)).map((one) => one.at);
    expect(await at({ filter: { db: 3 } })).toEqual(['3 c']);
    expect(await at({ filter: { db: [0, 7] } })).toEqual(['0 a', '0 b', '7 d']);
    expect(await at({ mapDb: { 3: 1, 7: 3 } })).toEqual(['0 a', '0 b', '1 c', '3 d']);
    expect(await at({ mapDb: { 3: 0 } })).toEqual(['0 a', '0 b', '0 c', '7 d']);
    const { bytes } = await convertWhole(rich, { dropExpiry: true });
    const expiries = (await keysOf(bytes)).filter((one) => one.expireAtMs !== undefined);
    expect(expiries).toEqual([]);
  });

  test('a large value that is not judged before its end, in many pieces', async () => {
    const value = Buffer.alloc(700_000, 'respite ');
    const file = rdb(
      h,
      'REDIS0010',
      ...[key(0, 'small', str('1')), key(0, 'large', str(value)), key(0, 'last', str('2'))],
    );
    const pieces = Array.from({ length: 700 }, (_, i) => file.subarray(i * 1001, (i + 1) * 1001));
    for (const [minBytes, names] of [
      [1000, ['0 large']],
      [800_000, []],
    ] as const) {
      const { bytes } = await convertWhole(pieces, { filter: { minBytes } });
      const keys = await keysOf(bytes);
      expect(keys.map((one) => one.at)).toEqual(names);
      if (names.length > 0) expect(keys[0]!.value[0]).toBe(JSON.stringify(text(value)));
    }
  });
});

interface Parts {
  names: string[];
  files: Map<string, Buffer>;
  keys: Map<string, string[]>;
}

async function split(bytes: Uint8Array, by: SplitBy, options?: ConvertOptions): Promise<Parts> {
  const run = splitRdb(bytes, by, options);
  const blocks = new Map<string, Buffer[]>();
  for await (const { part, block } of run) {
    const list = blocks.get(part.name) ?? [];
    blocks.set(part.name, [...list, Buffer.from(block)]);
  }
  const files = new Map([...blocks].map(([name, list]) => [name, Buffer.concat(list)]));
  const keys = new Map<string, string[]>();
  for (const part of run.parts) {
    const file = files.get(part.name)!;
    const at = (await keysOf(file)).map((one) => one.at);
    expect([part.name, at.length, file.length]).toEqual([part.name, part.keys, part.bytes]);
    keys.set(part.name, at);
  }
  return { names: run.parts.map(({ name }) => name), files, keys };
}

describe('split', () => {
  const source = strings(select(0), 'user:1', 'user:2', 'order:1', select(5), 'other', 'user:3');
  const all = ['0 order:1', '0 user:1', '0 user:2', '5 other', '5 user:3'];

  test('by database, pattern, prefix', async () => {
    const byDb = await split(source, { by: 'db' });
    expect([...byDb.keys]).toEqual([
      ['db0', ['0 user:1', '0 user:2', '0 order:1']],
      ['db5', ['5 other', '5 user:3']],
    ]);
    const byPattern = await split(source, { by: 'pattern', patterns: ['*:1', 'user:*', 'none*'] });
    expect([...byPattern.keys]).toEqual([
      ['1', ['0 user:1', '0 order:1']],
      ['user', ['0 user:2', '5 user:3']],
      ['none', []],
      ['rest', ['5 other']],
    ]);
    const byPrefix = await split(source, { by: 'prefix', prefixes: ['user:', '*'] });
    expect([...byPrefix.keys]).toEqual([
      ['user', ['0 user:1', '0 user:2', '5 user:3']],
      ['1-part', []],
      ['rest', ['0 order:1', '5 other']],
    ]);
    const unnamed = strings(select(0), '', 'a');
    for (const by of [
      { by: 'prefix', prefixes: [''] } as const,
      { by: 'pattern', patterns: ['*'] } as const,
    ]) {
      expect([...(await split(unnamed, by)).keys.values()]).toEqual([['0 ', '0 a']]);
    }
  });

  test('by slot, ranges of slots, hash: every key once', async () => {
    const ways: SplitBy[] = [
      ...[{ by: 'slot', parts: 4 } as const, { by: 'hash', parts: 3 } as const],
      { by: 'slots', ranges: [[0, 5460] as const, [5461, 10_922] as const] },
    ];
    for (const way of ways) {
      const { keys, names } = await split(source, way);
      expect([...keys.values()].flat().sort()).toEqual(all);
      if (way.by === 'slots')
        expect(names.slice(0, 2)).toEqual(['slots-0-5460', 'slots-5461-10922']);
      else if (way.by === 'slot' || way.by === 'hash')
        expect(names).toEqual(Array.from({ length: way.parts }, (_, i) => `part-${i}`));
    }
    const { files } = await split(cluster, { by: 'slot', parts: 8 });
    for (const [name, file] of files) {
      const index = Number(name.slice(5));
      const inside = await entriesOf(file, { slots: [index * 2048, index * 2048 + 2047] });
      expect(inside.length).toBe((await entriesOf(file)).length);
    }
  });

  test('by type and by size; functions and fields are in every file', async () => {
    const withFunctions = allFiles().filter(([name]) =>
      /function\.rdb$|types-redis8\.0/.test(name),
    );
    for (const bytes of [rich, ...withFunctions.map(([, read]) => read())]) {
      const want = (await keysOf(bytes)).map((one) => one.at);
      const source = readRdb(bytes);
      for await (const _entry of source);
      for (const way of [{ by: 'type' } as const, { by: 'size', bytes: 1500 } as const]) {
        const { keys, files } = await split(bytes, way);
        expect([...keys.values()].flat().sort()).toEqual([...want].sort());
        if (way.by === 'size' && want.length > 10) expect(files.size).toBeGreaterThan(2);
        for (const file of files.values()) {
          const part = readRdb(file);
          for await (const _entry of part);
          expect(part.file.functions).toEqual(source.file.functions);
          expect(part.file.aux).toEqual(source.file.aux);
        }
        if (bytes.length > 100_000) break;
      }
    }
  });

  test('byte by byte, to another version', async () => {
    const single = Array.from(rich, (_, i) => rich.subarray(i, i + 1));
    const by: SplitBy = { by: 'hash', parts: 7 };
    const whole = await split(rich, by, { version: 6 });
    const pieces = new Map<string, Buffer[]>();
    for await (const { part, block } of splitRdb(single, by, { version: 6 })) {
      pieces.set(part.name, [...(pieces.get(part.name) ?? []), Buffer.from(block)]);
    }
    for (const [name, file] of whole.files) {
      expect([name, Buffer.concat(pieces.get(name)!).equals(file)]).toEqual([name, true]);
    }
  });
});

describe('merge', () => {
  async function merged(sources: Uint8Array[], options: MergeOptions = {}) {
    const run = mergeRdb(sources, options);
    const blocks: Buffer[] = [];
    for await (const block of run) blocks.push(Buffer.from(block));
    const keys = await keysOf(Buffer.concat(blocks));
    return { summary: run.summary, keys: keys.map(({ at, value }) => `${at} ${value}`), blocks };
  }

  const a = strings(select(0), 'k=1', 'a=1', select(2), 'k=1');
  const b = strings(select(0), 'k=2', 'b=2');

  test('keys that come twice: error, first, last, keep', async () => {
    await expect(merged([a, b])).rejects.toMatchObject({
      code: 'ERR_RESPITE_RDB_LOSS',
      details: { kind: 'duplicate', key: 'k', db: 0 },
    });
    const first = await merged([a, b], { duplicates: 'first' });
    expect(first.keys.sort()).toEqual(['0 a "1"', '0 b "2"', '0 k "1"', '2 k "1"']);
    expect(first.summary.losses).toEqual({ duplicate: 1 });
    const last = await merged([a, b], { duplicates: 'last' });
    expect(last.keys.sort()).toEqual(['0 a "1"', '0 b "2"', '0 k "2"', '2 k "1"']);
    expect((await merged([a, b], { duplicates: 'keep' })).keys).toHaveLength(5);
  });

  test('databases of each source', async () => {
    const { keys } = await merged([a, b], { mapDb: [undefined, { 0: 1 }] });
    expect(keys).toEqual(['0 k "1"', '0 a "1"', '2 k "1"', '1 k "2"', '1 b "2"']);
    await expect(merged([a], { mapDb: { 2: 0 } })).rejects.toThrow('duplicate');
  });

  test('the parts of a file are the file; the highest version is written', async () => {
    const source = (await keysOf(rich)).map((one) => `${one.at} ${one.value}`);
    const parts = [...(await split(rich, { by: 'hash', parts: 5 })).files.values()];
    const { keys, summary } = await merged(parts);
    expect(keys.sort()).toEqual([...source].sort());
    expect(summary).toMatchObject({ version: 12, keys: source.length, losses: {} });
    const older = (await convertWhole(parts[0]!, { version: 7 })).bytes;
    expect((await merged([older, ...parts.slice(1)])).summary.version).toBe(12);
  });

  test('a source that is damaged ends it', async () => {
    const cut = b.subarray(0, b.length - 12);
    await expect(merged([a, cut, b], { duplicates: 'first' })).rejects.toMatchObject({
      code: 'ERR_RESPITE_RDB_FORMAT',
    });
    const { error } = await convertAll(Buffer.alloc(0));
    expect(String(error)).toContain('offset 0');
  });

  test('with salvage every source gives what it can; which are damaged is said', async () => {
    const wrong = Buffer.from(a);
    wrong[wrong.length - 1]! ^= 1;
    const all = ['0 a "1"', '0 b "2"', '0 k "1"', '2 k "1"'];
    for (const [sources, at] of [
      [[wrong, b], [0]],
      [[a, b, Buffer.from('nothing')], [2]],
      [
        [a, wrong, b, b.subarray(0, -12)],
        [1, 3],
      ],
      [
        [Buffer.alloc(0), wrong, b],
        [0, 1],
      ],
    ] as const) {
      for (const tableBytes of [undefined, 1]) {
        const options: MergeOptions = { duplicates: 'first', salvage: true, tableBytes };
        const run = mergeRdb(sources, options);
        const { bytes, error } = await collected(run);
        expect((await keysOf(bytes)).map((one) => `${one.at} ${one.value}`).sort()).toEqual(all);
        expect(run.summary.damage.map(({ details }) => details.source)).toEqual(at);
        expect(error).toBe(run.summary.damage[0]);
        expect(String(error)).toContain(`Source ${at[0] + 1}: `);
      }
    }
    const last = mergeRdb([b, wrong], { duplicates: 'last', salvage: true });
    expect(await keysOf((await collected(last)).bytes)).toHaveLength(4);
    expect(last.summary.damage.map(({ details }) => details.source)).toEqual([1]);
  });

  test('a key that is damaged in one source is taken from another', async () => {
    const pack = Buffer.from(listpack(['f', 'v']));
    pack[pack.length - 4] = 0xbf;
    const many = Array.from({ length: 2000 }, (_, n) => pair(`n${n}`));
    const bad = rdb(h, 'REDIS0010', key(16, 'h', str(pack)), ...many, key(16, 'i', str(pack)));
    const good = (name: string) => key(16, name, str(listpack(['f', 'v'])));
    const fine = rdb(h, 'REDIS0010', ...many, good('i'), good('h'));
    for (const tableBytes of [undefined, 1]) {
      const options: MergeOptions = { duplicates: 'first', salvage: true, tableBytes };
      const { keys, summary } = await merged([bad, fine], options);
      expect(keys.filter((one) => /^0 [hi] /.test(one)).sort()).toEqual([
        '0 h ["f","v",null]',
        '0 i ["f","v",null]',
      ]);
      expect(keys).toHaveLength(2002);
      expect(summary.losses).toEqual({ damaged: 2, duplicate: 2000 });
    }
  });

  test('function libraries: once, also where keys are not compared', async () => {
    const library = (name: string, code: string) =>
      Buffer.concat([Buffer.from([245]), str(`#!lua name=${name}\n${code}`)]);
    const one = strings(library('same', '1'), library('other', '1'), select(0), 'a');
    const two = strings(library('same', '1'), select(0), 'b');
    const kept = await merged([one, two], { duplicates: 'keep' });
    expect(text(Buffer.concat(kept.blocks)).split('#!lua').length - 1).toBe(2);
    expect(kept.summary).toMatchObject({ keys: 2, losses: {} });
    const three = strings(library('other', '2'), select(0), 'c');
    const said = 'The library of functions "other" comes twice, with different code; ';
    for (const duplicates of ['keep', 'error'] as const) {
      const merging = merged([one, three], { duplicates });
      await expect(merging).rejects.toThrow(`${said}duplicates: first or last`);
    }
    const first = await merged([one, three], { duplicates: 'first' });
    expect(first.summary.losses).toEqual({ duplicateFunction: 1 });
    const refused = merged([one], { version: 9, strict: true });
    await expect(refused).rejects.toThrow('The library of functions "same" cannot be kept');
  });

  test('names in errors are UTF-8, other bytes as numbers', async () => {
    const again = (name: Buffer) => rdb(h, 'REDIS0010', key(0, name as never, str('v')));
    for (const [name, said] of [
      [Buffer.from('clé'), '"clé"'],
      [Buffer.from([0x61, 0xff]), '"a\\\\xFF"'],
    ] as const) {
      const merging = merged([again(name), again(name)]);
      await expect(merging).rejects.toThrow(`Key ${said} of database 0 comes twice`);
    }
  });
});
