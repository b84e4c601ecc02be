// Every reply a master may give to a replica, scripted: REPLICATION.md §1–3.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '../support/servers.js';
import { sleep, waitFor } from '../support/wait.js';
import { FakeMaster, friendly, type Rule } from './fake-master.js';
import { closeReplicas, startReplica } from './harness.js';

const ID = 'a'.repeat(40);
const ID2 = 'b'.repeat(40);
const MARK = 'm'.repeat(40);
let masters: FakeMaster[] = [];
/** A real server's dump of one key, `k` = `v`. */
let rdb: Buffer;

beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-'));
  const server = await startServer('redis', { dir });
  execFileSync('redis-cli', ['-p', String(server.port), 'set', 'k', 'v']);
  execFileSync('redis-cli', ['-p', String(server.port), 'save']);
  rdb = readFileSync(join(dir, 'dump.rdb'));
  await server.stop();
  rmSync(dir, { recursive: true });
});

afterEach(async () => {
  await closeReplicas();
  for (const master of masters) master.close();
  masters = [];
});

async function fake(rule: Rule): Promise<FakeMaster> {
  const master = await FakeMaster.start(rule);
  masters.push(master);
  return master;
}

const follow = (master: FakeMaster, options = {}) =>
  startReplica({ master: `127.0.0.1:${master.port}`, ...options });

const full = (offset = 100) => `+FULLRESYNC ${ID} ${offset}\r\n`;
const payload = (bytes = rdb) => Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes]);
const eofPayload = (bytes = rdb, mark = MARK) =>
  Buffer.concat([Buffer.from(`$EOF:${MARK}\r\n`), bytes, Buffer.from(mark)]);
const SET = '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n1\r\n';

describe('handshake', () => {
  test('says PING, AUTH, REPLCONF and PSYNC, each phase after the replies before', async () => {
    let pending = 0;
    const master = await fake((words, say) => {
      pending++;
      // A slow master: whoever does not wait for replies would be seen here.
      setTimeout(() => {
        pending--;
        if (words[0] === 'PSYNC') expect(pending).toBe(0);
        say(words[0] === 'PSYNC' ? '-LOADING wait\r\n' : '+OK\r\n');
      }, 5);
    });
    await follow(master, { username: 'u', password: 'pä', announcePort: 1234, announceIp: 'x.y' });
    await waitFor(() => master.seen('PSYNC').length > 0);
    const latin1 = Buffer.from('pä').toString('latin1');
    expect(master.requests.slice(0, 7)).toEqual([
      ['PING'],
      ['AUTH', 'u', latin1],
      ['REPLCONF', 'listening-port', '1234'],
      ['REPLCONF', 'ip-address', 'x.y'],
      ['REPLCONF', 'capa', 'eof', 'capa', 'psync2'],
      ['REPLCONF', 'version', '9.0.0'],
      ['PSYNC', '?', '-1'],
    ]);
  });

  test('tolerates -NOAUTH to PING and errors of REPLCONF', async () => {
    const master = await fake((words, say) => {
      if (words[0] === 'PING') say('-NOAUTH Authentication required.\r\n');
      else if (words[0] === 'REPLCONF') say('-ERR Unrecognized REPLCONF option\r\n');
      else if (words[0] === 'PSYNC') say(full() + payload().toString('latin1'));
    });
    const { replica } = await follow(master);
    await replica.waitForSync({ timeoutMs: 5000 });
  });

  test.each([
    ['-LOADING Redis is loading\r\n', 'ERR_RESPITE_SYNC'],
    ['HTTP/1.1 400 Bad Request\r\n', 'ERR_RESPITE_PROTOCOL'],
    ['x'.repeat(40_000), 'ERR_RESPITE_PROTOCOL'],
  ])('PING answered by %.20j… is tried again', async (reply, code) => {
    const master = await fake((_words, say) => say(reply));
    const { errors, replica } = await follow(master);
    await waitFor(() => master.connections >= 3);
    expect(errors[0]).toMatchObject({ code });
    expect(replica.link.state).not.toBe('connected');
  });

  test('a refused password is said clearly and tried again slowly', async () => {
    const master = await fake((words, say) =>
      say(words[0] === 'AUTH' ? '-WRONGPASS invalid username-password pair\r\n' : '+OK\r\n'),
    );
    const { errors } = await follow(master, { password: 'p', reconnectMaxMs: 5000 });
    await waitFor(() => errors.length > 0);
    expect(errors[0]).toMatchObject({
      code: 'ERR_RESPITE_AUTH',
      details: { reply: 'WRONGPASS invalid username-password pair' },
    });
    await sleep(500);
    expect(master.connections).toBe(1);
  });
});

