// Memory that runs out: reserved or growing, small or at the engine's own limit, the answer is an
// OOM error that changes nothing, and after DEL the room is there again.

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readStatistics } from '../../../host/core/statistics.js';
import { type MemoryClient, MemoryHost, type MemoryHostOptions } from '../../sim/memory-host.js';
import { encodeCommand } from '../../support/bytes.js';
import { ROOT, startServer } from '../../support/servers.js';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

async function ask(client: MemoryClient, ...args: (string | Buffer)[]): Promise<string> {
  return (await client.ask(encodeCommand(args))).toString('latin1');
}

/** SETs until the first refusal; how many went in. */
async function fill(client: MemoryClient, valueBytes: number): Promise<number> {
  const value = Buffer.alloc(valueBytes, 'v');
  for (let i = 0; i < 1_000_000; i++) {
    const reply = await ask(client, 'SET', `key:${i}`, value);
    if (reply === OOM) return i;
    if (reply !== '+OK\r\n') throw new Error(`SET ${i} was answered by ${JSON.stringify(reply)}`);
  }
  throw new Error('it never fills up');
}

const SIZES = [40, 1000, 100_000, 3_000_000];
const WAYS: [string, MemoryHostOptions][] = [
  ['reserved', { memory: { reserve: true, memoryBytesMax: 16 << 20 } }],
  ['growing', { memory: { reserve: false, memoryBytesMax: 16 << 20 } }],
  [
    'growing, scalar build',
    { build: 'core-scalar', memory: { reserve: false, memoryBytesMax: 16 << 20 } },
  ],
];

describe.each(WAYS)('16 MB, %s', (_, options) => {
  test.each(SIZES)('full of values of %i bytes', async (size) => {
    const host = new MemoryHost(options);
    const client = host.open();
    const keys = await fill(client, size);
    expect(keys).toBeGreaterThan(1);
    const { usedMemory } = readStatistics(host.core);
    expect(usedMemory).toBeGreaterThan(6 << 20);
    expect(usedMemory).toBeLessThan(16 << 20);
    // Nothing was lost or half done.
    expect(await ask(client, 'GET', `key:${keys}`)).toBe('$-1\r\n');
    expect((await ask(client, 'GET', 'key:0')).length).toBeGreaterThan(size);
    // Other clients are served or refused, never harmed.
    for (let i = 0; i < 50; i++) {
      try {
        host.open();
      } catch (error) {
        expect((error as { code: string }).code).toBe('ERR_RESPITE_OUT_OF_MEMORY');
      }
    }
    expect(await ask(client, 'DEL', 'key:0', 'key:1')).toBe(':2\r\n');
    expect(await ask(client, 'SET', 'key:0', Buffer.alloc(size, 'w'))).toBe('+OK\r\n');
    expect(await ask(client, 'GET', 'key:0')).toContain('w'.repeat(Math.min(size, 10)));
  });

  // Requests that fit into the read buffer are run in place; one that does not needs a query
  // buffer, and a client whose bytes cannot be kept is closed, as Redis does beyond its limits.
  test('every kind of request meets a full core', async () => {
    const host = new MemoryHost(options);
    const spare = Array.from({ length: 10 }, () => host.open());
    let client = host.open();
    const keys = await fill(client, 500);
    await ask(client, 'DEL', 'key:0');
    const more = [
      ...[
        ['APPEND', 'key:1', 'x'.repeat(50_000)],
        ['SETRANGE', 'key:1', '200000', 'x'],
      ],
      ...[
        ['SETBIT', 'key:2', '8000000', '1'],
        ['COPY', 'key:1', 'copy'],
        ['MSET', 'a', 'b', 'c', 'd'],
      ],
      ...[
        ['GETSET', 'key:3', 'x'.repeat(50_000)],
        ['RENAME', 'key:4', 'n'.repeat(50_000)],
      ],
      ...[
        ['BITOP', 'NOT', 'dest', 'key:1'],
        ['INCR', 'counter'],
        ['EXPIRE', 'key:5', '100'],
      ],
      ...[['WATCH', 'key:1'], ['MULTI'], ['SET', 'q', 'v'], ['EXEC'], ['GET', 'key:6'], ['PING']],
      ...[
        ['KEYS', '*'],
        ['SCAN', '0', 'COUNT', '100'],
        ['DUMP', 'key:1'],
        ['INFO'],
        ['CLIENT', 'LIST'],
      ],
      ...[
        ['LCS', 'key:1', 'key:2'],
        ['MGET', 'key:1', 'key:2'],
        ['OBJECT', 'ENCODING', 'key:1'],
      ],
    ];
    for (const args of more) {
      const reply = await ask(client, ...args);
      if (client.isClosing) {
        // A long reply that finds no room ends its client, never the server.
        expect(args[0]).toMatch(/KEYS|SCAN|DUMP|INFO|CLIENT|LCS|MGET/);
        client = spare.pop()!;
      } else expect(reply.length).toBeGreaterThan(2);
    }
    for (let i = 0; i < keys; i++) await ask(client, 'DEL', `key:${i}`);
    expect(await ask(client, 'SET', 'again', 'v'.repeat(1 << 20))).toBe('+OK\r\n');
  });
});

describe('--wasm-max-mem-pages=1000', () => {
  test('a server starts, fills up with OOM errors, and goes on', async () => {
    const server = await startServer('respite', { nodeArgs: ['--wasm-max-mem-pages=1000'] });
    try {
      const client = await server.connect();
      const value = Buffer.alloc(1 << 20, 'v');
      let full = -1;
      for (let i = 0; i < 100 && full < 0; i++) {
        const reply = (await client.command('SET', `key:${i}`, value)).toString('latin1');
        if (reply === OOM) full = i;
        else expect(reply).toBe('+OK\r\n');
      }
      expect(full).toBeGreaterThan(10);
      expect(await client.call('DEL', 'key:0', 'key:1', 'key:2')).toBe(3);
      expect(await client.call('SET', 'key:0', value)).toBe('OK');
      expect(await client.call('PING')).toBe('PONG');
      client.close();
    } finally {
      expect((await server.stop()).code).toBe(0);
    }
  });

  test('the command line answers there too', () => {
    const main = `${ROOT}build/js/cli/main.js`;
    const args = ['--wasm-max-mem-pages=1000', main, '--version'];
    expect(execFileSync(process.execPath, args).toString()).toMatch(/\d+\.\d+\.\d+/);
  });
});
