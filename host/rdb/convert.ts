// RDB files made of RDB files: of another version, with fewer keys, several out of one, one out of
// several. The work is done in the core (assembly/inspect/convert.ts); here are its options.

import { Inspector, type KeyFilter, latin1, MODE_CONVERT } from '../core/inspector.js';
import { RespiteError } from '../errors.js';
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
  OPT_VALKEY,
  OPT_VERSION,
  type RdbLoss,
} from './convert-frames.js';
import { inspectModule } from './module.js';
import { type InspectOptions, inspectFlags } from './read-rdb.js';
import { outputs } from './run.js';
import { pullSource, type RdbPullSource, type RdbSource } from './source.js';
import { type NamedPart, partName, type SplitBy, splitOptions } from './split-by.js';

/** Valkey's own version of the format. */
export const VALKEY_VERSION = 80;
const VERSION_MAX = 15;

/** Database in the source → database in the output; those not named stay. */
export type DbMap = Readonly<Record<number, number>>;

export interface ConvertOptions extends InspectOptions {
  /** RDB version to write: 1 to 15, or 80 (Valkey 9). Default: that of the source. */
  version?: number | undefined;
  /** Only these keys. */
  filter?: KeyFilter | undefined;
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
   * with duplicates. Looking takes 23 to 46 bytes of memory a key, of at most 1 GiB.
   */
  duplicates?: 'error' | 'first' | 'last' | 'keep' | undefined;
}

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
export function convertRdb(source: RdbSource, options: ConvertOptions = {}): RdbConversion {
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
export function mergeRdb(sources: readonly RdbSource[], options: MergeOptions = {}): RdbConversion {
  return new Conversion(sources, options);
}

/** Makes several RDB files of one, in one pass. */
export function splitRdb(source: RdbSource, by: SplitBy, options: ConvertOptions = {}): RdbSplit {
  return new Split(source, by, options);
}

class Conversion implements RdbConversion {
  readonly summary = emptySummary();
  readonly #sources: readonly RdbSource[];
  readonly #options: MergeOptions;

  constructor(sources: readonly RdbSource[], options: MergeOptions) {
    checkOptions(options);
    this.#sources = sources;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const run = new Run(this.#options, this.summary, undefined);
    for await (const frame of run.frames(this.#sources)) {
      if (frame.kind === 'data') yield frame.bytes;
    }
  }
}

class Split implements RdbSplit {
  readonly summary = emptySummary();
  readonly parts: SplitPart[] = [];
  readonly #source: RdbSource;
  readonly #by: SplitBy;
  readonly #options: ConvertOptions;

  constructor(source: RdbSource, by: SplitBy, options: ConvertOptions) {
    checkOptions(options);
    this.#source = source;
    this.#by = by;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<{ part: SplitPart; block: Uint8Array }> {
    const run = new Run(this.#options, this.summary, this.#by);
    for await (const frame of run.frames([this.#source])) {
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

function checkOptions({ version }: MergeOptions): void {
  const isKnown =
    version === undefined ||
    version === VALKEY_VERSION ||
    (Number.isInteger(version) && version >= 1 && version <= VERSION_MAX);
  if (isKnown) return;
  const reason = `RDB versions are 1 to ${VERSION_MAX}, and ${VALKEY_VERSION} for Valkey 9`;
  const text = `Cannot write RDB version ${version}: ${reason}`;
  throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', text, {
    details: { option: 'version', reason },
  });
}

/** Sources through one inspector, one after the other, into the same parts. */
class Run {
  readonly #options: MergeOptions;
  readonly #summary: ConvertSummary;
  readonly #by: SplitBy | undefined;

  constructor(options: MergeOptions, summary: ConvertSummary, by: SplitBy | undefined) {
    this.#options = options;
    this.#summary = summary;
    this.#by = by;
  }

  async *frames(given: readonly RdbSource[]): AsyncGenerator<Frame> {
    const options = this.#options;
    const inspector = new Inspector(await inspectModule(options.wasm));
    inspector.filter(options.filter);
    const sources: Peeked[] = [];
    for (const [index, source] of given.entries()) sources.push(await peek(source, index));
    if (options.duplicates === 'last') sources.reverse();
    const version = options.version ?? Math.max(0, ...sources.map((source) => source.version));
    const cutter = new FrameCutter();
    for (const [turn, { source, index }] of sources.entries()) {
      inspector.options(this.#places({ turn, turns: sources.length, index }, version));
      inspector.open(MODE_CONVERT, inspectFlags(options));
      try {
        for await (const output of outputs(inspector, source, options)) {
          this.#summary.version = version;
          for (const frame of cutter.cut(output)) {
            this.#note(frame, sources.length);
            yield frame;
          }
        }
      } finally {
        inspector.close();
      }
    }
  }

  #places(
    { turn, turns, index }: { turn: number; turns: number; index: number },
    version: number,
  ): Record<number, number | Uint8Array> {
    const { filter, dropExpiry, compress = 'source', salvage } = this.#options;
    const map = this.#mapOf(index);
    const isAll = turns === 1 && this.#by === undefined && map === undefined && isEmpty(filter);
    let flags = isAll ? CONVERT_ALL : 0;
    if (dropExpiry) flags |= CONVERT_DROP_EXPIRY;
    if (salvage) flags |= CONVERT_SALVAGE;
    if (turn > 0) flags |= CONVERT_GOES_ON;
    if (turn < turns - 1) flags |= CONVERT_MORE_FOLLOWS;
    if (this.#duplicates(turns) !== 'keep') flags |= CONVERT_UNIQUE;
    const isValkey = version === VALKEY_VERSION;
    const places: Record<number, number | Uint8Array> = {
      ...(this.#by === undefined ? {} : splitOptions(this.#by)),
      // a future version is written as the newest known
      [OPT_VERSION]: isValkey ? VALKEY_VERSION : Math.min(version, VERSION_MAX),
      [OPT_VALKEY]: isValkey ? 1 : 0,
      [OPT_FLAGS]: flags,
      [OPT_PACK]: ['source', 'always', 'never'].indexOf(compress),
    };
    if (map !== undefined) places[OPT_DB_MAP] = mapBytes(map);
    return places;
  }

  #mapOf(index: number): DbMap | undefined {
    const { mapDb } = this.#options;
    return Array.isArray(mapDb) ? mapDb[index] : (mapDb as DbMap | undefined);
  }

  #duplicates(turns: number): NonNullable<MergeOptions['duplicates']> {
    const { duplicates, mapDb } = this.#options;
    const canOccur = turns > 1 || mapDb !== undefined;
    return duplicates ?? (canOccur ? 'error' : 'keep');
  }

  #note(frame: Frame, turns: number): void {
    const summary = this.#summary;
    if (frame.kind === 'close') {
      summary.keys += frame.keys;
      summary.bytes += frame.bytes;
    } else if (frame.kind === 'loss') {
      const { loss } = frame;
      summary.losses[loss.kind] = (summary.losses[loss.kind] ?? 0) + 1;
      this.#options.onLoss?.(loss);
      const isRefused = loss.kind === 'duplicate' && this.#duplicates(turns) === 'error';
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

function mapBytes(map: DbMap): Uint8Array {
  const pairs = Object.entries(map).flatMap(([from, to]) => [Number(from), to]);
  return new Uint8Array(Uint32Array.from(pairs).buffer);
}

interface Peeked {
  source: RdbPullSource;
  index: number;
  /** 0: not known; reading will tell why. */
  version: number;
}

const MAGIC_BYTES = 9;

/** Looks at the version of a source without losing its first bytes. */
async function peek(source: RdbSource, index: number): Promise<Peeked> {
  const from = pullSource(source);
  const head = new Uint8Array(MAGIC_BYTES);
  let length = 0;
  while (length < MAGIC_BYTES) {
    const pulled = await from.pull(head.subarray(length));
    if (pulled === 0) break;
    length += pulled;
  }
  let given = 0;
  const again: RdbPullSource = {
    size: from.size,
    pull(into) {
      if (given === length) return from.pull(into);
      const part = head.subarray(given, Math.min(length, given + into.length));
      into.set(part);
      given += part.length;
      return part.length;
    },
    close: () => from.close?.(),
  };
  const version = /^(?:REDIS|VALKEY)(\d+)$/.exec(latin1(head.subarray(0, length)))?.[1];
  return { source: again, index, version: Number(version ?? 0) };
}
