// String and bitmap commands where chance does not reach: the recorded effects of a real master,
// memory that runs out at every allocation, limits, replicas, the bit loops at every alignment.

import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Arg, splitArgs } from '../../support/bytes.js';
import { FAULTS, SCALAR } from '../../support/compile.js';
import { Prng } from '../../support/prng.js';
import { CoreClient, compileCore } from './support/core-client.js';

const RECORDINGS = `${process.env.RESPITE_DATA ?? '../shared/data'}/propagation/redis-7.0.15.txt`;
const SECTIONS = ['# strings', '# bits/hll'];
const NAMES = new Set(
  (
    'set setex psetex setnx getset getdel getex append setrange incr incrby decr incrbyfloat ' +
    'mset msetnx setbit bitfield bitop'
  ).split(' '),
);
const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

let module: WebAssembly.Module;
let scalar: WebAssembly.Module;
beforeAll(() => {
  module = compileCore(FAULTS);
  scalar = compileCore(SCALAR);
}, 300_000);

const text = (reply: Buffer) => reply.toString('latin1');

interface Recording {
  command: string;
  effect: string;
}

/** The recorded commands of this family, with what the master sent to its replica. */
function recordings(): Recording[] {
  const out: Recording[] = [];
  let isOurs = false;
  for (const line of readFileSync(RECORDINGS, 'latin1').split('\n')) {
    if (line.startsWith('# ')) isOurs = SECTIONS.includes(line);
    const match = /^(.+?) +=> .* \| (.*)$/.exec(line);
    if (isOurs && match && NAMES.has(match[1]!.split(' ')[0]!)) {
      out.push({ command: match[1]!, effect: match[2]! });
    }
  }
  return out;
}

describe.skipIf(!existsSync(RECORDINGS))('effects as a real master sent them', () => {
  test('strings and bitmaps', () => {
    const core = new CoreClient(module);
    core.followEffects();
    const lines = recordings();
    expect(lines.length).toBeGreaterThan(20);
    const masked = (effect: string) => effect.replace(/\b1\d{12}\b/g, '<ms>');
    for (const { command, effect } of lines) {
      core.command(...splitArgs(command));
      const got = core.effects().map((args) => args.map((a) => text(a)).join(' '));
      // The recording's SELECT came with its first command, ours does with the first here.
      expect(masked(got.join(' ; ') || '(nothing)'), command).toBe(masked(effect));
    }
  });
});

