/**
 * Strings as bitmaps: what SETBIT, GETBIT and BITFIELD share. Bit 0 is the most significant bit of
 * byte 0; a string is followed by endless zeros for readers, and grows for writers.
 */
import { string2ll, llValue } from '../base/numbers/integers';
import { argLen, argPtr } from '../resp/args';
import { replyOom, replyWrongType } from '../resp/errors';
import { replyError } from '../resp/reply';
import { TYPE_STRING } from '../types/object';
import { entryType, lookupWrite } from './db';
import { fromMaster, protoMaxBulkLen } from './state';
import { stringBytes, stringLength, stringMutable, stringPutZeros } from './strings';

/** Longest string the core's addresses allow. */
const BYTES_MAX: u64 = 0xfffffff0;

/** The offset of `bitOffsetOrReply`, in bits. */
export let bitOffset: u64 = 0;

/**
 * Reads a bit offset from argument `index` into `bitOffset`; with `unit` above 0 also `#n`, which
 * is n times that many bits. False = answered. A master is obeyed beyond proto-max-bulk-len.
 */
export function bitOffsetOrReply(index: u32, unit: u32): bool {
  let ptr = argPtr(index);
  let len = argLen(index);
  const isScaled = unit > 0 && len > 0 && load<u8>(ptr) == 0x23;
  if (isScaled) {
    ptr++;
    len--;
  }
  if (string2ll(ptr, len)) {
    // Redis: the product may wrap; what comes out is judged.
    const offset = isScaled ? llValue * unit : llValue;
    if (offset >= 0 && (fromMaster || <u64>(offset >> 3) < protoMaxBulkLen)) {
      bitOffset = <u64>offset;
      return true;
    }
  }
  replyError('ERR bit offset is not an integer or out of range');
  return false;
}

/** Of the last `bitmapOrReply`: the string was made or grew. */
export let bitmapGrew: bool = false;

/**
 * Makes the key in argument 1 a raw string that reaches bit `last` and returns the address of its
 * bytes; 0 = answered. May grow memory.
 */
export function bitmapOrReply(db: usize, last: u64): usize {
  const item = lookupWrite(db, argPtr(1), argLen(1));
  if (item != 0 && entryType(item) != TYPE_STRING) {
    replyWrongType();
    return 0;
  }
  const before: u32 = item == 0 ? 0 : stringLength(item);
  const need = (last >> 3) + 1;
  let bytes: usize = 0;
  if (need <= BYTES_MAX) {
    if (item != 0) bytes = stringMutable(db, max(before, <u32>need), true);
    else if (stringPutZeros(db, 1, <u32>need)) bytes = stringBytes();
  }
  if (bytes == 0) replyOom();
  bitmapGrew = need > before;
  return bytes;
}
