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
import { nameText } from '../core/name-regex.js';
import { RespiteError } from '../errors.js';
import { checkOptions, READ_CHECKS } from './check-options.js';
import { addToFile, emptyFile, type RdbFile } from './file-facts.js';
import { inspectModule } from './module.js';
import { Once } from './once.js';
import {
  isWanted,
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
import { Turns } from './turn.js';
import { ElementReader, type RdbElement } from './values.js';
import { endable, prepared, release } from './waiting.js';

/** More than the numbers in front of a record's strings take. */
const RECORD_HEAD_MAX = 128;
/** One record of so many looks at the clock. */
const CLOCK_MASK = 31;

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

/**
 * An inspector of `source` in a mode, whose options are given by place. Where that fails the source
 * is let go.
 */
export function beginInspection(
  source: RdbSource,
  options: InspectOptions & { filter?: KeyFilter | undefined },
  mode: number,
  places: Parameters<Inspector['options']>[0] = {},
): Promise<Inspector> {
  return prepared(source, async () => {
    const inspector = new Inspector(await inspectModule(options.wasm));
    inspector.filter(options.filter);
    inspector.options(places);
    inspector.open(mode, inspectFlags(options));
    return inspector;
  });
}

export interface ReadOptions extends InspectOptions {
  filter?: KeyFilter | undefined;
  /**
   * `none` (default): keys with all their facts. `all`: `elements` holds the value. `stream`: the
   * entry comes before its value, which `read()` delivers element by element; then its sizes (till
   * then -1) and encoding (till then `unknown`) are known.
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
  /**
   * The value element by element. With `values: 'all'` at any time; with `values: 'stream'`
   * before the next entry is asked for, and what was read is not told again. Rejects with
   * ERR_RESPITE_INVALID_CONFIG when values were not asked for, with ERR_RESPITE_CLOSED when the
   * iteration has gone on, and as `readRdb` where the file is damaged: a value that `salvage`
   * leaves out ends so, too.
   */
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
  readonly #once = new Once();
  readonly #source: RdbSource;
  readonly #options: ReadOptions;

  constructor(source: RdbSource, options: ReadOptions) {
    this.#source = source;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncGenerator<RdbEntry> {
    const unread = () => release(this.#source);
    const entries = (options: ReadOptions) =>
      options.values === 'stream' ? this.#streamed(options) : this.#whole(options);
    return endable(this.#options, entries, unread);
  }

  async *#records(options: ReadOptions): AsyncGenerator<RawRecord> {
    this.#once.begin();
    const { values = 'none' } = options;
    const mode = values === 'none' ? MODE_KEYS : MODE_VALUES;
    const inspector = await beginInspection(this.#source, options, mode);
    const { elementBytesMax = Number.POSITIVE_INFINITY, onLongString, signal } = options;
    const turns = new Turns();
    let records = 0;
    const cutter = new RecordCutter(elementBytesMax + RECORD_HEAD_MAX, onLongString);
    try {
      for await (const output of outputs(inspector, this.#source, options)) {
        Object.assign(this.file, inspector.version);
        for (const raw of cutter.cut(output)) {
          if (addToFile(this.file, raw)) continue;
          if (raw.kind === R_DAMAGE) this.damaged++;
          yield raw;
          if ((++records & CLOCK_MASK) === 0 && turns.isDue) await turns.give();
          if (signal?.aborted) throw new RespiteError('ERR_RESPITE_ABORTED');
        }
      }
    } finally {
      inspector.close();
    }
  }

  async *#whole(options: ReadOptions): AsyncGenerator<RdbEntry> {
    const isHeld = options.values === 'all';
    let elements: RdbElement[] = [];
    let reader = new ElementReader();
    for await (const raw of this.#records(options)) {
      if (raw.kind === R_END && isWanted(raw)) {
        const own = elements;
        const read = isHeld ? () => held(own) : refuseToRead;
        yield { ...keyFacts(raw), elements, read };
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

  async *#streamed(options: ReadOptions): AsyncGenerator<RdbEntry> {
    const records = this.#records(options);
    try {
      for (;;) {
        const { value: raw, done } = await records.next();
        if (done) return;
        if (raw.kind !== R_KEY) continue;
        const value = new StreamedValue(records);
        const entry: RdbEntry = {
          ...keyFacts(raw),
          ...UNREAD,
          elements: [],
          read: () => value.elements(entry),
        };
        yield entry;
        await value.pass();
      }
    } finally {
      await records.return(undefined);
    }
  }
}

async function* held(elements: readonly RdbElement[]): AsyncGenerator<RdbElement> {
  yield* elements;
}

// biome-ignore lint/correctness/useYield: it ends before the first
async function* refuseToRead(): AsyncGenerator<RdbElement> {
  const reason = "ask for values with `values: 'all'` or `values: 'stream'`";
  throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', `This entry has no value: ${reason}`, {
    details: { option: 'values', reason },
  });
}

/** The value of the entry that was handed out last, while its records come. */
class StreamedValue {
  readonly #records: AsyncGenerator<RawRecord>;
  readonly #reader = new ElementReader();
  /** Its last record has come. */
  #isOver = false;
  /** The iteration over the keys has gone on. */
  #isPast = false;
  /** What ended reading the file: the iteration over the keys ends with it, too. */
  #failure: { error: unknown } | undefined;

  constructor(records: AsyncGenerator<RawRecord>) {
    this.#records = records;
  }

  /** The facts of `entry` are made complete at the end. */
  async *elements(entry: RdbEntry): AsyncGenerator<RdbElement> {
    if (this.#isPast) {
      const text = 'This value is over: read() must be called before the next entry is asked for';
      throw new RespiteError('ERR_RESPITE_CLOSED', text);
    }
    while (!this.#isOver) {
      const raw = await this.#next();
      if (raw === undefined) return;
      if (raw.kind === R_END) Object.assign(entry, keyFacts(raw));
      if (raw.kind === R_DAMAGE) throw damagedValue(entry);
      const element = this.#isOver ? undefined : this.#reader.element(raw);
      if (element !== undefined) yield element;
    }
  }

  /** Goes past what nobody read of the value. */
  async pass(): Promise<void> {
    this.#isPast = true;
    if (this.#failure !== undefined) throw this.#failure.error;
    while (!this.#isOver) await this.#next();
  }

  async #next(): Promise<RawRecord | undefined> {
    try {
      const { value: raw, done } = await this.#records.next();
      this.#isOver = done === true || raw.kind === R_END || raw.kind === R_DAMAGE;
      return done ? undefined : raw;
    } catch (error) {
      this.#isOver = true;
      this.#failure = { error };
      throw error;
    }
  }
}

function damagedValue({ key, db, offset }: KeyFacts): RespiteError {
  const reason = 'damaged value, left out';
  const name = nameText(key.subarray(0, 512));
  const text = `The value of key ${JSON.stringify(name)} in database ${db} is damaged`;
  return new RespiteError('ERR_RESPITE_RDB_FORMAT', text, {
    details: { offset, reason, key: name, db },
  });
}
