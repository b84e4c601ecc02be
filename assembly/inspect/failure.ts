/**
 * Why an inspection ended early: the reader's error, or one of the inspection itself.
 */
import { writeLiteral } from '../base/literal';
import { rdbErrorText } from '../rdb/errors';
import { RdbReader } from '../rdb/input';

/** Errors beside the reader's ERR_*. */
export const INSPECT_ERR_BLOB: i32 = 100;
export const INSPECT_ERR_MEMORY: i32 = 101;
export const INSPECT_ERR_EMPTY: i32 = 102;

/** Our own error, 0 = none. */
export let inspectError: i32 = 0;

export function setInspectError(code: i32): void {
  inspectError = code;
}

export function failureCode(r: RdbReader): i32 {
  return inspectError != 0 ? inspectError : r.err;
}

/** Place in the file: of the damage, or of the key whose value is damaged inside. */
export function failureOffset(r: RdbReader): u64 {
  return inspectError != 0 ? r.keyOffset : r.errOffset;
}

/** Writes the reason at `to` (80 bytes of room); its length. */
export function failureText(r: RdbReader, to: usize): usize {
  if (inspectError == INSPECT_ERR_BLOB) return writeLiteral(to, 'damaged container of elements');
  if (inspectError == INSPECT_ERR_EMPTY) return writeLiteral(to, 'collection without elements');
  if (inspectError != 0) return writeLiteral(to, 'out of memory');
  return rdbErrorText(r.err, to);
}
