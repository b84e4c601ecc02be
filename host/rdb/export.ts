// What the text exports share: one inspection in a mode whose output is text.

import { Inspector } from '../core/inspector.js';
import { inspectModule } from './module.js';
import { inspectFlags, type ReadOptions } from './read-rdb.js';
import { outputs } from './run.js';
import type { RdbSource } from './source.js';

/** What every export takes: which keys, and how the file is read. */
export type ExportOptions = Omit<ReadOptions, 'values'>;

/** Numbers of ESCAPE_* in assembly/inspect/escape.ts. */
export const ESCAPES = { raw: 0, utf8: 1, latin1: 2, base64: 3, text: 4, repr: 6 } as const;

/** Options of a mode, by place. */
export type Places = Readonly<Record<number, number>>;

/**
 * The output of `mode`, whose options are given by place. The blocks are views of Wasm memory that
 * are good until the next one is asked for.
 */
export async function* exported(
  source: RdbSource,
  mode: number,
  places: Places,
  options: ExportOptions,
): AsyncGenerator<Uint8Array> {
  const inspector = new Inspector(await inspectModule(options.wasm));
  inspector.filter(options.filter);
  inspector.options(places);
  inspector.open(mode, inspectFlags(options));
  try {
    yield* outputs(inspector, source, options);
  } finally {
    inspector.close();
  }
}
