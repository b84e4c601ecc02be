/**
 * Text written at an address that has room: each function returns the place behind what it wrote,
 * so that a line is built without asking for room again and again.
 */
import { ll2string, putDigits, ull2string } from '../base/numbers/integers';
import { civilDay, civilMonth, civilOfDays, civilYear } from './civil';

/** Bytes behind the text that `putLiteral` may overwrite. */
export const PUT_SLACK: usize = 8;

/** An ASCII literal. */
export function putLiteral(to: usize, text: string): usize {
  const from = changetype<usize>(text);
  const len = <usize>text.length;
  if (ASC_FEATURE_SIMD) {
    // literals are followed by other static data and the heap: reading on is safe
    for (let i: usize = 0; i < len; i += 8) {
      const v = v128.load(from + (i << 1));
      v128.store64_lane(to + i, i8x16.narrow_i16x8_u(v, v), 0);
    }
  } else {
    for (let i: usize = 0; i < len; i++) store<u8>(to + i, load<u8>(from + (i << 1)));
  }
  return to + len;
}

export function putByte(to: usize, c: u32): usize {
  store<u8>(to, <u8>c);
  return to + 1;
}

export function putInt(to: usize, value: i64): usize {
  return to + ll2string(value, to);
}

export function putUint(to: usize, value: u64): usize {
  return to + ull2string(value, to);
}

/** An identity of a stream: ms-seq. */
export function putId(to: usize, ms: u64, seq: u64): usize {
  const at = putByte(putUint(to, ms), 0x2d);
  return putUint(at, seq);
}

/** Years that have four digits. */
const TIME_MIN: i64 = -62167219200000;
const TIME_MAX: i64 = 253402300800000;

/**
 * A time in ms as ISO 8601 in UTC without a zone: 2022-12-25T10:11:12, then `.573000` if there is
 * a fraction and `hasFraction`; as a number where the year has not four digits.
 */
export function putTime(to: usize, ms: i64, hasFraction: bool): usize {
  if (ms < TIME_MIN || ms >= TIME_MAX) return putInt(to, ms);
  let days = ms / 86400000;
  let rest = ms % 86400000;
  if (rest < 0) {
    rest += 86400000;
    days--;
  }
  civilOfDays(days);
  putDigits(<u64>civilYear, 4, to);
  store<u8>(to, 0x2d, 4);
  putDigits(<u64>civilMonth, 2, to + 5);
  store<u8>(to, 0x2d, 7);
  putDigits(<u64>civilDay, 2, to + 8);
  store<u8>(to, 0x54, 10);
  putDigits(<u64>(rest / 3600000), 2, to + 11);
  store<u8>(to, 0x3a, 13);
  putDigits(<u64>(rest / 60000 % 60), 2, to + 14);
  store<u8>(to, 0x3a, 16);
  putDigits(<u64>(rest / 1000 % 60), 2, to + 17);
  const fraction = <u64>(rest % 1000);
  if (fraction == 0 || !hasFraction) return to + 19;
  store<u8>(to, 0x2e, 19);
  putDigits(fraction * 1000, 6, to + 20);
  return to + 26;
}
