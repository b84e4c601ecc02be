// A source that fails in the middle: what came before is told, JSON is whole, and the error is the
// source's own.

import { expect, test } from 'vitest';
import { analyzeRdb, exportJson, exportKeys, readRdb } from '../../host/rdb/index.js';
import { key, str } from '../support/rdb-build.js';

const NAMES = Array.from({ length: 300 }, (_, i) => `key:${i}`);
const FILE = Buffer.concat([
  Buffer.from('REDIS0010'),
  ...NAMES.map((name) => key(0, name, str('v'.repeat(Number(name.slice(4)))))),
  Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0]),
]);

/** `FILE` up to the last third, then an error. */
function failing() {
  let at = 0;
  const end = Math.floor((FILE.length * 2) / 3);
  return {
    pull(into: Uint8Array): number {
      if (at === end) throw new Error('the cable is gone');
      const length = Math.min(into.length, 1000, end - at);
      into.set(FILE.subarray(at, at + length));
      at += length;
      return length;
    },
  };
}

async function text(blocks: AsyncIterable<Uint8Array>): Promise<[string, unknown]> {
  let all = '';
  try {
    for await (const block of blocks) all += Buffer.from(block).toString();
  } catch (error) {
    return [all, error];
  }
  return [all, undefined];
}

const GONE = { message: 'the cable is gone' };

test('keys, in the library and as text', async () => {
  const found: string[] = [];
  const read = async () => {
    for await (const entry of readRdb(failing())) found.push(Buffer.from(entry.key).toString());
  };
  await expect(read()).rejects.toMatchObject(GONE);
  expect(found.length).toBeGreaterThan(200);
  expect(found).toEqual(NAMES.slice(0, found.length));
  const [keys, error] = await text(exportKeys(failing()));
  expect(error).toMatchObject(GONE);
  expect(keys.trim().split('\n')).toEqual(found);
});

test('JSON ends as JSON', async () => {
  const [json, error] = await text(exportJson(failing()));
  expect(error).toMatchObject(GONE);
  const records = JSON.parse(json) as { key?: string; type?: string }[];
  expect(records.filter((one) => one.key !== undefined).length).toBeGreaterThan(200);
  expect(records.at(-1)).toMatchObject({ type: 'error', reason: 'unexpected end of file' });
});

test('progress counts the piece in which damage is', async () => {
  const damaged = Buffer.concat([FILE.subarray(0, FILE.length - 9), Buffer.from([254, 255, 255])]);
  const seen: number[] = [];
  const onProgress = (bytes: number) => seen.push(bytes);
  await expect(analyzeRdb(damaged, { onProgress })).rejects.toMatchObject({
    code: 'ERR_RESPITE_RDB_FORMAT',
  });
  expect(seen.at(-1)).toBe(damaged.length);
  const { bytesRead } = await analyzeRdb(damaged, { partial: true });
  expect(bytesRead).toBe(damaged.length);
});
