// Model tests: long seeded runs of operations, the same on plain JavaScript values.

import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameAll } from '../../support/same.js';
import { Encoding, element, Rng } from './support/module.js';
import { intset } from './support/old-forms.js';

let m: Encoding;
beforeAll(async () => {
  m = await Encoding.load();
}, 60_000);

function u32s(values: number[]): number {
  const bytes = new Uint8Array(new Uint32Array(values).buffer);
  const ptr = m.raw.alloc!(bytes.length + 4);
  m.write(ptr, bytes);
  return ptr;
}

/** One operation on both; `failing` makes allocation fail: then nothing may have changed. */
class Pair {
  lp = m.raw.lpNew!(0);
  model: Buffer[] = [];

  attempt(call: () => number, apply: () => void, failing: boolean): boolean {
    const before = failing ? m.lp(this.lp) : undefined;
    if (failing) m.raw.testBudget!(0);
    const result = call();
    m.raw.testBudget!(-1);
    if (result) {
      this.lp = result;
      apply();
    } else {
      if (!failing) throw new Error('failed without need');
      if (!before!.equals(m.lp(this.lp))) throw new Error('changed although it failed');
    }
    return result !== 0;
  }

  step(rng: Rng, failing: boolean): boolean {
    const r = m.raw;
    const n = this.model.length;
    const limit = 60;
    const grow = n === 0 || (n < limit && rng.below(5) < 3);
    const e = element(rng);
    const ptr = m.input(e);
    const index = n ? rng.below(n) : 0;
    const p = n ? r.lpSeek!(this.lp, rng.below(2) ? index : index - n) : 0;
    const num = BigInt.asIntN(64, (BigInt(rng.u32()) << 32n) >> BigInt(rng.below(64)));
    const word = Buffer.from(String(num));
    const run = (call: () => number, apply: () => void) => this.attempt(call, apply, failing);
    const put = (at: number, del: number, item: Buffer) => () => {
      this.model.splice(at, del, item);
      if (!m.text(m.global('lpAt')).equals(item)) throw new Error('lpAt');
    };
    const gone = (at: number, del: number) => () => {
      this.model.splice(at, del);
      const next = m.global('lpAt');
      if (at >= this.model.length ? next : !m.text(next).equals(this.model[at]!)) {
        throw new Error('lpAt after delete');
      }
    };
    if (grow) {
      switch (rng.below(n ? 8 : 2)) {
        case 0:
          return run(() => r.lpAppend!(this.lp, ptr, e.length), put(n, 0, e));
        case 1:
          return run(() => r.lpAppendInt!(this.lp, num), put(n, 0, word));
        case 2:
          return run(() => r.lpPrepend!(this.lp, ptr, e.length), put(0, 0, e));
        case 3:
          return run(() => r.lpPrependInt!(this.lp, num), put(0, 0, word));
        case 4:
          return run(() => r.lpInsertBefore!(this.lp, p, ptr, e.length), put(index, 0, e));
        case 5:
          return run(() => r.lpInsertAfter!(this.lp, p, ptr, e.length), put(index + 1, 0, e));
        case 6:
          return run(() => r.lpInsertIntBefore!(this.lp, p, num), put(index, 0, word));
        default:
          return run(() => r.lpInsertIntAfter!(this.lp, p, num), put(index + 1, 0, word));
      }
    }
    const some = 1 + rng.below(4);
    switch (rng.below(9)) {
      case 0:
      case 1:
        return run(() => r.lpReplace!(this.lp, p, ptr, e.length), put(index, 1, e));
      case 2:
        return run(() => r.lpReplaceInt!(this.lp, p, num), put(index, 1, word));
      case 3:
      case 4:
        return run(() => r.lpDelete!(this.lp, p), gone(index, 1));
      case 5:
        return run(() => r.lpDeleteRangeAt!(this.lp, p, some), gone(index, some));
      case 6:
        return run(() => r.lpDeleteRange!(this.lp, index - n, some), gone(index, some));
      case 7:
        return this.batchDelete(rng, failing);
      default:
        return this.merge(rng, failing);
    }
  }

  batchDelete(rng: Rng, failing: boolean): boolean {
    const picks = [...this.model.keys()].filter(() => !rng.below(6));
    const ps = u32s(picks.map((i) => m.raw.lpSeek!(this.lp, i)));
    const drop = (): void => {
      this.model = this.model.filter((_, i) => !picks.includes(i));
    };
    const done = this.attempt(() => m.raw.lpBatchDelete!(this.lp, ps, picks.length), drop, failing);
    m.raw.free!(ps);
    return done;
  }

  merge(rng: Rng, failing: boolean): boolean {
    const items = Array.from({ length: rng.below(30) }, () => element(rng));
    let other = m.raw.lpNew!(0);
    for (const item of items) other = m.raw.lpAppend!(other, m.input(item), item.length);
    const front = rng.below(2) === 1;
    const kept = m.lp(other);
    const call = () => (front ? m.raw.lpMerge!(other, this.lp) : m.raw.lpMerge!(this.lp, other));
    let merged = false;
    const apply = () => {
      merged = true;
      this.model = front ? [...items, ...this.model] : [...this.model, ...items];
    };
    this.attempt(call, apply, failing);
    if (merged) return true;
    if (!kept.equals(m.lp(other))) throw new Error('other changed although it failed');
    m.raw.lpFree!(other);
    return false;
  }

