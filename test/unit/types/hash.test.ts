// Hashes: random operations against a JavaScript model with every allocation failing in turn, and
// DUMP against redis-server.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSame } from '../../support/same.js';
import { hasRedis, RedisOracle } from '../encoding/support/redis.js';
import { copies, expectUniform, key, strings, withFaults } from './support/model.js';
import { ENC, element, HASH, Rng, Types } from './support/module.js';

let t: Types;
let redis: RedisOracle;
beforeAll(async () => {
  t = await Types.load();
  if (hasRedis) redis = await RedisOracle.start();
}, 60_000);
afterAll(() => redis?.stop());

const EPOCH = 1_700_000_000_000;

/** One hash and what it should hold. */
class Pair {
  readonly obj = t.raw.holder!(0);
  readonly model = new Map<string, { v: string; ms: number }>();
  readonly sent: Promise<unknown>[] = [];
  readonly rng: Rng;
  readonly ttl: boolean;

  constructor(rng: Rng, ttl: boolean) {
    this.rng = rng;
    this.ttl = ttl;
  }

  check = (): void => {
    const { model, obj } = this;
    const all = t.scan('Hash', obj);
    expect(all.length).toBe(model.size);
    expect(t.len(obj)).toBe(model.size);
    for (const f of all) {
      const m = model.get(key(f.el));
      if (!m || m.v !== key(f.val) || m.ms !== f.num) {
        expect([key(f.el), key(f.val), f.num]).toEqual([key(f.el), m?.v, m?.ms]);
      }
    }
    const least = Math.min(...[...model.values()].filter((m) => m.ms > 0).map((m) => m.ms));
    const bound = Number(t.raw.hashMinExpire!(obj));
    expect(bound).toBe(least === Number.POSITIVE_INFINITY ? -1 : least);
    const now = EPOCH + 250;
    const expired = [...model.values()].filter((m) => m.ms > 0 && m.ms < now).length;
    expect(t.raw.hashExpired!(obj, BigInt(now))).toBe(expired);
    if (t.encoding(obj) === ENC.listpackEx) {
      const times = all.map((f) => (f.num < 0 ? Number.MAX_VALUE : f.num));
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  };

  #send(...args: (string | Buffer)[]): void {
    if (redis) this.sent.push(redis.send(...args));
  }

  set(e: Buffer, keep: boolean, faults: boolean): void {
    const { obj, model } = this;
    const r = t.raw;
    const had = model.get(key(e));
    const v = element(this.rng, this.rng.below(20) ? 80 : 5000);
    const longest = Math.max(e.length, v.length);
    const run = () => {
      // HSET converts ahead for long arguments.
      if (!r.hashPrepare!(obj, 1, longest, BigInt(e.length + v.length))) return -1;
      return keep ? r.hashUpdate!(obj, ...t.args(e, v)) : r.hashSet!(obj, ...t.args(e, v));
    };
    expect(withFaults(t, run, this.check, faults)).toBe(had ? 0 : 1);
    model.set(key(e), { v: key(v), ms: keep && had ? had.ms : -1 });
    this.#send('HSET', 'k', e, v);
  }

  delete(e: Buffer): void {
    if (this.model.size < 2) return;
    expect(t.raw.hashDelete!(this.obj, ...t.args(e))).toBe(this.model.has(key(e)) ? 1 : 0);
    this.model.delete(key(e));
    this.#send('HDEL', 'k', e);
  }

  expire(e: Buffer, faults: boolean): void {
    const had = this.model.get(key(e));
    const ms = this.rng.below(10) ? EPOCH + this.rng.below(500) : 0;
    const run = () => t.raw.hashSetExpire!(this.obj, ...t.args(e), BigInt(ms));
    expect(withFaults(t, run, this.check, faults)).toBe(had ? 1 : 0);
    if (had) had.ms = ms || -1;
  }