describe('PSYNC', () => {
  test.each([
    ['-NOMASTERLINK Can not SYNC while not connected\r\n', 'ERR_RESPITE_SYNC'],
    ['-LOADING Redis is loading the dataset\r\n', 'ERR_RESPITE_SYNC'],
    ["-ERR unknown command 'PSYNC'\r\n", 'ERR_RESPITE_PSYNC_REFUSED'],
    ['-NOPERM no permissions to run psync\r\n', 'ERR_RESPITE_PSYNC_REFUSED'],
    ['+FULLRESYNC short 12\r\n', 'ERR_RESPITE_PROTOCOL'],
    ['+CONTINUE\r\n', 'ERR_RESPITE_PROTOCOL'],
    ['+RDBCHANNELSYNC 5\r\n', 'ERR_RESPITE_PROTOCOL'],
    [':1\r\n', 'ERR_RESPITE_PROTOCOL'],
  ])('%j', async (reply, code) => {
    const master = await fake(friendly((_words, say) => say(reply)));
    const { errors, replica } = await follow(master);
    await waitFor(() => errors.length >= 2);
    expect(errors[0]).toMatchObject({ code });
    if (code === 'ERR_RESPITE_PSYNC_REFUSED') {
      expect(errors[0]!.message).toContain(reply.slice(1, 20));
    }
    expect(replica.link.offset).toBe(-1);
  });

  test('newlines come anywhere: before +FULLRESYNC, before $, in pieces', async () => {
    const master = await fake(
      friendly(async (_words, say) => {
        for (const piece of ['\n', '\n\n', full().slice(0, 9), full().slice(9), '\n', '\n']) {
          say(piece);
          await sleep(15);
        }
        say(payload());
      }),
    );
    const { replica } = await follow(master, { syncTimeoutMs: 60 });
    await replica.waitForSync({ timeoutMs: 5000 });
    expect(replica.storage.getText('k')).toBe('v');
    expect(replica.link.offset).toBe(100);
  });

  test('+CONTINUE with a new id: the old one is kept as the second', async () => {
    let round = 0;
    const master = await fake(
      friendly((_words, say) => {
        if (round++ === 0) say(Buffer.concat([Buffer.from(full()), payload(), Buffer.from(SET)]));
        else say(`\n+CONTINUE ${ID2}\r\n${SET}`);
      }),
    );
    const { replica, events } = await follow(master);
    await waitFor(() => replica.link.offset === 100 + SET.length);
    master.drop();
    await waitFor(() => replica.link.offset === 100 + 2 * SET.length);
    expect(master.seen('PSYNC')[1]).toEqual(['PSYNC', ID, String(101 + SET.length)]);
    expect(replica.link.position).toEqual({ replid: ID2, offset: 100 + 2 * SET.length, db: 0 });
    expect(replica.info()).toMatchObject({
      master_replid: ID2,
      master_replid2: ID,
      second_repl_offset: 101 + SET.length,
    });
    expect(events).toContain('history');
    expect(replica.stats).toMatchObject({ fullSyncCount: 1, partialSyncCount: 1 });
  });
});

