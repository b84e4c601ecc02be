// Strings that are packed (LZF) are unpacked as they arrive.

import { describe, expect, test } from 'vitest';
import { readRdb } from '../../host/rdb/read-rdb.js';
import { Prng } from '../support/prng.js';
import { len, str } from '../support/rdb-build.js';

const MB = 1 << 20;
const MAGIC = Buffer.from('REDIS0010', 'latin1');
/** EOF, no checksum. */
const END = Buffer.concat([Buffer.from([0, ...str('after'), ...str('it')]), Buffer.from([255])]);
const FOOT = Buffer.alloc(8);

/** Codes of LZF and what they stand for, of about `bytes` packed bytes. */
function lzfCodes(r: Prng, bytes: number): { packed: Buffer; full: Buffer } {
  const packed: number[] = [];
  const full: number[] = [];
  while (packed.length < bytes) {
    if (full.length < 300 || r.once(2)) {
      const run = r.bytes(r.range(1, 32));
      packed.push(run.length - 1, ...run);
      full.push(...run);
      continue;
    }
    const back = r.range(1, Math.min(full.length, r.once(3) ? 8 : 8192));
    const count = r.once(4) ? r.range(9, 264) : r.range(3, 8);
    const high = (back - 1) >> 8;
    if (count > 8) packed.push((7 << 5) | high, count - 9, (back - 1) & 255);
    else packed.push(((count - 2) << 5) | high, (back - 1) & 255);
    for (let i = 0; i < count; i++) full.push(full[full.length - back]!);
  }
  return { packed: Buffer.from(packed), full: Buffer.from(full) };
}

const packedString = (packed: Buffer, full: number) =>
  Buffer.concat([Buffer.from([0xc3]), len(packed.length), len(full), packed]);

describe('packed strings that are unpacked as they arrive', () => {
  const { packed, full } = lzfCodes(new Prng(7), 1.3 * MB);
  const file = (value: Buffer) =>
    Buffer.concat([MAGIC, Buffer.from([0]), str('key'), value, END, FOOT]);

  async function stringOf(bytes: Buffer, most: number): Promise<Uint8Array | undefined> {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += most) pieces.push(bytes.subarray(at, at + most));
    for await (const entry of readRdb(pieces, { values: 'all' })) {
      const [first] = entry.elements;
      return first?.kind === 'string' ? first.value : undefined;
    }
    return undefined;
  }

  test.each([997, 65_536, 262_144, 1 << 30])('in pieces of %i bytes', async (most) => {
    const value = await stringOf(file(packedString(packed, full.length)), most);
    expect(value?.length).toBe(full.length);
    expect(full.equals(value!)).toBe(true);
  });

  test.each([
    ['one byte more is announced', packedString(packed, full.length + 1)],
    ['one byte less is announced', packedString(packed, full.length - 1)],
    [
      'a reference in front of the beginning',
      packedString(Buffer.concat([Buffer.from([0x20, 9]), packed]), full.length + 3),
    ],
    [
      'a code that is cut off',
      packedString(Buffer.concat([packed, Buffer.from([31])]), full.length),
    ],
  ])('%s: an error with an offset', async (_, value) => {
    const failure = await stringOf(file(value), 65_536).catch((error) => error);
    expect(failure.code).toBe('ERR_RESPITE_RDB_FORMAT');
    expect(failure.details.offset).toBe(14);
  });
});
