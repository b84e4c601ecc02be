// Blocking seen from inside, where time and memory do what a test wants: deadlines, confirmations,
// the stream of effects, the stream of a master, memory that ends.

import { beforeEach, describe, expect, test } from 'vitest';
import { CLIENT_AUTHENTICATED, CLIENT_MASTER, STATUS_BLOCKED } from '../../host/core/core.js';
import { LocalClient } from '../../host/core/local.js';
import { readStatistics } from '../../host/core/statistics.js';
import { effectsText, followedHost, takeEffects } from '../conformance/effects.js';
import { encodeCommand, splitArgs } from '../support/bytes.js';
import { Prng } from '../support/prng.js';
import type { MemoryClient, MemoryHost } from './memory-host.js';

let host: MemoryHost;
beforeEach(() => {
  host = followedHost();
});

const bytes = (text: string) =>
  Buffer.concat(text.split('; ').map((one) => encodeCommand(splitArgs(one))));

/** What commands are answered, as far as they do not block. */
async function say(client: MemoryClient, text: string): Promise<string> {
  await client.send(bytes(text));
  return client.take().toString('latin1');
}

const taken = (client: MemoryClient) => client.take().toString('latin1');
const isBlocked = (client: MemoryClient) =>
  (host.core.x.clientStatus(client.handle) & STATUS_BLOCKED) !== 0;
const effects = () => effectsText(takeEffects(host));

/** A client that waits. */
async function waiting(text: string): Promise<MemoryClient> {
  const client = host.open();
  expect(await say(client, text)).toBe('');
  expect(isBlocked(client)).toBe(true);
  return client;
}

describe('deadlines', () => {
  test('are told to the host, to the millisecond', async () => {
    const { x } = host.core;
    expect(x.armDeadlines(1000)).toBe(Number.POSITIVE_INFINITY);
    const a = await waiting('BLPOP k 0.250');
    expect(x.armDeadlines(5000.5)).toBe(5250.5);
    const b = await waiting('BLPOP k 0.1');
    const c = await waiting('BLPOP k 0');
    expect(x.armDeadlines(5100)).toBe(5200);
    expect(x.serveDeadlines(5199.9, host.nowMs)).toBe(5200);
    expect(taken(b)).toBe('');
    expect(x.serveDeadlines(5200, host.nowMs)).toBe(5250.5);
    expect([taken(a), taken(b), taken(c)]).toEqual(['', '*-1\r\n', '']);
    expect(x.serveDeadlines(5251, host.nowMs)).toBe(Number.POSITIVE_INFINITY);
    expect([taken(a), taken(b), taken(c)]).toEqual(['*-1\r\n', '', '']);
    expect([isBlocked(a), isBlocked(c)]).toEqual([false, true]);
  });

  test('do not follow the wall clock', async () => {
    const { x } = host.core;
    const a = await waiting('BLPOP k 10');
    x.armDeadlines(1);
    for (const jumpMs of [3_600_000, -7_200_000, 1]) {
      host.nowMs += jumpMs;
      x.cron(host.nowMs);
      expect(x.serveDeadlines(10_000, host.nowMs)).toBe(10_001);
      expect(taken(a)).toBe('');
    }
    x.serveDeadlines(10_001, host.nowMs);
    expect(taken(a)).toBe('*-1\r\n');
  });

  test('whose time has run out goes on with what it sent', async () => {
    const a = await waiting('BLPOP k 1; SET x 1; GET x');
    host.core.x.armDeadlines(0);
    host.core.x.serveDeadlines(1000, host.nowMs);
    expect(taken(a)).toBe('*-1\r\n');
    host.core.x.resume(a.handle, host.nowMs);
    expect(taken(a)).toBe('+OK\r\n$1\r\n1\r\n');
  });

  test('of many clients that come and go are kept in order', async () => {
    const { x } = host.core;
    const random = new Prng(7);
    let steady = 0;
    const due = new Map<MemoryClient, number>();
    for (let round = 0; round < 600; round++) {
      steady += random.below(20);
      if (due.size < 40 || random.once(2)) {
        const ms = random.range(1, 400);
        const client = await waiting(`BLPOP k${random.below(5)} ${ms / 1000}`);
        // Some rounds tell the time later, for several at once.
        due.set(client, steady + ms);
        expect(x.armDeadlines(steady)).toBe(Math.min(...due.values()));
      } else if (round % 2 === 0) {
        const gone = random.pick([...due.keys()]);
        due.delete(gone);
        gone.close();
      }
      const next = x.serveDeadlines(steady, host.nowMs);
      for (const [client, ms] of due) {
        expect(taken(client)).toBe(ms <= steady ? '*-1\r\n' : '');
        if (ms > steady) continue;
        due.delete(client);
        client.close();
      }
      expect(next).toBe(Math.min(...due.values()));
      expect(readStatistics(host.core).blockedClients).toBe(due.size);
    }
  });

  test('several fresh ones, some of which go before the time is told', async () => {
    const { x } = host.core;
    const old = await waiting('BLPOP k 9');
    x.armDeadlines(0);
    const fresh: MemoryClient[] = [];
    for (const seconds of [5, 1, 7, 3]) fresh.push(await waiting(`BLPOP k ${seconds}`));
    fresh[1]!.close();
    old.close();
    expect(x.armDeadlines(100)).toBe(3100);
    fresh[3]!.close();
    expect(x.armDeadlines(200)).toBe(5100);
    fresh[0]!.close();
    expect(x.armDeadlines(200)).toBe(7100);
  });
});

