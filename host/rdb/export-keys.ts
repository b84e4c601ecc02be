// The names of the keys as text (assembly/inspect/keys-text.ts).

import { MODE_KEYS_TEXT } from '../core/inspector.js';
import { boolean, type Checks, checkOptions, EXPORT_CHECKS, oneOf } from './check-options.js';
import { ESCAPES, type ExportOptions, ModeExport, type Places, type TextExport } from './export.js';
import type { RdbSource } from './source.js';

const KEYS = {
  utf8: ESCAPES.text,
  repr: ESCAPES.repr,
  base64: ESCAPES.base64,
  raw: ESCAPES.raw,
} as const;

const SEPARATORS = { newline: 10, nul: 0 } as const;

export interface KeysOptions extends ExportOptions {
  /**
   * `utf8` (default) leaves valid UTF-8 and writes other bytes and control characters `\xHH`, so
   * that a key is one line; `repr` as redis-cli prints on a terminal, in quotes; `base64`; `raw`
   * leaves every byte. `unescapeText` turns the first three back.
   */
  escape?: keyof typeof KEYS | undefined;
  /** What stands behind each key. `nul` goes with `raw` and `xargs -0`. */
  separator?: keyof typeof SEPARATORS | undefined;
  /** The number of the database and a tab before each key. */
  db?: boolean | undefined;
}

const CHECKS: Checks<KeysOptions> = {
  ...EXPORT_CHECKS,
  escape: oneOf(Object.keys(KEYS)),
  separator: oneOf(Object.keys(SEPARATORS)),
  db: boolean,
};

/** The options of the mode, by place. */
export function keysPlaces(options: KeysOptions): Places {
  const { escape: how = 'utf8', separator = 'newline', db = false } = options;
  return { 0: SEPARATORS[separator], 1: KEYS[how], 2: Number(db) };
}

/**
 * The names of the keys of an RDB file, block by block; a block is good until the next is asked
 * for. Throws as `readRdb` does, after what came before.
 */
export function exportKeys(source: RdbSource, options: KeysOptions = {}): TextExport {
  checkOptions(options, CHECKS);
  return new ModeExport(source, MODE_KEYS_TEXT, keysPlaces(options), options);
}
