// The allocator under random load: blocks never overlap, keep their content over realloc, come
// from a small memory again and again, and every failure is an ordinary 0.

import { describe, expect, test } from 'vitest';
import { Prng, runSeed } from '../../support/prng.js';
import { Bare, SIMD } from './table-support.js';

const seed = runSeed();
const note = `RESPITE_SEED=${seed}`;

interface Block {
  ptr: number;
  size: number;
  usable: number;
  mark: number;
}

/** Random take, give and resize with marks at both ends of every block. */
class Load {
  readonly blocks: Block[] = [];
  failures = 0;
  #mark = 1;

  constructor(
    readonly bare: Bare,
    readonly prng: Prng,
    readonly largest: number,
  ) {}

  #write(block: Block): void {
    const bytes = new Uint8Array(this.bare.memory.buffer, block.ptr, block.usable);
    bytes[0] = block.mark & 255;
    bytes[block.size - 1] = block.mark & 255;
    bytes[block.usable - 1] = block.mark & 255;
    if (block.usable >= 16) {
      new DataView(this.bare.memory.buffer).setUint32(block.ptr + 4, block.mark, true);
    }
  }

  check(block: Block, size = block.size): void {
    const bytes = new Uint8Array(this.bare.memory.buffer, block.ptr, block.usable);
    const wanted = block.mark & 255;
    const whole =
      bytes[0] === wanted &&
      (size < block.size || bytes[size - 1] === wanted) &&
      (block.usable < 16 ||
        new DataView(this.bare.memory.buffer).getUint32(block.ptr + 4, true) === block.mark);
    if (!whole) throw new Error(`block of ${block.size} at ${block.ptr} is damaged, ${note}`);
  }

  #size(): number {
    const kind = this.prng.below(100);
    if (kind < 70) return 1 + this.prng.below(600);
    if (kind < 92) return 1 + this.prng.below(40000);
    return 1 + this.prng.below(this.largest);
  }

  take(): void {
    const size = this.#size();
    const ptr = this.bare.x.take!(size) >>> 0;
    if (ptr === 0) {
      this.failures++;
      return;
    }
    if (ptr & 7) throw new Error(`unaligned ${ptr}`);
    const usable = this.bare.x.usable!(ptr) >>> 0;
    if (usable < size) throw new Error(`usable ${usable} of ${size}`);
    const block = { ptr, size, usable, mark: this.#mark++ };
    this.#write(block);
    this.blocks.push(block);
  }

  give(): void {
    if (this.blocks.length === 0) return;
    const at = this.prng.below(this.blocks.length);
    const block = this.blocks[at]!;
    this.check(block);
    this.bare.x.give!(block.ptr);
    this.blocks[at] = this.blocks[this.blocks.length - 1]!;
    this.blocks.pop();
  }

  resize(): void {
    if (this.blocks.length === 0) return;
    const block = this.blocks[this.prng.below(this.blocks.length)]!;
    const size = this.#size();
    const ptr = this.bare.x.resize!(block.ptr, size) >>> 0;
    if (ptr === 0) {
      this.failures++;
      this.check(block);
      return;
    }
    const kept = Math.min(size, block.size);
    const old = { ...block };
    block.ptr = ptr;
    block.usable = this.bare.x.usable!(ptr) >>> 0;
    if (kept >= 16)
      this.check({ ...block, size: old.size, usable: Math.min(block.usable, old.usable) }, kept);
    block.size = size;
    this.#write(block);
  }

  overlaps(): void {
    const order = [...this.blocks].sort((a, b) => a.ptr - b.ptr);
    for (let i = 1; i < order.length; i++) {
      const before = order[i - 1]!;
      if (before.ptr + before.usable > order[i]!.ptr) {
        throw new Error(`${before.size} at ${before.ptr} overlaps ${order[i]!.ptr}, ${note}`);
      }
    }
    const end = this.bare.memory.buffer.byteLength - 65536;
    const last = order[order.length - 1];
    if (last && last.ptr + last.usable > end) throw new Error('the guard page was handed out');
    const sum = this.blocks.reduce((total, block) => total + block.usable, 0);
    expect(this.bare.x.used!() >>> 0, note).toBe(sum);
  }

  run(ops: number, takes: number, gives: number): void {
    for (let i = 0; i < ops; i++) {
      const kind = this.prng.below(100);
      if (kind < takes) this.take();
      else if (kind < takes + gives) this.give();
      else this.resize();
    }
    this.overlaps();
  }

  empty(): void {
    while (this.blocks.length > 0) this.give();
    expect(this.bare.x.used!()).toBe(0);
  }
}

