// The parts of the link that need no connection: options, delays, the choice where to load.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Core } from '../../host/core/core.js';
import { LocalClient } from '../../host/core/local.js';
import { ReplyReader } from '../../host/core/resp-value.js';
import { Backoff } from '../../host/replication/backoff.js';
import { addressText, type LinkOptions, linkSettings } from '../../host/replication/options.js';
import { planLoad } from '../../host/replication/policy.js';
import { ROOT } from '../support/servers.js';

describe('options', () => {
  test.each([
    ['redis://h', { host: 'h', port: 6379, tls: undefined }],
    ['redis://u:p%40@h:7000/3', { host: 'h', port: 7000, username: 'u', password: 'p@' }],
    ['redis://:p@[::1]:7000', { host: '::1', port: 7000, password: 'p', username: undefined }],
    ['rediss://h', { host: 'h', port: 6379, tls: {} }],
    ['unix:///tmp/a.sock', { path: '/tmp/a.sock' }],
    ['/tmp/a.sock', { path: '/tmp/a.sock' }],
    ['h:1', { host: 'h', port: 1 }],
    ['[::1]:1', { host: '::1', port: 1 }],
  ])('%s', (master, wanted) => {
    expect(linkSettings({ master })).toMatchObject(wanted);
  });

  test.each<Partial<LinkOptions>>([
    { master: 'http://h' },
    { master: 'h:99999' },
    { master: 'a b' },
    { master: { host: 'h', port: 0 } },
    { master: 'h', readTimeoutMs: 0 },
    { master: 'h', connectTimeoutMs: Number.NaN },
  ])('%j is refused', (options) => {
    expect(() => linkSettings(options as LinkOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_RESPITE_INVALID_CONFIG' }),
    );
  });

  test('a URL that cannot be read is not repeated: it may hold a password', () => {
    expect(() => linkSettings({ master: 'redis://u:hidden@h:port' })).toThrow(/^(?!.*hidden)/);
    expect(addressText(linkSettings({ master: 'redis://u:hidden@[::1]:5' }))).toBe('[::1]:5');
  });
});

test('backoff: full jitter below a doubling bound, over after success', () => {
  const highest = new Backoff(
    { bytes: (n) => new Uint8Array(n).fill(255) },
    { minMs: 100, maxMs: 1000 },
  );
  expect([1, 2, 3, 4, 5, 6].map(() => highest.nextMs())).toEqual([99, 199, 399, 799, 999, 999]);
  highest.reset();
  expect(highest.nextMs()).toBe(99);
  expect(highest.longMs()).toBe(999);
  const lowest = new Backoff({ bytes: (n) => new Uint8Array(n) }, { minMs: 100, maxMs: 1000 });
  expect(lowest.nextMs()).toBe(0);
  expect(lowest.longMs()).toBe(500);
});

describe('where to load', () => {
  const facts = {
    mode: 'disabled' as const,
    oldKeys: 10,
    usedBytes: 1000,
    headroomBytes: 2000,
    announcedBytes: 1000,
    isSameHistory: true,
    asideFailed: false,
  };
  const straight = { aside: false, clients: 'loading' };
  test.each([
    [{ oldKeys: 0 }, straight],
    [{}, { aside: true, clients: 'old' }],
    [{ mode: 'swapdb' as const }, { aside: true, clients: 'async' }],
    [
      { mode: 'swapdb' as const, isSameHistory: false },
      { aside: true, clients: 'loading' },
    ],
    [{ announcedBytes: 1500 }, straight],
    [{ announcedBytes: undefined, headroomBytes: 900 }, straight],
    [{ asideFailed: true }, straight],
  ])('%j', (change, plan) => {
    expect(planLoad({ ...facts, ...change })).toEqual(plan);
  });
});

describe('calls in the process', () => {
  let client: LocalClient;
  beforeAll(() => {
    const module = new WebAssembly.Module(readFileSync(`${ROOT}build/core.wasm`));
    const core = new Core(
      module,
      { hostCommand: () => 0, applyProblem: () => {} },
      { seed: new Uint8Array(16) },
    );
    client = new LocalClient(core, { nowMs: Date.now, defer: setImmediate });
  });
  afterAll(() => client.close());

  test.each([0, 1, 64, 65, 4096, 4097, 70_000, 3_000_000])('a value of %i bytes', (size) => {
    const value = new Uint8Array(size).map((_, i) => i * 7);
    expect(client.call('SET', `k${size}`, value)).toBe('OK');
    expect(Buffer.compare(client.get(`k${size}`)!, value)).toBe(0);
    expect(Buffer.compare(client.call('GET', `k${size}`) as Uint8Array, value)).toBe(0);
    expect(client.call('STRLEN', `k${size}`)).toBe(size);
  });

  test('keys and values beyond ASCII; many values stay apart', () => {
    client.call('SET', 'schlüssel€', 'wért');
    expect(client.getText('schlüssel€')).toBe('wért');
    expect(client.getText(new TextEncoder().encode('schlüssel€'))).toBe('wért');
    const long = 'ü'.repeat(40_000);
    client.call('SET', long, 'far');
    expect(client.getText(long)).toBe('far');
    for (let i = 0; i < 2000; i++) client.call('SET', `s${i}`, `${i}`.repeat(30));
    const values = Array.from({ length: 2000 }, (_, i) => client.get(`s${i}`)!);
    for (const [i, value] of values.entries()) {
      expect(Buffer.from(value).toString()).toBe(`${i}`.repeat(30));
    }
  });

  test('many replies, errors, QUIT keeps the database', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `s${i}`);
    const all = client.call('MGET', ...names, 'missing') as (Uint8Array | null)[];
    expect(all.length).toBe(2001);
    expect(all[2000]).toBe(null);
    expect(() => client.call('NOSUCH')).toThrow(/^ERR unknown command/);
    client.call('SETBIT', 'text', 1, 1);
    expect(() => client.call('INCR', 'text')).toThrow(/not an integer/);
    client.call('SELECT', 5);
    client.call('SET', 'five', '5');
    client.call('QUIT');
    expect(Buffer.from(client.call('GET', 'five') as Uint8Array).toString()).toBe('5');
    client.call('SELECT', 0);
  });

  test('RESP3 replies', () => {
    const read = (text: string) => new ReplyReader(Buffer.from(text)).next();
    expect(read(',1.5\r\n')).toBe(1.5);
    expect(read(',-inf\r\n')).toBe(Number.NEGATIVE_INFINITY);
    expect(read('#t\r\n')).toBe(true);
    expect(read('_\r\n')).toBe(null);
    expect(read('(123456789012345678901\r\n')).toBe(123456789012345678901n);
    expect(read(':9007199254740993\r\n')).toBe(9007199254740993n);
    expect(read('%1\r\n$1\r\na\r\n:1\r\n')).toEqual(new Map([['a', 1]]));
    expect(read('~2\r\n+a\r\n+b\r\n')).toEqual(['a', 'b']);
    expect(Buffer.from(read('=7\r\ntxt:abc\r\n') as Uint8Array).toString()).toBe('abc');
  });
});
