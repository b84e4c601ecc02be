/**
 * Sorted sets: members with scores, by member, by rank, by score and by bytes.
 *
 *   ENC_LISTPACK   member, score, member, score … in order, byte for byte as Redis has it
 *   ENC_SKIPLIST   Zset: a hash table of items (NUM = score) and a rank tree of the same items
 *                  (Redis: OBJECT ENCODING says "skiplist"; the structure is rank-tree.ts)
 *
 *   Zset (36 bytes)   +0 HashTable members   +20 RankTree order
 *
 * Order is by score, then by bytes. All ranges are ranges of ranks: `zsetRankOfScore` and
 * `zsetRankOfLex` turn bounds into ranks, a `ZsetPos` walks from a rank in either direction.
 * Scores are never NaN here: callers and the loader see to that.
 *
 * Listpacks come from files too: their members are unique and their scores numbers
 * (zsetFromListpack), but whether they are in order is believed, as in Redis.
 */
import { alloc, free, usableSize } from '../base/alloc';
import { bytesCompare } from '../base/bytes';
import { doubleValue, string2d } from '../base/numbers/double';
import { double2ll, DOUBLE_CHARS_MAX, doubleLl, formatG17 } from '../base/numbers/format';
import { prngBelow } from '../base/prng';
import {
  lpAppend,
  lpAppendInt,
  lpBytes,
  lpCheckMultiple,
  lpDelete,
  lpDeleteRange,
  lpDeleteRangeAt,
  lpDup,
  lpFind,
  lpFirst,
  lpGet,
  lpGetText,
  lpInsertAfter,
  lpInsertBefore,
  lpInsertIntAfter,
  lpLength,
  lpNew,
  lpNext,
  lpPrev,
  lpReplace,
  lpReplaceInt,
  lpSafeToAdd,
  lpSeek,
  lpShrinkToFit,
  lpValInt,
  lpValLen,
  lpValPtr,
} from '../encoding/listpack';
import { lpGetTextTo } from '../encoding/listpack-entry';
import {
  HashTable,
  HT_SIZE,
  htClearStep,
  htFind,
  htHash,
  htInit,
  htInsertSlot,
  htItem,
  htOverhead,
  htRemove,
  htScan,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_NUM,
  itemKeyLen,
  itemKeyPtr,
  itemNew,
  itemScore,
  itemSetScore,
} from '../hashtable/item';
import {
  ADD_NEW,
  ADD_OLD,
  ADD_OOM,
  ADD_UPDATED,
  BLOB_BAD,
  BLOB_TAKEN,
  elLen,
  elPtr,
  elSet,
  elSetEntry,
  elScore,
  elSetScore,
  valSet,
  valSetEntry,
} from './element';
import { objChange, objEncoding, objMake, objMoved, objValue } from './holder';
import { zsetMaxListpackEntries, zsetMaxListpackValue } from './limits';
import { ENC_LISTPACK, ENC_SKIPLIST, TYPE_ZSET } from './object';
import {
  leafItem,
  leafLen,
  leafNext,
  leafPrev,
  RankTree,
  TREE_SIZE,
  treeCountLex,
  treeCountScore,
  treeFindRank,
  treeFreeStep,
  treeIndex,
  treeInit,
  treeInsert,
  treeLeaf,
  treeMove,
  treeOverhead,
  treeRank,
  treeRemove,
  treeRemoveHere,
  treeSeek,
  treeSeekEdge,
} from './rank-tree';

const ZSET_SIZE: usize = HT_SIZE + TREE_SIZE;
const scoreText = memory.data(<i32>DOUBLE_CHARS_MAX);

/** A place in a sorted set, good until it changes. */
@unmanaged
export class ZsetPos {
  /** The listpack; 0 = a rank tree. */
  lp: u32;
  /** The member's entry, or the leaf. */
  at: u32;
  /** Place in the leaf. */
  index: u32;
}
export const ZSET_POS_SIZE: usize = offsetof<ZsetPos>();

// @ts-ignore: decorator
@inline function members(value: usize): HashTable {
  return changetype<HashTable>(value);
}

// @ts-ignore: decorator
@inline function tree(value: usize): RankTree {
  return changetype<RankTree>(value + HT_SIZE);
}

