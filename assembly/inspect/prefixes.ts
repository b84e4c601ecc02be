/**
 * What names have in common: a tree of their beginnings with counts, in a fixed number of nodes.
 *
 * Every name is entered up to NAME_MAX bytes. When the nodes are used up, parts of the tree with
 * few keys are folded into the node above them, the fewest first, until half is free. So the counts
 * of a node never include a foreign key, and lack at most as many as were folded away at its place
 * before it came (back) to be: `missing` says how many that can be. Nothing is lost while there are
 * enough nodes. (Lossy counting over a hierarchy, as of Cormode et al., with exact bounds kept.)
 *
 *   node, 128 bytes
 *     +0   u32 parent   +4 u32 first child, +8 u32 next sibling (while prefixesTotal's order holds)
 *     +12  u8 bytes of the label, +13 label (LABEL_MAX)
 *     +32  u32 keys, expires   +40 u64 memory, file, elements   +64 u64 memory of keys that do not
 *     expire   +72 u64 payload and +80 u64 memory of small strings, +88 u32 their number
 *     +92  u32 missing   +96 u32 folded   +100 u32 depth: bytes of the whole prefix
 *     +104 u32 keys of each type but the last
 *
 *   Sums are of the keys that end in the node (or were folded into it); prefixesTotal makes them
 *   those of all below it.
 */
import { alloc, free } from '../base/alloc';
import { RdbReader } from '../rdb/input';
import { SHAPE_OTHER, SHAPE_STRING } from './event';
import { facts } from './facts';

export const NODE: usize = 128;
const LABEL_MAX: usize = 19;
const NAME_MAX: usize = 96;
/** Nodes that one name may add: a chain, and a split. */
const NODES_A_NAME: u32 = 8;
/** Strings of at most so many bytes might share a hash. */
export const SMALL_STRING: u64 = 64;

const ROOT: u32 = 1;
let block: usize = 0;
let cap: u32 = 0;
/** Nodes ever used; free ones below are chained by their parent field from `spare`. */
let used: u32 = 0;
let spare: u32 = 0;
let live: u32 = 0;
/** (parent, first byte of the label) -> node, open addressing. */
let table: usize = 0;
let mask: u32 = 0;
/** One u32 a node. */
let scratch: usize = 0;
/** Subtrees of at most so many keys were folded away; 0: none were. */
export let prefixesFolded: u32 = 0;

// @ts-ignore: decorator
@inline
export function prefixNode(n: u32): usize {
  return block + <usize>n * NODE;
}

/** An empty tree of at most `nodes` nodes. False when memory is short. */
export function prefixesBegin(nodes: u32): bool {
  prefixesEnd();
  cap = max<u32>(nodes, 64);
  mask = 64;
  while (mask < cap * 2) mask <<= 1;
  block = alloc((<usize>cap + 1) * NODE);
  table = alloc(<usize>mask << 2);
  scratch = alloc((<usize>cap + 1) << 2);
  if (block == 0 || table == 0 || scratch == 0) {
    prefixesEnd();
    return false;
  }
  memory.fill(table, 0, <usize>mask << 2);
  mask--;
  used = 0;
  spare = 0;
  live = 0;
  prefixesFolded = 0;
  newNode();
  return true;
}

export function prefixesEnd(): void {
  free(block);
  free(table);
  free(scratch);
  block = 0;
  table = 0;
  scratch = 0;
}

function newNode(): u32 {
  let n = spare;
  if (n != 0) spare = load<u32>(prefixNode(n));
  else n = ++used;
  memory.fill(prefixNode(n), 0, NODE);
  live++;
  return n;
}

// ---- the table of children

// @ts-ignore: decorator
@inline
function home(parent: u32, byte: u32): u32 {
  return ((parent << 8 | byte) * 0x9e3779b1) >> 8;
}

/** The place of that child, or the empty one where it would be. */
// @ts-ignore: decorator
@inline
function place(parent: u32, byte: u32): usize {
  let i = home(parent, byte) & mask;
  while (true) {
    const at = table + (<usize>i << 2);
    const n = load<u32>(at);
    if (n == 0) return at;
    const node = prefixNode(n);
    if (load<u32>(node) == parent && load<u8>(node, 13) == <u8>byte) return at;
    i = (i + 1) & mask;
  }
}

// ---- entering a name

