// Write redirection: what clients of a replica's server and LuaEngine's async calls get from the
// master, what runs here, and what happens when the master is not there.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RespiteError } from '../../host/errors.js';
import { ReplyFrame } from '../../host/replication/reply-frame.js';
import { RawConnection } from '../support/connection.js';
import { ROOT, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

type Library = typeof import('../../host/index.js');
type Replica = ReturnType<Library['createReplica']>;

const AT_ONCE = { 'repl-diskless-sync-delay': 0 };
const PASSWORD = 'open sesame';
const READONLY = "-READONLY You can't write against a read only replica.";
const COUNT = "return redis.call('INCR', KEYS[1])";
const LOOK = "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])";
const LIBRARY = `#!lua name=lib
redis.register_function('add', function(k, a) return redis.call('INCRBY', k[1], a[1]) end)
redis.register_function{function_name='see', flags={'no-writes'},
  callback=function(k) return redis.call('GET', k[1]) end}`;

let library: Library;
let master: Server;
let atMaster: RawConnection;

beforeAll(async () => {
  // as built: its core lies beside it
  library = await import(`${ROOT}build/js/index.js`);
  master = await startServer('redis', { directives: { requirepass: PASSWORD, ...AT_ONCE } });
  atMaster = await master.connect();
  await atMaster.call('AUTH', PASSWORD);
  await atMaster.call('FUNCTION', 'LOAD', LIBRARY);
});
afterAll(async () => {
  atMaster.close();
  await master.stop();
});

interface Started {
  replica: Replica;
  client: RawConnection;
  [Symbol.asyncDispose](): Promise<void>;
}

async function start(options: object = {}): Promise<Started> {
  const replica = library.createReplica({
    ...{ master: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${master.port}` },
    ...{ listen: '127.0.0.1:0', writeRedirection: true, reconnectMinMs: 10 },
    ...options,
  });
  await replica.start();
  await replica.waitForSync({ timeoutMs: 30_000 });
  const port = Number(replica.server!.address.split(':').at(-1));
  const client = await RawConnection.open(port);
  return {
    replica,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await replica.close();
    },
  };
}

async function text(connection: RawConnection, ...args: (string | number)[]): Promise<string> {
  return (await connection.command(...args.map(String))).toString('latin1').trimEnd();
}

/** Calls of a command that the master has seen. */
async function calls(command: string): Promise<number> {
  const info = String(await atMaster.call('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

describe('without redirection', () => {
  test('scripts that write answer READONLY', async () => {
    await using started = await start({ writeRedirection: false });
    const { client, replica } = started;
    const sha = String(await client.call('SCRIPT', 'LOAD', COUNT));
    const inScript = `${READONLY} script: ${sha}, on @user_script:1.`;
    expect(await text(client, 'EVAL', COUNT, 1, 'n')).toBe(inScript);
    expect(await text(client, 'EVALSHA', sha, 1, 'n')).toBe(inScript);
    expect(await text(client, 'FCALL', 'add', 1, 'n', 1)).toBe(READONLY);
    expect(await text(client, 'SET', 'a', 'b')).toBe(READONLY);
    const engine = new library.LuaEngine(replica.storage);
    await expect(engine.evalAsync(COUNT, ['n'])).rejects.toMatchObject({
      code: 'ERR_RESPITE_READ_ONLY',
      message: inScript.slice(1),
    });
    expect(() => engine.loadLibrary(LIBRARY)).toThrow(READONLY.slice(1));
    expect(engine.libraries.map(({ name }) => name)).toEqual(['lib']);
    engine.close();
  });
});

describe('clients of the server', () => {
  test('EVAL, EVALSHA and FCALL run at the master, whole', async () => {
    await using started = await start();
    const { client } = started;
    await atMaster.call('DEL', 'n');
    const script = `local n = redis.call('INCR', KEYS[1]) return {n, redis.call('INCR', KEYS[1])}`;
    expect(await text(client, 'EVAL', script, 1, 'n')).toBe('*2\r\n:1\r\n:2');
    expect(await text(client, 'FCALL', 'add', 1, 'n', 5)).toBe(':7');
    const sha = String(await client.call('SCRIPT', 'LOAD', COUNT));
    // Redis' way: the client learns that the script is not there, and sends it.
    await atMaster.call('SCRIPT', 'FLUSH');
    expect(await text(client, 'EVALSHA', sha, 1, 'n')).toMatch(/^-NOSCRIPT/);
    expect(await text(client, 'EVAL', COUNT, 1, 'n')).toBe(':8');
    expect(await text(client, 'EVALSHA', sha, 1, 'n')).toBe(':9');
    await waitFor(async () => (await text(client, 'GET', 'n')) === '$1\r\n9');
  });

  test('what only reads stays here', async () => {
    await using started = await start();
    const { client } = started;
    const before = [await calls('eval'), await calls('eval_ro'), await calls('fcall')];
    await text(client, 'EVAL_RO', "return redis.call('GET', KEYS[1])", 1, 'x');
    await text(client, 'EVAL', LOOK, 1, 'x');
    await text(client, 'FCALL', 'see', 1, 'x');
    await text(client, 'FCALL_RO', 'see', 1, 'x');
    expect([await calls('eval'), await calls('eval_ro'), await calls('fcall')]).toEqual(before);
    expect(await text(client, 'EVAL_RO', COUNT, 1, 'x')).toMatch(/^-ERR Write commands are not/);
    expect(await text(client, 'EVALSHA_RO', '0'.repeat(40), 0)).toMatch(/^-NOSCRIPT/);
    expect(await text(client, 'EVAL', COUNT, 'x')).toBe(
      '-ERR value is not an integer or out of range',
    );
  });

  test('other writes go there too, in order, with database and protocol', async () => {
    await using started = await start();
    const { client, replica } = started;
    const port = Number(replica.server!.address.split(':').at(-1));
    const three = await RawConnection.open(port);
    await text(three, 'HELLO', 3);
    await text(three, 'SELECT', 4);
    expect(await text(three, 'HSET', 'h', 'f', 'v')).toBe(':1');
    expect(await text(three, 'EVAL', "return redis.call('HGETALL', 'h')", 0)).toMatch(/^\*2|^%1/);
    const map = "redis.setresp(3) return redis.call('HGETALL', 'h')";
    expect(await text(three, 'EVAL', map, 0)).toBe('%1\r\n$1\r\nf\r\n$1\r\nv');
    const many = Array.from({ length: 200 }, (_, i) => ['RPUSH', 'order', String(i)]);
    const replies = await client.pipeline(many);
    expect(replies.map(String)).toEqual(many.map((_, i) => `:${i + 1}\r\n`));
    const list = (await atMaster.call('LRANGE', 'order', '0', '-1')) as unknown[];
    expect(list.map(String)).toEqual(many.map((_, i) => String(i)));
    expect(await text(client, 'LPUSH', 'a')).toMatch(/^-ERR wrong number of arguments/);
    expect(await text(client, 'INCR', 'order')).toMatch(/^-WRONGTYPE/);
    three.close();
  });

  test('not inside of transactions, not of blocking commands, not for limited users', async () => {
    await using started = await start();
    const { client } = started;
    await text(client, 'MULTI');
    expect(await text(client, 'SET', 'a', 'b')).toBe(READONLY);
    await text(client, 'DISCARD');
    await text(client, 'MULTI');
    await text(client, 'EVAL', COUNT, 1, 'n');
    expect(await text(client, 'EXEC')).toMatch(/^\*1\r\n-READONLY/);
    expect(await text(client, 'BLPOP', 'nothing', 1)).toBe(READONLY);
    await text(client, 'ACL', 'SETUSER', 'some', 'on', 'nopass', '~mine:*', '+@all');
    await text(client, 'AUTH', 'some', 'x');
    expect(await text(client, 'EVAL', "return redis.call('SET', 'theirs', 1)", 0)).toMatch(
      /^-ERR The user executing the script can't access/,
    );
    expect(await text(client, 'EVAL', "return redis.call('SET', 'mine:1', 1)", 0)).toMatch(
      /^-READONLY/,
    );
    expect(await text(client, 'SET', 'theirs', '1')).toMatch(/^-NOPERM/);
    expect(await text(client, 'SET', 'mine:1', '1')).toBe('+OK');
  });

  test('a client that goes while it waits harms nobody', async () => {
    await using started = await start();
    const { replica, client } = started;
    const port = Number(replica.server!.address.split(':').at(-1));
    await atMaster.call('CLIENT', 'PAUSE', '600000', 'WRITE');
    try {
      const gone = await RawConnection.open(port);
      gone.send('*3\r\n$3\r\nSET\r\n$4\r\ngone\r\n$1\r\n1\r\n');
      await waitFor(async () => / cmd=set /.test(String(await client.call('CLIENT', 'LIST'))));
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await waitFor(async () => !/ cmd=set /.test(String(await client.call('CLIENT', 'LIST'))));
      const next = await RawConnection.open(port);
      expect(await text(next, 'PING')).toBe('+PONG');
      await atMaster.call('CLIENT', 'UNPAUSE');
      await waitFor(async () => (await text(next, 'GET', 'gone')) === '$1\r\n1');
      expect(await text(next, 'PING')).toBe('+PONG');
      next.close();
    } finally {
      await atMaster.call('CLIENT', 'UNPAUSE');
    }
  });
});

describe('a server that is a replica', () => {
  test('the directive write-redirection, at the start and by CONFIG SET', async () => {
    const directives = {
      ...{ replicaof: ['127.0.0.1', master.port], masterauth: PASSWORD },
      'write-redirection': 'yes',
    };
    const server = await startServer('respite', { directives });
    const client = await server.connect();
    await atMaster.call('DEL', 'n');
    await waitFor(async () => (await text(client, 'EVAL', COUNT, 1, 'n')) === ':1');
    expect(await text(client, 'INCR', 'n')).toBe(':2');
    // one answer that nobody wants, then one that is wanted
    client.send('CLIENT REPLY SKIP\r\nINCR n\r\nECHO behind\r\n');
    expect(String(await client.reply())).toBe('$6\r\nbehind\r\n');
    expect(String(await atMaster.call('GET', 'n'))).toBe('3');
    await client.call('CONFIG', 'SET', 'write-redirection', 'no');
    expect(await text(client, 'INCR', 'n')).toBe(READONLY);
    expect(await text(client, 'EVAL', COUNT, 1, 'n')).toMatch(/^-READONLY/);
    await client.call('CONFIG', 'SET', 'write-redirection', 'yes');
    expect(await text(client, 'INCR', 'n')).toBe(':4');
    await client.call('REPLICAOF', 'NO', 'ONE');
    await client.call('SET', 'n', '100');
    expect(await text(client, 'INCR', 'n')).toBe(':101');
    expect(String(await atMaster.call('GET', 'n'))).toBe('4');
    client.close();
    await server.stop();
  });
});

describe('LuaEngine', () => {
  test('async calls go to the master unless they only read', async () => {
    await using started = await startQuiet({ defaultDatabase: 2 });
    const { replica } = started;
    const engine = new library.LuaEngine(replica.storage, { strings: 'text' });
    await atMaster.call('SELECT', 2);
    await atMaster.call('SCRIPT', 'FLUSH');
    await atMaster.call('SET', 'n', '10');
    const sha = engine.loadScript(COUNT);
    expect(await engine.evalShaAsync(sha, ['n'])).toBe(11);
    expect(await engine.evalAsync(COUNT, ['n'])).toBe(12);
    expect(await engine.fcallAsync('add', ['n'], [3])).toBe(15);
    expect(await engine.evalAsync('return {ARGV[1]}', [], [new Uint8Array([65])])).toEqual(['A']);
    await waitFor(() => replica.storage.getText('n') === '15');
    const before = await calls('eval');
    expect(await engine.evalAsync(LOOK, ['n'])).toBe('15');
    expect(await engine.fcallAsync('see', ['n'])).toBe('15');
    expect(engine.eval("return redis.call('GET', KEYS[1])", ['n'])).toBe('15');
    expect(() => engine.eval(COUNT, ['n'])).toThrow(READONLY.slice(1));
    expect(await calls('eval')).toBe(before);
    await expect(engine.evalAsync("error('no')")).rejects.toThrow(/^ERR user_script:1: no script/);
    await expect(engine.evalShaAsync('f'.repeat(40))).rejects.toThrow(/^NOSCRIPT/);
    engine.close();
    await atMaster.call('SELECT', 0);
  });
});

async function startQuiet(options: object): Promise<Started> {
  const replica = library.createReplica({
    ...{ master: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${master.port}` },
    ...{ writeRedirection: true, ...options },
  });
  await replica.start();
  await replica.waitForSync({ timeoutMs: 30_000 });
  const client = await master.connect();
  return {
    replica,
    client,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await replica.close();
    },
  };
}

