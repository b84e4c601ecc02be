// Where the RDB of a full synchronisation goes: an interface of six calls, and its implementation
// by the core's loader. Bytes are given where they lie in linear memory.

import type { Core } from '../core/core.js';
import {
  LOAD_ASIDE,
  LOAD_ERR_MEMORY,
  LOAD_KEEP_EXPIRED,
  readLoadFacts,
} from '../core/load-facts.js';
import { RespiteError } from '../errors.js';

export const SINK_MORE = 0;
export const SINK_DONE = 1;
export const SINK_FAILED = -1;

export interface RdbFacts {
  keys: number;
  /** Values of kinds this engine cannot hold (modules, arrays): left out. */
  skipped: number;
  /** RDB aux `repl-stream-db`: the database the stream behind this RDB begins in. */
  streamDb?: number;
  /** What went wrong, after SINK_FAILED or a commit that failed. */
  failure?: { offset: number; reason: string; isMemory: boolean };
}

export interface RdbSink {
  /**
   * Starts a load. `aside`: into a second data set that `commit` exchanges with the live one;
   * otherwise the live one is emptied first and filled. False: no memory to start with.
   */
  begin(aside: boolean): boolean;
  /** SINK_DONE: the RDB, checksum included, is complete; `consumed` says how far it reached. */
  feed(ptr: number, len: number, nowMs: number): number;
  /** Bytes of the last `feed` that belong to the RDB. */
  consumed(): number;
  /** The loaded data becomes the data set. False: it could not; then it is as after `abort`. */
  commit(): boolean;
  /** Drops what was loaded; the old data too if the load was not aside. */
  abort(): void;
  info(): RdbFacts;
}

/** The error that ends a synchronisation whose RDB could not be loaded. */
export function loadError(sink: RdbSink): RespiteError {
  const { failure } = sink.info();
  if (failure === undefined) {
    return new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'no memory to load the RDB');
  }
  const { offset, reason } = failure;
  if (failure.isMemory) {
    return new RespiteError(
      'ERR_RESPITE_OUT_OF_MEMORY',
      `The RDB does not fit into the memory allowed (at offset ${offset}): ${reason}`,
    );
  }
  return new RespiteError(
    'ERR_RESPITE_RDB_FORMAT',
    `The RDB is damaged at offset ${offset}: ${reason}`,
    { details: { offset, reason } },
  );
}

// ---- the core's loader (assembly/rdb/load.ts)

/** What the loader adds to the core's exports. */
export interface LoaderExports {
  loadBegin(flags: number): number;
  loadFeed(ptr: number, len: number, nowMs: number): number;
  loadConsumed(): number;
  loadCommit(): number;
  loadAbort(): void;
  loadInfo(): number;
}

export class CoreRdbSink implements RdbSink {
  readonly #core: Core;
  readonly #x: LoaderExports;

  constructor(core: Core) {
    this.#core = core;
    this.#x = core.x as unknown as LoaderExports;
    if (typeof this.#x.loadBegin !== 'function') {
      throw new RespiteError('ERR_RESPITE_UNSUPPORTED', 'this core.wasm has no RDB loader');
    }
  }

  begin(aside: boolean): boolean {
    return this.#x.loadBegin(LOAD_KEEP_EXPIRED | (aside ? LOAD_ASIDE : 0)) === 0;
  }

  feed(ptr: number, len: number, nowMs: number): number {
    return this.#x.loadFeed(ptr, len, nowMs);
  }

  consumed(): number {
    return this.#x.loadConsumed();
  }

  commit(): boolean {
    return this.#x.loadCommit() !== 0;
  }

  abort(): void {
    this.#x.loadAbort();
  }

  info(): RdbFacts {
    const { keys, valuesSkipped, streamDb, error, errorOffset, reason } = readLoadFacts(this.#core);
    const facts: RdbFacts = { keys, skipped: valuesSkipped };
    if (streamDb !== undefined) facts.streamDb = streamDb;
    if (error !== 0) {
      facts.failure = { offset: errorOffset, reason, isMemory: error === LOAD_ERR_MEMORY };
    }
    return facts;
  }
}
