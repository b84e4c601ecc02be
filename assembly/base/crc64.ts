/**
 * CRC-64 with the Jones polynomial, as it closes every RDB file and DUMP payload.
 *
 * What it is: a streaming checksum, sixteen bytes a step (slicing by 16). What it is not: a hash.
 * Parameters: polynomial 0xad93d23594c935a9, reflected in and out, initial value 0, no final xor;
 * the check value of "123456789" is 0xe9c6d914c4b8d9ca.
 *
 * Tables, built at first use into static memory:
 *
 *   tables + 2048 * k + 8 * b  =  the CRC of byte b followed by k zero bytes     (k 0-15, b 0-255)
 *
 * Sixteen input bytes are then the xor of sixteen independent look-ups, the first eight bytes
 * having been xored with the running value.
 */

/** The polynomial with its bits reversed, for the least-significant-bit-first form. */
const POLY_REFLECTED: u64 = 0x95ac9329ac4bc9b5;

const TABLE_BYTES: usize = 2048;
const TABLES: usize = memory.data(16 * 2048, 64);
let isBuilt: bool = false;

function build(): void {
  for (let b: usize = 0; b < 256; b++) {
    let crc: u64 = b;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (POLY_REFLECTED & (0 - (crc & 1)));
    store<u64>(TABLES + (b << 3), crc);
  }
  for (let b: usize = 0; b < 256; b++) {
    let crc = load<u64>(TABLES + (b << 3));
    for (let k: usize = 1; k < 16; k++) {
      crc = (crc >> 8) ^ load<u64>(TABLES + ((<usize>crc & 0xff) << 3));
      store<u64>(TABLES + k * TABLE_BYTES + (b << 3), crc);
    }
  }
  isBuilt = true;
}

/** The look-up for byte number `byte` of word `x` in table `k`. */
// @ts-ignore: decorator
@inline
function at(k: usize, x: u64, byte: u64): u64 {
  return load<u64>(TABLES + ((<usize>(x >> (byte << 3)) & 0xff) << 3) + k * TABLE_BYTES);
}

/**
 * The CRC-64 of `len` bytes at `ptr`, continuing from `crc` (0 to begin): splitting the input
 * anywhere gives the same value. O(len).
 */
export function crc64(crc: u64, ptr: usize, len: usize): u64 {
  if (!isBuilt) build();
  const end = ptr + len;
  const blocksEnd = ptr + (len & ~15);
  while (ptr < blocksEnd) {
    const x = load<u64>(ptr) ^ crc;
    const y = load<u64>(ptr, 8);
    crc = at(15, x, 0) ^ at(14, x, 1) ^ at(13, x, 2) ^ at(12, x, 3)
      ^ at(11, x, 4) ^ at(10, x, 5) ^ at(9, x, 6) ^ at(8, x, 7)
      ^ at(7, y, 0) ^ at(6, y, 1) ^ at(5, y, 2) ^ at(4, y, 3)
      ^ at(3, y, 4) ^ at(2, y, 5) ^ at(1, y, 6) ^ at(0, y, 7);
    ptr += 16;
  }
  while (ptr < end) {
    crc = (crc >> 8) ^ load<u64>(TABLES + (((<usize>crc ^ <usize>load<u8>(ptr)) & 0xff) << 3));
    ptr++;
  }
  return crc;
}
