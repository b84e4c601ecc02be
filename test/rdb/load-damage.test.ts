// What a damaged file may do to the loader: an error with an offset, nothing left behind, no trap.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOAD, LOAD_ERR, LoadHarness } from '../support/load-harness.js';
import {
  f64,
  key,
  len,
  listpack,
  payload,
  random,
  rareFiles,
  rdb,
  str,
} from '../support/rdb-build.js';
import { DATA, hasData, RdbHarness } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const RUNS = Number(process.env.RESPITE_FUZZ_RUNS ?? 20_000);
const OWN = join(ROOT, 'test/rdb/data');
const reader = new RdbHarness();
const NOW = 1_700_000_000_000;

const own = (): [string, Buffer][] => [
  ...readdirSync(OWN)
    .filter((f) => f.endsWith('.rdb'))
    .map((f) => [f, readFileSync(join(OWN, f))] as [string, Buffer]),
  ...rareFiles(reader),
];

/** Loads whatever it is, drops it, frees all; what is still in use then. */
function usedAfter(h: LoadHarness, file: Uint8Array, flags: number): number {
  h.load(file, flags, NOW);
  h.x.loadAbort!();
  h.x.flush!();
  h.x.infoReset!();
  return h.used();
}

function mutate(file: Buffer, rnd: (n: number) => number, others: Buffer[]): Buffer {
  let out = Buffer.from(file);
  for (let times = 1 + rnd(3); times > 0; times--) {
    const at = 9 + rnd(Math.max(1, out.length - 9));
    switch (rnd(5)) {
      case 0:
        out[at] = rnd(256);
        break;
      case 1:
        out[at]! ^= 1 << rnd(8);
        break;
      case 2:
        out[at] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xfe, 0xff][rnd(12)]!;
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + rnd(16))]);
        break;
      default: {
        const from = others[rnd(others.length)]!;
        const a = rnd(from.length);
        const piece = from.subarray(a, a + rnd(64));
        out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
      }
    }
  }
  return out;
}

