// keysOf against COMMAND GETKEYSANDFLAGS of a real redis-server: fixed lines for every special
// rule, and seeded random ones for every command with keys, most of them malformed.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { CoreTable } from './core-table.js';
import { LiveRedis, type Reply } from './live-redis.js';
// @ts-expect-error plain JavaScript of the build
import { ACL, loadSpecForTests } from './spec-access.mjs';

interface Row {
  id: number;
  name: string;
  parent: number;
  beyond?: string;
  container?: boolean;
  flags: string[];
}

let live: LiveRedis;
let core: CoreTable;
const rows: Row[] = loadSpecForTests(true);

beforeAll(async () => {
  live = await LiveRedis.start();
  core = await CoreTable.compile('command-keys', '--all');
}, 60_000);

afterAll(() => live?.stop());

/** What COMMAND GETKEYSANDFLAGS is to answer, after the rules in keyspecs.ts. */
function ours(line: string[]): Reply {
  let id = core.lookup(line[0] as string);
  if (id >= 0 && line.length > 1 && core.core.hasSubcommands(id)) {
    id = core.lookup(line[1] as string, id);
  }
  if (id < 0) return { error: 'ERR Invalid command specified' };
  if (!core.core.hasKeys(id)) return { error: 'ERR The command has no key arguments' };
  if (!core.core.arityOk(id, line.length)) {
    return { error: 'ERR Invalid number of arguments specified for command' };
  }
  const keys = core.keys(id, line);
  if (keys.length > 0) {
    return keys.map(([index, flags]) => [line[index] as string, ACL.keyFlagWords(flags)]);
  }
  if (ACL.hasFlag(core.core.flags(id), 'no_mandatory_keys')) return [];
  return { error: 'ERR Invalid arguments specified for command' };
}

const wrong: object[] = [];

async function compare(line: string[]): Promise<void> {
  const theirs = await live.call('command', 'getkeysandflags', ...line);
  const reply = ours(line);
  if (JSON.stringify(reply) !== JSON.stringify(theirs)) wrong.push({ line, reply, theirs });
}

const LINES = `
get k|set k v|set k v get|set k v GET x|set k v nx get|mset a 1 b 2|mset a 1 b|del a b c|copy a b
bitfield k get u8 0|bitfield k get u8|bitfield k set u8 0 1|bitfield k overflow sat get u8 0
bitfield k
bitfield k get u8 0 overflow wrap|bitfield k incrby u8 0|bitfield k x|bitfield_ro k get u8 0
object encoding k|OBJECT Freq k|object foo k|object help k|memory usage k|memory usage k samples 3
sort k|sort k store d|sort k by x get y store d|sort k get store d|sort k store
sort k store a store b
sort k limit store a b store c|sort k limit 0 1 desc alpha store d|sort_ro k by w_*
sort k by store x
migrate h p k 0 10|migrate h p @ 0 10 keys a b|migrate h p k 0 10 keys a b|migrate h p @ 0 10 keys
migrate h p @ 0 10 copy replace auth keys keys a b|migrate h p @ 0 10 auth2 keys keys keys a
migrate h p @ 0 10 keys keys|migrate h p k 0 10 copy|migrate h p @ 0 10 auth KEYS a
georadius k 1 1 1 m|georadius k 1 1 1 m store d|georadius k 1 1 1 m storedist d store e
georadius k 1 1 1 m store d store e|georadius k 1 1 1 m store|georadius k 1 1 1 m asc store d
georadiusbymember k m 1 m store d|georadiusbymember k m 1 m storedist d|georadius_ro k 1 1 1 m
georadiusbymember k m 1 m storedist|georadiusbymember k m 1 m|georadius k 1 1 store m x
eval s 0|eval s 1 a|eval s 2 a b c|eval s 3 a b|eval s -1 a|eval s x a|eval s 2x a b|eval s 02 a b
eval s 4294967297 a b|eval s 4294967298 a b|eval s 18446744073709551617 a b|eval s @ a|eval s +1 a
eval s 9223372036854775807 a|eval s 9223372036854775808 a|eval s -9223372036854775809 a b
fcall f 1 a|fcall_ro f 2 a b c|evalsha x 1 k v|evalsha_ro x 1 k|eval_ro x 3 a b c d|fcall f 01 a
xread streams a 1|xread streams a b 1 2|xread streams a b c|xread count 2 streams a 1
xread block 0 count 2 streams a b 1 2|xread count streams streams a 1|xread block streams a 1
xread x y z
xread noack streams a 1|xreadgroup group g c streams a 1
xreadgroup group streams c streams a b > >
xreadgroup group g c count 1 noack streams a b > >|xreadgroup group g c a b streams
xread a streams a
xreadgroup group g c block 1 streams a|xread count 2 a streams|xread a b streams k 1
zunion 2 a b|zunion 2abc a b|zunion 0 a|zunion 3 a b|zunionstore d 2 a b
zunionstore d 2x a b weights 1 2
zunionstore d 4294967297 a b|zunionstore d 0 a|zdiffstore d 1 a|zinterstore d 1 a b
zintercard 2 a b limit 1
zmpop 1 a min|zmpop 2 a min|lmpop 2 a b left|blmpop 0 2 a b left|blmpop 0 2y a b left
bzmpop 0 1 a max
sintercard 1 a|sintercard 2147483648 a|sintercard 4294967296 a|lmpop 1z a left
zdiff 2 a b withscores
blpop a b 0|brpop a 0|lmove a b left right|xgroup create s g 0|xgroup foo s|xinfo stream s
xinfo help s
pfcount a b|pfmerge d a b|pfdebug encoding k|bitop and d a b|bitop not d|rename a b|smove a b m
geosearchstore d s frommember m byradius 1 m asc|zrangestore d s 0 1|lcs a b|lcs a b len
restore k 0 x
spublish ch m|ssubscribe ch|publish ch m|ping x|get|get a b|set k|nosuch a|command count
client list a
watch a b|touch a b|unlink a|exists a a a|msetnx a 1 b 2 c|lcs a|append k v|getex k ex 1|dump k
config get x|function load x|script exists a|eval s|wait 0 0|time x|restore-asking k 0 x
xautoclaim a b c d e
`;

