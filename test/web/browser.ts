// The page in Debian's Chromium, driven by playwright-core: starting both, and what tests of the
// page do again and again.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type PageServer, servePage } from '../../host/cli/page-server.js';
import { ROOT } from '../support/servers.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) =>
  existsSync(path),
);
export const PAGE_ROOT = join(ROOT, 'build/web');
export const DATA = join(ROOT, 'test/rdb/data');
/** Generous: other tests may have the machine. */
export const PATIENCE_MS = 30_000;

const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage'],
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM as string, args: FLAGS });
}

/** Whether Chromium is there and starts; if not, why is said once. */
async function canLaunch(): Promise<boolean> {
  let why = 'it is not installed (Debian: apt-get install chromium)';
  for (let tries = CHROMIUM === undefined ? 0 : 2; tries > 0; tries--) {
    try {
      await (await launch()).close();
      return true;
    } catch (error) {
      why = `it does not start: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  console.warn(`The tests of the page are skipped. They run in Chromium, but ${why}`);
  return false;
}

/** Without it the tests of the page are skipped; build/test.mjs tries to install it. */
export const hasChromium = await canLaunch();

export function serve(file?: string): Promise<PageServer> {
  return servePage({ root: PAGE_ROOT, host: '127.0.0.1', port: 0, file });
}

/** What a page did that it should not have. */
export interface Watch {
  /** Addresses asked for, but the page's own. */
  strangers: string[];
  errors: string[];
}

/** A page at `url`; requests and errors are noted from the start. */
export async function openPage(
  browser: Browser,
  url: string,
): Promise<{ page: Page; watch: Watch }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const watch: Watch = { strangers: [], errors: [] };
  context.on('request', (request) => {
    const address = request.url();
    const isOwnBlob = address.startsWith(`blob:${new URL(url).origin}/`);
    if (!address.startsWith(url) && !isOwnBlob) {
      watch.strangers.push(address);
    }
  });
  page.on('pageerror', (error) => watch.errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') watch.errors.push(message.text());
  });
  await page.goto(url);
  return { page, watch };
}

/** Gives a file to the page and waits until it was read. */
export async function give(page: Page, file: string | Given): Promise<void> {
  await page.locator('input[type=file]').first().setInputFiles(file);
  await page.locator('#view-overview').waitFor();
  // the last of its cards, which come one after the other
  await page.getByRole('table', { name: 'What the file says of itself' }).waitFor();
}

export interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

export const given = (name: string, bytes: Uint8Array): Given => ({
  ...{ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) },
});

export async function showTab(page: Page, id: string): Promise<void> {
  await page.locator(`#tab-${id}`).click();
  await page.locator(`#view-${id}`).waitFor();
}

/** A figure of the overview: its value. */
export function figure(page: Page, name: string): Promise<string> {
  const exact = page.locator('dt', { hasText: new RegExp(`^${name}$`) });
  return page.locator('.figure', { has: exact }).locator('b').innerText();
}

/** The cells of every row of a plain table, heads included. */
export async function rowsOf(page: Page, label: string): Promise<string[][]> {
  const rows = page.getByRole('table', { name: label }).locator('tbody tr');
  return Promise.all(
    (await rows.all()).map(async (row) =>
      (await row.locator('th, td').allInnerTexts()).map((text) => text.trim()),
    ),
  );
}

/** Searches for names that contain `text` and waits for the end. */
export async function search(page: Page, text: string): Promise<void> {
  await showTab(page, 'search');
  await page.getByLabel('Search for keys').fill(text);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('#view-search [role=status]', { hasText: /keys? found/ }).waitFor();
  await page.locator('#view-search [role=progressbar]').waitFor({ state: 'detached' });
}
