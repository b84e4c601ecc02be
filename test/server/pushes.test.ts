// What clients are sent unasked, over real sockets: slow readers, INFO, many receivers at once,
// replicas, and random scripts on several connections beside redis-server.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../support/bytes.js';
import type { RawConnection } from '../support/connection.js';
import { Prng } from '../support/prng.js';
import type { Plain } from '../support/resp.js';
import { compareScenario } from '../support/scenario.js';
import { available, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const SERVERS = ['redis', 'respite'] as const;
const why = SERVERS.map(available).find(({ ok }) => !ok)?.why ?? '';
const started = new Map<string, Server>();
const connections: RawConnection[] = [];

async function open(kind: (typeof SERVERS)[number]): Promise<RawConnection> {
  const connection = await started.get(kind)!.connect();
  connections.push(connection);
  return connection;
}

async function infoOf(connection: RawConnection, name: string): Promise<string | undefined> {
  const text = (await connection.call('INFO', 'everything')) as string;
  return new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1]?.trim();
}

beforeAll(async () => {
  if (why !== '') return;
  for (const kind of SERVERS) started.set(kind, await startServer(kind));
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});
afterAll(async () => {
  for (const server of started.values()) await server.stop();
});

describe.skipIf(why !== '')(`pushes over sockets${why && `: ${why}`}`, () => {
  test.each(SERVERS)('%s: a subscriber that does not read is closed', async (kind) => {
    const writer = await open(kind);
    await writer.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1000000 0 0');
    const slow = await open(kind);
    const quick = await open(kind);
    await slow.call('SUBSCRIBE', 'x');
    await quick.call('SUBSCRIBE', 'x');
    slow.socket.pause();
    const text = 'm'.repeat(20_000);
    const isAlone = async () => {
      const sent = await writer.pipeline(Array.from({ length: 50 }, () => ['PUBLISH', 'x', text]));
      for (let i = 0; i < sent.length; i++) await quick.reply();
      return sent.at(-1)!.toString() === ':1\r\n';
    };
    await waitFor(isAlone, { timeoutMs: 30_000, everyMs: 0, what: 'the slow one to be closed' });
    slow.socket.resume();
    expect(await slow.closes(10_000)).toBe(true);
    expect(quick.isClosed).toBe(false);
    await waitFor(() => started.get(kind)!.output.includes('overcoming of output buffer limits'));
    await writer.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
  });

  test.each(SERVERS)('%s: nor does a normal one get what is above its limit', async (kind) => {
    const other = await open(kind);
    await other.call('SET', 'large', 'v'.repeat(3_000_000));
    await other.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 1000000 0 0');
    const greedy = await open(kind);
    greedy.send(encodeCommand(['GET', 'large']));
    expect(await greedy.closes(10_000)).toBe(true);
    expect(greedy.bytesIn).toBe(0);
    expect(await (await open(kind)).call('STRLEN', 'large')).toBe(3_000_000);
    await other.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    expect(((await other.call('GET', 'large')) as string).length).toBe(3_000_000);
  });

  test('INFO and CLIENT LIST tell of subscribers and trackers', async () => {
    const facts = async (kind: (typeof SERVERS)[number]) => {
      const [a, b, c] = [await open(kind), await open(kind), await open(kind)];
      await a.call('HELLO', 3);
      await a.pipeline([
        ['SUBSCRIBE', 'x'],
        ['PSUBSCRIBE', 'p*'],
        ['SSUBSCRIBE', 's'],
        ['CLIENT', 'TRACKING', 'ON'],
        ['GET', 'k1'],
        ['GET', 'k2'],
      ]);
      await b.call('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'p');
      const id = (await c.call('CLIENT', 'ID')) as number;
      await c.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id);
      await c.call('GET', 'k1');
      const names = ['pubsub_channels', 'pubsub_patterns', 'pubsubshard_channels'];
      names.push('tracking_clients', 'tracking_total_keys', 'tracking_total_items');
      names.push('tracking_total_prefixes');
      const out: (string | undefined)[] = [];
      for (const name of names) out.push(`${name} ${await infoOf(c, name)}`);
      const text = (await c.call('CLIENT', 'LIST')) as string;
      for (const line of text.trim().split('\n')) {
        const fields = line.match(/(?<= )(flags|sub|psub|ssub|redir)=\S+/g)!.join(' ');
        out.push(fields.replace(`redir=${id}`, 'redir=itself'));
      }
      return out.sort();
    };
    expect(await facts('respite')).toEqual(await facts('redis'));
  });

  test('a thousand receivers get all of many messages, in order', async () => {
    const writer = await open('respite');
    const receivers: RawConnection[] = [];
    for (let i = 0; i < 1000; i++) receivers.push(await open('respite'));
    for (const one of receivers) one.send(encodeCommand(['SUBSCRIBE', 'wide']));
    for (const one of receivers) await one.reply();
    const count = 20;
    const sent = await writer.pipeline(
      Array.from({ length: count }, (_, i) => ['PUBLISH', 'wide', i]),
    );
    expect(sent.map(String)).toEqual(Array.from({ length: count }, () => ':1000\r\n'));
    for (const one of receivers) {
      for (let i = 0; i < count; i++) {
        const text = String(i);
        expect((await one.reply())?.toString()).toBe(
          `*3\r\n$7\r\nmessage\r\n$4\r\nwide\r\n$${text.length}\r\n${text}\r\n`,
        );
      }
    }
  });

  test('listeners of a replica hear of its master, and of a full synchronisation', async () => {
    const master = started.get('redis')!;
    const replica = await startServer('respite', {
      directives: { replicaof: ['127.0.0.1', master.port], 'notify-keyspace-events': 'KEA' },
    });
    try {
      const [reader, listener] = [await replica.connect(), await replica.connect()];
      connections.push(reader, listener);
      const isUp = async () => (await infoOf(reader, 'master_link_status')) === 'up';
      await waitFor(isUp, { what: 'the link to be up' });
      const writer = await open('redis');
      const heard: Plain[] = [];
      await listener.call('SUBSCRIBE', 'news', '__keyevent@0__:set');
      await listener.reply();
      await reader.call('HELLO', 3);
      await reader.call('CLIENT', 'TRACKING', 'ON');
      await reader.call('GET', 'watched');
      await writer.call('PUBLISH', 'news', 'hello');
      await writer.call('SET', 'watched', '1');
      for (let i = 0; i < 2; i++) heard.push((await listener.reply())!.toString());
      expect(heard[0]).toContain('\r\nnews\r\n$5\r\nhello\r\n');
      expect(heard[1]).toContain('\r\n__keyevent@0__:set\r\n$7\r\nwatched\r\n');
      expect((await reader.reply())?.toString()).toBe(
        '>2\r\n$10\r\ninvalidate\r\n*1\r\n$7\r\nwatched\r\n',
      );
      await reader.call('GET', 'watched');
      // another history: everything is loaded again
      await writer.call('DEBUG', 'CHANGE-REPL-ID');
      await writer.call('CLIENT', 'KILL', 'TYPE', 'replica');
      expect((await reader.reply(30_000))?.toString()).toBe('>2\r\n$10\r\ninvalidate\r\n_\r\n');
    } finally {
      await replica.stop();
    }
  });
});

