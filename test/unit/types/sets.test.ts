// Sets: random operations against a JavaScript model with every allocation failing in turn, and
// DUMP against redis-server. And compact blobs that a load brings.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSame } from '../../support/same.js';
import { hasRedis, RedisOracle } from '../encoding/support/redis.js';
import { copies, expectUniform, key, strings, withFaults } from './support/model.js';
import { ENC, element, Rng, SET, Types } from './support/module.js';

let t: Types;
let redis: RedisOracle;
beforeAll(async () => {
  t = await Types.load();
  if (hasRedis) redis = await RedisOracle.start();
}, 60_000);
afterAll(() => redis?.stop());

/** Draws a member and, if it is to go and not the last, removes it; what was removed. */
function drawOne(obj: number, model: Set<string>, goes: boolean): Buffer | undefined {
  t.raw.setRandom!(obj);
  const drawn = key(t.el());
  expect(model.has(drawn)).toBe(true);
  if (!goes || model.size < 2) return undefined;
  t.raw.setRemovePicked!(obj);
  model.delete(drawn);
  return Buffer.from(drawn, 'latin1');
}

describe('set', () => {
  const modes = [
    { intset: 512, entries: 128 },
    { intset: 512, entries: 0 },
    { intset: 8, entries: 20 },
    { intset: 0, entries: 5 },
  ];
  it.each(modes)(
    'is its model (%o)',
    async ({ intset, entries }) => {
      t.limit('setIntset', intset);
      t.limit('setEntries', entries);
      if (redis) await redis.send('CONFIG', 'SET', 'set-max-intset-entries', String(intset));
      const obj = t.raw.holder!(0);
      const r = t.raw;
      for (let seed = 1; seed <= 6; seed++) {
        const rng = new Rng(seed * 31 + intset + entries);
        const model = new Set<string>();
        const start = t.usedMemory;
        const pool = Array.from({ length: seed < 3 ? 40 : 1500 }, () =>
          seed % 2 ? Buffer.from(String(rng.below(100000) - 5000)) : element(rng, 90),
        );
        const first = pool[0] as Buffer;
        r.setNew!(obj, ...t.args(first), 1n);
        const check = () => {
          const all = t.scan('Set', obj).map((f) => key(f.el));
          expect(all.length).toBe(model.size);
          if (!all.every((one) => model.has(one))) expect(new Set(all)).toEqual(model);
          expect(t.len(obj)).toBe(model.size);
        };
        if (redis) await redis.send('DEL', 'k');
        const ops: Promise<unknown>[] = [];
        for (let i = 0; i < 2500; i++) {
          const e = i === 0 ? first : rng.pick(pool);
          if (i === 0 || rng.below(seed < 4 ? 3 : 12)) {
            const often = i < 150 || i % 40 === 0;
            const result = withFaults(t, () => r.setAdd!(obj, ...t.args(e)), check, often);
            expect(result).toBe(model.has(key(e)) ? 0 : 1);
            model.add(key(e));
            if (redis) ops.push(redis.send('SADD', 'k', e));
          } else if (model.size > 1) {
            expect(r.setRemove!(obj, ...t.args(e))).toBe(model.has(key(e)) ? 1 : 0);
            model.delete(key(e));
            if (redis) ops.push(redis.send('SREM', 'k', e));
            if (!model.size) break;
          }
          const probe = rng.pick(pool);
          expect(r.setHas!(obj, ...t.args(probe))).toBe(model.has(key(probe)) ? 1 : 0);
          if (i % 200 === 0) check();
          if (i % 50 === 0) {
            const drawn = drawOne(obj, model, i % 100 === 0);
            if (drawn !== undefined && redis) ops.push(redis.send('SREM', 'k', drawn));
          }
          if (redis && entries === 0 && i % 250 === 0 && model.size) {
            await Promise.all(ops.splice(0));
            const theirs = await redis.dump('k');
            const mine = t.dump(obj);
            expect(mine[0]).toBe(theirs[0]);
            if (mine[0] === 11) expectSame(mine, theirs);
            else expect(strings(mine, 1)).toEqual(strings(theirs, 1));
          }
        }
        await Promise.all(ops);
        check();
        copies(t, SET, obj, 'Set');
        t.free(obj);
        expect(t.usedMemory - start).toBeLessThan(300_000);
      }
      t.limit('setIntset', 512);
      t.limit('setEntries', 128);
    },
    60_000,
  );
});

