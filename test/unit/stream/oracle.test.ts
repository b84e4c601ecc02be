// The same operations on redis-server and here: DUMP bodies and raw replies must be the same.

import { expect, test } from 'vitest';
import { Rng } from '../encoding/support/module.js';
import { RedisOracle } from '../encoding/support/redis.js';
import { type Id, readBody } from './support/body.js';
import { StreamModule } from './support/module.js';
import { wireOf, wireOracle } from './support/wire.js';

const NAMES = ['a', 'b', 'aa', 'consumer-with-a-long-name', '7', '\xff\x01'];
const name = (rng: Rng): Buffer => Buffer.from(rng.pick(NAMES), 'latin1');
const text = (id: Id): string => `${id[0]}-${id[1]}`;

/** One random history on both sides; `s` is ours. */
async function history(
  m: StreamModule,
  redis: RedisOracle,
  rng: Rng,
  steps: number,
): Promise<number> {
  const { raw } = m;
  const s = raw.streamNew();
  await redis.send('DEL', 's');
  await redis.send('XGROUP', 'CREATE', 's', 'keep', '0', 'MKSTREAM');
  m.named('streamGroupCreate', s, Buffer.from('keep'), 0n, 0n);
  raw.groupSetEntriesRead(m.named('streamGroup', s, Buffer.from('keep')), -1n);
  let last: Id = [1n, 1n];
  const ids: Id[] = [];
  const anyId = (): Id => (ids.length ? rng.pick(ids.slice(-400)) : [5n, 5n]);
  for (let step = 0; step < steps; step++) {
    const kind = rng.below(100);
    if (kind < 55) {
      const jump = rng.below(4);
      if (jump === 0) last = [last[0] + BigInt(rng.below(3000)) + 1n, BigInt(rng.below(5))];
      else last = [last[0], last[1] + 1n + BigInt(rng.below(200))];
      const fields = rng.below(20) ? ['f', 'g'] : ['x', 'f', '12'].slice(0, 1 + rng.below(3));
      const size = rng.below(50) ? 12 : 1500;
      const texts = fields.flatMap((f) => [
        Buffer.from(f),
        rng.below(2) ? Buffer.from(String(rng.u32())) : rng.bytes(rng.below(size)),
      ]);
      expect(m.append(s, last, texts)).toBe(0);
      await redis.send('XADD', 's', text(last), ...texts);
      ids.push(last);
    } else if (kind < 68) {
      const id = anyId();
      const n = await redis.send('XDEL', 's', text(id));
      expect(raw.streamDelete(s, ...id)).toBe(n === 1 ? 0 : -3);
    } else if (kind < 71) {
      const length = Number(raw.streamLength(s));
      const max = length - rng.below(rng.below(8) ? 30 : 300);
      const approx = rng.below(2);
      const limit = approx ? rng.below(3) * 110 : 0;
      const args = approx ? ['~', max, 'LIMIT', limit] : [max];
      if (max >= 0) {
        const n = await redis.send('XTRIM', 's', 'MAXLEN', ...args);
        expect(raw.streamTrimLength(s, BigInt(max), approx, BigInt(limit))).toBe(0);
        expect(Number(raw.streamTrimmed.value)).toBe(n);
      }
    } else if (kind < 73) {
      const id = ids[Math.max(0, ids.length - 1 - rng.below(300))] ?? [1n, 1n];
      const approx = rng.below(2);
      const n = await redis.send('XTRIM', 's', 'MINID', approx ? '~' : '=', text(id));
      expect(raw.streamTrimId(s, ...id, approx, approx ? 10000n : 0n)).toBe(0);
      expect(Number(raw.streamTrimmed.value)).toBe(n);
    } else {
      await groupStep(m, redis, rng, s, anyId());
    }
  }
  return s;
}

