// Cancelling: it is heard at once, whatever the worker is busy with, and nothing waits for what was
// cancelled.

import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import {
  DATA,
  figure,
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

const VALUE_BYTES = 500 << 20;
const VALUES = 400;

/** A dump of 200 GB, nearly all of it holes: reading it takes minutes. */
function endlessDump(path: string): void {
  const file = openSync(path, 'w');
  const head = Buffer.concat([Buffer.from('REDIS0011'), Buffer.of(0xfe, 0)]);
  writeSync(file, head, 0, head.length, 0);
  let at = head.length;
  for (let i = 0; i < VALUES; i++) {
    const name = Buffer.from(`key${i}`);
    const key = Buffer.concat([Buffer.of(0, name.length), name, Buffer.of(0x80, 0, 0, 0, 0)]);
    key.writeUInt32BE(VALUE_BYTES, key.length - 4);
    writeSync(file, key, 0, key.length, at);
    at += key.length + VALUE_BYTES;
  }
  ftruncateSync(file, at);
  closeSync(file);
}

/** Drops a file on the page. */
async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  await page.evaluate(
    ([text, base64]) => {
      const data = new DataTransfer();
      const content = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      data.items.add(new File([content], text));
      const event = { bubbles: true, cancelable: true, dataTransfer: data };
      document.body.dispatchEvent(new DragEvent('drop', event));
    },
    [name, Buffer.from(bytes).toString('base64')] as const,
  );
}

describe.skipIf(!hasChromium)('cancelling', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let rich: Buffer;
  let dir: string;
  let endless: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'respite-web-'));
    endless = join(dir, 'endless.rdb');
    endlessDump(endless);
    const hard = ['SET', `redos:${'k'.repeat(40)}`, 'v'];
    [browser, server, rich] = await Promise.all([launch(), serve(), richDump([hard])]);
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const withPage = (use: (page: Page) => Promise<void>) => withOwnPage(browser, server.url, use);
  const workersAre = (page: Page, most: number) =>
    expect.poll(() => page.workers().length, { timeout: PATIENCE_MS }).toBeLessThanOrEqual(most);

  async function readEndless(page: Page): Promise<void> {
    await page.locator('input[type=file]').first().setInputFiles(endless);
    await page.getByRole('progressbar', { name: 'Reading endless.rdb' }).waitFor();
    // bytes have been read
    await page.locator('.progress', { hasText: 'B/s' }).waitFor();
  }

  test('a file that is read from the disk', async () => {
    await withPage(async (page) => {
      await readEndless(page);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByText('Reading was cancelled.').waitFor();
      await give(page, join(DATA, 'empty-redis8.0.6-rdb12.rdb'));
      expect(await figure(page, 'Keys')).toBe('0');
      await workersAre(page, 1);
    });
  });

  test('a second file does not wait for the first', async () => {
    await withPage(async (page) => {
      await readEndless(page);
      await drop(page, 'rich.rdb', rich);
      await page.locator('#view-overview').waitFor();
      expect(await figure(page, 'Keys')).toBe(String(RICH_KEYS + 1));
      await workersAre(page, 1);
    });
  });

  test('a regular expression that does not come to an end', async () => {
    await withPage(async (page) => {
      await give(page, given('rich.rdb', rich));
      const stopped = async (pattern: string) => {
        await showTab(page, 'search');
        await page.getByLabel('How names are compared').selectOption('regex');
        await page.getByLabel('Search for keys').fill(pattern);
        await page.getByRole('button', { name: 'Search' }).click();
        await page.locator('#view-search [role=progressbar]').waitFor();
      };
      await stopped('(k+)+x$');
      // values are read beside it
      await showTab(page, 'keys');
      const table = page.getByRole('grid', { name: 'Top keys by memory' });
      await table.getByText('counter', { exact: true }).click();
      await page.locator('.drawer', { hasText: '12345' }).waitFor();
      await page.getByRole('button', { name: 'Close' }).click();
      await showTab(page, 'search');
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.locator('#view-search [role=progressbar]').waitFor({ state: 'detached' });
      await workersAre(page, 1);
      await search(page, '^user:1$');
      const found = page.locator('#view-search [role=status]');
      const patient = { timeout: PATIENCE_MS };
      await expect.poll(() => found.innerText(), patient).toBe('1 keys found');
      // another file ends it, too
      await stopped('(k+)+y$');
      await give(page, join(DATA, 'empty-redis8.0.6-rdb12.rdb'));
      expect(await figure(page, 'Keys')).toBe('0');
      await workersAre(page, 1);
    });
  });
});
