/**
 * FUNCTION, as far as it goes without an engine: sources of libraries are kept (they come with RDB
 * files and full synchronisations), and go out again by DUMP. What the host, which compiles them,
 * does to the list is here too.
 */
import { crc64 } from '../base/crc64';
import {
  functionsClear,
  functionsDelete,
  functionsFirst,
  functionsNext,
  functionsPut,
  functionsVersion,
  libraryCodeLen,
  libraryCodePtr,
} from '../keyspace/functions';
import { markDirty } from '../keyspace/state';
import {
  sinkBegin,
  sinkByte,
  sinkFailed,
  sinkLen,
  sinkPtr,
  sinkString,
  sinkTaken,
} from '../rdb/save-sink';
import { saveDumpTrailer, saveVersionReset } from '../rdb/save-value';
import { replyOom } from '../resp/errors';
import { replyBulk } from '../resp/reply';

/** RDB_OPCODE_FUNCTION2. */
const OPCODE_FUNCTION: u32 = 245;

export function cmdFunctionDump(): void {
  sinkBegin();
  saveVersionReset();
  for (let library = functionsFirst(false); library != 0; library = functionsNext(library)) {
    sinkByte(OPCODE_FUNCTION);
    sinkString(libraryCodePtr(library), libraryCodeLen(library));
  }
  saveDumpTrailer();
  if (sinkFailed) replyOom();
  else replyBulk(sinkPtr, <u32>sinkLen);
  sinkTaken();
}

// ---- for the host

/** A number that changes with the list of libraries. */
export function functionVersion(): u32 {
  return functionsVersion;
}

/** Adds a library, in place of the one of its name if there is one; FUNCTION_*. */
export function functionPut(code: usize, len: u32): i32 {
  return functionsPut(code, len);
}

export function functionDelete(name: usize, len: u32): bool {
  return functionsDelete(name, len);
}

export function functionClear(): void {
  functionsClear(false);
}

/** The running command has changed the list: it is propagated. */
export function functionChanged(): void {
  markDirty(1);
}

/** Versions of RDB that FUNCTION RESTORE takes. */
const VERSION_MAX: u32 = 12;

/** Whether a payload of FUNCTION DUMP is whole. */
export function functionPayloadOk(ptr: usize, len: u32): bool {
  if (len < 10) return false;
  const version: u32 = load<u16>(ptr + len - 10);
  return version <= VERSION_MAX && crc64(0, ptr, len - 8) == load<u64>(ptr + len - 8);
}
