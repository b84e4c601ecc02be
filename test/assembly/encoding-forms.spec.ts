// LZF, ziplist, zipmap and intset on hand-made bytes.

import { lzfCompress, lzfDecompress } from '../../assembly/encoding/lzf';
import { intsetFind, intsetGet, intsetPos, intsetValidate } from '../../assembly/encoding/intset';
import {
  zlEnd,
  zlFirst,
  zlGet,
  zlLength,
  zlNext,
  zlValidate,
  zlValInt,
  zlValLen,
} from '../../assembly/encoding/ziplist';
import {
  zmFieldLen,
  zmFirst,
  zmNext,
  zmValidate,
  zmValueLen,
  zmValuePtr,
} from '../../assembly/encoding/zipmap';

const src = memory.data(512);
const mid = memory.data(512);
const dst = memory.data(512);

describe('lzf', () => {
  it('repeats from each distance', () => {
    // d literals, then 20 bytes from d back
    for (let d: u32 = 1; d <= 20; d++) {
      store<u8>(src, d - 1);
      for (let i: u32 = 0; i < d; i++) store<u8>(src + 1 + i, 0x41 + i);
      store<u8>(src + 1 + d, 0xe0);
      store<u8>(src + 2 + d, 11);
      store<u8>(src + 3 + d, d - 1);
      expect(lzfDecompress(src, d + 4, dst, d + 20)).toBe(true);
      for (let i: u32 = 0; i < d + 20; i++) expect(<u32>load<u8>(dst + i)).toBe(0x41 + (i % d));
      expect(lzfDecompress(src, d + 4, dst, d + 19)).toBe(false);
      expect(lzfDecompress(src, d + 4, dst, d + 21)).toBe(false);
      store<u8>(src + 3 + d, d); // one before the start
      expect(lzfDecompress(src, d + 4, dst, d + 20)).toBe(false);
    }
  });

  it('takes nothing for nothing', () => {
    expect(lzfDecompress(src, 0, dst, 0)).toBe(true);
    expect(lzfDecompress(src, 0, dst, 1)).toBe(false);
    expect(lzfCompress(src, 0, dst, 10)).toBe(0);
    expect(lzfCompress(src, 10, dst, 0)).toBe(0);
  });

  it('packs a run of one byte to twelve and back', () => {
    memory.fill(src, 0x78, 300);
    const len = lzfCompress(src, 300, mid, 296);
    expect(len).toBe(12);
    expect(lzfDecompress(mid, len, dst, 300)).toBe(true);
    expect(memory.compare(src, dst, 300)).toBe(0);
    expect(lzfCompress(src, 300, mid, 10)).toBe(0);
  });
});

// "ab", 5, -2, 300, as a ziplist
const zl = memory.data<u8>([
  24, 0, 0, 0, 19, 0, 0, 0, 4, 0, 0, 2, 0x61, 0x62, 4, 0xf6, 2, 0xfe, 0xfe, 3, 0xc0, 0x2c, 1, 0xff,
]);

describe('ziplist', () => {
  it('reads what is there', () => {
    expect(zlValidate(zl, 24)).toBe(true);
    expect(zlLength(zl)).toBe(4);
    const end = zlEnd(zl);
    let p = zlFirst(zl);
    expect(zlGet(p, end)).toBe(true);
    expect(zlValLen).toBe(2);
    p = zlNext(p, end);
    expect(zlGet(p, end)).toBe(false);
    expect(zlValInt).toBe(5);
    p = zlNext(p, end);
    expect(zlGet(p, end)).toBe(false);
    expect(zlValInt).toBe(-2);
    p = zlNext(p, end);
    expect(zlGet(p, end)).toBe(false);
    expect(zlValInt).toBe(300);
    expect(zlNext(p, end)).toBe(0);
  });

  it('refuses a wrong byte almost anywhere', () => {
    for (let at: u32 = 0; at < 24; at++) {
      if (at == 12 || at == 13 || at == 15 || at == 18 || at == 21 || at == 22) continue; // data
      const old = load<u8>(zl + at);
      store<u8>(zl + at, old + 1);
      expect(zlValidate(zl, 24)).toBe(false);
      store<u8>(zl + at, old);
    }
    expect(zlValidate(zl, 24)).toBe(true);
  });
});

// a=12 with a free byte, bc=""
const zm = memory.data<u8>([2, 1, 0x61, 2, 1, 0x31, 0x32, 0x20, 2, 0x62, 0x63, 0, 0, 0xff]);

describe('zipmap', () => {
  it('reads pairs and steps over free bytes', () => {
    expect(zmValidate(zm, 14)).toBe(true);
    const end = zm + 13;
    let p = zmNext(zmFirst(zm), end);
    expect(zmFieldLen).toBe(1);
    expect(zmValueLen).toBe(2);
    expect(zmValuePtr).toBe(zm + 5);
    p = zmNext(p, end);
    expect(zmFieldLen).toBe(2);
    expect(zmValueLen).toBe(0);
    expect(p).toBe(end);
    expect(zmNext(p, end)).toBe(0);
    for (let len: u32 = 0; len < 14; len++) expect(zmValidate(zm, len)).toBe(false);
  });
});

const is = memory.data<u8>([2, 0, 0, 0, 3, 0, 0, 0, 0xfe, 0xff, 1, 0, 0x2c, 1]);

describe('intset', () => {
  it('finds by halves', () => {
    expect(intsetValidate(is, 14)).toBe(true);
    expect(intsetValidate(is, 13)).toBe(false);
    expect(intsetGet(is, 0)).toBe(-2);
    expect(intsetGet(is, 2)).toBe(300);
    expect(intsetFind(is, 1)).toBe(true);
    expect(intsetPos).toBe(1);
    expect(intsetFind(is, 2)).toBe(false);
    expect(intsetPos).toBe(2);
    expect(intsetFind(is, i64.MIN_VALUE)).toBe(false);
    expect(intsetPos).toBe(0);
    expect(intsetFind(is, i64.MAX_VALUE)).toBe(false);
    expect(intsetPos).toBe(3);
  });
});
