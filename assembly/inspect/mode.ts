/**
 * The modes of an inspection, and which file speaks for each. The driver calls these; a new mode is
 * a number here, a line in the functions it cares about, and a file of its own.
 */
import { RdbReader } from '../rdb/input';
import {
  CONVERT_PIECE, convertBegin, convertBlob, convertBroken, convertDamage, convertElement,
  convertEnd, convertEntry, convertField, convertFile, convertFinish, convertKey, convertRaw,
  convertScored, convertVerifies, convertWantsValue,
} from './convert';
import { keyMeta } from './convert-key';
import { csvBegin, csvEnd } from './csv';
import {
  digestBegin, digestElement, digestEnd, digestEntry, digestEntryField, digestField, digestKey,
  digestReads, digestScored, digestString,
} from './digest';
import { filterNeedsValue } from './filter';
import {
  jsonBegin, jsonBroken, jsonDamage, jsonElement, jsonEnd, jsonField, jsonFile, jsonFinish,
  jsonKey, jsonScored, jsonStringValue,
} from './json';
import { jsonStreamEntry, jsonStreamEntryEnd, jsonStreamField } from './json-stream';
import { keysTextBegin, keysTextEnd } from './keys-text';
import { memoryBegin, memoryKey } from './memory';
import {
  recordsDamage, recordsElement, recordsEnd, recordsEntry, recordsEntryEnd, recordsField,
  recordsFile, recordsKey, recordsScored, recordsString,
} from './records';
import {
  respBegin, respBroken, respDamage, respElement, respEnd, respEntry, respEntryEnd,
  respEntryField, respField, respFile, respHead, respKey, respReset, respScored, respSpeaks,
  respString,
} from './resp';
import { restoreDamage, restoreEnd, restoreKey, restoreLimit, restoreReads } from './restore';
import { statsBegin, statsKey, statsString } from './stats';
import { statsReport } from './stats-report';

/** Records of the file only: all of it is verified. */
export const MODE_CHECK: u32 = 0;
/** Records for the host, keys with their facts. */
export const MODE_KEYS: u32 = 1;
/** Records for the host, keys with their values. */
export const MODE_VALUES: u32 = 2;
export const MODE_JSON: u32 = 3;
export const MODE_CSV: u32 = 4;
export const MODE_KEYS_TEXT: u32 = 5;
/** Commands: for `redis-cli --pipe`; RESTORE; an append-only file. */
export const MODE_RESP: u32 = 6;
export const MODE_RESTORE: u32 = 7;
export const MODE_AOF: u32 = 8;
/** Records of the file only: values are passed over. */
export const MODE_INFO: u32 = 9;
/** Records of the file, and tables over all keys at the end. */
export const MODE_STATS: u32 = 10;
/** A line a key with all that was measured. */
export const MODE_MEMORY: u32 = 11;
/** Digests of keys, and keys that differ from those of another file. */
export const MODE_DIGEST: u32 = 14;
/** RDB files made of the file: frames of convert-parts.ts. */
export const MODE_CONVERT: u32 = 20;

/** Strings longer than this are not collected where only their length is asked for. */
const MEASURE_HOLD: u64 = 4 << 20;

export let mode: u32 = MODE_CHECK;

export function setMode(which: u32): void {
  mode = which;
}

/** The mode writes commands. */
function isCommands(): bool {
  return mode >= MODE_RESP && mode <= MODE_AOF;
}

/** Longest string of a value that is needed as a whole; 0 = any. */
export function modeHold(): u64 {
  const isWhole = mode == MODE_VALUES || mode == MODE_JSON || mode == MODE_DIGEST || isCommands();
  return isWhole ? 0 : MEASURE_HOLD;
}

/**
 * Up to how many bytes of each value are kept as they stand in the file (rdb/raw.ts), 0 = none; and
 * what becomes of longer ones: given in pieces (modeRaw, the last ones are there at modeEnd), or
 * the key is told once more, with isReplay set, and its value record by record.
 */
export function modeRawMax(): u64 {
  if (mode == MODE_CONVERT) return CONVERT_PIECE;
  return mode == MODE_RESTORE ? restoreLimit() : 0;
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
  if (isCommands()) return respBegin();
  respReset();
  if (mode == MODE_CONVERT) return convertBegin();
  if (mode == MODE_STATS) return statsBegin();
  if (mode == MODE_MEMORY) return memoryBegin();
  return mode != MODE_DIGEST || digestBegin();
}

/** Whether collections without elements are damage: servers leave them out or refuse them. */
export function modeMindsEmpty(): bool {
  return mode == MODE_CHECK;
}

/** Whether the mode looks at values at all. */
export function modeValues(): bool {
  if (mode == MODE_KEYS_TEXT) return filterNeedsValue();
  if (isCommands()) return mode == MODE_RESTORE ? restoreReads() : respSpeaks;
  if (mode == MODE_CONVERT) return convertWantsValue();
  if (mode == MODE_DIGEST) return digestReads() || filterNeedsValue();
  return mode != MODE_INFO;
}

/** Whether the mode hears of elements; if not, values are only measured. */
export function modeElements(): bool {
  switch (mode) {
    case MODE_KEYS:
    case MODE_CSV:
    case MODE_KEYS_TEXT:
    case MODE_STATS:
    case MODE_MEMORY: return false;
    default: return true;
  }
}

