/**
 * Rewriting: an RDB file made of an RDB file, of another version, with fewer keys, in several
 * parts, or out of several files one after the other. In one pass, unless more keys have to be told
 * apart than there is memory for (convert-seen.ts); memory does not grow with the file, and with
 * a value only where it must be known before it is written (see partHold).
 *
 *   convert.ts          what becomes of each record; which keys are copied, rewritten, left out
 *   convert-target.ts   what a version can hold      convert-loss.ts    what it cannot
 *   convert-route.ts    to which part a key goes     convert-parts.ts   the parts, the output
 *   convert-key.ts, convert-value.ts, convert-stream.ts, convert-put.ts   writing
 *   convert-seen.ts     which keys were there already
 *
 * A value that the target reads as it is is copied byte by byte (rdb/raw.ts) without a look inside
 * (but see convertVerifies); any other is taken apart and written anew. What stands in front of the
 * keys (auxiliary fields, functions, module data) is kept for every part; the same behind the keys
 * for the parts' ends.
 */
import { equalsLiteral, writeLiteral } from '../base/literal';
import { RdbReader } from '../rdb/input';
import {
  OP_AUX, OP_EOF, OP_FUNCTION, OP_MODULE_AUX, OP_RESIZEDB, OP_SLOT_INFO, REC_AUX, REC_EOF,
  REC_FUNCTION, REC_FUNCTION_PRE_GA, REC_MODULE_AUX, REC_RESIZEDB, REC_SLOT_IMPORT, REC_SLOT_INFO,
  REC_STREAM_NODE, TYPE_MODULE_2,
} from '../rdb/opcodes';
import { rdbDropRaw } from '../rdb/raw';
import { rdbSetHoldMax } from '../rdb/reader';
import { rdbModuleName } from '../rdb/skip';
import { keyHead, keysBegin, selectDb } from './convert-key';
import {
  LOSS_DAMAGED, LOSS_DUPLICATE, LOSS_DUPLICATE_FUNCTION, LOSS_FUNCTION, LOSS_KEY, LOSS_MODULE_AUX,
  LOSS_NEEDS_MODULE, LOSS_SLOT_IMPORT, lossBegin, lossNote, lossOf, lossTell,
} from './convert-loss';
import {
  Part, part, partAt, partBytes, partClose, partFind, partFlush, partHold, partMark,
  partOpen, partRelease, partScratch, partScratchFree, partTakeBack, partUse, partsBegin,
  partsCount, partsRush, putBytes, putDone, putRoom, putScratch,
} from './convert-parts';
import { putByte, putLength, putPacking, putSlot, putU64 } from './convert-put';
import {
  OPT_FLAGS, OPT_PACK, OPT_PASS, OPT_SEEN_BYTES, OPT_VALKEY, OPT_VERSION, SPLIT_NONE, SPLIT_SIZE,
  expectedParts, fixedParts, isFull, mapDb, routeBegin, routeKey, splitKind,
} from './convert-route';
import {
  SEEN_PARTS, TURN_NOW, TURN_NO_MEMORY, TURN_OTHER, seenAdd, seenHas, seenName, seenNextPass,
  seenReset, seenTo, seenTurn,
} from './convert-seen';
import { streamBegin, streamDrop, streamEnd, streamRecord } from './convert-stream';
import {
  SINCE_AUX, SINCE_CHECKSUM, SINCE_FUNCTIONS, SINCE_MODULES, SINCE_MODULE_AUX, SINCE_SLOT_INFO,
  SINCE_STREAMS, SINCE_VECTOR_SETS, canCopy, streamTarget, target, targetIsValkey, targetSet,
} from './convert-target';
import {
  BLOB_TAKEN, valueBegin, valueBlob, valueDrop, valueElement, valueEnd,
  valueField, valueScored,
} from './convert-value';
import { SHAPE_OTHER, SHAPE_STREAM, SHAPE_STRING } from './event';
import { facts, isContainer, isEmptyCollection } from './facts';
import { filterAllows, filterIsSure, filterNeedsValue } from './filter';
import { optionNumber } from './options';
import { outFail } from './out';

// ---- flags, in OPT_FLAGS
export const CONVERT_DROP_EXPIRY: u32 = 1;
/** All keys are kept, in their databases, in one file: announcements of their numbers are right. */
export const CONVERT_ALL: u32 = 2;
/** A key that is damaged, or at which the file ends, is left out, and the output ends properly. */
export const CONVERT_SALVAGE: u32 = 4;
/** Another file went before into the same output; another will follow. */
export const CONVERT_GOES_ON: u32 = 8;
export const CONVERT_MORE_FOLLOWS: u32 = 16;
/** A key that was written already is left out. Takes more passes when `seenTo` says so. */
export const CONVERT_UNIQUE: u32 = 32;

