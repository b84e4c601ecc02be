/**
 * BITFIELD and BITFIELD_RO: integers of any width within a string.
 *
 * The arguments are read twice: once to check all of them, as one wrong operation must keep the
 * others from running, and once to run them. A field of w bits at offset o is the big-endian
 * number in the bits o … o+w-1; it may lie across nine bytes.
 */
import { llValue, string2ll } from '../base/numbers/integers';
import { client } from '../clients/client';
import { htItem } from '../hashtable/hashtable';
import {
  bitmapGrew,
  bitmapOrReply,
  bitOffset,
  bitOffsetOrReply,
} from '../keyspace/bitmap';
import { dbAt, entryType, foundSlot, lookupRead, signalModified } from '../keyspace/db';
import { NOTIFY_STRING, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { stringLength, stringRead, strLen, strPtr } from '../keyspace/strings';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError, replyWrongType } from '../resp/errors';
import {
  errorBegin,
  errorEnd,
  errorText,
  replyArray,
  replyError,
  replyInt,
  replyNull,
} from '../resp/reply';
import { TYPE_STRING } from '../types/object';

const OP_GET: u32 = 0;
const OP_SET: u32 = 1;
const OP_INCRBY: u32 = 2;
const OP_OVERFLOW: u32 = 3;

const WRAP: u32 = 0;
const SAT: u32 = 1;
const FAIL: u32 = 2;

// The operation read last.
let op: u32 = 0;
let isSigned: bool = false;
let width: u32 = 0;
let offset: u64 = 0;
let operand: i64 = 0;
/** What OVERFLOW said last. */
let overflow: u32 = 0;

/** i8, u63 and so on; false = answered. */
function typeOrReply(i: u32): bool {
  const len = argLen(i);
  const kind: u32 = len == 0 ? 0 : load<u8>(argPtr(i));
  isSigned = kind == 0x69;
  if ((isSigned || kind == 0x75) && string2ll(argPtr(i) + 1, len - 1)) {
    if (llValue >= 1 && llValue <= (isSigned ? 64 : 63)) {
      width = <u32>llValue;
      return true;
    }
  }
  errorBegin('ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not ');
  errorText('supported but i64 is.');
  errorEnd();
  return false;
}

function overflowOrReply(i: u32): bool {
  op = OP_OVERFLOW;
  if (argIs(i, 'wrap')) overflow = WRAP;
  else if (argIs(i, 'sat')) overflow = SAT;
  else if (argIs(i, 'fail')) overflow = FAIL;
  else {
    replyError('ERR Invalid OVERFLOW type specified');
    return false;
  }
  return true;
}

/** Reads the operation at argument `i`; returns the argument behind it, 0 = answered. */
function operationOrReply(i: u32): u32 {
  const left = argc - i - 1;
  if (argIs(i, 'get') && left >= 2) op = OP_GET;
  else if (argIs(i, 'set') && left >= 3) op = OP_SET;
  else if (argIs(i, 'incrby') && left >= 3) op = OP_INCRBY;
  else if (argIs(i, 'overflow') && left >= 1) return overflowOrReply(i + 1) ? i + 2 : 0;
  else {
    replySyntaxError();
    return 0;
  }
  if (!typeOrReply(i + 1) || !bitOffsetOrReply(i + 2, width)) return 0;
  offset = bitOffset;
  if (op == OP_GET) return i + 3;
  if (!argI64OrReply(i + 3)) return 0;
  operand = argInt;
  return i + 4;
}

// ---- fields

/** The field as an unsigned number; bytes behind `len` are zeros. */
function fieldLoad(ptr: usize, len: u32): u64 {
  const first = offset >> 3;
  const shift = offset & 7;
  let high: u64 = 0;
  for (let k: u64 = 0; k < 8; k++) {
    high <<= 8;
    if (first + k < len) high |= <u64>load<u8>(ptr + <usize>(first + k));
  }
  high <<= shift;
  if (shift != 0 && first + 8 < len) {
    high |= <u64>load<u8>(ptr + <usize>(first + 8)) >> (8 - shift);
  }
  return high >> (64 - <u64>width);
}

/** Writes the low bits of `value` to the field, which lies within the string. */
function fieldStore(ptr: usize, value: u64): void {
  let end = offset + width;
  let left = width;
  while (left > 0) {
    const at = ptr + <usize>((end - 1) >> 3);
    const used = (<u32>(end - 1) & 7) + 1;
    const n = min(used, left);
    const shift = 8 - used;
    const mask: u32 = (((<u32>1) << n) - 1) << shift;
    store<u8>(at, <u8>((<u32>load<u8>(at) & ~mask) | ((<u32>value << shift) & mask)));
    value >>= n;
    end -= n;
    left -= n;
  }
}

// @ts-ignore: decorator
@inline function signExtend(value: u64): i64 {
  const up = 64 - <u64>width;
  return <i64>(value << up) >> <i64>up;
}