const FIXED = LINES.split(/[\n|]/)
  .map((line) => line.trim().split(' '))
  .filter((line) => line.length > 1)
  .map((line) => line.map((word) => (word === '@' ? '' : word)));

it('answers as the server does, special rules one by one', async () => {
  expect(FIXED.length).toBeGreaterThan(150);
  for (const line of FIXED) await compare(line);
  expect(wrong.splice(0)).toEqual([]);
});

const WORDS = [
  'a',
  'b',
  'c',
  'keys',
  'STORE',
  'storedist',
  'streams',
  'STREAMS',
  'block',
  'count',
  'group',
  'get',
  'GET',
  'set',
  'incrby',
  'overflow',
  'by',
  'limit',
  'auth',
  'auth2',
  'noack',
  '0',
  '1',
  '2',
  '3',
  '-1',
  '2x',
  ' 2',
  '+1',
  '007',
  '4294967297',
  '99999999999999999999',
  '',
  'u8',
  'weights',
  'x\0y',
];

/** mulberry32: small, seeded. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

it('answers as the server does, random lines', async () => {
  const next = random(20240607);
  const pick = (list: readonly string[]) => list[Math.floor(next() * list.length)] as string;
  for (const row of rows) {
    if (row.container || row.beyond || row.name.startsWith('command')) continue;
    const head = row.name.split('|');
    const rounds = row.flags.includes('movablekeys') || /^(set|bitfield)$/.test(row.name) ? 120 : 6;
    for (let i = 0; i < rounds; i++) {
      const line = [...head];
      for (let words = 1 + Math.floor(next() * 9); words > 0; words--) line.push(pick(WORDS));
      await compare(line);
    }
  }
  expect(wrong.splice(0)).toEqual([]);
}, 60_000);

it('names shard channels when asked to', () => {
  const id = core.lookup('spublish');
  expect(core.keys(id, ['spublish', 'ch', 'm'])).toEqual([]);
  expect(core.keys(id, ['spublish', 'ch', 'm'], true).map(([index]) => index)).toEqual([1]);
});

// Before the test that leaves freed blocks behind, which would serve without a new chunk.
it('answers KEYS_OOM when there is no memory, and works again after', () => {
  const line = (count: number) => ['del', ...Array.from({ length: count }, () => 'k')];
  const id = core.lookup('del');
  const used = core.core.used();
  core.core.setLimit(1);
  expect(() => core.keys(id, line(20000))).toThrow('OOM');
  expect(core.core.used()).toBe(used);
  expect(core.keys(id, line(64))).toHaveLength(64);
  core.core.setLimit(65535);
  expect(core.keys(id, line(20000))).toHaveLength(20000);
});

it('grows its result and gets small again', () => {
  const id = core.lookup('del');
  for (const count of [63, 64, 65, 500, 6000, 1, 9000, 70]) {
    const line = ['del', ...Array.from({ length: count }, (_, i) => `${i}`)];
    const keys = core.keys(id, line);
    expect(keys.map(([index]) => index)).toEqual(line.slice(1).map((_, i) => i + 1));
  }
});
