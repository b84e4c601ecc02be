// Merging with a table that has not room for all names: in several passes, with the same result as
// in one.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type ConvertSource,
  type MergeOptions,
  mergeRdb,
  type RdbLoss,
  splitRdb,
} from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { key, len, rdb, str } from '../support/rdb-build.js';
import { RdbHarness } from '../support/rdb-harness.js';
import { collected, keysOf, text } from '../support/rdb-logical.js';
import { ROOT } from '../support/servers.js';

const h = new RdbHarness();
const rich = readFileSync(join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb'));
const OP_FUNCTION = 245;
const library = (code: string) => Buffer.concat([Buffer.from([OP_FUNCTION]), str(code)]);
const functions = (of: string) =>
  rdb(
    h,
    'REDIS0010',
    library(`#!lua name=same\nreturn 1`),
    library(`#!lua name=other\nreturn ${of}`),
  );
const seed = runSeed();

/** Bytes for the smallest table: 832 keys a pass. */
const SMALL = 1;
const KEYS = 5000;
const SALVAGED: MergeOptions = { duplicates: 'first', salvage: true };

/** Strings and lists of many sizes, in three databases; names are drawn from few. */
function source(r: Prng): Buffer {
  const parts: Buffer[] = [];
  for (let n = 0; n < KEYS; n++) {
    if (n % 1000 === 0) parts.push(Buffer.concat([Buffer.from([254]), len(r.below(3))]));
    const name = `key:${r.below(KEYS * 2)}`;
    const value = str(`${n}`.repeat(1 + r.below(40)));
    parts.push(
      r.once(3) ? key(1, name, Buffer.concat([len(2), value, value])) : key(0, name, value),
    );
  }
  return rdb(h, 'REDIS0010', ...parts);
}

interface Merged {
  keys: string[];
  losses: string[];
  written: number;
  libraries: number;
  error: unknown;
  /** How often sources were opened. */
  opened: number;
}

async function merged(
  sources: readonly Uint8Array[],
  options: MergeOptions,
  as: 'functions' | 'streams' = 'functions',
): Promise<Merged> {
  let opened = 0;
  const losses: string[] = [];
  const onLoss = ({ kind, db, key, count }: RdbLoss) =>
    losses.push(`${kind} ${db} ${text(key)} ${count}`);
  const given = sources.map((bytes): ConvertSource => {
    if (as === 'streams') return [bytes];
    return () => {
      opened++;
      return bytes;
    };
  });
  const run = mergeRdb(given, { ...options, onLoss });
  const { bytes, error } = await collected(run);
  const whole = error === undefined || options.salvage ? bytes : undefined;
  const read = whole === undefined ? [] : await keysOf(whole);
  const keys = read.map(({ at, value, expireAtMs }) => `${at} ${expireAtMs} ${value}`);
  const libraries = text(whole ?? Buffer.alloc(0)).split('#!lua name=').length - 1;
  const written = run.summary.keys;
  return { keys: keys.sort(), losses: losses.sort(), written, libraries, error, opened };
}

describe(`in several passes (seed ${seed})`, () => {
  const r = new Prng(seed);
  const many = [source(r), source(r), source(r)];
  const damaged = Buffer.from(many[1]!);
  damaged.subarray(60_000, 60_040).fill(0xee);
  const cases: [string, Uint8Array[], MergeOptions][] = [
    ['the first stays', many, { duplicates: 'first' }],
    ['the last stays', many, { duplicates: 'last' }],
    ['databases put together', many, { duplicates: 'first', mapDb: { 1: 0, 2: 0 } }],
    ['a filter by name', many, { duplicates: 'first', filter: { match: 'key:*[1357]*' } }],
    ['a filter by size', many, { duplicates: 'first', filter: { minBytes: 120 } }],
    ['a limit', many, { duplicates: 'first', filter: { limit: 4321 } }],
    ['a limit of large ones', many, { duplicates: 'last', filter: { limit: 1234, minBytes: 100 } }],
    ['another version', [rich, ...many, rich], { duplicates: 'first', version: 4 }],
    ['functions', [functions('1'), ...many, functions('2')], { duplicates: 'first' }],
    ['a file that is cut off', [many[0]!, many[1]!.subarray(0, 50_000), many[2]!], SALVAGED],
    ['a file that is damaged', [many[0]!, damaged, many[2]!], SALVAGED],
  ];

  test.each(cases)('%s', async (_, sources, options) => {
    const once = await merged(sources, options);
    expect(once.opened).toBe(sources.length);
    const small = await merged(sources, { ...options, tableBytes: SMALL });
    expect(small.opened).toBeGreaterThanOrEqual(sources.length * 2);
    const { opened: _opened, error, ...rest } = small;
    const { opened: _once, error: expected, ...wanted } = once;
    expect({ ...rest, error: String(error) }).toEqual({ ...wanted, error: String(expected) });
    expect(wanted.keys.length).toBeGreaterThan(900);
    expect(wanted.libraries).toBe(sources.length === 5 && options.version === undefined ? 2 : 0);
  });

  test('a name that comes twice is an error, whichever pass meets it', async () => {
    const none = await merged(many, { tableBytes: SMALL });
    expect(none.error).toMatchObject({ code: 'ERR_RESPITE_RDB_LOSS' });
    const names = Array.from({ length: 3000 }, (_, n) => key(0, `k${n}`, str('v')));
    for (const twice of [0, 700, 1500, 2999]) {
      const again = rdb(h, 'REDIS0010', key(0, `k${twice}`, str('w')));
      const { error } = await merged([rdb(h, 'REDIS0010', ...names), again], { tableBytes: SMALL });
      expect(error).toMatchObject({ details: { kind: 'duplicate', key: `k${twice}` } });
    }
  });

  test('sources that can be read once only: the table grows', async () => {
    const options: MergeOptions = { duplicates: 'first', tableBytes: SMALL };
    const { keys } = await merged(many, options, 'streams');
    expect(keys).toEqual((await merged(many, options)).keys);
  });

  test('parts by size', async () => {
    const bySize = async (tableBytes: number) => {
      const options = { duplicates: 'first', mapDb: { 1: 0, 2: 0 }, tableBytes } as const;
      const files = new Map<number, Buffer[]>();
      const run = splitRdb(many[0]!, { by: 'size', bytes: 40_000 }, options);
      for await (const { part, block } of run) {
        files.set(part.index, [...(files.get(part.index) ?? []), Buffer.from(block)]);
      }
      const keys: string[] = [];
      for (const blocks of files.values()) {
        for (const { at, value } of await keysOf(Buffer.concat(blocks)))
          keys.push(`${at} ${value}`);
      }
      return keys.sort();
    };
    expect(await bySize(SMALL)).toEqual(await bySize(0));
  });
});
