// The way back: the text that exports write, as the bytes that stood in the file.

import { oneOf } from './check-options.js';

/** How a string was written: see `JsonEscape`, `CsvOptions`, `KeysOptions`. */
export type TextEscape = 'utf8' | 'latin1' | 'base64' | 'repr';

const escapeCheck = oneOf(['utf8', 'latin1', 'base64', 'repr'] satisfies TextEscape[]);

const BACKSLASH = 0x5c;
/** What a letter behind a backslash stands for in `repr`; any other is itself. */
const LETTERS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, a: 7, b: 8 };

/**
 * The bytes of a string of an export (of JSON: after JSON.parse; of CSV: the cell; `repr`: with or
 * without its quotes).
 */
export function unescapeText(text: string, how: TextEscape = 'utf8'): Uint8Array {
  escapeCheck(how, 'escape');
  switch (how) {
    case 'utf8':
      return unescaped(text, (bytes, at) => hexAt(bytes, at, 0x41));
    case 'repr':
      return unescaped(/^".*"$/s.test(text) ? text.slice(1, -1) : text, (bytes, at) => {
        const letter = bytes[at] ?? BACKSLASH;
        return hexAt(bytes, at, 0x61) ?? [LETTERS[String.fromCharCode(letter)] ?? letter, 1];
      });
    case 'latin1':
      return byteEach(text);
    case 'base64':
      return byteEach(atob(text));
  }
}

function byteEach(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

type Read = readonly [byte: number, length: number] | undefined;

/** The text in UTF-8; `read` says what is meant by the bytes behind a backslash, if anything. */
function unescaped(text: string, read: (bytes: Uint8Array, at: number) => Read): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let to = bytes.indexOf(BACKSLASH);
  if (to < 0) return bytes;
  for (let at = to; at < bytes.length; ) {
    const byte = bytes[at++]!;
    const meant = byte === BACKSLASH ? read(bytes, at) : undefined;
    bytes[to++] = meant === undefined ? byte : meant[0];
    at += meant === undefined ? 0 : meant[1];
  }
  return bytes.slice(0, to);
}

/** "xHH" whose letters are those from `a` on. */
function hexAt(bytes: Uint8Array, at: number, a: number): Read {
  if (bytes[at] !== 0x78) return undefined;
  const digit = (code = 0): number => {
    if (code >= 0x30 && code <= 0x39) return code - 0x30;
    return code >= a && code < a + 6 ? code - a + 10 : Number.NaN;
  };
  const value = digit(bytes[at + 1]) * 16 + digit(bytes[at + 2]);
  return Number.isNaN(value) ? undefined : [value, 3];
}
