/** Bitmap commands: SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP. BITFIELD is in bitmap-field.ts. */
import { alloc, free } from '../base/alloc';
import {
  BITS_AND,
  BITS_OR,
  BITS_XOR,
  bitsCombine,
  bitsCount,
  bitsFind,
  bitsInvert,
} from '../base/bits';
import { blobAlloc, blobPtr } from '../base/blob';
import { client } from '../clients/client';
import { ITEM_INLINE_MAX } from '../hashtable/item';
import {
  bitmapGrew,
  bitmapOrReply,
  bitOffset,
  bitOffsetOrReply,
} from '../keyspace/bitmap';
import {
  dbAt,
  dbDelete,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { NOTIFY_GENERIC, NOTIFY_STRING, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import {
  stringBytes,
  stringPutBlob,
  stringPutZeros,
  stringRead,
  strLen,
  strPtr,
} from '../keyspace/strings';
import { argInt, argI64OrReply, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import { replyError, replyInt } from '../resp/reply';
import { TYPE_STRING } from '../types/object';

export function cmdSetbit(): void {
  if (!bitOffsetOrReply(2, 0)) return;
  if (!argRangeOrReplyText(3, 0, 1, 'ERR bit is not an integer or out of range')) return;
  const on = <u32>argInt;
  const offset = bitOffset;
  const db = dbAt(client.db);
  const bytes = bitmapOrReply(db, offset);
  if (bytes == 0) return;
  const at = bytes + <usize>(offset >> 3);
  const shift = 7 - (<u32>offset & 7);
  const before = (<u32>load<u8>(at) >> shift) & 1;
  // Redis: nothing is said to have changed when nothing did.
  if (bitmapGrew || before != on) {
    store<u8>(at, <u8>((<u32>load<u8>(at) & ~((<u32>1) << shift)) | (on << shift)));
    signalModified(db, argPtr(1), argLen(1));
    notifyKeyspaceEvent(NOTIFY_STRING, 'setbit', client.db, argPtr(1), argLen(1));
    markDirty(1);
  }
  replyInt(before);
}

export function cmdGetbit(): void {
  if (!bitOffsetOrReply(2, 0)) return;
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (item == 0) {
    replyInt(0);
    return;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  stringRead(item);
  const byte = bitOffset >> 3;
  const bits: u32 = byte < strLen ? load<u8>(strPtr + <usize>byte) : 0;
  replyInt((bits >> (7 - (<u32>bitOffset & 7))) & 1);
}

// ---- ranges

/** A range of bits within the string read last, both ends included; empty if from > to. */
let rangeFrom: i64 = 0;
let rangeTo: i64 = 0;

/** BYTE or BIT in argument `i`: 8 or 1 bits; 0 = answered with a syntax error. */
function unitOrReply(i: u32): u32 {
  if (argIs(i, 'bit')) return 1;
  if (argIs(i, 'byte')) return 8;
  replySyntaxError();
  return 0;
}

/** Makes `from` … `to` in units of so many bits, ends counted back if negative, a range of bits. */
function setRange(from: i64, to: i64, unit: u32): void {
  const total: i64 = unit == 1 ? <i64>strLen << 3 : <i64>strLen;
  if (from < 0) from = max<i64>(from + total, 0);
  if (to < 0) to = max<i64>(to + total, 0);
  to = min(to, total - 1);
  if (from > to) {
    rangeFrom = 1;
    rangeTo = 0;
    return;
  }
  rangeFrom = from * unit;
  rangeTo = to * unit + unit - 1;
}

/** Ones in the range. */
function countRange(): i64 {
  const first = <usize>(rangeFrom >> 3);
  const last = <usize>(rangeTo >> 3);
  let ones = bitsCount(strPtr + first, last - first + 1);
  const before = <u32>load<u8>(strPtr + first) & ~(0xff >> (<u32>rangeFrom & 7)) & 0xff;
  const behind = <u32>load<u8>(strPtr + last) & (0x7f >> (<u32>rangeTo & 7));
  ones -= popcnt<u32>(before) + popcnt<u32>(behind);
  return <i64>ones;
}

export function cmdBitcount(): void {
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  // Redis: for a missing key the other arguments are not even looked at.
  if (item == 0) {
    replyInt(0);
    return;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  stringRead(item);
  if (argc == 2) {
    replyInt(<i64>bitsCount(strPtr, strLen));
    return;
  }
  if (argc != 4 && argc != 5) {
    replySyntaxError();
    return;
  }
  if (!argI64OrReply(2)) return;
  const from = argInt;
  if (!argI64OrReply(3)) return;
  const to = argInt;
  if (from < 0 && to < 0 && from > to) {
    replyInt(0);
    return;
  }
  const unit: u32 = argc == 5 ? unitOrReply(4) : 8;
  if (unit == 0) return;
  setRange(from, to, unit);
  replyInt(rangeFrom > rangeTo ? 0 : countRange());
}

/** Position of the first bit of the range that is `bit`; -1 = there is none. */
function findInRange(bit: bool): i64 {
  let at = rangeFrom;
  while ((at & 7) != 0 && at <= rangeTo) {
    const here = (load<u8>(strPtr + <usize>(at >> 3)) >> <u8>(7 - (at & 7))) & 1;
    if (here == <u8>bit) return at;
    at++;
  }
  if (at > rangeTo) return -1;
  const first = <usize>(at >> 3);
  const found = at + <i64>bitsFind(strPtr + first, <usize>(rangeTo >> 3) - first + 1, bit);
  return found <= rangeTo ? found : -1;
}

export function cmdBitpos(): void {
  if (!argI64OrReply(2)) return;
  if ((argInt & ~1) != 0) {
    replyError('ERR The bit argument must be 1 or 0.');
    return;
  }
  const bit = argInt != 0;
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  // Redis: a missing key is all zeros, whatever the range says.
  if (item == 0) {
    replyInt(bit ? -1 : 0);
    return;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  stringRead(item);
  if (argc > 6) {
    replySyntaxError();
    return;
  }
  let from: i64 = 0;
  let to: i64 = i64.MAX_VALUE;
  let unit: u32 = 8;
  if (argc > 3) {
    if (!argI64OrReply(3)) return;
    from = argInt;
  }
  if (argc > 5) {
    unit = unitOrReply(5);
    if (unit == 0) return;
  }
  if (argc > 4) {
    if (!argI64OrReply(4)) return;
    to = argInt;
  }
  setRange(from, to, unit);
  let found: i64 = -1;
  if (rangeFrom <= rangeTo) {
    found = findInRange(bit);
    // Without an end the zeros behind the string count.
    if (found < 0 && !bit && argc < 5) found = <i64>strLen << 3;
  }
  replyInt(found);
}

// ---- BITOP

const OP_NOT: u32 = 3;
/** Bytes combined at a time, so that the result stays in the cache. */
const OP_BLOCK: u32 = 16384;

/** source: +0 u32 ptr, +4 u32 len, +8 the text of an integer (24 bytes) */
const SOURCE_SIZE: usize = 32;
let sources: usize = 0;
let sourceCount: u32 = 0;
let longest: u32 = 0;

/** BITS_*, OP_NOT; -1 = answered. */
function operationOrReply(): i32 {
  if (argIs(1, 'and')) return BITS_AND;
  if (argIs(1, 'or')) return BITS_OR;
  if (argIs(1, 'xor')) return BITS_XOR;
  if (!argIs(1, 'not')) {
    replySyntaxError();
    return -1;
  }
  if (argc == 4) return OP_NOT;
  replyError('ERR BITOP NOT must be called with a single source key.');
  return -1;
}

/** Looks all sources up; false = answered. */
function sourcesOrReply(db: usize): bool {
  longest = 0;
  for (let i: u32 = 0; i < sourceCount; i++) {
    const at = sources + <usize>i * SOURCE_SIZE;
    store<u64>(at, 0);
    const item = lookupRead(db, argPtr(i + 3), argLen(i + 3));
    if (item == 0) continue;
    if (entryType(item) != TYPE_STRING) {
      replyWrongType();
      return false;
    }
    stringRead(item);
    store<u32>(at, <u32>strPtr);
    store<u32>(at, strLen, 4);
    if (strLen <= 24) {
      memory.copy(at + 8, strPtr, strLen);
      store<u32>(at, <u32>(at + 8));
    }
    longest = max(longest, strLen);
  }
  return true;
}

/** Bytes of source `i` within the block [from, from + len). */
// @ts-ignore: decorator
@inline function sourceWithin(i: u32, from: u32, len: u32): u32 {
  const have = load<u32>(sources + <usize>i * SOURCE_SIZE, 4);
  return have <= from ? 0 : min(have - from, len);
}

/** Combines all sources into `out`, block by block; shorter ones end in zeros. */
function combine(kind: u32, out: usize): void {
  for (let from: u32 = 0; from < longest; from += OP_BLOCK) {
    const len = min(longest - from, OP_BLOCK);
    const dst = out + from;
    for (let i: u32 = 0; i < sourceCount; i++) {
      const src = <usize>load<u32>(sources + <usize>i * SOURCE_SIZE) + from;
      const n = sourceWithin(i, from, len);
      if (i == 0) {
        memory.copy(dst, src, n);
        memory.fill(dst + n, 0, len - n);
      } else {
        bitsCombine(kind, dst, src, n);
        if (kind == BITS_AND) memory.fill(dst + n, 0, len - n);
      }
    }
    if (kind == OP_NOT) bitsInvert(dst, len);
  }
}

/** Makes the result the value of the key in argument 2; false = no memory, nothing changed. */
function storeResult(db: usize, kind: u32): bool {
  const blob = blobAlloc(longest);
  if (blob == 0) return false;
  combine(kind, blobPtr(blob));
  lookupWrite(db, argPtr(2), argLen(2));
  if (longest <= ITEM_INLINE_MAX) {
    const done = stringPutZeros(db, 2, longest);
    if (done) memory.copy(stringBytes(), blobPtr(blob), longest);
    free(blob);
    return done;
  }
  if (stringPutBlob(db, 2, blob)) return true;
  free(blob);
  return false;
}

function operate(db: usize, kind: u32): void {
  if (longest == 0) {
    if (dbDelete(db, argPtr(2), argLen(2))) {
      signalModified(db, argPtr(2), argLen(2));
      notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(2), argLen(2));
      markDirty(1);
    }
  } else if (storeResult(db, kind)) {
    signalModified(db, argPtr(2), argLen(2));
    notifyKeyspaceEvent(NOTIFY_STRING, 'set', client.db, argPtr(2), argLen(2));
    markDirty(1);
  } else {
    replyOom();
    return;
  }
  replyInt(longest);
}

export function cmdBitop(): void {
  const kind = operationOrReply();
  if (kind < 0) return;
  sourceCount = argc - 3;
  sources = alloc(<usize>sourceCount * SOURCE_SIZE);
  if (sources == 0) {
    replyOom();
    return;
  }
  const db = dbAt(client.db);
  if (sourcesOrReply(db)) operate(db, kind);
  free(sources);
}
