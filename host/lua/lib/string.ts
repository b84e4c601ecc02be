// Lua 5.1's string library.

import type { Machine } from '../vm/machine.js';
import { typeName } from '../vm/names.js';
import { numberToText } from '../vm/number.js';
import { index, isCallable } from '../vm/operations.js';
import { LuaTable, type LuaValue, NativeFunction, Results } from '../vm/value.js';
import { type Arguments, type Body, library } from './arguments.js';
import { format } from './format.js';
import { find, Matcher } from './pattern.js';
import { byPieces, PIECE } from './pieces.js';

/** A position, from the end when below 0, as posrelat. */
function relative(at: number, length: number): number {
  const from = at < 0 ? at + length + 1 : at;
  return from >= 0 ? from : 0;
}

function sub(a: Arguments): string {
  const text = a.text(1);
  const from = Math.max(1, relative(a.integer(2), text.length));
  const to = Math.min(text.length, relative(a.optInteger(3, -1), text.length));
  return from <= to ? text.slice(from - 1, to) : '';
}

function byte(a: Arguments): Results | LuaValue {
  const text = a.text(1);
  const first = relative(a.optInteger(2, 1), text.length);
  const from = Math.max(1, first);
  const to = Math.min(text.length, relative(a.optInteger(3, first), text.length));
  if (from === to) return text.charCodeAt(from - 1);
  if (to - from >= 7990) throw a.machine.error('stack overflow (string slice too long)');
  const out: LuaValue[] = [];
  for (let i = from; i <= to; i++) out.push(text.charCodeAt(i - 1));
  return new Results(out);
}

function char(a: Arguments): string {
  let out = '';
  for (let i = 1; i <= a.count; i++) {
    const code = a.int(i);
    if (code < 0 || code > 255) a.fail(i, 'invalid value');
    out += String.fromCharCode(code);
  }
  return out;
}

function rep(a: Arguments): string {
  const text = a.text(1);
  const count = a.int(2);
  if (count <= 0 || text === '') return '';
  a.machine.made(text.length * count);
  return text.repeat(count);
}

function findOrMatch(a: Arguments, isFind: boolean): LuaValue | Results {
  const source = a.text(1);
  const pattern = a.text(2);
  let init = relative(a.optInteger(3, 1), source.length) - 1;
  if (init < 0) init = 0;
  else if (init > source.length) init = source.length;
  const plain = a.get(4);
  const isPlain = isFind && plain !== undefined && plain !== false;
  return find(a.machine, source, pattern, init, isPlain, isFind);
}

function gmatch(a: Arguments): LuaValue {
  const { machine } = a;
  const source = a.text(1);
  const pattern = a.text(2);
  let at = 0;
  return new NativeFunction(() => {
    const matcher = new Matcher(machine, source, pattern);
    for (; at <= source.length; at++) {
      const end = matcher.match(at, 0);
      if (end < 0) continue;
      const from = at;
      at = end === from ? end + 1 : end;
      return new Results(matcher.captures(from, end, true));
    }
    return undefined;
  });
}

/** What a match is replaced by; undefined: it stays. */
type Replace = (matcher: Matcher, from: number, end: number) => LuaValue;

function replaceByText(a: Arguments, template: string): Replace {
  if (!template.includes('%')) return () => template;
  return (matcher, from, end) => {
    let out = '';
    for (let i = 0; i < template.length; i++) {
      const c = template[i] as string;
      if (c !== '%') {
        const next = template.indexOf('%', i);
        out += next < 0 ? template.slice(i) : template.slice(i, next);
        if (next < 0) break;
        i = next - 1;
        continue;
      }
      const next = template[++i] ?? '\0';
      if (next < '0' || next > '9') out += next;
      else if (next === '0') out += matcher.source.slice(from, end);
      else {
        const value = matcher.capture(next.charCodeAt(0) - 49, from, end);
        out += typeof value === 'number' ? numberToText(value) : String(value);
      }
      a.machine.made(0, out.length);
    }
    return out;
  };
}

function replacer(a: Arguments): Replace {
  const { machine } = a;
  const by = a.get(3);
  if (typeof by === 'string' || typeof by === 'number') return replaceByText(a, a.text(3));
  if (isCallable(by)) {
    return (matcher, from, end) => machine.callWith(by, matcher.captures(from, end, true))[0];
  }
  if (by instanceof LuaTable) {
    return (matcher, from, end) => index(machine, by, matcher.capture(0, from, end), -1, false);
  }
  return a.fail(3, 'string/function/table expected');
}

function gsub(a: Arguments): Results {
  const { machine } = a;
  const source = a.text(1);
  const pattern = a.text(2);
  const replace = replacer(a);
  const most = a.optInt(4, source.length + 1);
  const isAnchored = pattern.charCodeAt(0) === 94;
  const matcher = new Matcher(machine, source, pattern);
  let out = '';
  let count = 0;
  let at = 0;
  // What stays as it is, from here on.
  let kept = 0;
  while (count < most) {
    const end = matcher.match(at, isAnchored ? 1 : 0);
    if (end >= 0) {
      count++;
      const piece = replaced(machine, replace(matcher, at, end), source.slice(at, end));
      out += source.slice(kept, at) + piece;
      kept = end;
      machine.made(piece.length, out.length);
    }
    if (end > at) at = end;
    else if (at < source.length) at++;
    else break;
    if (isAnchored) break;
  }
  out += source.slice(kept);
  machine.made(source.length, out.length);
  return new Results([out, count]);
}

function replaced(m: Machine, value: LuaValue, whole: string): string {
  if (value === undefined || value === false) return whole;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberToText(value);
  throw m.error(`invalid replacement value (a ${typeName(value)})`);
}

/** Letters of ASCII only: JavaScript changes others too. */
function upper(a: Arguments): string {
  return byPieces(a.machine, a.text(1), (piece) =>
    piece.replace(/[a-z]+/g, (s) => s.toUpperCase()),
  );
}

function lower(a: Arguments): string {
  return byPieces(a.machine, a.text(1), (piece) =>
    piece.replace(/[A-Z]+/g, (s) => s.toLowerCase()),
  );
}

function reverse(a: Arguments): string {
  const text = a.text(1);
  let out = '';
  for (let end = text.length; end > 0; end -= PIECE) {
    const piece = text.slice(Math.max(0, end - PIECE), end);
    out += piece.split('').reverse().join('');
    a.machine.made(piece.length, out.length);
  }
  return out;
}

const STRING: Readonly<Record<string, Body>> = {
  byte,
  char,
  dump: (a) => {
    a.function(1);
    throw a.machine.error('unable to dump given function');
  },
  find: (a) => findOrMatch(a, true),
  format,
  gfind: gmatch,
  gmatch,
  gsub,
  len: (a) => a.text(1).length,
  lower,
  match: (a) => findOrMatch(a, false),
  rep,
  reverse,
  sub,
  upper,
};

export function addString(m: Machine): void {
  const table = library(m, 'string', STRING);
  const meta = new LuaTable();
  meta.setText('__index', table);
  m.stringMeta = meta;
}
