// RDB to JSON. The text is made in the core (assembly/inspect/json.ts, which has the schema).

import { MODE_JSON } from '../core/inspector.js';
import { boolean, type Checks, checkOptions, EXPORT_CHECKS, oneOf } from './check-options.js';
import { ESCAPES, type ExportOptions, ModeExport, type Places, type TextExport } from './export.js';
import type { RdbSource } from './source.js';

/**
 * How the bytes of the file's strings become JSON strings; `unescapeText` turns them back.
 *
 * - `utf8`: valid UTF-8 is itself. Any other byte is `\xHH` with capital digits, and so is a
 *   backslash that stands before an `xHH` of its own.
 * - `latin1`: every byte is the character of its number, `\u0080` to `\u00ff` above ASCII.
 * - `base64`: every string of the file in base64.
 */
export type JsonEscape = 'utf8' | 'latin1' | 'base64';

/** Numbers of FORM_* in assembly/inspect/json.ts. */
const FORMS = { array: 0, lines: 1, flat: 2 } as const;

export interface JsonOptions extends ExportOptions {
  /**
   * `array` (default): one array of records. `lines`: NDJSON, a record a line. `flat`: what
   * redis-rdb-tools writes, `[{"key":value,…},…]` with an object a database: no expiries and no
   * facts, and a module's value is null.
   */
  form?: keyof typeof FORMS | undefined;
  /** Default: `utf8`. */
  escape?: JsonEscape | undefined;
  /** Records about keys only, none about the file (auxiliary fields, functions, databases). */
  keysOnly?: boolean | undefined;
  /** Adds count, largest, fileBytes and memoryBytes behind each value. */
  sizes?: boolean | undefined;
}

const JSON_ESCAPES: readonly JsonEscape[] = ['utf8', 'latin1', 'base64'];

const CHECKS: Checks<JsonOptions> = {
  ...EXPORT_CHECKS,
  form: oneOf(Object.keys(FORMS)),
  escape: oneOf(JSON_ESCAPES),
  keysOnly: boolean,
  sizes: boolean,
};

/** The options of the mode, by place. */
export function jsonPlaces(options: JsonOptions): Places {
  const { form = 'array', escape: how = 'utf8', keysOnly = false, sizes = false } = options;
  return { 0: FORMS[form], 1: ESCAPES[how], 2: Number(keysOnly), 3: Number(sizes) };
}

/**
 * An RDB file as JSON, in UTF-8, block by block; a block is good until the next is asked for. No
 * byte of the data is lost, and the text is always valid: where the file is damaged the open value
 * is closed and marked `"damaged":true`, a record `{"type":"error","offset":…,"reason":…}` ends the
 * text, and then ERR_RESPITE_RDB_FORMAT is thrown.
 */
export function exportJson(source: RdbSource, options: JsonOptions = {}): TextExport {
  checkOptions(options, CHECKS);
  return new ModeExport(source, MODE_JSON, jsonPlaces(options), options);
}
