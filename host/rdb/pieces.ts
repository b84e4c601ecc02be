// Bytes in pieces, of whatever kind and origin, as a source to pull from.

import { RespiteError } from '../errors.js';
import type { RdbPullSource } from './source.js';

const PIECE_BYTES = 1 << 20;

/** What is wrong with a source that is none. */
export function wrongSource(reason: string): RespiteError {
  const details = { option: 'source', reason };
  const text = `This is no source of an RDB: ${reason}`;
  return new RespiteError('ERR_RESPITE_INVALID_CONFIG', text, { details });
}

/** The class of an object, also of one of another window or context. */
export const classOf = (value: unknown): string => Object.prototype.toString.call(value);

/** The bytes that a buffer or any view of one stands for; undefined: it is neither. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  const isBuffer = /^\[object (?:Shared)?ArrayBuffer\]$/.test(classOf(value));
  return isBuffer ? new Uint8Array(value as ArrayBuffer) : undefined;
}

/** A Blob or File, also one of another window. */
export function isBlob(value: object): value is Blob {
  const { stream, size } = value as Partial<Blob>;
  return typeof stream === 'function' && typeof size === 'number';
}

// ---- streams of the web

interface AnyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
  releaseLock(): void;
}

function readerOf(stream: ReadableStream<Uint8Array>): AnyReader {
  let byob: ReadableStreamBYOBReader;
  try {
    byob = stream.getReader({ mode: 'byob' });
  } catch (error) {
    if (stream.locked) throw error;
    // no stream of bytes
    return stream.getReader();
  }
  let buffer = new ArrayBuffer(PIECE_BYTES);
  return {
    async read() {
      const result = await byob.read(new Uint8Array(buffer));
      if (result.value !== undefined) buffer = result.value.buffer as ArrayBuffer;
      return result;
    },
    cancel: () => byob.cancel(),
    releaseLock: () => byob.releaseLock(),
  };
}

/** No generator: its `return` would wait for the piece that was asked for. */
class StreamPieces implements AsyncIterableIterator<Uint8Array> {
  readonly #reader: AnyReader;
  #isOver = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = readerOf(stream);
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isOver) return { done: true, value: undefined };
    try {
      const { done, value } = await this.#reader.read();
      if (!done && value !== undefined) return { done: false, value };
    } catch (error) {
      this.#end();
      throw error;
    }
    this.#end();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isOver) {
      // ends a read that waits, too
      const cancelled = this.#reader.cancel().catch(() => undefined);
      this.#end();
      await cancelled;
    }
    return { done: true, value: undefined };
  }

  #end(): void {
    if (!this.#isOver) this.#reader.releaseLock();
    this.#isOver = true;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * The pieces of a stream, each valid until the next is asked for. Where the stream can do that they
 * are read into one buffer again and again: browsers keep each buffer of their own until they
 * collect garbage, hundreds of megabytes.
 */
export function streamPieces(
  stream: ReadableStream<Uint8Array>,
): AsyncIterableIterator<Uint8Array> {
  return new StreamPieces(stream);
}

// ---- pieces

interface Pieces {
  next(): Promise<IteratorResult<unknown>> | IteratorResult<unknown>;
  return?(): unknown;
}

/** What can be iterated or streamed as pieces; throws where it is something else. */
function piecesOf(source: object): Pieces {
  const { getReader, locked, destroy, on } = source as Record<string, unknown>;
  if (typeof getReader === 'function') {
    if (locked === true) throw wrongSource('the stream is locked: somebody else reads it');
    return streamPieces(source as ReadableStream<Uint8Array>);
  }
  const pieces = source as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  if (typeof pieces[Symbol.asyncIterator] === 'function') {
    const iterator = pieces[Symbol.asyncIterator]!() as Pieces;
    const isNodeStream = typeof destroy === 'function' && typeof on === 'function';
    return isNodeStream ? destroying(iterator, () => destroy.call(source)) : iterator;
  }
  if (typeof pieces[Symbol.iterator] === 'function') return pieces[Symbol.iterator]!() as Pieces;
  throw wrongSource(`${whatIs(source)}; pass bytes, a Blob, a stream or an iterable of pieces`);
}

/** A stream of Node.js: its iterator destroys it only when it was started and does not wait. */
function destroying(iterator: Pieces, destroy: () => void): Pieces {
  return {
    next: () => iterator.next(),
    return() {
      destroy();
      return iterator.return?.();
    },
  };
}

/** Something that is no source, in words. */
export function whatIs(value: unknown): string {
  if (value === null || value === undefined) return `it is ${value}`;
  if (typeof value !== 'object') return `it is a ${typeof value}`;
  const { then, arrayBuffer } = value as Record<string, unknown>;
  if (typeof then === 'function') return 'it is a promise: await it first';
  if (typeof arrayBuffer === 'function') return 'it is a response: pass its `body`';
  return `it is an object that is not known (${classOf(value).slice(8, -1)})`;
}

/** Pieces of any size as a source to pull from: each is copied into the memory given. */
class PiecesSource implements RdbPullSource {
  readonly size: number | undefined;
  readonly #pieces: Pieces;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  #isOver = false;

  constructor(pieces: Pieces, size?: number) {
    this.size = size;
    this.#pieces = pieces;
  }

  pull(into: Uint8Array): number | Promise<number> {
    return this.#at < this.#piece.length ? this.#copy(into) : this.#pullNext(into);
  }

  async #pullNext(into: Uint8Array): Promise<number> {
    while (this.#at === this.#piece.length) {
      if (this.#isOver) return 0;
      const { done, value } = await this.#pieces.next();
      if (done) this.#isOver = true;
      if (this.#isOver) return 0;
      this.#piece = pieceOf(value);
      this.#at = 0;
    }
    return this.#copy(into);
  }

  #copy(into: Uint8Array): number {
    const part = this.#piece.subarray(this.#at, this.#at + into.length);
    into.set(part);
    this.#at += part.length;
    return part.length;
  }

  /** Ends the pieces; also while a `pull` waits for one. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#pieces.return?.();
  }
}

function pieceOf(value: unknown): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes !== undefined) return bytes;
  if (typeof value === 'string') {
    throw wrongSource('it gives text, not bytes; leave out setEncoding, or any decoding');
  }
  const shown = value === null ? 'null' : typeof value;
  throw wrongSource(`each of its pieces must be bytes, not ${shown}`);
}

/** Bytes, a Blob, a stream or an iterable as a source to pull from. Throws where it is none. */
export function pullPieces(source: object): RdbPullSource {
  const bytes = bytesOf(source);
  if (bytes !== undefined) return new PiecesSource([bytes].values(), bytes.length);
  if (isBlob(source)) return new PiecesSource(streamPieces(source.stream()), source.size);
  return new PiecesSource(piecesOf(source));
}
