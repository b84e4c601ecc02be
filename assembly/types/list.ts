/**
 * Lists: everything commands do to them, on the nodes of list-node.ts.
 *
 * What it is: push, pop, index, insert, replace, remove, trim and walks in both directions, with
 * node boundaries exactly where redis 7.0.15 has them. What it is not: RESP, keys, or the removal
 * of lists that became empty (the keyspace does that).
 *
 * Positions. A `ListPos` names one element: node, index in it and the entry's address. It stays
 * good until the list changes; the functions that change the list through a position say where it
 * points afterwards. Elements found are left in elPtr, elLen (element.ts).
 *
 * Assumed: `src` of an addition does not lie inside the list that is being changed (who moves an
 * element within one list copies it first). The number of elements stays below 2^31.
 */
import { alloc, free, usableSize } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { bytesEqual } from '../base/bytes';
import { intParse, intParsed } from '../encoding/ints';
import {
  lpAppend,
  lpAt,
  lpDelete,
  lpDeleteRange,
  lpDup,
  lpFirst,
  lpGet,
  lpInsertAfter,
  lpInsertBefore,
  lpLast,
  lpLength,
  lpNext,
  lpPrepend,
  lpPrev,
  lpReplace,
  lpSeek,
  lpValInt,
  lpValLen,
  lpValPtr,
} from '../encoding/listpack';
import { elLen, elPtr, elSet, elSetEntry } from './element';
import { objMake, objValue } from './holder';
import {
  isLargeElement,
  List,
  LIST_SIZE,
  ListNode,
  nodeAllowsInsert,
  nodeAround,
  nodeAt,
  nodeCount,
  nodeDrop,
  nodeFit,
  nodeFree,
  nodeIsPlain,
  nodeLink,
  nodeMergeAround,
  nodeOfOne,
  nodeSplit,
} from './list-node';
import { ENC_QUICKLIST, TYPE_LIST } from './object';

/** One element of a list; see above. */
@unmanaged
export class ListPos {
  /** 0 = behind an end: no element. */
  node: u32;
  /** Its place in the node, 0-based. */
  index: u32;
  /** The listpack entry; 0 in a PLAIN node. */
  p: u32;
}

const posScratch = changetype<ListPos>(memory.data(16));

// @ts-ignore: decorator
@inline function listOf(obj: usize): List {
  return changetype<List>(objValue(obj));
}

/** An empty list as a value; 0: out of memory. */
export function listCreate(): usize {
  const ptr = alloc(LIST_SIZE);
  if (ptr != 0) memory.fill(ptr, 0, LIST_SIZE);
  return ptr;
}

/** Makes `obj` an empty list. False: out of memory. */
export function listNew(obj: usize): bool {
  const value = listCreate();
  if (value == 0) return false;
  objMake(obj, TYPE_LIST, ENC_QUICKLIST, value);
  return true;
}

/** Number of elements. */
export function listLen(obj: usize): u32 {
  return listOf(obj).count;
}

/** The same of a value. */
export function listCount(value: usize): u32 {
  return changetype<List>(value).count;
}

// ---- the ends

/** Adds an element at an end. False: out of memory, nothing changed. May grow memory. */
export function listPush(obj: usize, src: usize, len: u32, head: bool): bool {
  const list = listOf(obj);
  const end: usize = head ? list.head : list.tail;
  if (nodeAllowsInsert(end, len)) return nodePut(list, end, src, len, head);
  const fresh = nodeOfOne(src, len, isLargeElement(len));
  if (fresh == 0) return false;
  nodeLink(list, end, fresh, !head);
  if (end != 0) nodeFit(end);
  return true;
}

/** Adds an element at an end of a PACKED node. */
function nodePut(list: List, ptr: usize, src: usize, len: u32, head: bool): bool {
  const node = nodeAt(ptr);
  const lp = head ? lpPrepend(node.body, src, len) : lpAppend(node.body, src, len);
  if (lp == 0) return false;
  node.body = <u32>lp;
  node.counted++;
  list.count++;
  return true;
}

/** Leaves the element at an end in elPtr, elLen. False: the list is empty. */
export function listPeek(obj: usize, head: bool): bool {
  const list = listOf(obj);
  const end: usize = head ? list.head : list.tail;
  if (end == 0) return false;
  const node = nodeAt(end);
  if (nodeIsPlain(node)) elSet(blobPtr(node.body), blobLen(node.body));
  else elSetEntry(head ? lpFirst(node.body) : lpLast(node.body));
  return true;
}

