/** globMatch against redis-server's KEYS and CONFIG GET, and against runaway patterns. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, hasRedis, type Module, type Oracle, Random, startOracle } from './harness.js';

let m: Module;

beforeAll(async () => {
  m = await compile('test/assembly/base-entry.ts');
});

function match(pattern: string, text: string, nocase = false): boolean {
  const at = m.room;
  const patternLen = m.put(at, pattern);
  const textAt = at + patternLen; // no gap: reading past the pattern's end would show
  return !!m.exports.globMatch!(at, patternLen, textAt, m.put(textAt, text), nocase);
}

function randomText(random: Random, alphabet: string[], max: number): string {
  let text = '';
  for (let n = random.below(max + 1); n > 0; n--) text += random.pick(alphabet);
  return text;
}

describe('globMatch', () => {
  it('knows the corners', () => {
    const cases: [string, string, boolean][] = [
      ['', '', true],
      ['', 'a', false],
      ['*', '', false],
      ['*', 'a', true],
      ['**', 'abc', true],
      ['a*', 'a', true],
      ['a**', 'a', true],
      ['a*b', 'ab', true],
      ['a*b', 'axxbxb', true],
      ['a*b', 'axxbx', false],
      ['?', 'a', true],
      ['?', 'ab', false],
      ['h[ae]llo', 'hello', true],
      ['h[^e]llo', 'hello', false],
      ['[a-c]', 'b', true],
      ['[c-a]', 'b', true],
      ['[', '[', false],
      ['[^', 'x', true],
      ['[]', ']', false],
      ['[^]', 'x', true],
      ['[a', 'a', true],
      ['[a-]', ']', true],
      ['[a-]', 'b', false],
      ['[a-', '-', true],
      ['\\', '\\', true],
      ['\\*', '*', true],
      ['\\*', 'a', false],
      ['[\\]]', ']', true],
      ['[\\', '\\', true],
      ['*\\', 'ab\\', true],
      ['[^a]]', 'b]', true],
      ['[\x01-\xff]', '\x00', true],
      ['[\x80-\x01]', '\x02', false],
    ];
    for (const [pattern, text, wanted] of cases) {
      expect(match(pattern, text), `${JSON.stringify(pattern)} ~ ${JSON.stringify(text)}`).toBe(
        wanted,
      );
    }
    expect(match('A[B-C]\\D', 'abd', true)).toBe(true);
    expect(match('[\\B]', 'b', true)).toBe(false);
    expect(match('A', 'a', false)).toBe(false);
  });

  it('stays quick where a recursion explodes', () => {
    const started = performance.now();
    expect(match(`${'a*'.repeat(2000)}b`, 'a'.repeat(4000))).toBe(false);
    expect(match(`${'*?'.repeat(3000)}b`, 'a'.repeat(6000))).toBe(false);
    expect(match(`*${'a'.repeat(1000)}b`, 'a'.repeat(20000))).toBe(false);
    expect(match('*'.repeat(100000), 'a')).toBe(true);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe.skipIf(!hasRedis)('against redis-server', () => {
  let oracle: Oracle;
  beforeAll(async () => {
    oracle = await startOracle();
  });
  afterAll(() => oracle.stop());

  async function differential(seed: number, alphabet: string[], patterns: number): Promise<number> {
    const random = new Random(seed);
    const keys = new Set<string>();
    for (let i = 0; i < 300; i++) keys.add(randomText(random, alphabet, random.pick([3, 5, 10])));
    keys.add('');
    await oracle.client.flushall();
    for (const key of keys) await oracle.client.set(Buffer.from(key, 'latin1'), '1');
    let matches = 0;
    for (let from = 0; from < patterns; from += 500) {
      const batch: string[] = [];
      while (batch.length < 500) {
        const pattern = randomText(random, alphabet, random.pick([3, 6, 12]));
        if (pattern !== '*') batch.push(pattern); // KEYS takes a short cut there
      }
      const pipeline = oracle.client.pipeline();
      for (const pattern of batch)
        pipeline.keysBuffer(Buffer.from(pattern, 'latin1') as unknown as string);
      const replies = (await pipeline.exec()) ?? [];
      batch.forEach((pattern, i) => {
        const listed = new Set(
          ((replies[i]?.[1] ?? []) as Buffer[]).map((key) => key.toString('latin1')),
        );
        for (const key of keys) {
          if (match(pattern, key) !== listed.has(key)) {
            expect.fail(
              `${JSON.stringify(pattern)} ~ ${JSON.stringify(key)}: redis says ${listed.has(key)}`,
            );
          }
        }
        matches += listed.size;
      });
    }
    return matches;
  }

  it('KEYS: 4,000 patterns of brackets, stars and escapes × 300 keys', async () => {
    expect(await differential(21, [...'ab*?[]^-\\'], 4000)).toBeGreaterThan(1000);
  });

  it('KEYS: 4,000 patterns mostly of letters, many stars', async () => {
    expect(await differential(22, [...'aaabbbab**?[-]'], 4000)).toBeGreaterThan(1000);
  });

  it('KEYS: 2,000 patterns with ranges over all signs of bytes', async () => {
    expect(
      await differential(23, [...'[[]^-\x00\x01\x7f\x80\x81\xfe\xff?*'], 2000),
    ).toBeGreaterThan(1000);
  });

  it('CONFIG GET ignores case: 1,500 patterns', async () => {
    const random = new Random(24);
    const all = (await oracle.client.config('GET', '*')) as string[];
    const names = all.filter((_, i) => i % 2 === 0);
    const alphabet = [...'aAeEsStTmM-**??[[]^\\'];
    const patterns: string[] = [];
    for (let i = 0; i < 1500; i++) {
      const name = random.pick(names);
      const cut = random.below(name.length);
      patterns.push(
        `*${randomText(random, alphabet, 5)}${name.slice(cut, cut + 3).toUpperCase()}*`,
      );
    }
    const pipeline = oracle.client.pipeline();
    for (const pattern of patterns) pipeline.config('GET', pattern);
    const replies = (await pipeline.exec()) ?? [];
    patterns.forEach((pattern, i) => {
      const listed = new Set(((replies[i]?.[1] ?? []) as string[]).filter((_, n) => n % 2 === 0));
      for (const name of names) {
        if (match(pattern, name, true) !== listed.has(name)) expect.fail(`${pattern} ~ ${name}`);
      }
    });
  });
});
