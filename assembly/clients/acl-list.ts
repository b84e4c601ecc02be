/**
 * Short lists of byte strings with a number each: the key patterns, channel patterns and allowed
 * first arguments of a selector (acl-selector.ts).
 *
 *   node
 *   +0  u32 next   0 at the end
 *   +4  u32 tag    ACL_READ, ACL_WRITE of a key pattern; a command's id for a first argument
 *   +8  u32 len
 *   +12 bytes
 *
 * A list is the address of the u32 that holds its first node. Order is that of adding. Finding is
 * O(length), as in Redis: a list holds what somebody wrote by hand.
 */
import { alloc, free } from '../base/alloc';

const OFF_TAG: usize = 4;
const OFF_LEN: usize = 8;
const HEADER: usize = 12;

// @ts-ignore: decorator
@inline export function nodeNext(node: usize): usize {
  return load<u32>(node);
}

// @ts-ignore: decorator
@inline export function nodeTag(node: usize): u32 {
  return load<u32>(node, OFF_TAG);
}

// @ts-ignore: decorator
@inline export function nodePtr(node: usize): usize {
  return node + HEADER;
}

// @ts-ignore: decorator
@inline export function nodeLen(node: usize): u32 {
  return load<u32>(node, OFF_LEN);
}

export function nodeSetTag(node: usize, tag: u32): void {
  store<u32>(node, tag, OFF_TAG);
}

/** The first node of a list with these bytes, 0 = none. */
export function aclListFind(list: usize, ptr: usize, len: u32): usize {
  let node: usize = load<u32>(list);
  while (node != 0) {
    if (nodeLen(node) == len && memory.compare(nodePtr(node), ptr, len) == 0) return node;
    node = nodeNext(node);
  }
  return 0;
}

/** Adds a copy of the bytes at the end; false when memory ran out. May grow memory. */
export function aclListAdd(list: usize, tag: u32, ptr: usize, len: u32): bool {
  const size = <u64>len + HEADER;
  if (size > u32.MAX_VALUE) return false;
  const node = alloc(<usize>size);
  if (node == 0) return false;
  store<u32>(node, 0);
  store<u32>(node, tag, OFF_TAG);
  store<u32>(node, len, OFF_LEN);
  memory.copy(node + HEADER, ptr, len);
  while (load<u32>(list) != 0) list = load<u32>(list);
  store<u32>(list, <u32>node);
  return true;
}

/** Empties a list. */
export function aclListClear(list: usize): void {
  let node: usize = load<u32>(list);
  store<u32>(list, 0);
  while (node != 0) {
    const next = nodeNext(node);
    free(node);
    node = next;
  }
}

/** Drops the nodes with a tag. */
export function aclListDropTag(list: usize, tag: u32): void {
  while (load<u32>(list) != 0) {
    const node: usize = load<u32>(list);
    if (nodeTag(node) != tag) {
      list = node;
      continue;
    }
    store<u32>(list, <u32>nodeNext(node));
    free(node);
  }
}

/** Adds all nodes of `from` to the empty list `to`; false when memory ran out. */
export function aclListCopy(to: usize, from: usize): bool {
  for (let node: usize = load<u32>(from); node != 0; node = nodeNext(node)) {
    if (!aclListAdd(to, nodeTag(node), nodePtr(node), nodeLen(node))) return false;
    to = load<u32>(to);
  }
  return true;
}
