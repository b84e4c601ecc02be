/**
 * What an export could not say: how often, by reason, and the first keys it happened to. The host
 * reads it when the run is over (host/rdb/left-out.ts).
 *
 *   example   +0 u8 reason, +1 u8 0, +2 u16 bytes of the name, +4 u32 db, +8 name   padded to 4
 */
import { RdbReader } from '../rdb/input';

// ---- reasons
/** Module data, which has no commands. */
export const LEFT_MODULE: u32 = 1;
/** A value of a type without commands that are known, or that the target does not have. */
export const LEFT_TYPE: u32 = 2;
/** A key without elements, which no server keeps. */
export const LEFT_EMPTY: u32 = 3;
/** Expired when it was exported. */
export const LEFT_EXPIRED: u32 = 4;
/** Field expiry, which the target does not have: the fields are there, and stay. */
export const LEFT_FIELD_EXPIRY: u32 = 5;
/** Idempotent producers, pending entries without a consumer, metadata of modules. */
export const LEFT_DETAIL: u32 = 6;
/** A score that is not a number. */
export const LEFT_NAN: u32 = 7;
/** Function libraries: the target has none, or they are of a release candidate. */
export const LEFT_FUNCTION: u32 = 8;
/** Too large to be held: written as commands, though payloads were asked for. */
export const LEFT_AS_COMMANDS: u32 = 9;

const REASONS: usize = 16;
const EXAMPLES_MAX: u32 = 100;
const NAME_MAX: usize = 200;
const counts = memory.data(128, 8);
const examples = memory.data(20800, 8);
let exampleCount: u32 = 0;
let used: usize = 0;
/** What the last example was about: a key is named once. */
let lastKey: u64 = u64.MAX_VALUE;
let lastReason: u32 = 0;

export function leftOutBegin(): void {
  memory.fill(counts, 0, REASONS << 3);
  exampleCount = 0;
  used = 0;
  lastReason = 0;
}

/** Something of the file itself. */
export function leftOutOfFile(reason: u32): void {
  const at = counts + (<usize>reason << 3);
  store<u64>(at, load<u64>(at) + 1);
}

/** Something of the current key. */
export function leftOut(r: RdbReader, reason: u32): void {
  leftOutOfFile(reason);
  if (exampleCount == EXAMPLES_MAX || reason == LEFT_EXPIRED) return;
  if (lastReason == reason && lastKey == r.keyOffset) return;
  lastReason = reason;
  lastKey = r.keyOffset;
  exampleCount++;
  const len = min(r.key.len, NAME_MAX);
  const at = examples + used;
  store<u16>(at, <u16>reason);
  store<u16>(at, <u16>len, 2);
  store<u32>(at, r.db, 4);
  memory.copy(at + 8, r.key.ptr, len);
  used += (8 + len + 3) & ~3;
}

export function leftOutCount(reason: u32): f64 {
  return <f64>load<u64>(counts + (<usize>reason << 3));
}
export function leftOutExamples(): usize {
  return examples;
}
export function leftOutExamplesLength(): usize {
  return used;
}