async function groupStep(m: StreamModule, redis: RedisOracle, rng: Rng, s: number, id: Id) {
  const { raw } = m;
  const groupName = rng.below(3) ? Buffer.from('keep') : name(rng);
  const group = m.named('streamGroup', s, groupName);
  const kind = rng.below(30);
  if (group === 0) {
    await redis.send('XGROUP', 'CREATE', 's', groupName, text(id));
    expect(m.named('streamGroupCreate', s, groupName, ...id)).not.toBe(0);
    return;
  }
  const who = name(rng);
  const consumer = (): number =>
    m.named('groupConsumer', group, who) || m.named('groupConsumerCreate', group, who, 0n);
  if (kind < 14) {
    const count = 1 + rng.below(12);
    const noack = rng.below(5) ? [] : ['NOACK'];
    const got = (await redis.send(
      'XREADGROUP',
      'GROUP',
      groupName,
      who,
      'COUNT',
      count,
      ...noack,
      'STREAMS',
      's',
      '>',
    )) as unknown[][] | null;
    const it = raw.alloc(64);
    const [ms, seq] = [raw.groupLastMs(group), raw.groupLastSeq(group)];
    raw.iterBegin(it, s, false, ms, seq + 1n);
    let n = 0;
    while (n < count && raw.iterNext(it)) {
      const entry: Id = [raw.entryMs.value, raw.entrySeq.value];
      raw.groupAdvance(s, group, ...entry);
      const c = consumer();
      if (!noack.length) expect(raw.groupDeliver(group, c, ...entry, 0n)).toBe(0);
      n++;
    }
    raw.free(it);
    expect(n).toBe(got?.length ? (got[0]![1] as unknown[]).length : 0);
  } else if (kind < 20) {
    const n = await redis.send('XACK', 's', groupName, text(id));
    expect(!!raw.groupPendingRemove(group, ...id)).toBe(n === 1);
  } else if (kind < 25) {
    const exists = raw.streamHas(s, ...id);
    await redis.send('XCLAIM', 's', groupName, who, 0, text(id), 'JUSTID');
    const pending = raw.groupPendingFind(group, ...id);
    if (pending && exists) raw.groupPendingAssign(pending, consumer(), ...id);
    else if (pending) raw.groupPendingRemove(group, ...id);
  } else if (kind < 26) {
    const n = await redis.send('XGROUP', 'DELCONSUMER', 's', groupName, who);
    const c = m.named('groupConsumer', group, who);
    expect(c ? raw.groupConsumerDelete(group, c) : 0).toBe(n);
  } else if (kind < 28) {
    await redis.send('XGROUP', 'SETID', 's', groupName, text(id));
    raw.groupSetLast(group, ...id);
    raw.groupSetEntriesRead(group, -1n);
  } else if (kind < 29 && groupName.toString() !== 'keep') {
    await redis.send('XGROUP', 'DESTROY', 's', groupName);
    raw.streamGroupDestroy(s, group);
  }
}