/** Libraries of functions that were written already are left out. */
export const CONVERT_UNIQUE_FUNCTIONS: u32 = 64;

/** Longer strings are not collected to be looked into. */
const STRING_MAX: u64 = 4 << 20;
/** Pieces of values that do not lie whole in a chunk. */
export const CONVERT_PIECE: u64 = 1 << 16;

// What becomes of the current key.
const PLAN_COPY: u32 = 0;
const PLAN_REWRITE: u32 = 1;
const PLAN_STREAM: u32 = 2;
const PLAN_DROP: u32 = 3;

/** Numbers functions and their contents apart from keys in the table of what is there. */
const DB_FUNCTION_NAMES: u32 = 0xfffffffe;
const DB_FUNCTION_CODE: u32 = 0xfffffffd;

let flags: u32 = 0;
let hasTarget: bool = false;
/** A part was opened: what is about the file comes too late for its head. */
let isStarted: bool = false;
/** The reader of the current key. */
let source: RdbReader = changetype<RdbReader>(0);
let plan: u32 = PLAN_DROP;
/** TURN_* of the current key, and whether it is noted as written when its value passed. */
let turn: i32 = TURN_NOW;
let notesLate: bool = false;
/** How often the files were read before. */
let pass: u32 = 0;
let hasHead: bool = false;
let isOpen: bool = false;
let nodes: u64 = 0;
/** Where the current key begins in its part; it can be taken back whatever its size. */
let mark: usize = 0;
let canTakeBack: bool = false;
/** What of the part had left its buffer then: as long as that is all, it can be taken back, too. */
let markLeft: u64 = 0;
/** The source breaks off, and so do the parts: without their proper end. */
let isCut: bool = false;
/** What stands in front of all keys, and behind them (only where there are several parts). */
let head: usize = 0;
let tail: usize = 0;

/** A file comes next, in its pass. False: no memory. */
export function convertBegin(): bool {
  flags = <u32>optionNumber(OPT_FLAGS);
  hasTarget = false;
  isOpen = false;
  lossBegin();
  putPacking(<u32>optionNumber(OPT_PACK));
  routeBegin();
  if (!keysBegin((flags & CONVERT_DROP_EXPIRY) != 0)) return false;
  const before = pass;
  pass = <u32>optionNumber(OPT_PASS);
  if (pass > before) seenNextPass();
  if (flags & CONVERT_GOES_ON) return true;
  isStarted = false;
  isCut = false;
  seenReset(<u64>optionNumber(OPT_SEEN_BYTES));
  if (!partsBegin(expectedParts())) return false;
  partScratchFree(head);
  partScratchFree(tail);
  head = partScratch();
  tail = partScratch();
  return head != 0 && tail != 0;
}

/** The version is known with the first record. */
function settleTarget(r: RdbReader): void {
  if (hasTarget) return;
  hasTarget = true;
  targetSet(r, <u32>optionNumber(OPT_VERSION), optionNumber(OPT_VALKEY) != 0);
}

// ---- parts

function openPart(label: u32): void {
  const opened = partOpen(label);
  if (opened == null) return;
  partUse(opened);
  const at = putRoom(9);
  if (at == 0) return;
  const letters = <usize>writeLiteral(at, targetIsValkey ? 'VALKEY' : 'REDIS');
  let rest = target;
  for (let i: usize = 8; i >= letters; i--) {
    store<u8>(at + i, <u8>(48 + rest % 10));
    rest /= 10;
  }
  putDone(9);
  putScratch(head);
}

function start(): void {
  if (isStarted) return;
  isStarted = true;
  const fixed = fixedParts();
  for (let i: u32 = 0; i < fixed; i++) openPart(i);
  if (splitKind == SPLIT_SIZE) openPart(0);
}

/** The part of the current key becomes the current one. False: there can be no more. */
function usePart(r: RdbReader): bool {
  start();
  if (splitKind == SPLIT_SIZE) {
    if (partsCount != 0) partUse(partAt(partsCount - 1));
    if (partsCount == 0 || isFull(partBytes())) {
      endPart();
      openPart(partsCount);
    }
    return partsCount != 0;
  }
  const label = splitKind == SPLIT_NONE ? 0 : routeKey(r);
  if (changetype<usize>(part) != 0 && !part.isScratch && part.label == label) return true;
  const found = partFind(label);
  if (found != null) {
    partUse(found);
    return true;
  }
  const before = partsCount;
  openPart(label);
  return partsCount > before;
}

