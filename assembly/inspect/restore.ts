/**
 * Keys as RESTORE (MODE_RESTORE): the value's bytes as they stand in the file, in a payload.
 *
 *   RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds | FREQ frequency]
 *   payload = type byte, bytes of the value, u16 version, u64 CRC-64
 *
 * Nothing is unpacked or looked into, so what a server reads is exactly what the other wrote, its
 * encodings and the details no command could set. The version in the payload is the lowest whose
 * servers read the type, whatever the file's is.
 *
 * The length of a payload stands in front of it: values are held, up to option 5 (bytes). Larger
 * ones, and those whose type RESTORE or the target does not take, are written as commands
 * (resp.ts). What has no commands is held however large it is. REPLACE and the rest of the options
 * are those of resp.ts; without REPLACE the server refuses (BUSYKEY) and keeps a key it has.
 */
import { crc64 } from '../base/crc64';
import { RdbReader } from '../rdb/input';
import {
  TYPE_HASH_LISTPACK_EX, TYPE_HASH_ZIPLIST, TYPE_HASH_ZIPMAP, TYPE_SET_INTSET,
} from '../rdb/opcodes';
import { rdbDropRaw, rdbRawLimit } from '../rdb/raw';
import { RDB_COUNT_UNKNOWN } from '../rdb/reader';
import {
  argument, argumentEnd, argumentHead, argumentInt, argumentWord, commandBegin,
} from './command';
import { SHAPE_OTHER, SHAPE_STREAM, SHAPE_STRING } from './event';
import { facts } from './facts';
import { filterNeedsValue } from './filter';
import { LEFT_AS_COMMANDS, LEFT_EMPTY, leftOut } from './left-out';
import { optionNumber } from './options';
import { outBytes } from './out';
import {
  RESP_REPLACE, respDamage, respEnd, respExpires, respHas, respHead, respKey, respPasses,
  respSelect, respSpeaks,
} from './resp';
import { LEVEL_STREAMS, has, isGiven, payloadVersion } from './target';

const LIMIT: u64 = 8 << 20;
const footer = memory.data(16, 8);
const typeByte = memory.data(8, 8);
/** Version of the current key's payload. */
let version: u32 = 0;

/** Bytes of a value that are held at most. */
export function restoreLimit(): u64 {
  const asked = <u64>optionNumber(5);
  return asked == 0 ? LIMIT : asked;
}

/** Whether the value has to be read record by record. */
export function restoreReads(): bool {
  return respSpeaks || (filterNeedsValue() && !respPasses);
}

export function restoreKey(r: RdbReader): void {
  version = 0;
  if (!respHead(r)) {
    rdbDropRaw(r);
    return;
  }
  version = payloadVersion(r);
  // only hashes by reference and the types of release candidates have no payload at all
  if (version == 0 || r.isReplay) {
    rdbDropRaw(r);
    if (r.isReplay) leftOut(r, LEFT_AS_COMMANDS);
    version = 0;
    respKey(r);
    return;
  }
  if (facts.shape == SHAPE_OTHER) rdbRawLimit(r, u64.MAX_VALUE);
}

/** No element at all, which RESTORE takes for damage. */
function isEmpty(r: RdbReader): bool {
  // a stream's count is that of its nodes: it may have none
  if (facts.shape == SHAPE_STREAM || facts.shape == SHAPE_STRING) return false;
  if (r.count != RDB_COUNT_UNKNOWN) return r.count == 0;
  // behind the length, which is one byte: what a container without elements takes
  let bytes: usize = 8;
  if (r.type == TYPE_HASH_ZIPMAP) bytes = 3;
  else if (r.type == TYPE_SET_INTSET) bytes = 9;
  else if (r.type <= TYPE_HASH_ZIPLIST) bytes = 12;
  else if (r.type == TYPE_HASH_LISTPACK_EX) bytes = 16;
  return r.rawSize == bytes;
}

export function restoreEnd(r: RdbReader, isWanted: bool): void {
  if (version == 0) {
    respEnd(r, isWanted);
    return;
  }
  if (!isWanted) return;
  if (isEmpty(r)) {
    leftOut(r, LEFT_EMPTY);
    return;
  }
  respSelect(r);
  // of an old file one cannot tell that the target is old, too; what is left by then is no good
  const isAbsolute = !isGiven || has(LEVEL_STREAMS);
  const isReplaced = respHas(RESP_REPLACE);
  const expires = respExpires(r);
  const hasUse = isAbsolute && (r.idleSec >= 0 || r.freq >= 0);
  const more = (isReplaced ? 1 : 0) + (expires && isAbsolute ? 1 : 0) + (hasUse ? 2 : 0);
  commandBegin(4 + more, 'RESTORE');
  argument(r.key.ptr, r.key.len);
  ttl(r, expires, isAbsolute);
  payload(r);
  if (isReplaced) argumentWord('REPLACE');
  if (expires && isAbsolute) argumentWord('ABSTTL');
  if (!hasUse) return;
  argumentWord(r.idleSec >= 0 ? 'IDLETIME' : 'FREQ');
  argumentInt(r.idleSec >= 0 ? r.idleSec : <i64>r.freq);
}

function ttl(r: RdbReader, expires: bool, isAbsolute: bool): void {
  if (!expires) {
    argumentInt(0);
    return;
  }
  // 0 would mean that the key does not expire
  const from: i64 = isAbsolute ? 0 : <i64>optionNumber(3);
  argumentInt(max<i64>(r.expireMs - from, 1));
}

function payload(r: RdbReader): void {
  store<u8>(typeByte, <u8>r.type);
  store<u16>(footer, <u16>version);
  let crc = crc64(0, typeByte, 1);
  crc = crc64(crc, r.rawPtr, r.rawSize);
  store<u64>(footer, crc64(crc, footer, 2), 2);
  argumentHead(r.rawSize + 11);
  outBytes(typeByte, 1);
  outBytes(r.rawPtr, r.rawSize);
  outBytes(footer, 10);
  argumentEnd();
}

export function restoreDamage(): void {
  if (version == 0) respDamage();
}
