// Scripts where the server, or the user, may not: short of memory, a replica, a link that is down,
// too few replicas, users with few rights, transactions. Each row on redis-server and respite: the
// same replies.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawConnection } from '../support/connection.js';
import { available, type Server, startServer } from '../support/servers.js';

const missing = [available('redis'), available('respite')].find(({ ok }) => !ok);
const SET = "redis.call('set','k','1')";
const GET = "redis.call('get','k')";
const DEL = "redis.call('del','k')";

/** A script with flags in its first line. */
function flagged(flags: string, body: string): string {
  return `#!lua${flags === '' ? '' : ` flags=${flags}`}\n${body}`;
}

function script(body: string, ...keys: string[]): string[] {
  return ['EVAL', body, String(keys.length), ...keys];
}

const LIBRARY =
  '#!lua name=lib\n' +
  "redis.register_function('w',function() return redis.call('set','k','1') end)\n" +
  "redis.register_function{function_name='r',callback=function() return redis.call('get','k') " +
  "end,flags={'no-writes'}}\n" +
  "redis.register_function{function_name='o',callback=function() return redis.call('set','k','1')" +
  " end,flags={'allow-oom'}}\n" +
  "redis.register_function{function_name='s',callback=function() return redis.call('get','k') " +
  "end,flags={'allow-stale','no-writes'}}\n" +
  "redis.register_function{function_name='i',callback=function() return type(redis.call('info')) " +
  "end,flags={'allow-stale','no-writes'}}";

/** Scripts of every kind, to be run in a state of the server. */
const EVERY: readonly string[][] = [
  script(`return ${SET}`),
  script(`return ${GET}`),
  script(`return ${DEL}`),
  script(`${DEL} return ${SET}`),
  script(`return redis.pcall('set','k','1')`),
  script(`return redis.pcall('set','k','1').err`),
  script(`return redis.pcall('lpush','l','1')`),
  script(`return {redis.pcall('del','k'),redis.pcall('set','k','1')}`),
  script(flagged('', `return ${SET}`)),
  script(flagged('', `return ${GET}`)),
  script(flagged('no-writes', `return ${GET}`)),
  script(flagged('no-writes', `return ${SET}`)),
  script(flagged('no-writes', `return redis.pcall('set','k','1')`)),
  script(flagged('allow-oom', `return ${SET}`)),
  script(flagged('allow-oom', `return ${GET}`)),
  script(flagged('allow-oom,no-writes', `return ${GET}`)),
  script(flagged('allow-stale', `return ${GET}`)),
  script(flagged('allow-stale,no-writes', `return ${GET}`)),
  script(flagged('allow-stale,no-writes', 'return 1')),
  script(flagged('allow-stale', `return ${SET}`)),
  script(flagged('no-cluster', `return ${GET}`)),
  script(flagged('allow-cross-slot-keys', `return ${GET}`)),
  ['EVAL_RO', `return ${GET}`, '0'],
  ['EVAL_RO', `return ${SET}`, '0'],
  ['EVAL_RO', flagged('', `return ${GET}`), '0'],
  ['EVAL_RO', flagged('no-writes', `return ${GET}`), '0'],
  ['EVAL_RO', flagged('allow-oom', `return ${GET}`), '0'],
  ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '0'],
  ['EVALSHA_RO', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '0'],
  ['EVAL', 'return 1', '0'],
  ['EVAL', 'return redis.call("ping")', '0'],
  ['EVAL', 'return redis.call("nosuch")', '0'],
  ['EVAL', 'return redis.call("set","k")', '0'],
  ['EVAL', 'return redis.call("publish","c","m")', '0'],
  ['EVAL', 'return redis.call("pfcount","none")', '0'],
  ['FCALL', 'w', '0'],
  ['FCALL', 'r', '0'],
  ['FCALL', 'o', '0'],
  ['FCALL', 's', '0'],
  ['FCALL', 'none', '0'],
  ['FCALL_RO', 'w', '0'],
  ['FCALL_RO', 'r', '0'],
  ['FCALL_RO', 'o', '0'],
  ['FCALL_RO', 's', '0'],
  ['SCRIPT', 'LOAD', 'return 7'],
  ['SCRIPT', 'EXISTS', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db'],
];

