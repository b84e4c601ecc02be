// Two dumps compared key by key, by the core. Counts are of all keys; of the differing keys
// themselves the first are sent.

import { type DiffEntry, DiffPrefixes, diffRdb } from '../../rdb/diff.js';
import type { Comparison } from '../analysis.js';
import type { Source } from '../protocol.js';
import type { Task } from './serve.js';
import { openSource } from './source.js';

const ENTRIES_MAX = 10_000;
const BATCH_MS = 100;
/** More at once would hold the page up. */
const BATCH_MAX = 500;

interface CompareArgs {
  a: Source;
  b: Source;
}

export async function compare(
  { a, b }: CompareArgs,
  { signal, progress, part }: Task<DiffEntry[]>,
): Promise<Comparison> {
  const [first, second] = [await openSource(a), await openSource(b)];
  let batch: DiffEntry[] = [];
  let last = performance.now();
  let sent = 0;
  const flush = () => {
    if (batch.length > 0) part(batch);
    batch = [];
    last = performance.now();
  };
  const onRead = (bytes: number, size: number | undefined) => {
    progress({ bytes, size });
    if (performance.now() - last > BATCH_MS) flush();
  };
  const pieces = { signal, onRead };
  const diff = diffRdb(
    () => first.pieces(pieces),
    () => second.pieces(pieces),
    { signal, salvage: a.salvage || b.salvage },
  );
  const prefixes = new DiffPrefixes();
  for await (const entry of diff) {
    prefixes.add(entry);
    if (sent++ < ENTRIES_MAX) batch.push(entry);
    if (batch.length === BATCH_MAX) flush();
  }
  flush();
  return { counts: diff.counts, prefixes: prefixes.rows(), isCut: sent > ENTRIES_MAX };
}
