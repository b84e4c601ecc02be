/**
 * The allocator: every byte of the core's linear memory beyond the static data is handed out here.
 *
 * What it is. Memory is cut in chunks of 64 KiB (one Wasm page). A chunk is either a *slab*, which
 * serves blocks of one size class, or part of a *span*, a run of chunks that serves one large block
 * or waits in a bin. Each chunk has a 16-byte descriptor in one table, so a block carries no header
 * of its own: its class is found from its address (`ptr >>> 16`). An emptied slab goes back to the
 * span bins, where neighbours coalesce, so memory moves freely between classes.
 *
 *   chunk descriptor (16 bytes)
 *   +0 u8  kind     see KIND_*
 *   +1 u8  class    slab: index of the size class
 *   +2 u16 live     slab: blocks handed out
 *   +4 u16 bump     slab: blocks ever handed out; those beyond were never touched
 *   +6 u16 prev     slab: in the list of slabs with room; free span head: in its bin
 *   +8 u16 next     the same
 *   +12 u32 free    slab: first freed block (a list through the blocks' first word)
 *                   span head: length in chunks; span tail: index of its head
 *
 * A few chunks are the *reserve*: only `allocUrgent` gets at them, once there is nothing else. So a
 * core full of data still has replies, takes new clients and runs the DEL that ends its trouble.
 * Slabs made from the reserve serve urgent blocks only (classes CLASS_COUNT and up, of the same
 * sizes), and whatever is freed fills the reserve up again first.
 *
 * What it is not. It never gives memory back to the platform (Wasm cannot), it is not thread-safe,
 * and it knows no limit but the memory itself: `maxmemory` is the keyspace's business.
 *
 * `usedMemory` counts whole blocks (the size class or the span), as zmalloc counts usable sizes.
 * Running out is an ordinary answer: 0, and nothing has changed.
 *
 * Slab lists per class and empty-slab return follow the published design of mimalloc; bins with
 * boundary descriptors are the textbook's (Knuth, TAOCP 1, 2.5).
 */

const CHUNK_SHIFT: usize = 16;
const CHUNK_SIZE: usize = 1 << CHUNK_SHIFT;
/** The last chunk is never used: a pointer one past a block must not wrap to 0. */
const CHUNK_MAX: u32 = 65535;
const DESC_SIZE: usize = 16;

const KIND_SLAB: u8 = 1;
const KIND_LARGE: u8 = 2;
const KIND_FREE: u8 = 3;
const KIND_FREE_TAIL: u8 = 4;
const KIND_RESERVE: u8 = 5;

const OFF_CLASS: usize = 1;
const OFF_LIVE: usize = 2;
const OFF_BUMP: usize = 4;
const OFF_PREV: usize = 6;
const OFF_NEXT: usize = 8;
const OFF_FREE: usize = 12;

/** Blocks up to here come from slabs, larger ones from spans. */
const SMALL_MAX: usize = 32768;
const CLASS_COUNT: u32 = 70;
/** With those of the reserve. */
const CLASS_ALL: u32 = 2 * CLASS_COUNT;
/** Chunks kept back for urgent blocks, at most; less where memory is small. */
const RESERVE_CHUNKS: u32 = 16;
/** Bins 1..31 hold free spans of exactly that many chunks, from 32 on one bin a power of two. */
const BIN_COUNT: u32 = 43;
const EXACT_BINS: u32 = 32;

/** Block size by class. */
const classSizes = memory.data(<i32>CLASS_ALL * 4);
/** Blocks of that class in a chunk. */
const classCaps = memory.data(<i32>CLASS_ALL * 4);
/** First slab with room, by class. */
const classSlabs = memory.data(<i32>CLASS_ALL * 2);
/** Class by (size + 7) >>> 3, for sizes to 1024. */
const classBySize = memory.data(136);
const bins = memory.data(<i32>BIN_COUNT * 2);

