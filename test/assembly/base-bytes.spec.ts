// bytes, siphash, crc, sha1, glob, sort: edge cases at the metal.
import {
  bytesCompare, bytesEqual, bytesEqualLower, bytesFind, bytesSame, loadBe64, storeBe64, toLower
} from '../../assembly/base/bytes';
import { crc16, keyHashSlot } from '../../assembly/base/crc16';
import { crc64 } from '../../assembly/base/crc64';
import { globMatch } from '../../assembly/base/glob';
import { prngBelow, prngSeed, prngU32, prngU64 } from '../../assembly/base/prng';
import { sha1Hex } from '../../assembly/base/sha1';
import { sipSeed, siphash, siphashNoCase } from '../../assembly/base/siphash';
import { sort32 } from '../../assembly/base/sort';

const a: usize = memory.data(4096, 8);
const b: usize = memory.data(4096, 8);

function put(at: usize, text: string): usize {
  for (let i = 0; i < text.length; i++) store<u8>(at + i, <u8>text.charCodeAt(i));
  return text.length;
}

function text(at: usize, len: usize): string {
  return String.UTF8.decodeUnsafe(at, len);
}

function descending(x: u32, y: u32): i32 {
  return x > y ? -1 : <i32>(x < y);
}

describe('bytes', () => {
  it('finds a difference at every position of every length', () => {
    let failures = 0;
    for (let len: usize = 0; len < 40; len++) {
      memory.fill(a, 0x61, 64);
      memory.fill(b, 0x61, 64);
      if (!bytesEqual(a, len, b, len) || bytesCompare(a, len, b, len) != 0) failures++;
      if (!bytesEqualLower(a, len, b, len)) failures++;
      for (let i: usize = 0; i < len; i++) {
        store<u8>(b + i, 0x62);
        if (bytesSame(a, b, len) || bytesCompare(a, len, b, len) != -1) failures++;
        if (bytesCompare(b, len, a, len) != 1 || bytesEqualLower(a, len, b, len)) failures++;
        if (bytesFind(b, len, 0x62) != b + i) failures++;
        store<u8>(b + i, 0xe1); // above 0x7f: unsigned
        if (bytesCompare(a, len, b, len) != -1) failures++;
        store<u8>(b + i, 0x61);
      }
      store<u8>(b + len, 0x62); // behind the end: must not count
      if (!bytesSame(a, b, len)) failures++;
    }
    expect(failures).toBe(0);
  });

  it('lower-cases letters only', () => {
    let failures = 0;
    for (let c: u32 = 0; c < 256; c++) {
      const wanted = c >= 65 && c <= 90 ? c + 32 : c;
      if (toLower(c) != wanted) failures++;
    }
    expect(failures).toBe(0);
    storeBe64(a, 0x0102030405060708);
    expect(load<u8>(a)).toBe(1);
    expect(loadBe64(a)).toBe(0x0102030405060708);
  });
});

describe('hashes', () => {
  it('siphash depends on seed, length and case', () => {
    sipSeed(1, 2);
    const one = siphash(a, put(a, 'Hello'));
    expect(siphash(a, 5) == one).toBe(true);
    expect(siphash(a, 4) == one).toBe(false);
    expect(siphashNoCase(a, 5) == siphash(b, put(b, 'hello'))).toBe(true);
    sipSeed(1, 3);
    expect(siphash(a, 5) == one).toBe(false);
  });

  it('checksums have their check values', () => {
    const len = put(a, '123456789');
    expect(crc64(0, a, len) == 0xe9c6d914c4b8d9ca).toBe(true);
    expect(crc64(crc64(0, a, 4), a + 4, 5) == 0xe9c6d914c4b8d9ca).toBe(true);
    expect(crc16(a, len)).toBe(0x31c3);
    expect(keyHashSlot(a, put(a, 'foo'))).toBe(12182);
    expect(keyHashSlot(a, put(a, 'x{foo}y'))).toBe(12182);
    sha1Hex(a, put(a, 'return 1'), b);
    expect(text(b, 40)).toBe('e0e1f9fabfc9d4800c877a703b823ac0578ff8db');
    sha1Hex(a, 0, b);
    expect(text(b, 40)).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709');
  });

  it('the generator repeats itself for a seed', () => {
    prngSeed(7, 8);
    const first = prngU64();
    prngSeed(7, 8);
    expect(prngU64() == first).toBe(true);
    expect(prngBelow(0)).toBe(0);
    expect(prngBelow(1)).toBe(0);
    prngSeed(0, 0);
    expect((prngU32() | prngU32() | prngU32()) != 0).toBe(true);
  });
});

describe('glob and sort', () => {
  it('matches the corners', () => {
    expect(globMatch(a, put(a, '*'), b, 0, false)).toBe(false);
    expect(globMatch(a, 0, b, 0, false)).toBe(true);
    expect(globMatch(a, put(a, 'h[^a-d]?lo*'), b, put(b, 'hello'), false)).toBe(true);
    expect(globMatch(a, put(a, '[^'), b, put(b, 'x'), false)).toBe(true);
    expect(globMatch(a, put(a, '['), b, put(b, '['), false)).toBe(false);
    expect(globMatch(a, put(a, 'USER:*'), b, put(b, 'user:1'), true)).toBe(true);
  });

  it('sorts by the comparator given', () => {
    for (let i: u32 = 0; i < 500; i++) store<u32>(a + (<usize>i << 2), (i * 7919) % 500);
    const fn = descending;
    sort32(a, 500, fn.index);
    let failures = 0;
    for (let i: u32 = 0; i < 500; i++) if (load<u32>(a + (<usize>i << 2)) != 499 - i) failures++;
    expect(failures).toBe(0);
  });
});
