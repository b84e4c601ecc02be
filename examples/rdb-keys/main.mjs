// Which keys of a dump are large and never expire? One pass, constant memory, nothing loaded:
//
//   node examples/rdb-keys/main.mjs dump.rdb
//
// A live server does as well: redis://user:password@host:6379 is read by being its replica.

import { readRdb } from 'respite/rdb';

const [source = 'dump.rdb'] = process.argv.slice(2);
const reading = readRdb(source, { filter: { noExpiry: true, minBytes: 1024 } });
const largest = [];
for await (const { db, key, type, count, memoryBytes } of reading) {
  largest.push({ db, key: Buffer.from(key).toString(), type, count, memoryBytes });
  if (largest.length > 1000) keepLargest();
}
keepLargest();

const { version, aux, databases, checksum } = reading.file;
console.log(`RDB ${version} of redis ${aux['redis-ver'] ?? '?'}, checksum ${checksum}`);
for (const { db, keys, expires } of databases) {
  console.log(`database ${db}: ${keys} keys, ${expires} expire`);
}
for (const one of largest) {
  console.log(`${one.memoryBytes} bytes: ${one.type} ${one.key} (${one.count}) in ${one.db}`);
}

function keepLargest() {
  largest.sort((a, b) => b.memoryBytes - a.memoryBytes);
  largest.length = Math.min(largest.length, 10);
}
