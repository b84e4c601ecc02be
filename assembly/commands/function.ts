/**
 * FUNCTION, as far as it goes without an engine to run libraries: their sources are kept (they come
 * with RDB files and full synchronisations), and go out again by DUMP.
 */
import {
  functionsFirst,
  functionsNext,
  libraryCodeLen,
  libraryCodePtr,
} from '../keyspace/functions';
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