/** Value to be stored, by `addSigned` and `addUnsigned`. */
let result: u64 = 0;

/**
 * old + by as a signed field in `result`, under the overflow rule; true = it did not fit.
 * Redis: the room above is a difference that may wrap, so a SET far below the least is "above".
 */
function addSigned(old: i64, by: i64): bool {
  const most = <i64>(((<u64>1) << <u64>(width - 1)) - 1);
  const least = -most - 1;
  const sum = old + by;
  const isWrapped = ((old ^ sum) & (by ^ sum)) < 0;
  let isAbove = isWrapped && by > 0;
  let isBelow = isWrapped && by < 0;
  if (width < 64) {
    isAbove = old > most || by > most - old;
    isBelow = !isAbove && (old < least || by < least - old);
  }
  if (overflow == SAT && isAbove) result = <u64>most;
  else if (overflow == SAT && isBelow) result = <u64>least;
  else result = <u64>signExtend(<u64>(old + by));
  return isAbove || isBelow;
}

/** The same unsigned. Redis: SET takes a negative operand for a number that is far too large. */
function addUnsigned(old: u64, by: i64): bool {
  const most = ((<u64>1) << <u64>width) - 1;
  const isAbove = old > most || (by > 0 && <u64>by > most - old);
  const isBelow = !isAbove && by < 0 && 0 - <u64>by > old;
  if (overflow == SAT && isAbove) result = most;
  else if (overflow == SAT && isBelow) result = 0;
  else result = (old + <u64>by) & most;
  return isAbove || isBelow;
}

/** Of the last `change`: it was refused, as the value did not fit. */
let isRefused: bool = false;

/** Runs the SET or INCRBY read last and answers; true = the field has changed. */
function change(ptr: usize, len: u32): bool {
  const raw = fieldLoad(ptr, len);
  const old = isSigned ? signExtend(raw) : <i64>raw;
  const from = op == OP_SET ? operand : old;
  const by = op == OP_SET ? 0 : operand;
  const isOver = isSigned ? addSigned(from, by) : addUnsigned(<u64>from, by);
  isRefused = isOver && overflow == FAIL;
  if (isRefused) {
    replyNull();
    return false;
  }
  replyInt(op == OP_SET ? old : <i64>result);
  fieldStore(ptr, result);
  return <i64>result != old;
}

// ---- the commands

/** Of the checked arguments: how many operations, the last bit they write, whether any writes. */
let count: u32 = 0;
let lastBit: u64 = 0;
let isWriting: bool = false;

function checkOrReply(): bool {
  count = 0;
  lastBit = 0;
  isWriting = false;
  for (let i: u32 = 2; i < argc; ) {
    i = operationOrReply(i);
    if (i == 0) return false;
    if (op == OP_OVERFLOW) continue;
    count++;
    if (op == OP_GET) continue;
    isWriting = true;
    lastBit = max(lastBit, offset + width - 1);
  }
  return true;
}

/** Runs all operations on the string; returns how many changed it. */
function run(ptr: usize, len: u32): u32 {
  let changes: u32 = 0;
  overflow = WRAP;
  replyArray(count);
  for (let i: u32 = 2; i < argc; ) {
    i = operationOrReply(i);
    if (op == OP_OVERFLOW) continue;
    if (op == OP_GET) {
      const raw = fieldLoad(ptr, len);
      replyInt(isSigned ? signExtend(raw) : <i64>raw);
    } else if (change(ptr, len) || (bitmapGrew && !isRefused)) {
      changes++;
    }
  }
  return changes;
}

function readFields(db: usize): void {
  const item = lookupRead(db, argPtr(1), argLen(1));
  if (item != 0 && entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  if (item == 0) {
    run(0, 0);
    return;
  }
  stringRead(item);
  run(strPtr, strLen);
}

function writeFields(db: usize): void {
  const ptr = bitmapOrReply(db, lastBit);
  if (ptr == 0) return;
  const grew = bitmapGrew;
  const changes = run(ptr, stringLength(htItem(foundSlot)));
  if (changes > 0) {
    signalModified(db, argPtr(1), argLen(1));
    notifyKeyspaceEvent(NOTIFY_STRING, 'setbit', client.db, argPtr(1), argLen(1));
    markDirty(changes);
  } else if (grew) {
    // Redis: a string that grew although every write failed is not propagated, and replicas
    // differ. Here they are told, the reply is the same.
    markDirty(1);
  }
}

function bitfield(mayWrite: bool): void {
  if (!checkOrReply()) return;
  const db = dbAt(client.db);
  if (!isWriting) readFields(db);
  else if (mayWrite) writeFields(db);
  else replyError('ERR BITFIELD_RO only supports the GET subcommand');
}

export function cmdBitfield(): void {
  bitfield(true);
}

export function cmdBitfieldRo(): void {
  bitfield(false);
}
