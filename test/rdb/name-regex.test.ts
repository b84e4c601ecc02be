// Regular expressions on names: library and command line see the same characters. (The page:
// test/web/search-names.test.ts, with the same names.)

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRdb } from '../../host/rdb/index.js';
import { runRdb } from '../cli/rdb/harness.js';
import { EXPRESSIONS, namesDump } from '../support/names-dump.js';

const dump = namesDump();
let dir: string;
let file: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-names-'));
  file = join(dir, 'names.rdb');
  writeFileSync(file, dump);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test.each(EXPRESSIONS)('/%s/%s', async (source, flags, wanted) => {
  const regex = new RegExp(source, flags);
  const names: string[] = [];
  for await (const { key } of readRdb(dump, { filter: { regex } })) names.push(hexOf(key));
  expect(names.sort()).toEqual(wanted.map((name) => hexOf(Buffer.from(name))).sort());
  const told = await runRdb(['keys', '--regex', String(regex), '--escape', 'base64', file]);
  const lines = told.out.split('\n').slice(0, -1);
  expect(lines.map((line) => hexOf(Buffer.from(line, 'base64'))).sort()).toEqual(names);
});

test('the expression keeps its state', async () => {
  const regex = /k/g;
  regex.lastIndex = 3;
  const names: string[] = [];
  for await (const { key } of readRdb(dump, { filter: { regex } })) names.push(hexOf(key));
  expect(names).toHaveLength(2);
  expect(regex.lastIndex).toBe(3);
});
