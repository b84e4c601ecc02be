// The command line with a stand-in for the server: what reaches it, what is printed, exit codes,
// signals.

import { beforeEach, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../host/cli/engine.js';
import { parseListen, parseMasterUrl } from '../../host/cli/master-url.js';
import { runProgram } from '../../host/cli/program.js';
import type { Config } from '../../host/config/index.js';
import { createNodePlatform } from '../../host/platform/node.js';
import type { Platform, Signal } from '../../host/platform/platform.js';

let out = '';
let err = '';
let exits: number[] = [];
let signals: Partial<Record<Signal, () => void>> = {};
let started: { kind: string; config: Config } | undefined;
let env: Record<string, string> = {};

beforeEach(() => {
  [out, err, exits, signals, started, env] = ['', '', [], {}, undefined, {}];
});

function fakePlatform(): Platform {
  const real = createNodePlatform();
  return {
    ...real,
    process: {
      ...real.process,
      pid: 1,
      stdoutIsTty: false,
      env,
      writeStdout: (text) => {
        out += text;
      },
      writeStderr: (text) => {
        err += text;
      },
      onSignal: (signal, fn) => {
        signals[signal] = fn;
        return () => {};
      },
      exit: (code) => {
        exits.push(code);
      },
    },
  };
}

/** Runs a command line against a server that behaves as told. */
function run(args: string[], server: Partial<RunningServer> & { fail?: Error } = {}) {
  const platform = fakePlatform();
  return runProgram(args, {
    platform,
    load: async (kind) => async (config) => {
      started = { kind, config };
      if (server.fail) throw server.fail;
      return {
        address: server.address ?? ['127.0.0.1:6380'],
        close: server.close ?? (async () => {}),
        done: server.done ?? new Promise<void>(() => {}),
      };
    },
  });
}

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
/** Quiet, so that only the announcement goes to standard output. */
const QUIET = ['--loglevel', 'warning', '--logfile', '/dev/null'];

describe('help and mistakes', () => {
  test('--help, help serve, serve --help, --version', async () => {
    expect(await run(['--help'])).toBe(0);
    expect(out).toContain('replicate');
    for (const args of [
      ['help', 'serve'],
      ['serve', '--help'],
      ['serve', '--port', '1', '-h'],
    ]) {
      out = '';
      expect(await run(args)).toBe(0);
      expect(out).toContain('respite serve --replicaof');
    }
    out = '';
    expect(await run(['--version'])).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+/);
    expect(started).toBeUndefined();
  });

  test('exit code 2 and the reason for what is wrong', async () => {
    for (const [args, text] of [
      [['nosuch'], 'unknown command'],
      [['--nosuch'], 'unknown option'],
      [['serve', '--nosuch', '1'], 'Bad directive or wrong number of arguments'],
      [['serve', '--port', '99999'], 'between 0 and 65535'],
      [['serve', '/no/such.conf'], "can't open config file"],
      [['replicate'], 'address of the master is missing'],
      [['replicate', 'http://x'], 'redis://'],
      [['replicate', 'redis://x', '--listen', 'zz'], '--listen'],
    ] as const) {
      err = '';
      expect(await run([...args])).toBe(2);
      expect(err).toContain(text);
    }
    expect(await run([])).toBe(2);
    expect(started).toBeUndefined();
  });

  test('a secret on a wrong line is not printed', async () => {
    expect(await run(['serve', '--requirepass', 'hush', 'hush'])).toBe(2);
    expect(err).toContain('requirepass [redacted]');
    expect(err).not.toContain('hush');
  });

  test('a start that fails is exit code 1', async () => {
    expect(await run(['serve', ...QUIET], { fail: new Error('EADDRINUSE here') })).toBe(1);
    expect(err).toContain('EADDRINUSE here');
  });
});

