/*
 * The reader's object and its input: how bytes that arrive in pieces become whole units.
 *
 * A *unit* is what is decoded at once or not at all: an opcode with its numbers, a length, the head
 * of a string. No unit is longer than UNIT_MAX. Code that decodes one looks at [r.p, r.end), and
 * either calls `commit` with the place behind it, or returns RDB_NEED_MORE having changed nothing;
 * asked again after the next chunk it starts over at the same place.
 *
 *   chunk (the caller's)   |....................|uuu|      `uuu`: head of an unfinished unit
 *                                                 |  suspend copies it
 *   carry (ours)                                [uuu|nnnnnnn......]
 *                                                    |  rdbFeed appends the start of the new chunk
 *   chunk (the caller's)                            |nnnnnnn......................|
 *
 * After a feed that finds a carry, the window [p, end) is the carry; the first commit lies beyond
 * the old bytes by construction, and the window goes back to the chunk at the matching place.
 *
 * String bodies are no units. A body that lies whole in the chunk is handed out as a pointer into
 * it. Otherwise it is collected in its slot's buffer, which doubles as bytes *arrive*; the declared
 * length only caps it. So a file cannot make us allocate more than twice what it has sent, or, for
 * LZF, LZF_EXPANSION_MAX times that, which is the most its bytes can stand for.
 *
 * What a record in the making, and the key of a value in the making, still need when a chunk ends
 * is copied out of it (`suspend`). That is why a consumer must read `r.key.ptr` anew each time.
 *
 * The checksum runs over whole chunks when they end (and once more up to EOF), not over units.
 */
import { alloc, free, realloc } from '../base/alloc';
import { crc64 } from '../base/crc64';
import { INT_CHARS_MAX, ll2string } from '../base/numbers/integers';
import { lzfDecompress, lzfHave, lzfPart } from '../encoding/lzf';
import {
  lenDecode, lenValue, strBody, strDecode, strForm, strInt, strLen,
} from './length';
import {
  ERR_INTERNAL, ERR_LENGTH, ERR_LZF, ERR_LZF_RATIO, ERR_MEMORY, ERR_STRING, ERR_STRING_TOO_LONG,
  FORM_INT, FORM_LZF, FORM_RAW, RDB_ERROR, RDB_NEED_MORE, RDB_NO_CHECKSUM,
} from './opcodes';
import { rawFree, rawSuspend } from './raw';

/** Bytes of the longest unit (STREAM_META: nine lengths of nine bytes), and of the carry. */
export const UNIT_MAX: usize = 96;
/** The most one packed byte can stand for: three bytes of a long match give 264. */
export const LZF_EXPANSION_MAX: u64 = 88;
/** A slot's buffer above this is given back when the value it served is over. */
const RETAIN_MAX: usize = 65536;
const COLLECT_MIN: u64 = 256;
/** Packed strings above this are unpacked as they arrive; so much of one is held at a time. */
const UNPACK_WHOLE_MAX: u64 = 1 << 20;
const UNPACK_WINDOW: usize = 1 << 13;

/** What is wanted of a string: nothing; its bytes, unless the value is passed over; its bytes. */
const WANT_NONE: u32 = 0;
const WANT_VALUE: u32 = 1;
const WANT_ALWAYS: u32 = 2;

/** Phases of the string being read: its head, its body into a slot, its body unread. */
const STR_HEAD: u32 = 0;
const STR_COLLECT: u32 = 1;
const STR_PASS: u32 = 2;

/** A string of the current record. */
@unmanaged
export class Slot {
  /** The bytes; 0 when the string was passed over (longer than `holdMax`, or value skipped). */
  ptr: usize;
  /** Its length, also when passed over (0xffffffff stands for anything longer). */
  len: usize;
  /** Own buffer for collected and unpacked strings, 0 = none yet. */
  buf: usize;
  cap: usize;
  /** FORM_*: how it stood in the file. */
  form: u32;
  /** The number, valid for FORM_INT; ptr and len are its decimal text. */
  int: i32;
  // INT_CHARS_MAX bytes of text follow
}

