// Listpack entries and walks, close to the bytes. Growth is tested with a checking allocator in
// test/unit/encoding; here nothing is allocated.

import {
  lpBacklenRead,
  lpBacklenSize,
  lpBacklenWrite,
  lpCheckCount,
  lpCheckMultiple,
  lpCheckUnique,
  lpCompare,
  lpEntrySize,
  lpEntryTotal,
  lpFind,
  lpFirst,
  lpGet,
  lpGetInt,
  lpGetText,
  lpIsString,
  lpLast,
  lpLength,
  lpNext,
  lpPrev,
  lpSeek,
  lpValidate,
  lpValInt,
  lpValLen,
  lpValPtr,
} from '../../assembly/encoding/listpack';
import { lpStageInt, lpStageWrite } from '../../assembly/encoding/listpack-entry';

const buf = memory.data(64);

// 1, "ab", -5, "1" stored as a string
const four = memory.data<u8>([
  21, 0, 0, 0, 4, 0, 1, 1, 0x82, 0x61, 0x62, 3, 0xdf, 0xfb, 2, 0x81, 0x31, 2, 0xff, 0, 0, 0,
]);
const fourLen: u32 = 19;
const empty = memory.data<u8>([7, 0, 0, 0, 0, 0, 0xff]);
const letters = memory.data<u8>([0x61, 0x62]);
const one = memory.data<u8>([0x31]);

function intEntry(value: i64, size: u32, first: u32): void {
  expect(lpStageInt(value)).toBe(size + 1);
  lpStageWrite(buf, 0);
  expect(<u32>load<u8>(buf)).toBe(first);
  expect(lpEntrySize(buf)).toBe(size);
  expect(lpEntryTotal(buf)).toBe(size + 1);
  expect(lpIsString(buf)).toBe(false);
  expect(lpGet(buf)).toBe(false);
  expect(lpValInt).toBe(value);
  expect(lpValPtr).toBe(0);
  expect(lpBacklenRead(buf + size)).toBe(<u64>size);
}

function backlen(size: u32, bytes: u32): void {
  expect(lpBacklenSize(size)).toBe(bytes);
  expect(lpBacklenWrite(buf, size)).toBe(bytes);
  expect(lpBacklenRead(buf + bytes - 1)).toBe(<u64>size);
}

describe('listpack entries', () => {
  it('stores integers in the narrowest form', () => {
    intEntry(0, 1, 0);
    intEntry(127, 1, 127);
    intEntry(128, 2, 0xc0);
    intEntry(-1, 2, 0xdf);
    intEntry(4095, 2, 0xcf);
    intEntry(-4096, 2, 0xd0);
    intEntry(4096, 3, 0xf1);
    intEntry(-32768, 3, 0xf1);
    intEntry(32768, 4, 0xf2);
    intEntry(-8388608, 4, 0xf2);
    intEntry(8388608, 5, 0xf3);
    intEntry(i32.MIN_VALUE, 5, 0xf3);
    intEntry(2147483648, 9, 0xf4);
    intEntry(i64.MIN_VALUE, 9, 0xf4);
    intEntry(i64.MAX_VALUE, 9, 0xf4);
  });

  it('gives a backlen that just fits one byte more, as Redis does', () => {
    backlen(1, 1);
    backlen(127, 1);
    backlen(128, 2);
    backlen(16382, 2);
    backlen(16383, 3);
    backlen(2097150, 3);
    backlen(2097151, 4);
    backlen(268435454, 4);
    backlen(268435455, 5);
    backlen(u32.MAX_VALUE, 5);
  });

  it('stops reading a backlen after five bytes', () => {
    memory.fill(buf, 0xff, 16);
    expect(lpBacklenRead(buf + 10)).toBe(u64.MAX_VALUE);
  });
});

describe('listpack walks', () => {
  it('goes both ways and stops', () => {
    store<u32>(four, fourLen);
    expect(lpValidate(four, fourLen)).toBe(true);
    expect(lpCheckCount).toBe(4);
    expect(lpLength(four)).toBe(4);
    let p = lpFirst(four);
    expect(lpPrev(four, p)).toBe(0);
    expect(lpGet(p)).toBe(false);
    expect(lpValInt).toBe(1);
    p = lpNext(four, p);
    expect(lpGet(p)).toBe(true);
    expect(lpValLen).toBe(2);
    expect(lpCompare(p, letters, 2)).toBe(true);
    expect(lpCompare(p, letters, 1)).toBe(false);
    p = lpNext(four, p);
    expect(lpGetText(p)).not.toBe(0);
    expect(lpValLen).toBe(2);
    p = lpNext(four, p);
    expect(p).toBe(lpLast(four));
    expect(lpIsString(p)).toBe(true);
    expect(lpGetInt(p)).toBe(true);
    expect(lpValInt).toBe(1);
    expect(lpNext(four, p)).toBe(0);
    expect(lpSeek(four, -1)).toBe(p);
    expect(lpSeek(four, 3)).toBe(p);
    expect(lpSeek(four, -4)).toBe(lpFirst(four));
    expect(lpSeek(four, 4)).toBe(0);
    expect(lpSeek(four, -5)).toBe(0);
  });

  it('finds with and without skipping', () => {
    const first = lpFirst(four);
    expect(lpFind(four, first, one, 1, 0)).toBe(first);
    expect(lpFind(four, lpNext(four, first), one, 1, 0)).toBe(lpLast(four));
    expect(lpFind(four, first, letters, 2, 0)).toBe(lpSeek(four, 1));
    expect(lpFind(four, first, letters, 2, 1)).toBe(0);
    expect(lpFind(four, 0, letters, 2, 1)).toBe(0);
  });

  it('sees pairs and duplicates', () => {
    expect(lpCheckMultiple(four, 2)).toBe(true);
    expect(lpCheckMultiple(four, 3)).toBe(false);
    expect(lpCheckUnique(four, 1)).toBe(0); // 1 and "1"
    expect(lpCheckUnique(four, 2)).toBe(1);
  });

  it('knows an empty one', () => {
    expect(lpValidate(empty, 7)).toBe(true);
    expect(lpFirst(empty)).toBe(0);
    expect(lpLast(empty)).toBe(0);
    expect(lpSeek(empty, 0)).toBe(0);
    expect(lpSeek(empty, -1)).toBe(0);
    expect(lpCheckUnique(empty, 1)).toBe(1);
  });

  it('refuses every cut and a wrong count', () => {
    for (let len: u32 = 0; len < fourLen; len++) {
      expect(lpValidate(four, len)).toBe(false);
      store<u32>(four, len);
      expect(lpValidate(four, len)).toBe(false);
      store<u32>(four, fourLen);
    }
    store<u16>(four, 5, 4);
    expect(lpValidate(four, fourLen)).toBe(false);
    store<u16>(four, 65535, 4);
    expect(lpValidate(four, fourLen)).toBe(true);
    expect(lpLength(four)).toBe(4);
    expect(<i32>load<u16>(four, 4)).toBe(4);
  });
});
