// What no dump at hand contains, written byte by byte; refusals with their offsets; DUMP payloads.
import { describe, expect, it } from 'vitest';
import {
  crcOf,
  f64,
  i64,
  key,
  len,
  len64,
  listpack,
  lzf,
  lzfLiteral,
  moduleId,
  payload,
  rareFiles,
  rdb,
  str,
} from '../support/rdb-build.js';
import { decode, type Stream } from '../support/rdb-decode.js';
import { ERR, type Event, FLAG, RdbHarness, REC, VERDICT } from '../support/rdb-harness.js';

const h = new RdbHarness();
const rare = new Map(rareFiles(h));
const T1 = 1700000000000;

function values(name: string): Record<string, unknown> {
  const result = h.read(rare.get(name)!);
  expect(result.last, `${name}: ${h.errorText(result.err)} at ${result.errOffset}`).toBe(REC.EOF);
  const { keys } = decode(h, result.events);
  expect(keys.filter((k) => k.isDamaged)).toEqual([]);
  return Object.fromEntries(keys.map((k) => [k.key, k.value]));
}

function kinds(events: Event[]): number[] {
  return events.map((e) => e[0]);
}

describe('rare types and opcodes', () => {
  it.each([...rare.keys()])('%s reads to its end', (name) => {
    const file = rare.get(name)!;
    const result = h.read(file);
    expect(`${result.last} ${h.errorText(result.err)} ${result.errOffset}`).toMatch(/^1 /);
    expect(result.consumed).toBe(file.length);
  });

  it('old doubles: text, nan and the infinities', () => {
    expect(values('rdb1')).toEqual({
      a: '1',
      z: [
        ['m1', 1.5],
        ['m2', Number.NaN],
        ['m3', Infinity],
        ['m4', -Infinity],
        ['m5', -0],
        ['m6', Number.MAX_VALUE],
      ],
    });
    expect(h.read(rare.get('rdb1')!).verdict).toBe(VERDICT.ABSENT);
  });

  it('zipmap with free bytes; expiry in seconds, negative too', () => {
    expect(values('rdb2-zipmap')).toEqual({
      h: [
        ['a', 'bbb', -1],
        ['', '', -1],
      ],
    });
    const { keys } = decode(h, h.read(rare.get('rdb3')!).events);
    expect(keys.map((k) => k.expireAt)).toEqual([0x7f000000 * 1000, -5]);
  });

  it('hashes with field expiries of Redis and of Valkey', () => {
    const packed = 'a longer value that is packed';
    expect(values('pre-ga-hash')).toEqual({
      h: [
        ['f1', 'v1', -1],
        ['f2', packed, T1],
      ],
    });
    expect(values('hash-meta')).toEqual({
      h: [
        ['f1', 'v1', -1],
        ['f2', 'v2', T1],
        ['f3', 'v3', T1 + 5000],
      ],
    });
    expect(values('valkey')).toEqual({
      h: [
        ['f1', 'v1', -1],
        ['f2', packed, T1],
      ],
    });
    expect(h.read(rare.get('valkey')!).events[0]).toEqual([REC.SLOT_IMPORT, 'j'.repeat(40), 2n]);
  });

  it('hash templates come out as fields', () => {
    const f = (...p: [string, string][]) => p.map(([a, b]) => [a, b, -1]);
    expect(values('templates')).toEqual({
      h1: f(['id', 'x'], ['name', 'y']),
      h2: f(['a', '1'], ['bb', '256'], ['5', '3']),
      h3: f(['p', 'P'], ['q', '5']),
      h4: f(['r', 'R'], ['s', 'S']),
      h5: f(['t', 'T']),
      h6: f(['u', 'U'], ['5', 'V']),
    });
    const events = h.read(rare.get('templates')!).events;
    expect(events.slice(0, 2)).toEqual([
      [REC.HASH_TEMPLATE, 7n, 2n],
      [REC.HASH_TEMPLATE, 90000n, 3n],
    ]);
  });

  it.each([1, 2, 3, 4, 5])('stream version %i', (v) => {
    const { keys } = decode(h, h.read(rare.get(`stream-v${v}`)!).events);
    expect(keys.map((k) => k.key)).toEqual(['s', 'after']);
    const s = keys[0]!.stream as Stream;
    expect(s.entries).toEqual([
      [`${T1}-0`, ['f', 'v1']],
      [`${T1 + 5}-2`, ['x', 'y']],
      [`${T1 + 7}-3`, ['f', 'z']],
    ]);
    expect([s.length, s.last, s.added]).toEqual([3n, `${T1 + 7}-3`, v >= 2 ? 4n : 3n]);
    expect(s.groups).toEqual([
      {
        name: 'grp',
        last: `${T1}-3`,
        read: -1n,
        pel: [
          { id: `${T1}-0`, at: BigInt(T1 + 5), count: 1n },
          { id: `${T1 + 5}-2`, at: BigInt(T1 + 6), count: 300n },
          { id: '9-9', at: 1n, count: 2n },
        ],
        consumers: [
          {
            name: 'alice',
            seen: BigInt(T1 + 7),
            active: BigInt(v >= 3 ? T1 + 8 : T1 + 7),
            pel: [`${T1}-0`],
          },
          {
            name: 'bob',
            seen: BigInt(T1),
            active: v >= 3 ? -1n : BigInt(T1),
            pel: [`${T1 + 5}-2`],
          },
        ],
        nacks: v >= 5 ? ['9-9'] : [],
      },
    ]);
    expect(s.idmp).toEqual(
      v < 4
        ? undefined
        : [
            [100n, 1000n, 2n],
            ['p1', 2n],
            ['i1', BigInt(T1), 0n],
            ['i2', BigInt(T1 + 5), 2n],
            ['p2', 0n],
            [2n, 7n],
          ],
    );
  });

  it('key metadata is passed over and counted', () => {
    const keys = h.read(rare.get('key-meta')!).events.filter((e) => e[0] === REC.KEY);
    // name, db, type, expiry, idle, freq, offset, count, classes of metadata
    expect(keys[0]).toEqual([REC.KEY, 'k', 0, 0, BigInt(T1), 100n, -1n, 9n, -1n, 2n]);
    expect(keys[1]!.slice(4, 7)).toEqual([-1n, -1n, -1n]);
    expect(keys[1]![9]).toBe(0n);
  });

  it('module values are skipped and counted by module', () => {
    const file = rare.get('modules')!;
    const { events } = h.read(file);
    expect(events[0]).toEqual([REC.MODULE_AUX, 'test-type', 1n]);
    expect(events.filter((e) => e[0] === REC.VALUE_SKIPPED)).toEqual([
      [REC.VALUE_SKIPPED, 7, 'test-type'],
      [REC.VALUE_SKIPPED, 7, 'test-type'],
      [REC.VALUE_SKIPPED, 7, 'otherType'],
    ]);
    const r = h.x.open(0);
    h.x.feed(r, h.put(file), file.length);
    while (h.x.next(r) > 1);
    const tally = [0, 1].map((i) => [
      h.x.skippedType(r, i),
      h.moduleName(h.big('skippedModule', r, i)),
      h.big('skippedCount', r, i),
    ]);
    expect(tally).toEqual([
      [7, 'test-type', 2n],
      [7, 'otherType', 1n],
    ]);
    h.x.close(r);
    expect(kinds(h.read(rare.get('array')!).events)).toEqual([REC.KEY, REC.VALUE_SKIPPED, REC.EOF]);
  });

  it('functions of both forms; numbers; Redis Enterprise opcodes', () => {
    expect(h.read(rare.get('functions')!).events.slice(0, 3)).toEqual([
      [REC.FUNCTION_PRE_GA, 'n1', 'return 1'],
      [REC.FUNCTION_PRE_GA, 'n2', 'return 2'],
      [REC.FUNCTION, '#!lua name=lib\nredis.register_function("f", function() end)'],
    ]);
    const { events } = h.read(rare.get('numbers')!);
    expect(events[1]).toEqual([REC.RESIZEDB, 1n << 40n, 1n << 40n]);
    expect(events[2]).toEqual([REC.SLOT_INFO, 16383n, 1n << 33n, 0n]);
    const { keys } = decode(h, events);
    expect(keys.map((k) => k.value)).toEqual(['-128', '-32768', '-2147483648', ['a', 'b'], '']);
    expect(keys[4]!.db).toBe(0x7fffffff);
    expect(keys[4]!.expireAt).toBe(5);
    expect(values('quicklist')).toEqual({ l: ['a', '5', 'x'.repeat(100), 'z'], s: ['m', '1'] });
  });
});

