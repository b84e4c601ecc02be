// Stand-in for base/alloc in these tests: strict where the real one is fast. Blocks carry a red
// zone that is checked on free and realloc, freed bytes are poisoned, and any allocation can be
// made to fail. Layout: [size u32][cap u32] payload [8 bytes 0xFD].

const HEAD: usize = 8;
const ZONE: u64 = 0xfdfdfdfdfdfdfdfd;
let top: usize = 0;
const lists: usize = memory.data(33 * 4);

/** Allocations left until every further one fails; -1 never. */
let budget: i32 = -1;
/** Blocks alive. */
let live: i32 = 0;
/** Red zones found broken. */
let broken: i32 = 0;

export function testBudget(count: i32): void {
  budget = count;
}
export function testLive(): i32 {
  return live;
}
export function testBroken(): i32 {
  return broken;
}

function classOf(size: usize): u32 {
  return 32 - clz<u32>(<u32>(size < 16 ? 15 : size - 1));
}

export function alloc(size: usize): usize {
  if (size > 0x3fffffff) return 0;
  if (budget == 0) return 0;
  if (budget > 0) budget--;
  const cls = classOf(size);
  const cap: usize = (<usize>1) << cls;
  let block: usize = load<u32>(lists + (cls << 2));
  if (block != 0) {
    store<u32>(lists + (cls << 2), load<u32>(block + HEAD));
  } else {
    if (top == 0) top = (__heap_base + 7) & ~7;
    block = top;
    const next = top + HEAD + cap + 8;
    const pages = (next + 65535) >>> 16;
    if (pages > <usize>memory.size() && memory.grow(<i32>pages - memory.size()) < 0) return 0;
    top = next;
  }
  // Usable is the size rounded up to 8 and a little: enough to see both slack and moves.
  const usable = (size + 7) & ~7;
  store<u32>(block, <u32>usable);
  store<u32>(block, cls, 4);
  store<u64>(block + HEAD + usable, ZONE);
  memory.fill(block + HEAD, 0xcd, usable);
  live++;
  return block + HEAD;
}

export function usableSize(ptr: usize): usize {
  return load<u32>(ptr - HEAD);
}

export function free(ptr: usize): void {
  if (ptr == 0) return;
  const block = ptr - HEAD;
  const usable: usize = load<u32>(block);
  if (load<u64>(ptr + usable) != ZONE) broken++;
  const cls = load<u32>(block, 4);
  memory.fill(ptr, 0xdd, usable);
  store<u32>(ptr, load<u32>(lists + (cls << 2)));
  store<u32>(lists + (cls << 2), <u32>block);
  live--;
}

export function realloc(ptr: usize, size: usize): usize {
  if (ptr == 0) return alloc(size);
  const fresh = alloc(size);
  if (fresh == 0) return 0;
  const old = usableSize(ptr);
  memory.copy(fresh, ptr, old < size ? old : size);
  free(ptr);
  return fresh;
}