/** Address of the descriptor table; it covers the whole 4 GiB and is touched only as used. */
let descBase: usize = 0;
/** First chunk never handed out; all below it have a descriptor. */
let chunkTop: u32 = 0;
/**
 * Chunks that may be used at this moment: `memory.size()` less one. The page behind the last block
 * is never handed out, so a load that looks a little past a block (a prefetching touch, a vector at
 * the end of a string) cannot trap.
 */
let chunkEnd: u32 = 0;
/** Never take chunks beyond this one, whatever the platform would give. */
let chunkLimit: u32 = CHUNK_MAX;
/** Chunks memory grows by beyond what is needed at once, at most. */
let growStepMax: u32 = CHUNK_MAX;

/** The reserve: how many chunks it should have, how many it has, the first (a list). */
let reserveSize: u32 = 0;
let reserveCount: u32 = 0;
let reserveHead: u32 = 0;

/** Bytes handed out, in whole blocks. */
export let usedMemory: usize = 0;
/** The highest `usedMemory` seen when a chunk was taken or `allocNotePeak` ran. */
export let usedMemoryPeak: usize = 0;
/** Bytes of linear memory ever taken by slabs and spans. */
export let heapBytes: usize = 0;
/** Counts down at each allocation in fault builds; at 0 the allocation fails. -1 = off. */
export let allocFaultCountdown: i32 = -1;

// @ts-ignore: decorator
@inline function desc(chunk: u32): usize {
  return descBase + (<usize>chunk << 4);
}

/**
 * Lays out the descriptor table behind the static data. Called once, before anything else; the
 * embedder must have given at least `initialMemory` pages.
 */
export function allocInit(): void {
  if (descBase != 0) return;
  descBase = (__heap_base + 15) & ~15;
  const descEnd = descBase + (<usize>CHUNK_MAX + 1) * DESC_SIZE;
  chunkTop = <u32>((descEnd + CHUNK_SIZE - 1) >>> CHUNK_SHIFT);
  chunkEnd = <u32>memory.size() - 1;
  initClasses();
  for (let chunks = RESERVE_CHUNKS; reserveSize == 0 && chunks > 1; chunks >>>= 1) {
    const first = chunkTop;
    if (!takeFresh(chunks)) continue;
    reserveSize = chunks;
    for (let i: u32 = 0; i < chunks; i++) reserveAdd(first + i);
  }
}

function initClasses(): void {
  let c: u32 = 0;
  for (let s: u32 = 8; s <= 128; s += 8) setClass(c++, s);
  for (let base: u32 = 128; base < 8192; base <<= 1) {
    for (let k: u32 = 1; k <= 8; k++) setClass(c++, base + k * (base >>> 3));
  }
  // From here on the classes are what divides a chunk with little left over.
  for (let n: u32 = 7; n >= 2; n--) setClass(c++, (65536 / n) & ~15);
  // 65536/2 is 32768: the loop above ends at the largest class.
  let cls: u32 = 0;
  for (let i: u32 = 1; i <= 128; i++) {
    while (load<u32>(classSizes + (cls << 2)) < i << 3) cls++;
    store<u8>(classBySize + i, <u8>cls);
  }
}

function setClass(c: u32, size: u32): void {
  store<u32>(classSizes + (c << 2), size);
  store<u32>(classCaps + (c << 2), 65536 / size);
  store<u32>(classSizes + ((c + CLASS_COUNT) << 2), size);
  store<u32>(classCaps + ((c + CLASS_COUNT) << 2), 65536 / size);
}

// @ts-ignore: decorator
@inline function classOf(size: usize): u32 {
  if (size <= 1024) return load<u8>(classBySize + ((size + 7) >>> 3));
  return classOfMedium(<u32>size);
}

function classOfMedium(size: u32): u32 {
  if (size <= 8192) {
    // 8 classes per doubling; class 15 is 128, classes 16..23 are 144..256, and so on.
    const lg: u32 = 31 - clz(size - 1);
    return 16 + ((lg - 7) << 3) + (((size - 1) >>> (lg - 3)) & 7);
  }
  let c: u32 = 64;
  while (load<u32>(classSizes + (c << 2)) < size) c++;
  return c;
}

