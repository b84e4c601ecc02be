/**
 * CRC-16/XMODEM and the Redis Cluster key slot built on it.
 *
 * Parameters: polynomial 0x1021, most significant bit first, initial value 0, no final xor; the
 * check value of "123456789" is 0x31c3. The 256-entry table is built at first use.
 *
 * Source of the slot rule: the Redis Cluster specification, "Hash tags".
 */

import { bytesFind } from './bytes';

/** Slots of a cluster; a key belongs to crc16(key) mod SLOT_COUNT. */
export const SLOT_COUNT: u32 = 16384;

/** The CRC of byte b, and of byte b followed by 1, 2 and 3 zero bytes. */
const TABLE: usize = memory.data(2048, 8);
let isBuilt: bool = false;

function build(): void {
  for (let b: u32 = 0; b < 256; b++) {
    let crc = b << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0);
    store<u16>(TABLE + (<usize>b << 1), <u16>crc);
  }
  for (let i: usize = 512; i < 2048; i += 2) {
    const crc: u32 = load<u16>(TABLE + i - 512);
    const next = (crc << 8) ^ load<u16>(TABLE + (<usize>(crc >> 8) << 1));
    store<u16>(TABLE + i, <u16>next);
  }
  isBuilt = true;
}

/**
 * The CRC-16/XMODEM of `len` bytes at `ptr`, 0-65535. O(len).
 */
export function crc16(ptr: usize, len: usize): u32 {
  if (!isBuilt) build();
  const end = ptr + len;
  let crc: u32 = 0;
  // four bytes a step: the running value meets the first two of them
  for (const steps = ptr + (len & ~3); ptr < steps; ptr += 4) {
    const first = (crc >> 8) ^ load<u8>(ptr);
    const second = (crc & 0xff) ^ load<u8>(ptr, 1);
    crc = <u32>load<u16>(TABLE + (<usize>first << 1), 1536)
      ^ load<u16>(TABLE + (<usize>second << 1), 1024)
      ^ load<u16>(TABLE + (<usize>load<u8>(ptr, 2) << 1), 512)
      ^ load<u16>(TABLE + (<usize>load<u8>(ptr, 3) << 1));
  }
  while (ptr < end) {
    const index = ((crc >> 8) ^ load<u8>(ptr)) & 0xff;
    crc = ((crc << 8) ^ load<u16>(TABLE + (<usize>index << 1))) & 0xffff;
    ptr++;
  }
  return crc;
}

/**
 * The cluster slot (0-16383) of a key. If the key holds '{', and a '}' after it with at least one
 * byte between the first '{' and the first '}' behind it, only those bytes are hashed. O(len).
 */
export function keyHashSlot(ptr: usize, len: usize): u32 {
  const end = ptr + len;
  const open = bytesFind(ptr, len, 0x7b);
  if (open < end) {
    const tag = open + 1;
    const close = bytesFind(tag, end - tag, 0x7d);
    if (close < end && close > tag) return crc16(tag, close - tag) & (SLOT_COUNT - 1);
  }
  return crc16(ptr, len) & (SLOT_COUNT - 1);
}
