// Sorted sets: random operations against a JavaScript model with every allocation failing in turn,
// and DUMP against redis-server.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSame } from '../../support/same.js';
import { hasRedis, RedisOracle } from '../encoding/support/redis.js';
import { copies, key, order, withFaults } from './support/model.js';
import { ENC, element, Rng, Types, ZSET } from './support/module.js';

let t: Types;
let redis: RedisOracle;
beforeAll(async () => {
  t = await Types.load();
  if (hasRedis) redis = await RedisOracle.start();
}, 60_000);
afterAll(() => redis?.stop());

const specials = [Infinity, -Infinity, 0, -0, 1e300, 5e-324, 0.1, -2.5, 1e17];

function scoreText(score: number): string {
  if (Object.is(score, -0)) return '-0';
  return String(score).replace('Infinity', 'inf');
}

/** One sorted set and what it should hold. */
class Pair {
  readonly obj = t.raw.holder!(0);
  readonly pos = t.raw.alloc!(16);
  readonly model = new Map<string, number>();
  readonly sent: Promise<unknown>[] = [];
  readonly rng: Rng;
  readonly wide: boolean;
  readonly rounds: number;

  constructor(rng: Rng, wide: boolean) {
    this.rng = rng;
    this.wide = wide;
    this.rounds = wide ? 6000 : 800;
  }

  sorted(): [string, number][] {
    const byScore = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.model].sort((a, b) => byScore(a[1], b[1]) || order(a[0], b[0]));
  }

  check = (): void => {
    const want = this.sorted();
    const r = t.raw;
    expect(t.len(this.obj)).toBe(want.length);
    for (const forward of [1, 0]) {
      const list = forward ? want : want.reverse();
      const from = forward ? 0 : list.length - 1;
      let more = list.length ? r.zsetSeek!(this.obj, from, this.pos) : 0;
      for (const [m, s] of list) {
        if (!more || key(t.el()) !== m || t.global('elScore') !== s) {
          expect([more, key(t.el()), t.global('elScore')]).toEqual([1, m, s]);
        }
        more = r.zsetStep!(this.pos, forward);
      }
      expect(more).toBe(0);
    }
  };

  #send(...args: (string | Buffer)[]): void {
    if (redis) this.sent.push(redis.send(...args));
  }

  #score(i: number): number {
    const { rng } = this;
    const kind = rng.below(12);
    if (kind === 0) return rng.pick(specials);
    if (kind < 4) return rng.below(5);
    if (kind < 7) return kind < 6 ? i : -i;
    return kind < 10 ? rng.below(100000) / 8 : (rng.u32() - 2e9) * 1e-7;
  }

  add(e: Buffer, i: number): void {
    const had = this.model.get(key(e));
    const score = this.#score(i);
    const faults = i < 100 || i % (this.wide ? 97 : 5) === 0;
    const run = () => t.raw.zsetAdd!(this.obj, score, ...t.args(e));
    const result = withFaults(t, run, this.check, faults);
    expect(result).toBe(had === undefined ? 1 : had === score ? 0 : 2);
    if (had !== score) this.model.set(key(e), score);
    this.#send('ZADD', 'k', scoreText(score), e);
  }

  remove(e: Buffer): void {
    const { model, rng, obj } = this;
    if (rng.below(40) === 0 && model.size > 30) {
      const from = rng.below(model.size);
      const to = Math.min(model.size - 1, from + rng.below(20));
      for (const [m] of this.sorted().slice(from, to)) model.delete(m);
      t.raw.zsetRemoveRanks!(obj, from, to);
      if (to > from) this.#send('ZREMRANGEBYRANK', 'k', String(from), String(to - 1));
    } else if (model.size > 1) {
      expect(t.raw.zsetRemove!(obj, ...t.args(e))).toBe(model.has(key(e)) ? 1 : 0);
      model.delete(key(e));
      this.#send('ZREM', 'k', e);
    }
  }

  step(pool: Buffer[], i: number): void {
    const { rng, model } = this;
    const e = rng.pick(pool);
    const shrink = this.wide && i > this.rounds / 2;
    if (i === 0 || rng.below(shrink ? 5 : 8) > (shrink ? 2 : 0)) this.add(e, i);
    else this.remove(e);
    const probe = rng.pick(pool);
    const s = model.get(key(probe));
    expect(t.raw.zsetScore!(this.obj, ...t.args(probe))).toBe(s === undefined ? 0 : 1);
    // Redis: in a listpack -0 is 0.
    if (s !== undefined) expect(t.global('elScore') === s).toBe(true);
  }

  ranks(pool: Buffer[]): void {
    const want = this.sorted();
    const r = t.raw;
    for (let k = 0; k < 20; k++) {
      const pick = this.rng.below(3) ? this.rng.below(1000) / 8 : this.rng.pick(want)?.[1];
      const x = pick ?? 0;
      expect(r.zsetRankOfScore!(this.obj, x, 0)).toBe(want.filter(([, v]) => v < x).length);
      expect(r.zsetRankOfScore!(this.obj, x, 1)).toBe(want.filter(([, v]) => v <= x).length);
      const probe = this.rng.pick(pool);
      const rank = Number(r.zsetRank!(this.obj, ...t.args(probe)));
      expect(rank).toBe(want.findIndex(([m]) => m === key(probe)));
    }
    r.zsetRandom!(this.obj);
    expect(this.model.get(key(t.el())) === t.global('elScore')).toBe(true);
  }

  async dump(): Promise<void> {
    if (!redis || !this.model.size) return;
    await Promise.all(this.sent.splice(0));
    expectSame(t.dump(this.obj), await redis.dump('k'));
  }
}

