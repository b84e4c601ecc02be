// What an analysis of a dump says: plain data that survives JSON.stringify, the one object behind
// tables, JSON, HTML and the page. Sizes are bytes; "memory" is estimated for a Redis of today.

import type { ValueType } from '../core/inspector.js';
import type { RdbFile } from './file-facts.js';
import type { Encoding } from './records.js';

/** Sums over some keys. */
export interface Sums {
  keys: number;
  memoryBytes: number;
  fileBytes: number;
  /** Elements, fields, members, entries; 1 for a string. */
  elements: number;
}

/**
 * Bytes of a file as text: `text` is UTF-8 with `\xNN` for bytes that are none (and for control
 * characters); if that happened, `base64` has the bytes themselves.
 */
export interface BytesText {
  text: string;
  base64?: string;
}

export interface TypeRow extends Sums {
  type: ValueType;
  /** Bytes of all elements themselves, without what Redis needs around them. */
  payloadBytes: number;
  expires: number;
}
export interface EncodingRow extends Sums {
  type: ValueType;
  encoding: Encoding;
}
export interface DatabaseRow extends Sums {
  db: number;
  expires: number;
}
export interface SlotRow {
  slot: number;
  keys: number;
  memoryBytes: number;
}

/** Cluster slots in use; means are of those. */
export interface SlotAnalysis {
  used: number;
  keysMean: number;
  memoryMean: number;
  /** Those with most memory. */
  rows: SlotRow[];
  /** Every slot by its number, also the empty ones; only with `slots: 'all'`. */
  all?: { keys: number[]; memoryBytes: number[] };
}

/** from <= value < to; `to` null: no end. */
export interface Bucket {
  from: number;
  to: number | null;
  keys: number;
  memoryBytes: number;
}

/** Counts by powers of two: 0, 1, 2-3, 4-7 … without the empty buckets at both ends. */
export interface Histogram {
  of: HistogramName;
  /** Bytes, or what is counted. */
  unit: 'bytes' | 'elements';
  buckets: Bucket[];
}
export type HistogramName =
  | 'memory'
  | 'file'
  | 'key-name'
  | 'string'
  | 'list'
  | 'set'
  | 'zset'
  | 'hash'
  | 'stream'
  | 'largest-element';

/** One key in a table. */
export interface KeyRow {
  db: number;
  /** The first 512 bytes of the name … */
  key: BytesText;
  /** … of so many. */
  keyBytes: number;
  type: ValueType;
  encoding: Encoding;
  memoryBytes: number;
  fileBytes: number;
  /** Elements; bytes of a string. */
  count: number;
  /** Bytes of the longest element. */
  largest: number;
  /** Unix ms, null: it does not expire. */
  expireAtMs: number | null;
  idleSec: number | null;
  freq: number | null;
  /** Place in the file. */
  offset: number;
}

/** Keys whose names begin alike. */
export interface PrefixRow extends Sums {
  prefix: BytesText;
  /** Separators in it; for automatic prefixes how many prefixes of the list contain it. */
  depth: number;
  types: Partial<Record<ValueType, number>>;
  expires: number;
  /** Keys that may be missing here because the table was full when they came; 0: exact. */
  missingMax: number;
}

/** The same as a tree, for treemaps: a child's prefix begins with its parent's. */
export interface PrefixNode extends PrefixRow {
  /** By memory, largest first. Children too small to be kept are in `rest`. */
  children: PrefixNode[];
  /** Keys of this prefix that are in no child. */
  rest: Sums;
}

export interface PrefixAnalysis {
  /** Bytes that end a prefix. */
  separators: string;
  /** Root (empty prefix) of the separator-based prefixes. */
  tree: PrefixNode;
  /** Separator-based prefixes, by memory, largest first. */
  rows: PrefixRow[];
  /** Prefixes found without knowing a separator, by memory, largest first. */
  automatic: PrefixRow[];
}

export type FindingId =
  | 'large-keys'
  | 'many-elements'
  | 'huge-elements'
  | 'missing-expiry'
  | 'expired-keys'
  | 'barely-not-compact'
  | 'integer-sets-as-tables'
  | 'small-strings'
  | 'almost-integers'
  | 'long-names'
  | 'idle-keys'
  | 'expiry-wave'
  | 'slot-skew'
  | 'pending-entries';

/** Something worth a look, with the numbers behind it. */
export interface Finding {
  id: FindingId;
  severity: 'info' | 'notice' | 'warning';
  /** One sentence with its numbers. */
  title: string;
  /** What to do about it, and what that would change. */
  advice: string;
  /** What it is about. */
  keys: number;
  memoryBytes: number;
  /** Estimated bytes that the advice would save, null: not estimated. */
  savingBytes: number | null;
  /** Everything it was judged by: thresholds, counts, shares. */
  numbers: Record<string, number>;
  /** Largest first. */
  examples: FindingExample[];
}

export interface FindingExample {
  /** A key, or a prefix. */
  name: BytesText;
  kind: 'key' | 'prefix';
  db: number | null;
  numbers: Record<string, number>;
  /** All that is known of a key; null: it is a prefix. */
  row: KeyRow | null;
}

/** A table of the analysis that was too small for this file, and what that means. */
export interface Bound {
  table: 'prefixes' | 'databases' | 'wide-prefixes';
  limit: number;
  note: string;
}

/** Why the file was not read to its end (`partial`). */
export interface Damage {
  offset: number;
  reason: string;
  message: string;
  db?: number;
  key?: string;
}

/** Everything that one pass over a dump tells. */
export interface RdbAnalysis {
  file: RdbFile;
  /** Bytes read. */
  bytesRead: number;
  /** The time expiry is judged at, Unix ms. */
  nowMs: number;
  total: Sums & { expires: number; keyNameBytes: number; payloadBytes: number };
  /** Keys that do not expire, that have expired, and by time left (seconds). */
  expiry: { none: Sums; expired: Sums; buckets: Bucket[] };
  types: TypeRow[];
  encodings: EncodingRow[];
  databases: DatabaseRow[];
  /** Cluster slots; null: not asked for. */
  slots: SlotAnalysis | null;
  histograms: Histogram[];
  topBySize: KeyRow[];
  topByLength: KeyRow[];
  prefixes: PrefixAnalysis | null;
  /** Seconds since last use; null: the file does not tell. */
  idle: Bucket[] | null;
  /** Logarithmic use counter 0 … 255; null: the file does not tell. */
  frequency: Bucket[] | null;
  findings: Finding[];
  bounds: Bound[];
  /** Keys whose value was damaged and left out (`salvage`). */
  damaged: number;
  /** Null: the file was read to its end. */
  damage: Damage | null;
}