// @ts-ignore: decorator
@inline function isPacked(obj: usize): bool {
  return objEncoding(obj) == ENC_LISTPACK;
}

/** The parts of an ENC_SKIPLIST value, for those who build one (zset-build.ts). */
// @ts-ignore: decorator
@inline export function zsetTable(value: usize): HashTable {
  return members(value);
}

// @ts-ignore: decorator
@inline export function zsetOrder(value: usize): RankTree {
  return tree(value);
}

function zsetCreate(): usize {
  const value = alloc(ZSET_SIZE);
  if (value == 0) return 0;
  htInit(members(value));
  treeInit(tree(value));
  return value;
}

function make(obj: usize, packed: bool): bool {
  const value = packed ? lpNew(0) : zsetCreate();
  if (value == 0) return false;
  objMake(obj, TYPE_ZSET, packed ? ENC_LISTPACK : ENC_SKIPLIST, value);
  return true;
}

/**
 * Makes `obj` an empty sorted set for about `count` members, the longest known one `len` bytes
 * long. False: out of memory. Redis: ZADD passes a count of 0 (1 here means the same).
 */
export function zsetNew(obj: usize, count: u64, len: u32): bool {
  const entries: u64 = zsetMaxListpackEntries;
  return make(obj, entries != 0 && count <= entries && len <= zsetMaxListpackValue);
}

/** Makes `obj` an empty sorted set that is a tree whatever the limits. False: out of memory. */
export function zsetNewTree(obj: usize): bool {
  return make(obj, false);
}

/** Makes `obj` an empty sorted set for a load of `count` members. False: no memory. */
export function zsetLoadBegin(obj: usize, count: u64): bool {
  return make(obj, count <= <u64>zsetMaxListpackEntries);
}

/** Number of members. */
export function zsetLen(obj: usize): u32 {
  return zsetCount(objEncoding(obj), objValue(obj));
}

export function zsetCount(encoding: u32, value: usize): u32 {
  return encoding == ENC_LISTPACK ? lpLength(value) >>> 1 : members(value).count;
}

// ---- scores in listpacks

/** The score in a listpack entry; NaN if it is no number (never in a checked listpack). */
function entryScore(p: usize): f64 {
  if (!lpGet(p)) return <f64>lpValInt;
  return string2d(lpValPtr, lpValLen) ? doubleValue : NaN;
}

/** Puts a score behind the entry `p`: an integer where it is one, else its text. */
function insertScore(lp: usize, p: usize, score: f64): usize {
  if (double2ll(score)) return lpInsertIntAfter(lp, p, doubleLl);
  return lpInsertAfter(lp, p, scoreText, formatG17(score, scoreText));
}

/** The entry before which (score, bytes) belongs; 0 = at the end. `skip` is not looked at. */
function packedPlace(lp: usize, score: f64, ptr: usize, len: u32, skip: usize): usize {
  let p = lpFirst(lp);
  while (p != 0) {
    const scoreAt = lpNext(lp, p);
    if (p != skip) {
      const s = entryScore(scoreAt);
      if (s > score) return p;
      if (s == score) {
        const text = lpGetText(p);
        if (bytesCompare(text, lpValLen, ptr, len) > 0) return p;
      }
    }
    p = lpNext(lp, scoreAt);
  }
  return 0;
}

/**
 * Adds a pair before `place` (0: at the end); the new address and `lpAt` near the score, or 0 and
 * nothing changed.
 */
function packedInsert(lp: usize, place: usize, score: f64, ptr: usize, len: u32): usize {
  const off = place == 0 ? lpBytes(lp) - 1 : <u32>(place - lp);
  const one = place == 0 ? lpAppend(lp, ptr, len) : lpInsertBefore(lp, place, ptr, len);
  if (one == 0) return 0;
  const two = insertScore(one, one + off, score);
  if (two != 0) return two;
  packedUndo = lpDelete(one, one + off);
  return 0;
}
/** Where the listpack is after a failed `packedInsert` that had moved it; 0 = where it was. */
let packedUndo: usize = 0;

// ---- adding

