/**
 * MODE_MEMORY: a line a key with all that was measured, as CSV (RFC 4180) or a JSON object.
 *
 *   database,type,key,encoding,memory_bytes,file_bytes,elements,largest_element,expires_at,
 *   idle_seconds,frequency
 *
 * Names are UTF-8 with \xHH for other bytes (ESCAPE_TEXT). Elements of a string are its bytes;
 * expires_at is ISO 8601 in UTC; what the file does not tell is empty (JSON: null).
 */
import { RdbReader } from '../rdb/input';
import { ESCAPE_CSV_TEXT, ESCAPE_TEXT, ESCAPE_UTF8 } from './escape';
import { facts } from './facts';
import { encodingName, shapeName } from './names';
import { optionNumber } from './options';
import { outCommit, outLiteral, outReserve, outString } from './out';
import { jsonString, setJsonEscape } from './json-text';
import { putByte, putInt, putLiteral, putTime, putUint } from './put';

// ---- options, by place
/** 1: JSON objects. */
const OPTION_JSON: u32 = 0;
/** 1: no line with the names of the columns. */
const OPTION_NO_HEADER: u32 = 1;

const ROOM: usize = 400;
const COMMA: u32 = 0x2c;
const QUOTE: u32 = 0x22;
let isJson: bool = false;

export function memoryBegin(): bool {
  isJson = optionNumber(OPTION_JSON) != 0;
  setJsonEscape(ESCAPE_UTF8);
  if (isJson || optionNumber(OPTION_NO_HEADER) != 0) return true;
  outLiteral('database,type,key,encoding,memory_bytes,file_bytes,elements,largest_element,');
  outLiteral('expires_at,idle_seconds,frequency\n');
  return true;
}

export function memoryKey(r: RdbReader): void {
  if (isJson) jsonLine(r);
  else csvLine(r);
}

function csvLine(r: RdbReader): void {
  const start = outReserve(ROOM);
  if (start == 0) return;
  let at = putByte(putUint(start, r.db), COMMA);
  at = putByte(putLiteral(at, shapeName(facts.shape)), COMMA);
  const isQuoted = needsQuotes(r.key.ptr, r.key.len);
  if (isQuoted) at = putByte(at, QUOTE);
  outCommit(at - start);
  outString(isQuoted ? ESCAPE_CSV_TEXT : ESCAPE_TEXT, r.key.ptr, r.key.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  at = isQuoted ? putByte(room, QUOTE) : room;
  at = putLiteral(putByte(at, COMMA), encodingName(facts.encoding));
  at = putUint(putByte(at, COMMA), facts.memory);
  at = putUint(putByte(at, COMMA), facts.fileBytes);
  at = putUint(putByte(at, COMMA), facts.count);
  at = putUint(putByte(at, COMMA), facts.largest);
  at = putByte(at, COMMA);
  if (r.hasExpire) at = putByte(putTime(at, r.expireMs, true), 0x5a);
  at = putByte(at, COMMA);
  if (r.idleSec >= 0) at = putInt(at, r.idleSec);
  at = putByte(at, COMMA);
  if (r.freq >= 0) at = putInt(at, r.freq);
  outCommit(putByte(at, 0x0a) - room);
}

function needsQuotes(ptr: usize, len: usize): bool {
  for (const end = ptr + len; ptr < end; ptr++) {
    const c: u32 = load<u8>(ptr);
    if (c == QUOTE || c == COMMA) return true;
  }
  return false;
}

function jsonLine(r: RdbReader): void {
  const start = outReserve(ROOM);
  if (start == 0) return;
  let at = putUint(putLiteral(start, '{"db":'), r.db);
  at = putLiteral(putLiteral(at, ',"type":"'), shapeName(facts.shape));
  outCommit(putLiteral(at, '","key":') - start);
  jsonString(0, r.key.ptr, r.key.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  at = putLiteral(putLiteral(room, ',"encoding":"'), encodingName(facts.encoding));
  at = putUint(putLiteral(at, '","memoryBytes":'), facts.memory);
  at = putUint(putLiteral(at, ',"fileBytes":'), facts.fileBytes);
  at = putUint(putLiteral(at, ',"count":'), facts.count);
  at = putUint(putLiteral(at, ',"largest":'), facts.largest);
  at = putLiteral(at, ',"expireAtMs":');
  at = r.hasExpire ? putInt(at, r.expireMs) : putLiteral(at, 'null');
  at = putLiteral(at, ',"idleSec":');
  at = r.idleSec >= 0 ? putInt(at, r.idleSec) : putLiteral(at, 'null');
  at = putLiteral(at, ',"freq":');
  at = r.freq >= 0 ? putInt(at, r.freq) : putLiteral(at, 'null');
  outCommit(putLiteral(at, '}\n') - room);
}
