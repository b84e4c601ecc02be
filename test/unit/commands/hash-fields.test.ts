// Fields that expire: what the clock does to them on a master and on a replica. The clock is told.
// Events, effects and answers are those of redis-server 8.0.6, but where hash-fields.ts says.

import { describe, expect, test } from 'vitest';
import { CLIENT_AUTHENTICATED, CLIENT_MASTER } from '../../../host/core/core.js';
import { readDatabaseStatistics } from '../../../host/core/statistics.js';
import { effectsText, followedHost, takeEffects } from '../../conformance/effects.js';
import type { MemoryClient } from '../../sim/memory-host.js';
import { encodeCommand } from '../../support/bytes.js';
import { type Plain, plain } from '../../support/resp.js';
import { splitReplies } from './support/core-client.js';

type Encoding = 'listpack' | 'table';

async function started(encoding: Encoding = 'listpack') {
  const host = followedHost({
    directives: {
      'hash-max-listpack-entries': encoding === 'table' ? 0 : 512,
      'notify-keyspace-events': 'KEA',
    },
  });
  const client = host.open();
  const listener = host.open();
  await listener.ask(encodeCommand(['PSUBSCRIBE', '__keyspace@*__:*']));
  const asks = (who: MemoryClient) => async (line: string) =>
    plain(await who.ask(encodeCommand(line.split(' '))));
  const ask = asks(client);
  const events = () =>
    splitReplies(listener.take())
      .map((reply) => plain(reply) as string[])
      .map((message) => `${message[2]!.split(':')[1]} ${message[3]}`)
      .join(', ');
  const effects = () => effectsText(takeEffects(host)).replace('SELECT 0 ; ', '');
  /** Sets up, then forgets what was told of it. */
  const given = async (...lines: string[]) => {
    for (const line of lines) await ask(line);
    events();
    effects();
  };
  return { host, ask, asks, events, effects, given };
}

const both: Encoding[] = ['listpack', 'table'];

describe.each(both)('named by a command, in a %s', (encoding) => {
  const cases: [command: string, reply: Plain, effects: string, events: string][] = [
    ['HGET h a', null, 'HDEL h a', 'h hexpired'],
    ['HMGET h a z b', [null, '2', null], 'HDEL h a', 'h hexpired'],
    ['HEXISTS h a', 0, 'HDEL h a', 'h hexpired'],
    ['HSTRLEN h a', 0, 'HDEL h a', 'h hexpired'],
    ['HSETNX h a 9', 1, 'MULTI ; HDEL h a ; HSETNX h a 9 ; EXEC', 'h hexpired, h hset'],
    ['HINCRBY h a 1', 1, 'MULTI ; HDEL h a ; HINCRBY h a 1 ; EXEC', 'h hexpired, h hincrby'],
    [
      'HINCRBYFLOAT h a 1',
      '1',
      'MULTI ; HDEL h a ; HSET h a 1 ; EXEC',
      'h hexpired, h hincrbyfloat',
    ],
    ['HRANDFIELD h 5', ['z'], 'HDEL h a', 'h hexpired'],
    ['HGETDEL h FIELDS 1 a', [null], 'HDEL h a', 'h hexpired'],
    ['HGETEX h FIELDS 1 a', [null], 'HDEL h a', 'h hexpired'],
    ['HGETEX h EX 100 FIELDS 1 a', [null], 'HDEL h a', 'h hexpired'],
    ['HSETEX h FXX FIELDS 1 a 9', 0, 'HDEL h a', 'h hexpired'],
    [
      'HSETEX h FNX FIELDS 1 a 9',
      1,
      'MULTI ; HDEL h a ; HSETEX h FNX FIELDS 1 a 9 ; EXEC',
      'h hexpired, h hset',
    ],
    // Redis leaves these to the cycle, or finds the field still there.
    ['HTTL h FIELDS 2 a z', [-2, -1], 'HDEL h a', 'h hexpired'],
    ['HPERSIST h FIELDS 1 a', [-2], 'HDEL h a', 'h hexpired'],
    ['HEXPIRE h 100 FIELDS 1 a', [-2], 'HDEL h a', 'h hexpired'],
    ['HSET h a 9', 1, 'MULTI ; HDEL h a ; HSET h a 9 ; EXEC', 'h hexpired, h hset'],
    ['HDEL h a', 0, 'HDEL h a', 'h hexpired'],
    // Walks only leave it out.
    ['HGETALL h', ['z', '2'], '(nothing)', ''],
    ['HKEYS h', ['z'], '(nothing)', ''],
    ['HVALS h', ['2'], '(nothing)', ''],
    ['HSCAN h 0', ['0', ['z', '2']], '(nothing)', ''],
    ['HLEN h', 2, '(nothing)', ''],
    ['HGET h z', '2', '(nothing)', ''],
  ];

  test.each(cases)('%s', async (command, reply, effects, events) => {
    const s = await started(encoding);
    await s.given('HSET h a 1 z 2', 'HPEXPIRE h 10 FIELDS 1 a');
    s.host.nowMs += 11;
    expect(await s.ask(command)).toEqual(reply);
    expect(s.effects()).toBe(effects);
    expect(s.events()).toBe(events);
  });

  test('the last field takes the hash with it', async () => {
    for (const command of ['HGET h a', 'HRANDFIELD h', 'HMGET h a b', 'HTTL h FIELDS 2 a b']) {
      const s = await started(encoding);
      await s.given('HSET h a 1', 'HPEXPIRE h 10 FIELDS 1 a');
      s.host.nowMs += 11;
      expect(await s.ask('EXISTS h')).toBe(1);
      await s.ask(command);
      expect(s.effects()).toBe('HDEL h a');
      expect(s.events()).toBe('h hexpired, h del');
      expect(await s.ask('EXISTS h')).toBe(0);
    }
    const s = await started(encoding);
    await s.given('HSET h a 1', 'HPEXPIRE h 10 FIELDS 1 a');
    s.host.nowMs += 11;
    expect(await s.ask('HINCRBY h a 5')).toBe(5);
    expect(s.events()).toBe('h hexpired, h del, h hincrby');
    expect(await s.ask('HTTL h FIELDS 1 a')).toEqual([-1]);
  });

  test('a field lives through its last millisecond', async () => {
    const s = await started(encoding);
    await s.given('HSET h a 1 b 2', 'HPEXPIRE h 10 FIELDS 1 a');
    s.host.nowMs += 10;
    expect(await s.ask('HGET h a')).toBe('1');
    expect(await s.ask('HPTTL h FIELDS 1 a')).toEqual([0]);
    s.host.nowMs++;
    expect(await s.ask('HGET h a')).toBe(null);
  });

  test('WATCH sees it go', async () => {
    const s = await started(encoding);
    await s.given('HSET h a 1 b 2', 'HPEXPIRE h 10 FIELDS 1 a', 'WATCH h');
    s.host.nowMs += 11;
    expect(await s.asks(s.host.open())('HGET h a')).toBe(null);
    await s.ask('MULTI');
    await s.ask('PING');
    expect(await s.ask('EXEC')).toBe(null);
  });
});

