// The core with a way to fill collections that needs no write commands.
import { dbAdd, dbAt, dbDelete, dbFindRaw } from '../../../../assembly/keyspace/db';
import { hashNew, hashSet, hashSetExpire } from '../../../../assembly/types/hash';
import { holder, objKind, objValue } from '../../../../assembly/types/holder';
import { limitsSet } from '../../../../assembly/types/limits';
import { listNew, listPush } from '../../../../assembly/types/list';
import { TYPE_HASH, TYPE_LIST, TYPE_SET } from '../../../../assembly/types/object';
import { setAdd, setNew } from '../../../../assembly/types/set';
import { zsetAdd, zsetNew } from '../../../../assembly/types/zset';

export * from '../../../../assembly/index';
export { limitsSet };

let a: usize = 0;
let aLen: u32 = 0;
let b: usize = 0;
let bLen: u32 = 0;

/** The element, or field and value, of the next `debugPut`. */
export function debugElement(ptr: usize, len: u32, valPtr: usize, valLen: u32): void {
  a = ptr;
  aLen = len;
  b = valPtr;
  bLen = valLen;
}

/** Adds the element to a key; num is a score or a field's expiry. */
export function debugPut(key: usize, keyLen: u32, type: u32, num: f64): bool {
  const db = dbAt(0);
  let obj = dbFindRaw(db, key, keyLen);
  if (obj == 0) {
    const fresh = holder(7);
    const ok = type == TYPE_LIST ? listNew(fresh)
      : type == TYPE_SET ? setNew(fresh, a, aLen, 1)
      : type == TYPE_HASH ? hashNew(fresh)
      : zsetNew(fresh, 1, aLen);
    if (!ok) return false;
    obj = dbAdd(db, key, keyLen, objKind(fresh), objValue(fresh));
    if (obj == 0) return false;
  }
  if (type == TYPE_LIST) return listPush(obj, a, aLen, false);
  if (type == TYPE_SET) return setAdd(obj, a, aLen) >= 0;
  if (type != TYPE_HASH) return zsetAdd(obj, num, a, aLen) >= 0;
  if (hashSet(obj, a, aLen, b, bLen) < 0) return false;
  return num == 0 || hashSetExpire(obj, a, aLen, <i64>num) > 0;
}

export function debugDelete(key: usize, keyLen: u32): void {
  dbDelete(dbAt(0), key, keyLen);
}
