// Escapes: every byte comes back, whatever it is and wherever a string is cut; the text is what its
// format demands.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  exportCsv,
  exportJson,
  exportKeys,
  type JsonEscape,
  unescapeText,
} from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { len, str } from '../support/rdb-build.js';
import { gathered, type Json, keysOf, latin1, recordsOf, textOf } from '../support/rdb-export.js';
import { ROOT } from '../support/servers.js';

const seed = runSeed();
const MODULES = ['rdb.wasm', 'rdb-scalar.wasm'];
const wasmOf = (name: string) => new Uint8Array(readFileSync(join(ROOT, 'build', name)));

/** A file of strings, without a checksum. */
function fileOf(pairs: readonly [Uint8Array, Uint8Array][]): Buffer {
  const keys = pairs.map(([key, value]) => Buffer.concat([Buffer.of(0), str(key), str(value)]));
  const head = Buffer.concat([Buffer.from('REDIS0009\xfe', 'latin1'), len(0)]);
  return Buffer.concat([head, ...keys, Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0])]);
}

/** What escapes stumble over. */
const PARTS = [
  ...['\\', '\\x', '\\xF', '\\xFF', '\\x5C', '\\\\x5c', '"', 'x41', '\n', '\r\n', '\0', '\x7f'],
  ...['é', '東京', '🚀', '\u2028', '\uffff', '\u0080', '\u{10ffff}', 'plain text, and more of it'],
].map((part) => Buffer.from(part));
const BROKEN = [
  ...[[0xff], [0xc0, 0x80], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x9a], [0x80]],
  ...[
    [0xf4, 0x90, 0x80, 0x80],
    [0xe0, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xf0, 0x80, 0x80],
  ],
].map((part) => Buffer.from(part));

/** Bytes of about `length`: random ones, or pieces that matter, or mostly plain text. */
function awkward(prng: Prng, length: number): Buffer {
  const kind = prng.below(4);
  if (kind === 0) return prng.bytes(length);
  const parts: Buffer[] = [];
  for (let at = 0; at < length; ) {
    const isPlain = kind === 1 && !prng.once(6);
    const some = isPlain
      ? Buffer.alloc(prng.below(40), 'a')
      : prng.pick(prng.once(3) ? BROKEN : PARTS);
    parts.push(some, prng.once(5) ? prng.bytes(1) : Buffer.alloc(0));
    at += some.length + 1;
  }
  return Buffer.concat(parts);
}

function pairs(prng: Prng, count: number, lengths: readonly number[]): [Buffer, Buffer][] {
  return Array.from({ length: count }, (_, i) => [
    Buffer.concat([Buffer.from(`${i} `), awkward(prng, prng.below(30))]),
    awkward(prng, prng.pick(lengths)),
  ]);
}

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

describe.each(MODULES)('JSON, %s', (name) => {
  const wasm = wasmOf(name);
  const lengths = [0, 1, 3, 7, 8, 15, 16, 17, 31, 33, 100, 1000];

  test.each(['utf8', 'latin1', 'base64'] as JsonEscape[])(
    '%s gives every byte back',
    async (how) => {
      const prng = new Prng(seed);
      for (let round = 0; round < 12; round++) {
        const want = pairs(prng, 150, lengths);
        const records = keysOf(
          recordsOf(await textOf(exportJson(fileOf(want), { wasm, escape: how }))),
        );
        for (const [i, [key, value]] of want.entries()) {
          const one = records[i] as Json;
          const back = [one.key, one.value].map((text) => latin1(unescapeText(text, how)));
          expect([seed, i, ...back]).toEqual([seed, i, latin1(key), latin1(value)]);
          const text = value.toString();
          if (how === 'utf8' && isUtf8(value) && !/\\x[0-9A-F]{2}/.test(text)) {
            expect(one.value).toBe(text);
          }
        }
      }
    },
  );

  test.each(['utf8', 'latin1', 'base64'] as JsonEscape[])('%s, cut into slices', async (how) => {
    const prng = new Prng(seed + 1);
    // long strings are written in slices of 32 KiB, from 64 KiB on
    for (let round = 0; round < 4; round++) {
      const want = pairs(prng, 4, [65_530, 65_537, 98_304, 131_072, 200_000]);
      want.push([awkward(prng, 70_000), awkward(prng, 70_000)]);
      const records = keysOf(
        recordsOf(await textOf(exportJson(fileOf(want), { wasm, escape: how }))),
      );
      for (const [i, [key, value]] of want.entries()) {
        const one = records[i] as Json;
        expect(latin1(unescapeText(one.key, how)) === latin1(key)).toBe(true);
        expect(latin1(unescapeText(one.value, how)) === latin1(value)).toBe(true);
      }
    }
  });

  test('every kind of cut', async () => {
    // the awkward part stands at every place around the end of a slice
    const values = [...PARTS, ...BROKEN].flatMap((part) =>
      Array.from({ length: 8 }, (_, i) =>
        Buffer.concat([Buffer.alloc(32_768 - i, 'a'), part, Buffer.alloc(40_000, 'b')]),
      ),
    );
    const file = fileOf(values.map((value, i) => [Buffer.from(String(i)), value]));
    const records = keysOf(recordsOf(await textOf(exportJson(file, { wasm }))));
    for (const [i, value] of values.entries()) {
      expect([i, latin1(unescapeText(records[i].value)) === latin1(value)]).toEqual([i, true]);
    }
  });
});

