// The reading commands of collections: the same lines to the core and to redis-server, raw replies
// compared in both protocols.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileWasm } from '../../support/compile.js';
import { CoreClient, hasRedis, RedisOracle } from '../commands/support/core-client.js';

const LIST = 1;
const SET = 2;
const ZSET = 3;
const HASH = 4;

let core: CoreClient;
let redis: RedisOracle;

function put(type: number, key: string, a: string, b = '', num = 0): void {
  const { core: c } = core;
  const parts = [key, a, b].map((text) => Buffer.from(text));
  const all = Buffer.concat(parts);
  c.withBytes(all, (ptr: number) => {
    const at = [ptr, ptr + parts[0]!.length, ptr + parts[0]!.length + parts[1]!.length];
    const { debugElement, debugPut } = core.debug;
    debugElement!(at[1]!, parts[1]!.length, at[2]!, parts[2]!.length);
    if (!debugPut!(at[0]!, parts[0]!.length, type, num)) throw new Error('put');
    return 0;
  });
}

beforeAll(async () => {
  core = new CoreClient(compileWasm('test/unit/types/support/core-entry.ts'));
  (core.debug.limitsSet as (a: number, b: number) => number)(7 - 1, 0); // sets as in Redis 7.0
  if (!hasRedis) return;
  redis = await RedisOracle.start();
  const add = async (type: number, key: string, a: string, b = '', num = 0) => {
    put(type, key, a, b, num);
    if (type === LIST) await redis.command('RPUSH', key, a);
    else if (type === SET) await redis.command('SADD', key, a);
    else if (type === HASH) await redis.command('HSET', key, a, b);
    else await redis.command('ZADD', key, String(num), a);
  };
  for (let i = 0; i < 400; i++)
    await add(LIST, 'list', i % 7 ? `element ${i}`.repeat(1 + (i % 9) * 4) : String(i * 997));
  for (let i = 0; i < 60; i++) await add(SET, 'ints', String(i * i - 300));
  for (let i = 0; i < 40; i++) await add(HASH, 'hash', `f${i}`, i % 3 ? `v${i}` : String(i * 1000));
  const scores = [0, 0, 1, 1.5, 1.5, -3, 1e17, 0.1, 3.25, 1e-7, 7, 7, 7, 100];
  for (const [i, s] of scores.entries()) await add(ZSET, 'small', `m${i}`, '', s);
  for (let i = 0; i < 300; i++)
    await add(ZSET, 'large', `member:${(i * 7919) % 300}`, '', Math.floor(i / 5) / 2);
  for (let i = 0; i < 300; i++)
    await add(ZSET, 'lex', `k${String((i * 7919) % 300).padStart(3, '0')}`, '', 0);
  for (const name of ['a', 'b', 'bb', 'c', 'd', '']) await add(ZSET, 'lexsmall', name, '', 0);
  await redis.command('SET', 'string', 'x');
  core.command('SET', 'string', 'x');
  for (let i = 0; i < 500; i++) await add(SET, 'bigset', `x${i}`);
  for (let i = 0; i < 600; i++) await add(HASH, 'bighash', `x${i}`, `y${i}`);
}, 60_000);
afterAll(async () => redis?.stop());

