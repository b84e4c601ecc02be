// How ioredis and node-redis run scripts and functions: by hash, falling back to the text when the
// server does not know it. The same tests on a real redis-server and on respite.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type Result } from 'ioredis';
import { type CommandParser, createClient, defineScript, RESP_TYPES } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { available, type Server, type ServerKind, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const KINDS: ServerKind[] = ['redis', 'respite'];
const PATIENCE = { timeoutMs: 50_000 };

declare module 'ioredis' {
  interface RedisCommander<Context> {
    addUp(key: string, ...numbers: (string | number)[]): Result<number, Context>;
    joined(count: number, ...args: string[]): Result<string[], Context>;
    look(key: string): Result<string | null, Context>;
    backBuffer(arg: Buffer): Result<Buffer, Context>;
  }
}

const ADD_UP = `
local sum = 0
for _, n in ipairs(ARGV) do sum = sum + tonumber(n) end
return redis.call('INCRBY', KEYS[1], sum)`;
const JOINED = `
local result = {}
for i, key in ipairs(KEYS) do result[i] = key .. '=' .. (ARGV[i] or '?') end
return result`;

const SCRIPTS = {
  addUp: defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: ADD_UP,
    parseCommand(parser, key: string, ...numbers: number[]) {
      parser.pushKey(key);
      parser.push(...numbers.map(String));
    },
    transformReply: (reply: number) => reply,
  }),
  look: defineScript({
    NUMBER_OF_KEYS: 1,
    SCRIPT: "#!lua flags=no-writes\nreturn {redis.call('GET', KEYS[1]), 1.9, true, false, 'end'}",
    IS_READ_ONLY: true,
    parseCommand(parser, key: string) {
      parser.pushKey(key);
    },
    transformReply: (reply: unknown[]) => reply,
  }),
};

const LIBRARY = `#!lua name=shop
local function sell(keys, args)
  local left = tonumber(redis.call('GET', keys[1]) or '0') - tonumber(args[1])
  if left < 0 then return redis.error_reply('OUTOFSTOCK only ' .. (left + args[1]) .. ' left') end
  redis.call('SET', keys[1], left)
  return left
end
redis.register_function('sell', sell)
redis.register_function{
  function_name = 'stock',
  callback = function(keys) return tonumber(redis.call('GET', keys[1])) end,
  flags = {'no-writes'},
  description = 'what is there'
}`;

const FUNCTIONS = {
  shop: {
    sell: {
      NUMBER_OF_KEYS: 1,
      parseCommand(parser: CommandParser, key: string, count: number) {
        parser.pushKey(key);
        parser.push(String(count));
      },
      transformReply: (reply: number) => reply,
    },
    stock: {
      NUMBER_OF_KEYS: 1,
      IS_READ_ONLY: true,
      parseCommand(parser: CommandParser, key: string) {
        parser.pushKey(key);
      },
      transformReply: (reply: number | null) => reply,
    },
  },
};

