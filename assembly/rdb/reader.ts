/*
 * The RDB reader: bytes in, records out, one record a call, nothing allocated per record. It knows
 * every opcode and type of RDB.md (Redis RDB 1-15 and Valkey 80), holds no value larger than the
 * string it delivers, and judges nothing beyond the format: duplicate keys, empty collections,
 * expired keys and the insides of containers are for its consumers (rdb/load, the inspector).
 *
 *   const r = rdbOpen(0);
 *   for each chunk:  rdbFeed(r, ptr, len);
 *                    while ((kind = rdbNext(r)) > 0) ...          // until REC_EOF
 *                    RDB_NEED_MORE: the chunk is used up; RDB_ERROR: r.err, r.errOffset, r.errArg
 *   no more bytes:   rdbFinish(r)                                  // an error unless at REC_EOF
 *   rdbClose(r);
 *
 * Records and their fields (fields not named are undefined; counts are as declared, unchecked):
 *
 *   AUX               a key, b value
 *   SELECTDB          db
 *   RESIZEDB          n0 keys, n1 of them with expiry (a hint)
 *   SLOT_INFO         n0 slot, n1 keys, n2 of them with expiry
 *   FUNCTION          a source of a library          FUNCTION_PRE_GA   a name, b code
 *   MODULE_AUX        moduleId, n0 when (raw.ts)      SLOT_IMPORT     a job, count ranges (skipped)
 *   HASH_TEMPLATE     n0 id, count fields (kept for the keys to come)
 *   KEY               key, type, db, hasExpire, expireMs (-1 without), idleSec, freq (-1 without),
 *                     keyOffset, metaCount, moduleId (type 7),
 *                     count: elements, nodes (quicklist, stream) or RDB_COUNT_UNKNOWN
 *   then the value, one of
 *     STRING            a (form and int tell how it stood)          - the whole value
 *     VALUE_SKIPPED     type, moduleId: module data, arrays         - the whole value
 *     records below, then VALUE_END
 *   BLOB              a bytes, container; minExpireMs (listpack of triples: types 23 and 25)
 *   ELEMENT           a (list, set; plain quicklist nodes)
 *   FIELD             a field, b value, fieldExpireMs (absolute, -1 without)
 *   SCORED            a member, score
 *   STREAM_*          streams.ts, at the functions of each
 *   RAW               rawPtr, rawSize: bytes of the value as they are, see raw.ts
 *   KEY_META          rawPtr, rawSize: module metadata of the next KEY, metaCount (with raw.ts)
 *   EOF               verdict, crcStored; rdbConsumed(r) bytes of the chunk belong to the RDB
 *
 * Pointers: r.key is valid until the next KEY, but may move at any call of rdbNext; r.a and r.b are
 * valid until the next call. A pointer into the chunk (rdbInChunk) is good as long as the chunk's
 * memory is, so a batch of records can be held until RDB_NEED_MORE if it has no others.
 *
 * Errors and EOF are final: every further call returns the same.
 */
