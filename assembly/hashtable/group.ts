/**
 * A group: one cache line of the table, probed at once.
 *
 *   +0  12 x u8  tags      a byte of the hash, never 0; 0 = the slot is empty
 *   +12 u16      foreign   bit i: the item in slot i has its home in an earlier group
 *   +14 u8       overflow  how many items have probed past this group (255 = many, sticky)
 *   +15 u8       unused
 *   +16 12 x u32 items     addresses
 *
 * Matching compares all tags in one v128 operation, or in two words where the module was built
 * without SIMD; both answer the same bits. The layout follows Valkey's 64-byte bucket in spirit and
 * F14's overflow counters (Facebook, 2019), which let deletions leave no tombstones.
 */

export const GROUP_SIZE: usize = 64;
export const GROUP_SLOTS: u32 = 12;
export const GROUP_MASK: u32 = (1 << GROUP_SLOTS) - 1;

const OFF_FOREIGN: usize = 12;
const OFF_OVERFLOW: usize = 14;
const OFF_ITEMS: usize = 16;
const OVERFLOW_STICKY: u32 = 255;

const LOW7: u64 = 0x7f7f7f7f7f7f7f7f;

/** One bit for each byte of `x` that is zero, exactly. */
// @ts-ignore: decorator
@inline function zeroBytes(x: u64): u32 {
  const z = ~(((x & LOW7) + LOW7) | x | LOW7);
  return <u32>(((z >>> 7) * 0x0102040810204080) >>> 56) & 0xff;
}

/** Bits of the slots whose tag is `tag`; 0 finds the empty ones. */
// @ts-ignore: decorator
@inline export function groupMatch(group: usize, tag: u32): u32 {
  if (ASC_FEATURE_SIMD) {
    const eq = i8x16.eq(v128.load(group), i8x16.splat(<i8>tag));
    return <u32>i8x16.bitmask(eq) & GROUP_MASK;
  }
  const splat: u64 = <u64>tag * 0x0101010101010101;
  const low = zeroBytes(load<u64>(group) ^ splat);
  const high = zeroBytes((<u64>load<u32>(group + 8) ^ (splat & 0xffffffff)) | 0xff00000000);
  return (low | (high << 8)) & GROUP_MASK;
}

/** Bits of the slots in use. */
// @ts-ignore: decorator
@inline export function groupUsed(group: usize): u32 {
  return ~groupMatch(group, 0) & GROUP_MASK;
}

// @ts-ignore: decorator
@inline export function groupSlot(group: usize, index: u32): usize {
  return group + OFF_ITEMS + (<usize>index << 2);
}

// @ts-ignore: decorator
@inline export function groupOverflow(group: usize): u32 {
  return load<u8>(group, OFF_OVERFLOW);
}

// @ts-ignore: decorator
@inline export function groupForeign(group: usize): u32 {
  return load<u16>(group, OFF_FOREIGN);
}

/** Notes that one more item probes past this group. */
// @ts-ignore: decorator
@inline export function groupPass(group: usize): void {
  const n = groupOverflow(group);
  if (n < OVERFLOW_STICKY) store<u8>(group, <u8>(n + 1), OFF_OVERFLOW);
}

/** Notes that one that did is gone. */
// @ts-ignore: decorator
@inline export function groupUnpass(group: usize): void {
  const n = groupOverflow(group);
  if (n < OVERFLOW_STICKY) store<u8>(group, <u8>(n - 1), OFF_OVERFLOW);
}

/** Takes slot `index` for an item with that tag; the caller stores the item's address. */
// @ts-ignore: decorator
@inline export function groupTake(group: usize, index: u32, tag: u32, foreign: bool): void {
  store<u8>(group + index, <u8>tag);
  if (foreign) store<u16>(group, <u16>(groupForeign(group) | (1 << index)), OFF_FOREIGN);
}

/** Empties slot `index`. */
// @ts-ignore: decorator
@inline export function groupClear(group: usize, index: u32): void {
  store<u8>(group + index, 0);
  store<u16>(group, <u16>(groupForeign(group) & ~(1 << index)), OFF_FOREIGN);
}
