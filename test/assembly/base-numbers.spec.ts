// Exact numbers: edge cases at the metal; the mass of cases is in test/unit/base.
import {
  BIG_A, BIG_B, bigBits, bigCompare, bigDivSmall, bigMulPow5, bigSet, bigShl, bigSub
} from '../../assembly/base/numbers/bigint';
import { doubleValue, string2d } from '../../assembly/base/numbers/double';
import {
  extAdd, extFormat, extFromI64, extIsNanOrInf, extParse
} from '../../assembly/base/numbers/extended';
import { double2ll, doubleLl, formatG17, formatShortest } from '../../assembly/base/numbers/format';
import {
  digits10, ll2string, llChars, llValue, parseU64, string2ll, ull2string, ullValue
} from '../../assembly/base/numbers/integers';
import { div128, divRemainder, mulHi } from '../../assembly/base/numbers/wide';

const a: usize = memory.data(8192, 8);
const b: usize = memory.data(8192, 8);
const x: usize = memory.data(16, 8);
const y: usize = memory.data(16, 8);

function put(text: string): usize {
  for (let i = 0; i < text.length; i++) store<u8>(a + i, <u8>text.charCodeAt(i));
  return text.length;
}

function text(len: u32): string {
  return String.UTF8.decodeUnsafe(b, len);
}

function ext(one: string, two: string): string {
  if (!extParse(a, put(one), x) || !extParse(a, put(two), y)) return 'refused';
  extAdd(x, y, x);
  return text(extFormat(x, b));
}

function g17(value: string): string {
  return string2d(a, put(value)) ? text(formatG17(doubleValue, b)) : 'refused';
}

function shortest(value: string): string {
  return string2d(a, put(value)) ? text(formatShortest(doubleValue, b)) : 'refused';
}

describe('integers', () => {
  it('takes the whole range and nothing beyond', () => {
    expect(string2ll(a, put('9223372036854775807'))).toBe(true);
    expect(llValue).toBe(i64.MAX_VALUE);
    expect(string2ll(a, put('-9223372036854775808'))).toBe(true);
    expect(llValue).toBe(i64.MIN_VALUE);
    expect(string2ll(a, put('9223372036854775808'))).toBe(false);
    expect(string2ll(a, put('-9223372036854775809'))).toBe(false);
    expect(string2ll(a, put('-0'))).toBe(false);
    expect(string2ll(a, put('00'))).toBe(false);
    expect(string2ll(a, put('+1'))).toBe(false);
    expect(string2ll(a, put('-'))).toBe(false);
    expect(string2ll(a, 0)).toBe(false);
    expect(parseU64(a, put('18446744073709551615'))).toBe(true);
    expect(ullValue).toBe(u64.MAX_VALUE);
    expect(parseU64(a, put('18446744073709551616'))).toBe(false);
  });

  it('prints every count of digits', () => {
    let failures = 0;
    let power: u64 = 1;
    for (let digits: u32 = 1; digits <= 20; digits++) {
      if (digits10(power) != digits || ull2string(power, b) != digits) failures++;
      if (digits > 1 && ull2string(power - 1, b) != digits - 1) failures++;
      power *= 10;
    }
    expect(failures).toBe(0);
    expect(text(ll2string(i64.MIN_VALUE, b))).toBe('-9223372036854775808');
    expect(llChars(i64.MIN_VALUE)).toBe(20);
    expect(text(ll2string(0, b))).toBe('0');
  });
});

