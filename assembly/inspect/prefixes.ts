/**
 * What names have in common: a tree of their beginnings with counts, in a fixed number of nodes.
 *
 * Every name is entered up to NAME_MAX bytes. When the nodes are used up, parts of the tree with
 * few keys are folded into the node above them, the fewest first, until half is free. From then on
 * a beginning has to be met ADMIT times between two foldings before it gets a node; the keys before
 * count for the node above. So a node never counts a foreign key, and lacks at most as many as
 * passed at its place before it came (back) to be: `missing` says how many that can be. Nothing is
 * lost while there are enough nodes. (Lossy counting over a hierarchy, with exact bounds kept.)
 *
 *   node    +0 u32 parent, +4 u16 depth: bytes of the whole prefix, +6 u8 bytes of the label
 *           (0: unused, or the root), +7 label (LABEL_MAX)
 *   sums    +0 u32 keys, expires   +8 u64 memory, file bytes, elements, memory of keys that do not
 *           expire, payload and memory of small strings   +56 u32 number of small strings, missing,
 *           folded: keys that may have been lost at one place below   +68 u32 keys of each type
 *           but the last   +92 u32 first child, next sibling (while prefixesTotal's order holds)
 *           +100 u32 strayed: keys that left within the label and got no node; passed: keys that
 *           went on from here and got none
 *
 *   Sums are of the keys that end in the node (or were folded into it); prefixesTotal makes them
 *   those of all below it.
 */
import { alloc, free } from '../base/alloc';
import { RdbReader } from '../rdb/input';
import { SHAPE_OTHER, SHAPE_STRING } from './event';
import { facts } from './facts';

const NODE: usize = 32;
const SUMS: usize = 112;
const LABEL_MAX: usize = 25;
const NAME_MAX: usize = 96;
/** Nodes that one name may add: a chain, and a split. */
const NODES_A_NAME: u32 = 8;
/** Strings of at most so many bytes might share a hash. */
export const SMALL_STRING: u64 = 64;
const ADMIT: u32 = 4;

const ROOT: u32 = 1;
let nodes: usize = 0;
let sums: usize = 0;
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
/** How often a beginning without a node was met, by hash: u8 each. */
let met: usize = 0;
const MET: u32 = 1 << 16;
/** Subtrees of at most so many keys were folded away; 0: none were. */
export let prefixesFolded: u32 = 0;

// @ts-ignore: decorator
@inline
function node(n: u32): usize {
  return nodes + <usize>n * NODE;
}
// @ts-ignore: decorator
@inline
export function prefixSums(n: u32): usize {
  return sums + <usize>n * SUMS;
}
export function prefixParent(n: u32): u32 {
  return load<u32>(node(n));
}
export function prefixLabel(n: u32): usize {
  return node(n) + 7;
}
export function prefixLabelLen(n: u32): usize {
  return load<u8>(node(n), 6);
}

/** An empty tree of at most `nodes` nodes. False when memory is short. */
export function prefixesBegin(most: u32): bool {
  prefixesEnd();
  cap = max<u32>(most, 64);
  mask = 64;
  while (mask < cap * 2) mask <<= 1;
  nodes = alloc((<usize>cap + 1) * NODE);
  sums = alloc((<usize>cap + 1) * SUMS);
  table = alloc(<usize>mask << 2);
  scratch = alloc((<usize>cap + 1) << 2);
  met = alloc(MET);
  if (nodes == 0 || sums == 0 || table == 0 || scratch == 0 || met == 0) {
    prefixesEnd();
    return false;
  }
  memory.fill(table, 0, <usize>mask << 2);
  memory.fill(met, 0, MET);
  mask--;
  used = 0;
  spare = 0;
  live = 0;
  prefixesFolded = 0;
  newNode();
  return true;
}

export function prefixesEnd(): void {
  free(nodes);
  free(sums);
  free(table);
  free(scratch);
  free(met);
  nodes = 0;
  sums = 0;
  table = 0;
  scratch = 0;
  met = 0;
}

function newNode(): u32 {
  let n = spare;
  if (n != 0) spare = load<u32>(node(n));
  else n = ++used;
  const at = node(n);
  for (let i: usize = 0; i < NODE; i += 8) store<u64>(at + i, 0);
  const s = prefixSums(n);
  for (let i: usize = 0; i < SUMS; i += 8) store<u64>(s + i, 0);
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
    const it = node(n);
    if (load<u32>(it) == parent && load<u8>(it, 7) == <u8>byte) return at;
    i = (i + 1) & mask;
  }
}

// ---- entering a name

