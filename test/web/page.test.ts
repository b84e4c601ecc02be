// The page in a browser: files are read whole and right, searched, their values shown; damage,
// cancelling, keyboard, colours, and that nothing is asked of anybody else.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import { isRespiteError } from '../../host/errors.js';
import { readRdb } from '../../host/rdb/read-rdb.js';
import { waitFor } from '../support/wait.js';
import {
  DATA,
  figure,
  give,
  given,
  hasChromium,
  launch,
  openPage,
  PAGE_ROOT,
  PATIENCE_MS,
  rowsOf,
  search,
  serve,
  showTab,
} from './browser.js';
import { RICH_KEYS, richDump } from './rich-dump.js';
import { withOwnPage } from './with-page.js';

/** What the library says of a file: keys by type, and where it is damaged. */
async function truthOf(bytes: Uint8Array) {
  const types: Record<string, number> = {};
  let keys = 0;
  let offset: number | undefined;
  try {
    for await (const { type } of readRdb(bytes)) {
      types[type] = (types[type] ?? 0) + 1;
      keys++;
    }
  } catch (error) {
    if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    offset = error.details.offset;
  }
  return { types, keys, offset };
}

const plain = (n: number) => n.toLocaleString('en-US');

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

  const withPage = (use: (page: Page) => Promise<void>, url = server.url) =>
    withOwnPage(browser, url, use);

  const files = readdirSync(DATA).filter((name) => !name.endsWith('.stream'));
  test.each(files)('%s: all of it, right totals', async (name) => {
    const truth = await truthOf(readFileSync(join(DATA, name)));
    await withPage(async (page) => {
      await give(page, join(DATA, name));
      expect(await figure(page, 'Keys')).toBe(plain(truth.keys));
      const rows = await rowsOf(page, 'Memory by type');
      const shown = rows.map(([type, , keys]) => [type, Number(keys?.replaceAll(',', ''))]);
      expect(Object.fromEntries(shown)).toEqual(truth.types);
      expect(await page.locator('.banner.error').count()).toBe(0);
    });
  });

  test('a damaged file: the offset, and what was before', async () => {
    const whole = readFileSync(join(DATA, 'nocompress-redis8.0.6-rdb12.rdb'));
    for (const size of [2000, 4500, whole.length - 4]) {
      const cut = whole.subarray(0, size);
      const truth = await truthOf(cut);
      await withPage(async (page) => {
        await give(page, given('cut.rdb', cut));
        const text = await page.locator('.banner.error').innerText();
        expect(text).toContain(`damaged at offset ${plain(truth.offset as number)}`);
        expect(await figure(page, 'Keys')).toBe(plain(truth.keys));
      });
    }
  });

  test('a value that is damaged inside can be left out', async () => {
    const broken = Buffer.from(rich);
    // no integer is that wide; and no checksum that would tell, too
    broken.fill(0, broken.length - 8);
    const at = broken.indexOf('numbers') + 'numbers'.length;
    broken[at + 1] = 3;
    const truth = await truthOf(broken);
    expect(truth.offset).toBeDefined();
    await withPage(async (page) => {
      await give(page, given('broken.rdb', broken));
      await page.locator('.banner.error').waitFor();
      await page.getByRole('button', { name: 'read on' }).click();
      await page.locator('.banner.warning').waitFor();
      expect(await page.locator('.banner.warning').innerText()).toContain('1 damaged value');
      expect(await figure(page, 'Keys')).toBe(plain(RICH_KEYS - 1));
    });
  });

  test('a file in gzip, and its values', async () => {
    const { gzipSync } = await import('node:zlib');
    await withPage(async (page) => {
      await give(page, given('rich.rdb.gz', gzipSync(rich)));
      expect(await figure(page, 'Keys')).toBe(plain(RICH_KEYS));
      await showValue(page, 'tags');
      await expect.poll(() => page.locator('.drawer [role=row]').count()).toBe(4);
    });
  });

  /** Looks for the key and opens it. */
  async function showValue(page: Page, key: string): Promise<void> {
    await search(page, key);
    await page.getByRole('grid', { name: 'Keys found' }).getByText(key, { exact: true }).click();
    await page.locator('.drawer .key-facts').waitFor();
  }

  /** Facts are there before the value. */
  const drawerHas = (page: Page, text: string) =>
    expect.poll(() => page.locator('.drawer').innerText(), { timeout: 20_000 }).toContain(text);

  async function close(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Close' }).click();
    await page.locator('.drawer').waitFor({ state: 'detached' });
  }

  test('values of every type', async () => {
    await withPage(async (page) => {
      await give(page, given('rich.rdb', rich));
      const shows = async (key: string, ...texts: string[]) => {
        await showValue(page, key);
        for (const part of texts) await drawerHas(page, part);
        await close(page);
      };
      await shows('user:1:name', 'Ada Lovelace', 'string', 'embstr', 'never');
      await shows('user:1:json', '"born": 1815');
      await shows('user:2:name', 'Zoë, 東京 ☂');
      await shows('counter', '12345', 'int');
      await shows('\\xff\\x00bin', '00 01 02 fe ff');
      await shows('session:1', 'will go', '2100-01-01');
      await shows('long', '1 to 65,536 of 300,000 bytes');
      await shows('queue:small', 'first', 'second', 'third', 'list');
      await shows('queue:large', 'job-0', '1 to 500 of 3,000 elements');
      await shows('tags', 'red', 'green', 'blue', 'set');
      await shows('numbers', '1', '8', 'intset');
      await shows('big-hash', 'hashtable', 'Length\n700', '1 to 500 of 700 elements');
      await shows('board', 'alice', '1.5', '-3', 'Infinity', 'zset');
      await shows('events', '1-1', 'kind=start', 'group workers', 'consumer w1', 'pending 1-1');
      await shows('other-db', 'three', 'Database\n3');
    });
  });

  test('a name longer than tables show, found from its place', async () => {
    const name = `deep:${'x'.repeat(600)}`;
    const dump = await richDump([['SET', name, 'at the end', 'EX', 1_000_000]]);
    await withPage(async (page) => {
      await give(page, given('long.rdb', dump));
      await showTab(page, 'keys');
      const table = page.getByRole('grid', { name: 'Top keys by memory' });
      await table.getByText('deep:').click();
      await page.locator('.drawer .key-facts').waitFor();
      await drawerHas(page, 'at the end');
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Save the string' }).click();
      const path = await (await coming).path();
      expect(readFileSync(path, 'utf8')).toBe('at the end');
    });
  });

  test('search by name, type and expiry', async () => {
    await withPage(async (page) => {
      await give(page, given('rich.rdb', rich));
      const found = async () => page.locator('#view-search [role=status]').innerText();
      await search(page, 'user:1');
      expect(await found()).toBe('3 keys found');
      await search(page, '');
      expect(await found()).toBe(`${RICH_KEYS} keys found`);
      await page.getByLabel('zset').check();
      await search(page, '');
      expect(await found()).toBe('1 keys found');
      await page.getByLabel('zset').uncheck();
      await page.getByRole('combobox', { name: 'Expiry' }).selectOption('some');
      await search(page, '');
      expect(await found()).toBe('1 keys found');
      await page.getByRole('combobox', { name: 'Expiry' }).selectOption('any');
      await page.getByLabel('How names are compared').selectOption('regex');
      await search(page, '^user:[0-9]:n');
      expect(await found()).toBe('2 keys found');
      await page.getByLabel('How names are compared').selectOption('glob');
      await search(page, '*q*e*:*');
      expect(await found()).toBe('2 keys found');
    });
  });

  test('cancel ends the reading and the request', async () => {
    const slow = await slowServer(server.url);
    try {
      await withPage(async (page) => {
        await page.getByRole('progressbar').waitFor();
        await waitFor(() => slow.asked(), { timeoutMs: PATIENCE_MS });
        await page.getByRole('button', { name: 'Cancel' }).click();
        await page.getByText('Reading was cancelled.').waitFor();
        await waitFor(() => slow.gone(), { timeoutMs: PATIENCE_MS });
        await give(page, join(DATA, 'empty-redis8.0.6-rdb12.rdb'));
        expect(await figure(page, 'Keys')).toBe('0');
      }, slow.url);
    } finally {
      slow.close();
    }
  });

  test('the file that the server was given, and values out of it by ranges', async () => {
    const own = await serve(join(DATA, 'cluster-redis8.0.6-rdb12.rdb'));
    try {
      await withPage(async (page) => {
        await page.locator('#view-overview').waitFor();
        expect(await page.locator('.file-chip').innerText()).toContain('cluster-redis8.0.6');
        expect(await figure(page, 'Keys')).toBe('123');
        const ranged = page.waitForRequest((request) => request.headers().range !== undefined);
        await showValue(page, 'key:20');
        await drawerHas(page, 'string');
        await ranged;
      }, own.url);
    } finally {
      await own.close();
    }
  });

  test('the keyboard is enough', async () => {
    await withPage(async (page) => {
      await give(page, given('rich.rdb', rich));
      const patient = { timeout: PATIENCE_MS };
      const selected = () => page.locator('[role=tab][aria-selected=true]').getAttribute('id');
      const focused = () => page.evaluate(() => document.activeElement?.id);
      await page.locator('#tab-overview').focus();
      for (let i = 0; i < 2; i++) {
        const before = await selected();
        await page.keyboard.press('ArrowRight');
        await expect.poll(selected, patient).not.toBe(before);
        await expect.poll(async () => (await focused()) === (await selected()), patient).toBe(true);
      }
      expect(await selected()).toBe('tab-keys');
      const table = page.getByRole('grid', { name: 'Top keys by memory' });
      for (let i = 0; i < 20; i++) {
        if (await table.evaluate((element) => element === document.activeElement)) break;
        await page.keyboard.press('Tab');
      }
      const active = async () => {
        const id = await table.getAttribute('aria-activedescendant');
        return id === null ? '' : page.locator(`#${id}`).innerText();
      };
      await expect.poll(active, patient).toContain('long');
      await page.keyboard.press('ArrowDown');
      await expect.poll(active, patient).not.toContain('long');
      await page.keyboard.press('End');
      await page.keyboard.press('Home');
      await expect.poll(active, patient).toContain('long');
      await page.keyboard.press('Enter');
      await page.locator('.drawer .key-facts').waitFor();
      expect(await page.locator('.drawer h2').innerText()).toBe('long');
      await page.keyboard.press('Escape');
      await page.locator('.drawer').waitFor({ state: 'detached' });
    });
  });

  test('light and dark', async () => {
    await withPage(async (page) => {
      const ground = () =>
        page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const sum = (colour: string) =>
        (colour.match(/\d+/g) ?? []).reduce((total, part) => total + Number(part), 0);
      await page.emulateMedia({ colorScheme: 'light' });
      const light = sum(await ground());
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(sum(await ground())).toBeLessThan(200);
      expect(light).toBeGreaterThan(600);
    });
  });

  test('from any web host: below a path, without headers', async () => {
    const host = await plainHost();
    try {
      const { page, watch } = await openPage(browser, host.url);
      await give(page, given('rich.rdb', rich));
      expect(await figure(page, 'Keys')).toBe(plain(RICH_KEYS));
      expect(watch).toEqual({ strangers: [], errors: [] });
      expect(await refusals(page)).toEqual(ALL_REFUSED);
      await page.context().close();
    } finally {
      host.close();
    }
  });

  test('how long the main thread is held while a file is read', async () => {
    const pairs = Array.from({ length: 20_000 }, (_, i) => [`user:${i}:x`, `value ${i}`]).flat();
    const large = await richDump([['MSET', ...pairs]]);
    const { page } = await openPage(browser, server.url);
    await page.evaluate(() => {
      const seen: number[] = [];
      Object.assign(window, { longTasks: seen });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) seen.push(Math.round(duration));
      }).observe({ type: 'longtask' });
    });
    const dir = mkdtempSync(join(tmpdir(), 'respite-web-'));
    writeFileSync(join(dir, 'large.rdb'), large);
    await give(page, join(dir, 'large.rdb'));
    rmSync(dir, { recursive: true, force: true });
    expect(await figure(page, 'Keys')).toBe(plain(RICH_KEYS + 20_000));
    await page.locator('.histogram canvas').first().waitFor();
    const tasks = await page.evaluate(
      () => (window as unknown as { longTasks: number[] }).longTasks,
    );
    // a figure, no gate: other tests may have the machine
    console.log(`main thread, tasks over 50 ms: ${tasks.join(' ms, ') || 'none'}`);
    await page.context().close();
  });

  test('the policy forbids every connection, in the page and in workers', async () => {
    const { page } = await openPage(browser, server.url);
    expect(await refusals(page)).toEqual(ALL_REFUSED);
    await page.context().close();
  });
});

