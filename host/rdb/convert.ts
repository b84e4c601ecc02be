// RDB files made of RDB files: of another version, with fewer keys, several out of one, one out of
// several. The work is done in the core (assembly/inspect/convert.ts); here are its options.

import { HASH_PARTS, Inspector, type KeyFilter, latin1, MODE_CONVERT } from '../core/inspector.js';
import { isRespiteError, RespiteError } from '../errors.js';
import {
  arrayOf,
  boolean,
  type Check,
  type Checks,
  callback,
  checkOptions,
  either,
  filterCheck,
  INSPECT_CHECKS,
  numberFrom,
  oneOf,
  wrongOption,
} from './check-options.js';
import {
  CONVERT_ALL,
  CONVERT_DROP_EXPIRY,
  CONVERT_GOES_ON,
  CONVERT_MORE_FOLLOWS,
  CONVERT_SALVAGE,
  CONVERT_UNIQUE,
  type Frame,
  FrameCutter,
  type LossKind,
  OPT_DB_MAP,
  OPT_FLAGS,
  OPT_PACK,
  OPT_PASS,
  OPT_SEEN_BYTES,
  OPT_VALKEY,
  OPT_VERSION,
  type RdbLoss,
} from './convert-frames.js';
import { ConvertInput, type ConvertSource, releaseGiven } from './convert-input.js';
import { type DbMap, dbMapCheck, dbPairs, pairBytes } from './db-map.js';
import { inspectModule } from './module.js';
import { Once } from './once.js';
import { type InspectOptions, inspectFlags } from './read-rdb.js';
import { outputs } from './run.js';
import type { RdbPullSource } from './source.js';
import {
  checkSplit,
  type NamedPart,
  PARTS_MAX,
  partName,
  type SplitBy,
  splitOptions,
} from './split-by.js';
import { endable } from './waiting.js';

/** Valkey's own version of the format. */
export const VALKEY_VERSION = 80;
const VERSION_MAX = 15;

export type Duplicates = 'error' | 'first' | 'last' | 'keep';

export interface ConvertOptions extends InspectOptions {
  /** RDB version to write: 1 to 15, or 80 (Valkey 9). Default: that of the source. */
  version?: number | undefined;
  /** Only these keys. */
  filter?: KeyFilter | undefined;
  /** Other numbers for databases: a Map or an object; those not named stay. */
  mapDb?: DbMap | undefined;
  /** Keys lose their expiry; field expiries stay. */
  dropExpiry?: boolean | undefined;
  /**
   * Strings of values that are rewritten: compressed where they were (`source`, the default),
   * wherever that makes them smaller, or never. What is copied stays as it is.
   */
  compress?: 'source' | 'always' | 'never' | undefined;
  /** Called for everything that the output does not hold as the source does. */
  onLoss?: ((loss: RdbLoss) => void) | undefined;
  /** The first loss is an error instead: ERR_RESPITE_RDB_LOSS. */
  strict?: boolean | undefined;
  /**
   * A key that comes twice, in several files or because databases are put together: `error`
   * (ERR_RESPITE_RDB_LOSS), the `first` or the `last` one stays (the last: files are read in
   * reverse order), or `keep`: not looked for, for sources that have none; servers refuse files
   * with duplicates. Looking takes 15 to 30 bytes of memory a key, see `tableBytes`.
   */
  duplicates?: Duplicates | undefined;
  /**
   * Memory for telling keys apart; default 6 MiB, for 425,000. With more keys sources are read
   * again for the others: paths, bytes, Blobs, and functions that open one. When there is another
   * source (a stream, a live server), the table grows instead, to at most 768 MiB.
   */
  tableBytes?: number | undefined;
}

const COMPRESS = ['source', 'always', 'never'];

