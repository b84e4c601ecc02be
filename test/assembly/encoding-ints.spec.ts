// Canonical integers: what counts as one, and the text they come back as.

import { INT_TEXT_MAX, intFormat, intParse, intParsed } from '../../assembly/encoding/ints';

const buf = memory.data(64);

function put(text: string): u32 {
  for (let i = 0; i < text.length; i++) store<u8>(buf + i, <u8>text.charCodeAt(i));
  store<u8>(buf + text.length, 0x39); // a digit behind it must not be read
  return text.length;
}

function accepts(text: string, value: i64): void {
  const len = put(text);
  expect(intParse(buf, len)).toBe(true, text);
  expect(intParsed).toBe(value, text);
  expect(intFormat(value, buf)).toBe(len, text);
  for (let i = 0; i < text.length; i++) {
    expect(<i32>load<u8>(buf + i)).toBe(text.charCodeAt(i), text);
  }
}

function refuses(text: string): void {
  expect(intParse(buf, put(text))).toBe(false, text);
}

describe('canonical integers', () => {
  it('accepts each edge and prints it back', () => {
    accepts('0', 0);
    accepts('9', 9);
    accepts('10', 10);
    accepts('-1', -1);
    accepts('4294967295', 4294967295);
    accepts('4294967296', 4294967296);
    accepts('-9999999999', -9999999999);
    accepts('9223372036854775807', i64.MAX_VALUE);
    accepts('-9223372036854775808', i64.MIN_VALUE);
    expect(INT_TEXT_MAX).toBe(20);
  });

  it('refuses what would not come back the same', () => {
    refuses('');
    refuses('-');
    refuses('-0');
    refuses('00');
    refuses('01');
    refuses('-01');
    refuses('+1');
    refuses(' 1');
    refuses('1 ');
    refuses('1.0');
    refuses('1e3');
    refuses('0x1');
    refuses('--1');
    refuses('9223372036854775808');
    refuses('-9223372036854775809');
    refuses('18446744073709551616');
    refuses('99999999999999999999');
    refuses('-99999999999999999999');
    refuses('000000000000000000000');
  });
});
