// Users in files: ACL LOAD and ACL SAVE, `aclfile` and `user` lines at the start, beside a real
// redis-server. Paths are shown as FILE.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runAclScenario, sortedRules } from '../support/acl-scenario.js';
import { RawConnection } from '../support/connection.js';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';

const redis = available('redis');
const respite = available('respite');
const why = redis.ok ? (respite.ok ? '' : respite.why) : redis.why;

const START = 'user default on nopass ~* &* +@all\nuser kept on nopass ~k\n';
const KINDS: readonly ServerKind[] = ['redis', 'respite'];

interface Side {
  server: Server;
  file: string;
}

const dirs: string[] = [];
function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'respite-acl-'));
  dirs.push(dir);
  return dir;
}

async function startWithFile(kind: ServerKind, text: string): Promise<Side> {
  const dir = freshDir();
  const file = join(dir, 'users.acl');
  writeFileSync(file, text);
  const server = await startServer(kind, { dir, directives: { aclfile: file } });
  return { server, file };
}

afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

/** Texts of an ACL file; a real redis-server loads or refuses them. */
const TEXTS = [
  '',
  '\n\n \t\n',
  'user a on\n',
  'user a on',
  '  user a on  \r\n\tuser b off\t\n',
  'user a on\n\n\nuser b ~b\n',
  'user  a on\n',
  'user a  on   ~x  \n',
  'user a\n',
  'user\n',
  'user \n',
  'use a on\n',
  'User a on\n',
  'users a on\n',
  'a on\n',
  '# a comment\nuser a on\n',
  'user a on # a comment\n',
  'user a on\nuser a off\n',
  'user a on\nuser b on\nuser a off\nuser b foo\n',
  'user default off +@all\n',
  'user default on >p ~* +@all\n',
  'user default on nopass\nuser default on\n',
  'user a b\n',
  'user a foo bar\n',
  'user a foo\nuser b bar\nuser c on\nuser d baz\n',
  'user a +nosuch\n',
  'user a +nosuch -nosuch2 +@nosuch3 foo +nosuch4 bar\n',
  'user a ~* ~b\n',
  'user a &* &b\n',
  'user a <p\n',
  'user a #12\n',
  'user a !12\n',
  'user a +client|list|x\n',
  'user a\ton ~x\n',
  'user a on\t ~x\r \n',
  'user a ~x\ty\n',
  'user a "~x"\n',
  'user a (~x) (~y +get)\n',
  'user a (~x +get %R~z) ~q\n',
  'user a (~x ~* ~z)\n',
  'user a (+nosuch)\n',
  'user a (~x "~y)\n',
  'user a \xc3\xa9~ ~\xc3\xa9\xff\n',
  `user ${'n'.repeat(300)} ~${'k'.repeat(3000)}\n`,
  Array.from({ length: 200 }, (_, i) => `user u${i} on >p${i} ~k${i} +get +set (~x${i} +del)\n`),
].map((text) => (Array.isArray(text) ? text.join('') : text));