describe('times', () => {
  test('are told rounded up, and followers hear of them as unix times', async () => {
    const s = await started();
    const at = s.host.nowMs;
    await s.given('HSET h a 1 b 2 c 3');
    expect(await s.ask('HEXPIRE h 100 FIELDS 2 a none')).toEqual([1, -2]);
    expect(s.effects()).toBe(`HPEXPIREAT h ${at + 100_000} FIELDS 1 a`);
    expect(await s.ask('HPEXPIRE h 1500 NX FIELDS 2 a b')).toEqual([0, 1]);
    expect(s.effects()).toBe(`HPEXPIREAT h ${at + 1500} NX FIELDS 1 b`);
    expect(await s.ask('HTTL h FIELDS 3 a b c')).toEqual([100, 2, -1]);
    expect(await s.ask('HPTTL h FIELDS 3 a b c')).toEqual([100_000, 1500, -1]);
    s.host.nowMs += 1;
    expect(await s.ask('HTTL h FIELDS 2 a b')).toEqual([100, 2]);
    s.host.nowMs += 999;
    expect(await s.ask('HTTL h FIELDS 2 a b')).toEqual([99, 1]);
    await s.ask('HPEXPIREAT h 1700000100001 FIELDS 1 a');
    expect(await s.ask('HEXPIRETIME h FIELDS 1 a')).toEqual([1_700_000_101]);
    expect(await s.ask('HPEXPIRETIME h FIELDS 1 a')).toEqual([1_700_000_100_001]);
  });

  const effects: [command: string, effects: string, events: string][] = [
    ['HEXPIRE h 100 FIELDS 2 a b', 'HPEXPIREAT h <100> FIELDS 2 a b', 'h hexpire'],
    ['HEXPIRE h 100 XX FIELDS 2 a b', 'HPEXPIREAT h <100> XX FIELDS 1 a', 'h hexpire'],
    ['HEXPIRE h 0 FIELDS 3 a b none', 'MULTI ; HDEL h a ; HDEL h b ; EXEC', 'h hdel'],
    [
      'HEXPIRE h 0 FIELDS 3 a b c',
      'MULTI ; HDEL h a ; HDEL h b ; HDEL h c ; EXEC',
      'h hdel, h del',
    ],
    ['HEXPIRE h 100 FIELDS 1 none', '(nothing)', ''],
    ['HPERSIST h FIELDS 2 a b', 'HPERSIST h FIELDS 2 a b', 'h hpersist'],
    ['HPERSIST h FIELDS 1 b', '(nothing)', ''],
    ['HGETDEL h FIELDS 2 a none', 'HDEL h a none', 'h hdel'],
    ['HGETDEL h FIELDS 3 a b c', 'HDEL h a b c', 'h hdel, h del'],
    ['HGETDEL h FIELDS 1 none', '(nothing)', ''],
    ['HGETEX h FIELDS 1 a', '(nothing)', ''],
    ['HGETEX h EX 100 FIELDS 2 a none', 'HPEXPIREAT h <100> FIELDS 2 a none', 'h hexpire'],
    ['HGETEX h EX 0 FIELDS 2 a none', 'HDEL h a', 'h hdel'],
    ['HGETEX h PERSIST FIELDS 2 a b', 'HPERSIST h FIELDS 2 a b', 'h hpersist'],
    ['HGETEX h PERSIST FIELDS 1 b', '(nothing)', ''],
    ['HSETEX h EX 100 FIELDS 1 n 1', 'HSETEX h PXAT <100> FIELDS 1 n 1', 'h hset, h hexpire'],
    ['HSETEX h PX 0 FIELDS 1 n 1', 'HDEL h n', 'h hset, h hdel'],
    ['HSETEX g PX 0 FIELDS 1 n 1', 'HDEL g n', 'g hset, g hdel, g del'],
    [
      'HSETEX h FXX EX 100 FIELDS 1 a 1',
      'HSETEX h FXX PXAT <100> FIELDS 1 a 1',
      'h hset, h hexpire',
    ],
    ['HSETEX h KEEPTTL FIELDS 1 a 1', 'HSETEX h KEEPTTL FIELDS 1 a 1', 'h hset'],
    ['HSETEX h FNX FIELDS 1 a 1', '(nothing)', ''],
    ['HSET h a 1', 'HSET h a 1', 'h hset'],
    ['HINCRBYFLOAT h a 1.5', 'HSETEX h KEEPTTL FIELDS 1 a 2.5', 'h hincrbyfloat'],
    ['HINCRBYFLOAT h b 1.5', 'HSET h b 3.5', 'h hincrbyfloat'],
  ];
  test.each(effects)('%s', async (command, wanted, events) => {
    for (const encoding of both) {
      const s = await started(encoding);
      await s.given('HSET h a 1 b 2 c 3', 'HEXPIRE h 50 FIELDS 1 a');
      await s.ask(command);
      expect(s.effects()).toBe(wanted.replace('<100>', String(s.host.nowMs + 100_000)));
      expect(s.events()).toBe(events);
    }
  });
});

