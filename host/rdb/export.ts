// What the text exports share: one inspection in a mode whose output is text.

import { type LeftOut, readLeftOut } from './left-out.js';
import { beginInspection, type ReadOptions } from './read-rdb.js';
import { outputs } from './run.js';
import type { RdbSource } from './source.js';
import { endable, release } from './waiting.js';

/** What every export takes: which keys, and how the file is read. */
export type ExportOptions = Omit<ReadOptions, 'values'>;

/** Numbers of ESCAPE_* in assembly/inspect/escape.ts. */
export const ESCAPES = { raw: 0, utf8: 1, latin1: 2, base64: 3, text: 4, repr: 6 } as const;

/** Options of a mode, by place. */
export type Places = Readonly<Record<number, number>>;

/** Blocks of text, each a view that is good until the next is asked for; to be iterated once. */
export interface TextExport extends AsyncIterable<Uint8Array> {
  /** What the text does not tell; complete when the iteration is over. */
  readonly leftOut: LeftOut;
  /** Keys whose value was damaged (`salvage`). */
  readonly damaged: number;
}

/** The output of `mode`, whose options are given by place. */
export class ModeExport implements TextExport {
  leftOut: LeftOut = { counts: {}, examples: [] };
  damaged = 0;
  readonly #source: RdbSource;
  readonly #mode: number;
  readonly #places: Places;
  readonly #options: ExportOptions;

  constructor(source: RdbSource, mode: number, places: Places, options: ExportOptions) {
    this.#source = source;
    this.#mode = mode;
    this.#places = places;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const unread = () => release(this.#source);
    return endable(this.#options, (options) => this.#blocks(options), unread);
  }

  async *#blocks(options: ExportOptions): AsyncGenerator<Uint8Array> {
    const inspector = await beginInspection(this.#source, options, this.#mode, this.#places);
    try {
      yield* outputs(inspector, this.#source, options);
    } finally {
      this.leftOut = readLeftOut(inspector);
      this.damaged = inspector.damaged;
      inspector.close();
    }
  }
}

/** The same as a generator. */
export function exported(
  source: RdbSource,
  mode: number,
  places: Places,
  options: ExportOptions,
): AsyncGenerator<Uint8Array> {
  return new ModeExport(source, mode, places, options)[Symbol.asyncIterator]();
}
