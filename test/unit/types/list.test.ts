// Lists against redis-server: the same operations, then DUMP compared byte for byte (that is where
// nodes begin and end). And allocation failures at every point of every operation.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, RedisOracle } from '../encoding/support/redis.js';
import { element, Rng, Types } from './support/module.js';

let t: Types;
let redis: RedisOracle;
beforeAll(async () => {
  t = await Types.load();
  if (hasRedis) redis = await RedisOracle.start();
}, 60_000);
afterAll(() => redis?.stop());

type Op = { redis: (string | Buffer)[]; run: (obj: number) => boolean };

const drop = (obj: number, head: number) => {
  t.raw.listDrop!(obj, head);
  return true;
};

/** A random operation as Redis' command and as a call here; false from `run` = out of memory. */
function operation(rng: Rng, len: number, obj: number, pos: number, longMax: number): Op {
  const r = t.raw;
  const e = element(rng, longMax);
  const index = len ? rng.below(len) : 0;
  const from = rng.below(2) ? index : index - len;
  const kind = rng.below(len ? 16 : 7);
  if (kind < 3) return { redis: ['LPUSH', 'k', e], run: () => r.listPush!(obj, ...t.args(e), 1) };
  if (kind === 7 && len > 1) return { redis: ['LPOP', 'k'], run: () => drop(obj, 1) };
  if (kind === 8 && len > 1) return { redis: ['RPOP', 'k'], run: () => drop(obj, 0) };
  if (kind === 9 || kind === 10) {
    return {
      redis: ['LSET', 'k', String(from), e],
      run: () => r.listSeek!(obj, BigInt(from), pos) && r.listReplaceAt!(obj, pos, ...t.args(e)),
    };
  }
  if (kind > 10 && kind < 14) return insertion(rng, obj, pos, from, e);
  if (kind === 14 && len >= 20) return trim(rng, obj);
  if (kind === 15 && len >= 10) return removal(rng, obj, pos, from);
  return { redis: ['RPUSH', 'k', e], run: () => r.listPush!(obj, ...t.args(e), 0) };
}

/** LINSERT has no index: the pivot is found as Redis finds it. */
function insertion(rng: Rng, obj: number, pos: number, from: number, e: Buffer): Op {
  const r = t.raw;
  const after = rng.below(2);
  r.listSeek!(obj, BigInt(from), pos);
  const pivot = t.el();
  return {
    redis: ['LINSERT', 'k', after ? 'AFTER' : 'BEFORE', pivot, e],
    run: () => {
      if (!r.listSeek!(obj, 0n, pos)) throw new Error('empty');
      while (!t.el().equals(pivot)) if (!r.listStep!(pos, 1)) throw new Error('pivot');
      return r.listInsertAt!(obj, pos, ...t.args(e), after);
    },
  };
}

function trim(rng: Rng, obj: number): Op {
  const cut = rng.below(5);
  const end = rng.below(3);
  return {
    redis: ['LTRIM', 'k', String(cut), String(-1 - end)],
    run: () => {
      t.raw.listDeleteRange!(obj, 0n, cut);
      t.raw.listDeleteRange!(obj, BigInt(-end), end);
      return true;
    },
  };
}

function removal(rng: Rng, obj: number, pos: number, from: number): Op {
  const r = t.raw;
  r.listSeek!(obj, BigInt(from), pos);
  const target = t.el();
  const count = rng.below(3) ? 1 + rng.below(2) : -1 - rng.below(2);
  return {
    redis: ['LREM', 'k', String(count), target],
    run: () => {
      let left = Math.abs(count);
      const forward = count > 0 ? 1 : 0;
      let more = r.listSeek!(obj, forward ? 0n : -1n, pos);
      while (more && left) {
        if (t.el().equals(target)) {
          more = r.listRemoveAt!(obj, pos, forward);
          left--;
        } else more = r.listStep!(pos, forward);
      }
      return true;
    },
  };
}

function contents(obj: number, pos: number): Buffer[] {
  const out: Buffer[] = [];
  if (t.raw.listSeek!(obj, 0n, pos))
    do out.push(t.el());
    while (t.raw.listStep!(pos, 1));
  return out;
}