const versionCheck: Check = (value, option) => {
  const isKnown =
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= VERSION_MAX;
  if (isKnown || value === VALKEY_VERSION) return;
  const known = `RDB versions are 1 to ${VERSION_MAX}, and ${VALKEY_VERSION} for Valkey 9`;
  throw wrongOption(option, `cannot write RDB version ${String(value)}: ${known}`);
};

const CHECKS: Checks<ConvertOptions> = {
  ...INSPECT_CHECKS,
  version: versionCheck,
  filter: filterCheck,
  mapDb: dbMapCheck,
  dropExpiry: boolean,
  compress: oneOf(COMPRESS),
  onLoss: callback,
  strict: boolean,
  duplicates: oneOf(['error', 'first', 'last', 'keep'] satisfies Duplicates[]),
  tableBytes: numberFrom(0),
};

/** What was made; complete when the iteration has ended. */
export interface ConvertSummary {
  /** Of the output. */
  version: number;
  keys: number;
  bytes: number;
  /** How often each kind of loss occurred (keys, libraries …). */
  losses: Partial<Record<LossKind, number>>;
}

/** Blocks of the file in the making, to be iterated once; views, valid until the next. */
export interface RdbConversion extends AsyncIterable<Uint8Array> {
  readonly summary: ConvertSummary;
}

export interface SplitPart extends NamedPart {
  keys: number;
  bytes: number;
}

/** Blocks of all files in the making, in the order in which they come. */
export interface RdbSplit extends AsyncIterable<{ part: SplitPart; block: Uint8Array }> {
  readonly summary: ConvertSummary;
  /** The files; each has at least one block. */
  readonly parts: readonly SplitPart[];
}

/**
 * Rewrites an RDB file: for an older or newer server, and with fewer keys where there is a filter.
 * Rejects with ERR_RESPITE_RDB_FORMAT where the source is damaged; the blocks up to there are no
 * whole file then, unless `salvage` is given: then what was whole is, and the error comes last.
 */
export function convertRdb(source: ConvertSource, options: ConvertOptions = {}): RdbConversion {
  checkOptions(options, CHECKS);
  return new Conversion([source], options);
}

export interface MergeOptions extends Omit<ConvertOptions, 'mapDb'> {
  /** For all sources, or for each its own. */
  mapDb?: DbMap | readonly (DbMap | undefined)[] | undefined;
}

/**
 * Puts several RDB files together into one, as `convertRdb` does with each. Auxiliary fields are
 * those of the source that is read first. Without `version`: the highest of the sources.
 */
export function mergeRdb(
  sources: readonly ConvertSource[],
  options: MergeOptions = {},
): RdbConversion {
  arrayOf(() => undefined, 1)(sources, 'sources');
  const each = arrayOf(either(undefined, dbMapCheck), 0, sources.length);
  const mapDb: Check = (value, option) => (Array.isArray(value) ? each : dbMapCheck)(value, option);
  checkOptions(options, { ...CHECKS, mapDb });
  return new Conversion(sources, options);
}

/** Makes several RDB files of one, in one pass. */
export function splitRdb(
  source: ConvertSource,
  by: SplitBy,
  options: ConvertOptions = {},
): RdbSplit {
  checkSplit(by);
  checkOptions(options, CHECKS);
  return new Split(source, by, options);
}

class Conversion implements RdbConversion {
  readonly summary = emptySummary();
  readonly #once = new Once();
  readonly #sources: readonly ConvertSource[];
  readonly #options: MergeOptions;

  constructor(sources: readonly ConvertSource[], options: MergeOptions) {
    this.#sources = sources;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const unread = () => releaseGiven(this.#sources);
    return endable(this.#options, (options) => this.#blocks(options), unread);
  }

  async *#blocks(options: MergeOptions): AsyncGenerator<Uint8Array> {
    this.#once.begin();
    const run = new Run(this.#sources, options, this.summary);
    for await (const frame of run.frames()) {
      if (frame.kind === 'data') yield frame.bytes;
    }
  }
}

class Split implements RdbSplit {
  readonly summary = emptySummary();
  readonly parts: SplitPart[] = [];
  readonly #once = new Once();
  readonly #source: ConvertSource;
  readonly #by: SplitBy;
  readonly #options: ConvertOptions;

