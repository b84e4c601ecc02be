// Blocked and paused clients where a master is involved: a respite that follows a redis-server, and
// beside it a redis-server that does.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawConnection } from '../support/connection.js';
import { available, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const missing = [available('redis'), available('respite')].find(({ ok }) => !ok);
const info = async (connection: RawConnection, name: string) =>
  new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(String(await connection.call('INFO')))?.[1];
const isUp = (connection: RawConnection) => async () =>
  (await info(connection, 'master_link_status')) === 'up';

describe.skipIf(missing)('with a master', () => {
  let master: Server;
  let writer: RawConnection;
  beforeAll(async () => {
    // Without pings the offset is that of the writes.
    const directives = { 'repl-diskless-sync-delay': 0, 'repl-ping-replica-period': 3600 };
    master = await startServer('redis', { directives });
    writer = await master.connect();
  });
  afterAll(async () => {
    writer?.close();
    await master?.stop();
  });

  describe.each(['redis', 'respite'] as const)('%s as the replica', (kind) => {
    let replica: Server;
    let admin: RawConnection;
    beforeAll(async () => {
      replica = await startServer(kind, { directives: { replicaof: ['127.0.0.1', master.port] } });
      admin = await replica.connect();
      await waitFor(isUp(admin), { what: 'the link' });
    });
    afterAll(async () => {
      admin?.close();
      await replica?.stop();
    });
    const blocked = (count: number) => async () =>
      (await info(admin, 'blocked_clients')) === String(count);

    test('readers wait for what the master writes, writers are refused', async () => {
      const reader = await replica.connect();
      const text = String(await reader.command('BLPOP', 'l', 0));
      expect(text).toMatch(/^-READONLY /);
      const last = await writer.call('XADD', `s:${kind}`, '*', 'n', 1);
      await waitFor(async () => (await admin.call('XLEN', `s:${kind}`)) === 1);
      const reply = reader.call('XREAD', 'BLOCK', 0, 'STREAMS', `s:${kind}`, String(last));
      await waitFor(blocked(1));
      const next = await writer.call('XADD', `s:${kind}`, '*', 'n', 2);
      expect(await reply).toEqual([[`s:${kind}`, [[next, ['n', '2']]]]]);
      reader.close();
    });

    test('a pause holds the stream', async () => {
      await writer.call('SET', 'p', 'before');
      await waitFor(async () => (await admin.call('GET', 'p')) === 'before');
      await admin.call('CLIENT', 'PAUSE', 1_000_000, 'WRITE');
      const before = await info(admin, 'slave_repl_offset');
      await writer.call('SET', 'p', 'after');
      // The stream's client is shown as blocked when it has come to the write.
      const isHeld = async () =>
        / flags=\w*b/.test(String(await admin.call('CLIENT', 'LIST', 'TYPE', 'master')));
      await waitFor(isHeld, { what: 'the stream to be held' });
      expect(await info(admin, 'slave_repl_offset')).toBe(before);
      expect(await admin.call('GET', 'p')).toBe('before');
      await admin.call('CLIENT', 'UNPAUSE');
      await waitFor(async () => (await admin.call('GET', 'p')) === 'after');
      await writer.call('SET', 'p', 'later');
      await waitFor(async () => (await admin.call('GET', 'p')) === 'later');
    });
  });

  test.each(['redis', 'respite'] as const)('who waits when %s gets a master', async (kind) => {
    const server = await startServer(kind);
    const admin = await server.connect();
    const [popper, waiter] = [await server.connect(), await server.connect()];
    const replies = [popper.command('BLPOP', 'l', 0), waiter.command('WAIT', 1, 0)];
    await waitFor(async () => (await info(admin, 'blocked_clients')) === '2');
    await admin.call('REPLICAOF', '127.0.0.1', master.port);
    const text =
      '-UNBLOCKED force unblock from blocking operation, ' +
      'instance state changed (master -> replica?)\r\n';
    expect((await Promise.all(replies)).map(String)).toEqual([text, text]);
    expect([await popper.closes(10_000), await waiter.closes(10_000)]).toEqual([true, true]);
    await waitFor(isUp(admin), { what: 'the link' });
    expect(await info(admin, 'blocked_clients')).toBe('0');
    admin.close();
    await server.stop();
  });
});
