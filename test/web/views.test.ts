// Views beside the overview, packed files, files dropped while another is read, and that whatever
// can be used has a name.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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
  rowsOf,
  serve,
  showTab,
} from './browser.js';
import { RICH_KEYS, richDump } from './rich-dump.js';
import { withOwnPage } from './with-page.js';

const BLOCK_BYTES = 1 << 17;

/** Zstandard without packing anything: RFC 8878, a frame of raw blocks. */
function zstdStored(bytes: Buffer, windowByte = 0x58): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, windowByte])];
  for (let at = 0; at < bytes.length || at === 0; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    const isLast = at + BLOCK_BYTES >= bytes.length ? 1 : 0;
    const head = Buffer.alloc(4);
    head.writeUInt32LE((block.length << 3) | isLast);
    parts.push(head.subarray(0, 3), block);
  }
  return Buffer.concat(parts);
}

describe.skipIf(!hasChromium)('the page', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let rich: Buffer;
  beforeAll(async () => {
    [browser, server, rich] = await Promise.all([launch(), serve(), richDump()]);
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const withPage = (use: (page: Page) => Promise<void>) => withOwnPage(browser, server.url, use);

  test('slots: those in use, their keys, shards', async () => {
    const pairs = Array.from({ length: 400 }, (_, i) => [`{tag}:${i}`, 'x'.repeat(2000)]).flat();
    const dump = await richDump([['MSET', ...pairs]]);
    await withPage(async (page) => {
      await give(page, given('slots.rdb', dump));
      await showTab(page, 'slots');
      expect(await figure(page, 'Largest slot')).toBe('8,338'); // CLUSTER KEYSLOT tag
      const shards = page.getByRole('grid', { name: 'Shards' });
      const rows = async () =>
        (await shards.locator('.rows .tr').allInnerTexts()).map((row) => row.split('\n'));
      expect((await rows()).map(([range]) => range)).toEqual([
        '0–5460',
        '5461–10922',
        '10923–16383',
      ]);
      const keys = (await rows()).map(([, number]) => Number(number?.replaceAll(',', '')));
      expect(keys.reduce((sum, number) => sum + number, 0)).toBe(RICH_KEYS + 400);
      await page.getByLabel('Number of shards').selectOption('2');
      await shards.getByText('0–8191').waitFor();
      const [[, firstHalf] = []] = await rows();
      const table = page.getByRole('grid', { name: 'Slots in use' });
      await table.locator('.rows .tr').first().click();
      await page.locator('#view-search').waitFor();
      await page.getByText('400 keys found').waitFor();
      const slots = page.getByRole('textbox', { name: 'Slots' });
      expect(await slots.inputValue()).toBe('8338');
      await slots.fill('0-8191');
      await page.getByRole('button', { name: 'Search', exact: true }).click();
      const status = page.locator('#view-search [role=status]');
      await expect.poll(() => status.innerText(), { timeout: PATIENCE_MS }).not.toMatch(/^400 /);
      await page.locator('#view-search [role=progressbar]').waitFor({ state: 'detached' });
      expect(await status.innerText()).toBe(`${firstHalf} keys found`);
    });
  });

  test('a file in zstd, its values, a cut one, and one that asks for too much', async () => {
    // nothing that Redis could pack, so that there are several blocks
    const digits = Array.from({ length: 40_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
    const long = await richDump([['SET', 'padding', digits.join('')]]);
    await withPage(async (page) => {
      await give(page, given('rich.rdb.zst', zstdStored(long)));
      expect(await figure(page, 'Keys')).toBe(String(RICH_KEYS + 1));
      expect(await page.locator('.banner.error').count()).toBe(0);
      const cut = zstdStored(long);
      await give(page, given('cut.rdb.zst', cut.subarray(0, cut.length - 400)));
      await page.locator('.file-chip', { hasText: 'cut.rdb.zst' }).waitFor();
      await page.locator('.banner.error', { hasText: 'damaged at offset' }).waitFor();
    });
    await withPage(async (page) => {
      const file = given('wide.rdb.zst', zstdStored(rich, 0x98));
      await page.locator('input[type=file]').first().setInputFiles(file);
      await page.getByText('packed by zstd with a window of 512 MB').waitFor();
    });
  });

  test('a gzip that was cut shows what was before', async () => {
    const packed = gzipSync(rich);
    await withPage(async (page) => {
      await give(page, given('cut.rdb.gz', packed.subarray(0, packed.length - 200)));
      await page.locator('.banner.error', { hasText: 'damaged at offset' }).waitFor();
    });
  });

  test('a file dropped while another is read', async () => {
    await withPage(async (page) => {
      const small = [...readFileSync(join(DATA, 'empty-redis8.0.6-rdb12.rdb'))];
      await page.evaluate(async (second) => {
        const drop = (file: File) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(file);
          const how = { dataTransfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent('drop', how));
        };
        // keys without end, large enough to be under way for a while
        const key = [0, 1, 107, 1, 118];
        const block = new Uint8Array(1_000_000);
        for (let at = 0; at < block.length; at += key.length) block.set(key, at);
        drop(new File(['REDIS0010', ...Array(40).fill(block)], 'first.rdb'));
        while (!document.querySelector('h1')?.textContent?.includes('first.rdb')) {
          await new Promise((resolve) => setTimeout(resolve));
        }
        drop(new File([new Uint8Array(second)], 'second.rdb'));
      }, small);
      await page.locator('.file-chip', { hasText: 'second.rdb' }).waitFor();
      expect(await figure(page, 'Keys')).toBe('0');
    });
  });

  test('whatever can be used has a name, and ids are used once', async () => {
    await withPage(async (page) => {
      expect(await nameless(page)).toEqual([]);
      await give(page, given('rich.rdb', rich));
      for (const id of ['overview', 'prefixes', 'keys', 'findings', 'slots', 'compare', 'search']) {
        await showTab(page, id);
        expect([id, await nameless(page)]).toEqual([id, []]);
      }
      await page.getByRole('button', { name: 'Search', exact: true }).click();
      await page.getByText(`${RICH_KEYS} keys found`).waitFor();
      await page.getByRole('grid', { name: 'Keys found' }).getByText('big-hash').click();
      await page.locator('.drawer .key-facts').waitFor();
      expect(await nameless(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await showTab(page, 'console');
      await page.getByRole('button', { name: 'Start empty' }).click();
      await page.getByLabel('Command').waitFor();
      expect(await nameless(page)).toEqual([]);
    });
  });

  test.each(['light', 'dark'] as const)('text can be read: %s', async (colorScheme) => {
    await withPage(async (page) => {
      await page.emulateMedia({ colorScheme });
      await give(page, given('rich.rdb', rich));
      for (const id of ['overview', 'prefixes', 'keys', 'findings', 'slots', 'search']) {
        await showTab(page, id);
        expect([id, await faint(page)]).toEqual([id, []]);
      }
    });
  });

  test('types and databases are in the tables', async () => {
    await withPage(async (page) => {
      await give(page, given('rich.rdb', rich));
      const databases = await rowsOf(page, 'Memory by database');
      expect(databases.map(([db]) => db)).toEqual(['db 0', 'db 3']);
      const encodings = (await rowsOf(page, 'Memory by encoding')).map(([name]) => name);
      expect(encodings.join(' ')).toMatch(/intset/);
    });
  });
});

/** What can be focused, or is a picture, without an accessible name; ids that occur twice. */
function nameless(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const textOf = (ids: string | null) =>
      (ids ?? '')
        .split(/\s+/)
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join('');
    const nameOf = (element: Element) =>
      element.getAttribute('aria-label') ||
      textOf(element.getAttribute('aria-labelledby')) ||
      [...((element as HTMLInputElement).labels ?? [])].map((l) => l.textContent).join('') ||
      (element.matches('button, a, summary, [role=tab]') ? element.textContent : '') ||
      element.getAttribute('title') ||
      '';
    const used = 'button, a, input, select, textarea, summary, [tabindex], [role=img], [role=grid]';
    const isShown = (element: Element) =>
      element.checkVisibility({ visibilityProperty: true }) &&
      element.closest('[aria-hidden=true]') === null;
    const found = [...document.querySelectorAll(used)]
      .filter((element) => isShown(element) && nameOf(element).trim() === '')
      .map((element) => element.outerHTML.slice(0, 120));
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    return [...found, ...ids.filter((id, i) => ids.indexOf(id) !== i)];
  });
}

/** Texts with less contrast than WCAG 2 asks for (AA), by their own colours. */
function faint(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
    const rgba = (colour: string) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data] as [number, number, number, number];
    };
    const light = ([r, g, b]: readonly number[]) => {
      const part = (n: number) => {
        const c = n / 255;
        return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * part(r as number) + 0.7152 * part(g as number) + 0.0722 * part(b as number);
    };
    const groundOf = (element: Element | null): readonly number[] => {
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = rgba(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return [255, 255, 255];
    };
    const out: string[] = [];
    for (const element of document.querySelectorAll('body *')) {
      const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent?.trim());
      if (!own || !element.checkVisibility() || element.closest('.hidden, svg') !== null) continue;
      const style = getComputedStyle(element);
      const pair = [light(rgba(style.color)), light(groundOf(element))];
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
      const isLarge = Number.parseFloat(style.fontSize) >= 24;
      if (ratio < (isLarge ? 3 : 4.5)) {
        out.push(`${ratio.toFixed(2)} ${element.className} ${element.textContent?.slice(0, 40)}`);
      }
    }
    return [...new Set(out)];
  });
}
