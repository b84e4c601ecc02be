// What the text exports share: one inspection in a mode whose output is text.

import { FLAG_ALLOW_FUTURE, FLAG_NO_CHECKSUM, FLAG_SALVAGE, Inspector } from '../core/inspector.js';
import { inspectModule } from './module.js';
import type { ReadOptions } from './read-rdb.js';
import { outputs } from './run.js';
import type { RdbSource } from './source.js';

/** What every export takes: which keys, and how the file is read. */
export type ExportOptions = Omit<ReadOptions, 'values'>;

/** Numbers of ESCAPE_* in assembly/inspect/escape.ts. */
export const ESCAPES = { raw: 0, utf8: 1, latin1: 2, base64: 3, text: 4, repr: 6 } as const;

/**
 * The output of `mode`, whose options are given by place. The blocks are views of Wasm memory that
 * are good until the next one is asked for.
 */
export async function* exported(
  source: RdbSource,
  mode: number,
  places: Readonly<Record<number, number>>,
  options: ExportOptions,
): AsyncGenerator<Uint8Array> {
  const { wasm, filter, checksum, allowFuture, salvage } = options;
  const inspector = new Inspector(await inspectModule(wasm));
  inspector.filter(filter);
  inspector.options(places);
  let flags = checksum === false ? FLAG_NO_CHECKSUM : 0;
  if (allowFuture) flags |= FLAG_ALLOW_FUTURE;
  if (salvage) flags |= FLAG_SALVAGE;
  inspector.open(mode, flags);
  try {
    yield* outputs(inspector, source, options);
  } finally {
    inspector.close();
  }
}
