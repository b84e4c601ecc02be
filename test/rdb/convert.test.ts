// convertRdb: every file there is, to every version, means the same but for what was told as lost;
// whatever way the bytes come; damage ends it without a proper end of the file.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type ConvertOptions,
  checkRdb,
  convertRdb,
  type RespiteError,
  readRdb,
  splitRdb,
} from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { i64, key, listpack, rdb, str } from '../support/rdb-build.js';
import { RdbHarness } from '../support/rdb-harness.js';
import {
  allFiles,
  convertAll,
  convertWhole,
  keysOf,
  plainKeys,
  readingOf,
  text,
  withoutLosses,
} from '../support/rdb-logical.js';
import { ROOT } from '../support/servers.js';

const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 80];
/** Large files: where something ends or begins. */
const SOME = [1, 4, 6, 9, 11, 80];
const LARGE = 200_000;
/** Damaged inside, as their names tell. */
const DAMAGED = /corrupt_ziplist/;
const OWN = join(ROOT, 'test/rdb/data');
const h = new RdbHarness();
const T = 1_900_000_000_000;
const hashWithExpiry = key(25, 'h', i64(T), str(listpack(['f', 'v', T, 'g', 'w', 0])));
const rich = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));

/** Oldest versions by type byte; types 22 and 23 depend on the server. */
const SINCE: Record<number, number> = {
  ...{ 5: 8, 7: 8, 9: 2, 10: 2, 11: 2, 12: 2, 13: 4, 14: 7, 15: 9, 16: 10, 17: 10, 18: 10 },
  ...{ 19: 10, 20: 11, 21: 11, 22: 80, 24: 12, 25: 12, 26: 13, 27: 14, 28: 14 },
};

const files = allFiles().filter(([name]) => !DAMAGED.test(name));

describe('every file to every version', () => {
  test.each(files)('%s', async (name, read) => {
    const bytes = read();
    const options = readingOf(name);
    const source = await keysOf(bytes, options);
    for (const version of bytes.length > LARGE ? SOME : ALL) {
      const { bytes: out, losses, summary } = await convertWhole(bytes, { ...options, version });
      const keys = await keysOf(out);
      expect([version, plainKeys(expiries(keys, version))]).toEqual([
        version,
        plainKeys(expiries(withoutLosses(source, losses), version)),
      ]);
      for (const { rdbType } of keys) {
        const isKnown = version === 80 ? rdbType < 23 : (SINCE[rdbType] ?? 1) <= version;
        expect([version, rdbType, isKnown]).toEqual([version, rdbType, true]);
      }
      expect(summary).toMatchObject({ version, keys: keys.length, bytes: out.length });
    }
  });

  /** Before RDB 3 there are whole seconds, of 32 bits. */
  function expiries(keys: Awaited<ReturnType<typeof keysOf>>, version: number) {
    if (version > 2) return keys;
    return keys.map((key) => {
      if (key.expireAtMs === undefined) return key;
      const sec = Math.ceil(key.expireAtMs / 1000);
      // what expired before 1970 is as good as at its first second
      const isHeld = sec > 0 && sec <= 0x7fffffff;
      return { ...key, expireAtMs: isHeld ? sec * 1000 : undefined };
    });
  }
});

describe('there and back', () => {
  test.each([1, 4, 6, 8])('%i, 15, Valkey and back again', async (version) => {
    const down = await convertWhole(rich, { version });
    const up = await convertWhole(down.bytes, { version: 15 });
    const across = await convertWhole(up.bytes, { version: 80 });
    const again = await convertWhole(across.bytes, { version });
    expect([up.losses, across.losses, again.losses].flat()).toEqual([]);
    expect(plainKeys(await keysOf(again.bytes))).toEqual(plainKeys(await keysOf(down.bytes)));
  });

  const same = files.filter(([name]) => /^[^/]*(redis[678]|valkey)/.test(name));
  test.each(same)('the same version is the same file: %s', async (name, read) => {
    const source = read();
    const { bytes } = await convertWhole(source);
    const end = name.startsWith('nochecksum') ? -8 : undefined;
    expect(bytes.subarray(0, end).equals(source.subarray(0, end))).toBe(true);
  });

  test('metadata of modules stay with their key', async () => {
    const [, read] = files.find(([name]) => name === 'rare/key-meta')!;
    const source = read();
    // the database is named where the source leaves it out
    const named = [source.subarray(0, 9), Buffer.from([254, 0]), source.subarray(9, -8)];
    const { bytes, losses } = await convertWhole(source);
    expect(losses).toEqual([]);
    expect(bytes.subarray(0, -8).equals(Buffer.concat(named))).toBe(true);
  });
});

