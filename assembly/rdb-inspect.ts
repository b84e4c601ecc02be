/**
 * The ABI of rdb.wasm: the RDB reader and what can be told of a file, without a keyspace. Small and
 * neutral: pages and workers load it. 64-bit values cross as f64 (offsets, times) or through
 * memory.
 */
import { alloc, allocInit, allocSetGrowStep, free, usedMemory } from './base/alloc';
import {
  inspectClose, inspectFeed, inspectFinish, inspectOpen, inspectStep, reader,
} from './inspect/driver';
import { failureCode, failureOffset, failureText } from './inspect/failure';
import {
  filterAskHost, filterBytesMin, filterDb, filterExpiry, filterLimit, filterNoExpiry,
  filterPattern, filterReset, filterShapes, filterSlots,
} from './inspect/filter';
import { digestMissing, digestSame } from './inspect/digest';
import { seenTo } from './inspect/convert-seen';
import { digestTo } from './inspect/digest-table';
import { setMode } from './inspect/mode';
import { optionsReset, setOptionNumber, setOptionText } from './inspect/options';
import { outLen, outPtr, outTaken } from './inspect/out';
import { tallyBytes, tallyDamaged, tallyKeys } from './inspect/tally';

// ---- life and memory

/** A dump with one value of 512 MB must not make memory grow by an eighth of that behind it. */
const GROW_STEP: u32 = 64;

export function init(): void {
  allocInit();
  allocSetGrowStep(GROW_STEP);
}
export function hostAlloc(size: usize): usize {
  return alloc(size);
}
export function hostFree(ptr: usize): void {
  free(ptr);
}
export function memoryUsed(): usize {
  return usedMemory;
}

// ---- one inspection at a time

/** `mode`: MODE_* of inspect/mode.ts; `flags`: see inspect/driver.ts. False: no memory. */
export function open(mode: u32, flags: u32): bool {
  setMode(mode);
  return inspectOpen(flags);
}
/** The bytes must stay until `step` answers 0. */
export function feed(ptr: usize, len: usize): void {
  inspectFeed(ptr, len);
}
/** -1 error, 0 more bytes, 1 end, 2 take the output and call again. */
export function step(): i32 {
  return inspectStep();
}
export function finish(): i32 {
  return inspectFinish();
}
export function close(): void {
  inspectClose();
}
export function output(): usize {
  return outPtr;
}
export function outputLength(): usize {
  return outLen;
}
export function outputTaken(): void {
  outTaken();
}

// ---- what is asked of a mode, between inspections

export { optionsReset, setOptionNumber, setOptionText };

/** Keys read so far, and values that were damaged and left out. */
export function keysRead(): f64 {
  return <f64>tallyKeys;
}
export function damagedValues(): f64 {
  return <f64>tallyDamaged;
}

/** Bytes of the RDB once its end was reached, else 0. */
export function rdbBytes(): f64 {
  return <f64>tallyBytes;
}
// ---- what a mode could not say

export {
  leftOutCount, leftOutExamples, leftOutExamplesLength,
} from './inspect/left-out';

/** MODE_DIGEST: keys of the first file that the second has not; keys that are the same in both. */
export function missingKeys(): f64 {
  return <f64>digestMissing();
}
export function sameKeys(): f64 {
  return <f64>digestSame;
}
/** The part (of 1024) this pass did not come to any more. */
export function comparedTo(): u32 {
  return digestTo;
}

/** MODE_CONVERT: the part (of 1024) up to which keys were known apart; the others need a pass. */
export function convertedTo(): u32 {
  return seenTo;
}

// ---- what went wrong, and where

export function errorCode(): i32 {
  return failureCode(reader);
}
export function errorOffset(): f64 {
  return <f64>failureOffset(reader);
}
export function errorArgument(): f64 {
  return <f64>reader.errArg;
}
/** Writes the reason at `to` (80 bytes of room); its length. */
export function errorText(to: usize): usize {
  return failureText(reader, to);
}
/** The key the reader stands at: whether there is one, its name, its database. */
export function inKey(): bool {
  return reader.inValue;
}
export function keyPtr(): usize {
  return reader.key.ptr;
}
export function keyLen(): usize {
  return reader.key.len;
}
export function keyDb(): u32 {
  return reader.db;
}
export function fileVersion(): u32 {
  return reader.version;
}
export function fileIsValkey(): bool {
  return reader.isValkey;
}

// ---- filters, between inspections

export {
  filterAskHost, filterDb, filterNoExpiry, filterPattern, filterReset, filterShapes, filterSlots,
};
export function filterExpires(fromMs: f64, toMs: f64): void {
  filterExpiry(<i64>fromMs, <i64>toMs);
}
export function filterMinBytes(bytes: f64): void {
  filterBytesMin(<u64>bytes);
}
export function filterKeysMax(keys: f64): void {
  filterLimit(<i64>keys);
}
