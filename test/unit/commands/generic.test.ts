// Keys, expiry, walks, DUMP and the database commands: seeded random commands, sent to the core, to
// a real redis-server and, as their effects, to a second core that follows the first. All three
// must tell the same digest; replies are compared as they are.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../../support/bytes.js';
import type { RawConnection } from '../../support/connection.js';
import { Prng, runSeed } from '../../support/prng.js';
import { type Server, startServer } from '../../support/servers.js';
import { TestCore } from './generic-support.js';

const seed = runSeed();
const note = `RESPITE_SEED=${seed}`;
const file = new URL('../../conformance/payloads.json', import.meta.url);
const payloads = JSON.parse(readFileSync(file, 'latin1')) as Record<string, string>;
const payloadOf = (name: string) =>
  Buffer.from(payloads[name]!, payloads[name]!.match(/^[0-9a-f]+$/) ? 'hex' : 'latin1');
// Sets of strings are left out: their encoding is a newer Redis' here.
const PAYLOADS = [
  'str',
  'str_int',
  'list',
  'list_big',
  'set_int16',
  'hash',
  'hash_big',
  'zset',
  'zset_big',
  'stream',
  'stream_groups',
];

const KEYS = ['a', 'b', 'c', 'd', 'e', '', `k:long:${'x'.repeat(300)}`, '\x00\xff'];
const NUMBERS = [
  '0',
  '1',
  '-1',
  '5',
  '4102444800',
  '4102444800123',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775',
  '9223372036854776',
  '9223372036854775808',
  '2147483647',
  '2147483648',
  '-2147483649',
  '1.5',
  '',
  'abc',
  '+1',
  '007',
];
/** Never a time that comes while the test runs. */
const RELATIVE = NUMBERS.filter((n) => !/^([1-5]|4102444800(123)?|\d{10}|\d{16}|007|\+1)$/.test(n));
const OPTIONS = ['NX', 'xx', 'GT', 'lt', 'FOO'];

type Line = (string | Buffer)[];

function randomLine(r: Prng): Line {
  const key = () => r.pick(KEYS);
  const some = (list: readonly string[], most: number) =>
    Array.from({ length: r.below(most + 1) }, () => r.pick(list));
  const makers: (() => Line)[] = [
    () => ['SET', key(), r.pick(['1', 'v', '12345678', 'x'.repeat(3000), '9999', ''])],
    () => ['RESTORE', key(), '0', payloadOf(r.pick(PAYLOADS)), 'REPLACE'],
    () => [
      'RESTORE',
      key(),
      r.pick(['0', '1', '4102444800000', '-1', 'x']),
      payloadOf(r.pick(PAYLOADS)),
      ...some(['REPLACE', 'ABSTTL'], 2),
      'ABSTTL',
    ],
    () => [r.pick(['DEL', 'UNLINK', 'EXISTS', 'TOUCH']), key(), ...some(KEYS, 3)],
    () => [r.pick(['TYPE', 'DUMP', 'PERSIST', 'PEXPIRETIME', 'EXPIRETIME']), key()],
    () => ['OBJECT', r.pick(['ENCODING', 'FREQ']), key()],
    () => [r.pick(['RENAME', 'RENAMENX']), key(), key()],
    () => ['COPY', key(), key(), ...some(['REPLACE', 'DB', '0', '1', '2', '99', 'x'], 3)],
    () => ['MOVE', key(), r.pick(['0', '1', '2', ...NUMBERS])],
    () => [r.pick(['EXPIREAT', 'PEXPIREAT']), key(), r.pick(NUMBERS), ...some(OPTIONS, 2)],
    () => [r.pick(['EXPIRE', 'PEXPIRE']), key(), r.pick(RELATIVE), ...some(OPTIONS, 2)],
    () => [
      'PEXPIREAT',
      key(),
      r.pick(['4102444800123', '4102444800124', '4102444800122']),
      ...some(OPTIONS.slice(0, 4), 1),
    ],
    () => ['SELECT', r.pick(['0', '0', '1', '2'])],
    () => ['SWAPDB', r.pick(['0', '1', ...NUMBERS]), r.pick(['1', '2'])],
    () => ['DBSIZE'],
    () => [r.pick(['TTL', 'PTTL']), 'missing'],
    () => ['KEYS', r.pick(['', 'a', 'missing', '\\a'])],
    () => [
      'SCAN',
      r.pick(['0', ...NUMBERS]),
      r.pick(['COUNT', 'MATCH', 'TYPE', 'FOO']),
      ...some(['missing', '0', '-5'], 1),
      'MATCH',
      'nothing*',
    ],
    () => ['MEMORY', 'USAGE', 'missing', ...some(['SAMPLES', '5', '-1', 'x'], 2)],
    () =>
      r.once(15)
        ? [r.pick(['FLUSHDB', 'FLUSHALL']), ...some(['ASYNC', 'sync', 'x'], 1)]
        : ['DBSIZE'],
    () => ['DEBUG', 'DIGEST-VALUE', key(), key()],
  ];
  return r.pick(makers)();
}

