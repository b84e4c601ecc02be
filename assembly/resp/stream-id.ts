/**
 * Stream ids as arguments and in replies.
 *
 * Redis: an id is "ms-seq" or "ms"; both parts are read by string2ull, with its leniencies, and an
 * argument ends at its first NUL byte. "-" and "+" are the least and the greatest id where ranges
 * are meant; "(" before an id excludes it.
 */
import { bytesFind } from '../base/bytes';
import { string2ull, ull2string, ullValue } from '../base/numbers/integers';
import { argLen, argPtr } from './args';
import { replyBulk, replyError } from './reply';

/** The id last read, and whether its sequence was a number (and not the "*" of "ms-*"). */
export let idMs: u64 = 0;
export let idSeq: u64 = 0;
export let idHasSeq: bool = true;

const TEXT_MAX: u32 = 127;
const DASH: u32 = 0x2d;
const PLUS: u32 = 0x2b;
export const STAR: u32 = 0x2a;
const PAREN: u32 = 0x28;
/** Room that the text of an id needs. */
export const ID_TEXT_MAX: usize = 48;
const text = memory.data(48);

/**
 * Reads an id from `len` bytes; a missing sequence is `missingSeq`. `strict`: "-" and "+" are no
 * ids. `star`: "ms-*" is one (`idHasSeq` is then false). No reply.
 */
export function idParse(ptr: usize, len: u32, missingSeq: u64, strict: bool, star: bool): bool {
  if (len > TEXT_MAX) return false;
  const end = bytesFind(ptr, len, 0);
  idHasSeq = true;
  if (end - ptr == 1 && (load<u8>(ptr) == DASH || load<u8>(ptr) == PLUS)) {
    if (strict) return false;
    idMs = load<u8>(ptr) == DASH ? 0 : u64.MAX_VALUE;
    idSeq = idMs;
    return true;
  }
  const dash = bytesFind(ptr, end - ptr, DASH);
  if (!string2ull(ptr, dash - ptr)) return false;
  const ms = ullValue;
  let seq = missingSeq;
  if (dash < end) {
    if (star && end - dash == 2 && load<u8>(dash, 1) == STAR) {
      seq = 0;
      idHasSeq = false;
    } else {
      if (!string2ull(dash + 1, end - dash - 1)) return false;
      seq = ullValue;
    }
  }
  idMs = ms;
  idSeq = seq;
  return true;
}

function replyInvalid(): void {
  replyError('ERR Invalid stream ID specified as stream command argument');
}

/** Argument `index` as an id ("-" and "+" too), or Redis' error. */
export function argIdOrReply(index: u32, missingSeq: u64): bool {
  if (idParse(argPtr(index), argLen(index), missingSeq, false, false)) return true;
  replyInvalid();
  return false;
}

/** The same without "-" and "+". */
export function argStrictIdOrReply(index: u32, missingSeq: u64): bool {
  if (idParse(argPtr(index), argLen(index), missingSeq, true, false)) return true;
  replyInvalid();
  return false;
}

/** The id of a new entry: also "ms-*", whose sequence is still to be found (`idHasSeq`). */
export function argNewIdOrReply(index: u32): bool {
  if (idParse(argPtr(index), argLen(index), 0, true, true)) return true;
  replyInvalid();
  return false;
}

/** Whether argument `index` is this one character. */
export function argIsChar(index: u32, char: u32): bool {
  return argLen(index) == 1 && load<u8>(argPtr(index)) == char;
}

/** Argument `index` as the start of a range, inclusive; "(id" begins behind id. */
export function argStartIdOrReply(index: u32): bool {
  if (!isExclusive(index)) return argIdOrReply(index, 0);
  if (!exclusiveOrReply(index, 0)) return false;
  if (++idSeq != 0) return true;
  if (++idMs != 0) return true;
  replyError('ERR invalid start ID for the interval');
  return false;
}

/** Argument `index` as the end of a range, inclusive; "(id" ends before id. */
export function argEndIdOrReply(index: u32): bool {
  if (!isExclusive(index)) return argIdOrReply(index, u64.MAX_VALUE);
  if (!exclusiveOrReply(index, u64.MAX_VALUE)) return false;
  if (idSeq-- != 0) return true;
  if (idMs-- != 0) return true;
  replyError('ERR invalid end ID for the interval');
  return false;
}

function isExclusive(index: u32): bool {
  return argLen(index) > 1 && load<u8>(argPtr(index)) == PAREN;
}

function exclusiveOrReply(index: u32, missingSeq: u64): bool {
  if (idParse(argPtr(index) + 1, argLen(index) - 1, missingSeq, true, false)) return true;
  replyInvalid();
  return false;
}

/** Writes "ms-seq" at `to` (room for 41 bytes); its length. */
export function idFormat(ms: u64, seq: u64, to: usize): u32 {
  let n = ull2string(ms, to);
  store<u8>(to + n, <u8>DASH);
  n++;
  return n + ull2string(seq, to + n);
}

/** An id as a bulk string. */
export function replyId(ms: u64, seq: u64): void {
  replyBulk(text, idFormat(ms, seq, text));
}
