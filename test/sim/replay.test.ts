// Determinism: a random session is recorded, and its log replayed into fresh cores, of both builds
// and both ways of having memory, gives the same replies, byte for byte, and the same statistics.

import { describe, expect, test } from 'vitest';
import type { Core } from '../../host/core/core.js';
import { RecordedCore, replayLog } from '../../host/core/record.js';
import { type CoreStatistics, readStatistics } from '../../host/core/statistics.js';
import { randomCommands } from '../fuzz/commands.js';
import { encodeCommand } from '../support/bytes.js';
import { Prng, runSeed } from '../support/prng.js';
import { type Build, coreModule, type MemoryClient, MemoryHost } from './memory-host.js';

const COMMANDS = 6000;

interface Session {
  log: Uint8Array;
  replies: Map<number, Buffer>;
  statistics: Omit<CoreStatistics, 'memoryBytes'>;
  inputBytes: number;
}

/** Pages of memory are the platform's affair; all else must be the same. */
function comparable(core: Core): Omit<CoreStatistics, 'memoryBytes'> {
  const { memoryBytes: _, ...rest } = readStatistics(core);
  return rest;
}

async function record(seed: number, build: Build): Promise<Session> {
  const random = new Prng(seed);
  const host = new MemoryHost({
    seed,
    build,
    make: (module, imports, options) => new RecordedCore(module, imports, options),
  });
  const replies = new Map<number, Buffer[]>();
  let clients: MemoryClient[] = [];
  let inputBytes = 0;
  const keep = (client: MemoryClient) => {
    const list = replies.get(client.handle) ?? [];
    list.push(client.take());
    replies.set(client.handle, list);
  };
  for (let made = 0; made < COMMANDS; ) {
    if (clients.length < 4 || random.once(40)) clients.push(host.open());
    const client = random.pick(clients);
    const batch = randomCommands(random, random.range(1, 20));
    made += batch.length;
    const bytes = Buffer.concat(batch.map(encodeCommand));
    inputBytes += bytes.length;
    const cut = random.below(bytes.length);
    await client.send(bytes.subarray(0, cut));
    host.nowMs += random.below(50);
    await client.send(bytes.subarray(cut));
    keep(client);
    if (random.once(5)) host.cron(random.below(3000));
    if (client.isClosing || clients.length > 12) client.close();
    clients = clients.filter((one) => one !== client || !client.isClosing);
  }
  return {
    log: (host.core as RecordedCore).log,
    replies: new Map([...replies].map(([handle, list]) => [handle, Buffer.concat(list)])),
    statistics: comparable(host.core),
    inputBytes,
  };
}

function replay(session: Session, build: Build, reserve: boolean): void {
  const replies = new Map<number, Buffer[]>();
  const core = replayLog(coreModule(build), session.log, {
    memory: { memoryBytesMax: 64 << 20, reserve },
    onReply: (handle, bytes) => {
      const list = replies.get(handle) ?? [];
      list.push(Buffer.from(bytes));
      replies.set(handle, list);
    },
  });
  for (const [handle, bytes] of session.replies) {
    expect(Buffer.concat(replies.get(handle) ?? []).equals(bytes)).toBe(true);
  }
  expect(comparable(core)).toEqual(session.statistics);
}

const seed = runSeed();

describe(`an input log (RESPITE_SEED=${seed})`, () => {
  test('replays to the same bytes, in both builds, with memory reserved or growing', async () => {
    const session = await record(seed, 'core');
    expect(session.log.length).toBeGreaterThan(COMMANDS * 20);
    replay(session, 'core', true);
    replay(session, 'core', false);
    replay(session, 'core-scalar', true);
    // Compact: the bytes that came in, the host's own replies, and little more.
    expect(session.log.length / session.inputBytes).toBeLessThan(3);
  });

  test('says where a replay differs', async () => {
    const session = await record(seed, 'core-scalar');
    // The first request of the log: its first argument no longer begins with a dollar sign.
    const text = Buffer.from(session.log).toString('latin1');
    const request = /\*[1-9]\d*\r\n\$\d+\r\n/.exec(text)!;
    const at = request.index + request[0].indexOf('$');
    const log = session.log.slice();
    log[at] = 37;
    expect(() => replayLog(coreModule(), log)).toThrow(/replay stopped at byte \d+ of the log/);
    expect(() => replayLog(coreModule(), log.subarray(0, at))).toThrow(/the log ends early/);
    expect(() => replayLog(coreModule(), log.subarray(3))).toThrow(/no input log/);
  });
});
