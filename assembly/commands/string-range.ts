/** String commands on parts of a value: APPEND, SETRANGE, GETRANGE, SUBSTR. */
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead, lookupWrite, signalModified } from '../keyspace/db';
import { NOTIFY_STRING, notifyKeyspaceEvent } from '../keyspace/notify';
import { fromMaster, markDirty, protoMaxBulkLen } from '../keyspace/state';
import {
  EXPIRE_NONE,
  stringBytes,
  stringLength,
  stringMutable,
  stringPut,
  stringPutZeros,
  stringRead,
  strLen,
  strPtr,
} from '../keyspace/strings';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argLen, argPtr } from '../resp/args';
import { replyOom, replyStringTooLong, replyWrongType } from '../resp/errors';
import { replyBulk, replyError, replyInt } from '../resp/reply';
import { TYPE_STRING } from '../types/object';

/** Longest string the core's addresses allow. */
const LENGTH_MAX: u64 = 0xfffffff0;

/** Whether a string of `size + more` bytes is allowed; else answered. A master is obeyed. */
function lengthOrReply(size: i64, more: u32): bool {
  const total = <u64>size + more;
  if (fromMaster) {
    if (total <= LENGTH_MAX) return true;
    replyOom();
    return false;
  }
  if (total <= min(protoMaxBulkLen, LENGTH_MAX)) return true;
  replyStringTooLong();
  return false;
}

function modified(db: usize, event: string): void {
  signalModified(db, argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STRING, event, client.db, argPtr(1), argLen(1));
  markDirty(1);
}

export function cmdAppend(): void {
  const db = dbAt(client.db);
  const more = argLen(2);
  const item = lookupWrite(db, argPtr(1), argLen(1));
  let total = more;
  if (item == 0) {
    if (!stringPut(db, 1, argPtr(2), more, EXPIRE_NONE)) {
      replyOom();
      return;
    }
  } else {
    if (entryType(item) != TYPE_STRING) {
      replyWrongType();
      return;
    }
    const before = stringLength(item);
    if (!lengthOrReply(before, more)) return;
    total = before + more;
    const bytes = stringMutable(db, total, true);
    if (bytes == 0) {
      replyOom();
      return;
    }
    memory.copy(bytes + before, argPtr(2), more);
  }
  modified(db, 'append');
  replyInt(total);
}

export function cmdSetrange(): void {
  if (!argI64OrReply(2)) return;
  const offset = argInt;
  if (offset < 0) {
    replyError('ERR offset is out of range');
    return;
  }
  const db = dbAt(client.db);
  const len = argLen(3);
  const item = lookupWrite(db, argPtr(1), argLen(1));
  if (item != 0 && entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  const before: u32 = item == 0 ? 0 : stringLength(item);
  if (len == 0) {
    replyInt(before);
    return;
  }
  if (!lengthOrReply(offset, len)) return;
  const end = <u32>offset + len;
  const total = max(before, end);
  let bytes: usize = 0;
  if (item != 0) bytes = stringMutable(db, total, true);
  else if (stringPutZeros(db, 1, total)) bytes = stringBytes();
  if (bytes == 0) {
    replyOom();
    return;
  }
  memory.copy(bytes + <usize>offset, argPtr(3), len);
  modified(db, 'setrange');
  replyInt(total);
}

export function cmdGetrange(): void {
  if (!argI64OrReply(2)) return;
  let from = argInt;
  if (!argI64OrReply(3)) return;
  let to = argInt;
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (item == 0) {
    replyBulk(0, 0);
    return;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  stringRead(item);
  const len: i64 = strLen;
  const isBackward = from < 0 && to < 0 && from > to;
  if (from < 0) from = max<i64>(from + len, 0);
  if (to < 0) to = max<i64>(to + len, 0);
  to = min(to, len - 1);
  if (isBackward || from > to) replyBulk(0, 0);
  else replyBulk(strPtr + <usize>from, <u32>(to - from + 1));
}

export function cmdSubstr(): void {
  cmdGetrange();
}
