// Foreign bytes: every cut and thousands of mutations of valid blobs. The check says no, or every
// walk stays inside and agrees. Blobs lie at the very end of memory, so reading on is a trap; and
// each is judged twice among different neighbours, so reading around it would show.

import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameAll } from '../../support/same.js';
import { Encoding, element, Rng } from './support/module.js';
import { intset, mutate, ziplist, zipmap } from './support/old-forms.js';

const ROUNDS = 20_000;
let m: Encoding;
beforeAll(async () => {
  m = await Encoding.load();
}, 60_000);

/** Puts the blob at the end of memory, with `fill` in the 64 bytes before it. */
function atEnd(blob: Uint8Array, fill: number): number {
  const ptr = m.memory.buffer.byteLength - blob.length;
  new Uint8Array(m.memory.buffer, ptr - 64, 64).fill(fill);
  m.write(ptr, blob);
  return ptr;
}

function lpWalk(ptr: number, len: number): number {
  const forwards = m.list(ptr);
  const backwards: Buffer[] = [];
  for (let p = m.raw.lpLast!(ptr); p; p = m.raw.lpPrev!(ptr, p)) backwards.push(m.text(p));
  expect(forwards.length).toBe(m.global('lpCheckCount'));
  expectSameAll(backwards.reverse(), forwards);
  const size = forwards.reduce((sum, e) => sum + Math.min(e.length, 1), 0);
  expect(size).toBeLessThanOrEqual(len);
  const unique = new Set(forwards.map((e) => e.toString('latin1'))).size === forwards.length;
  expect(m.raw.lpCheckUnique!(ptr, 1)).toBe(unique ? 1 : 0);
  expect(m.raw.lpCheckMultiple!(ptr, 2)).toBe(forwards.length % 2 ? 0 : 1);
  return forwards.length;
}

function zlWalk(ptr: number): number {
  const end = m.raw.zlEnd!(ptr);
  let count = 0;
  const texts: Buffer[] = [];
  for (let p = m.raw.zlFirst!(ptr); p; p = m.raw.zlNext!(p, end)) {
    const text = m.raw.zlGetText!(p, end);
    texts.push(m.read(text, m.global('zlValLen')));
    count++;
  }
  expect(count).toBe(m.raw.zlLength!(ptr));
  const lp = m.raw.zlToListpack!(ptr);
  expect(m.raw.lpValidate!(lp, m.raw.lpBytes!(lp))).toBe(1);
  expectSameAll(m.list(lp), texts);
  m.raw.lpFree!(lp);
  return count;
}

function zmWalk(ptr: number, len: number): number {
  const end = ptr + len - 1;
  let p = m.raw.zmFirst!(ptr);
  const texts: Buffer[] = [];
  for (;;) {
    p = m.raw.zmNext!(p, end);
    if (!p) break;
    texts.push(m.read(m.global('zmFieldPtr'), m.global('zmFieldLen')));
    texts.push(m.read(m.global('zmValuePtr'), m.global('zmValueLen')));
  }
  expect(texts.length).toBe(m.global('zmCheckCount') * 2);
  const lp = m.raw.zmToListpack!(ptr, len);
  expectSameAll(m.list(lp), texts);
  m.raw.lpFree!(lp);
  return texts.length / 2;
}

function isWalk(ptr: number): number {
  const count = m.raw.intsetLen!(ptr);
  const get = m.big('intsetGet');
  for (let i = 0; i < count; i++) {
    expect(m.raw.intsetFind!(ptr, get(ptr, i))).toBe(1);
    expect(m.global('intsetPos')).toBe(i);
  }
  return count;
}

const items = (rng: Rng, pairs: number) =>
  Array.from({ length: pairs * 2 }, () => element(rng, !rng.below(20)));

const forms = [
  {
    name: 'listpack',
    check: 'lpValidate',
    make(rng: Rng): Buffer {
      let lp = m.raw.lpNew!(0);
      for (const e of items(rng, rng.below(12))) lp = m.raw.lpAppend!(lp, m.input(e), e.length);
      const blob = m.lp(lp);
      m.raw.lpFree!(lp);
      return blob;
    },
    walk: lpWalk,
  },
  {
    name: 'ziplist',
    check: 'zlValidate',
    make: (rng: Rng) => ziplist(items(rng, rng.below(12)), rng),
    walk: zlWalk,
  },
  {
    name: 'zipmap',
    check: 'zmValidate',
    make: (rng: Rng) => zipmap(items(rng, rng.below(12)), rng),
    walk: zmWalk,
  },
  {
    name: 'intset',
    check: 'intsetValidate',
    make(rng: Rng): Buffer {
      const shift = BigInt(rng.pick([0, 32, 20]));
      const some = Array.from({ length: 1 + rng.below(30) }, () => BigInt(rng.u32() | 0));
      return intset(some.map((v) => (shift === 20n ? v >> shift : v << shift)));
    },
    walk: isWalk,
  },
];

