// Foreign streams: the files of real servers, and bodies that lie.

import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { Rng } from '../encoding/support/module.js';
import { hasRedis, RedisOracle } from '../encoding/support/redis.js';
import { readBody, type StreamBody } from './support/body.js';
import { StreamModule } from './support/module.js';

const DATA = resolve(process.env.RESPITE_DATA ?? '../shared/data', 'rdb/servers');

/** A stream of 250 entries in three nodes, with groups, made here; type 19. */
function sample(m: StreamModule): number {
  const { raw } = m;
  const s = raw.streamNew();
  for (let i = 1n; i <= 250n; i++) {
    const texts = ['f', `${i}`, 'g', 'text'].map((x) => Buffer.from(x));
    expect(m.append(s, [i, i], i % 17n ? texts : texts.slice(0, 2))).toBe(0);
  }
  for (let i = 3n; i < 240n; i += 5n) expect(raw.streamDelete(s, i, i)).toBe(0);
  for (const name of ['g1', 'g2']) {
    const g = m.named('streamGroupCreate', s, Buffer.from(name), 100n, 100n);
    for (const who of ['alice', 'bob']) m.named('groupConsumerCreate', g, Buffer.from(who), 7n);
    for (let i = 1n; i < 90n; i++) {
      const c = m.named('groupConsumer', g, Buffer.from(i % 3n ? 'alice' : 'bob'));
      expect(raw.groupDeliver(g, c, i, i, 1000n + i)).toBe(0);
    }
  }
  return s;
}

test('node validation refuses lies with a code', () => {
  const m = new StreamModule();
  const s = sample(m);
  const good = m.save(s);
  const change = (edit: (b: StreamBody) => void): number => {
    const body = readBody(good);
    edit(body);
    const used = m.used;
    const status = m.load(body);
    if (status > 0) m.raw.streamFree(status);
    expect(m.used).toBe(used);
    return status;
  };
  const node = (b: StreamBody, i: number, value: number): void => {
    b.nodes[0]!.listpack = Buffer.from(b.nodes[0]!.listpack);
    b.nodes[0]!.listpack[i] = value;
  };
  expect(change(() => {})).toBeGreaterThan(0);
  const [BAD_LISTPACK, BAD_NODE, BAD_ORDER, BAD_LENGTH, BAD_LAST, BAD_PENDING, BAD_OWNER] = [
    -16, -17, -18, -19, -20, -21, -22,
  ];
  expect(change((b) => node(b, 0, 9))).toBe(BAD_LISTPACK);
  expect(change((b) => node(b, 6, 81))).toBe(BAD_NODE); // live
  expect(change((b) => node(b, 8, 21))).toBe(BAD_NODE); // deleted
  expect(change((b) => node(b, 10, 3))).toBe(BAD_NODE); // fields
  expect(change((b) => b.nodes.reverse())).toBe(BAD_ORDER);
  expect(
    change((b) => {
      b.nodes[1]!.id = [100n, 100n];
    }),
  ).toBe(BAD_ORDER);
  expect(
    change((b) => {
      b.nodes[2]!.id = [2n ** 64n - 3n, 0n];
    }),
  ).toBe(BAD_ORDER);
  expect(
    change((b) => {
      b.length++;
    }),
  ).toBe(BAD_LENGTH);
  expect(
    change((b) => {
      b.last = [249n, 0n];
    }),
  ).toBe(BAD_LAST);
  expect(
    change((b) => {
      b.groups[0]!.consumers[0]!.pending.push([999n, 0n]);
    }),
  ).toBe(BAD_PENDING);
  expect(
    change((b) => {
      b.groups[0]!.consumers[0]!.pending.push([3n, 3n]);
    }),
  ).toBe(BAD_OWNER);
  expect(
    change((b) => {
      b.groups[0]!.consumers[1]!.pending.pop();
    }),
  ).toBe(BAD_OWNER);
  expect(
    change((b) => {
      b.groups[0]!.pending.push(b.groups[0]!.pending[0]!);
    }),
  ).toBe(-2);
  expect(
    change((b) => {
      b.groups[1]!.name = b.groups[0]!.name;
    }),
  ).toBe(-2);
});

test('mutated nodes: an answer, never a trap; what is accepted can be used', () => {
  const m = new StreamModule();
  const { raw } = m;
  const s = sample(m);
  const body = readBody(m.save(s));
  const rng = new Rng(5);
  let accepted = 0;
  for (let round = 0; round < 20000; round++) {
    const lp = Buffer.from(body.nodes[0]!.listpack);
    for (let k = 0; k <= rng.below(2); k++)
      lp[rng.below(rng.below(3) ? 60 : lp.length)] = rng.below(256);
    const [ptr] = m.put(lp);
    const id = body.nodes[0]!.id;
    if (raw.streamNodeValidate(ptr, lp.length, ...id) !== 0) continue;
    accepted++;
    const fresh = raw.streamNew();
    expect(raw.streamLoadNode(fresh, ...id, ptr, lp.length)).toBe(0);
    raw.streamLoadMeta(fresh, raw.nodeLive.value, 2n ** 63n, 0n);
    const it = raw.alloc(64);
    for (const back of [0, 1]) {
      raw.iterBegin(it, fresh, back, back ? 2n ** 64n - 1n : 0n, 0n);
      let n = 0n;
      while (raw.iterNext(it)) n++;
      expect(n).toBe(raw.streamLength(fresh));
    }
    raw.free(it);
    raw.streamTrimLength(fresh, 3n, 0, 0n);
    raw.streamFree(fresh);
  }
  expect(accepted).toBeGreaterThan(100);
});