describe('damaged files', () => {
  it.each(own())('%s: cut at every offset up to 4 KiB and at 200 after', (_, file) => {
    const h = new LoadHarness();
    const empty = usedAfter(h, file, LOAD.KEEP_EXPIRED);
    expect(usedAfter(h, file, LOAD.KEEP_EXPIRED)).toBe(empty);
    // some of these files are refused even whole, for what they hold
    h.load(file, LOAD.KEEP_EXPIRED, NOW);
    const reasons = ['unexpected end of file', h.info().reason];
    h.x.loadAbort!();
    const rnd = random(file.length);
    const cuts = Array.from({ length: Math.min(file.length, 4096) }, (_, i) => i);
    if (file.length > 4096) for (let i = 0; i < 200; i++) cuts.push(rnd(file.length));
    const flags = [2, 3];
    for (const cut of cuts) {
      const piece = file.subarray(0, cut);
      const mode = flags[cut % 2]!;
      const last = h.load(piece, mode, NOW);
      if (last === 1) expect(h.x.loadConsumed!()).toBeLessThanOrEqual(cut);
      else {
        expect(h.info().errorOffset).toBeLessThanOrEqual(cut);
        expect(reasons).toContain(h.info().reason);
      }
      h.x.loadAbort!();
      h.x.flush!();
      h.x.infoReset!();
      expect(h.used(), `cut at ${cut}`).toBe(empty);
    }
  });

  it.skipIf(!hasData)('a large file cut at 200 offsets, aside and not', () => {
    const file = readFileSync(join(DATA, 'servers/types-redis7.0.15-rdb10.rdb'));
    const h = new LoadHarness();
    const empty = usedAfter(h, file, LOAD.KEEP_EXPIRED);
    const rnd = random(7);
    for (let i = 0; i < 200; i++) {
      const cut = rnd(file.length);
      expect(usedAfter(h, file.subarray(0, cut), 2 + (i & 1)), `cut at ${cut}`).toBe(empty);
    }
  });

  it(`${RUNS} seeded mutations: survivors can be dumped and loaded again`, {
    timeout: 300_000,
  }, () => {
    const h = new LoadHarness();
    const again = new LoadHarness();
    const files = own().map((f) => f[1]);
    let empty = 0;
    for (const file of files) empty = usedAfter(h, file, 2);
    h.put(Buffer.alloc(1 << 16));
    let loaded = 0;
    for (let seed = 1; seed <= RUNS; seed++) {
      const rnd = random(seed);
      const file = mutate(files[rnd(files.length)]!, rnd, files);
      const size = [17, 300, 1 << 20][rnd(3)]!;
      const pieces = (function* () {
        for (;;) yield 1 + rnd(size);
      })();
      const flags = (seed & 1) + LOAD.NO_CHECKSUM + (rnd(2) ? LOAD.KEEP_EXPIRED : 0);
      try {
        const last = h.load(file, flags, NOW, pieces);
        if (last === 1) loaded++;
        else expect(h.info().errorOffset).toBeLessThanOrEqual(file.length);
        // what was loaded before the damage stands in the databases when not loading aside
        if (seed % 8 === 0) {
          for (const entry of h.all()) {
            const dump = h.dump(entry, 13);
            const code = again.x.payload!(again.put(dump), dump.length);
            expect(code, `${entry.type} ${entry.encoding}`).toBe(0);
          }
        }
      } catch (error) {
        throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
      }
      h.x.loadAbort!();
      h.x.flush!();
      if (seed % 500 === 0) {
        h.x.infoReset!();
        // buffers of the writer and the window may have grown; a leak would go on and on
        expect(h.used() - empty, `seed ${seed}`).toBeLessThan(1 << 21);
      }
    }
    expect(loaded).toBeGreaterThan(RUNS / 100);
    const settled = usedAfter(h, files[0]!, 2);
    for (let i = 0; i < 20; i++) expect(usedAfter(h, files[i % files.length]!, 2)).toBe(settled);
  });

  it('payloads with seeded damage', () => {
    const h = new LoadHarness();
    for (const [, file] of own()) h.load(file, 2, NOW);
    const source = new LoadHarness();
    const dumps: Buffer[] = [];
    for (const [, file] of own()) {
      source.load(file, 2, NOW);
      for (const entry of source.all()) dumps.push(source.dump(entry, 13));
    }
    const bodies = dumps.filter((d) => d.length < 4000);
    h.x.flush!();
    h.put(Buffer.alloc(1 << 16));
    h.x.infoReset!();
    const empty = h.used();
    for (let seed = 1; seed <= RUNS / 4; seed++) {
      const rnd = random(seed);
      const body = Buffer.from(bodies[rnd(bodies.length)]!.subarray(0, -10));
      body[1 + rnd(Math.max(1, body.length - 1))] = rnd(256);
      // a checksum of zero is not looked at
      const damaged = Buffer.concat([body, Buffer.from([12, 0]), Buffer.alloc(8)]);
      const code = h.x.payload!(h.put(damaged), damaged.length);
      expect(code).toBeGreaterThanOrEqual(0);
      h.x.settle!();
      expect(h.used(), `seed ${seed}`).toBe(empty);
    }
  });

  it('every allocation that can fail does, and nothing leaks', { timeout: 120_000 }, () => {
    const h = new LoadHarness();
    for (const [name, file] of own()) {
      const empty = usedAfter(h, file, 3);
      h.load(file, 3, NOW);
      const codes = [LOAD_ERR.MEMORY, h.info().error];
      h.x.loadAbort!();
      for (let n = 0; n < 3000; n++) {
        h.put(file);
        h.x.failAfter!(n);
        const began = h.x.loadBegin!(3);
        const last = began === 0 ? h.x.loadFeed!(h.put(file), file.length, NOW) : -1;
        h.x.failAfter!(-1);
        const info = h.info();
        h.x.loadAbort!();
        h.x.flush!();
        h.x.infoReset!();
        expect(h.used(), `${name}, allocation ${n}`).toBe(empty);
        // an allocation may fail without harm (a table that splits later)
        if (last < 0 && began === 0) expect(codes, `${name}, ${n}`).toContain(info.error);
        if (n > 200 && (last === 1 || info.error !== LOAD_ERR.MEMORY)) break;
      }
    }
  });
});

