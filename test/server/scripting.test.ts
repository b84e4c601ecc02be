// Scripts on a whole server: what goes into the stream of effects, scripts that take too long, and
// those that try to take everything.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { effectsText, followedHost, takeEffects } from '../conformance/effects.js';
import { encodeCommand } from '../support/bytes.js';
import type { RawConnection } from '../support/connection.js';
import { type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const BUSY =
  '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.';
const LIBRARY =
  "#!lua name=lib\nredis.register_function('f', function(k, a) redis.call('set', k[1], a[1]) " +
  "return redis.call('incr', k[1]) end)";

async function text(connection: RawConnection, ...args: string[]): Promise<string> {
  return (await connection.command(...args)).toString('latin1').trimEnd();
}

test.each(['redis', 'respite'] as const)('%s: memory of scripts and functions', async (kind) => {
  const server = await startServer(kind);
  const client = await server.connect();
  const figures = async () => {
    const info = await text(client, 'INFO', 'memory');
    const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
    const stats = await client.call('MEMORY', 'STATS');
    const stat = (name: string) =>
      Number((stats as unknown[])[(stats as unknown[]).indexOf(name) + 1]);
    return {
      evalVm: figure('used_memory_vm_eval'),
      sources: figure('used_memory_scripts_eval'),
      functions: figure('used_memory_functions'),
      isTold:
        figure('used_memory_lua') === figure('used_memory_vm_eval') &&
        figure('used_memory_vm_total') ===
          figure('used_memory_vm_eval') + figure('used_memory_vm_functions') &&
        figure('used_memory_scripts') ===
          figure('used_memory_scripts_eval') + figure('used_memory_functions') &&
        stat('lua.caches') === figure('used_memory_scripts_eval') &&
        stat('functions.caches') === figure('used_memory_functions'),
    };
  };
  const empty = await figures();
  expect(empty).toMatchObject({ sources: 0, isTold: true });
  expect(empty.evalVm).toBeGreaterThan(10_000);
  await text(client, 'SCRIPT', 'LOAD', `return '${'x'.repeat(5000)}'`);
  await text(client, 'FUNCTION', 'LOAD', LIBRARY);
  const full = await figures();
  expect(full.isTold).toBe(true);
  expect(full.sources).toBeGreaterThan(5000);
  expect(full.sources).toBeLessThan(6000);
  expect(full.evalVm).toBeGreaterThan(empty.evalVm);
  expect(full.functions).toBeGreaterThan(empty.functions + LIBRARY.length);
  await text(client, 'SCRIPT', 'FLUSH');
  await text(client, 'FUNCTION', 'FLUSH');
  expect(await figures()).toMatchObject({ sources: 0, functions: empty.functions, isTold: true });
  client.close();
  await server.stop();
});

test.each(['redis', 'respite'] as const)('%s: INFO counts scripts and functions', async (kind) => {
  const server = await startServer(kind);
  const client = await server.connect();
  const counts = async () => {
    const names = /^number_of_(cached_scripts|functions|libraries):\d+/gm;
    return (await text(client, 'INFO', 'memory')).match(names)?.map((line) => line.slice(10));
  };
  await text(client, 'EVAL', 'return 1', '0');
  await text(client, 'SCRIPT', 'LOAD', 'return 2');
  await text(client, 'FUNCTION', 'LOAD', LIBRARY);
  expect(await counts()).toEqual(['cached_scripts:2', 'functions:1', 'libraries:1']);
  await text(client, 'SCRIPT', 'FLUSH');
  await text(client, 'FUNCTION', 'FLUSH');
  expect(await counts()).toEqual(['cached_scripts:0', 'functions:0', 'libraries:0']);
  client.close();
  await server.stop();
});

describe('effects', () => {
  const host = followedHost();
  const client = host.open();

  async function effects(...args: string[]): Promise<string> {
    await client.ask(encodeCommand(args));
    return effectsText(takeEffects(host)).replace('SELECT 0 ; ', '').toLowerCase();
  }

  test('writes alone, together, and none', async () => {
    await effects('SET', 'warm', 'up');
    const set = "redis.call('set',KEYS[1],'1')";
    expect(await effects('EVAL', `${set} return 1`, '1', 'a')).toBe('set a 1');
    expect(await effects('EVAL', `${set} redis.call('incr',KEYS[1])`, '1', 'a')).toBe(
      'multi ; set a 1 ; incr a ; exec',
    );
    expect(await effects('EVAL', "return redis.call('get',KEYS[1])", '1', 'a')).toBe('(nothing)');
    expect(await effects('EVAL', `${set} error('x')`, '1', 'a')).toBe('set a 1');
    expect(await effects('EVAL', "redis.pcall('incr','nope','x')", '0')).toBe('(nothing)');
    expect(await effects('EVAL', `redis.set_repl(redis.REPL_NONE) ${set}`, '1', 'a')).toBe(
      '(nothing)',
    );
  });

  test('of functions, and of the libraries themselves', async () => {
    expect(await effects('FUNCTION', 'LOAD', LIBRARY)).toBe(
      `function load ${LIBRARY}`.toLowerCase(),
    );
    expect(await effects('FCALL', 'f', '1', 'k', '5')).toBe('multi ; set k 5 ; incr k ; exec');
    expect(await effects('FUNCTION', 'LOAD', LIBRARY)).toBe('(nothing)');
    expect(await effects('FUNCTION', 'DELETE', 'lib')).toBe('function delete lib');
    expect(await effects('FUNCTION', 'FLUSH')).toBe('function flush');
  });

  test('inside a transaction they are part of it', async () => {
    await effects('MULTI');
    await effects('SET', 'x', '1');
    await effects('EVAL', "redis.call('incr','x') return redis.call('incr','x')", '0');
    expect(await effects('EXEC')).toBe('multi ; set x 1 ; incr x ; incr x ; exec');
  });

  test('canonical forms: expiries, members drawn at random, floats', async () => {
    host.nowMs = 1_700_000_000_000;
    await effects('SADD', 'set', 'm');
    await effects('SET', 'a', '1');
    const run = (body: string) => effects('EVAL', body, '0');
    expect(await run("redis.call('expire','a','10')")).toBe('pexpireat a 1700000010000');
    expect(await run("redis.call('set','b','1','ex','5')")).toBe('set b 1 pxat 1700000005000');
    expect(await run("redis.call('spop','set')")).toBe('srem set m');
    expect(await run("redis.call('incrbyfloat','a','1.5')")).toBe('set a 2.5 keepttl');
    expect(await run("redis.call('del','none') redis.call('sadd','set','x')")).toBe('sadd set x');
    expect(await run("redis.call('getdel','b') redis.call('persist','a')")).toBe(
      'multi ; del b ; persist a ; exec',
    );
    host.nowMs += 20_000;
  });

  test('what expires while a script looks at it', async () => {
    await effects('SET', 'gone', '1', 'PX', '5');
    host.nowMs += 10;
    expect(await effects('EVAL', "redis.call('get','gone') redis.call('incr','n')", '0')).toBe(
      'multi ; del gone ; incr n ; exec',
    );
    await effects('SET', 'gone', '1', 'PX', '5');
    host.nowMs += 10;
    expect(await effects('EVAL', "return redis.call('get','gone')", '0')).toBe('del gone');
  });

  test('set_repl for a part of a script; replicate_commands changes nothing', async () => {
    const body =
      "redis.replicate_commands() redis.set_repl(redis.REPL_NONE) redis.call('set','q','1') " +
      "redis.set_repl(redis.REPL_ALL) redis.call('set','r','1') return redis.call('time')";
    expect(await effects('EVAL', body, '0')).toBe('set r 1');
  });

  test('FUNCTION RESTORE verbatim', async () => {
    await effects('FUNCTION', 'LOAD', LIBRARY);
    const dump = (await client.ask(encodeCommand(['FUNCTION', 'DUMP']))).subarray(0);
    const payload = dump.subarray(dump.indexOf('\r\n') + 2, dump.length - 2);
    await effects('FUNCTION', 'FLUSH');
    await client.ask(encodeCommand(['FUNCTION', 'RESTORE', payload, 'REPLACE']));
    const sent = effectsText(takeEffects(host));
    expect(sent).toBe(`FUNCTION RESTORE ${payload.toString('latin1')} REPLACE`);
    await effects('FUNCTION', 'FLUSH');
  });

  test('a script in another database says so, and changes nobody else', async () => {
    const script = "redis.call('select','3') redis.call('set','y','1')";
    expect(await effects('EVAL', script, '0')).toBe('select 3 ; set y 1');
    expect(await effects('SET', 'z', '1')).toBe('set z 1');
  });
});

describe('limits', () => {
  let server: Server;
  const connections: RawConnection[] = [];

  beforeAll(async () => {
    server = await startServer('respite', { directives: { 'busy-reply-threshold': '100' } });
  });

  afterAll(async () => {
    for (const connection of connections) connection.close();
    await server.stop();
  });

  async function open(): Promise<RawConnection> {
    const connection = await server.connect();
    connections.push(connection);
    return connection;
  }

  /** Starts a script and waits until others are told BUSY. */
  async function start(script: string): Promise<{ caller: RawConnection; other: RawConnection }> {
    const [caller, other] = [await open(), await open()];
    caller.send(`*3\r\n$4\r\nEVAL\r\n$${script.length}\r\n${script}\r\n$1\r\n0\r\n`);
    await waitFor(async () => (await text(other, 'GET', 'k')) === BUSY);
    return { caller, other };
  }

  const ENDLESS = [
    'while true do end',
    'repeat until false',
    'for i=1,1/0 do end',
    'local function f() return f() end f()',
    'while true do pcall(function() while true do end end) end',
    'coroutine.wrap(function() while true do end end)()',
    'while true do pcall(error) end',
    "while true do redis.call('get','k') end",
  ];

  test.each(ENDLESS)('%s: BUSY for others, until SCRIPT KILL', async (script) => {
    const { caller, other } = await start(script);
    expect(await text(other, 'PING')).toBe(BUSY);
    expect(await text(other, 'FUNCTION', 'KILL')).toBe(BUSY);
    expect(await text(other, 'SCRIPT', 'KILL')).toBe('+OK');
    const reply = (await caller.reply())?.toString() ?? '';
    expect(reply).toMatch(
      /^-ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}/,
    );
    expect(await text(other, 'GET', 'k')).toBe('$-1');
    expect(await text(caller, 'PING')).toBe('+PONG');
  });

  test('one that has written cannot be killed, and goes on to its end', async () => {
    const script =
      "redis.call('set','w','1') local t=redis.call('time')[1] local n=0 " +
      "repeat n=n+1 until n==5e6 redis.call('incr','w') return 'done'";
    const { caller, other } = await start(script);
    expect(await text(other, 'SCRIPT', 'KILL')).toMatch(/^-UNKILLABLE /);
    expect((await caller.reply(60_000))?.toString()).toBe('$4\r\ndone\r\n');
    expect(await text(other, 'GET', 'w')).toBe('$1\r\n2');
    expect(await text(other, 'SCRIPT', 'KILL')).toMatch(/^-NOTBUSY /);
  });

  test('its client may go; the script can still be killed', async () => {
    const { caller, other } = await start('while true do end');
    caller.close();
    expect(await text(other, 'SCRIPT', 'KILL')).toBe('+OK');
    await waitFor(async () => (await text(other, 'PING')) === '+PONG');
  });

  test.each([
    ['table.sort({1,2,3,4},function() while true do end end)', /interrupted/],
    ["return ('x'):gsub('x',function() while true do end end)", /interrupted/],
    ['return setmetatable({},{__index=function() while true do end end}).x', /interrupted/],
    [
      "return string.find(string.rep('a',40),string.rep('a?',40)..string.rep('a',40)..'b')",
      /ERR|\*/,
    ],
  ])('%s ends by itself', async (script, expected) => {
    const client = await open();
    client.send(`*3\r\n$4\r\nEVAL\r\n$${script.length}\r\n${script}\r\n$1\r\n0\r\n`);
    expect((await client.reply(60_000))?.toString()).toMatch(expected);
    expect(await text(client, 'PING')).toBe('+PONG');
  });

  test('in a transaction a script ends by itself', async () => {
    const client = await open();
    await client.command('MULTI');
    await client.command('EVAL', 'while true do end', '0');
    client.send('*1\r\n$4\r\nEXEC\r\n');
    expect((await client.reply(60_000))?.toString()).toMatch(/interrupted/);
  });

  test.each([
    ["local s='x' while true do s=s..s end", /not enough memory/],
    ["return string.rep('x',2^30)", /not enough memory/],
    ["return string.rep('x',2^31)", /^\$0|not enough memory/],
    ['local function f(n) return 1+f(n+1) end return f(1)', /stack overflow/],
    ['local t={} for i=1,1e5 do t={t} end return cjson.encode(t)', /nesting/],
    ["return cjson.decode(string.rep('[',1e5))", /nested/],
    ['return {unpack({},1,1e8)}', /too many results/],
    ['local t=setmetatable({},{}) getmetatable(t).__index=t return t.x', /loop in gettable/],
    ['error(setmetatable({},{__tostring=function() return 1 end}))', /^-/],
    ['error({1})', /^-/],
    ["return loadstring('\\27Lua')", /^\$-1/],
  ])('%s', async (script, expected) => {
    const client = await open();
    client.send(`*3\r\n$4\r\nEVAL\r\n$${script.length}\r\n${script}\r\n$1\r\n0\r\n`);
    expect((await client.reply(60_000))?.toString()).toMatch(expected);
    expect(await text(client, 'PING')).toBe('+PONG');
  });
});
