// The stream of effects: line by line beside what real masters sent for the same commands, and as
// a whole, because a real redis-server that is fed nothing but our effects must hold our data.

import { afterAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../support/bytes.js';
import { compareKeyspaces, stopJudge } from '../support/keyspace.js';
import { Prng, runSeed } from '../support/prng.js';
import { available, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';
import { parseCommands } from '../unit/commands/support/core-client.js';
import {
  comparable,
  effectsText,
  encodeLine,
  followedHost,
  MemoryConnection,
  recordings,
  takeEffects,
} from './effects.js';
import { drawCommands, ERRNO_RESET } from './makers/index.js';
import { waitsFor } from './waiting.js';

/** Lines of what later issues bring: eviction, replicas of ours. */
const LATER = /^(config|set willevict|wait)/;

/** A script that the recordings have cut short. */
const CUT = 'redis.replicate_commands(); redis.set_repl(redis.REPL_NONE); redis....';
const WHOLE =
  "redis.replicate_commands(); redis.set_repl(redis.REPL_NONE); redis.call('set','q','1'); " +
  "redis.set_repl(redis.REPL_ALL); redis.call('set','r','1'); return redis.call('time')";

/** The words of a recorded line, where blanks alone do not separate them. */
function encodeRecorded(command: string, effects: string): Buffer {
  const script = /^eval (.*) (\d+)((?: \S+)*)$/.exec(command);
  if (script !== null) {
    const [, text = '', count = '', keys = ''] = script;
    const code = text === CUT ? WHOLE : text;
    return encodeCommand(['eval', code, count, ...keys.split(' ').slice(1)]);
  }
  if (command.startsWith('script load ')) {
    return encodeCommand(['script', 'load', command.slice('script load '.length)]);
  }
  // Only the second line of a library is there, cut short; it is whole in what was sent on.
  if (!command.startsWith('redis.')) return encodeLine(command);
  const code = effects.slice('function load '.length).replaceAll('\\n', '\n');
  return encodeCommand(['function', 'load', code]);
}

/** Equal; of members drawn at random only the number counts. */
function isSame(command: string, theirs: string, ours: string): boolean {
  if (theirs === ours) return true;
  const words = [theirs.split(' '), ours.split(' ')] as const;
  return (
    command.startsWith('spop') &&
    words[0].length === words[1].length &&
    words[0].every((word, i) => word === words[1][i] || word.length === 1)
  );
}

describe('beside recordings of real masters', () => {
  const recorded = recordings();
  const first = recorded[0];

  test.skipIf(first === undefined)('every line is as one of them sent it', async () => {
    const host = followedHost();
    const client = host.open();
    const wrong: string[] = [];
    for (const [i, { command, effects, isBlocking }] of first!.lines.entries()) {
      if (LATER.test(command) || waitsFor(command.split(' ').map(Buffer.from)) !== undefined)
        continue;
      if (isBlocking) {
        await host.open().send(encodeLine(command));
        continue;
      }
      host.nowMs += 30;
      await client.ask(encodeRecorded(command, effects));
      const got = comparable(effectsText(takeEffects(host)).replaceAll('\n', '\\n'));
      if (/^set e1 /.test(command)) host.cron(1000);
      const known = recorded.map(({ lines }) => comparable(lines[i]?.effects ?? ''));
      if (!known.some((one) => isSame(command, one, got))) {
        wrong.push(`${command}\n    ours: ${got}\n    theirs: ${known.join('\n            ')}`);
      }
      takeEffects(host);
    }
    if (wrong.length > 0) expect.fail(`${wrong.length} lines\n${wrong.join('\n')}`);
  });
});

const OPS = Number(process.env.RESPITE_OPS ?? 10_000);
const seed = runSeed();
const missing = [available('redis'), available('respite')].find(({ ok }) => !ok);

/** What random runs are made of, as bytes to be told apart from their effects. */
function randomCommands(seed: number): (string | Buffer)[][] {
  return [...drawCommands(new Prng(seed), OPS), ['DISCARD']];
}

describe(`random commands, seed ${seed}`, () => {
  const servers: Server[] = [];
  afterAll(async () => {
    await stopJudge();
    for (const server of servers) await server.stop();
  });

  test.skipIf(missing)('a redis-server fed our effects holds our data', async () => {
    const host = followedHost({ directives: { 'set-max-listpack-entries': 0 } });
    host.nowMs = Date.now();
    const client = host.open();
    const effects: Buffer[] = [];
    for (const command of randomCommands(seed)) {
      await client.ask(encodeCommand(command));
      effects.push(takeEffects(host));
    }
    const follower = await startServer('redis');
    servers.push(follower);
    const connection = await follower.connect();
    const wrong: string[] = [];
    for (const [i, bytes] of effects.entries()) {
      const own = parseCommands(bytes);
      if (own.length === 0) continue;
      const [, ...replies] = await connection.pipeline([ERRNO_RESET, ...own]);
      const bad = replies.find((reply) => reply[0] === 45);
      if (bad) wrong.push(`${effectsText(bytes)} was answered ${bad} (command ${i})`);
    }
    expect(wrong).toEqual([]);
    // expiries are compared as time left
    host.nowMs = Date.now();
    const mine = new MemoryConnection(host);
    const why = await compareKeyspaces(mine, connection, {
      databases: 3,
      // Redis: SORT gives a sorted set another encoding, and tells nobody.
      encodings: false,
      streams: 'followed',
      // the host's clock stands still while keys are compared
      ttlToleranceMs: 60_000,
    });
    expect(why).toEqual([]);
    connection.close();
  });

  test.skipIf(missing)('a replica of a redis-server holds its data', async () => {
    const master = await startServer('redis', { directives: { 'repl-diskless-sync-delay': 0 } });
    servers.push(master);
    const replica = await startServer('respite', {
      directives: { replicaof: ['127.0.0.1', master.port] },
    });
    servers.push(replica);
    const [there, here] = [await master.connect(), await replica.connect()];
    const online = async () => /master_link_status:up/.test(String(await here.call('INFO')));
    await waitFor(online, { what: 'the link' });
    const commands = randomCommands(seed + 1);
    for (let at = 0; at < commands.length; at += 50)
      await there.pipeline(commands.slice(at, at + 50));
    await there.pipeline([
      ['SELECT', '0'],
      ['SET', 'last', String(seed)],
    ]);
    const done = async () => (await here.call('GET', 'last')) === String(seed);
    await waitFor(done, { what: 'the last command', timeoutMs: 30_000 });
    expect(
      await compareKeyspaces(there, here, {
        databases: 3,
        encodings: false,
        streams: 'followed-7.0',
      }),
    ).toEqual([]);
    there.close();
    here.close();
  });
});
