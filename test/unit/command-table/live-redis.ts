// A redis-server of our own on a unix socket, and a client that keeps replies as plain values and
// as raw bytes. Only for comparing; no features.

import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export type Reply = string | number | null | Reply[] | Map<string, Reply> | { error: string };

/** One parsed reply and the offset behind it; undefined if the text is incomplete. */
export function parseReply(text: string, at = 0): { value: Reply; next: number } | undefined {
  const end = text.indexOf('\r\n', at);
  if (end < 0) return undefined;
  const head = text.slice(at + 1, end);
  const type = text[at] as string;
  let next = end + 2;
  if (type === '+') return { value: head, next };
  if (type === '-') return { value: { error: head }, next };
  if (type === ':') return { value: Number(head), next };
  if (type === '_' || head === '-1') return { value: null, next };
  const size = Number(head);
  if (type === '$') {
    if (text.length < next + size + 2) return undefined;
    return { value: text.slice(next, next + size), next: next + size + 2 };
  }
  const items: Reply[] = [];
  for (let i = 0; i < (type === '%' ? size * 2 : size); i++) {
    const item = parseReply(text, next);
    if (!item) return undefined;
    items.push(item.value);
    next = item.next;
  }
  if (type !== '%') return { value: items, next };
  const map = new Map<string, Reply>();
  for (let i = 0; i < items.length; i += 2) map.set(items[i] as string, items[i + 1] as Reply);
  return { value: map, next };
}

export class LiveRedis {
  #child: ChildProcess;
  #dir: string;
  #socket!: net.Socket;
  #text = '';
  #waiting: { resolve: (raw: string) => void }[] = [];

  private constructor(child: ChildProcess, dir: string) {
    this.#child = child;
    this.#dir = dir;
  }

  static async start(): Promise<LiveRedis> {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'respite-table-'));
    const file = path.join(dir, 'redis.sock');
    const args = ['--port', '0', '--unixsocket', file, '--save', '', '--dir', dir];
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    const live = new LiveRedis(child, dir);
    for (let i = 0; !fs.existsSync(file); i++) {
      if (i > 200) throw new Error('redis-server does not start (apt-get install redis-server)');
      await new Promise((done) => setTimeout(done, 25));
    }
    live.#socket = net.connect(file);
    live.#socket.setEncoding('latin1');
    live.#socket.on('data', (chunk: string) => live.#receive(chunk));
    return live;
  }

  #receive(chunk: string): void {
    this.#text += chunk;
    for (;;) {
      const reply = parseReply(this.#text);
      if (!reply) return;
      const raw = this.#text.slice(0, reply.next);
      this.#text = this.#text.slice(reply.next);
      this.#waiting.shift()?.resolve(raw);
    }
  }

  /** Raw reply bytes (latin1) of one command. */
  raw(...args: string[]): Promise<string> {
    const words = args.map((arg) => `$${Buffer.byteLength(arg, 'latin1')}\r\n${arg}\r\n`);
    this.#socket.write(`*${args.length}\r\n${words.join('')}`, 'latin1');
    return new Promise((resolve) => this.#waiting.push({ resolve }));
  }

  async call(...args: string[]): Promise<Reply> {
    return (parseReply(await this.raw(...args)) as { value: Reply }).value;
  }

  async stop(): Promise<void> {
    this.#socket.destroy();
    const gone = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill();
    await gone;
    fs.rmSync(this.#dir, { recursive: true, force: true });
  }
}
