/**
 * Commands in the protocol's form, "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n", for everything that exports
 * them. Two ways:
 *
 *   at once       commandBegin with the number of arguments, then each argument
 *   in batches    arguments are gathered (batchString …) until there are enough of them or the
 *                 value is over; only then the command is written. So a value that turns out to be
 *                 damaged, or a file that ends early, never leaves half a command behind.
 *
 * What is longer than OUT_LONG is not gathered: it lies in memory as a whole when it is told, so
 * the caller writes a command of its own for it. Where it has to be one of several arguments the
 * batch remembers where it lies, if these are few.
 */
import { alloc, realloc } from '../base/alloc';
import { writeLiteral } from '../base/literal';
import { formatShortest } from '../base/numbers/format';
import { ll2string, ull2string } from '../base/numbers/integers';
import { bytesCopy } from '../encoding/blob';
import { OUT_LONG, outBytes, outCommit, outFail, outReserve } from './out';

/** Room for the head of an argument and the line ends: '$', a number, twice CR LF. */
const HEAD_MAX: usize = 28;
const CRLF: u16 = 0x0a0d;

/** Writes "<mark><n>\r\n" at `at`; the place behind it. */
function putHead(at: usize, mark: u32, n: usize): usize {
  store<u8>(at, <u8>mark);
  if (n < 10) {
    store<u8>(at, <u8>(0x30 + n), 1);
    store<u16>(at, CRLF, 2);
    return at + 4;
  }
  at += 1 + ull2string(n, at + 1);
  store<u16>(at, CRLF);
  return at + 2;
}

/** Writes an argument at `at`; the place behind it. */
function putString(at: usize, ptr: usize, len: usize): usize {
  at = putHead(at, 0x24, len);
  bytesCopy(at, ptr, <u32>len);
  at += len;
  store<u16>(at, CRLF);
  return at + 2;
}

const number = memory.data(64);

function putInt(at: usize, value: i64): usize {
  return putString(at, number, ll2string(value, number));
}

function putScore(at: usize, score: f64): usize {
  return putString(at, number, formatShortest(score, number));
}

/** Writes "ms-seq" into `number`; its length. */
function idText(ms: u64, seq: u64): usize {
  let len: usize = ull2string(ms, number);
  store<u8>(number + len, 0x2d);
  len++;
  return len + ull2string(seq, number + len);
}

// ---- at once

/** A command of `count` arguments, the name among them. */
export function commandBegin(count: usize, name: string): void {
  const at = outReserve(2 * HEAD_MAX + <usize>name.length);
  if (at == 0) return;
  let to = putHead(at, 0x2a, count);
  to = putHead(to, 0x24, <usize>name.length);
  to += writeLiteral(to, name);
  store<u16>(to, CRLF);
  outCommit(to + 2 - at);
}

/** Bytes that are valid until the host has taken the output: those of the current record. */
export function argument(ptr: usize, len: usize): void {
  if (len > OUT_LONG) {
    longArgument(ptr, len);
    return;
  }
  const at = outReserve(len + HEAD_MAX);
  if (at != 0) outCommit(putString(at, ptr, len) - at);
}

function longArgument(ptr: usize, len: usize): void {
  argumentHead(len);
  outBytes(ptr, len);
  argumentEnd();
}

/** An argument in parts: its length first; then its bytes (outBytes), and `argumentEnd`. */
export function argumentHead(len: usize): void {
  const at = outReserve(HEAD_MAX);
  if (at != 0) outCommit(putHead(at, 0x24, len) - at);
}

export function argumentEnd(): void {
  const at = outReserve(2);
  if (at == 0) return;
  store<u16>(at, CRLF);
  outCommit(2);
}

export function argumentWord(word: string): void {
  const at = outReserve(HEAD_MAX + <usize>word.length);
  if (at == 0) return;
  let to = putHead(at, 0x24, <usize>word.length);
  to += writeLiteral(to, word);
  store<u16>(to, CRLF);
  outCommit(to + 2 - at);
}

