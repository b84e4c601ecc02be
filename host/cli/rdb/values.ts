// What the options of `respite rdb` take as text: sizes, times, slots, types. Each throws what
// commander shows as a wrong argument.

import { InvalidArgumentError } from 'commander';
import { VALUE_TYPES, type ValueType } from '../../core/inspector.js';

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
};

/** Bytes as redis.conf writes them: `100`, `1k` (1000), `1kb` (1024), `1.5mb` … */
export function sizeValue(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text.trim());
  const unit = UNITS[match?.[2]?.toLowerCase() ?? ' '];
  if (!match || unit === undefined) {
    throw new InvalidArgumentError('A size is a number of bytes, or one with k, kb, m, mb, g, gb.');
  }
  return Math.ceil(Number(match[1]) * unit);
}

/** Beginnings of names that are told apart: as `prefixNodes` of the library. */
export function nodesValue(text: string): number {
  const nodes = countValue(text);
  if (nodes < 64 || nodes > 1 << 20) throw new InvalidArgumentError('It takes 64 to 1048576.');
  return nodes;
}

/** Rows of the tables of largest keys. */
export function rowsValue(text: string): number {
  const rows = countValue(text);
  if (rows > 1000) throw new InvalidArgumentError('It takes at most 1000.');
  return rows;
}

export function countValue(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError('It takes a whole number above 0.');
  }
  return count;
}

const SPANS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** Numbers below are seconds: 10^11 s is in the year 5138, 10^11 ms was in 1973. */
const SECONDS_MAX = 1e11;

/** A moment in unix ms: a date (ISO), unix seconds or milliseconds, or relative (`+1d`, `-2h`). */
export function timeValue(text: string): number {
  const relative = /^([+-]\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  if (relative !== null) {
    return Math.trunc(Date.now() + Number(relative[1]) * SPANS[relative[2]!]!);
  }
  if (text === 'now') return Date.now();
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return Math.trunc(number < SECONDS_MAX ? number * 1000 : number);
  }
  const ms = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || !isDay(text)) {
    const forms = '2027-01-31, 2027-01-31T12:00:00Z, unix seconds or ms, +1d, -2h, now';
    throw new InvalidArgumentError(`A time is one of: ${forms}.`);
  }
  return ms;
}

/** Not February 30, which Date takes for a day of March. */
function isDay(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)/.exec(text);
  if (match === null) return true;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}

/** Options that may be repeated or hold several words: adds to what was there. */
function adding<T>(each: (word: string) => T): (text: string, before: T[] | undefined) => T[] {
  return (text, before = []) => [...before, ...text.split(',').map((word) => each(word.trim()))];
}

export const dbValues = adding((word) => {
  const db = Number(word);
  if (!/^\d+$/.test(word) || db > 4095) {
    throw new InvalidArgumentError('A database is a number up to 4095: 0, or several: 0,1,5.');
  }
  return db;
});

export const typeValues = adding((word): ValueType => {
  const type = VALUE_TYPES.find((name) => name === word.toLowerCase());
  if (type === undefined) {
    throw new InvalidArgumentError(`Types are: ${VALUE_TYPES.join(', ')}.`);
  }
  return type;
});

/** Globs are taken as they are: a comma belongs to the name. */
export function globValues(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** Each is a byte of names. */
export function separatorsValue(text: string): string {
  const isAscii = [...text].every((letter) => letter <= '\x7f');
  if (!isAscii) throw new InvalidArgumentError('Separators are ASCII characters.');
  return text;
}

/** `/source/flags` or the source alone. */
export function regexValue(text: string): RegExp {
  const match = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return match === null ? new RegExp(text) : new RegExp(match[1]!, match[2]);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** `5`, or `0-5460`, both included. */
export function slotValue(text: string): readonly [from: number, to: number] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || to > 16383 || from > to) {
    throw new InvalidArgumentError('Slots are 0 to 16383: 5, or 0-5460.');
  }
  return [from, to];
}