/**
 * A block of at least `size` bytes, aligned to 8 (to 16 from 144 bytes up when the class is).
 * 0 when memory ran out. May grow memory.
 */
export function alloc(size: usize): usize {
  if (isDefined(ALLOC_FAULTS)) {
    if (allocFaultCountdown >= 0 && allocFaultCountdown-- == 0) return 0;
  }
  return allocBlock(size);
}

/**
 * The same for what is neither data nor part of a client, such as statistics: `usedMemory` does not
 * count it, so that it says what the data set takes. To be given back by `freeAside`.
 */
export function allocAside(size: usize): usize {
  const ptr = allocBlock(size);
  if (ptr != 0) usedMemory -= usableSize(ptr);
  return ptr;
}

/** Gives a block of `allocAside` back; 0 is allowed. */
export function freeAside(ptr: usize): void {
  if (ptr == 0) return;
  usedMemory += usableSize(ptr);
  free(ptr);
}

/**
 * The same for what must not fail because data fill the memory: replies, clients, requests. It may
 * take from the reserve, up to a chunk at once; 0 when that is used up too.
 */
export function allocUrgent(size: usize): usize {
  const ptr = alloc(size);
  if (ptr != 0 || size > CHUNK_SIZE) return ptr;
  if (size <= SMALL_MAX) return allocSmall(CLASS_COUNT + classOf(size == 0 ? 1 : size));
  const chunk = reserveTake();
  if (chunk == 0) return 0;
  setLarge(chunk, 1);
  usedMemory += CHUNK_SIZE;
  return <usize>chunk << CHUNK_SHIFT;
}

/** `realloc`, with `allocUrgent` behind it for exactly `size` bytes. */
export function reallocUrgent(ptr: usize, size: usize): usize {
  const moved = realloc(ptr, size);
  if (moved != 0) return moved;
  const fresh = allocUrgent(size);
  if (fresh == 0) return 0;
  if (ptr != 0) {
    memory.copy(fresh, ptr, min(usableSize(ptr), size));
    free(ptr);
  }
  return fresh;
}

function allocBlock(size: usize): usize {
  return size > SMALL_MAX ? allocLarge(size) : allocSmall(classOf(size == 0 ? 1 : size));
}

/** A block of a class, 0 when memory (the reserve, for its classes) ran out. */
// @ts-ignore: decorator
@inline function allocSmall(cls: u32): usize {
  let chunk: u32 = load<u16>(classSlabs + (cls << 1));
  if (chunk == 0) {
    chunk = newSlab(cls);
    if (chunk == 0) return 0;
  }
  const d = desc(chunk);
  const blockSize = load<u32>(classSizes + (cls << 2));
  let ptr: usize = load<u32>(d, OFF_FREE);
  if (ptr != 0) {
    store<u32>(d, load<u32>(ptr), OFF_FREE);
  } else {
    const bump: u32 = load<u16>(d, OFF_BUMP);
    ptr = (<usize>chunk << CHUNK_SHIFT) + bump * blockSize;
    store<u16>(d, bump + 1, OFF_BUMP);
  }
  const live: u32 = <u32>load<u16>(d, OFF_LIVE) + 1;
  store<u16>(d, live, OFF_LIVE);
  if (live == load<u32>(classCaps + (cls << 2))) slabUnlink(cls, chunk);
  usedMemory += blockSize;
  return ptr;
}

/** Gives a block back; 0 is allowed. */
export function free(ptr: usize): void {
  if (ptr == 0) return;
  const chunk = <u32>(ptr >>> CHUNK_SHIFT);
  const d = desc(chunk);
  if (load<u8>(d) == KIND_LARGE) {
    freeLarge(chunk);
    return;
  }
  const cls: u32 = load<u8>(d, OFF_CLASS);
  store<u32>(ptr, load<u32>(d, OFF_FREE));
  store<u32>(d, <u32>ptr, OFF_FREE);
  const live: u32 = load<u16>(d, OFF_LIVE);
  store<u16>(d, live - 1, OFF_LIVE);
  usedMemory -= load<u32>(classSizes + (cls << 2));
  if (live == load<u32>(classCaps + (cls << 2))) slabLink(cls, chunk);
  if (live == 1) slabRelease(cls, chunk);
}

