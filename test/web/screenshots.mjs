// Pictures of the page for docs/: node test/web/screenshots.mjs FILE [folder]
// FILE is a dump worth showing (node test/bench/rdb-data.mjs 100000); needs npm run build.

import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { servePage } from '../../build/js/cli/page-server.js';

const [file, folder = new URL('../../docs/images', import.meta.url).pathname] =
  process.argv.slice(2);
if (file === undefined) throw new Error('usage: screenshots.mjs FILE [folder]');
const ROOT = new URL('../../', import.meta.url).pathname;

const COMMANDS = [
  ...['DBSIZE', 'SCAN 0 MATCH user:1* COUNT 200', 'HSET demo field value other 2', 'HGETALL demo'],
  ...['ZADD board:new 1.5 ada 2 grace', 'ZRANGE board:new 0 -1 WITHSCORES', 'INFO keyspace'],
];

async function settle(page) {
  await page.waitForTimeout(1200);
}

/** What is done before each picture. */
const SCENES = {
  overview: settle,
  async prefixes(page) {
    await page.click('#tab-prefixes');
    await settle(page);
  },
  async value(page) {
    await page.click('#tab-search');
    await page.getByLabel('hash').check();
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('grid', { name: 'Keys found' }).locator('.rows .tr').first().click();
    await page.locator('.drawer .key-facts').waitFor();
    await settle(page);
  },
  async console(page) {
    await page.keyboard.press('Escape');
    await page.click('#tab-console');
    await page.getByRole('button', { name: 'Load the dump and start' }).click();
    for (const command of COMMANDS) {
      await page.getByLabel('Command').fill(command);
      await page.keyboard.press('Enter');
    }
    await settle(page);
  },
};

/** Which pictures are worth having in which colours. */
const SHOWN = {
  overview: ['light', 'dark'],
  prefixes: ['light', 'dark'],
  value: ['light'],
  console: ['dark'],
};

const server = await servePage({ root: `${ROOT}build/web`, host: '127.0.0.1', port: 0, file });
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
for (const colorScheme of ['light', 'dark']) {
  const page = await browser.newPage({ viewport: { width: 1120, height: 720 }, colorScheme });
  await page.goto(server.url);
  await page.locator('#view-overview').waitFor({ timeout: 120_000 });
  for (const [name, play] of Object.entries(SCENES)) {
    await play(page);
    if (!SHOWN[name].includes(colorScheme)) continue;
    const path = join(folder, `web-${name}-${colorScheme}.png`);
    await page.screenshot({ path });
    console.log(path);
  }
  await page.close();
}
await browser.close();
await server.close();