import { crc64 } from '../base/crc64';
import { free } from '../base/alloc';
import { collectionValue } from './collections';
import {
  RdbReader, commit, fail, failAt, inputFeed, inputOffset, passString, readString, readerAlloc,
  readerFree, releaseBig, stringPart, suspend, unitHas, unitLength, unitStop,
} from './input';
import { lenValue } from './length';
import {
  CRC_ABSENT, CRC_DISABLED, CRC_OK, CRC_UNCHECKED, ERR_CHECKSUM, ERR_DB, ERR_MAGIC,
  ERR_MEMORY, ERR_MODULE_AUX, ERR_MODULE_PRE_GA, ERR_OPCODE, ERR_PAYLOAD_FOOTER,
  ERR_PAYLOAD_TRAILING, ERR_PAYLOAD_VERSION, ERR_PREFIX, ERR_TRUNCATED, ERR_TYPE, ERR_VERSION,
  OP_AUX, OP_ENT_RAM_LRU,
  OP_ENT_SLOT, OP_EOF, OP_EXPIRE_MS, OP_EXPIRE_SEC, OP_FREQ, OP_FUNCTION, OP_FUNCTION_PRE_GA,
  OP_HASH_TEMPLATE, OP_IDLE, OP_KEY_META, OP_MODULE_AUX, OP_RESIZEDB, OP_SELECTDB, OP_SLOT_INFO,
  RDB_ALLOW_FUTURE, RDB_ERROR, RDB_NEED_MORE, RDB_NO_CHECKSUM, RDB_VALKEY_VERSION,
  RDB_VERSION_MAX, REC_AUX, REC_EOF, REC_FUNCTION, REC_FUNCTION_PRE_GA, REC_KEY, REC_KEY_META,
  REC_MODULE_AUX,
  REC_RAW, REC_RESIZEDB, REC_SELECTDB, REC_SLOT_IMPORT, REC_SLOT_INFO, REC_STRING, REC_VALUE_END,
  REC_VALUE_SKIPPED, TYPE_ARRAY, TYPE_HASH_LISTPACK_EX, TYPE_HASH_META, TYPE_HASH_META_PRE_GA,
  TYPE_HASH_TMPL_ARRAY_REF, TYPE_LIST_QUICKLIST, TYPE_LIST_QUICKLIST_2, TYPE_MODULE_2,
  TYPE_MODULE_PRE_GA, TYPE_STREAM_4, TYPE_STRING,
} from './opcodes';
import { rawBegin, rawEnd, rawGive, rawIsOver, rawRewind } from './raw';
import { arrayHead, skipArray, skipModuleData, skipSlotRanges, tallySkipped } from './skip';
import { streamValue, streamVersion } from './streams';
import {
  isTemplateType, templateHead, templateNames, templateValue, templateValueHead, templatesFree,
} from './templates';

/** `count` of a KEY whose head does not tell it. */
export const RDB_COUNT_UNKNOWN: u64 = u64.MAX_VALUE;

/** A step without a record: go on. Between these functions only. */
const AGAIN: i32 = -2;

// What comes next in the input (r.state).
const ST_MAGIC: u32 = 0;
const ST_OPCODE: u32 = 1;
export const ST_KEY: u32 = 2;
const ST_VALUE: u32 = 3;
const ST_AUX: u32 = 4;
const ST_FUNCTION: u32 = 5;
const ST_FUNCTION_PRE_GA: u32 = 6;
const ST_MODULE_AUX: u32 = 7;
const ST_KEY_META: u32 = 8;
const ST_SLOT_IMPORT: u32 = 9;
const ST_TEMPLATE: u32 = 10;
const ST_CHECKSUM: u32 = 11;
const ST_PAYLOAD_TYPE: u32 = 12;
const ST_PAYLOAD_END: u32 = 13;
const ST_EOF: u32 = 14;
const ST_FAILED: u32 = 15;

// ---- life

/** A reader for one file, 0 when memory is short. `flags`: RDB_NO_CHECKSUM, RDB_ALLOW_FUTURE. */
export function rdbOpen(flags: u32): usize {
  const block = readerAlloc();
  if (block) changetype<RdbReader>(block).flags = flags;
  return block;
}

/** Give back all memory of the reader. Chunks are the caller's. */
export function rdbClose(r: RdbReader): void {
  templatesFree(r);
  free(r.skipped);
  readerFree(r);
}

/** Strings longer than `bytesMax` (at most 0xf0000000) are an error instead of being collected. */
export function rdbSetStringMax(r: RdbReader, bytesMax: u64): void {
  r.stringMax = min<u64>(bytesMax, 0xf0000000);
}

/**
 * Strings of values longer than `bytesMax` are delivered with their length but without bytes
 * (ptr 0) unless they happen to lie whole in the chunk: for consumers that only measure.
 */
export function rdbSetHoldMax(r: RdbReader, bytesMax: u64): void {
  r.holdMax = bytesMax;
}

/**
 * The next bytes of the file: [ptr, ptr + len) stays the caller's and has to keep its content until
 * RDB_NEED_MORE or a final record. Call at the start and after RDB_NEED_MORE only.
 */
export function rdbFeed(r: RdbReader, ptr: usize, len: usize): void {
  inputFeed(r, ptr, len);
}

/** The source has no more bytes. REC_EOF if the file was whole, else RDB_ERROR. */
export function rdbFinish(r: RdbReader): i32 {
  if (r.state == ST_EOF) return REC_EOF;
  if (r.state != ST_FAILED) {
    const isOther = r.state == ST_MAGIC && !isMagicHead(r.p, r.end);
    r.state = ST_FAILED;
    if (isOther) r.last = fail(r, ERR_MAGIC);
    else r.last = failAt(r, ERR_TRUNCATED, inputOffset(r) + (r.end - r.p), 0);
  }
  return RDB_ERROR;
}

