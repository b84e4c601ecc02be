// The harness itself: a redis-server beside another one shows no difference on any line (so the
// lines are deterministic), and planted differences are found (so the comparison is not blind).

import net from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stopJudge } from '../support/keyspace.js';
import { available, type Server, startServer } from '../support/servers.js';
import { lineFiles } from './files.js';
import { parseLines } from './lines.js';
import { summary } from './report.js';
import { Runner } from './runner.js';

const redis = available('redis');
const files = lineFiles();

describe.skipIf(!redis.ok)(`the harness${redis.ok ? '' : `: ${redis.why}`}`, () => {
  let a: Server;
  let b: Server;

  beforeAll(async () => {
    a = await startServer('redis');
    b = await startServer('redis');
  });

  afterAll(async () => {
    await stopJudge();
    await a?.stop();
    await b?.stop();
  });

  test('there are at least 1500 lines', () => {
    const count = files.reduce((sum, { lineCount }) => sum + lineCount, 0);
    const cases = files.reduce((sum, { steps }) => sum + steps.length, 0);
    console.log(`${count} lines, ${cases} steps in ${files.length} files`);
    expect(count).toBeGreaterThanOrEqual(1500);
  });

  describe.each(['one by one', 'pipelined'])('redis beside redis, %s', (mode) => {
    test.each(files)('$file', async ({ file, steps }) => {
      const { differences } = await new Runner(a, b, { pipelined: mode === 'pipelined' }).run(
        steps,
      );
      if (differences.length > 0) expect.fail(summary(file, differences));
    });
  });

  test('canary: one changed reply byte is found, with its line', async () => {
    const proxy = await meddler(b.port, ':3\r\n', ':4\r\n');
    const subject = { port: proxy.port, kind: 'redis' as const };
    const { differences } = await new Runner(a, subject).run(
      parseLines('SET k abc\n# comment\nSTRLEN k\nGET k'),
    );
    proxy.server.close();
    expect(differences.map(({ line, text }) => [line, text])).toEqual([[3, 'STRLEN k']]);
  });

  test('canary: a silent write is found when keyspaces are compared', async () => {
    const proxy = await meddler(b.port, '$1\r\n2\r\n', '$1\r\n3\r\n', 'request');
    const subject = { port: proxy.port, kind: 'redis' as const };
    const { differences } = await new Runner(a, subject).run(parseLines('SET k 1\nSET k 2'));
    proxy.server.close();
    expect(differences.length).toBe(1);
    expect(differences[0]!.oracle).toContain('db0 "k": DUMP');
  });

  test('canary: a missing reply is found and ends by itself', async () => {
    const proxy = await meddler(b.port, ':3\r\n', '');
    const subject = { port: proxy.port, kind: 'redis' as const };
    const runner = new Runner(a, subject, { timeoutMs: 100 });
    const { differences } = await runner.run(parseLines('SET k abc\nSTRLEN k\nGET k'));
    proxy.server.close();
    expect(differences.map(({ line }) => line)).toEqual([2]);
    expect(differences[0]!.subject).toContain('no whole reply');
  });
});

/** A proxy that replaces text in what passes through it. */
async function meddler(
  port: number,
  from: string,
  to: string,
  where: 'request' | 'reply' = 'reply',
): Promise<{ port: number; server: net.Server }> {
  const server = net.createServer((client) => {
    const upstream = net.connect(port, '127.0.0.1');
    const change = (chunk: Buffer) =>
      Buffer.from(chunk.toString('latin1').replaceAll(from, to), 'latin1');
    client.on('data', (chunk) => upstream.write(where === 'request' ? change(chunk) : chunk));
    upstream.on('data', (chunk) => client.write(where === 'reply' ? change(chunk) : chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as net.AddressInfo).port, server };
}