describe('what is refused', () => {
  const h = new LoadHarness();
  const file = (...parts: (Buffer | string | number[])[]) => rdb(reader, 'REDIS0012', ...parts);
  const refused = (code: number, ...parts: (Buffer | string | number[])[]) => {
    expect(h.load(file(...parts), 2, NOW)).toBe(-1);
    expect(h.info().error).toBe(code);
    h.x.loadAbort!();
    return { ...h.info() };
  };

  it('a duplicate key, with its name and place', () => {
    const info = refused(
      LOAD_ERR.DUPLICATE_KEY,
      key(0, 'a', str('1')),
      key(0, 'b', str('2')),
      key(0, 'a', str('3')),
    );
    expect(info.reason).toBe('duplicate key');
    expect(info.key).toBe('a');
    expect(info.errorOffset).toBe(9 + 2 * 5);
    expect(h.all()).toEqual([]);
  });

  it('a database that is not configured', () => {
    expect(refused(LOAD_ERR.DB, [0xfe, 16]).errorArg).toBe(16);
  });

  it('duplicate elements, scores that are none, odd pairs', () => {
    refused(LOAD_ERR.DUPLICATE_ELEMENT, key(2, 's', len(2), str('x'), str('x')));
    refused(
      LOAD_ERR.DUPLICATE_ELEMENT,
      key(4, 'h', len(2), str('f'), str('1'), str('f'), str('2')),
    );
    refused(LOAD_ERR.DUPLICATE_ELEMENT, key(5, 'z', len(2), str('m'), f64(1), str('m'), f64(2)));
    refused(LOAD_ERR.NAN, key(5, 'z', len(1), str('m'), f64(Number.NaN)));
    refused(LOAD_ERR.BLOB, key(17, 'z', str(listpack(['m', 'nan']))));
    refused(LOAD_ERR.BLOB, key(16, 'h', str(listpack(['f', 'v', 'g']))));
    refused(LOAD_ERR.DUPLICATE_ELEMENT, key(16, 'h', str(listpack(['1', 'v', 1, 'w']))));
    refused(LOAD_ERR.DUPLICATE_ELEMENT, key(20, 's', str(listpack(['a', 'a']))));
    const many = Array.from({ length: 100 }, (_, i) => `member ${i}`);
    refused(LOAD_ERR.DUPLICATE_ELEMENT, key(20, 's', str(listpack([...many, 'member 7']))));
    expect(h.load(file(key(20, 's', str(listpack(many)))), 2, NOW)).toBe(1);
  });

  it('functions: without a name, twice, of a pre-release', () => {
    const source = '#!lua name=lib\nreturn 1';
    refused(LOAD_ERR.FUNCTION, [0xf5], str('return 1'));
    refused(LOAD_ERR.FUNCTION, [0xf5], str('#!lua name=a-b\nreturn 1'));
    refused(LOAD_ERR.FUNCTION_EXISTS, [0xf5], str(source), [0xf5], str(source));
    expect(h.load(file([0xf5], str(source)), 2, NOW)).toBe(1);
    expect(h.info().functions).toBe(1);
  });

  it('payloads: modules, empty collections, wrong footers', () => {
    const put = (p: Buffer) => h.x.payload!(h.put(p), p.length);
    expect(put(payload(reader, 10, 2, len(0)))).toBe(LOAD_ERR.EMPTY);
    expect(put(payload(reader, 10, 2, len(1), str('x')))).toBe(0);
    const wrong = payload(reader, 10, 0, str('x'));
    wrong[wrong.length - 1]! ^= 1;
    expect(put(wrong)).toBe(25);
  });
});

describe('what becomes of the data', () => {
  const first = rdb(reader, 'REDIS0010', key(0, 'old', str('1')));
  const fresh = rdb(reader, 'REDIS0010', [0xfe, 3], key(0, 'new', str('2')));

  it('aside: the old data stays until the commit', () => {
    const h = new LoadHarness();
    h.load(first, 0, NOW);
    expect(h.x.loadBegin!(LOAD.ASIDE)).toBe(0);
    expect(h.feed(fresh, NOW)).toBe(1);
    expect(h.all().map((e) => e.key)).toEqual(['old']);
    expect(h.x.loadCommit!()).toBe(1);
    expect(h.all().map((e) => [e.db, e.key])).toEqual([[3, 'new']]);
    expect(h.x.loadBegin!(LOAD.ASIDE)).toBe(0);
    expect(h.feed(first.subarray(0, 15), NOW)).toBe(-1);
    expect(h.x.loadCommit!()).toBe(0);
    h.x.loadAbort!();
    expect(h.all().map((e) => e.key)).toEqual(['new']);
  });

  it('not aside: the old data goes first, a failed load leaves nothing', () => {
    const h = new LoadHarness();
    h.load(first, 0, NOW);
    h.x.loadBegin!(0);
    expect(h.all()).toEqual([]);
    expect(h.feed(fresh.subarray(0, fresh.length - 1), NOW)).toBe(-1);
    h.x.loadAbort!();
    expect(h.all()).toEqual([]);
  });

  it('expired keys: dropped by a master, kept for a sync', () => {
    const past = Buffer.alloc(9);
    past[0] = 0xfc;
    past.writeBigInt64LE(BigInt(NOW - 1), 1);
    const file = rdb(reader, 'REDIS0010', past, key(0, 'gone', str('1')), key(0, 'here', str('2')));
    const h = new LoadHarness();
    expect(h.load(file, 0, NOW)).toBe(1);
    expect(h.info()).toMatchObject({ expired: 1, keys: 1, expires: 0 });
    expect(h.load(file, LOAD.KEEP_EXPIRED, NOW)).toBe(1);
    expect(h.info()).toMatchObject({ expired: 0, keys: 2, expires: 1 });
    expect(h.x.expires!(0)).toBe(1);
  });
});