describe.each(KINDS)('scripts on %s', (kind) => {
  const { ok } = available(kind);
  let server: Server;
  let dir: string;
  let socketPath: string;
  const open: (() => void)[] = [];

  const start = async () => {
    server = await startServer(kind, { dir, directives: { unixsocket: socketPath } });
  };
  beforeAll(async () => {
    if (!ok) return;
    dir = mkdtempSync(join(tmpdir(), 'respite-scripts-'));
    socketPath = join(dir, 's.sock');
    await start();
  });
  afterAll(async () => {
    if (!ok) return;
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    if (!ok) return;
    await ask('FLUSHALL');
    await ask('SCRIPT', 'FLUSH');
    await ask('FUNCTION', 'FLUSH');
  });
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });

  function io(): Redis {
    const client = new Redis({ path: socketPath, retryStrategy: () => 20, scripts: {} });
    client.on('error', () => {});
    client.defineCommand('addUp', { numberOfKeys: 1, lua: ADD_UP });
    client.defineCommand('joined', { lua: JOINED });
    client.defineCommand('look', {
      ...{ numberOfKeys: 1, lua: "return redis.call('GET', KEYS[1])", readOnly: true },
    });
    client.defineCommand('back', { numberOfKeys: 0, lua: 'return ARGV[1]' });
    open.push(() => client.disconnect());
    return client;
  }

  async function node(RESP: 2 | 3) {
    const client = createClient({
      socket: { path: socketPath, tls: false, reconnectStrategy: () => 20 },
      ...{ RESP, scripts: SCRIPTS, functions: FUNCTIONS },
    });
    client.on('error', () => {});
    await client.connect();
    open.push(() => client.isOpen && client.destroy());
    return client;
  }

  async function ask(...command: string[]): Promise<unknown> {
    const connection = await server.connect();
    const reply = await connection.call(...command);
    connection.close();
    return reply;
  }

  /** The server ends and comes back at the same path, knowing nothing. */
  async function restart(): Promise<void> {
    await server.stop();
    await start();
  }

  describe.skipIf(!ok)('ioredis, defineCommand', () => {
    test('keys, arguments, bytes, errors', async () => {
      const client = io();
      expect(await client.addUp('sum', 1, 2, 3)).toBe(6);
      expect(await client.addUp('sum', '-10')).toBe(-4);
      expect(await client.joined(2, 'a', 'b', 'x')).toEqual(['a=x', 'b=?']);
      expect(await client.look('sum')).toBe('-4');
      expect(await client.look('none')).toBeNull();
      const bytes = Buffer.from([0, 255, 13, 10, 128, 36]);
      expect(await client.backBuffer(bytes)).toEqual(bytes);
      await client.set('text', 'abc');
      await expect(client.addUp('text', 1)).rejects.toThrow(
        /^ERR value is not an integer or out of range script: [0-9a-f]{40}, on @user_script:4\.$/,
      );
      await expect(client.addUp('sum', 'x')).rejects.toThrow(
        /^ERR user_script:3: attempt to perform arithmetic on a nil value script: /,
      );
      expect(await client.get('sum')).toBe('-4');
    });

    test('a pipeline and a transaction, after the scripts were forgotten', async () => {
      const client = io();
      await client.addUp('sum', 1);
      for (const forget of [() => ask('SCRIPT', 'FLUSH'), restart]) {
        await forget();
        await waitFor(() => client.set('sum', 1), { what: 'the connection', ...PATIENCE });
        const results = await client
          .pipeline()
          .addUp('sum', 4)
          .joined(1, 'k', 'v')
          .addUp('sum', 5)
          .exec();
        expect(results!.map(([error, value]) => error?.message ?? value)).toEqual([
          ...[5, ['k=v'], 10],
        ]);
        const done = await client.multi().set('sum', 2).addUp('sum', 3).look('sum').exec();
        expect(done!.map(([, value]) => value)).toEqual(['OK', 5, '5']);
      }
    });

    test('by hash, by text, by hash again', async () => {
      const client = io();
      const sha = (await client.script('LOAD', ADD_UP)) as string;
      expect(sha).toBe(createHash('sha1').update(ADD_UP).digest('hex'));
      expect(await client.evalsha(sha, 1, 'n', '2')).toBe(2);
      expect(await client.evalsha(sha.toUpperCase(), 1, 'n', '2')).toBe(4);
      for (const forget of [() => ask('SCRIPT', 'FLUSH', 'ASYNC'), restart]) {
        await client.set('n', 4);
        await forget();
        const asked = () => client.evalsha(sha, 1, 'n', '1').catch((error) => error.message);
        const answer = await waitFor(asked, { what: 'an answer', ...PATIENCE });
        expect(answer).toBe('NOSCRIPT No matching script. Please use EVAL.');
        expect(await client.script('EXISTS', sha, 'f'.repeat(40))).toEqual([0, 0]);
        await client.set('n', 4);
        expect(await client.eval(ADD_UP, 1, 'n', '1')).toBe(5);
        expect(await client.evalsha(sha, 1, 'n', '1')).toBe(6);
        expect(await client.script('EXISTS', sha)).toEqual([1]);
      }
    });
  });

  describe.skipIf(!ok).each([2, 3] as const)('node-redis, RESP%i', (RESP) => {
    test('defineScript', async () => {
      const client = await node(RESP);
      for (const forget of [async () => {}, () => ask('SCRIPT', 'FLUSH'), restart]) {
        await forget();
        await waitFor(() => client.set('sum', '0'), { what: 'the connection', ...PATIENCE });
        expect(await client.addUp('sum', 1, 2)).toBe(3);
        expect(await client.addUp('sum', 4)).toBe(7);
        expect(await client.look('sum')).toEqual(['7', 1, 1, null, 'end']);
        expect(await client.multi().addUp('sum', 1).look('none').exec()).toEqual([
          ...[8, [null, 1, 1, null, 'end']],
        ]);
      }
      await client.set('text', 'abc');
      await expect(client.addUp('text', 1)).rejects.toThrow(
        /not an integer or out of range script/,
      );
    });

    test('EVAL, EVALSHA, their read-only kin', async () => {
      const client = await node(RESP);
      const options = { keys: ['k'], arguments: ['5', 'x'] };
      expect(await client.eval('return {KEYS[1], ARGV[1], #ARGV}', options)).toEqual(['k', '5', 2]);
      const sha = await client.scriptLoad("return redis.call('SET', KEYS[1], ARGV[1])");
      expect(await client.evalSha(sha, options)).toBe('OK');
      await expect(client.evalShaRo(sha, options)).rejects.toThrow(
        /^ERR Write commands are not allowed from read-only scripts/,
      );
      expect(await client.evalRo("return redis.call('GET', KEYS[1])", options)).toBe('5');
      const maps = "redis.setresp(3) return redis.call('HGETALL', KEYS[1])";
      await client.del('k');
      await client.hSet('k', { a: '1' });
      const map = (await client.eval(maps, options)) as object;
      expect(RESP === 3 ? { ...map } : map).toEqual(RESP === 3 ? { a: '1' } : ['a', '1']);
      const kinds = "return {{double=1.5}, {ok='fine'}, {err='OWN it'}, {map={k='v'}}, false}";
      const replies = (await client.eval(kinds)) as unknown[];
      expect(replies.slice(0, 2)).toEqual([RESP === 3 ? 1.5 : '1.5', 'fine']);
      expect((replies[2] as Error).message).toBe('OWN it');
      expect(RESP === 3 ? { ...(replies[3] as object) } : replies[3]).toEqual(
        RESP === 3 ? { k: 'v' } : ['k', 'v'],
      );
      expect(replies[4]).toBeNull();
    });

    test('functions: loaded, called, listed, moved', async () => {
      const client = await node(RESP);
      expect(await client.functionLoad(LIBRARY)).toBe('shop');
      await expect(client.functionLoad(LIBRARY)).rejects.toThrow("Library 'shop' already exists");
      expect(await client.functionLoad(LIBRARY, { REPLACE: true })).toBe('shop');
      await client.set('apples', '10');
      expect(await client.shop.sell('apples', 4)).toBe(6);
      expect(await client.shop.stock('apples')).toBe(6);
      expect(await client.shop.stock('pears')).toBeNull();
      await expect(client.shop.sell('apples', 7)).rejects.toThrow('OUTOFSTOCK only 6 left');
      expect(await client.fCallRo('stock', { keys: ['apples'], arguments: [] })).toBe(6);
      await expect(client.fCallRo('sell', { keys: ['apples'], arguments: ['1'] })).rejects.toThrow(
        'Can not execute a script with write flag using *_ro command.',
      );
      const both = await client.multi().shop.sell('apples', 1).shop.stock('apples').exec();
      expect(both).toEqual([5, 5]);
      const [library] = (await client.functionList({ LIBRARYNAME: 'sh*' })) as unknown as {
        library_name: string;
        functions: { name: string }[];
      }[];
      expect(library!.library_name).toBe('shop');
      expect(library!.functions.map(({ name }) => name).sort()).toEqual(['sell', 'stock']);
      const dump = await client
        .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
        .functionDump();
      expect(await client.functionDelete('shop')).toBe('OK');
      await expect(client.shop.stock('apples')).rejects.toThrow('ERR Function not found');
      await client.functionRestore(dump as unknown as Buffer, { mode: 'REPLACE' });
      expect(await client.shop.stock('apples')).toBe(5);
    });
  });
});