/** Removes the element at an end of a list that is not empty. */
export function listDrop(obj: usize, head: bool): void {
  const list = listOf(obj);
  const end: usize = head ? list.head : list.tail;
  const node = nodeAt(end);
  dropEntry(list, end, nodeIsPlain(node) ? 0 : head ? lpFirst(node.body) : lpLast(node.body));
}

/**
 * Takes the element off one end and puts it at one, perhaps the same, of a list that is not empty.
 * False: out of memory, the elements are as they were. May grow memory.
 */
export function listRotate(obj: usize, fromHead: bool, toHead: bool): bool {
  const list = listOf(obj);
  listPeek(obj, fromHead);
  // The copy is a node already: it is linked where the element needs one of its own.
  const spare = nodeOfOne(elPtr, elLen, isLargeElement(elLen));
  if (spare == 0) return false;
  listDrop(obj, fromHead);
  const end: usize = toHead ? list.head : list.tail;
  if (!nodeAllowsInsert(end, elLen)) {
    nodeLink(list, end, spare, !toHead);
    return true;
  }
  elSetEntry(lpFirst(nodeAt(spare).body));
  if (nodePut(list, end, elPtr, elLen, toHead)) {
    nodeFree(spare);
    return true;
  }
  nodeLink(list, fromHead ? list.head : list.tail, spare, !fromHead);
  return false;
}

/** Removes one entry of a node, and the node with the last one. False: the node is gone. */
function dropEntry(list: List, ptr: usize, p: usize): bool {
  const node = nodeAt(ptr);
  if (nodeCount(node) == 1) {
    nodeDrop(list, ptr);
    return false;
  }
  node.body = <u32>lpDelete(node.body, p);
  node.counted--;
  list.count--;
  return true;
}

// ---- positions

/**
 * Finds the element at `index` (negative: from the end) for `pos`; false where there is none. The
 * element is in elPtr, elLen. O(nodes) from the nearer end.
 */
export function listSeek(obj: usize, index: i64, pos: ListPos): bool {
  const list = listOf(obj);
  if (index < 0) index += list.count;
  pos.node = 0;
  if (index < 0 || index >= <i64>list.count) return false;
  let at = <u32>index;
  let ptr: usize;
  if (at <= list.count >>> 1) {
    ptr = list.head;
    let n = nodeCount(nodeAt(ptr));
    while (at >= n) {
      at -= n;
      ptr = nodeAt(ptr).next;
      n = nodeCount(nodeAt(ptr));
    }
  } else {
    let left = list.count - at; // elements from `at` to the end
    ptr = list.tail;
    let n = nodeCount(nodeAt(ptr));
    while (left > n) {
      left -= n;
      ptr = nodeAt(ptr).prev;
      n = nodeCount(nodeAt(ptr));
    }
    at = n - left;
  }
  enter(pos, ptr, at);
  return true;
}

/** Points `pos` at element `index` of a node, and reads it. */
function enter(pos: ListPos, ptr: usize, index: u32): void {
  const node = nodeAt(ptr);
  pos.node = <u32>ptr;
  pos.index = index;
  pos.p = nodeIsPlain(node) ? 0 : <u32>lpSeek(node.body, <i32>index);
  listRead(pos);
}

/** Leaves the element at `pos` in elPtr, elLen. */
export function listRead(pos: ListPos): void {
  if (pos.p != 0) {
    elSetEntry(pos.p);
    return;
  }
  const body: usize = nodeAt(pos.node).body;
  elSet(blobPtr(body), blobLen(body));
}

/** Moves `pos` to the next (`forward`) or previous element and reads it; false: there is none. */
export function listStep(pos: ListPos, forward: bool): bool {
  if (!listMove(pos, forward)) return false;
  listRead(pos);
  return true;
}

/** As `listStep`, without reading the element. */
export function listMove(pos: ListPos, forward: bool): bool {
  const node = nodeAt(pos.node);
  if (pos.p != 0) {
    const p = forward ? lpNext(node.body, pos.p) : lpPrev(node.body, pos.p);
    if (p != 0) {
      pos.p = <u32>p;
      pos.index += forward ? 1 : -1;
      return true;
    }
  }
  return listPointAt(pos, forward ? node.next : node.prev, forward);
}

/** Points `pos` at the first (`forward`) or last element of a node; false: 0, there is none. */
export function listPointAt(pos: ListPos, ptr: usize, forward: bool): bool {
  pos.node = <u32>ptr;
  if (ptr == 0) return false;
  const node = nodeAt(ptr);
  pos.index = forward ? 0 : nodeCount(node) - 1;
  if (nodeIsPlain(node)) pos.p = 0;
  else pos.p = <u32>(forward ? lpFirst(node.body) : lpLast(node.body));
  return true;
}

