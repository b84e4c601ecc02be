// A line a key with all that was measured (assembly/inspect/memory.ts).

import { MODE_MEMORY } from '../core/inspector.js';
import { boolean, type Checks, checkOptions, EXPORT_CHECKS, oneOf } from './check-options.js';
import { type ExportOptions, exported, type Places } from './export.js';
import type { RdbSource } from './source.js';

export interface MemoryOptions extends ExportOptions {
  /** `csv` (default): RFC 4180 with a line of names; `ndjson`: an object a line. */
  format?: 'csv' | 'ndjson' | undefined;
  /** False: no first line with the names of the columns. */
  header?: boolean | undefined;
}

const CHECKS: Checks<MemoryOptions> = {
  ...EXPORT_CHECKS,
  format: oneOf(['csv', 'ndjson']),
  header: boolean,
};

/** The options of the mode, by place. */
export function memoryPlaces({ format = 'csv', header = true }: MemoryOptions): Places {
  return { 0: Number(format === 'ndjson'), 1: Number(!header) };
}

/**
 * `database,type,key,encoding,memory_bytes,file_bytes,elements,largest_element,expires_at,
 * idle_seconds,frequency` of every key, block by block; a block is good until the next is asked
 * for. Throws as `readRdb` does, after what came before.
 */
export function reportMemory(
  source: RdbSource,
  options: MemoryOptions = {},
): AsyncGenerator<Uint8Array> {
  checkOptions(options, CHECKS);
  return exported(source, MODE_MEMORY, memoryPlaces(options), options);
}
