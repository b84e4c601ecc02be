// The host over real sockets: who may connect, for how long, and what a slow or greedy client can
// do. Texts and moments are Redis'.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { type Directives, type Server, startServer } from '../support/servers.js';
import { sleep, waitFor } from '../support/wait.js';

let server: Server;
const connections: RawConnection[] = [];

async function open(target: Server = server): Promise<RawConnection> {
  const connection = await target.connect();
  connections.push(connection);
  return connection;
}

/** A server of its own for one test. */
async function withServer(
  directives: Directives,
  use: (own: Server) => Promise<void>,
): Promise<void> {
  const own = await startServer('respite', { directives });
  try {
    await use(own);
  } finally {
    await own.stop();
  }
}

function rssBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Descriptors this process and its children may open. */
function openFilesMax(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -n']).toString().trim();
  return text === 'unlimited' ? 1_000_000 : Number(text);
}

/** Whether a request is answered by a bulk of `len` bytes; counted, not kept. */
function bytesOf(port: number, request: Buffer, len: number): Promise<boolean> {
  const wanted = `$${len}\r\n`.length + len + 2;
  return new Promise((resolve) => {
    let seen = 0;
    const socket = net.connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (seen < wanted) return;
      socket.destroy();
      resolve(seen === wanted && chunk.subarray(-2).toString() === '\r\n');
    });
    socket.on('close', () => resolve(false));
    socket.on('error', () => {});
  });
}

async function settingOf(connection: RawConnection, name: string): Promise<unknown> {
  return ((await connection.call('CONFIG', 'GET', name)) as unknown[])[1];
}

beforeAll(async () => {
  server = await startServer('respite');
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});
afterAll(() => server.stop());

describe('maxclients', () => {
  test('one too many is told so and closed; room again when one leaves', async () => {
    await withServer({ maxclients: 3 }, async (own) => {
      const held = [await open(own), await open(own), await open(own)];
      for (const one of held) expect(await one.call('PING')).toBe('PONG');
      const late = await open(own);
      expect((await late.reply())?.toString()).toBe('-ERR max number of clients reached\r\n');
      expect(await late.closes()).toBe(true);
      held[0]!.close();
      await waitFor(async () => (await (await open(own)).call('PING')) === 'PONG');
    });
  });
});

describe('timeout', () => {
  test('idle clients are closed, busy ones are not', async () => {
    await withServer({ timeout: 1 }, async (own) => {
      const idle = await open(own);
      const busy = await open(own);
      expect(await idle.call('PING')).toBe('PONG');
      const from = performance.now();
      while (!idle.isClosed && performance.now() - from < 6000) {
        expect(await busy.call('PING')).toBe('PONG');
        await sleep(100);
      }
      expect(idle.isClosed).toBe(true);
      expect(performance.now() - from).toBeGreaterThan(700);
    });
  });
});