/** After REC_EOF: how many bytes of the current chunk belong to the RDB. */
export function rdbConsumed(r: RdbReader): usize {
  return r.p - r.chunk;
}

/** Bytes of the file behind the records delivered so far. */
export function rdbOffset(r: RdbReader): u64 {
  return inputOffset(r);
}

/** Does the pointer lie in the current chunk (and so outlive the next call)? */
export function rdbInChunk(r: RdbReader, ptr: usize): bool {
  return ptr - r.chunk < r.chunkEnd - r.chunk;
}

/**
 * After KEY: pass over the rest of the value. The next record is its VALUE_END (or VALUE_SKIPPED);
 * nothing is collected or unpacked.
 */
export function rdbSkipValue(r: RdbReader): void {
  if (r.inValue) r.mute = true;
}

/**
 * Read the payload of DUMP/RESTORE: type, value, u16 version, u64 checksum. Records are KEY (with
 * an empty name), those of the value, and EOF. The payload has to keep its content until then. The
 * footer is checked at once; see r.err. Returns the reader, 0 when memory is short.
 */
export function rdbOpenPayload(ptr: usize, len: usize, flags: u32): usize {
  const block = rdbOpen(flags | RDB_NO_CHECKSUM);
  if (!block) return 0;
  const r = changetype<RdbReader>(block);
  r.isPayload = true;
  r.state = ST_PAYLOAD_TYPE;
  if (len < 10) {
    r.last = failAt(r, ERR_PAYLOAD_FOOTER, len, 0);
    r.state = ST_FAILED;
    return block;
  }
  const footer = ptr + len - 10;
  r.version = load<u16>(footer);
  r.crcStored = load<u64>(footer, 2);
  r.isValkey = r.version == RDB_VALKEY_VERSION;
  const isKnown = (r.version >= 1 && r.version <= RDB_VERSION_MAX) || r.isValkey;
  if (!isKnown && !(flags & RDB_ALLOW_FUTURE)) {
    r.last = failAt(r, ERR_PAYLOAD_VERSION, len - 10, r.version);
    r.state = ST_FAILED;
    return block;
  }
  r.verdict = CRC_UNCHECKED;
  if (r.crcStored == 0) r.verdict = CRC_DISABLED;
  else if (!(flags & RDB_NO_CHECKSUM)) {
    r.verdict = CRC_OK;
    if (crc64(0, ptr, len - 8) != r.crcStored) {
      r.last = failAt(r, ERR_PAYLOAD_FOOTER, len - 8, 0);
      r.state = ST_FAILED;
      return block;
    }
  }
  rdbFeed(r, ptr, len - 10);
  return block;
}

// ---- the next record

/** The next record (REC_*), RDB_NEED_MORE or RDB_ERROR. May grow memory. */
export function rdbNext(r: RdbReader): i32 {
  let kind: i32;
  do {
    kind = r.state == ST_VALUE ? valueStep(r) : step(r);
    if (r.mute && kind >= REC_STRING) kind = muted(r, kind);
  } while (kind == AGAIN);
  if (kind <= 0) kind = stopped(r, kind);
  r.last = kind;
  return kind;
}

/** While a value is passed over only its end is heard of. */
function muted(r: RdbReader, kind: i32): i32 {
  if (kind > REC_VALUE_END) return AGAIN;
  r.mute = false;
  return kind == REC_STRING ? REC_VALUE_END : kind;
}

function stopped(r: RdbReader, kind: i32): i32 {
  if (kind == RDB_NEED_MORE) {
    if (r.isPayload) kind = failAt(r, ERR_TRUNCATED, inputOffset(r) + (r.end - r.p), 0);
    else kind = suspend(r);
    if (r.isRawOn && kind == RDB_NEED_MORE && rawIsOver(r)) return rawOver(r);
  }
  if (kind == RDB_ERROR) r.state = ST_FAILED;
  return kind;
}

/** More of the value's bytes are kept than there may be. */
function rawOver(r: RdbReader): i32 {
  if (r.rawInPieces) {
    rawGive(r);
    return REC_RAW;
  }
  rawRewind(r);
  return rdbNext(r);
}

