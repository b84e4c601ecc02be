// Raw bytes on the wire: protocol-cases.ts sent to a real redis-server and to the subject
// (redis itself, which proves the cases, and respite). All bytes and the closing are compared.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { show } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { available, type Server, startServer } from '../support/servers.js';
import { PROTOCOL_CASES, type ProtocolCase, SPLIT_CASES } from './protocol-cases.js';

const QUIET_MS = 40;
const ENDS_MS = 2000;

interface Seen {
  bytes: Buffer;
  closed: boolean;
}

let numbers = 0;

/** The bytes with `####` replaced by the next number, four digits. */
function own(bytes: Buffer): Buffer {
  const number = String(numbers++ % 10_000).padStart(4, '0');
  return Buffer.from(bytes.toString('latin1').replaceAll('####', number), 'latin1');
}

async function whole({ bytes, setup, undo }: ProtocolCase, port: number): Promise<Seen> {
  const admin = await RawConnection.open(port);
  for (const args of setup ?? []) await admin.command(...args);
  const connection = await RawConnection.open(port);
  connection.send(own(bytes));
  const got = await connection.untilQuiet(QUIET_MS);
  const seen = { bytes: got, closed: connection.isClosed };
  connection.close();
  for (const args of undo ?? []) await admin.command(...args);
  admin.close();
  return seen;
}

/** Sends in pieces; reads until `wanted` came (or what is not wanted), or closed, or time is up. */
async function pieces(port: number, bytes: Buffer, cuts: number[], wanted: Seen): Promise<Seen> {
  const connection = await RawConnection.open(port);
  await connection.sendSplit(own(bytes), cuts, 1);
  const until = performance.now() + ENDS_MS;
  let got: Buffer = Buffer.alloc(0);
  while (performance.now() < until) {
    got = Buffer.concat([got, await connection.untilQuiet(2, 5)]);
    if (connection.isClosed || (!wanted.closed && got.length >= wanted.bytes.length)) break;
  }
  const seen = { bytes: got, closed: connection.isClosed };
  connection.close();
  return seen;
}

function describeSeen({ bytes, closed }: Seen): string {
  return `${show(bytes)}${closed ? ' (closed)' : ''}`;
}

describe.each(['redis', 'respite'] as const)('protocol, %s beside redis', (kind) => {
  const missing = [available('redis'), available(kind)].find(({ ok }) => !ok);
  const on = test.skipIf(missing !== undefined);
  let oracle: Server;
  let subject: Server;

  beforeAll(async () => {
    if (missing !== undefined) return;
    oracle = await startServer('redis');
    subject = await startServer(kind);
  });

  afterAll(async () => {
    await oracle?.stop();
    await subject?.stop();
  });

  on.each(PROTOCOL_CASES)('$name', async (one) => {
    const [a, b] = await Promise.all([whole(one, oracle.port), whole(one, subject.port)]);
    if (one.losesReplies) expect(b.closed).toBe(a.closed);
    else {
      expect(describeSeen(b)).toBe(describeSeen(a));
      expect(b.bytes.equals(a.bytes)).toBe(true);
    }
    expect(subject.exit, subject.output.slice(-1000)).toBeUndefined();
  });

  on.each(SPLIT_CASES)('split at every byte: $name', async ({ bytes, name }) => {
    const wanted = await whole({ bytes, name }, oracle.port);
    const everywhere = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
    const cutLists = [...everywhere.map((cut) => [cut]), everywhere];
    const GROUP = 16;
    for (let at = 0; at < cutLists.length; at += GROUP) {
      const group = cutLists.slice(at, at + GROUP);
      const all = await Promise.all(group.map((cuts) => pieces(subject.port, bytes, cuts, wanted)));
      for (const [i, seen] of all.entries()) {
        const where = `cut at ${group[i]!.length > 1 ? 'every byte' : group[i]![0]}`;
        expect(`${where}: ${describeSeen(seen)}`).toBe(`${where}: ${describeSeen(wanted)}`);
      }
    }
  });
});
