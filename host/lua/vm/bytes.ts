// Strings of bytes (one character each) from bytes, and back.

/** Up to this many characters one by one is fastest. */
const SHORT = 24;
const latin1 = new TextDecoder('latin1');
/** windows-1252 is what "latin1" means to a TextDecoder: these 32 come out as something else. */
const HIGH = /[^\0-\x7f\xa0-\xff]/;
const PIECE = 4096;

export function bytesToText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  const n = to - from;
  if (n <= SHORT) {
    let out = '';
    for (let i = from; i < to; i++) out += String.fromCharCode(bytes[i] as number);
    return out;
  }
  const text = latin1.decode(bytes.subarray(from, to));
  return HIGH.test(text) ? exactText(bytes, from, to) : text;
}

function exactText(bytes: Uint8Array, from: number, to: number): string {
  let out = '';
  for (let i = from; i < to; i += PIECE) {
    const piece = bytes.subarray(i, Math.min(i + PIECE, to));
    out += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return out;
}

export function textToBytes(text: string): Uint8Array {
  const out = new Uint8Array(text.length);
  writeText(out, 0, text);
  return out;
}

/** Writes a string's bytes; gives the place behind them. */
export function writeText(to: Uint8Array, at: number, text: string): number {
  const n = text.length;
  for (let i = 0; i < n; i++) to[at + i] = text.charCodeAt(i);
  return at + n;
}

const utf8 = new TextEncoder();

/** Any text as the string of its UTF-8 bytes. */
export function utf8Text(text: string): string {
  return bytesToText(utf8.encode(text));
}
