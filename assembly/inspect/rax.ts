/**
 * How many nodes a radix tree of Redis has that holds stream identities, told from the identities
 * in their order: what MEMORY USAGE of a stream counts. Keys are 16 bytes; a node is a run of bytes
 * that all its keys share, a branch (one byte, different), or the end of a key.
 *
 *   key before   ----B------------B-------*      B: branches on its path, kept as a stack
 *   next key     ----B------n                    n: parts from it at byte `shared`
 *                           `-------------*         the run there is cut by a new branch
 */

/** Nodes of the tree so far, and its keys. */
export let raxNodes: u64 = 1;
export let raxKeys: u64 = 0;
let lastHigh: u64 = 0;
let lastLow: u64 = 0;
/** Bytes at which the path of the last key branches, ascending. */
const branches = memory.data(16);
let depth: i32 = 0;

const LAST_BYTE: i32 = 15;

/** An empty tree. */
export function raxBegin(): void {
  raxNodes = 1;
  raxKeys = 0;
  depth = 0;
}

/** The next identity, larger than the one before. */
export function raxAdd(high: u64, low: u64): void {
  raxKeys++;
  if (raxKeys == 1) {
    raxNodes = 2;
  } else {
    const x = high ^ lastHigh;
    const y = low ^ lastLow;
    if (x != 0) part(<i32>(clz<u64>(x) >> 3));
    else if (y != 0) part(8 + <i32>(clz<u64>(y) >> 3));
  }
  lastHigh = high;
  lastLow = low;
}

/** The new key parts from the last one at that byte. */
function part(shared: i32): void {
  let runEnd = LAST_BYTE;
  while (depth > 0 && <i32>load<u8>(branches + depth - 1) > shared) {
    depth--;
    runEnd = <i32>load<u8>(branches + depth) - 1;
  }
  // the rest of the new key, and its end
  raxNodes += shared < LAST_BYTE ? 2 : 1;
  const top: i32 = depth > 0 ? load<u8>(branches + depth - 1) : -1;
  if (top == shared) return;
  if (shared > top + 1) raxNodes++;
  if (runEnd > shared) raxNodes++;
  store<u8>(branches + depth, <u8>shared);
  depth++;
}

/** What MEMORY USAGE counts for the tree. */
export function raxBytes(): u64 {
  return raxNodes * (4 + 30 * 8) + raxKeys * 16;
}
