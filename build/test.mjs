// npm test: everything that must pass, in order, and one last line "N passed, N failed".
//   build · lint and format (biome) · types of host and tests (tsc) · as-pect · vitest
// The tidy test (test/tidy) is among vitest's. Each static check counts as one; as-pect and vitest
// count their tests. Skipped tests are listed. The real redis-server is the oracle of most tests:
// where it is missing it is installed through apt (as root on Debian), and said so. Chromium, which
// drives the tests of the page, likewise; without it those are skipped and listed.
//   npm test -- NAME…   passes names on to vitest and leaves the other steps out.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const ROOT = new URL('..', import.meta.url).pathname;
const OUT = join(ROOT, 'build/out');
const REPORT = join(OUT, 'vitest.json');
const totals = { passed: 0, failed: 0 };
const failures = [];

function count(passed, failed, what) {
  totals.passed += passed;
  totals.failed += failed;
  if (failed > 0) failures.push(what);
}

/** Runs a program, shows its output as it comes, gives its exit code and its text. */
function run(command, args) {
  return new Promise((resolve) => {
    console.log(`\n$ ${[command, ...args].join(' ')}`);
    const env = { ...process.env, npm_config_update_notifier: 'false' };
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const keep = (stream) => (chunk) => {
      stream.write(chunk);
      text += chunk;
    };
    child.stdout.on('data', keep(process.stdout));
    child.stderr.on('data', keep(process.stderr));
    child.once('error', (error) => resolve({ code: 127, text: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, text }));
  });
}

const bin = (name) => join(ROOT, 'node_modules/.bin', name);
const has = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

async function needRedis() {
  if (has('redis-server') && has('redis-cli')) return true;
  console.log('redis-server is not installed; the tests compare respite with it.');
  if (!(await install('redis-server'))) {
    console.log('Install it (Debian: apt-get install redis-server) and run again.');
  }
  return has('redis-server');
}

/** An installation that takes longer has no network worth waiting for. */
const INSTALL_SECONDS = '300';

/** Installs what a Debian package offers; false: not possible here. */
async function install(name) {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return false;
  console.log(`Installing it now: apt-get install -y ${name}`);
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  const apt = (...args) => run('timeout', [INSTALL_SECONDS, 'apt-get', '-q', ...args]);
  await apt('update');
  await apt('install', '-y', '--no-install-recommends', name);
  return true;
}

/** For the tests of the page; they are skipped without it, which is no failure. */
async function wantChromium() {
  if (existsSync('/usr/bin/chromium') || existsSync('/usr/bin/chromium-browser')) return;
  console.log('Chromium is not installed; the tests of the page run in it.');
  await install('chromium');
  if (!existsSync('/usr/bin/chromium')) console.log('It could not be: those tests are skipped.');
}

async function check(what, command, args) {
  const { code } = await run(command, args);
  count(code === 0 ? 1 : 0, code === 0 ? 0 : 1, what);
  return code === 0;
}

/** as-pect ends with a summary of how many tests passed of how many; exit code 1 on failure. */
async function asPect() {
  const { code, text } = await run(bin('asp'), ['--no-logo', '--summary']);
  const { passed, failed } = asPectTotals(text);
  if (passed + failed === 0) {
    count(0, 1, 'as-pect ran no test');
    return;
  }
  // A trap or a compile error ends a file without a count.
  const lost = code !== 0 && failed === 0 ? 1 : 0;
  count(passed, failed + lost, 'as-pect');
}

/** The last "[Tests]: passed / all" of as-pect's output. */
function asPectTotals(text) {
  const all = [...stripVTControlCharacters(text).matchAll(/\[Tests\]:\s*(\d+)\s*\/\s*(\d+)/g)];
  const [, passed = 0, total = 0] = all.at(-1) ?? [];
  return { passed: Number(passed), failed: Number(total) - Number(passed) };
}

async function vitest(names) {
  mkdirSync(OUT, { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const { code, text } = await run(bin('vitest'), ['run', ...reporters, ...names]);
  listRetries(text);
  if (!existsSync(REPORT)) {
    count(0, 1, 'vitest gave no report');
    return;
  }
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  const { numPassedTests: passed, numFailedTests: failed } = report;
  // A file that cannot be loaded, or an error outside tests, fails the run without a failed test.
  const lost = code !== 0 && failed === 0 ? 1 : 0;
  count(passed, failed + lost + (passed + failed === 0 ? 1 : 0), 'vitest');
  listSkips(report);
}

/** Tests that passed on a second try are no failure, but somebody should look at them. */
function listRetries(text) {
  const retried = [];
  let file = '';
  for (const line of stripVTControlCharacters(text).split('\n')) {
    file = /^\s*[✓❯] (\S+\.test\.ts)/.exec(line)?.[1] ?? file;
    if (/^\s*✓.*\(retry x\d+\)/.test(line)) retried.push(`${file}: ${line.trim()}`);
  }
  if (retried.length > 0) console.log(`\nPassed on the second try only: ${retried.length}`);
  for (const line of retried) console.log(`  ${line}`);
}

function listSkips(report) {
  const skipped = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => /^(skipped|pending|todo|disabled)$/.test(status)),
  );
  if (skipped.length === 0) return;
  const groups = new Map();
  for (const { ancestorTitles, title } of skipped) {
    const group = ancestorTitles[0] ?? title;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  console.log(`\nSkipped: ${skipped.length}`);
  for (const [group, number] of groups) console.log(`  ${number} in ${group}`);
}

async function main(names) {
  if (!(await needRedis())) count(0, 1, 'redis-server is missing');
  await wantChromium();
  if (names.length === 0) {
    if (!(await check('build', 'npm', ['run', '--silent', 'build']))) return;
    await check('lint and format', bin('biome'), ['check', '--error-on-warnings']);
    await check('types', bin('tsc'), ['-p', 'test/tsconfig.json']);
    await check('types of the page', bin('tsc'), ['-p', 'host/web/tsconfig.json']);
    await asPect();
  }
  await vitest(names);
}

await main(process.argv.slice(2));
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed === 0 ? 0 : 1);
