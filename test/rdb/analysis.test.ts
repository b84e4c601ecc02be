// analyzeRdb: its sums are those of the keys that readRdb tells; tables that are too small say so;
// the same whatever way the bytes come; damaged files give what came before.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type AnalyzeOptions,
  analyzeRdb,
  type Bucket,
  type RdbAnalysis,
  type RdbEntry,
  RespiteError,
  readRdb,
} from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { type MadeKey, madeRdb } from '../support/rdb-file.js';
import { DATA, hasData } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const SERVERS = join(DATA, 'servers');
const OWN = join(ROOT, 'test/rdb/data');
const files = [OWN, ...(hasData ? [SERVERS] : [])]
  .flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)))
  .filter((path) => path.endsWith('.rdb'));
const NOW = Date.UTC(2026, 0, 1);
const seed = runSeed();

async function entriesOf(bytes: Uint8Array): Promise<RdbEntry[]> {
  const entries: RdbEntry[] = [];
  for await (const entry of readRdb(bytes)) entries.push(entry);
  return entries;
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const sum = (entries: readonly RdbEntry[], pick: (entry: RdbEntry) => number) =>
  entries.reduce((total, entry) => total + pick(entry), 0);
const elements = ({ type, count }: RdbEntry) => (type === 'string' ? 1 : count);
const sums = (entries: readonly RdbEntry[]) => ({
  keys: entries.length,
  memoryBytes: sum(entries, ({ memoryBytes }) => memoryBytes),
  fileBytes: sum(entries, ({ fileBytes }) => fileBytes),
  elements: sum(entries, elements),
});
const expires = (entries: readonly RdbEntry[]) =>
  entries.filter(({ expireAtMs }) => expireAtMs !== undefined).length;

/** Powers of two, as the histograms have them. */
function bucketsOf(entries: readonly RdbEntry[], pick: (entry: RdbEntry) => number): Bucket[] {
  const at = (value: number) => (value === 0 ? 0 : Math.floor(Math.log2(value)) + 1);
  const all = entries.map((entry) => at(pick(entry)));
  const buckets: Bucket[] = [];
  for (let i = Math.min(...all); i <= Math.max(...all); i++) {
    const mine = entries.filter((_, k) => all[k] === i);
    const { keys, memoryBytes } = sums(mine);
    buckets.push({ from: i === 0 ? 0 : 2 ** (i - 1), to: 2 ** i, keys, memoryBytes });
  }
  return buckets;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
  return crc;
}
function slotOf(key: Uint8Array): number {
  const open = key.indexOf(0x7b);
  const close = open < 0 ? -1 : key.indexOf(0x7d, open);
  return crc16(close > open + 1 ? key.subarray(open + 1, close) : key) & 16383;
}

function groups<T>(entries: readonly RdbEntry[], by: (entry: RdbEntry) => T): Map<T, RdbEntry[]> {
  const found = new Map<T, RdbEntry[]>();
  for (const entry of entries) found.set(by(entry), [...(found.get(by(entry)) ?? []), entry]);
  return found;
}

function checkSums(analysis: RdbAnalysis, entries: readonly RdbEntry[]): void {
  expect(analysis.total).toEqual({
    ...sums(entries),
    expires: expires(entries),
    keyNameBytes: sum(entries, ({ key }) => key.length),
    payloadBytes: sum(entries, ({ payloadBytes }) => payloadBytes),
  });
  const types = groups(entries, ({ type }) => type);
  expect(analysis.types.length).toBe(types.size);
  for (const { type, payloadBytes, expires: n, ...row } of analysis.types) {
    const mine = types.get(type)!;
    expect([type, row, n]).toEqual([type, sums(mine), expires(mine)]);
    expect(payloadBytes).toBe(sum(mine, (entry) => entry.payloadBytes));
  }
  const kinds = groups(entries, ({ type, encoding }) => `${type} ${encoding}`);
  expect(analysis.encodings.length).toBe(kinds.size);
  for (const { type, encoding, ...row } of analysis.encodings) {
    expect([type, encoding, row]).toEqual([
      type,
      encoding,
      sums(kinds.get(`${type} ${encoding}`)!),
    ]);
  }
  const databases = groups(entries, ({ db }) => db);
  expect(analysis.databases.map(({ db }) => db)).toEqual(
    [...databases.keys()].sort((a, b) => a - b),
  );
  for (const { db, expires: n, ...row } of analysis.databases) {
    expect([db, row, n]).toEqual([db, sums(databases.get(db)!), expires(databases.get(db)!)]);
  }
}

function checkExpiry({ expiry }: RdbAnalysis, entries: readonly RdbEntry[]): void {
  const none = entries.filter(({ expireAtMs }) => expireAtMs === undefined);
  expect(expiry.none).toEqual(sums(none));
  const past = entries.filter(({ expireAtMs }) => expireAtMs !== undefined && expireAtMs < NOW);
  expect(expiry.expired).toEqual(sums(past));
  for (const { from, to, keys, memoryBytes } of expiry.buckets) {
    const mine = entries.filter(({ expireAtMs = -1 }) => {
      const left = (expireAtMs - NOW) / 1000;
      return expireAtMs >= NOW && left >= from && (to === null || left < to);
    });
    expect([from, keys, memoryBytes]).toEqual([from, mine.length, sums(mine).memoryBytes]);
  }
}

const PICK: Record<string, (entry: RdbEntry) => number> = {
  memory: ({ memoryBytes }) => memoryBytes,
  file: ({ fileBytes }) => fileBytes,
  'key-name': ({ key }) => key.length,
  'largest-element': ({ largest }) => largest,
};

function checkHistograms({ histograms }: RdbAnalysis, entries: readonly RdbEntry[]): void {
  const names = new Set(histograms.map(({ of }) => of));
  for (const { of, buckets } of histograms) {
    const mine = entries.filter(({ type }) =>
      of === 'largest-element' ? type !== 'string' : PICK[of] !== undefined || type === of,
    );
    expect([of, buckets]).toEqual([of, bucketsOf(mine, PICK[of] ?? (({ count }) => count))]);
  }
  for (const { type } of entries) if (type !== 'other') expect(names).toContain(type);
}

function checkTop(analysis: RdbAnalysis, entries: readonly RdbEntry[]): void {
  const inOrder = (pick: (entry: RdbEntry) => number, from: readonly RdbEntry[]) =>
    [...from].sort((a, b) => pick(b) - pick(a) || a.offset - b.offset).map(({ offset }) => offset);
  const offsets = (rows: RdbAnalysis['topBySize']) => rows.map(({ offset }) => offset);
  const bySize = inOrder(({ memoryBytes }) => memoryBytes, entries);
  expect(offsets(analysis.topBySize)).toEqual(bySize.slice(0, 20));
  const collections = entries.filter(({ type }) => type !== 'string');
  const byLength = inOrder(({ count }) => count, collections);
  expect(offsets(analysis.topByLength)).toEqual(byLength.slice(0, 20));
  for (const row of analysis.topBySize) {
    const entry = entries.find(({ offset }) => offset === row.offset)!;
    const { db, type, encoding, memoryBytes, fileBytes, count, largest } = entry;
    expect(row).toMatchObject({ db, type, encoding, memoryBytes, fileBytes, count, largest });
    expect(row.expireAtMs).toBe(entry.expireAtMs ?? null);
    expect(row.keyBytes).toBe(entry.key.length);
  }
}

function checkPrefixes({ prefixes }: RdbAnalysis, entries: readonly RdbEntry[]): void {
  const found = new Map<string, RdbEntry[]>();
  for (const entry of entries) {
    const name = latin1(entry.key.subarray(0, 96));
    for (let i = 0, depth = 0; i < name.length && depth < 8; i++) {
      if (name[i] !== ':') continue;
      depth++;
      const prefix = name.slice(0, i + 1);
      found.set(prefix, [...(found.get(prefix) ?? []), entry]);
    }
  }
  const want = [...found].filter(([, mine]) => mine.length > 1);
  const bytesOf = ({ text, base64 }: { text: string; base64?: string }) =>
    base64 === undefined ? Buffer.from(text).toString('latin1') : atob(base64);
  const rows = new Map(prefixes!.rows.map((row) => [bytesOf(row.prefix), row]));
  expect([...rows.keys()].sort()).toEqual(want.map(([prefix]) => prefix).sort());
  for (const [prefix, mine] of want) {
    const { keys, memoryBytes, fileBytes, elements: n, ...row } = rows.get(prefix)!;
    expect([prefix, { keys, memoryBytes, fileBytes, elements: n }]).toEqual([prefix, sums(mine)]);
    expect(row.expires).toBe(expires(mine));
    const types = [...groups(mine, ({ type }) => type)].map(([type, list]) => [type, list.length]);
    expect(row.types).toEqual(Object.fromEntries(types));
    expect(row.missingMax).toBe(0);
  }
}

describe('what it says is what the keys say', () => {
  test.each(files)('%s', async (path) => {
    const bytes = readFileSync(path);
    const entries = await entriesOf(bytes);
    const analysis = await analyzeRdb(bytes, { nowMs: NOW });
    expect(analysis).toMatchObject({ bytesRead: bytes.length, damage: null, damaged: 0 });
    expect(analysis.bounds).toEqual([]);
    expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
    checkSums(analysis, entries);
    checkExpiry(analysis, entries);
    if (entries.length === 0) return;
    checkHistograms(analysis, entries);
    checkTop(analysis, entries);
    checkPrefixes(analysis, entries);
    const slots = groups(entries, ({ key }) => slotOf(key));
    expect(analysis.slots!.used).toBe(slots.size);
    for (const { slot, keys } of analysis.slots!.rows) expect(keys).toBe(slots.get(slot)!.length);
    const idle = entries.filter(({ idleSec }) => idleSec !== undefined);
    const freq = entries.filter(({ freq: n }) => n !== undefined);
    expect(analysis.idle).toEqual(idle.length ? bucketsOf(idle, (one) => one.idleSec!) : null);
    expect(analysis.frequency).toEqual(freq.length ? bucketsOf(freq, (one) => one.freq!) : null);
  });

  test('with filters: of those keys only', async () => {
    const bytes = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));
    const entries = (await entriesOf(bytes)).filter(({ memoryBytes }) => memoryBytes >= 100);
    expect(entries.length).toBeGreaterThan(3);
    checkSums(await analyzeRdb(bytes, { filter: { minBytes: 100 } }), entries);
    const two = await analyzeRdb(bytes, { filter: { limit: 2 } });
    expect(two.total.keys).toBe(2);
  });

  test('tables that are not wanted are not made', async () => {
    const bytes = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));
    const options = { top: 0, prefixes: false, slots: false, findings: false } as const;
    const analysis = await analyzeRdb(bytes, options);
    expect(analysis).toMatchObject({ topBySize: [], topByLength: [], prefixes: null, slots: null });
    expect(analysis.findings).toEqual([]);
    expect(analysis.total.keys).toBe(124);
  });
});

