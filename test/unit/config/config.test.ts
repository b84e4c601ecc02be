// Configuration without an oracle: sources and their order, quoting, includes, atomic CONFIG SET
// with listeners that refuse, secrets, effects.

import { expect, test } from 'vitest';
import { globMatches } from '../../../host/config/glob.js';
import {
  CLEANUP_PRESETS,
  Config,
  type ConfigSource,
  DIRECTIVES,
  formatConfigError,
  loadConfig,
  loadText,
} from '../../../host/config/index.js';
import { splitCommandLine } from '../../../host/config/load.js';
import { quoteArg, splitArgs } from '../../../host/config/split-args.js';

function source(files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const made: ConfigSource = {
    readText: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      return text;
    },
    readStdin: () => files['-'] ?? '',
    env,
    resolveDirectory: (path) => (path.includes('nowhere') ? undefined : path),
  };
  return made;
}

function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return formatConfigError(error, '1.0');
  }
  return 'no error';
}

test('words and quotes of a line', () => {
  expect(splitArgs('a "b c" \'d e\' f"g h"')).toEqual(['a', 'b c', 'd e', 'fg h']);
  expect(splitArgs('"\\x41\\n\\t\\"\\q" \'it\\\'s\'')).toEqual(['A\n\t"q', "it's"]);
  expect(splitArgs('"\\xc3\\xa4" ä')).toEqual(['ä', 'ä']);
  expect(splitArgs('')).toEqual([]);
  expect(splitArgs('""')).toEqual(['']);
  for (const bad of ['"a', "'a", '"a"b', "'a'b", 'x "']) expect(splitArgs(bad)).toBeUndefined();
  for (const text of ['', 'a b', 'tab\t"quote"', '\\', 'ä€😀', '\u0007\b\r\n\u0001']) {
    expect(splitArgs(`x ${quoteArg(text)}`)).toEqual(['x', text]);
  }
});

test('glob patterns never explode', () => {
  const start = Date.now();
  expect(globMatches(`${'*a'.repeat(2000)}b`, 'a'.repeat(200))).toBe(false);
  expect(Date.now() - start).toBeLessThan(500);
  expect(globMatches('\\hz', 'hz')).toBe(true);
  expect(globMatches('h[^a-y]', 'hz')).toBe(true);
  expect(globMatches('h[b-a]', 'ha')).toBe(true);
});

test('precedence: defaults, file, environment, arguments, options', () => {
  const world = source(
    {
      'my.conf': '# mine\ninclude more.conf\nport 1\nhz 11\ntimeout 5\n',
      'more.conf': 'port 9\ntcp-backlog 9',
    },
    { RESPITE_HZ: '12', RESPITE_REQUIREPASS: 'a b"c', RESPITE_REPLICAOF: 'h 7', RESPITE_WAT: '1' },
  );
  const { config, unknownEnv } = loadConfig({
    args: ['my.conf', '--hz', '13', '--maxmemory', '100mb', '--save', ''],
    options: { timeout: 6, replicaReadOnly: false, bind: ['127.0.0.1', '-::1'] },
    source: world,
  });
  expect(config.int('port')).toBe(1);
  expect(config.int('tcp-backlog')).toBe(9);
  expect(config.int('hz')).toBe(13);
  expect(config.int('timeout')).toBe(6);
  expect(config.str('requirepass')).toBe('a b"c');
  expect(config.replicaOf).toEqual({ host: 'h', port: 7 });
  expect(config.int('maxmemory')).toBe(104857600);
  expect(config.savePoints).toEqual([]);
  expect(config.bool('replica-read-only')).toBe(false);
  expect(config.list('bind')).toEqual(['127.0.0.1', '-::1']);
  expect(config.configFile).toBe('my.conf');
  expect(unknownEnv).toEqual(['RESPITE_WAT']);
  expect(new Config().int('port')).toBe(6380);
});

test('the command line as redis-server cuts it', () => {
  expect(splitCommandLine(['a.conf', '--port', '1', '--replicaof', 'h', '2', '-'])).toEqual({
    file: 'a.conf',
    isStdin: true,
    text: 'port "1"\nreplicaof "h" "2"',
  });
  expect(splitCommandLine(['--requirepass', '--x', '--save', '--port=5']).text).toBe(
    'requirepass "--x"\nsave ""\nport "5"',
  );
  const { config } = loadConfig({ args: ['-'], source: source({ '-': 'port 77' }) });
  expect(config.int('port')).toBe(77);
});

test('save lines add up at start; one CONFIG SET replaces them', async () => {
  const config = new Config();
  expect(config.text('save')).toBe('3600 1 300 100 60 10000');
  loadText(config, 'save 10 1\nsave 20 2');
  expect(config.text('save')).toBe('10 1 20 2');
  await config.set([['save', '5 5']]);
  expect(config.savePoints).toEqual([{ seconds: 5, changes: 5 }]);
});

