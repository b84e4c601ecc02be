// The bytes of a file, from any place in it: of a Blob in large slices, the next one read while the
// last is looked at; of a URL (`respite inspect`) as the stream that fetch gives. A file packed
// with gzip is unpacked on the way, and then has no places.

import { RespiteError } from '../../errors.js';
import type { Source } from '../protocol.js';

const SLICE_BYTES = 1 << 20;
/** Slices asked for ahead of the one in hand. */
const AHEAD = 2;

export interface OpenSource {
  name: string;
  /** Bytes of the file as it lies there. */
  size: number | undefined;
  /** The bytes are gzip's: `pieces` gives the unpacked ones and cannot begin in the middle. */
  isPacked: boolean;
  /** `onRead` hears how many bytes of the file were read so far. */
  pieces(options?: PiecesOptions): AsyncGenerator<Uint8Array>;
}

export interface PiecesOptions {
  from?: number;
  to?: number;
  signal?: AbortSignal;
  onRead?: (bytes: number, size: number | undefined) => void;
}

type Reader = (options: PiecesOptions) => AsyncGenerator<Uint8Array>;

function blobReader(blob: Blob): Reader {
  return async function* ({ from = 0, to = blob.size, signal, onRead }) {
    const slice = (at: number) => blob.slice(at, Math.min(at + SLICE_BYTES, to)).arrayBuffer();
    const queue: Promise<ArrayBuffer>[] = [];
    let asked = from;
    let done = from;
    while (done < to) {
      for (; asked < to && queue.length <= AHEAD; asked += SLICE_BYTES) {
        const piece = slice(asked);
        piece.catch(() => undefined); // told where it is awaited, if it is
        queue.push(piece);
      }
      signal?.throwIfAborted();
      const piece = new Uint8Array((await queue.shift()) as ArrayBuffer);
      done += piece.length;
      if (piece.length === 0) return;
      onRead?.(done, blob.size);
      yield piece;
    }
  };
}

function urlReader(url: string, size: number | undefined): Reader {
  return async function* ({ from = 0, to, signal, onRead }) {
    const isPart = from > 0 || to !== undefined;
    const range = `bytes=${from}-${to === undefined ? '' : to - 1}`;
    const response = await fetch(url, {
      ...(isPart ? { headers: { range } } : {}),
      ...(signal === undefined ? {} : { signal }),
      cache: 'no-store',
    }).catch((cause: unknown) => failed(url, cause));
    const isServed = response.status === (isPart ? 206 : 200) && response.body !== null;
    if (!isServed) throw failed(url, new Error(`the server answered ${response.status}`));
    let done = from;
    for await (const piece of streamPieces(response.body as ReadableStream<Uint8Array>)) {
      signal?.throwIfAborted();
      done += piece.length;
      onRead?.(done, size);
      yield piece;
    }
  };
}

function failed(path: string, cause: unknown): never {
  if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new RespiteError('ERR_RESPITE_IO', `${path}: ${reason}`, { cause, details: { path } });
}

async function* streamPieces(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The unpacked bytes; progress is that of the packed ones. */
function unpacked(read: Reader): Reader {
  return (options) => {
    const pieces = read({ ...options, from: 0 });
    const packed = new ReadableStream<BufferSource>({
      async pull(controller) {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value as BufferSource);
      },
      async cancel() {
        await pieces.return(undefined);
      },
    });
    const plain = packed.pipeThrough(new DecompressionStream('gzip'));
    return streamPieces(plain as ReadableStream<Uint8Array>);
  };
}

async function head(read: Reader): Promise<Uint8Array> {
  for await (const piece of read({ from: 0, to: 2 })) return piece;
  return new Uint8Array(0);
}

async function sizeOf(url: string): Promise<number | undefined> {
  const response = await fetch(url, { method: 'HEAD' }).catch((cause: unknown) =>
    failed(url, cause),
  );
  if (!response.ok) failed(url, new Error(`the server answered ${response.status}`));
  const length = response.headers.get('content-length');
  return length === null ? undefined : Number(length);
}

export async function openSource(source: Source): Promise<OpenSource> {
  const isBlob = source.kind === 'blob';
  const size = isBlob ? source.blob.size : await sizeOf(source.url);
  const read = isBlob ? blobReader(source.blob) : urlReader(source.url, size);
  const [first, second] = size === 0 ? [] : await head(read);
  const isPacked = first === 0x1f && second === 0x8b;
  const reader = isPacked ? unpacked(read) : read;
  return { name: source.name, size, isPacked, pieces: (options = {}) => reader(options) };
}
