// The loader in a Wasm instance of its own, driven from tests.
import { compileWasm, FAULTS } from './compile.js';

type Fn = (...args: number[]) => number;

export const LOAD = { ASIDE: 1, KEEP_EXPIRED: 2, NO_CHECKSUM: 4 } as const;
export const LOAD_ERR = {
  MEMORY: 11,
  CHECKSUM: 14,
  TRUNCATED: 15,
  DUPLICATE_KEY: 64,
  DB: 65,
  LISTPACK: 66,
  ZIPLIST: 67,
  INTSET: 68,
  ZIPMAP: 69,
  DUPLICATE_ELEMENT: 70,
  NAN: 71,
  BLOB: 72,
  STREAM: 73,
  FUNCTION: 74,
  FUNCTION_EXISTS: 75,
  FUNCTION_PRE_GA: 76,
  UNSUPPORTED: 77,
  EMPTY: 78,
  EXPIRE: 79,
} as const;

/** LIMIT_* of assembly/types/limits.ts. */
export const LIMIT_SET_ENTRIES = 6;
const TYPES = ['string', 'list', 'set', 'zset', 'hash', '?', 'stream'];
const ENCODINGS: Record<number, string> = {
  0: 'raw',
  1: 'int',
  2: 'hashtable',
  6: 'intset',
  7: 'skiplist',
  8: 'embstr',
  9: 'quicklist',
  10: 'stream',
  11: 'listpack',
  12: 'listpackex',
};

export interface Entry {
  db: number;
  key: string;
  type: string;
  encoding: string;
  clock: number;
  expireAt: number;
  item: number;
}

export interface Info {
  phase: number;
  error: number;
  errorOffset: number;
  reason: string;
  key: string;
  db: number;
  version: number;
  valkey: number;
  checksum: number;
  bytes: number;
  keys: number;
  expires: number;
  expired: number;
  empty: number;
  skipped: number;
  lines: { type: number; name: string; count: number }[];
  moduleAux: number;
  functions: number;
  preamble: number;
  replId: string;
  replOffset: number;
  streamDb: number;
  server: string;
  ctime: number;
  usedMem: number;
  announced: number;
  errorArg: number;
}

const loadModule = () => compileWasm('test/support/load-entry.ts', FAULTS);

export class LoadHarness {
  readonly memory = new WebAssembly.Memory({ initial: 32, maximum: 65536 });
  readonly x: Record<string, Fn>;
  #window = 0;
  #windowCap = 0;

  constructor(databases = 16) {
    const abort = () => {
      throw new Error('abort');
    };
    const env: Record<string, unknown> = { memory: this.memory, abort };
    for (const wanted of WebAssembly.Module.imports(loadModule())) {
      if (wanted.kind === 'function') env[wanted.name] ??= () => 0;
    }
    const instance = new WebAssembly.Instance(loadModule(), { env } as WebAssembly.Imports);
    this.x = instance.exports as unknown as Record<string, Fn>;
    this.x.init!(databases);
  }

  bytes(): Buffer {
    return Buffer.from(this.memory.buffer);
  }

  text(ptr: number, len: number): string {
    return this.bytes().toString('latin1', ptr >>> 0, (ptr >>> 0) + len);
  }

  /** Copy bytes to linear memory; the address is good until the next call. */
  put(bytes: Uint8Array): number {
    if (this.#windowCap < bytes.length || !this.#window) {
      if (this.#window) this.x.free!(this.#window);
      this.#windowCap = Math.max(bytes.length, 65536);
      this.#window = this.x.alloc!(this.#windowCap) >>> 0;
    }
    this.bytes().set(bytes, this.#window);
    return this.#window;
  }

  info(): Info {
    const at = this.x.loadInfo!() >>> 0;
    const v = new DataView(this.memory.buffer, at);
    const u = (off: number) => v.getUint32(off, true);
    const f = (off: number) => v.getFloat64(off, true);
    const s = (off: number) => this.text(u(off), u(off + 4));
    const lines: Info['lines'] = [];
    for (let i = 0; i < u(96); i++) {
      const line = new DataView(this.memory.buffer, u(100) + 32 * i);
      const name = this.text(u(100) + 32 * i + 16, line.getUint32(4, true));
      lines.push({ type: line.getUint32(0, true), name, count: line.getFloat64(8, true) });
    }
    return {
      phase: u(0),
      error: v.getInt32(4, true),
      errorOffset: f(8),
      reason: s(16),
      key: s(24),
      db: u(32),
      version: u(36),
      valkey: u(40),
      checksum: u(44),
      bytes: f(48),
      keys: f(56),
      expires: f(64),
      expired: f(72),
      empty: f(80),
      skipped: f(88),
      lines,
      moduleAux: f(104),
      functions: u(112),
      preamble: u(116),
      replId: s(120),
      replOffset: f(128),
      streamDb: v.getInt32(136, true),
      server: s(140),
      ctime: f(152),
      usedMem: f(160),
      announced: f(168),
      errorArg: f(176),
    };
  }

  /** Feeds a file whole or in pieces; the last answer (loadFinish's where the file ended early). */
  feed(file: Uint8Array, nowMs: number, pieces?: Iterator<number>): number {
    let at = 0;
    let last = 0;
    while (last === 0 && at < file.length) {
      const want = pieces ? (pieces.next().value as number) : file.length;
      const piece = file.subarray(at, at + want);
      at += piece.length;
      const ptr = this.put(piece);
      last = this.x.loadFeed!(ptr, piece.length, nowMs);
      // what was fed is the caller's again
      this.bytes().fill(0xdd, ptr, ptr + piece.length);
    }
    return last === 0 ? this.x.loadFinish!() : last;
  }

  /** Loads a file into the live data set: 1 or -1. */
  load(
    file: Uint8Array,
    flags: number = LOAD.KEEP_EXPIRED,
    nowMs = Date.now(),
    pieces?: Iterator<number>,
  ): number {
    if (this.x.loadBegin!(flags) !== 0) return -1;
    const last = this.feed(file, nowMs, pieces);
    if (last === 1) this.x.loadCommit!();
    return last;
  }

  entries(db: number): Entry[] {
    const count = this.x.keys!(db);
    const list = this.x.alloc!(count * 4 + 8) >>> 0;
    this.x.items!(db, list);
    const found = [...new Uint32Array(this.memory.buffer, list, count)];
    this.x.free!(list);
    return found.map((item) => {
      const meta = this.x.meta!(item) >>> 0;
      return {
        db,
        key: this.text(this.x.keyPtr!(item), this.x.keyLen!(item)),
        type: TYPES[meta & 15] as string,
        encoding: ENCODINGS[(meta >>> 4) & 15] as string,
        clock: meta >>> 8,
        expireAt: this.x.expire!(item),
        item,
      };
    });
  }

  all(databases = 16): Entry[] {
    const out: Entry[] = [];
    for (let db = 0; db < databases; db++) out.push(...this.entries(db));
    return out;
  }

  dump(entry: Entry, versionMax = 10): Buffer {
    const len = this.x.dump!(entry.item, versionMax);
    const ptr = this.x.dumpPtr!() >>> 0;
    return Buffer.from(this.bytes().subarray(ptr, ptr + len));
  }

  used(): number {
    return this.x.used!() >>> 0;
  }
}
