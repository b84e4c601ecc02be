// Raw replies: of redis over a socket of its own, of the core through its read buffer.

import { connect } from 'node:net';
import type { RedisOracle } from '../../encoding/support/redis.js';
import type { StreamModule } from './module.js';

const frame = (args: string[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${args.length}\r\n`),
    ...args.map((a) => {
      const bytes = Buffer.from(a, 'latin1');
      return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
    }),
  ]);

/** A connection of its own to the server behind the oracle. */
export async function wireOracle(redis: RedisOracle, protocol: number) {
  const reply = (await redis.send('CONFIG', 'GET', 'port')) as Buffer[];
  const socket = connect(Number(reply[1]!.toString()), '127.0.0.1');
  let data = Buffer.alloc(0);
  let wake: (() => void) | undefined;
  socket.on('data', (chunk) => {
    data = Buffer.concat([data, chunk]);
    wake?.();
  });
  // Each command is followed by an ECHO of a mark, so the end of its reply is known.
  const mark = Buffer.from('$11\r\nend-of-repl\r\n');
  const send = async (args: string[]): Promise<Buffer> => {
    socket.write(Buffer.concat([frame(args), frame(['ECHO', 'end-of-repl'])]));
    while (!data.subarray(-mark.length).equals(mark)) {
      await new Promise<void>((done) => {
        wake = done;
      });
    }
    const out = data.subarray(0, -mark.length);
    data = Buffer.alloc(0);
    return out;
  };
  await send(['HELLO', String(protocol)]);
  return { send, close: () => socket.destroy() };
}

/** A client of the core. */
export function wireOf(m: StreamModule, protocol: number) {
  const { raw } = m;
  const handle = raw.clientOpen(128, 0, 0, 0, 0);
  const send = (args: string[]): Buffer => {
    const bytes = frame(args);
    new Uint8Array(m.memory.buffer, raw.readBuffer() >>> 0, bytes.length).set(bytes);
    raw.feed(handle, bytes.length, Date.now());
    const out: Buffer[] = [];
    for (let block = raw.takeReply(handle); block; block = raw.takeReply(handle)) {
      const len = new DataView(m.memory.buffer).getUint32((block >>> 0) + 4, true);
      out.push(m.bytes(block + 16, len));
      raw.recycleReply(block);
    }
    return Buffer.concat(out);
  };
  send(['HELLO', String(protocol)]);
  return { send };
}
