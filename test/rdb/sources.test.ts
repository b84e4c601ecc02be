// What may be a source: bytes in every form that JavaScript has for them; and what may not.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  checkRdb,
  convertRdb,
  mergeRdb,
  type RdbBytes,
  type RdbSource,
} from '../../host/rdb-node.js';
import { ROOT } from '../support/servers.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
// of even length, for elements of two bytes: what is behind the end of an RDB is not read
const BYTES = Buffer.concat([readFileSync(FILE), Buffer.alloc(readFileSync(FILE).length % 2)]);

/** A buffer of its own, with something around the bytes. */
function padded(bytes: Uint8Array): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes.length + 16);
  new Uint8Array(buffer, 8).set(bytes);
  return buffer;
}

const SAME: Record<string, (bytes: Uint8Array) => RdbBytes> = {
  'a Uint8Array': (bytes) => new Uint8Array(padded(bytes), 8, bytes.length),
  'a Uint16Array': (bytes) => new Uint16Array(padded(bytes), 8, bytes.length / 2),
  'an Int8Array': (bytes) => new Int8Array(padded(bytes), 8, bytes.length),
  'a DataView': (bytes) => new DataView(padded(bytes), 8, bytes.length),
  'an ArrayBuffer': (bytes) => new Uint8Array(bytes).buffer,
  'a SharedArrayBuffer': (bytes) => {
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    return shared;
  },
  'a Uint8Array of another context': (bytes) =>
    runInNewContext('Uint8Array.from(list)', {
      list: [...bytes],
    }),
  'an ArrayBuffer of another context': (bytes) =>
    runInNewContext('Uint8Array.from(list).buffer', { list: [...bytes] }),
};

test.each(Object.keys(SAME))('%s, whole and as a piece', async (name) => {
  const make = SAME[name]!;
  const want = await checkRdb(BYTES);
  expect(want.keys).toBeGreaterThan(10);
  expect(await checkRdb(make(BYTES))).toEqual(want);
  const half = 2 * Math.floor(BYTES.length / 4);
  const pieces = [make(BYTES.subarray(0, half)), make(BYTES.subarray(half))];
  expect(await checkRdb(pieces)).toEqual(want);
  expect(await checkRdb(Readable.from(pieces))).toEqual(want);
  const lengths = await Promise.all(
    [BYTES, make(BYTES), pieces].map(async (source) => {
      let length = 0;
      for await (const block of convertRdb(source)) length += block.length;
      return length;
    }),
  );
  expect(new Set(lengths).size).toBe(1);
  // as often as they are wanted
  const merged = mergeRdb([make(BYTES), make(BYTES)], { duplicates: 'first', tableBytes: 512 });
  for await (const _block of merged);
  expect(merged.summary.keys).toBe(want.keys);
});

const text = Readable.from([BYTES], { objectMode: false });
text.setEncoding('latin1');
const locked = new Blob([BYTES]).stream();
locked.getReader();

const WRONG: Record<string, [source: unknown, message: RegExp]> = {
  null: [null, /it is null/],
  undefined: [undefined, /it is undefined/],
  'a number': [12, /it is a number/],
  'an object': [{}, /not known \(Object\); pass bytes/],
  'a promise': [Promise.resolve(BYTES), /await it/],
  'a response': [new Response(new Uint8Array(BYTES)), /pass its `body`/],
  'a locked stream': [locked, /locked/],
  'a stream of text': [text, /setEncoding/],
  'an iterable of text': [['REDIS0010'], /text, not bytes/],
  'an iterable of numbers': [[82, 69], /must be bytes, not number/],
  'an iterable of null': [[null], /must be bytes, not null/],
  'a pull that gives nothing': [{ pull: () => undefined }, /pull\(\)/],
  'a pull that gives too much': [{ pull: async () => 1e9 }, /pull\(\)/],
};

test.each(Object.keys(WRONG))('no source: %s', async (name) => {
  const [source, message] = WRONG[name]!;
  const error = await checkRdb(source as RdbSource).catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: 'ERR_RESPITE_INVALID_CONFIG',
    details: { option: 'source' },
  });
  expect(error.message).toMatch(message);
});

test.each(['http://x/dump.rdb', new URL('https://x/dump.rdb'), new URL('data:,REDIS')])(
  'an address that is not opened: %s',
  async (source) => {
    const error = await checkRdb(source).catch((thrown) => thrown);
    expect(error.code).toBe('ERR_RESPITE_UNSUPPORTED');
    expect(error.message).toMatch(/fetch\(\) it and pass the `body`/);
  },
);

test('files by their URL', async () => {
  const want = await checkRdb(FILE);
  expect(await checkRdb(new URL(`file://${FILE}`))).toEqual(want);
  expect(await checkRdb(`file://${FILE}`)).toEqual(want);
  const error = await checkRdb(new URL('file://elsewhere/dump.rdb')).catch((thrown) => thrown);
  expect(error.code).toBe('ERR_RESPITE_IO');
});
