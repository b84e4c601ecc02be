/**
 * The id tree: an ordered map from 128-bit stream ids to 32-bit values, on raw memory. It holds the
 * nodes of a stream (master id -> listpack) and the pending entries of groups and consumers
 * (id -> record).
 *
 * A B+-tree of fan-out 63. Ids mostly arrive in ascending order, so a full node at the right edge
 * is not cut in half but left full: loading and XADD pack the leaves. A tree of few elements is one
 * small leaf that grows. Deletion frees empty nodes and joins thin ones; it never allocates.
 *
 *   tree (12 bytes, part of its owner)
 *   +0 u32 root     0 when empty
 *   +4 u32 height   0: the root is a leaf
 *   +8 u32 count    elements
 *
 *   node            leaf and inner alike; cap is 63, smaller only for a leaf that is the root
 *   +0  u16 count, +2 u16 cap
 *   +4  u32 prev, +8 u32 next   leaves: neighbours, 0 at the ends
 *   +16 ids         cap × (u64 ms, u64 seq)
 *   then values     cap × u32; inner: children. id[i] is a lower bound of child i, id[0] unused
 *
 *   cursor (8 bytes, the caller's): +0 u32 leaf (0 = at the end), +4 u32 index
 *
 * Cursors are dead after any insertion or removal. What a value means is the owner's business, but
 * 0 is "none". Source of the algorithm: the textbook's B+-tree (Comer 1979).
 */
import { alloc, free } from '../base/alloc';

export const TREE_SIZE: usize = 12;
export const CURSOR_SIZE: usize = 8;
/** Results of treeInsert. */
export const TREE_INSERTED: i32 = 1;
export const TREE_EXISTS: i32 = 0;
export const TREE_OOM: i32 = -1;

const OFF_HEIGHT: usize = 4;
const OFF_COUNT: usize = 8;
const OFF_CAP: usize = 2;
const OFF_PREV: usize = 4;
const OFF_NEXT: usize = 8;
const OFF_INDEX: usize = 4;
const HEADER: usize = 16;
const CAP: u32 = 63;
/** A leaf starts with room for this many and doubles (plus one). */
const CAP_FIRST: u32 = 3;
/** A node thinner than this is joined with a neighbour if both fit in JOIN_MAX. */
const THIN: u32 = 16;
const JOIN_MAX: u32 = 48;
/** 63 × 32^11 is beyond any 32-bit count. */
const HEIGHT_MAX: i32 = 14;

/** The way down: by level (0 is the leaf's parent's child …) the inner node and child index. */
const pathNodes = memory.data(64);
const pathIndexes = memory.data(64);
const spares = memory.data(64);

// ---- fields

// @ts-ignore: decorator
@inline export function treeCount(tree: usize): u32 {
  return load<u32>(tree, OFF_COUNT);
}

// @ts-ignore: decorator
@inline function nodeCount(node: usize): u32 {
  return load<u16>(node);
}

// @ts-ignore: decorator
@inline function nodeCap(node: usize): u32 {
  return load<u16>(node, OFF_CAP);
}

// @ts-ignore: decorator
@inline function idAt(node: usize, i: u32): usize {
  return node + HEADER + (<usize>i << 4);
}

// @ts-ignore: decorator
@inline function valueAt(node: usize, i: u32): usize {
  return node + HEADER + (<usize>nodeCap(node) << 4) + (<usize>i << 2);
}

// @ts-ignore: decorator
@inline function child(node: usize, i: u32): usize {
  return load<u32>(valueAt(node, i));
}

// @ts-ignore: decorator
@inline function less(at: usize, ms: u64, seq: u64): bool {
  const m = load<u64>(at);
  return m < ms || (m == ms && load<u64>(at, 8) < seq);
}

function newNode(cap: u32): usize {
  const node = alloc(HEADER + <usize>cap * 20);
  if (node == 0) return 0;
  store<u64>(node, 0);
  store<u64>(node, 0, 8);
  store<u16>(node, cap, OFF_CAP);
  return node;
}