describe('the stream of effects', () => {
  test('has what served a client as a unit of its own', async () => {
    await waiting('BLPOP l 0');
    await waiting('BRPOP l 0');
    const client = host.open();
    await say(client, 'RPUSH l 1 2 3');
    expect(effects()).toBe('SELECT 0 ; RPUSH l 1 2 3 ; LPOP l ; RPOP l');
    await say(client, 'DEL l');
    effects();
    await waiting('BLMPOP 0 2 l m LEFT COUNT 5');
    await say(client, 'MULTI; RPUSH m 1; RPUSH m 2; EXEC');
    expect(effects()).toBe('MULTI ; RPUSH m 1 ; RPUSH m 2 ; EXEC ; LPOP m 2');
  });

  test('has chains in the order in which they were pulled', async () => {
    await waiting('BLMOVE a b LEFT Right 0');
    await waiting('BRPOPLPUSH b c 0');
    await waiting('BLPOP c 0');
    await say(host.open(), 'LPUSH a x');
    const wanted = ['SELECT 0', 'LPUSH a x', 'LMOVE a b left right', 'RPOPLPUSH b c', 'LPOP c'];
    expect(effects()).toBe(wanted.join(' ; '));
  });

  test('names the database of who is served', async () => {
    const a = host.open();
    await say(a, 'SELECT 3');
    await say(a, 'BZPOPMIN z 0');
    await waiting('BZMPOP 0 1 y MAX COUNT 3');
    const client = host.open();
    await say(client, 'ZADD y 1 a 2 b 3 c 4 d; SELECT 3; ZADD z 1 a; SELECT 0; SET x 1');
    const wanted = ['SELECT 0', 'ZADD y 1 a 2 b 3 c 4 d', 'ZPOPMAX y 3', 'SELECT 3', 'ZADD z 1 a'];
    expect(effects()).toBe([...wanted, 'ZPOPMIN z', 'SELECT 0', 'SET x 1'].join(' ; '));
  });

  test('has nothing of an error, and of a key that expired its end', async () => {
    const client = host.open();
    await say(client, 'SET s x');
    effects();
    await waiting('BLMOVE a s LEFT LEFT 0');
    await say(client, 'RPUSH a 1');
    expect(effects()).toBe('RPUSH a 1');
    await waiting('BLPOP e 0');
    await say(client, 'MULTI; RPUSH e 1; PEXPIREAT e 1; EXEC');
    expect(effects()).toMatch(/^MULTI ; RPUSH e 1 ; (DEL|PEXPIREAT) .*EXEC$/);
  });
});