/** Where what is about the file is written now. */
function useFilePart(): void {
  if (!isStarted) partUse(changetype<Part>(head));
  else if (splitKind == SPLIT_NONE && partsCount != 0) partUse(partAt(0));
  else partUse(changetype<Part>(tail));
}

/** Writes the end of the current part. */
function endPart(): void {
  if (changetype<usize>(part) == 0 || part.isScratch) return;
  if (splitKind != SPLIT_SIZE) putScratch(tail);
  if (!isCut) putByte(OP_EOF);
  if (!isCut && target >= SINCE_CHECKSUM) {
    partFlush();
    putU64(part.crc);
  }
  partClose();
}

/** Another file follows, or another pass over all of them. */
function isGoingOn(): bool {
  return (flags & CONVERT_MORE_FOLLOWS) != 0 || seenTo < SEEN_PARTS;
}

/** The file is at its end; so is the output, unless there is more to come. */
export function convertFinish(r: RdbReader): void {
  settleTarget(r);
  start();
  if (!isGoingOn()) endParts();
}

function endParts(): void {
  if (splitKind == SPLIT_SIZE) {
    // parts before the last have ended already
    if (partsCount == 0) return;
    partUse(partAt(partsCount - 1));
    putScratch(tail);
    endPart();
    return;
  }
  for (let i: u32 = 0; i < partsCount; i++) {
    partUse(partAt(i));
    endPart();
  }
}

/**
 * The file breaks off: what was whole stays. The output ends properly only if it was told to
 * salvage; else it breaks off, too, so that nobody takes it for a whole copy.
 */
export function convertBroken(r: RdbReader): void {
  if (isOpen) giveUp();
  const isSalvaged = (flags & CONVERT_SALVAGE) != 0;
  if (isSalvaged && isGoingOn()) return;
  if (r.version == 0 && !isStarted) return;
  isCut = !isSalvaged;
  settleTarget(r);
  start();
  partsRush();
  endParts();
}

// ---- about the file

export function convertFile(r: RdbReader, kind: i32): void {
  if (kind == REC_EOF) return;
  settleTarget(r);
  if (pass > 0) return;
  switch (kind) {
    case REC_AUX:
      aux(r);
      break;
    case REC_RESIZEDB:
      if (!(flags & CONVERT_ALL) || target < SINCE_AUX) break;
      start();
      if (partsCount == 0) break;
      partUse(partAt(0));
      selectDb(r.db);
      putByte(OP_RESIZEDB);
      putLength(r.n0);
      putLength(r.n1);
      break;
    case REC_SLOT_INFO:
      if (!(flags & CONVERT_ALL) || target < SINCE_SLOT_INFO || targetIsValkey) break;
      start();
      if (partsCount == 0) break;
      partUse(partAt(0));
      selectDb(r.db);
      putByte(OP_SLOT_INFO);
      putLength(r.n0);
      putLength(r.n1);
      putLength(r.n2);
      break;
    case REC_FUNCTION:
    case REC_FUNCTION_PRE_GA:
      library(r, kind == REC_FUNCTION_PRE_GA);
      break;
    case REC_MODULE_AUX:
      moduleAux(r);
      break;
    case REC_SLOT_IMPORT:
      lossOf(LOSS_SLOT_IMPORT, r.count, r.a.ptr, r.a.len, r);
      break;
  }
}

/** Fields in front of the keys are the file's; those between them count keys of a slot. */
function aux(r: RdbReader): void {
  const isKept = isStarted ? (flags & CONVERT_ALL) != 0 : (flags & CONVERT_GOES_ON) == 0;
  if (!isKept || target < SINCE_AUX) return;
  if (!(flags & CONVERT_ALL) && equalsLiteral(r.a.ptr, <u32>r.a.len, 'slot-info')) return;
  useFilePart();
  if (isStarted) selectDb(r.db);
  putByte(OP_AUX);
  putSlot(r.a);
  putSlot(r.b);
}

const shebang = memory.data(16);

