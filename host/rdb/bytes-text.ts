// Bytes of a file as text for people and JSON, without losing any.

import type { BytesText } from './analysis-types.js';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const CONTROL = /\p{Cc}/u;

const hex = (byte: number) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** Bytes at `at` that are one character of UTF-8; 0: none. */
function characterAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length === 0 || first > 0xf4 || at + length > bytes.length) return 0;
  try {
    return CONTROL.test(strict.decode(bytes.subarray(at, at + length))) ? 0 : length;
  } catch {
    return 0;
  }
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** UTF-8 with `\xNN` for what is none; then the bytes in base64, too. */
export function bytesText(bytes: Uint8Array): BytesText {
  try {
    const text = strict.decode(bytes);
    if (!CONTROL.test(text)) return { text };
  } catch {}
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterAt(bytes, at);
    text += length === 0 ? hex(bytes[at]!) : strict.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return { text, base64: base64(bytes) };
}
