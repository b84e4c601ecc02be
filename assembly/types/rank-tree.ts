/**
 * The rank tree: items ordered by score, then bytes, with their ranks. The ordered half of large
 * sorted sets.
 *
 * What it is. A counted B+-tree. Leaves hold addresses of items and their scores as f32, so a
 * member costs about 12 bytes beside its item; inner nodes hold each child's lowest score and its
 * size, so ranks are sums. Rounding to f32 keeps the order: where two of them differ, so do the
 * scores. The way down touches items only where it cannot tell otherwise.
 * Insert, delete, rank, by rank and by score are O(log n); neighbours are O(1).
 * What it is not. It owns no items and does not know who is a member: the hash table beside it does
 * (zset.ts). Scores are never NaN; no two items have the same score and the same bytes.
 *
 *   leaf (512 bytes)                        inner (1008 bytes)
 *   +0   u32 count                          +0   u32 count
 *   +4   u32 prev leaf                      +8   f64 score[50]  lowest score below child i
 *   +8   u32 next leaf                      +408 u32 child[50]
 *   +12  f32 key[62]   rounded scores       +608 u32 size[50]   items below child i
 *   +260 u32 item[62]                       +808 u32 first[50]  lowest item below child i
 *
 * A full node at either edge of the tree is not halved when the new item goes beyond it: ascending
 * and descending loads fill their nodes. Nodes with few entries merge with a neighbour under the
 * same parent when both fit well into one; nothing is ever borrowed, so deleting needs no memory.
 *
 * Sources: Bayer and McCreight (1972), Comer's survey (1979); counts per child are folklore.
 */
import { alloc, free } from '../base/alloc';
import { bytesCompare } from '../base/bytes';
import { itemKeyLen, itemKeyPtr, itemScore, itemSetScore } from '../hashtable/item';

@unmanaged
export class RankTree {
  /** Root node, 0 = empty. */
  root: u32;
  /** Levels of inner nodes above the leaves. */
  height: u32;
  /** Leaf with the lowest items, valid while not empty. */
  first: u32;
  /** Leaf with the highest. */
  last: u32;
}
export const TREE_SIZE: usize = offsetof<RankTree>();

const LEAF_MAX: u32 = 62;
const LEAF_FEW: u32 = 15;
const LEAF_WELL: u32 = 46;
const LEAF_SIZE: usize = 508;
const OFF_PREV: usize = 4;
const OFF_NEXT: usize = 8;
const OFF_KEYS: usize = 12;
const OFF_ITEMS: usize = 260;

const INNER_MAX: u32 = 50;
const INNER_FEW: u32 = 12;
const INNER_WELL: u32 = 38;
const INNER_SIZE: usize = 1008;
const OFF_SCORES: usize = 8;
const OFF_CHILDREN: usize = 408;
const OFF_SIZES: usize = 608;
const OFF_FIRSTS: usize = 808;
/** No tree of 2^32 items is higher, even with badly filled nodes. */
const HEIGHT_MAX: u32 = 15;

/** Where the last search ended: leaf, place in it, and rank of that place (treeFindRank). */
export let treeLeaf: usize = 0;
export let treeIndex: u32 = 0;
export let treeRank: u32 = 0;

/** The way down of the last search: inner nodes from the root, and the child taken in each. */
const pathNodes = memory.data(<i32>HEIGHT_MAX * 4);
const pathTaken = memory.data(<i32>HEIGHT_MAX * 4);

// ---- node fields

// @ts-ignore: decorator
@inline function nodeLen(node: usize): u32 {
  return load<u32>(node);
}