  check(rng: Rng): void {
    const r = m.raw;
    const n = this.model.length;
    expect(r.lpValidate!(this.lp, r.lpBytes!(this.lp))).toBe(1);
    expect(r.lpLength!(this.lp)).toBe(n);
    expectSameAll(m.list(this.lp), this.model);
    expect(r.lpSeek!(this.lp, n)).toBe(0);
    expect(r.lpSeek!(this.lp, -n - 1)).toBe(0);
    const picks = Array.from({ length: 5 }, () => rng.below(n || 1)).sort((a, b) => a - b);
    const at = u32s(picks);
    const out = r.alloc!(32);
    const found = r.lpFetchSorted!(this.lp, at, 5, out);
    expect(found).toBe(n ? 5 : 0);
    const ptrs = m.read(out, 20);
    const texts = Array.from({ length: found }, (_, i) => m.text(ptrs.readUInt32LE(i * 4)));
    expectSameAll(
      texts,
      picks.slice(0, found).map((pick) => this.model[pick]!),
    );
    r.free!(at);
    r.free!(out);
    for (const skip of [0, 1, 2]) {
      const want = rng.below(4) ? this.model[rng.below(n || 1)] : element(rng);
      if (!want) continue;
      const index = this.model.findIndex((e, i) => i % (skip + 1) === 0 && e.equals(want));
      const p = r.lpFind!(this.lp, r.lpFirst!(this.lp), m.input(want), want.length, skip);
      expect(p).toBe(index < 0 ? 0 : r.lpSeek!(this.lp, index));
      if (p) expect(r.lpCompare!(p, m.input(want), want.length)).toBe(1);
    }
    // Rebuilt from nothing it is the same bytes: no history shows.
    let again = r.lpNew!(0);
    for (const e of this.model) again = r.lpAppend!(again, m.input(e), e.length);
    expect(m.lp(again).equals(m.lp(this.lp))).toBe(true);
    r.lpFree!(again);
  }
}

describe('listpack', () => {
  it('follows an array through 100,000 operations, some without memory', () => {
    const rng = new Rng(1);
    for (let list = 0; list < 20; list++) {
      const pair = new Pair();
      for (let op = 0; op < 5000; op++) {
        pair.step(rng, !rng.below(8));
        if (op % 25 === 0) pair.check(rng);
      }
      pair.lp = m.raw.lpShrinkToFit!(pair.lp);
      pair.check(rng);
      m.raw.lpFree!(pair.lp);
    }
    expect(m.raw.testBroken!()).toBe(0);
    expect(m.raw.testLive!()).toBe(1);
  }, 120_000);

  it('passes 65535 entries both ways', () => {
    const r = m.raw;
    let lp = r.lpNew!(0);
    for (let i = 0; i < 65_534; i++) lp = r.lpAppendInt!(lp, 1n);
    expect(m.lp(lp).readUInt16LE(4)).toBe(65_534);
    lp = r.lpAppendInt!(lp, 2n);
    expect(m.lp(lp).readUInt16LE(4)).toBe(65_535);
    expect(r.lpLength!(lp)).toBe(65_535);
    lp = r.lpPrependInt!(lp, 3n);
    expect(r.lpLength!(lp)).toBe(65_536);
    expect(r.lpSeek!(lp, 65_535)).toBe(r.lpLast!(lp));
    expect(r.lpSeek!(lp, -65_536)).toBe(r.lpFirst!(lp));
    expect(r.lpSeek!(lp, 65_536)).toBe(0);
    expect(r.lpCheckMultiple!(lp, 2)).toBe(1);
    expect(r.lpCheckUnique!(lp, 2)).toBe(0);
    lp = r.lpDeleteRange!(lp, -70_000, 5);
    expect(r.lpLength!(lp)).toBe(65_536);
    lp = r.lpDeleteRange!(lp, 65_000, 100_000);
    expect(m.lp(lp).readUInt16LE(4)).toBe(65_535);
    expect(r.lpValidate!(lp, r.lpBytes!(lp))).toBe(1);
    expect(r.lpLength!(lp)).toBe(65_000);
    expect(m.lp(lp).readUInt16LE(4)).toBe(65_000);
    lp = r.lpMerge!(lp, r.lpDup!(lp));
    expect(m.lp(lp).readUInt16LE(4)).toBe(65_535);
    expect(r.lpLength!(lp)).toBe(130_000);
    expect(m.lp(lp).readUInt16LE(4)).toBe(65_535);
    r.lpFree!(lp);
  }, 30_000);

  it('finds duplicates among many keys, or says that memory is out', () => {
    const r = m.raw;
    let lp = r.lpNew!(0);
    for (let i = 0; i < 5000; i++) {
      const key = Buffer.from(i % 2 ? `key:${(i * 7919) % 5000}` : String((i * 7919) % 5000));
      lp = r.lpAppend!(lp, m.input(key), key.length);
    }
    expect(r.lpCheckUnique!(lp, 1)).toBe(1);
    m.raw.testBudget!(0);
    expect(r.lpCheckUnique!(lp, 1)).toBe(-1);
    m.raw.testBudget!(-1);
    lp = r.lpPrependInt!(lp, 4242n);
    expect(r.lpCheckUnique!(lp, 1)).toBe(0);
    r.lpFree!(lp);
    // An integer stored as a string is the same key.
    const blob = Buffer.from([12, 0, 0, 0, 2, 0, 5, 1, 0x81, 0x35, 2, 255]);
    expect(r.lpValidate!(m.input(blob), blob.length)).toBe(1);
    expect(r.lpCheckUnique!(m.input(blob), 1)).toBe(0);
  });

  it('appends without moving each time', () => {
    let lp = m.raw.lpNew!(0);
    let moves = 0;
    for (let i = 0; i < 20_000; i++) {
      const next = m.raw.lpAppendInt!(lp, BigInt(i));
      if (next !== lp) moves++;
      lp = next;
    }
    expect(moves).toBeLessThan(100);
    m.raw.lpFree!(lp);
  });
});

