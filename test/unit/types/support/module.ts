// Compiles the types (with injectable allocation failures) and wraps one instance of them.

import { compileWasm, FAULTS } from '../../../support/compile.js';

// biome-ignore lint/suspicious/noExplicitAny: raw exports take numbers and bigints alike
type Fn = (...args: any[]) => any;
export type Raw = Record<string, Fn>;

export const LIST = 1;
export const SET = 2;
export const ZSET = 3;
export const HASH = 4;
export const ENC = { ht: 2, intset: 6, skiplist: 7, quicklist: 9, listpack: 11, listpackEx: 12 };

/** LIMIT_* of limits.ts. */
export const LIMIT = {
  listSize: 0,
  listPacked: 2,
  hashEntries: 3,
  hashValue: 4,
  setIntset: 5,
  setEntries: 6,
  setValue: 7,
  zsetEntries: 8,
  zsetValue: 9,
};

export interface Found {
  el: Buffer;
  val: Buffer;
  num: number;
}

/** One instance; keys become buffers in linear memory for the length of a call. */
export class Types {
  readonly memory = new WebAssembly.Memory({ initial: 64, maximum: 65536 });
  readonly found: Found[] = [];
  raw!: Raw;
  #exports!: Record<string, WebAssembly.ExportValue>;
  #scratch = 0;
  readonly scratchSize = 1 << 20;

  static async load(): Promise<Types> {
    const self = new Types();
    const env = {
      memory: self.memory,
      abort() {
        throw new Error('abort');
      },
      visited: (el: number, elLen: number, val: number, valLen: number, num: number) => {
        self.found.push({ el: self.read(el, elLen), val: self.read(val, valLen), num });
      },
    };
    const instance = await WebAssembly.instantiate(
      compileWasm('test/unit/types/support/entry.ts', FAULTS),
      { env },
    );
    self.#exports = instance.exports;
    self.raw = instance.exports as unknown as Raw;
    self.raw.allocInit!();
    self.raw.sipSeed!(1n, 2n);
    self.raw.prngSeed!(3n, 4n);
    self.#scratch = self.raw.alloc!(self.scratchSize) >>> 0;
    return self;
  }

  global(name: string): number {
    return (this.#exports[name] as WebAssembly.Global).value as number;
  }
  globalBig(name: string): bigint {
    return (this.#exports[name] as WebAssembly.Global).value as bigint;
  }
  get usedMemory(): number {
    return this.global('usedMemory') >>> 0;
  }

  /** The n-th allocation from here on fails (0 = the next); -1: none. */
  failAt(n: number): void {
    (this.#exports.allocFaultCountdown as WebAssembly.Global).value = n;
  }

  /** Runs `call` with the n-th allocation failing; true if that point was reached. */
  failing(n: number, call: () => void): boolean {
    this.failAt(n);
    call();
    const reached = this.global('allocFaultCountdown') < 0;
    this.failAt(-1);
    return reached;
  }

  /** Puts buffers into scratch memory; their addresses and lengths, one after the other. */
  args(...parts: (string | Buffer)[]): number[] {
    const out: number[] = [];
    let at = this.#scratch;
    for (const part of parts) {
      const bytes = Buffer.from(part as Buffer);
      if (at + bytes.length > this.#scratch + this.scratchSize) throw new Error('scratch');
      new Uint8Array(this.memory.buffer, at, bytes.length).set(bytes);
      out.push(at, bytes.length);
      at += bytes.length;
    }
    return out;
  }

  read(ptr: number, len: number): Buffer {
    return Buffer.from(new Uint8Array(this.memory.buffer, ptr >>> 0, len >>> 0));
  }

  el(): Buffer {
    return this.read(this.global('elPtr'), this.global('elLen'));
  }
  val(): Buffer {
    return this.read(this.global('valPtr'), this.global('valLen'));
  }

  encoding(obj: number): number {
    return this.raw.objEncoding!(obj);
  }

  /** Type byte and body as DUMP would write them. */
  dump(obj: number): Buffer {
    const r = this.raw;
    r.sinkBegin!();
    r.saveAll!(r.objType!(obj), r.objEncoding!(obj), r.objValue!(obj));
    if (this.global('sinkFailed')) throw new Error('sink');
    const out = this.read(this.global('sinkPtr'), this.global('sinkLen'));
    r.sinkTaken!();
    return out;
  }

  free(obj: number): void {
    this.raw.valueFree!(
      this.raw.objType!(obj),
      this.raw.objEncoding!(obj),
      this.raw.objValue!(obj),
    );
  }

  len(obj: number): number {
    return this.raw.valueLength!(
      this.raw.objType!(obj),
      this.raw.objEncoding!(obj),
      this.raw.objValue!(obj),
    );
  }

  /** Everything a scan finds, from cursor 0 to 0. */
  scan(kind: 'Set' | 'Hash' | 'Zset', obj: number): Found[] {
    this.found.length = 0;
    let cursor = 0n;
    do {
      cursor = BigInt.asUintN(64, this.raw[`scan${kind}`]!(obj, cursor));
    } while (cursor);
    return [...this.found];
  }

  limit(which: keyof typeof LIMIT, value: number): void {
    this.raw.limitsSet!(LIMIT[which], value);
  }
}

/** Seeded generator (xorshift32). */
export class Rng {
  #s: number;
  constructor(seed: number) {
    this.#s = (seed * 2654435761) | 0 || 1;
  }
  u32(): number {
    let s = this.#s;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#s = s;
    return s >>> 0;
  }
  below(n: number): number {
    return Math.floor((this.u32() / 4294967296) * n);
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
  text(n: number): Buffer {
    const out = Buffer.allocUnsafe(n);
    const kinds = this.below(3) ? 256 : 3;
    for (let i = 0; i < n; i++) out[i] = 97 + (this.below(kinds) % 26);
    return out;
  }
}

/** An element: integers of every width, short strings, now and then a long one. */
export function element(rng: Rng, longMax = 200): Buffer {
  const kind = rng.below(10);
  if (kind < 3) return Buffer.from(String(rng.below(10 ** (1 + rng.below(9))) - rng.below(300)));
  if (kind < 4)
    return Buffer.from(
      String(BigInt.asIntN(64, (BigInt(rng.u32()) << 32n) >> BigInt(rng.below(33)))),
    );
  if (kind < 9) return rng.text(rng.below(30));
  return rng.text(rng.below(longMax));
}
