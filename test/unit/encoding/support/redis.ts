// A real redis-server for the differential tests, spoken to in plain RESP.

import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { type Directives, type Server, startServer } from '../../../support/servers.js';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

type Arg = string | Buffer | number | bigint;
type Reply = Buffer | number | null | Error | Reply[];

/** One server process and one connection to it. */
export class RedisOracle {
  #server!: Server;
  #socket!: Socket;
  #pending: ((reply: Reply) => void)[] = [];
  #data = Buffer.alloc(0);

  static async start(directives: Directives = {}): Promise<RedisOracle> {
    const self = new RedisOracle();
    self.#server = await startServer('redis', { directives });
    self.#socket = await open(self.#server.port);
    self.#socket.on('data', (chunk) => self.#feed(chunk));
    return self;
  }

  stop(): void {
    this.#socket.destroy();
    this.#server.dispose();
  }

  /** Sends one command; calls made without waiting are pipelined. */
  send(...args: Arg[]): Promise<Reply> {
    const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
    for (const arg of args) {
      const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
      parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
    }
    this.#socket.write(Buffer.concat(parts));
    return new Promise((done, fail) =>
      this.#pending.push((reply) => (reply instanceof Error ? fail(reply) : done(reply))),
    );
  }

  /** The value part of DUMP: type byte and body, without version and checksum. */
  async dump(key: Arg): Promise<Buffer> {
    const reply = (await this.send('DUMP', key)) as Buffer;
    return reply.subarray(0, reply.length - 10);
  }

  #feed(chunk: Uint8Array): void {
    this.#data = Buffer.concat([this.#data, chunk]);
    let at = 0;
    for (;;) {
      const parsed = parse(this.#data, at);
      if (!parsed) break;
      at = parsed.end;
      this.#pending.shift()?.(parsed.value);
    }
    this.#data = this.#data.subarray(at);
  }
}

function parse(data: Buffer, at: number): { value: Reply; end: number } | undefined {
  const eol = data.indexOf('\r\n', at);
  if (eol < 0) return undefined;
  const line = data.toString('latin1', at + 1, eol);
  const end = eol + 2;
  switch (data[at]) {
    case 0x3a:
      return { value: Number(line), end };
    case 0x2d:
      return { value: new Error(line), end };
    case 0x24: {
      const len = Number(line);
      if (len < 0) return { value: null, end };
      if (data.length < end + len + 2) return undefined;
      return { value: Buffer.from(data.subarray(end, end + len)), end: end + len + 2 };
    }
    case 0x2a: {
      const items: Reply[] = [];
      let pos = end;
      for (let i = 0; i < Number(line); i++) {
        const item = parse(data, pos);
        if (!item) return undefined;
        items.push(item.value);
        pos = item.end;
      }
      return { value: items, end: pos };
    }
    default:
      return { value: Buffer.from(line, 'latin1'), end };
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => done(socket));
    socket.once('error', fail);
  });
}

/** A string as RDB writes it at `at`: raw bytes as stored (LZF kept apart) and where it ends. */
export interface RdbString {
  bytes: Buffer;
  lzfLen: number; // 0: not compressed; else `bytes` is compressed from this length
  end: number;
}

export function rdbString(data: Buffer, at: number): RdbString {
  const first = data[at] as number;
  if (first >= 0xc0) {
    if (first === 0xc0) return int(String(data.readInt8(at + 1)), at + 2);
    if (first === 0xc1) return int(String(data.readInt16LE(at + 1)), at + 3);
    if (first === 0xc2) return int(String(data.readInt32LE(at + 1)), at + 5);
    const clen = rdbLen(data, at + 1);
    const ulen = rdbLen(data, clen.end);
    const end = ulen.end + clen.value;
    return { bytes: data.subarray(ulen.end, end), lzfLen: ulen.value, end };
  }
  const len = rdbLen(data, at);
  const end = len.end + len.value;
  return { bytes: data.subarray(len.end, end), lzfLen: 0, end };
}

function int(text: string, end: number): RdbString {
  return { bytes: Buffer.from(text), lzfLen: 0, end };
}

export function rdbLen(data: Buffer, at: number): { value: number; end: number } {
  const first = data[at] as number;
  if (first < 0x40) return { value: first, end: at + 1 };
  if (first < 0x80) return { value: ((first & 0x3f) << 8) | (data[at + 1] as number), end: at + 2 };
  if (first === 0x80) return { value: data.readUInt32BE(at + 1), end: at + 5 };
  return { value: Number(data.readBigUInt64BE(at + 1)), end: at + 9 };
}

const crcTable = Array.from({ length: 256 }, (_, i) => {
  let crc = BigInt(i);
  for (let k = 0; k < 8; k++) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  return crc;
});

/** A RESTORE payload: type and body, RDB version 10, CRC-64. */
export function dumpPayload(body: Buffer): Buffer {
  const out = Buffer.concat([body, Buffer.from([10, 0]), Buffer.alloc(8)]);
  let crc = 0n;
  for (let i = 0; i < out.length - 8; i++) {
    crc = (crcTable[Number((crc ^ BigInt(out[i]!)) & 0xffn)] as bigint) ^ (crc >> 8n);
  }
  out.writeBigUInt64LE(crc, out.length - 8);
  return out;
}