/** A library; before their release, functions had a name beside the code instead of inside. */
function library(r: RdbReader, isPreGa: bool): void {
  const code = isPreGa ? r.b : r.a;
  const name = isPreGa ? r.a.ptr : code.ptr;
  const nameLen = isPreGa ? r.a.len : firstLine(code.ptr, code.len);
  if (flags & CONVERT_UNIQUE_FUNCTIONS) {
    // the same library again is no loss, another of that name is
    if (!isNewName(DB_FUNCTION_CODE, code.ptr, code.len)) return;
    if (!isNewName(DB_FUNCTION_NAMES, name, nameLen)) {
      lossOf(LOSS_DUPLICATE_FUNCTION, 1, name, nameLen, r);
      return;
    }
  }
  if (target < SINCE_FUNCTIONS) {
    lossOf(LOSS_FUNCTION, 1, name, nameLen, r);
    return;
  }
  useFilePart();
  putByte(OP_FUNCTION);
  if (!isPreGa) {
    putSlot(code);
    return;
  }
  const n = <usize>writeLiteral(shebang, '#!lua name=');
  putLength(n + nameLen + 1 + code.len);
  putBytes(shebang, n);
  putBytes(name, nameLen);
  putByte(10);
  putBytes(code.ptr, code.len);
}

function isNewName(kind: u32, ptr: usize, len: usize): bool {
  if (seenName(kind, ptr, len)) return seenAdd();
  outFail();
  return false;
}

function firstLine(ptr: usize, len: usize): usize {
  let n: usize = 0;
  while (n < len && load<u8>(ptr + n) != 10) n++;
  return n;
}

const moduleName = memory.data(16);

function moduleAux(r: RdbReader): void {
  if (target < SINCE_MODULE_AUX || r.rawPtr == 0) {
    rdbModuleName(moduleName, r.moduleId);
    lossOf(LOSS_MODULE_AUX, 1, moduleName, 9, r);
    return;
  }
  useFilePart();
  putByte(OP_MODULE_AUX);
  putLength(r.moduleId);
  // "when" as module data: an unsigned number
  putLength(2);
  putLength(r.n0);
  putBytes(r.rawPtr, r.rawSize);
}

// ---- keys

/** A key that passed the filters. */
export function convertKey(r: RdbReader): void {
  settleTarget(r);
  lossBegin();
  source = r;
  nodes = r.count;
  hasHead = false;
  isOpen = true;
  const db = mapDb(r.db);
  turn = TURN_NOW;
  notesLate = false;
  plan = flags & CONVERT_UNIQUE ? planOfUnique(db, r) : planOf(r);
  if (plan != PLAN_DROP && !usePart(r)) plan = PLAN_DROP;
  const isRewritten = plan == PLAN_REWRITE || plan == PLAN_STREAM;
  if (plan != PLAN_COPY) rdbDropRaw(r);
  rdbSetHoldMax(r, isRewritten ? u64.MAX_VALUE : holdToVerify(r.type));
  if (plan == PLAN_DROP) return;
  selectDb(db);
  mark = partMark();
  markLeft = part.bytes;
  canTakeBack = filterNeedsValue() || (flags & CONVERT_SALVAGE) != 0;
  if (canTakeBack) partHold();
  if (plan == PLAN_COPY) keyHead(r, r.type);
  else valueBegin();
}

/** Whether the records of the value are needed, beside its bytes. */
export function convertWantsValue(): bool {
  if (plan == PLAN_REWRITE || plan == PLAN_STREAM || filterNeedsValue()) return true;
  return convertVerifies() && (plan == PLAN_COPY || notesLate);
}

/** The longest string that is collected to be looked into, of a value that is not rewritten. */
function holdToVerify(type: u32): u64 {
  if (!convertVerifies()) return 0;
  return isContainer(type) ? u64.MAX_VALUE : STRING_MAX;
}

/** Whether what is copied has to be whole inside. */
export function convertVerifies(): bool {
  return (flags & CONVERT_SALVAGE) != 0;
}

function planOf(r: RdbReader): u32 {
  if (r.type == TYPE_MODULE_2) return planOfModule(r);
  if (canCopy(r)) return PLAN_COPY;
  if (facts.shape == SHAPE_STREAM && target >= SINCE_STREAMS) return PLAN_STREAM;
  if (facts.shape != SHAPE_STREAM && facts.shape != SHAPE_OTHER) return PLAN_REWRITE;
  lossNote(LOSS_KEY, 1);
  return PLAN_DROP;
}