/** SCAN cursors are each server's own business, and so is the order in a table (type 4). */
function comparable(line: Line, reply: string): string {
  if (line[0] === 'SCAN') return reply.replace(/^\*2\r\n\$\d+\r\n\d+/, '*2');
  const head = reply.indexOf('\n') + 1;
  if (line[0] === 'DUMP' && reply.charCodeAt(head) === 4) return reply.slice(0, head);
  return reply;
}

describe('generic commands beside redis-server', () => {
  let server: Server;
  let redis: RawConnection;

  beforeAll(async () => {
    server = await startServer('redis', { directives: { 'enable-debug-command': 'yes' } });
    redis = await server.connect();
  });
  afterAll(async () => {
    redis?.close();
    await server?.stop();
  });

  test('random commands: replies, digests, and the digest of a follower', async () => {
    const core = new TestCore();
    const follower = new TestCore({ seed: 99n });
    follower.x.role!(1, 1);
    const master = follower.openMaster();
    const r = new Prng(seed);
    for (let round = 0; round < 40; round++) {
      const lines = Array.from({ length: 150 }, () => randomLine(r));
      core.now = Date.now();
      follower.now = core.now;
      const theirs = await redis.pipeline(lines);
      for (const [i, line] of lines.entries()) {
        const ours = comparable(line, core.run(...line));
        const wanted = comparable(line, theirs[i]!.toString('latin1'));
        if (ours !== wanted)
          expect(`${line.join(' ')}\n${ours}`, note).toBe(`${line.join(' ')}\n${wanted}`);
        for (const effect of core.effects()) follower.feed(encodeCommand(effect), master);
      }
      const digest = core.run('DEBUG', 'DIGEST');
      expect(digest, note).toBe((await redis.command('DEBUG', 'DIGEST')).toString('latin1'));
      expect(follower.run('DEBUG', 'DIGEST'), note).toBe(digest);
      expect(follower.applyProblems).toBe(0);
    }
  });

  test('help texts and wrong calls', async () => {
    const core = new TestCore();
    const lines = [
      ['OBJECT', 'HELP'],
      ['MEMORY', 'HELP'],
      ['DEBUG'],
      ['DEBUG', 'FOO'],
      ['DEBUG', 'OBJECT', 'missing'],
      ['DEBUG', 'POPULATE', '-1'],
      ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', 'x'],
      ['DEBUG', 'ERROR', 'ERR x'],
      ['EXPIRE', 'k', 'x', 'FOO'],
      ['SWAPDB', 'a', 'b'],
    ];
    for (const line of lines) {
      const theirs = (await redis.command(...line)).toString('latin1');
      expect(core.run(...line)).toBe(theirs);
    }
  });

  test('DEBUG POPULATE makes the same keys', async () => {
    const core = new TestCore();
    await redis.command('SELECT', '0');
    await redis.command('FLUSHALL');
    for (const line of [['500'], ['20', 'p', '5'], ['20', 'q', '3000'], ['30', 'p', '9']]) {
      expect(core.run('DEBUG', 'POPULATE', ...line)).toBe('+OK\r\n');
      await redis.command('DEBUG', 'POPULATE', ...line);
    }
    const theirs = (await redis.command('DEBUG', 'DIGEST')).toString('latin1');
    expect(core.run('DEBUG', 'DIGEST')).toBe(theirs);
  });
});

