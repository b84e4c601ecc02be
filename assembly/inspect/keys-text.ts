/**
 * MODE_KEYS_TEXT: the names of the keys, one after the other, and nothing else.
 */
import { RdbReader } from '../rdb/input';
import { ESCAPE_REPR } from './escape';
import { optionNumber } from './options';
import { outByte, outInt, outString } from './out';

// ---- options, by place
/** The byte behind each key. */
const OPTION_SEPARATOR: u32 = 0;
/** ESCAPE_TEXT, ESCAPE_REPR (in quotes), ESCAPE_BASE64 or ESCAPE_NONE. */
const OPTION_ESCAPE: u32 = 1;
/** 1: the database and a tab before each key. */
const OPTION_DB: u32 = 2;

const QUOTE: u32 = 0x22;

let separator: u32 = 0;
let how: u32 = 0;
let hasDb: bool = false;

export function keysTextBegin(): bool {
  separator = <u32>optionNumber(OPTION_SEPARATOR);
  how = <u32>optionNumber(OPTION_ESCAPE);
  hasDb = optionNumber(OPTION_DB) != 0;
  return true;
}

export function keysTextEnd(r: RdbReader, isWanted: bool): void {
  if (!isWanted) return;
  if (hasDb) {
    outInt(r.db);
    outByte(0x09);
  }
  if (how == ESCAPE_REPR) outByte(QUOTE);
  outString(how, r.key.ptr, r.key.len);
  if (how == ESCAPE_REPR) outByte(QUOTE);
  outByte(separator);
}