const lines = (): string[] => {
  const out: string[] = [];
  for (const key of ['list', 'none', 'string']) {
    out.push(
      `LLEN ${key}`,
      `LINDEX ${key} 0`,
      `LINDEX ${key} x`,
      `LINDEX ${key} -1`,
      `LRANGE ${key} 0 x`,
    );
    for (const i of [
      5,
      200,
      399,
      400,
      -400,
      -401,
      -37,
      '9223372036854775807',
      '-9223372036854775808',
    ])
      out.push(`LINDEX ${key} ${i}`);
    for (const [a, b] of [
      [0, -1],
      [10, 20],
      [-5, -1],
      [-1000, 1000],
      [5, 4],
      [399, 500],
      [400, 500],
      [-1, -5],
    ]) {
      out.push(`LRANGE ${key} ${a} ${b}`);
    }
  }
  for (const key of ['ints', 'none', 'string', 'bigset']) {
    out.push(`SCARD ${key}`, `SISMEMBER ${key} -300`, `SISMEMBER ${key} x5`, `SISMEMBER ${key} 1x`);
    if (key === 'bigset') continue;
    out.push(
      `SMEMBERS ${key}`,
      `SSCAN ${key} 0`,
      `SSCAN ${key} 0 COUNT 3`,
      `SSCAN ${key} 0 MATCH *1*`,
    );
    out.push(
      `SSCAN ${key} x`,
      `SSCAN ${key} -1`,
      `SSCAN ${key} +0 MATCH *`,
      `SSCAN ${key} 0 COUNT`,
      `SSCAN ${key} 0 COUNT 0`,
      `SSCAN ${key} 0 COUNT x`,
      `SSCAN ${key} 0 FOO 1`,
    );
    out.push(`SSCAN ${key} 99999999999999999999999`);
  }
  for (const key of ['hash', 'none', 'string', 'bighash']) {
    out.push(`HLEN ${key}`, `HGET ${key} f3`, `HGET ${key} nix`, `HGET ${key} x77`);
    if (key === 'bighash') continue;
    out.push(
      `HGETALL ${key}`,
      `HSCAN ${key} 0`,
      `HSCAN ${key} 0 MATCH f1* COUNT 2`,
      `HSCAN ${key} 0 MATCH`,
    );
  }
  for (const key of ['small', 'large', 'none', 'string', 'lex', 'lexsmall']) {
    out.push(`ZCARD ${key}`, `ZSCORE ${key} m3`, `ZSCORE ${key} member:17`, `ZSCORE ${key} m9`);
    if (key !== 'large' && key !== 'lex') out.push(`ZSCAN ${key} 0`, `ZSCAN ${key} 0 MATCH *1*`);
    for (const scores of ['', ' WITHSCORES']) {
      for (const rev of ['', ' REV']) {
        for (const r of [
          '0 -1',
          '3 7',
          '-4 -2',
          '5 1000',
          '1000 2000',
          '-1000 2',
          '3 2',
          'x 1',
          '1 x',
        ]) {
          out.push(`ZRANGE ${key} ${r}${rev}${scores}`);
        }
        for (const r of [
          '-inf +inf',
          '1 7',
          '(1 7',
          '1 (7',
          '(1 (7',
          '7 1',
          '(7 1',
          'inf -inf',
          '1.5 1.5',
          '(1.5 1.5',
          'x 1',
          '1 x',
          '( 1',
          '1e400 1e500',
          '-1e400 1e400',
          '0x10 100',
          'nan 1',
          '"" 3',
        ]) {
          for (const limit of [
            '',
            ' LIMIT 0 2',
            ' LIMIT 1 -1',
            ' LIMIT 2 100',
            ' LIMIT 100 1',
            ' LIMIT -1 2',
            ' LIMIT 0 0',
            ' LIMIT x 1',
            ' LIMIT 1',
          ]) {
            out.push(`ZRANGE ${key} ${r} BYSCORE${rev}${limit}${scores}`);
          }
        }
      }
    }
    if (key === 'lex' || key === 'lexsmall' || key === 'none') {
      for (const rev of ['', ' REV']) {
        for (const r of [
          '- +',
          '+ -',
          '[k010 [k020',
          '(k010 (k020',
          '[k020 (k010',
          '[b [c',
          '(b (c',
          '(b [bb',
          '- [b',
          '(a +',
          '+ +',
          '- -',
          'x y',
          '[a y',
          '+x -',
          '[ (',
          '( [',
        ]) {
          for (const limit of ['', ' LIMIT 1 2', ' LIMIT 0 -1', ' WITHSCORES'])
            out.push(`ZRANGE ${key} ${r} BYLEX${rev}${limit}`);
        }
      }
    }
    out.push(
      `ZRANGE ${key} 0 1 LIMIT 0 1`,
      `ZRANGE ${key} 0 1 LIMIT 0 -1`,
      `ZRANGE ${key} 0 1 BYSCORE BYLEX`,
      `ZRANGE ${key} 0 1 REV REV`,
      `ZRANGE ${key} 0 1 FOO`,
    );
  }
  return out;
};

