// The same bytes cut differently give the same records; cut short, an error at the cut.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { random, rareFiles } from '../support/rdb-build.js';
import { DATA, ERR, type Event, hasData, RdbHarness, REC } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const h = new RdbHarness();
const OWN = join(ROOT, 'test/rdb/data');
const own = readdirSync(OWN).filter((f) => f.endsWith('.rdb'));
const small: [string, Buffer][] = [
  ...own.map((f): [string, Buffer] => [f, readFileSync(join(OWN, f))]),
  ...rareFiles(h),
];

function same(a: Event[], b: Event[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((e, i) => e.length === b[i]!.length && e.every((x, j) => Object.is(x, b[i]![j])));
}

function* each(n: number): Generator<number> {
  for (;;) yield n;
}

function* two(first: number): Generator<number> {
  yield first;
  for (;;) yield 1 << 30;
}

function* seeded(seed: number, below: number): Generator<number> {
  const rnd = random(seed);
  // mostly small pieces, sometimes none, sometimes a large one
  for (;;) yield rnd(8) === 0 ? rnd(below) : rnd(40);
}

describe('splits', () => {
  it.each(small)('%s: every split point, and byte by byte', (_, file) => {
    const whole = h.read(file);
    expect(whole.last).toBe(REC.EOF);
    for (let cut = 0; cut <= file.length; cut++) {
      const got = h.read(file, { chunks: two(cut) });
      if (!same(got.events, whole.events))
        expect(got.events, `cut at ${cut}`).toEqual(whole.events);
      if (got.consumed !== whole.consumed) throw new Error(`consumed ${got.consumed} at ${cut}`);
    }
    for (const n of [1, 2, 3, 7, 95, 96, 97]) {
      const got = h.read(file, { chunks: each(n) });
      if (!same(got.events, whole.events)) expect(got.events, `by ${n}`).toEqual(whole.events);
    }
  });

  it('the end inside a stream is exact, however it is cut', () => {
    const wire = readFileSync(join(OWN, 'diskless-redis7.0.15-rdb10.stream'));
    const start = wire.indexOf('REDIS');
    const mark = wire.subarray(5, 45);
    const body = wire.subarray(start);
    const end = body.lastIndexOf(mark);
    for (let cut = 0; cut <= body.length; cut++) {
      const got = h.read(body, { chunks: two(cut) });
      if (got.last !== REC.EOF || got.consumed !== end)
        throw new Error(`${got.consumed} at ${cut}`);
    }
    const aof = readFileSync(join(OWN, 'aof-preamble-redis6.2.16.aof'));
    const preamble = h.read(aof, { chunks: each(1) });
    expect(preamble.last).toBe(REC.EOF);
    expect(aof.subarray(preamble.consumed, preamble.consumed + 1).toString()).toBe('*');
  });

  const large = hasData
    ? readdirSync(join(DATA, 'servers')).filter((f) => f.startsWith('types-') && f.endsWith('.rdb'))
    : [];
  it.skipIf(!hasData).each(large)('%s (../shared/data): seeded pieces', (name) => {
    const file = readFileSync(join(DATA, 'servers', name));
    const whole = h.read(file);
    for (const [seed, below] of [
      [1, 300],
      [2, 20000],
      [3, 200000],
    ] as const) {
      const got = h.read(file, { chunks: seeded(seed, below) });
      expect(got.last).toBe(REC.EOF);
      expect(same(got.events, whole.events), `seed ${seed}`).toBe(true);
    }
  });
});

describe('truncation', () => {
  const check = (file: Buffer, cut: number, whole: Event[]) => {
    const got = h.read(file.subarray(0, cut));
    if (got.err !== ERR.TRUNCATED || got.errOffset !== cut) {
      throw new Error(`cut at ${cut}: ${h.errorText(got.err)} at ${got.errOffset}`);
    }
    if (!same(got.events, whole.slice(0, got.events.length))) {
      expect(got.events, `cut at ${cut}`).toEqual(whole.slice(0, got.events.length));
    }
  };

  it.each(small)('%s: at every offset', (_, file) => {
    const whole = h.read(file).events;
    for (let cut = 0; cut < Math.min(file.length, 4096); cut++) check(file, cut, whole);
  });

  const large = hasData
    ? readdirSync(join(DATA, 'servers')).filter((f) => f.startsWith('types-') && f.endsWith('.rdb'))
    : [];
  it.skipIf(!hasData).each(large)('%s (../shared/data): to 4 KiB and at 200 offsets', (name) => {
    const file = readFileSync(join(DATA, 'servers', name));
    const whole = h.read(file).events;
    for (let cut = 0; cut < 4096; cut++) check(file, cut, whole);
    const rnd = random(42);
    for (let i = 0; i < 200; i++) {
      const got = h.read(file.subarray(0, 4096 + rnd(file.length - 4096)), {
        chunks: each(65536),
      });
      expect(got.err).toBe(ERR.TRUNCATED);
    }
  });
});
