// Compiles assembly/encoding with a checking allocator in place of base/alloc and wraps the module.

import { compileWasm } from '../../../support/compile.js';

type Fn = (...args: (number | bigint)[]) => number;
type Fn64 = (...args: (number | bigint)[]) => bigint;

/** The raw exports: functions of numbers, and mutable globals. */
export interface Raw {
  [name: string]: Fn;
}

const CHECKED = ['assembly/base/alloc.ts', 'test/assembly/encoding/checked-alloc.ts'] as const;

/** One instance of the encodings, with typed access to its memory. */
export class Encoding {
  readonly memory = new WebAssembly.Memory({ initial: 32, maximum: 65536 });
  raw!: Raw;
  #exports!: Record<string, WebAssembly.ExportValue>;
  #input = 0;
  #inputCap = 0;

  static async load(): Promise<Encoding> {
    const self = new Encoding();
    const env = {
      memory: self.memory,
      abort: () => {
        throw new Error('abort');
      },
    };
    const instance = await WebAssembly.instantiate(
      compileWasm('test/assembly/encoding/exports.ts', [], CHECKED),
      { env },
    );
    self.#exports = instance.exports;
    self.raw = instance.exports as unknown as Raw;
    return self;
  }

  /** A function of `raw` that returns an i64. */
  big(name: string): Fn64 {
    return this.#exports[name] as unknown as Fn64;
  }

  /** The value of an exported mutable global. */
  global(name: string): number {
    return (this.#exports[name] as WebAssembly.Global).value as number;
  }
  globalBig(name: string): bigint {
    return (this.#exports[name] as WebAssembly.Global).value as bigint;
  }

  /** Copies bytes to a fixed input buffer (grown as needed) and returns its address. */
  input(bytes: Uint8Array): number {
    if (bytes.length > this.#inputCap) {
      this.#inputCap = Math.max(4096, bytes.length * 2);
      this.raw.free!(this.#input);
      this.#input = this.raw.alloc!(this.#inputCap);
    }
    this.write(this.#input, bytes);
    return this.#input;
  }

  write(ptr: number, bytes: Uint8Array): void {
    new Uint8Array(this.memory.buffer, ptr >>> 0, bytes.length).set(bytes);
  }

  /** A copy of `len` bytes at `ptr`. */
  read(ptr: number, len: number): Buffer {
    return Buffer.from(new Uint8Array(this.memory.buffer, ptr >>> 0, len >>> 0));
  }

  /** A copy of the whole listpack at `lp`. */
  lp(lp: number): Buffer {
    return this.read(lp, this.raw.lpBytes!(lp));
  }

  /** An entry as text. */
  text(p: number): Buffer {
    const at = this.raw.lpGetText!(p);
    return this.read(at, this.global('lpValLen'));
  }

  /** Every entry as text, walking forwards. */
  list(lp: number): Buffer[] {
    const out: Buffer[] = [];
    for (let p = this.raw.lpFirst!(lp); p; p = this.raw.lpNext!(lp, p)) out.push(this.text(p));
    return out;
  }
}

/** Seeded generator (xorshift32): the same numbers on every run. */
export class Rng {
  #s: number;
  constructor(seed: number) {
    this.#s = seed | 0 || 1;
  }
  u32(): number {
    let s = this.#s;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#s = s;
    return s >>> 0;
  }
  /** 0 .. n-1 */
  below(n: number): number {
    return Math.floor((this.u32() / 4294967296) * n);
  }
  bytes(n: number): Buffer {
    const out = Buffer.allocUnsafe(n);
    for (let i = 0; i < n; i++) out[i] = this.u32() >>> 11;
    return out;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const edges = [
  '0',
  '127',
  '128',
  '-1',
  '4095',
  '4096',
  '-4096',
  '-4097',
  '32767',
  '32768',
  '-32768',
  '-32769',
  '8388607',
  '8388608',
  '-8388608',
  '-8388609',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
  '-0',
  '00',
  '01',
  '-',
  '',
  '+1',
  '1 ',
  ' 1',
  '1.0',
  '1e3',
  '99999999999999999999',
  '18446744073709551616',
  '12345678901234567890',
  '-1234567890123456789',
  '000000000000000000000',
];
const sizes = [1, 5, 20, 62, 63, 64, 65, 120, 125, 126, 127, 128, 300];

/** An element as real data has them: integers of every width, edges, and strings of many sizes. */
export function element(rng: Rng, big = false): Buffer {
  const kind = rng.below(big ? 200 : 190);
  if (kind < 60) return Buffer.from(String(rng.u32() % 10 ** (1 + rng.below(10))));
  if (kind < 80) return Buffer.from(String(-(rng.u32() % 10 ** (1 + rng.below(10)))));
  if (kind < 100) return Buffer.from(rng.pick(edges));
  if (kind < 120) {
    const wide = (BigInt(rng.u32()) << 32n) | BigInt(rng.u32());
    return Buffer.from(String(BigInt.asIntN(64, wide >> BigInt(rng.below(40)))));
  }
  if (kind < 190) return rng.bytes(rng.pick(sizes));
  return rng.bytes(rng.pick([4094, 4095, 4096, 5000, 16377, 16378, 16379, 16380]));
}
