// The bytes of a file, from any place in it: of a Blob, or of a URL (`respite inspect`), as streams
// that are read into one buffer. A file packed with gzip or zstd is unpacked on the way, and then
// has no places.

import { Decompress } from 'fzstd';
import { RespiteError } from '../../errors.js';
import { streamPieces } from '../../rdb/pieces.js';
import type { Source } from '../protocol.js';

/** Packed bytes unpacked at once: 2 KB may stand for 64 MB. */
const ZSTD_STEP_BYTES = 2048;
/** A larger window is neither memory nor time that a page should take; zstd makes up to 8 MB. */
const ZSTD_WINDOW_MAX = 64 << 20;

export interface OpenSource {
  name: string;
  /** Bytes of the file as it lies there. */
  size: number | undefined;
  /** `pieces` gives bytes that were unpacked and cannot begin in the middle. */
  isPacked: boolean;
  /**
   * `onRead` hears how many bytes of the file were read so far. Each piece is valid until the next
   * is asked for.
   */
  pieces(options?: PiecesOptions): AsyncGenerator<Uint8Array>;
}

export interface PiecesOptions {
  from?: number;
  to?: number;
  signal?: AbortSignal;
  onRead?: (bytes: number, size: number | undefined) => void;
}

type Reader = (options: PiecesOptions) => AsyncGenerator<Uint8Array>;

function blobReader(blob: Blob, name: string): Reader {
  return async function* ({ from = 0, to = blob.size, signal, onRead }) {
    let done = from;
    for await (const piece of blobPieces(blob.slice(from, to), name)) {
      signal?.throwIfAborted();
      done += piece.length;
      onRead?.(done, blob.size);
      yield piece;
    }
  };
}

/** Browsers say little about files that they cannot read, and some call it a network error. */
async function* blobPieces(blob: Blob, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* streamPieces(blob.stream());
  } catch (cause) {
    const text = 'cannot be read: it is a folder, or it was changed or removed since it was chosen';
    const details = { path: name };
    throw new RespiteError('ERR_RESPITE_IO', `${name} ${text}`, { cause, details });
  }
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

/** The unpacked bytes; progress is that of the packed ones. Packing that is damaged ends them. */
function unpacked(read: Reader, unpack: Unpack): Reader {
  return async function* (options) {
    const pieces = read({ ...options, from: 0 });
    let isOver = false;
    const watched = async function* () {
      yield* pieces;
      isOver = true;
    };
    try {
      yield* unpack(watched());
    } catch (error) {
      const isOurs = error instanceof RespiteError || options.signal?.aborted;
      if (isOurs || (error instanceof DOMException && error.name !== 'DataError')) throw error;
    } finally {
      if (!isOver) await pieces.return(undefined);
    }
  };
}

type Unpack = (pieces: AsyncGenerator<Uint8Array>) => AsyncGenerator<Uint8Array>;

async function* gunzip(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const packed = new ReadableStream<BufferSource>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      // the stream takes it after the next is asked for
      else controller.enqueue(value.slice() as BufferSource);
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
  const plain = packed.pipeThrough(new DecompressionStream('gzip'));
  yield* streamPieces(plain as ReadableStream<Uint8Array>);
}

async function* unzstd(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const out: Uint8Array[] = [];
  const decoder = new Decompress((piece) => out.push(piece));
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst) checkWindow(piece);
    isFirst = false;
    for (let at = 0; at < piece.length; at += ZSTD_STEP_BYTES) {
      // what is not a whole block yet is kept
      decoder.push(piece.slice(at, at + ZSTD_STEP_BYTES));
      yield* out;
      out.length = 0;
    }
  }
}

/** Bytes of window that a frame asks for: RFC 8878, 3.1.1.1. */
function windowOf(head: Uint8Array): number {
  const [, , , , flags = 0, descriptor = 0] = head;
  const isWhole = (flags & 0x20) !== 0;
  const base = 2 ** (10 + (descriptor >> 3));
  if (!isWhole) return base + (base / 8) * (descriptor & 7);
  // one segment: the window is the content, and its size follows the dictionary's number
  const dictionary = [0, 1, 2, 4][flags & 3] ?? 0;
  const digits = head.subarray(5 + dictionary, 5 + dictionary + 2 ** (flags >> 6));
  return digits.reduceRight((size, byte) => size * 256 + byte, 0);
}

function checkWindow(head: Uint8Array): void {
  const window = windowOf(head);
  if (window <= ZSTD_WINDOW_MAX) return;
  const megabytes = Math.round(window / 2 ** 20);
  const text = `packed by zstd with a window of ${megabytes} MB: unpack it first`;
  throw new RespiteError('ERR_RESPITE_UNSUPPORTED', text, { details: { feature: 'zstd window' } });
}

/** How files begin that are packed. */
const PACKINGS: readonly [magic: readonly number[], unpack: Unpack][] = [
  [[0x1f, 0x8b], gunzip],
  [[0x28, 0xb5, 0x2f, 0xfd], unzstd],
];
const HEAD_BYTES = 4;

async function head(read: Reader): Promise<Uint8Array> {
  for await (const piece of read({ from: 0, to: HEAD_BYTES })) return piece.slice();
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
  const { name } = source;
  const isBlob = source.kind === 'blob';
  const size = isBlob ? source.blob.size : await sizeOf(source.url);
  const read = isBlob ? blobReader(source.blob, name) : urlReader(source.url, size);
  const start = size === 0 ? new Uint8Array(0) : await head(read);
  const unpack = PACKINGS.find(([magic]) => magic.every((byte, i) => start[i] === byte))?.[1];
  const reader = unpack === undefined ? read : unpacked(read, unpack);
  const isPacked = unpack !== undefined;
  return { name, size, isPacked, pieces: (options = {}) => reader(options) };
}
