// Log lines: form, levels, and that no secret and no forged line gets through.

import { expect, test } from 'vitest';
import { createLogger, fromPino, redactText, silentLogger } from '../../../host/log.js';

function collect(format: 'text' | 'json', level: 'debug' | 'notice' = 'debug') {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ format, level, stream, pid: 7, nowMs: () => 1795230062551 });
  return { lines, log };
}

test('text lines look like those of redis-server', () => {
  const { lines, log } = collect('text');
  log.debug('a');
  log.setRole('M');
  log.verbose('b');
  log.notice('c', { keys: 3 });
  log.warning('d');
  const stamp = String.raw`2\d Nov 2026 \d\d:\d\d:02\.551`;
  expect(lines[0]).toMatch(new RegExp(`^7:C ${stamp} \\. a\n$`));
  expect(lines[1]).toMatch(new RegExp(`^7:M ${stamp} - b\n$`));
  expect(lines[2]).toMatch(new RegExp(`^7:M ${stamp} \\* c {"keys":3}\n$`));
  expect(lines[3]).toMatch(new RegExp(`^7:M ${stamp} # d\n$`));
});

test('levels, also changed at run time', () => {
  const { lines, log } = collect('text', 'notice');
  log.verbose('no');
  log.level = 'verbose';
  log.verbose('yes');
  log.level = 'warning';
  log.notice('no');
  expect(lines).toHaveLength(1);
  silentLogger().warning('nowhere');
});

test('json lines go through pino', () => {
  const { lines, log } = collect('json');
  log.notice('sync done', { ms: 5 });
  expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'sync done', ms: 5, level: 35 });
});

test('secrets are replaced in fields, nested fields and URLs', () => {
  for (const format of ['text', 'json'] as const) {
    const { lines, log } = collect(format);
    log.notice('connecting to redis://me:hush@host:1/0', {
      masterauth: 'hush',
      options: { password: 'hush', url: 'rediss://:hush@h' },
      error: new Error('cannot reach redis://u:hush@h'),
      list: ['redis://a:hush@b'],
    });
    expect(lines[0]).not.toContain('hush');
    expect(lines[0]).toContain('host:1/0');
  }
  expect(redactText('redis://user@h')).toBe('redis://user@h');
});

test('control bytes do not forge lines', () => {
  const { lines, log } = collect('text');
  log.notice('name a\r\n7:M 01 Jan forged\u001b[2J');
  expect(lines).toHaveLength(1);
  for (const char of ['\r', '\n', '\u001b']) expect(lines[0]!.slice(0, -1)).not.toContain(char);
});

test('a pino instance of the user', () => {
  const seen: string[] = [];
  const sink = (name: string) => (fields: object, message: string) => {
    seen.push(`${name} ${message} ${JSON.stringify(fields)}`);
  };
  const log = fromPino({ debug: sink('debug'), info: sink('info'), warn: sink('warn') });
  log.verbose('a');
  log.notice('b', { password: 'x' });
  log.warning('c');
  expect(seen).toEqual(['debug a {}', 'info b {"password":"[redacted]"}', 'warn c {}']);
});