/** Conditions and ways of `zsetPut`, as ZADD's options: add to the score, */
export const PUT_INCR: u32 = 1;
/** only new members, only old ones, */
export const PUT_NX: u32 = 2;
export const PUT_XX: u32 = 4;
/** an old one only to a greater or to a lesser score. */
export const PUT_GT: u32 = 8;
export const PUT_LT: u32 = 16;
/** What `zsetPut` answers beside ADD_*: a condition did not hold, the sum is no number. */
export const PUT_NOTHING: i32 = 3;
export const PUT_NAN: i32 = 4;

/** The score a member had before the last `zsetPut`; meaningful after ADD_UPDATED and ADD_OLD. */
export let putOldScore: f64 = 0;

/**
 * Sets a member's score (never NaN): ADD_NEW, ADD_UPDATED, ADD_OLD (same score) or ADD_OOM. A
 * loader takes anything but ADD_NEW as a duplicate or a failure. Converts where the limits say so.
 * May grow memory. O(log n); O(n) in a listpack.
 */
export function zsetAdd(obj: usize, score: f64, ptr: usize, len: u32): i32 {
  return zsetPut(obj, score, ptr, len, 0);
}

/** The same under the conditions PUT_*; the score there is now is in elScore. */
export function zsetPut(obj: usize, score: f64, ptr: usize, len: u32, how: u32): i32 {
  if (isPacked(obj)) {
    const lp = objValue(obj);
    const p = lpFind(lp, lpFirst(lp), ptr, len, 1);
    if (p != 0) {
      const old = entryScore(lpNext(lp, p));
      const result = settle(old, score, how);
      return result == ADD_UPDATED ? packedUpdate(obj, p, elScore, ptr, len) : result;
    }
    if (how & PUT_XX) return PUT_NOTHING;
    elSetScore(score);
    const fits = (lpLength(lp) >>> 1) + 1 <= zsetMaxListpackEntries
      && len <= zsetMaxListpackValue && lpSafeToAdd(lp, len);
    if (fits) {
      const moved = packedInsert(lp, packedPlace(lp, score, ptr, len, 0), score, ptr, len);
      return packedDone(obj, moved, ADD_NEW);
    }
    if (!zsetToTree(obj)) return ADD_OOM;
    elSetScore(score);
  }
  return treePut(objValue(obj), score, ptr, len, how);
}

/** What becomes of a member that is there: ADD_UPDATED = it gets the score now in elScore. */
// @ts-ignore: decorator
@inline function settle(old: f64, score: f64, how: u32): i32 {
  putOldScore = old;
  if (how != 0) {
    if (how & PUT_NX) return PUT_NOTHING;
    if (how & PUT_INCR) {
      score += old;
      if (isNaN<f64>(score)) return PUT_NAN;
    }
    if (how & PUT_LT && score >= old) return PUT_NOTHING;
    if (how & PUT_GT && score <= old) return PUT_NOTHING;
  }
  elSetScore(score);
  return score == old ? ADD_OLD : ADD_UPDATED;
}

/** Notes where the listpack is now. */
function packedDone(obj: usize, moved: usize, result: i32): i32 {
  if (moved == 0) {
    if (packedUndo != 0) objMoved(obj, packedUndo);
    packedUndo = 0;
    return ADD_OOM;
  }
  objMoved(obj, moved);
  return result;
}

/** Another score for the member at `p`: the new pair first, so that a failure changes nothing. */
function packedUpdate(obj: usize, p: usize, score: f64, ptr: usize, len: u32): i32 {
  const lp = objValue(obj);
  const scoreAt = lpNext(lp, p);
  const place = packedPlace(lp, score, ptr, len, p);
  const behind = lpNext(lp, scoreAt);
  if (place == behind || place == p) {
    const same = double2ll(score)
      ? lpReplaceInt(lp, scoreAt, doubleLl)
      : lpReplace(lp, scoreAt, scoreText, formatG17(score, scoreText));
    return packedDone(obj, same, ADD_UPDATED);
  }
  const before = lpBytes(lp);
  let off = <u32>(p - lp);
  const shifts = place != 0 && place < p;
  const moved = packedInsert(lp, place, score, ptr, len);
  if (moved == 0) return packedDone(obj, 0, ADD_OOM);
  if (shifts) off += lpBytes(moved) - before;
  objMoved(obj, lpDeleteRangeAt(moved, moved + off, 2));
  return ADD_UPDATED;
}

