// Seeded damage: no trap, no hang, memory within bounds, the same answer twice.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { payload, random, rareFiles, str } from '../support/rdb-build.js';
import { decode } from '../support/rdb-decode.js';
import { FLAG, RdbHarness, REC } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const RUNS = Number(process.env.RESPITE_FUZZ_RUNS ?? 20000);
const OWN = join(ROOT, 'test/rdb/data');

function mutate(file: Buffer, rnd: (n: number) => number, others: Buffer[]): Buffer {
  let out = Buffer.from(file);
  const times = 1 + rnd(4);
  for (let i = 0; i < times; i++) {
    // nine of ten behind the magic, or all would end there
    const at = out.length > 10 && rnd(10) ? 9 + rnd(out.length - 9) : rnd(out.length);
    switch (rnd(7)) {
      case 0:
        out[at] = rnd(256);
        break;
      case 1:
        out[at]! ^= 1 << rnd(8);
        break;
      case 2:
        out[at] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xfe, 0xff][rnd(12)]!;
        break;
      case 3: {
        const n = rnd(16);
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + n)]);
        break;
      }
      case 4: {
        const n = Buffer.from(Array.from({ length: 1 + rnd(9) }, () => rnd(256)));
        out = Buffer.concat([out.subarray(0, at), n, out.subarray(at)]);
        break;
      }
      case 5: {
        const big = Buffer.from([0x80 + rnd(2), ...Array.from({ length: 8 }, () => rnd(256))]);
        big.copy(out, at);
        break;
      }
      default: {
        const from = others[rnd(others.length)]!;
        const a = rnd(from.length);
        const piece = from.subarray(a, a + rnd(64));
        out = Buffer.concat([out.subarray(0, at), piece, out.subarray(at)]);
      }
    }
    if (!out.length) out = Buffer.from('R');
  }
  return out;
}

function* pieces(rnd: (n: number) => number): Generator<number> {
  const below = [2, 50, 5000, 1 << 20][rnd(4)]!;
  for (;;) yield rnd(below);
}

describe('damage', () => {
  it(`${RUNS} seeded mutations`, { timeout: 300_000 }, () => {
    const h = new RdbHarness();
    const files = [
      ...readdirSync(OWN)
        .filter((f) => f.endsWith('.rdb'))
        .map((f) => readFileSync(join(OWN, f))),
      ...rareFiles(h).map((f) => f[1]),
    ];
    h.put(Buffer.alloc(65536));
    const before = h.x.used();
    const pages = h.memory.buffer.byteLength;
    const ends = new Map<number, number>();
    for (let seed = 1; seed <= RUNS; seed++) {
      const rnd = random(seed);
      const file = mutate(files[rnd(files.length)]!, rnd, files);
      const flags = rnd(2) * FLAG.NO_CHECKSUM + rnd(2) * FLAG.ALLOW_FUTURE;
      const skipping = rnd(8) === 0 ? () => rnd(2) === 0 : undefined;
      let result: ReturnType<RdbHarness['read']>;
      try {
        // a record takes at least one byte, except the ends of values
        result = h.read(file, {
          flags,
          chunks: pieces(rnd),
          skip: skipping,
          recordsMax: 2 * file.length + 10,
        });
        decode(h, result.events);
        if (seed % 50 === 0) {
          const again = h.read(file, { flags });
          const plain = h.read(file, { flags, chunks: pieces(rnd) });
          expect(plain.events).toEqual(again.events);
          expect([plain.err, plain.errOffset]).toEqual([again.err, again.errOffset]);
        }
      } catch (cause) {
        throw new Error(`seed ${seed}`, { cause });
      }
      if (result.last === REC.ERROR && result.errOffset > file.length) {
        throw new Error(`seed ${seed}: error at ${result.errOffset} of ${file.length}`);
      }
      ends.set(result.err, (ends.get(result.err) ?? 0) + 1);
    }
    expect(h.x.used()).toBe(before);
    expect(h.memory.buffer.byteLength - pages).toBeLessThanOrEqual(4 << 20);
    // the mutations reach most of the refusals, and internal ones never
    expect(ends.size).toBeGreaterThan(18);
    expect(ends.has(28)).toBe(false);
  });

  it('mutated payloads, their checksum disabled', () => {
    const h = new RdbHarness();
    const rnd = random(7);
    const values: Buffer[] = [payload(h, 15, 0, str('hello'))];
    for (const [, file] of rareFiles(h)) {
      const { events } = h.read(file);
      for (const e of events) {
        if (e[0] !== REC.KEY) continue;
        // the value's bytes: from behind the name to the end of the file is enough
        const at = Number(e[7]);
        const name = (e[1] as string).length;
        values.push(payload(h, 15, e[3] as number, file.subarray(at + 2 + name)));
      }
    }
    const before = h.x.used();
    for (let i = 0; i < 3000; i++) {
      const p = mutate(values[rnd(values.length)]!, rnd, values);
      if (p.length > 11) {
        p.fill(0, p.length - 8);
        p.writeUInt16LE(rnd(2) ? 15 : 80, p.length - 10);
      }
      const result = h.readPayload(p);
      expect([REC.EOF, REC.ERROR]).toContain(result.last === REC.EOF ? REC.EOF : result.last);
      decode(h, result.events);
    }
    expect(h.x.used()).toBe(before);
  });
});
