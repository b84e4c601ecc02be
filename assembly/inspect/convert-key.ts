/**
 * What stands in front of a value: database, expiry, eviction data, type, name.
 */
import { RdbReader } from '../rdb/input';
import {
  OP_EXPIRE_MS, OP_EXPIRE_SEC, OP_FREQ, OP_IDLE, OP_KEY_META, OP_SELECTDB,
} from '../rdb/opcodes';
import {
  LOSS_EVICTION, LOSS_EXPIRY, LOSS_EXPIRY_MS, LOSS_KEY_META, lossNote,
} from './convert-loss';
import {
  Part, part, partScratch, partTakeBack, partUse, putBytes, putDone, putRoom, putScratch,
} from './convert-parts';
import { putByte, putLength, putSlot } from './convert-put';
import {
  SINCE_EVICTION, SINCE_EXPIRE_MS, SINCE_KEY_META, target, targetIsValkey,
} from './convert-target';

let dropsExpiry: bool = false;
/** Module metadata of the key that begins at that place of the file. */
let meta: usize = 0;
let metaOf: u64 = u64.MAX_VALUE;

/** False: no memory. */
export function keysBegin(withoutExpiry: bool): bool {
  dropsExpiry = withoutExpiry;
  metaOf = u64.MAX_VALUE;
  if (meta == 0) meta = partScratch();
  return meta != 0;
}

/** Module metadata, which stand before the key: kept until it is known where the key goes. */
export function keyMeta(r: RdbReader): void {
  partUse(changetype<Part>(meta));
  partTakeBack(0);
  putBytes(r.rawPtr, r.rawSize);
  metaOf = r.keyOffset;
}

function metadata(r: RdbReader): void {
  if (target < SINCE_KEY_META || targetIsValkey || metaOf != r.keyOffset) {
    lossNote(LOSS_KEY_META, r.metaCount);
    return;
  }
  putByte(OP_KEY_META);
  putLength(r.metaCount);
  putScratch(meta);
}

/** The current part goes on with keys of that database. */
export function selectDb(db: u32): void {
  if (part.db == db) return;
  part.db = db;
  putByte(OP_SELECTDB);
  putLength(db);
}

/** Everything of the current key up to its value, which is to be of that type. */
export function keyHead(r: RdbReader, type: u32): void {
  if (r.hasExpire && !dropsExpiry) expiry(r.expireMs);
  if (target >= SINCE_EVICTION) {
    if (r.idleSec >= 0) {
      putByte(OP_IDLE);
      putLength(r.idleSec);
    }
    if (r.freq >= 0) {
      putByte(OP_FREQ);
      putByte(r.freq);
    }
  } else if (r.idleSec >= 0 || r.freq >= 0) {
    lossNote(LOSS_EVICTION, 1);
  }
  if (r.metaCount != 0) metadata(r);
  putByte(type);
  putSlot(r.key);
}

function expiry(ms: i64): void {
  const at = putRoom(9);
  if (at == 0) return;
  if (target >= SINCE_EXPIRE_MS) {
    store<u8>(at, <u8>OP_EXPIRE_MS);
    store<i64>(at, ms, 1);
    putDone(9);
    return;
  }
  // never earlier than it was
  const sec = ms / 1000 + (ms % 1000 > 0 ? 1 : 0);
  if (ms % 1000 != 0) lossNote(LOSS_EXPIRY_MS, 1);
  if (sec != <i64>(<i32>sec)) {
    lossNote(LOSS_EXPIRY, 1);
    return;
  }
  store<u8>(at, <u8>OP_EXPIRE_SEC);
  store<i32>(at, <i32>sec, 1);
  putDone(5);
}