const ALL_REFUSED = { own: 'refused', other: 'refused', worker: 'refused', image: 'refused' };

/** What becomes of connections that the page tries to open. */
function refusals(page: Page): Promise<typeof ALL_REFUSED> {
  return page.evaluate(async () => {
    const attempt = async (what: Promise<unknown>) =>
      what.then(
        () => 'done',
        () => 'refused',
      );
    const code = `fetch('${location.href}').then(() => postMessage('done'),
      () => postMessage('refused'))`;
    const worker = new Worker(URL.createObjectURL(new Blob([code])));
    const said = new Promise<string>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
    return {
      own: await attempt(fetch(location.href)),
      other: await attempt(fetch('https://example.com/')),
      worker: await said,
      image: await attempt(
        new Promise((resolve, reject) => {
          const image = new Image();
          image.onload = resolve;
          image.onerror = reject;
          image.src = 'https://example.com/x.png';
        }),
      ),
    };
  });
}

/** The files of the page as any web host gives them. */
async function plainHost() {
  const prefix = '/some/path/';
  const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
  const server = http.createServer((request, response) => {
    const name = (request.url ?? '').slice(prefix.length).split('?')[0] || 'index.html';
    const type = types[name.split('.').at(-1) as 'html'];
    if (type === undefined || name.includes('..')) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': type });
    response.end(readFileSync(join(PAGE_ROOT, name)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The page of another server, but its file never ends. */
async function slowServer(upstream: string) {
  let isAsked = false;
  let isGone = false;
  const server = http.createServer(async (request, response) => {
    if (request.url === '/file') {
      const isPart = request.headers.range !== undefined;
      if (request.method === 'HEAD') {
        response.writeHead(200, { 'content-length': 1 << 30 }).end();
        return;
      }
      response.writeHead(isPart ? 206 : 200, { 'content-length': isPart ? 2 : 1 << 30 });
      if (isPart) return void response.end('RE');
      isAsked = true;
      response.on('close', () => {
        isGone = true;
      });
      response.write('REDIS0011');
      return;
    }
    const from = await fetch(new URL(request.url ?? '/', upstream));
    let body = Buffer.from(await from.arrayBuffer());
    if (request.url === '/') {
      const html = body.toString().replace("connect-src 'none'", "connect-src 'self'");
      body = Buffer.from(html.replace('<title>', '<meta name="respite-file" content="slow">$&'));
    }
    response.writeHead(from.status, { 'content-type': from.headers.get('content-type') ?? '' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    asked: () => isAsked,
    gone: () => isGone,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
