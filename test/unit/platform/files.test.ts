// Files, clock and randomness of the Node platform.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodePlatform } from '../../../host/platform/node.js';

const platform = createNodePlatform();
let dir = '';

beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'respite-fs-'));
});

afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

test('write, sync, rename, stat, read in chunks, unlink', async () => {
  const name = platform.fs.resolve(dir, 'temp.rdb');
  const target = platform.fs.resolve(dir, 'dump.rdb');
  const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
  const file = await platform.fs.open(name, 'w', 0o600);
  await file.write(bytes.subarray(0, 6000));
  file.writeSync(bytes.subarray(6000));
  await file.sync();
  expect((await file.stat()).sizeBytes).toBe(10_000);
  await file.close();
  await file.close();
  await platform.fs.rename(name, target);
  await platform.fs.syncDirectory(dir);
  expect(await platform.fs.stat(name)).toBeUndefined();
  expect(await platform.fs.stat(target)).toMatchObject({ sizeBytes: 10_000, isFile: true });
  // Into linear memory, as the RDB loader does it.
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const view = new Uint8Array(memory.buffer, 64, 700);
  const pieces: Buffer[] = [];
  const total = await platform.fs.readInto(target, view, async (n) => {
    pieces.push(Buffer.from(view.slice(0, n)));
    await Promise.resolve();
  });
  expect(total).toBe(10_000);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  await expect(platform.fs.readFile(target, 100)).rejects.toMatchObject({ code: 'EFBIG' });
  await platform.fs.unlink(target);
  await platform.fs.unlink(target);
  expect(await platform.fs.list(dir)).toEqual([]);
});

test('positions, truncation and append', async () => {
  const name = path.join(dir, 'a.aof');
  const file = await platform.fs.open(name, 'w');
  await file.write(Buffer.from('0123456789'));
  await file.write(Buffer.from('ab'), 3);
  await file.truncate(8);
  await file.close();
  const more = await platform.fs.open(name, 'a');
  await more.write(Buffer.from('!'));
  await more.close();
  expect(Buffer.from(await platform.fs.readFile(name)).toString()).toBe('012ab567!');
  const back = platform.fs.openSync(name, 'r');
  const into = Buffer.alloc(4);
  expect(await back.read(into, 2)).toBe(4);
  expect(into.toString()).toBe('2ab5');
  back.closeSync();
});

test('the microsecond clock agrees with the wall clock', () => {
  for (let i = 0; i < 10_000; i++) {
    const before = platform.clock.nowMs();
    const us = platform.clock.nowUs();
    expect(Number.isInteger(us)).toBe(true);
    expect(us >= before * 1000 && us < (platform.clock.nowMs() + 1) * 1000).toBe(true);
  }
});

test('timers fire, repeat and cancel', async () => {
  let fired = 0;
  let repeated = 0;
  platform.clock.setTimer(5, () => fired++);
  platform.clock.setTimer(5, () => fired++).cancel();
  const repeating = platform.clock.setRepeating(5, () => repeated++);
  const start = platform.clock.monotonicMs();
  await new Promise((done) => setTimeout(done, 60));
  repeating.cancel();
  const count = repeated;
  await new Promise((done) => setTimeout(done, 20));
  expect(fired).toBe(1);
  expect(count).toBeGreaterThan(1);
  expect(repeated).toBe(count);
  expect(platform.clock.monotonicMs() - start).toBeGreaterThan(50);
  expect(platform.random.bytes(16)).toHaveLength(16);
});
