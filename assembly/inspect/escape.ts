/**
 * Bytes of the file as text of an output format: which bytes stay, which are written otherwise.
 * Every form can be turned back into the same bytes (host/rdb/unescape.ts does it).
 *
 *   UTF8    what is valid UTF-8 stays. Any other byte is written \xHH, with capital digits; so is a
 *           backslash that stands before "xHH" itself. Read back: \xHH is one byte, all else stays.
 *   LATIN1  every byte is the character of its number: 80 to FF are written \u0080 to \u00ff.
 *   BASE64  RFC 4648 section 4, with padding.
 *   TEXT    as UTF8, control characters as \xHH too: one line of text.  CSV_TEXT: in quotes.
 *   REPR    as redis-cli prints on a terminal (sdscatrepr), without its quotes.
 *   CSV_RAW the bytes, quotes doubled.
 *
 * Sources: RFC 8259 section 7 and RFC 3629 (JSON, UTF-8); RFC 4180 (CSV).
 */

/** As they are. */
export const ESCAPE_NONE: u32 = 0;
export const ESCAPE_UTF8: u32 = 1;
export const ESCAPE_LATIN1: u32 = 2;
export const ESCAPE_BASE64: u32 = 3;
export const ESCAPE_TEXT: u32 = 4;
export const ESCAPE_CSV_TEXT: u32 = 5;
export const ESCAPE_REPR: u32 = 6;
export const ESCAPE_CSV_RAW: u32 = 7;

/** Most bytes that one byte may become. */
export const ESCAPE_MAX: usize = 6;
/** Bytes behind the escaped text that may be overwritten. */
export const ESCAPE_SLACK: usize = 16;

const HEX_SMALL: usize = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66
]);
const HEX_LARGE: usize = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46
]);

const BACKSLASH: u32 = 0x5c;
const QUOTE: u32 = 0x22;

/**
 * Writes [ptr, ptr + len) at `to`, which has room for ESCAPE_MAX times as much and ESCAPE_SLACK;
 * bytes written. The string ends there, or was cut where `escapeCut` said.
 */
export function escape(how: u32, ptr: usize, len: usize, to: usize): usize {
  switch (how) {
    case ESCAPE_UTF8: return escapeUtf8(ptr, len, to);
    case ESCAPE_LATIN1: return escapeLatin1(ptr, len, to);
    case ESCAPE_BASE64: return base64(ptr, len, to);
    case ESCAPE_TEXT: return escapeText(ptr, len, to, false);
    case ESCAPE_CSV_TEXT: return escapeText(ptr, len, to, true);
    case ESCAPE_REPR: return escapeRepr(ptr, len, to);
    case ESCAPE_CSV_RAW: return doubleQuotes(ptr, len, to);
  }
  memory.copy(to, ptr, len);
  return len;
}

/** Where a string may be cut so that both parts can be escaped alone: at most `n`, above 0. */
export function escapeCut(how: u32, ptr: usize, n: usize): usize {
  if (how == ESCAPE_BASE64) return n - n % 3;
  if (how != ESCAPE_UTF8 && how != ESCAPE_TEXT && how != ESCAPE_CSV_TEXT) return n;
  // not inside a character …
  let cut = n;
  for (let back: usize = 0; back < 4; back++) {
    const c: u32 = load<u8>(ptr + n - back);
    if ((c & 0xc0) == 0x80) continue;
    if (c >= 0xc0) cut = n - back;
    break;
  }
  // … and not between a backslash and what follows it
  for (let back: usize = 1; back < 4; back++) {
    if (load<u8>(ptr + cut - back) == BACKSLASH) return cut - back;
  }
  return cut;
}

// ---- what stays as it is

/**
 * Copies bytes up to the first that is a control character, a quote, a backslash or not ASCII;
 * returns their number. Writes up to ESCAPE_SLACK bytes more.
 */
