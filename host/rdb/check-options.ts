// Options of the functions of `respite/rdb`: each is looked at when a function is called, before
// anything is opened or read. A wrong one, or one that there is not, is ERR_RESPITE_INVALID_CONFIG
// with `details.option` and a reason that says what is allowed.

import { type KeyFilter, VALUE_TYPES } from '../core/inspector.js';
import { isWasmSource } from '../core/load.js';
import { RespiteError } from '../errors.js';
import type { InspectOptions, ReadOptions } from './read-rdb.js';

/** Throws when a value is not what the option takes; it is never asked about undefined. */
export type Check = (value: unknown, option: string) => void;

/** A check for each option there is. */
export type Checks<T> = { readonly [K in keyof T]-?: Check };

/** The highest number a file has for a database. */
const DB_MAX = 0x7fff_ffff;
/** The highest that assembly/inspect/filter.ts tells from others. */
const FILTER_DB_MAX = 4095;
const SLOT_MAX = 16383;
const SHOWN_MAX = 40;

export function wrongOption(option: string, reason: string): RespiteError {
  const details = { option, reason };
  return new RespiteError('ERR_RESPITE_INVALID_CONFIG', `${option}: ${reason}`, { details });
}

/** `undefined` is an option that is not there. `within` stands in front of the names in errors. */
export function checkOptions<T extends object>(options: T, checks: Checks<T>, within = ''): void {
  const named: Readonly<Record<string, Check>> = checks;
  const given = options as Readonly<Record<string, unknown>>;
  if (!isRecord(options)) {
    throw wrongOption(within.slice(0, -1) || 'options', `must be an object, not ${shown(options)}`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || Object.hasOwn(named, name)) continue;
    const reason = `there is no such option, only ${listed(Object.keys(named), 'and')}`;
    throw wrongOption(within + name, reason);
  }
  for (const [name, check] of Object.entries(named)) {
    const value = given[name];
    if (value !== undefined) check(value, within + name);
  }
}

/** Something with named properties; an AbortController can stand for options, too. */
function isRecord(value: unknown): boolean {
  const kind = kindOf(value);
  return kind === 'Object' || kind === 'AbortController';
}

/** `Object`, `Map`, `RegExp` …, whatever realm it is from. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** A value as an error message names it. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    const isLong = value.length > SHOWN_MAX;
    return JSON.stringify(isLong ? `${value.slice(0, SHOWN_MAX)}…` : value);
  }
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = kindOf(value);
  return kind === 'Object' ? 'an object' : `a value of the kind ${kind}`;
}

function listed(words: readonly string[], last: string): string {
  return words.length < 2
    ? words.join()
    : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

// ---- what values may be

/** A check of one sentence: what the option must be. */
export function must(be: string, is: (value: unknown) => boolean): Check {
  return (value, option) => {
    if (!is(value)) throw wrongOption(option, `must be ${be}, not ${shown(value)}`);
  };
}

export const boolean = must('true or false', (value) => typeof value === 'boolean');
export const text = must('a string', (value) => typeof value === 'string');
export const callback = must('a function', (value) => typeof value === 'function');
/** A moment in Unix ms. */
export const time = must('a time in Unix ms', Number.isFinite);

export function oneOf(words: readonly string[]): Check {
  const be = listed(
    words.map((word) => JSON.stringify(word)),
    'or',
  );
  return must(be, (value) => typeof value === 'string' && words.includes(value));
}

const bounds = (from: number, to: number) =>
  to === Number.POSITIVE_INFINITY ? `of at least ${from}` : `from ${from} to ${to}`;

/** Without an upper bound Infinity is one, too. */
export function numberFrom(from: number, to = Number.POSITIVE_INFINITY): Check {
  return must(
    `a number ${bounds(from, to)}`,
    (value) => typeof value === 'number' && value >= from && value <= to,
  );
}

export function wholeFrom(from: number, to = Number.POSITIVE_INFINITY): Check {
  return must(
    `a whole number ${bounds(from, to)}`,
    (value) =>
      typeof value === 'number' &&
      value >= from &&
      value <= to &&
      (Number.isInteger(value) || value === Number.POSITIVE_INFINITY),
  );
}

/** An object of options in an option. */
export function nested<T extends object>(checks: Checks<T>): Check {
  return (value, option) => checkOptions(value as T, checks, `${option}.`);
}

/** `word` (false, "all" …), or what else the check allows. */
export function either(word: unknown, check: Check): Check {
  return (value, option) => {
    if (value !== word) check(value, option);
  };
}

/** An array of `least` to `most`, each checked by itself. */
export function arrayOf(check: Check, least = 0, most = Number.POSITIVE_INFINITY): Check {
  return (value, option) => {
    if (!Array.isArray(value)) throw wrongOption(option, `must be an array, not ${shown(value)}`);
    if (value.length < least) {
      throw wrongOption(option, 'must not be an empty array');
    }
    if (value.length > most) throw wrongOption(option, `takes at most ${most}`);
    for (const one of value) check(one, option);
  };
}

function oneOrMore(check: Check, least: number): Check {
  const many = arrayOf(check, least);
  return (value, option) => (Array.isArray(value) ? many : check)(value, option);
}

/** A range of cluster slots, both included. */
export const slotRange = must(
  `[from, to] with 0 <= from <= to <= ${SLOT_MAX}`,
  (value) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value.every(Number.isInteger) &&
    0 <= value[0] &&
    value[0] <= value[1] &&
    value[1] <= SLOT_MAX,
);

export const databaseNumber = wholeFrom(0, DB_MAX);

// ---- options that many functions share

/** A moment in Unix ms, or an end of time. */
const moment = must(
  'a time in Unix ms',
  (value) => typeof value === 'number' && !Number.isNaN(value),
);

const FILTER_CHECKS: Checks<KeyFilter> = {
  db: oneOrMore(wholeFrom(0, FILTER_DB_MAX), 1),
  match: oneOrMore(text, 1),
  not: oneOrMore(text, 0),
  regex: must('a regular expression', (value) => kindOf(value) === 'RegExp'),
  type: oneOrMore(oneOf(VALUE_TYPES), 1),
  minBytes: numberFrom(0),
  expiresBefore: moment,
  expiresAfter: moment,
  noExpiry: boolean,
  slots: slotRange,
  limit: wholeFrom(0),
};

export const filterCheck = nested(FILTER_CHECKS);

function isSignal(value: unknown): boolean {
  const signal = value as Partial<AbortSignal> | null;
  return (
    typeof signal === 'object' &&
    typeof signal?.aborted === 'boolean' &&
    typeof signal.addEventListener === 'function'
  );
}

export const INSPECT_CHECKS: Checks<InspectOptions> = {
  signal: must('an AbortSignal', isSignal),
  onProgress: callback,
  wasm: must('the bytes of a .wasm, or a WebAssembly.Module', isWasmSource),
  checksum: boolean,
  allowFuture: boolean,
  salvage: boolean,
};

/** What exports take: all but `values`. */
export const EXPORT_CHECKS: Checks<Omit<ReadOptions, 'values'>> = {
  ...INSPECT_CHECKS,
  filter: filterCheck,
  elementBytesMax: wholeFrom(0),
  onLongString: callback,
};

export const READ_CHECKS: Checks<ReadOptions> = {
  ...EXPORT_CHECKS,
  values: oneOf(['none', 'all', 'stream']),
};
