// What geo commands calculate with: sine, cosine and arc sine against exact arithmetic on big
// integers, fixed-point text against the same, and the partial sort.

import { beforeAll, describe, expect, it } from 'vitest';
import { compile, type Module, Random } from './harness.js';

let m: Module;
beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
}, 60_000);

// ---- exact reals: integers in units of 2^-BITS

const BITS = 260n;
const ONE = 1n << BITS;
const buffer = new DataView(new ArrayBuffer(8));

/** A double as mantissa and exponent. */
function parts(x: number): [mant: bigint, exp: number] {
  buffer.setFloat64(0, x);
  const bits = buffer.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const mant = (bits & 0xfffffffffffffn) | (biased === 0 ? 0n : 1n << 52n);
  return [bits >> 63n ? -mant : mant, (biased || 1) - 1075];
}

function real(x: number): bigint {
  const [mant, exp] = parts(x);
  const shift = BITS + BigInt(exp);
  return shift >= 0n ? mant << shift : mant >> -shift;
}

/** Sum of the series of sine (`first` = 1) or cosine (0). */
function series(x: bigint, first: number): bigint {
  const square = (x * x) >> BITS;
  let term = first === 1 ? x : ONE;
  let sum = term;
  for (let n = first + 2; term !== 0n && term !== -1n; n += 2) {
    term = -((term * square) >> BITS) / BigInt(n * (n - 1));
    sum += term;
  }
  return sum;
}

/** Whether `got` is the double nearest to the real: nothing beside it is nearer. */
function isNearest(got: number, exact: (x: bigint) => bigint): boolean {
  const up = neighbour(got, 1n);
  const down = neighbour(got, -1n);
  const above = (real(got) + real(up)) / 2n;
  const below = (real(got) + real(down)) / 2n;
  return exact(above) >= 0n && exact(below) <= 0n;
}

function neighbour(x: number, by: bigint): number {
  buffer.setFloat64(0, x);
  const bits = buffer.getBigInt64(0);
  buffer.setBigInt64(0, bits + (x < 0 ? -by : by));
  return buffer.getFloat64(0);
}

describe('trigonometry is correctly rounded', () => {
  const angle = (r: Random): number => {
    const x = (r.next() * 2 - 1) * Math.PI;
    const kind = r.below(4);
    if (kind === 0) return x * 2 ** -r.below(24);
    // near the multiples of pi/2, where little is left of the argument
    if (kind === 1) return (Math.PI / 2) * (r.below(5) - 2) * (1 - r.next() * 2 ** -r.below(50));
    return x;
  };

  it('sine and cosine', () => {
    const r = new Random(5);
    for (let i = 0; i < 3000; i++) {
      const x = angle(r);
      const sine = series(real(x), 1);
      const cosine = series(real(x), 0);
      if (x !== 0 && !isNearest(m.exports.sinExact!(x), (at) => at - sine)) expect(x).toBe('sin');
      if (!isNearest(m.exports.cosExact!(x), (at) => at - cosine)) expect(x).toBe('cos');
    }
  });

  it('arc sine', () => {
    const r = new Random(6);
    for (let i = 0; i < 3000; i++) {
      const kind = r.below(3);
      const small = r.next() * 2 ** -r.below(kind === 1 ? 24 : 52);
      const x = kind === 0 ? r.next() : kind === 1 ? small : 1 - small;
      if (x === 0 || x === 1) continue;
      // the arc sine lies above a number if that number's sine lies below x
      const got = m.exports.asinExact!(x);
      if (!isNearest(got, (at) => series(at, 1) - real(x))) expect(x).toBe('asin');
    }
  });

  it('ends and what lies beyond', () => {
    const { sinExact, cosExact, asinExact } = m.exports;
    expect([sinExact!(0), cosExact!(0), asinExact!(0)]).toEqual([0, 1, 0]);
    expect(asinExact!(1)).toBe(Math.PI / 2);
    for (const x of [NaN, Infinity, -Infinity, 4, -4, 1e300]) {
      expect([sinExact!(x), cosExact!(x)]).toEqual([NaN, NaN]);
    }
    for (const x of [NaN, -0.5, 1.0000000000000002, Infinity]) expect(asinExact!(x)).toBe(NaN);
  });
});