function step(r: RdbReader): i32 {
  switch (r.state) {
    case ST_OPCODE: return opcodeStep(r);
    case ST_KEY: return keyStep(r);
    case ST_MAGIC: return magicStep(r);
    case ST_AUX: return auxStep(r);
    case ST_FUNCTION: return functionStep(r);
    case ST_FUNCTION_PRE_GA: return functionPreGaStep(r);
    case ST_MODULE_AUX: return moduleAuxStep(r);
    case ST_KEY_META: return keyMetaStep(r);
    case ST_SLOT_IMPORT: return slotImportStep(r);
    case ST_TEMPLATE: return templateStep(r);
    case ST_CHECKSUM: return checksumStep(r);
    case ST_PAYLOAD_TYPE: return payloadTypeStep(r);
    case ST_PAYLOAD_END: return payloadEndStep(r);
    case ST_EOF: return REC_EOF;
    default: return RDB_ERROR;
  }
}

const REDIS = memory.data<u8>([0x52, 0x45, 0x44, 0x49, 0x53]);
const VALKEY = memory.data<u8>([0x56, 0x41, 0x4c, 0x4b, 0x45, 0x59]);

/** Whether the few bytes there are may be the beginning of a file. */
function isMagicHead(p: usize, end: usize): bool {
  const len = end - p;
  return memory.compare(p, REDIS, min<usize>(len, 5)) == 0 ||
    memory.compare(p, VALKEY, min<usize>(len, 6)) == 0;
}

/** Unit: "REDIS" and four digits, or "VALKEY" and three. */
function magicStep(r: RdbReader): i32 {
  const p = r.p;
  if (!unitHas(r, p, 9)) return RDB_NEED_MORE;
  const isRedis = load<u32>(p) == 0x49444552 && load<u8>(p, 4) == 0x53;
  const isValkey = load<u32>(p) == 0x4b4c4156 && load<u16>(p, 4) == 0x5945;
  if (!isRedis && !isValkey) return fail(r, ERR_MAGIC);
  const digitsAt: usize = isValkey ? 6 : 5;
  let version: u32 = 0;
  for (let i = digitsAt; i < 9; i++) {
    const digit = <u32>load<u8>(p + i) - 0x30;
    if (digit > 9) return fail(r, ERR_MAGIC);
    version = version * 10 + digit;
  }
  r.version = version;
  r.isValkey = isValkey;
  const isOld = isValkey ? version < RDB_VALKEY_VERSION : version < 1;
  const isFuture = version > (isValkey ? RDB_VALKEY_VERSION : RDB_VERSION_MAX);
  if (isOld || (isFuture && !(r.flags & RDB_ALLOW_FUTURE))) {
    return failAt(r, ERR_VERSION, inputOffset(r) + digitsAt, version);
  }
  commit(r, p + 9);
  r.state = ST_OPCODE;
  return AGAIN;
}

// ---- opcodes

function opcodeStep(r: RdbReader): i32 {
  const p = r.p;
  if (p == r.end) return RDB_NEED_MORE;
  const op: u32 = load<u8>(p);
  if (r.hasBig) releaseBig(r);
  if (op <= TYPE_HASH_TMPL_ARRAY_REF) return typeStep(r, op);
  r.part = 0;
  switch (op) {
    case OP_EXPIRE_SEC:
    case OP_EXPIRE_MS:
    case OP_FREQ:
    case OP_IDLE: return prefixOpcode(r, op);
    case OP_ENT_RAM_LRU:
    case OP_ENT_SLOT: return numbersOpcode(r, op);
    case OP_KEY_META: return r.isValkey ? slotImportHead(r) : keyMetaHead(r);
  }
  if (r.hasPrefix) return failAt(r, ERR_PREFIX, inputOffset(r), op);
  switch (op) {
    case OP_AUX: return enter(r, ST_AUX);
    case OP_FUNCTION: return enter(r, ST_FUNCTION);
    case OP_FUNCTION_PRE_GA: return enter(r, ST_FUNCTION_PRE_GA);
    case OP_HASH_TEMPLATE: return hashTemplateOpcode(r);
    case OP_MODULE_AUX: return moduleAuxHead(r);
    case OP_EOF: return eofOpcode(r);
    case OP_SELECTDB:
    case OP_RESIZEDB:
    case OP_SLOT_INFO: return numbersOpcode(r, op);
    default: return failAt(r, op < 128 ? ERR_TYPE : ERR_OPCODE, inputOffset(r), op);
  }
}

