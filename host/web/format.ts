// Numbers, times and bytes as text.

import type { BytesText } from '../rdb/analysis-types.js';

const whole = new Intl.NumberFormat('en-US');
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

export const count = (n: number): string => whole.format(Math.round(n));

/** 1024-based, three digits: 812 B, 4.21 KB, 38.9 MB. */
export function bytes(n: number): string {
  let at = 0;
  let value = n;
  while (value >= 1024 && at < UNITS.length - 1) {
    value /= 1024;
    at++;
  }
  const digits = at === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[at]}`;
}

/** 1,234 or 12.3 k, 4.56 M: for places with little room. */
export function short(n: number): string {
  if (n < 10_000) return count(n);
  if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e5 ? 1 : 0)} k`;
  if (n < 1e9) return `${(n / 1e6).toFixed(n < 1e8 ? 1 : 0)} M`;
  return `${(n / 1e9).toFixed(1)} G`;
}

export function percent(part: number, all: number): string {
  if (all === 0) return '–';
  const share = (100 * part) / all;
  if (share > 0 && share < 0.1) return '<0.1 %';
  // 100 % is said of all of them only
  if (share > 99.9 && share < 100) return '>99.9 %';
  const isFine = share < 10 || (share >= 99.5 && share < 100);
  return `${share.toFixed(isFine ? 1 : 0)} %`;
}

const SPANS: readonly [name: string, seconds: number][] = [
  ['y', 31_557_600],
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** 3 d 4 h, 12 min, 0.4 s; 5 s when it is exactly that. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 10) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  const at = SPANS.findIndex(([, size]) => seconds >= size);
  const [name, size] = SPANS[at] as [string, number];
  const most = Math.floor(seconds / size);
  const next = SPANS[at + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds - most * size) / next[1]);
  return rest > 0 && most < 100 ? `${most} ${name} ${rest} ${next?.[0]}` : `${most} ${name}`;
}

/** A point in time; one that no calendar of ours reaches as the number it is. */
export function time(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return `${ms} ms`;
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.000Z$|Z$/, ' UTC');
}

/** When a file says it was made (Unix seconds); as it stands there where that is no time. */
export function timeMade(ctime: string): string {
  const date = new Date(ctime.trim() === '' ? Number.NaN : Number(ctime) * 1000);
  return Number.isNaN(date.getTime()) ? ctime : time(date.getTime());
}

/** Time left, as seen from `nowMs`. */
export function ttl(expireAtMs: number | null | undefined, nowMs: number): string {
  if (expireAtMs === null || expireAtMs === undefined) return '–';
  const left = (expireAtMs - nowMs) / 1000;
  return left <= 0 ? 'expired' : duration(left);
}

const strict = new TextDecoder('utf-8', { fatal: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

const escaped = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;

/**
 * Bytes as one line: UTF-8, `\xNN` for control characters and for what is no UTF-8. `isPart`: they
 * are how something longer begins; the line tells.
 */
export function bytesLine(data: Uint8Array, max = 512, isPart = false): string {
  const part = data.subarray(0, max);
  const isCut = isPart || data.length > max;
  const more = isCut ? '…' : '';
  try {
    const whole = isCut ? part.subarray(0, wholeEnd(part)) : part;
    return strict.decode(whole).replace(CONTROL, escaped) + more;
  } catch {
    let out = '';
    for (const b of part) {
      const char = String.fromCharCode(b);
      out += b < 0x20 || b > 0x7e ? escaped(char) : char;
    }
    return out + more;
  }
}

const isInside = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** Where the last character of some UTF-8 begins that is cut at its end; its length if none is. */
function wholeEnd(data: Uint8Array): number {
  const to = data.length;
  let last = to - 1;
  while (last > to - 4 && isInside(data[last])) last--;
  const lead = data[last] ?? 0;
  const length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return last >= 0 && last + length > to ? last : to;
}

/** A part of some UTF-8 without the characters that are cut at its ends. */
function wholeCharacters(data: Uint8Array): Uint8Array {
  let from = 0;
  while (from < 3 && isInside(data[from])) from++;
  return data.subarray(from, wholeEnd(data));
}

/** True when the bytes are text that may be shown as it is; `isPart`: it may be cut at its ends. */
export function isText(data: Uint8Array, isPart = false): boolean {
  try {
    const text = strict.decode(isPart ? wholeCharacters(data) : data);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about
    return !/[\u0000-\u0008\u000e-\u001f]/.test(text);
  } catch {
    return false;
  }
}

/** Sixteen bytes a line: place, hexadecimal, characters; the first byte is the one at `from`. */
export function hexDump(data: Uint8Array, from = 0): string {
  const lines: string[] = [];
  for (let at = 0; at < data.length; at += 16) {
    const line = [...data.subarray(at, at + 16)];
    const hex = line.map((b) => b.toString(16).padStart(2, '0')).join(' ');
    const chars = line.map((b) => (b < 0x20 || b > 0x7e ? '.' : String.fromCharCode(b))).join('');
    lines.push(`${(from + at).toString(16).padStart(8, '0')}  ${hex.padEnd(47)}  ${chars}`);
  }
  return lines.join('\n');
}

/** The bytes a BytesText stands for. */
export function bytesOf({ text, base64 }: BytesText): Uint8Array {
  if (base64 === undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