/** The same, and reads it. */
function enterNode(pos: ListPos, ptr: usize, forward: bool): bool {
  if (!listPointAt(pos, ptr, forward)) return false;
  listRead(pos);
  return true;
}

let needlePtr: usize = 0;
let needleLen: u32 = 0;
let needleIsInt: bool = false;
let needleInt: i64 = 0;

/** Sets what `listIsNeedle` looks for. The bytes stay the caller's and must not go. */
export function listNeedle(src: usize, len: u32): void {
  needlePtr = src;
  needleLen = len;
  needleIsInt = intParse(src, len);
  needleInt = intParsed;
}

/** Whether the element at `pos` is the needle. */
export function listIsNeedle(pos: ListPos): bool {
  if (pos.p == 0) {
    const body: usize = nodeAt(pos.node).body;
    return bytesEqual(blobPtr(body), blobLen(body), needlePtr, needleLen);
  }
  if (lpGet(pos.p)) return bytesEqual(lpValPtr, lpValLen, needlePtr, needleLen);
  return needleIsInt && lpValInt == needleInt;
}

/** Reads the element at `index` (negative: from the end) into elPtr, elLen; false: none. */
export function listGet(obj: usize, index: i64): bool {
  return listSeek(obj, index, posScratch);
}

/**
 * Removes the element at `pos`, which then points at the one after it (`forward`) or before it,
 * already read. False: there is none on that side.
 */
export function listRemoveAt(obj: usize, pos: ListPos, forward: bool): bool {
  const list = listOf(obj);
  const ptr: usize = pos.node;
  const node = nodeAt(ptr);
  const next: usize = node.next;
  const prev: usize = node.prev;
  if (!dropEntry(list, ptr, pos.p)) return enterNode(pos, forward ? next : prev, forward);
  const follower = lpAt;
  if (forward) {
    if (follower == 0) return enterNode(pos, next, true);
    pos.p = <u32>follower;
  } else {
    if (pos.index == 0) return enterNode(pos, prev, false);
    pos.index--;
    pos.p = <u32>(follower == 0 ? lpLast(node.body) : lpPrev(node.body, follower));
  }
  elSetEntry(pos.p);
  return true;
}

/**
 * Puts another element in the place of the one at `pos`. False: out of memory, nothing changed.
 * `pos` is dead afterwards. Redis: the node may outgrow its limit this way.
 */
export function listReplaceAt(obj: usize, pos: ListPos, src: usize, len: u32): bool {
  const list = listOf(obj);
  const ptr: usize = pos.node;
  const node = nodeAt(ptr);
  const plain = nodeIsPlain(node);
  if (!plain && !isLargeElement(len)) {
    const lp = lpReplace(node.body, pos.p, src, len);
    if (lp == 0) return false;
    node.body = <u32>lp;
    return true;
  }
  if (plain && isLargeElement(len)) {
    const blob = blobNew(src, len);
    if (blob == 0) return false;
    free(node.body);
    node.body = <u32>blob;
    return true;
  }
  if (!listInsertAt(obj, pos, src, len, true)) return false;
  if (plain || nodeCount(node) == 1) nodeDrop(list, ptr);
  else dropEntry(list, ptr, lpLast(node.body));
  return true;
}

/**
 * Adds an element after or before the one at `pos`. False: out of memory, nothing changed. `pos` is
 * dead afterwards. May grow memory.
 */
export function listInsertAt(obj: usize, pos: ListPos, src: usize, len: u32, after: bool): bool {
  const list = listOf(obj);
  const ptr: usize = pos.node;
  const node = nodeAt(ptr);
  const atEdge = after ? pos.index == nodeCount(node) - 1 : pos.index == 0;
  if (isLargeElement(len)) return insertLarge(list, pos, src, len, after);
  if (nodeAllowsInsert(ptr, len)) {
    const lp = after
      ? lpInsertAfter(node.body, pos.p, src, len)
      : lpInsertBefore(node.body, pos.p, src, len);
    if (lp == 0) return false;
    node.body = <u32>lp;
    node.counted++;
    list.count++;
    return true;
  }
  if (atEdge) {
    const beside: usize = after ? node.next : node.prev;
    if (nodeAllowsInsert(beside, len)) return nodePut(list, beside, src, len, after);
    const fresh = nodeOfOne(src, len, false);
    if (fresh == 0) return false;
    nodeLink(list, ptr, fresh, after);
    return true;
  }
  const fresh = nodeSplit(ptr, pos.index, after, src, len);
  if (fresh == 0) return false;
  relink(list, ptr, fresh, after);
  nodeMergeAround(list, ptr);
  list.count++;
  return true;
}

