// Strings of bytes (one character each) from bytes, and back.

/** Up to this many characters one by one is fastest. */
const SHORT = 8;
const SHORT_WRITE = 24;
const latin1 = new TextDecoder('latin1');
/** windows-1252 is what "latin1" means to a TextDecoder: these 32 come out as something else. */
const HIGH = /[^\0-\x7f\xa0-\xff]/;
const PIECE = 4096;

/** What Node's Buffer does for any Uint8Array, twice as fast as what browsers have. */
interface Latin1 {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  latin1Write(this: Uint8Array, text: string, at: number, length: number): number;
}
const native = (globalThis as { Buffer?: { prototype: Latin1 } }).Buffer?.prototype;
const slice = native?.latin1Slice;
const write = native?.latin1Write;

export function bytesToText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  if (to - from <= SHORT) return shortText(bytes, from, to);
  if (slice !== undefined) return slice.call(bytes, from, to);
  const text = latin1.decode(bytes.subarray(from, to));
  return HIGH.test(text) ? exactText(bytes, from, to) : text;
}

/** One call with all characters makes one flat string. */
function shortText(bytes: Uint8Array, from: number, to: number): string {
  const a = bytes[from] as number;
  const b = bytes[from + 1] as number;
  const c = bytes[from + 2] as number;
  const d = bytes[from + 3] as number;
  switch (to - from) {
    case 0:
      return '';
    case 1:
      return String.fromCharCode(a);
    case 2:
      return String.fromCharCode(a, b);
    case 3:
      return String.fromCharCode(a, b, c);
    case 4:
      return String.fromCharCode(a, b, c, d);
    default:
      return longerText(bytes, from, to);
  }
}

function longerText(bytes: Uint8Array, from: number, to: number): string {
  const a = bytes[from] as number;
  const b = bytes[from + 1] as number;
  const c = bytes[from + 2] as number;
  const d = bytes[from + 3] as number;
  const e = bytes[from + 4] as number;
  const f = bytes[from + 5] as number;
  const g = bytes[from + 6] as number;
  switch (to - from) {
    case 5:
      return String.fromCharCode(a, b, c, d, e);
    case 6:
      return String.fromCharCode(a, b, c, d, e, f);
    case 7:
      return String.fromCharCode(a, b, c, d, e, f, g);
    default:
      return String.fromCharCode(a, b, c, d, e, f, g, bytes[from + 7] as number);
  }
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
  if (n > SHORT_WRITE && write !== undefined) return at + write.call(to, text, at, n);
  for (let i = 0; i < n; i++) to[at + i] = text.charCodeAt(i);
  return at + n;
}

const utf8 = new TextEncoder();

/** Any text as the string of its UTF-8 bytes. */
export function utf8Text(text: string): string {
  return bytesToText(utf8.encode(text));
}
