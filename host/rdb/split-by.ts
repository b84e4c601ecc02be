// By what a file is split, as options for the core, and what the parts are called.

import { VALUE_TYPES } from '../core/inspector.js';
import {
  arrayOf,
  type Check,
  type Checks,
  checkOptions,
  oneOf,
  slotRange,
  text,
  wholeFrom,
} from './check-options.js';
import { OPT_SPLIT, OPT_SPLIT_COUNT, OPT_SPLIT_LIST } from './convert-frames.js';

/** A part for each … */
export type SplitBy =
  /** database, value type that occurs; */
  | { by: 'db' }
  | { by: 'type' }
  /** range of cluster slots, both ends included, and one for all other slots; */
  | { by: 'slots'; ranges: readonly (readonly [from: number, to: number])[] }
  /** N parts (1 to 1024), by slot (neighbouring slots together) or by a hash of the name; */
  | { by: 'slot'; parts: number }
  | { by: 'hash'; parts: number }
  /** glob, prefix (the first that fits), and one for all other keys; */
  | { by: 'pattern'; patterns: readonly string[] }
  | { by: 'prefix'; prefixes: readonly string[] }
  /** so many bytes: a part ends with the key that reaches them. */
  | { by: 'size'; bytes: number };

export interface NamedPart {
  index: number;
  /** For a file name: `db0`, `hash`, `slots-0-5460`, `part-3`, a pattern's text, `rest`. */
  name: string;
}

// SPLIT_* of assembly/inspect/convert-route.ts.
const KINDS = { db: 1, type: 2, slots: 3, slot: 4, hash: 5, pattern: 6, prefix: 6, size: 7 };

/** The most files at once: PARTS_MAX of assembly/inspect/convert-parts.ts. */
export const PARTS_MAX = 1024;

/** One part more is for all other keys. */
const listOf = (check: Check): Check => arrayOf(check, 1, PARTS_MAX - 1);

/** What stands beside `by`. */
const CHECKS: Readonly<Record<SplitBy['by'], Readonly<Record<string, Check>>>> = {
  db: {},
  type: {},
  slots: { ranges: listOf(slotRange) },
  slot: { parts: wholeFrom(1, PARTS_MAX) },
  hash: { parts: wholeFrom(1, PARTS_MAX) },
  pattern: { patterns: listOf(text) },
  prefix: { prefixes: listOf(text) },
  size: { bytes: wholeFrom(1) },
};

/** Throws ERR_RESPITE_INVALID_CONFIG where it cannot be split so. */
export function checkSplit(split: SplitBy): void {
  const by = oneOf(Object.keys(CHECKS));
  const { by: kind } = (split ?? {}) as Partial<SplitBy>;
  by(kind, 'by');
  const own = CHECKS[kind as SplitBy['by']];
  checkOptions(split, { ...own, by } as Checks<SplitBy>);
  for (const [name, check] of Object.entries(own)) check(split[name as keyof SplitBy], name);
}

/** Places of options for the core. */
export function splitOptions(split: SplitBy): Record<number, number | Uint8Array> {
  const kind = { [OPT_SPLIT]: KINDS[split.by] };
  switch (split.by) {
    case 'slots': {
      const words = Uint32Array.from(split.ranges.flat());
      return { ...kind, [OPT_SPLIT_LIST]: new Uint8Array(words.buffer) };
    }
    case 'slot':
    case 'hash':
      return { ...kind, [OPT_SPLIT_COUNT]: split.parts };
    case 'size':
      return { ...kind, [OPT_SPLIT_COUNT]: split.bytes };
    case 'pattern':
      return { ...kind, [OPT_SPLIT_LIST]: globs(split.patterns) };
    case 'prefix':
      return { ...kind, [OPT_SPLIT_LIST]: globs(split.prefixes.map(prefixGlob)) };
    default:
      return kind;
  }
}

function prefixGlob(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
}

/** Lengths (u32) and texts. */
function globs(patterns: readonly string[]): Uint8Array {
  const texts = patterns.map((pattern) => new TextEncoder().encode(pattern));
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, 0));
  let at = 0;
  for (const text of texts) {
    new DataView(bytes.buffer).setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

/** The name of the part with that label. */
export function partName(split: SplitBy, label: number): string {
  switch (split.by) {
    case 'db':
      return `db${label}`;
    case 'type':
      return VALUE_TYPES[label] ?? 'other';
    case 'slots': {
      const range = split.ranges[label];
      return range === undefined ? 'rest' : `slots-${range[0]}-${range[1]}`;
    }
    case 'pattern':
      return textName(split.patterns, label);
    case 'prefix':
      return textName(split.prefixes, label);
    default:
      return `part-${label}`;
  }
}

/** A text as part of a file name; its place where that leaves nothing to tell it by. */
function textName(texts: readonly string[], label: number): string {
  const text = texts[label];
  if (text === undefined) return 'rest';
  const safe = (one: string) => one.replace(/[^\w.-]+/g, '_').replace(/^[_.]+|[_.]+$/g, '');
  const name = safe(text);
  const isUnique = texts.filter((one) => safe(one) === name).length === 1;
  return name !== '' && name !== 'rest' && isUnique ? name : `${label}-${name || 'part'}`;
}
