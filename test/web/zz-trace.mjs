import { chromium } from 'playwright-core';
import { servePage } from '../../build/js/cli/page-server.js';
import { writeFileSync } from 'node:fs';
const file = process.argv[2];
const ROOT = new URL('../../', import.meta.url).pathname;
const server = await servePage({ root: `${ROOT}build/web`, host: '127.0.0.1', port: 0, file: undefined });
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu','--disable-background-networking'] });
const p = await b.newPage({ viewport: { width: 1280, height: 900 } });
await b.startTracing(p, { categories: ['disabled-by-default-devtools.timeline', 'devtools.timeline', 'v8', 'disabled-by-default-v8.cpu_profiler', 'blink.user_timing', '__metadata'] });
await p.goto(server.url);
await p.locator('input[type=file]').setInputFiles(file);
await p.locator('#view-overview').waitFor({timeout: 300000});
await p.locator('.histogram canvas').nth(1).waitFor();
await p.waitForTimeout(1500);
for (const id of (process.argv[3] ?? '').split(',').filter(Boolean)) {
  await p.evaluate((id) => performance.mark('tab-' + id), id);
  await p.locator(`#tab-${id}`).click();
  await p.waitForTimeout(1500);
  if (id === 'search') { await p.getByRole('button', { name: 'Search', exact: true }).click(); await p.waitForTimeout(3000);
   const grid = p.getByRole('grid', { name: 'Keys found' });
    await p.evaluate(() => performance.mark('sort'));
    await grid.getByRole('button', { name: 'Key' }).click();
    await p.waitForTimeout(1000);
  }
  if (id === 'console') {
    await p.getByRole('button', { name: 'Load the dump and start' }).click();
    await p.getByLabel('Command').waitFor({ timeout: 600_000 });
    for (const line of ['DBSIZE', 'SCAN 0 COUNT 5000', 'KEYS *1*', 'INFO']) {
      await p.evaluate((id) => performance.mark('cmd-' + id), line);
      await p.getByLabel('Command').fill(line);
      await p.keyboard.press('Enter');
      await p.waitForTimeout(3000);
    }
  }
}
const buf = await b.stopTracing();
writeFileSync('/tmp/page-data/trace.json', buf);
await b.close(); await server.close();
const { traceEvents } = JSON.parse(buf.toString());
const mains = traceEvents.filter(e => e.name === 'thread_name' && e.args.name === 'CrRendererMain');
for (const m of mains) {
  const own = traceEvents.filter(e => e.pid === m.pid && e.tid === m.tid);
  const tasks = own.filter(e => e.name === 'RunTask' && e.ph === 'X' && (e.tdur ?? 0) > 16000);
  if (own.length < 1000) continue;
  const marks = own.filter(e => e.cat?.includes('user_timing'));
  const all = [...tasks, ...marks].sort((a, b) => a.ts - b.ts);
  const t0 = own[0].ts;
  for (const t of all) {
    if (t.name !== 'RunTask') { console.log('   mark', t.name, ((t.ts - own.find(e=>e.ts>0).ts) / 1000).toFixed(0)); continue; }
    const inside = own.filter(e => e.ph === 'X' && e.name !== 'RunTask' && e.ts >= t.ts && e.ts < t.ts + t.dur && e.dur > 3000);
    const agg = {};
    for (const e of inside) agg[e.name + (e.args?.data?.functionName ? ':' + e.args.data.functionName : '')] = (agg[e.name+ (e.args?.data?.functionName ? ':' + e.args.data.functionName : '')] ?? 0) + e.dur / 1000;
    console.log(`task cpu ${(t.tdur / 1000).toFixed(0)} wall ${(t.dur / 1000).toFixed(0)}`, Object.entries(agg).map(([k, v]) => `${k} ${v.toFixed(0)}`).join(', '));
  }
}
