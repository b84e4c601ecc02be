// Sets as Redis 7.2 has them: small ones in listpacks, whose order and encodings are determined.
// The lines of test/conformance run beside a server that has none. Expected answers are those of
// redis-server 8.0.6.

import { describe, expect, test } from 'vitest';
import { effectsText, followedHost, takeEffects } from '../../conformance/effects.js';
import type { MemoryClient, MemoryHostOptions } from '../../sim/memory-host.js';
import { encodeCommand } from '../../support/bytes.js';
import { type Plain, plain } from '../../support/resp.js';

function started(options: MemoryHostOptions = {}) {
  const host = followedHost(options);
  const client: MemoryClient = host.open();
  const ask = async (line: string): Promise<Plain> =>
    plain(await client.ask(encodeCommand(line.split(' '))));
  return { host, ask, effects: () => effectsText(takeEffects(host)) };
}

type Ask = (line: string) => Promise<Plain>;
const encoding = (ask: Ask, key: string) => ask(`OBJECT ENCODING ${key}`);
const numbers = (from: number, to: number, prefix = '') =>
  Array.from({ length: to - from + 1 }, (_, i) => `${prefix}${from + i}`).join(' ');
const long = 'x'.repeat(65);

describe('encodings', () => {
  test('a first string makes a listpack, a long one a table', async () => {
    const { ask } = started();
    await ask('SADD a one');
    await ask(`SADD b ${long}`);
    await ask('SADD c 1');
    expect([await encoding(ask, 'a'), await encoding(ask, 'b')]).toEqual(['listpack', 'hashtable']);
    expect(await encoding(ask, 'c')).toBe('intset');
    await ask('SADD c x');
    expect(await encoding(ask, 'c')).toBe('listpack');
    expect(await ask('SMEMBERS c')).toEqual(['1', 'x']);
    await ask(`SADD c ${long}`);
    expect(await encoding(ask, 'c')).toBe('hashtable');
  });

  test('the number of members decides, those given count before they are added', async () => {
    const { ask } = started();
    await ask(`SADD a ${numbers(1, 128, 'm')}`);
    expect(await encoding(ask, 'a')).toBe('listpack');
    await ask('SADD a m129');
    expect(await encoding(ask, 'a')).toBe('hashtable');
    await ask(`SADD b ${'m '.repeat(129).trim()}`);
    expect([await encoding(ask, 'b'), await ask('SCARD b')]).toEqual(['hashtable', 1]);
    await ask(`SADD c ${numbers(1, 512)}`);
    expect(await encoding(ask, 'c')).toBe('intset');
    await ask('SADD c 513');
    expect(await encoding(ask, 'c')).toBe('hashtable');
    await ask(`SADD d ${numbers(1, 129)}`);
    await ask('SADD d x');
    expect(await encoding(ask, 'd')).toBe('hashtable');
  });

  test('limits are directives', async () => {
    const { ask } = started({
      directives: { 'set-max-listpack-entries': 2, 'set-max-listpack-value': 3 },
    });
    await ask('SADD a abc d');
    expect(await encoding(ask, 'a')).toBe('listpack');
    await ask('SADD a e');
    expect(await encoding(ask, 'a')).toBe('hashtable');
    await ask('SADD b abcd');
    expect(await encoding(ask, 'b')).toBe('hashtable');
    // An intset becomes a listpack only if its numbers are short enough as well.
    await ask('SADD c 1234');
    await ask('SADD c x');
    expect(await encoding(ask, 'c')).toBe('hashtable');
  });

  test('results are sets of integers where they can be', async () => {
    const { ask } = started();
    await ask('SADD a 1 2 x');
    await ask('SADD b 1 2 y');
    await ask('SINTERSTORE i a b');
    await ask('SDIFFSTORE d a b');
    await ask('SUNIONSTORE u a b');
    await ask('SREM a x');
    await ask('SUNIONSTORE v a a');
    const kinds: Plain[] = [];
    for (const key of ['i', 'd', 'u', 'a', 'v']) kinds.push(await encoding(ask, key));
    expect(kinds).toEqual(['intset', 'listpack', 'listpack', 'listpack', 'intset']);
    await ask(`SADD w ${long} 1 2 3`);
    await ask(`SREM w ${long}`);
    await ask('SINTERSTORE x w w');
    expect(await encoding(ask, 'x')).toBe('intset');
  });
});

