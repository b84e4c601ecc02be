// The public entry `respite/rdb`: verifying an RDB file and learning what is in it. Portable: the
// bytes of core.wasm are the caller's to bring (`respite/core.wasm`), the file comes as chunks.
//
// The file is loaded into a core of its own, which is thrown away afterwards: what a server could
// load is what passes here. Reading entries one by one, without holding them, is still to come.

import { Core } from '../core/core.js';
import { type CoreModule, compileCore } from '../core/load.js';
import { LOAD_KEEP_EXPIRED, type LoadFacts, readLoadFacts } from '../core/load-facts.js';
import { RespiteError } from '../errors.js';

export type { LoadFacts, SkippedValues } from '../core/load-facts.js';
export { isRespiteError, RespiteError } from '../errors.js';

/** Bytes of an RDB file, in pieces of any size. */
export type RdbSource = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface CheckOptions {
  /** Bytes of core.wasm, or compiled by `compileCore`. */
  wasm: Uint8Array | CoreModule;
  signal?: AbortSignal;
  /** Called after each piece with the bytes read so far. */
  onProgress?: (bytes: number) => void;
}

const MORE = 0;
const FAILED = -1;
/** Any seed will do: nothing that comes out depends on it. */
const SEED = new Uint8Array(16);

function failure(core: Core): RespiteError {
  const { errorOffset: offset, reason, key, db } = readLoadFacts(core);
  const where = key === '' ? '' : `, key ${JSON.stringify(key)} in database ${db}`;
  return new RespiteError(
    'ERR_RESPITE_RDB_FORMAT',
    `The RDB is damaged at offset ${offset}${where}: ${reason}`,
    { details: { offset, reason, ...(key === '' ? {} : { key, db }) } },
  );
}

/** Feeds one piece through the read buffer; true when the RDB is whole. */
function feed(core: Core, piece: Uint8Array): boolean {
  const ptr = core.x.readBuffer() >>> 0;
  const size = core.readBuffer.length;
  for (let at = 0; at < piece.length; at += size) {
    const part = piece.subarray(at, at + size);
    core.readBuffer.set(part);
    const state = core.x.loadFeed(ptr, part.length, 0);
    if (state === FAILED) throw failure(core);
    if (state !== MORE) return true;
  }
  return false;
}

/**
 * Reads a whole RDB file and resolves to the facts about it: version, keys, checksum verdict, what
 * cannot be held, library sources. Rejects with ERR_RESPITE_RDB_FORMAT, which names offset, reason,
 * key and database, for a file that is damaged or ends early.
 */
export async function checkRdb(source: RdbSource, options: CheckOptions): Promise<LoadFacts> {
  const { wasm, signal, onProgress } = options;
  const module = wasm instanceof Uint8Array ? compileCore(wasm) : wasm;
  const core = new Core(module, { hostCommand: () => 0, applyProblem: () => {} }, { seed: SEED });
  if (core.x.loadBegin(LOAD_KEEP_EXPIRED) !== 0)
    throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY');
  let bytes = 0;
  let isWhole = false;
  for await (const piece of source instanceof Uint8Array ? [source] : source) {
    if (signal?.aborted) throw new RespiteError('ERR_RESPITE_ABORTED');
    isWhole = feed(core, piece);
    bytes += piece.length;
    onProgress?.(bytes);
    if (isWhole) break;
  }
  if (!isWhole && core.x.loadFinish() === FAILED) throw failure(core);
  return readLoadFacts(core);
}

export { compileCore } from '../core/load.js';
