// Between the replica and a real redis-server stands tools/chaos-proxy.mjs (a folder named by
// RESPITE_TOOLS_DIR, or ../shared/tools): it cuts, resets, blackholes, re-cuts and flips. Every
// case ends with both sides holding the same.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RawConnection } from '../support/connection.js';
import { freePort, type Server, startServer } from '../support/servers.js';
import { sleep, waitFor } from '../support/wait.js';
import { caughtUp, closeReplicas, newest, startReplica, stringDifferences } from './harness.js';

const PROXY = join(process.env.RESPITE_TOOLS_DIR ?? '../shared/tools', 'chaos-proxy.mjs');
const KEYS = 5000;

interface Proxy {
  port: number;
  /** Sends one word to the control port, gives its answer. */
  control(command: string): Promise<{ cuts: number; conns: number; flips: number }>;
}

let children: ChildProcess[] = [];

async function startProxy(target: number, ...args: string[]): Promise<Proxy> {
  const [port, control] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [PROXY, String(port), '127.0.0.1', String(target), '--control', String(control), ...args],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  children.push(child);
  let text = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await waitFor(() => text.includes('listening'), { what: 'the proxy' });
  return {
    port,
    control: (command) =>
      new Promise((resolve, reject) => {
        const socket = net.connect(control, '127.0.0.1', () => socket.write(`${command}\n`));
        socket.once('error', reject);
        socket.once('data', (data) => {
          socket.destroy();
          resolve(JSON.parse(data.toString()));
        });
      }),
  };
}

/** Writes strings into two databases until told to stop; then says how many. */
function startLoad(connection: RawConnection): () => Promise<number> {
  let isOn = true;
  let count = 0;
  const done = (async () => {
    while (isOn) {
      const commands: (string | number)[][] = [['SELECT', count % 2]];
      for (let i = 0; i < 50; i++) {
        const n = count++;
        const key = `k${(n * 7919) % (KEYS * 2)}`;
        if (n % 3 === 0) commands.push(['SET', key, `${n}${'x'.repeat(n % 200)}`]);
        else if (n % 3 === 1) commands.push(['INCR', `c${n % 17}`]);
        else
          commands.push(['MULTI'], ['SET', `a${n % 9}`, n], ['APPEND', `b${n % 9}`, n], ['EXEC']);
      }
      await connection.pipeline(commands);
      await sleep(2);
    }
    return count;
  })();
  return () => {
    isOn = false;
    return done;
  };
}

describe.skipIf(!existsSync(PROXY))('chaos', () => {
  let master: Server;
  let connection: RawConnection;

  beforeAll(async () => {
    const directives = {
      'repl-diskless-sync': 'yes',
      'repl-diskless-sync-delay': 0,
      // Room for what the write load does while a link is down: these cases are about cuts.
      'repl-backlog-size': 256 << 20,
    };
    master = await startServer('redis', { directives });
    connection = await master.connect();
    await connection.pipeline(
      Array.from({ length: KEYS }, (_, i) => ['SET', `k${i}`, `value of ${i}`]),
    );
  });
  afterEach(async () => {
    await closeReplicas();
    for (const child of children) child.kill('SIGKILL');
    children = [];
  });
  afterAll(async () => {
    connection.close();
    await master.stop();
  });

  /** Follows through the proxy under a write load for a while, then compares. */
  async function run(proxy: Proxy, options = {}, during?: () => Promise<void>) {
    const stop = startLoad(connection);
    const one = await startReplica({ master: `127.0.0.1:${proxy.port}`, ...options });
    await during?.();
    await waitFor(() => one.replica.link.hasSynced, { timeoutMs: 30_000, what: 'the first sync' });
    await sleep(500);
    expect(await stop()).toBeGreaterThan(100);
    await caughtUp(one.replica, connection, 30_000);
    expect(await stringDifferences(one.replica, connection, [0, 1])).toEqual([]);
    expect(one.replica.link.problemCount).toBe(0);
    return one;
  }

  test.each(['fin', 'rst', 'half'])('cuts in the RDB and in the stream, %s', async (mode) => {
    const faults = ['--cut-after', '200-250000', '--cut-mode', mode, '--faulty-conns', '12'];
    const proxy = await startProxy(master.port, '--seed', '7', ...faults);
    const { replica } = await run(proxy, {}, () => sleep(1500));
    expect(replica.stats.reconnectCount).toBeGreaterThan(0);
  });

  test('cut inside commands by control, many times', async () => {
    const proxy = await startProxy(master.port, '--chunk', '1-300');
    const { replica } = await run(proxy, {}, async () => {
      await waitFor(() => newest().link.hasSynced, { timeoutMs: 20_000 });
      for (let i = 0; i < 12; i++) {
        await proxy.control(i % 2 ? 'rst' : 'cut');
        await sleep(120);
      }
    });
    expect(replica.stats.partialSyncCount).toBeGreaterThanOrEqual(6);
    expect(replica.stats.fullSyncCount).toBe(1);
  });

  test('pieces of 1 to 7 bytes', async () => {
    await connection.call('FLUSHALL');
    await connection.pipeline(Array.from({ length: 300 }, (_, i) => ['SET', `k${i}`, `v${i}`]));
    const proxy = await startProxy(master.port, '--chunk', '1-7');
    const { replica } = await startReplica({ master: `127.0.0.1:${proxy.port}` });
    await replica.waitForSync({ timeoutMs: 20_000 });
    for (let i = 0; i < 300; i++) await connection.call('SET', `k${i % 50}`, 'y'.repeat(i % 40));
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection)).toEqual([]);
  });

  test('a black hole longer than the timeout, in the stream', async () => {
    const proxy = await startProxy(master.port);
    const { replica, errors } = await run(
      proxy,
      { readTimeoutMs: 400, syncTimeoutMs: 400 },
      async () => {
        await waitFor(() => newest().link.hasSynced, { timeoutMs: 20_000 });
        await proxy.control('blackhole on');
        // Healed only when the replica has left: bytes missing inside a connection are not TCP.
        await waitFor(() => !newest().link.isConnected, { timeoutMs: 20_000 });
        await sleep(500);
        await proxy.control('heal');
      },
    );
    expect(
      errors.some((error) => (error as { code?: string }).code === 'ERR_RESPITE_TIMEOUT'),
    ).toBe(true);
    expect(replica.stats.fullSyncCount).toBe(1);
  });

  test('silence inside the RDB', async () => {
    const faults = ['--cut-after', '30000', '--cut-mode', 'blackhole', '--faulty-conns', '2'];
    const proxy = await startProxy(master.port, ...faults);
    const { errors } = await run(proxy, { syncTimeoutMs: 300 }, () => sleep(1000));
    expect(
      errors.filter((e) => (e as { code?: string }).code === 'ERR_RESPITE_TIMEOUT').length,
    ).toBe(2);
  });

  test('flipped bits in the RDB: refused, tried again, nothing wrong kept', async () => {
    const faults = ['--flip-prob', '0.9', '--faulty-conns', '4', '--chunk', '500-4000'];
    const proxy = await startProxy(master.port, '--seed', '3', ...faults);
    const { replica } = await startReplica({ master: `127.0.0.1:${proxy.port}` });
    await replica.waitForSync({ timeoutMs: 30_000 });
    // A flip in the stream itself cannot be seen by anyone; those connections end here.
    if ((await proxy.control('stats')).conns <= 4) await proxy.control('cut');
    await waitFor(() => replica.link.state === 'connected');
    expect((await proxy.control('stats')).flips).toBeGreaterThan(0);
  });
});
