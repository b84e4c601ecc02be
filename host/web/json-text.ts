// JSON with a line for each value. Only blanks are changed: numbers, repeated fields and escapes
// stay as they were written.

/** What is indented further would be mostly blanks. */
const DEPTH_MAX = 100;
const GROWTH_MAX = 16;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

const strict = new TextDecoder('utf-8', { fatal: true });
const LINES = Array.from({ length: DEPTH_MAX + 1 }, (_, depth) => `\n${'  '.repeat(depth)}`);

const isBlank = (code: number) => code <= 0x20;
/** Brackets and braces: [ ] { }, with bit 5 set. */
const isOpening = (code: number) => (code | 0x20) === 0x7b;
const isClosing = (code: number) => (code | 0x20) === 0x7d;

function stringEnd(text: string, from: number): number {
  let at = from + 1;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    at += code === BACKSLASH ? 2 : 1;
  }
  return at + 1;
}

function blanksEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Valid JSON, indented; undefined: it is too deep to be read that way. */
function indented(text: string): string | undefined {
  const lengthMax = GROWTH_MAX * text.length + 4096;
  let out = '';
  let depth = 0;
  // `out` has what is before it
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    const next = at + 1;
    if (code === QUOTE) {
      at = stringEnd(text, at);
      continue;
    }
    if (isOpening(code)) {
      const inside = blanksEnd(text, next);
      if (isClosing(text.charCodeAt(inside))) {
        out += text.slice(from, next) + text[inside];
        at = from = inside + 1;
        continue;
      }
      if (++depth > DEPTH_MAX || out.length > lengthMax) return undefined;
      out += text.slice(from, next) + LINES[depth];
    } else if (isClosing(code)) {
      out += text.slice(from, at) + LINES[--depth];
      from = at;
      at = next;
      continue;
    } else if (code === COMMA) out += text.slice(from, next) + LINES[depth];
    else if (code === COLON) out += `${text.slice(from, next)} `;
    else if (isBlank(code)) out += text.slice(from, at);
    else {
      at = next;
      continue;
    }
    at = from = blanksEnd(text, next);
    if (out.length > lengthMax) return undefined;
  }
  return out + text.slice(from);
}

/** An object or an array as indented JSON; undefined: the bytes are neither. */
export function jsonText(data: Uint8Array): string | undefined {
  const first = data[0];
  if (first !== 0x7b && first !== 0x5b) return undefined;
  try {
    const text = strict.decode(data);
    JSON.parse(text);
    return indented(text);
  } catch {
    return undefined;
  }
}