/** Adds to the tree, or sets the score of a member. */
function treePut(value: usize, score: f64, ptr: usize, len: u32, how: u32): i32 {
  const table = members(value);
  const hash = htHash(ptr, len);
  const found = htFind(table, ptr, len, hash);
  if (found != 0) {
    const item = htItem(found);
    const result = settle(itemScore(item), score, how);
    if (result != ADD_UPDATED) return result;
    return treeMove(tree(value), item, elScore) ? ADD_UPDATED : ADD_OOM;
  }
  if (how & PUT_XX) return PUT_NOTHING;
  elSetScore(score);
  const item = itemNew(ITEM_NUM, ptr, len, 0);
  if (item == 0) return ADD_OOM;
  itemSetScore(item, score);
  const slot = htInsertSlot(table, hash);
  if (slot == 0) {
    free(item);
    return ADD_OOM;
  }
  htSetItem(slot, item);
  if (treeInsert(tree(value), item)) return ADD_NEW;
  htRemove(table, slot, hash);
  free(item);
  return ADD_OOM;
}

// ---- encodings

/** Not that of element.ts: the element looked at survives a conversion. */
const convertScratch = memory.data(32);

/** Turns a listpack into table and tree; false: out of memory, nothing changed. */
export function zsetToTree(obj: usize): bool {
  const lp = objValue(obj);
  const value = zsetCreate();
  if (value == 0) return false;
  for (let p = lpFirst(lp); p != 0; ) {
    const scoreAt = lpNext(lp, p);
    const score = entryScore(scoreAt);
    const ptr = lpGetTextTo(p, convertScratch);
    // A member that occurs twice in a foreign listpack keeps its first score.
    if (treePut(value, score, ptr, lpValLen, PUT_NX) == ADD_OOM) {
      zsetFreeStep(ENC_SKIPLIST, value, u32.MAX_VALUE);
      return false;
    }
    p = lpNext(lp, scoreAt);
  }
  free(lp);
  objChange(obj, ENC_SKIPLIST, value);
  return true;
}

/**
 * Turns a tree into a listpack if it fits the limits (STORE commands do that at their end). False:
 * it fits but memory ran out; nothing changed.
 */
export function zsetToListpackIfFits(obj: usize): bool {
  if (isPacked(obj)) return true;
  const value = objValue(obj);
  if (members(value).count > zsetMaxListpackEntries) return true;
  let lp = lpNew(0);
  if (lp == 0) return false;
  let leaf: usize = members(value).count == 0 ? 0 : tree(value).first;
  while (leaf != 0) {
    for (let i: u32 = 0; i < leafLen(leaf); i++) {
      const item = leafItem(leaf, i);
      if (itemKeyLen(item) > zsetMaxListpackValue) {
        free(lp);
        return true;
      }
      lp = appendPair(lp, item);
      if (lp == 0) return false;
    }
    leaf = leafNext(leaf);
  }
  objChange(obj, ENC_LISTPACK, lp);
  zsetFreeStep(ENC_SKIPLIST, value, u32.MAX_VALUE);
  return true;
}

/** Appends member and score; 0: out of memory, and the listpack is gone. */
function appendPair(lp: usize, item: usize): usize {
  const one = lpAppend(lp, itemKeyPtr(item), itemKeyLen(item));
  if (one == 0) {
    free(lp);
    return 0;
  }
  const score = itemScore(item);
  const two = double2ll(score)
    ? lpAppendInt(one, doubleLl)
    : lpAppend(one, scoreText, formatG17(score, scoreText));
  if (two == 0) free(one);
  return two;
}

/**
 * Makes `obj` a sorted set of the valid owned listpack of pairs, converted when it is beyond the
 * limit. BLOB_TAKEN, BLOB_BAD (not pairs, or a score is no number or NaN) or ADD_OOM; the listpack
 * stays the caller's unless taken. Duplicates are for the caller: lpCheckUnique(lp, 2).
 */
