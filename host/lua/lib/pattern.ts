// Lua's patterns, by the algorithm of lstrlib.c. Backtracking is bounded: each step burns fuel, so
// a pattern that would take hours meets the same limits as a loop.

import type { Machine } from '../vm/machine.js';
import { type LuaError, type LuaValue, type Results, results } from '../vm/value.js';

const CAPTURES_MAX = 32;
const DEPTH_MAX = 200;
const UNFINISHED = -1;
const POSITION = -2;
const PERCENT = 37;
/** Smaller sets are not worth counting. */
const LONG_SET = 64;

export class Matcher {
  readonly #m: Machine;
  readonly source: string;
  readonly pattern: string;
  level = 0;
  readonly starts: number[] = [];
  readonly lengths: number[] = [];
  #depth = 0;

  constructor(m: Machine, source: string, pattern: string) {
    this.#m = m;
    this.source = source;
    // Redis: a C string, which a null byte ends.
    this.pattern = beforeNull(pattern);
  }

  #error(text: string): LuaError {
    return this.#m.error(text);
  }

  /** Tries to match at one place: the end of the match, -1 for none. */
  match(at: number, patternAt: number): number {
    this.level = 0;
    return this.#match(at, patternAt);
  }

  #match(from: number, fromPattern: number): number {
    if (++this.#depth > DEPTH_MAX * 20) throw this.#error('pattern too complex');
    try {
      return this.#run(from, fromPattern);
    } finally {
      this.#depth--;
    }
  }

  #run(from: number, fromPattern: number): number {
    let s = from;
    let p = fromPattern;
    const { pattern, source } = this;
    for (;;) {
      this.#m.work(1);
      if (p === pattern.length) return s;
      const c = pattern.charCodeAt(p);
      if (c === 40) {
        return pattern.charCodeAt(p + 1) === 41
          ? this.#startCapture(s, p + 2, POSITION)
          : this.#startCapture(s, p + 1, UNFINISHED);
      }
      if (c === 41) return this.#endCapture(s, p + 1);
      if (c === 36 && p + 1 === pattern.length) return s === source.length ? s : -1;
      if (c === PERCENT) {
        const next = pattern.charCodeAt(p + 1);
        if (next === 98) {
          s = this.#balance(s, p + 2);
          if (s < 0) return -1;
          p += 4;
          continue;
        }
        if (next === 102) {
          const end = this.#frontier(s, p + 2);
          if (end < 0) return -1;
          p = end;
          continue;
        }
        if (next >= 48 && next <= 57) {
          s = this.#backReference(s, next);
          if (s < 0) return -1;
          p += 2;
          continue;
        }
      }
      const end = this.#classEnd(p);
      const suffix = pattern.charCodeAt(end);
      if (suffix === 63) {
        if (this.#single(s, p, end)) {
          const result = this.#match(s + 1, end + 1);
          if (result >= 0) return result;
        }
        p = end + 1;
        continue;
      }
      if (suffix === 42) return this.#expand(s, p, end, 0);
      if (suffix === 43) return this.#single(s, p, end) ? this.#expand(s + 1, p, end, 0) : -1;
      if (suffix === 45) return this.#shrink(s, p, end);
      if (!this.#single(s, p, end)) return -1;
      s++;
      p = end;
    }
  }

  #frontier(s: number, p: number): number {
    if (this.pattern.charCodeAt(p) !== 91) {
      throw this.#error("missing '[' after '%f' in pattern");
    }
    const end = this.#classEnd(p);
    const before = s === 0 ? 0 : this.source.charCodeAt(s - 1);
    const here = s < this.source.length ? this.source.charCodeAt(s) : 0;
    return this.#inSet(before, p, end - 1) || !this.#inSet(here, p, end - 1) ? -1 : end;
  }

  #classEnd(at: number): number {
    const { pattern } = this;
    let p = at;
    const c = pattern.charCodeAt(p++);
    if (c === PERCENT) {
      if (p >= pattern.length) throw this.#error("malformed pattern (ends with '%')");
      return p + 1;
    }
    if (c !== 91) return p;
    if (pattern.charCodeAt(p) === 94) p++;
    do {
      if (p >= pattern.length) throw this.#error("malformed pattern (missing ']')");
      const inner = pattern.charCodeAt(p++);
      if (inner === PERCENT && p < pattern.length) p++;
    } while (pattern.charCodeAt(p) !== 93);
    if (p - at > LONG_SET) this.#m.work(p - at);
    return p + 1;
  }

  #single(s: number, p: number, end: number): boolean {
    if (s >= this.source.length) return false;
    const c = this.source.charCodeAt(s);
    switch (this.pattern.charCodeAt(p)) {
      case 46:
        return true;
      case PERCENT:
        return isInClass(c, this.pattern.charCodeAt(p + 1));
      case 91:
        return this.#inSet(c, p, end - 1);
      default:
        return this.pattern.charCodeAt(p) === c;
    }
  }

  /** Whether `c` is in the set from `p` ('[') to `last` (']'). */
  #inSet(c: number, at: number, last: number): boolean {
    const { pattern } = this;
    let p = at + 1;
    let found = true;
    if (pattern.charCodeAt(p) === 94) {
      found = false;
      p++;
    }
    if (last - p > LONG_SET) this.#m.work(last - p);
    for (; p < last; p++) {
      const d = pattern.charCodeAt(p);
      if (d === PERCENT) {
        p++;
        if (isInClass(c, pattern.charCodeAt(p))) return found;
      } else if (pattern.charCodeAt(p + 1) === 45 && p + 2 < last) {
        p += 2;
        if (d <= c && c <= pattern.charCodeAt(p)) return found;
      } else if (d === c) return found;
    }
    return !found;
  }

  #expand(s: number, p: number, end: number, least: number): number {
    let count = least;
    while (this.#single(s + count, p, end)) {
      count++;
      this.#m.work(1);
    }
    for (; count >= 0; count--) {
      const result = this.#match(s + count, end + 1);
      if (result >= 0) return result;
    }
    return -1;
  }

  #shrink(from: number, p: number, end: number): number {
    for (let s = from; ; s++) {
      const result = this.#match(s, end + 1);
      if (result >= 0) return result;
      if (!this.#single(s, p, end)) return -1;
    }
  }

  #startCapture(s: number, p: number, what: number): number {
    if (this.level >= CAPTURES_MAX) throw this.#error('too many captures');
    this.starts[this.level] = s;
    this.lengths[this.level] = what;
    this.level++;
    const result = this.#match(s, p);
    if (result < 0) this.level--;
    return result;
  }

  #endCapture(s: number, p: number): number {
    let at = this.level - 1;
    while (at >= 0 && this.lengths[at] !== UNFINISHED) at--;
    if (at < 0) throw this.#error('invalid pattern capture');
    this.lengths[at] = s - (this.starts[at] as number);
    const result = this.#match(s, p);
    if (result < 0) this.lengths[at] = UNFINISHED;
    return result;
  }

  #balance(s: number, p: number): number {
    const { pattern, source } = this;
    if (p + 1 >= pattern.length) throw this.#error('unbalanced pattern');
    const open = pattern.charCodeAt(p);
    const close = pattern.charCodeAt(p + 1);
    if (source.charCodeAt(s) !== open) return -1;
    let depth = 1;
    for (let at = s + 1; at < source.length; at++) {
      this.#m.work(1);
      const c = source.charCodeAt(at);
      if (c === close) {
        if (--depth === 0) return at + 1;
      } else if (c === open) depth++;
    }
    return -1;
  }

  #backReference(s: number, digit: number): number {
    const at = digit - 49;
    if (at < 0 || at >= this.level || this.lengths[at] === UNFINISHED) {
      throw this.#error('invalid capture index');
    }
    const start = this.starts[at] as number;
    const text = this.source.substr(start, this.lengths[at]);
    this.#m.work(text.length >> 4);
    return this.source.startsWith(text, s) ? s + text.length : -1;
  }

  // ---- captures

  capture(at: number, from: number, end: number): LuaValue {
    if (at >= this.level) {
      if (at === 0) return this.source.slice(from, end);
      throw this.#error('invalid capture index');
    }
    const length = this.lengths[at] as number;
    if (length === UNFINISHED) throw this.#error('unfinished capture');
    const start = this.starts[at] as number;
    return length === POSITION ? start + 1 : this.source.substr(start, length);
  }

  /** All captures; the whole match when there are none and `orWhole`. */
  captures(from: number, end: number, orWhole: boolean): LuaValue[] {
    const count = this.level === 0 && orWhole ? 1 : this.level;
    const out: LuaValue[] = [];
    for (let i = 0; i < count; i++) out.push(this.capture(i, from, end));
    return out;
  }
}

