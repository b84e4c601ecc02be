/**
 * Arguments as numbers. Each function reads one argument strictly, as Redis does (no space, no
 * plus sign, no leading zero for integers), leaves the value in a global and returns true; or it
 * answers with Redis' error and returns false, and the command is over.
 */
import { extParse } from '../base/numbers/extended';
import { string2d, doubleValue } from '../base/numbers/double';
import { llValue, string2ll } from '../base/numbers/integers';
import { argLen, argPtr } from './args';
import { replyMustBePositive, replyNotFloat, replyNotInteger } from './errors';
import { errorBegin, errorEnd, errorInt, errorText, replyError } from './reply';

/** Value of the last integer argument read. */
export let argInt: i64 = 0;
/** Value of the last floating-point argument read. */
export let argDouble: f64 = 0;

/** Whether argument `index` is an integer, left in `argInt`; no reply either way. */
// @ts-ignore: decorator
@inline export function argIsI64(index: u32): bool {
  if (!string2ll(argPtr(index), argLen(index))) return false;
  argInt = llValue;
  return true;
}

/** An integer, or "value is not an integer or out of range". */
export function argI64OrReply(index: u32): bool {
  if (argIsI64(index)) return true;
  replyNotInteger();
  return false;
}

/** An integer, or the given error (with its code) instead of the usual one. */
export function argI64OrReplyText(index: u32, text: string): bool {
  if (argIsI64(index)) return true;
  replyError(text);
  return false;
}

/** An integer of [least, most], or the usual error for no integer, Redis' range error otherwise. */
export function argRangeOrReply(index: u32, least: i64, most: i64): bool {
  if (!argI64OrReply(index)) return false;
  if (argInt >= least && argInt <= most) return true;
  errorBegin('ERR value is out of range, value must between ');
  errorInt(least);
  errorText(' and ');
  errorInt(most);
  errorEnd();
  return false;
}

/** An integer of [least, most], or the given error for whatever is wrong with it. */
export function argRangeOrReplyText(index: u32, least: i64, most: i64, text: string): bool {
  if (argIsI64(index) && argInt >= least && argInt <= most) return true;
  replyError(text);
  return false;
}

/** An integer of at least 0; Redis: one error text for both faults. */
export function argPositiveOrReply(index: u32): bool {
  if (argIsI64(index) && argInt >= 0) return true;
  replyMustBePositive();
  return false;
}

/** A double (infinities allowed, NaN not), or "value is not a valid float". */
export function argF64OrReply(index: u32): bool {
  return argF64OrReplyText(index, 'ERR value is not a valid float');
}

/** A double, or the given error. */
export function argF64OrReplyText(index: u32, text: string): bool {
  if (string2d(argPtr(index), argLen(index))) {
    argDouble = doubleValue;
    return true;
  }
  replyError(text);
  return false;
}

/** A long double into the record at `out` (EXT_BYTES), or "value is not a valid float". */
export function argExtendedOrReply(index: u32, out: usize): bool {
  if (extParse(argPtr(index), argLen(index), out)) return true;
  replyNotFloat();
  return false;
}
