// A live copy of a Redis in this process. Start a Redis or Valkey, then
//
//   node examples/basic/main.mjs redis://127.0.0.1:6379
//
// Every second it prints how many keys there are and what it read; Ctrl+C ends it. Reads of
// `replica.storage` need no network and no promise: the data is here.

import { createReplica } from 'respite';

const master = process.argv[2] ?? 'redis://127.0.0.1:6379';
const replica = createReplica({ master });

replica.on('disconnect', () => console.log('the link is down; trying again'));
replica.on('error', (error) => console.log(`${error.code}: ${error.message}`));

await replica.start();
await replica.waitForSync({ timeoutMs: 30_000 });

const { storage } = replica;
const { masterHost, replicationOffset } = replica.syncStatus();
console.log(`in sync with ${masterHost} at offset ${replicationOffset}: ${storage.dbsize()} keys`);

const show = () =>
  console.log(`${storage.dbsize()} keys, greeting = ${storage.getText('greeting')}`);
show();
const timer = setInterval(show, 1000);

async function end() {
  clearInterval(timer);
  await replica.close();
}
process.once('SIGINT', end);
process.once('SIGTERM', end);
