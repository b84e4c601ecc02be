// A core instance for command tests: RESP in, raw replies out, and, through a small entry of its
// own compiled beside the real index, the effects stream, the role and other state no command
// sets. The clock stands still unless a test moves it.

import { type Arg, encodeCommand } from '../../support/bytes.js';
import { compileWasm } from '../../support/compile.js';

const AUTHENTICATED = 1 << 7;
const MASTER = 1 << 2;

type Raw = Record<string, (...args: number[]) => number> & {
  init(databases: number, lo: bigint, hi: bigint): number;
};

/** The core with the test exports of generic-core/entry.ts. */
export function compileCore(flags?: readonly string[]): WebAssembly.Module {
  return compileWasm('test/unit/commands/generic-core/entry.ts', flags);
}

export interface TestCoreOptions {
  flags?: readonly string[];
  /** Growing memory with this maximum instead of one of a fixed size. */
  growPages?: number;
  seed?: bigint;
}

export class TestCore {
  readonly x: Raw;
  readonly memory: WebAssembly.Memory;
  readonly hostCommands: number[] = [];
  applyProblems = 0;
  now = 1_700_000_000_000;
  readonly handle: number;

  constructor(options: TestCoreOptions = {}) {
    const module = compileCore(options.flags);
    const pages = options.growPages ?? 4096;
    this.memory = new WebAssembly.Memory({
      initial: options.growPages === undefined ? pages : 32,
      maximum: pages,
    });
    const env = {
      memory: this.memory,
      hostCommand: (_handle: number, id: number) => {
        this.hostCommands.push(id);
        return 0;
      },
      applyProblem: () => {
        this.applyProblems++;
      },
      clockNs: () => this.now * 1e6,
      slowCommand: () => {},
      abort: () => {
        throw new Error('the core met a broken invariant');
      },
    };
    this.x = new WebAssembly.Instance(module, { env }).exports as Raw;
    if (this.x.init(16, options.seed ?? 1n, 2n) === 0) throw new Error('init');
    this.x.effectsFollow!(1);
    this.handle = this.open(AUTHENTICATED);
    this.x.debugMode!(1);
  }

  open(flags: number): number {
    this.x.setTime!(this.now);
    return this.x.clientOpen!(flags, 0, 0, 0, 0);
  }

  /** The link to a master, as which commands can be run. */
  openMaster(): number {
    return this.open(AUTHENTICATED | MASTER);
  }

  feed(bytes: Buffer, handle = this.handle): string {
    const size = this.x.readBufferSize!();
    let out = '';
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      new Uint8Array(this.memory.buffer).set(part, this.x.readBuffer!() >>> 0);
      this.x.feed!(handle, part.length, this.now);
      out += this.replies(handle);
    }
    return out;
  }

  replies(handle = this.handle): string {
    let out = '';
    for (;;) {
      const block = this.x.takeReply!(handle) >>> 0;
      if (block === 0) return out;
      const len = new DataView(this.memory.buffer).getUint32(block + 4, true);
      out += Buffer.from(this.memory.buffer, block + 16, len).toString('latin1');
      this.x.recycleReply!(block);
    }
  }

  /** One command's raw reply. */
  run(...args: Arg[]): string {
    return this.feed(encodeCommand(args));
  }

  /** The commands that went into the effects stream since the last call. */
  effects(): string[][] {
    const ptr = this.x.effectsAddress!() >>> 0;
    const len = this.x.effectsLength!();
    const text = Buffer.from(this.memory.buffer, ptr, len).toString('latin1');
    this.x.effectsDone!();
    const out: string[][] = [];
    let at = 0;
    const header = () => {
      const end = text.indexOf('\r\n', at);
      const n = Number(text.slice(at + 1, end));
      at = end + 2;
      return n;
    };
    while (at < text.length) {
      const words: string[] = [];
      for (let left = header(); left > 0; left--) {
        const n = header();
        words.push(text.slice(at, at + n));
        at += n + 2;
      }
      out.push(words);
    }
    return out;
  }
}
