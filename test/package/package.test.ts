// The package as others get it: packed, installed from the tarball somewhere else (offline: what it
// depends on comes from npm's cache), imported by every entry, compiled against, run.

import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, ROOT, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';
import { hasChromium, launch, PATIENCE_MS } from '../web/browser.js';

const run = promisify(execFile);
const { exports: entries, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
/** 124 keys. */
const RDB = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
let dir = '';
let files: string[] = [];

/** Installs the tarball; with an empty npm cache it is unpacked, with this repository's modules. */
function install(tarball: string): void {
  const args = ['install', '--offline', '--no-audit', '--no-fund', tarball];
  try {
    execFileSync('npm', args, { cwd: dir, stdio: 'pipe' });
  } catch {
    execFileSync('mkdir', [
      '-p',
      join(dir, 'node_modules/.bin'),
      join(dir, 'node_modules/respite'),
    ]);
    const target = join(dir, 'node_modules/respite');
    execFileSync('tar', ['xzf', tarball, '-C', target, '--strip-components=1']);
    symlinkSync(join(ROOT, 'node_modules'), join(target, 'node_modules'));
    // npm makes what "bin" names executable
    chmodSync(join(target, 'build/js/cli/main.js'), 0o755);
    symlinkSync('../respite/build/js/cli/main.js', join(dir, 'node_modules/.bin/respite'));
  }
  for (const name of ['ioredis', '@types/node', 'undici-types']) {
    const from = join(ROOT, 'node_modules', name);
    const to = join(dir, 'node_modules', name);
    if (!existsSync(from) || existsSync(to)) continue;
    execFileSync('mkdir', ['-p', join(to, '..')]);
    symlinkSync(from, to);
  }
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'respite-package-'));
  writeFileSync(join(dir, 'package.json'), '{ "private": true, "type": "module" }\n');
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', dir];
  const [packed] = JSON.parse(execFileSync('npm', pack, { cwd: ROOT, stdio: 'pipe' }).toString());
  files = packed.files.map((file: { path: string }) => file.path);
  install(join(dir, packed.filename));
}, 120_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function node(source: string): Promise<string> {
  const args = ['--input-type=module', '-e', source];
  return (await run(process.execPath, args, { cwd: dir })).stdout.trim();
}

describe('the tarball', () => {
  test('holds what is needed and nothing else', () => {
    for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'build/core.wasm']) {
      expect(files).toContain(name);
    }
    const stray = /^(test|assembly|host|node_modules|\.ci)\/|\.(wat|map|tgz|ts)$|(^|\/)\.env/;
    expect(files.filter((name) => stray.test(name) && !name.endsWith('.d.ts'))).toEqual([]);
  });

  test('every entry of the exports map is there', () => {
    const targets = Object.values(entries).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry as Record<string, string>),
    );
    const missing = targets.filter((target) => !files.includes(target.slice(2)));
    expect(missing).toEqual([]);
  });
});

