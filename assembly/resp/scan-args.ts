/**
 * HSCAN, SSCAN and ZSCAN: their arguments (cursor, MATCH, COUNT and NOVALUES) and their reply. How
 * a collection is walked is the type's business and comes as a function.
 */
import { globMatch } from '../base/glob';
import { ull2string } from '../base/numbers/integers';
import { argI64OrReply, argInt } from './arg-values';
import { argc, argIs, argLen, argPtr } from './args';
import { replySyntaxError } from './errors';
import {
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredArrayEnd,
  replyError,
} from './reply';

/** The cursor read by `scanCursorOrReply`. */
export let scanCursor: u64 = 0;
/** COUNT. */
let scanCount: i64 = 10;
/** NOVALUES was given. */
export let scanNoValues: bool = false;

let patternPtr: usize = 0;
let patternLen: u32 = 0;
let matchesAll: bool = true;
const cursorText = memory.data(32);

/**
 * The cursor in argument `i`. Redis: whatever C's strtoul takes as a whole, up to a NUL, with a
 * sign but without space; no digits at all is 0 only where there is nothing else.
 */
export function scanCursorOrReply(i: u32): bool {
  const end = argPtr(i) + argLen(i);
  let p = argPtr(i);
  const sign: u32 = p < end ? load<u8>(p) : 0;
  if (sign == 43 || sign == 45) p++;
  const first = p;
  let value: u64 = 0;
  let fits = true;
  while (p < end && <u32>load<u8>(p) - 48 < 10) {
    const digit: u64 = load<u8>(p++) - 48;
    if (value > (u64.MAX_VALUE - digit) / 10) fits = false;
    value = value * 10 + digit;
  }
  if (p == first) p = argPtr(i);
  if (!fits || (p < end && load<u8>(p) != 0)) {
    replyError('ERR invalid cursor');
    return false;
  }
  scanCursor = sign == 45 ? 0 - value : value;
  return true;
}

/** The options behind the cursor, from argument `i` on; `noValues`: that word is one of them. */
export function scanOptionsOrReply(i: u32, noValues: bool): bool {
  scanCount = 10;
  scanNoValues = false;
  matchesAll = true;
  while (i < argc) {
    const left = argc - i;
    if (left >= 2 && argIs(i, 'count')) {
      if (!argI64OrReply(i + 1)) return false;
      if (argInt < 1) {
        replySyntaxError();
        return false;
      }
      scanCount = argInt;
      i += 2;
    } else if (left >= 2 && argIs(i, 'match')) {
      patternPtr = argPtr(i + 1);
      patternLen = argLen(i + 1);
      matchesAll = patternLen == 1 && load<u8>(patternPtr) == 42;
      i += 2;
    } else if (noValues && argIs(i, 'novalues')) {
      scanNoValues = true;
      i++;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** Whether MATCH lets an element through. */
export function scanMatches(ptr: usize, len: u32): bool {
  return matchesAll || globMatch(patternPtr, patternLen, ptr, len, false);
}

/** Steps of a walk that COUNT allows. Redis: ten for each element asked for. */
function scanSteps(): u64 {
  return <u64>scanCount > u64.MAX_VALUE / 10 ? u64.MAX_VALUE : <u64>scanCount * 10;
}

function replyScanCursor(cursor: u64): void {
  replyBulk(cursorText, ull2string(cursor, cursorText));
}

/** The reply where there is no key. */
export function replyScanEmpty(): void {
  replyArray(2);
  replyScanCursor(0);
  replyArray(0);
}

/** Counting what a walk meets, and what of it was shown. */
let met: i64 = 0;
let metEach: i64 = 1;
let shown: u32 = 0;
let showOne: () => u32 = showNothing;
function showNothing(): u32 {
  return 0;
}

function countOne(_arg: usize): void {
  met += metEach;
}

function replyOne(_arg: usize): void {
  shown += showOne();
}

/**
 * Answers with a part of collection `obj`. `walk(obj, cursor, visit, arg)` makes one step and
 * returns the next cursor; `show()` answers with the element just met, if it is to be seen, and
 * returns how many replies that made, `each` at most.
 */
export function replyScan(
  obj: usize,
  walk: (obj: usize, cursor: u64, visit: (arg: usize) => void, arg: usize) => u64,
  show: () => u32,
  each: u32,
): void {
  // The cursor stands before the elements, so the walk is made twice: first to see how far it goes.
  const wanted = scanCount > i64.MAX_VALUE / 2 ? scanCount : scanCount * each;
  let cursor = scanCursor;
  let steps: u64 = 0;
  met = 0;
  metEach = each;
  do {
    cursor = walk(obj, cursor, countOne, 0);
    steps++;
  } while (cursor != 0 && steps < scanSteps() && met < wanted);
  replyArray(2);
  replyScanCursor(cursor);
  shown = 0;
  showOne = show;
  const head = replyDeferred();
  cursor = scanCursor;
  while (steps-- != 0) cursor = walk(obj, cursor, replyOne, 0);
  replyDeferredArrayEnd(head, shown);
}
