/**
 * PFADD PFCOUNT PFMERGE PFDEBUG PFSELFTEST: keys and replies. Registers are types/hyperloglog.ts's.
 *
 * A command that changes a sparse HyperLogLog, or makes one, does so in a copy and puts that in its
 * place at the end, so one that fails has changed nothing.
 */
import { alloc, free } from '../base/alloc';
import { ll2string } from '../base/numbers/integers';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead, lookupWrite, signalModified } from '../keyspace/db';
import { NOTIFY_STRING, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import {
  stringBytes,
  stringMutable,
  stringPutZeros,
  stringRead,
  strLen,
  strPtr,
} from '../keyspace/strings';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replyWrongType } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorInt,
  errorText,
  replyArray,
  replyBulk,
  replyError,
  replyInt,
  replyOk,
  replySimple,
} from '../resp/reply';
import {
  HLL_DENSE,
  HLL_HEADER,
  HLL_NONE,
  HLL_REGISTERS,
  HLL_SPARSE,
  hllCached,
  hllCount,
  hllCountMerged,
  hllDenseGet,
  hllDenseRaise,
  hllEditBegin,
  hllEditEnd,
  hllEditLen,
  hllEditPtr,
  hllEditRaise,
  hllEditToDense,
  hllEstimate,
  hllHash,
  hllIndex,
  hllIsFresh,
  hllKind,
  hllMerge,
  hllMergeBegin,
  hllMerged,
  hllRank,
  hllRun,
  hllRunIsLong,
  hllRunLen,
  hllRunValue,
  hllSetCached,
  hllSetStale,
} from '../types/hyperloglog';
import { TYPE_STRING } from '../types/object';

/** The HyperLogLog looked at: its bytes (0 = there is none) and HLL_DENSE or HLL_SPARSE. */
let hllPtr: usize = 0;
let hllLen: u32 = 0;
let kind: i32 = HLL_NONE;

/** Reads the HyperLogLog in an entry (0 = none); false: it is something else, answered. */
function hllOrReply(item: usize): bool {
  hllPtr = 0;
  hllLen = 0;
  kind = HLL_NONE;
  if (item == 0) return true;
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return false;
  }
  stringRead(item);
  hllPtr = strPtr;
  hllLen = strLen;
  kind = hllKind(hllPtr, hllLen);
  if (kind != HLL_NONE) return true;
  replyError('WRONGTYPE Key is not a valid HyperLogLog string value.');
  return false;
}

/**
 * The same for commands that may write, of the last lookup. Redis: its encoding is raw from then
 * on. That cannot fail here, as the length stays.
 */
function hllToWriteOrReply(item: usize): bool {
  if (!hllOrReply(item)) return false;
  if (item != 0) hllPtr = stringMutable(dbAt(client.db), hllLen, false);
  return true;
}

/** Its runs are not those of 16384 registers. */
function replyBroken(): void {
  replyError('INVALIDOBJ Corrupted HLL object detected');
}

/** Makes the copy the string of argument 1, the last lookup's. False: no memory, answered. */
function putEdit(): bool {
  const db = dbAt(client.db);
  let to: usize = 0;
  if (hllPtr != 0) to = stringMutable(db, hllEditLen, false);
  else if (stringPutZeros(db, 1, hllEditLen)) to = stringBytes();
  if (to == 0) {
    replyOom();
    return false;
  }
  memory.copy(to, hllEditPtr, hllEditLen);
  return true;
}

/** The key in argument 1 has changed. Redis: PFMERGE is a PFADD to those who listen. */
function changed(count: u64): void {
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STRING, 'pfadd', client.db, argPtr(1), argLen(1));
  markDirty(count);
}

// ---- PFADD

/** What adding answers where it did not end well: it was answered, or runs are broken. */
const ANSWERED: i64 = -2;
const BROKEN: i64 = -1;

/** Adds the arguments to a dense HyperLogLog in place; how many registers changed. */
function addDense(): i64 {
  let raised: i64 = 0;
  for (let i: u32 = 2; i < argc; i++) {
    hllHash(argPtr(i), argLen(i));
    if (hllDenseRaise(hllPtr, hllIndex, hllRank)) raised++;
  }
  if (raised != 0) hllSetStale(hllPtr);
  return raised;
}