/** The current key, with its facts. */
export function prefixesAdd(r: RdbReader): void {
  const at = prefixNode(enter(r.key.ptr, min(r.key.len, NAME_MAX)));
  const bytes = facts.memory;
  store<u32>(at, load<u32>(at, 32) + 1, 32);
  store<u64>(at, load<u64>(at, 40) + bytes, 40);
  store<u64>(at, load<u64>(at, 48) + facts.fileBytes, 48);
  const shape = facts.shape;
  const elements: u64 = shape == SHAPE_STRING ? 1 : facts.count;
  store<u64>(at, load<u64>(at, 56) + elements, 56);
  if (r.hasExpire) store<u32>(at, load<u32>(at, 36) + 1, 36);
  else store<u64>(at, load<u64>(at, 64) + bytes, 64);
  if (shape != SHAPE_OTHER) {
    const type = at + (<usize>shape << 2);
    store<u32>(type, load<u32>(type, 104) + 1, 104);
  }
  if (shape == SHAPE_STRING && facts.count <= SMALL_STRING && !r.hasExpire) {
    store<u64>(at, load<u64>(at, 72) + facts.count + r.key.len, 72);
    store<u64>(at, load<u64>(at, 80) + bytes, 80);
    store<u32>(at, load<u32>(at, 88) + 1, 88);
  }
}

/** The node of a name. */
function enter(ptr: usize, len: usize): u32 {
  if (cap - live < NODES_A_NAME) fold();
  let n = ROOT;
  let i: usize = 0;
  while (i < len) {
    const slot = place(n, load<u8>(ptr + i));
    const child = load<u32>(slot);
    if (child == 0) return chain(n, slot, ptr + i, len - i);
    const node = prefixNode(child);
    const size: usize = load<u8>(node, 12);
    const room = min(size, len - i);
    let same: usize = 1;
    while (same < room && load<u8>(node + 13 + same) == load<u8>(ptr + i + same)) same++;
    n = same == size ? child : split(child, slot, same);
    i += same;
  }
  return n;
}

/** Nodes for the bytes below `parent`; the first one's place is `slot`. */
function chain(parent: u32, slot: usize, ptr: usize, len: usize): u32 {
  let n = parent;
  while (len != 0) {
    const up = prefixNode(n);
    const missing = load<u32>(up, 92) + load<u32>(up, 96);
    const depth = load<u32>(up, 100);
    const take = min(len, LABEL_MAX);
    const child = newNode();
    const at = prefixNode(child);
    store<u32>(at, n);
    store<u8>(at, <u8>take, 12);
    memory.copy(at + 13, ptr, take);
    store<u32>(at, missing, 92);
    store<u32>(at, depth + <u32>take, 100);
    if (slot == 0) slot = place(n, load<u8>(ptr));
    store<u32>(slot, child);
    slot = 0;
    n = child;
    ptr += take;
    len -= take;
  }
  return n;
}

/** A node for the first `size` bytes of the label of `child`, between it and its parent. */
function split(child: u32, slot: usize, size: usize): u32 {
  const mid = newNode();
  const at = prefixNode(mid);
  const node = prefixNode(child);
  const rest = <usize>load<u8>(node, 12) - size;
  store<u32>(at, load<u32>(node));
  store<u8>(at, <u8>size, 12);
  memory.copy(at + 13, node + 13, size);
  // all keys of this prefix went through the child until now
  store<u32>(at, load<u32>(node, 92), 92);
  store<u32>(at, load<u32>(node, 100) - <u32>rest, 100);
  store<u32>(slot, mid);
  store<u32>(node, mid);
  store<u8>(node, <u8>rest, 12);
  memory.copy(node + 13, node + 13 + size, rest);
  store<u32>(place(mid, load<u8>(node, 13)), child);
  return mid;
}

// ---- folding

