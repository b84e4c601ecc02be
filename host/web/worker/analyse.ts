// The analysis of one file. Scaffold until the core's own is there.

import { isRespiteError } from '../../errors.js';
import type { KeyRow, TypeRow } from '../../rdb/analysis-types.js';
import { readRdb } from '../../rdb/read-rdb.js';
import type { Report } from '../analysis.js';
import type { Source } from '../protocol.js';
import type { Task } from './main.js';
import { openSource } from './source.js';

const decoder = new TextDecoder();
const sums = () => ({ keys: 0, memoryBytes: 0, fileBytes: 0, elements: 0 });

export async function analyse(
  { source }: { source: Source },
  { signal, progress }: Task<never>,
): Promise<Report> {
  const file = await openSource(source);
  let bytesRead = 0;
  const onRead = (bytes: number, size: number | undefined) => {
    bytesRead = bytes;
    progress({ bytes, size });
  };
  const reading = readRdb(file.pieces({ signal, onRead }), { signal });
  const total = { ...sums(), expires: 0, keyNameBytes: 0, payloadBytes: 0 };
  const types = new Map<string, TypeRow>();
  const rows: KeyRow[] = [];
  let damage: Report['damage'] = null;
  try {
    for await (const e of reading) {
      const row = types.get(e.type) ?? { type: e.type, ...sums(), payloadBytes: 0, expires: 0 };
      types.set(e.type, row);
      for (const s of [total, row]) {
        s.keys++;
        s.memoryBytes += e.memoryBytes;
        s.fileBytes += e.fileBytes;
        s.elements += e.count;
        s.payloadBytes += e.payloadBytes;
        if (e.expireAtMs !== undefined) s.expires++;
      }
      if (rows.length < 1000)
        rows.push({
          ...e,
          key: { text: decoder.decode(e.key) },
          keyBytes: e.key.length,
          expireAtMs: e.expireAtMs ?? null,
          idleSec: e.idleSec ?? null,
          freq: e.freq ?? null,
        });
    }
  } catch (error) {
    if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    damage = { ...error.details, message: error.message };
  }
  const none = sums();
  return {
    file: reading.file,
    bytesRead,
    nowMs: Date.now(),
    total,
    expiry: { none, expired: sums(), buckets: [] },
    types: [...types.values()],
    encodings: [],
    databases: [],
    slots: null,
    histograms: [],
    topBySize: rows.map(({ elements: _, read: __, payloadBytes: ___, ...r }: any) => r),
    topByLength: [],
    prefixes: null,
    idle: null,
    frequency: null,
    findings: [],
    bounds: [],
    damaged: 0,
    damage,
  };
}
