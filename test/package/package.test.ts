// The package as others get it: packed, installed from the tarball somewhere else (offline: what it
// depends on comes from npm's cache), imported by every entry, compiled against, run.

import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, ROOT, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const run = promisify(execFile);
const { exports: entries, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
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
    expect(names.length).toBeGreaterThan(0);
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

describe('types', () => {
  test('a consumer compiles with NodeNext and strict', { timeout: 60_000 }, async () => {
    writeFileSync(
      join(dir, 'consumer.ts'),
      `import { createReplica, isRespiteError, type SyncStatus } from 'respite';
import { createNodePlatform, loadConfig, silentLogger, startServer } from 'respite/server';
import type { RunningServer } from 'respite/server';

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
