/** Hashes, checksums, SHA, byte compares, the generator and sorting, beside plain references. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile, type Module, Random } from './harness.js';

let m: Module;
const MASK = (1n << 64n) - 1n;
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);

beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
});

/** SipHash-c-d as in the paper, a byte at a time. */
function sip(data: Uint8Array, k0: bigint, k1: bigint, c: number, d: number): bigint {
  const v = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as [bigint, bigint, bigint, bigint];
  const rotl = (x: bigint, n: bigint) => ((x << n) | (x >> (64n - n))) & MASK;
  const round = () => {
    v[0] = (v[0] + v[1]) & MASK;
    v[1] = rotl(v[1], 13n) ^ v[0];
    v[0] = rotl(v[0], 32n);
    v[2] = (v[2] + v[3]) & MASK;
    v[3] = rotl(v[3], 16n) ^ v[2];
    v[0] = (v[0] + v[3]) & MASK;
    v[3] = rotl(v[3], 21n) ^ v[0];
    v[2] = (v[2] + v[1]) & MASK;
    v[1] = rotl(v[1], 17n) ^ v[2];
    v[2] = rotl(v[2], 32n);
  };
  const padded = new Uint8Array((data.length & ~7) + 8);
  padded.set(data);
  padded[padded.length - 1] = data.length & 255;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true);
    v[3] ^= word;
    for (let i = 0; i < c; i++) round();
    v[0] ^= word;
  }
  v[2] ^= 0xffn;
  for (let i = 0; i < d; i++) round();
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

function bytes(random: Random, len: number): Uint8Array {
  return Uint8Array.from({ length: len }, () => random.below(256));
}

describe('siphash', () => {
  it('has a right reference: the paper’s vector for 2-4', () => {
    const data = Uint8Array.from({ length: 15 }, (_, i) => i);
    expect(sip(data, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n, 2, 4)).toBe(0xa129ca6149be45e5n);
  });

  it('equals it for 1-2 at every length to 200 and every alignment', () => {
    const random = new Random(51);
    for (let len = 0; len <= 200; len++) {
      const [k0, k1] = [random.bits64(), random.bits64()];
      const data = bytes(random, len);
      const at = m.room + (len % 9);
      m.bytes.set(bytes(random, 32), at + len); // what lies behind must not count
      m.bytes.set(data, at);
      m.exports.sipSeed!(k0, k1);
      expect(u64(m.exports.siphash!(at, len))).toBe(sip(data, k0, k1, 1, 2));
      const lower = data.map((c) => (c >= 65 && c <= 90 ? c + 32 : c));
      expect(u64(m.exports.siphashNoCase!(at, len))).toBe(sip(lower, k0, k1, 1, 2));
    }
  });
});

