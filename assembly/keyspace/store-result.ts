/** The end of commands that store a collection they have made: SINTERSTORE and its like. */
import { free } from '../base/alloc';
import { argLen, argPtr } from '../resp/args';
import { objEncoding, objKind, objType, objValue } from '../types/holder';
import { valueLength } from '../types/value';
import { dbAt, dbDelete, lookupWrite, signalModified } from './db';
import { entryNew, entryPut } from './entries';
import { NOTIFY_GENERIC, notifyKeyspaceEvent } from './notify';
import { markDirty } from './state';
import { freeValue } from './value';

/** Frees the value in a holder. */
export function resultDiscard(h: usize): void {
  freeValue(objType(h), objEncoding(h), objValue(h));
}

/**
 * Deletes the key in argument `arg` of database number `db`, because the result that was to be
 * stored there is empty. Redis: an expired key under that name is deleted like any other.
 */
export function resultEmpty(db: u32, arg: u32): void {
  const keys = dbAt(db);
  if (!dbDelete(keys, argPtr(arg), argLen(arg))) return;
  signalModified(keys, argPtr(arg), argLen(arg));
  notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', db, argPtr(arg), argLen(arg));
  markDirty(1);
}

/**
 * Makes the key in argument `arg` of database number `db` the value in holder `h`, in place of
 * whatever was there, and tells of `event` of class `type`; an empty value deletes the key. False:
 * out of memory, nothing changed. The holder's value is gone either way. May grow memory.
 */
export function resultStore(db: u32, arg: u32, h: usize, type: u32, event: string): bool {
  const key = argPtr(arg);
  const keyLen = argLen(arg);
  const keys = dbAt(db);
  if (valueLength(objType(h), objEncoding(h), objValue(h)) == 0) {
    resultDiscard(h);
    resultEmpty(db, arg);
    return true;
  }
  // An expired key under this name is told of as such before it is replaced.
  lookupWrite(keys, key, keyLen);
  const fresh = entryNew(key, keyLen, objKind(h), objValue(h));
  if (fresh == 0 || !entryPut(keys, fresh)) {
    free(fresh);
    resultDiscard(h);
    return false;
  }
  signalModified(keys, key, keyLen);
  notifyKeyspaceEvent(type, event, db, key, keyLen);
  markDirty(1);
  return true;
}
