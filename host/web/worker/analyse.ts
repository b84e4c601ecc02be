// The analysis of one file: the core's, over the pieces of a source. A damaged file gives what was
// before the damage; told to salvage, values that are damaged inside are left out and counted.

import { analyzeRdb } from '../../rdb/analysis.js';
import type { Report } from '../analysis.js';
import type { Source } from '../protocol.js';
import type { Task } from './serve.js';
import { openSource } from './source.js';

/** Rows of the tables of largest keys. */
const TOP = 500;

export async function analyse(
  { source }: { source: Source },
  { signal, progress }: Task<never>,
): Promise<Report> {
  const file = await openSource(source);
  const onRead = (bytes: number, size: number | undefined) => progress({ bytes, size });
  const options = {
    signal,
    partial: true,
    top: TOP,
    slots: 'all',
    salvage: source.salvage,
  } as const;
  return analyzeRdb(file.pieces({ signal, onRead }), options);
}