describe('the edges of buckets', () => {
  test('sizes: 0, 1, powers of two and the numbers beside them', async () => {
    const lengths = [0, 1, 2, 3, 4, 7, 8, 255, 256, 65_535, 65_536];
    const keys = lengths.map((n) => ({ name: `k${n}`, value: 'x'.repeat(n) }));
    const { histograms } = await analyzeRdb(madeRdb(keys));
    const strings = histograms.find(({ of }) => of === 'string')!.buckets;
    const filled = strings.filter(({ keys: n }) => n > 0);
    expect(filled.map(({ from, to, keys: n }) => [from, to, n])).toEqual([
      ...[
        [0, 1, 1],
        [1, 2, 1],
        [2, 4, 2],
        [4, 8, 2],
        [8, 16, 1],
        [128, 256, 1],
      ],
      ...[
        [256, 512, 1],
        [32_768, 65_536, 1],
        [65_536, 131_072, 1],
      ],
    ]);
    expect(strings).toHaveLength(18);
  });

  test('expiry: the limits belong to the bucket above', async () => {
    const at = [-1, 0, 59_999, 60_000, 3_599_999, 3_600_000, 31_535_999_999, 31_536_000_000];
    const keys = at.map((ms) => ({ name: `k${ms}`, value: 'x', expireAtMs: NOW + ms }));
    const { expiry } = await analyzeRdb(madeRdb(keys), { nowMs: NOW });
    expect(expiry.expired.keys).toBe(1);
    const filled = expiry.buckets.filter(({ keys: n }) => n > 0);
    expect(filled.map(({ from, to, keys: n }) => [from, to, n])).toEqual([
      ...[
        [0, 60, 2],
        [60, 600, 1],
        [600, 3600, 1],
        [3600, 21_600, 1],
      ],
      ...[
        [7_776_000, 31_536_000, 1],
        [31_536_000, null, 1],
      ],
    ]);
  });

  test('more databases than there are rows', async () => {
    const keys = Array.from({ length: 300 }, (_, db) => ({ name: 'k', value: 'x', db }));
    const { databases, bounds, total } = await analyzeRdb(madeRdb(keys));
    expect(databases).toHaveLength(256);
    expect(databases.reduce((n, row) => n + row.keys, 0)).toBe(300);
    expect(total.keys).toBe(300);
    expect(bounds).toMatchObject([{ table: 'databases', limit: 256 }]);
  });
});

