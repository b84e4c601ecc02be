// Files that are damaged, none at all, or cannot be read any more: what the page says, and what it
// offers.

import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import { readRdb } from '../../host/rdb/read-rdb.js';
import {
  DATA,
  figure,
  type Given,
  give,
  given,
  hasChromium,
  launch,
  PATIENCE_MS,
  search,
  serve,
  showTab,
} from './browser.js';
import { RICH_KEYS, richDump } from './rich-dump.js';
import { withOwnPage } from './with-page.js';

const CHECKSUM_BYTES = 8;

/** An intset of integers that are 3 bytes wide; and no checksum that would tell, too. */
function withBrokenValue(whole: Buffer): Buffer {
  const broken = Buffer.from(whole);
  broken.fill(0, broken.length - CHECKSUM_BYTES);
  broken[broken.indexOf('numbers') + 'numbers'.length + 1] = 3;
  return broken;
}

async function keysOf(bytes: Uint8Array): Promise<number> {
  let keys = 0;
  for await (const _ of readRdb(bytes, { salvage: true })) keys++;
  return keys;
}

describe.skipIf(!hasChromium)('damage', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let broken: Buffer;
  let rich: Buffer;
  beforeAll(async () => {
    [browser, server, rich] = await Promise.all([launch(), serve(), richDump()]);
    broken = withBrokenValue(rich);
    expect(await keysOf(broken)).toBe(RICH_KEYS - 1);
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const withPage = (use: (page: Page) => Promise<void>) => withOwnPage(browser, server.url, use);
  const readOn = (page: Page) => page.getByRole('button', { name: 'read on' });

  async function salvaged(page: Page): Promise<void> {
    await give(page, given('broken.rdb', broken));
    await page.locator('.banner.error').waitFor();
    await readOn(page).click();
    await page.locator('.banner.warning').waitFor();
    expect(await figure(page, 'Keys')).toBe(String(RICH_KEYS - 1));
  }

  async function exported(page: Page, format: string): Promise<string> {
    const download = page.waitForEvent('download');
    await page.getByLabel('Export').selectOption(format);
    return readFileSync(await (await download).path(), 'utf8');
  }

  test('what is read on behind a damaged value is there everywhere', async () => {
    await withPage(async (page) => {
      await salvaged(page);
      await search(page, '');
      const found = page.locator('#view-search [role=status]');
      expect(await found.innerText()).toBe(`${RICH_KEYS - 1} keys found`);
      expect(await page.locator('#view-search [role=alert]').count()).toBe(0);
      const csv = await exported(page, 'csv');
      expect(csv.trimEnd().split('\n')).toHaveLength(1 + RICH_KEYS - 1);
      const lines = (await exported(page, 'ndjson')).trimEnd().split('\n');
      const records = lines.map((line) => JSON.parse(line) as { key?: string; damaged?: true });
      const whole = records.filter(({ key, damaged }) => key !== undefined && !damaged);
      expect(whole).toHaveLength(RICH_KEYS - 1);
      expect(lines.filter((line) => line.includes('"type":"error"'))).toEqual([]);
      expect(await page.locator('header [role=status]').innerText()).toBe('');
    });
  });

  test('the same file beside it, and its values', async () => {
    await withPage(async (page) => {
      await salvaged(page);
      await showTab(page, 'compare');
      const other = page.locator('#view-compare input[type=file]');
      await other.setInputFiles(given('again.rdb', broken));
      const types = page.getByRole('grid', { name: 'Both files by type' });
      await types.waitFor();
      expect(await types.locator('.more, .less').count()).toBe(0);
      const same = page.locator('#view-compare .figure', { hasText: 'the same' }).locator('b');
      expect(await same.innerText()).toBe(String(RICH_KEYS - 1));
      await showTab(page, 'keys');
      const table = page.getByRole('grid', { name: 'Top keys by memory' });
      await table.getByText('counter', { exact: true }).click();
      await page.locator('.drawer', { hasText: '12345' }).waitFor();
    });
  });

  test('a second file that is damaged can be read on, too', async () => {
    await withPage(async (page) => {
      await give(page, given('rich.rdb', rich));
      await showTab(page, 'compare');
      const view = page.locator('#view-compare');
      await view.locator('input[type=file]').setInputFiles(given('broken.rdb', broken));
      await view.locator('.banner.error').first().waitFor();
      await readOn(page).click();
      await view.locator('.banner.warning').waitFor();
      expect(await view.locator('.banner.error').count()).toBe(0);
      const removed = view.locator('.figure', { hasText: 'removed' }).locator('b');
      expect(await removed.innerText()).toBe('1');
    });
  });

  test('reading on is not offered where it would not help', async () => {
    const cut = rich.subarray(0, rich.length - 20);
    const wrong = Buffer.from(rich);
    wrong[wrong.length - 1] ^= 0xff;
    await withPage(async (page) => {
      for (const [name, bytes] of [
        ['cut.rdb', cut],
        ['wrong.rdb', wrong],
      ] as const) {
        await give(page, given(name, bytes));
        await page.locator('.file-chip', { hasText: name }).waitFor();
        await page.locator('.banner.error').waitFor();
        expect(await readOn(page).count()).toBe(0);
      }
    });
  });

  const aof = '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n';
  const manifest = 'file appendonly.aof.1.base.rdb seq 1 type b\n';
  const none: [name: string, text: string, says: string][] = [
    ['text.rdb', 'not a dump at all', 'text.rdb is not an RDB file.'],
    ['short.txt', 'no', 'short.txt is not an RDB file.'],
    ['empty.rdb', '', 'empty.rdb is not an RDB file: there is nothing in it to read.'],
    ['a.aof.1.incr.aof', aof, 'a.aof.1.incr.aof is not an RDB file.'],
    ['a.aof.manifest', manifest, 'a.aof.manifest is not an RDB file.'],
    ['later.rdb', 'REDIS9999 and so on', 'later.rdb: RDB version not supported.'],
  ];
  test.each(none)('%s is refused', async (name, text, says) => {
    await withPage(async (page) => {
      const choose = (file: Given) => page.locator('input[type=file]').last().setInputFiles(file);
      await choose(given(name, Buffer.from(text)));
      const alert = page.getByRole('alert');
      await alert.waitFor();
      expect(await alert.innerText()).toBe(says);
      expect(await page.getByRole('tab').count()).toBe(0);
      // and as a second file
      await give(page, given('rich.rdb', rich));
      await showTab(page, 'compare');
      await choose(given(name, Buffer.from(text)));
      await page.locator('#view-compare [role=alert]').waitFor();
      expect(await page.locator('#view-compare [role=alert]').innerText()).toBe(says);
    });
  });

  test('a folder', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'respite-web-'));
    try {
      await withPage(async (page) => {
        const session = await page.context().newCDPSession(page);
        const data = { items: [], files: [dir], dragOperationsMask: 1 };
        for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
          await session.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data });
        }
        const alert = page.getByRole('alert');
        await alert.waitFor();
        expect(await alert.innerText()).toContain('it is a folder');
      });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test('a file that was changed meanwhile', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'respite-web-'));
    try {
      await withPage(async (page) => {
        const path = join(dir, 'mine.rdb');
        writeFileSync(path, readFileSync(join(DATA, 'cluster-redis8.0.6-rdb12.rdb')));
        await give(page, path);
        writeFileSync(path, rich);
        utimesSync(path, 1_000_000, 1_000_000);
        await search(page, '');
        const says = await page.locator('#view-search [role=alert]').innerText();
        expect(says).toContain('mine.rdb cannot be read');
        expect(says).toContain('changed');
        expect(says).not.toContain('network');
      });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
