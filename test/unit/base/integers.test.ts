/** string2ll, string2ull, parseU64, ll2string against BigInt; string2ll also against Redis. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, hasRedis, type Module, type Oracle, Random, startOracle } from './harness.js';

let m: Module;
const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
});

function ll(text: string): bigint | undefined {
  const len = m.put(m.room, text);
  m.bytes[m.room + len] = 0x39; // a digit behind the text must not count
  return m.exports.string2ll!(m.room, len) ? m.exports.llValue.value : undefined;
}

function ull(text: string, name: 'string2ull' | 'parseU64'): bigint | undefined {
  const len = m.put(m.room, text);
  m.bytes[m.room + len] = 0x39;
  return m.exports[name]!(m.room, len) ? BigInt.asUintN(64, m.exports.ullValue.value) : undefined;
}

function strict(text: string, least: bigint, most: bigint): bigint | undefined {
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value >= least && value <= most ? value : undefined;
}

function randomText(random: Random): string {
  const kind = random.below(4);
  if (kind === 0) return random.digits(random.below(23));
  if (kind === 1)
    return random.pick(['', '-']) + String(random.bits64() >> BigInt(random.below(64)));
  if (kind === 2) {
    const edge = random.pick([
      LEAST,
      MOST,
      2n ** 64n - 1n,
      0n,
      -1n,
      10n ** 18n,
      10n ** 19n,
      -(10n ** 18n),
    ]);
    return String(edge + BigInt(random.below(5) - 2));
  }
  let text = '';
  for (let n = random.below(12); n > 0; n--) text += random.pick([...'0123456789012345-+ /:\0']);
  return text;
}

describe('integers', () => {
  it('parses 300,000 texts as the rules say', () => {
    const random = new Random(31);
    for (let i = 0; i < 300_000; i++) {
      const text = randomText(random);
      if (ll(text) !== strict(text, LEAST, MOST)) expect.fail(`string2ll ${text}: ${ll(text)}`);
      const wanted = text.startsWith('-') ? undefined : strict(text, 0n, 2n ** 64n - 1n);
      if (ull(text, 'parseU64') !== wanted)
        expect.fail(`parseU64 ${text}: ${ull(text, 'parseU64')}`);
    }
  });

  it('string2ull is as lenient as strtoull', () => {
    const max = 2n ** 64n - 1n;
    const cases: [string, bigint | undefined][] = [
      ['007', 7n],
      ['+5', 5n],
      [' \t5', 5n],
      ['-5', undefined],
      ['-05', max - 4n],
      [`${max}`, max],
      [`${max + 1n}`, undefined],
      ['', undefined],
      [' ', undefined],
      ['+', undefined],
      ['5 ', undefined],
      ['0', 0n],
      ['-0', 0n],
      ['0x5', undefined],
      ['99999999999999999999999', undefined],
    ];
    for (const [text, wanted] of cases) expect(ull(text, 'string2ull'), text).toBe(wanted);
  });

  it('prints 200,000 values', () => {
    const random = new Random(32);
    for (let i = 0; i < 200_000; i++) {
      let value = random.bits64() >> BigInt(random.below(64));
      if (random.below(3) === 0)
        value = 10n ** BigInt(random.below(20)) + BigInt(random.below(3) - 1);
      const signed = BigInt.asIntN(64, random.below(2) ? value : -value);
      const a = m.get(m.room, m.exports.ull2string!(value, m.room));
      if (a !== String(value)) expect.fail(`${value}: ${a}`);
      const b = m.get(m.room, m.exports.ll2string!(signed, m.room));
      if (b !== String(signed)) expect.fail(`${signed}: ${b}`);
      if (m.exports.digits10!(value) !== a.length) expect.fail(`digits10 ${value}`);
      if (m.exports.llChars!(signed) !== b.length) expect.fail(`llChars ${signed}`);
    }
    expect(m.get(m.room, m.exports.ll2string!(LEAST, m.room))).toBe(String(LEAST));
  });
});

describe.skipIf(!hasRedis)('against redis-server', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await startOracle();
  });
  afterAll(() => oracle.stop());

  it('INCRBY takes the same 20,000 texts', async () => {
    const random = new Random(33);
    for (let round = 0; round < 10; round++) {
      const texts = Array.from({ length: 2000 }, () => randomText(random));
      const pipeline = oracle.client.pipeline();
      for (const text of texts)
        pipeline
          .set('k', '0')
          .incrby('k', text as unknown as number)
          .get('k');
      const replies = (await pipeline.exec()) ?? [];
      texts.forEach((text, i) => {
        const isTaken = !replies[i * 3 + 1]?.[0];
        const value = isTaken ? BigInt(String(replies[i * 3 + 2]?.[1])) : undefined;
        if (ll(text) !== value)
          expect.fail(`${JSON.stringify(text)}: redis ${value}, here ${ll(text)}`);
      });
    }
  });
});