describe('effects', () => {
  test.each<[setUp: Line[], line: Line, effects: string[][]]>([
    [[], ['expire', 'x', '100', 'nx'], [['PEXPIREAT', 'x', '1700000100000', 'nx']]],
    [[], ['pexpire', 'x', '100'], [['PEXPIREAT', 'x', '1700000000100']]],
    [[], ['expireat', 'x', '4000000000'], [['PEXPIREAT', 'x', '4000000000000']]],
    [[], ['pexpireat', 'x', '4000000000000', 'gT'], []],
    [[], ['pexpireat', 'x', '4000000000000', 'lT'], [['pexpireat', 'x', '4000000000000', 'lT']]],
    [[], ['expire', 'x', '-1'], [['DEL', 'x']]],
    [[], ['persist', 'x'], []],
    [[['PEXPIREAT', 'x', '4000000000000']], ['persist', 'x'], [['persist', 'x']]],
    [[], ['del', 'missing'], []],
    [[], ['del', 'missing', 'x'], [['del', 'missing', 'x']]],
    [[], ['rename', 'x', 'y'], [['rename', 'x', 'y']]],
    [[], ['rename', 'x', 'x'], []],
    [[], ['copy', 'x', 'y'], [['copy', 'x', 'y']]],
    [[], ['move', 'x', '3'], [['move', 'x', '3']]],
    [[], ['swapdb', '1', '1'], [['swapdb', '1', '1']]],
    [[['DEL', 'x']], ['flushdb'], [['flushdb']]],
    [[['DEL', 'x']], ['flushall', 'async'], [['flushall', 'async']]],
    [[], ['touch', 'x'], []],
    [
      [],
      ['restore', 'y', '100', payloadOf('str')],
      [['restore', 'y', '1700000000100', payloadOf('str').toString('latin1'), 'ABSTTL']],
    ],
    [
      [],
      ['restore', 'y', '0', payloadOf('str')],
      [['restore', 'y', '0', payloadOf('str').toString('latin1')]],
    ],
    [[], ['restore', 'x', '1', payloadOf('str'), 'ABSTTL', 'REPLACE'], [['DEL', 'x']]],
    [[], ['restore', 'y', '1', payloadOf('str'), 'ABSTTL'], []],
  ])('%j %j', (setUp, line, wanted) => {
    const core = new TestCore();
    core.run('SET', 'x', '1');
    for (const one of setUp) core.run(...one);
    core.effects();
    core.run(...line);
    expect(core.effects()).toEqual(wanted);
  });

  test('an expired key that is met goes out as DEL, once', () => {
    for (const line of [
      ['GET', 'e'],
      ['TYPE', 'e'],
      ['TTL', 'e'],
      ['EXISTS', 'e'],
      ['DEL', 'e'],
      ['SCAN', '0'],
      ['RANDOMKEY'],
      ['DUMP', 'e'],
      ['OBJECT', 'ENCODING', 'e'],
      ['COPY', 'e', 'f'],
      ['RENAMENX', 'e', 'f'],
      ['EXPIRE', 'e', '5'],
      ['PERSIST', 'e'],
      ['MOVE', 'e', '1'],
    ]) {
      const core = new TestCore();
      core.run('SET', 'e', 'v');
      core.run('PEXPIRE', 'e', '10');
      core.now += 11;
      core.effects();
      core.run(...line);
      expect([line, core.effects()]).toEqual([line, [['DEL', 'e']]]);
      expect(core.run('DBSIZE')).toBe(':0\r\n');
    }
  });

  test('KEYS hides expired keys and leaves them', () => {
    const core = new TestCore();
    core.run('MSET', 'e', '1', 'stays', '2');
    core.run('PEXPIRE', 'e', '10');
    core.now += 11;
    core.effects();
    expect(core.run('KEYS', '*')).toBe('*1\r\n$5\r\nstays\r\n');
    expect(core.run('KEYS', 'e')).toBe('*0\r\n');
    expect(core.effects()).toEqual([]);
    core.x.cycle!();
    expect(core.effects()).toEqual([['DEL', 'e']]);
  });
});

