/**
 * Words of a line by Redis' quoting rules: inline commands, ACL selectors.
 *
 * What it is: the observable behaviour of Redis' sdssplitargs, one word at a time. Words are
 * separated by white space; "…" knows the escapes \n \r \t \b \a \xHH, '…' only \'; a NUL ends the
 * line wherever it stands.
 */

/** Where the last word was written up to. */
export let wordEnd: usize = 0;

// @ts-ignore: decorator
@inline export function isSpace(c: u32): bool {
  return c == 32 || c - 9 < 5;
}

function hexValue(c: u32): u32 {
  if (c - 48 < 10) return c - 48;
  if ((c | 32) - 97 < 6) return (c | 32) - 87;
  return 16;
}

/** The address of the next word in [p, end), 0 when there is none. */
export function wordStart(p: usize, end: usize): usize {
  while (p < end && isSpace(load<u8>(p))) p++;
  return p >= end || load<u8>(p) == 0 ? 0 : p;
}

/**
 * The word at `p` (wordStart found it), written to `to`, its end in `wordEnd`; returns the address
 * behind it, 0 for unbalanced quotes. A word is never longer than what it was written as, so `to`
 * may be `p`.
 */
export function splitWord(p: usize, end: usize, to: usize): usize {
  let quote: u32 = 0;
  while (p < end) {
    let c: u32 = load<u8>(p);
    if (quote == 0) {
      if (isSpace(c) || c == 0) break;
      if (c == 34 || c == 39) {
        quote = c;
        p++;
        continue;
      }
    } else if (c == 0) {
      return 0;
    } else if (c == quote) {
      // A closing quote must be followed by a space or the end.
      const next: u32 = p + 1 < end ? load<u8>(p + 1) : 0;
      if (next != 0 && !isSpace(next)) return 0;
      wordEnd = to;
      return p + 1;
    } else if (c == 92 && quote == 34) {
      p = escape(p, end, to);
      to++;
      continue;
    } else if (c == 92 && quote == 39 && p + 1 < end && load<u8>(p + 1) == 39) {
      c = 39;
      p++;
    }
    store<u8>(to++, <u8>c);
    p++;
  }
  wordEnd = to;
  return quote == 0 ? p : 0;
}

/** An escape inside double quotes: writes one byte, returns the address behind it. */
function escape(p: usize, end: usize, to: usize): usize {
  if (p + 3 < end && load<u8>(p + 1) == 120) {
    const high = hexValue(load<u8>(p + 2));
    const low = hexValue(load<u8>(p + 3));
    if (high < 16 && low < 16) {
      store<u8>(to, <u8>(high * 16 + low));
      return p + 4;
    }
  }
  if (p + 1 >= end || load<u8>(p + 1) == 0) {
    store<u8>(to, 92);
    return p + 1;
  }
  let c: u32 = load<u8>(p + 1);
  if (c == 110) c = 10;
  else if (c == 114) c = 13;
  else if (c == 116) c = 9;
  else if (c == 98) c = 8;
  else if (c == 97) c = 7;
  store<u8>(to, <u8>c);
  return p + 2;
}
