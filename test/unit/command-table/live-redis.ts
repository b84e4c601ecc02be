// A redis-server of our own, and a client that keeps replies as plain values and as raw bytes. Only
// for comparing; no features.

import { encodeCommand } from '../../support/bytes.js';
import type { RawConnection } from '../../support/connection.js';
import { type Server, startServer } from '../../support/servers.js';

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

/** A reply that never comes is an error of its own, long before a test's time is out. */
const REPLY_MS = 30_000;

export class LiveRedis {
  #server: Server;
  #connection: RawConnection;

  private constructor(server: Server, connection: RawConnection) {
    this.#server = server;
    this.#connection = connection;
  }

  static async start(): Promise<LiveRedis> {
    const server = await startServer('redis');
    return new LiveRedis(server, await server.connect());
  }

  /** Raw reply bytes (latin1) of one command. */
  async raw(...args: string[]): Promise<string> {
    this.#connection.send(encodeCommand(args));
    const reply = await this.#connection.reply(REPLY_MS);
    if (reply === undefined) throw new Error(`connection closed on ${args.join(' ')}`);
    return reply.toString('latin1');
  }

  async call(...args: string[]): Promise<Reply> {
    return (parseReply(await this.raw(...args)) as { value: Reply }).value;
  }

  async stop(): Promise<void> {
    this.#connection.close();
    await this.#server.stop();
  }
}
