// Where the bytes of an RDB file come from, whatever form they are in, as one async sequence of
// pieces. Portable: a path is opened by whoever can (host/cli, Node's entry), not here.

/** Bytes of an RDB file. Streams of Node and of the web are async iterables of them. */
export type RdbSource =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

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

/** The pieces of a source, and how many bytes they are together where that is known. */
export function piecesOf(source: RdbSource): {
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  size: number | undefined;
} {
  if (source instanceof Uint8Array) return { pieces: [source], size: source.length };
  if (source instanceof ArrayBuffer) return piecesOf(new Uint8Array(source));
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return { pieces: fromStream(source.stream()), size: source.size };
  }
  const isWebStream = 'getReader' in source && typeof source.getReader === 'function';
  if (isWebStream) return { pieces: fromStream(source), size: undefined };
  return { pieces: source as AsyncIterable<Uint8Array>, size: undefined };
}
