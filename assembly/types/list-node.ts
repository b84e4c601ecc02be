/**
 * The nodes of a list and the rules by which they fill, split and merge: Redis' quicklist.
 *
 * What it is. A list is a doubly linked run of nodes; a node is a listpack of several elements
 * (PACKED) or one large element by itself (PLAIN). Where one node ends and the next begins is
 * visible in DUMP payloads, so the rules are those of redis 7.0.15, kept here in one place.
 * What it is not. Nodes are never compressed in memory (list-compress-depth is only told back):
 * saving compresses the same bytes with the same algorithm.
 *
 *   List (16 bytes, the value of ENC_QUICKLIST)
 *   +0 u32 head   first node, 0 = empty list
 *   +4 u32 tail   last node
 *   +8 u32 count  elements
 *   +12 u32 nodes
 *
 *   node (16 bytes)
 *   +0 u32 prev, +4 u32 next
 *   +8 u32 body   PACKED: a listpack; PLAIN: a blob (base/blob.ts)
 *   +12 u32 count elements; PLAIN: PLAIN_BIT + 1
 *
 * Source of the rules: redis 7.0.15, observed through DUMP.
 */
import { alloc, free } from '../base/alloc';
import { blobLen, blobNew } from '../base/blob';
import {
  lpAppend,
  lpBytes,
  lpDeleteRange,
  lpDup,
  lpMerge,
  lpNew,
  lpPrepend,
  lpShrinkToFit,
} from '../encoding/listpack';
import { listMaxListpackSize, listPackedThreshold } from './limits';

@unmanaged
export class List {
  head: u32;
  tail: u32;
  count: u32;
  nodes: u32;
}
export const LIST_SIZE: usize = offsetof<List>();

@unmanaged
export class ListNode {
  prev: u32;
  next: u32;
  /** Listpack, or blob where `isPlain`. */
  body: u32;
  /** Elements, and PLAIN_BIT. */
  counted: u32;
}
export const NODE_SIZE: usize = offsetof<ListNode>();
const PLAIN_BIT: u32 = 0x80000000;

/** Redis: room an entry may need beyond its bytes, overestimated. */
const ENTRY_OVERHEAD: u64 = 8;
/** Redis: with a limit on elements a node still stays below this many bytes. */
const SAFETY_MAX: u64 = 8192;
/** Redis: what merging saves is taken as this, though it is 7: a merged node may be 4 over. */
const MERGE_SAVES: u64 = 11;

// @ts-ignore: decorator
@inline export function nodeAt(ptr: usize): ListNode {
  return changetype<ListNode>(ptr);
}

// @ts-ignore: decorator
@inline export function nodeIsPlain(node: ListNode): bool {
  return (node.counted & PLAIN_BIT) != 0;
}

// @ts-ignore: decorator
@inline export function nodeCount(node: ListNode): u32 {
  return node.counted & ~PLAIN_BIT;
}

/** Bytes of a node's content as DUMP would write them. */
export function nodeBytes(node: ListNode): u32 {
  return nodeIsPlain(node) ? blobLen(node.body) : lpBytes(node.body);
}

/** Elements of this size stand alone. */
// @ts-ignore: decorator
@inline export function isLargeElement(len: u32): bool {
  return len >= listPackedThreshold;
}

// ---- filling

/** Whether a node of `bytes` meets a limit that is given in bytes (a negative setting). */
function meetsByteLimit(bytes: u64): bool {
  const fill = listMaxListpackSize;
  return fill < 0 && bytes <= (<u64>4096 << (<u64>(-fill) - 1));
}

function allows(bytes: u64, count: u32): bool {
  if (meetsByteLimit(bytes)) return true;
  if (bytes > SAFETY_MAX) return false;
  return <i32>count <= listMaxListpackSize;
}

/** Whether an element of `len` bytes may go into a node; 0 is no node. */
export function nodeAllowsInsert(ptr: usize, len: u32): bool {
  if (ptr == 0) return false;
  const node = nodeAt(ptr);
  if (nodeIsPlain(node) || isLargeElement(len)) return false;
  return allows(<u64>lpBytes(node.body) + len + ENTRY_OVERHEAD, nodeCount(node) + 1);
}

function allowsMerge(a: usize, b: usize): bool {
  if (a == 0 || b == 0) return false;
  const first = nodeAt(a);
  const second = nodeAt(b);
  if (nodeIsPlain(first) || nodeIsPlain(second)) return false;
  const bytes = <u64>lpBytes(first.body) + lpBytes(second.body) - MERGE_SAVES;
  return allows(bytes, nodeCount(first) + nodeCount(second));
}

// ---- nodes

/** A node that belongs to no list yet, around an owned listpack; 0: out of memory. */
export function nodeAround(lp: usize, count: u32): usize {
  const ptr = alloc(NODE_SIZE);
  if (ptr == 0) return 0;
  const node = nodeAt(ptr);
  node.prev = 0;
  node.next = 0;
  node.body = <u32>lp;
  node.counted = count;
  return ptr;
}

