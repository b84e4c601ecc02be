/**
 * Elements of lists on their way out: replied, popped, moved. The bodies that the commands of
 * list.ts share with their blocking forms.
 *
 * `listPopOne`, `listPopMany`, `listMoveOrReply` and `listMpop` do all there is to do to the keys:
 * the reply, the notifications in Redis' order, the removal of an emptied list, the count of
 * changes. They take entries just looked up in database number `dbIndex`, whoever waits for the
 * reply. How a change is told to followers is the caller's to say, unless it is the command as it
 * came: `effectListPop`; `listMpop` and `listMpopFrom` write theirs themselves.
 */
import { ll2string, llChars } from '../base/numbers/integers';
import { lpEntryTotal, lpGet, lpGetText, lpValInt, lpValLen } from '../encoding/listpack';
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import {
  dbAdd,
  dbAt,
  dbDeleteFound,
  dbFindRaw,
  entryType,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { NOTIFY_GENERIC, NOTIFY_LIST, notifyKeyspaceEvent } from '../keyspace/notify';
import { markDirty } from '../keyspace/state';
import { freeValue } from '../keyspace/value';
import { argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import { replyArray, replyBulk, replyRoom, replyRoomEnd, replyWrote } from '../resp/reply';
import { elLen, elPtr } from '../types/element';
import { holder, objEncoding, objKind, objValue } from '../types/holder';
import {
  listDeleteRange,
  listDrop,
  listLen,
  listNew,
  listPeek,
  listPointAt,
  ListPos,
  listPush,
  listRead,
  listRotate,
  listSeek,
  listStep,
} from '../types/list';
import { nodeAt, nodeCount } from '../types/list-node';
import { TYPE_LIST } from '../types/object';

const pos = changetype<ListPos>(memory.data(16));

// ---- replies

/** Bytes a small element may take as a bulk string: `$63`, 63 bytes, two line ends, and a word. */
const SMALL_ROOM: usize = 96;

/** Answers with `count` elements from `start` on, which must be there; without the header. */
export function replyListElements(list: usize, start: i64, count: u32): void {
  if (count == 0) return;
  listSeek(list, start, pos);
  while (true) {
    const node = nodeAt(pos.node);
    if (pos.p == 0) {
      listRead(pos);
      replyBulk(elPtr, elLen);
      count--;
    } else {
      const here = min(nodeCount(node) - pos.index, count);
      replyEntries(pos.p, here);
      count -= here;
    }
    if (count == 0) return;
    listPointAt(pos, node.next, true);
  }
}

/**
 * Answers with `count` listpack entries from `p` on: the usual ones, short strings, are written
 * straight into the reply, eight bytes at a time and up to seven too many.
 */
function replyEntries(p: usize, count: u32): void {
  let at = replyRoom(SMALL_ROOM);
  if (at == 0) return;
  while (count-- != 0) {
    const b: u32 = load<u8>(p);
    if ((b & 0xc0) != 0x80 && b >= 0xe0 && b <= 0xf0) {
      replyWrote(at);
      const text = lpGetText(p);
      replyBulk(text, lpValLen);
      p += lpEntryTotal(p);
      at = replyRoom(SMALL_ROOM);
      if (at == 0) return;
      continue;
    }
    if (at + SMALL_ROOM > replyRoomEnd) {
      replyWrote(at);
      at = replyRoom(SMALL_ROOM);
      if (at == 0) return;
    }
    if ((b & 0xc0) == 0x80) {
      const len = b & 0x3f;
      at = bulkHeader(at, len);
      for (let i: u32 = 0; i < len; i += 8) store<u64>(at + i, load<u64>(p + i, 1));
      at += len;
      p += len + 2;
    } else {
      lpGet(p);
      at = bulkHeader(at, llChars(lpValInt));
      at += ll2string(lpValInt, at);
      p += lpEntryTotal(p);
    }
    store<u16>(at, 0x0a0d);
    at += 2;
  }
  replyWrote(at);
}

/** Writes `$len` and its line end, len below 100; where the bytes go. */
// @ts-ignore: decorator
@inline function bulkHeader(at: usize, len: u32): usize {
  if (len < 10) {
    store<u32>(at, 0x0a0d3024 + (len << 8));
    return at + 4;
  }
  const tens = (len * 205) >>> 11;
  store<u64>(at, 0x0a0d303024 + (tens << 8) + ((len - tens * 10) << 16));
  return at + 5;
}

// ---- taking elements off

/** LEFT (true) or RIGHT, as read by `listEndOrReply`. */
export let endIsHead: bool = false;

/** Reads LEFT or RIGHT from argument `i`; false = answered with a syntax error. */
export function listEndOrReply(i: u32): bool {
  endIsHead = argIs(i, 'left');
  if (endIsHead || argIs(i, 'right')) return true;
  replySyntaxError();
  return false;
}

/** What follows the removal of elements by a pop: the entry is gone afterwards if it is empty. */
function popped(dbIndex: u32, list: usize, head: bool, count: u32): void {
  const db = dbAt(dbIndex);
  const key = itemKeyPtr(list);
  const keyLen = itemKeyLen(list);
  notifyKeyspaceEvent(NOTIFY_LIST, head ? 'lpop' : 'rpop', dbIndex, key, keyLen);
  signalModified(db, key, keyLen);
  listDeleteEmpty(dbIndex, list);
  markDirty(count);
}

/** Removes a list that has no elements any more from its database. */
export function listDeleteEmpty(dbIndex: u32, list: usize): void {
  if (listLen(list) != 0) return;
  const db = dbAt(dbIndex);
  const key = itemKeyPtr(list);
  const keyLen = itemKeyLen(list);
  notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', dbIndex, key, keyLen);
  dbFindRaw(db, key, keyLen);
  dbDeleteFound(db);
}

/** Takes one element off an end and answers with it. */
export function listPopOne(dbIndex: u32, list: usize, head: bool): void {
  listPeek(list, head);
  replyBulk(elPtr, elLen);
  listDrop(list, head);
  popped(dbIndex, list, head, 1);
}

/** Takes up to `count` elements off an end and answers with the array of them; how many. */
export function listPopMany(dbIndex: u32, list: usize, head: bool, count: i64): u32 {
  const n = <u32>min<i64>(count, listLen(list));
  replyArray(n);
  if (head) {
    replyListElements(list, 0, n);
    listDeleteRange(list, 0, n);
  } else {
    listSeek(list, -1, pos);
    for (let left = n; left != 0; left--) {
      replyBulk(elPtr, elLen);
      if (left != 1) listStep(pos, false);
    }
    listDeleteRange(list, -<i64>n, n);
  }
  popped(dbIndex, list, head, n);
  return n;
}

/** LPOP key or RPOP key, for followers; before the pop, which may free the entry. */
export function effectListPop(dbIndex: u32, list: usize, head: bool): void {
  effectBegin(dbIndex, 2);
  effectLiteral(head ? 'LPOP' : 'RPOP');
  effectArg(itemKeyPtr(list), itemKeyLen(list));
}

/** The same with the number of elements. */
function effectListPopMany(dbIndex: u32, list: usize, head: bool, count: u32): void {
  effectBegin(dbIndex, 3);
  effectLiteral(head ? 'LPOP' : 'RPOP');
  effectArg(itemKeyPtr(list), itemKeyLen(list));
  effectInt(count);
}

// ---- moving an element

/** Which ends `listMoveOrReply` works on; without them, the tails. */
export const MOVE_FROM_HEAD: u32 = 1;
export const MOVE_TO_HEAD: u32 = 2;

/**
 * Moves an element of `src`, a list that is not empty, to the list at a key, made where there is
 * none, and answers with the element. False: answered with an error (wrong type, no memory) and
 * nothing has changed. May grow memory.
 */
export function listMoveOrReply(
  dbIndex: u32,
  src: usize,
  key: usize,
  keyLen: u32,
  ends: u32,
): bool {
  const db = dbAt(dbIndex);
  const fromHead = (ends & MOVE_FROM_HEAD) != 0;
  const toHead = (ends & MOVE_TO_HEAD) != 0;
  const dst = lookupWrite(db, key, keyLen);
  if (dst != 0 && entryType(dst) != TYPE_LIST) {
    replyWrongType();
    return false;
  }
  let isDone: bool;
  if (dst == src) {
    isDone = listRotate(src, fromHead, toHead);
    if (isDone) listPeek(src, toHead);
  } else {
    listPeek(src, fromHead);
    isDone = dst != 0 ? listPush(dst, elPtr, elLen, toHead) : listAddKey(db, key, keyLen);
  }
  if (!isDone) {
    replyOom();
    return false;
  }
  replyBulk(elPtr, elLen);
  if (dst != src) listDrop(src, fromHead);
  signalModified(db, key, keyLen);
  notifyKeyspaceEvent(NOTIFY_LIST, toHead ? 'lpush' : 'rpush', dbIndex, key, keyLen);
  popped(dbIndex, src, fromHead, 1);
  return true;
}

/** Makes the key, which was just not found, a list of the element in elPtr, elLen. */
function listAddKey(db: usize, key: usize, keyLen: u32): bool {
  const fresh = holder(0);
  if (!listNew(fresh)) return false;
  if (listPush(fresh, elPtr, elLen, false)) {
    if (dbAdd(db, key, keyLen, objKind(fresh), objValue(fresh)) != 0) return true;
  }
  freeValue(TYPE_LIST, objEncoding(fresh), objValue(fresh));
  return false;
}

// ---- LMPOP and BLMPOP

/** The arguments read by `listMpopArgsOrReply`: keys from `mpopFirst` on, the end, COUNT. */
export let mpopFirst: u32 = 0;
export let mpopKeys: u32 = 0;
export let mpopHead: bool = false;
export let mpopCount: i64 = 1;

/** Reads `numkeys key … LEFT|RIGHT [COUNT count]` from argument `i` on; false = answered. */
export function listMpopArgsOrReply(i: u32): bool {
  if (!argRangeOrReplyText(i, 1, i64.MAX_VALUE, 'ERR numkeys should be greater than 0')) {
    return false;
  }
  if (argInt >= <i64>argc - i - 1) {
    replySyntaxError();
    return false;
  }
  mpopFirst = i + 1;
  mpopKeys = <u32>argInt;
  mpopCount = 1;
  const where = mpopFirst + mpopKeys;
  if (!listEndOrReply(where)) return false;
  mpopHead = endIsHead;
  for (let k = where + 1; k < argc; k += 2) {
    if (k != where + 1 || k + 1 == argc || !argIs(k, 'count')) {
      replySyntaxError();
      return false;
    }
    if (!argRangeOrReplyText(k + 1, 1, i64.MAX_VALUE, 'ERR count should be greater than 0')) {
      return false;
    }
    mpopCount = argInt;
  }
  return true;
}

/**
 * Pops from the first list there is among the keys read, answers with its name and the elements,
 * and writes the effect. False: there is none, and nothing was answered. A key of another type is
 * answered as an error.
 */
export function listMpop(dbIndex: u32): bool {
  for (let i = mpopFirst; i < mpopFirst + mpopKeys; i++) {
    const list = lookupWrite(dbAt(dbIndex), argPtr(i), argLen(i));
    if (list == 0) continue;
    if (entryType(list) == TYPE_LIST) listMpopFrom(dbIndex, list, mpopHead, mpopCount);
    else replyWrongType();
    return true;
  }
  return false;
}

/** Pops up to `count` elements, answers with the key and them, and writes the effect. */
export function listMpopFrom(dbIndex: u32, list: usize, head: bool, count: i64): void {
  replyArray(2);
  replyBulk(itemKeyPtr(list), itemKeyLen(list));
  effectListPopMany(dbIndex, list, head, <u32>min<i64>(count, listLen(list)));
  listPopMany(dbIndex, list, head, count);
}