describe.each(both)('the cycle, in a %s', (encoding) => {
  test('removes what nobody asks for', async () => {
    const s = await started(encoding);
    await s.given('HSET h a 1 b 2 c 3', 'HPEXPIRE h 10 FIELDS 2 a b', 'HEXPIRE h 100 FIELDS 1 c');
    s.host.cron(5);
    expect(s.effects()).toBe('(nothing)');
    s.host.cron(20);
    expect(s.effects().split(' ; ').sort()).toEqual(['HDEL h a', 'HDEL h b']);
    expect(s.events()).toBe('h hexpired');
    expect(await s.ask('HLEN h')).toBe(1);
    s.host.cron(100_000);
    expect(s.effects()).toBe('HDEL h c');
    expect(s.events()).toBe('h hexpired, h del');
    expect(await s.ask('DBSIZE')).toBe(0);
  });

  test('in order of time over many hashes, a bounded number at once', async () => {
    const s = await started(encoding);
    const count = 30_000;
    for (let i = 0; i < count; i += 100) {
      const fields = Array.from({ length: 100 }, (_, k) => `f${i + k}`).join(' ');
      await s.ask(
        `HSETEX h${i % 7} PX ${1 + (i % 400)} FIELDS 100 ${fields.replace(/(\S+)/g, '$1 v')}`,
      );
    }
    await s.given('HSET keeps a 1');
    s.host.nowMs += 1000;
    let turns = 0;
    for (let left = count; left > 0; turns++) {
      s.host.cron(1);
      const told = s.effects().split(' ; ');
      expect(told.length).toBeGreaterThan(0);
      expect(told.length).toBeLessThanOrEqual(8000);
      left -= told.length;
    }
    expect(turns).toBeLessThan(20);
    expect(await s.ask('DBSIZE')).toBe(1);
    s.host.cron(1);
    expect(s.effects()).toBe('(nothing)');
  });

  const moves: [what: string, lines: string[]][] = [
    ['RENAME', ['RENAME h g']],
    ['RENAME over another', ['HSET g z 1', 'RENAME h g']],
    ['COPY', ['COPY h g', 'DEL h']],
    ['COPY over a hash', ['HSET g z 1', 'COPY h g REPLACE', 'DEL h']],
    ['MOVE', ['MOVE h 1', 'SELECT 1']],
    ['SWAPDB', ['SWAPDB 0 1', 'SELECT 1']],
    ['DUMP and RESTORE', []],
    ['an expiry of the key', ['EXPIRE h 100', 'PERSIST h', 'EXPIRE h 200']],
    ['other expiries', ['HPEXPIRE h 500 FIELDS 1 b', 'HPERSIST h FIELDS 1 b']],
    ['a later expiry of another', ['HPEXPIRE h 400 FIELDS 2 a b', 'HPEXPIRE h 10 FIELDS 1 a']],
  ];
  test.each(moves)('finds the hash after %s', async (what, lines) => {
    const s = await started(encoding);
    await s.given('HSET h a 1 b 2', 'HPEXPIRE h 10 FIELDS 1 a');
    if (what.startsWith('DUMP')) {
      const client = s.host.open();
      const dump = await client.ask(encodeCommand(['DUMP', 'h']));
      const start = dump.indexOf('\r\n') + 2;
      await client.ask(encodeCommand(['RESTORE', 'g', '0', dump.subarray(start, -2)]));
      lines = ['DEL h'];
    }
    await s.given(...lines);
    s.host.cron(20);
    expect(s.effects().replace(/SELECT \d ; /, '')).toMatch(/^HDEL [hg] a$/);
  });

  test('keeps nothing of hashes that are gone', async () => {
    const s = await started(encoding);
    const known = () => readDatabaseStatistics(s.host.core, 0).subexpiry;
    for (let i = 0; i < 300; i++) {
      await s.ask(`HSETEX key${i} EX 1000000 FIELDS 2 a 1 b 2`);
      if (i % 3 === 0) await s.ask(`HPERSIST key${i} FIELDS 2 a b`);
    }
    expect(known()).toBe(300);
    for (let i = 0; i < 200; i++) await s.ask(i % 2 ? `DEL key${i}` : `SET key${i} x`);
    for (let i = 200; i < 240; i++) await s.ask(`HGETDEL key${i} FIELDS 2 a b`);
    for (let i = 240; i < 250; i++) await s.ask(`RENAME key${i} key${i + 1}`);
    for (let i = 251; i < 260; i++) await s.ask(`PEXPIRE key${i} 1`);
    s.host.cron(1000);
    expect(known()).toBe(41);
    await s.ask('FLUSHALL');
    expect(known()).toBe(0);
    s.host.cron(2_000_000_000);
    expect(s.effects().split(' ; ').at(-1)).toBe('FLUSHALL');
  });

  test('stops with DEBUG SET-ACTIVE-EXPIRE 0', async () => {
    const s = await started(encoding);
    await s.given('HSET h a 1 b 2', 'HPEXPIRE h 10 FIELDS 1 a');
    s.host.core.x.setActiveExpiry(false);
    s.host.cron(20);
    expect(s.effects()).toBe('(nothing)');
    s.host.core.x.setActiveExpiry(true);
    s.host.cron(20);
    expect(s.effects()).toBe('HDEL h a');
  });
});

