// A core of its own with one client, spoken to in RESP without any socket, and the same for a real
// redis-server with its append-only file, which tells what it propagates.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Core } from '../../../../host/core/core.js';
import { type Arg, encodeCommand, toBytes } from '../../../support/bytes.js';
import { compileWasm } from '../../../support/compile.js';
import { RawConnection } from '../../../support/connection.js';
import { FrameReader } from '../../../support/resp.js';
import { sleep } from '../../../support/wait.js';

/** The core with the debug exports of strings-entry.ts; `flags` as for asc. */
export function compileCore(flags?: readonly string[]): WebAssembly.Module {
  return compileWasm('test/unit/commands/support/strings-entry.ts', flags);
}

const ENCODINGS: Record<number, string> = { 0: 'raw', 1: 'int', 8: 'embstr', 9: 'quicklist' };
const TYPES: Record<number, string> = { 0: 'string', 1: 'list' };

type Debug = Record<string, (...args: number[]) => number>;

export class CoreClient {
  readonly core: Core;
  readonly debug: Debug;
  readonly #handle: number;
  nowMs = Date.now();

  constructor(module: WebAssembly.Module, memoryBytesMax = 256 << 20) {
    const imports = { hostCommand: () => 0, applyProblem: () => {} };
    this.core = new Core(module, imports, { seed: Buffer.alloc(16, 7), memoryBytesMax });
    this.debug = this.core.x as unknown as Debug;
    this.#handle = this.core.openClient(1 << 7, '', '');
  }

  /** Feeds bytes in pieces of at most `piece` and gives all reply bytes. */
  feed(bytes: Buffer, piece = 65536): Buffer {
    const out: Buffer[] = [];
    const { x } = this.core;
    const step = Math.min(piece, x.readBufferSize());
    for (let at = 0; at < bytes.length; at += step) {
      const part = bytes.subarray(at, at + step);
      this.core.readBuffer.set(part);
      const status = x.feed(this.#handle, part.length, this.nowMs);
      if (status & 6) throw new Error('the core closed the client');
      for (;;) {
        const block = x.takeReply(this.#handle) >>> 0;
        if (block === 0) break;
        out.push(Buffer.from(this.core.blockView(block)));
        x.recycleReply(block);
      }
    }
    return Buffer.concat(out);
  }

  command(...args: Arg[]): Buffer {
    return this.feed(encodeCommand(args));
  }

  #onKey(name: string, key: Arg): number {
    const call = this.debug[name] as (ptr: number, len: number) => number;
    return this.core.withBytes(toBytes(key), (ptr, len) => call(ptr, len));
  }

  /** "string embstr", as TYPE and OBJECT ENCODING tell; "none". */
  kind(key: Arg): string {
    const kind = this.#onKey('debugKind', key);
    return kind < 0 ? 'none' : `${TYPES[kind & 255]} ${ENCODINGS[kind >> 8]}`;
  }

  /** Unix ms, -1 = none, -2 = no such key. */
  expire(key: Arg): number {
    return this.#onKey('debugExpire', key);
  }

  addList(key: Arg): void {
    this.#onKey('debugAddList', key);
  }

  delete(key: Arg): void {
    this.#onKey('debugDelete', key);
  }

  followEffects(): void {
    this.core.x.effectsFollow(true);
  }

  /** The effects since the last call, as arguments. */
  effects(): Buffer[][] {
    const { x } = this.core;
    const bytes = Buffer.from(this.core.copy(x.effectsAddress() >>> 0, x.effectsLength() >>> 0));
    x.effectsDone();
    return parseCommands(bytes);
  }
}

/** Whole commands in multibulk form. */
export function parseCommands(bytes: Buffer): Buffer[][] {
  const out: Buffer[][] = [];
  let at = 0;
  const line = () => {
    const end = bytes.indexOf('\r\n', at);
    const text = bytes.toString('latin1', at + 1, end);
    at = end + 2;
    return Number(text);
  };
  while (at < bytes.length) {
    const args: Buffer[] = [];
    for (let n = line(); n > 0; n--) {
      const len = line();
      args.push(Buffer.from(bytes.subarray(at, at + len)));
      at += len + 2;
    }
    out.push(args);
  }
  return out;
}

/** Splits reply bytes into whole replies. */
export function splitReplies(bytes: Buffer): Buffer[] {
  const reader = new FrameReader();
  reader.push(bytes);
  const out: Buffer[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) out.push(frame);
  return out;
}

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

export class RedisOracle {
  readonly dir: string;
  readonly connection: RawConnection;
  readonly #process: ChildProcess;

  private constructor(dir: string, child: ChildProcess, connection: RawConnection) {
    this.dir = dir;
    this.#process = child;
    this.connection = connection;
  }

  static async start(): Promise<RedisOracle> {
    const dir = mkdtempSync(join(tmpdir(), 'respite-oracle-'));
    const path = join(dir, 's');
    const args = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', dir];
    args.push('--appendonly', 'yes', '--appendfsync', 'no', '--auto-aof-rewrite-percentage', '0');
    args.push('--enable-debug-command', 'yes');
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    for (let tries = 0; ; tries++) {
      try {
        const oracle = new RedisOracle(dir, child, await RawConnection.open({ path }));
        // its DEL would come between any two commands of a batch
        await oracle.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
        return oracle;
      } catch (error) {
        if (tries === 100) throw error;
        await sleep(50);
      }
    }
  }

  async command(...args: Arg[]): Promise<Buffer> {
    return this.connection.command(...args);
  }

  async batch(commands: Arg[][]): Promise<Buffer[]> {
    this.connection.send(Buffer.concat(commands.map((c) => encodeCommand(c))));
    const out: Buffer[] = [];
    for (const _ of commands) out.push((await this.connection.reply())!);
    return out;
  }

  /** All that was propagated so far. */
  propagated(): Buffer[][] {
    const dir = join(this.dir, 'appendonlydir');
    const name = readdirSync(dir).find((file) => file.endsWith('.incr.aof'))!;
    return parseCommands(readFileSync(join(dir, name)));
  }

  async stop(): Promise<void> {
    this.connection.close();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}
