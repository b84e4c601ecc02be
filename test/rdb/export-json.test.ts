// exportJson: the same as readRdb tells key by key, what servers and other projects say of the same
// files, valid JSON whatever happens.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { exportJson, type JsonEscape, readRdb } from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { rareFiles } from '../support/rdb-build.js';
import {
  expectSameKeys,
  expectStream,
  gathered,
  type Json,
  keysOf,
  latin1,
  plainEntryOf,
  plainRecordOf,
  recordsOf,
  scoreText,
  sortedTexts,
  textOf,
} from '../support/rdb-export.js';
import { DATA, hasData, RdbHarness } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const SERVERS = join(DATA, 'servers');
const FIXTURES = join(DATA, 'fixtures');
const OWN = join(ROOT, 'test/rdb/data');
const ESCAPES: JsonEscape[] = ['utf8', 'latin1', 'base64'];
const seed = runSeed();

/** Every file at hand: ours, hand-made ones, the servers' and other projects'. */
function everyFile(): [name: string, bytes: Buffer][] {
  const below = (dir: string) =>
    readdirSync(dir, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.rdb'))
      .map((name): [string, Buffer] => [name, readFileSync(join(dir, name))]);
  const shared = hasData ? [...below(SERVERS), ...below(FIXTURES)] : [];
  return [...below(OWN), ...rareFiles(new RdbHarness()), ...shared];
}

describe('the same as readRdb, in every form and escape', () => {
  test.each(everyFile())('%s', async (_name, bytes) => {
    const options = { allowFuture: true, checksum: false };
    const want = [];
    try {
      for await (const entry of readRdb(bytes, { ...options, values: 'all' })) {
        want.push(plainEntryOf(entry));
      }
    } catch {
      // damaged on purpose: what came before counts
    }
    // negative expiries are none to readRdb
    const since = (at: number | undefined) => (at !== undefined && at < 0 ? undefined : at);
    for (const how of ESCAPES) {
      const large = how === 'utf8' ? ['array'] : ['lines'];
      const forms = bytes.length > 100_000 ? large : ['array', 'lines'];
      for (const form of forms as ('array' | 'lines')[]) {
        const { bytes: text } = await gathered(
          exportJson(bytes, { ...options, escape: how, form }),
        );
        const records = recordsOf(new TextDecoder('utf-8', { fatal: true }).decode(text));
        const whole = keysOf(records).filter((one) => !one.damaged);
        expectSameKeys(
          whole
            .map((one) => plainRecordOf(one, how))
            .map((one) => ({ ...one, expireAt: since(one.expireAt) })),
          want,
        );
        expect(records[0].type).toBe('rdb');
        expect(records.at(-1).type).toMatch(/^(end|error)$/);
      }
    }
  });
});

const truths = hasData
  ? readdirSync(SERVERS).filter((name) => name.endsWith('.truth.jsonl.gz'))
  : [];

/** A server's word on a key, with hashes and sorted sets as sorted pairs. */
function truthValue({ type, value, fieldExpireAt }: Json): unknown {
  if (type === 'set') return [...value].sort();
  if (type === 'hash') {
    const times = new Map(fieldExpireAt ?? []);
    const pair = ([field, v]: string[]) =>
      times.has(field) ? [field, v, times.get(field)] : [field, v];
    return sortedTexts(value.map(pair));
  }
  if (type !== 'zset') return value;
  return sortedTexts(
    (value as string[])
      .flatMap((member, i) =>
        i % 2 ? [] : [[member, Number(value[i + 1].replace('inf', 'Infinity'))]],
      )
      .map(([member, score]) => [member, scoreText((score as number) + 0)]),
  );
}

describe.skipIf(truths.length === 0)('what the servers said of their own dumps', () => {
  test.each(truths)('%s', async (name) => {
    const file = name.replace('.truth.jsonl.gz', '.rdb');
    const text = await textOf(exportJson(readFileSync(join(SERVERS, file))));
    const records = recordsOf(text);
    const keys = new Map(
      keysOf(records).map((one) => {
        const plain = plainRecordOf(one);
        return [`${plain.db} ${plain.key}`, plain];
      }),
    );
    const truth = gunzipSync(readFileSync(join(SERVERS, name)))
      .toString()
      .trim()
      .split('\n');
    for (const line of truth) {
      const want = JSON.parse(line);
      const at = `${want.db} ${want.key}`;
      const got = keys.get(at);
      expect([at, got === undefined]).toEqual([at, false]);
      if (want.expireAt !== undefined) expect(got!.expireAt ?? -1).toBe(want.expireAt);
      if (want.type === 'vectorset') {
        expect(got!.type).toBe('other');
        continue;
      }
      expect([at, got!.type]).toEqual([at, want.type]);
      if (want.type === 'stream') {
        const stream = got!.value as Json;
        expect([at, stream.entries]).toEqual([at, want.value]);
        expectStream(stream, want.info);
      } else if (want.type === 'zset') {
        // redis 7 says 0 for -0
        const zero = (got!.value as string[]).map((pair) => pair.replace(/"-0"\]$/, '"0"]'));
        expect([at, zero.sort()]).toEqual([at, truthValue(want)]);
      } else {
        expect([at, got!.value]).toEqual([at, truthValue(want)]);
      }
    }
    const functions = join(SERVERS, file.replace('.rdb', '.functions.txt'));
    if (!existsSync(functions)) return;
    const source = readFileSync(functions, 'latin1');
    for (const one of records.filter(({ type }) => type === 'function')) {
      expect(source).toContain(one.code.trim());
    }
  });
});

