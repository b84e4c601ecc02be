// Fuzzer `resp`: valid pipelines with bytes changed, inserted, removed and cut, split anywhere,
// sent by several clients in turns, one of them not authenticated. No trap; what is said is a
// sequence of whole replies, and nothing is left of a client that was closed.

import { CLIENT_AUTHENTICATED } from '../../host/core/core.js';
import { encodeCommand } from '../support/bytes.js';
import type { Prng } from '../support/prng.js';
import { FrameReader, parseReply } from '../support/resp.js';
import { randomCommands } from './commands.js';
import { type Case, type Fuzzer, HostUnderTest } from './fuzzer.js';
import { mutate } from './mutate.js';

const CLIENTS = 4;
const PIPELINES = 50;
const WORDS = [
  ...['\r\n', '*1\r\n', '*-1\r\n', '*0\r\n', '*2147483647\r\n', '*2147483648\r\n', '*11\r\n'],
  ...['$-1\r\n', '$0\r\n\r\n', '$536870913\r\n', '$4294967295\r\n', '$16385\r\n', '$1\r\nx\r\n'],
  ...['*9223372036854775808\r\n', '$9223372036854775807\r\n', '*1', '$', '*', '\n', '\r', '\0'],
  ...['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'POST / HTTP/1.1\r\n', 'set a \'b c\' "\\x4"\r\n', '"a'],
  ...[
    '*1\r\n$4\r\nPING\r\n',
    'PING\r\n',
    '*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n',
    '*3\r\n$3\r\nSET\r\n',
  ],
  ...['*1\r\n$5\r\nMULTI\r\n', '*1\r\n$4\r\nEXEC\r\n', '%1\r\n', '~1\r\n', ':1\r\n', '_\r\n', '+1'],
].map((text) => Buffer.from(text, 'latin1'));

function pipeline(r: Prng): Buffer {
  const count = r.once(25) ? r.range(30, 80) : r.range(1, 8);
  return Buffer.concat(randomCommands(r, count).map(encodeCommand));
}

/** Bytes cut into pieces: whole, in two, in many, or byte by byte. */
function pieces(r: Prng, bytes: Buffer): Buffer[] {
  const most = r.pick([bytes.length, bytes.length, 700, 64, 3, 1]) || 1;
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const len = bytes.length > 2000 && most < 64 ? 64 : r.range(1, most);
    out.push(bytes.subarray(at, at + len));
    at += len;
  }
  return out;
}

/** Whole replies only; an incomplete one may be left where more is to come. */
function checkReplies(frames: FrameReader, bytes: Buffer): void {
  frames.push(bytes);
  for (let frame = frames.next(); frame !== undefined; frame = frames.next()) parseReply(frame);
  if (frames.pending.length > 0) throw new Error(`a reply is not whole: ${frames.pending}`);
}

export const resp: Fuzzer = {
  name: 'resp',
  about: `${PIPELINES} mutated pipelines a run, split anywhere, ${CLIENTS} clients`,
  make(r) {
    const queues: Buffer[][] = Array.from({ length: CLIENTS }, () => []);
    for (let i = 0; i < PIPELINES; i++) {
      queues[i % CLIENTS]!.push(...pieces(r, mutate(r, pipeline(r), WORDS)));
    }
    const steps: Case = [];
    while (queues.some((queue) => queue.length > 0)) {
      const client = r.below(CLIENTS);
      const bytes = queues[client]!.shift();
      if (bytes !== undefined) steps.push({ client, bytes, ...(r.once(20) && { afterMs: 500 }) });
    }
    return steps;
  },
  async run(steps, seed) {
    const test = new HostUnderTest(seed, { directives: { requirepass: 'secret' } });
    const frames = Array.from({ length: CLIENTS }, () => new FrameReader());
    for (const { client: index = 0, bytes, afterMs } of steps) {
      // Client 0 is never authenticated, unless it guesses the password.
      const client = test.client(index, index === 0 ? 0 : CLIENT_AUTHENTICATED);
      const replies = await client.ask(bytes);
      checkReplies(frames[index]!, replies);
      if (client.isClosing) client.close();
      if (afterMs !== undefined) test.after(afterMs);
    }
    test.finish();
  },
};
