// The console as it comes and goes: files with many databases, a command that takes long.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import { give, given, hasChromium, launch, PATIENCE_MS, serve, showTab } from './browser.js';
import { withOwnPage } from './with-page.js';

/** A dump with one key, `k`, in this database. */
function dumpIn(db: number): Buffer {
  const select = Buffer.of(0xfe, 0x80, 0, 0, 0, 0);
  select.writeUInt32BE(db, 2);
  const key = Buffer.of(0, 1, 0x6b, 1, 0x76);
  const end = Buffer.of(0xff, 0, 0, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([Buffer.from('REDIS0011'), select, key, end]);
}

describe.skipIf(!hasChromium)('the console', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const withPage = (use: (page: Page) => Promise<void>) => withOwnPage(browser, server.url, use);

  async function load(page: Page, db: number): Promise<void> {
    await give(page, given(`db${db}.rdb`, dumpIn(db)));
    await showTab(page, 'console');
    await page.getByRole('button', { name: 'Load the dump and start' }).click();
  }

  const enter = async (page: Page, line: string) => {
    await page.getByLabel('Command').fill(line);
    await page.keyboard.press('Enter');
    return page.locator('.exchange', { hasText: line });
  };

  test.each([15, 300, 65_535])('a dump with database %d', async (db) => {
    await withPage(async (page) => {
      await load(page, db);
      await page.getByText('1 keys loaded').waitFor();
      const replies = async (line: string, reply: string) =>
        (await enter(page, line)).getByText(reply, { exact: true }).waitFor();
      await replies(`SELECT ${db}`, 'OK');
      await replies('GET k', '"v"');
      await replies('CONFIG GET databases', `"${Math.max(db + 1, 16)}"`);
      const info = await enter(page, 'INFO keyspace');
      await info.getByText(`db${db}:keys=1`).waitFor();
    });
  });

  test('a dump with more databases than there can be', async () => {
    await withPage(async (page) => {
      await load(page, 65_536);
      const alert = page.locator('#view-console [role=alert]');
      await alert.waitFor();
      expect(await alert.innerText()).toContain('has more databases than the console can have');
      expect(await alert.innerText()).not.toContain('damaged');
    });
  });

  test('a command that runs is shown, and can be stopped', async () => {
    await withPage(async (page) => {
      await load(page, 0);
      await page.getByLabel('Command').waitFor();
      const line = 'EVAL "while true do end" 0';
      const exchange = await enter(page, line);
      await exchange.getByText('running…').waitFor();
      expect(await exchange.getAttribute('aria-busy')).toBe('true');
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByRole('button', { name: 'Start empty' }).click();
      await page.getByLabel('Command').waitFor();
      await exchange.getByText('Cancelled').waitFor();
      expect(await exchange.getAttribute('aria-busy')).toBe('false');
      await (await enter(page, 'PING')).getByText('PONG').waitFor();
    });
  });
});