/** Links the part split off a node; its elements were counted before (one new one was not). */
function relink(list: List, ptr: usize, fresh: usize, after: bool): void {
  const count = list.count;
  nodeLink(list, ptr, fresh, after);
  list.count = count;
}

function insertLarge(list: List, pos: ListPos, src: usize, len: u32, after: bool): bool {
  const ptr: usize = pos.node;
  const node = nodeAt(ptr);
  const fresh = nodeOfOne(src, len, true);
  if (fresh == 0) return false;
  const atEdge = after ? pos.index == nodeCount(node) - 1 : pos.index == 0;
  if (!nodeIsPlain(node) && !atEdge) {
    const part = nodeSplit(ptr, pos.index, after, 0, 0);
    if (part == 0) {
      free(nodeAt(fresh).body);
      free(fresh);
      return false;
    }
    relink(list, ptr, part, after);
  }
  nodeLink(list, ptr, fresh, after);
  return true;
}

/**
 * Removes up to `count` elements from `start` (negative: from the end) on; returns how many. Never
 * fails. O(nodes).
 */
export function listDeleteRange(obj: usize, start: i64, count: u32): u32 {
  const list = listOf(obj);
  const pos = posScratch;
  if (count == 0 || !listSeek(obj, start, pos)) return 0;
  const before = list.count;
  let left = count;
  let ptr: usize = pos.node;
  let index = pos.index;
  while (left != 0 && ptr != 0) {
    const node = nodeAt(ptr);
    const next: usize = node.next;
    const here = min(nodeCount(node) - index, left);
    if (here == nodeCount(node)) {
      nodeDrop(list, ptr);
    } else {
      node.body = <u32>lpDeleteRange(node.body, <i32>index, here);
      node.counted -= here;
      list.count -= here;
    }
    left -= here;
    ptr = next;
    index = 0;
  }
  return before - list.count;
}

// ---- loading

/**
 * Appends a whole node: a valid owned listpack with at least one entry. Takes ownership unless it
 * returns false (out of memory). Redis: loaded nodes stay as they are, whatever their size.
 */
export function listAppendPacked(obj: usize, lp: usize): bool {
  const list = listOf(obj);
  const fresh = nodeAround(lp, lpLength(lp));
  if (fresh == 0) return false;
  nodeLink(list, list.tail, fresh, true);
  return true;
}

/** Appends one element as a PLAIN node (a copy is made). False: out of memory. */
export function listAppendPlain(obj: usize, src: usize, len: u32): bool {
  const list = listOf(obj);
  const fresh = nodeOfOne(src, len, true);
  if (fresh == 0) return false;
  nodeLink(list, list.tail, fresh, true);
  return true;
}

// ---- the value as a whole (value.ts)

/** Frees up to `budget` nodes from the head; true when all are gone, and the list with them. */
export function listFreeStep(value: usize, budget: u32): bool {
  const list = changetype<List>(value);
  while (list.head != 0) {
    if (budget-- == 0) return false;
    nodeDrop(list, list.head);
  }
  free(value);
  return true;
}

/** Nodes: the blocks that freeing has to touch. */
export function listEffort(value: usize): u32 {
  return changetype<List>(value).nodes;
}

/** A copy of the list with the same nodes; 0: out of memory. */
export function listDup(value: usize): usize {
  const copy = listCreate();
  if (copy == 0) return 0;
  const to = changetype<List>(copy);
  let ptr: usize = changetype<List>(value).head;
  while (ptr != 0) {
    const fresh = nodeCopy(nodeAt(ptr));
    if (fresh == 0) {
      listFreeStep(copy, u32.MAX_VALUE);
      return 0;
    }
    nodeLink(to, to.tail, fresh, true);
    ptr = nodeAt(ptr).next;
  }
  return copy;
}

function nodeCopy(node: ListNode): usize {
  if (nodeIsPlain(node)) return nodeOfOne(blobPtr(node.body), blobLen(node.body), true);
  const lp = lpDup(node.body);
  if (lp == 0) return 0;
  const fresh = nodeAround(lp, nodeCount(node));
  if (fresh == 0) free(lp);
  return fresh;
}

/** Bytes of memory, estimated from the first `samples` nodes (0 = all). */
export function listMemory(value: usize, samples: u32): usize {
  const list = changetype<List>(value);
  let bytes: u64 = 0;
  let seen: u32 = 0;
  let ptr: usize = list.head;
  while (ptr != 0 && (samples == 0 || seen < samples)) {
    bytes += usableSize(ptr) + usableSize(nodeAt(ptr).body);
    seen++;
    ptr = nodeAt(ptr).next;
  }
  if (seen != 0) bytes = bytes * list.nodes / seen;
  return usableSize(value) + <usize>bytes;
}