describe('list', () => {
  const cases: [number, number, number][] = [
    [-2, 200, 0],
    [-1, 3000, 0],
    [-2, 9000, 0],
    [4, 200, 0],
    [1, 60, 0],
    [100, 3000, 0],
    [-5, 9000, 0],
    [-2, 300, 100],
    [5, 300, 100],
  ];
  it.skipIf(!hasRedis).each(cases)(
    'dumps as redis (size %i, elements to %i, packed %i)',
    async (fill, longMax, packed) => {
      const before = t.usedMemory;
      const obj = t.raw.holder!(0);
      const pos = t.raw.alloc!(16);
      t.limit('listSize', fill);
      t.limit('listPacked', packed || 1 << 30);
      await redis.send('CONFIG', 'SET', 'list-max-listpack-size', String(fill));
      await redis.send('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', packed ? `${packed}b` : '0');
      for (let seed = 1; seed <= 3; seed++) {
        const rng = new Rng(seed * 77 + fill);
        t.raw.listNew!(obj);
        await redis.send('DEL', 'k');
        for (let i = 0; i < 500; i++) {
          const len = t.raw.listLen!(obj);
          const op = operation(rng, len, obj, pos, longMax);
          if (!op.run(obj)) throw new Error('memory');
          await redis.send(...op.redis);
          if (i % 10 === 0 || packed) {
            const [mine, theirs] = [t.dump(obj), await redis.dump('k')];
            if (!mine.equals(theirs)) {
              expect(`${i} ${op.redis.slice(0, 3)} ${mine.toString('hex')}`).toBe(
                `${i} ${op.redis.slice(0, 3)} ${theirs.toString('hex')}`,
              );
            }
          }
        }
        t.free(obj);
      }
      t.raw.free!(pos);
      t.limit('listSize', -2);
      t.limit('listPacked', 1 << 30);
      expect(t.usedMemory - before).toBeLessThan(1 << 21); // the sink keeps its buffer
    },
    60_000,
  );

  it.skipIf(!hasRedis)(
    'merges and fills to the byte as redis',
    async () => {
      const obj = t.raw.holder!(0);
      const pos = t.raw.alloc!(16);
      t.limit('listSize', -1);
      await redis.send('CONFIG', 'SET', 'list-max-listpack-size', '-1');
      await redis.send('DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '0');
      const both = async (head: number, e: string) => {
        t.raw.listPush!(obj, ...t.args(e), head);
        await redis.send(head ? 'LPUSH' : 'RPUSH', 'k', e);
      };
      const shapes = new Set<number>();
      for (let len = 2015; len < 2045; len++) {
        t.raw.listNew!(obj);
        await redis.send('DEL', 'k');
        for (let i = 10; i < 49; i++) await both(0, String(i).padEnd(100, 'x'));
        await both(1, 'h'.repeat(len));
        // Splits the second node; its first half and the head fit into one, or just do not.
        t.raw.listSeek!(obj, 20n, pos);
        const pivot = t.el();
        t.raw.listInsertAt!(obj, pos, ...t.args('n'.repeat(100)), 1);
        await redis.send('LINSERT', 'k', 'AFTER', pivot, 'n'.repeat(100));
        const mine = t.dump(obj);
        expect(mine.equals(await redis.dump('k'))).toBe(true);
        shapes.add(mine[1]!);
        t.free(obj);
      }
      expect([...shapes]).toEqual([2, 3]);
      for (let len = 30; len < 60; len++) {
        t.raw.listNew!(obj);
        await redis.send('DEL', 'k');
        for (let i = 10; i < 49; i++) await both(0, String(i).padEnd(100, 'x'));
        await both(0, 'h'.repeat(len));
        await both(1, 'h'.repeat(len + 10));
        expect(t.dump(obj).equals(await redis.dump('k'))).toBe(true);
        t.free(obj);
      }
      t.raw.free!(pos);
      t.limit('listSize', -2);
    },
    60_000,
  );

  it('survives every failing allocation', () => {
    const r = t.raw;
    const obj = r.holder!(1);
    const pos = r.alloc!(16);
    const start = t.usedMemory;
    for (const [fill, packed] of [
      [-2, 1 << 30],
      [3, 1 << 30],
      [4, 60],
    ] as const) {
      t.limit('listSize', fill);
      t.limit('listPacked', packed);
      const rng = new Rng(fill);
      r.listNew!(obj);
      for (let i = 0; i < 400; i++) {
        const len = r.listLen!(obj);
        const op = operation(rng, len, obj, pos, 400);
        const before = contents(obj, pos);
        for (let n = 0; ; n++) {
          const held = t.usedMemory;
          let ok = false;
          const reached = t.failing(n, () => {
            ok = op.run(obj);
          });
          if (!ok) {
            if (!reached) throw new Error('failed without need');
            expect(contents(obj, pos)).toEqual(before);
            expect(t.usedMemory).toBeLessThanOrEqual(held);
            continue;
          }
          break;
        }
        const all = contents(obj, pos);
        expect(all.length).toBe(r.listLen!(obj));
        for (const k of [0, all.length - 1, all.length >> 1]) {
          if (k < 0 || !all.length) continue;
          expect(r.listGet!(obj, BigInt(k))).toBe(1);
          expect(t.el()).toEqual(all[k]);
        }
      }
      // A copy, whatever fails.
      for (let n = 0; ; n++) {
        const held = t.usedMemory;
        let copy = 0;
        t.failing(n, () => {
          copy = r.valueDup!(1, 9, r.objValue!(obj));
        });
        if (!copy) {
          expect(t.usedMemory).toBe(held);
          continue;
        }
        const twin = r.holder!(2);
        r.objMake!(twin, 1, 9, copy);
        expect(contents(twin, pos)).toEqual(contents(obj, pos));
        while (!r.valueFreeStep!(1, 9, copy, 3)) {}
        expect(t.usedMemory).toBe(held);
        break;
      }
      t.free(obj);
      expect(t.usedMemory).toBe(start);
    }
    t.limit('listSize', -2);
    t.limit('listPacked', 1 << 30);
    r.free!(pos);
  });
});