describe('payload', () => {
  const cases: [string, () => Buffer][] = [
    ['$length', payload],
    ['$EOF', eofPayload],
  ];
  for (const [name, bytes] of cases) {
    test(`${name}: the stream may begin in the same chunk`, async () => {
      const all = Buffer.concat([Buffer.from(full()), bytes(), Buffer.from(SET)]);
      const master = await fake(friendly((_words, say) => say(all)));
      const { replica } = await follow(master);
      await waitFor(() => replica.link.offset === 100 + SET.length);
      expect(replica.storage.getText('k')).toBe('v');
      expect(replica.storage.getText('x')).toBe('1');
      await waitFor(() => master.seen('REPLCONF').some((words) => words[1] === 'ACK'));
    });

    test(`${name}: byte by byte`, async () => {
      const all = Buffer.concat([Buffer.from(full()), bytes(), Buffer.from(SET)]);
      const master = await fake(
        friendly(async (_words, say) => {
          for (let i = 0; i < all.length; i++) {
            say(all.subarray(i, i + 1));
            if (i % 3 === 0) await sleep(0);
          }
        }),
      );
      const { replica } = await follow(master);
      await waitFor(() => replica.link.offset === 100 + SET.length);
      expect(replica.storage.getText('k')).toBe('v');
      expect(replica.link.problemCount).toBe(0);
    });

    test(`${name}: a cut anywhere keeps nothing and asks for everything again`, async () => {
      const all = bytes();
      let cut = 1;
      let rounds = 0;
      const master = await fake(
        friendly((_words, say) => {
          say(Buffer.concat([Buffer.from(full()), all.subarray(0, cut)]));
          cut = Math.min(cut + 7, all.length - 1);
          rounds++;
          setTimeout(() => master.drop(), 2);
        }),
      );
      const { replica, errors } = await follow(master, { reconnectMinMs: 1, reconnectMaxMs: 1 });
      await waitFor(() => rounds > all.length / 7 + 3, { timeoutMs: 20_000 });
      expect(errors.length).toBeGreaterThan(10);
      const early = master.seen('PSYNC').slice(0, 10);
      expect(early.every((words) => words[1] === '?')).toBe(true);
      expect(() => replica.storage.get('k')).toThrow(/LOADING/);
    });
  }

  test('a damaged RDB: offset and reason, old data kept, tried again', async () => {
    let round = 0;
    const bad = Buffer.from(rdb);
    bad[bad.length - 3]! ^= 1;
    const master = await fake(
      friendly((_words, say) => {
        say(full());
        say(round++ === 1 || round === 3 ? payload(bad) : payload());
      }),
    );
    const { replica, errors } = await follow(master);
    await replica.waitForSync({ timeoutMs: 5000 });
    const early = replica.storage.getText('k');
    master.drop();
    await waitFor(() =>
      errors.some((e) => (e as { code?: string }).code === 'ERR_RESPITE_RDB_FORMAT'),
    );
    expect(early).toBe('v');
    expect(replica.storage.getText('k')).toBe('v');
    const error = errors.find((e) => (e as { code?: string }).code === 'ERR_RESPITE_RDB_FORMAT');
    expect(error).toMatchObject({ details: { offset: expect.any(Number) } });
    expect(error!.message).toMatch(/damaged at offset \d+: /);
    await replica.waitForSync({ timeoutMs: 5000 });
  });

  test.each([
    ['a wrong end mark', () => eofPayload(rdb, `${'m'.repeat(39)}x`), /end mark/],
    ['a length too short', () => payload(rdb.subarray(0, -9)), /not complete/],
    ['no RDB at all', () => Buffer.from('$0\r\n'), /not complete/],
    ['an abort of the master', () => Buffer.from('-ERR BGSAVE failed\r\n'), /BGSAVE failed/],
    ['something else', () => Buffer.from('+OK\r\n'), /where the RDB should begin/],
  ])('%s', async (_name, bytes, message) => {
    const master = await fake(
      friendly((_words, say) =>
        say(Buffer.concat([Buffer.from(full()), bytes(), Buffer.from('x')])),
      ),
    );
    const { errors, replica } = await follow(master);
    await waitFor(() => errors.length > 0);
    expect(errors[0]!.message).toMatch(message);
    expect(replica.link.offset).toBe(-1);
  });
});