const librdb = join(FIXTURES, 'librdb/test/dumps');
/** Name of the dump → what librdb's own JSON is named; where they differ at all. */
const LIBRDB_NAMES: Record<string, string> = {
  plain_hash: 'hash_v3',
  hash: 'hash_v3',
  single_list: '',
  ziplist: 'ziplist_v3',
  hash_ex_v12: 'hash_with_expire_v12',
  hash_lp_ex_v12: 'hash_lp_with_hexpire_v12',
  module_aux: '',
  module: '',
};
const expected = hasData
  ? readdirSync(librdb).filter((name) => name.endsWith('_data.json') && !name.startsWith('stream'))
  : [];

describe.skipIf(expected.length === 0)('the flat form is what librdb expects of its dumps', () => {
  const pairs = expected
    .map((name) => [name, LIBRDB_NAMES[name.slice(0, -10)] ?? name.slice(0, -10)])
    .filter(([, dump]) => existsSync(join(librdb, `${dump}.rdb`))) as [string, string][];
  test('there are some', () => expect(pairs.length).toBeGreaterThan(15));

  test.each(pairs)('%s', async (name, dump) => {
    const wanted = readFileSync(join(librdb, name), 'utf8').trim();
    const want: Json = JSON.parse(wanted.startsWith('[') ? wanted : `[{${wanted}}]`);
    for (const db of want) for (const one of ['__aux__', '__func__']) delete db[one];
    const text = await textOf(
      exportJson(readFileSync(join(librdb, `${dump}.rdb`)), { form: 'flat', escape: 'latin1' }),
    );
    // librdb writes scores as texts of %.17g, and -0 as 0
    const same = (value: Json): Json =>
      typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value).map(([k, v]) => [k, Number.isNaN(Number(v)) ? v : Number(v) + 0]),
          )
        : value;
    const plain = (dbs: Json[]) =>
      dbs.map((db) => Object.fromEntries(Object.entries(db).map(([k, v]) => [k, same(v)])));
    expect(plain(JSON.parse(text))).toEqual(plain(want));
  });
});

describe('the same whatever way the bytes come', () => {
  const small = readdirSync(OWN).filter((name) => name.endsWith('.rdb'));
  test.each(small)('%s', async (name) => {
    const bytes = readFileSync(join(OWN, name));
    const want = await textOf(exportJson(bytes));
    const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    expect(await textOf(exportJson(single))).toBe(want);
    const prng = new Prng(seed);
    for (let round = 0; round < 10; round++) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < bytes.length; ) {
        const length = prng.range(1, prng.pick([4, 60, 900]));
        pieces.push(bytes.subarray(at, at + length));
        at += length;
      }
      expect(await textOf(exportJson(pieces))).toBe(want);
    }
  });
});

