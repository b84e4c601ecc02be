// What differs between two dumps, key by key. Memory: 28 to 43 bytes for each key of the first.

import { Inspector, MODE_DIGEST, VALUE_TYPES, type ValueType } from '../core/inspector.js';
import type { BytesText } from './analysis-types.js';
import { bytesText } from './bytes-text.js';
import { inspectModule } from './module.js';
import { inspectFlags, type ReadOptions } from './read-rdb.js';
import { RecordCutter } from './records.js';
import { outputs } from './run.js';
import type { RdbSource } from './source.js';

const R_DIFF = 80;
const HEAD = 64;
const KINDS = ['removed', 'added', 'changed', 'expiry'] as const;

/** `changed`: another value or type; `expiry`: only the time it expires is another. */
export type DiffKind = (typeof KINDS)[number];

export interface DiffEntry {
  kind: DiffKind;
  db: number;
  key: Uint8Array;
  /** Of the second file; of removed keys, of the first. Sizes and expiry likewise. */
  type: ValueType;
  memoryBytes: number;
  fileBytes: number;
  count: number;
  expireAtMs: number | undefined;
}

export interface DiffCounts {
  removed: number;
  added: number;
  changed: number;
  expiry: number;
  /** Keys that are the same in both. */
  same: number;
}

export type DiffOptions = Omit<ReadOptions, 'values' | 'elementBytesMax'>;

/** The differing keys, to be iterated once; then the counts are complete. */
export interface RdbDiff extends AsyncIterable<DiffEntry> {
  readonly counts: DiffCounts;
}

/**
 * Compares two dumps: values element by element (sets, hashes, sorted sets in any order, whatever
 * their encoding) by digests of 64 bits, expiries exactly. The first is opened a second time when
 * keys of it are missing in the second, to name them; that is why sources are given as functions.
 * Iterating rejects as `readRdb` does.
 */
export function diffRdb(
  first: () => RdbSource | Promise<RdbSource>,
  second: () => RdbSource | Promise<RdbSource>,
  options: DiffOptions = {},
): RdbDiff {
  const counts: DiffCounts = { removed: 0, added: 0, changed: 0, expiry: 0, same: 0 };
  async function* entries(): AsyncGenerator<DiffEntry> {
    const inspector = new Inspector(await inspectModule(options.wasm));
    yield* differing(inspector, await first(), 0, options);
    for await (const entry of differing(inspector, await second(), 1, options)) {
      counts[entry.kind]++;
      yield entry;
    }
    const { missing, same } = inspector.compared;
    counts.same = same;
    if (missing === 0) return;
    for await (const entry of differing(inspector, await first(), 2, options)) {
      counts.removed++;
      yield entry;
    }
  }
  return { counts, [Symbol.asyncIterator]: entries };
}

async function* differing(
  inspector: Inspector,
  source: RdbSource,
  phase: number,
  options: DiffOptions,
): AsyncGenerator<DiffEntry> {
  inspector.filter(options.filter);
  inspector.options({ 0: phase });
  inspector.open(MODE_DIGEST, inspectFlags(options));
  const cutter = new RecordCutter();
  try {
    for await (const output of outputs(inspector, source, options)) {
      for (const { kind, view, bytes } of cutter.cut(output)) {
        if (kind !== R_DIFF) continue;
        const n = (i: number) => view.getFloat64(8 + i * 8, true);
        yield {
          kind: KINDS[n(0)] ?? 'changed',
          db: n(1),
          type: VALUE_TYPES[n(2)] ?? 'other',
          ...{ memoryBytes: n(3), fileBytes: n(4), count: n(5) },
          expireAtMs: n(6) < 0 ? undefined : n(6),
          key: bytes.slice(HEAD),
        };
      }
    }
  } finally {
    inspector.close();
  }
}

// ---- by prefix

export interface DiffPrefix {
  prefix: BytesText;
  removed: number;
  added: number;
  changed: number;
  expiry: number;
}

/** Most prefixes that are told apart. */
const PREFIXES_MAX = 10_000;

/** Counts of differences by the first part of the names. */
export class DiffPrefixes {
  readonly #separators: Set<number>;
  readonly #rows = new Map<string, DiffPrefix>();
  /** Names whose prefix found no place any more are under this one. */
  isFull = false;

  constructor(separators = ':') {
    this.#separators = new Set(new TextEncoder().encode(separators));
  }

  add({ key, kind }: DiffEntry): void {
    const end = key.findIndex((byte) => this.#separators.has(byte)) + 1;
    let name = String.fromCharCode(...key.subarray(0, Math.min(end, 256)));
    let row = this.#rows.get(name);
    if (row === undefined && this.#rows.size >= PREFIXES_MAX) {
      this.isFull = true;
      name = '';
      row = this.#rows.get(name);
    }
    if (row === undefined) {
      const prefix = bytesText(Uint8Array.from(name, (c) => c.charCodeAt(0)));
      row = { prefix, removed: 0, added: 0, changed: 0, expiry: 0 };
      this.#rows.set(name, row);
    }
    row[kind]++;
  }

  /** Most differences first; the empty prefix stands for names without a separator. */
  rows(): DiffPrefix[] {
    const sum = (row: DiffPrefix) => row.removed + row.added + row.changed + row.expiry;
    return [...this.#rows.values()].sort((a, b) => sum(b) - sum(a));
  }
}