// @ts-ignore: decorator
@inline
function copyPlain(ptr: usize, end: usize, to: usize): usize {
  let p = ptr;
  if (ASC_FEATURE_SIMD) {
    while (p < end) {
      // a load that ends beyond the string stays within the page, so it cannot leave memory
      if (end - p < 16 && (p & 0xffff) > 0xfff0) return p - ptr + copyPlainBytes(p, end, to);
      const v = v128.load(p);
      const quotes = v128.or(i8x16.eq(v, i8x16.splat(0x22)), i8x16.eq(v, i8x16.splat(0x5c)));
      let stop = <u32>i8x16.bitmask(v128.or(i8x16.lt_s(v, i8x16.splat(0x20)), quotes));
      v128.store(to, v);
      if (end - p < 16) stop |= 1 << <u32>(end - p);
      if (stop != 0) return p - ptr + ctz<u32>(stop);
      p += 16;
      to += 16;
    }
  } else {
    while (p < end) {
      if (end - p < 8 && (p & 0xffff) > 0xfff8) return p - ptr + copyPlainBytes(p, end, to);
      const v = load<u64>(p);
      store<u64>(to, v);
      const quote = v ^ 0x2222222222222222;
      const slash = v ^ 0x5c5c5c5c5c5c5c5c;
      // a top bit set wrongly stands above one that is set rightly
      let stop = v | ((v - 0x2020202020202020) & ~v);
      stop |= (quote - 0x0101010101010101) & ~quote;
      stop |= (slash - 0x0101010101010101) & ~slash;
      stop &= 0x8080808080808080;
      if (end - p < 8) stop |= <u64>0x80 << (<u64>(end - p) << 3);
      if (stop != 0) return p - ptr + <usize>(ctz<u64>(stop) >> 3);
      p += 8;
      to += 8;
    }
  }
  return p - ptr;
}

function copyPlainBytes(ptr: usize, end: usize, to: usize): usize {
  let p = ptr;
  while (p < end) {
    const c: u32 = load<u8>(p);
    if (c < 0x20 || c >= 0x80 || c == QUOTE || c == BACKSLASH) break;
    store<u8>(to++, <u8>c);
    p++;
  }
  return p - ptr;
}

/** Bytes of the character at `p`, whose first byte is above 7F; 0 if it is not UTF-8. */
function utf8Size(p: usize, end: usize): usize {
  const c: u32 = load<u8>(p);
  const room = end - p;
  if (c < 0xc2 || room < 2) return 0;
  const second: u32 = load<u8>(p, 1);
  if (c < 0xe0) return (second & 0xc0) == 0x80 ? 2 : 0;
  if (room < 3 || (load<u8>(p, 2) & 0xc0) != 0x80) return 0;
  // overlong forms, surrogates, and numbers above 10FFFF
  let from: u32 = 0x80;
  let to: u32 = 0xbf;
  if (c == 0xe0) from = 0xa0;
  else if (c == 0xed) to = 0x9f;
  else if (c == 0xf0) from = 0x90;
  else if (c == 0xf4) to = 0x8f;
  if (second < from || second > to) return 0;
  if (c < 0xf0) return 3;
  return c < 0xf5 && room >= 4 && (load<u8>(p, 3) & 0xc0) == 0x80 ? 4 : 0;
}

/** Copies the character at `p`, `size` bytes. */
// @ts-ignore: decorator
@inline
function copyCharacter(p: usize, size: usize, to: usize): void {
  store<u16>(to, load<u16>(p));
  if (size > 2) store<u8>(to, load<u8>(p, 2), 2);
  if (size > 3) store<u8>(to, load<u8>(p, 3), 3);
}

/** Does "xHH" with capital digits stand at `p`? */
function isHexAhead(p: usize, end: usize): bool {
  return end - p >= 3 && load<u8>(p) == 0x78 && isHexLarge(load<u8>(p, 1))
    && isHexLarge(load<u8>(p, 2));
}

function isHexLarge(c: u32): bool {
  return c - 0x30 < 10 || c - 0x41 < 6;
}

// ---- JSON

/** Writes "\u00hh". */
function putUnicode(to: usize, c: u32): void {
  store<u32>(to, 0x3030755c);
  store<u8>(to, load<u8>(HEX_SMALL + (c >> 4)), 4);
  store<u8>(to, load<u8>(HEX_SMALL + (c & 15)), 5);
}

/** Writes the letter of the short form of a control character behind a backslash, if it has one. */
function shortForm(c: u32): u32 {
  switch (c) {
    case 8: return 0x62;
    case 9: return 0x74;
    case 10: return 0x6e;
    case 12: return 0x66;
    case 13: return 0x72;
    case QUOTE: return QUOTE;
    case BACKSLASH: return BACKSLASH;
    default: return 0;
  }
}

/** Writes a control character, a quote or a backslash for JSON; the place behind it. */
function putControl(to: usize, c: u32): usize {
  const letter = shortForm(c);
  if (letter != 0) {
    store<u16>(to, <u16>(BACKSLASH | (letter << 8)));
    return to + 2;
  }
  putUnicode(to, c);
  return to + 6;
}

/** Writes \xHH as JSON has it: "\\xHH". */
function putJsonHex(to: usize, c: u32): usize {
  store<u8>(to, BACKSLASH);
  putHex(to + 1, c);
  return to + 5;
}

