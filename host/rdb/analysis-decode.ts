// The records of assembly/inspect/stats-report.ts as objects.

import { VALUE_TYPES, type ValueType } from '../core/inspector.js';
import type { KeyRow, SlotRow, Sums } from './analysis-types.js';
import { bytesText } from './bytes-text.js';
import { ENCODINGS, type Encoding, type RawRecord } from './records.js';

const R_KIND = 64;
const R_DB = 65;
const R_EXPIRY = 66;
const R_HOUR = 67;
const R_SLOT = 68;
const R_BUCKET = 69;
const R_TOP = 70;
const R_FINDING = 71;
const R_PREFIX = 72;
const R_FOLDED = 73;

/** Tables of largest keys, by number: assembly/inspect/top.ts. */
export const TOP_TABLES = [
  ...['size', 'length', 'element', 'expired', 'barely', 'ints', 'digits', 'name', 'idle'],
  'pending',
] as const;
export type TopTable = (typeof TOP_TABLES)[number];

/** Findings that the core counts, by number: assembly/inspect/findings.ts. */
export const COUNTED = [
  ...['large', 'long', 'element', 'expired', 'barelyHash', 'barelySet', 'barelyZset'],
  ...['barelyList', 'ints', 'digits', 'name', 'idle', 'pending', 'barelyCount'],
] as const;
export type Counted = (typeof COUNTED)[number];

export interface AllSums extends Sums {
  payloadBytes: number;
  expires: number;
  keyNameBytes: number;
}
export interface KindSums extends AllSums {
  type: ValueType;
  encoding: Encoding;
}
export interface TopRow extends KeyRow {
  /** What the table is sorted by. */
  measure: number;
}
export function keyRow({ measure: _, ...row }: TopRow): KeyRow {
  return row;
}
export interface FoundCell {
  keys: number;
  memoryBytes: number;
  savingBytes: number;
  own: number;
}
/** A node of the core's tree, in its order: parents before children, `level` deep. */
export interface TrieNode extends Sums {
  level: number;
  label: Uint8Array;
  expires: number;
  noExpiryBytes: number;
  smallPayload: number;
  smallBytes: number;
  small: number;
  missing: number;
  /** Keys that a prefix within the label may lack beside those. */
  strayed: number;
  types: number[];
}

/** Everything that the core has said. */
export class RawAnalysis {
  readonly kinds: KindSums[] = [];
  readonly databases: (AllSums & { db: number; isRest: boolean })[] = [];
  readonly expiries: (Sums & { endMs: number })[] = [];
  readonly hours: { hour: number; keys: number; memoryBytes: number }[] = [];
  readonly slots: SlotRow[] = [];
  /** By histogram: bucket, keys, memory. */
  readonly buckets = new Map<number, [bucket: number, keys: number, memoryBytes: number][]>();
  readonly tops = new Map<TopTable, TopRow[]>();
  readonly found = new Map<Counted, FoundCell>();
  readonly trie: TrieNode[] = [];
  folded = 0;
  leftOut = 0;

  add({ kind, bytes, view }: RawRecord): void {
    const n = (i: number) => view.getFloat64(8 + i * 8, true);
    const sums = (i: number): Sums => ({
      ...{ keys: n(i), memoryBytes: n(i + 1), fileBytes: n(i + 2), elements: n(i + 3) },
    });
    const all = (i: number): AllSums => ({
      ...sums(i),
      ...{ payloadBytes: n(i + 4), expires: n(i + 5), keyNameBytes: n(i + 6) },
    });
    switch (kind) {
      case R_KIND: {
        const type = VALUE_TYPES[n(0)] ?? 'other';
        this.kinds.push({ type, encoding: ENCODINGS[n(1)] ?? 'unknown', ...all(2) });
        break;
      }
      case R_DB:
        this.databases.push({ db: n(0), ...all(1), isRest: n(8) === 1 });
        break;
      case R_EXPIRY:
        this.expiries.push({ endMs: n(1), ...sums(2) });
        break;
      case R_HOUR:
        this.hours.push({ hour: n(0), keys: n(1), memoryBytes: n(2) });
        break;
      case R_SLOT:
        this.slots.push({ slot: n(0), keys: n(1), memoryBytes: n(2) });
        break;
      case R_BUCKET: {
        const known = this.buckets.get(n(0)) ?? [];
        known.push([n(1), n(2), n(3)]);
        this.buckets.set(n(0), known);
        break;
      }
      case R_TOP:
        this.#addTop(n, bytes);
        break;
      case R_FINDING: {
        const [keys, memoryBytes, savingBytes, own] = [n(1), n(2), n(3), n(4)];
        this.found.set(COUNTED[n(0)]!, { keys, memoryBytes, savingBytes, own });
        break;
      }
      case R_PREFIX:
        this.trie.push({
          ...{ level: n(0), label: bytes.slice(8 + 18 * 8), keys: n(1), expires: n(2) },
          ...{ memoryBytes: n(3), fileBytes: n(4), elements: n(5), noExpiryBytes: n(6) },
          ...{ smallPayload: n(7), smallBytes: n(8), small: n(9), missing: n(10) },
          types: [11, 12, 13, 14, 15, 16].map(n),
          strayed: n(17),
        });
        break;
      case R_FOLDED:
        [this.folded, this.leftOut] = [n(0), n(1)];
        break;
    }
  }

  #addTop(n: (i: number) => number, bytes: Uint8Array): void {
    const some = (value: number) => (value < 0 ? null : value);
    const table = TOP_TABLES[n(0)]!;
    const rows = this.tops.get(table) ?? [];
    rows.push({
      ...{ measure: n(2), memoryBytes: n(3), fileBytes: n(4), count: n(5), largest: n(6) },
      ...{ expireAtMs: some(n(7)), idleSec: some(n(8)), offset: n(9), db: n(10) },
      type: VALUE_TYPES[n(11)] ?? 'other',
      encoding: ENCODINGS[n(12)] ?? 'unknown',
      freq: some(n(13)),
      keyBytes: n(14),
      key: bytesText(bytes.slice(8 + 15 * 8)),
    });
    this.tops.set(table, rows);
  }
}
