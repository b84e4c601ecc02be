// Where the bytes of an RDB file come from, whatever form they are in. Portable: a path is opened
// by whoever can (host/cli, Node's entry), not here.

/** Bytes of an RDB file. Streams of Node and of the web are async iterables of them. */
export type RdbSource =
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
  /** Called once when reading is over, at the end or before. */
  close?(): void | Promise<void>;
}

async function* fromStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isDone = false;
  try {
    while (!isDone) {
      const { done, value } = await reader.read();
      isDone = done;
      if (value !== undefined) yield value;
    }
  } finally {
    if (!isDone) await reader.cancel();
    reader.releaseLock();
  }
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

function piecesOf(source: Exclude<RdbSource, RdbPullSource>): {
  pieces: Pieces;
  size?: number;
} {
  if (source instanceof Uint8Array) return { pieces: [source], size: source.length };
  if (source instanceof ArrayBuffer) return piecesOf(new Uint8Array(source));
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return { pieces: fromStream(source.stream()), size: source.size };
  }
  const isWebStream = 'getReader' in source && typeof source.getReader === 'function';
  if (isWebStream) return { pieces: fromStream(source) };
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

/** Any source as one to pull from. */
export function pullSource(source: RdbSource): RdbPullSource {
  if ('pull' in source && typeof source.pull === 'function') return source as RdbPullSource;
  const { pieces, size } = piecesOf(source as Exclude<RdbSource, RdbPullSource>);
  return new PiecesSource(pieces, size);
}