describe('allocator', () => {
  test('random load in a reserved memory', () => {
    const load = new Load(new Bare(SIMD, 1, 4096), new Prng(seed), 1 << 19);
    for (let round = 0; round < 6; round++) {
      load.run(6000, 55, 25);
      load.run(6000, 25, 55);
    }
    load.empty();
  });

  test.each([33, 40, 80, 300])('growing to at most %i pages: failures are zeros', (pages) => {
    const load = new Load(new Bare(SIMD, 1, 32, pages), new Prng(seed + pages), 1 << 20);
    for (let round = 0; round < 4; round++) {
      load.run(4000, 70, 10);
      load.run(4000, 15, 60);
    }
    expect(load.failures).toBeGreaterThan(0);
    load.empty();
    expect(load.bare.memory.buffer.byteLength).toBeLessThanOrEqual(pages * 65536);
  });

  test('freed neighbours become one span again', () => {
    const { x } = new Bare(SIMD, 1, 512);
    const blocks = Array.from({ length: 100 }, () => x.take!(65536) >>> 0);
    const top = x.heap!();
    const order = new Prng(seed);
    for (let left = blocks.length; left > 0; left--) {
      const at = order.below(left);
      x.give!(blocks[at]!);
      blocks[at] = blocks[left - 1]!;
    }
    const whole = x.take!(100 * 65536);
    expect(whole).not.toBe(0);
    expect(x.heap!()).toBe(top);
  });

  test('slabs of one class serve another when memory is short', () => {
    const { x } = new Bare(SIMD, 1, 32, 48);
    for (const size of [8, 100, 1000, 10000, 60000, 200000, 16, 3000]) {
      const blocks: number[] = [];
      for (let ptr = x.take!(size); ptr !== 0; ptr = x.take!(size)) blocks.push(ptr);
      expect(blocks.length * size).toBeGreaterThan(400000);
      for (const ptr of blocks) x.give!(ptr);
      expect(x.used!()).toBe(0);
    }
  });

  test('sizes beyond all memory', () => {
    const { x } = new Bare(SIMD, 1, 512);
    for (const size of [0x7fffffff, 0x80000000, 0xffff0000, 0xfffffff8, 0xffffffff]) {
      expect(x.take!(size | 0)).toBe(0);
    }
    const ptr = x.take!(100);
    for (const size of [0x7fffffff, 0xffffffff]) expect(x.resize!(ptr, size | 0)).toBe(0);
    expect(x.usable!(ptr)).toBeGreaterThanOrEqual(100);
  });

  test('items keep key and value over any change of shape', () => {
    const bare = new Bare(SIMD, 1, 512);
    const { x } = bare;
    const prng = new Prng(seed);
    const OFFSETS = (flags: number, long: boolean) =>
      4 + 4 * [1, 4].filter((f) => flags & f).length + (long ? 4 : 0) + (flags & 8);
    for (let i = 0; i < 3000; i++) {
      const len = prng.pick([0, 1, 7, 16, 253, 254, 255, 256, 1000]);
      const inline = prng.below(60);
      const long = len >= 255;
      let flags = prng.below(16) & ~2;
      let ptr = x.item!(flags | 16, len, i & 255, inline) >>> 0;
      flags |= 16;
      for (let k = 0; k < 4; k++) {
        const bytes = new Uint8Array(bare.memory.buffer, ptr + OFFSETS(flags, long), len);
        if (!bytes.every((b) => b === (i & 255))) throw new Error(`key lost, ${note}`);
        flags = (prng.below(16) & ~2) | 16;
        ptr = x.reshape!(ptr, flags | (long ? 2 : 0)) >>> 0;
      }
      x.give!(ptr);
    }
    expect(x.used!()).toBe(0);
  });
});