async function setLimits(entries: number, value: number): Promise<void> {
  t.limit('zsetEntries', entries);
  t.limit('zsetValue', value);
  if (!redis) return;
  await redis.send('CONFIG', 'SET', 'zset-max-listpack-entries', String(entries));
  await redis.send('CONFIG', 'SET', 'zset-max-listpack-value', String(value));
}

async function run(seed: number, salt: number): Promise<void> {
  const rng = new Rng(seed * 171 + salt);
  const wide = seed >= 7;
  const pair = new Pair(rng, wide);
  const start = t.usedMemory;
  const pool = Array.from({ length: wide ? 3000 : 60 }, () => element(rng, 60));
  t.raw.zsetNew!(pair.obj, 1n, 1);
  if (redis) await redis.send('DEL', 'k');
  for (let i = 0; i < pair.rounds; i++) {
    pair.step(pool, i);
    if (i % (wide ? 400 : 50) !== 0) continue;
    pair.check();
    pair.ranks(pool);
    await pair.dump();
  }
  await Promise.all(pair.sent);
  pair.check();
  copies(t, ZSET, pair.obj, 'Zset');
  t.free(pair.obj);
  t.raw.free!(pair.pos);
  expect(t.usedMemory - start).toBeLessThan(600_000);
}

describe('zset', () => {
  const modes = [
    [128, 64],
    [3, 64],
    [128, 8],
    [0, 64],
  ] as const;
  it.each(modes)(
    'is its model (entries %i, value %i)',
    async (entries, value) => {
      await setLimits(entries, value);
      for (let seed = 1; seed <= 8; seed++) await run(seed, entries + value);
      await setLimits(128, 64);
    },
    120_000,
  );

  it('ranks by bytes, loads both ways, converts back', () => {
    const r = t.raw;
    const obj = r.holder!(1);
    t.limit('zsetEntries', 100);
    for (const n of [90, 40_000]) {
      for (const down of [false, true]) {
        const start = t.usedMemory;
        r.zsetLoadBegin!(obj, BigInt(n));
        const names = Array.from({ length: n }, (_, i) => `m${String(i).padStart(6, '0')}`);
        for (const name of down ? [...names].reverse() : names) {
          expect(r.zsetAdd!(obj, 7, ...t.args(name))).toBe(1);
        }
        expect(t.encoding(obj)).toBe(n > 100 ? ENC.skiplist : ENC.listpack);
        for (const i of [0, 1, 17, n >> 1, n - 1]) {
          expect(r.zsetRankOfLex!(obj, ...t.args(names[i] as string), 0)).toBe(i);
          expect(r.zsetRankOfLex!(obj, ...t.args(names[i] as string), 1)).toBe(i + 1);
          expect(r.zsetRankOfLex!(obj, ...t.args(`${names[i]}x`), 0)).toBe(i + 1);
        }
        if (n > 100) {
          const each = (t.usedMemory - start) / n;
          // Item of 24 bytes, table about 6, tree below 12.
          expect(each).toBeLessThan(44);
          r.zsetRemoveRanks!(obj, 50, n - 20);
          for (let k = 0; ; k++) {
            let done = 0;
            const held = t.usedMemory;
            t.failing(k, () => {
              done = r.zsetToListpackIfFits!(obj);
            });
            if (done) break;
            expect(t.usedMemory).toBe(held);
          }
          expect(t.encoding(obj)).toBe(ENC.listpack);
          expect(t.len(obj)).toBe(70);
        }
        t.free(obj);
        expect(t.usedMemory - start).toBeLessThan(200_000);
      }
    }
    t.limit('zsetEntries', 128);
  }, 60_000);
});