describe('random members', () => {
  const cases = [
    [20, ENC.intset, ''],
    [300, ENC.intset, ''],
    [20, ENC.listpack, 'm'],
    [100, ENC.ht, 'longer than a listpack takes: '],
    [4000, ENC.ht, 'm'],
  ] as const;
  it.each(cases)('each of %i as likely (encoding %i)', (count, encoding, prefix) => {
    t.limit('setIntset', 512);
    t.limit('setEntries', 128);
    t.limit('setValue', 20);
    t.raw.prngSeed!(BigInt(count), 1n);
    const obj = filled(prefix, count);
    expect(t.encoding(obj)).toBe(encoding);
    expectUniform(count, () => drawn(prefix));
    t.limit('setValue', 64);
    t.free(obj);
  });

  it('few left of many, each as likely', () => {
    t.raw.prngSeed!(5n, 5n);
    const obj = filled('m', 4000);
    for (let i = 60; i < 4000; i++) t.raw.setRemove!(obj, ...t.args(`m${i}`));
    expectUniform(60, () => drawn('m'));
    t.free(obj);
  });

  it('taken until nothing is left, each comes at each place as likely', () => {
    for (const [prefix, count] of [
      ['', 12],
      ['m', 12],
      ['long enough for a table, is it not: it is, it is, it is, it is ', 12],
    ] as const) {
      t.raw.prngSeed!(9n, BigInt(prefix.length));
      const order: number[] = [];
      expectUniform(count * count, () => {
        if (order.length === 0) order.push(...emptied(prefix, count));
        const place = order.length - 1;
        return place * count + order.pop()!;
      });
    }
  });

  function filled(prefix: string, count: number): number {
    const obj = t.raw.holder!(0);
    t.raw.setNew!(obj, ...t.args(`${prefix}0`), 1n);
    for (let i = 0; i < count; i++) t.raw.setAdd!(obj, ...t.args(prefix + i));
    return obj;
  }

  function drawn(prefix: string): number {
    t.raw.setRandom!(t.raw.holder!(0));
    return Number(key(t.el()).slice(prefix.length));
  }

  function emptied(prefix: string, count: number): number[] {
    const obj = filled(prefix, count);
    const order = Array.from({ length: count }, () => {
      const n = drawn(prefix);
      t.raw.setRemovePicked!(obj);
      return n;
    });
    expect(t.len(obj)).toBe(0);
    expect(new Set(order).size).toBe(count);
    t.free(obj);
    return order;
  }
});

describe('what a load brings', () => {
  function listpack(items: string[]): number {
    let lp = t.raw.lpNew!(0);
    for (const item of items) lp = t.raw.lpAppend!(lp, ...t.args(item));
    return lp;
  }
  it('orders triples', () => {
    const obj = t.raw.holder!(0);
    expect(
      t.raw.hashFromListpackEx!(
        obj,
        listpack([
          'a',
          '1',
          '0',
          'b',
          '2',
          '50',
          'c',
          '3',
          '7',
          'd',
          '4',
          '0',
          'e',
          '5',
          '50',
          'f',
          '6',
          '7',
        ]),
      ),
    ).toBe(1);
    expect(
      t
        .scan('Hash', obj)
        .map((f) => key(f.el))
        .join(''),
    ).toBe('cfbead');
    const dump = t.dump(obj);
    expect(dump[0]).toBe(25);
    expect(dump.readBigInt64LE(1)).toBe(7n);
    expect(t.global('saveVersion')).toBe(12);
    for (const f of 'cfbe') t.raw.hashSetExpire!(obj, ...t.args(f), 0n);
    expect(t.dump(obj)[0]).toBe(16);
    expect(t.global('saveVersion')).toBe(10);
    expect(t.raw.hashToTable!(obj)).toBe(1);
    t.raw.hashSetExpire!(obj, ...t.args('c'), 1000n);
    t.raw.hashSetExpire!(obj, ...t.args('d'), 1500n);
    const meta = t.dump(obj);
    expect(meta[0]).toBe(24);
    expect(meta.readBigInt64LE(1)).toBe(1000n);
    expect(meta[9]).toBe(6);
    t.free(obj);
  });
  it('refuses what is no hash and no sorted set', () => {
    const obj = t.raw.holder!(0);
    for (const [fn, items] of [
      ['hashFromListpack', ['a']],
      ['hashFromListpackEx', ['a', 'b']],
      ['hashFromListpackEx', ['a', 'b', 'x']],
      ['hashFromListpackEx', ['a', 'b', '-5']],
      ['zsetFromListpack', ['a']],
      ['zsetFromListpack', ['a', 'nan']],
      ['zsetFromListpack', ['a', 'x']],
    ] as const) {
      const lp = listpack([...items]);
      expect(t.raw[fn]!(obj, lp)).toBe(0);
      t.raw.lpFree!(lp);
    }
  });
  it('converts beyond the limits, under failing allocations', () => {
    t.limit('hashEntries', 128);
    const obj = t.raw.holder!(0);
    const items = Array.from({ length: 400 }, (_, i) => String(i));
    const start = t.usedMemory;
    for (const [fn, enc] of [
      ['hashFromListpack', ENC.ht],
      ['zsetFromListpack', ENC.skiplist],
      ['setFromListpack', ENC.ht],
    ] as const) {
      for (let n = 0; ; n++) {
        const lp = listpack(items);
        const held = t.usedMemory;
        let result = -1;
        t.failing(n, () => {
          result = t.raw[fn]!(obj, lp);
        });
        if (result === -1) {
          expect(t.usedMemory).toBe(held);
          t.raw.lpFree!(lp);
          continue;
        }
        expect(t.encoding(obj)).toBe(enc);
        expect(t.len(obj)).toBe(fn === 'setFromListpack' ? 400 : 200);
        t.free(obj);
        break;
      }
    }
    expect(t.usedMemory).toBe(start);
    // Sets are written for old readers unless told otherwise.
    t.raw.setNew!(obj, ...t.args('x'), 1n);
    t.raw.setAdd!(obj, ...t.args('x'));
    expect(t.dump(obj)[0]).toBe(2);
    t.raw.rdbSetVersionMax!(12);
    expect(t.dump(obj)[0]).toBe(20);
    expect(t.global('saveVersion')).toBe(11);
    t.raw.rdbSetVersionMax!(10);
    t.free(obj);
    t.limit('hashEntries', 512);
  });
});