describe('whatever way the bytes come', () => {
  test.each([3, 6, 9, 10, 12, 80])('version %i', async (version) => {
    const { bytes: want } = await convertWhole(rich, { version });
    const single = Array.from(rich, (_, i) => rich.subarray(i, i + 1));
    expect((await convertWhole(single, { version })).bytes.equals(want)).toBe(true);
    const prng = new Prng(runSeed());
    for (let round = 0; round < 5; round++) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < rich.length; ) {
        const n = prng.range(1, 700);
        pieces.push(rich.subarray(at, at + n));
        at += n;
      }
      expect((await convertWhole(pieces, { version })).bytes.equals(want)).toBe(true);
    }
  });

  test('rare forms byte by byte', async () => {
    for (const [name, read] of allFiles()) {
      if (!name.startsWith('rare/')) continue;
      for (const version of [4, 9, 12, 80]) {
        const bytes = read();
        const want = await convertWhole(bytes, { version });
        const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
        const got = await convertWhole(single, { version });
        expect([name, version, got.bytes.equals(want.bytes)]).toEqual([name, version, true]);
      }
    }
  });
});

describe('losses', () => {
  test('of every kind are told', async () => {
    const kinds = new Set<string>();
    for (const [name, read] of files) {
      if (!name.startsWith('rare/')) continue;
      for (const version of [1, 9, 80]) {
        const { losses, summary } = await convertWhole(read(), { version });
        for (const { kind } of losses) kinds.add(kind);
        const total = Object.values(summary.losses).reduce((sum, n) => sum + n, 0);
        expect(total).toBe(losses.length);
      }
    }
    expect([...kinds].sort()).toEqual([
      ...['activeTime', 'eviction', 'expiryMs', 'fieldExpiry', 'function', 'idempotence', 'key'],
      ...['keyMetadata', 'moduleAux', 'needsModule', 'slotImport', 'streamOffsets'],
      'unownedPending',
    ]);
  });

  test('strict refuses the first', async () => {
    const file = rdb(h, 'REDIS0012', key(0, 'a', str('1')), hashWithExpiry, key(0, 'b', str('2')));
    const { losses } = await convertWhole(file, { version: 11 });
    const name = new Uint8Array([104]);
    expect(losses).toEqual([{ kind: 'fieldExpiry', db: 0, key: name, rdbType: 25, count: 1 }]);
    const { error, bytes } = await convertAll(file, { version: 11, strict: true });
    expect((error as RespiteError).code).toBe('ERR_RESPITE_RDB_LOSS');
    const details = { kind: 'fieldExpiry', db: 0, key: 'h', count: 1 };
    expect((error as RespiteError).details).toEqual(details);
    await expect(keysOf(bytes)).rejects.toThrow();
  });

  test('versions that do not exist', () => {
    for (const version of [0, 16, 79, 81, 1.5, Number.NaN]) {
      expect(() => convertRdb(rich, { version })).toThrow('RDB version');
    }
  });
});

describe('strings are compressed as asked', () => {
  const pairs = listpack(['f1', 'a'.repeat(60), 'f2', 'a'.repeat(60), 'f3', 'a'.repeat(60)]);
  const plain = rdb(h, 'REDIS0010', key(16, 'h', str(pairs)));

  test('always, never, as they were', async () => {
    const made = async (source: Buffer, compress: ConvertOptions['compress']) =>
      (await convertWhole(source, { version: 6, compress })).bytes;
    const never = await made(plain, 'never');
    const always = await made(plain, 'always');
    expect(always.length).toBeLessThan(never.length / 3);
    expect(await made(plain, 'source')).toEqual(never);
    const packed = await made(always, 'source');
    expect(packed).toEqual(always);
    for (const bytes of [always, never]) {
      expect(plainKeys(await keysOf(bytes))).toEqual(plainKeys(await keysOf(plain)));
    }
  });
});

