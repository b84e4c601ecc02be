/**
 * MODE_CSV: a line a key, with the columns that spreadsheets made for other tools expect.
 *
 *   COLUMNS_RDB_TOOLS  redis-rdb-tools (rdb -c memory):
 *     database,type,key,size_in_bytes,encoding,num_elements,len_largest_element,expiry
 *   COLUMNS_GO         HDT3213/rdb (rdb -c memory):
 *     database,key,type,size,size_readable,element_count,encoding,expiration
 *
 * As theirs: strings are of the encoding "string", streams "listpack"; the first set calls sorted
 * sets "sortedset", counts a string's bytes as elements and writes the expiry as Python's
 * isoformat() in UTC, the second counts 0 and writes RFC 3339. Sizes are estimate.ts' of today.
 * Quoting is RFC 4180's; lines end in LF, as theirs do.
 */
import { RdbReader } from '../rdb/input';
import { TYPE_MODULE_2 } from '../rdb/opcodes';
import {
  ESCAPE_CSV_RAW, ESCAPE_CSV_TEXT, ESCAPE_NONE, ESCAPE_TEXT,
} from './escape';
import { SHAPE_HASH, SHAPE_OTHER, SHAPE_STREAM, SHAPE_STRING, SHAPE_ZSET } from './event';
import { facts } from './facts';
import { encodingName, shapeName } from './names';
import { optionNumber } from './options';
import { outByte, outCommit, outLiteral, outReserve, outString } from './out';
import { putByte, putInt, putLiteral, putTime, putUint } from './put';

// ---- options, by place
const OPTION_COLUMNS: u32 = 0;
/** ESCAPE_TEXT, ESCAPE_NONE (the bytes) or ESCAPE_BASE64. */
const OPTION_ESCAPE: u32 = 1;
/** 1: no line with the names of the columns. */
const OPTION_NO_HEADER: u32 = 2;

const COLUMNS_RDB_TOOLS: u32 = 0;

const ROOM: usize = 300;
const COMMA: u32 = 0x2c;
const QUOTE: u32 = 0x22;

let columns: u32 = COLUMNS_RDB_TOOLS;
let how: u32 = ESCAPE_TEXT;

export function csvBegin(): bool {
  columns = <u32>optionNumber(OPTION_COLUMNS);
  how = <u32>optionNumber(OPTION_ESCAPE);
  if (optionNumber(OPTION_NO_HEADER) != 0) return true;
  if (columns == COLUMNS_RDB_TOOLS) {
    outLiteral('database,type,key,size_in_bytes,encoding,num_elements,');
    outLiteral('len_largest_element,expiry\n');
  } else {
    outLiteral('database,key,type,size,size_readable,element_count,encoding,expiration\n');
  }
  return true;
}

export function csvEnd(r: RdbReader, isWanted: bool): void {
  if (!isWanted) return;
  if (columns == COLUMNS_RDB_TOOLS) lineOfRdbTools(r);
  else lineOfGo(r);
}

function typeName(r: RdbReader): string {
  if (facts.shape == SHAPE_ZSET && columns == COLUMNS_RDB_TOOLS) return 'sortedset';
  if (facts.shape == SHAPE_OTHER) return r.type == TYPE_MODULE_2 ? 'module' : 'array';
  return shapeName(facts.shape);
}

function encoding(): string {
  if (facts.shape == SHAPE_STRING) return 'string';
  return facts.shape == SHAPE_STREAM ? 'listpack' : encodingName(facts.encoding);
}

function lineOfRdbTools(r: RdbReader): void {
  const start = outReserve(ROOM);
  if (start == 0) return;
  let at = putByte(putUint(start, r.db), COMMA);
  outCommit(putByte(putLiteral(at, typeName(r)), COMMA) - start);
  cell(r.key.ptr, r.key.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  at = putUint(putByte(room, COMMA), facts.memory);
  at = putLiteral(putByte(at, COMMA), encoding());
  at = putUint(putByte(at, COMMA), facts.count);
  at = putUint(putByte(at, COMMA), facts.shape == SHAPE_HASH ? facts.longest : facts.largest);
  at = putByte(at, COMMA);
  if (r.hasExpire) at = putTime(at, r.expireMs, true);
  outCommit(putByte(at, 0x0a) - room);
}

function lineOfGo(r: RdbReader): void {
  const start = outReserve(ROOM);
  if (start == 0) return;
  outCommit(putByte(putUint(start, r.db), COMMA) - start);
  cell(r.key.ptr, r.key.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  let at = putLiteral(putByte(room, COMMA), typeName(r));
  at = putUint(putByte(at, COMMA), facts.memory);
  at = putReadable(putByte(at, COMMA), facts.memory);
  at = putUint(putByte(at, COMMA), facts.shape == SHAPE_STRING ? 0 : facts.count);
  at = putLiteral(putByte(at, COMMA), encoding());
  at = putByte(at, COMMA);
  if (r.hasExpire) at = putByte(putTime(at, r.expireMs, false), 0x5a);
  outCommit(putByte(at, 0x0a) - room);
}

/** A cell of the file's bytes, in quotes where it needs them. */
function cell(ptr: usize, len: usize): void {
  if (!needsQuotes(ptr, len)) {
    outString(how, ptr, len);
    return;
  }
  outByte(QUOTE);
  outString(how == ESCAPE_TEXT ? ESCAPE_CSV_TEXT : ESCAPE_CSV_RAW, ptr, len);
  outByte(QUOTE);
}

function needsQuotes(ptr: usize, len: usize): bool {
  if (how != ESCAPE_TEXT && how != ESCAPE_NONE) return false;
  for (const end = ptr + len; ptr < end; ptr++) {
    const c: u32 = load<u8>(ptr);
    if (c == QUOTE || c == COMMA || c == 0x0a || c == 0x0d) return true;
  }
  return false;
}

/** Bytes as the Go tool writes them: 131B, 2.5K, 10.6M; one digit, ties to even, no ".0". */
function putReadable(to: usize, bytes: u64): usize {
  if (bytes == 0) return putByte(to, 0x30);
  let shift: u64 = 0;
  while (shift < 60 && bytes >> (shift + 10) != 0) shift += 10;
  const unit: u64 = (<u64>1) << shift;
  const whole = bytes >> shift;
  const part = (bytes & (unit - 1)) * 10;
  let tenths = part >> shift;
  const rest = (part & (unit - 1)) << 1;
  if (rest > unit || (rest == unit && (tenths & 1) != 0)) tenths++;
  let at = putUint(to, tenths == 10 ? whole + 1 : whole);
  if (tenths != 0 && tenths != 10) at = putInt(putByte(at, 0x2e), tenths);
  return putByte(at, unitLetter(shift));
}

function unitLetter(shift: u64): u32 {
  switch (<u32>shift) {
    case 0: return 0x42;
    case 10: return 0x4b;
    case 20: return 0x4d;
    case 30: return 0x47;
    case 40: return 0x54;
    case 50: return 0x50;
    default: return 0x45;
  }
}
