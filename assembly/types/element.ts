/**
 * The element looked at: where lookups, iterators and scans of the types leave what they found.
 *
 * One set of globals for all types, as text: integers of compact encodings are printed into static
 * scratch. Contents are valid until the next call into types/ or encoding/ that reads an element,
 * or until the value changes. Two scratches, so that field and value may both be integers.
 */
import { lpGetTextTo, lpValLen } from '../encoding/listpack-entry';
import { ll2string } from '../base/numbers/integers';

/** The element, the field of a hash, the member of a sorted set. */
export let elPtr: usize = 0;
export let elLen: u32 = 0;
/** The value of a hash's field. */
export let valPtr: usize = 0;
export let valLen: u32 = 0;
/** The score of a sorted set's member. */
export let elScore: f64 = 0;
/** The expiry of a hash's field in unix ms; -1 = none. */
export let elExpire: i64 = -1;

const elScratch = memory.data(32);
const valScratch = memory.data(32);

// @ts-ignore: decorator
@inline export function elSet(ptr: usize, len: u32): void {
  elPtr = ptr;
  elLen = len;
}

// @ts-ignore: decorator
@inline export function valSet(ptr: usize, len: u32): void {
  valPtr = ptr;
  valLen = len;
}

/** The element is an integer. */
export function elSetInt(value: i64): void {
  elPtr = elScratch;
  elLen = ll2string(value, elScratch);
}

/** Whether the element is a printed integer, which the next element read overwrites. */
// @ts-ignore: decorator
@inline export function elIsPrinted(): bool {
  return elPtr == elScratch;
}

/** The element is this listpack entry. */
export function elSetEntry(p: usize): void {
  elPtr = lpGetTextTo(p, elScratch);
  elLen = lpValLen;
}

/** The value is this listpack entry. */
export function valSetEntry(p: usize): void {
  valPtr = lpGetTextTo(p, valScratch);
  valLen = lpValLen;
}

// @ts-ignore: decorator
@inline export function elSetScore(score: f64): void {
  elScore = score;
}

// @ts-ignore: decorator
@inline export function elSetExpire(ms: i64): void {
  elExpire = ms;
}

/** What adding answers: there was no memory and nothing has changed, */
export const ADD_OOM: i32 = -1;
/** the element was there already (and may have got a new value), */
export const ADD_OLD: i32 = 0;
/** the element is new, */
export const ADD_NEW: i32 = 1;
/** or: it was there and its score has changed. */
export const ADD_UPDATED: i32 = 2;
/** A compact blob cannot become a value: an element occurs twice, or a score is no number. */
export const BLOB_BAD: i32 = 0;
/** The blob is the value's now. */
export const BLOB_TAKEN: i32 = 1;
