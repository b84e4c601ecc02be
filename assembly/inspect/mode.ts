/**
 * The modes of an inspection, and which file speaks for each. The driver calls these; a new mode is
 * a number here, a line in the functions it cares about, and a file of its own.
 */
import { RdbReader } from '../rdb/input';
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
/** Records of the file only: values are passed over. */
export const MODE_INFO: u32 = 9;

/** Strings longer than this are not collected where only their length is asked for. */
const MEASURE_HOLD: u64 = 4 << 20;

export let mode: u32 = MODE_CHECK;

export function setMode(which: u32): void {
  mode = which;
}

/** Longest string of a value that is needed as a whole; 0 = any. */
export function modeHold(): u64 {
  return mode == MODE_VALUES ? 0 : MEASURE_HOLD;
}

/** Prepares the mode; false when memory is short. */
export function modeBegin(): bool {
  return true;
}

/** Whether the mode looks at values at all. */
export function modeValues(): bool {
  return mode != MODE_INFO;
}

/** Whether the mode hears of elements; if not, values are only measured. */
export function modeElements(): bool {
  return mode != MODE_KEYS;
}

/** A record that is about the file, not about a key (REC_*). */
export function modeFile(r: RdbReader, kind: i32): void {
  if (mode <= MODE_VALUES || mode == MODE_INFO) recordsFile(r, kind);
}

export function modeKey(r: RdbReader): void {
  if (mode == MODE_VALUES) recordsKey(r);
}

export function modeString(): void {
  if (mode == MODE_VALUES) recordsString();
}

export function modeElement(): void {
  if (mode == MODE_VALUES) recordsElement();
}

export function modeField(): void {
  if (mode == MODE_VALUES) recordsField();
}

export function modeScored(): void {
  if (mode == MODE_VALUES) recordsScored();
}

/** A stream's entry (REC_STREAM_NODE; its fields follow) or any other REC_STREAM_* of it. */
export function modeEntry(r: RdbReader, kind: i32): void {
  if (mode == MODE_VALUES) recordsEntry(r, kind);
}

export function modeEntryField(): void {
  if (mode == MODE_VALUES) recordsField();
}

export function modeEntryEnd(): void {
  if (mode == MODE_VALUES) recordsEntryEnd();
}

/** The value is whole; `isWanted`: it passed the filters that need the value. */
export function modeEnd(r: RdbReader, isWanted: bool): void {
  if (mode == MODE_KEYS || mode == MODE_VALUES) recordsEnd(r, isWanted);
}

/** The current value is damaged and was given up. */
export function modeDamage(r: RdbReader): void {
  if (mode == MODE_KEYS || mode == MODE_VALUES) recordsDamage(r);
}

/** The file is at its end too early or damaged for good: nothing else will be asked. */
export function modeBroken(_r: RdbReader): void {}

/** The file is at its end. */
export function modeFinish(_r: RdbReader): void {}