describe('names of keys', () => {
  const prng = new Prng(seed + 2);
  const want = pairs(prng, 400, [0]).map(([key]) => key);
  want.push(awkward(prng, 100_000), Buffer.alloc(0));
  const file = fileOf(want.map((key) => [key, Buffer.from('v')]));

  test.each(['utf8', 'repr', 'base64'] as const)('%s: a line each, and back again', async (how) => {
    const text = await textOf(exportKeys(file, { escape: how }));
    const lines = text.slice(0, -1).split('\n');
    expect(lines.map((line) => latin1(unescapeText(line, how)))).toEqual(want.map(latin1));
    const dbs = await textOf(exportKeys(file, { escape: how, db: true }));
    expect(dbs).toBe(lines.map((line) => `0\t${line}\n`).join(''));
  });

  test('as they are, with zero bytes between', async () => {
    const plain = want.filter((key) => !key.includes(0));
    const some = fileOf(plain.map((key) => [key, Buffer.from('v')]));
    const { bytes } = await gathered(exportKeys(some, { escape: 'raw', separator: 'nul' }));
    expect(latin1(bytes)).toBe(plain.map((key) => `${latin1(key)}\0`).join(''));
  });

  test('repr is what redis-cli prints', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const text = await textOf(exportKeys(fileOf([[all, all]]), { escape: 'repr' }));
    const start =
      '"\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\a\\b\\t\\n\\x0b\\x0c\\r\\x0e\\x0f\\x10\\x11';
    expect(text.slice(0, start.length)).toBe(start);
    expect(text.slice(-14)).toBe('\\xfd\\xfe\\xff"\n');
  });
});

/** Cells of CSV as RFC 4180 has them. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let cell = '';
    if (text[at] === '"') {
      let to = at + 1;
      for (;;) {
        to = text.indexOf('"', to);
        if (text[to + 1] !== '"') break;
        to += 2;
      }
      cell = text.slice(at + 1, to).replaceAll('""', '"');
      at = to + 1;
    } else {
      const to = /[,\n]/g;
      to.lastIndex = at;
      const end = to.exec(text)!.index;
      cell = text.slice(at, end);
      at = end;
    }
    row.push(cell);
    if (text[at++] === '\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

describe('CSV', () => {
  const prng = new Prng(seed + 3);
  const want = pairs(prng, 300, [0]).map(([key]) => key);
  want.push(awkward(prng, 100_000), Buffer.from('a,b'), Buffer.from('say "hi"'), Buffer.from(''));
  const file = fileOf(want.map((key) => [key, Buffer.from('v')]));

  test.each(['utf8', 'base64', 'raw'] as const)('%s: cells come back', async (how) => {
    const { bytes } = await gathered(exportCsv(file, { columns: 'go', escape: how }));
    const text = how === 'raw' ? latin1(bytes) : bytes.toString();
    const [head, ...rows] = parseCsv(text);
    expect(head).toEqual(
      'database,key,type,size,size_readable,element_count,encoding,expiration'.split(','),
    );
    const back = rows.map((row) => (how === 'raw' ? row[1]! : latin1(unescapeText(row[1]!, how))));
    expect(back).toEqual(want.map(latin1));
    for (const row of rows) expect(row).toHaveLength(8);
    if (how === 'utf8') expect(text.split('\n')).toHaveLength(want.length + 2);
  });
});