const split = (line: string) => line.split(' ').map((word) => (word === '""' ? '' : word));

describe.skipIf(!hasRedis)('reading commands', () => {
  it.each([2, 3])(
    'answer as redis (RESP%i)',
    async (version) => {
      await redis.command('HELLO', String(version));
      core.command('HELLO', String(version));
      const all = lines();
      const theirs = await redis.batch(all.map(split));
      const wrong: string[] = [];
      for (const [i, line] of all.entries()) {
        const mine = core.command(...split(line));
        if (!mine.equals(theirs[i]!)) {
          const show = (b: Buffer) => b.toString('latin1').slice(0, 200);
          wrong.push(`${line}: ${show(mine)} / ${show(theirs[i]!)}`);
        }
      }
      expect(all.length).toBeGreaterThan(1000);
      expect(wrong.slice(0, 10)).toEqual([]);
    },
    60_000,
  );

  it('scan whole tables', () => {
    core.command('HELLO', '2');
    for (const [command, key, each, total] of [
      ['SSCAN', 'bigset', 1, 500],
      ['HSCAN', 'bighash', 2, 600],
      ['ZSCAN', 'large', 2, 300],
    ] as const) {
      const seen = new Set<string>();
      let cursor = '0';
      let rounds = 0;
      do {
        const words = core
          .command(command, key, cursor, 'COUNT', '20')
          .toString()
          .split('\r\n')
          .filter((w) => w !== '' && !/^[*$]/.test(w));
        cursor = words[0]!;
        for (let i = 1; i < words.length; i += each) seen.add(words[i]!);
        rounds++;
      } while (cursor !== '0');
      expect(seen.size).toBe(total);
      expect(rounds).toBeGreaterThan(5);
    }
  });

  it('hides expired fields', () => {
    const now = core.nowMs;
    for (const key of ['ttl', 'bigttl']) {
      const n = key === 'ttl' ? 4 : 300;
      for (let i = 0; i < n; i++)
        put(HASH, key, `f${i}`, `v${i}`, i % 2 ? now - 1 + (i % 4) * 2 - 2 : 0);
    }
    // f1 expired, f3 not.
    expect(
      core.command('HPEXPIRETIME', 'ttl', 'FIELDS', '4', 'f0', 'f1', 'f3', 'nix').toString(),
    ).toBe(`*4\r\n:-1\r\n:-2\r\n:${now + 3}\r\n:-2\r\n`);
    expect(core.command('HPEXPIRETIME', 'ttl', 'FIELDS', '3', 'f0').toString()).toContain(
      '-ERR The `numfields`',
    );
    expect(core.command('HPEXPIRETIME', 'ttl', 'FIELD', '1', 'f0').toString()).toContain(
      '-ERR Mandatory',
    );
    expect(core.command('HPEXPIRETIME', 'ttl', 'FIELDS', '0', 'f0').toString()).toContain(
      '-ERR Number of fields',
    );
    expect(core.command('HPEXPIRETIME', 'none', 'FIELDS', '1', 'f0').toString()).toBe(
      '*1\r\n:-2\r\n',
    );
    expect(core.command('HGET', 'ttl', 'f1').toString()).toBe('$-1\r\n');
    expect(core.command('HGET', 'ttl', 'f3').toString()).toBe('$2\r\nv3\r\n');
    expect(core.command('HLEN', 'ttl').toString()).toBe(':3\r\n');
    expect(core.command('HGETALL', 'ttl').toString()).toMatch(/^\*6\r\n/);
    expect(core.command('HGETALL', 'bigttl').toString()).toMatch(/^\*450\r\n/);
    expect(core.command('HSCAN', 'ttl', '0', 'NOVALUES').toString()).toMatch(
      /^\*2\r\n\$1\r\n0\r\n\*3\r\n/,
    );
  });
});