describe('ends', () => {
  it('bytes behind the RDB are not consumed', () => {
    for (const magic of ['REDIS0003', 'REDIS0010']) {
      const file = rdb(h, magic, key(0, 'k', str('v')));
      const result = h.read(Buffer.concat([file, Buffer.from('*1\r\n$4\r\nPING\r\n')]));
      expect(result.last).toBe(REC.EOF);
      expect(result.consumed).toBe(file.length);
    }
  });

  it('checksum: right, disabled, unchecked, wrong', () => {
    const file = rdb(h, 'REDIS0010', key(0, 'k', str('v')));
    expect(h.read(file).verdict).toBe(VERDICT.OK);
    expect(h.read(file, { flags: FLAG.NO_CHECKSUM }).verdict).toBe(VERDICT.UNCHECKED);
    const disabled = Buffer.from(file);
    disabled.fill(0, file.length - 8);
    expect(h.read(disabled).verdict).toBe(VERDICT.DISABLED);
    const wrong = Buffer.from(file);
    wrong[file.length - 10]! ^= 1;
    const result = h.read(wrong);
    expect([result.last, result.err, result.errOffset]).toEqual([
      -1,
      ERR.CHECKSUM,
      file.length - 8,
    ]);
    expect(h.read(wrong, { flags: FLAG.NO_CHECKSUM }).last).toBe(REC.EOF);
  });

  it('values passed over: only keys and their ends', () => {
    for (const [name, file] of rare) {
      const all = h.read(file);
      const result = h.read(file, { skip: () => true });
      expect(result.last, name).toBe(REC.EOF);
      const keep = new Set<number>([REC.KEY, REC.VALUE_SKIPPED]);
      const of = (events: Event[]) => events.filter((e) => keep.has(e[0]) || e[0] < REC.KEY);
      expect(of(result.events), name).toEqual(of(all.events));
      const rest = result.events.filter((e) => !keep.has(e[0]) && e[0] > REC.KEY);
      expect(new Set(kinds(rest)), name).toEqual(new Set(rest.length ? [REC.VALUE_END] : []));
    }
  });

  it('long strings can be measured without being held', () => {
    const long = 'y'.repeat(300000);
    const file = rdb(
      h,
      'REDIS0010',
      key(0, 'k', str(long)),
      key(1, 'l', len(2), lzfLiteral(long), str('short')),
    );
    const chunks = (function* () {
      for (;;) yield 1000;
    })();
    const result = h.read(file, { chunks, holdMax: 1000n });
    expect(result.last).toBe(REC.EOF);
    const pick = new Set<number>([REC.STRING, REC.ELEMENT]);
    expect(result.events.filter((e) => pick.has(e[0])).map((e) => e[1])).toEqual([
      null,
      null,
      'short',
    ]);
  });
});

