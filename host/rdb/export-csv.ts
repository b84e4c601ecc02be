// RDB to CSV: a line a key (assembly/inspect/csv.ts).

import { MODE_CSV } from '../core/inspector.js';
import { boolean, type Checks, checkOptions, EXPORT_CHECKS, oneOf } from './check-options.js';
import { ESCAPES, type ExportOptions, ModeExport, type Places, type TextExport } from './export.js';
import type { RdbSource } from './source.js';

/** Numbers of COLUMNS_* in assembly/inspect/csv.ts. */
const COLUMNS = { 'rdb-tools': 0, go: 1 } as const;

const KEYS = { utf8: ESCAPES.text, base64: ESCAPES.base64, raw: ESCAPES.raw } as const;

export interface CsvOptions extends ExportOptions {
  /**
   * Whose columns: `rdb-tools` (default) those of `rdb -c memory` of redis-rdb-tools,
   * `database,type,key,size_in_bytes,encoding,num_elements,len_largest_element,expiry`; `go` those
   * of `rdb -c memory` of HDT3213/rdb,
   * `database,key,type,size,size_readable,element_count,encoding,expiration`.
   */
  columns?: keyof typeof COLUMNS | undefined;
  /**
   * Keys: `utf8` (default) leaves valid UTF-8 and writes other bytes and control characters `\xHH`
   * (`unescapeText` turns them back); `base64`; `raw` leaves every byte.
   */
  escape?: keyof typeof KEYS | undefined;
  /** False: no first line with the names of the columns. */
  header?: boolean | undefined;
}

const CHECKS: Checks<CsvOptions> = {
  ...EXPORT_CHECKS,
  columns: oneOf(Object.keys(COLUMNS)),
  escape: oneOf(Object.keys(KEYS)),
  header: boolean,
};

/** The options of the mode, by place. */
export function csvPlaces(options: CsvOptions): Places {
  const { columns = 'rdb-tools', escape: how = 'utf8', header = true } = options;
  return { 0: COLUMNS[columns], 1: KEYS[how], 2: Number(!header) };
}

/**
 * The keys of an RDB file as CSV (RFC 4180 quoting, lines end in LF), block by block; a block is
 * good until the next is asked for. Throws as `readRdb` does, after what came before.
 */
export function exportCsv(source: RdbSource, options: CsvOptions = {}): TextExport {
  checkOptions(options, CHECKS);
  return new ModeExport(source, MODE_CSV, csvPlaces(options), options);
}