describe('on a replica', () => {
  test('readers do not see expired keys, the master does, only its DEL removes them', () => {
    const core = new TestCore();
    core.run('MSET', 'e', 'v', 'n', 'w');
    core.run('PEXPIRE', 'e', '10');
    core.x.role!(1, 1);
    const master = core.openMaster();
    core.now += 11;
    core.effects();
    const hidden: [string[], string][] = [
      [['GET', 'e'], '$-1'],
      [['TYPE', 'e'], '+none'],
      [['TTL', 'e'], ':-2'],
      [['PEXPIRETIME', 'e'], ':-2'],
      [['EXISTS', 'e', 'n'], ':1'],
      [['DUMP', 'e'], '$-1'],
      [['OBJECT', 'ENCODING', 'e'], '$-1'],
      [['KEYS', '*'], '*1\r\n$1\r\nn'],
      [['KEYS', 'e'], '*0'],
      [['SCAN', '0'], '*2\r\n$1\r\n0\r\n*1\r\n$1\r\nn'],
      [['TOUCH', 'e'], ':0'],
      [['MEMORY', 'USAGE', 'e'], '$-1'],
      [['DBSIZE'], ':2'],
    ];
    for (const [line, reply] of hidden)
      expect([line, core.run(...line)]).toEqual([line, `${reply}\r\n`]);
    for (let i = 0; i < 20; i++) expect(core.run('RANDOMKEY')).toBe('$1\r\nn\r\n');
    core.x.cycle!();
    expect(core.run('DBSIZE')).toBe(':2\r\n');
    core.feed(encodeCommand(['PERSIST', 'e']), master);
    expect(core.run('GET', 'e')).toBe('$1\r\nv\r\n');
    core.feed(encodeCommand(['PEXPIREAT', 'e', '5']), master);
    expect(core.run('DBSIZE')).toBe(':2\r\n');
    core.feed(encodeCommand(['RENAME', 'e', 'f']), master);
    core.feed(encodeCommand(['DEL', 'f']), master);
    expect(core.run('DBSIZE')).toBe(':1\r\n');
    expect(core.applyProblems).toBe(0);
  });

  test('only expired keys: RANDOMKEY ends', () => {
    const core = new TestCore();
    core.run('SET', 'e', 'v');
    core.run('PEXPIRE', 'e', '10');
    core.x.role!(1, 1);
    core.now += 11;
    expect(core.run('RANDOMKEY')).toBe('$1\r\ne\r\n');
  });
});

describe('walks', () => {
  test('SCAN goes through all keys while others come, go and expire', () => {
    const r = new Prng(seed);
    const core = new TestCore();
    for (let i = 0; i < 3000; i++) core.run('SET', `stable:${i}`, 'v');
    for (let i = 0; i < 3000; i++) {
      core.run('SET', `expires:${i}`, 'v');
      core.run('PEXPIRE', `expires:${i}`, '10');
    }
    core.now += 11;
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const reply = core.run('SCAN', cursor, 'COUNT', r.pick(['1', '10', '500'])).split('\r\n');
      cursor = reply[2]!;
      for (let i = 5; i < reply.length; i += 2) seen.add(reply[i]!);
      for (let k = 0; k < 20; k++) core.run(r.pick(['DEL', 'INCR']), `other:${r.below(5000)}`);
    } while (cursor !== '0');
    for (let i = 0; i < 3000; i++)
      if (!seen.has(`stable:${i}`)) throw new Error(`lost ${i}, ${note}`);
    expect([...seen].some((key) => key.startsWith('expires'))).toBe(false);
    const whole = core.run(
      'SCAN',
      '0',
      'COUNT',
      '9223372036854775807',
      'TYPE',
      'STRING',
      'MATCH',
      'stable*',
    );
    expect(whole.startsWith('*2\r\n$1\r\n0\r\n*3000\r\n')).toBe(true);
  });

  test('watched keys and whole databases', () => {
    const core = new TestCore();
    const cases: [before: Line[], expiredFirst: boolean, during: Line, fails: boolean][] = [
      [[['SET', 'w', '1']], false, ['FLUSHALL'], true],
      [[], false, ['FLUSHALL'], false],
      [[['SET', 'w', '1']], false, ['SWAPDB', '0', '1'], true],
      [[], false, ['SWAPDB', '0', '1'], false],
      [
        [
          ['SET', 'w', '1'],
          ['MOVE', 'w', '1'],
        ],
        false,
        ['SWAPDB', '1', '0'],
        true,
      ],
      [
        [
          ['SET', 'w', '1'],
          ['PEXPIRE', 'w', '5'],
        ],
        true,
        ['FLUSHDB'],
        false,
      ],
      [
        [
          ['SET', 'w', '1'],
          ['PEXPIRE', 'w', '5'],
        ],
        true,
        ['SWAPDB', '0', '1'],
        false,
      ],
      [
        [
          ['SET', 'w', '1'],
          ['PEXPIRE', 'w', '5'],
          ['MOVE', 'w', '1'],
        ],
        true,
        ['SWAPDB', '0', '1'],
        false,
      ],
      [[['SET', 'w', '1']], false, ['RENAME', 'w', 'z'], true],
      [[['SET', 'w', '1']], false, ['COPY', 'w', 'z'], false],
      [[['SET', 'w', '1']], false, ['PEXPIREAT', 'w', '4102444800000'], true],
      [[['SET', 'w', '1']], false, ['PERSIST', 'w'], false],
    ];
    for (const [before, expired, during, fails] of cases) {
      core.run('FLUSHALL');
      for (const line of before) core.run(...line);
      if (expired) core.now += 10;
      core.run('WATCH', 'w');
      core.run(...during);
      core.run('MULTI');
      core.run('PING');
      expect([before, during, core.run('EXEC')]).toEqual([
        before,
        during,
        fails ? '*-1\r\n' : '*1\r\n+PONG\r\n',
      ]);
    }
  });
});

