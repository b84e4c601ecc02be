/**
 * The pieces of an RDB file, written to the current part: lengths, strings, scores, ziplists.
 *
 * A string is written again in the form it had; what comes out of a container gets an integer's
 * form where it has one, as Redis would write it. Containers are compressed again if they were, or
 * always, or never, as is asked.
 */
import { alloc, free } from '../base/alloc';
import { llValue, string2ll } from '../base/numbers/integers';
import { formatG17 } from '../base/numbers/format';
import { lzfCompress } from '../encoding/lzf';
import { Slot } from '../rdb/input';
import { FORM_INT, FORM_LZF } from '../rdb/opcodes';
import {
  INT_FORM_MAX, INT_STRING_MAX, LENGTH_MAX, LZF_MIN, LZF_SAVES, hasIntForm, writeIntForm,
  writeLength, writeLength32,
} from '../rdb/write';
import { putBytes, putDone, putRoom } from './convert-parts';

/** Beside FORM_*: not known, an integer's form where it has one. */
export const FORM_ANY: u32 = 3;
/** As FORM_ANY, out of a container that was compressed. */
export const FORM_ANY_LZF: u32 = 4;

/** What is compressed: what was, everything that gets smaller, nothing. */
export const PACK_AS_SOURCE: u32 = 0;
export const PACK_ALL: u32 = 1;
export const PACK_NONE: u32 = 2;
/** Longer strings are not compressed again: that takes their size in memory. */
const PACK_MAX: usize = 16 << 20;

let packing: u32 = PACK_AS_SOURCE;

export function putPacking(how: u32): void {
  packing = how;
}

export function putByte(b: u32): void {
  const at = putRoom(1);
  if (at == 0) return;
  store<u8>(at, <u8>b);
  putDone(1);
}

/** Little-endian; also a double's bits. */
export function putU64(n: u64): void {
  const at = putRoom(8);
  if (at == 0) return;
  store<u64>(at, n);
  putDone(8);
}

export function putLength(n: u64): void {
  const at = putRoom(LENGTH_MAX);
  if (at != 0) putDone(writeLength(at, n));
}

/** Five bytes for a length that is set later. */
export function putLengthLater(): void {
  const at = putRoom(5);
  if (at == 0) return;
  writeLength32(at, 0);
  putDone(5);
}

/** A string of the file in the form it had. */
export function putSlot(s: Slot): void {
  putString(s.ptr, s.len, s.form);
}

/** `form`: how the string stood in the source (FORM_*, FORM_ANY). */
export function putString(ptr: usize, len: usize, form: u32): void {
  const isInt = form == FORM_INT || form >= FORM_ANY || packing == PACK_ALL;
  if (isInt && len <= INT_STRING_MAX && string2ll(ptr, len) && hasIntForm(llValue)) {
    const at = putRoom(INT_FORM_MAX);
    if (at != 0) putDone(writeIntForm(at, <i32>llValue));
    return;
  }
  const wasPacked = form == FORM_LZF || form == FORM_ANY_LZF;
  const packs = packing == PACK_ALL || (packing == PACK_AS_SOURCE && wasPacked);
  if (packs && len > LZF_MIN && len <= PACK_MAX && putPacked(ptr, len)) return;
  putLength(len);
  putBytes(ptr, len);
}

/** A compressed string; false: it does not get smaller, nothing was written. */
function putPacked(ptr: usize, len: usize): bool {
  const most = <u32>len - LZF_SAVES;
  const scratch = alloc(most);
  if (scratch == 0) return false;
  const size = lzfCompress(ptr, <u32>len, scratch, most);
  if (size != 0) {
    putByte(0xc3);
    putLength(size);
    putLength(len);
    const at = putRoom(size);
    if (at != 0) {
      memory.copy(at, scratch, size);
      putDone(size);
    }
  }
  free(scratch);
  return size != 0;
}

const scoreText = memory.data(40);

/** A score as types before RDB 8 have it: text behind its length, three values without. */
export function putOldScore(score: f64): void {
  if (score != score) putByte(253);
  else if (score == Infinity) putByte(254);
  else if (score == -Infinity) putByte(255);
  else {
    const n = formatG17(score, scoreText);
    putByte(n);
    putBytes(scoreText, n);
  }
}