  take(): void {
    const now = EPOCH + this.rng.below(60);
    const limit = 1 + this.rng.below(300);
    t.found.length = 0;
    const n = t.raw.takeExpired!(this.obj, now, limit);
    const due = [...this.model].filter(([, m]) => m.ms > 0 && m.ms < now).length;
    expect(n).toBe(Math.min(due, limit));
    expect(t.found.length).toBe(n);
    let last = 0;
    for (const f of t.found) {
      const ms = this.model.get(key(f.el))?.ms ?? 0;
      expect(ms).toBeLessThan(now);
      expect(ms).toBeGreaterThanOrEqual(last);
      last = ms;
      this.model.delete(key(f.el));
    }
  }

  step(pool: Buffer[], i: number): void {
    const e = this.rng.pick(pool);
    const faults = i < 200 || i % 40 === 0;
    const kind = i ? this.rng.below(this.ttl ? 16 : 8) : 0;
    if (kind < 6) this.set(e, this.ttl && kind === 5, faults);
    else if (kind < 8) this.delete(e);
    else if (kind < 14) this.expire(e, faults);
    else if (kind < 15 && i % 10 === 0) this.take();
    const probe = this.rng.pick(pool);
    const m = this.model.get(key(probe));
    expect(t.raw.hashGet!(this.obj, ...t.args(probe))).toBe(m ? 1 : 0);
    if (m) expect(key(t.val())).toBe(m.v);
    if (i % 50 === 0 && this.model.size) {
      t.raw.hashRandom!(this.obj);
      expect(this.model.get(key(t.el()))?.v).toBe(key(t.val()));
    }
  }

  async dump(): Promise<void> {
    if (!redis || this.ttl || !this.model.size) return;
    await Promise.all(this.sent.splice(0));
    const theirs = await redis.dump('k');
    const mine = t.dump(this.obj);
    expect(mine[0]).toBe(theirs[0]);
    if (mine[0] === 16) expectSame(mine, theirs);
    else expect(strings(mine, 2)).toEqual(strings(theirs, 2));
  }
}

async function setLimits(entries: number, value: number): Promise<void> {
  t.limit('hashEntries', entries);
  t.limit('hashValue', value);
  if (!redis) return;
  await redis.send('CONFIG', 'SET', 'hash-max-listpack-entries', String(entries));
  await redis.send('CONFIG', 'SET', 'hash-max-listpack-value', String(value));
}

async function run(seed: number, salt: number): Promise<void> {
  const rng = new Rng(seed * 131 + salt);
  const pair = new Pair(rng, seed % 2 === 0);
  const start = t.usedMemory;
  const longMax = seed % 4 ? 40 : 300;
  const pool = Array.from({ length: seed < 5 ? 60 : 700 }, () => element(rng, longMax));
  t.raw.hashNew!(pair.obj);
  if (redis) await redis.send('DEL', 'k');
  for (let i = 0; i < 1500; i++) {
    pair.step(pool, i);
    if (i % 100 === 0) {
      pair.check();
      await pair.dump();
    }
  }
  await Promise.all(pair.sent);
  pair.check();
  copies(t, HASH, pair.obj, 'Hash');
  t.free(pair.obj);
  expect(t.usedMemory - start).toBeLessThan(300_000);
}

describe('random fields', () => {
  it.each([
    [20, ENC.listpack],
    [300, ENC.ht],
    [4000, ENC.ht],
  ])('each of %i as likely', (count, encoding) => {
    t.limit('hashEntries', 128);
    t.limit('hashValue', 64);
    t.raw.prngSeed!(BigInt(count), 7n);
    const obj = t.raw.holder!(0);
    t.raw.hashNew!(obj);
    for (let i = 0; i < count; i++) t.raw.hashSet!(obj, ...t.args(`f${i}`, 'v'));
    expect(t.encoding(obj)).toBe(encoding);
    expectUniform(count, () => {
      t.raw.hashRandom!(obj);
      return Number(key(t.el()).slice(1));
    });
    t.free(obj);
  });
});

describe('hash', () => {
  const modes = [
    [128, 64],
    [5, 64],
    [128, 10],
    [0, 64],
  ] as const;
  it.each(modes)(
    'is its model (entries %i, value %i)',
    async (entries, value) => {
      await setLimits(entries, value);
      for (let seed = 1; seed <= 8; seed++) await run(seed, entries + value);
    },
    60_000,
  );
});
