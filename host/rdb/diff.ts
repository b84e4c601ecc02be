// What differs between two dumps, key by key. Memory: 16 bytes for each key of the first, up to a
// limit; beyond it in several passes.

import {
  HASH_PARTS,
  Inspector,
  MODE_DIGEST,
  VALUE_TYPES,
  type ValueType,
} from '../core/inspector.js';
import { isRespiteError } from '../errors.js';
import type { BytesText } from './analysis-types.js';
import { bytesText } from './bytes-text.js';
import {
  type Checks,
  callback,
  checkOptions,
  filterCheck,
  INSPECT_CHECKS,
  numberFrom,
  text,
} from './check-options.js';
import { inspectModule } from './module.js';
import { Once } from './once.js';
import { inspectFlags, type ReadOptions } from './read-rdb.js';
import { RecordCutter } from './records.js';
import { outputs } from './run.js';
import type { OpenAgain, RdbSource } from './source.js';
import { endable, opened, prepared } from './waiting.js';

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

export interface DiffOptions extends Omit<ReadOptions, 'values' | 'elementBytesMax'> {
  /**
   * Memory for the keys of the first file, 16 bytes each; default 16 MiB. Files with more keys are
   * read again for the others.
   */
  tableBytes?: number | undefined;
}

/** The differing keys, to be iterated once; then the counts are complete. */
export interface RdbDiff extends AsyncIterable<DiffEntry> {
  readonly counts: DiffCounts;
}

const CHECKS: Checks<DiffOptions> = {
  ...INSPECT_CHECKS,
  filter: filterCheck,
  onLongString: callback,
  tableBytes: numberFrom(0),
};

const PHASE_KEEP = 0;
const PHASE_COMPARE = 1;
const PHASE_LIST = 2;

/**
 * Compares two dumps: values element by element (sets, hashes, sorted sets in any order, whatever
 * their encoding) by digests of 41 bits, expiries to the millisecond. Sources are given as
 * functions because they are opened more than once: the first when keys of it are missing in the
 * second, to name them; both when the first has more keys than `tableBytes` has room for.
 * Iterating rejects as `readRdb` does.
 */
export function diffRdb(first: OpenAgain, second: OpenAgain, options: DiffOptions = {}): RdbDiff {
  callback(first, 'first');
  callback(second, 'second');
  checkOptions(options, CHECKS);
  const counts: DiffCounts = { removed: 0, added: 0, changed: 0, expiry: 0, same: 0 };
  const once = new Once();
  async function* entries(options: DiffOptions): AsyncGenerator<DiffEntry> {
    once.begin();
    const inspector = new Inspector(await inspectModule(options.wasm));
    const { tableBytes = 0 } = options;
    // a file is verified when it is read for the first time
    const again = { ...options, checksum: false };
    let damage: unknown;
    for (let from = 0, width = HASH_PARTS, own = options; from < HASH_PARTS; own = again) {
      const run = (places: Record<number, number>, source: RdbSource, how = own) =>
        differing(inspector, source, places, how);
      const range = {
        0: PHASE_KEEP,
        1: from,
        2: Math.min(from + width, HASH_PARTS),
        3: tableBytes,
      };
      yield* run(range, await opened(first, true, options));
      const { to } = inspector.compared;
      width = to - from;
      from = to;
      try {
        const other = await opened(second, to < HASH_PARTS, options);
        for await (const entry of run({ 0: PHASE_COMPARE }, other)) {
          counts[entry.kind]++;
          yield entry;
        }
      } catch (error) {
        // what differs before the damage is told of all keys
        if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
        damage = error;
        continue;
      }
      const { missing, same } = inspector.compared;
      counts.same += same;
      if (missing === 0 || damage !== undefined) continue;
      const listed = await opened(first, to < HASH_PARTS, options);
      for await (const entry of run({ 0: PHASE_LIST }, listed, again)) {
        counts.removed++;
        yield entry;
      }
    }
    if (damage !== undefined) throw damage;
  }
  return { counts, [Symbol.asyncIterator]: () => endable(options, entries) };
}

async function* differing(
  inspector: Inspector,
  source: RdbSource,
  places: Readonly<Record<number, number>>,
  options: DiffOptions,
): AsyncGenerator<DiffEntry> {
  await prepared(source, () => {
    inspector.filter(options.filter);
    inspector.options(places);
    inspector.open(MODE_DIGEST, inspectFlags(options));
  });
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
    text(separators, 'separators');
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
