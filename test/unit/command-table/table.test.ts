// The table against a real redis-server: arity, flags, categories, key specs, tips and docs of
// every row, and what the generator derives. Rows marked `beyond` differ on purpose.

import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoreTable, generateInto } from './core-table.js';
import { LiveRedis, type Reply } from './live-redis.js';
// @ts-expect-error plain JavaScript of the build
import { ACL, loadSpecForTests } from './spec-access.mjs';

interface Row {
  id: number;
  name: string;
  sub: string;
  parent: number;
  arity: number;
  beyond?: string;
  note?: string;
  in: string;
  flags: string[];
  hiddenFlags: string[];
  aclCategories: string[];
  tips: string[];
  range: [number, number, number];
  container?: boolean;
}

/** Differences from 7.0.15 that are meant: see the note in the row. */
const DELIBERATE = [
  'blmove',
  'blpop',
  'brpop',
  'brpoplpush',
  'bzpopmax',
  'bzpopmin',
  'cluster|shards',
  'cluster|slots',
  'command|getkeys',
  'command|getkeysandflags',
  'wait',
  'zrank',
  'zrevrank',
];
const NEWER = [
  'client|no-touch',
  'client|setinfo',
  'cluster|myshardid',
  'hexpire',
  'hexpireat',
  'hexpiretime',
  'hgetdel',
  'hgetex',
  'hpersist',
  'hpexpire',
  'hpexpireat',
  'hpexpiretime',
  'hpttl',
  'hsetex',
  'httl',
  'waitaof',
  'xackdel',
  'xdelex',
];

let live: LiveRedis;
let core: CoreTable;
const rows: Row[] = loadSpecForTests(true);
const liveInfo = new Map<string, Reply[]>();

function collect(info: Reply[]): void {
  liveInfo.set(info[0] as string, info);
  for (const sub of info[9] as Reply[][]) collect(sub);
}

beforeAll(async () => {
  live = await LiveRedis.start();
  for (const info of (await live.call('command')) as Reply[][]) collect(info);
  core = await CoreTable.compile('command-table', '--all');
}, 60_000);

afterAll(() => live?.stop());

describe('rows', () => {
  it('are those of redis-server and the newer ones', () => {
    const expected = [...liveInfo.keys(), ...NEWER].sort();
    expect(rows.map((row) => row.name)).toEqual(expected);
  });

  it('say why they differ', () => {
    const beyond = rows.filter((row) => row.beyond).map((row) => row.name);
    expect(beyond).toEqual([...DELIBERATE, ...NEWER].sort());
    for (const name of DELIBERATE) {
      expect(rows.find((row) => row.name === name)?.note, name).toMatch(/7\.\d/);
    }
  });

  it('agree with COMMAND INFO', () => {
    for (const row of rows) {
      const info = liveInfo.get(row.name);
      if (!info || row.beyond) continue;
      const ours = [row.arity, row.flags, ...row.range];
      expect([row.name, ...ours]).toEqual(info.slice(0, 6));
      expect([row.name, row.aclCategories.map((c) => `@${c}`), row.tips]).toEqual([
        row.name,
        info[6],
        info[7],
      ]);
    }
  });
});

describe('generator', () => {
  it('writes the same bytes every time, and nothing when nothing changed', () => {
    const read = (root: string) =>
      ['assembly', 'host'].flatMap((side) => {
        const dir = path.join(root, side, 'commands/generated');
        return fs.readdirSync(dir).map((f) => fs.readFileSync(path.join(dir, f), 'utf8'));
      });
    const first = read(generateInto('command-table-1'));
    expect(read(generateInto('command-table-2'))).toEqual(first);
  });
});

describe('core table', () => {
  it('has the facts of every row', () => {
    for (const row of rows) {
      const { id } = row;
      expect(core.name(id)).toBe(row.name);
      expect(core.core.arity(id), row.name).toBe(row.arity);
      expect(core.core.parent(id), row.name).toBe(row.parent);
      expect(core.core.flags(id) >>> 0, row.name).toBe(
        ACL.flagMask([...row.flags, ...row.hiddenFlags]),
      );
      expect(core.core.categories(id) >>> 0, row.name).toBe(ACL.categoryMask(row.aclCategories));
      const range = [core.core.firstKey(id), core.core.lastKey(id), core.core.keyStep(id)];
      expect(range, row.name).toEqual(row.range);
      expect(Boolean(core.core.hasSubcommands(id)), row.name).toBe(Boolean(row.container));
      expect(Boolean(core.core.isHost(id)), row.name).toBe(row.in === 'host');
    }
  });

  it('finds every name in every case, and nothing else', () => {
    for (const row of rows) {
      const name = row.sub || row.name;
      for (const variant of variants(name)) {
        expect(core.lookup(variant, row.parent), variant).toBe(row.id);
      }
      for (const wrong of near(name)) {
        const isName = rows.some(
          (r) => (r.sub || r.name) === wrong.toLowerCase() && r.parent === row.parent,
        );
        if (!isName) expect(core.lookup(wrong, row.parent), JSON.stringify(wrong)).toBe(-1);
      }
      if (row.sub) expect(core.lookup(row.name), row.name).toBe(-1);
    }
    expect(core.lookup('')).toBe(-1);
    expect(core.lookup('x'.repeat(200))).toBe(-1);
  });
});

/** All case variants of short names, 200 seeded ones of long names. */
function variants(name: string): string[] {
  const flip = (bits: number) =>
    [...name].map((c, i) => ((bits >> (i % 30)) & 1 ? c.toUpperCase() : c)).join('');
  if (name.length <= 7) return Array.from({ length: 1 << name.length }, (_, bits) => flip(bits));
  const some = Array.from({ length: 200 }, (_, i) => flip(Math.imul(i + 1, 0x9e3779b1) >>> 1));
  return [name, name.toUpperCase(), ...some];
}

/** Names one step away: a bit flipped, a byte more or less, a NUL. */
function near(name: string): string[] {
  const list = [`${name}\0`, `${name} `, `${name}s`, name.slice(0, -1), name.slice(1), `\0${name}`];
  for (let i = 0; i < name.length; i++) {
    for (const bit of [1, 16, 32, 128]) {
      const changed = name.charCodeAt(i) ^ bit;
      const text = name.slice(0, i) + String.fromCharCode(changed) + name.slice(i + 1);
      if (text.toLowerCase() !== name) list.push(text);
    }
  }
  return list;
}