/** Bytes that may be used at `ptr`: the whole block. */
export function usableSize(ptr: usize): usize {
  const d = desc(<u32>(ptr >>> CHUNK_SHIFT));
  if (load<u8>(d) == KIND_LARGE) return <usize>load<u32>(d, OFF_FREE) << CHUNK_SHIFT;
  return load<u32>(classSizes + (<u32>load<u8>(d, OFF_CLASS) << 2));
}

/** The block size `alloc(size)` would take. */
export function goodSize(size: usize): usize {
  if (size > SMALL_MAX) return (size + CHUNK_SIZE - 1) & ~(CHUNK_SIZE - 1);
  return load<u32>(classSizes + (classOf(size == 0 ? 1 : size) << 2));
}

/**
 * Moves a block to at least `size` bytes, keeping its content up to the smaller size. Returns the
 * block (the same one if its class still fits), or 0: then the old block is untouched. `ptr` 0 is
 * `alloc`. May grow memory.
 */
export function realloc(ptr: usize, size: usize): usize {
  if (ptr == 0) return alloc(size);
  const old = usableSize(ptr);
  if (goodSize(size) == old) return ptr;
  if (size > SMALL_MAX && old > SMALL_MAX && resizeLarge(ptr, size)) return ptr;
  const fresh = alloc(size);
  if (fresh == 0) return 0;
  memory.copy(fresh, ptr, min(old, size));
  free(ptr);
  return fresh;
}

/** Takes note of the peak; the host calls it once per loop turn. */
export function allocNotePeak(): void {
  if (usedMemory > usedMemoryPeak) usedMemoryPeak = usedMemory;
}

/** Forgets the peak (CONFIG RESETSTAT does not; `MEMORY` tests do). */
export function allocResetPeak(): void {
  usedMemoryPeak = usedMemory;
}

/** Sets how many chunks of 64 KiB the core may ever use; allocations beyond answer 0. */
export function allocSetLimit(chunks: u32): void {
  chunkLimit = min(chunks, CHUNK_MAX);
}

/**
 * Memory grows in steps of an eighth, which spares a growing data set most of the calls. Who must
 * stay within a bound whatever the size of one block sets the most of a step here.
 */
export function allocSetGrowStep(chunks: u32): void {
  growStepMax = chunks;
}

/** Bytes that could still be taken without touching the limit, free spans included. */
export function allocHeadroom(): usize {
  const fresh = chunkLimit > chunkTop ? <usize>(chunkLimit - chunkTop) : 0;
  const taken = usedMemory + (<usize>reserveCount << CHUNK_SHIFT);
  return (fresh << CHUNK_SHIFT) + (heapBytes > taken ? heapBytes - taken : 0);
}

// ---- slabs

function slabLink(cls: u32, chunk: u32): void {
  const head: u32 = load<u16>(classSlabs + (cls << 1));
  const d = desc(chunk);
  store<u16>(d, 0, OFF_PREV);
  store<u16>(d, head, OFF_NEXT);
  if (head != 0) store<u16>(desc(head), chunk, OFF_PREV);
  store<u16>(classSlabs + (cls << 1), chunk);
}

function slabUnlink(cls: u32, chunk: u32): void {
  const d = desc(chunk);
  const prev: u32 = load<u16>(d, OFF_PREV);
  const next: u32 = load<u16>(d, OFF_NEXT);
  if (prev != 0) store<u16>(desc(prev), next, OFF_NEXT);
  else store<u16>(classSlabs + (cls << 1), next);
  if (next != 0) store<u16>(desc(next), prev, OFF_PREV);
}