describe('large values', () => {
  const items = Array.from({ length: 34_000 }, (_, i) => `${i}`.padEnd(62, '.'));
  const scored = items.map((one, i) => (i % 2 ? i : one));
  const element = Buffer.alloc(1_500_000, 'respite ');
  const file = rdb(
    h,
    'REDIS0012',
    ...[key(16, 'hash', str(listpack(items))), key(17, 'zset', str(listpack(scored)))],
    ...[key(20, 'set', str(listpack(items)))],
    key(18, 'list', [3, 2], str(listpack(items)), [1], str(element), [2], str(listpack(['x', 7]))),
    ...[key(18, 'single', [1, 1], str(element)), key(18, 'small', [1, 2], str(listpack(['a'])))],
  );

  test.each([
    [3, [4, 3, 2, 1, 1, 10]],
    [9, [4, 5, 2, 14, 14, 14]],
  ])('version %i: types %j', async (version, types) => {
    const want = plainKeys(await keysOf(file));
    const pieces = Array.from({ length: 200 }, (_, i) =>
      file.subarray(i * 60_000, (i + 1) * 60_000),
    );
    for (const source of [file, pieces.filter((piece) => piece.length > 0)]) {
      const { bytes, losses } = await convertWhole(source, { version });
      const keys = await keysOf(bytes);
      expect(keys.map(({ rdbType }) => rdbType)).toEqual(types);
      expect(plainKeys(keys)).toEqual(want);
      expect(losses).toEqual([]);
    }
    const salvaged = await convertWhole(file, { version, salvage: true });
    expect(plainKeys(await keysOf(salvaged.bytes))).toEqual(want);
  });
});

