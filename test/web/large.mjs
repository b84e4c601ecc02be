// A large dump in the page and on the command line: node test/web/large.mjs FILE
//   (node test/bench/rdb-data.mjs 1500000 makes one of 300 MB)
// Prints the times of both, three runs each in turns, what the page's main thread was blocked for,
// and what memory the page's process took. Needs a whole build (npm run build).

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { servePage } from '../../build/js/cli/page-server.js';

const file = process.argv[2];
if (file === undefined) throw new Error('usage: large.mjs FILE');
const ROOT = new URL('../../', import.meta.url).pathname;
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

/** Resident memory of a process now and at most, MB. */
function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const of = (name) =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  return { now: of('VmRSS'), most: of('VmHWM') };
}

/** The process that runs the page and its worker. */
function rendererPid() {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,rss,args'], { encoding: 'utf8' });
  const rows = stdout.split('\n').filter((row) => row.includes('--type=renderer'));
  const [row] = rows.sort(
    (a, b) => Number(b.trim().split(/\s+/)[1]) - Number(a.trim().split(/\s+/)[1]),
  );
  return Number(row.trim().split(/\s+/)[0]);
}

function watchTasks() {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(Math.round(duration));
  }).observe({ type: 'longtask', buffered: true });
}

async function inPage(url, viaServer) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const page = await browser.newPage();
  await page.addInitScript(watchTasks);
  await page.goto(url);
  if (!viaServer) await page.locator('input[type=file]').setInputFiles(file);
  await page.locator('#view-overview').waitFor({ timeout: 600_000 });
  const seconds = await page.evaluate(
    () => performance.getEntriesByName('respite-read')[0].duration / 1000,
  );
  const { now, most } = memory(rendererPid());
  await page.waitForTimeout(2000); // charts
  const tasks = await page.evaluate(() => window.longTasks);
  const keys = await page.locator('.figure b').first().innerText();
  await browser.close();
  return { seconds, now, most, tasks, keys };
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

const root = `${ROOT}build/web`;
const empty = await servePage({ root, host: '127.0.0.1', port: 0, file: undefined });
const filled = await servePage({ root, host: '127.0.0.1', port: 0, file });
const megabytes = statSync(file).size / 2 ** 20;
console.log(`${megabytes.toFixed(0)} MB`);
for (let run = 1; run <= 3; run++) {
  const line = await onCommandLine();
  const dropped = await inPage(empty.url, false);
  const served = await inPage(filled.url, true);
  const text = ({ seconds, now, most, tasks, keys }) =>
    `${seconds.toFixed(2)} s (${(seconds / line).toFixed(2)}x), ${keys} keys, ` +
    `RSS ${now} MB (most ${most}), tasks over 50 ms: ${tasks.join(' ') || 'none'}`;
  console.log(`run ${run}: command line ${line.toFixed(2)} s`);
  console.log(`  file given to the page: ${text(dropped)}`);
  console.log(`  respite inspect FILE:   ${text(served)}`);
}
await empty.close();
await filled.close();
