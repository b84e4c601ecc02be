// Large strings go through JavaScript's own functions in pieces: those have limits, and take time.

import type { Machine } from '../vm/machine.js';

export const PIECE = 1 << 14;

export function byPieces(m: Machine, text: string, change: (piece: string) => string): string {
  if (text.length <= PIECE) return change(text);
  let out = '';
  for (let at = 0; at < text.length; at += PIECE) {
    const piece = change(text.slice(at, at + PIECE));
    out += piece;
    m.made(piece.length, out.length);
  }
  return out;
}
