// What the model tests of collections share: failing allocations, RDB bodies in any order, copies.

import { expect } from 'vitest';
import { rdbLen, rdbString } from '../../encoding/support/redis.js';
import type { Found, Types } from './module.js';

export const key = (b: Buffer) => b.toString('latin1');
export const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Tries `run` with each allocation failing; `check` looks at the state after each failure. */
export function withFaults(
  t: Types,
  run: () => number,
  check: () => void,
  faults: boolean,
): number {
  for (let n = 0; ; n++) {
    let result = -1;
    if (!faults) return run();
    const held = t.usedMemory;
    const reached = t.failing(n, () => {
      result = run();
    });
    if (result !== -1) return result;
    if (!reached) throw new Error('failed without need');
    check();
    if (t.usedMemory > held + 65536) throw new Error('leak');
  }
}

/** Body of an RDB set or hash as sorted strings. */
export function strings(body: Buffer, each: number): string[] {
  const len = rdbLen(body, 1);
  let at = len.end;
  const out: string[] = [];
  for (let i = 0; i < len.value; i++) {
    let text = '';
    for (let k = 0; k < each; k++) {
      const s = rdbString(body, at);
      text += `${s.bytes.toString('latin1')}/${s.lzfLen} `;
      at = s.end;
    }
    out.push(text);
  }
  expect(at).toBe(body.length);
  return out.sort();
}

/** COPY of a value under failing allocations; freed in steps, nothing leaks. */
export function copies(t: Types, type: number, obj: number, kind: 'Set' | 'Hash' | 'Zset'): void {
  const enc = t.encoding(obj);
  const sort = (a: Found, b: Found) => order(key(a.el), key(b.el));
  const want = t.scan(kind, obj).sort(sort);
  const step = want.length > 200 ? 37 : 1;
  for (let n = 0; ; n += step) {
    const held = t.usedMemory;
    let copy = 0;
    t.failing(n, () => {
      copy = t.raw.valueDup!(type, enc, t.raw.objValue!(obj));
    });
    if (!copy) {
      if (t.usedMemory !== held) throw new Error('leak');
      continue;
    }
    const twin = t.raw.holder!(3);
    t.raw.objMake!(twin, type, enc, copy);
    expect(t.scan(kind, twin).sort(sort)).toEqual(want);
    expect(t.raw.valueMemory!(type, enc, copy, 0)).toBeGreaterThan(0);
    while (!t.raw.valueFreeStep!(type, enc, copy, 10)) {}
    expect(t.usedMemory).toBe(held);
    return;
  }
}

/**
 * Draws until each of `count` numbers came about 50 times and judges by the sum of squares: beyond
 * five standard deviations no fair choice gets (and the seed is fixed).
 */
export function expectUniform(count: number, draw: () => number): void {
  const drawn = new Array<number>(count).fill(0);
  for (let i = 0; i < count * 50; i++) drawn[draw()]!++;
  const chi = drawn.reduce((sum, n) => sum + (n - 50) ** 2 / 50, 0);
  const freedom = count - 1;
  expect(Math.abs(chi - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom));
}
