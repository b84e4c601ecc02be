// LuaEngine on data that clients have too: its effects, those who wait for keys or track them, and
// who may run while another's script is suspended.

import { beforeEach, describe, expect, test } from 'vitest';
import { LuaEngine } from '../../host/lua/engine.js';
import { Storage } from '../../host/storage/storage.js';
import { effectsText, followedHost, takeEffects } from '../conformance/effects.js';
import type { MemoryClient, MemoryHost } from '../sim/memory-host.js';
import { encodeCommand } from '../support/bytes.js';

let host: MemoryHost;
let client: MemoryClient;
let engine: LuaEngine;
/** Handles that had something to be sent. */
let ready: number;
beforeEach(() => {
  host = followedHost();
  client = host.open();
  ready = 0;
  const clock = { nowMs: () => host.nowMs, defer: (fn: () => void) => void setImmediate(fn) };
  const storage = new Storage(host.core, clock, 0, { onReady: () => void ready++ });
  engine = new LuaEngine(storage, { strings: 'text' });
  takeEffects(host);
});

const ask = async (...args: string[]): Promise<string> =>
  (await client.ask(encodeCommand(args))).toString('latin1').trimEnd();

describe('effects', () => {
  test.each([
    ["return redis.call('GET', 'a')", '(nothing)'],
    ["return redis.call('SET', 'a', 1)", 'SET a 1'],
    ["redis.call('SET', 'a', 1) redis.call('INCR', 'a')", 'MULTI ; SET a 1 ; INCR a ; EXEC'],
    [
      "redis.call('SELECT', 2) redis.call('SET', 'b', 2) redis.call('GET', 'b')",
      'SELECT 2 ; SET b 2',
    ],
    ["redis.call('SADD', 's', 1) redis.pcall('INCR', 's')", 'SADD s 1'],
    ["redis.set_repl(redis.REPL_NONE) redis.call('SET', 'a', 1)", '(nothing)'],
  ])('%s', async (script, effects) => {
    // the database is said in front of the first effect, whatever that is
    await ask('SET', 'other', '1');
    takeEffects(host);
    engine.eval(script);
    const ours = effectsText(takeEffects(host));
    expect(ours).toBe(effects);
    await ask('FLUSHALL');
    takeEffects(host);
    await ask('EVAL', script, '0');
    expect(effectsText(takeEffects(host)).replace('SELECT 0 ; ', '')).toBe(ours);
  });

  test('of one that failed are those until then', () => {
    expect(() => engine.eval("redis.call('SET', 'a', 1) error('x')")).toThrow();
    expect(effectsText(takeEffects(host))).toBe('SELECT 0 ; SET a 1');
  });

  test('time stands still for a script, and goes on between two', () => {
    const now = "local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000)";
    const [first, second] = engine.eval(
      "redis.call('SET', 'k', 1, 'PX', 500) " +
        "local function left() return redis.call('PTTL', 'k') end return {left(), left()}",
    ) as number[];
    expect([first, second]).toEqual([500, 500]);
    expect(typeof engine.eval(now)).toBe('number');
  });
});

describe('others', () => {
  test('a client that waits for a key is served when the script is over', async () => {
    await client.send(encodeCommand(['BLPOP', 'list', '0']));
    expect(
      engine.eval("redis.call('RPUSH', 'list', 'a', 'b') return redis.call('LLEN', 'list')"),
    ).toBe(2);
    expect(client.take().toString()).toBe('*2\r\n$4\r\nlist\r\n$1\r\na\r\n');
    expect(ready).toBeGreaterThan(0);
    expect(effectsText(takeEffects(host))).toMatch(/RPUSH list a b.*LPOP list/);
  });

  test('who tracks a key is told', async () => {
    await ask('HELLO', '3');
    await ask('CLIENT', 'TRACKING', 'ON');
    await ask('GET', 'k');
    engine.eval("redis.call('SET', 'k', 1)");
    expect(client.take().toString()).toContain('invalidate');
  });

  test('messages reach subscribers', async () => {
    await client.send(encodeCommand(['SUBSCRIBE', 'news']));
    client.take();
    expect(engine.eval("return redis.call('PUBLISH', 'news', 'x')")).toBe(1);
    expect(client.take().toString()).toContain('message');
  });

  test('WATCH sees what a script changed', async () => {
    await ask('WATCH', 'k');
    engine.eval("redis.call('SET', 'k', 1)");
    await ask('MULTI');
    await ask('GET', 'k');
    expect(await ask('EXEC')).toBe('*-1');
  });

  test("clients' scripts, and functions of either side", async () => {
    expect(await ask('EVAL', "return redis.call('SET', 'k', 'theirs')", '0')).toBe('+OK');
    expect(engine.eval("return redis.call('GET', 'k')")).toBe('theirs');
    const library = (name: string) =>
      `#!lua name=${name}\nredis.register_function('${name}', function() return '${name}' end)`;
    await ask('FUNCTION', 'LOAD', library('theirs'));
    expect(engine.fcall('theirs')).toBe('theirs');
    engine.loadLibrary(library('ours'));
    expect(await ask('FCALL', 'ours', '0')).toBe('$4\r\nours');
  });
});