// @ts-ignore: decorator
@inline
const SLOT_SIZE: usize = (offsetof<Slot>() + INT_CHARS_MAX + 7) & ~7;

/** Everything one file in the making needs. Consumers read the fields named in reader.ts. */
@unmanaged
export class RdbReader {
  // -- input: the chunk, the window in it or in the carry
  /** Window: next byte, and the end of what may be looked at. */
  p: usize;
  end: usize;
  chunk: usize;
  chunkEnd: usize;
  /** Place in the file of `chunk`. */
  chunkOffset: u64;
  /** Start of the carry, UNIT_MAX bytes of the same block. */
  carry: usize;
  /** Bytes of earlier chunks in the carry; 0: the window is the chunk. */
  carryLen: usize;
  /** First byte of the chunk that `crc` does not cover yet. */
  crcFrom: usize;
  crc: u64;
  /** The checksum the file ends with, valid with REC_EOF and ERR_CHECKSUM. */
  crcStored: u64;
  verdict: u32;

  // -- the string in the making
  strPhase: u32;
  /** Bytes of its body not seen yet, and those collected. */
  strLeft: u64;
  strHave: usize;
  /** Packed bytes that wait in front of `packed`, of a string that is unpacked as it arrives. */
  strWaiting: usize;
  strPacked: u64;
  strFull: u64;
  strForm: u32;
  /** Place of its head; not kept up for strings that lie whole in the chunk (readString). */
  strOffset: u64;
  /** Strings longer than this are an error (default 0xf0000000). */
  stringMax: u64;
  /** Value strings longer than this are passed over unless they lie whole in the chunk. */
  holdMax: u64;
  /** A slot holds more than RETAIN_MAX. */
  hasBig: bool;
  /** The rest of the current value is passed over. */
  mute: bool;

  // -- state: which unit comes next
  flags: u32;
  state: u32;
  part: u32;
  /** What rdbNext returned last. */
  last: i32;
  left: u64;
  sub: u64;
  isPayload: bool;
  isValkey: bool;
  version: u32;

  // -- error
  err: i32;
  errArg: u64;
  errOffset: u64;

  // -- the current database and key
  db: u32;
  type: u32;
  /** Place of the key's first byte (of its prefix opcodes where it has them). */
  keyOffset: u64;
  expireMs: i64;
  hasExpire: bool;
  hasPrefix: bool;
  inValue: bool;
  idleSec: i64;
  freq: i32;
  /** Classes of module metadata passed over before this key. */
  metaCount: u64;
  count: u64;

  // -- the current record
  key: Slot;
  a: Slot;
  b: Slot;
  /** Packed bytes of an LZF string in the making. */
  packed: Slot;
  container: u32;
  score: f64;
  fieldExpireMs: i64;
  minExpireMs: i64;
  n0: u64;
  n1: u64;
  n2: u64;
  n3: u64;
  n4: u64;
  n5: u64;
  n6: u64;
  n7: u64;
  moduleId: u64;

  // -- the bytes of the value as they are (raw.ts)
  /** Limits: of every value (0 = nothing is kept), of this one. */
  rawDefault: u64;
  rawMax: u64;
  rawInPieces: bool;
  /** The current value's bytes are being kept. */
  isRawOn: bool;
  /** The buffer was handed out as a piece. */
  rawGiven: bool;
  /** The current key and its value are delivered once more. */
  isReplay: bool;
  /** First byte of the value in the chunk that the buffer does not have. */
  rawFrom: usize;
  rawBuf: usize;
  rawLen: usize;
  rawCap: usize;
  /** The value (its next piece), valid with its last record (with RAW). */
  rawPtr: usize;
  rawSize: usize;
  /** Place of the value's first byte. */
  rawOffset: u64;

