/**
 * The driver: one pass over a file, record by record, and what a mode has to say about it.
 *
 *   inspectOpen(mode, flags)
 *   for each chunk:  inspectFeed(ptr, len)
 *                    while ((step = inspectStep()) == STEP_OUTPUT) take outPtr, outLen; outTaken()
 *                    // STEP_MORE: the chunk is used up
 *   no more bytes:   inspectFinish()
 *   inspectClose()
 *
 * Values arrive as the file has them, one record an element or one record a container; the driver
 * walks containers, so that modes see elements only (event.ts). It can stop in the middle of a
 * container when the output is full. What a mode does not look at is passed over unread.
 *
 * A damaged container does not stop the reader, whose records are whole: the driver ends there with
 * INSPECT_ERR_BLOB, or, told to salvage, says so through the mode and goes on with the next key.
 */
import { alloc, free } from '../base/alloc';
import { string2d, doubleValue } from '../base/numbers/double';
import { string2ll, llValue } from '../base/numbers/integers';
import { RdbReader } from '../rdb/input';
import {
  BLOB_INTSET, BLOB_LISTPACK, FORM_INT, RDB_ERROR, RDB_NEED_MORE, REC_BLOB, REC_ELEMENT, REC_EOF,
  REC_FIELD, REC_KEY, REC_KEY_META, REC_RAW, REC_SCORED, REC_STREAM_NODE, REC_STRING,
  REC_VALUE_END, REC_VALUE_SKIPPED, TYPE_HASH_LISTPACK_EX, TYPE_HASH_LISTPACK_EX_PRE_GA,
} from '../rdb/opcodes';
import { rdbDropRaw, rdbKeepRaw } from '../rdb/raw';
import {
  rdbClose, rdbFeed, rdbFinish, rdbNext, rdbOpen, rdbSetHoldMax, rdbSkipValue,
} from '../rdb/reader';
import {
  BlobWalk, STREAM_FLAG_DELETED, STREAM_WALK_SIZE, StreamWalk, WALK_SIZE, streamField, streamNext,
  streamOpen, walkNext, walkOpen,
} from '../rdb/values';
import {
  SHAPE_HASH, SHAPE_ZSET, eventEntry, eventExpire, eventScore, eventString, eventValue,
} from './event';
import {
  facts, factsBlob, factsElement, factsEnd, factsField, factsKey, factsNode, factsScored,
  factsStream, factsString, isContainer, isEmptyCollection,
} from './facts';
import {
  INSPECT_ERR_BLOB, INSPECT_ERR_EMPTY, INSPECT_ERR_MEMORY, inspectError, setInspectError,
} from './failure';
import { filterIsDone, filterIsSure, filterKey, filterNeedsValue, filterValue } from './filter';
import {
  outBegin, outDrop, outFailed, outHold, outHoldsMuch, outIsFull, outLen, outRelease, outSettle,
} from './out';
import {
  modeBegin, modeBlob, modeBroken, modeDamage, modeElement, modeElements, modeEnd, modeEntry,
  modeEntryEnd, modeEntryField, modeFacts, modeField, modeFile, modeFinish, modeHold,
  modeHoldsBack, modeKey, modeKeyMeta, modeMindsEmpty, modeRaw, modeRawInPieces, modeRawMax,
  modeScored, modeString, modeValues, modeVerifies,
} from './mode';
import { tallyBegin, tallyDamage, tallyEnd, tallyKey } from './tally';
import { verifyBlob, verifyNode } from './verify';

export const STEP_ERROR: i32 = -1;
export const STEP_MORE: i32 = 0;
/** The whole file was read. */
export const STEP_END: i32 = 1;
/** The output is to be taken. */
export const STEP_OUTPUT: i32 = 2;

/** Flags of `inspectOpen` beside RDB_NO_CHECKSUM and RDB_ALLOW_FUTURE. */
export const INSPECT_SALVAGE: u32 = 1 << 8;

const WALK_NONE: u32 = 0;
const WALK_PLAIN: u32 = 1;
const WALK_PAIRS: u32 = 2;
const WALK_TRIPLES: u32 = 3;
const WALK_STREAM: u32 = 4;

export let reader: RdbReader = changetype<RdbReader>(0);
let flags: u32 = 0;
let walkKind: u32 = WALK_NONE;
let walk: BlobWalk = changetype<BlobWalk>(0);
let streamWalk: StreamWalk = changetype<StreamWalk>(0);
/** In the middle of a stream entry: its fields are under way. */
let inEntry: bool = false;
/** The current key was filtered out. */
let skipping: bool = false;
let ended: bool = false;
/** The mode was told of the error. */
let isBroken: bool = false;
/** An integer's text of the first of a pair. */
const firstText = memory.data(32);

