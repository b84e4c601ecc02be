// Loading an RDB file at start-up: pieces of 1 MiB from the platform's files into linear memory,
// slices of a piece into the core's loader, and the event loop gets its turn in between.
//
// A slice's size follows the time the last one took, so that no call into the core lasts much
// longer than SLICE_MS, whatever the file holds: 64 KiB of strings take about 0.3 ms, of small
// elements of large sets more.

import type { Core } from '../core/core.js';
import {
  LOAD_ASIDE,
  LOAD_ERR_MEMORY,
  LOAD_KEEP_EXPIRED,
  LOAD_NO_CHECKSUM,
  type LoadFacts,
  readLoadFacts,
} from '../core/load-facts.js';
import { RespiteError } from '../errors.js';
import type { FileHandle, Platform } from '../platform/platform.js';

export interface LoadRdbOptions {
  /** Load beside the data being served and replace it at the end. Default false. */
  aside?: boolean;
  /** Keep keys that have expired: for a replica's own file, or the base of an AOF. */
  keepExpired?: boolean;
  /** rdbchecksum. Default true. */
  checksum?: boolean;
  /** Called about once a piece. */
  onProgress?: (bytesDone: number, bytesTotal: number) => void;
  signal?: AbortSignal;
}

const PIECE_BYTES = 1 << 20;
const SLICE_BYTES_MIN = 4096;
const SLICE_BYTES_MAX = 256 << 10;
/** One call into the core should take no longer. */
const SLICE_MS = 2;
/** The event loop gets its turn after this. */
const TURN_MS = 5;

const MORE = 0;
const FAILED = -1;

/**
 * Loads the file into the core and commits. Resolves to undefined when there is no such file.
 * Rejects with ERR_RESPITE_RDB_FORMAT (offset, reason, key), ERR_RESPITE_OUT_OF_MEMORY or
 * ERR_RESPITE_IO; then nothing of the file is left, and the old data only if loading aside.
 * `facts.bytes` is where the RDB ends; bytes behind it (an AOF tail) are not read.
 */
export async function loadRdbFile(
  core: Core,
  platform: Platform,
  path: string,
  options: LoadRdbOptions = {},
): Promise<LoadFacts | undefined> {
  const stat = await platform.fs.stat(path).catch((cause) => ioError(path, cause));
  if (stat === undefined) return undefined;
  const file = await platform.fs.open(path, 'r').catch((cause) => ioError(path, cause));
  try {
    await new FileLoad(core, platform, file, options).run(stat.sizeBytes);
  } catch (error) {
    core.x.loadAbort();
    throw error;
  } finally {
    await file.close();
  }
  if (core.x.loadCommit() === 0) throw failure(core, path);
  return readLoadFacts(core);
}

class FileLoad {
  readonly #core: Core;
  readonly #platform: Platform;
  readonly #file: FileHandle;
  readonly #options: LoadRdbOptions;
  #sliceBytes = 64 << 10;
  #turnBegan: number;

  constructor(core: Core, platform: Platform, file: FileHandle, options: LoadRdbOptions) {
    this.#core = core;
    this.#platform = platform;
    this.#file = file;
    this.#options = options;
    this.#turnBegan = platform.clock.monotonicMs();
  }

  async run(bytesTotal: number): Promise<void> {
    const { x } = this.#core;
    const { aside, keepExpired, checksum } = this.#options;
    const flags =
      (aside ? LOAD_ASIDE : 0) |
      (keepExpired ? LOAD_KEEP_EXPIRED : 0) |
      ((checksum ?? true) ? 0 : LOAD_NO_CHECKSUM);
    const ptr = x.hostAlloc(PIECE_BYTES) >>> 0;
    if (ptr === 0) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'the core is full');
    try {
      if (x.loadBegin(flags) !== 0) throw failure(this.#core, this.#file.path);
      await this.#feedAll(ptr, bytesTotal);
    } finally {
      x.hostFree(ptr);
    }
  }

  async #feedAll(ptr: number, bytesTotal: number): Promise<void> {
    let bytesDone = 0;
    let state = MORE;
    while (state === MORE) {
      this.#options.signal?.throwIfAborted();
      const n = await this.#read(ptr);
      this.#turnBegan = this.#platform.clock.monotonicMs();
      state = n === 0 ? this.#core.x.loadFinish() : await this.#feedPiece(ptr, n);
      bytesDone += n;
      this.#options.onProgress?.(bytesDone, bytesTotal);
    }
    if (state === FAILED) throw failure(this.#core, this.#file.path);
  }

  /** The next piece, at `ptr`. Memory that may move while the file is read takes a detour. */
  async #read(ptr: number): Promise<number> {
    const core = this.#core;
    const into = core.reserved ? core.view(ptr, PIECE_BYTES) : new Uint8Array(PIECE_BYTES);
    const n = await this.#file.read(into).catch((cause) => ioError(this.#file.path, cause));
    if (!core.reserved) core.bytes.set(into.subarray(0, n), ptr);
    return n;
  }

  async #feedPiece(ptr: number, len: number): Promise<number> {
    const { clock } = this.#platform;
    for (let at = 0; at < len; ) {
      const size = Math.min(this.#sliceBytes, len - at);
      const began = clock.monotonicMs();
      const state = this.#core.x.loadFeed(ptr + at, size, clock.nowMs());
      if (state !== MORE) return state;
      at += size;
      const ended = clock.monotonicMs();
      this.#adapt(size, ended - began);
      if (ended - this.#turnBegan < TURN_MS) continue;
      await new Promise<void>((resolve) => clock.defer(resolve));
      this.#options.signal?.throwIfAborted();
      this.#turnBegan = clock.monotonicMs();
    }
    return MORE;
  }

  #adapt(size: number, ms: number): void {
    if (ms > SLICE_MS) this.#sliceBytes = Math.max(SLICE_BYTES_MIN, this.#sliceBytes >> 1);
    else if (ms < SLICE_MS / 4 && size === this.#sliceBytes) {
      this.#sliceBytes = Math.min(SLICE_BYTES_MAX, this.#sliceBytes << 1);
    }
  }
}

function ioError(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new RespiteError('ERR_RESPITE_IO', `cannot read ${path}: ${reason}`, {
    cause,
    details: { path },
  });
}

/** The error for a load that failed, from the loader's facts. */
export function failure(core: Core, path: string): RespiteError {
  const { error, errorOffset, reason, key, db } = readLoadFacts(core);
  if (error === LOAD_ERR_MEMORY) {
    return new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', `${path} does not fit into memory`);
  }
  const where = key === '' ? '' : `, key ${JSON.stringify(key)} in database ${db}`;
  return new RespiteError(
    'ERR_RESPITE_RDB_FORMAT',
    `${path} is damaged at offset ${errorOffset}: ${reason}${where}`,
    { details: { offset: errorOffset, reason, ...(key === '' ? {} : { key, db }) } },
  );
}