describe('serve and replicate', () => {
  test('serve hands any directive on and announces itself on standard output', async () => {
    const done = Promise.resolve();
    const args = ['serve', '--port', '7', '--replicaof', 'h', '9', '--save', '', ...QUIET];
    expect(await run(args, { done })).toBe(0);
    expect(out).toBe('Ready to accept connections at 127.0.0.1:6380\n');
    expect(started?.kind).toBe('serve');
    expect(started?.config.int('port')).toBe(7);
    expect(started?.config.replicaOf).toEqual({ host: 'h', port: 9 });
    expect(started?.config.savePoints).toEqual([]);
  });

  test('replicate sets master, user, password, listener', async () => {
    const done = Promise.resolve();
    const url = 'redis://me:p%40ss@10.1.2.3:7000/0';
    expect(await run(['replicate', url, '--listen', '*:7001', ...QUIET], { done })).toBe(0);
    const { kind, config } = started!;
    expect(kind).toBe('replicate');
    expect(config.replicaOf).toEqual({ host: '10.1.2.3', port: 7000 });
    expect(config.str('masteruser')).toBe('me');
    expect(config.str('masterauth')).toBe('p@ss');
    expect(config.list('bind')).toEqual(['*']);
    expect(config.int('port')).toBe(7001);
    expect(config.savePoints).toEqual([]);
    expect(config.withoutEffect).toEqual([]);
  });

  test('replicate: defaults give way to options and environment', async () => {
    env = { RESPITE_MASTERAUTH: 'from env', RESPITE_PORT: '7002' };
    const args = ['replicate', '--hz', '20', 'rediss://host', ...QUIET];
    expect(await run(args, { done: Promise.resolve() })).toBe(0);
    const { config } = started!;
    expect(config.str('masterauth')).toBe('from env');
    expect(config.int('port')).toBe(7002);
    expect(config.list('bind')).toEqual(['127.0.0.1']);
    expect(config.bool('tls-replication')).toBe(true);
    expect(config.replicaOf).toEqual({ host: 'host', port: 6379 });
  });

  test('addresses', () => {
    expect(parseMasterUrl('h:1').directives.replicaof).toEqual(['h', '1']);
    expect(parseMasterUrl('redis://[::1]:5').directives.replicaof).toEqual(['::1', '5']);
    expect(parseMasterUrl('redis://:pw@h').directives.masterauth).toBe('pw');
    expect(parseMasterUrl('redis://h/3').ignoredPath).toBe('3');
    expect(() => parseMasterUrl('redis://:a/b@h')).toThrow('%2F');
    expect(parseListen('[::1]:5')).toEqual({ bind: ['::1'], port: '5' });
    expect(parseListen(':5')).toEqual({ bind: ['127.0.0.1'], port: '5' });
    expect(parseListen('5')).toEqual({ bind: ['127.0.0.1'], port: '5' });
    expect(parseListen('/tmp/s')).toEqual({ unixsocket: '/tmp/s', port: '0' });
    for (const bad of ['', 'x', 'h:70000', '::1:5']) expect(() => parseListen(bad)).toThrow();
  });
});

describe('the end', () => {
  test('SIGTERM closes and exits 0', async () => {
    let closed = 0;
    const end = run(['serve', ...QUIET], {
      close: async () => {
        closed++;
      },
    });
    while (signals.SIGTERM === undefined) await sleep(1);
    signals.SIGTERM();
    expect(await end).toBe(0);
    expect(closed).toBe(1);
    expect(exits).toEqual([]);
  });

  test('a second signal forces, with its own code', async () => {
    void run(['serve', ...QUIET], { close: () => new Promise(() => {}) });
    while (signals.SIGINT === undefined) await sleep(1);
    signals.SIGTERM?.();
    await sleep(1);
    signals.SIGINT();
    expect(exits).toEqual([130]);
    signals.SIGTERM?.();
    expect(exits).toEqual([130, 143]);
  });

  test('a refused shutdown keeps running and may be asked for again', async () => {
    let tries = 0;
    const end = run(['serve', ...QUIET], {
      close: async () => {
        if (++tries === 1) throw new Error('disk full');
      },
    });
    while (signals.SIGTERM === undefined) await sleep(1);
    signals.SIGTERM();
    await sleep(5);
    expect(exits).toEqual([]);
    signals.SIGTERM();
    expect(await end).toBe(0);
    expect(tries).toBe(2);
  });

  test('a server that fails later is exit code 1', async () => {
    expect(await run(['serve', ...QUIET], { done: Promise.reject(new Error('trap')) })).toBe(1);
  });
});