test('errors name line, text and reason', () => {
  const world = source({
    'a.conf': 'port 1\n\n  bogus "a b" 1\n',
    'b.conf': 'include c.conf',
    'c.conf': '#\nhz "1',
  });
  expect(failure(() => loadConfig({ args: ['a.conf'], source: world }))).toBe(
    `\n*** FATAL CONFIG FILE ERROR (respite 1.0) ***\nReading the configuration file, at line 3\n` +
      `>>> 'bogus "a b" 1'\nBad directive or wrong number of arguments\nIn a.conf\n`,
  );
  expect(failure(() => loadConfig({ args: ['b.conf'], source: world }))).toContain(
    `at line 2\n>>> 'hz "1'\nUnbalanced quotes in configuration line\nIn c.conf`,
  );
  expect(failure(() => loadConfig({ args: ['none.conf'], source: world }))).toBe(
    "Fatal error, can't open config file 'none.conf': No such file or directory\n",
  );
  const loop = source({ 'x.conf': 'include x.conf' });
  expect(failure(() => loadConfig({ args: ['x.conf'], source: loop }))).toContain('too deeply');
  expect(failure(() => loadConfig({ options: { prot: 1 } }))).toContain('no such option');
  expect(failure(() => loadConfig({ options: { port: -1 } }))).toContain('between 0 and 65535');
  expect(failure(() => loadConfig({ args: ['--tls-port', '1'] }))).toContain('tls-cert-file');
});

test('secrets stay out of error texts', () => {
  for (const line of ['requirepass hush hush', 'masterauth "hush', 'user a >hush\nuser a >hush']) {
    const text = failure(() => loadText(new Config(), line));
    expect(text).toContain('FATAL');
    expect(text).not.toContain('hush');
  }
});

test('what would be unsafe to ignore stops the start; the rest is listed', () => {
  for (const line of ['rename-command FLUSHALL x', 'loadmodule x.so', 'sentinel x']) {
    expect(failure(() => loadText(new Config(), line))).toContain('FATAL');
  }
  const config = new Config();
  loadText(config, 'daemonize yes\nio-threads 4\nhz 20\nactiverehashing yes');
  expect(config.withoutEffect).toEqual(['io-threads', 'daemonize']);
});

test('users are kept with the place they were declared at', () => {
  const { config } = loadConfig({
    args: ['x.conf', '--user', 'b', 'off'],
    source: source({ 'x.conf': 'port 1\n\nuser a on ~x\n' }),
  });
  expect(config.users).toEqual([
    { name: 'a', rules: ['on', '~x'], file: 'x.conf', line: 3 },
    { name: 'b', rules: ['off'], file: 'the command line', line: 1 },
  ]);
  const both = ['--user', 'a', 'on', '--aclfile', 'x'];
  expect(failure(() => loadConfig({ args: both }))).toContain('but not both');
});

test('CONFIG SET is all or nothing, with listeners too', async () => {
  const config = new Config();
  const seen: string[] = [];
  config.onApply(['hz', 'timeout'], (now) => {
    seen.push(`a ${now.text('hz')} ${now.text('timeout')}`);
  });
  config.onApply(['maxclients'], async (now) => {
    await Promise.resolve();
    if (now.int('maxclients') > 100) return 'too many';
    return undefined;
  });
  config.onApply(['loglevel'], () => {
    throw new Error('cannot');
  });
  expect(
    await config.set([
      ['hz', '20'],
      ['timeout', '3'],
    ]),
  ).toEqual({ ok: true });
  expect(seen).toEqual(['a 20 3']);
  expect(
    await config.set([
      ['hz', '30'],
      ['maxclients', '101'],
    ]),
  ).toEqual({
    ok: false,
    error: "ERR CONFIG SET failed (possibly related to argument 'maxclients') - too many",
  });
  expect(config.text('hz')).toBe('20');
  expect(config.text('maxclients')).toBe('10000');
  expect(seen).toEqual(['a 20 3', 'a 30 3', 'a 20 3']);
  expect(await config.set([['loglevel', 'debug']])).toMatchObject({ ok: false });
  expect(config.text('loglevel')).toBe('notice');
  const both = [config.set([['hz', '40']]), config.set([['hz', 'x']])];
  expect((await Promise.all(both)).map((one) => one.ok)).toEqual([true, false]);
  expect(config.text('hz')).toBe('40');
});

test('protected directives follow enable-protected-configs', async () => {
  const refused = { ok: false };
  expect(await new Config().set([['dbfilename', 'x.rdb']])).toMatchObject(refused);
  const local = new Config();
  loadText(local, 'enable-protected-configs local');
  expect(await local.set([['dbfilename', 'x.rdb']])).toMatchObject(refused);
  expect(await local.set([['dbfilename', 'x.rdb']], { isLocal: true })).toEqual({ ok: true });
  expect(await local.set([['dbfilename', '../x']], { isLocal: true })).toMatchObject(refused);
});

test('clean-up presets and single settings', async () => {
  const config = new Config();
  expect(config.cleanup).toEqual(CLEANUP_PRESETS.default);
  await config.set([
    ['cleanup-preset', 'low-latency'],
    ['cleanup-max-rounds', '9'],
  ]);
  expect(config.cleanup).toEqual({ ...CLEANUP_PRESETS['low-latency'], maxRounds: 9 });
  await config.set([['cleanup-expired-threshold', '0.05']]);
  expect(config.cleanup.expiredThreshold).toBe(0.05);
  expect((await config.set([['cleanup-expired-threshold', '1.5']])).ok).toBe(false);
});

test('the table has no double names and every default parses', () => {
  const names = DIRECTIVES.flatMap((one) => [one.name, ...(one.alias ? [one.alias] : [])]);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name === name.toLowerCase())).toBe(true);
});
