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
    // New clients find room in the reserve, and so does what they ask.
    for (let i = 0; i < 50; i++) {
      const other = host.open();
      expect(await ask(other, 'PING')).toBe('+PONG\r\n');
      expect(await ask(other, 'INFO', 'everything')).toContain('# Keyspace');
      expect(await ask(other, 'CLIENT', 'LIST')).toContain('cmd=client|list');
      expect((await ask(other, 'COMMAND', 'DOCS')).length).toBeGreaterThan(100_000);
    }
    // What is freed fills the reserve again first.
    const gone = Array.from({ length: Math.max(2, Math.min(keys - 1, 20)) }, (_, i) => `key:${i}`);
    expect(await ask(client, 'DEL', ...gone)).toBe(`:${gone.length}\r\n`);
    expect(await ask(client, 'SET', 'key:0', Buffer.alloc(size, 'w'))).toBe('+OK\r\n');
    expect(await ask(client, 'GET', 'key:0')).toContain('w'.repeat(Math.min(size, 10)));
  });

  test('every kind of request meets a full core', async () => {
    const host = new MemoryHost(options);
    const client = host.open();
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
      expect([args[0], client.isClosing]).toEqual([args[0], false]);
      expect(reply.length).toBeGreaterThan(2);
    }
    for (let i = 0; i < keys; i++) await ask(client, 'DEL', `key:${i}`);
    expect(await ask(client, 'SET', 'again', 'v'.repeat(1 << 20))).toBe('+OK\r\n');
  });
});

describe.each(WAYS)('requests too large for a full core, %s', (_, options) => {
  /** Feeds a request in pieces and gives all that was answered. */
  async function askInPieces(client: MemoryClient, bytes: Buffer, size: number): Promise<string> {
    let out = '';
    for (let at = 0; at < bytes.length; at += size) {
      out += (await client.ask(bytes.subarray(at, at + size))).toString('latin1');
    }
    return out;
  }

  test.each([1 << 16, 40_001, 1009])('are thrown away and answered, in pieces of %i', async (n) => {
    const host = new MemoryHost(options);
    const client = host.open();
    await fill(client, 40);
    const set = encodeCommand(['SET', 'big', Buffer.alloc(3 << 20, '$')]);
    const many = encodeCommand(['MSET', ...Array.from({ length: 60_000 }, (_, i) => `\r\n*${i}`)]);
    const ping = encodeCommand(['PING']);
    for (const big of [set, many]) {
      const reply = await askInPieces(client, Buffer.concat([ping, big, ping, big, ping]), n);
      expect(reply).toBe(`+PONG\r\n${OOM}+PONG\r\n${OOM}+PONG\r\n`);
      expect(client.isClosing).toBe(false);
    }
    const multi = ['MULTI', 'EXEC'].map((word) => encodeCommand([word]));
    const aborted = await askInPieces(client, Buffer.concat([multi[0]!, set, multi[1]!]), n);
    expect(aborted).toBe(
      `+OK\r\n${OOM}-EXECABORT Transaction discarded because of previous errors.\r\n`,
    );
    expect(await ask(client, 'GET', 'big')).toBe('$-1\r\n');
  });

  test('what is no request ends the client all the same', async () => {
    const host = new MemoryHost(options);
    const full = host.open();
    await fill(full, 40);
    for (const rest of ['\r\nx3\r\n', '\r\n$99999999999\r\n', `\r\n$${'1'.repeat(100)}`]) {
      const client = host.open();
      const start = Buffer.from('*3\r\n$3\r\nSET\r\n$3000000\r\n');
      await askInPieces(client, Buffer.concat([start, Buffer.alloc(3_000_000, 'v')]), 1 << 16);
      expect(client.isClosing).toBe(false);
      await client.ask(Buffer.from(rest));
      expect(client.isClosing).toBe(true);
    }
    expect(await ask(full, 'PING')).toBe('+PONG\r\n');
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
