/**
 * The primitives of the RDB format, written to an address: what the keyspace's writer
 * (save-sink.ts) and the rewriting of files (inspect/convert-put.ts) share. Nothing here allocates,
 * checks room or knows where the bytes go.
 */
import { storeBe32, storeBe64 } from '../base/bytes';

/** Most bytes of a length, and of an integer as a string. */
export const LENGTH_MAX: usize = 9;
export const INT_FORM_MAX: usize = 5;
/** Redis: strings up to this length may be stored as integers, */
export const INT_STRING_MAX: u32 = 11;
/** only longer ones than this are worth compressing, and only if that many bytes are saved. */
export const LZF_MIN: u32 = 20;
export const LZF_SAVES: u32 = 4;

/**
 * A length at `at` (LENGTH_MAX bytes of room): 6 bits, 14 bits, or big-endian 32 or 64 bits behind
 * a byte that says so. Its bytes.
 */
export function writeLength(at: usize, n: u64): usize {
  if (n < 64) {
    store<u8>(at, <u8>n);
    return 1;
  }
  if (n < 16384) {
    store<u8>(at, <u8>(0x40 | (n >> 8)));
    store<u8>(at, <u8>n, 1);
    return 2;
  }
  if (n <= <u64>u32.MAX_VALUE) {
    writeLength32(at, <u32>n);
    return 5;
  }
  store<u8>(at, 0x81);
  storeBe64(at + 1, n);
  return 9;
}

/** A length in its five-byte form, whatever its value: room for a number not known yet. */
export function writeLength32(at: usize, n: u32): void {
  store<u8>(at, 0x80);
  storeBe32(at + 1, n);
}

/** Whether an integer has a short form as a string: 32 bits. */
export function hasIntForm(n: i64): bool {
  return n == <i64>(<i32>n);
}

/** An integer as a string in its shortest form at `at` (INT_FORM_MAX bytes of room). Its bytes. */
export function writeIntForm(at: usize, n: i32): usize {
  if (n == <i32>(<i8>n)) {
    store<u8>(at, 0xc0);
    store<i8>(at, <i8>n, 1);
    return 2;
  }
  if (n == <i32>(<i16>n)) {
    store<u8>(at, 0xc1);
    store<i16>(at, <i16>n, 1);
    return 3;
  }
  store<u8>(at, 0xc2);
  store<i32>(at, n, 1);
  return 5;
}
