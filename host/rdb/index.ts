// The public entry `respite/rdb`: what is in an RDB file. Portable: Node, browsers and workers.

export type { KeyFilter, ValueType } from '../core/inspector.js';
export { isRespiteError, RespiteError } from '../errors.js';
export type { ExportOptions } from './export.js';
export { type CsvOptions, exportCsv } from './export-csv.js';
export { exportJson, type JsonEscape, type JsonOptions } from './export-json.js';
export { exportKeys, type KeysOptions } from './export-keys.js';
export type { RdbFile } from './file-facts.js';
export {
  checkRdb,
  type RdbEntry,
  type RdbReading,
  type ReadOptions,
  readRdb,
} from './read-rdb.js';
export type { Encoding, KeyFacts } from './records.js';
export type { RdbSource } from './source.js';
export { type TextEscape, unescapeText } from './unescape.js';
export type { RdbElement, StreamConsumer, StreamGroup, StreamMeta } from './values.js';