describe('WAIT and WAITAOF', () => {
  const offset = () => readStatistics(host.core).effectsOffset;

  test('a client waits for what it wrote itself', async () => {
    const { x } = host.core;
    const [writer, other, replica] = [host.open(), host.open(), host.open()];
    x.replicaAck(replica.handle, 0, -1);
    expect(await say(writer, 'WAIT 1 0')).toBe(':1\r\n');
    await say(writer, 'SET a 1');
    const mine = offset();
    await say(other, 'SET b 1');
    await say(writer, 'GET a; WAIT 1 0');
    expect(isBlocked(writer)).toBe(true);
    expect(x.waitingForAcks()).toBe(1);
    x.replicaAck(replica.handle, mine - 1, -1);
    expect(taken(writer)).toBe('');
    x.replicaAck(replica.handle, mine, -1);
    expect(taken(writer)).toBe(':1\r\n');
    expect(x.waitingForAcks()).toBe(0);
    expect(await say(other, 'WAIT 1 0')).toBe('');
    replica.close();
    x.armDeadlines(0);
    expect(await say(host.open(), 'WAIT 0 0')).toBe(':0\r\n');
    expect(isBlocked(other)).toBe(true);
  });

  test('its time runs out, with as many as there are', async () => {
    const { x } = host.core;
    const [writer, one, two] = [host.open(), host.open(), host.open()];
    await say(writer, 'SET a 1');
    x.replicaAck(one.handle, offset(), 5);
    x.replicaAck(two.handle, 0, -1);
    expect(await say(writer, 'WAIT 2 100')).toBe('');
    x.armDeadlines(0);
    x.serveDeadlines(100, host.nowMs);
    expect(taken(writer)).toBe(':1\r\n');
    expect(await say(writer, 'WAITAOF 0 1 100')).toBe('');
    x.armDeadlines(100);
    x.serveDeadlines(200, host.nowMs);
    expect(taken(writer)).toBe('*2\r\n:0\r\n:0\r\n');
    expect(await say(writer, 'MULTI; WAIT 2 0; WAITAOF 0 2 0; EXEC')).toContain(
      '*2\r\n:1\r\n*2\r\n:0\r\n:0\r\n',
    );
  });

  test('for disks: our own, and those of replicas', async () => {
    const { x } = host.core;
    const [writer, replica] = [host.open(), host.open()];
    const refused = 'WAITAOF cannot be used when numlocal is set but appendonly is disabled.';
    expect(await say(writer, 'WAITAOF 1 0 0')).toBe(`-ERR ${refused}\r\n`);
    x.aofSynced(0);
    await say(writer, 'SET a 1');
    expect(await say(writer, 'WAITAOF 1 1 0')).toBe('');
    x.aofSynced(offset());
    expect(taken(writer)).toBe('');
    x.replicaAck(replica.handle, offset(), offset());
    expect(taken(writer)).toBe('*2\r\n:1\r\n:1\r\n');
    x.aofSynced(-1);
    expect(await say(writer, 'WAITAOF 0 1 0')).toBe('*2\r\n:0\r\n:1\r\n');
  });

  test('on a replica they are refused', async () => {
    host.core.x.setReplica(true, true);
    const client = host.open();
    expect(await say(client, 'WAIT 0 0')).toMatch(/^-ERR WAIT cannot be used with replica inst/);
    expect(await say(client, 'WAITAOF 0 0 0')).toMatch(/^-ERR WAITAOF cannot be used with repl/);
    expect(await say(client, 'BLPOP k 0')).toMatch(/^-READONLY /);
  });
});

