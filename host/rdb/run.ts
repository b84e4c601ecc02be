// Pumps a source through an inspector and hands out its output, piece by piece: the loop that every
// use of rdb.wasm shares. Nothing is copied but the file's bytes into linear memory.

import { type Inspector, STEP_END, STEP_ERROR, STEP_MORE, STEP_OUTPUT } from '../core/inspector.js';
import { RespiteError } from '../errors.js';
import { wrongSource } from './pieces.js';
import { pullSource, type RdbSource } from './source.js';
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
      let pulled = from.pull(into);
      if (typeof pulled !== 'number') {
        isWaiting = true;
        pulled = await orGivenUp(pulled, options);
        isWaiting = false;
      }
      if (pulled === 0) break;
      if (!(Number.isInteger(pulled) && pulled > 0 && pulled <= room)) {
        throw wrongSource(`its pull() must give how many bytes it read, not ${String(pulled)}`);
      }
      inspector.fed(pulled);
      const last = yield* drain(inspector, () => inspector.step(), options, turns);
      bytes += pulled;
      options.onProgress?.(bytes, from.size, inspector.keysRead);
      if (last !== STEP_END) continue;
      const behind = bytes - inspector.rdbBytes;
      if (inspector.rdbBytes > 0 && behind <= pulled) {
        const { input, rdbBytes } = inspector;
        await from.ended?.(rdbBytes, input.subarray(pulled - behind, pulled));
      }
      return;
    }
    yield* drain(inspector, () => inspector.finish(), options, turns);
  } finally {
    // who gives up waits no longer
    if (isWaiting || options.signal?.aborted) await letGo(from);
    else await from.close?.();
  }
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
