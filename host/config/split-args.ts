// How Redis cuts a configuration line into arguments, and how it writes one back. Works on bytes:
// `\xHH` stands for a byte, so text is encoded before and decoded after as UTF-8.
// Redis: a quoted part may begin in the middle of a word (`foo"bar"` is foobar), but a closing
// quote must be followed by a blank or the end.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d]);
const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Where a quoted part ended; -1 when it never did, or ran into the next word. */
function readDouble(line: Uint8Array, start: number, word: number[]): number {
  let i = start;
  while (i < line.length) {
    const byte = line[i]!;
    if (byte === DOUBLE) return closes(line, i + 1);
    if (byte !== BACKSLASH || i + 1 >= line.length) {
      word.push(byte);
      i++;
      continue;
    }
    const next = line[i + 1]!;
    const high = hexDigit(line[i + 2]);
    const low = hexDigit(line[i + 3]);
    if (next === 0x78 && high >= 0 && low >= 0) {
      word.push(high * 16 + low);
      i += 4;
    } else {
      word.push(ESCAPES[String.fromCharCode(next)] ?? next);
      i += 2;
    }
  }
  return -1;
}

function readSingle(line: Uint8Array, start: number, word: number[]): number {
  let i = start;
  while (i < line.length) {
    const byte = line[i]!;
    if (byte === SINGLE) return closes(line, i + 1);
    if (byte === BACKSLASH && line[i + 1] === SINGLE) i++;
    word.push(line[i]!);
    i++;
  }
  return -1;
}

function closes(line: Uint8Array, next: number): number {
  return next >= line.length || BLANKS.has(line[next]!) ? next : -1;
}

/** The words of a line, or undefined when its quotes do not match. */
export function splitArgs(text: string): string[] | undefined {
  const line = encoder.encode(text);
  const words: string[] = [];
  let i = 0;
  for (;;) {
    while (i < line.length && BLANKS.has(line[i]!)) i++;
    if (i >= line.length) return words;
    const word: number[] = [];
    while (i < line.length && !BLANKS.has(line[i]!) && line[i] !== 0) {
      const byte = line[i]!;
      if (byte === DOUBLE || byte === SINGLE) {
        const read = byte === DOUBLE ? readDouble : readSingle;
        i = read(line, i + 1, word);
        if (i < 0) return undefined;
        break;
      }
      word.push(byte);
      i++;
    }
    if (line[i] === 0) i = line.length;
    words.push(decoder.decode(Uint8Array.from(word)));
  }
}

const NAMED: Readonly<Record<number, string>> = {
  [BACKSLASH]: '\\\\',
  [DOUBLE]: '\\"',
  10: '\\n',
  13: '\\r',
  9: '\\t',
  7: '\\a',
  8: '\\b',
};

/** One argument in double quotes, such that splitArgs gives it back. */
export function quoteArg(text: string): string {
  let out = '"';
  for (const byte of encoder.encode(text)) {
    const named = NAMED[byte];
    if (named !== undefined) out += named;
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${out}"`;
}