export function zsetFromListpack(obj: usize, lp: usize): i32 {
  if (!lpCheckMultiple(lp, 2)) return BLOB_BAD;
  for (let p = lpFirst(lp); p != 0; ) {
    const scoreAt = lpNext(lp, p);
    if (isNaN<f64>(entryScore(scoreAt))) return BLOB_BAD;
    p = lpNext(lp, scoreAt);
  }
  if (lpLength(lp) >>> 1 <= zsetMaxListpackEntries) {
    objMake(obj, TYPE_ZSET, ENC_LISTPACK, lpShrinkToFit(lp));
    return BLOB_TAKEN;
  }
  objMake(obj, TYPE_ZSET, ENC_LISTPACK, lp);
  return zsetToTree(obj) ? BLOB_TAKEN : ADD_OOM;
}

// ---- by member

/** Whether it is a member; its score is then in elScore. O(1), O(n) in a listpack. */
export function zsetScore(obj: usize, ptr: usize, len: u32): bool {
  const value = objValue(obj);
  if (isPacked(obj)) {
    const p = lpFind(value, lpFirst(value), ptr, len, 1);
    if (p == 0) return false;
    elSetScore(entryScore(lpNext(value, p)));
    return true;
  }
  const slot = htFind(members(value), ptr, len, htHash(ptr, len));
  if (slot == 0) return false;
  elSetScore(itemScore(htItem(slot)));
  return true;
}

/** Rank of a member from the lowest, -1 if it is none; its score is in elScore. O(log n). */
export function zsetRank(obj: usize, ptr: usize, len: u32): i64 {
  const value = objValue(obj);
  if (isPacked(obj)) {
    const found = lpFind(value, lpFirst(value), ptr, len, 1);
    if (found == 0) return -1;
    let rank: i64 = 0;
    for (let p = lpFirst(value); p != found; p = lpNext(value, lpNext(value, p))) rank++;
    elSetScore(entryScore(lpNext(value, found)));
    return rank;
  }
  const slot = htFind(members(value), ptr, len, htHash(ptr, len));
  if (slot == 0) return -1;
  elSetScore(itemScore(htItem(slot)));
  treeFindRank(tree(value), elScore, ptr, len);
  return treeRank;
}

/** Removes a member; false if it is none. Never needs memory. */
export function zsetRemove(obj: usize, ptr: usize, len: u32): bool {
  const value = objValue(obj);
  if (isPacked(obj)) {
    const p = lpFind(value, lpFirst(value), ptr, len, 1);
    if (p == 0) return false;
    objMoved(obj, lpDeleteRangeAt(value, p, 2));
    return true;
  }
  const hash = htHash(ptr, len);
  const slot = htFind(members(value), ptr, len, hash);
  if (slot == 0) return false;
  treeDrop(value, slot, hash);
  return true;
}

function treeDrop(value: usize, slot: usize, hash: u64): void {
  const item = htItem(slot);
  treeRemove(tree(value), item);
  htRemove(members(value), slot, hash);
  free(item);
}

// ---- by rank

/** Number of members with a score below `score`, or with `orEqual` not above it. */
export function zsetRankOfScore(obj: usize, score: f64, orEqual: bool): u32 {
  const value = objValue(obj);
  if (!isPacked(obj)) return treeCountScore(tree(value), score, orEqual);
  let rank: u32 = 0;
  for (let p = lpFirst(value); p != 0; ) {
    const scoreAt = lpNext(value, p);
    const s = entryScore(scoreAt);
    if (!(s < score || (orEqual && s == score))) break;
    rank++;
    p = lpNext(value, scoreAt);
  }
  return rank;
}

/** Number of members whose bytes are below, or with `orEqual` not above; all scores being equal. */
export function zsetRankOfLex(obj: usize, ptr: usize, len: u32, orEqual: bool): u32 {
  const value = objValue(obj);
  if (!isPacked(obj)) return treeCountLex(tree(value), ptr, len, orEqual);
  let rank: u32 = 0;
  for (let p = lpFirst(value); p != 0; p = lpNext(value, lpNext(value, p))) {
    const text = lpGetText(p);
    const c = bytesCompare(text, lpValLen, ptr, len);
    if (!(c < 0 || (orEqual && c == 0))) break;
    rank++;
  }
  return rank;
}

/**
 * Number of members left of the lowest `count` when those that are not below, looked at from the
 * highest down, are taken away. The same as zsetRankOfLex, unless scores differ in a listpack.
 */
