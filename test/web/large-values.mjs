// Dumps that are hard on memory, for large.mjs and for trying by hand:
//   node test/web/large-values.mjs FILE [megabytes]
//     a string, a hash and a list so large each
//   node test/web/large-values.mjs FILE --repeat OTHER times
//     OTHER's keys again and again
// Both without a checksum.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { readRdb } from '../../build/js/rdb-node.js';

const [file, what = '512', other, times] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: large-values.mjs FILE [MB | --repeat OTHER times]');
const out = openSync(file, 'w');
const write = (...parts) => {
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : Buffer.from(part);
    for (let at = 0; at < bytes.length; ) at += writeSync(out, bytes, at);
  }
};
const END = [0xff, 0, 0, 0, 0, 0, 0, 0, 0];
const HEAD = 9;

function length(n) {
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(n, 1);
  return bytes;
}
const string = (text) => Buffer.concat([length(Buffer.byteLength(text)), Buffer.from(text)]);

function values(megabytes) {
  const bytes = megabytes * 2 ** 20;
  const line = (i) => `${String(i).padStart(15, '0')}\n`;
  write('REDIS0010', [0xfe, 0], [0], string('before'), string('x'));
  write([0], string('large:string'), length(bytes));
  const block = 2 ** 16;
  for (let at = 0; at < bytes / 16; at += block) {
    write(Array.from({ length: block }, (_, i) => line(at + i)).join(''));
  }
  const rows = (count, row) => {
    for (let at = 0; at < count; at += block) {
      write(
        Buffer.concat(Array.from({ length: Math.min(block, count - at) }, (_, i) => row(at + i))),
      );
    }
  };
  const many = Math.floor(bytes / 128);
  write([4], string('large:hash'), length(many));
  rows(many, (i) => Buffer.concat([string(`field:${i}`), string('v'.repeat(100))]));
  write([1], string('large:list'), length(many));
  rows(many, (i) => string(`element ${i} `.padEnd(123, '.')));
  write([0], string('after'), string('y'), END);
}

async function repeated() {
  const bytes = readFileSync(other);
  let from = 0;
  for await (const { offset } of readRdb(other)) {
    from = offset;
    break;
  }
  // an expiry or an idle time in front of the first key is left out with what is in front of it
  const body = bytes.subarray(from, bytes.length - HEAD);
  write('REDIS0010', [0xfe, 0]);
  for (let i = 0; i < Number(times); i++) write(body);
  write(END);
}

if (what === '--repeat') await repeated();
else values(Number(what));
closeSync(out);
