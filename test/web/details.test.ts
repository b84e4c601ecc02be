// Values, names and times as they are, however odd; figures of charts as tables; columns in line at
// every width; the keyboard goes on where the page changes.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import { bytes, str } from '../support/rdb-build.js';
import {
  give,
  given,
  hasChromium,
  launch,
  PATIENCE_MS,
  rowsOf,
  search,
  serve,
  showTab,
} from './browser.js';
import { RICH_KEYS, richDump } from './rich-dump.js';
import { withOwnPage } from './with-page.js';

const LONG_NAME = `name:${'k'.repeat(2000)}`;
const MEMBERS = 10_500;
const ENTRIES = 600;
/** Larger than all else together. */
const TREE = Array.from({ length: 90 }, (_, i) => [
  ...[`tree:${i % 3}:${i % 9}:${i}`, 'x'.repeat(9000)],
]).flat();

const MORE = [
  ['SET', 'exp:far', 'x', 'PXAT', 9_000_000_000_000_000],
  ['SET', 'exact', '{"a":1.0,"big":12345678901234567890,"a":2}'],
  ['SET', LONG_NAME, 'v'],
  ['SET', `${LONG_NAME}2`, 'w'],
  ['SET', '<script>alert(1)</script>', 'v'],
  ['SET', 'cut', `x${'é'.repeat(60_000)}`],
  ['SADD', 'hugeset', ...Array.from({ length: MEMBERS }, (_, i) => `member-${i}`)],
  ['MSET', ...TREE],
  ...Array.from({ length: ENTRIES }, (_, i) => ['XADD', 'the-stream', `${i + 1}-1`, 'k', i]),
  ['XGROUP', 'CREATE', 'the-stream', 'readers', '0'],
];
/** Back in the database of most keys: what richDump writes first ends in another. */
const COMMANDS = [['SELECT', 0], ...MORE];
const KEYS = RICH_KEYS + 8 + 90;

const noTime = Buffer.concat([
  bytes('REDIS0011'),
  ...[Buffer.from([0xfa]), str('ctime'), str('soon')],
  ...[Buffer.from([0xfe, 0, 0]), str('key'), str('value')],
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0]),
]);

const focused = (page: Page) =>
  page.evaluate(() => {
    const { activeElement: at } = document;
    return at?.getAttribute('aria-label') ?? (at?.matches('body') ? 'body' : at?.textContent);
  });
const focusIs = (page: Page, what: string | RegExp) =>
  expect.poll(() => focused(page), { timeout: PATIENCE_MS }).toMatch(what);

