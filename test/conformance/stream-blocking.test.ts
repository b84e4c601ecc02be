// XREAD and XREADGROUP that wait, on redis-server and on respite: the same conversation of several
// clients, reply by reply. `1: cmd` asks on connection 1, `1~ cmd` is a command that must come to
// wait there, `1?` is the reply it was waiting for, `1= cmd` asks and
// does not compare, `1-` closes the connection.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand, show, splitArgs } from '../support/bytes.js';
import type { RawConnection } from '../support/connection.js';
import { compareKeyspaces, stopJudge } from '../support/keyspace.js';
import { available, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';
import { sameReply } from './masks.js';

const SCENARIOS: Record<string, string> = {
  'from now on, by an id, and from the beginning': `
    1: XADD s 1-1 f v
    1~ XREAD BLOCK 0 STREAMS s $
    2~ XREAD BLOCK 0 STREAMS s 1-1
    3~ XREAD BLOCK 0 STREAMS s 5-5
    4: XADD s 2-1 f w
    1?
    2?
    4: XADD s 5-6 f x
    3?
    1: XREAD BLOCK 0 STREAMS s 0
    1~ XREAD COUNT 1 BLOCK 0 STREAMS none $
    4: XADD none 7-7 f v
    1?`,
  'the reply holds the stream that got something, alone': `
    1~ XREAD BLOCK 0 STREAMS a b c $ $ $
    2: XADD b 1-1 f v
    1?
    1~ XREAD BLOCK 0 STREAMS a b c $ $ $
    2: XADD b 2-1 f v
    1?
    1~ XREAD BLOCK 0 STREAMS b b 2-1 5-5
    2: XADD b 3-1 f v
    1?
    1= HELLO 3
    1~ XREAD BLOCK 0 STREAMS c b 0 3-1
    2: XADD c 3-1 f v
    1?`,
  'all who wait are served, in order, before the next command': `
    1~ XREAD BLOCK 0 STREAMS s $
    2~ XREAD BLOCK 0 STREAMS s $
    3~ XREAD BLOCK 0 COUNT 1 STREAMS s $
    4: MULTI
    4: XADD s 1-1 f v
    4: XADD s 2-1 f v
    4: EXEC
    1?
    2?
    3?`,
  'a transaction that deletes what it added': `
    1~ XREAD BLOCK 0 STREAMS s $
    2: MULTI
    2: XADD s 1-1 f v
    2: DEL s
    2: EXEC
    2: XADD s 1-1 f v
    1?`,
  'other ways in which a stream comes': `
    1: XADD t 5-5 f v
    1~ XREAD BLOCK 0 STREAMS s $
    2~ XREAD BLOCK 0 STREAMS s 5-4
    3: RENAME t s
    1?
    2?
    1~ XREAD BLOCK 0 STREAMS u $
    3: COPY s u
    1?
    1~ XREAD BLOCK 0 STREAMS w $
    3: SELECT 1
    3: XADD w 1-1 f v
    3: MOVE w 0
    1?
    1~ XREAD BLOCK 0 STREAMS l $
    3: SELECT 0
    3: RPUSH l x
    3: DEL l
    3: XADD l 1-1 f v
    1?`,
  'a group serves one after the other': `
    1: XGROUP CREATE s g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 COUNT 1 STREAMS s >
    2~ XREADGROUP GROUP g b BLOCK 0 COUNT 1 STREAMS s >
    3~ XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS s >
    4: XADD s 1-1 f v
    1?
    4: XADD s 2-1 f v
    2?
    4: XADD s 3-1 f v
    3?
    4: XPENDING s g
    4: XINFO GROUPS s
    1~ XREADGROUP GROUP g a BLOCK 0 COUNT 2 STREAMS s >
    2~ XREADGROUP GROUP g b BLOCK 0 STREAMS s >
    4: MULTI
    4: XADD s 4-1 f v
    4: XADD s 5-1 f v
    4: XADD s 6-1 f v
    4: EXEC
    1?
    2?
    4: XPENDING s g
    4: XINFO GROUPS s`,
  'history never waits': `
    1: XGROUP CREATE s g $ MKSTREAM
    1: XREADGROUP GROUP g a BLOCK 0 STREAMS s 0
    1: XADD s 1-1 f v
    1: XREADGROUP GROUP g a BLOCK 0 STREAMS s 0
    1: XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2: XADD s 2-1 f v
    1?`,
  'readers and consumers of several groups together': `
    1: XGROUP CREATE s g $ MKSTREAM
    1: XGROUP CREATE s h $
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2~ XREAD BLOCK 0 STREAMS s $
    3~ XREADGROUP GROUP h a BLOCK 0 STREAMS s >
    4~ XREADGROUP GROUP g b BLOCK 0 STREAMS s >
    5: XADD s 1-1 f v
    1?
    2?
    3?
    5: XADD s 2-1 f v
    4?
    5: XINFO GROUPS s`,
  'the group goes': `
    1: XGROUP CREATE s g $ MKSTREAM
    1: XGROUP CREATE s h $
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2~ XREADGROUP GROUP h a BLOCK 0 STREAMS s >
    3~ XREAD BLOCK 0 STREAMS s $
    4: XGROUP DESTROY s g
    1?
    4: XADD s 1-1 f v
    2?
    3?`,
  'the key goes': `
    1: XGROUP CREATE s g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2~ XREAD BLOCK 0 STREAMS s $
    3: DEL s
    1?
    3: XGROUP CREATE s g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    3: SET s x
    1?
    3: DEL s
    3: XGROUP CREATE s g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    3: RENAME s t
    1?
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS t >
    3: FLUSHALL
    1?
    3: XADD s 9-9 f v
    2?`,
  'the key goes and comes again in one transaction': `
    1: XGROUP CREATE s g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2: MULTI
    2: DEL s
    2: XGROUP CREATE s g $ MKSTREAM
    2: EXEC
    2: XADD s 1-1 f v
    1?
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2: MULTI
    2: DEL s
    2: XADD s 1-1 f v
    2: EXEC
    1?`,
  'one key of several goes': `
    1: XGROUP CREATE s g $ MKSTREAM
    1: XGROUP CREATE t g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s t > >
    2: DEL t
    1?
    1: XGROUP CREATE t g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s t > >
    2: XADD t 1-1 f v
    1?
    1: XINFO GROUPS s`,
  'time runs out': `
    1: XADD s 1-1 f v
    1: XGROUP CREATE s g $
    1: XREAD BLOCK 1 STREAMS s $
    1: XREADGROUP GROUP g a BLOCK 1 STREAMS s >
    1= HELLO 3
    1: XREAD BLOCK 1 STREAMS s $
    1: XREADGROUP GROUP g a BLOCK 1 STREAMS s >
    1: XINFO GROUPS s`,
  'moving the group does not wake': `
    1: XADD s 1-1 f v
    1: XGROUP CREATE s g $
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2: XGROUP SETID s g 0
    2: XSETID s 5-5
    2: XADD s 6-6 f v
    1?`,
  'an empty stream is a stream': `
    1: XGROUP CREATE s g $ MKSTREAM
    1~ XREAD BLOCK 0 STREAMS s 0
    2~ XREAD BLOCK 0 STREAMS s $
    3: XADD s 1-1 f v
    1?
    2?
    1: XTRIM s MAXLEN 0
    1~ XREAD BLOCK 0 STREAMS s 0
    3: XADD s MAXLEN 1 2-2 f v
    1?`,
  'who went is not served': `
    1: XGROUP CREATE s g $ MKSTREAM
    1~ XREADGROUP GROUP g a BLOCK 0 STREAMS s >
    2~ XREADGROUP GROUP g b BLOCK 0 STREAMS s >
    1-
    3: XADD s 1-1 f v
    2?
    3: XINFO CONSUMERS s g`,
  'what was sent behind a command that waits': `
    1~ XREAD BLOCK 0 STREAMS s $ | PING | XREAD STREAMS s 0
    2: XADD s 1-1 f v
    1?
    1?
    1?`,
  'more than a thousand entries at once': `
    1~ XREAD BLOCK 0 STREAMS s $
    2~ XREAD COUNT 1200 BLOCK 0 STREAMS s $
    3: RESTORE s 0 $many$
    1?
    2?`,
};

const idle = [{ what: 'idle' as const }];
const why = [available('redis'), available('respite')].find(({ ok }) => !ok)?.why;

/** One server's side of a conversation. */
class Side {
  readonly #clients = new Map<string, RawConnection>();
  readonly #admin: RawConnection;
  readonly #many: Buffer;
  #waiting = 0;

  constructor(
    readonly server: Server,
    admin: RawConnection,
    many: Buffer,
  ) {
    this.#admin = admin;
    this.#many = many;
  }

  async #client(name: string): Promise<RawConnection> {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const client = await this.server.connect();
    this.#clients.set(name, client);
    return client;
  }

  /** Until exactly so many clients wait. */
  async #settled(): Promise<void> {
    const what = `${this.#waiting} waiting clients`;
    const blocked = async () =>
      String(await this.#admin.call('INFO', 'clients')).includes(
        `blocked_clients:${this.#waiting}\r`,
      );
    await waitFor(blocked, { what, timeoutMs: 30_000 });
  }

  async step(line: string): Promise<string> {
    const [, name, how, text] = /^(\d)([:=~?-])\s*(.*)$/.exec(line)!;
    const client = await this.#client(name!);
    if (how === '-') {
      client.close();
      this.#clients.delete(name!);
      this.#waiting--;
      await this.#settled();
      return '';
    }
    if (how !== '?') {
      const words = (one: string) =>
        splitArgs(one).map((word) => (word === '$many$' ? this.#many : word));
      client.send(Buffer.concat(text!.split(' | ').map((one) => encodeCommand(words(one)))));
    }
    if (how === '~') {
      this.#waiting++;
      await this.#settled();
      return '';
    }
    const reply = await client.reply(30_000);
    if (how === '=') return '';
    // what follows a served command in the same client was not waiting itself
    if (how === '?' && this.#waiting > 0) this.#waiting--;
    return (reply ?? Buffer.from('(closed)')).toString('latin1');
  }

  async end(): Promise<void> {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    this.#waiting = 0;
    await this.#settled();
    await this.#admin.call('FLUSHALL');
  }
}

/** A DUMP of 1500 entries, made by the oracle. */
async function manyEntries(server: Server): Promise<Buffer> {
  const connection = await server.connect();
  const adds = Array.from({ length: 1500 }, (_, i) => ['XADD', 'm', `5-${i + 1}`, 'f', 'v']);
  await connection.pipeline(adds);
  const dump = Buffer.from(String(await connection.call('DUMP', 'm')), 'latin1');
  await connection.call('FLUSHALL');
  connection.close();
  return dump;
}

describe.skipIf(why !== undefined)('streams that are waited for', () => {
  let sides: [Side, Side];
  const servers: Server[] = [];

  beforeAll(async () => {
    servers.push(await startServer('redis'), await startServer('respite'));
    const many = await manyEntries(servers[0]!);
    const side = async (server: Server) => new Side(server, await server.connect(), many);
    sides = [await side(servers[0]!), await side(servers[1]!)];
  });

  afterAll(async () => {
    await stopJudge();
    for (const server of servers) await server.stop();
  });

  test.each(Object.keys(SCENARIOS))('%s', { timeout: 120_000 }, async (name) => {
    const lines = SCENARIOS[name]!.split('\n').map((line) => line.trim());
    for (const line of lines.filter(Boolean)) {
      const [a, b] = await Promise.all(sides.map((side) => side.step(line)));
      const [left, right] = [Buffer.from(a!, 'latin1'), Buffer.from(b!, 'latin1')];
      const same = sameReply(left, right, idle);
      if (!same) expect.fail(`${line}\n  redis:   ${show(left)}\n  respite: ${show(right)}`);
    }
    const [left, right] = await Promise.all(servers.map((server) => server.connect()));
    expect(await compareKeyspaces(left!, right!)).toEqual([]);
    left!.close();
    right!.close();
    await Promise.all(sides.map((side) => side.end()));
  });
});