describe('prefixes', () => {
  const names = (list: readonly { prefix: { text: string } }[]) =>
    list.map(({ prefix }) => prefix.text).sort();
  const stringsOf = (list: readonly string[]): MadeKey[] =>
    list.map((name) => ({ name, value: 'x' }));
  const many = (n: number, make: (i: number) => string) =>
    Array.from({ length: n }, (_, i) => make(i));

  test('found without separators', async () => {
    const prng = new Prng(seed);
    const hex = () => prng.u32().toString(16).padStart(8, '0');
    const keyspace = [
      ...many(400, (i) => `user${1000 + i}`),
      ...many(300, () => `session_${hex()}${hex()}`),
      ...many(200, (i) => `log-2026-01-${i}`),
      ...many(200, (i) => `shop:cart:${i}`),
      ...many(200, (i) => `shop:order:${i}:lines`),
      ...many(3, (i) => `rare${i}`),
    ];
    const { prefixes } = await analyzeRdb(madeRdb(stringsOf(keyspace)));
    expect(names(prefixes!.automatic)).toEqual(
      ['log-2026-01-', 'session_', 'shop:', 'shop:cart:', 'shop:order:', 'user'].sort(),
    );
    expect(prefixes!.automatic.find(({ prefix }) => prefix.text === 'shop:')!.keys).toBe(400);
    expect(prefixes!.automatic.find(({ prefix }) => prefix.text === 'user')!.keys).toBe(400);
  });

  test('other separators, depth, and a tree whose parts make the whole', async () => {
    const keyspace = [...many(50, (i) => `a/b.${i}`), ...many(30, (i) => `a/c.${i % 5}/${i}`)];
    const options = { prefixes: { separators: '/.', depth: 2 } };
    const { prefixes } = await analyzeRdb(madeRdb(stringsOf(keyspace)), options);
    expect(names(prefixes!.rows)).toEqual(['a/', 'a/b.', 'a/c.']);
    const { tree } = prefixes!;
    const [a] = tree.children;
    expect([tree.keys, tree.rest.keys, a!.keys, a!.rest.keys]).toEqual([80, 0, 80, 0]);
    expect(a!.children.map(({ keys }) => keys)).toEqual([50, 30]);
    expect(a!.children[1]!.rest.keys).toBe(30);
  });

  test('names that are no text, and very long ones', async () => {
    const long = 'p'.repeat(200);
    const keyspace = ['\xff\xfe:1', '\xff\xfe:2', `${long}:1`, `${long}:2`, 'é:1', 'é:2'];
    const file = madeRdb(stringsOf(keyspace));
    const { prefixes } = await analyzeRdb(file);
    const texts = prefixes!.rows.map(({ prefix }) => prefix);
    expect(texts).toContainEqual({ text: '\\xFF\\xFE:', base64: btoa('\xff\xfe:') });
    expect(texts).toHaveLength(2);
  });

  test('too few nodes: never too many keys, never more missing than said', async () => {
    const prng = new Prng(seed + 7);
    const keyspace = many(20_000, () => {
      const group = prng.below(4) === 0 ? prng.below(400) : prng.below(6);
      return `g${group}:${prng.below(1e6)}:${prng.below(10)}`;
    });
    const { prefixes, bounds } = await analyzeRdb(madeRdb(stringsOf(keyspace)), {
      prefixNodes: 300,
      prefixes: { keysMin: 1 },
    });
    expect(bounds.map(({ table }) => table)).toContain('prefixes');
    expect(prefixes!.tree.keys).toBe(20_000);
    for (const { prefix, keys, missingMax } of prefixes!.rows) {
      const real = keyspace.filter((name) => name.startsWith(prefix.text)).length;
      expect([prefix.text, keys <= real]).toEqual([prefix.text, true]);
      expect([prefix.text, keys + missingMax >= real]).toEqual([prefix.text, true]);
    }
    // what is large is found, and nearly exact
    for (let group = 0; group < 6; group++) {
      const real = keyspace.filter((name) => name.startsWith(`g${group}:`)).length;
      const row = prefixes!.rows.find(({ prefix }) => prefix.text === `g${group}:`)!;
      expect(row.keys).toBeGreaterThan(real * 0.95);
    }
  });
});

