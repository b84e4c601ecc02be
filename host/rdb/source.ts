// Where the bytes of an RDB file come from, whatever form they are in. Portable: a path is opened
// by whoever can (Node's entry of `respite/rdb`), not here.

import { RespiteError } from '../errors.js';
import { classOf, pullPieces, whatIs, wrongSource } from './pieces.js';

/** Bytes: of a view those it is of, whatever its elements are. */
export type RdbBytes = ArrayBufferView | ArrayBufferLike;

/**
 * Bytes of an RDB file. Streams of Node and of the web are async iterables of them. A text or URL
 * is a path, or the address of a live server (`redis://…`); only Node.js opens them.
 */
export type RdbSource =
  | string
  | URL
  | RdbBytes
  | Blob
  | ReadableStream<Uint8Array>
  | Iterable<RdbBytes>
  | AsyncIterable<RdbBytes>
  | RdbPullSource;

/** Bytes that are read straight into the memory they are wanted in: for files. */
export interface RdbPullSource {
  /** Reads up to `into.length` bytes; gives how many, 0 at the end. */
  pull(into: Uint8Array): number | Promise<number>;
  /** All bytes there will be, where that is known. */
  readonly size?: number | undefined;
  /** Who opens it anew under the same name reads the same bytes: of files, not of pipes. */
  readonly canReopen?: boolean | undefined;
  /**
   * Called when the RDB was read to its end: its length, and what was pulled of what stands behind
   * it, a view that is good during the call.
   */
  ended?(rdbBytes: number, behind: Uint8Array): void | Promise<void>;
  /**
   * Called once when reading is over, at the end or before: also while a promise of `pull` is
   * pending, when `signal` ends the reading; what comes of that is not used any more.
   */
  close?(): void | Promise<void>;
}

/** Opens a source; `isAgain`: it may be asked for once more. */
export type OpenAgain = (isAgain: boolean) => RdbSource | Promise<RdbSource>;

/** `signal`: nobody wants it any more, and what was begun is to be ended. */
export type OpenByName = (name: string, signal: AbortSignal) => Promise<RdbPullSource>;
let openByName: OpenByName | undefined;

/** Tells how paths and addresses are opened here. */
export function setOpenByName(open: OpenByName): void {
  openByName = open;
}

/** What a name stands for, opened when the first bytes are asked for. */
class NamedSource implements RdbPullSource {
  readonly #name: string;
  readonly #open: OpenByName;
  readonly #closing = new AbortController();
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
    const { signal } = this.#closing;
    const source = await this.#open(this.#name, signal);
    if (signal.aborted) {
      await source.close?.();
      throw new RespiteError('ERR_RESPITE_ABORTED');
    }
    this.#source = source;
    return source.pull(into);
  }

  /** Also while it is being opened. */
  close(): void | Promise<void> {
    this.#closing.abort();
    return this.#source?.close?.();
  }
}

/** `C:` is no scheme, and other paths do not look like one. */
const SCHEME = /^([a-z][a-z\d+.-]+:)\/\//i;
const SCHEMES = ['file:', 'redis:', 'rediss:', 'unix:'];

function pullNamed(name: string, scheme: string | undefined): RdbPullSource {
  if (scheme !== undefined && !SCHEMES.includes(scheme.toLowerCase())) {
    const what = 'fetch() it and pass the `body` of the response, or pass a stream or bytes';
    throw new RespiteError(
      'ERR_RESPITE_UNSUPPORTED',
      `Addresses that begin with ${scheme} are not opened here: ${what}`,
      { details: { feature: scheme } },
    );
  }
  if (openByName !== undefined) return new NamedSource(name, openByName);
  const message = 'Only Node.js opens paths and addresses; pass bytes, a Blob or a stream';
  throw new RespiteError('ERR_RESPITE_UNSUPPORTED', message, { details: { feature: 'path' } });
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

/**
 * Any source as one to pull from. Throws ERR_RESPITE_INVALID_CONFIG where it is none, and
 * ERR_RESPITE_UNSUPPORTED for names that are not opened here.
 */
export function pullSource(source: RdbSource): RdbPullSource {
  if (typeof source === 'string') return pullNamed(source, SCHEME.exec(source)?.[1]);
  if (typeof source !== 'object' || source === null) throw wrongSource(whatIs(source));
  if (classOf(source) === '[object URL]')
    return pullNamed(String(source), (source as URL).protocol);
  if ('pull' in source && typeof source.pull === 'function') return source as RdbPullSource;
  return pullPieces(source);
}