/** A fresh slab for a class whose list is empty; 0 when memory ran out. */
function newSlab(cls: u32): u32 {
  const chunk = cls < CLASS_COUNT ? takeSpan(1) : reserveTake();
  if (chunk == 0) return 0;
  const d = desc(chunk);
  store<u8>(d, KIND_SLAB);
  store<u8>(d, <u8>cls, OFF_CLASS);
  store<u16>(d, 0, OFF_LIVE);
  store<u16>(d, 0, OFF_BUMP);
  store<u32>(d, 0, OFF_FREE);
  slabLink(cls, chunk);
  return chunk;
}

/**
 * An emptied slab returns to the bins, unless it is the only one of its class with room: keeping
 * that one spares a class that hovers around a boundary the constant give and take. The reserve
 * has none to spare.
 */
function slabRelease(cls: u32, chunk: u32): void {
  const d = desc(chunk);
  const isOnly = load<u16>(d, OFF_PREV) == 0 && load<u16>(d, OFF_NEXT) == 0;
  if (isOnly && cls < CLASS_COUNT) return;
  slabUnlink(cls, chunk);
  releaseSpan(chunk, 1);
}

// ---- the reserve

function reserveAdd(chunk: u32): void {
  const d = desc(chunk);
  store<u8>(d, KIND_RESERVE);
  store<u16>(d, reserveHead, OFF_NEXT);
  reserveHead = chunk;
  reserveCount++;
}

/** A chunk of it, 0 = it is used up. */
function reserveTake(): u32 {
  const chunk = reserveHead;
  if (chunk == 0) return 0;
  reserveHead = load<u16>(desc(chunk), OFF_NEXT);
  reserveCount--;
  return chunk;
}

// ---- spans

function allocLarge(size: usize): usize {
  const chunks = <u32>((<u64>size + CHUNK_SIZE - 1) >>> CHUNK_SHIFT);
  if (chunks >= CHUNK_MAX) return 0;
  const chunk = takeSpan(chunks);
  if (chunk == 0) return 0;
  setLarge(chunk, chunks);
  usedMemory += <usize>chunks << CHUNK_SHIFT;
  return <usize>chunk << CHUNK_SHIFT;
}

/** Marks a span as one block; its last chunk must not look free to the block behind it. */
function setLarge(chunk: u32, chunks: u32): void {
  store<u8>(desc(chunk + chunks - 1), KIND_LARGE);
  const d = desc(chunk);
  store<u8>(d, KIND_LARGE);
  store<u32>(d, chunks, OFF_FREE);
}

function freeLarge(chunk: u32): void {
  const chunks = load<u32>(desc(chunk), OFF_FREE);
  usedMemory -= <usize>chunks << CHUNK_SHIFT;
  releaseSpan(chunk, chunks);
}

/** Shrinks a large block, or extends it into free chunks behind it. False: not possible here. */
function resizeLarge(ptr: usize, size: usize): bool {
  const chunk = <u32>(ptr >>> CHUNK_SHIFT);
  const d = desc(chunk);
  const have = load<u32>(d, OFF_FREE);
  const want = <u32>((<u64>size + CHUNK_SIZE - 1) >>> CHUNK_SHIFT);
  if (want < have) {
    setLarge(chunk, want);
    usedMemory -= <usize>(have - want) << CHUNK_SHIFT;
    releaseSpan(chunk + want, have - want);
    return true;
  }
  const more = want - have;
  const behind = chunk + have;
  if (behind == chunkTop) {
    if (!takeFresh(more)) return false;
  } else {
    const b = desc(behind);
    if (behind > chunkTop || load<u8>(b) != KIND_FREE) return false;
    const room = load<u32>(b, OFF_FREE);
    if (room < more) return false;
    binRemove(behind);
    if (room > more) binInsert(behind + more, room - more);
  }
  setLarge(chunk, want);
  usedMemory += <usize>more << CHUNK_SHIFT;
  return true;
}

// @ts-ignore: decorator
@inline function binOf(chunks: u32): u32 {
  return chunks < EXACT_BINS ? chunks : EXACT_BINS + (31 - clz(chunks)) - 5;
}

