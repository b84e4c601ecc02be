/** Commands on single sets; random members are in set-random.ts, sets of sets in set-algebra.ts. */
import { client } from '../clients/client';
import {
  dbAdd,
  dbAt,
  dbDeleteFound,
  dbFindRaw,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import {
  NOTIFY_GENERIC,
  NOTIFY_NEW,
  NOTIFY_SET,
  notifyHoldNew,
  notifyKeyspaceEvent,
} from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { resultDiscard } from '../keyspace/store-result';
import {
  argBytes,
  changeBegin,
  changeDone,
  changeFailed,
  effectUpTo,
} from '../keyspace/whole-change';
import { argc, argLen, argPtr } from '../resp/args';
import { replyOom, replyWrongType } from '../resp/errors';
import { replyArray, replyBulk, replyInt, replySet } from '../resp/reply';
import {
  replyScan,
  replyScanEmpty,
  scanCursorOrReply,
  scanMatches,
  scanOptionsOrReply,
} from '../resp/scan-args';
import { ADD_NEW, ADD_OOM, elLen, elPtr } from '../types/element';
import { holder, objKind, objValue } from '../types/holder';
import { TYPE_SET } from '../types/object';
import {
  setAdd,
  setEach,
  setHas,
  setLen,
  setNew,
  setPrepare,
  setRemove,
  setScan,
} from '../types/set';

/** The set in argument 1, 0 where there is none; false: it is something else, answered. */
let set: usize = 0;
function setOrReply(): bool {
  set = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (set == 0 || entryType(set) == TYPE_SET) return true;
  replyWrongType();
  return false;
}

/** The same for a change. */
function setToWriteOrReply(): bool {
  set = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (set == 0 || entryType(set) == TYPE_SET) return true;
  replyWrongType();
  return false;
}

// ---- changes

/**
 * Makes a new set of arguments `first` … `last` - 1 and puts it into the database under argument
 * `key`, whose lookup must just have failed. How many members it has; below 0: answered with OOM.
 */
function createSet(key: u32, first: u32, last: u32): i32 {
  const fresh = holder(0);
  const isMade = setNew(fresh, argPtr(first), argLen(first), last - first);
  let added: i32 = 0;
  let ok = isMade;
  for (let i = first; ok && i < last; i++) {
    const result = setAdd(fresh, argPtr(i), argLen(i));
    ok = result != ADD_OOM;
    if (result == ADD_NEW) added++;
  }
  if (ok) {
    const value = objValue(fresh);
    if (dbAdd(dbAt(client.db), argPtr(key), argLen(key), objKind(fresh), value) != 0) return added;
  }
  if (isMade) resultDiscard(fresh);
  replyOom();
  return -1;
}

/** Members came in: who watches and listens is told. */
function noteAdded(key: u32, added: i32): void {
  if (added == 0) return;
  signalModified(dbAt(client.db), argPtr(key), argLen(key));
  notifyKeyspaceEvent(NOTIFY_SET, 'sadd', client.db, argPtr(key), argLen(key));
  markDirty(added);
}

/** Members went away; the key goes with the last of them. `set` is the entry just found. */
function noteRemoved(removed: u32, event: string): void {
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_SET, event, client.db, argPtr(1), argLen(1));
  markDirty(removed);
  if (setLen(set) != 0) return;
  dbDeleteFound(dbAt(client.db));
  notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(1), argLen(1));
}

export function cmdSadd(): void {
  if (!setToWriteOrReply()) return;
  let added: i32 = 0;
  if (set == 0) {
    added = createSet(1, 2, argc);
    if (added < 0) return;
  } else {
    const count = argc - 2;
    const target = changeBegin(set, count == 1 ? 0 : argBytes(2), count);
    let i: u32 = 2;
    if (target != 0 && setPrepare(target, count)) {
      for (; i < argc; i++) {
        const result = setAdd(target, argPtr(i), argLen(i));
        if (result == ADD_OOM) break;
        if (result == ADD_NEW) added++;
      }
    }
    if (i < argc) {
      if (target == 0 || changeFailed()) added = 0;
      if (added != 0) effectUpTo(client.db, i);
      noteAdded(1, added);
      replyOom();
      return;
    }
    changeDone(set);
  }
  noteAdded(1, added);
  replyInt(added);
}

export function cmdSrem(): void {
  if (!setToWriteOrReply()) return;
  let removed: u32 = 0;
  for (let i: u32 = 2; set != 0 && i < argc && setLen(set) != 0; i++) {
    if (setRemove(set, argPtr(i), argLen(i))) removed++;
  }
  if (removed != 0) noteRemoved(removed, 'srem');
  replyInt(removed);
}

export function cmdSmove(): void {
  const db = dbAt(client.db);
  const from = lookupWrite(db, argPtr(1), argLen(1));
  const to = lookupWrite(db, argPtr(2), argLen(2));
  // Redis: without a source the destination may be anything.
  if (from == 0) {
    replyInt(0);
    return;
  }
  if (entryType(from) != TYPE_SET || (to != 0 && entryType(to) != TYPE_SET)) {
    replyWrongType();
    return;
  }
  const isMember = setHas(from, argPtr(3), argLen(3));
  if (!isMember || from == to) {
    replyInt(isMember ? 1 : 0);
    return;
  }
  // It is added before it is removed: only adding can fail. Listeners hear of it in Redis' order.
  notifyHoldNew(true);
  const added = to == 0 ? createSet(2, 3, 4) : setAdd(to, argPtr(3), argLen(3));
  notifyHoldNew(false);
  if (added < 0) {
    if (to != 0) replyOom();
    return;
  }
  setRemove(from, argPtr(3), argLen(3));
  set = dbFindRaw(db, argPtr(1), argLen(1));
  noteRemoved(1, 'srem');
  if (to == 0) notifyKeyspaceEvent(NOTIFY_NEW, 'new', client.db, argPtr(2), argLen(2));
  noteAdded(2, added);
  replyInt(1);
}

// ---- questions

export function cmdScard(): void {
  if (setOrReply()) replyInt(set == 0 ? 0 : setLen(set));
}

export function cmdSismember(): void {
  if (setOrReply()) replyInt(set != 0 && setHas(set, argPtr(2), argLen(2)) ? 1 : 0);
}

export function cmdSmismember(): void {
  if (!setOrReply()) return;
  replyArray(argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    replyInt(set != 0 && setHas(set, argPtr(i), argLen(i)) ? 1 : 0);
  }
}

function replyMember(_arg: usize): void {
  replyBulk(elPtr, elLen);
}

export function cmdSmembers(): void {
  if (!setOrReply()) return;
  if (set == 0) {
    replySet(0);
    return;
  }
  replySet(setLen(set));
  setEach(set, replyMember, 0);
}

function showMatching(): u32 {
  if (!scanMatches(elPtr, elLen)) return 0;
  replyBulk(elPtr, elLen);
  return 1;
}

export function cmdSscan(): void {
  if (!scanCursorOrReply(2) || !setOrReply()) return;
  if (set == 0) {
    replyScanEmpty();
    return;
  }
  if (scanOptionsOrReply(3, false)) replyScan(set, setScan, showMatching, 1);
}