/** Whether sizes inside of values are wanted, by the mode or by a filter. */
export function modeFacts(): bool {
  return !(isCommands() || mode == MODE_CONVERT) || filterNeedsValue() || modeVerifies();
}

/** Whether containers are looked into for damage before the mode gets them. */
export function modeVerifies(): bool {
  return mode == MODE_CONVERT && convertVerifies();
}

/** A record that is about the file, not about a key (REC_*). */
export function modeFile(r: RdbReader, kind: i32): void {
  if (mode <= MODE_VALUES || mode == MODE_INFO || mode == MODE_STATS) recordsFile(r, kind);
  else if (mode == MODE_JSON) jsonFile(r, kind);
  else if (mode == MODE_CONVERT) convertFile(r, kind);
  else if (isCommands()) respFile(r, kind);
}

export function modeKey(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsKey(r);
  else if (mode == MODE_DIGEST) digestKey(r);
  else if (mode == MODE_JSON) jsonKey(r);
  else if (mode == MODE_CONVERT) convertKey(r);
  else if (mode == MODE_RESTORE) restoreKey(r);
  else if (isCommands() && respHead(r)) respKey(r);
}

export function modeString(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsString();
  else if (mode == MODE_DIGEST) digestString();
  else if (mode == MODE_JSON) jsonStringValue(r);
  else if (respSpeaks) respString();
  else if (mode == MODE_STATS) statsString(r);
}

export function modeElement(): void {
  if (mode == MODE_VALUES) recordsElement();
  else if (mode == MODE_DIGEST) digestElement();
  else if (mode == MODE_JSON) jsonElement();
  else if (mode == MODE_CONVERT) convertElement();
  else if (respSpeaks) respElement();
}

export function modeField(): void {
  if (mode == MODE_VALUES) recordsField();
  else if (mode == MODE_DIGEST) digestField();
  else if (mode == MODE_JSON) jsonField();
  else if (mode == MODE_CONVERT) convertField();
  else if (respSpeaks) respField();
}

export function modeScored(): void {
  if (mode == MODE_VALUES) recordsScored();
  else if (mode == MODE_DIGEST) digestScored();
  else if (mode == MODE_JSON) jsonScored();
  else if (mode == MODE_CONVERT) convertScored();
  else if (respSpeaks) respScored();
}

/** A stream's entry (REC_STREAM_NODE; its fields follow) or any other REC_STREAM_* of it. */
export function modeEntry(r: RdbReader, kind: i32): void {
  if (mode == MODE_VALUES) recordsEntry(r, kind);
  else if (mode == MODE_DIGEST) digestEntry(r, kind);
  else if (mode == MODE_JSON) jsonStreamEntry(r, kind);
  else if (mode == MODE_CONVERT) convertEntry(r, kind);
  else if (respSpeaks) respEntry(r, kind);
}

export function modeEntryField(): void {
  if (mode == MODE_VALUES) recordsField();
  else if (mode == MODE_DIGEST) digestEntryField();
  else if (mode == MODE_JSON) jsonStreamField();
  else if (respSpeaks) respEntryField();
}

export function modeEntryEnd(): void {
  if (mode == MODE_VALUES) recordsEntryEnd();
  else if (mode == MODE_JSON) jsonStreamEntryEnd();
  else if (respSpeaks) respEntryEnd();
}

/** The value is whole; `isWanted`: it passed the filters that need the value. */
export function modeEnd(r: RdbReader, isWanted: bool): void {
  if (mode == MODE_STATS) {
    if (isWanted) statsKey(r);
  } else if (mode == MODE_MEMORY) {
    if (isWanted) memoryKey(r);
  } else if (mode == MODE_DIGEST) {
    if (isWanted) digestEnd(r);
  } else if (mode == MODE_KEYS || mode == MODE_VALUES) recordsEnd(r, isWanted);
  else if (mode == MODE_JSON) jsonEnd(r, isWanted);
  else if (mode == MODE_CONVERT) convertEnd(r, isWanted);
  else if (mode == MODE_CSV) csvEnd(r, isWanted);
  else if (mode == MODE_KEYS_TEXT) keysTextEnd(r, isWanted);
  else if (mode == MODE_RESTORE) restoreEnd(r, isWanted);
  else if (isCommands()) respEnd(r, isWanted);
}

/** The current value is damaged and was given up. */
export function modeDamage(r: RdbReader): void {
  if (mode == MODE_KEYS || mode == MODE_VALUES) recordsDamage(r);
  else if (mode == MODE_JSON) jsonDamage();
  else if (mode == MODE_CONVERT) convertDamage(r);
  else if (mode == MODE_RESTORE) restoreDamage();
  else if (isCommands()) respDamage();
}

/** The file is at its end too early or damaged for good: nothing else will be asked. */
export function modeBroken(r: RdbReader): void {
  if (mode == MODE_JSON) jsonBroken(r);
  else if (mode == MODE_CONVERT) convertBroken(r);
  else if (isCommands()) respBroken(r);
  else if (mode == MODE_STATS) statsReport();
}

/** The file is at its end. */
export function modeFinish(r: RdbReader): void {
  if (mode == MODE_JSON) jsonFinish(r);
  else if (mode == MODE_CONVERT) convertFinish(r);
  else if (mode == MODE_STATS) statsReport();
}
