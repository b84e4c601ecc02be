// Calls from the process itself: a client of the core without a socket. A request is written as
// RESP into a block of linear memory, run, and its reply read from where it lies, all at once: no
// promise. GET has a shorter way that makes no request at all.
//
// Not from inside a callback of the core (host commands, apply problems).

import { RespiteError } from '../errors.js';
import {
  CLIENT_AUTHENTICATED,
  CLIENT_INTERNAL,
  type Core,
  STATUS_CLOSE_AFTER_REPLY,
  STATUS_CLOSE_NOW,
  STATUS_HOST_BUSY,
  STATUS_OUTPUT,
} from './core.js';
import { ReplyReader, type ReplyValue, replyError } from './resp-value.js';

export type Argument = string | number | bigint | Uint8Array;

/** What `localGet` and `localScriptBegin` refuse with; assembly/clients/local.ts. */
const LOCAL_NONE = -1;
const LOCAL_WRONG_TYPE = -2;
const LOCAL_LOADING = -3;
const LOCAL_MASTER_DOWN = -4;
const LOCAL_BUSY = -6;
const LOCAL_CLOSED = -7;

const SCRATCH_BYTES = 64 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Values up to this size share slabs, as Node's small Buffers do: allocating is what costs. */
const POOLED_MAX = 4096;
const SLAB_BYTES = 64 * 1024;
/** Short values are cheapest on the JavaScript heap. */
const ON_HEAP_MAX = 64;
/** Calls in one turn of the event loop that may share a reading of the clock. */
const CLOCK_CALLS = 64;

/** What a client needs of the platform's clock. */
export interface LocalClock {
  nowMs(): number;
  defer(fn: () => void): void;
}

