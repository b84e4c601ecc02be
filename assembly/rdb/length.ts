/*
 * The two primitives everything in an RDB is made of: the length and the head of a string.
 * Pure functions on [p, end): they look, never move anything, and say how many bytes they used, so
 * that a caller cut short by the end of its input can simply ask again with more.
 *
 *   length   00vvvvvv                              6 bits
 *            01vvvvvv vvvvvvvv                    14 bits, big-endian
 *            10000000 + 4 bytes                   32 bits, big-endian
 *            10000001 + 8 bytes                   64 bits, big-endian (RDB >= 8)
 *            10xxxxxx otherwise                   never written: damaged
 *            11xxxxxx                             not a length, the form of a string:
 *   string   length, bytes                        raw
 *            C0 + i8 | C1 + i16 | C2 + i32        an integer, little-endian; stands for its text
 *            C3, length packed, length full, ...  LZF
 *
 * Not here: collecting a string's bytes (input.ts).
 */
import { FORM_INT, FORM_LZF, FORM_RAW } from './opcodes';

/** Result of lenDecode: the value, all 64 bits of it significant. */
export let lenValue: u64 = 0;

/** Longest length in bytes. */
export const LEN_BYTES_MAX: usize = 9;

/**
 * Decode the length at `p`. Returns the bytes it takes (1, 2, 5 or 9) with `lenValue` set;
 * 0 when [p, end) holds only a part of it; -1 when the first byte begins no length.
 */
export function lenDecode(p: usize, end: usize): i32 {
  if (p >= end) return 0;
  const b: u32 = load<u8>(p);
  if (b < 0x40) {
    lenValue = b;
    return 1;
  }
  if (b < 0x80) {
    if (end - p < 2) return 0;
    lenValue = ((b & 0x3f) << 8) | <u32>load<u8>(p, 1);
    return 2;
  }
  if (b == 0x80) {
    if (end - p < 5) return 0;
    lenValue = bswap<u32>(load<u32>(p, 1));
    return 5;
  }
  if (b == 0x81) {
    if (end - p < 9) return 0;
    lenValue = bswap<u64>(load<u64>(p, 1));
    return 9;
  }
  return -1;
}

/** Results of strDecode: FORM_RAW, FORM_INT or FORM_LZF. */
export let strForm: u32 = 0;
/** Bytes of the string itself, unpacked; not set for FORM_INT. */
export let strLen: u64 = 0;
/** Bytes behind the head: `strLen`, for FORM_INT 0, for FORM_LZF the packed size. */
export let strBody: u64 = 0;
/** The number, for FORM_INT. */
export let strInt: i32 = 0;

/**
 * Decode the head of the string at `p`. Returns the bytes the head takes (an integer's bytes are
 * part of it) with the results above set; 0 when incomplete; -1 when no string begins so.
 */
export function strDecode(p: usize, end: usize): i32 {
  if (p >= end) return 0;
  const b: u32 = load<u8>(p);
  if (b < 0xc0) {
    const used = lenDecode(p, end);
    strForm = FORM_RAW;
    strLen = lenValue;
    strBody = lenValue;
    return used;
  }
  if (b == 0xc3) return lzfHead(p, end);
  if (b > 0xc3) return -1;
  const size: usize = (<usize>1) << (b & 3);
  if (end - p < size + 1) return 0;
  if (b == 0xc0) strInt = load<i8>(p, 1);
  else if (b == 0xc1) strInt = load<i16>(p, 1);
  else strInt = load<i32>(p, 1);
  strForm = FORM_INT;
  strBody = 0;
  return <i32>size + 1;
}

function lzfHead(p: usize, end: usize): i32 {
  const first = lenDecode(p + 1, end);
  if (first <= 0) return first;
  const packed = lenValue;
  const second = lenDecode(p + 1 + first, end);
  if (second <= 0) return second;
  strForm = FORM_LZF;
  strLen = lenValue;
  strBody = packed;
  return 1 + first + second;
}
