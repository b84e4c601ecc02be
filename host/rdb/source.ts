// Where the bytes of an RDB file come from, whatever form they are in. Portable: a path is opened
// by whoever can (Node's entry of `respite/rdb`), not here.

import { RespiteError } from '../errors.js';

/**
 * Bytes of an RDB file. Streams of Node and of the web are async iterables of them. A text or URL
 * is a path, or the address of a live server (`redis://…`); only Node.js opens them.
 */
export type RdbSource =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>
  | RdbPullSource;

/** Bytes that are read straight into the memory they are wanted in: for files. */
export interface RdbPullSource {
  /** Reads up to `into.length` bytes; gives how many, 0 at the end. */
  pull(into: Uint8Array): number | Promise<number>;
  /** All bytes there will be, where that is known. */
  readonly size?: number | undefined;
  /** Who opens it anew under the same name reads the same bytes: of files, not of pipes. */
  readonly canReopen?: boolean | undefined;
  /** Called once when reading is over, at the end or before. */
  close?(): void | Promise<void>;
}

/** Opens a source; `isAgain`: it may be asked for once more. */
export type OpenAgain = (isAgain: boolean) => RdbSource | Promise<RdbSource>;

const PIECE_BYTES = 1 << 20;

/**
 * The pieces of a stream, each valid until the next is asked for. Where the stream can do that they
 * are read into one buffer again and again: browsers keep each buffer of their own until they
 * collect garbage, hundreds of megabytes.
 */
export async function* streamPieces(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const reader = readerOf(stream);
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isDone = done;
      if (isDone || value === undefined) return;
      yield value;
    }
  } finally {
    if (!isDone) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

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

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

type Bytes = Exclude<RdbSource, RdbPullSource | string | URL>;

function piecesOf(source: Bytes): {
  pieces: Pieces;
  size?: number;
} {
  if (source instanceof Uint8Array) return { pieces: [source], size: source.length };
  if (source instanceof ArrayBuffer) return piecesOf(new Uint8Array(source));
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return { pieces: streamPieces(source.stream()), size: source.size };
  }
  const isWebStream = 'getReader' in source && typeof source.getReader === 'function';
  if (isWebStream) return { pieces: streamPieces(source) };
  return { pieces: source as Pieces };
}

/** Pieces of any size as a source to pull from: each is copied into the memory given. */
class PiecesSource implements RdbPullSource {
  readonly size: number | undefined;
  readonly #pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  #isOver = false;

  constructor(pieces: Pieces, size: number | undefined) {
    this.size = size;
    this.#pieces =
      Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  }

  pull(into: Uint8Array): number | Promise<number> {
    return this.#at < this.#piece.length ? this.#copy(into) : this.#pullNext(into);
  }

  async #pullNext(into: Uint8Array): Promise<number> {
    while (this.#at === this.#piece.length) {
      const { done, value } = await this.#pieces.next();
      this.#isOver = done === true;
      if (done) return 0;
      this.#piece = value;
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

  async close(): Promise<void> {
    if (!this.#isOver) await this.#pieces.return?.();
  }
}

export type OpenByName = (name: string) => Promise<RdbPullSource>;
let openByName: OpenByName | undefined;

/** Tells how paths and addresses are opened here. */
export function setOpenByName(open: OpenByName): void {
  openByName = open;
}

/** What a name stands for, opened when the first bytes are asked for. */
class NamedSource implements RdbPullSource {
  readonly #name: string;
  readonly #open: OpenByName;
  #source: RdbPullSource | undefined;

  constructor(name: string, open: OpenByName) {
    this.#name = name;
    this.#open = open;
  }

  get size(): number | undefined {
    return this.#source?.size;
  }

  get canReopen(): boolean | undefined {
    return this.#source?.canReopen;
  }

  pull(into: Uint8Array): number | Promise<number> {
    return this.#source === undefined ? this.#first(into) : this.#source.pull(into);
  }

  async #first(into: Uint8Array): Promise<number> {
    this.#source = await this.#open(this.#name);
    return this.#source.pull(into);
  }

  close(): void | Promise<void> {
    return this.#source?.close?.();
  }
}

/** Up to `bytes` of what comes first; fewer only where the source ends. */
export async function pullHead(from: RdbPullSource, bytes: number): Promise<Uint8Array> {
  const head = new Uint8Array(bytes);
  let length = 0;
  while (length < bytes) {
    const pulled = await from.pull(head.subarray(length));
    if (pulled === 0) break;
    length += pulled;
  }
  return head.subarray(0, length);
}

/** Any source as one to pull from. */
export function pullSource(source: RdbSource): RdbPullSource {
  if (typeof source === 'string' || source instanceof URL) {
    if (openByName === undefined) {
      const message = 'Only Node.js opens paths and addresses; pass bytes, a Blob or a stream';
      throw new RespiteError('ERR_RESPITE_UNSUPPORTED', message, { details: { feature: 'path' } });
    }
    return new NamedSource(String(source), openByName);
  }
  if ('pull' in source && typeof source.pull === 'function') return source as RdbPullSource;
  const { pieces, size } = piecesOf(source as Bytes);
  return new PiecesSource(pieces, size);
}