/** Starts an inspection; false when memory is short. */
export function inspectOpen(openFlags: u32): bool {
  flags = openFlags;
  setInspectError(0);
  ended = false;
  isBroken = false;
  skipping = false;
  walkKind = WALK_NONE;
  tallyBegin();
  const block = rdbOpen(openFlags & 0xff);
  const walks = alloc(WALK_SIZE + STREAM_WALK_SIZE);
  if (block == 0 || walks == 0 || !outBegin()) {
    free(walks);
    if (block != 0) rdbClose(changetype<RdbReader>(block));
    return false;
  }
  reader = changetype<RdbReader>(block);
  walk = changetype<BlobWalk>(walks);
  streamWalk = changetype<StreamWalk>(walks + WALK_SIZE);
  const hold = modeHold();
  if (hold != 0) rdbSetHoldMax(reader, hold);
  rdbKeepRaw(reader, modeRawMax(), modeRawInPieces());
  return modeBegin();
}

export function inspectClose(): void {
  if (changetype<usize>(reader) == 0) return;
  rdbClose(reader);
  free(changetype<usize>(walk));
  reader = changetype<RdbReader>(0);
}

export function inspectFeed(ptr: usize, len: usize): void {
  rdbFeed(reader, ptr, len);
}

/** No more bytes will come: STEP_END, STEP_OUTPUT (take, call again) or STEP_ERROR. */
export function inspectFinish(): i32 {
  if (inspectError != 0) return broken();
  if (!ended && rdbFinish(reader) == RDB_ERROR) return broken();
  return outLen > 0 || !outSettle() ? STEP_OUTPUT : STEP_END;
}

/** Goes on until the chunk is used up, the output is full, or there is an end. */
export function inspectStep(): i32 {
  while (true) {
    if (!outSettle() || outIsFull()) return STEP_OUTPUT;
    if (outHoldsMuch() && filterIsSure()) outRelease();
    if (outFailed) setInspectError(INSPECT_ERR_MEMORY);
    if (inspectError != 0) return broken();
    if (ended) return outLen > 0 ? STEP_OUTPUT : STEP_END;
    if (walkKind != WALK_NONE) {
      if (!walkOn()) damaged();
      continue;
    }
    const kind = rdbNext(reader);
    if (kind <= RDB_NEED_MORE) return kind == RDB_NEED_MORE ? STEP_MORE : broken();
    record(kind);
  }
}

/** An end that is none: the mode completes what it has begun, and nothing is held back. */
function broken(): i32 {
  if (!isBroken) {
    isBroken = true;
    outRelease();
    modeBroken(reader);
  }
  return STEP_ERROR;
}

function record(kind: i32): void {
  if (kind == REC_KEY_META) {
    modeKeyMeta(reader);
  } else if (kind > REC_KEY) {
    valueRecord(kind);
  } else if (kind == REC_KEY) {
    factsKey(reader);
    // a key that is told once more, because its bytes are too many, has been let in before
    if (!reader.isReplay) {
      tallyKey(reader);
      skipping = !filterKey(reader);
    }
    if (skipping) {
      rdbDropRaw(reader);
      rdbSkipValue(reader);
      return;
    }
    if (filterNeedsValue() && !modeHoldsBack()) outHold();
    modeKey(reader);
    if (!modeValues()) rdbSkipValue(reader);
    else if (!modeElements()) rdbSetHoldMax(reader, isContainer(reader.type) ? modeHold() : 32);
  } else {
    modeFile(reader, kind);
    if (kind == REC_EOF) {
      tallyEnd(reader);
      modeFinish(reader);
      ended = true;
    }
  }
}

function valueRecord(kind: i32): void {
  if (skipping) return;
  switch (kind) {
    case REC_STRING:
      eventString(reader.a.ptr, reader.a.len, reader.a.form == FORM_INT);
      factsString(reader);
      modeString(reader);
      endValue();
      break;
    case REC_ELEMENT:
      eventString(reader.a.ptr, reader.a.len, reader.a.form == FORM_INT);
      factsElement();
      modeElement();
      break;
    case REC_FIELD:
      eventString(reader.a.ptr, reader.a.len, reader.a.form == FORM_INT);
      eventValue(reader.b.ptr, reader.b.len);
      eventExpire(reader.fieldExpireMs);
      factsField();
      modeField();
      break;
    case REC_SCORED:
      eventString(reader.a.ptr, reader.a.len, reader.a.form == FORM_INT);
      eventScore(reader.score);
      factsScored();
      modeScored();
      break;
    case REC_BLOB:
      openBlob();
      break;
    case REC_STREAM_NODE:
      openNode();
      break;
    case REC_RAW:
      modeRaw(reader);
      break;
    case REC_VALUE_END:
    case REC_VALUE_SKIPPED:
      endValue();
      break;
    default:
      factsStream(reader, kind);
      modeEntry(reader, kind);
  }
}

/** The value is whole: last facts, then the filters that need them, then the mode. */
function endValue(): void {
  factsEnd(reader);
  if (modeMindsEmpty() && isEmptyCollection(reader)) {
    if ((flags & INSPECT_SALVAGE) == 0) {
      setInspectError(INSPECT_ERR_EMPTY);
      return;
    }
    tallyDamage();
  }
  const isWanted = filterValue();
  modeEnd(reader, isWanted);
  if (isWanted) outRelease();
  else outDrop();
  // as many keys as were asked for: what follows is not read
  if (filterIsDone()) {
    modeFinish(reader);
    ended = true;
  }
}