/** The current key, with its facts. */
export function prefixesAdd(r: RdbReader): void {
  const at = prefixSums(enter(r.key.ptr, min(r.key.len, NAME_MAX)));
  const bytes = facts.memory;
  const shape = facts.shape;
  const elements: u64 = shape == SHAPE_STRING ? 1 : facts.count;
  store<u32>(at, load<u32>(at) + 1);
  store<u64>(at, load<u64>(at, 8) + bytes, 8);
  store<u64>(at, load<u64>(at, 16) + facts.fileBytes, 16);
  store<u64>(at, load<u64>(at, 24) + elements, 24);
  if (r.hasExpire) store<u32>(at, load<u32>(at, 4) + 1, 4);
  else store<u64>(at, load<u64>(at, 32) + bytes, 32);
  if (shape != SHAPE_OTHER) {
    const type = at + (<usize>shape << 2);
    store<u32>(type, load<u32>(type, 68) + 1, 68);
  }
  if (shape == SHAPE_STRING && facts.count <= SMALL_STRING && !r.hasExpire) {
    store<u64>(at, load<u64>(at, 40) + facts.count + r.key.len, 40);
    store<u64>(at, load<u64>(at, 48) + bytes, 48);
    store<u32>(at, load<u32>(at, 56) + 1, 56);
  }
}

/** The node that a name counts for. */
function enter(ptr: usize, len: usize): u32 {
  if (cap - live < NODES_A_NAME) fold();
  let n = ROOT;
  let i: usize = 0;
  while (i < len) {
    const byte: u32 = load<u8>(ptr + i);
    const slot = place(n, byte);
    const child = load<u32>(slot);
    if (child == 0) {
      if (isAdmitted(n, byte)) return chain(n, slot, ptr + i, len - i);
      const passed = prefixSums(n);
      store<u32>(passed, load<u32>(passed, 104) + 1, 104);
      return n;
    }
    const it = node(child);
    const size: usize = load<u8>(it, 6);
    const room = min(size, len - i);
    let same: usize = 1;
    while (same < room && load<u8>(it + 7 + same) == load<u8>(ptr + i + same)) same++;
    i += same;
    if (same != size) {
      // the name ends here, or goes another way: it gets a node if there is one for its beginning
      if (i < len && !isAdmitted(child, <u32>same << 8 | load<u8>(ptr + i))) {
        const strayed = prefixSums(child);
        store<u32>(strayed, load<u32>(strayed, 100) + 1, 100);
        return n;
      }
      n = split(child, slot, same);
    } else {
      n = child;
    }
  }
  return n;
}

/** Whether a beginning may have a node; a few keys have to ask for it once nodes are short. */
// @ts-ignore: decorator
@inline
function isAdmitted(parent: u32, byte: u32): bool {
  if (prefixesFolded == 0) return true;
  const at = met + <usize>(home(parent, byte) & (MET - 1));
  const times: u32 = load<u8>(at) + 1;
  store<u8>(at, <u8>times);
  if (times < ADMIT) return false;
  store<u8>(at, 0);
  return true;
}

