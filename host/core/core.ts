// The typed wrapper of one core instance: views of its memory, strings in and out, and the few
// calls that need more than a number. Everything else in the host goes through here; nobody else
// knows `WebAssembly.Memory` or raw exports.

import { RespiteError } from '../errors.js';
import type { CoreExports } from './exports.js';
import { guardExports } from './guard.js';
import {
  type CoreImports,
  type CoreMemory,
  type CoreModule,
  instantiateCore,
  type MemoryOptions,
} from './load.js';

export interface CoreOptions extends MemoryOptions {
  databases?: number;
  /** The instance met a bug of ours and is dead; see guard.ts. */
  onTrap?: (error: Error) => void;
  /** 16 bytes: the seed of hashing and of every random choice. */
  seed: Uint8Array;
}

/** Bits of what `feed`, `resume` and `clientStatus` answer. */
export const STATUS_OUTPUT = 1;
export const STATUS_CLOSE_AFTER_REPLY = 2;
export const STATUS_CLOSE_NOW = 4;
export const STATUS_HOST_BUSY = 8;
/** Output stopped the commands: `resume` when all of it was sent. */
export const STATUS_OUTPUT_FULL = 16;
/** Waits for keys, for replicas or for the end of a pause. */
export const STATUS_BLOCKED = 32;
/** Was unblocked with commands waiting: `resume`. */
export const STATUS_RESUME = 64;
/** Deadlines came up: `armDeadlines`. */
export const STATUS_DEADLINES = 128;

/** Waits for messages: not idle, however long it says nothing. */
export const STATUS_LISTENS = 512;
/** Closed for leaving too much output unread; with STATUS_CLOSE_NOW. */
export const STATUS_OVER_LIMIT = 256;

/** Flags of `openClient`; the numbers are those of assembly/clients/client.ts. */
export const CLIENT_MASTER = 1 << 2;
export const CLIENT_AUTHENTICATED = 1 << 7;
export const CLIENT_UNIX = 1 << 11;
export const CLIENT_INTERNAL = 1 << 12;

const BLOCK_HEADER = 16;
/** Replies made by the host go to the core in pieces of this size. */
const REPLY_PIECE = 16384;

/** One instance of core.wasm. */
export class Core {
  readonly x: CoreExports;
  readonly #memory: CoreMemory;
  readonly reserved: boolean;
  readonly #onTrap: ((error: Error) => void) | undefined;
  /** Called when an in-process call left clients with something to send. */
  onReady: (() => void) | undefined;
  /** The trap that killed this instance. */
  trap: Error | undefined;
  #u8: Uint8Array;
  #lastView: Uint8Array = new Uint8Array(0);
  #u32: Uint32Array;
  #read: Uint8Array;
  readonly #readPtr: number;
  readonly #readSize: number;

  constructor(module: CoreModule, imports: CoreImports, options: CoreOptions) {
    const { exports, memory, reserved } = instantiateCore(module, imports, options);
    this.#onTrap = options.onTrap;
    this.x = guardExports(exports, (error) => this.#failed(error));
    this.#memory = memory;
    this.reserved = reserved;
    const seed = new DataView(options.seed.buffer, options.seed.byteOffset, 16);
    const ok = this.x.init(
      options.databases ?? 16,
      seed.getBigUint64(0, true),
      seed.getBigUint64(8, true),
    );
    if (!ok) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'no memory to start the core');
    this.#readPtr = this.x.readBuffer() >>> 0;
    this.#readSize = this.x.readBufferSize();
    this.#u8 = new Uint8Array(memory.buffer);
    this.#u32 = new Uint32Array(memory.buffer);
    this.#read = new Uint8Array(memory.buffer, this.#readPtr, this.#readSize);
  }

  #refresh(): void {
    if (this.#u8.buffer === this.#memory.buffer) return;
    this.#u8 = new Uint8Array(this.#memory.buffer);
    this.#u32 = new Uint32Array(this.#memory.buffer);
    this.#read = new Uint8Array(this.#memory.buffer, this.#readPtr, this.#readSize);
  }

  /** All of the memory; re-made when it grew, so not to be kept over calls unless `reserved`. */
  get bytes(): Uint8Array {
    if (!this.reserved) this.#refresh();
    return this.#u8;
  }

  /** The shared read buffer: received bytes go here, then `feed`. */
  get readBuffer(): Uint8Array {
    if (!this.reserved) this.#refresh();
    return this.#read;
  }

