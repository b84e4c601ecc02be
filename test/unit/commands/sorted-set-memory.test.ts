// Sorted-set and geo commands when memory runs out at each of their allocations in turn: an error,
// nothing changed, nothing told to followers, nothing lost; and replies too large for any memory.

import { beforeAll, describe, expect, test } from 'vitest';
import type { Arg } from '../../support/bytes.js';
import { FAULTS } from '../../support/compile.js';
import { CoreClient, compileCore } from './support/core-client.js';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const LONG = 'l'.repeat(100);

let module: WebAssembly.Module;
beforeAll(() => {
  module = compileCore(FAULTS);
}, 300_000);

const words = (text: string): Arg[] => text.replaceAll('LONG', LONG).split(' ');
/** Pairs of score and member: `count` of them from `first` on. */
const pairs = (count: number, first = 0) =>
  Array.from({ length: count }, (_, i) => `${i + first} m${i + first}`).join(' ');
const places = (count: number) =>
  Array.from({ length: count }, (_, i) => `${i / 10} ${i / 20} p${i}`).join(' ');

// 1364 members: 22 full leaves, so that the next one splits one
const CASES: [command: string, ...before: string[]][] = [
  ['ZADD k 1 a'],
  ['ZADD k 1 LONG 2 b 3 c'],
  ['ZADD k 5 new 1 m1 7 m3 8 LONG', `ZADD k ${pairs(5)}`],
  ['ZADD k 0.5 n', `ZADD k ${pairs(128)}`],
  ['ZADD k 0.5 x 0.6 y 7 m100 -1 m50', `ZADD k ${pairs(1364)}`],
  ['ZADD k 1000.5 m0 2000 m0', `ZADD k ${pairs(1364)}`],
  ['ZADD k CH 700 m0 701 m1 702 m2 703 m3', `ZADD k ${pairs(1364)}`],
  [`ZADD k ${pairs(40, 3000)} 5 m9`, `ZADD k ${pairs(1364)}`],
  ['ZINCRBY k 500.5 m0', `ZADD k ${pairs(1364)}`],
  ['ZUNIONSTORE d 2 k j', `ZADD k ${pairs(5)}`, `ZADD j ${pairs(6, 3)}`],
  ['ZUNIONSTORE d 2 k j', `ZADD k ${pairs(150)}`, 'ZADD j 1 LONG', 'SET d x'],
  ['ZINTERSTORE d 2 k j', `ZADD k ${pairs(9)}`, `ZADD j ${pairs(6, 3)}`, 'ZADD d 1 old'],
  ['ZDIFFSTORE k 2 k j', `ZADD k ${pairs(150)}`, `ZADD j ${pairs(6, 3)}`],
  ['ZUNION 2 k j', `ZADD k ${pairs(5)}`, `ZADD j ${pairs(6, 3)}`],
  ['ZDIFF 2 k j', `ZADD k ${pairs(5)}`, `ZADD j ${pairs(6, 3)}`],
  ['ZINTERCARD 2 k j', `ZADD k ${pairs(5)}`, `ZADD j ${pairs(6, 3)}`],
  ['ZRANGESTORE d k 0 -1', `ZADD k ${pairs(150)}`, 'SET d x'],
  ['ZRANGESTORE d k 1 3 REV', `ZADD k ${pairs(5)}`],
  ['ZRANDMEMBER k 20', `ZADD k ${pairs(150)}`],
  ['GEOADD k 1 2 a 3 4 b'],
  ['GEOSEARCH k FROMLONLAT 0 0 BYRADIUS 9000 km ASC', `GEOADD k ${places(40)}`],
  ['GEOSEARCH k FROMLONLAT 0 0 BYBOX 900 900 km COUNT 9', `GEOADD k ${places(40)}`],
  ['GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 900 km', `GEOADD k ${places(40)}`, 'SET d x'],
];

describe('without memory', () => {
  test.each(CASES)('%s', (command, ...before) => {
    const keys = ['k', 'j', 'd'];
    let failures = 0;
    let n = 0;
    // Every allocation of a small command, every now and then one of a large.
    for (; n < 1200; n += n < 40 ? 1 : 41) {
      const core = new CoreClient(module);
      core.command('SET', 'other', 'x');
      for (const line of before) core.command(...words(line));
      const state = () => keys.map((key) => core.command('ZRANGE', key, 0, -1, 'WITHSCORES'));
      const had = state();
      const used = core.debug.debugUsed!();
      const dirty = core.debug.debugDirty!();
      core.followEffects();
      core.debug.debugFailAfter!(n);
      const reply = core.command(...words(command)).toString('latin1');
      const isOver = core.debug.debugFailWaits!() !== 0;
      core.debug.debugFailAfter!(-1);
      if (isOver) break;
      // Some go on with less: room to grow further is only a wish.
      if (!reply.startsWith('-')) continue;
      failures++;
      expect(reply).toBe(OOM);
      expect(state()).toEqual(had);
      expect(core.debug.debugDirty!()).toBe(dirty);
      expect(core.effects()).toEqual([]);
      // A table may have grown and a listpack become a tree.
      expect(core.debug.debugUsed!() - used).toBeLessThan(20_000);
    }
    expect(failures).toBeGreaterThan(0);
    expect(n).toBeLessThan(1200);
  });

  test('a reply larger than the memory is refused, not begun', () => {
    const core = new CoreClient(module);
    core.core.x.configureHeap(384);
    core.command('ZADD', 'k', 1, 'a', 2, 'b');
    for (const count of ['-9223372036854775807', '-4611686018427387904', '-100000000']) {
      expect(core.command('ZRANDMEMBER', 'k', count).toString('latin1')).toBe(OOM);
    }
    expect(core.command('ZCARD', 'k').toString('latin1')).toBe(':2\r\n');
  });
});