/** Copies the times redis has, which ours cannot know. */
function takeTimes(m: StreamModule, s: number, dump: Buffer): void {
  for (const g of readBody(dump).groups) {
    const group = m.named('streamGroup', s, g.name);
    for (const p of g.pending) {
      const record = m.raw.groupPendingFind(group, ...p.id);
      expect(record).not.toBe(0);
      m.raw.pendingSetTimeMs(record, p.time);
    }
    for (const c of g.consumers) {
      m.raw.consumerSetSeenMs(m.named('groupConsumer', group, c.name), c.seen);
    }
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
  'the same history gives the same DUMP, seed %i',
  async (seed) => {
    const redis = await RedisOracle.start();
    const m = new StreamModule();
    try {
      const rng = new Rng(seed * 77);
      const used = m.used;
      const s = await history(m, redis, rng, 1500);
      const dump = await redis.dump('s');
      takeTimes(m, s, dump);
      const ours = m.save(s);
      expect(readBody(ours)).toEqual(readBody(dump));
      expect(ours.equals(dump)).toBe(true);
      // Loading what redis has, copying it, and writing both.
      const loaded = m.load(readBody(dump));
      expect(loaded).toBeGreaterThan(0);
      expect(m.save(loaded).equals(dump)).toBe(true);
      const copy = m.raw.streamDup(loaded);
      expect(m.save(copy).equals(dump)).toBe(true);
      expect(m.raw.streamNodeBytes(copy)).toBe(m.raw.streamNodeBytes(s));
      await compareReplies(m, redis, s, rng);
      m.raw.streamFree(s);
      while (!m.raw.streamFreeStep(loaded, 7));
      m.raw.streamFree(copy);
      expect(used).toBeGreaterThan(0);
    } finally {
      redis.stop();
    }
  },
  60000,
);

/** The reading commands on both, raw bytes compared. */
async function compareReplies(m: StreamModule, redis: RedisOracle, s: number, rng: Rng) {
  const [key] = m.put(Buffer.from('s'));
  expect(m.raw.keyPut(key, 1, s)).toBeTruthy();
  for (const protocol of [2, 3]) {
    const theirs = await wireOracle(redis, protocol);
    const ours = wireOf(m, protocol);
    for (const command of commands(m, s, rng)) {
      const want = await theirs.send(command);
      // Idle times move; the clock of the core stands where redis answered.
      const got = ours.send(command);
      const mask = (b: Buffer): string =>
        b
          .toString('latin1')
          .replace(/(\$4\r\nidle\r\n):\d+/g, '$1:IDLE')
          .replace(/:\d+(\r\n:\d+\r\n)/g, command[0] === 'XPENDING' ? ':IDLE$1' : '$&');
      expect(mask(got), command.join(' ')).toBe(mask(want));
    }
    theirs.close();
  }
  expect(m.raw.keyTake(m.put(Buffer.from('s'))[0], 1) >>> 0).toBe(s >>> 0);
}

function commands(m: StreamModule, s: number, rng: Rng): string[][] {
  const last = m.raw.streamLastMs(s) as bigint;
  const some = (): string =>
    rng.pick([
      '-',
      '+',
      '0',
      '5',
      '(5',
      '5-9',
      '(5-9',
      `${last}`,
      `(${last}`,
      `${last / 2n}`,
      '(-',
      'x',
      '1-2-3',
      '18446744073709551615',
      '(18446744073709551615',
      '(0-0',
      '18446744073709551616',
      '',
    ]);
  const out: string[][] = [
    ['XLEN', 's'],
    ['XLEN', 'none'],
    ['XINFO', 'HELP'],
    ['XINFO', 'STREAM', 's'],
    ['XINFO', 'STREAM', 's', 'FULL'],
    ['XINFO', 'STREAM', 's', 'FULL', 'COUNT', '0'],
    ['XINFO', 'STREAM', 's', 'full', 'count', '3'],
    ['XINFO', 'STREAM', 's', 'FULL', 'COUNT'],
    ['XINFO', 'STREAM', 's', 'FULL', 'COUNT', '-4'],
    ['XINFO', 'STREAM', 's', 'FULL', 'COUNT', 'x'],
    ['XINFO', 'STREAM', 's', 'FOO'],
    ['XINFO', 'STREAM', 'none'],
    ['XINFO', 'GROUPS', 's'],
    ['XINFO', 'GROUPS', 'none'],
    ['XINFO', 'CONSUMERS', 's', 'keep'],
    ['XINFO', 'CONSUMERS', 's', 'no'],
    ['XINFO', 'CONSUMERS', 'none', 'no'],
    ['XPENDING', 's', 'keep'],
    ['XPENDING', 's', 'no'],
    ['XPENDING', 'none', 'no'],
    ['XPENDING', 's', 'keep', '-', '+'],
    ['XPENDING', 's', 'keep', 'IDLE', 'x', '-', '+', '3'],
    ['XPENDING', 's', 'keep', 'IDLE', '0', '-', '+'],
    ['XPENDING', 's', 'keep', '-', '+', 'x'],
    ['XPENDING', 's', 'keep', 'IDLE', '9999999', '-', '+', '3'],
    ['XPENDING', 's', 'keep', 'IDLE', '0', '-', '+', '3', 'a'],
    ['XPENDING', 's', 'keep', '-', '+', '1000', 'nobody'],
    ['XPENDING', 's', 'keep', '-', '+', '-1'],
    ['XRANGE', 's', '-', '+', 'COUNT'],
    ['XRANGE', 's', '-', '+', 'COUNT', 'x'],
    ['XRANGE', 's', '-', '+', 'COUNT', '0'],
    ['XRANGE', 's', '-', '+', 'COUNT', '-3'],
    ['XRANGE', 'none', '-', '+', 'COUNT', '0'],
    ['XRANGE', 's', '-', '+', 'COUNT', '3', 'COUNT', '5'],
    ['XREVRANGE', 's', '+', '-', 'COUNT', '7'],
    ['XRANGE', 's', '-', '+', 'FOO', '5'],
  ];
  for (let i = 0; i < 40; i++) {
    out.push([rng.pick(['XRANGE', 'XREVRANGE']), 's', some(), some()]);
    out.push(['XPENDING', 's', 'keep', some(), some(), String(rng.below(20)), rng.pick(NAMES)]);
    out.push(['XPENDING', 's', 'keep', some(), some(), String(rng.below(20))]);
  }
  return out;
}