// @ts-ignore: decorator
@inline function itemSlot(leaf: usize, i: u32): usize {
  return leaf + OFF_ITEMS + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline function keySlot(leaf: usize, i: u32): usize {
  return leaf + OFF_KEYS + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline function scoreSlot(inner: usize, i: u32): usize {
  return inner + OFF_SCORES + (<usize>i << 3);
}

// @ts-ignore: decorator
@inline function childSlot(inner: usize, i: u32): usize {
  return inner + OFF_CHILDREN + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline function sizeSlot(inner: usize, i: u32): usize {
  return inner + OFF_SIZES + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline function firstSlot(inner: usize, i: u32): usize {
  return inner + OFF_FIRSTS + (<usize>i << 2);
}

/** The item at a place of a leaf. */
// @ts-ignore: decorator
@inline export function leafItem(leaf: usize, index: u32): usize {
  return load<u32>(itemSlot(leaf, index));
}

// @ts-ignore: decorator
@inline export function leafLen(leaf: usize): u32 {
  return load<u32>(leaf);
}

// @ts-ignore: decorator
@inline export function leafNext(leaf: usize): usize {
  return load<u32>(leaf, OFF_NEXT);
}

// @ts-ignore: decorator
@inline export function leafPrev(leaf: usize): usize {
  return load<u32>(leaf, OFF_PREV);
}

// ---- order

/** Order of an item against (score, bytes). */
function order(item: usize, score: f64, ptr: usize, len: u32): i32 {
  const s = itemScore(item);
  if (s != score) return s < score ? -1 : 1;
  return bytesCompare(itemKeyPtr(item), itemKeyLen(item), ptr, len);
}

/** Number of keys of a leaf below `key`, or with `orEqual` not above it. */
function keysBelow(leaf: usize, key: f32, orEqual: bool): u32 {
  const count = nodeLen(leaf);
  if (ASC_FEATURE_SIMD) {
    // All of them: no branch to be guessed, and the cache lines come together.
    const wanted = f32x4.splat(key);
    let below: u32 = 0;
    for (let i: u32 = 0; i < count; i += 4) {
      const keys = v128.load(keySlot(leaf, i));
      const lanes = orEqual ? f32x4.le(keys, wanted) : f32x4.lt(keys, wanted);
      const valid: u32 = count - i < 4 ? (1 << (count - i)) - 1 : 15;
      below += popcnt(<u32>i32x4.bitmask(lanes) & valid);
    }
    return below;
  }
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const mid = (low + high) >>> 1;
    const k = load<f32>(keySlot(leaf, mid));
    if (k < key || (orEqual && k == key)) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The same for the lowest scores in an inner node. */
function scoresBelow(inner: usize, score: f64, orEqual: bool): u32 {
  const count = nodeLen(inner);
  if (ASC_FEATURE_SIMD) {
    const wanted = f64x2.splat(score);
    let below: u32 = 0;
    for (let i: u32 = 0; i < count; i += 2) {
      const scores = v128.load(scoreSlot(inner, i));
      const lanes = orEqual ? f64x2.le(scores, wanted) : f64x2.lt(scores, wanted);
      below += popcnt(<u32>i64x2.bitmask(lanes) & (count - i < 2 ? 1 : 3));
    }
    return below;
  }
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const mid = (low + high) >>> 1;
    const s = load<f64>(scoreSlot(inner, mid));
    if (s < score || (orEqual && s == score)) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The child of an inner node that (score, bytes) belongs to: the last not beginning above it. */
function childFor(inner: usize, score: f64, ptr: usize, len: u32): u32 {
  let low = scoresBelow(inner, score, false);
  if (low < nodeLen(inner) && load<f64>(scoreSlot(inner, low)) == score) {
    let high = scoresBelow(inner, score, true);
    while (low < high) {
      const mid = (low + high) >>> 1;
      const item: usize = load<u32>(firstSlot(inner, mid));
      if (bytesCompare(itemKeyPtr(item), itemKeyLen(item), ptr, len) > 0) high = mid;
      else low = mid + 1;
    }
  }
  return low == 0 ? 0 : low - 1;
}

/** Notes child `i` of an inner node as the way taken at `level`; returns the child. */
// @ts-ignore: decorator
@inline function step(inner: usize, level: u32, i: u32): usize {
  store<u32>(pathNodes + (<usize>level << 2), <u32>inner);
  store<u32>(pathTaken + (<usize>level << 2), i);
  return load<u32>(childSlot(inner, i));
}

/** Number of items below the children in front of child `i`. */
// @ts-ignore: decorator
@inline function sizeBefore(inner: usize, i: u32): u32 {
  let sum: u32 = 0;
  for (let k: u32 = 0; k < i; k++) sum += load<u32>(sizeSlot(inner, k));
  return sum;
}

/** Number of items in front of the place where the last search ended. */
function rankHere(t: RankTree): u32 {
  let rank = treeIndex;
  for (let level: u32 = 0; level < t.height; level++) {
    const inner: usize = load<u32>(pathNodes + (<usize>level << 2));
    rank += sizeBefore(inner, load<u32>(pathTaken + (<usize>level << 2)));
  }
  return rank;
}

/** Order of the item at a place of a leaf against (score, bytes); rounded scores decide first. */
// @ts-ignore: decorator
@inline function orderAt(leaf: usize, i: u32, score: f64, ptr: usize, len: u32): i32 {
  const key = <f32>score;
  const k = load<f32>(keySlot(leaf, i));
  if (k != key) return k < key ? -1 : 1;
  return order(leafItem(leaf, i), score, ptr, len);
}

/**
 * Finds the place of (score, bytes) in a tree that is not empty: treeLeaf, treeIndex (may be the
 * leaf's count: behind its last). True: an item there is equal.
 */
export function treeFind(t: RankTree, score: f64, ptr: usize, len: u32): bool {
  let node: usize = t.root;
  for (let level: u32 = 0; level < t.height; level++) {
    node = step(node, level, childFor(node, score, ptr, len));
  }
  const key = <f32>score;
  let low = keysBelow(node, key, false);
  let equal = false;
  if (low < nodeLen(node) && load<f32>(keySlot(node, low)) == key) {
    let high = keysBelow(node, key, true);
    while (low < high) {
      const mid = (low + high) >>> 1;
      const c = order(leafItem(node, mid), score, ptr, len);
      if (c < 0) {
        low = mid + 1;
      } else {
        high = mid;
        equal = c == 0;
      }
    }
  }
  treeLeaf = node;
  treeIndex = low;
  return equal;
}

/** The same, and the number of lower items is in treeRank. */
export function treeFindRank(t: RankTree, score: f64, ptr: usize, len: u32): bool {
  const equal = treeFind(t, score, ptr, len);
  treeRank = rankHere(t);
  return equal;
}

/**
 * Goes to the item of a rank below the number of items: treeLeaf, treeIndex. `treeRemoveHere` may
 * follow.
 */
export function treeSeek(t: RankTree, rank: u32): void {
  let node: usize = t.root;
  for (let level: u32 = 0; level < t.height; level++) {
    let i: u32 = 0;
    let size = load<u32>(sizeSlot(node, 0));
    while (rank >= size) {
      rank -= size;
      size = load<u32>(sizeSlot(node, ++i));
    }
    node = step(node, level, i);
  }
  treeLeaf = node;
  treeIndex = rank;
}

/** Number of items with a score below `score`, or with `orEqual` not above it. */
export function treeCountScore(t: RankTree, score: f64, orEqual: bool): u32 {
  if (t.root == 0) return 0;
  let node: usize = t.root;
  let rank: u32 = 0;
  for (let level: u32 = 0; level < t.height; level++) {
    const below = scoresBelow(node, score, orEqual);
    const child = below == 0 ? 0 : below - 1;
    rank += sizeBefore(node, child);
    node = load<u32>(childSlot(node, child));
  }
  const key = <f32>score;
  let low = keysBelow(node, key, false);
  let high = keysBelow(node, key, true);
  while (low < high) {
    const mid = (low + high) >>> 1;
    const s = itemScore(leafItem(node, mid));
    if (s < score || (orEqual && s == score)) low = mid + 1;
    else high = mid;
  }
  return rank + low;
}

/** Whether an item's bytes are below the given ones, or with `orEqual` not above. */
// @ts-ignore: decorator
@inline function lexBelow(item: usize, ptr: usize, len: u32, orEqual: bool): bool {
  const c = bytesCompare(itemKeyPtr(item), itemKeyLen(item), ptr, len);
  return c < 0 || (orEqual && c == 0);
}

/** The same by bytes alone; meaningful when all scores are equal, always terminates. */
export function treeCountLex(t: RankTree, ptr: usize, len: u32, orEqual: bool): u32 {
  if (t.root == 0) return 0;
  let node: usize = t.root;
  let rank: u32 = 0;
  for (let level: u32 = 0; level < t.height; level++) {
    let low: u32 = 1;
    let high = nodeLen(node);
    while (low < high) {
      const mid = (low + high) >>> 1;
      if (lexBelow(load<u32>(firstSlot(node, mid)), ptr, len, orEqual)) low = mid + 1;
      else high = mid;
    }
    rank += sizeBefore(node, low - 1);
    node = load<u32>(childSlot(node, low - 1));
  }
  let low: u32 = 0;
  let high = nodeLen(node);
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (lexBelow(leafItem(node, mid), ptr, len, orEqual)) low = mid + 1;
    else high = mid;
  }
  return rank + low;
}

// ---- reserved nodes: all memory a change may need is taken before anything changes

let spareLeaf: usize = 0;
const spareInners = memory.data(<i32>(HEIGHT_MAX + 1) * 4);
let spareCount: u32 = 0;

/** False: out of memory; what was taken is given back. */
function reserve(inners: u32): bool {
  if (spareLeaf == 0) spareLeaf = alloc(LEAF_SIZE);
  let ok = spareLeaf != 0;
  while (ok && spareCount < inners) {
    const node = alloc(INNER_SIZE);
    ok = node != 0;
    if (ok) store<u32>(spareInners + (<usize>(spareCount++) << 2), <u32>node);
  }
  if (!ok) giveBack();
  return ok;
}

function giveBack(): void {
  free(spareLeaf);
  spareLeaf = 0;
  while (spareCount != 0) free(load<u32>(spareInners + (<usize>(--spareCount) << 2)));
}

function spareInner(): usize {
  return load<u32>(spareInners + (<usize>(--spareCount) << 2));
}

/** Inner nodes that an insert at the end of the last search's path has to create. */
function innersNeeded(t: RankTree): u32 {
  let level = t.height;
  let need: u32 = 0;
  while (level != 0) {
    if (nodeLen(load<u32>(pathNodes + (<usize>(level - 1) << 2))) < INNER_MAX) return need;
    need++;
    level--;
  }
  return need + 1;
}

// ---- inserting

/**
 * Adds an item whose score is set and that is not in the tree. False: out of memory, nothing
 * changed. May grow memory.
 */
export function treeInsert(t: RankTree, item: usize): bool {
  if (t.root == 0) {
    const leaf = alloc(LEAF_SIZE);
    if (leaf == 0) return false;
    leafInit(leaf, item);
    t.root = <u32>leaf;
    t.height = 0;
    t.first = <u32>leaf;
    t.last = <u32>leaf;
    return true;
  }
  treeFind(t, itemScore(item), itemKeyPtr(item), itemKeyLen(item));
  if (nodeLen(treeLeaf) < LEAF_MAX) {
    leafInsert(treeLeaf, treeIndex, item);
    carryUp(t, treeLeaf, 0);
    return true;
  }
  if (!reserve(innersNeeded(t))) return false;
  const leaf = treeLeaf;
  carryUp(t, leaf, splitLeaf(t, leaf, treeIndex, item));
  giveBack();
  return true;
}

function leafInit(leaf: usize, item: usize): void {
  store<u32>(leaf, 1);
  store<u32>(leaf, 0, OFF_PREV);
  store<u32>(leaf, 0, OFF_NEXT);
  store<u32>(itemSlot(leaf, 0), <u32>item);
  store<f32>(keySlot(leaf, 0), <f32>itemScore(item));
}

/** Copies `n` items between places that do not overlap, or overlap within one leaf. */
function leafMove(from: usize, i: u32, to: usize, k: u32, n: u32): void {
  memory.copy(itemSlot(to, k), itemSlot(from, i), <usize>n << 2);
  memory.copy(keySlot(to, k), keySlot(from, i), <usize>n << 2);
}

function leafInsert(leaf: usize, at: u32, item: usize): void {
  const count = nodeLen(leaf);
  leafMove(leaf, at, leaf, at + 1, count - at);
  store<u32>(itemSlot(leaf, at), <u32>item);
  store<f32>(keySlot(leaf, at), <f32>itemScore(item));
  store<u32>(leaf, count + 1);
}

/** Splits a full leaf around a new item; returns the new leaf, which follows the old one. */
function splitLeaf(t: RankTree, leaf: usize, at: u32, item: usize): usize {
  const right = spareLeaf;
  spareLeaf = 0;
  let cut: u32 = LEAF_MAX >>> 1;
  if (at == LEAF_MAX && <u32>leaf == t.last) cut = LEAF_MAX;
  else if (at == 0 && <u32>leaf == t.first) cut = 0;
  const moved = LEAF_MAX - cut;
  leafMove(leaf, cut, right, 0, moved);
  store<u32>(right, moved);
  store<u32>(leaf, cut);
  const next = leafNext(leaf);
  store<u32>(right, <u32>leaf, OFF_PREV);
  store<u32>(right, <u32>next, OFF_NEXT);
  store<u32>(leaf, <u32>right, OFF_NEXT);
  if (next != 0) store<u32>(next, <u32>right, OFF_PREV);
  else t.last = <u32>right;
  // Neither leaf may stay empty: an item at the cut goes to whichever has less.
  if (at < cut || (at == cut && cut < LEAF_MAX)) leafInsert(leaf, at, item);
  else leafInsert(right, at - cut, item);
  return right;
}

/**
 * Tells the inner nodes of the last search's path that `child` got an item, and puts `extra`, a
 * new node behind it (0: none), into the level above; that may split nodes in turn.
 */
function carryUp(t: RankTree, child: usize, extra: usize): void {
  let level = t.height;
  // Whether the child's lowest item may be another one.
  let isLowest = extra != 0 || treeIndex == 0;
  while (level != 0) {
    level--;
    const inner: usize = load<u32>(pathNodes + (<usize>level << 2));
    const i = load<u32>(pathTaken + (<usize>level << 2));
    const leaves = level + 1 == t.height;
    if (extra == 0) {
      const size = sizeSlot(inner, i);
      store<u32>(size, load<u32>(size) + 1);
      if (isLowest) setFirst(inner, i, child, leaves);
      isLowest = isLowest && i == 0;
    } else {
      setEntry(inner, i, child, leaves);
      extra = innerInsert(t, level, inner, i + 1, extra);
    }
    child = inner;
  }
  if (extra == 0) return;
  const root = spareInner();
  store<u32>(root, 2);
  setEntry(root, 0, child, t.height == 0);
  setEntry(root, 1, extra, t.height == 0);
  t.root = <u32>root;
  t.height++;
}

/** Copies the lowest item and score of a child into entry `i`. */
function setFirst(inner: usize, i: u32, child: usize, isLeaf: bool): void {
  if (isLeaf) {
    const item = leafItem(child, 0);
    store<u32>(firstSlot(inner, i), <u32>item);
    store<f64>(scoreSlot(inner, i), itemScore(item));
  } else {
    store<u32>(firstSlot(inner, i), load<u32>(firstSlot(child, 0)));
    store<f64>(scoreSlot(inner, i), load<f64>(scoreSlot(child, 0)));
  }
}

/** Sets all of entry `i` from its child. */
function setEntry(inner: usize, i: u32, child: usize, isLeaf: bool): void {
  store<u32>(childSlot(inner, i), <u32>child);
  let size = nodeLen(child);
  if (!isLeaf) {
    const n = size;
    size = 0;
    for (let k: u32 = 0; k < n; k++) size += load<u32>(sizeSlot(child, k));
  }
  store<u32>(sizeSlot(inner, i), size);
  setFirst(inner, i, child, isLeaf);
}

/** Puts a child at place `at` of the inner node at `level`; returns the node split off, or 0. */
function innerInsert(t: RankTree, level: u32, inner: usize, at: u32, child: usize): usize {
  const leaves = level + 1 == t.height;
  const count = nodeLen(inner);
  if (count < INNER_MAX) {
    innerShift(inner, at, 1);
    store<u32>(inner, count + 1);
    setEntry(inner, at, child, leaves);
    return 0;
  }
  const right = spareInner();
  let cut: u32 = INNER_MAX >>> 1;
  if (at == INNER_MAX && isOnEdge(level, true)) cut = INNER_MAX;
  else if (at == 1 && isOnEdge(level, false)) cut = 1;
  innerMove(inner, cut, right, 0, INNER_MAX - cut);
  store<u32>(inner, cut);
  store<u32>(right, INNER_MAX - cut);
  const into = at < cut ? inner : right;
  const place = at < cut ? at : at - cut;
  innerShift(into, place, 1);
  store<u32>(into, nodeLen(into) + 1);
  setEntry(into, place, child, leaves);
  return right;
}

/** Whether the last search's path leads to the node at `level` along an edge of the tree. */
function isOnEdge(level: u32, right: bool): bool {
  for (let k: u32 = 0; k < level; k++) {
    const taken = load<u32>(pathTaken + (<usize>k << 2));
    const last = nodeLen(load<u32>(pathNodes + (<usize>k << 2))) - 1;
    if (taken != (right ? last : 0)) return false;
  }
  return true;
}

/** Copies `n` entries between places that do not overlap, or overlap within one node. */
function innerMove(from: usize, i: u32, to: usize, k: u32, n: u32): void {
  memory.copy(scoreSlot(to, k), scoreSlot(from, i), <usize>n << 3);
  memory.copy(childSlot(to, k), childSlot(from, i), <usize>n << 2);
  memory.copy(sizeSlot(to, k), sizeSlot(from, i), <usize>n << 2);
  memory.copy(firstSlot(to, k), firstSlot(from, i), <usize>n << 2);
}

/** Moves the entries from `at` on by one place; the count is the caller's to set. */
// @ts-ignore: decorator
@inline function innerShift(inner: usize, at: u32, by: i32): void {
  const n = nodeLen(inner) - at;
  innerMove(inner, at, inner, at + by, n);
}

// ---- deleting

/** Takes an item out of the tree; it must be in it. Never needs memory. */
export function treeRemove(t: RankTree, item: usize): void {
  treeFind(t, itemScore(item), itemKeyPtr(item), itemKeyLen(item));
  treeRemoveHere(t);
}

/**
 * Goes to the lowest or highest item of a tree that is not empty: treeLeaf, treeIndex.
 * `treeRemoveHere` may follow.
 */
export function treeSeekEdge(t: RankTree, highest: bool): void {
  let node: usize = t.root;
  for (let level: u32 = 0; level < t.height; level++) {
    node = step(node, level, highest ? nodeLen(node) - 1 : 0);
  }
  treeLeaf = node;
  treeIndex = highest ? nodeLen(node) - 1 : 0;
}

/** Takes the item where the last search ended out of the tree. Never needs memory. */
export function treeRemoveHere(t: RankTree): void {
  const leaf = treeLeaf;
  const count = nodeLen(leaf) - 1;
  leafMove(leaf, treeIndex + 1, leaf, treeIndex, count - treeIndex);
  store<u32>(leaf, count);
  let isLowest = treeIndex == 0;
  let child = leaf;
  let level = t.height;
  while (level != 0) {
    level--;
    const inner: usize = load<u32>(pathNodes + (<usize>level << 2));
    const i = load<u32>(pathTaken + (<usize>level << 2));
    const leaves = level + 1 == t.height;
    const size = sizeSlot(inner, i);
    store<u32>(size, load<u32>(size) - 1);
    if (nodeLen(child) == 0) dropChild(t, inner, i, leaves);
    else {
      if (isLowest) setFirst(inner, i, child, leaves);
      if (nodeLen(child) < (leaves ? LEAF_FEW : INNER_FEW)) mergeChild(t, inner, i, leaves);
    }
    isLowest = isLowest && i == 0;
    child = inner;
  }
  lowerRoot(t);
}

function dropChild(t: RankTree, inner: usize, i: u32, isLeaf: bool): void {
  const child: usize = load<u32>(childSlot(inner, i));
  if (isLeaf) leafUnlink(t, child);
  free(child);
  innerShift(inner, i + 1, -1);
  store<u32>(inner, nodeLen(inner) - 1);
}

function leafUnlink(t: RankTree, leaf: usize): void {
  const prev = leafPrev(leaf);
  const next = leafNext(leaf);
  if (prev != 0) store<u32>(prev, <u32>next, OFF_NEXT);
  else t.first = <u32>next;
  if (next != 0) store<u32>(next, <u32>prev, OFF_PREV);
  else t.last = <u32>prev;
}

/** Merges child `i` with a neighbour under the same parent, if both fit well into one. */
function mergeChild(t: RankTree, inner: usize, i: u32, isLeaf: bool): void {
  const well = isLeaf ? LEAF_WELL : INNER_WELL;
  const mine = nodeLen(load<u32>(childSlot(inner, i)));
  if (i + 1 < nodeLen(inner) && mine + nodeLen(load<u32>(childSlot(inner, i + 1))) <= well) {
    mergePair(t, inner, i, isLeaf);
  } else if (i != 0 && mine + nodeLen(load<u32>(childSlot(inner, i - 1))) <= well) {
    mergePair(t, inner, i - 1, isLeaf);
  }
}

/** Moves all of child `i + 1` into child `i`. */
function mergePair(t: RankTree, inner: usize, i: u32, isLeaf: bool): void {
  const left: usize = load<u32>(childSlot(inner, i));
  const right: usize = load<u32>(childSlot(inner, i + 1));
  const n = nodeLen(left);
  const more = nodeLen(right);
  if (isLeaf) leafMove(right, 0, left, n, more);
  else innerMove(right, 0, left, n, more);
  store<u32>(left, n + more);
  const size = sizeSlot(inner, i);
  store<u32>(size, load<u32>(size) + load<u32>(sizeSlot(inner, i + 1)));
  dropChild(t, inner, i + 1, isLeaf);
}

function lowerRoot(t: RankTree): void {
  while (t.height != 0 && nodeLen(t.root) <= 1) {
    const old: usize = t.root;
    // An inner root that lost its only child: the tree is empty.
    t.root = nodeLen(old) == 0 ? 0 : load<u32>(childSlot(old, 0));
    t.height = t.root == 0 ? 0 : t.height - 1;
    free(old);
  }
  if (t.root != 0 && t.height == 0 && nodeLen(t.root) == 0) {
    free(t.root);
    t.root = 0;
  }
}

// ---- another score

/**
 * Gives an item of the tree another score. False: out of memory, nothing changed. May grow memory.
 */
export function treeMove(t: RankTree, item: usize, score: f64): bool {
  const ptr = itemKeyPtr(item);
  const len = itemKeyLen(item);
  const old = itemScore(item);
  treeFind(t, old, ptr, len);
  const leaf = treeLeaf;
  const index = treeIndex;
  if (fitsBetween(leaf, index, score, ptr, len)) {
    itemSetScore(item, score);
    store<f32>(keySlot(leaf, index), <f32>score);
    if (index == 0) firstsUp(t, leaf);
    return true;
  }
  // Back to the middle of a leaf it could go without memory; from the start of one perhaps not.
  if (index == 0 && !reserve(t.height + 1)) return false;
  treeRemoveHere(t);
  itemSetScore(item, score);
  const done = treeInsert(t, item);
  if (!done) {
    itemSetScore(item, old);
    treeInsert(t, item);
  }
  giveBack();
  return done;
}

/** Whether the item at a place keeps it with another score. */
function fitsBetween(leaf: usize, index: u32, score: f64, ptr: usize, len: u32): bool {
  const prev = leafPrev(leaf);
  if (index != 0) {
    if (orderAt(leaf, index - 1, score, ptr, len) > 0) return false;
  } else if (prev != 0 && orderAt(prev, nodeLen(prev) - 1, score, ptr, len) > 0) {
    return false;
  }
  if (index + 1 < nodeLen(leaf)) return orderAt(leaf, index + 1, score, ptr, len) > 0;
  const next = leafNext(leaf);
  return next == 0 || orderAt(next, 0, score, ptr, len) > 0;
}

/** Repeats the lowest scores on the last search's path. */
function firstsUp(t: RankTree, child: usize): void {
  let level = t.height;
  while (level != 0) {
    level--;
    const inner: usize = load<u32>(pathNodes + (<usize>level << 2));
    setFirst(inner, load<u32>(pathTaken + (<usize>level << 2)), child, level + 1 == t.height);
    child = inner;
  }
}

/** Puts `fresh`, an item of the same score and bytes, in the place of `item`. */
export function treeReplace(t: RankTree, item: usize, fresh: usize): void {
  treeFind(t, itemScore(item), itemKeyPtr(item), itemKeyLen(item));
  store<u32>(itemSlot(treeLeaf, treeIndex), <u32>fresh);
  if (treeIndex == 0) firstsUp(t, treeLeaf);
}

// ---- the whole

export function treeInit(t: RankTree): void {
  t.root = 0;
  t.height = 0;
  t.first = 0;
  t.last = 0;
}

/** Frees up to `budget` nodes (not the items); true when the tree is empty. It must not be used. */
export function treeFreeStep(t: RankTree, budget: u32): bool {
  if (t.root == 0) return true;
  if (t.height != 0) {
    // The leaves by their chain first, then the few nodes above them.
    while (t.first != 0) {
      if (budget-- == 0) return false;
      const leaf: usize = t.first;
      t.first = <u32>leafNext(leaf);
      free(leaf);
    }
    freeInners(t.root, t.height);
  } else {
    free(t.root);
  }
  treeInit(t);
  return true;
}

function freeInners(node: usize, height: u32): void {
  if (height > 1) {
    const n = nodeLen(node);
    for (let i: u32 = 0; i < n; i++) freeInners(load<u32>(childSlot(node, i)), height - 1);
  }
  free(node);
}

/** Bytes of the nodes, estimated from the number of items. */
export function treeOverhead(t: RankTree, items: u32): usize {
  if (t.root == 0) return 0;
  const leaves: usize = items / 43 + 1;
  return leaves * LEAF_SIZE + (t.height == 0 ? 0 : (leaves / 35 + 1) * 1024);
}