/** A node of one element: PLAIN where that is due (or wanted), else PACKED. 0: out of memory. */
export function nodeOfOne(src: usize, len: u32, plain: bool): usize {
  let body: usize;
  if (plain) {
    body = blobNew(src, len);
  } else {
    const lp = lpNew(0);
    if (lp == 0) return 0;
    body = lpAppend(lp, src, len);
    if (body == 0) free(lp);
  }
  if (body == 0) return 0;
  const ptr = nodeAround(body, plain ? PLAIN_BIT | 1 : 1);
  if (ptr == 0) free(body);
  return ptr;
}

/** Gives back the room to grow of a node that is not expected to. */
export function nodeFit(ptr: usize): void {
  const node = nodeAt(ptr);
  if (!nodeIsPlain(node)) node.body = <u32>lpShrinkToFit(node.body);
}

/** Frees a node and its content. */
export function nodeFree(ptr: usize): void {
  free(nodeAt(ptr).body);
  free(ptr);
}

/** Puts a node beside `at`; 0 = the list is empty. The list's count of elements grows with it. */
export function nodeLink(list: List, at: usize, fresh: usize, after: bool): void {
  const node = nodeAt(fresh);
  list.count += nodeCount(node);
  list.nodes++;
  if (at == 0) {
    list.head = <u32>fresh;
    list.tail = <u32>fresh;
    return;
  }
  const prev: u32 = after ? <u32>at : nodeAt(at).prev;
  const next: u32 = after ? nodeAt(at).next : <u32>at;
  node.prev = prev;
  node.next = next;
  if (prev != 0) nodeAt(prev).next = <u32>fresh;
  else list.head = <u32>fresh;
  if (next != 0) nodeAt(next).prev = <u32>fresh;
  else list.tail = <u32>fresh;
}

/** Takes a node out of its list and frees it. */
export function nodeDrop(list: List, ptr: usize): void {
  const node = nodeAt(ptr);
  list.count -= nodeCount(node);
  list.nodes--;
  if (node.prev != 0) nodeAt(node.prev).next = node.next;
  else list.head = node.next;
  if (node.next != 0) nodeAt(node.next).prev = node.prev;
  else list.tail = node.prev;
  nodeFree(ptr);
}

// ---- splitting and merging

/**
 * A new node with the part of a PACKED node behind `index` (`after`) or before it, and one more
 * element, if `src` is not 0, at the end that faces the split. The node itself keeps the element
 * at `index` and the other part; the new one is not linked. 0: out of memory, nothing changed.
 */
export function nodeSplit(ptr: usize, index: u32, after: bool, src: usize, len: u32): usize {
  const node = nodeAt(ptr);
  const count = nodeCount(node);
  let part = lpDup(node.body);
  if (part == 0) return 0;
  const kept = after ? index + 1 : count - index;
  part = after ? lpDeleteRange(part, 0, kept) : lpDeleteRange(part, <i32>index, kept);
  if (src != 0) {
    const grown = after ? lpPrepend(part, src, len) : lpAppend(part, src, len);
    if (grown == 0) {
      free(part);
      return 0;
    }
    part = grown;
  }
  const fresh = nodeAround(part, count - kept + (src != 0 ? 1 : 0));
  if (fresh == 0) {
    free(part);
    return 0;
  }
  const from = after ? <i32>kept : 0;
  node.body = <u32>lpDeleteRange(node.body, from, count - kept);
  node.counted = kept;
  return fresh;
}

/** Joins two neighbours; the address of what remains. Without memory they stay two: `second`. */
function merge(list: List, first: usize, second: usize): usize {
  const a = nodeAt(first);
  const b = nodeAt(second);
  const joined = lpMerge(a.body, b.body);
  if (joined == 0) return second;
  const count = nodeCount(a) + nodeCount(b);
  a.body = <u32>joined;
  a.counted = count;
  a.next = b.next;
  if (b.next != 0) nodeAt(b.next).prev = <u32>first;
  else list.tail = <u32>first;
  list.nodes--;
  free(second);
  return first;
}

/**
 * Merges what fits around a node after a split, in Redis' order: the two before it, the two after
 * it, then itself with its neighbours. Which of the nodes remain is not told.
 */
export function nodeMergeAround(list: List, center: usize): void {
  const prev: usize = nodeAt(center).prev;
  const prevPrev: usize = prev != 0 ? <usize>nodeAt(prev).prev : 0;
  const next: usize = nodeAt(center).next;
  const nextNext: usize = next != 0 ? <usize>nodeAt(next).next : 0;
  if (allowsMerge(prev, prevPrev)) merge(list, prevPrev, prev);
  if (allowsMerge(next, nextNext)) merge(list, next, nextNext);
  let target = center;
  const before: usize = nodeAt(center).prev;
  if (allowsMerge(before, center)) target = merge(list, before, center);
  const behind: usize = nodeAt(target).next;
  if (allowsMerge(target, behind)) merge(list, target, behind);
}
