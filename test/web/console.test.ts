// The console of the page: the core in a worker with the dump loaded, any command, replies of every
// kind; what needs a server says so; a damaged file and no file.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PageServer } from '../../host/cli/page-server.js';
import {
  DATA,
  give,
  given,
  hasChromium,
  launch,
  openPage,
  PATIENCE_MS,
  serve,
  showTab,
  type Watch,
} from './browser.js';
import { RICH_KEYS, richDump } from './rich-dump.js';

describe.skipIf(!hasChromium)('the console', { timeout: 4 * PATIENCE_MS }, () => {
  let browser: Browser;
  let server: PageServer;
  let page: Page;
  let watch: Watch;
  beforeAll(async () => {
    const [started, served, rich] = await Promise.all([launch(), serve(), richDump()]);
    [browser, server] = [started, served];
    ({ page, watch } = await openPage(browser, server.url));
    await give(page, given('rich.rdb', rich));
    await showTab(page, 'console');
    await page.getByRole('button', { name: 'Load the dump and start' }).click();
    await page.getByLabel('Command').waitFor();
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Sends a line; the text of its reply. */
  async function ask(line: string): Promise<string> {
    const exchanges = page.locator('.exchange');
    const before = await exchanges.count();
    await page.getByLabel('Command').fill(line);
    await page.keyboard.press('Enter');
    const exchange = exchanges.nth(before);
    await exchange.waitFor();
    await page.locator('.exchange[aria-busy=false]').nth(before).waitFor();
    const text = await exchange.innerText();
    return text
      .slice(text.indexOf('\n'))
      .trim()
      .replace(/\s*\n\s*/g, '\n');
  }

  test('has the dump', async () => {
    const card = page.locator('#view-console');
    expect(await card.innerText()).toContain(`${RICH_KEYS} keys loaded`);
    expect(await ask('DBSIZE')).toBe(`(integer) ${RICH_KEYS - 1}`);
    expect(await ask('GET user:1:name')).toBe('"Ada Lovelace"');
    expect(await ask('LRANGE queue:small 0 -1')).toBe('1)\n"first"\n2)\n"second"\n3)\n"third"');
    expect(await ask('OBJECT ENCODING numbers')).toBe('"intset"');
    expect(await ask('SELECT 3')).toBe('OK');
    expect(await ask('GET other-db')).toBe('"three"');
    expect(await ask('SELECT 0')).toBe('OK');
  });

  test.each([
    ['SET a 1', 'OK'],
    ['INCR a', '(integer) 2'],
    ['GET a', '"2"'],
    ['GET none', '(nil)'],
    ['set "two words" "tab\\t \\x00"', 'OK'],
    ['get "two words"', '"tab\\x09 \\x00"'],
    ['ZADD z 1.5 x 2 y', '(integer) 2'],
    ['ZRANGE z 0 -1 WITHSCORES', '1)\n1)\n"x"\n2)\n(double) 1.5\n2)\n1)\n"y"\n2)\n(double) 2'],
    ['HSET h f v', '(integer) 1'],
    ['HGETALL h', '1#\n"f" ⇒ "v"'],
    ['SMEMBERS none', '(empty set)'],
    ['SADD s one', '(integer) 1'],
    ['SMEMBERS s', '1~\n"one"'],
    ['MULTI', 'OK'],
    ['PING', 'QUEUED'],
    ['EXEC', '1)\nPONG'],
    ['NONSENSE', "(error) ERR unknown command 'NONSENSE', with args beginning with: "],
    ['GET', "(error) ERR wrong number of arguments for 'get' command"],
    ['LPUSH a x', '(error) WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['get "half', '(error) ERR unbalanced quotes in request'],
    ['BLPOP none 0', '(nil)'],
    ['SAVE', '(error) ERR SAVE needs a server; this is a page'],
    ['CONFIG SET save x', '(error) ERR CONFIG SET needs a server; this is a page'],
    ['CONFIG GET databases', '1#\n"databases" ⇒ "16"'],
    ['COMMAND COUNT', /^\(integer\) \d{3}$/],
    ['INFO keyspace', /# Keyspace\ndb0:keys=\d+/],
    ['TIME', /^1\)\n"\d{10}"\n2\)\n"\d+"$/],
    ['EVAL "return redis.call(\\"INCRBY\\", KEYS[1], ARGV[1])" 1 from-lua 7', '(integer) 7'],
    ['EVAL "return {1, {2, \\"x\\"}}" 0', '1)\n(integer) 1\n2)\n1)\n(integer) 2\n2)\n"x"'],
    ['EVAL "return nosuch()" 0', /^\(error\) ERR user_script:1: .*nosuch/],
    ['SCRIPT LOAD "return 1"', '"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"'],
    ['EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0', '(integer) 1'],
    ['EVALSHA ffffffffffffffffffffffffffffffffffffffff 0', /^\(error\) NOSCRIPT/],
    ['FCALL tell 1 user:1:name', '"Ada Lovelace"'],
    ['FUNCTION LIST', /"library_name" ⇒ "kit"/],
    ['QUIT', 'OK'],
    ['PING', 'PONG'],
  ] as const)('%s', async (line, reply) => {
    const said = await ask(line);
    if (typeof reply === 'string') expect(said).toBe(reply.trim());
    else expect(said).toMatch(reply);
  });

  test.each([
    ['zran', 'ZRANGE  ZRANGEBYLEX'],
    ['getex k', 'GETEX key [EX seconds|PX milliseconds'],
    ['xgroup create', 'XGROUP CREATE key groupname'],
    ['object', 'OBJECT ENCODING|FREQ'],
  ])('typing %s shows how it goes on', async (typed, hint) => {
    await page.getByLabel('Command').fill(typed);
    await page.locator('.hint', { hasText: hint }).waitFor();
    await page.getByLabel('Command').fill('');
  });

  test('earlier lines come back with the arrows', async () => {
    await ask('ECHO one');
    await ask('ECHO two');
    const input = page.getByLabel('Command');
    const shows = (line: string) =>
      expect.poll(() => input.inputValue(), { timeout: PATIENCE_MS }).toBe(line);
    const exchanges = page.locator('.exchange');
    const before = await exchanges.count();
    await input.press('ArrowUp');
    await shows('ECHO two');
    await input.press('ArrowUp');
    await shows('ECHO one');
    await input.press('ArrowDown');
    await shows('ECHO two');
    await input.press('Enter');
    await exchanges.nth(before).getByText('"two"').waitFor();
  });

  test('a long reply is cut, not the page', async () => {
    expect(await ask('SETRANGE big 200000 x')).toBe('(integer) 200001');
    expect(await ask('GET big')).toContain('(200,001 bytes)');
    const text = await ask('LRANGE queue:large 0 -1');
    expect(text).toContain('job-299');
    expect(text).not.toContain('job-300');
    await page.getByRole('button', { name: 'Show more of 3,000' }).click();
    await page.locator('.exchange').getByText('"job-599"').waitFor();
  });

  test('nothing was asked of anybody, no error', () => {
    expect(watch).toEqual({ strangers: [], errors: [] });
  });

  test('a damaged file is refused with the offset; an empty core starts all the same', async () => {
    const whole = readFileSync(join(DATA, 'nocompress-redis8.0.6-rdb12.rdb'));
    await page.getByRole('button', { name: 'respite inspect' }).click();
    await give(page, given('cut.rdb', whole.subarray(0, 4000)));
    await showTab(page, 'console');
    await page.getByRole('button', { name: 'Load the dump and start' }).click();
    const alert = page.locator('#view-console .banner.error');
    expect(await alert.innerText()).toMatch(/damaged at offset \d+/);
    await page.getByRole('button', { name: 'Start empty' }).click();
    await page.getByLabel('Command').waitFor();
    expect(await ask('DBSIZE')).toBe('(integer) 0');
  });
});
