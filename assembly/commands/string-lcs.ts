/**
 * LCS: the longest common subsequence of two strings.
 *
 * Redis fills a matrix of 4-byte lengths L and walks back from its last corner. The walk needs to
 * know only, where the bytes differ, which neighbour is larger; and L(i-1,j) > L(i,j-1) there iff
 * L grows from (i,j-1) to (i,j). So one bit a cell is enough, and a whole row of these bits is
 * computed 64 cells at a time (Crochemore et al. 2001, Hyyrö 2004): with V the complement of the
 * growth bits of the row above and M the places where b holds the row's byte,
 *
 *   V' = (V + (V & M)) | (V & ~M)          (an addition over the whole row, carry included)
 *
 * A step is 64 cells, and the memory 1/32 of Redis'. Its limit is kept all the same: commands that
 * Redis refuses (a matrix larger than proto-max-bulk-len) are refused here with the same words.
 *
 *   work block: V (words * 8 bytes), masks (distinct bytes of a, words * 8 each),
 *               rows (alen, stride bytes each; not with LEN)
 */
import { alloc, free } from '../base/alloc';
import { bitsCount } from '../base/bits';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { protoMaxBulkLen } from '../keyspace/state';
import { stringRead, strLen, strPtr } from '../keyspace/strings';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyBulkLiteral,
  replyDeferred,
  replyDeferredArrayEnd,
  replyError,
  replyInt,
  replyMap,
} from '../resp/reply';
import { TYPE_STRING } from '../types/object';

let aPtr: usize = 0;
let aLen: u32 = 0;
let bPtr: usize = 0;
let bLen: u32 = 0;
/** Text of the first string where it is an integer; the second's would overwrite it. */
const aText = memory.data(32);

let wantLen: bool = false;
let wantIdx: bool = false;
let wantMatchLen: bool = false;
let minMatchLen: i64 = 0;

/** Offset + 1 of a byte's mask among the masks, 0 = the byte is not in a. */
const maskOf = memory.data(1024, 8);
let work: usize = 0;
let words: u32 = 0;
let rows: usize = 0;
let stride: u32 = 0;

/** Leaves the bytes of a key, none if it is missing, in strPtr and strLen; false = answered. */
function stringOrReply(arg: u32): bool {
  const item = lookupRead(dbAt(client.db), argPtr(arg), argLen(arg));
  otherType = item != 0 && entryType(item) != TYPE_STRING;
  if (item == 0 || otherType) return false;
  stringRead(item);
  return true;
}
let otherType: bool = false;

function stringsOrReply(): bool {
  aLen = 0;
  bLen = 0;
  if (stringOrReply(1)) {
    aPtr = strPtr;
    aLen = strLen;
    if (aLen <= 32) {
      memory.copy(aText, aPtr, aLen);
      aPtr = aText;
    }
  }
  let wrong = otherType;
  if (stringOrReply(2)) {
    bPtr = strPtr;
    bLen = strLen;
  }
  wrong = wrong || otherType;
  if (wrong) replyError('ERR The specified keys must contain string values');
  return !wrong;
}

function optionsOrReply(): bool {
  wantLen = false;
  wantIdx = false;
  wantMatchLen = false;
  minMatchLen = 0;
  for (let i: u32 = 3; i < argc; i++) {
    if (argIs(i, 'idx')) {
      wantIdx = true;
    } else if (argIs(i, 'len')) {
      wantLen = true;
    } else if (argIs(i, 'withmatchlen')) {
      wantMatchLen = true;
    } else if (argIs(i, 'minmatchlen') && i + 1 < argc) {
      if (!argI64OrReply(++i)) return false;
      minMatchLen = max<i64>(argInt, 0);
    } else {
      replySyntaxError();
      return false;
    }
  }
  if (!wantIdx || !wantLen) return true;
  replyError('ERR If you want both the length and indexes, please just use IDX.');
  return false;
}

/** Gives every distinct byte of a an offset in `maskOf`; returns how many there are. */
function numberBytes(): u32 {
  memory.fill(maskOf, 0, 1024);
  let distinct: u32 = 0;
  for (let i: u32 = 0; i < aLen && distinct < 256; i++) {
    const at = maskOf + (<usize>load<u8>(aPtr + i) << 2);
    if (load<u32>(at) == 0) store<u32>(at, ++distinct);
  }
  return distinct;
}

