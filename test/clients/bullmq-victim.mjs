// A BullMQ worker in a process of its own, to be killed while it works: takes a job, says its id
// and never finishes. Arguments: port of the server, name of the queue, how long its lock lasts.

import { Worker } from 'bullmq';

const [port, queue, lockMs] = process.argv.slice(2);
const taken = (job) => {
  console.log(`took ${job.id}`);
  return new Promise(() => {});
};
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
new Worker(queue, taken, {
  ...{ connection, lockDuration: Number(lockMs), skipStalledCheck: true, concurrency: 3 },
});