const outside = Object.values(os.networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address;

describe(`protected mode (address ${outside ?? 'none: skipped'})`, () => {
  test.skipIf(outside === undefined)('refuses other hosts until it is told not to', async () => {
    await withServer({ bind: `127.0.0.1 ${outside}` }, async (own) => {
      const far = { host: outside as string, port: own.port };
      const refused = await RawConnection.open(far);
      const text = (await refused.reply())?.toString() ?? '';
      expect(text).toMatch(/^-DENIED Redis is running in protected mode/);
      expect(await refused.closes()).toBe(true);
      const near = await open(own);
      expect(await near.call('CONFIG', 'SET', 'protected-mode', 'no')).toBe('OK');
      const allowed = await RawConnection.open(far);
      expect(await allowed.call('PING')).toBe('PONG');
      expect(await near.call('CONFIG', 'SET', 'protected-mode', 'yes')).toBe('OK');
      expect(await near.call('CONFIG', 'SET', 'requirepass', 'secret')).toBe('OK');
      const guarded = await RawConnection.open(far);
      expect(String(await guarded.call('PING'))).toMatch(/NOAUTH/);
      for (const one of [refused, allowed, guarded]) one.close();
    });
  });
});

describe('requirepass', () => {
  test('before AUTH little is allowed, and little may be sent', async () => {
    await withServer({ requirepass: 'secret' }, async (own) => {
      const connection = await open(own);
      expect(String(await connection.call('GET', 'a'))).toMatch(/NOAUTH Authentication required/);
      expect(String(await connection.call('AUTH', 'wrong'))).toMatch(/WRONGPASS/);
      const many = await open(own);
      many.send('*11\r\n');
      const manyReply = (await many.reply())?.toString();
      expect(manyReply).toBe('-ERR Protocol error: unauthenticated multibulk length\r\n');
      expect(await many.closes()).toBe(true);
      const long = await open(own);
      long.send('*2\r\n$4\r\nAUTH\r\n$16385\r\n');
      const longReply = (await long.reply())?.toString();
      expect(longReply).toBe('-ERR Protocol error: unauthenticated bulk length\r\n');
      expect(await long.closes()).toBe(true);
      expect(await connection.call('AUTH', 'default', 'secret')).toBe('OK');
      expect(await connection.call('SET', 'a', 'x'.repeat(20_000))).toBe('OK');
      expect(await connection.call('CONFIG', 'SET', 'requirepass', '')).toBe('OK');
      expect(await (await open(own)).call('PING')).toBe('PONG');
    });
  });
});

describe('CONFIG SET at run time', () => {
  test('takes effect at once and is told back', async () => {
    await withServer({}, async (own) => {
      const connection = await open(own);
      expect(await connection.call('CONFIG', 'SET', 'maxmemory', '3mb')).toBe('OK');
      expect(await settingOf(connection, 'maxmemory')).toBe('3145728');
      let oom = '';
      for (let i = 0; i < 200 && oom === ''; i++) {
        const reply = String(await connection.call('SET', `k${i}`, 'v'.repeat(50_000)));
        if (reply.includes('OOM')) oom = reply;
      }
      expect(oom).toMatch(/OOM command not allowed when used memory > 'maxmemory'/);
      expect(await connection.call('CONFIG', 'SET', 'maxmemory', '0')).toBe('OK');
      expect(await connection.call('SET', 'again', 'v')).toBe('OK');
      expect(await connection.call('CONFIG', 'SET', 'maxclients', '1')).toBe('OK');
      expect((await (await open(own)).reply())?.toString()).toMatch(/max number of clients/);
      const wrong = String(await connection.call('CONFIG', 'SET', 'timeout', 'soon'));
      expect(wrong).toMatch(/CONFIG SET failed.*timeout/);
      expect(await settingOf(connection, 'timeout')).toBe('0');
    });
  });
});

describe('CLIENT KILL', () => {
  test('ends another connection by address and by id', async () => {
    const [killer, first, second] = [await open(), await open(), await open()];
    const info = String(await first.call('CLIENT', 'INFO'));
    const address = / addr=(\S+)/.exec(info)?.[1] ?? '';
    expect(await killer.call('CLIENT', 'KILL', address)).toBe('OK');
    expect(await first.closes()).toBe(true);
    const id = (await second.call('CLIENT', 'ID')) as number;
    expect(await killer.call('CLIENT', 'KILL', 'ID', id)).toBe(1);
    expect(await second.closes()).toBe(true);
    expect(await killer.call('PING')).toBe('PONG');
  });

  test('a client that kills itself still gets its answer', async () => {
    const own = await open();
    const id = (await own.call('CLIENT', 'ID')) as number;
    expect(await own.call('CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no')).toBe(1);
    expect(await own.closes()).toBe(true);
  });
});

describe('large and slow', () => {
  test('a value of 100 MB goes in and out', { timeout: 120_000 }, async () => {
    const connection = await open();
    const value = Buffer.alloc(100 << 20, 'abcdefghij');
    expect(await connection.call('SET', 'big', value)).toBe('OK');
    expect(await connection.call('STRLEN', 'big')).toBe(value.length);
    expect(await bytesOf(server.port, encodeCommand(['GET', 'big']), value.length)).toBe(true);
    connection.close();
    const other = await open();
    expect(await other.call('DEL', 'big')).toBe(1);
  });

  test('a pipeline of 100,000 commands is answered in order', async () => {
    const connection = await open();
    const count = 100_000;
    connection.send(Buffer.concat(Array(count).fill(encodeCommand(['INCR', 'pipelined']))));
    for (let i = 1; i <= count; i++) {
      const reply = await connection.reply(30_000);
      if (reply?.toString() !== `:${i}\r\n`) expect(reply?.toString()).toBe(`:${i}\r\n`);
    }
  });

  test('a client that does not read costs bounded memory and stops nobody', async () => {
    const slow = await open();
    const other = await open();
    await other.call('SET', 'page', 'x'.repeat(10_000));
    const before = rssBytes(server.pid);
    slow.socket.pause();
    const ask = Buffer.concat(Array(2000).fill(encodeCommand(['GET', 'page'])));
    let sent = 0;
    // 200,000 replies of 10 kB: 2 GB if they were all made. What one read brings in is answered.
    for (let i = 0; i < 100; i++) {
      slow.socket.write(ask);
      sent += 2000;
    }
    const from = performance.now();
    while (performance.now() - from < 2000) {
      const asked = performance.now();
      expect(await other.call('PING')).toBe('PONG');
      expect(performance.now() - asked).toBeLessThan(500);
      await sleep(50);
    }
    expect(sent).toBe(200_000);
    expect(rssBytes(server.pid) - before).toBeLessThan(100 << 20);
    slow.close();
    await waitFor(async () => !String(await other.call('CLIENT', 'LIST')).includes('cmd=get'));
  });
});

describe('many connections', () => {
  const count = Math.min(10_000, openFilesMax() - 1000);
  test(`${count} at once`, { timeout: 120_000 }, async () => {
    await withServer({ maxclients: 20_000, 'tcp-backlog': 4096 }, async (own) => {
      const before = rssBytes(own.pid);
      const many: RawConnection[] = [];
      try {
        while (many.length < count) {
          const batch = Array.from({ length: 200 }, () => RawConnection.open(own.port));
          many.push(...(await Promise.all(batch)));
        }
        const first = many[0]!;
        await waitFor(async () => {
          const info = String(await first.call('INFO', 'clients'));
          return info.includes(`connected_clients:${many.length}`);
        });
        for (let i = 0; i < many.length; i += 500) expect(await many[i]!.call('PING')).toBe('PONG');
        expect(rssBytes(own.pid) - before).toBeLessThan(count * 20_000);
      } finally {
        for (const one of many) one.close();
      }
    });
  });
});

describe('SIGTERM', () => {
  test('every reply that was sent is whole, and the exit code is 0', async () => {
    const own = await startServer('respite');
    const connection = await open(own);
    const batch = Buffer.concat(Array(500).fill(encodeCommand(['INCR', 'n'])));
    let isEnding = false;
    const feed = (): void => {
      if (!isEnding && !connection.isClosed)
        connection.socket.write(batch, () => setImmediate(feed));
    };
    feed();
    let last = 0;
    for (; last < 5000; last++)
      expect((await connection.reply())?.toString()).toBe(`:${last + 1}\r\n`);
    own.signal('SIGTERM');
    for (;;) {
      const reply = await connection.reply(10_000);
      if (reply === undefined) break;
      last++;
      expect(reply.toString()).toBe(`:${last}\r\n`);
    }
    isEnding = true;
    // What came after the last whole reply: nothing.
    expect((await connection.untilQuiet(10)).length).toBe(0);
    expect((await own.exited).code, own.output).toBe(0);
    expect(own.output).toMatch(/bye bye/);
    await own.stop();
  });
});
