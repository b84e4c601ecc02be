/** Fields of hashes that count: HINCRBY and HINCRBYFLOAT. */
import { EXT_BYTES, EXT_CHARS_MAX, extAdd, extFormat, extFromI64, extIsNanOrInf, extParse }
  from '../base/numbers/extended';
import { ll2string, llValue, string2ll } from '../base/numbers/integers';
import { client } from '../clients/client';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { argExtendedOrReply, argI64OrReply, argInt } from '../resp/arg-values';
import { argLen, argPtr } from '../resp/args';
import { replyBulk, replyError, replyInt } from '../resp/reply';
import { ADD_OOM, elExpire, valLen, valPtr } from '../types/element';
import {
  EXPIRE_KEEP,
  findField,
  hashToWriteOrReply,
  noteChanged,
  putField,
  settle,
  targetBegin,
  targetDone,
  targetFailed,
} from './hash-common';

const text = memory.data(<i32>EXT_CHARS_MAX, 8);
const floatValue = memory.data(<i32>EXT_BYTES, 8);
const floatBy = memory.data(<i32>EXT_BYTES, 8);

/** Gives the field in argument 2 the number in `text`; its expiry stays. False: answered. */
function putNumber(len: u32): bool {
  if (!targetBegin(0, 1)) return false;
  if (putField(2, text, len, EXPIRE_KEEP) != ADD_OOM) return targetDone();
  targetFailed();
  return false;
}

export function cmdHincrby(): void {
  if (!argI64OrReply(3) || !hashToWriteOrReply()) return;
  settle(2, 2, true);
  const by = argInt;
  let value: i64 = 0;
  if (findField(2)) {
    if (!string2ll(valPtr, valLen)) {
      replyError('ERR hash value is not an integer');
      return;
    }
    value = llValue;
  }
  const sum = value + by;
  // Overflow: both summands have one sign and the sum has the other.
  if (((value ^ sum) & (by ^ sum)) < 0) {
    replyError('ERR increment or decrement would overflow');
    return;
  }
  if (!putNumber(ll2string(sum, text))) return;
  noteChanged('hincrby', 1);
  replyInt(sum);
}

/** Followers get the result, so that nobody's rounding matters. */
function effectSet(len: u32, hasExpiry: bool): void {
  effectBegin(client.db, hasExpiry ? 7 : 4);
  effectLiteral(hasExpiry ? 'HSETEX' : 'HSET');
  effectArg(argPtr(1), argLen(1));
  if (hasExpiry) {
    // HSET would take the expiry off.
    effectLiteral('KEEPTTL');
    effectLiteral('FIELDS');
    effectInt(1);
  }
  effectArg(argPtr(2), argLen(2));
  effectArg(text, len);
}

export function cmdHincrbyfloat(): void {
  if (!argExtendedOrReply(3, floatBy)) return;
  if (extIsNanOrInf(floatBy)) {
    replyError('ERR value is NaN or Infinity');
    return;
  }
  if (!hashToWriteOrReply()) return;
  settle(2, 2, true);
  let hasExpiry = false;
  if (!findField(2)) {
    extFromI64(0, floatValue);
  } else if (extParse(valPtr, valLen, floatValue)) {
    hasExpiry = elExpire >= 0;
  } else {
    replyError('ERR hash value is not a float');
    return;
  }
  extAdd(floatValue, floatBy, floatValue);
  if (extIsNanOrInf(floatValue)) {
    replyError('ERR increment would produce NaN or Infinity');
    return;
  }
  const len = extFormat(floatValue, text);
  if (!putNumber(len)) return;
  effectSet(len, hasExpiry);
  noteChanged('hincrbyfloat', 1);
  replyBulk(text, len);
}