describe('fixed-point text', () => {
  function expected(x: number, decimals: number): string {
    const [mant, exp] = parts(x);
    const scaled = (mant < 0n ? -mant : mant) * 10n ** BigInt(decimals);
    let digits = exp >= 0 ? scaled << BigInt(exp) : scaled >> BigInt(-exp);
    if (exp < 0) {
      const rest = (scaled - (digits << BigInt(-exp))) * 2n;
      const unit = 1n << BigInt(-exp);
      if (rest > unit || (rest === unit && digits & 1n)) digits++;
    }
    const text = String(digits).padStart(decimals + 1, '0');
    const sign = x < 0 || Object.is(x, -0) ? '-' : '';
    return `${sign}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
  }
  const fixed = (x: number, decimals: number) =>
    m.get(m.room, m.exports.formatFixed!(x, decimals, m.room));

  it('is that of printf', () => {
    const r = new Random(7);
    const odd = [0, -0, 0.5, 1.5, 2.5, 0.00005, 0.00015, 1e15, 2 ** 53, 2 ** 63, 2 ** 64, 5e-324];
    odd.push(1e300, -1.7976931348623157e308, 0.125, 0.0625, 0.03125, 2 ** -17, 2 ** -18, 1e22);
    for (let i = 0; i < 20000; i++) {
      buffer.setUint32(0, r.next() * 2 ** 32);
      buffer.setUint32(4, r.next() * 2 ** 32);
      const any = buffer.getFloat64(0);
      const tie = (r.below(2 ** 30) + 0.5) / 2 ** r.below(12);
      const x = i < odd.length ? odd[i]! : i % 3 === 0 ? any : i % 3 === 1 ? tie : r.next() * 2e7;
      if (!Number.isFinite(x)) continue;
      for (const decimals of [4, 6, 17]) {
        if (fixed(x, decimals) !== expected(x, decimals)) {
          expect([x, fixed(x, decimals)]).toEqual([x, expected(x, decimals)]);
        }
      }
    }
  });

  it('has words for what is no number, and a short form', () => {
    expect([fixed(Infinity, 6), fixed(-Infinity, 4), fixed(NaN, 4)]).toEqual([
      'inf',
      '-inf',
      '-nan',
    ]);
    const human = (x: number) => m.get(m.room, m.exports.formatHuman!(x, m.room));
    expect([1, -1.5, 0, -0, 180, 1e-30].map(human)).toEqual(['1', '-1.5', '0', '0', '180', '0']);
    expect(human(13.361389338970184)).toBe('13.36138933897018433');
  });
});

describe('partial sort', () => {
  function check(values: number[], wanted: number): void {
    const list = new Uint32Array(m.bytes.buffer, m.room, values.length);
    list.set(values);
    m.exports.sortFirst32!(m.room, values.length, wanted, m.exports.index32!(0));
    const sorted = [...values].sort((a, b) => a - b);
    expect([...list.slice(0, wanted)]).toEqual(sorted.slice(0, wanted));
    expect([...list].sort((a, b) => a - b)).toEqual(sorted);
  }

  it('puts the first ones in place and loses none', () => {
    const r = new Random(8);
    for (let i = 0; i < 400; i++) {
      const length = 1 + r.below(i % 4 === 0 ? 2000 : 60);
      const values = Array.from({ length }, () => r.below(i % 3 === 0 ? 5 : 1 << 30));
      check(values, 1 + r.below(length));
    }
  });

  it('ends whatever the comparator says, and soon whatever the order', () => {
    const length = 20000;
    const pipe = Array.from({ length }, (_, i) => (i < length / 2 ? i : length - i));
    for (const values of [pipe, [...pipe].reverse(), pipe.map(() => 1), pipe.map((_, i) => i)]) {
      check(values, length / 2);
    }
    m.exports.sortFirst32!(m.room, length, length, m.exports.index32!(1));
  });
});
