/**
 * The modes of an inspection, and which file speaks for each. The driver calls these; a new mode is
 * a number here, a line in the functions it cares about, and a file of its own.
 */
import { RdbReader } from '../rdb/input';
import { keyMeta } from './convert-key';
import { csvBegin, csvEnd, csvField, csvKey } from './csv';
import { filterNeedsValue } from './filter';
import {
  jsonBegin, jsonBroken, jsonDamage, jsonElement, jsonEnd, jsonField, jsonFile, jsonFinish,
  jsonKey, jsonScored, jsonStringValue,
} from './json';
import { jsonStreamEntry, jsonStreamEntryEnd, jsonStreamField } from './json-stream';
import { keysTextBegin, keysTextEnd } from './keys-text';
import {
  CONVERT_PIECE, convertBegin, convertBlob, convertBroken, convertDamage, convertElement,
  convertEnd, convertEntry, convertField, convertFile, convertFinish, convertKey, convertRaw,
  convertScored, convertWantsValue,
} from './convert';
import {
  recordsDamage, recordsElement, recordsEnd, recordsEntry, recordsEntryEnd, recordsField,
  recordsFile, recordsKey, recordsScored, recordsString,
} from './records';

/** Records of the file only: all of it is verified. */
export const MODE_CHECK: u32 = 0;
/** Records for the host, keys with their facts. */
export const MODE_KEYS: u32 = 1;
/** Records for the host, keys with their values. */
export const MODE_VALUES: u32 = 2;
export const MODE_JSON: u32 = 3;
export const MODE_CSV: u32 = 4;
export const MODE_KEYS_TEXT: u32 = 5;
/** Records of the file only: values are passed over. */
export const MODE_INFO: u32 = 9;

/** RDB files made of the file: frames of convert-parts.ts. */
export const MODE_CONVERT: u32 = 20;

/** Strings longer than this are not collected where only their length is asked for. */
const MEASURE_HOLD: u64 = 4 << 20;

export let mode: u32 = MODE_CHECK;

export function setMode(which: u32): void {
  mode = which;
}

/** Longest string of a value that is needed as a whole; 0 = any. */
export function modeHold(): u64 {
  return mode == MODE_VALUES || mode == MODE_JSON ? 0 : MEASURE_HOLD;
}

/**
 * Up to how many bytes of each value are kept as they stand in the file (rdb/raw.ts), 0 = none; and
 * what becomes of longer ones: given in pieces (modeRaw, the last ones are there at modeEnd), or
 * the key is told once more, with isReplay set, and its value record by record.
 */
export function modeRawMax(): u64 {
  return mode == MODE_CONVERT ? CONVERT_PIECE : 0;
}
export function modeRawInPieces(): bool {
  return mode == MODE_CONVERT;
}
export function modeRaw(r: RdbReader): void {
  if (mode == MODE_CONVERT) convertRaw(r);
}

/** What modules keep beside the next key, where raw values are kept: rawPtr, rawSize. */
export function modeKeyMeta(r: RdbReader): void {
  if (mode == MODE_CONVERT) keyMeta(r);
}

/** The mode itself holds back what a filter has not judged yet, not the output. */
export function modeHoldsBack(): bool {
  return mode == MODE_CONVERT;
}

/**
 * Whether the mode took a container as it is (REC_BLOB, REC_STREAM_NODE): 1, or wants the driver to
 * walk it: 0; -1: it found it damaged.
 */
export function modeBlob(r: RdbReader, kind: i32): i32 {
  return mode == MODE_CONVERT ? convertBlob(r, kind) : 0;
}

/** Prepares the mode; false when memory is short. */
export function modeBegin(): bool {
  if (mode == MODE_JSON) return jsonBegin();
  if (mode == MODE_CSV) return csvBegin();
  if (mode == MODE_KEYS_TEXT) return keysTextBegin();
  if (mode == MODE_CONVERT) return convertBegin();
  return true;
}

/** Whether the mode looks at values at all. */
export function modeValues(): bool {
  if (mode == MODE_KEYS_TEXT) return filterNeedsValue();
  if (mode == MODE_CONVERT) return convertWantsValue();
  return mode != MODE_INFO;
}

/** A record that is about the file, not about a key (REC_*). */
export function modeFile(r: RdbReader, kind: i32): void {
  if (mode <= MODE_VALUES || mode == MODE_INFO) recordsFile(r, kind);
  else if (mode == MODE_JSON) jsonFile(r, kind);
  else if (mode == MODE_CONVERT) convertFile(r, kind);
}

export function modeKey(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsKey(r);
  else if (mode == MODE_JSON) jsonKey(r);
  else if (mode == MODE_CSV) csvKey();
  else if (mode == MODE_CONVERT) convertKey(r);
}

export function modeString(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsString();
  else if (mode == MODE_JSON) jsonStringValue(r);
}

export function modeElement(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsElement();
  else if (mode == MODE_JSON) jsonElement();
  else if (mode == MODE_CONVERT) convertElement(r);
}

export function modeField(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsField();
  else if (mode == MODE_JSON) jsonField();
  else if (mode == MODE_CSV) csvField();
  else if (mode == MODE_CONVERT) convertField(r);
}

export function modeScored(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsScored();
  else if (mode == MODE_JSON) jsonScored();
  else if (mode == MODE_CONVERT) convertScored(r);
}

/** A stream's entry (REC_STREAM_NODE; its fields follow) or any other REC_STREAM_* of it. */
export function modeEntry(r: RdbReader, kind: i32): void {
  if (mode == MODE_VALUES) recordsEntry(r, kind);
  else if (mode == MODE_JSON) jsonStreamEntry(r, kind);
  else if (mode == MODE_CONVERT) convertEntry(r, kind);
}

export function modeEntryField(): void {
  if (mode == MODE_VALUES) recordsField();
  else if (mode == MODE_JSON) jsonStreamField();
}

export function modeEntryEnd(): void {
  if (mode == MODE_VALUES) recordsEntryEnd();
  else if (mode == MODE_JSON) jsonStreamEntryEnd();
}

/** The value is whole; `isWanted`: it passed the filters that need the value. */
export function modeEnd(r: RdbReader, isWanted: bool): void {
  if (mode == MODE_KEYS || mode == MODE_VALUES) recordsEnd(r, isWanted);
  else if (mode == MODE_JSON) jsonEnd(isWanted);
  else if (mode == MODE_CSV) csvEnd(r, isWanted);
  else if (mode == MODE_KEYS_TEXT) keysTextEnd(r, isWanted);
  else if (mode == MODE_CONVERT) convertEnd(r, isWanted);
}

/** The current value is damaged and was given up. */
export function modeDamage(r: RdbReader): void {
  if (mode == MODE_KEYS || mode == MODE_VALUES) recordsDamage(r);
  else if (mode == MODE_JSON) jsonDamage();
  else if (mode == MODE_CONVERT) convertDamage(r);
}

/** The file is at its end too early or damaged for good: nothing else will be asked. */
export function modeBroken(r: RdbReader): void {
  if (mode == MODE_JSON) jsonBroken(r);
  if (mode == MODE_CONVERT) convertBroken(r);
}

/** The file is at its end. */
export function modeFinish(r: RdbReader): void {
  if (mode == MODE_JSON) jsonFinish(r);
  if (mode == MODE_CONVERT) convertFinish(r);
}
