// What the page writes of numbers, times and bytes, also of those that no dump should have.

import { describe, expect, test } from 'vitest';
import { bytesLine, isText, percent, time, timeMade } from '../../host/web/format.js';
import { jsonText } from '../../host/web/json-text.js';

const encoder = new TextEncoder();

test('times that no calendar reaches are shown as numbers', () => {
  expect(time(0)).toBe('1970-01-01 00:00:00 UTC');
  expect(time(9_000_000_000_000_000)).toBe('9000000000000000 ms');
  expect(time(Number.NaN)).toBe('NaN ms');
  expect(timeMade('1700000000')).toBe('2023-11-14 22:13:20 UTC');
  for (const none of ['soon', '', ' ', '99999999999999999999']) expect(timeMade(none)).toBe(none);
});

test('100 % is all of them, and 0 % none', () => {
  expect([percent(6044, 6044), percent(6044, 6048), percent(99_999, 100_000)]).toEqual([
    ...['100 %', '>99.9 %', '>99.9 %'],
  ]);
  expect([percent(996, 1000), percent(99, 100), percent(1, 3)]).toEqual(['99.6 %', '99 %', '33 %']);
  expect([percent(1, 10_000), percent(0, 5), percent(0, 0)]).toEqual(['<0.1 %', '0.0 %', '–']);
});

describe('bytes as a line', () => {
  const two = encoder.encode('é'.repeat(100));
  const odd = encoder.encode(`x${'☂'.repeat(100)}`);

  test('a character that is cut off is left out', () => {
    expect(bytesLine(two, 11)).toBe(`${'é'.repeat(5)}…`);
    expect(bytesLine(odd, 12)).toBe(`x${'☂'.repeat(3)}…`);
    expect(bytesLine(two.subarray(0, 11), 512, true)).toBe(`${'é'.repeat(5)}…`);
    expect(bytesLine(two.subarray(0, 10), 512, true)).toBe(`${'é'.repeat(5)}…`);
    expect(isText(two.subarray(0, 11), true)).toBe(true);
  });

  test('what is no UTF-8 stays', () => {
    expect(bytesLine(two.subarray(0, 3))).toBe('\\xc3\\xa9\\xc3');
    expect(bytesLine(Uint8Array.of(0x80, 0x41), 512, true)).toBe('\\x80A…');
    expect(bytesLine(new Uint8Array(0), 512, true)).toBe('…');
    expect(bytesLine(encoder.encode('a\nb'))).toBe('a\\x0ab');
  });
});

describe('JSON', () => {
  const shown = (text: string) => jsonText(encoder.encode(text));

  test('is indented as JSON.stringify does it', () => {
    const value = { a: [], b: {}, c: [1, [2, { d: 'x,{"[' }], null, true], e: '\\"\n ☂', f: -1.5 };
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, '\t'), '[]', '{ }']) {
      expect(shown(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
    }
  });

  test('keeps numbers, repeated fields and escapes as they were written', () => {
    expect(shown('{"a":1.0,"big":12345678901234567890,"a":1e400,"\\u0041":"\\/"}')).toBe(
      '{\n  "a": 1.0,\n  "big": 12345678901234567890,\n  "a": 1e400,\n  "\\u0041": "\\/"\n}',
    );
  });

  test('is not made of what is none, or of what nobody could read so', () => {
    for (const text of ['{', '[1,]', '12', '"a"', 'text', '{"a":01}']) {
      expect(shown(text)).toBeUndefined();
    }
    expect(jsonText(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d))).toBeUndefined();
    expect(shown('['.repeat(100_000) + ']'.repeat(100_000))).toBeUndefined();
    expect(shown(`${'['.repeat(90)}${'1,'.repeat(100_000)}1${']'.repeat(90)}`)).toBeUndefined();
  });
});
