// The bytes of values as they stand in the file: kept, given in pieces, or told once more.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { random, rareFiles } from '../support/rdb-build.js';
import { type Event, RdbHarness, REC } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const h = new RdbHarness();
const OWN = join(ROOT, 'test/rdb/data');
const own = readdirSync(OWN).filter((f) => f.endsWith('.rdb'));
const files: [string, Buffer][] = [
  ...own.map((f): [string, Buffer] => [f, readFileSync(join(OWN, f))]),
  ...rareFiles(h),
];

function* each(n: number): Generator<number> {
  for (;;) yield n;
}

function* seeded(seed: number, below: number): Generator<number> {
  const rnd = random(seed);
  for (;;) yield rnd(8) === 0 ? rnd(below) : rnd(40);
}

const chunkings = (size: number): [string, () => Iterator<number>][] => [
  ['whole', () => each(1 << 30)],
  ['by 1', () => each(1)],
  ['by 13', () => each(13)],
  ['seeded', () => seeded(size, size)],
];

interface Options {
  max: bigint;
  inPieces?: boolean;
  skip?: boolean;
}

/** Events, and for each value its raw bytes and whether it was played once more. */
function read(file: Buffer, chunks: Iterator<number>, options: Options) {
  const r = h.x.open!(0);
  h.x.keepRaw!(r, options.max, options.inPieces ? 1 : 0);
  const values: { raw: Buffer; from: number; to: number; isReplay: boolean; events: Event[] }[] =
    [];
  let pieces: Buffer[] = [];
  let events: Event[] = [];
  let at = 0;
  let size = 0;
  const more = () => {
    size = Math.min(chunks.next().value as number, file.length - at);
    h.x.feed!(r, h.put(file.subarray(at, at + size)), size);
    at += size;
  };
  const raw = () => {
    const ptr = h.x.rawPtr!(r) >>> 0;
    return Buffer.from(h.bytes().subarray(ptr, ptr + h.x.rawSize!(r)));
  };
  more();
  for (;;) {
    const kind = h.x.next!(r);
    if (kind < 0) throw new Error('damaged');
    if (kind === REC.EOF) break;
    if (kind === REC.NEED_MORE) {
      h.bytes().fill(0xdd, h.put(Buffer.alloc(0)), h.put(Buffer.alloc(0)) + size);
      more();
      continue;
    }
    const isReplay = h.x.isReplay!(r) !== 0;
    if (kind === REC.RAW) {
      pieces.push(raw());
      continue;
    }
    if (kind < REC.KEY || kind === REC.KEY_META) continue;
    if (kind === REC.KEY) {
      if (!isReplay) pieces = [];
      events = [];
      if (options.skip && !isReplay) h.x.skipValue!(r);
    }
    events.push(h.event(kind, h.fields(r)));
    if (kind < REC.STRING || kind > REC.VALUE_END) continue;
    if (!isReplay) pieces.push(raw());
    const bytes = Buffer.concat(pieces);
    const [from, to] = [Number(h.big('rawOffset', r)), Number(h.big('offset', r))];
    values.push({ raw: bytes, from, to, isReplay, events });
  }
  h.x.close!(r);
  return values;
}

describe('raw values', () => {
  it.each(files)('%s', (_, file) => {
    const plain = read(file, each(1 << 30), { max: 0n });
    const slices = plain.map(({ from, to }) => file.subarray(from, to));
    for (const [name, chunks] of chunkings(file.length)) {
      const kept = read(file, chunks(), { max: 1n << 40n });
      expect(kept.length, name).toBe(plain.length);
      kept.forEach(({ raw, from, to, events }, i) => {
        expect([from, to], name).toEqual([plain[i]!.from, plain[i]!.to]);
        if (!raw.equals(slices[i]!))
          expect(raw.toString('hex'), name).toBe(slices[i]!.toString('hex'));
        expect(events).toEqual(plain[i]!.events);
      });
      for (const max of [1n, 20n, 300n]) {
        const given = read(file, chunks(), { max, inPieces: true, skip: true });
        given.forEach(({ raw }, i) => {
          if (!raw.equals(slices[i]!))
            expect(raw.toString('hex'), name).toBe(slices[i]!.toString('hex'));
        });
        const over = read(file, chunks(), { max, skip: true });
        over.forEach(({ raw, isReplay, events }, i) => {
          if (isReplay) expect(events, name).toEqual(plain[i]!.events);
          else if (!raw.equals(slices[i]!))
            expect(raw.toString('hex'), name).toBe(slices[i]!.toString('hex'));
        });
        const isSplit = name.startsWith('by') && slices.some((s) => s.length > 400);
        if (isSplit) expect(over.some(({ isReplay }) => isReplay)).toBe(true);
      }
    }
  });
});
