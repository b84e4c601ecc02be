// Values of readRdb where its users go other ways than straight on: entries kept for later, values
// read in part, too late or not at all, damage inside one, and names longer than what is kept of
// elements. What the file says of itself as text.

import { describe, expect, test } from 'vitest';
import {
  analyzeRdb,
  convertRdb,
  diffRdb,
  type RdbEntry,
  type RdbReading,
  type ReadOptions,
  readRdb,
  readRdbInfo,
} from '../../host/rdb/index.js';
import { key, len, listpack, str } from '../support/rdb-build.js';

const MAGIC = Buffer.from('REDIS0010');
const END = Buffer.concat([Buffer.from([0xff]), Buffer.alloc(8)]);
const file = (...parts: Uint8Array[]) => Buffer.concat([MAGIC, ...parts, END]);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const string = (name: string, value: string) => key(0, name, str(value));
const list = (name: string, ...values: string[]) =>
  key(1, name, len(values.length), ...values.map((value) => str(value)));
const quicklist = (name: string, ...nodes: Uint8Array[]) =>
  key(18, name, len(nodes.length), ...nodes.flatMap((node) => [Buffer.from([2]), str(node)]));

const THREE = file(string('a', 'one'), list('b', 'x', 'y', 'z'), string('c', 'three'));

async function valuesOf(entry: RdbEntry): Promise<string[]> {
  const values: string[] = [];
  for await (const element of entry.read()) {
    values.push('value' in element ? text(element.value) : element.kind);
  }
  return values;
}

/** Each key with its value, or the code of what ended reading that. */
async function told(reading: RdbReading): Promise<string[]> {
  const lines: string[] = [];
  for await (const entry of reading) {
    const value = await valuesOf(entry).catch((error) => error.code);
    lines.push(`${text(entry.key)}: ${value}`);
  }
  return lines;
}

describe('read()', () => {
  test.each(['all', 'stream'] as const)('%s: the value of its own entry', async (values) => {
    expect(await told(readRdb(THREE, { values }))).toEqual(['a: one', 'b: x,y,z', 'c: three']);
  });

  test('all: of entries kept for later, and more than once', async () => {
    const entries: RdbEntry[] = [];
    for await (const entry of readRdb(THREE, { values: 'all' })) entries.push(entry);
    for (const _ of [1, 2]) {
      expect(await Promise.all(entries.map(valuesOf))).toEqual([
        ['one'],
        ['x', 'y', 'z'],
        ['three'],
      ]);
    }
  });

  test('stream: refused when the iteration has gone on, with no value lost', async () => {
    const entries: RdbEntry[] = [];
    for await (const entry of readRdb(THREE, { values: 'stream' })) entries.push(entry);
    for (const entry of entries) {
      await expect(valuesOf(entry)).rejects.toMatchObject({ code: 'ERR_RESPITE_CLOSED' });
    }
  });

  test('stream: goes on where it was left, and the rest is passed over', async () => {
    const seen: string[] = [];
    for await (const entry of readRdb(THREE, { values: 'stream' })) {
      expect(Object.keys(entry)).not.toContain('isWanted');
      for await (const element of entry.read()) {
        seen.push(text((element as { value: Uint8Array }).value));
        break;
      }
      if (text(entry.key) === 'b') seen.push(`then ${await valuesOf(entry)}`);
    }
    expect(seen).toEqual(['one', 'x', 'then y,z', 'three']);
  });

  test('none: refused, and says how to ask for values', async () => {
    for await (const entry of readRdb(THREE)) {
      const refusal = { code: 'ERR_RESPITE_INVALID_CONFIG', details: { option: 'values' } };
      await expect(valuesOf(entry)).rejects.toMatchObject(refusal);
    }
  });
});