describe('the same whatever way the bytes come, and from damaged files', () => {
  const bytes = readFileSync(join(OWN, 'policy-allkeys-lru-redis8.0.6-rdb12.rdb'));
  const options: AnalyzeOptions = { nowMs: NOW };

  test('byte by byte and in random pieces', async () => {
    const want = await analyzeRdb(bytes, options);
    const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    expect(await analyzeRdb(single, options)).toEqual(want);
    const prng = new Prng(seed + 1);
    for (let round = 0; round < 10; round++) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = Math.min(bytes.length, at + prng.range(1, 700));
        pieces.push(bytes.subarray(at, end));
        at = end;
      }
      expect(await analyzeRdb(pieces, options)).toEqual(want);
    }
  });

  test('truncated anywhere: an error with an offset, or what came before', async () => {
    const prng = new Prng(seed + 2);
    const ends = Array.from({ length: 80 }, (_, i) => (i < 40 ? i : prng.below(bytes.length)));
    let last = 0;
    for (const end of ends.sort((a, b) => a - b)) {
      const cut = bytes.subarray(0, end);
      const error = await analyzeRdb(cut, options).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RespiteError);
      const analysis = await analyzeRdb(cut, { ...options, partial: true });
      expect(analysis.damage!.offset).toBeLessThanOrEqual(end);
      expect(analysis.damage!.message).toBe((error as RespiteError).message);
      expect(analysis.total.keys).toBeGreaterThanOrEqual(last);
      last = analysis.total.keys;
    }
    expect(last).toBeGreaterThan(0);
  });

  test('mutated: an analysis, or an error of ours', async () => {
    const prng = new Prng(seed + 3);
    for (let round = 0; round < 150; round++) {
      const copy = new Uint8Array(bytes);
      for (let n = prng.range(1, 4); n > 0; n--) copy[prng.below(copy.length)] = prng.below(256);
      const salvage = prng.below(2) === 0;
      const analysis = await analyzeRdb(copy, {
        ...options,
        ...{ checksum: false, partial: true, salvage },
      }).catch((reason: unknown) => reason);
      if (analysis instanceof RespiteError) {
        expect(analysis.code).toBe('ERR_RESPITE_OUT_OF_MEMORY');
      } else {
        expect((analysis as RdbAnalysis).total.keys).toBeLessThan(1e6);
      }
    }
  });
});
