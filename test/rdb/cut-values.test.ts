// elementBytesMax: long strings are cut where they are put together, so nobody holds them whole;
// everything else is the same as without.

import { expect, test } from 'vitest';
import { type RdbEntry, readRdb } from '../../host/rdb/read-rdb.js';
import { str } from '../support/rdb-build.js';

const LONG = 3 << 20;
const MAX = 500_000;
const SLACK = 256;

const long = Buffer.alloc(LONG, 'abcdefgh');
const FILE = Buffer.concat([
  ...[Buffer.from('REDIS0009'), Buffer.from([0xfe, 0])],
  ...[Buffer.from([0]), str('before'), str('small')],
  ...[Buffer.from([0]), str('long'), str(long)],
  ...[Buffer.from([4]), str('hash'), Buffer.from([2]), str('f'), str(long), str('g'), str('h')],
  ...[Buffer.from([0]), str('after'), str('small too')],
  ...[Buffer.from([0xff]), Buffer.alloc(8)],
]);

async function entriesOf(elementBytesMax?: number): Promise<RdbEntry[]> {
  const entries: RdbEntry[] = [];
  const options = { values: 'all', elementBytesMax } as const;
  for await (const entry of readRdb(FILE, options)) entries.push(entry);
  return entries;
}

/** Strings of an entry, one after the other. */
function strings({ elements }: RdbEntry): Uint8Array[] {
  return elements.flatMap((element) => {
    if (element.kind === 'string') return [element.value];
    return element.kind === 'field' ? [element.field, element.value] : [];
  });
}

test('strings are cut, facts are of the whole', async () => {
  const [whole, cut] = [await entriesOf(), await entriesOf(MAX)];
  expect(cut.map(({ key }) => Buffer.from(key).toString())).toEqual([
    ...['before', 'long', 'hash', 'after'],
  ]);
  for (const [i, entry] of cut.entries()) {
    const full = whole[i] as RdbEntry;
    const facts = ({ elements: _, read: __, ...rest }: RdbEntry) => rest;
    expect(facts(entry)).toEqual(facts(full));
    for (const [at, value] of strings(entry).entries()) {
      const all = strings(full)[at] as Uint8Array;
      expect(Buffer.from(all).subarray(0, value.length).equals(value)).toBe(true);
      if (all.length < MAX) expect(value.length).toBe(all.length);
      else expect(Math.abs(value.length - MAX)).toBeLessThan(SLACK);
    }
  }
});

test('strings that are cut are heard whole, in pieces', async () => {
  const heard = Buffer.alloc(LONG);
  let next = 0;
  const onLongString = (piece: Uint8Array, at: number, length: number) => {
    expect([at, length]).toEqual([next, LONG]);
    heard.set(piece, at);
    next += piece.length;
  };
  for await (const _ of readRdb(FILE, { values: 'all', elementBytesMax: MAX, onLongString })) {
    // only the callback matters
  }
  expect(next).toBe(LONG);
  expect(heard.equals(long)).toBe(true);
});

test('sizes are -1 until a value that is streamed was read', async () => {
  for await (const entry of readRdb(FILE, { values: 'stream' })) {
    expect([entry.count, entry.memoryBytes, entry.encoding]).toEqual([-1, -1, 'unknown']);
    for await (const _ of entry.read()) expect(entry.count).toBe(-1);
    expect(entry.count).toBeGreaterThan(0);
    expect(entry.encoding).not.toBe('unknown');
  }
});

test('a signal ends it before the next key', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const reading = async () => {
    for await (const _ of readRdb(FILE, { signal })) {
      count++;
      controller.abort();
    }
  };
  await expect(reading()).rejects.toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
  expect(count).toBe(1);
});