/** Allocates the work block and fills V and the masks; false = answered. */
function workOrReply(): bool {
  const cells = (<u64>aLen + 1) * (<u64>bLen + 1);
  if (cells > u64.MAX_VALUE / 4 || cells * 4 > protoMaxBulkLen) {
    replyError('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
    return false;
  }
  words = (bLen + 63) >>> 6;
  stride = (bLen + 7) >>> 3;
  const front = (<u64>numberBytes() + 1) * words * 8;
  const size = front + (wantLen ? 0 : <u64>aLen * stride) + 8;
  work = size > 0xfffffff0 ? 0 : alloc(<usize>size);
  if (work == 0) {
    replyError('ERR Insufficient memory, failed allocating transient memory for LCS');
    return false;
  }
  memory.fill(work, 255, <usize>words << 3);
  memory.fill(work + (<usize>words << 3), 0, <usize>front - (<usize>words << 3));
  rows = work + <usize>front;
  for (let j: u32 = 0; j < bLen; j++) {
    const index = load<u32>(maskOf + (<usize>load<u8>(bPtr + j) << 2));
    if (index == 0) continue;
    const at = work + ((<usize>index * words) << 3) + (j >>> 3);
    store<u8>(at, <u8>(<u32>load<u8>(at) | ((<u32>1) << (j & 7))));
  }
  return true;
}

/** Runs over all rows; returns the length of the LCS. */
function computeRows(): u32 {
  const vEnd = work + (<usize>words << 3);
  for (let i: u32 = 0; i < aLen; i++) {
    const index = load<u32>(maskOf + (<usize>load<u8>(aPtr + i) << 2));
    let m = work + ((<usize>index * words) << 3);
    let carry: u64 = 0;
    for (let at = work; at < vEnd; at += 8) {
      const v = load<u64>(at);
      const u = v & load<u64>(m);
      const part = v + u;
      const sum = part + carry;
      carry = <u64>(part < v) | <u64>(sum < part);
      store<u64>(at, sum | (v ^ u));
      m += 8;
    }
    if (!wantLen) memory.copy(rows + <usize>i * stride, work, stride);
  }
  // Bits beyond bLen stay ones: nothing matches there, and a carry into them is or-ed away.
  return <u32>((<u64>words << 6) - bitsCount(work, <usize>words << 3));
}

/** Whether L grows from (i, j-1) to (i, j). */
// @ts-ignore: decorator
@inline function grows(i: u32, j: u32): bool {
  const bit = j - 1;
  return ((load<u8>(rows + <usize>(i - 1) * stride + (bit >>> 3)) >>> (bit & 7)) & 1) == 0;
}

/** The subsequence itself, from its end, to `out`. */
function collect(out: usize, length: u32): void {
  let i = aLen;
  let j = bLen;
  while (length > 0) {
    const c = load<u8>(aPtr + i - 1);
    if (c == load<u8>(bPtr + j - 1)) {
      store<u8>(out + --length, c);
      i--;
      j--;
    } else if (grows(i, j)) {
      i--;
    } else {
      j--;
    }
  }
}

function replyRange(from: u32, to: u32): void {
  replyArray(2);
  replyInt(from);
  replyInt(to);
}

/** Answers with the matching ranges from the last to the first; returns how many. */
function replyRanges(): u32 {
  let count: u32 = 0;
  let i = aLen;
  let j = bLen;
  while (i > 0 && j > 0) {
    if (load<u8>(aPtr + i - 1) != load<u8>(bPtr + j - 1)) {
      if (grows(i, j)) i--;
      else j--;
      continue;
    }
    const aEnd = i - 1;
    const bEnd = j - 1;
    while (i > 0 && j > 0 && load<u8>(aPtr + i - 1) == load<u8>(bPtr + j - 1)) {
      i--;
      j--;
    }
    const length = aEnd - i + 1;
    if (<i64>length < minMatchLen) continue;
    replyArray(wantMatchLen ? 3 : 2);
    replyRange(i, aEnd);
    replyRange(j, bEnd);
    if (wantMatchLen) replyInt(length);
    count++;
  }
  return count;
}

export function cmdLcs(): void {
  if (!stringsOrReply() || !optionsOrReply() || !workOrReply()) return;
  const length = computeRows();
  if (wantLen) {
    replyInt(length);
  } else if (wantIdx) {
    replyMap(2);
    replyBulkLiteral('matches');
    const holder = replyDeferred();
    const count = replyRanges();
    replyBulkLiteral('len');
    replyInt(length);
    replyDeferredArrayEnd(holder, count);
  } else {
    const out = alloc(length);
    if (out == 0) {
      replyError('ERR Insufficient memory, failed allocating transient memory for LCS');
    } else {
      collect(out, length);
      replyBulk(out, length);
      free(out);
    }
  }
  free(work);
}
