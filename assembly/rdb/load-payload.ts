/**
 * RESTORE's value: one DUMP payload, read whole, into a value that is in no database.
 *
 *   code = loadValuePayload(ptr, len, flags)
 *   0    collections: dbAdd(db, key, keyLen, payloadKind, payloadValue)
 *        strings (payloadKind is TYPE_STRING): payloadValue is a blob with the bytes;
 *        stringSet(db, key, keyLen, blobPtr(b), blobLen(b)), then free(b)
 *   else ERR_* of opcodes.ts or LOAD_ERR_*; loadErrorText (load-info.ts) has the reason
 *
 * What it is not: the command. Whether the key is free, its expiry and its clock are the caller's.
 * A load may be under way at the same time; the two share nothing but code (load-value.ts).
 *
 * Redis: a payload with a wrong footer is told apart from one with a damaged value:
 * isPayloadFooter says which an error is.
 */
import { blobNew } from '../base/blob';
import { freeValue } from '../keyspace/value';
import { objKind, objValue } from '../types/holder';
import { TYPE_STRING } from '../types/object';
import { RdbReader } from './input';
import { LOAD_ERR_EMPTY, LOAD_ERR_UNSUPPORTED } from './load-info';
import {
  valueBegin, valueDiscard, valueEnd, valueRecord, ValueState, valueState, VALUE_EMPTY,
} from './load-value';
import {
  ERR_MEMORY, ERR_PAYLOAD_FOOTER, ERR_PAYLOAD_TRAILING, ERR_PAYLOAD_VERSION, RDB_ERROR, REC_EOF,
  REC_KEY, REC_STRING, REC_VALUE_END, REC_VALUE_SKIPPED,
} from './opcodes';
import { rdbClose, rdbNext, rdbOpenPayload } from './reader';

/** Type and encoding of the value, as dbAdd wants them. */
export let payloadKind: u32 = 0;
/** The value; the caller's. */
export let payloadValue: usize = 0;

/** Is this error of loadValuePayload about version or checksum (not about the value)? */
export function isPayloadFooter(code: i32): bool {
  return code == ERR_PAYLOAD_FOOTER || code == ERR_PAYLOAD_VERSION;
}

/**
 * Reads the payload at [ptr, ptr + len); `flags` as for rdbOpenPayload (RDB_NO_CHECKSUM). 0 with
 * payloadKind and payloadValue, or an error with nothing left. O(len). May grow memory.
 */
export function loadValuePayload(ptr: usize, len: u32, flags: u32): i32 {
  const block = rdbOpenPayload(ptr, len, flags);
  if (!block) return ERR_MEMORY;
  const r = changetype<RdbReader>(block);
  const v = valueState(1);
  payloadValue = 0;
  let code: i32 = 0;
  while (code == 0) {
    const kind = rdbNext(r);
    // Redis: RESTORE stops reading where the value ends; what else is there is of no interest.
    const isBehind = kind == RDB_ERROR && r.err == ERR_PAYLOAD_TRAILING && payloadValue != 0;
    if (kind == REC_EOF || isBehind) break;
    code = kind == RDB_ERROR ? r.err : record(v, r, kind);
  }
  if (code != 0) drop(v);
  rdbClose(r);
  return code;
}

/** 0 or an error. */
function record(v: ValueState, r: RdbReader, kind: i32): i32 {
  switch (kind) {
    case REC_KEY: return r.type == 0 ? 0 : valueBegin(v, r);
    case REC_STRING: {
      payloadKind = TYPE_STRING;
      payloadValue = blobNew(r.a.ptr, <u32>r.a.len);
      return payloadValue ? 0 : ERR_MEMORY;
    }
    case REC_VALUE_END: {
      const code = valueEnd(v);
      if (code == VALUE_EMPTY) return LOAD_ERR_EMPTY;
      if (code == 0) {
        payloadKind = objKind(v.obj);
        payloadValue = objValue(v.obj);
      }
      return code;
    }
    case REC_VALUE_SKIPPED: return LOAD_ERR_UNSUPPORTED;
    default: return valueRecord(v, r, kind);
  }
}

/** Frees what there is of the value. */
function drop(v: ValueState): void {
  valueDiscard(v);
  if (!payloadValue) return;
  freeValue(payloadKind & 15, payloadKind >>> 4, payloadValue);
  payloadValue = 0;
}
