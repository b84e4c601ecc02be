// RDB bytes by hand, for what no server's dump at hand contains.
import type { RdbHarness } from './rdb-harness.js';

type Bytes = Uint8Array | number[] | string;

export function bytes(x: Bytes): Buffer {
  return typeof x === 'string' ? Buffer.from(x, 'latin1') : Buffer.from(x);
}

export function len(n: number | bigint): Buffer {
  const v = BigInt(n);
  if (v < 64n) return Buffer.from([Number(v)]);
  if (v < 16384n) return Buffer.from([0x40 | Number(v >> 8n), Number(v & 255n)]);
  if (v < 1n << 32n) {
    const out = Buffer.alloc(5, 0x80);
    out.writeUInt32BE(Number(v), 1);
    return out;
  }
  return len64(v);
}

export function len64(n: bigint): Buffer {
  const out = Buffer.alloc(9, 0x81);
  out.writeBigUInt64BE(n, 1);
  return out;
}

export function str(x: Bytes): Buffer {
  const b = bytes(x);
  return Buffer.concat([len(b.length), b]);
}

/** An LZF string whose packed form is given. */
export function lzf(packed: Bytes, full: number | bigint): Buffer {
  const b = bytes(packed);
  return Buffer.concat([Buffer.from([0xc3]), len(b.length), len(full), b]);
}

/** LZF of literal runs alone. */
export function lzfLiteral(x: Bytes): Buffer {
  const b = bytes(x);
  const out: Buffer[] = [];
  for (let i = 0; i < b.length; i += 32) {
    const run = b.subarray(i, i + 32);
    out.push(Buffer.from([run.length - 1]), run);
  }
  return lzf(Buffer.concat(out), b.length);
}

export function i64(n: number | bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigInt64LE(BigInt(n));
  return out;
}

export function f64(n: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(n);
  return out;
}

export function id(ms: number | bigint, seq: number | bigint): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigUInt64BE(BigInt(ms));
  out.writeBigUInt64BE(BigInt(seq), 8);
  return out;
}

/** A listpack of short strings and small integers. */
export function listpack(items: (string | number)[]): Buffer {
  const body = items.map((item) => {
    let e: Buffer;
    if (typeof item === 'number') {
      if (item >= 0 && item < 128) e = Buffer.from([item]);
      else e = Buffer.concat([Buffer.from([0xf4]), i64(item)]);
    } else {
      const s = bytes(item);
      e = Buffer.concat([Buffer.from([0x80 | s.length]), s]);
    }
    return Buffer.concat([e, Buffer.from([e.length])]);
  });
  const all = Buffer.concat(body);
  const head = Buffer.alloc(6);
  head.writeUInt32LE(all.length + 7);
  head.writeUInt16LE(items.length, 4);
  return Buffer.concat([head, all, Buffer.from([0xff])]);
}

export function moduleId(name: string, version: number): bigint {
  const set = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  let v = 0n;
  for (const c of name) v = (v << 6n) | BigInt(set.indexOf(c));
  return (v << 10n) | BigInt(version);
}

/** A whole file: magic, the parts, EOF and (from version 5) the checksum. */
export function rdb(h: RdbHarness, magic: string, ...parts: Bytes[]): Buffer {
  const body = Buffer.concat([bytes(magic), ...parts.map(bytes), Buffer.from([0xff])]);
  if (magic.startsWith('REDIS') && Number(magic.slice(5)) < 5) return body;
  return Buffer.concat([body, crcOf(h, body)]);
}

export function crcOf(h: RdbHarness, body: Uint8Array): Buffer {
  const out = Buffer.alloc(8);
  const crc = (h.x.crc64 as unknown as (c: bigint, p: number, l: number) => bigint)(
    0n,
    h.put(body),
    body.length,
  );
  out.writeBigInt64LE(crc);
  return out;
}

/** A DUMP payload. */
export function payload(h: RdbHarness, version: number, type: number, ...value: Bytes[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([type]),
    ...value.map(bytes),
    Buffer.from([version & 255, version >> 8]),
  ]);
  return Buffer.concat([body, crcOf(h, body)]);
}

/** A key of type `type` named `key`. */
export function key(type: number, name: string, ...value: Bytes[]): Buffer {
  return Buffer.concat([Buffer.from([type]), str(name), ...value.map(bytes)]);
}

