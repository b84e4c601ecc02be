// redis-cli and redis-benchmark of a real Redis, run to their end against respite.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Endpoint, startEndpoint } from './endpoint.js';

const run = promisify(execFile);
let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint();
});
afterAll(() => endpoint.close());

async function cli(...args: string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-p', String(endpoint.server.port), ...args]);
  return stdout.trimEnd();
}

describe('redis-cli', () => {
  test('commands, RESP2 and RESP3', async () => {
    expect(await cli('PING')).toBe('PONG');
    expect(await cli('SET', 'a', '1')).toBe('OK');
    expect(await cli('-3', 'GET', 'a')).toBe('1');
    expect(await cli('INCR', 'a')).toBe('2');
    expect(await cli('NOSUCH')).toMatch(/^ERR unknown command 'NOSUCH'/);
    expect(await cli('-3', '--json', 'CONFIG', 'GET', 'maxmemory')).toBe('{"maxmemory":"0"}');
    expect(await cli('-s', endpoint.socketPath, 'PING')).toBe('PONG');
  });

  test('--scan, --bigkeys, --pipe, -r', async () => {
    await cli('FLUSHALL');
    await cli('MSET', 'k:1', 'a', 'k:2', 'bb', 'k:3', 'ccc');
    const keys = (await cli('--scan', '--pattern', 'k:*')).split('\n');
    expect(keys.sort()).toEqual(['k:1', 'k:2', 'k:3']);
    expect(await cli('--bigkeys')).toMatch(/Biggest string found.*k:3.*3 bytes/);
    expect(await cli('-r', '3', 'INCR', 'times')).toBe('1\n2\n3');
    const pipe = run('redis-cli', ['-p', String(endpoint.server.port), '--pipe']);
    pipe.child.stdin?.end('SET piped 1\r\nINCR piped\r\n'.repeat(1000));
    expect((await pipe).stdout).toMatch(/errors: 0, replies: 2000/);
    expect(await cli('GET', 'piped')).toBe('2');
  });

  test('over TLS where redis-cli was built with it', async () => {
    const port = String(endpoint.tlsPort);
    const args = ['-p', port, '--tls', '--insecure', 'PING'];
    const answer = await run('redis-cli', args).catch((error: { stderr: string }) => error);
    const out = 'stdout' in answer ? `${answer.stdout}${answer.stderr}` : answer.stderr;
    expect(out).toMatch(/PONG|Unrecognized option|--tls/);
  });
});

describe('redis-benchmark', () => {
  test.each([1, 16, 100])('-t set,get,incr,mset -P %i', async (pipeline) => {
    const args = ['-p', String(endpoint.server.port), '-t', 'set,get,incr,mset'];
    const size = ['-n', '20000', '-P', String(pipeline), '-c', '50', '-r', '1000', '--csv'];
    const { stdout } = await run('redis-benchmark', [...args, ...size], { timeout: 60_000 });
    const lines = stdout.trim().split('\n').slice(1);
    expect(lines.map((line) => line.split(',')[0])).toEqual([
      '"SET"',
      '"GET"',
      '"INCR"',
      '"MSET (10 keys)"',
    ]);
    for (const line of lines) expect(Number(line.split('"')[3])).toBeGreaterThan(100);
  });
});
