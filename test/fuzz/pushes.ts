// Fuzzer `pushes`: several clients that subscribe, track, monitor and go away while all of them
// write. What each receives must be whole frames; a RESP3 client gets exactly one reply for each of
// its commands, and everything else as pushes; in the end no memory is left.

import { encodeCommand } from '../support/bytes.js';
import type { Prng } from '../support/prng.js';
import { FrameReader, parseReply } from '../support/resp.js';
import { type Case, type Fuzzer, HostUnderTest } from './fuzzer.js';

/** Clients below this number speak RESP3 and are held to their replies; the rest may do more. */
const STRICT = 4;
const CLIENTS = 7;
/** The pool of reply blocks, which more than one client fills. */
const SPARE_BYTES = 16 << 16;
const CHANNELS = ['x', 'xy', '', 'y'.repeat(300), '__keyevent@0__:set', '__keyspace@0__:k'];
const KEYS = ['k', 'a:1', 'a:2', 'b:1', '', 'l'.repeat(300)];
const PATTERNS = ['*', 'x*', '[', '__key*', ''];

/** A command that is answered by one reply. */
function plainCommand(r: Prng): string[] {
  const key = () => r.pick(KEYS);
  const value = () => (r.once(20) ? 'v'.repeat(r.below(200_000)) : String(r.below(1000)));
  switch (r.below(14)) {
    case 0:
    case 1:
      return ['PUBLISH', r.pick(CHANNELS), value()];
    case 2:
      return ['SPUBLISH', r.pick(CHANNELS), value()];
    case 3:
    case 4:
      return ['SET', key(), value()];
    case 5:
      return ['MSET', key(), value(), key(), value()];
    case 6:
      return ['DEL', key(), key()];
    case 7:
      return ['MGET', key(), key(), key()];
    case 8:
      return ['GET', key()];
    case 9:
      return ['SET', key(), value(), 'PX', String(1 + r.below(300))];
    case 10:
      return r.once(4) ? ['FLUSHALL'] : ['INCR', key()];
    case 11:
      return ['RENAME', key(), key()];
    case 12:
      return ['PUBSUB', r.pick(['CHANNELS', 'NUMPAT', 'SHARDCHANNELS'])];
    default:
      return tracking(r);
  }
}

function tracking(r: Prng): string[] {
  const modes = ['NOLOOP', 'OPTIN', 'OPTOUT', 'BCAST', 'BCAST PREFIX a:', 'BCAST PREFIX b:'];
  modes.push('BCAST NOLOOP PREFIX k', `REDIRECT ${1 + r.below(12)}`);
  switch (r.below(6)) {
    case 0:
      return ['CLIENT', 'TRACKING', 'OFF'];
    case 1:
      return ['CLIENT', 'CACHING', r.pick(['YES', 'NO'])];
    case 2:
      return ['CLIENT', 'TRACKINGINFO'];
    case 3:
      return ['CLIENT', 'TRACKING', 'ON'];
    default:
      return ['CLIENT', 'TRACKING', 'ON', ...r.pick(modes).split(' ')];
  }
}

/** A command that is answered by pushes alone. */
function subscription(r: Prng): string[] {
  const name = r.pick(['SUBSCRIBE', 'SSUBSCRIBE', 'UNSUBSCRIBE', 'SUNSUBSCRIBE']);
  if (r.once(4)) return [r.pick(['PSUBSCRIBE', 'PUNSUBSCRIBE']), r.pick(PATTERNS)];
  return [name, r.pick(CHANNELS), r.pick(CHANNELS)];
}

/** What only the clients do that are not held to their replies. */
function odd(r: Prng): string[] {
  switch (r.below(8)) {
    case 0:
    case 1:
      return ['MONITOR'];
    case 2:
      return ['RESET'];
    case 3:
      return ['CLIENT', 'REPLY', r.pick(['OFF', 'SKIP', 'ON'])];
    case 4:
      return ['CLIENT', 'KILL', 'TYPE', r.pick(['pubsub', 'normal'])];
    case 5:
      return ['HELLO', r.pick(['2', '3'])];
    case 6:
      return r.once(3) ? ['QUIT'] : ['UNSUBSCRIBE'];
    default:
      return ['CONFIG', 'SET', 'notify-keyspace-events', r.pick(['', 'KEA', 'AKEmn', 'Ex'])];
  }
}

/** Commands of one write, and how many replies other than pushes they are answered by. */
function batch(r: Prng, isStrict: boolean): { commands: string[][]; replies: number } {
  const commands: string[][] = [];
  let replies = 0;
  for (let i = r.range(1, 8); i > 0; i--) {
    if (!isStrict && r.once(3)) commands.push(odd(r));
    else if (r.once(3)) commands.push(subscription(r));
    else if (r.once(5)) {
      const queued = Array.from({ length: r.below(5) }, () => plainCommand(r));
      commands.push(['MULTI'], ...queued, [r.once(6) ? 'DISCARD' : 'EXEC']);
      replies += queued.length + 2;
    } else {
      commands.push(plainCommand(r));
      replies++;
    }
  }
  return { commands, replies };
}

/** Whole frames; the number of those that are no pushes. */
function countReplies(bytes: Buffer): number {
  const frames = new FrameReader();
  frames.push(bytes);
  let count = 0;
  for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
    if (parseReply(frame).type !== 'push') count++;
  }
  if (frames.pending.length > 0) throw new Error(`bytes behind the last frame: ${frames.pending}`);
  return count;
}

export const pushes: Fuzzer = {
  name: 'pushes',
  about: 'clients that subscribe, track and monitor: whole frames, one reply for each command',
  make(r) {
    const steps: Case = [];
    for (let i = r.range(20, 80); i > 0; i--) {
      const client = r.below(CLIENTS);
      const { commands, replies } = batch(r, client < STRICT);
      const bytes = Buffer.concat(commands.map(encodeCommand));
      // `extra` 1: the client closes its connection afterwards
      const extra = r.once(15) ? 1 : 0;
      steps.push({ client, bytes, commands: replies, afterMs: r.below(50), extra });
    }
    return steps;
  },
  async run(steps, seed) {
    const test = new HostUnderTest(seed, {
      directives: {
        'notify-keyspace-events': 'KEA',
        'tracking-table-max-keys': 3,
        'client-output-buffer-limit': 'pubsub 3mb 1mb 1',
      },
    });
    const { x } = test.host.core;
    const hello = encodeCommand(['HELLO', '3']);
    const open = async (index: number) => {
      const isNew = !test.isOpen(index);
      const client = test.client(index);
      if (isNew && index < STRICT) await client.ask(hello);
      return client;
    };
    for (const { client: index = 0, bytes, commands = 0, afterMs, extra } of steps) {
      const client = await open(index);
      // What was pushed since the last step comes before the replies.
      countReplies(client.take());
      const found = countReplies(await client.ask(bytes));
      if (index < STRICT && found !== commands && !client.isClosing) {
        throw new Error(`${commands} replies were due, ${found} came`);
      }
      if (extra === 1) client.close();
      while (x.nextReady() >= 0);
      test.after(afterMs ?? 0);
    }
    for (let index = 0; index < CLIENTS; index++) {
      if (test.isOpen(index)) countReplies(test.client(index).take());
    }
    while (x.nextReady() >= 0);
    test.finish(SPARE_BYTES);
  },
};
