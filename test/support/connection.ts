// A raw connection for tests: sends bytes as given, hands back replies as the bytes that came.
// Nothing is interpreted beyond where a reply ends. One reader at a time.

import net from 'node:net';
import { type Arg, encodeCommand, show } from './bytes.js';
import { FrameReader, type Plain, plain } from './resp.js';
import { sleep } from './wait.js';

export type Target = number | { port?: number; host?: string; path?: string };

export class RawConnection {
  readonly socket: net.Socket;
  readonly closed: Promise<void>;
  isClosed = false;
  bytesIn = 0;
  #frames = new FrameReader();
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.bytesIn += chunk.length;
      this.#frames.push(chunk);
      this.#wake?.();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  static open(target: Target): Promise<RawConnection> {
    const options = typeof target === 'number' ? { port: target } : target;
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: '127.0.0.1', ...options } as net.NetConnectOpts);
      const connection = new RawConnection(socket);
      socket.once('connect', () => resolve(connection));
      socket.once('error', reject);
    });
  }

  send(bytes: Buffer | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends bytes in pieces cut at the given offsets, each piece as its own write. */
  async sendSplit(bytes: Buffer, offsets: readonly number[], gapMs = 0): Promise<void> {
    let from = 0;
    for (const to of [...offsets, bytes.length]) {
      if (to > from && !this.isClosed) {
        await new Promise((resolve) => this.socket.write(bytes.subarray(from, to), resolve));
        from = to;
        if (gapMs > 0) await sleep(gapMs);
      }
    }
  }

  /** The next whole reply; undefined when the connection closed before it was whole. */
  async reply(timeoutMs = 10_000): Promise<Buffer | undefined> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const frame = this.#frames.next();
      if (frame !== undefined) return frame;
      if (this.isClosed) return undefined;
      const leftMs = until - performance.now();
      if (leftMs <= 0) {
        const had = show(this.#frames.pending);
        throw new Error(`no whole reply within ${timeoutMs} ms; had ${had}`);
      }
      await this.#more(leftMs);
    }
  }

  /** Sends one command and gives the raw bytes of its one reply. */
  async command(...args: Arg[]): Promise<Buffer> {
    this.send(encodeCommand(args));
    const reply = await this.reply();
    if (reply === undefined) throw new Error(`connection closed on ${String(args[0])}`);
    return reply;
  }

  /** Sends one command and gives its reply as plain values (errors are values, not thrown). */
  async call(...args: Arg[]): Promise<Plain> {
    return plain(await this.command(...args));
  }

  /** Sends commands in one write and gives their raw replies in order. */
  async pipeline(commands: readonly (readonly Arg[])[], timeoutMs = 30_000): Promise<Buffer[]> {
    this.send(Buffer.concat(commands.map(encodeCommand)));
    const out: Buffer[] = [];
    while (out.length < commands.length) {
      const reply = await this.reply(timeoutMs);
      if (reply === undefined) throw new Error(`closed after ${out.length} pipelined replies`);
      out.push(reply);
    }
    return out;
  }

  /** All bytes that arrive until nothing came for quietMs, or the connection closed. */
  async untilQuiet(quietMs = 30, maxMs = 10_000): Promise<Buffer> {
    const until = performance.now() + maxMs;
    for (;;) {
      const before = this.bytesIn;
      if (!this.isClosed) await this.#more(quietMs);
      if (this.isClosed || this.bytesIn === before || performance.now() > until) break;
    }
    return this.#frames.takeAll();
  }

  /** True when the other side closed within timeoutMs. */
  async closes(timeoutMs = 1000): Promise<boolean> {
    await Promise.race([this.closed, sleep(timeoutMs)]);
    return this.isClosed;
  }

  close(): void {
    this.socket.destroy();
  }

  #more(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#wake = done;
    });
  }
}
