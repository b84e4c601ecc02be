// Dumps of real servers, compared with what those servers said they held.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decode, type Key } from '../support/rdb-decode.js';
import { DATA, hasData, RdbHarness, REC, VERDICT } from '../support/rdb-harness.js';

const SERVERS = join(DATA, 'servers');
const h = new RdbHarness();

interface Truth {
  db: number;
  key: string;
  type: string;
  encoding: string;
  expireAt?: number;
  pttl?: number;
  value: unknown;
  fieldExpireAt?: [string, number][];
  info?: unknown[];
}

const sorted = <T>(list: T[], of: (x: T) => string): T[] =>
  [...list].sort((a, b) => (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0));

function asMap(flat: unknown): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const list = flat as unknown[];
  for (let i = 0; i + 1 < list.length; i += 2) out[list[i] as string] = list[i + 1];
  return out;
}

function compareStream(got: Key, want: Truth): void {
  const s = got.stream!;
  expect(s.entries).toEqual(want.value);
  const info = asMap(want.info);
  expect(Number(s.length)).toBe(info.length);
  expect(s.entries.length).toBe(info.length);
  expect(s.nodes).toBe(info['radix-tree-keys']);
  expect(s.last).toBe(info['last-generated-id']);
  if (info['max-deleted-entry-id']) {
    expect(s.maxDeleted).toBe(info['max-deleted-entry-id']);
    expect(Number(s.added)).toBe(info['entries-added']);
    expect(s.first).toBe(info['recorded-first-entry-id']);
  }
  const groups = (info.groups as unknown[]).map(asMap);
  expect(s.groups.map((g) => g.name)).toEqual(groups.map((g) => g.name));
  for (const [i, g] of s.groups.entries()) {
    const w = groups[i]!;
    expect(g.last).toBe(w['last-delivered-id']);
    if ('entries-read' in w) {
      expect(g.read === -1n ? null : Number(g.read)).toBe(w['entries-read']);
    }
    expect(g.pel.length).toBe(w['pel-count']);
    const owner = new Map(g.consumers.flatMap((c) => c.pel.map((id) => [id, c.name] as const)));
    expect(g.pel.map((p) => [p.id, owner.get(p.id), Number(p.at), Number(p.count)])).toEqual(
      w.pending,
    );
    const consumers = (w.consumers as unknown[]).map(asMap);
    expect(g.consumers.map((c) => c.name)).toEqual(consumers.map((c) => c.name));
    for (const [j, c] of g.consumers.entries()) {
      const wc = consumers[j]!;
      expect(Number(c.seen)).toBe(wc['seen-time']);
      if ('active-time' in wc) expect(Number(c.active)).toBe(wc['active-time']);
      expect(c.pel).toEqual((wc.pending as unknown[][]).map((p) => p[0]));
    }
  }
}

function compareKey(got: Key, want: Truth): void {
  if (want.expireAt !== undefined) expect(got.expireAt).toBe(want.expireAt);
  else expect(got.expireAt > 0).toBe(want.pttl! > 0);
  if (want.type === 'vectorset') {
    expect(got.type).toBe('module');
    expect(got.value).toBe('vectorset');
    return;
  }
  expect(got.type).toBe(want.type);
  expect(got.isDamaged).toBe(false);
  if (want.type === 'string' || want.type === 'list') {
    expect(got.value).toEqual(want.value);
  } else if (want.type === 'set') {
    expect([...(got.value as string[])].sort()).toEqual([...(want.value as string[])].sort());
  } else if (want.type === 'hash') {
    const mine = got.value as [string, string, number][];
    const pair = (x: unknown[]) => `${x[0]}\n${x[1]}`;
    expect(
      sorted(
        mine.map((x) => [x[0], x[1]]),
        pair,
      ),
    ).toEqual(sorted(want.value as string[][], pair));
    const times = mine.filter((x) => x[2] !== -1).map((x) => [x[0], x[2]]);
    const wanted = want.fieldExpireAt ?? [];
    expect(sorted(times, (x) => `${x[0]}`)).toEqual(sorted(wanted, (x) => x[0]));
  } else if (want.type === 'zset') {
    const mine = new Map(got.value as [string, number][]);
    const flat = want.value as string[];
    expect(mine.size).toBe(flat.length / 2);
    for (let i = 0; i < flat.length; i += 2) {
      const score = flat[i + 1] as string;
      const n = score === 'inf' ? Infinity : score === '-inf' ? -Infinity : Number(score);
      // redis 7 prints -0 as 0
      expect(mine.get(flat[i] as string)! + 0).toBe(n + 0);
    }
  } else if (want.type === 'stream') {
    compareStream(got, want);
  } else {
    throw new Error(`type ${want.type}`);
  }
}

describe.skipIf(!hasData)('dumps of real servers (../shared/data)', () => {
  const files = hasData ? readdirSync(SERVERS).filter((f) => f.endsWith('.rdb')) : [];
  const truths = files.filter((f) =>
    existsSync(join(SERVERS, f.replace('.rdb', '.truth.jsonl.gz'))),
  );

  it.each(truths)('%s holds what the server said', (name) => {
    const result = h.read(readFileSync(join(SERVERS, name)));
    expect(result.last).toBe(REC.EOF);
    expect(result.verdict).toBe(VERDICT.OK);
    const { keys } = decode(h, result.events);
    const gz = readFileSync(join(SERVERS, name.replace('.rdb', '.truth.jsonl.gz')));
    const truth = gunzipSync(gz)
      .toString('utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Truth);
    const mine = new Map(keys.map((k) => [`${k.db}/${k.key}`, k]));
    const missing = truth.filter((t) => !mine.has(`${t.db}/${t.key}`)).map((t) => t.key);
    expect(missing).toEqual([]);
    for (const t of truth) compareKey(mine.get(`${t.db}/${t.key}`)!, t);
    // what the server no longer showed: keys that had expired when it was asked
    const known = new Set(truth.map((t) => `${t.db}/${t.key}`));
    const rest = keys.filter((k) => !known.has(`${k.db}/${k.key}`));
    expect(rest.filter((k) => k.expireAt === -1).map((k) => k.key)).toEqual([]);
  });

  it.each(['types-redis7.0.15-rdb10', 'types-redis8.0.6-rdb12', 'types-valkey8.0.1-rdb11'])(
    '%s: functions',
    (name) => {
      const { functions } = decode(h, h.read(readFileSync(join(SERVERS, `${name}.rdb`))).events);
      const text = readFileSync(join(SERVERS, `${name}.functions.txt`), 'latin1');
      expect(functions.length).toBe(2);
      for (const source of functions) expect(text).toContain(source.trim());
    },
  );

  it.each(files)('%s reads to its end with a right checksum', (name) => {
    const bytes = readFileSync(join(SERVERS, name));
    const result = h.read(bytes);
    expect(result.last).toBe(REC.EOF);
    expect(result.consumed).toBe(bytes.length);
    const wanted = name.startsWith('nochecksum') ? VERDICT.DISABLED : VERDICT.OK;
    expect(result.verdict).toBe(wanted);
    for (const k of decode(h, result.events).keys) expect(k.isDamaged).toBe(false);
  });
});