function binInsert(chunk: u32, chunks: u32): void {
  const d = desc(chunk);
  store<u8>(d, KIND_FREE);
  store<u32>(d, chunks, OFF_FREE);
  if (chunks > 1) {
    const t = desc(chunk + chunks - 1);
    store<u8>(t, KIND_FREE_TAIL);
    store<u32>(t, chunk, OFF_FREE);
  }
  const slot = bins + (binOf(chunks) << 1);
  const head: u32 = load<u16>(slot);
  store<u16>(d, 0, OFF_PREV);
  store<u16>(d, head, OFF_NEXT);
  if (head != 0) store<u16>(desc(head), chunk, OFF_PREV);
  store<u16>(slot, chunk);
}

function binRemove(chunk: u32): void {
  const d = desc(chunk);
  const prev: u32 = load<u16>(d, OFF_PREV);
  const next: u32 = load<u16>(d, OFF_NEXT);
  if (prev != 0) store<u16>(desc(prev), next, OFF_NEXT);
  else store<u16>(bins + (binOf(load<u32>(d, OFF_FREE)) << 1), next);
  if (next != 0) store<u16>(desc(next), prev, OFF_PREV);
}

/** Extends the used part of memory by `chunks`; growing in larger steps where it must grow. */
function takeFresh(chunks: u32): bool {
  if (<u64>chunkTop + chunks > chunkLimit) return false;
  const end = chunkTop + chunks;
  if (end > chunkEnd) {
    const need = end - chunkEnd;
    const step = min(max<u32>(64, min(chunkEnd >>> 3, growStepMax)), chunkLimit - chunkEnd);
    if (memory.grow(<i32>max(step, need)) < 0 && memory.grow(<i32>need) < 0) return false;
    chunkEnd = <u32>memory.size() - 1;
  }
  chunkTop = end;
  heapBytes += <usize>chunks << CHUNK_SHIFT;
  return true;
}

/** A run of chunks whose descriptors the caller sets; 0 when there is none. */
function takeSpan(chunks: u32): u32 {
  const span = findSpan(chunks);
  if (span != 0) return span;
  const fresh = chunkTop;
  allocNotePeak();
  if (takeFresh(chunks)) return fresh;
  return releaseIdleSlabs() ? findSpan(chunks) : 0;
}

/** Near the end of memory the empty slabs that classes keep go back; false: there were none. */
function releaseIdleSlabs(): bool {
  let any = false;
  for (let cls: u32 = 0; cls < CLASS_COUNT; cls++) {
    const chunk: u32 = load<u16>(classSlabs + (cls << 1));
    if (chunk == 0 || load<u16>(desc(chunk), OFF_LIVE) != 0) continue;
    slabUnlink(cls, chunk);
    releaseSpan(chunk, 1);
    any = true;
  }
  return any;
}

function findSpan(chunks: u32): u32 {
  for (let bin = binOf(chunks); bin < BIN_COUNT; bin++) {
    let at: u32 = load<u16>(bins + (bin << 1));
    while (at != 0) {
      const have = load<u32>(desc(at), OFF_FREE);
      if (have >= chunks) {
        binRemove(at);
        if (have > chunks) binInsert(at + chunks, have - chunks);
        return at;
      }
      at = load<u16>(desc(at), OFF_NEXT);
    }
  }
  return 0;
}

function releaseSpan(chunk: u32, chunks: u32): void {
  allocNotePeak();
  while (reserveCount < reserveSize && chunks != 0) {
    reserveAdd(chunk++);
    chunks--;
  }
  if (chunks == 0) return;
  const behind = chunk + chunks;
  if (behind < chunkTop && load<u8>(desc(behind)) == KIND_FREE) {
    const more = load<u32>(desc(behind), OFF_FREE);
    binRemove(behind);
    chunks += more;
  }
  const before = desc(chunk - 1);
  const kind = load<u8>(before);
  if (kind == KIND_FREE || kind == KIND_FREE_TAIL) {
    const head = kind == KIND_FREE ? chunk - 1 : load<u32>(before, OFF_FREE);
    binRemove(head);
    chunks += chunk - head;
    chunk = head;
  }
  binInsert(chunk, chunks);
}
