// reportMemory: a line a key, the same whatever way the bytes come; damaged files give what came
// before; both builds of rdb.wasm say the same.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  analyzeRdb,
  diffRdb,
  type MemoryOptions,
  type RdbSource,
  RespiteError,
  readRdb,
  reportMemory,
} from '../../host/rdb/index.js';
import { Prng, runSeed } from '../support/prng.js';
import { ROOT } from '../support/servers.js';

const OWN = join(ROOT, 'test/rdb/data');
const files = readdirSync(OWN).filter((name) => name.endsWith('.rdb'));
const read = (name: string) => readFileSync(join(OWN, name));
const seed = runSeed();

async function report(
  source: RdbSource,
  options?: MemoryOptions,
): Promise<{ text: string; error: unknown }> {
  let text = '';
  try {
    for await (const block of reportMemory(source, options)) text += Buffer.from(block).toString();
    return { text, error: undefined };
  } catch (error) {
    return { text, error };
  }
}
const pieces = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );

describe.each(files)('%s', (name) => {
  const bytes = read(name);

  test('what readRdb tells, in whole and in pieces', async () => {
    const { text } = await report(bytes, { format: 'ndjson' });
    const rows = text.split('\n').slice(0, -1);
    let i = 0;
    for await (const entry of readRdb(bytes)) {
      const { db, type, encoding, memoryBytes, fileBytes, count, largest } = entry;
      const facts = { db, type, encoding, memoryBytes, fileBytes, count, largest };
      expect(JSON.parse(rows[i++]!)).toMatchObject({
        ...{ ...facts, expireAtMs: entry.expireAtMs ?? null },
        ...{ idleSec: entry.idleSec ?? null, freq: entry.freq ?? null },
      });
    }
    expect(rows).toHaveLength(i);
    for (const size of [1, 7, 1000]) {
      expect((await report(pieces(bytes, size), { format: 'ndjson' })).text).toBe(text);
    }
  });

  test('both builds say the same', async () => {
    const wasm = readFileSync(join(ROOT, 'build/rdb-scalar.wasm'));
    expect(await report(bytes, { wasm })).toEqual(await report(bytes));
    const options = { nowMs: 1.7e12 };
    expect(await analyzeRdb(bytes, { ...options, wasm })).toEqual(await analyzeRdb(bytes, options));
  });
});

describe('damage', () => {
  const bytes = read('nocompress-redis8.0.6-rdb12.rdb');

  test('truncated anywhere: whole lines of what came before, and an error', async () => {
    const { text: whole } = await report(bytes);
    for (let end = 0; end < bytes.length; end += end < 300 ? 7 : 97) {
      const { text, error } = await report(bytes.subarray(0, end));
      expect(error).toBeInstanceOf(RespiteError);
      expect([end, whole.startsWith(text), text === '' || text.endsWith('\n')]).toEqual([
        ...[end, true, true],
      ]);
    }
  });

  test('mutated: lines, or an error of ours; the same for diff', async () => {
    const prng = new Prng(seed);
    for (let round = 0; round < 100; round++) {
      const copy = new Uint8Array(bytes);
      for (let n = prng.range(1, 4); n > 0; n--) copy[prng.below(copy.length)] = prng.below(256);
      const options = { checksum: false, salvage: prng.below(2) === 0 };
      const { error } = await report(copy, options);
      if (error !== undefined) expect(error).toBeInstanceOf(RespiteError);
      if (round % 4 > 0) continue;
      const differs = async () => {
        const found = diffRdb(
          () => bytes,
          () => copy,
          options,
        );
        for await (const _entry of found);
      };
      await differs().catch((reason: unknown) => expect(reason).toBeInstanceOf(RespiteError));
    }
  });

  test('diff in pieces of one byte', async () => {
    const other = read('nochecksum-redis8.0.6-rdb12.rdb');
    const told = async (size: number) => {
      const found = diffRdb(
        () => pieces(bytes, size),
        () => pieces(other, size),
      );
      const lines: string[] = [];
      for await (const { kind, key } of found) lines.push(`${kind} ${Buffer.from(key)}`);
      return { lines, counts: found.counts };
    };
    expect(await told(1)).toEqual(await told(1 << 20));
  });
});
