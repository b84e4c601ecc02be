// Scripts that try to take everything: time, memory, the stack, or what is not theirs. Each ends in
// an error, within bounds of time and memory, and the server serves on. Limits are small here, so
// that they are reached soon.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCommand } from '../support/bytes.js';
import type { RawConnection } from '../support/connection.js';
import { type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const MEBI = 1 << 20;
/** Of the whole process, with all that these scripts do one after the other. */
const RESIDENT_MAX = 2500 * MEBI;
const PATIENCE_MS = 120_000;
const MEMORY = /^-ERR .*not enough memory/;
const FULL = /^-ERR .*(not enough memory|stack overflow)/;
const LATE = /^-ERR (Script ran too long where it cannot be interrupted|not enough memory)/;
const STACK = /^-ERR .*stack overflow/;
const READONLY = /^-ERR .*Attempt to modify a readonly table/;
const NO_GLOBAL = /^-ERR .*Script attempted to access nonexistent global variable/;

/** Scripts that make more than there may be. */
const MEMORY_BOMBS: readonly [string, RegExp][] = [
  ["local s='x' while true do s=s..s end", MEMORY],
  ["local s='' while true do s=s..('x'):rep(1e6) end", MEMORY],
  ["return string.rep('x',2^30)", MEMORY],
  ["return #(('x'):rep(2^20):rep(2^20))", MEMORY],
  ["local t={} for i=1,1e9 do t[i]=('x'):rep(2^22)..i t[i]:byte(5) end", MEMORY],
  ["local t={} for i=1,1000 do t[i]=('x'):rep(2^20) end return #table.concat(t)", MEMORY],
  ["local t={} for i=1,1e5 do t[i]='' end return #table.concat(t,('x'):rep(1e5))", MEMORY],
  ["local s=('x'):rep(2^26) return #string.format('%s%s%s%s%s',s,s,s,s,s)", MEMORY],
  ["return string.format('%1000000d',1)", /invalid format \(width or precision too long\)/],
  ["local s=('x'):rep(1e5) return #(s:gsub('x',s))", MEMORY],
  ["local s=('x'):rep(2^26) local t={s,s,s,s,s} return #cmsgpack.pack(t)", MEMORY],
  ["local s=('x'):rep(2^26) return #struct.pack('sssss',s,s,s,s,s)", MEMORY],
  ["return #struct.pack('c2000000000','x')", /string too short/],
  ["return struct.size(('c2000000000'):rep(10))", /^-ERR .*struct size overflow/],
  ['local t={} while true do t[#t+1]=1 end', MEMORY],
  ["local t={} local i=0 while true do i=i+1 t['k'..i]=i end", MEMORY],
  ['local t={} while true do t={t} end', MEMORY],
  ['local t={} local i=0 while true do i=i+1 t[i]={} end', MEMORY],
  ['local t={} local i=0 while true do i=i+1 t[i]=function() return i end end', MEMORY],
  ['local t={} local i=0 while true do i=i+1 t[i]=coroutine.create(function() end) end', MEMORY],
  ['local t={} local i=0 while true do i=i+1 t[i+0.5]=i end', MEMORY],
  [
    'local function f() pcall(function() local t={} while true do t={t} end end) end f() f()',
    MEMORY,
  ],
  [
    "local s=('x'):rep(2^26) local t={} for i=1,99 do t[i]=s end redis.call('del',unpack(t))",
    MEMORY,
  ],
  ["local s=('x'):rep(2^26) local t={} for i=1,9 do t[i]=s end return t", MEMORY],
  ['return {unpack({},1,1e8)}', /too many results to unpack/],
  ["return select('#',('x'):rep(1e7):byte(1,1e7))", /string slice too long/],
  ["return select('#',cmsgpack.unpack(('\\1'):rep(1e6)))", /too many return values at once/],
  ["return cmsgpack.unpack('\\221\\255\\255\\255\\255')", /Missing bytes in input/],
  ["return select('#',struct.unpack(('b'):rep(1e6),('x'):rep(1e6)))", /too many results/],
  [
    "local t={} for i=1,3e5 do t[i]=i..'.5,' end return loadstring('x={'..table.concat(t)..'}')",
    /^\$-1/,
  ],
];

/** Scripts that stay in functions of ours, which cannot be left in the middle. */
const TIME_BOMBS: readonly string[] = [
  'table.sort({1,2,3,4},function() while true do end end)',
  'table.foreach({1},function() while true do end end)',
  "local s=('x'):rep(2^20) while true do s:gsub('.-b','') end",
  'load(function() while true do end end)',
  "load(function() return ' ' end)",
  'return tostring(setmetatable({},{__tostring=function() while true do end end}))',
  'local m={__lt=function() while true do end end} return setmetatable({},m)<setmetatable({},m)',
  "return setmetatable({},{__concat=function() while true do end end})..'x'",
  'xpcall(error,function() while true do end end)',
  'local t={1} for i=1,100 do t={t,t} end return #cjson.encode(t)',
  'local t={1} for i=1,14 do local n={} for j=1,999 do n[j]=t end t=n end cmsgpack.pack(t)',
  'local t={1} for i=1,100 do t={t,t} end return t',
  "return #struct.pack(('x'):rep(2^26))",
  'table.insert({},-2e9,1)',
  "return string.find(('a'):rep(2000),('(.-)'):rep(30)..'b')",
  "return string.find(('a'):rep(3000),'.*.*.*.*.*b')",
  "return string.find(('('):rep(2e5),'%b()')",
  "return string.find(('a'):rep(1e5),'['..('b'):rep(1e5)..']')",
];

/** Nesting without end. */
const DEEP: readonly [string, RegExp][] = [
  ['local function f(n) return 1+f(n+1) end return f(1)', /user_script:1: stack overflow/],
  ['local function f(...) return 1+f(1,...) end return f()', FULL],
  [
    'local function f() local ok,e=pcall(f) if not ok then error(e,0) end end f()',
    /^-ERR C stack overflow/,
  ],
  ['local d=0 local function f() d=d+1 pcall(f) end f() return d', /^:199\r/],
  [
    'local d=0 local function f() d=d+1 return coroutine.wrap(f)() end pcall(f) return d',
    /^:199\r/,
  ],
  [
    "local d=0 local function f() d=d+1 return (('x'):gsub('.',f)) end pcall(f) return d",
    /^:198\r/,
  ],
  ['local d=0 local function f() d=d+1 table.sort({1,2,3},f) end pcall(f) return d', /^:198\r/],
  [
    'local t=setmetatable({},{}) getmetatable(t).__index=function(t,k) return t[k] end return t.x',
    /user_script:1: C stack overflow/,
  ],
  [
    'local t=setmetatable({},{}) getmetatable(t).__newindex=function(t,k) t[k]=1 end t.x=1',
    /user_script:1: C stack overflow/,
  ],
  [
    'local m={} m.__add=function(a,b) return a+b end local t=setmetatable({},m) return t+t',
    /user_script:1: C stack overflow/,
  ],
  [
    'local m={} m.__tostring=function(a) return tostring(a) end tostring(setmetatable({},m))',
    /^-ERR C stack overflow/,
  ],
  ['local t=setmetatable({},{}) getmetatable(t).__index=t return t.x', /loop in gettable/],
  ['local t={} for i=1,1e5 do t={t} end return cjson.encode(t)', /excessive nesting \(1001\)/],
  ['cjson.encode_max_depth(1e9) local t={} for i=1,1e5 do t={t} end return cjson.encode(t)', STACK],
  ['local t={} t.t=t return cjson.encode(t)', /excessive nesting|stack overflow/],
  ["return cjson.decode(('['):rep(1e5))", /too many nested data structures \(1001\)/],
  ["cjson.decode_max_depth(1e9) return cjson.decode(('['):rep(1e6))", STACK],
  ['local t={} t[1]=t return #cmsgpack.pack(t)', /^:17\r/],
  ["return cmsgpack.unpack(('\\145'):rep(1e6))", STACK],
  ['local t={} t[1]=t return t', /reached lua stack limit/],
  ["return {loadstring('return '..('('):rep(1e5)..'1')}", /^\*0/],
  ["return {loadstring(('do '):rep(1e5))}", /^\*0/],
  ["return string.find(('a'):rep(1e6),('a?'):rep(1e6))", /pattern too complex|stack overflow/],
];

/** Tricks with what all scripts share. */
const TRICKS: readonly [string, RegExp][] = [
  ["getmetatable('').__index=function() return 1 end", READONLY],
  ['setmetatable(_G,{})', READONLY],
  ["rawset(_G,'x',1)", READONLY],
  ['getmetatable(_G).__index=nil', READONLY],
  ['string.rep=nil', READONLY],
  ['redis.call=nil', READONLY],
  ['cjson.null=1', READONLY],
  ['table.insert(string,1)', READONLY],
  ['ARGV=nil', READONLY],
  ['x=1', READONLY],
  ...['getfenv', 'setfenv', 'newproxy', 'print', 'dofile', 'require', 'module'].map(
    (name): [string, RegExp] => [`return ${name}(1)`, NO_GLOBAL],
  ),
  ...['debug', 'io', 'package'].map((name): [string, RegExp] => [`return ${name}.x`, NO_GLOBAL]),
  ["return loadstring('\\27Lua')", /^\$-1/],
  ["return load(function() return '\\27Lua' end)", /^\$-1/],
  ['return loadstring(string.dump(function() end))', /unable to dump given function/],
  ["return loadstring('x=1')()", READONLY],
  ["collectgarbage('x')", /bad argument #1 to 'collectgarbage' \(invalid option 'x'\)/],
  ['error(setmetatable({},{__tostring=function() return 1 end}))', /^-ERR unknown error/],
  ['error({1})', /^-ERR unknown error/],
];

/** One whose scripts have a minute, so that only what they do ends them; one without patience. */
let patient: Server;
let server: Server;
const connections: RawConnection[] = [];

function start(threshold: string): Promise<Server> {
  return startServer('respite', {
    directives: { 'busy-reply-threshold': threshold, 'script-memory-limit': '32mb' },
    nodeArgs: ['--max-old-space-size=1000'],
  });
}

beforeAll(async () => {
  patient = await start('60000');
  server = await start('50');
});

afterAll(async () => {
  for (const connection of connections) connection.close();
  await patient.stop();
  await server.stop();
});

async function open(to = server): Promise<RawConnection> {
  const connection = await to.connect();
  connections.push(connection);
  return connection;
}

async function text(connection: RawConnection, ...args: string[]): Promise<string> {
  return (await connection.command(...args)).toString('latin1').trimEnd();
}

/** The most memory that the process ever had. */
function residentMost(of: Server): number {
  const status = readFileSync(`/proc/${of.pid}/status`, 'latin1');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

/** Runs a script that ends by itself; others are served when it has. */
async function run(to: Server, script: string): Promise<string> {
  const caller = await open(to);
  caller.send(encodeCommand(['EVAL', script, '0']));
  const reply = (await caller.reply(PATIENCE_MS))?.toString('latin1') ?? 'closed';
  expect(await text(await open(to), 'PING')).toBe('+PONG');
  await caller.command('SCRIPT', 'FLUSH');
  return reply;
}

describe('a script ends, and the server lives', () => {
  test.each(MEMORY_BOMBS)('memory: %s', async (script, expected) => {
    expect(await run(patient, script)).toMatch(expected);
  });

  test.each(TIME_BOMBS)('time: %s', async (script) => {
    expect(await run(server, script)).toMatch(LATE);
  });

  test.each(DEEP)('depth: %s', async (script, expected) => {
    expect(await run(patient, script)).toMatch(expected);
  });

  test.each(TRICKS)('tricks: %s', async (script, expected) => {
    expect(await run(patient, script)).toMatch(expected);
  });

  test('within bounds of memory', () => {
    expect(residentMost(patient)).toBeLessThan(RESIDENT_MAX);
    expect(residentMost(server)).toBeLessThan(RESIDENT_MAX);
  });
});

const BUSY_FUNCTION =
  '-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.';
const BUSY_SCRIPT = BUSY_FUNCTION.replace('FUNCTION', 'SCRIPT');

describe('ended by others', () => {
  beforeAll(async () => {
    const client = await open();
    const code =
      "#!lua name=l\nredis.register_function('loop',function() while true do end end)\n" +
      "redis.register_function('writes',function(k) redis.call('set',k[1],'1') " +
      'while true do end end)';
    expect(await text(client, 'FUNCTION', 'LOAD', code)).toBe('$1\r\nl');
  });

  /** Starts something endless and waits until others are told BUSY. */
  async function startEndless(busy: string, ...command: string[]): Promise<RawConnection[]> {
    const [caller, other] = [await open(), await open()];
    caller.send(encodeCommand(command));
    await waitFor(async () => (await text(other, 'GET', 'k')) === busy);
    return [caller, other];
  }

  test.each([
    'while true do end',
    'local function f(...) return f(1,...) end return f()',
    'local function f() return pcall(f) end while true do f() end',
    "while true do for a in ('x'):rep(1e4):gmatch('x') do end end",
    "while true do ('x'):rep(1000):gsub('x','y') end",
    'while true do table.sort({3,2,1},function(a,b) return a<b end) end',
    'local t=setmetatable({},{__index=function() return 1 end}) while true do local x=t.x end',
    'local y=coroutine.yield local f=coroutine.wrap(function() while true do y() end end) ' +
      'while true do f() end',
    'local t={} for i=1,1000 do t[i]=i end while true do for k in pairs(t) do end end',
    'while true do loadstring("return 1")() end',
    'while true do cjson.decode(cjson.encode({1,2,3})) end',
    'while true do pcall(string.rep) end',
    'while true do xpcall(error,function() end) end',
  ])('SCRIPT KILL: %s', async (script) => {
    const [caller, other] = (await startEndless(BUSY_SCRIPT, 'EVAL', script, '0')) as [
      RawConnection,
      RawConnection,
    ];
    expect(await text(other, 'FUNCTION', 'KILL')).toBe(BUSY_SCRIPT);
    expect(await text(other, 'SCRIPT', 'KILL')).toBe('+OK');
    expect((await caller.reply(PATIENCE_MS))?.toString()).toMatch(
      /^-ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}, on @user_script/,
    );
    expect(await text(other, 'PING')).toBe('+PONG');
  });

  test('FUNCTION KILL', async () => {
    const [caller, other] = (await startEndless(BUSY_FUNCTION, 'FCALL', 'loop', '0')) as [
      RawConnection,
      RawConnection,
    ];
    expect(await text(other, 'SCRIPT', 'KILL')).toBe(BUSY_FUNCTION);
    expect(await text(other, 'FUNCTION', 'STATS')).toContain('loop');
    expect(await text(other, 'FUNCTION', 'KILL')).toBe('+OK');
    expect((await caller.reply(PATIENCE_MS))?.toString()).toMatch(
      /^-ERR Script killed by user with FUNCTION KILL\.\.\. script: loop, on @user_function:2\./,
    );
    expect(await text(other, 'SCRIPT', 'KILL')).toMatch(/^-NOTBUSY /);
    expect(await text(other, 'FUNCTION', 'KILL')).toMatch(/^-NOTBUSY /);
  });

  test('UNKILLABLE, and SHUTDOWN NOSAVE', async () => {
    const [, other] = (await startEndless(BUSY_FUNCTION, 'FCALL', 'writes', '1', 'k')) as [
      RawConnection,
      RawConnection,
    ];
    expect(await text(other, 'FUNCTION', 'KILL')).toMatch(/^-UNKILLABLE /);
    expect(await text(other, 'SHUTDOWN')).toBe(BUSY_FUNCTION);
    other.send(encodeCommand(['SHUTDOWN', 'NOSAVE']));
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });
});
