// A large dump in the page and on the command line:
//   node test/web/large.mjs FILE [runs] [--served]
//   (node test/bench/rdb-data.mjs 1500000 makes one of 300 MB)
// Prints the times of both, runs in turns; how long the page's main thread was held while the file
// was read, shown, and while every view was opened; and what page and worker keep in memory. As the
// floor under all that: the gaps of a page that does nothing, beside the command line. Where others
// have the machine too, times on the clock say little, so each task's processor time is told beside
// its own, out of Chromium's trace. --served gives the file to `respite inspect` and not to the
// page. Needs a whole build (npm run build).

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { servePage } from '../../build/js/cli/page-server.js';
import { MemoryMeter } from './page-memory.mjs';

const isServed = process.argv.includes('--served');
const [file, runsText = '3'] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
if (file === undefined) throw new Error('usage: large.mjs FILE [runs] [--served]');
const ROOT = new URL('../../', import.meta.url).pathname;
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];
const HELD_MS = 50;
const TRACED = ['disabled-by-default-devtools.timeline', 'blink.user_timing'];

/** Resident memory at most, MB, of the process that runs the page and its worker. */
function rendererMb() {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,rss,args'], { encoding: 'utf8' });
  const sizes = stdout
    .split('\n')
    .filter((row) => row.includes('--type=renderer'))
    .map((row) => row.trim().split(/\s+/)[0])
    .map((pid) => /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return Math.round(Math.max(...sizes.map(Number)) / 1024);
}

/** Notes tasks over 50 ms, and the gaps between timers that should come every few ms. */
function watchThread() {
  const seen = { tasks: [], gaps: [], most: 0 };
  window.seen = seen;
  new PerformanceObserver((list) => {
    for (const { duration, startTime } of list.getEntries()) {
      seen.tasks.push(Math.round(duration));
      console.debug(`task of ${Math.round(duration)} ms at ${Math.round(startTime)}`);
    }
  }).observe({ type: 'longtask', buffered: true });
  let last;
  const tick = () => {
    const now = performance.now();
    const gap = now - (last ?? now);
    last = now;
    seen.most = Math.max(seen.most, gap);
    if (gap > 50) seen.gaps.push(Math.round(gap));
    setTimeout(tick);
  };
  addEventListener('DOMContentLoaded', tick);
}

/** What was seen since the last time; `mark` names it in the trace. */
async function held(page, mark) {
  const seen = await page.evaluate((name) => {
    performance.mark(`held-${name}`);
    const { tasks, gaps, most } = window.seen;
    Object.assign(window.seen, { tasks: [], gaps: [], most: 0 });
    return { tasks, gaps, most: Math.round(most) };
  }, mark);
  return { mark, ...seen };
}

const heldText = ({ tasks, gaps, most }) =>
  `tasks over ${HELD_MS} ms: ${tasks.join(' ') || 'none'}; longest gap ${most} ms` +
  (gaps.length > 1 ? ` (all: ${gaps.join(' ')})` : '');

/** The task of the page's thread that took most of the processor, before each mark. */
function longestTasks(trace) {
  const { traceEvents: events } = JSON.parse(trace);
  const isMark = ({ cat, name }) => cat?.includes('user_timing') && name.startsWith('held-');
  const { pid, tid } = events.find(isMark);
  const own = events.filter((event) => event.pid === pid && event.tid === tid);
  const longest = {};
  let from = 0;
  for (const { name, ts } of own.filter(isMark).sort((a, b) => a.ts - b.ts)) {
    const tasks = own.filter((e) => e.name === 'RunTask' && e.ts >= from && e.ts < ts);
    const most = tasks.reduce((a, b) => ((b.tdur ?? 0) > (a.tdur ?? 0) ? b : a), {
      tdur: 0,
      dur: 0,
    });
    longest[name.slice(5)] ??=
      `${Math.round(most.tdur / 1000)} ms in ${Math.round(most.dur / 1000)}`;
    from = ts;
  }
  return longest;
}

async function openPage(page, url) {
  await page.addInitScript(watchThread);
  await page.goto(url);
}

/** Every view once: what each holds the thread for. */
const TOUR = {
  prefixes: async (page) => {
    await page.locator('.treemap canvas').waitFor();
    await page.locator('#view-prefixes .table .rows .tr').first().click();
  },
  keys: async (page) => {
    await page.getByRole('columnheader', { name: 'Key' }).first().getByRole('button').click();
  },
  findings: async () => undefined,
  slots: async () => undefined,
  search: async (page) => {
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    const status = page.locator('#view-search [role=status]', { hasText: '(not all)' });
    await status.waitFor({ timeout: 600_000 });
    const grid = page.getByRole('grid', { name: 'Keys found' });
    await grid.getByRole('button', { name: 'Key' }).click();
    await grid.evaluate((element) => element.scrollTo({ top: element.scrollHeight / 2 }));
    await page.waitForTimeout(300);
    await grid.locator('.rows .tr').nth(15).click();
    await page.locator('.drawer .key-facts').waitFor({ timeout: 600_000 });
    await page.keyboard.press('Escape');
  },
  compare: async (page) => {
    await page.locator('#view-compare input[type=file]').setInputFiles(file);
    const done = page.getByRole('grid', { name: 'Both files by type' });
    await done.waitFor({ timeout: 600_000 });
  },
  console: async (page) => {
    await page.getByRole('button', { name: 'Load the dump and start' }).click();
    await page.getByLabel('Command').waitFor({ timeout: 600_000 });
    for (const line of ['DBSIZE', 'SCAN 0 COUNT 5000', 'KEYS *1*', 'INFO']) {
      await page.getByLabel('Command').fill(line);
      await page.keyboard.press('Enter');
    }
    await page.locator('.exchange').nth(3).waitFor({ timeout: 600_000 });
  },
};

async function tour(page) {
  const seen = [];
  for (const [id, use] of Object.entries(TOUR)) {
    await page.locator(`#tab-${id}`).click();
    await page.locator(`#view-${id}`).waitFor();
    await use(page);
    await page.waitForTimeout(500);
    seen.push(await held(page, id));
  }
  return seen;
}

async function inPage(url, hasTour) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await browser.startTracing(page, { categories: TRACED });
  await openPage(page, url);
  const meter = await MemoryMeter.of(page);
  if (!isServed) await page.locator('input[type=file]').setInputFiles(file);
  const most = {};
  let isReading = true;
  const sampling = (async () => {
    for (let n = 0; isReading; n++) {
      // asking for WebAssembly takes time: once, in the run that has the tour
      const now = await meter.now({ wasm: hasTour && n === 2 });
      for (const [name, mb] of Object.entries(now)) {
        most[name] = Math.max(most[name] ?? 0, mb);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  })();
  await page.locator('#view-overview').waitFor({ timeout: 1_200_000 });
  isReading = false;
  await sampling;
  const seconds = await page.evaluate(
    () => performance.getEntriesByName('respite-read')[0].duration / 1000,
  );
  await page.locator('.histogram canvas').nth(1).waitFor();
  await page.waitForTimeout(1500);
  const reading = await held(page, 'reading');
  const keys = await page.locator('.figure b').first().innerText();
  const rss = rendererMb();
  const views = hasTour ? await tour(page) : [];
  const longest = longestTasks(await browser.stopTracing());
  await browser.close();
  return { seconds, most, held: [reading, ...views], longest, keys, rss };
}

async function onCommandLine() {
  const began = performance.now();
  const main = `${ROOT}build/js/cli/main.js`;
  const child = spawn(process.execPath, [main, 'rdb', 'stats', '--json', file], {
    stdio: 'ignore',
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`respite rdb stats ended with ${code}`);
  return (performance.now() - began) / 1000;
}

/** A page that does nothing, while the command line reads the file beside it. */
async function idle(url) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const page = await browser.newPage();
  await openPage(page, url);
  await page.waitForTimeout(500);
  await held(page, 'start');
  await onCommandLine();
  const seen = await held(page, 'idle');
  await browser.close();
  return seen;
}

const root = `${ROOT}build/web`;
const empty = await servePage({ root, host: '127.0.0.1', port: 0, file: undefined });
const filled = await servePage({ root, host: '127.0.0.1', port: 0, file });
console.log(`${(statSync(file).size / 2 ** 20).toFixed(0)} MB`);
const best = { line: Infinity, page: Infinity };
const runs = Number(runsText);
for (let run = 1; run <= runs; run++) {
  const floor = await idle(empty.url);
  const line = await onCommandLine();
  const { seconds, most, held, longest, keys, rss } = await inPage(
    isServed ? filled.url : empty.url,
    run === runs,
  );
  best.line = Math.min(best.line, line);
  best.page = Math.min(best.page, seconds);
  console.log(`run ${run}: command line ${line.toFixed(2)} s, page ${seconds.toFixed(2)} s`);
  console.log(`    ${keys} keys; an idle page: ${heldText(floor)}`);
  for (const one of held) {
    const task = `longest task ${longest[one.mark]} ms`;
    console.log(`    ${one.mark}: ${task}; ${heldText(one)}`);
  }
  const { page, workers, buffers, wasm } = most;
  console.log(
    `    memory at most, MB: heap of the page ${page}, of the worker ${workers}, ` +
      `buffers ${buffers}, ${run === runs ? `WebAssembly ${wasm}, ` : ''}the process ${rss}`,
  );
}
console.log(
  `best of ${runs}: command line ${best.line.toFixed(2)} s, page ${best.page.toFixed(2)} s, ` +
    `${(best.page / best.line).toFixed(2)}x`,
);
await empty.close();
await filled.close();
