// Pumps a source through an inspector and hands out its output, piece by piece: the loop that every
// use of rdb.wasm shares. Nothing is copied but the file's bytes into linear memory.

import { type Inspector, STEP_END, STEP_ERROR, STEP_MORE, STEP_OUTPUT } from '../core/inspector.js';
import { RespiteError } from '../errors.js';
import { pullSource, type RdbSource } from './source.js';

export type OnProgress = (bytes: number, size: number | undefined, keys: number) => void;

export interface RunOptions {
  signal?: AbortSignal | undefined;
  /** After each piece: bytes read so far, of how many where that is known, and keys. */
  onProgress?: OnProgress | undefined;
}

/**
 * Yields the output of an opened inspector as views that are valid until the next is asked for.
 * Output made before an error is delivered before the error is thrown.
 */
export async function* outputs(
  inspector: Inspector,
  source: RdbSource,
  { signal, onProgress }: RunOptions = {},
): AsyncGenerator<Uint8Array> {
  const from = pullSource(source);
  let bytes = 0;
  try {
    for (;;) {
      if (signal?.aborted) throw new RespiteError('ERR_RESPITE_ABORTED');
      const pulled = from.pull(inspector.input);
      const length = typeof pulled === 'number' ? pulled : await orAborted(pulled, signal);
      if (length === 0) break;
      inspector.fed(length);
      const last = yield* drain(inspector, () => inspector.step(), signal);
      bytes += length;
      onProgress?.(bytes, from.size, inspector.keysRead);
      if (last === STEP_END) return;
    }
    yield* drain(inspector, () => inspector.finish(), signal);
  } finally {
    await from.close?.();
  }
}

/** What was asked for, or an end to waiting for it. */
function orAborted<T>(wanted: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wanted;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new RespiteError('ERR_RESPITE_ABORTED'));
    signal.addEventListener('abort', onAbort, { once: true });
    wanted.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function* drain(
  inspector: Inspector,
  step: () => number,
  signal: AbortSignal | undefined,
): Generator<Uint8Array, number> {
  for (;;) {
    const said = step();
    if (said === STEP_OUTPUT || said === STEP_ERROR) {
      const output = inspector.output;
      if (output.length > 0) {
        yield output;
        if (signal?.aborted) throw new RespiteError('ERR_RESPITE_ABORTED');
        inspector.taken();
      }
      if (said === STEP_ERROR) throw inspector.failure();
    } else if (said === STEP_MORE || said === STEP_END) {
      return said;
    }
  }
}