describe('when the master is not there', () => {
  test('the error says that nothing was sent, and it works again afterwards', async () => {
    const own = await startServer('redis', { directives: AT_ONCE });
    await using started = await start({ master: `127.0.0.1:${own.port}` });
    const { client, replica } = started;
    expect(await text(client, 'EVAL', COUNT, 1, 'n')).toBe(':1');
    await own.stop();
    await waitFor(() => !replica.isConnected);
    expect(await text(client, 'EVAL', COUNT, 1, 'n')).toMatch(/^-MASTERDOWN No connection to the/);
    expect(await text(client, 'GET', 'n')).toBe('$1\r\n1');
    const engine = new library.LuaEngine(replica.storage);
    const error = await engine.evalAsync(COUNT, ['n']).catch((thrown) => thrown);
    expect(error.code).toBe('ERR_RESPITE_NOT_CONNECTED');
    engine.close();
    const again = await startServer('redis', { port: own.port });
    await waitFor(async () => (await text(client, 'EVAL', COUNT, 1, 'n')) === ':1');
    await again.stop();
  });

  test('a lost answer is told apart', async () => {
    const own = await startServer('redis', { directives: { 'lua-time-limit': 100, ...AT_ONCE } });
    await using started = await start({ master: `127.0.0.1:${own.port}` });
    const { client } = started;
    const loop = client.command('EVAL', 'while true do end', '0');
    const other = await own.connect();
    await waitFor(async () => /^-BUSY/.test(await text(other, 'PING')));
    own.process.kill('SIGKILL');
    expect((await loop).toString()).toMatch(/^-ERR The connection to the master .* is unknown/);
    other.close();
  });
});