test('types 21, 26 and 27 keep what they hold; lower ones drop it', () => {
  const m = new StreamModule();
  const base = readBody(m.save(sample(m)));
  for (const group of base.groups) group.consumers[0]!.active = 5n;
  const three = { ...base, type: 21 };
  const idmp = {
    duration: 100n,
    max: 100n,
    producers: [0, 1].map((p) => ({
      name: Buffer.from(`producer${p}`),
      iids: [0, 1, 2].map((i) => ({
        name: Buffer.from(`iid${i}`),
        id: [BigInt(i), 1n] as [bigint, bigint],
      })),
    })),
    added: 6n,
    duplicates: 2n,
  };
  const fix = (b: StreamBody): StreamBody => JSON.parse(JSON.stringify(b, revive), restore);
  const unowned = fix({ ...three, type: 27, idmp });
  unowned.groups[0]!.unowned = unowned.groups[0]!.consumers[1]!.pending.splice(3, 4);
  for (const [body, version] of [
    [three, 11],
    [{ ...three, type: 26, idmp }, 13],
    [unowned, 14],
  ] as const) {
    const s = m.load(body);
    expect(s).toBeGreaterThan(0);
    expect(fix(readBody(m.save(s, version)))).toEqual(fix(body));
    expect(readBody(m.save(m.raw.streamDup(s), 10)).type).toBe(19);
    expect(readBody(m.save(s, 80)).type).toBe(21);
    expect(m.load(readBody(m.save(s, 9)))).toBeGreaterThan(0);
    m.raw.streamFree(s);
  }
});

const revive = (_k: string, v: unknown): unknown => (typeof v === 'bigint' ? `${v}n` : v);
function restore(_k: string, v: unknown): unknown {
  if (typeof v === 'string' && /^-?\d+n$/.test(v)) return BigInt(v.slice(0, -1));
  const buffer = v as { type?: unknown; data?: number[] };
  return buffer && buffer.type === 'Buffer' ? Buffer.from(buffer.data!) : v;
}

test.runIf(hasRedis && existsSync(DATA))(
  'streams of real files, through DUMP of a server',
  async () => {
    for (const file of readdirSync(DATA).filter((f) => /^types-redis(6|7).*\.rdb$/.test(f))) {
      const redis = await RedisOracle.start({ dir: DATA, dbfilename: file });
      const m = new StreamModule();
      let seen = 0;
      try {
        for (let db = 0; db < 16; db++) {
          await redis.send('SELECT', db);
          for (const key of (await redis.send('KEYS', '*')) as Buffer[]) {
            if (String(await redis.send('TYPE', key)) !== 'stream') continue;
            const dump = await redis.dump(key);
            const s = m.load(readBody(dump));
            expect(s, `${file} ${key}`).toBeGreaterThan(0);
            expect(m.save(s).equals(dump)).toBe(true);
            seen++;
          }
        }
      } finally {
        redis.stop();
      }
      expect(seen).toBeGreaterThan(0);
    }
  },
  60000,
);

test('without memory: every step is refused whole, and nothing leaks', () => {
  const m = new StreamModule();
  const { raw } = m;
  const texts = ['f', '123', 'g', 'text'].map((x) => Buffer.from(x));
  const s = raw.streamNew();
  const g = m.named('streamGroupCreate', s, Buffer.from('g'), 0n, 0n);
  const c = m.named('groupConsumerCreate', g, Buffer.from('c'), 0n);
  const d = m.named('groupConsumerCreate', g, Buffer.from('d'), 0n);
  const rng = new Rng(3);
  /** Runs an operation with the first, second … allocation failing until it goes through. */
  const persist = (run: () => number, failed: number, exact = true): void => {
    for (let fault = 0; ; fault++) {
      const before = m.save(s);
      const used = m.used;
      m.failAt(fault);
      const status = run();
      m.failAt(-1);
      if (status !== failed) return;
      expect(m.save(s).equals(before)).toBe(true);
      if (exact) expect(m.used).toBeLessThanOrEqual(used);
    }
  };
  m.save(s);
  for (let i = 1n; i <= 420n; i++) {
    const big = rng.below(30) ? texts : [Buffer.from('big'), rng.bytes(3000)];
    persist(() => m.append(s, [i, 0n], big), -1, false);
    persist(() => raw.groupDeliver(g, c, i, 0n, i), -1, false);
    if (i % 3n === 0n)
      persist(() => raw.groupPendingAssign(raw.groupPendingFind(g, i, 0n), d, i, 0n), -1, false);
    if (i % 2n === 0n) persist(() => raw.streamDelete(s, i, 0n), -1);
  }
  persist(() => raw.streamTrimLength(s, 120n, 0, 0n), -1);
  persist(() => raw.streamTrimId(s, 300n, 0n, 0, 0n), -1);
  const body = readBody(m.save(s));
  const used = m.used;
  for (const make of [() => raw.streamDup(s) >>> 0, () => Math.max(m.load(body), 0)]) {
    for (let fault = 0, copy = 0; copy === 0; fault += 1 + (fault >> 5)) {
      m.failAt(fault);
      copy = make();
      m.failAt(-1);
      if (copy !== 0) {
        expect(m.save(copy).equals(m.save(s))).toBe(true);
        raw.streamFree(copy);
      }
      expect(m.used).toBe(used);
    }
  }
});
