// Lists, SORT and HyperLogLog where a real server cannot be asked: memory that runs out at every
// allocation in turn. The command is answered with OOM, and every key is as it was.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Arg } from '../../support/bytes.js';
import { FAULTS } from '../../support/compile.js';
import { CoreClient, compileCore } from './support/core-client.js';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const ALLOCATIONS_MAX = 400;

let module: WebAssembly.Module;
beforeAll(() => {
  module = compileCore(FAULTS);
}, 300_000);

const text = (reply: Buffer) => reply.toString('latin1');
const many = (n: number, make: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => make(i));

const long = 'x'.repeat(3000);
const full = ['RPUSH', 'k', long, '1', long, '2'];
const sorted = ['RPUSH', 'l', ...many(40, (i) => `${(i * 7) % 40}`)];
const sparse = ['PFADD', 'h', ...many(300, (i) => `e${i}`)];

const cases: [what: string, before: Arg[][], command: Arg[]][] = [
  ['LPUSH, new', [], ['LPUSH', 'k', 'a']],
  ['RPUSH, new, several nodes', [], ['RPUSH', 'k', long, long, long, 'a', long]],
  ['LPUSH, the node grows', [['LPUSH', 'k', 'a', 'b']], ['LPUSH', 'k', long, 'c']],
  ['RPUSH, some before it fails', [full], ['RPUSH', 'k', 'a', 'b', long, long, long, 'c']],
  ['LPUSHX, another node', [full], ['LPUSHX', 'k', '1', long, long]],
  ['LSET, larger', [['RPUSH', 'k', 'a', 'b']], ['LSET', 'k', 1, long]],
  ['LINSERT, grows', [['RPUSH', 'k', 'a', 'b']], ['LINSERT', 'k', 'AFTER', 'a', long]],
  ['LINSERT, splits', [full], ['LINSERT', 'k', 'AFTER', '1', long]],
  ['LINSERT before, splits', [full], ['LINSERT', 'k', 'BEFORE', '1', long]],
  ['LMOVE to a new list', [full], ['LMOVE', 'k', 'd', 'LEFT', 'LEFT']],
  [
    'LMOVE, the only element',
    [
      ['RPUSH', 'k', long],
      ['RPUSH', 'd', 'a'],
    ],
    ['LMOVE', 'k', 'd', 'LEFT', 'RIGHT'],
  ],
  ['LMOVE within a list', [full, ['RPUSH', 'k', long]], ['LMOVE', 'k', 'k', 'LEFT', 'RIGHT']],
  ['RPOPLPUSH of one', [['RPUSH', 'k', long]], ['RPOPLPUSH', 'k', 'k']],
  ['SORT', [sorted], ['SORT', 'l']],
  ['SORT BY', [sorted], ['SORT', 'l', 'BY', `${long}*`, 'ALPHA']],
  ['SORT STORE', [sorted, ['SET', 'd', 'old', 'EX', 100]], ['SORT', 'l', 'STORE', 'd']],
  ['SORT STORE, new', [sorted], ['SORT', 'l', 'STORE', 'd', 'GET', '#', 'GET', 'x*']],
  ['SORT STORE over itself', [sorted], ['SORT', 'l', 'STORE', 'l']],
  ['PFADD, new', [], ['PFADD', 'h', 'a']],
  ['PFADD, grows', [sparse], ['PFADD', 'h', ...many(100, (i) => `f${i}`)]],
  ['PFADD, becomes dense', [sparse], ['PFADD', 'h', ...many(2000, (i) => `f${i}`)]],
  ['PFMERGE, new', [sparse], ['PFMERGE', 'd', 'h']],
  ['PFMERGE, grows', [sparse, ['PFADD', 'd', 'a']], ['PFMERGE', 'd', 'h']],
  ['PFDEBUG TODENSE', [sparse], ['PFDEBUG', 'TODENSE', 'h']],
  ['PFDEBUG DECODE', [sparse], ['PFDEBUG', 'DECODE', 'h']],
];

/** One failure does not stop these: a block that need not be roomy is asked for again. */
const ASKED_TWICE = new Set([
  'LPUSH, the node grows',
  'LSET, larger',
  'LINSERT, grows',
  'LMOVE, the only element',
]);

describe('memory that runs out', () => {
  test.each(cases)('%s: answered, nothing changed, nothing lost', (what, before, command) => {
    let failures = 0;
    for (let n = 0; n < ALLOCATIONS_MAX; n++) {
      const core = new CoreClient(module);
      core.command('SET', 'other', 'x');
      for (const args of before) core.command(...args);
      const state = () => [
        ...['k', 'd', 'l'].map((k) => [
          core.kind(k),
          core.expire(k),
          core.command('LRANGE', k, 0, -1),
        ]),
        ...['h', 'd'].map((k) => core.command('GET', k)),
      ];
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
      expect(reply).toBe(OOM);
      expect(state()).toEqual(had);
      expect(core.debug.debugDirty!()).toBe(dirty);
      // Room in tables and in listpacks may have been made; nothing else may have stayed.
      expect(core.debug.debugUsed!() - used).toBeLessThan(8192);
    }
    expect(failures > 0).toBe(!ASKED_TWICE.has(what));
    expect(failures).toBeLessThan(ALLOCATIONS_MAX);
  });

  test('a rotated list keeps its elements when no node can be made', () => {
    for (let n = 0; n < 20; n++) {
      const core = new CoreClient(module);
      core.command('RPUSH', 'k', 'a', long, long, long, 'z');
      core.debug.debugFailAfter!(n);
      const reply = text(core.command('LMOVE', 'k', 'k', 'LEFT', 'RIGHT'));
      core.debug.debugFailAfter!(-1);
      const order = ['a', long, long, long, 'z'];
      if (reply !== OOM) order.push(order.shift()!);
      const wanted = `*5\r\n${order.map((x) => `$${x.length}\r\n${x}\r\n`).join('')}`;
      expect(text(core.command('LRANGE', 'k', 0, -1)) === wanted).toBe(true);
    }
  });
});

test('PFSELFTEST, which takes a redis-server seconds', () => {
  expect(text(new CoreClient(module).command('PFSELFTEST'))).toBe('+OK\r\n');
});