describe('stream', () => {
  const synced = (behind = ''): Rule =>
    friendly((words, say) => {
      if (words[1] === '?') say(Buffer.concat([Buffer.from(full(0)), payload()]));
      else say('+CONTINUE\r\n');
      say(behind);
    });

  test('GETACK: the offset in front of it; nothing else is ever said', async () => {
    const getack = '*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n';
    const ping = '*1\r\n$4\r\nPING\r\n';
    const stamp = '*3\r\n$8\r\nREPLCONF\r\n$9\r\nTIMESTAMP\r\n$1\r\n1\r\n';
    const master = await fake(synced());
    const { replica } = await follow(master, { heartbeatIntervalMs: 60_000 });
    await replica.waitForSync({ timeoutMs: 5000 });
    await waitFor(() => master.seen('REPLCONF').some((words) => words[1] === 'ACK'));
    master.requests.length = 0;
    master.say(ping + SET + stamp + getack + ping);
    await waitFor(() => master.requests.length > 0);
    const before = ping.length + SET.length + stamp.length;
    expect(master.requests[0]).toEqual(['REPLCONF', 'ACK', String(before)]);
    await waitFor(() => replica.link.offset === before + getack.length + ping.length);
    await sleep(100);
    expect(master.requests.every((words) => words[1] === 'ACK')).toBe(true);
    expect(replica.link.problemCount).toBe(0);
  });

  test('inside MULTI the offset stays in front of it; a cut starts over there', async () => {
    const master = await fake(synced());
    const { replica } = await follow(master);
    await replica.waitForSync({ timeoutMs: 5000 });
    const select = '*2\r\n$6\r\nSELECT\r\n$1\r\n9\r\n';
    const multi = '*1\r\n$5\r\nMULTI\r\n';
    const exec = '*1\r\n$4\r\nEXEC\r\n';
    master.say(select + SET + multi + SET + SET);
    await waitFor(() => replica.link.readOffset > select.length + SET.length);
    await sleep(30);
    expect(replica.link.offset).toBe(select.length + SET.length);
    master.drop();
    await waitFor(() => master.seen('PSYNC').length === 2);
    expect(master.seen('PSYNC')[1]).toEqual(['PSYNC', ID, String(select.length + SET.length + 1)]);
    await replica.waitForSync({ timeoutMs: 5000 });
    const two = '*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$1\r\n2\r\n';
    master.say(multi + two + exec);
    const end = select.length + SET.length + multi.length + two.length + exec.length;
    await waitFor(() => replica.link.offset === end);
    replica.storage.select(9);
    expect(replica.storage.getText('x')).toBe('2');
    replica.storage.select(0);
    expect(replica.storage.get('x')).toBe(null);
  });

  test('rubbish in the stream: dropped, and everything is asked for again', async () => {
    const master = await fake(synced());
    const { replica, errors } = await follow(master);
    await replica.waitForSync({ timeoutMs: 5000 });
    master.say('*1\r\n!bad\r\n');
    await waitFor(() => master.seen('PSYNC').length === 2);
    expect(master.seen('PSYNC')[1]).toEqual(['PSYNC', '?', '-1']);
    expect(errors[0]).toMatchObject({ code: 'ERR_RESPITE_PROTOCOL' });
    await replica.waitForSync({ timeoutMs: 5000 });
    expect(replica.storage.getText('k')).toBe('v');
  });

  test('silence ends the connection, signs of life do not', async () => {
    const master = await fake(synced());
    const { replica, errors } = await follow(master, { readTimeoutMs: 250 });
    await replica.waitForSync({ timeoutMs: 5000 });
    for (let i = 0; i < 8; i++) {
      await sleep(60);
      master.say('\n');
    }
    expect(errors).toEqual([]);
    await waitFor(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: 'ERR_RESPITE_TIMEOUT' });
    await waitFor(() => replica.isConnected);
    expect(replica.stats.partialSyncCount).toBeGreaterThanOrEqual(1);
    expect(replica.stats.fullSyncCount).toBe(1);
  });

  test('problems: arguments cut, secrets not shown, events outside of the core', async () => {
    const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
    const command = (...words: string[]): string =>
      `*${words.length}\r\n${words.map(bulk).join('')}`;
    const master = await fake(synced());
    const { replica, log } = await follow(master);
    await replica.waitForSync({ timeoutMs: 5000 });
    const seen: string[] = [];
    replica.on('diverged', ({ command: name, args, isUnknown }) => {
      seen.push(`${name}|${args}|${isUnknown}|${replica.storage.getText('k')}`);
    });
    master.say(
      command('NOSUCH', 'a', 'b'.repeat(500)) +
        command('AUTH', 'u', 'hidden') +
        command('SET', 'k', '1', 'NOPE') +
        SET,
    );
    await waitFor(() => replica.storage.getText('x') === '1');
    await waitFor(() => seen.length === 3);
    expect(seen[0]).toMatch(/^NOSUCH\|a b{126}\|true\|v$/);
    expect(seen[1]).toBe('AUTH|[not shown]|false|v');
    expect(seen[2]).toBe('SET|k 1 NOPE|false|v');
    expect(log.join('\n')).not.toContain('hidden');
    expect(replica.stats.applyErrors).toBe(3);
    expect(replica.info().replica_apply_errors).toBe(3);
  });
});

