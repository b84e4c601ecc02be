// Against a real redis-server: the same operations give the same bytes in DUMP.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Encoding, element, Rng } from './support/module.js';
import { dumpPayload, hasRedis, RedisOracle, rdbLen, rdbString } from './support/redis.js';

let m: Encoding;
let redis: RedisOracle;

/** An LZF string's text, decompressed by the code under test; others as they are. */
function plain(s: { bytes: Buffer; lzfLen: number }): Buffer {
  if (!s.lzfLen) return s.bytes;
  const src = m.input(s.bytes);
  const dst = m.raw.alloc!(s.lzfLen);
  expect(m.raw.lzfDecompress!(src, s.bytes.length, dst, s.lzfLen)).toBe(1);
  const out = m.read(dst, s.lzfLen);
  m.raw.free!(dst);
  return out;
}

/** What the server should have written for `text`: our compression, or nothing. */
function compressed(text: Buffer): Buffer | undefined {
  const src = m.input(text);
  const cap = text.length - 4;
  const dst = m.raw.alloc!(cap + 8);
  m.write(dst + cap, Buffer.alloc(8, 0xaa));
  const len = m.raw.lzfCompress!(src, text.length, dst, cap);
  expect(m.read(dst + cap, 8)).toEqual(Buffer.alloc(8, 0xaa));
  const out = len ? m.read(dst, len) : undefined;
  m.raw.free!(dst);
  return out;
}

/** Checks an RDB string as the server wrote it and returns its text. */
function checkString(data: Buffer, at: number): { text: Buffer; end: number } {
  const s = rdbString(data, at);
  const text = plain(s);
  if (text.length > 20) {
    const ours = compressed(text);
    if (s.lzfLen) expect(ours?.equals(s.bytes)).toBe(true);
    else expect(ours).toBeUndefined();
  }
  return { text, end: s.end };
}

const dict = 'the quick brown fox jumps over a lazy dog user:1000: {"id": 1234, "name": '.split(
  ' ',
);

/** Values that compress in many ways: noise, words, runs, periods, sparse, repeats far back. */
function value(rng: Rng): Buffer {
  const max = rng.pick([30, 60, 100, 300, 1000, 5000, 20000, 70000]);
  const len = 21 + rng.below(max);
  const kind = rng.below(7);
  const out = rng.bytes(len);
  if (kind === 1) return Buffer.alloc(len, rng.bytes(1 + rng.below(600)));
  if (kind === 2) for (let i = 0; i < len; i++) out[i] = 97 + (out[i]! & 3);
  if (kind === 3) {
    let text = '';
    while (text.length < len) text += `${rng.pick(dict)} ${rng.below(2) ? rng.below(1000) : ''}`;
    return Buffer.from(text.slice(0, len));
  }
  if (kind === 4) for (let i = 0; i < len; i++) if (rng.below(10)) out[i] = 0;
  if (kind === 5) {
    for (let i = rng.below(40) + 1; i < len; ) {
      const from = rng.below(Math.min(i, 9000));
      const count = 1 + rng.below(600);
      const start = rng.below(2) ? i - from - 1 : from;
      for (let k = 0; k < count && i < len; k++, i++) out[i] = out[Math.max(0, start) + k]!;
      for (let k = rng.below(30); k > 0 && i < len; k--) i++;
    }
  }
  if (kind === 6) {
    const period = rng.pick([1, 2, 3, 7, 8, 15, 16, 255, 264, 8191, 8192, 8193]);
    for (let i = period; i < len; i++) out[i] = out[i - period]!;
    for (let k = rng.below(8); k > 0; k--) out[rng.below(len)] = rng.below(256);
  }
  return out;
}

