// The viewer where values are long or rare: parts of strings, packed and not; parts of collections;
// elements whole; fields that expire; values of modules.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import { bytes, i64, len, len64, lzfLiteral, str } from '../support/rdb-build.js';
import {
  give,
  given,
  hasChromium,
  launch,
  openPage,
  PATIENCE_MS,
  search,
  serve,
  type Watch,
} from './browser.js';

const FAR_MS = 4_102_444_800_000; // 2100
/** Sixteen bytes a line; every line is another. */
const LINES = 200_000;
const lineAt = (i: number) => `${String(i).padStart(15, '0')}\n`;
const longText = Array.from({ length: LINES }, (_, i) => lineAt(i)).join('');
const MANY = 2600;
const fields = Array.from({ length: MANY }, (_, i) => [
  str(`field:${i}`),
  str(`value ${i}`),
]).flat();

/** Types: assembly/rdb/opcodes.ts. */
const dump = Buffer.concat([
  bytes('REDIS0012'),
  Buffer.from([0xfe, 0]),
  ...[Buffer.from([0xfc]), i64(FAR_MS), Buffer.from([0]), str('long:plain'), str(longText)],
  ...[Buffer.from([0]), str('long:packed'), lzfLiteral(longText)],
  ...[Buffer.from([0]), str('json'), str(JSON.stringify({ list: [1, 2], text: 'x'.repeat(5000) }))],
  ...[Buffer.from([4]), str('many'), len(MANY), ...fields],
  ...[Buffer.from([4]), str('deep'), len(1), str('document'), str('{"inside":["a",{"b":null}]}')],
  // a hash with fields that expire: the smallest expiry, then each as what it has more
  ...[Buffer.from([24]), str('fading'), i64(FAR_MS), len(2)],
  ...[len(0), str('stays'), str('1'), len(1), str('goes'), str('2')],
  ...[Buffer.from([7]), str('module'), len64(0x1234_5678_9abc_def0n)],
  ...[Buffer.from([2]), len(42), Buffer.from([0])],
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
]);

describe.skipIf(!hasChromium)('the viewer', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let page: Page;
  let watch: Watch;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
    ({ page, watch } = await openPage(browser, server.url));
    await give(page, given('values.rdb', dump));
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    expect(watch).toEqual({ strangers: [], errors: [] });
    await browser?.close();
    await server?.close();
  });

  async function open(key: string): Promise<void> {
    await search(page, key);
    await page.getByRole('grid', { name: 'Keys found' }).getByText(key, { exact: true }).click();
    await page.locator('.drawer .key-facts').waitFor();
  }

  async function close(): Promise<void> {
    await page.keyboard.press('Escape');
    await page.locator('.drawer').waitFor({ state: 'detached' });
  }

  const parts = () => page.getByRole('navigation', { name: 'Parts of the value' });
  const shows = (text: string) => parts().getByText(text, { exact: true }).waitFor();
  const step = (name: string) => parts().getByRole('button', { name }).click();
  // what is out of sight has no innerText
  const value = () => page.locator('.drawer pre.value').textContent();

  test.each(['long:plain', 'long:packed'])('%s comes in parts', async (key) => {
    await open(key);
    expect(await page.locator('.drawer .key-facts').innerText()).toContain('3.05 MB');
    await shows('1 to 65,536 of 3,200,000 bytes');
    expect(await value()).toContain(lineAt(0).trim());
    await step('Next');
    await shows('65,537 to 131,072 of 3,200,000 bytes');
    expect(await value()).toContain(lineAt(65_536 / 16).trim());
    await step('Last');
    await shows('3,145,729 to 3,200,000 of 3,200,000 bytes');
    expect(await value()).toContain(lineAt(LINES - 1).trim());
    expect(await parts().getByRole('button', { name: 'Next' }).isDisabled()).toBe(true);
    await page.getByLabel('Go to').fill('1600001');
    await page.getByLabel('Go to').press('Enter');
    await shows('1,600,001 to 1,665,536 of 3,200,000 bytes');
    expect(await value()).toContain(lineAt(100_000).trim());
    await page.getByLabel('hex').check();
    await page.locator('.drawer pre.value', { hasText: '00186a00  30 30' }).waitFor();
    await step('First');
    await shows('1 to 65,536 of 3,200,000 bytes');
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save the string' }).click();
    const saved = readFileSync(await (await coming).path(), 'latin1');
    expect(saved.length).toBe(longText.length);
    expect(saved === longText).toBe(true);
    await close();
  });

  test('a short one whole, as JSON', async () => {
    await open('json');
    expect(await value()).toContain('"text": "xxx');
    await page.getByLabel('text').check();
    await page.locator('.drawer pre.value', { hasText: '{"list":[1,2],' }).waitFor();
    expect(await parts().count()).toBe(0);
    await close();
  });

  test('a large hash comes in parts', async () => {
    await open('many');
    const first = () => page.locator('.drawer .rows .tr').first().innerText();
    await shows('1 to 500 of 2,600 elements');
    expect(await first()).toContain('field:0');
    await step('Last');
    await shows('2,501 to 2,600 of 2,600 elements');
    expect(await first()).toContain('field:2500');
    await step('Previous');
    await shows('2,001 to 2,500 of 2,600 elements');
    await page.getByLabel('Go to').fill('1201');
    await page.getByLabel('Go to').press('Enter');
    await shows('1,201 to 1,700 of 2,600 elements');
    expect(await first()).toContain('field:1200');
    await close();
  });

  test('an element opens whole', async () => {
    await open('deep');
    const table = page.getByRole('grid', { name: 'Fields' });
    await table.focus();
    await page.keyboard.press('Enter');
    const detail = page.getByRole('region', { name: 'Element' });
    await detail.waitFor();
    expect(await detail.innerText()).toContain('"b": null');
    await close();
  });

  test('fields that expire', async () => {
    await open('fading');
    const rows = await page.locator('.drawer .rows .tr').allInnerTexts();
    expect(rows.find((row) => row.includes('stays'))).toMatch(/–$/);
    expect(rows.find((row) => row.includes('goes'))).toMatch(/\d+ y/);
    await close();
  });

  test('a value of a module', async () => {
    await open('module');
    expect(await page.locator('.drawer').innerText()).toContain('A value of a module');
    await close();
  });
});