export function argumentInt(value: i64): void {
  argument(number, ll2string(value, number));
}
export function argumentId(ms: u64, seq: u64): void {
  argument(number, idText(ms, seq));
}
export function argumentScore(score: f64): void {
  argument(number, formatShortest(score, number));
}

// ---- in batches

/** A batch of so many bytes is written, however few items it has. */
const BATCH_BYTES: usize = 1 << 16;
let buffer: usize = 0;
let bufferCap: usize = 0;
export let batchLen: usize = 0;
/** Arguments gathered, and items as `batchItem` counts them. */
export let batchArguments: u32 = 0;
let items: u32 = 0;
let itemsMax: u32 = 64;

/** Long arguments: u32 place in the batch, address, length. */
const longs = memory.data(120, 4);
const LONGS_MAX: u32 = 10;
let longCount: u32 = 0;

/** Starts without anything gathered; false when memory is short. */
export function batchBegin(most: u32): bool {
  itemsMax = most;
  batchDrop();
  if (buffer == 0) {
    bufferCap = 4 * BATCH_BYTES;
    buffer = alloc(bufferCap);
  }
  return buffer != 0;
}

export function batchDrop(): void {
  batchLen = 0;
  batchArguments = 0;
  items = 0;
  longCount = 0;
}

/** Room for `n` more bytes; the end of the batch, 0 without memory. */
function batchRoom(n: usize): usize {
  if (batchLen + n > bufferCap) {
    const want = max(bufferCap * 2, batchLen + n);
    const moved = realloc(buffer, want);
    if (moved == 0) {
      outFail();
      return 0;
    }
    buffer = moved;
    bufferCap = want;
  }
  return buffer + batchLen;
}

/** Long strings have to stay where they are until the batch is written and the output settled. */
export function batchString(ptr: usize, len: usize): void {
  const isLong = len > OUT_LONG && longCount < LONGS_MAX;
  const at = batchRoom(HEAD_MAX + (isLong ? 0 : len));
  if (at == 0) return;
  batchLen += (isLong ? putLong(at, ptr, len) : putString(at, ptr, len)) - at;
  batchArguments++;
}

/** All of an argument but its bytes. */
function putLong(at: usize, ptr: usize, len: usize): usize {
  const behind = putHead(at, 0x24, len);
  const long = longs + <usize>longCount * 12;
  store<u32>(long, <u32>(behind - buffer));
  store<u32>(long, <u32>ptr, 4);
  store<u32>(long, <u32>len, 8);
  longCount++;
  store<u16>(behind, CRLF);
  return behind + 2;
}
export function batchScore(score: f64): void {
  const at = batchRoom(64);
  if (at == 0) return;
  batchLen += putScore(at, score) - at;
  batchArguments++;
}
export function batchInt(value: i64): void {
  const at = batchRoom(64);
  if (at == 0) return;
  batchLen += putInt(at, value) - at;
  batchArguments++;
}
export function batchId(ms: u64, seq: u64): void {
  const len = idText(ms, seq);
  const at = batchRoom(64);
  if (at == 0) return;
  batchLen += putString(at, number, len) - at;
  batchArguments++;
}

/** An item is complete: true when the batch should be written. */
export function batchItem(): bool {
  items++;
  return items >= itemsMax || batchLen >= BATCH_BYTES;
}

/** Ends the command that has been begun (its name and key) with what was gathered. */
export function batchWrite(): void {
  let from: usize = 0;
  for (let i: u32 = 0; i < longCount; i++) {
    const long = longs + <usize>i * 12;
    const to: usize = load<u32>(long);
    outBytesNow(buffer + from, to - from);
    outBytes(load<u32>(long, 4), load<u32>(long, 8));
    from = to;
  }
  outBytesNow(buffer + from, batchLen - from);
  batchDrop();
}

/** Bytes that will not be there later. */
function outBytesNow(ptr: usize, len: usize): void {
  const at = outReserve(len);
  if (at == 0) return;
  memory.copy(at, ptr, len);
  outCommit(len);
}
