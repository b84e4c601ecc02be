// Dumps of public RDB projects: each reads to its end, or is refused as its index tells.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decode } from '../support/rdb-decode.js';
import { DATA, ERR, FLAG, hasData, RdbHarness, REC, VERDICT } from '../support/rdb-harness.js';

const FIXTURES = join(DATA, 'fixtures');
const h = new RdbHarness();

interface Line {
  path: string;
  version: string;
  types: Map<string, number>;
  opcodes: Map<string, number>;
  modules: string;
  crc: string;
}

function counts(text: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const part of text.trim().split(',')) {
    const at = part.lastIndexOf(':');
    if (at > 0) out.set(part.slice(0, at), Number(part.slice(at + 1)));
  }
  return out;
}

function index(): Line[] {
  const lines = readFileSync(join(FIXTURES, 'index.tsv'), 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [path, , version, what, modules, crc] = line.split('\t') as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const [types, opcodes] = what.split('|') as [string, string];
    // "a|b" in a type's name splits too: take the opcodes from the end
    const parts = what.split(' | ');
    return {
      path,
      version,
      modules,
      crc,
      types: counts(parts.length > 1 ? parts[0]! : types),
      opcodes: counts(parts[1] ?? opcodes),
    };
  });
}

const OPCODE_KINDS: Record<string, number> = {
  aux: REC.AUX,
  selectdb: REC.SELECTDB,
  resizedb: REC.RESIZEDB,
  slot_info: REC.SLOT_INFO,
  function2: REC.FUNCTION,
  module_aux: REC.MODULE_AUX,
};

describe.skipIf(!hasData)('fixtures (../shared/data)', () => {
  const lines = hasData ? index() : [];

  it.each(lines.map((l): [string, Line] => [l.path, l]))('%s', (path, line) => {
    const file = readFileSync(join(FIXTURES, path));
    let result = h.read(file);
    if (line.version === 'REDIS0099') {
      expect([result.err, result.errOffset, result.errArg]).toEqual([ERR.VERSION, 5, 99n]);
      result = h.read(file, { flags: FLAG.ALLOW_FUTURE });
    }
    if (line.crc === 'MISMATCH') {
      expect([result.err, result.errOffset]).toEqual([ERR.CHECKSUM, file.length - 8]);
    } else {
      expect(`${result.last} ${h.errorText(result.err)} ${result.errOffset}`).toMatch(/^1 /);
      // one was saved with the 40-byte mark of the transfer it came by
      const tail = path.endsWith('redis_40_with_module.rdb') ? 40 : 0;
      expect(result.consumed).toBe(file.length - tail);
      const verdicts = {
        ok: VERDICT.OK,
        'disabled(0)': VERDICT.DISABLED,
        'none(v<5)': VERDICT.ABSENT,
      };
      expect(result.verdict).toBe(verdicts[line.crc as keyof typeof verdicts]);
    }
    const kinds = new Map<number, number>();
    for (const e of result.events) kinds.set(e[0], (kinds.get(e[0]) ?? 0) + 1);
    for (const [name, kind] of Object.entries(OPCODE_KINDS)) {
      expect(kinds.get(kind) ?? 0, name).toBe(line.opcodes.get(name) ?? 0);
    }
    const keys = [...line.types.values()].reduce((a, b) => a + b, 0);
    expect(kinds.get(REC.KEY) ?? 0).toBe(keys);
    const { keys: got } = decode(h, result.events);
    const expiring = (line.opcodes.get('expire_ms') ?? 0) + (line.opcodes.get('expire_sec') ?? 0);
    expect(got.filter((k) => k.expireAt !== -1).length).toBe(expiring);
    expect(got.filter((k) => k.freq !== -1).length).toBe(line.opcodes.get('freq') ?? 0);
    expect(got.filter((k) => k.idle !== -1).length).toBe(line.opcodes.get('idle') ?? 0);
    for (const k of got) {
      if (path.endsWith('corrupt_ziplist.rdb') && k.rdbType !== 0) continue;
      expect(k.isDamaged, k.key).toBe(false);
    }
  });

  it('the damaged ziplist is found damaged', () => {
    const { keys } = decode(
      h,
      h.read(readFileSync(join(FIXTURES, 'redis/tests/assets/corrupt_ziplist.rdb'))).events,
    );
    expect(keys.some((k) => k.isDamaged)).toBe(true);
  });

  // HDT3213/rdb's expected outputs: [{ db, key, type, value | values | hash | members | entries }]
  const withJson = lines
    .map((l) => l.path)
    .filter(
      (p) => p.startsWith('hdt3213') && existsSync(join(FIXTURES, p.replace('.rdb', '.json'))),
    );
  it.each(withJson)('%s holds what its project expects', (path) => {
    interface Wanted {
      db: number;
      key: string;
      type: string;
      value?: string;
      values?: string[];
      hash?: Record<string, string>;
      members?: string[];
      entries?: { member: string; score: number }[];
    }
    const text = readFileSync(join(FIXTURES, path.replace('.rdb', '.json')), 'utf8');
    const wanted = (JSON.parse(text) as Wanted[]).filter(
      (w) => !['aux', 'functions', 'dbsize'].includes(w.type),
    );
    const { keys } = decode(h, h.read(readFileSync(join(FIXTURES, path))).events);
    const utf8 = (s: string) => Buffer.from(s, 'latin1').toString('utf8');
    const mine = new Map(keys.map((k) => [`${k.db}/${utf8(k.key)}`, k]));
    for (const w of wanted) {
      const k = mine.get(`${w.db}/${w.key}`);
      expect(k, w.key).toBeDefined();
      const value = k!.value as unknown[];
      if (w.type === 'string' && w.value !== undefined) {
        if (!w.value.includes('\ufffd')) expect(utf8(k!.value as string)).toBe(w.value);
      } else if (w.type === 'list' && w.values) {
        expect((value as string[]).map(utf8)).toEqual(w.values);
      } else if (w.type === 'set' && w.members) {
        expect((value as string[]).map(utf8).sort()).toEqual([...w.members].sort());
      } else if (w.type === 'hash' && w.hash) {
        const map = Object.fromEntries(
          (value as string[][]).map((p) => [utf8(p[0]!), utf8(p[1]!)]),
        );
        if (!text.includes('\\ufffd') && !text.includes('\ufffd')) expect(map).toEqual(w.hash);
      } else if (w.type === 'zset' && w.entries) {
        const map = new Map((value as [string, number][]).map((p) => [utf8(p[0]), p[1]]));
        for (const e of w.entries) expect(map.get(e.member)).toBe(e.score);
        expect(map.size).toBe(w.entries.length);
      }
    }
  });
});