describe.skipIf(why !== '')(`ACL files beside redis-server${why && `: ${why}`}`, () => {
  let sides: Side[] = [];

  beforeAll(async () => {
    sides = await Promise.all(KINDS.map((kind) => startWithFile(kind, START)));
  });

  afterAll(async () => {
    await Promise.all(sides.map(({ server }) => server.stop()));
  });

  /** The transcripts of both, which must be the same. */
  async function both(script: string): Promise<string[]> {
    const [theirs, ours] = await Promise.all(
      sides.map(({ server, file }) =>
        runAclScenario(server.port, script, (text) => text.replaceAll(file, 'FILE')),
      ),
    );
    expect(ours).toEqual(theirs);
    return ours!;
  }

  function write(text: string): void {
    for (const { file } of sides) writeFileSync(file, text, 'latin1');
  }

  test('what ACL LOAD takes and what it says', async () => {
    // One connection for all of them: after some nobody could log in.
    const admins = await Promise.all(sides.map(({ server }) => RawConnection.open(server.port)));
    const load = async (admin: RawConnection, i: number) => {
      const answer = String(await admin.command('ACL', 'LOAD'));
      const users = (await admin.call('ACL', 'LIST')) as string[];
      return [answer.replaceAll(sides[i]!.file, 'FILE'), ...users.map(sortedRules)];
    };
    for (const text of [...TEXTS, START]) {
      write(text);
      const [theirs, ours] = await Promise.all(admins.map(load));
      expect([text.slice(0, 60), ours]).toEqual([text.slice(0, 60), theirs]);
      expect(theirs![0]).toMatch(/^(\+OK|-ERR )/);
    }
    for (const admin of admins) admin.close();
  });

  test('a selector that nothing closes is refused', async () => {
    // redis-server 7.0.15 crashes on it.
    const { server, file } = sides[1]!;
    for (const text of ['user a on (~x\n', 'user a (~x) (~y +get\nuser b foo\n', 'user a (\n']) {
      writeFileSync(file, text);
      const [, answer] = await runAclScenario(server.port, 'admin: ACL LOAD', (line) => {
        return line.replaceAll(file, 'FILE');
      });
      expect(answer).toContain('-ERR FILE:1: Unmatched parenthesis in selector definition. ');
      expect(answer).toContain('WARNING: ACL errors detected, no change to the previously active');
    }
  });

  test('who stays connected', async () => {
    write(`${START}user u on nopass &a +@all\n`);
    await both(`
      admin: ACL LOAD
      a: AUTH u x
      b: AUTH u x
      b: SUBSCRIBE a
      c: AUTH kept x
      d: SUBSCRIBE a
      e: ACL WHOAMI
      @here admin a b c d e
      admin: ACL LOAD
      @gone a b c
      @here admin d e
      f: AUTH u x
      f: ACL LOAD
      @gone f
    `);
    write('foo\n');
    await both(`
      a: AUTH u x
      admin: ACL LOAD
      @here admin a
    `);
    write('user default on nopass ~* +@all -get\n');
    await both(`
      d: SUBSCRIBE a
      e: GET x
      admin: ACL LOAD
      @here admin d
      e: GET x
      e: PUBLISH a b
      @users
    `);
    write('user u on nopass\n');
    await both('e: GET x\nadmin: ACL LOAD\ne: GET x\n@users');
  });

  test('a file that is not there', async () => {
    for (const { file } of sides) rmSync(file);
    await both('admin: ACL LOAD\n@users');
    await both('admin: ACL SETUSER saved on >p ~a &b +get (~c +set)\nadmin: ACL SAVE');
    const texts = sides.map(({ file }) => readFileSync(file, 'latin1'));
    expect(texts[1]).toBe(texts[0]);
  });

  test('ACL SAVE writes what ACL LOAD reads', async () => {
    write(TEXTS.at(-1)!);
    await both(`
      admin: ACL LOAD
      admin: ACL SETUSER "\\xff\\x01" on nopass ~"\\xfe" +@string -get +select|0
      admin: ACL SETUSER default >p1 >p2 +@all &* ~*
      admin: ACL DELUSER u7
      admin: ACL SAVE
      admin: ACL SETUSER lost on
      admin: ACL LOAD
      admin: ACL GETUSER lost
    `);
    const lines = sides.map(({ file }) =>
      readFileSync(file, 'latin1').split('\n').map(sortedRules),
    );
    expect(lines[1]).toEqual(lines[0]);
    expect(lines[1]).toHaveLength(202);
    const left = sides.map(({ server }) => readdirSync(server.dir).sort());
    expect(left[1]).toEqual(left[0]);
    await both(`
      admin: AUTH p1
      admin: MULTI
      admin: ACL SAVE
      admin: ACL LOAD
      admin: ACL GENPASS 4097
      admin: EXEC
      admin: ACL SETUSER default on nopass
    `);
  });

  test('a file that cannot be written', async () => {
    for (const { file } of sides) {
      rmSync(file);
      mkdirSync(file);
    }
    await both('admin: ACL SAVE');
    const { server, file } = sides[1]!;
    const [, answer] = await runAclScenario(server.port, 'admin: ACL LOAD');
    expect(answer).toContain('Is a directory');
    await expect.poll(() => server.output).toContain('Renaming ACL file for ACL SAVE');
    await expect.poll(() => readdirSync(server.dir)).toEqual(['users.acl']);
    for (const side of sides) rmSync(side.file, { recursive: true });
    if (process.getuid?.() === 0) return; // root may write anywhere
    chmodSync(server.dir, 0o500);
    const [, refused] = await runAclScenario(server.port, 'admin: ACL SAVE');
    chmodSync(server.dir, 0o700);
    expect(refused).toContain('There was an error trying to save the ACLs');
    expect(() => readFileSync(file)).toThrow();
  });
});