describe('ReplyFrame', () => {
  const replies = [
    '+OK\r\n',
    '-ERR no\r\n',
    ':12\r\n',
    '$5\r\na\r\nbc\r\n',
    '$0\r\n\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '*3\r\n:1\r\n*2\r\n$1\r\nx\r\n_\r\n#t\r\n',
    '%2\r\n+a\r\n,1.5\r\n+b\r\n~1\r\n(123\r\n',
    '|1\r\n+k\r\n+v\r\n*1\r\n=5\r\ntxt:v\r\n',
    '!4\r\nERR \r\n',
    `+${'long '.repeat(100)}\r\n`,
  ];

  test('finds the ends, however the bytes are cut', () => {
    const whole = Buffer.from(replies.join(''));
    const ends = replies.map((_, i) => replies.slice(0, i + 1).join('').length);
    for (let step = 1; step <= 40; step++) {
      const frame = new ReplyFrame();
      const found: number[] = [];
      for (let from = 0; from < whole.length; from += step) {
        const piece = whole.subarray(from, from + step);
        for (let at = 0; at < piece.length; ) {
          const end = frame.take(piece, at);
          if (end < 0) break;
          found.push(from + end);
          at = end;
        }
      }
      expect(found).toEqual(ends);
    }
  });

  test.each(['x\r\n', '$x\r\n', '*\r\n', 'HTTP/1.1 200 OK\r\n', '$99999999999999999999\r\n'])(
    '%j is none',
    (bytes) => {
      expect(() => new ReplyFrame().take(Buffer.from(bytes), 0)).toThrow(RespiteError);
    },
  );
});