/** Deterministic random numbers (mulberry32). */
export function random(seed: number): (below: number) => number {
  let s = seed >>> 0;
  return (below) => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

// ---- files with everything that is rare

const t1 = 1700000000000;

const op = (n: number) => Buffer.from([n]);

const testId = moduleId('test-type', 3);

const moduleData = Buffer.concat([
  len(1),
  len64(0xffffffffffffffffn),
  len(2),
  len(70000),
  len(3),
  Buffer.alloc(4, 1),
  len(4),
  f64(1.5),
  len(5),
  str('some string'),
  len(5),
  lzfLiteral('packed string of a module'),
  len(5),
  Buffer.from([0xc1, 1, 2]),
  len(0),
]);

const node = listpack([
  3,
  1,
  1,
  'f',
  0,
  2,
  0,
  0,
  'v1',
  4,
  3,
  1,
  0,
  'gone',
  4,
  0,
  5,
  2,
  1,
  'x',
  'y',
  6,
  2,
  7,
  3,
  'z',
  4,
]);

const group = (v: number) =>
  Buffer.concat([
    len(1),
    str('grp'),
    len(t1),
    len(3),
    v >= 2 ? len(0xffffffffffffffffn) : Buffer.alloc(0),
    len(3),
    id(t1, 0),
    i64(t1 + 5),
    len(1),
    id(t1 + 5, 2),
    i64(t1 + 6),
    len(300),
    id(9, 9),
    i64(1),
    len(2),
    len(2),
    str('alice'),
    i64(t1 + 7),
    v >= 3 ? i64(t1 + 8) : Buffer.alloc(0),
    len(1),
    id(t1, 0),
    str('bob'),
    i64(t1),
    v >= 3 ? i64(-1) : Buffer.alloc(0),
    len(1),
    id(t1 + 5, 2),
    v >= 5 ? Buffer.concat([len(1), id(9, 9)]) : Buffer.alloc(0),
  ]);

const stream = (v: number) =>
  Buffer.concat([
    len(1),
    str(id(t1, 0)),
    str(node),
    len(3),
    len(t1 + 7),
    len(3),
    v >= 2 ? Buffer.concat([len(t1), len(0), len(t1 + 1), len(0), len(4)]) : Buffer.alloc(0),
    group(v),
    v >= 4
      ? Buffer.concat([
          len(100),
          len(1000),
          len(2),
          str('p1'),
          len(2),
          str('i1'),
          len(t1),
          len(0),
          str('i2'),
          len(t1 + 5),
          len(2),
          str('p2'),
          len(0),
          len(2),
          len(7),
        ])
      : Buffer.alloc(0),
  ]);

function rare1(h: RdbHarness): [string, Buffer][] {
  return [
    [
      'rdb1',
      rdb(
        h,
        'REDIS0001',
        op(0xfe),
        len(0),
        key(0, 'a', str('1')),
        key(
          3,
          'z',
          len(6),
          str('m1'),
          str('1.5'),
          str('m2'),
          op(253),
          str('m3'),
          op(254),
          str('m4'),
          op(255),
          str('m5'),
          str('-0'),
          str('m6'),
          str('1.7976931348623157e+308'),
        ),
      ),
    ],
    [
      'rdb2-zipmap',
      rdb(h, 'REDIS0002', key(9, 'h', str('\x02\x01a\x03\x03bbb---\x00\x00\x00\xff'))),
    ],
    [
      'rdb3',
      rdb(
        h,
        'REDIS0003',
        op(253),
        [0, 0, 0, 0x7f],
        key(0, 'sec', str('v')),
        op(252),
        i64(-5),
        key(0, 'negative', str('v')),
      ),
    ],
  ];
}

function rare2(h: RdbHarness): [string, Buffer][] {
  return [
    [
      'pre-ga-hash',
      rdb(
        h,
        'REDIS0012',
        key(
          22,
          'h',
          len(2),
          len(0),
          str('f1'),
          str('v1'),
          len(t1),
          str('f2'),
          lzfLiteral('a longer value that is packed'),
        ),
      ),
    ],
    [
      'hash-meta',
      rdb(
        h,
        'REDIS0012',
        key(
          24,
          'h',
          i64(t1),
          len(3),
          len(0),
          str('f1'),
          str('v1'),
          len(1),
          str('f2'),
          str('v2'),
          len(5001),
          str('f3'),
          str('v3'),
        ),
      ),
    ],
  ];
}

function rare3(h: RdbHarness): [string, Buffer][] {
  return [
    [
      'valkey',
      rdb(
        h,
        'VALKEY080',
        op(243),
        str('j'.repeat(40)),
        len(2),
        len(0),
        len(5),
        len(100),
        len(16383),
        key(
          22,
          'h',
          len(2),
          str('f1'),
          str('v1'),
          i64(-1),
          str('f2'),
          lzfLiteral('a longer value that is packed'),
          i64(t1),
        ),
      ),
    ],
    [
      'templates',
      rdb(
        h,
        'REDIS0015',
        op(242),
        len(7),
        len(2),
        str('id'),
        str('name'),
        op(242),
        len(90000),
        len(3),
        str('a'),
        str('bb'),
        [0xc0, 5],
        key(30, 'h1', str(listpack([7, 'x', 'y']))),
        key(32, 'h2', len(90000), str('1'), [0xc1, 0, 1], str('3')),
        key(29, 'h3', len(0), str(listpack(['p', 'q'])), lzfLiteral(listpack([0, 'P', 5]))),
        key(31, 'h4', len(1), len(2), str('r'), str('s'), str('R'), str('S')),
        key(29, 'h5', len(1), len(1), str('t'), str(listpack([1, 'T']))),
        key(31, 'h6', len(0), str(listpack(['u', 5])), str('U'), str('V')),
      ),
    ],
    ...[1, 2, 3, 4, 5].map((v): [string, Buffer] => [
      `stream-v${v}`,
      rdb(
        h,
        `REDIS00${['', '09', '10', '11', '13', '14'][v]}`,
        key([0, 15, 19, 21, 26, 27][v] as number, 's', stream(v)),
        key(0, 'after', str('x')),
      ),
    ]),
  ];
}

function rare4(h: RdbHarness): [string, Buffer][] {
  return [
    [
      'key-meta',
      rdb(
        h,
        'REDIS0013',
        op(252),
        i64(t1),
        op(248),
        len(100),
        op(243),
        len(2),
        [1, 2, 3, 4],
        moduleData,
        [5, 6, 7, 8],
        len(0),
        key(0, 'k', str('v')),
        key(0, 'plain', str('v')),
      ),
    ],
    [
      'modules',
      rdb(
        h,
        'REDIS0008',
        op(247),
        len(testId),
        len(2),
        len(1),
        moduleData,
        key(7, 'm1', len(testId), moduleData),
        key(7, 'm2', len(testId), len(0)),
        key(7, 'm3', len(moduleId('otherType', 1)), moduleData),
        op(247),
        len(testId),
        len(2),
        len(2),
        len(0),
      ),
    ],
  ];
}

function rare5(h: RdbHarness): [string, Buffer][] {
  return [
    [
      'array',
      rdb(
        h,
        'REDIS0014',
        key(
          28,
          'a',
          len(4),
          len(1),
          len(9),
          len(0),
          len(0),
          str('zero'),
          len(5),
          len(1),
          i64(-3),
          len(6),
          len(2),
          f64(2.5),
          len(70000),
          len(3),
          str('abc'),
        ),
      ),
    ],
    [
      'functions',
      rdb(
        h,
        'REDIS0010',
        op(246),
        str('n1'),
        str('LUA'),
        len(1),
        str('described'),
        str('return 1'),
        op(246),
        str('n2'),
        str('LUA'),
        len(0),
        str('return 2'),
        op(245),
        lzfLiteral('#!lua name=lib\nredis.register_function("f", function() end)'),
      ),
    ],
  ];
}

function rare6(h: RdbHarness): [string, Buffer][] {
  return [
    [
      'quicklist',
      rdb(
        h,
        'REDIS0011',
        key(
          18,
          'l',
          len(3),
          len(2),
          str(listpack(['a', 5])),
          len(1),
          lzfLiteral('x'.repeat(100)),
          len(2),
          lzfLiteral(listpack(['z'])),
          '',
        ),
        op(249),
        [200],
        key(20, 's', str(listpack(['m', 1]))),
      ),
    ],
    [
      'numbers',
      rdb(
        h,
        'REDIS0012',
        op(0xfe),
        len(0),
        op(251),
        len(1n << 40n),
        len(1n << 40n),
        op(244),
        len(16383),
        len(1n << 33n),
        len(0),
        op(107),
        len(5),
        op(121),
        len(70000),
        key(0, 'i8', [0xc0, 0x80]),
        key(0, 'i16', [0xc1, 0, 0x80]),
        key(0, 'i32', [0xc2, 0, 0, 0, 0x80]),
        key(1, 'long', len64(2n), str('a'), Buffer.concat([len64(1n), bytes('b')])),
        op(0xfe),
        len(0x7fffffff),
        op(252),
        i64(5),
        op(107),
        len(1),
        key(0, '', str('')),
      ),
    ],
  ];
}

/** Files with everything that is rare, by name; each is valid. */
export function rareFiles(h: RdbHarness): [string, Buffer][] {
  return [rare1, rare2, rare3, rare4, rare5, rare6].flatMap((make) => make(h));
}
