// Two files compared in the page, and what it saves.

import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import {
  give,
  given,
  hasChromium,
  launch,
  openPage,
  PATIENCE_MS,
  serve,
  showTab,
  type Watch,
} from './browser.js';
import { RICH_KEYS, richDump } from './rich-dump.js';

const CHANGES = [
  ['SELECT', 0],
  ['SET', 'user:1:name', 'Somebody Else'],
  ['RPUSH', 'queue:small', 'fourth'],
  ['DEL', 'tags'],
  ['SET', 'new:key', 'x'],
  ['PERSIST', 'session:1'],
] as const;

describe.skipIf(!hasChromium)('the page', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let page: Page;
  let watch: Watch;
  let second: Buffer;
  beforeAll(async () => {
    const [started, served, first, other] = await Promise.all([
      launch(),
      serve(),
      richDump(),
      richDump(CHANGES),
    ]);
    [browser, server, second] = [started, served, other];
    ({ page, watch } = await openPage(browser, server.url));
    await give(page, given('first.rdb', first));
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    expect(watch).toEqual({ strangers: [], errors: [] });
    await browser?.close();
    await server?.close();
  });

  const figureOf = (name: string) => {
    const exact = page.locator('dt', { hasText: new RegExp(`^${name}$`) });
    return page.locator('#view-compare .figure', { has: exact }).locator('b').innerText();
  };

  test('compares two files key by key', async () => {
    await showTab(page, 'compare');
    const input = page.locator('#view-compare input[type=file]');
    await input.setInputFiles(given('second.rdb', second));
    const keys = page.getByRole('grid', { name: 'Differing keys' });
    await keys.waitFor();
    expect(await figureOf('added')).toBe('1');
    expect(await figureOf('removed')).toBe('1');
    expect(await figureOf('changed')).toBe('2');
    expect(await figureOf('other expiry')).toBe('1');
    expect(await figureOf('the same')).toBe(String(RICH_KEYS - 4));
    const row = (key: string) => keys.locator('.tr', { has: page.getByText(key, { exact: true }) });
    expect(await row('new:key').innerText()).toMatch(/^added/);
    expect(await row('tags').innerText()).toMatch(/^removed/);
    expect(await row('session:1').innerText()).toMatch(/^other expiry/);
    const types = page.getByRole('grid', { name: 'Both files by type' });
    expect((await types.innerText()).replace(/\s+/g, ' ')).toContain(
      `all ${RICH_KEYS} ${RICH_KEYS} =`,
    );
  });

  test('opens a differing key in the file that has it', async () => {
    const keys = page.getByRole('grid', { name: 'Differing keys' });
    const shows = async (key: string, text: string) => {
      await keys.getByText(key, { exact: true }).click();
      await page.locator('.drawer .key-facts').waitFor();
      expect(await page.locator('.drawer').innerText()).toContain(text);
      await page.getByRole('button', { name: 'Close' }).click();
      await page.locator('.drawer').waitFor({ state: 'detached' });
    };
    await shows('user:1:name', 'Somebody Else');
    await shows('tags', 'green');
  });

  async function saved(title: string): Promise<{ name: string; text: string }> {
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export…' }).click();
    await page.getByRole('menuitem', { name: title }).click();
    const download = await coming;
    const path = await download.path();
    return { name: download.suggestedFilename(), text: readFileSync(path, 'utf8') };
  }

  test('saves all data as JSON and NDJSON', async () => {
    const json = await saved('Data (JSON)');
    expect(json.name).toBe('first.rdb.json');
    const records = JSON.parse(json.text) as { key?: string; value?: unknown }[];
    const byKey = new Map(records.map((record) => [record.key, record.value]));
    expect(byKey.get('user:1:name')).toBe('Ada Lovelace');
    const lines = (await saved('Data (NDJSON)')).text.trim().split('\n');
    const keys = lines.map((line) => JSON.parse(line)).filter(({ key }) => key !== undefined);
    expect(keys.length).toBe(RICH_KEYS);
  });

  test('saves the keys as CSV', async () => {
    const { name, text } = await saved('Keys (CSV)');
    expect(name).toBe('first.rdb.csv');
    expect(text.trim().split('\n').length).toBe(RICH_KEYS + 1);
  });

  test('saves the analysis', async () => {
    const report = await saved('Report (JSON)');
    expect(report.name).toBe('first.rdb.report.json');
    expect(JSON.parse(report.text).total.keys).toBe(RICH_KEYS);
    const { name, text } = await saved('Report (HTML)');
    expect(name).toBe('first.rdb.html');
    expect(text).toMatch(/^<!doctype html>/i);
    expect(text).toContain('queue:large');
  });
});