function isBetween(c: number, low: number, high: number): boolean {
  return c >= low && c <= high;
}

const isAlpha = (c: number): boolean => isBetween(c | 32, 97, 122);
const isDigit = (c: number): boolean => isBetween(c, 48, 57);

function isOfClass(c: number, letter: number): boolean | undefined {
  switch (letter) {
    case 97:
      return isAlpha(c);
    case 99:
      return c < 32 || c === 127;
    case 100:
      return isDigit(c);
    case 108:
      return isBetween(c, 97, 122);
    case 112:
      return isBetween(c, 33, 126) && !isAlpha(c) && !isDigit(c);
    case 115:
      return c === 32 || isBetween(c, 9, 13);
    case 117:
      return isBetween(c, 65, 90);
    case 119:
      return isAlpha(c) || isDigit(c);
    case 120:
      return isDigit(c) || isBetween(c | 32, 97, 102);
    case 122:
      return c === 0;
    default:
      return undefined;
  }
}

/** Whether `c` is what `%letter` stands for; an upper-case letter for all else. */
function isInClass(c: number, letter: number): boolean {
  const result = isOfClass(c, isAlpha(letter) ? letter | 32 : letter);
  if (result === undefined) return letter === c;
  return isBetween(letter, 65, 90) ? !result : result;
}

const SPECIALS = /[\^$*+?.([%-]/;

function beforeNull(text: string): string {
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** string.find and string.match. */
export function find(
  m: Machine,
  source: string,
  pattern: string,
  ...[init, isPlain, isFind]: [number, boolean, boolean]
): LuaValue | Results {
  if (isFind && (isPlain || !SPECIALS.test(beforeNull(pattern)))) {
    m.work((source.length - init) >> 6);
    const at = source.indexOf(pattern, init);
    return at < 0 ? undefined : results(at + 1, at + pattern.length);
  }
  const isAnchored = pattern.charCodeAt(0) === 94;
  const start = isAnchored ? 1 : 0;
  const matcher = new Matcher(m, source, pattern);
  for (let s = init; ; s++) {
    const end = matcher.match(s, start);
    if (end >= 0) {
      const captured = matcher.captures(s, end, !isFind);
      return isFind ? results(s + 1, end, ...captured) : results(...captured);
    }
    if (s >= source.length || isAnchored) return undefined;
  }
}
