/**
 * Timeouts of blocking commands, as arguments. Each function reads one argument, leaves the timeout
 * in `timeoutMs` (0 = wait for ever) and returns true; or it answers with Redis' error.
 *
 * Redis: texts of 7.2, which sees what is too large; 7.0 called it negative or overflowed.
 */
import { extParse, extToDouble } from '../base/numbers/extended';
import { nowMs } from '../keyspace/state';
import { argIsI64, argInt } from '../resp/arg-values';
import { argLen, argPtr } from '../resp/args';
import { replyError } from '../resp/reply';

/** The last timeout read, in ms; 0 = none. */
export let timeoutMs: i64 = 0;

const seconds = memory.data(16, 8);
/** 2^63: the first double that is no i64. */
const TOO_LARGE: f64 = 9223372036854775808.0;

function take(ms: i64): bool {
  if (ms < 0) {
    replyError('ERR timeout is negative');
    return false;
  }
  if (ms > i64.MAX_VALUE - nowMs) {
    replyError('ERR timeout is out of range');
    return false;
  }
  timeoutMs = ms;
  return true;
}

/** Seconds with a fraction, rounded up to the next millisecond. */
export function timeoutSecondsOrReply(index: u32): bool {
  if (!extParse(argPtr(index), argLen(index), seconds)) {
    replyError('ERR timeout is not a float or out of range');
    return false;
  }
  const ms = ceil(extToDouble(seconds) * 1000);
  if (ms >= TOO_LARGE) {
    replyError('ERR timeout is out of range');
    return false;
  }
  return take(ms <= -TOO_LARGE ? -1 : <i64>ms);
}

/** Whole milliseconds. */
export function timeoutMsOrReply(index: u32): bool {
  if (!argIsI64(index)) {
    replyError('ERR timeout is not an integer or out of range');
    return false;
  }
  return take(argInt);
}