describe('damage', () => {
  const bad = Buffer.from(listpack(['three', 'four']));
  bad[6] = 0xf0;
  const damaged = file(
    string('a', 'one'),
    quicklist('l', listpack(['one', 'two']), bad),
    string('k', 'v'),
  );

  test('a value that salvage leaves out ends with an error where it is streamed', async () => {
    const reading = readRdb(damaged, { salvage: true, values: 'stream' });
    const error = 'ERR_RESPITE_RDB_FORMAT';
    expect(await told(reading)).toEqual(['a: one', `l: ${error}`, 'k: v']);
    expect(reading.damaged).toBe(1);
    for await (const entry of readRdb(damaged, { salvage: true, values: 'stream' })) {
      if (text(entry.key) !== 'l') continue;
      const details = { offset: entry.offset, key: 'l', db: 0 };
      await expect(valuesOf(entry)).rejects.toMatchObject({ code: error, details });
    }
  });

  test('and is passed over where nobody reads it', async () => {
    const reading = readRdb(damaged, { salvage: true, values: 'stream' });
    const keys: string[] = [];
    for await (const entry of reading) keys.push(text(entry.key));
    expect([keys, reading.damaged]).toEqual([['a', 'l', 'k'], 1]);
  });

  test('met in read() ends the iteration, too', async () => {
    const cut = THREE.subarray(0, THREE.length - END.length - 2);
    const lines: string[] = [];
    const run = async () => {
      for await (const entry of readRdb(cut, { values: 'stream' })) {
        lines.push(`${text(entry.key)}: ${await valuesOf(entry).catch((error) => error.code)}`);
      }
    };
    const code = 'ERR_RESPITE_RDB_FORMAT';
    await expect(run()).rejects.toMatchObject({ code });
    expect(lines).toEqual(['a: one', 'b: x,y,z', `c: ${code}`]);
  });
});

test('names are whole whatever is kept of elements', async () => {
  const name = 'k'.repeat(3_000_000);
  const source = file(string(name, 'v'.repeat(3_000_000)), string(`${name}2`, 'w'));
  const ways: ReadOptions[] = [{}, { values: 'all' }, { values: 'stream' }];
  for (const way of ways) {
    const lengths: number[] = [];
    for await (const entry of readRdb(source, { ...way, elementBytesMax: 1000 })) {
      lengths.push(entry.key.length);
    }
    expect(lengths).toEqual([3_000_000, 3_000_001]);
  }
});

test.each([
  ['hello\n', 'not an RDB file', 0],
  ['RED', 'unexpected end of file', 3],
  ['VALKEY0', 'unexpected end of file', 7],
  ['VALK!', 'not an RDB file', 0],
  ['', 'unexpected end of file', 0],
])('%j is told for what it is', async (bytes, reason, offset) => {
  const details = { reason, offset };
  await expect(readRdbInfo(Buffer.from(bytes))).rejects.toMatchObject({ details });
});

test('a lone star is for all names, the empty one too, as for KEYS', async () => {
  const source = file(string('', 'x'), string('a', 'y'));
  const names = async (filter: ReadOptions['filter']) => {
    const found: string[] = [];
    for await (const entry of readRdb(source, { filter })) found.push(text(entry.key));
    return found;
  };
  expect(await names({ match: '*' })).toEqual(['', 'a']);
  expect(await names({ match: '**' })).toEqual(['a']);
  expect(await names({ not: '*' })).toEqual([]);
});

test('text of the file is UTF-8, or else a character for each byte', async () => {
  const source = '#!lua name=l\n-- ünïcode';
  const aux = (name: string, value: string | Uint8Array) =>
    Buffer.concat([Buffer.from([250]), str(Buffer.from(name)), str(value)]);
  const info = await readRdbInfo(
    file(
      aux('grüße', Buffer.from('ж')),
      aux('__proto__', 'own'),
      aux('odd', Uint8Array.of(0xff, 0x41)),
      Buffer.concat([Buffer.from([245]), str(Buffer.from(source))]),
    ),
  );
  expect(Object.entries(info.aux)).toEqual([
    ['grüße', 'ж'],
    ['__proto__', 'own'],
    ['odd', '\u00ffA'],
  ]);
  expect(info.functions).toEqual([source]);
  expect(Object.keys((await analyzeRdb(file())).file.aux)).toEqual([]);
});

test('a second iteration is refused: sums would count twice', async () => {
  const closed = { code: 'ERR_RESPITE_CLOSED' };
  const reading = readRdb(THREE);
  const conversion = convertRdb(THREE, { version: 9 });
  const diff = diffRdb(
    () => THREE,
    () => THREE,
  );
  for (const once of [reading, conversion, diff]) {
    const drain = async () => {
      for await (const _ of once);
    };
    await drain();
    await expect(drain()).rejects.toMatchObject(closed);
  }
  expect(reading.file.databases).toEqual([{ db: 0, keys: 3, expires: 0 }]);
  expect(diff.counts.same).toBe(3);
});
