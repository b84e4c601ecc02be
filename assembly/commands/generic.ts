/**
 * Commands on keys whatever their type: DEL UNLINK EXISTS TOUCH TYPE RENAME RENAMENX COPY MOVE.
 * Expiries are in expire.ts, walks in scan.ts, OBJECT in generic-object.ts, DUMP in dump.ts.
 */
import { free } from '../base/alloc';
import { client } from '../clients/client';
import {
  dbAddItem,
  dbAt,
  dbCount,
  dbDeleteFound,
  dbExpireFound,
  dbFindRaw,
  dbTakeFound,
  entryType,
  foundHash,
  isExpired,
  lookupRead,
  lookupReadNoTouch,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { entryCopied, entryPutNew, entryRekeyed } from '../keyspace/entries';
import { NOTIFY_GENERIC, notifyKeyspaceEvent } from '../keyspace/notify';
import { isReplica, markDirty } from '../keyspace/state';
import { freeEntry } from '../keyspace/value';
import { argInt, argRangeOrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyNoSuchKey, replyOom, replySyntaxError } from '../resp/errors';
import { replyError, replyInt, replyOk, replySimple } from '../resp/reply';
import { typeName } from '../types/names';

function notify(event: string, db: u32, arg: u32): void {
  notifyKeyspaceEvent(NOTIFY_GENERIC, event, db, argPtr(arg), argLen(arg));
}

// ---- DEL and its like

/** Deletes the keys of all arguments; large values are freed bit by bit either way. */
function deleteKeys(): void {
  const db = dbAt(client.db);
  let deleted: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    const item = dbFindRaw(db, argPtr(i), argLen(i));
    if (item == 0) continue;
    if (isExpired(item) && !isReplica) {
      // Redis: a key that had expired is not counted; its DEL goes out on its own.
      dbExpireFound(db, item);
      continue;
    }
    dbDeleteFound(db);
    signalModified(db, argPtr(i), argLen(i));
    notify('del', client.db, i);
    deleted++;
  }
  markDirty(deleted);
  replyInt(deleted);
}

export function cmdDel(): void {
  deleteKeys();
}

export function cmdUnlink(): void {
  deleteKeys();
}

export function cmdExists(): void {
  const db = dbAt(client.db);
  let found: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    if (lookupReadNoTouch(db, argPtr(i), argLen(i)) != 0) found++;
  }
  replyInt(found);
}

export function cmdTouch(): void {
  const db = dbAt(client.db);
  let found: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    if (lookupRead(db, argPtr(i), argLen(i)) != 0) found++;
  }
  replyInt(found);
}

export function cmdType(): void {
  const item = lookupReadNoTouch(dbAt(client.db), argPtr(1), argLen(1));
  replySimple(item == 0 ? 'none' : typeName(entryType(item)));
}

// ---- RENAME, COPY, MOVE

function isSameKey(a: u32, b: u32): bool {
  return argLen(a) == argLen(b) && memory.compare(argPtr(a), argPtr(b), argLen(a)) == 0;
}

/** Frees the entry of a key, not its value, which another entry has. */
function dropKeepingValue(db: usize, arg: u32): void {
  dbFindRaw(db, argPtr(arg), argLen(arg));
  free(dbTakeFound(db));
}

function rename(onlyIfNew: bool): void {
  const db = dbAt(client.db);
  const item = lookupWrite(db, argPtr(1), argLen(1));
  if (item == 0) {
    replyNoSuchKey();
    return;
  }
  if (isSameKey(1, 2)) {
    if (onlyIfNew) replyInt(0);
    else replyOk();
    return;
  }
  if (lookupWrite(db, argPtr(2), argLen(2)) != 0 && onlyIfNew) {
    replyInt(0);
    return;
  }
  const fresh = entryRekeyed(item, argPtr(2), argLen(2));
  if (fresh == 0 || !entryPutNew(db, fresh)) {
    free(fresh);
    replyOom();
    return;
  }
  dropKeepingValue(db, 1);
  signalModified(db, argPtr(1), argLen(1));
  signalModified(db, argPtr(2), argLen(2));
  notify('rename_from', client.db, 1);
  notify('rename_to', client.db, 2);
  markDirty(1);
  if (onlyIfNew) replyInt(1);
  else replyOk();
}

export function cmdRename(): void {
  rename(false);
}

export function cmdRenamenx(): void {
  rename(true);
}

/** A database's index in argument `i`, left in `argInt`; false = answered with an error. */
function databaseOrReply(i: u32): bool {
  if (!argRangeOrReply(i, i32.MIN_VALUE, i32.MAX_VALUE)) return false;
  if (argInt >= 0 && argInt < <i64>dbCount) return true;
  replyError('ERR DB index is out of range');
  return false;
}

function replySameObject(): void {
  replyError('ERR source and destination objects are the same');
}

export function cmdCopy(): void {
  let replace = false;
  let target = client.db;
  for (let i: u32 = 3; i < argc; i++) {
    if (argIs(i, 'replace')) {
      replace = true;
    } else if (argIs(i, 'db') && i + 1 < argc) {
      if (!databaseOrReply(++i)) return;
      target = <u32>argInt;
    } else {
      replySyntaxError();
      return;
    }
  }
  if (target == client.db && isSameKey(1, 2)) {
    replySameObject();
    return;
  }
  const to = dbAt(target);
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (item == 0 || (lookupWrite(to, argPtr(2), argLen(2)) != 0 && !replace)) {
    replyInt(0);
    return;
  }
  const fresh = entryCopied(item, argPtr(2), argLen(2));
  if (fresh == 0 || !entryPutNew(to, fresh)) {
    if (fresh != 0) freeEntry(fresh);
    replyOom();
    return;
  }
  signalModified(to, argPtr(2), argLen(2));
  notify('copy_to', target, 2);
  markDirty(1);
  replyInt(1);
}

export function cmdMove(): void {
  if (!databaseOrReply(2)) return;
  const target = <u32>argInt;
  if (target == client.db) {
    replySameObject();
    return;
  }
  const from = dbAt(client.db);
  const to = dbAt(target);
  const item = lookupWrite(from, argPtr(1), argLen(1));
  if (item == 0 || lookupWrite(to, argPtr(1), argLen(1)) != 0) {
    replyInt(0);
    return;
  }
  if (!dbAddItem(to, item, foundHash)) {
    replyOom();
    return;
  }
  dbFindRaw(from, argPtr(1), argLen(1));
  dbTakeFound(from);
  signalModified(from, argPtr(1), argLen(1));
  signalModified(to, argPtr(1), argLen(1));
  notify('move_from', client.db, 1);
  notify('move_to', target, 1);
  markDirty(1);
  replyInt(1);
}