/** A module's data are its own; those of vector sets came with a version of Redis. */
function planOfModule(r: RdbReader): u32 {
  rdbModuleName(moduleName, r.moduleId);
  const isVectorSet = equalsLiteral(moduleName, 9, 'vectorset');
  const isKnown = isVectorSet ? target >= SINCE_VECTOR_SETS && !targetIsValkey
    : target >= SINCE_MODULES;
  if (!isKnown) {
    lossNote(LOSS_KEY, 1);
    return PLAN_DROP;
  }
  const isSame = target == r.version && targetIsValkey == r.isValkey;
  if (!isVectorSet && !isSame) lossNote(LOSS_NEEDS_MODULE, 1);
  return PLAN_COPY;
}

/** What becomes of a key that must not come twice. */
function planOfUnique(db: u32, r: RdbReader): u32 {
  turn = seenTurn(db, r.key.ptr, r.key.len);
  if (turn == TURN_NO_MEMORY) outFail();
  if (turn == TURN_NO_MEMORY || turn == TURN_OTHER) return PLAN_DROP;
  let found = planOf(r);
  if (found != PLAN_DROP) {
    // one that a filter has not judged, or that may be damaged, is noted at its end (convertEnd)
    notesLate = filterNeedsValue() || convertVerifies();
    if (notesLate ? seenHas() : !seenAdd()) {
      lossNote(LOSS_DUPLICATE, 1);
      found = PLAN_DROP;
    }
  }
  if (turn == TURN_NOW) return found;
  // all that was told in an earlier pass
  lossBegin();
  return PLAN_DROP;
}

/** The next bytes of a value that is copied. */
export function convertRaw(r: RdbReader): void {
  if (plan != PLAN_COPY) return;
  putBytes(r.rawPtr, r.rawSize);
  settleHold(r);
}

/** A filter by size may be sure before the value is whole. */
function settleHold(r: RdbReader): void {
  if (!canTakeBack || (flags & CONVERT_SALVAGE)) return;
  // of a string the estimate comes with its end, but its length is known
  const isLong = facts.shape == SHAPE_STRING && filterAllows(r.strFull);
  if (!isLong && !filterIsSure()) return;
  canTakeBack = false;
  partRelease();
}

/** A container: BLOB_* of convert-value.ts. */
export function convertBlob(r: RdbReader, kind: i32): i32 {
  if (plan == PLAN_COPY || plan == PLAN_DROP) return BLOB_TAKEN;
  if (kind == REC_STREAM_NODE) {
    convertEntry(r, kind);
    return BLOB_TAKEN;
  }
  return valueBlob(r);
}

export function convertElement(): void {
  if (plan == PLAN_REWRITE) valueElement(source);
}

export function convertField(): void {
  if (plan == PLAN_REWRITE) valueField(source);
}

export function convertScored(): void {
  if (plan == PLAN_REWRITE) valueScored(source);
}

/** A record of a stream. */
export function convertEntry(r: RdbReader, kind: i32): void {
  if (plan != PLAN_STREAM) return;
  if (!hasHead) {
    hasHead = true;
    keyHead(r, streamTarget());
    streamBegin(streamTarget(), nodes);
  }
  streamRecord(r, kind);
}

/** The value is whole; `isWanted`: it passed the filters that need the value. */
export function convertEnd(r: RdbReader, isWanted: bool): void {
  if (plan == PLAN_COPY) putBytes(r.rawPtr, r.rawSize);
  else if (plan == PLAN_REWRITE) valueEnd(r);
  else if (plan == PLAN_STREAM) streamEnd();
  if (convertVerifies() && isEmpty()) {
    convertDamage(r);
    return;
  }
  isOpen = false;
  const isWritten = plan != PLAN_DROP;
  if (isWritten && canTakeBack) {
    if (!isWanted) partTakeBack(mark);
    partRelease();
  }
  if (!isWanted) return;
  lossTell(r);
  if (notesLate) seenAdd();
  if (isWritten) part.keys++;
}

/** A collection without elements, which servers refuse or leave out. */
function isEmpty(): bool {
  return convertWantsValue() && isEmptyCollection(source);
}

/** The current value is damaged and left out. */
export function convertDamage(r: RdbReader): void {
  giveUp();
  if (turn == TURN_NOW) lossOf(LOSS_DAMAGED, 1, r.key.ptr, r.key.len, r);
}

function giveUp(): void {
  isOpen = false;
  if (plan == PLAN_DROP) return;
  if (canTakeBack || part.bytes == markLeft) partTakeBack(mark);
  if (plan == PLAN_REWRITE) valueDrop();
  else if (plan == PLAN_STREAM) streamDrop();
  if (canTakeBack) partRelease();
}