/** Index of the first id in the node that is not below; `count` if all are. */
function lowerBound(node: usize, ms: u64, seq: u64): u32 {
  let low: u32 = 0;
  let high = nodeCount(node);
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (less(idAt(node, mid), ms, seq)) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Index of the child that holds an id if any does. */
function childIndex(node: usize, ms: u64, seq: u64): u32 {
  let low: u32 = 1;
  let high = nodeCount(node);
  while (low < high) {
    const mid = (low + high) >>> 1;
    const at = idAt(node, mid);
    if (less(at, ms, seq) || (load<u64>(at) == ms && load<u64>(at, 8) == seq)) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** Walks down to the leaf for an id, leaving the path (levels 1..height). Tree not empty. */
function descend(tree: usize, ms: u64, seq: u64): usize {
  let node: usize = load<u32>(tree);
  for (let level = load<u32>(tree, OFF_HEIGHT); level > 0; level--) {
    const i = childIndex(node, ms, seq);
    store<u32>(pathNodes + (<usize>level << 2), <u32>node);
    store<u32>(pathIndexes + (<usize>level << 2), i);
    node = child(node, i);
  }
  return node;
}

// ---- looking up

/** The value of an id, 0 if it is not there. O(log n). */
export function treeFind(tree: usize, ms: u64, seq: u64): usize {
  if (load<u32>(tree) == 0) return 0;
  const leaf = descend(tree, ms, seq);
  const i = lowerBound(leaf, ms, seq);
  if (i == nodeCount(leaf)) return 0;
  const at = idAt(leaf, i);
  return load<u64>(at) == ms && load<u64>(at, 8) == seq ? child(leaf, i) : 0;
}

/** Puts the cursor on the first element whose id is not below. False: there is none. O(log n). */
export function treeSeek(cursor: usize, tree: usize, ms: u64, seq: u64): bool {
  store<u64>(cursor, 0);
  if (load<u32>(tree) == 0) return false;
  const leaf = descend(tree, ms, seq);
  const i = lowerBound(leaf, ms, seq);
  store<u32>(cursor, <u32>leaf);
  store<u32>(cursor, i, OFF_INDEX);
  if (i < nodeCount(leaf)) return true;
  store<u32>(cursor, i - 1, OFF_INDEX);
  return treeNext(cursor);
}

/** Puts the cursor on the last element whose id is not above. False: there is none. O(log n). */
export function treeSeekBack(cursor: usize, tree: usize, ms: u64, seq: u64): bool {
  if (!treeSeek(cursor, tree, ms, seq)) return treeLast(cursor, tree);
  if (treeMs(cursor) == ms && treeSeq(cursor) == seq) return true;
  return treePrev(cursor);
}

/** Puts the cursor on the first element; false if the tree is empty. */
export function treeFirst(cursor: usize, tree: usize): bool {
  let node: usize = load<u32>(tree);
  store<u64>(cursor, 0);
  if (node == 0) return false;
  for (let level = load<u32>(tree, OFF_HEIGHT); level > 0; level--) node = child(node, 0);
  store<u32>(cursor, <u32>node);
  return true;
}

/** Puts the cursor on the last element; false if the tree is empty. */
export function treeLast(cursor: usize, tree: usize): bool {
  let node: usize = load<u32>(tree);
  store<u64>(cursor, 0);
  if (node == 0) return false;
  for (let level = load<u32>(tree, OFF_HEIGHT); level > 0; level--) {
    node = child(node, nodeCount(node) - 1);
  }
  store<u32>(cursor, <u32>node);
  store<u32>(cursor, nodeCount(node) - 1, OFF_INDEX);
  return true;
}

/** Moves on; false at the end (the cursor is then at none). */
export function treeNext(cursor: usize): bool {
  const leaf: usize = load<u32>(cursor);
  const i = load<u32>(cursor, OFF_INDEX) + 1;
  if (i < nodeCount(leaf)) {
    store<u32>(cursor, i, OFF_INDEX);
    return true;
  }
  const next = load<u32>(leaf, OFF_NEXT);
  store<u32>(cursor, next);
  store<u32>(cursor, 0, OFF_INDEX);
  return next != 0;
}

/** Moves back; false at the beginning (the cursor is then at none). */
export function treePrev(cursor: usize): bool {
  const leaf: usize = load<u32>(cursor);
  const i = load<u32>(cursor, OFF_INDEX);
  if (i > 0) {
    store<u32>(cursor, i - 1, OFF_INDEX);
    return true;
  }
  const prev: usize = load<u32>(leaf, OFF_PREV);
  store<u32>(cursor, <u32>prev);
  if (prev == 0) return false;
  store<u32>(cursor, nodeCount(prev) - 1, OFF_INDEX);
  return true;
}

/** Whether the cursor is on an element. */
// @ts-ignore: decorator
@inline export function treeValid(cursor: usize): bool {
  return load<u32>(cursor) != 0;
}

// @ts-ignore: decorator
@inline export function treeMs(cursor: usize): u64 {
  return load<u64>(idAt(load<u32>(cursor), load<u32>(cursor, OFF_INDEX)));
}

// @ts-ignore: decorator
@inline export function treeSeq(cursor: usize): u64 {
  return load<u64>(idAt(load<u32>(cursor), load<u32>(cursor, OFF_INDEX)), 8);
}

// @ts-ignore: decorator
@inline export function treeValue(cursor: usize): usize {
  return child(load<u32>(cursor), load<u32>(cursor, OFF_INDEX));
}

/** Replaces the value under the cursor. */
export function treeSetValue(cursor: usize, value: usize): void {
  store<u32>(valueAt(load<u32>(cursor), load<u32>(cursor, OFF_INDEX)), <u32>value);
}

// ---- changing

/** Opens a gap at `i` in a node that has room, and fills it. */
function put(node: usize, i: u32, ms: u64, seq: u64, value: usize): void {
  const n = nodeCount(node);
  const at = idAt(node, i);
  const v = valueAt(node, i);
  if (i < n) {
    memory.copy(at + 16, at, <usize>(n - i) << 4);
    memory.copy(v + 4, v, <usize>(n - i) << 2);
  }
  store<u64>(at, ms);
  store<u64>(at, seq, 8);
  store<u32>(v, <u32>value);
  store<u16>(node, n + 1);
}

/** Closes the gap at `i`. */
function take(node: usize, i: u32): void {
  const n = nodeCount(node) - 1;
  const at = idAt(node, i);
  const v = valueAt(node, i);
  memory.copy(at, at + 16, <usize>(n - i) << 4);
  memory.copy(v, v + 4, <usize>(n - i) << 2);
  store<u16>(node, n);
}

/** Moves elements from `from` on of one node behind those of another, which has the room. */
function move(source: usize, from: u32, target: usize): void {
  const n = nodeCount(source) - from;
  const to = nodeCount(target);
  memory.copy(idAt(target, to), idAt(source, from), <usize>n << 4);
  memory.copy(valueAt(target, to), valueAt(source, from), <usize>n << 2);
  store<u16>(target, to + n);
  store<u16>(source, from);
}

/**
 * Adds an element: TREE_INSERTED, TREE_EXISTS (nothing changed) or TREE_OOM (nothing changed).
 * O(log n). May grow memory.
 */
export function treeInsert(tree: usize, ms: u64, seq: u64, value: usize): i32 {
  if (load<u32>(tree) == 0) {
    const root = newNode(CAP_FIRST);
    if (root == 0) return TREE_OOM;
    store<u32>(tree, <u32>root);
    store<u32>(tree, 0, OFF_HEIGHT);
  }
  let leaf = descend(tree, ms, seq);
  const i = lowerBound(leaf, ms, seq);
  const n = nodeCount(leaf);
  if (i < n && load<u64>(idAt(leaf, i)) == ms && load<u64>(idAt(leaf, i), 8) == seq) {
    return TREE_EXISTS;
  }
  const cap = nodeCap(leaf);
  if (n == cap) {
    if (cap == CAP) {
      store<u64>(splitId, ms);
      store<u64>(splitId, seq, 8);
      if (!split(tree, leaf, i, value)) return TREE_OOM;
      store<u32>(tree, treeCount(tree) + 1, OFF_COUNT);
      return TREE_INSERTED;
    }
    const larger = newNode(cap * 2 + 1);
    if (larger == 0) return TREE_OOM;
    move(leaf, 0, larger);
    free(leaf);
    store<u32>(tree, <u32>larger);
    leaf = larger;
  }
  put(leaf, i, ms, seq, value);
  store<u32>(tree, treeCount(tree) + 1, OFF_COUNT);
  return TREE_INSERTED;
}

/** Takes the nodes a split will need before anything is changed; false: no memory. */
function takeSpares(height: i32): bool {
  let need = 1;
  let level = 1;
  while (level <= height && nodeCount(load<u32>(pathNodes + (<usize>level << 2))) == CAP) {
    need++;
    level++;
  }
  if (level > height) need++;
  if (need > HEIGHT_MAX) return false;
  for (let k = 0; k < need; k++) {
    const node = newNode(CAP);
    if (node == 0) {
      while (k-- > 0) free(load<u32>(spares + (<usize>k << 2)));
      return false;
    }
    store<u32>(spares + (<usize>k << 2), <u32>node);
  }
  return true;
}

/** Cuts a full node for an insertion at `i`; `right` receives the upper part. Puts the element. */
function splitPut(node: usize, right: usize, i: u32, id: usize, value: usize): void {
  const ms = load<u64>(id);
  const seq = load<u64>(id, 8);
  const at: u32 = i == CAP ? CAP : CAP >> 1;
  move(node, at, right);
  if (i > at || at == CAP) put(right, i - at, ms, seq, value);
  else put(node, i, ms, seq, value);
}

const splitId = memory.data(16, 8);

/**
 * Inserts `splitId` into a full leaf; the path is that of `descend`. False: no memory, nothing
 * changed.
 */
function split(tree: usize, leaf: usize, i: u32, value: usize): bool {
  const height = <i32>load<u32>(tree, OFF_HEIGHT);
  if (!takeSpares(height)) return false;
  let used: usize = 0;
  let right: usize = load<u32>(spares);
  const next: usize = load<u32>(leaf, OFF_NEXT);
  store<u32>(right, <u32>next, OFF_NEXT);
  store<u32>(right, <u32>leaf, OFF_PREV);
  store<u32>(leaf, <u32>right, OFF_NEXT);
  if (next != 0) store<u32>(next, <u32>right, OFF_PREV);
  splitPut(leaf, right, i, splitId, value);
  for (let level = 1; level <= height; level++) {
    const node: usize = load<u32>(pathNodes + (<usize>level << 2));
    const at = load<u32>(pathIndexes + (<usize>level << 2)) + 1;
    const first = idAt(right, 0);
    if (nodeCount(node) < CAP) {
      put(node, at, load<u64>(first), load<u64>(first, 8), right);
      return true;
    }
    used += 4;
    const more: usize = load<u32>(spares + used);
    splitPut(node, more, at, first, right);
    right = more;
  }
  used += 4;
  const root: usize = load<u32>(spares + used);
  put(root, 0, 0, 0, load<u32>(tree));
  put(root, 1, load<u64>(idAt(right, 0)), load<u64>(idAt(right, 0), 8), right);
  store<u32>(tree, <u32>root);
  store<u32>(tree, height + 1, OFF_HEIGHT);
  return true;
}

/** Removes an element; its value, 0 if it was not there. Never fails otherwise. O(log n). */
export function treeRemove(tree: usize, ms: u64, seq: u64): usize {
  if (load<u32>(tree) == 0) return 0;
  const leaf = descend(tree, ms, seq);
  const i = lowerBound(leaf, ms, seq);
  if (i == nodeCount(leaf)) return 0;
  const at = idAt(leaf, i);
  if (load<u64>(at) != ms || load<u64>(at, 8) != seq) return 0;
  const value = child(leaf, i);
  take(leaf, i);
  store<u32>(tree, treeCount(tree) - 1, OFF_COUNT);
  tidy(tree, leaf);
  return value;
}

/** Removes the last element; its value, 0 when the tree is empty. For freeing. O(log n). */
export function treePop(tree: usize): usize {
  let node: usize = load<u32>(tree);
  if (node == 0) return 0;
  for (let level = load<u32>(tree, OFF_HEIGHT); level > 0; level--) {
    const i = nodeCount(node) - 1;
    store<u32>(pathNodes + (<usize>level << 2), <u32>node);
    store<u32>(pathIndexes + (<usize>level << 2), i);
    node = child(node, i);
  }
  const i = nodeCount(node) - 1;
  const value = child(node, i);
  store<u16>(node, i);
  store<u32>(tree, treeCount(tree) - 1, OFF_COUNT);
  if (i == 0) tidy(tree, node);
  return value;
}

function unlinkLeaf(leaf: usize): void {
  const prev: usize = load<u32>(leaf, OFF_PREV);
  const next: usize = load<u32>(leaf, OFF_NEXT);
  if (prev != 0) store<u32>(prev, <u32>next, OFF_NEXT);
  if (next != 0) store<u32>(next, <u32>prev, OFF_PREV);
}

/** After a removal: drops empty nodes and joins thin ones, from the leaf upwards. */
function tidy(tree: usize, node: usize): void {
  const height = load<u32>(tree, OFF_HEIGHT);
  for (let level: u32 = 1; level <= height; level++) {
    const parent: usize = load<u32>(pathNodes + (<usize>level << 2));
    const i = load<u32>(pathIndexes + (<usize>level << 2));
    const n = nodeCount(node);
    if (n == 0) {
      if (level == 1) unlinkLeaf(node);
      free(node);
      take(parent, i);
    } else {
      if (n >= THIN || !join(parent, i, level == 1)) break;
    }
    node = parent;
  }
  trimRoot(tree);
}

/** Joins child `i` with a neighbour under the same parent if both fit. */
function join(parent: usize, i: u32, isLeaf: bool): bool {
  const n = nodeCount(child(parent, i));
  let left = i;
  if (i + 1 < nodeCount(parent) && n + nodeCount(child(parent, i + 1)) <= JOIN_MAX) left = i;
  else if (i > 0 && n + nodeCount(child(parent, i - 1)) <= JOIN_MAX) left = i - 1;
  else return false;
  const target = child(parent, left);
  const source = child(parent, left + 1);
  // The first id of an inner node is unused until it stands beside others.
  if (isLeaf) unlinkLeaf(source);
  else memory.copy(idAt(source, 0), idAt(parent, left + 1), 16);
  move(source, 0, target);
  free(source);
  take(parent, left + 1);
  return true;
}

/** A root with one child gives way to it; an empty one goes. */
function trimRoot(tree: usize): void {
  let root: usize = load<u32>(tree);
  let height = load<u32>(tree, OFF_HEIGHT);
  while (height > 0 && nodeCount(root) == 1) {
    const only = child(root, 0);
    free(root);
    root = only;
    height--;
  }
  if (nodeCount(root) == 0) {
    free(root);
    root = 0;
    height = 0;
  }
  store<u32>(tree, <u32>root);
  store<u32>(tree, height, OFF_HEIGHT);
}

/** Bytes the tree's own nodes take, about. O(1). */
export function treeMemory(tree: usize): usize {
  const n = <usize>treeCount(tree);
  if (n <= CAP) return n == 0 ? 0 : HEADER + n * 20;
  return (n + CAP - 1) / CAP * 1280;
}

/** Depths in bytes of the branches on the way to the last id, for `treeRadixNodes`. */
const branches = memory.data(32);

/**
 * How many nodes Redis' radix tree of the same ids (16 big-endian bytes) has, as XINFO STREAM
 * tells: one for each id, each branching, and each run of bytes between them. O(n).
 */
export function treeRadixNodes(tree: usize): i64 {
  if (treeCount(tree) == 0) return 1;
  let nodes: i64 = treeCount(tree);
  let depth = 0;
  let shared: i32 = -1;
  treeFirst(radixCursor, tree);
  let ms = treeMs(radixCursor);
  let seq = treeSeq(radixCursor);
  let more = true;
  while (more) {
    more = treeNext(radixCursor);
    const next: i32 = more ? sharedBytes(ms, seq) : -1;
    // The leaf hangs below the deeper of its two branches.
    const above = max(shared, next);
    if (15 - above > 0) nodes++;
    // Branches that no later id shares are complete: each has a run to the branch above it.
    while (depth > 0 && <i32>load<u8>(branches + depth - 1) > next) {
      const at = <i32>load<u8>(branches + --depth);
      let up: i32 = depth > 0 ? <i32>load<u8>(branches + depth - 1) : -1;
      if (next > up) up = next;
      nodes += at - up - 1 > 0 ? 2 : 1;
    }
    if (more) {
      if (depth == 0 || <i32>load<u8>(branches + depth - 1) < next) {
        store<u8>(branches + depth, <u8>next);
        depth++;
      }
      ms = treeMs(radixCursor);
      seq = treeSeq(radixCursor);
    }
    shared = next;
  }
  return nodes;
}
const radixCursor = memory.data(8, 8);

/** Leading bytes an id shares with that under the cursor (another one). */
function sharedBytes(ms: u64, seq: u64): i32 {
  const m = ms ^ treeMs(radixCursor);
  if (m != 0) return <i32>(clz(m) >> 3);
  return 8 + <i32>(clz(seq ^ treeSeq(radixCursor)) >> 3);
}
