// A mixed dump as a busy server writes it: node test/bench/mixed-dump.mjs FILE [keys] [seed].
// 1,000,000 keys make about 200 MB: strings (texts, JSON, numbers, pages), hashes, lists, sets of
// numbers and of words, sorted sets and streams in all their encodings, a third of them with an
// expiry. The data go through redis-server, so the file is what Redis itself makes of them.

import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [file, keysText = '1000000', seedText = '1'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: mixed-dump.mjs FILE [keys] [seed]');
const keys = Number(keysText);

let state = (Number(seedText) * 2654435761 + 1) >>> 0;
function below(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}
const WORDS = 'lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy'.split(' ');
const words = (n) => Array.from({ length: n }, () => WORDS[below(WORDS.length)]).join(' ');
const hex = (n) => Array.from({ length: n }, () => below(16).toString(16)).join('');
const many = (n, make) => Array.from({ length: n }, (_, i) => make(i)).flat();
/** Mostly `low`, at times up to `high`. */
const size = (low, high) => (below(2000) === 0 ? low + below(high) : 1 + below(low));

const user = (i) =>
  JSON.stringify({
    id: i,
    name: words(2),
    mail: `${hex(8)}@example.com`,
    token: hex(48),
    at: below(2e9),
  });
const page = () => `<html><body>${many(8 + below(60), () => `<p>${words(4)}</p>`).join('')}`;
const MAKERS = [
  [20, (i) => ['SET', `session:${hex(16)}`, user(i)]],
  [10, (i) => ['SET', `counter:${i}`, String(below(1e6))]],
  [10, (i) => ['SET', `user:${i}:name`, words(2)]],
  [6, (i) => ['SET', `cache:page:${i}`, page()]],
  [
    20,
    (i) => ['HSET', `user:${i}`, ...many(size(20, 800), (f) => [`field${f}`, hex(4 + below(24))])],
  ],
  [10, (i) => ['RPUSH', `queue:${i % 97}:${i}`, ...many(size(36, 5000), () => hex(14))]],
  [5, (i) => ['SADD', `ids:${i}`, ...many(size(30, 2000), () => String(below(1e5)))]],
  [5, (i) => ['SADD', `tags:${i}`, ...many(size(12, 1000), () => hex(8))]],
  [
    ...[12],
    (i) => ['ZADD', `board:${i}`, ...many(size(22, 1000), () => [String(below(1e7)), hex(8)])],
  ],
];
const WEIGHTS = MAKERS.reduce((sum, [weight]) => sum + weight, 0);

function* commands() {
  for (let i = 0; i < keys; i++) {
    if (below(50) === 0) {
      for (let n = 1 + below(12); n > 0; n--) {
        const fields = ['XADD', `events:${i}`, '*', 'kind', 'click', 'page', `/p/${below(999)}`];
        yield fields;
      }
      continue;
    }
    let at = below(WEIGHTS);
    const [, make] = MAKERS.find(([weight]) => {
      at -= weight;
      return at < 0;
    });
    const command = make(i);
    yield command;
    if (below(3) === 0) yield ['EXPIRE', command[1], String(1000 + below(5e6))];
  }
}

const encode = (args) =>
  `*${args.length}\r\n${args.map((a) => `$${Buffer.byteLength(a)}\r\n${a}\r\n`).join('')}`;

const dir = mkdtempSync(join(tmpdir(), 'mixed-dump-'));
const path = join(dir, 'sock');
const server = spawn(
  'redis-server',
  ['--port', '0', '--unixsocket', path, '--dir', dir, '--save', ''],
  { stdio: 'ignore' },
);
try {
  let socket;
  for (let tries = 0; socket === undefined; tries++) {
    await sleep(50);
    socket = await new Promise((done) => {
      const one = net.connect(path, () => done(one)).on('error', () => done(undefined));
    });
    if (tries > 600) throw new Error('redis-server does not start');
  }
  let tail = '';
  const isOver = new Promise((done) => {
    socket.on('data', (data) => {
      tail = (tail + data.toString('latin1')).slice(-64);
      if (tail.endsWith('$4\r\nover\r\n')) done();
    });
  });
  let batch = [];
  for (const command of commands()) {
    batch.push(encode(command));
    if (batch.length < 500) continue;
    if (!socket.write(batch.join(''))) await new Promise((done) => socket.once('drain', done));
    batch = [];
  }
  socket.write(`${batch.join('')}${encode(['SAVE'])}${encode(['ECHO', 'over'])}`);
  await isOver;
  copyFileSync(join(dir, 'dump.rdb'), file);
  socket.destroy();
} finally {
  server.kill();
  rmSync(dir, { recursive: true });
}
