// The replica against a real redis-server: every case ends with both holding the same.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RawConnection } from '../support/connection.js';
import { freePort, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';
import { caughtUp, closeReplicas, startReplica, stringDifferences } from './harness.js';

const disk = { 'repl-diskless-sync': 'no' };
const diskless = { 'repl-diskless-sync': 'yes', 'repl-diskless-sync-delay': 0 };

async function fill(connection: RawConnection, count: number, prefix = 'k'): Promise<void> {
  for (let at = 0; at < count; at += 2000) {
    const commands = [];
    for (let i = at; i < Math.min(count, at + 2000); i++) {
      commands.push(['SET', `${prefix}${i}`, `${'value '.repeat(i % 9)}${i}`]);
    }
    await connection.pipeline(commands);
  }
}

/** An authority and a certificate of it for localhost. */
function makeCertificates(dir: string): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test ca');
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(join(dir, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  const ca = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl('x509', '-req', '-in', 'server.csr', ...ca, '-out', 'server.crt', '-extfile', 'ext');
}

afterEach(closeReplicas);

for (const [name, directives] of Object.entries({ disk, diskless })) {
  describe(`full synchronisation, ${name}`, () => {
    let master: Server;
    let connection: RawConnection;
    beforeAll(async () => {
      master = await startServer('redis', { directives });
      connection = await master.connect();
      await fill(connection, 20_000);
      await connection.call('SELECT', 3);
      await connection.call('SET', 'in three', 'x');
      await connection.call('SET', 'number', '-5');
      await connection.call('SET', 'big', 'b'.repeat(300_000));
      await connection.call('SELECT', 0);
    });
    afterAll(async () => {
      connection.close();
      await master.stop();
    });

    test('loads everything and follows', async () => {
      const { replica, events } = await startReplica({ master: `127.0.0.1:${master.port}` });
      await replica.waitForSync({ timeoutMs: 20_000 });
      await caughtUp(replica, connection);
      expect(await stringDifferences(replica, connection, [0, 3])).toEqual([]);
      await connection.call('SELECT', 5);
      await connection.call('SET', 'five', 'V');
      await connection.call('SELECT', 0);
      await connection.call('SET', 'k1', 'changed');
      await caughtUp(replica, connection);
      expect(await stringDifferences(replica, connection, [0, 3, 5])).toEqual([]);
      expect(events.filter((event) => event !== 'progress')).toEqual([
        'connect',
        'syncStart',
        'sync',
      ]);
      const status = replica.syncStatus();
      expect(status.initialSyncCompleted).toBe(true);
      expect(status.connected).toBe(true);
      expect(status.masterHost).toBe('127.0.0.1');
      expect(status.bytesReceived).toBeGreaterThan(300_000);
      expect(status.commandsProcessed).toBeGreaterThan(3);
      expect(replica.storage.currentDb).toBe(0);
    });

    test('writes are refused, reads of the wrong type say so', async () => {
      const { replica } = await startReplica({ master: `redis://127.0.0.1:${master.port}` });
      await replica.waitForSync({ timeoutMs: 20_000 });
      expect(() => replica.storage.call('SET', 'a', 'b')).toThrow(
        expect.objectContaining({ code: 'ERR_RESPITE_READ_ONLY' }),
      );
      expect(replica.storage.get('no such key')).toBe(null);
      expect(replica.storage.getText('k1')).not.toBe(null);
    });

    test('WAIT counts us: GETACK is answered at once', async () => {
      const { replica } = await startReplica({
        master: `127.0.0.1:${master.port}`,
        heartbeatIntervalMs: 30_000,
      });
      await replica.waitForSync({ timeoutMs: 20_000 });
      await caughtUp(replica, connection);
      await connection.call('SET', 'waited', 'for');
      expect(await connection.call('WAIT', 1, 3000)).toBe(1);
    });

    test('the master sees an online replica with our offset', async () => {
      const { replica } = await startReplica({
        master: `127.0.0.1:${master.port}`,
        announcePort: 7777,
        announceIp: '10.1.2.3',
      });
      await replica.waitForSync({ timeoutMs: 20_000 });
      await connection.call('SET', 'k2', 'x');
      await waitFor(
        async () => {
          const info = String(await connection.call('INFO', 'replication'));
          return (
            info.includes('ip=10.1.2.3,port=7777,state=online') &&
            info.includes(`offset=${replica.link.offset},`)
          );
        },
        { what: 'an acknowledged offset', timeoutMs: 5000 },
      );
    });
  });
}

describe('breaks', () => {
  let master: Server;
  let connection: RawConnection;
  afterEach(async () => {
    connection.close();
    await master.stop();
  });

  async function start(directives = {}): Promise<void> {
    master = await startServer('redis', { directives: { ...diskless, ...directives } });
    connection = await master.connect();
  }

  test('a cut link goes on where it stopped, in the database it was in', async () => {
    await start();
    await fill(connection, 1000);
    const { replica } = await startReplica({ master: `127.0.0.1:${master.port}` });
    await replica.waitForSync({ timeoutMs: 20_000 });
    await connection.call('SELECT', 7);
    await connection.call('SET', 'seven', '1');
    for (let i = 0; i < 5; i++) {
      await caughtUp(replica, connection);
      await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
      await connection.call('SET', `seven${i}`, String(i));
    }
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection, [0, 7])).toEqual([]);
    expect(replica.stats.fullSyncCount).toBe(1);
    expect(replica.stats.partialSyncCount).toBeGreaterThanOrEqual(5);
  });

  test('a backlog too small means a full synchronisation', async () => {
    await start({ 'repl-backlog-size': 16384 });
    await fill(connection, 1000);
    const { replica } = await startReplica({
      master: `127.0.0.1:${master.port}`,
      reconnectMinMs: 2000,
      reconnectMaxMs: 2000,
    });
    await replica.waitForSync({ timeoutMs: 20_000 });
    await caughtUp(replica, connection);
    await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await fill(connection, 5000, 'more');
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection)).toEqual([]);
    expect(replica.stats.fullSyncCount + replica.stats.partialSyncCount).toBe(2);
  });

  test('a master that comes back empty leaves us empty', async () => {
    await start();
    await fill(connection, 1000);
    const { port } = master;
    const { replica, errors } = await startReplica({ master: `127.0.0.1:${port}` });
    await replica.waitForSync({ timeoutMs: 20_000 });
    expect(replica.storage.dbsize()).toBe(1000);
    master.signal('SIGKILL');
    await master.exited;
    connection.close();
    await waitFor(() => !replica.isConnected);
    expect(replica.storage.getText('k1')).not.toBe(null);
    await waitFor(() => errors.length >= 2);
    master = await startServer('redis', { port, directives: diskless });
    connection = await master.connect();
    await replica.waitForSync({ timeoutMs: 20_000 });
    await caughtUp(replica, connection);
    expect(replica.storage.keyCount).toBe(0);
    expect(replica.stats.fullSyncCount).toBe(2);
  });

  test('a new replica of the same data drops what it had', async () => {
    await start();
    await fill(connection, 500);
    const { replica } = await startReplica({ master: `127.0.0.1:${master.port}` });
    await replica.waitForSync({ timeoutMs: 20_000 });
    await connection.call('DEBUG', 'CHANGE-REPL-ID');
    await connection.call('FLUSHALL');
    await fill(connection, 20, 'new');
    await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
    await waitFor(() => replica.stats.fullSyncCount === 2, { what: 'a second full sync' });
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection)).toEqual([]);
  });

  test('commands unknown here are reported, the rest is applied', async () => {
    await start();
    const { replica, log, events } = await startReplica({ master: `127.0.0.1:${master.port}` });
    await replica.waitForSync({ timeoutMs: 20_000 });
    const problems: unknown[] = [];
    replica.on('diverged', (problem) => problems.push(problem));
    await connection.call('SET', 'a', '1');
    await connection.call('PFADD', 'hll', 'x');
    await connection.call('SET', 'b', '2');
    await caughtUp(replica, connection);
    expect(replica.storage.getText('b')).toBe('2');
    if (problems.length === 0) return; // PFADD is known by now
    expect(problems[0]).toMatchObject({ command: 'PFADD', args: 'hll x' });
    expect(events).toContain('diverged');
    expect(log.join('\n')).toContain('DIVERGED');
    expect(replica.info().replica_diverged).toBe(1);
  });

  test('a transaction cut in the middle is applied once, whole', async () => {
    await start();
    const { replica } = await startReplica({ master: `127.0.0.1:${master.port}` });
    await replica.waitForSync({ timeoutMs: 20_000 });
    for (let i = 0; i < 20; i++) {
      await connection.pipeline([
        ['MULTI'],
        ['SET', 'x', String(i)],
        ['SET', 'y', 'z'.repeat(20_000)],
        ['SET', 'x2', String(i)],
        ['EXEC'],
      ]);
      if (i % 4 === 3) await connection.call('CLIENT', 'KILL', 'TYPE', 'replica');
      expect(replica.storage.getText('x')).toBe(replica.storage.getText('x2'));
    }
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection)).toEqual([]);
    expect(replica.link.problemCount).toBe(0);
  });
});

