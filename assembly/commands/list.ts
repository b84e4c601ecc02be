/**
 * Commands on lists. What pops and moves elements is in list-elements.ts, as the blocking forms use
 * it too.
 */
import { client } from '../clients/client';
import { dbAdd, dbAt, entryType, lookupRead, lookupWrite, signalModified } from '../keyspace/db';
import { NOTIFY_LIST, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { freeValue } from '../keyspace/value';
import {
  argI64OrReply,
  argInt,
  argPositiveOrReply,
  argRangeOrReplyText,
} from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import {
  replyIndexOutOfRange,
  replyNoSuchKey,
  replyOom,
  replySyntaxError,
  replyWrongArgs,
  replyWrongType,
} from '../resp/errors';
import {
  errorBegin,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredArrayEnd,
  replyInt,
  replyNull,
  replyNullArray,
  replyOk,
} from '../resp/reply';
import { elLen, elPtr } from '../types/element';
import { holder, objEncoding, objKind, objValue } from '../types/holder';
import {
  listDeleteRange,
  listGet,
  listInsertAt,
  listIsNeedle,
  listLen,
  listMove,
  listNeedle,
  listNew,
  ListPos,
  listPush,
  listRemoveAt,
  listReplaceAt,
  listSeek,
} from '../types/list';
import { TYPE_LIST } from '../types/object';
import {
  endIsHead,
  listDeleteEmpty,
  listEndOrReply,
  listMoveOrReply,
  listMpop,
  listMpopArgsOrReply,
  listPopMany,
  listPopOne,
  MOVE_FROM_HEAD,
  MOVE_TO_HEAD,
  replyListElements,
} from './list-elements';

const pos = changetype<ListPos>(memory.data(16));

/** The list in argument 1, 0 where there is none; false: it is something else, answered. */
let list: usize = 0;
function listOrReply(): bool {
  list = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  return isListOrReply();
}

/** The same for commands that write. */
function listToWriteOrReply(): bool {
  list = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  return isListOrReply();
}

// @ts-ignore: decorator
@inline function isListOrReply(): bool {
  if (list == 0 || entryType(list) == TYPE_LIST) return true;
  replyWrongType();
  return false;
}

/** The list in argument 1 has changed: `count` changes, told as `event`. */
function changed(event: string, count: u64): void {
  signalModified(dbAt(client.db), argPtr(1), argLen(1));
  notifyKeyspaceEvent(NOTIFY_LIST, event, client.db, argPtr(1), argLen(1));
  markDirty(count);
}

// ---- LPUSH, RPUSH, LPUSHX, RPUSHX

/** Adds the elements from argument 2 on, all or none. False: out of memory. */
function pushArgs(obj: usize, head: bool): bool {
  for (let i: u32 = 2; i < argc; i++) {
    if (listPush(obj, argPtr(i), argLen(i), head)) continue;
    listDeleteRange(obj, head ? 0 : -<i64>(i - 2), i - 2);
    return false;
  }
  return true;
}

/** Makes the key, which was just not found, a list of the arguments. False: out of memory. */
function addKey(head: bool): bool {
  const fresh = holder(0);
  if (!listNew(fresh)) return false;
  if (pushArgs(fresh, head)) {
    const kind = objKind(fresh);
    list = dbAdd(dbAt(client.db), argPtr(1), argLen(1), kind, objValue(fresh));
    if (list != 0) return true;
  }
  freeValue(TYPE_LIST, objEncoding(fresh), objValue(fresh));
  return false;
}

function push(head: bool, onlyIfThere: bool): void {
  if (!listToWriteOrReply()) return;
  if (list == 0 && onlyIfThere) {
    replyInt(0);
    return;
  }
  if (list == 0 ? !addKey(head) : !pushArgs(list, head)) {
    replyOom();
    return;
  }
  replyInt(listLen(list));
  changed(head ? 'lpush' : 'rpush', argc - 2);
}

export function cmdLpush(): void {
  push(true, false);
}

export function cmdRpush(): void {
  push(false, false);
}

export function cmdLpushx(): void {
  push(true, true);
}

export function cmdRpushx(): void {
  push(false, true);
}

// ---- LPOP, RPOP, LMPOP, LMOVE, RPOPLPUSH

function pop(head: bool, name: string): void {
  if (argc > 3) {
    replyWrongArgs(name);
    return;
  }
  if (argc == 3 && !argPositiveOrReply(2)) return;
  const count = argInt;
  if (!listToWriteOrReply()) return;
  if (list == 0) {
    if (argc == 3) replyNullArray();
    else replyNull();
  } else if (argc == 2) {
    listPopOne(client.db, list, head);
  } else if (count == 0) {
    replyArray(0);
  } else {
    listPopMany(client.db, list, head, count);
  }
}

export function cmdLpop(): void {
  pop(true, 'lpop');
}

export function cmdRpop(): void {
  pop(false, 'rpop');
}

export function cmdLmpop(): void {
  if (listMpopArgsOrReply(1) && !listMpop(client.db)) replyNullArray();
}

function move(ends: u32): void {
  if (!listToWriteOrReply()) return;
  if (list == 0) replyNull();
  else listMoveOrReply(client.db, list, argPtr(2), argLen(2), ends);
}

export function cmdLmove(): void {
  if (!listEndOrReply(3)) return;
  const from: u32 = endIsHead ? MOVE_FROM_HEAD : 0;
  if (!listEndOrReply(4)) return;
  move(from | (endIsHead ? MOVE_TO_HEAD : 0));
}

export function cmdRpoplpush(): void {
  move(MOVE_TO_HEAD);
}

// ---- reading

export function cmdLlen(): void {
  if (listOrReply()) replyInt(list == 0 ? 0 : listLen(list));
}

export function cmdLindex(): void {
  if (!listOrReply()) return;
  if (list == 0) {
    replyNull();
    return;
  }
  if (!argI64OrReply(2)) return;
  if (listGet(list, argInt)) replyBulk(elPtr, elLen);
  else replyNull();
}

export function cmdLrange(): void {
  if (!argI64OrReply(2)) return;
  let start = argInt;
  if (!argI64OrReply(3)) return;
  let end = argInt;
  if (!listOrReply()) return;
  const count: i64 = list == 0 ? 0 : listLen(list);
  if (start < 0) start = max(start + count, 0);
  if (end < 0) end += count;
  end = min(end, count - 1);
  if (start > end) {
    replyArray(0);
    return;
  }
  replyArray(end - start + 1);
  replyListElements(list, start, <u32>(end - start + 1));
}

// ---- LPOS

let posRank: i64 = 1;
/** COUNT, -1 = not given, 0 = all. */
let posCount: i64 = -1;
let posMaxLen: i64 = 0;

function posOptionsOrReply(): bool {
  posRank = 1;
  posCount = -1;
  posMaxLen = 0;
  for (let i: u32 = 3; i < argc; i += 2) {
    if (i + 1 == argc) {
      replySyntaxError();
      return false;
    }
    if (argIs(i, 'rank')) {
      if (!argI64OrReply(i + 1)) return false;
      posRank = argInt;
      if (posRank == 0) {
        replyRankZero();
        return false;
      }
    } else if (argIs(i, 'count')) {
      const text = "ERR COUNT can't be negative";
      if (!argRangeOrReplyText(i + 1, 0, i64.MAX_VALUE, text)) return false;
      posCount = argInt;
    } else if (argIs(i, 'maxlen')) {
      const text = "ERR MAXLEN can't be negative";
      if (!argRangeOrReplyText(i + 1, 0, i64.MAX_VALUE, text)) return false;
      posMaxLen = argInt;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

function replyRankZero(): void {
  errorBegin("ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... ");
  errorText('or use negative to start from the end of the list');
  errorEnd();
}

/** Answers with the places of the matches asked for; how many there were. */
function replyPlaces(): u32 {
  const forward = posRank > 0;
  // Redis: the least integer has no opposite; every match then counts, and COUNT does not.
  const isLeast = posRank == i64.MIN_VALUE;
  const rank = forward ? posRank : -posRank;
  const length = listLen(list);
  const steps: u64 = posMaxLen == 0 ? length : min<u64>(posMaxLen, length);
  const most: u64 = posCount < 0 ? 1 : posCount == 0 || isLeast ? u64.MAX_VALUE : posCount;
  let matches: i64 = 0;
  let replied: u32 = 0;
  listNeedle(argPtr(2), argLen(2));
  listSeek(list, forward ? 0 : -1, pos);
  for (let i: u32 = 0; i < steps; i++) {
    if (i != 0) listMove(pos, forward);
    if (!listIsNeedle(pos) || ++matches < rank) continue;
    replyInt(forward ? i : length - 1 - i);
    if (++replied >= most) break;
  }
  return replied;
}

export function cmdLpos(): void {
  if (!posOptionsOrReply() || !listOrReply()) return;
  if (posCount < 0) {
    if (list == 0 || replyPlaces() == 0) replyNull();
    return;
  }
  if (list == 0) {
    replyArray(0);
    return;
  }
  const head = replyDeferred();
  replyDeferredArrayEnd(head, replyPlaces());
}

// ---- LSET, LINSERT, LREM, LTRIM

export function cmdLset(): void {
  if (!listToWriteOrReply()) return;
  if (list == 0) {
    replyNoSuchKey();
    return;
  }
  if (!argI64OrReply(2)) return;
  if (!listSeek(list, argInt, pos)) {
    replyIndexOutOfRange();
    return;
  }
  if (!listReplaceAt(list, pos, argPtr(3), argLen(3))) {
    replyOom();
    return;
  }
  replyOk();
  changed('lset', 1);
}

/** Points `pos` at the first element (`forward`) or last that equals argument `i`; false: none. */
function seekEqual(i: u32, forward: bool): bool {
  listNeedle(argPtr(i), argLen(i));
  if (!listSeek(list, forward ? 0 : -1, pos)) return false;
  while (!listIsNeedle(pos)) if (!listMove(pos, forward)) return false;
  return true;
}

export function cmdLinsert(): void {
  const after = argIs(2, 'after');
  if (!after && !argIs(2, 'before')) {
    replySyntaxError();
    return;
  }
  if (!listToWriteOrReply()) return;
  if (list == 0) {
    replyInt(0);
    return;
  }
  if (!seekEqual(3, true)) {
    replyInt(-1);
    return;
  }
  if (!listInsertAt(list, pos, argPtr(4), argLen(4), after)) {
    replyOom();
    return;
  }
  replyInt(listLen(list));
  changed('linsert', 1);
}

export function cmdLrem(): void {
  if (!argI64OrReply(2)) return;
  const forward = argInt >= 0;
  // Redis: the number of the least integer has no opposite and means "all".
  const most: u64 = argInt == 0 ? u64.MAX_VALUE : <u64>(forward ? argInt : -argInt);
  if (!listToWriteOrReply()) return;
  let removed: u64 = 0;
  let more = list != 0 && seekEqual(3, forward);
  while (more && removed < most) {
    removed++;
    more = listRemoveAt(list, pos, forward);
    while (more && !listIsNeedle(pos)) more = listMove(pos, forward);
  }
  if (removed != 0) {
    changed('lrem', removed);
    listDeleteEmpty(client.db, list);
  }
  replyInt(removed);
}

export function cmdLtrim(): void {
  if (!argI64OrReply(2)) return;
  let start = argInt;
  if (!argI64OrReply(3)) return;
  let end = argInt;
  if (!listToWriteOrReply()) return;
  replyOk();
  if (list == 0) return;
  const count: i64 = listLen(list);
  if (start < 0) start = max(start + count, 0);
  if (end < 0) end += count;
  end = min(end, count - 1);
  const isEmpty = start > end;
  const left = <u32>(isEmpty ? count : start);
  const right = <u32>(isEmpty ? 0 : count - 1 - end);
  listDeleteRange(list, 0, left);
  listDeleteRange(list, -<i64>right, right);
  changed('ltrim', <u64>left + right);
  listDeleteEmpty(client.db, list);
}
