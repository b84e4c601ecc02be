/**
 * A scratch text: INFO-like lines are put together here before they become one reply. There is one
 * text at a time; it is valid until the next `textBegin`.
 */
import { reallocUrgent } from './alloc';
import { ll2string } from './numbers/integers';

/** The bytes so far. */
export let textPtr: usize = 0;
export let textLen: u32 = 0;
/** A piece found no memory; the text is incomplete. */
export let textFailed: bool = false;
let cap: u32 = 0;

/** Starts an empty text. */
export function textBegin(): void {
  textLen = 0;
  textFailed = false;
}

function room(need: u32): bool {
  if (textLen + need <= cap) return true;
  const want = max(cap * 2, textLen + need + 256);
  const moved = want < need ? <usize>0 : reallocUrgent(textPtr, want);
  if (moved == 0) {
    textFailed = true;
    return false;
  }
  textPtr = moved;
  cap = want;
  return true;
}

/** Adds an ASCII literal. */
export function textAdd(text: string): void {
  const n = <u32>text.length;
  if (!room(n)) return;
  const from = changetype<usize>(text);
  for (let i: u32 = 0; i < n; i++) {
    store<u8>(textPtr + textLen + i, load<u8>(from + (<usize>i << 1)));
  }
  textLen += n;
}

export function textAddBytes(ptr: usize, len: u32): void {
  if (!room(len)) return;
  memory.copy(textPtr + textLen, ptr, len);
  textLen += len;
}

export function textAddByte(c: u32): void {
  if (!room(1)) return;
  store<u8>(textPtr + textLen, <u8>c);
  textLen++;
}

export function textAddInt(n: i64): void {
  if (!room(24)) return;
  textLen += ll2string(n, textPtr + textLen);
}