/** Adds the arguments to the copy; how many registers changed, or BROKEN. */
function addToEdit(): i64 {
  let raised: i64 = 0;
  for (let i: u32 = 2; i < argc; i++) {
    hllHash(argPtr(i), argLen(i));
    const result = hllEditRaise(hllIndex, hllRank);
    if (result < 0) return BROKEN;
    raised += result;
  }
  return raised;
}

/** Adds the arguments to a sparse or new HyperLogLog; a new one is a change itself. */
function addSparse(): i64 {
  if (!hllEditBegin(hllPtr, hllLen, argc - 2)) {
    replyOom();
    return ANSWERED;
  }
  let raised = addToEdit();
  if (hllPtr == 0) raised++;
  if (raised > 0) {
    hllSetStale(hllEditPtr);
    if (!putEdit()) raised = ANSWERED;
  }
  hllEditEnd();
  return raised;
}

export function cmdPfadd(): void {
  if (!hllToWriteOrReply(lookupWrite(dbAt(client.db), argPtr(1), argLen(1)))) return;
  const raised = kind == HLL_DENSE ? addDense() : addSparse();
  if (raised == BROKEN) replyBroken();
  if (raised < 0) return;
  replyInt(raised != 0 ? 1 : 0);
  if (raised != 0) changed(raised);
}

// ---- PFCOUNT

/** Raises the registers of the merge to those of all keys from argument 1 on; false: answered. */
function mergeKeysOrReply(): bool {
  mergedDense = false;
  hllMergeBegin();
  for (let i: u32 = 1; i < argc; i++) {
    if (!hllOrReply(lookupRead(dbAt(client.db), argPtr(i), argLen(i)))) return false;
    if (hllPtr == 0) continue;
    if (kind == HLL_DENSE) mergedDense = true;
    if (!hllMerge(hllPtr, hllLen)) {
      replyBroken();
      return false;
    }
  }
  return true;
}
/** One of the keys merged was dense. */
let mergedDense: bool = false;

export function cmdPfcount(): void {
  if (argc > 2) {
    if (!mergeKeysOrReply()) return;
    hllCountMerged();
    replyInt(hllEstimate);
    return;
  }
  const db = dbAt(client.db);
  if (!hllToWriteOrReply(lookupRead(db, argPtr(1), argLen(1)))) return;
  if (hllPtr == 0) {
    replyInt(0);
  } else if (hllIsFresh(hllPtr)) {
    replyInt(hllCached(hllPtr));
  } else if (!hllCount(hllPtr, hllLen)) {
    replyBroken();
  } else {
    hllSetCached(hllPtr, hllEstimate);
    replyInt(hllEstimate);
    signalModified(db, argPtr(1), argLen(1));
    markDirty(1);
  }
}

// ---- PFMERGE

/** Makes the copy the union of itself and the merge. False: its runs are broken. */
function editMerge(): bool {
  if (mergedDense && !hllEditToDense()) return false;
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) {
    const rank = hllMerged(i);
    if (rank != 0 && hllEditRaise(i, rank) < 0) return false;
  }
  return true;
}

export function cmdPfmerge(): void {
  if (!mergeKeysOrReply()) return;
  if (!hllToWriteOrReply(lookupWrite(dbAt(client.db), argPtr(1), argLen(1)))) return;
  if (!hllEditBegin(hllPtr, hllLen, HLL_REGISTERS)) {
    replyOom();
    return;
  }
  if (!editMerge()) {
    replyBroken();
  } else {
    hllSetStale(hllEditPtr);
    if (putEdit()) {
      replyOk();
      changed(1);
    }
  }
  hllEditEnd();
}

// ---- PFDEBUG

/** Makes the HyperLogLog in argument 2 dense; false: answered with an error. */
function toDenseOrReply(): bool {
  if (kind == HLL_DENSE) return true;
  if (!hllEditBegin(hllPtr, hllLen, 0)) {
    replyOom();
    return false;
  }
  let isDone = hllEditToDense();
  if (!isDone) replyBroken();
  else isDone = putEdit();
  hllEditEnd();
  if (isDone) markDirty(1);
  return isDone;
}

function debugGetreg(): void {
  if (!toDenseOrReply()) return;
  const ptr = stringBytes();
  replyArray(HLL_REGISTERS);
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) replyInt(hllDenseGet(ptr, i));
}