test('where memory grows while a script runs', () => {
  const growing = followedHost({ memory: { reserve: false, memoryBytesMax: 256 << 20 } });
  const clock = { nowMs: () => growing.nowMs, defer: (fn: () => void) => void setImmediate(fn) };
  const inGrowing = new LuaEngine(new Storage(growing.core, clock), { limitMs: 60_000 });
  const before = growing.core.bytes.length;
  const script = `
    for i = 1, 5000 do redis.call('SET', 'k' .. i, string.rep(tostring(i), 1000)) end
    local bad = 0
    for i = 1, 5000 do
      if redis.call('GET', 'k' .. i) ~= string.rep(tostring(i), 1000) then bad = bad + 1 end
    end
    return {bad, redis.call('DBSIZE'), redis.call('GET', 'k5000')}`;
  const [bad, size, last] = inGrowing.eval(script) as [number, number, Uint8Array];
  expect([bad, size, Buffer.from(last).toString()]).toEqual([0, 5000, '5000'.repeat(1000)]);
  expect(growing.core.bytes.length).toBeGreaterThan(before);
});

describe('states of the data', () => {
  test('loading', () => {
    host.core.x.setLoadingState(true, false);
    expect(() => engine.eval('return 1')).toThrow(
      expect.objectContaining({ code: 'ERR_RESPITE_SYNC_IN_PROGRESS' }),
    );
    host.core.x.setLoadingState(false, false);
    expect(engine.eval('return 1')).toBe(1);
  });

  test('a replica, read-only and not', async () => {
    host.core.x.setReplica(true, true);
    const write = "return redis.call('SET', 'a', 1)";
    expect(() => engine.eval(write)).toThrow(
      expect.objectContaining({
        code: 'ERR_RESPITE_READ_ONLY',
        message: expect.stringMatching(/^READONLY You can't write against a read only replica\. s/),
      }),
    );
    expect(() => engine.eval(`#!lua\n${write}`)).toThrow(
      "READONLY You can't write against a read only replica.",
    );
    expect(engine.eval("#!lua flags=no-writes\nreturn redis.call('GET', 'a')")).toBeNull();
    host.core.x.setReplica(true, false);
    expect(engine.eval(write)).toBe('OK');
  });

  test('a link that is down', () => {
    host.core.x.setMasterLinkDown(true);
    expect(engine.eval('return 1')).toBe(1);
    expect(() => engine.eval("return redis.call('GET', 'a')")).toThrow(
      /^ERR Can not execute the command on a stale replica/,
    );
    expect(() => engine.eval('#!lua flags=no-writes\nreturn 1')).toThrow(
      expect.objectContaining({ code: 'ERR_RESPITE_NOT_CONNECTED' }),
    );
  });

  test('memory beyond the limit', () => {
    host.core.x.configureMemory(1, false, 10, 1);
    const set = "return redis.call('SET', 'a', 1)";
    expect(() => engine.eval(set)).toThrow(/^OOM command not allowed when used memory/);
    expect(() => engine.eval(`#!lua\n${set}`)).toThrow(/^OOM command not allowed when used memory/);
    expect(engine.eval(`#!lua flags=allow-oom\n${set}`)).toBe('OK');
  });
});
