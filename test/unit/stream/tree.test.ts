// The id tree against a sorted array: random insertions, removals, seeks and walks.

import { expect, test } from 'vitest';
import { Rng } from '../encoding/support/module.js';
import { StreamModule } from './support/module.js';

const m = new StreamModule();
const { raw } = m;

function walk(tree: number, cursor: number, back: boolean): bigint[] {
  const out: bigint[] = [];
  let more = back ? raw.treeLast(cursor, tree) : raw.treeFirst(cursor, tree);
  while (more) {
    out.push(
      (BigInt.asUintN(64, raw.treeMs(cursor)) << 64n) | BigInt.asUintN(64, raw.treeSeq(cursor)),
    );
    more = back ? raw.treePrev(cursor) : raw.treeNext(cursor);
  }
  return out;
}

test.each([1, 2, 3, 4])('random operations, seed %i', (seed) => {
  const rng = new Rng(seed);
  const used = m.used;
  const tree = raw.alloc(16) >>> 0;
  const cursor = raw.alloc(8) >>> 0;
  new Uint8Array(m.memory.buffer, tree, 16).fill(0);
  const model = new Map<bigint, number>();
  const range = seed === 1 ? 200 : 20000;
  const pick = (): [bigint, bigint] => {
    const n = BigInt(rng.below(range));
    return seed % 2 ? [n / 16n, n % 16n] : [2n ** 64n - 1n - n, n << 40n];
  };
  let next = 1n << 30n;
  for (let step = 0; step < 30000; step++) {
    const [ms, seq] = seed === 4 && step < 10000 ? [next++, 0n] : pick();
    const key = (ms << 64n) | seq;
    const growing = Math.floor(step / 10000) % 2 === 0;
    if (rng.below(10) < (growing ? 7 : 2)) {
      const status = raw.treeInsert(tree, ms, seq, step + 1);
      expect(status).toBe(model.has(key) ? 0 : 1);
      if (!model.has(key)) model.set(key, step + 1);
    } else {
      expect(raw.treeRemove(tree, ms, seq)).toBe(model.get(key) ?? 0);
      model.delete(key);
    }
    if (step % 1500 !== 0) continue;
    const keys = [...model.keys()].sort((a, b) => (a < b ? -1 : 1));
    expect(raw.treeCount(tree)).toBe(keys.length);
    expect(walk(tree, cursor, false)).toEqual(keys);
    expect(walk(tree, cursor, true)).toEqual([...keys].reverse());
    for (let i = 0; i < 50; i++) {
      const [qm, qs] = pick();
      const q = (qm << 64n) | qs;
      expect(raw.treeFind(tree, qm, qs)).toBe(model.get(q) ?? 0);
      const above = keys.find((k) => k >= q);
      const below = keys.findLast((k) => k <= q);
      expect(!!raw.treeSeek(cursor, tree, qm, qs)).toBe(above !== undefined);
      if (above !== undefined) expect(raw.treeValue(cursor)).toBe(model.get(above));
      expect(!!raw.treeSeekBack(cursor, tree, qm, qs)).toBe(below !== undefined);
      if (below !== undefined) expect(raw.treeValue(cursor)).toBe(model.get(below));
    }
  }
  while (raw.treePop(tree));
  raw.free(tree);
  raw.free(cursor);
  expect(m.used).toBe(used);
});

test('an insertion that finds no memory changes nothing', () => {
  const tree = raw.alloc(16) >>> 0;
  const cursor = raw.alloc(8) >>> 0;
  new Uint8Array(m.memory.buffer, tree, 16).fill(0);
  const keys: bigint[] = [];
  const rng = new Rng(9);
  for (let i = 0; i < 5000; i++) {
    const id = BigInt(rng.u32());
    const used = m.used;
    for (let fault = 0; ; fault++) {
      m.failAt(fault);
      const status = raw.treeInsert(tree, 0n, id, i + 1);
      m.failAt(-1);
      if (status !== -1) {
        if (status === 1) keys.push(id);
        break;
      }
      // The first insertion may keep an empty leaf.
      if (i > 0) expect(m.used).toBe(used);
      expect(raw.treeCount(tree)).toBe(keys.length);
    }
  }
  expect(walk(tree, cursor, false)).toEqual(keys.sort((a, b) => (a < b ? -1 : 1)));
});