export function zsetRankOfLexDown(
  obj: usize,
  count: u32,
  ptr: usize,
  len: u32,
  orEqual: bool,
): u32 {
  const value = objValue(obj);
  if (!isPacked(obj)) return min(treeCountLex(tree(value), ptr, len, orEqual), count);
  let p: usize = count == 0 ? 0 : lpSeek(value, <i32>((count - 1) << 1));
  while (count != 0) {
    const text = lpGetText(p);
    const c = bytesCompare(text, lpValLen, ptr, len);
    if (c < 0 || (orEqual && c == 0)) break;
    if (--count != 0) p = lpPrev(value, lpPrev(value, p));
  }
  return count;
}

/** Points `pos` at the member of a rank and reads it (elPtr, elLen, elScore); false: none. */
export function zsetSeek(obj: usize, rank: u32, pos: ZsetPos): bool {
  if (rank >= zsetLen(obj)) return false;
  const value = objValue(obj);
  if (isPacked(obj)) {
    pos.lp = <u32>value;
    pos.at = <u32>lpSeek(value, <i32>(rank << 1));
  } else {
    pos.lp = 0;
    treeSeek(tree(value), rank);
    pos.at = <u32>treeLeaf;
    pos.index = treeIndex;
  }
  read(pos);
  return true;
}

/** Reads the member at a place once found, in the same sorted set, which has not changed. */
export function zsetReadAt(pos: ZsetPos): void {
  read(pos);
}

function read(pos: ZsetPos): void {
  if (pos.lp != 0) {
    elSetEntry(pos.at);
    elSetScore(entryScore(lpNext(pos.lp, pos.at)));
    return;
  }
  const item = leafItem(pos.at, pos.index);
  elSet(itemKeyPtr(item), itemKeyLen(item));
  elSetScore(itemScore(item));
}

/** Moves to the next higher (`forward`) or lower member and reads it; false: there is none. */
export function zsetStep(pos: ZsetPos, forward: bool): bool {
  if (pos.lp != 0) {
    let p = forward ? lpNext(pos.lp, pos.at) : lpPrev(pos.lp, pos.at);
    if (p != 0) p = forward ? lpNext(pos.lp, p) : lpPrev(pos.lp, p);
    if (p == 0) return false;
    pos.at = <u32>p;
  } else if (forward) {
    if (++pos.index == leafLen(pos.at)) {
      pos.at = <u32>leafNext(pos.at);
      pos.index = 0;
      if (pos.at == 0) return false;
    }
  } else {
    if (pos.index == 0) {
      pos.at = <u32>leafPrev(pos.at);
      if (pos.at == 0) return false;
      pos.index = leafLen(pos.at);
    }
    pos.index--;
  }
  read(pos);
  return true;
}

/** Removes the members of ranks `from` … `to` - 1 (to <= length). Never needs memory. */
export function zsetRemoveRanks(obj: usize, from: u32, to: u32): void {
  if (from >= to) return;
  const value = objValue(obj);
  if (isPacked(obj)) {
    objMoved(obj, lpDeleteRange(value, <i32>(from << 1), (to - from) << 1));
    return;
  }
  for (let n = to - from; n != 0; n--) {
    treeSeek(tree(value), from);
    dropHere(value);
  }
}

/** Drops the item where the last search in the tree ended. */
function dropHere(value: usize): void {
  const item = leafItem(treeLeaf, treeIndex);
  const ptr = itemKeyPtr(item);
  const len = itemKeyLen(item);
  const hash = htHash(ptr, len);
  treeRemoveHere(tree(value));
  htRemove(members(value), htFind(members(value), ptr, len, hash), hash);
  free(item);
}

/** Reads the lowest or highest member (elPtr, elLen, elScore) of a set that is not empty. */
export function zsetEdge(obj: usize, highest: bool): void {
  const value = objValue(obj);
  if (isPacked(obj)) {
    const p = highest ? lpSeek(value, -2) : lpFirst(value);
    elSetEntry(p);
    elSetScore(entryScore(lpNext(value, p)));
    return;
  }
  const leaf: usize = highest ? tree(value).last : tree(value).first;
  const item = leafItem(leaf, highest ? leafLen(leaf) - 1 : 0);
  elSet(itemKeyPtr(item), itemKeyLen(item));
  elSetScore(itemScore(item));
}