/** The opcode's byte is a unit of its own. */
function enter(r: RdbReader, state: u32): i32 {
  r.part = 0;
  r.state = state;
  commit(r, r.p + 1);
  return AGAIN;
}

/** First byte of a key with its prefixes: forget those of the key before. */
function beginKey(r: RdbReader): void {
  if (r.hasPrefix) return;
  r.keyOffset = inputOffset(r);
  r.expireMs = -1;
  r.hasExpire = false;
  r.idleSec = -1;
  r.freq = -1;
  r.metaCount = 0;
}

/** Unit: an opcode that belongs to the key that follows. */
function prefixOpcode(r: RdbReader, op: u32): i32 {
  let p = r.p + 1;
  beginKey(r);
  if (op == OP_IDLE) {
    p = unitLength(r, p);
    if (!p) return unitStop;
    r.idleSec = lenValue;
  } else {
    const bytes: usize = op == OP_EXPIRE_MS ? 8 : op == OP_EXPIRE_SEC ? 4 : 1;
    if (!unitHas(r, p, bytes)) return unitStop;
    if (op == OP_FREQ) {
      r.freq = load<u8>(p);
    } else {
      r.expireMs = op == OP_EXPIRE_MS ? load<i64>(p) : <i64>load<i32>(p) * 1000;
      r.hasExpire = r.expireMs != -1;
    }
    p += bytes;
  }
  r.hasPrefix = true;
  commit(r, p);
  return AGAIN;
}

/** Unit: an opcode with nothing but lengths. */
function numbersOpcode(r: RdbReader, op: u32): i32 {
  let p = unitLength(r, r.p + 1);
  if (!p) return unitStop;
  const first = lenValue;
  if (op == OP_SELECTDB && first > 0x7fffffff) return failAt(r, ERR_DB, inputOffset(r), first);
  let second: u64 = 0;
  if (op == OP_RESIZEDB || op == OP_SLOT_INFO) {
    p = unitLength(r, p);
    if (!p) return unitStop;
    second = lenValue;
  }
  if (op == OP_SLOT_INFO) {
    p = unitLength(r, p);
    if (!p) return unitStop;
    r.n2 = lenValue;
  }
  r.n0 = first;
  r.n1 = second;
  commit(r, p);
  if (op == OP_RESIZEDB) return REC_RESIZEDB;
  if (op == OP_SLOT_INFO) return REC_SLOT_INFO;
  if (op != OP_SELECTDB) return AGAIN;
  r.db = <u32>first;
  return REC_SELECTDB;
}

function auxStep(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  const done = readString(r, r.b);
  if (done <= 0) return done;
  r.state = ST_OPCODE;
  return REC_AUX;
}

function functionStep(r: RdbReader): i32 {
  const done = readString(r, r.a);
  if (done <= 0) return done;
  r.state = ST_OPCODE;
  return REC_FUNCTION;
}

/** Parts: name, engine, whether described, description, code. */
function functionPreGaStep(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  if (r.part == 1) {
    const done = passString(r, r.b);
    if (done <= 0) return done;
    r.part = 2;
  }
  if (r.part == 2) {
    const p = unitLength(r, r.p);
    if (!p) return unitStop;
    r.part = lenValue ? 3 : 4;
    commit(r, p);
  }
  if (r.part == 3) {
    const done = passString(r, r.b);
    if (done <= 0) return done;
    r.part = 4;
  }
  const done = readString(r, r.b);
  if (done <= 0) return done;
  r.state = ST_OPCODE;
  return REC_FUNCTION_PRE_GA;
}

/** Unit: module id, the opcode of "when" (an unsigned number), when. */
function moduleAuxHead(r: RdbReader): i32 {
  let p = unitLength(r, r.p + 1);
  if (!p) return unitStop;
  const moduleId = lenValue;
  p = unitLength(r, p);
  if (!p) return unitStop;
  if (lenValue != 2) return failAt(r, ERR_MODULE_AUX, inputOffset(r), lenValue);
  p = unitLength(r, p);
  if (!p) return unitStop;
  r.moduleId = moduleId;
  r.n0 = lenValue;
  r.state = ST_MODULE_AUX;
  commit(r, p);
  rawBegin(r);
  // module data without a key are kept whole
  r.rawMax = u64.MAX_VALUE;
  return AGAIN;
}

function moduleAuxStep(r: RdbReader): i32 {
  const done = skipModuleData(r);
  if (done <= 0) return done;
  if (r.isRawOn && !rawEnd(r)) return fail(r, ERR_MEMORY);
  r.state = ST_OPCODE;
  return REC_MODULE_AUX;
}

