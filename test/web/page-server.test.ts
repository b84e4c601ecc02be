// The server of `respite inspect`, without a browser: what it gives, what it refuses, and the
// command around it.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type PageServer, servePage } from '../../host/cli/page-server.js';
import { RESPITE_MAIN } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const dir = mkdtempSync(join(tmpdir(), 'respite-web-'));
const POLICY = "default-src 'none'; connect-src 'none'";
const HTML = `<head><meta
  http-equiv="Content-Security-Policy"
  content="${POLICY}" /><title>page</title></head>`;
writeFileSync(join(dir, 'index.html'), HTML);
writeFileSync(join(dir, 'a.js'), 'let a;');
writeFileSync(join(dir, 'secret.txt'), 'not of the page');
const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i & 255);
const file = join(dir, 'du"mp$&.rdb');
writeFileSync(file, bytes);
const open: PageServer[] = [];
afterAll(async () => {
  for (const server of open) await server.close();
  rmSync(dir, { recursive: true, force: true });
});

async function serve(given?: string): Promise<string> {
  const server = await servePage({ root: dir, host: '127.0.0.1', port: 0, file: given });
  open.push(server);
  return server.url;
}

/** A request with any path and headers, as fetch would not send it. */
function ask(url: string, path: string, headers: Record<string, string>): Promise<number> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end();
  });
}

describe('what it gives', () => {
  test('the page with its policy, and nothing may be fetched', async () => {
    const response = await fetch(await serve());
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toBe(
      `${POLICY}; frame-ancestors 'none'`,
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toBe(HTML);
  });

  test('with a file: its name, and the page may fetch from here', async () => {
    const response = await fetch(await serve(file));
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("connect-src 'self'");
    const html = await response.text();
    expect(html).toContain("connect-src 'self'");
    expect(html).toContain('content="du&#34;mp$&#38;.rdb"');
  });

  test('scripts with their type', async () => {
    const response = await fetch(`${await serve()}a.js`);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(await response.text()).toBe('let a;');
  });

  test.each([
    [undefined, 200, 0, 5000, null],
    ['bytes=100-', 206, 100, 5000, 'bytes 100-4999/5000'],
    ['bytes=0-8', 206, 0, 9, 'bytes 0-8/5000'],
    ['bytes=4990-9999', 206, 4990, 5000, 'bytes 4990-4999/5000'],
    ['bytes=-10', 206, 4990, 5000, 'bytes 4990-4999/5000'],
    ['bytes=5000-', 416, 0, 0, 'bytes */5000'],
    ['bytes=9-1', 416, 0, 0, 'bytes */5000'],
    ['lines=1-2', 416, 0, 0, 'bytes */5000'],
  ] as const)('the file, range %s', async (range, status, from, to, said) => {
    const headers: Record<string, string> = range === undefined ? {} : { range };
    const response = await fetch(`${await serve(file)}file`, { headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(said);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.slice(from, to));
  });
});

describe('what it refuses', () => {
  test.each([
    '/secret.txt',
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '/file/x',
    '/a.js/',
    '//etc/passwd',
  ])('%s', async (path) => {
    expect(await ask(await serve(file), path, {})).toBe(404);
  });

  test('what is no path, without coming to an end', async () => {
    const url = await serve(file);
    expect(await ask(url, '//', {})).toBe(400);
    expect(await ask(url, '/', {})).toBe(200);
  });

  test('the file, when none was given', async () => {
    expect((await fetch(`${await serve()}file`)).status).toBe(404);
  });

  test('other names for this machine, other methods', async () => {
    const url = await serve(file);
    expect(await ask(url, '/', { host: 'evil.example' })).toBe(421);
    expect(await ask(url, '/file', { host: 'evil.example:80' })).toBe(421);
    expect(await ask(url, '/', { host: 'localhost:1' })).toBe(200);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });

  test.each([
    [join(dir, 'none.rdb'), 'ERR_RESPITE_IO'],
    [dir, 'ERR_RESPITE_IO'],
  ])('%s as the file', async (given, code) => {
    await expect(serve(given)).rejects.toMatchObject({ code });
  });

  test('a folder without a page, a port that is taken', async () => {
    const none = { root: join(dir, 'none'), host: '127.0.0.1', port: 0, file: undefined };
    await expect(servePage(none)).rejects.toMatchObject({ code: 'ERR_RESPITE_IO' });
    const port = Number(new URL(await serve()).port);
    const taken = { root: dir, host: '127.0.0.1', port, file: undefined };
    await expect(servePage(taken)).rejects.toMatchObject({ code: 'ERR_RESPITE_LISTEN' });
  });
});

const isBuilt = existsSync(new URL('../../build/web/index.html', import.meta.url));

describe.skipIf(!isBuilt || !existsSync(RESPITE_MAIN))('respite inspect', () => {
  test('says where, serves, ends with a signal', async () => {
    const child = spawn(process.execPath, [RESPITE_MAIN, 'inspect', file, '--no-open']);
    let out = '';
    child.stdout.on('data', (text) => {
      out += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    try {
      const url = await waitFor(() => /http:\/\/127\.0\.0\.1:\d+\//.exec(out)?.[0], {
        ...{ timeoutMs: 30_000, what: 'the address' },
      });
      const response = await fetch(`${url}file`);
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
      expect(await (await fetch(url)).text()).toContain('respite inspect');
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });

  test.each([
    [['inspect', join(dir, 'none.rdb')], 3, 'ENOENT'],
    [['inspect', '--port', '99999'], 2, 'A port is a number'],
  ] as const)('%j', async (args, code, text) => {
    const child = spawn(process.execPath, [RESPITE_MAIN, ...args]);
    let err = '';
    child.stderr.on('data', (piece) => {
      err += piece;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(code);
    expect(err).toContain(text);
  });

  test('the page that was built has a strict policy and names no other origin', () => {
    const root = new URL('../../build/web/', import.meta.url);
    const html = readFileSync(new URL('index.html', root), 'utf8');
    expect(html).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
    expect(html).not.toMatch(/unsafe-inline|'unsafe-eval'/);
    expect(html.match(/(?:src|href)="(?!\.\/|data:)[^"]*"/g) ?? []).toEqual([]);
  });
});