describe('damage', () => {
  const versions = [undefined, 6, 9, 80];

  test('truncated anywhere: an error, and no proper end', async () => {
    const prng = new Prng(runSeed());
    const ends = Array.from({ length: 150 }, (_, i) => (i < 50 ? i : prng.below(rich.length)));
    for (const end of ends) {
      const cut = rich.subarray(0, end);
      for (const version of versions) {
        const { error, bytes, losses, summary } = await convertAll(cut, { version });
        expect((error as RespiteError).code).toBe('ERR_RESPITE_RDB_FORMAT');
        if (bytes.length > 0) await expect(keysOf(bytes)).rejects.toThrow();
        const lost = losses.filter(({ kind }) => kind === 'key').map(nameOf);
        const want = (await namesBefore(cut)).filter((name) => !lost.includes(name));
        expect([end, version, await namesBefore(bytes)]).toEqual([end, version, want]);
        expect(summary).toMatchObject({ keys: want.length, bytes: bytes.length });
      }
    }
  });

  const nameOf = ({ db, key }: { db: number; key: Uint8Array }) => `${db} ${text(key)}`;
  /** Keys that are whole, whatever comes behind them. */
  async function namesBefore(bytes: Uint8Array): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const entry of readRdb(bytes)) names.push(nameOf(entry));
    } catch {}
    return names;
  }

  test('a wrong checksum: every key, in every part', async () => {
    const wrong = Buffer.from(rich);
    wrong[wrong.length - 1]! ^= 1;
    const want = await namesBefore(rich);
    for (const salvage of [false, true]) {
      const whole = await convertAll(wrong, { salvage });
      expect(String(whole.error)).toContain('checksum mismatch');
      expect(await namesBefore(whole.bytes)).toEqual(want);
      const end = expect(keysOf(whole.bytes));
      await (salvage ? end.resolves.toHaveLength(want.length) : end.rejects.toThrow());
      for (const by of ['db', 'type'] as const) {
        const parts: Buffer[][] = [];
        const run = splitRdb(wrong, { by }, { salvage });
        const reading = (async () => {
          for await (const { part, block } of run) {
            parts[part.index] = [...(parts[part.index] ?? []), Buffer.from(block)];
          }
        })();
        await expect(reading).rejects.toThrow('checksum mismatch');
        const names: string[] = [];
        for (const [index, blocks] of parts.entries()) {
          const inPart = await namesBefore(Buffer.concat(blocks));
          expect(run.parts[index]!.keys).toBe(inPart.length);
          names.push(...inPart);
        }
        expect(names.sort()).toEqual([...want].sort());
      }
    }
  });

  test('a long value in which the file ends: the keys before it', async () => {
    const long = str(Buffer.alloc(3_000_000, 'respite '));
    const file = rdb(h, 'REDIS0010', key(0, 'a', str('v')), key(1, 'l', [2], long, str('w')));
    for (const version of [undefined, 6]) {
      const { bytes, error } = await convertAll(file.subarray(0, -20), { version });
      expect((error as RespiteError).details).toMatchObject({ key: 'l' });
      expect(await namesBefore(bytes)).toEqual(['0 a']);
    }
  });

  test('truncated, with salvage: a whole file of the keys that were whole', async () => {
    const keys = await keysOf(rich);
    const prng = new Prng(runSeed());
    for (let round = 0; round < 60; round++) {
      const cut = rich.subarray(0, prng.range(9, rich.length - 1));
      for (const version of [undefined, 80]) {
        const { error, bytes } = await convertAll(cut, { version, salvage: true });
        expect((error as RespiteError).code).toBe('ERR_RESPITE_RDB_FORMAT');
        const got = plainKeys(await keysOf(bytes));
        expect(got).toEqual(plainKeys(keys).slice(0, got.length));
      }
    }
  });

  test('mutated: an error, or a whole file', async () => {
    const prng = new Prng(runSeed() + 1);
    for (let round = 0; round < 50; round++) {
      const copy = Buffer.from(rich);
      for (let n = prng.range(1, 4); n > 0; n--) copy[prng.below(copy.length)] = prng.below(256);
      for (const version of versions) {
        for (const salvage of [false, true]) {
          const options = { version, salvage, checksum: false };
          const { error, bytes } = await convertAll(copy, options);
          if (error !== undefined) {
            expect((error as RespiteError).code).toMatch(
              /^ERR_RESPITE_(RDB_FORMAT|OUT_OF_MEMORY)$/,
            );
          } else {
            // what is copied is not looked into: its inside may still be damaged
            await keysOf(bytes, { salvage: true });
          }
          if (salvage && bytes.length > 0) await checkRdb(bytes);
        }
      }
    }
  });

  test('inside of what is copied: left out with salvage, whatever way the bytes come', async () => {
    const fine = key(0, 'fine', str('v'));
    const broken: [string, Buffer][] = [
      ['hash', key(16, 'hash', str(truncatedPack(['f', 'v'])))],
      ['odd', key(16, 'odd', str(listpack(['f', 'v', 'g'])))],
      ['scores', key(17, 'scores', str(listpack(['m', 'no number'])))],
      ['set', key(20, 'set', str(truncatedPack(['a', 'b'])))],
      ['list', key(18, 'list', [2, 2], str(listpack(['a'])), [2], str(truncatedPack(['b'])))],
      ['expiry', key(25, 'expiry', i64(T), str(listpack(['f', 'v', 'no number'])))],
      ['empty', key(1, 'empty', [0])],
    ];
    const parts = broken.flatMap(([, bytes]) => [fine, bytes]);
    const file = rdb(h, 'REDIS0012', ...parts, key(0, 'last', str('v')));
    const single = Array.from(file, (_, i) => file.subarray(i, i + 1));
    for (const version of [undefined, 11, 80]) {
      for (const source of [file, single]) {
        const { bytes, losses, summary } = await convertWhole(source, { version, salvage: true });
        const damaged = losses.filter(({ kind }) => kind === 'damaged').map((one) => text(one.key));
        expect([version, damaged]).toEqual([version, broken.map(([name]) => name)]);
        const names = (await keysOf(bytes)).map((one) => one.at);
        expect(names).toEqual([...broken.map(() => '0 fine'), '0 last']);
        expect((await checkRdb(bytes)).keys).toBe(summary.keys);
      }
    }
  });

  /** Its last entry claims more bytes than there are. */
  function truncatedPack(values: (string | number)[]): Buffer {
    const pack = Buffer.from(listpack(values));
    pack[pack.length - 4] = 0xbf;
    return pack;
  }

  test('a damaged container: left out with salvage, an error without', async () => {
    const file = allFiles().find(([name]) => DAMAGED.test(name));
    if (file === undefined) return;
    const bytes = file[1]();
    const { error } = await convertAll(bytes, { version: 3 });
    expect(String(error)).toContain('damaged container');
    const { bytes: out, losses } = await convertWhole(bytes, { version: 3, salvage: true });
    expect(losses.some(({ kind }) => kind === 'damaged')).toBe(true);
    const left = await keysOf(bytes, { salvage: true });
    expect(plainKeys(await keysOf(out))).toEqual(plainKeys(left));
  });
});
