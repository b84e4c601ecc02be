// One very long string: packed ones are unpacked as they arrive, and whatever its length, the core
// holds no more than the value and a little, and nothing of it where only lengths are asked for.
// RESPITE_LARGE_MB=512 makes them as large as Redis allows; npm test takes small ones.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Inspector } from '../../host/core/inspector.js';
import { readRdb } from '../../host/rdb/read-rdb.js';
import { outputs } from '../../host/rdb/run.js';
import type { RdbPullSource } from '../../host/rdb/source.js';
import { TOOLS, type Tool } from '../fuzz/rdb-tool.js';
import { Prng } from '../support/prng.js';
import { len, str } from '../support/rdb-build.js';
import { ROOT } from '../support/servers.js';

const MB = 1 << 20;
const LARGE = Number(process.env.RESPITE_LARGE_MB ?? 24) * MB;
const WAIT = { timeout: 60_000 + LARGE / 1000 };
/** Beside the value: buffers for input and output. */
const MORE_BYTES_MAX = 16 * MB;
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

/** A file with one string of `total` bytes, made while it is read. */
class LargeSource implements RdbPullSource {
  readonly #parts: { bytes: Buffer; times: number }[];
  #part = 0;
  #time = 0;
  #at = 0;

  /** `unit` as often as it takes; as it is or packed. */
  constructor(total: number, isPacked: boolean) {
    const unit = new Prng(1).bytes(1024);
    const times = total / unit.length;
    const codes: number[] = [];
    for (let at = 0; at < unit.length; at += 32) codes.push(31, ...unit.subarray(at, at + 32));
    const piece = isPacked ? Buffer.from(codes) : unit;
    const head = isPacked
      ? Buffer.concat([Buffer.from([0xc3]), len(piece.length * times), len(total)])
      : len(total);
    this.#parts = [
      { bytes: Buffer.concat([MAGIC, Buffer.from([0]), str('large'), head]), times: 1 },
      { bytes: piece, times },
      { bytes: Buffer.concat([END, FOOT]), times: 1 },
    ];
  }

  pull(into: Uint8Array): number {
    let done = 0;
    while (done < into.length && this.#part < this.#parts.length) {
      const { bytes, times } = this.#parts[this.#part]!;
      const some = bytes.subarray(this.#at, this.#at + into.length - done);
      into.set(some, done);
      done += some.length;
      this.#at += some.length;
      if (this.#at < bytes.length) continue;
      this.#at = 0;
      if (++this.#time < times) continue;
      this.#time = 0;
      this.#part++;
    }
    return done;
  }
}

/** Modes that tell values; all others have no use for them. */
const HOLDS = /^(keys with values|json|resp|aof|digest)/;
const wasm = new WebAssembly.Module(readFileSync(join(ROOT, 'build/rdb.wasm')));

async function memoryOf(tool: Tool, isPacked: boolean): Promise<number> {
  const inspector = new Inspector(wasm);
  inspector.filter();
  inspector.options(tool.places);
  inspector.open(tool.mode);
  for await (const _ of outputs(inspector, new LargeSource(LARGE, isPacked)));
  inspector.close();
  return inspector.memoryBytes;
}

describe(`a string of ${LARGE / MB} MB`, () => {
  test.each(TOOLS.map((tool) => [tool.name, tool] as const))('%s', WAIT, async (name, tool) => {
    for (const isPacked of [false, true]) {
      const limit = HOLDS.test(name) ? LARGE + MORE_BYTES_MAX : MORE_BYTES_MAX;
      const used = await memoryOf(tool, isPacked);
      expect(`${(used / MB).toFixed(1)} MB ${used <= limit ? 'or less' : 'is too much'}`).toMatch(
        'or less',
      );
    }
  });
});
