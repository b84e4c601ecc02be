/**
 * Compiles an AssemblyScript entry with the project's asconfig.json and gives it a memory.
 * Also: a seeded generator, and a real redis-server on a unix socket as the oracle.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { compileWasm } from '../../support/compile.js';

// biome-ignore lint/suspicious/noExplicitAny: raw exports of any signature, in tests only
export type Exports = Record<string, (...args: any[]) => any> & Record<string, any>;

export interface Module {
  readonly exports: Exports;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** An address with plenty of room behind it, page after page. */
  readonly room: number;
  /** Writes text (one byte a character) at an address; returns the length. */
  put(at: number, text: string): number;
  get(at: number, len: number): string;
}

/** Compiles `entry` (a path from the repository's root) and instantiates it with 16 MiB. */
export async function compile(entry: string): Promise<Module> {
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536 });
  const module = compileWasm(entry, ['--exportTable']);
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const bytes = new Uint8Array(memory.buffer);
  return {
    exports: instance.exports as Exports,
    bytes,
    view: new DataView(memory.buffer),
    room: 4 << 20,
    put(at, text) {
      for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
      return text.length;
    },
    get: (at, len) => Buffer.from(memory.buffer, at, len).toString('latin1'),
  };
}

/** A seeded generator (mulberry32): numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Random {
  readonly next: () => number;
  constructor(seed: number) {
    this.next = seeded(seed);
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
  bits64(): bigint {
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
  }
  digits(count: number): string {
    let text = '';
    while (text.length < count) text += String(this.below(1e9)).padStart(9, '0');
    return text.slice(0, count);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export interface Oracle {
  readonly client: Redis;
  stop(): Promise<void>;
}

/** A redis-server of its own on a unix socket in a temporary directory. */
export async function startOracle(): Promise<Oracle> {
  const dir = mkdtempSync(join(tmpdir(), 'respite-oracle-'));
  const path = join(dir, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', dir];
  const server: ChildProcess = spawn('redis-server', args, { stdio: 'ignore' });
  const client = new Redis({ path, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  await client.ping();
  return {
    client,
    async stop() {
      client.disconnect();
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
