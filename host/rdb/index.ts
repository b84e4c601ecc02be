// The public entry `respite/rdb`: what is in an RDB file. Portable: Node, browsers and workers.

export type { KeyFilter, ValueType } from '../core/inspector.js';
export type { CoreModule, WasmSource } from '../core/load.js';
export {
  type ErrorCode,
  type ErrorDetails,
  isRespiteError,
  RespiteError,
  type RespiteErrorOptions,
} from '../errors.js';
export { type AnalyzeOptions, analyzeRdb } from './analysis.js';
export type * from './analysis-types.js';
export { checkRdb, type InfoOptions, type RdbVerdict, readRdbInfo } from './check.js';
export {
  type ConvertOptions,
  type ConvertSummary,
  convertRdb,
  type Duplicates,
  type MergeOptions,
  mergeRdb,
  type RdbConversion,
  type RdbDamage,
  type RdbSplit,
  type SplitPart,
  splitRdb,
  VALKEY_VERSION,
} from './convert.js';
export type { LossKind, RdbLoss } from './convert-frames.js';
export type { ConvertSource } from './convert-input.js';
export type { DbMap } from './db-map.js';
export {
  type DiffCounts,
  type DiffEntry,
  type DiffKind,
  type DiffOptions,
  type DiffPrefix,
  DiffPrefixes,
  diffRdb,
  type RdbDiff,
} from './diff.js';
export type { ExportOptions, TextExport } from './export.js';
export {
  aofManifest,
  type CommandExport,
  type CommandExportOptions,
  type CommandOptions,
  exportCommands,
} from './export-commands.js';
export { type CsvOptions, exportCsv } from './export-csv.js';
export { exportJson, type JsonEscape, type JsonOptions } from './export-json.js';
export { exportKeys, type KeysOptions } from './export-keys.js';
export type { RdbFile } from './file-facts.js';
export type { FindingLimits } from './findings.js';
export { type HtmlOptions, htmlReport } from './html-report.js';
export type { LeftOut, LeftOutReason } from './left-out.js';
export type { PrefixOptions } from './prefix-tables.js';
export {
  type InspectOptions,
  type RdbEntry,
  type RdbReading,
  type ReadOptions,
  readRdb,
} from './read-rdb.js';
export type { Encoding, KeyFacts, OnLongString, PlainRecord } from './records.js';
export { type MemoryOptions, reportMemory } from './report-memory.js';
export type { OnProgress, RunOptions } from './run.js';
export type { OpenAgain, RdbBytes, RdbPullSource, RdbSource } from './source.js';
export type { NamedPart, SplitBy } from './split-by.js';
export { type TextEscape, unescapeText } from './unescape.js';
export type { RdbElement, StreamConsumer, StreamGroup, StreamMeta } from './values.js';
