/**
 * Where rewritten files go: one part for each file in the making, all in one pass.
 *
 * A part is a buffer, a checksum and a few counts. What is written goes to the current part; a full
 * buffer becomes a frame of the inspection's output, and the host sorts frames into files:
 *
 *   frame   u32 kind, u32 part, u32 bytes, then so many bytes
 *     FRAME_DATA     bytes of the part's file
 *     FRAME_OPEN     u32: what the part stands for (a database, a type, a number)
 *     FRAME_CLOSE    u64 bytes, u64 keys
 *     FRAME_LOSS     see convert-loss.ts
 *
 * While the part is *held* nothing leaves it: what was written since `partMark` can be taken back,
 * or a number in it be set right. Held bytes are at most those of one value.
 *
 * Long strings go from where they stand to the output, past the buffer, slice by slice (out.ts).
 */
import { alloc, free, realloc } from '../base/alloc';
import { crc64 } from '../base/crc64';
import { ESCAPE_NONE } from './escape';
import { OUT_LONG, outCommit, outFail, outReserve, outString, outWaiting } from './out';

export const FRAME_DATA: u32 = 1;
export const FRAME_OPEN: u32 = 2;
export const FRAME_CLOSE: u32 = 3;
export const FRAME_LOSS: u32 = 4;

/** The most files at once, and the bytes their buffers take together (one file: its buffer). */
export const PARTS_MAX: u32 = 1024;
const BUFFERS: usize = 4 << 20;
const BUFFER_MAX: usize = 256 << 10;
const BUFFER_MIN: usize = 4096;
/** A buffer that one value made larger than this leaves as it is, uncopied. */
const LARGE: usize = 1 << 20;
export const NO_DB: u32 = 0xffffffff;

@unmanaged
export class Part {
  buf: usize;
  len: usize;
  cap: usize;
  /** Of all bytes that left the buffer. */
  crc: u64;
  bytes: u64;
  keys: u64;
  /** Database of the keys written last, NO_DB before the first. */
  db: u32;
  index: u32;
  /** What it stands for, see FRAME_OPEN. */
  label: u32;
  /** No file: bytes that are kept for files to come. */
  isScratch: bool;
}

/** The current part; its buffer is kept here while it is current. */
export let part: Part = changetype<Part>(0);
let buf: usize = 0;
let len: usize = 0;
let cap: usize = 0;

let list: usize = 0;
export let partsCount: u32 = 0;
let bufferBytes: usize = BUFFER_MAX;
let isHeld: bool = false;
/** Nothing may wait: everything is copied into the output at once. */
let isRushed: bool = false;
/** A large buffer that waits to be written out. */
let detached: usize = 0;

/** Forgets all parts; at most `count` will be opened. False: no memory. */
export function partsBegin(count: u32): bool {
  partsEnd();
  bufferBytes = max(BUFFER_MIN, min(BUFFER_MAX, BUFFERS / max(count, 1)));
  list = alloc(<usize>PARTS_MAX << alignof<usize>());
  return list != 0;
}

/** Gives back everything. */
export function partsEnd(): void {
  partLeave();
  for (let i: u32 = 0; i < partsCount; i++) {
    const p = partAt(i);
    free(p.buf);
    free(changetype<usize>(p));
  }
  free(list);
  free(detached);
  isRushed = false;
  list = 0;
  detached = 0;
  partsCount = 0;
  isHeld = false;
  part = changetype<Part>(0);
  buf = 0;
  len = 0;
  cap = 0;
}

export function partAt(index: u32): Part {
  return changetype<Part>(load<usize>(list + (<usize>index << alignof<usize>())));
}

/** The part with that label, or null. */
export function partFind(label: u32): Part | null {
  for (let i: u32 = 0; i < partsCount; i++) {
    if (partAt(i).label == label) return partAt(i);
  }
  return null;
}

/** Bytes for files to come; 0 without memory. Freed by `partScratchFree`. */
export function partScratch(): usize {
  const block = alloc(offsetof<Part>());
  if (block == 0) return 0;
  memory.fill(block, 0, offsetof<Part>());
  changetype<Part>(block).isScratch = true;
  return block;
}

/** Not while it is current. 0 is allowed. */
export function partScratchFree(block: usize): void {
  if (block == 0) return;
  free(changetype<Part>(block).buf);
  free(block);
}

/** Appends what a scratch part holds to the current one. */
export function putScratch(block: usize): void {
  const from = changetype<Part>(block);
  if (from.len != 0) putBytes(from.buf, from.len);
}

/** From now on the output has to be whole after every call (it is the end). */
export function partsRush(): void {
  isRushed = true;
}