describe('access', () => {
  let master: Server;
  afterEach(async () => {
    await master.stop();
  });

  test('a password, right and wrong, and an ACL user', async () => {
    master = await startServer('redis', { directives: { ...diskless, requirepass: 'secret1' } });
    const connection = await master.connect();
    await connection.call('AUTH', 'secret1');
    await connection.call(
      ...['ACL', 'SETUSER', 'repl', 'on', '>p2', '+psync', '+replconf', '+ping'],
    );
    await connection.call('ACL', 'SETUSER', 'weak', 'on', '>p3', '+ping', '+replconf');
    await fill(connection, 100);
    const { port } = master;
    const right = await startReplica({ master: `redis://:secret1@127.0.0.1:${port}` });
    await right.replica.waitForSync({ timeoutMs: 10_000 });
    const user = await startReplica({ master: { port }, username: 'repl', password: 'p2' });
    await user.replica.waitForSync({ timeoutMs: 10_000 });
    expect(await stringDifferences(user.replica, connection)).toEqual([]);
    const wrong = await startReplica({ master: `127.0.0.1:${port}`, password: 'nope' });
    await waitFor(() => wrong.errors.length > 0);
    expect(wrong.errors[0]).toMatchObject({ code: 'ERR_RESPITE_AUTH' });
    const none = await startReplica({ master: `127.0.0.1:${port}` });
    await waitFor(() => none.errors.length > 0);
    expect(none.errors[0]).toMatchObject({ code: 'ERR_RESPITE_AUTH' });
    const weak = await startReplica({ master: { port }, username: 'weak', password: 'p3' });
    await waitFor(() => weak.errors.length > 0);
    expect(weak.errors[0]).toMatchObject({ code: 'ERR_RESPITE_PSYNC_REFUSED' });
    expect(weak.errors[0]!.message).toContain('NOPERM');
    for (const { log } of [right, user, wrong, none, weak]) {
      expect(log.join('\n')).not.toMatch(/secret1|nope|p[23]\b/);
    }
    connection.close();
  });

  test('TLS: verified by default, refused without the authority', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'respite-tls-'));
    makeCertificates(dir);
    const tlsPort = await freePort();
    master = await startServer('redis', {
      directives: {
        ...diskless,
        'tls-port': tlsPort,
        'tls-cert-file': join(dir, 'server.crt'),
        'tls-key-file': join(dir, 'server.key'),
        'tls-ca-cert-file': join(dir, 'ca.crt'),
        'tls-auth-clients': 'no',
        'tls-replication': 'yes',
      },
    });
    const connection = await master.connect();
    await fill(connection, 3000);
    await connection.call('SET', 'large', 'l'.repeat(1_000_000));
    const url = `rediss://localhost:${tlsPort}`;
    const { replica } = await startReplica({
      master: url,
      tls: { caCertFile: join(dir, 'ca.crt') },
    });
    await replica.waitForSync({ timeoutMs: 10_000 });
    await fill(connection, 500, 'after');
    await connection.call('SET', 'large2', 'm'.repeat(700_000));
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection)).toEqual([]);
    const stranger = await startReplica({ master: url });
    await waitFor(() => stranger.errors.length > 0);
    expect(stranger.errors[0]).toMatchObject({ code: 'ERR_RESPITE_CONNECTION' });
    connection.close();
    rmSync(dir, { recursive: true });
  });

  test('a unix socket', async () => {
    const path = `/tmp/respite-repl-${process.pid}.sock`;
    master = await startServer('redis', { directives: { ...diskless, unixsocket: path } });
    const connection = await master.connect();
    await fill(connection, 100);
    const { replica } = await startReplica({ master: `unix://${path}` });
    await replica.waitForSync({ timeoutMs: 10_000 });
    await caughtUp(replica, connection);
    expect(await stringDifferences(replica, connection)).toEqual([]);
    connection.close();
  });
});
