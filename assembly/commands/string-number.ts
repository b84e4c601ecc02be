/** String commands that count: INCR, INCRBY, DECR, DECRBY, INCRBYFLOAT. */
import { EXT_BYTES, EXT_CHARS_MAX, extAdd, extFormat, extFromI64, extIsNanOrInf, extParse }
  from '../base/numbers/extended';
import { llValue, string2ll } from '../base/numbers/integers';
import { client } from '../clients/client';
import { dbAt, entryType, lookupWrite, signalModified } from '../keyspace/db';
import { effectArg, effectBegin, effectLiteral } from '../keyspace/effects';
import { NOTIFY_STRING, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import {
  stringInt,
  stringIsInt,
  stringPutInt,
  stringPutText,
  stringRead,
  stringSetInt,
  strLen,
  strPtr,
} from '../keyspace/strings';
import { argExtendedOrReply, argInt, argI64OrReply } from '../resp/arg-values';
import { argLen, argPtr } from '../resp/args';
import { replyNotFloat, replyNotInteger, replyOom, replyWrongType } from '../resp/errors';
import { replyBulk, replyError, replyInt } from '../resp/reply';
import { TYPE_STRING } from '../types/object';

/** The integer a string entry says, in `number`; false = answered. */
let number: i64 = 0;
function numberOrReply(item: usize): bool {
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return false;
  }
  if (stringIsInt(item)) {
    number = stringInt(item);
    return true;
  }
  stringRead(item);
  if (!string2ll(strPtr, strLen)) {
    replyNotInteger();
    return false;
  }
  number = llValue;
  return true;
}

function increase(by: i64): void {
  const db = dbAt(client.db);
  const item = lookupWrite(db, argPtr(1), argLen(1));
  number = 0;
  if (item != 0 && !numberOrReply(item)) return;
  const sum = number + by;
  // Overflow: both summands have one sign and the sum has the other.
  if (((number ^ sum) & (by ^ sum)) < 0) {
    replyError('ERR increment or decrement would overflow');
    return;
  }
  if (item != 0 && stringIsInt(item)) {
    stringSetInt(item, sum);
  } else if (!stringPutInt(db, 1, sum)) {
    replyOom();
    return;
  }
  signalModified(db, argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STRING, 'incrby', client.db, argPtr(1), argLen(1));
  markDirty(1);
  replyInt(sum);
}

export function cmdIncr(): void {
  increase(1);
}

export function cmdDecr(): void {
  increase(-1);
}

export function cmdIncrby(): void {
  if (argI64OrReply(2)) increase(argInt);
}

export function cmdDecrby(): void {
  if (!argI64OrReply(2)) return;
  if (argInt == i64.MIN_VALUE) replyError('ERR decrement would overflow');
  else increase(-argInt);
}

const floatValue = memory.data(<i32>EXT_BYTES, 8);
const floatBy = memory.data(<i32>EXT_BYTES, 8);
const floatText = memory.data(<i32>EXT_CHARS_MAX, 8);

/** The number a string entry (0 = none) says, in `floatValue`; false = answered. */
function floatOrReply(item: usize): bool {
  if (item == 0) {
    extFromI64(0, floatValue);
    return true;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return false;
  }
  if (stringIsInt(item)) {
    extFromI64(stringInt(item), floatValue);
    return true;
  }
  stringRead(item);
  if (extParse(strPtr, strLen, floatValue)) return true;
  replyNotFloat();
  return false;
}

export function cmdIncrbyfloat(): void {
  const db = dbAt(client.db);
  if (!floatOrReply(lookupWrite(db, argPtr(1), argLen(1)))) return;
  if (!argExtendedOrReply(2, floatBy)) return;
  extAdd(floatValue, floatBy, floatValue);
  if (extIsNanOrInf(floatValue)) {
    replyError('ERR increment would produce NaN or Infinity');
    return;
  }
  const len = extFormat(floatValue, floatText);
  // Redis: the result is a text even where it looks like an integer.
  if (!stringPutText(db, 1, floatText, len)) {
    replyOom();
    return;
  }
  signalModified(db, argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_STRING, 'incrbyfloat', client.db, argPtr(1), argLen(1));
  markDirty(1);
  // Followers get the result, so that nobody's rounding matters.
  effectBegin(client.db, 4);
  effectLiteral('SET');
  effectArg(argPtr(1), argLen(1));
  effectArg(floatText, len);
  effectLiteral('KEEPTTL');
  replyBulk(floatText, len);
}