describe('intset', () => {
  it('follows a Set through 40,000 operations, some without memory', () => {
    const rng = new Rng(2);
    for (let set = 0; set < 40; set++) {
      let is = m.raw.intsetNew!();
      const model = new Set<bigint>();
      let width = 2;
      const scale = BigInt(rng.pick([1, 1, 100, 2 ** 20, 2 ** 33]));
      for (let op = 0; op < 1000; op++) {
        const v = BigInt(rng.below(400) - 200) * scale + BigInt(rng.below(2));
        const failing = !rng.below(8);
        const before = m.read(is, m.raw.intsetBytes!(is));
        if (failing) m.raw.testBudget!(0);
        const adding = rng.below(3) > 0;
        const next = adding ? m.raw.intsetAdd!(is, v) : m.raw.intsetRemove!(is, v);
        m.raw.testBudget!(-1);
        if (!next) {
          expect(failing && adding).toBe(true);
          expect(m.read(is, before.length).equals(before)).toBe(true);
          expect(m.raw.intsetLen!(is)).toBe(model.size);
          continue;
        }
        is = next;
        expect(m.global('intsetChanged')).toBe(model.has(v) === adding ? 0 : 1);
        if (adding) model.add(v);
        else model.delete(v);
        if (adding) width = Math.max(width, intset([v]).readUInt32LE(0));
        if (op % 10) continue;
        expect(m.raw.intsetWidth!(is)).toBe(width);
        const sorted = [...model].sort((a, b) => (a < b ? -1 : 1));
        const got = sorted.map((_, i) => m.big('intsetGet')(is, i));
        expect(got).toEqual(sorted);
        if (!sorted.length) continue;
        expect(m.raw.intsetValidate!(is, m.raw.intsetBytes!(is))).toBe(1);
        expect(m.big('intsetMin')(is)).toBe(sorted[0]);
        expect(m.big('intsetMax')(is)).toBe(sorted.at(-1));
        expect(model.has(m.big('intsetRandom')(is, rng.u32()))).toBe(true);
        expect(m.big('intsetRandom')(is, 0)).toBe(sorted[0]);
        expect(m.big('intsetRandom')(is, 0xffffffff)).toBe(sorted.at(-1));
        const probe = BigInt(rng.below(400) - 200) * scale;
        expect(m.raw.intsetFind!(is, probe)).toBe(model.has(probe) ? 1 : 0);
        expect(m.global('intsetPos')).toBe(sorted.filter((x) => x < probe).length);
      }
      m.raw.intsetFree!(is);
    }
    expect(m.raw.testBroken!()).toBe(0);
    expect(m.raw.testLive!()).toBe(1);
  }, 60_000);
});

describe('integers as text', () => {
  it('reads back what it prints', () => {
    const rng = new Rng(3);
    const buf = m.raw.alloc!(32);
    for (let i = 0; i < 50_000; i++) {
      const wide = (BigInt(rng.u32()) << 32n) | BigInt(rng.u32());
      const v = BigInt.asIntN(64, BigInt.asIntN(64, wide) >> BigInt(rng.below(64)));
      const len = m.raw.intFormat!(v, buf);
      expect(m.read(buf, len).toString()).toBe(String(v));
      expect(m.raw.intParse!(buf, len)).toBe(1);
      expect(m.globalBig('intParsed')).toBe(v);
    }
    for (let i = 0; i < 20_000; i++) {
      const e = element(rng);
      const s = e.toString('latin1');
      const canonical = /^(0|-?[1-9][0-9]*)$/.test(s) && BigInt(s) === BigInt.asIntN(64, BigInt(s));
      expect(m.raw.intParse!(m.input(e), e.length)).toBe(canonical ? 1 : 0);
    }
    m.raw.free!(buf);
  });
});
