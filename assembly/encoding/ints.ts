// Canonical decimal integers: the text form that packed encodings may replace by a number.
//
// What it is: the strict rule that decides whether an element is stored as an integer, and the
// inverse, printing a 64-bit integer. The two are exact inverses on the accepted set, which is why
// a listpack may forget the text: "12" and only "12" comes back from the number 12.
// What it is not: a lenient parser. "+1", " 1", "01", "-0", "1.0" and "" are strings.
//
// Redis: the rule (1 to 20 bytes, no leading zero, fits int64) is lpStringToInt64's of 7.0,
// observed through DUMP payloads.

/** Value of the last successful `intParse`. */
export let intParsed: i64 = 0;

/** Bytes a buffer needs for `intFormat`: "-9223372036854775808" is 20. */
export const INT_TEXT_MAX: u32 = 20;

/**
 * Reads `len` bytes at `ptr` as a canonical decimal int64. On true the value is in `intParsed`; on
 * false `intParsed` is unchanged. Never reads outside the range.
 */
export function intParse(ptr: usize, len: u32): bool {
  if (len - 1 >= 20) return false; // empty or longer than any int64
  let c: u32 = load<u8>(ptr);
  const negative = c == 0x2d;
  let pos: u32 = 0;
  if (negative) {
    if (len == 1) return false;
    pos = 1;
    c = load<u8>(ptr, 1);
  }
  if (c - 0x31 > 8) {
    if (c != 0x30 || len != 1) return false;
    intParsed = 0;
    return true;
  }
  if (len - pos > 19) return false; // 20 digits exceed int64, 19 never wrap a u64
  let value: u64 = c - 0x30;
  for (pos++; pos < len; pos++) {
    const digit = <u32>load<u8>(ptr + pos) - 0x30;
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  if (value > <u64>i64.MAX_VALUE + <u64>negative) return false;
  intParsed = negative ? 0 - <i64>value : <i64>value;
  return true;
}

/**
 * Writes the decimal text of `value` at `dst` (room for INT_TEXT_MAX bytes; no terminator) and
 * returns its length.
 */
export function intFormat(value: i64, dst: usize): u32 {
  let rest: u64 = <u64>value;
  let pos: u32 = 0;
  if (value < 0) {
    store<u8>(dst, 0x2d);
    rest = 0 - rest;
    pos = 1;
  }
  const len = pos + digitCount(rest);
  let at = dst + len;
  while (rest > <u64>u32.MAX_VALUE) {
    const next = rest / 10;
    store<u8>(--at, <u32>(rest - next * 10) + 0x30);
    rest = next;
  }
  let small = <u32>rest;
  do {
    const next = small / 10;
    store<u8>(--at, small - next * 10 + 0x30);
    small = next;
  } while (small != 0);
  return len;
}

/** Decimal digits of an unsigned value; 1 for 0. */
function digitCount(value: u64): u32 {
  let count: u32 = 1;
  while (value >= 10000) {
    value /= 10000;
    count += 4;
  }
  if (value >= 1000) return count + 3;
  if (value >= 100) return count + 2;
  if (value >= 10) return count + 1;
  return count;
}