/** Nodes by depth, deepest first, into `scratch`; their number. */
const counts = memory.data(400, 4);
function byDepth(): u32 {
  memory.fill(counts, 0, 400);
  for (let n: u32 = 1; n <= used; n++) {
    if (load<u8>(prefixNode(n), 12) == 0) continue;
    const at = counts + (<usize>(NAME_MAX - load<u32>(prefixNode(n), 100)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let sum: u32 = 0;
  for (let d: usize = 0; d < NAME_MAX; d++) {
    const at = counts + (d << 2);
    const here = load<u32>(at);
    store<u32>(at, sum);
    sum += here;
  }
  for (let n: u32 = 1; n <= used; n++) {
    if (load<u8>(prefixNode(n), 12) == 0) continue;
    const at = counts + (<usize>(NAME_MAX - load<u32>(prefixNode(n), 100)) << 2);
    store<u32>(scratch + (<usize>load<u32>(at) << 2), n);
    store<u32>(at, load<u32>(at) + 1);
  }
  return sum;
}

function fold(): void {
  let most = max<u32>(prefixesFolded, 1);
  while (true) {
    foldUpTo(most);
    prefixesFolded = most;
    if (live <= cap >> 1 || live <= 2) break;
    most = most * 2;
  }
  rebuild();
}

/**
 * Folds every node with at most `most` keys below it. The field of the first child holds the sum of
 * keys of the children that stay, that of the sibling the most keys folded from one child.
 */
function foldUpTo(most: u32): void {
  const count = byDepth();
  for (let n: u32 = 1; n <= used; n++) {
    store<u32>(prefixNode(n), 0, 4);
    store<u32>(prefixNode(n), 0, 8);
  }
  for (let i: u32 = 0; i < count; i++) {
    const n = load<u32>(scratch + (<usize>i << 2));
    const at = prefixNode(n);
    const up = prefixNode(load<u32>(at));
    const folded = load<u32>(at, 8);
    store<u32>(at, load<u32>(at, 96) + folded, 96);
    const keys = load<u32>(at, 32) + load<u32>(at, 4);
    if (keys > most) {
      store<u32>(up, load<u32>(up, 4) + keys, 4);
      continue;
    }
    addSums(up, at);
    // what was missing at its place before is missing there again
    store<u32>(up, max(load<u32>(up, 8), keys), 8);
    release(n);
  }
  const root = prefixNode(ROOT);
  store<u32>(root, load<u32>(root, 96) + load<u32>(root, 8), 96);
}

function release(n: u32): void {
  const at = prefixNode(n);
  store<u8>(at, 0, 12);
  store<u32>(at, spare);
  spare = n;
  live--;
}

function addSums(to: usize, from: usize): void {
  store<u32>(to, load<u32>(to, 32) + load<u32>(from, 32), 32);
  store<u32>(to, load<u32>(to, 36) + load<u32>(from, 36), 36);
  for (let i: usize = 40; i < 88; i += 8) {
    store<u64>(to + i, load<u64>(to + i) + load<u64>(from + i));
  }
  store<u32>(to, load<u32>(to, 88) + load<u32>(from, 88), 88);
  for (let i: usize = 104; i < 128; i += 4) {
    store<u32>(to + i, load<u32>(to + i) + load<u32>(from + i));
  }
}

/** The table of children anew. */
function rebuild(): void {
  memory.fill(table, 0, (<usize>mask + 1) << 2);
  for (let n: u32 = 2; n <= used; n++) {
    const at = prefixNode(n);
    if (load<u8>(at, 12) == 0) continue;
    store<u32>(place(load<u32>(at), load<u8>(at, 13)), n);
  }
}

// ---- the end

/** Makes all sums totals, and chains children; the tree takes no more names. Returns the root. */
export function prefixesTotal(): u32 {
  const count = byDepth();
  for (let n: u32 = 1; n <= used; n++) {
    store<u32>(prefixNode(n), 0, 4);
    store<u32>(prefixNode(n), 0, 8);
  }
  for (let i: u32 = 0; i < count; i++) {
    const n = load<u32>(scratch + (<usize>i << 2));
    const at = prefixNode(n);
    const up = prefixNode(load<u32>(at));
    addSums(up, at);
    store<u32>(at, load<u32>(up, 4), 8);
    store<u32>(up, n, 4);
  }
  return ROOT;
}

/** Of totals: how many nodes have at least so many keys or so much memory. */
export function prefixesAbove(keys: u32, bytes: u64): u32 {
  let n: u32 = 0;
  for (let i: u32 = 1; i <= used; i++) {
    const at = prefixNode(i);
    if (i != ROOT && load<u8>(at, 12) == 0) continue;
    if (load<u32>(at, 32) >= keys || load<u64>(at, 40) >= bytes) n++;
  }
  return n;
}
