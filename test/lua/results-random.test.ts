// Random results of scripts: what LuaEngine makes of them is what redis-server answers.
// RESPITE_SEED=N repeats a run.

import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { RespiteError } from '../../host/errors.js';
import { LuaEngine } from '../../host/lua/engine.js';
import { createStorage } from '../../host/storage/open.js';
import { Prng, runSeed } from '../support/prng.js';
import { available, ROOT, type Server, startServer } from '../support/servers.js';

const PROGRAMS = 1000;
const wasm = new WebAssembly.Module(readFileSync(`${ROOT}build/core.wasm`));
const NUMBERS = ['0', '-0', '1', '-7', '3.5', '-3.5', '2^31', '2^53', '-2^53', '1e15', '1/3'];
const HUGE = ['2^60', '-2^62', '2^63', '-2^63', '0/0', '1/0', '-1/0', '1e300'];
const TEXTS = ["''", "'a'", "'two words'", "'\\0\\1'", "'\\r\\n'", "'12'", 'ARGV[1]', 'KEYS[1]'];

function value(r: Prng, depth: number): string {
  switch (r.below(depth > 3 ? 6 : 10)) {
    case 0:
      return r.pick(NUMBERS);
    case 1:
      return r.pick(HUGE);
    case 2:
      return r.pick(TEXTS);
    case 3:
      return r.pick(['true', 'false', 'nil', 'cjson.null', 'math.floor', 'KEYS', 'ARGV']);
    case 4:
      return r.pick([`{ok='fine'}`, `{err='ERR bad'}`, `{ok=1}`, `{err=false}`, `{other='x'}`]);
    case 5:
      return r.pick(["redis.call('GET', KEYS[1])", "redis.pcall('NOSUCH')", "redis.call('PING')"]);
    case 6:
      return `{x=${value(r, depth + 1)}, ${value(r, depth + 1)}}`;
    default:
      return `{${Array.from({ length: r.below(5) }, () => value(r, depth + 1)).join(', ')}}`;
  }
}

/** As `plain` of a reply: errors are their texts. */
function shown(result: unknown): unknown {
  if (Array.isArray(result)) return result.map(shown);
  if (result instanceof RespiteError) return `error ${result.message}`;
  if (result instanceof Error) return `error ${result.message}`;
  return typeof result === 'bigint' ? `${result}n` : result;
}

describe.skipIf(!available('redis').ok)('random results', () => {
  let server: Server;
  afterAll(() => server?.stop());

  test.each([1, runSeed()])('seed %i', async (seed) => {
    server ??= await startServer('redis');
    const client = await server.connect();
    const storage = await createStorage({ wasm });
    const engine = new LuaEngine(storage, { strings: 'text' });
    storage.set('key', 'value');
    await client.call('SET', 'key', 'value');
    const r = new Prng(seed);
    for (let i = 0; i < PROGRAMS; i++) {
      const script = `return ${value(r, 0)}`;
      const theirs = shown(await client.call('EVAL', script, 1, 'key', 'argument'));
      let ours: unknown;
      try {
        ours = shown(engine.eval(script, ['key'], ['argument']));
      } catch (error) {
        ours = shown(error);
      }
      expect([script, ours]).toEqual([script, theirs]);
    }
    engine.close();
    storage.close();
    client.close();
  });
});