describe('life', () => {
  test('LOADING until the first sync, then the data; close frees the port', async () => {
    let go = (): void => {};
    const master = await fake(
      friendly((_words, say) => {
        say(full());
        go = () => say(payload());
      }),
    );
    const { replica } = await follow(master);
    await waitFor(() => replica.link.state === 'sync');
    expect(() => replica.storage.get('k')).toThrow(
      expect.objectContaining({ code: 'ERR_RESPITE_SYNC_IN_PROGRESS' }),
    );
    expect(() => replica.storage.call('GET', 'k')).toThrow(/^LOADING Redis is loading/);
    go();
    await replica.waitForSync({ timeoutMs: 5000 });
    expect(replica.storage.getText('k')).toBe('v');
    await replica.close();
    await replica.close();
    await waitFor(() => master.connections === 1);
    await expect(replica.start()).rejects.toMatchObject({ code: 'ERR_RESPITE_CLOSED' });
  });

  test('waitForSync: timeout with its cause, abort, close', async () => {
    const master = await fake(friendly((_words, say) => say('-LOADING x\r\n')));
    const { replica } = await follow(master);
    await expect(replica.waitForSync({ timeoutMs: 150 })).rejects.toMatchObject({
      code: 'ERR_RESPITE_TIMEOUT',
      cause: { code: 'ERR_RESPITE_SYNC' },
    });
    const abort = new AbortController();
    const aborted = replica.waitForSync({ signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
    const closed = replica.waitForSync();
    await replica.close();
    await expect(closed).rejects.toMatchObject({ code: 'ERR_RESPITE_CLOSED' });
  });

  test('serveStaleData false: MASTERDOWN while the link is down', async () => {
    const master = await fake(
      friendly((words, say) => {
        if (words[1] === '?') say(Buffer.concat([Buffer.from(full()), payload()]));
        else say('-NOMASTERLINK x\r\n');
      }),
    );
    const { replica } = await follow(master, { serveStaleData: false });
    await replica.waitForSync({ timeoutMs: 5000 });
    expect(replica.storage.getText('k')).toBe('v');
    master.drop();
    await waitFor(() => !replica.isConnected);
    expect(() => replica.storage.get('k')).toThrow(/^MASTERDOWN/);
    expect(() => replica.storage.call('GET', 'k')).toThrow(/^MASTERDOWN/);
  });
});
