/** 80-bit extended arithmetic against exact BigInt arithmetic and redis-server's INCRBYFLOAT. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, hasRedis, type Module, type Oracle, Random, startOracle } from './harness.js';

let m: Module;
let A = 0;
let B = 0;
let TEXT = 0;

beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
  A = m.room;
  B = m.room + 16;
  TEXT = m.room + 64;
});

interface Ext {
  mant: bigint;
  exp: number;
  neg: boolean;
}

function read(at: number): Ext {
  return {
    mant: m.view.getBigUint64(at, true),
    exp: m.view.getInt32(at + 8, true),
    neg: m.bytes[at + 12] === 1,
  };
}

function write(at: number, x: Ext): void {
  m.view.setBigUint64(at, x.mant, true);
  m.view.setInt32(at + 8, x.exp, true);
  m.bytes[at + 12] = x.neg ? 1 : 0;
  m.bytes[at + 13] = 0;
}

const bitLength = (x: bigint): number => x.toString(2).length;

/** up / down rounded to 64 bits (fewer if subnormal); undefined if it becomes infinite. */
function round(up: bigint, down: bigint, neg: boolean): Ext | undefined {
  if (up === 0n) return { mant: 0n, exp: -16445, neg };
  let exp = bitLength(up) - bitLength(down) - 64;
  for (;;) {
    exp = Math.max(exp, -16445);
    const top = exp < 0 ? up << BigInt(-exp) : up;
    const bottom = exp > 0 ? down << BigInt(exp) : down;
    let mant = top / bottom;
    if (bitLength(mant) > 64) {
      exp++;
      continue;
    }
    const rest = (top % bottom) * 2n;
    if (rest > bottom || (rest === bottom && mant & 1n)) mant++;
    if (mant === 1n << 64n) {
      mant >>= 1n;
      exp++;
    }
    return exp > 16320 ? undefined : { mant, exp: mant ? exp : -16445, neg };
  }
}

