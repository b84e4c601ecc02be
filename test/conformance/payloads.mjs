// Makes payloads.json: DUMP payloads of a real redis-server for every type and encoding, in hex,
// so that lines can create keys with RESTORE whose write commands respite may not have yet.
// Run by hand when a payload is added: node test/conformance/payloads.mjs

import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';

const PORT = 26391;
const RECIPES = {
  str: ['SET', 'hello world'],
  str_int: ['SET', '12345'],
  str_negative: ['SET', '-7'],
  str_int64: ['SET', '9223372036854775807'],
  str_lzf: ['SET', 'abcdefgh'.repeat(500)],
  str_binary: ['SET', '\x00\x01\xff\r\n\x00'],
  str_empty: ['SET', ''],
  list: ['RPUSH', 'a', 'b', 'c'],
  list_ints: [
    'RPUSH',
    '1',
    '-1',
    '127',
    '128',
    '-129',
    '32767',
    '2147483648',
    '-9223372036854775808',
  ],
  list_big: ['RPUSH', ...many(1000, (i) => `element:${i}`)],
  list_plain: ['RPUSH', 'x'.repeat(20000), 'y'],
  set_int16: ['SADD', '1', '2', '3'],
  set_int32: ['SADD', '1', '70000', '-70000'],
  set_int64: ['SADD', '1', '5000000000', '-9223372036854775808'],
  set: ['SADD', 'one', '2', 'three'],
  set_big: ['SADD', ...many(600, (i) => `member:${i}`)],
  hash: ['HSET', 'f1', 'v1', 'f2', '2'],
  hash_long: ['HSET', 'f', 'v'.repeat(100)],
  hash_big: ['HSET', ...many(600, (i) => [`field:${i}`, `value:${i}`]).flat()],
  zset: ['ZADD', '1', 'a', '2.5', 'b', '-inf', 'c'],
  zset_long: ['ZADD', '3', 'm'.repeat(100), '1e300', 'big', '0.1', 'tenth'],
  zset_big: ['ZADD', ...many(300, (i) => [String(i / 7), `member:${i}`]).flat()],
  hll: ['PFADD', 'a', 'b', 'c'],
};
const STREAM = [
  ['XADD', 'k', '1-1', 'f', 'v'],
  ['XADD', 'k', '2-0', 'f', 'v2', 'g', 'w'],
  ['XADD', 'k', '3-7', 'other', '5'],
  ['XDEL', 'k', '2-0'],
];
const GROUPS = [
  ['XGROUP', 'CREATE', 'k', 'g1', '0'],
  ['XGROUP', 'CREATE', 'k', 'g2', '$', 'ENTRIESREAD', '3'],
  ['XGROUP', 'CREATECONSUMER', 'k', 'g1', 'idle'],
  ['XREADGROUP', 'GROUP', 'g1', 'alice', 'COUNT', '1', 'STREAMS', 'k', '>'],
  ['XREADGROUP', 'GROUP', 'g1', 'bob', 'COUNT', '1', 'STREAMS', 'k', '>'],
];

function many(count, make) {
  return Array.from({ length: count }, (_, i) => make(i));
}

function encode(args) {
  const words = args.map((arg) => Buffer.from(arg, 'latin1'));
  return Buffer.concat([
    Buffer.from(`*${words.length}\r\n`),
    ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]),
  ]);
}

function bulkOf(socket, args) {
  return new Promise((resolve) => {
    let got = Buffer.alloc(0);
    const onData = (chunk) => {
      got = Buffer.concat([got, chunk]);
      const end = got.indexOf('\r\n');
      if (end < 0) return;
      const len = got[0] === 36 ? Number(got.toString('latin1', 1, end)) + 2 : 0;
      if (got[0] === 42 || got.length >= end + 2 + len) {
        socket.off('data', onData);
        resolve(got.subarray(end + 2, end + 2 + len - 2));
      }
    };
    socket.on('data', onData);
    socket.write(encode(args));
  });
}

const server = spawn('redis-server', ['--port', String(PORT), '--save', ''], { stdio: 'pipe' });
for await (const chunk of server.stdout) if (String(chunk).includes('Ready')) break;
const socket = net.connect(PORT);
const payloads = {};
const dump = async (name) => {
  payloads[name] = (await bulkOf(socket, ['DUMP', 'k'])).toString('hex');
  await bulkOf(socket, ['DEL', 'k']);
};
for (const [name, [command, ...rest]] of Object.entries(RECIPES)) {
  await bulkOf(socket, [command, 'k', ...rest]);
  await dump(name);
}
for (const args of STREAM) await bulkOf(socket, args);
await dump('stream');
for (const args of [...STREAM, ...GROUPS]) await bulkOf(socket, args);
await dump('stream_groups');
for (const args of [
  ['XADD', 'k', '5-5', 'a', 'b'],
  ['XDEL', 'k', '5-5'],
])
  await bulkOf(socket, args);
await dump('stream_empty');
for (const args of many(250, (i) => ['XADD', 'k', `${i + 1}-0`, 'n', String(i)])) {
  await bulkOf(socket, args);
}
await dump('stream_big');
socket.destroy();
server.kill('SIGKILL');
const file = new URL('payloads.json', import.meta.url).pathname;
writeFileSync(file, `${JSON.stringify(payloads, null, 2)}\n`);
console.log(execFileSync('wc', ['-c', file]).toString(), Object.keys(payloads).length, 'payloads');
