// Memory for a million keys of 16 bytes with values of 8, 64 and 200 bytes, each in a new server:
// used_memory of INFO and resident bytes, both less what the empty server had.

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
