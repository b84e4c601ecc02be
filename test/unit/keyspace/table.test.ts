// The hash table against a JavaScript Set: random inserts, deletes and look-ups over growth, splits
// and merges; the guarantee of a scan under change; uniformity of random picks; faults.

import { describe, expect, test } from 'vitest';
import { Prng, runSeed } from '../../support/prng.js';
import { Bare, FAULTS, SCALAR, SIMD } from './table-support.js';

const seed = runSeed();
const note = `RESPITE_SEED=${seed}`;

/** Random operations on keys below `range`, the model beside them; `lean`: chance of an insert. */
function exercise(bare: Bare, prng: Prng, model: Set<number>, range: number, lean: number) {
  for (let i = 0; i < range * 2; i++) {
    const n = prng.below(range);
    if (prng.below(1000) < lean * 1000) {
      const added = bare.x.add!(n);
      if (added !== (model.has(n) ? 0 : 1)) throw new Error(`add ${n}: ${added}, ${note}`);
      model.add(n);
    } else {
      const removed = bare.x.remove!(n) !== 0;
      if (removed !== model.delete(n)) throw new Error(`remove ${n}: ${removed}, ${note}`);
    }
    bare.x.touch!(prng.below(range));
  }
}

function check(bare: Bare, model: Set<number>, range: number) {
  expect(bare.x.count!()).toBe(model.size);
  for (let n = 0; n < range; n++) {
    if ((bare.x.has!(n) !== 0) !== model.has(n)) throw new Error(`has ${n}, ${note}`);
  }
  const all = scanAll(bare);
  expect(all.length).toBe(model.size);
  for (const n of all) if (!model.has(n)) throw new Error(`scan told ${n}, ${note}`);
  expect(new Set(all).size).toBe(model.size);
}

/** A whole scan of a table that does not change: every key once. */
function scanAll(bare: Bare): number[] {
  const out: number[] = [];
  let cursor = 0;
  do {
    cursor = bare.x.scan!(cursor);
    out.push(...bare.seen());
  } while (cursor !== 0);
  return out;
}

