/**
 * What the driver says of the value it walks through: one event at a time, in these globals. They
 * are valid until the next event.
 */

// ---- shapes of values
export const SHAPE_STRING: u32 = 0;
export const SHAPE_LIST: u32 = 1;
export const SHAPE_SET: u32 = 2;
export const SHAPE_ZSET: u32 = 3;
export const SHAPE_HASH: u32 = 4;
export const SHAPE_STREAM: u32 = 5;
/** Module data and arrays, whose insides are not ours to tell. */
export const SHAPE_OTHER: u32 = 6;

/** Element, member, field; stream entry's field; name of a group, consumer or producer. */
export let evPtr: usize = 0;
/** Bytes; the bytes themselves are missing (evPtr 0) where only lengths were asked for. */
export let evLen: usize = 0;
/** Value of a field. */
export let evValuePtr: usize = 0;
export let evValueLen: usize = 0;
/** The string stands as a number in the file (ints take no text in memory). */
export let evIsInt: bool = false;
export let evScore: f64 = 0;
/** Absolute ms, -1 = the field does not expire. */
export let evExpireMs: i64 = -1;
/** Stream entry: identity, and whether it was deleted. */
export let evMs: u64 = 0;
export let evSeq: u64 = 0;
export let evDeleted: bool = false;

export function eventString(ptr: usize, len: usize, isInt: bool): void {
  evPtr = ptr;
  evLen = len;
  evIsInt = isInt;
}

export function eventValue(ptr: usize, len: usize): void {
  evValuePtr = ptr;
  evValueLen = len;
}

export function eventScore(score: f64): void {
  evScore = score;
}

export function eventExpire(ms: i64): void {
  evExpireMs = ms;
}

export function eventEntry(ms: u64, seq: u64, deleted: bool): void {
  evMs = ms;
  evSeq = seq;
  evDeleted = deleted;
}