describe('memory that runs out', () => {
  const long = 'x'.repeat(3000);
  const cases: [what: string, before: Arg[][], command: Arg[]][] = [
    ['SET, new', [], ['SET', 'k', 'v']],
    ['SET, new and long', [], ['SET', 'k', long]],
    ['SET EX, new', [], ['SET', 'k', 'v', 'EX', 100]],
    ['SET EX over a plain key', [['SET', 'k', 'old']], ['SET', 'k', 'v', 'EX', 100]],
    ['SET EX, long over short', [['SET', 'k', 'old']], ['SET', 'k', long, 'EX', 100]],
    ['SET, short over long', [['SET', 'k', long, 'EX', 50]], ['SET', 'k', 'v']],
    ['SET KEEPTTL GET', [['SET', 'k', long, 'EX', 50]], ['SET', 'k', `${long}y`, 'KEEPTTL', 'GET']],
    ['GETSET', [['SET', 'k', 'old']], ['GETSET', 'k', long]],
    ['GETEX EX', [['SET', 'k', 'old']], ['GETEX', 'k', 'EX', 100]],
    ['APPEND, new', [], ['APPEND', 'k', long]],
    ['APPEND, grows', [['SET', 'k', 'old', 'EX', 50]], ['APPEND', 'k', long]],
    ['APPEND to a number', [['SET', 'k', '12']], ['APPEND', 'k', '3']],
    ['SETRANGE, new', [], ['SETRANGE', 'k', 5000, 'v']],
    ['SETRANGE, grows', [['SET', 'k', long]], ['SETRANGE', 'k', 50000, 'v']],
    [
      'INCR over text',
      [
        ['APPEND', 'k', '1'],
        ['APPEND', 'k', '2'],
      ],
      ['INCR', 'k'],
    ],
    ['INCRBYFLOAT', [['SET', 'k', '1']], ['INCRBYFLOAT', 'k', '1234567.123456789']],
    ['MSET', [['SET', 'b', 'old', 'EX', 50]], ['MSET', 'a', '1', 'b', long, 'c', '3', 'a', long]],
    ['MSETNX', [], ['MSETNX', 'a', '1', 'b', long, 'c', '3']],
    ['SETBIT, new', [], ['SETBIT', 'k', 100000, 1]],
    ['SETBIT, grows', [['SET', 'k', '12', 'EX', 50]], ['SETBIT', 'k', 100000, 1]],
    ['BITFIELD', [['SET', 'k', '12']], ['BITFIELD', 'k', 'SET', 'u8', 90000, 1]],
    ['BITOP, short', [['SET', 'a', 'x']], ['BITOP', 'NOT', 'k', 'a']],
    [
      'BITOP, long over a key',
      [
        ['SET', 'a', long],
        ['SET', 'k', 'v'],
      ],
      ['BITOP', 'NOT', 'k', 'a'],
    ],
    [
      'LCS',
      [
        ['SET', 'a', 'abc'],
        ['SET', 'b', 'bcd'],
      ],
      ['LCS', 'a', 'b'],
    ],
  ];

  test.each(cases)('%s: answered, nothing changed, nothing lost', (_what, before, command) => {
    const keys = ['a', 'b', 'c', 'k'];
    let failures = 0;
    for (let n = 0; n < 40; n++) {
      const core = new CoreClient(module);
      core.command('SET', 'other', 'x');
      for (const args of before) core.command(...args);
      const state = () =>
        keys.map((k) => [core.kind(k), core.expire(k), text(core.command('GETRANGE', k, 0, -1))]);
      const had = state();
      const used = core.debug.debugUsed!();
      const dirty = core.debug.debugDirty!();
      core.debug.debugFailAfter!(n);
      const reply = text(core.command(...command));
      const isOver = core.debug.debugFailWaits!() !== 0;
      core.debug.debugFailAfter!(-1);
      if (isOver) break;
      // Some go on with less: room to grow further is only a wish.
      if (!reply.startsWith('-')) continue;
      failures = n + 1;
      expect(reply === OOM || reply.startsWith('-ERR Insufficient memory')).toBe(true);
      expect(state()).toEqual(had);
      expect(core.debug.debugDirty!()).toBe(dirty);
      // Room in tables and in strings may have been made; entries must not have stayed.
      expect(core.debug.debugUsed!() - used).toBeLessThan(8192);
    }
    expect(failures).toBeGreaterThan(0);
    expect(failures).toBeLessThan(40);
  });

  test('a core of 24 MiB stays alive', () => {
    const core = new CoreClient(module);
    core.core.x.configureHeap(384);
    const value = 'v'.repeat(100_000);
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const reply = text(core.command('MSET', `a${i}`, value, `b${i}`, value));
      if (reply === OOM) {
        refused++;
        expect(text(core.command('MGET', `a${i}`, `b${i}`))).toBe('*2\r\n$-1\r\n$-1\r\n');
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(text(core.command('SETBIT', 'big', 4294967295, 1))).toBe(OOM);
    expect(text(core.command('GETDEL', 'a0'))).toContain('vvv');
    expect(text(core.command('SET', 'small', '1'))).toBe('+OK\r\n');
  });
});

describe('limits', () => {
  const LONG = '-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n';

  test('proto-max-bulk-len bounds what grows, and LCS', () => {
    const core = new CoreClient(module);
    core.core.x.configureProtocol(1 << 20, 1 << 30);
    expect(text(core.command('SETRANGE', 'k', 1048575, 'x'))).toBe(':1048576\r\n');
    expect(text(core.command('SETRANGE', 'k', 1048576, 'x'))).toBe(LONG);
    expect(text(core.command('APPEND', 'k', 'x'))).toBe(LONG);
    const outside = '-ERR bit offset is not an integer or out of range\r\n';
    expect(text(core.command('SETBIT', 'k', 8388608, 1))).toBe(outside);
    core.command('SET', 'a', 'a'.repeat(511));
    core.command('SET', 'b', 'b'.repeat(511));
    expect(text(core.command('LCS', 'a', 'b', 'LEN'))).toBe(':0\r\n');
    core.command('APPEND', 'b', 'b');
    expect(text(core.command('LCS', 'a', 'b', 'LEN'))).toBe(
      '-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n',
    );
  });

  test('LCS of two strings at the limit of its memory', () => {
    const core = new CoreClient(module);
    const random = new Prng(9);
    const make = () => Buffer.from(Array.from({ length: 11000 }, () => 97 + random.below(20)));
    const a = make();
    core.command('SET', 'a', a);
    core.command('SET', 'b', Buffer.concat([a.subarray(0, 5000), make().subarray(0, 6000)]));
    const used = core.debug.debugUsed!();
    const from = performance.now();
    const length = Number(text(core.command('LCS', 'a', 'b', 'LEN')).slice(1));
    const tookMs = performance.now() - from;
    expect(length).toBeGreaterThan(5000);
    expect(core.debug.debugUsed!()).toBe(used);
    expect(tookMs).toBeLessThan(500);
    expect(text(core.command('LCS', 'a', 'b', 'IDX'))).toContain(`len\r\n:${length}\r\n`);
    expect(text(core.command('LCS', 'a', 'b')).startsWith(`$${length}\r\n`)).toBe(true);
  });
});

describe('expired keys', () => {
  test('a write on a master tells DEL first, within one transaction', () => {
    const core = new CoreClient(module);
    core.command('SET', 'k', '5', 'PX', 10);
    core.followEffects();
    core.nowMs += 100;
    expect(text(core.command('INCR', 'k'))).toBe(':1\r\n');
    const got = core.effects().map((args) => args.map((a) => text(a)).join(' '));
    expect(got).toEqual(['MULTI', 'SELECT 0', 'DEL k', 'INCR k', 'EXEC']);
    expect(core.expire('k')).toBe(-1);
  });

  test('a writable replica does not see it and replaces it', () => {
    const core = new CoreClient(module);
    for (const key of ['a', 'b', 'c', 'd']) core.command('SET', key, '5', 'PX', 10);
    core.core.x.setReplica(true, false);
    core.nowMs += 100;
    expect(text(core.command('MGET', 'a', 'b'))).toBe('*2\r\n$-1\r\n$-1\r\n');
    expect(core.kind('a')).toBe('string int');
    expect(text(core.command('SET', 'a', 'x', 'XX'))).toBe('$-1\r\n');
    expect(text(core.command('APPEND', 'b', 'x'))).toBe(':1\r\n');
    expect(text(core.command('MSET', 'c', '1', 'd', '2'))).toBe('+OK\r\n');
    expect(core.kind('a')).toBe('none');
    expect(core.expire('c')).toBe(-1);
    expect(text(core.command('GETDEL', 'c'))).toBe('$1\r\n1\r\n');
    expect(core.kind('c')).toBe('none');
  });
});

describe('many keys', () => {
  test('MSET and MGET of 1000 keys, some twice', () => {
    const core = new CoreClient(module);
    const pairs = Array.from({ length: 1000 }, (_, i) => [`key:${i % 700}`, `value:${i}`]).flat();
    expect(text(core.command('MSET', ...pairs))).toBe('+OK\r\n');
    const keys = Array.from({ length: 1000 }, (_, i) => `key:${i}`);
    const wanted = keys.map((_, i) => {
      if (i >= 700) return '$-1\r\n';
      const value = `value:${i < 300 ? i + 700 : i}`;
      return `$${value.length}\r\n${value}\r\n`;
    });
    expect(text(core.command('MGET', ...keys))).toBe(`*1000\r\n${wanted.join('')}`);
    expect(text(core.command('GET', 'key:5'))).toBe('$9\r\nvalue:705\r\n');
  });
});

describe.each(['simd', 'scalar'])('bit loops, %s', (build) => {
  test('counts and finds at every alignment and length', () => {
    const core = new CoreClient(build === 'simd' ? module : scalar);
    const random = new Prng(3);
    const room = core.core.x.hostAlloc(70000) >>> 0;
    const naive = (bytes: Uint8Array) =>
      bytes.reduce((n, byte) => n + [...byte.toString(2)].filter((c) => c === '1').length, 0);
    for (let len = 0; len < 90; len++) {
      const at = room + random.below(17);
      const bytes = core.core.bytes.subarray(at, at + len);
      for (let i = 0; i < len; i++) bytes[i] = random.u32();
      expect(core.debug.debugCount!(at, len)).toBe(naive(bytes));
      const bit = random.below(len * 8 + 1);
      for (const wanted of [0, 1]) {
        bytes.fill(wanted ? 0 : 255);
        if (bit < len * 8) bytes[bit >> 3]! ^= 128 >> (bit & 7);
        expect(core.debug.debugFind!(at, len, wanted)).toBe(bit);
      }
    }
    core.core.bytes.fill(255, room, room + 70000);
    expect(core.debug.debugCount!(room, 70000)).toBe(560000);
  });
});