describe.each([
  ['simd', SIMD],
  ['scalar', SCALAR],
])('table, %s', (_name, flags) => {
  test('random operations, growing, level, shrinking to nothing', () => {
    for (const range of [5, 40, 3000, 30000]) {
      const bare = new Bare(flags, seed % 1000000);
      const prng = new Prng(seed + range);
      const model = new Set<number>();
      const empty = bare.x.used!();
      for (const lean of [0.9, 0.5, 0.75, 0.25, 0.5, 0.05]) {
        exercise(bare, prng, model, range, lean);
        check(bare, model, range);
      }
      const deepest = bare.x.depth!();
      for (const n of model) if (bare.x.remove!(n) === 0) throw new Error(`remove ${n}, ${note}`);
      check(bare, new Set(), range);
      expect(bare.x.used!(), note).toBe(empty);
      if (range === 30000) expect(deepest).toBeGreaterThan(3);
    }
  });

  test('a scan returns all that was there throughout, whatever else comes and goes', () => {
    for (let round = 0; round < 12; round++) {
      const prng = new Prng(seed + 17 * round);
      const bare = new Bare(flags, seed % 1000000);
      const range = prng.pick([30, 500, 5000, 30000]);
      const stable = new Set<number>();
      for (let i = 0; i < range / 3; i++) stable.add(prng.below(range) * 2);
      for (const n of stable) bare.x.add!(n);
      // Odd keys come and go: first mostly come (or go, in turn), then the other way.
      for (let i = 0; i < range * 3; i++) {
        if (round % 2 === 1) bare.x.add!(prng.below(range) * 2 + 1);
      }
      const met = new Set<number>();
      let cursor = 0;
      let steps = 0;
      do {
        cursor = bare.x.scan!(cursor);
        for (const n of bare.seen()) met.add(n);
        const leanIn = steps++ % 2000 < 1000 !== (round % 2 === 1);
        for (let i = 0; i < 12; i++) {
          const n = prng.below(range * 2) * 2 + 1;
          if (leanIn) bare.x.add!(n);
          else bare.x.remove!(n);
        }
      } while (cursor !== 0);
      for (const n of stable) if (!met.has(n)) throw new Error(`lost ${n} of ${range}, ${note}`);
    }
  });

  test('any number is a cursor', () => {
    const bare = new Bare(flags, 5);
    const prng = new Prng(seed);
    for (let n = 0; n < 5000; n++) bare.x.add!(n);
    for (let i = 0; i < 2000; i++) {
      let cursor = prng.u32() * 2 ** 20 + prng.below(2 ** 20);
      let steps = 0;
      if (i < 5) while (cursor !== 0 && steps++ < 5000) cursor = bare.x.scan!(cursor);
      else bare.x.scan!(cursor);
      expect(steps).toBeLessThan(5000);
    }
  });

  test('random picks are uniform', () => {
    for (const size of [1, 7, 100, 2000]) {
      const bare = new Bare(flags, seed % 99991);
      for (let n = 0; n < size; n++) bare.x.add!(n);
      const hits = new Array<number>(size).fill(0);
      const draws = 40 * size + 10000;
      for (let i = 0; i < draws; i++) hits[bare.x.random!()]!++;
      const mean = draws / size;
      const chi = hits.reduce((sum, h) => sum + (h - mean) ** 2 / mean, 0);
      // Mean size-1, deviation sqrt(2 size): six of them.
      expect(chi, note).toBeLessThan(size - 1 + 6 * Math.sqrt(2 * size) + 1e-9);
    }
  });

  test('a random pick of a sparse table comes to an end', () => {
    const bare = new Bare(flags, 3);
    for (let n = 0; n < 50000; n++) bare.x.add!(n);
    bare.x.pause!(1);
    for (let n = 1; n < 50000; n++) bare.x.remove!(n);
    for (let i = 0; i < 20; i++) expect(bare.x.random!()).toBe(0);
    bare.x.pause!(0);
    bare.x.remove!(0);
    expect(bare.x.random!()).toBe(-1);
  });

  test('is taken down in bounded steps', () => {
    const bare = new Bare(flags, 3);
    const before = bare.x.used!();
    for (let n = 0; n < 30000; n++) bare.x.add!(n);
    expect(bare.x.overhead!()).toBeLessThan(30000 * 12);
    expect(bare.x.clear!(64)).toBeGreaterThan(30);
    expect(bare.x.used!()).toBe(before);
    expect(bare.x.count!()).toBe(0);
  });
});

describe('table without memory', () => {
  test('every single failing allocation leaves the table whole', () => {
    const bare = new Bare(FAULTS, seed % 1000000);
    const prng = new Prng(seed);
    const model = new Set<number>();
    const empty = bare.x.used!();
    for (let i = 0; i < 60000; i++) {
      const n = prng.below(4000);
      const lean = Math.floor(i / 15000) % 2 === 0 ? 700 : 200;
      bare.x.faultAfter!(prng.below(4));
      if (prng.below(1000) < lean) {
        const added = bare.x.add!(n);
        if (model.has(n) ? added !== 0 : added === 0) throw new Error(`add ${n}, ${note}`);
        if (added === 1) model.add(n);
      } else if ((bare.x.remove!(n) !== 0) !== model.delete(n)) {
        throw new Error(`remove ${n}, ${note}`);
      }
      bare.x.faultAfter!(-1);
      if (i % 10000 === 9999) check(bare, model, 4000);
    }
    for (const n of [...model]) bare.x.remove!(n);
    expect(bare.x.count!()).toBe(0);
    bare.x.clear!(1000000);
    expect(bare.x.used!(), note).toBe(empty);
  });

  test('a table fills what memory there is and says so', () => {
    const bare = new Bare(SIMD, 4, 32, 72);
    let n = 0;
    while (bare.x.add!(n) === 1) n++;
    expect(n).toBeGreaterThan(10000);
    for (let i = 0; i < 2000; i++) expect(bare.x.add!(n + i)).toBe(-1);
    for (let i = 0; i < n; i++) if (bare.x.has!(i) === 0) throw new Error(`lost ${i}`);
    for (let i = 0; i < n; i++) bare.x.touch!(i);
    for (let i = 0; i < n; i++) bare.x.remove!(i);
    expect(bare.x.used!()).toBe(0);
    // All of it can be used again.
    let again = 0;
    while (bare.x.add!(again) === 1) again++;
    expect(again).toBe(n);
  });
});