describe('damage', () => {
  const bytes = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));

  test('truncated anywhere: what came before, the offset, valid JSON', async () => {
    const whole = recordsOf(await textOf(exportJson(bytes)));
    const prng = new Prng(seed);
    const ends = Array.from({ length: 250 }, (_, i) => (i < 60 ? i : prng.below(bytes.length)));
    for (const end of ends) {
      const { bytes: text, error } = await gathered(exportJson(bytes.subarray(0, end)));
      const records = JSON.parse(text.toString()) as Json[];
      const last = records.pop();
      expect(error?.code).toBe('ERR_RESPITE_RDB_FORMAT');
      expect(last.type).toBe('error');
      expect(last.offset).toBe((error!.details as { offset: number }).offset);
      expect(last.offset).toBeLessThanOrEqual(end);
      if (records.at(-1)?.damaged) records.pop();
      expect(records).toEqual(whole.slice(0, records.length));
    }
    for (const form of ['lines', 'flat'] as const) {
      for (const end of ends.slice(50, 100)) {
        const { bytes: text } = await gathered(exportJson(bytes.subarray(0, end), { form }));
        if (form === 'flat') JSON.parse(text.toString());
        else recordsOf(text.toString());
      }
    }
  });

  test('mutated bytes: valid JSON in every form, salvaged or not', async () => {
    const prng = new Prng(seed + 1);
    for (let round = 0; round < 300; round++) {
      const copy = new Uint8Array(bytes);
      for (let n = prng.range(1, 4); n > 0; n--) copy[prng.below(copy.length)] = prng.below(256);
      const form = prng.pick(['array', 'lines', 'flat'] as const);
      const how = prng.pick(ESCAPES);
      const options = { form, escape: how, checksum: false, salvage: prng.once(2) };
      const { bytes: text, error } = await gathered(exportJson(copy, options));
      if (error) expect(error.code).toMatch(/^ERR_RESPITE_(RDB_FORMAT|OUT_OF_MEMORY)$/);
      const plain = new TextDecoder('utf-8', { fatal: true }).decode(text);
      if (form === 'lines') recordsOf(plain);
      else JSON.parse(plain);
    }
  });

  test('salvage: the damaged value is named, the rest is there', async () => {
    // the listpack of a hash: its first entry becomes nonsense
    const at = bytes.indexOf('h:20');
    expect(bytes[at - 2]).toBe(16);
    const copy = Buffer.from(bytes);
    copy[at + 4 + 1 + 6] = 0xff;
    const options = { checksum: false, salvage: true };
    const { bytes: out, error } = await gathered(exportJson(copy, options));
    expect(error).toBeUndefined();
    const records = JSON.parse(out.toString()) as Json[];
    const damaged = records.filter((one) => one.damaged);
    expect(damaged.map(({ key }) => key)).toEqual(['h:20']);
    const all = keysOf(recordsOf(await textOf(exportJson(bytes))));
    expect(keysOf(records).length).toBe(all.length);
    const strict = await gathered(exportJson(copy, { checksum: false }));
    expect(strict.error?.code).toBe('ERR_RESPITE_RDB_FORMAT');
  });
});

describe('options', () => {
  const bytes = readFileSync(join(OWN, 'nocompress-redis8.0.6-rdb12.rdb'));

  test('keysOnly, sizes, and a filter by size', async () => {
    const all = recordsOf(await textOf(exportJson(bytes, { keysOnly: true, sizes: true })));
    expect(keysOf(all)).toEqual(all);
    const facts = [];
    for await (const entry of readRdb(bytes)) facts.push(entry);
    expect(
      all.map(({ count, largest, fileBytes, memoryBytes }) => [
        count,
        largest,
        fileBytes,
        memoryBytes,
      ]),
    ).toEqual(facts.map((one) => [one.count, one.largest, one.fileBytes, one.memoryBytes]));
    for (const minBytes of [80, 150, 400, 100_000]) {
      for (const form of ['array', 'lines'] as const) {
        const options = { keysOnly: true, sizes: true, form, filter: { minBytes } };
        const text = await textOf(exportJson(bytes, options));
        const some = text === '' ? [] : recordsOf(text);
        expect(some).toEqual(all.filter((one) => one.memoryBytes >= minBytes));
      }
      const flat = await textOf(exportJson(bytes, { form: 'flat', filter: { minBytes } }));
      const wanted = all.filter((one) => one.memoryBytes >= minBytes);
      const dbs = JSON.parse(flat) as Json[];
      expect(dbs.flatMap((db) => Object.keys(db)).sort()).toEqual(
        wanted.map(({ key }) => key).sort(),
      );
    }
  });

  test('one after the other, and left early', async () => {
    const text = exportJson(bytes);
    for await (const _block of text) break;
    expect([text.damaged, text.leftOut.counts]).toEqual([0, {}]);
    expect(await textOf(exportJson(bytes))).toBe(await textOf(exportJson(bytes)));
  });

  test('a limit ends well', async () => {
    const records = recordsOf(await textOf(exportJson(bytes, { filter: { limit: 3 } })));
    expect(keysOf(records)).toHaveLength(3);
    expect(records.at(-1)).toEqual({ type: 'end', checksum: 'unchecked' });
  });

  test('records about the file', async () => {
    const records = recordsOf(await textOf(exportJson(bytes)));
    expect(records[0]).toEqual({ type: 'rdb', version: 12 });
    expect(records[1]).toEqual({ type: 'aux', name: 'redis-ver', value: '8.0.6' });
    expect(records.at(-1)).toEqual({ type: 'end', checksum: 'ok' });
    const [first] = records.filter(({ type }) => type === 'db');
    expect(first).toEqual({ type: 'db', db: 0, keys: 124, expires: first.expires });
    const base64 = recordsOf(await textOf(exportJson(bytes, { escape: 'base64' })));
    expect(latin1(Buffer.from(base64[1].name, 'base64'))).toBe('redis-ver');
  });
});