describe('order', () => {
  test('members stay as they came', async () => {
    const { ask } = started();
    await ask('SADD a c 10 b 2 a');
    expect(await ask('SMEMBERS a')).toEqual(['c', '10', 'b', '2', 'a']);
    await ask('SREM a b');
    await ask('SADD a b 2');
    expect(await ask('SMEMBERS a')).toEqual(['c', '10', '2', 'a', 'b']);
    expect(await ask('SSCAN a 0')).toEqual(['0', ['c', '10', '2', 'a', 'b']]);
    expect(await ask('SRANDMEMBER a 9')).toEqual(['c', '10', '2', 'a', 'b']);
  });

  test('an intersection follows the smallest set, the first of equal ones', async () => {
    const { ask } = started();
    await ask('SADD a 5 c b a');
    await ask('SADD b a b c');
    await ask('SADD c c b a');
    expect(await ask('SINTER a b')).toEqual(['a', 'b', 'c']);
    expect(await ask('SINTER b c')).toEqual(['a', 'b', 'c']);
    expect(await ask('SINTER c a b')).toEqual(['c', 'b', 'a']);
    await ask('SINTERSTORE d a c b');
    expect(await ask('SMEMBERS d')).toEqual(['c', 'b', 'a']);
    await ask('SUNIONSTORE e c a');
    expect(await ask('SMEMBERS e')).toEqual(['c', 'b', 'a', '5']);
    await ask('SDIFFSTORE f a d');
    expect(await ask('SMEMBERS f')).toEqual(['5']);
  });

  test('members keep their number whatever is converted while they are gathered', async () => {
    const { ask } = started();
    await ask(`SADD a ${numbers(1, 60, 'm')} ${numbers(1000, 1007)}`);
    await ask(`SADD b ${numbers(1, 300)}`);
    const union = (await ask('SUNION a b')) as string[];
    const wanted = [...numbers(1, 60, 'm').split(' '), ...numbers(1000, 1007).split(' ')];
    expect(new Set(union)).toEqual(new Set([...wanted, ...numbers(1, 300).split(' ')]));
    expect(await ask('SUNIONSTORE c b a')).toBe(368);
  });
});

describe('random members', () => {
  test('SPOP tells followers which, at most 1024 in one SREM', async () => {
    const { ask, effects } = started();
    await ask(`SADD a ${numbers(1, 3000)}`);
    effects();
    const popped = (await ask('SPOP a 2500')) as string[];
    const told = effects();
    const commands = told.split(' ; ').map((command) => command.split(' '));
    expect(commands.map((words) => words.length)).toEqual([1, 1026, 1026, 454, 1]);
    const named = commands.flatMap((words) => (words[0] === 'SREM' ? words.slice(2) : []));
    expect(named).toEqual(popped);
    expect(await ask('SCARD a')).toBe(500);
    expect(((await ask('SPOP a 500')) as string[]).length).toBe(500);
    expect(effects()).toBe('DEL a');
    await ask('SADD b x');
    effects();
    expect(await ask('SPOP b')).toBe('x');
    expect(effects()).toBe('SREM b x');
    expect(await ask('EXISTS b')).toBe(0);
    await ask('SPOP b');
    await ask('SPOP b 3');
    expect(effects()).toBe('(nothing)');
  });

  test('a count without end is refused, not tried', async () => {
    const { ask } = started();
    await ask('SADD a x');
    expect(String(await ask('SRANDMEMBER a -9223372036854775807'))).toMatch(/OOM /);
    expect(((await ask('SRANDMEMBER a -1000')) as string[]).length).toBe(1000);
  });

  test('different ones, few of many and many of many', async () => {
    const { ask } = started();
    await ask(`SADD a ${numbers(1, 2000, 'm')}`);
    for (const count of [1, 10, 600, 1500, 1999]) {
      const drawn = (await ask(`SRANDMEMBER a ${count}`)) as string[];
      expect(new Set(drawn).size).toBe(count);
    }
  });
});

describe('scanning while the set changes', () => {
  test('what is there throughout is told', async () => {
    const { ask } = started();
    await ask(`SADD a ${numbers(1, 4000, 'stays')}`);
    const seen = new Set<string>();
    let cursor = '0';
    let turn = 0;
    do {
      const page = (await ask(`SSCAN a ${cursor} COUNT 50`)) as [string, string[]];
      cursor = page[0];
      for (const member of page[1]) seen.add(member);
      if (turn < 20) await ask(`SADD a ${numbers(turn * 300, turn * 300 + 299, 'comes')}`);
      else if (turn < 40) {
        await ask(`SREM a ${numbers((turn - 20) * 300, (turn - 20) * 300 + 299, 'comes')}`);
      }
      turn++;
    } while (cursor !== '0');
    const kept = [...seen].filter((member) => member.startsWith('stays'));
    expect(kept.length).toBe(4000);
  });
});
