// `respite rdb` as a process: descriptors, links, signals, and what is left behind.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { RESPITE_MAIN, ROOT } from '../../support/servers.js';
import { waitFor } from '../../support/wait.js';
import { runRdb } from './harness.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const WHOLE = 'RDB 12, 124 keys, checksum right: whole\n';
const dir = fs.mkdtempSync(join(tmpdir(), 'respite-rdb-process-'));
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

let folders = 0;
function folder(): string {
  const made = join(dir, `f${++folders}`);
  fs.mkdirSync(made);
  return made;
}

describe('what -o names', () => {
  const hasProc = fs.existsSync('/proc/self/fd');

  test('a link is followed, also where it leads to nothing yet', async () => {
    const at = folder();
    const [first, second, file] = [join(at, 'first'), join(at, 'second'), join(at, 'file')];
    fs.symlinkSync('second', first);
    fs.symlinkSync(file, second);
    for (const name of [first, second]) {
      expect(await runRdb(['keys', FILE, '-o', name])).toMatchObject({ code: 0, out: '' });
      expect(fs.readFileSync(file, 'latin1').split('\n').length).toBe(125);
      fs.writeFileSync(file, 'before');
    }
    expect(fs.lstatSync(first).isSymbolicLink() && fs.lstatSync(second).isSymbolicLink()).toBe(
      true,
    );
    expect(fs.readdirSync(at).sort()).toEqual(['file', 'first', 'second']);
  });

  test('links in a circle and folders are refused before anything is read', async () => {
    const circle = join(folder(), 'circle');
    fs.symlinkSync('circle', circle);
    for (const [name, why] of [
      [circle, 'symbolic link'],
      [dir, 'directory'],
    ]) {
      const { code, err } = await runRdb(['keys', FILE, '-o', name!]);
      expect([code, err]).toEqual([3, expect.stringContaining(why!)]);
    }
  });

  test('a file that is replaced keeps its mode', async () => {
    const file = join(folder(), 'secret.rdb');
    fs.cpSync(FILE, file);
    for (const mode of [0o600, 0o640, 0o666]) {
      fs.chmodSync(file, mode);
      expect((await runRdb(['filter', file, '-o', file])).code).toBe(0);
      expect(fs.statSync(file).mode & 0o7777).toBe(mode);
    }
  });

  test.runIf(hasProc)('links to standard output are standard output', async () => {
    const { out } = await runRdb(['keys', FILE]);
    const link = join(folder(), 'link');
    fs.symlinkSync('/proc/self/fd/1', link);
    for (const name of [link, '/proc/self/fd/1', '/dev/fd/1']) {
      expect(await runRdb(['keys', FILE, '-o', name])).toMatchObject({ code: 0, out, err: '' });
    }
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
  });

  test.runIf(hasProc)('other descriptors are written where they stand', async () => {
    const file = join(folder(), 'file');
    fs.writeFileSync(file, 'before\n');
    const fd = fs.openSync(file, 'a');
    const args = [RESPITE_MAIN, 'rdb', 'keys', FILE, '-o', '/dev/fd/5'];
    const stdio = ['ignore', 'pipe', 'pipe', 'ignore', 'ignore', fd] as const;
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: [...stdio] });
    fs.closeSync(fd);
    expect([status, String(stderr)]).toEqual([0, '']);
    const { out } = await runRdb(['keys', FILE]);
    expect(fs.readFileSync(file, 'latin1')).toBe(`before\n${out}`);
  });
});

describe('pipes', () => {
  const shell = (line: string): string => {
    const respite = `'${process.execPath}' '${RESPITE_MAIN}' rdb`;
    const script = line.replaceAll('respite', respite).replaceAll('FILE', `'${FILE}'`);
    return execFileSync('/bin/sh', ['-c', script], { encoding: 'latin1' });
  };

  test.each([
    'cat FILE | respite check -',
    'gzip -c FILE | respite check -',
    'cat FILE | respite check /dev/stdin',
    'respite check - < FILE',
  ])('%s', (line) => {
    expect(shell(line)).toBe(WHOLE);
  });

  test('a named one whose writer comes later', async () => {
    const fifo = join(folder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const ran = runRdb(['check', fifo]);
    await fs.promises.writeFile(fifo, fs.readFileSync(FILE));
    expect(await ran).toMatchObject({ code: 0, out: WHOLE, err: '' });
  });
});

describe('a signal while the source is silent', () => {
  /** Runs it until `isThere`, then sends `signals`; gives the exit code. */
  async function interrupted(
    args: readonly string[],
    isThere: () => boolean,
    { signals = ['SIGINT'], tmp = dir }: { signals?: NodeJS.Signals[]; tmp?: string } = {},
  ): Promise<number | null> {
    const child = spawn(process.execPath, [RESPITE_MAIN, 'rdb', ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, TMPDIR: tmp },
    });
    try {
      const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
      child.stdin!.write(fs.readFileSync(FILE).subarray(0, 1000));
      await waitFor(isThere, { timeoutMs: 60_000, what: 'the command to begin' });
      for (const signal of signals) child.kill(signal);
      return await ended;
    } finally {
      child.stdin!.destroy();
      child.kill('SIGKILL');
    }
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTERM SIGTERM SIGINT'])(
    'standard input: %s',
    async (signals) => {
      const at = folder();
      const isThere = () => fs.readdirSync(at).length > 0;
      const options = { signals: signals.split(' ') as NodeJS.Signals[] };
      expect(await interrupted(['json', '-', '-o', join(at, 'x')], isThere, options)).toBe(130);
      expect(fs.readdirSync(at)).toEqual([]);
    },
  );

  test('a named pipe without a writer', async () => {
    const at = folder();
    const fifo = join(dir, 'silent');
    execFileSync('mkfifo', [fifo]);
    const isThere = () => fs.readdirSync(at).length > 0;
    expect(await interrupted(['json', fifo, '-o', join(at, 'x')], isThere)).toBe(130);
    expect(fs.readdirSync(at)).toEqual([]);
  });

  test('what is kept for reading it again', async () => {
    const tmp = folder();
    const isThere = () => fs.readdirSync(tmp).length > 0;
    expect(await interrupted(['diff', '-', FILE], isThere, { tmp })).toBe(130);
    expect(fs.readdirSync(tmp)).toEqual([]);
  });

  test('a server that accepts and says nothing', async () => {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      const url = `redis://127.0.0.1:${port}`;
      expect(await interrupted(['check', url], () => sockets.size > 0)).toBe(130);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});
