// Fuzzer `restore`: damaged DUMP payloads, their checksums made right again, through RESTORE. A
// payload is refused, or its value can be read, written, dumped and deleted without a trap.

import { COMMAND_NAMES } from '../../host/commands/generated/table.js';
import payloads from '../conformance/payloads.json' with { type: 'json' };
import { encodeCommand } from '../support/bytes.js';
import { sealDump } from '../support/crc64.js';
import { FrameReader, parseReply } from '../support/resp.js';
import { type Case, type Fuzzer, HostUnderTest } from './fuzzer.js';
import { mutate } from './mutate.js';

const PAYLOADS = 40;
const WORDS = [
  '\xff',
  '\x00\x00',
  '\xf0\x7f\xff',
  '\xc0\x80',
  '\xc3\x01\x7f',
  '\x80\xff\xff\xff\xff',
];
const FOLLOW = [
  ...[
    ['OBJECT', 'ENCODING', 'k'],
    ['TYPE', 'k'],
    ['DUMP', 'k'],
    ['MEMORY', 'USAGE', 'k'],
    ['GET', 'k'],
  ],
  ...[
    ['LRANGE', 'k', '0', '-1'],
    ['HGETALL', 'k'],
    ['SMEMBERS', 'k'],
    ['LPOP', 'k', '3'],
  ],
  ...[
    ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
    ['XRANGE', 'k', '-', '+'],
    ['XINFO', 'STREAM', 'k'],
  ],
  ...[
    ['APPEND', 'k', 'x'],
    ['RPUSH', 'k', 'x'],
    ['HSET', 'k', 'f', 'v'],
    ['SADD', 'k', 'm', '5'],
  ],
  ...[
    ['ZADD', 'k', '1', 'm'],
    ['XADD', 'k', '*', 'f', 'v'],
    ['COPY', 'k', 'l', 'REPLACE'],
  ],
];
/** Type byte and value, without version and checksum. */
const sources = Object.values(payloads as Record<string, string>).map((text) =>
  Buffer.from(text, 'hex').subarray(0, -10),
);

export const restore: Fuzzer = {
  name: 'restore',
  about: `${PAYLOADS} damaged DUMP payloads a run, through RESTORE`,
  missing() {
    return (COMMAND_NAMES as readonly string[]).includes('restore')
      ? undefined
      : 'this core has no RESTORE yet';
  },
  make(r) {
    const words = WORDS.map((word) => Buffer.from(word, 'latin1'));
    const steps: Case = [];
    for (let i = 0; i < PAYLOADS; i++) {
      const bytes = sealDump(mutate(r, r.pick(sources), words, 1));
      const commands: (string | Buffer)[][] = [
        ['RESTORE', 'k', '0', bytes, 'REPLACE'],
        ...FOLLOW.slice(0, 4),
        ...Array.from({ length: 4 }, () => r.pick(FOLLOW)),
      ];
      if (r.once(3)) commands.push(['DEL', 'k', 'l']);
      steps.push({
        bytes: Buffer.concat(commands.map((args) => encodeCommand(args))),
        commands: commands.length,
      });
    }
    return steps;
  },
  async run(steps, seed) {
    const test = new HostUnderTest(seed);
    for (const { bytes, commands } of steps) {
      const frames = new FrameReader();
      frames.push(await test.client(0).ask(bytes));
      let count = 0;
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
        parseReply(frame);
        count++;
      }
      if (count !== commands) throw new Error(`${commands} commands, ${count} replies`);
      test.after(10);
    }
    test.finish();
  },
};