/** A new part, not yet current; null: too many, or no memory (then the output has failed). */
export function partOpen(label: u32): Part | null {
  const block: usize = partsCount == PARTS_MAX ? <usize>0 : alloc(offsetof<Part>());
  const room: usize = block == 0 ? <usize>0 : alloc(bufferBytes);
  if (room == 0) {
    free(block);
    outFail();
    return null;
  }
  memory.fill(block, 0, offsetof<Part>());
  const p = changetype<Part>(block);
  p.buf = room;
  p.cap = bufferBytes;
  p.db = NO_DB;
  p.index = partsCount;
  p.label = label;
  store<usize>(list + (<usize>partsCount << alignof<usize>()), block);
  partsCount++;
  const at = frame(FRAME_OPEN, p.index, 4);
  if (at != 0) {
    store<u32>(at, label);
    outCommit(4);
  }
  return p;
}

function partLeave(): void {
  if (changetype<usize>(part) == 0) return;
  part.buf = buf;
  part.len = len;
  part.cap = cap;
}

/** What is written from now on goes to `to`. */
export function partUse(to: Part): void {
  if (to == part) return;
  partLeave();
  part = to;
  isHeld = to.isScratch;
  buf = to.buf;
  len = to.len;
  cap = to.cap;
}

/** Bytes of the current part's file so far. */
export function partBytes(): u64 {
  return part.bytes + len;
}

/** The part is whole. */
export function partClose(): void {
  partFlush();
  const at = frame(FRAME_CLOSE, part.index, 16);
  if (at == 0) return;
  store<u64>(at, part.bytes);
  store<u64>(at, part.keys, 8);
  outCommit(16);
}

// ---- writing

/** Room for `n` bytes, 0 without memory; `putDone` says how many were used. May grow memory. */
// @ts-ignore: decorator
@inline
export function putRoom(n: usize): usize {
  return len + n <= cap ? buf + len : roomSlow(n);
}

// @ts-ignore: decorator
@inline
export function putDone(n: usize): void {
  len += n;
}

function roomSlow(n: usize): usize {
  if (!isHeld) {
    partFlush();
    if (n <= cap) return buf;
  }
  const want = <u64>len + n;
  const roomy = max<u64>(want, min<u64>(<u64>cap * 2, <u64>cap + (64 << 20)));
  let moved: usize = roomy > 0xf0000000 ? <usize>0 : realloc(buf, <usize>roomy);
  let got = <usize>roomy;
  if (moved == 0 && want <= 0xf0000000) {
    got = <usize>want;
    moved = realloc(buf, got);
  }
  if (moved == 0) {
    outFail();
    return 0;
  }
  buf = moved;
  cap = got;
  return buf + len;
}

export function putBytes(ptr: usize, n: usize): void {
  if (n > OUT_LONG && !isHeld && !isRushed) {
    putLong(ptr, n);
    return;
  }
  const at = putRoom(n);
  if (at == 0) return;
  memory.copy(at, ptr, n);
  len += n;
}

/** The bytes stay where they are until the output is settled. */
function putLong(ptr: usize, n: usize): void {
  partFlush();
  part.crc = crc64(part.crc, ptr, n);
  part.bytes += n;
  if (frame(FRAME_DATA, part.index, n) != 0) outString(ESCAPE_NONE, ptr, n);
}

/** The head of a frame, written; room for its `n` bytes is there unless they are many. 0: none. */
export function frame(kind: u32, index: u32, n: usize): usize {
  const at = outReserve(12 + (n > OUT_LONG ? <usize>0 : n));
  if (at == 0) return 0;
  store<u32>(at, kind);
  store<u32>(at, index, 4);
  store<u32>(at, <u32>n, 8);
  outCommit(12);
  return at + 12;
}

/** Everything written leaves the buffer. Not while the part is held. */
export function partFlush(): void {
  if (len == 0) return;
  part.crc = crc64(part.crc, buf, len);
  part.bytes += len;
  if (detached != 0 && !outWaiting()) {
    free(detached);
    detached = 0;
  }
  const leaves = len > LARGE && detached == 0 && !isRushed;
  const room: usize = leaves ? alloc(bufferBytes) : <usize>0;
  if (room != 0) {
    if (frame(FRAME_DATA, part.index, len) != 0) outString(ESCAPE_NONE, buf, len);
    detached = buf;
    buf = room;
    cap = bufferBytes;
  } else {
    const at = outReserve(12 + len);
    if (at != 0) {
      store<u32>(at, FRAME_DATA);
      store<u32>(at, part.index, 4);
      store<u32>(at, <u32>len, 8);
      memory.copy(at + 12, buf, len);
      outCommit(12 + len);
    }
  }
  len = 0;
}

// ---- holding

/** Where the next byte of the current part goes; good while the part is held. */
export function partMark(): usize {
  return len;
}

/** Nothing leaves the current part until `partRelease`. */
export function partHold(): void {
  isHeld = true;
}

export function partIsHeld(): bool {
  return isHeld;
}

export function partRelease(): void {
  isHeld = false;
  if (len > bufferBytes) partFlush();
}

/** Forgets what was written since the mark. */
export function partTakeBack(mark: usize): void {
  len = mark;
}

/** The address of what was written at `mark`; good until the next writing. */
export function partPlace(mark: usize): usize {
  return buf + mark;
}
