/**
 * MODE_JSON: the whole file as JSON, one record a key and a few about the file.
 *
 *   {"type":"rdb","version":11}                      "valkey":true for Valkey's own numbering
 *   {"type":"aux","name":"redis-ver","value":"7.2.5"}
 *   {"type":"function","code":"#!lua …"}             "name" too in files of 7.0 release candidates
 *   {"type":"db","db":0,"keys":9,"expires":1}        {"type":"slot","db":0,"slot":1,"keys":2,…}
 *   {"type":"moduleAux","module":"…","moduleVersion":1,"when":2,"skipped":true}
 *   {"type":"slotImport","job":"…","ranges":1}
 *   {"db":0,"key":"k","type":"hash","expireAt":ms,"idle":sec,"freq":n,"value":…,
 *    "encoding":"listpack"}
 *   {"type":"end","checksum":"ok"}   or   {"type":"error","offset":99,"reason":"…"}
 *
 * Values: a string; lists and sets an array; hashes an object, of strings, or where the field
 * expires of {"value":"v","expireAt":ms}; sorted sets an object of scores; streams json-stream.ts.
 * A module's data and arrays are not told: {"type":"module","module":"…",…,"skipped":true}; nor
 * is what modules attached to a key: "metaSkipped":1, their number.
 * A value that is not whole has "damaged":true. Whatever happens the text ends as JSON.
 *
 * FORM_FLAT is what redis-rdb-tools writes: [{"key":value,…},…], an object a database, no more.
 */
import { RdbReader } from '../rdb/input';
import {
  CRC_ABSENT, CRC_DISABLED, CRC_OK, REC_AUX, REC_FUNCTION, REC_FUNCTION_PRE_GA,
  REC_MODULE_AUX, REC_RESIZEDB, REC_SLOT_IMPORT, REC_SLOT_INFO, TYPE_MODULE_2,
} from '../rdb/opcodes';
import { rdbModuleName, rdbModuleVersion } from '../rdb/skip';
import {
  SHAPE_LIST, SHAPE_OTHER, SHAPE_SET, SHAPE_STREAM, SHAPE_STRING, evExpireMs, evLen,
  evPtr, evScore, evValueLen, evValuePtr,
} from './event';
import { facts } from './facts';
import { failureOffset, failureText } from './failure';
import { jsonStreamBegin, jsonStreamEnd } from './json-stream';
import {
  jsonComma, jsonInt, jsonOpened, jsonPair, jsonString, putScore, setJsonEscape,
} from './json-text';
import {
  LEFT_DETAIL, LEFT_MODULE, LEFT_TYPE, leftOut, leftOutBegin, leftOutOfFile,
} from './left-out';
import { encodingName, shapeName } from './names';
import { optionNumber } from './options';
import { outByte, outCommit, outLiteral, outReserve } from './out';
import { putByte, putInt, putLiteral, putUint } from './put';

// ---- options, by place
const OPTION_FORM: u32 = 0;
/** ESCAPE_UTF8, ESCAPE_LATIN1 or ESCAPE_BASE64. */
const OPTION_ESCAPE: u32 = 1;
/** 1: records about keys only. */
const OPTION_KEYS_ONLY: u32 = 2;
/** 1: sizes behind each value. */
const OPTION_SIZES: u32 = 3;

const FORM_ARRAY: u32 = 0;
const FORM_LINES: u32 = 1;
const FORM_FLAT: u32 = 2;

/** Room for what a record has beside strings of the file. */
const ROOM: usize = 400;
const COLON: u32 = 0x3a;
const NO_DB: u32 = u32.MAX_VALUE;

let form: u32 = FORM_ARRAY;
let isKeysOnly: bool = false;
let hasSizes: bool = false;
/** Something stands in the outer array. */
let hasRecord: bool = false;
/** The record about the file was written. */
let hasHead: bool = false;
/** FORM_FLAT: the database whose object is open. */
let openDb: u32 = NO_DB;
/** A key's record is open. */
let inKey: bool = false;
/** The three above before the current key, which may not be wanted in the end. */
let hadRecord: bool = false;
let hadHead: bool = false;
let priorDb: u32 = NO_DB;

export function jsonBegin(): bool {
  form = <u32>optionNumber(OPTION_FORM);
  isKeysOnly = form == FORM_FLAT || optionNumber(OPTION_KEYS_ONLY) != 0;
  hasSizes = form != FORM_FLAT && optionNumber(OPTION_SIZES) != 0;
  setJsonEscape(<u32>optionNumber(OPTION_ESCAPE));
  hasRecord = false;
  hasHead = isKeysOnly;
  openDb = NO_DB;
  inKey = false;
  leftOutBegin();
  if (form != FORM_LINES) outByte(0x5b);
  return true;
}

// ---- records

