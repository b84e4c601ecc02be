// LuaEngine over data of its own: results, errors, limits, functions; nothing of a server.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RespiteError } from '../../host/errors.js';
import { LuaEngine } from '../../host/lua/engine.js';
import { createStorage, type OwnStorage } from '../../host/storage/open.js';
import { RawConnection as Raw, type RawConnection } from '../support/connection.js';
import { ROOT, startServer } from '../support/servers.js';

const wasm = new WebAssembly.Module(readFileSync(`${ROOT}build/core.wasm`));
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

let storage: OwnStorage;
let engine: LuaEngine;
beforeAll(async () => {
  storage = await createStorage({ wasm });
  engine = new LuaEngine(storage, { strings: 'text' });
});
beforeEach(() => storage.flushAll());
afterAll(() => {
  engine.close();
  storage.close();
});

/** Code and text of what a call throws. */
function problem(call: () => unknown): [string, string] {
  try {
    call();
  } catch (error) {
    if (error instanceof RespiteError) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('results', () => {
  test.each([
    ['return nil', null],
    ['return', null],
    ['return false', null],
    ['return true', 1],
    ['return 42', 42],
    ['return 3.99', 3],
    ['return -3.99', -3],
    ['return -0.5', 0],
    ['return 2^53', 2n ** 53n],
    ['return 1e300', -(2n ** 63n)],
    ['return "text"', 'text'],
    ['return {1,"a",{2,{}},nil,5}', [1, 'a', [2, []]]],
    ['return {ok="FINE"}', 'FINE'],
    ['return redis.status_reply("GOOD")', 'GOOD'],
    ['return {double=1.5}', 1.5],
    ['return {big_number="123456789012345678901"}', 123456789012345678901n],
    ['return {map={a=1}}', new Map([['a', 1]])],
    ['return {set={x=true}}', ['x']],
    ['return {verbatim_string={format="txt",string="v"}}', 'v'],
    ['redis.setresp(3) return {true,false}', [true, false]],
    ['return tostring', null],
    ['return cjson.null', null],
    ['return redis.call("PING")', 'PONG'],
    ['return redis.call("INCR", "n")', 1],
  ])('%s', (script, result) => {
    expect(engine.eval(script)).toEqual(result);
  });

  test('strings are bytes unless text is asked for', () => {
    expect(engine.eval('return "\\255\\0a"', [], [], { strings: 'bytes' })).toEqual(
      bytes('\xff\0a'),
    );
    const other = new LuaEngine(storage);
    expect(other.eval('return {ARGV[1], {ok="s"}}', [], ['é'])).toEqual([bytes('\xc3\xa9'), 's']);
    expect(other.eval('return ARGV[1]', [], ['é'], { strings: 'text' })).toBe('é');
    expect(other.eval('return {map={["é"]=1}}')).toEqual(new Map([['é', 1]]));
    other.close();
  });

  test('keys and arguments are text, bytes and numbers', () => {
    const key = bytes('k\0\xff');
    const binary = Uint8Array.from({ length: 256 }, (_, i) => i);
    engine.eval("redis.call('SET', KEYS[1], ARGV[1])", [key], [binary]);
    expect(storage.get(key)).toEqual(binary);
    const lengths = 'return {#KEYS, #ARGV, #ARGV[1], ARGV[2], ARGV[3]}';
    expect(engine.eval(lengths, ['a', 'b'], ['é', 1.5, 10n])).toEqual([2, 3, 2, '1.5', '10']);
    const mine = ['a'];
    engine.eval("ARGV[1] = 'changed' KEYS[2] = 'more'", mine, mine);
    expect(mine).toEqual(['a']);
  });

  test('the same as through a server', async () => {
    const server = await startServer('redis');
    const client: RawConnection = await Raw.open(server.port);
    for (const [script, keys, args] of [
      ["return cjson.encode({1,2,{a='b'}})", [], []],
      ["redis.call('RPUSH', KEYS[1], unpack(ARGV)) return redis.call('LRANGE', KEYS[1], 0, -1)"],
      ["return {redis.call('TYPE', KEYS[1]), redis.sha1hex(''), tostring(1/3)}"],
      ["return {redis.pcall('GET', 'a', 'b').err, pcall(error, 'x')}"],
      ["return struct.pack('>I2', 258)"],
    ] as [string, string[]?, string[]?][]) {
      const [k, a] = [keys ?? ['list'], args ?? ['1', 'two', '3']];
      const reply = await client.call('EVAL', script, k.length, ...k, ...a);
      expect(JSON.stringify(engine.eval(script, k, a))).toBe(JSON.stringify(reply));
    }
    client.close();
    await server.stop();
  });
});

describe('scripts', () => {
  test('are known by their SHA-1 from being loaded or run', () => {
    const sha = engine.loadScript('return ARGV[1] .. 1');
    expect(sha).toMatch(/^[0-9a-f]{40}$/);
    expect(engine.evalSha(sha, [], ['a'])).toBe('a1');
    expect(engine.evalSha(sha.toUpperCase(), [], ['b'])).toBe('b1');
    engine.eval('return 77');
    const other = engine.loadScript('return 77');
    expect(engine.scriptExists(sha, '0'.repeat(40), other)).toEqual([true, false, true]);
    engine.flushScripts();
    expect(engine.scriptExists(sha, other)).toEqual([false, false]);
    expect(problem(() => engine.evalSha(sha))).toEqual([
      'ERR_RESPITE_REPLY',
      'NOSCRIPT No matching script. Please use EVAL.',
    ]);
  });

  test('use the selected database, and leave it selected', () => {
    storage.select(3);
    engine.eval("redis.call('SET', 'k', 'in three') redis.call('SELECT', 5)");
    expect([storage.currentDb, storage.getText('k')]).toEqual([3, 'in three']);
    storage.select(0);
    expect(storage.get('k')).toBeNull();
  });

  test('what one wrote before it failed stays', () => {
    const script = "redis.call('SET', 'a', 1) error('no more')";
    const sha = engine.loadScript(script);
    expect(problem(() => engine.eval(script))).toEqual([
      'ERR_RESPITE_REPLY',
      `ERR user_script:1: no more script: ${sha}, on @user_script:1.`,
    ]);
    expect(storage.getText('a')).toBe('1');
  });

  test('redis.log', () => {
    const lines: [string, string][] = [];
    const other = new LuaEngine(storage, { log: (...line) => lines.push(line) });
    other.eval("redis.log(redis.LOG_NOTICE, 'é', 1) redis.log(redis.LOG_DEBUG, 'd')");
    expect(lines).toEqual([
      ['notice', 'é 1'],
      ['debug', 'd'],
    ]);
    other.close();
  });

  test('one that is started by another of its own is refused, not mixed up with it', () => {
    const seen: unknown[] = [];
    const other = new LuaEngine(storage, {
      log: () => {
        seen.push(problem(() => other.eval('return 1'))[1]);
        seen.push(problem(() => other.loadLibrary('#!lua name=x\nreturn'))[1]);
      },
    });
    expect(other.eval("redis.log(redis.LOG_WARNING, 'x') return 5")).toBe(5);
    expect(seen).toEqual([expect.stringMatching(/^BUSY /), expect.stringMatching(/^BUSY /)]);
    expect(other.eval('return 1')).toBe(1);
    other.close();
  });
});

describe('errors', () => {
  test.each([
    ['x x', "ERR Error compiling script (new function): user_script:1: '=' expected near 'x'"],
    ["return redis.error_reply('MINE said so')", 'MINE said so'],
    ["return {err='A\\nB'}", 'A B'],
    ['#!lua nosuch\nreturn 1', 'ERR Unknown lua shebang option: nosuch'],
  ])('%s', (script, text) => {
    expect(problem(() => engine.eval(script))).toEqual(['ERR_RESPITE_REPLY', text]);
  });

  test.each([
    ["return redis.call('LPUSH', 's', 1)", /^WRONGTYPE Operation .* script: \w{40}, on @user/],
    ["return redis.call('NOSUCH')", /^ERR Unknown Redis command called from script script: /],
    ["return redis.call('GET')", /^ERR Wrong number of args calling Redis command from script/],
    ["return redis.call('SUBSCRIBE', 'c')", /^ERR This Redis command is not allowed from script/],
    ['return nosuch', /^ERR user_script:1: Script attempted to access nonexistent global variable/],
    ['local t = {} t[1] = t return t', /^ERR reached lua stack limit/],
  ])('%s', (script, text) => {
    storage.set('s', 'string');
    const call = () => {
      const value = engine.eval(script);
      // a table in itself has the error at its bottom
      let inner = value;
      while (Array.isArray(inner)) inner = inner[0]!;
      throw inner;
    };
    expect(problem(call)).toEqual(['ERR_RESPITE_REPLY', expect.stringMatching(text)]);
  });

  test('inside of an array they are values', () => {
    const [error, after] = engine.eval("return {redis.pcall('NOSUCH'), 2}") as unknown[];
    expect(error).toBeInstanceOf(RespiteError);
    expect(after).toBe(2);
  });

  test('readOnly, and flags', () => {
    const write = "return redis.call('SET', 'a', 1)";
    expect(problem(() => engine.eval(write, [], [], { readOnly: true }))[1]).toMatch(
      /^ERR Write commands are not allowed from read-only scripts\. script: /,
    );
    expect(problem(() => engine.eval(`#!lua flags=no-writes\n${write}`))[1]).toMatch(
      /^ERR Write commands are not allowed from read-only scripts\. script: /,
    );
    expect(problem(() => engine.eval(`#!lua\n${write}`, [], [], { readOnly: true }))[1]).toBe(
      'ERR Can not execute a script with write flag using *_ro command.',
    );
    expect(engine.eval(`#!lua\n${write}`)).toBe('OK');
  });

  test('options that are none', () => {
    expect(problem(() => new LuaEngine(storage, { limitMs: 0 }))).toEqual([
      'ERR_RESPITE_INVALID_CONFIG',
      'limitMs: must be a positive number',
    ]);
    expect(problem(() => new LuaEngine(storage, { memoryBytesMax: -1 }))[0]).toBe(
      'ERR_RESPITE_INVALID_CONFIG',
    );
  });
});

describe('limits', () => {
  test.each([
    ['an endless loop', 'while true do end'],
    ['one that catches everything', 'while true do pcall(function() while true do end end) end'],
    ['one in a coroutine', 'coroutine.wrap(function() while true do end end)()'],
    ['one in a comparison', 'local t={3,2,1} table.sort(t, function() while true do end end)'],
    ['one of calls', "while true do redis.call('INCR', 'n') end"],
    ['a result without end', 'local t = {} t[1] = t t[2] = t return t'],
  ])('%s is ended', (_, script) => {
    const quick = new LuaEngine(storage, { limitMs: 50 });
    expect(problem(() => quick.eval(script))).toEqual([
      'ERR_RESPITE_TIMEOUT',
      'ERR The script was ended: it ran for more than 50 ms',
    ]);
    expect(quick.eval('return 1')).toBe(1);
    quick.close();
    expect(storage.exists('n')).toBeLessThan(2);
  });

  test('recursion', () => {
    const deep = 'local function f(n) return 1 + f(n + 1) end return f(1)';
    expect(problem(() => engine.eval(deep))[1]).toMatch(/stack overflow/);
    expect(engine.eval('return 1')).toBe(1);
  });

  test('memory of a script', () => {
    const small = new LuaEngine(storage, { limitMs: 60_000, memoryBytesMax: 32 << 20 });
    const grow = 'local t = {} for i = 1, 1e8 do t[i] = {tostring(i)} end';
    expect(problem(() => small.eval(grow))[1]).toMatch(/not enough memory/);
    expect(small.eval('return 1')).toBe(1);
    small.close();
  });

  test('memory of the storage', async () => {
    const small = await createStorage({ wasm, memoryBytesMax: 16 << 20 });
    const inSmall = new LuaEngine(small, { limitMs: 60_000 });
    const fill = "for i = 1, 1e5 do redis.call('SET', 'k' .. i, string.rep('x', 1024)) end";
    expect(problem(() => inSmall.eval(fill))[1]).toMatch(/OOM|not enough memory/);
    small.flushAll();
    expect(inSmall.eval('return 1')).toBe(1);
    inSmall.close();
    small.close();
  });

  test('after close', async () => {
    const own = await createStorage({ wasm });
    const closed = new LuaEngine(own);
    closed.close();
    closed.close();
    expect(problem(() => closed.eval('return 1'))[0]).toBe('ERR_RESPITE_CLOSED');
    const left = new LuaEngine(own);
    own.close();
    expect(problem(() => left.eval('return 1'))[0]).toBe('ERR_RESPITE_CLOSED');
  });
});

describe('functions', () => {
  const LIBRARY = `#!lua name=lib
redis.register_function('add', function(k, a) return redis.call('INCRBY', k[1], a[1]) end)
redis.register_function{function_name='see', description='looks', flags={'no-writes'},
  callback=function(keys) return redis.call('GET', keys[1]) end}`;

  test('are loaded, called, listed and deleted', () => {
    expect(engine.loadLibrary(LIBRARY)).toBe('lib');
    expect(engine.fcall('add', ['n'], [5])).toBe(5);
    expect(engine.fcall('SEE', ['n'], [], { readOnly: true })).toBe('5');
    expect(engine.libraries).toEqual([
      {
        name: 'lib',
        functions: [
          { name: 'add', description: undefined, flags: [] },
          { name: 'see', description: 'looks', flags: ['no-writes'] },
        ],
      },
    ]);
    expect(problem(() => engine.loadLibrary(LIBRARY))[1]).toBe("ERR Library 'lib' already exists");
    expect(engine.loadLibrary(LIBRARY, { replace: true })).toBe('lib');
    expect(problem(() => engine.fcall('add', ['n'], [1], { readOnly: true }))[1]).toBe(
      'ERR Can not execute a script with write flag using *_ro command.',
    );
    expect([engine.deleteLibrary('lib'), engine.deleteLibrary('lib')]).toEqual([true, false]);
    expect(problem(() => engine.fcall('add'))[1]).toBe('ERR Function not found');
  });

  test('one without an end is ended', () => {
    const quick = new LuaEngine(storage, { limitMs: 50 });
    quick.loadLibrary(
      "#!lua name=x\nredis.register_function('x', function() while true do end end)",
    );
    expect(problem(() => quick.fcall('x'))[0]).toBe('ERR_RESPITE_TIMEOUT');
    quick.deleteLibrary('x');
    quick.close();
  });

  test('the async calls are the same where nothing is redirected', async () => {
    engine.loadLibrary(LIBRARY);
    expect(await engine.evalAsync('return ARGV[1]', [], ['x'])).toBe('x');
    expect(await engine.evalShaAsync(engine.loadScript('return 2'))).toBe(2);
    expect(await engine.fcallAsync('add', ['n'], [3])).toBe(3);
    await expect(engine.evalShaAsync('nosuch')).rejects.toThrow(/^NOSCRIPT/);
    engine.deleteLibrary('lib');
  });
});

describe('createStorage', () => {
  test('commands of servers say that there is none', () => {
    expect(problem(() => storage.call('INFO'))[1]).toMatch(/^ERR INFO needs a server/);
  });

  test('keys expire without being looked at', async () => {
    storage.call('SET', 'gone', 1, 'PX', 1);
    for (let i = 0; storage.keyCount > 0 && i < 500; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(storage.keyCount).toBe(0);
  });

  test('databases and their number', async () => {
    const two = await createStorage({ wasm: readFileSync(`${ROOT}build/core.wasm`), databases: 2 });
    expect(problem(() => two.select(2))[1]).toBe('ERR DB index is out of range');
    two.close();
  });
});