/** Redis >= 13: module metadata of the key that follows, count of classes. */
function keyMetaHead(r: RdbReader): i32 {
  if (r.version < 13) return failAt(r, ERR_OPCODE, inputOffset(r), OP_KEY_META);
  const p = unitLength(r, r.p + 1);
  if (!p) return unitStop;
  beginKey(r);
  r.hasPrefix = true;
  r.left = lenValue;
  r.metaCount = lenValue;
  r.state = ST_KEY_META;
  commit(r, p);
  rawBegin(r);
  r.rawMax = u64.MAX_VALUE;
  return AGAIN;
}

/** A class: four bytes of specification, then module data. */
function keyMetaStep(r: RdbReader): i32 {
  while (r.left) {
    if (r.part == 0) {
      if (!unitHas(r, r.p, 4)) return unitStop;
      r.part = 1;
      commit(r, r.p + 4);
    }
    const done = skipModuleData(r);
    if (done <= 0) return done;
    r.part = 0;
    r.left--;
  }
  r.state = ST_OPCODE;
  if (!r.isRawOn) return AGAIN;
  return rawEnd(r) ? REC_KEY_META : fail(r, ERR_MEMORY);
}

/** Valkey >= 80: a slot import job. */
function slotImportHead(r: RdbReader): i32 {
  if (r.hasPrefix) return failAt(r, ERR_PREFIX, inputOffset(r), OP_KEY_META);
  return enter(r, ST_SLOT_IMPORT);
}

function slotImportStep(r: RdbReader): i32 {
  const first = stringPart(r, 0, r.a);
  if (first <= 0) return first;
  if (r.part == 1) {
    const p = unitLength(r, r.p);
    if (!p) return unitStop;
    r.left = lenValue;
    r.count = lenValue;
    r.part = 2;
    commit(r, p);
  }
  const done = skipSlotRanges(r);
  if (done <= 0) return done;
  r.state = ST_OPCODE;
  return REC_SLOT_IMPORT;
}

function hashTemplateOpcode(r: RdbReader): i32 {
  if (r.isValkey || r.version < 15) return failAt(r, ERR_OPCODE, inputOffset(r), OP_HASH_TEMPLATE);
  const done = templateHead(r);
  if (done <= 0) return done;
  r.state = ST_TEMPLATE;
  return AGAIN;
}

function templateStep(r: RdbReader): i32 {
  const kind = templateNames(r);
  if (kind > 0) r.state = ST_OPCODE;
  return kind;
}

// ---- end

function eofOpcode(r: RdbReader): i32 {
  commit(r, r.p + 1);
  if (!(r.flags & RDB_NO_CHECKSUM)) {
    r.crc = crc64(r.crc, r.crcFrom, r.p - r.crcFrom);
    r.crcFrom = r.p;
  }
  if (r.version < 5) {
    r.verdict = CRC_ABSENT;
    r.state = ST_EOF;
    return REC_EOF;
  }
  r.n0 = r.crc;
  r.state = ST_CHECKSUM;
  return AGAIN;
}

/** Unit: the file's checksum. What `r.crc` takes in meanwhile does not matter: n0 has it. */
function checksumStep(r: RdbReader): i32 {
  if (!unitHas(r, r.p, 8)) return unitStop;
  const stored = load<u64>(r.p);
  r.crcStored = stored;
  if (stored == 0) r.verdict = CRC_DISABLED;
  else if (r.flags & RDB_NO_CHECKSUM) r.verdict = CRC_UNCHECKED;
  else if (stored != r.n0) return failAt(r, ERR_CHECKSUM, inputOffset(r), r.n0);
  else r.verdict = CRC_OK;
  commit(r, r.p + 8);
  r.state = ST_EOF;
  return REC_EOF;
}

// ---- keys

/** May this type occur in this file? Some numbers mean one thing in Redis, another in Valkey. */
function isTypeKnown(r: RdbReader, type: u32): bool {
  if (type == 8 || type > TYPE_HASH_TMPL_ARRAY_REF) return false;
  if (type < TYPE_HASH_META_PRE_GA) return true;
  if (r.isValkey) return type == TYPE_HASH_META_PRE_GA;
  if (type < TYPE_STREAM_4) return r.version >= 12;
  if (type == TYPE_STREAM_4) return r.version >= 13;
  if (type <= TYPE_ARRAY) return r.version >= 14;
  return r.version >= 15;
}