describe('under node', () => {
  test('respite', async () => {
    const names = await node("console.log(Object.keys(await import('respite')).join())");
    for (const name of ['createReplica', 'RespiteError', 'ERROR_CODES'])
      expect(names).toMatch(name);
  });

  test('respite/server', async () => {
    const names = await node("console.log(Object.keys(await import('respite/server')).join())");
    for (const name of ['startServer', 'loadConfig']) expect(names).toMatch(name);
  });

  test('respite/rdb', async () => {
    const names = await node("console.log(Object.keys(await import('respite/rdb')).join())");
    for (const name of ['readRdb', 'checkRdb', 'RespiteError']) expect(names).toMatch(name);
  });

  test('respite/rdb opens paths, and URLs of files', async () => {
    const source = `
      import { pathToFileURL } from 'node:url';
      import { checkRdb, readRdb } from 'respite/rdb';
      let count = 0;
      for await (const { key } of readRdb(${JSON.stringify(RDB)})) count += key.length > 0;
      const { keys } = await checkRdb(pathToFileURL(${JSON.stringify(RDB)}));
      const error = await checkRdb('nosuch.rdb').catch((e) => e.code);
      console.log(count, keys, error);`;
    expect(await node(source)).toBe('124 124 ERR_RESPITE_IO');
  });

  test('respite/lua', async () => {
    const source = `
      import { createStorage, LuaEngine } from 'respite/lua';
      import { LuaEngine as same } from 'respite';
      const storage = await createStorage();
      const lua = new LuaEngine(storage, { strings: 'text' });
      const said = lua.eval("return redis.call('ECHO', ARGV[1])", [], ['hello']);
      console.log(said, same === LuaEngine);`;
    expect(await node(source)).toBe('hello true');
  });

  test('respite/core.wasm is a module that compiles', async () => {
    const source = `
      import { readFileSync } from 'node:fs';
      const path = new URL(import.meta.resolve('respite/core.wasm'));
      console.log(WebAssembly.validate(readFileSync(path)));`;
    expect(await node(source)).toBe('true');
  });

  test('nothing else can be imported', async () => {
    const source =
      "await import('respite/build/js/core/core.js').catch((e) => console.log(e.code))";
    expect(await node(source)).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});

/** What the bundles' `count` says of RDB. */
const WANT = '124,ok,ERR_RESPITE_UNSUPPORTED';

describe('respite/rdb in bundles', () => {
  /** Reads bytes it is given; what a page or a worker does. */
  const entry = `
import { checkRdb, readRdb } from 'respite/rdb';
export async function count(bytes) {
  let keys = 0;
  for await (const _ of readRdb(new Blob([bytes]))) keys++;
  const refused = await checkRdb('a path').catch((error) => error.code);
  return [keys, (await checkRdb(bytes)).checksum, refused].join();
}`;

  /** Runs bundled files (the first is the entry) where there is nothing of Node.js. */
  async function runBundle(folder: string, main: string): Promise<string> {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name));
    for (const file of files) {
      expect(readFileSync(file, 'utf8')).not.toMatch(
        /from\s*['"]node:|import\(['"]node:|require\(/,
      );
    }
    const worker = `
      import { parentPort, workerData } from 'node:worker_threads';
      import { count } from ${JSON.stringify(join(folder, main))};
      parentPort.postMessage(await count(workerData));`;
    writeFileSync(join(dir, 'worker.mjs'), worker);
    const source = `
      import { readFileSync } from 'node:fs';
      import { Worker } from 'node:worker_threads';
      import { count } from ${JSON.stringify(join(folder, main))};
      const bytes = readFileSync(${JSON.stringify(RDB)});
      const here = await count(bytes);
      const path = ${JSON.stringify(join(dir, 'worker.mjs'))};
      const worker = new Worker(path, { workerData: bytes, execArgv: [] });
      const there = await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      console.log(here === there ? here : [here, there].join(' and '));`;
    return node(source);
  }

  test('esbuild', { timeout: 60_000 }, async () => {
    writeFileSync(join(dir, 'entry.js'), entry);
    const { build } = await import('esbuild');
    const out = join(dir, 'with-esbuild');
    await build({
      ...{ entryPoints: [join(dir, 'entry.js')], bundle: true, format: 'esm', outdir: out },
      ...{ platform: 'browser', splitting: true, outExtension: { '.js': '.mjs' } },
      logLevel: 'error',
    });
    expect(await runBundle(out, 'entry.mjs')).toBe(WANT);
  });

  test('Vite', { timeout: 60_000 }, async () => {
    writeFileSync(join(dir, 'entry.js'), entry);
    const { build } = await import('vite');
    const out = join(dir, 'with-vite');
    await build({
      ...{ root: dir, configFile: false, logLevel: 'error' },
      build: {
        outDir: out,
        lib: { entry: join(dir, 'entry.js'), formats: ['es'], fileName: () => 'entry.mjs' },
      },
    });
    expect(await runBundle(out, 'entry.mjs')).toBe(WANT);
  });
});

describe('respite/lua in bundles', () => {
  test('esbuild', { timeout: 60_000 }, async () => {
    writeFileSync(
      join(dir, 'lua-entry.js'),
      `import { createStorage, LuaEngine } from 'respite/lua';
export async function run() {
  const storage = await createStorage();
  const lua = new LuaEngine(storage, { strings: 'text' });
  storage.set('key', 'value');
  return lua.eval("return {redis.call('GET', KEYS[1]), cjson.encode({1})}", ['key']).join();
}`,
    );
    const { build } = await import('esbuild');
    const out = join(dir, 'lua-with-esbuild');
    await build({
      ...{ entryPoints: [join(dir, 'lua-entry.js')], bundle: true, format: 'esm', outdir: out },
      ...{ platform: 'browser', splitting: true, outExtension: { '.js': '.mjs' } },
      logLevel: 'error',
    });
    for (const name of readdirSync(out)) {
      expect(readFileSync(join(out, name), 'utf8')).not.toMatch(
        /from\s*['"]node:|import\(['"]node:/,
      );
    }
    const source = `
      import { run } from ${JSON.stringify(join(out, 'lua-entry.mjs'))};
      console.log(await run());`;
    expect(await node(source)).toBe('value,[1]');
  });
});

describe.skipIf(!hasChromium)('respite/rdb in Chromium, in the page and in a worker', () => {
  const patient = { timeout: 4 * PATIENCE_MS };
  let browser: Browser;
  let files: http.Server;
  let url = '';
  beforeAll(async () => {
    browser = await launch();
    files = http.createServer((request, response) => {
      const path = (request.url ?? '/').slice(1);
      const isFile = path !== '' && !path.includes('..') && existsSync(join(dir, path));
      const type = path.endsWith('js') ? 'text/javascript' : 'text/html';
      response.writeHead(path === '' || isFile ? 200 : 404, { 'content-type': type });
      response.end(isFile ? readFileSync(join(dir, path)) : '<!doctype html><title>x</title>');
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(files.address() as { port: number }).port}/`;
  }, 4 * PATIENCE_MS);
  afterAll(async () => {
    await browser?.close();
    files?.closeAllConnections();
    files?.close();
  });

  test.each(['with-esbuild', 'with-vite'])('bundled %s', patient, async (folder) => {
    writeFileSync(
      join(dir, folder, 'in-worker.mjs'),
      `import { count } from './entry.mjs';
onmessage = async ({ data }) => postMessage(await count(data));`,
    );
    const page = await browser.newPage();
    await page.goto(url);
    // as text: vitest would make something of its own out of import()
    const said = await page.evaluate(`(async () => {
      const { count } = await import('/${folder}/entry.mjs');
      const dump = Uint8Array.from([${readFileSync(RDB).join()}]);
      const worker = new Worker('/${folder}/in-worker.mjs', { type: 'module' });
      const there = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      worker.postMessage(dump);
      return [await count(dump), await there];
    })()`);
    expect(said).toEqual([WANT, WANT]);
    await page.close();
  });
});

describe('types', () => {
  test('a consumer compiles with NodeNext and strict', { timeout: 60_000 }, async () => {
    writeFileSync(
      join(dir, 'consumer.ts'),
      `import { createReplica, isRespiteError, type SyncStatus } from 'respite';
import { createNodePlatform, loadConfig, silentLogger, startServer } from 'respite/server';
import type { RunningServer } from 'respite/server';
import { createStorage, LuaEngine, type OwnStorage, type ReplyValue } from 'respite/lua';
import { type RdbEntry, type RdbFile, readRdb } from 'respite/rdb';

export async function names(path: string): Promise<RdbFile> {
  const reading = readRdb(path, { filter: { type: ['hash', 'zset'], limit: 10 } });
  for await (const entry of reading satisfies AsyncIterable<RdbEntry>) entry.key.fill(0);
  return reading.file;
}

const replica = createReplica({ master: 'redis://127.0.0.1:6379' });
const off: () => void = replica.on('disconnect', () => {});
const status: SyncStatus = replica.syncStatus();
const value: Uint8Array | null = replica.storage.get('key');
// @ts-expect-error there is no such option
createReplica({ master: 'redis://127.0.0.1', nosuch: 1 });
export async function start(): Promise<RunningServer> {
  const { config } = loadConfig({ options: { port: 0 } });
  return startServer(config, createNodePlatform(), silentLogger());
}
export async function count(key: Uint8Array): Promise<ReplyValue[]> {
  const storage: OwnStorage = await createStorage({ databases: 1 });
  const own = new LuaEngine(storage, { strings: 'text', limitMs: 100 });
  const here = new LuaEngine(replica.storage);
  // @ts-expect-error keys come as an array
  own.eval('return 1', 'key');
  const counted = own.eval("return redis.call('INCR', KEYS[1])", [key], [1, 2n, 'a']);
  return [counted, await here.evalAsync('return 1')];
}
export function codeOf(error: unknown): string {
  return isRespiteError(error) ? error.code : 'other';
}
export { off, status, value };
`,
    );
    const options = {
      module: 'NodeNext',
      target: 'ES2022',
      strict: true,
      noEmit: true,
      types: ['node'],
    };
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['consumer.ts'] }),
    );
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = await run(tsc, ['-p', dir], { cwd: dir }).catch((error) => error);
    expect(stdout).toBe('');
  });
});

describe('bin', () => {
  test('respite --version and help', async () => {
    const bin = join(dir, 'node_modules/.bin/respite');
    expect((await run(bin, ['--version'])).stdout.trim()).toBe(version);
    expect((await run(bin, ['help', 'serve'])).stdout).toMatch(/--replicaof/);
  });

  test('respite rdb', async () => {
    const bin = join(dir, 'node_modules/.bin/respite');
    const { stdout } = await run(bin, ['rdb', 'check', RDB]);
    expect(stdout).toBe('RDB 12, 124 keys, checksum right: whole\n');
    const npx = await run('npx', ['--no-install', 'respite', 'rdb', 'info', RDB], { cwd: dir });
    expect(npx.stdout).toContain('124');
  });

  test('respite serve answers and ends on SIGTERM', async () => {
    const port = await freePort();
    const args = ['serve', '--port', String(port), '--bind', '127.0.0.1'];
    const child = spawn(join(dir, 'node_modules/.bin/respite'), args, { cwd: dir });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    await waitFor(() => out.includes('Ready to accept connections'));
    const { stdout } = await run('redis-cli', ['-p', String(port), 'SET', 'a', 'b']);
    expect(stdout).toBe('OK\n');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });
});

describe('examples', () => {
  const example = (name: string) => {
    cpSync(join(ROOT, 'examples', name, 'main.mjs'), join(dir, `${name}.mjs`));
    return join(dir, `${name}.mjs`);
  };

  test('server', async () => {
    const { stdout } = await run(process.execPath, [example('server')], { cwd: dir });
    expect(stdout).toMatch(
      /listening on 127\.0\.0\.1:\d+\nvisits 42, greeting hello for (59|60) s/,
    );
  });

  test('lua-demo', async () => {
    const { stdout } = await run(process.execPath, [example('lua-demo')], { cwd: dir });
    expect(stdout.replace(/[\d.]+ µs/, '? µs')).toBe(
      `anna 70, ben 30
ERR_RESPITE_REPLY: POOR only 70
redis.log notice: summed up
total 7.5
allowed: yes yes yes no yes
ERR_RESPITE_TIMEOUT: ERR The script was ended: it ran for more than 200 ms
a cached script with one GET: ? µs
`,
    );
  });

  test('replica-lua-demo', async () => {
    const path = example('replica-lua-demo');
    const { stdout } = await run(process.execPath, [path], { cwd: dir });
    const want = `at the master: 3 scores
here: {"all":["anna","cleo"],"first":"anna"}
here, no promise: {"all":["anna"],"first":"anna"}
ERR_RESPITE_READ_ONLY: READONLY You can't write against a read only replica. sc
`;
    const ordered = (text: string) =>
      text.replace(/\{"first":(.*?),"all":(.*?)\}/g, '{"all":$2,"first":$1}');
    expect(ordered(stdout)).toBe(want);
    const without = { cwd: dir, env: { ...process.env, PATH: '/nowhere' } };
    const skipped = await run(process.execPath, [path], without);
    expect(skipped.stdout).toMatch(/^skipped: there is no redis-server here/);
  });

  test('rdb-keys', async () => {
    const { stdout } = await run(process.execPath, [example('rdb-keys'), RDB], { cwd: dir });
    expect(stdout).toMatch(/^RDB 12 of redis 8\.0\.6, checksum ok\ndatabase 0: \d+ keys, \d+ exp/);
    expect(stdout).toMatch(/bytes: \w+ .* \(\d+\) in \d/);
  });

  test('rdb-values', async () => {
    const args = [example('rdb-values'), RDB, '*'];
    const { stdout } = await run(process.execPath, args, { cwd: dir });
    expect(stdout.split('\n').filter((line) => /^\w/.test(line))).toHaveLength(20);
    const cut = join(dir, 'cut.rdb');
    writeFileSync(cut, readFileSync(RDB).subarray(0, 300));
    const damaged = await run(process.execPath, [example('rdb-values'), cut], { cwd: dir }).catch(
      (error) => error,
    );
    expect([damaged.code, damaged.stdout]).toEqual([
      1,
      expect.stringMatching(/damaged at \d+: unexpected end of file/),
    ]);
  });

  test('basic', async () => {
    const master: Server = await startServer('redis');
    const client = await master.connect();
    await client.call('SET', 'greeting', 'hello');
    const url = `redis://127.0.0.1:${master.port}`;
    const child = spawn(process.execPath, [example('basic'), url], { cwd: dir });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      out += chunk;
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    try {
      await waitFor(() => /1 keys, greeting = hello/.test(out)).catch(() => expect.fail(out));
      await client.call('SET', 'greeting', 'changed');
      await waitFor(() => /greeting = changed/.test(out));
      child.kill('SIGTERM');
      expect(await exited).toBe(0);
    } finally {
      child.kill('SIGKILL');
      client.close();
      await master.stop();
    }
  });
});
