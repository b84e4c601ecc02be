// The data of a file as commands: a protocol stream for `redis-cli --pipe`, RESTORE commands, an
// append-only file. All of it is made in the core (assembly/inspect/resp.ts, restore.ts).

import { MODE_AOF, MODE_RESP, MODE_RESTORE } from '../core/inspector.js';
import {
  boolean,
  type Checks,
  checkOptions,
  databaseNumber,
  EXPORT_CHECKS,
  oneOf,
  time,
  wholeFrom,
} from './check-options.js';
import { type DbMap, dbMapCheck, dbPairs, pairBytes } from './db-map.js';
import type { ExportOptions } from './export.js';
import { type LeftOut, readLeftOut } from './left-out.js';
import { beginInspection } from './read-rdb.js';
import { outputs } from './run.js';
import type { RdbSource } from './source.js';
import { targetCheck, targetOptions } from './target.js';
import { endable, release } from './waiting.js';

/** Flags of assembly/inspect/resp.ts. */
const RESP_MISSING = 1;
const RESP_REPLACE = 2;
const RESP_DROP_EXPIRED = 4;
const RESP_PERSIST = 8;
const RESP_NO_FUNCTIONS = 16;
const ANY_DB = 0xffff_ffff;

/** What to say, and to whom; what it has in common with the command line's options. */
export interface CommandOptions {
  /**
   * `commands` (default): SET, RPUSH, HSET …; `restore`: RESTORE with the bytes of the file, which
   * keeps encodings and is quicker; `aof`: commands as an append-only file has them.
   */
  form?: 'commands' | 'restore' | 'aof' | undefined;
  /**
   * What happens to keys the server has: `add` (default), the commands are run on top, for an empty
   * server; `replace`; `keep`: only missing keys are written, each at once or not at all.
   */
  existing?: 'add' | 'replace' | 'keep' | undefined;
  /** The server it is for, as "7.0" or "valkey 8.1"; by default any as new as the file's. */
  target?: string | undefined;
  /** Keys and fields whose time is over are written, too (the server will drop them). */
  keepExpired?: boolean | undefined;
  /** Nothing expires any more. */
  persist?: boolean | undefined;
  /** False: function libraries and scripts are left out. */
  functions?: boolean | undefined;
  /** Other numbers for databases (a Map or an object), or one number for all. */
  databases?: DbMap | number | undefined;
  /** Elements in one command (64). */
  batch?: number | undefined;
  /** Values with more bytes than this in the file are written as commands, not RESTORE (8 MiB). */
  payloadMax?: number | undefined;
  /** What counts as expired: Unix ms, by default now. */
  now?: number | undefined;
}

export interface CommandExportOptions extends ExportOptions, CommandOptions {}

/** Pieces of output, each valid until the next is asked for; to be iterated once. */
export interface CommandExport extends AsyncIterable<Uint8Array> {
  /** What could not be said; complete when the iteration is over. */
  readonly leftOut: LeftOut;
  /** Keys whose value was damaged and left out (`salvage`). */
  readonly damaged: number;
}

const MODES = { commands: MODE_RESP, restore: MODE_RESTORE, aof: MODE_AOF } as const;

const CHECKS: Checks<CommandExportOptions> = {
  ...EXPORT_CHECKS,
  form: oneOf(Object.keys(MODES)),
  existing: oneOf(['add', 'replace', 'keep']),
  target: targetCheck,
  keepExpired: boolean,
  persist: boolean,
  functions: boolean,
  databases: (value, option) =>
    (typeof value === 'number' ? databaseNumber : dbMapCheck)(value, option),
  batch: wholeFrom(1, 0xffff_ffff),
  payloadMax: wholeFrom(1),
  now: time,
};

/** The mode of the core, and its options by place. */
export function commandMode(options: CommandOptions): {
  mode: number;
  options: Record<number, number | Uint8Array>;
} {
  const { form = 'commands', existing = 'add', databases } = options;
  const { level, payload } = targetOptions(options.target);
  let flags = options.keepExpired ? 0 : RESP_DROP_EXPIRED;
  if (existing === 'keep') flags |= RESP_MISSING;
  if (existing === 'replace') flags |= RESP_REPLACE;
  if (options.persist) flags |= RESP_PERSIST;
  if (options.functions === false) flags |= RESP_NO_FUNCTIONS;
  const places: Record<number, number | Uint8Array> = {
    ...{ 0: flags, 1: level, 2: payload, 3: options.now ?? Date.now() },
    ...{ 4: options.batch ?? 0, 5: options.payloadMax ?? 0 },
  };
  if (databases !== undefined) {
    const isOne = typeof databases === 'number';
    places[6] = pairBytes(isOne ? [[ANY_DB, databases]] : dbPairs(databases));
  }
  return { mode: MODES[form], options: places };
}

/**
 * Writes a file's data as commands. Rejects with ERR_RESPITE_RDB_FORMAT where the file is damaged,
 * after whole commands for everything before were delivered.
 */
export function exportCommands(
  source: RdbSource,
  options: CommandExportOptions = {},
): CommandExport {
  checkOptions(options, CHECKS);
  return new Export(source, options);
}

class Export implements CommandExport {
  leftOut: LeftOut = { counts: {}, examples: [] };
  damaged = 0;
  readonly #source: RdbSource;
  readonly #options: CommandExportOptions;

  constructor(source: RdbSource, options: CommandExportOptions) {
    this.#source = source;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const unread = () => release(this.#source);
    return endable(this.#options, (given) => this.#blocks(given), unread);
  }

  async *#blocks(given: CommandExportOptions): AsyncGenerator<Uint8Array> {
    const { mode, options } = commandMode(given);
    const inspector = await beginInspection(this.#source, given, mode, options);
    try {
      yield* outputs(inspector, this.#source, given);
    } finally {
      this.leftOut = readLeftOut(inspector);
      this.damaged = inspector.damaged;
      inspector.close();
    }
  }
}

/** The manifest of a multi-part append-only file that consists of one base file. */
export function aofManifest(base: string): string {
  return `file ${base} seq 1 type b\n`;
}