  // -- what was skipped, templates (skip.ts, templates.ts)
  opString: bool;
  /** Slot b, too, is needed when the chunk ends. */
  keepsB: bool;
  skipped: usize;
  skippedLen: u32;
  templates: usize;
  templateAt: usize;
}

/** Bytes of the block `readerAlloc` makes: the object, four slots, the carry. */
// @ts-ignore: decorator
@inline
const READER_SIZE: usize = ((offsetof<RdbReader>() + 7) & ~7) + 4 * SLOT_SIZE + UNIT_MAX;

/** A zeroed reader with its slots, or 0 when memory is short. Freed by readerFree. */
export function readerAlloc(): usize {
  const block = alloc(READER_SIZE);
  if (!block) return 0;
  memory.fill(block, 0, READER_SIZE);
  const r = changetype<RdbReader>(block);
  let at = block + ((offsetof<RdbReader>() + 7) & ~7);
  r.key = changetype<Slot>(at);
  at += SLOT_SIZE;
  r.a = changetype<Slot>(at);
  at += SLOT_SIZE;
  r.b = changetype<Slot>(at);
  at += SLOT_SIZE;
  r.packed = changetype<Slot>(at);
  at += SLOT_SIZE;
  r.carry = at;
  r.stringMax = 0xf0000000;
  r.holdMax = u64.MAX_VALUE;
  return block;
}

/** Give back the reader and its buffers. */
export function readerFree(r: RdbReader): void {
  rawFree(r);
  free(r.key.buf);
  free(r.a.buf);
  free(r.b.buf);
  free(r.packed.buf);
  free(changetype<usize>(r));
}

// ---- window

/** Make [ptr, ptr + len) the chunk; the last one is used up. */
export function inputFeed(r: RdbReader, ptr: usize, len: usize): void {
  r.chunkOffset += r.chunkEnd - r.chunk;
  r.chunk = ptr;
  r.chunkEnd = ptr + len;
  r.crcFrom = ptr;
  r.rawFrom = ptr;
  if (r.carryLen) {
    const take = min(UNIT_MAX - r.carryLen, len);
    memory.copy(r.carry + r.carryLen, ptr, take);
    r.p = r.carry;
    r.end = r.carry + r.carryLen + take;
  } else {
    r.p = ptr;
    r.end = ptr + len;
  }
}

/** The unit before `p` is decoded. */
// @ts-ignore: decorator
@inline
export function commit(r: RdbReader, p: usize): void {
  r.p = p;
  if (r.carryLen) leaveCarry(r);
}

function leaveCarry(r: RdbReader): void {
  r.p = r.chunk + (r.p - r.carry - r.carryLen);
  r.end = r.chunkEnd;
  r.carryLen = 0;
}

/** Place in the file of the next byte. */
export function inputOffset(r: RdbReader): u64 {
  if (r.carryLen) return r.chunkOffset - r.carryLen + (r.p - r.carry);
  return r.chunkOffset + (r.p - r.chunk);
}

/**
 * The window holds no whole unit: take over what the chunk still has of use. Returns RDB_NEED_MORE,
 * or RDB_ERROR when memory for it is short. Afterwards the chunk's memory is the caller's again.
 */
export function suspend(r: RdbReader): i32 {
  const rest = r.end - r.p;
  if (r.carryLen) {
    if (rest >= UNIT_MAX) return fail(r, ERR_INTERNAL);
  } else {
    if (rest > UNIT_MAX) return fail(r, ERR_INTERNAL);
    memory.copy(r.carry, r.p, rest);
  }
  r.carryLen = rest;
  if (!(r.flags & RDB_NO_CHECKSUM)) r.crc = crc64(r.crc, r.crcFrom, r.chunkEnd - r.crcFrom);
  if (r.isRawOn && !rawSuspend(r)) return fail(r, ERR_MEMORY);
  if (r.inValue && !keep(r, r.key)) return fail(r, ERR_MEMORY);
  if (r.keepsB && !keep(r, r.b)) return fail(r, ERR_MEMORY);
  if (r.part > 0) {
    if (!keep(r, r.a)) return fail(r, ERR_MEMORY);
  } else if (r.a.ptr - r.chunk < r.chunkEnd - r.chunk) {
    r.a.ptr = 0;
  }
  r.chunkOffset += r.chunkEnd - r.chunk;
  r.chunk = 0;
  r.chunkEnd = 0;
  r.crcFrom = 0;
  r.p = rest ? r.carry : 0;
  r.end = r.p + rest;
  return RDB_NEED_MORE;
}