/** Removes the lowest or highest member of a set that is not empty. Never needs memory. */
export function zsetRemoveEdge(obj: usize, highest: bool): void {
  const value = objValue(obj);
  if (isPacked(obj)) {
    objMoved(obj, lpDeleteRangeAt(value, highest ? lpSeek(value, -2) : lpFirst(value), 2));
    return;
  }
  treeSeekEdge(tree(value), highest);
  dropHere(value);
}

/** A random member, uniformly, in elPtr, elLen, elScore; the set is not empty. O(log n). */
export function zsetRandom(obj: usize): void {
  zsetSeek(obj, prngBelow(zsetLen(obj)), randomPos);
}
const randomPos = changetype<ZsetPos>(memory.data(16));

// ---- scanning

let scanVisit: (arg: usize) => void = ignore;
function ignore(_arg: usize): void {}

function scanItem(item: usize, arg: usize): void {
  elSet(itemKeyPtr(item), itemKeyLen(item));
  elSetScore(itemScore(item));
  valSet(0, 0);
  scanVisit(arg);
}

/**
 * One step of a scan: `visit(arg)` for each member found, which is in elPtr, elLen, elScore.
 * Returns the next cursor, 0 at the end. Redis: a listpack is told whole, whatever the cursor,
 * and its scores as they are written there: valPtr, valLen (0 otherwise).
 */
export function zsetScan(obj: usize, cursor: u64, visit: (arg: usize) => void, arg: usize): u64 {
  const value = objValue(obj);
  if (isPacked(obj)) {
    for (let p = lpFirst(value); p != 0; ) {
      const scoreAt = lpNext(value, p);
      elSetEntry(p);
      elSetScore(entryScore(scoreAt));
      valSetEntry(scoreAt);
      visit(arg);
      p = lpNext(value, scoreAt);
    }
    return 0;
  }
  const outer = scanVisit;
  scanVisit = visit;
  const next = htScan(members(value), cursor, scanItem, arg);
  scanVisit = outer;
  return next;
}

// ---- the value as a whole (value.ts)

function freeItem(item: usize): void {
  free(item);
}

/** Frees about `budget` members; true when the value is gone. */
export function zsetFreeStep(encoding: u32, value: usize, budget: u32): bool {
  if (encoding != ENC_LISTPACK) {
    if (!treeFreeStep(tree(value), max(budget >>> 3, 1))) return false;
    if (!htClearStep(members(value), freeItem, max(budget >>> 3, 1))) return false;
  }
  free(value);
  return true;
}

/** A copy in the same encoding; 0: out of memory. */
export function zsetDup(encoding: u32, value: usize): usize {
  if (encoding == ENC_LISTPACK) return lpDup(value);
  const copy = zsetCreate();
  if (copy == 0) return 0;
  let leaf: usize = members(value).count == 0 ? 0 : tree(value).first;
  while (leaf != 0) {
    for (let i: u32 = 0; i < leafLen(leaf); i++) {
      const item = leafItem(leaf, i);
      if (treePut(copy, itemScore(item), itemKeyPtr(item), itemKeyLen(item), 0) != ADD_NEW) {
        zsetFreeStep(ENC_SKIPLIST, copy, u32.MAX_VALUE);
        return 0;
      }
    }
    leaf = leafNext(leaf);
  }
  return copy;
}

/** The highest leaf of an ENC_SKIPLIST value, 0 if empty: where saving starts. */
export function zsetLastLeaf(value: usize): usize {
  return members(value).count == 0 ? 0 : tree(value).last;
}

/** Bytes of memory, estimated from `samples` members (0 = all). */
export function zsetMemory(encoding: u32, value: usize, samples: u32): usize {
  if (encoding == ENC_LISTPACK) return usableSize(value);
  const count = members(value).count;
  let bytes: u64 = 0;
  let seen: u32 = 0;
  let leaf: usize = count == 0 ? 0 : tree(value).first;
  while (leaf != 0 && (samples == 0 || seen < samples)) {
    for (let i: u32 = 0; i < leafLen(leaf); i++) bytes += usableSize(leafItem(leaf, i));
    seen += leafLen(leaf);
    leaf = leafNext(leaf);
  }
  if (seen != 0) bytes = bytes * count / seen;
  const fixed = usableSize(value) + htOverhead(members(value)) + treeOverhead(tree(value), count);
  return fixed + <usize>bytes;
}