  /** The u32 at an address. */
  word(ptr: number): number {
    if (!this.reserved) this.#refresh();
    return this.#u32[ptr >>> 2] as number;
  }

  /** Sets the u32 at an address. */
  setWord(ptr: number, value: number): void {
    if (!this.reserved) this.#refresh();
    this.#u32[ptr >>> 2] = value;
  }

  /** A view of memory; valid until the core is called again, unless the caller owns the block. */
  view(ptr: number, len: number): Uint8Array {
    return this.bytes.subarray(ptr, ptr + len);
  }

  /** A view of a reply block's data; the same object again if it is what was asked for last. */
  blockView(block: number): Uint8Array {
    const ptr = block + BLOCK_HEADER;
    const length = this.word(block + 4);
    // Blocks are recycled at once and most replies are alike, while a view is a costly object.
    const last = this.#lastView;
    if (last.byteOffset === ptr && last.length === length && this.reserved) return last;
    this.#lastView = this.view(ptr, length);
    return this.#lastView;
  }

  /** `count` f64 numbers at an address, copied. */
  doubles(ptr: number, count: number): Float64Array {
    return new Float64Array(this.bytes.buffer.slice(ptr, ptr + 8 * count));
  }

  /** A copy of memory. */
  copy(ptr: number, len: number): Uint8Array {
    return this.bytes.slice(ptr, ptr + len);
  }

  /** Calls `use` with the bytes in linear memory; they are gone afterwards. */
  withBytes<T>(data: Uint8Array, use: (ptr: number, len: number) => T): T {
    const ptr = this.x.hostAlloc(data.length) >>> 0;
    if (this.trap !== undefined) {
      throw new RespiteError('ERR_RESPITE_CORE', undefined, { cause: this.trap });
    }
    if (ptr === 0) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'the core is full');
    try {
      this.bytes.set(data, ptr);
      return use(ptr, data.length);
    } finally {
      this.x.hostFree(ptr);
    }
  }

  /** A call threw (guard.ts): the instance is dead from now on. */
  #failed(error: Error): void {
    this.trap = error;
    this.#onTrap?.(error);
  }

  /** Opens a client and returns its handle. */
  openClient(flags: number, address: string, localAddress: string): number {
    const a = encoder.encode(address);
    const l = encoder.encode(localAddress);
    const handle = this.withBytes(a, (ap, al) =>
      this.withBytes(l, (lp, ll) => this.x.clientOpen(flags, ap, al, lp, ll)),
    );
    if (handle < 0) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'no memory for a client');
    return handle;
  }

  /** A copy of a blob (u32 length, bytes) at an address; empty for 0. */
  blob(ptr: number): Uint8Array {
    const at = ptr >>> 0;
    return at === 0 ? new Uint8Array(0) : this.copy(at + 4, this.word(at));
  }

  /** One argument of the command that runs now, copied. */
  commandArg(index: number): Uint8Array {
    const at = (this.x.commandArgv() >>> 0) + 8 * index;
    return this.copy(this.word(at), this.word(at + 4));
  }

  /** Arguments of the host command that runs now, copied. */
  commandArgs(): Uint8Array[] {
    return Array.from({ length: this.x.commandArgc() }, (_, i) => this.commandArg(i));
  }

  /**
   * The reply of the host command that runs now for a client. Without memory for it the client is
   * closed. Never throws: Wasm is on the stack.
   */
  reply(handle: number, data: Uint8Array): void {
    this.#pieces(handle, data, (ptr, len, isMore) => this.x.replyBytes(ptr, len, isMore));
  }

  /** The same for a client that waited for its host command. */
  replyLate(handle: number, data: Uint8Array): void {
    this.#pieces(handle, data, (ptr, len, isMore) => {
      this.x.replyBytesLate(handle, ptr, len, isMore);
    });
  }

  /** Through a block so small that a full core has it in reserve. */
  #pieces(
    handle: number,
    data: Uint8Array,
    put: (ptr: number, len: number, isMore: boolean) => void,
  ): void {
    const ptr = this.x.hostAlloc(Math.min(data.length, REPLY_PIECE)) >>> 0;
    if (ptr === 0) {
      this.x.clientShut(handle, true);
      return;
    }
    for (let at = 0; at < data.length; at += REPLY_PIECE) {
      const piece = data.subarray(at, at + REPLY_PIECE);
      this.bytes.set(piece, ptr);
      put(ptr, piece.length, at > 0);
    }
    this.x.hostFree(ptr);
  }
}

const encoder = new TextEncoder();