/** What stands before a record. */
function beginRecord(): void {
  if (form != FORM_LINES) outLiteral(hasRecord ? ',\n' : '\n');
  hasRecord = true;
}

function endRecord(): void {
  if (form == FORM_LINES) outLiteral('}\n');
  else outByte(0x7d);
}

/** The record about the file, before all others. */
function head(r: RdbReader): void {
  if (hasHead) return;
  hasHead = true;
  beginRecord();
  jsonInt('{"type":"rdb","version":', r.version);
  if (r.isValkey) outLiteral(',"valkey":true');
  endRecord();
}

/** A record that is about the file (REC_*). */
export function jsonFile(r: RdbReader, kind: i32): void {
  if (kind == REC_MODULE_AUX) leftOutOfFile(LEFT_MODULE);
  if (isKeysOnly) return;
  head(r);
  switch (kind) {
    case REC_AUX:
      text('{"type":"aux","name":', r.a.ptr, r.a.len);
      outLiteral(',"value":');
      jsonString(0, r.b.ptr, r.b.len);
      break;
    case REC_FUNCTION:
      text('{"type":"function","code":', r.a.ptr, r.a.len);
      break;
    case REC_FUNCTION_PRE_GA:
      text('{"type":"function","name":', r.a.ptr, r.a.len);
      outLiteral(',"code":');
      jsonString(0, r.b.ptr, r.b.len);
      break;
    case REC_RESIZEDB:
      beginRecord();
      jsonInt('{"type":"db","db":', r.db);
      jsonInt(',"keys":', r.n0);
      jsonInt(',"expires":', r.n1);
      break;
    case REC_SLOT_INFO:
      beginRecord();
      jsonInt('{"type":"slot","db":', r.db);
      jsonInt(',"slot":', r.n0);
      jsonInt(',"keys":', r.n1);
      jsonInt(',"expires":', r.n2);
      break;
    case REC_MODULE_AUX:
      beginRecord();
      outLiteral('{"type":"moduleAux"');
      moduleName(r.moduleId);
      jsonInt(',"when":', r.n0);
      outLiteral(',"skipped":true');
      break;
    case REC_SLOT_IMPORT:
      text('{"type":"slotImport","job":', r.a.ptr, r.a.len);
      jsonInt(',"ranges":', r.count);
      break;
    default: return;
  }
  endRecord();
}

/** A record that begins with a string of the file. */
function text(start: string, ptr: usize, len: usize): void {
  beginRecord();
  outLiteral(start);
  jsonString(0, ptr, len);
}

function verdictName(verdict: u32): string {
  if (verdict == CRC_OK) return 'ok';
  if (verdict == CRC_ABSENT) return 'absent';
  return verdict == CRC_DISABLED ? 'disabled' : 'unchecked';
}

function moduleName(moduleId: u64): void {
  const room = outReserve(ROOM);
  if (room == 0) return;
  const to = putLiteral(room, ',"module":"');
  rdbModuleName(to, moduleId);
  const next = putLiteral(to + 9, '","moduleVersion":');
  outCommit(putUint(next, rdbModuleVersion(moduleId)) - room);
}

// ---- keys