/** Copy a string that lies in the chunk into its slot's own buffer. */
function keep(r: RdbReader, s: Slot): bool {
  if (s.ptr - r.chunk >= r.chunkEnd - r.chunk || s.len == 0) return true;
  if (!reserve(r, s, s.len, s.len, 0)) return false;
  memory.copy(s.buf, s.ptr, s.len);
  s.ptr = s.buf;
  return true;
}

/** Note an error at the next byte. The reader stays there. Returns RDB_ERROR. */
export function fail(r: RdbReader, code: i32): i32 {
  return failAt(r, code, inputOffset(r), 0);
}

/** Note an error at `offset`, about the number `arg`. Returns RDB_ERROR. */
export function failAt(r: RdbReader, code: i32, offset: u64, arg: u64): i32 {
  r.err = code;
  r.errOffset = offset;
  r.errArg = arg;
  return RDB_ERROR;
}

// ---- numbers

/** Why unitLength returned 0: RDB_NEED_MORE or RDB_ERROR. */
export let unitStop: i32 = 0;

/**
 * Part of a unit: the length at `p` goes to `lenValue`. Returns the place behind it, or 0 with
 * `unitStop` for the caller to return.
 */
export function unitLength(r: RdbReader, p: usize): usize {
  const used = lenDecode(p, r.end);
  if (used > 0) return p + used;
  unitStop = used == 0 ? RDB_NEED_MORE : failAt(r, ERR_LENGTH, inputOffset(r) + (p - r.p), 0);
  return 0;
}

/** Part of a unit: are there `bytes` at `p`? Sets `unitStop` if not. */
// @ts-ignore: decorator
@inline
export function unitHas(r: RdbReader, p: usize, bytes: usize): bool {
  if (r.end - p >= bytes) return true;
  unitStop = RDB_NEED_MORE;
  return false;
}

// ---- strings

/**
 * Read a string into slot `s`. Returns 1 when `s` holds it (or has passed over it: ptr 0), else
 * RDB_NEED_MORE or RDB_ERROR for the caller to return. May grow memory.
 */
export function readString(r: RdbReader, s: Slot): i32 {
  if (r.strPhase == STR_HEAD && !r.carryLen) {
    const p = r.p;
    const room = r.end - p;
    if (room >= 2) {
      let len: usize = load<u8>(p);
      let body = p + 1;
      if (len >= 0x40 && len < 0x80) {
        len = ((len & 0x3f) << 8) | <usize>load<u8>(p, 1);
        body++;
      }
      if (len < 0x4000 && (body > p + 1 || len < 0x40) && len <= r.end - body) {
        s.ptr = body;
        s.len = len;
        s.form = FORM_RAW;
        r.p = body + len;
        return 1;
      }
    }
  }
  return readStringSlow(r, s, WANT_VALUE);
}

/**
 * Part `part` of a record, a string, if it is its turn; r.part is the next one's then. 1 when the
 * part is there, else as `readString`.
 */
export function stringPart(r: RdbReader, part: u32, s: Slot): i32 {
  if (r.part != part) return 1;
  const done = readString(r, s);
  if (done > 0) r.part = part + 1;
  return done;
}

/** Read past a string without holding it; its length goes to `s.len`. Returns as readString. */
export function passString(r: RdbReader, s: Slot): i32 {
  return readStringSlow(r, s, WANT_NONE);
}

