/**
 * Glob patterns as Redis matches them (KEYS, SCAN MATCH, PSUBSCRIBE, ACL, CONFIG GET).
 *
 *   *        any run of bytes, also none        [abc]    one of these bytes
 *   ?        any one byte                       [^abc]   one byte that is none of these
 *   \x       the byte x itself                  [a-z]    one byte in this range
 *
 * What it is: the observable behaviour of Redis' stringmatchlen, in a loop instead of a recursion.
 * Every element other than '*' takes exactly one byte and its own length never depends on the
 * text, so remembering only the last '*' is enough: O(pattern) memory-free steps per retry and
 * O(pattern × text) at worst, never exponential, no depth.
 *
 * Redis: the corners, all kept:
 *  - an empty text is matched by the empty pattern only, not even by "*";
 *  - a class without ']' ends with the pattern; "[" matches nothing, "[^" any one byte;
 *  - "[]" is an empty class that matches nothing, "[^]" matches any one byte;
 *  - in a class, "x-y" is a range whatever y is, also ']' ("[a-]" is unterminated); the ends may be
 *    in either order; bytes are compared as signed chars, so 0x80-0xff come before 0x00;
 *  - in a class, an escaped byte is compared with its case even when case is ignored;
 *  - a '\' at the very end stands for itself.
 */

import { toLower } from './bytes';

/** Where the class read last went on: the address behind its ']' (or the pattern's end). */
let classEnd: usize = 0;

/**
 * Whether the pattern matches the whole text. With `nocase`, ASCII letters match in either case.
 * No allocation, no recursion. O(patternLen × textLen) at worst, linear for patterns with one '*'.
 */
export function globMatch(
  pattern: usize, patternLen: usize, text: usize, textLen: usize, nocase: bool
): bool {
  const patternEnd = pattern + patternLen;
  const textEnd = text + textLen;
  if (textLen == 0) return patternLen == 0;
  let starPattern: usize = 0; // behind the last '*' seen, 0 before the first
  let starText: usize = 0; // where the text that '*' has not swallowed begins
  while (true) {
    if (text == textEnd) {
      while (pattern < patternEnd && load<u8>(pattern) == 0x2a) pattern++;
      return pattern == patternEnd; // a longer run for the '*' would leave even less text
    }
    let isMatch = false;
    if (pattern < patternEnd) {
      let p = <u32>load<u8>(pattern);
      if (p == 0x2a) {
        do pattern++; while (pattern < patternEnd && load<u8>(pattern) == 0x2a);
        if (pattern == patternEnd) return true;
        starPattern = pattern;
        starText = text;
        continue;
      }
      const c = <u32>load<u8>(text);
      if (p == 0x3f) {
        isMatch = true;
        pattern++;
      } else if (p == 0x5b) {
        isMatch = matchClass(pattern + 1, patternEnd, c, nocase);
        pattern = classEnd;
      } else {
        if (p == 0x5c && pattern + 1 < patternEnd) p = <u32>load<u8>(++pattern);
        isMatch = p == c || (nocase && toLower(p) == toLower(c));
        pattern++;
      }
    }
    if (isMatch) {
      text++;
    } else {
      if (starPattern == 0) return false;
      pattern = starPattern;
      text = ++starText;
    }
  }
}

/** A byte as C's tolower((char)c) gives it in the C locale, where chars are signed. */
function lowerChar(c: i32): i32 {
  return c >= 0 ? <i32>toLower(<u32>c) : c == -1 ? -1 : c & 0xff;
}

/**
 * Whether byte `c` is in the class whose text begins at `p`, behind the '['. Leaves the address
 * behind the class in classEnd.
 */
function matchClass(p: usize, end: usize, c: u32, nocase: bool): bool {
  const isNot = p < end && load<u8>(p) == 0x5e;
  if (isNot) p++;
  let isIn = false;
  while (true) {
    if (p >= end) {
      classEnd = end;
      break;
    }
    const first = <u32>load<u8>(p);
    if (first == 0x5c && p + 1 < end) {
      p++;
      if (<u32>load<u8>(p) == c) isIn = true;
    } else if (first == 0x5d) {
      classEnd = p + 1;
      break;
    } else if (p + 2 < end && load<u8>(p + 1) == 0x2d) {
      if (inRange(<i32>load<i8>(p), <i32>load<i8>(p + 2), <i32><i8>c, nocase)) isIn = true;
      p += 2;
    } else if (first == c || (nocase && toLower(first) == toLower(c))) {
      isIn = true;
    }
    p++;
  }
  return isIn != isNot;
}

/** Whether signed char `c` lies between the two ends, given in either order. */
function inRange(start: i32, end: i32, c: i32, nocase: bool): bool {
  if (start > end) {
    const t = start;
    start = end;
    end = t;
  }
  if (nocase) {
    start = lowerChar(start);
    end = lowerChar(end);
    c = lowerChar(c);
  }
  return c >= start && c <= end;
}