describe('a pause', () => {
  test('holds the stream of a master, whose place does not move', async () => {
    const { x } = host.core;
    const master = host.open(CLIENT_AUTHENTICATED | CLIENT_MASTER);
    x.masterStart(master.handle, 0, 1000);
    const client = host.open();
    await say(client, 'CLIENT PAUSE 1000000 WRITE');
    const stream = bytes('PING; SET a 1; INCR a; MULTI; INCR a; INCR a; EXEC');
    await master.send(stream);
    const ping = bytes('PING').length;
    expect(x.masterOffset(master.handle)).toBe(1000 + ping);
    expect(await say(client, 'GET a')).toBe('$-1\r\n');
    await say(client, 'CLIENT UNPAUSE');
    x.resume(master.handle, host.nowMs);
    expect(x.masterOffset(master.handle)).toBe(1000 + stream.length);
    expect(await say(client, 'GET a')).toBe('$1\r\n4\r\n');
  });

  test('with commands cut anywhere', async () => {
    const { x } = host.core;
    const control = host.open();
    const text = bytes('SET a 1; INCR a; GET a; APPEND a xyz');
    for (let cut = 0; cut <= text.length; cut++) {
      await say(control, 'CLIENT PAUSE 1000000 WRITE');
      const client = host.open();
      await client.send(text.subarray(0, cut));
      await client.send(text.subarray(cut));
      expect(taken(client)).toBe('');
      await say(control, 'CLIENT UNPAUSE');
      x.resume(client.handle, host.nowMs);
      expect(taken(client)).toBe('+OK\r\n:2\r\n$1\r\n2\r\n:4\r\n');
      client.close();
    }
  });

  test('of inline commands, and with others behind', async () => {
    const control = host.open();
    await say(control, 'CLIENT PAUSE 1000000 ALL');
    const client = host.open();
    await client.send(Buffer.from('PING\r\nSET a "b c"\r\n*1\r\n$4\r\nPING\r\nGET a\r\n'));
    await say(control, 'PING');
    expect(taken(client) + taken(control)).toBe('');
    host.core.x.armDeadlines(0);
    host.core.x.serveDeadlines(1_000_000, host.nowMs);
    for (const one of [client, control]) host.core.x.resume(one.handle, host.nowMs);
    expect(taken(client)).toBe('+PONG\r\n+OK\r\n+PONG\r\n$3\r\nb c\r\n');
    expect(taken(control)).toBe('+PONG\r\n');
  });

  test('is longest of what was asked for, and told to the host', async () => {
    const { x } = host.core;
    const control = host.open();
    await say(control, 'CLIENT PAUSE 500 WRITE');
    expect(x.armDeadlines(100)).toBe(600);
    await say(control, 'CLIENT PAUSE 300 WRITE');
    expect(x.armDeadlines(200)).toBe(600);
    await say(control, 'CLIENT PAUSE 900 WRITE; CLIENT PAUSE 1 WRITE');
    expect(x.armDeadlines(200)).toBe(1100);
    const client = host.open();
    expect(await say(client, 'SET a 1')).toBe('');
    expect(x.serveDeadlines(1099, host.nowMs)).toBe(1100);
    expect(isBlocked(client)).toBe(true);
    expect(x.serveDeadlines(1100, host.nowMs)).toBe(Number.POSITIVE_INFINITY);
    expect(isBlocked(client)).toBe(false);
    x.resume(client.handle, host.nowMs);
    expect(taken(client)).toBe('+OK\r\n');
  });

  test('does not concern calls in-process', async () => {
    const local = new LocalClient(host.core, { nowMs: () => host.nowMs, defer: () => {} });
    await say(host.open(), 'CLIENT PAUSE 1000000 ALL');
    expect(local.call('SET', 'a', '1')).toBe('OK');
    expect(local.getText('a', 0)).toBe('1');
    local.close();
  });
});