/** Longest text of a run: "Z:16384 ". */
const RUN_TEXT_MAX: u64 = 8;

/** Writes a run as text with a blank behind it: z:n Z:n v:value,n. */
function writeRun(at: usize): usize {
  store<u8>(at, <u8>(hllRunValue != 0 ? 0x76 : hllRunIsLong ? 0x5a : 0x7a));
  store<u8>(at, 0x3a, 1);
  at += 2;
  if (hllRunValue != 0) {
    at += ll2string(hllRunValue, at);
    store<u8>(at++, 0x2c);
  }
  at += ll2string(hllRunLen, at);
  store<u8>(at, 0x20);
  return at + 1;
}

function debugDecode(): void {
  if (kind != HLL_SPARSE) {
    replyError('ERR HLL encoding is not sparse');
    return;
  }
  const room = <u64>hllLen * RUN_TEXT_MAX;
  const text = room <= u32.MAX_VALUE ? alloc(<usize>room) : 0;
  if (text == 0) {
    replyOom();
    return;
  }
  let to = text;
  for (let at = HLL_HEADER; at < hllLen; ) {
    at = hllRun(hllPtr, hllLen, at);
    to = writeRun(to);
  }
  replyBulk(text, to == text ? 0 : <u32>(to - text) - 1);
  free(text);
}

export function cmdPfdebug(): void {
  const item = lookupWrite(dbAt(client.db), argPtr(2), argLen(2));
  if (item == 0) {
    replyError('ERR The specified key does not exist');
    return;
  }
  if (!hllToWriteOrReply(item)) return;
  if (argIs(1, 'getreg')) {
    debugGetreg();
  } else if (argIs(1, 'decode')) {
    debugDecode();
  } else if (argIs(1, 'encoding')) {
    replySimple(kind == HLL_DENSE ? 'dense' : 'sparse');
  } else if (argIs(1, 'todense')) {
    const converts = kind == HLL_SPARSE;
    if (toDenseOrReply()) replyInt(converts ? 1 : 0);
  } else {
    errorBegin("ERR Unknown PFDEBUG subcommand '");
    errorBytes(argPtr(1), argLen(1), argLen(1));
    errorText("'");
    errorEnd();
  }
}

// ---- PFSELFTEST

/** Elements of the test, and the relative error an estimate may have (six standard errors). */
const TEST_ELEMENTS: u32 = 100000;
const TEST_ERROR: f64 = 6 * 1.04 / 128;
const element = memory.data(8);

function replyFailed(what: string, n: u32, is: i64): void {
  errorBegin('TESTFAILED ');
  errorText(what);
  errorInt(n);
  errorText(' but got ');
  errorInt(is);
  errorEnd();
}

/** Sets and reads dense registers, neighbours must not be touched; false: answered. */
function testRegistersOrReply(): bool {
  hllEditToDense();
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) hllDenseRaise(hllEditPtr, i, (i * 7) % 63 + 1);
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) {
    const is = hllDenseGet(hllEditPtr, i);
    if (is == (i * 7) % 63 + 1) continue;
    replyFailed('Register ', i, is);
    return false;
  }
  return true;
}

/** Adds elements and looks at the estimate at 1, 10, 100 …; false: answered. */
function testEstimateOrReply(): bool {
  let next: u32 = 1;
  for (let i: u32 = 1; i <= TEST_ELEMENTS; i++) {
    store<u64>(element, <u64>i * 0x9e3779b97f4a7c15);
    hllHash(element, 8);
    hllEditRaise(hllIndex, hllRank);
    if (i != next) continue;
    next *= 10;
    hllCount(hllEditPtr, hllEditLen);
    const off = abs(<f64>hllEstimate - <f64>i);
    if (off <= <f64>i * TEST_ERROR + 1) continue;
    replyFailed('Too big error: expected ', i, hllEstimate);
    return false;
  }
  return true;
}

export function cmdPfselftest(): void {
  for (let round: u32 = 0; round < 3; round++) {
    if (!hllEditBegin(0, 0, TEST_ELEMENTS)) {
      replyOom();
      return;
    }
    if (round == 1) hllEditToDense();
    const isGood = round == 2 ? testRegistersOrReply() : testEstimateOrReply();
    hllEditEnd();
    if (!isGood) return;
  }
  replyOk();
}
