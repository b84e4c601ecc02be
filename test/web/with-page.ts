// A page for one test.

import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { openPage } from './browser.js';

/** Opens a page for `use`; it may neither fail by itself nor ask anybody else for anything. */
export async function withOwnPage(
  browser: Browser,
  url: string,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const { page, watch } = await openPage(browser, url);
  try {
    await use(page);
    expect(watch).toEqual({ strangers: [], errors: [] });
  } finally {
    await page.context().close();
  }
}
