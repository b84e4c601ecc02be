// The ordinary kinds of values: booleans, integers, memory sizes, choices, text. Error texts are
// Redis' own, which clients show to people.

import type { ParseResult, ValueType } from './directive.js';

const INT_TEXT = /^(0|-?[1-9]\d*)$/;
const MEMORY_TEXT = /^(\d*)([a-z]*)$/i;
const MEMORY_UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1000n * 1000n,
  mb: 1024n * 1024n,
  g: 1000n * 1000n * 1000n,
  gb: 1024n * 1024n * 1024n,
};

export const INT_MAX = 2147483647;
export const UINT_MAX = 4294967295;
export const LONG_MAX = 9223372036854775807n;
const ULONG_MAX = 18446744073709551615n;

const ONE_WORD = { error: 'wrong number of arguments' };

function between(min: bigint, max: bigint): string {
  return `argument must be between ${min} and ${max} inclusive`;
}

/** A type of one word. */
function single(name: string, parse: (word: string) => ParseResult): ValueType {
  return {
    name,
    isMulti: false,
    parse: (words) => (words.length === 1 ? parse(words[0]!) : ONE_WORD),
  };
}

export const boolType: ValueType = single('bool', (word) => {
  const lower = word.toLowerCase();
  if (lower !== 'yes' && lower !== 'no') return { error: "argument must be 'yes' or 'no'" };
  return { value: lower === 'yes', text: lower };
});

/** Redis: no sign but minus, no leading zeros, no blanks; 64 bits. */
export function parseInteger(word: string): bigint | undefined {
  if (!INT_TEXT.test(word) || word.length > 20) return undefined;
  const value = BigInt(word);
  return value > LONG_MAX || value < -LONG_MAX - 1n ? undefined : value;
}

/** `clamp` is for values Redis changes silently instead of refusing them. */
export function intType(
  min: number,
  max: number | bigint,
  clamp: (value: number) => number = (value) => value,
): ValueType {
  const [low, high] = [BigInt(min), BigInt(max)];
  return single('int', (word) => {
    const value = parseInteger(word);
    if (value === undefined) return { error: "argument couldn't be parsed into an integer" };
    if (value < low || value > high) return { error: between(low, high) };
    const kept = clamp(Number(value));
    return { value: kept, text: kept === Number(value) ? value.toString() : String(kept) };
  });
}

export const octalType: ValueType = single('octal', (word) => {
  if (!/^[0-7]*$/.test(word) || word.length > 8) {
    return { error: "argument couldn't be parsed as an octal number" };
  }
  const value = word === '' ? 0 : Number.parseInt(word, 8);
  if (value > 0o777)
    return { error: `argument must be between 0 and ${(0o777).toString(8)} inclusive` };
  return { value, text: value.toString(8) };
});

/** `100mb` → bytes. Redis: no digits at all count as 0; too many as 2^64-1. */
export function parseMemory(word: string): bigint | undefined {
  const match = MEMORY_TEXT.exec(word);
  if (match === null) return undefined;
  const unit = MEMORY_UNITS[match[2]!.toLowerCase()];
  if (unit === undefined || match[1]!.length > 127) return undefined;
  const value = BigInt(match[1] || '0');
  return value > ULONG_MAX ? ULONG_MAX : BigInt.asUintN(64, value * unit);
}

export function memoryType(min: number, max: bigint = LONG_MAX, atLeast = 0): ValueType {
  return single('memory', (word) => {
    const value = parseMemory(word);
    if (value === undefined) return { error: 'argument must be a memory value' };
    if (value < BigInt(min) || value > max) return { error: between(BigInt(min), max) };
    const kept = value < BigInt(atLeast) ? BigInt(atLeast) : value;
    return { value: Number(kept), text: kept.toString() };
  });
}

/** Without an upper bound but that of 64 bits. */
export function bigMemoryType(): ValueType {
  return memoryType(0, ULONG_MAX);
}

/** A size, or `5%`. The value of a percentage is its negative, as Redis keeps it. */
export const memoryOrPercentType: ValueType = single('memory or percent', (word) => {
  const percent = /^(\d{1,18})%$/.exec(word);
  const tooMuch = { error: 'percentage argument must be less or equal to 100' };
  if (percent !== null) {
    const value = Number(percent[1]);
    if (value > 100) return tooMuch;
    return { value: value === 0 ? 0 : -value, text: value === 0 ? '0' : `${value}%` };
  }
  const value = parseMemory(word);
  if (value === undefined) return { error: 'argument must be a memory or percent value' };
  // Redis: what does not fit into 63 bits turns negative there, hence a percentage; 2^64 and
  // more even turn into 1%. Here all of them are refused.
  if (value > LONG_MAX) return tooMuch;
  return { value: Number(value), text: value.toString() };
});

export function enumType(choices: string): ValueType {
  const known = choices.split(' ');
  return single('enum', (word) => {
    const lower = word.toLowerCase();
    if (!known.includes(lower)) {
      return { error: `argument(s) must be one of the following: ${known.join(', ')}` };
    }
    return { value: lower, text: lower };
  });
}

export function textType(check: (word: string) => string | undefined = () => undefined): ValueType {
  return single('string', (word) => {
    const error = check(word);
    return error === undefined ? { value: word, text: word } : { error };
  });
}

/** A fraction between 0 and 1. */
export const fractionType: ValueType = single('fraction', (word) => {
  const value = /^\d*\.?\d+$/.test(word) ? Number(word) : Number.NaN;
  if (!(value >= 0 && value <= 1)) return { error: 'argument must be between 0 and 1 inclusive' };
  return { value, text: String(value) };
});
