// Search by names in the page: expressions find what the library finds
// (test/rdb/name-regex.test.ts), parts of names may be bytes.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import { EXPRESSIONS, namesDump } from '../support/names-dump.js';
import {
  give,
  given,
  hasChromium,
  launch,
  openPage,
  PATIENCE_MS,
  search,
  serve,
  showTab,
  type Watch,
} from './browser.js';

describe.skipIf(!hasChromium)('search by names', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let page: Page;
  let watch: Watch;
  beforeAll(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
    ({ page, watch } = await openPage(browser, server.url));
    await give(page, given('names.rdb', namesDump()));
    await showTab(page, 'search');
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    expect(watch).toEqual({ strangers: [], errors: [] });
    await browser?.close();
    await server?.close();
  });

  async function finds(how: string, text: string, keys: number): Promise<void> {
    await page.getByLabel('How names are compared').selectOption(how);
    await search(page, text);
    // what was found before may still be there
    const found = () => page.locator('#view-search [role=status]').innerText();
    await expect.poll(found, { timeout: PATIENCE_MS }).toBe(`${keys} keys found`);
  }

  test('expressions', async () => {
    for (const [source, flags, names] of EXPRESSIONS) {
      if (flags === '') await finds('regex', source, names.length);
    }
  });

  test.each([
    ['\\xff', 1],
    ['\\xFFk', 1],
    ['\\xc3\\xa9', 3],
    ['é', 3],
    ['é\\xc3', 2],
    ['\\xa9', 4],
    ['[', 0],
  ])('a part: %s', async (text, keys) => {
    await finds('contains', text, keys);
  });
});