describe('wide and big', () => {
  it('multiplies and divides 128 bits', () => {
    expect(mulHi(u64.MAX_VALUE, u64.MAX_VALUE)).toBe(u64.MAX_VALUE - 1);
    expect(div128(u64.MAX_VALUE - 1, 1, u64.MAX_VALUE)).toBe(u64.MAX_VALUE);
    expect(divRemainder).toBe(0);
    expect(div128(0x7fffffffffffffff, u64.MAX_VALUE, 0x8000000000000000)).toBe(u64.MAX_VALUE);
    expect(divRemainder).toBe(0x7fffffffffffffff);
  });

  it('knows that 10^30 / 10^9 / 10^9 is 10^12', () => {
    bigSet(BIG_A, 1);
    bigMulPow5(BIG_A, 30);
    bigShl(BIG_A, 30);
    expect(bigDivSmall(BIG_A, 1000000000)).toBe(0);
    expect(bigDivSmall(BIG_A, 1000000000)).toBe(0);
    bigSet(BIG_B, 1000000000000);
    expect(bigCompare(BIG_A, BIG_B)).toBe(0);
    bigSub(BIG_A, BIG_B);
    expect(bigBits(BIG_A)).toBe(0);
  });
});

describe('doubles', () => {
  it('prints as Redis 7.0', () => {
    expect(g17('0.1')).toBe('0.10000000000000001');
    expect(g17('3')).toBe('3');
    expect(g17('1e17')).toBe('1e+17');
    expect(g17('12345678901234567')).toBe('12345678901234568');
    expect(g17('0.0001')).toBe('0.0001');
    expect(g17('0.00001')).toBe('1.0000000000000001e-05');
    expect(g17('5e-324')).toBe('4.9406564584124654e-324');
    expect(g17('1.7976931348623157e308')).toBe('1.7976931348623157e+308');
    expect(g17('-0')).toBe('-0');
    expect(g17('-inf')).toBe('-inf');
    expect(g17('1e400')).toBe('refused');
    expect(g17('1e-400')).toBe('refused');
    expect(g17('nan')).toBe('refused');
  });

  it('prints the shortest form as Redis 7.2', () => {
    expect(shortest('0.1')).toBe('0.1');
    expect(shortest('1e17')).toBe('100000000000000000');
    expect(shortest('1e22')).toBe('1e+22');
    expect(shortest('5e-324')).toBe('5e-324');
    expect(shortest('0.000001')).toBe('0.000001');
    expect(shortest('0.0000001')).toBe('1e-7');
    expect(double2ll(-4611686018427387904.0)).toBe(true);
    expect(doubleLl).toBe(-4611686018427387904);
    expect(double2ll(9223372036854775808.0)).toBe(false);
    expect(double2ll(0.5)).toBe(false);
    expect(double2ll(NaN)).toBe(false);
  });
});

describe('long doubles', () => {
  it('stays inside its scratch for the largest texts (asserts are on here)', () => {
    const ones = '1'.repeat(5112);
    expect(extParse(a, put(ones + 'e-9900'), x)).toBe(true);
    expect(extParse(a, put('0.' + '0'.repeat(4940) + '9'.repeat(177)), x)).toBe(true);
    expect(extParse(a, put('9'.repeat(4932) + '.' + '9'.repeat(180)), x)).toBe(true);
    expect(extParse(a, put('1' + '0'.repeat(4932)), x)).toBe(true);
    expect(extFormat(x, b)).toBe(4933);
    expect(extParse(a, put('-0x1.fffffffffffffffep16383'), x)).toBe(true);
    expect(extFormat(x, b)).toBe(4934);
    expect(string2d(a, put('0.' + '0'.repeat(300) + '7'.repeat(5000)))).toBe(true);
    expect(string2d(a, put('7'.repeat(5000) + 'e-5320'))).toBe(true);
  });

  it('adds as INCRBYFLOAT', () => {
    expect(ext('10.50', '0.1')).toBe('10.6');
    expect(ext('5.0e3', '2.0e2')).toBe('5200');
    expect(ext('0.1', '-0.1')).toBe('0');
    expect(ext('-1e-30', '0')).toBe('0');
    expect(ext('1e18', '0.5')).toBe('1000000000000000000.5');
    expect(ext('0x1p3', '-0x.8p0')).toBe('7.5');
    expect(ext('inf', '-inf')).toBe('nan');
    expect(ext('1e5000', '0')).toBe('refused');
    extFromI64(i64.MIN_VALUE, x);
    expect(text(extFormat(x, b))).toBe('-9223372036854775808');
    expect(extIsNanOrInf(x)).toBe(false);
  });
});
