// readRdb: the keys of an RDB file, one after the other, in constant memory.

import {
  FLAG_ALLOW_FUTURE,
  FLAG_NO_CHECKSUM,
  FLAG_SALVAGE,
  Inspector,
  type KeyFilter,
  MODE_KEYS,
  MODE_VALUES,
} from '../core/inspector.js';
import type { WasmSource } from '../core/load.js';
import { RespiteError } from '../errors.js';
import { checkOptions, READ_CHECKS } from './check-options.js';
import { addToFile, emptyFile, type RdbFile } from './file-facts.js';
import { inspectModule } from './module.js';
import {
  type KeyFacts,
  keyFacts,
  type OnLongString,
  R_DAMAGE,
  R_END,
  R_KEY,
  type RawRecord,
  RecordCutter,
} from './records.js';
import { outputs, type RunOptions } from './run.js';
import type { RdbSource } from './source.js';
import { ElementReader, type RdbElement } from './values.js';

/** More than the numbers in front of a record's strings take. */
const RECORD_HEAD_MAX = 128;

/** What every way of reading takes. */
export interface InspectOptions extends RunOptions {
  /** Another rdb.wasm than the one in the package: bytes, or a `WebAssembly.Module`. */
  wasm?: WasmSource | undefined;
  /** False: the CRC-64 is not computed. */
  checksum?: boolean | undefined;
  /** Formats newer than those known are read until something unknown occurs. */
  allowFuture?: boolean | undefined;
  /** Values that are damaged inside are left out and counted, not the end of reading. */
  salvage?: boolean | undefined;
}

/** The same for `Inspector.open`. */
export function inspectFlags({ checksum, allowFuture, salvage }: InspectOptions): number {
  let flags = checksum === false ? FLAG_NO_CHECKSUM : 0;
  if (allowFuture) flags |= FLAG_ALLOW_FUTURE;
  if (salvage) flags |= FLAG_SALVAGE;
  return flags;
}

export interface ReadOptions extends InspectOptions {
  filter?: KeyFilter | undefined;
  /**
   * `none` (default): keys with all their facts. `all`: `elements` holds the value. `stream`: the
   * entry comes before its value, which `read()` delivers element by element; then its sizes (till
   * then -1) and encoding are known.
   */
  values?: 'none' | 'all' | 'stream' | undefined;
  /**
   * Elements (field and value together) that come in several outputs of the core, so longer than
   * about 1 MiB, are cut to about so many bytes; default: never.
   */
  elementBytesMax?: number | undefined;
  /**
   * Hears strings that `elementBytesMax` cuts, all their bytes in pieces: a string of any length in
   * constant memory.
   */
  onLongString?: OnLongString | undefined;
}

/** One key. */
export interface RdbEntry extends KeyFacts {
  /** The value, with `values: 'all'`. */
  elements: RdbElement[];
  /** The value element by element, with `values: 'stream'`; once, and before the next entry. */
  read(): AsyncGenerator<RdbElement>;
}

/** The keys of a file, to be iterated once; ending the iteration early frees everything. */
export interface RdbReading extends AsyncIterable<RdbEntry> {
  /** What the file says of itself; grows while it is read. */
  readonly file: RdbFile;
  /** Keys whose value was damaged and left out (`salvage`). */
  readonly damaged: number;
}

/**
 * Reads an RDB file. Rejects with ERR_RESPITE_RDB_FORMAT (offset, reason, key, database) where it
 * is damaged or ends early, after everything before was delivered. Throws
 * ERR_RESPITE_INVALID_CONFIG at once where an option is wrong.
 */
export function readRdb(source: RdbSource, options: ReadOptions = {}): RdbReading {
  checkOptions(options, READ_CHECKS);
  return new Reading(source, options);
}

/** What nobody knows of a value before it was read. */
const UNREAD: Partial<KeyFacts> = {
  ...{ count: -1, largest: -1, payloadBytes: -1 },
  ...{ fileBytes: -1, memoryBytes: -1, expiringFields: -1 },
  encoding: 'unknown',
};

class Reading implements RdbReading {
  readonly file = emptyFile();
  damaged = 0;
  readonly #source: RdbSource;
  readonly #options: ReadOptions;

  constructor(source: RdbSource, options: ReadOptions) {
    this.#source = source;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RdbEntry> {
    const { values = 'none' } = this.#options;
    const records = this.#records(values === 'none' ? MODE_KEYS : MODE_VALUES);
    try {
      if (values === 'stream') yield* this.#streamed(records);
      else yield* this.#whole(records);
    } finally {
      await records.return(undefined);
    }
  }

  async *#records(mode: number): AsyncGenerator<RawRecord> {
    const inspector = new Inspector(await inspectModule(this.#options.wasm));
    inspector.filter(this.#options.filter);
    inspector.open(mode, inspectFlags(this.#options));
    const { elementBytesMax = Number.POSITIVE_INFINITY, onLongString, signal } = this.#options;
    const cutter = new RecordCutter(elementBytesMax + RECORD_HEAD_MAX, onLongString);
    try {
      for await (const output of outputs(inspector, this.#source, this.#options)) {
        Object.assign(this.file, inspector.version);
        for (const raw of cutter.cut(output)) {
          if (addToFile(this.file, raw)) continue;
          if (raw.kind === R_DAMAGE) this.damaged++;
          yield raw;
          if (signal?.aborted) throw new RespiteError('ERR_RESPITE_ABORTED');
        }
      }
    } finally {
      inspector.close();
    }
  }

  async *#whole(records: AsyncGenerator<RawRecord>): AsyncGenerator<RdbEntry> {
    let elements: RdbElement[] = [];
    let reader = new ElementReader();
    for await (const raw of records) {
      if (raw.kind === R_END) {
        const { isWanted, ...facts } = keyFacts(raw);
        const read = async function* () {
          yield* elements;
        };
        if (isWanted) yield { ...facts, elements, read };
      }
      if (raw.kind === R_END || raw.kind === R_KEY || raw.kind === R_DAMAGE) {
        elements = [];
        reader = new ElementReader();
        continue;
      }
      const element = reader.element(raw);
      if (element !== undefined) elements.push(element);
    }
  }

  async *#streamed(records: AsyncGenerator<RawRecord>): AsyncGenerator<RdbEntry> {
    for (;;) {
      const { value: raw, done } = await records.next();
      if (done) return;
      if (raw.kind !== R_KEY) continue;
      const { isWanted: _, ...facts } = keyFacts(raw);
      let isOver = false;
      const entry: RdbEntry = {
        ...facts,
        ...UNREAD,
        elements: [],
        async *read() {
          const reader = new ElementReader();
          while (!isOver) {
            const next = await records.next();
            if (next.done || next.value.kind === R_END || next.value.kind === R_DAMAGE) {
              isOver = true;
              if (!next.done && next.value.kind === R_END)
                Object.assign(entry, keyFacts(next.value));
              return;
            }
            const element = reader.element(next.value);
            if (element !== undefined) yield element;
          }
        },
      };
      yield entry;
      // the rest of a value that nobody read to its end
      for await (const _rest of entry.read()) if (isOver) break;
    }
  }
}
