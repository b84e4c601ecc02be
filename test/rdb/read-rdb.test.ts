// readRdb: what real servers' dumps hold, as users of the library see it; the same whatever way the
// bytes come, in pieces of any size, and an error with an offset for everything that is damaged.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  checkRdb,
  type RdbElement,
  type RdbEntry,
  type RdbSource,
  type ReadOptions,
  RespiteError,
  readRdb,
} from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { DATA, hasData } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const SERVERS = join(DATA, 'servers');
const OWN = join(ROOT, 'test/rdb/data');
const own = readdirSync(OWN).filter((name) => name.endsWith('.rdb'));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

async function all(source: RdbSource, options: ReadOptions = {}): Promise<RdbEntry[]> {
  const entries: RdbEntry[] = [];
  for await (const entry of readRdb(source, options)) entries.push(entry);
  return entries;
}

/** An entry's value as a truth file writes it. */
function plainValue({ type, elements }: RdbEntry): unknown {
  const texts = elements.map((element): unknown => {
    if (element.kind === 'field') return [text(element.field), text(element.value)];
    if (element.kind === 'member') return [text(element.member), element.score];
    if (element.kind === 'entry') {
      return [element.id, element.fields.flatMap((pair) => pair.map(text))];
    }
    return 'value' in element ? text(element.value as Uint8Array) : undefined;
  });
  if (type === 'string') return texts[0];
  if (type === 'stream') return texts.filter((one) => one !== undefined);
  if (type === 'zset') {
    const pairs = texts as [string, number][];
    return pairs.sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
  }
  if (type === 'list') return texts;
  return texts.sort();
}

function truthOf({ type, value }: { type: string; value: unknown }): unknown {
  if (type === 'set' || type === 'hash') return [...(value as unknown[])].sort();
  if (type !== 'zset') return value;
  const flat = value as string[];
  return flat.flatMap((member, i) =>
    i % 2 ? [] : [[member, Number(flat[i + 1]!.replace('inf', 'Infinity'))]],
  );
}

const truths = hasData
  ? readdirSync(SERVERS).filter((name) => name.endsWith('.truth.jsonl.gz'))
  : [];

describe.skipIf(truths.length === 0)('dumps of servers hold what the servers said', () => {
  test.each(truths)('%s', async (name) => {
    const lines = gunzipSync(readFileSync(join(SERVERS, name)))
      .toString()
      .trim()
      .split('\n');
    const truth = new Map(
      lines.map((line) => JSON.parse(line)).map((one) => [`${one.db} ${one.key}`, one]),
    );
    const file = readFileSync(join(SERVERS, name.replace('.truth.jsonl.gz', '.rdb')));
    const seen = new Set<string>();
    for (const entry of await all(file, { values: 'all' })) {
      const at = `${entry.db} ${text(entry.key)}`;
      const want = truth.get(at);
      // expired before the truth was taken
      if (want === undefined) continue;
      seen.add(at);
      if (entry.type === 'other') continue;
      expect([at, entry.type]).toEqual([at, want.type]);
      if (want.expireAt !== undefined) expect(entry.expireAtMs ?? -1).toBe(want.expireAt);
      expect([at, plainValue(entry)]).toEqual([at, truthOf(want)]);
      if (want.fieldExpireAt) {
        const fields = entry.elements.flatMap((element) =>
          element.kind === 'field' && element.expireAtMs !== undefined
            ? [[text(element.field), element.expireAtMs]]
            : [],
        );
        expect(fields.sort()).toEqual([...want.fieldExpireAt].sort());
        expect(entry.expiringFields).toBe(fields.length);
      }
    }
    expect([...truth.keys()].filter((at) => !seen.has(at))).toEqual([]);
  });
});

describe('the same whatever way the bytes come', () => {
  const name = 'nocompress-redis8.0.6-rdb12.rdb';
  const bytes = readFileSync(join(OWN, name));
  const shape = async (source: RdbSource, options: ReadOptions = {}) =>
    (await all(source, options)).map(({ elements: _, read: __, ...facts }) => facts);

  test('buffer, blob, web stream, Node stream, pieces', async () => {
    const want = await shape(bytes);
    expect(want.length).toBeGreaterThan(10);
    const copy = new Uint8Array(bytes);
    const ways: RdbSource[] = [
      ...[copy.buffer, new Blob([copy]), new Blob([copy]).stream() as ReadableStream<Uint8Array>],
      Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)]),
      [bytes.subarray(0, 1), bytes.subarray(1)],
    ];
    for (const way of ways) expect(await shape(way)).toEqual(want);
  });

  test('byte by byte, with values in every form', async () => {
    const want = await all(bytes, { values: 'all' });
    const pieces = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    const plain = (entries: RdbEntry[]) => entries.map(({ read: _, ...rest }) => rest);
    expect(plain(await all(pieces, { values: 'all' }))).toEqual(plain(want));
    let i = 0;
    for await (const entry of readRdb(bytes, { values: 'stream' })) {
      const elements: RdbElement[] = [];
      for await (const element of entry.read()) elements.push(element);
      const { elements: all, read: _, ...facts } = want[i++]!;
      expect(elements).toEqual(all);
      const { elements: __, read: ___, ...now } = entry;
      expect({ ...now, isWanted: true }).toEqual({ ...facts, isWanted: true });
    }
    expect(i).toBe(want.length);
  });

  test('values that nobody reads are passed over, and leaving early is the end', async () => {
    const keys: string[] = [];
    for await (const entry of readRdb(bytes, { values: 'stream' })) {
      keys.push(text(entry.key));
      for await (const _element of entry.read()) break;
    }
    expect(keys).toEqual((await all(bytes)).map(({ key }) => text(key)));
    for await (const _entry of readRdb(bytes)) break;
  });

  test('a large string comes whole, however often the output was full', async () => {
    const value = Buffer.alloc(3 << 20, 'respite ');
    const length = Buffer.alloc(5);
    length[0] = 0x80;
    length.writeUInt32BE(value.length, 1);
    const head = Buffer.from('REDIS0009\xfe\x00\x00\x03big', 'latin1');
    const file = Buffer.concat([head, length, value, Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0])]);
    const [entry] = await all(file, { values: 'all' });
    expect(entry).toMatchObject({ type: 'string', encoding: 'raw', count: value.length });
    expect(Buffer.from((entry!.elements[0] as { value: Uint8Array }).value).equals(value)).toBe(
      true,
    );
  });
});

