// Lua scripts on a live replica: what reads runs here, on the copy in this process, without the
// network; what may write goes to the master, whole.
//
//   node examples/replica-lua-demo/main.mjs redis://127.0.0.1:6379
//
// Without an address it starts a redis-server of its own for as long as it runs. It writes keys
// that begin with `demo:`, and deletes them at the end.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReplica, LuaEngine } from 'respite';

const master = process.argv[2] === undefined ? await ownMaster() : { url: process.argv[2] };
if (master === undefined) {
  console.log('skipped: there is no redis-server here; give the address of one');
  process.exit(0);
}

const replica = createReplica({ master: master.url, writeRedirection: true });
try {
  await replica.start();
  await replica.waitForSync({ timeoutMs: 30_000 });
  await demo();
} finally {
  await replica.close();
  master.stop?.();
}

async function demo() {
  const lua = new LuaEngine(replica.storage, { strings: 'text' });

  // May write: the async calls send it to the master as EVAL. It is atomic there.
  const add = `
    for i = 1, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end
    return redis.call('ZCARD', KEYS[1])`;
  const scores = [30, 'anna', 10, 'ben', 20, 'cleo'];
  console.log(`at the master: ${await lua.evalAsync(add, ['demo:scores'], scores)} scores`);

  // The write comes back through the replication stream, a moment later.
  while (replica.storage.exists('demo:scores') === 0) await sleep(5);

  // Only reads, and says so by its first line: the async calls run it here, too.
  const best = `#!lua flags=no-writes
    local names = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[1] - 1)
    return cjson.encode({first = names[1], all = names})`;
  console.log(`here: ${await lua.evalAsync(best, ['demo:scores'], [2])}`);

  // The plain calls run here always, and at once: a write in them is refused.
  console.log(`here, no promise: ${lua.eval(best, ['demo:scores'], [1])}`);
  try {
    lua.eval(add, ['demo:scores'], [1, 'dora']);
  } catch (error) {
    console.log(`${error.code}: ${error.message.slice(0, 56)}`);
  }

  await lua.evalAsync("return redis.call('DEL', KEYS[1])", ['demo:scores']);
  lua.close();
}

/** A redis-server on a free port, without persistence; undefined when there is none. */
async function ownMaster() {
  const dir = mkdtempSync(join(tmpdir(), 'replica-lua-demo-'));
  const port = await freePort();
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', dir, '--save', ''];
  const child = spawn('redis-server', args.map(String));
  const stop = () => {
    child.kill();
    rmSync(dir, { recursive: true, force: true });
  };
  const isUp = await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
    child.stdout.on('data', (text) => /Ready to accept/.test(text) && resolve(true));
  });
  if (isUp) return { url: `redis://127.0.0.1:${port}`, stop };
  stop();
  return undefined;
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