/** Nodes for the bytes below `parent`; the first one's place is `slot`. */
function chain(parent: u32, slot: usize, ptr: usize, len: usize): u32 {
  let n = parent;
  const up = prefixSums(parent);
  const missing = load<u32>(up, 60) + load<u32>(up, 64) + load<u32>(up, 104);
  while (len != 0) {
    const depth: u32 = load<u16>(node(n), 4);
    const take = min(len, LABEL_MAX);
    const child = newNode();
    const at = node(child);
    store<u32>(at, n);
    store<u16>(at, <u16>(depth + <u32>take), 4);
    store<u8>(at, <u8>take, 6);
    for (let i: usize = 0; i < take; i++) store<u8>(at + 7 + i, load<u8>(ptr + i));
    store<u32>(prefixSums(child), missing, 60);
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
  const at = node(mid);
  const it = node(child);
  const rest = <usize>load<u8>(it, 6) - size;
  store<u32>(at, load<u32>(it));
  store<u16>(at, <u16>(load<u16>(it, 4) - <u16>rest), 4);
  store<u8>(at, <u8>size, 6);
  memory.copy(at + 7, it + 7, size);
  // all keys of this prefix went through the child until now, but those that strayed
  const below = prefixSums(child);
  store<u32>(prefixSums(mid), load<u32>(below, 60) + load<u32>(below, 100), 60);
  store<u32>(prefixSums(mid), load<u32>(below, 100), 100);
  store<u32>(slot, mid);
  store<u32>(it, mid);
  store<u8>(it, <u8>rest, 6);
  memory.copy(it + 7, it + 7 + size, rest);
  store<u32>(place(mid, load<u8>(it, 7)), child);
  return mid;
}

// ---- folding

/** Nodes by depth, deepest first, into `scratch`; their number. */
const counts = memory.data(400, 4);
function byDepth(): u32 {
  memory.fill(counts, 0, 400);
  for (let n: u32 = 2; n <= used; n++) {
    if (load<u8>(node(n), 6) == 0) continue;
    const at = counts + ((NAME_MAX - <usize>load<u16>(node(n), 4)) << 2);
    store<u32>(at, load<u32>(at) + 1);
  }
  let sum: u32 = 0;
  for (let d: usize = 0; d < NAME_MAX; d++) {
    const at = counts + (d << 2);
    const here = load<u32>(at);
    store<u32>(at, sum);
    sum += here;
  }
  for (let n: u32 = 2; n <= used; n++) {
    if (load<u8>(node(n), 6) == 0) continue;
    const at = counts + ((NAME_MAX - <usize>load<u16>(node(n), 4)) << 2);
    store<u32>(scratch + (<usize>load<u32>(at) << 2), n);
    store<u32>(at, load<u32>(at) + 1);
  }
  for (let n: u32 = 1; n <= used; n++) store<u64>(prefixSums(n), 0, 92);
  return sum;
}

function fold(): void {
  let most = max<u32>(prefixesFolded, 1);
  foldUpTo(most);
  while (live > cap >> 1 && most < 1 << 30) {
    most = most * 2;
    foldUpTo(most);
  }
  prefixesFolded = most;
  memory.fill(met, 0, MET);
  rebuild();
}

/**
 * Folds every node with at most `most` keys below it. The field of the first child holds the sum of
 * keys of the children that stay, that of the sibling the most keys folded from one child.
 */
function foldUpTo(most: u32): void {
  const count = byDepth();
  for (let i: u32 = 0; i < count; i++) {
    const n = load<u32>(scratch + (<usize>i << 2));
    const at = prefixSums(n);
    const up = prefixSums(load<u32>(node(n)));
    store<u32>(at, load<u32>(at, 64) + load<u32>(at, 96), 64);
    const keys = load<u32>(at) + load<u32>(at, 92);
    if (keys > most) {
      store<u32>(up, load<u32>(up, 92) + keys, 92);
      continue;
    }
    addSums(up, at);
    store<u32>(up, max(load<u32>(up, 96), keys + load<u32>(at, 100)), 96);
    store<u8>(node(n), 0, 6);
    store<u32>(node(n), spare);
    spare = n;
    live--;
  }
  const root = prefixSums(ROOT);
  store<u32>(root, load<u32>(root, 64) + load<u32>(root, 96), 64);
}

function addSums(to: usize, from: usize): void {
  store<u32>(to, load<u32>(to) + load<u32>(from));
  store<u32>(to, load<u32>(to, 4) + load<u32>(from, 4), 4);
  for (let i: usize = 8; i < 56; i += 8) {
    store<u64>(to + i, load<u64>(to + i) + load<u64>(from + i));
  }
  store<u32>(to, load<u32>(to, 56) + load<u32>(from, 56), 56);
  for (let i: usize = 68; i < 92; i += 4) {
    store<u32>(to + i, load<u32>(to + i) + load<u32>(from + i));
  }
}

/** The table of children anew. */
function rebuild(): void {
  memory.fill(table, 0, (<usize>mask + 1) << 2);
  for (let n: u32 = 2; n <= used; n++) {
    const at = node(n);
    if (load<u8>(at, 6) == 0) continue;
    store<u32>(place(load<u32>(at), load<u8>(at, 7)), n);
  }
}

// ---- the end

/** Makes all sums totals, and chains children; the tree takes no more names. Returns the root. */
export function prefixesTotal(): u32 {
  const count = byDepth();
  for (let i: u32 = 0; i < count; i++) {
    const n = load<u32>(scratch + (<usize>i << 2));
    const at = prefixSums(n);
    const up = prefixSums(load<u32>(node(n)));
    addSums(up, at);
    store<u32>(at, load<u32>(up, 92), 96);
    store<u32>(up, n, 92);
  }
  return ROOT;
}

/** Of totals: how many nodes have at least so many keys or so much memory. */
export function prefixesAbove(keys: u32, bytes: u64): u32 {
  let n: u32 = 0;
  for (let i: u32 = 1; i <= used; i++) {
    const at = prefixSums(i);
    if (i != ROOT && load<u8>(node(i), 6) == 0) continue;
    if (load<u32>(at) >= keys || load<u64>(at, 8) >= bytes) n++;
  }
  return n;
}
