// Every mode of the toolkit over a file that ends anywhere, and over files that announce more than
// they hold: what came before is delivered, then there is an error with an offset, and memory stays
// small. Random damage is test/fuzz/rdb-tool.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TOOLS, ToolUnderTest } from '../fuzz/rdb-tool.js';
import { len, len64, lzf, str } from '../support/rdb-build.js';
import { ROOT } from '../support/servers.js';

const FILE = readFileSync(join(ROOT, 'test/rdb/data/nochecksum-redis8.0.6-rdb12.rdb'));
const PIECE = 1 << 18;

/** The offsets tried: all with RESPITE_EVERY_OFFSET=1, else enough to finish soon. */
const STEP = process.env.RESPITE_EVERY_OFFSET === undefined ? 5 : 1;

/** JSON that was cut off is closed and ends with a record of the error; without those. */
function withoutEnd(output: Buffer): Buffer {
  const at = output.lastIndexOf('{"type":"error"');
  return at < 0 ? output : output.subarray(0, at);
}

describe('truncated anywhere', () => {
  test.each(TOOLS.map((tool) => [tool.name, tool] as const))('%s', (_, tool) => {
    const subject = new ToolUnderTest(tool);
    const whole = subject.run(FILE, PIECE);
    expect(whole.error).toBeUndefined();
    let shortest = 0;
    for (let end = 0; end < FILE.length - 8; end += STEP) {
      const { output, error } = subject.run(FILE.subarray(0, end), PIECE);
      expect([end, error?.details.offset ?? 'no error']).toEqual([end, expect.any(Number)]);
      if (tool.partial === 'json') JSON.parse(output.toString());
      if (tool.partial !== 'prefix') continue;
      expect([end, whole.output.subarray(0, output.length).equals(output)]).toEqual([end, true]);
      // more of the file is never less of the output
      expect(output.length).toBeGreaterThanOrEqual(shortest);
      shortest = output.length;
    }
    expect(withoutEnd(whole.output).length).toBe(whole.output.length);
  });

  test.each(TOOLS.map((tool) => [tool.name, tool] as const))('in bytes: %s', (_, tool) => {
    const subject = new ToolUnderTest(tool);
    const whole = subject.run(FILE, PIECE);
    for (const most of [1, 3, 64, 1000]) {
      expect([most, subject.run(FILE, most).output.equals(whole.output)]).toEqual([most, true]);
    }
  });
});

const MAGIC = Buffer.from('REDIS0012', 'latin1');
const bytes = (...parts: (Buffer | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)));
const key = (type: number, ...value: (Buffer | number)[]): Buffer =>
  bytes(MAGIC, type, str('key'), ...value);
const HUGE = len64(1n << 40n);
/** 5 packed bytes that claim to be 440. */
const LZF_BOMB = lzf([0, 97, 0xe0, 255, 0], 1 << 30);

const BOMBS: [what: string, file: Buffer][] = [
  ['a string of 2^40 bytes', key(0, HUGE, Buffer.from('some'))],
  ['a string of 2^63 bytes', key(0, len64((1n << 63n) + 5n), Buffer.from('some'))],
  ['a name of 4 GB', bytes(MAGIC, 0, len(0xffff_ffffn), Buffer.from('name'))],
  ['a list of 2^40 elements', key(1, HUGE, str('a'), str('b'))],
  ['a set of 2^63 elements', key(2, len64((1n << 63n) - 1n), str('a'))],
  ['a hash of 2^40 fields', key(4, HUGE, str('f'), str('v'))],
  ['a sorted set of 2^40 members', key(5, HUGE, str('m'), Buffer.alloc(8))],
  ['a quicklist of 2^40 nodes', key(18, HUGE, len(1), str('a'))],
  ['a stream of 2^40 nodes', key(21, HUGE)],
  ['LZF of a gigabyte in five bytes', key(0, LZF_BOMB)],
  ['an LZF name of a gigabyte', bytes(MAGIC, 0, LZF_BOMB)],
  ['an LZF listpack of a gigabyte', key(16, LZF_BOMB)],
  ['a function of 2^40 bytes', bytes(MAGIC, 0xf5, HUGE, Buffer.from('#!lua'))],
  ['2^40 fields of a hash template', bytes(Buffer.from('REDIS0015'), 0xf2, len(1), HUGE)],
  ['a module value without end', key(7, len64(1n << 60n), 2, len(5), 2, len(5), 2)],
  ['a listpack that says 4 GB', key(16, str(Buffer.from('ffffffff0200', 'hex')))],
  ['an intset that says 2^32 numbers', key(11, str(Buffer.from('08000000ffffffff', 'hex')))],
  ['slots of 2^40 keys', bytes(MAGIC, 0xf4, len(1), HUGE, HUGE)],
  ['2^40 keys announced', bytes(MAGIC, 0xfe, 0, 0xfb, HUGE, HUGE)],
];

describe('more is announced than there is', () => {
  test.each(BOMBS)('%s', (_, file) => {
    for (const tool of TOOLS) {
      // it throws when memory grew beyond its bound
      const { error } = new ToolUnderTest(tool).run(file, PIECE);
      expect([tool.name, error?.details.offset ?? 'no error']).toEqual([
        tool.name,
        expect.any(Number),
      ]);
    }
  });
});