export class LocalClient {
  readonly #core: Core;
  readonly #clock: LocalClock;
  readonly #onReady: () => void;
  #handle: number;
  #slab = new Uint8Array(0);
  #slabUsed = 0;
  #nowMs = 0;
  /** Calls that may still use `#nowMs`. */
  #nowLeft = 0;
  #isTurn = false;
  readonly #endTurn = (): void => {
    this.#isTurn = false;
    this.#nowLeft = 0;
  };
  /** A block for requests and keys, kept. */
  readonly #scratch: number;

  /** `onReady`: a call has left something to send to other clients of the core. */
  constructor(core: Core, clock: LocalClock, onReady: () => void = () => {}) {
    this.#core = core;
    this.#clock = clock;
    this.#onReady = onReady;
    this.#scratch = core.x.hostAlloc(SCRATCH_BYTES) >>> 0;
    if (this.#scratch === 0) throw outOfMemory();
    this.#handle = this.#open();
  }

  get handle(): number {
    return this.#handle;
  }

  /** The time, read once for a run of calls within a turn of the event loop. */
  now(): number {
    if (this.#nowLeft > 0) {
      this.#nowLeft--;
      return this.#nowMs;
    }
    if (!this.#isTurn) {
      this.#isTurn = true;
      this.#clock.defer(this.#endTurn);
    }
    this.#nowLeft = CLOCK_CALLS;
    this.#nowMs = this.#clock.nowMs();
    return this.#nowMs;
  }

  #open(): number {
    return this.#core.openClient(CLIENT_INTERNAL | CLIENT_AUTHENTICATED, 'local:0', 'local:0');
  }

  /** A new client in the same database. */
  #reopen(): void {
    const db = this.#core.x.localDb(this.#handle);
    this.#core.x.clientClose(this.#handle);
    this.#handle = this.#open();
    this.#core.x.localSelect(this.#handle, db);
  }

  close(): void {
    if (this.#handle < 0) return;
    this.#core.x.clientClose(this.#handle);
    this.#core.x.hostFree(this.#scratch);
    this.#handle = -1;
  }

  // ---- any command

  /** Runs a command; an error reply is thrown. */
  call(...args: readonly Argument[]): ReplyValue {
    const value = this.callRaw(args);
    if (value instanceof RespiteError) throw value;
    return value;
  }

  /** Runs a command; an error reply is a value. */
  callRaw(args: readonly Argument[]): ReplyValue {
    if (this.#handle < 0) throw new RespiteError('ERR_RESPITE_CLOSED');
    if (args.length === 0) throw new RespiteError('ERR_RESPITE_INVALID_COMMAND', 'no command');
    const status = this.#run(args);
    const value = status & STATUS_OUTPUT ? this.#takeReply() : null;
    if (status & (STATUS_CLOSE_AFTER_REPLY | STATUS_CLOSE_NOW | STATUS_HOST_BUSY)) {
      // QUIT, a kill, or a command whose answer takes time: this client is of no more use.
      this.#reopen();
      if (status & STATUS_HOST_BUSY) {
        throw new RespiteError('ERR_RESPITE_UNSUPPORTED', `${String(args[0])} takes its time`);
      }
    }
    if (this.#core.x.readyClients() !== 0) this.#onReady();
    return value;
  }

  /** A call that was made with this handle may have left something to send to other clients. */
  settle(): void {
    if (this.#core.x.readyClients() === 0) return;
    this.#core.onReady?.();
    this.#onReady();
  }

  #run(args: readonly Argument[]): number {
    const core = this.#core;
    const bound = requestBound(args);
    const isLarge = bound > SCRATCH_BYTES;
    const at = isLarge ? core.x.hostAlloc(bound) >>> 0 : this.#scratch;
    if (at === 0) throw outOfMemory();
    try {
      const end = writeRequest(core.bytes, at, args);
      return core.x.feedAt(this.#handle, at, end - at, this.now());
    } finally {
      if (core.x.readyClients() !== 0) core.onReady?.();
      if (isLarge) core.x.hostFree(at);
    }
  }

  #takeReply(): ReplyValue {
    const core = this.#core;
    const first = core.x.takeReply(this.#handle) >>> 0;
    if (first === 0) return null;
    const second = core.x.takeReply(this.#handle) >>> 0;
    if (second === 0) {
      const value = new ReplyReader(core.blockView(first)).next();
      core.x.recycleReply(first);
      return value;
    }
    const parts: Uint8Array[] = [];
    for (let block = first; block !== 0; ) {
      const { length } = parts;
      parts.push(core.blockView(block).slice());
      core.x.recycleReply(block);
      block = length === 0 ? second : core.x.takeReply(this.#handle) >>> 0;
    }
    return new ReplyReader(concat(parts)).next();
  }

  // ---- GET

  /** The string at a key, copied; null when there is none. */
  get(key: string | Uint8Array, db = 0): Uint8Array | null {
    const len = this.#find(key, db);
    if (len === LOCAL_NONE) return null;
    const ptr = this.#core.x.localValue() >>> 0;
    if (len <= ON_HEAP_MAX || len > POOLED_MAX) return this.#core.copy(ptr, len);
    if (this.#slabUsed + len > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#slabUsed = 0;
    }
    const out = this.#slab.subarray(this.#slabUsed, this.#slabUsed + len);
    this.#slabUsed += len;
    out.set(this.#core.view(ptr, len));
    return out;
  }

  /** The same as text (UTF-8). */
  getText(key: string | Uint8Array, db = 0): string | null {
    const len = this.#find(key, db);
    if (len === LOCAL_NONE) return null;
    return decoder.decode(this.#core.view(this.#core.x.localValue() >>> 0, len));
  }

  /** Length of the value, which then lies at `localValue`, or LOCAL_NONE. */
  #find(key: string | Uint8Array, db: number): number {
    const core = this.#core;
    if (this.#handle < 0) throw new RespiteError('ERR_RESPITE_CLOSED');
    const len = this.#putKey(key);
    const found =
      len >= 0
        ? core.x.localGet(db, this.#scratch, len, this.now())
        : core.withBytes(bytesOf(key), (p, l) => core.x.localGet(db, p, l, this.now()));
    if (found >= LOCAL_NONE) return found;
    throw localError(found, db);
  }

  /** Writes a key into the scratch block; -1 when it is too long for it. */
  #putKey(key: string | Uint8Array): number {
    const { bytes } = this.#core;
    const at = this.#scratch;
    const length = key.length;
    if (length * 3 > SCRATCH_BYTES) return -1;
    if (typeof key !== 'string') {
      bytes.set(key, at);
      return length;
    }
    for (let i = 0; i < length; i++) {
      const c = key.charCodeAt(i);
      if (c > 127) return encoder.encodeInto(key, bytes.subarray(at, at + SCRATCH_BYTES)).written;
      bytes[at + i] = c;
    }
    return length;
  }
}

function outOfMemory(): RespiteError {
  return new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'the core is full');
}

/** The error that a number below LOCAL_NONE stands for. */
export function localError(code: number, db = 0): RespiteError {
  switch (code) {
    case LOCAL_WRONG_TYPE:
      return replyError('WRONGTYPE Operation against a key holding the wrong kind of value');
    case LOCAL_LOADING:
      return replyError('LOADING Redis is loading the dataset in memory');
    case LOCAL_MASTER_DOWN:
      return replyError(
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      );
    case LOCAL_BUSY:
      return replyError(
        'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
      );
    case LOCAL_CLOSED:
      return new RespiteError('ERR_RESPITE_CLOSED');
    default:
      return replyError(`ERR DB index is out of range: ${db}`);
  }
}

function bytesOf(arg: Argument): Uint8Array {
  return typeof arg === 'object' ? arg : encoder.encode(String(arg));
}

function sizeOf(arg: Argument): number {
  return typeof arg === 'object' || typeof arg === 'string' ? arg.length : 24;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** More bytes than a request takes. */
function requestBound(args: readonly Argument[]): number {
  let bound = 16;
  for (const arg of args) bound += 24 + (typeof arg === 'object' ? 1 : 3) * sizeOf(arg);
  return bound;
}

/** A request as RESP, for another server. */
export function encodeRequest(args: readonly Argument[]): Uint8Array {
  const out = new Uint8Array(requestBound(args));
  return out.subarray(0, writeRequest(out, 0, args));
}

/** Writes a request at an address; gives the address behind it. */
function writeRequest(to: Uint8Array, from: number, args: readonly Argument[]): number {
  let at = writeHeader(to, from, 42, args.length);
  for (const arg of args) {
    at =
      typeof arg === 'object'
        ? writeBulk(to, at, arg)
        : writeText(to, at, typeof arg === 'string' ? arg : String(arg));
  }
  return at;
}

function writeBulk(to: Uint8Array, from: number, bytes: Uint8Array): number {
  let at = writeHeader(to, from, 36, bytes.length);
  to.set(bytes, at);
  at += bytes.length;
  to[at] = 13;
  to[at + 1] = 10;
  return at + 2;
}

/** ASCII goes straight in; all else through the encoder. */
function writeText(to: Uint8Array, from: number, text: string): number {
  const { length } = text;
  if (length > 256) return writeBulk(to, from, encoder.encode(text));
  let at = writeHeader(to, from, 36, length);
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return writeBulk(to, from, encoder.encode(text));
    to[at++] = c;
  }
  to[at] = 13;
  to[at + 1] = 10;
  return at + 2;
}

/** `*n\r\n` or `$n\r\n`; gives the address behind it. */
function writeHeader(to: Uint8Array, from: number, kind: number, n: number): number {
  let at = from;
  to[at++] = kind;
  if (n < 10) {
    to[at++] = 48 + n;
  } else {
    const digits = String(n);
    for (let i = 0; i < digits.length; i++) to[at++] = digits.charCodeAt(i);
  }
  to[at] = 13;
  to[at + 1] = 10;
  return at + 2;
}
