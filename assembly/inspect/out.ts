/**
 * The output of an inspection: text or records, made in one buffer that the host empties.
 *
 * Every event writes what it has to say; when the buffer holds OUT_HIGH bytes the driver stops and
 * the host takes them (outPtr, outLen) before it goes on. A long string is not copied into the
 * buffer at once: `outLong` notes where it stands, and it is written slice by slice, so memory
 * never holds a value and its output. What the same event writes behind a long string waits in a
 * side buffer; both are worked off before the next event (`outSettle`).
 *
 * While it is not known yet whether a key is wanted at all (a filter by size), its output is held
 * back (outHold).
 *
 *   queue of what waits: (kind u32, from u32, to u32)*   kind OUT_SIDE: offsets in the side buffer
 */
import { alloc, realloc } from '../base/alloc';
import { writeLiteral } from '../base/literal';
import { ll2string } from '../base/numbers/integers';
import { ESCAPE_MAX, ESCAPE_NONE, ESCAPE_SLACK, escape, escapeCut } from './escape';

/** The host should take the output from this many bytes on. */
export const OUT_HIGH: usize = 1 << 20;
/** Strings up to here are written at once. */
export const OUT_LONG: usize = 1 << 16;
const SLICE: usize = 1 << 15;
const QUEUE_MAX: u32 = 32;
/** The kind of a piece of the side buffer; other kinds are ESCAPE_* of escape.ts. */
const OUT_SIDE: u32 = 255;

/** Bytes waiting for the host. */
export let outPtr: usize = 0;
export let outLen: usize = 0;
/** A piece found no memory: the output has a hole and the inspection must end. */
export let outFailed: bool = false;
let cap: usize = 0;
/** From how many bytes on the output is full. */
let high: usize = OUT_HIGH;
/** Where what is held back begins; valid while `isHeld`. */
let heldAt: usize = 0;
let isHeld: bool = false;

let side: usize = 0;
let sideLen: usize = 0;
let sideCap: usize = 0;
let queueLen: u32 = 0;
const queue = memory.data(384, 8);

/** The host has to take the output before there is more. */
// @ts-ignore: decorator
@inline export function outIsFull(): bool {
  return outLen >= high;
}

/** What comes from here on is not for the host until outRelease; outDrop takes it back. */
export function outHold(): void {
  isHeld = true;
  heldAt = outLen;
  high = usize.MAX_VALUE;
}

export function outRelease(): void {
  isHeld = false;
  high = OUT_HIGH;
}

export function outDrop(): void {
  if (isHeld) {
    outLen = heldAt;
    queueLen = 0;
    sideLen = 0;
  }
  outRelease();
}

/** So much is held back that it ought to be decided. */
export function outHoldsMuch(): bool {
  return isHeld && outLen - heldAt >= OUT_HIGH;
}

/** Starts an empty output. False when memory is short. */
export function outBegin(): bool {
  outLen = 0;
  outFailed = false;
  sideLen = 0;
  queueLen = 0;
  outRelease();
  if (outPtr == 0) {
    cap = OUT_HIGH + 8 * OUT_LONG;
    outPtr = alloc(cap);
  }
  return outPtr != 0;
}

/** Something found no memory outside: the output is not to be trusted. */
export function outFail(): void {
  outFailed = true;
}

/** Pieces wait to be written by `outSettle`: what they point at has to stay. */
export function outWaiting(): bool {
  return queueLen != 0;
}

/** The host has taken everything. */
export function outTaken(): void {
  outLen = 0;
}

/**
 * Room for `n` bytes; their address, 0 without memory. `outCommit` says how many were used. May
 * grow memory.
 */
// @ts-ignore: decorator
@inline export function outReserve(n: usize): usize {
  return queueLen == 0 && outLen + n <= cap ? outPtr + outLen : reserveSlow(n);
}

function reserveSlow(n: usize): usize {
  if (queueLen != 0) return sideReserve(n);
  const want = max(cap * 2, outLen + n);
  const moved: usize = want < cap ? <usize>0 : realloc(outPtr, want);
  if (moved == 0) {
    outFailed = true;
    return 0;
  }
  outPtr = moved;
  cap = want;
  return outPtr + outLen;
}