// ---- random scripts

const KEYS = ['a:1', 'a:2', 'b:1', 'k', 'l'];
const CHANNELS = ['x', 'xy', 'y', '__keyevent@0__:set', '__keyspace@0__:k'];
const PATTERNS = ['x*', '*', '?'];

/** A step of a random script; what it says is valid for a client in its state, or refused. */
function randomStep(r: Prng, peers: readonly string[]): string {
  const pick = (from: readonly string[]) => from[r.below(from.length)]!;
  const key = () => pick(KEYS);
  const commands: (() => string)[] = [
    () => `SUBSCRIBE ${pick(CHANNELS)} ${pick(CHANNELS)}`,
    () => `UNSUBSCRIBE ${pick(CHANNELS)}`,
    () => `PSUBSCRIBE ${pick(PATTERNS)}`,
    () => `PUNSUBSCRIBE ${pick(PATTERNS)}`,
    () => `SSUBSCRIBE ${pick(CHANNELS)}`,
    () => `SUNSUBSCRIBE ${pick(CHANNELS)}`,
    () => `PUBLISH ${pick(CHANNELS)} m${r.below(100)}`,
    () => `SPUBLISH ${pick(CHANNELS)} m${r.below(100)}`,
    () => `SET ${key()} ${r.below(100)}`,
    () => `DEL ${key()} ${key()}`,
    () => `MSET ${key()} 1 ${key()} 2`,
    () => `INCR ${key()}`,
    () => `GET ${key()}`,
    () => `GET ${key()}`,
    () => `STRLEN ${key()}`,
    () => `EXISTS ${key()} ${key()}`,
    () => `RENAME ${key()} ${key()}`,
    () => 'CLIENT TRACKING ON',
    () => 'CLIENT TRACKING ON NOLOOP',
    () => 'CLIENT TRACKING ON OPTIN',
    () => 'CLIENT TRACKING ON BCAST PREFIX a:',
    () => 'CLIENT TRACKING ON BCAST NOLOOP PREFIX b: PREFIX k',
    () => `CLIENT TRACKING ON REDIRECT %id(${pick(peers)})`,
    () => 'CLIENT TRACKING OFF',
    () => 'CLIENT TRACKING OFF',
    () => 'CLIENT TRACKINGINFO',
    () => 'CLIENT CACHING YES',
    () => 'CLIENT CACHING NO',
    () => `CLIENT CACHING YES; GET ${key()}`,
    () => `PUBSUB NUMSUB ${pick(CHANNELS)} ${pick(CHANNELS)}`,
    () => 'PUBSUB NUMPAT',
    () => 'RESET',
    () => 'HELLO 3 SETNAME n NOSUCH',
  ];
  return `~&${pick(peers)}: ${commands[r.below(commands.length)]!()}`;
}

function randomScript(seed: number): string {
  const r = new Prng(seed);
  const peers = ['p', 'q', 'r', 's', 't'];
  const lines = ['w: CONFIG SET notify-keyspace-events KEA', ...peers.map((one) => `${one}: PING`)];
  for (const peer of ['p', 'q', 'r']) lines.push(`@resp3 ${peer}`);
  for (let i = 0; i < 400; i++) {
    const step = randomStep(r, peers);
    lines.push(step);
    const [, who] = /&(\w)/.exec(step)!;
    if (step.endsWith('RESET') && 'pqr'.includes(who!)) lines.push(`@resp3 ${who}`);
  }
  return lines.join('\n');
}

describe.skipIf(why !== '')('random scripts as redis-server', () => {
  test.each([1, 2, 3, 4])('seed %i', async (seed) => {
    for (const kind of SERVERS) await (await open(kind)).call('FLUSHALL');
    const [oracle, subject] = SERVERS.map((kind) => started.get(kind)!.port);
    expect(await compareScenario(oracle!, subject!, randomScript(seed))).toBe('');
  });
});