/** What extParse should say of a plain decimal text: undefined if refused. */
function parseReference(text: string): Ext | undefined {
  const match = /^([-+]?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i.exec(text);
  if (!match) throw new Error(text);
  const [, sign, whole = '', fraction = '', e = '0'] = match;
  const digits = BigInt(`0${whole}${fraction}`);
  const ten = Number(e) - fraction.length;
  const rounded = round(
    digits * 10n ** BigInt(Math.max(ten, 0)),
    10n ** BigInt(Math.max(-ten, 0)),
    sign === '-',
  );
  return rounded && rounded.mant === 0n && digits !== 0n ? undefined : rounded;
}

/** Exactly "%.17Lf", trimmed. */
function formatReference(x: Ext): string {
  const up = (x.mant * 10n ** 17n) << BigInt(Math.max(x.exp, 0));
  const down = 1n << BigInt(Math.max(-x.exp, 0));
  let scaled = up / down;
  const rest = (up % down) * 2n;
  if (rest > down || (rest === down && scaled & 1n)) scaled++;
  if (scaled === 0n) return '0';
  const digits = scaled.toString().padStart(18, '0');
  const fraction = digits.slice(-17).replace(/0+$/, '');
  return `${x.neg ? '-' : ''}${digits.slice(0, -17)}${fraction ? `.${fraction}` : ''}`;
}

function addReference(x: Ext, y: Ext): Ext | undefined {
  const low = Math.min(x.exp, y.exp);
  const a = (x.neg ? -x.mant : x.mant) << BigInt(x.exp - low);
  const b = (y.neg ? -y.mant : y.mant) << BigInt(y.exp - low);
  const sum = a + b;
  const size = sum < 0n ? -sum : sum;
  return round(size << BigInt(Math.max(low, 0)), 1n << BigInt(Math.max(-low, 0)), sum < 0n);
}

const parse = (text: string, at: number): boolean =>
  !!m.exports.extParse!(TEXT, m.put(TEXT, text), at);
const format = (at: number): string => m.get(TEXT, m.exports.extFormat!(at, TEXT));
const show = (x: Ext | undefined): string =>
  x ? `${x.neg ? '-' : ''}${x.mant}p${x.exp}` : 'refused';

function checkParse(text: string): void {
  const got = parse(text, A) ? read(A) : undefined;
  const wanted = parseReference(text);
  if (show(got) !== show(wanted)) expect.fail(`${text}: ${show(got)} not ${show(wanted)}`);
}

function randomText(random: Random, digitsMax: number, expMax: number): string {
  let digits = random.digits(1 + random.below(digitsMax));
  const point = random.below(digits.length + 1);
  if (random.below(2)) digits = `${digits.slice(0, point)}.${digits.slice(point)}`;
  const e = random.below(3) ? '' : `e${random.pick(['', '+', '-'])}${random.below(expMax)}`;
  return random.pick(['', '-', '+']) + digits + e;
}

function randomExt(random: Random, spread: number): Ext {
  const exp = -63 - spread + random.below(spread * 2);
  let mant = random.bits64() | (1n << 63n);
  if (random.below(3) === 0) mant = (mant >> BigInt(random.below(63))) << BigInt(random.below(40));
  mant = BigInt.asUintN(64, mant) | (1n << 63n);
  return { mant, exp, neg: random.below(2) === 1 };
}

describe('extParse', () => {
  it('rounds 230,000 random decimals exactly', () => {
    const random = new Random(11);
    for (let i = 0; i < 90_000; i++) checkParse(randomText(random, 19, 12));
    for (let i = 0; i < 55_000; i++) checkParse(randomText(random, 40, 60));
    for (let i = 0; i < 3000; i++) checkParse(randomText(random, 800, 300));
    for (let i = 0; i < 40_000; i++) {
      const digits = random.digits(19 + random.below(22));
      const at = digits.length - random.below(30);
      checkParse(at > 0 ? `${digits.slice(0, at)}.${digits.slice(at)}` : `0.${digits}`);
    }
    for (let i = 0; i < 20_000; i++) {
      const x = randomExt(random, 1); // middles between neighbours that fit 38 digits
      const exp = -1 - random.below(20);
      const digits = String((x.mant * 2n + 1n) * 5n ** BigInt(-exp)).padStart(60, '0');
      checkParse(`${digits.slice(0, exp)}.${digits.slice(exp)}`);
      checkParse(`${x.mant * 2n + 1n}`);
    }
  });

  it('rounds at the far ends and at ties', () => {
    const random = new Random(12);
    for (let i = 0; i < 150; i++) {
      const e = random.pick([4931, 4932, 4933, -4931, -4932, -4940, -4950, -4951, -4952]);
      checkParse(`${random.below(10)}.${random.digits(1 + random.below(40))}e${e}`);
    }
    for (let i = 0; i < 4000; i++) {
      const x = randomExt(random, 70);
      const twice = x.mant * 2n + 1n; // the middle between two neighbours, at exp - 1
      const exp = x.exp - 1;
      const [digits, ten] =
        exp >= 0 ? [twice << BigInt(exp), 0] : [twice * 5n ** BigInt(-exp), exp];
      checkParse(`${digits}e${ten}`);
      checkParse(`${digits}0000000000000000000001e${ten - 22}`);
      checkParse(`${digits - 1n}99999e${ten - 5}`);
    }
    const least = 5n ** 16446n; // half the smallest subnormal is 2^-16446
    checkParse(`1e-4950`);
    expect(least.toString().length).toBeGreaterThan(5120); // so no text can hit that tie exactly
    checkParse(`${'9'.repeat(5000)}e-67`);
    checkParse(`0.${'0'.repeat(4900)}${'7'.repeat(200)}`);
    checkParse(`${'1'.repeat(5113)}e-9900`);
    checkParse('1.18973149535723176502e4932');
    checkParse('1.18973149535723176505e4932');
    checkParse('1.18973149535723176509e4932');
    checkParse('1.18973149535723176514e4932');
  });

  it('takes and refuses by Redis’ rules', () => {
    for (const text of [
      '',
      '.',
      ' 1',
      '1 ',
      '1e',
      'nan',
      '0x',
      '0x1p',
      '1\0',
      '1e5000',
      '1e-5000',
      '0x1p16384',
      '0x1p-16446',
      '1'.repeat(5120),
      '1e99999999999999999999',
      '1e-99999999999999999999',
      'e1',
    ]) {
      expect(parse(text, A), text.slice(0, 30)).toBe(false);
    }
    for (const [text, shown] of [
      ['0x1p3', '8'],
      ['0x.8p0', '0.5'],
      ['0e5000', '0'],
      ['-0', '0'],
      ['+5', '5'],
      ['0x1p-16445', '0'],
      ['inf', 'inf'],
      ['-Infinity', '-inf'],
      ['1e-4950', '0'],
      ['-1e-30', '0'],
      ['0x1.00000000000000008p0', '1'],
      ['0.1', '0.1'],
      ['5.0e3', '5000'],
    ] as const) {
      expect(parse(text, A), text).toBe(true);
      expect(format(A), text).toBe(shown);
    }
    expect(parse('0x1.000000000000000180000p0', A) && show(read(A))).toBe(
      '9223372036854775809p-63',
    );
    expect(parse('0x1.00000000000000010000p0', A) && show(read(A))).toBe('9223372036854775808p-63');
    expect(parse('0x1.00000000000000030000p0', A) && show(read(A))).toBe('9223372036854775810p-63');
    expect(parse('0x1.00000000000000010001p0', A) && show(read(A))).toBe('9223372036854775809p-63');
  });
});

describe('extFormat', () => {
  it('prints 60,000 random values exactly', () => {
    const random = new Random(13);
    for (let i = 0; i < 60_000; i++) {
      const x = randomExt(random, 130);
      write(A, x);
      const got = format(A);
      if (got !== formatReference(x)) expect.fail(`${show(x)}: ${got} not ${formatReference(x)}`);
    }
    for (let i = 0; i < 60; i++) {
      const x = { ...randomExt(random, 1), exp: random.below(16321) };
      write(A, x);
      expect(format(A)).toBe(formatReference(x));
    }
    const most = { mant: (1n << 64n) - 1n, exp: 16320, neg: true };
    write(A, most);
    expect(format(A)).toBe(formatReference(most));
  });
});

describe('extAdd', () => {
  it('adds 150,000 random pairs exactly', () => {
    const random = new Random(14);
    for (let i = 0; i < 150_000; i++) {
      const x = randomExt(random, 70);
      const y = randomExt(random, random.below(2) ? 70 : 3);
      if (random.below(8) === 0) y.mant = x.mant ^ BigInt(random.below(4));
      write(A, x);
      write(B, y);
      m.exports.extAdd!(A, B, B);
      const got = show(read(B));
      const wanted = show(addReference(x, y));
      if (got !== wanted) expect.fail(`${show(x)} + ${show(y)}: ${got} not ${wanted}`);
    }
  });

  it('adds subnormals, overflows and infinities', () => {
    const random = new Random(15);
    for (let i = 0; i < 300; i++) {
      const x = { mant: random.bits64() >> 8n, exp: -16445, neg: random.below(2) === 1 };
      const y = {
        mant: random.bits64() | (1n << 63n),
        exp: -16445 + random.below(4),
        neg: random.below(2) === 1,
      };
      write(A, x);
      write(B, y);
      m.exports.extAdd!(A, B, A);
      expect(show(read(A))).toBe(show(addReference(x, y)));
    }
    const most = { mant: (1n << 64n) - 1n, exp: 16320, neg: false };
    write(A, most);
    m.exports.extAdd!(A, A, B);
    expect(m.exports.extIsNanOrInf!(B)).toBeTruthy();
    expect(format(B)).toBe('inf');
    parse('-inf', A);
    m.exports.extAdd!(A, B, A);
    expect(format(A)).toBe('nan');
    for (const [value, text] of [
      [0n, '0'],
      [-1n, '-1'],
      [-(2n ** 63n), '-9223372036854775808'],
      [7n, '7'],
    ] as const) {
      m.exports.extFromI64!(value, A);
      expect(format(A)).toBe(text);
    }
  });
});

describe.skipIf(!hasRedis)('against redis-server', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await startOracle();
  });
  afterAll(() => oracle.stop());

  /** What INCRBYFLOAT should answer. */
  function incr(a: string, b: string): string {
    if (!parse(a, A) || !parse(b, B)) return 'ERR value is not a valid float';
    m.exports.extAdd!(A, B, A);
    if (m.exports.extIsNanOrInf!(A)) return 'ERR increment would produce NaN or Infinity';
    return format(A);
  }

  async function compare(pairs: [string, string][]): Promise<void> {
    for (let from = 0; from < pairs.length; from += 1000) {
      const batch = pairs.slice(from, from + 1000);
      const pipeline = oracle.client.pipeline();
      for (const [a, b] of batch) pipeline.set('k', a).incrbyfloat('k', b as unknown as number);
      const replies = (await pipeline.exec()) ?? [];
      batch.forEach(([a, b], i) => {
        const [error, value] = replies[i * 2 + 1] ?? [];
        const wanted = error ? error.message : String(value);
        if (incr(a, b) !== wanted) expect.fail(`${a} + ${b}: ${incr(a, b)} not ${wanted}`);
      });
    }
  }

  it('INCRBYFLOAT of 30,000 random pairs', async () => {
    const random = new Random(16);
    const pairs: [string, string][] = [];
    for (let i = 0; i < 20_000; i++)
      pairs.push([randomText(random, 20, 20), randomText(random, 20, 20)]);
    for (let i = 0; i < 9000; i++)
      pairs.push([randomText(random, 60, 300), randomText(random, 60, 300)]);
    for (let i = 0; i < 1000; i++)
      pairs.push([randomText(random, 30, 5000), randomText(random, 30, 5000)]);
    await compare(pairs);
  });

  it('hex texts, odd texts and ties', async () => {
    const random = new Random(17);
    const pairs: [string, string][] = [];
    const hex = () => {
      let digits = '';
      for (let n = 1 + random.below(24); n > 0; n--)
        digits += random.pick([...'0123456789abcdefABCDEF']);
      if (random.below(2)) digits = digits.replace(/^(.)/, '$1.');
      const e = random.below(2) ? '' : `p${random.pick(['', '-', '+'])}${random.below(150)}`;
      return `${random.pick(['', '-', '+'])}${random.pick(['0x', '0X'])}${digits}${e}`;
    };
    for (let i = 0; i < 4000; i++) pairs.push([hex(), hex()]);
    const alphabet = [...'0011.5eE+-xXpPinfa \0'];
    for (let i = 0; i < 8000; i++) {
      let text = '';
      for (let n = random.below(7); n > 0; n--) text += random.pick(alphabet);
      pairs.push([text, '1']);
    }
    for (let i = 0; i < 4000; i++) {
      const a = (random.below(2 ** 30) * 2 + 1) * 2 ** -(10 + random.below(15));
      pairs.push(
        [String(a), `0x1p-${random.below(25)}`],
        [`${random.below(9)}e18`, '0.5'],
        [`1844674407370955161${random.below(10)}`, `0.${random.below(9)}5`],
      );
    }
    for (const a of [
      '0x1p16383',
      '-0x1p16383',
      '1e4932',
      '0x1p-16445',
      '0x1.8p-16446',
      '0x1p-16446',
      'inf',
      '-inf',
      '1e-4950',
      '0x1.fffffffffffffffep16383',
      '0x1.ffffffffffffffffp16383',
    ]) {
      for (const b of ['0', '1', '0x1p16383', '-0x1p-16445', '1.1e4932', 'inf', '-inf'])
        pairs.push([a, b]);
    }
    for (const n of [5117, 5118, 5119, 5120, 5121]) {
      pairs.push(
        ['1'.repeat(n), '1'],
        [`0.${'3'.repeat(n - 2)}`, '1'],
        [`${'0'.repeat(n - 1)}7`, '1'],
      );
    }
    await compare(pairs);
  });
});