describe('checksums', () => {
  it('crc64: the check value, the bitwise reference, and any split', () => {
    const len = m.put(m.room, '123456789');
    expect(u64(m.exports.crc64!(0n, m.room, len))).toBe(0xe9c6d914c4b8d9can);
    const random = new Random(52);
    const data = bytes(random, 600);
    m.bytes.set(data, m.room);
    let crc = 0n;
    const prefix = [0n];
    for (const byte of data) {
      crc ^= BigInt(byte);
      for (let i = 0; i < 8; i++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
      prefix.push(crc);
    }
    for (let at = 0; at <= data.length; at++) {
      const first = m.exports.crc64!(0n, m.room, at);
      expect(u64(first)).toBe(prefix[at]);
      expect(u64(m.exports.crc64!(first, m.room + at, data.length - at))).toBe(crc);
    }
  });

  it('crc16 and slots', () => {
    const slot = (key: string) => m.exports.keyHashSlot!(m.room, m.put(m.room, key));
    expect(m.exports.crc16!(m.room, m.put(m.room, '123456789'))).toBe(0x31c3);
    expect(slot('foo')).toBe(12182);
    expect(slot('')).toBe(0);
    expect(slot('{user1000}.following')).toBe(slot('user1000'));
    expect(slot('foo{}{bar}')).not.toBe(slot('bar'));
    expect(slot('foo{{bar}}zap')).toBe(slot('{bar'));
    expect(slot('foo{bar}{zap}')).toBe(slot('bar'));
    const plain = (key: string) => m.exports.crc16!(m.room, m.put(m.room, key)) & 16383;
    for (const key of ['{bar', 'bar}', '}bar{', 'foo{}{bar}', '{}', '{'])
      expect(slot(key)).toBe(plain(key));
  });

  it('sha256 at every length to 300, and where blocks end', () => {
    const random = new Random(256);
    for (const len of [...Array.from({ length: 301 }, (_, n) => n), 1000, 4095, 4096]) {
      const data = bytes(random, len);
      m.bytes.set(data, m.room);
      m.exports.sha256!(m.room, len, m.room + 8192);
      const hex = Buffer.from(m.get(m.room + 8192, 32), 'latin1').toString('hex');
      expect([len, hex]).toEqual([len, createHash('sha256').update(data).digest('hex')]);
    }
  });

  it('sha1 at every length to 300', () => {
    const random = new Random(53);
    for (let len = 0; len <= 300; len++) {
      const data = bytes(random, len);
      m.bytes.set(data, m.room);
      m.exports.sha1Hex!(m.room, len, m.room + 4096);
      expect(m.get(m.room + 4096, 40)).toBe(createHash('sha1').update(data).digest('hex'));
    }
  });
});

describe('bytes', () => {
  it('equality, order and case at all lengths and alignments', () => {
    const random = new Random(54);
    for (let i = 0; i < 100_000; i++) {
      const a = bytes(random, random.below(40));
      let b = random.below(3) ? Uint8Array.from(a) : bytes(random, random.below(40));
      if (b.length && random.below(2)) b[random.below(b.length)] ^= 1 << random.below(8);
      if (random.below(8) === 0) b = b.slice(0, random.below(b.length + 1));
      const at = m.room + random.below(8);
      const bt = m.room + 64 + random.below(8);
      m.bytes.set(a, at);
      m.bytes.set(b, bt);
      const order = Buffer.compare(a, b);
      const low = (x: Uint8Array) =>
        Buffer.from(x)
          .toString('latin1')
          .replace(/[A-Z]/g, (c) => c.toLowerCase());
      if (!!m.exports.bytesEqual!(at, a.length, bt, b.length) !== (order === 0))
        expect.fail('bytesEqual');
      if (m.exports.bytesCompare!(at, a.length, bt, b.length) !== order)
        expect.fail('bytesCompare');
      const same = low(a) === low(b);
      if (!!m.exports.bytesEqualNoCase!(at, a.length, bt, b.length) !== same)
        expect.fail('bytesEqualNoCase');
      m.exports.bytesToLower!(bt, bt, b.length);
      if (m.get(bt, b.length) !== low(b)) expect.fail('bytesToLower');
      if (!!m.exports.bytesEqualLower!(at, a.length, bt, b.length) !== same)
        expect.fail('bytesEqualLower');
      const c = random.below(2) && a.length ? a[random.below(a.length)]! : random.below(256);
      const found = a.indexOf(c);
      if (m.exports.bytesFind!(at, a.length, c) - at !== (found < 0 ? a.length : found))
        expect.fail('bytesFind');
    }
  });

  it('big-endian words', () => {
    m.exports.storeBe64!(m.room + 1, 0x0102030405060708n);
    expect([...m.bytes.slice(m.room + 1, m.room + 9)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(m.exports.loadBe64!(m.room + 1)).toBe(0x0102030405060708n);
    m.exports.storeBe32!(m.room + 1, 0x11223344);
    expect(m.exports.loadBe32!(m.room + 1)).toBe(0x11223344);
    m.exports.storeBe16!(m.room + 1, 0x12345);
    expect(m.exports.loadBe16!(m.room + 1)).toBe(0x2345);
  });
});

describe('prng', () => {
  it('is xoshiro256** over splitmix64', () => {
    let state = 0n;
    const split = () => {
      state = u64(state + 0x9e3779b97f4a7c15n);
      let z = state;
      z = u64((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
      z = u64((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
      return z ^ (z >> 31n);
    };
    const rotl = (x: bigint, n: bigint) => u64((x << n) | (x >> (64n - n)));
    state = 5n;
    const s = [split(), split(), 0n, 0n] as [bigint, bigint, bigint, bigint];
    state = 9n ^ rotl(s[0], 32n);
    s[2] = split();
    s[3] = split();
    m.exports.prngSeed!(5n, 9n);
    for (let i = 0; i < 1000; i++) {
      expect(u64(m.exports.prngU64!())).toBe(u64(rotl(u64(s[1] * 5n), 7n) * 9n));
      const t = u64(s[1] << 17n);
      s[2] ^= s[0];
      s[3] ^= s[1];
      s[1] ^= s[2];
      s[0] ^= s[3];
      s[2] ^= t;
      s[3] = rotl(s[3], 45n);
    }
  });

  it('is uniform below any bound', () => {
    m.exports.prngSeed!(1n, 2n);
    for (const n of [1, 2, 3, 7, 10, 1000]) {
      const counts = new Array(Math.min(n, 10)).fill(0);
      for (let i = 0; i < 50_000; i++) {
        const x = m.exports.prngBelow!(n) >>> 0;
        if (x >= n) expect.fail(`${x} of ${n}`);
        counts[x % counts.length]++;
      }
      for (const count of counts)
        expect(Math.abs(count - 50_000 / counts.length)).toBeLessThan(1100);
    }
    expect(m.exports.prngBelow!(0)).toBe(0);
    const big = 0xc0000000; // a biased method gives the lower half of this range two thirds
    let below = 0;
    for (let i = 0; i < 50_000; i++) if (m.exports.prngBelow!(big) >>> 0 < big / 2) below++;
    expect(Math.abs(below - 25_000)).toBeLessThan(700);
    for (let i = 0; i < 1000; i++) {
      const x = m.exports.prngF64!();
      expect(x >= 0 && x < 1).toBe(true);
    }
  });
});

describe('sort', () => {
  const shapes: [string, (i: number, n: number, r: Random) => number][] = [
    ['random', (_i, _n, r) => r.below(2 ** 32)],
    ['few values', (_i, _n, r) => r.below(4)],
    ['equal', () => 7],
    ['rising', (i) => i],
    ['falling', (i, n) => n - i],
    ['organ pipe', (i, n) => Math.min(i, n - i)],
    ['sawtooth', (i) => i % 17],
    ['high values', (i) => 0xffffffff - ((i * 7919) % 1009)],
  ];

  it('sorts every shape and size, within 4 n log2 n compares', () => {
    const random = new Random(55);
    const index = m.exports.index32!(0);
    for (const [name, value] of shapes) {
      for (const n of [0, 1, 2, 3, 15, 16, 17, 18, 100, 1000, 20_000]) {
        const list = Uint32Array.from({ length: n }, (_, i) => value(i, n, random));
        new Uint32Array(m.bytes.buffer, m.room, n).set(list);
        const before = m.exports.compareCount!();
        m.exports.sort32!(m.room, n, index);
        const compares = m.exports.compareCount!() - before;
        expect(new Uint32Array(m.bytes.buffer, m.room, n), `${name} ${n}`).toEqual(list.sort());
        expect(compares).toBeLessThan(4 * (n + 1) * Math.log2(n + 16));
      }
    }
  });

  it('sorts 8-byte records', () => {
    const random = new Random(56);
    const list = BigUint64Array.from({ length: 5000 }, () => random.bits64());
    new BigUint64Array(m.bytes.buffer, m.room, 5000).set(list);
    m.exports.sort64!(m.room, 5000, m.exports.index64!());
    expect(new BigUint64Array(m.bytes.buffer, m.room, 5000)).toEqual(list.sort());
  });

  it('guards against an adversary built for median of three', () => {
    const n = 20_000; // Musser's sequence makes such a quicksort quadratic
    const list = new Uint32Array(n);
    const k = n / 2;
    for (let i = 1; i <= k; i++) {
      if (i % 2) {
        list[i - 1] = i;
        list[i] = k + i;
      }
      list[k + i - 1] = 2 * i;
    }
    new Uint32Array(m.bytes.buffer, m.room, n).set(list);
    const before = m.exports.compareCount!();
    m.exports.sort32!(m.room, n, m.exports.index32!(0));
    expect(m.exports.compareCount!() - before).toBeLessThan(4 * n * Math.log2(n));
    expect(new Uint32Array(m.bytes.buffer, m.room, n)).toEqual(list.sort());
  });

  it('keeps to the array under a senseless comparator', () => {
    const n = 3000;
    const at = m.room + 64;
    m.bytes.fill(0xaa, at - 64, at + n * 4 + 64);
    const list = new Uint32Array(m.bytes.buffer, at, n);
    for (let i = 0; i < n; i++) list[i] = i;
    m.exports.sort32!(at, n, m.exports.index32!(1));
    expect(m.bytes.slice(at - 64, at).every((b) => b === 0xaa)).toBe(true);
    expect(m.bytes.slice(at + n * 4, at + n * 4 + 64).every((b) => b === 0xaa)).toBe(true);
    expect(Uint32Array.from(list).sort()).toEqual(Uint32Array.from({ length: n }, (_, i) => i));
  });
});