describe.each(both)('a replica, in a %s', (encoding) => {
  async function replica() {
    const s = await started(encoding);
    s.host.core.x.setReplica(true, true);
    const master = s.host.open(CLIENT_MASTER | CLIENT_AUTHENTICATED);
    s.host.core.x.masterStart(master.handle, 0, 0);
    const apply = async (line: string) => {
      await master.send(encodeCommand(line.split(' ')));
      expect(s.host.problems).toBe(0);
    };
    return { ...s, apply };
  }

  test('hides what has expired and leaves its removal to the master', async () => {
    const s = await replica();
    const at = s.host.nowMs;
    await s.apply('HSET h a 1 b 2 c 3');
    await s.apply(`HPEXPIREAT h ${at + 10} FIELDS 2 a b`);
    expect(await s.ask('HMGET h a b c')).toEqual(['1', '2', '3']);
    s.effects();
    s.events();
    s.host.cron(100);
    expect(await s.ask('HMGET h a b c')).toEqual([null, null, '3']);
    expect(await s.ask('HGETALL h')).toEqual(['c', '3']);
    expect(await s.ask('HTTL h FIELDS 2 a c')).toEqual([-2, -1]);
    expect(await s.ask('HRANDFIELD h 9')).toEqual(['c']);
    expect(await s.ask('HRANDFIELD h -3')).toEqual(['c', 'c', 'c']);
    expect(await s.ask('HRANDFIELD h')).toBe('c');
    expect(await s.ask('HSCAN h 0')).toEqual(['0', ['c', '3']]);
    expect(await s.ask('HLEN h')).toBe(3);
    expect([s.effects(), s.events()]).toEqual(['(nothing)', '']);
    await s.apply('HDEL h a');
    expect(await s.ask('HLEN h')).toBe(2);
    // For the master's commands the field is there until it says otherwise.
    await s.apply('HINCRBY h b 5');
    await s.apply('HPERSIST h FIELDS 1 b');
    expect(await s.ask('HGET h b')).toBe('7');
  });

  test('keeps a field that gets a time in the past', async () => {
    const s = await replica();
    await s.apply('HSET h a 1 b 2');
    await s.apply('HPEXPIREAT h 1 FIELDS 1 a');
    expect(await s.ask('HLEN h')).toBe(2);
    expect(await s.ask('HGET h a')).toBe(null);
    await s.apply('HDEL h a');
    expect(await s.ask('HGETALL h')).toEqual(['b', '2']);
  });

  test('with all fields expired answers like an empty hash', async () => {
    const s = await replica();
    await s.apply('HSET h a 1 b 2');
    await s.apply(`HPEXPIREAT h ${s.host.nowMs + 10} FIELDS 2 a b`);
    s.host.cron(100);
    expect(await s.ask('HRANDFIELD h')).toBe(null);
    expect(await s.ask('HRANDFIELD h 5')).toEqual([]);
    expect(await s.ask('HRANDFIELD h -5 WITHVALUES')).toEqual([]);
    expect(await s.ask('HGETALL h')).toEqual([]);
    expect(await s.ask('EXISTS h')).toBe(1);
  });

  test('once it is a master, removes them', async () => {
    const s = await replica();
    await s.apply('HSET h a 1 b 2');
    await s.apply(`HPEXPIREAT h ${s.host.nowMs + 10} FIELDS 1 a`);
    s.effects();
    s.host.cron(100);
    s.host.core.x.setReplica(false, true);
    s.host.cron(100);
    expect(s.effects()).toBe('HDEL h a');
  });
});

