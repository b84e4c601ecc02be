// The public entry `respite/rdb`: what is in an RDB file. Portable: Node, browsers and workers.

export type { KeyFilter, ValueType } from '../core/inspector.js';
export { isRespiteError, RespiteError } from '../errors.js';
export { checkRdb, type RdbVerdict, readRdbInfo } from './check.js';
export {
  type ConvertOptions,
  type ConvertSummary,
  convertRdb,
  type DbMap,
  type MergeOptions,
  mergeRdb,
  type RdbConversion,
  type RdbSplit,
  type SplitPart,
  splitRdb,
  VALKEY_VERSION,
} from './convert.js';
export type { LossKind, RdbLoss } from './convert-frames.js';
export type { RdbFile } from './file-facts.js';
export {
  type InspectOptions,
  type RdbEntry,
  type RdbReading,
  type ReadOptions,
  readRdb,
} from './read-rdb.js';
export type { Encoding, KeyFacts } from './records.js';
export type { RdbPullSource, RdbSource } from './source.js';
export type { SplitBy } from './split-by.js';
export type { RdbElement, StreamConsumer, StreamGroup, StreamMeta } from './values.js';