describe('without memory', () => {
  const FAULTS = ['--enable', 'simd', '--use', 'ALLOC_FAULTS=1'];
  const LINES: Line[] = [
    ['RENAME', 'a', 'fresh'],
    ['RENAME', 'a', 'b'],
    ['RENAMENX', 'l', 'fresh'],
    ['COPY', 'a', 'fresh'],
    ['COPY', 'z', 'a', 'REPLACE'],
    ['COPY', 'l', 'fresh', 'DB', '3'],
    ['MOVE', 'a', '3'],
    ['MOVE', 'l', '1'],
    ['EXPIRE', 'a', '100'],
    ['PERSIST', 'b'],
    ['DUMP', 'z'],
    ['RESTORE', 'fresh', '0', payloadOf('list_big')],
    ['RESTORE', 'a', '500', payloadOf('hash'), 'REPLACE'],
    ['RESTORE', 'b', '500', payloadOf('str'), 'REPLACE'],
    ['SCAN', '0', 'COUNT', '5000'],
    ['KEYS', '*'],
    ['DEL', 'a', 'b', 'l'],
    ['FLUSHALL', 'ASYNC'],
    ['SWAPDB', '0', '1'],
  ];

  test.each(LINES)('%s %s …: every allocation in turn', (...line) => {
    const dump = payloadOf('list_big');
    for (let n = 0; ; n++) {
      const core = new TestCore({ flags: FAULTS, growPages: 600 });
      core.x.effectsFollow!(0);
      core.run('PING');
      for (let i = 0; i < 40; i++) core.run('SET', `filler:${i}`, 'v');
      core.run('DUMP', 'a');
      core.run('FLUSHALL');
      const before = core.x.used!();
      core.run('SET', 'a', 'x'.repeat(3000));
      core.run('SET', 'b', '1');
      core.run('PEXPIREAT', 'b', '4102444800000');
      core.run('RESTORE', 'l', '0', dump);
      core.run('RESTORE', 'z', '0', payloadOf('zset_big'));
      const digest = core.run('DEBUG', 'DIGEST');
      core.x.faultAfter!(n);
      const reply = core.run(...line);
      const hit = core.x.faultLeft!() < 0;
      core.x.faultAfter!(-1);
      if (reply.startsWith('-OOM')) expect(core.run('DEBUG', 'DIGEST')).toBe(digest);
      else expect(reply.startsWith('-')).toBe(false);
      // A reply without room has closed the client; another one cleans up.
      core.feed(encodeCommand(['FLUSHALL']), core.open(1 << 7));
      core.x.freeAll!();
      // Scratch that stays (sink, readers, KEYS' two reply blocks) may be there; entries may not.
      const left = core.x.used!() - before;
      expect(left, `${line[0]} at allocation ${n}`).toBeLessThan(
        line[0] === 'KEYS' ? 200_000 : 20_000,
      );
      if (!hit) break;
      expect(n).toBeLessThan(2000);
    }
  });
});