/** As readString, but holds the string whatever `mute` and `holdMax` say. */
export function readStringAlways(r: RdbReader, s: Slot): i32 {
  return readStringSlow(r, s, WANT_ALWAYS);
}

function readStringSlow(r: RdbReader, s: Slot, want: u32): i32 {
  if (r.strPhase == STR_HEAD) {
    const done = readHead(r, s, want == WANT_VALUE && r.mute ? WANT_NONE : want);
    if (done <= 0 || r.strPhase == STR_HEAD) return done;
  }
  if (r.strPhase == STR_PASS) return passBody(r, s);
  return readBody(r, s);
}

/** The head. Returns 1: decoded; the string is whole if strPhase is still STR_HEAD. */
function readHead(r: RdbReader, s: Slot, want: u32): i32 {
  const used = strDecode(r.p, r.end);
  if (used == 0) return RDB_NEED_MORE;
  if (used < 0) return failAt(r, ERR_STRING, inputOffset(r), load<u8>(r.p));
  s.form = strForm;
  r.strOffset = inputOffset(r);
  if (strForm == FORM_INT) {
    s.int = strInt;
    s.ptr = changetype<usize>(s) + offsetof<Slot>();
    s.len = ll2string(strInt, s.ptr);
    commit(r, r.p + used);
    return 1;
  }
  if (strForm == FORM_LZF) {
    if (strBody == 0 || strLen == 0) return fail(r, ERR_LZF);
    if ((strLen - 1) / LZF_EXPANSION_MAX >= strBody) {
      return failAt(r, ERR_LZF_RATIO, inputOffset(r), strLen);
    }
  }
  if (want && (strLen > r.stringMax || strBody > r.stringMax)) {
    return failAt(r, ERR_STRING_TOO_LONG, inputOffset(r), strLen);
  }
  // what the slot held is over: suspend must not copy it onto what is being collected
  s.ptr = 0;
  r.strForm = strForm;
  r.strFull = strLen;
  r.strPacked = strBody;
  r.strLeft = strBody;
  r.strHave = 0;
  r.strWaiting = 0;
  commit(r, r.p + used);
  const isWhole = strForm == FORM_RAW && strBody <= r.end - r.p;
  let isHeld = want != WANT_NONE;
  if (want == WANT_VALUE) isHeld = isWhole || strLen <= r.holdMax || !r.inValue;
  r.strPhase = isHeld ? STR_COLLECT : STR_PASS;
  return 1;
}

/** The next `len` bytes are a string without a head: readString reads it. */
export function beginRaw(r: RdbReader, len: u32): void {
  r.strOffset = inputOffset(r);
  r.strForm = FORM_RAW;
  r.strFull = len;
  r.strPacked = len;
  r.strLeft = len;
  r.strHave = 0;
  r.strPhase = STR_COLLECT;
}

/** Forget the string in the making: its value is read anew. */
export function stringReset(r: RdbReader): void {
  r.strPhase = STR_HEAD;
  r.opString = false;
  r.keepsB = false;
  r.a.ptr = 0;
  r.b.ptr = 0;
}

function passBody(r: RdbReader, s: Slot): i32 {
  const take = min<u64>(r.strLeft, r.end - r.p);
  r.strLeft -= take;
  r.p += <usize>take;
  if (r.strLeft) return RDB_NEED_MORE;
  r.strPhase = STR_HEAD;
  s.ptr = 0;
  s.len = <usize>min<u64>(r.strFull, 0xffffffff);
  return 1;
}

