/**
 * The end of every command that stores a sorted set it has made: ZRANGESTORE, ZUNIONSTORE and its
 * like, GEOSEARCHSTORE, GEORADIUS.
 */
import { free } from '../base/alloc';
import { argLen, argPtr } from '../resp/args';
import { objEncoding, objKind, objValue } from '../types/holder';
import { TYPE_ZSET } from '../types/object';
import { zsetLen } from '../types/zset';
import { dbAt, dbDelete, lookupWrite, signalModified } from './db';
import { entryNew, entryPut } from './entries';
import { NOTIFY_GENERIC, NOTIFY_ZSET, notifyKeyspaceEvent } from './notify';
import { markDirty } from './state';
import { freeValue } from './value';

/** Frees the sorted set in a holder. */
export function zsetDiscard(h: usize): void {
  freeValue(TYPE_ZSET, objEncoding(h), objValue(h));
}

/**
 * Makes the key in argument `arg` of database number `db` the sorted set in holder `h`, in place of
 * whatever was there, and tells of `event`, counting `changes`. An empty one deletes the key.
 * False: out of memory, nothing changed. The holder's value is gone either way. May grow memory.
 */
export function zsetStore(db: u32, arg: u32, h: usize, event: string, changes: u32): bool {
  const key = argPtr(arg);
  const keyLen = argLen(arg);
  const keys = dbAt(db);
  if (zsetLen(h) == 0) {
    zsetDiscard(h);
    if (!dbDelete(keys, key, keyLen)) return true;
    signalModified(keys, key, keyLen);
    notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', db, key, keyLen);
    markDirty(1);
    return true;
  }
  // An expired key under this name is told of as such before it is replaced.
  lookupWrite(keys, key, keyLen);
  const fresh = entryNew(key, keyLen, objKind(h), objValue(h));
  if (fresh == 0 || !entryPut(keys, fresh)) {
    free(fresh);
    zsetDiscard(h);
    return false;
  }
  signalModified(keys, key, keyLen);
  notifyKeyspaceEvent(NOTIFY_ZSET, event, db, key, keyLen);
  markDirty(changes);
  return true;
}
