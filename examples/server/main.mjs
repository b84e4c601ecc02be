// A whole Redis-compatible server in this process, and an ordinary client that talks to it:
//
//   npm install ioredis
//   node examples/server/main.mjs
//
// Port 0 lets the system choose a free one, so any number of servers can run side by side.

import { Redis } from 'ioredis';
import { createNodePlatform, loadConfig, silentLogger, startServer } from 'respite/server';

const { config } = loadConfig({ options: { port: 0, bind: '127.0.0.1', maxmemory: '100mb' } });
const server = await startServer(config, createNodePlatform(), silentLogger());
const [address] = server.address;
console.log(`listening on ${address}`);

const client = new Redis(`redis://${address}`);
await client.set('greeting', 'hello', 'EX', 60);
await client.incrby('visits', 41);
const [[, visits], [, greeting], [, ttl]] = await client
  .multi()
  .incr('visits')
  .get('greeting')
  .ttl('greeting')
  .exec();
console.log(`visits ${visits}, greeting ${greeting} for ${ttl} s more`);

client.disconnect();
await server.close();
