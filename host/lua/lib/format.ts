// string.format, as C's printf does it.

import { formatE, formatF, formatG, notFinite } from '../vm/number.js';
import type { Arguments } from './arguments.js';
import { byPieces } from './pieces.js';

interface Spec {
  isLeft: boolean;
  plus: string;
  isAlternate: boolean;
  isZero: boolean;
  width: number;
  /** -1: none was given. */
  precision: number;
}

const FLAGS = '-+ #0';

/** Reads what is between % and the letter, and checks it as lstrlib.c does. */
function readSpec(a: Arguments, format: string, from: number): [Spec, number] {
  let at = from;
  while (at < format.length && FLAGS.includes(format[at] as string)) at++;
  const flags = format.slice(from, at);
  if (flags.length >= 6) throw a.machine.error('invalid format (repeated flags)');
  const [width, afterWidth] = readDigits(format, at);
  at = afterWidth;
  let precision = -1;
  if (format[at] === '.') {
    const [digits, after] = readDigits(format, at + 1);
    precision = Number(digits || 0);
    at = after;
  }
  if (/\d/.test(format[at] ?? '')) {
    throw a.machine.error('invalid format (width or precision too long)');
  }
  const spec = {
    isLeft: flags.includes('-'),
    plus: flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '',
    isAlternate: flags.includes('#'),
    isZero: flags.includes('0'),
    width: Number(width || 0),
    precision,
  };
  return [spec, at];
}

function readDigits(format: string, from: number): [string, number] {
  let at = from;
  while (at < from + 2 && /\d/.test(format[at] ?? '')) at++;
  return [format.slice(from, at), at];
}

function padded(spec: Spec, sign: string, body: string, mayZero: boolean): string {
  const room = spec.width - sign.length - body.length;
  if (room <= 0) return sign + body;
  if (spec.isLeft) return sign + body + ' '.repeat(room);
  if (spec.isZero && mayZero) return sign + '0'.repeat(room) + body;
  return ' '.repeat(room) + sign + body;
}

function signed(a: Arguments, i: number, spec: Spec): string {
  const value = BigInt(a.integer(i));
  const sign = value < 0n ? '-' : spec.plus;
  return integerText(spec, sign, (value < 0n ? -value : value).toString());
}

function integerText(spec: Spec, sign: string, digits: string): string {
  let body = digits;
  if (spec.precision >= 0) {
    body = spec.precision === 0 && digits === '0' ? '' : digits.padStart(spec.precision, '0');
  }
  return padded(spec, sign, body, spec.precision < 0);
}

/** C's cast to unsigned long, as x86 does it. */
function unsignedWhole(a: Arguments, i: number, number: number): bigint {
  if (number >= 2 ** 64) return 0n;
  return BigInt.asUintN(64, BigInt(number >= 2 ** 63 ? Math.trunc(number) : a.integer(i)));
}

function unsigned(a: Arguments, i: number, spec: Spec, letter: string): string {
  const number = a.number(i);
  const whole = unsignedWhole(a, i, number);
  const base = letter === 'o' ? 8 : letter === 'u' ? 10 : 16;
  let digits = whole.toString(base);
  let prefix = '';
  if (spec.isAlternate && whole !== 0n) {
    if (base === 16) prefix = letter === 'X' ? '0X' : '0x';
    else if (base === 8) digits = `0${digits}`;
  }
  if (letter === 'X') digits = digits.toUpperCase();
  return integerText(spec, prefix, digits);
}

function floating(n: number, spec: Spec, letter: string): string {
  const special = notFinite(n);
  const isUpper = letter !== letter.toLowerCase();
  let text: string;
  if (special !== undefined) text = special;
  else {
    const precision = spec.precision < 0 ? 6 : spec.precision;
    const kind = letter.toLowerCase();
    if (kind === 'e') text = formatE(n, precision);
    else if (kind === 'f') text = formatF(n, precision);
    else text = formatG(n, precision, spec.isAlternate);
    if (kind === 'e' && Object.is(n, -0)) text = `-${text}`;
    if (spec.isAlternate && precision === 0 && kind === 'f') text += '.';
    if (spec.isAlternate && precision === 0 && kind === 'e') text = text.replace('e', '.e');
  }
  if (isUpper) text = text.toUpperCase();
  const isNegative = text.startsWith('-');
  const sign = isNegative ? '-' : spec.plus;
  return padded(spec, sign, isNegative ? text.slice(1) : text, special === undefined);
}

function escapeOf(c: string): string {
  if (c === '\r') return '\\r';
  return c === '\0' ? '\\000' : `\\${c}`;
}

function quoted(a: Arguments, text: string): string {
  const escaped = byPieces(a.machine, text, (s) => s.replace(/["\\\n\r\0]/g, escapeOf));
  return `"${escaped}"`;
}

function textOf(a: Arguments, i: number, spec: Spec): string {
  const text = a.text(i);
  if (spec.precision < 0 && text.length >= 100) return text;
  // C's strings end at a null byte.
  const end = text.indexOf('\0');
  const shown = end < 0 ? text : text.slice(0, end);
  const cut = spec.precision < 0 ? shown : shown.slice(0, spec.precision);
  return padded(spec, '', cut, false);
}

/** Redis: a null character ends what is shown. */
function character(spec: Spec, code: number): string {
  const text = padded(spec, '', String.fromCharCode(code), false);
  return code === 0 ? text.slice(0, text.indexOf('\0')) : text;
}

function one(a: Arguments, i: number, spec: Spec, letter: string): string {
  switch (letter) {
    case 'c':
      return character(spec, a.int(i) & 255);
    case 'd':
    case 'i':
      return signed(a, i, spec);
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      return unsigned(a, i, spec, letter);
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return floating(a.number(i), spec, letter);
    case 'q':
      return quoted(a, a.text(i));
    case 's':
      return textOf(a, i, spec);
    default:
      throw a.machine.error(`invalid option '%${letter}' to 'format'`);
  }
}

export function format(a: Arguments): string {
  const text = a.text(1);
  let out = '';
  let argument = 1;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('%', at);
    if (next < 0) return out + text.slice(at);
    out += text.slice(at, next);
    at = next + 1;
    if (text[at] === '%') {
      out += '%';
      at++;
      continue;
    }
    const [spec, letterAt] = readSpec(a, text, at);
    argument++;
    const letter = text[letterAt] ?? '';
    if (!a.has(argument) && 'cdiouxXeEfgGqs'.includes(letter) && letter !== '') {
      a.fail(argument, 'no value');
    }
    const piece = one(a, argument, spec, letter);
    out += piece;
    a.machine.made(piece.length, out.length);
    at = letterAt + 1;
  }
  return out;
}