describe('refusals name code, offset and number', () => {
  const S = key(0, 'k', str('v'));
  const cases: [string, Buffer, number, number, bigint?][] = [
    ['no RDB', Buffer.from('GARBAGE-FILE'), ERR.MAGIC, 0],
    ['letters in the version', Buffer.from('REDIS00x0\xff'), ERR.MAGIC, 0],
    ['version 0', Buffer.from('REDIS0000\xff', 'latin1'), ERR.VERSION, 5, 0n],
    ['version 16', rdb(h, 'REDIS0016', S), ERR.VERSION, 5, 16n],
    ['Valkey 81', rdb(h, 'VALKEY081', S), ERR.VERSION, 6, 81n],
    ['Valkey 79', rdb(h, 'VALKEY079', S), ERR.VERSION, 6, 79n],
    ['opcode 200', rdb(h, 'REDIS0010', S, [200]), ERR.OPCODE, 14, 200n],
    ['type 8', rdb(h, 'REDIS0010', S, key(8, 'x')), ERR.TYPE, 14, 8n],
    ['type 33', rdb(h, 'REDIS0015', S, key(33, 'x')), ERR.TYPE, 14, 33n],
    ['type 6', rdb(h, 'REDIS0008', S, key(6, 'x')), ERR.MODULE_PRE_GA, 14, 6n],
    ['type 22 before 12', rdb(h, 'REDIS0011', key(22, 'x', len(0))), ERR.TYPE, 9, 22n],
    ['type 23 in Valkey', rdb(h, 'VALKEY080', key(23, 'x', str(''))), ERR.TYPE, 9, 23n],
    ['type 24 in Valkey', rdb(h, 'VALKEY080', key(24, 'x')), ERR.TYPE, 9, 24n],
    ['type 28 before 14', rdb(h, 'REDIS0013', key(28, 'x')), ERR.TYPE, 9, 28n],
    ['type 30 before 15', rdb(h, 'REDIS0014', key(30, 'x')), ERR.TYPE, 9, 30n],
    ['opcode 243 before 13', rdb(h, 'REDIS0012', [243]), ERR.OPCODE, 9, 243n],
    ['opcode 242 before 15', rdb(h, 'REDIS0014', [242]), ERR.OPCODE, 9, 242n],
    ['opcode 242 in Valkey', rdb(h, 'VALKEY080', [242]), ERR.OPCODE, 9, 242n],
    ['length 0x82', rdb(h, 'REDIS0010', [0xfe, 0x82]), ERR.LENGTH, 10],
    ['string 0xc4', rdb(h, 'REDIS0010', [0, 0xc4]), ERR.STRING, 10, 0xc4n],
    ['database 2^31', rdb(h, 'REDIS0010', [0xfe], len(2 ** 31)), ERR.DB, 9, 1n << 31n],
    [
      'string of 2^40',
      rdb(h, 'REDIS0010', [0], len64(1n << 40n)),
      ERR.STRING_TOO_LONG,
      10,
      1n << 40n,
    ],
    [
      'LZF bomb',
      rdb(h, 'REDIS0010', [0], str('k'), lzf('\x00a\xe0\xff\x00', 441)),
      ERR.LZF_RATIO,
      12,
      441n,
    ],
    ['LZF of nothing', rdb(h, 'REDIS0010', [0], str('k'), lzf('', 0)), ERR.LZF, 12],
    ['LZF too short', rdb(h, 'REDIS0010', [0], str('k'), lzf('\x01ab', 3)), ERR.LZF, 12],
    [
      'LZF reaches back too far',
      rdb(h, 'REDIS0010', [0], str('k'), lzf('\x00a\x20\x05', 4)),
      ERR.LZF,
      12,
    ],
    [
      'module opcode 6',
      rdb(h, 'REDIS0010', key(7, 'm', len(1), len(6))),
      ERR.MODULE_OPCODE,
      13,
      6n,
    ],
    ['module aux', rdb(h, 'REDIS0010', [247], len(1), len(3), len(0)), ERR.MODULE_AUX, 9, 3n],
    [
      'quicklist container',
      rdb(h, 'REDIS0010', key(18, 'l', len(1), len(3))),
      ERR.CONTAINER,
      13,
      3n,
    ],
    ['score of length 0', rdb(h, 'REDIS0003', key(3, 'z', len(1), str('m'), [0])), ERR.SCORE, 15],
    ['score text', rdb(h, 'REDIS0003', key(3, 'z', len(1), str('m'), str('1.x'))), ERR.SCORE, 16],
    [
      'stream node id',
      rdb(h, 'REDIS0010', key(19, 's', len(1), str('123'))),
      ERR.STREAM_ID,
      13,
      3n,
    ],
    ['expiry without a key', rdb(h, 'REDIS0010', [252], i64(1), [0xfe, 0]), ERR.PREFIX, 18, 254n],
    ['expiry at the end', rdb(h, 'REDIS0010', [252], i64(1)), ERR.PREFIX, 18, 255n],
    ['template unknown', rdb(h, 'REDIS0015', key(32, 'h', len(4))), ERR.TEMPLATE_UNKNOWN, 12, 4n],
    [
      'template twice',
      rdb(h, 'REDIS0015', [242], len(1), len(0), [242], len(1), len(0)),
      ERR.TEMPLATE_DUPLICATE,
      12,
      1n,
    ],
    [
      'template too short',
      rdb(h, 'REDIS0015', [242], len(1), len(1), str('f'), key(30, 'h', str(listpack([1])))),
      ERR.TEMPLATE,
      17,
    ],
    [
      'array tag',
      rdb(h, 'REDIS0014', key(28, 'a', len(1), len(0), len(0), len(4))),
      ERR.ARRAY,
      14,
      4n,
    ],
  ];
  it.each(cases)('%s', (_, file, code, offset, arg) => {
    const result = h.read(file);
    expect([result.last, h.errorText(result.err), result.errOffset]).toEqual([
      REC.ERROR,
      h.errorText(code),
      offset,
    ]);
    if (arg !== undefined) expect(BigInt.asUintN(64, result.errArg)).toBe(arg);
    // the same refusal when bytes come one by one
    const chunks = (function* () {
      for (;;) yield 1;
    })();
    const slow = h.read(file, { chunks });
    expect([slow.err, slow.errOffset, slow.errArg]).toEqual([code, offset, result.errArg]);
    expect(slow.events).toEqual(result.events);
  });

  it('later versions are read on request, until something unknown occurs', () => {
    const flags = FLAG.ALLOW_FUTURE;
    expect(h.read(rdb(h, 'REDIS0099', S), { flags }).last).toBe(REC.EOF);
    expect(h.read(rdb(h, 'VALKEY081', S), { flags }).last).toBe(REC.EOF);
    const result = h.read(rdb(h, 'REDIS0099', S, key(33, 'x')), { flags });
    expect([result.err, result.errOffset]).toEqual([ERR.TYPE, 14]);
  });

  it('every code has a text', () => {
    const texts = Object.values(ERR).map((code) => h.errorText(code));
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('memory', () => {
  it('declared sizes and counts cost nothing', () => {
    const before = h.x.used();
    const pages = h.memory.buffer.byteLength;
    for (const part of [
      key(1, 'l', len(1n << 40n), str('a')),
      key(4, 'h', len64(0xffffffffffffffffn), str('a')),
      key(0, 's', len(0xe0000000), 'abc'),
      Buffer.concat([Buffer.from([242]), len(1), len(1n << 40n)]),
      key(19, 's', len(1n << 40n)),
      key(14, 'q', len(1n << 40n)),
      key(28, 'a', len(1n << 40n), len(0)),
      key(0, 's', Buffer.from([0xc3]), len(0x40000000), len(0xe0000000), [2, 97, 98, 99]),
    ]) {
      const file = Buffer.concat([Buffer.from('REDIS0015'), part]);
      const result = h.read(file);
      expect([result.err, result.errOffset]).toEqual([ERR.TRUNCATED, file.length]);
    }
    expect(h.x.used()).toBe(before);
    expect(h.memory.buffer.byteLength - pages).toBeLessThan(1 << 20);
  });

  it('what a large string took is given back', () => {
    const big = 'x'.repeat(3 << 20);
    const file = rdb(h, 'REDIS0010', key(0, 'big', str(big)), key(0, 'k', str('v')));
    const window = h.put(file);
    const r = h.x.open(0);
    const before = h.x.used();
    let at = 0;
    let peak = 0;
    const seen: number[] = [];
    for (;;) {
      const kind = h.x.next(r);
      if (kind > 0) {
        seen.push(kind);
        if (kind === REC.STRING && seen.length === 2) {
          const f = h.fields(r);
          expect(h.text(f[0]!, f[1]!) === big).toBe(true);
        }
        if (kind === REC.EOF) break;
        continue;
      }
      expect(kind).toBe(0);
      peak = Math.max(peak, h.x.used() - before);
      const n = Math.min(65536, file.length - at);
      h.x.feed(r, window + at, n);
      at += n;
      // never more than twice what arrived (and the old block while it moves)
      expect(h.x.used() - before).toBeLessThan(2 * at + 4096);
    }
    expect(seen).toEqual([REC.KEY, REC.STRING, REC.KEY, REC.STRING, REC.EOF]);
    expect(peak).toBeGreaterThan(1 << 20);
    expect(h.x.used() - before).toBeLessThan(70000);
    h.x.close(r);
  });

  it('every allocation may fail: an error, no leak, the next reader works', () => {
    h.put(Buffer.alloc(65536));
    const before = h.x.used();
    for (const [name, file] of rare) {
      for (let n = 0; ; n++) {
        h.x.failAfter(n);
        const r = h.x.open(0) >>> 0;
        if (!r) continue;
        let at = 0;
        let kind = 0;
        do {
          // the window moves so that strings are collected
          const size = Math.min(7, file.length - at);
          const ptr = h.put(file.subarray(at, at + size));
          at += size;
          h.x.feed(r, ptr, size);
          do kind = h.x.next(r);
          while (kind > REC.EOF);
        } while (kind === 0 && at < file.length);
        const left = h.x.failAfter(-1);
        expect(left).toBe(undefined);
        const f = h.fields(r);
        const isDone = kind === REC.EOF;
        if (!isDone) expect(h.errorText(Number(f[28])), name).toBe('out of memory');
        h.x.close(r);
        expect(h.x.used(), name).toBe(before);
        if (isDone) break;
      }
    }
  });

  it('several readers at once do not disturb each other', () => {
    const files = [...rare.values()];
    const alone = files.map((f) => h.read(f).events);
    const readers = files.map(() => h.x.open(0));
    const windows = files.map(() => h.x.alloc(16) >>> 0);
    const got: Event[][] = files.map(() => []);
    const at = files.map(() => 0);
    let open = files.length;
    while (open) {
      for (const [i, file] of files.entries()) {
        const r = readers[i]!;
        if (!r) continue;
        const n = Math.min(5, file.length - at[i]!);
        h.bytes().set(file.subarray(at[i]!, at[i]! + n), windows[i]!);
        at[i]! += n;
        h.x.feed(r, windows[i]!, n);
        let kind = h.x.next(r);
        for (; kind > 0; kind = h.x.next(r)) {
          got[i]!.push(h.event(kind, h.fields(r)));
          if (kind === REC.EOF) break;
        }
        if (kind === 0) continue;
        h.x.close(r);
        readers[i] = 0;
        open--;
      }
    }
    expect(got).toEqual(alone);
  });
});

describe('payloads of DUMP', () => {
  const good = payload(h, 10, 0, str('hello'));
  it('gives the value without a key', () => {
    const result = h.readPayload(good);
    expect(kinds(result.events)).toEqual([REC.KEY, REC.STRING, REC.EOF]);
    expect(result.events[1]![1]).toBe('hello');
    expect(result.verdict).toBe(VERDICT.OK);
    expect(h.readPayload(payload(h, 80, 22, len(1), str('f'), str('v'), i64(7))).events[1]).toEqual(
      [REC.FIELD, 'f', 'v', 7n],
    );
    const zset = payload(h, 11, 5, len(2), str('a'), f64(1.5), lzfLiteral('b'), f64(-0));
    expect(h.readPayload(zset).events.slice(1)).toEqual([
      [REC.SCORED, 'a', 1.5],
      [REC.SCORED, 'b', -0],
      [REC.VALUE_END, ''],
      [REC.EOF, VERDICT.OK],
    ]);
    const own = payload(h, 15, 31, len(1), len(1), str('f'), str('v'));
    expect(h.readPayload(own).events[1]).toEqual([REC.FIELD, 'f', 'v', -1n]);
  });

  it('refuses wrong footers and wrong sizes', () => {
    const bad = Buffer.from(good);
    bad[2]! ^= 4;
    expect(h.readPayload(bad).err).toBe(ERR.PAYLOAD_FOOTER);
    expect(h.readPayload(Buffer.alloc(9)).err).toBe(ERR.PAYLOAD_FOOTER);
    expect(h.readPayload(payload(h, 16, 0, str('x'))).err).toBe(ERR.PAYLOAD_VERSION);
    expect(h.readPayload(payload(h, 10, 0, str('x'), 'y')).err).toBe(ERR.PAYLOAD_TRAILING);
    expect(h.readPayload(payload(h, 10, 0, [5, 0x61])).err).toBe(ERR.TRUNCATED);
    expect(h.readPayload(payload(h, 10, 250, str('x'))).err).toBe(ERR.TYPE);
    const disabled = Buffer.concat([good.subarray(0, -8), Buffer.alloc(8)]);
    expect(h.readPayload(disabled).verdict).toBe(VERDICT.DISABLED);
    expect(crcOf(h, Buffer.from('123456789')).readBigUInt64LE()).toBe(0xe9c6d914c4b8d9can);
    expect(moduleId('vectorset', 1) & 1023n).toBe(1n);
  });
});
