// Pumps a source through an inspector and hands out its output, piece by piece: the loop that every
// use of rdb.wasm shares. Nothing is copied but the file's bytes into linear memory.

import { type Inspector, STEP_END, STEP_ERROR, STEP_MORE, STEP_OUTPUT } from '../core/inspector.js';
import { isRespiteError, RespiteError } from '../errors.js';
import { wrongSource } from './pieces.js';
import { pullSource, type RdbPullSource, type RdbSource } from './source.js';
import { Turns } from './turn.js';
import { isGivenUp, letGo, orGivenUp } from './waiting.js';

export type OnProgress = (bytes: number, size: number | undefined, keys: number) => void;

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** After each piece: bytes read so far, of how many where that is known, and keys. */
  onProgress?: OnProgress | undefined;
}

/**
 * Yields the output of an opened inspector as views that are valid until the next is asked for.
 * Output made before an error is delivered before the error is thrown. The source is closed, in
 * any case.
 */
export async function* outputs(
  inspector: Inspector,
  source: RdbSource,
  options: RunOptions = {},
): AsyncGenerator<Uint8Array> {
  const from = pullSource(source);
  const turns = new Turns();
  let bytes = 0;
  let isWaiting = false;
  try {
    for (;;) {
      if (turns.isDue) await turns.give();
      if (isGivenUp(options)) throw new RespiteError('ERR_RESPITE_ABORTED');
      const into = inspector.input;
      const { length: room } = into;
      let pulled: number | Promise<number>;
      try {
        pulled = from.pull(into);
        if (typeof pulled !== 'number') {
          isWaiting = true;
          pulled = await orGivenUp(pulled, options);
          isWaiting = false;
        }
      } catch (error) {
        if (!isGivenUp(options)) yield* tellRest(inspector, options, turns);
        throw error;
      }
      if (pulled === 0) break;
      if (!(Number.isInteger(pulled) && pulled > 0 && pulled <= room)) {
        throw wrongSource(`its pull() must give how many bytes it read, not ${String(pulled)}`);
      }
      inspector.fed(pulled);
      bytes += pulled;
      const tell = () => options.onProgress?.(bytes, from.size, inspector.keysRead);
      let last: number;
      try {
        last = yield* drain(inspector, () => inspector.step(), options, turns);
      } catch (error) {
        if (isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) tell();
        throw error;
      }
      tell();
      if (last === STEP_END) return await tellEnd(inspector, from, bytes, pulled);
    }
    yield* drain(inspector, () => inspector.finish(), options, turns);
  } finally {
    // who gives up waits no longer
    if (isWaiting || options.signal?.aborted) await letGo(from);
    else await from.close?.();
  }
}

/** What came before a source failed; the error is the source's. */
async function* tellRest(
  inspector: Inspector,
  options: RunOptions,
  turns: Turns,
): AsyncGenerator<Uint8Array> {
  try {
    yield* drain(inspector, () => inspector.finish(), options, turns);
  } catch (error) {
    if (!isRespiteError(error)) throw error;
  }
}

/** Tells the source where the RDB ended: in the last `pulled` of `bytes`. */
async function tellEnd(
  inspector: Inspector,
  from: RdbPullSource,
  bytes: number,
  pulled: number,
): Promise<void> {
  const { input, rdbBytes } = inspector;
  const behind = bytes - rdbBytes;
  if (rdbBytes === 0 || behind > pulled) return;
  await from.ended?.(rdbBytes, input.subarray(pulled - behind, pulled));
}

async function* drain(
  inspector: Inspector,
  step: () => number,
  options: RunOptions,
  turns: Turns,
): AsyncGenerator<Uint8Array, number> {
  for (;;) {
    const said = step();
    if (said === STEP_OUTPUT || said === STEP_ERROR) {
      const output = inspector.output;
      if (output.length > 0) {
        yield output;
        if (turns.isDue) await turns.give();
        if (isGivenUp(options)) throw new RespiteError('ERR_RESPITE_ABORTED');
        inspector.taken();
      }
      if (said === STEP_ERROR) throw inspector.failure();
    } else if (said === STEP_MORE || said === STEP_END) {
      return said;
    }
  }
}