describe('filters', () => {
  test.skipIf(!hasData)('every condition, alone and together', async () => {
    const file = readFileSync(join(SERVERS, 'types-redis7.0.15-rdb10.rdb'));
    const entries = await all(file);
    const keys = (list: RdbEntry[]) => list.map(({ db, key }) => `${db} ${text(key)}`);
    const check = async (filter: ReadOptions['filter'], wanted: (entry: RdbEntry) => boolean) => {
      const got = keys(await all(file, { filter }));
      expect(got).toEqual(keys(entries.filter(wanted)));
      expect(got.length).toBeGreaterThan(0);
      expect(got.length).toBeLessThan(entries.length);
    };
    await check({ db: 0 }, ({ db }) => db === 0);
    await check({ type: ['hash', 'list'] }, ({ type }) => type === 'hash' || type === 'list');
    await check({ match: 'str:*' }, ({ key }) => text(key).startsWith('str:'));
    await check({ not: ['str:*', 'hash:*'] }, ({ key }) => !/^(str|hash):/.test(text(key)));
    await check({ regex: /:ht$/ }, ({ key }) => /:ht$/.test(text(key)));
    await check({ noExpiry: true }, ({ expireAtMs }) => expireAtMs === undefined);
    await check({ expiresAfter: 1 }, ({ expireAtMs }) => expireAtMs !== undefined);
    await check({ minBytes: 10_000 }, ({ memoryBytes }) => memoryBytes >= 10_000);
    expect(await all(file, { filter: { limit: 3 } })).toHaveLength(3);
    const even = await all(file, { filter: { slots: [0, 8191] } });
    const odd = await all(file, { filter: { slots: [8192, 16383] } });
    expect(even.length + odd.length).toBe(entries.length);
  });
});

describe('facts of the file', () => {
  test.each(own)('%s', async (name) => {
    const file = await checkRdb(readFileSync(join(OWN, name)));
    expect(file.version).toBe(Number(/rdb(\d+)/.exec(name)![1]));
    expect(file.checksum).toBe(name.startsWith('nochecksum') ? 'disabled' : 'ok');
    expect(name).toContain(`redis${file.aux['redis-ver']}`);
  });
});

async function failureOf(
  bytes: Uint8Array,
  options?: ReadOptions,
): Promise<RespiteError | undefined> {
  try {
    for await (const _entry of readRdb(bytes, options));
    return undefined;
  } catch (error) {
    if (error instanceof RespiteError) return error;
    throw error;
  }
}

describe('damage', () => {
  const bytes = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));
  const seed = runSeed();

  test('truncated anywhere: an error with an offset, after what came before', async () => {
    const prng = new Prng(seed);
    const ends = Array.from({ length: 120 }, (_, i) => (i < 60 ? i : prng.below(bytes.length)));
    for (const end of ends) {
      const error = await failureOf(bytes.subarray(0, end), { values: 'all' });
      expect(error?.code).toBe('ERR_RESPITE_RDB_FORMAT');
      const { offset } = error!.details as { offset: number };
      expect(offset).toBeLessThanOrEqual(end);
    }
  });

  test('mutated bytes: an error, or a file that is whole', async () => {
    const prng = new Prng(seed + 1);
    for (let round = 0; round < 60; round++) {
      const copy = new Uint8Array(bytes);
      for (let n = prng.range(1, 4); n > 0; n--) copy[prng.below(copy.length)] = prng.below(256);
      for (const options of [{ checksum: false }, { checksum: false, salvage: true }]) {
        const error = await failureOf(copy, { ...options, values: 'all' });
        if (error) expect(error.code).toMatch(/^ERR_RESPITE_(RDB_FORMAT|OUT_OF_MEMORY)$/);
      }
    }
  });

  test('a signal ends it', async () => {
    const error = await failureOf(bytes, { signal: AbortSignal.abort() });
    expect(error?.code).toBe('ERR_RESPITE_ABORTED');
  });
});