// ---- at the start

async function usersAtStart(kind: ServerKind, conf: string, acl?: string): Promise<string[]> {
  const dir = freshDir();
  const file = join(dir, 'users.acl');
  if (acl !== undefined) writeFileSync(file, acl);
  const main = join(dir, 'main.conf');
  writeFileSync(main, conf.replaceAll('FILE', file));
  let server: Server;
  try {
    server = await startServer(kind, { dir, directives: { include: main } });
  } catch (error) {
    return [String(error).replaceAll(file, 'FILE')];
  }
  try {
    const connection = await RawConnection.open(server.port);
    const password = />(\w+)|requirepass (\w+)/.exec(acl ?? conf);
    if (password !== null) await connection.call('AUTH', password[1] ?? password[2]!);
    const users = await connection.call('ACL', 'LIST');
    const requirepass = await connection.call('CONFIG', 'GET', 'requirepass');
    connection.close();
    return [...[users].flat(), requirepass].map((one) => sortedRules(JSON.stringify(one)));
  } finally {
    await server.stop();
  }
}

describe.skipIf(why !== '')(`users at the start${why && `: ${why}`}`, () => {
  test.each([
    ['user a on >p ~* &* +@all', undefined],
    ['user a on ~a (~b +get) (%R~c +@read)\nuser "b" off\nUSER c', undefined],
    ['requirepass secret\nuser default on nopass +@all ~*', undefined],
    ['user default on >other +@all ~*\nrequirepass secret', undefined],
    ['user a on (~b)\nacl-pubsub-default allchannels', undefined],
    ['aclfile users.acl', 'user a on ~x\nuser default on nopass +@all\n'],
    ['requirepass secret\naclfile FILE', 'user a on ~x\n'],
    ['aclfile FILE\nacl-pubsub-default allchannels', 'user a\n'],
  ])('%s', { timeout: 60_000 }, async (conf, acl) => {
    const [theirs, ours] = await Promise.all(KINDS.map((kind) => usersAtStart(kind, conf, acl)));
    expect(ours).toEqual(theirs);
  });

  test.each([
    ['user a on foo', undefined, "Error in user declaration 'a': Syntax error"],
    ['hz 10\n\nuser a <p', undefined, 'line 3'],
    ['user a on\nuser a off', undefined, 'A user can only be defined once in config files'],
    ['user a on +nosuch', undefined, 'Unknown command or category name in ACL'],
    ['user "a b" on', undefined, 'Spaces not allowed in ACL usernames'],
    ['user a (~b', undefined, "Error in user declaration '"],
    ['user a on\naclfile FILE', 'user b on', 'please define either an ACL file or declare users'],
    ['aclfile FILE', undefined, "opening file 'FILE': No such file or directory"],
    ['aclfile FILE', 'user a foo', 'FILE:1: Syntax error. WARNING: ACL errors detected'],
  ])('%s stops it', { timeout: 60_000 }, async (conf, acl, text) => {
    const [theirs, ours] = await Promise.all(KINDS.map((kind) => usersAtStart(kind, conf, acl)));
    expect(ours!.join()).toMatch(/ended with code 2/);
    expect(ours!.join()).toContain(text);
    expect(theirs!.join()).toContain(text);
  });

  test('no password gets into a message', async () => {
    for (const conf of ['user a >hush foo', 'user a <hush', 'user a #hush']) {
      const [message] = await usersAtStart('respite', conf);
      expect(message).toContain('ended with code 2');
      expect(message).not.toContain('hush');
    }
  });
});