describe.skipIf(!hasRedis)('against redis-server', () => {
  beforeAll(async () => {
    m = await Encoding.load();
    redis = await RedisOracle.start({ 'sanitize-dump-payload': 'yes' });
    for (const name of ['hash-max-listpack-value', 'zset-max-listpack-value']) {
      await redis.send('CONFIG', 'SET', name, 100_000_000);
    }
    for (const name of ['hash-max-listpack-entries', 'zset-max-listpack-entries']) {
      await redis.send('CONFIG', 'SET', name, 100_000);
    }
  }, 60_000);
  afterAll(() => redis?.stop());

  it('compresses strings to the same bytes', async () => {
    const rng = new Rng(7);
    let packed = 0;
    for (let round = 0; round < 60; round++) {
      const batch = Array.from({ length: 100 }, () => value(rng));
      batch.forEach((v, i) => void redis.send('SET', `k${i}`, v));
      const dumps = await Promise.all(batch.map((_, i) => redis.dump(`k${i}`)));
      for (const [i, dump] of dumps.entries()) {
        const { text, end } = checkString(dump, 1);
        if (!text.equals(batch[i]!) || end !== dump.length) throw new Error(`value ${round}/${i}`);
        if (dump[1] === 0xc3) packed++;
      }
    }
    expect(packed).toBeGreaterThan(3000);
  }, 120_000);

  it('compresses every length and tail the same', async () => {
    const rng = new Rng(11);
    const seen: Promise<void>[] = [];
    for (let len = 21; len < 420; len++) {
      for (const alphabet of [1, 2, 4]) {
        const v = Buffer.from(Array.from({ length: len }, () => 97 + rng.below(alphabet)));
        const key = `t${len}-${alphabet}`;
        void redis.send('SET', key, v);
        seen.push(redis.dump(key).then((dump) => void checkString(dump, 1)));
      }
    }
    await Promise.all(seen);
  }, 60_000);

  it('gives up on the same values when little is saved', async () => {
    const rng = new Rng(13);
    const seen: Promise<boolean>[] = [];
    for (let i = 0; i < 8000; i++) {
      const parts = [rng.bytes(12 + rng.below(60))];
      for (let k = 1 + rng.below(9); k > 0; k--) {
        const from = 1 + rng.below(8);
        parts.push(parts[0]!.subarray(from, from + 3 + rng.below(3)));
        if (!rng.below(4)) parts.push(rng.bytes(1 + rng.below(3)));
      }
      const key = `g${i % 500}`;
      void redis.send('SET', key, Buffer.concat(parts));
      seen.push(redis.dump(key).then((dump) => checkString(dump, 1) && dump[1] === 0xc3));
    }
    const packed = (await Promise.all(seen)).filter((yes) => yes).length;
    expect(packed).toBeGreaterThan(1000);
    expect(packed).toBeLessThan(7000);
  }, 60_000);

  /** Lists: the nodes of a DUMP, each rebuilt by appending its own elements. */
  async function checkList(key: string): Promise<Buffer[]> {
    const dump = await redis.dump(key);
    expect(dump[0]).toBe(18);
    const nodes = rdbLen(dump, 1);
    let at = nodes.end;
    const all: Buffer[] = [];
    for (let n = 0; n < nodes.value; n++) {
      const kind = rdbLen(dump, at);
      const { text, end } = checkString(dump, kind.end);
      at = end;
      if (kind.value !== 2) {
        all.push(text);
        continue;
      }
      expect(m.raw.lpValidate!(m.input(text), text.length)).toBe(1);
      let lp = m.raw.lpDup!(m.input(text));
      const items = m.list(lp);
      m.raw.lpFree!(lp);
      lp = m.raw.lpNew!(0);
      for (const item of items) lp = m.raw.lpAppend!(lp, m.input(item), item.length);
      if (!m.lp(lp).equals(text)) throw new Error(`node ${n} of ${key}`);
      m.raw.lpFree!(lp);
      all.push(...items);
    }
    expect(at).toBe(dump.length);
    return all;
  }

  it('builds list nodes to the same bytes', async () => {
    const rng = new Rng(21);
    for (const size of [-2, -5, 128]) {
      await redis.send('CONFIG', 'SET', 'list-max-listpack-size', size);
      for (let n = 0; n < 12; n++) {
        const key = `l${size}-${n}`;
        const items = Array.from({ length: 1 + rng.below(2000) }, () => element(rng, true));
        await redis.send('RPUSH', key, ...items);
        const got = await checkList(key);
        expect(got.length).toBe(items.length);
        expect(got.every((item, i) => item.equals(items[i]!))).toBe(true);
      }
    }
    await redis.send('CONFIG', 'SET', 'list-max-listpack-size', -2);
  }, 120_000);

  it('does the operations of a one-node list', async () => {
    await redis.send('CONFIG', 'SET', 'list-max-listpack-size', -5);
    const rng = new Rng(31);
    for (let n = 0; n < 30; n++) {
      const key = `o${n}`;
      let lp = m.raw.lpNew!(0);
      for (let op = 0; op < 150; op++) {
        const e = element(rng);
        const count = m.raw.lpLength!(lp);
        const index = rng.below(count * 2 || 1) - count;
        const p = m.raw.lpSeek!(lp, index);
        const ptr = m.input(e);
        switch (rng.below(count ? 9 : 2)) {
          case 0:
          case 2:
            void redis.send('RPUSH', key, e);
            lp = m.raw.lpAppend!(lp, ptr, e.length);
            break;
          case 1:
          case 3:
            void redis.send('LPUSH', key, e);
            lp = m.raw.lpPrepend!(lp, ptr, e.length);
            break;
          case 4:
            void redis.send('LSET', key, index, e);
            lp = m.raw.lpReplace!(lp, p, ptr, e.length);
            break;
          case 5:
          case 6: {
            const pivot = m.text(p);
            const after = rng.below(2);
            void redis.send('LINSERT', key, after ? 'AFTER' : 'BEFORE', pivot, e);
            const at = m.raw.lpFind!(lp, m.raw.lpFirst!(lp), m.input(pivot), pivot.length, 0);
            const src = m.input(e);
            lp = (after ? m.raw.lpInsertAfter : m.raw.lpInsertBefore)!(lp, at, src, e.length);
            break;
          }
          case 7: {
            const gone = m.text(p);
            void redis.send('LREM', key, 1, gone);
            const at = m.raw.lpFind!(lp, m.raw.lpFirst!(lp), m.input(gone), gone.length, 0);
            lp = m.raw.lpDelete!(lp, at);
            break;
          }
          default: {
            if (rng.below(5)) break;
            const start = rng.below(3);
            const end = rng.below(3);
            void redis.send('LTRIM', key, start, -1 - end);
            lp = m.raw.lpDeleteRange!(lp, 0, start);
            const left = m.raw.lpLength!(lp);
            lp = m.raw.lpDeleteRange!(lp, -Math.min(end, left), end);
          }
        }
      }
      if (m.raw.lpLength!(lp)) {
        const dump = await redis.dump(key);
        const nodes = rdbLen(dump, 1);
        expect(nodes.value).toBe(1);
        const kind = rdbLen(dump, nodes.end);
        expect(checkString(dump, kind.end).text.equals(m.lp(lp))).toBe(true);
      }
      m.raw.lpFree!(lp);
    }
    await redis.send('CONFIG', 'SET', 'list-max-listpack-size', -2);
  }, 60_000);

  it('does the operations of a hash', async () => {
    const rng = new Rng(41);
    for (let n = 0; n < 40; n++) {
      const key = `h${n}`;
      const fields = Array.from({ length: 40 }, () => element(rng));
      let lp = m.raw.lpNew!(0);
      for (let op = 0; op < 200; op++) {
        const f = rng.pick(fields);
        const p = m.raw.lpFind!(lp, m.raw.lpFirst!(lp), m.input(f), f.length, 1);
        if (rng.below(3)) {
          const v = element(rng, true);
          void redis.send('HSET', key, f, v);
          if (p) {
            lp = m.raw.lpReplace!(lp, m.raw.lpNext!(lp, p), m.input(v), v.length);
          } else {
            lp = m.raw.lpAppend!(lp, m.input(f), f.length);
            lp = m.raw.lpAppend!(lp, m.input(v), v.length);
          }
        } else {
          void redis.send('HDEL', key, f);
          if (p) lp = m.raw.lpDeleteRangeAt!(lp, p, 2);
        }
      }
      const dump = await redis.dump(key);
      expect(dump[0]).toBe(16);
      expect(checkString(dump, 1).text.equals(m.lp(lp))).toBe(true);
      expect(m.raw.lpCheckUnique!(lp, 2)).toBe(1);
      m.raw.lpFree!(lp);
    }
  }, 60_000);

  it('does the operations of a sorted set', async () => {
    const rng = new Rng(51);
    for (let n = 0; n < 30; n++) {
      const key = `z${n}`;
      const members = Array.from({ length: 60 }, () => element(rng));
      let lp = m.raw.lpNew!(0);
      for (let op = 0; op < 150; op++) {
        const name = rng.pick(members);
        const p = m.raw.lpFind!(lp, m.raw.lpFirst!(lp), m.input(name), name.length, 1);
        if (p) lp = m.raw.lpDeleteRangeAt!(lp, p, 2);
        if (!rng.below(3)) {
          void redis.send('ZREM', key, name);
          continue;
        }
        const score = rng.below(20) - 10;
        void redis.send('ZADD', key, score, name);
        let at = m.raw.lpFirst!(lp);
        for (; at; at = m.raw.lpSkip!(lp, at, 2)) {
          m.raw.lpGetInt!(m.raw.lpNext!(lp, at));
          const other = Number(m.globalBig('lpValInt'));
          if (other > score || (other === score && Buffer.compare(m.text(at), name) > 0)) break;
        }
        if (at) {
          lp = m.raw.lpInsertBefore!(lp, at, m.input(name), name.length);
          const text = Buffer.from(String(score));
          lp = m.raw.lpInsertAfter!(lp, m.global('lpAt'), m.input(text), text.length);
        } else {
          lp = m.raw.lpAppend!(lp, m.input(name), name.length);
          lp = m.raw.lpAppendInt!(lp, BigInt(score));
        }
      }
      const dump = await redis.dump(key);
      expect(dump[0]).toBe(17);
      expect(checkString(dump, 1).text.equals(m.lp(lp))).toBe(true);
      m.raw.lpFree!(lp);
    }
  }, 60_000);

  it('does the operations of an intset', async () => {
    const rng = new Rng(61);
    for (let n = 0; n < 40; n++) {
      const key = `s${n}`;
      const range = rng.pick([100, 30_000, 40_000, 2 ** 31, 2 ** 40]);
      let is = m.raw.intsetNew!();
      for (let op = 0; op < 150; op++) {
        let v = BigInt(rng.below(range) - Math.floor(range / 2));
        if (!rng.below(50)) v = rng.pick([32767n, 32768n, -32769n, 2147483648n, -(2n ** 63n)]);
        if (rng.below(3)) {
          void redis.send('SADD', key, v);
          is = m.raw.intsetAdd!(is, v);
        } else if (m.raw.intsetLen!(is) > 1) {
          void redis.send('SREM', key, v);
          is = m.raw.intsetRemove!(is, v);
        }
      }
      const dump = await redis.dump(key);
      expect(dump[0]).toBe(11);
      const ours = m.read(is, m.raw.intsetBytes!(is));
      expect(checkString(dump, 1).text.equals(ours)).toBe(true);
      expect(m.raw.intsetValidate!(is, ours.length)).toBe(1);
      m.raw.intsetFree!(is);
    }
  }, 60_000);

  it('writes the same backlen around each width', async () => {
    const rng = new Rng(71);
    await redis.send('CONFIG', 'SET', 'rdbcompression', 'no');
    const edges = [63, 64, 123, 124, 125, 126, 127, 4093, 4094, 4095, 4096, 16376, 16377, 16378];
    for (const len of [...edges, 16379, 16380, 2097144, 2097145, 2097146, 2097147, 2097148]) {
      const v = rng.bytes(len);
      await redis.send('DEL', 'b');
      await redis.send('HSET', 'b', 'field', v, 'next', 'x');
      let lp = m.raw.lpNew!(0);
      for (const e of [Buffer.from('field'), v, Buffer.from('next'), Buffer.from('x')]) {
        lp = m.raw.lpAppend!(lp, m.input(e), e.length);
      }
      const dump = await redis.dump('b');
      expect(dump[0]).toBe(16);
      if (!rdbString(dump, 1).bytes.equals(m.lp(lp))) throw new Error(`length ${len}`);
      expect(m.raw.lpValidate!(lp, m.raw.lpBytes!(lp))).toBe(1);
      expect(m.list(lp)[1]!.equals(v)).toBe(true);
      let p = m.raw.lpLast!(lp);
      for (let k = 0; k < 3; k++) p = m.raw.lpPrev!(lp, p);
      expect(p - lp).toBe(6);
      m.raw.lpFree!(lp);
    }
    await redis.send('CONFIG', 'SET', 'rdbcompression', 'yes');
  }, 60_000);

  it('keeps the count as the server does beyond 65535 entries', async () => {
    let lp = m.raw.lpNew!(0);
    for (let i = 0; i < 70_000; i++) lp = m.raw.lpAppendInt!(lp, BigInt(i));
    const bytes = m.lp(lp);
    expect(bytes.readUInt16LE(4)).toBe(65535);
    const head = Buffer.alloc(6);
    head[0] = 16;
    head[1] = 0x80;
    head.writeUInt32BE(bytes.length, 2);
    await redis.send('RESTORE', 'big', 0, dumpPayload(Buffer.concat([head, bytes])));
    const same = async () => {
      const dump = await redis.dump('big');
      expect(checkString(dump, 1).text.equals(m.lp(lp))).toBe(true);
    };
    const drop = (from: number, to: number) => {
      const names: number[] = [];
      for (let i = from; i < to; i += 2) names.push(i);
      for (const name of names) {
        const text = Buffer.from(String(name));
        const p = m.raw.lpFind!(lp, m.raw.lpFirst!(lp), m.input(text), text.length, 1);
        lp = m.raw.lpDeleteRangeAt!(lp, p, 2);
        // Redis: HDEL asks whether the hash is empty, and the walk writes a count that fits back.
        m.raw.lpLength!(lp);
      }
      return redis.send('HDEL', 'big', ...names);
    };
    await same();
    await drop(0, 200);
    await same();
    await drop(200, 6000);
    await same();
    expect(await redis.send('HLEN', 'big')).toBe(m.raw.lpLength!(lp) / 2);
    await same();
    expect(m.lp(lp).readUInt16LE(4)).toBe(64_000);
    m.raw.lpFree!(lp);
  }, 60_000);

  it('is leaving nothing behind', () => {
    expect(m.raw.testBroken!()).toBe(0);
    expect(m.raw.testLive!()).toBe(1); // the input buffer
  });
});