function escapeUtf8(ptr: usize, len: usize, to: usize): usize {
  const end = ptr + len;
  let p = ptr;
  let o = to;
  while (true) {
    const n = copyPlain(p, end, o);
    p += n;
    o += n;
    if (p == end) return o - to;
    let c: u32 = load<u8>(p);
    if (c < 0x80) {
      p++;
      o = c == BACKSLASH && isHexAhead(p, end) ? putJsonHex(o, c) : putControl(o, c);
      continue;
    }
    do {
      const size = utf8Size(p, end);
      if (size == 0) {
        o = putJsonHex(o, c);
        p++;
      } else {
        copyCharacter(p, size, o);
        p += size;
        o += size;
      }
      if (p == end) return o - to;
      c = load<u8>(p);
    } while (c >= 0x80);
  }
}

function escapeLatin1(ptr: usize, len: usize, to: usize): usize {
  const end = ptr + len;
  let p = ptr;
  let o = to;
  while (true) {
    const n = copyPlain(p, end, o);
    p += n;
    o += n;
    if (p == end) return o - to;
    const c: u32 = load<u8>(p++);
    if (c < 0x80) {
      o = putControl(o, c);
    } else {
      putUnicode(o, c);
      o += 6;
    }
  }
}

// ---- lines of text, CSV

/** Writes \xHH. */
function putHex(to: usize, c: u32): usize {
  store<u16>(to, 0x785c);
  store<u8>(to, load<u8>(HEX_LARGE + (c >> 4)), 2);
  store<u8>(to, load<u8>(HEX_LARGE + (c & 15)), 3);
  return to + 4;
}

function escapeText(ptr: usize, len: usize, to: usize, isQuoted: bool): usize {
  const end = ptr + len;
  let p = ptr;
  let o = to;
  while (true) {
    const n = copyPlain(p, end, o);
    p += n;
    o += n;
    if (p == end) return o - to;
    const c: u32 = load<u8>(p);
    const size: usize = c < 0x80 ? 1 : utf8Size(p, end);
    if (size > 1) {
      copyCharacter(p, size, o);
      p += size;
      o += size;
      continue;
    }
    p++;
    if (c == QUOTE) {
      if (isQuoted) store<u8>(o++, QUOTE);
      store<u8>(o++, QUOTE);
    } else if (c == BACKSLASH && !isHexAhead(p, end)) {
      store<u8>(o++, BACKSLASH);
    } else {
      o = putHex(o, c);
    }
  }
}

function escapeRepr(ptr: usize, len: usize, to: usize): usize {
  const end = ptr + len;
  let o = to;
  for (let p = ptr; p < end; p++) {
    const c: u32 = load<u8>(p);
    if (c - 0x20 < 0x5f && c != QUOTE && c != BACKSLASH) {
      store<u8>(o++, <u8>c);
      continue;
    }
    // Redis: \a is written, form feed is not
    const letter = c == 7 ? 0x61 : c == 12 ? 0 : shortForm(c);
    if (letter != 0) {
      store<u16>(o, <u16>(BACKSLASH | (letter << 8)));
      o += 2;
    } else {
      store<u16>(o, 0x785c);
      store<u8>(o, load<u8>(HEX_SMALL + (c >> 4)), 2);
      store<u8>(o, load<u8>(HEX_SMALL + (c & 15)), 3);
      o += 4;
    }
  }
  return o - to;
}

function doubleQuotes(ptr: usize, len: usize, to: usize): usize {
  let o = to;
  for (let p = ptr; p < ptr + len; p++) {
    const c: u32 = load<u8>(p);
    if (c == QUOTE) store<u8>(o++, QUOTE);
    store<u8>(o++, <u8>c);
  }
  return o - to;
}

// ---- base64

const SEXTETS: usize = memory.data<u8>([
  0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50,
  0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
  0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76,
  0x77, 0x78, 0x79, 0x7a, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x2b, 0x2f
]);

/** The character of the lowest six bits. */
// @ts-ignore: decorator
@inline
function sextet(v: u32): u32 {
  return load<u8>(SEXTETS + (v & 63));
}

function base64(ptr: usize, len: usize, to: usize): usize {
  let p = ptr;
  let o = to;
  for (let left = len; left >= 3; left -= 3, p += 3, o += 4) {
    const v = ((<u32>load<u8>(p)) << 16) | ((<u32>load<u8>(p, 1)) << 8) | <u32>load<u8>(p, 2);
    store<u32>(o, sextet(v >> 18) | (sextet(v >> 12) << 8) | (sextet(v >> 6) << 16)
      | (sextet(v) << 24));
  }
  const rest = ptr + len - p;
  if (rest == 0) return o - to;
  let v = (<u32>load<u8>(p)) << 16;
  if (rest == 2) v |= (<u32>load<u8>(p, 1)) << 8;
  const third: u32 = rest == 2 ? sextet(v >> 6) : 0x3d;
  store<u32>(o, sextet(v >> 18) | (sextet(v >> 12) << 8) | (third << 16) | 0x3d000000);
  return o + 4 - to;
}