function damaged(): void {
  walkKind = WALK_NONE;
  if (flags & INSPECT_SALVAGE) {
    tallyDamage();
    modeDamage(reader);
    outRelease();
    rdbDropRaw(reader);
    rdbSkipValue(reader);
    skipping = true;
  } else {
    setInspectError(INSPECT_ERR_BLOB);
  }
}

// ---- containers

function openBlob(): void {
  const isGood = !modeFacts() || factsBlob(reader, walk);
  if (!modeElements()) {
    if (!isGood) damaged();
    return;
  }
  // Too long to be held where only sizes are asked for: a container that nobody looks into.
  if (reader.a.ptr == 0) return;
  if (modeVerifies() && !verifyBlob(reader, walk)) {
    damaged();
    return;
  }
  const taken = modeBlob(reader, REC_BLOB);
  if (taken > 0) return;
  if (taken < 0 || !walkOpen(walk, reader.container, reader.a.ptr, reader.a.len)) {
    damaged();
    return;
  }
  const isEx = reader.type == TYPE_HASH_LISTPACK_EX || reader.type == TYPE_HASH_LISTPACK_EX_PRE_GA;
  if (isEx) walkKind = WALK_TRIPLES;
  else if (facts.shape == SHAPE_HASH || facts.shape == SHAPE_ZSET) walkKind = WALK_PAIRS;
  else walkKind = WALK_PLAIN;
}

function openNode(): void {
  const isHeld = reader.b.ptr != 0;
  if (isHeld && (!reopenNode() || (modeVerifies() && !verifyNode(streamWalk)))) {
    damaged();
    return;
  }
  if (isHeld && modeVerifies()) reopenNode();
  const isGood = !modeFacts() || factsNode(reader, streamWalk);
  if (!modeElements()) {
    if (!isGood) damaged();
    return;
  }
  if (modeBlob(reader, REC_STREAM_NODE) > 0 || !isHeld || !reopenNode()) return;
  walkKind = WALK_STREAM;
  inEntry = false;
}

function reopenNode(): bool {
  return streamOpen(streamWalk, reader.n0, reader.n1, reader.b.ptr, reader.b.len);
}

/** Walks until the end of the container or until the output is full. False: damage. */
function walkOn(): bool {
  if (walkKind == WALK_STREAM) return streamOn();
  while (!outIsFull()) {
    const got = walkNext(walk);
    if (got <= 0) {
      walkKind = WALK_NONE;
      return got == 0;
    }
    if (walkKind == WALK_PLAIN) {
      eventString(walk.ptr, walk.len, walk.isInt);
      modeElement();
    } else if (!walkPair()) {
      return false;
    }
    if (!outSettle() || outHoldsMuch()) break;
  }
  return true;
}

/** The second of a pair (and third of a triple) behind the first, which the walk stands on. */
function walkPair(): bool {
  let ptr = walk.ptr;
  const len = walk.len;
  const isInt = walk.isInt;
  if (isInt) {
    memory.copy(firstText, ptr, len);
    ptr = firstText;
  }
  if (walkNext(walk) != 1) return false;
  eventString(ptr, len, isInt);
  if (facts.shape == SHAPE_ZSET) {
    if (walk.isInt) {
      eventScore(<f64>walk.int);
    } else {
      if (!string2d(walk.ptr, walk.len)) return false;
      eventScore(doubleValue);
    }
    modeScored();
    return true;
  }
  eventValue(walk.ptr, walk.len);
  if (walkKind == WALK_PAIRS) {
    eventExpire(-1);
    modeField();
    return true;
  }
  return walkTriple();
}

const secondText = memory.data(32);
function walkTriple(): bool {
  if (walk.isInt) {
    memory.copy(secondText, walk.ptr, walk.len);
    eventValue(secondText, walk.len);
  }
  if (walkNext(walk) != 1) return false;
  let at: i64 = walk.int;
  if (!walk.isInt) {
    if (!string2ll(walk.ptr, walk.len)) return false;
    at = llValue;
  }
  // 0 stands for "does not expire"
  eventExpire(at == 0 ? <i64>-1 : at);
  modeField();
  return true;
}

function streamOn(): bool {
  while (!outIsFull()) {
    if (inEntry) {
      const got = streamField(streamWalk);
      if (got < 0) return false;
      if (got == 0) {
        inEntry = false;
        modeEntryEnd();
      } else {
        eventString(streamWalk.fieldPtr, streamWalk.fieldLen, false);
        eventValue(streamWalk.valuePtr, streamWalk.valueLen);
        modeEntryField();
      }
    } else {
      const got = streamNext(streamWalk);
      if (got <= 0) {
        walkKind = WALK_NONE;
        return got == 0;
      }
      const isDeleted = (streamWalk.flags & STREAM_FLAG_DELETED) != 0;
      eventEntry(streamWalk.ms, streamWalk.seq, isDeleted);
      if (isDeleted) continue;
      inEntry = true;
      modeEntry(reader, REC_STREAM_NODE);
    }
    if (!outSettle() || outHoldsMuch()) break;
  }
  return true;
}