/** Unit: the type byte. */
function typeStep(r: RdbReader, type: u32): i32 {
  if (!isTypeKnown(r, type)) return failAt(r, ERR_TYPE, inputOffset(r), type);
  if (type == TYPE_MODULE_PRE_GA) return failAt(r, ERR_MODULE_PRE_GA, inputOffset(r), type);
  beginKey(r);
  r.hasPrefix = false;
  r.type = type;
  r.part = 0;
  r.state = ST_KEY;
  commit(r, r.p + 1);
  return AGAIN;
}

function keyStep(r: RdbReader): i32 {
  if (r.part == 0) {
    const done = readString(r, r.key);
    if (done <= 0) return done;
    r.inValue = true;
    rawBegin(r);
    r.part = 1;
  }
  r.count = RDB_COUNT_UNKNOWN;
  if (r.type == TYPE_STRING) {
    r.part = 0;
  } else {
    const done = valueHead(r);
    if (done <= 0) return done;
  }
  r.state = ST_VALUE;
  return REC_KEY;
}

/** Unit: what stands before a value's elements. 1 when done, with part and left set. */
function valueHead(r: RdbReader): i32 {
  const type = r.type;
  if (isTemplateType(type)) return templateValueHead(r);
  let p = r.p;
  if (type == TYPE_HASH_META || type == TYPE_HASH_LISTPACK_EX) {
    if (!unitHas(r, p, 8)) return unitStop;
    p += 8;
  }
  if (type == TYPE_ARRAY) {
    const done = arrayHead(r);
    if (done <= 0) return done;
    r.count = r.left;
    p = r.p;
  } else if (isCounted(type)) {
    p = unitLength(r, p);
    if (!p) return unitStop;
    r.left = lenValue;
    if (type == TYPE_MODULE_2) r.moduleId = lenValue;
    else r.count = lenValue;
  }
  r.minExpireMs = -1;
  if (type == TYPE_HASH_META || type == TYPE_HASH_LISTPACK_EX) r.minExpireMs = load<i64>(r.p);
  r.part = 0;
  commit(r, p);
  return 1;
}

/** Does the value begin with a length (for a module's: its id)? */
function isCounted(type: u32): bool {
  if (type <= TYPE_MODULE_2) return type != TYPE_STRING;
  if (type == TYPE_LIST_QUICKLIST || type == TYPE_LIST_QUICKLIST_2) return true;
  if (type == TYPE_HASH_META || type == TYPE_HASH_META_PRE_GA) return true;
  return streamVersion(type) != 0;
}

// ---- values

function valueStep(r: RdbReader): i32 {
  let kind: i32;
  if (r.type < TYPE_MODULE_PRE_GA) kind = collectionValue(r);
  else if (streamVersion(r.type)) kind = streamValue(r);
  else if (isTemplateType(r.type)) kind = templateValue(r);
  else if (r.type == TYPE_MODULE_2 || r.type == TYPE_ARRAY) kind = skippedValue(r);
  else kind = collectionValue(r);
  if (kind >= REC_STRING && kind <= REC_VALUE_END) {
    r.inValue = false;
    r.part = 0;
    r.state = r.isPayload ? ST_PAYLOAD_END : ST_OPCODE;
    if (r.isRawOn && !rawEnd(r)) return fail(r, ERR_MEMORY);
  }
  return kind;
}

function skippedValue(r: RdbReader): i32 {
  const done = r.type == TYPE_ARRAY ? skipArray(r) : skipModuleData(r);
  if (done <= 0) return done;
  if (r.type == TYPE_ARRAY) r.moduleId = 0;
  return tallySkipped(r) ? REC_VALUE_SKIPPED : RDB_ERROR;
}

// ---- payloads

function payloadTypeStep(r: RdbReader): i32 {
  const type: u32 = load<u8>(r.p);
  const done = typeStep(r, type);
  if (done != AGAIN) return done;
  r.inValue = true;
  r.count = RDB_COUNT_UNKNOWN;
  r.part = 1;
  return AGAIN;
}

function payloadEndStep(r: RdbReader): i32 {
  if (r.p != r.end) return fail(r, ERR_PAYLOAD_TRAILING);
  r.state = ST_EOF;
  return REC_EOF;
}
