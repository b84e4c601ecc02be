// Users and connections: the same scripts on a real redis-server and on respite, transcripts
// compared. Rules and their texts are in test/conformance/lines/acl.txt.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logEntry, runAclScenario } from '../support/acl-scenario.js';
import { RawConnection } from '../support/connection.js';
import { parseReply } from '../support/resp.js';
import { available, type Server, startServer } from '../support/servers.js';

const redis = available('redis');
const respite = available('respite');
const why = redis.ok ? (respite.ok ? '' : respite.why) : redis.why;

let oracle: Server;
let subject: Server;

async function both(script: string): Promise<string[]> {
  const [theirs, ours] = await Promise.all([
    runAclScenario(oracle.port, script),
    runAclScenario(subject.port, script),
  ]);
  expect(ours).toEqual(theirs);
  return ours;
}

const CLEAN = `
admin: ACL SETUSER default reset on nopass allkeys allchannels +@all
admin: ACL DELUSER u v w nobody
admin: CONFIG SET requirepass "" acllog-max-len 128 acl-pubsub-default resetchannels
admin: ACL LOG RESET
admin: FLUSHALL
`;

describe.skipIf(why !== '')(`ACL beside redis-server${why && `: ${why}`}`, () => {
  beforeAll(async () => {
    [oracle, subject] = await Promise.all([startServer('redis'), startServer('respite')]);
  });

  afterEach(async () => {
    for (const server of [oracle, subject]) {
      await runAclScenario(server.port, CLEAN);
    }
  });

  afterAll(async () => {
    await oracle?.stop();
    await subject?.stop();
  });

  test('a password for the default user', async () => {
    await both(`
      b: PING
      admin: CONFIG SET requirepass foo
      admin: PING
      b: PING
      a: PING
      a: GET x
      a: NOSUCH
      a: GET
      a: ACL WHOAMI
      a: COMMAND COUNT
      a: MULTI
      a: HELLO
      a: HELLO 3
      a: AUTH bar
      a: AUTH default bar
      a: AUTH foo bar
      a: HELLO 2 AUTH default bar
      a: AUTH foo
      a: ACL WHOAMI
      c: AUTH default foo
      c: PING
      d: QUIT
      @gone d
      e: RESET
      e: PING
      @users
      @log
      admin: CONFIG GET requirepass
      admin: ACL SETUSER default >second
      f: AUTH second
      g: AUTH foo
      admin: ACL SETUSER default nopass
      h: PING
      e: PING
      e: AUTH foo
      e: HELLO
      admin: CONFIG GET requirepass
      admin: CONFIG SET requirepass foo
      admin: CONFIG SET requirepass ""
      @users
      i: PING
      admin: ACL SETUSER default off
      j: PING
      i: PING
      i: RESET
      i: PING
      j: AUTH default x
      admin: ACL SETUSER default on
      j: PING
    `);
  });

  test('limits of the default user hold for everybody', async () => {
    await both(`
      b: PING
      admin: ACL SETUSER default -@all +acl +auth +config +client
      b: PING
      a: PING
      a: GET x
      a: RESET
      a: SET x 1
      a: CLIENT ID x
      admin: GET x
      admin: ACL SETUSER v on nopass +get ~*
      a: AUTH v x
      a: GET x
      a: RESET
      a: GET x
      @log
    `);
  });

  test('logging in', async () => {
    await both(`
      admin: ACL SETUSER u on >p +ping +get ~x
      admin: ACL SETUSER v off >p
      admin: ACL SETUSER w on nopass
      a: AUTH u q
      a: AUTH u p
      a: ACL WHOAMI
      a: PING
      a: GET x
      a: GET y
      a: AUTH u q
      a: PING
      a: AUTH default x
      a: ACL WHOAMI
      b: AUTH v p
      b: AUTH w whatever
      b: PING
      b: auth nobody p
      b: HELLO 3 AUTH u q
      b: hello 3 AUTH u q
      b: AUTH u ""
      c: AUTH "" ""
      c: MULTI
      c: AUTH u q
      c: AUTH u p
      c: PING
      c: SET x 1
      c: EXEC
      c: SET x 1
      admin: ACL SETUSER u >r <p
      d: AUTH u p
      d: AUTH u r
      c: PING
      admin: ACL SETUSER u off
      d: PING
      e: AUTH u r
      admin: ACL SETUSER u on resetpass
      e: AUTH u r
      e: AUTH u ""
      @log
    `);
  });

  test('commands, keys and channels that are not allowed', async () => {
    await both(`
      admin: ACL SETUSER u on nopass ~a* %R~r* %W~w* &c +@all -@dangerous -get -select +select|0
      a: AUTH u x
      a: GET a
      a: Get a
      a: SET a 1
      a: SET b 1
      a: STRLEN r
      a: APPEND r 1
      a: STRLEN w
      a: APPEND w 1
      a: SET w 1
      a: SET w 1 GET
      a: RENAME a r
      a: COPY r a
      a: COPY w a
      a: MGET a r a1
      a: MGET a x
      a: SELECT 0
      a: SELECT 1
      a: KEYS *
      a: CONFIG GET port
      a: config get
      a: CONFIG FOO
      a: CLIENT KILL ID 1
      a: CLIENT ID 1
      a: PUBLISH c m
      a: PUBLISH d m
      a: SUBSCRIBE c d
      a: PSUBSCRIBE c*
      a: SPUBLISH d m
      a: OBJECT ENCODING b
      a: BLPOP a b 0
      a: XREAD BLOCK 0 STREAMS b 0
      a: SORT a BY w_*
      a: SORT a GET w_*
      a: SORT_RO a GET #
      a: SORT a BY nosort
      a: ZUNIONSTORE w 2 r b
      a: nosuch
      a: MULTI
      a: SET a 1
      a: SET b 1
      a: EXEC
      a: MULTI
      a: GET a
      a: DISCARD
      @log
    `);
  });

  test('the log merges, moves to the front, forgets', async () => {
    const commands = [...'abcdefghijkl'].map((key) => `a: GET ${key}`).join('\n');
    await both(`
      admin: ACL SETUSER u on nopass +get +config|get
      a: AUTH u x
      ${commands}
      a: GET l
      a: GET c
      a: GET b
      a: GET a
      a: SET a 1
      a: GET a
      a: CONFIG SET port 1
      a: config set port 1
      @log
      admin: CONFIG SET acllog-max-len 3
      @log
      a: GET z
      @log
      admin: CONFIG SET acllog-max-len 0
      a: GET y
      @log
      admin: CONFIG SET acllog-max-len 10
      a: GET x
      admin: ACL LOG RESET
      @log
      admin: ACL LOG 1
    `);
  });

  test('rules that change between MULTI and EXEC', async () => {
    await both(`
      admin: ACL SETUSER u on nopass allkeys allchannels +@all
      a: AUTH u x
      a: MULTI
      a: SET a 1
      a: GET b
      a: PUBLISH c m
      a: SET y 1
      admin: ACL SETUSER u -get resetkeys ~y resetchannels
      a: EXEC
      a: MULTI
      a: SET y 2
      a: GET y
      a: EXEC
      a: MULTI
      a: SET y 3
      admin: ACL SETUSER u -exec
      a: EXEC
      a: DISCARD
      a: MULTI
      a: SHUTDOWN NOSAVE
      admin: ACL SETUSER u -shutdown -watch -unwatch
      a: SHUTDOWN NOSAVE
      a: WATCH y
      a: UNWATCH
      a: RESET
      @log
    `);
  });

  test('deleting users closes their connections', async () => {
    await both(`
      admin: ACL SETUSER u on nopass allkeys allchannels +@all
      admin: ACL SETUSER v on nopass allkeys allchannels +@all
      a: AUTH u x
      b: AUTH u x
      c: AUTH v x
      d: AUTH v x
      b: SUBSCRIBE s
      d: MULTI
      @here a b c d admin
      admin: ACL DELUSER u nobody
      @gone a b
      @here c d admin
      c: ACL DELUSER v
      @gone c d
      @here admin
      admin: ACL SETUSER u on nopass +@all
      e: AUTH u x
      e: MULTI
      e: PING
      e: ACL DELUSER u
      e: PING
      e: EXEC
      @gone e
    `);
  });

  test('CLIENT KILL USER and CLIENT LIST', async () => {
    await both(`
      admin: ACL SETUSER u on nopass +@all
      admin: ACL SETUSER v on nopass +@all
      a: AUTH u x
      b: AUTH v x
      c: PING
      @here a b c
      admin: CLIENT KILL USER nobody
      admin: CLIENT KILL USER u
      @gone a
      @here b c
      admin: CLIENT KILL USER u
      admin: CLIENT KILL USER v SKIPME no
      @gone b
      @here c
    `);
  });

  test('subscribers whose channels are taken away are closed', async () => {
    await both(`
      admin: ACL SETUSER u on nopass +@all &a* &b
      a: AUTH u x
      a: SUBSCRIBE a1 b
      b: AUTH u x
      b: PSUBSCRIBE a*
      c: AUTH u x
      c: SSUBSCRIBE b
      d: AUTH u x
      e: AUTH u x
      e: SUBSCRIBE a1
      admin: ACL SETUSER u &c
      admin: ACL SETUSER u resetchannels &a* &b
      admin: ACL SETUSER u resetchannels &b (&a*)
      @here a b c d e
      admin: ACL SETUSER u clearselectors resetchannels &a*
      @gone a c
      @here b d e
      admin: ACL SETUSER u resetchannels &a1
      @gone b
      @here d e
      admin: ACL SETUSER u allchannels
      f: AUTH u x
      f: PSUBSCRIBE z*
      admin: ACL SETUSER u resetchannels &z*
      @gone e
      @here d f
      admin: ACL SETUSER u off -@all resetpass
      @here d f
      admin: ACL SETUSER u reset
      @gone f
      @here d
      d: PING
      g: SUBSCRIBE n
      admin: ACL SETUSER default resetchannels
      @gone g
      @here admin
    `);
  });

  test('new users and acl-pubsub-default', async () => {
    await both(`
      admin: ACL SETUSER u
      admin: CONFIG SET acl-pubsub-default allchannels
      admin: ACL SETUSER v (~a)
      admin: ACL SETUSER u (~a)
      @users
      admin: ACL SETUSER u reset
      admin: ACL SETUSER v resetchannels
      @users
      admin: CONFIG SET acl-pubsub-default foo
      admin: CONFIG GET acl-pubsub-default
    `);
  });

  test('rules apply to who is connected, at once', async () => {
    await both(`
      admin: ACL SETUSER u on nopass
      a: AUTH u x
      a: GET x
      admin: ACL SETUSER u +get
      a: GET x
      admin: ACL SETUSER u ~x
      a: GET x
      admin: ACL SETUSER u allkeys allchannels +@all
      a: ACL SETUSER u -get
      a: GET x
      a: ACL SETUSER u +get
      a: GET x
      a: ACL DELUSER nobody
      a: ACL SETUSER u -acl
      a: ACL WHOAMI
      a: ACL SETUSER u +@all
      admin: ACL SETUSER u reset on
      a: PING
      @here a
    `);
  });

  test('entries of the log have the members of Redis 7.2', async () => {
    const connection = await RawConnection.open(subject.port);
    await connection.command('AUTH', 'nobody', 'x');
    await connection.command('AUTH', 'nobody', 'y');
    await connection.command('AUTH', 'nobody2', 'y');
    const reply = parseReply(await connection.command('ACL', 'LOG'));
    const [last, first] = ('items' in reply ? reply.items : []).map(logEntry);
    expect([...first!.keys()].slice(-3)).toEqual([
      'entry-id',
      'timestamp-created',
      'timestamp-last-updated',
    ]);
    expect(Number(last!.get('entry-id'))).toBe(Number(first!.get('entry-id')) + 1);
    const created = Number(first!.get('timestamp-created'));
    expect(created).toBeGreaterThan(1.6e12);
    expect(Number(first!.get('timestamp-last-updated'))).toBeGreaterThanOrEqual(created);
    expect(first!.get('count')).toBe('2');
    connection.close();
  });

  test('who takes its own channels away hears the answer, then it is closed', async () => {
    // redis-server 7.0.15 frees the client under its own feet here and may crash.
    const transcript = await runAclScenario(
      subject.port,
      `
        admin: ACL SETUSER u on nopass allchannels +@all
        a: AUTH u x
        a: HELLO 3
        a: SUBSCRIBE s
        a: ACL SETUSER u resetchannels
        @gone a
      `,
    );
    expect(transcript.slice(-3)).toEqual(['  +OK\\r\\n', '@gone a', '  a gone']);
  });

  test('passwords are random and of the length asked for', async () => {
    const connection = await RawConnection.open(subject.port);
    const seen = new Set<string>();
    for (const [bits, digits] of [
      [1, 1],
      [5, 2],
      [256, 64],
      [4096, 1024],
    ]) {
      const word = String(await connection.call('ACL', 'GENPASS', bits!));
      expect(word).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`));
      seen.add(String(await connection.call('ACL', 'GENPASS')));
    }
    expect(seen.size).toBe(4);
    connection.close();
  });
});