describe('INFO', () => {
  test('tells of hashes with fields that expire, and of fields that did', async () => {
    const s = await started();
    await s.given('HSET h a 1 b 2', 'HSET g a 1');
    expect(String(await s.ask('INFO keyspace'))).not.toContain('subexpiry');
    await s.given('HPEXPIRE h 10 FIELDS 1 a', 'HEXPIRE g 100 FIELDS 1 a');
    expect(String(await s.ask('INFO keyspace'))).toContain(',subexpiry=2');
    s.host.cron(20);
    const info = String(await s.ask('INFO everything'));
    expect(info).toContain(',subexpiry=1');
    expect(info).toContain('expired_subkeys:1\r\n');
  });
});

describe('random fields', () => {
  test('few of many, of which some have expired', async () => {
    const s = await started('table');
    const pairs = Array.from({ length: 3000 }, (_, i) => `f${i} v`).join(' ');
    const odd = Array.from({ length: 1500 }, (_, i) => `f${i * 2 + 1}`).join(' ');
    await s.given(`HSET h ${pairs}`, `HPEXPIRE h 10 FIELDS 1500 ${odd}`);
    s.host.core.x.setReplica(true, true);
    s.host.nowMs += 20;
    for (const count of [5, 100, 700, 1499, 1500, 5000]) {
      const drawn = (await s.ask(`HRANDFIELD h ${count}`)) as string[];
      expect(drawn.length).toBe(Math.min(count, 1500));
      expect(new Set(drawn).size).toBe(drawn.length);
      expect(drawn.every((field) => Number(field.slice(1)) % 2 === 0)).toBe(true);
    }
    s.host.core.x.setReplica(false, true);
    expect(((await s.ask('HRANDFIELD h 4000')) as string[]).length).toBe(1500);
    expect(await s.ask('HLEN h')).toBe(1500);
    expect(String(await s.ask('HRANDFIELD h -9223372036854775807'))).toMatch(/OOM /);
  });
});