/** The key with everything known before its value, and the name of the value to come. */
function beginKey(r: RdbReader): void {
  if (form == FORM_FLAT) {
    beginFlat(r);
    return;
  }
  head(r);
  const before = outReserve(ROOM);
  if (before == 0) return;
  let at = before;
  if (form != FORM_LINES) at = putLiteral(at, hasRecord ? ',\n' : '\n');
  hasRecord = true;
  at = putUint(putLiteral(at, '{"db":'), r.db);
  outCommit(putLiteral(at, ',"key":') - before);
  jsonString(0, r.key.ptr, r.key.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  at = room;
  if (facts.shape != SHAPE_OTHER) {
    at = putLiteral(putLiteral(at, ',"type":"'), shapeName(facts.shape));
    at = putByte(at, 0x22);
  }
  if (r.hasExpire) at = putInt(putLiteral(at, ',"expireAt":'), r.expireMs);
  if (r.idleSec >= 0) at = putInt(putLiteral(at, ',"idle":'), r.idleSec);
  if (r.freq >= 0) at = putInt(putLiteral(at, ',"freq":'), r.freq);
  if (r.metaCount != 0) at = putUint(putLiteral(at, ',"metaSkipped":'), r.metaCount);
  if (facts.shape != SHAPE_OTHER) at = putLiteral(at, ',"value":');
  outCommit(at - room);
}

function beginFlat(r: RdbReader): void {
  if (openDb != r.db) {
    outLiteral(hasRecord ? '},{\n' : '{\n');
    hasRecord = true;
    openDb = r.db;
  } else {
    outLiteral(',\n');
  }
  jsonString(0, r.key.ptr, r.key.len);
  outByte(COLON);
}

export function jsonKey(r: RdbReader): void {
  hadRecord = hasRecord;
  hadHead = hasHead;
  priorDb = openDb;
  // strings come at once
  if (facts.shape == SHAPE_STRING) return;
  inKey = true;
  beginKey(r);
  if (facts.shape == SHAPE_STREAM) {
    jsonStreamBegin();
  } else if (facts.shape == SHAPE_OTHER) {
    opaque(r);
  } else {
    outByte(isList(facts.shape) ? 0x5b : 0x7b);
    jsonOpened();
  }
}

function isList(shape: u32): bool {
  return shape == SHAPE_LIST || shape == SHAPE_SET;
}

/** What is said of a value that is not told. */
function opaque(r: RdbReader): void {
  if (form == FORM_FLAT) {
    outLiteral('null');
    return;
  }
  if (r.type == TYPE_MODULE_2) {
    outLiteral(',"type":"module"');
    moduleName(r.moduleId);
  } else {
    outLiteral(',"type":"array"');
  }
  outLiteral(',"skipped":true');
}

export function jsonStringValue(r: RdbReader): void {
  inKey = true;
  beginKey(r);
  jsonString(0, evPtr, evLen);
}

export function jsonElement(): void {
  jsonString(jsonComma(), evPtr, evLen);
}

export function jsonField(): void {
  if (evExpireMs < 0 || form == FORM_FLAT) {
    jsonPair(evPtr, evLen, evValuePtr, evValueLen);
    return;
  }
  jsonString(jsonComma(), evPtr, evLen);
  outLiteral(':{"value":');
  jsonString(0, evValuePtr, evValueLen);
  jsonInt(',"expireAt":', evExpireMs);
  outByte(0x7d);
}

export function jsonScored(): void {
  jsonString(jsonComma(), evPtr, evLen);
  const room = outReserve(64);
  if (room != 0) outCommit(putScore(putByte(room, COLON), evScore) - room);
}

/** Closes the value and its record. */
function close(isWhole: bool): void {
  if (!inKey) return;
  inKey = false;
  if (facts.shape == SHAPE_STREAM) jsonStreamEnd();
  else if (isList(facts.shape)) outByte(0x5d);
  else if (facts.shape != SHAPE_OTHER && facts.shape != SHAPE_STRING) outByte(0x7d);
  if (form == FORM_FLAT) return;
  if (isWhole) afterValue();
  else outLiteral(',"damaged":true');
  endRecord();
}

/** What is known only when the value was read. */
function afterValue(): void {
  const room = outReserve(ROOM);
  if (room == 0) return;
  let at = room;
  if (facts.shape != SHAPE_OTHER) {
    at = putLiteral(putLiteral(at, ',"encoding":"'), encodingName(facts.encoding));
    at = putByte(at, 0x22);
  }
  if (!hasSizes) {
    outCommit(at - room);
    return;
  }
  at = putUint(putLiteral(at, ',"count":'), facts.count);
  at = putUint(putLiteral(at, ',"largest":'), facts.largest);
  at = putUint(putLiteral(at, ',"fileBytes":'), facts.fileBytes);
  outCommit(putUint(putLiteral(at, ',"memoryBytes":'), facts.memory) - room);
}

export function jsonEnd(r: RdbReader, isWanted: bool): void {
  if (isWanted) {
    close(true);
    if (facts.shape == SHAPE_OTHER) leftOut(r, r.type == TYPE_MODULE_2 ? LEFT_MODULE : LEFT_TYPE);
    if (r.metaCount != 0) leftOut(r, LEFT_DETAIL);
    return;
  }
  inKey = false;
  hasRecord = hadRecord;
  hasHead = hadHead;
  openDb = priorDb;
}

export function jsonDamage(): void {
  close(false);
}

// ---- the end

function finish(): void {
  if (form == FORM_LINES) return;
  if (form == FORM_FLAT && openDb != NO_DB) outByte(0x7d);
  outLiteral(form == FORM_FLAT ? ']\n' : '\n]\n');
}

export function jsonFinish(r: RdbReader): void {
  if (!isKeysOnly) {
    head(r);
    beginRecord();
    outLiteral('{"type":"end","checksum":"');
    outLiteral(verdictName(r.verdict));
    outByte(0x22);
    endRecord();
  }
  finish();
}

const reason = memory.data(96);

/** The file ends too early or is damaged for good. */
export function jsonBroken(r: RdbReader): void {
  close(false);
  if (!isKeysOnly) {
    beginRecord();
    jsonInt('{"type":"error","offset":', failureOffset(r));
    outLiteral(',"reason":"');
    const len = failureText(r, reason);
    const room = outReserve(len);
    if (room != 0) {
      memory.copy(room, reason, len);
      outCommit(len);
    }
    outByte(0x22);
    endRecord();
  }
  finish();
}