describe.each(forms)('$name', ({ check, make, walk }) => {
  function judge(blob: Buffer): boolean {
    const other = m.raw[check]!(atEnd(blob, 0xff), blob.length);
    const ptr = atEnd(blob, 0);
    const verdict = m.raw[check]!(ptr, blob.length);
    expect(verdict).toBe(other);
    if (verdict) walk(ptr, blob.length);
    return verdict === 1;
  }

  it('accepts what is valid', () => {
    const rng = new Rng(5);
    for (let i = 0; i < 300; i++) expect(judge(make(rng))).toBe(true);
  });

  it('refuses every cut', () => {
    const rng = new Rng(6);
    for (let i = 0; i < 12; i++) {
      const blob = make(rng);
      for (let len = 0; len < blob.length; len++) judge(blob.subarray(0, len));
      for (let len = 0; len < blob.length; len++) {
        // with the length in the header made to agree
        const cut = Buffer.from(blob.subarray(0, len));
        if (check !== 'zmValidate' && len >= 4) cut.writeUInt32LE(len, 0);
        judge(cut);
      }
    }
  }, 60_000);

  it(`survives ${ROUNDS} mutations`, () => {
    const rng = new Rng(7);
    let accepted = 0;
    let blob = make(rng);
    for (let i = 0; i < ROUNDS; i++) {
      if (i % 50 === 0) blob = make(rng);
      if (judge(mutate(blob, rng))) accepted++;
    }
    expect(accepted).toBeGreaterThan(ROUNDS / 100);
    expect(accepted).toBeLessThan(ROUNDS);
  }, 120_000);

  it('leaves nothing behind', () => {
    expect(m.raw.testBroken!()).toBe(0);
    expect(m.raw.testLive!()).toBeLessThanOrEqual(1);
  });
});

describe('lzf', () => {
  /** The format in its plainest form, to judge against. */
  function reference(src: Buffer, dstLen: number): Buffer | undefined {
    const out: number[] = [];
    for (let i = 0; i < src.length; ) {
      const c = src[i++]!;
      if (c < 32) {
        for (let k = 0; k <= c; k++) {
          if (i >= src.length) return undefined;
          out.push(src[i++]!);
        }
      } else {
        let len = c >> 5;
        if (len === 7) {
          if (i >= src.length) return undefined;
          len += src[i++]!;
        }
        if (i >= src.length) return undefined;
        const from = out.length - (((c & 31) << 8) | src[i++]!) - 1;
        if (from < 0) return undefined;
        for (let k = 0; k < len + 2; k++) out.push(out[from + k]!);
      }
      if (out.length > dstLen) return undefined;
    }
    return out.length === dstLen ? Buffer.from(out) : undefined;
  }

  function judge(src: Buffer, dstLen: number): void {
    const want = reference(src, dstLen);
    // Both ends guarded: the input before the output, the output at the end of memory.
    const dst = atEnd(Buffer.alloc(dstLen, 0xee), 0x5a);
    const from = dst - 64 - src.length;
    m.write(from, src);
    const ok = m.raw.lzfDecompress!(from, src.length, dst, dstLen);
    expect(ok).toBe(want ? 1 : 0);
    expect(m.read(dst - 64, 64).every((b) => b === 0x5a)).toBe(true);
    if (want && !m.read(dst, dstLen).equals(want)) throw new Error('differs');
    // And the input at the end of memory, so that reading on traps.
    const end = m.memory.buffer.byteLength;
    m.write(end - src.length, src);
    const out = end - src.length - dstLen - 64;
    expect(m.raw.lzfDecompress!(end - src.length, src.length, out, dstLen)).toBe(ok);
  }

  function text(rng: Rng): Buffer {
    const out = rng.bytes(1 + rng.below(700));
    for (let i = 1 + rng.below(30); i < out.length; i++) {
      if (rng.below(8)) out[i] = out[Math.max(0, i - 1 - rng.below(rng.pick([1, 3, 9, 200])))]!;
    }
    return out;
  }

  function pack(raw: Buffer): Buffer {
    const src = m.input(raw);
    const dst = m.raw.alloc!(raw.length * 2 + 16);
    const len = m.raw.lzfCompress!(src, raw.length, dst, raw.length * 2 + 16);
    const out = m.read(dst, len);
    m.raw.free!(dst);
    return out;
  }

  it('returns what it was given', () => {
    const rng = new Rng(8);
    for (let i = 0; i < 3000; i++) {
      const raw = text(rng);
      const packed = pack(raw);
      expect(reference(packed, raw.length)?.equals(raw)).toBe(true);
      judge(packed, raw.length);
    }
  });

  it('writes nothing beyond its capacity', () => {
    const rng = new Rng(9);
    for (let i = 0; i < 60; i++) {
      const raw = text(rng).subarray(0, 200);
      const src = m.input(raw);
      const full = pack(raw);
      for (let cap = 0; cap <= full.length + 4; cap++) {
        const dst = atEnd(Buffer.alloc(cap), 0);
        const len = m.raw.lzfCompress!(src, raw.length, dst, cap);
        expect(len).toBeLessThanOrEqual(cap);
        if (len) expect(m.read(dst, len).equals(full)).toBe(true);
        if (cap === full.length + 4) expect(len).toBe(full.length);
      }
    }
  });

  it('reads nothing beyond the input when it compresses', () => {
    const rng = new Rng(10);
    for (let i = 0; i < 3000; i++) {
      const raw = text(rng).subarray(0, 1 + rng.below(80));
      const dst = m.input(Buffer.alloc(4096));
      m.raw.lzfCompress!(atEnd(raw, 0), raw.length, dst, 4096);
    }
  });

  it(`survives cuts and ${ROUNDS} mutations`, () => {
    const rng = new Rng(12);
    let raw = text(rng);
    let packed = pack(raw);
    for (let len = 0; len < packed.length; len++) judge(packed.subarray(0, len), raw.length);
    for (let i = 0; i < ROUNDS; i++) {
      if (i % 50 === 0) {
        raw = text(rng);
        packed = pack(raw);
      }
      judge(mutate(packed, rng), rng.below(4) ? raw.length : rng.below(800));
    }
  }, 60_000);
});
