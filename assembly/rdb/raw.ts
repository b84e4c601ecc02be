/*
 * The bytes of a value as they stand in the file, for consumers that hand them on: DUMP payloads,
 * files of another version. Off unless `rdbKeepRaw` was called.
 *
 *   key | value head | elements ...     the raw value begins behind the key; the type byte
 *       ^rawOffset                    ^   before the key is no part of it
 *
 * A value that lies whole in the chunk is handed out as a pointer into it. Otherwise the end of
 * each chunk is appended to a buffer, before the chunk is given up. When that holds more than the
 * limit, there are two ways on, as `rdbKeepRaw` was told:
 *
 *   in pieces   record RAW: r.rawPtr, r.rawSize are the next bytes of the value; the buffer is
 *               empty again. What is left is there with the value's last record.
 *   rewinding   the reader goes back to the key and delivers it once more, with r.isReplay set and
 *               nothing kept, out of the buffer first: the consumer gets the value's records after
 *               all (it may have skipped the value until then).
 *
 * Not here: what a payload is made of beside the value (type, version, checksum).
 */
import { alloc, free, realloc } from '../base/alloc';
import { RdbReader, inputOffset, stringReset } from './input';
import { ST_KEY } from './reader';

/** A buffer above this is given back when the next value begins. */
const RETAIN_MAX: usize = 1 << 20;
/** Above this a buffer grows by a quarter, not by doubling, and by at most so much. */
const DOUBLE_MAX: usize = 4 << 20;
const STEP_MAX: usize = 8 << 20;
/** The limit is noticed when a chunk ends: room for a usual one beyond it. */
const CHUNK_MAX: u64 = 1 << 18;

/** Keep the bytes of values up to about `bytesMax` each (a chunk more at most); 0 = none. */
export function rdbKeepRaw(r: RdbReader, bytesMax: u64, inPieces: bool): void {
  r.rawDefault = bytesMax;
  r.rawInPieces = inPieces;
}

/** After KEY: another limit for this value alone. */
export function rdbRawLimit(r: RdbReader, bytesMax: u64): void {
  r.rawMax = bytesMax;
}

/** After KEY: the bytes of this value are not wanted. */
export function rdbDropRaw(r: RdbReader): void {
  r.isRawOn = false;
}

/** The key was read: its value begins at the next byte. */
export function rawBegin(r: RdbReader): void {
  r.isReplay = false;
  if (r.rawCap > RETAIN_MAX) {
    free(r.rawBuf);
    r.rawBuf = 0;
    r.rawCap = 0;
  }
  r.isRawOn = r.rawDefault != 0;
  r.rawMax = r.rawDefault;
  r.rawFrom = r.p;
  r.rawLen = 0;
  r.rawPtr = 0;
  r.rawSize = 0;
  r.rawGiven = false;
  r.rawOffset = inputOffset(r);
}

/** Give back the buffer. */
export function rawFree(r: RdbReader): void {
  free(r.rawBuf);
  r.rawBuf = 0;
}

/** Append [rawFrom, to) to the buffer. False when memory is short. */
function append(r: RdbReader, to: usize): bool {
  if (r.rawGiven) {
    r.rawGiven = false;
    r.rawLen = 0;
  }
  const n = to - r.rawFrom;
  const want = r.rawLen + n;
  if (want > r.rawCap) {
    const more = r.rawCap < DOUBLE_MAX ? r.rawCap : min(r.rawCap >> 2, STEP_MAX);
    const most = <usize>min<u64>(min<u64>(r.rawMax, 1 << 40) + CHUNK_MAX, <u64>r.rawCap + more);
    const cap = max(want, most);
    const moved = r.rawBuf == 0 ? alloc(cap) : realloc(r.rawBuf, cap);
    if (moved == 0) return false;
    r.rawBuf = moved;
    r.rawCap = cap;
  }
  memory.copy(r.rawBuf + r.rawLen, r.rawFrom, n);
  r.rawLen = want;
  return true;
}

/** The chunk is about to be given up. False when memory is short. */
export function rawSuspend(r: RdbReader): bool {
  if (!append(r, r.chunkEnd)) return false;
  r.rawFrom = 0;
  return true;
}

/** After a suspension: the buffer holds more than it may, and the KEY was delivered. */
export function rawIsOver(r: RdbReader): bool {
  return r.state != ST_KEY && !r.rawGiven && <u64>r.rawLen > r.rawMax;
}

/** Hand the buffer out as a piece. */
export function rawGive(r: RdbReader): void {
  r.rawPtr = r.rawBuf;
  r.rawSize = r.rawLen;
  r.rawGiven = true;
}

/** The value is at its end: rawPtr, rawSize become valid. False when memory is short. */
export function rawEnd(r: RdbReader): bool {
  r.isRawOn = false;
  if (r.rawGiven || r.rawLen == 0) {
    r.rawPtr = r.rawFrom;
    r.rawSize = r.p - r.rawFrom;
    return true;
  }
  if (!append(r, r.p)) return false;
  r.rawPtr = r.rawBuf;
  r.rawSize = r.rawLen;
  return true;
}

/**
 * The chunk is used up and the buffer has all of the value so far: back to the first byte of the
 * value, which is read out of the buffer first.
 */
export function rawRewind(r: RdbReader): void {
  r.carryLen = 0;
  r.chunk = r.rawBuf;
  r.chunkEnd = r.rawBuf + r.rawLen;
  r.chunkOffset = r.rawOffset;
  // the checksum has seen these bytes
  r.crcFrom = r.chunkEnd;
  r.p = r.chunk;
  r.end = r.chunkEnd;
  r.isReplay = true;
  r.isRawOn = false;
  r.inValue = true;
  r.mute = false;
  r.part = 1;
  r.state = ST_KEY;
  stringReset(r);
}