describe.skipIf(!hasChromium)('the page in detail', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let rich: Buffer;
  beforeAll(async () => {
    [browser, server, rich] = await Promise.all([launch(), serve(), richDump(COMMANDS)]);
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const withFile = (use: (page: Page) => Promise<void>, file = given('rich.rdb', rich)) =>
    withOwnPage(browser, server.url, async (page) => {
      await give(page, file);
      await use(page);
    });

  async function open(page: Page, key: string): Promise<void> {
    await search(page, key);
    await page.getByRole('grid', { name: 'Keys found' }).getByText(key, { exact: true }).click();
    await page.locator('.drawer .key-facts').waitFor();
  }
  async function close(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Close' }).click();
    await page.locator('.drawer').waitFor({ state: 'detached' });
  }

  test('times no calendar reaches', async () => {
    await withFile(async (page) => {
      await open(page, 'exp:far');
      expect(await page.locator('.drawer').innerText()).toContain('9000000000000000 ms');
    });
    const file = given('odd.rdb', noTime);
    await withFile(async (page) => {
      expect(await rowsOf(page, 'What the file says of itself')).toContainEqual(['ctime', 'soon']);
      expect(await page.locator('.figures').innerText()).toContain('soon');
      await showTab(page, 'console');
      await page.getByRole('button', { name: 'Load the dump and start' }).click();
      await page.getByLabel('Command').fill('GET key');
      await page.getByLabel('Command').press('Enter');
      await page.getByRole('log').getByText('"value"').waitFor();
    }, file);
  });

  test('JSON and cut replies as they are', async () => {
    await withFile(async (page) => {
      await open(page, 'exact');
      const shown = '{\n  "a": 1.0,\n  "big": 12345678901234567890,\n  "a": 2\n}';
      expect(await page.locator('.drawer pre.value').textContent()).toBe(shown);
      await close(page);
      await showTab(page, 'console');
      await page.getByRole('button', { name: 'Load the dump and start' }).click();
      await page.getByLabel('Command').fill('GET cut');
      await page.getByLabel('Command').press('Enter');
      const reply = page.locator('.r-bulk');
      await reply.waitFor();
      expect(await reply.innerText()).toMatch(/^"xé{32767}…" \(120,001 bytes\)$/);
    });
  });

  test('keys of findings open, with what is known of them', async () => {
    await withFile(async (page) => {
      await showTab(page, 'findings');
      const examples = page.locator('#view-findings li button');
      await examples.filter({ hasText: 'name:kkk' }).first().click();
      const drawer = page.locator('.drawer');
      await drawer.locator('.key-facts').waitFor();
      expect(await drawer.locator('h2').innerText()).toBe(`${LONG_NAME.slice(0, 512)}…`);
      expect(await drawer.locator('pre.value').innerText()).toMatch(/^[vw]$/);
      await close(page);
      await examples.filter({ hasText: 'hugeset' }).first().click();
      await drawer.getByText('1 to 500 of 10,500 elements').waitFor();
      const names = await drawer.locator('.key-facts dt').allInnerTexts();
      expect(names).toEqual(expect.arrayContaining(['Encoding', 'Length', 'Memory', 'In file']));
    });
  });

  test.each([360, 640, 1280])('columns are in line, %i wide', async (width) => {
    await withFile(async (page) => {
      await page.setViewportSize({ width, height: 800 });
      await showTab(page, 'keys');
      await page.getByRole('grid', { name: 'Top keys by memory' }).waitFor();
      const lines = () =>
        page.evaluate(() => {
          const rows = [...document.querySelectorAll('#view-keys .tr')];
          const edges = (row: Element) =>
            [...row.children].map((cell) => Math.round(cell.getBoundingClientRect().x)).join(' ');
          return [...new Set(rows.map(edges))];
        });
      expect(await lines()).toHaveLength(1);
      const table = page.locator('#view-keys .table');
      expect(await table.evaluate((element) => element.scrollWidth)).toBeLessThan(1300);
      await showTab(page, 'search');
      const box = await page.getByLabel('Search for keys').boundingBox();
      expect(box?.width).toBeGreaterThan(150);
    });
  });

  test('charts have their figures in a table', async () => {
    await withFile(async (page) => {
      const card = page.getByRole('region', { name: 'Time to expiry' });
      expect(await card.locator('.note').innerText()).toMatch(/^(9\d\.\d|9\d) % of the keys/);
      await card.getByText('Figures').click();
      await page.getByRole('table', { name: 'Keys by time to expiry' }).waitFor();
      const rows = await rowsOf(page, 'Keys by time to expiry');
      const keys = rows.map(([, text]) => Number.parseInt(text as string, 10));
      expect(rows[0]?.slice(0, 2)).toEqual(['never', expect.stringMatching(/^\d+ /)]);
      expect(keys.reduce((sum, n) => sum + n, 0)).toBe(KEYS);
    });
  });

  test('slots that are none are not searched for', async () => {
    await withFile(async (page) => {
      await showTab(page, 'search');
      const slots = page.getByRole('textbox', { name: 'Slots' });
      const status = page.locator('#view-search [role=status]');
      for (const [text, problem] of [
        ...[['5-', 'or a range'] as const, ['abc', 'or a range'] as const],
        ...[['100-5', 'before it begins'] as const, ['20000', 'last slot is 16383'] as const],
      ]) {
        await slots.fill(text);
        const message = () => slots.evaluate((input: HTMLInputElement) => input.validationMessage);
        await expect.poll(message, { timeout: PATIENCE_MS }).toContain(problem);
        await slots.press('Enter');
        expect([await slots.inputValue(), await status.innerText()]).toEqual([text, '']);
      }
      await slots.fill('0-16383');
      await slots.press('Enter');
      await page.getByText(`${KEYS} keys found`).waitFor();
    });
  });

  test('an element is shown where it can be seen, with its part only', async () => {
    await withFile(async (page) => {
      await open(page, 'big-hash');
      await page.getByRole('grid', { name: 'Fields' }).focus();
      await page.keyboard.press('Enter');
      const detail = page.getByRole('region', { name: 'Element' });
      await focusIs(page, 'Element');
      await expect
        .poll(() => detail.evaluate((element) => element.getBoundingClientRect().bottom), {
          timeout: PATIENCE_MS,
        })
        .toBeLessThanOrEqual(900);
      const parts = page.getByRole('navigation', { name: 'Parts of the value' });
      await parts.getByRole('button', { name: 'Next' }).click();
      await parts.getByText('501 to 700 of 700 elements').waitFor();
      await detail.waitFor({ state: 'detached' });
      await close(page);
      await open(page, 'the-stream');
      await parts.getByRole('button', { name: 'Groups' }).click();
      await parts.getByText('Groups, behind 600 elements').waitFor();
    });
  });

  test('exports are chosen first, then saved', async () => {
    await withFile(async (page) => {
      const names: string[] = [];
      page.on('download', (download) => names.push(download.suggestedFilename()));
      await page.getByRole('button', { name: 'Export…' }).focus();
      await page.keyboard.press('ArrowDown');
      await focusIs(page, /^Report \(HTML\)/);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await focusIs(page, /^Keys \(CSV\)/);
      await page.keyboard.press('Escape');
      await focusIs(page, /^Export…$/);
      await page.keyboard.press('Enter');
      await focusIs(page, /^Report \(HTML\)/);
      await page.keyboard.press('End');
      const coming = page.waitForEvent('download');
      await page.keyboard.press('Enter');
      await coming;
      expect(names).toEqual(['rich.rdb.ndjson']);
      await focusIs(page, /^Export…$/);
    });
  });

  test('zooming into prefixes keeps the keyboard', async () => {
    await withFile(async (page) => {
      await showTab(page, 'prefixes');
      const all = /^Prefixes under all keys$/;
      const tree = /^Prefixes under tree:$/;
      await page.getByRole('grid', { name: 'Prefixes under all keys' }).focus();
      await page.keyboard.press('Enter');
      await focusIs(page, tree);
      await page.keyboard.press('Enter');
      await focusIs(page, /^Prefixes under tree:\d:$/);
      await page.keyboard.press('Backspace');
      await focusIs(page, tree);
      await page.getByRole('button', { name: 'all keys' }).focus();
      await page.keyboard.press('Enter');
      await focusIs(page, all);
      await page.keyboard.press('Enter');
      await focusIs(page, tree);
      // of no concern to a treemap out of sight
      await showTab(page, 'keys');
      await page.keyboard.press('Backspace');
      await showTab(page, 'prefixes');
      await page.getByRole('grid', { name: 'Prefixes under tree:' }).waitFor();
    });
  });

  test('the keyboard goes on: a file opened, a reading ended, a console stopped', async () => {
    await withOwnPage(browser, server.url, async (page) => {
      const name = await page.locator('.drop button').first().innerText();
      // the page was used; before that the focus is left alone
      await page.locator('h1').click();
      await page.evaluate(() => {
        // as soon as there is something to cancel, it is
        new MutationObserver((_, observer) => {
          const cancel = document.querySelector<HTMLElement>('.reading button');
          if (cancel === null) return;
          observer.disconnect();
          cancel.focus();
          cancel.click();
        }).observe(document.body, { childList: true, subtree: true });
        const block = new Uint8Array(1_000_000);
        for (let at = 0; at < block.length; at += 5) block.set([0, 1, 107, 1, 118], at);
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['REDIS0010', ...Array(40).fill(block)], 'long.rdb'));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
      });
      await focusIs(page, name);
      await give(page, given('rich.rdb', rich));
      await focusIs(page, /^Overview$/);
      await showTab(page, 'console');
      await page.getByRole('button', { name: 'Start empty' }).press('Enter');
      await focusIs(page, 'Command');
      await page.getByRole('button', { name: 'Stop' }).press('Enter');
      await focusIs(page, 'Load the dump and start');
    });
  });
});
