/** string2d, formatG17, formatShortest against JavaScript numbers and exact BigInt arithmetic. */
import { beforeAll, describe, expect, it } from 'vitest';
import { compile, type Module, Random } from './harness.js';

let m: Module;
const scratch = new DataView(new ArrayBuffer(8));

beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
});

function fromBits(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

/** |x| as mant × 2^exp. */
function parts(x: number): { mant: bigint; exp: number } {
  scratch.setFloat64(0, Math.abs(x));
  const bits = scratch.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const low = bits & 0xfffffffffffffn;
  return { mant: biased ? low | (1n << 52n) : low, exp: (biased || 1) - 1075 };
}

/** Exactly "%.17g". */
function g17(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  const sign = x < 0 || Object.is(x, -0) ? '-' : '';
  if (x === 0) return `${sign}0`;
  if (!Number.isFinite(x)) return `${sign}inf`;
  const { mant, exp } = parts(x);
  let k = Math.floor(Math.log10(Math.abs(x))) - 1;
  let digits = 0n;
  for (; ; k++) {
    const q = 16 - k;
    const up = mant * 2n ** BigInt(Math.max(exp, 0)) * 10n ** BigInt(Math.max(q, 0));
    const down = 2n ** BigInt(Math.max(-exp, 0)) * 10n ** BigInt(Math.max(-q, 0));
    digits = up / down;
    const rest = (up % down) * 2n;
    if (rest > down || (rest === down && digits & 1n)) digits++;
    if (digits < 10n ** 17n) break;
  }
  const text = digits.toString();
  const trimmed = text.replace(/0+$/, '');
  if (k < -4 || k >= 17) {
    const e = String(Math.abs(k)).padStart(2, '0');
    const head = trimmed.length > 1 ? `${trimmed[0]}.${trimmed.slice(1)}` : trimmed;
    return `${sign}${head}e${k < 0 ? '-' : '+'}${e}`;
  }
  if (k < 0) return `${sign}0.${'0'.repeat(-k - 1)}${trimmed}`;
  const fraction = trimmed.slice(k + 1);
  return sign + text.slice(0, k + 1) + (fraction ? `.${fraction}` : '');
}

/** JavaScript's shortest digits in fpconv's layout. */
function shortest(x: number): string {
  const sign = x < 0 || Object.is(x, -0) ? '-' : '';
  if (x === 0) return `${sign}0`;
  if (Math.abs(x) <= 2 ** 62 && Number.isInteger(x)) return BigInt(x).toString();
  const [head = '', e = '0'] = Math.abs(x).toExponential().split('e');
  const digits = head.replace('.', '');
  const k = Number(e) - digits.length + 1;
  const exponent = Number(e);
  if (k >= 0 && Math.abs(exponent) < digits.length + 7) return sign + digits + '0'.repeat(k);
  if (k < 0 && (k > -7 || Math.abs(exponent) < 4)) {
    const at = digits.length + k;
    if (at <= 0) return `${sign}0.${'0'.repeat(-at)}${digits}`;
    return `${sign}${digits.slice(0, at)}.${digits.slice(at)}`;
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
}

function parse(text: string): number | undefined {
  const len = m.put(m.room, text);
  return m.exports.string2d!(m.room, len) ? m.exports.doubleValue.value : undefined;
}

function format(x: number, name: 'formatG17' | 'formatShortest'): string {
  return m.get(m.room, m.exports[name]!(x, m.room));
}

function checkParse(text: string): void {
  const wanted = Number(text);
  const zero = /^[-+]?[0.]+(e|$)/i.test(text);
  const isRefused = !Number.isFinite(wanted) || (wanted === 0 && !zero);
  const got = parse(text);
  if (isRefused ? got !== undefined : !Object.is(got, wanted)) {
    expect.fail(`${text}: ${got}, not ${isRefused ? 'refused' : wanted}`);
  }
}

function randomDouble(random: Random): number {
  for (;;) {
    const x = fromBits(random.bits64());
    if (Number.isFinite(x)) return x;
  }
}

/** The exact decimal digits of mant × 2^exp, as digits and a power of ten. */
function exactText(mant: bigint, exp: number): { digits: bigint; ten: number } {
  if (exp >= 0) return { digits: mant << BigInt(exp), ten: 0 };
  return { digits: mant * 5n ** BigInt(-exp), ten: exp };
}

describe('powers of ten', () => {
  it('are the 128 leading bits, and none would carry when rounded up', () => {
    m.exports.powEnsure!();
    for (let q = -342; q <= 345; q++) {
      let exact: bigint;
      if (q >= 0) {
        const five = 5n ** BigInt(q);
        const bits = five.toString(2).length;
        exact = bits > 128 ? five >> BigInt(bits - 128) : five << BigInt(128 - bits);
      } else {
        const reciprocal = (1n << 1200n) / 5n ** BigInt(-q);
        exact = reciprocal >> BigInt(reciprocal.toString(2).length - 128);
      }
      const hi = BigInt.asUintN(64, m.exports.powHi!(q));
      const lo = BigInt.asUintN(64, m.exports.powLo!(q));
      expect((hi << 64n) | lo).toBe(exact);
      expect(lo === (1n << 64n) - 1n).toBe(false);
      const log2 =
        q >= 0
          ? (10n ** BigInt(q)).toString(2).length - 1
          : -(10n ** BigInt(-q)).toString(2).length;
      expect(m.exports.powExponent!(q)).toBe(log2);
    }
  });
});

describe('string2d', () => {
  it('reads back 200,000 random doubles in their shortest and 17-digit forms', () => {
    const random = new Random(1);
    for (let i = 0; i < 100_000; i++) {
      const x = randomDouble(random);
      checkParse(String(x));
      checkParse(x.toExponential(16));
    }
  });

  it('agrees on 200,000 random digit strings of 1 to 40 digits', () => {
    const random = new Random(2);
    for (let i = 0; i < 200_000; i++) {
      let digits = random.digits(1 + random.below(random.below(4) ? 20 : 40));
      const point = random.below(digits.length + 1);
      if (random.below(2)) digits = `${digits.slice(0, point)}.${digits.slice(point)}`;
      const kind = random.below(4);
      const span = kind === 0 ? 30 : 345;
      const e =
        kind === 3
          ? ''
          : `${random.pick(['e', 'E'])}${random.pick(['', '+', '-'])}${random.below(span)}`;
      checkParse(random.pick(['', '-', '+']) + digits + e);
    }
  });

  it('decides 20,000 texts at, just below and just above the middle of two doubles', () => {
    const random = new Random(3);
    for (let i = 0; i < 5000; i++) {
      const kind = random.below(4);
      let bits = random.bits64() & 0x7fffffffffffffffn;
      if (kind === 0) bits &= 0xfffffffffffffn; // subnormal
      if (kind === 1) bits = (bits & 0xfffffffffffffn) | (BigInt(1023 + random.below(70)) << 52n);
      if (bits >= 0x7fe0000000000000n) continue;
      const { mant, exp } = parts(fromBits(bits));
      const { digits, ten } = exactText(mant * 2n + 1n, exp - 1);
      checkParse(`${digits}e${ten}`);
      const zeros = random.below(900);
      checkParse(`${digits}${'0'.repeat(zeros)}1e${ten - zeros - 1}`);
      checkParse(`${digits}0000000001e${ten - 10}`);
      checkParse(`${digits - 1n}9999e${ten - 4}`);
    }
  });

  it('takes and refuses what redis-server does', () => {
    for (const text of [
      '',
      '.',
      '+',
      '-',
      '+-1',
      ' 1',
      '1 ',
      '1e',
      '1e+',
      '1x',
      '1,5',
      'nan',
      '+nan',
      '-nan',
      'nan(abc)',
      'infin',
      'in',
      'infinit',
      'infinityx',
      '0x',
      '0x1p',
      '0x.p1',
      '1..2',
      '1.2.3',
      '0x1..2',
      '1e400',
      '-1e400',
      '1e-400',
      '0x1p1024',
      '0x1p99999',
      '0x1p-1075',
      '1\0',
      '\0',
      'e5',
      '.e5',
      '1e99999999999999999999999',
      '1e-99999999999999999999999',
      '0x1p-9999999999999999999999',
    ]) {
      expect(parse(text), JSON.stringify(text)).toBeUndefined();
    }
    const taken: [string, number][] = [
      ['inf', Infinity],
      ['+inf', Infinity],
      ['-inf', -Infinity],
      ['Infinity', Infinity],
      ['-INFINITY', -Infinity],
      ['iNf', Infinity],
      ['.5', 0.5],
      ['5.', 5],
      ['0x1p3', 8],
      ['0X1.8P+1', 3],
      ['-0x.8', -0.5],
      ['0xff', 255],
      ['0x1p-1074', 5e-324],
      ['0x1.fffffffffffff8p+0', 2],
      ['0x1.fffffffffffff7p+0', 1.9999999999999998],
      ['0x1.00000000000008p+0', 1],
      ['0x1.000000000000080000000000000000000001p+0', 1.0000000000000002],
      [`0x0.${'0'.repeat(38)}1p+200`, 2 ** 44],
      ['0x1.fffffffffffffp-1023', 2.2250738585072014e-308],
      ['0x0p-5000', 0],
      ['-0', -0],
      ['-0x0', -0],
      ['0e-99999999999999999999', 0],
      ['0e99999999999999999999', 0],
      ['1e-320', 1e-320],
      ['2.2250738585072011e-308', 2.225073858507201e-308],
      ['1.7976931348623157e308', Number.MAX_VALUE],
      ['1.7976931348623158e308', Number.MAX_VALUE],
      [`${'0'.repeat(5000)}1`, 1],
      [`0.${'0'.repeat(5000)}1e5001`, 1],
      [`1${'0'.repeat(20000)}e-20000`, 1],
      [`1${'0'.repeat(20000)}1e-20001`, 1],
    ];
    for (const [text, value] of taken) expect(parse(text), text).toBe(value);
    const half = `9007199254740993${'0'.repeat(20000)}`;
    expect(parse(`${half}e-20000`)).toBe(9007199254740992);
    expect(parse(`${half}1e-20001`)).toBe(9007199254740994);
  });
});

describe('formatting', () => {
  function both(x: number): void {
    if (format(x, 'formatG17') !== g17(x)) expect.fail(`%.17g of ${x}: ${format(x, 'formatG17')}`);
    if (format(x, 'formatShortest') !== shortest(x)) {
      expect.fail(`shortest of ${x}: ${format(x, 'formatShortest')} not ${shortest(x)}`);
    }
  }

  it('prints 100,000 random doubles exactly', () => {
    const random = new Random(4);
    for (let i = 0; i < 100_000; i++) both(randomDouble(random));
  });

  it('prints 100,000 friendly numbers, ties, powers and subnormals exactly', () => {
    const random = new Random(5);
    for (let i = 0; i < 25_000; i++) {
      both(Number(`${random.below(1e6)}e${random.below(50) - 30}`));
      both((random.below(2 ** 30) * 2 + 1) * 2 ** -random.below(70));
      both(fromBits(random.bits64() & 0xfffffffffffffn));
      both(Number(random.bits64() >> BigInt(random.below(64))) * (random.below(2) || -1));
    }
    for (let e = -1074; e < 1024; e++) for (const f of [1, 1 + 2 ** -52, 1.5]) both(f * 2 ** e);
    for (let e = -323; e < 309; e++) {
      const x = Number(`1e${e}`);
      for (const d of [-2, -1, 0, 1, 2]) {
        scratch.setFloat64(0, x);
        both(fromBits(scratch.getBigUint64(0) + BigInt(Math.max(d, x < 1e-322 ? 0 : d))));
      }
    }
    for (const x of [0, -0, 1, -1, 0.1, 1e21, 1e22, 2 ** 53, 2 ** 62, -(2 ** 62), 2 ** 63, 5e-324])
      both(x);
    expect(format(Infinity, 'formatG17')).toBe('inf');
    expect(format(-Infinity, 'formatShortest')).toBe('-inf');
    expect(format(NaN, 'formatG17')).toBe('nan');
    expect(format(3, 'formatG17')).toBe('3');
    expect(format(2 ** -25, 'formatG17')).toBe('2.9802322387695312e-08'); // a tie: to even
  });
});
