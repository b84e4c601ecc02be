/** string2d and formatG17 against redis-server 7.0's ZADD and ZSCORE. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, hasRedis, type Module, type Oracle, Random, startOracle } from './harness.js';

let m: Module;

beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
});

/** What ZSCORE answers after ZADD of this score; undefined if ZADD refuses. */
function score(text: string): string | undefined {
  const len = m.put(m.room, text);
  if (!m.exports.string2d!(m.room, len)) return undefined;
  const value = m.exports.doubleValue.value + 0; // Redis: a small zset stores -0 as 0
  return m.get(m.room, m.exports.formatG17!(value === 0 ? 0 : value, m.room));
}

describe.skipIf(!hasRedis)('against redis-server', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await startOracle();
  });
  afterAll(() => oracle.stop());

  async function compare(texts: string[]): Promise<void> {
    for (let from = 0; from < texts.length; from += 1000) {
      const batch = texts.slice(from, from + 1000);
      const pipeline = oracle.client.pipeline();
      for (const text of batch) pipeline.del('z').zadd('z', text, 'm').zscore('z', 'm');
      const replies = (await pipeline.exec()) ?? [];
      batch.forEach((text, i) => {
        const value = replies[i * 3 + 1]?.[0] ? undefined : String(replies[i * 3 + 2]?.[1]);
        if (score(text) !== value)
          expect.fail(`${JSON.stringify(text)}: redis ${value}, here ${score(text)}`);
      });
    }
  }

  it('40,000 random scores', async () => {
    const random = new Random(41);
    const scratch = new DataView(new ArrayBuffer(8));
    const texts: string[] = [];
    for (let i = 0; i < 20_000; i++) {
      scratch.setBigUint64(0, random.bits64());
      texts.push(String(scratch.getFloat64(0)).replace('NaN', 'nan'));
      let digits = random.digits(1 + random.below(25));
      const point = random.below(digits.length + 1);
      if (random.below(2)) digits = `${digits.slice(0, point)}.${digits.slice(point)}`;
      const e = random.below(2) ? '' : `e${random.pick(['', '-', '+'])}${random.below(340)}`;
      texts.push(random.pick(['', '-', '+']) + digits + e);
    }
    await compare(texts);
  });

  it('20,000 hex and odd texts', async () => {
    const random = new Random(42);
    const texts: string[] = [];
    const odd = [...'0011.5eE+-xXpPinfa \0'];
    const hexDigits = [...'0123456789abcdefABCDEF'];
    for (let i = 0; i < 10_000; i++) {
      let text = '';
      for (let n = random.below(8); n > 0; n--) text += random.pick(odd);
      texts.push(text);
      let hex = '';
      for (let n = 1 + random.below(22); n > 0; n--) hex += random.pick(hexDigits);
      if (random.below(2)) hex = hex.replace(/^(.)/, '$1.');
      if (random.below(2)) hex += `p${random.pick(['', '-', '+'])}${random.below(1120)}`;
      texts.push(`${random.pick(['', '-', '+'])}0x${hex}`);
    }
    await compare(texts);
  });
});