function sideReserve(n: usize): usize {
  if (sideLen + n > sideCap) {
    const want = max(sideCap * 2, sideLen + n + 1024);
    const moved = realloc(side, want);
    if (moved == 0) {
      outFailed = true;
      return 0;
    }
    side = moved;
    sideCap = want;
  }
  return side + sideLen;
}

// @ts-ignore: decorator
@inline export function outCommit(n: usize): void {
  if (queueLen == 0) outLen += n;
  else sideCommit(n);
}

function sideCommit(n: usize): void {
  const last = queue + <usize>(queueLen - 1) * 12;
  if (load<u32>(last) == OUT_SIDE) {
    store<u32>(last, <u32>(sideLen + n), 8);
  } else {
    push(OUT_SIDE, <u32>sideLen, <u32>(sideLen + n));
  }
  sideLen += n;
}

function push(kind: u32, from: u32, to: u32): void {
  if (queueLen == QUEUE_MAX) {
    outFailed = true;
    return;
  }
  const at = queue + <usize>queueLen * 12;
  store<u32>(at, kind);
  store<u32>(at, from, 4);
  store<u32>(at, to, 8);
  queueLen++;
}

export function outByte(c: u32): void {
  const at = outReserve(1);
  if (at == 0) return;
  store<u8>(at, <u8>c);
  outCommit(1);
}

/** An ASCII literal. */
export function outLiteral(text: string): void {
  const at = outReserve(<usize>text.length);
  if (at == 0) return;
  writeLiteral(at, text);
  outCommit(<usize>text.length);
}

export function outInt(value: i64): void {
  const at = outReserve(24);
  if (at != 0) outCommit(ll2string(value, at));
}

/** Bytes of a string of the file, escaped as `how` (ESCAPE_*) says; long ones wait for slices. */
export function outString(how: u32, ptr: usize, len: usize): void {
  if (len > OUT_LONG) {
    push(how, <u32>ptr, <u32>(ptr + len));
    return;
  }
  const at = outReserve(len * ESCAPE_MAX + ESCAPE_SLACK);
  if (at != 0) outCommit(escape(how, ptr, len, at));
}

/** Bytes of the file as they are; long ones wait for slices, so they have to stay till then. */
export function outBytes(ptr: usize, len: usize): void {
  if (len > OUT_LONG) {
    push(ESCAPE_NONE, <u32>ptr, <u32>(ptr + len));
    return;
  }
  const at = outReserve(len);
  if (at == 0) return;
  memory.copy(at, ptr, len);
  outCommit(len);
}

/** Works off what waits, up to OUT_HIGH; true when nothing waits any more. */
export function outSettle(): bool {
  if (queueLen == 0) return true;
  const count = queueLen;
  queueLen = 0;
  let done: u32 = 0;
  while (done < count && !outIsFull()) {
    const at = queue + <usize>done * 12;
    if (settleOne(at)) done++;
  }
  queueLen = count - done;
  memory.copy(queue, queue + <usize>done * 12, <usize>queueLen * 12);
  if (queueLen == 0) sideLen = 0;
  return queueLen == 0;
}

/** One slice of the piece at `at`; true when it was the last. */
function settleOne(at: usize): bool {
  const kind = load<u32>(at);
  const from: usize = load<u32>(at, 4);
  const to: usize = load<u32>(at, 8);
  let n = min(to - from, SLICE);
  if (kind == OUT_SIDE) {
    const room = outReserve(n);
    if (room == 0) return true;
    memory.copy(room, side + from, n);
    outCommit(n);
  } else {
    if (n < to - from) n = escapeCut(kind, from, n);
    const room = outReserve(n * ESCAPE_MAX + ESCAPE_SLACK);
    if (room == 0) return true;
    outCommit(escape(kind, from, n, room));
  }
  store<u32>(at, <u32>(from + n), 4);
  return from + n == to;
}