describe('others', () => {
  test('INFO counts who waits, and for what', async () => {
    const control = host.open();
    await say(control, 'XGROUP CREATE s g $ MKSTREAM');
    await waiting('BLPOP k l k 0');
    const b = await waiting('BRPOP k 5');
    await waiting('XREADGROUP GROUP g c BLOCK 0 STREAMS s >');
    await waiting('XREAD BLOCK 10 STREAMS s t $ $');
    await waiting('WAIT 1 100');
    const counts = async () => {
      const info = (await control.ask(bytes('INFO clients'))).toString('latin1');
      const names = ['blocked_clients', 'clients_in_timeout_table', 'total_blocking_keys'];
      return [...names, 'total_blocking_keys_on_nokey'].map((name) =>
        Number(new RegExp(`${name}:(.*)`).exec(info)?.[1]),
      );
    };
    expect(await counts()).toEqual([5, 3, 4, 1]);
    b.close();
    await say(control, 'RPUSH l 1');
    expect(await counts()).toEqual([3, 2, 2, 1]);
    await say(control, 'DEL s');
    expect(await counts()).toEqual([2, 2, 2, 0]);
  });

  test('a call in-process never waits, but wakes those who do', async () => {
    let woken = 0;
    const clock = { nowMs: () => host.nowMs, defer: () => {} };
    const local = new LocalClient(host.core, clock, () => {
      for (woken = 0; host.core.x.nextReady() >= 0; ) woken++;
    });
    expect(local.call('BLPOP', 'k', '0')).toBe(null);
    expect(local.call('WAIT', '5', '0')).toBe(0);
    const a = await waiting('BLPOP k 0');
    local.call('RPUSH', 'k', 'v');
    expect(woken).toBe(1);
    expect(taken(a)).toBe('*2\r\n$1\r\nk\r\n$1\r\nv\r\n');
    local.close();
  });

  test('a new master: who waits is told and closed', async () => {
    const a = await waiting('BLPOP k 0; PING');
    const b = await waiting('WAIT 1 0');
    const control = host.open();
    await say(control, 'CLIENT PAUSE 1000000 WRITE');
    const c = host.open();
    await say(c, 'SET a 1');
    host.core.x.disconnectBlocked();
    const text =
      '-UNBLOCKED force unblock from blocking operation, ' +
      'instance state changed (master -> replica?)\r\n';
    expect([taken(a), taken(b), taken(c)]).toEqual([text, text, '']);
    const isClosing = (one: MemoryClient) => (host.core.x.clientStatus(one.handle) & 2) !== 0;
    expect([a, b, c].map(isClosing)).toEqual([true, true, false]);
  });

  test('nothing is left of who waited', async () => {
    const control = host.open();
    const used: number[] = [];
    // What is made once and kept (buffers, the heap of deadlines) is there after the first round.
    for (let round = 0; round < 3; round++) {
      const clients: MemoryClient[] = [];
      for (let i = 0; i < 200; i++) {
        const keys = Array.from({ length: 1 + (i % 50) }, (_, n) => `key:${(i * 7 + n) % 300}`);
        clients.push(await waiting(`BLPOP ${keys.join(' ')} ${i % 3}`));
      }
      host.core.x.armDeadlines(0);
      for (let i = 0; i < 300; i += 3) await say(control, `RPUSH key:${i} a`);
      host.core.x.serveDeadlines(1500, host.nowMs);
      for (const client of clients) client.close();
      expect(readStatistics(host.core).blockedClients).toBe(0);
      await say(control, 'FLUSHALL');
      effects();
      used.push(readStatistics(host.core).usedMemory);
    }
    expect(used[2]).toBe(used[1]);
  });

  test('without memory a client is not blocked, and told so', async () => {
    const client = host.open();
    const keys = Array.from({ length: 5000 }, (_, i) => `k${i}`).join(' ');
    await say(client, `SET big ${'x'.repeat(1000)}`);
    const before = readStatistics(host.core);
    host.core.x.configureHeap(Math.ceil(before.heapBytes / 65536) + 3);
    const reply = await say(client, `BLPOP ${keys} 0`);
    expect(reply).toMatch(/^-OOM /);
    expect(isBlocked(client)).toBe(false);
    host.core.x.configureHeap(1024);
    expect(await say(client, 'PING')).toBe('+PONG\r\n');
    const after = readStatistics(host.core);
    expect(after.blockedClients).toBe(0);
    expect(after.usedMemory - before.usedMemory).toBeLessThan(300 << 10);
    await say(host.open(), 'RPUSH k5 1');
    expect(taken(client)).toBe('');
  });
});