function readBody(r: RdbReader, s: Slot): i32 {
  const isPacked = r.strForm == FORM_LZF;
  const into = isPacked ? r.packed : s;
  let src: usize;
  if (r.strHave == 0 && r.strLeft <= r.end - r.p) {
    src = r.p;
    r.p += <usize>r.strLeft;
    r.strHave = <usize>r.strLeft;
  } else if (isPacked && r.strPacked > UNPACK_WHOLE_MAX) {
    return unpackBody(r, s);
  } else {
    const take = <usize>min<u64>(r.strLeft, r.end - r.p);
    if (!reserve(r, into, r.strHave + take, r.strPacked, r.strHave)) {
      return failAt(r, ERR_MEMORY, r.strOffset, r.strPacked);
    }
    memory.copy(into.buf + r.strHave, r.p, take);
    r.p += take;
    r.strHave += take;
    r.strLeft -= take;
    if (r.strLeft) return RDB_NEED_MORE;
    src = into.buf;
  }
  r.strPhase = STR_HEAD;
  if (!isPacked) {
    s.ptr = src;
    s.len = r.strHave;
    return 1;
  }
  const full = <usize>r.strFull;
  if (!reserve(r, s, full, full, 0)) return failAt(r, ERR_MEMORY, r.strOffset, full);
  if (!lzfDecompress(src, <u32>r.strHave, s.buf, <u32>full)) {
    return failAt(r, ERR_LZF, r.strOffset, 0);
  }
  s.ptr = s.buf;
  s.len = full;
  return 1;
}

/** A long packed string: unpacked window by window, so that it is never held twice. */
function unpackBody(r: RdbReader, s: Slot): i32 {
  const packed = r.packed;
  const full = <usize>r.strFull;
  if (!reserve(r, packed, UNPACK_WINDOW, UNPACK_WINDOW, 0)) {
    return failAt(r, ERR_MEMORY, r.strOffset, UNPACK_WINDOW);
  }
  while (r.strLeft != 0) {
    const room = min(r.end - r.p, UNPACK_WINDOW - r.strWaiting);
    const take = <usize>min<u64>(r.strLeft, room);
    if (take == 0) return RDB_NEED_MORE;
    memory.copy(packed.buf + r.strWaiting, r.p, take);
    r.p += take;
    r.strLeft -= take;
    const have = r.strWaiting + take;
    const want = min<u64>(full, <u64>r.strHave + <u64>have * LZF_EXPANSION_MAX);
    if (!reserve(r, s, <usize>want, full, r.strHave)) {
      return failAt(r, ERR_MEMORY, r.strOffset, full);
    }
    const used = lzfPart(packed.buf, have, s.buf, r.strHave, <usize>want);
    if (used < 0) return failAt(r, ERR_LZF, r.strOffset, 0);
    r.strHave = lzfHave;
    r.strWaiting = have - <usize>used;
    memory.copy(packed.buf, packed.buf + <usize>used, r.strWaiting);
  }
  r.strPhase = STR_HEAD;
  if (r.strWaiting != 0 || r.strHave != full) return failAt(r, ERR_LZF, r.strOffset, 0);
  s.ptr = s.buf;
  s.len = full;
  return 1;
}

/**
 * Make room for `want` bytes in the slot's buffer, keeping the first `have`. Grows by doubling, no
 * further than `total`, the declared length. False when memory is short (nothing changed).
 */
function reserve(r: RdbReader, s: Slot, want: usize, total: u64, have: usize): bool {
  if (want <= s.cap) return true;
  const cap = <usize>max<u64>(min<u64>(max<u64>(<u64>s.cap * 2, COLLECT_MIN), total), want);
  let buf: usize;
  if (have) {
    buf = realloc(s.buf, cap);
  } else {
    free(s.buf);
    s.buf = 0;
    s.cap = 0;
    buf = alloc(cap);
  }
  if (!buf) return false;
  s.buf = buf;
  s.cap = cap;
  if (cap > RETAIN_MAX) r.hasBig = true;
  return true;
}

/** Between values: give back buffers that one large string made large. */
export function releaseBig(r: RdbReader): void {
  r.hasBig = false;
  releaseSlot(r.key);
  releaseSlot(r.a);
  releaseSlot(r.b);
  releaseSlot(r.packed);
}

function releaseSlot(s: Slot): void {
  if (s.cap <= RETAIN_MAX) return;
  free(s.buf);
  s.buf = 0;
  s.cap = 0;
  s.ptr = 0;
  s.len = 0;
}