/** The same in a transaction. */
const QUEUED: readonly string[][] = [
  ['MULTI'],
  script(`return ${SET}`),
  script(flagged('no-writes', `return ${GET}`)),
  ['FCALL', 'r', '0'],
  ['EXEC'],
];

describe.skipIf(missing !== undefined)('refused', () => {
  const servers: Server[] = [];
  const connections: RawConnection[] = [];

  beforeAll(async () => {
    servers.push(...(await Promise.all([startServer('redis'), startServer('respite')])));
  });

  afterAll(async () => {
    for (const connection of connections) connection.close();
    for (const server of servers) await server.stop();
  });

  /** The replies of each server, one command after the other on a connection of its own. */
  async function both(commands: readonly (readonly string[])[]): Promise<string[][]> {
    const out: string[][] = [];
    for (const server of servers) {
      const connection = await server.connect();
      connections.push(connection);
      const replies: string[] = [];
      for (const command of commands) {
        const reply = (await connection.command(...command)).toString('latin1');
        replies.push(`${command.join(' ')} => ${reply}`);
      }
      out.push(replies);
    }
    return out;
  }

  async function same(commands: readonly (readonly string[])[]): Promise<void> {
    const [theirs, ours] = await both(commands);
    expect(ours).toEqual(theirs);
  }

  const ready = [['FLUSHALL'], ['FUNCTION', 'FLUSH'], ['FUNCTION', 'LOAD', LIBRARY]];
  const set = (name: string, value: string): string[] => ['CONFIG', 'SET', name, value];

  test('with nothing in the way', () => same([...ready, ...EVERY, ...QUEUED]));

  test('short of memory', () =>
    same([
      ...ready,
      ['SET', 'k', '0'],
      set('maxmemory', '1'),
      ...EVERY,
      ...QUEUED,
      set('maxmemory', '0'),
    ]));

  test('short of memory: what a script has written before counts', () =>
    same([
      ...ready,
      set('maxmemory', '1'),
      script(`redis.pcall('lpop','l') return redis.pcall('set','k','1')`),
      script(`redis.call('get','l') return redis.pcall('set','k','1')`),
      script(`return {redis.pcall('set','k','1'),redis.pcall('get','k')}`),
      script(flagged('allow-oom', `${SET} return redis.call('append','k','2')`)),
      script(flagged('allow-oom', `return redis.pcall('nosuch')`)),
      ['EVAL', 'return 1', '0'],
      set('maxmemory', '0'),
    ]));

  test('a replica that does not know its master', () =>
    same([
      ...ready,
      ['REPLICAOF', '127.0.0.1', '1'],
      ...EVERY,
      ...QUEUED,
      set('replica-serve-stale-data', 'no'),
      ...EVERY,
      ['FCALL', 'i', '1', 'k'],
      set('replica-serve-stale-data', 'yes'),
      set('replica-read-only', 'no'),
      ...EVERY,
      set('replica-read-only', 'yes'),
      set('maxmemory', '1'),
      ...EVERY,
      set('maxmemory', '0'),
      ['REPLICAOF', 'NO', 'ONE'],
    ]));

  const users = [
    [
      'ACL',
      'SETUSER',
      'some',
      'on',
      'nopass',
      'resetkeys',
      '~a*',
      '%R~r*',
      '+@all',
      '-incr',
      '-@set',
    ],
    ['ACL', 'SETUSER', 'some', 'resetchannels', '&c*'],
    ['AUTH', 'some', 'x'],
  ];

  test.each([['call'], ['pcall']])('a user with few rights, redis.%s', (call) => {
    const run = (words: string, ...keys: string[]): string[] =>
      script(`return redis.${call}(${words})`, ...keys);
    return same([
      ...ready,
      ...users,
      run("'get','a1'"),
      run("'set','a1','1'"),
      run("'set','b1','1'"),
      run("'get','r1'"),
      run("'set','r1','1'"),
      run("'mget','a1','b1'"),
      run("'copy','r1','a1'"),
      run("'incr','a1'"),
      run("'sadd','a1','1'"),
      run("'publish','c1','m'"),
      run("'publish','d1','m'"),
      run("'config','get','port'"),
      run("'acl','whoami'"),
      run("'get','a1'", 'a1', 'a2'),
      run("'get','a1'", 'b1'),
      ['EVAL', "return redis.acl_check_cmd('get','a1')", '0'],
      ['EVAL', "return redis.acl_check_cmd('get','b1')", '0'],
      ['EVAL', "return redis.acl_check_cmd('incr','a1')", '0'],
      ['EVAL', "return redis.acl_check_cmd('publish','d1','m')", '0'],
      ['EVAL', "return redis.acl_check_cmd('nosuch')", '0'],
      ['EVAL', 'return redis.acl_check_cmd()', '0'],
      ['FCALL', 'w', '0'],
      ['FCALL', 'w', '1', 'b'],
      ['FCALL', 'r', '0'],
    ]);
  });

  test('a user who may not run scripts', () =>
    same([
      ...ready,
      [
        'ACL',
        'SETUSER',
        'none',
        'on',
        'nopass',
        '~*',
        '+@all',
        '-eval',
        '-@dangerous',
        '-script|load',
      ],
      ['AUTH', 'none', 'x'],
      ['EVAL', 'return 1', '0'],
      ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '0'],
      ['SCRIPT', 'LOAD', 'return 1'],
      ['SCRIPT', 'EXISTS', 'x'],
      ['FCALL', 'w', '0'],
    ]));

  test('in transactions, with watched keys', () =>
    same([
      ...ready,
      ['MULTI'],
      script(`${SET} return ${GET}`),
      script('error("x")'),
      script('return redis.call("multi")'),
      script('return redis.call("watch","a")'),
      ['EVALSHA', 'ffffffffffffffffffffffffffffffffffffffff', '0'],
      ['EVAL', 'syntax error here', '0'],
      ['EVAL', 'return 1', '-1'],
      ['FCALL', 'w', '0'],
      ['GET', 'k'],
      ['EXEC'],
      ['WATCH', 'k'],
      script(`return ${SET}`),
      ['MULTI'],
      ['GET', 'k'],
      ['EXEC'],
      ['WATCH', 'k'],
      script(`return ${GET}`),
      ['MULTI'],
      script(`redis.call('select','1') return redis.call('set','k1','x')`),
      ['GET', 'k'],
      ['EXEC'],
      ['WATCH', 'k'],
      ['EVAL', "return redis.call('exec')", '0'],
      ['EVAL', "return redis.pcall('unwatch')", '0'],
      ['MULTI'],
      ['EVAL', 'return 1'],
      ['EXEC'],
    ]));

  test('what may not be in a script', () =>
    same(
      [
        ...['multi', 'exec', 'discard', 'watch k', 'unwatch', 'subscribe c', 'psubscribe c'],
        ...['ssubscribe c', 'unsubscribe', 'monitor', 'auth x', 'hello', 'quit', 'reset'],
        ...['client kill 1', 'client reply off', 'eval return 0', 'evalsha x 0', 'fcall w 0'],
        ...[
          'script flush',
          'function flush',
          'config set maxmemory 0',
          'shutdown',
          'save',
          'bgsave',
        ],
        ...['replicaof no one', 'debug sleep 0', 'acl setuser x', 'lastsave', 'client id'],
        ...['asking', 'readonly', 'cluster info', 'failover', 'swapdb 0 1', 'role', 'slowlog get'],
      ].map((words) => {
        const list = words
          .split(' ')
          .map((word) => `'${word}'`)
          .join(',');
        return script(`local r=redis.pcall(${list}) return type(r)=='table' and r.err or type(r)`);
      }),
    ));
});
