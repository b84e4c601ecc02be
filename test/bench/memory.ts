// Memory for a million keys of 16 bytes with values of 8, 64 and 200 bytes, each in a new server:
// used_memory of INFO and resident bytes, both less what the empty server had. `collections` does
// the same for many small hashes and lists and for one large set, sorted set and stream.

import { startServer } from '../support/servers.js';
import {
  type BenchOptions,
  type BenchResult,
  contenders,
  infoField,
  loadKeys,
  type Row,
  residentBytes,
} from './measure.js';

const KEYS = 1_000_000;

export async function memory({ scale }: BenchOptions): Promise<BenchResult> {
  const count = Math.round(KEYS * scale);
  const rows: Row[] = [];
  for (const valueBytes of [8, 64, 200]) {
    for (const kind of contenders()) {
      const server = await startServer(kind);
      try {
        const used = async () => Number(await infoField(server, 'memory', 'used_memory'));
        const [usedBefore, rssBefore] = [await used(), residentBytes(server.pid).now];
        await loadKeys(server.port, { count, valueBytes });
        const usedPerKey = ((await used()) - usedBefore) / count;
        const data = 16 + valueBytes;
        rows.push({
          server: kind,
          'value bytes': valueBytes,
          'used per key': Number(usedPerKey.toFixed(1)),
          'used/data': Number((usedPerKey / data).toFixed(2)),
          'resident per key': Number(
            ((residentBytes(server.pid).now - rssBefore) / count).toFixed(1),
          ),
        });
      } finally {
        await server.stop();
      }
    }
  }
  return { name: 'memory', rows };
}

/** What fills each case: the command of number i. */
const COLLECTIONS: [name: string, count: number, make: (i: number) => string[]][] = [
  ['100k hashes of 10', 100_000, (i) => ['HSET', `h:${i}`, ...ten(i).flatMap((n) => [`f${n}`, n])]],
  ['100k lists of 10', 100_000, (i) => ['RPUSH', `l:${i}`, ...ten(i)]],
  [
    'one zset of 1M',
    1_000_000,
    (i) => ['ZADD', 'z', String((i * 7919) % 1_000_003), `member:${i}`],
  ],
  ['one set of 1M', 1_000_000, (i) => ['SADD', 's', `member:${i}`]],
  ['one stream of 1M', 1_000_000, (i) => ['XADD', 'x', `${i + 1}-0`, 'field', `value:${i}`]],
];

function ten(i: number): string[] {
  return Array.from({ length: 10 }, (_, n) => `value:${i * 10 + n}`);
}

export async function collections({ scale }: BenchOptions): Promise<BenchResult> {
  const rows: Row[] = [];
  const logs: number[] = [];
  for (const [name, full, make] of COLLECTIONS) {
    const row: Row = { 'data set': name };
    for (const kind of contenders()) {
      const server = await startServer(kind);
      try {
        const used = async () => Number(await infoField(server, 'memory', 'used_memory'));
        const usedBefore = await used();
        const connection = await server.connect();
        const count = Math.round(full * scale);
        for (let at = 0; at < count; at += 1000) {
          const size = Math.min(1000, count - at);
          await connection.pipeline(Array.from({ length: size }, (_, n) => make(at + n)));
        }
        connection.close();
        row[kind] = (await used()) - usedBefore;
      } finally {
        await server.stop();
      }
    }
    const ratio = Number(row.respite) / Number(row.redis);
    row['respite/redis'] = Number(ratio.toFixed(2));
    logs.push(Math.log(ratio));
    rows.push(row);
  }
  const mean = Math.exp(logs.reduce((sum, one) => sum + one, 0) / logs.length);
  rows.push({ 'data set': 'geometric mean', 'respite/redis': Number(mean.toFixed(2)) });
  return { name: 'collections', rows };
}
