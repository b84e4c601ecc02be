/** Random members of sets: SPOP and SRANDMEMBER. */
import { allocHeadroom } from '../base/alloc';
import { drawnAdd, drawnBegin, drawnEnd, sampleBegin, sampleTake } from '../base/sample';
import { client } from '../clients/client';
import {
  dbAt,
  dbDeleteFound,
  entryType,
  lookupRead,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { effectArg, effectBegin, effectLiteral } from '../keyspace/effects';
import { NOTIFY_GENERIC, NOTIFY_SET, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { argInt, argPositiveOrReply, argRangeOrReply } from '../resp/arg-values';
import { argc, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import { replyArray, replyBulk, replyFailed, replyNull, replySet } from '../resp/reply';
import { elLen, elPtr } from '../types/element';
import { TYPE_SET } from '../types/object';
import { setEach, setLen, setRandom, setRemovePicked } from '../types/set';

/** The shortest reply for a member: `$0`, CRLF, CRLF. */
const REPLY_MIN: u64 = 6;
/** More than this share of the members is drawn by walking over all of them. */
const SHARE: u64 = 3;
/** Redis: an SREM that stands for a SPOP names at most so many members. */
const EFFECT_MAX: u32 = 1024;

let set: usize = 0;

function isSetOrReply(): bool {
  if (set == 0 || entryType(set) == TYPE_SET) return true;
  replyWrongType();
  return false;
}

function replyMember(_arg: usize): void {
  replyBulk(elPtr, elLen);
}

// ---- SPOP

/** Members were popped; the key goes with the last of them. */
function notePopped(count: u32): void {
  markDirty(count);
  notifyKeyspaceEvent(NOTIFY_SET, 'spop', client.db, argPtr(1), argLen(1));
  if (setLen(set) == 0) deleteSet();
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
}

function deleteSet(): void {
  dbDeleteFound(dbAt(client.db));
  notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', client.db, argPtr(1), argLen(1));
}

function effectSrem(count: u32): void {
  effectBegin(client.db, count + 2);
  effectLiteral('SREM');
  effectArg(argPtr(1), argLen(1));
}

/** Takes members off, as many as there are effects begun for. */
function popMembers(count: u32): void {
  while (count-- != 0) {
    setRandom(set);
    effectArg(elPtr, elLen);
    replyBulk(elPtr, elLen);
    setRemovePicked(set);
  }
}

/** The whole set goes, in its own order. */
function popAll(): void {
  const count = setLen(set);
  replySet(count);
  setEach(set, replyMember, 0);
  effectBegin(client.db, 2);
  effectLiteral('DEL');
  effectArg(argPtr(1), argLen(1));
  markDirty(count);
  notifyKeyspaceEvent(NOTIFY_SET, 'spop', client.db, argPtr(1), argLen(1));
  deleteSet();
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
}

function popCount(count: i64): void {
  if (set == 0 || count == 0) {
    replySet(0);
    return;
  }
  if (count >= <i64>setLen(set)) {
    popAll();
    return;
  }
  replySet(count);
  for (let left = <u32>count; left != 0; ) {
    const part = min(left, EFFECT_MAX);
    effectSrem(part);
    popMembers(part);
    left -= part;
  }
  notePopped(<u32>count);
}

export function cmdSpop(): void {
  if (argc > 3) {
    replySyntaxError();
    return;
  }
  if (argc == 3 && !argPositiveOrReply(2)) return;
  set = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (!isSetOrReply()) return;
  if (argc == 3) {
    popCount(argInt);
  } else if (set == 0) {
    replyNull();
  } else {
    effectSrem(1);
    popMembers(1);
    notePopped(1);
  }
}

// ---- SRANDMEMBER

/** `count` members, the same ones again and again perhaps. */
function replyRepeated(count: u64): void {
  // Redis would go on for as long as there is memory.
  if (count > <u64>allocHeadroom() / REPLY_MIN) {
    replyOom();
    return;
  }
  replyArray(count);
  for (; count != 0 && !replyFailed; count--) {
    setRandom(set);
    replyBulk(elPtr, elLen);
  }
}

function replySampled(_arg: usize): void {
  if (sampleTake()) replyBulk(elPtr, elLen);
}

/** `count` different members, each choice of them equally likely. */
function replyDifferent(count: u32): void {
  if (<u64>count * SHARE > setLen(set)) {
    replyArray(count);
    sampleBegin(count, setLen(set));
    setEach(set, replySampled, 0);
    return;
  }
  if (!drawnBegin(count)) {
    replyOom();
    return;
  }
  replyArray(count);
  while (count != 0) {
    if (!drawnAdd(setRandom(set))) continue;
    replyBulk(elPtr, elLen);
    count--;
  }
  drawnEnd();
}

export function cmdSrandmember(): void {
  if (argc > 3) {
    replySyntaxError();
    return;
  }
  if (argc == 3 && !argRangeOrReply(2, -i64.MAX_VALUE, i64.MAX_VALUE)) return;
  set = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (!isSetOrReply()) return;
  if (argc == 2) {
    if (set == 0) {
      replyNull();
    } else {
      setRandom(set);
      replyBulk(elPtr, elLen);
    }
  } else if (set == 0 || argInt == 0) {
    replyArray(0);
  } else if (argInt < 0) {
    replyRepeated(-argInt);
  } else if (argInt >= <i64>setLen(set)) {
    replyArray(setLen(set));
    setEach(set, replyMember, 0);
  } else {
    replyDifferent(<u32>argInt);
  }
}
