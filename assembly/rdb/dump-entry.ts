/**
 * DUMP's payload of an entry: type byte, value, RDB version, CRC-64, put together in the sink
 * (save-sink.ts). The one place where DUMP meets the serialisers.
 */
import { itemValue } from '../hashtable/item';
import { entryEncoding, entryType } from '../keyspace/db';
import { stringRead, strLen, strPtr } from '../keyspace/strings';
import { TYPE_STRING } from '../types/object';
import { sinkBegin, sinkFailed, sinkTaken } from './save-sink';
import { saveAll, saveDumpTrailer, saveString } from './save-value';

/** What `dumpEntry` answers: the payload is in the sink (the caller ends with `sinkTaken`), */
export const DUMP_OK: i32 = 0;
/** there was no memory for it, */
export const DUMP_OOM: i32 = 1;
/** or there is no serialiser for the type yet. */
export const DUMP_UNSUPPORTED: i32 = 2;

/** Serialises an entry. O(bytes). May grow memory. */
export function dumpEntry(item: usize): i32 {
  const type = entryType(item);
  sinkBegin();
  if (type == TYPE_STRING) {
    stringRead(item);
    saveString(strPtr, strLen);
  } else if (!saveAll(type, entryEncoding(item), itemValue(item))) {
    return DUMP_UNSUPPORTED;
  }
  saveDumpTrailer();
  if (!sinkFailed) return DUMP_OK;
  sinkTaken();
  return DUMP_OOM;
}