  constructor(source: ConvertSource, by: SplitBy, options: ConvertOptions) {
    this.#source = source;
    this.#by = by;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncGenerator<{ part: SplitPart; block: Uint8Array }> {
    const unread = () => releaseGiven([this.#source]);
    return endable(this.#options, (options) => this.#counted(options), unread);
  }

  async *#counted(options: ConvertOptions): AsyncGenerator<{ part: SplitPart; block: Uint8Array }> {
    try {
      yield* this.#blocks(options);
    } catch (error) {
      const isFull = this.parts.length === PARTS_MAX;
      if (!isFull || !isRespiteError(error, 'ERR_RESPITE_OUT_OF_MEMORY')) throw error;
      throw wrongOption('by', `this makes more than ${PARTS_MAX} parts, the most there can be`);
    }
  }

  async *#blocks(options: ConvertOptions): AsyncGenerator<{ part: SplitPart; block: Uint8Array }> {
    this.#once.begin();
    const run = new Run([this.#source], options, this.summary, this.#by);
    for await (const frame of run.frames()) {
      if (frame.kind === 'open') {
        const { part: index, label } = frame;
        this.parts.push({ index, name: partName(this.#by, label), keys: 0, bytes: 0 });
      } else if (frame.kind === 'close') {
        const { keys, bytes } = frame;
        Object.assign(this.parts[frame.part]!, { keys, bytes });
      } else if (frame.kind === 'data') {
        yield { part: this.parts[frame.part]!, block: frame.bytes };
      }
    }
  }
}

function emptySummary(): ConvertSummary {
  return { version: 0, keys: 0, bytes: 0, losses: {} };
}

type Places = Record<number, number | Uint8Array>;

/** Sources through one inspector, one after the other and if need be again, into the same parts. */
class Run {
  readonly #options: MergeOptions;
  readonly #summary: ConvertSummary;
  readonly #by: SplitBy | undefined;
  readonly #given: readonly ConvertSource[];
  readonly #duplicates: Duplicates;

  constructor(
    given: readonly ConvertSource[],
    options: MergeOptions,
    summary: ConvertSummary,
    by?: SplitBy,
  ) {
    this.#given = given;
    this.#options = options;
    this.#summary = summary;
    this.#by = by;
    const canOccur = given.length > 1 || options.mapDb !== undefined;
    this.#duplicates = options.duplicates ?? (canOccur ? 'error' : 'keep');
  }

  async *frames(): AsyncGenerator<Frame> {
    const inputs = this.#given.map((given, i) => new ConvertInput(given, i, this.#options));
    try {
      const inspector = new Inspector(await inspectModule(this.#options.wasm));
      for (const input of inputs) await input.open(this.#duplicates !== 'keep');
      if (this.#duplicates === 'last') inputs.reverse();
      yield* this.#passes(inspector, inputs);
    } finally {
      for (const input of inputs) await input.close();
    }
  }

  /** Reads the inputs, and once more where keys are left (assembly/inspect/convert-seen.ts). */
  async *#passes(inspector: Inspector, inputs: readonly ConvertInput[]): AsyncGenerator<Frame> {
    const options = this.#options;
    const canReopen = inputs.every((input) => input.canReopen);
    const shared = {
      ...(this.#by === undefined ? {} : splitOptions(this.#by)),
      ...this.#version(inputs),
      [OPT_PACK]: COMPRESS.indexOf(options.compress ?? 'source'),
      [OPT_SEEN_BYTES]: canReopen ? (options.tableBytes ?? 0) : Number.MAX_SAFE_INTEGER,
    };
    let left = inputs;
    let damage: unknown;
    for (let pass = 0; pass === 0 || inspector.convertedTo < HASH_PARTS; pass++) {
      inspector.filter(options.filter);
      // a file is verified when it is read for the first time
      const own = pass === 0 ? options : { ...options, checksum: false };
      for (const [turn, input] of left.entries()) {
        const map = this.#mapOf(input.index);
        let flags = this.#flags(map);
        if (turn > 0 || pass > 0) flags |= CONVERT_GOES_ON;
        if (turn < left.length - 1) flags |= CONVERT_MORE_FOLLOWS;
        const mapped: Places = map === undefined ? {} : { [OPT_DB_MAP]: pairBytes(dbPairs(map)) };
        inspector.options({ ...shared, ...mapped, [OPT_FLAGS]: flags, [OPT_PASS]: pass });
        inspector.open(MODE_CONVERT, inspectFlags(own));
        try {
          yield* this.#file(inspector, await input.take(), own);
        } catch (error) {
          // the file ends where the damage is, for the keys of all passes
          if (!options.salvage || !isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
          damage = error;
          left = left.slice(0, turn + 1);
          break;
        } finally {
          inspector.close();
        }
      }
    }
    if (damage !== undefined) throw damage;
  }

  async *#file(
    inspector: Inspector,
    source: RdbPullSource,
    options: MergeOptions,
  ): AsyncGenerator<Frame> {
    const cutter = new FrameCutter();
    for await (const output of outputs(inspector, source, options)) {
      for (const frame of cutter.cut(output)) {
        this.#note(frame);
        yield frame;
      }
    }
  }

  #version(inputs: readonly ConvertInput[]): Record<number, number> {
    const version = this.#options.version ?? Math.max(0, ...inputs.map((input) => input.version));
    this.#summary.version = version;
    const isValkey = version === VALKEY_VERSION;
    return {
      // a future version is written as the newest known
      [OPT_VERSION]: isValkey ? VALKEY_VERSION : Math.min(version, VERSION_MAX),
      [OPT_VALKEY]: isValkey ? 1 : 0,
    };
  }

  #flags(map: DbMap | undefined): number {
    const { filter, dropExpiry, salvage } = this.#options;
    const isOne = this.#given.length === 1 && this.#by === undefined;
    let flags = isOne && map === undefined && isEmpty(filter) ? CONVERT_ALL : 0;
    if (dropExpiry) flags |= CONVERT_DROP_EXPIRY;
    if (salvage) flags |= CONVERT_SALVAGE;
    if (this.#duplicates !== 'keep') flags |= CONVERT_UNIQUE;
    return flags;
  }

  #mapOf(index: number): DbMap | undefined {
    const { mapDb } = this.#options;
    return Array.isArray(mapDb) ? mapDb[index] : (mapDb as DbMap | undefined);
  }

  #note(frame: Frame): void {
    const summary = this.#summary;
    if (frame.kind === 'close') {
      summary.keys += frame.keys;
      summary.bytes += frame.bytes;
    } else if (frame.kind === 'loss') {
      const { loss } = frame;
      summary.losses[loss.kind] = (summary.losses[loss.kind] ?? 0) + 1;
      this.#options.onLoss?.(loss);
      const isRefused = loss.kind === 'duplicate' && this.#duplicates === 'error';
      if (isRefused || (this.#options.strict && loss.kind !== 'needsModule')) throw lossError(loss);
    }
  }
}

function lossError({ kind, db, key, count }: RdbLoss): RespiteError {
  const name = latin1(key);
  const what = `Key ${JSON.stringify(name)} of database ${db}`;
  const text =
    kind === 'duplicate'
      ? `${what} comes twice; duplicates: first, last or keep says what to do`
      : `${what} cannot be kept as it is: ${kind}`;
  const details = { kind, db, key: name, count };
  return new RespiteError('ERR_RESPITE_RDB_LOSS', text, { details });
}

function isEmpty(filter: KeyFilter | undefined): boolean {
  return Object.values(filter ?? {}).every((value) => value === undefined || value === false);
}
