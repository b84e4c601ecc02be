// Lua scripts written for Redis, run in this process: no server, no socket, no promise.
//
//   node examples/lua-demo/main.mjs
//
// The data is a core of its own (`createStorage`); a replica's `storage` does as well, see
// examples/replica-lua-demo.

import { createStorage, isRespiteError, LuaEngine } from 'respite/lua';

const storage = await createStorage();
const lua = new LuaEngine(storage, {
  strings: 'text', // results as text; bytes without it
  limitMs: 200, // no script runs for longer
  log: (level, text) => console.log(`redis.log ${level}: ${text}`),
});

// 1. A script: keys and arguments in, a result out, all of it atomic.
const move = lua.loadScript(`
  local have = tonumber(redis.call('GET', KEYS[1]) or 0)
  local sum = tonumber(ARGV[1])
  if have < sum then return redis.error_reply('POOR only ' .. have) end
  redis.call('DECRBY', KEYS[1], sum)
  return {have - sum, redis.call('INCRBY', KEYS[2], sum)}
`);
storage.set('account:anna', 100);
const [anna, ben] = lua.evalSha(move, ['account:anna', 'account:ben'], [30]);
console.log(`anna ${anna}, ben ${ben}`);

// 2. What a script raises or returns as an error is thrown, with Redis' text.
try {
  lua.evalSha(move, ['account:anna', 'account:ben'], [1000]);
} catch (error) {
  if (!isRespiteError(error)) throw error;
  console.log(`${error.code}: ${error.message}`);
}

// 3. Redis' libraries are there: cjson, cmsgpack, struct, bit.
const order = JSON.stringify({ items: [{ price: 3 }, { price: 4.5 }] });
const total = lua.eval(
  `local sum = 0
   for _, item in ipairs(cjson.decode(ARGV[1]).items) do sum = sum + item.price end
   redis.log(redis.LOG_NOTICE, 'summed up')
   return tostring(sum)`,
  [],
  [order],
);
console.log(`total ${total}`);

// 4. Functions: a library, loaded once, called by name. A sliding-window rate limiter.
lua.loadLibrary(`#!lua name=limits
  redis.register_function('allow', function(keys, args)
    local now, window, most = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
    redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', now - window)
    if redis.call('ZCARD', keys[1]) >= most then return false end
    redis.call('ZADD', keys[1], now, now)
    redis.call('PEXPIRE', keys[1], window)
    return true
  end)
`);
const answers = [0, 10, 20, 30, 1025].map((ms) => lua.fcall('allow', ['calls:me'], [ms, 1000, 3]));
// as everywhere in Redis: true is 1, false is null
console.log(`allowed: ${answers.map((one) => (one === 1 ? 'yes' : 'no')).join(' ')}`);

// 5. A script that does not end is ended.
try {
  lua.eval('while true do end');
} catch (error) {
  console.log(`${error.code}: ${error.message}`);
}

// 6. How fast it is here.
const get = lua.loadScript("return redis.call('GET', KEYS[1])");
const CALLS = 50_000;
const keys = ['account:ben'];
for (let i = 0; i < CALLS; i++) lua.evalSha(get, keys); // let the engine warm up
const startMs = performance.now();
for (let i = 0; i < CALLS; i++) lua.evalSha(get, keys);
const us = ((performance.now() - startMs) * 1000) / CALLS;
console.log(`a cached script with one GET: ${us.toFixed(2)} µs`);

lua.close();
storage.close();
